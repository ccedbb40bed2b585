//! Places in objects: what their keys say of the texts that stand there.

use serde_json::{Map, Value};

use super::Difference;
use super::objects::Parsed;
use super::words::shortened;
use crate::helm::ALLOWS_INSECURE;
use crate::sites::key_words;

/// Keys of maps whose texts are no images, whatever their own keys are.
const LABELS: &[&str] = &["labels", "matchLabels", "selector", "nodeSelector"];
/// Keys whose texts are what objects are known by, or say what they are.
const NAMING: &[&str] = &[
    "apiVersion",
    "generateName",
    "kind",
    "namespace",
    "schedulerName",
    "secretName",
    "serviceAccount",
    "serviceAccountName",
];
/// The key of an object's own data.
const METADATA: &str = "metadata";
/// Words of keys that hold images, and those beside which they do not.
const IMAGES: &[&str] = &["image", "images"];
const NO_IMAGES: &[&str] = &[
    "class", "digest", "id", "pull", "policy", "registry", "secret", "secrets", "sha", "size",
    "tag", "tags", "type", "version",
];
/// Words of keys that hold what names begin with.
const BEGINNINGS: &[&str] = &["hub", "mirror", "prefix", "registry", "repo"];
/// Keys of a map about an image that name it.
const OWN_NAMES: &[&str] = &["name", "newName", "repo", "repository"];
/// Keys beside a `repository` that show it to be that of an image.
const BESIDE: &[&str] = &["digest", "pullPolicy", "registry", "tag"];
/// Words of keys that hold what is computed of something.
const COMPUTED: &[&str] = &["checksum", "hash", "md5", "sha", "sha1", "sha256", "sha512"];
/// Kinds of objects that hold layers of values, of which another object may say the rest.
const VALUES: &[&str] = &[
    "Application",
    "ApplicationSet",
    "ConfigMap",
    "HelmChart",
    "HelmChartConfig",
    "HelmRelease",
    "Secret",
];
/// How a place within a text is told.
pub(super) const TEXT: &str = "(text)";
pub(super) const DECODED: &str = "(decoded)";

/// Where in an object.
pub(super) struct Place {
    pub(super) object: String,
    pub(super) kind: String,
    /// Which of the objects it is.
    pub(super) number: usize,
    pub(super) keys: Vec<String>,
    /// How many texts hold each other on the way.
    pub(super) depth: usize,
    /// Whether the map around is one about an image: a `repository` in it is no other.
    pub(super) is_about_image: bool,
}

impl Place {
    pub(super) fn of(object: Option<&Parsed<'_>>, number: usize) -> Self {
        Self {
            object: object.map_or(String::new(), |object| object.name.clone()),
            kind: object.map_or(String::new(), |object| object.kind.clone()),
            number,
            keys: Vec::new(),
            depth: 0,
            is_about_image: false,
        }
    }

    pub(super) fn within(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.keys.push(key.to_string());
        self.depth += 1;
        look(self);
        self.depth -= 1;
        self.keys.pop();
    }

    pub(super) fn difference(
        &self,
        before: Option<&str>,
        after: Option<&str>,
        why: &'static str,
    ) -> Difference {
        Difference {
            object: self.object.clone(),
            at: self.keys.join("."),
            before: before.map(shortened),
            after: after.map(shortened),
            why,
        }
    }

    /// The keys of maps from the last one up, without the places of lists.
    fn names(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().rev().map(String::as_str);
        keys.filter(|key| key.parse::<usize>().is_err())
    }

    /// The key of the map that holds the text, or the list with it.
    pub(super) fn key(&self) -> &str {
        self.names().next().unwrap_or("")
    }

