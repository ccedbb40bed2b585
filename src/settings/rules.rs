//! The rules of a run: those of the command line, of a source, of AWS, or of the config.

use std::path::Path;

use super::registry::Registry;
use super::sources::{self, Loaded, load};
use super::{Aws, Resolved, Rules, RulesSource, Settings, SettingsError, Wanted};
use crate::config::{self, Config, Target};
use crate::rules::{EcrHost, Origin, Rule, RuleSet, default_rules};

/// Rules in place of those of the config.
#[derive(Debug)]
pub(super) enum Source {
    BuiltIn,
    Loaded(Loaded),
    Aws(Aws),
}

/// What decides the files of some paths.
#[derive(Debug)]
pub struct Effective {
    /// The globs of the override; none for files without one.
    pub paths: Option<Vec<String>>,
    /// The target, and where it is stated.
    pub registry: Registry,
    /// The rules.
    pub rules: RuleSet,
}

/// Which rules there are, and which there should be.
#[derive(Debug)]
pub struct Standing {
    /// The target of files without overrides, if one is known.
    pub host: Option<EcrHost>,
    /// The rules that are said to be wanted.
    pub stated: Vec<Rule>,
    /// The rules that a source, or AWS, says to exist; none when nothing was asked.
    pub existing: Option<Vec<Rule>>,
    /// What decides images: what is stated, then what exists, then the built-in prefixes.
    pub together: RuleSet,
}

impl Settings {
    /// What decides files without overrides, and then what decides those of each override where it is
    /// something else; with what there is to say.
    pub fn effective(&self) -> Resolved<(Vec<Effective>, Vec<String>)> {
        let mut notes = Vec::new();
        let mut all: Vec<Effective> = Vec::new();
        let overrides = self.config.overrides.iter().enumerate();
        let overrides = overrides.map(|(index, entry)| (vec![index], Some(entry.globs.clone())));
        for (combination, paths) in std::iter::once((Vec::new(), None)).chain(overrides) {
            let layers = self.layers(&combination);
            let registry = self.effective_registry(&layers, &mut Vec::new())?;
            let rules = self.rule_set(&combination, &mut notes)?;
            // AWS may have said it.
            let origin = registry.map_or(Origin::Flag("--from-aws"), |(_, origin)| origin);
            let registry = rules.registry().map(|host| (host.clone(), origin));
            if all
                .first()
                .is_none_or(|base| !base.rules.agrees_with(&rules))
            {
                all.push(Effective {
                    paths,
                    registry,
                    rules,
                });
            }
        }
        super::dedup(&mut notes);
        notes.retain(|note| !note.starts_with("target "));
        Ok((all, notes))
    }

    /// Which rules there are and should be, for files without overrides.
    pub fn standing(&self) -> Resolved<(Standing, Vec<String>)> {
        let mut notes = Vec::new();
        let layers = self.layers(&[]);
        let mut registry = self.effective_registry(&layers, &mut notes)?;
        let base = &layers[0];
        let existing = match &self.source {
            Some(Source::Loaded(loaded)) => Some(of_source(loaded, registry.as_ref(), &mut notes)),
            Some(Source::Aws(aws)) => Some(of_aws(aws, &mut registry, &mut notes)?),
            Some(Source::BuiltIn) => None,
            None => base
                .named
                .map(|loaded| of_source(loaded, registry.as_ref(), &mut notes)),
        };
        let built_in = match &self.source {
            Some(Source::BuiltIn) => default_rules(),
            _ => Vec::new(),
        };
        let own = base.target.rules.iter().flatten().cloned();
        let mut stated = self.flags.clone();
        for rule in own.chain(built_in) {
            if !stated.iter().any(|known| known.same_upstream(&rule)) {
                stated.push(rule);
            }
        }
        let host = registry.map(|(host, _)| host);
        let rules = stated.iter().chain(existing.iter().flatten()).cloned();
        let rules: Vec<Rule> = rules.chain(default_rules()).collect();
        // That the first of each upstream wins is how it is meant here.
        let (together, _) = RuleSet::new(host.clone(), rules);
        let together = together
            .with_aliases(self.config.aliases.clone())
            .with_allow(self.config.allow.clone());
        Ok((
            Standing {
                host,
                stated,
                existing,
                together,
            },
            notes,
        ))
    }

