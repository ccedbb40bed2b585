//! The `markdown` format: a report for a pull request, as its body or a comment.
//!
//! Names and values of a repository stand in code spans and fences that they cannot end, so nothing of
//! them is rendered, mentioned or linked. Everything is bounded: a comment of GitHub has at most 65,536
//! characters, and bytes, which are counted here, are never fewer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::text::Count;
use super::{Color, Mode, Report, clean, diff, harmless};
use crate::findings::{Finding, Level};
use crate::plan::{FilePlan, canonical, canonical_of};
use crate::reason::Reason;

/// What a bot finds its comment by: it stands at the very beginning.
const MARKER: &str = "<!-- ecr-rewrite -->";
/// The most bytes of a report.
const LIMIT: usize = 60_000;
/// Rows of the table of upstreams.
const ROWS: usize = 40;
/// What is shown of one name or value, in characters.
const NAME: usize = 200;
/// Room for the words that say what is left out.
const REST: usize = 300;

/// Writes the report.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(text(report, LIMIT).as_bytes())
}

/// The report in at most `limit` bytes; nothing when there is room for nothing.
pub(super) fn text(report: &Report<'_>, limit: usize) -> String {
    let mut page = Page {
        text: String::new(),
        limit: limit.saturating_sub(REST),
    };
    let head = format!("{MARKER}\n{}\n", verdict(report));
    if !page.add(&head) {
        return String::new();
    }
    page.add(&upstreams(report));
    page.list("Failures", report.failures.len(), failures(report));
    let open = by_hand(report);
    page.list("To look at", open.len(), open.into_iter().map(item));
    page.diffs(report);
    page.text
}

/// A text that grows up to its limit.
struct Page {
    text: String,
    limit: usize,
}

