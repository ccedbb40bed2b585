//! A row of the table: the text that `src/helm/table.rs` reads.

use std::collections::BTreeMap;
use std::path::Path;

use ecr_rewrite::helm::join::{Join, ValuePath};
use ecr_rewrite::helm::learn::{Learned, learn};

use crate::chart::{self, Helm, Source};

/// What comes of one chart.
pub struct Row {
    /// Name and first address: what rows are sorted by.
    pub key: (String, String),
    /// Whether the table has it: a library chart or one without images says nothing.
    pub says_something: bool,
    /// The row as the table has it.
    pub text: String,
    /// The same for the comparison with other readings: one JSON object in a line.
    pub report: String,
}

/// Learns the chart of a directory.
pub fn of(dir: &Path, sources: &[Source]) -> Result<Row, String> {
    let texts = chart::read(dir)?;
    let meta = std::fs::read_to_string(dir.join("Chart.yaml")).unwrap_or_default();
    let fits = |source: &&Source| {
        (source.chart == texts.name || source.chart == "*") && meta.contains(&source.holds)
    };
    let mut known: Vec<&Source> = sources.iter().filter(fits).collect();
    known.sort_by_key(|source| source.chart == "*");
    let source = known
        .first()
        .map(|source| (*source).clone())
        .unwrap_or_default();
    let started = std::time::Instant::now();
    let learned = learn(
        &texts,
        &Helm {
            dir: dir.to_path_buf(),
        },
        &source.values,
    );
    eprintln!(
        "{}: {} joins, {} unknown, {:?}",
        dir.display(),
        learned.joins.len(),
        learned.unknown.len(),
        started.elapsed()
    );
    let joins: Vec<String> = learned.joins.iter().map(ToString::to_string).collect();
    let unknown: Vec<(String, &String)> = learned
        .unknown
        .iter()
        .map(|(path, why)| (path.to_string(), why))
        .collect();
    let defaults: BTreeMap<String, &String> = learned
        .defaults
        .iter()
        .map(|(path, text)| (path.to_string(), text))
        .collect();
    let literal: Vec<(&str, &str)> = learned
        .literal
        .iter()
        .map(|literal| (literal.image.as_str(), literal.template.as_str()))
        .collect();
    let report = serde_json::json!({
        "dir": dir.file_name().map(|name| name.to_string_lossy()), "name": texts.name, "joins": joins, "unknown": unknown,
        "defaults": defaults, "literal": literal, "refuses_others": learned.refuses_others,
    });
    Ok(Row {
        says_something: !learned.joins.is_empty()
            || !learned.unknown.is_empty()
            || !learned.literal.is_empty(),
        key: (
            texts.name.clone(),
            source.at.first().cloned().unwrap_or_default(),
        ),
        text: text(
            &format!(
                "chart {} {} {}",
                texts.name,
                texts.version,
                chart::hash(dir)
            ),
            &source,
            &learned,
        ),
        report: report.to_string(),
    })
}

fn text(head: &str, source: &Source, learned: &Learned) -> String {
    let mut lines = vec![head.to_string()];
    lines.extend(source.at.iter().map(|address| format!("at {address}")));
    if learned.refuses_others {
        lines.push("refuses-others".to_string());
    }
    let mut shapes: BTreeMap<String, Vec<ValuePath>> = BTreeMap::new();
    let mut rest = learned.defaults.clone();
    for join in &learned.joins {
        let (shape, place) = shape(join);
        shapes.entry(shape).or_default().push(place);
    }
    for (shape, places) in shapes {
        lines.push(format!("join {shape}"));
        for place in places.iter().filter(|_| shape.contains('&')) {
            let mut line = format!(
                "  {}",
                if place.0.is_empty() {
                    ".".to_string()
                } else {
                    place.to_string()
                }
            );
            for (path, value) in &learned.defaults {
                let below = path
                    .0
                    .strip_prefix(place.0.as_slice())
                    .filter(|below| below.len() <= 1);
                if let Some(below) = below
                    && reads(&shape, below)
                    && !value.contains(' ')
                {
                    let key = below.first().map_or("", String::as_str);
                    line.push_str(&format!(" {key}={value}"));
                    rest.remove(path);
                }
            }
            lines.push(line);
        }
    }
    lines.extend(
        rest.iter()
            .map(|(path, value)| format!("default {path}={value}")),
    );
    lines.extend(
        learned
            .literal
            .iter()
            .map(|literal| format!("literal {} {}", literal.image, literal.template)),
    );
    lines.extend(
        learned
            .unknown
            .iter()
            .map(|(path, why)| format!("unknown {path}: {}", why.replace('\n', " "))),
    );
    lines.join("\n") + "\n"
}

/// Whether a shape reads the value below its place.
fn reads(shape: &str, below: &[String]) -> bool {
    let wanted = match below {
        [] => "&".to_string(),
        keys => format!("&.{}", keys.join(".")),
    };
    let ends = |at: usize| {
        shape.get(at + wanted.len()..).is_none_or(|rest| {
            !rest.starts_with(|c: char| c.is_alphanumeric() || ".-_*".contains(c))
        })
    };
    shape.match_indices(&wanted).any(|(at, _)| ends(at))
}

/// A join with `&` for the map of its image, and that map.
fn shape(join: &Join) -> (String, ValuePath) {
    let last = join
        .forms
        .last()
        .and_then(|form| form.parts.last())
        .and_then(|part| part.sources.first());
    let Some(ecr_rewrite::helm::join::Source::Value(path)) = last else {
        return (join.to_string(), ValuePath::default());
    };
    let above: Vec<String> = path
        .0
        .split_last()
        .map_or(Vec::new(), |(_, above)| above.to_vec());
    let place = ValuePath(above);
    let mut join = join.clone();
    let step = |path: &mut ValuePath| {
        if let Some(below) = path.0.strip_prefix(place.0.as_slice())
            && below.len() == 1
            && (!place.0.is_empty())
        {
            path.0 = [vec!["&".to_string()], below.to_vec()].concat();
        }
    };
    for form in &mut join.forms {
        form.when.iter_mut().for_each(step);
        for source in form.parts.iter_mut().flat_map(|part| &mut part.sources) {
            if let ecr_rewrite::helm::join::Source::Value(path) = source {
                step(path);
            }
        }
    }
    (join.to_string(), place)
}
