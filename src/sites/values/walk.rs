//! A walk through values: every map is looked at once for each way that leads to it, aliases and
//! merges followed within a budget.

use std::collections::{HashMap, HashSet};

use super::super::parts::{Names, Step, Value};
use super::super::{BlockId, KeyPath, Site, components, front, object};
use super::allowance::Allowance;
use super::words::{
    BEGINNINGS, has_image_word, is_image_key, is_image_map, is_image_name, is_picture,
};
use super::{Loose, LooseFront, LoosePart, Template};
use crate::helm::{ALLOWS_INSECURE, Table};
use crate::image::{self, ImageRef};
use crate::reason::Reason;
use crate::yaml::{Document, Kind, NodeId, PlainType, Scalar, Style, plain_type};

/// Deeper nesting than any chart has; aliases can make it endless.
const MAX_DEPTH: usize = 100;
/// How many nodes aliases may make of few bytes.
const MAX_NODES: usize = 200_000;

/// How what is filled in begins that may stand in a key.
const FILLING: &[&str] = &["{{", "{%", "${", "$("];
/// The key of the values that reach every chart.
const GLOBAL: &str = "global";

/// The entries of a map, those that it merges (`<<`) with them, by key.
pub(super) type Entries<'d> = HashMap<&'d str, NodeId>;

pub(super) struct Walk<'d> {
    pub(super) text: &'d str,
    pub(super) document: &'d Document<'d>,
    /// The keys that the config says are parts of names.
    pub(super) stated: HashSet<&'d str>,
    /// The node that is the values.
    pub(super) root: NodeId,
    /// Where it begins, when it is not the whole document, and the way to it.
    pub(super) block: Option<BlockId>,
    pub(super) prefix: KeyPath,
    pub(super) sites: Vec<Site>,
    pub(super) loose: Loose,
    /// Whether the shape of a map shows that these are values.
    pub(super) shaped: bool,
    nodes: usize,
    /// Whether everything was walked.
    complete: bool,
    /// The last words of what actions of the text put in front of a slash (`{{ calico_repo }}/node`).
    pub(super) continued: HashSet<&'d str>,
    /// How often each scalar was read as something other than a part of a name, where aliases exist.
    pub(super) read: HashMap<NodeId, usize>,
}

/// A map on the way.
pub(super) struct Map<'d, 's> {
    pub(super) entries: Entries<'d>,
    pub(super) at: &'s [Step],
    /// The keys that stand in it twice.
    pub(super) doubled: HashSet<&'d str>,
    /// The values that were read as parts of names.
    pub(super) consumed: HashSet<NodeId>,
}

impl<'d> Walk<'d> {
    pub(super) fn new(
        text: &'d str,
        document: &'d Document<'d>,
        root: NodeId,
        stated: HashSet<&'d str>,
    ) -> Self {
        Self {
            text,
            document,
            stated,
            root,
            block: None,
            prefix: KeyPath::default(),
            sites: Vec::new(),
            loose: Loose::default(),
            shaped: false,
            nodes: 0,
            complete: true,
            continued: (root..document.node(root).end)
                .filter_map(|id| document.text(id))
                .flat_map(continued)
                .collect(),
            read: HashMap::new(),
        }
    }

    /// Walks all of the values.
    pub(super) fn all(&mut self, templates: &[Template]) {
        self.value(self.root, &mut Vec::new());
        for template in templates {
            self.stated(template);
        }
        self.settle();
        if !self.sites.is_empty() {
            let allowance = Allowance::of(self.text, self.document, self.root);
            self.loose.allowance = allowance.map(Box::new);
        }
    }

