//! Pictures of every page. They are made on demand: `tests/run --pictures`.

use std::path::Path;

use crate::support::app::TestApp;
use crate::support::browser::Window;

use super::furnished::Furnished;

#[test]
fn every_page_has_its_picture() {
    let Some(folder) = std::env::var_os("POSTRIDER_TEST_PICTURES") else {
        // Without a folder to keep them in, that one can be made is what is seen.
        let app = TestApp::start();
        let browser = super::admin(&app, Window::default());
        browser.open("/");
        assert!(browser.picture(1440).starts_with(b"\x89PNG"));
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).expect("a folder");
    let app = TestApp::start();
    let furnished = Furnished::new(&app);
    for (width, dark, name) in [
        (1440, false, "wide-light"),
        (1440, true, "wide-dark"),
        (390, false, "phone-light"),
        (390, true, "phone-dark"),
    ] {
        let admin = super::admin(&app, Window { width, dark, ..Window::default() });
        for (page, path) in furnished.pages() {
            admin.resize(width, 900);
            admin.open(&path);
            let file = folder.join(format!("{page}-{name}.png"));
            std::fs::write(&file, admin.picture(width)).expect("a file");
        }
    }
}
