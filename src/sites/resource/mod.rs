//! Custom resources: images in their fields, whole or in parts.
//!
//! What a key and a text show is believed in every kind (see [`shape`]): a reference under `image` or
//! `…Image` that names its registry or its tag is one. What they do not show is a table ([`table`]), a
//! row for each field, or the config's `sites`. A bare word in a kind that nobody knows is assumed.
//! Containers are found as in every object.

mod field;
mod shape;
mod split;
mod table;

use std::cell::OnceCell;
use std::collections::HashSet;

use super::parts::Step;
use super::purpose::{self, Purpose};
use super::values::{has_image_word, has_known_host, is_full, is_image_name, is_source};
use super::{
    Fact, Found, Input, KeyPath, PatchPiece, Place, Site, front, kustomize, object, workload,
};
use crate::reason::{Assumption, Reason};
use crate::source::Span;
use crate::yaml::{Document, Kind, NodeId};
use field::Segment;
pub use field::{Field, FieldPath};
use object::Object;
use table::{Means, Patched, Row};

/// The finder of images in the fields of custom resources.
pub const NAME: &str = "resource";

/// Keys of an object below which nothing is deployed.
const NOT_DEPLOYED: &[&str] = &["status", "metadata"];

/// Why a site stays, and what to do about it.
type Hold = (Reason, String);

/// Keys of parts of an image's name.
const PARTS: &[&str] = &["registry", "repository", "repo", "name", "image"];

/// What the built-in table does with a field, for the documentation and its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treated {
    /// It names an image, or a part of one.
    Named,
    /// It is reported and stays.
    Stays,
    /// It is no site.
    Nothing,
}

/// How many rows the table has.
pub fn treatments() -> usize {
    table::ROWS.len()
}

/// Which row of the table is about the field that the keys lead to, in objects of this group and kind,
/// and what becomes of it. A row for nothing is about every field.
pub fn treated(group: &str, kind: &str, keys: &[&str]) -> Option<(usize, Treated)> {
    let object = Object {
        node: 0,
        group,
        kind,
    };
    let rows = table::ROWS.iter().enumerate();
    let mut about = rows.filter(|(_, row)| row.is_about(&object));
    let leads = |row: &Row| {
        let above = row.path.is_empty();
        let in_map = matches!(row.means, Means::Parts(_))
            && keys
                .split_last()
                .is_some_and(|(_, map)| row.way().matches(map));
        let general = row.is_general() && shape::may_be_image(keys);
        above || in_map || general || !row.is_general() && row.way().matches(keys)
    };
    let (at, row) = about.find(|(_, row)| leads(row))?;
    let treated = match row.means {
        Means::Nothing => Treated::Nothing,
        Means::Output | Means::Package => Treated::Stays,
        _ => Treated::Named,
    };
    Some((at, treated))
}

/// The rows of the table, for the catalogue.
pub(super) fn places() -> impl Iterator<Item = Place> {
    table::ROWS.iter().map(|row| Place {
        finder: NAME,
        objects: match row.kinds {
            [] => format!("`{}`", row.group),
            kinds => format!("`{}`: {}", row.group, kinds.join(", ")),
        },
        field: match row.path {
            "" => "everything".to_string(),
            "**" => "keys named like an image's".to_string(),
            path => format!("`{path}`"),
        },
        treated: match row.means {
            Means::Image => "rewritten, also a bare word",
            Means::Tagged => "rewritten when it has a tag",
            Means::Parts(_) => "rewritten; Docker Hub without a registry",
            Means::Beginning => "rewritten",
            Means::Kubeadm => "rewritten, unless CoreDNS would get lost",
            Means::Output => "stays: `build-output`",
            Means::Package => "stays: `ImageConfig` is the way",
            Means::Nothing => "no site",
        },
        what: row.what,
        case: None,
    })
}

