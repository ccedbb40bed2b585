//! JSON, one value or several in a row, as nodes with lines. `serde_json` says whether it is JSON at all, and
//! then it is read in one pass: asking it for each value again would take time for each level of it.

use memchr::{memchr_iter, memchr2};
use serde_json::value::RawValue;

use super::tree::{MAX_DEPTH, Node, Value};

/// Reads all values of `text`: `aws --no-paginate` and its like print one after the other. An error is
/// a line and what is wrong there.
pub(super) fn read(text: &str) -> Result<Vec<Node>, (u64, String)> {
    let mut nodes = Vec::new();
    let mut reader = Reader {
        text,
        at: 0,
        counted: 0,
        line: 1,
    };
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = raw.map_err(|error| (error.line().max(1) as u64, bare(&error)))?;
        // A raw value is a part of the text that it was read from.
        reader.at = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        nodes.push(reader.node(0)?);
    }
    Ok(nodes)
}

/// What the parser says, without the place, which is said in front.
fn bare(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let end = said.rfind(" at line ").unwrap_or(said.len());
    said[..end].to_string()
}

/// A way through a text that is JSON.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Up to where line ends were counted, and the line there.
    counted: usize,
    line: u64,
}

impl Reader<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, (u64, String)> {
        let line = self.line();
        if depth > MAX_DEPTH {
            return Err((
                line,
                format!("more than {MAX_DEPTH} maps and lists lie in each other"),
            ));
        }
        let value = match self.byte() {
            Some(b'{') => {
                self.at += 1;
                let mut entries = Vec::new();
                while self.next_item() {
                    let key = self.string()?;
                    self.skip(b": \t\r\n");
                    entries.push((key, self.node(depth + 1)?));
                }
                Value::Map(entries)
            }
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                while self.next_item() {
                    items.push(self.node(depth + 1)?);
                }
                Value::List(items)
            }
            Some(b'"') => Value::Text(self.string()?),
            _ => match self.word() {
                "null" => Value::Null,
                word => Value::Other(word.to_string()),
            },
        };
        Ok(Node { line, value })
    }

    /// The line of the place that was reached, 1-based.
    fn line(&mut self) -> u64 {
        let between = &self.text.as_bytes()[self.counted..self.at];
        self.line += memchr_iter(b'\n', between).count() as u64;
        self.counted = self.at;
        self.line
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, any: &[u8]) {
        while self.byte().is_some_and(|byte| any.contains(&byte)) {
            self.at += 1;
        }
    }

    /// Goes to the next item of a map or list, or past its end; whether there is one.
    fn next_item(&mut self) -> bool {
        self.skip(b", \t\r\n");
        let is_over = matches!(self.byte(), None | Some(b'}' | b']'));
        self.at += usize::from(is_over);
        !is_over
    }

    /// The text that begins here.
    fn string(&mut self) -> Result<String, (u64, String)> {
        let start = self.at;
        let mut end = start + 1;
        let bytes = self.text.as_bytes();
        while let Some(found) = memchr2(b'"', b'\\', bytes.get(end..).unwrap_or_default()) {
            end += found + 1;
            if bytes[end - 1] == b'"' {
                break;
            }
            // What is escaped ends nothing.
            end += 1;
        }
        self.at = end.min(bytes.len());
        let written = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(written).map_err(|error| (self.line(), bare(&error)))
    }

    /// The number or word that begins here.
    fn word(&mut self) -> &str {
        let start = self.at;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        while self.byte().is_some_and(is_part) {
            self.at += 1;
        }
        &self.text[start..self.at]
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
        let tight = &read("{\"a\":[{},[],-1.5e+3,true,\"\\\\\",\"\\\"}\"],\"b\":null}").unwrap()[0];
        let items: Vec<String> = tight.get("a").unwrap().items().map(Node::shown).collect();
        assert_eq!(items, ["a map", "a list", "-1.5e+3", "true", "\\", "\"}"]);
        assert!(tight.get("b").is_none());
    }

    #[test]
    fn what_is_no_json_is_said_with_its_line() {
        for (text, line) in [
            ("{\"a\": 1,\n\"b\" 2}", 2),
            ("[1,", 1),
            ("{\"a\": \"\\x\"}", 1),
            ("[\n\"\\ud800\"]", 2),
        ] {
            let (at, message) = read(text).unwrap_err();
            assert_eq!(at, line, "{text}: {message}");
            assert!(!message.contains("at line"), "{message}");
        }
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(read(&deep).unwrap_err().1.contains("in each other"));
    }
}
