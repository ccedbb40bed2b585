//! The way back: from an image in the cache to that of the upstream.

use std::fmt;

use super::{Place, RuleSet, Verdict, upstreams};
use crate::image::{ImageRef, begins_with_host};

/// Stands for what is below the address of charts: two components, which no `library/` belongs to.
const BELOW: &str = "/x/x";

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

    /// The address upstream of charts whose address is one in ECR (`oci://R/docker-hub/bitnamicharts`), with
    /// the host by which the upstream's registry is reached (`oci://registry-1.docker.io/bitnamicharts`).
    /// Without a scheme, it is one in an OCI registry, too. `None` for every other address.
    pub fn chart_upstream(&self, address: &str) -> Option<String> {
        let (scheme, rest) = in_registry(address)?;
        let text = format!("{}{BELOW}", rest.trim_end_matches('/'));
        let cached = self.cached(&text);
        let cached = cached.filter(|cached| self.place_of(cached.host) == Place::Here);
        let name = match cached {
            Some(cached) => cached.upstream().to_string(),
            None => self.revert(&text).ok()?,
        };
        let name = name.strip_suffix(BELOW)?;
        let (host, path) = name.split_at(name.find('/').unwrap_or(name.len()));
        Some(format!("{scheme}{}{path}", upstreams::url_of(host)))
    }

    /// The address upstream of charts that a rewrite would give one in ECR. That leaves no trace of the spelling
    /// of the host, or of its alias: who knows charts by where they come from has to know them by the same
    /// before and after.
    pub fn chart_moved(&self, address: &str) -> Option<String> {
        let (scheme, rest) = in_registry(address)?;
        let rest = rest.trim_end_matches('/');
        match self.decide_beginning(rest) {
            Verdict::Rewrite { name, .. } if begins_with_host(rest) => {
                self.chart_upstream(&format!("{scheme}{name}"))
            }
            _ => None,
        }
    }
}

/// The scheme and the rest of an address of charts in an OCI registry.
fn in_registry(address: &str) -> Option<(&'static str, &str)> {
    match address.split_once("://") {
        Some(("oci", rest)) => Some(("oci://", rest)),
        Some(_) => None,
        None => Some(("", address)),
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
    fn addresses_of_charts_go_back_to_their_upstream() {
        let plain = defaults();
        let none = RuleSet::new(None, crate::rules::default_rules()).0;
        let narrow = set(&["ghcr.io/prometheus-community=prom", "docker.io=ROOT"]);
        for (set, address, wanted) in [
            (
                &plain,
                "oci://R/docker-hub/bitnamicharts",
                Some("oci://registry-1.docker.io/bitnamicharts"),
            ),
            (
                &plain,
                "oci://R/docker-hub/bitnamicharts/",
                Some("oci://registry-1.docker.io/bitnamicharts"),
            ),
            (
                &plain,
                "R/docker-hub/bitnamicharts",
                Some("registry-1.docker.io/bitnamicharts"),
            ),
            (
                &plain,
                "oci://R/docker-hub",
                Some("oci://registry-1.docker.io"),
            ),
            (
                &plain,
                "oci://R/ghcr/org/charts/app",
                Some("oci://ghcr.io/org/charts/app"),
            ),
            (&plain, "https://R/ghcr/org/charts", None),
            (&plain, "oci://R/own/charts", None),
            (
                &plain,
                "oci://999999999999.dkr.ecr.eu-west-1.amazonaws.com/ghcr/org",
                None,
            ),
            (&plain, "oci://ghcr.io/org/charts", None),
            (&plain, "file://../x", None),
            (
                &none,
                "oci://R/ghcr/org/charts",
                Some("oci://ghcr.io/org/charts"),
            ),
            (
                &narrow,
                "oci://R/prom/charts",
                Some("oci://ghcr.io/prometheus-community/charts"),
            ),
            (
                &narrow,
                "oci://R/bitnamicharts",
                Some("oci://registry-1.docker.io/bitnamicharts"),
            ),
        ] {
            let address = address.replace("R/", &format!("{TARGET}/"));
            assert_eq!(set.chart_upstream(&address).as_deref(), wanted, "{address}");
        }
    }

    #[test]
    fn addresses_of_charts_are_known_by_the_same_before_and_after() {
        let aliases = [("charts.example.com".to_string(), "ghcr.io".to_string())];
        let set = defaults().with_aliases(aliases.into());
        for (address, wanted) in [
            (
                "oci://docker.io/bitnamicharts",
                Some("oci://registry-1.docker.io/bitnamicharts"),
            ),
            (
                "oci://registry-1.docker.io/bitnamicharts/",
                Some("oci://registry-1.docker.io/bitnamicharts"),
            ),
            ("oci://charts.example.com/acme", Some("oci://ghcr.io/acme")),
            ("index.docker.io/acme", Some("registry-1.docker.io/acme")),
            ("bitnami", None),
            ("https://docker.io/acme", None),
            ("oci://registry.example.com/acme", None),
        ] {
            assert_eq!(set.chart_moved(address).as_deref(), wanted, "{address}");
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
