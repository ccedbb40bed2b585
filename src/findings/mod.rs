//! Findings: what `--check` has to say of a plan, with a level each.
//!
//! A finding is derived from the plan and never from the files again, so that a check and a rewrite
//! cannot disagree: what a rewrite would change is what the check reports. [`Code`] is the closed
//! list of what can be found; a page in `docs/findings/` stands for each.

mod derive;
mod pages;
mod unused;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::source::{Position, Span};
use crate::words::closest;
pub use derive::find;
pub use unused::{Unused, unused};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It fails the check.
    Error,
    /// It is reported.
    Warn,
    /// It is worth knowing.
    Info,
    /// It is not reported.
    Off,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warn, Self::Info, Self::Off];

    /// The word for it in the config and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What can be found. The codes are stable: they stand in reports, configs, comments and docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A rule maps the image, and it does not come from ECR.
    NotThroughEcr,
    /// The image is outside of ECR, and no rule maps it.
    NoRule,
    /// The image is outside of ECR, and Amazon ECR cannot cache its upstream.
    UnsupportedUpstream,
    /// A name that kustomize matches with nothing, since its image has moved to ECR.
    StaleKustomizeName,
    /// A path under the prefix of Docker Hub that the cache cannot fill.
    WrongLibrary,
    /// A registry for every image of a chart contradicts what the images say.
    GlobalRegistryConflict,
    /// A change that rests on an assumption.
    Undecided,
    /// A digest that ECR cannot fill on the first pull.
    DigestColdCache,
    /// A Bitnami chart refuses the new registry unless a key allows it.
    BitnamiInsecureImages,
    /// Automation would write the upstream back.
    AutomationReverts,
    /// A path under a configured prefix, in another account or region.
    OtherRegistry,
    /// A policy, assertion or automation knows an image by its old name.
    OldNameReference,
    /// A file that changes says that something generates it.
    GeneratedFile,
    /// A release brings images that no file names.
    ChartDefaults,
    /// A template that could not be read.
    Unparsed,
}

impl Code {
    /// Every code, in the order of the product's documentation.
    pub const ALL: [Self; 15] = [
        Self::NotThroughEcr,
        Self::NoRule,
        Self::UnsupportedUpstream,
        Self::StaleKustomizeName,
        Self::WrongLibrary,
        Self::GlobalRegistryConflict,
        Self::Undecided,
        Self::DigestColdCache,
        Self::BitnamiInsecureImages,
        Self::AutomationReverts,
        Self::OtherRegistry,
        Self::OldNameReference,
        Self::GeneratedFile,
        Self::ChartDefaults,
        Self::Unparsed,
    ];

    /// The stable code, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotThroughEcr => "not-through-ecr",
            Self::NoRule => "no-rule",
            Self::UnsupportedUpstream => "unsupported-upstream",
            Self::StaleKustomizeName => "stale-kustomize-name",
            Self::WrongLibrary => "wrong-library",
            Self::GlobalRegistryConflict => "global-registry-conflict",
            Self::Undecided => "undecided",
            Self::DigestColdCache => "digest-cold-cache",
            Self::BitnamiInsecureImages => "bitnami-insecure-images",
            Self::AutomationReverts => "automation-reverts",
            Self::OtherRegistry => "other-registry",
            Self::OldNameReference => "old-name-reference",
            Self::GeneratedFile => "generated-file",
            Self::ChartDefaults => "chart-defaults",
            Self::Unparsed => "unparsed",
        }
    }

    /// The level unless the config sets another.
    pub fn default_level(self) -> Level {
        match self {
            Self::NotThroughEcr
            | Self::NoRule
            | Self::UnsupportedUpstream
            | Self::StaleKustomizeName
            | Self::WrongLibrary
            | Self::GlobalRegistryConflict => Level::Error,
            Self::Undecided
            | Self::DigestColdCache
            | Self::BitnamiInsecureImages
            | Self::AutomationReverts
            | Self::OtherRegistry
            | Self::OldNameReference
            | Self::Unparsed => Level::Warn,
            Self::GeneratedFile | Self::ChartDefaults => Level::Info,
        }
    }

    /// Reads a code as a config or comment names it.
    pub fn parse(text: &str) -> Result<Self, UnknownCode> {
        if let Some(code) = Self::ALL.into_iter().find(|code| code.code() == text) {
            return Ok(code);
        }
        let close = closest(text, Self::ALL.map(Self::code));
        let meant = |code: &Self| Some(code.code()) == close;
        Err(UnknownCode(Self::ALL.into_iter().find(meant)))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A text that is no code; perhaps this one was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode(pub Option<Code>);

/// The levels that a config sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<Code, Level>);

impl Levels {
    /// Sets the level of a code.
    pub fn set(&mut self, code: Code, level: Level) {
        self.0.insert(code, level);
    }

    /// The level of a code.
    pub fn of(&self, code: Code) -> Level {
        self.0
            .get(&code)
            .copied()
            .unwrap_or_else(|| code.default_level())
    }
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// How much it weighs; never off.
    pub level: Level,
    /// The file in [`Plan::files`](crate::plan::Plan::files) and the site of it, when it is about
    /// one.
    pub site: Option<(usize, usize)>,
    /// The file, as it is shown.
    pub path: PathBuf,
    /// Where it begins.
    pub at: Position,
    /// The same place in bytes of the file.
    pub span: Span,
    /// The line it begins in.
    pub excerpt: Excerpt,
    /// What was found, in a few words.
    pub message: String,
    /// The reference that a rewrite puts there.
    pub fix: Option<String>,
    /// Why, and what to do.
    pub help: String,
}

impl Finding {
    /// All of it as a text: what, what it becomes, and what to do.
    pub fn told(&self) -> String {
        let Self { message, help, .. } = self;
        match &self.fix {
            Some(fix) => format!("{message}; it becomes `{fix}`: {help}"),
            None => format!("{message}: {help}"),
        }
    }
}

/// A line, shortened around the part that matters when it is long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, which may begin or end with `…`.
    pub text: String,
    /// The bytes of `text` that matter.
    pub mark: Span,
}

