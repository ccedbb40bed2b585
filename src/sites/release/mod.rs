//! Releases of charts: which layers of values Argo CD, Flux, helmfile, Fleet, k3s and kustomize put
//! together, in which order. A layer is a file, a config map, or a block of values inside the object.

mod argo;
mod charts;
mod facts;
mod flux;
mod place;
mod plain;
mod salvage;

use std::path::Path;

pub use facts::{
    Base, BlockId, ChartSource, ConfigMap, Deployed, From, Generated, Given, Release, Stage, Tool,
};
pub use place::place_of;
pub(super) use salvage::salvage;

use super::release_patches::DIRECTIVE;
use super::values::{self, Parameter};
use super::{Fact, Found, Input, Template, front, may_name_images, workload};
use crate::image;
use crate::yaml::{Document, Kind, NodeId, documents};
use flux::{config_maps, flux_chart, generated};

pub(super) const NAME: &str = "release";

/// Keys and parts of keys of values that make up the names of images.
const WORDS: &[&str] = &["image", "registry", "repository", "repo", "hub"];
/// Keys below an image that say nothing of its name.
const NOT_NAMES: &[&str] = &[
    "tag",
    "digest",
    "sha",
    "pullPolicy",
    "pullSecrets",
    "imagePullPolicy",
];

/// Any chart of the repository.
const ANY_CHART: &str = "*";
/// Keys below which values stand, of which it is known by their own keys what is filled in.
const VALUES: &[&str] = &["values", "valuesObject", "valuesInline", "valuesLocal"];
/// Keys that name layers of values.
const LAYERS: &[&str] = &[
    "<<",
    "additionalValuesFiles",
    "fileParameters",
    "inherit",
    "parameters",
    "secrets",
    "set",
    "setString",
    "valueFiles",
    "valuesContent",
    "valuesFile",
    "valuesFiles",
    "valuesFrom",
    "valuesMerge",
    "valuesSecrets",
];

/// Reads the releases of one document, and the values that stand in them.
struct Reader<'r, 'd> {
    text: &'r str,
    document: &'d Document<'d>,
    templates: &'r [Template],
    found: &'r mut Found,
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let (document, node) = (input.document, input.object.node);
    let mut reader = Reader {
        text: input.text,
        document,
        templates: input.templates,
        found,
    };
    let name = document
        .text_at(node, &["metadata", "name"])
        .map(ToString::to_string);
    let releases = match (input.object.group, input.object.kind) {
        ("argoproj.io", "Application" | "ApplicationSet") => reader.argo(node),
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            let spec = document.get(node, "spec");
            spec.map(|spec| reader.flux(spec)).into_iter().collect()
        }
        ("source.toolkit.fluxcd.io", "HelmChart") => {
            let spec = document.get(node, "spec");
            let chart = spec.map(|spec| Release {
                chart_name: name.clone(),
                ..flux_chart(document, spec)
            });
            chart.into_iter().collect()
        }
        ("source.toolkit.fluxcd.io", "HelmRepository" | "OCIRepository") => {
            let home = name.clone().and_then(|name| flux_home(input, name));
            reader.found.facts.extend(home);
            Vec::new()
        }
        ("helm.cattle.io", "HelmChart" | "HelmChartConfig") => {
            let spec = document.get(node, "spec");
            let has_chart = input.object.kind == "HelmChart";
            let job = spec.and_then(|spec| document.get(spec, "jobImage"));
            let job =
                job.and_then(|job| workload::site(input.text, document, document.resolve(job)));
            reader.found.sites.extend(job);
            let release = spec.map(|spec| reader.k3s(spec, has_chart));
            release.into_iter().collect()
        }
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
            for list in ["configMapGenerator", "secretGenerator"] {
                let generated = generated(document, node, list);
                reader.found.facts.extend(generated.map(Fact::Generated));
            }
            reader.inflated(node)
        }
        (_, "HelmChartInflationGenerator") => vec![reader.kustomize(node, None)],
        ("", "ConfigMap") => return config_maps(document, node, "data", found),
        ("", "Secret") => return config_maps(document, node, "stringData", found),
        _ => Vec::new(),
    };
    let place = document.at(node, &["metadata", "name"]);
    let place = place.map(|name| document.node(document.resolve(name)).span);
    let namespace = document.text_at(node, &["metadata", "namespace"]);
    for mut release in releases {
        if release.tool == Tool::Flux {
            release.deployed.own_namespace = namespace.map(ToString::to_string);
        }
        release.name.clone_from(&name);
        release.span = release.span.or(place);
        found.facts.push(Fact::Release(release));
    }
}

