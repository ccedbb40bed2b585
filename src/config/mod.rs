//! The config file: what may stand in `.ecr-rewrite.yaml`, and errors that point at its lines.
//!
//! The text is read into [`Config`], whose values are valid: hosts parsed, rules checked, globs
//! compiled. Finding the file and combining it with the command line is the work of `settings`.

mod draft;
mod error;
mod places;
mod raw;
mod reader;
mod sites;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;

pub use draft::{Draft, rules_block};
pub use error::ConfigError;
use raw::RawConfig;
use reader::Reader;

use crate::findings::Levels;
use crate::helm::Known;
use crate::rules::{Allow, EcrHost, Origin, Rule};
use crate::sites::Stated;
pub use crate::walk::CONFIG_NAME as FILE_NAME;

/// A valid config.
#[derive(Debug, Default)]
pub struct Config {
    /// The target of files that no override matches.
    pub target: Target,
    /// Vendor hosts that front a supported upstream.
    pub aliases: BTreeMap<String, String>,
    /// Images that may stay.
    pub allow: Vec<Allow>,
    /// Globs of files to leave out, relative to the config's folder.
    pub exclude: Vec<String>,
    /// Places of the user's own that name images.
    pub sites: Stated,
    /// What is said of Helm charts.
    pub helm: Helm,
    /// Environments of their own, in order; the last that matches a file wins, field by field.
    pub overrides: Vec<Override>,
    /// The levels of findings.
    pub checks: Levels,
}

/// What the config says of Helm charts.
#[derive(Debug, Default)]
pub struct Helm {
    /// How charts that are not in the repository name their images, by the name of the chart.
    pub charts: BTreeMap<String, Arc<Known>>,
    /// Whether values may be given the key that lets Bitnami's charts render with other images.
    pub allows_insecure: bool,
}

/// Where images come from: each field may be missing.
#[derive(Debug, Default)]
pub struct Target {
    /// The whole registry host and the line that says so.
    pub registry: Option<(EcrHost, Origin)>,
    /// The account id.
    pub account: Option<(String, Origin)>,
    /// The region.
    pub region: Option<(String, Origin)>,
    /// The stated rules.
    pub rules: Option<Vec<Rule>>,
    /// A file with more of them, relative to the config's folder, and the line that names it.
    pub rules_from: Option<(PathBuf, Origin)>,
}

/// A target for some files.
#[derive(Debug)]
pub struct Override {
    /// The files, by globs relative to the config's folder.
    pub paths: GlobSet,
    /// The same as they are written.
    pub globs: Vec<String>,
    /// What is different for them.
    pub target: Target,
}

impl Config {
    /// Reads the config `text` of the file at `path` (for messages only).
    pub fn parse(path: &Path, text: &str) -> Result<Self, Box<ConfigError>> {
        let reader = Reader { path, text };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let options = serde_saphyr::options! { with_snippet: false };
        let raw: RawConfig = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| reader.not_readable(&error))?;
        reader.config(raw)
    }
}