    /// The rules. Where AWS is asked and no target is stated, the answer says the target.
    pub(super) fn effective_rules(
        &self,
        layers: &[Layer<'_>],
        registry: &mut Registry,
        notes: &mut Vec<String>,
    ) -> Resolved<Vec<Rule>> {
        let base = match &self.source {
            Some(Source::BuiltIn) => default_rules(),
            Some(Source::Loaded(loaded)) => of_source(loaded, registry.as_ref(), notes),
            Some(Source::Aws(aws)) => of_aws(aws, registry, notes)?,
            None => match stating(layers) {
                Some(layer) => {
                    let named = layer.named.iter();
                    let named =
                        named.flat_map(|loaded| of_source(loaded, registry.as_ref(), notes));
                    let named: Vec<Rule> = named.collect();
                    let own = layer.target.rules.iter().flatten().cloned();
                    own.chain(named).collect()
                }
                None if !self.flags.is_empty() => Vec::new(),
                None if self.rules == Rules::OrBuiltIn => {
                    notes.push("no rules are stated; using the built-in prefixes (`--rules default` says so on purpose)".into());
                    default_rules()
                }
                None => return Err(no_rules()),
            },
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

/// One level of the config, with what its `rulesFrom` says.
pub(super) struct Layer<'s> {
    pub(super) target: &'s Target,
    pub(super) named: Option<&'s Loaded>,
}

/// The last level that states rules.
fn stating<'l, 's>(layers: &'l [Layer<'s>]) -> Option<&'l Layer<'s>> {
    let states = |layer: &&Layer<'_>| layer.target.rules.is_some() || layer.named.is_some();
    layers.iter().rev().find(states)
}

/// What the command line gives in place of the rules of the config.
pub(super) fn source(wanted: &Wanted) -> Resolved<Option<Source>> {
    Ok(match (&wanted.source, &wanted.from_aws) {
        (Some(RulesSource::Default), _) => Some(Source::BuiltIn),
        (Some(RulesSource::File(path)), _) => Some(Source::Loaded(load(path, path)?.whole()?)),
        (None, Some(login)) => {
            let region = wanted
                .region
                .as_deref()
                .filter(|_| wanted.account.is_none());
            Some(Source::Aws(Aws::new(login.profile.as_deref(), region)?))
        }
        (None, None) => None,
    })
}

/// What the `rulesFrom` entries of a config say.
pub(super) fn named(config: &Config, root: Option<&Path>) -> Resolved<Vec<Option<Loaded>>> {
    let targets = config.overrides.iter().map(|entry| &entry.target);
    let targets = std::iter::once(&config.target).chain(targets);
    let load = |target: &Target| match (&target.rules_from, root) {
        (Some((path, origin)), Some(root)) => {
            sources::of_config(path, origin, root)?.whole().map(Some)
        }
        _ => Ok(None),
    };
    targets.map(load).collect()
}

/// The rules of a source for the target, with what there is to say of them.
fn of_source(
    loaded: &Loaded,
    registry: Option<&(EcrHost, Origin)>,
    notes: &mut Vec<String>,
) -> Vec<Rule> {
    let host = registry.map(|(host, _)| host);
    let name = loaded.name.display().to_string();
    let (rules, warnings) = loaded.imported.rules_for(host, &name);
    let warnings = loaded.imported.warnings.iter().cloned().chain(warnings);
    notes.extend(warnings.map(|warning| format!("warning: {warning}")));
    rules
}

/// The rules that AWS answers with, which then also says the target, unless one is stated.
fn of_aws(aws: &Aws, registry: &mut Registry, notes: &mut Vec<String>) -> Resolved<Vec<Rule>> {
    let host = registry.as_ref().map(|(host, _)| host);
    if let (Some(host), Some(region)) = (host, aws.region())
        && host.region().is_some_and(|known| known != region)
    {
        return Err(SettingsError::Message(format!(
            "`--region {region}` is not the region of the target {host}; leave it out, or give `--registry`"
        )));
    }
    let answer = aws.ask(host)?;
    let (rules, warnings) = answer.imported.rules_for(host, "AWS");
    let warnings = answer.imported.warnings.iter().cloned().chain(warnings);
    notes.extend(warnings.map(|warning| format!("warning: {warning}")));
    if let (None, Some(account)) = (host, answer.imported.account()) {
        let host = EcrHost::from_account(account, &answer.region)
            .map_err(|error| SettingsError::Message(error.to_string()))?;
        *registry = Some((host, Origin::Flag("--from-aws")));
    }
    Ok(rules)
}

fn no_rules() -> SettingsError {
    SettingsError::Message(format!(
        "no rules are stated, and a guessed prefix would stop every pod from pulling; state the prefixes your registry has with `--rule docker.io=docker-hub`, `rules:` or `rulesFrom:` in {}, `--rules FILE`, `--from-aws`, or `--rules default` for the built-in ones",
        config::FILE_NAME
    ))
}
