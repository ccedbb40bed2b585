//! An entry of a list of images for kustomize: the name that it matches, the name that it gives, and
//! where a new name could be written when it gives none.
//!
//! `{name: nginx, newTag: "1.28"}` keeps the name, so that an image which comes from ECR needs a
//! `newName` beside it; Argo CD writes the same as one text, `nginx:1.28` and `nginx=R/nginx:1.28`.

use super::Bit;
use crate::edit::Edit;
use crate::source::Span;
use crate::yaml::{Document, Kind, Node, NodeId, Place, Scalar, Style};

/// The key under which kustomize finds the new name of an image.
pub const NEW_NAME: &str = "newName";

/// An entry, as far as names go.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name that it matches.
    pub name: Bit,
    /// The name that it gives.
    pub new_name: Option<Bit>,
    /// Where a new name can be written; or why nowhere.
    pub room: Result<Room, String>,
    /// What it puts behind the name: `:1.28`, `@sha256:…`, both; nothing when it keeps what is there.
    pub suffix: String,
}

/// Where a new name is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// Behind the name, in the same scalar: `nginx:1` becomes `nginx=R/nginx:1`.
    Behind,
    /// A key and value of their own, which follow a pair directly.
    Pair(Pair),
}

/// Where a key and value can be added to a map, behind one of its pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The byte of the file at which they are inserted.
    at: usize,
    /// What stands before the key there.
    before: String,
    /// What stands between the key and the value.
    between: String,
    /// What stands behind the value.
    after: String,
    /// Whether the value needs quotes of its own where it holds a brace.
    in_flow: bool,
}

impl Pair {
    /// Where a pair can follow the one with the value `value`; or why nowhere.
    pub(super) fn behind(
        text: &str,
        document: &Document<'_>,
        key: NodeId,
        value: NodeId,
    ) -> Result<Self, String> {
        room(text, document, key, value)
    }

    /// The edit that adds `key` with `value`.
    pub fn edit(&self, key: &str, value: &str) -> Edit {
        // Braces end a plain scalar inside `[…]` and `{…}`.
        let quote = if self.in_flow && value.contains('{') {
            "\""
        } else {
            ""
        };
        let Self {
            before,
            between,
            after,
            ..
        } = self;
        Edit {
            span: Span::new(self.at, self.at),
            text: format!("{before}{key}{between}{quote}{value}{quote}{after}"),
        }
    }
}

impl Entry {
    /// The piece that names the image: the new name, else the name.
    pub fn primary(&self) -> &Bit {
        self.new_name.as_ref().unwrap_or(&self.name)
    }

    /// The scalars that name it, each once, the primary one last.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        let new_name = self.new_name.as_ref().map(|bit| &bit.scalar);
        let name = Some(&self.name.scalar)
            .filter(|name| new_name.is_none_or(|other| other.ordinal != name.ordinal));
        name.into_iter().chain(new_name)
    }

    /// An entry of a list of maps. `new_name` is the key's value, when the key is there.
    pub(super) fn of_map(
        text: &str,
        document: &Document<'_>,
        (key, name): (NodeId, NodeId),
        new_name: Option<NodeId>,
    ) -> Option<Self> {
        let name_scalar = Scalar::locate(text, document, name)?;
        let room = match new_name {
            // In a text that is spelled otherwise, nobody knows where the name stands.
            None if !matches!(name_scalar.place, Place::Exact(_)) => {
                Err("its bytes are not its text; write the entry plainly".to_string())
            }
            Some(_) => Err("its `newName` is empty; remove it or write a name".to_string()),
            None => room(text, document, key, name).map(Room::Pair),
        };
        let map = document.node(key).parent;
        let behind = |key: &str, sign: char| {
            let text = document
                .text_at(map, &[key])
                .filter(|text| !text.is_empty());
            text.map(|text| format!("{sign}{text}")).unwrap_or_default()
        };
        let suffix = behind("newTag", ':') + &behind("digest", '@');
        let given = new_name.and_then(|id| Scalar::locate(text, document, id));
        let given = given.filter(|scalar| !matches!(scalar.value.as_str(), "" | "~" | "null"));
        Some(Self {
            name: Bit::whole(name_scalar),
            new_name: given.map(Bit::whole),
            room,
            suffix,
        })
    }

    /// An entry of the form `[name=]reference`.
    pub(super) fn of_text(scalar: &Scalar) -> Self {
        let equals = scalar.value.find('=');
        let start = equals.map_or(0, |at| at + 1);
        let end = start + split(&scalar.value[start..]).0.len();
        let bit = |range| Bit::of(scalar.clone(), range);
        let suffix = scalar.value[end..].to_string();
        match equals {
            Some(at) => Self {
                name: bit(0..at),
                // `name=:tag` and `name=*:tag` keep the name.
                new_name: Some(bit(start..end)).filter(|bit| !matches!(bit.text(), "" | "*")),
                room: Err("write the new name out in place of what keeps it".to_string()),
                suffix,
            },
            None => Self {
                name: bit(0..end),
                new_name: None,
                room: Ok(Room::Behind),
                suffix,
            },
        }
    }
}

