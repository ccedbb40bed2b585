//! Generated parts of the documents are what the program makes of them, and help teaches. What their
//! commands print is for `documents.rs`.
//!
//! `ECR_REWRITE_BLESS=1` writes all of it anew.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{commands, copy, current, ecr, program, put, run, tree};
use ecr_rewrite::rules::upstreams::{Credential, UPSTREAMS, Upstream};
use serde_json::Value;

#[test]
fn the_config_that_a_document_shows_is_the_one_that_is_written() {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27\n  - image: lscr.io/linuxserver/code-server:4\n  - image: mcr.microsoft.com/dotnet/runtime:9.0\n";
    let folder = tree(&[]);
    put(folder.path(), "web.yaml", pod.as_bytes());
    let mut command = program(folder.path());
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCOUNT_ID"] {
        command.env_remove(name);
    }
    assert!(command.arg("init").output().unwrap().status.success());
    let written = std::fs::read_to_string(folder.path().join(".ecr-rewrite.yaml")).unwrap();
    current::part("docs/init.md", "init", &format!("```yaml\n{written}```\n"));
}

/// The picture is of what the program prints on a terminal, made by the library that made it colours.
#[test]
fn the_picture_is_a_diff_of_the_demo() {
    let folder = tree(&[]);
    copy(Path::new("testdata/demo"), folder.path());
    let web = "environments/prod/web";
    let arguments = [web, "--dry-run", "-q", "--color", "always"];
    let (exit, diff, talk) = run(folder.path(), &arguments);
    assert_eq!(exit, 0, "{talk}");
    let shown = format!("$ ecr-rewrite {web} --dry-run\n{diff}");
    let picture = anstyle_svg::Term::new().render_svg(&shown);
    assert!(picture.contains("docker-hub/library"), "{picture}");
    current::whole("docs/diff.svg", &picture);
}

/// What the program says of itself and of each command, which stands in `tests/help`, word for word; by the
/// words that lead there.
fn helps() -> Vec<(String, String)> {
    let folder = tree(&[]);
    let told = commands().into_iter();
    let all = told.chain(["", "generate"].map(String::from));
    let help = |command: String| {
        let words = command.split_whitespace().chain(["--help"]);
        let (exit, help, talk) = run(folder.path(), &words.collect::<Vec<_>>());
        assert_eq!(exit, 0, "{talk}");
        (format!("ecr-rewrite {command}").trim().to_string(), help)
    };
    all.map(help).collect()
}

#[test]
fn help_teaches() {
    for (command, help) in helps() {
        for part in ["Examples:\n", "Exit codes:", "Usage: ecr-rewrite"] {
            assert!(help.contains(part), "{command}: {help}");
        }
        assert!(help.contains(&command), "{command}: {help}");
    }
}

#[test]
fn help_says_what_is_recorded() {
    for (command, help) in helps() {
        let name = command.replace(' ', "-");
        current::whole(&format!("tests/help/{name}.txt"), &help);
        // The examples are commands that the program takes: `documents.rs` has the way to see that.
        let examples = help.split("Examples:\n").nth(1).unwrap();
        let examples = examples.lines().take_while(|line| !line.is_empty());
        let taken = examples.filter(|line| line.contains("ecr-rewrite "));
        assert!(taken.count() >= 3, "{command}");
    }
    let records = std::fs::read_dir("tests/help").unwrap().count();
    assert_eq!(
        records,
        helps().len() + 1,
        "the help of a command that is gone"
    );
}

#[test]
fn the_short_help_fits_a_screen_and_names_the_commands() {
    let folder = tree(&[]);
    let (exit, help, _) = run(folder.path(), &["-h"]);
    assert_eq!(exit, 0);
    assert!(help.lines().count() <= 45, "{help}");
    current::whole("tests/help/short.txt", &help);
    let (exit, bare, talk) = run(folder.path(), &[]);
    assert_eq!((exit, bare + &talk), (2, help.clone()));
    let first = commands()
        .into_iter()
        .filter(|command| !command.contains(' '));
    for command in first.chain(["generate".to_string()]) {
        let is_told = help.contains(&format!("\n  {command} "));
        assert_eq!(is_told, command != "generate", "{command}: {help}");
    }
}

#[test]
fn the_table_of_upstreams_is_the_programs() {
    let row = |upstream: &Upstream| {
        let hosts = [&[upstream.host], upstream.synonyms].concat().join(", ");
        let credential = match upstream.credential {
            Credential::None => "none",
            Credential::Secret => "secret",
        };
        format!(
            "| {} | {hosts} | {} | {credential} |\n",
            upstream.api_name, upstream.default_prefix
        )
    };
    let table: String = UPSTREAMS.iter().map(row).collect();
    let head = "| upstream | hosts in references | prefix of `default` | credential in AWS |\n|---|---|---|---|\n";
    current::part("README.md", "upstreams", &format!("{head}{table}"));
}

/// What the tests expect of upstreams is worked out without the program, and no upstream is missing there.
#[test]
fn every_upstream_has_its_prefix_in_the_tests() {
    let of = |row: &'static Upstream| ecr::PREFIXES.contains(&(row.host, row.default_prefix));
    let missing: Vec<_> = UPSTREAMS.iter().filter(|row| !of(row)).collect();
    assert!(
        missing.is_empty(),
        "not in tests/common/ecr.rs: {missing:?}"
    );
}

