//! The walk through two objects: maps, lists, texts, and the documents in texts.

use serde_json::{Map, Value};

use super::halves::{Half, is_front};
use super::objects::objects;
use super::place::{DECODED, Place, TEXT, is_about_image, told};
use super::unstable::decoded;
use super::words::{self, NO_IMAGE, Words, have_same_gaps, is_planned, what_is_wrong};
use super::{Comparison, GONE, NEW};
use crate::helm::template::read_yaml;
use crate::image::{self, ImageRef};
use crate::yaml::comments;

/// Texts in texts in texts: deeper ones are compared word by word.
const MAX_DEPTH: usize = 4;
/// The keys of one map that make a name together, in the order in which they are joined.
const WHOLES: &[&[&str]] = &[
    &["registry", "repository", "image"],
    &["registry", "repository", "name"],
    &["registry", "repository"],
    &["registry", "image"],
    &["registry", "name"],
    &["registry", "repo"],
    &["hub", "repository"],
    &["hub", "image"],
    &["hub", "name"],
    &["repository", "image"],
    &["repository", "name"],
];
/// Those of them that a name may begin with, without which it has none.
const FIRSTS: &[&str] = &["registry", "hub"];
/// What kustomize calls an image from now on, and where.
const NEW_NAME: &str = "newName";
const IMAGES: &str = "images";

impl Comparison<'_> {
    pub(super) fn node(&mut self, place: &mut Place, old: &Value, new: &Value) {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Object(old), Value::Object(new)) => self.map(place, old, new),
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    place.keys.push(index.to_string());
                    self.node(place, old, new);
                    place.keys.pop();
                }
            }
            (Value::String(old), Value::String(new)) => self.text(place, old, new),
            (old, new) => {
                let (old, new) = (old.to_string(), new.to_string());
                self.differs(place, Some(&old), Some(&new), NO_IMAGE);
            }
        }
    }

    fn map(&mut self, place: &mut Place, old: &Map<String, Value>, new: &Map<String, Value>) {
        let parts = if place.is_never_image() {
            Vec::new()
        } else {
            self.parts(place, old, new)
        };
        let around = place.is_about_image;
        for (key, value) in old {
            if parts.contains(&key.as_str()) {
                continue;
            }
            place.is_about_image = is_about_image(old);
            place.keys.push(told(key, old));
            match new.get(key) {
                Some(other) => self.node(place, value, other),
                None => self.differs(place, Some(&text_of(value)), None, GONE),
            }
            place.keys.pop();
        }
        place.is_about_image = around;
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            if parts.contains(&key.as_str()) || self.may_be_added(place, key, value, old) {
                continue;
            }
            place.keys.push(key.clone());
            self.differs(place, None, Some(&text_of(value)), NEW);
            place.keys.pop();
        }
    }

    /// The keys of a map that hold the parts of one name which changed. What they make together decides:
    /// no part of it is looked at alone.
    fn parts(
        &mut self,
        place: &mut Place,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Vec<&'static str> {
        let is_changed = |key: &&str| old.get(*key) != new.get(*key);
        let mut wrong = None;
        for keys in WHOLES {
            let changed: Vec<&str> = keys.iter().copied().filter(|key| is_changed(key)).collect();
            if changed.is_empty() || !may_be_parts(place, keys, old, new) {
                continue;
            }
            let (Some(before), Some(after)) = (joined(old, keys), joined(new, keys)) else {
                continue;
            };
            if is_planned(&before, &after, self.rules) {
                let is_added =
                    |key: &&&str| text_at(old, key).is_none() && text_at(new, key).is_some();
                self.added += keys.iter().filter(is_added).count();
                self.found.changed.insert((before, after));
                return keys.to_vec();
            }
            // A name with a registry of its own is not joined to another one, and what makes no name together
            // has nothing to do with each other.
            let is_whole = |key: &&str| text_at(old, key).is_some_and(image::begins_with_host);
            let is_joined = !changed.iter().all(|key| is_whole(key) && *key != keys[0]);
            if is_joined && ImageRef::parse(&before).is_ok() {
                wrong = wrong.or(Some((keys, before, after)));
            }
        }
        let Some((keys, before, after)) = wrong else {
            return Vec::new();
        };
        let last = keys.last().copied().unwrap_or_default();
        place.keys.push(last.to_string());
        let why = what_is_wrong(&before, &after, true);
        self.differs(place, Some(&before), Some(&after), why);
        place.keys.pop();
        keys.to_vec()
    }

    /// Whether a rewrite adds such a key.
    fn may_be_added(
        &mut self,
        place: &Place,
        key: &str,
        value: &Value,
        beside: &Map<String, Value>,
    ) -> bool {
        if key == NEW_NAME && place.key() == IMAGES {
            let (Some(name), Some(value)) = (text_at(beside, "name"), value.as_str()) else {
                return false;
            };
            let is_planned = is_planned(name, value, self.rules);
            if is_planned {
                self.added += 1;
                self.found.changed.insert((name.into(), value.into()));
            }
            return is_planned;
        }
        let Some([first, rest @ ..]) = place.allowance() else {
            return false;
        };
        let mut at = value;
        for step in rest {
            match at.as_object().filter(|map| map.len() == 1) {
                Some(map) => at = map.get(*step).unwrap_or(&Value::Null),
                None => return false,
            }
        }
        let is_allowance = key == *first && at == &Value::Bool(true);
        self.added += usize::from(is_allowance);
        is_allowance
    }

    fn text(&mut self, place: &mut Place, old: &str, new: &str) {
        if self.renamed.contains(&(old.to_string(), new.to_string())) {
            self.found.derived += 1;
            return;
        }
        if place.is_never_image() {
            return self.differs(place, Some(old), Some(new), NO_IMAGE);
        }
        let is_sure = place.is_image();
        let why = || what_is_wrong(old, new, is_sure);
        let words = Words {
            old,
            new,
            is_sure,
            begins: place.is_beginning(),
        };
        if let Some(changed) = words.planned(self.rules) {
            self.found.changed.extend(changed);
        } else if is_sure && self.heals && self.is_healed(old, new) {
            self.found.healed.insert((old.into(), new.into()));
        } else if let Some(half) = Half::of(place, old, new, self.rules, why()) {
            self.halves.push(half);
        } else if self.inside(place, old, new) {
        } else if is_checksum(old) && is_checksum(new) && old.len() == new.len() {
            let difference = place.difference(Some(old), Some(new), NO_IMAGE);
            if place.is_computed() || is_sha256(old) && !place.is_digest() {
                self.checksums.push(difference);
            } else {
                self.add(difference);
            }
        } else {
            self.differs(place, Some(old), Some(new), why());
        }
    }

    /// Whether an image in ECR stays where it is, with another tag or digest.
    fn is_healed(&self, old: &str, new: &str) -> bool {
        let [old, new] = [old, new].map(ImageRef::parse);
        let (Ok(old), Ok(new)) = (old, new) else {
            return false;
        };
        let is_same = old.registry() == new.registry() && old.repository() == new.repository();
        is_same
            && old
                .registry()
                .is_some_and(|host| is_front(host, self.rules))
    }

    /// Compares texts that are documents themselves; whether they are.
    fn inside(&mut self, place: &mut Place, old: &str, new: &str) -> bool {
        if place.depth >= MAX_DEPTH {
            return false;
        }
        let is_data = place.kind == "Secret" && place.keys.first().is_some_and(|key| key == "data");
        let decoded = |text: &str| is_data.then(|| decoded(text))?;
        if let (0, Some(old), Some(new)) = (place.depth, decoded(old), decoded(new)) {
            place.within(DECODED, |place| self.text(place, &old, &new));
            return true;
        }
        let (Some(old_documents), Some(new_documents)) = (documents(old), documents(new)) else {
            return false;
        };
        let (old_documents, new_documents) =
            (Value::Array(old_documents), Value::Array(new_documents));
        place.within(TEXT, |place| {
            let (added, differences) = (self.added, self.found.differences.len());
            self.comments(place, old, new);
            self.node(place, &old_documents, &new_documents);
            // Blanks and the like count in a text: they stay, unless something is new in it.
            let is_fine = self.added > added || self.found.differences.len() > differences;
            if !is_fine && !have_same_gaps(old, new) {
                self.differs(place, Some(old), Some(new), NO_IMAGE);
            }
        });
        true
    }

    /// Compares the comments of two texts: no rewrite touches them.
    pub(super) fn comments(&mut self, place: &Place, old: &str, new: &str) {
        let all = |text: &str| -> Vec<String> {
            let spans = comments(text).into_iter();
            let texts = spans.filter_map(|span| span.of(text).map(str::to_string));
            texts.collect()
        };
        if old == new || !(old.contains('#') || new.contains('#')) {
            return;
        }
        let (old, new) = (all(old), all(new));
        let is_computed = old.len() == new.len()
            && old
                .iter()
                .zip(&new)
                .all(|(old, new)| words::differ_in_words(old, new, is_sha256));
        if old != new && is_computed {
            let difference =
                place.difference(old.first().map(String::as_str), None, words::COMMENT);
            self.checksums.push(difference);
        } else if old != new {
            let differ = old.iter().zip(&new).find(|(old, new)| old != new);
            let (old, new) = differ.map_or(
                (old.len().to_string(), new.len().to_string()),
                |(old, new)| (old.clone(), new.clone()),
            );
            self.differs(place, Some(&old), Some(&new), words::COMMENT);
        }
    }
}

