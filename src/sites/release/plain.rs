//! Releases in files that are no Kubernetes objects: helmfiles, and the bundles of Fleet.

use super::{
    ANY_CHART, Base, ChartSource, Deployed, Given, Reader, Release, Stage, items, texts, told,
};
use crate::image;
use crate::source::Span;
use crate::yaml::NodeId;

/// Keys of a helmfile's release by which values come from elsewhere.
const FROM_ELSEWHERE: &[&str] = &["<<", "inherit", "valuesTemplate", "setTemplate"];

/// What helmfile does to a chart or its objects besides.
const AFTERWARDS: &[&str] = &[
    "dependencies",
    "forceNamespace",
    "jsonPatches",
    "postRenderer",
    "strategicMergePatches",
    "transformers",
];
/// The same of Fleet, for a bundle.
const OF_BUNDLES: &[&str] = &["kustomize", "overlays"];

/// Options of Helm that give values.
const VALUE_ARGS: &[&str] = &["--set", "--values", "-f"];

impl Reader<'_, '_> {
    /// Where the value of a key stands.
    pub(super) fn span(&self, map: NodeId, key: &str) -> Option<Span> {
        let value = self.document.get(map, key)?;
        Some(self.document.node(self.document.resolve(value)).span)
    }

    /// The releases of a helmfile; one of any chart where a template fills in which there are.
    pub(super) fn helmfiles(&mut self) -> Vec<Release> {
        let document = self.document;
        let Some(list) = document.get(0, "releases") else {
            return Vec::new();
        };
        let listed: Vec<NodeId> = items(document, list).collect();
        let mut releases: Vec<Release> = listed
            .iter()
            .map(|&release| self.helmfile(release))
            .collect();
        if document.is_hole(list) {
            let why = "a template fills in which releases there are";
            releases.push(Release {
                has_chart: true,
                charts: vec![ANY_CHART.to_string()],
                layers: vec![Given::unknown(Stage::Parameters, why)],
                ..Release::default()
            });
        }
        releases
    }

    /// Whether arguments that a map of a helmfile hands to Helm (`args`, `syncArgs`…) give values.
    fn has_value_args(&self, map: NodeId) -> bool {
        let document = self.document;
        let keys = document.entries(map).filter_map(|entry| entry.key);
        let lists = keys.filter(|key| *key == "args" || key.ends_with("Args"));
        let mut args = lists.flat_map(|key| texts(document, map, key));
        args.any(|arg| VALUE_ARGS.iter().any(|option| arg.starts_with(option)))
    }

