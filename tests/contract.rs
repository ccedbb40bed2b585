//! The command line holds nothing that the product's contract does not name.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use common::{run, tree};

/// The long options in a text.
fn options(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect()
    };
    let parts = text.split("--").skip(1).map(name);
    parts
        .filter(|name: &String| name.len() > 1 && !name.starts_with('-'))
        .map(|name| name.trim_end_matches('-').to_string())
        .collect()
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn every_option_stands_in_the_contract() {
    let shared = PathBuf::from(std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED"));
    let contract = options(&std::fs::read_to_string(shared.join("spec/product.md")).unwrap());
    let folder = tree(&[]);
    for command in [
        vec!["--help"],
        vec!["convert", "--help"],
        vec!["explain", "--help"],
        vec!["prove", "--help"],
        vec!["images", "--help"],
        vec!["init", "--help"],
        vec!["rules", "show", "--help"],
        vec!["rules", "import", "--help"],
        vec!["rules", "export", "--help"],
    ] {
        let (exit, help, _) = run(folder.path(), &command);
        assert_eq!(exit, 0);
        let shown = options(&help);
        assert!(shown.len() > 5, "the help has lost its options: {help}");
        for option in shown
            .iter()
            .filter(|option| !matches!(option.as_str(), "help" | "version"))
        {
            assert!(
                contract.contains(option),
                "`--{option}` is not in the contract"
            );
        }
    }
}
