//! Reads chart directories and renders them with `helm`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ecr_rewrite::helm::join::ValuePath;
use ecr_rewrite::helm::learn::{ChartTexts, Rendered, Renderer, Subchart};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a chart directory does not say.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Source {
    /// The name of the chart.
    pub chart: String,
    /// A text of its `Chart.yaml`, to tell charts of one name apart.
    #[serde(default)]
    pub holds: String,
    /// The addresses of the repositories that publish it.
    #[serde(default)]
    pub at: Vec<String>,
    /// Values without which it renders nothing, or not all of its images.
    #[serde(default)]
    pub values: Value,
}

/// The entries of `sources.yaml`.
pub fn sources(text: &str) -> Vec<Source> {
    serde_saphyr::from_str(text).expect("sources.yaml is read")
}

/// The real `helm` on a chart directory.
pub struct Helm {
    /// The directory.
    pub dir: PathBuf,
}

/// The kinds that charts look for before they render objects of them.
const APIS: &str = "monitoring.coreos.com/v1,monitoring.coreos.com/v1alpha1,cert-manager.io/v1,policy/v1,\
    autoscaling.k8s.io/v1,snapshot.storage.k8s.io/v1,gateway.networking.k8s.io/v1,security.openshift.io/v1";

impl Renderer for Helm {
    fn render(&self, values: &Value) -> Result<Rendered, String> {
        self.template(values, &[]).or_else(|why| {
            // A package without some of its files: with this flag Helm prints what it made all the same.
            if why.contains("YAML parse error") {
                return self.template(values, &["--debug"]);
            }
            Err(why)
        })
    }
}

impl Helm {
    fn template(&self, values: &Value, flags: &[&str]) -> Result<Rendered, String> {
        let helm = std::env::var("HELM").unwrap_or_else(|_| "helm".to_string());
        let mut child = Command::new(helm)
            .args([
                "template",
                "x",
                "--skip-schema-validation",
                "--kube-version",
                "1.34.0",
                "--api-versions",
                APIS,
                "-f",
                "-",
            ])
            .arg(&self.dir)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin
            .write_all(values.to_string().as_bytes())
            .map_err(|error| error.to_string())?;
        drop(stdin);
        let out = child
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        if !out.status.success() && (flags.is_empty() || out.stdout.is_empty()) {
            let error = String::from_utf8_lossy(&out.stderr);
            let line = error
                .lines()
                .rfind(|line| line.contains("rror"))
                .unwrap_or("");
            return Err(line
                .trim()
                .replace(&self.dir.display().to_string(), "chart"));
        }
        Ok(Rendered {
            manifests: by_template(&String::from_utf8_lossy(&out.stdout)),
            unread: Vec::new(),
        })
    }
}

/// The output of helm by the template that it names.
fn by_template(text: &str) -> Vec<(String, String)> {
    let mut manifests: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    for line in text.lines() {
        if let Some(source) = line.strip_prefix("# Source: ") {
            let path = source.split_once('/').map_or(source, |(_, path)| path);
            at = manifests
                .iter()
                .position(|(known, _)| known == path)
                .unwrap_or(manifests.len());
            if at == manifests.len() {
                manifests.push((path.to_string(), String::new()));
            }
        } else if let Some((_, text)) = manifests.get_mut(at) {
            text.push_str(line);
            text.push('\n');
        }
    }
    manifests
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    alias: Option<String>,
    condition: Option<String>,
}

/// Reads a chart directory.
pub fn read(dir: &Path) -> Result<ChartTexts, String> {
    let meta: Meta = yaml(&dir.join("Chart.yaml"))?;
    let values: Value = yaml(&dir.join("values.yaml")).unwrap_or_else(|_| json!({}));
    let mut templates = Vec::new();
    for file in files(&dir.join("templates")) {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let path = file.strip_prefix(dir).map_err(|error| error.to_string())?;
            templates.push((path.display().to_string(), text));
        }
    }
    let mut subcharts = Vec::new();
    for entry in std::fs::read_dir(dir.join("charts"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let Ok(chart) = read(&entry.path()) else {
            continue;
        };
        let named: Vec<&Dependency> = meta
            .dependencies
            .iter()
            .filter(|dependency| dependency.name == chart.name)
            .collect();
        if named.is_empty() {
            subcharts.push(Subchart {
                key: chart.name.clone(),
                conditions: Vec::new(),
                chart,
            });
            continue;
        }
        for dependency in named {
            let condition = dependency
                .condition
                .iter()
                .flat_map(|paths| paths.split(','));
            subcharts.push(Subchart {
                key: dependency
                    .alias
                    .clone()
                    .unwrap_or_else(|| chart.name.clone()),
                conditions: condition
                    .map(|path| ValuePath(path.trim().split('.').map(str::to_string).collect()))
                    .collect(),
                chart: chart.clone(),
            });
        }
    }
    subcharts.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(ChartTexts {
        name: meta.name,
        version: meta.version,
        templates,
        values,
        subcharts,
    })
}

fn yaml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(&text).map_err(|error| error.to_string())
}

/// All files below a directory, sorted.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_path_buf()];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The sha256 of the files that make the images: `Chart.yaml`, `values.yaml` and what lies below
/// `templates/` and `charts/`, sorted by path; of each its path, a zero byte, its length as 8 bytes in
/// little endian, and its bytes.
pub fn hash(dir: &Path) -> String {
    let mut hash = Sha256::new();
    let kept = ["Chart.yaml", "values.yaml", "templates/", "charts/"];
    for file in files(dir) {
        let path = file
            .strip_prefix(dir)
            .unwrap_or(&file)
            .display()
            .to_string();
        if kept.iter().any(|kept| path.starts_with(kept)) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(&bytes);
        }
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
