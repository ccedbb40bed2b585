//! Images of custom resources that are written in parts, and beginnings of names.
//!
//! The parts of one map are a stack of one layer of their own: they are decided by the same means as
//! those of Helm values.

use super::super::parts::{Names, Part, Parts, Value, join};
use super::super::purpose::Purpose;
use super::super::values::{has_known_host, is_image_name, is_source};
use super::super::{BlockId, Fact, Shape, Site, WHOLE, flux, front, kustomize, rest_of_line};
use super::table::{Means, Row};
use super::{Hold, NAME, Walk, of_open_purpose, output, shape};
use crate::reason::{Assumption, Reason};
use crate::sites::KeyPath;
use crate::yaml::{Entry, NodeId, PlainType, Scalar, Style, plain_type};

/// Keys beside a repository that show that an image is meant.
const EVIDENCE: &[&str] = &[
    "registry",
    "tag",
    "digest",
    "digestHash",
    "hash",
    "sha",
    "version",
    "versionTag",
    "pullPolicy",
    "imagePullPolicy",
];
/// Keys that some operators join behind a repository.
const BEHIND: &[&str] = &[
    "repository",
    "repo",
    "name",
    "image",
    "imageName",
    "component",
];
/// Keys that some operators join between a registry and a repository.
const BETWEEN: &[&str] = &[
    "namespace",
    "organization",
    "organisation",
    "org",
    "project",
    "owner",
    "group",
    "prefix",
    "path",
    "imageNamespace",
    "imagePrefix",
    "repositoryPrefix",
];
/// Keys of tags.
const TAGS: &[&str] = &["tag", "version", "versionTag", "imageTag"];
/// The registry of Kubernetes' own images, for which kubeadm adds a component to CoreDNS.
const KUBERNETES: &[&str] = &["registry.k8s.io", "k8s.gcr.io"];

/// How the parts are known to be parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// By the table or the config: no registry means Docker Hub.
    Stated,
    /// By their keys: the operator may put a registry in front.
    Keys,
    /// By their keys, in a map that is not called an image.
    Loosely,
}

/// Why parts stay, and what a change of them rests on.
#[derive(Default)]
struct Doubts {
    hold: Option<Hold>,
    assumption: Option<(Assumption, String)>,
    /// Whether a further key may be joined behind them.
    may_go_on: bool,
}

impl Doubts {
    fn hold(reason: Reason, detail: String) -> Self {
        Self {
            hold: Some((reason, detail)),
            ..Self::default()
        }
    }

    fn assumed(code: Assumption, detail: &str) -> Self {
        Self {
            assumption: Some((code, detail.to_string())),
            ..Self::default()
        }
    }

    /// Those about the texts under `keys`.
    fn of(texts: &[&str], keys: &[&str], known: Known, parts: &[Part]) -> Self {
        let alone = keys == ["registry"];
        let first = parts.first().filter(|part| part.key == "registry");
        let has_registry = !alone && first.is_some_and(|part| part.value.scalar().is_some());
        if has_registry && !texts.iter().any(|text| shape::is_filled(text)) {
            let registry = texts[0];
            if !shape::names_host(&format!("{}/x", registry.trim_end_matches('/'))) {
                let detail = format!(
                    "`{registry}` is no registry, and what the operator makes of it is not known"
                );
                return Self::hold(Reason::NotAnImage, detail);
            }
        }
        if let Some(other) = texts.iter().skip(1).find(|text| shape::names_host(text)) {
            let first = texts[0];
            let detail =
                format!("both `{first}` and `{other}` name a registry; remove one of the two");
            return Self::hold(Reason::GroupIncomplete, detail);
        }
        if known == Known::Stated {
            return Self::default();
        }
        let name = join(texts.iter().copied());
        let named = has_registry || shape::names_host(&name);
        let detail = if alone {
            "the repository is the operator's, which may join it in a way of its own; set `repository` beside it"
        } else if !named {
            "the operator may put a registry of its own in front; write the registry out"
        } else if is_short(&name) {
            "a name of one part may be the beginning of one that the operator completes; state the image in the config: `sites`"
        } else if known == Known::Loosely {
            let detail = "nothing but the keys beside it shows that it names an image; if it does, state it in the config: `sites`";
            return Self::assumed(Assumption::TextReference, detail);
        } else {
            return Self::default();
        };
        Self::assumed(Assumption::ChartDefaultUnknown, detail)
    }
}

