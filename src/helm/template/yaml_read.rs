//! Reads YAML the way Helm does: YAML 1.1 scalars, aliases and merge keys resolved.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use super::scalar::{self, Plain};

const DEPTH: usize = 200;
/// Nodes a document may come to once its aliases are copied.
const NODES: usize = 2_000_000;

/// The first document of a YAML text; nothing at all is null.
pub fn read(text: &str) -> Result<Value, String> {
    read_nth(text, 0)
}

/// The document of this number (0-based) of a YAML text; null when there is none.
pub fn read_nth(text: &str, number: usize) -> Result<Value, String> {
    let mut left = number;
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
    };
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(Value::Null),
            Event::DocumentStart => {
                let event = reader.next()?;
                let value = reader.node(event, DEPTH)?;
                match left.checked_sub(1) {
                    None => return Ok(value),
                    Some(fewer) => left = fewer,
                }
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    parser: Parser<std::str::Chars<'a>>,
    anchors: HashMap<usize, Value>,
    nodes: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Event, String> {
        self.count(1)?;
        self.parser
            .next_token()
            .map(|(event, _)| event)
            .map_err(|error| error.to_string())
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES {
            Err("the document is too large".to_owned())
        } else {
            Ok(())
        }
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Value, String> {
        let depth = depth.checked_sub(1).ok_or("the document nests too deep")?;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(text, style, tag.as_ref());
                self.keep(anchor, &value);
                Ok(value)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().unwrap_or(Value::Null);
                self.count(size(&value))?;
                Ok(value)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, depth)?),
                    }
                }
                let value = Value::Array(items);
                self.keep(anchor, &value);
                Ok(value)
            }
            Event::MappingStart(anchor, _) => {
                let value = self.mapping(depth)?;
                self.keep(anchor, &value);
                Ok(value)
            }
            _ => Ok(Value::Null),
        }
    }

    fn keep(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => break,
                event => event,
            };
            let merges =
                matches!(&event, Event::Scalar(text, TScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, depth)?;
            let event = self.next()?;
            let value = self.node(event, depth)?;
            if merges {
                merged.push(value);
            } else {
                map.insert(key_text(&key), value);
            }
        }
        for source in merged {
            merge(&mut map, source);
        }
        Ok(Value::Object(map))
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// Takes over what a merge key names and the mapping does not have.
fn merge(map: &mut Map<String, Value>, source: Value) {
    match source {
        Value::Object(entries) => {
            for (key, value) in entries {
                map.entry(key).or_insert(value);
            }
        }
        Value::Array(sources) => sources.into_iter().for_each(|source| merge(map, source)),
        _ => {}
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn scalar_value(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Value {
    let tag = tag.map(|tag| tag.suffix.as_str());
    if tag == Some("str") || (style != TScalarStyle::Plain && tag.is_none()) {
        return Value::String(text);
    }
    match scalar::resolve(&text) {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Bool(value),
        Plain::Int(value) => i64::try_from(value)
            .map(Number::from)
            .or_else(|_| u64::try_from(value).map(Number::from))
            .map_or(Value::String(text), Value::Number),
        Plain::Float(value) => Number::from_f64(value).map_or(Value::String(text), Value::Number),
        Plain::Moment | Plain::Text => Value::String(text),
    }
}
