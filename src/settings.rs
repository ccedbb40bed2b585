//! What a run works with: the command line, the environment and the config, combined.
//!
//! Highest first: command line, environment, the config's overrides (the last match wins, field by
//! field), the config. `AWS_*` variables are not read: a logged-in shell must not redirect a
//! repository to another account.

use std::fmt;
use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::config::{self, Config, ConfigError, Target};
use crate::findings::Levels;
use crate::helm::{HelmCache, Knowledge};
use crate::rules::{EcrHost, Origin, Rule, RuleSet, Targets, default_rules, matching};
use crate::scan;
use crate::source::SourceFile;
use crate::walk;

/// Which config to read.
#[derive(Clone, Debug, Default)]
pub enum ConfigChoice {
    /// The one of the repository, if there is one.
    #[default]
    Discover,
    /// This one.
    File(PathBuf),
    /// None.
    None,
}

/// Whether the built-in prefixes may stand in for rules that nobody stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// They must be stated: something will be written.
    Stated,
    /// The built-in ones will do, and the run says so.
    OrBuiltIn,
}

/// Whether a run needs to know the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// It does.
    #[default]
    Target,
    /// Any ECR host will do where no target is stated.
    Nothing,
}

/// What is said of a run without a target.
const ANY_HOST: &str =
    "no target registry is stated: any ECR host counts, and fixes are shown with `<registry>`";

/// What was asked for on the command line and in the environment.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `--registry`.
    pub registry: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `ECR_REWRITE_REGISTRY`.
    pub registry_variable: Option<String>,
    /// The values of `--rule`.
    pub rule_flags: Vec<String>,
    /// `--rules default`.
    pub default_rules: walk::Switch,
    /// `--config`, `--no-config`, `ECR_REWRITE_CONFIG`.
    pub config: ConfigChoice,
    /// The given paths; the current directory when there are none.
    pub paths: Vec<PathBuf>,
    /// Where Helm keeps what it has fetched before.
    pub helm_cache: Option<HelmCache>,
}

/// Why there are no settings.
#[derive(Debug)]
pub enum SettingsError {
    /// A mistake in the config.
    Config(Box<ConfigError>),
    /// Anything else: what, and what to do.
    Message(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "{error}"),
            Self::Message(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for SettingsError {}

type Resolved<T> = Result<T, SettingsError>;

/// A target registry and where it was stated.
type Registry = Option<(EcrHost, Origin)>;

/// The settings of a run.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    /// The folder of the config; globs are relative to it.
    pub root: Option<PathBuf>,
    /// The registry of the command line or environment, which beats the config.
    registry: Registry,
    flags: Vec<Rule>,
    base_rules: Option<Vec<Rule>>,
    rules: Rules,
    need: Need,
    helm_cache: Option<HelmCache>,
}

impl Settings {
    /// Reads the config and checks what was asked for.
    pub fn resolve(wanted: &Wanted, rules: Rules) -> Resolved<Self> {
        let path = config_path(wanted)?;
        let config = match &path {
            Some(path) => read_config(path)?,
            None => Config::default(),
        };
        let root = path.map(|path| match path.parent().map(Path::canonicalize) {
            Some(Ok(folder)) => folder,
            _ => PathBuf::from("."),
        });
        let flags = wanted
            .rule_flags
            .iter()
            .map(|flag| Rule::parse_flag(flag))
            .collect::<Result<_, _>>();
        let flags = flags.map_err(|error| SettingsError::Message(format!("`--rule`: {error}")))?;
        let base_rules = (wanted.default_rules == walk::Switch::On).then(default_rules);
        Ok(Self {
            config,
            root,
            registry: requested_registry(wanted)?,
            flags,
            base_rules,
            rules,
            need: Need::default(),
            helm_cache: wanted.helm_cache.clone(),
        })
    }

    /// The same settings for a run that works without a target.
    #[must_use]
    pub fn without_target(mut self) -> Self {
        self.need = Need::Nothing;
        self
    }

    /// The levels of findings.
    pub fn levels(&self) -> &Levels {
        &self.config.checks
    }

