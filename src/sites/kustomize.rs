//! Kustomizations: the images they name, the files they take in, and the patches they hold.
//!
//! A kustomization is what a file of the name `kustomization.yaml` (or `.yml`, `Kustomization`)
//! holds, whether or not it says so. Source: kustomize `api/konfig` and `api/types/kustomization`.

use std::path::Path;

use super::entry::{Entry, NEW_NAME};
use super::{Aim, Depth, Fact, Found, Input, KeyPath, Object, Shape, Site, workload};
use crate::reason::Reason;
use crate::source::Span;
use crate::yaml::{Document, Kind, NodeId};

pub(super) const NAME: &str = "kustomize";

/// How the names begin of the files that hold kustomizations: `kustomization.yaml`, `.yml` and
/// `Kustomization` to kustomize itself, and those that are made into one (`kustomization.yaml.j2`).
const FILE_NAME: &str = "kustomization";
/// The lists of files and folders, and what becomes of those.
const FILE_LISTS: &[(&str, TakenAs)] = &[
    ("resources", TakenAs::Resource),
    ("bases", TakenAs::Resource),
    ("components", TakenAs::Component),
    ("patchesStrategicMerge", TakenAs::Patch),
    ("transformers", TakenAs::Transformer),
    ("generators", TakenAs::Generator),
    ("validators", TakenAs::Settings),
    ("configurations", TakenAs::Settings),
    ("crds", TakenAs::Settings),
];
/// Lists whose items may each name a file under `path`.
const PATH_LISTS: &[(&str, TakenAs)] = &[
    ("patches", TakenAs::Patch),
    ("patchesJson6902", TakenAs::Patch),
    ("replacements", TakenAs::Copier),
];
/// Lists whose items hold a patch as a text under `patch`.
const PATCH_LISTS: &[&str] = &["patches", "patchesJson6902"];
/// The key under which images are named, and the older one.
const IMAGES: &str = "images";
const IMAGE_TAGS: &str = "imageTags";
/// A transformer that copies fields.
const COPIER: &str = "ReplacementTransformer";
/// The transformer that `images` of a kustomization become.
const IMAGE_TAGGER: &str = "ImageTagTransformer";
/// The group of kpt's functions, and the annotation of what is no resource but configures them.
const KPT: &str = "fn.kpt.dev";
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
/// Transformers that patch (kustomize `plugin/builtin`).
const PATCHING: &[&str] = &[
    "PatchTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
];
/// Transformers that lengthen texts (kustomize `plugin/builtin`).
const AFFIXING: &[&str] = &["PrefixTransformer", "SuffixTransformer"];
/// Keys of lists and maps that hold images further down.
const ABOVE_IMAGES: &[&str] = &[
    "containers",
    "initContainers",
    "volumes",
    "template",
    "spec",
];
/// How the keys end, in small letters, of lists and maps that hold texts which may name images, and
/// of the parts of an image.
const ABOVE_TEXTS: &[&str] = &[
    "args",
    "command",
    "env",
    "envs",
    "envvars",
    "environment",
    "data",
    "params",
    "parameters",
    "registry",
    "repository",
    "repo",
    "hub",
];
/// The path of what a template fills in.
const FILLED: &str = "{{ … }}";
/// Why a list of images cannot be followed that a template fills in.
const FILLED_IN: &str = "a template fills in what it lists; write the entries out";
/// Where kustomize unpacks charts unless `helmGlobals.chartHome` says otherwise.
pub(super) const CHART_HOME: &str = "charts";

/// An entry of a list of images: a pattern, and what becomes of the images that it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameEntry {
    /// The text of `name`: an anchored regular expression to kustomize.
    pub pattern: String,
    /// The byte of the file where it stands.
    pub offset: usize,
    /// The name, tag and digest that it gives, empty where it keeps them.
    pub new_name: String,
    /// The tag.
    pub new_tag: String,
    /// The digest.
    pub digest: String,
    /// Where its site begins, if it has one.
    pub site: Option<usize>,
    /// Whether it says itself which fields it is for: any text of an object may be one of them.
    pub any_field: bool,
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
    /// A transformer that patches acts on what is built, after everything else.
    Last,
    /// Nobody knows what it acts on: it may be any file of the repository.
    Anywhere,
}

