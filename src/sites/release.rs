//! Releases of charts: which values files Argo CD, Flux, helmfile, Fleet and kustomize put together,
//! and whether they add values of their own.

use super::{Fact, Found, Input};
use crate::yaml::{Document, Kind, NodeId, documents};

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
/// Keys of a helmfile's release by which values come from elsewhere.
const FROM_ELSEWHERE: &[&str] = &["<<", "inherit", "valuesTemplate", "setTemplate"];
/// Words that together show that a text that is no YAML is about releases: those of any line.
const SALVAGED: &[&[&str]] = &[
    &["valueFiles:"],
    &["valuesFiles:"],
    &["kind: HelmRelease"],
    &["kind: Application", "helm:"],
    &["releases:", "chart:"],
];

/// One use of a chart, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// The name of the object, by which patches find it.
    pub name: Option<String>,
    /// Whether it says which chart it is of; a patch does not.
    pub has_chart: bool,
    /// Folders that may hold the chart: relative to the object's folder or to that of the repository.
    pub charts: Vec<String>,
    /// The name of the object that says which chart it is.
    pub chart_object: Option<String>,
    /// The values files, in the order in which later ones win, as written.
    pub files: Vec<String>,
    /// The config maps and secrets that hold values.
    pub maps: Vec<String>,
    /// Whether it brings values of its own that are about names of images, or may.
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
    let name = || {
        document
            .text_at(node, &["metadata", "name"])
            .map(Into::into)
    };
    let mut add = |release: Release| found.facts.push(Fact::Release(release));
    match (input.object.group, input.object.kind) {
        ("argoproj.io", "Application" | "ApplicationSet") => {
            let mut release = argo(document, node);
            release.name = name();
            add(release);
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            if let Some(spec) = document.get(node, "spec") {
                let mut release = flux(document, spec);
                release.name = name();
                add(release);
            }
        }
        ("source.toolkit.fluxcd.io", "HelmChart") => {
            if let Some(spec) = document.get(node, "spec") {
                let chart = document.text_at(spec, &["chart"]);
                add(Release {
                    name: name(),
                    has_chart: true,
                    charts: owned(chart.into_iter().collect()),
                    files: owned(texts(document, spec, "valuesFiles")),
                    ..Release::default()
                });
            }
        }
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
            for list in ["helmCharts", "helmChartInflationGenerator"] {
                let charts = document.get(node, list);
                let charts = charts.into_iter().flat_map(|list| document.items(list));
                charts.for_each(|chart| add(kustomize(document, document.resolve(chart))));
            }
            for list in ["configMapGenerator", "secretGenerator"] {
                let generated = generated(document, node, list);
                found.facts.extend(generated.map(Fact::Generated));
            }
        }
        (_, "HelmChartInflationGenerator") => add(kustomize(document, node)),
        _ => {}
    }
}

/// Releases in files that are no Kubernetes objects: helmfiles and Fleet bundles.
pub(super) fn find_plain(document: &Document<'_>, found: &mut Found) {
    let releases = document.get(0, "releases");
    for item in releases.into_iter().flat_map(|list| document.items(list)) {
        let release = helmfile(document, document.resolve(item));
        found.facts.push(Fact::Release(release));
    }
    if let Some(helm) = document.get(0, "helm") {
        let values = document.get(helm, "values");
        let more = document.get(0, "targetCustomizations").is_some();
        found.facts.push(Fact::Release(Release {
            has_chart: true,
            // Without a chart, the bundle's own folder holds it.
            charts: vec![document.text_at(helm, &["chart"]).unwrap_or(".").into()],
            files: owned(texts(document, helm, "valuesFiles")),
            inline: more || values.is_some_and(|values| is_about_names(document, values)),
            ..Release::default()
        }));
    }
}

/// What can still be told of a text that is no YAML before a template is rendered: the charts and the
/// files that it names. What else it says is not known.
pub(super) fn salvage(text: &str) -> Option<Release> {
    let shows = |words: &&[&str]| words.iter().all(|word| text.contains(word));
    if !SALVAGED.iter().any(shows) {
        return None;
    }
    let mut release = Release {
        has_chart: true,
        inline: true,
        ..Release::default()
    };
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ").trim();
        let value = ["path:", "chart:"]
            .iter()
            .find_map(|key| line.strip_prefix(key));
        if let Some(chart) = value {
            release.charts.push(unquoted(chart).to_string());
        }
        let file = unquoted(line);
        if [".yaml", ".yml", ".gotmpl"]
            .iter()
            .any(|end| file.ends_with(end))
        {
            release.files.push(file.to_string());
        }
    }
    (!release.charts.is_empty() || !release.files.is_empty()).then_some(release)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

