//! Texts that may stand in front of the names of images: registries, and longer beginnings.
//!
//! They are only ever a reason to doubt. Templates and operators join what stands anywhere in their
//! values or specs, under keys of their own, so that one such text is enough: a name without a
//! registry is then no name on Docker Hub as far as anybody can tell here.

use std::sync::LazyLock;

use super::values::{has_known_host, is_source};
use crate::image::begins_with_host;
use crate::words::Words;

/// Words in keys of registries.
const REGISTRIES: &[&str] = &["registry", "registries", "hub", "mirror", "mirrors"];
/// Words in keys of repositories, and of registries in the mouths of many.
const REPOSITORIES: &[&str] = &["repository", "repositories", "repo", "repos"];
/// Words in keys of anything that has to do with images.
const IMAGES: &[&str] = &[
    "image",
    "images",
    "docker",
    "container",
    "containers",
    "oci",
];
/// Words in keys of beginnings, beside one of those.
const BEGINNINGS: &[&str] = &[
    "address",
    "base",
    "domain",
    "host",
    "hostname",
    "location",
    "namespace",
    "org",
    "organisation",
    "organization",
    "prefix",
    "project",
    "server",
    "uri",
    "url",
];
/// Products that are registries: what is theirs may be a host, whatever else it is called.
const PRODUCTS: &[&str] = &["artifactory", "jfrog", "nexus"];
/// All words without which no key is about any of these.
static ABOUT: LazyLock<Words> =
    LazyLock::new(|| Words::in_any_case([REGISTRIES, REPOSITORIES, IMAGES, PRODUCTS].concat()));
/// Longer texts are none.
const MOST: usize = 256;

/// The words of a key, in lower case: `RELATED_IMAGE_X`, `relatedImageX` and `related-image-x` have the
/// same ones.
pub(crate) fn words(key: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in key.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.into_iter().filter(|word| !word.is_empty())
}

/// The words of a key, with those apart that are written as one: `dockerregistry`, `imagehost`.
fn all_words(key: &str) -> impl Iterator<Item = String> {
    words(key).flat_map(|word| match two_words(&word) {
        Some((first, second)) => vec![first.to_string(), second.to_string()],
        None => vec![word],
    })
}

fn two_words(word: &str) -> Option<(&str, &str)> {
    let mut firsts = [IMAGES, REGISTRIES, REPOSITORIES].into_iter().flatten();
    let is_second = |second| {
        let mut all = [REGISTRIES, REPOSITORIES, BEGINNINGS].into_iter();
        all.any(|seconds| seconds.contains(&second))
    };
    firsts.find_map(|first| {
        let second = word.strip_prefix(*first)?;
        is_second(second).then(|| word.split_at(first.len()))
    })
}

/// Whether a text has a key that may hold what stands in front of names: the same words, so that no file
/// that says such a thing is left unread.
pub(super) fn may_stand_in(text: &str) -> bool {
    ABOUT.are_in_before(text, |rest| {
        let is_of_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        let rest = rest.trim_start_matches(is_of_key);
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        rest.trim_start_matches([' ', '\t']).starts_with(':')
    })
}

/// Whether a key may have one of the words of registries, repositories and images: that is fast, and most
/// keys have none.
fn may_be_about(key: &str) -> bool {
    // Letters outside of ASCII may be one of ours in lower case.
    ABOUT.are_in(key) || !key.is_ascii()
}

/// Whether a host under the last of these keys, with dots between them, may stand in front of names.
pub(super) fn is_key(path: &str) -> bool {
    let mut keys = path.rsplit('.');
    let key = keys.next().unwrap_or("");
    is_about(&[keys.next().unwrap_or(""), key])
}

/// Whether a key is the place of a beginning whatever stands there, even if it is nothing: another file
/// may fill it.
pub(super) fn is_place(key: &str) -> bool {
    is_about_closely(key)
}

/// Whether a text under `key`, in a map under `above`, may stand in front of names.
pub(super) fn may_be(above: &str, key: &str, text: &str) -> bool {
    let text = text.trim_end_matches('/');
    if let Some((_, host)) = text.split_once("://") {
        // Repositories of charts and source code have URLs, too.
        return !host.contains('/') && begins_with_host(host) && is_about_registries(&[above, key]);
    }
    let is_other = text.is_empty()
        || text.len() >= MOST
        || text.starts_with(['/', '.', '@'])
        || text.strip_suffix(".git").is_some()
        || is_source(text);
    if is_other {
        return false;
    }
    if let Some(start) = text.find(['{', '$']) {
        return begins_with_host(&text[..start]) && text[..start].contains('/')
            || is_about(&[above, key]);
    }
    if text.contains(|c: char| c.is_whitespace() || matches!(c, '@' | ',' | '=' | '*')) {
        return false;
    }
    let is_bare = !text.rsplit('/').next().unwrap_or("").contains(':') || !text.contains('/');
    if !is_bare {
        return false;
    }
    if begins_with_host(text) {
        return has_known_host(&format!("{text}/x")) || is_about(&[above, key]);
    }
    !text.contains(':') && is_word(text) && is_about_closely(key)
}

/// Whether a map of this name may hold a beginning: `docker.host`, `imageSettings.prefix`.
pub(super) fn is_map(key: &str) -> bool {
    if !may_be_about(key) {
        return false;
    }
    let words: Vec<String> = words(key).collect();
    let mut about = [IMAGES, REGISTRIES, REPOSITORIES].iter();
    about.any(|about| has(&words, about))
}

