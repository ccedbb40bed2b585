//! `rules import`: rules from where they stand, as a block for the config.

use std::io::Write;

use super::super::super::args::Import;
use super::super::super::talk::Talk;
use super::super::super::{Error, Exit};
use super::super::reporting;
use super::super::rewrite::unless_closed;
use super::{ask, stated};
use crate::config::rules_block;
use crate::report::Kind;
use crate::rules::import::Imported;
use crate::rules::{EcrHost, RuleSet};
use crate::settings::load_together;

pub(super) fn import(args: &Import, talk: Talk) -> Result<Exit, Error> {
    let mut all = Imported::default();
    let mut region = None;
    let mut exit = Exit::Done;
    for loaded in load_together(&args.sources) {
        match loaded {
            Ok(loaded) => all.append(loaded.imported),
            Err(error) => {
                talk.error(&error.to_string());
                exit = Exit::Broken;
            }
        }
    }
    if let Some(answer) = ask(&args.aws, &args.target)? {
        region = Some(answer.region);
        all.append(answer.imported);
    }
    let host = stated(&args.target)?.map(|(host, _)| host);
    let wanted = (
        args.target
            .account
            .as_deref()
            .or(host.as_ref().and_then(EcrHost::account)),
        args.target
            .region
            .as_deref()
            .or(host.as_ref().and_then(EcrHost::region)),
    );
    let (rules, is_it) = all.rules_of(wanted.0, wanted.1);
    let conflicts = RuleSet::new(None, rules.clone()).1;
    for warning in all.warnings.iter().chain(&conflicts) {
        talk.note(&format!("warning: {warning}"));
    }
    if !is_it {
        talk.note("warning: no rule is said to belong to that account and region; all are printed");
    }
    all.problems.iter().for_each(|problem| talk.error(problem));
    let registry = registry(args, &all, region.as_deref(), talk)?;
    if all.found.is_empty() {
        return Ok(if all.problems.is_empty() {
            exit
        } else {
            Exit::Broken
        });
    }
    let text = format!("{registry}{}", rules_block(&rules));
    let render = |_, out: &mut dyn Write| out.write_all(text.as_bytes());
    let file = args.code.output_file.as_deref();
    unless_closed(reporting::print(file, Kind::Text, talk, &render))?;
    Ok(if all.problems.is_empty() {
        exit
    } else {
        Exit::Broken
    })
}

/// The line of the config that says the target, as far as that is known.
fn registry(
    args: &Import,
    all: &Imported,
    answered: Option<&str>,
    talk: Talk,
) -> Result<String, Error> {
    if let Some((host, _)) = stated(&args.target)? {
        return Ok(format!("registry: {host}\n"));
    }
    let region = args.target.region.as_deref().or(answered).or(all.region());
    let account = args.target.account.as_deref().or(all.account());
    if all.found.is_empty() {
        return Ok(String::new());
    }
    match (account, region) {
        (Some(account), Some(region)) => {
            let host = EcrHost::from_account(account, region)
                .map_err(|error| Error::Message(error.to_string()))?;
            Ok(format!("registry: {host}\n"))
        }
        (Some(account), None) => {
            let why = all.no_region();
            talk.note(&format!(
                "warning: the rules are those of account {account}, and {why}; give `--region`, or complete the line `registry:`"
            ));
            Ok(format!(
                "# registry: {account}.dkr.ecr.<region>.amazonaws.com # {why}\n"
            ))
        }
        (None, _) => {
            let several = all.registries().len() > 1;
            talk.note(if several {
                "warning: the rules are of several accounts or regions; give `--account` and `--region` for those of one, and put those of others into `overrides`"
            } else {
                "warning: the source says neither account nor region; give `--account` and `--region`, or write `registry:` beside the rules"
            });
            Ok(String::new())
        }
    }
}
