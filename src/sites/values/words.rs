//! The words by which keys and texts of Helm values tell what they are: tables, and questions to them.

use super::super::front::words;
use super::super::parts::Step;
use super::super::purpose;
use crate::image::{self, ImageRef};
use crate::rules::{ecr_host, upstreams};

/// Keys that may hold a repository in the map that a key `registry` would stand in. The first that
/// is there counts. The others ask for more evidence.
pub(super) const REPOSITORY_KEYS: &[&str] = &["repository", "repo", "image", "name"];
/// The ends of keys that hold the repository of what the rest of the key names (kubespray's
/// `calico_node_image_repo`).
pub(super) const REPOSITORY_ENDS: &[&str] = &["Repository", "_repository", "Repo", "_repo"];
/// The end of keys that hold a whole reference (the runner controller's `dindSidecarRepositoryAndTag`).
pub(super) const REFERENCE_END: &str = "RepositoryAndTag";
/// Keys beside a `repository` that show that an image is meant.
pub(super) const EVIDENCE: &[&str] = &[
    "registry",
    "tag",
    "digest",
    "sha",
    "pullPolicy",
    "imagePullPolicy",
];
/// Keys that hold a tag.
pub(super) const TAG_KEYS: &[&str] = &["tag", "imageTag", "image_tag", "version"];
/// Keys that hold a digest (grafana's `sha` without its algorithm).
pub(super) const DIGEST_KEYS: &[&str] = &["digest", "imageDigest", "image_digest", "sha"];
/// Keys of registries or longer beginnings that charts put in front of other names.
pub(super) const BEGINNINGS: &[&str] = &[
    "hub",
    "containerRegistry",
    "dockerRegistry",
    "defaultRegistry",
];
/// Keys that may hold a registry where a key of [`NAMES`] holds the rest.
pub(super) const HOSTS: &[&str] = &["repository", "repo"];
/// Keys that hold the rest of a name whose registry stands under one of [`HOSTS`].
pub(super) const NAMES: &[&str] = &["image", "name", "path"];
/// Words of artefacts that are no images of containers: bundles of policies, databases.
const ARTEFACTS: &[&str] = &["bundle", "bundles", "checks", "policies"];
/// Ends of the names of such artefacts.
const ARTEFACT_ENDS: &[&str] = &[
    "-bundle",
    "-checks",
    "-policies",
    "trivy-db",
    "trivy-java-db",
];
/// Keys beside which a registry is an address to log in to.
const LOGIN_KEYS: &[&str] = &[
    "username",
    "password",
    "user",
    "pass",
    "passwd",
    "email",
    "auth",
    "token",
    "dockerconfigjson",
    "enableOCI",
];
/// Words in keys below which a registry is an address to log in to, or stands in a policy.
const LOGIN_WORDS: &[&str] = &[
    "secret",
    "credential",
    "creds",
    "regcred",
    "auth",
    "login",
    "mirror",
    "verifyimages",
    "policy",
    "policies",
    "restrict",
];
/// Keys of maps that hold charts, manifests or signatures, to which images are pushed, or between
/// which they are copied.
const NO_PULLS: &[&str] = &[
    "chart",
    "helmChart",
    "helm_chart",
    "helm",
    "ociRepository",
    "dependencies",
    "verifyImages",
    "source",
    "destination",
    "dest",
    "target",
    "push",
    "output",
    "upstream",
    "from",
    "to",
];
/// Keys that end like an image's and name something else.
const NO_IMAGES: &[&str] = &[
    "backingImage",
    "osImage",
    "vmImage",
    "machineImage",
    "diskImage",
    "bootImage",
    "backgroundImage",
    "outputImage",
    "pushImage",
    "targetImage",
    "destinationImage",
];
/// What follows the word in keys of parts of names.
const PARTS: &[&str] = &["Pull", "Registry", "Repo", "Name", "Tag", "Digest"];
/// Ends of file names that stand under `image` in web pages and virtual machines.
const FILE_SUFFIXES: &[&str] = &[
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".qcow2", ".iso", ".img", ".raw",
];
/// Sets of icons and stylesheets, which are written like a name with a tag (`mdi:home`).
const ICON_SETS: &[&str] = &[
    "mdi", "si", "fa", "fas", "fab", "far", "hl", "css", "asset", "icon", "lucide", "tabler",
];
/// Hosts of source code, which stand under `repository`, too.
const GIT_HOSTS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];
/// Namespaces that hold charts.
const CHART_NAMESPACES: &[&str] = &["charts", "bitnamicharts", "helm-charts"];
/// Keys at the root of files that are no Helm values, whatever maps they hold: API descriptions,
/// schemas, pipelines and image builders. Files that are named like values are asked for the first
/// ones only.
pub(super) const SCHEMAS: &[&str] = &["$schema", "$defs", "openapi", "swagger"];
pub(super) const PIPELINES: &[&str] = &[
    "builders",
    "post-processors",
    "triggers",
    "resource_types",
    "jobs",
    "stages",
    "pipelines",
    "workflows",
];

