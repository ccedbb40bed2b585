//! Helm values: images in parts, full references under `image` and `*Image`, and registries that are
//! put in front of other names.
//!
//! Which files are values: those named so, those that another file names, and every document without
//! `apiVersion` and `kind` that holds a map shaped like an image. A `repository` counts only below a
//! key that says image or beside a `registry`, `tag`, `digest` or `pullPolicy`, because charts use
//! the same word for git repositories. The shapes and their frequency were counted over 296 values
//! files of public charts.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::parts::{Names, Part, Parts, Step, Value, join};
use super::{Shape, Site, flux, object, rest_of_line};
use crate::image::ImageRef;
use crate::reason::Reason;
use crate::rules::{ecr_host, upstreams};
use crate::yaml::{Document, Kind, NodeId, PlainType, Scalar, Style, plain_type};

pub(super) const NAME: &str = "values";

/// Keys that may hold a repository in the map that a key `registry` would stand in. The first that
/// is there counts. The others ask for more evidence.
const REPOSITORY_KEYS: &[&str] = &["repository", "repo", "image", "name"];
/// Keys beside a `repository` that show that an image is meant.
const EVIDENCE: &[&str] = &[
    "registry",
    "tag",
    "digest",
    "sha",
    "pullPolicy",
    "imagePullPolicy",
];
/// Keys that hold a tag.
const TAG_KEYS: &[&str] = &["tag", "imageTag", "version"];
/// Keys that hold a digest (grafana's `sha` without its algorithm).
const DIGEST_KEYS: &[&str] = &["digest", "imageDigest", "sha"];
/// Keys of registries or longer beginnings that charts put in front of other names.
const BEGINNINGS: &[&str] = &["hub", "containerRegistry", "dockerRegistry"];
/// Keys that end like an image's and name something else.
const NO_IMAGES: &[&str] = &[
    "backingImage",
    "osImage",
    "vmImage",
    "machineImage",
    "diskImage",
    "bootImage",
    "backgroundImage",
];
/// Ends of file names that stand under `image` in web pages and virtual machines.
const FILE_SUFFIXES: &[&str] = &[
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".qcow2", ".iso", ".img", ".raw",
];
/// Hosts of source code, which stand under `repository`, too.
const GIT_HOSTS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];
/// Words in keys below which a registry is an address to log in to.
const LOGINS: &[&str] = &["secret", "credential", "auth", "login"];
/// Deeper nesting than any chart has; aliases can make it endless.
const MAX_DEPTH: usize = 200;
/// More maps than any values file has: aliases can make more out of few bytes.
const MAX_MAPS: usize = 200_000;

/// Whether a file of this name holds Helm values: `values.yaml`, `values-prod.yml`,
/// `prod-values.yaml`.
pub fn is_values_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| {
        name.strip_suffix(".yaml")
            .or_else(|| name.strip_suffix(".yml"))
    });
    stem.is_some_and(|stem| stem.to_ascii_lowercase().contains("values"))
}

/// What a document of Helm values says besides its images.
#[derive(Clone, Debug, Default)]
pub struct Loose {
    /// Parts of names that nothing in this file shows to be parts: another layer may.
    pub parts: Vec<LoosePart>,
    /// Whether Bitnami charts are allowed to use other registries
    /// (`global.security.allowInsecureImages: true`).
    pub insecure_allowed: bool,
}

/// A key that holds a part of a name in other files.
#[derive(Clone, Debug)]
pub struct LoosePart {
    /// The document, 0-based.
    pub document: usize,
    /// The way to its map.
    pub at: Vec<Step>,
    /// The key.
    pub key: String,
    /// Whether it takes back what an earlier layer says.
    pub empties: bool,
}

/// What is found in a document that may be Helm values.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The sites, in no order.
    pub sites: Vec<Site>,
    /// The rest.
    pub loose: Loose,
    /// Whether the file's name or the shape of a map in it shows that these are values; else
    /// another file has to.
    pub proven: bool,
}

