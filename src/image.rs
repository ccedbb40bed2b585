//! Container image references: the Docker grammar, printed back exactly as they were written.
//!
//! The grammar and the normalisation are those of the `distribution/reference` library that Docker,
//! containerd and Kubernetes use: the first component is a registry only when it looks like one,
//! and a bare name belongs to Docker Hub's `library/`. A reference is read whole or not at all:
//! nothing is trimmed and no prefix of the text counts.

use std::fmt;

/// The registry that is meant when a reference names none.
pub const DOCKER_HUB: &str = "docker.io";
/// What Docker Hub was called before, and still is in old references (`legacyDefaultDomain`).
const LEGACY_HUB: &str = "index.docker.io";
/// The namespace of Docker Hub's official images.
const LIBRARY: &str = "library/";
/// The longest path that the reference grammar allows, in bytes (`RepositoryNameTotalLengthMax`).
const MAX_PATH: usize = 255;
/// Longer texts are not looked at: no host, path, tag and digest together come near.
const MAX_TEXT: usize = 4096;
/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// An image reference, its parts as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRef {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// The registry and path that a reference means, whatever its spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Canonical {
    /// The registry host with its port, if any: `docker.io`.
    pub host: String,
    /// The path below it: `library/nginx`.
    pub path: String,
}

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// Why a text is no image reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// No text at all.
    Empty,
    /// The path holds upper-case letters.
    UpperCase,
    /// The path is longer than 255 bytes, or the text than 4,096.
    NameTooLong,
    /// The text does not have the form `[registry/]path[:tag][@digest]`.
    Format,
    /// The digest's algorithm is not sha256.
    DigestUnsupported,
    /// The digest does not have 64 lower-case hexadecimal digits.
    DigestInvalid,
    /// A bare name of 64 hexadecimal digits, which Docker reads as an image id.
    Identifier,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::UpperCase => "has upper-case letters in its path",
            Self::NameTooLong => "has a path of more than 255 characters",
            Self::Format => "does not have the form `[registry/]path[:tag][@digest]`",
            Self::DigestUnsupported => "has a digest that is not `sha256:…`",
            Self::DigestInvalid => "has a digest without 64 lower-case hexadecimal digits",
            Self::Identifier => "is an image id, not a name",
        })
    }
}

impl std::error::Error for ReferenceError {}

/// The parts of a reference by the grammar alone: the domain is whatever *may* be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The first component, when more follow and it has the form of a host.
    pub domain: Option<&'a str>,
    /// Everything before the tag and the digest.
    pub name: &'a str,
    /// The tag, without `:`.
    pub tag: Option<&'a str>,
    /// The digest with its algorithm, without `@`.
    pub digest: Option<&'a str>,
}

impl ImageRef {
    /// Reads the whole of `text` as a reference, as `ParseNormalizedNamed` does.
    ///
    /// ```
    /// # use ecr_rewrite::image::ImageRef;
    /// let image = ImageRef::parse("nginx:1.27")?;
    /// assert_eq!(image.canonical().to_string(), "docker.io/library/nginx");
    /// assert_eq!(image.to_string(), "nginx:1.27");
    /// # Ok::<(), ecr_rewrite::image::ReferenceError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > MAX_TEXT {
            return Err(ReferenceError::NameTooLong);
        }
        if is_identifier(text) {
            return Err(ReferenceError::Identifier);
        }
        let parts = split(text)?;
        let (registry, path) = match parts.name.split_once('/') {
            Some((first, rest)) if looks_like_registry(first) => (Some(first), rest),
            _ => (None, parts.name),
        };
        check_path(path)?;
        if registry.is_some_and(|registry| !is_domain(registry)) {
            return Err(ReferenceError::Format);
        }
        // Docker Hub's official images are stored under `library/`, which counts for the length.
        let is_hub = matches!(registry, None | Some(DOCKER_HUB | LEGACY_HUB));
        let hidden = if is_hub && !path.contains('/') {
            LIBRARY.len()
        } else {
            0
        };
        if path.len() + hidden > MAX_PATH {
            return Err(ReferenceError::NameTooLong);
        }
        check_suffix(&parts)?;
        Ok(Self {
            registry: registry.map(Into::into),
            repository: path.into(),
            tag: parts.tag.map(Into::into),
            digest: parts.digest.map(Into::into),
        })
    }

    /// The registry as written; `None` when the reference names none.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The path as written, without the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, without `:`.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest with its algorithm, without `@`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// How many bytes of the printed reference come before the tag and the digest.
    pub fn name_len(&self) -> usize {
        self.registry
            .as_ref()
            .map_or(0, |registry| registry.len() + 1)
            + self.repository.len()
    }

    /// The tag and digest as written: `:1.27`, `@sha256:…`, both or nothing.
    pub fn suffix(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        tag.chain(self.digest.iter().map(|digest| format!("@{digest}")))
            .collect()
    }

    /// The registry and path meant, by Docker's rules.
    pub fn canonical(&self) -> Canonical {
        let host = match self.registry() {
            None | Some(LEGACY_HUB) => DOCKER_HUB,
            Some(registry) => registry,
        };
        Canonical::new(host, &self.repository)
    }
}

