//! Argo CD: Applications that deploy folders, and their lists of images for kustomize; such lists
//! wherever else they stand.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::Bit;
use super::entry::{Entry, split};
use super::kustomize::{self, Acts, NameEntry};
use super::{Depth, Fact, Found, Input, Kustomization, Shape, Site, object, workload};
use crate::reason::Reason;
use crate::yaml::{Document, Kind, NodeId, Scalar};

pub(super) const NAME: &str = "argo";

/// How a file begins by which Argo CD overrides an application's source (Argo CD documentation,
/// "Parameter overrides").
const SOURCE_FILE: &str = ".argocd-source";
/// The annotation that lists the images which Argo CD Image Updater keeps up to date, as
/// `[alias=]image[:constraint]` with commas between them (Argo CD Image Updater documentation,
/// "Application configuration").
const UPDATED: &str = "argocd-image-updater.argoproj.io/image-list";
/// What annotations of Argo CD Image Updater begin with, and how those end that say to which value of Helm's it
/// writes the name, or the whole reference, of an image; without one it is [`WRITTEN`] (Argo CD Image Updater
/// documentation, "Application configuration").
const UPDATER: &str = "argocd-image-updater.argoproj.io/";
const WRITTEN_TO: [&str; 2] = [".helm.image-name", ".helm.image-spec"];
const WRITTEN: &str = "image.name";
/// How the annotation ends that says by which name kustomize knows an image.
const NAMED: &str = ".kustomize.image-name";
/// Keys under which an application has one source.
const ONE_SOURCE: &[&str] = &["source", "drySource"];

/// Whether Argo CD reads a file of this name as overrides of an application.
pub(super) fn is_source_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(SOURCE_FILE))
}

/// The folders that an Application deploys from, and what it makes of them.
pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let Input { text, document, .. } = *input;
    for source in sources(document, input.object) {
        let deployed = deployed(document, source);
        found.facts.extend(
            deployed
                .clone()
                .map(|(folder, depth)| Fact::Deploys { folder, depth }),
        );
        let kustomization = match document.get(source, "kustomize") {
            Some(node) => {
                let first = found.sites.len();
                let kustomization = kustomization(text, document, node, found);
                hold_updated(input, &mut found.sites[first..]);
                kustomization
            }
            None if deployed.is_some() => Kustomization::default(),
            None => continue,
        };
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: match deployed {
                Some(_) => Acts::OnItsOwn,
                None => Acts::Anywhere,
            },
            folder: deployed,
            sorts: !kustomization.names.is_empty(),
            ..kustomization
        }));
    }
}

/// Holds the entries that Image Updater writes.
fn hold_updated(input: &Input<'_>, sites: &mut [Site]) {
    let Input {
        document, object, ..
    } = *input;
    let updated = updated(document, object.node..document.node(object.node).end);
    let updated: BTreeSet<&str> = updated.into_iter().map(|(name, _)| name).collect();
    for site in sites {
        let Some(entry) = site.entry() else { continue };
        let new_name = entry.new_name.as_ref().map(Bit::text);
        let mut names = std::iter::once(entry.name.text()).chain(new_name);
        if names.any(|name| updated.contains(name)) {
            let detail = "Argo CD Image Updater keeps this image up to date (see the annotation `image-list`) and would write the upstream back; change its list first";
            site.hold = Some((Reason::AutomationReverts, detail.to_string()));
        }
    }
}

/// The names of the images that Image Updater keeps up to date, as annotations anywhere in these nodes list
/// them, without constraints, and those by which it gives them to kustomize; and where those who say them
/// begin (bytes).
pub(super) fn updated<'d>(
    document: &'d Document<'_>,
    nodes: Range<NodeId>,
) -> Vec<(&'d str, usize)> {
    let mut lists = BTreeSet::new();
    for id in nodes {
        let key = document.text(id).and_then(|key| key.strip_prefix(UPDATER));
        let names_images =
            |key: &str| Some(key) == UPDATED.strip_prefix(UPDATER) || key.ends_with(NAMED);
        // A value follows its key.
        if key.is_some_and(names_images) && id + 1 < document.nodes.len() {
            lists.insert(document.resolve(id + 1));
        }
    }
    let names = lists.into_iter().flat_map(|list| {
        let images = document.text(list).unwrap_or("").split(',');
        // A constraint may hold `=`, too.
        let named = |image: &'d str| image.split_once('=').map_or(image, |(_, image)| image);
        let names = images.map(move |image| split(named(image).trim()).0);
        names.map(move |name| (name, document.node(list).span.start))
    });
    names.collect()
}

fn is_application(object: &object::Object<'_>) -> bool {
    object.group == "argoproj.io" && matches!(object.kind, "Application" | "ApplicationSet")
}

/// The values to which Image Updater writes names of images, as the annotations of an Application say.
pub(super) fn written(document: &Document<'_>, annotations: NodeId) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in document.entries(annotations) {
        let Some(key) = entry.key.and_then(|key| key.strip_prefix(UPDATER)) else {
            continue;
        };
        if WRITTEN_TO.iter().any(|end| key.ends_with(end)) {
            let path = document.text(document.resolve(entry.value));
            paths.extend(path.map(|path| path.trim().to_string()));
        } else if UPDATED.strip_prefix(UPDATER) == Some(key) {
            paths.push(WRITTEN.to_string());
        }
    }
    paths
}

/// What a file of overrides says: they are laid over the source of an Application that stands
/// elsewhere.
pub(super) fn find_overrides(path: &Path, text: &str, document: &Document<'_>, found: &mut Found) {
    if !is_source_name(path) {
        return;
    }
    if let Some(node) = document.get(0, "kustomize") {
        let kustomization = kustomization(text, document, node, found);
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::Anywhere,
            ..kustomization
        }));
    }
}

