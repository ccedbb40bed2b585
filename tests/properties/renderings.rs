//! What a generated repository deploys: just enough of kustomize, Helm, Argo CD and Flux for what
//! `repositories` writes. The real tools are asked in `tests/kustomize_build.rs` and
//! `tests/values_layers.rs`; these take no time, and they see every case.

use std::collections::BTreeMap;

use regex::Regex;
use serde_yaml::{Mapping, Value};

use super::case::File;
use super::common::{ecr, judge};

/// The images of each rendering, by what is rendered; none when it cannot be.
pub(crate) type Renderings = BTreeMap<String, Option<Vec<String>>>;

/// Everything that the files deploy.
pub(crate) fn of(files: &[File]) -> Renderings {
    let tree = Tree {
        files: files
            .iter()
            .map(|file| (file.path.as_str(), file.text.as_str()))
            .collect(),
    };
    let mut renderings = Renderings::new();
    for path in tree.files.keys() {
        if let Some(folder) = path.strip_suffix("/kustomization.yaml") {
            let built = tree.build(folder, 0);
            let images = built.map(|built| built.into_iter().map(|(_, image)| image).collect());
            renderings.insert(format!("build of {folder}"), images);
        } else if let Some(folder) = path.strip_suffix("/Chart.yaml") {
            renderings.insert(format!("{folder} alone"), tree.release(folder, &[], &[]));
            for layer in ["values-prod.yaml", "values-dev.yaml"] {
                if tree
                    .files
                    .contains_key(format!("{folder}/{layer}").as_str())
                {
                    let release = tree.release(folder, &[layer], &[]);
                    renderings.insert(format!("{folder} with {layer}"), release);
                }
            }
        } else if path.starts_with("argocd/") || path.starts_with("flux/") {
            renderings.insert(path.to_string(), tree.released(path));
        }
    }
    renderings
}

struct Tree<'f> {
    files: BTreeMap<&'f str, &'f str>,
}

