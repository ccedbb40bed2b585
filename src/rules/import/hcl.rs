//! Terraform's language as nodes with lines, in the shape of its JSON syntax: blocks are maps below their
//! labels. What is written out is read; an expression stays as it is written.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, Template};

use super::tree::{Node, Value};
use crate::source::Lines;

/// Reads `text`. An error is a line and what is wrong there. The parser bounds how deep things may lie in
/// each other.
pub(super) fn read(text: &str) -> Result<Vec<Node>, (u64, String)> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let message = error
            .message()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        (error.location().line() as u64, message)
    })?;
    let reader = Reader {
        text,
        lines: Lines::new(text),
    };
    Ok(vec![reader.body(&body, 1)])
}

struct Reader<'r> {
    text: &'r str,
    lines: Lines<'r>,
}

impl Reader<'_> {
    fn line(&self, place: &impl Span) -> u64 {
        let start = place.span().map_or(0, |span| span.start);
        self.lines.position(start.min(self.text.len())).line as u64
    }

    fn body(&self, body: &Body, line: u64) -> Node {
        let entries = body.iter().map(|structure| match structure {
            Structure::Attribute(attribute) => {
                let key = attribute.key.as_str().to_string();
                (key, self.expression(&attribute.value))
            }
            Structure::Block(block) => {
                let line = self.line(block);
                let inner = self.body(&block.body, line);
                let labels = block.labels.iter().rev();
                let node = labels.fold(inner, |node, label| Node {
                    line,
                    value: Value::Map(vec![(label.as_str().to_string(), node)]),
                });
                (block.ident.as_str().to_string(), node)
            }
        });
        Node {
            line,
            value: Value::Map(entries.collect()),
        }
    }

    fn expression(&self, expression: &Expression) -> Node {
        let line = self.line(expression);
        let value = match expression {
            Expression::String(text) => Value::Text(text.as_str().to_string()),
            Expression::StringTemplate(template) => self.literal(template.iter(), expression),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template, expression),
            Expression::Parenthesis(inner) => return self.expression(inner.inner()),
            Expression::Null(_) => Value::Null,
            Expression::Array(items) => {
                Value::List(items.iter().map(|item| self.expression(item)).collect())
            }
            Expression::Object(object) => {
                let entries = object.iter().map(|(key, value)| {
                    let key = match key {
                        ObjectKey::Ident(name) => name.as_str().to_string(),
                        ObjectKey::Expression(key) => match self.expression(key).value {
                            Value::Text(text) | Value::Other(text) => text,
                            _ => String::new(),
                        },
                    };
                    (key, self.expression(value.expr()))
                });
                Value::Map(entries.collect())
            }
            _ => self.written(expression),
        };
        Node { line, value }
    }

    fn template(&self, template: &Template, expression: &Expression) -> Value {
        self.literal(template.iter(), expression)
    }

    /// A template without anything to fill in is a text.
    fn literal<'e>(
        &self,
        elements: impl Iterator<Item = &'e Element>,
        expression: &Expression,
    ) -> Value {
        let elements: Vec<&Element> = elements.collect();
        if let [Element::Interpolation(only)] = elements.as_slice() {
            // `"${x}"` is what `x` is.
            return self.written(&only.expr);
        }
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(part) => text.push_str(part.as_str()),
                _ => return self.written(expression),
            }
        }
        Value::Text(text.trim_end_matches('\n').to_string())
    }

    fn written(&self, expression: &Expression) -> Value {
        let span = expression.span().unwrap_or(0..0);
        Value::Other(self.text.get(span).unwrap_or("").trim().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_maps_below_their_labels() {
        let text = "# x\nresource \"t\" \"n\" {\n  a = \"b\" // c\n  d = \"${var.x}-y\"\n  e = local.f\n  g = null\n  h = { i = \"j\", \"k\" = [\"l\"] }\n  m = <<EOT\nn\nEOT\n  o = \"$${p}\"\n}\n";
        let node = &read(text).unwrap()[0];
        let body = node.at(&["resource", "t", "n"]).unwrap();
        assert_eq!(body.line, 2);
        assert_eq!(body.get("a").and_then(Node::text), Some("b"));
        assert_eq!(body.get("a").unwrap().line, 3);
        assert_eq!(body.get("d").unwrap().shown(), "\"${var.x}-y\"");
        assert_eq!(body.get("e").unwrap().shown(), "local.f");
        let only = &read("a = \"${local.f}\"\n").unwrap()[0];
        assert_eq!(only.get("a").unwrap().shown(), "local.f");
        assert!(body.get("g").is_none());
        assert_eq!(body.at(&["h", "i"]).and_then(Node::text), Some("j"));
        assert_eq!(body.get("m").and_then(Node::text), Some("n"));
        assert_eq!(body.get("o").and_then(Node::text), Some("${p}"));
    }

    #[test]
    fn what_is_no_hcl_is_said_with_its_line() {
        let (line, message) = read("a = 1\nb = {\n").unwrap_err();
        assert!(line >= 2 && !message.is_empty(), "{line}: {message}");
        let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&deep).is_err());
    }
}