/// What is shown of a long line on each side of the part that matters, in characters.
const AROUND: usize = 100;
/// The longest line that is shown whole, in bytes.
const WHOLE_LINE: usize = 300;

impl Excerpt {
    /// The part of `line` around the bytes `mark` of it.
    fn of(line: &str, mark: Span) -> Self {
        if let Some(rest) = line.strip_prefix('\u{feff}') {
            let skipped = line.len() - rest.len();
            let start = mark.start.saturating_sub(skipped);
            return Self::of(rest, Span::new(start, start + mark.len()));
        }
        let floor = |at: usize| {
            let mut at = at.min(line.len());
            while !line.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (floor(mark.start), floor(mark.end.max(mark.start)));
        if line.len() <= WHOLE_LINE {
            return Self {
                text: line.to_string(),
                mark: Span::new(start, end),
            };
        }
        let end = end.min(floor(start + WHOLE_LINE));
        let before = line[..start].char_indices().rev().nth(AROUND - 1);
        let from = before.map_or(0, |(at, _)| at);
        let after = line[end..].char_indices().nth(AROUND);
        let to = after.map_or(line.len(), |(at, _)| end + at);
        let (head, tail) = (cut(from > 0), cut(to < line.len()));
        Self {
            text: format!("{head}{}{tail}", &line[from..to]),
            mark: Span::new(start - from + head.len(), end - from + head.len()),
        }
    }
}

fn cut(is_cut: bool) -> &'static str {
    if is_cut { "…" } else { "" }
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The findings, by path and place.
    pub list: Vec<Finding>,
    /// What is to be said of comments in the files: unused ones and such that are not understood.
    pub notes: Vec<String>,
}

impl Findings {
    /// How many there are of a level.
    pub fn count(&self, level: Level) -> usize {
        self.list
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// Whether the check fails.
    pub fn fail(&self) -> bool {
        self.count(Level::Error) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_and_mistakes_explained() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.code()), Ok(code));
        }
        assert_eq!(
            Code::parse("no-rules"),
            Err(UnknownCode(Some(Code::NoRule)))
        );
        assert_eq!(Code::parse("zzz"), Err(UnknownCode(None)));
    }

    #[test]
    fn long_lines_are_shortened_around_their_mark() {
        let short = Excerpt::of("image: é:1", Span::new(7, 11));
        assert_eq!(short.text, "image: é:1");
        assert_eq!(short.mark.of(&short.text), Some("é:1"));
        let line = format!("{}nginx:1{}", "ä".repeat(500), "b".repeat(500));
        let long = Excerpt::of(&line, Span::new(1000, 1007));
        assert_eq!(long.mark.of(&long.text), Some("nginx:1"));
        assert_eq!(long.text.chars().count(), 1 + 100 + 7 + 100 + 1);
        let endless = Excerpt::of(&"x".repeat(5000), Span::new(0, 5000));
        assert!(endless.text.len() < 500);
    }
}