/// The sites of a document that may be Helm values; `None` when it cannot be.
pub(super) fn find(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    templates: &[Template],
) -> Option<Values> {
    let named = is_values_name(path);
    if !may_hold_values(path, document, named) {
        return None;
    }
    let mut walk = Walk {
        text,
        document,
        sites: Vec::new(),
        loose: Loose::default(),
        shaped: false,
        maps: 0,
        complete: true,
        read: HashSet::new(),
    };
    walk.map(0, &mut Vec::new());
    for template in templates {
        walk.stated(template);
    }
    walk.settle();
    let Walk {
        mut sites,
        loose,
        shaped,
        ..
    } = walk;
    if let Some(wrapper) = wrapper(document) {
        for site in &mut sites {
            let detail =
                format!("{wrapper} combines it with other values, which is not followed yet");
            site.hold.get_or_insert((Reason::GroupIncomplete, detail));
        }
    }
    Some(Values {
        sites,
        loose,
        proven: named || shaped,
    })
}

/// The paths of the keys whose texts, joined with `/`, name an image: `{{ .proxy.hub }}/{{
/// .proxy.name }}` is `[[proxy, hub], [proxy, name]]`.
pub type Template = Vec<Vec<String>>;

/// Objects, pieces of templates, and tests of charts are no values.
fn may_hold_values(path: &Path, document: &Document<'_>, named: bool) -> bool {
    if !matches!(document.node(0).kind, Kind::Mapping) {
        return false;
    }
    let has = |key| document.get(0, key).is_some();
    let is_object = if named {
        has("apiVersion") && has("kind")
    } else {
        has("apiVersion") || has("kind")
    };
    let is_test = has("tests") && (has("suite") || has("templates"));
    let in_templates = path.parent().is_some_and(|folder| {
        folder
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("templates" | "crds")))
    });
    let is_schema = has("$schema") || has("$defs");
    let is_other = super::chart::is_chart_name(path) || super::is_kustomization_name(path);
    !is_object && !is_test && !is_schema && !is_other && !in_templates
}

/// What the document is when values are only a part of it.
fn wrapper(document: &Document<'_>) -> Option<&'static str> {
    let releases = document.get(0, "releases");
    let is_release = |item| document.get(document.resolve(item), "chart").is_some();
    if releases.is_some_and(|releases| document.items(releases).any(is_release)) {
        return Some("a helmfile");
    }
    let helm = document.get(0, "helm")?;
    ["values", "valuesFiles", "chart", "parameters"]
        .iter()
        .any(|key| document.get(helm, key).is_some())
        .then_some("a Fleet bundle or Argo CD override")
}

/// The entries of a map, those that it merges (`<<`) with them, by key.
type Entries<'d> = HashMap<&'d str, NodeId>;

/// A walk through the values; aliases are followed wherever they stand.
struct Walk<'d> {
    text: &'d str,
    document: &'d Document<'d>,
    sites: Vec<Site>,
    loose: Loose,
    shaped: bool,
    maps: usize,
    /// Whether everything was walked.
    complete: bool,
    /// The scalars that were read as something other than a part of a name, where aliases exist.
    read: HashSet<NodeId>,
}

