//! The `rdjson` format of reviewdog: its suggestions become one-click changes of a pull request.
//!
//! Columns are counted in bytes of UTF-8, from 1, and ends are exclusive
//! (<https://github.com/reviewdog/reviewdog/blob/v0.21.2/proto/rdf/reviewdog.proto>). reviewdog posts
//! messages as Markdown, and shows the first suggestion of a diagnostic alone, for whole lines; so there
//! is one for each [part](super::fixes) of a move, and what belongs to it is named.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::fixes::{Fixes, PartId};
use super::places::{BytePosition, Places};
use super::{Color, Report, markdown, write_json};
use crate::findings::{Code, Finding, Level};

/// Writes the report.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::of(report);
    let fixes = Fixes::of(report, &places);
    let writer = Diagnosing {
        report,
        places: &places,
        fixes: &fixes,
    };
    write_json(&writer.result(), out)
}

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<CodeLink>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
}

#[derive(Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct CodeLink {
    value: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

struct Diagnosing<'r> {
    report: &'r Report<'r>,
    places: &'r Places<'r>,
    fixes: &'r Fixes<'r>,
}

impl Diagnosing<'_> {
    fn result(&self) -> DiagnosticResult {
        let findings = self.report.findings.list.iter().enumerate();
        let mut diagnostics: Vec<Diagnostic> = findings
            .map(|(index, finding)| self.of_finding(index, finding))
            .collect();
        let silent = self.fixes.parts();
        let silent = silent.filter(|part| self.fixes.carrier(*part).is_none());
        diagnostics.extend(silent.map(|part| self.of_part(part)));
        diagnostics.extend(self.failures());
        DiagnosticResult {
            source: Source {
                name: "ecr-rewrite",
                url: env!("CARGO_PKG_REPOSITORY"),
            },
            diagnostics,
        }
    }

    fn of_finding(&self, index: usize, finding: &Finding) -> Diagnostic {
        let part = self.fixes.of_finding(self.report, index);
        let carried = part.filter(|part| self.fixes.carrier(*part) == Some(index));
        let belongs = match (part, carried) {
            (_, Some(part)) => self.belongs(part),
            (Some(part), None) => format!("; the suggestion at {} holds it", self.place(part)),
            (None, None) => String::new(),
        };
        let range = match self.places.bytes_of(finding) {
            Some((start, end)) => range(start, end),
            None => Range {
                start: Position {
                    line: finding.at.line,
                    column: None,
                },
                end: None,
            },
        };
        Diagnostic {
            message: markdown::prose(&format!("{}{belongs}", finding.told())),
            location: self.location(&finding.path, Some(range)),
            severity: severity(finding.level),
            code: Some(code_link(finding.code)),
            suggestions: carried
                .map(|part| self.suggestion(part))
                .into_iter()
                .collect(),
        }
    }

    /// A change that no finding reports, since its level is off: a rewrite makes it all the same.
    fn of_part(&self, id: PartId) -> Diagnostic {
        let part = self.fixes.part(id);
        let file = &self.report.plan.files[part.file];
        let span = file.sites[part.first.site].span();
        let (start, end) = self.places.bytes(part.file, span);
        let told = format!(
            "`{}` becomes `{}`{}",
            part.first.from,
            part.first.to,
            self.belongs(id)
        );
        Diagnostic {
            message: markdown::prose(&told),
            location: self.location(&file.source.path, Some(range(start, end))),
            severity: severity(Level::Info),
            code: None,
            suggestions: vec![self.suggestion(id)],
        }
    }

    fn failures(&self) -> impl Iterator<Item = Diagnostic> {
        self.report.failures.iter().map(|failure| {
            let line = failure.at.map(|at| Range {
                start: Position {
                    line: at.line,
                    column: None,
                },
                end: None,
            });
            Diagnostic {
                message: markdown::prose(&failure.message),
                location: self.location(&failure.path, line),
                severity: severity(Level::Error),
                code: None,
                suggestions: Vec::new(),
            }
        })
    }

    /// What else has to be applied together with a part.
    fn belongs(&self, (number, own): PartId) -> String {
        let parts = 0..self.fixes.moves[number].len();
        let others = parts.filter(|part| *part != own);
        let places: Vec<String> = others.map(|part| self.place((number, part))).collect();
        if places.is_empty() {
            return String::new();
        }
        format!(
            "; it is one change together with {}: apply these suggestions at once",
            some_of(&places)
        )
    }

    fn place(&self, part: PartId) -> String {
        let part = self.fixes.part(part);
        let path = &self.report.plan.files[part.file].source.path;
        let path = self.report.home.below_root(path);
        let (start, _) = self.places.bytes(part.file, part.span);
        format!("`{}:{}`", path.display(), start.line)
    }

    fn suggestion(&self, part: PartId) -> Suggestion {
        let part = self.fixes.part(part);
        let (start, end) = self.places.bytes(part.file, part.span);
        Suggestion {
            range: range(start, end),
            text: part.text.clone(),
        }
    }

    fn location(&self, path: &Path, range: Option<Range>) -> Location {
        let path = self.report.home.below_root(path);
        Location {
            path: path.to_string_lossy().into_owned(),
            range,
        }
    }
}

/// The most places that are named.
const NAMED: usize = 10;

/// The first places of a list, and how many more there are.
pub(super) fn some_of(places: &[String]) -> String {
    let named = places.len().min(NAMED);
    let list = places[..named].join(", ");
    match places.len() - named {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

fn range(start: BytePosition, end: BytePosition) -> Range {
    let position = |at: BytePosition| Position {
        line: at.line,
        column: Some(at.byte),
    };
    Range {
        start: position(start),
        end: Some(position(end)),
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info | Level::Off => "INFO",
    }
}

fn code_link(code: Code) -> CodeLink {
    CodeLink {
        value: code.code(),
        url: code.page_url(),
    }
}