impl Page {
    /// Adds `part` if there is room for all of it; whether there was.
    fn add(&mut self, part: &str) -> bool {
        let fits = self.text.len() + part.len() <= self.limit;
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    /// Adds a list, as much of it as there is room for beside the diffs.
    fn list(&mut self, title: &str, count: usize, items: impl Iterator<Item = String>) {
        if count == 0 || !self.add(&format!("\n#### {title}\n\n")) {
            return;
        }
        let limit = self.limit;
        self.limit = self.text.len() + (limit - self.text.len()) / 2;
        let shown = items.take_while(|item| self.add(item)).count();
        self.limit = limit;
        if shown < count {
            self.more(count - shown, "of these");
        }
    }

    /// Adds the diff of each file that changes.
    fn diffs(&mut self, report: &Report<'_>) {
        let files = report.plan.files.iter();
        let changed = files.filter_map(|file| Some((file, file.after.as_deref()?)));
        let left = changed
            .filter(|(file, after)| !self.add(&details(file, after)))
            .count();
        if left > 0 {
            self.more(left, "diffs");
        }
    }

    /// Says how much is left out; there is always room for that.
    fn more(&mut self, count: usize, what: &str) {
        let rest = format!("\n{count} more {what} not shown here for want of room.\n");
        self.text.push_str(&rest);
    }
}

/// What the run comes to, in a paragraph.
fn verdict(report: &Report<'_>) -> String {
    let Report {
        plan,
        findings,
        failures,
        mode,
        ..
    } = report;
    let changes = Count(plan.changes().count(), "image");
    let files = plan.files.iter();
    let files = Count(
        files.filter(|file| !file.changes.is_empty()).count(),
        "file",
    );
    let errors = findings.count(Level::Error);
    let (open, warnings) = (plan.undecided().count(), findings.count(Level::Warn));
    let done = match mode {
        Mode::Write if changes.0 == 0 => "Nothing was changed.".to_string(),
        Mode::Write => format!("{changes} in {files} now pulled through Amazon ECR."),
        _ if errors == 0 && changes.0 == 0 && failures.is_empty() => {
            "No image is pulled past Amazon ECR.".to_string()
        }
        _ => format!("{changes} in {files} would be pulled through Amazon ECR after a rewrite."),
    };
    let mut rest = Vec::new();
    for (count, what) in [
        (Count(errors, "error"), ""),
        (Count(warnings, "warning"), ""),
        (Count(open, "change"), " on an assumption, not made"),
        (Count(failures.len(), "failure"), ""),
    ] {
        if count.0 > 0 {
            rest.push(format!("{count}{what}"));
        }
    }
    if rest.is_empty() {
        return format!("**{done}**");
    }
    format!("**{done}** {}.", rest.join(", "))
}

/// How many images of an upstream become what.
#[derive(Default)]
struct Row {
    changed: usize,
    assumed: usize,
    stay: usize,
}

/// The table of upstreams; images that are in ECR already are a row of their own.
fn upstreams(report: &Report<'_>) -> String {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut in_ecr = 0;
    for file in &report.plan.files {
        let host = |site: usize| Some(canonical(&file.rules, &file.sites[site])?.host);
        for change in &file.changes {
            // A site may say only a part of what its chart makes of it.
            let charted = change.charted.as_ref().map(|chart| &chart.from);
            let of_chart = || canonical_of(&file.rules, charted.unwrap_or(&change.from));
            let host = host(change.site).or_else(|| Some(of_chart()?.host));
            rows.entry(host.unwrap_or_default()).or_default().changed += 1;
        }
        for undecided in &file.undecided {
            let host = host(undecided.site).unwrap_or_default();
            rows.entry(host).or_default().assumed += 1;
        }
        for skip in &file.skips {
            match (skip.reason, host(skip.site)) {
                (Reason::AlreadyEcr, _) => in_ecr += 1,
                (reason, Some(host)) if is_pulled(reason) => {
                    rows.entry(host).or_default().stay += 1;
                }
                _ => {}
            }
        }
    }
    let changed = match report.mode {
        Mode::Write => "changed",
        Mode::Check | Mode::DryRun => "would change",
    };
    let mut table = format!("\n| upstream | {changed} | assumed | left |\n|---|---|---|---|\n");
    for (host, row) in rows.iter().take(ROWS) {
        let Row {
            changed,
            assumed,
            stay,
        } = row;
        // Writing into a string cannot fail.
        let host = match host.as_str() {
            "" => "not stated".to_string(),
            host => cell(host),
        };
        let _ = writeln!(table, "| {host} | {changed} | {assumed} | {stay} |");
    }
    if rows.len() > ROWS {
        let _ = writeln!(table, "| {} more | | | |", rows.len() - ROWS);
    }
    let _ = writeln!(table, "| Amazon ECR | | | {in_ecr} |");
    table
}

/// Whether an image that stays for this reason is pulled from where its name says.
fn is_pulled(reason: Reason) -> bool {
    !reason.repeats()
        && !matches!(
            reason,
            Reason::Templated | Reason::Variable | Reason::NotAnImage | Reason::BuildOutput
        )
}

/// The findings that no diff shows, what weighs most first.
fn by_hand<'r>(report: &Report<'r>) -> Vec<&'r Finding> {
    let is_shown = |finding: &&Finding| {
        let file = finding.site.map(|(file, _)| &report.plan.files[file]);
        finding.fix.is_some() && file.is_some_and(|file| file.after.is_some())
    };
    let findings = report.findings.list.iter();
    let mut open: Vec<&Finding> = findings.filter(|finding| !is_shown(finding)).collect();
    open.sort_by_key(|finding| finding.level);
    open
}

fn item(finding: &Finding) -> String {
    let place = format!("{}:{}", finding.path.to_string_lossy(), finding.at);
    let page = match finding.code.page_url() {
        Some(page) => format!("[{}]({page})", finding.code),
        None => finding.code.to_string(),
    };
    format!(
        "- {} {}: {page}: {}\n",
        finding.level,
        code(&place),
        prose(&finding.told())
    )
}

fn failures(report: &Report<'_>) -> impl Iterator<Item = String> {
    report.failures.iter().map(|failure| {
        let place = match failure.at {
            Some(at) => format!("{}:{at}", failure.path.to_string_lossy()),
            None => failure.path.to_string_lossy().into_owned(),
        };
        format!("- {}: {}\n", code(&place), prose(&failure.message))
    })
}

