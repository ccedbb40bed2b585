//! Where a report goes, and in which format.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::super::Error;
use super::super::args::ReportArgs;
use super::super::talk::Talk;
use crate::findings::{Findings, Unused};
use crate::plan::Plan;
use crate::report::{Color, Format, clean, concise, diff, findings, json};
use crate::rules::{Origin, Rule};
use crate::source::Failure;

/// Standard output, or a file that stands in for it.
pub(super) struct Sink<'a> {
    /// What to print; nothing when that was not asked for.
    pub(super) format: Option<Format>,
    file: Option<&'a Path>,
    talk: Talk,
}

impl<'a> Sink<'a> {
    /// What was asked for; `usual` is the format of the mode, none for one that prints nothing.
    pub(super) fn new(
        args: &'a ReportArgs,
        usual: Option<Format>,
        talk: Talk,
    ) -> Result<Self, Error> {
        let asked = args.format.as_deref().map(format).transpose()?;
        if let (None, Some(format)) = (usual, asked)
            && format != Format::Json
        {
            return Err(Error::Message(format!(
                "writing takes `--format json` alone; `{}` goes with `--dry-run` or `--check`",
                args.format.as_deref().unwrap_or_default()
            )));
        }
        let format = asked.or(usual);
        if format.is_none() && args.output_file.is_some() {
            return Err(Error::Message(
                "`-o` has nothing to write; add `--dry-run`, `--check` or `--format json`".into(),
            ));
        }
        Ok(Self {
            format,
            file: args.output_file.as_deref(),
            talk,
        })
    }

    /// A sink for a command that prints by itself.
    pub(super) fn silent(talk: Talk) -> Self {
        Self {
            format: None,
            file: None,
            talk,
        }
    }

    /// Prints the report, if one was asked for.
    pub(super) fn render(
        &self,
        plan: &Plan,
        findings: &Findings,
        failures: &[Failure],
        mode: json::Mode,
    ) -> Result<(), Error> {
        let Some(format) = self.format else {
            return Ok(());
        };
        let render = |color: Color, out: &mut dyn Write| match format {
            Format::Text => findings::render(findings, color, out),
            Format::Concise => concise::render(findings, out),
            Format::Diff => diff::render(plan, color, out),
            Format::Json => json::render(plan, findings, failures, mode, out),
        };
        let kind = match format {
            Format::Json => Kind::Data,
            _ => Kind::Prose,
        };
        print(self.file, kind, self.talk, &render)
    }
}

/// What is printed: lines of a repository in prose may mean something to who reads it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For people.
    Prose,
    /// For programs.
    Data,
}

/// Prints a report on standard output, or into a file.
pub(super) fn print(
    file: Option<&Path>,
    kind: Kind,
    talk: Talk,
    render: &dyn Fn(Color, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    if let Some(path) = file {
        let mut bytes = Vec::new();
        render(Color::Off, &mut bytes).map_err(Error::Output)?;
        return fs::write(path, bytes).map_err(|error| {
            Error::Message(format!("{}: cannot be written: {error}", path.display()))
        });
    }
    let stdout = io::stdout();
    let color = talk.color(&stdout);
    if kind != Kind::Data && under_actions() {
        let mut bytes = Vec::new();
        render(color, &mut bytes).map_err(Error::Output)?;
        let mut out = stdout.lock();
        out.write_all(&without_commands(bytes))
            .map_err(Error::Output)?;
        return out.flush().map_err(Error::Output);
    }
    let plain_terminal = color == Color::Off && stdout.is_terminal();
    let mut out = io::BufWriter::new(stdout.lock());
    if plain_terminal {
        let mut bytes = Vec::new();
        render(color, &mut bytes).map_err(Error::Output)?;
        write_clean(&bytes, &mut out).map_err(Error::Output)?;
    } else {
        render(color, &mut out).map_err(Error::Output)?;
    }
    out.flush().map_err(Error::Output)
}

/// A terminal without colours is a terminal all the same: it gets no bytes that could fool it.
fn write_clean(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .try_for_each(|line| writeln!(out, "{}", clean(line)))
}

/// Whether a workflow of GitHub reads what is printed.
fn under_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The same output in such a way that lines of a repository in it, which a workflow would take for
/// commands, are none: GitHub stops to read commands until the word comes again, which the hash of the
/// output keeps from standing in it.
fn without_commands(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes);
    let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    // Other line ends count as well: the runner knows them all.
    if !text.split(['\n', '\r']).any(is_command) {
        return bytes;
    }
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let word = format!("{:016x}", hasher.finish());
    let mut wrapped = format!("::stop-commands::{word}\n").into_bytes();
    wrapped.extend(&bytes);
    if !bytes.ends_with(b"\n") {
        wrapped.push(b'\n');
    }
    wrapped.extend(format!("::{word}::\n").into_bytes());
    wrapped
}

/// Reads the word after `--format`.
fn format(word: &str) -> Result<Format, Error> {
    let known = Format::ALL.into_iter().find(|(known, _)| *known == word);
    if let Some((_, format)) = known {
        return Ok(format);
    }
    Err(Error::Message(if Format::LATER.contains(&word) {
        format!("`--format {word}` is not supported yet")
    } else {
        let known = Format::ALL.map(|(known, _)| known).join("`, `");
        format!("`--format {word}` does not exist; the formats are `{known}`")
    }))
}

/// Says which entries of the config met nothing.
pub(super) fn unused(unused: &Unused, talk: Talk) {
    for origin in &unused.allows {
        talk.note(&clean(&format!(
            "{origin}: this `allow` matches no image; remove it"
        )));
    }
    for host in &unused.aliases {
        talk.note(&clean(&format!(
            "the alias of `{host}` is for no image; remove it from `aliases`"
        )));
    }
    let stated = |rule: &&Rule| *rule.origin() != Origin::BuiltIn;
    for rule in unused.rules.iter().filter(stated) {
        talk.detail(&clean(&format!(
            "the rule {} -> {} ({}) is for no image",
            rule.upstream(),
            rule.prefix_text(),
            rule.origin()
        )));
    }
}
