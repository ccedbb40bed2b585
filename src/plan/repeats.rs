//! Names that repeat what a chart renders: assertions of its tests, and its annotations.
//!
//! Nobody pulls them, so they only ever follow the chart. One follows when that was asked for and the
//! chart's own files, all of them that name this image, give it the same new name; it then hangs
//! together with those changes. Any other that the chart leaves behind is a remark: the test fails
//! from now on, or the catalogue is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::decide::{self, Outcome, hard_linked};
use super::ignored::forbids;
use super::targets::Targets;
use super::{Assume, Matter, Remark, Repeats, Safety, canonical, canonical_of};
use crate::image::ImageRef;
use crate::link::{Group, Links, SiteId};
use crate::reason::Reason;
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::sites::{self, Site};
use crate::walk::Role;

/// The repeated names that are wrong when the chart moves without them. What a test gives the chart may
/// be any name, and what is not rendered is not rendered under a new name either.
const TELLING: &[&str] = &[
    sites::ASSERTION,
    sites::GIVEN,
    sites::PATTERN,
    sites::LISTED,
];

/// What comes of the repeated names: the outcomes of those that follow are set.
#[derive(Default)]
pub(super) struct Followed {
    /// What ties them to the changes that they follow.
    pub(super) groups: Vec<Group>,
    /// What is said of those that stay behind, with the file.
    pub(super) remarks: Vec<(usize, Remark)>,
}

/// Lets the repeated names follow their charts.
pub(super) fn follow(
    files: &[ScannedFile],
    links: &Links,
    targets: &[Targets],
    (assume, repeats): (&Assume, Repeats),
    outcomes: &mut [Vec<Outcome>],
) -> Followed {
    let following = Following {
        files,
        links,
        targets,
        assume,
        repeats,
        charts: charts(files),
    };
    let mut followed = Followed::default();
    let mut moves: BTreeMap<&Path, BTreeMap<String, Move>> = BTreeMap::new();
    for id in repeated(files, outcomes) {
        let Some(chart) = following.chart_of(&files[id.file]) else {
            continue;
        };
        let moves = moves
            .entry(chart)
            .or_insert_with(|| following.moves(chart, outcomes));
        let Some(name) = following.name(id) else {
            continue;
        };
        let Some(moved) = moves.get(&name).filter(|moved| moved.to.is_some()) else {
            continue;
        };
        match following.change(id, moved) {
            Ok(outcome) => {
                let members = moved.members.iter().copied();
                followed.groups.push(Group {
                    label: format!("what the chart says of `{name}`"),
                    members: members.chain([id]).collect(),
                    blocked: None,
                });
                outcomes[id.file][id.site] = outcome;
            }
            Err(why) => {
                let remark = following.remark(id, moved, &why);
                followed.remarks.push((id.file, remark));
            }
        }
    }
    followed
}

/// The sites of the selected files that repeat something that the chart says.
fn repeated(files: &[ScannedFile], outcomes: &[Vec<Outcome>]) -> Vec<SiteId> {
    let mut repeated = Vec::new();
    for (file, outcomes) in outcomes.iter().enumerate() {
        let is_repeated =
            |outcome: &Outcome| matches!(outcome, Outcome::Skip(reason, _) if reason.repeats());
        let tells = |site: usize| TELLING.contains(&files[file].scan.sites[site].finder);
        let sites = (0..outcomes.len()).filter(|&site| is_repeated(&outcomes[site]) && tells(site));
        if files[file].role == Role::Selected {
            repeated.extend(sites.map(|site| SiteId { file, site }));
        }
    }
    repeated
}

/// The folders of charts.
fn charts(files: &[ScannedFile]) -> Vec<PathBuf> {
    let is_chart = |file: &&ScannedFile| sites::is_chart_file(&file.source.real);
    let folders = files.iter().filter(is_chart);
    folders
        .filter_map(|file| Some(file.source.real.parent()?.to_path_buf()))
        .collect()
}

