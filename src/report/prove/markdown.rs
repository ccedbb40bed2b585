//! A proof as a comment at a pull request: a verdict, a table, and the rest folded up, with a hidden mark by
//! which a bot finds its comment again. Nothing of a repository can end a block, or mention anybody.

use std::io::{self, Write};

use super::text::difference;
use super::{ORIGINS, Summary, count, moved_by, origin, title, verdict};
use crate::prove::{Proof, Render};
use crate::report::clean;

/// By which a bot finds its comment.
const MARK: &str = "<!-- ecr-rewrite: prove -->";
/// Comments may be 65,536 characters long; what is cut off is said.
const MAX: usize = 60_000;
/// What is kept for the lines that follow.
const REST: usize = 2_000;

/// Writes the report.
pub fn render(proof: &Proof, out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(proof);
    let mut page = Page(String::new());
    page.line(MARK);
    page.line(&format!(
        "**{}**: {} in {}, {} not rendered.",
        summary.verdict(),
        count(summary.changed.len(), "changed image"),
        count(summary.total.all, "rendering"),
        summary.total.not_rendered
    ));
    page.line("\n| | all | equal | different | not rendered |\n|---|---|---|---|---|");
    let kinds = summary.kinds.iter().filter(|(_, counts)| counts.all > 0);
    for (kind, counts) in kinds {
        page.line(&format!(
            "| {}s | {} | {} | {} | {} |",
            kind.word(),
            counts.all,
            counts.equal,
            counts.different,
            counts.not_rendered
        ));
    }
    let different = proof.renders.iter().filter(|one| one.is_different());
    let lines = different.flat_map(|render| {
        let all = render.rendered().map_or(&[][..], |one| &one.differences);
        let own = all.iter().map(|one| format!("  {}", difference(one)));
        std::iter::once(heading(render)).chain(own)
    });
    page.folded("differences", &lines.collect::<Vec<_>>());
    let changed = summary.changed.iter();
    let changed: Vec<String> = changed
        .map(|(before, after)| format!("{before} -> {after}"))
        .collect();
    page.folded(
        &format!("{} that change", count(changed.len(), "image")),
        &changed,
    );
    let healed = summary.healed.iter();
    let healed: Vec<String> = healed
        .map(|(before, after)| format!("{before} -> {after}"))
        .collect();
    page.folded("images that a stale name meets again", &healed);
    page.folded(&outside_title(&summary), &outside(&summary));
    page.folded("not rendered", &unrendered(&summary));
    let unseen = proof.unseen.iter();
    let unseen: Vec<String> = unseen.map(|path| path.display().to_string()).collect();
    page.folded("changed files that go into no rendering", &unseen);
    out.write_all(page.0.as_bytes())
}

fn outside_title(summary: &Summary<'_>) -> String {
    let outside = summary.images_outside().len();
    format!("{} outside of ECR", count(outside, "image"))
}

fn outside(summary: &Summary<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (code, words) in ORIGINS {
        let own = summary.outside.iter();
        let own: Vec<_> = own.filter(|(one, _)| one.origin.code() == *code).collect();
        if own.is_empty() {
            continue;
        }
        lines.push(format!("{words}: {}", own.len()));
        lines.extend(own.iter().map(|(one, renders)| {
            let why = verdict(one).map_or(String::new(), |why| format!(" [{why}]"));
            let renders = count(renders.len(), "rendering");
            let moved = moved_by(one).map_or(String::new(), |moved| format!("; moved by {moved}"));
            format!("  {}{why}  {}{moved}  ({renders})", one.image, origin(one))
        }));
    }
    lines
}

fn unrendered(summary: &Summary<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (why, own) in &summary.unrendered {
        lines.push(format!("{why}: {}: {}", why.words(), own.len()));
        lines.extend(own.iter().map(|(render, detail)| {
            let detail = if detail.is_empty() {
                String::new()
            } else {
                format!(": {detail}")
            };
            format!("  {}{detail}", heading(render))
        }));
    }
    lines
}

fn heading(render: &Render) -> String {
    format!("{} {}", render.kind.word(), title(render))
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Lines in a block that is folded up. They may hold anything: the fence is longer than any in them.
    fn folded(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let clean: Vec<String> = lines.iter().map(|line| clean(line).into_owned()).collect();
        let longest = clean
            .iter()
            .map(|line| longest_ticks(line))
            .max()
            .unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.line(&format!(
            "\n<details><summary>{title}</summary>\n\n{fence}text"
        ));
        for (index, line) in clean.iter().enumerate() {
            let room = MAX.saturating_sub(REST + self.0.chars().count());
            if line.chars().count() + 1 > room {
                let left = clean.len() - index;
                self.line(&format!("… {} more", count(left, "line")));
                break;
            }
            self.line(line);
        }
        self.line(&format!("{fence}\n</details>"));
    }
}

/// The longest run of backticks.
fn longest_ticks(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_block() {
        let mut page = Page(String::new());
        let lines = ["```` </details> @team".to_string(), "x".repeat(100_000)];
        page.folded("t", &lines);
        assert!(page.0.contains("\n`````text\n"), "{}", page.0);
        assert!(page.0.ends_with("… 1 line more\n`````\n</details>\n"));
        assert!(page.0.chars().count() < MAX);
    }
}
