//! JSON, one value or several in a row, as nodes with lines.

use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::tree::{MAX_DEPTH, Node, Value};
use crate::source::Lines;

/// Reads all values of `text`: `aws --no-paginate` and its like print one after the other. An error is
/// a line and what is wrong there.
pub(super) fn read(text: &str) -> Result<Vec<Node>, (u64, String)> {
    let lines = Lines::new(text);
    let at = |offset: usize| lines.position(offset).line as u64;
    let mut nodes = Vec::new();
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = raw.map_err(|error| (error.line().max(1) as u64, bare(&error)))?;
        nodes.push(node(text, raw, &at, 0)?);
    }
    Ok(nodes)
}

/// What the parser says, without the place, which is said in front.
fn bare(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let end = said.rfind(" at line ").unwrap_or(said.len());
    said[..end].to_string()
}

fn node(
    text: &str,
    raw: &RawValue,
    at: &impl Fn(usize) -> u64,
    depth: usize,
) -> Result<Node, (u64, String)> {
    let written = raw.get();
    // A raw value is a part of the text that it was read from.
    let line = at((written.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    let wrong = |error: serde_json::Error| (line, bare(&error));
    if depth > MAX_DEPTH {
        return Err((
            line,
            format!("more than {MAX_DEPTH} maps and lists lie in each other"),
        ));
    }
    let value = match written.as_bytes().first() {
        Some(b'{') => {
            let entries = raw.deserialize_map(Entries).map_err(wrong)?;
            let entries = entries
                .into_iter()
                .map(|(key, raw)| Ok((key, node(text, raw, at, depth + 1)?)));
            Value::Map(entries.collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items = raw.deserialize_seq(Items).map_err(wrong)?;
            let items = items.into_iter().map(|raw| node(text, raw, at, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(written).map_err(wrong)?),
        Some(b'n') => Value::Null,
        _ => Value::Other(written.to_string()),
    };
    Ok(Node { line, value })
}

/// The entries of a map, in order.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The items of a list.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_lines() {
        let nodes =
            read("{\"a\": [\n 1, \"x\\u00e9\\ud83d\\ude00\",\nnull]}\n{\"b\":\n{}}").unwrap();
        let items: Vec<&Node> = nodes[0].get("a").unwrap().items().collect();
        assert_eq!((items[1].line, items[1].text()), (2, Some("xé😀")));
        assert_eq!(items[2].line, 3);
        assert!(matches!(&items[0].value, Value::Other(number) if number == "1"));
        assert_eq!(nodes[1].get("b").unwrap().line, 5);
    }

    #[test]
    fn what_is_no_json_is_said_with_its_line() {
        for (text, line) in [
            ("{\"a\": 1,\n\"b\" 2}", 2),
            ("[1,", 1),
            ("{\"a\": \"\\x\"}", 1),
        ] {
            let (at, message) = read(text).unwrap_err();
            assert_eq!(at, line, "{text}: {message}");
            assert!(!message.contains("at line"), "{message}");
        }
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(read(&deep).unwrap_err().1.contains("in each other"));
    }
}
