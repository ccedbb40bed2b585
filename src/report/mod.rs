//! What a run says. One renderer, one file; each writes to a given writer and decides nothing.
//! [`FORMATS`] is the list of them.

pub mod concise;
pub mod diff;
pub mod explain;
pub mod findings;
mod fixes;
mod github;
mod gitlab;
mod identity;
pub mod images;
pub mod json;
mod markdown;
mod places;
pub mod prove;
mod rdjson;
pub mod rules;
mod sarif;
mod shared;
mod table;
pub mod text;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::plan::Plan;
use crate::source::Failure;
pub use github::summary;

/// What a run did with the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It reported findings.
    Check,
    /// It showed what would change.
    DryRun,
    /// It wrote the changes.
    Write,
}

/// All that a format can show of a run.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// What changes and what stays.
    pub plan: &'r Plan,
    /// What there is to say of it.
    pub findings: &'r Findings,
    /// What went wrong.
    pub failures: &'r [Failure],
    /// What was done with the plan.
    pub mode: Mode,
    /// Where the paths of the report lie.
    pub home: Home<'r>,
}

/// Where the run took place.
#[derive(Clone, Copy, Debug)]
pub struct Home<'r> {
    /// The current directory, resolved: paths are shown as seen from there.
    pub current: &'r Path,
    /// The folder of the repository around it: services count paths from there.
    pub root: &'r Path,
}

impl Home<'_> {
    /// A path that is shown, as seen from the folder of the repository; whole when it lies outside.
    fn below_root(&self, shown: &Path) -> PathBuf {
        let mut whole = PathBuf::new();
        for part in self.current.join(shown).components() {
            match part {
                Component::ParentDir => drop(whole.pop()),
                Component::CurDir => {}
                other => whole.push(other),
            }
        }
        match whole.strip_prefix(self.root) {
            Ok(below) => below.to_path_buf(),
            Err(_) => whole,
        }
    }
}

/// What kind of thing a format writes: it decides how its bytes are kept harmless on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text for people; names and values are escaped in it.
    Text,
    /// A patch, which holds the bytes of the files.
    Patch,
    /// JSON, in which lines of a repository are no lines.
    Data,
    /// Commands to a workflow, all of them our own.
    Commands,
}

/// Renders a report.
type Render = fn(&Report<'_>, Color, &mut dyn Write) -> io::Result<()>;

/// A way to show what a run found.
#[derive(Debug)]
pub struct Format {
    /// The word that asks for it.
    pub word: &'static str,
    /// What it writes.
    pub kind: Kind,
    /// Whether a run that writes files takes it, as a report of what was done.
    pub reports_writing: bool,
    render: Render,
}

/// Every format. A further one is a row here, a file beside this one, and a row in `docs/check.md`.
pub static FORMATS: [Format; 9] = [
    Format::new("text", Kind::Text, findings::render),
    Format::new("concise", Kind::Text, concise::render),
    Format::new("diff", Kind::Patch, diff::render),
    Format::new("json", Kind::Data, json::render).of_writing(),
    Format::new("markdown", Kind::Text, markdown::render).of_writing(),
    Format::new("sarif", Kind::Data, sarif::render),
    Format::new("github", Kind::Commands, github::render),
    Format::new("gitlab", Kind::Data, gitlab::render),
    Format::new("rdjson", Kind::Data, rdjson::render),
];

impl Format {
    const fn new(word: &'static str, kind: Kind, render: Render) -> Self {
        Self {
            word,
            kind,
            reports_writing: false,
            render,
        }
    }

    const fn of_writing(self) -> Self {
        Self {
            reports_writing: true,
            ..self
        }
    }

    /// The format of that word.
    pub fn of(word: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.word == word)
    }

    /// Writes the report.
    pub fn render(&self, report: &Report<'_>, color: Color, out: &mut dyn Write) -> io::Result<()> {
        (self.render)(report, color, out)
    }
}

/// Whether output carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// What Azure Pipelines and GitHub take for a command wherever in a line it stands
/// (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>).
const COMMANDS: [&str; 2] = ["##[", "##vso["];

/// Whether a service that reads what is printed finds a command within `text`.
pub fn holds_command(text: &str) -> bool {
    COMMANDS.iter().any(|command| text.contains(command))
}

/// Makes text from a repository safe for a terminal and for the logs of services: control characters
/// and the ones that turn the direction of writing are shown as escapes, and so are commands. Tabs
/// stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    let text = if holds_command(text) {
        Cow::Owned(without_commands(text))
    } else {
        Cow::Borrowed(text)
    };
    if !text.chars().any(is_unsafe) {
        return text;
    }
    let mut result = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing into a string cannot fail.
            let _ = write!(result, "{}", c.escape_unicode());
        } else {
            result.push(c);
        }
    }
    Cow::Owned(result)
}

