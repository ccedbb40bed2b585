//! The sources of Argo CD's Applications, and of the templates in its ApplicationSets.

use std::collections::BTreeMap;

use super::{
    ANY_CHART, Base, ChartSource, Deployed, From, Given, Reader, Release, Stage, Tool, is_null,
    items, may_be_about_name, told,
};
use crate::image;
use crate::yaml::{Document, Kind, NodeId};

/// Keys that hold the sources of an Application.
const SOURCES: &[&str] = &["source", "sources"];

/// What Argo CD does to what a source holds, besides giving it values.
const AFTERWARDS: &[&str] = &["kustomize", "plugin"];

impl Reader<'_, '_> {
    /// Each source of an Application, and of the templates in an ApplicationSet. A patch, which need not
    /// name its source, is one without a chart.
    pub(super) fn argo(&mut self, object: NodeId) -> Vec<Release> {
        let document = self.document;
        let maps = object..document.node(object).end;
        let maps = maps.filter(|&id| matches!(document.node(id).kind, Kind::Mapping));
        let mut releases = Vec::new();
        let mut unclear = None;
        let is_filled = document.text_at(object, &["kind"]) == Some("ApplicationSet");
        let lent = lent(document, maps.clone());
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
            let is_any = |key: &&str| document.get(id, key).is_some();
            // A source with a name alone lends its files to the others.
            let is_lent = is_any(&"ref") && !["chart", "path", "helm"].iter().any(is_any);
            if (has_chart && !is_lent) || helm.is_some() {
                let mut release = self.argo_source(id, helm, &lent);
                release.has_chart = has_chart;
                release.deployed.is_filled = is_filled;
                releases.push(release);
            }
        }
        let is_source = |id: NodeId, key: &&str| {
            let source = document.get(id, key);
            source.is_some_and(|source| {
                let mut items = items(document, source);
                document.is_hole(source) || items.any(|item| document.is_hole(item))
            })
        };
        let mut maps = object..document.node(object).end;
        if maps.any(|id| SOURCES.iter().any(|key| is_source(id, key))) {
            releases.push(Release {
                tool: Tool::Argo,
                has_chart: true,
                charts: vec![ANY_CHART.to_string()],
                layers: vec![Given::unknown(
                    Stage::Parameters,
                    "a template fills in its source",
                )],
                ..Release::default()
            });
        }
        if let Some(why) = unclear {
            for release in &mut releases {
                release.layers.push(Given::unknown(Stage::Parameters, why));
            }
        }
        releases
    }

    /// The release that Argo CD makes of a source: it has the name of the Application and goes where that goes
    /// (<https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-release-name>).
    fn argo_deployed(&self, source: NodeId, helm: Option<NodeId>) -> Deployed {
        let document = self.document;
        let mut spec = document.node(source).parent;
        if matches!(document.node(spec).kind, Kind::Sequence) {
            spec = document.node(spec).parent;
        }
        let owner = document.node(spec).parent;
        let text =
            |from: NodeId, path: &[&str]| document.text_at(from, path).map(ToString::to_string);
        let own = helm.and_then(|helm| text(helm, &["releaseName"]));
        // A patch says nothing of the name.
        let is_whole = document.get(source, "repoURL").is_some();
        let named = || text(owner, &["metadata", "name"]).filter(|_| is_whole);
        Deployed {
            name: own.or_else(named),
            written: document
                .at(owner, &["metadata", "annotations"])
                .map(|annotations| super::super::argo::written(document, annotations))
                .unwrap_or_default(),
            namespace: text(spec, &["destination", "namespace"]),
            afterwards: self.first_of(source, AFTERWARDS),
            ..Deployed::default()
        }
    }

    fn argo_source(&mut self, source: NodeId, helm: Option<NodeId>, lent: &Lent<'_>) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(source, &[key]).map(ToString::to_string);
        // A path that is filled in as a whole may be any folder.
        let path = document
            .get(source, "path")
            .map(|path| match document.text(path) {
                Some(path) if !image::is_filled_as_whole(path) => told(path),
                _ => ANY_CHART.to_string(),
            });
        let mut release = Release {
            tool: Tool::Argo,
            source: ChartSource {
                repository: text("repoURL"),
                kind: None,
                chart: text("chart").or(path.clone()),
                version: text("targetRevision"),
            },
            charts: path.clone().into_iter().collect(),
            deployed: Box::new(self.argo_deployed(source, helm)),
            ..Release::default()
        };
        if path.is_some() {
            release.deployed.repositories.extend(text("repoURL"));
        }
        let Some(helm) = helm else { return release };
        for (key, stage) in [
            ("valueFiles", Stage::Files),
            ("parameters", Stage::Parameters),
        ] {
            release.lists.extend(document.get(helm, key).map(|_| stage));
        }
        self.argo_files(helm, lent, &mut release);
        self.argo_values(helm, &mut release);
        release.layers.extend(self.filled_layer(source));
        if self.has_file_for_name(helm) {
            let why = "a parameter of it comes from a file";
            release.layers.push(Given::unknown(Stage::Parameters, why));
        }
        release
    }

    /// Adds the files of values that a source names.
    fn argo_files(&self, helm: NodeId, lent: &Lent<'_>, release: &mut Release) {
        let document = self.document;
        let optional = document.text_at(helm, &["ignoreMissingValueFiles"]) == Some("true");
        let files = document.get(helm, "valueFiles");
        for item in files.into_iter().flat_map(|list| items(document, list)) {
            let Some(path) = document.text(item) else {
                let why = "a template fills in the name of a file";
                release.layers.push(Given::unknown(Stage::Files, why));
                continue;
            };
            let path = path.to_string();
            let name = path.strip_prefix('$').and_then(|rest| rest.split_once('/'));
            if let (Some((name, _)), Some(lent)) = (name, lent) {
                match lent.get(name) {
                    Some(url) => release.deployed.repositories.push((*url).to_string()),
                    None => {
                        let why = format!("no source of it is called `{name}`");
                        release.layers.push(Given::unknown(Stage::Files, &why));
                        continue;
                    }
                }
            }
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
    }

    /// Adds the values that stand in a source itself, and its parameters.
    fn argo_values(&mut self, helm: NodeId, release: &mut Release) {
        let document = self.document;
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
    }

    /// Whether a parameter that may be a part of a name comes from a file.
    fn has_file_for_name(&self, helm: NodeId) -> bool {
        let document = self.document;
        let files = document.get(helm, "fileParameters");
        let mut files = files.into_iter().flat_map(|list| items(document, list));
        files.any(|item| {
            let name = document.text_at(item, &["name"]);
            name.is_none_or(may_be_about_name)
        })
    }
}

/// The repositories of sources that lend their files to others, by their names; nothing where no source says
/// where it comes from, as in a patch.
type Lent<'d> = Option<BTreeMap<&'d str, &'d str>>;

fn lent<'d>(document: &'d Document<'_>, maps: impl Iterator<Item = NodeId>) -> Lent<'d> {
    let mut sources = maps
        .filter_map(|id| Some((document.text_at(id, &["repoURL"])?, id)))
        .peekable();
    sources.peek()?;
    let named = sources.filter_map(|(url, id)| Some((document.text_at(id, &["ref"])?, url)));
    Some(named.collect())
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
