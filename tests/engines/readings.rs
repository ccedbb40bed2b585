//! What each engine makes of a text, in one language: granit through the program's own documents,
//! yaml-rust2 through its events, serde_yaml (libyaml) through its values.

use ecr_rewrite::yaml::{Document, Kind, documents};
use serde::Deserialize;
use serde_yaml::Value;
use yaml_rust2::Event;
use yaml_rust2::parser::Parser;

/// One step of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Document,
    /// Value, style and tag.
    Scalar(String, String, Option<String>),
    List,
    Map,
    End,
    /// The place of its anchor among those of the document.
    Alias(usize),
}

/// The stream as granit reads it; what it says when it refuses a document.
pub(crate) fn granit(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for document in documents(text) {
        let document = document.map_err(|error| error.to_string())?;
        steps.push(Step::Document);
        add(&document, &mut steps);
    }
    Ok(steps)
}

fn add(document: &Document<'_>, steps: &mut Vec<Step>) {
    let anchors: Vec<usize> = (0..document.nodes.len())
        .filter(|&id| document.node(id).anchored)
        .collect();
    let mut open = Vec::new();
    for (id, node) in document.nodes.iter().enumerate() {
        while open.last().is_some_and(|end| *end <= id) {
            open.pop();
            steps.push(Step::End);
        }
        let step = match &node.kind {
            Kind::Scalar {
                value, style, tag, ..
            } => {
                let tag = tag.as_ref().map(ToString::to_string);
                // For nothing at all granit says `~`, and the others the empty text.
                let value = if node.span.is_empty() { "" } else { value };
                Step::Scalar(value.to_string(), format!("{style:?}"), tag)
            }
            Kind::Sequence => Step::List,
            Kind::Mapping => Step::Map,
            Kind::Alias(target) => {
                Step::Alias(anchors.iter().position(|anchor| anchor == target).unwrap())
            }
        };
        if matches!(step, Step::List | Step::Map) {
            open.push(node.end);
        }
        steps.push(step);
    }
    steps.extend(open.iter().map(|_| Step::End));
}

/// The stream as yaml-rust2 reads it, without a byte order mark, as the second opinion gets it.
pub(crate) fn rust2(text: &str) -> Result<Vec<Step>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new_from_str(text);
    let mut steps = Vec::new();
    // The number that the engine gives to the first anchor of a document, which goes on through the stream.
    let (mut anchors, mut first) = (0, 0);
    loop {
        let (event, _) = parser.next_token().map_err(|error| error.to_string())?;
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _) => *anchor,
            _ => 0,
        };
        anchors = anchors.max(anchor);
        match event {
            Event::StreamEnd => return Ok(steps),
            Event::DocumentStart => {
                first = anchors + 1;
                steps.push(Step::Document);
            }
            Event::Scalar(value, style, _, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                steps.push(Step::Scalar(value, format!("{style:?}"), tag));
            }
            Event::SequenceStart(..) => steps.push(Step::List),
            Event::MappingStart(..) => steps.push(Step::Map),
            Event::SequenceEnd | Event::MappingEnd => steps.push(Step::End),
            Event::Alias(id) => steps.push(Step::Alias(id - first.min(id))),
            _ => {}
        }
    }
}

/// The documents as serde_yaml reads them, without a byte order mark: libyaml counts it as a column, and the
/// first line is deeper than the others then.
pub(crate) fn serde(text: &str) -> Result<Vec<Value>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = serde_yaml::Deserializer::from_str(text);
    let values =
        documents.map(|document| Value::deserialize(document).map_err(|error| error.to_string()));
    let mut values: Vec<Value> = values.collect::<Result<_, _>>()?;
    // Where nothing but comments stands, serde_yaml sees one document all the same.
    let is_empty = text
        .lines()
        .all(|line| line.is_empty() || line.starts_with('#'));
    if is_empty && values == [Value::Null] {
        values.clear();
    }
    Ok(values)
}

/// The values that granit's documents stand for, with aliases followed; `None` where an alias leads to what
/// it stands in.
pub(crate) fn valued(text: &str) -> Option<Vec<Value>> {
    documents(text)
        .map(|document| value(&document.ok()?, 0, 0))
        .collect()
}

fn value(document: &Document<'_>, id: usize, depth: usize) -> Option<Value> {
    if depth > 64 {
        return None;
    }
    let below = |id| value(document, id, depth + 1);
    Some(match &document.node(id).kind {
        Kind::Scalar {
            value, style, tag, ..
        } => {
            let plain = format!("{style:?}") == "Plain";
            scalar(value, plain, tag.as_deref())
        }
        Kind::Alias(target) => below(*target)?,
        Kind::Sequence => Value::Sequence(document.items(id).map(below).collect::<Option<_>>()?),
        Kind::Mapping => {
            let entries = document.entries(id);
            let entries = entries.map(|entry| Some((below(entry.key_node)?, below(entry.value)?)));
            Value::Mapping(entries.collect::<Option<_>>()?)
        }
    })
}

/// A scalar without a tag of its own, as libyaml's users resolve it.
fn scalar(value: &str, plain: bool, tag: Option<&str>) -> Value {
    let is_typed =
        tag.is_some_and(|tag| tag.starts_with("tag:yaml.org,2002:") && !tag.ends_with("str"));
    let is_text =
        !plain && !is_typed || tag.is_some_and(|tag| tag == "tag:yaml.org,2002:str" || tag == "!");
    if is_text
        || value.starts_with("---")
        || !value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-._~".contains(c))
    {
        return Value::String(value.to_string());
    }
    serde_yaml::from_str(value).unwrap_or_else(|_| Value::String(value.to_string()))
}

/// Values without their tags.
pub(crate) fn untagged(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => untagged(tagged.value),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(untagged).collect()),
        Value::Mapping(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (untagged(key), untagged(value)));
            Value::Mapping(entries.collect())
        }
        other => other,
    }
}
