//! The commands: each a few lines over the stages.

mod context;
mod convert;
mod explain;
mod generate;
mod images;
mod init;
mod prove;
mod reporting;
mod rewrite;
mod rules;
mod survey;

use std::ffi::OsString;
use std::path::PathBuf;

pub(super) use convert::convert;
pub(super) use explain::explain;
pub(super) use generate::generate;
pub(super) use images::images;
pub(super) use init::init;
pub(super) use prove::prove;
pub(super) use rewrite::rewrite;
pub(super) use rules::rules;

use super::Error;
use super::args::{RuleArgs, TargetArgs};
use crate::helm::HelmCache;
use crate::settings::{ConfigChoice, Login, RulesSource, STDIN, Wanted};

/// The only two variables that stand for options.
const REGISTRY_VARIABLE: &str = "ECR_REWRITE_REGISTRY";
const CONFIG_VARIABLE: &str = "ECR_REWRITE_CONFIG";

/// Refuses to read rules from a standard input that is something else already.
fn one_input(rules: &RuleArgs, is_taken: bool) -> Result<(), Error> {
    if is_taken && rules.stated.rules.as_deref() == Some(STDIN) {
        return Err(Error::Message(
            "`--rules -`: standard input cannot be both the rules and something else; give the rules as a file".into(),
        ));
    }
    Ok(())
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The twin of `--registry`.
fn registry_variable() -> Result<Option<String>, Error> {
    let text = variable(REGISTRY_VARIABLE).map(OsString::into_string);
    let wrong = |_| Error::Message(format!("`{REGISTRY_VARIABLE}` is not valid text"));
    text.transpose().map_err(wrong)
}

/// What was asked for, for `settings` to resolve.
fn wanted(target: &TargetArgs, rules: &RuleArgs, paths: Vec<PathBuf>) -> Result<Wanted, Error> {
    let source = rules.stated.rules.as_deref().map(|word| match word {
        "default" => RulesSource::Default,
        path => RulesSource::File(path.into()),
    });
    let config = match (&rules.config, rules.no_config) {
        (_, true) => ConfigChoice::None,
        (Some(path), _) => ConfigChoice::File(path.clone()),
        (None, _) => match variable(CONFIG_VARIABLE) {
            Some(path) => ConfigChoice::File(path.into()),
            None => ConfigChoice::Discover,
        },
    };
    Ok(Wanted {
        registry: target.registry.clone(),
        account: target.account.clone(),
        region: target.region.clone(),
        registry_variable: registry_variable()?,
        rule_flags: rules.stated.rule.clone(),
        source,
        from_aws: rules.stated.aws.from_aws.then(|| Login {
            profile: rules.stated.aws.profile.clone(),
        }),
        config,
        paths,
        helm_cache: HelmCache::of_user(),
    })
}
