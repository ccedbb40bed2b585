//! The `gitlab` format: a Code Quality report, which merge requests show
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).
//!
//! GitLab takes an array of objects with `description`, `check_name`, `fingerprint`, `severity`
//! (`info`, `minor`, `major`, `critical` or `blocker`) and `location` with `path`, relative to the
//! repository and without `./`, and `lines.begin`. It knows no columns and no fixes, and shows of several
//! entries with one fingerprint a single one.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::identity::Identities;
use super::places::Places;
use super::{Color, Report, clean, write_json};
use crate::findings::Level;

/// What stands for a file that could not be read or checked: it is none of the findings.
const FAILURE: &str = "ecr-rewrite";

/// Writes the report.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::of(report);
    let mut identities = Identities::default();
    let mut entries = Vec::new();
    for finding in &report.findings.list {
        entries.push(Entry {
            description: clean(&finding.told()).into_owned(),
            check_name: finding.code.code(),
            fingerprint: identities.of_finding(report, finding).to_string(),
            severity: severity(finding.level),
            location: location(
                report,
                &finding.path,
                (finding.at.line, places.end(finding).line),
            ),
        });
    }
    for failure in report.failures {
        let path = report.home.below_root(&failure.path);
        let line = failure.at.map_or(1, |at| at.line);
        entries.push(Entry {
            description: clean(&failure.message).into_owned(),
            check_name: FAILURE,
            fingerprint: identities
                .of(FAILURE, &path, &[&failure.message])
                .to_string(),
            severity: "critical",
            location: location(report, &failure.path, (line, line)),
        });
    }
    write_json(&entries, out)
}

#[derive(Serialize)]
struct Entry {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

fn location(report: &Report<'_>, path: &Path, (begin, end): (usize, usize)) -> Location {
    let path = report.home.below_root(path);
    Location {
        path: path.to_string_lossy().into_owned(),
        lines: Lines { begin, end },
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "major",
        Level::Warn => "minor",
        Level::Info | Level::Off => "info",
    }
}
