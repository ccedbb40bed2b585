//! One pull-through-cache rule, validated as AWS validates it.
//!
//! Prefixes and their limits: ECR API model (`PullThroughCacheRuleRepositoryPrefix`), 2 to 30
//! characters, or `ROOT` for none. An upstream prefix is stripped from the path (ECR user guide,
//! "Customizing repository prefixes").

use std::fmt;
use std::path::PathBuf;

use super::{ecr_host, upstreams};
use crate::image::{Canonical, DOCKER_HUB, ImageRef};

/// The word that AWS uses for "no prefix".
const ROOT: &str = "ROOT";
/// How long a prefix is, in characters.
const MIN_PREFIX: usize = 2;
const MAX_PREFIX: usize = 30;
/// Docker Hub's namespace of official images.
const LIBRARY: &str = "library/";

/// Whether official Docker Hub images stand under `library/` in the ECR registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Library {
    /// They do, as a pull-through cache needs it.
    #[default]
    Present,
    /// They do not: the registry was filled by hand.
    Absent,
}

/// Where a rule or another setting was stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line: the flag.
    Flag(&'static str),
    /// In an environment variable: its name.
    Environment(&'static str),
    /// In a config file: its path and the line, 1-based.
    Config(PathBuf, u64),
    /// In a source of rules, such as infrastructure code: its path and the line, 1-based.
    Source(PathBuf, u64),
    /// In AWS, which was asked: for which registry.
    Aws(String),
    /// Part of the program.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "`{flag}`"),
            Self::Environment(name) => write!(f, "`{name}`"),
            Self::Config(path, line) | Self::Source(path, line) => {
                write!(f, "{}:{line}", path.display())
            }
            Self::Aws(registry) => write!(f, "`--from-aws`, {registry}"),
            Self::BuiltIn => f.write_str("built-in"),
        }
    }
}

/// Images of an upstream are found under a prefix of the ECR registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    host: String,
    upstream_prefix: Option<String>,
    ecr_prefix: Option<String>,
    library: Library,
    origin: Origin,
}

/// What it maps to what, and where it was stated.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, origin) = (self.prefix_text(), &self.origin);
        write!(f, "{} -> {prefix} ({origin})", self.upstream())
    }
}

/// Why a rule cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError(String);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}

impl Rule {
    /// The rule that finds `upstream` (`HOST[/PATH]`, also as a URL) under `prefix` (`ROOT` for
    /// none).
    pub fn new(upstream: &str, prefix: &str, origin: Origin) -> Result<Self, RuleError> {
        let (host, upstream_prefix) = parse_upstream(upstream)?;
        let ecr_prefix = parse_prefix(prefix)?;
        if ecr_prefix.is_none() && upstream_prefix.is_some() {
            return Err(RuleError(format!(
                "`{upstream}` has a path, which AWS allows only with a prefix other than `ROOT`"
            )));
        }
        Ok(Self {
            host,
            upstream_prefix,
            ecr_prefix,
            library: Library::default(),
            origin,
        })
    }

    /// Reads `UPSTREAM[/PATH]=PREFIX`, the value of `--rule`.
    pub fn parse_flag(text: &str) -> Result<Self, RuleError> {
        let (upstream, prefix) = text.split_once('=').ok_or_else(|| {
            RuleError(format!(
                "`{text}` has no `=`; write `UPSTREAM[/PATH]=PREFIX`, as in `ghcr.io/acme=github`"
            ))
        })?;
        Self::new(upstream, prefix, Origin::Flag("--rule"))
    }

