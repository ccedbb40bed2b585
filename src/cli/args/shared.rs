//! The arguments that commands share, in groups: each option is stated once.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ValueEnum};

use crate::reason::Assumption;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(in super::super) struct TargetArgs {
    /// The ECR registry to pull from
    ///
    /// As in `123456789012.dkr.ecr.eu-west-1.amazonaws.com`; placeholders such as `${AWS_ACCOUNT}` are kept
    /// as text.
    #[arg(long, value_name = "HOST")]
    pub(in super::super) registry: Option<String>,
    /// The AWS account of the registry, 12 digits
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub(in super::super) account: Option<String>,
    /// The AWS region of the registry
    #[arg(long, value_name = "REGION", hide_short_help = true)]
    pub(in super::super) region: Option<String>,
}

/// The rules of a run, with the config that may state them.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(in super::super) struct RuleArgs {
    #[command(flatten)]
    pub(in super::super) stated: StatedRuleArgs,
    /// The config, instead of the repository's
    ///
    /// That is the `.ecr-rewrite.yaml` which is found first from the first path upwards.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(in super::super) config: Option<PathBuf>,
    /// Read no config file
    #[arg(long, hide_short_help = true)]
    pub(in super::super) no_config: bool,
}

/// Rules of the command line and of a source.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(in super::super) struct StatedRuleArgs {
    /// An upstream and its ECR prefix, as in `docker.io=docker-hub`
    ///
    /// It adds to the rules of the config, and replaces the one for the same upstream (repeatable).
    #[arg(long = "rule", value_name = "UPSTREAM[/PATH]=PREFIX")]
    pub(in super::super) rule: Vec<String>,
    /// Read the rules from a file of AWS or of infrastructure code
    ///
    /// Whatever `rules import` reads, in place of the rules of a config; `-` for standard input, `default` for
    /// the built-in prefixes.
    #[arg(long, value_name = "FILE|-|default", conflicts_with_all = ["from_aws", "profile"])]
    pub(in super::super) rules: Option<String>,
    #[command(flatten)]
    pub(in super::super) aws: AwsArgs,
}

/// Asking AWS.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(in super::super) struct AwsArgs {
    /// Ask AWS for the rules, with the `aws` command line
    ///
    /// Those of the target, or of what its shell is logged in to.
    #[arg(long)]
    pub(in super::super) from_aws: bool,
    /// The profile of the `aws` command line
    #[arg(long, value_name = "P", requires = "from_aws", hide_short_help = true)]
    pub(in super::super) profile: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "flags as typed; they become enums in `walk::Options`"
)]
pub(in super::super) struct FileArgs {
    /// Look at the files that fit, too
    ///
    /// Globs count from the current folder and from each given one (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub(in super::super) include: Vec<String>,
    /// Leave the files that fit out
    ///
    /// Globs count as with `--include` (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub(in super::super) exclude: Vec<String>,
    /// Look at hidden files, too
    #[arg(long, hide_short_help = true)]
    pub(in super::super) hidden: bool,
    /// Look at files that git ignores, too
    #[arg(long, hide_short_help = true)]
    pub(in super::super) no_ignore: bool,
    /// Read more paths from a file, one a line; `-` for standard input
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(in super::super) files_from: Option<PathBuf>,
    /// Paths in `--files-from` end with a NUL byte instead of a line end
    #[arg(short = '0', requires = "files_from", hide_short_help = true)]
    pub(in super::super) null: bool,
    /// Let excludes bind files given by path, too: for hooks
    ///
    /// It leaves out of them what a folder is searched without, too: hidden files, files of CI and compose.
    #[arg(long, hide_short_help = true)]
    pub(in super::super) force_exclude: bool,
    /// Leave larger files alone; with a suffix such as `10MiB`
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = parse_size, hide_short_help = true)]
    pub(in super::super) max_file_size: u64,
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
pub(in super::super) struct OutputArgs {
    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true
    )]
    pub(in super::super) color: When,
    /// Say only what went wrong
    #[arg(short, conflicts_with = "verbose")]
    pub(in super::super) quiet: bool,
    /// Say why every image stays or changes
    #[arg(short, action = ArgAction::Count)]
    pub(in super::super) verbose: u8,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Judgement")]
pub(in super::super) struct JudgementArgs {
    /// Make changes that rest on an assumption, too
    ///
    /// With a code, only on that one (repeatable): `chart-default-unknown`, `bare-word`, `text-reference` or
    /// `bitnami-insecure-images`.
    #[arg(long, value_name = "CODE", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = assumptions(), hide_possible_values = true)]
    pub(in super::super) assume: Vec<String>,
    /// Rewrite the tests and annotations of a chart, too
    ///
    /// Where they repeat an image that its own files change.
    #[arg(long, hide_short_help = true)]
    pub(in super::super) with_tests: bool,
    /// Rewrite references to charts in OCI registries, too
    ///
    /// What fetches them (Flux, Argo CD, Helm) needs credentials for ECR of its own.
    #[arg(long, hide_short_help = true)]
    pub(in super::super) charts: bool,
}

/// Where code goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(in super::super) struct CodeArgs {
    /// Write it to a file instead of standard output
    #[arg(short, value_name = "FILE")]
    pub(in super::super) output_file: Option<PathBuf>,
}

/// Where a list goes, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(in super::super) struct ListReportArgs {
    /// Write the list to a file instead of standard output
    #[arg(short, value_name = "FILE")]
    pub(in super::super) output_file: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in super::super) format: ListFormat,
}

/// How a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum ListFormat {
    /// A table.
    Text,
    /// Everything, for programs.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The codes of assumptions; nothing stands for all of them.
fn assumptions() -> impl TypedValueParser<Value = String> {
    let codes = Assumption::ALL.map(|assumption| PossibleValue::new(assumption.code()));
    PossibleValuesParser::new(codes.into_iter().chain([PossibleValue::new("").hide(true)]))
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
}
