//! Kustomizations: the images they name and the files they take in.
//!
//! A kustomization is what a file of the name `kustomization.yaml` (or `.yml`, `Kustomization`)
//! holds, whether or not it says so. Source: kustomize `api/konfig` and `api/types/kustomization`.

use std::path::Path;

use super::{Fact, Found, Input, texts};
use crate::yaml::{Document, NodeId, documents};

pub(super) const NAME: &str = "kustomize";

const FILE_NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Lists of files and folders that a kustomization takes in.
const FILE_LISTS: &[&str] = &[
    "resources",
    "bases",
    "components",
    "patchesStrategicMerge",
    "transformers",
    "generators",
];
/// Lists of patches, each with a `path`.
const PATCH_LISTS: &[&str] = &["patches", "patchesJson6902"];
/// Where kustomize unpacks charts unless `helmGlobals.chartHome` says otherwise.
const CHART_HOME: &str = "charts";

/// A pattern for the images that a kustomization changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameEntry {
    /// The text of `name`: an anchored regular expression to kustomize.
    pub pattern: String,
    /// The byte of the file where it stands.
    pub offset: usize,
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
    /// Whether it copies fields about (`replacements`, `vars`), so that an image may be read or
    /// written from somewhere else.
    pub copies_fields: bool,
}

/// Whether kustomize reads a file of this name as a kustomization.
pub fn is_kustomization_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| FILE_NAMES.contains(&name))
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let (document, node) = (input.document, input.object.node);
    match (input.object.group, input.object.kind) {
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
            let component = input.object.kind == "Component";
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: if component {
                    Acts::OnItsParents
                } else {
                    Acts::OnItsOwn
                },
                names: [names(document, node), tested_inline(document, node)].concat(),
                takes_in: takes_in(document, node),
                copies_fields: is_filled(document, node, "replacements")
                    || is_filled(document, node, "vars"),
            }));
            found.facts.extend(inflated_charts(document, node));
        }
        (_, "ReplacementTransformer") => {
            found.facts.push(Fact::Kustomization(Kustomization {
                acts: Acts::OnItsParents,
                copies_fields: true,
                ..Default::default()
            }));
        }
        (_, "ImageTagTransformer") => {
            let tag = document
                .get(node, "imageTag")
                .map(|tag| entry(document, tag));
            let names = tag.flatten().into_iter().collect();
            found.facts.push(Fact::Kustomization(Kustomization {
                names,
                ..Default::default()
            }));
        }
        _ => {}
    }
}

/// The `name`s of the `images` below `node`.
pub(super) fn names(document: &Document<'_>, node: NodeId) -> Vec<NameEntry> {
    let Some(images) = document.get(node, "images") else {
        return Vec::new();
    };
    document
        .items(images)
        .filter_map(|item| entry(document, document.resolve(item)))
        .collect()
}

fn entry(document: &Document<'_>, item: NodeId) -> Option<NameEntry> {
    let name = document.get(item, "name")?;
    let pattern = document.text(name)?.to_string();
    Some(NameEntry {
        pattern,
        offset: document.node(name).span.start,
    })
}

/// Every text under a key `name` in a kustomization that cannot be read (a template, say), line by
/// line: too many names hold an image back, too few would disconnect one.
pub(super) fn names_by_line(text: &str) -> Kustomization {
    let mut names = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let entry = line.trim_start_matches([' ', '\t', '-', '{']);
        if let Some(value) = entry.strip_prefix("name:") {
            let end = value.find([',', '}', '#', '\n']).unwrap_or(value.len());
            let pattern = value[..end].trim().trim_matches(['"', '\'']).to_string();
            names.push(NameEntry { pattern, offset });
        }
        offset += line.len();
    }
    Kustomization {
        names,
        ..Kustomization::default()
    }
}

/// The images that a JSON6902 patch tests for: rewriting one of them would fail the build.
pub(super) fn tested(document: &Document<'_>) -> Vec<NameEntry> {
    let read = |item: NodeId| {
        let item = document.resolve(item);
        let is_test = document.text_at(item, &["op"]) == Some("test")
            && document
                .text_at(item, &["path"])
                .is_some_and(|path| path.ends_with("/image"));
        let value = document.get(item, "value").filter(|_| is_test)?;
        let pattern = document.text(value)?.to_string();
        Some(NameEntry {
            pattern,
            offset: document.node(value).span.start,
        })
    };
    document.items(0).filter_map(read).collect()
}

/// The same for the patches written into the object at `node`, each entry placed at its patch.
pub(super) fn tested_inline(document: &Document<'_>, node: NodeId) -> Vec<NameEntry> {
    let lists = PATCH_LISTS.iter().filter_map(|key| document.get(node, key));
    let patches = lists.flat_map(|list| document.items(list));
    let patches = patches.filter_map(|item| document.get(document.resolve(item), "patch"));
    let mut names = Vec::new();
    for patch in patches {
        let offset = document.node(patch).span.start;
        let inner = documents(document.text(patch).unwrap_or("")).filter_map(Result::ok);
        let tested = inner.flat_map(|inner| tested(&inner));
        names.extend(tested.map(|entry| NameEntry { offset, ..entry }));
    }
    names
}

fn takes_in(document: &Document<'_>, node: NodeId) -> Vec<String> {
    let listed = FILE_LISTS.iter().flat_map(|key| texts(document, node, key));
    let patches = PATCH_LISTS.iter().filter_map(|key| document.get(node, key));
    let patched = patches.flat_map(|list| {
        document
            .items(list)
            .filter_map(|item| document.text_at(document.resolve(item), &["path"]))
    });
    listed.chain(patched).map(Into::into).collect()
}

fn is_filled(document: &Document<'_>, node: NodeId, key: &str) -> bool {
    document
        .get(node, key)
        .is_some_and(|list| document.items(list).next().is_some())
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
