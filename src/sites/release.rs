//! Releases of charts: which values files Argo CD, Flux, helmfile and Fleet put together, and
//! whether they add values of their own.

use super::{Fact, Found, Input};
use crate::yaml::{Document, Kind, NodeId};

pub(super) const NAME: &str = "release";

/// Parts of keys that say that values are about images.
const WORDS: &[&str] = &["image", "registry", "repository", "hub", "global"];

/// One use of a chart.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// The chart's folder, when it is named by a path: relative to the object's folder or to that
    /// of the repository.
    pub chart: Option<String>,
    /// The values files, in the order in which later ones win, as written.
    pub files: Vec<String>,
    /// The config maps and secrets that hold values.
    pub maps: Vec<String>,
    /// Whether it brings values of its own that are about images.
    pub inline: bool,
}

/// Values files that become a config map or secret.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The name of the config map or secret.
    pub name: String,
    /// The files, relative to the kustomization.
    pub files: Vec<String>,
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let (document, node) = (input.document, input.object.node);
    match (input.object.group, input.object.kind) {
        ("argoproj.io", "Application" | "ApplicationSet") => {
            let below = node..document.node(node).end;
            let sources = below.filter_map(|id| argo_source(document, id));
            found.facts.extend(sources.map(Fact::Release));
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            if let Some(spec) = document.get(node, "spec") {
                found.facts.push(Fact::Release(flux(document, spec)));
            }
        }
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
            for list in ["configMapGenerator", "secretGenerator"] {
                let generated = generated(document, node, list);
                found.facts.extend(generated.map(Fact::Generated));
            }
            if let Some(charts) = document.get(node, "helmCharts") {
                let charts = document.items(charts).map(|item| document.resolve(item));
                let release = |chart| kustomize_chart(document, chart);
                found.facts.extend(charts.map(release).map(Fact::Release));
            }
        }
        _ => {}
    }
}

/// Releases in files that are no Kubernetes objects: helmfiles and Fleet bundles.
pub(super) fn find_plain(document: &Document<'_>, found: &mut Found) {
    let releases = document.get(0, "releases");
    for item in releases.into_iter().flat_map(|list| document.items(list)) {
        let release = document.resolve(item);
        let mut read = Release {
            chart: document.text_at(release, &["chart"]).map(Into::into),
            ..Release::default()
        };
        for list in ["values", "secrets"] {
            let Some(values) = document.get(release, list) else {
                continue;
            };
            for value in document.items(values).map(|item| document.resolve(item)) {
                match document.text(value) {
                    Some(file) => read.files.push(file.to_string()),
                    None => read.inline |= is_about_images(document, value),
                }
            }
        }
        read.inline |= document.get(release, "set").is_some();
        found.facts.push(Fact::Release(read));
    }
    if let Some(helm) = document.get(0, "helm") {
        found.facts.push(Fact::Release(Release {
            chart: document.text_at(helm, &["chart"]).map(Into::into),
            files: owned(texts(document, helm, "valuesFiles")),
            maps: Vec::new(),
            inline: document
                .get(helm, "values")
                .is_some_and(|values| is_about_images(document, values)),
        }));
    }
}

/// A map with `helm` below it that is a source of an Application.
fn argo_source(document: &Document<'_>, id: NodeId) -> Option<Release> {
    if !matches!(document.node(id).kind, Kind::Mapping) {
        return None;
    }
    let helm = document.get(id, "helm")?;
    document.get(id, "repoURL")?;
    let text_about_images = document
        .text_at(helm, &["values"])
        .is_some_and(|text| WORDS.iter().any(|word| text.contains(word)));
    let object = document.get(helm, "valuesObject");
    let parameters = ["parameters", "fileParameters"]
        .iter()
        .filter_map(|list| document.get(helm, list));
    let named = parameters
        .flat_map(|list| document.items(list))
        .filter_map(|item| document.text_at(document.resolve(item), &["name"]))
        .any(is_about_image);
    Some(Release {
        chart: document.text_at(id, &["path"]).map(Into::into),
        files: owned(texts(document, helm, "valueFiles")),
        maps: Vec::new(),
        inline: text_about_images
            || object.is_some_and(|object| is_about_images(document, object))
            || named,
    })
}

fn flux(document: &Document<'_>, spec: NodeId) -> Release {
    let chart = document.at(spec, &["chart", "spec"]);
    let from = document.get(spec, "valuesFrom");
    let maps = from.into_iter().flat_map(|list| document.items(list));
    let name = |item| document.text_at(document.resolve(item), &["name"]);
    Release {
        chart: chart
            .and_then(|chart| document.text_at(chart, &["chart"]))
            .filter(|chart| chart.contains('/'))
            .map(Into::into),
        files: chart
            .map(|chart| owned(texts(document, chart, "valuesFiles")))
            .unwrap_or_default(),
        maps: maps.filter_map(name).map(Into::into).collect(),
        inline: document
            .get(spec, "values")
            .is_some_and(|values| is_about_images(document, values)),
    }
}

fn kustomize_chart(document: &Document<'_>, chart: NodeId) -> Release {
    let first = document.text_at(chart, &["valuesFile"]);
    let more = texts(document, chart, "additionalValuesFiles");
    let inline = document.get(chart, "valuesInline");
    Release {
        chart: None,
        files: owned(first.into_iter().chain(more).collect()),
        maps: Vec::new(),
        inline: inline.is_some_and(|inline| is_about_images(document, inline)),
    }
}

fn generated<'d>(
    document: &'d Document<'_>,
    node: NodeId,
    list: &str,
) -> impl Iterator<Item = Generated> + 'd {
    let list = document.get(node, list);
    let items = list.into_iter().flat_map(|list| document.items(list));
    items.filter_map(|item| {
        let item = document.resolve(item);
        let files = texts(document, item, "files");
        // An entry is a path, or `key=path`.
        let path = |entry: &str| entry.rsplit('=').next().unwrap_or(entry).to_string();
        (!files.is_empty()).then(|| Generated {
            name: document.text_at(item, &["name"]).unwrap_or("").to_string(),
            files: files.into_iter().map(path).collect(),
        })
    })
}

/// The text of every scalar item of the sequence under `key`.
fn texts<'d>(document: &'d Document<'_>, map: NodeId, key: &str) -> Vec<&'d str> {
    let list = document.get(map, key);
    let items = list.into_iter().flat_map(|list| document.items(list));
    items
        .filter_map(|item| document.text(document.resolve(item)))
        .collect()
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

/// Whether any key below says that images are meant.
fn is_about_images(document: &Document<'_>, values: NodeId) -> bool {
    let below = values..document.node(values).end;
    below
        .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
        .flat_map(|map| document.entries(map))
        .any(|entry| {
            entry
                .key
                .is_none_or(|key| key == "<<" || is_about_image(key))
        })
}

fn is_about_image(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}