/// Whether a text is a word and no switch or number.
fn is_word(text: &str) -> bool {
    !matches!(text, "true" | "false" | "null" | "~")
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// All words of keys; none where no key is about any of this.
fn words_about(keys: &[&str]) -> Vec<String> {
    if !keys.iter().any(|key| may_be_about(key)) {
        return Vec::new();
    }
    keys.iter().flat_map(|key| all_words(key)).collect()
}

fn has(words: &[String], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.as_str()))
}

/// Whether keys are about where images come from.
fn is_about(keys: &[&str]) -> bool {
    let words = words_about(keys);
    has(&words, REPOSITORIES) || are_about_registries(&words)
}

/// Whether keys are about registries of images, and no repositories of anything else.
fn is_about_registries(keys: &[&str]) -> bool {
    are_about_registries(&words_about(keys))
}

fn are_about_registries(words: &[String]) -> bool {
    has(words, REGISTRIES) || has(words, PRODUCTS) || has(words, IMAGES) && has(words, BEGINNINGS)
}

/// Whether a key alone says that even a word is a beginning: `hub: acme`, `imagePrefix: acme`.
fn is_about_closely(key: &str) -> bool {
    let words = words_about(&[key]);
    let ends = words
        .last()
        .is_some_and(|word| REGISTRIES.contains(&word.as_str()));
    let begins = [IMAGES, REGISTRIES, REPOSITORIES]
        .iter()
        .any(|about| has(&words, about));
    ends || begins && has(&words, BEGINNINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_known_by_their_texts_and_keys() {
        for (above, key, text) in [
            ("image", "registry", "harbor.corp.io"),
            ("", "imageHost", "harbor.corp.io"),
            ("", "mirror", "harbor.corp.io:5000"),
            ("", "dockerHub", "harbor.corp.io"),
            ("", "anything", "quay.io"),
            ("", "anything", "quay.io/"),
            ("images", "registry", "harbor.corp.io"),
            ("registry", "url", "harbor.corp.io/team"),
            ("", "registry", "${REGISTRY}"),
            ("", "registry", "{{ .registry }}"),
            ("", "anything", "quay.io/{{ .Values.web.image }}"),
            ("", "repository", "harbor.corp.io/team"),
            ("global", "dockerRegistryPrefix", "harbor.corp.io/"),
            ("", "registry", "registry:5000"),
            ("", "hub", "acme"),
            ("", "imagePrefix", "acme"),
            ("", "docker_registry", "quay.io"),
            ("", "dockerregistry", "harbor.corp.io"),
            ("", "containerregistry", "harbor.corp.io"),
            ("", "dockerrepo", "harbor.corp.io"),
            ("", "imagehost", "harbor.corp.io"),
            ("", "registryhost", "harbor.corp.io"),
            ("privateRegistry", "url", "harbor.corp.io"),
            ("artifactory", "host", "harbor.corp.io"),
            ("", "artifactoryUrl", "harbor.corp.io"),
            ("", "nexus", "nexus.corp.io:8443"),
            ("privateRegistry", "url", "https://harbor.corp.io"),
            ("registries", "host", "harbor.corp.io"),
        ] {
            assert!(may_be(above, key, text), "{above} {key} {text}");
        }
    }

    #[test]
    fn keys_tell_where_beginnings_may_stand() {
        for key in ["docker", "imageSettings", "registry", "imageDefaults"] {
            assert!(is_map(key), "{key}");
        }
        assert!(!is_map("settings"));
        for key in ["registry", "imageRegistry", "imagePrefix", "hub"] {
            assert!(is_place(key), "{key}");
        }
        assert!(!is_place("repository") && !is_place("name"));
    }

    #[test]
    fn a_file_with_the_key_of_a_beginning_is_read() {
        for text in [
            "dockerHub: harbor.corp.io\n",
            "mirror: harbor.corp.io\n",
            "dockerPrefix: harbor.corp.io/\n",
            "containerHost: harbor.corp.io\n",
            "ociUrl: harbor.corp.io\n",
            "docker:\n  host: harbor.corp.io\n",
            "{\"dockerHub\":\"harbor.corp.io\"}",
            "DOCKER_HUB: harbor.corp.io\n",
            "nexus: nexus.corp.io:8443\n",
        ] {
            assert!(may_stand_in(text), "{text}");
        }
        assert!(!may_stand_in("kind: Service\nports: [80]\n"));
    }

    #[test]
    fn empty_places_of_beginnings_are_known_by_their_keys() {
        for (key, wanted) in [
            ("systemDefaultRegistry", true),
            ("imageHost", true),
            ("imageRegistryPrefix", true),
            ("registryUrl", true),
            ("registry", true),
            ("hub", true),
            ("repository", false),
            ("image", false),
            ("host", false),
        ] {
            assert_eq!(is_place(key), wanted, "{key}");
        }
    }

    #[test]
    fn other_texts_are_no_beginnings() {
        for (above, key, text) in [
            ("ingress", "host", "app.corp.io"),
            ("", "repository", "https://charts.corp.io"),
            ("", "repository", "github.com/acme/app"),
            ("", "registryImage", "quay.io/acme/app:1"),
            ("", "anything", "${REGISTRY}"),
            ("", "version", "1.2.3"),
            ("registry", "enabled", "true"),
            ("", "github", "acme"),
            ("", "repo", "acme"),
            ("registry", "size", "10Gi"),
            ("", "dockerHost", "/var/run/docker.sock"),
            ("", "registry", ""),
        ] {
            assert!(!may_be(above, key, text), "{above} {key} {text}");
        }
    }
}
