//! What keys and texts alone tell of fields of kinds that nobody knows: tables, and questions to them.

use super::super::values::{is_image_key, is_picture, is_source};
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
/// Words with which keys begin that name what is pushed: `output_image`, `destinationImage`.
const PUSHED: &[&str] = &[
    "output",
    "push",
    "pushed",
    "publish",
    "target",
    "dest",
    "destination",
    "built",
    "result",
];
/// What kinds that describe others say of a text.
const TYPES: &[&str] = &["string", "integer", "boolean", "object"];
/// Keys of maps in which `image` is one of a machine, a disk or a picture, or one that is pushed.
const NO_PARENTS: &[&str] = &[
    "ami",
    "boot",
    "bootVolume",
    "cloudProviderSpec",
    "dest",
    "destination",
    "instanceTemplate",
    "nodePool",
    "os",
    "output",
    "push",
    "rootVolume",
    "target",
    "to",
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
    is_image_key(key) && !NO_IMAGES.contains(&key) && !is_pushed(key)
}

fn is_pushed(key: &str) -> bool {
    let pushed = PUSHED.iter().find_map(|word| key.strip_prefix(word));
    pushed.is_some_and(|rest| rest.starts_with(['_', '-']) || rest.starts_with(char::is_uppercase))
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
    !is_image_key(key)
        && !NO_IMAGES
            .iter()
            .any(|other| other.eq_ignore_ascii_case(key))
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
