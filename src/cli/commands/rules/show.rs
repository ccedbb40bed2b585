//! `rules show`: the rules that count, with where each is stated.

use std::io::Write;
use std::path::PathBuf;

use super::super::super::args::{ListFormat, Show};
use super::super::super::talk::Talk;
use super::super::super::{Error, Exit};
use super::super::rewrite::unless_closed;
use super::super::{reporting, wanted};
use crate::report::Kind;
use crate::report::rules::{Shown, json, text};
use crate::settings::{Rules, Settings};

pub(super) fn show(args: &Show, talk: Talk) -> Result<Exit, Error> {
    let wanted = wanted(&args.target, &args.rules, vec![PathBuf::from(".")])?;
    let settings = Settings::resolve(&wanted, Rules::OrBuiltIn)?.without_target();
    let (effective, notes) = settings.effective()?;
    notes.iter().for_each(|note| talk.note(note));
    let shown = effective.iter().map(|one| Shown {
        paths: one.paths.as_deref(),
        registry: one
            .registry
            .as_ref()
            .map(|(host, origin)| (host.as_str(), origin)),
        rules: one.rules.rules(),
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    let kind = match args.report.format {
        ListFormat::Text => Kind::Text,
        ListFormat::Json => Kind::Data,
    };
    let file = args.report.output_file.as_deref();
    let render = |_, out: &mut dyn Write| match args.report.format {
        ListFormat::Text => text(&shown, out),
        ListFormat::Json => json(&shown, out),
    };
    unless_closed(reporting::print(file, kind, talk, &render))?;
    Ok(Exit::Done)
}
