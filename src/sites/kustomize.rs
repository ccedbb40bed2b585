//! Kustomizations: the images they name and the files they take in.
//!
//! A kustomization is what a file of the name `kustomization.yaml` (or `.yml`, `Kustomization`)
//! holds, whether or not it says so. Source: kustomize `api/konfig` and `api/types/kustomization`.

use std::path::Path;

use super::{Fact, Found, Input, Object, Site, workload};
use crate::reason::Reason;
use crate::yaml::{Document, NodeId};

pub(super) const NAME: &str = "kustomize";

/// How the names begin of the files that hold kustomizations: `kustomization.yaml`, `.yml` and
/// `Kustomization` to kustomize itself, and those that are made into one (`kustomization.yaml.j2`).
const FILE_NAME: &str = "kustomization";
/// Lists of files and folders that a kustomization takes in.
const FILE_LISTS: &[&str] = &["resources", "bases"];
/// Lists of those that act on the others.
const ACTING_LISTS: &[&str] = &[
    "components",
    "patchesStrategicMerge",
    "transformers",
    "generators",
    "validators",
    "configurations",
    "crds",
];
/// The key under which images are named, and the older one.
const IMAGES: &str = "images";
const IMAGE_TAGS: &str = "imageTags";
/// A transformer that copies fields.
const COPIER: &str = "ReplacementTransformer";
/// Lists whose items may each name a file under `path`.
const PATH_LISTS: &[&str] = &["patches", "patchesJson6902", "replacements"];
/// Lists of files or texts with transformers.
const TRANSFORMER_LISTS: &[&str] = &["transformers", "generators", "validators"];
/// Where kustomize unpacks charts unless `helmGlobals.chartHome` says otherwise.
pub(super) const CHART_HOME: &str = "charts";

/// A pattern for the images that a kustomization changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// The text of `name`: an anchored regular expression to kustomize.
    pub pattern: String,
    /// The byte of the file where it stands.
    pub offset: usize,
    /// Where the site of its `newName` begins, if it has one.
    pub new_name: Option<usize>,
}

/// What kind of object acts on images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acts {
    /// A kustomization acts on what it takes in itself.
    #[default]
    OnItsOwn,
    /// A component or transformer acts on everything that the kustomization which lists it takes
    /// in.
    OnItsParents,
}

/// What a kustomization, or something that acts like one, does to images.
#[derive(Clone, Debug, Default)]
pub struct Kustomization {
    /// What it acts on.
    pub acts: Acts,
    /// The images it names.
    pub names: Vec<NameEntry>,
    /// The files and folders it takes in, as written.
    pub takes_in: Vec<String>,
    /// Those of them that act on the others: components, patches, transformers.
    pub acting: Vec<String>,
    /// Whether it copies fields about (`replacements`, `vars`), so that an image may be read or
    /// written from somewhere else.
    pub copies_fields: bool,
}

/// Whether a file of this name is a kustomization, or is made into one.
pub fn is_kustomization_name(path: &Path) -> bool {
    let start = path
        .file_name()
        .and_then(|name| name.as_encoded_bytes().get(..FILE_NAME.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(FILE_NAME.as_bytes()))
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let (document, node) = (input.document, input.object.node);
    match (input.object.group, input.object.kind) {
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
            let component = input.object.kind == "Component";
            let names = names_and_sites(input, found);
            let acting = acting(document, node);
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: if component {
                    Acts::OnItsParents
                } else {
                    Acts::OnItsOwn
                },
                names,
                takes_in: [files(document, node, FILE_LISTS), acting.clone()].concat(),
                acting,
                copies_fields: copies_fields(document, node),
            }));
            found.facts.extend(inflated_charts(document, node));
        }
        (_, COPIER) => {
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: Acts::OnItsParents,
                copies_fields: true,
                ..Default::default()
            }));
        }
        _ => {
            let names = transformer_names(document, input.object);
            if !names.is_empty() {
                found.facts.push(Fact::Kustomization(Kustomization {
                    names,
                    ..Default::default()
                }));
            }
        }
    }
}

/// The `name`s of a kustomization. Each `newName` beside one becomes a site, but for those of
/// `imageTags`: that list is on its way out.
fn names_and_sites(input: &Input<'_>, found: &mut Found) -> Vec<NameEntry> {
    let (document, node) = (input.document, input.object.node);
    let mut entries = Vec::new();
    for item in listed(document, node, &[IMAGES]) {
        let Some(mut entry) = entry(document, item) else {
            continue;
        };
        let new_name = fields(document, item, "newName").last();
        if let Some(site) = new_name.and_then(|id| new_name_site(input, id)) {
            entry.new_name = Some(site.span().start);
            found.sites.push(site);
        }
        entries.push(entry);
    }
    entries.extend(
        listed(document, node, &[IMAGE_TAGS]).filter_map(|item| self::entry(document, item)),
    );
    entries
}