/// The place of charts that an object of Flux is.
fn flux_home(input: &Input<'_>, name: String) -> Option<Fact> {
    let (document, node) = (input.document, input.object.node);
    let text = |path: &[&str]| document.text_at(node, path).map(ToString::to_string);
    let mut keys = ["tag", "semver"].iter();
    Some(Fact::ChartHome {
        kind: Some(input.object.kind.to_string()),
        name,
        url: text(&["spec", "url"])?,
        version: keys.find_map(|key| text(&["spec", "ref", key])),
    })
}

/// Releases in files that are no Kubernetes objects: helmfiles and Fleet bundles.
pub(super) fn find_plain(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    templates: &[Template],
    found: &mut Found,
) {
    let mut reader = Reader {
        text,
        document,
        templates,
        found,
    };
    let homes = document.get(0, "repositories").into_iter();
    for home in homes.flat_map(|list| items(document, list)) {
        let text = |key: &str| document.text_at(home, &[key]).map(ToString::to_string);
        if let (Some(name), Some(url)) = (text("name"), text("url")) {
            reader.found.facts.push(Fact::ChartHome {
                kind: None,
                name,
                url,
                version: None,
            });
        }
    }
    let mut releases = reader.helmfiles();
    if let Some(helm) = document.get(0, "helm") {
        releases.extend(reader.fleet(helm));
    }
    if super::argo::is_source_name(path) {
        // Which Application's values it is merged with is not told by the file.
        let why = "it overrides what an Application says";
        for release in &mut releases {
            release.layers.push(Given::unknown(Stage::Parameters, why));
        }
    }
    let releases = releases.into_iter().map(Fact::Release);
    found.facts.extend(releases);
}

impl Reader<'_, '_> {
    /// The first of these keys under which a map holds anything.
    fn first_of(&self, map: NodeId, keys: &[&str]) -> Option<String> {
        let document = self.document;
        let is_there = |key: &&&str| {
            let node = document.get(map, key);
            node.is_some_and(|node| !is_nothing(document, document.resolve(node)))
        };
        keys.iter().find(is_there).map(ToString::to_string)
    }

    /// The values under `key`, as a layer. One without a word about images is one, too: it may decide what a
    /// chart makes of the others.
    fn block(&mut self, map: NodeId, key: &str) -> Option<Given> {
        let node = self.document.get(map, key)?;
        self.block_at(node)
    }

    fn block_at(&mut self, node: NodeId) -> Option<Given> {
        let stage = Stage::Values;
        let mut below = node..self.document.node(node).end;
        if below.any(|id| self.document.text(id) == Some(DIRECTIVE)) {
            return Some(Given::unknown(
                stage,
                "a directive says how its values are merged",
            ));
        }
        match &self.document.node(node).kind {
            Kind::Mapping => {
                let values = values::inside(
                    self.text,
                    self.document,
                    node,
                    BlockId::of(self.document, node),
                    self.templates,
                );
                Some(self.keep(node, values, stage))
            }
            Kind::Scalar { value, .. } => self.text_block(node, value),
            _ => Some(Given::unknown(stage, "its values are no map")),
        }
    }

    /// The values in a text: what they name is found when the text is looked into.
    fn text_block(&mut self, node: NodeId, value: &str) -> Option<Given> {
        let stage = Stage::Values;
        let mut all = documents(value);
        let is_read = matches!(all.next(), Some(Ok(document)) if matches!(document.node(0).kind, Kind::Mapping));
        if is_read && all.next().is_none() {
            self.keep_filled(node, value);
            let from = From::Block {
                block: BlockId::of(self.document, node),
                empties: false,
            };
            return Some(Given { stage, from });
        }
        is_text_about_names(value)
            .then(|| Given::unknown(stage, "its values are a text that cannot be read"))
    }

