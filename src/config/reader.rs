//! Raw values become valid ones, or errors at their place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::NamedSource;
use serde_saphyr::{Location, Spanned};

use super::raw::{RawAllow, RawChecks, RawConfig, RawOverride, RawRule, RawRules, RawTarget};
use super::sites::never_matches;
use super::{Config, ConfigError, Override, Target};
use crate::findings::{Code, Level, Levels, UnknownCode};
use crate::globs::path_globs;
use crate::rules::upstreams::canonical_host;
use crate::rules::{Allow, EcrHost, Library, Origin, Rule, default_rules};
use crate::words::closest;

/// Turns raw values into valid ones, or into errors at their place.
pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

pub(super) type Read<T> = Result<T, Box<ConfigError>>;

impl Reader<'_> {
    /// The config that the raw one means.
    pub(super) fn config(&self, raw: RawConfig) -> Read<Config> {
        let target = self.target(RawTarget {
            registry: raw.registry,
            account: raw.account,
            region: raw.region,
            rules: raw.rules,
            rules_from: raw.rules_from,
        })?;
        Ok(Config {
            target,
            checks: self.checks(raw.checks)?,
            aliases: self.aliases(raw.aliases)?,
            allow: raw
                .allow
                .into_iter()
                .map(|allow| self.allow(allow))
                .collect::<Read<_>>()?,
            exclude: raw
                .exclude
                .iter()
                .map(|glob| self.glob(glob))
                .collect::<Read<_>>()?,
            sites: self.sites(raw.sites)?,
            helm: self.helm(raw.helm)?,
            overrides: raw
                .overrides
                .into_iter()
                .map(|raw| self.overriding(raw))
                .collect::<Read<_>>()?,
        })
    }

    fn target(&self, raw: RawTarget) -> Read<Target> {
        let RawTarget {
            registry,
            account,
            region,
            rules,
            rules_from,
        } = raw;
        if let (Some(registry), true) = (&registry, account.is_some() || region.is_some()) {
            let message = "`registry` stands beside `account` or `region`".to_string();
            let help = "keep the one or the others: a registry host holds both";
            return Err(self.error(message, help, registry.referenced));
        }
        let probe =
            |value: Option<Spanned<String>>,
             check: fn(&str) -> Result<EcrHost, crate::rules::ecr_host::HostError>| {
                value
                    .map(|value| match check(&value.value) {
                        Ok(_) => Ok((value.value, self.origin(value.referenced))),
                        Err(error) => Err(self.error(error.to_string(), "", value.referenced)),
                    })
                    .transpose()
            };
        Ok(Target {
            registry: registry.map(|value| self.registry(&value)).transpose()?,
            account: probe(account, |account| {
                EcrHost::from_account(account, "eu-west-1")
            })?,
            region: probe(region, |region| {
                EcrHost::from_account("000000000000", region)
            })?,
            rules: rules.map(|rules| self.rules(rules)).transpose()?,
            rules_from: rules_from.map(|path| self.rules_from(&path)).transpose()?,
        })
    }

    fn rules_from(&self, path: &Spanned<String>) -> Read<(PathBuf, Origin)> {
        let named = Path::new(&path.value);
        let problem = if path.value.is_empty() || path.value == "-" {
            "names no file"
        } else if named.is_absolute() {
            "is not within the repository"
        } else {
            return Ok((named.to_path_buf(), self.origin(path.referenced)));
        };
        let message = format!("`rulesFrom: {}` {problem}", path.value);
        let help =
            "write a path that counts from the config's folder, as in `infra/ecr-rules.json`";
        Err(self.error(message, help, path.referenced))
    }

    fn registry(&self, value: &Spanned<String>) -> Read<(EcrHost, Origin)> {
        match EcrHost::parse(&value.value) {
            Ok(host) => Ok((host, self.origin(value.referenced))),
            Err(error) => Err(self.error(error.to_string(), "", value.referenced)),
        }
    }

    fn rules(&self, rules: Spanned<RawRules>) -> Read<Vec<Rule>> {
        match rules.value {
            RawRules::Word(word) if word == "default" => Ok(default_rules()),
            RawRules::Word(word) => {
                let message = format!("`rules: {word}` is neither `default` nor a list");
                let help = "write `rules: default` for the built-in prefixes, or a list of `upstream` and `prefix`";
                Err(self.error(message, help, rules.referenced))
            }
            RawRules::List(list) => list.into_iter().map(|rule| self.rule(rule)).collect(),
        }
    }

    fn rule(&self, rule: Spanned<RawRule>) -> Read<Rule> {
        let Spanned {
            value: raw,
            referenced,
            ..
        } = rule;
        let upstream = match raw.upstream_prefix.as_deref() {
            None | Some("ROOT") => raw.upstream,
            Some(path) => format!("{}/{path}", raw.upstream.trim_end_matches('/')),
        };
        let library = if raw.library == Some(false) {
            Library::Absent
        } else {
            Library::Present
        };
        Rule::new(&upstream, &raw.prefix, self.origin(referenced))
            .map(|rule| rule.with_library(library))
            .map_err(|error| self.error(error.to_string(), "", referenced))
    }

    fn aliases(&self, raw: BTreeMap<String, Spanned<String>>) -> Read<BTreeMap<String, String>> {
        for (host, target) in &raw {
            let help = "an alias maps a host to the host that it fronts, as in `lscr.io: ghcr.io`";
            let problem =
                if host.contains('/') || target.value.contains('/') || target.value.is_empty() {
                    Some(format!(
                        "alias `{host}: {}` is not from a host to a host",
                        target.value
                    ))
                } else if raw.contains_key(&target.value) {
                    Some(format!(
                        "alias `{host}` leads to another alias, `{}`",
                        target.value
                    ))
                } else {
                    None
                };
            if let Some(message) = problem {
                return Err(self.error(message, help, target.referenced));
            }
        }
        let canonical = |host: String| canonical_host(&host).to_string();
        Ok(raw
            .into_iter()
            .map(|(host, target)| (host, canonical(target.value)))
            .collect())
    }

    fn allow(&self, raw: RawAllow) -> Read<Allow> {
        let at = raw.image.referenced;
        if let Some((why, help)) = never_matches(&raw.image.value) {
            let message = format!("`{}` can match no image: {why}", raw.image.value);
            return Err(self.error(message, &help, at));
        }
        Allow::new(&raw.image.value, raw.reason, self.origin(at)).map_err(|error| {
            self.error(
                error.to_string(),
                "globs match names such as `docker.io/library/nginx`",
                at,
            )
        })
    }

    fn checks(&self, raw: RawChecks) -> Read<Levels> {
        let mut levels = Levels::default();
        for (key, word) in raw.0 {
            let code = Code::parse(&key.value).map_err(|error| {
                let (message, help) = match error {
                    UnknownCode(Some(close)) => (
                        format!("unknown code `{}`", key.value),
                        format!("did you mean `{close}`?"),
                    ),
                    UnknownCode(None) => (
                        format!("unknown code `{}`", key.value),
                        format!("known codes: {}", Code::ALL.map(Code::code).join(", ")),
                    ),
                };
                self.error(message, &help, key.referenced)
            })?;
            let level = Level::ALL
                .into_iter()
                .find(|level| level.word() == word.value);
            let Some(level) = level else {
                let message = format!("`{}` is no level", word.value);
                let help = "a level is `error`, `warn`, `info` or `off`";
                return Err(self.error(message, help, word.referenced));
            };
            levels.set(code, level);
        }
        Ok(levels)
    }

    fn overriding(&self, raw: RawOverride) -> Read<Override> {
        let globs: Vec<String> = raw
            .paths
            .iter()
            .map(|glob| self.glob(glob))
            .collect::<Read<_>>()?;
        // Many globs may be too large together where each of them is not: without them, the files would
        // get the target of all others.
        let paths = path_globs(&globs).map_err(|error| {
            let at = raw
                .paths
                .first()
                .map_or(Location::UNKNOWN, |glob| glob.referenced);
            let help =
                "write fewer, or shorter, globs; one for a folder is one for all that is in it";
            self.error(error.to_string(), help, at)
        })?;
        let target = self.target(RawTarget {
            registry: raw.registry,
            account: raw.account,
            region: raw.region,
            rules: raw.rules,
            rules_from: raw.rules_from,
        })?;
        Ok(Override {
            paths,
            globs,
            target,
        })
    }

    fn glob(&self, glob: &Spanned<String>) -> Read<String> {
        match path_globs(std::slice::from_ref(&glob.value)) {
            Ok(_) => Ok(glob.value.clone()),
            Err(error) => {
                let help =
                    "globs are relative to the config's folder, as in `environments/prod/**`";
                Err(self.error(error.to_string(), help, glob.referenced))
            }
        }
    }

    fn origin(&self, at: Location) -> Origin {
        Origin::Config(self.path.to_path_buf(), at.line())
    }

    /// The error of a config that cannot be read at all.
    pub(super) fn not_readable(&self, error: &serde_saphyr::Error) -> Box<ConfigError> {
        let bare = error.without_snippet();
        let at = bare.location().unwrap_or(Location::UNKNOWN);
        match bare {
            serde_saphyr::Error::SerdeUnknownField {
                field, expected, ..
            } => {
                let help = match closest(field, expected.iter().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("known keys here: {}", expected.join(", ")),
                };
                self.error(format!("unknown key `{field}`"), &help, at)
            }
            serde_saphyr::Error::SerdeMissingField { field, .. } => {
                self.error(format!("the key `{field}` is missing"), "add it", at)
            }
            other => self.error(other.to_string(), "", at),
        }
    }

    pub(super) fn error(&self, message: String, help: &str, at: Location) -> Box<ConfigError> {
        let line = usize::try_from(at.line()).unwrap_or(0).max(1) - 1;
        let column = usize::try_from(at.column()).unwrap_or(0).max(1) - 1;
        let start: usize = self
            .text
            .split_inclusive('\n')
            .take(line)
            .map(str::len)
            .sum();
        let rest = self
            .text
            .get(start..)
            .unwrap_or("")
            .split('\n')
            .next()
            .unwrap_or("");
        let before: usize = rest.chars().take(column).map(char::len_utf8).sum();
        let behind = &rest[before..];
        let token = behind.trim_start();
        let before = rest.len() - token.len();
        let token = token.split_whitespace().next().unwrap_or("");
        Box::new(ConfigError {
            message,
            help: (!help.is_empty()).then(|| help.to_string()),
            source: NamedSource::new(self.path.display().to_string(), self.text.to_string()),
            offset: start + before,
            length: token.len(),
        })
    }
}