    /// The same rule for a registry with or without `library/`.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.library = library;
        self
    }

    /// The upstream as `HOST[/PATH]`.
    pub fn upstream(&self) -> String {
        match &self.upstream_prefix {
            Some(prefix) => format!("{}/{prefix}", self.host),
            None => self.host.clone(),
        }
    }

    /// The ECR prefix as AWS writes it.
    pub fn prefix_text(&self) -> &str {
        self.ecr_prefix.as_deref().unwrap_or(ROOT)
    }

    /// Where the rule was stated.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether both rules do the same, wherever they were stated.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = self.library == other.library && self.ecr_prefix == other.ecr_prefix;
        same && self.same_upstream(other)
    }

    /// Whether both rules are about the same upstream, so that only one can count.
    pub fn same_upstream(&self, other: &Self) -> bool {
        self.host == other.host && self.upstream_prefix == other.upstream_prefix
    }

    /// The path that remains of an image this rule fits; a path equal to the upstream prefix is
    /// outside of it.
    pub(super) fn strip<'p>(&self, image: &'p Canonical) -> Option<&'p str> {
        if !self.is_about(&image.host) {
            return None;
        }
        match &self.upstream_prefix {
            Some(prefix) => image.path.strip_prefix(prefix.as_str())?.strip_prefix('/'),
            None => Some(&image.path),
        }
    }

    /// The ECR repository of a path that [`Rule::strip`] gave.
    pub(super) fn repository(&self, path: &str) -> String {
        let path = match self.hidden_library() {
            Some(library) => path
                .strip_prefix(library)
                .filter(|name| !name.contains('/')),
            None => None,
        }
        .unwrap_or(path);
        match &self.ecr_prefix {
            Some(prefix) => format!("{prefix}/{path}"),
            None => path.to_string(),
        }
    }

    /// The upstream name behind an ECR repository; `None` when it is not under this rule's prefix.
    pub(super) fn revert(&self, repository: &str) -> Option<String> {
        let path = match &self.ecr_prefix {
            Some(prefix) => repository
                .strip_prefix(prefix.as_str())?
                .strip_prefix('/')?,
            None => repository,
        };
        let library = self
            .hidden_library()
            .filter(|_| !path.contains('/'))
            .unwrap_or("");
        Some(format!("{}/{library}{path}", self.upstream()))
    }

    /// The path that AWS calls the upstream repository prefix, if there is one.
    pub fn upstream_path(&self) -> Option<&str> {
        self.upstream_prefix.as_deref()
    }

    /// Whether official images stand under `library/`.
    pub fn library(&self) -> Library {
        self.library
    }

    /// The upstream's host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether `host` is that of the upstream; a registry of ECR is in each of its spellings.
    pub fn is_about(&self, host: &str) -> bool {
        ecr_host::names_one(&self.host, host)
    }

    /// Whether images move here from a registry of ECR, which need not be a cache.
    pub fn is_move(&self) -> bool {
        ecr_host::is_ecr_host(&self.host)
    }

    /// Whether the rule is for a part of what stands below `path` of `host`, or below the host itself.
    pub(super) fn is_within(&self, host: &str, path: Option<&str>) -> bool {
        let below = |own: &str| match path {
            Some(path) => own
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/')),
            None => true,
        };
        self.is_about(host) && self.upstream_prefix.as_deref().is_some_and(below)
    }

    /// How well the rule says what is cached under its prefix: the longer one better, and a cache better than
    /// a move to where that cache is.
    pub(super) fn prefix_rank(&self) -> (usize, bool) {
        (self.prefix_len(), !self.is_move())
    }

    /// What stands below this rule's prefix in an ECR path; nothing does for a rule without one.
    pub(super) fn below_prefix<'p>(&self, path: &'p str) -> Option<&'p str> {
        let prefix = self.ecr_prefix.as_deref()?;
        path.strip_prefix(prefix)?.strip_prefix('/')
    }

    /// Whether this rule's prefix lies below a place in ECR, or is it.
    pub(super) fn is_prefixed_by(&self, place: &str) -> bool {
        let rest = self
            .ecr_prefix
            .as_deref()
            .and_then(|prefix| prefix.strip_prefix(place));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path below this rule's prefix that a cache of Docker Hub can fill, when it is not `path`.
    pub(super) fn right_library(&self, path: &str) -> Option<String> {
        let whole_hub = self.host == DOCKER_HUB && self.upstream_prefix.is_none();
        if !whole_hub || self.library == Library::Absent {
            return None;
        }
        match path.strip_prefix(LIBRARY) {
            Some(name) if name.contains('/') => Some(name.to_string()),
            None if !path.contains('/') => Some(format!("{LIBRARY}{path}")),
            _ => None,
        }
    }

    /// How specific the upstream is.
    pub(super) fn upstream_len(&self) -> usize {
        self.upstream_prefix.as_ref().map_or(0, String::len)
    }

    /// How specific the ECR prefix is.
    pub(super) fn prefix_len(&self) -> usize {
        self.ecr_prefix.as_ref().map_or(0, String::len)
    }

    /// Whether `inner`'s prefix lies inside this rule's, so that both could serve one path. Two
    /// rules that share a prefix for different upstreams are such a pair once, not twice.
    pub(super) fn covers_prefix_of(&self, inner: &Self) -> bool {
        match (&self.ecr_prefix, &inner.ecr_prefix) {
            (None, Some(_)) => true,
            (Some(outer), Some(inner)) => inner
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.starts_with('/')),
            (_, None) => false,
        }
    }

    /// The namespace that this registry leaves out of its repository names.
    fn hidden_library(&self) -> Option<&'static str> {
        let leaves_out = self.library == Library::Absent
            && self.host == DOCKER_HUB
            && self.upstream_prefix.is_none();
        leaves_out.then_some(LIBRARY)
    }
}

