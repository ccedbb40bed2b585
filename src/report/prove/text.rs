//! A proof for a terminal: a screen, and with details every rendering.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use super::{Counts, ORIGINS, Summary, count, moved_by, origin, title, verdict};
use crate::prove::{Difference, Outcome, Outside, Proof, Render, Why};
use crate::report::clean;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A screen.
    Screen,
    /// Everything.
    All,
}

/// How many renderings that differ are shown on a screen, and how many places of each.
const DIFFERENT: usize = 3;
const PLACES: usize = 1;
/// How many images of each origin.
const IMAGES: usize = 2;
/// How long lines are.
const WIDTH: usize = 160;

/// Writes the report.
pub fn render(proof: &Proof, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(proof);
    let shown = Shown {
        summary: &summary,
        detail,
    };
    shown.table(proof, out)?;
    shown.different(proof, out)?;
    shown.images(out)?;
    shown.unrendered(out)?;
    if detail == Detail::All {
        return all(proof, out);
    }
    writeln!(out, "run with `-v` for every rendering, image and reason")
}

struct Shown<'s> {
    summary: &'s Summary<'s>,
    detail: Detail,
}

impl Shown<'_> {
    /// How many of a list are shown.
    fn limit(&self, limit: usize) -> usize {
        match self.detail {
            Detail::Screen => limit,
            Detail::All => usize::MAX,
        }
    }

    fn table(&self, proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<16}{:>6}{:>8}{:>12}{:>15}",
            "", "all", "equal", "different", "not rendered"
        )?;
        let mut row = |what: &str, counts: &Counts| {
            writeln!(
                out,
                "{what:<16}{:>6}{:>8}{:>12}{:>15}",
                counts.all, counts.equal, counts.different, counts.not_rendered
            )
        };
        for (kind, counts) in &self.summary.kinds {
            if counts.all > 0 {
                row(&format!("{}s", kind.word()), counts)?;
            }
        }
        row("together", &self.summary.total)?;
        let summary = self.summary;
        writeln!(
            out,
            "\n{} in {}; {}",
            changes(summary.changed.len()),
            count(summary.changing, "rendering"),
            summary.verdict()
        )?;
        for (before, after) in &summary.healed {
            let line = format!("{} -> {}", clean(before), clean(after));
            self.line(&format!("a stale name meets its image again: {line}"), out)?;
        }
        if summary.unstable > 0 {
            let places = count(summary.unstable, "place");
            writeln!(
                out,
                "{places} left out: something else each time the same is rendered"
            )?;
        }
        self.unseen(&proof.unseen, out)
    }

    /// Files that are deployed in a way that is not rendered: as they are, mostly.
    fn unseen(&self, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
        let Some(first) = files.first() else {
            return Ok(());
        };
        let shown = |path: &PathBuf| clean(&path.to_string_lossy()).into_owned();
        let none = format!("{} into no rendering", go(files.len()));
        if self.detail == Detail::All {
            writeln!(out, "{none}:")?;
            return files
                .iter()
                .try_for_each(|path| writeln!(out, "  {}", shown(path)));
        }
        let others = if files.len() > 1 { ", …" } else { "" };
        self.line(&format!("{none}: {}{others}", shown(first)), out)
    }

    fn different(&self, proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
        let different: Vec<&Render> = proof
            .renders
            .iter()
            .filter(|one| one.is_different())
            .collect();
        let limit = self.limit(DIFFERENT);
        if !different.is_empty() {
            writeln!(out)?;
        }
        for render in different.iter().take(limit) {
            let all = render.rendered().map_or(&[][..], |one| &one.differences);
            let places = count(all.len(), "place");
            let differ = if all.len() == 1 { "differs" } else { "differ" };
            let what = render.kind.word();
            writeln!(out, "{what} {}: {places} {differ}", title(render))?;
            for one in all.iter().take(self.limit(PLACES)) {
                self.line(&format!("  {}", difference(one)), out)?;
            }
        }
        match different.len().saturating_sub(limit) {
            0 => Ok(()),
            left => writeln!(out, "… {left} more"),
        }
    }

    fn images(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.summary;
        let outside = summary.images_outside().len();
        writeln!(
            out,
            "{}{} ECR afterwards, {outside} from elsewhere",
            if summary.total.different > 0 {
                "\n"
            } else {
                ""
            },
            come(summary.in_ecr.len())
        )?;
        for (code, words) in ORIGINS {
            let own = summary.outside.iter();
            let own: Vec<_> = own.filter(|(one, _)| one.origin.code() == *code).collect();
            if own.is_empty() {
                continue;
            }
            writeln!(out, "{words}: {}", own.len())?;
            let limit = self.limit(IMAGES);
            for (one, renders) in own.iter().take(limit) {
                self.line(&format!("  {}", image(one, renders)), out)?;
                if let Some(moved) = moved_by(one) {
                    writeln!(out, "    moved by {moved}")?;
                }
            }
        }
        let remote = summary.unrendered.get(&Why::RemoteBase);
        let remote: BTreeSet<_> = remote
            .into_iter()
            .flatten()
            .map(|(one, _)| title(one))
            .collect();
        if !remote.is_empty() {
            let bases = count(remote.len(), "kustomization");
            writeln!(out, "brought by remote bases of {bases}: not known")?;
        }
        Ok(())
    }

    fn unrendered(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = &self.summary.unrendered;
        if !all.is_empty() {
            writeln!(out, "not rendered")?;
        }
        for (why, own) in all {
            let what = format!("  {:>4}  {why} ({})", own.len(), why.words());
            if self.detail == Detail::Screen {
                let first = own
                    .first()
                    .map_or(String::new(), |(render, detail)| about(render, detail));
                let others = if own.len() > 1 { ", …" } else { "" };
                self.line(&format!("{what}: {first}{others}"), out)?;
                continue;
            }
            writeln!(out, "{what}")?;
            for (render, detail) in own {
                writeln!(out, "          {}", about(render, detail))?;
            }
        }
        Ok(())
    }

    /// A line that fits a screen.
    fn line(&self, line: &str, out: &mut dyn Write) -> io::Result<()> {
        match line.char_indices().nth(WIDTH) {
            Some((end, _)) if self.detail == Detail::Screen => writeln!(out, "{}…", &line[..end]),
            _ => writeln!(out, "{line}"),
        }
    }
}

