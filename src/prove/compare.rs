//! What two renderings differ in: object by object and map by map, down to the words of a text.
//!
//! Only names of images may differ, each as the rules say, with its tag and digest; what is computed of
//! them (checksums, hashes in names) follows. Where one and the same rendering gives something else each
//! time, passwords and certificates, words are unstable: they are counted and prove nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::objects::{Object, Parsed, objects, paired};
use super::words::{self, Words};
use crate::helm::template::read_yaml;
use crate::image::ImageRef;
use crate::rules::{Rule, RuleSet};

/// What two renderings show.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Images that became what the rules say, before and after.
    pub changed: BTreeSet<(String, String)>,
    /// Images in ECR that got the tag of a name which meets them again, before and after.
    pub healed: BTreeSet<(String, String)>,
    /// What else differs.
    pub differences: Vec<Difference>,
    /// Texts that are computed of others with images: checksums, hashes in names.
    pub derived: usize,
    /// Places that differ between two renderings of the same.
    pub unstable: usize,
}

/// Something that differs and must not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The object: its kind, namespace and name.
    pub object: String,
    /// The keys that lead to it.
    pub at: String,
    /// The text before; nothing when there was none.
    pub before: Option<String>,
    /// The text after; nothing when there is none.
    pub after: Option<String>,
    /// What is wrong about it.
    pub why: &'static str,
}

/// More differences of one rendering than these say nothing new.
const MAX_DIFFERENCES: usize = 100;
/// Texts in texts in texts: deeper ones are compared word by word.
const MAX_DEPTH: usize = 4;
/// Keys that begin the name of an image, and those that end it.
const FRONTS: &[&str] = &["registry", "hub"];
const ENDS: &[&str] = &["repository", "image", "name", "repo"];
/// Those that end one only beside a key that begins it.
const WEAK_ENDS: &[&str] = &["name", "repo"];
/// Keys of maps whose texts are no images, whatever their own keys are.
const LABELS: &[&str] = &["labels", "matchLabels", "selector", "nodeSelector"];
/// The way to the key that lets Bitnami's charts render with other images.
const ALLOWANCE: &[&str] = &["global", "security", "allowInsecureImages"];
/// What kustomize calls an image from now on.
const NEW_NAME: &str = "newName";
/// Kinds of objects that hold layers of values, of which another layer may say the rest.
const VALUES: &[&str] = &[
    "Application",
    "ApplicationSet",
    "ConfigMap",
    "HelmChart",
    "HelmChartConfig",
    "HelmRelease",
    "Secret",
];
/// Kinds that kustomize gives a name with a hash of what they hold.
const HASHED: &[&str] = &["ConfigMap", "Secret"];
const HASH: usize = "-0123456789".len();

/// Why something differs that must not.
const GONE: &str = "it is gone";
const NEW: &str = "it is new";
const NO_IMAGE: &str = "it is no image";

/// What may become of an image.
#[derive(Clone, Copy)]
pub(super) struct Fine<'f> {
    /// What the rules say, any of them.
    pub(super) rules: &'f [Arc<RuleSet>],
    /// Whether one in ECR may get another tag.
    pub(super) heals: bool,
}

/// Compares a rendering with the one after the rewrite; `again` is the first one, rendered once more.
pub(super) fn compare(before: &str, after: &str, again: Option<&str>, fine: Fine<'_>) -> Compared {
    if before == after {
        return Compared::default();
    }
    let (old, new) = different(&objects(before), &objects(after));
    let (old, new) = (parsed(&old), parsed(&new));
    let again: Option<Vec<Parsed<'_>>> = again.map(|again| parsed(&objects(again)));
    let mut comparison = Comparison {
        rules: fine.rules,
        heals: fine.heals,
        renamed: renamed(&old, &new),
        found: Compared::default(),
        checksums: Vec::new(),
    };
    comparison.objects(&old, &new, again.as_deref());
    comparison.done()
}

