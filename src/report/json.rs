//! The `json` format: everything a run knows, an object for each site. Versioned, with the schema
//! `docs/report.schema.json`; the types here are the format and follow no other type of the program,
//! so that those may change.
//!
//! Bytes are counted from 0 with the end exclusive, lines and columns from 1, columns in characters.
//! Nothing in a report depends on the clock, so the same input gives the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::shared::{JsonOrigin, JsonPath, PROGRAM, origin_of, path_of};
use super::{Color, Mode, write_json};
use crate::findings::{Finding, Findings, Level};
use crate::plan::{FilePlan, Plan, Safety, canonical};
use crate::reason::Reason;
use crate::rules::{Origin, Rule};
use crate::sites::{NEW_NAME, Shape, Site};
use crate::source::{Failure, Lines, Span};

/// The version of the format: it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// Writes the report.
pub(super) fn render(
    report: &super::Report<'_>,
    _color: Color,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_json(&Report::of(report), out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'p> {
    version: u32,
    program: &'static str,
    mode: Mode,
    sites: Vec<JsonSite<'p>>,
    findings: Vec<JsonFinding<'p>>,
    failures: Vec<JsonFailure<'p>>,
    summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSite<'p> {
    #[serde(flatten)]
    path: JsonPath,
    document: usize,
    key_path: &'p str,
    finder: &'static str,
    #[serde(flatten)]
    place: JsonPlace,
    shape: &'static str,
    parts: Vec<JsonPart<'p>>,
    original: &'p str,
    canonical: Option<String>,
    verdict: &'static str,
    becomes: Option<&'p str>,
    rule: Option<JsonRule>,
    safety: Option<&'static str>,
    assumption: Option<&'static str>,
    groups: Vec<&'p str>,
    reason: Option<&'static str>,
    detail: Option<&'p str>,
    findings: Vec<JsonMessage<'p>>,
}

#[derive(Serialize)]
struct JsonPlace {
    span: JsonSpan,
    start: JsonPosition,
    end: JsonPosition,
}

#[derive(Serialize)]
struct JsonSpan {
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct JsonPosition {
    line: usize,
    column: usize,
}

/// A scalar that holds the image or a part of it.
#[derive(Serialize)]
struct JsonPart<'p> {
    key: Option<&'p str>,
    text: &'p str,
    #[serde(flatten)]
    place: JsonPlace,
}

#[derive(Serialize)]
struct JsonRule {
    upstream: Option<String>,
    prefix: Option<String>,
    origin: JsonOrigin,
}

#[derive(Serialize)]
struct JsonMessage<'p> {
    code: &'static str,
    level: &'static str,
    message: &'p str,
    fix: Option<&'p str>,
    help: &'p str,
}

/// A finding that is about no site.
#[derive(Serialize)]
struct JsonFinding<'p> {
    #[serde(flatten)]
    path: JsonPath,
    span: JsonSpan,
    start: JsonPosition,
    #[serde(flatten)]
    message: JsonMessage<'p>,
}

#[derive(Serialize)]
struct JsonFailure<'p> {
    #[serde(flatten)]
    path: JsonPath,
    at: Option<JsonPosition>,
    message: &'p str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    files: usize,
    documents: usize,
    images: usize,
    changed: usize,
    already_in_ecr: usize,
    skipped: BTreeMap<&'static str, usize>,
    assumed: usize,
    unparsed: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    failures: usize,
}

impl<'p> Report<'p> {
    fn of(report: &super::Report<'p>) -> Self {
        let super::Report {
            plan,
            findings,
            failures,
            mode,
            ..
        } = *report;
        let mut of_site: BTreeMap<(usize, usize), Vec<&Finding>> = BTreeMap::new();
        let mut others = Vec::new();
        for finding in &findings.list {
            match finding.site {
                Some(site) => of_site.entry(site).or_default().push(finding),
                None => others.push(finding_of(finding)),
            }
        }
        let mut sites = Vec::new();
        for (index, file) in plan.files.iter().enumerate() {
            let lines = Lines::new(&file.source.text);
            for (site, outcome) in outcomes(file).into_iter().enumerate() {
                let findings = of_site.remove(&(index, site)).unwrap_or_default();
                sites.push(site_of(plan, file, &lines, (site, &outcome), findings));
            }
        }
        Self {
            version: VERSION,
            program: PROGRAM,
            mode,
            sites,
            findings: others,
            failures: failures.iter().map(failure_of).collect(),
            summary: summary(plan, findings, failures),
        }
    }
}

/// What becomes of a site, as the report names it.
#[derive(Default)]
struct Outcome<'p> {
    verdict: &'static str,
    becomes: Option<&'p str>,
    rule: Option<&'p Origin>,
    safety: Option<Safety>,
    reason: Option<Reason>,
    detail: Option<&'p str>,
}

/// The outcomes of the sites of a file, in order.
fn outcomes(file: &FilePlan) -> Vec<Outcome<'_>> {
    let mut outcomes: Vec<Outcome<'_>> = file.sites.iter().map(|_| Outcome::default()).collect();
    for change in &file.changes {
        outcomes[change.site] = Outcome {
            verdict: "change",
            becomes: Some(change.becomes()),
            rule: Some(&change.rule),
            safety: Some(change.safety),
            detail: change.charted.as_ref().map(|chart| chart.detail.as_str()),
            ..Outcome::default()
        };
    }
    for skip in &file.skips {
        outcomes[skip.site] = Outcome {
            verdict: "skip",
            reason: Some(skip.reason),
            detail: Some(&skip.detail),
            ..Outcome::default()
        };
    }
    for undecided in &file.undecided {
        outcomes[undecided.site] = Outcome {
            verdict: "undecided",
            becomes: Some(&undecided.to),
            rule: Some(&undecided.rule),
            safety: Some(Safety::Assumed(undecided.assumption)),
            detail: Some(&undecided.detail),
            ..Outcome::default()
        };
    }
    outcomes
}