/// What others have to know of a key in a map under `above` that holds no part of an image: `image` for
/// any image in full, and the key itself for what may stand in front of names.
pub(super) fn whole_key(above: &str, key: &str, text: &str) -> Option<String> {
    if shape::is_image(key) || is_image_name(key) {
        let is_one = shape::read(text) != shape::Text::Other;
        return is_one.then(|| WHOLE.to_string());
    }
    let is_front = front::may_be(above, key, text) || text.is_empty() && front::is_place(key);
    is_front.then(|| key.to_string())
}

/// Whether what stands under this key may be joined behind a repository.
pub(super) fn may_follow(key: &str) -> bool {
    BEHIND.contains(&key)
}

/// Whether a text may be the beginning of a name: one part behind a registry, and no tag.
pub(super) fn is_cut(text: &str) -> bool {
    let is_untagged = crate::sites::split(text).0 == text;
    is_untagged && shape::names_host(text) && is_short(text)
}

/// Whether a name has one part behind its registry, where names have more: Docker Hub's own images
/// are written so as well, but so is an organization to which the rest is added.
fn is_short(name: &str) -> bool {
    let (registry, rest) = name.split_once('/').unwrap_or(("", name));
    !rest.contains('/') && !KUBERNETES.contains(&registry)
}

impl<'d> Walk<'d> {
    /// The image whose parts a map holds; gives the values that are its parts.
    pub(super) fn parts(&mut self, map: NodeId, keys: &[&'d str], shaped: bool) -> Vec<NodeId> {
        self.note_piece(map, keys, false);
        if self.only_pieces {
            return Vec::new();
        }
        let row = self.row(keys);
        if let Some(Row {
            means: Means::Parts(names),
            ..
        }) = row
        {
            return self.known_parts(map, names);
        }
        if !shaped || row.is_some_and(|row| row.means == Means::Nothing) {
            return Vec::new();
        }
        let (names, known) = match self.by_keys(map, keys) {
            Some(names) => (names, Known::Keys),
            None if self.is_loose(map, keys) => (vec!["registry", "repository"], Known::Loosely),
            None => return Vec::new(),
        };
        let before = self.sites.len();
        let nodes = self.add_parts(map, &names, known);
        let purpose = self.purpose(map, keys);
        let open = of_open_purpose(self.object.kind, keys);
        for site in &mut self.sites[before..] {
            match purpose {
                Purpose::Pulled => {}
                Purpose::Open => drop(site.assumption.get_or_insert_with(|| open.clone())),
                Purpose::Pushed => drop(site.hold.get_or_insert_with(output)),
            }
        }
        nodes
    }

    /// The image at a place that the table knows. What is missing of three parts is the operator's.
    fn known_parts(&mut self, map: NodeId, names: &[&str]) -> Vec<NodeId> {
        let [registry, repository, name] = names else {
            return self.add_parts(map, names, Known::Stated);
        };
        let has = |key: &str| self.text(map, key).is_some();
        match (has(registry), has(repository), has(name)) {
            (_, false, false) | (true, true, _) => self.add_parts(map, names, Known::Stated),
            _ => {
                let before = self.sites.len();
                let nodes = self.add_parts(map, names, Known::Stated);
                for site in &mut self.sites[before..] {
                    let detail = "the operator completes it with parts of its own; write `registry`, `repository` and `name` out";
                    site.hold
                        .get_or_insert((Reason::GroupIncomplete, detail.to_string()));
                }
                nodes
            }
        }
    }

    /// Whether a map holds a repository with its registry, and what else stands beside one of an image.
    fn is_loose(&self, map: NodeId, keys: &[&str]) -> bool {
        let has = |key: &&str| self.text(map, key).is_some();
        let Some(repository) = self.text(map, "repository") else {
            return false;
        };
        let registry = self.text(map, "registry").unwrap_or("");
        let is_other = keys.last().is_none_or(|key| shape::is_no_image_map(key));
        !is_other
            && !is_source(repository)
            && ["tag", "digest", "pullPolicy", "imagePullPolicy"]
                .iter()
                .any(has)
            && has_known_host(&join(
                [registry, repository]
                    .into_iter()
                    .filter(|text| !text.is_empty()),
            ))
    }

    /// The image at a place of the user's own that is a map.
    pub(super) fn stated_parts(&mut self, map: NodeId) {
        let names = ["repository", "repo", "image", "name"];
        let repository = names.iter().find(|key| self.text(map, key).is_some());
        if let Some(repository) = repository {
            self.note_piece(map, &[], true);
            self.add_parts(map, &["registry", repository], Known::Stated);
        }
    }

    /// Notes which parts of an image a map may hold, and what may stand in front of names below it, for
    /// others that hold more of it. `stated`: the config says that it holds parts.
    fn note_piece(&mut self, map: NodeId, keys: &[&str], stated: bool) {
        if !self.noted.insert(map) {
            return;
        }
        let document = self.document;
        let above = keys.last().copied().unwrap_or("");
        let is_image = stated || shape::is_image(above);
        // What the table knows of a kind as a whole is no matter of what stands around it.
        let is_open = !self.rows.iter().any(|(_, row)| row.is_general());
        let piece = |entry: Entry<'d>| {
            let key = entry.key?;
            let text = document.text(document.resolve(entry.value));
            let is_part = match key {
                "registry" => true,
                "repository" | "repo" => !text.is_some_and(is_source),
                "name" | "image" => is_image,
                _ => false,
            };
            if is_part {
                return Some(key.to_string());
            }
            let is_known = || self.row(&[keys, &[key]].concat()).is_some();
            whole_key(above, key, text?).filter(|_| is_open && !is_known())
        };
        let mut keys: Vec<String> = document.entries(map).filter_map(piece).collect();
        if keys.is_empty() {
            return;
        }
        keys.sort_unstable();
        keys.dedup();
        self.facts.push(Fact::Piece {
            object: Some(format!("{}/{}", self.object.kind, self.name)),
            path: KeyPath::of(document, map),
            keys,
            map: document.node(map).span,
        });
    }