fn parsed<'t>(objects: &[Object<'t>]) -> Vec<Parsed<'t>> {
    objects.iter().map(Object::parsed).collect()
}

/// The objects of each side that the other has not just so.
fn different<'t>(
    before: &[Object<'t>],
    after: &[Object<'t>],
) -> (Vec<Object<'t>>, Vec<Object<'t>>) {
    let mut count: HashMap<&str, isize> = HashMap::new();
    for object in after {
        *count.entry(object.text).or_default() += 1;
    }
    let only_here = |objects: &[Object<'t>], count: &mut HashMap<&'t str, isize>| {
        let mut rest = objects.to_vec();
        rest.retain(|object| {
            let left = count.entry(object.text).or_default();
            *left -= 1;
            *left < 0
        });
        rest
    };
    let old = only_here(before, &mut count);
    let mut count: HashMap<&str, isize> = HashMap::new();
    for object in before {
        *count.entry(object.text).or_default() += 1;
    }
    (old, only_here(after, &mut count))
}

/// The names of objects that only differ in the hash of what they hold.
fn renamed(before: &[Parsed<'_>], after: &[Parsed<'_>]) -> BTreeMap<String, String> {
    let pairs = paired(before, after);
    let names = pairs.into_iter().filter_map(|(old, new)| {
        let (old, new) = (old?, new?);
        let is_hashed = HASHED.contains(&old.kind.as_str());
        let (old, new) = (own_name(&old.value)?, own_name(&new.value)?);
        let is_same = is_hashed && old != new && stem(old).is_some() && stem(old) == stem(new);
        is_same.then(|| (old.to_string(), new.to_string()))
    });
    names.collect()
}

fn own_name(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("name")?.as_str()
}

/// A name without its hash.
fn stem(name: &str) -> Option<&str> {
    let (stem, hash) = name.split_at_checked(name.len().checked_sub(HASH)?)?;
    let is_hash = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_hash = hash.strip_prefix('-')?.chars().all(is_hash);
    is_hash.then_some(stem)
}

struct Comparison<'c> {
    rules: &'c [Arc<RuleSet>],
    heals: bool,
    renamed: BTreeMap<String, String>,
    found: Compared,
    /// Checksums that changed: fine when an image did.
    checksums: Vec<Difference>,
}

/// Where in an object.
struct Place {
    object: String,
    kind: String,
    keys: Vec<String>,
    depth: usize,
}

impl Comparison<'_> {
    fn objects(&mut self, old: &[Parsed<'_>], new: &[Parsed<'_>], again: Option<&[Parsed<'_>]>) {
        let twins = again.map(|again| paired(old, again));
        for (index, (old_one, new_one)) in paired(old, new).into_iter().enumerate() {
            let mut place = Place::of(old_one.or(new_one));
            match (old_one, new_one) {
                (Some(old_one), Some(new_one)) => {
                    let twin = twins.as_ref().and_then(|twins| twins.get(index)?.1);
                    let again = twin.map(|twin| &twin.value);
                    self.node(&mut place, &old_one.value, &new_one.value, again);
                }
                (Some(_), None) => self.differs(&place, Some("the object"), None, GONE),
                (None, _) => self.differs(&place, None, Some("an object"), NEW),
            }
        }
    }

    fn node(&mut self, place: &mut Place, old: &Value, new: &Value, again: Option<&Value>) {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Object(old), Value::Object(new)) => self.map(place, old, new, again),
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    let again = again.and_then(|again| again.get(index));
                    place.keys.push(index.to_string());
                    self.node(place, old, new, again);
                    place.keys.pop();
                }
            }
            (Value::String(old), Value::String(new)) => {
                self.text(place, old, new, again.and_then(Value::as_str));
            }
            (old, _) if again.is_some_and(|again| again != old) => self.found.unstable += 1,
            (old, new) => {
                let (old, new) = (old.to_string(), new.to_string());
                self.differs(place, Some(&old), Some(&new), NO_IMAGE);
            }
        }
    }

    fn map(
        &mut self,
        place: &mut Place,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        again: Option<&Value>,
    ) {
        let parts = if place.is_label() {
            Vec::new()
        } else {
            self.parts(old, new)
        };
        for (key, value) in old {
            if parts.contains(&key.as_str()) {
                continue;
            }
            let again = again.and_then(|again| again.get(key));
            place.keys.push(told(key, old));
            match new.get(key) {
                Some(other) => self.node(place, value, other, again),
                None => self.differs(place, Some(&text_of(value)), None, GONE),
            }
            place.keys.pop();
        }
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            if parts.contains(&key.as_str()) || self.may_be_added(place, key, value, old) {
                continue;
            }
            place.keys.push(key.clone());
            self.differs(place, None, Some(&text_of(value)), NEW);
            place.keys.pop();
        }
    }

    /// The keys of a map that hold the parts of one name which changed as it has to.
    fn parts(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<&'static str> {
        for front in FRONTS {
            for end in ENDS {
                let keys = [*front, *end];
                let is_changed = keys.iter().any(|key| old.get(*key) != new.get(*key));
                let has_front = old.contains_key(*front) || new.contains_key(*front);
                if !is_changed || (WEAK_ENDS.contains(end) && !has_front) {
                    continue;
                }
                let (Some(before), Some(after)) = (joined(old, keys), joined(new, keys)) else {
                    continue;
                };
                if before != after && words::is_planned(&before, &after, self.rules) {
                    self.found.changed.insert((before, after));
                    return keys.to_vec();
                }
            }
        }
        Vec::new()
    }

    /// Whether a rewrite adds such a key.
    fn may_be_added(
        &mut self,
        place: &Place,
        key: &str,
        value: &Value,
        beside: &Map<String, Value>,
    ) -> bool {
        if key == NEW_NAME {
            let name = beside.get("name").and_then(Value::as_str);
            let (Some(name), Some(value)) = (name, value.as_str()) else {
                return false;
            };
            let is_planned = words::is_planned(name, value, self.rules);
            if is_planned {
                self.found.changed.insert((name.into(), value.into()));
            }
            return is_planned;
        }
        if FRONTS.contains(&key) && place.holds_values() {
            return value.as_str().is_some_and(|text| self.is_front(text));
        }
        let from = ALLOWANCE.iter().position(|step| *step == key);
        from.is_some_and(|from| {
            let way = &ALLOWANCE[from + 1..];
            let mut at = value;
            for step in way {
                match at.as_object() {
                    Some(map) if map.len() == 1 => match map.get(*step) {
                        Some(below) => at = below,
                        None => return false,
                    },
                    _ => return false,
                }
            }
            at == &Value::Bool(true)
        })
    }

    /// Whether a text is what images of the target begin with.
    fn is_front(&self, text: &str) -> bool {
        let mut targets = self.rules.iter().filter_map(|rules| rules.registry());
        targets.any(|host| {
            let rest = text.strip_prefix(host.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn text(&mut self, place: &mut Place, old: &str, new: &str, again: Option<&str>) {
        if old == new || self.renamed.get(old).is_some_and(|name| name == new) {
            self.found.derived += usize::from(old != new);
            return;
        }
        let is_sure = place.is_image();
        let words = Words {
            old,
            new,
            again,
            is_sure,
        };
        if place.is_label() {
            if again.is_some_and(|again| again != old) {
                self.found.unstable += 1;
            } else {
                self.differs(place, Some(old), Some(new), NO_IMAGE);
            }
        } else if let Some(planned) = words.planned(self.rules) {
            self.found.changed.extend(planned.changed);
            self.found.unstable += planned.unstable;
        } else if is_sure && self.heals && self.is_healed(old, new) {
            self.found.healed.insert((old.into(), new.into()));
        } else if place.holds_values() && self.is_half(place, old, new) {
            self.found.derived += 1;
        } else if self.inside(place, old, new, again) {
        } else if is_checksum(old)
            && is_checksum(new)
            && (place.is_computed() || is_sha256(old) && is_sha256(new) && !place.is_digest())
        {
            self.checksums
                .push(place.difference(Some(old), Some(new), NO_IMAGE));
        } else if again.is_some_and(|again| words::is_unstable(old, again)) {
            self.found.unstable += 1;
        } else {
            let why = words::what_is_wrong(old, new, is_sure);
            self.differs(place, Some(old), Some(new), why);
        }
    }

    /// Whether an image in ECR stays where it is, with another tag or digest.
    fn is_healed(&self, old: &str, new: &str) -> bool {
        let [old, new] = [old, new].map(ImageRef::parse);
        let (Ok(old), Ok(new)) = (old, new) else {
            return false;
        };
        let is_same = old.registry() == new.registry() && old.repository() == new.repository();
        is_same && old.registry().is_some_and(|host| self.is_front(host))
    }

    /// Whether a text is one half of a name, of which another layer says the other.
    fn is_half(&self, place: &Place, old: &str, new: &str) -> bool {
        let key = place.key(0).to_ascii_lowercase();
        let is_first = FRONTS.iter().any(|front| key.ends_with(front));
        let is_second = key.ends_with("repository") || key.ends_with("image");
        let has_prefix = || {
            let rules = self.rules.iter().flat_map(|rules| rules.rules());
            let mut prefixes = rules.map(Rule::prefix_text);
            prefixes.any(|prefix| {
                let rest = new
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('/'));
                rest.is_some_and(|rest| rest == old || rest.strip_prefix("library/") == Some(old))
            })
        };
        (is_first && self.is_front(new)) || (is_second && has_prefix())
    }

    /// Compares texts that are documents themselves; whether they are.
    fn inside(&mut self, place: &mut Place, old: &str, new: &str, again: Option<&str>) -> bool {
        if place.depth >= MAX_DEPTH {
            return false;
        }
        let decoded = |text: &str| (place.kind == "Secret").then(|| words::decoded(text))?;
        if let (Some(old), Some(new)) = (decoded(old), decoded(new)) {
            let again = again.and_then(decoded);
            place.within("(decoded)", |place| {
                self.text(place, &old, &new, again.as_deref());
            });
            return true;
        }
        let (Some(old), Some(new)) = (documents(old), documents(new)) else {
            return false;
        };
        let again = again.and_then(documents).map(Value::Array);
        place.within("(text)", |place| {
            self.node(
                place,
                &Value::Array(old),
                &Value::Array(new),
                again.as_ref(),
            );
        });
        true
    }

    fn differs(
        &mut self,
        place: &Place,
        before: Option<&str>,
        after: Option<&str>,
        why: &'static str,
    ) {
        if self.found.differences.len() < MAX_DIFFERENCES {
            let difference = place.difference(before, after, why);
            self.found.differences.push(difference);
        }
    }

    /// What was found. Checksums may differ where an image does.
    fn done(mut self) -> Compared {
        if self.found.changed.is_empty() && self.found.derived == 0 {
            self.found.differences.append(&mut self.checksums);
        }
        self.found.derived += self.checksums.len();
        self.found
    }
}

impl Place {
    fn of(object: Option<&Parsed<'_>>) -> Self {
        Self {
            object: object.map_or(String::new(), |object| object.name.clone()),
            kind: object.map_or(String::new(), |object| object.kind.clone()),
            keys: Vec::new(),
            depth: 0,
        }
    }

    fn within(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.keys.push(key.to_string());
        self.depth += 1;
        look(self);
        self.depth -= 1;
        self.keys.pop();
    }

    fn difference(
        &self,
        before: Option<&str>,
        after: Option<&str>,
        why: &'static str,
    ) -> Difference {
        Difference {
            object: self.object.clone(),
            at: self.keys.join("."),
            before: before.map(words::shortened),
            after: after.map(words::shortened),
            why,
        }
    }

    fn key(&self, from_end: usize) -> &str {
        let index = self.keys.len().checked_sub(from_end + 1);
        index.map_or("", |index| &self.keys[index])
    }

    /// Whether the keys say that an image, or a part of one, stands here.
    fn is_image(&self) -> bool {
        let last = self.key(0).to_ascii_lowercase();
        let is_part = |key: &str| FRONTS.contains(&key) || ENDS[..2].contains(&key);
        let names = |key: &String| {
            let key = key.to_ascii_lowercase();
            key.contains("image") && !key.contains("pull")
        };
        is_part(&last) || self.keys.iter().rev().take(3).any(names)
    }

    fn is_label(&self) -> bool {
        self.keys.iter().any(|key| LABELS.contains(&key.as_str()))
    }

    /// Whether values stand here, which are merged with others.
    fn holds_values(&self) -> bool {
        VALUES.contains(&self.kind.as_str())
    }

    /// Whether what stands here is the digest of an image.
    fn is_digest(&self) -> bool {
        self.key(0).to_ascii_lowercase().ends_with("digest")
    }

    /// Whether what stands here is computed of something.
    fn is_computed(&self) -> bool {
        let words = ["checksum", "hash", "sha", "md5"];
        let last = self.key(0).to_ascii_lowercase();
        words.iter().any(|word| last.contains(word))
    }
}

/// A key for people; that of an environment variable's value says of which.
fn told(key: &str, beside: &Map<String, Value>) -> String {
    let name = beside.get("name").and_then(Value::as_str);
    match name.filter(|_| key == "value") {
        Some(name) => format!("{key} of {name}"),
        None => key.to_string(),
    }
}

/// The name that a map says in two parts, or in the second alone.
fn joined(map: &Map<String, Value>, [front, end]: [&str; 2]) -> Option<String> {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let end = text(end).filter(|text| !text.is_empty())?;
    Some(match text(front).filter(|text| !text.is_empty()) {
        Some(front) => format!("{}/{end}", front.trim_end_matches('/')),
        None => end.to_string(),
    })
}

/// The documents that a text holds, when it holds some.
fn documents(text: &str) -> Option<Vec<Value>> {
    let trimmed = text.trim_start();
    let is_json = trimmed.starts_with(['{', '[']);
    let is_yaml = text.contains('\n') && text.contains(':');
    if !is_json && !is_yaml {
        return None;
    }
    let values: Result<Vec<Value>, String> = objects(text)
        .iter()
        .map(|object| read_yaml(object.text))
        .collect();
    let is_structure = |value: &Value| value.is_object() || value.is_array();
    values.ok().filter(|values| values.iter().any(is_structure))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_checksum(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is a SHA-256, in hexadecimal digits: charts put that of their values into names and
/// texts. The digests of images have `sha256:` in front.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_checksum(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{EcrHost, default_rules};

    const R: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn compared(before: &str, after: &str, again: Option<&str>) -> Compared {
        let registry = EcrHost::parse(R).unwrap();
        let rules = RuleSet::new(Some(registry), default_rules()).0;
        let after = after.replace("R/", &format!("{R}/"));
        let rules = [Arc::new(rules)];
        let fine = Fine {
            rules: &rules,
            heals: false,
        };
        compare(before, &after, again, fine)
    }

    /// How many images changed, and what else.
    fn found(before: &str, after: &str) -> (usize, Vec<&'static str>) {
        let found = compared(before, after, None);
        let whys = found.differences.iter().map(|one| one.why);
        (found.changed.len(), whys.collect())
    }

    #[test]
    fn images_may_become_what_the_rules_say() {
        for (before, after) in [
            ("image: nginx", "image: R/docker-hub/library/nginx"),
            (
                "image: quay.io/a/b:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "image: R/quay/a/b:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ),
            ("args: [--x=quay.io/a/b]", "args: [--x=R/quay/a/b]"),
            (
                "args: [--solver-image=acme/solver]",
                "args: [--solver-image=R/docker-hub/acme/solver]",
            ),
            (
                "env: [{name: X_IMAGE, value: acme/x}]",
                "env: [{name: X_IMAGE, value: R/docker-hub/acme/x}]",
            ),
            (
                "{registry: quay.io, repository: a/b}",
                "{registry: R, repository: quay/a/b}"
                    .replace("R,", &format!("{R},"))
                    .as_str(),
            ),
            ("{repository: a/b}", "{repository: R/docker-hub/a/b}"),
            ("hub: docker.io/istio", "hub: R/docker-hub/istio"),
            (
                "data: {a: 'image: {repository: a/b}\n\n  '}",
                "data: {a: 'image: {repository: R/docker-hub/a/b}\n\n  '}",
            ),
            (
                "{name: a/b, newTag: 1}",
                "{name: a/b, newName: R/docker-hub/a/b, newTag: 1}",
            ),
        ] {
            assert_eq!(found(before, after), (1, vec![]), "{before} -> {after}");
        }
    }

    #[test]
    fn everything_else_is_a_difference() {
        let no = "it is no image";
        for (before, after, why) in [
            (
                "image: nginx:1",
                "image: R/docker-hub/library/nginx:2",
                "its tag or digest is another one",
            ),
            (
                "image: nginx:1",
                "image: R/docker-hub/library/nginx",
                "its tag or digest is another one",
            ),
            (
                "image: nginx:1",
                "image: R/docker-hub/nginx:1",
                "it is not what the rules make of the image before",
            ),
            (
                "image: a/b:1",
                "image: R/docker-hub/docker-hub/a/b:1",
                "the image became malformed",
            ),
            (
                "image: quay.io/a/b:1",
                "image: quay.io/R/quay/a/b:1",
                "the image became malformed",
            ),
            (
                "image: R/quay/a:1",
                "image: R/quay/R/quay/a:1",
                "the image became malformed",
            ),
            ("a: 1", "a: 2", no),
            ("a: nginx", "a: R/docker-hub/library/nginx", no),
            (
                "metadata: {name: nginx}",
                "metadata: {name: R/docker-hub/library/nginx}",
                no,
            ),
            (
                "labels: {image: a/b:1}",
                "labels: {image: R/docker-hub/a/b:1}",
                no,
            ),
            (
                "imagePullSecrets: [{name: a}]",
                "imagePullSecrets: [{name: R/docker-hub/library/a}]",
                no,
            ),
            ("a: {b: 1}", "a: {}", GONE),
            ("a: {}", "a: {b: 1}", NEW),
            ("a: {}", "a: {registry: x}", NEW),
            (
                "a: {}",
                "a: {global: {security: {allowInsecureImages: true, x: 1}}}",
                NEW,
            ),
            ("a: [1]", "a: [1, 2]", no),
            ("kind: A", "kind: B", GONE),
            ("checksum: abcdef6789", "checksum: abcdef6788", no),
        ] {
            let before = before.replace("R/", &format!("{R}/"));
            let (changed, whys) = found(&before, after);
            assert_eq!(
                (changed, whys.first().copied()),
                (0, Some(why)),
                "{before} -> {after}"
            );
        }
    }

    #[test]
    fn what_is_computed_may_follow_an_image() {
        let before = "image: a/b:1\nchecksum: abcdef6789";
        let (old, new) = ("a1".repeat(32), "b2".repeat(32));
        let with = |image: &str, key: &str, hash: &str| format!("image: {image}\n{key}: {hash}");
        for (key, count) in [("id", 0), ("digest", 1), ("x", 0)] {
            let (before, after) = (
                with("a/b:1", key, &old),
                with("R/docker-hub/a/b:1", key, &new),
            );
            assert_eq!(found(&before, &after).1.len(), count, "{key}");
        }
        let after = "image: R/docker-hub/a/b:1\nchecksum: abcdef6788";
        assert_eq!(found(before, after), (1, vec![]));
        let map = |image: &str, hash: &str| {
            format!(
                "kind: ConfigMap\nmetadata: {{name: a-{hash}}}\ndata: {{x: '{image}'}}\n---\nkind: Pod\nmetadata: {{name: p}}\nspec: {{from: a-{hash}}}\n"
            )
        };
        let (old, new) = ("0123456789", "abcdefghij");
        let before = map("quay.io/a/b:1", old);
        assert_eq!(found(&before, &map("R/quay/a/b:1", new)), (1, vec![]));
    }

    #[test]
    fn values_may_be_halves_and_allow_images() {
        let release = |values: &str| format!("kind: HelmRelease\nspec: {{values: {values}}}\n");
        let fine = |before: &str, after: &str| {
            let found = compared(&release(before), &release(after), None);
            assert_eq!(found.differences, [], "{before} -> {after}");
        };
        fine("{repository: a/b}", "{repository: docker-hub/a/b}");
        fine(
            "{imageRegistry: docker.io}",
            &format!("{{imageRegistry: {R}}}"),
        );
        fine(
            "{x: 1}",
            "{x: 1, global: {security: {allowInsecureImages: true}}}",
        );
        let pod = |repository: &str| format!("kind: Pod\nspec: {{repository: {repository}}}\n");
        assert_eq!(found(&pod("a/b"), &pod("docker-hub/a/b")).1.len(), 1);
    }

    #[test]
    fn a_registry_may_be_filled_in_later() {
        let host = "${AWS_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com";
        let rules = RuleSet::new(Some(EcrHost::parse(host).unwrap()), default_rules()).0;
        let rules = [Arc::new(rules)];
        let fine = Fine {
            rules: &rules,
            heals: false,
        };
        let pod = |image: &str| format!("image: \"{image}\"\nargs: [\"--x={image}\"]\n");
        let after = pod(&format!("{host}/quay/a/b:1"));
        let found = compare(&pod("quay.io/a/b:1"), &after, None, fine);
        assert_eq!((found.changed.len(), found.differences), (1, vec![]));
        let found = compare(
            &pod("quay.io/a/b:1"),
            &after.replace(":1", ":2"),
            None,
            fine,
        );
        assert_eq!(found.differences.len(), 2);
    }

    #[test]
    fn secrets_are_looked_into() {
        // `image: quay.io/a/b:1` and what it becomes.
        let secret = |data: &str| format!("kind: Secret\ndata: {{x: {data}}}\n");
        let before = secret("aW1hZ2U6IHF1YXkuaW8vYS9iOjE=");
        let after = secret(
            "aW1hZ2U6IDEyMzQ1Njc4OTAxMi5ka3IuZWNyLmV1LXdlc3QtMS5hbWF6b25hd3MuY29tL3F1YXkvYS9iOjE=",
        );
        assert_eq!(found(&before, &after), (1, vec![]));
        assert_eq!(found(&before, &secret("aW1hZ2U6IHg=")).1.len(), 1);
    }

    #[test]
    fn what_is_something_else_each_time_is_left_out() {
        let text = |word: &str, rest: &str| format!("kind: A\na: {word} {rest}\n");
        let found = compared(&text("x1", "y"), &text("x2", "y"), Some(&text("x3", "y")));
        assert_eq!((found.unstable, found.differences.len()), (1, 0));
        let found = compared(&text("x1", "y"), &text("x2", "z"), Some(&text("x3", "y")));
        assert_eq!(found.differences.len(), 1);
        let found = compared(&text("x1", "y"), &text("x2", "y"), Some(&text("x1", "y")));
        assert_eq!((found.unstable, found.differences.len()), (0, 1));
    }
}
