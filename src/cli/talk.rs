//! What is said on standard error, and whether it is coloured.
//!
//! Names and values of the repository stand in most of it, so every line is cleaned here, once,
//! whoever made it.

use std::io::{self, IsTerminal, Write};

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::args::{OutputArgs, When};
use crate::report::{Color, clean, harmless};

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Volume {
    Quiet,
    Normal,
    Verbose,
}

/// The voice of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk {
    volume: Volume,
    when: When,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            volume: Volume::Normal,
            when: When::Auto,
        }
    }
}

impl Talk {
    pub(super) fn new(output: &OutputArgs) -> Self {
        let volume = match (output.quiet, output.verbose) {
            (true, _) => Volume::Quiet,
            (false, 0) => Volume::Normal,
            (false, _) => Volume::Verbose,
        };
        Self {
            volume,
            when: output.color,
        }
    }

    /// The same voice, which says only what went wrong.
    pub(super) fn silent(self) -> Self {
        Self {
            volume: Volume::Quiet,
            ..self
        }
    }

    /// Something that went wrong; always said.
    #[allow(
        clippy::unused_self,
        reason = "said in the voice of the run, whatever its volume"
    )]
    pub(super) fn error(self, message: &str) {
        say(&format!("error: {}", clean(message)));
    }

    /// An error with a snippet; always said. Its colours are its own, so its texts come cleaned.
    pub(super) fn report(self, report: &miette::Report) {
        let fancy = self.color(&io::stderr()) == Color::On;
        let theme = if fancy {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::none()
        };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        match handler.render_report(&mut text, report.as_ref()) {
            Ok(()) => say(text.trim_end()),
            Err(_) => self.error(&report.to_string()),
        }
    }

    /// Something worth knowing; not said with `-q`.
    pub(super) fn note(self, message: &str) {
        if self.volume != Volume::Quiet {
            say(&clean(message));
        }
    }

    /// Something for those who ask why; said with `-v`.
    pub(super) fn detail(self, message: &str) {
        if self.is_verbose() {
            say(&clean(message));
        }
    }

    pub(super) fn is_quiet(self) -> bool {
        self.volume == Volume::Quiet
    }

    pub(super) fn is_verbose(self) -> bool {
        self.volume == Volume::Verbose
    }

    /// Whether to colour what goes to `stream`. A flag beats `NO_COLOR` beats `CLICOLOR_FORCE` beats
    /// `CLICOLOR` beats what the stream is.
    pub(super) fn color(self, stream: &impl IsTerminal) -> Color {
        let set = |name: &str| {
            std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
        };
        let on = match self.when {
            When::Always => true,
            When::Never => false,
            When::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => {
                false
            }
            When::Auto if set("CLICOLOR_FORCE") => true,
            When::Auto if std::env::var_os("CLICOLOR").is_some_and(|value| value == "0") => false,
            When::Auto => stream.is_terminal(),
        };
        if on { Color::On } else { Color::Off }
    }
}

/// Prints a line on standard error; when that is closed, nobody is listening.
fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{}", harmless(line)));
}
