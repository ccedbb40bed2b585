//! The third stage: sites, rules and groups become changes and skips, verified.
//!
//! Every mode of the program reads the [`Plan`] made here: what is printed as a diff is what is
//! written. A group is changed as a whole or not at all; a file whose new text does not pass
//! [`verify`](crate::verify) is left as it is, and so are its groups.

mod charted;
mod compose;
mod decide;
mod entry;
mod ignored;
mod keyed;
mod kustomize;
mod layers;
mod name;
mod rendered;
mod repeats;
mod targets;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::edit::Edit;
use crate::helm::{Charts, NoCharts};
use crate::ignores::Ignores;
use crate::link::{Group, Links, Silent, SiteId};
use crate::reason::{Assumption, Reason};
use crate::rules::{Origin, RuleSet};
use crate::scan::{self, ScannedFile, Template};
use crate::sites::{Allowance, GeneratedFile, KeyPath, Site};
use crate::source::{Failure, Lines, Position, SourceFile, Span};
use crate::walk::Role;
use crate::yaml::YamlError;
use decide::Outcome;
pub use entry::NewNames;
pub use name::{canonical, canonical_of};

/// How sure a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// It rests on something that the repository cannot show.
    Assumed(Assumption),
    /// The repository proves what the image is.
    Certain,
}

/// Which assumed changes are made all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Assume {
    /// None: they are reported.
    #[default]
    Nothing,
    /// Those that rest on one of these.
    Only(Vec<Assumption>),
    /// All.
    Everything,
}

impl Assume {
    /// Whether a change that rests on `assumption` is made.
    pub fn covers(&self, assumption: Assumption) -> bool {
        match self {
            Self::Nothing => false,
            Self::Only(codes) => codes.contains(&assumption),
            Self::Everything => true,
        }
    }
}

/// What becomes of names that repeat what a chart renders: assertions of its tests, its annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// They stay.
    #[default]
    Stay,
    /// They are changed together with the chart.
    Follow,
}

/// The new text of one scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// How many scalars of the site's document come before it.
    pub ordinal: usize,
    /// Where the text begins, in bytes of the scalar's value, when it is a piece of that; else it is
    /// all of it.
    pub piece: Option<usize>,
    /// The text before.
    pub from: String,
    /// The text after.
    pub to: String,
}

/// A key and value that a change adds to a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// The scalar that they follow, by how many scalars of the site's document come before it.
    pub after: usize,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A verdict carried out as edits.
#[derive(Clone, Debug)]
pub struct Change {
    /// The site, by its place in [`FilePlan::sites`].
    pub site: usize,
    /// The reference before.
    pub from: String,
    /// The reference after.
    pub to: String,
    /// Where the rule that decided was stated.
    pub rule: Origin,
    /// How sure it is.
    pub safety: Safety,
    /// The scalars that change, each once.
    pub scalars: Vec<Rewritten>,
    /// What is added.
    pub inserted: Option<Inserted>,
    /// The key that lets the chart render with it, when that is added, too.
    pub allowance: Option<Allowance>,
    /// What the entry says afterwards, when the site is one of a list of images for kustomize.
    pub names: Option<NewNames>,
    /// Whether it ties an entry again to the image that it named before somebody rewrote that.
    pub heals: bool,
    /// What the image is as its chart makes it of all values, when the chart is known.
    pub charted: Option<Box<ByChart>>,
    /// The replacements in the file's text. Of sites that share a scalar, only the first has its.
    pub edits: Vec<Edit>,
    /// The groups it belongs to, by their place in [`Plan::groups`].
    pub groups: Vec<usize>,
}

impl Change {
    /// The reference after, for people: what the chart makes, when the site's own text stays and only a key
    /// is added beside it.
    pub fn becomes(&self) -> &str {
        let charted = self.charted.as_ref().filter(|_| self.to == self.from);
        charted.map_or(&self.to, |chart| &chart.to)
    }
}

/// The decision about an image whose chart is known. It was proven on the merged values, of which the
/// site may say only a part.
#[derive(Clone, Debug)]
pub struct ByChart {
    /// The name that the chart makes before.
    pub from: String,
    /// The name that it makes after.
    pub to: String,
    /// Which chart, which version, and how it makes the name, in a sentence.
    pub detail: String,
}