/// All sources of an Application, and of the templates in an ApplicationSet.
fn argo(document: &Document<'_>, object: NodeId) -> Release {
    let mut release = Release::default();
    for id in object..document.node(object).end {
        if !matches!(document.node(id).kind, Kind::Mapping) {
            continue;
        }
        let is_source = document.get(id, "repoURL").is_some();
        if is_source {
            release.has_chart = true;
            // A path that is filled in as a whole may be any folder.
            let path = document.text_at(id, &["path"]);
            let is_filled = |path: &str| path.starts_with("{{") && path.ends_with("}}");
            let path = path.map(|path| if is_filled(path) { "*" } else { path });
            release.charts.extend(path.map(Into::into));
        }
        if let Some(patch) = document.text_at(id, &["templatePatch"]) {
            release.inline |= ["valueFiles", "values", "parameters"]
                .iter()
                .any(|word| patch.contains(word));
        }
        let Some(helm) = document.get(id, "helm") else {
            continue;
        };
        release
            .files
            .extend(owned(texts(document, helm, "valueFiles")));
        let text = document.text_at(helm, &["values"]);
        let object = document.get(helm, "valuesObject");
        let lists = ["parameters", "fileParameters"];
        let lists = lists.iter().filter_map(|list| document.get(helm, list));
        let mut names = lists
            .flat_map(|list| document.items(list))
            .filter_map(|item| document.text_at(document.resolve(item), &["name"]));
        release.inline |= text.is_some_and(is_text_about_names)
            || object.is_some_and(|object| is_about_names(document, object))
            || names.any(is_about_name);
    }
    release
}

fn flux(document: &Document<'_>, spec: NodeId) -> Release {
    let chart = document.at(spec, &["chart", "spec"]);
    let from = document.get(spec, "valuesFrom");
    let from = from.into_iter().flat_map(|list| document.items(list));
    let from: Vec<NodeId> = from.map(|item| document.resolve(item)).collect();
    let text = |&item: &NodeId, key| document.text_at(item, &[key]);
    let reference = document.get(spec, "chartRef");
    let named = chart.and_then(|chart| document.text_at(chart, &["chart"]));
    let values = document.get(spec, "values");
    Release {
        name: None,
        has_chart: chart.is_some() || reference.is_some(),
        charts: owned(named.into_iter().collect()),
        chart_object: reference
            .filter(|&reference| document.text_at(reference, &["kind"]) == Some("HelmChart"))
            .and_then(|reference| document.text_at(reference, &["name"]))
            .map(Into::into),
        files: chart
            .map(|chart| owned(texts(document, chart, "valuesFiles")))
            .unwrap_or_default(),
        maps: owned(from.iter().filter_map(|item| text(item, "name")).collect()),
        inline: values.is_some_and(|values| is_about_names(document, values))
            || from
                .iter()
                .filter_map(|item| text(item, "targetPath"))
                .any(is_about_name),
    }
}

fn helmfile(document: &Document<'_>, release: NodeId) -> Release {
    let chart = document.text_at(release, &["chart"]);
    let mut entries = document.entries(release);
    let mut read = Release {
        has_chart: true,
        charts: owned(chart.into_iter().collect()),
        inline: entries.any(|entry| entry.key.is_some_and(|key| FROM_ELSEWHERE.contains(&key))),
        ..Release::default()
    };
    let set = document.get(release, "set");
    let mut set = set.into_iter().flat_map(|list| document.items(list));
    read.inline |= set.any(|item| {
        let name = document.text_at(document.resolve(item), &["name"]);
        name.is_none_or(is_about_name)
    });
    for list in ["values", "secrets"] {
        let values = document.get(release, list);
        for item in values.into_iter().flat_map(|list| document.items(list)) {
            let value = document.resolve(item);
            match document.text(value) {
                Some(file) => read.files.push(file.to_string()),
                None => read.inline |= is_about_names(document, value),
            }
        }
    }
    read
}

fn kustomize(document: &Document<'_>, chart: NodeId) -> Release {
    let first = ["valuesFile", "values"]
        .iter()
        .find_map(|key| document.text_at(chart, &[key]));
    let more = texts(document, chart, "additionalValuesFiles");
    let mut inline = ["valuesInline", "valuesLocal"]
        .iter()
        .filter_map(|key| document.get(chart, key));
    Release {
        has_chart: true,
        files: owned(first.into_iter().chain(more).collect()),
        inline: inline.any(|inline| is_about_names(document, inline)),
        ..Release::default()
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

/// The same of values that stand in a text; one that cannot be read may say anything.
fn is_text_about_names(text: &str) -> bool {
    documents(text).any(|document| match document {
        Ok(document) => is_about_names(&document, 0),
        Err(_) => WORDS.iter().any(|word| text.contains(word)),
    })
}

/// Whether any text below stands under a key that makes up the name of an image.
fn is_about_names(document: &Document<'_>, values: NodeId) -> bool {
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

/// Whether a key, or a path of keys, makes up the name of an image.
fn is_about_name(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let path = path.to_ascii_lowercase();
    let is_tag = NOT_NAMES.contains(&last) || last.ends_with("Tag") || last.ends_with("PullPolicy");
    !is_tag && WORDS.iter().any(|word| path.contains(word))
}
