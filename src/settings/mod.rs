//! What a run works with: the command line, the environment and the config, combined.
//!
//! Highest first: command line, environment, the config's overrides (the last match wins, field by
//! field), the config, what the source of the rules says of its registry. `AWS_*` variables are read for
//! `--from-aws` only: a logged-in shell must not redirect a repository to another account.

mod aws;
mod locate;
mod registry;
mod rules;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use globset::GlobSet;

use crate::config::{self, Config, ConfigError, Target};
use crate::findings::Levels;
use crate::helm::{HelmCache, Knowledge};
use crate::rules::{Rule, RuleSet, Targets, ecr_host, matching};
use crate::scan;
use crate::sites::{ChartRefs, OCI};
use crate::source::SourceFile;
pub use aws::{Answer, Aws, variable};
use registry::Hint;
pub use registry::Registry;
pub use rules::{Effective, Standing};
use rules::{Layer, Source, named, source};
pub use sources::{Loaded, STDIN, load, load_together};

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

/// As whom AWS is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// `--profile`.
    pub profile: Option<String>,
}

/// What the rules are read from, in place of those of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesSource {
    /// The built-in prefixes.
    Default,
    /// A file; `-` is standard input.
    File(PathBuf),
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
    /// `--rules`.
    pub source: Option<RulesSource>,
    /// `--from-aws`.
    pub from_aws: Option<Login>,
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
    /// Several things, each what, and what to do.
    Several(Vec<String>),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "{error}"),
            Self::Message(message) => f.write_str(message),
            Self::Several(messages) => f.write_str(&messages.join("\n")),
        }
    }
}

impl std::error::Error for SettingsError {}

type Resolved<T> = Result<T, SettingsError>;

/// The settings of a run.
#[derive(Debug)]
pub struct Settings {
    config: Config,
    /// The folder of the config; globs are relative to it.
    pub root: Option<PathBuf>,
    /// The registry of the command line or environment, which beats the config.
    registry: Registry,
    flags: Vec<Rule>,
    source: Option<Source>,
    /// What the config's `rulesFrom` entries say: of the config itself, then of its overrides.
    named: Vec<Option<Loaded>>,
    rules: Rules,
    need: Need,
    helm_cache: Option<HelmCache>,
}

