//! Arguments as typed. What they mean together is worked out by the commands and `settings`.

mod generate;
mod images;
mod rules;
mod shared;
mod whole;

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

pub(super) use generate::{Generate, Schema, What};
pub(super) use images::{Images, Init};
pub(super) use rules::{Export, Import, Rules, RulesCommand, Show};
pub(super) use shared::{
    AwsArgs, CodeArgs, FileArgs, JudgementArgs, ListFormat, ListReportArgs, OutputArgs, RuleArgs,
    StatedRuleArgs, TargetArgs, When,
};
pub(super) use whole::whole;

/// The help of the program itself: its commands are words of their own, not options of a rewrite.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Commands:
  convert  One reference, on its own
  images   Every image, its places, upstream and rule
  explain  Why an image changes or stays
  rules    The rules: show, import from AWS or infrastructure code, export
  prove    Render before and after, show that only images change
  init     Write a config to begin with

{all-args}{after-help}";

const SHORT: &str = "More with `--help`, and `ecr-rewrite COMMAND --help`.";

const EXAMPLES: &str = "\
Examples:
  ecr-rewrite ./environments --dry-run     show what would change, as a diff
  ecr-rewrite ./environments               change the files
  ecr-rewrite --check                      report images that do not come from ECR
  ecr-rewrite convert nginx:1.27           one reference, on its own
  ecr-rewrite explain ./web.yaml:12        why an image changes or stays
  ecr-rewrite images                       every image, its places, upstream and rule
  ecr-rewrite rules import infra/ecr.tf    rules from AWS or infrastructure code
  ecr-rewrite init                         write a config to begin with
  ecr-rewrite prove                        render before and after, show that only images change

Exit codes: 0 done; 1 a finding at error level with `--check`, a diff with
`--exit-code`; 2 wrong usage, or a file could not be read, verified or written;
130 and 143 interrupted.";

/// Rewrite container image references to Amazon ECR pull-through-cache paths, and nothing else
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite", version, arg_required_else_help = true)]
#[command(help_template = TEMPLATE, after_help = SHORT, after_long_help = EXAMPLES)]
#[command(
    override_usage = "ecr-rewrite [OPTIONS] PATH...\n       ecr-rewrite --check [OPTIONS] [PATH]...\n       ecr-rewrite COMMAND [OPTIONS] ..."
)]
pub(super) struct Rewrite {
    /// Files and folders to rewrite; `-` reads standard input and writes standard output
    #[arg(value_name = "PATH", hide_short_help = true)]
    pub(super) paths: Vec<PathBuf>,

    /// Print the diff and write nothing
    ///
    /// On standard output; without a PATH, that of the current folder.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Report images that do not come from ECR, and exit with 1 for an error
    ///
    /// Writes nothing. Works without a target: then any ECR host counts.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) check: bool,

    /// The file name that standard input goes by: it chooses the kind of file and the config
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(super) stdin_filename: Option<PathBuf>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) files: FileArgs,
    #[command(flatten)]
    pub(super) judgement: JudgementArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// Convert references on their own: one in, its ECR reference out, one a line
///
/// An image that no rule maps comes out as it went in, with the reason on standard error.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite convert", bin_name = "ecr-rewrite convert", after_help = CONVERT)]
pub(super) struct Convert {
    /// References; without any, standard input is read, one a line
    #[arg(value_name = "IMAGE")]
    pub(super) images: Vec<String>,

    /// The way back: an ECR reference in, its upstream out
    #[arg(long)]
    pub(super) revert: bool,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

const CONVERT: &str = "\
Examples:
  ecr-rewrite convert nginx:1.27 quay.io/prometheus/node-exporter:v1.8.2
  ecr-rewrite convert -v registry.example.com/app:1      and why it stays
  ecr-rewrite convert --revert 123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27
  grep ^FROM Dockerfile | cut -d ' ' -f 2 | ecr-rewrite convert

Exit codes: 0 done, whatever was mapped; 2 wrong usage, or something is no reference (the others are printed).";

/// Say why each image of a file changes or stays: what decided, and where that is stated
///
/// The rest of the repository is read as in a rewrite, because images hang together across files.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite explain", bin_name = "ecr-rewrite explain", after_help = EXPLAIN)]
pub(super) struct Explain {
    /// A file; with a line, and perhaps a column, only what stands there
    #[arg(value_name = "PATH[:LINE[:COL]]")]
    pub(super) place: PathBuf,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

const EXPLAIN: &str = "\
Examples:
  ecr-rewrite explain ./web.yaml               every image of the file
  ecr-rewrite explain ./web.yaml:12            what stands on the line
  ecr-rewrite explain ./values.yaml:3:15       what stands there
  ecr-rewrite explain ./web.yaml --rules default --registry 123456789012.dkr.ecr.eu-west-1.amazonaws.com

Exit codes: 0 done; 2 wrong usage, or the file could not be read.";

/// Render every kustomization, chart and release before and after, and show that only images changed
///
/// Renders with the `helm` and `kustomize` of the PATH, without network: charts have to lie in the
/// repository, as folders or packages, or in Helm's cache. Writes nothing.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite prove", bin_name = "ecr-rewrite prove", after_help = PROVE)]
pub(super) struct Prove {
    /// Files and folders whose rewrite is proven; the current folder without any
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) files: FileArgs,
    #[command(flatten)]
    pub(super) judgement: JudgementArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) report: ProveReportArgs,
}

const PROVE: &str = "\
Examples:
  ecr-rewrite prove                                    the current folder
  ecr-rewrite prove environments/prod -v               with every rendering, image and reason
  ecr-rewrite prove --format markdown -o proof.md      for a comment at a pull request

Exit codes: 0 everything that can be rendered is equal but for images; 1 a rendering
differs in anything else, or an image became malformed; 2 wrong usage, neither `helm`
nor `kustomize` is there, or a file could not be read; 130 and 143 interrupted.";

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ProveReportArgs {
    /// Write the report to a file instead of standard output
    #[arg(short, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ProofFormat,
}

/// How a proof is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProofFormat {
    /// For a terminal: a screen, and details with `-v`.
    Text,
    /// Everything, for programs.
    Json,
    /// For a comment at a pull request.
    Markdown,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ReportArgs {
    /// With `--dry-run`: exit with 1 when there is a diff
    #[arg(long, requires = "dry_run", hide_short_help = true)]
    pub(super) exit_code: bool,
    /// Write the diff or report to a file instead of standard output
    #[arg(short, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// How to show what was found
    ///
    /// Without it, `--dry-run` prints a diff, `--check` text (in a workflow of GitHub, `github`), and
    /// writing nothing; writing takes `json` and `markdown`.
    #[arg(long, value_name = "FORMAT", value_parser = crate::report::FORMATS.each_ref().map(|format| format.word))]
    pub(super) format: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Generate::command().debug_assert();
        whole().debug_assert();
    }

    #[test]
    fn every_command_is_told() {
        let whole = whole();
        let pages = whole.get_subcommands().map(clap::Command::get_name);
        let mut told: Vec<&str> = pages.collect();
        for command in &told {
            let line = format!("\n  {command} ");
            assert!(TEMPLATE.contains(&line), "{command} is not in the help");
        }
        told.push("generate"); // It is for packages alone.
        told.sort_unstable();
        let words = super::super::COMMANDS.iter().map(|(word, _)| *word);
        let mut run: Vec<&str> = words.collect();
        run.sort_unstable();
        assert_eq!(told, run, "told and run");
    }
}
