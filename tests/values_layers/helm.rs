//! What Helm and Amazon ECR make of values, written down a second time: the merging of layers, the
//! joining of an image's parts, and the place of an image in the cache. Nothing here comes from the
//! program, so that a mistake in it cannot hide in both.

use serde_yaml::{Mapping, Value};

use super::common::REGISTRY;

/// The rules of the config that the trees are given: upstream host and prefix.
pub const PREFIXES: [(&str, &str); 3] = [
    ("docker.io", "docker-hub"),
    ("quay.io", "quay"),
    ("ghcr.io", "ghcr"),
];
/// The image that the config allows to stay.
pub const ALLOWED: (&str, &str) = ("quay.io", "acme/kept");

/// Where values name a registry for all images.
pub const GLOBALS: [&[&str]; 2] = [
    &["global", "imageRegistry"],
    &["global", "image", "registry"],
];

/// `over` laid upon `base` as Helm does: maps merge, everything else is replaced, null takes away.
pub fn merge(base: &Value, over: &Value) -> Value {
    let (Value::Mapping(base), Value::Mapping(over)) = (base, over) else {
        return over.clone();
    };
    let mut merged = base.clone();
    for (key, value) in over {
        if value.is_null() {
            merged.remove(key);
            continue;
        }
        let value = base.get(key).map_or(value.clone(), |old| merge(old, value));
        merged.insert(key.clone(), value);
    }
    Value::Mapping(merged)
}

/// The value below `path`, if there is one.
pub fn below<'v>(values: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(values, |value, key| value.get(key))
}

/// Reads a file of values; an empty one is an empty map.
pub fn values(text: &str) -> Value {
    match serde_yaml::from_str(text) {
        Ok(Value::Null) => Value::Mapping(Mapping::new()),
        Ok(values) => values,
        Err(error) => panic!("not YAML: {error}\n{text}"),
    }
}

/// Which registry a chart takes when there is one for all its images, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `global.imageRegistry`, else the image's own (Bitnami, kube-prometheus-stack, grafana).
    GlobalWins,
    /// The image's own, else `global.imageRegistry` (nats, kyverno, oauth2-proxy).
    LocalWins,
}

/// The parts of an image as the merged values have them; empty texts count as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The whole reference, when one scalar holds it.
    pub whole: Option<String>,
    /// The image's own registry.
    pub local: Option<String>,
    /// The registry for all images.
    pub global: Option<String>,
    pub repository: Option<String>,
    /// `:tag`, or nothing.
    pub suffix: String,
}

impl Image {
    /// Reads the image at `path` of merged values.
    pub fn of(values: &Value, path: &[&str]) -> Self {
        let global = GLOBALS.iter().find_map(|keys| scalar(below(values, keys)?));
        let node = below(values, path);
        let part = |key: &str| node.and_then(|node| node.get(key)).and_then(scalar);
        Self {
            whole: node.and_then(scalar),
            local: part("registry"),
            global,
            repository: part("repository"),
            suffix: part("tag").map(|tag| format!(":{tag}")).unwrap_or_default(),
        }
    }

    /// The registry that stands in front.
    pub fn registry(&self, reading: Reading) -> Option<&str> {
        let (first, second) = match reading {
            Reading::GlobalWins => (&self.global, &self.local),
            Reading::LocalWins => (&self.local, &self.global),
        };
        first.as_deref().or(second.as_deref())
    }

    /// The reference that a chart joins: `registry/repository:tag`, or `repository:tag`.
    pub fn reference(&self, reading: Reading) -> Option<String> {
        if let Some(whole) = &self.whole {
            return Some(whole.clone());
        }
        let repository = self.repository.as_deref()?;
        let front = self.registry(reading);
        let front = front.map(|registry| format!("{registry}/"));
        Some(format!(
            "{}{repository}{}",
            front.unwrap_or_default(),
            self.suffix
        ))
    }

    /// The references that are right after a rewrite. The one of before is among them only when it
    /// must stay, or when the values leave in doubt what the image is.
    pub fn right(&self, reading: Reading) -> Vec<String> {
        let Some(before) = self.reference(reading) else {
            return Vec::new();
        };
        let same = vec![before.clone()];
        if let Some(whole) = &self.whole {
            let (name, suffix) = name_and_suffix(whole);
            return match host_and_path(name) {
                (Some(host), path) => cached(host, path, suffix).map_or(same, |to| vec![to]),
                // `name:tag` is Docker Hub's unless the chart joins something in front of it.
                (None, path) => [cached("docker.io", path, suffix), Some(before)]
                    .into_iter()
                    .flatten()
                    .filter(|text| !suffix.is_empty() || *text == *whole)
                    .collect(),
            };
        }
        let repository = self.repository.as_deref().unwrap_or_default();
        match (self.registry(reading), host_and_path(repository)) {
            (Some(registry), (None, path)) => {
                // A registry may hold the beginning of the path, too.
                let name = format!("{registry}/{path}");
                match name.split_once('/') {
                    Some((host, path)) => {
                        cached(host, path, &self.suffix).map_or(same, |to| vec![to])
                    }
                    None => same,
                }
            }
            (None, (Some(host), path)) => {
                cached(host, path, &self.suffix).map_or(same, |to| vec![to])
            }
            // A host behind a registry, which no chart that joins can pull; or neither, and the
            // chart's default is unknown.
            (Some(_), (Some(_), _)) | (None, (None, _)) => same,
        }
    }
}

/// The text of a scalar that is not empty.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(word) => word.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Docker's rule: the first component is a host when it has a dot or a colon or is `localhost`.
pub fn host_and_path(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), path)
        }
        _ => (None, name),
    }
}

/// Where the tag or the digest starts.
fn name_and_suffix(reference: &str) -> (&str, &str) {
    let path = reference.rfind('/').map_or(0, |slash| slash + 1);
    let end = reference[path..]
        .find([':', '@'])
        .map_or(reference.len(), |at| path + at);
    reference.split_at(end)
}

/// What the cache calls `path` of `host`; `None` when no rule covers it or the config allows it.
pub fn repository_in_cache(host: &str, path: &str) -> Option<String> {
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io",
        other => other,
    };
    let (_, prefix) = PREFIXES.iter().find(|(upstream, _)| *upstream == host)?;
    let plain = path
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/-._".contains(&b));
    if !plain || path.is_empty() || (host, path) == ALLOWED {
        return None;
    }
    let library = if host == "docker.io" && !path.contains('/') {
        "library/"
    } else {
        ""
    };
    Some(format!("{prefix}/{library}{path}"))
}

/// The whole reference in the cache.
fn cached(host: &str, path: &str, suffix: &str) -> Option<String> {
    let repository = repository_in_cache(host, path)?;
    Some(format!("{REGISTRY}/{repository}{suffix}"))
}
