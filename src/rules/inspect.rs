//! What a set of rules says of images that are in ECR already, and of itself: the questions that
//! checks and reports ask. [`RuleSet::decide`] does not need any of it.

use super::ecr_host::{ecr_host_of, same_registry};
use super::set::upstream_name;
use super::{Origin, Rule, RuleSet};
use crate::image::{Canonical, ImageRef};

/// An image in ECR, under the prefix of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cached<'a> {
    /// The registry host as written.
    pub host: &'a str,
    /// The rule with the longest prefix that fits.
    pub rule: &'a Rule,
    /// The path below the prefix.
    pub path: &'a str,
    /// What follows the name: tag, digest, or whatever fills them in.
    pub suffix: &'a str,
}

/// Where an ECR image lies, as seen from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the target, or no target is known.
    Here,
    /// In another account or region.
    Elsewhere,
    /// A placeholder keeps that open.
    Unknown,
}

impl RuleSet {
    /// The canonical name of an image, which the globs of `allow` are matched with.
    pub fn canonical(&self, image: &ImageRef) -> Canonical {
        upstream_name(image)
    }

    /// The rule that maps the image of this canonical name, whatever else may keep it where it is.
    pub fn mapping(&self, name: &Canonical) -> Option<&Rule> {
        let meant = self.behind_alias(name.clone());
        let fits = |rule: &&Rule| rule.strip(&meant).is_some();
        self.rules
            .iter()
            .rev()
            .filter(fits)
            .max_by_key(|rule| rule.upstream_len())
    }

    /// Whether a rule maps the image of this canonical name.
    pub fn maps(&self, name: &Canonical) -> bool {
        self.mapping(name).is_some()
    }

    /// The rule that was stated at `origin` and put `to` where it is.
    pub fn rule_behind(&self, to: &str, origin: &Origin) -> Option<&Rule> {
        let path = to.strip_prefix(self.registry_text())?.strip_prefix('/')?;
        let stated = || self.rules.iter().filter(|rule| rule.origin() == origin);
        stated()
            .filter(|rule| rule.below_prefix(path).is_some())
            .max_by_key(|rule| rule.prefix_rank())
            .or_else(|| stated().find(|rule| rule.prefix_len() == 0))
    }

    /// Reads the text of a site as an image in ECR under the prefix of a rule. A rule without a
    /// prefix (`ROOT`) fits nothing: everything else in the registry would be under it.
    pub fn cached<'a>(&'a self, text: &'a str) -> Option<Cached<'a>> {
        let target = self.registry.as_ref().map(super::EcrHost::as_str);
        let in_target = |registry: &&str| {
            text.strip_prefix(registry)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let host = match target.filter(in_target) {
            Some(target) => &text[..target.len()],
            None => ecr_host_of(text)?,
        };
        let path = &text[host.len() + 1..];
        let name = &path[..path.find([':', '@']).unwrap_or(path.len())];
        if name.contains(['{', '$', '<', '%', ' ']) {
            return None;
        }
        let below = |rule: &'a Rule| Some((rule, rule.below_prefix(name)?));
        let (rule, below) = self
            .rules
            .iter()
            .filter_map(below)
            .max_by_key(|(rule, _)| rule.prefix_rank())?;
        Some(Cached {
            host,
            rule,
            path: below,
            suffix: &path[name.len()..],
        })
    }

    /// Where the host of an ECR image lies.
    pub fn place_of(&self, host: &str) -> Place {
        let Some(target) = &self.registry else {
            return Place::Here;
        };
        if target.as_str() == host {
            return Place::Here;
        }
        match same_registry(target.as_str(), host) {
            Some(true) => Place::Here,
            Some(false) => Place::Elsewhere,
            None => Place::Unknown,
        }
    }

    /// The allowed images, by the place that says so, and whether each allows this one.
    pub fn allows<'a>(&'a self, image: &Canonical) -> impl Iterator<Item = (&'a Origin, bool)> {
        let name = image.to_string();
        self.allow
            .iter()
            .map(move |allow| (&allow.origin, allow.matcher.is_match(&name)))
    }

    /// The hosts that have an alias.
    pub fn aliased_hosts(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().map(String::as_str)
    }

    /// Rules that no image can reach, because an alias makes another host of theirs.
    pub fn dead_rules(&self) -> impl Iterator<Item = (&Rule, &str)> {
        self.rules.iter().filter_map(|rule| {
            let other = self.aliases.get(rule.host())?;
            Some((rule, other.as_str()))
        })
    }
}