    /// Whether the keys say that an image stands here, so that a bare word is one.
    pub(super) fn is_image(&self) -> bool {
        let mut names = self.names();
        let (last, above) = (names.next().unwrap_or(""), names.next().unwrap_or(""));
        let is_named = OWN_NAMES.contains(&last) && names_image(above);
        // What a list of images calls them, one by one.
        let is_listed = above == "images";
        let is_repository = last == "repository" && self.is_about_image;
        names_image(last) || is_named || is_repository || is_listed && !is_other(last)
    }

    /// Whether the key says that several names begin with what stands here.
    pub(super) fn is_beginning(&self) -> bool {
        let mut words = key_words(self.key());
        words.any(|word| BEGINNINGS.contains(&word.as_str()))
    }

    /// Whether what stands here may be no image, whatever it looks like.
    pub(super) fn is_never_image(&self) -> bool {
        let mut names = self.names();
        let (last, above) = (names.next().unwrap_or(""), names.next().unwrap_or(""));
        let is_name = last == "name" && above == METADATA;
        let is_secret = |key: &str| {
            let words: Vec<String> = key_words(key).collect();
            let has = |word: &str| words.iter().any(|known| known == word);
            has("pull") && (has("secret") || has("secrets"))
        };
        let is_label = self.keys.iter().any(|key| LABELS.contains(&key.as_str()));
        is_name || is_label || NAMING.contains(&last) || is_secret(last) || is_secret(above)
    }

    /// Whether values stand here, which are merged with others.
    pub(super) fn holds_values(&self) -> bool {
        VALUES.contains(&self.kind.as_str())
    }

    /// Whether keys that are new here may be the one that lets Bitnami's charts render with other images:
    /// how many of its keys stand around this map already. Values begin where an object that hands them on
    /// to Helm says, or where a text of a config map does.
    pub(super) fn allowance(&self) -> Option<&'static [&'static str]> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let below = match (self.kind.as_str(), keys.as_slice()) {
            ("HelmRelease", ["spec", "values", rest @ ..])
            | ("HelmChart" | "HelmChartConfig", ["spec", "valuesContent", TEXT, "0", rest @ ..])
            | ("ConfigMap", ["data", _, TEXT, "0", rest @ ..])
            | (
                "Secret",
                ["stringData", _, TEXT, "0", rest @ ..]
                | ["data", _, DECODED, TEXT, "0", rest @ ..],
            ) => rest,
            ("Application" | "ApplicationSet", keys) => {
                let helm = keys.iter().rposition(|key| *key == "helm")?;
                match &keys[helm + 1..] {
                    ["valuesObject", rest @ ..] | ["values", TEXT, "0", rest @ ..] => rest,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let left = ALLOWS_INSECURE.get(below.len()..)?;
        ALLOWS_INSECURE.starts_with(below).then_some(left)
    }

    /// Whether what stands here is the digest of an image.
    pub(super) fn is_digest(&self) -> bool {
        self.key().to_ascii_lowercase().ends_with("digest")
    }

    /// Whether what stands here is computed of something.
    pub(super) fn is_computed(&self) -> bool {
        key_words(self.key()).any(|word| COMPUTED.contains(&word.as_str()))
    }
}

/// Whether a key says that an image, or images, stand under it.
fn names_image(key: &str) -> bool {
    key_words(key).any(|word| IMAGES.contains(&word.as_str())) && !is_other(key)
}

/// Whether a key says that something about an image stands under it.
fn is_other(key: &str) -> bool {
    key_words(key).any(|word| NO_IMAGES.contains(&word.as_str()))
}

/// Whether a map is one about an image.
pub(super) fn is_about_image(map: &Map<String, Value>) -> bool {
    BESIDE.iter().any(|key| map.contains_key(*key))
}

/// A key for people; that of an environment variable's value says of which.
pub(super) fn told(key: &str, beside: &Map<String, Value>) -> String {
    let name = beside.get("name").and_then(Value::as_str);
    match name.filter(|_| key == "value") {
        Some(name) => format!("{key} of {name}"),
        None => key.to_string(),
    }
}