/// Name, tag and digest of a reference, as kustomize splits them (`api/internal/image`, `Split`);
/// the latter two without the sign in front.
pub fn split(reference: &str) -> (&str, &str, &str) {
    let from = reference.find('/').unwrap_or(0);
    let colon = reference[from..].find(':').map(|at| from + at);
    let at = reference[from..].find('@').map(|at| from + at);
    match (colon, at) {
        (None, None) => (reference, "", ""),
        (Some(colon), Some(at)) if colon < at => (
            &reference[..colon],
            &reference[colon + 1..at],
            &reference[at + 1..],
        ),
        (_, Some(at)) => (&reference[..at], "", &reference[at + 1..]),
        (Some(colon), None) => (&reference[..colon], &reference[colon + 1..], ""),
    }
}

/// Where a pair can follow the one whose key and value these are.
fn room(text: &str, document: &Document<'_>, key: NodeId, value: NodeId) -> Result<Pair, String> {
    let (key, value) = (document.node(key), document.node(value));
    let line = text[..key.span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..key.span.start];
    let is_plain = |node: &Node<'_>| {
        let one_line = node.span.of(text).is_some_and(|text| !text.contains('\n'));
        one_line && !node.anchored && !matches!(node.kind, Kind::Alias(_))
    };
    if !is_plain(key) || !is_plain(value) {
        return Err("what it would be written behind stands on several lines or has an anchor; write that plainly".into());
    }
    if value.in_flow {
        let map = document.node(key.parent).span.of(text).unwrap_or("");
        if !map.starts_with('{') {
            return Err("it stands in a list without braces of its own; put them around it".into());
        }
        return Ok(in_flow(text, key, value, before));
    }
    if !before.chars().all(|c| matches!(c, ' ' | '-')) {
        return Err("nothing can be written below what stands there; write the map plainly".into());
    }
    let end = value.span.end
        + text[value.span.end..]
            .find('\n')
            .unwrap_or(text.len() - value.span.end);
    let is_block = |node: &Node<'_>| {
        let style = match node.kind {
            Kind::Scalar { style, .. } => Some(style),
            _ => None,
        };
        matches!(style, Some(Style::Literal | Style::Folded))
    };
    if end == text.len() && is_block(value) {
        // A line end behind it would become a part of it.
        return Err("it ends the file without a line end; add one".into());
    }
    let at = if text[..end].ends_with('\r') {
        end - 1
    } else {
        end
    };
    let is_crlf =
        text[at..].starts_with("\r\n") || at == text.len() && text[..line].ends_with("\r\n");
    Ok(Pair {
        at,
        before: format!(
            "{}{}",
            if is_crlf { "\r\n" } else { "\n" },
            " ".repeat(before.len())
        ),
        between: ": ".to_string(),
        after: String::new(),
        in_flow: false,
    })
}

