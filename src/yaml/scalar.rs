//! A scalar of a file and the bytes that spell it.
//!
//! The guard of the whole editor lives here: a scalar can be edited only when the bytes at its span
//! are, letter for letter, its value. Escapes, folding and lines joined by the parser all fail that
//! test, so a wrong span cannot be written.

use super::inside::Wrapping;
use super::parse::{Document, Kind, NodeId, Style};
use crate::source::Span;

/// Where a scalar's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The bytes at the span are the value: they can be edited.
    Exact(Span),
    /// The value is spelled in another way (escapes, several lines); the span is good for pointing.
    Spelled(Span),
}

impl Place {
    /// The span, for pointing at it.
    pub fn span(self) -> Span {
        match self {
            Self::Exact(span) | Self::Spelled(span) => span,
        }
    }
}

/// A scalar, lifted out of its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text as YAML means it.
    pub value: String,
    /// How it is written.
    pub style: Style,
    /// Where it is written.
    pub place: Place,
    /// Whether it stands inside `[…]` or `{…}`.
    pub in_flow: bool,
    /// The quotes that it may be put in where it stands.
    pub free_quotes: Option<char>,
    /// How many scalars of its document come before it.
    pub ordinal: usize,
    /// What the parser is given for the value, when that holds template actions: the same bytes outside
    /// of them.
    pub parsed: Option<String>,
}

impl Scalar {
    /// What the parser makes of it.
    pub fn as_parsed(&self) -> &str {
        self.parsed.as_deref().unwrap_or(&self.value)
    }
}

impl Scalar {
    /// The scalar at `id`; `None` when there is no scalar.
    pub fn locate(text: &str, document: &Document<'_>, id: NodeId) -> Option<Self> {
        let node = document.node(id);
        let Kind::Scalar {
            value,
            style,
            ordinal,
            ..
        } = &node.kind
        else {
            return None;
        };
        let place = match exact(text, document, node.span, *style, value) {
            Some(span) => Place::Exact(span),
            None => Place::Spelled(node.span),
        };
        Some(Self {
            value: value.clone().into_owned(),
            style: *style,
            place,
            in_flow: node.in_flow,
            free_quotes: document.wrapping.free_quotes(),
            ordinal: *ordinal,
            parsed: document.parsed(id).map(Into::into),
        })
    }
}

/// Where the bytes of a scalar are that is at `span`; `None` when they are not its value.
pub(super) fn exact(
    text: &str,
    document: &Document<'_>,
    span: Span,
    style: Style,
    value: &str,
) -> Option<Span> {
    let candidate = candidate(style, span, value);
    let is_placed = document.wrapping != Wrapping::Spelled;
    // What is put behind a tag or an anchor, of which nothing else follows, would become a part of it.
    let before = text.get(..candidate.start).unwrap_or("");
    let is_free = style != Style::Plain || !value.is_empty() || before.ends_with([' ', '\t', '\n']);
    (is_placed && is_free && candidate.of(text) == Some(value)).then_some(candidate)
}

/// Where the value would stand if nothing about it were escaped or folded.
fn candidate(style: Style, span: Span, value: &str) -> Span {
    match style {
        Style::Plain => span,
        Style::SingleQuoted | Style::DoubleQuoted => Span::new(
            span.start + 1,
            span.end.saturating_sub(1).max(span.start + 1),
        ),
        // The reported end of a block scalar runs on to the next token; its value says how long
        // a one-line content is.
        Style::Literal | Style::Folded => Span::new(span.start, span.start + value.len()),
    }
}

/// What an unquoted scalar means to YAML, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainType {
    /// Nothing, `~` or `null`.
    Null,
    /// `true`, `false` or a number.
    Other,
    /// Text.
    Text,
}

/// The type that the core schema gives to an unquoted `value`.
pub fn plain_type(value: &str) -> PlainType {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => PlainType::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => PlainType::Other,
        _ if is_number(value) => PlainType::Other,
        _ => PlainType::Text,
    }
}

fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    let starts_like_one = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let based = |prefix: &str, radix| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|digits| u128::from_str_radix(digits, radix).is_ok())
    };
    starts_like_one && (unsigned.parse::<f64>().is_ok() || based("0x", 16) || based("0o", 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    /// The place of the value under `image` of the first mapping.
    fn place(text: &str) -> (String, Option<String>) {
        let document = documents(text).next().unwrap().unwrap();
        let entry = document
            .entries(0)
            .find(|entry| entry.key == Some("image"))
            .expect("the text has an image key");
        let scalar = Scalar::locate(text, &document, entry.value).unwrap();
        let exact = match scalar.place {
            Place::Exact(span) => Some(span.of(text).unwrap().to_string()),
            Place::Spelled(_) => None,
        };
        (scalar.value, exact)
    }

    #[test]
    fn the_bytes_of_a_value_are_found_in_every_style() {
        for text in [
            "image: nginx:1\n",
            "image:\tnginx:1\n",
            "image: 'nginx:1' # nginx:1\n",
            "image: \"nginx:1\"\r\n",
            "\u{feff}ü: ü\r\nimage: nginx:1\r\n",
            "image: |-\n  nginx:1\n",
            "image: >-\r\n    nginx:1",
            "image: |2-\n  nginx:1\n",
            "{image: nginx:1,b: c}",
            "{\"image\":\"nginx:1\"}",
            "? image\n: nginx:1\n",
            "'image' : nginx:1",
            "image: &a !!str nginx:1\n",
            "image: !!str\n  nginx:1\n",
            "--- {image: nginx:1}\n",
        ] {
            assert_eq!(
                place(text),
                ("nginx:1".into(), Some("nginx:1".into())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_spelled_otherwise_cannot_be_edited() {
        for text in [
            "image: \"nginx\\u003a1\"\n",
            "image: 'it''s'\n",
            "image: \"a\n  b\"\n",
            "image: a\n  b\n",
            "image: |\n  a\n  b\n",
            "image: >-\n  a\n  b\n",
        ] {
            assert_eq!(place(text).1, None, "{text:?}");
        }
    }

    #[test]
    fn plain_types() {
        for null in ["", "~", "null"] {
            assert_eq!(plain_type(null), PlainType::Null);
        }
        for other in ["true", "012", "1e3", "1.10", "-4", "0x1F", ".5"] {
            assert_eq!(plain_type(other), PlainType::Other, "{other}");
        }
        for text in [
            "nginx",
            "1password/connect",
            "1.2.3",
            "nan",
            "infinity",
            "0xzz",
        ] {
            assert_eq!(plain_type(text), PlainType::Text, "{text}");
        }
    }
}
