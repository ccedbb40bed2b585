//! Imports run one way: each module names only modules of the floors below its own.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

/// From the ground up. Modules of one floor may not name each other.
const FLOORS: &[&[&str]] = &[
    &["reason", "source", "globs", "image", "process", "words"],
    &["edit", "yaml", "walk"],
    &["rules", "verify", "ignores", "helm"],
    &["sites"],
    &["scan"],
    &["link"],
    &["plan"],
    &["findings", "inventory", "prove"],
    &["report", "write", "config"],
    &["settings"],
    &["cli"],
];

fn floor(module: &str) -> usize {
    let found = FLOORS.iter().position(|floor| floor.contains(&module));
    found.unwrap_or_else(|| panic!("`{module}` has no floor; give it one in tests/layers.rs"))
}

/// The modules that the code of `text`, up to its tests, names as `crate::module`.
fn named(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let word = |rest: &'_ str| {
        rest.find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len())
    };
    code.split("crate::")
        .skip(1)
        .map(|rest| &rest[..word(rest)])
        .collect()
}

#[test]
fn every_import_goes_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for entry in WalkDir::new(&src).into_iter().map(Result::unwrap) {
        let below = entry.path().strip_prefix(&src).unwrap();
        let module = below
            .iter()
            .next()
            .and_then(|part| part.to_str())
            .unwrap_or("");
        let module = module.trim_end_matches(".rs");
        if !entry.file_type().is_file() || matches!(module, "main" | "lib") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        for name in named(&text) {
            let fine = name == module || floor(name) < floor(module);
            assert!(
                fine,
                "{}: `{module}` may not name `{name}`",
                below.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "the test has lost sight of the imports");
}

/// Files of a folder that stand side by side: each may name the folder's own `mod.rs` and its `ground`.
const ROOMS: &[(&str, &[&str])] = &[("rules/import", &["tree"]), ("rules/export", &[])];

#[test]
fn sources_and_targets_of_rules_stand_alone() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, ground) in ROOMS {
        let files = fs::read_dir(src.join(room)).unwrap();
        let paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_string();
        assert!(paths.len() > 4, "{room} is not where it should be");
        for path in paths.iter().filter(|path| name(path) != "mod") {
            let text = fs::read_to_string(path).unwrap();
            for other in paths.iter().map(|path| name(path)) {
                let fine =
                    other == "mod" || other == name(path) || ground.contains(&other.as_str());
                let names = text.contains(&format!("super::{other}::"));
                assert!(fine || !names, "{}: may not name `{other}`", path.display());
            }
        }
    }
    // What decides images knows nothing of where rules were read, or go.
    for entry in fs::read_dir(src.join("rules")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            let text = fs::read_to_string(entry.path()).unwrap();
            let names = ["import::", "export::"]
                .iter()
                .any(|room| text.contains(room));
            assert!(!names, "{}", entry.path().display());
        }
    }
}

#[test]
fn only_one_module_names_the_parser() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in WalkDir::new(&src).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() && !entry.path().ends_with("yaml/parse.rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            assert!(
                !text.contains("use granit_parser"),
                "{}",
                entry.path().display()
            );
        }
    }
}
