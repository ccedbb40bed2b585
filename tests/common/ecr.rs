//! What an upstream reference has to become, worked out here once more: Docker's way to read a
//! reference and the prefixes of `--rules default`. Nothing comes from the program, so that a mistake
//! of it cannot prove itself right.

use std::sync::LazyLock;

use regex::Regex;

use super::REGISTRY;

/// The prefixes of `--rules default`.
pub const PREFIXES: &[(&str, &str)] = &[
    ("docker.io", "docker-hub"),
    ("quay.io", "quay"),
    ("ghcr.io", "ghcr"),
    ("registry.k8s.io", "k8s"),
    ("public.ecr.aws", "public-ecr"),
    ("ecr-public.aws.com", "public-ecr"),
    ("registry.gitlab.com", "gitlab"),
    ("cgr.dev", "chainguard"),
];
/// Other names of Docker Hub.
const DOCKER_HUB: &[&str] = &[
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
];

/// A reference without, and its tag and digest with, what stands in front of them.
pub fn split(reference: &str) -> (&str, &str) {
    let path = reference.rfind('/').map_or(0, |slash| slash + 1);
    let is_end = |(at, c): (usize, char)| c == '@' || (c == ':' && at >= path);
    let end = reference.char_indices().find(|found| is_end(*found));
    reference.split_at(end.map_or(reference.len(), |(at, _)| at))
}

/// The host and the path that a name without tag and digest means; `None` when it cannot be one.
fn host_and_path(name: &str) -> Option<(&str, String)> {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        _ => ("docker.io", name),
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-._".contains(c);
    let part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !path.chars().all(plain) || !path.split('/').all(part) {
        return None;
    }
    let host = if DOCKER_HUB.contains(&host) {
        "docker.io"
    } else {
        host
    };
    let official = host == "docker.io" && !path.contains('/');
    let library = if official { "library/" } else { "" };
    Some((host, format!("{library}{path}")))
}

/// The name that a reference means, without tag and digest: `docker.io/library/nginx`.
pub fn canonical(reference: &str) -> Option<String> {
    let (host, path) = host_and_path(split(reference).0)?;
    Some(format!("{host}/{path}"))
}

/// What an upstream reference becomes, its tag and digest untouched; `None` when no rule maps it.
pub fn expected(reference: &str) -> Option<String> {
    let (name, suffix) = split(reference);
    let (host, path) = host_and_path(name)?;
    let (_, prefix) = PREFIXES.iter().find(|(upstream, _)| *upstream == host)?;
    let bad = |c: char| c.is_whitespace() || c == '/';
    (!suffix.contains(bad)).then(|| format!("{REGISTRY}/{prefix}/{path}{suffix}"))
}

/// Whether a reference begins with a host that has a rule.
pub fn has_host(reference: &str) -> bool {
    let hosts = PREFIXES.iter().map(|(host, _)| host);
    hosts
        .chain(DOCKER_HUB)
        .any(|host| reference.starts_with(&format!("{host}/")))
}

/// Whether a reference has at most one host, in front, no empty part, and its prefix once.
pub fn is_well_formed(reference: &str) -> bool {
    let name = split(reference).0;
    let prefix = |part: &str| PREFIXES.iter().any(|(_, prefix)| *prefix == part);
    let parts: Vec<&str> = name.split('/').collect();
    let is_host = |part: &&str| {
        let hosts = PREFIXES.iter().map(|(host, _)| host).chain(DOCKER_HUB);
        part.ends_with(".amazonaws.com") || hosts.into_iter().any(|host| host == part)
    };
    let is_doubled = name.starts_with(REGISTRY)
        && parts
            .windows(2)
            .any(|two| prefix(two[0]) && two[0] == two[1]);
    !is_doubled && parts.iter().all(|part| !part.is_empty()) && !parts.iter().skip(1).any(is_host)
}

/// The words of a text, and what is between them.
pub static WORDS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\w./:@-]+|[^\w./:@-]+").unwrap());

/// The references by which two texts differ, when everything else is equal. What is no reference for
/// sure, for want of a registry in front, could be a word.
pub fn planned_in_text(
    before: &str,
    after: &str,
    is_reference: impl Fn(&str) -> bool,
) -> Option<Vec<(String, String)>> {
    let words = |text| WORDS.find_iter(text).map(|word| word.as_str());
    if words(before).count() != words(after).count() {
        return None;
    }
    let mut planned = Vec::new();
    let pairs = words(before).zip(words(after));
    for (old, new) in pairs.filter(|(old, new)| old != new) {
        if !is_reference(old) || expected(old).as_deref() != Some(new) {
            return None;
        }
        planned.push((old.to_string(), new.to_string()));
    }
    Some(planned)
}