/// What becomes of a file that a kustomization names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenAs {
    /// Its objects are built.
    Resource,
    /// It acts on what is built, and adds to it.
    Component,
    /// It is merged over an object.
    Patch,
    /// It changes what is built.
    Transformer,
    /// It makes objects.
    Generator,
    /// It copies fields.
    Copier,
    /// It says how things are done.
    Settings,
}

/// A file or folder that a kustomization names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// As written.
    pub path: String,
    /// What becomes of it.
    pub role: TakenAs,
    /// What it is for, when it is a patch with a target.
    pub aim: Option<Aim>,
}

/// What a kustomization, or something that acts like one, does to images.
#[derive(Clone, Debug, Default)]
pub struct Kustomization {
    /// What it acts on.
    pub acts: Acts,
    /// The images it names, in the order in which they are changed.
    pub names: Vec<NameEntry>,
    /// The files and folders it takes in.
    pub takes_in: Vec<Taking>,
    /// The folder that is built with it, from the root of the repository: what Flux and Argo CD name
    /// lays these entries over those of the kustomization there.
    pub folder: Option<(String, Depth)>,
    /// Whether all entries are then put in the order of their names, as `kustomize edit set image` does
    /// (kustomize `commands/edit/set/setimage.go`).
    pub sorts: bool,
    /// The bytes of the patches that it holds as texts.
    pub inline_patches: Vec<Span>,
    /// The bytes of the transformers that it holds as texts.
    pub inline_transformers: Vec<Span>,
    /// Why nobody knows what its entries do, when they are written in a way that is not followed.
    pub unclear: Option<&'static str>,
    /// Whether it builds objects that stand in no file: those of charts, say.
    pub generates: bool,
    /// What it copies about (`replacements`, `vars`), so that it may be read or written from somewhere
    /// else.
    pub copies: Copies,
    /// The ways to the fields that it copies from or to, or whose texts it lengthens.
    pub copied: Vec<KeyPath>,
}

/// What is copied from one field to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Copies {
    /// Nothing that names images.
    #[default]
    Nothing,
    /// Parts of texts, in which images may be named.
    Texts,
    /// Images, and whatever else.
    Images,
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
            let is_component = input.object.kind == "Component";
            let names = names_and_sites(input, node, found);
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: if is_component {
                    Acts::OnItsParents
                } else {
                    Acts::OnItsOwn
                },
                names,
                takes_in: takes_in(document, node),
                inline_patches: inline_patches(document, node),
                inline_transformers: inline_transformers(document, node),
                unclear: unclear(document, node),
                generates: generates(document, node),
                copies: copies(document, node),
                copied: all_copied(document, node),
                ..Default::default()
            }));
            found.facts.extend(inflated_charts(document, node));
        }
        (_, COPIER) => {
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: Acts::OnItsParents,
                copies: Copies::Images,
                ..Default::default()
            }));
        }
        _ => transformer(input, found),
    }
}

/// What a transformer does, if the object is one.
fn transformer(input: &Input<'_>, found: &mut Found) {
    let (document, object) = (input.document, input.object);
    let mut add = |fact| found.facts.push(Fact::Kustomization(fact));
    let takes_in = patch_files(document, object);
    if !takes_in.is_empty() {
        add(Kustomization {
            acts: Acts::Last,
            takes_in,
            ..Default::default()
        });
    }
    // In fields of its own, a name may be a part of an image: what it gives instead is not ours to say.
    let has_fields = items(document, object.node, "fieldSpecs").next().is_some();
    let names = if has_fields {
        transformer_names(document, object)
    } else {
        entries_and_sites(input, image_tags(document, object), found)
    };
    let copied = affixed(document, object);
    if !names.is_empty() || !copied.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::OnItsParents,
            names,
            copied,
            ..Default::default()
        }));
    }
    let names = entries_and_sites(input, kpt_images(document, object), found);
    if !names.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::Anywhere,
            names,
            ..Default::default()
        }));
    }
}

/// The maps with the image that kpt's function `set-image` names, as kustomize does: its own object, or a config
/// map, which is one for kpt alone when an annotation says so. What they act on, a pipeline says.
///
/// Source: kpt functions catalog, `functions/go/set-image`.
fn kpt_images(document: &Document<'_>, object: &Object<'_>) -> Vec<NodeId> {
    let root = object.node;
    let is_local = document.text_at(root, &["metadata", "annotations", LOCAL_CONFIG]);
    match (object.group, object.kind) {
        (KPT, "SetImage") => fields(document, root, "image").collect(),
        ("", "ConfigMap") if is_local == Some("true") => {
            let gives = |map: &NodeId| {
                let mut keys = [NEW_NAME, "newTag", "digest"].into_iter();
                keys.any(|key| document.get(*map, key).is_some())
            };
            fields(document, root, "data").filter(gives).collect()
        }
        _ => Vec::new(),
    }
}