/// The config that decides for `folder`: the first one met walking up, no further than the folder
/// that holds `.git`.
pub fn find(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        let candidate = folder.join(FILE_NAME);
        // A link that leads nowhere counts: the mistake is to be seen, not passed over.
        if candidate.is_file() || candidate.is_symlink() {
            return Some(candidate);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::sites::never_matches;
    use super::*;
    use crate::findings::{Code, Level};
    use crate::source::Lines;

    fn error(text: &str) -> String {
        let error = Config::parse(Path::new(FILE_NAME), text).unwrap_err();
        let line = Lines::new(text).position(error.offset).line;
        format!("{line}: {error} {}", error.help.as_deref().unwrap_or(""))
    }

    #[test]
    fn a_whole_config_is_read() {
        let config = Config::parse(
            Path::new(FILE_NAME),
            "registry: 123456789012.dkr.ecr.af-south-1.amazonaws.com\nrules:\n  - upstream: ghcr.io/acme\n    prefix: github\n  - {upstreamRegistryUrl: registry-1.docker.io, ecrRepositoryPrefix: hub, registryId: \"1\", createdAt: 1.5, library: false}\n  - {upstreamRegistryUrl: quay.io, ecrRepositoryPrefix: q1, upstreamRepositoryPrefix: team}\naliases: {registry.rocket.chat: registry-1.docker.io}\noverrides:\n  - paths: [\"environments/prod/**\"]\n    account: \"001234567890\"\nallow:\n  - {image: \"mcr.microsoft.com/**\", reason: no upstream}\nexclude: [\"**/testdata/**\", legacy]\n",
        )
        .unwrap();
        let rules: Vec<_> = config
            .target
            .rules
            .unwrap()
            .iter()
            .map(|rule| format!("{}={}", rule.upstream(), rule.prefix_text()))
            .collect();
        assert_eq!(
            rules,
            ["ghcr.io/acme=github", "docker.io=hub", "quay.io/team=q1"]
        );
        assert_eq!(config.aliases["registry.rocket.chat"], "docker.io");
        assert_eq!(
            config.overrides[0].target.account.as_ref().unwrap().0,
            "001234567890"
        );
        assert!(
            config.overrides[0]
                .paths
                .is_match("environments/prod/a/b.yaml")
        );
        assert_eq!(
            Config::parse(Path::new("x"), "rules: default\n")
                .unwrap()
                .target
                .rules
                .unwrap()
                .len(),
            7
        );
        assert!(Config::parse(Path::new("x"), "").is_ok());
        assert_eq!(
            Config::parse(Path::new("x"), "account: 001234567890\nregion: eu-west-1\n")
                .unwrap()
                .target
                .account
                .unwrap()
                .0,
            "001234567890"
        );
    }

    #[test]
    fn levels_of_findings_are_read() {
        let text = "checks:\n  no-rule: warn\n  digest-cold-cache: off\n  undecided: error\n  unparsed: info\n";
        let checks = Config::parse(Path::new("x"), text).unwrap().checks;
        for (code, level) in [
            (Code::NoRule, Level::Warn),
            (Code::DigestColdCache, Level::Off),
            (Code::Undecided, Level::Error),
            (Code::Unparsed, Level::Info),
            (Code::WrongLibrary, Level::Error),
            (Code::OtherRegistry, Level::Warn),
        ] {
            assert_eq!(checks.of(code), level, "{code}");
        }
    }

    #[test]
    fn globs_that_can_match_nothing_are_told() {
        for (glob, write) in [
            ("nginx", "docker.io/library/nginx"),
            ("bitnami/*", "docker.io/bitnami/*"),
            ("docker.io/nginx", "docker.io/library/nginx"),
            ("docker.io/*", "docker.io/library/*"),
            ("index.docker.io/bitnami/redis", "docker.io/bitnami/redis"),
            (
                "mcr.microsoft.com/dotnet/aspnet:8.0",
                "mcr.microsoft.com/dotnet/aspnet",
            ),
            ("quay.io/a/b@sha256:00", "quay.io/a/b"),
            ("quay.io/a/*:1", "quay.io/a/*"),
            ("nginx:1", "docker.io/library/nginx"),
            ("quay.io", "quay.io/**"),
            ("*nginx", "**/*nginx"),
        ] {
            let (_, help) = never_matches(glob).unwrap_or_else(|| panic!("{glob} is taken"));
            assert_eq!(help, format!("write `{write}`"), "{glob}");
        }
        for glob in [
            "mcr.microsoft.com/**",
            "docker.io/library/*",
            "docker.io/**",
            "docker.io/bitnami/redis",
            "reg.example.com:5000/app",
            "localhost/app",
            "**",
            "**/nginx",
            "*/library/nginx",
            "{docker.io,quay.io}/**",
            "docker.io/{library,bitnami}/x",
            "*.example.com/**",
        ] {
            assert_eq!(never_matches(glob), None, "{glob}");
        }
    }

    #[test]
    fn globs_that_are_too_large_together_are_a_mistake() {
        let globs: Vec<String> = (0..40)
            .map(|n| format!("\"{}{n}\"", "[a-z0-9]?*".repeat(400)))
            .collect();
        let text = format!(
            "overrides:\n  - paths: [{}]\n    account: \"001234567890\"\n",
            globs.join(", ")
        );
        match Config::parse(Path::new(FILE_NAME), &text) {
            Ok(config) => assert_eq!(config.overrides[0].paths.len(), 80),
            Err(error) => assert_eq!(Lines::new(&text).position(error.offset).line, 2),
        }
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (text, wanted) in [
            ("a: 1\n", "1: unknown key `a`"),
            (
                "rules: default\nregisty: x\n",
                "2: unknown key `registy` did you mean `registry`?",
            ),
            (
                "registry: 123456789.dkr.ecr.us-west-2.amazonaws.com\n",
                "1: account id `123456789` has 9 digits",
            ),
            (
                "registry: 123456789012.dkr.ecr.us-west-2.amazonaws.com\nregion: x\n",
                "1: `registry` stands beside",
            ),
            ("account: \"1\"\n", "1: account id `1` has 1 digits"),
            ("rules: some\n", "1: `rules: some` is neither"),
            (
                "rules:\n  - upstream: docker.io\n",
                "the key `prefix` is missing",
            ),
            (
                "rules:\n  - {upstream: docker.io, prefix: X}\n",
                "2: prefix `X` has 1 characters",
            ),
            (
                "aliases:\n  a.io: b.io\n  b.io: c.io\n",
                "2: alias `a.io` leads to another alias",
            ),
            ("exclude: [\"a{\"]\n", "1: error parsing glob"),
            (
                "checks:\n  no-rules: warn\n",
                "2: unknown code `no-rules` did you mean `no-rule`?",
            ),
            (
                "checks: {zzz: off}\n",
                "1: unknown code `zzz` known codes: not-through-ecr,",
            ),
            (
                "helm:\n  charts: {a: {registry: docker.io/x}}\n",
                "2: `docker.io/x` is no registry",
            ),
            (
                "checks:\n  no-rule: warning\n",
                "2: `warning` is no level a level is `error`",
            ),
            ("checks: [no-rule]\n", "1: "),
            ("checks: {no-rule: off, no-rule: off}\n", "1: "),
            (
                "allow:\n  - {image: \"nginx\"}\n",
                "2: `nginx` can match no image: names have a host in front write `docker.io/library/nginx`",
            ),
            ("registry: [\n", ""),
            ("rules: default\nrules: default\n", "2: "),
        ] {
            let error = error(text);
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }
}