impl Canonical {
    /// `path` on `host`, with `library/` added to a one-part name on Docker Hub.
    pub fn new(host: &str, path: &str) -> Self {
        let official = host == DOCKER_HUB && !path.contains('/');
        let path = if official {
            format!("{LIBRARY}{path}")
        } else {
            path.to_string()
        };
        Self {
            host: host.to_string(),
            path,
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        write!(f, "{}{}", self.repository, self.suffix())
    }
}

/// Reads `text` by the grammar alone, without Docker's idea of what a registry looks like: the
/// function `Parse` of `distribution/reference`.
pub fn grammar(text: &str) -> Result<Parts<'_>, ReferenceError> {
    let mut parts = split(text)?;
    let (domain, path) = match parts.name.split_once('/') {
        Some((first, rest)) if is_domain(first) => (Some(first), rest),
        _ => (None, parts.name),
    };
    check_path(path)?;
    if path.len() > MAX_PATH {
        return Err(ReferenceError::NameTooLong);
    }
    check_suffix(&parts)?;
    parts.domain = domain;
    Ok(parts)
}

/// Cuts off the digest and the tag; says nothing yet about whether the parts are valid.
fn split(text: &str) -> Result<Parts<'_>, ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    // A colon before a slash belongs to a port.
    let path_start = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[path_start..].find(':') {
        Some(at) => (&rest[..path_start + at], Some(&rest[path_start + at + 1..])),
        None => (rest, None),
    };
    Ok(Parts {
        domain: None,
        name,
        tag,
        digest,
    })
}

fn check_suffix(parts: &Parts<'_>) -> Result<(), ReferenceError> {
    if parts.tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(ReferenceError::Format);
    }
    parts.digest.map_or(Ok(()), check_digest)
}

/// Whether Docker takes the first component for a registry (`splitDockerDomain`).
fn looks_like_registry(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// 64 hexadecimal digits, or a digest without a name: an image id for Docker, so never a name.
fn is_identifier(text: &str) -> bool {
    let id = text.strip_prefix("sha256:").unwrap_or(text);
    id.len() == 64 && id.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `path-component ["/" path-component]*`
fn check_path(path: &str) -> Result<(), ReferenceError> {
    if path.split('/').all(is_path_component) {
        return Ok(());
    }
    let lower = path.to_ascii_lowercase();
    let only_case = lower != path && lower.split('/').all(is_path_component);
    Err(if only_case {
        ReferenceError::UpperCase
    } else {
        ReferenceError::Format
    })
}

/// `[a-z0-9]+ (separator [a-z0-9]+)*` with the separators `.`, `_`, `__` and any number of `-`.
fn is_path_component(component: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    is_alphanumeric(first)
        && is_alphanumeric(last)
        && bytes
            .split(is_alphanumeric)
            .filter(|separator| !separator.is_empty())
            .all(|separator| {
                matches!(separator, b"." | b"_" | b"__")
                    || separator.iter().all(|&byte| byte == b'-')
            })
}

/// `host [":" port]`, the host a name or an IPv6 address in brackets.
fn is_domain(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return false;
        };
        let valid = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
        return !address.is_empty() && address.bytes().all(valid) && is_port_suffix(after);
    }
    let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
    host.split('.').all(is_domain_component) && is_port_suffix(after)
}