impl<'d> Walk<'d> {
    fn value(&mut self, id: NodeId, at: &mut Vec<Step>) {
        let document = self.document;
        let id = document.resolve(id);
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
                if document.has_aliases {
                    self.read.insert(id);
                }
            }
            Kind::Alias(_) => {}
        }
    }

    fn map(&mut self, id: NodeId, at: &mut Vec<Step>) {
        self.maps += 1;
        if self.maps > MAX_MAPS || at.len() > MAX_DEPTH {
            self.complete = false;
            return;
        }
        if object::starts_object(self.document, id) {
            return;
        }
        let document = self.document;
        let entries = self.entries(id);
        let consumed = self.images(id, &entries, at);
        self.loose(&entries, &consumed, at);
        for entry in document.entries(id) {
            let Some(key) = entry.key else { continue };
            if key == "<<" || consumed.contains(&document.resolve(entry.value)) {
                continue;
            }
            at.push(Step::Key(key.to_string()));
            self.value(entry.value, at);
            at.pop();
        }
        if entries.len() > document.entries(id).count() || document.has_aliases {
            self.merged(id, &entries, &consumed, at);
        }
    }

    /// Walks what a map merges from others.
    fn merged(
        &mut self,
        id: NodeId,
        entries: &Entries<'d>,
        consumed: &[NodeId],
        at: &mut Vec<Step>,
    ) {
        let document = self.document;
        let own: Vec<&str> = document.entries(id).filter_map(|entry| entry.key).collect();
        if !own.contains(&"<<") {
            return;
        }
        let mut merged: Vec<_> = entries
            .iter()
            .filter(|(key, _)| !own.contains(*key))
            .collect();
        merged.sort();
        for (key, value) in merged {
            if consumed.contains(value) {
                continue;
            }
            at.push(Step::Key((*key).to_string()));
            self.value(*value, at);
            at.pop();
        }
    }

    /// The map's own entries (the last of a key), and those it merges; aliases followed.
    fn entries(&self, id: NodeId) -> Entries<'d> {
        let document = self.document;
        let mut entries = Entries::new();
        let mut merges = vec![(id, 0)];
        while let Some((id, depth)) = merges.pop() {
            for entry in document.entries(id) {
                let Some(key) = entry.key else { continue };
                if key == "<<" && depth < 16 {
                    let merged = document.resolve(entry.value);
                    match document.node(merged).kind {
                        Kind::Sequence => {
                            let items: Vec<_> = document.items(merged).collect();
                            merges.extend(
                                items
                                    .into_iter()
                                    .rev()
                                    .map(|item| (document.resolve(item), depth + 1)),
                            );
                        }
                        _ => merges.push((merged, depth + 1)),
                    }
                } else if depth == 0 {
                    entries.insert(key, document.resolve(entry.value));
                } else {
                    entries.entry(key).or_insert(document.resolve(entry.value));
                }
            }
        }
        entries
    }

    /// Notes what other layers may make parts of.
    fn loose(&mut self, entries: &Entries<'d>, consumed: &[NodeId], at: &[Step]) {
        let in_global = matches!(at, [.., Step::Key(global), Step::Key(security)] if global == "global" && security == "security");
        if in_global && let Some(&allows) = entries.get("allowInsecureImages") {
            self.loose.insecure_allowed |= self.document.text(allows) == Some("true");
        }
        let image_like = is_image_map(at);
        let mut keys: Vec<(&str, NodeId)> =
            entries.iter().map(|(&key, &node)| (key, node)).collect();
        keys.sort_unstable();
        for (key, node) in keys {
            let part = matches!(key, "registry" | "repository" | "repo" | "image")
                || key == "name" && image_like
                || is_image_key(key)
                || key.ends_with("mageRegistry")
                || key.ends_with("mageRepository")
                || key == "imageNamespace"
                || BEGINNINGS.contains(&key);
            if !part || consumed.contains(&node) {
                continue;
            }
            let empties = match self.read(node) {
                Some(Value::Text(_)) => false,
                Some(Value::Empty) => true,
                Some(Value::Missing) | None => continue,
            };
            self.loose.parts.push(LoosePart {
                document: self.document.index,
                at: at.to_vec(),
                key: key.to_string(),
                empties,
            });
        }
    }

    /// Adds the images that the keys of one map name. Gives the nodes that were read as parts.
    fn images(&mut self, id: NodeId, entries: &Entries<'d>, at: &[Step]) -> Vec<NodeId> {
        let mut consumed = Vec::new();
        self.classic(id, entries, at, &mut consumed);
        let mut keys: Vec<&str> = entries.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            if consumed.contains(&entries[key]) {
                continue;
            }
            if let Some(stem) = key
                .strip_suffix("Repository")
                .filter(|stem| is_image_key(stem))
            {
                self.flat(
                    id,
                    entries,
                    at,
                    stem,
                    &[&format!("{stem}Registry"), key],
                    &mut consumed,
                );
            } else if is_image_key(key) {
                let stem = if key == "image" { "image" } else { key };
                self.flat(
                    id,
                    entries,
                    at,
                    stem,
                    &[&format!("{stem}Registry"), key],
                    &mut consumed,
                );
            }
        }
        self.beginnings(id, entries, at, &mut consumed);
        consumed
    }

    /// `registry` and `repository` (or `repo`, `image`, `name`) in one map.
    fn classic(
        &mut self,
        id: NodeId,
        entries: &Entries<'d>,
        at: &[Step],
        consumed: &mut Vec<NodeId>,
    ) {
        let image_like = is_image_map(at);
        let evidence = EVIDENCE.iter().any(|key| {
            entries
                .get(key)
                .is_some_and(|&node| self.document.text(node).is_some())
        });
        let text = |key: &str| entries.get(key).and_then(|&node| self.document.text(node));
        let split = ["registry", "tag", "digest"]
            .iter()
            .any(|key| text(key).is_some());
        let chosen = REPOSITORY_KEYS.iter().copied().find(|&key| {
            let Some(value) = text(key) else { return false };
            match key {
                "repository" => image_like || evidence,
                "repo" => split && (image_like || has_known_host(value)),
                "image" => text("registry").is_some() || image_like && split,
                _ => image_like && split && text("imageNamespace").is_none(),
            }
        });
        let alone = text("registry").is_some() && image_like && !is_global_image(at);
        if chosen.is_none() && !alone {
            return;
        }
        let key = chosen.unwrap_or("repository");
        let more = ["image", "name"]
            .iter()
            .any(|other| *other != key && text(other).is_some_and(|text| !text.is_empty()));
        let added = self.add(
            id,
            entries,
            at,
            "",
            Names::Image,
            &["registry", key],
            consumed,
        );
        if let Some(site) = added {
            self.shaped |= chosen.is_some();
            if let Shape::Parts(parts) = &mut self.sites[site].shape {
                parts.may_go_on = more && key == "repository";
            }
        }
    }

    /// A full reference or a repository under a key of its own, with siblings of the same stem.
    fn flat(
        &mut self,
        id: NodeId,
        entries: &Entries<'d>,
        at: &[Step],
        stem: &str,
        keys: &[&str],
        consumed: &mut Vec<NodeId>,
    ) {
        let value = keys.last().and_then(|key| entries.get(key));
        let Some(value) = value.and_then(|&node| self.document.text(node)) else {
            return;
        };
        let lower = value.to_ascii_lowercase();
        if FILE_SUFFIXES.iter().any(|suffix| lower.ends_with(suffix)) {
            return;
        }
        let names = if stem == "defaultImage" {
            Names::Beginning
        } else {
            Names::Image
        };
        let shaped = keys.last().is_some_and(|key| key.ends_with("Repository"));
        if self
            .add(id, entries, at, stem, names, keys, consumed)
            .is_some()
        {
            self.shaped |= shaped;
        }
    }

    /// Registries and longer beginnings of names.
    fn beginnings(
        &mut self,
        id: NodeId,
        entries: &Entries<'d>,
        at: &[Step],
        consumed: &mut Vec<NodeId>,
    ) {
        let login = at.iter().any(|step| match step {
            Step::Key(key) => {
                let key = key.to_ascii_lowercase();
                LOGINS.iter().any(|word| key.contains(word))
            }
            Step::Item(_) => false,
        });
        if login || entries.contains_key("username") || entries.contains_key("password") {
            return;
        }
        let place: Vec<String> = at.iter().map(ToString::to_string).collect();
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let mut keys: Vec<&str> = entries.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let value = self.document.text(entries[key]).unwrap_or("");
            if consumed.contains(&entries[key]) {
                continue;
            }
            let everything = matches!(
                (place.as_slice(), key),
                (["global"], "imageRegistry" | "registry") | (["global", "image"], "registry")
            );
            let stem = key
                .strip_suffix("Registry")
                .filter(|stem| is_image_key(stem));
            let listed = BEGINNINGS.contains(&key)
                || key == "registry" && (place.len() <= 1 || has_known_host(&format!("{value}/x")));
            if everything {
                self.add(id, entries, at, key, Names::Everything, &[key], consumed);
            } else if let Some(stem) = stem {
                let next = match stem {
                    "image" => "imageNamespace".to_string(),
                    _ => format!("{stem}Repository"),
                };
                self.add(
                    id,
                    entries,
                    at,
                    stem,
                    Names::Beginning,
                    &[key, &next],
                    consumed,
                );
            } else if listed && is_beginning(value) {
                self.add(id, entries, at, key, Names::Beginning, &[key], consumed);
            }
        }
    }

    /// The image that the config says stands under these paths of keys, to be joined with `/`.
    fn stated(&mut self, paths: &Template) {
        let parts: Vec<Part> = paths
            .iter()
            .map(|path| {
                let keys: Vec<&str> = path.iter().map(String::as_str).collect();
                let value = match self.document.at(0, &keys) {
                    Some(node) => self.read(node).unwrap_or(Value::Missing),
                    None => Value::Missing,
                };
                Part {
                    key: path.join("."),
                    value,
                }
            })
            .collect();
        if parts.iter().all(|part| part.value.scalar().is_none()) {
            return;
        }
        let scalars: Vec<usize> = parts
            .iter()
            .filter_map(|part| Some(part.value.scalar()?.ordinal))
            .collect();
        // What the config says of a key replaces what its name suggests.
        self.sites.retain(|site| {
            !site
                .scalars()
                .any(|scalar| scalars.contains(&scalar.ordinal))
        });
        let family = paths.iter().map(|path| path.join(".")).collect::<Vec<_>>();
        self.shaped = true;
        self.push(Parts {
            at: Vec::new(),
            family: family.join("/"),
            names: Names::StatedImage,
            parts,
            may_go_on: false,
            suffix: String::new(),
            display: String::new(),
        });
    }

    /// Adds a site with the parts under `keys`; gives its place when there is one.
    #[allow(clippy::too_many_arguments, reason = "the parts of a site, once")]
    fn add(
        &mut self,
        id: NodeId,
        entries: &Entries<'d>,
        at: &[Step],
        family: &str,
        names: Names,
        keys: &[&str],
        consumed: &mut Vec<NodeId>,
    ) -> Option<usize> {
        let mut parts = Vec::with_capacity(keys.len());
        let mut nodes = Vec::new();
        for key in keys {
            let value = match entries.get(key) {
                Some(&node) => self.read(node)?,
                None => Value::Missing,
            };
            nodes.extend(entries.get(key).copied());
            parts.push(Part {
                key: (*key).to_string(),
                value,
            });
        }
        let last = parts.iter().rev().find_map(|part| part.value.scalar())?;
        if is_source(&last.value) {
            return None;
        }
        let suffix = self.suffix(entries, family);
        consumed.extend(nodes);
        self.push(Parts {
            at: at.to_vec(),
            family: family.to_string(),
            names,
            parts,
            may_go_on: false,
            suffix,
            display: String::new(),
        });
        let twice = keys.iter().any(|key| {
            let same = self
                .document
                .entries(id)
                .filter(|entry| entry.key == Some(key));
            same.count() > 1
        });
        let index = self.sites.len() - 1;
        if twice {
            let detail = "one of its keys stands twice in the same map; remove one";
            self.sites[index].hold = Some((Reason::NotEditable, detail.to_string()));
        }
        Some(index)
    }

    fn push(&mut self, mut parts: Parts) {
        let texts = parts.scalars().map(|scalar| scalar.value.as_str());
        parts.display = format!("{}{}", join(texts), parts.suffix);
        let hold = parts
            .scalars()
            .find_map(|scalar| flux::marker_hold(rest_of_line(self.text, scalar.place.span().end)));
        self.sites.push(Site {
            document: self.document.index,
            path: parts.path(),
            shape: Shape::Parts(Box::new(parts)),
            finder: NAME,
            hold,
        });
    }

    /// What a scalar says as a part; `None` for anything that is no text.
    fn read(&self, id: NodeId) -> Option<Value> {
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

    /// The tag and digest beside the parts.
    fn suffix(&self, entries: &Entries<'d>, family: &str) -> String {
        let text = |keys: &[&str], ending: &str| {
            let own = format!("{family}{ending}");
            let keys = keys
                .iter()
                .copied()
                .filter(|_| matches!(family, "" | "image"));
            let found = std::iter::once(own.as_str()).chain(keys).find_map(|key| {
                let text = self.document.text(*entries.get(key)?)?;
                (!matches!(text, "" | "~" | "null") && !text.contains(['{', '$'])).then_some(text)
            });
            found.unwrap_or("").to_string()
        };
        let (tag, digest) = (text(TAG_KEYS, "Tag"), text(DIGEST_KEYS, "Digest"));
        let tag = if tag.is_empty() {
            tag
        } else {
            format!(":{tag}")
        };
        match digest.as_str() {
            "" => tag,
            digest if digest.contains(':') => format!("{tag}@{digest}"),
            digest => format!("{tag}@sha256:{digest}"),
        }
    }

    /// Holds what is shared, through anchors, with something that is no image.
    fn settle(&mut self) {
        if !self.document.has_aliases {
            return;
        }
        let read: Vec<usize> = self
            .read
            .iter()
            .filter_map(|&id| match self.document.node(id).kind {
                Kind::Scalar { ordinal, .. } => Some(ordinal),
                _ => None,
            })
            .collect();
        let detail = if self.complete {
            "its anchor is also used where no image is named; write the image out in both places"
        } else {
            "the file has more aliases than can be followed; write the image out"
        };
        for site in &mut self.sites {
            let shared = site.scalars().any(|scalar| read.contains(&scalar.ordinal));
            if (shared || !self.complete) && site.hold.is_none() {
                site.hold = Some((Reason::SharedAnchor, detail.to_string()));
            }
        }
    }
}

