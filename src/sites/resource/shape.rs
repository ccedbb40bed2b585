//! What keys and texts alone tell of fields of kinds that nobody knows: tables, and questions to them.

use super::super::front::words;
use super::super::purpose::Purpose;
use super::super::values::{is_full, is_image_key, is_picture, is_source};
use crate::image::ImageRef;

/// Keys that are named like an image's and hold something else.
const NO_IMAGES: &[&str] = &[
    "backgroundImage",
    "baseDiskImage",
    "builtImage",
    "cloudImage",
    "coverImage",
    "goldenImage",
    "heroImage",
    "iconImage",
    "imageImage",
    "isoImage",
    "logoImage",
    "previewImage",
    "rbdImage",
    "socialImage",
    "sourceImage",
];
/// Keys with the word that never hold a reference that is pulled: addresses, and what a node reports.
const NO_WHOLES: &[&str] = &["imageurl", "image_url", "imageid", "image_id"];
/// Keys beside an image that say that it is built from them.
const RECIPES: &[&str] = &[
    "containerfile",
    "containerfilepath",
    "dockerfile",
    "dockerfilepath",
    "dockerfile_path",
];
/// Keys beside an image that say that it may be built, and much else.
const PERHAPS_RECIPES: &[&str] = &["build", "buildargs", "buildcontext", "context"];
/// Groups of pipelines, and the keys below which they hold what is handed to other things.
const PIPELINES: &[&str] = &["argoproj.io", "tekton.dev", "triggers.tekton.dev"];
const HANDED: &[&str] = &["matrix", "parameters", "params", "withItems", "withParam"];
/// Keys of maps with what a controller fetches itself, with secrets of its own. Source: kapp-controller.
const FETCHED: &[&str] = &["imgpkgBundle"];
/// What kinds that describe others say of a text.
const TYPES: &[&str] = &["string", "integer", "boolean", "object"];
/// Keys of maps in which `image` is one of a machine, a disk or a picture.
const NO_PARENTS: &[&str] = &[
    "ami",
    "boot",
    "bootVolume",
    "cloudProviderSpec",
    "instanceTemplate",
    "nodePool",
    "os",
    "rootVolume",
    "vm",
    "bootDisk",
    "disk",
    "disks",
    "icon",
    "icons",
    "logo",
    "machine",
    "machineTemplate",
    "nodePools",
    "osDisk",
    "rbd",
    "rootDisk",
    "storageProfile",
];
/// Words in keys of maps whose repository is one of charts, of source code or of anything else.
const NO_IMAGE_MAPS: &[&str] = &[
    "artifact",
    "backup",
    "bundle",
    "chart",
    "charts",
    "git",
    "helm",
    "module",
    "oci",
    "package",
    "plugin",
    "policy",
    "repo",
    "repository",
    "restore",
    "source",
    "storage",
    "wasm",
];
/// Keys of maps that belong to other finders, or that describe what may stand elsewhere.
const OTHERS: &[&str] = &[
    "annotations",
    "labels",
    "matchLabels",
    "specDescriptors",
    "statusDescriptors",
    "helmValues",
    "managedFields",
    "openAPIV3Schema",
    "valuesInline",
    "valuesObject",
    "values",
];

/// What a text under the key of an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// An image.
    Image,
    /// An image, or a name of anything else.
    Word,
    /// No image.
    Other,
}

/// Whether the value of this key may be an image, or the parts of one.
pub(super) fn is_image(key: &str) -> bool {
    is_image_key(key) && !NO_IMAGES.contains(&key)
}

/// Whether the last of these keys may be an image's, where it stands.
pub(super) fn may_be_image(keys: &[&str]) -> bool {
    match keys {
        [.., above, key] => is_image(key) && !NO_PARENTS.contains(above),
        [key] => is_image(key),
        [] => false,
    }
}

/// Whether a key that has the word of an image somewhere is none of those that hold something else.
pub(super) fn may_be_whole(key: &str) -> bool {
    let mut others = NO_IMAGES.iter().chain(NO_WHOLES);
    !is_image_key(key) && !others.any(|other| other.eq_ignore_ascii_case(key))
}