fn is_domain_component(component: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !component.is_empty()
        && component.bytes().all(valid)
        && !component.starts_with('-')
        && !component.ends_with('-')
}

fn is_port_suffix(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(port) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
        None => text.is_empty(),
    }
}

/// `[\w][\w.-]{0,127}`
fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

/// The grammar allows any algorithm; as in the library's own tests, only sha256 is registered, and
/// it is the only one that ECR stores.
fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, hex) = digest.split_once(':').ok_or(ReferenceError::Format)?;
    if !is_algorithm(algorithm) || hex.len() < 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ReferenceError::Format);
    }
    if algorithm != "sha256" {
        return Err(ReferenceError::DigestUnsupported);
    }
    if hex.len() == 64 && hex.bytes().all(is_lower_hex) {
        Ok(())
    } else {
        Err(ReferenceError::DigestInvalid)
    }
}

/// `[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*`
fn is_algorithm(text: &str) -> bool {
    text.split(['-', '_', '+', '.']).all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Whether a text is the host of a registry and nothing else. No image of Docker Hub's library has a dot
/// in its name, so that a name with one and without a path is no image there.
pub fn is_registry(text: &str) -> bool {
    let text = text.trim_end_matches('/');
    let (name, _) = text.split_once(':').unwrap_or((text, ""));
    name.contains('.') && !text.contains('/') && begins_with_host(text)
}

/// Whether a text begins with a host: letters behind the last dot, or a port behind the name; or with
/// something in the place of one that is filled in later, as targets may be written (`${ECR}`).
pub fn begins_with_host(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or("");
    if stands_for_host(host) {
        return true;
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let last = name.rsplit('.').next().unwrap_or("");
    let is_named = name.contains('.') && last.starts_with(|c: char| c.is_ascii_alphabetic());
    is_named && (port.is_empty() || is_port) || is_port && !name.is_empty()
}

/// Whether the first part of a name is something in the place of a host that is filled in later.
pub fn stands_for_host(part: &str) -> bool {
    part.starts_with("${") && part.ends_with('}')
}

/// Where something stands in a text that is filled in later: `{{ x }}`, `{% x %}`, `$X`, `${X}`, `$(X)`,
/// `<x>` or `__X__`.
pub fn filled_at(text: &str) -> Option<usize> {
    if !text
        .bytes()
        .any(|byte| matches!(byte, b'{' | b'$' | b'<' | b'_'))
    {
        return None;
    }
    let template = ["{{", "{%"].iter().filter_map(|open| text.find(open));
    template.chain(placeholder(text)).min()
}

/// Whether anything in a text is filled in later.
pub fn is_filled(text: &str) -> bool {
    filled_at(text).is_some()
}

/// Whether all of a text is filled in later, or nobody can tell.
pub fn is_filled_as_whole(text: &str) -> bool {
    let text = text.trim();
    let ends = [
        ("{{", "}}"),
        ("{%", "%}"),
        ("${", "}"),
        ("$(", ")"),
        ("<", ">"),
        ("__", "__"),
    ];
    let is_variable = |name: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_name)
    };
    let is_closed = |(open, close): &(&str, &str)| {
        text.len() > open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
    };
    ends.iter().any(is_closed) || text.strip_prefix('$').is_some_and(is_variable)
}