    /// Takes up what is filled in of values in a text that nobody looks into, since no word of it is about
    /// images.
    fn keep_filled(&mut self, node: NodeId, value: &str) {
        if may_name_images(value) || !image::is_filled(value) {
            return;
        }
        let block = BlockId::of(self.document, node);
        for document in documents(value).flatten() {
            let inside = values::inside(value, &document, 0, block, self.templates);
            let loose = values::Loose {
                filled: inside.loose.filled,
                ..values::Loose::default()
            };
            let is_known = self.found.blocks.iter().any(|(known, _)| *known == block);
            if !loose.is_empty() && !is_known {
                self.found.blocks.push((block, loose));
            }
        }
    }

    /// What stands for the layers that a template fills in.
    fn filled_layer(&self, node: NodeId) -> Option<Given> {
        let document = self.document;
        let is_layer = |hole: NodeId| {
            let keys = keys_to(document, node, hole);
            let is_own = |key: &&str| VALUES.contains(key);
            let of_layers = |key: &&str| LAYERS.contains(key);
            let is_all = keys.last().is_none_or(|last| *last == "helm");
            !keys.iter().any(is_own) && (is_all || keys.iter().any(of_layers))
        };
        let hole = document.holes(node).find(|&hole| is_layer(hole))?;
        let keys = keys_to(document, node, hole).join(".");
        let why = if keys.is_empty() {
            "a template fills in a part of it".to_string()
        } else {
            format!("a template fills in its `{keys}`")
        };
        Some(Given::unknown(Stage::Parameters, &why))
    }

    /// Parameters, each a path of keys and the node of its value, as a layer. A null takes away what
    /// other layers say.
    fn parameters(
        &mut self,
        list: NodeId,
        parameters: &[(Option<&str>, Option<NodeId>)],
    ) -> Vec<Given> {
        let stage = Stage::Parameters;
        let (mut read, mut unknown) = (Vec::new(), None);
        for &(path, node) in parameters {
            let node = node.filter(|&node| self.document.text(node) != Some("null"));
            let is_text = |node: &NodeId| self.document.text(*node).is_some();
            let node = node.filter(is_text);
            if let (Some(keys), Some(node)) = (path.and_then(keys_of), node) {
                read.push(Parameter { keys, node });
            } else if path.is_none_or(may_be_about_name) {
                let why = format!("its parameter `{}` cannot be told", path.unwrap_or("?"));
                unknown.get_or_insert(Given::unknown(stage, &why));
            }
        }
        let values = values::parameters(self.text, self.document, list, self.templates, &read);
        // What can be read is shown, also where something may change it.
        let known = self.keep(list, values, stage);
        std::iter::once(known).chain(unknown).collect()
    }

    /// Takes up what a block says; the same block may be used more than once.
    fn keep(&mut self, node: NodeId, values: values::Inside, stage: Stage) -> Given {
        let values::Inside {
            sites,
            spare,
            loose,
        } = values;
        let block = BlockId::of(self.document, node);
        let is_quiet = sites.is_empty() && loose.is_empty();
        let empties = loose.parts.iter().any(|part| part.empties)
            || sites
                .iter()
                .filter_map(super::Site::parts)
                .any(super::Parts::has_empty);
        if !is_quiet && !self.found.blocks.iter().any(|(known, _)| *known == block) {
            self.found.sites.extend(sites);
            self.found.unproven.extend(spare);
            self.found.blocks.push((block, loose));
        }
        Given {
            stage,
            from: From::Block { block, empties },
        }
    }

    /// `[{name: image.repository, value: …}]`
    fn listed_parameters(&mut self, map: NodeId, key: &str) -> Vec<Given> {
        let document = self.document;
        let Some(list) = document.get(map, key) else {
            return Vec::new();
        };
        let parameters = items(document, list).map(|item| {
            let name = document.text_at(item, &["name"]);
            (name, document.get(item, "value"))
        });
        self.parameters(list, &parameters.collect::<Vec<_>>())
    }
}