/// What a key beside an image says of its being built.
pub(super) fn built_beside(key: &str) -> Purpose {
    let key = key.to_ascii_lowercase();
    if RECIPES.contains(&key.as_str()) {
        Purpose::Pushed
    } else if PERHAPS_RECIPES.contains(&key.as_str()) {
        Purpose::Open
    } else {
        Purpose::Pulled
    }
}

/// Whether a text may be an image of which nothing but a word in its keys tells.
pub(super) fn may_be_loose(keys: &[&str], text: &str) -> bool {
    let [above @ .., key] = keys else {
        return false;
    };
    let is_out = above
        .first()
        .is_none_or(|key| matches!(*key, "status" | "metadata"))
        || keys
            .iter()
            .any(|key| is_of_others(key) || NO_PARENTS.contains(key))
        || !is_image_key(key) && !may_be_whole(key)
        || is_image_key(key) && NO_IMAGES.contains(key)
        || is_of_end(key);
    if is_out || read(text) != Text::Image || is_filled(text) {
        return false;
    }
    let mut near = keys.iter().rev().take(2);
    let mut listed = keys.iter().rev().take(3);
    let is_named =
        near.any(|key| words(key).any(|word| word.ends_with("image") || word.ends_with("images")));
    let is_listed = listed.any(|key| key.ends_with("images") || key.ends_with("Images"));
    is_named && is_full(text)
        || is_listed && ImageRef::parse(text).is_ok_and(|image| image.tag().is_some())
}

/// Whether a key holds what follows a name.
fn is_of_end(key: &str) -> bool {
    let last = words(key).last().unwrap_or_default();
    matches!(
        last.as_str(),
        "tag" | "digest" | "version" | "hash" | "sha" | "policy" | "secret"
    )
}

/// Whether something in an object of this group is handed to what nobody knows here, or is fetched with
/// means of its own.
pub(super) fn is_handed(group: &str, keys: &[&str]) -> bool {
    let is_pipeline = PIPELINES.contains(&group) && keys.iter().any(|key| HANDED.contains(key));
    is_pipeline || keys.iter().any(|key| FETCHED.contains(key))
}

/// Whether a map of this name holds a repository of something else: of charts, of source code.
pub(super) fn is_no_image_map(key: &str) -> bool {
    let mut words = words(key);
    words.any(|word| NO_IMAGE_MAPS.contains(&word.as_str()))
}

/// Whether what stands below this key is not looked at by shape.
pub(super) fn is_of_others(key: &str) -> bool {
    OTHERS.contains(&key)
}

/// What a text under the key of an image is, in a kind that nobody knows.
pub(super) fn read(text: &str) -> Text {
    if text.contains("://") || is_picture(text) || is_source(text) {
        return Text::Other;
    }
    if is_filled(text) {
        return Text::Image;
    }
    if TYPES.contains(&text) {
        return Text::Other;
    }
    let Ok(image) = ImageRef::parse(text) else {
        return Text::Other;
    };
    let is_named = image.registry().is_some() || image.tag().is_some() || image.digest().is_some();
    if is_named { Text::Image } else { Text::Word }
}

/// Whether a text has something in it that is filled in elsewhere.
pub(super) fn is_filled(text: &str) -> bool {
    ["{{", "{%", "${", "$("]
        .iter()
        .any(|open| text.contains(open))
        || text.starts_with('$')
}

/// Whether a text begins with the host of a registry, known or not.
pub(super) fn names_host(text: &str) -> bool {
    let first = text.split_once('/').map_or("", |(first, _)| first);
    first.contains(['.', ':']) || first == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_tell_what_they_are() {
        for (text, wanted) in [
            ("quay.io/a/b", Text::Image),
            ("registry.example.com/a/b", Text::Image),
            ("nginx:1.27", Text::Image),
            ("acme/app:1", Text::Image),
            ("acme/app", Text::Word),
            ("debian-11", Text::Word),
            ("${IMAGE}", Text::Image),
            ("{{ .Values.image }}", Text::Image),
            ("https://example.com/a.qcow2", Text::Other),
            ("docker://nginx:1", Text::Other),
            ("mdi:home", Text::Other),
            ("/img/logo.png", Text::Other),
            ("Canonical:UbuntuServer:18.04-LTS:latest", Text::Other),
            ("github.com/acme/app", Text::Other),
            ("alpine:invalid!", Text::Other),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
    }
}
