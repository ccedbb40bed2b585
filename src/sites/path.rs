//! The keys that lead to a site, as people write them: `spec.containers[0].image`.

use std::fmt;

use super::parts::Step;
use crate::yaml::{Document, Kind, NodeId};

/// A printed path of keys and list positions (0-based). Keys that hold anything but letters,
/// digits, `-`, `_` and `/` stand in quotes: `data["app.yaml"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(String);

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyPath {
    /// The path as printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the node `id`.
    pub(super) fn of(document: &Document<'_>, id: NodeId) -> Self {
        let mut steps = Vec::new();
        let mut at = id;
        while document.node(at).parent != at {
            steps.push(at);
            at = document.node(at).parent;
        }
        let mut path = Self::default();
        steps
            .into_iter()
            .rev()
            .for_each(|step| path.push(document, step));
        path
    }

    /// The path with these steps behind it.
    pub(super) fn with_steps(&self, steps: &[Step]) -> Self {
        let mut path = self.clone();
        for step in steps {
            match step {
                Step::Key(key) => path.push_key(key),
                Step::Item(index) => path.0.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// The path that leads on from this one by `rest`.
    pub(super) fn join(&self, rest: &Self) -> Self {
        let dot = !(self.0.is_empty() || rest.0.is_empty() || rest.0.starts_with('['));
        let dot = if dot { "." } else { "" };
        Self(format!("{}{dot}{}", self.0, rest.0))
    }

    /// Adds the last step to the node `id`.
    fn push(&mut self, document: &Document<'_>, id: NodeId) {
        let node = document.node(id);
        if matches!(document.node(node.parent).kind, Kind::Sequence) {
            self.0.push_str(&format!("[{}]", node.position));
            return;
        }
        // A key that is a scalar is the node right before its value.
        let key = document.node(id - 1).parent == node.parent;
        self.push_key(document.text(id - 1).filter(|_| key).unwrap_or("?"));
    }

    /// A path as kustomize writes those of fields (`spec.containers.[name=a].env.0.value`, `a\.b` for a
    /// key with a dot), with any position in a list as the first one.
    ///
    /// Source: kustomize `kyaml/utils/pathsplitter.go`.
    pub(super) fn of_field(text: &str) -> Self {
        let mut path = Self::default();
        for part in field_parts(text) {
            let inner = part.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let is_position = |part: &str| {
                part.contains('=') || matches!(part, "*" | "-") || part.parse::<usize>().is_ok()
            };
            match inner {
                Some(inner) if is_position(inner) || inner.is_empty() => path.0.push_str("[0]"),
                None if is_position(&part) => path.0.push_str("[0]"),
                inner => path.push_key(inner.unwrap_or(&part).trim_matches(['\'', '"'])),
            }
        }
        path
    }

    /// A path as the settings of kustomize's transformers write it (`spec/containers[]/image`, `a\/b` for
    /// a key with a slash).
    ///
    /// Source: kustomize `api/filters/fieldspec`.
    pub(super) fn of_spec(text: &str) -> Self {
        let mut path = Self::default();
        for key in text.replace("\\/", "\0").split('/') {
            let key = key.replace('\0', "/");
            let key = key.strip_suffix("[]").unwrap_or(&key);
            if !key.is_empty() {
                path.push_key(key);
            }
        }
        path
    }

    /// Whether what stands at one of two paths may hold what stands at the other, or be it: positions in
    /// lists do not count, and this one may begin further up.
    pub fn may_touch(&self, field: &Self) -> bool {
        let (own, field) = (self.keys(), field.keys());
        let is_it = |from: usize| {
            let rest = own[from..].iter();
            rest.zip(&field).all(|(own, field)| own == field)
        };
        (0..own.len().max(1)).any(is_it)
    }

    /// Its keys.
    pub fn keys(&self) -> Vec<String> {
        let parts = field_parts(&self.0).into_iter();
        let keys = parts.filter_map(|part| {
            let inner = part.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            match inner {
                Some(inner) => {
                    let quoted = inner.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                    quoted.map(Into::into)
                }
                None => Some(part),
            }
        });
        keys.collect()
    }

    pub(super) fn push_key(&mut self, key: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        if key.is_empty() || !key.chars().all(plain) {
            self.0.push_str(&format!("[\"{}\"]", key.escape_default()));
            return;
        }
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
    }
}

/// The parts of a path: between dots, and in brackets, which stay around them.
fn field_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut chars = text.chars();
    let mut is_inside = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if !is_inside => part.extend(chars.next()),
            '[' if !is_inside => {
                parts.push(std::mem::take(&mut part));
                part.push(c);
                is_inside = true;
            }
            ']' if is_inside => {
                part.push(c);
                parts.push(std::mem::take(&mut part));
                is_inside = false;
            }
            '.' if !is_inside => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    #[test]
    fn paths_lead_from_the_root() {
        let text = "a:\n  - b: 1\n  - c.d: {e: 2}\n";
        let document = documents(text).next().unwrap().unwrap();
        let id = document.nodes.len() - 1;
        assert_eq!(KeyPath::of(&document, id).as_str(), "a[1][\"c.d\"].e");
    }

    #[test]
    fn fields_of_kustomize_meet_what_is_written() {
        for (own, field, wanted) in [
            ("spec.driver", "spec.driver.repository", true),
            ("spec.driver", "spec.driver", true),
            ("spec.driver", "spec", true),
            ("spec.driver", "spec.other", false),
            ("items[0].spec.driver", "spec.driver.repository", true),
            (
                "patches[0].patch.spec.driver",
                "spec.driver.repository",
                true,
            ),
            (
                "spec.containers[0].env[0].value",
                "spec.containers[0].env[0].value",
                true,
            ),
            (
                "spec.containers[0].env[0].value",
                "spec.containers.0.env.1.value",
                true,
            ),
            (
                "spec.containers[0].env[0].value",
                "spec.containers.[name=a.b].env.[name=X].value",
                true,
            ),
            (
                "spec.containers[0].env[0].value",
                "spec.containers.*.env.*.value",
                true,
            ),
            ("spec.containers[0].image", "spec.containers.0.name", false),
            ("spec.containers[0].image", "metadata.name", false),
            (
                "metadata.annotations[\"a.b/c\"]",
                "metadata.annotations.a\\.b/c",
                true,
            ),
            (
                "metadata.annotations[\"a.b/c\"]",
                "metadata.annotations.[a.b/c]",
                true,
            ),
            (
                "metadata.annotations[\"a.b/c\"]",
                "metadata.annotations.a",
                false,
            ),
            ("data[\"a.yaml\"].spec.image", "data.a\\.yaml", true),
        ] {
            let path = KeyPath(own.to_string());
            let field = KeyPath::of_field(field);
            assert_eq!(path.may_touch(&field), wanted, "{own} {field}");
        }
    }
}
