//! The way back: from an image in the cache to that of the upstream.

use std::fmt;

use super::{RuleSet, upstreams};
use crate::image::ImageRef;

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

impl RuleSet {
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
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::trial::{TARGET, defaults, set};
    use super::*;

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