/// The text is a name, without a tag: kustomize appends the tag to it as it is.
fn new_name_site(input: &Input<'_>, id: NodeId) -> Option<Site> {
    let document = input.document;
    let mut site = workload::site(input, id)?;
    site.finder = NAME;
    let shared = |id: NodeId| document.node(id).anchored;
    let mut around = std::iter::successors(Some(id), |&id| {
        Some(document.node(id).parent).filter(|parent| *parent != id)
    });
    if document.has_aliases && around.any(shared) {
        let detail = "it stands in a node with an anchor; write the entry out wherever it is used";
        site.hold = Some((Reason::SharedAnchor, detail.to_string()));
    }
    Some(site)
}

/// The image that a transformer of its own, in a file or a text, names.
pub(super) fn transformer_names(document: &Document<'_>, object: &Object<'_>) -> Vec<NameEntry> {
    if object.kind != "ImageTagTransformer" {
        return Vec::new();
    }
    fields(document, object.node, "imageTag")
        .filter_map(|tag| entry(document, tag))
        .collect()
}

/// The values under `key`, whose case kustomize does not tell, with aliases followed.
fn fields<'d>(
    document: &'d Document<'_>,
    map: NodeId,
    key: &'d str,
) -> impl Iterator<Item = NodeId> + 'd {
    document
        .entries(map)
        .filter(move |entry| entry.key.is_some_and(|name| name.eq_ignore_ascii_case(key)))
        .map(|entry| document.resolve(entry.value))
}

/// The items of the lists under any of `keys`, with aliases followed.
fn listed<'d>(
    document: &'d Document<'_>,
    map: NodeId,
    keys: &'d [&'d str],
) -> impl Iterator<Item = NodeId> + 'd {
    keys.iter()
        .flat_map(move |key| fields(document, map, key))
        .flat_map(|list| document.items(list))
        .map(|item| document.resolve(item))
}

/// The `name`s of the `images` below `node`.
pub(super) fn names(document: &Document<'_>, node: NodeId) -> Vec<NameEntry> {
    listed(document, node, &[IMAGES, IMAGE_TAGS])
        .filter_map(|item| entry(document, item))
        .collect()
}

fn entry(document: &Document<'_>, item: NodeId) -> Option<NameEntry> {
    let is_name = |key: Option<&str>| key.is_some_and(|key| key.eq_ignore_ascii_case("name"));
    let name = document
        .entries(item)
        .filter(|entry| is_name(entry.key))
        .last()?;
    let pattern = document.text(document.resolve(name.value))?.to_string();
    Some(NameEntry {
        pattern,
        // Not the value's: an alias would give two entries one place.
        offset: document.node(name.key_node).span.start,
        new_name: None,
    })
}

/// The files and folders of `lists`, as written.
fn files(document: &Document<'_>, node: NodeId, lists: &[&str]) -> Vec<String> {
    let named = listed(document, node, lists).filter_map(|item| document.text(item));
    // What has several lines is no path but the thing itself.
    let named = named.filter(|path| !path.contains('\n'));
    named.map(Into::into).collect()
}

/// The files and folders that act on the others.
fn acting(document: &Document<'_>, node: NodeId) -> Vec<String> {
    let paths = listed(document, node, PATH_LISTS)
        .flat_map(|item| fields(document, item, "path"))
        .filter_map(|path| document.text(path))
        .map(Into::into);
    let listed = files(document, node, ACTING_LISTS);
    listed.into_iter().chain(paths).collect()
}

fn copies_fields(document: &Document<'_>, node: NodeId) -> bool {
    let is_copier = |item| {
        document
            .text(item)
            .is_some_and(|text| text.contains(COPIER))
    };
    listed(document, node, &["replacements", "vars"])
        .next()
        .is_some()
        || listed(document, node, TRANSFORMER_LISTS).any(is_copier)
}

fn inflated_charts(document: &Document<'_>, node: NodeId) -> Option<Fact> {
    let charts = document.get(node, "helmCharts")?;
    let name = |item| {
        document
            .text_at(document.resolve(item), &["name"])
            .map(Into::into)
    };
    let names: Vec<String> = document.items(charts).filter_map(name).collect();
    let home = document
        .text_at(node, &["helmGlobals", "chartHome"])
        .unwrap_or(CHART_HOME)
        .into();
    Some(Fact::InflatedCharts { home, names })
}
