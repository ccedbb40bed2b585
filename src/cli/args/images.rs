//! The arguments of `images` and `init`.

use std::path::PathBuf;

use clap::Parser;

use super::{
    FileArgs, JudgementArgs, ListReportArgs, OutputArgs, RuleArgs, StatedRuleArgs, TargetArgs,
};

/// List every image that is named: where, where it comes from, which rule maps it, what becomes of it
///
/// Reads and judges as `--check` does, and writes nothing. Works without a target and rules.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite images", bin_name = "ecr-rewrite images", after_help = IMAGES)]
pub(in super::super) struct Images {
    /// Files and folders to look at; the current folder without any
    #[arg(value_name = "PATH")]
    pub(in super::super) paths: Vec<PathBuf>,

    /// Print only the references to pull by tag so that the cache is filled
    ///
    /// One a line: those of images that are pinned by digest first, because a pull by digest does not fill
    /// a cold cache.
    #[arg(long, conflicts_with = "format")]
    pub(in super::super) prewarm: bool,

    #[command(flatten)]
    pub(in super::super) target: TargetArgs,
    #[command(flatten)]
    pub(in super::super) rules: RuleArgs,
    #[command(flatten)]
    pub(in super::super) files: FileArgs,
    #[command(flatten)]
    pub(in super::super) judgement: JudgementArgs,
    #[command(flatten)]
    pub(in super::super) output: OutputArgs,
    #[command(flatten)]
    pub(in super::super) report: ListReportArgs,
}

const IMAGES: &str = "\
Examples:
  ecr-rewrite images                                  what is here
  ecr-rewrite images ./environments/prod --format json
  ecr-rewrite images --prewarm | xargs -n1 docker pull
                                                      fill the cache, before or after the rewrite

Exit codes: 0 done, whatever was found; 2 wrong usage, or a file could not be read (the others are listed).";

/// Write a commented .ecr-rewrite.yaml; never overwrites one
///
/// The target and the rules come from the command line, from a source (`--rules FILE`, `--from-aws`), or from
/// the references to ECR that the repository already holds: R/docker-hub/library/nginx says that Docker Hub is
/// cached under docker-hub.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite init", bin_name = "ecr-rewrite init", after_help = INIT)]
pub(in super::super) struct Init {
    /// The folder to write it to: the root of the repository, as a rule; the current one without any
    #[arg(value_name = "PATH")]
    pub(in super::super) path: Option<PathBuf>,

    #[command(flatten)]
    pub(in super::super) target: TargetArgs,
    #[command(flatten)]
    pub(in super::super) rules: StatedRuleArgs,
    #[command(flatten)]
    pub(in super::super) output: OutputArgs,
}

const INIT: &str = "\
Examples:
  ecr-rewrite init                                    from what the repository holds
  ecr-rewrite init --from-aws --profile prod          from the AWS account
  ecr-rewrite init --rules infra/ecr.tf --account 123456789012 --region eu-west-1
  ecr-rewrite init --registry 123456789012.dkr.ecr.eu-west-1.amazonaws.com --rules default

Besides `--from-aws` this is the only command that reads AWS_REGION, AWS_DEFAULT_REGION and AWS_ACCOUNT_ID, for what
nothing else says.

Exit codes: 0 written; 2 there is one already, wrong usage, or something could not be read.";