impl Settings {
    /// Reads the config and checks what was asked for.
    pub fn resolve(wanted: &Wanted, rules: Rules) -> Resolved<Self> {
        let path = locate::config_path(wanted)?;
        let config = match &path {
            Some(path) => locate::read_config(path)?,
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
        let source = source(wanted)?;
        let named = named(&config, root.as_deref())?;
        let hint = match (&source, named.first()) {
            (Some(Source::Loaded(loaded)), _) | (None, Some(Some(loaded))) => loaded.hint(),
            _ => Hint::default(),
        };
        Ok(Self {
            registry: registry::requested(wanted, &hint)?,
            config,
            root,
            flags,
            source,
            named,
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

    /// The files that the rules are read from: they are no files to rewrite.
    pub fn rule_files(&self) -> impl Iterator<Item = &Path> {
        let given = match &self.source {
            Some(Source::Loaded(loaded)) => Some(loaded),
            _ => None,
        };
        let all = self.named.iter().flatten().chain(given);
        all.filter_map(|loaded| loaded.real.as_deref())
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

    /// What is known of charts. Those whose address is one in ECR are known by that of their upstream, as the
    /// rules of any path say; `charts`: whether a rewrite may give them such an address.
    pub fn knowledge(&self, charts: ChartRefs) -> Knowledge<'_> {
        let sets: OnceLock<Vec<RuleSet>> = OnceLock::new();
        let upstream = move |address: &str| {
            let may_move = charts == ChartRefs::Sought;
            if !may_move && !may_be_in_ecr(address) {
                return None;
            }
            let sets = sets.get_or_init(|| self.rule_sets());
            let upstream = |set: &RuleSet| {
                let moved = || set.chart_moved(address).filter(|_| may_move);
                set.chart_upstream(address).or_else(moved)
            };
            let mut upstreams = sets.iter().filter_map(upstream);
            let first = upstreams.next()?;
            upstreams.all(|other| other == first).then_some(first)
        };
        Knowledge::new(self.config.helm.charts.clone(), self.helm_cache.clone())
            .with_upstream(Box::new(upstream))
    }

    /// The rule sets of files without overrides, and of each override, as far as there are some.
    fn rule_sets(&self) -> Vec<RuleSet> {
        let overrides = (0..self.config.overrides.len()).map(|index| vec![index]);
        let all = std::iter::once(Vec::new()).chain(overrides);
        let sets = all.map(|combination| self.rule_set(&combination, &mut Vec::new()));
        sets.filter_map(Result::ok).collect()
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
                (None, Need::Target) => return Err(self.no_target(Some(&file.path))),
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
            return Err(self.no_target(None));
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
        let layers = self.layers(overrides);
        let mut registry = self.effective_registry(&layers, notes)?;
        let rules = self.effective_rules(&layers, &mut registry, notes)?;
        if let Some((host, origin)) = &registry {
            notes.push(format!("target {host} (from {origin})"));
            notes.extend(host.warning());
        }
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

    fn no_target(&self, path: Option<&Path>) -> SettingsError {
        let place = path
            .map(|path| format!(" for {}", path.display()))
            .unwrap_or_default();
        let source = match &self.source {
            Some(Source::Loaded(loaded)) => Some(loaded),
            Some(Source::Aws(aws)) => {
                if let Some(why) = aws.without_rules() {
                    return SettingsError::Message(format!(
                        "no target registry{place}: {why}; or give `--registry`"
                    ));
                }
                None
            }
            _ => self.named.iter().flatten().next(),
        };
        let said = source.map(|loaded| &loaded.imported);
        let said = said.and_then(|imported| Some((imported.account()?, imported.no_region())));
        SettingsError::Message(match said {
            Some((account, why)) => format!(
                "no target registry{place}; the rules are those of account {account}, and {why}: give `--region`"
            ),
            None => format!(
                "no target registry{place}; give `--registry 123456789012.dkr.ecr.<region>.amazonaws.com`, or write `registry:` into {}",
                config::FILE_NAME
            ),
        })
    }

    /// The config, and those of its overrides that are asked for.
    fn layers(&self, overrides: &[usize]) -> Vec<Layer<'_>> {
        let target = |index: usize| match index.checked_sub(1) {
            None => &self.config.target,
            Some(index) => &self.config.overrides[index].target,
        };
        let indices = std::iter::once(0).chain(overrides.iter().map(|index| index + 1));
        let layers = indices.map(|index| Layer {
            target: target(index),
            named: self.named[index].as_ref(),
        });
        layers.collect()
    }

    fn effective_registry(
        &self,
        layers: &[Layer<'_>],
        notes: &mut Vec<String>,
    ) -> Resolved<Registry> {
        let hint = match &self.source {
            Some(Source::Loaded(loaded)) => loaded.hint(),
            Some(_) => Hint::default(),
            None => {
                let named = layers.iter().filter_map(|layer| layer.named);
                named.fold(Hint::default(), |below, loaded| loaded.hint().over(below))
            }
        };
        let targets: Vec<&Target> = layers.iter().map(|layer| layer.target).collect();
        let configured = registry::configured(&targets, &hint);
        let Some((host, origin)) = &self.registry else {
            return configured.map(|known| known.or_else(|| registry::hinted(&hint)));
        };
        let overrides = registry::configured(&targets[1..], &hint).ok().flatten();
        if let Some((beaten, place)) = overrides.filter(|(beaten, _)| beaten != host) {
            notes.push(format!(
                "{origin} wins over the override's registry {beaten} (from {place})"
            ));
        }
        Ok(Some((host.clone(), origin.clone())))
    }
}

/// Whether an address of charts may be one in ECR: a registry that is filled in later may be any.
fn may_be_in_ecr(address: &str) -> bool {
    let rest = address.strip_prefix(OCI).unwrap_or(address);
    ecr_host::ecr_host_of(rest).is_some() || rest.starts_with("${")
}

/// Drops repeated notes, keeping the order.
fn dedup(notes: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    notes.retain(|note| seen.insert(note.clone()));
}
