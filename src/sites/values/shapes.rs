//! The shapes in which a map of values names images.

use super::super::parts::{DIGEST_GLUE, Names, Part, Parts, Step, Value, join};
use super::super::{Pair, Shape, Site, components, flux, purpose, rest_of_line, workload};
use super::walk::{Map, Walk};
use super::words::{
    BEGINNINGS, DIGEST_KEYS, EVIDENCE, HOSTS, NAMES, REFERENCE_END, REPOSITORY_ENDS,
    REPOSITORY_KEYS, TAG_KEYS, has_image_word, has_known_host, is_about_images, is_artefact,
    is_beginning, is_full, is_global_place, is_image_key, is_image_map, is_image_name,
    is_list_of_images, is_login, is_no_pull, is_picture, is_pushed, is_source,
};
use super::{NAME, REFERENCE, SPARE, Template};
use crate::image::{self, ImageRef};
use crate::reason::{Assumption, Reason};
use crate::rules::official;
use crate::yaml::{NodeId, Place, Scalar};

impl<'d> Walk<'d> {
    /// Adds the images that the keys of one map name.
    pub(super) fn images(&mut self, map: &mut Map<'d, '_>) {
        self.classic(map);
        let mut keys: Vec<&str> = map.entries.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            if map.consumed.contains(&map.entries[key]) {
                continue;
            }
            let stem = REPOSITORY_ENDS
                .iter()
                .find_map(|end| key.strip_suffix(end))
                .or(Some(key))
                .filter(|stem| is_image_key(stem) || self.is_tagged_repository(map, stem, key));
            let is_reference = key.ends_with(REFERENCE_END);
            if is_short(key) && !self.text(map, key).is_some_and(has_known_host) {
                // `quay_image_repo: quay.io` is put in front of other names.
                continue;
            }
            // `images: {api: quay.io/acme/api:1}`
            let has_host = self.text(map, key).is_some_and(has_known_host);
            let is_whole = has_image_word(key) || key == "ref" && is_image_map(map.at);
            let is_whole = is_whole && !is_image_key(key) && !is_image_name(key);
            let is_listed = is_list_of_images(map.at) && has_host
                || is_whole && self.text(map, key).is_some_and(is_full)
                || is_whole && key.starts_with("image") && self.is_beside_image(map, key);
            if is_image_name(key) {
                let registry = match key {
                    "image_name" => "image_registry",
                    _ => "imageRegistry",
                };
                let tag = match key {
                    "image_name" => "image_tag",
                    _ => "imageTag",
                };
                let has = |key: &str| self.text(map, key).is_some_and(|text| !text.is_empty());
                // Machines have images, too: `imageName: ubuntu-22.04`.
                let is_name = |text: &str| text.contains('/') || official::is_official(text);
                let is_tagged = has(tag) && self.text(map, key).is_some_and(is_name);
                if has_host || has(registry) || is_tagged {
                    self.flat(map, key, &[registry, key]);
                }
            } else if is_listed || is_reference {
                self.flat(map, key, &[key]);
            } else if let Some(stem) = stem {
                let is_snake = stem.len() < key.len() && key[stem.len()..].starts_with('_');
                let registry = if is_snake { "_registry" } else { "Registry" };
                self.flat(map, stem, &[&format!("{stem}{registry}"), key]);
            }
        }
        self.beginnings(map);
    }

    /// Whether a text is a name with a tag, as the `image` beside it is (consul's `imageK8S`).
    fn is_beside_image(&self, map: &Map<'d, '_>, key: &str) -> bool {
        let is_tagged = |key: &str| {
            let image = self
                .text(map, key)
                .and_then(|text| ImageRef::parse(text).ok());
            image.is_some_and(|image| image.tag().is_some() && image.repository().contains('/'))
        };
        is_tagged("image") && is_tagged(key)
    }

    /// Whether a tag stands beside what is called `stem`.
    fn has_tag(&self, map: &Map<'d, '_>, stem: &str) -> bool {
        let mut keys = ["_tag", "Tag"].iter();
        keys.any(|end| self.text(map, &format!("{stem}{end}")).is_some())
    }

    /// Whether a key is a `repository` whose name says nothing of images, and its value and the tag beside it do:
    /// `defaultAirflowRepository` and `defaultAirflowTag`. Sources of code have tags as well, but no
    /// registry; charts have both.
    fn is_tagged_repository(&self, map: &Map<'d, '_>, stem: &str, key: &str) -> bool {
        let lower = stem.to_ascii_lowercase();
        stem.len() < key.len()
            && !["chart", "helm"].iter().any(|word| lower.contains(word))
            && self.has_tag(map, stem)
            && self.text(map, key).is_some_and(has_known_host)
    }

    fn text(&self, map: &Map<'d, '_>, key: &str) -> Option<&'d str> {
        let &node = map.entries.get(key)?;
        self.document.text(node)
    }

    /// `registry` and `repository` (or `repo`, `image`, `name`) in one map.
    fn classic(&mut self, map: &mut Map<'d, '_>) {
        if is_no_pull(map.at) || self.host_and_name(map) {
            return;
        }
        let image_like = is_image_map(map.at);
        let text = |key: &str| self.text(map, key);
        let evidence = EVIDENCE.iter().any(|key| text(key).is_some());
        let split = ["registry", "tag", "digest"]
            .iter()
            .any(|key| text(key).is_some());
        // Where images are pushed, a registry comes with a login and without a tag.
        let has_login = ["username", "password"]
            .iter()
            .any(|key| text(key).is_some());
        if has_login && !EVIDENCE[1..].iter().any(|key| text(key).is_some()) {
            return;
        }
        // `{repository: nvcr.io/nvidia, image: driver, version: "1"}`
        let versioned = text("image").is_some() && text("version").is_some();
        let chosen = REPOSITORY_KEYS.iter().copied().find(|&key| {
            let Some(value) = text(key) else { return false };
            match key {
                "repository" => image_like || evidence || versioned,
                "repo" => split && (image_like || has_known_host(value)),
                "image" => text("registry").is_some() || image_like && split,
                _ => {
                    let is_cut =
                        split || text("version").is_some() && image::begins_with_host(value);
                    image_like && is_cut && text("imageNamespace").is_none()
                }
            }
        });
        let for_all = is_global_place(map.at, "registry").is_some();
        let alone = text("registry").is_some() && image_like && !for_all;
        if chosen.is_none() && !alone {
            return;
        }
        let key = chosen.unwrap_or("repository");
        let filled = |key: &str| text(key).is_some_and(|text| !text.is_empty());
        // `{registry: docker.io, image: acme, name: b}`; elsewhere a `name` is that of the application.
        let further: &[&str] = match key {
            "repository" => &["image", "name"],
            "repo" if image_like => &["image", "name"],
            "repo" => &["image"],
            "image" if image_like => &["name"],
            _ => &[],
        };
        // With a registry of its own, it is an image and no part of this one.
        let is_whole =
            |key: &str| text(key).is_some_and(|text| text.contains('/') && has_known_host(text));
        let further: Vec<&str> = further
            .iter()
            .copied()
            .filter(|key| !is_whole(key))
            .collect();
        let goes_on = further.iter().any(|key| filled(key));
        let between = self.has_component(map, "");
        let ends: Vec<_> = further
            .iter()
            .filter(|_| goes_on)
            .filter_map(|key| map.entries.get(*key).copied())
            .collect();
        let added = self.add(map, "", Names::Image, &["registry", key]);
        if let Some(parts) = added {
            parts.may_go_on |= goes_on;
            parts.between = between;
            self.shaped |= chosen.is_some();
            map.consumed.extend(ends);
        }
    }

    /// `{repository: ghcr.io, name: acme/website}`: the registry stands under a key of repositories.
    fn host_and_name(&mut self, map: &mut Map<'d, '_>) -> bool {
        let image_like = is_image_map(map.at);
        let text = |key: &str| self.text(map, key).filter(|text| !text.is_empty());
        if text("registry").is_some() {
            return false;
        }
        let is_host = |key: &&&str| text(key).is_some_and(image::is_registry);
        let is_name = |key: &&&str| (image_like || **key == "image") && text(key).is_some();
        let (host, name) = (HOSTS.iter().find(is_host), NAMES.iter().find(is_name));
        let (Some(host), Some(name)) = (host, name) else {
            return false;
        };
        let between = self.has_component(map, "") && *name != "path";
        let Some(parts) = self.add(map, host, Names::Image, &[host, name]) else {
            return false;
        };
        parts.between = between;
        self.shaped |= image_like;
        if let Some(site) = self.sites.last_mut() {
            let detail = format!(
                "`{host}` holds a registry, and nothing shows that the chart joins `{name}` to it; write the image out under one key"
            );
            site.assumption = Some((Assumption::ChartDefaultUnknown, detail));
        }
        true
    }

    /// A full reference under a key about images that tells no more.
    pub(super) fn reference(&mut self, id: NodeId, at: &[Step]) {
        let Some(Value::Text(scalar)) = self.part(id) else {
            return;
        };
        let Some((last, map)) = at.split_last() else {
            return;
        };
        if !is_full(&scalar.value) || is_picture(&scalar.value) || !is_about_images(at) {
            return;
        }
        // What stands in a list is a place of its own.
        let (at, key) = match last {
            Step::Key(key) => (map, key.as_str()),
            Step::Item(_) => (at, ""),
        };
        let is_pushed = is_pushed(at, key);
        self.push_one(at, key, scalar, Err("it is one reference".to_string()));
        let Some(site) = self.sites.last_mut() else {
            return;
        };
        site.finder = REFERENCE;
        let detail = "nothing shows what reads it; agree with `--assume=text-reference`, or put it under a key that says image";
        site.assumption = Some((Assumption::TextReference, detail.to_string()));
        if is_pushed {
            let detail = "a build pushes the image to this name";
            site.hold = Some((Reason::BuildOutput, detail.to_string()));
        }
    }

    /// Whether a key stands beside the parts of `family` that may be joined between them.
    fn has_component(&self, map: &Map<'d, '_>, family: &str) -> bool {
        let is_one = |key: &&str| {
            components::is_joined(key, family)
                && self
                    .text(map, key)
                    .is_some_and(|text| !text.is_empty() && components::may_be_one(text))
        };
        map.entries.keys().any(is_one)
    }

    /// A full reference or a repository under a key of its own, with siblings of the same stem.
    fn flat(&mut self, map: &mut Map<'d, '_>, stem: &str, keys: &[&str]) {
        let key = keys.last().copied().unwrap_or("");
        if self.text(map, key).is_none_or(is_picture) {
            return;
        }
        let names = if stem == "defaultImage" && key.ends_with("Repository") {
            Names::Beginning
        } else {
            Names::Image
        };
        let between = keys.len() > 1 && self.has_component(map, stem);
        if let Some(parts) = self.add(map, stem, names, keys) {
            parts.between = between;
            // `repo` is a word for source code as well.
            self.shaped |= key.ends_with("Repository") || key.ends_with("_repository");
            self.shaped |= is_short(key) && self.has_tag(map, stem);
        }
    }

    /// Registries and longer beginnings of names.
    fn beginnings(&mut self, map: &mut Map<'d, '_>) {
        if is_login(map.at, map.entries.keys().copied()) {
            return;
        }
        let mut keys: Vec<&str> = map.entries.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            if map.consumed.contains(&map.entries[key]) {
                continue;
            }
            let value = self.text(map, key).unwrap_or("");
            let stem = key
                .strip_suffix("Registry")
                .filter(|stem| is_image_key(stem));
            let is_listed = BEGINNINGS.contains(&key)
                || key == "registry"
                    && (map.at.len() <= 1 || has_known_host(&format!("{value}/x")));
            if is_global_place(map.at, key).is_some() {
                self.add(map, key, Names::Everything, &[key]);
            } else if let Some(stem) = stem {
                let next = match stem {
                    "image" => "imageNamespace".to_string(),
                    _ => format!("{stem}Repository"),
                };
                self.add(map, stem, Names::Beginning, &[key, &next]);
            } else if is_listed && is_beginning(value) {
                self.add(map, key, Names::Beginning, &[key]);
            }
        }
    }

    /// The image that the config says stands under these paths of keys, to be joined with `/`. Its
    /// place is what the paths have in common.
    pub(super) fn stated(&mut self, paths: &Template) {
        let common = common(paths);
        let mut parts = Vec::with_capacity(paths.len());
        let mut nodes = Vec::new();
        for path in paths {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            let node = self.document.at(self.root, &keys);
            let value = node.and_then(|node| self.part(node));
            nodes.extend(node);
            parts.push(Part {
                key: path[common..].join("."),
                value: value.unwrap_or(Value::Missing),
            });
        }
        let scalars: Vec<usize> = parts
            .iter()
            .filter_map(|part| Some(part.value.scalar()?.ordinal))
            .collect();
        if scalars.is_empty() {
            return;
        }
        for node in nodes {
            if let Some(times) = self.read.get_mut(&node) {
                *times = times.saturating_sub(1);
            }
        }
        let place: Vec<&str> = paths[0][..common].iter().map(String::as_str).collect();
        let registry = self
            .document
            .at(self.root, &[place.as_slice(), &["registry"]].concat());
        let is_stated = parts.iter().any(|part| part.key == "registry");
        if !is_stated
            && registry.is_some_and(|node| matches!(self.part(node), Some(Value::Text(_))))
        {
            // It is written in more parts here than the config says.
            return;
        }
        let at: Vec<Step> = paths[0][..common].iter().cloned().map(Step::Key).collect();
        self.loose
            .parts
            .retain(|loose| loose.at != at || !parts.iter().any(|part| part.key == loose.key));
        // What the config says of a key replaces what its name suggests.
        self.sites.retain(|site| {
            let mut ordinals = site.scalars().map(|scalar| scalar.ordinal);
            !ordinals.any(|ordinal| scalars.contains(&ordinal))
        });
        let family: Vec<&str> = parts.iter().map(|part| part.key.as_str()).collect();
        self.shaped = true;
        self.push(Parts {
            block: self.block,
            family: family.join("/"),
            at,
            names: Names::StatedImage,
            parts,
            may_go_on: false,
            between: false,
            suffix: String::new(),
            display: String::new(),
            room: Err("the config says how it is made".to_string()),
        });
    }

    /// Adds a site with the parts under `keys`; gives its parts when there is one.
    fn add(
        &mut self,
        map: &mut Map<'d, '_>,
        family: &str,
        names: Names,
        keys: &[&str],
    ) -> Option<&mut Parts> {
        let (parts, nodes) = self.parts_under(map, keys)?;
        let last = parts.iter().rev().find_map(|part| part.value.scalar())?;
        if is_source(&last.value) {
            return None;
        }
        let key = keys.last().copied().unwrap_or("");
        if names == Names::Image && purpose::is_of_policy(key) {
            return None;
        }
        let may_go_on = keys.iter().any(|key| self.continued.contains(key));
        let is_artefact = is_artefact(map.at, key, &last.value);
        let primary = keys.iter().rev().find(|key| {
            let mut parts = parts.iter();
            parts.any(|part| part.key == **key && part.value.scalar().is_some())
        });
        let primary = primary.and_then(|key| Some((*key, map.entries.get(*key).copied()?)));
        let room = self.room(primary, last.place);
        map.consumed.extend(nodes);
        self.push(Parts {
            block: self.block,
            at: map.at.to_vec(),
            family: family.to_string(),
            names,
            parts,
            may_go_on,
            between: false,
            suffix: self.suffix(map, family),
            display: String::new(),
            room,
        });
        let site = self.sites.last_mut()?;
        if is_artefact {
            let detail = "it may be an artefact that is no image, and read by something that cannot log in to ECR";
            site.assumption = Some((Assumption::ChartDefaultUnknown, detail.to_string()));
        }
        if names == Names::Image && is_pushed(map.at, key) {
            let detail = "a build pushes the image to this name";
            site.hold = Some((Reason::BuildOutput, detail.to_string()));
        }
        let is_never = |key: &&str| {
            let policy = map
                .entries
                .get(*key)
                .and_then(|&node| self.document.text(node));
            policy == Some(workload::NEVER)
        };
        if names == Names::Image && workload::PULL_POLICIES.iter().any(is_never) {
            site.hold = Some(workload::never_pulled());
        }
        if keys.iter().any(|key| map.doubled.contains(key)) {
            let detail = "one of its keys stands twice in the same map; remove one";
            site.hold = Some((Reason::NotEditable, detail.to_string()));
        }
        match &mut site.shape {
            Shape::Parts(parts) => Some(parts),
            Shape::Whole(_) | Shape::Within(_) | Shape::Entry(_) => None,
        }
    }

    /// The parts under `keys`, and the nodes of those that are there; `None` where one of them is no text.
    fn parts_under(&self, map: &Map<'d, '_>, keys: &[&str]) -> Option<(Vec<Part>, Vec<NodeId>)> {
        let mut parts = Vec::with_capacity(keys.len());
        let mut nodes = Vec::new();
        for key in keys {
            let value = match map.entries.get(key) {
                Some(&node) => self.part(node)?,
                None => Value::Missing,
            };
            nodes.extend(map.entries.get(key).copied());
            parts.push(Part {
                key: (*key).to_string(),
                value,
            });
        }
        Some((parts, nodes))
    }

    /// Adds a value that only its chart can show to be a part of a name.
    pub(super) fn spare(&mut self, at: &[Step], key: &str, node: NodeId, scalar: Scalar) {
        let room = self.room(Some((key, node)), scalar.place);
        self.push_one(at, key, scalar, room);
        if let Some(site) = self.sites.last_mut() {
            site.finder = SPARE;
        }
    }

    /// Adds an image of which one value is all.
    fn push_one(
        &mut self,
        at: &[Step],
        key: &str,
        scalar: Scalar,
        room: Result<Box<Pair>, String>,
    ) {
        self.push(Parts {
            block: self.block,
            at: at.to_vec(),
            family: key.to_string(),
            names: Names::Image,
            parts: vec![Part {
                key: key.to_string(),
                value: Value::Text(scalar),
            }],
            may_go_on: false,
            between: false,
            suffix: String::new(),
            display: String::new(),
            room,
        });
    }

    /// Where a key can follow the pair of this key and value. Single parameters have no such pair.
    fn room(&self, pair: Option<(&str, NodeId)>, place: Place) -> Result<Box<Pair>, String> {
        let document = self.document;
        let pair = pair.and_then(|(key, value)| {
            let mut entries = document.entries(document.node(value).parent);
            entries.find(|entry| entry.value == value && entry.key == Some(key))
        });
        let (Some(entry), Place::Exact(_)) = (pair, place) else {
            return Err("nothing can be written beside it; write the image out".to_string());
        };
        Pair::behind(self.text, document, entry.key_node, entry.value).map(Box::new)
    }

    fn push(&mut self, mut parts: Parts) {
        let name = join(parts.scalars().map(|scalar| scalar.value.as_str()));
        let last = name.rsplit('/').next().unwrap_or("");
        if last.contains([':', '@']) && !last.ends_with(DIGEST_GLUE) {
            // The name has a tag of its own.
            parts.suffix.clear();
        }
        parts.display = format!("{name}{}", parts.suffix);
        let hold = parts
            .scalars()
            .find_map(|scalar| flux::marker_hold(rest_of_line(self.text, scalar.place.span().end)));
        self.sites.push(Site {
            document: self.document.path,
            path: parts.path(&self.prefix),
            shape: Shape::Parts(Box::new(parts)),
            finder: NAME,
            hold,
            assumption: None,
        });
    }

    /// The tag and digest beside the parts.
    fn suffix(&self, map: &Map<'d, '_>, family: &str) -> String {
        let find = |keys: &[&str], ending: &str| {
            let own = format!("{family}{ending}");
            let snake = format!("{family}_{}", ending.to_ascii_lowercase());
            let keys = keys.iter().copied().filter(|_| {
                matches!(
                    family,
                    "" | "image" | "imageName" | "image_name" | "repository" | "repo"
                )
            });
            let named = [own.as_str(), snake.as_str()].into_iter();
            let found = named.chain(keys).find_map(|key| {
                let text = self.text(map, key)?;
                (!matches!(text, "" | "~" | "null") && !text.contains(['{', '$'])).then_some(text)
            });
            found.unwrap_or("").to_string()
        };
        let (tag, digest) = (find(TAG_KEYS, "Tag"), find(DIGEST_KEYS, "Digest"));
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
}

/// Whether a key ends in `repo`, which is a word for what stands in front of names, and for source code, too.
fn is_short(key: &str) -> bool {
    key.ends_with("_repo") || key.ends_with("Repo")
}

/// How many keys all paths begin with; each keeps at least its last one.
fn common(paths: &Template) -> usize {
    let shortest = paths.iter().map(Vec::len).min().unwrap_or(1);
    (0..shortest - 1)
        .take_while(|&index| paths.iter().all(|path| path[index] == paths[0][index]))
        .count()
}
