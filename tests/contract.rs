//! The program and the product's contract name the same: commands, options, keys and codes.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use common::{commands, run, tree};
use ecr_rewrite::findings::Code;
use ecr_rewrite::reason::{Assumption, Reason};

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

fn contract() -> String {
    let shared = PathBuf::from(std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED"));
    std::fs::read_to_string(shared.join("spec/product.md")).unwrap()
}

/// The helps of every command, in one text.
fn helps() -> String {
    let folder = tree(&[]);
    let help = |command: String| {
        let words = command.split_whitespace().chain(["--help"]);
        let (exit, help, _) = run(folder.path(), &words.collect::<Vec<_>>());
        assert_eq!(exit, 0);
        assert!(
            help.contains("\nCommands:\n") || options(&help).len() > 5,
            "the help has lost its options: {help}"
        );
        help
    };
    let told = commands().into_iter();
    told.chain([String::new()]).map(help).collect()
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn every_option_stands_in_the_contract_and_every_one_of_the_contract_exists() {
    // `diff --git` is none of ours.
    let others = BTreeSet::from(["git".to_string()]);
    let contract = options(&contract());
    let shown = options(&helps());
    let ours = |option: &&String| !matches!(option.as_str(), "help" | "version");
    let extra: Vec<&String> = shown.difference(&contract).filter(ours).collect();
    assert!(extra.is_empty(), "not in the contract: {extra:?}");
    let missing = contract
        .difference(&shown)
        .filter(|option| !others.contains(*option));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    assert!(missing.is_empty(), "in no help: {missing:?}");
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn every_code_and_key_stands_in_the_contract_and_every_one_of_the_contract_exists() {
    let contract = contract();
    let (_, codes) = contract.split_once("## 5. Codes").unwrap();
    let (codes, _) = codes.split_once("## 6.").unwrap();
    let quoted = |text: &str| -> BTreeSet<String> {
        let words = text.split('`').skip(1).step_by(2);
        let is_code = |word: &&str| {
            word.contains(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        words.filter(is_code).map(String::from).collect()
    };
    let named = quoted(codes);
    let known = Code::ALL.map(Code::code).into_iter();
    let known: BTreeSet<String> = known
        .chain(Reason::ALL.map(Reason::code))
        .map(String::from)
        .collect();
    let missing: Vec<&String> = known.difference(&named).collect();
    assert!(missing.is_empty(), "not in the contract: {missing:?}");
    // Words of the text that are no codes.
    let words = ["error", "warn", "info", "off", "true", "prove", "--check"].map(String::from);
    let extra: Vec<&String> = named
        .difference(&known)
        .filter(|word| !words.contains(word))
        .collect();
    assert!(extra.is_empty(), "in the contract only: {extra:?}");
    for code in Assumption::ALL.map(Assumption::code) {
        assert!(contract.contains(&format!("`{code}`")), "{code}");
    }
    let (_, keys) = contract.split_once("## 2. Config").unwrap();
    let (keys, _) = keys.split_once("## 3.").unwrap();
    let schema = std::fs::read_to_string("docs/config.schema.json").unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    for key in schema["properties"].as_object().unwrap().keys() {
        let is_named = keys.lines().any(|line| {
            line.starts_with(&format!("{key}:"))
                || line.contains(&format!("or {key}:"))
                || line.contains(&format!("+ {key}:"))
        });
        assert!(is_named, "the key `{key}` is not in the contract");
    }
    let (_, example) = keys.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let top = example.lines().filter_map(|line| {
        let (key, _) = line.split_once(':')?;
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic());
        is_key.then_some(key)
    });
    for key in top {
        assert!(
            schema["properties"].get(key).is_some(),
            "the key `{key}` is in the contract only"
        );
    }
    for (place, pointer) in [("rules", "/$defs/rule"), ("helm", "/properties/helm")] {
        let properties = schema.pointer(pointer).unwrap()["properties"]
            .as_object()
            .unwrap();
        for key in properties.keys() {
            assert!(
                keys.contains(key.as_str()),
                "{place}: the key `{key}` is not in the contract"
            );
        }
    }
}