/// Whether each of the keys stands in both maps, with a text; a registry may be new where values are.
fn may_be_parts(
    place: &Place,
    keys: &[&str],
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> bool {
    let is_text = |map: &Map<String, Value>, key: &str| {
        map.get(key)
            .is_some_and(|value| value.is_string() || value.is_null())
    };
    keys.iter().all(|key| {
        let is_first = FIRSTS.contains(key);
        let (before, after) = (text_at(old, key), text_at(new, key));
        let is_added = is_first && !old.contains_key(*key) && place.holds_values();
        let is_emptied = before.is_some() && after.is_none();
        (is_text(old, key) || is_added)
            && is_text(new, key)
            && !is_emptied
            && (is_first || before.is_some())
    })
}

/// A text of a map that is not empty.
fn text_at<'m>(map: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    map.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The name that a map says in parts.
fn joined(map: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let parts = keys.iter().filter_map(|key| text_at(map, key));
    let parts: Vec<&str> = parts.map(|part| part.trim_end_matches('/')).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The documents that a text holds, when it holds some.
fn documents(text: &str) -> Option<Vec<Value>> {
    let trimmed = text.trim_start();
    let is_json = trimmed.starts_with(['{', '[']);
    let is_yaml = text.contains(':');
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

/// How many hexadecimal digits the usual checksums have at least.
const MIN_CHECKSUM: usize = 8;

fn is_checksum(text: &str) -> bool {
    text.len() >= MIN_CHECKSUM && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is a SHA-256, in hexadecimal digits: charts put that of their values into names and
/// texts. The digests of images have `sha256:` in front.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_checksum(text)
}
