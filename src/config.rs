//! The config file: what may stand in `.ecr-rewrite.yaml`, and errors that point at its lines.
//!
//! The text is read into [`Config`], whose values are valid: hosts parsed, rules checked, globs
//! compiled. Finding the file and combining it with the command line is the work of `settings`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde_saphyr::{Location, Spanned};

use crate::findings::{Code, Level, Levels, UnknownCode};
use crate::globs::path_globs;
use crate::helm::{Join, Known};
use crate::image::{DOCKER_HUB, ImageRef};
use crate::rules::upstreams::canonical_host;
use crate::rules::{Allow, EcrHost, Library, Origin, Rule, default_rules};
use crate::sites::{Field, FieldPath, Stated, Template};
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
}

/// A target for some files.
#[derive(Debug)]
pub struct Override {
    /// The files, by globs relative to the config's folder.
    pub paths: GlobSet,
    /// What is different for them.
    pub target: Target,
}

/// A mistake in a config, pointing at its place.
#[derive(Debug)]
pub struct ConfigError {
    message: String,
    help: Option<String>,
    source: NamedSource<String>,
    offset: usize,
    length: usize,
}

impl ConfigError {
    /// The same mistake with everything that came from the file, line by line, put through `map`.
    #[must_use]
    pub fn map_texts(self, map: fn(&str) -> Cow<'_, str>) -> Self {
        let lines = |text: &str| {
            let mapped = text
                .split('\n')
                .map(|line| map(line.trim_end_matches('\r')));
            mapped.collect::<Vec<_>>().join("\n")
        };
        let text = self.source.inner();
        let before = text.get(..self.offset).unwrap_or("");
        let marked = text.get(self.offset..self.offset + self.length);
        Self {
            message: map(&self.message).into_owned(),
            help: self.help.map(|help| map(&help).into_owned()),
            offset: lines(before).len(),
            length: lines(marked.unwrap_or("")).len(),
            source: NamedSource::new(map(self.source.name()), lines(text)),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(Some("here".into()), self.offset, self.length);
        Some(Box::new(std::iter::once(label)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    registry: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    rules: Option<Spanned<RawRules>>,
    #[serde(default)]
    aliases: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    overrides: Vec<RawOverride>,
    #[serde(default)]
    allow: Vec<RawAllow>,
    #[serde(default)]
    exclude: Vec<Spanned<String>>,
    #[serde(rename = "rulesFrom")]
    rules_from: Option<Spanned<IgnoredAny>>,
    #[serde(default)]
    sites: Vec<RawSite>,
    #[serde(default)]
    helm: RawHelm,
    #[serde(default)]
    checks: RawChecks,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHelm {
    #[serde(rename = "bitnamiAllowInsecureImages")]
    #[serde(default)]
    allows_insecure: bool,
    #[serde(default)]
    charts: BTreeMap<String, Spanned<RawChart>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChart {
    registry: Spanned<String>,
    #[serde(default, rename = "prefixIn")]
    prefix_in: PrefixIn,
}

/// Where the prefix of a rule goes.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PrefixIn {
    #[default]
    Repository,
    Registry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverride {
    paths: Vec<Spanned<String>>,
    registry: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    rules: Option<Spanned<RawRules>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSite {
    values: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    image: Spanned<String>,
    reason: Option<String>,
}

/// Codes and levels, each with its place.
#[derive(Default)]
struct RawChecks(Vec<(Spanned<String>, Spanned<String>)>);

/// `default` or a list.
enum RawRules {
    Word(String),
    List(Vec<Spanned<RawRule>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    #[serde(alias = "upstreamRegistryUrl")]
    upstream: String,
    #[serde(alias = "ecrRepositoryPrefix")]
    prefix: String,
    #[serde(rename = "upstreamRepositoryPrefix")]
    upstream_prefix: Option<String>,
    library: Option<bool>,
    // What `aws ecr describe-pull-through-cache-rules` prints besides: accepted, so that its JSON
    // can be pasted, and without a meaning here.
    #[serde(rename = "registryId")]
    _registry_id: Option<IgnoredAny>,
    #[serde(rename = "createdAt")]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "updatedAt")]
    _updated_at: Option<IgnoredAny>,
    #[serde(rename = "credentialArn")]
    _credential_arn: Option<IgnoredAny>,
    #[serde(rename = "customRoleArn")]
    _custom_role_arn: Option<IgnoredAny>,
    #[serde(rename = "upstreamRegistry")]
    _upstream_registry: Option<IgnoredAny>,
}

impl<'de> Deserialize<'de> for RawChecks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Checks;
        impl<'de> Visitor<'de> for Checks {
            type Value = RawChecks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("codes of findings with their levels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawChecks, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawChecks(entries))
            }
        }
        deserializer.deserialize_map(Checks)
    }
}

impl<'de> Deserialize<'de> for RawRules {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rules;
        impl<'de> Visitor<'de> for Rules {
            type Value = RawRules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`default` or a list of rules")
            }

            fn visit_str<E>(self, word: &str) -> Result<RawRules, E> {
                Ok(RawRules::Word(word.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawRules, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(seq)).map(RawRules::List)
            }
        }
        deserializer.deserialize_any(Rules)
    }
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

/// Turns raw values into valid ones, or into errors at their place.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

type Read<T> = Result<T, Box<ConfigError>>;

impl Reader<'_> {
    fn config(&self, raw: RawConfig) -> Read<Config> {
        self.refuse_later_keys(&raw)?;
        let target = self.target(raw.registry, raw.account, raw.region, raw.rules)?;
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

    fn refuse_later_keys(&self, raw: &RawConfig) -> Read<()> {
        let later = [("rulesFrom", &raw.rules_from)];
        for (key, value) in later {
            if let Some(value) = value {
                let message = format!("`{key}` is not supported yet");
                return Err(self.error(message, "remove the key", value.referenced));
            }
        }
        Ok(())
    }

    fn target(
        &self,
        registry: Option<Spanned<String>>,
        account: Option<Spanned<String>>,
        region: Option<Spanned<String>>,
        rules: Option<Spanned<RawRules>>,
    ) -> Read<Target> {
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
        })
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

    fn helm(&self, raw: RawHelm) -> Read<Helm> {
        let charts = raw.charts.into_iter();
        let charts =
            charts.map(|(name, chart)| Ok((name.clone(), self.chart(&name, &chart.value)?)));
        Ok(Helm {
            charts: charts.collect::<Read<_>>()?,
            allows_insecure: raw.allows_insecure,
        })
    }

    /// A chart of which the config says which registry it joins to repositories that name none.
    fn chart(&self, name: &str, chart: &RawChart) -> Read<Arc<Known>> {
        let registry = &chart.registry.value;
        let is_host = ImageRef::parse(&format!("{registry}/x"))
            .is_ok_and(|image| image.registry() == Some(registry));
        if !is_host {
            let message = format!("`{registry}` is no registry");
            let help = "write the host that the chart puts in front of repositories, as in `registry: docker.io`";
            return Err(self.error(message, help, chart.registry.referenced));
        }
        let join = Join::parse(&format!("[**.registry|\"{registry}\"]/?**.repository"));
        Ok(Arc::new(Known {
            joins: join.into_iter().collect(),
            prefix_in_registry: matches!(chart.prefix_in, PrefixIn::Registry),
            told_by: format!("the config (`helm.charts.{name}`)"),
            ..Known::default()
        }))
    }

    fn sites(&self, raw: Vec<RawSite>) -> Read<Stated> {
        let mut stated = Stated::default();
        for site in raw {
            match site {
                RawSite {
                    values: Some(values),
                    kind: None,
                    path: None,
                } => stated.templates.push(self.template(&values)?),
                RawSite {
                    values: None,
                    kind: Some(kind),
                    path: Some(path),
                } => stated.fields.push(self.field(&kind, &path)?),
                other => return Err(self.odd_site(other)),
            }
        }
        Ok(stated)
    }

    fn template(&self, values: &Spanned<String>) -> Read<Template> {
        template(&values.value)
            .map_err(|message| self.error(message, TEMPLATE_HELP, values.referenced))
    }

    fn field(&self, kind: &Spanned<String>, path: &Spanned<String>) -> Read<Field> {
        let is_kind = |c: char| c.is_ascii_alphanumeric();
        if kind.value.is_empty() || !kind.value.chars().all(is_kind) {
            let message = format!("`{}` is no kind", kind.value);
            return Err(self.error(message, FIELD_HELP, kind.referenced));
        }
        let way = FieldPath::parse(&path.value).map_err(|message| {
            let dotted = !path.value.contains('/') && path.value.contains('.');
            let help = if dotted {
                format!("write `path: {}`", path.value.replace('.', "/"))
            } else {
                FIELD_HELP.to_string()
            };
            self.error(message, &help, path.referenced)
        })?;
        Ok(Field {
            kind: kind.value.clone(),
            path: way,
        })
    }

    /// What is wrong with an entry that is neither of values nor of objects.
    fn odd_site(&self, raw: RawSite) -> Box<ConfigError> {
        match raw {
            RawSite {
                values: Some(_),
                kind: Some(other),
                ..
            }
            | RawSite {
                values: Some(_),
                path: Some(other),
                ..
            } => {
                let message = "an entry is of `values` or of a `kind`, not of both".to_string();
                self.error(message, "make two entries of it", other.referenced)
            }
            RawSite {
                kind: Some(kind), ..
            } => {
                let message = format!("no `path` says where `{}` names images", kind.value);
                self.error(message, FIELD_HELP, kind.referenced)
            }
            RawSite {
                path: Some(path), ..
            } => {
                let message = format!("no `kind` says whose `{}` it is", path.value);
                self.error(message, FIELD_HELP, path.referenced)
            }
            _ => {
                let message = "an entry of `sites` says nothing".to_string();
                self.error(message, TEMPLATE_HELP, Location::UNKNOWN)
            }
        }
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
        // Each glob was compiled on its own just now, so the set cannot fail on one.
        let paths = path_globs(&globs).unwrap_or_else(|_| GlobSet::empty());
        let target = self.target(raw.registry, raw.account, raw.region, raw.rules)?;
        Ok(Override { paths, target })
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

    fn not_readable(&self, error: &serde_saphyr::Error) -> Box<ConfigError> {
        let bare = error.without_snippet();
        let at = bare.location().unwrap_or(Location::UNKNOWN);
        match bare {
            serde_saphyr::Error::SerdeUnknownField {
                field, expected, ..
            } => {
                let close = expected
                    .iter()
                    .map(|known| (strsim::jaro_winkler(field, known), known))
                    .filter(|(likeness, _)| *likeness > 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let help = match close {
                    Some((_, known)) => format!("did you mean `{known}`?"),
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

    fn error(&self, message: String, help: &str, at: Location) -> Box<ConfigError> {
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
        let token = rest[before..].split_whitespace().next().unwrap_or("");
        Box::new(ConfigError {
            message,
            help: (!help.is_empty()).then(|| help.to_string()),
            source: NamedSource::new(self.path.display().to_string(), self.text.to_string()),
            offset: start + before,
            length: token.len(),
        })
    }
}

const FIELD_HELP: &str = "write it as in `{kind: RunnerDeployment, path: spec/template/spec/image}`: keys joined with `/`, `*` for any";
const TEMPLATE_HELP: &str =
    r#"write the keys as in `values: "{{ .proxy.hub }}/{{ .proxy.name }}:{{ .proxy.tag }}"`"#;

/// Reads `{{ .proxy.hub }}/{{ .proxy.name }}:{{ .proxy.tag }}`: the keys that are joined with `/` before
/// the tag. A leading `.Values` is fine.
fn template(text: &str) -> Result<Template, String> {
    let mut paths = Template::new();
    let mut rest = text.trim();
    loop {
        let Some((action, after)) = rest
            .strip_prefix("{{")
            .and_then(|rest| rest.split_once("}}"))
        else {
            return Err(format!("`{text}` is not made of keys alone"));
        };
        let action = action.trim_matches(['-', ' ']);
        let path: Vec<String> = action
            .strip_prefix('.')
            .ok_or_else(|| format!("`{action}` is not a key of values"))?
            .split('.')
            .skip_while(|key| *key == "Values")
            .map(Into::into)
            .collect();
        let is_key = |key: &String| {
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        if path.is_empty() || !path.iter().all(is_key) {
            return Err(format!("`{action}` is not a key of values"));
        }
        paths.push(path);
        match after.chars().next() {
            None | Some(':' | '@') => return Ok(paths),
            Some('/') => rest = &after[1..],
            Some(_) => return Err(format!("`{text}` is not made of keys joined with `/`")),
        }
    }
}

/// Why a glob over canonical names (`docker.io/library/nginx`) can never match one, and what to write.
fn never_matches(glob: &str) -> Option<(String, String)> {
    let wild = |text: &str| text.contains(['*', '?', '[', '{', '\\']);
    let (first, rest) = match glob.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (glob, None),
    };
    let name_start = glob.rfind('/').map_or(0, |at| at + 1);
    if let Some(at) = glob
        .find('@')
        .or_else(|| glob[name_start..].find(':').map(|at| name_start + at))
        && (rest.is_some() || !wild(glob))
    {
        let why = "globs are matched with the name, without tag and digest";
        let name = &glob[..at];
        let help = never_matches(name).map_or_else(|| format!("write `{name}`"), |(_, help)| help);
        return Some((why.into(), help));
    }
    if wild(first) {
        // `**` stands for any number of folders, a single `*` for no slash.
        let single = rest.is_none() && !glob.contains("**") && !glob.contains('{');
        let why = "names have a host in front";
        return single.then(|| (why.into(), format!("write `**/{glob}`")));
    }
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let Some(rest) = rest.filter(|_| is_host) else {
        let whole = if is_host {
            format!("{glob}/**")
        } else if glob.contains('/') {
            format!("{DOCKER_HUB}/{glob}")
        } else {
            format!("{DOCKER_HUB}/library/{glob}")
        };
        let why = if is_host {
            "it is a host alone"
        } else {
            "names have a host in front"
        };
        return Some((why.into(), format!("write `{whole}`")));
    };
    let host = canonical_host(first);
    let official = host == DOCKER_HUB && !rest.contains('/') && !rest.contains("**");
    if host != first || official && !rest.contains('{') {
        let library = if official { "library/" } else { "" };
        let why = "images are matched by the name that Docker gives them";
        return Some((why.into(), format!("write `{host}/{library}{rest}`")));
    }
    None
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
    use super::*;

    fn error(text: &str) -> String {
        let error = Config::parse(Path::new(FILE_NAME), text).unwrap_err();
        let line = text[..error.offset].matches('\n').count() + 1;
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