/// A site left alone.
#[derive(Clone, Debug)]
pub struct Skip {
    /// The site, by its place in [`FilePlan::sites`].
    pub site: usize,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence that ends with what to do.
    pub detail: String,
}

/// A change that nobody has agreed to: it rests on an assumption and is in no diff.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// The site, by its place in [`FilePlan::sites`].
    pub site: usize,
    /// The reference before.
    pub from: String,
    /// The reference that the assumption leads to.
    pub to: String,
    /// Where the rule that would decide was stated.
    pub rule: Origin,
    /// What it rests on.
    pub assumption: Assumption,
    /// The assumption in words, and what would settle it.
    pub detail: String,
}

/// Something worth saying about a place, whatever becomes of the image there.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Where.
    pub span: Span,
    /// What it is.
    pub matter: Matter,
    /// What, and what to do.
    pub detail: String,
}

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// A registry for every image of a chart contradicts what the images say.
    GlobalRegistryConflict,
    /// A Bitnami chart refuses the new registry unless a key allows it.
    BitnamiInsecureImages,
    /// A release brings images that no file names.
    ChartDefaults,
    /// Something knows an image by the name that it had before.
    OldName,
}

/// What happens to one file.
#[derive(Debug)]
pub struct FilePlan {
    /// The file as it was read.
    pub source: SourceFile,
    /// Everything that was found in it, in the order of the text.
    pub sites: Vec<Site>,
    /// The sites that change.
    pub changes: Vec<Change>,
    /// The sites that stay.
    pub skips: Vec<Skip>,
    /// The sites that stay unless their assumption is agreed to.
    pub undecided: Vec<Undecided>,
    /// What else there is to say, in the order of the text.
    pub remarks: Vec<Remark>,
    /// The new text, verified; `None` when nothing changes.
    pub after: Option<String>,
    /// What decides its images.
    pub rules: Arc<RuleSet>,
    /// What says that the file is generated.
    pub generated: Option<GeneratedFile>,
    below: PathBuf,
    /// Whether another file said that it holds Helm values.
    promoted: scan::Promoted,
    scanned_with: Arc<scan::Options>,
    /// Where the scalars of its sites stand in other ways of reading it.
    twins: scan::Twins,
    /// The comments that say which sites to leave alone.
    pub ignores: Ignores,
    /// The groups of each site that is in any, by their place in [`Plan::groups`].
    pub groups: BTreeMap<usize, Vec<usize>>,
}

/// A document of a template, or a text in a document, that could not be read.
#[derive(Clone, Debug)]
pub struct Unparsed {
    /// The file, as it is shown.
    pub path: PathBuf,
    /// Where the parser gave up.
    pub at: Position,
    /// The same place in bytes.
    pub offset: usize,
    /// The line of that place.
    pub line: String,
    /// The document, 0-based.
    pub document: usize,
    /// The keys that lead to the text in it that could not be read; `None` for all of it.
    pub text: Option<KeyPath>,
    /// What the parser says.
    pub message: String,
}

/// What a run looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that may be changed.
    pub files: usize,
    /// Their documents, as far as they were worth parsing.
    pub documents: usize,
    /// Their templates that could not be read as YAML.
    pub unparsed: usize,
}

/// All changes and skips of a run.
#[derive(Debug, Default)]
pub struct Plan {
    /// The selected files with sites, in the order they were given.
    pub files: Vec<FilePlan>,
    /// What ties changes together.
    pub groups: Vec<Group>,
    /// What was looked at.
    pub counts: Counts,
    /// The documents of templates, and the texts in documents, that could not be read.
    pub unparsed: Vec<Unparsed>,
    /// Documents that are not YAML and texts that did not pass the check.
    pub failures: Vec<Failure>,
}

/// What a plan is made by, besides files and rules.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The assumptions that were agreed to.
    pub assume: Assume,
    /// What becomes of names that repeat what a chart renders.
    pub repeats: Repeats,
    /// Whether values may be given the key that lets Bitnami's charts render with other images.
    pub allows_insecure: bool,
    /// What the files were scanned with.
    pub scan: scan::Options,
}

/// Finds the rule set that the config gives to a path.
pub type RulesFor<'r> = &'r (dyn Fn(&Path) -> Arc<RuleSet> + Sync);

