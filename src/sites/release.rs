//! Releases of charts: which layers of values Argo CD, Flux, helmfile, Fleet, k3s and kustomize put
//! together, in which order. A layer is a file, a config map, or a block of values inside the object.

use std::path::Path;

use super::release_patches::DIRECTIVE;
use super::values::{self, Parameter};
use super::{Fact, Found, Input, Template, workload};
use crate::yaml::{Document, DocumentPath, Kind, NodeId, documents};

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
/// The key of a config map that Flux reads unless it is told another one.
const VALUES_KEY: &str = "values.yaml";

/// Values that are a part of a file, or stand in a text of it: their document and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    document: DocumentPath,
    node: NodeId,
}

impl BlockId {
    /// The values that a node of a document is or holds.
    pub(super) fn of(document: &Document<'_>, node: NodeId) -> Self {
        Self {
            document: document.path,
            node,
        }
    }
}

/// A family of tools: objects of one family are known to each other by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Argo CD.
    Argo,
    /// Flux.
    Flux,
    /// The Helm controller of k3s.
    K3s,
    /// Tools whose releases are found in one file each: helmfile, Fleet, kustomize.
    #[default]
    Other,
}

/// One use of a chart, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// What reads it.
    pub tool: Tool,
    /// The name of the object, by which patches find it.
    pub name: Option<String>,
    /// Whether it says which chart it is of; a patch does not.
    pub has_chart: bool,
    /// Folders that may hold the chart: relative to the object's folder or to that of the repository.
    pub charts: Vec<String>,
    /// The name of the object that says which chart it is.
    pub chart_object: Option<String>,
    /// The name by which others take over what this object says of a chart.
    pub chart_name: Option<String>,
    /// The kinds of layers that it gives as lists: a patch replaces those.
    pub lists: Vec<Stage>,
    /// Whether its values are a text: a patch replaces it.
    pub has_text: bool,
    /// Whether its files take the place of the chart's own values.
    pub replaces_defaults: bool,
    /// What is merged over the chart's own values, in the order in which later ones win.
    pub layers: Vec<Given>,
    /// Where the chart comes from.
    pub source: ChartSource,
}

/// Where a release's chart comes from, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChartSource {
    /// The repository: a URL, or the name of the object or entry that has it.
    pub repository: Option<String>,
    /// The name of the chart in it, or its path.
    pub chart: Option<String>,
    /// The version.
    pub version: Option<String>,
}

/// The order in which kinds of layers come in objects that patches can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Files by their names. A list: a patch replaces it.
    Files,
    /// Config maps and secrets. A list: a patch replaces it.
    Maps,
    /// Values in the object. A map: a patch is merged with it.
    Values,
    /// Single parameters. A list: a patch replaces it.
    Parameters,
}

/// One layer of a release.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its kind.
    pub stage: Stage,
    /// Where its values are.
    pub from: From,
}

/// Where the values of a layer are.
#[derive(Clone, Debug)]
pub enum From {
    /// In a file.
    File {
        /// Its path, as written.
        path: String,
        /// What the path starts from.
        base: Base,
        /// Whether the release goes on without it.
        optional: bool,
    },
    /// In a config map or secret.
    Map {
        /// Its name.
        name: String,
        /// The key that holds them.
        key: String,
        /// Whether the release goes on without it.
        optional: bool,
    },
    /// In the object itself.
    Block {
        /// The block.
        block: BlockId,
        /// Whether a part of it is empty: to some tools that means that nothing is said.
        empties: bool,
    },
    /// Somewhere that is not read: why, for people.
    Unknown(String),
}

/// What the path of a values file starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The folder of the file that names it.
    Here,
    /// The folder of the chart.
    Chart,
    /// The root of a repository, which may be this one.
    Root,
    /// Any of these.
    Anywhere,
}

/// A text in a config map or secret, which may be values.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// The name of the config map or secret.
    pub name: String,
    /// The key of the text.
    pub key: String,
    /// The values in it.
    pub block: BlockId,
    /// Whether they are values that say nothing of images, so that nobody looks into them.
    pub says_nothing: bool,
}

/// Values files that become a config map or secret.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The name of the config map or secret.
    pub name: String,
    /// Its keys, each with the file relative to the kustomization.
    pub files: Vec<(String, String)>,
    /// Whether it changes one of the same name that is taken in.
    pub changes: bool,
}

impl Given {
    fn file(path: &str, base: Base) -> Self {
        let path = path.to_string();
        let optional = false;
        Self {
            stage: Stage::Files,
            from: From::File {
                path,
                base,
                optional,
            },
        }
    }

