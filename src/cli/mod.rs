//! The command line: arguments in, exit code out.
//!
//! A command is recognised only as the first word; everything else is paths and options of the
//! rewrite itself. The commands are a few lines each over the stages.

mod args;
mod commands;
mod progress;
mod talk;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Convert, Explain, Generate, Images, Init, Prove, Rewrite, Rules};
use talk::Talk;

use crate::report::clean;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// A check found an error, or there is a diff and `--exit-code` was given.
    Found,
    /// Wrong usage, or something could not be read, verified or written.
    Broken,
    /// A signal stopped the work.
    Interrupted(u8),
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Broken => 2,
            Self::Interrupted(signal) => 128 + signal,
        }
    }
}

/// Why a command did not get to its end.
enum Error {
    /// Said already, or to be said in one line.
    Message(String),
    /// Several things, each to be said in one line.
    Several(Vec<String>),
    /// A report with a snippet.
    Report(miette::Report),
    /// Standard output, or the file that stands in for it, refused.
    Output(io::Error),
}

impl From<crate::settings::SettingsError> for Error {
    fn from(error: crate::settings::SettingsError) -> Self {
        match error {
            crate::settings::SettingsError::Config(error) => {
                Self::Report(miette::Report::from(error.map_texts(clean)))
            }
            crate::settings::SettingsError::Message(message) => Self::Message(message),
            crate::settings::SettingsError::Several(messages) => Self::Several(messages),
        }
    }
}

/// Words people try for something else.
const MISTAKEN: &[(&str, &str)] = &[
    ("check", "--check"),
    ("diff", "--dry-run"),
    ("plan", "--dry-run"),
    ("rewrite", "ecr-rewrite PATH"),
    ("apply", "ecr-rewrite PATH"),
    ("help", "--help"),
    ("version", "--version"),
];

/// Runs a command with its arguments, the name first.
type Command = fn(&[OsString]) -> Exit;

/// The commands, by their words.
const COMMANDS: &[(&str, Command)] = &[
    ("convert", |words| {
        command(
            words,
            |args: &Convert| Talk::new(&args.output),
            commands::convert,
        )
    }),
    ("explain", |words| {
        command(
            words,
            |args: &Explain| Talk::new(&args.output),
            commands::explain,
        )
    }),
    ("generate", |words| {
        let run = |args: &Generate, _| commands::generate(args);
        command(words, |_| Talk::default(), run)
    }),
    ("images", |words| {
        command(
            words,
            |args: &Images| Talk::new(&args.output),
            commands::images,
        )
    }),
    ("init", |words| {
        command(words, |args: &Init| Talk::new(&args.output), commands::init)
    }),
    ("prove", |words| {
        command(
            words,
            |args: &Prove| Talk::new(&args.output),
            commands::prove,
        )
    }),
    ("rules", |words| {
        command(
            words,
            |args: &Rules| Talk::new(args.output()),
            commands::rules,
        )
    }),
];

/// Runs the program with its arguments, the name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = arguments
        .get(1)
        .and_then(|word| word.to_str())
        .unwrap_or("");
    if let Some((_, run)) = COMMANDS.iter().find(|(word, _)| *word == first) {
        return run(&arguments[1..]);
    }
    let rewrite = match Rewrite::try_parse_from(&arguments) {
        Ok(rewrite) => rewrite,
        Err(error) => return usage(&error),
    };
    let talk = Talk::new(&rewrite.output);
    let exit = match check_first_word(first) {
        Some(message) => Err(Error::Message(message)),
        None => commands::rewrite(&rewrite, talk),
    };
    exit.unwrap_or_else(|error| fail(error, talk))
}

/// Reads the words of a command and runs it.
fn command<A: Parser>(
    words: &[OsString],
    talk: fn(&A) -> Talk,
    run: fn(&A, Talk) -> Result<Exit, Error>,
) -> Exit {
    let args = match A::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let talk = talk(&args);
    note_folder(&words[0].to_string_lossy(), talk);
    run(&args, talk).unwrap_or_else(|error| fail(error, talk))
}

/// Prints what clap has to say: help and versions on standard output, errors on standard error.
/// An error repeats arguments, and a shell may have put names of the repository among them.
fn usage(error: &clap::Error) -> Exit {
    let is_help = error.exit_code() == 0
        || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help {
        // Nobody is left to tell when the terminal itself is gone.
        drop(error.print());
    } else {
        let text = error.render().to_string();
        text.trim_end()
            .lines()
            .for_each(|line| Talk::default().note(line));
    }
    if error.exit_code() == 0 {
        Exit::Done
    } else {
        Exit::Broken
    }
}

fn fail(error: Error, talk: Talk) -> Exit {
    match error {
        Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Done,
        Error::Output(error) => talk.error(&format!("the output could not be written: {error}")),
        Error::Message(message) => talk.error(&message),
        Error::Several(messages) => messages.iter().for_each(|message| talk.error(message)),
        Error::Report(report) => talk.report(&report),
    }
    Exit::Broken
}

fn note_folder(word: &str, talk: Talk) {
    if Path::new(word).exists() {
        talk.note(&format!(
            "`{word}` is read as the command; for the path of that name write `./{word}`"
        ));
    }
}

/// The message for a first word that is neither a path nor an option.
fn check_first_word(word: &str) -> Option<String> {
    if word.is_empty() || word.starts_with('-') || Path::new(word).exists() {
        return None;
    }
    let known = MISTAKEN.iter().copied();
    let words = COMMANDS.iter().map(|(word, _)| word);
    let commands = words.map(|command| (*command, *command));
    let close = known
        .chain(commands)
        .map(|(candidate, meant)| (strsim::jaro_winkler(word, candidate), meant))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Some(match close {
        Some((_, meant)) => {
            format!("`{word}` is neither a path nor a command; did you mean `{meant}`?")
        }
        None => format!(
            "`{word}` does not exist; give a file or folder, as in `ecr-rewrite ./environments --dry-run`"
        ),
    })
}
