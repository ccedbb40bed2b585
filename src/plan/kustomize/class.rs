//! What names tie together: providers of names, the entries that match them, and patches that test for
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::link::{EntryId, Provider, Segment, SiteId};

/// What is tied to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Provider(Provider),
    Name(EntryId),
    Test(SiteId),
}

/// Providers of names, and the entries that match those.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) providers: BTreeSet<Provider>,
    pub(super) names: BTreeSet<EntryId>,
    pub(super) tests: BTreeSet<SiteId>,
    /// The ways of its images in the builds that count by themselves, with the file of the build.
    pub(super) ways: Vec<(usize, Segment)>,
    pub(super) mode: Mode,
}

/// What becomes of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing of it would change, or nothing is tied to it.
    #[default]
    Natural,
    /// The entries that come last get a `newName`.
    Placeholder,
    /// The same, as far as there are any; the environments of the others differ.
    Partial,
    /// The files and all names that match are rewritten.
    Rename,
    /// It stays, and why.
    Stays(String),
}

/// Pairs of nodes become classes.
#[derive(Default)]
pub(super) struct Ties {
    ids: BTreeMap<Node, usize>,
    above: Vec<usize>,
}

impl Ties {
    fn id(&mut self, node: Node) -> usize {
        let next = self.above.len();
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.above.push(id);
        }
        id
    }

    fn top(&mut self, mut id: usize) -> usize {
        while self.above[id] != id {
            self.above[id] = self.above[self.above[id]];
            id = self.above[id];
        }
        id
    }

    pub(super) fn tie(&mut self, a: Node, b: Node) {
        let (a, b) = (self.id(a), self.id(b));
        let (a, b) = (self.top(a), self.top(b));
        self.above[a.max(b)] = a.min(b);
    }

    pub(super) fn classes(mut self) -> (Vec<Class>, BTreeMap<Node, usize>) {
        let nodes: Vec<(Node, usize)> = self.ids.iter().map(|(node, id)| (*node, *id)).collect();
        let mut classes: Vec<Class> = Vec::new();
        let mut by_top: BTreeMap<usize, usize> = BTreeMap::new();
        let mut class_of = BTreeMap::new();
        for (node, id) in nodes {
            let top = self.top(id);
            let class = *by_top.entry(top).or_insert_with(|| {
                classes.push(Class::default());
                classes.len() - 1
            });
            match node {
                Node::Provider(provider) => {
                    classes[class].providers.insert(provider);
                }
                Node::Name(entry) => {
                    classes[class].names.insert(entry);
                }
                Node::Test(site) => {
                    classes[class].tests.insert(site);
                }
            }
            class_of.insert(node, class);
        }
        (classes, class_of)
    }
}

impl Class {
    /// The sites that give names, besides entries.
    pub(super) fn sites(&self) -> impl Iterator<Item = SiteId> {
        self.providers.iter().filter_map(|provider| match provider {
            Provider::Site(site) => Some(*site),
            Provider::NewName(_) | Provider::Outside(_) => None,
        })
    }

    /// Whether this entry has to get a new name.
    pub(super) fn must_place(&self, entry: EntryId) -> bool {
        self.mode == Mode::Placeholder && self.last_names().contains(&entry)
    }

    /// The entries that name an image last, without giving it another name.
    pub(super) fn last_names(&self) -> BTreeSet<EntryId> {
        let open = self.ways.iter().filter(|(_, way)| !way.is_captured);
        open.filter_map(|(_, way)| way.names.last().copied())
            .collect()
    }
}
