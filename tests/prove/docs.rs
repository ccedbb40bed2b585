//! The documents show what the program prints.

use std::fs;
use std::path::Path;

use super::bench::path;
use super::common::{copy, program, scratch};

#[test]
fn the_documents_show_real_output() {
    let Some(path) = path() else { return };
    // The demo as a repository of its own, as the documents make it.
    let demo = scratch();
    copy(Path::new("testdata/demo"), demo.path());
    let output = program(demo.path())
        .env("PATH", path)
        .arg("prove")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(!printed.is_empty());
    for file in ["README.md", "docs/prove.md"] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(&printed), "{file} lacks\n{printed}");
    }
}

#[test]
fn every_reason_stands_in_the_document() {
    let text = fs::read_to_string("docs/prove.md").unwrap();
    for why in ecr_rewrite::prove::Why::ALL {
        assert!(
            text.contains(&format!("| `{why}` | ")),
            "`{why}` is missing"
        );
    }
}