/// Whether the value of a key of this name may be an image.
pub(in super::super) fn is_image_key(key: &str) -> bool {
    let ends = ["Image", "_image", "-image"]
        .iter()
        .any(|end| key.ends_with(end));
    (key == "image" || ends) && !NO_IMAGES.contains(&key)
}

/// Whether a key of this name holds the name of an image, or of anything else that has one.
pub(in super::super) fn is_image_name(key: &str) -> bool {
    matches!(key, "imageName" | "image_name")
}

/// Whether a map at this place is called an image, or one of the images.
pub fn is_image_map(at: &[Step]) -> bool {
    let mut keys = keys(at);
    let (last, above) = (keys.next().unwrap_or(""), keys.next().unwrap_or(""));
    is_image_key(last)
        || [last, above]
            .iter()
            .any(|key| *key == "images" || key.ends_with("Images"))
}

/// Whether the map at this place, or a key of it, says that an image is what a build pushes.
pub(super) fn is_pushed(at: &[Step], key: &str) -> bool {
    purpose::is_pushed(key) || keys(at).next().is_some_and(purpose::is_pushed)
}

/// Whether a full reference at this place names an image that is pulled, as far as its key and the one above
/// say: nothing in them speaks against it.
pub(super) fn is_about_images(at: &[Step]) -> bool {
    let is_image = |key: &str| key.to_ascii_lowercase().contains("image");
    let is_other = |key: &str| {
        let mut others = NO_IMAGES.iter().chain(NO_PULLS);
        others.any(|other| other.eq_ignore_ascii_case(key)) || purpose::is_of_policy(key)
    };
    keys(at).take(2).any(is_image) && !keys(at).any(is_other)
}

/// Whether what stands at this place may be an artefact that is no image of a container.
pub(super) fn is_artefact(at: &[Step], key: &str, text: &str) -> bool {
    let is_word = |word: String| ARTEFACTS.contains(&word.as_str());
    let above = keys(at).next().unwrap_or("");
    words(above).chain(words(key)).any(is_word)
        || ARTEFACT_ENDS.iter().any(|end| text.ends_with(end))
}

/// Whether every text in the map at this place is one of the images.
pub(super) fn is_list_of_images(at: &[Step]) -> bool {
    keys(at).next() == Some("images")
}

/// Whether a map at this place says something of every image of a chart, and of which: the path of
/// that chart's values.
pub(super) fn is_global_place<'s>(at: &'s [Step], key: &str) -> Option<&'s [Step]> {
    let is = |step: &Step, name: &str| matches!(step, Step::Key(key) if key == name);
    match at {
        [chart @ .., global] if is(global, "global") => {
            matches!(key, "imageRegistry" | "registry").then_some(chart)
        }
        [chart @ .., global, image] if is(global, "global") && is(image, "image") => {
            (key == "registry").then_some(chart)
        }
        _ => None,
    }
}

