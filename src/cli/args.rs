//! Arguments as typed. What they mean together is worked out by the commands and `settings`.

mod images;
mod rules;
mod shared;

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

pub(super) use images::{Images, Init};
pub(super) use rules::{Export, Import, Rules, RulesCommand, Show};
pub(super) use shared::{
    AwsArgs, CodeArgs, FileArgs, JudgementArgs, ListFormat, ListReportArgs, OutputArgs, RuleArgs,
    StatedRuleArgs, TargetArgs, When,
};

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
#[command(name = "ecr-rewrite", version, after_help = EXAMPLES, arg_required_else_help = true)]
#[command(
    override_usage = "ecr-rewrite [OPTIONS] PATH...\n       ecr-rewrite --check [OPTIONS] [PATH]...\n       ecr-rewrite convert [OPTIONS] [IMAGE]...\n       ecr-rewrite images [OPTIONS] [PATH]...\n       ecr-rewrite explain [OPTIONS] PATH[:LINE]\n       ecr-rewrite rules show|import|export [OPTIONS]\n       ecr-rewrite prove [OPTIONS] [PATH]...\n       ecr-rewrite init [OPTIONS] [PATH]"
)]
pub(super) struct Rewrite {
    /// Files and folders to rewrite; `-` reads standard input and writes standard output
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    /// Print the diff on standard output and write nothing; without a PATH, of the current folder
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Report images that do not come from ECR and write nothing; exit with 1 when a finding is an
    /// error. Works without a target: then any ECR host counts
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) check: bool,

    /// The file name that standard input goes by: it chooses the kind of file and the config
    #[arg(long, value_name = "NAME")]
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
    #[command(flatten)]
    pub(super) later: LaterArgs,
}

/// Convert references on their own: one in, its ECR reference out, one a line
///
/// An image that no rule maps comes out as it went in, with the reason on standard error.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite convert", bin_name = "ecr-rewrite convert")]
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

/// Say why each image of a file changes or stays: what decided, and where that is stated
///
/// The rest of the repository is read as in a rewrite, because images hang together across files.
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite explain", bin_name = "ecr-rewrite explain")]
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
    #[arg(long, requires = "dry_run")]
    pub(super) exit_code: bool,
    /// Write the diff or report to a file instead of standard output
    #[arg(short, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// How to show what was found: `text`, `concise`, `diff`, `json`, `markdown`, `sarif`, `github`,
    /// `gitlab` or `rdjson`. Without it, `--dry-run` prints a diff, `--check` text (in a workflow of
    /// GitHub, `github`), and writing nothing; writing takes `json` and `markdown`
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
}

/// Options of the contract that a later version brings: accepted so that they can say so.
#[derive(Debug, Args)]
pub(super) struct LaterArgs {
    #[arg(long, hide = true)]
    pub(super) charts: bool,
}

impl LaterArgs {
    /// The first of these options that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.charts.then_some("--charts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Rewrite::command().debug_assert();
        Convert::command().debug_assert();
        Explain::command().debug_assert();
        Prove::command().debug_assert();
        Rules::command().debug_assert();
        Images::command().debug_assert();
        Init::command().debug_assert();
    }
}