/// Plans the rewrite of one text: a file on its own, named `path`.
///
/// ```
/// # use ecr_rewrite::{plan::plan_text, rules::{EcrHost, RuleSet, default_rules}};
/// let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?;
/// let (rules, _) = RuleSet::new(Some(registry), default_rules());
/// let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1 # web\n";
/// let plan = plan_text("pod.yaml", text, rules);
/// let after = plan.files[0].after.as_deref().unwrap_or(text);
/// assert!(after.contains("amazonaws.com/docker-hub/library/nginx:1 # web"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan_text(path: impl Into<PathBuf>, text: &str, rules: RuleSet) -> Plan {
    let path = path.into();
    let source = SourceFile {
        real: path.clone(),
        path,
        links: Vec::new(),
        text: text.to_string(),
        identity: None,
    };
    let options = Options::default();
    let mut files = vec![ScannedFile::new(source, Role::Selected, &options.scan)];
    let rules = Arc::new(rules);
    let links = crate::link::link(&mut files);
    plan(files, links, &|_| Arc::clone(&rules), &NoCharts, &options)
}

/// Plans the rewrite of the scanned files; `charts` gives those of the repository, to render them.
pub fn plan(
    files: Vec<ScannedFile>,
    mut links: Links,
    rules_for: RulesFor<'_>,
    charts: &dyn Charts,
    options: &Options,
) -> Plan {
    let targets = targets::of(&files, &links.deployers, rules_for);
    let layered = layers::decide(&files, &targets, &links, options);
    let mut outcomes: Vec<Vec<Outcome>> = files
        .par_iter()
        .enumerate()
        .map(|(index, file)| {
            decide::file(
                file,
                index,
                &targets[index],
                &links,
                &layered,
                &options.assume,
            )
        })
        .collect();
    ignored::apply(&files, &mut outcomes);
    let named = kustomize::settle(&files, &links, &targets, &mut outcomes);
    let mut groups = [std::mem::take(&mut links.groups), layered.groups, named].concat();
    let by_path = files.iter().enumerate();
    let by_path = by_path.map(|(index, file)| (file.source.real.as_path(), index));
    let judge = rendered::Judge {
        files: &files,
        links: &links,
        targets: &targets,
        charts,
        assume: &options.assume,
        by_path: by_path.collect(),
    };
    let mut judged = rendered::Judged::new();
    loop {
        settle_groups(&files, &groups, &mut outcomes);
        let moved = kustomize::take_back(&files, &links.builds, &mut outcomes)
            || judge.take_back(&groups, &mut outcomes, &mut judged);
        if !moved {
            break;
        }
    }
    let judgement = (&options.assume, options.repeats);
    let followed = repeats::follow(&files, &links, &targets, judgement, &mut outcomes);
    groups.extend(followed.groups);
    let keyed = keyed::remarks(&files, &targets, &outcomes);
    let silent = silent(&links);
    let remarks = [layered.remarks, followed.remarks, keyed, silent].concat();
    let rules = targets
        .into_iter()
        .map(|targets| targets.first.rules)
        .collect();
    let scanned_with = Arc::new(options.scan.clone());
    let mut plan = assemble(files, rules, outcomes, groups, remarks, &scanned_with);
    plan.compose_all();
    plan
}

/// What is to be said of releases whose images no file names.
fn silent(links: &Links) -> Vec<(usize, Remark)> {
    let remark = |silent: &Silent| Remark {
        span: silent.span,
        matter: Matter::ChartDefaults,
        detail: format!(
            "`{}` brings images that no file here names; `ecr-rewrite prove` shows them, and values can set them",
            silent.chart
        ),
    };
    let silent = links.silent.iter();
    silent.map(|silent| (silent.file, remark(silent))).collect()
}

/// Takes the changes out of every group of which any member stays, until nothing moves any more.
fn settle_groups(files: &[ScannedFile], groups: &[Group], outcomes: &mut [Vec<Outcome>]) {
    loop {
        let mut moved = false;
        for group in groups {
            let Some(why) = why_incomplete(files, group, outcomes) else {
                continue;
            };
            for member in &group.members {
                let outcome = &mut outcomes[member.file][member.site];
                if matches!(
                    outcome,
                    Outcome::Change(_) | Outcome::Skip(Reason::KustomizePlaceholder, _)
                ) {
                    *outcome = Outcome::Skip(Reason::GroupIncomplete, why.clone());
                    moved = true;
                }
            }
        }
        if !moved {
            return;
        }
    }
}