impl Cached<'_> {
    /// The name of the image that the cache holds (`docker.io/library/nginx`).
    pub fn upstream(&self) -> Canonical {
        let path = match self.rule.upstream_path() {
            Some(above) => format!("{above}/{}", self.path),
            None => self.path.to_string(),
        };
        Canonical::new(self.rule.host(), &path)
    }

    /// The reference that the cache can serve, when this one cannot be served: Docker Hub's official
    /// images stand under `library/`, and nothing else does.
    pub fn right_library(&self) -> Option<String> {
        let path = self.rule.right_library(self.path)?;
        let Self {
            host, rule, suffix, ..
        } = self;
        Some(format!("{host}/{}/{path}{suffix}", rule.prefix_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{EcrHost, Library, default_rules};

    const R: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn set(registry: Option<&str>, rules: Vec<Rule>) -> RuleSet {
        let registry = registry.map(|registry| EcrHost::parse(registry).unwrap());
        RuleSet::new(registry, rules).0
    }

    fn right(set: &RuleSet, text: &str) -> Option<String> {
        set.cached(text)?.right_library()
    }

    #[test]
    fn library_belongs_to_official_images_only() {
        let set = set(Some(R), default_rules());
        for (path, after) in [
            ("docker-hub/nginx:1", Some("docker-hub/library/nginx:1")),
            ("docker-hub/nginx", Some("docker-hub/library/nginx")),
            (
                "docker-hub/nginx:{{ .t }}",
                Some("docker-hub/library/nginx:{{ .t }}"),
            ),
            (
                "docker-hub/library/bitnami/x:1",
                Some("docker-hub/bitnami/x:1"),
            ),
            ("docker-hub/library/nginx:1", None),
            ("docker-hub/bitnami/x:1", None),
            ("docker-hub-two/nginx:1", None),
            ("quay/nginx:1", None),
            ("app:1", None),
            ("docker-hub/{{ .x }}:1", None),
        ] {
            let after = after.map(|after| format!("{R}/{after}"));
            assert_eq!(right(&set, &format!("{R}/{path}")), after, "{path}");
        }
        let flags = |flag: &str| vec![Rule::parse_flag(flag).unwrap()];
        let absent = flags("docker.io=docker-hub")
            .remove(0)
            .with_library(Library::Absent);
        for (rules, path) in [
            (vec![absent], "docker-hub/nginx"),
            (flags("docker.io=ROOT"), "nginx"),
            (flags("docker.io/bitnami=bitnami"), "bitnami/redis"),
        ] {
            assert_eq!(
                right(&self::set(Some(R), rules), &format!("{R}/{path}")),
                None,
                "{path}"
            );
        }
    }

    #[test]
    fn other_registries_are_told_from_other_spellings() {
        let set = set(Some(R), default_rules());
        for (host, place) in [
            (R, Place::Here),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", Place::Here),
            (
                "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com",
                Place::Here,
            ),
            (
                "999999999999.dkr.ecr.eu-west-1.amazonaws.com",
                Place::Elsewhere,
            ),
            (
                "123456789012.dkr.ecr.us-east-1.amazonaws.com",
                Place::Elsewhere,
            ),
            ("${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", Place::Unknown),
            (
                "${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
                Place::Elsewhere,
            ),
        ] {
            assert_eq!(set.place_of(host), place, "{host}");
        }
        let nowhere = self::set(None, default_rules());
        assert_eq!(nowhere.place_of(R), Place::Here);
        assert_eq!(nowhere.registry_text(), "<registry>");
        let placeholder = self::set(Some("${ECR}"), default_rules());
        assert_eq!(placeholder.place_of(R), Place::Unknown);
    }

    #[test]
    fn the_rule_behind_a_change_is_found() {
        let rules = [
            "docker.io=hub",
            "docker.io/bitnami=hub/bitnami",
            "quay.io=quay",
        ];
        let rules = rules
            .iter()
            .map(|flag| Rule::parse_flag(flag).unwrap())
            .collect();
        let set = set(Some(R), rules);
        let rule = |path: &str| {
            let rule = set.rule_behind(&format!("{R}/{path}"), &Origin::Flag("--rule"));
            rule.map(Rule::upstream)
        };
        assert_eq!(rule("hub/library/nginx:1").as_deref(), Some("docker.io"));
        assert_eq!(
            rule("hub/bitnami/redis").as_deref(),
            Some("docker.io/bitnami")
        );
        assert_eq!(rule("else/where"), None);
        assert_eq!(
            set.rule_behind(&format!("{R}/quay/a"), &Origin::BuiltIn),
            None
        );
    }
}