/// The diff of a file, folded.
fn details(file: &FilePlan, after: &str) -> String {
    let mut bytes = Vec::new();
    // Writing into memory cannot fail.
    drop(diff::render_file(file, after, Color::Off, &mut bytes));
    let patch = String::from_utf8_lossy(&bytes);
    // A carriage return before the line's end is not worth an escape in every line.
    let lines = patch.split_terminator('\n');
    let lines = lines.map(|line| clean(line.strip_suffix('\r').unwrap_or(line)));
    let lines: Vec<_> = lines.map(|line| without_command(&line)).collect();
    let patch = lines.join("\n");
    let fence = "`".repeat(longest_run(&patch).max(2) + 1);
    format!(
        "\n<details><summary>{} ({})</summary>\n\n{fence}diff\n{patch}\n{fence}\n\n</details>\n",
        html_code(&file.source.path),
        Count(file.changes.len(), "image")
    )
}

/// A line of a patch, of which a workflow that prints the report takes nothing for a command.
fn without_command(line: &str) -> String {
    let (sign, rest) = line.split_at(line.len().min(1));
    match sign {
        " " | "+" | "-" => format!("{sign}{}", harmless(rest)),
        _ => line.to_string(),
    }
}

/// A path within HTML.
fn html_code(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = clean(shortened(&path)).into_owned();
    let path = path.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<code>{}</code>",
        path.replace('>', "&gt;").replace('"', "&quot;")
    )
}

/// A name or value as a code span.
fn code(text: &str) -> String {
    span(&clean(shortened(text)))
}

/// The same in a cell of a table, where a bar would end it.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A code span that its text cannot end.
fn span(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text) + 1);
    // A space on both sides is taken away again, and keeps ticks at the ends apart from these.
    let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if pad { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(NAME);
    end.map_or(text, |(end, _)| &text[..end])
}

/// A message of ours as Markdown: what it has in backticks stays code, and nothing in the rest does
/// anything. A value may hold backticks, too, so that its parts come to stand outside of them.
pub(super) fn prose(text: &str) -> String {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return span(&text);
    }
    let shown = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => plain(part),
            _ if part.is_empty() => "``".to_string().replace('`', "\\`"),
            _ => span(part),
        });
    shown.collect()
}

/// Text in which no character means anything to Markdown, nothing is a link and nobody is mentioned.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    // In code, an address is no link.
    let text = text.replace("://", "\u{0}").replace("www.", "\u{1}");
    for c in text.chars() {
        match c {
            // In code, a mention and a reference to an issue are none.
            '@' | '#' => shown.extend(['`', c, '`']),
            '\\' | '*' | '_' | '[' | ']' | '<' | '|' | '~' | '&' | '!' | '$' => {
                shown.extend(['\\', c]);
            }
            '\u{0}' => shown.push_str("`://`"),
            '\u{1}' => shown.push_str("`www.`"),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_are_not_ended_by_their_text() {
        for (text, shown) in [
            ("nginx:1", "`nginx:1`"),
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            (" a ", "`  a  `"),
        ] {
            assert_eq!(span(text), shown);
        }
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn messages_keep_their_code_and_nothing_else() {
        for (text, shown) in [
            ("`a:1` stays", "`a:1` stays"),
            ("`a` @team `b` <b>#1", "`a` `@`team `b` \\<b>`#`1"),
            ("`a ` b", "` a  ` b"),
            ("`a` https://b www.c `d`", "`a` https`://`b `www.`c `d`"),
            ("a`b", "``a`b``"),
            ("a\n# b", "a\\\\u{a}`#` b"),
        ] {
            assert_eq!(prose(text), shown, "{text}");
        }
    }

    #[test]
    fn a_page_does_not_outgrow_its_limit() {
        let mut page = Page {
            text: String::new(),
            limit: 40,
        };
        page.list("A", 9, (0..9).map(|_| "- abc\n".to_string()));
        assert!(
            page.text
                .ends_with("more of these not shown here for want of room.\n"),
            "{}",
            page.text
        );
        assert!(page.text.len() < 40 + REST);
    }
}
