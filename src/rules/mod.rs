//! Rules: which upstream lives under which ECR prefix, and what that makes of an image.
//!
//! A [`RuleSet`] is everything that decides one image for one target: the registry, the rules, the
//! aliases of vendor hosts and the images that are allowed to stay. [`RuleSet::decide`] is a pure
//! function from a reference to a [`Verdict`]; it knows nothing of files.

pub mod ecr_host;
pub mod export;
pub mod import;
mod inspect;
pub mod learn;
pub mod official;
mod rule;
mod targets;
pub mod upstreams;

use std::collections::BTreeMap;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use crate::image::{Canonical, ImageRef};
use crate::reason::Reason;
pub use ecr_host::EcrHost;
pub use inspect::{Cached, Place};
pub use rule::{Library, Origin, Rule, RuleError, azure_rule, default_rules};
pub use targets::Targets;
pub(crate) use targets::matching;

/// The longest repository name that ECR takes, in characters (ECR API, `RepositoryName`).
const MAX_REPOSITORY: usize = 256;
/// Stands for the registry while none is known.
const NO_REGISTRY: &str = "<registry>";

/// What the rules say of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is to be pulled from here.
    Rewrite {
        /// The registry, prefix and path that take the place of the reference's name.
        name: String,
        /// The rule that decided: its place in [`RuleSet::rules`].
        rule: usize,
    },
    /// It stays, and why.
    Keep(Reason, String),
}

/// An image that may stay where it is.
#[derive(Clone, Debug)]
pub struct Allow {
    matcher: GlobMatcher,
    reason: Option<String>,
    origin: Origin,
}

impl Allow {
    /// Allows the images whose canonical name (`docker.io/library/nginx`) matches `glob`; `*` stays
    /// within one path component, `**` does not.
    pub fn new(glob: &str, reason: Option<String>, origin: Origin) -> Result<Self, globset::Error> {
        let glob = GlobBuilder::new(glob).literal_separator(true).build()?;
        Ok(Self {
            matcher: glob.compile_matcher(),
            reason,
            origin,
        })
    }
}

/// Everything that decides an image for one target.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    registry: Option<EcrHost>,
    rules: Vec<Rule>,
    aliases: BTreeMap<String, String>,
    allow: Vec<Allow>,
}

