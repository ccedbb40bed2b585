//! The `sarif` format, version 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), for editors and code scanning.
//!
//! Columns are characters, from 1, ends are exclusive, and a byte order mark is none. A fix may reach
//! into several files there, so each [move](super::fixes) is one, at the first result that it puts right;
//! the other results name that one as a related location. GitHub shows the results and no fixes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::fixes::{Fixes, Part};
use super::identity::Identities;
use super::places::Places;
use super::{Color, Report, clean, percent, write_json};
use crate::findings::{Code, Finding, Level};
use crate::source::{Failure, Position, Span};

/// Stands for the folder of the repository.
const ROOT: &str = "%SRCROOT%";
/// What GitHub and editors find the schema by.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the report.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::of(report);
    let fixes = Fixes::of(report, &places);
    let mut log = Logging {
        report,
        places: &places,
        fixes: &fixes,
        identities: Identities::default(),
        carriers: BTreeMap::new(),
    };
    write_json(&log.log(), out)
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "ecrRewrite/v1")]
    own: String,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    description: Message,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Message,
}

struct Logging<'r> {
    report: &'r Report<'r>,
    places: &'r Places<'r>,
    fixes: &'r Fixes<'r>,
    identities: Identities,
    /// The finding that carries a move: the first that any of its parts puts right.
    carriers: BTreeMap<usize, usize>,
}

impl Logging<'_> {
    fn log(&mut self) -> Log {
        for part in self.fixes.parts() {
            if let Some(finding) = self.fixes.carrier(part) {
                let carrier = self.carriers.entry(part.0).or_insert(finding);
                *carrier = finding.min(*carrier);
            }
        }
        let findings = self.report.findings.list.iter().enumerate();
        let mut results: Vec<SarifResult> = findings
            .map(|(index, finding)| self.of_finding(index, finding))
            .collect();
        let silent = 0..self.fixes.moves.len();
        let silent = silent.filter(|number| !self.carriers.contains_key(number));
        let silent: Vec<usize> = silent.collect();
        results.extend(silent.into_iter().filter_map(|number| self.of_move(number)));
        let failures = self.report.failures;
        Log {
            schema: SCHEMA,
            version: "2.1.0",
            runs: [Run {
                tool: Tool { driver: driver() },
                invocations: [Invocation {
                    execution_successful: failures.is_empty(),
                    tool_execution_notifications: failures
                        .iter()
                        .map(|failure| self.notification(failure))
                        .collect(),
                }],
                column_kind: "unicodeCodePoints",
                results,
            }],
        }
    }

    fn of_finding(&mut self, index: usize, finding: &Finding) -> SarifResult {
        let part = self.fixes.of_finding(self.report, index);
        let carrier = part.and_then(|(number, _)| self.carriers.get(&number).copied());
        let (fixes, related) = match (part, carrier) {
            (Some((number, _)), Some(carrier)) if carrier == index => {
                (vec![self.fix(number)], Vec::new())
            }
            (_, Some(carrier)) => (Vec::new(), vec![self.carried(carrier)]),
            _ => (Vec::new(), Vec::new()),
        };
        let identity = self.identities.of_finding(self.report, finding);
        SarifResult {
            rule_id: Some(finding.code.code()),
            rule_index: Code::ALL.iter().position(|code| *code == finding.code),
            level: level(finding.level),
            message: message(&finding.told()),
            locations: [self.location(finding)],
            related_locations: related,
            partial_fingerprints: Fingerprints {
                own: identity.to_string(),
            },
            fixes,
        }
    }

    /// A move of which no finding tells, since their level is off: a rewrite makes it all the same.
    fn of_move(&mut self, number: usize) -> Option<SarifResult> {
        let part = self.fixes.moves[number].first()?;
        let file = &self.report.plan.files[part.file];
        let site = &file.sites[part.first.site];
        let path = self.report.home.below_root(&file.source.path);
        let told = format!("`{}` becomes `{}`", part.first.from, part.first.to);
        let identity = self.identities.of("", &path, &[site.path.as_str(), &told]);
        let region = self.region_of(part.file, site.span());
        Some(SarifResult {
            rule_id: None,
            rule_index: None,
            level: level(Level::Info),
            message: message(&told),
            locations: [Location {
                physical_location: self.physical(&file.source.path, Some(region)),
                message: None,
            }],
            related_locations: Vec::new(),
            partial_fingerprints: Fingerprints {
                own: identity.to_string(),
            },
            fixes: vec![self.fix(number)],
        })
    }

    fn fix(&self, number: usize) -> Fix {
        let parts = &self.fixes.moves[number];
        let changes = parts.iter().map(|part| ArtifactChange {
            artifact_location: self.artifact(&self.report.plan.files[part.file].source.path),
            replacements: self.replacements(part),
        });
        let first = parts.first().map_or("", |part| part.first.to.as_str());
        Fix {
            description: message(&format!(
                "rewrite it, with all that belongs to it: `{first}`"
            )),
            artifact_changes: changes.collect(),
        }
    }

    fn replacements(&self, part: &Part<'_>) -> Vec<Replacement> {
        let edits = part.edits.iter();
        let replacements = edits.map(|edit| Replacement {
            deleted_region: self.region_of(part.file, edit.span),
            inserted_content: Message {
                text: edit.text.clone(),
            },
        });
        replacements.collect()
    }

    /// Where the fix stands that puts right what another finding is about.
    fn carried(&self, carrier: usize) -> Location {
        Location {
            message: Some(message("the fix stands at this result")),
            ..self.location(&self.report.findings.list[carrier])
        }
    }

    fn notification(&self, failure: &Failure) -> Notification {
        let region = failure.at.map(|at| region(at, at));
        Notification {
            level: "error",
            message: message(&failure.message),
            locations: vec![Location {
                physical_location: self.physical(&failure.path, region),
                message: None,
            }],
        }
    }

    fn location(&self, finding: &Finding) -> Location {
        let region = region(finding.at, self.places.end(finding));
        Location {
            physical_location: self.physical(&finding.path, Some(region)),
            message: None,
        }
    }

    fn physical(&self, path: &Path, region: Option<Region>) -> PhysicalLocation {
        PhysicalLocation {
            artifact_location: self.artifact(path),
            region,
        }
    }

    fn artifact(&self, path: &Path) -> Artifact {
        let path = self.report.home.below_root(path);
        let uri = percent(&path);
        if path.is_absolute() {
            return Artifact {
                uri: format!("file://{uri}"),
                uri_base_id: None,
            };
        }
        Artifact {
            uri,
            uri_base_id: Some(ROOT),
        }
    }

    fn region_of(&self, file: usize, span: Span) -> Region {
        let position = |offset| self.places.position(file, offset);
        region(position(span.start), position(span.end))
    }
}

fn region(start: Position, end: Position) -> Region {
    Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

fn driver() -> Driver {
    let rules = Code::ALL.iter().map(|code| Rule {
        id: code.code(),
        short_description: message(&code.meaning()),
        help: Help {
            text: code.page_text(),
            markdown: code.page_text(),
        },
        help_uri: code.page_url(),
        default_configuration: Configuration {
            level: level(code.default_level()),
        },
    });
    Driver {
        name: "ecr-rewrite",
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: rules.collect(),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info | Level::Off => "note",
    }
}

/// A plain text message. Braces stand for arguments there unless they are doubled (3.11.5), and
/// `[text](place)` for a link unless its brackets are escaped (3.11.6).
fn message(text: &str) -> Message {
    let text = clean(text).replace('{', "{{").replace('}', "}}");
    let text = text.replace("](", "\\](");
    Message { text }
}
