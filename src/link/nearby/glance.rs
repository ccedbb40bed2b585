//! The words of one file of the context: whether it has to be read, and which files it names.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::LazyLock;

use super::places::{Places, bytes, joined, split};
use crate::scan;
use crate::sites::is_kustomization_name;
use crate::source::SourceFile;
use crate::words::Words;

/// What the words of a file tell.
#[derive(Debug, Default)]
pub struct Glance {
    /// Whether it may say something of other files that only reading it tells.
    pub speaks: bool,
    /// The files that it may name.
    pub(super) names: Vec<usize>,
    /// The objects and charts in it, by what stands after `name:`, as hashes.
    pub(super) objects: Vec<u64>,
}

/// Words one of which stands in every file that speaks of others, or acts on them, in a way that only
/// reading it tells: releases, deployments, transformers, patches. `Kustomization`s by their file's name are
/// asked for [`ACTING`] instead.
static SPEAKING: LazyLock<Words> = LazyLock::new(|| {
    Words::new([
        "ustomiz",
        "argoproj.io",
        "fluxcd.io",
        "cattle.io",
        "crossplane.io",
        "helm:",
        "\"helm\"",
        "HelmRelease",
        "HelmChart",
        "HelmRepository",
        "OCIRepository",
        "Transformer",
        "Generator",
        "newName",
        "newTag",
        "images:",
        "imageTag",
        "fieldPaths",
        "/spec/",
        "op:",
        "\"op\"",
        "releases:",
        "repositories:",
    ])
});
/// The same in a kustomization: what acts on more than it takes in itself, what others know by its name,
/// and what a template fills in.
static ACTING: LazyLock<Words> = LazyLock::new(|| {
    Words::new([
        "Component",
        "enerator",
        "helm",
        "patch:",
        "patch\"",
        "\\",
        "{{",
        "{%",
        "$",
        "<<",
        "Transformer",
        "Kustomization\"",
        "fluxcd.io",
        "argoproj.io",
    ])
});
/// Kinds of objects that say nothing of other files.
const PLAIN_KINDS: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Endpoints",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "LimitRange",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
    "StatefulSet",
    "StorageClass",
];

/// Looks at the words of a file of the context; `below` is its path within its repository.
pub fn glance(
    below: &Path,
    source: &SourceFile,
    options: &scan::Options,
    places: &Places<'_>,
) -> Glance {
    let text = &source.text;
    let is_kustomization = is_kustomization_name(below);
    if !scan::is_worth_parsing(below, text, options) {
        return Glance::default();
    }
    let speaks = if is_kustomization {
        ACTING.are_in(text)
    } else {
        SPEAKING.are_in(text) || !kinds(text).all(|kind| PLAIN_KINDS.contains(&kind))
    };
    // A name that is written in another way than on its line is not known by that.
    let is_told = |name: &str| name.starts_with(|c: char| c.is_alphanumeric());
    let mut glance = Glance {
        speaks: speaks || !values(text, "name").all(is_told),
        objects: values(text, "name").map(hash).collect(),
        names: Vec::new(),
    };
    if is_kustomization || crate::sites::is_chart_file(below) {
        let (folder, _) = split(bytes(&source.real));
        glance.names = named(&String::from_utf8_lossy(folder), text, places);
    }
    glance
}

/// The name of an object or chart as [`Glance`]s know it.
pub(super) fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The files that a text may name: its words that are paths from the folder.
fn named(folder: &str, text: &str, places: &Places<'_>) -> Vec<usize> {
    let is_between =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']' | '{' | '}' | '=');
    let mut named = Vec::new();
    for word in text.split(is_between) {
        let word = word.strip_prefix("file://").unwrap_or(word);
        let last = word
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(word);
        let is_up = matches!(last, "." | "..");
        if is_up && word != "." || places.has_name(last) {
            named.extend(places.at(&joined(folder, word)));
        }
    }
    named.sort_unstable();
    named.dedup();
    named
}

/// What every `kind` of a text says.
fn kinds(text: &str) -> impl Iterator<Item = &str> {
    values(text, "kind")
}

/// What stands after a key on its line, wherever it does.
fn values<'t>(text: &'t str, key: &'static str) -> impl Iterator<Item = &'t str> {
    let found = memchr::memmem::find_iter(text.as_bytes(), key.as_bytes());
    found.filter_map(move |at| {
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']);
        let value = rest.trim_start_matches(' ').strip_prefix(':')?;
        let line = value.split('\n').next().unwrap_or("").trim_start();
        let line = line.trim_start_matches(['"', '\'']);
        let is_over = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']');
        Some(line.split(is_over).next().unwrap_or(""))
    })
}
