//! The arguments of `generate`, which packages are made with.

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Print what a package installs beside the program: completions, man pages, schemas
#[derive(Debug, Parser)]
#[command(name = "ecr-rewrite generate", bin_name = "ecr-rewrite generate", after_help = GENERATE)]
pub(in super::super) struct Generate {
    #[command(subcommand)]
    pub(in super::super) what: What,
}

const GENERATE: &str = "\
Examples:
  ecr-rewrite generate completions bash > ecr-rewrite.bash
  ecr-rewrite generate man > ecr-rewrite.1
  ecr-rewrite generate man convert > ecr-rewrite-convert.1
  ecr-rewrite generate schema config > ecr-rewrite.schema.json

Exit codes: 0 done; 2 wrong usage, or the output could not be written.";

/// What to print.
#[derive(Debug, Subcommand)]
pub(in super::super) enum What {
    /// A man page: that of the program, or of one of its commands
    Man {
        /// The command, as in `convert`
        command: Option<String>,
    },
    /// The completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// The JSON Schema of the config, or of a report
    Schema {
        /// What it describes
        of: Schema,
    },
}

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Schema {
    /// The config, `.ecr-rewrite.yaml`.
    Config,
    /// What `--format json` prints with `--check`, `--dry-run` and a rewrite.
    Report,
    /// The same of `images`.
    Images,
    /// The same of `prove`.
    Prove,
    /// The same of `rules show`.
    Rules,
}
