//! `images`: every image with its places, and what has to be pulled so that the cache is filled.

use std::io::Write;

use super::super::args::{Images, ListFormat};
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::reporting;
use super::rewrite::unless_closed;
use super::survey::Survey;
use crate::inventory::{Inventory, Verdict};
use crate::report::{Kind, images as report};

pub(in super::super) fn images(args: &Images, talk: Talk) -> Result<Exit, Error> {
    let survey = Survey {
        paths: &args.paths,
        target: &args.target,
        rules: &args.rules,
        files: &args.files,
        judgement: Some(&args.judgement),
    };
    survey.plan(talk, |run, plan| {
        let inventory = Inventory::of(plan);
        if args.prewarm {
            let has_target = plan
                .files
                .iter()
                .any(|file| file.rules.registry().is_some());
            if !has_target && !plan.files.is_empty() {
                return Err(Error::Message(
                    "`--prewarm` needs a target; give `--registry`, or `registry:` in the config"
                        .into(),
                ));
            }
        }
        let detail = if talk.is_verbose() {
            report::Detail::All
        } else {
            report::Detail::First
        };
        let (kind, file) = match (args.prewarm, args.report.format) {
            (false, ListFormat::Json) => (Kind::Data, &args.report.output_file),
            _ => (Kind::Text, &args.report.output_file),
        };
        let render = |_, out: &mut dyn Write| match (args.prewarm, args.report.format) {
            (true, _) => report::prewarm(&inventory, out),
            (false, ListFormat::Text) => report::text(&inventory, detail, out),
            (false, ListFormat::Json) => report::json(&inventory, out),
        };
        unless_closed(reporting::print(file.as_deref(), kind, talk, &render))?;
        if inventory.images.is_empty() {
            talk.note("no image is named here");
        }
        say(args, &inventory, talk);
        Ok(run.exit())
    })
}

/// Says what the list cannot show.
fn say(args: &Images, inventory: &Inventory, talk: Talk) {
    if inventory.unnamed > 0 {
        talk.note(&format!(
            "{} releases bring images that no file here names; `ecr-rewrite prove` shows them",
            inventory.unnamed
        ));
    }
    if !args.prewarm {
        return;
    }
    let pulls = &inventory.pulls;
    for reference in &pulls.without_tag {
        talk.note(&format!(
            "{reference}: its tag does not stand beside it, so it is not listed; pull the tag that is deployed"
        ));
    }
    for (reference, right) in &pulls.unfillable {
        talk.note(&format!(
            "{reference}: the cache cannot fill it, so it is not listed; write `{right}` (see `--check`)"
        ));
    }
    let undecided = inventory.images.iter();
    let undecided = undecided
        .filter(|image| matches!(image.verdict, Verdict::Undecided(_)))
        .count();
    if undecided > 0 {
        talk.note(&format!(
            "{undecided} images change only with `--assume` and are not listed"
        ));
    }
    talk.note(&format!(
        "{} references to pull, {} of them for pins by digest",
        pulls.pinned.len() + pulls.others.len(),
        pulls.pinned.len()
    ));
}