/// The entries of some maps; each becomes a site.
fn entries_and_sites(input: &Input<'_>, maps: Vec<NodeId>, found: &mut Found) -> Vec<NameEntry> {
    let mut entries = Vec::new();
    for map in maps {
        let Some(mut entry) = entry(input.document, map) else {
            continue;
        };
        if let Some(site) = entry_site(input, map) {
            entry.site = Some(site.span().start);
            found.sites.push(site);
        }
        entries.push(entry);
    }
    entries
}

/// The ways to the fields that a transformer puts something in front of, or behind.
fn affixed(document: &Document<'_>, object: &Object<'_>) -> Vec<KeyPath> {
    if !AFFIXING.contains(&object.kind) {
        return Vec::new();
    }
    let paths = items(document, object.node, "fieldSpecs");
    let paths = paths.filter_map(|item| document.text_at(item, &["path"]));
    paths.map(KeyPath::of_spec).collect()
}

/// What a document says that is no object but is listed by kustomizations: a file of replacements, or
/// of settings that say where else images are named.
pub(super) fn find_plain(document: &Document<'_>, found: &mut Found) {
    let is_copier =
        |id: NodeId| document.get(id, "source").is_some() && document.get(id, "targets").is_some();
    let items = std::iter::once(0).chain(document.items(0).map(|item| document.resolve(item)));
    let copiers: Vec<NodeId> = items.filter(|&id| is_copier(id)).collect();
    if !copiers.is_empty() {
        let copies = copiers.iter().map(|&id| copies_of(document, id)).max();
        let paths = copiers.iter().flat_map(|&id| copied_paths(document, id));
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::OnItsParents,
            copies: copies.unwrap_or_default(),
            copied: paths.map(KeyPath::of_field).collect(),
            ..Default::default()
        }));
    }
    let fields = document.get(0, IMAGES).into_iter();
    let mut fields = fields.flat_map(|list| document.items(list));
    if document.get(0, "kind").is_none()
        && fields.any(|item| {
            document
                .text_at(document.resolve(item), &["path"])
                .is_some()
        })
    {
        found.facts.push(Fact::ImageFields);
    }
}

/// The `name`s of the lists of images below `node`. Each entry becomes a site, but for those of
/// `imageTags`: that list is on its way out.
pub(super) fn names_and_sites(
    input: &Input<'_>,
    node: NodeId,
    found: &mut Found,
) -> Vec<NameEntry> {
    let document = input.document;
    let mut entries = Vec::new();
    let unclear = unclear(document, node);
    for item in listed(document, node, &[IMAGES]) {
        let Some(mut entry) = entry(document, item) else {
            continue;
        };
        if let Some(mut site) = entry_site(input, item) {
            if fields(document, item, NEW_NAME).any(|value| document.is_hole(value)) {
                let detail =
                    "a template fills in its `newName`; set the image where that comes from";
                site.hold = Some((Reason::Templated, detail.to_string()));
            } else if let Some(why) = unclear {
                let detail = format!("its list cannot be followed: {why}");
                site.hold = Some((Reason::NotEditable, detail));
            }
            entry.site = Some(site.span().start);
            found.sites.push(site);
        }
        entries.push(entry);
    }
    entries.extend(
        listed(document, node, &[IMAGE_TAGS]).filter_map(|item| self::entry(document, item)),
    );
    entries
}

/// The texts are names, without tags: kustomize appends the tag as it is.
fn entry_site(input: &Input<'_>, item: NodeId) -> Option<Site> {
    let document = input.document;
    let name = last_pair(document, item, "name")?;
    let new_name = fields(document, item, NEW_NAME).last();
    let entry = Entry::of_map(input.text, document, name, new_name)?;
    let primary = match (&entry.new_name, new_name) {
        (Some(_), Some(id)) => id,
        _ => name.1,
    };
    let mut site = workload::site(input.text, document, primary)?;
    site.finder = NAME;
    site.shape = Shape::Entry(Box::new(entry));
    hold_shared(document, primary, &mut site);
    Some(site)
}

