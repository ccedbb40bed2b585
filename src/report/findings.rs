//! The `text` format: each finding with its line, the image underlined, what it becomes, why, and
//! what to do.

use std::fmt;
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::{Color, Report, clean};
use crate::findings::{Finding, Level};
use crate::source::Span;

/// Wide enough for every line: nothing is wrapped, so that the same finding is the same text on
/// every terminal.
const WIDTH: usize = 10_000;

/// Writes the findings.
pub(super) fn render(report: &Report<'_>, color: Color, out: &mut dyn Write) -> io::Result<()> {
    let theme = match color {
        Color::On => GraphicalTheme::unicode(),
        Color::Off => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(WIDTH)
        .with_wrap_lines(false);
    let mut text = String::new();
    for finding in &report.findings.list {
        text.clear();
        let shown = Shown::of(finding);
        handler
            .render_report(&mut text, &shown)
            .map_err(io::Error::other)?;
        writeln!(out, "{}\n", text.trim_end())?;
    }
    Ok(())
}

/// A finding as a diagnostic, everything in it made safe for a terminal.
#[derive(Debug)]
struct Shown {
    code: String,
    level: Level,
    message: String,
    label: Option<String>,
    help: String,
    line: Line,
    mark: Span,
}

impl Shown {
    fn of(finding: &Finding) -> Self {
        let Finding {
            excerpt, at, path, ..
        } = finding;
        let parts = [
            &excerpt.text[..excerpt.mark.start],
            &excerpt.text[excerpt.mark.start..excerpt.mark.end],
            &excerpt.text[excerpt.mark.end..],
        ]
        .map(clean);
        let fix = finding.fix.as_deref();
        Self {
            code: format!("{}[{}]", finding.level, finding.code),
            level: finding.level,
            message: clean(&finding.message).into_owned(),
            label: fix.map(|fix| format!("becomes `{}`", clean(fix))),
            help: format!("{}\nsee {}", clean(&finding.help), finding.code.page()),
            mark: Span::new(parts[0].len(), parts[0].len() + parts[1].len()),
            line: Line {
                name: clean(&path.to_string_lossy()).into_owned(),
                text: parts.concat(),
                number: at.line - 1,
                column: at.column - 1,
            },
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.level {
            Level::Error => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Info | Level::Off => Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.line)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(self.label.clone(), self.mark.start, self.mark.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// One line of a file, which knows where in the file it stands.
#[derive(Debug)]
struct Line {
    name: String,
    text: String,
    /// 0-based.
    number: usize,
    /// Where the mark begins in the file's line, 0-based, in characters: the text here may be
    /// shortened.
    column: usize,
}

impl SourceCode for Line {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context, only the place of the mark is asked for.
        let column = if before + after == 0 { self.column } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            (0, self.text.len()).into(),
            self.number,
            column,
            1,
        )))
    }
}