/// The keys on the way from a node to one below it.
fn keys_to<'d>(document: &'d Document<'_>, from: NodeId, to: NodeId) -> Vec<&'d str> {
    let mut keys = Vec::new();
    let mut at = to;
    while at != from && document.node(at).parent != at {
        let parent = document.node(at).parent;
        let entry = document.entries(parent).find(|entry| entry.value == at);
        keys.extend(entry.and_then(|entry| entry.key));
        at = parent;
    }
    keys.reverse();
    keys
}

/// A chart as far as it is told: what is filled in, in whatever way, stands in braces.
fn told(chart: &str) -> String {
    // A template that writes a template.
    let chart = chart.replace("{{`", "").replace("`}}", "");
    if chart.contains("{{") {
        return chart;
    }
    match image::placeholder(&chart) {
        Some(at) => {
            let last = chart[at..]
                .rfind('/')
                .filter(|_| !chart[at..].contains("${"));
            let rest = last.map_or("", |slash| &chart[at + slash..]);
            format!("{}{{{{}}}}{rest}", &chart[..at])
        }
        None => chart,
    }
}

/// The items of a sequence, aliases followed.
fn items<'d>(document: &'d Document<'_>, list: NodeId) -> impl Iterator<Item = NodeId> + 'd {
    document.items(list).map(|item| document.resolve(item))
}

/// The text of every scalar item of the sequence under `key`.
fn texts<'d>(document: &'d Document<'_>, map: NodeId, key: &str) -> Vec<&'d str> {
    let list = document.get(map, key);
    let items = list.into_iter().flat_map(|list| items(document, list));
    items.filter_map(|item| document.text(item)).collect()
}

/// Whether a node is null, or a map or list without anything in it.
fn is_nothing(document: &Document<'_>, node: NodeId) -> bool {
    is_null(document, node)
        || match document.node(node).kind {
            Kind::Mapping => document.entries(node).next().is_none(),
            Kind::Sequence => document.items(node).next().is_none(),
            _ => false,
        }
}

fn is_null(document: &Document<'_>, node: NodeId) -> bool {
    matches!(document.text(node), Some("" | "~" | "null"))
}

/// The keys of a path as Helm's `--set` writes it; none for one with positions of a list or escapes.
fn keys_of(path: &str) -> Option<Vec<String>> {
    let is_plain = !path.contains(['[', ']', '\\', ',', '=', '{', '}']) && !image::is_filled(path);
    let keys: Vec<String> = path.split('.').map(Into::into).collect();
    (is_plain && keys.iter().all(|key| !key.is_empty())).then_some(keys)
}

/// Whether values that stand in a text are about names of images; one that cannot be read may be.
fn is_text_about_names(text: &str) -> bool {
    documents(text).any(|document| match document {
        Ok(document) => is_about_names(&document, 0),
        Err(_) => WORDS.iter().any(|word| text.contains(word)),
    })
}

/// Whether any text below stands under a key that makes up the name of an image.
fn is_about_names(document: &Document<'_>, values: NodeId) -> bool {
    let is_filled = |text: &str| text.contains("{{") || image::is_filled_as_whole(text);
    if document.text(values).is_some_and(is_filled) {
        return true;
    }
    let below = values..document.node(values).end;
    let maps = below.filter(|&id| matches!(document.node(id).kind, Kind::Mapping));
    maps.flat_map(|map| document.entries(map)).any(|entry| {
        let is_map = matches!(
            document.node(entry.value).kind,
            Kind::Mapping | Kind::Sequence
        );
        match entry.key {
            // What is merged or aliased here may be anything.
            None | Some("<<") => true,
            Some(key) if is_map => {
                let named = document.get(entry.value, "name").is_some();
                named && key.to_ascii_lowercase().contains("image")
            }
            Some(key) => is_about_name(key),
        }
    })
}

/// The same, where a part of it may be filled in later.
fn may_be_about_name(path: &str) -> bool {
    image::is_filled(path) || is_about_name(path)
}

/// Whether a key, or a path of keys, makes up the name of an image.
fn is_about_name(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_front = front::is_key(path);
    let path = path.to_ascii_lowercase();
    let is_tag = NOT_NAMES.contains(&last) || last.ends_with("Tag") || last.ends_with("PullPolicy");
    !is_tag && (WORDS.iter().any(|word| path.contains(word)) || is_front)
}
