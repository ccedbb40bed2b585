//! Where values can allow Bitnami's charts to use images of other registries.

use crate::edit::Edit;
use crate::helm::ALLOWS_INSECURE;
use crate::source::Span;
use crate::yaml::{Document, DocumentPath, Kind, NodeId, Place, Scalar};

/// Where `global.security.allowInsecureImages: true` can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The document.
    pub document: DocumentPath,
    /// The scalar in front of which it is written, by how many scalars of the document come before it: the
    /// first key of the map that takes it.
    pub before: usize,
    /// That scalar's text.
    pub name: String,
    /// The keys that are written, each below the one before it, and the last one with `true`.
    pub keys: Vec<&'static str>,
    /// The byte of the file at which it is written.
    at: usize,
    /// What ends its line, and indents the next one.
    end: String,
}

impl Allowance {
    /// Where it can be written into the values that `root` is. Nothing when it stands there already, or
    /// when a map on the way is not written line by line.
    pub(super) fn of(text: &str, document: &Document<'_>, root: NodeId) -> Option<Self> {
        let (mut map, mut keys) = (root, ALLOWS_INSECURE.to_vec());
        while let Some(inner) = keys.first().and_then(|key| document.get(map, key)) {
            map = inner;
            keys.remove(0);
        }
        // What other places share is not changed.
        let node = document.node(map);
        if keys.is_empty() || node.anchored || !matches!(node.kind, Kind::Mapping) {
            return None;
        }
        let first = document.entries(map).next()?;
        let key = Scalar::locate(text, document, first.key_node)?;
        let node = document.node(first.key_node);
        let Place::Exact(span) = key.place else {
            return None;
        };
        if node.in_flow || node.anchored || first.key == Some("<<") {
            return None;
        }
        let at = node.span.start.min(span.start);
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let indent = text.get(line..at)?;
        if !indent.chars().all(|c| c == ' ') {
            return None;
        }
        let at = above_comments(text, line).map_or(at, |line| line + indent.len());
        let rest = &text[at..];
        let is_crlf = rest
            .find('\n')
            .is_some_and(|end| rest[..end].ends_with('\r'));
        Some(Self {
            document: document.path,
            before: key.ordinal,
            name: key.value,
            keys,
            at,
            end: format!("{}{indent}", if is_crlf { "\r\n" } else { "\n" }),
        })
    }

    /// The edit that writes it.
    pub fn edit(&self) -> Edit {
        let (last, above) = match self.keys.split_last() {
            Some((last, above)) => (*last, above),
            None => ("", &[][..]),
        };
        let mut above = above.iter().rev();
        let mut value = format!("{last}: true");
        if let Some(key) = above.next() {
            value = format!("{key}: {{{value}}}");
        }
        for key in above {
            value = format!("{key}: {{{value}}}");
        }
        Edit {
            span: Span::new(self.at, self.at),
            text: format!("{value}{}", self.end),
        }
    }
}

/// The line (the byte at which it begins) of the first of the comments directly above a line that are as
/// far in; none where they begin the text, which may be about all of it.
fn above_comments(text: &str, line: usize) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let own = indent(&text[line..]);
    let (mut first, mut found) = (line, None);
    while let Some(above) = text[..first].strip_suffix('\n') {
        let start = above.rfind('\n').map_or(0, |end| end + 1);
        let is_comment = above[start..].trim_start_matches(' ').starts_with('#');
        if !is_comment || indent(&above[start..]) != own {
            let is_marker = above[start..].starts_with("---");
            return found.filter(|_| !is_marker);
        }
        (first, found) = (start, Some(start));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::EditSet;
    use crate::yaml::documents;

    fn allowed(text: &str) -> Option<String> {
        let document = documents(text).next().unwrap().unwrap();
        let allowance = Allowance::of(text, &document, 0)?;
        EditSet::new([allowance.edit()]).unwrap().apply(text)
    }

    #[test]
    fn it_is_written_into_the_deepest_map_that_is_there() {
        let whole = "global: {security: {allowInsecureImages: true}}";
        for (before, after) in [
            (
                "# w\nimage:\n  tag: 1\n",
                format!("# w\n{whole}\nimage:\n  tag: 1\n"),
            ),
            ("a: 1\r\nb: 2\r\n", format!("{whole}\r\na: 1\r\nb: 2\r\n")),
            (
                "global:\n  x: 1\nb: 2",
                "global:\n  security: {allowInsecureImages: true}\n  x: 1\nb: 2".into(),
            ),
            (
                "global:\n  security:\n    y: 1\n",
                "global:\n  security:\n    allowInsecureImages: true\n    y: 1\n".into(),
            ),
            (
                "global:\n  # w\n  x: 1\n",
                "global:\n  security: {allowInsecureImages: true}\n  # w\n  x: 1\n".into(),
            ),
            ("a: # w\n# v\n", format!("{whole}\na: # w\n# v\n")),
            (
                "--- # w\n# v\na: 1\n",
                format!("--- # w\n# v\n{whole}\na: 1\n"),
            ),
            (
                "v:\n  - 1\n# w\nimage: 1\n",
                format!("{whole}\nv:\n  - 1\n# w\nimage: 1\n"),
            ),
        ] {
            assert_eq!(allowed(before), Some(after), "{before}");
        }
    }

    #[test]
    fn it_is_not_written_where_it_stands_or_has_no_line() {
        for text in [
            "global: {security: {allowInsecureImages: true}}\n",
            "global:\n  security:\n    allowInsecureImages: false\n",
            "global: {x: 1}\n",
            "global:\nimage: 1\n",
            "{a: 1}\n",
            "--- {a: 1}\n",
            "<<: {a: 1}\nb: 1\n",
            "&a b: 1\n",
            "global: &g\n  x: 1\nother: *g\n",
            "x: &g\n  y: 1\nglobal: *g\n",
        ] {
            assert_eq!(allowed(text), None, "{text}");
        }
    }
}
