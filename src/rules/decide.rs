//! What becomes of one image: [`RuleSet::decide`], a pure function from a reference to a [`Verdict`], and
//! whether a text names an image that is where it should be.

use super::set::upstream_name;
use super::{Rule, RuleSet, ecr_host, upstreams};
use crate::image::{Canonical, ImageRef};
use crate::reason::Reason;

/// Hosts of images that are loaded onto the nodes, of which Knative and ko resolve no tags (Knative Serving,
/// `registries-skipping-tag-resolving`).
const LOCAL: &[&str] = &["kind.local", "dev.local", "ko.local"];

/// The longest repository name that a reference may have, in characters (`distribution/reference`); ECR would
/// take one more (ECR API, `RepositoryName`).
const MAX_REPOSITORY: usize = 255;

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

impl RuleSet {
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

    /// What becomes of an image. Tag and digest are never looked at: they stay as they are.
    ///
    /// ```
    /// use ecr_rewrite::image::ImageRef;
    /// use ecr_rewrite::reason::Reason;
    /// use ecr_rewrite::rules::{EcrHost, Origin, Rule, RuleSet, Verdict};
    ///
    /// let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?;
    /// let rules = vec![
    ///     Rule::new("docker.io", "docker-hub", Origin::BuiltIn)?,
    ///     Rule::new("ghcr.io/acme", "github", Origin::BuiltIn)?,
    /// ];
    /// let (rules, warnings) = RuleSet::new(Some(registry), rules);
    /// assert!(warnings.is_empty());
    /// for (image, wanted) in [
    ///     ("nginx:1.27", "docker-hub/library/nginx"),
    ///     ("ghcr.io/acme/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "github/app"),
    /// ] {
    ///     let Verdict::Rewrite { name, .. } = rules.decide(&ImageRef::parse(image)?) else {
    ///         panic!("{image} stays");
    ///     };
    ///     assert_eq!(name, format!("{}/{wanted}", rules.registry_text()));
    /// }
    /// let other = rules.decide(&ImageRef::parse("ghcr.io/other/app:1")?);
    /// assert!(matches!(other, Verdict::Keep(Reason::NoRule, _)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
            Some((index, path)) => match self.moves_again(index, path) {
                Some(detail) => Verdict::Keep(Reason::NoRule, detail),
                None => self.rewrite(registry, index, path),
            },
            None => Self::unmapped(&meant),
        }
    }

    /// What to say of an image whose place in the target registry is one that another rule moves its images
    /// away from: nobody can tell which of the two prefixes holds it.
    fn moves_again(&self, rule: usize, path: &str) -> Option<String> {
        let place = Canonical::new(self.registry_text(), &self.rules[rule].repository(path));
        let (other, _) = self.within(&place)?;
        let (rule, other) = (&self.rules[rule], &self.rules[other]);
        Some(format!(
            "`{}` goes to `{}` ({}), and what lies there goes to `{}` ({}); map `{}` to `{}`, once that prefix caches it",
            rule.upstream(),
            rule.prefix_text(),
            rule.origin(),
            other.prefix_text(),
            other.origin(),
            rule.upstream(),
            other.prefix_text()
        ))
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

    fn rewrite(&self, registry: &str, rule: usize, path: &str) -> Verdict {
        let repository = self.rules[rule].repository(path);
        if repository.len() > MAX_REPOSITORY {
            let detail = format!(
                "its ECR repository name would have {} characters, references allow {MAX_REPOSITORY}; use a shorter prefix",
                repository.len()
            );
            return Verdict::Keep(Reason::NoRule, detail);
        }
        if let Some(other) = self.served_by_another(rule, &repository) {
            return Verdict::Keep(
                Reason::NoRule,
                self.of_two_prefixes(rule, other, &repository),
            );
        }
        Verdict::Rewrite {
            name: format!("{registry}/{repository}"),
            rule,
        }
    }

    /// The rule that ECR would ask for a repository in place of `rule`: the one with the longest prefix that
    /// it lies under (AWS, "Pull through cache rules"), unless that caches the same image.
    fn served_by_another(&self, rule: usize, repository: &str) -> Option<&Rule> {
        let own = &self.rules[rule];
        let longer = self.rules.iter().filter(|other| {
            other.prefix_len() > own.prefix_len() && other.below_prefix(repository).is_some()
        });
        let other = longer.max_by_key(|other| other.prefix_len())?;
        (other.revert(repository) != own.revert(repository)).then_some(other)
    }

    /// What to say of an image whose repository another rule serves.
    pub(super) fn of_two_prefixes(&self, rule: usize, other: &Rule, repository: &str) -> String {
        let rule = &self.rules[rule];
        format!(
            "`{repository}` is where `{}` ({}) puts it, and lies under the prefix `{}` of `{}` ({}): ECR would give another image; give one of the two rules a prefix that the other does not begin with",
            rule.upstream(),
            rule.origin(),
            other.prefix_text(),
            other.upstream(),
            other.origin()
        )
    }

    /// What to say of an image that no rule fits.
    fn unmapped(name: &Canonical) -> Verdict {
        let host = &name.host;
        if ecr_host::is_ecr_host(host) {
            return Verdict::Keep(Reason::AlreadyEcr, "it is in another ECR registry".into());
        }
        if LOCAL.contains(&host.as_str()) {
            let detail = "nothing pulls it: images of this host are put onto the nodes";
            return Verdict::Keep(Reason::BuildOutput, detail.into());
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

#[cfg(test)]
mod tests {
    use super::super::trial::{TARGET, defaults, outcome, set};
    use super::super::{Allow, EcrHost, Library, Origin, default_rules};
    use super::*;

    const TARGET_DUAL: &str = "123456789012.dkr-ecr.us-west-2.on.aws";

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
            ("ko.local/app", "build-output"),
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
    fn a_place_that_another_rule_serves_is_none() {
        let set = set(&[
            "docker.io=ROOT",
            "quay.io=hub",
            "ghcr.io=hub/acme",
            "quay.io/same=hub/same",
        ]);
        for (text, after) in [
            ("quay.io/other/app:1", "R/hub/other/app:1"),
            ("quay.io/acme/app:1", "no-rule"),
            ("quay.io/acme", "R/hub/acme"),
            ("quay.io/acme-b/app", "R/hub/acme-b/app"),
            ("ghcr.io/acme/app", "R/hub/acme/acme/app"),
            ("quay.io/same/app", "R/hub/same/app"),
            ("nginx", "R/library/nginx"),
            ("hub/app", "no-rule"),
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
    fn what_would_move_again_stays() {
        let set = set(&[
            "docker.io=dh",
            "quay.io=quay",
            &format!("{TARGET}/dh=docker-hub"),
        ]);
        assert_eq!(outcome(&set, "nginx:1"), "no-rule");
        assert_eq!(outcome(&set, "quay.io/a/b:1"), "R/quay/a/b:1");
        let moved = outcome(&set, &format!("{TARGET}/dh/library/nginx:1"));
        assert_eq!(moved, "R/docker-hub/library/nginx:1");
        let Verdict::Keep(_, detail) = set.decide(&ImageRef::parse("nginx:1").unwrap()) else {
            panic!("it is rewritten");
        };
        assert!(
            detail.contains("map `docker.io` to `docker-hub`"),
            "{detail}"
        );
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
    fn names_that_no_reference_may_have_stay() {
        let long = format!("quay.io/{}", "a".repeat(251));
        assert_eq!(outcome(&defaults(), &long), "no-rule");
        let fits = format!("quay.io/{}", "a".repeat(250));
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
}
