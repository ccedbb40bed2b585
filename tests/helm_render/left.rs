//! Images that a rule maps and that are rendered from elsewhere all the same: what keeps each of them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::common::ecr::{canonical, split};

/// What the program said of the sites of a tree.
pub struct Report {
    sites: Vec<Value>,
}

impl Report {
    /// Reads the JSON report of a run.
    pub fn read(text: &str) -> Self {
        let mut report: Value = serde_json::from_str(text).unwrap();
        let sites = report["sites"].as_array_mut().map(std::mem::take);
        Self {
            sites: sites.unwrap(),
        }
    }

    /// Why a chart's image is not in ECR: what the program says of a site with it, or the template that
    /// writes it; nothing when neither says so.
    pub fn reason(&self, tree: &Path, chart: &str, image: &str, template: &str) -> Option<String> {
        let said = self.sites.iter().find_map(|site| {
            let is_here = site["path"].as_str()?.starts_with(&format!("{chart}/"));
            (is_here && is_of(site, image))
                .then(|| reason(site))
                .flatten()
        });
        said.or_else(|| hard_coded(&tree.join(chart), image, template))
    }
}

/// Whether a site names an image, or the end of its name.
fn is_of(site: &Value, image: &str) -> bool {
    let Some(original) = site["original"].as_str() else {
        return false;
    };
    let (named, image) = (split(original).0, split(image).0);
    let is_end = |whole: &str| {
        let front = whole.strip_suffix(named);
        !named.is_empty() && front.is_some_and(|front| front.is_empty() || front.ends_with('/'))
    };
    is_end(image) || canonical(image).is_some_and(|image| is_end(&image)) || image == named
}

/// Why a site is left; nothing when it changes for certain, or is none that decides.
fn reason(site: &Value) -> Option<String> {
    let text = |key: &str| site[key].as_str().unwrap_or_default();
    match (text("verdict"), text("safety")) {
        ("change", "certain") => None,
        _ if matches!(text("reason"), "metadata" | "templated") => None,
        ("change" | "undecided", _) => Some("assumed".to_string()),
        _ => Some(text("reason").to_string()),
    }
}

/// The template of the chart, or of one that it brings, which holds the path of an image.
fn hard_coded(chart: &Path, image: &str, template: &str) -> Option<String> {
    let name = split(image).0;
    let path = canonical(image)?;
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let is_template = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str() == "templates")
    };
    let files = WalkDir::new(chart).sort_by_file_name().into_iter();
    let files = files.filter_map(Result::ok);
    let mut holding =
        files.filter(|entry| entry.file_type().is_file() && is_template(entry.path()));
    let short = path.strip_prefix("library/").unwrap_or(path);
    let holding = holding.find(|entry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        text.contains(name) || text.contains(short)
    })?;
    let file = holding.file_name().to_string_lossy().into_owned();
    Some(format!("hard-coded in {file} (rendered by {template})"))
}
