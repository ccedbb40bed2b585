//! What `explain` prints: everything that decided one image.

use std::io::{self, Write};

use super::{clean, harmless};
use crate::findings::Findings;
use crate::plan::{FilePlan, Plan, Safety, canonical, canonical_of};
use crate::sites::{Shape, Site};
use crate::source::Lines;

/// How the members of groups are called: for each scanned file, its sites. A plan keeps only the
/// files that may change, and groups reach beyond them.
pub type Roster = Vec<Vec<String>>;

/// The name of a site in a [`Roster`].
pub fn member(path: &std::path::Path, site: &Site) -> String {
    format!("{}, {}: `{}`", path.display(), site.path, site.text())
}

/// Writes what there is to say of a site: the file and the site by their places in the plan.
pub fn render(
    plan: &Plan,
    findings: &Findings,
    roster: &Roster,
    (file, site): (usize, usize),
    out: &mut dyn Write,
) -> io::Result<()> {
    let number = (file, site);
    let file = &plan.files[file];
    let found = &file.sites[site];
    let lines = Lines::new(&file.source.text);
    let mut text = vec![
        format!(
            "{}:{}: `{}`",
            file.source.path.display(),
            lines.position(found.span().start),
            found.text()
        ),
        format!(
            "  found    at {} in document {}, by the finder `{}`",
            found.path,
            found.document.stream() + 1,
            found.finder
        ),
    ];
    text.extend(parts(found, &lines));
    let name = canonical(&file.rules, found);
    text.extend(name.as_ref().map(|name| format!("  means    {name}")));
    text.extend(verdict(file, site));
    text.extend(rule(file, site));
    for &group in file.groups.get(&site).into_iter().flatten() {
        let group = &plan.groups[group];
        text.push(format!("  group    {}", group.label));
        let members = group.members.iter().filter_map(|member| {
            let name = roster.get(member.file)?.get(member.site)?;
            Some(format!("           - {name}"))
        });
        text.extend(members);
    }
    let reported = findings
        .list
        .iter()
        .filter(|finding| finding.site == Some(number))
        .map(|finding| {
            format!(
                "  reported {}[{}] {}",
                finding.level, finding.code, finding.help
            )
        });
    text.extend(reported);
    text.iter()
        .try_for_each(|line| writeln!(out, "{}", harmless(&clean(line))))
}

/// The scalars of an image that is written in parts.
fn parts(site: &Site, lines: &Lines<'_>) -> Vec<String> {
    let Shape::Parts(parts) = &site.shape else {
        return Vec::new();
    };
    let scalars = parts
        .parts
        .iter()
        .filter_map(|part| Some((part, part.value.scalar()?)));
    let line = |(part, scalar): (&crate::sites::Part, &crate::yaml::Scalar)| {
        format!(
            "  part     {}: `{}` at {}",
            part.key,
            scalar.value,
            lines.position(scalar.place.span().start)
        )
    };
    scalars.map(line).collect()
}

fn verdict(file: &FilePlan, site: usize) -> Option<String> {
    let change = file.changes.iter().find(|change| change.site == site);
    if let Some(change) = change {
        let safety = match change.safety {
            Safety::Certain => "certain".to_string(),
            Safety::Assumed(assumption) => format!("assumed: {assumption}"),
        };
        let chart = change.charted.as_ref();
        let chart = chart.map_or(String::new(), |chart| {
            format!("\n  chart    {}", chart.detail)
        });
        return Some(format!(
            "  changes  to `{}` ({safety}){chart}",
            change.becomes()
        ));
    }
    let undecided = file.undecided.iter().find(|assumed| assumed.site == site);
    if let Some(undecided) = undecided {
        return Some(format!(
            "  stays    undecided ({}): {}; it would become `{}`",
            undecided.assumption, undecided.detail, undecided.to
        ));
    }
    let skip = file.skips.iter().find(|skip| skip.site == site)?;
    Some(format!("  stays    {}: {}", skip.reason, skip.detail))
}

/// The rule that decided, or that would if nothing kept the image where it is.
fn rule(file: &FilePlan, site: usize) -> Option<String> {
    let changes = file.changes.iter().filter(|change| change.site == site);
    let decided = changes.map(|change| (&change.to, &change.rule));
    let assumed = file.undecided.iter().filter(|assumed| assumed.site == site);
    let mut stated = decided.chain(assumed.map(|assumed| (&assumed.to, &assumed.rule)));
    if let Some((to, origin)) = stated.next() {
        return Some(match file.rules.rule_behind(to, origin) {
            Some(rule) => format!("  rule     {rule}"),
            None => format!("  rule     stated at {origin}"),
        });
    }
    let text = file.sites[site].text();
    if let Some(cached) = file.rules.cached(text) {
        return Some(format!("  rule     {}", cached.rule));
    }
    let rule = file.rules.mapping(&canonical_of(&file.rules, text)?)?;
    Some(format!("  rule     {rule} maps it"))
}
