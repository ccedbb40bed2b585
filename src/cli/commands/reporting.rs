//! Where a report goes, and in which format.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::super::Error;
use super::super::args::ReportArgs;
use super::super::talk::Talk;
use crate::findings::Unused;
use crate::report::{
    Color, FORMATS, Format, Kind, Report, clean, holds_command, summary, without_commands,
};
use crate::rules::{Origin, Rule};
use crate::scan::ScannedFile;
use crate::sites::Field;
use crate::words::closest;

/// Standard output, or a file that stands in for it.
pub(super) struct Sink<'a> {
    /// What to print; nothing when that was not asked for.
    pub(super) format: Option<&'static Format>,
    file: Option<&'a Path>,
    talk: Talk,
}

impl<'a> Sink<'a> {
    /// What was asked for; `usual` is the word of the mode's format, none for one that prints nothing.
    pub(super) fn new(
        args: &'a ReportArgs,
        usual: Option<&str>,
        talk: Talk,
    ) -> Result<Self, Error> {
        let asked = args.format.as_deref().and_then(Format::of);
        if let (None, Some(format)) = (usual, asked)
            && !format.reports_writing
        {
            let writing = FORMATS.iter().filter(|format| format.reports_writing);
            return Err(Error::Message(format!(
                "writing takes `--format` {}; `{}` goes with `--dry-run` or `--check`",
                words(writing, " or "),
                format.word
            )));
        }
        let format = asked.or_else(|| usual.and_then(Format::of));
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
    pub(super) fn render(&self, report: &Report<'_>) -> Result<(), Error> {
        let Some(format) = self.format else {
            return Ok(());
        };
        if format.kind == Kind::Commands {
            self.summarize(report);
        }
        let render = |color: Color, out: &mut dyn Write| format.render(report, color, out);
        print(self.file, format.kind, self.talk, &render)
    }

    /// Adds the report to the summary of the step, where a workflow has one.
    fn summarize(&self, report: &Report<'_>) {
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
        else {
            return;
        };
        let append = || {
            let mut file = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)?;
            let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            file.write_all(summary(report, taken).as_bytes())
        };
        if let Err(error) = append() {
            let path = path.to_string_lossy();
            let note = format!("{path}: the summary of the step cannot be written: {error}");
            self.talk.note(&note);
        }
    }
}

/// The words of formats, in backticks.
fn words<'f>(formats: impl Iterator<Item = &'f Format>, between: &str) -> String {
    let words: Vec<String> = formats.map(|format| format!("`{}`", format.word)).collect();
    words.join(between)
}

/// Refuses to write a report over what it is about.
pub(super) fn refuse_input(file: Option<&Path>, files: &[ScannedFile]) -> Result<(), Error> {
    let Some(path) = file else { return Ok(()) };
    let real = path.canonicalize().ok();
    let is_package = path.extension().is_some_and(|ending| ending == "tgz");
    let is_input = |real: &Path| files.iter().any(|file| file.source.real == real);
    match real.filter(|real| is_package || is_input(real)) {
        Some(_) => Err(Error::Message(format!(
            "{}: is one of the files that are looked at, and `-o` would write over it; name another file",
            path.display()
        ))),
        None => Ok(()),
    }
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
    to_stdout(kind, talk, render).map_err(Error::Output)
}

fn to_stdout(
    kind: Kind,
    talk: Talk,
    render: &dyn Fn(Color, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let stdout = io::stdout();
    let color = talk.color(&stdout);
    let plain_terminal = color == Color::Off && stdout.is_terminal();
    let mut out = io::BufWriter::new(stdout.lock());
    match kind {
        Kind::Data | Kind::Commands => render(color, &mut out)?,
        Kind::Text | Kind::Patch => {
            let mut bytes = Vec::new();
            render(color, &mut bytes)?;
            if plain_terminal {
                write_clean(&bytes, &mut out)?;
            } else {
                out.write_all(&for_services(bytes, talk))?;
            }
        }
    }
    out.flush()
}

/// The same output, in such a way that no line of a repository in it is a command to the service that
/// reads it.
fn for_services(bytes: Vec<u8>, talk: Talk) -> Vec<u8> {
    if under_actions() {
        return stop_commands(bytes);
    }
    if !is_set("TF_BUILD", "True") {
        return bytes;
    }
    // Azure Pipelines has no way to stop it from reading commands.
    let text = String::from_utf8_lossy(&bytes);
    if !holds_command(&text) {
        return bytes;
    }
    talk.note("what Azure Pipelines would take for a command is shown escaped, so a patch does not apply; `-o FILE` writes it as it is");
    without_commands(&text).into_bytes()
}

/// A terminal without colours is a terminal all the same: it gets no bytes that could fool it.
fn write_clean(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .try_for_each(|line| writeln!(out, "{}", clean(line)))
}

/// Whether a workflow of GitHub reads what is printed.
pub(super) fn under_actions() -> bool {
    is_set("GITHUB_ACTIONS", "true")
}

fn is_set(name: &str, wanted: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == wanted)
}

/// The same output in such a way that lines of a repository in it, which a workflow would take for
/// commands, are none: GitHub stops to read commands until the word comes again, which the hash of the
/// output keeps from standing in it.
fn stop_commands(bytes: Vec<u8>) -> Vec<u8> {
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

/// Says which kinds of `sites` no object has, and which was probably meant. Texts that nobody needs were let
/// go of, so those are read once more, but only where a kind was not met.
pub(super) fn unmet_kinds(fields: &[Field], files: &[ScannedFile], talk: Talk) {
    let held = files.iter().map(|file| file.source.text.as_str());
    let met: BTreeSet<String> = held.flat_map(kinds).collect();
    let unmet: BTreeSet<&String> = fields.iter().map(|field| &field.kind).collect();
    let unmet: Vec<&String> = unmet
        .into_iter()
        .filter(|kind| !met.contains(*kind))
        .collect();
    if unmet.is_empty() {
        return;
    }
    let gone = files.iter().filter(|file| file.source.text.is_empty());
    let gone = gone.filter_map(|file| fs::read_to_string(&file.source.real).ok());
    let all: BTreeSet<String> = gone.flat_map(|text| kinds(&text)).chain(met).collect();
    for kind in unmet.into_iter().filter(|kind| !all.contains(*kind)) {
        let meant = match closest(kind, all.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "remove it from `sites`".to_string(),
        };
        talk.note(&clean(&format!(
            "no object here is of the kind `{kind}`; {meant}"
        )));
    }
}

/// The words behind `kind:` in a text, as far as they may be kinds of objects.
fn kinds(text: &str) -> BTreeSet<String> {
    let behind = text.split("kind").skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches(['"', '\'']).strip_prefix(':')?;
        let rest = rest.trim_start_matches([' ', '"', '\'']);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        Some(&rest[..end.unwrap_or(rest.len())])
    });
    let is_kind = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
    behind.filter(is_kind).map(String::from).collect()
}