    fn unknown(stage: Stage, why: &str) -> Self {
        Self {
            stage,
            from: From::Unknown(why.to_string()),
        }
    }
}

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
            let home = document.text_at(node, &["helmGlobals", "chartHome"]);
            let lists = ["helmCharts", "helmChartInflationGenerator"];
            let charts = lists.iter().filter_map(|list| document.get(node, list));
            let charts: Vec<NodeId> = charts.flat_map(|list| items(document, list)).collect();
            let read = charts
                .into_iter()
                .map(|chart| reader.kustomize(chart, home));
            read.collect()
        }
        (_, "HelmChartInflationGenerator") => vec![reader.kustomize(node, None)],
        ("", "ConfigMap") => return config_maps(document, node, "data", found),
        ("", "Secret") => return config_maps(document, node, "stringData", found),
        _ => Vec::new(),
    };
    for mut release in releases {
        release.name.clone_from(&name);
        found.facts.push(Fact::Release(release));
    }
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
    let list = document.get(0, "releases");
    let list: Vec<NodeId> = list
        .into_iter()
        .flat_map(|list| items(document, list))
        .collect();
    let mut releases: Vec<Release> = list.into_iter().map(|item| reader.helmfile(item)).collect();
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
    /// The values under `key`, as a layer; none when nothing in them is about images.
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
                self.keep(node, values, stage)
            }
            Kind::Scalar { value, .. } => self.text_block(node, value),
            _ => Some(Given::unknown(stage, "its values are no map")),
        }
    }

    /// The values in a text: what they name is found when the text is looked into.
    fn text_block(&self, node: NodeId, value: &str) -> Option<Given> {
        let stage = Stage::Values;
        let mut all = documents(value);
        let is_read = matches!(all.next(), Some(Ok(document)) if matches!(document.node(0).kind, Kind::Mapping));
        if is_read && all.next().is_none() {
            let from = From::Block {
                block: BlockId::of(self.document, node),
                empties: false,
            };
            return Some(Given { stage, from });
        }
        is_text_about_names(value)
            .then(|| Given::unknown(stage, "its values are a text that cannot be read"))
    }

    /// Parameters, each a path of keys and the node of its value, as a layer. A null takes away what
    /// other layers say.
    fn parameters(
        &mut self,
        list: NodeId,
        parameters: &[(Option<&str>, Option<NodeId>)],
    ) -> Option<Given> {
        let stage = Stage::Parameters;
        let mut read = Vec::new();
        for &(path, node) in parameters {
            let node = node.filter(|&node| self.document.text(node) != Some("null"));
            if let (Some(keys), Some(node)) = (path.and_then(keys_of), node) {
                read.push(Parameter { keys, node });
            } else if path.is_none_or(is_about_name) {
                let why = format!("its parameter `{}` cannot be told", path.unwrap_or("?"));
                return Some(Given::unknown(stage, &why));
            }
        }
        let values = values::parameters(self.text, self.document, list, self.templates, &read);
        self.keep(list, values, stage)
    }

    /// Takes up what a block says; the same block may be used more than once.
    fn keep(&mut self, node: NodeId, values: values::Inside, stage: Stage) -> Option<Given> {
        let values::Inside { sites, loose } = values;
        let block = BlockId::of(self.document, node);
        if sites.is_empty() && loose.is_empty() {
            return None;
        }
        let empties = loose.parts.iter().any(|part| part.empties)
            || sites
                .iter()
                .filter_map(super::Site::parts)
                .any(super::Parts::has_empty);
        if !self.found.blocks.iter().any(|(known, _)| *known == block) {
            self.found.sites.extend(sites);
            self.found.blocks.push((block, loose));
        }
        Some(Given {
            stage,
            from: From::Block { block, empties },
        })
    }

    /// Each source of an Application, and of the templates in an ApplicationSet. A patch, which need not
    /// name its source, is one without a chart.
    fn argo(&mut self, object: NodeId) -> Vec<Release> {
        let document = self.document;
        let maps = object..document.node(object).end;
        let maps = maps.filter(|&id| matches!(document.node(id).kind, Kind::Mapping));
        let mut releases = Vec::new();
        let mut unclear = None;
        for id in maps {
            if let Some(patch) = document.text_at(id, &["templatePatch"]) {
                let words = ["valueFiles", "values", "parameters", "source"];
                if words.iter().any(|word| patch.contains(word)) {
                    unclear = Some("its `templatePatch` may change its values");
                }
            }
            let generates = document.get(id, "generators");
            if generates.is_some_and(|list| has_helm_template(document, list)) {
                unclear = Some("a template of its generators may change its values");
            }
            let has_chart = document.get(id, "repoURL").is_some();
            let helm = document.get(id, "helm");
            if has_chart || helm.is_some() {
                let mut release = self.argo_source(id, helm);
                release.has_chart = has_chart;
                releases.push(release);
            }
        }
        if let Some(why) = unclear {
            for release in &mut releases {
                release.layers.push(Given::unknown(Stage::Parameters, why));
            }
        }
        releases
    }

    fn argo_source(&mut self, source: NodeId, helm: Option<NodeId>) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(source, &[key]).map(ToString::to_string);
        // A path that is filled in as a whole may be any folder.
        let is_filled = |path: &str| path.starts_with("{{") && path.ends_with("}}");
        let path = text("path").map(|path| if is_filled(&path) { "*".into() } else { path });
        let mut release = Release {
            tool: Tool::Argo,
            source: ChartSource {
                repository: text("repoURL"),
                chart: text("chart").or(path.clone()),
                version: text("targetRevision"),
            },
            charts: path.into_iter().collect(),
            ..Release::default()
        };
        let Some(helm) = helm else { return release };
        for (key, stage) in [
            ("valueFiles", Stage::Files),
            ("parameters", Stage::Parameters),
        ] {
            release.lists.extend(document.get(helm, key).map(|_| stage));
        }
        let optional = document.text_at(helm, &["ignoreMissingValueFiles"]) == Some("true");
        for path in texts(document, helm, "valueFiles") {
            let path = path.to_string();
            let base = if path.starts_with(['$', '/']) {
                Base::Root
            } else {
                Base::Chart
            };
            release.layers.push(Given {
                stage: Stage::Files,
                from: From::File {
                    path,
                    base,
                    optional,
                },
            });
        }
        // The object takes the place of the text.
        let is_set = |key| {
            document
                .get(helm, key)
                .is_some_and(|node| !is_null(document, node))
        };
        let key = if is_set("valuesObject") {
            "valuesObject"
        } else {
            "values"
        };
        release.has_text = key == "values" && document.get(helm, key).is_some();
        release.layers.extend(self.block(helm, key));
        release
            .layers
            .extend(self.listed_parameters(helm, "parameters"));
        let files = document.get(helm, "fileParameters");
        let mut files = files.into_iter().flat_map(|list| items(document, list));
        if files.any(|item| document.text_at(item, &["name"]).is_none_or(is_about_name)) {
            let why = "a parameter of it comes from a file";
            release.layers.push(Given::unknown(Stage::Parameters, why));
        }
        release
    }

    /// `[{name: image.repository, value: …}]`
    fn listed_parameters(&mut self, map: NodeId, key: &str) -> Option<Given> {
        let document = self.document;
        let list = document.get(map, key)?;
        let parameters = items(document, list).map(|item| {
            let name = document.text_at(item, &["name"]);
            (name, document.get(item, "value"))
        });
        self.parameters(list, &parameters.collect::<Vec<_>>())
    }

    fn flux(&mut self, spec: NodeId) -> Release {
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
        }
        let from = document.get(spec, "valuesFrom");
        release.lists.extend(from.map(|_| Stage::Maps));
        for item in from.into_iter().flat_map(|list| items(document, list)) {
            release.layers.extend(flux_map(document, item));
        }
        release.layers.extend(self.block(spec, "values"));
        release
    }

    fn helmfile(&mut self, node: NodeId) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(node, &[key]).map(ToString::to_string);
        let mut release = Release {
            has_chart: true,
            name: text("name"),
            charts: text("chart").into_iter().collect(),
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
        release
    }

    /// A bundle of Fleet: as it is, and with each of the changes for a target.
    fn fleet(&mut self, helm: NodeId) -> Vec<Release> {
        let document = self.document;
        let mut base = self.fleet_helm(helm, Release::default());
        base.has_chart = true;
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
            release.source.chart = Some(chart.to_string());
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
        release
    }

    fn kustomize(&mut self, chart: NodeId, home: Option<&str>) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(chart, &[key]).map(ToString::to_string);
        let file = text("valuesFile").or_else(|| text("values"));
        let file = file.map(|file| Given::file(&file, Base::Here));
        let inline = ["valuesInline", "valuesLocal"];
        let inline = inline.iter().find_map(|key| self.block(chart, key));
        let inline = inline.map(|given| match given.from {
            From::Block { empties: true, .. } => {
                Given::unknown(Stage::Values, "an empty value in it may or may not count")
            }
            _ => given,
        });
        let first: Vec<Given> = match text("valuesMerge").as_deref() {
            None | Some("override") => file.into_iter().chain(inline).collect(),
            Some("replace") => inline.into_iter().collect(),
            Some("merge") if file.is_some() => inline.into_iter().chain(file).collect(),
            Some(_) if inline.is_some() => {
                let why = "how its values are merged with the chart's is not followed";
                vec![Given::unknown(Stage::Values, why)]
            }
            Some(_) => file.into_iter().collect(),
        };
        let more = texts(document, chart, "additionalValuesFiles").into_iter();
        let more = more.map(|file| Given::file(file, Base::Here));
        let home = home.unwrap_or(super::kustomize::CHART_HOME);
        let local = text("repo").is_none().then(|| text("name")).flatten();
        Release {
            has_chart: true,
            charts: local
                .map(|name| format!("{home}/{name}"))
                .into_iter()
                .collect(),
            layers: first.into_iter().chain(more).collect(),
            source: ChartSource {
                repository: text("repo"),
                chart: text("name"),
                version: text("version"),
            },
            ..Release::default()
        }
    }

    /// A chart of k3s, or what is merged over its values.
    fn k3s(&mut self, spec: NodeId, has_chart: bool) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(spec, &[key]).map(ToString::to_string);
        let mut release = Release {
            tool: Tool::K3s,
            has_chart,
            source: ChartSource {
                repository: text("repo"),
                chart: text("chart"),
                version: text("version"),
            },
            ..Release::default()
        };
        release.layers.extend(self.block(spec, "valuesContent"));
        if document.get(spec, "valuesSecrets").is_some() {
            let why = "it takes values from secrets";
            release.layers.push(Given::unknown(Stage::Values, why));
        }
        if let Some(set) = document.get(spec, "set") {
            let entries = document.entries(set);
            let parameters = entries.map(|entry| (entry.key, Some(document.resolve(entry.value))));
            let parameters: Vec<_> = parameters.collect();
            release.layers.extend(self.parameters(set, &parameters));
        }
        release
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
            release.layers.push(Given::file(file, Base::Anywhere));
        }
    }
    if release.charts.is_empty() && release.layers.is_empty() {
        return None;
    }
    let why = "it is a template, of which only a part can be read";
    release.layers.push(Given::unknown(Stage::Parameters, why));
    Some(release)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

