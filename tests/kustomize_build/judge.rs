//! The judge: what differs between two builds of one kustomization, before and after a rewrite, and
//! whether that is right. Everything but references is equal; a reference that changed is what the
//! rules make of the one before, with its tag and digest; one that has a rule and stayed is handed
//! back, for somebody has to have said so.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::common::REGISTRY;
use super::common::ecr::{PREFIXES, expected, has_host, planned_in_text, split};
use super::kustomize::documents;

/// The keys of lists of containers.
const CONTAINERS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];
/// Kinds of objects that hold layers of values.
const VALUES: &[&str] = &[
    "Application",
    "ConfigMap",
    "HelmChart",
    "HelmChartConfig",
    "HelmRelease",
    "Secret",
];
/// Kinds that kustomize gives a name with a hash of what they hold.
const HASHED: &[&str] = &["ConfigMap", "Secret"];
const HASH: usize = "-0123456789".len();

/// A reference that stays.
#[derive(Debug, PartialEq)]
pub struct Kept {
    /// As it is written.
    pub reference: String,
    /// The kind of the object it stands in.
    pub kind: String,
}

/// What two builds show.
#[derive(Debug, Default)]
pub struct Judged {
    /// References that became what they had to, before and after.
    pub changed: Vec<(String, String)>,
    /// References that have a rule and are as before.
    pub kept: Vec<Kept>,
    /// References that were in ECR before and are so after.
    pub through_ecr: usize,
    /// References that are where they were in ECR, with another tag or digest: an entry matches again
    /// that a rewrite of its base alone had cut off, or something is lost.
    pub healed: Vec<(String, String)>,
    /// Registries and repositories of values whose other half another layer sets: no build of
    /// kustomize shows the whole, which `release_layers.rs` judges.
    pub halves: usize,
    /// What is not right, in words.
    pub faults: Vec<String>,
}

impl Judged {
    /// Compares what was built before with what was built after. `image_keys` are keys of fields
    /// that the kustomization declares to be images.
    pub fn of(before: &[Value], after: &[Value], image_keys: &BTreeSet<String>) -> Self {
        let mut judged = Self::default();
        let ids = |objects: &[Value]| objects.iter().map(stem).collect::<Vec<_>>();
        let (old, new) = (ids(before), ids(after));
        if old != new {
            judged
                .faults
                .push(format!("the objects {old:?} became {new:?}"));
            return judged;
        }
        let renamed = renamed(before, after);
        for (before, after) in before.iter().zip(after) {
            let mut after = after.clone();
            rename(&mut after, &renamed);
            let mut place = Place {
                object: stem(before),
                keys: Vec::new(),
                image_keys,
            };
            judged.node(&mut place, before, &after);
        }
        judged
    }

