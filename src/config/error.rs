//! A mistake in a config, shown at its line.

use std::borrow::Cow;
use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::source::Lines;

/// The longest line that is shown, in bytes: nobody reads a longer one, and the printer of snippets panics
/// beyond 65,535 columns.
const MAX_LINE: usize = 4_000;

/// A mistake in a config, pointing at its place.
#[derive(Debug)]
pub struct ConfigError {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) source: NamedSource<String>,
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl ConfigError {
    /// Whether its lines are short enough to be shown.
    fn is_shown(&self) -> bool {
        let mut lines = self.source.inner().split('\n');
        lines.all(|line| line.len() <= MAX_LINE)
    }

    /// The same mistake with everything that came from the file, line by line, put through `map`.
    #[must_use]
    pub fn map_texts(self, map: fn(&str) -> Cow<'_, str>) -> Self {
        let lines = |text: &str| {
            let mapped = text
                .split('\n')
                .map(|line| map(line.trim_end_matches('\r')));
            mapped.collect::<Vec<_>>().join("\n")
        };
        let text = self.source.inner();
        let before = text.get(..self.offset).unwrap_or("");
        let marked = text.get(self.offset..self.offset + self.length);
        Self {
            message: map(&self.message).into_owned(),
            help: self.help.map(|help| map(&help).into_owned()),
            offset: lines(before).len(),
            length: lines(marked.unwrap_or("")).len(),
            source: NamedSource::new(map(self.source.name()), lines(text)),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_shown() {
            let lines = Lines::new(self.source.inner());
            let line = lines.position(self.offset).line;
            write!(f, "{}:{line}: ", self.source.name())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.is_shown().then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if !self.is_shown() {
            return None;
        }
        let label = LabeledSpan::new(Some("here".into()), self.offset, self.length);
        Some(Box::new(std::iter::once(label)))
    }
}
