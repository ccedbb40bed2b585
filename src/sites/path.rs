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

    /// The path of these steps.
    pub(super) fn of_steps(steps: &[Step]) -> Self {
        let mut path = Self::default();
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
}
