//! The JSON Schema of the config names the keys that the program takes, each where it takes it.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::collections::BTreeSet;
use std::path::Path;

use ecr_rewrite::config::Config;
use miette::Diagnostic;
use serde_json::Value;

/// Keys that are known, and refused until a later version.
const LATER: &[&str] = &["rulesFrom", "helm", "checks", "kind", "path"];

/// The keys that the program says it knows beside the key `zzz` of this config.
fn known(config: &str) -> BTreeSet<String> {
    let error = Config::parse(Path::new("config"), config).unwrap_err();
    assert_eq!(error.to_string(), "unknown key `zzz`");
    let help = error.help().unwrap().to_string();
    let list = help.strip_prefix("known keys here: ").unwrap();
    list.split(", ")
        .filter(|key| !LATER.contains(key))
        .map(Into::into)
        .collect()
}

fn properties(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let object = schema.pointer(pointer).unwrap();
    assert_eq!(object["additionalProperties"], false, "{pointer}");
    object["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_schema_names_every_key_and_no_other() {
    let schema = std::fs::read_to_string("docs/config.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for (config, pointer) in [
        ("zzz: 1\n", ""),
        ("overrides: [{zzz: 1}]\n", "/properties/overrides/items"),
        ("allow: [{zzz: 1}]\n", "/properties/allow/items"),
        ("rules: [{zzz: 1}]\n", "/$defs/rule"),
        ("sites: [{zzz: 1}]\n", "/properties/sites/items"),
    ] {
        assert_eq!(known(config), properties(&schema, pointer), "{config}");
    }
}
