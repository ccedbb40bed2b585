//! Names by which tools beside kustomize know images: what they set, build, or resolve to something else.
//!
//! An image that lost such a name would be out of their sight without an error. What they act on is not
//! known here, so that an image with one of these names stays, with all that hangs together with it.

mod scripts;

use std::collections::BTreeMap;

use super::argo;
use super::kustomize::NameEntry;
use super::object::Object;
use super::{FieldPath, split};
use crate::yaml::{Document, NodeId};

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
    Row { group: "argocd-image-updater.argoproj.io", kinds: &["ImageUpdater"], path: "spec/applicationRefs/images/manifestTargets/kustomize/name" },
    Row { group: "kbld.k14s.io", kinds: &["Config"], path: "overrides/image" },
    Row { group: "kbld.k14s.io", kinds: &["Config"], path: "sources/image" },
    Row { group: "apps.openshift.io", kinds: &["DeploymentConfig"], path: "spec/triggers/imageChangeParams/from/name" },
];
const STREAMS: (&str, &str) = ("image.openshift.io", "ImageStream");
/// The annotation by which OpenShift sets images of any workload: a list in JSON.
const TRIGGERS: &str = "image.openshift.io/triggers";

/// So many nodes may be met through aliases in a document, and so many names be read in it: more than anybody
/// writes.
const MOST_FOLLOWED: usize = 1 << 14;
const MOST_NAMES: usize = 1000;
/// Deeper than any field lies; aliases can make nesting endless.
const DEEPEST: usize = 100;
/// What stands for names of which not all are read: every image.
const EVERY: &str = ".*";

/// The names in the objects of a document, and in its scripts.
pub(super) fn names(document: &Document<'_>, objects: &[Object<'_>]) -> Vec<NameEntry> {
    let mut reader = Reader {
        document,
        known: BTreeMap::new(),
        left: document.nodes.len() + MOST_FOLLOWED,
        is_cut: false,
    };
    for object in objects {
        reader.object(object);
    }
    for (name, at) in argo::updated(document, 0..document.nodes.len()) {
        reader.add(name, at);
    }
    if scripts::may_set(document) {
        let mut room = scripts::room(document);
        for id in 0..document.nodes.len() {
            let Some(names) = scripts::set_by(document, id, &mut room) else {
                reader.is_cut = true;
                break;
            };
            for name in names {
                reader.add(&name, document.node(id).span.start);
            }
        }
    }
    reader.entries()
}

/// What is read of a document.
struct Reader<'d> {
    document: &'d Document<'d>,
    /// The names, and where one of those who say them stands.
    known: BTreeMap<String, usize>,
    /// How many nodes may still be met on the way to fields.
    left: usize,
    /// Whether there is more than is read.
    is_cut: bool,
}

impl<'d> Reader<'d> {
    fn object(&mut self, object: &Object<'_>) {
        let document = self.document;
        let paths = ROWS.iter().filter(|row| row.is_about(object));
        let paths: Vec<FieldPath> = paths.map(|row| FieldPath::of_table(row.path)).collect();
        if !paths.is_empty() {
            self.follow(object.node, &paths, &mut Vec::new(), 0);
        }
        let looked_up = &["spec", "lookupPolicy", "local"];
        let is_stream = (object.group, object.kind) == STREAMS;
        if is_stream && document.text_at(object.node, looked_up) == Some("true") {
            let name = document.at(object.node, &["metadata", "name"]);
            name.into_iter().for_each(|name| self.scalar(name));
        }
        let triggers = document.at(object.node, &["metadata", "annotations", TRIGGERS]);
        triggers.into_iter().for_each(|list| self.triggers(list));
    }

    /// Reads the fields at these paths below a node, to which `keys` lead; aliases are followed.
    fn follow(&mut self, id: NodeId, paths: &[FieldPath], keys: &mut Vec<&'d str>, depth: usize) {
        if self.left == 0 || depth == DEEPEST {
            self.is_cut = true;
            return;
        }
        self.left -= 1;
        let document = self.document;
        let node = document.resolve(id);
        for item in document.items(node) {
            self.follow(item, paths, keys, depth + 1);
        }
        for child in document.entries(node) {
            keys.push(child.key.unwrap_or(""));
            self.follow(child.value, paths, keys, depth + 1);
            keys.pop();
        }
        if paths.iter().any(|path| path.matches(keys)) {
            self.scalar(id);
        }
    }

