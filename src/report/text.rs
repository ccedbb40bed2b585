//! Text for people on stderr: the reasons for what stays, and the summary.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::clean;
use crate::findings::{Findings, Level};
use crate::plan::{Plan, Unparsed};
use crate::reason::Reason;
use crate::source::{Failure, Lines};

/// `3 files`, `1 file`.
pub(super) struct Count(pub(super) usize, pub(super) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, word) = self;
        write!(f, "{number} {word}{}", if *number == 1 { "" } else { "s" })
    }
}

/// What the changes are to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// They would be made.
    Would,
    /// They were made.
    Did,
}

/// A line for every site that stays: place, image, code and reason.
pub fn skips(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &plan.files {
        let index = Lines::new(&file.source.text);
        for skip in &file.skips {
            let site = &file.sites[skip.site];
            lines.push(format!(
                "{}:{}: `{}` {}: {}",
                clean(&file.source.path.to_string_lossy()),
                index.position(site.span().start),
                clean(site.text()),
                skip.reason,
                clean(&skip.detail)
            ));
        }
    }
    lines
}

/// A line for every template, or text in a file, that could not be read.
pub fn unread(plan: &Plan) -> Vec<String> {
    let line = |place: &Unparsed| {
        let what = match &place.text {
            Some(path) => format!("the text at `{path}`"),
            None => format!("document {} of the template", place.document + 1),
        };
        format!(
            "{}:{}: {what} could not be read ({}); images in it may not be seen",
            clean(&place.path.to_string_lossy()),
            place.at,
            clean(&place.message)
        )
    };
    plan.unparsed.iter().map(line).collect()
}

/// A line for every change: place, image, what it becomes and by which rule.
pub fn changes(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &plan.files {
        let index = Lines::new(&file.source.text);
        for change in &file.changes {
            let site = &file.sites[change.site];
            let chart = change.charted.as_ref();
            let chart = chart.map_or(String::new(), |chart| format!("; {}", clean(&chart.detail)));
            lines.push(format!(
                "{}:{}: `{}` -> `{}` (rule: {}{chart})",
                clean(&file.source.path.to_string_lossy()),
                index.position(site.span().start),
                clean(&change.from),
                clean(change.becomes()),
                change.rule
            ));
        }
    }
    lines
}

/// A line for every change that nobody has agreed to.
pub fn undecided(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &plan.files {
        let index = Lines::new(&file.source.text);
        for undecided in &file.undecided {
            let site = &file.sites[undecided.site];
            lines.push(format!(
                "{}:{}: `{}` undecided: {} ({}); it would become `{}`",
                clean(&file.source.path.to_string_lossy()),
                index.position(site.span().start),
                clean(&undecided.from),
                clean(&undecided.detail),
                undecided.assumption,
                clean(&undecided.to),
            ));
        }
    }
    lines
}

/// How many findings of each level there are; `no findings` when there are none.
pub fn findings(findings: &Findings) -> String {
    let levels = [
        (Level::Error, "error"),
        (Level::Warn, "warning"),
        (Level::Info, "note"),
    ];
    let counts = levels.map(|(level, word)| Count(findings.count(level), word));
    let counts: Vec<String> = counts
        .iter()
        .filter(|count| count.0 > 0)
        .map(Count::to_string)
        .collect();
    if counts.is_empty() {
        "no findings".to_string()
    } else {
        counts.join(", ")
    }
}

/// The line of a failure.
pub fn failure(failure: &Failure) -> String {
    let path = failure.path.to_string_lossy();
    let path = clean(&path);
    match failure.at {
        Some(at) => format!("{path}:{at}: {}", clean(&failure.message)),
        None => format!("{path}: {}", clean(&failure.message)),
    }
}

/// The counts of a run, in one or two lines.
pub fn summary(plan: &Plan, tense: Tense, elapsed: Duration) -> String {
    let changed = plan.changes().count();
    let files = plan
        .files
        .iter()
        .filter(|file| !file.changes.is_empty())
        .count();
    let assumed = plan.undecided().count();
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for (_, skip) in plan.skips() {
        *reasons.entry(skip.reason).or_default() += 1;
    }
    let in_ecr = reasons.remove(&Reason::AlreadyEcr).unwrap_or(0);
    let skipped: usize = reasons.values().sum();
    let verb = match tense {
        Tense::Would => "would change",
        Tense::Did => "changed",
    };
    let mut text = format!(
        "{} scanned, {} found: {changed} {verb} in {}, {in_ecr} already in ECR, {skipped} skipped",
        Count(plan.counts.files, "file"),
        Count(changed + in_ecr + skipped + assumed, "image"),
        Count(files, "file"),
    );
    if !reasons.is_empty() {
        let list: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        text.push_str(&format!(" ({})", list.join(", ")));
    }
    if assumed > 0 {
        text.push_str(&format!(", {assumed} assumed"));
    }
    if plan.counts.unparsed > 0 {
        text.push_str(&format!(
            "; {} could not be read",
            Count(plan.counts.unparsed, "template")
        ));
    }
    text.push_str(&format!(" [{:.2}s]", elapsed.as_secs_f64()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Undecided, plan_text};
    use crate::reason::Assumption;
    use crate::rules::{Origin, RuleSet, default_rules};

    #[test]
    fn assumed_changes_are_counted_and_said() {
        let text = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: redis}]}\n";
        let mut plan = plan_text("a.yaml", text, RuleSet::new(None, default_rules()).0);
        let file = &mut plan.files[0];
        file.changes.clear();
        file.undecided.push(Undecided {
            site: 0,
            from: "redis".into(),
            to: "R/redis".into(),
            rule: Origin::BuiltIn,
            assumption: Assumption::BareWord,
            detail: "it may be a word".into(),
        });
        let summary = summary(&plan, Tense::Would, Duration::ZERO);
        assert!(
            summary.starts_with("1 file scanned, 1 image found: 0 would change"),
            "{summary}"
        );
        assert!(summary.contains("0 skipped, 1 assumed ["), "{summary}");
        assert_eq!(
            undecided(&plan),
            [
                "a.yaml:3:29: `redis` undecided: it may be a word (bare-word); it would become `R/redis`"
            ]
        );
        let none = Findings::default();
        assert_eq!(findings(&none), "no findings");
    }
}