/// Why a group cannot be changed as a whole. A member that is in ECR already is done.
fn why_incomplete(
    files: &[ScannedFile],
    group: &Group,
    outcomes: &[Vec<Outcome>],
) -> Option<String> {
    if let Some(why) = &group.blocked {
        return Some(why.clone());
    }
    group.members.iter().find_map(|&SiteId { file, site }| {
        let place = files[file].source.path.display();
        let text = files[file].scan.sites[site].text();
        if files[file].role == Role::Context {
            return Some(format!(
                "it hangs together with `{text}` in {place} ({}), which is not among the given paths; add that path",
                group.label
            ));
        }
        match &outcomes[file][site] {
            Outcome::Change(_)
            | Outcome::Skip(Reason::AlreadyEcr | Reason::KustomizePlaceholder, _) => None,
            Outcome::Undecided(undecided) => Some(format!(
                "it hangs together with `{text}` in {place} ({}), which is assumed: {}",
                group.label, undecided.detail
            )),
            Outcome::Skip(reason, _) => Some(format!(
                "it hangs together with `{text}` in {place} ({}), which stays: {reason}",
                group.label
            )),
        }
    })
}

/// Sorts the outcomes of the selected files into changes and skips.
fn assemble(
    files: Vec<ScannedFile>,
    rules: Vec<Arc<RuleSet>>,
    outcomes: Vec<Vec<Outcome>>,
    groups: Vec<Group>,
    remarks: Vec<(usize, Remark)>,
    scanned_with: &Arc<scan::Options>,
) -> Plan {
    let mut memberships = memberships(&groups);
    let mut remarks_of: BTreeMap<usize, Vec<Remark>> = BTreeMap::new();
    for (file, remark) in remarks {
        remarks_of.entry(file).or_default().push(remark);
    }
    let mut plan = Plan {
        groups,
        ..Plan::default()
    };
    for (index, (file, (rules, outcomes))) in files
        .into_iter()
        .zip(rules.into_iter().zip(outcomes))
        .enumerate()
    {
        if file.role == Role::Context {
            continue;
        }
        plan.count(&file);
        let mut remarks = remarks_of.remove(&index).unwrap_or_default();
        if file.scan.sites.is_empty() && file.scan.ignores.is_empty() && remarks.is_empty() {
            continue;
        }
        remarks.sort_by_key(|remark| remark.span.start);
        let groups: BTreeMap<usize, Vec<usize>> = (0..file.scan.sites.len())
            .filter_map(|site| Some((site, memberships.remove(&SiteId { file: index, site })?)))
            .collect();
        let mut file_plan = FilePlan::of(file, rules, groups, remarks, scanned_with);
        for (site, outcome) in outcomes.into_iter().enumerate() {
            file_plan.add(site, outcome);
        }
        plan.files.push(file_plan);
    }
    plan
}

/// The groups that each site is a member of, by their places in the list.
fn memberships(groups: &[Group]) -> BTreeMap<SiteId, Vec<usize>> {
    let mut memberships: BTreeMap<SiteId, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        for &member in &group.members {
            memberships.entry(member).or_default().push(index);
        }
    }
    memberships
}

impl FilePlan {
    /// The plan of a file of which no site is decided yet.
    fn of(
        file: ScannedFile,
        rules: Arc<RuleSet>,
        groups: BTreeMap<usize, Vec<usize>>,
        remarks: Vec<Remark>,
        scanned_with: &Arc<scan::Options>,
    ) -> Self {
        let ScannedFile {
            source,
            scan,
            below,
            ..
        } = file;
        let scan = scan.into_scan();
        Self {
            source,
            sites: scan.sites,
            changes: Vec::new(),
            skips: Vec::new(),
            undecided: Vec::new(),
            remarks,
            after: None,
            rules,
            generated: scan.generated,
            below,
            promoted: scan.promoted,
            scanned_with: Arc::clone(scanned_with),
            twins: scan.twins,
            ignores: scan.ignores,
            groups,
        }
    }