/// Holds an entry that is used in several places.
pub(super) fn hold_shared(document: &Document<'_>, id: NodeId, site: &mut Site) {
    let shared = |id: NodeId| document.node(id).anchored;
    let mut around = std::iter::successors(Some(id), |&id| {
        Some(document.node(id).parent).filter(|parent| *parent != id)
    });
    if document.has_aliases && around.any(shared) {
        let detail = "it stands in a node with an anchor; write the entry out wherever it is used";
        site.hold = Some((Reason::SharedAnchor, detail.to_string()));
    }
}

/// The files with patches that a transformer names.
fn patch_files(document: &Document<'_>, object: &Object<'_>) -> Vec<Taking> {
    if !PATCHING.contains(&object.kind) {
        return Vec::new();
    }
    let paths = fields(document, object.node, "path").chain(items(document, object.node, "paths"));
    let paths = paths.filter_map(|path| document.text(path));
    paths
        .map(|path| Taking {
            path: path.to_string(),
            role: TakenAs::Patch,
            aim: aim(document, object.node),
        })
        .collect()
}

/// The image that a transformer of its own, in a file or a text, names.
pub(super) fn transformer_names(document: &Document<'_>, object: &Object<'_>) -> Vec<NameEntry> {
    let any_field = items(document, object.node, "fieldSpecs").next().is_some();
    image_tags(document, object)
        .into_iter()
        .filter_map(|tag| entry(document, tag))
        .map(|entry| NameEntry { any_field, ..entry })
        .collect()
}

/// The maps with the image that kustomize's own transformer names.
fn image_tags(document: &Document<'_>, object: &Object<'_>) -> Vec<NodeId> {
    let tags = fields(document, object.node, "imageTag");
    tags.filter(|_| object.kind == IMAGE_TAGGER).collect()
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

/// The last key of that name, whatever its case, with its value as it stands there.
fn last_pair(document: &Document<'_>, map: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
    let is_key = |name: &str| name.eq_ignore_ascii_case(key);
    let found = document
        .entries(map)
        .filter(|entry| entry.key.is_some_and(is_key))
        .last()?;
    Some((found.key_node, found.value))
}

/// The items of the lists under any of `keys`, with aliases followed.
fn listed<'d>(
    document: &'d Document<'_>,
    map: NodeId,
    keys: &'d [&'d str],
) -> impl Iterator<Item = NodeId> + 'd {
    keys.iter().flat_map(move |key| items(document, map, key))
}

fn items<'d>(
    document: &'d Document<'_>,
    map: NodeId,
    key: &'d str,
) -> impl Iterator<Item = NodeId> + 'd {
    fields(document, map, key)
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
    let (key, name) = last_pair(document, item, "name")?;
    let pattern = document.text(document.resolve(name))?.to_string();
    let text = |key| {
        let value = fields(document, item, key).last();
        let text = value.and_then(|value| document.text(value));
        text.filter(|text| !matches!(*text, "~" | "null"))
            .unwrap_or("")
            .to_string()
    };
    Some(NameEntry {
        pattern,
        // Not the value's: an alias would give two entries one place.
        offset: document.node(key).span.start,
        new_name: text(NEW_NAME),
        new_tag: text("newTag"),
        digest: text("digest"),
        site: None,
        any_field: false,
    })
}

/// The files and folders that it takes in, in the order of the lists.
fn takes_in(document: &Document<'_>, node: NodeId) -> Vec<Taking> {
    let named = FILE_LISTS.iter().flat_map(|(list, role)| {
        let texts = items(document, node, list).filter_map(|item| document.text(item));
        // What has several lines or braces is no path but the thing itself.
        let paths = texts.filter(|path| !path.contains('\n') && !path.starts_with('{'));
        paths.map(|path| (path, *role))
    });
    let named = named.map(|(path, role)| Taking {
        path: path.to_string(),
        role,
        aim: None,
    });
    let under_path = PATH_LISTS.iter().flat_map(|(list, role)| {
        items(document, node, list).flat_map(|item| under_path(document, item, *role))
    });
    let filled = FILE_LISTS.iter().chain(PATH_LISTS);
    let filled = filled.filter(|(list, _)| is_filled_in(document, node, list));
    let filled = filled.map(|(_, role)| Taking {
        path: FILLED.to_string(),
        role: *role,
        aim: None,
    });
    named.chain(under_path).chain(filled).collect()
}