    /// Looks at the entries of a map at a place that no node of the document stands for.
    pub(super) fn entries_at(
        &mut self,
        at: &[Step],
        entries: impl Iterator<Item = (&'d str, NodeId)>,
    ) {
        let mut map = Map {
            entries: Entries::new(),
            at,
            doubled: HashSet::new(),
            consumed: HashSet::new(),
        };
        for (key, node) in entries {
            if map.entries.insert(key, node).is_some() {
                map.doubled.insert(key);
            }
        }
        self.images(&mut map);
        self.note_loose(&map);
        self.note_ends(&map);
        for (key, &node) in map
            .entries
            .iter()
            .filter(|(_, node)| !map.consumed.contains(node))
        {
            let at: Vec<Step> = at
                .iter()
                .cloned()
                .chain([Step::Key((*key).into())])
                .collect();
            self.note_front(node, &at);
        }
    }

    /// Gives each site the path of its own node instead of the one in the values.
    pub(super) fn name_by_place(&mut self) {
        let document = self.document;
        for site in &mut self.sites {
            let Some(ordinal) = site.scalars().last().map(|scalar| scalar.ordinal) else {
                continue;
            };
            let is_it = |id: &NodeId| matches!(document.node(*id).kind, Kind::Scalar { ordinal: own, .. } if own == ordinal);
            if let Some(id) = (0..document.nodes.len()).find(is_it) {
                site.path = KeyPath::of(document, id);
            }
        }
    }

    /// Holds what anchors share with the rest of the document.
    pub(super) fn hold_shared(&mut self) {
        let document = self.document;
        if !document.has_aliases {
            return;
        }
        let inside = self.root..document.node(self.root).end;
        let targets: Vec<NodeId> = (0..document.nodes.len())
            .filter(|id| !inside.contains(id))
            .filter_map(|id| match document.node(id).kind {
                Kind::Alias(target) => Some(target),
                _ => None,
            })
            .collect();
        let mut shared = HashSet::new();
        for (id, node) in document.nodes.iter().enumerate() {
            let Kind::Scalar { ordinal, .. } = node.kind else {
                continue;
            };
            let is_target = |&target: &NodeId| {
                target != self.root && (target..document.node(target).end).contains(&id)
            };
            if !inside.contains(&id) || targets.iter().any(is_target) {
                shared.insert(ordinal);
            }
        }
        for site in &mut self.sites {
            if site
                .scalars()
                .any(|scalar| shared.contains(&scalar.ordinal))
            {
                let detail = "its anchor is also used outside of these values; write the image out in both places";
                site.hold
                    .get_or_insert((Reason::SharedAnchor, detail.to_string()));
            }
        }
    }

    /// Walks everything below the node.
    pub(super) fn value(&mut self, id: NodeId, at: &mut Vec<Step>) {
        let document = self.document;
        let id = document.resolve(id);
        self.nodes += 1;
        if self.nodes > MAX_NODES.max(2 * document.nodes.len()) || at.len() > MAX_DEPTH {
            self.complete = false;
            return;
        }
        match document.node(id).kind {
            Kind::Mapping => self.map(id, at),
            Kind::Sequence => {
                for (index, item) in document.items(id).enumerate() {
                    at.push(Step::Item(index));
                    self.value(item, at);
                    at.pop();
                }
            }
            Kind::Scalar { .. } => {
                self.reads(id);
                self.note_front(id, at);
                self.reference(id, at);
            }
            Kind::Alias(_) => {}
        }
    }

    /// Notes what may stand in front of names, and is no part of one itself.
    fn note_front(&mut self, id: NodeId, at: &[Step]) {
        let text = self.document.text(id).unwrap_or("");
        let mut keys = at.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Item(_) => None,
        });
        let Some(key) = keys.next() else { return };
        let is_place = matches!(self.part(id), Some(Value::Empty)) && front::is_place(key);
        if is_place || front::may_be(keys.next().unwrap_or(""), key, text) {
            self.loose.fronts.push(LooseFront {
                at: at[..at.len() - 1].to_vec(),
                text: if is_place { "" } else { text }.to_string(),
            });
        }
    }

    /// Notes that a map holds a name without a registry that nothing shows to be an image: templates may
    /// put the registry of another one in front of it.
    fn note_ends(&mut self, map: &Map<'d, '_>) {
        let is_end = |(key, node): (&&str, &NodeId)| {
            let is_name = is_image_name(key) || is_image_key(key) || has_image_word(key);
            let text = self.document.text(*node).unwrap_or("");
            let is_image = ImageRef::parse(text).is_ok_and(|image| image.registry().is_none());
            let is_word = matches!(self.part(*node), Some(Value::Text(_)));
            let is_new = is_name && !map.consumed.contains(node);
            is_new && is_word && is_image && !image::is_registry(text) && !is_picture(text)
        };
        if map.entries.iter().any(is_end) {
            self.loose.ends.push(map.at.to_vec());
        }
    }

    /// Notes that a scalar means something else than a part of a name.
    fn reads(&mut self, id: NodeId) {
        if self.document.has_aliases {
            *self.read.entry(id).or_default() += 1;
        }
    }

    fn map(&mut self, id: NodeId, at: &mut Vec<Step>) {
        if object::starts_object(self.document, id) {
            return;
        }
        let document = self.document;
        let mut doubled = HashSet::new();
        let mut own = HashSet::new();
        for entry in document.entries(id) {
            if let Kind::Alias(target) = document.node(entry.key_node).kind {
                self.reads(target);
            }
            let Some(key) = entry.key else {
                // `{{ .image }}` is a map whose key is a map.
                if matches!(document.node(entry.key_node).kind, Kind::Mapping) {
                    self.loose.filled.push(at.clone());
                }
                continue;
            };
            self.note_filled(key, document.resolve(entry.value), at);
            if !own.insert(key) {
                doubled.insert(key);
            }
        }
        let mut map = Map {
            entries: self.entries(id),
            at,
            doubled,
            consumed: HashSet::new(),
        };
        self.images(&mut map);
        self.note_loose(&map);
        self.note_ends(&map);
        let Map {
            entries, consumed, ..
        } = map;
        for entry in document.entries(id) {
            let Some(key) = entry.key else { continue };
            // Helpers of Compose files and people: charts do not read them.
            let is_helper = at.is_empty() && key.starts_with("x-");
            if key != "<<" && !is_helper && !consumed.contains(&document.resolve(entry.value)) {
                at.push(Step::Key(key.to_string()));
                self.value(entry.value, at);
                at.pop();
            }
        }
        if own.contains("<<") {
            let is_merged =
                |(key, value): &(&&str, &NodeId)| !own.contains(**key) && !consumed.contains(value);
            let mut merged: Vec<_> = entries.iter().filter(is_merged).collect();
            merged.sort();
            for (key, value) in merged {
                at.push(Step::Key((*key).to_string()));
                self.value(*value, at);
                at.pop();
            }
        }
    }

    /// Notes a key that is filled in later, or a value, which may then be a map.
    fn note_filled(&mut self, key: &str, value: NodeId, at: &[Step]) {
        let is_filled_key = FILLING.iter().any(|open| key.contains(open));
        if is_filled_key || key == "<<" && self.document.is_hole(value) {
            self.loose.filled.push(at.to_vec());
        }
        // Of the values for all charts, each is a text for itself.
        let is_global = matches!(at.first(), Some(Step::Key(first)) if first == GLOBAL);
        let text = self.document.text(value).unwrap_or("");
        if !is_global && image::is_filled_as_whole(text) {
            let own = at.iter().cloned().chain([Step::Key(key.to_string())]);
            self.loose.filled.push(own.collect());
        }
    }

    /// The map's own entries (the last of a key), and those it merges; aliases followed.
    fn entries(&mut self, id: NodeId) -> Entries<'d> {
        let document = self.document;
        let mut entries = Entries::new();
        let mut seen = HashSet::from([id]);
        let mut merges = vec![id];
        while let Some(map) = merges.pop() {
            for entry in document.entries(map) {
                let Some(key) = entry.key else { continue };
                let value = document.resolve(entry.value);
                if key == "<<" {
                    // The first of several wins, so that it has to be taken from the stack first.
                    let mut merged = match document.node(value).kind {
                        Kind::Sequence => document
                            .items(value)
                            .map(|item| document.resolve(item))
                            .collect(),
                        _ => vec![value],
                    };
                    merged.reverse();
                    merges.extend(merged.into_iter().filter(|&map| seen.insert(map)));
                } else if map == id {
                    entries.insert(key, value);
                } else {
                    entries.entry(key).or_insert(value);
                }
            }
        }
        self.nodes += seen.len();
        entries
    }

    /// Notes what the map says of images that its chart would refuse.
    fn note_allowance(&mut self, map: &Map<'d, '_>) {
        let [global_key, security_key, allows_key] = ALLOWS_INSECURE;
        if let [chart @ .., Step::Key(global), Step::Key(security)] = map.at
            && (global.as_str(), security.as_str()) == (global_key, security_key)
            && let Some(&allows) = map.entries.get(allows_key)
        {
            let is_allowed = self.document.text(allows) == Some("true");
            self.loose.insecure.push((chart.to_vec(), is_allowed));
        }
    }

    /// Notes what other layers may make parts of.
    fn note_loose(&mut self, map: &Map<'d, '_>) {
        self.note_allowance(map);
        let at = map.at;
        let image_like = is_image_map(at);
        let has_image = |key: &str| front::words(key).any(|word| word == "image");
        let is_component = |key: &str| {
            let node = map.entries.get(key);
            let text = node.and_then(|&node| self.document.text(node));
            components::is_component(key)
                && (image_like || has_image(key))
                && text.is_some_and(components::may_be_one)
        };
        let is_part = |key: &str| {
            matches!(key, "registry" | "repository" | "repo" | "image")
                || key == "name" && image_like
                || is_image_key(key)
                || [
                    "mageRegistry",
                    "mageRepository",
                    "mage_registry",
                    "mage_repository",
                ]
                .iter()
                .any(|end| key.ends_with(end))
                || is_component(key)
                || BEGINNINGS.contains(&key)
                || matches!(at, [.., Step::Key(above)] if Table::reads(above, key))
        };
        let mut keys: Vec<(&str, NodeId)> = map
            .entries
            .iter()
            .map(|(&key, &node)| (key, node))
            .filter(|(key, node)| {
                (is_part(key) || self.stated.contains(key)) && !map.consumed.contains(node)
            })
            .collect();
        keys.sort_unstable();
        for (key, node) in keys {
            // A map under `image` is the usual thing; under `repository` it is a template without
            // quotes, or nothing that could be told.
            let is_scalar = matches!(self.document.node(node).kind, Kind::Scalar { .. });
            if !is_scalar && !matches!(key, "repository" | "repo" | "registry") {
                continue;
            }
            let value = self.part(node);
            self.loose.parts.push(LoosePart {
                document: self.document.path,
                at: at.to_vec(),
                key: key.to_string(),
                empties: matches!(value, Some(Value::Empty)),
                text: match &value {
                    Some(Value::Text(scalar)) => Some(scalar.value.clone()),
                    _ => None,
                },
            });
            if let Some(Value::Text(scalar)) = value {
                self.spare(at, key, node, scalar);
            }
        }
    }

    /// What a scalar says as a part; `None` for anything that is no text.
    pub(super) fn part(&self, id: NodeId) -> Option<Value> {
        let Kind::Scalar {
            value, style, tag, ..
        } = &self.document.node(id).kind
        else {
            return None;
        };
        let is_text = matches!(
            tag.as_deref(),
            Some("!" | "!!str" | "tag:yaml.org,2002:str")
        );
        if tag.is_some() && !is_text {
            return None;
        }
        let kind = if *style == Style::Plain && !is_text {
            plain_type(value)
        } else {
            PlainType::Text
        };
        match kind {
            PlainType::Other => None,
            PlainType::Null => Some(Value::Empty),
            PlainType::Text if value.is_empty() => Some(Value::Empty),
            PlainType::Text => Scalar::locate(self.text, self.document, id).map(Value::Text),
        }
    }

    /// Holds what is shared, through anchors, with something that is no image.
    pub(super) fn settle(&mut self) {
        if !self.document.has_aliases {
            return;
        }
        let read: HashSet<usize> = self
            .read
            .iter()
            .filter(|(_, times)| **times > 0)
            .filter_map(|(&id, _)| match self.document.node(id).kind {
                Kind::Scalar { ordinal, .. } => Some(ordinal),
                _ => None,
            })
            .collect();
        let detail = if self.complete {
            "its anchor is also used where no image is named; write the image out in both places"
        } else {
            "the file has more aliases than can be followed; write the image out"
        };
        // `registry: &r ghcr.io` that images take up is a part of those, and no beginning of others.
        let names = |site: &Site| site.parts().map(|parts| parts.names);
        let taken: HashSet<usize> = self
            .sites
            .iter()
            .filter(|site| names(site) == Some(Names::Image))
            .flat_map(|site| site.scalars().map(|scalar| scalar.ordinal))
            .collect();
        self.sites.retain(|site| {
            let mut ordinals = site.scalars().map(|scalar| scalar.ordinal);
            names(site) != Some(Names::Beginning)
                || !ordinals.any(|ordinal| taken.contains(&ordinal))
        });
        for site in &mut self.sites {
            let shared = site.scalars().any(|scalar| read.contains(&scalar.ordinal));
            if (shared || !self.complete) && site.hold.is_none() {
                site.hold = Some((Reason::SharedAnchor, detail.to_string()));
            }
        }
    }
}

/// The last words of the paths that actions of a text put in front of a slash.
fn continued(text: &str) -> impl Iterator<Item = &str> {
    let mut pieces = text.split("}}/").peekable();
    std::iter::from_fn(move || {
        let before = pieces.next()?;
        pieces.peek()?;
        let (_, action) = before.rsplit_once("{{").unwrap_or(("", ""));
        let path = action.trim_matches(['-', ' ']);
        let path = path.split(['|', ' ']).next().unwrap_or("");
        path.rsplit('.').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_front_of_a_slash_is_known() {
        for (text, wanted) in [
            ("{{ calico_repo }}/node", &["calico_repo"][..]),
            ("{{- .Values.x.repo | trim -}}/b", &["repo"]),
            ("{{ a }}/{{ b }}/c", &["a", "b"]),
            ("{{ d }}:1", &[]),
            ("quay.io/acme", &[]),
        ] {
            assert_eq!(continued(text).collect::<Vec<_>>(), wanted, "{text}");
        }
    }
}
