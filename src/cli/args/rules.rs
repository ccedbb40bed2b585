//! The arguments of `rules`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{AwsArgs, CodeArgs, FileArgs, ListReportArgs, OutputArgs, RuleArgs, TargetArgs};

/// The rules: which there are, reading them from where they stand, and writing them as code
///
/// A rule says under which prefix of your ECR registry an upstream is cached. Rules stand in AWS, and often
/// in Terraform, CloudFormation, a CDK app or Pulumi; nobody has to type them again.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite rules", bin_name = "ecr-rewrite rules", after_help = RULES)]
pub(in super::super) struct Rules {
    #[command(subcommand)]
    pub(in super::super) command: RulesCommand,
}

const RULES: &str = "\
Examples:
  ecr-rewrite rules show                             what counts here, and where it is stated
  ecr-rewrite rules import infra/ecr.tf              a `rules:` block to paste into the config
  ecr-rewrite rules import --from-aws                the same from the AWS account of the shell
  ecr-rewrite rules export --to terraform --from-aws what is missing there, as code

Exit codes: 0 done; 2 wrong usage, or something could not be read.";

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(in super::super) enum RulesCommand {
    Show(Show),
    Import(Import),
    Export(Export),
}

impl Rules {
    /// How much is said.
    pub(in super::super) fn output(&self) -> &OutputArgs {
        match &self.command {
            RulesCommand::Show(show) => &show.output,
            RulesCommand::Import(import) => &import.output,
            RulesCommand::Export(export) => &export.output,
        }
    }
}

/// Show the rules that count, each with where it is stated; environments where theirs differ
///
/// Everything that states rules is taken together as in a rewrite: the command line, the config with its
/// `rulesFrom`, its overrides.
#[derive(Debug, Args)]
#[command(after_help = SHOW)]
pub(in super::super) struct Show {
    #[command(flatten)]
    pub(in super::super) target: TargetArgs,
    #[command(flatten)]
    pub(in super::super) rules: RuleArgs,
    #[command(flatten)]
    pub(in super::super) output: OutputArgs,
    #[command(flatten)]
    pub(in super::super) report: ListReportArgs,
}

const SHOW: &str = "\
Examples:
  ecr-rewrite rules show
  ecr-rewrite rules show --rules infra/ecr.tf
  ecr-rewrite rules show --from-aws --profile prod --format json

Exit codes: 0 done; 2 wrong usage, a bad config, or a source that cannot be read.";

/// Read rules from where they stand, and print them as a `rules:` block for the config
#[derive(Debug, Args)]
#[command(long_about = sources(), after_help = IMPORT)]
pub(in super::super) struct Import {
    /// Files to read; `-` for standard input
    #[arg(value_name = "SOURCE", required_unless_present = "from_aws")]
    pub(in super::super) sources: Vec<PathBuf>,

    #[command(flatten)]
    pub(in super::super) target: TargetArgs,
    #[command(flatten)]
    pub(in super::super) aws: AwsArgs,
    #[command(flatten)]
    pub(in super::super) output: OutputArgs,
    #[command(flatten)]
    pub(in super::super) code: CodeArgs,
}

/// What `import` does, with what it reads.
fn sources() -> String {
    format!(
        "Read rules from where they stand, and print them as a `rules:` block for the config\n\n\
        A SOURCE is {}. What is not written out in it is said, with what to run instead.",
        crate::rules::import::kinds()
    )
}

const IMPORT: &str = "\
Examples:
  aws ecr describe-pull-through-cache-rules | ecr-rewrite rules import - --region eu-west-1
  ecr-rewrite rules import --from-aws --profile prod --region eu-west-1
  terraform show -json | ecr-rewrite rules import -
  cdk synth | ecr-rewrite rules import -
  pulumi stack export | ecr-rewrite rules import -
  ecr-rewrite rules import infra/ecr.tf infra/more.tf

Exit codes: 0 done, with warnings on standard error; 2 wrong usage, or a source or a rule in it could not be
read (the others are printed).";

/// Print the rules that are missing as code
///
/// Missing is what the config or the command line states, or the images of the PATHs need, and what the source
/// (`--from-aws`, `--rules FILE`, `rulesFrom`) does not have. An upstream that nothing states a prefix for gets
/// that of `--rules default`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT)]
pub(in super::super) struct Export {
    /// Files and folders whose images are looked at; the current folder without any
    #[arg(value_name = "PATH")]
    pub(in super::super) paths: Vec<PathBuf>,

    /// What to print
    #[arg(long, value_name = "CODE", value_parser = crate::rules::export::FORMATS.each_ref().map(|format| format.word))]
    pub(in super::super) to: String,
    /// Print every rule that counts, whether it exists or not
    #[arg(long)]
    pub(in super::super) all: bool,

    #[command(flatten)]
    pub(in super::super) target: TargetArgs,
    #[command(flatten)]
    pub(in super::super) rules: RuleArgs,
    #[command(flatten)]
    pub(in super::super) files: FileArgs,
    #[command(flatten)]
    pub(in super::super) output: OutputArgs,
    #[command(flatten)]
    pub(in super::super) code: CodeArgs,
}

const EXPORT: &str = "\
Examples:
  ecr-rewrite rules export --to terraform --from-aws        what AWS does not have yet
  ecr-rewrite rules export --to aws-cli --rules infra/ecr.tf
  ecr-rewrite rules export --to cloudformation --all -o rules.yaml
  ecr-rewrite rules export --to renovate                    aliases, so that updates go on

Credentials are never printed: an upstream that needs one gets a placeholder that says what it stands for.
`renovate` always prints all rules.

Exit codes: 0 done, also when nothing is missing; 2 wrong usage, or something could not be read.";