/// The files that an item of a list names under `path`.
fn under_path<'d>(
    document: &'d Document<'_>,
    item: NodeId,
    role: TakenAs,
) -> impl Iterator<Item = Taking> + 'd {
    let paths = fields(document, item, "path").filter_map(|path| document.text(path));
    paths.map(move |path| Taking {
        path: path.to_string(),
        role,
        aim: aim(document, item),
    })
}

/// What stands under `target`: the group and the kind of what a patch is for.
fn aim(document: &Document<'_>, item: NodeId) -> Option<Aim> {
    let target = fields(document, item, "target").last()?;
    let text = |key| {
        let value = fields(document, target, key).last();
        value
            .and_then(|value| document.text(value))
            .unwrap_or("")
            .to_string()
    };
    Some(Aim {
        group: text("group"),
        kind: text("kind"),
    })
}

/// Whether a template fills in something of a list.
fn is_filled_in(document: &Document<'_>, node: NodeId, list: &str) -> bool {
    fields(document, node, list).any(|value| document.holes(value).next().is_some())
}

/// The components that a list names, or a template does in it.
pub(super) fn components(document: &Document<'_>, node: NodeId) -> Vec<Taking> {
    const LIST: &str = "components";
    let paths = items(document, node, LIST).filter_map(|item| document.text(item));
    let filled = is_filled_in(document, node, LIST).then_some(FILLED);
    let paths = paths.chain(filled);
    paths
        .map(|path| Taking {
            path: path.to_string(),
            role: TakenAs::Component,
            aim: None,
        })
        .collect()
}

