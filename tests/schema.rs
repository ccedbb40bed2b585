//! The JSON Schemas are kept in step: that of the config names the keys that the program takes, each
//! where it takes it, and that of the report describes what the program prints.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{REGISTRY, run, tree};
use ecr_rewrite::config::Config;
use ecr_rewrite::findings::{Code, Level};
use ecr_rewrite::reason::Reason;
use miette::Diagnostic;
use serde_json::Value;

/// The keys that the program says it knows beside the key `zzz` of this config.
fn known(config: &str) -> BTreeSet<String> {
    let error = Config::parse(Path::new("config"), config).unwrap_err();
    assert_eq!(error.to_string(), "unknown key `zzz`");
    let help = error.help().unwrap().to_string();
    let list = help.strip_prefix("known keys here: ").unwrap();
    list.split(", ").map(Into::into).collect()
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

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("docs/{name}.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn words(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let list = schema.pointer(pointer).unwrap().as_array().unwrap();
    list.iter()
        .map(|word| word.as_str().unwrap().to_string())
        .collect()
}

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(String::from).collect()
}

#[test]
fn the_schemas_name_every_code_level_and_reason() {
    let config = schema("config");
    let codes = set(Code::ALL.map(Code::code));
    assert_eq!(properties(&config, "/properties/checks"), codes);
    assert_eq!(
        words(&config, "/$defs/level/enum"),
        set(Level::ALL.map(Level::word))
    );
    let report = schema("report");
    assert_eq!(words(&report, "/$defs/code/enum"), codes);
    assert_eq!(
        words(&report, "/$defs/reason/enum"),
        set(Reason::ALL.map(Reason::code))
    );
    assert_eq!(
        words(&report, "/$defs/level/enum"),
        set(["error", "warn", "info"])
    );
}

/// A repository with something of everything that a report may hold.
const FILES: &[(&str, &str)] = &[
    (
        ".ecr-rewrite.yaml",
        "rules:\n- {upstream: docker.io, prefix: docker-hub}\nchecks: {no-rule: warn, unsupported-upstream: info}\n",
    ),
    (
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: é}\nspec:\n  containers:\n  - {name: é, image: nginx:1}\n  - image: registry.example.com/a:1\n  - image: mcr.microsoft.com/a:1\n  - image: \"redis\\u003a1\"\n  - image: x:1 # ecr-rewrite: ignore\n  - image: |-\n      busybox:1\n",
    ),
    (
        "base/b.yaml",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: app/web:1}]}\n",
    ),
    (
        "base/kustomization.yaml",
        "resources: [b.yaml]\nimages: [{name: 'app/we[b]', newTag: \"2\"}]\n",
    ),
    ("broken.yaml", "image: [1\n"),
    ("templates/t.yaml", "image: x\n{{ if }}\nb: [\n"),
];

fn report(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let target = ["--registry", REGISTRY, "--format", "json"];
    let (exit, output, talk) = run(folder, &[arguments, &target].concat());
    assert!(!output.is_empty(), "{talk}");
    (exit, serde_json::from_str(&output).unwrap())
}

#[test]
fn reports_are_as_their_schema_says() {
    let validator = jsonschema::validator_for(&schema("report")).unwrap();
    let folder = tree(FILES);
    for mode in [&["--check"][..], &["--dry-run"], &["."]] {
        let (exit, report) = report(folder.path(), mode);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{mode:?}: {errors:#?}");
        assert_eq!(exit, 2, "a file is not YAML");
    }
    // The schema refuses what is no report, or the test above would mean nothing.
    let (_, mut wrong) = report(folder.path(), &["--check"]);
    wrong["sites"][0]["verdict"] = "maybe".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn a_report_says_everything_about_a_site() {
    let folder = tree(FILES);
    let (_, json) = report(folder.path(), &["--check"]);
    let text = FILES[1].1;
    for site in json["sites"].as_array().unwrap() {
        let number = |pointer: &str| {
            usize::try_from(site.pointer(pointer).unwrap().as_u64().unwrap()).unwrap()
        };
        if site["path"] == "a.yaml" && site["reason"] != "not-editable" {
            let bytes = &text[number("/span/start")..number("/span/end")];
            assert_eq!(bytes, site["original"].as_str().unwrap());
            let line = text.lines().nth(number("/start/line") - 1).unwrap();
            let chars: String = line
                .chars()
                .skip(number("/start/column") - 1)
                .take(bytes.chars().count())
                .collect();
            assert_eq!(chars, bytes);
        }
    }
    let site = |original: &str| {
        let sites = json["sites"].as_array().unwrap().iter();
        sites
            .clone()
            .find(|site| site["original"] == original)
            .unwrap()
    };
    let nginx = site("nginx:1");
    assert_eq!(nginx["keyPath"], "spec.containers[0].image");
    assert_eq!(nginx["canonical"], "docker.io/library/nginx");
    assert_eq!(nginx["verdict"], "change");
    assert_eq!(
        nginx["becomes"],
        format!("{REGISTRY}/docker-hub/library/nginx:1")
    );
    assert_eq!(nginx["safety"], "certain");
    assert_eq!(nginx["rule"]["origin"]["line"], 2);
    assert_eq!(nginx["rule"]["origin"]["path"], ".ecr-rewrite.yaml");
    assert_eq!(nginx["rule"]["upstream"], "docker.io");
    assert_eq!(nginx["findings"][0]["code"], "not-through-ecr");
    let named = site("app/web:1");
    assert_eq!(named["reason"], "group-incomplete");
    assert_eq!(
        named["groups"][0],
        "the kustomize name at base/kustomization.yaml:2"
    );
    assert_eq!(named["findings"][0]["fix"], Value::Null);
    assert_eq!(site("x:1")["reason"], "ignored");
    assert_eq!(
        site("registry.example.com/a:1")["findings"][0]["level"],
        "warn"
    );
    assert_eq!(json["findings"][0]["code"], "unparsed");
    assert_eq!(json["failures"][0]["path"], "broken.yaml");
    let summary = &json["summary"];
    assert_eq!(
        (&summary["errors"], &summary["warnings"], &summary["infos"]),
        (&4.into(), &2.into(), &1.into()),
        "{summary}"
    );
    assert_eq!(summary["skipped"]["ignored"], 1);
}

#[test]
fn the_same_input_gives_the_same_report_and_writing_says_what_was_done() {
    let folder = tree(FILES);
    let (_, first) = report(folder.path(), &["--check"]);
    let (_, second) = report(folder.path(), &["--check"]);
    assert_eq!(first.to_string(), second.to_string());
    let (_, written) = report(folder.path(), &["."]);
    assert_eq!(written["mode"], "write");
    let changed: Vec<&Value> = written["sites"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|site| site["verdict"] == "change")
        .collect();
    assert_eq!(changed.len(), 2);
    assert!(
        changed
            .iter()
            .all(|site| site["findings"].as_array().unwrap().is_empty())
    );
    let after = std::fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    assert!(after.contains(&format!("{REGISTRY}/docker-hub/library/nginx:1")));
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_text_are_whole_in_reports() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tree(&[]);
    let name = std::ffi::OsStr::from_bytes(b"a\xff b.yaml");
    std::fs::write(
        folder.path().join(name),
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a}]}\n",
    )
    .unwrap();
    let (_, json) = report(folder.path(), &["--check"]);
    assert_eq!(json["sites"][0]["pathBytes"], "a%FF%20b.yaml");
    assert!(jsonschema::is_valid(&schema("report"), &json));
}
