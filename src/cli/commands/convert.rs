//! `convert`: references on their own.

use std::io::{self, BufRead, Write};

use super::super::args::Convert;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::{one_input, wanted};
use crate::image::ImageRef;
use crate::rules::{RuleSet, Verdict};
use crate::settings::{Rules, Settings};

/// What became of one reference.
enum Converted {
    /// It comes out changed; why, for `-v`.
    To(String, String),
    /// It comes out as it is; the reason is said.
    Stays(String),
    /// It is no reference, or has no way back.
    Wrong(String),
}

pub(in super::super) fn convert(args: &Convert, talk: Talk) -> Result<Exit, Error> {
    one_input(&args.rules, args.images.is_empty())?;
    let settings = Settings::resolve(
        &wanted(&args.target, &args.rules, Vec::new())?,
        Rules::OrBuiltIn,
    )?;
    let (rules, notes) = settings.base()?;
    for note in notes {
        // Where the target comes from matters to who writes; here it would only get in the way.
        if note.starts_with("target ") {
            talk.detail(&note);
        } else {
            talk.note(&note);
        }
    }
    let way = if args.revert { back } else { forth };
    let mut exit = Exit::Done;
    let mut line = |text: &str| -> Result<(), Error> {
        let shown = match way(&rules, text) {
            Converted::To(to, why) => {
                talk.detail(&format!("`{text}`: {why}"));
                to
            }
            Converted::Stays(why) => {
                talk.note(&format!("`{text}` stays: {why}"));
                text.to_string()
            }
            Converted::Wrong(why) => {
                talk.error(&format!("`{text}` {why}; it comes out as it is"));
                exit = Exit::Broken;
                text.to_string()
            }
        };
        writeln!(io::stdout().lock(), "{shown}").map_err(Error::Output)
    };
    if args.images.is_empty() {
        for text in io::stdin().lock().lines() {
            let text = text.map_err(|error| {
                Error::Message(format!("standard input cannot be read: {error}"))
            })?;
            if !text.trim().is_empty() {
                line(text.trim())?;
            }
        }
    } else {
        args.images.iter().try_for_each(|text| line(text))?;
    }
    io::stdout().flush().map_err(Error::Output)?;
    Ok(exit)
}

fn forth(rules: &RuleSet, text: &str) -> Converted {
    if rules.text_is_ecr(text) && ImageRef::parse(text).is_err() {
        return Converted::Stays("it comes from ECR (already-ecr)".into());
    }
    let image = match ImageRef::parse(text) {
        Ok(image) => image,
        Err(error) => return Converted::Wrong(error.to_string()),
    };
    match rules.decide(&image) {
        Verdict::Rewrite { name, rule } => {
            let rule = &rules.rules()[rule];
            let why = format!(
                "means `{}`; rule {} -> {} ({})",
                image.canonical(),
                rule.upstream(),
                rule.prefix_text(),
                rule.origin()
            );
            Converted::To(format!("{name}{}", image.suffix()), why)
        }
        Verdict::Keep(reason, detail) => Converted::Stays(format!("{detail} ({reason})")),
    }
}

fn back(rules: &RuleSet, text: &str) -> Converted {
    match rules.revert(text) {
        Ok(name) => Converted::To(name.clone(), format!("is cached from `{name}`")),
        Err(error) => Converted::Wrong(error.to_string()),
    }
}