fn texts(list: Option<&Value>) -> Vec<&str> {
    let items = list.and_then(Value::as_sequence).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

impl Tree<'_> {
    fn document(&self, path: &str) -> Option<Value> {
        let documents = judge::values(self.files.get(path)?)?;
        <[Value; 1]>::try_from(documents)
            .ok()
            .map(|[document]| document)
    }

    /// The containers and images that a kustomization builds.
    fn build(&self, folder: &str, depth: usize) -> Option<Vec<(String, String)>> {
        if depth > 8 {
            return None;
        }
        let kustomization = self.document(&format!("{folder}/kustomization.yaml"))?;
        let mut built = Vec::new();
        for resource in texts(kustomization.get("resources")) {
            match resource.strip_prefix("../") {
                Some(base) => {
                    let parent = folder.rsplit_once('/')?.0;
                    built.extend(self.build(&format!("{parent}/{base}"), depth + 1)?);
                }
                None => built.extend(self.containers(&format!("{folder}/{resource}"))?),
            }
        }
        let patches = kustomization.get("patches").and_then(Value::as_sequence);
        for patch in patches.into_iter().flatten() {
            let path = patch.get("path")?.as_str()?;
            for (name, image) in self.containers(&format!("{folder}/{path}"))? {
                match built.iter_mut().find(|(known, _)| *known == name) {
                    Some(known) => known.1 = image,
                    None => built.push((name, image)),
                }
            }
        }
        let entries = kustomization.get("images").and_then(Value::as_sequence);
        for entry in entries.into_iter().flatten() {
            let text = |key| entry.get(key).and_then(Value::as_str);
            for (_, image) in &mut built {
                if text("name").is_some_and(|name| is_named(image, name)) {
                    let (name, suffix) = ecr::split(image);
                    let suffix = text("newTag").map_or(suffix.to_string(), |tag| format!(":{tag}"));
                    *image = format!("{}{suffix}", text("newName").unwrap_or(name));
                }
            }
        }
        Some(built)
    }

    fn containers(&self, path: &str) -> Option<Vec<(String, String)>> {
        let pod = self.document(path)?;
        let containers = pod.get("spec")?.get("containers")?.as_sequence()?;
        let text = |item: &Value, key| Some(item.get(key)?.as_str()?.to_string());
        containers
            .iter()
            .map(|item| Some((text(item, "name")?, text(item, "image")?)))
            .collect()
    }

    /// What the chart in `folder` renders with its values, those of `files` beside them and `more`.
    fn release(&self, folder: &str, files: &[&str], more: &[Value]) -> Option<Vec<String>> {
        self.document(&format!("{folder}/Chart.yaml"))?;
        let mut merged = Value::Mapping(Mapping::new());
        let own = std::iter::once(&"values.yaml").chain(files);
        for file in own {
            merge(&mut merged, &self.document(&format!("{folder}/{file}"))?);
        }
        more.iter().for_each(|values| merge(&mut merged, values));
        let template = self
            .files
            .get(format!("{folder}/templates/pod.yaml").as_str())?;
        let lines = template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- image: \""));
        lines
            .map(|line| filled(line.trim_end_matches('"'), &merged))
            .collect()
    }

    /// What an Application or HelmRelease renders.
    fn released(&self, path: &str) -> Option<Vec<String>> {
        let object = self.document(path)?;
        let spec = object.get("spec")?;
        if object.get("kind")?.as_str()? == "HelmRelease" {
            let folder = spec.get("chart")?.get("spec")?.get("chart")?.as_str()?;
            return self.release(
                folder.strip_prefix("./")?,
                &[],
                &[spec.get("values")?.clone()],
            );
        }
        if object.get("kind")?.as_str()? != "Application" {
            return None;
        }
        let source = spec.get("source")?;
        let helm = source.get("helm").cloned().unwrap_or_default();
        let mut more = Vec::new();
        match (helm.get("valuesObject"), helm.get("values")) {
            (Some(values), _) => more.push(values.clone()),
            (None, Some(text)) => {
                let [values] = <[Value; 1]>::try_from(judge::values(text.as_str()?)?).ok()?;
                more.push(values);
            }
            (None, None) => {}
        }
        let parameters = helm.get("parameters").and_then(Value::as_sequence);
        for parameter in parameters.into_iter().flatten() {
            let keys = parameter.get("name")?.as_str()?.rsplit('.');
            let value = parameter.get("value")?.clone();
            more.push(keys.fold(value, |value, key| {
                Value::Mapping([(Value::from(key), value)].into_iter().collect())
            }));
        }
        let files = texts(helm.get("valueFiles"));
        self.release(source.get("path")?.as_str()?, &files, &more)
    }
}

/// Whether an entry's name, which is a regular expression, names an image (`isImageMatched` of kustomize).
fn is_named(image: &str, name: &str) -> bool {
    let rest = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";
    let pattern = Regex::new(&format!("^{name}{rest}"));
    pattern.is_ok_and(|pattern| pattern.is_match(image))
}

fn merge(into: &mut Value, values: &Value) {
    match (into, values) {
        (Value::Mapping(into), Value::Mapping(values)) => {
            for (key, value) in values {
                match into.get_mut(key) {
                    Some(known) => merge(known, value),
                    None => drop(into.insert(key.clone(), value.clone())),
                }
            }
        }
        (into, values) => *into = values.clone(),
    }
}

/// A template's text with its values in it; none when one is missing.
fn filled(template: &str, values: &Value) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, action)) = rest.split_once("{{ .Values.") {
        let (keys, after) = action.split_once(" }}")?;
        let value = keys
            .split('.')
            .try_fold(values, |value, key| value.get(key))?;
        text.push_str(before);
        text.push_str(&match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        });
        rest = after;
    }
    Some(text + rest)
}