    /// The globs of files to leave out, relative to the config's folder.
    pub fn exclude(&self) -> Option<(PathBuf, Vec<String>)> {
        Some((self.root.clone()?, self.config.exclude.clone()))
    }

    /// What files are scanned with.
    pub fn scan_options(&self) -> scan::Options {
        scan::Options {
            stated: self.config.sites.clone(),
        }
    }

    /// Whether values may be given the key that lets Bitnami's charts render with other images.
    pub fn allows_insecure(&self) -> bool {
        self.config.helm.allows_insecure
    }

    /// What is known of charts.
    pub fn knowledge(&self) -> Knowledge {
        Knowledge::new(self.config.helm.charts.clone(), self.helm_cache.clone())
    }

    /// The rule sets for these files, and what is worth saying about them. Each of the `files` needs a
    /// target and rules; what stands in the config for the `others` need not be complete.
    pub fn targets<'f>(
        &self,
        files: impl Iterator<Item = &'f SourceFile>,
        others: impl Iterator<Item = &'f Path>,
    ) -> Resolved<(Targets, Vec<String>)> {
        let globs: Vec<GlobSet> = self
            .config
            .overrides
            .iter()
            .map(|entry| entry.paths.clone())
            .collect();
        let mut notes = Vec::new();
        let mut sets: Vec<(Vec<usize>, RuleSet)> = Vec::new();
        for file in files {
            let combination = matching(&globs, self.relative(&file.real));
            if sets.iter().any(|(known, _)| *known == combination) {
                continue;
            }
            let set = self.rule_set(&combination, &mut notes)?;
            match (set.registry(), self.need) {
                (None, Need::Target) => return Err(no_target(Some(&file.path))),
                (None, Need::Nothing) => notes.push(ANY_HOST.to_string()),
                (Some(_), _) => {}
            }
            sets.push((combination, set));
        }
        for path in others {
            let combination = matching(&globs, self.relative(path));
            if sets.iter().all(|(known, _)| *known != combination) {
                let set = self.rule_set(&combination, &mut Vec::new());
                sets.push((combination, set.unwrap_or_default()));
            }
        }
        let base = self.rule_set(&[], &mut Vec::new()).unwrap_or_default();
        dedup(&mut notes);
        Ok((Targets::new(base, globs, sets), notes))
    }

    /// The rule set where no file decides: for references on their own.
    pub fn base(&self) -> Resolved<(RuleSet, Vec<String>)> {
        let mut notes = Vec::new();
        let set = self.rule_set(&[], &mut notes)?;
        if set.registry().is_none() {
            return Err(no_target(None));
        }
        Ok((set, notes))
    }

    /// `path`, relative to the config's folder where it lies below it.
    pub fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        let root = self.root.as_deref();
        root.and_then(|root| path.strip_prefix(root).ok())
            .unwrap_or(path)
    }

    fn rule_set(&self, overrides: &[usize], notes: &mut Vec<String>) -> Resolved<RuleSet> {
        let layers: Vec<&Target> = std::iter::once(&self.config.target)
            .chain(
                overrides
                    .iter()
                    .map(|&index| &self.config.overrides[index].target),
            )
            .collect();
        let registry = self.effective_registry(&layers, notes)?;
        if let Some((host, origin)) = &registry {
            notes.push(format!("target {host} (from {origin})"));
            notes.extend(host.warning());
        }
        let rules = self.effective_rules(&layers, notes)?;
        let (set, warnings) = RuleSet::new(registry.map(|(host, _)| host), rules);
        notes.extend(
            warnings
                .into_iter()
                .map(|warning| format!("warning: {warning}")),
        );
        let set = set
            .with_aliases(self.config.aliases.clone())
            .with_allow(self.config.allow.clone());
        notes.extend(set.dead_rules().map(|(rule, alias)| {
            format!(
                "warning: the rule for `{}` ({}) can never apply: `aliases` makes `{alias}` of that host; remove one of the two",
                rule.upstream(),
                rule.origin()
            )
        }));
        Ok(set)
    }

    fn effective_registry(
        &self,
        layers: &[&Target],
        notes: &mut Vec<String>,
    ) -> Resolved<Registry> {
        let configured = configured_registry(layers);
        let Some((host, origin)) = &self.registry else {
            return configured;
        };
        let overrides = configured_registry(&layers[1..]).ok().flatten();
        if let Some((beaten, place)) = overrides.filter(|(beaten, _)| beaten != host) {
            notes.push(format!(
                "{origin} wins over the override's registry {beaten} (from {place})"
            ));
        }
        Ok(Some((host.clone(), origin.clone())))
    }

    fn effective_rules(&self, layers: &[&Target], notes: &mut Vec<String>) -> Resolved<Vec<Rule>> {
        let configured = layers.iter().rev().find_map(|layer| layer.rules.as_ref());
        let base = match (&self.base_rules, configured) {
            (Some(rules), _) | (None, Some(rules)) => rules.clone(),
            (None, None) if !self.flags.is_empty() => Vec::new(),
            (None, None) if self.rules == Rules::OrBuiltIn => {
                notes.push("no rules are stated; using the built-in prefixes (`--rules default` says so on purpose)".into());
                default_rules()
            }
            (None, None) => return Err(no_rules()),
        };
        // A flag replaces the rule for the same upstream and comes first otherwise.
        let replaced = |rule: &&Rule| !self.flags.iter().any(|flag| flag.same_upstream(rule));
        Ok(self
            .flags
            .iter()
            .chain(base.iter().filter(replaced))
            .cloned()
            .collect())
    }
}