/// What becomes of an image in the files of a chart.
#[derive(Default)]
struct Move {
    /// The name that it gets, when that is the same everywhere.
    to: Option<String>,
    /// Why the chart does not move it as a whole.
    torn: Option<String>,
    /// The sites that name it.
    members: Vec<SiteId>,
    /// What the changes of these rest on.
    safety: Option<Safety>,
}

struct Following<'f> {
    files: &'f [ScannedFile],
    links: &'f Links,
    targets: &'f [Targets],
    assume: &'f Assume,
    repeats: Repeats,
    charts: Vec<PathBuf>,
}

impl<'f> Following<'f> {
    fn site(&self, id: SiteId) -> &'f Site {
        &self.files[id.file].scan.sites[id.site]
    }

    fn rules(&self, id: SiteId) -> &RuleSet {
        &self.targets[id.file].first.rules
    }

    /// The folder of the chart that a file belongs to: the nearest one.
    fn chart_of(&self, file: &ScannedFile) -> Option<&Path> {
        let around = self.charts.iter();
        let around = around.filter(|chart| file.source.real.starts_with(chart));
        around
            .max_by_key(|chart| chart.components().count())
            .map(PathBuf::as_path)
    }

    /// The canonical name that a repeated name means.
    fn name(&self, id: SiteId) -> Option<String> {
        let site = self.site(id);
        let text = if site.finder == sites::PATTERN {
            literal(site.text())?
        } else {
            site.text().to_string()
        };
        canonical_of(self.rules(id), &text).map(|name| name.to_string())
    }

    /// What becomes of each image that the files of a chart name, by its canonical name.
    fn moves(&self, chart: &Path, outcomes: &[Vec<Outcome>]) -> BTreeMap<String, Move> {
        let mut moves: BTreeMap<String, Move> = BTreeMap::new();
        for (file, outcomes) in outcomes.iter().enumerate() {
            if !self.files[file].source.real.starts_with(chart) {
                continue;
            }
            for (site, outcome) in outcomes.iter().enumerate() {
                let id = SiteId { file, site };
                let is_repeat = self.site(id).hold.as_ref();
                if is_repeat.is_some_and(|(reason, _)| reason.is_no_pull()) {
                    continue;
                }
                if let Some((name, to)) = self.moved(id, outcome) {
                    self.add(moves.entry(name).or_default(), id, outcome, to);
                }
            }
        }
        for moved in moves.values_mut() {
            if moved.torn.is_some() && moved.members.is_empty() {
                moved.to = None;
            }
        }
        moves
    }

    /// The canonical name of the image at a site, and the name that it has afterwards if it is in
    /// ECR then.
    fn moved(&self, id: SiteId, outcome: &Outcome) -> Option<(String, Option<String>)> {
        let rules = self.rules(id);
        let site = self.site(id);
        let known = |text: &str| {
            let name = canonical(rules, site).or_else(|| canonical_of(rules, text))?;
            Some(name.to_string())
        };
        match outcome {
            Outcome::Change(change) => {
                let (from, to) = (known(&change.from)?, name(&change.to)?);
                Some((from, Some(to.to_string())))
            }
            Outcome::Skip(Reason::AlreadyEcr, _) if rules.text_is_ecr(site.text()) => {
                let upstream = rules.revert(site.text()).ok()?;
                let from = canonical_of(rules, &upstream)?.to_string();
                Some((from, Some(name(site.text())?.to_string())))
            }
            Outcome::Skip(..) | Outcome::Undecided(_) => Some((known(site.text())?, None)),
        }
    }

    /// Counts one more site of an image in.
    fn add(&self, moved: &mut Move, id: SiteId, outcome: &Outcome, to: Option<String>) {
        let file = &self.files[id.file];
        let place = file.source.path.display();
        let text = self.site(id).text();
        match to {
            None => {
                moved.torn = Some(format!("`{text}` in {place} stays"));
                return;
            }
            Some(_) if file.role == Role::Context => {
                moved.torn = Some(format!("{place} is not among the given paths"));
            }
            Some(to) => match &moved.to {
                Some(known) if *known != to => {
                    moved.torn = Some(format!("`{text}` in {place} becomes `{to}`"));
                }
                _ => moved.to = Some(to),
            },
        }
        if let Outcome::Change(change) = outcome {
            let safety = moved.safety.unwrap_or(Safety::Certain);
            let safety = match change.safety {
                Safety::Certain => safety,
                assumed @ Safety::Assumed(_) => assumed,
            };
            moved.safety = Some(safety);
        }
        moved.members.push(id);
    }

    /// The change of a repeated name that follows, or why it stays.
    fn change(&self, id: SiteId, moved: &Move) -> Result<Outcome, String> {
        let site = self.site(id);
        match site.finder {
            sites::ASSERTION | sites::LISTED => {}
            sites::PATTERN => return Err("a regular expression is changed by hand".into()),
            _ => return Err("it is changed by hand, together with what the test sets".into()),
        }
        if self.repeats == Repeats::Stay {
            return Err("`--with-tests` rewrites it together with the chart".into());
        }
        if let Some(torn) = &moved.torn {
            return Err(format!(
                "the chart does not move the image as a whole: {torn}"
            ));
        }
        if let Some(why) = forbids(&self.files[id.file], id.site) {
            return Err(why);
        }
        if let Some((_, why)) = hard_linked(&self.files[id.file]) {
            return Err(why);
        }
        if !self.targets[id.file].others.is_empty() {
            return Err("it belongs to several targets; change it by hand".into());
        }
        match decide::without_hold(id, site, self.rules(id), self.links, self.assume) {
            Outcome::Change(mut change) => {
                if name(&change.to) != moved.to.as_deref() {
                    return Err("the chart gives the image another name; change it by hand".into());
                }
                change.safety = moved.safety.unwrap_or(Safety::Certain);
                Ok(Outcome::Change(change))
            }
            Outcome::Skip(_, why) => Err(why),
            Outcome::Undecided(undecided) => Err(undecided.detail),
        }
    }

    fn remark(&self, id: SiteId, moved: &Move, why: &str) -> Remark {
        let site = self.site(id);
        let to = moved.to.as_deref().unwrap_or_default();
        Remark {
            span: site.span(),
            matter: Matter::OldName,
            detail: format!(
                "the chart names the image `{to}` from now on, and `{}` repeats the old name; {why}",
                site.text()
            ),
        }
    }
}

