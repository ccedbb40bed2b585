//! Helm charts: what they are called and which other charts they bring.

use std::path::Path;

use super::{Fact, Found};
use crate::yaml::{Document, NodeId};

/// The files that list a chart's dependencies (`requirements.yaml` since Helm 2).
const FILE_NAMES: &[&str] = &["Chart.yaml", "requirements.yaml"];

/// Whether a file of this name lists dependencies.
pub fn is_chart_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| FILE_NAMES.contains(&name))
}

/// Whether a file of this name stands at the root of a chart.
pub fn is_chart_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FILE_NAMES[0])
}

/// A chart, as its `Chart.yaml` (or `requirements.yaml`) tells.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Its name; a `requirements.yaml` has none.
    pub name: Option<String>,
    /// The charts it brings.
    pub dependencies: Vec<Dependency>,
    /// Whether it takes over values of these.
    pub imports: bool,
}

/// A chart that another one brings.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The key of its values, when that is not its name.
    pub alias: Option<String>,
    /// The repository that it comes from, as written.
    pub repository: Option<String>,
    /// Its version, or which ones will do.
    pub version: Option<String>,
    /// Where it lies in the repository, relative to the chart's folder (`file://…`).
    pub path: Option<String>,
}

impl Dependency {
    /// The key under which its values stand.
    pub fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

pub(super) fn find(document: &Document<'_>, found: &mut Found) {
    let list = document.get(0, "dependencies");
    let dependency = |item: NodeId| {
        let text = |key: &str| document.text_at(document.resolve(item), &[key]);
        let path = text("repository").and_then(|repository| repository.strip_prefix("file://"));
        Some(Dependency {
            name: text("name")?.to_string(),
            alias: text("alias").map(Into::into),
            repository: text("repository").map(Into::into),
            version: text("version").map(Into::into),
            path: path.map(Into::into),
        })
    };
    let dependencies = list.into_iter().flat_map(|list| document.items(list));

    let dependencies: Vec<NodeId> = dependencies.map(|item| document.resolve(item)).collect();
    let imports = |&item: &NodeId| document.get(item, "import-values").is_some();
    found.facts.push(Fact::Chart(Chart {
        name: document.text_at(0, &["name"]).map(Into::into),
        imports: dependencies.iter().any(imports),
        dependencies: dependencies.into_iter().filter_map(dependency).collect(),
    }));
}