    fn node(&mut self, place: &mut Place, before: &Value, after: &Value) {
        match (before, after) {
            (Value::Mapping(old), Value::Mapping(new)) => {
                let parts = self.parts(place, before, after);
                for (key, value) in old {
                    let name = text_of(key);
                    if parts && matches!(name.as_str(), "registry" | "repository") {
                        continue;
                    }
                    place.keys.push(name);
                    match new.get(key) {
                        Some(other) => self.node(place, value, other),
                        None => self.fault(place, &text_of(value), "nothing", "it is gone"),
                    }
                    place.keys.pop();
                }
                for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                    place.keys.push(text_of(key));
                    self.fault(place, "nothing", &text_of(value), "it is new");
                    place.keys.pop();
                }
            }
            (Value::Sequence(old), Value::Sequence(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    place.keys.push(index.to_string());
                    self.node(place, old, new);
                    place.keys.pop();
                }
            }
            (Value::String(old), Value::String(new)) if old == new => self.equal(place, old),
            (Value::String(old), Value::String(new)) => self.different(place, old, new),
            (old, new) if old == new => {}
            (old, new) => self.fault(place, &text_of(old), &text_of(new), "no reference"),
        }
    }

    /// A reference in parts; gives whether there is one, so that its parts need no look of their own.
    fn parts(&mut self, place: &Place, before: &Value, after: &Value) -> bool {
        let (Some(old), Some(new)) = (joined(before), joined(after)) else {
            return false;
        };
        if old == new {
            if place.is_image() && has_host(&old) && expected(&old).is_some() {
                self.kept.push(place.kept(old));
            }
        } else if expected(&old).as_ref() == Some(&new) {
            self.changed.push((old, new));
        } else if place.is_values() && is_second_half(before, &old, &new) {
            self.halves += 1;
        } else {
            self.fault(place, &old, &new, &what_is_wrong(&old, &new));
        }
        true
    }

    fn equal(&mut self, place: &Place, text: &str) {
        if !place.is_image() {
            return;
        }
        if text.starts_with(REGISTRY) {
            self.through_ecr += 1;
        }
        let is_reference = place.is_container() || has_host(text) || !split(text).1.is_empty();
        if is_reference && expected(text).is_some() {
            self.kept.push(place.kept(text.to_string()));
        }
    }

    fn different(&mut self, place: &mut Place, old: &str, new: &str) {
        let is_image = place.is_image() || place.image_keys.contains(place.key(0));
        let whole = is_image || has_host(old);
        if is_image && old.starts_with(REGISTRY) && split(old).0 == split(new).0 {
            self.healed.push((old.to_string(), new.to_string()));
        } else if whole && expected(old).as_deref() == Some(new) {
            self.changed.push((old.to_string(), new.to_string()));
        } else if place.is_values() && place.key(0) == "registry" && is_first_half(old, new) {
            self.halves += 1;
        } else if let Some(planned) = planned_in_text(old, new, has_host) {
            self.changed.extend(planned);
        } else if let (Some(old), Some(new)) = (inside(old), inside(new)) {
            place.keys.push("(text)".into());
            self.node(place, &Value::Sequence(old), &Value::Sequence(new));
            place.keys.pop();
        } else if is_image {
            self.fault(place, old, new, &what_is_wrong(old, new));
        } else {
            self.fault(place, old, new, "no reference");
        }
    }

    fn fault(&mut self, place: &Place, old: &str, new: &str, why: &str) {
        let Place { object, keys, .. } = place;
        let at = keys.join(".");
        self.faults
            .push(format!("{object} {at}: `{old}` became `{new}`: {why}"));
    }
}

/// Where in a build.
struct Place<'k> {
    object: String,
    keys: Vec<String>,
    image_keys: &'k BTreeSet<String>,
}

impl Place<'_> {
    fn key(&self, from_end: usize) -> &str {
        let index = self.keys.len().checked_sub(from_end + 1);
        index.map_or("", |index| &self.keys[index])
    }

    fn kept(&self, reference: String) -> Kept {
        let kind = self.object.split('/').next().unwrap_or("").to_string();
        Kept { reference, kind }
    }

    /// Whether what stands here is an image: under `image` or `…Image`, or an image volume.
    fn is_image(&self) -> bool {
        let is_definition = self.object.starts_with("CustomResourceDefinition/");
        let ends = ["image", "imagename"];
        let names = |key: &str| {
            ends.iter()
                .any(|end| key.to_ascii_lowercase().ends_with(end))
        };
        let volume = self.key(0) == "reference" && self.key(1) == "image";
        !is_definition && (names(self.key(0)) || volume)
    }

    /// Whether values stand here, which are merged with others.
    fn is_values(&self) -> bool {
        let kind = self.object.split('/').next().unwrap_or("");
        VALUES.contains(&kind)
    }

    /// Whether it is one whatever it looks like.
    fn is_container(&self) -> bool {
        let volume = self.key(0) == "reference" && self.key(1) == "image";
        volume || (self.key(0) == "image" && CONTAINERS.contains(&self.key(2)))
    }
}