impl RuleSet {
    /// Puts the parts together. Of two rules for the same upstream the first wins: the second is
    /// dropped and the returned warnings say so, as they do of prefixes that lie inside each other.
    pub fn new(registry: Option<EcrHost>, rules: Vec<Rule>) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut kept: Vec<Rule> = Vec::with_capacity(rules.len());
        for rule in rules {
            match kept.iter().find(|first| first.same_upstream(&rule)) {
                Some(first) => warnings.push(format!(
                    "two rules for `{}`: `{}` ({}) wins over `{}` ({}); remove one",
                    rule.upstream(),
                    first.prefix_text(),
                    first.origin(),
                    rule.prefix_text(),
                    rule.origin()
                )),
                None => kept.push(rule),
            }
        }
        let moves = |rule: &Rule| {
            let own = registry.as_ref();
            own.is_some_and(|own| rule.is_about(own.as_str()))
        };
        let caches: Vec<&Rule> = kept.iter().filter(|rule| !moves(rule)).collect();
        warnings.extend(overlapping_prefixes(&caches));
        (
            Self {
                registry,
                rules: kept,
                ..Self::default()
            },
            warnings,
        )
    }

    /// The same set with vendor hosts (keys) that front another registry (values).
    #[must_use]
    pub fn with_aliases(mut self, aliases: BTreeMap<String, String>) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same set with images that may stay.
    #[must_use]
    pub fn with_allow(mut self, allow: Vec<Allow>) -> Self {
        self.allow = allow;
        self
    }

    /// The registry that images are pulled from, if one is known.
    pub fn registry(&self) -> Option<&EcrHost> {
        self.registry.as_ref()
    }

    /// The rules, the first of each upstream.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether the text of a site names an image in ECR, even when a placeholder in its host keeps
    /// it from being a reference. Another ECR registry that a rule or alias maps is an upstream like
    /// any other; the target registry is one where a rule moves its images to another prefix.
    pub fn text_is_ecr(&self, text: &str) -> bool {
        let target = self.registry_text();
        let rest = text.strip_prefix(target);
        let host = if rest.is_some_and(|rest| rest.starts_with('/')) {
            Some(target)
        } else {
            ecr_host::ecr_host_of(text)
        };
        host.is_some_and(|host| {
            let path = &text[host.len() + 1..];
            if self.is_target(host) {
                self.within(&Canonical::new(host, path)).is_none()
            } else {
                !self.maps_host(host, text)
            }
        })
    }

    /// Whether `host` is the target, in whatever spelling.
    fn is_target(&self, host: &str) -> bool {
        ecr_host::names_one(self.registry_text(), host)
    }

    /// Whether a rule fits the reference `text`, whose host is `host`.
    fn maps_host(&self, host: &str, text: &str) -> bool {
        let path = text[host.len()..].trim_start_matches('/');
        let meant = self.behind_alias(Canonical::new(host, path));
        self.rules.iter().any(|rule| rule.strip(&meant).is_some())
    }

    /// Whether both sets send every image to the same place.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |(one, other): (&Rule, &Rule)| one.agrees_with(other);
        self.registry == other.registry
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(same)
    }

    /// What becomes of an image. Tag and digest are never looked at: they stay as they are.
    pub fn decide(&self, image: &ImageRef) -> Verdict {
        let registry = self.registry_text();
        if image.registry().is_some_and(|host| self.is_target(host)) {
            let named = upstream_name(image);
            return match self.within(&named) {
                Some((index, path)) => self.rewrite(registry, index, path),
                None => Verdict::Keep(Reason::AlreadyEcr, "it is in the target registry".into()),
            };
        }
        let named = upstream_name(image);
        if let Some(allow) = self
            .allow
            .iter()
            .find(|allow| allow.matcher.is_match(named.to_string()))
        {
            let reason = allow.reason.as_deref().unwrap_or("no reason is given");
            return Verdict::Keep(Reason::Allowed, format!("{reason} ({})", allow.origin));
        }
        let meant = self.behind_alias(named);
        match self.fitting(&meant) {
            Some((index, path)) => self.rewrite(registry, index, path),
            None => Self::unmapped(&meant),
        }
    }

    /// The rule with the longest upstream that fits an image, and the rest of the path.
    fn fitting<'p>(&self, image: &'p Canonical) -> Option<(usize, &'p str)> {
        let fitting = self.rules.iter().enumerate().filter_map(|(index, rule)| {
            let path = rule.strip(image)?;
            Some((rule.upstream_len(), index, path))
        });
        let best = fitting.max_by_key(|&(length, index, _)| (length, std::cmp::Reverse(index)));
        best.map(|(_, index, path)| (index, path))
    }

    /// The rule that moves an image of the target registry itself to another prefix, and the rest of the path.
    /// Where a rule would fit again, nobody can tell what was moved already: such images stay, unless it is
    /// the spelling of the registry that the rule replaces.
    fn within<'p>(&self, image: &'p Canonical) -> Option<(usize, &'p str)> {
        let (index, path) = self.fitting(image)?;
        let rule = &self.rules[index];
        let is_spelling = rule.host() == image.host && image.host != self.registry_text();
        let moved = Canonical::new(&image.host, &rule.repository(path));
        (is_spelling || self.fitting(&moved).is_none()).then_some((index, path))
    }

    /// What becomes of a text with which the names of several images begin: a host, or a host with
    /// the first part of a path, without a slash at the end. It changes only when every image below
    /// it would get the same text in its place.
    pub fn decide_beginning(&self, beginning: &str) -> Verdict {
        // A name of two components keeps Docker Hub's `library/` out of it.
        let sample = if beginning.contains('/') {
            "/x"
        } else {
            "/x/x"
        };
        let image = match ImageRef::parse(&format!("{beginning}{sample}")) {
            Ok(image) => image,
            Err(error) => return Verdict::Keep(Reason::NotAnImage, format!("it {error}")),
        };
        let meant = self.behind_alias(upstream_name(&image));
        let canonical = meant.to_string();
        let below = canonical.strip_suffix(sample).unwrap_or(&canonical);
        let path = meant.path.strip_suffix(sample);
        let narrower = self
            .rules
            .iter()
            .find(|rule| rule.is_within(&meant.host, path));
        if let Some(rule) = narrower {
            let detail = format!(
                "a rule for `{}` holds for a part of what it stands for; give the images their whole names",
                rule.upstream()
            );
            return Verdict::Keep(Reason::GroupIncomplete, detail);
        }
        let allowed = self.allow.iter().any(|allow| {
            let glob = allow.matcher.glob().glob();
            let literal = glob.split(['*', '?', '[', '{']).next().unwrap_or("");
            literal.starts_with(below) || below.starts_with(literal)
        });
        if allowed {
            let detail = "some of the images that it stands for are allowed to stay; give the images their whole names";
            return Verdict::Keep(Reason::Allowed, detail.into());
        }
        match self.decide(&image) {
            Verdict::Rewrite { name, rule } => match name.strip_suffix(sample) {
                Some(name) => Verdict::Rewrite {
                    name: name.to_string(),
                    rule,
                },
                None => Verdict::Keep(Reason::NoRule, "its path is not kept in ECR".into()),
            },
            keep @ Verdict::Keep(..) => keep,
        }
    }

    /// The upstream image behind an ECR reference of this target, tag and digest kept.
    pub fn revert(&self, text: &str) -> Result<String, RevertError> {
        let registry = self.registry_text();
        let path = text
            .strip_prefix(registry)
            .and_then(|rest| rest.strip_prefix('/'));
        let path = path.ok_or_else(|| RevertError::OtherRegistry(registry.to_string()))?;
        let image = ImageRef::parse(&format!("{}/{path}", upstreams::UPSTREAMS[0].host))
            .map_err(|_| RevertError::NotAReference)?;
        let candidates = self.rules.iter().filter_map(|rule| {
            rule.revert(image.repository())
                .map(|name| (rule.prefix_rank(), name))
        });
        let (_, name) = candidates
            .max_by_key(|&(rank, _)| rank)
            .ok_or(RevertError::NoPrefix)?;
        Ok(format!("{name}{}", image.suffix()))
    }

    /// The image that a name means: the one that its host fronts, where an alias says so.
    pub fn behind_alias(&self, name: Canonical) -> Canonical {
        match self.aliases.get(&name.host) {
            Some(host) => Canonical::new(host, &name.path),
            None => name,
        }
    }

    fn rewrite(&self, registry: &str, rule: usize, path: &str) -> Verdict {
        let repository = self.rules[rule].repository(path);
        if repository.len() > MAX_REPOSITORY {
            let detail = format!(
                "its ECR repository name would have {} characters, ECR allows {MAX_REPOSITORY}; use a shorter prefix",
                repository.len()
            );
            return Verdict::Keep(Reason::NoRule, detail);
        }
        Verdict::Rewrite {
            name: format!("{registry}/{repository}"),
            rule,
        }
    }

    /// What to say of an image that no rule fits.
    fn unmapped(name: &Canonical) -> Verdict {
        let host = &name.host;
        if ecr_host::is_ecr_host(host) {
            return Verdict::Keep(Reason::AlreadyEcr, "it is in another ECR registry".into());
        }
        if let Some(hint) = upstreams::unsupported_hint(host) {
            return Verdict::Keep(Reason::UnsupportedUpstream, hint.to_string());
        }
        let hint = if upstreams::is_supported(host) {
            format!("no rule maps `{name}`; add one for `{host}`")
        } else {
            format!(
                "no rule maps `{host}`, which Amazon ECR does not cache; `allow` it, copy the image into ECR, or alias the host if it fronts a supported registry"
            )
        };
        Verdict::Keep(Reason::NoRule, hint)
    }
}

