//! The documents show what the program prints.

use std::path::Path;

use super::bench::path;
use super::common::program;

/// How a block with output begins: the command in a folder.
const BEGIN: &str = "```text\n$ cd testdata/demo && ecr-rewrite prove\n";

#[test]
fn the_documents_show_real_output() {
    let Some(path) = path() else { return };
    let output = program(Path::new("testdata/demo"))
        .env("PATH", path)
        .arg("prove")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for file in ["README.md", "docs/prove.md"] {
        let text = std::fs::read_to_string(file).unwrap();
        let (_, block) = text
            .split_once(BEGIN)
            .unwrap_or_else(|| panic!("{file} shows nothing"));
        let (shown, _) = block.split_once("```").unwrap();
        assert_eq!(shown, printed, "{file}");
    }
}

#[test]
fn every_reason_stands_in_the_document() {
    let text = std::fs::read_to_string("docs/prove.md").unwrap();
    for why in ecr_rewrite::prove::Why::ALL {
        assert!(
            text.contains(&format!("| `{why}` | ")),
            "`{why}` is missing"
        );
    }
}
