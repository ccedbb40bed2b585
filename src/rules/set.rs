//! Everything that decides an image for one target, put together: the registry, the rules, the aliases of
//! vendors' hosts, and the images that may stay.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet};

use super::{EcrHost, Origin, Rule, upstreams};
use crate::globs;
use crate::image::{Canonical, ImageRef};

/// Stands for the registry while none is known.
const NO_REGISTRY: &str = "<registry>";

/// An image that may stay where it is.
#[derive(Clone, Debug)]
pub struct Allow {
    /// The glob as it is written.
    pub(super) glob: String,
    pub(super) matcher: GlobSet,
    pub(super) reason: Option<String>,
    pub(super) origin: Origin,
}

impl Allow {
    /// Allows the images whose canonical name (`docker.io/library/nginx`) matches `glob`; `*` stays
    /// within one path component, `**` does not.
    pub fn new(glob: &str, reason: Option<String>, origin: Origin) -> Result<Self, globset::Error> {
        let matcher = GlobBuilder::new(glob).literal_separator(true).build()?;
        Ok(Self {
            glob: glob.to_string(),
            matcher: globs::ready(matcher)?,
            reason,
            origin,
        })
    }
}

/// Everything that decides an image for one target.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub(super) registry: Option<EcrHost>,
    pub(super) rules: Vec<Rule>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) allow: Vec<Allow>,
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

    /// The registry that references are made with: the target, or `<registry>` while none is known.
    pub fn registry_text(&self) -> &str {
        self.registry.as_ref().map_or(NO_REGISTRY, EcrHost::as_str)
    }

    /// The rules, the first of each upstream.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether both sets send every image to the same place.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |(one, other): (&Rule, &Rule)| one.agrees_with(other);
        self.registry == other.registry
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(same)
    }

    /// The image that a name means: the one that its host fronts, where an alias says so.
    pub fn behind_alias(&self, name: Canonical) -> Canonical {
        match self.aliases.get(&name.host) {
            Some(host) => Canonical::new(host, &name.path),
            None => name,
        }
    }
}

/// The canonical name with the synonyms of the upstreams folded.
pub(super) fn upstream_name(image: &ImageRef) -> Canonical {
    let canonical = image.canonical();
    Canonical::new(upstreams::canonical_host(&canonical.host), &canonical.path)
}

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
}