/// A row for everything that a schema describes, by the way to it.
struct Reference<'s> {
    schema: &'s Value,
    rows: Vec<[String; 3]>,
    /// Where each definition was told of.
    told: BTreeMap<&'s str, String>,
}

impl<'s> Reference<'s> {
    /// What a reference stands for, with the words that stand beside it.
    fn meant(&self, part: &'s Value) -> &'s Value {
        let reference = part["$ref"].as_str();
        reference.map_or(part, |way| {
            self.schema.pointer(way.trim_start_matches('#')).unwrap()
        })
    }

    fn add(&mut self, way: &str, part: &'s Value, is_required: bool) {
        let meant = self.meant(part);
        let told = part["$ref"].as_str().and_then(|name| self.told.get(name));
        let again =
            told.filter(|_| meant.get("properties").is_some() || meant.get("oneOf").is_some());
        let again = again.map(|first| format!("; as `{first}`"));
        let said = [part, meant]
            .iter()
            .find_map(|it| it["description"].as_str());
        if !way.is_empty() {
            let optional = if is_required {
                ""
            } else {
                ", not always there"
            };
            let text = self.kind(meant) + optional + again.as_deref().unwrap_or("");
            let said = said.unwrap_or("").replace('|', "\\|");
            self.rows.push([way.to_string(), text, said]);
        }
        self.below(way, part);
    }

    /// The rows of what a value holds; of a definition once.
    fn below(&mut self, way: &str, part: &'s Value) {
        let meant = self.meant(part);
        if let Some(name) = part["$ref"].as_str() {
            if self.told.contains_key(name) {
                return;
            }
            self.told.insert(name, way.to_string());
        }
        if let Some(items) = meant.get("items") {
            self.below(&format!("{way}[]"), items);
        }
        for choice in meant["oneOf"].as_array().into_iter().flatten() {
            self.below(way, choice);
        }
        let dot = if way.is_empty() { "" } else { "." };
        let Some(properties) = meant["properties"].as_object() else {
            if let Some(any) = meant
                .get("additionalProperties")
                .filter(|any| any.is_object())
            {
                self.below(&format!("{way}{dot}NAME"), any);
            }
            return;
        };
        // Codes share one meaning: the page has a table of them.
        let first = properties.values().next();
        if properties.len() > 5 && properties.values().all(|it| Some(it) == first) {
            self.add(&format!("{way}{dot}CODE"), first.unwrap(), true);
            return;
        }
        for (key, part) in properties {
            let required = meant["required"].as_array().into_iter().flatten();
            let is_required = required.into_iter().any(|name| name == key.as_str());
            self.add(&format!("{way}{dot}{key}"), part, is_required);
        }
    }

    /// What a value is, in words.
    fn kind(&self, meant: &'s Value) -> String {
        let list = |values: &Value| {
            let words = values.as_array().into_iter().flatten();
            let words = words.map(|word| format!("`{}`", word.as_str().unwrap_or("null")));
            words.collect::<Vec<_>>().join(", ")
        };
        if let Some(values) = meant.get("enum") {
            let words = list(values);
            return if words.len() > 120 {
                "a code".into()
            } else {
                words
            };
        }
        if let Some(value) = meant.get("const") {
            return format!("`{}`", value.to_string().trim_matches('"'));
        }
        if let Some(choices) = meant["oneOf"].as_array() {
            let kinds: Vec<String> = choices
                .iter()
                .map(|choice| self.kind(self.meant(choice)))
                .filter(|kind| !kind.is_empty())
                .collect();
            if !kinds.is_empty() {
                return kinds.join(" or ");
            }
        }
        let word = |word: &str| match word {
            "string" => "text",
            "object" => "map",
            "array" => "list",
            "integer" => "number",
            "boolean" => "true or false",
            "null" => "null",
            _ => "",
        };
        match &meant["type"] {
            Value::String(kind) => word(kind).to_string(),
            Value::Array(kinds) => {
                let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).map(word).collect();
                kinds.join(" or ")
            }
            _ => "anything".to_string(),
        }
    }
}

/// The table of everything that a schema describes.
fn table(schema: &str, head: [&str; 3], optional: &str) -> String {
    let text = std::fs::read_to_string(format!("docs/{schema}.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut rows = Reference {
        schema: &schema,
        rows: Vec::new(),
        told: BTreeMap::new(),
    };
    rows.below("", &schema);
    let rows = std::mem::take(&mut rows.rows);
    assert!(rows.len() > 20, "the schema was not read");
    let row = |[way, kind, said]: [String; 3]| {
        let kind = kind.replace(", not always there", optional);
        let end = if said.is_empty() { "" } else { " " };
        format!("| `{way}` | {kind} |{end}{said} |\n")
    };
    let rows: String = rows.into_iter().map(row).collect();
    format!("| {} |\n|---|---|---|\n{rows}", head.join(" | "))
}

#[test]
fn the_references_are_those_of_the_schemas() {
    let keys = table("config", ["key", "value", "meaning"], "");
    current::part("docs/config.md", "keys", &keys);
    let fields = table(
        "report",
        ["field", "value", "meaning"],
        "; not always there",
    );
    current::part("docs/report.md", "fields", &fields);
}