    fn helmfile(&mut self, node: NodeId) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(node, &[key]).map(ToString::to_string);
        let mut charts = Vec::new();
        let mut taken_over = Vec::new();
        self.charts_of(node, &mut taken_over, &mut charts);
        if charts.is_empty() {
            // One that cannot be told may be any.
            charts.push(ANY_CHART.to_string());
        }
        let mut release = Release {
            has_chart: true,
            span: self.span(node, "name"),
            name: text("name"),
            deployed: Box::new(Deployed {
                namespace: text("namespace")
                    .or_else(|| document.text_at(0, &["namespace"]).map(Into::into)),
                afterwards: self.first_of(node, AFTERWARDS),
                is_filled: true,
                ..Deployed::default()
            }),
            charts,
            source: ChartSource {
                chart: text("chart"),
                version: text("version"),
                ..ChartSource::default()
            },
            ..Release::default()
        };
        let mut entries = document.entries(node);
        if entries.any(|entry| entry.key.is_some_and(|key| FROM_ELSEWHERE.contains(&key))) {
            let why = "it takes values from a template or another release";
            release.layers.push(Given::unknown(Stage::Files, why));
        }
        let defaults = document.get(0, "helmDefaults");
        if defaults
            .into_iter()
            .chain([node])
            .any(|map| self.has_value_args(map))
        {
            let why = "arguments for Helm give values";
            release.layers.push(Given::unknown(Stage::Parameters, why));
        }
        for list in ["values", "secrets"] {
            let values = document.get(node, list);
            for item in values.into_iter().flat_map(|list| items(document, list)) {
                match document.text(item) {
                    Some(file) => release.layers.push(Given::file(file, Base::Here)),
                    None => release.layers.extend(self.block_at(item)),
                }
            }
        }
        for list in ["set", "setString"] {
            release.layers.extend(self.listed_parameters(node, list));
        }
        let lists = ["values", "secrets"].iter();
        let mut lists = lists.filter_map(|list| document.get(node, list));
        if lists.any(|list| document.is_hole(list)) {
            let why = "a template fills in its values";
            release.layers.push(Given::unknown(Stage::Files, why));
        }
        release.layers.extend(self.filled_layer(node));
        release
    }

    /// The charts that a release names, or what it takes over does. `seen`: the maps that were looked at.
    fn charts_of(&self, node: NodeId, seen: &mut Vec<NodeId>, charts: &mut Vec<String>) {
        let document = self.document;
        if seen.contains(&node) {
            return;
        }
        seen.push(node);
        if let Some(chart) = document.get(node, "chart") {
            let chart = document.text(chart).map(told);
            let is_told = |chart: &String| !chart.is_empty() && !image::is_filled_as_whole(chart);
            charts.push(chart.filter(is_told).unwrap_or(ANY_CHART.to_string()));
            return;
        }
        let merged = document.get(node, "<<").into_iter();
        let merged = merged.flat_map(|merged| items(document, merged).chain([merged]));
        let templates = document.get(0, "templates");
        let inherited = document.get(node, "inherit").into_iter();
        let inherited = inherited.flat_map(|list| items(document, list).chain([list]));
        let inherited = inherited.filter_map(|item| {
            let name = document.text_at(item, &["template"])?;
            document.get(templates?, name)
        });
        let all: Vec<NodeId> = merged.chain(inherited).collect();
        for from in all {
            self.charts_of(from, seen, charts);
        }
    }

    /// A bundle of Fleet: as it is, and with each of the changes for a target.
    pub(super) fn fleet(&mut self, helm: NodeId) -> Vec<Release> {
        let document = self.document;
        let mut base = self.fleet_helm(helm, Release::default());
        base.has_chart = true;
        let text = |path: &[&str]| document.text_at(0, path).map(ToString::to_string);
        *base.deployed = Deployed {
            name: text(&["helm", "releaseName"]),
            namespace: text(&["namespace"]).or_else(|| text(&["defaultNamespace"])),
            afterwards: self.first_of(0, OF_BUNDLES),
            is_filled: true,
            ..Deployed::default()
        };
        if base.charts.is_empty() {
            // Without a chart, the bundle's own folder holds it.
            base.charts.push(".".into());
        }
        let mut all = vec![base.clone()];
        let targets = document.get(0, "targetCustomizations");
        let targets = targets.into_iter().flat_map(|list| items(document, list));
        let targets: Vec<NodeId> = targets.collect();
        for target in targets {
            if let Some(helm) = document.get(target, "helm") {
                all.push(self.fleet_helm(helm, base.clone()));
            }
        }
        all
    }

    fn fleet_helm(&mut self, helm: NodeId, mut release: Release) -> Release {
        let document = self.document;
        if let Some(chart) = document.text_at(helm, &["chart"]) {
            release.charts = vec![chart.to_string()];
            release.source = ChartSource {
                repository: document.text_at(helm, &["repo"]).map(Into::into),
                kind: None,
                chart: Some(chart.to_string()),
                version: document.text_at(helm, &["version"]).map(Into::into),
            };
            release.span = self.span(helm, "chart");
        }
        if document.get(helm, "valuesFrom").is_some() {
            let why = "it takes values from config maps or secrets";
            release.layers.push(Given::unknown(Stage::Maps, why));
        }
        release.layers.extend(self.block(helm, "values"));
        // Fleet merges the files over the values that stand beside them (its bundle reader).
        let files = texts(document, helm, "valuesFiles").into_iter();
        release
            .layers
            .extend(files.map(|file| Given::file(file, Base::Here)));
        release
            .layers
            .extend(self.listed_parameters(helm, "parameters"));
        release.layers.extend(self.filled_layer(helm));
        release
    }
}