/// The registry that the layers of the config make, the last winning, field by field.
fn configured_registry(layers: &[&Target]) -> Resolved<Registry> {
    let mut host: Registry = None;
    let (mut account, mut region) = (None, None);
    for layer in layers {
        if let Some(registry) = &layer.registry {
            host = Some(registry.clone());
            (account, region) = (None, None);
        }
        account = layer.account.as_ref().or(account);
        region = layer.region.as_ref().or(region);
    }
    let failed =
        |error: crate::rules::ecr_host::HostError| SettingsError::Message(error.to_string());
    match (host, account, region) {
        (host, None, None) => Ok(host),
        (None, Some((account, origin)), Some((region, _))) => {
            let host = EcrHost::from_account(account, region).map_err(failed)?;
            Ok(Some((host, origin.clone())))
        }
        (None, Some((_, origin)), None) => Err(SettingsError::Message(format!(
            "the account at {origin} has no region beside it; add `region`"
        ))),
        (None, None, Some((_, origin))) => Err(SettingsError::Message(format!(
            "the region at {origin} has no account beside it; add `account`"
        ))),
        (Some((mut host, mut origin)), account, region) => {
            if let Some((account, place)) = account {
                (host, origin) = (host.with_account(account).map_err(failed)?, place.clone());
            }
            if let Some((region, place)) = region {
                (host, origin) = (host.with_region(region).map_err(failed)?, place.clone());
            }
            Ok(Some((host, origin)))
        }
    }
}

/// The registry of the command line or the environment.
fn requested_registry(wanted: &Wanted) -> Resolved<Registry> {
    let failed = |place: &str, error: crate::rules::ecr_host::HostError| {
        SettingsError::Message(format!("`{place}`: {error}"))
    };
    match (&wanted.registry, &wanted.account, &wanted.region) {
        (Some(text), None, None) => {
            let host = EcrHost::parse(text).map_err(|error| failed("--registry", error))?;
            Ok(Some((host, Origin::Flag("--registry"))))
        }
        (Some(_), _, _) => Err(SettingsError::Message(
            "`--registry` and `--account`/`--region` say the same thing; give one of them".into(),
        )),
        (None, Some(account), Some(region)) => {
            let host = EcrHost::from_account(account, region)
                .map_err(|error| failed("--account", error))?;
            Ok(Some((host, Origin::Flag("--account"))))
        }
        (None, Some(_), None) => Err(SettingsError::Message(
            "`--account` needs `--region` beside it".into(),
        )),
        (None, None, Some(_)) => Err(SettingsError::Message(
            "`--region` needs `--account` beside it".into(),
        )),
        (None, None, None) => match &wanted.registry_variable {
            Some(text) => {
                let name = "ECR_REWRITE_REGISTRY";
                let host = EcrHost::parse(text).map_err(|error| failed(name, error))?;
                Ok(Some((host, Origin::Environment(name))))
            }
            None => Ok(None),
        },
    }
}

