//! Names in documents that are not YAML: a kustomization that is a template, say.
//!
//! Only keys and what follows them on their line are read. Too many names hold an image back, too
//! few would disconnect one.

use std::path::Path;

use super::kustomize::{Acts, Kustomization, NameEntry, is_kustomization_name};
use super::{argo, is_key_char};
use crate::yaml::{Document, Kind};

/// Words one of which stands in everything that names images for kustomize.
const WORDS: &[&str] = &["ustomiz", "kind: Application", "ImageTagTransformer"];
/// Words one of which a list of names needs.
const LISTS: &[&str] = &["images", "imageTag"];

/// What can be told of the file at `path`; nothing when it does not look like one that names images.
pub(super) fn names(path: &Path, text: &str) -> Option<Kustomization> {
    let by_name = is_kustomization_name(path) || argo::is_source_name(path);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let lower = text.to_ascii_lowercase();
    let mut names = Vec::new();
    if by_name || has(WORDS) && has(LISTS) {
        names.extend(listed(text, &lower));
    }
    if values(text, &lower, "op").any(|entry| entry.pattern == "test") {
        names.extend(values(text, &lower, "value"));
        names.extend(values(text, &lower, "image"));
    }
    // Keys of all kinds are read here: one that is wholly filled in later says nothing.
    names.retain(|entry| !entry.pattern.starts_with("{{"));
    (by_name || !names.is_empty()).then(|| Kustomization {
        acts: Acts::Anywhere,
        names,
        ..Kustomization::default()
    })
}

/// The names of lists of images in the texts of a document, which nothing reads as documents of their
/// own: templates of objects, and values that become some.
pub(super) fn in_texts(document: &Document<'_>) -> Vec<NameEntry> {
    let mut names = Vec::new();
    for node in &document.nodes {
        let Kind::Scalar { value, .. } = &node.kind else {
            continue;
        };
        let has = |words: &[&str]| words.iter().any(|word| value.contains(word));
        if value.contains('\n') && has(LISTS) && has(WORDS) {
            let found = listed(value, &value.to_ascii_lowercase()).into_iter();
            // A name that a script fills in wholly says nothing of any image either.
            let is_said = |entry: &NameEntry| {
                !entry.pattern.starts_with("{{") && !is_variable(&entry.pattern)
            };
            let found = found.filter(is_said);
            names.extend(found.map(|entry| NameEntry {
                offset: node.span.start,
                ..entry
            }));
        }
    }
    names
}

/// Whether all of a text is a variable of a shell.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or("");
    let inner = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'));
    let name = inner.unwrap_or(name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Everything that may be a name in a list of images. `lower` is `text` in lower case.
fn listed(text: &str, lower: &str) -> Vec<NameEntry> {
    values(text, lower, "name")
        .chain(argo_items(text))
        .collect()
}

/// What follows the key on its line, wherever it stands. `lower` is `text` in lower case: kustomize
/// does not tell the case of keys.
fn values<'t>(text: &'t str, lower: &'t str, key: &'t str) -> impl Iterator<Item = NameEntry> + 't {
    lower.match_indices(key).filter_map(move |(offset, _)| {
        let before = lower[..offset].chars().next_back();
        let rest = text[offset + key.len()..].trim_start_matches(['"', '\'']);
        let value = rest.trim_start().strip_prefix(':')?.trim_start();
        let pattern = scalar(value).to_string();
        let is_key = !before.is_some_and(is_key_char) && !pattern.is_empty();
        is_key.then_some(NameEntry {
            pattern,
            offset,
            ..NameEntry::default()
        })
    })
}

/// The text of the scalar that `text` begins with, as far as that can be told.
fn scalar(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote);
        if let Some((inner, _)) = inner.and_then(|inner| inner.split_once(quote)) {
            return inner;
        }
    }
    let end = text.find([',', '}', '#', '\n']).unwrap_or(text.len());
    // A placeholder holds what ends a scalar elsewhere.
    let end = match text.split_once("}}") {
        Some((action, _)) if text[..end].contains("{{") => action.len() + "}}".len(),
        _ => end,
    };
    text[..end].trim()
}

/// The entries of Argo CD's lists, `[name=]reference`: items that are one word, also in `[…]`.
fn argo_items(text: &str) -> Vec<NameEntry> {
    let mut names = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let list = trimmed
            .split_once("images")
            .and_then(|(_, rest)| rest.split_once('['))
            .map(|(_, rest)| rest.split(']').next().unwrap_or(rest));
        let items = trimmed.strip_prefix('-').or(list).unwrap_or("");
        for item in items.split(',') {
            let item = item.trim().trim_matches(['"', '\'']);
            // A tag may be filled in later.
            let item = item.split("{{").next().unwrap_or(item);
            if !item.is_empty() && !item.contains([' ', '{', '}']) {
                names.push(argo::entry(item, offset));
            }
        }
        offset += line.len();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(path: &str, text: &str) -> Vec<String> {
        let found = names(Path::new(path), text).unwrap_or_default();
        found.names.into_iter().map(|entry| entry.pattern).collect()
    }

    #[test]
    fn names_are_found_whatever_the_file_is_called() {
        for (path, text) in [
            ("kustomization.yaml", "images:\n{{ if x }}\n- name: nginx\n"),
            (
                "kustomization.yaml.j2",
                "images: [{newTag: 1, Name: nginx}]\n{% if x %}\n",
            ),
            (
                "a.tmpl",
                "kind: Kustomization\nspec:\n  images:\n  {{- if x }}\n  - \"name\": \"nginx\" # x\n",
            ),
            (
                "a.yaml",
                "kind: Application\nkustomize:\n  images:\n  {{- if x }}\n  - nginx:1.28\n",
            ),
            (
                "a.yaml",
                "kind: ApplicationSet\nkustomize:\n  images: ['x/y', \"nginx=a/b:1\"]\n{{ if }}\n",
            ),
            (".argocd-source-app.yaml", "- nginx=quay.io/x/y:1\n{{ if }}"),
            (
                "kustomization.yaml",
                "{{ if x }}\nimages:\n- newTag: x\n  name:\n    nginx\n",
            ),
            (
                "patch.yaml",
                "{{ if x }}\n- op: test\n  path: /spec/image\n  value: nginx\n",
            ),
        ] {
            assert!(
                patterns(path, text).contains(&"nginx".to_string()),
                "{text}"
            );
        }
        assert!(patterns("a.yaml", "kind: Pod\n{{ if x }}\nimages:\n- name: nginx\n").is_empty());
    }
}