    /// Reads the name that a scalar holds.
    fn scalar(&mut self, id: NodeId) {
        let document = self.document;
        let text = document.text(document.resolve(id)).unwrap_or("");
        self.add(text, document.node(id).span.start);
    }

    /// Reads the streams that a list of triggers waits for.
    fn triggers(&mut self, id: NodeId) {
        let text = self.document.text(id).unwrap_or("");
        let list: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
        let names = list
            .iter()
            .filter_map(|trigger| trigger.pointer("/from/name")?.as_str());
        names.for_each(|name| self.add(name, self.document.node(id).span.start));
    }

    /// Adds a name without its tag and digest, unless something in it is filled in later, or an expression.
    fn add(&mut self, reference: &str, at: usize) {
        let name = split(reference.trim()).0;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return;
        }
        if self.known.len() == MOST_NAMES {
            self.is_cut = true;
        } else if !self.known.contains_key(name) {
            self.known.insert(name.to_string(), at);
        }
    }

    fn entries(self) -> Vec<NameEntry> {
        let entry = |(pattern, offset)| NameEntry {
            pattern,
            offset,
            ..NameEntry::default()
        };
        if self.is_cut {
            return vec![entry((EVERY.to_string(), 0))];
        }
        self.known.into_iter().map(entry).collect()
    }
}

impl Row {
    fn is_about(&self, object: &Object<'_>) -> bool {
        self.group == object.group && (self.kinds.is_empty() || self.kinds.contains(&object.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::object;
    use crate::yaml::documents;

    fn names_in(text: &str) -> Vec<String> {
        let document = documents(text).next().unwrap().unwrap();
        let objects = object::objects(&document, false);
        let names = names(&document, &objects).into_iter();
        names.map(|name| name.pattern).collect()
    }

    #[test]
    fn annotations_of_the_updater_count_wherever_they_stand() {
        for (text, wanted) in [
            (
                "argocd-image-updater.argoproj.io/image-list: a=b/c:1.x, d",
                &["b/c", "d"][..],
            ),
            (
                "argocd-image-updater.argoproj.io/image-list: a=b/c:>=1.2, d/e:~1",
                &["b/c", "d/e"],
            ),
            (
                "x: [{argocd-image-updater.argoproj.io/a.kustomize.image-name: ' e/f '}]",
                &["e/f"],
            ),
            (
                "argocd-image-updater.argoproj.io/a.update-strategy: digest",
                &[],
            ),
            (
                "argocd-image-updater.argoproj.io/image-list: a={{ x }}",
                &[],
            ),
            ("argocd-image-updater.argoproj.io/image-list", &[]),
        ] {
            assert_eq!(names_in(text), wanted, "{text}");
        }
    }

    #[test]
    fn words_of_lists_that_aliases_make_many_stand_for_every_image() {
        let text = |times: usize| {
            let word = "x".repeat(1000);
            let aliases = "*a, ".repeat(times);
            format!("a: &a {word}\nb: [edit, set, image, y, {aliases}]\n")
        };
        assert_eq!(names_in(&text(10)).len(), 2);
        assert_eq!(names_in(&text(100)), [EVERY]);
    }

    #[test]
    fn more_names_than_are_read_stand_for_every_image() {
        let stage = "apiVersion: kargo.akuity.io/v1alpha1\nkind: Stage\nspec: {promotionTemplate: {spec: {steps: [{config: {images: ";
        let images = |count: usize| {
            let images = (0..count).map(|n| format!("{{image: n{n}}}"));
            images.collect::<Vec<_>>().join(", ")
        };
        let text = |count: usize| format!("{stage}[{}]}}}}]}}}}}}\n", images(count));
        assert_eq!(names_in(&text(MOST_NAMES)).len(), MOST_NAMES);
        assert_eq!(names_in(&text(MOST_NAMES + 1)), [EVERY]);
        // Few bytes of aliases make many nodes.
        let mut many = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (one, other) in ["a", "b", "c", "d", "e"]
            .iter()
            .zip(["b", "c", "d", "e", "f"])
        {
            let list = format!("*{one}, ").repeat(10);
            many.push_str(&format!("{other}: &{other} [{list}]\n"));
        }
        let text = format!("{many}{stage}*f}}}}]}}}}}}\n");
        assert_eq!(names_in(&text), [EVERY]);
    }
}