/// The same text with nothing in it that stands for a command anywhere in a line.
pub fn without_commands(text: &str) -> String {
    let shown = |text: String, command: &&str| {
        let escaped = command.replacen('#', "\\u{23}", 1);
        text.replace(*command, &escaped)
    };
    COMMANDS.iter().fold(text.to_string(), shown)
}

/// A clean line for standard error, which workflows read, too: it does not begin as a command.
pub fn harmless(line: &str) -> Cow<'_, str> {
    let rest = line.trim_start();
    if !rest.starts_with("::") {
        return Cow::Borrowed(line);
    }
    let indent = &line[..line.len() - rest.len()];
    Cow::Owned(format!("{indent}\\u{{3a}}{}", &rest[1..]))
}

fn is_unsafe(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || turns
}

/// How the reports begin that programs read, but for the white space: our own are no files to rewrite.
const HEADS: &[&str] = &[
    // `json` of every command.
    "{\"version\":1,\"program\":\"ecr-rewrite",
    // `rdjson`.
    "{\"source\":{\"name\":\"ecr-rewrite\"",
    // `sarif`.
    "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"ecr-rewrite\"",
];
/// How many bytes are looked at for that.
const HEAD: usize = 512;

/// What tells an object of Kubernetes.
#[derive(Deserialize)]
struct Object {
    #[serde(rename = "apiVersion")]
    api_version: Option<IgnoredAny>,
}

/// Whether `text` is a report that this program wrote. What GitLab takes names no program: it holds no images
/// outside of sentences. An object of Kubernetes is none, whatever it begins with.
pub fn is_own(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    if !text.starts_with('{') {
        return false;
    }
    let bytes = text.bytes().take(HEAD);
    let head: Vec<u8> = bytes.filter(|byte| !byte.is_ascii_whitespace()).collect();
    let is_own = HEADS.iter().any(|own| head.starts_with(own.as_bytes()));
    let object = || serde_json::from_str::<Object>(text);
    is_own && object().is_ok_and(|object| object.api_version.is_none())
}

/// Writes JSON. What a service would take for a command within a text, and what could fool a terminal, is
/// spelled otherwise, with the same meaning.
fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    // Outside of texts JSON has no `#`, and nothing beyond ASCII.
    let mut text = COMMANDS.iter().fold(text, |text, command| {
        text.replace(command, &command.replacen('#', "\\u0023", 1))
    });
    let is_odd = |c: char| is_unsafe(c) && c > '~';
    if text.contains(is_odd) {
        let mut spelled = String::with_capacity(text.len());
        for c in text.chars() {
            if is_odd(c) {
                // Writing into a string cannot fail.
                let _ = write!(spelled, "\\u{:04x}", u32::from(c));
            } else {
                spelled.push(c);
            }
        }
        text = spelled;
    }
    writeln!(out, "{text}")
}

/// The bytes of a path as a part of a URI: `%XX` for everything but letters, digits and `-._~/`.
fn percent(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        assert_eq!(clean("nginx:1\té"), "nginx:1\té");
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\u{9b}\r"),
            "a\\u{1b}[31mb\\u{202e}c\\u{9b}\\u{d}"
        );
    }

    #[test]
    fn what_a_service_takes_for_a_command_is_escaped() {
        for (line, shown) in [
            ("a ##[error]b", "a \\u{23}#[error]b"),
            (
                "##vso[task.setvariable variable=x]y",
                "\\u{23}#vso[task.setvariable variable=x]y",
            ),
            ("  ::error::x", "  \\u{3a}:error::x"),
            ("## title, a::b", "## title, a::b"),
        ] {
            assert_eq!(harmless(&clean(line)), shown);
        }
        let mut out = Vec::new();
        let odd = "\u{9b}\u{202e}\u{7f}é\u{1b}";
        write_json(&["a ##[error]b", "::error::", odd], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let is_fine = |c: char| c == '\n' || !is_unsafe(c);
        assert!(!holds_command(&text) && text.chars().all(is_fine), "{text}");
        let lines: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(lines, ["a ##[error]b", "::error::", odd]);
    }

    #[test]
    fn services_count_paths_from_the_repository() {
        let home = Home {
            current: Path::new("/r/sub"),
            root: Path::new("/r"),
        };
        for (shown, below) in [
            ("a.yaml", "sub/a.yaml"),
            ("./../b.yaml", "b.yaml"),
            ("../../c.yaml", "/c.yaml"),
            ("/r/d.yaml", "d.yaml"),
        ] {
            assert_eq!(home.below_root(Path::new(shown)), Path::new(below));
        }
    }
}