/// What is not rendered, and what the reason is about.
fn about(render: &Render, detail: &str) -> String {
    let detail = clean(detail);
    if detail.is_empty() {
        title(render)
    } else {
        format!("{}: {detail}", title(render))
    }
}

/// Every rendering with what changes in it.
fn all(proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nevery rendering")?;
    for render in &proof.renders {
        let what = format!("{} {}", render.kind.word(), title(render));
        match &render.outcome {
            Outcome::Not(why) => {
                let why: Vec<&str> = why.iter().map(|one| one.why.code()).collect();
                writeln!(out, "  {what}: not rendered ({})", why.join(", "))?;
            }
            Outcome::Rendered(rendered) => {
                let state = if render.is_different() {
                    "different"
                } else {
                    "equal"
                };
                let objects = count(rendered.objects, "object");
                writeln!(
                    out,
                    "  {what}: {state}, {objects}, {}",
                    changes(rendered.changed.len())
                )?;
                for (before, after) in &rendered.changed {
                    writeln!(out, "    {} -> {}", clean(before), clean(after))?;
                }
            }
        }
    }
    Ok(())
}

fn image(one: &Outside, renders: &[&Render]) -> String {
    let why = verdict(one).map_or(String::new(), |why| format!(" [{why}]"));
    let first = renders
        .first()
        .map_or(String::new(), |render| title(render));
    let others = match renders.len() {
        0 | 1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let origin = origin(one);
    let gap = if origin.is_empty() { "" } else { "  " };
    format!(
        "{}{why}{gap}{origin}  in {first}{others}",
        clean(&one.image)
    )
}

/// A difference in a line.
pub(super) fn difference(one: &Difference) -> String {
    let place = [one.object.as_str(), one.at.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let place = clean(&place.join(" ")).into_owned();
    let quoted = |text: &Option<String>| {
        let text = text.as_deref().map(clean);
        text.map_or("nothing".to_string(), |text| format!("`{text}`"))
    };
    let what = match (&one.before, &one.after) {
        (None, Some(after)) if place.is_empty() => format!("{}: {}", one.why, clean(after)),
        _ => format!(
            "{place}: {} became {}: {}",
            quoted(&one.before),
            quoted(&one.after),
            one.why
        ),
    };
    what.replace('\n', "\\n")
}

fn changes(number: usize) -> String {
    match number {
        0 => "no image changes".to_string(),
        1 => "1 image changes".to_string(),
        more => format!("{more} images change"),
    }
}

fn go(number: usize) -> String {
    match number {
        1 => "1 changed file goes".to_string(),
        other => format!("{other} changed files go"),
    }
}

fn come(number: usize) -> String {
    match number {
        1 => "1 image comes from".to_string(),
        other => format!("{other} images come from"),
    }
}
