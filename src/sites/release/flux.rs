//! Flux: releases, their charts, and the config maps and secrets that they take values from.

use super::super::{Fact, Found, may_name_images};
use super::{
    ANY_CHART, Base, BlockId, ChartSource, ConfigMap, From, Generated, Given, Reader, Release,
    Stage, Tool, items, may_be_about_name, texts, told,
};
use crate::image;
use crate::yaml::{Document, Kind, NodeId, documents};

/// What Flux does to the objects of a chart.
const AFTERWARDS: &[&str] = &["postRenderers"];
/// The key of a config map that Flux reads unless it is told another one.
const VALUES_KEY: &str = "values.yaml";

impl Reader<'_, '_> {
    pub(super) fn flux(&mut self, spec: NodeId) -> Release {
        let document = self.document;
        let reference = document.get(spec, "chartRef");
        let chart = document.at(spec, &["chart", "spec"]);
        let mut release = match chart {
            Some(chart) => flux_chart(document, chart),
            None => Release {
                tool: Tool::Flux,
                has_chart: reference.is_some(),
                ..Release::default()
            },
        };
        if let Some(reference) = reference {
            let text = |key| document.text_at(reference, &[key]).map(ToString::to_string);
            release.chart_object =
                text("name").filter(|_| text("kind").as_deref() == Some("HelmChart"));
            release.source.repository = text("name");
            release.source.kind = text("kind");
        }
        let text = |key: &str| document.text_at(spec, &[key]).map(ToString::to_string);
        release.deployed.name = text("releaseName");
        release.deployed.namespace = text("targetNamespace");
        release.deployed.afterwards = self.first_of(spec, AFTERWARDS);
        let from = document.get(spec, "valuesFrom");
        release.lists.extend(from.map(|_| Stage::Maps));
        for item in from.into_iter().flat_map(|list| items(document, list)) {
            release.layers.extend(flux_map(document, item));
        }
        release.layers.extend(self.block(spec, "values"));
        release.layers.extend(self.filled_layer(spec));
        release
    }
}

/// What a chart of Flux says: a `HelmChart`, or the same inside of a `HelmRelease`.
pub(super) fn flux_chart(document: &Document<'_>, spec: NodeId) -> Release {
    let text = |path: &[&str]| document.text_at(spec, path).map(ToString::to_string);
    let mut files = texts(document, spec, "valuesFiles");
    files.extend(document.text_at(spec, &["valuesFile"]));
    let layers: Vec<Given> = files
        .into_iter()
        .map(|file| Given::file(file, Base::Source))
        .collect();
    // A published chart may be made from the one of its name here, but not from just any.
    let is_published = text(&["sourceRef", "kind"]).as_deref() == Some("HelmRepository");
    let hole = document
        .get(spec, "chart")
        .filter(|&chart| document.is_hole(chart) && !is_published);
    let hole = hole.map(|_| ANY_CHART.to_string());
    Release {
        tool: Tool::Flux,
        has_chart: text(&["chart"]).is_some() || hole.is_some(),
        lists: if layers.is_empty() {
            Vec::new()
        } else {
            vec![Stage::Files]
        },
        charts: text(&["chart"])
            .filter(|chart| !is_published || !image::is_filled_as_whole(chart))
            .map(|chart| told(&chart))
            .or(hole)
            .into_iter()
            .collect(),
        replaces_defaults: !layers.is_empty(),
        layers,
        source: ChartSource {
            repository: text(&["sourceRef", "name"]),
            kind: text(&["sourceRef", "kind"]),
            chart: text(&["chart"]),
            version: text(&["version"]),
        },
        ..Release::default()
    }
}

/// An entry of `valuesFrom`; none for a single value that says nothing of images.
fn flux_map(document: &Document<'_>, item: NodeId) -> Option<Given> {
    let stage = Stage::Maps;
    let text = |key| document.text_at(item, &[key]);
    if text("targetPath").is_some_and(|path| !may_be_about_name(path)) {
        return None;
    }
    Some(match (text("name"), text("targetPath")) {
        (Some(name), None) => Given {
            stage,
            from: From::Map {
                name: name.to_string(),
                key: text("valuesKey").unwrap_or(VALUES_KEY).to_string(),
                optional: text("optional") == Some("true"),
            },
        },
        (_, Some(_)) => Given::unknown(stage, "a config map or secret sets a single value of it"),
        (None, _) => Given::unknown(stage, "an entry of its `valuesFrom` has no name"),
    })
}

/// Whether a text is a map without any word about images.
fn says_nothing(text: &str) -> bool {
    let mut all = documents(text);
    let is_map =
        matches!(all.next(), Some(Ok(document)) if matches!(document.node(0).kind, Kind::Mapping));
    is_map && all.next().is_none() && !may_name_images(text)
}

/// Values in a config map or secret, by the keys under which others find them.
pub(super) fn config_maps(document: &Document<'_>, object: NodeId, data: &str, found: &mut Found) {
    let Some(name) = document.text_at(object, &["metadata", "name"]) else {
        return;
    };
    let data = document.get(object, data);
    for entry in data.into_iter().flat_map(|data| document.entries(data)) {
        let Some(key) = entry.key else { continue };
        found.facts.push(Fact::ConfigMap(ConfigMap {
            name: name.to_string(),
            key: key.to_string(),
            block: BlockId::of(document, document.resolve(entry.value)),
            says_nothing: document
                .text(document.resolve(entry.value))
                .is_some_and(says_nothing),
        }));
    }
}

pub(super) fn generated<'d>(
    document: &'d Document<'_>,
    node: NodeId,
    list: &str,
) -> impl Iterator<Item = Generated> + 'd {
    let list = document.get(node, list);
    let items = list.into_iter().flat_map(|list| items(document, list));
    items.filter_map(|item| {
        // An entry is a path, or `key=path`.
        let entry = |entry: &str| match entry.split_once('=') {
            Some((key, path)) => (key.to_string(), path.to_string()),
            None => {
                let key = entry.rsplit('/').next().unwrap_or(entry);
                (key.to_string(), entry.to_string())
            }
        };
        let mut files: Vec<_> = texts(document, item, "files")
            .into_iter()
            .map(entry)
            .collect();
        // A literal is a text that stands in no file.
        let literals = texts(document, item, "literals").into_iter();
        let literals = literals.filter_map(|literal| literal.split_once('='));
        files.extend(literals.map(|(key, _)| (key.to_string(), String::new())));
        (!files.is_empty()).then(|| Generated {
            name: document.text_at(item, &["name"]).unwrap_or("").to_string(),
            files,
            changes: document.get(item, "behavior").is_some(),
        })
    })
}