/// Whether a template of a generator says something of Helm.
fn has_helm_template(document: &Document<'_>, generators: NodeId) -> bool {
    let maps = generators..document.node(generators).end;
    let mut templates = maps
        .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
        .filter_map(|id| document.get(id, "template"));
    templates.any(|template| {
        let mut below = template..document.node(template).end;
        below.any(|id| document.get(id, "helm").is_some())
    })
}

/// What a chart of Flux says: a `HelmChart`, or the same inside of a `HelmRelease`.
fn flux_chart(document: &Document<'_>, spec: NodeId) -> Release {
    let text = |path: &[&str]| document.text_at(spec, path).map(ToString::to_string);
    let mut files = texts(document, spec, "valuesFiles");
    files.extend(document.text_at(spec, &["valuesFile"]));
    let layers: Vec<Given> = files
        .into_iter()
        .map(|file| Given::file(file, Base::Root))
        .collect();
    Release {
        tool: Tool::Flux,
        has_chart: text(&["chart"]).is_some(),
        lists: if layers.is_empty() {
            Vec::new()
        } else {
            vec![Stage::Files]
        },
        charts: text(&["chart"]).into_iter().collect(),
        replaces_defaults: !layers.is_empty(),
        layers,
        source: ChartSource {
            repository: text(&["sourceRef", "name"]),
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
    if text("targetPath").is_some_and(|path| !is_about_name(path)) {
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
    is_map && all.next().is_none() && !super::WORDS.iter().any(|word| text.contains(word))
}

/// Values in a config map or secret, by the keys under which others find them.
fn config_maps(document: &Document<'_>, object: NodeId, data: &str, found: &mut Found) {
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

fn generated<'d>(
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

fn is_null(document: &Document<'_>, node: NodeId) -> bool {
    matches!(document.text(node), Some("" | "~" | "null"))
}

/// The keys of a path as Helm's `--set` writes it; none for one with positions of a list or escapes.
fn keys_of(path: &str) -> Option<Vec<String>> {
    let is_plain = !path.contains(['[', ']', '\\', ',', '=', '{', '}']);
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
    if document
        .text(values)
        .is_some_and(|text| text.contains("{{"))
    {
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

/// Whether a key, or a path of keys, makes up the name of an image.
fn is_about_name(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let path = path.to_ascii_lowercase();
    let is_tag = NOT_NAMES.contains(&last) || last.ends_with("Tag") || last.ends_with("PullPolicy");
    !is_tag && WORDS.iter().any(|word| path.contains(word))
}