    /// Adds what becomes of a site.
    fn add(&mut self, site: usize, outcome: Outcome) {
        match outcome {
            Outcome::Change(mut change) => {
                change.groups = self.groups.get(&site).cloned().unwrap_or_default();
                self.changes.push(*change);
            }
            Outcome::Skip(reason, detail) => self.skips.push(Skip {
                site,
                reason,
                detail,
            }),
            Outcome::Undecided(assumed) => self.undecided.push(*assumed),
        }
    }
}

impl Plan {
    /// Counts a file and notes the documents of it that are not YAML.
    fn count(&mut self, file: &ScannedFile) {
        self.counts.files += 1;
        self.counts.documents += file.scan.documents;
        if file.scan.broken.is_empty() && file.scan.unread.is_empty() {
            return;
        }
        let lines = Lines::new(&file.source.text);
        let unparsed = |error: &YamlError, text: Option<&KeyPath>| {
            let at = lines.position(error.offset);
            Unparsed {
                path: file.source.path.clone(),
                at,
                offset: error.offset,
                line: lines.line(at.line).to_string(),
                document: error.document,
                text: text.cloned(),
                message: error.message.clone(),
            }
        };
        let texts = file.scan.unread.iter();
        let texts = texts.map(|text| unparsed(&text.error, Some(&text.path)));
        if file.template == Template::Yes {
            self.counts.unparsed += 1;
            let broken = file.scan.broken.iter().map(|error| unparsed(error, None));
            self.unparsed.extend(broken.chain(texts));
            return;
        }
        self.unparsed.extend(texts);
        self.failures
            .extend(file.scan.broken.iter().map(|broken| Failure {
                path: file.source.path.clone(),
                at: Some(lines.position(broken.offset)),
                message: format!(
                    "document {} is not YAML: {broken}; mend it or exclude the file",
                    broken.document + 1
                ),
            }));
    }

    /// Makes and checks the new text of every file with changes. A file that fails loses its
    /// changes and those of its groups, and the files these were in are made again.
    fn compose_all(&mut self) {
        let composed: Vec<_> = self.files.par_iter().map(FilePlan::compose).collect();
        let mut failed = Vec::new();
        for (index, result) in composed.into_iter().enumerate() {
            match result {
                Ok(after) => self.files[index].after = after,
                Err(error) => failed.push((index, error)),
            }
        }
        for (index, error) in failed {
            let path = self.files[index].source.path.clone();
            let message = format!(
                "{error}; the file is left as it is. This is a defect of ecr-rewrite, please report it"
            );
            self.failures.push(Failure::of(&path, message));
            self.withdraw(index, "the new text of its file did not pass the check");
        }
    }

    /// Takes back every change of the file at `index`, and of the groups it has a part in, as
    /// `group-incomplete` for the reason `why`. The other changes of other files stay, in texts made
    /// and checked again. Gives the files that lost changes.
    pub fn withdraw(&mut self, index: usize, why: &str) -> BTreeSet<usize> {
        let mut withdrawn = BTreeSet::new();
        let mut pending = vec![index];
        let first = index;
        while let Some(index) = pending.pop() {
            let lost: BTreeSet<usize> = self.files[index]
                .changes
                .iter()
                .flat_map(|change| change.groups.clone())
                .collect();
            self.files[index].withdraw(|_| true, why);
            withdrawn.insert(index);
            for other in 0..self.files.len() {
                let touches =
                    |change: &Change| change.groups.iter().any(|group| lost.contains(group));
                if other == index || !self.files[other].changes.iter().any(touches) {
                    continue;
                }
                let place = self.files[first].source.path.display().to_string();
                self.files[other]
                    .withdraw(touches, &format!("it hangs together with {place}: {why}"));
                withdrawn.insert(other);
                match self.files[other].compose() {
                    Ok(after) => self.files[other].after = after,
                    Err(_) => pending.push(other),
                }
            }
        }
        withdrawn
    }

