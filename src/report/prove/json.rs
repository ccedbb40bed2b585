//! A proof for programs: everything it shows, with the schema `docs/prove.schema.json`. Like that of
//! [`json`](crate::report::json), the format follows no other type of the program.

use std::io::{self, Write};

use serde::Serialize;

use super::{Counts, Summary};
use crate::prove::{Origin, Outcome, Outside, Proof, Render};
use crate::report::shared::{JsonPath, PROGRAM, path_of};

/// The version of the format: it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// Writes the report.
pub fn render(proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(proof);
    let report = Report {
        version: VERSION,
        program: PROGRAM,
        renders: proof.renders.iter().map(JsonRender::of).collect(),
        unseen: proof.unseen.iter().map(|path| path_of(path)).collect(),
        summary: JsonSummary {
            total: summary.total.into(),
            changed_images: summary.changed.len(),
            images_in_ecr: summary.in_ecr.len(),
            images_outside: summary.images_outside().len(),
        },
    };
    serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'p> {
    version: u32,
    program: &'static str,
    renders: Vec<JsonRender<'p>>,
    unseen: Vec<JsonPath>,
    summary: JsonSummary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSummary {
    #[serde(flatten)]
    total: JsonCounts,
    changed_images: usize,
    images_in_ecr: usize,
    images_outside: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonCounts {
    renders: usize,
    equal: usize,
    different: usize,
    not_rendered: usize,
}

impl From<Counts> for JsonCounts {
    fn from(counts: Counts) -> Self {
        Self {
            renders: counts.all,
            equal: counts.equal,
            different: counts.different,
            not_rendered: counts.not_rendered,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRender<'p> {
    kind: &'static str,
    #[serde(flatten)]
    path: JsonPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'p str>,
    values: Vec<JsonPath>,
    outcome: &'static str,
    #[serde(flatten)]
    rendered: Option<JsonRendered<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<JsonReason<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRendered<'p> {
    objects: usize,
    changed: Vec<JsonChange<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    healed: Vec<JsonChange<'p>>,
    differences: Vec<JsonDifference<'p>>,
    derived: usize,
    unstable: usize,
    in_ecr: Vec<&'p str>,
    outside: Vec<JsonOutside<'p>>,
}

#[derive(Serialize)]
struct JsonReason<'p> {
    reason: &'static str,
    detail: &'p str,
}

#[derive(Serialize)]
struct JsonChange<'p> {
    before: &'p str,
    after: &'p str,
}

#[derive(Serialize)]
struct JsonDifference<'p> {
    object: &'p str,
    at: &'p str,
    before: Option<&'p str>,
    after: Option<&'p str>,
    why: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonOutside<'p> {
    image: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_be: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    origin: JsonOrigin<'p>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonOrigin<'p> {
    kind: &'static str,
    #[serde(flatten)]
    file: Option<JsonPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'p str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved_by: Vec<JsonMove<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'p str>,
}

#[derive(Serialize)]
struct JsonMove<'p> {
    value: &'p str,
    to: &'p str,
}

impl<'p> JsonRender<'p> {
    fn of(render: &'p Render) -> Self {
        let (outcome, reasons) = match &render.outcome {
            Outcome::Rendered(_) if render.is_different() => ("different", &[][..]),
            Outcome::Rendered(_) => ("equal", &[][..]),
            Outcome::Not(why) => ("not-rendered", why.as_slice()),
        };
        let reasons = reasons.iter().map(|one| JsonReason {
            reason: one.why.code(),
            detail: &one.detail,
        });
        Self {
            kind: render.kind.word(),
            path: path_of(&render.path),
            line: render.line,
            name: render.name.as_deref(),
            values: render.values.iter().map(|path| path_of(path)).collect(),
            outcome,
            rendered: render.rendered().map(|one| JsonRendered {
                objects: one.objects,
                changed: one
                    .changed
                    .iter()
                    .map(|(before, after)| JsonChange { before, after })
                    .collect(),
                healed: one
                    .healed
                    .iter()
                    .map(|(before, after)| JsonChange { before, after })
                    .collect(),
                differences: one
                    .differences
                    .iter()
                    .map(|one| JsonDifference {
                        object: &one.object,
                        at: &one.at,
                        before: one.before.as_deref(),
                        after: one.after.as_deref(),
                        why: one.why,
                    })
                    .collect(),
                derived: one.derived,
                unstable: one.unstable,
                in_ecr: one.in_ecr.iter().map(String::as_str).collect(),
                outside: one.outside.iter().map(JsonOutside::of).collect(),
            }),
            reasons: reasons.collect(),
        }
    }
}

impl<'p> JsonOutside<'p> {
    fn of(one: &'p Outside) -> Self {
        Self {
            image: &one.image,
            would_be: one.verdict.as_deref().ok(),
            reason: one.verdict.as_ref().err().map(|reason| reason.code()),
            origin: JsonOrigin::of(&one.origin),
        }
    }
}

impl<'p> JsonOrigin<'p> {
    fn of(origin: &'p Origin) -> Self {
        let mut json = Self {
            kind: origin.code(),
            file: None,
            line: None,
            reason: None,
            value: None,
            moved_by: Vec::new(),
            template: None,
        };
        match origin {
            Origin::File { path, line, reason } => {
                json.file = Some(path_of(path));
                json.line = Some(*line);
                json.reason = *reason;
            }
            Origin::ChartDefault {
                value,
                moved_by,
                place,
            } => {
                json.value = Some(value);
                let moves = moved_by.iter();
                json.moved_by = moves.map(|(value, to)| JsonMove { value, to }).collect();
                if let Some((path, line, reason)) = place {
                    json.file = Some(path_of(path));
                    json.line = Some(*line);
                    json.reason = *reason;
                }
            }
            Origin::Template { path, line } => {
                json.template = Some(path);
                json.line = Some(*line);
            }
            Origin::Made { template } => {
                json.template = Some(template)
                    .filter(|name| !name.is_empty())
                    .map(String::as_str);
            }
        }
        json
    }
}