/// A walk through one object.
struct Walk<'d> {
    text: &'d str,
    document: &'d Document<'d>,
    object: &'d Object<'d>,
    /// The name of the object, for others to know it by.
    name: &'d str,
    rows: Vec<(FieldPath, &'static Row)>,
    /// Nodes that aliases lead to, still to be followed: a list of its own instead of recursion,
    /// because a chain of aliases can be as long as the file.
    pending: Vec<Pending<'d>>,
    /// Whether sites are not wanted: only facts.
    only_pieces: bool,
    /// Where aliases led already.
    followed: HashSet<NodeId>,
    /// The maps of which it is noted what parts of images they hold.
    noted: HashSet<NodeId>,
    /// The name of a setting of the object that may stand in front of names, once it is looked for.
    setting: OnceCell<Option<&'d str>>,
    sites: Vec<Site>,
    facts: Vec<Fact>,
}

/// Where an alias leads.
struct Pending<'d> {
    /// The node.
    node: NodeId,
    /// The keys that lead to the alias.
    keys: Vec<&'d str>,
    /// Whether shapes count there.
    shaped: bool,
    /// Whether it is merged into the map around it: its parts are parts of that.
    merged: bool,
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let mut walk = Walk::new(input.text, input.document, input.object);
    walk.stated(input.fields);
    walk.all(input.object.node, &[]);
    found.sites.extend(walk.sites);
    found.facts.extend(walk.facts);
}

/// What no finder takes for an image in an object that nobody knows, and what may be one all the same: a
/// reference in full where a key has the word, and a name with a tag in a map or list of images.
pub(super) fn find_loose(input: &Input<'_>, found: &mut Found) {
    let (document, object) = (input.document, input.object);
    let Some(about) = table::about(object).filter(|about| about.shaped) else {
        return;
    };
    let mut walk = Walk::new(input.text, document, object);
    walk.rows = about.rows.iter().map(|row| (row.way(), *row)).collect();
    for id in object.node..document.node(object.node).end {
        let text = document.text(id).filter(|text| text.contains([':', '@']));
        let keys = text.and_then(|text| Some((text, walk.keys(id)?)));
        let Some((text, keys)) = keys else { continue };
        if shape::may_be_loose(&keys, text) && walk.row(&keys).is_none() {
            walk.loose(id, &keys);
        }
    }
    let known: HashSet<Span> = found.sites.iter().flat_map(super::spans).collect();
    let mut sites = walk.sites;
    sites.retain(|site| !super::spans(site).any(|span| known.contains(&span)));
    found.sites.extend(sites);
}

/// Drops what other finders found as well, or what was found twice. Once for a document: it may hold
/// many objects.
pub(super) fn drop_known(found: &mut Found) {
    let others = found.sites.iter().filter(|site| site.finder != NAME);
    let mut known: HashSet<Span> = others.flat_map(super::spans).collect();
    found.sites.retain(|site| {
        let spans: Vec<Span> = super::spans(site).collect();
        let is_new = site.finder != NAME || !spans.iter().any(|span| known.contains(span));
        known.extend(spans);
        is_new
    });
}

/// The sites in the value of a JSON6902 operation for the field that the JSON pointer leads to, in an
/// object of which `target` tells the kind, and perhaps the group: without one, only a text is believed.
pub(super) fn patched(
    text: &str,
    document: &Document<'_>,
    value: NodeId,
    pointer: &str,
    target: &Object<'_>,
) -> Vec<Site> {
    let keys = pointed(pointer);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let is_out = keys.first().is_none_or(|key| NOT_DEPLOYED.contains(key));
    if is_out || keys.iter().any(|key| shape::is_of_others(key)) {
        return Vec::new();
    }
    let value = document.resolve(value);
    if let Kind::Scalar { .. } = document.node(value).kind {
        let site = patched_text(text, document, value, &keys, target);
        return site.into_iter().collect();
    }
    let mut walk = Walk::new(text, document, target);
    if target.group.is_empty() {
        walk.go(value, &keys, true);
        walk.assume(target);
    } else {
        walk.all(value, &keys);
    }
    walk.sites
}

/// The images, all assumed, in a patch for an object of which the group is not known.
pub(super) fn of_unknown(text: &str, document: &Document<'_>, target: &Object<'_>) -> Vec<Site> {
    let is_map = matches!(document.node(0).kind, Kind::Mapping);
    // Kubernetes' own group has no name.
    let is_core =
        object::own(document).kind == target.kind && document.get(0, "apiVersion").is_some();
    if !target.group.is_empty() || !is_map || is_core {
        return Vec::new();
    }
    of_part(text, document, target)
}

