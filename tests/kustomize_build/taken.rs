//! What a kustomization takes in, read without knowing kustomize's fields: every word of it that is a
//! path of something that exists. That is a little more than kustomize takes, and never less.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value;
use walkdir::{DirEntry, WalkDir};

/// How a kustomization file may be called.
const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Kinds that build a folder and set images in what comes out.
const DEPLOYERS: &[&str] = &["Kustomization", "Application", "ApplicationSet"];

/// What one kustomization takes in, itself and everything below it.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The files, from the folder that was read; those outside of it whole.
    pub files: BTreeSet<PathBuf>,
    /// The last keys of fields that it declares to be images.
    pub image_keys: BTreeSet<String>,
    /// The folders of the kustomizations among them, without its own.
    folders: BTreeSet<PathBuf>,
}

/// The kustomizations of a tree of files.
#[derive(Debug, Default)]
pub struct Kustomizations {
    /// By their folder.
    pub all: BTreeMap<PathBuf, Taken>,
    used: BTreeSet<PathBuf>,
}

impl Kustomizations {
    /// Those below `root`.
    pub fn of(root: &Path) -> Self {
        let root = root.canonicalize().unwrap();
        let mut found = Self::default();
        for entry in files(&root) {
            let folder = entry.path().parent().unwrap();
            if NAMES.iter().any(|name| entry.file_name() == *name) {
                let mut taken = Taken::default();
                take(&root, folder, &mut taken);
                taken.folders.remove(&below(&root, folder));
                found.all.insert(below(&root, folder), taken);
            } else {
                found.used.extend(deployed(&root, entry.path()));
            }
        }
        let used: Vec<PathBuf> = found
            .all
            .values()
            .flat_map(|taken| taken.folders.clone())
            .collect();
        found.used.extend(used);
        found
    }

    /// Whether nothing else builds on the one in `folder`.
    pub fn is_root(&self, folder: &Path) -> bool {
        !self.used.contains(folder)
    }
}

fn files(root: &Path) -> impl Iterator<Item = DirEntry> {
    let visible = |entry: &DirEntry| entry.file_name() != ".git";
    let entries = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible);
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_path_buf()
}

fn take(root: &Path, folder: &Path, taken: &mut Taken) {
    if !taken.folders.insert(below(root, folder)) {
        return;
    }
    for name in NAMES {
        let file = folder.join(name);
        if !file.is_file() {
            continue;
        }
        taken.files.insert(below(root, &file));
        let mut words = Vec::new();
        documents(&file)
            .iter()
            .for_each(|document| scalars(document, &mut words));
        for word in words {
            // `name=path`, as generators have it.
            let path = word.rsplit('=').next().unwrap_or(&word);
            let Ok(real) = folder.join(path).canonicalize() else {
                continue;
            };
            if real.is_dir() {
                take(root, &real, taken);
            } else {
                taken.image_keys.extend(declared(&real));
                taken.files.insert(below(root, &real));
            }
        }
    }
}

fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let documents = serde_yaml::Deserializer::from_str(&text).map(Value::deserialize);
    documents.map_while(Result::ok).collect()
}

fn scalars(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Mapping(map) => map.values().for_each(|value| scalars(value, found)),
        Value::Sequence(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::String(text) if !text.is_empty() && !text.contains('\n') => found.push(text.clone()),
        _ => {}
    }
}

/// The last keys of the image fields that a file declares, when it is one of `configurations`.
fn declared(file: &Path) -> Vec<String> {
    let fields = |document: &Value| -> Option<Vec<String>> {
        let images = document.get("images")?.as_sequence()?;
        let path = |image: &Value| {
            Some(
                image
                    .get("path")?
                    .as_str()?
                    .trim_end_matches("[]")
                    .to_string(),
            )
        };
        let last = |path: String| Some(path.rsplit('/').next()?.to_string());
        Some(images.iter().filter_map(path).filter_map(last).collect())
    };
    documents(file)
        .iter()
        .filter_map(fields)
        .flatten()
        .collect()
}

/// The folders that a Flux Kustomization or an Argo CD Application with images of its own builds.
fn deployed(root: &Path, file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let concerns = text.contains("images")
        && (text.contains("toolkit.fluxcd.io") || text.contains("argoproj.io"));
    if !concerns {
        return Vec::new();
    }
    let mut paths = Vec::new();
    for document in documents(file) {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or("");
        if DEPLOYERS.contains(&kind) {
            values_of(&document, "path", &mut paths);
        }
    }
    let real = paths
        .iter()
        .filter_map(|path| root.join(path).canonicalize().ok());
    real.map(|path| below(root, &path)).collect()
}

fn values_of(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Mapping(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(text) if name.as_str() == Some(key) => found.push(text.to_string()),
                    _ => values_of(value, key, found),
                }
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}