fn config_path(wanted: &Wanted) -> Resolved<Option<PathBuf>> {
    match &wanted.config {
        ConfigChoice::None => Ok(None),
        ConfigChoice::File(path) => Ok(Some(path.clone())),
        ConfigChoice::Discover => {
            one_repository(&wanted.paths)?;
            let here = PathBuf::from(".");
            let first = wanted.paths.first().unwrap_or(&here);
            let config = |path: &PathBuf| {
                let folder = walk::home(path).ok()?;
                config::find(&folder)
            };
            let found = config(first);
            // Which one decides must not hang on the order of the paths.
            if let Some(other) = wanted
                .paths
                .iter()
                .map(config)
                .find(|other| *other != found)
            {
                let shown = |config: &Option<PathBuf>| match config {
                    Some(path) => format!("`{}`", path.display()),
                    None => "no config".to_string(),
                };
                return Err(SettingsError::Message(format!(
                    "the given paths have {} and {}; there is one for a run: put what differs into its `overrides`, or name one with `--config`",
                    shown(&found),
                    shown(&other)
                )));
            }
            found.map(inside).transpose()
        }
    }
}

/// Refuses a config that was found, not named, and is a link out of its repository: a repository
/// decides nothing by files that are not its own.
fn inside(config: PathBuf) -> Resolved<PathBuf> {
    let folder = config.parent().unwrap_or(Path::new("."));
    let root = walk::repository(folder).unwrap_or(folder);
    match config.canonicalize() {
        Ok(real) if !real.starts_with(root) => Err(SettingsError::Message(format!(
            "{}: is a link to {}, outside of the repository, and was not read; name that file with `--config` if it is meant, or give `--no-config`",
            walk::shown(&config, &current_folder()).display(),
            real.display()
        ))),
        _ => Ok(config),
    }
}

/// The current directory, where it can be told: it only makes paths shorter.
fn current_folder() -> PathBuf {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .unwrap_or_default()
}

/// Refuses paths of more than one repository: a config speaks for one.
fn one_repository(paths: &[PathBuf]) -> Resolved<()> {
    let mut first: Option<(&PathBuf, Option<PathBuf>)> = None;
    for path in paths {
        let Ok(home) = walk::home(path) else { continue };
        let repository = walk::repository(&home).map(Path::to_path_buf);
        match &first {
            None => first = Some((path, repository)),
            Some((_, known)) if *known == repository => {}
            Some((other, _)) => {
                return Err(SettingsError::Message(format!(
                    "`{}` and `{}` lie in different repositories; run once for each, or use `overrides` for environments of one repository",
                    other.display(),
                    path.display()
                )));
            }
        }
    }
    Ok(())
}

fn read_config(path: &Path) -> Resolved<Config> {
    let shown = walk::shown(path, &current_folder());
    let text = std::fs::read_to_string(path).map_err(|error| {
        SettingsError::Message(format!(
            "config `{}` cannot be read: {error}",
            shown.display()
        ))
    })?;
    Config::parse(&shown, &text).map_err(SettingsError::Config)
}

fn no_target(path: Option<&Path>) -> SettingsError {
    let place = path
        .map(|path| format!(" for {}", path.display()))
        .unwrap_or_default();
    SettingsError::Message(format!(
        "no target registry{place}; give `--registry 123456789012.dkr.ecr.<region>.amazonaws.com`, or write `registry:` into {}",
        config::FILE_NAME
    ))
}

fn no_rules() -> SettingsError {
    SettingsError::Message(format!(
        "no rules are stated, and a guessed prefix would stop every pod from pulling; state the prefixes your registry has with `--rule docker.io=docker-hub`, `rules:` in {}, or `--rules default` for the built-in ones",
        config::FILE_NAME
    ))
}

/// Drops repeated notes, keeping the order.
fn dedup(notes: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    notes.retain(|note| seen.insert(note.clone()));
}