    /// The files that change, in lots that have to be written together: files that share a group
    /// are in one lot, every other file is a lot of its own. In the order of the files.
    pub fn lots(&self) -> Vec<Vec<usize>> {
        let mut lot_of_group: BTreeMap<usize, usize> = BTreeMap::new();
        let mut lots: Vec<Vec<usize>> = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            if file.after.is_none() {
                continue;
            }
            let groups: BTreeSet<usize> = file
                .changes
                .iter()
                .flat_map(|change| change.groups.clone())
                .collect();
            let joined: BTreeSet<usize> = groups
                .iter()
                .filter_map(|group| lot_of_group.get(group).copied())
                .collect();
            let lot = joined.first().copied().unwrap_or_else(|| {
                lots.push(Vec::new());
                lots.len() - 1
            });
            lots[lot].push(index);
            for &other in joined.iter().skip(1) {
                let moved = std::mem::take(&mut lots[other]);
                lots[lot].extend(moved);
            }
            for target in lot_of_group
                .values_mut()
                .filter(|target| joined.contains(target))
            {
                *target = lot;
            }
            lot_of_group.extend(groups.into_iter().map(|group| (group, lot)));
        }
        lots.retain(|lot| !lot.is_empty());
        lots.iter_mut().for_each(|lot| lot.sort_unstable());
        lots
    }

    /// All changes.
    pub fn changes(&self) -> impl Iterator<Item = (&FilePlan, &Change)> {
        self.files
            .iter()
            .flat_map(|file| file.changes.iter().map(move |change| (file, change)))
    }

    /// All changes that nobody has agreed to.
    pub fn undecided(&self) -> impl Iterator<Item = (&FilePlan, &Undecided)> {
        self.files
            .iter()
            .flat_map(|file| file.undecided.iter().map(move |assumed| (file, assumed)))
    }

    /// All skips.
    pub fn skips(&self) -> impl Iterator<Item = (&FilePlan, &Skip)> {
        self.files
            .iter()
            .flat_map(|file| file.skips.iter().map(move |skip| (file, skip)))
    }
}

impl FilePlan {
    fn compose(&self) -> Result<Option<String>, compose::ComposeError> {
        compose::compose(self)
    }

    /// Turns the changes that `which` picks into skips.
    fn withdraw(&mut self, which: impl Fn(&Change) -> bool, why: &str) {
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|change| which(change));
        self.changes = kept;
        self.after = None;
        self.skips.extend(gone.into_iter().map(|change| Skip {
            site: change.site,
            reason: Reason::GroupIncomplete,
            detail: why.to_string(),
        }));
        self.skips.sort_by_key(|skip| skip.site);
    }
}

/// What a second run over the new text of a file would find, for the check that it finds nothing to
/// do.
fn rescan(file: &FilePlan, text: &str) -> Vec<Site> {
    let mut scan = scan::scan_text(&file.below, text, &file.scanned_with);
    scan.promote(file.promoted.clone());
    scan.sites
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{EcrHost, default_rules};

    const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n";

    #[test]
    fn a_text_is_planned_on_its_own() {
        let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let plan = plan_text(
            "pod.yaml",
            POD,
            RuleSet::new(Some(registry), default_rules()).0,
        );
        assert_eq!(
            (
                plan.files.len(),
                plan.changes().count(),
                plan.counts.documents
            ),
            (1, 1, 1)
        );
        assert!(plan.failures.is_empty());
        assert_eq!(plan.lots(), [vec![0]]);
    }

    #[test]
    fn a_text_that_a_second_run_would_change_again_is_refused() {
        let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let rules = RuleSet::new(Some(registry), default_rules()).0;
        let mut plan = plan_text("pod.yaml", POD, rules);
        // A second run would find something else than what the change says.
        plan.files[0].changes[0].to = "nginx:1".to_string();
        plan.compose_all();
        assert_eq!(plan.changes().count(), 0);
        assert_eq!(plan.files[0].after, None);
        assert!(
            plan.failures[0]
                .message
                .contains("a second run would change it again")
        );
        assert_eq!(
            plan.skips().next().unwrap().1.reason,
            Reason::GroupIncomplete
        );
    }

    #[test]
    fn without_a_target_there_are_changes_and_no_new_text() {
        let plan = plan_text("pod.yaml", POD, RuleSet::new(None, default_rules()).0);
        let (file, change) = plan.changes().next().unwrap();
        assert_eq!(change.to, "<registry>/docker-hub/library/nginx:1");
        assert_eq!(file.after, None);
        assert!(plan.failures.is_empty());
        assert!(plan.lots().is_empty());
    }
}