/// The sources of an Application, or of those that an ApplicationSet makes.
pub(super) fn sources(document: &Document<'_>, object: &object::Object<'_>) -> Vec<NodeId> {
    if !is_application(object) {
        return Vec::new();
    }
    let mut sources = Vec::new();
    for id in object.node..document.node(object.node).end {
        sources.extend(ONE_SOURCE.iter().filter_map(|key| document.get(id, key)));
        let many = document.get(id, "sources").into_iter();
        let many = many.flat_map(|list| document.items(list));
        sources.extend(many.map(|item| document.resolve(item)));
    }
    sources
}

fn deployed(document: &Document<'_>, source: NodeId) -> Option<(String, Depth)> {
    let folder = document.text_at(source, &["path"])?;
    let depth = match document.text_at(source, &["directory", "recurse"]) {
        Some("true") => Depth::Tree,
        _ => Depth::Folder,
    };
    // A template's folder is known only to who fills it in.
    (!folder.contains("{{")).then(|| (folder.to_string(), depth))
}

fn kustomization(
    text: &str,
    document: &Document<'_>,
    node: NodeId,
    found: &mut Found,
) -> Kustomization {
    let list = |key| {
        let list = document.get(node, key).into_iter();
        list.flat_map(|list| document.items(list))
            .map(|item| document.resolve(item))
    };
    let mut names = Vec::new();
    for item in list("images") {
        let Some(image) = document.text(item) else {
            continue;
        };
        let mut name = entry(image, document.node(item).span.start);
        if let Some(site) = site(text, document, item) {
            name.site = Some(site.span().start);
            found.sites.push(site);
        }
        names.push(name);
    }
    let keeps = |item: NodeId| document.text(item).is_some_and(keeps_something);
    let unclear = list("images").any(keeps).then_some(
        "it has entries that keep what the kustomization of the folder says (`*`); write that out",
    );
    let unclear = unclear.or_else(|| kustomize::filled_in(document, node));
    Kustomization {
        names,
        takes_in: kustomize::components(document, node),
        inline_patches: kustomize::inline_patches(document, node),
        unclear,
        ..Default::default()
    }
}

/// Whether an entry takes a name, tag or digest from the entry that it replaces.
fn keeps_something(entry: &str) -> bool {
    let (_, reference) = entry.split_once('=').unwrap_or(("", entry));
    let (name, tag, digest) = split(reference);
    [name, tag, digest].contains(&"*") || entry.contains('=') && name.is_empty()
}

fn site(text: &str, document: &Document<'_>, item: NodeId) -> Option<Site> {
    let mut site = workload::site(text, document, item)?;
    site.finder = NAME;
    let scalar = Scalar::locate(text, document, item)?;
    site.shape = Shape::Entry(Box::new(Entry::of_text(&scalar)));
    kustomize::hold_shared(document, item, &mut site);
    Some(site)
}

/// The names of every other `kustomize.images` of the document, in values of charts that make
/// Applications, say: wherever it is, it means the same.
pub(super) fn names(path: &Path, document: &Document<'_>) -> Vec<NameEntry> {
    let mappings = |id: &NodeId| matches!(document.node(*id).kind, Kind::Mapping);
    let mut nodes: Vec<NodeId> = (0..document.nodes.len())
        .filter(mappings)
        .filter(|&id| !(id == 0 && is_source_name(path)))
        .filter(|&id| !is_post_renderer(document, id))
        .filter_map(|id| document.get(id, "kustomize"))
        .collect();
    if nodes.is_empty() {
        return Vec::new();
    }
    let known: Vec<NodeId> = object::objects(document, false)
        .iter()
        .flat_map(|object| sources(document, object))
        .filter_map(|source| document.get(source, "kustomize"))
        .collect();
    nodes.retain(|node| !known.contains(node));
    let mut names = Vec::new();
    for node in nodes {
        names.extend(kustomize::names(document, node));
        let lists = document.get(node, "images");
        names.extend(lists.into_iter().flat_map(|list| texts(document, list)));
    }
    names
}

/// Whether a mapping is an item of the list of post-renderers of a release, which Flux's finder reads.
fn is_post_renderer(document: &Document<'_>, id: NodeId) -> bool {
    let list = document.node(id).parent;
    let key = list.checked_sub(1).and_then(|key| document.text(key));
    let spec = document.node(list).parent;
    let object = document.node(spec).parent;
    key == Some("postRenderers") && document.text_at(object, &["kind"]) == Some("HelmRelease")
}

fn texts(document: &Document<'_>, list: NodeId) -> Vec<NameEntry> {
    let read = |item: NodeId| {
        let text = document.text(document.resolve(item))?;
        Some(entry(text, document.node(item).span.start))
    };
    document.items(list).filter_map(read).collect()
}

/// An entry of the form `[name=]reference`; without a name, the reference's own name counts.
pub(super) fn entry(text: &str, offset: usize) -> NameEntry {
    let (name, reference) = text.split_once('=').unwrap_or(("", text));
    let (new_name, tag, digest) = split(reference);
    let (name, new_name) = match text.contains('=') {
        true if new_name == "*" => (name, ""),
        true => (name, new_name),
        false => (new_name, ""),
    };
    NameEntry {
        pattern: name.to_string(),
        offset,
        new_name: new_name.to_string(),
        new_tag: tag.to_string(),
        digest: digest.to_string(),
        site: None,
        any_field: false,
    }
}