/// The images, all assumed, in a part of an object of which the group is not known.
pub(super) fn of_part(text: &str, document: &Document<'_>, target: &Object<'_>) -> Vec<Site> {
    let mut walk = Walk::new(text, document, target);
    walk.go(target.node, &[], true);
    walk.assume(target);
    walk.sites
}

/// The parts of images in a document whose own fields name none, or that does not say what it is: it
/// may be a patch, and what it is for stands elsewhere.
pub(super) fn pieces(text: &str, document: &Document<'_>) -> Vec<Fact> {
    if !matches!(document.node(0).kind, Kind::Mapping) {
        return Vec::new();
    }
    let own = object::own(document);
    let is_known = table::about(&own).is_some() && !object::holds_no_images(&own);
    if is_known || object::is_schema(&own) {
        return Vec::new();
    }
    let mut walk = Walk::new(text, document, &own);
    walk.only_pieces = true;
    walk.go(0, &[], true);
    let mut facts = walk.facts;
    for fact in &mut facts {
        if let Fact::Piece { object, .. } = fact {
            *object = object.take().filter(|_| !own.kind.is_empty());
        }
    }
    facts
}

/// The keys of a JSON pointer, without positions in lists.
fn pointed(pointer: &str) -> Vec<String> {
    let keys = pointer.split('/').skip(1);
    let keys = keys.filter(|key| key.parse::<usize>().is_err() && *key != "-");
    keys.map(|key| key.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Judges what a patch writes by the object that it turned out to be for. `is_whole`: the value of the
/// operation is the image, and no map that holds it.
pub(super) fn judge(site: &mut Site, pointer: &str, target: &Object<'_>, is_whole: bool) {
    let is_unknown = matches!(site.assumption, Some((Assumption::TextReference, _)));
    if site.finder != NAME || !is_unknown {
        return;
    }
    let keys = pointed(pointer);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    match table::patched(target, &keys) {
        Patched::Unknown if !target.kind.is_empty() => {
            site.assumption = Some(of_unknown_kind(target));
        }
        Patched::Image | Patched::Field if is_whole => site.assumption = None,
        Patched::Output => drop(site.hold.get_or_insert_with(output)),
        Patched::Nothing if is_whole => {
            let detail = format!("a {} has no image that is pulled there", target.kind);
            site.hold.get_or_insert((Reason::NotAnImage, detail));
        }
        Patched::Unknown | Patched::Image | Patched::Field | Patched::Nothing => {}
    }
}

fn patched_text(
    text: &str,
    document: &Document<'_>,
    value: NodeId,
    keys: &[&str],
    target: &Object<'_>,
) -> Option<Site> {
    let said = table::patched(target, keys);
    if said != Patched::Field && !shape::may_be_image(keys) {
        return None;
    }
    let mut site = workload::site(text, document, value)?;
    if said != Patched::Field {
        site = by_shape(document.text(value)?, site)?;
        match purpose::of_place(keys) {
            Purpose::Pulled => {}
            Purpose::Open => site.assumption = Some(of_open_purpose(target.kind, keys)),
            Purpose::Pushed => drop(site.hold.get_or_insert_with(output)),
        }
    }
    match said {
        Patched::Nothing => return None,
        Patched::Output => drop(site.hold.get_or_insert_with(output)),
        Patched::Image | Patched::Field => {}
        Patched::Unknown => drop(
            site.assumption
                .get_or_insert_with(|| of_unknown_kind(target)),
        ),
    }
    Some(Site {
        finder: NAME,
        ..site
    })
}

/// What an image rests on of which the keys around it do not tell what becomes of it.
fn of_open_purpose(kind: &str, keys: &[&str]) -> (Assumption, String) {
    let detail = format!(
        "a key around it leaves open whether it is pulled: a build may push it, or a rule may speak of it; if it is pulled, state it in the config: `sites: [{{kind: {kind}, path: {}}}]`",
        keys.join("/")
    );
    (Assumption::TextReference, detail)
}

/// What an image in a patch rests on that does not say what it patches.
fn of_unknown_kind(target: &Object<'_>) -> (Assumption, String) {
    let detail = match target.kind {
        "" => "nothing here shows which kind of object the patch changes, and in some this is no image that is pulled; write the patch into the kustomization, with the group and kind in its `target`".to_string(),
        kind => format!(
            "the `target` of the patch names the kind `{kind}` without its group, and in some groups this is no image that is pulled; write the `group` into the `target`"
        ),
    };
    (Assumption::TextReference, detail)
}

/// What an operation says that writes a part of an image, or takes it away: of which object, is not
/// known here.
pub(super) fn patched_part(pointer: &str, value: Option<(&Document<'_>, NodeId)>) -> Option<Fact> {
    let (above, key) = pointer.rsplit_once('/')?;
    let around = above.rsplit('/').next().unwrap_or("");
    let whole = value.and_then(|(document, id)| {
        let id = document.resolve(id);
        let key = split::whole_key(around, key, document.text(id)?)?;
        Some((vec![key], document.node(id).span))
    });
    let mut path = KeyPath::default();
    for key in above.split('/').skip(1) {
        match key.parse::<usize>() {
            Ok(index) => path = path.with_steps(&[Step::Item(index)]),
            Err(_) => path.push_key(&key.replace("~1", "/").replace("~0", "~")),
        }
    }
    let is_part = PARTS.contains(&key) && (key != "image" || shape::is_image(around));
    let (keys, map) = match whole {
        Some((keys, map)) if !is_part => (Some(keys), map),
        _ if PARTS.contains(&key) => (None, Span::new(0, 0)),
        _ => return None,
    };
    Some(Fact::PatchPiece(PatchPiece {
        kind: None,
        name: None,
        path,
        keys,
        map,
    }))
}

impl<'d> Walk<'d> {
    fn new(text: &'d str, document: &'d Document<'d>, object: &'d Object<'d>) -> Self {
        let name = document.text_at(object.node, &["metadata", "name"]);
        Self {
            text,
            document,
            object,
            name: name.unwrap_or(""),
            rows: Vec::new(),
            pending: Vec::new(),
            only_pieces: false,
            followed: HashSet::new(),
            noted: HashSet::new(),
            setting: OnceCell::new(),
            sites: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Looks at everything below `root`, to which the keys lead in the object.
    fn all(&mut self, root: NodeId, keys: &[&'d str]) {
        let Some(about) = table::about(self.object) else {
            return;
        };
        let rows = about.rows.into_iter();
        self.rows = rows.map(|row| (row.way(), row)).collect();
        self.go(root, keys, about.shaped);
    }

    /// The same by the rows that are known already.
    fn go(&mut self, root: NodeId, keys: &[&'d str], shaped: bool) {
        self.visit(root, &mut keys.to_vec(), shaped);
        while let Some(Pending {
            node,
            mut keys,
            shaped,
            merged,
        }) = self.pending.pop()
        {
            if merged {
                self.entries(node, &mut keys, shaped, &[]);
            } else {
                self.visit(node, &mut keys, shaped);
            }
        }
    }

    /// Assumes everything that was found, in an object of which too little is known.
    fn assume(&mut self, target: &Object<'_>) {
        for site in &mut self.sites {
            site.assumption
                .get_or_insert_with(|| of_unknown_kind(target));
        }
    }

    fn visit(&mut self, id: NodeId, keys: &mut Vec<&'d str>, shaped: bool) {
        let document = self.document;
        match document.node(id).kind {
            // An object inside this one is looked at on its own.
            Kind::Mapping if id != self.object.node && object::starts_object(document, id) => {}
            Kind::Mapping => self.map(id, keys, shaped),
            Kind::Sequence => {
                for item in document.items(id) {
                    self.visit(item, keys, shaped);
                }
            }
            Kind::Alias(target) => self.follow(target, keys, shaped, false),
            Kind::Scalar { .. } if self.only_pieces => {}
            Kind::Scalar { .. } => self.scalar(id, keys, shaped),
        }
    }

    fn follow(&mut self, node: NodeId, keys: &[&'d str], shaped: bool, merged: bool) {
        if self.followed.insert(node) {
            self.pending.push(Pending {
                node,
                keys: keys.to_vec(),
                shaped,
                merged,
            });
        }
    }

    fn map(&mut self, id: NodeId, keys: &mut Vec<&'d str>, shaped: bool) {
        let parts = self.parts(id, keys, shaped);
        self.entries(id, keys, shaped, &parts);
    }

    /// Looks at the values of a map but for those that are `known` as parts of an image.
    fn entries(&mut self, id: NodeId, keys: &mut Vec<&'d str>, shaped: bool, known: &[NodeId]) {
        let document = self.document;
        let is_root = id == self.object.node;
        for entry in document.entries(id) {
            let Some(key) = entry.key else { continue };
            if known.contains(&document.resolve(entry.value))
                || is_root && NOT_DEPLOYED.contains(&key)
            {
                continue;
            }
            if key == "<<" {
                self.merge(entry.value, keys, shaped);
                continue;
            }
            keys.push(key);
            self.visit(entry.value, keys, shaped && !shape::is_of_others(key));
            keys.pop();
        }
    }

    /// Looks at what is merged into a map.
    fn merge(&mut self, id: NodeId, keys: &mut Vec<&'d str>, shaped: bool) {
        let document = self.document;
        match document.node(id).kind {
            Kind::Mapping => self.entries(id, keys, shaped, &[]),
            Kind::Sequence => document
                .items(id)
                .for_each(|item| self.merge(item, keys, shaped)),
            Kind::Alias(target) => self.follow(target, keys, shaped, true),
            Kind::Scalar { .. } => {}
        }
    }

    /// The row that is about the field.
    fn row(&self, keys: &[&str]) -> Option<&'static Row> {
        let leads = |(way, row): &&(FieldPath, &Row)| !row.is_general() && way.matches(keys);
        self.rows.iter().find(leads).map(|(_, row)| *row)
    }

    fn scalar(&mut self, id: NodeId, keys: &[&'d str], shaped: bool) {
        let row = self.row(keys);
        // What has a name of an image may be a machine: only the registry tells.
        let is_named = || {
            let is_name = keys.last().is_some_and(|key| is_image_name(key));
            is_name && self.document.text(id).is_some_and(has_known_host)
        };
        // What the word does not show, a reference in full does.
        let is_whole = || {
            let is_one = match keys {
                [.., "images", _] => true,
                [.., key] => has_image_word(key) && shape::may_be_whole(key),
                [] => false,
            };
            is_one && self.document.text(id).is_some_and(is_full)
        };
        let may_be = shaped
            && (shape::may_be_image(keys.strip_suffix(&["reference"]).unwrap_or(keys))
                || is_named()
                || is_whole());
        let general = || {
            let mut rows = self.rows.iter().map(|(_, row)| *row);
            // What an operator hands on as it is says nothing of images by itself.
            let is_own = !keys.contains(&"config");
            rows.find(|row| may_be && is_own && row.is_general())
        };
        let Some(row) = row.or_else(general) else {
            if may_be {
                self.unknown(id, keys);
                self.doubt(id, false);
            }
            return;
        };
        match row.means {
            Means::Beginning | Means::Kubeadm => self.beginning(id, keys, row.means),
            Means::Nothing | Means::Parts(_) => {}
            Means::Tagged => {
                let text = self.document.text(id).unwrap_or("");
                if super::split(text).0 != text {
                    self.add(id, None);
                }
            }
            Means::Image if row.is_general() && self.is_other(id) => {}
            Means::Image if row.is_general() => {
                let is_pushed = purpose::of_place(keys) == Purpose::Pushed;
                self.add(id, is_pushed.then(output));
                self.doubt(id, true);
            }
            Means::Image => self.add(id, None),
            Means::Output => self.add(id, Some(output())),
            Means::Package => self.add(id, Some(package())),
        }
    }

    /// Whether a text under the key of an image is a picture or an address.
    fn is_other(&self, id: NodeId) -> bool {
        let text = self.document.text(id).unwrap_or("");
        shape::read(text) == shape::Text::Other && text.contains("://")
    }

    fn add(&mut self, id: NodeId, hold: Option<Hold>) {
        let Some(mut site) = workload::site(self.text, self.document, id) else {
            return;
        };
        site.finder = NAME;
        site.hold = hold.or(site.hold);
        self.hold_shared(id, &mut site);
        self.sites.push(site);
    }

    /// An image in a kind that nobody knows.
    fn unknown(&mut self, id: NodeId, keys: &[&str]) {
        let text = self.document.text(id).unwrap_or("");
        let Some(site) = workload::site(self.text, self.document, id) else {
            return;
        };
        let is_reference = keys.last() == Some(&"reference");
        let known = if is_reference {
            let is_one = shape::read(text) != shape::Text::Other;
            is_one.then_some(site)
        } else {
            by_shape(text, site)
        };
        let Some(mut site) = known else { return };
        site.finder = NAME;
        if let Some((_, detail)) = &mut site.assumption {
            *detail = format!(
                "nothing shows that it names an image; if it does, state it in the config: `sites: [{{kind: {}, path: {}}}]`",
                self.object.kind,
                keys.join("/")
            );
        }
        if site.assumption.is_none() && split::is_cut(text) && self.has_rest_beside(id) {
            let detail =
                "a key beside it may hold the rest of its name; if it is the whole, add its tag";
            site.assumption = Some((Assumption::BareWord, detail.to_string()));
        }
        match self.purpose(id, keys) {
            Purpose::Pulled => {}
            Purpose::Open => site.assumption = Some(of_open_purpose(self.object.kind, keys)),
            Purpose::Pushed => drop(site.hold.get_or_insert_with(output)),
        }
        self.hold_shared(id, &mut site);
        self.sites.push(site);
    }

    /// Whether a text beside an image may be joined to it.
    fn has_rest_beside(&self, id: NodeId) -> bool {
        let map = self.document.node(id).parent;
        let mut entries = self.document.entries(map);
        entries.any(|entry| entry.value != id && entry.key.is_some_and(split::may_follow))
    }

    /// What the keys that lead to an image, and those beside it, say of what it is for.
    fn purpose(&self, id: NodeId, keys: &[&str]) -> Purpose {
        let of_place = purpose::of_place(keys);
        if of_place != Purpose::Pulled || shape::is_handed(self.object.group, keys) {
            return of_place.max(Purpose::Open);
        }
        if !keys.last().is_some_and(|key| purpose::is_plain(key)) {
            return of_place;
        }
        let map = self.document.node(id).parent;
        let beside = self.document.entries(map).filter_map(|entry| entry.key);
        let built = beside.map(shape::built_beside).max();
        built.unwrap_or(of_place)
    }

    /// Holds an image that stands in a node with an anchor that is used elsewhere, unless the image
    /// itself has the anchor and is one wherever it is used.
    fn hold_shared(&self, id: NodeId, site: &mut Site) {
        let document = self.document;
        if !document.has_aliases || site.hold.is_some() {
            return;
        }
        let above = document.node(id).parent;
        if above != id {
            kustomize::hold_shared(document, above, site);
        }
        let is_other = |alias: NodeId| {
            let is_use = matches!(document.node(alias).kind, Kind::Alias(target) if target == id);
            is_use && !self.names_image(alias)
        };
        if document.node(id).anchored && (0..document.nodes.len()).any(is_other) {
            let detail = "its anchor is also used where no image is named; write the image out in both places";
            site.hold
                .get_or_insert((Reason::SharedAnchor, detail.to_string()));
        }
    }

    /// An image of which nothing but a word in its keys tells.
    fn loose(&mut self, id: NodeId, keys: &[&str]) {
        let Some(mut site) = workload::site(self.text, self.document, id) else {
            return;
        };
        if matches!(site.hold, Some((Reason::NotAnImage, _))) {
            return;
        }
        site.finder = NAME;
        match self.purpose(id, keys) {
            Purpose::Pulled => {
                let detail = format!(
                    "nothing shows that it names an image that is pulled; if it does, state it in the config: `sites: [{{kind: {}, path: {}}}]`",
                    self.object.kind,
                    keys.join("/")
                );
                site.assumption = Some((Assumption::TextReference, detail));
            }
            Purpose::Open => site.assumption = Some(of_open_purpose(self.object.kind, keys)),
            Purpose::Pushed => drop(site.hold.get_or_insert_with(output)),
        }
        self.hold_shared(id, &mut site);
        self.sites.push(site);
        self.doubt(id, false);
    }

    /// Whether what stands at a node of this object is an image that is pulled.
    fn names_image(&self, id: NodeId) -> bool {
        let Some(keys) = self.keys(id) else {
            return false;
        };
        let row = self.row(&keys);
        let is_none = row.is_some_and(|row| {
            matches!(row.means, Means::Output | Means::Package | Means::Nothing)
        });
        let is_pushed = purpose::of_place(&keys) == Purpose::Pushed;
        !is_none && !is_pushed && shape::may_be_image(&keys)
    }

    /// The keys that lead to a node of this object; none for a key, and for a node of an inner object.
    fn keys(&self, id: NodeId) -> Option<Vec<&'d str>> {
        let document = self.document;
        let (mut at, mut keys) = (id, Vec::new());
        while at != self.object.node {
            let node = document.node(at);
            if node.parent == at || object::starts_object(document, at) {
                return None;
            }
            if matches!(document.node(node.parent).kind, Kind::Mapping) {
                if node.position.is_multiple_of(2) {
                    return None;
                }
                keys.push(document.text(at - 1).unwrap_or("?"));
            }
            at = node.parent;
        }
        keys.reverse();
        Some(keys)
    }

    /// Whether a scalar is a part of an image whose registry stands beside it.
    fn is_beside_registry(&self, id: NodeId) -> bool {
        let map = self.document.node(id).parent;
        let entries = self.document.entries(map);
        let mut parts = entries.filter(|entry| entry.key.is_some_and(|key| PARTS.contains(&key)));
        let registry = self.document.text_at(map, &["registry"]);
        parts.any(|entry| entry.value == id) && registry.is_some_and(|text| !text.is_empty())
    }

    /// Doubts the image at `id` when something around it may stand in front of its name.
    ///
    /// Operators of which it is known that such keys hold whole references have repositories of their
    /// own beside them: of a runner's source code, of backups.
    fn doubt(&mut self, id: NodeId, is_known: bool) {
        let text = self.document.text(id).unwrap_or("");
        let mut front = self.front_of(id, is_known, false);
        if front.is_none() && !is_known && !shape::names_host(text) {
            front = self
                .front_of(id, false, true)
                .or_else(|| *self.setting.get_or_init(|| self.setting()));
        }
        let Some(front) = front else {
            return;
        };
        let start = self.document.node(id).span.start;
        let site = self.sites.last_mut();
        let Some(site) = site.filter(|site| site.span().start >= start) else {
            return;
        };
        if shape::names_host(text) {
            let detail = format!(
                "`{front}` beside or above it may be put in front of it, though it names a registry; remove one of the two"
            );
            site.assumption
                .get_or_insert((Assumption::ChartDefaultUnknown, detail));
        } else {
            let detail = format!(
                "`{front}` beside or above it may be put in front of it; write the image out as one reference"
            );
            site.hold.get_or_insert((Reason::GroupIncomplete, detail));
        }
    }

    /// The name of an annotation, variable or parameter of the object that may stand in front of names.
    fn setting(&self) -> Option<&'d str> {
        let (document, root) = (self.document, self.object.node);
        let annotations = document.at(root, &["metadata", "annotations"]);
        let annotations = annotations
            .into_iter()
            .flat_map(|map| document.entries(map));
        let annotations =
            annotations.filter_map(|entry| Some((entry.key?, document.text(entry.value)?)));
        let named = (root..document.node(root).end).filter_map(|map| {
            let mut value = ["value", "default"].iter();
            let value = value.find_map(|key| document.text_at(map, &[key]))?;
            Some((document.text_at(map, &["name"])?, value))
        });
        let mut all = annotations.chain(named);
        let found = all.find(|(name, value)| {
            let own = name.rsplit('/').next().unwrap_or(name);
            front::may_be("", own, value)
        });
        found.map(|(name, _)| name)
    }

    /// The key, in the map around a text or in a map around that, of what may stand in front of it; with
    /// `empty`, of what may be filled elsewhere.
    fn front_of(&self, id: NodeId, is_known: bool, empty: bool) -> Option<&'d str> {
        let document = self.document;
        let mut inner = id;
        while inner != self.object.node {
            let map = document.node(inner).parent;
            if map == inner {
                return None;
            }
            let above = map.checked_sub(1).and_then(|key| document.text(key));
            let mut entries = document.entries(map);
            let found = entries.find_map(|entry| {
                let key = entry.key.filter(|key| !is_own(key))?;
                if is_known && matches!(key, "repository" | "repo") {
                    return None;
                }
                let value = document.resolve(entry.value);
                let is_front = if empty {
                    let text = document.text(value);
                    front::is_place(key)
                        && text.is_some_and(|text| matches!(text, "" | "~" | "null"))
                } else {
                    self.is_front(above.unwrap_or(""), key, value)
                };
                is_front.then_some(key)
            });
            if found.is_some() {
                return found;
            }
            inner = map;
        }
        None
    }

    /// Whether the value of a key may stand in front of names: a text, or a map of a registry that
    /// holds one.
    fn is_front(&self, above: &str, key: &str, value: NodeId) -> bool {
        let document = self.document;
        if let Some(text) = document.text(value) {
            let is_repository = matches!(key, "repository" | "repo") && !text.is_empty();
            return front::may_be(above, key, text) || is_repository && !is_source(text);
        }
        let mut entries = document.entries(value);
        front::is_map(key)
            && entries.any(|entry| {
                let text = document.text(document.resolve(entry.value)).unwrap_or("");
                entry
                    .key
                    .is_some_and(|inner| !is_own(inner) && front::may_be(key, inner, text))
            })
    }

    /// The images at the places that the config states.
    fn stated(&mut self, fields: &[Field]) {
        let document = self.document;
        for field in fields.iter().filter(|field| field.kind == self.object.kind) {
            let mut nodes = Vec::new();
            reach(
                document,
                self.object.node,
                field.path.segments(),
                &mut nodes,
            );
            for node in nodes {
                match document.node(node).kind {
                    Kind::Mapping => self.stated_parts(node),
                    // `spec/image/repository`: the rest of the name stands beside it.
                    Kind::Scalar { .. } if self.is_beside_registry(node) => {
                        self.stated_parts(document.node(node).parent);
                    }
                    Kind::Scalar { .. } => self.add(node, None),
                    Kind::Sequence | Kind::Alias(_) => {}
                }
            }
        }
    }
}

/// Whether a key holds an image of its own, or says what the object is.
fn is_own(key: &str) -> bool {
    shape::is_image(key) || is_image_name(key) || matches!(key, "apiVersion" | "kind")
}

/// The site of a text under the key of an image, as far as the text shows one.
fn by_shape(text: &str, mut site: Site) -> Option<Site> {
    // A number, or a tag of another meaning.
    if matches!(site.hold, Some((Reason::NotAnImage, _))) {
        return None;
    }
    match shape::read(text) {
        shape::Text::Other => return None,
        shape::Text::Image => {}
        shape::Text::Word => {
            let detail = "nothing shows that it names an image; if it does, write its registry out";
            site.assumption = Some((Assumption::BareWord, detail.to_string()));
        }
    }
    Some(site)
}

/// The nodes that a path leads to, aliases followed; lists are gone through.
fn reach(document: &Document<'_>, id: NodeId, way: &[Segment], found: &mut Vec<NodeId>) {
    let id = document.resolve(id);
    if let Kind::Sequence = document.node(id).kind {
        document
            .items(id)
            .for_each(|item| reach(document, item, way, found));
        return;
    }
    let Some((segment, rest)) = way.split_first() else {
        found.push(id);
        return;
    };
    for entry in document.entries(id) {
        if entry.key == Some("<<") {
            reach(document, entry.value, way, found);
            continue;
        }
        let fits = match segment {
            Segment::Key(key) => entry.key == Some(key),
            Segment::Any | Segment::Deep => true,
        };
        if fits {
            reach(document, entry.value, rest, found);
        }
    }
}

fn output() -> Hold {
    let detail =
        "a build pushes the image to this name; change it when the build should push elsewhere";
    (Reason::BuildOutput, detail.to_string())
}

fn package() -> Hold {
    let detail = "Crossplane pulls packages itself and takes other names for other packages; use an `ImageConfig` with `spec.rewriteImage.prefix`";
    (Reason::GroupIncomplete, detail.to_string())
}