/// The name in a reference, without tag and digest.
fn name(text: &str) -> Option<&str> {
    // A template may stand in the tag.
    match ImageRef::parse(text) {
        Ok(image) => Some(&text[..image.name_len()]),
        Err(_) => decide::name_of(text).ok(),
    }
}

/// The name with which a regular expression for a reference begins: all of it up to the tag, spelled
/// out. `None` when a part of that is an expression.
fn literal(pattern: &str) -> Option<String> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let mut name = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next()? {
                c @ ('.' | '/' | '-' | '_') => name.push(c),
                _ => return None,
            },
            // A port is followed by a path.
            ':' | '@' if !rest.as_str().contains('/') => break,
            '$' if rest.as_str().is_empty() => break,
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | ':') => {
                name.push(c);
            }
            _ => return None,
        }
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_spell_a_name_out_name_it() {
        for (pattern, name) in [
            ("quay.io/a/b:[0-9]+", Some("quay.io/a/b")),
            (r"^quay\.io/a/b:.*$", Some("quay.io/a/b")),
            ("nginx$", Some("nginx")),
            ("localhost:5000/a:1", Some("localhost:5000/a")),
            (".*/nginx:1", None),
            (r"a\d:1", None),
            ("", None),
        ] {
            assert_eq!(literal(pattern).as_deref(), name, "{pattern}");
        }
    }
}