/// The canonical name with the synonyms of the upstreams folded.
fn upstream_name(image: &ImageRef) -> Canonical {
    let canonical = image.canonical();
    Canonical::new(upstreams::canonical_host(&canonical.host), &canonical.path)
}

/// Why a reference has no upstream to go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevertError {
    /// It does not start with the target registry, given here.
    OtherRegistry(String),
    /// What follows the registry is no reference.
    NotAReference,
    /// No rule has its prefix.
    NoPrefix,
}

impl fmt::Display for RevertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRegistry(registry) => {
                write!(
                    f,
                    "is not in the target registry `{registry}`; give its registry with `--registry`"
                )
            }
            Self::NotAReference => f.write_str("is not an image reference"),
            Self::NoPrefix => {
                f.write_str("lies under the prefix of no rule; add the rule with `--rule`")
            }
        }
    }
}

impl std::error::Error for RevertError {}

/// Prefixes inside each other, or used twice: AWS documents no precedence between such rules.
fn overlapping_prefixes(rules: &[&Rule]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, outer) in rules.iter().enumerate() {
        for (other, inner) in rules.iter().enumerate() {
            let same_prefix = index < other && outer.prefix_text() == inner.prefix_text();
            if same_prefix && let Some((from, cache)) = move_to_cache(outer, inner) {
                // Caches keep their prefix: that is how one moves to another registry.
                if from.upstream_path() != Some(from.prefix_text()) {
                    warnings.push(format!(
                        "`{}` ({}) moves to the prefix `{}`, under which `{}` ({}) is cached; that is right only if the same is cached there, else give it a prefix of its own",
                        from.upstream(),
                        from.origin(),
                        from.prefix_text(),
                        cache.upstream(),
                        cache.origin()
                    ));
                }
            } else if same_prefix {
                warnings.push(format!(
                    "prefix `{}` stands for both `{}` ({}) and `{}` ({}), which AWS does not allow in one registry; give each its own",
                    outer.prefix_text(),
                    outer.upstream(),
                    outer.origin(),
                    inner.upstream(),
                    inner.origin()
                ));
            }
            if index != other && outer.covers_prefix_of(inner) {
                warnings.push(format!(
                    "prefix `{}` ({}) lies inside `{}` ({}), and AWS documents no precedence between them; choose prefixes that are apart",
                    inner.prefix_text(),
                    inner.origin(),
                    outer.prefix_text(),
                    outer.origin()
                ));
            }
        }
    }
    warnings
}

