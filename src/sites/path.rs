//! The keys that lead to a site, as people write them: `spec.containers[0].image`.

use std::fmt;

use crate::yaml::{Document, NodeId};

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

    /// The path of the node `id`, found from the root of its document.
    pub(super) fn of(document: &Document<'_>, id: NodeId) -> Self {
        let mut path = Self::default();
        let mut node = 0;
        while node != id {
            let Some(next) = path.step(document, node, id) else {
                break;
            };
            node = next;
        }
        path
    }

    /// Adds the step from `node` towards `id` and gives the child it leads to.
    fn step(&mut self, document: &Document<'_>, node: NodeId, id: NodeId) -> Option<NodeId> {
        let holds = |child: NodeId| child <= id && id < document.node(child).end;
        if let Some(entry) = document.entries(node).find(|entry| holds(entry.value)) {
            self.push_key(entry.key.unwrap_or("?"));
            return Some(entry.value);
        }
        let (index, item) = document
            .items(node)
            .enumerate()
            .find(|&(_, item)| holds(item))?;
        self.0.push_str(&format!("[{index}]"));
        Some(item)
    }

    fn push_key(&mut self, key: &str) {
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
