//! Names by which tools beside kustomize know images: what they set, build, or resolve to something else.
//!
//! An image that lost such a name would be out of their sight without an error. What they act on is not
//! known here, so that an image with one of these names stays, with all that hangs together with it.

use std::collections::BTreeSet;

use super::argo;
use super::kustomize::NameEntry;
use super::object::Object;
use super::{FieldPath, split};
use crate::yaml::{Document, Kind, NodeId};

/// The kinds of any object of a group.
const ANY: &[&str] = &[];

/// A field that holds such a name.
struct Row {
    /// The API group.
    group: &'static str,
    /// The kinds; none for all of the group.
    kinds: &'static [&'static str],
    /// The way to the field; positions in lists do not count.
    path: &'static str,
}

/// Sources: Kargo's reference of promotion steps (`kustomize-set-image`, `helm-update-image`), kbld's of its
/// config, Argo CD Image Updater's of its resources, OpenShift's API reference (a stream with local lookup, a
/// trigger on image changes).
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { group: "kargo.akuity.io", kinds: ANY, path: "**/steps/config/images/image" },
    Row { group: "argocd-image-updater.argoproj.io", kinds: &["ImageUpdater"], path: "spec/applicationRefs/images/imageName" },
    Row { group: "kbld.k14s.io", kinds: &["Config"], path: "overrides/image" },
    Row { group: "kbld.k14s.io", kinds: &["Config"], path: "sources/image" },
    Row { group: "apps.openshift.io", kinds: &["DeploymentConfig"], path: "spec/triggers/imageChangeParams/from/name" },
];
const STREAMS: (&str, &str) = ("image.openshift.io", "ImageStream");
/// The annotation by which OpenShift sets images of any workload: a list in JSON.
const TRIGGERS: &str = "image.openshift.io/triggers";

/// How scripts set an image in a kustomization.
const SETS: [&str; 3] = ["edit", "set", "image"];
/// So many nodes may be met through aliases: more than anybody writes, and no more than a moment takes.
const MOST_FOLLOWED: usize = 1 << 14;
/// Deeper than any field lies; aliases can make nesting endless.
const DEEPEST: usize = 100;
/// What ends a command in a script.
const ENDS: &[&str] = &["&&", "||", ";", "|", ">", "#"];

/// The names in the objects of a document, and in its scripts.
pub(super) fn names(document: &Document<'_>, objects: &[Object<'_>]) -> Vec<NameEntry> {
    let mut names = Vec::new();
    for object in objects {
        let paths = ROWS.iter().filter(|row| row.is_about(object));
        let paths: Vec<FieldPath> = paths.map(|row| FieldPath::of_table(row.path)).collect();
        if !paths.is_empty() {
            Fields::of(document, &paths).follow(object.node, &mut names);
        }
        let looked_up = &["spec", "lookupPolicy", "local"];
        let is_stream = (object.group, object.kind) == STREAMS;
        if is_stream && document.text_at(object.node, looked_up) == Some("true") {
            let name = document.at(object.node, &["metadata", "name"]);
            names.extend(name.and_then(|name| entry(document, name)));
        }
        names.extend(argo::updated(document, object).filter_map(|(name, at)| {
            let pattern = literal(name)?;
            Some(NameEntry {
                pattern,
                offset: at,
                ..NameEntry::default()
            })
        }));
        let triggers = document.at(object.node, &["metadata", "annotations", TRIGGERS]);
        names.extend(triggers.into_iter().flat_map(|id| triggered(document, id)));
    }
    for (id, node) in document.nodes.iter().enumerate() {
        let set = match &node.kind {
            Kind::Scalar { value, .. } => set_by(value),
            Kind::Sequence => set_by_words(document, id),
            Kind::Mapping | Kind::Alias(_) => continue,
        };
        names.extend(set.into_iter().map(|pattern| NameEntry {
            pattern,
            offset: node.span.start,
            ..NameEntry::default()
        }));
    }
    names
}

impl Row {
    fn is_about(&self, object: &Object<'_>) -> bool {
        self.group == object.group && (self.kinds.is_empty() || self.kinds.contains(&object.kind))
    }
}

/// A walk to fields, aliases followed.
struct Fields<'d, 'p> {
    document: &'d Document<'d>,
    paths: &'p [FieldPath],
    keys: Vec<&'d str>,
    /// How many nodes may still be met.
    left: usize,
    depth: usize,
}

impl<'d, 'p> Fields<'d, 'p> {
    fn of(document: &'d Document<'d>, paths: &'p [FieldPath]) -> Self {
        Self {
            document,
            paths,
            keys: Vec::new(),
            left: document.nodes.len() + MOST_FOLLOWED,
            depth: 0,
        }
    }