/// Whether the value of a key of this name may be an image.
fn is_image_key(key: &str) -> bool {
    let ends = ["Image", "_image", "-image"]
        .iter()
        .any(|end| key.ends_with(end));
    (key == "image" || ends) && !NO_IMAGES.contains(&key)
}

/// Whether a map at this place is called an image, or one of the images.
fn is_image_map(at: &[Step]) -> bool {
    let key = |step: Option<&Step>| match step {
        Some(Step::Key(key)) => key.clone(),
        _ => String::new(),
    };
    let mut keys = at.iter().rev().filter(|step| matches!(step, Step::Key(_)));
    let (last, above) = (key(keys.next()), key(keys.next()));
    is_image_key(&last)
        || [last, above]
            .iter()
            .any(|key| matches!(key.as_str(), "images" | "Images"))
}

/// Whether a map at this place says something of every image (`global.image.registry`).
fn is_global_image(at: &[Step]) -> bool {
    matches!(at, [Step::Key(global), Step::Key(image)] if global == "global" && image == "image")
}

fn is_source(value: &str) -> bool {
    let host = value.split('/').next().unwrap_or("");
    value.contains("://") || value.starts_with("git@") || GIT_HOSTS.contains(&host)
}

/// Whether a text begins with the host of a registry that is known.
fn has_known_host(text: &str) -> bool {
    ecr_host::ecr_host_of(text).is_some()
        || ImageRef::parse(text)
            .is_ok_and(|image| image.registry().is_some_and(upstreams::is_known))
}

/// Whether a text can begin the names of images: a host, or one with a path. Words do not count:
/// `registry: txt` is a setting of external-dns.
fn is_beginning(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or("");
    host.contains('.') && !is_source(text)
}
