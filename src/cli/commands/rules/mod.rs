//! `rules`: show, import, export.

mod export;
mod import;
mod show;

use super::super::args::{AwsArgs, Rules, RulesCommand};
use super::super::talk::Talk;
use super::super::{Error, Exit};

pub(in super::super) fn rules(args: &Rules, talk: Talk) -> Result<Exit, Error> {
    match &args.command {
        RulesCommand::Show(args) => show::show(args, talk),
        RulesCommand::Import(args) => import::import(args, talk),
        RulesCommand::Export(args) => export::export(args, talk),
    }
}

/// The profile to ask AWS with, when it is asked.
pub(super) fn asked(aws: &AwsArgs) -> Option<Option<&str>> {
    aws.from_aws.then_some(aws.profile.as_deref())
}