/// The built-in rules: every upstream under the prefix that the AWS console proposes.
pub fn default_rules() -> Vec<Rule> {
    let rule = |upstream: &upstreams::Upstream| Rule {
        host: upstream.host.to_string(),
        upstream_prefix: None,
        ecr_prefix: Some(upstream.default_prefix.to_string()),
        library: Library::default(),
        origin: Origin::BuiltIn,
    };
    upstreams::UPSTREAMS.iter().map(rule).collect()
}

/// A rule for an Azure registry, which has no built-in one: its name as the prefix.
pub fn azure_rule(host: &str) -> Option<Rule> {
    let name = upstreams::azure_name(host)?;
    Rule::new(
        host,
        name.get(..name.len().min(MAX_PREFIX))?,
        Origin::BuiltIn,
    )
    .ok()
}

fn parse_upstream(text: &str) -> Result<(String, Option<String>), RuleError> {
    let bare = text
        .strip_prefix("https://")
        .unwrap_or(text)
        .trim_end_matches('/');
    let (host, path) = match bare.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (bare, None),
    };
    if ecr_host::is_ecr_host(host) && host.contains('$') {
        let why = "has a placeholder, and what fills it in is not known here: images cannot be moved from there by a rule";
        return Err(RuleError(format!(
            "upstream `{text}` {why}; name the registry by its account and region, and write those into the references first"
        )));
    }
    if text.starts_with("https://") && matches!(path, Some("v1" | "v2")) {
        return Err(RuleError(format!(
            "upstream `{text}` is the address of an API; write the host alone, `{host}`"
        )));
    }
    let probe = format!("{host}/{}", path.unwrap_or("x"));
    let image = ImageRef::parse(&probe).map_err(|error| bad_upstream(text, &error.to_string()))?;
    if image.registry() != Some(host) {
        return Err(bad_upstream(text, "its first part is no registry host"));
    }
    if image.tag().is_some() || image.digest().is_some() {
        return Err(bad_upstream(text, "it has a tag or digest"));
    }
    Ok((
        upstreams::canonical_host(host).to_string(),
        path.map(Into::into),
    ))
}

fn bad_upstream(text: &str, why: &str) -> RuleError {
    RuleError(format!(
        "upstream `{text}` {why}; write a host, as in `docker.io` or `ghcr.io/acme`"
    ))
}

fn parse_prefix(text: &str) -> Result<Option<String>, RuleError> {
    if text == ROOT {
        return Ok(None);
    }
    let prefix = text.strip_suffix('/').unwrap_or(text);
    if !(MIN_PREFIX..=MAX_PREFIX).contains(&text.len()) {
        return Err(RuleError(format!(
            "prefix `{text}` has {} characters, AWS wants 2 to 30, or `ROOT`",
            text.len()
        )));
    }
    if !prefix.split('/').all(is_prefix_part) {
        return Err(RuleError(format!(
            "prefix `{text}` is not one AWS accepts: lower-case letters and digits, joined by single `.`, `_`, `-` or `/`"
        )));
    }
    Ok(Some(prefix.to_string()))
}

fn is_prefix_part(part: &str) -> bool {
    part.split(['.', '_', '-']).all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read() {
        for (flag, upstream, prefix) in [
            ("docker.io=docker-hub", "docker.io", "docker-hub"),
            ("registry-1.docker.io=hub", "docker.io", "hub"),
            ("https://quay.io/=quay/", "quay.io", "quay"),
            ("ghcr.io/acme=github", "ghcr.io/acme", "github"),
            ("reg.example.com:5000=a/b", "reg.example.com:5000", "a/b"),
            ("docker.io=ROOT", "docker.io", "ROOT"),
        ] {
            let rule = Rule::parse_flag(flag).unwrap();
            assert_eq!(
                (rule.upstream().as_str(), rule.prefix_text()),
                (upstream, prefix),
                "{flag}"
            );
        }
    }

    #[test]
    fn wrong_flags_say_what_is_wrong() {
        for (flag, part) in [
            ("docker.io", "has no `=`"),
            ("=x1", "upstream ``"),
            ("acme=x1", "no registry host"),
            (
                "https://index.docker.io/v1/=x1",
                "write the host alone, `index.docker.io`",
            ),
            (
                "${A}.dkr.ecr.eu-west-1.amazonaws.com/team=x1",
                "has a placeholder",
            ),
            ("ghcr.io/Acme=x1", "upper-case"),
            ("ghcr.io/acme:1=x1", "tag or digest"),
            ("docker.io=x", "2 to 30"),
            ("docker.io=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "31 characters"),
            ("docker.io=Docker", "not one AWS accepts"),
            ("docker.io=a--b", "not one AWS accepts"),
            ("docker.io/library=ROOT", "other than `ROOT`"),
        ] {
            let error = Rule::parse_flag(flag).unwrap_err().to_string();
            assert!(error.contains(part), "{flag}: {error}");
        }
    }
}
