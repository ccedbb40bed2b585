//! What becomes of a text with which the names of several images begin.

use super::set::upstream_name;
use super::{RuleSet, Verdict};
use crate::image::ImageRef;
use crate::reason::Reason;

impl RuleSet {
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
            let literal = allow.glob.split(['*', '?', '[', '{']).next().unwrap_or("");
            literal.starts_with(below) || below.starts_with(literal)
        });
        if allowed {
            let detail = "some of the images that it stands for are allowed to stay; give the images their whole names";
            return Verdict::Keep(Reason::Allowed, detail.into());
        }
        match self.decide(&image) {
            Verdict::Rewrite { name, rule } => match name.strip_suffix(sample) {
                Some(name) if self.is_shared(name, rule) => Verdict::Keep(
                    Reason::GroupIncomplete,
                    format!(
                        "another rule serves a part of what stands below `{name}`; give one of the two a prefix that the other does not begin with"
                    ),
                ),
                Some(name) => Verdict::Rewrite {
                    name: name.to_string(),
                    rule,
                },
                None => Verdict::Keep(Reason::NoRule, "its path is not kept in ECR".into()),
            },
            keep @ Verdict::Keep(..) => keep,
        }
    }

    /// Whether a rule with a longer prefix serves a part of the places below `name`.
    fn is_shared(&self, name: &str, rule: usize) -> bool {
        let below = name.strip_prefix(self.registry_text()).unwrap_or(name);
        let below = below.trim_start_matches('/');
        let own = &self.rules[rule];
        self.rules.iter().any(|other| {
            let longer = other.prefix_len() > own.prefix_len();
            longer && (below.is_empty() || other.is_prefixed_by(below))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{TARGET, set};
    use super::super::{Allow, Origin};
    use super::*;

    #[test]
    fn beginnings_change_only_when_everything_below_them_does() {
        let allow = |glob: &str| Allow::new(glob, None, Origin::BuiltIn).unwrap();
        let plain = set(&["docker.io=hub", "quay.io=quay", "ghcr.io/acme=github"]);
        let narrow = set(&["docker.io=hub", "docker.io/istio=mesh"]);
        let shared = set(&["docker.io=hub", "ghcr.io=hub/acme"]);
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
            (&shared, "docker.io", "group-incomplete"),
            (&shared, "docker.io/acme", "no-rule"),
            (&shared, "docker.io/other", "R/hub/other"),
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
}
