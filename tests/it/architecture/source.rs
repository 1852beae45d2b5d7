//! Sources as tokens: paths, words and texts, each with its line.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The files below `src`.
pub struct Tree {
    pub files: Vec<File>,
}

/// One file. `path` is below `src`, with `/`.
pub struct File {
    pub path: String,
    /// How many lines it has.
    pub lines: usize,
    /// The tokens; the error if it is Rust and cannot be read; empty for anything else.
    tokens: Result<TokenStream, (usize, String)>,
}

/// A path that starts at `crate` or leaves its module by `super`: the names from the root of the crate on, none
/// for the root itself.
pub struct Import {
    pub line: usize,
    pub names: Vec<String>,
}

impl Tree {
    pub fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![src.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder of sources") {
                let path = entry.expect("an entry of a folder").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(src).expect("a path below src").to_string_lossy().into_owned();
                // Icons and fonts are not text, and have no lines that count.
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                files.push(File::new(&below, &text));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    pub fn planted(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new(path, text)).collect() }
    }

    pub fn unreadable(&self) -> Vec<String> {
        let broken = |file: &File| {
            let (line, error) = file.tokens.as_ref().err()?;
            Some(format!("{}:{line}: cannot be read as Rust: {error}", file.path))
        };
        self.files.iter().filter_map(broken).collect()
    }
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let tokens = if is_rust(path) { text.parse() } else { Ok(TokenStream::new()) };
        let tokens =
            tokens.map_err(|error: proc_macro2::LexError| (error.span().start().line, error.to_string()));
        Self { path: path.to_owned(), lines: text.lines().count(), tokens }
    }

    /// The module or folder directly below `src` that the file belongs to.
    pub fn house(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Every path to another place of the crate.
    pub fn imports(&self) -> Vec<Import> {
        let mut found = Vec::new();
        let mut module: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if matches!(module.last(), Some(&("mod" | "lib" | "main"))) {
            module.pop();
        }
        let module: Vec<String> = module.into_iter().map(str::to_owned).collect();
        collect_imports(&self.tokens(), &module, &mut found);
        found
    }

    /// Every word outside comments and texts.
    pub fn words(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        each_token(self.tokens(), &mut |token| {
            if let TokenTree::Ident(word) = token {
                found.push((word.span().start().line, word.to_string()));
            }
        });
        found
    }

    /// Every literal text as it is written, documentation left out.
    pub fn texts(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        each_token(self.tokens(), &mut |token| {
            if let TokenTree::Literal(literal) = token {
                let text = literal.to_string();
                if let Some((_, inside)) = text.split_once('"') {
                    found.push((literal.span().start().line, inside.to_owned()));
                }
            }
        });
        found
    }

    fn tokens(&self) -> Vec<TokenTree> {
        self.tokens.iter().flat_map(Clone::clone).collect()
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Visits every token; of documentation, which arrives as `#[doc = "…"]`, none.
fn each_token(tokens: impl IntoIterator<Item = TokenTree>, visit: &mut impl FnMut(&TokenTree)) {
    for token in tokens {
        match &token {
            TokenTree::Group(group) if is_documentation(group) => {}
            TokenTree::Group(group) => each_token(group.stream(), visit),
            _ => visit(&token),
        }
    }
}

fn is_documentation(group: &proc_macro2::Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && group.stream().into_iter().next().is_some_and(|token| is(&token, "doc"))
}

fn is(token: &TokenTree, text: &str) -> bool {
    match token {
        TokenTree::Ident(word) => word == text,
        TokenTree::Punct(mark) => text.len() == 1 && text.starts_with(mark.as_char()),
        _ => false,
    }
}

/// Whether `::` stands at `at`.
fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| is(t, ":")) && tokens.get(at + 1).is_some_and(|t| is(t, ":"))
}

fn collect_imports(tokens: &[TokenTree], module: &[String], found: &mut Vec<Import>) {
    let mut at = 0;
    while at < tokens.len() {
        // Without `::` behind it, it is `pub(crate)` or `pub(super)`; or the root under another name.
        let starts_path = is_path_separator(tokens, at + 1);
        match &tokens[at] {
            TokenTree::Ident(word) if word == "crate" && starts_path => {
                at += 3;
                leaves(tokens, &mut at, Vec::new(), found);
                continue;
            }
            TokenTree::Ident(word) if word == "crate" && tokens.get(at + 1).is_some_and(|t| is(t, "as")) => {
                found.push(Import { line: word.span().start().line, names: Vec::new() });
            }
            TokenTree::Ident(word) if word == "super" && starts_path => {
                let mut base = module.to_owned();
                while tokens.get(at).is_some_and(|t| is(t, "super")) && is_path_separator(tokens, at + 1) {
                    base.pop();
                    at += 3;
                }
                leaves(tokens, &mut at, base, found);
                continue;
            }
            TokenTree::Group(group) => {
                let mut inside = module.to_owned();
                if let Some(name) = name_of_inline_module(tokens, at) {
                    inside.push(name);
                }
                collect_imports(&group.stream().into_iter().collect::<Vec<_>>(), &inside, found);
            }
            _ => {}
        }
        at += 1;
    }
}

/// The name, if the group at `at` is the body of `mod name { … }`.
fn name_of_inline_module(tokens: &[TokenTree], at: usize) -> Option<String> {
    let before = at.checked_sub(2)?;
    let is_module = is(&tokens[before], "mod");
    is_module.then(|| tokens[at - 1].to_string())
}

/// Follows a path whose beginning is `base`, with every branch of its braces, and moves `at` behind it.
fn leaves(tokens: &[TokenTree], at: &mut usize, base: Vec<String>, found: &mut Vec<Import>) {
    let Some(token) = tokens.get(*at) else { return };
    let line = token.span().start().line;
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let inside: Vec<_> = group.stream().into_iter().collect();
            let mut inner = 0;
            while inner < inside.len() {
                if is(&inside[inner], ",") {
                    inner += 1;
                } else {
                    leaves(&inside, &mut inner, base.clone(), found);
                }
            }
            *at += 1;
        }
        TokenTree::Ident(word) => {
            let mut names = base;
            names.push(word.to_string());
            *at += 1;
            if is_path_separator(tokens, *at) {
                *at += 2;
                leaves(tokens, at, names, found);
            } else {
                if tokens.get(*at).is_some_and(|token| is(token, "as")) {
                    *at += 2;
                }
                found.push(Import { line, names });
            }
        }
        // `*`, or the `<` of `name::<T>`.
        _ => {
            found.push(Import { line, names: base });
            *at += 1;
        }
    }
}