/// Why nobody knows what a list of images, or the map around it, says that a template fills in. A tag may
/// be.
pub(super) fn filled_in(document: &Document<'_>, node: NodeId) -> Option<&'static str> {
    let is_hole = |id: NodeId| document.is_hole(id);
    let merges = fields(document, node, "<<").any(is_hole);
    let list = fields(document, node, IMAGES).any(is_hole);
    let mut entries = items(document, node, IMAGES);
    let is_unknown = |item: NodeId| {
        is_hole(item)
            || ["name", "<<"]
                .iter()
                .any(|key| fields(document, item, key).any(is_hole))
    };
    (is_hole(node) || merges || list || entries.any(is_unknown)).then_some(FILLED_IN)
}

/// The patches that stand in the kustomization itself.
pub(super) fn inline_patches(document: &Document<'_>, node: NodeId) -> Vec<Span> {
    let under_patch = PATCH_LISTS.iter().flat_map(|list| {
        items(document, node, list).flat_map(|item| fields(document, item, "patch"))
    });
    let whole = items(document, node, "patchesStrategicMerge").filter(|&item| {
        let is_text = |text: &str| text.contains('\n') || text.starts_with('{');
        document.text(item).is_some_and(is_text)
            || matches!(document.node(item).kind, Kind::Mapping)
    });
    under_patch
        .chain(whole)
        .map(|id| document.node(id).span)
        .collect()
}

/// The transformers that stand in the kustomization itself.
fn inline_transformers(document: &Document<'_>, node: NodeId) -> Vec<Span> {
    let texts = items(document, node, "transformers").filter(|&item| {
        let text = document.text(item).unwrap_or("");
        text.contains('\n') || text.starts_with('{')
    });
    texts.map(|id| document.node(id).span).collect()
}

/// Why nobody knows what the entries of a list do, when one of them is written in a way that is not
/// followed: kustomize reads merge keys in its own order, and adds a suffix to a tag twice.
pub(super) fn unclear(document: &Document<'_>, node: NodeId) -> Option<&'static str> {
    let has = |item: NodeId, key: &str| {
        let mut entries = document.entries(item);
        entries.any(|entry| entry.key.is_some_and(|own| own.eq_ignore_ascii_case(key)))
    };
    let find = |key: &str| items(document, node, IMAGES).any(|item| has(item, key));
    if let Some(why) = filled_in(document, node) {
        Some(why)
    } else if find("<<") {
        Some("it merges entries with `<<`; write them out")
    } else if find("tagSuffix") {
        Some("it has entries with a `tagSuffix`; write the tags out")
    } else {
        None
    }
}

fn generates(document: &Document<'_>, node: NodeId) -> bool {
    ["helmCharts", "helmChartInflationGenerator", "generators"]
        .iter()
        .any(|list| items(document, node, list).next().is_some())
}

fn copies(document: &Document<'_>, node: NodeId) -> Copies {
    let is_copier = |item| {
        document
            .text(item)
            .is_some_and(|text| text.contains(COPIER))
    };
    let is_any = read_by_vars(document, node).any(is_about_images)
        || ["transformers", "generators", "validators"]
            .iter()
            .any(|list| items(document, node, list).any(is_copier));
    if is_any {
        return Copies::Images;
    }
    let replacements = items(document, node, "replacements");
    let copied = replacements.map(|item| copies_of(document, item));
    copied.max().unwrap_or_default()
}

/// The ways to the fields that a kustomization copies itself.
fn all_copied(document: &Document<'_>, node: NodeId) -> Vec<KeyPath> {
    let replacements = items(document, node, "replacements");
    let copied = replacements.flat_map(|item| copied_paths(document, item));
    let read = read_by_vars(document, node);
    copied.chain(read).map(KeyPath::of_field).collect()
}

/// The paths of the fields whose texts variables stand for.
fn read_by_vars<'d>(document: &'d Document<'_>, node: NodeId) -> impl Iterator<Item = &'d str> {
    items(document, node, "vars")
        .flat_map(|item| fields(document, item, "fieldRef"))
        .flat_map(|reference| fields(document, reference, "fieldPath"))
        .filter_map(|path| document.text(path))
}

/// What a replacement copies.
fn copies_of(document: &Document<'_>, item: NodeId) -> Copies {
    if copied_paths(document, item).any(is_about_images) {
        Copies::Images
    } else if copies_texts(document, item) {
        Copies::Texts
    } else {
        Copies::Nothing
    }
}

/// Whether a replacement takes a part of a text, or writes one, where texts may name images. Those that
/// go from one place to another as a whole stay what they are.
fn copies_texts(document: &Document<'_>, item: NodeId) -> bool {
    let source = document.get(item, "source");
    let mut ends = source.into_iter().chain(items(document, item, "targets"));
    let is_cut = ends.any(|end| document.at(end, &["options", "delimiter"]).is_some());
    is_cut && copied_paths(document, item).any(is_about_texts)
}

/// The paths of the fields that a replacement reads and writes.
fn copied_paths<'d>(document: &'d Document<'_>, item: NodeId) -> impl Iterator<Item = &'d str> {
    let read = document.text_at(item, &["source", "fieldPath"]);
    let targets = items(document, item, "targets");
    let written = targets.flat_map(|target| items(document, target, "fieldPaths"));
    read.into_iter()
        .chain(written.filter_map(|path| document.text(path)))
}

/// Whether a path of fields leads to or into texts that may name images.
fn is_about_texts(path: &str) -> bool {
    let mut parts = path.split(['.', '/']);
    parts.any(|part| {
        let part = part.to_ascii_lowercase();
        part == "*" || ABOVE_TEXTS.iter().any(|end| part.ends_with(end))
    })
}

/// Whether a path of fields ends at an image, or at something that holds images.
fn is_about_images(path: &str) -> bool {
    if path.to_ascii_lowercase().contains("image") {
        return true;
    }
    let mut parts = path.rsplit(['.', '/']);
    let last = parts.next().unwrap_or("");
    let is_position = last.ends_with(']') || last == "*" || last.parse::<usize>().is_ok();
    let before = parts.next().unwrap_or("");
    last == "reference"
        || ABOVE_IMAGES.contains(&last)
        || is_position && (last.ends_with(']') || ABOVE_IMAGES.contains(&before))
}

/// The charts that kustomize pulls and unpacks. One without a repository is not pulled: what lies there
/// is the chart itself.
fn inflated_charts(document: &Document<'_>, node: NodeId) -> Option<Fact> {
    let pulled =
        items(document, node, "helmCharts").filter(|&item| document.get(item, "repo").is_some());
    let names: Vec<String> = pulled
        .filter_map(|item| document.text_at(item, &["name"]).map(Into::into))
        .collect();
    if names.is_empty() {
        return None;
    }
    let home = document
        .text_at(node, &["helmGlobals", "chartHome"])
        .unwrap_or(CHART_HOME)
        .into();
    Some(Fact::InflatedCharts { home, names })
}