/// Which of two rules moves images from a registry of ECR to where the other one caches them.
fn move_to_cache<'r>(one: &'r Rule, other: &'r Rule) -> Option<(&'r Rule, &'r Rule)> {
    match (one.is_move(), other.is_move()) {
        (true, false) => Some((one, other)),
        (false, true) => Some((other, one)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
    const TARGET_DUAL: &str = "123456789012.dkr-ecr.us-west-2.on.aws";

    fn set(rules: &[&str]) -> RuleSet {
        let registry = EcrHost::parse(TARGET).unwrap();
        let rules = rules
            .iter()
            .map(|flag| Rule::parse_flag(flag).unwrap())
            .collect();
        RuleSet::new(Some(registry), rules).0
    }

    fn defaults() -> RuleSet {
        let aliases = [("registry.rocket.chat".to_string(), "docker.io".to_string())];
        RuleSet::new(Some(EcrHost::parse(TARGET).unwrap()), default_rules())
            .0
            .with_aliases(aliases.into())
    }

    /// The reference that comes out, the registry shortened to `R`, or the code of the reason.
    fn outcome(set: &RuleSet, text: &str) -> String {
        let image = ImageRef::parse(text).unwrap();
        match set.decide(&image) {
            Verdict::Rewrite { name, .. } => {
                format!("{name}{}", image.suffix()).replace(TARGET, "R")
            }
            Verdict::Keep(reason, _) => reason.code().to_string(),
        }
    }

    #[test]
    fn every_host_has_its_row() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let pinned = format!("quay.io/prometheus/prometheus:v3@{digest}");
        let pinned_after = format!("R/quay/prometheus/prometheus:v3@{digest}");
        let set = defaults();
        for (text, after) in [
            ("nginx", "R/docker-hub/library/nginx"),
            (
                "docker.io/nginx:latest",
                "R/docker-hub/library/nginx:latest",
            ),
            ("postgres:16", "R/docker-hub/library/postgres:16"),
            ("library/redis:7", "R/docker-hub/library/redis:7"),
            ("bitnami/wordpress", "R/docker-hub/bitnami/wordpress"),
            ("docker.io/library/foo/bar", "R/docker-hub/library/foo/bar"),
            (
                "index.docker.io/bitnami/redis:7",
                "R/docker-hub/bitnami/redis:7",
            ),
            (
                "registry-1.docker.io/library/x:1",
                "R/docker-hub/library/x:1",
            ),
            ("registry.hub.docker.com/x:1", "R/docker-hub/library/x:1"),
            (&pinned, &pinned_after),
            (
                "ghcr.io/amerintlxperts/my-app:v1.0.0",
                "R/ghcr/amerintlxperts/my-app:v1.0.0",
            ),
            ("registry.k8s.io/pause:3.9", "R/k8s/pause:3.9"),
            (
                "public.ecr.aws/amazonlinux/amazonlinux:2023",
                "R/public-ecr/amazonlinux/amazonlinux:2023",
            ),
            (
                "ecr-public.aws.com/docker/library/redis:8",
                "R/public-ecr/docker/library/redis:8",
            ),
            ("registry.gitlab.com/a/b/c:1", "R/gitlab/a/b/c:1"),
            (
                "cgr.dev/chainguard/static",
                "R/chainguard/chainguard/static",
            ),
            (
                "registry.rocket.chat/rocketchat/rocket.chat:7",
                "R/docker-hub/rocketchat/rocket.chat:7",
            ),
            (
                "mcr.microsoft.com/dotnet/aspnet:8.0",
                "unsupported-upstream",
            ),
            (
                "registry.access.redhat.com/ubi9/ubi:9",
                "unsupported-upstream",
            ),
            ("acme.azurecr.io/app:1", "no-rule"),
            ("registry.example.com:5000/app:1", "no-rule"),
            ("localhost/app", "no-rule"),
            (
                "123456789012.dkr.ecr.us-west-2.amazonaws.com/any/thing:1",
                "already-ecr",
            ),
            (
                "999999999999.dkr.ecr.eu-west-1.amazonaws.com/app:1",
                "already-ecr",
            ),
        ] {
            assert_eq!(outcome(&set, text), after, "{text}");
        }
    }

    #[test]
    fn a_stated_rule_maps_any_host() {
        let set = set(&[
            "mcr.microsoft.com=mcr",
            "registry.access.redhat.com=redhat",
            "registry.example.com:5000=first-party",
            "999999999999.dkr.ecr.eu-west-1.amazonaws.com=old",
        ]);
        for (text, after) in [
            (
                "mcr.microsoft.com/dotnet/aspnet:8.0",
                "R/mcr/dotnet/aspnet:8.0",
            ),
            (
                "registry.access.redhat.com/ubi9/ubi:9",
                "R/redhat/ubi9/ubi:9",
            ),
            ("registry.example.com:5000/app:1", "R/first-party/app:1"),
            (
                "999999999999.dkr.ecr.eu-west-1.amazonaws.com/app:1",
                "R/old/app:1",
            ),
        ] {
            assert_eq!(outcome(&set, text), after, "{text}");
        }
    }

    #[test]
    fn ecr_registries_are_upstreams_where_a_rule_says_so() {
        let other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
        let set = set(&[
            &format!("{other}/team=old"),
            &format!("{TARGET}=own"),
            "docker.io=docker-hub",
        ])
        .with_aliases([(other.replace("999", "888"), "docker.io".to_string())].into());
        for (text, in_ecr, after) in [
            (format!("{other}/team/app:1"), false, "R/old/app:1"),
            (format!("{other}/team:1"), true, "already-ecr"),
            (format!("{other}/else/app:1"), true, "already-ecr"),
            (
                format!("{}/a/b:1", other.replace("999", "888")),
                false,
                "R/docker-hub/a/b:1",
            ),
            (format!("{TARGET}/old/app:1"), true, "already-ecr"),
            (format!("{TARGET}/own/app:1"), true, "already-ecr"),
            (format!("{TARGET_DUAL}/own/app:1"), true, "already-ecr"),
            (
                "999999999999.dkr-ecr.eu-west-1.on.aws/team/app:1".into(),
                false,
                "R/old/app:1",
            ),
            (
                "999999999999.dkr.ecr-fips.eu-west-1.amazonaws.com/team/app:1".into(),
                false,
                "R/old/app:1",
            ),
            (
                "999999999999.dkr-ecr.us-east-1.on.aws/team/app:1".into(),
                true,
                "already-ecr",
            ),
        ] {
            assert_eq!(set.text_is_ecr(&text), in_ecr, "{text}");
            assert_eq!(outcome(&set, &text), after, "{text}");
        }
    }

    #[test]
    fn images_move_within_their_registry_once_in_each_of_its_spellings() {
        let prefixes = set(&[&format!("{TARGET}/docker=docker-hub")]);
        let again = set(&[&format!("{TARGET}/docker=dh"), &format!("{TARGET}=all")]);
        let spelling = RuleSet::new(
            EcrHost::parse(TARGET_DUAL).ok(),
            vec![Rule::parse_flag(&format!("{TARGET}=ROOT")).unwrap()],
        )
        .0;
        for (set, text, after) in [
            (
                &prefixes,
                format!("{TARGET}/docker/a/b:1"),
                "R/docker-hub/a/b:1",
            ),
            (
                &prefixes,
                format!("{TARGET_DUAL}/docker/a/b:1"),
                "R/docker-hub/a/b:1",
            ),
            (
                &prefixes,
                format!("{TARGET_DUAL}/docker-hub/a/b:1"),
                "already-ecr",
            ),
            (&again, format!("{TARGET}/docker/a:1"), "already-ecr"),
            (&again, format!("{TARGET_DUAL}/docker/a:1"), "already-ecr"),
            (
                &spelling,
                format!("{TARGET}/a/b:1"),
                "123456789012.dkr-ecr.us-west-2.on.aws/a/b:1",
            ),
            (&spelling, format!("{TARGET_DUAL}/a/b:1"), "already-ecr"),
        ] {
            assert_eq!(outcome(set, &text), after, "{text}");
            assert_eq!(set.text_is_ecr(&text), after == "already-ecr", "{text}");
        }
    }

    #[test]
    fn the_longest_upstream_wins_and_its_path_is_stripped() {
        let set = set(&[
            "ghcr.io=ghcr",
            "ghcr.io/acme=github",
            "docker.io/library=official",
        ]);
        for (text, after) in [
            ("ghcr.io/acme/app:1", "R/github/app:1"),
            ("ghcr.io/acme-two/app:1", "R/ghcr/acme-two/app:1"),
            ("ghcr.io/acme:1", "R/ghcr/acme:1"),
            ("nginx:1", "R/official/nginx:1"),
            ("bitnami/redis:1", "no-rule"),
        ] {
            assert_eq!(outcome(&set, text), after, "{text}");
        }
    }

    #[test]
    fn beginnings_change_only_when_everything_below_them_does() {
        let allow = |glob: &str| Allow::new(glob, None, Origin::BuiltIn).unwrap();
        let plain = set(&["docker.io=hub", "quay.io=quay", "ghcr.io/acme=github"]);
        let narrow = set(&["docker.io=hub", "docker.io/istio=mesh"]);
        let allowing = plain.clone().with_allow(vec![allow("quay.io/acme/*")]);
        let anything = plain.clone().with_allow(vec![allow("**/legacy")]);
        let moved = set(&[
            "999999999999.dkr.ecr.eu-west-1.amazonaws.com/team=apps",
            "999999999999.dkr.ecr.eu-west-1.amazonaws.com=old",
        ]);
        for (set, beginning, after) in [
            (&plain, "docker.io", "R/hub"),
            (&plain, "docker.io/istio", "R/hub/istio"),
            (&plain, "docker.io/library", "R/hub/library"),
            (&plain, "quay.io", "R/quay"),
            (&plain, "ghcr.io/acme", "R/github"),
            (&plain, "ghcr.io", "group-incomplete"),
            (&plain, "registry.example.com", "no-rule"),
            (&narrow, "docker.io", "group-incomplete"),
            (&narrow, "docker.io/istio", "R/mesh"),
            (&narrow, "docker.io/istio-testing", "R/hub/istio-testing"),
            (&allowing, "quay.io", "allowed"),
            (&allowing, "quay.io/acme", "allowed"),
            (&allowing, "quay.io/other", "R/quay/other"),
            (&anything, "quay.io", "allowed"),
            (&plain, "not a host", "not-an-image"),
            (
                &moved,
                "999999999999.dkr.ecr.eu-west-1.amazonaws.com",
                "group-incomplete",
            ),
            (
                &moved,
                "999999999999.dkr-ecr.eu-west-1.on.aws",
                "group-incomplete",
            ),
            (
                &moved,
                "999999999999.dkr-ecr.eu-west-1.on.aws/team",
                "R/apps",
            ),
            (
                &moved,
                "999999999999.dkr-ecr.eu-west-1.on.aws/else",
                "R/old/else",
            ),
        ] {
            let outcome = match set.decide_beginning(beginning) {
                Verdict::Rewrite { name, .. } => name.replace(TARGET, "R"),
                Verdict::Keep(reason, _) => reason.code().to_string(),
            };
            assert_eq!(outcome, after, "{beginning}");
        }
    }

    #[test]
    fn root_rules_have_no_prefix() {
        assert_eq!(
            outcome(&set(&["docker.io=ROOT"]), "nginx:1"),
            "R/library/nginx:1"
        );
    }

    #[test]
    fn library_can_be_left_out() {
        let rule = Rule::parse_flag("docker.io=docker-hub")
            .unwrap()
            .with_library(Library::Absent);
        let set = RuleSet::new(EcrHost::parse(TARGET).ok(), vec![rule]).0;
        for (text, after) in [
            ("docker.io/nginx:latest", "R/docker-hub/nginx:latest"),
            (
                "docker.io/library/nginx:latest",
                "R/docker-hub/nginx:latest",
            ),
            ("bitnami/redis", "R/docker-hub/bitnami/redis"),
        ] {
            assert_eq!(outcome(&set, text), after, "{text}");
        }
    }

    #[test]
    fn allowed_images_stay() {
        let allow = |glob: &str| Allow::new(glob, None, Origin::BuiltIn).unwrap();
        let set = defaults().with_allow(vec![
            allow("mcr.microsoft.com/**"),
            allow("docker.io/library/*"),
        ]);
        assert_eq!(outcome(&set, "mcr.microsoft.com/a/b:1"), "allowed");
        assert_eq!(outcome(&set, "nginx"), "allowed");
        assert_eq!(outcome(&set, "bitnami/redis"), "R/docker-hub/bitnami/redis");
    }

    #[test]
    fn names_that_ecr_cannot_store_stay() {
        let long = format!("quay.io/{}", "a".repeat(252));
        assert_eq!(outcome(&defaults(), &long), "no-rule");
        let fits = format!("quay.io/{}", "a".repeat(251));
        assert!(outcome(&defaults(), &fits).starts_with("R/quay/"));
    }

    #[test]
    fn placeholders_are_kept_as_text() {
        let registry = EcrHost::parse("${AWS_ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com").unwrap();
        let set = RuleSet::new(Some(registry), default_rules()).0;
        let image = ImageRef::parse("ghcr.io/amerintlxperts/my-app:v1.0.0").unwrap();
        let Verdict::Rewrite { name, .. } = set.decide(&image) else {
            panic!("no rewrite")
        };
        assert_eq!(
            name,
            "${AWS_ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com/ghcr/amerintlxperts/my-app"
        );
        assert!(set.text_is_ecr(&format!("{name}:v1.0.0")));
    }

    #[test]
    fn the_way_back_gives_the_same_canonical_image() {
        let set = defaults();
        for text in [
            "nginx:1.27",
            "bitnami/redis",
            "quay.io/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            let image = ImageRef::parse(text).unwrap();
            let Verdict::Rewrite { name, .. } = set.decide(&image) else {
                panic!("{text} stays")
            };
            let back = set.revert(&format!("{name}{}", image.suffix())).unwrap();
            assert_eq!(
                ImageRef::parse(&back).unwrap().canonical(),
                image.canonical()
            );
            assert!(back.ends_with(&image.suffix()));
        }
        assert_eq!(
            set.revert("nginx"),
            Err(RevertError::OtherRegistry(TARGET.into()))
        );
        assert_eq!(
            set.revert(&format!("{TARGET}/own/app:1")),
            Err(RevertError::NoPrefix)
        );
    }

    #[test]
    fn conflicts_between_rules_are_warned_of() {
        let warnings = |rules: &[&str]| {
            RuleSet::new(
                None,
                rules
                    .iter()
                    .map(|flag| Rule::parse_flag(flag).unwrap())
                    .collect(),
            )
            .1
        };
        assert!(
            warnings(&["quay.io=a1", "https://quay.io/=b1"])[0].contains("`a1` (`--rule`) wins")
        );
        assert!(
            warnings(&["docker.io=docker-hub", "quay.io=docker-hub/quay"])[0]
                .contains("lies inside")
        );
        assert!(warnings(&["docker.io=ROOT", "quay.io=quay"])[0].contains("lies inside `ROOT`"));
        assert!(warnings(&["docker.io=x1", "quay.io=x1"])[0].contains("stands for both"));
        assert!(warnings(&["docker.io=team-a", "quay.io=team-alpha"]).is_empty());
        // A cache moves to another registry and keeps its prefix.
        let old = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
        let moved = |path: &str| warnings(&["docker.io=hub", &format!("{old}{path}=hub")]);
        assert!(moved("/hub").is_empty(), "{:?}", moved("/hub"));
        for path in ["", "/team"] {
            assert!(moved(path)[0].contains("right only if the same is cached"));
        }
    }

    #[test]
    fn what_a_cache_holds_is_what_its_own_rule_says() {
        let old = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
        for flags in [
            ["docker.io=hub", "X/hub=hub"],
            ["X/hub=hub", "docker.io=hub"],
        ] {
            let flags = flags.map(|flag| flag.replace('X', old));
            let set = set(&[&flags[0], &flags[1]]);
            let text = format!("{TARGET}/hub/library/nginx:1");
            assert_eq!(set.revert(&text).unwrap(), "docker.io/library/nginx:1");
            let upstream = set.cached(&text).unwrap().upstream().to_string();
            assert_eq!(upstream, "docker.io/library/nginx");
        }
    }
}