/// Where a placeholder begins: `$X`, `${X}`, `$(X)`, `<x>` or `__X__`.
pub fn placeholder(text: &str) -> Option<usize> {
    let begins = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('))
    };
    let dollar = text.match_indices('$').map(|(at, _)| at);
    let dollar = dollar.filter(|at| begins(&text[at + 1..])).min();
    let between = |open: &str, close: &str| {
        let (before, rest) = text.split_once(open)?;
        rest.find(close).filter(|&at| at > 0).map(|_| before.len())
    };
    [dollar, between("<", ">"), between("__", "__")]
        .into_iter()
        .flatten()
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_later_is_known() {
        for (text, at, whole) in [
            ("../$ENV", Some(3), false),
            ("../$(ENV)", Some(3), false),
            ("../<env>", Some(3), false),
            ("../__ENV__", Some(3), false),
            ("a/{{ b }}", Some(2), false),
            ("{{ b }}", Some(0), true),
            ("${B}", Some(0), true),
            ("$B", Some(0), true),
            ("$B/c", Some(0), false),
            ("../base", None, false),
            ("5$", None, false),
            ("a__b", None, false),
        ] {
            assert_eq!(
                (filled_at(text), is_filled_as_whole(text)),
                (at, whole),
                "{text}"
            );
        }
    }

    const SHA: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_path_has_a_length() {
        for length in [MAX_PATH - 1, MAX_PATH, MAX_PATH + 1, MAX_PATH + 2] {
            let text = format!("quay.io:443/{}:1", "a".repeat(length));
            let wanted = (length > MAX_PATH).then_some(ReferenceError::NameTooLong);
            assert_eq!(grammar(&text).err(), wanted, "{length}");
        }
    }

    #[test]
    fn an_address_in_brackets_is_a_host_with_its_port_alone() {
        for (text, domain) in [
            ("[::1]:5000/a", Some("[::1]:5000")),
            ("[::1]/a", Some("[::1]")),
            ("[::g]/a", None),
            ("[]/a", None),
            ("[::1]x/a", None),
            ("[::1]:/a", None),
        ] {
            let read = grammar(text).ok().and_then(|parts| parts.domain);
            assert_eq!(read, domain, "{text}");
        }
    }

    #[test]
    fn hosts_of_registries_are_told_from_names() {
        for (text, wanted) in [
            ("quay.io", true),
            ("quay.io/", true),
            ("harbor.corp.io:5000", true),
            ("registry:5000", false),
            ("nginx:1", false),
            ("quay.io/acme", false),
            ("nginx", false),
            ("nginx:1.27", false),
            ("nginx:alpine", false),
            ("1.2.3", false),
            ("", false),
        ] {
            assert_eq!(is_registry(text), wanted, "{text}");
        }
    }

    #[test]
    fn hosts_are_told_from_beginnings_of_names() {
        for (text, wanted) in [
            ("quay.io", true),
            ("quay.io/acme", true),
            ("registry:5000/acme", true),
            ("harbor.corp.io:8443", true),
            ("${ECR}", true),
            ("${ECR}/quay", true),
            ("${ECR", false),
            ("$ECR", false),
            ("acme/quay.io", false),
            ("1.2.3", false),
            ("quay.io:", true),
            ("quay.io:v1", false),
            (":5000", false),
            ("acme", false),
            ("", false),
        ] {
            assert_eq!(begins_with_host(text), wanted, "{text}");
        }
    }

    #[test]
    fn references_are_taken_apart_and_printed_back() {
        let pinned = format!("quay.io/a/b:v1@{SHA}");
        // text, registry, path, tag, has a digest, canonical name
        let table = [
            (
                "nginx",
                None,
                "nginx",
                None,
                false,
                "docker.io/library/nginx",
            ),
            (
                "nginx:1.27-alpine",
                None,
                "nginx",
                Some("1.27-alpine"),
                false,
                "docker.io/library/nginx",
            ),
            (
                "bitnami/redis",
                None,
                "bitnami/redis",
                None,
                false,
                "docker.io/bitnami/redis",
            ),
            (
                "docker.io/nginx",
                Some("docker.io"),
                "nginx",
                None,
                false,
                "docker.io/library/nginx",
            ),
            (
                "index.docker.io/a/b",
                Some("index.docker.io"),
                "a/b",
                None,
                false,
                "docker.io/a/b",
            ),
            (
                "docker.io/library/a/b",
                Some("docker.io"),
                "library/a/b",
                None,
                false,
                "docker.io/library/a/b",
            ),
            (
                "localhost/x:1",
                Some("localhost"),
                "x",
                Some("1"),
                false,
                "localhost/x",
            ),
            (
                "reg:5000/x/y",
                Some("reg:5000"),
                "x/y",
                None,
                false,
                "reg:5000/x/y",
            ),
            ("LOCAL/x", Some("LOCAL"), "x", None, false, "LOCAL/x"),
            (
                "[::1]:5000/x",
                Some("[::1]:5000"),
                "x",
                None,
                false,
                "[::1]:5000/x",
            ),
            (
                "a_b/c__d---e:V_1",
                None,
                "a_b/c__d---e",
                Some("V_1"),
                false,
                "docker.io/a_b/c__d---e",
            ),
            (
                pinned.as_str(),
                Some("quay.io"),
                "a/b",
                Some("v1"),
                true,
                "quay.io/a/b",
            ),
        ];
        for (text, registry, path, tag, has_digest, canonical) in table {
            let image = ImageRef::parse(text).unwrap_or_else(|error| panic!("{text} {error}"));
            assert_eq!(image.registry(), registry, "{text}");
            assert_eq!(image.repository(), path, "{text}");
            assert_eq!(image.tag(), tag, "{text}");
            assert_eq!(image.digest().is_some(), has_digest, "{text}");
            assert_eq!(image.canonical().to_string(), canonical, "{text}");
            assert_eq!(image.to_string(), text);
            assert_eq!(&text[image.name_len()..], image.suffix());
        }
    }

    #[test]
    fn a_path_has_as_many_bytes_as_it_may_have() {
        for (host, most) in [
            ("quay.io/", 255),
            ("quay.io/a/", 253),
            ("docker.io/a/", 253),
            // Under `library/`, whichever way the hub is written.
            ("", 247),
            ("docker.io/", 247),
            ("index.docker.io/", 247),
        ] {
            let named = |length: usize| format!("{host}{}", "x".repeat(length));
            assert!(ImageRef::parse(&named(most)).is_ok(), "{host}");
            let longer = ImageRef::parse(&named(most + 1));
            assert_eq!(longer, Err(ReferenceError::NameTooLong), "{host}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_whole() {
        let too_long = format!("quay.io/{}", "a".repeat(256));
        let long_tag = format!("nginx:{}", "t".repeat(129));
        let hex = "ab".repeat(32);
        let table = [
            ("", ReferenceError::Empty),
            ("ko://github.com/x/y", ReferenceError::Format),
            ("docker.io/{username}/x", ReferenceError::Format),
            ("alpine:invalid!", ReferenceError::Format),
            ("<image_url>", ReferenceError::Format),
            ("IMAGE_URL", ReferenceError::UpperCase),
            ("docker/Docker", ReferenceError::UpperCase),
            ("nginx:", ReferenceError::Format),
            ("nginx:1 ", ReferenceError::Format),
            (" nginx", ReferenceError::Format),
            ("nginx@sha256", ReferenceError::Format),
            ("nginx@sha256:abc", ReferenceError::Format),
            ("a//b", ReferenceError::Format),
            ("a/", ReferenceError::Format),
            ("a..b", ReferenceError::Format),
            ("a.-b", ReferenceError::Format),
            ("https://quay.io/a", ReferenceError::Format),
            ("-x.io/a", ReferenceError::Format),
            (too_long.as_str(), ReferenceError::NameTooLong),
            (long_tag.as_str(), ReferenceError::Format),
            (hex.as_str(), ReferenceError::Identifier),
        ];
        for (text, error) in table {
            assert_eq!(ImageRef::parse(text), Err(error), "{text}");
        }
    }
}
