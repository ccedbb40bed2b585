//! YAML as nodes with lines; CloudFormation's short forms (`!Ref x`) as their long ones.

use super::tree::{MAX_DEPTH, Node, Value};
use crate::source::Lines;
use crate::yaml::{Document, Kind, NodeId, PlainType, Style, documents, plain_type};

/// How many nodes a text may make: aliases multiply what they stand for.
const MAX_NODES: usize = 500_000;

/// Reads the documents of `text`. An error is a line and what is wrong there.
pub(super) fn read(text: &str) -> Result<Vec<Node>, (u64, String)> {
    let lines = Lines::new(text);
    let mut nodes = Vec::new();
    for document in documents(text) {
        let document = document.map_err(|error| {
            let line = lines.position(error.offset.min(text.len())).line;
            (line as u64, error.message)
        })?;
        let mut reader = Reader {
            text,
            lines: &lines,
            document: &document,
            left: MAX_NODES,
        };
        nodes.push(reader.node(0, 0)?);
    }
    Ok(nodes)
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    document: &'r Document<'r>,
    left: usize,
}

impl Reader<'_> {
    fn node(&mut self, id: NodeId, depth: usize) -> Result<Node, (u64, String)> {
        let id = self.document.resolve(id);
        let known = self.document.node(id);
        let line = self.lines.position(known.span.start).line as u64;
        if depth > MAX_DEPTH {
            return Err((
                line,
                format!("more than {MAX_DEPTH} maps and lists lie in each other"),
            ));
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| (line, "aliases make more of it than can be read".to_string()))?;
        let (value, tag) = match &known.kind {
            Kind::Scalar {
                value, style, tag, ..
            } => {
                let plain = if *style == Style::Plain {
                    plain_type(value)
                } else {
                    PlainType::Text
                };
                let value = match plain {
                    PlainType::Null => Value::Null,
                    // Prefixes and accounts are texts, whatever they look like.
                    PlainType::Other | PlainType::Text => Value::Text(value.clone().into_owned()),
                };
                (value, tag.as_deref().map(String::from))
            }
            Kind::Sequence => {
                let items: Vec<NodeId> = self.document.items(id).collect();
                let items = items.into_iter().map(|item| self.node(item, depth + 1));
                (
                    Value::List(items.collect::<Result<_, _>>()?),
                    self.tag_before(id),
                )
            }
            Kind::Mapping => {
                let entries: Vec<_> = self.document.entries(id).collect();
                let mut read = Vec::with_capacity(entries.len());
                for entry in entries {
                    let Some(key) = self.document.text(self.document.resolve(entry.key_node))
                    else {
                        continue;
                    };
                    let key = key.to_string();
                    read.push((key, self.node(entry.value, depth + 1)?));
                }
                (Value::Map(read), self.tag_before(id))
            }
            Kind::Alias(_) => (Value::Null, None),
        };
        let node = Node { line, value };
        Ok(match tag.as_deref().and_then(long_form) {
            Some(name) => Node {
                line,
                value: Value::Map(vec![(name, node)]),
            },
            None => node,
        })
    }

    /// The tag in front of a map or list, which the document does not keep.
    fn tag_before(&self, id: NodeId) -> Option<String> {
        let before = self.text.get(..self.document.node(id).span.start)?;
        let line = before.trim_end().lines().next_back()?;
        if line.trim_start().starts_with('#') || line.contains(" #") {
            return None;
        }
        let mut words = line.split_whitespace().rev();
        let word = words.find(|word| !word.starts_with('&'))?;
        let tag = word.starts_with('!').then(|| word.to_string())?;
        // It belongs to the outermost thing that begins behind it.
        let parent = self.document.node(id).parent;
        let same = parent != id
            && self.document.node(parent).span.start == self.document.node(id).span.start;
        (!same).then_some(tag)
    }
}

/// The name of CloudFormation's function behind a tag; none for tags that are YAML's own.
fn long_form(tag: &str) -> Option<String> {
    let name = tag.strip_prefix('!')?;
    match name {
        "Ref" | "Condition" => Some(name.to_string()),
        _ if name.starts_with(|c: char| c.is_ascii_uppercase()) => Some(format!("Fn::{name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read_as_long_ones() {
        let text = "a: !Ref X\nb: !Join ['', [a, !Sub 'b${C}']]\nc:\n  !If\n  - x\n  - y\nd: !!str 1\ne: plain\nf: !Join &x ['', [a]]\ng: &y !Join ['', [a]]\n";
        let node = &read(text).unwrap()[0];
        assert_eq!(node.at(&["a", "Ref"]).and_then(Node::text), Some("X"));
        let join: Vec<&Node> = node.at(&["b", "Fn::Join"]).unwrap().items().collect();
        assert_eq!(join[0].text(), Some(""));
        let inner: Vec<&Node> = join[1].items().collect();
        assert_eq!(
            inner[1].at(&["Fn::Sub"]).and_then(Node::text),
            Some("b${C}")
        );
        assert_eq!(node.at(&["c", "Fn::If"]).unwrap().items().count(), 2);
        assert_eq!(node.get("d").and_then(Node::text), Some("1"));
        assert_eq!(node.get("e").unwrap().line, 8);
        for key in ["f", "g"] {
            assert!(node.at(&[key, "Fn::Join"]).is_some(), "{key}");
        }
    }

    #[test]
    fn aliases_do_not_multiply_without_end() {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x]\n");
        for (one, other) in ["a", "b", "c", "d", "e", "f", "g", "h"]
            .iter()
            .zip(["b", "c", "d", "e", "f", "g", "h", "i"])
        {
            let many = format!("*{one}, ").repeat(8);
            text.push_str(&format!("{other}: &{other} [{many}]\n"));
        }
        assert!(read(&text).unwrap_err().1.contains("aliases"));
    }
}
