//! The routes of the server, as its source registers them: tables of tests that miss one fail.

use std::path::Path;

/// Every method and path, such as `("POST", "/api/v1/events")`; parameters stand in braces.
pub fn all() -> Vec<(&'static str, String)> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    let mut routes = Vec::new();
    for entry in std::fs::read_dir(web.join("api")).expect("the API's source") {
        let path = entry.expect("a file of the API").path();
        routes.extend(read(&path).into_iter().map(|(method, path)| (method, format!("/api/v1{path}"))));
    }
    for file in ["health.rs", "metrics/mod.rs", "openapi/mod.rs", "docs/mod.rs"] {
        routes.extend(read(&web.join(file)));
    }
    routes.sort();
    assert!(routes.len() > 20, "the source registers its routes in another way: {routes:?}");
    routes
}

/// The same of the console's pages and of what their forms post to.
pub fn console() -> Vec<(&'static str, String)> {
    let mut routes = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/ui")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the console's source") {
            let path = entry.expect("a file of the console").path();
            if path.is_dir() { folders.push(path) } else { routes.extend(read(&path)) }
        }
    }
    routes.sort();
    assert!(routes.len() > 10, "the source registers its pages in another way: {routes:?}");
    routes
}

/// The route among these that serves a path: of those that fit, the one that says the most itself.
pub fn serving<'a>(routes: impl Iterator<Item = &'a str>, path: &str) -> Option<&'a str> {
    let parameters = |route: &str| route.split('/').filter(|part| part.starts_with('{')).count();
    routes.filter(|route| fits(route, path)).min_by_key(|route| parameters(route))
}

fn fits(route: &str, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let part_fits = |(wanted, there): (&&str, &&str)| wanted.starts_with('{') || wanted == there;
    route.len() == path.len() && route.iter().zip(&path).all(part_fits)
}

fn read(file: &Path) -> Vec<(&'static str, String)> {
    let source = std::fs::read_to_string(file).expect("a file of the source");
    let mut routes = Vec::new();
    for resource in source.split("web::resource(\"").skip(1) {
        let (path, rest) = resource.split_once('"').expect("a path in quotes");
        let methods = [
            // With HEAD, which asks for the same.
            ("read", "GET"),
            ("web::post", "POST"),
            ("web::put", "PUT"),
            ("web::patch", "PATCH"),
            ("web::delete", "DELETE"),
        ];
        let taken = methods.iter().filter(|(name, _)| rest.contains(&format!("route({name}()")));
        let before = routes.len();
        routes.extend(taken.map(|(_, method)| (*method, path.to_owned())));
        assert!(routes.len() > before, "{path} is registered in another way");
    }
    routes
}