/// Whether a registry at this place is one to log in to, or is named by a policy.
pub(super) fn is_login<'k>(at: &[Step], mut siblings: impl Iterator<Item = &'k str>) -> bool {
    let word = |key: &str| {
        let key = key.to_ascii_lowercase();
        LOGIN_WORDS.iter().any(|word| key.contains(word))
    };
    keys(at).any(word) || is_no_pull(at) || siblings.any(|key| LOGIN_KEYS.contains(&key))
}

/// Whether the map at this place names nothing that is pulled as an image.
pub(super) fn is_no_pull(at: &[Step]) -> bool {
    keys(at).next().is_some_and(|key| NO_PULLS.contains(&key))
}

/// The keys on the way, the last one first.
fn keys(at: &[Step]) -> impl Iterator<Item = &str> {
    at.iter().rev().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item(_) => None,
    })
}

/// Whether a text under a key of a repository is one of source code or charts.
pub(in super::super) fn is_source(value: &str) -> bool {
    let mut parts = value.split('/');
    let host = parts.next().unwrap_or("");
    // Keel names images by the keys of their values.
    let is_key = !value.contains('/') && value.ends_with(".repository");
    value.contains("://")
        || is_key
        || value.starts_with("git@")
        || GIT_HOSTS.contains(&host)
        || CHART_NAMESPACES.contains(&host)
        || parts.any(|part| CHART_NAMESPACES.contains(&part))
}

/// Whether a text under a key of an image is the name of a file or an icon.
pub(in super::super) fn is_picture(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let set = value.split_once(':').map_or("", |(set, _)| set);
    FILE_SUFFIXES.iter().any(|suffix| lower.ends_with(suffix)) || ICON_SETS.contains(&set)
}

/// Whether a text begins with the host of a registry that is known, or with what stands for the target
/// (`${ECR}/quay/acme/app`): what was rewritten is found again.
pub(in super::super) fn has_known_host(text: &str) -> bool {
    ecr_host::ecr_host_of(text).is_some()
        || behind_placeholder(text).is_some()
        || ImageRef::parse(text)
            .is_ok_and(|image| image.registry().is_some_and(upstreams::is_known))
}

/// The path and the rest of a reference whose host is filled in later: a cache's prefix and a name.
fn behind_placeholder(text: &str) -> Option<&str> {
    let (host, rest) = text.split_once('/')?;
    let is_cached = ImageRef::parse(rest).is_ok() && rest.contains('/');
    (image::stands_for_host(host) && is_cached).then_some(rest)
}

/// Whether a text is a reference in full: a registry that is known, and a tag or digest.
pub(in super::super) fn is_full(text: &str) -> bool {
    let has_end = |image: ImageRef| image.tag().is_some() || image.digest().is_some();
    let bare = behind_placeholder(text).unwrap_or(text);
    has_known_host(text) && ImageRef::parse(bare).is_ok_and(has_end)
}

/// Whether a key has the word in a way that only a full reference makes an image of it: `imageEnvoy`,
/// `sidecarimage`.
pub(in super::super) fn has_image_word(key: &str) -> bool {
    let begins = key.strip_prefix("image").is_some_and(|rest| {
        let is_part = PARTS.iter().any(|part| rest.starts_with(part));
        rest.starts_with(|c: char| c.is_ascii_uppercase()) && !is_part
    });
    let is_other = |other: &&str| other.eq_ignore_ascii_case(key);
    begins || key.ends_with("image") && !NO_IMAGES.iter().any(is_other)
}

/// Whether a text can begin the names of images: a host, or one with a path. Words do not count:
/// `registry: txt` is a setting of external-dns.
pub(super) fn is_beginning(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or("");
    host.contains('.') && !is_source(text)
}