/// Whether a registry on its own has become the cache's.
fn is_first_half(old: &str, new: &str) -> bool {
    PREFIXES.iter().any(|(host, _)| *host == old) && new == REGISTRY
}

/// Whether a repository on its own has got the prefix of some registry.
fn is_second_half(before: &Value, old: &str, new: &str) -> bool {
    let has_prefix = |(_, prefix): &(&str, &str)| {
        new == format!("{prefix}/{old}") || new == format!("{prefix}/library/{old}")
    };
    before.get("registry").is_none() && !has_host(old) && PREFIXES.iter().any(has_prefix)
}

/// What makes a changed image a wrong one.
fn what_is_wrong(old: &str, new: &str) -> String {
    let ((_, old_suffix), (_, new_suffix)) = (split(old), split(new));
    if old_suffix != new_suffix {
        return format!("its tag or digest was `{old_suffix}` and is `{new_suffix}`");
    }
    match expected(old) {
        Some(wanted) => format!("it had to become `{wanted}`"),
        None => "no rule maps it".into(),
    }
}

/// The registry and the repository of a map that has a repository, and its tag if that is one.
fn joined(map: &Value) -> Option<String> {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let repository = text("repository").filter(|text| !text.contains("://"))?;
    let registry = text("registry").filter(|text| !text.is_empty());
    let front = registry.map(|registry| format!("{registry}/"));
    Some(format!("{}{repository}", front.unwrap_or_default()))
}

/// The documents that a text of several lines holds.
fn inside(text: &str) -> Option<Vec<Value>> {
    let documents = documents(text).ok()?;
    let is_map = |document: &Value| document.is_mapping() || document.is_sequence();
    (text.contains('\n') && documents.iter().any(is_map)).then_some(documents)
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| format!("{value:?}"), Into::into)
}

fn field<'v>(object: &'v Value, path: &[&str]) -> &'v str {
    let value = path.iter().try_fold(object, |value, key| value.get(key));
    value.and_then(Value::as_str).unwrap_or("")
}

/// Kind and name of an object; without the hash where kustomize may have put one.
fn stem(object: &Value) -> String {
    let (kind, name) = (
        field(object, &["kind"]),
        field(object, &["metadata", "name"]),
    );
    let is_hash = |hash: &str| {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        hash.len() == HASH && hash.starts_with('-') && hash.bytes().skip(1).all(letter)
    };
    let cut = name.len().saturating_sub(HASH);
    let name = match name.split_at_checked(cut) {
        Some((name, hash)) if HASHED.contains(&kind) && is_hash(hash) => name,
        _ => name,
    };
    let namespace = field(object, &["metadata", "namespace"]);
    format!("{kind}/{namespace}/{name}")
}

/// The new and the old names of objects whose hash follows a change of what they hold.
fn renamed(before: &[Value], after: &[Value]) -> Vec<(String, String)> {
    let name = |object| field(object, &["metadata", "name"]).to_string();
    let pairs = before.iter().zip(after);
    let hashed = pairs.filter(|(old, new)| {
        name(old) != name(new)
            && ["data", "binaryData", "stringData"]
                .iter()
                .any(|key| old.get(key) != new.get(key))
    });
    hashed.map(|(old, new)| (name(new), name(old))).collect()
}

