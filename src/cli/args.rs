//! Arguments as typed. What they mean together is worked out by the commands and `settings`.

mod images;
mod rules;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum};

pub(super) use images::{Images, Init};
pub(super) use rules::{AwsArgs, Export, Import, ListFormat, Rules, RulesCommand, Show};

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

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetArgs {
    /// The ECR registry, as in `123456789012.dkr.ecr.eu-west-1.amazonaws.com`; placeholders such as
    /// `${AWS_ACCOUNT}` are kept as text
    #[arg(long, value_name = "HOST")]
    pub(super) registry: Option<String>,
    /// The AWS account of the registry, 12 digits
    #[arg(long, value_name = "ID")]
    pub(super) account: Option<String>,
    /// The AWS region of the registry
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleArgs {
    /// An upstream and the ECR prefix it is cached under, as in `docker.io=docker-hub` (repeatable)
    #[arg(long = "rule", value_name = "UPSTREAM[/PATH]=PREFIX")]
    pub(super) rule: Vec<String>,
    /// Read the rules from a file instead of the config: what `aws ecr
    /// describe-pull-through-cache-rules` prints, Terraform, CloudFormation, Pulumi; `-` for standard
    /// input, `default` for the built-in prefixes
    #[arg(long, value_name = "FILE|-|default", conflicts_with = "from_aws")]
    pub(super) rules: Option<String>,
    /// Ask AWS for the rules of the target, with the `aws` command line
    #[arg(long)]
    pub(super) from_aws: bool,
    /// The profile of the `aws` command line
    #[arg(
        long,
        value_name = "P",
        requires = "from_aws",
        conflicts_with = "rules"
    )]
    pub(super) profile: Option<String>,
    /// The config file, instead of the repository's `.ecr-rewrite.yaml`
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(super) config: Option<PathBuf>,
    /// Read no config file
    #[arg(long)]
    pub(super) no_config: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "flags as typed; they become enums in `walk::Options`"
)]
pub(super) struct FileArgs {
    /// Look at the files that fit, too (repeatable); globs count from the current folder and from
    /// each given one
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,
    /// Leave the files that fit out (repeatable); globs count as with `--include`
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    /// Look at hidden files, too
    #[arg(long)]
    pub(super) hidden: bool,
    /// Look at files that git ignores, too
    #[arg(long)]
    pub(super) no_ignore: bool,
    /// Read more paths from a file, one a line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) files_from: Option<PathBuf>,
    /// Paths in `--files-from` end with a NUL byte instead of a line end
    #[arg(short = '0', requires = "files_from")]
    pub(super) null: bool,
    /// Let excludes bind files given by path, too, and leave out of them what a folder is searched
    /// without (hidden files, files of CI and compose): for hooks
    #[arg(long)]
    pub(super) force_exclude: bool,
    /// Leave larger files alone; with a suffix such as `10MiB`
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = parse_size)]
    pub(super) max_file_size: u64,
}

impl Default for FileArgs {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            hidden: false,
            no_ignore: false,
            files_from: None,
            null: false,
            force_exclude: false,
            max_file_size: 10 << 20,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
    /// Say only what went wrong
    #[arg(short, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say why every image stays or changes
    #[arg(short, action = ArgAction::Count)]
    pub(super) verbose: u8,
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

#[derive(Debug, Args)]
#[command(next_help_heading = "Judgement")]
pub(super) struct JudgementArgs {
    /// Make changes that rest on an assumption, too; with a code, only on that one (repeatable)
    #[arg(long, value_name = "CODE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(super) assume: Vec<String>,
    /// Rewrite the tests and annotations of a chart, too, where they repeat an image that its own
    /// files change
    #[arg(long)]
    pub(super) with_tests: bool,
}

/// Options of the contract that a later version brings: accepted so that they can say so.
#[derive(Debug, Args)]
pub(super) struct LaterArgs {
    #[arg(long, hide = true)]
    pub(super) charts: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl LaterArgs {
    /// The first of these options that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.charts.then_some("--charts")
    }
}

/// Reads `10485760`, `512K`, `10MiB` or `1GB` (binary units all of them), in bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let shift = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err("write a number of bytes, or one with `KiB`, `MiB` or `GiB`".into()),
    };
    let number: u64 = digits
        .trim()
        .parse()
        .map_err(|_| format!("`{digits}` is not a whole number"))?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "the size is too large".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("7", 7),
            ("512K", 512 << 10),
            ("10MiB", 10 << 20),
            ("1gb", 1 << 30),
            ("5b", 5),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "x", "1.5M", "10T", "99999999999G"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

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