fn site_of<'p>(
    plan: &'p Plan,
    file: &'p FilePlan,
    lines: &Lines<'_>,
    (index, outcome): (usize, &Outcome<'p>),
    findings: Vec<&'p Finding>,
) -> JsonSite<'p> {
    let site = &file.sites[index];
    let groups = file.groups.get(&index).into_iter().flatten();
    let (safety, assumption) = match outcome.safety {
        Some(Safety::Certain) => (Some("certain"), None),
        Some(Safety::Assumed(assumption)) => (Some("assumed"), Some(assumption.code())),
        None => (None, None),
    };
    JsonSite {
        path: path_of(&file.source.path),
        document: site.document.stream(),
        key_path: site.path.as_str(),
        finder: site.finder,
        place: place_of(lines, site.span()),
        shape: match site.shape {
            Shape::Whole(_) => "whole",
            Shape::Within(_) => "within",
            Shape::Parts(_) => "parts",
            Shape::Entry(_) => "entry",
        },
        parts: parts_of(lines, site),
        original: site.text(),
        canonical: canonical(&file.rules, site).map(|name| name.to_string()),
        verdict: outcome.verdict,
        becomes: outcome.becomes,
        rule: outcome.rule.map(|origin| {
            let rule = file
                .rules
                .rule_behind(outcome.becomes.unwrap_or_default(), origin);
            JsonRule {
                upstream: rule.map(Rule::upstream),
                prefix: rule.map(|rule| rule.prefix_text().to_string()),
                origin: origin_of(origin),
            }
        }),
        safety,
        assumption,
        groups: groups
            .map(|&group| plan.groups[group].label.as_str())
            .collect(),
        reason: outcome.reason.map(Reason::code),
        detail: outcome.detail,
        findings: findings.into_iter().map(message_of).collect(),
    }
}

fn parts_of<'p>(lines: &Lines<'_>, site: &'p Site) -> Vec<JsonPart<'p>> {
    match &site.shape {
        Shape::Whole(scalar) => vec![JsonPart {
            key: None,
            text: &scalar.value,
            place: place_of(lines, scalar.place.span()),
        }],
        Shape::Within(bit) => vec![JsonPart {
            key: None,
            text: bit.text(),
            place: place_of(lines, bit.span()),
        }],
        Shape::Parts(parts) => {
            let scalars = parts
                .parts
                .iter()
                .filter_map(|part| Some((part, part.value.scalar()?)));
            let json = scalars.map(|(part, scalar)| JsonPart {
                key: Some(&part.key),
                text: &scalar.value,
                place: place_of(lines, scalar.place.span()),
            });
            json.collect()
        }
        Shape::Entry(entry) => {
            let new_name = entry.new_name.as_ref().map(|bit| (NEW_NAME, bit));
            let bits = std::iter::once(("name", &entry.name)).chain(new_name);
            let json = bits.map(|(key, bit)| JsonPart {
                key: Some(key),
                text: bit.text(),
                place: place_of(lines, bit.span()),
            });
            json.collect()
        }
    }
}

fn place_of(lines: &Lines<'_>, span: Span) -> JsonPlace {
    JsonPlace {
        span: span_of(span),
        start: position_of(lines.position(span.start)),
        end: position_of(lines.position(span.end)),
    }
}

fn span_of(span: Span) -> JsonSpan {
    JsonSpan {
        start: span.start,
        end: span.end,
    }
}

fn position_of(position: crate::source::Position) -> JsonPosition {
    JsonPosition {
        line: position.line,
        column: position.column,
    }
}

fn message_of(finding: &Finding) -> JsonMessage<'_> {
    JsonMessage {
        code: finding.code.code(),
        level: finding.level.word(),
        message: &finding.message,
        fix: finding.fix.as_deref(),
        help: &finding.help,
    }
}

fn finding_of(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        path: path_of(&finding.path),
        span: span_of(finding.span),
        start: position_of(finding.at),
        message: message_of(finding),
    }
}

fn failure_of(failure: &Failure) -> JsonFailure<'_> {
    JsonFailure {
        path: path_of(&failure.path),
        at: failure.at.map(position_of),
        message: &failure.message,
    }
}

fn summary(plan: &Plan, findings: &Findings, failures: &[Failure]) -> Summary {
    let mut skipped: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (_, skip) in plan.skips() {
        *skipped.entry(skip.reason.code()).or_default() += 1;
    }
    let already_in_ecr = skipped.remove(Reason::AlreadyEcr.code()).unwrap_or(0);
    Summary {
        files: plan.counts.files,
        documents: plan.counts.documents,
        images: plan.files.iter().map(|file| file.sites.len()).sum(),
        changed: plan.changes().count(),
        already_in_ecr,
        skipped,
        assumed: plan.undecided().count(),
        unparsed: plan.counts.unparsed,
        errors: findings.count(Level::Error),
        warnings: findings.count(Level::Warn),
        infos: findings.count(Level::Info),
        failures: failures.len(),
    }
}