fn rename(value: &mut Value, renamed: &[(String, String)]) {
    match value {
        Value::Mapping(map) => map.values_mut().for_each(|value| rename(value, renamed)),
        Value::Sequence(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Value::String(text) => {
            if let Some((_, old)) = renamed.iter().find(|(new, _)| new == text) {
                text.clone_from(old);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(image: &str) -> String {
        let meta = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}";
        format!("{meta}\nspec:\n  replicas: 1\n  containers:\n  - name: a\n    image: {image}\n")
    }

    fn ecr(path: &str) -> String {
        format!("{REGISTRY}/{path}")
    }

    fn judged(before: &str, after: &str) -> Judged {
        let declared = BTreeSet::from(["runtime".to_string()]);
        let objects = |text| documents(text).unwrap();
        Judged::of(&objects(before), &objects(after), &declared)
    }

    /// One fault, which says `words`.
    fn wrong(before: &str, after: &str, words: &str) {
        let judged = judged(before, after);
        let [fault] = judged.faults.as_slice() else {
            panic!("{before}\n{after}\n{judged:?}");
        };
        assert!(fault.contains(words), "{fault}");
    }

    #[test]
    fn what_is_right_passes() {
        let sha = format!("nginx:1.28@sha256:{}", "0".repeat(64));
        for (before, after) in [
            ("nginx:1.28", ecr("docker-hub/library/nginx:1.28")),
            ("nginx", ecr("docker-hub/library/nginx")),
            (&sha, ecr(&format!("docker-hub/library/{sha}"))),
            ("quay.io/a/b:1", ecr("quay/a/b:1")),
        ] {
            let judged = judged(&pod(before), &pod(&after));
            assert_eq!(judged.faults, [""; 0]);
            assert_eq!(judged.changed, [(before.to_string(), after)]);
            assert!(judged.kept.is_empty());
        }
        // What stays and has a rule is handed back; what has none is not.
        assert_eq!(
            judged(&pod("nginx:1"), &pod("nginx:1")).kept[0].reference,
            "nginx:1"
        );
        assert!(
            judged(&pod("gcr.io/a:1"), &pod("gcr.io/a:1"))
                .kept
                .is_empty()
        );
        let there = ecr("quay/a/b:1");
        let judged = judged(&pod(&there), &pod(&there));
        assert!(judged.kept.is_empty() && judged.through_ecr == 1);
    }

    #[test]
    fn a_lost_override_is_a_fault() {
        let hub = |rest: &str| pod(&ecr(&format!("docker-hub/library/nginx{rest}")));
        let digest = format!("@sha256:{}", "1".repeat(64));
        // The base went to ECR and the overlay's entry, which set these, matches nothing any more.
        wrong(
            &pod("nginx:1.28"),
            &hub(":1.27"),
            "tag or digest was `:1.28` and is `:1.27`",
        );
        wrong(&pod("nginx:1.28"), &hub(""), "is ``");
        wrong(&pod(&format!("nginx{digest}")), &hub(":1.27"), "is `:1.27`");
        wrong(&pod(&format!("nginx:1{digest}")), &hub(":1"), "is `:1`");
        wrong(&pod("nginx"), &hub(":latest"), "is `:latest`");
        // A newName.
        wrong(&pod("quay.io/acme/web:1"), &hub(":1"), "it had to become");
        wrong(
            &pod("mcr.microsoft.com/web:1"),
            &hub(":1"),
            "no rule maps it",
        );
        wrong(
            &pod("quay.io/acme/web:1"),
            &pod("nginx:1"),
            "it had to become",
        );
        // The tag stays and the name of an image in ECR is lost.
        wrong(&hub(":1"), &pod("nginx:1"), "no rule maps it");
    }

    #[test]
    fn another_tag_in_ecr_is_a_matter_of_its_own() {
        let hub = |rest: &str| pod(&ecr(&format!("docker-hub/library/nginx{rest}")));
        let judged = judged(&hub(":1.27"), &hub(":1.28"));
        assert_eq!((judged.healed.len(), judged.faults.len()), (1, 0));
    }

    #[test]
    fn fields_that_are_declared_are_images() {
        let object = |image: &str| {
            format!("kind: Runner\nmetadata: {{name: x}}\nspec: {{runtime: {image}}}\n")
        };
        let hub = |rest: &str| object(&ecr(&format!("docker-hub/library/nginx{rest}")));
        let judged = judged(&object("nginx:1"), &hub(":1"));
        assert_eq!((judged.changed.len(), judged.faults.len()), (1, 0));
        wrong(&object("nginx:1.28"), &hub(":1.27"), "is `:1.27`");
        wrong(&object("nginx:1.28"), &object("nginx:1.27"), "is `:1.27`");
    }

    #[test]
    fn a_wrong_place_in_ecr_is_a_fault() {
        for path in [
            "docker-hub/nginx:1",
            "library/nginx:1",
            "quay/library/nginx:1",
            "docker-hub/library/docker.io/nginx:1",
        ] {
            wrong(&pod("nginx:1"), &pod(&ecr(path)), "it had to become");
        }
        let twice = ecr(&ecr("quay/a/b:1"));
        wrong(&pod(&ecr("quay/a/b:1")), &pod(&twice), "no rule maps it");
    }

    #[test]
    fn what_is_no_reference_is_equal() {
        let (before, after) = (pod("nginx:1"), pod(&ecr("docker-hub/library/nginx:1")));
        wrong(
            &before,
            &after.replace("replicas: 1", "replicas: 2"),
            "spec.replicas",
        );
        wrong(&before, &after.replace("  replicas: 1\n", ""), "it is gone");
        wrong(
            &before,
            &after.replace("replicas: 1", "replicas: 1\n  more: x"),
            "it is new",
        );
        wrong(
            &before,
            &after.replace("name: a\n", "name: nginx\n"),
            "no reference",
        );
        wrong(
            &before,
            &after.replace("{name: app}", "{name: web}"),
            "the objects",
        );
        wrong(&before, &format!("{after}---\n{before}"), "the objects");
        let more = format!("{}  - image: redis\n", pod("nginx:1"));
        wrong(&more, &before, "no reference");
        // A bare word in a text is a word.
        let argument = |text: &str| pod(&format!("gcr.io/a\n    args: [\"{text}\"]"));
        let word = ecr("docker-hub/library/nginx");
        wrong(&argument("nginx"), &argument(&word), "no reference");
        let flag = |image: &str| argument(&format!("--image={image}"));
        let judged = judged(&flag("quay.io/a/b:1"), &flag(&ecr("quay/a/b:1")));
        assert_eq!((judged.changed.len(), judged.faults.len()), (1, 0));
    }

    #[test]
    fn images_of_values_are_judged_as_a_whole() {
        let release = |registry: &str, repository: &str| {
            format!(
                "kind: HelmRelease\nmetadata: {{name: x}}\nspec:\n  values:\n    image:\n      registry: {registry}\n      repository: {repository}\n      tag: 1\n"
            )
        };
        let before = release("docker.io", "bitnami/x");
        let right = judged(&before, &release(REGISTRY, "docker-hub/bitnami/x"));
        assert_eq!((right.changed.len(), right.faults.len()), (1, 0));
        wrong(&before, &release(REGISTRY, "bitnami/x"), "it had to become");
        wrong(
            &before,
            &release("docker.io", "docker-hub/bitnami/x"),
            "it had to become",
        );
        let kept = &judged(&before, &before).kept[0];
        assert_eq!(
            (&*kept.kind, &*kept.reference),
            ("HelmRelease", "docker.io/bitnami/x")
        );
    }

    #[test]
    fn hashes_of_generated_names_follow_what_is_generated() {
        let tree = |image: &str, hash: &str, used: &str| {
            format!(
                "kind: ConfigMap\nmetadata: {{name: a-{hash}}}\ndata:\n  x.yaml: |\n    image: {image}\n    x: y\n---\nkind: Pod\nmetadata: {{name: app}}\nspec: {{from: a-{used}}}\n"
            )
        };
        let (old, new) = ("0123456789", "abcdefghij");
        let before = tree("quay.io/a:1", old, old);
        let judged = judged(&before, &tree(&ecr("quay/a:1"), new, new));
        assert_eq!(
            (judged.changed.len(), judged.faults.len()),
            (1, 0),
            "{judged:?}"
        );
        // Names of another hash, and nothing that was hashed is another.
        let judged = super::tests::judged(&before, &tree("quay.io/a:1", new, new));
        assert!(judged.faults[0].contains("metadata.name"), "{judged:?}");
    }
}