    fn text(&self, map: NodeId, key: &str) -> Option<&'d str> {
        let node = self.document.get(map, key)?;
        let is_text = matches!(self.value(node), Some(Value::Text(_)));
        self.document.text(node).filter(|_| is_text)
    }

    /// Which keys of a map are the parts of an image, by their names.
    fn by_keys(&self, map: NodeId, keys: &[&str]) -> Option<Vec<&'static str>> {
        let has = |key: &str| self.text(map, key).is_some();
        let repository = self.text(map, "repository");
        let whole = ["image", "imageName"]
            .iter()
            .find_map(|key| self.text(map, key));
        if whole.is_some_and(shape::names_host)
            && repository.is_some_and(|text| !shape::names_host(text))
        {
            // A repository of source code, beside an image in full.
            return None;
        }
        if let Some(repository) = repository
            && has("image")
            && (has("registry")
                || shape::names_host(&format!("{}/x", repository.trim_end_matches('/'))))
            && TAGS.iter().any(|key| has(key))
            && !is_source(repository)
        {
            return Some(vec!["registry", "repository", "image"]);
        }
        if !shape::may_be_image(keys) {
            return None;
        }
        let evidence = EVIDENCE.iter().any(|key| has(key));
        if let Some(repository) = repository {
            let fits = evidence || has_known_host(repository);
            return fits.then_some(vec!["registry", "repository"]);
        }
        // A whole reference is no part, whatever stands beside it, and what a row says of a key goes.
        let full = ["repo", "image", "name"].into_iter().find(|key| {
            let Some(text) = self.text(map, key) else {
                return false;
            };
            let is_sure = has("registry") && has("tag") || *key == "image" || has_known_host(text);
            let has_row = self.row(&[keys, &[*key]].concat()).is_some();
            is_sure && !has_row && crate::sites::split(text).0 == text
        });
        if let Some(full) = full {
            return evidence.then_some(vec!["registry", full]);
        }
        let registry = self.text(map, "registry")?;
        let is_known = has_known_host(&format!("{}/x", registry.trim_end_matches('/')));
        is_known.then_some(vec!["registry"])
    }

    /// Adds the site of the parts under `keys`; gives their values.
    fn add_parts(&mut self, map: NodeId, keys: &[&str], known: Known) -> Vec<NodeId> {
        let mut parts = Vec::new();
        let mut nodes = Vec::new();
        for key in keys {
            let node = self.document.get(map, key);
            let value = match node.map(|node| self.value(node)) {
                None => Value::Missing,
                Some(None) => return Vec::new(),
                Some(Some(value)) => value,
            };
            if matches!(value, Value::Missing) && *key == "registry" && keys.len() > 2 {
                continue;
            }
            nodes.extend(node);
            parts.push(Part {
                key: (*key).to_string(),
                value,
            });
        }
        let texts = parts.iter().filter_map(|part| part.value.scalar());
        let texts: Vec<&str> = texts.map(|scalar| scalar.value.as_str()).collect();
        let (behind, between) = (
            self.beside(map, keys, BEHIND),
            self.beside(map, keys, BETWEEN),
        );
        if texts.is_empty() || texts.iter().any(|text| is_source(text)) {
            return Vec::new();
        }
        // A registry without the rest of the name.
        if let ["registry", _, ..] = keys
            && texts.len() == 1
            && parts[0].value.scalar().is_some()
        {
            return self.add_parts(map, &["registry"], Known::Keys);
        }
        let registry_alone = keys == ["registry"];
        let names = if registry_alone {
            Names::StatedBeginning
        } else {
            Names::StatedImage
        };
        let mut doubts = Doubts::of(&texts, keys, known, &parts);
        let is_cut = keys.len() == 3
            && parts
                .last()
                .is_some_and(|part| part.value.scalar().is_none());
        let ends = keys
            .last()
            .is_some_and(|key| matches!(*key, "repository" | "repo"));
        doubts.may_go_on = is_cut || ends && !behind.is_empty();
        let has_registry = parts[0].key == "registry" && parts[0].value.scalar().is_some();
        let is_open =
            !ends && keys.len() < 3 && !behind.is_empty() || has_registry && !between.is_empty();
        if is_open && doubts.hold.is_none() {
            let detail =
                "a key beside it may be joined to its parts; write the image out as one reference";
            doubts.hold = Some((Reason::GroupIncomplete, detail.to_string()));
        }
        self.push(map, "", names, parts, doubts);
        nodes.extend(behind);
        if has_registry {
            nodes.extend(between);
        }
        nodes
    }

    /// The texts beside the parts under `keys` that stand under others of these.
    fn beside(&self, map: NodeId, keys: &[&str], others: &[&str]) -> Vec<NodeId> {
        let others = others.iter().filter(|key| !keys.contains(key));
        let filled = others.filter(|key| self.text(map, key).is_some_and(|text| !is_source(text)));
        filled
            .filter_map(|key| self.document.get(map, key))
            .map(|node| self.document.resolve(node))
            .collect()
    }

    /// The beginning of names under the last of the keys.
    pub(super) fn beginning(&mut self, id: NodeId, keys: &[&'d str], means: Means) {
        let document = self.document;
        let (Some(Value::Text(scalar)), Some(key)) = (self.value(id), keys.last()) else {
            return;
        };
        let map = document.node(id).parent;
        let hold = (means == Means::Kubeadm)
            .then(|| self.coredns(&scalar.value, map, keys))
            .flatten();
        let part = Part {
            key: (*key).to_string(),
            value: Value::Text(scalar),
        };
        let doubts = Doubts {
            hold,
            ..Doubts::default()
        };
        self.push(map, key, Names::StatedBeginning, vec![part], doubts);
    }

    /// Why a beginning stays of which kubeadm makes the name of CoreDNS: only behind the registry of
    /// Kubernetes itself it adds a component, `coredns/coredns` (kubeadm `images.GetDNSImage`).
    fn coredns(&self, text: &str, map: NodeId, keys: &[&str]) -> Option<Hold> {
        if !KUBERNETES.contains(&text.trim_end_matches('/')) {
            return None;
        }
        let is_dns = keys.iter().rev().nth(1) == Some(&"dns");
        let dns = self.document.get(map, "dns");
        let own = dns.and_then(|dns| self.text(dns, "imageRepository"));
        if !is_dns && own.is_some() {
            return None;
        }
        let detail = if is_dns {
            format!(
                "kubeadm adds `/coredns` to `{text}` and to nothing else; write `{text}/coredns` first"
            )
        } else {
            format!(
                "kubeadm pulls CoreDNS from `{text}/coredns` and would look for it elsewhere; set `dns.imageRepository: {text}/coredns` beside it first"
            )
        };
        Some((Reason::GroupIncomplete, detail))
    }

    fn push(&mut self, map: NodeId, family: &str, names: Names, parts: Vec<Part>, doubts: Doubts) {
        let document = self.document;
        let texts = parts.iter().filter_map(|part| part.value.scalar());
        let suffix = self.suffix(map, family);
        let display = join(texts.clone().map(|scalar| scalar.value.as_str()));
        let marker =
            |scalar: &Scalar| flux::marker_hold(rest_of_line(self.text, scalar.place.span().end));
        let hold = doubts.hold.or_else(|| texts.clone().find_map(marker));
        let mut path = KeyPath::of(document, map);
        if !family.is_empty() {
            path.push_key(family);
        }
        let mut site = Site {
            document: document.path,
            path,
            shape: Shape::Parts(Box::new(Parts {
                block: Some(BlockId::of(document, map)),
                at: Vec::new(),
                family: family.to_string(),
                names,
                parts,
                may_go_on: doubts.may_go_on,
                between: false,
                display: format!("{display}{suffix}"),
                suffix,
                room: Err("an operator reads it".to_string()),
            })),
            finder: NAME,
            hold,
            assumption: doubts.assumption,
        };
        if site.hold.is_none() {
            kustomize::hold_shared(document, map, &mut site);
        }
        let is_shared = |value: NodeId| {
            let node = document.node(value);
            document.has_aliases
                && (node.anchored || matches!(node.kind, crate::yaml::Kind::Alias(_)))
        };
        let is_part = |key: &str| site.parts().is_some_and(|parts| parts.has_key(key));
        let mut entries = document.entries(map);
        let shared = entries.any(|entry| is_shared(entry.value) && entry.key.is_some_and(is_part));
        if shared {
            let detail =
                "the anchor of a part is also used elsewhere; write the part out in both places";
            site.hold
                .get_or_insert((Reason::SharedAnchor, detail.to_string()));
        }
        if document.entries(map).any(|entry| entry.key == Some("<<")) {
            let detail =
                "a merged map may hold further parts of it; write the parts out in one map";
            site.hold
                .get_or_insert((Reason::SharedAnchor, detail.to_string()));
        }
        self.sites.push(site);
    }

    /// What stands under the key of a part; none for anything but a text.
    fn value(&self, id: NodeId) -> Option<Value> {
        let document = self.document;
        let id = document.resolve(id);
        let crate::yaml::Kind::Scalar { value, style, .. } = &document.node(id).kind else {
            return None;
        };
        let is_null = *style == Style::Plain && plain_type(value) == PlainType::Null;
        if is_null || value.is_empty() {
            return Some(Value::Empty);
        }
        Scalar::locate(self.text, document, id).map(Value::Text)
    }

    /// The tag and digest beside the parts.
    fn suffix(&self, map: NodeId, family: &str) -> String {
        if !family.is_empty() {
            return String::new();
        }
        let find = |keys: &[&str]| {
            let mut texts = keys.iter().filter_map(|key| self.text(map, key));
            texts.find(|text| !text.contains(['{', '$']))
        };
        let tag = find(TAGS).map_or(String::new(), |tag| format!(":{tag}"));
        match find(&["digest", "digestHash"]) {
            Some(digest) if digest.contains(':') => format!("{tag}@{digest}"),
            _ => tag,
        }
    }
}
