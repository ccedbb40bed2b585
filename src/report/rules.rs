//! What `rules show` prints: the rules that count, with where each is stated.

use std::io::{self, Write};

use serde::Serialize;

use super::shared::{JsonOrigin, PROGRAM, origin_of};
use super::table::table;
use super::{clean, harmless, write_json};
use crate::rules::{Library, Origin, Rule};

/// The version of the JSON: it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// What decides the files of some paths.
#[derive(Debug)]
pub struct Shown<'r> {
    /// The globs of the override; none for files without one.
    pub paths: Option<&'r [String]>,
    /// The target, and where it is stated.
    pub registry: Option<(&'r str, &'r Origin)>,
    /// The rules.
    pub rules: &'r [Rule],
}

/// Writes them for people.
pub fn text(shown: &[Shown<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    for one in shown {
        if let Some(paths) = one.paths {
            lines.push(String::new());
            lines.push(format!("for {}", paths.join(", ")));
        }
        lines.push(match one.registry {
            Some((registry, origin)) => format!("target {registry} ({origin})"),
            None => "no target is stated".into(),
        });
        let head = ["upstream", "prefix", "stated at"]
            .map(String::from)
            .to_vec();
        let rows = one.rules.iter().map(|rule| {
            let library = match rule.library() {
                Library::Present => "",
                Library::Absent => " (without library/)",
            };
            vec![
                rule.upstream(),
                format!("{}{library}", rule.prefix_text()),
                rule.origin().to_string(),
            ]
        });
        lines.extend(table(
            &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        ));
    }
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{}", harmless(&clean(line))))
}

#[derive(Serialize)]
struct JsonShown<'r> {
    version: u32,
    program: &'static str,
    targets: Vec<JsonTarget<'r>>,
}

#[derive(Serialize)]
struct JsonTarget<'r> {
    paths: Option<&'r [String]>,
    registry: Option<&'r str>,
    origin: Option<JsonOrigin>,
    rules: Vec<JsonRule>,
}

#[derive(Serialize)]
struct JsonRule {
    upstream: String,
    prefix: String,
    library: bool,
    origin: JsonOrigin,
}

/// Writes them for programs.
pub fn json(shown: &[Shown<'_>], out: &mut dyn Write) -> io::Result<()> {
    let rule = |rule: &Rule| JsonRule {
        upstream: rule.upstream(),
        prefix: rule.prefix_text().to_string(),
        library: rule.library() == Library::Present,
        origin: origin_of(rule.origin()),
    };
    let target = |one: &Shown<'_>| JsonTarget {
        paths: None,
        registry: None,
        origin: one.registry.map(|(_, origin)| origin_of(origin)),
        rules: one.rules.iter().map(rule).collect(),
    };
    let targets = shown.iter().map(|one| JsonTarget {
        paths: one.paths,
        registry: one.registry.map(|(registry, _)| registry),
        ..target(one)
    });
    let json = JsonShown {
        version: VERSION,
        program: PROGRAM,
        targets: targets.collect(),
    };
    write_json(&json, out)
}
