//! The `github` format: findings as annotations of a workflow run
//! (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).
//!
//! GitHub shows 10 errors, 10 warnings and 10 notices of a step, and 50 annotations of a job
//! (<https://github.com/actions/toolkit/pull/734>), in the order in which they come; so the ones that
//! weigh most come first, all of them stand in the log, and all of them in the [`summary`] of the step.

use std::io::{self, Write};
use std::path::Path;

use super::places::Places;
use super::{Color, Report, clean, markdown};
use crate::findings::{Finding, Level};
use crate::source::Failure;

/// The most bytes that GitHub takes as the summary of a step: above that, it shows none of it.
const SUMMARY: usize = 1 << 20;

/// Writes the annotations.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    for failure in report.failures {
        writeln!(out, "{}", of_failure(report, failure))?;
    }
    let places = Places::of(report);
    for level in [Level::Error, Level::Warn, Level::Info] {
        let findings = report.findings.list.iter();
        for finding in findings.filter(|finding| finding.level == level) {
            writeln!(out, "{}", of_finding(report, &places, finding))?;
        }
    }
    Ok(())
}

/// The same report as Markdown, for the summary of a step that holds `taken` bytes already.
pub fn summary(report: &Report<'_>, taken: usize) -> String {
    markdown::text(report, SUMMARY.saturating_sub(taken))
}

fn of_finding(report: &Report<'_>, places: &Places<'_>, finding: &Finding) -> String {
    let end = places.end(finding);
    let mut properties = vec![
        file(report, &finding.path),
        format!("line={}", finding.at.line),
        format!("endLine={}", end.line),
    ];
    // Columns are for places within one line.
    if end.line == finding.at.line {
        properties.push(format!("col={}", finding.at.column));
        properties.push(format!("endColumn={}", end.column));
    }
    properties.push(format!("title={}", finding.code));
    let word = match finding.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info | Level::Off => "notice",
    };
    command(word, &properties, &finding.told())
}

fn of_failure(report: &Report<'_>, failure: &Failure) -> String {
    let mut properties = vec![file(report, &failure.path)];
    if let Some(at) = failure.at {
        properties.push(format!("line={}", at.line));
        properties.push(format!("col={}", at.column));
    }
    command("error", &properties, &failure.message)
}

fn file(report: &Report<'_>, path: &Path) -> String {
    let path = report.home.below_root(path);
    // Of odd characters only some can be said: of a name that holds others, nobody finds the file.
    format!("file={}", property(&clean(&path.to_string_lossy())))
}

fn command(word: &str, properties: &[String], message: &str) -> String {
    let message = data(&clean(message));
    format!("::{word} {}::{message}", properties.join(","))
}

/// What stands behind the `::` of a command. The runner undoes this
/// (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands in a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_property_or_a_line_is_escaped() {
        assert_eq!(property("a:b,c%\r\n"), "a%3Ab%2Cc%25%0D%0A");
        assert_eq!(
            command(
                "error",
                &[format!("file={}", property("::x,y.yaml"))],
                "a\n::warning::b"
            ),
            "::error file=%3A%3Ax%2Cy.yaml::a\\u{a}::warning::b"
        );
    }
}
