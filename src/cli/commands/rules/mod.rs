//! `rules`: show, import, export.

mod export;
mod import;
mod show;

use super::super::args::{AwsArgs, Rules, RulesCommand, TargetArgs};
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::{REGISTRY_VARIABLE, registry_variable};
use crate::rules::ecr_host::HostError;
use crate::rules::{EcrHost, Origin};
use crate::settings::{Answer, Aws};

pub(in super::super) fn rules(args: &Rules, talk: Talk) -> Result<Exit, Error> {
    match &args.command {
        RulesCommand::Show(args) => show::show(args, talk),
        RulesCommand::Import(args) => import::import(args, talk),
        RulesCommand::Export(args) => export::export(args, talk),
    }
}

/// What AWS answers, when it is asked: for the registry of the command line, or for what its shell is
/// logged in to.
pub(super) fn ask(aws: &AwsArgs, target: &TargetArgs) -> Result<Option<Answer>, Error> {
    if !aws.from_aws {
        return Ok(None);
    }
    let host = stated(target)?.map(|(host, _)| host);
    let region = target.region.as_deref().filter(|_| host.is_none());
    let aws = Aws::new(aws.profile.as_deref(), region)?;
    Ok(Some(aws.ask(host.as_ref())?))
}

/// The registry of the command line or of its twin in the environment, when all of it stands there, and where.
pub(super) fn stated(target: &TargetArgs) -> Result<Option<(EcrHost, Origin)>, Error> {
    let failed = |error: HostError| Error::Message(error.to_string());
    let flag = |host| (host, Origin::Flag("--registry"));
    match (&target.registry, &target.account, &target.region) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(Error::Message(
            "`--registry` and `--account`/`--region` say the same thing; give one of them".into(),
        )),
        (Some(text), None, None) => EcrHost::parse(text).map(flag).map(Some).map_err(failed),
        (None, Some(account), Some(region)) => EcrHost::from_account(account, region)
            .map(|host| Some((host, Origin::Flag("--account"))))
            .map_err(failed),
        (None, None, None) => match registry_variable()? {
            Some(text) => {
                let wrong = |error| Error::Message(format!("`{REGISTRY_VARIABLE}`: {error}"));
                let host = EcrHost::parse(&text).map_err(wrong)?;
                Ok(Some((host, Origin::Environment(REGISTRY_VARIABLE))))
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}