/// The same in a flow collection: on a line of its own where the name has one.
fn in_flow(text: &str, key: &Node<'_>, value: &Node<'_>, before: &str) -> Pair {
    let is_quoted = |node: &Node<'_>| {
        matches!(
            node.kind,
            Kind::Scalar {
                style: Style::DoubleQuoted,
                ..
            }
        )
    };
    let quote = |quoted| if quoted { "\"" } else { "" };
    let starts_line = !before.is_empty() && before.chars().all(|c| matches!(c, ' ' | '\t'));
    let between = if starts_line {
        let above = text[..key.span.start - before.len()].ends_with("\r\n");
        format!(",{}{before}", if above { "\r\n" } else { "\n" })
    } else if text[value.span.end..].starts_with(',') && !text[value.span.end..].starts_with(", ") {
        ",".to_string()
    } else {
        ", ".to_string()
    };
    let (key_quote, value_quote) = (quote(is_quoted(key)), quote(is_quoted(key)));
    let colon = if text[key.span.end..].starts_with(":\"") && is_quoted(value) {
        ":"
    } else {
        ": "
    };
    Pair {
        at: value.span.end,
        before: format!("{between}{key_quote}"),
        between: format!("{key_quote}{colon}{value_quote}"),
        after: value_quote.to_string(),
        in_flow: value_quote.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    /// The text with `newName: NEW` beside the first `name`.
    fn inserted(text: &str) -> Option<String> {
        let document = documents(text).next()?.ok()?;
        let map = (0..document.nodes.len()).find(|&id| document.get(id, "name").is_some())?;
        let name = document
            .entries(map)
            .find(|entry| entry.key == Some("name"))?;
        let entry = Entry::of_map(text, &document, (name.key_node, name.value), None)?;
        match entry.room.ok()? {
            Room::Behind => None,
            Room::Pair(pair) => {
                let Edit { span, text: added } = pair.edit(NEW_NAME, "NEW");
                Some(format!(
                    "{}{added}{}",
                    &text[..span.start],
                    &text[span.end..]
                ))
            }
        }
    }

    #[test]
    fn new_names_follow_names() {
        for (text, wanted) in [
            (
                "images:\n- name: a # c\n  newTag: b\n",
                "images:\n- name: a # c\n  newName: NEW\n  newTag: b\n",
            ),
            (
                "- newTag: b\n  name: a",
                "- newTag: b\n  name: a\n  newName: NEW",
            ),
            ("-   name: a\r\n", "-   name: a\r\n    newName: NEW\r\n"),
            ("x: 1\r\n---\r\nname: a", "x: 1\r\n---\r\nname: a"),
            (
                "- {name: a, newTag: b}",
                "- {name: a, newName: NEW, newTag: b}",
            ),
            ("- { name: a }", "- { name: a, newName: NEW }"),
            (
                "[{\"name\":\"a\",\"newTag\":\"b\"}]",
                "[{\"name\":\"a\",\"newName\":\"NEW\",\"newTag\":\"b\"}]",
            ),
            (
                "[{\"name\": \"a\", \"newTag\": \"b\"}]",
                "[{\"name\": \"a\", \"newName\": \"NEW\", \"newTag\": \"b\"}]",
            ),
            (
                "[\n  {\n    \"name\": \"a\",\n    \"newTag\": \"b\"\n  }\n]",
                "[\n  {\n    \"name\": \"a\",\n    \"newName\": \"NEW\",\n    \"newTag\": \"b\"\n  }\n]",
            ),
            ("- name: 'a'\n", "- name: 'a'\n  newName: NEW\n"),
            ("- name:\n    a\n", "- name:\n    a\n  newName: NEW\n"),
        ] {
            let result = inserted(text);
            // A document without the key at its start has no room to find.
            if text == wanted {
                assert_eq!(result, None, "{text:?}");
            } else {
                assert_eq!(result.as_deref(), Some(wanted), "{text:?}");
            }
        }
        for text in [
            "- ? name\n  : a\n",
            "- name: |\n    a\n    b\n",
            "- name: &x a\n",
        ] {
            assert_eq!(inserted(text), None, "{text:?}");
        }
    }

    #[test]
    fn texts_are_split_as_argo_reads_them() {
        let document = |text: &str| format!("- {text}\n");
        for (text, name, new_name) in [
            ("nginx:1", "nginx", None),
            ("nginx", "nginx", None),
            ("quay.io:443/a/b@sha256:ab", "quay.io:443/a/b", None),
            ("nginx=quay.io/a/b:1", "nginx", Some("quay.io/a/b")),
            ("nginx=:1", "nginx", None),
            ("nginx=*:1", "nginx", None),
        ] {
            let text = document(text);
            let document = documents(&text).next().unwrap().unwrap();
            let entry = Entry::of_text(&Scalar::locate(&text, &document, 1).unwrap());
            assert_eq!(entry.name.text(), name);
            assert_eq!(entry.new_name.as_ref().map(Bit::text), new_name);
        }
    }

    #[test]
    fn references_are_split_as_in_kustomize() {
        for (reference, parts) in [
            ("a", ("a", "", "")),
            ("a:1", ("a", "1", "")),
            ("h:5000/a:1@sha256:x", ("h:5000/a", "1", "sha256:x")),
            ("h:5000/a@sha256:x", ("h:5000/a", "", "sha256:x")),
            ("h:5000/a", ("h:5000/a", "", "")),
        ] {
            assert_eq!(split(reference), parts);
        }
    }
}
