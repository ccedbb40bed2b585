//! Helm charts: which other charts they keep copies of.

use std::path::Path;

use super::{Fact, Found};
use crate::yaml::Document;

/// The files that list a chart's dependencies (`requirements.yaml` since Helm 2).
const FILE_NAMES: &[&str] = &["Chart.yaml", "requirements.yaml"];

/// Whether a file of this name lists dependencies.
pub(super) fn is_chart_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| FILE_NAMES.contains(&name))
}

pub(super) fn find(document: &Document<'_>, found: &mut Found) {
    let Some(list) = document.get(0, "dependencies") else {
        return;
    };
    let name = |item| {
        document
            .text_at(document.resolve(item), &["name"])
            .map(Into::into)
    };
    let names: Vec<String> = document.items(list).filter_map(name).collect();
    if !names.is_empty() {
        found.facts.push(Fact::Dependencies(names));
    }
}