    /// Adds the names below a node.
    fn follow(&mut self, id: NodeId, names: &mut Vec<NameEntry>) {
        let document = self.document;
        let node = document.resolve(id);
        if self.left == 0 || self.depth == DEEPEST {
            return;
        }
        self.left -= 1;
        self.depth += 1;
        for item in document.items(node) {
            self.follow(item, names);
        }
        for child in document.entries(node) {
            self.keys.push(child.key.unwrap_or(""));
            self.follow(child.value, names);
            self.keys.pop();
        }
        self.depth -= 1;
        if self.paths.iter().any(|path| path.matches(&self.keys)) {
            names.extend(entry(document, id));
        }
    }
}

/// The name that a scalar holds, without tag and digest; none when it is filled in later.
fn entry(document: &Document<'_>, id: NodeId) -> Option<NameEntry> {
    Some(NameEntry {
        pattern: literal(document.text(document.resolve(id))?)?,
        offset: document.node(id).span.start,
        ..NameEntry::default()
    })
}

/// The streams that a list of triggers waits for.
fn triggered(document: &Document<'_>, id: NodeId) -> Vec<NameEntry> {
    let text = document.text(document.resolve(id)).unwrap_or("");
    let list: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let names = list.iter().filter_map(|trigger| {
        let name = trigger.pointer("/from/name")?.as_str()?;
        Some(NameEntry {
            pattern: literal(name)?,
            offset: document.node(id).span.start,
            ..NameEntry::default()
        })
    });
    names.collect()
}

fn literal(reference: &str) -> Option<String> {
    let name = split(reference.trim()).0;
    let is_said = !name.is_empty() && !name.contains(['$', '{', '<', '(', '*']);
    is_said.then(|| name.to_string())
}

/// The names that a command gives to `kustomize edit set image` whose words are a list.
fn set_by_words(document: &Document<'_>, list: NodeId) -> BTreeSet<String> {
    let words = || document.items(list).filter_map(|item| document.text(item));
    if !words().any(|word| word == SETS[0]) {
        return BTreeSet::new();
    }
    set_by(&words().collect::<Vec<_>>().join(" "))
}

/// The names that a script gives to `kustomize edit set image`, each once: every word is looked at once.
fn set_by(script: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if !SETS.iter().all(|word| script.contains(word)) {
        return names;
    }
    let joined = script.replace("\\\n", " ");
    for line in joined.lines() {
        // How many words of the command have been met; then its arguments follow.
        let mut met = 0;
        let mut is_filled = false;
        for word in line.split_whitespace() {
            if met < SETS.len() {
                met = if word == SETS[met] {
                    met + 1
                } else {
                    usize::from(word == SETS[0])
                };
                continue;
            }
            let is_end = !is_filled && ENDS.iter().any(|end| word.starts_with(end));
            if is_end || word == SETS[0] {
                met = usize::from(word == SETS[0]);
                continue;
            }
            if !is_filled {
                let bare = word.trim_matches(['"', '\'', ';']);
                let name = bare.split_once('=').map_or(bare, |(name, _)| name);
                names.extend(literal(name).filter(|name| !name.starts_with('-')));
            }
            is_filled = goes_on(word, is_filled);
            if !is_filled && word.ends_with(';') {
                met = 0;
            }
        }
    }
    names
}

/// Whether something that is filled in goes on behind a word: the words in it belong to the one in which it begins.
fn goes_on(word: &str, is_filled: bool) -> bool {
    let open = [word.rfind("{{"), word.rfind("$(")]
        .into_iter()
        .flatten()
        .max();
    let close = [word.rfind("}}"), word.rfind(')')]
        .into_iter()
        .flatten()
        .max();
    match (open, close) {
        (Some(open), Some(close)) => open > close,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => is_filled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_tell_the_names_that_they_set() {
        for (script, wanted) in [
            (
                "kustomize edit set image acme/web:${SHA}",
                &["acme/web"][..],
            ),
            (
                "cd prod && kustomize edit set image \\\n  a=quay.io/a/b:1 'c/d@sha256:00' && git push x",
                &["a", "c/d"],
            ),
            ("kustomize edit set image $IMAGE x={{ y }}; echo z", &["x"]),
            ("kustomize edit set image ${{ env.IMAGE }}:1", &[]),
            (
                "kustomize edit set image a/b:${{ github.sha }} c",
                &["a/b", "c"],
            ),
            (
                "kustomize edit set image\\\n  a/b=x && y; kustomize edit  set image c",
                &["a/b", "c"],
            ),
            (
                "kustomize edit set image \"$(echo a || b)\" c/d=x",
                &["c/d"],
            ),
            ("kustomize edit set imagex a", &[]),
        ] {
            let found: Vec<String> = set_by(script).into_iter().collect();
            assert_eq!(found, wanted, "{script}");
        }
    }
}
