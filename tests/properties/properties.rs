//! What holds of every plan, whatever the files: each property is looked at from outside, by means that
//! the program does not use (`serde_yaml`, `common::ecr`, `common::patch`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecr_rewrite::findings::{self, Levels};
use ecr_rewrite::helm::NoCharts;
use ecr_rewrite::link::link;
use ecr_rewrite::plan::{FilePlan, Options, Plan, plan};
use ecr_rewrite::reason::Reason;
use ecr_rewrite::report::{Color, FORMATS, Home, Mode, Report};
use ecr_rewrite::rules::{EcrHost, Rule, RuleSet, default_rules};
use ecr_rewrite::scan::{self, ScannedFile};
use ecr_rewrite::source::SourceFile;
use ecr_rewrite::walk::Role;
use serde_yaml::Value;

use super::case::{Case, Fault, File, REGISTRIES, hold};
use super::common::judge::{Difference, bytes_outside_are_equal, differences, values};
use super::common::{REGISTRY, ecr, patch};
use super::renderings::{self, Renderings};

/// Where the repositories of cases lie; nothing is there.
const HOME: &str = "/repository";

/// What was seen of cases, so that nobody trusts properties of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Cases in which something changes.
    pub(crate) changed: usize,
    /// Changed files that `serde_yaml` compared.
    pub(crate) compared: usize,
    /// Images that it found, each in ECR afterwards or with a reason why not.
    pub(crate) images: usize,
    /// Changes that belong to groups.
    pub(crate) grouped: usize,
    /// Images that are rendered, in ECR afterwards and not before.
    pub(crate) moved: usize,
    /// Images that are rendered.
    pub(crate) rendered: usize,
}

impl Seen {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            changed: self.changed + other.changed,
            compared: self.compared + other.compared,
            images: self.images + other.images,
            grouped: self.grouped + other.grouped,
            moved: self.moved + other.moved,
            rendered: self.rendered + other.rendered,
        }
    }
}

/// The rules that cases are planned with.
pub(crate) fn rules(registry: usize, rules: Vec<Rule>) -> Arc<RuleSet> {
    let registry = EcrHost::parse(REGISTRIES[registry]).unwrap();
    Arc::new(RuleSet::new(Some(registry), rules).0)
}

/// The plan for files that were read.
pub(crate) fn planned(sources: Vec<(PathBuf, SourceFile)>, rules: &Arc<RuleSet>) -> Plan {
    let options = Options::default();
    let scanned = sources.into_iter().map(|(below, source)| {
        ScannedFile::below(&below, source, Role::Selected, &scan::Options::default())
    });
    let mut files: Vec<ScannedFile> = scanned.collect();
    let links = link(&mut files);
    plan(files, links, &|_| Arc::clone(rules), &NoCharts, &options)
}

fn plan_of(files: &[File], rules: &Arc<RuleSet>) -> Plan {
    let sources = files.iter().map(|file| {
        let source = SourceFile {
            path: PathBuf::from(&file.path),
            real: Path::new(HOME).join(&file.path),
            links: Vec::new(),
            text: file.text.clone(),
            identity: None,
        };
        (PathBuf::from(&file.path), source)
    });
    planned(sources.collect(), rules)
}

/// The files with what the plan makes of them.
pub(crate) fn files_after(files: &[File], plan: &Plan) -> Vec<File> {
    let by_path: BTreeMap<&Path, &FilePlan> = plan
        .files
        .iter()
        .map(|file| (file.source.path.as_path(), file))
        .collect();
    let after = |file: &File| {
        let planned = by_path.get(Path::new(&file.path));
        planned.and_then(|planned| planned.after.clone())
    };
    files
        .iter()
        .map(|file| File::new(&file.path, after(file).unwrap_or_else(|| file.text.clone())))
        .collect()
}

/// Every property of a text, or of each file of several, and of all of them together.
pub(crate) fn check(case: &Case) -> Result<Seen, Fault> {
    let without = plan_of(&case.files, &rules(case.registry, Vec::new()));
    nothing_changes("without a rule, every byte stays", &without)?;
    let with = rules(case.registry, default_rules());
    let plan = plan_of(&case.files, &with);
    no_defect(&plan)?;
    let mut seen = Seen::default();
    for file in &plan.files {
        every_site_is_decided(file)?;
        seen = seen.and(only_what_is_planned_changes(file, case.registry)?);
    }
    if plan.failures.is_empty() && plan.unparsed.is_empty() {
        for file in &case.files {
            seen.images += every_image_is_accounted_for(file, &plan, case.registry)?;
        }
    }
    groups_are_whole(&plan)?;
    let after = files_after(&case.files, &plan);
    the_diff_is_what_is_written(case, &plan, &after)?;
    let again = plan_of(&after, &with);
    nothing_changes("a second run finds nothing to do", &again)?;
    no_defect(&again)?;
    seen.changed = usize::from(plan.changes().next().is_some());
    seen.grouped = plan
        .changes()
        .filter(|(_, change)| !change.groups.is_empty())
        .count();
    Ok(seen)
}

pub(crate) fn nothing_changes(property: &'static str, plan: &Plan) -> Result<(), Fault> {
    let changes = plan.changes().map(|(file, change)| {
        format!(
            "{}: {} -> {}",
            file.source.path.display(),
            change.from,
            change.to
        )
    });
    let changes: Vec<String> = changes.collect();
    let stays = plan.files.iter().all(|file| file.after.is_none());
    hold(property, stays && changes.is_empty(), || changes.join("\n"))
}

/// What does not pass the program's own check is a defect of it, although nothing is written.
fn no_defect(plan: &Plan) -> Result<(), Fault> {
    let defect = plan
        .failures
        .iter()
        .find(|failure| failure.message.contains("defect"));
    hold(
        "every plan passes the second opinion",
        defect.is_none(),
        || format!("{defect:?}"),
    )
}

fn every_site_is_decided(file: &FilePlan) -> Result<(), Fault> {
    let changes = file.changes.iter().map(|change| change.site);
    let skips = file.skips.iter().map(|skip| skip.site);
    let undecided = file.undecided.iter().map(|assumed| assumed.site);
    let mut decided: Vec<usize> = changes.chain(skips).chain(undecided).collect();
    decided.sort_unstable();
    let all: Vec<usize> = (0..file.sites.len()).collect();
    hold("every site is decided once", decided == all, || {
        format!("{decided:?} of {all:?}")
    })
}

/// What a reference has to become, when a rule maps it.
pub(crate) fn expected(reference: &str, registry: usize) -> Option<String> {
    // An action may stand for the tag.
    let end = reference.find(":{").unwrap_or(reference.len());
    let (name, tag) = reference.split_at(end);
    let expected = ecr::expected(name)?;
    Some(expected.replace(REGISTRY, REGISTRIES[registry]) + tag)
}

/// Bytes outside of the edits stay, and an independent parser sees images that became what they should
/// be, and nothing else.
fn only_what_is_planned_changes(file: &FilePlan, registry: usize) -> Result<Seen, Fault> {
    let (Some(after), before) = (&file.after, &file.source.text) else {
        return Ok(Seen::default());
    };
    let outside = bytes_outside_are_equal(file, after);
    hold("bytes outside of the edits stay", outside, || after.clone())?;
    let (Some(old), new) = (values(before), values(after)) else {
        return Ok(Seen::default());
    };
    let property = "an independent parser sees only planned changes";
    let Some(new) = new else {
        return hold(property, false, || format!("it cannot read {after}"))
            .map(|()| Seen::default());
    };
    let fault = |what| Fault { property, what };
    for difference in differences(&old, &new).map_err(fault)? {
        let Difference { before, after, .. } = &difference;
        let is_planned = file.changes.iter().any(|change| {
            let mut scalars = change.scalars.iter();
            let holds = |from: &str, to: &str| before.contains(from) && after.contains(to);
            scalars.any(|scalar| holds(&scalar.from, &scalar.to)) || holds("", &change.to)
        });
        hold(property, is_planned, || {
            format!("not planned: {difference:?}")
        })?;
        let right = is_right(&difference, file, registry);
        hold(
            "changes are images, and become what they should",
            right,
            || format!("{difference:?}"),
        )?;
    }
    Ok(Seen {
        compared: 1,
        ..Seen::default()
    })
}

/// Whether a text that differs is an image in ECR, a text that the parser cannot read and that holds some,
/// or one of the parts that make one; those are judged by what they are rendered to.
fn is_right(difference: &Difference, file: &FilePlan, registry: usize) -> bool {
    let Difference {
        path,
        before,
        after,
    } = difference;
    let key = path
        .rsplit(['.', '|'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let is_part = matches!(
        key.as_str(),
        "registry" | "repository" | "hub" | "name" | "newname"
    );
    let is_parameter = path.ends_with(".parameters[].value");
    if is_part
        || is_parameter
        || key.contains("image") && expected(before, registry).as_ref() == Some(after)
    {
        return true;
    }
    let are_values = path.ends_with(".values");
    let holds_documents = are_values || path.contains(".data.") && before.contains("image");
    let scalars = file.changes.iter().flat_map(|change| &change.scalars);
    let mut scalars: Vec<_> = scalars.collect();
    // A reference may begin as another one does.
    scalars.sort_by_key(|scalar| std::cmp::Reverse(scalar.to.len()));
    let mut back = [before.clone(), after.clone()];
    let all_right = scalars.iter().all(|scalar| {
        back = back
            .each_ref()
            .map(|text| text.replace(&scalar.to, &scalar.from));
        are_values || expected(&scalar.from, registry).as_ref() == Some(&scalar.to)
    });
    // A placeholder may have needed quotes.
    let [before, after] = back.map(|text| text.replace(['"', '\''], ""));
    holds_documents && all_right && before == after
}

/// The images of the containers of a document.
fn images(document: &Value, found: &mut Vec<String>) {
    let kind = document.get("kind").and_then(Value::as_str);
    if document.get("apiVersion").and_then(Value::as_str).is_none() {
        return;
    }
    let spec = match kind {
        Some("Pod") => document.get("spec"),
        Some("Deployment") => document
            .get("spec")
            .and_then(|it| it.get("template")?.get("spec")),
        Some("List") => {
            let items = document.get("items").and_then(Value::as_sequence);
            items
                .into_iter()
                .flatten()
                .for_each(|item| images(item, found));
            None
        }
        _ => None,
    };
    for list in ["initContainers", "containers"] {
        let list = spec.and_then(|spec| spec.get(list)?.as_sequence());
        let images = list
            .into_iter()
            .flatten()
            .filter_map(|item| item.get("image")?.as_str());
        found.extend(images.map(ToString::to_string));
    }
}

/// Every image that an independent reader finds and a rule maps is in ECR afterwards, or has a reason.
fn every_image_is_accounted_for(file: &File, plan: &Plan, registry: usize) -> Result<usize, Fault> {
    // To the independent reader, which reads YAML 1.1, these are line ends.
    let breaks = ['\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = file.text.lines();
    let is_broken = lines.any(|line| line.contains(breaks) && !line.contains('#'));
    let documents = values(&file.text).filter(|_| !is_broken);
    let Some(documents) = documents else {
        return Ok(0);
    };
    let mut found = Vec::new();
    documents
        .iter()
        .for_each(|document| images(document, &mut found));
    let planned = plan
        .files
        .iter()
        .find(|planned| planned.source.path == Path::new(&file.path));
    for image in &found {
        if expected(image, registry).is_none() {
            continue;
        }
        let mut sites = planned.iter().flat_map(|planned| &planned.sites);
        // A block scalar that ends with the file ends with a line for one engine and not for the other.
        let known = sites.any(|site| site.text() == image || site.text() == format!("{image}\n"));
        // The independent reader takes the second anchor of a name for the third one.
        let known = known || file.text.matches("&i ").count() > 2;
        hold("every image is in ECR or has a reason", known, || {
            format!("{image} is not known")
        })?;
    }
    Ok(found.len())
}

/// Of every group, all that is not in ECR changes, or nothing does.
pub(crate) fn groups_are_whole(plan: &Plan) -> Result<(), Fault> {
    for (index, group) in plan.groups.iter().enumerate() {
        let (mut changed, mut stays) = (Vec::new(), Vec::new());
        for file in &plan.files {
            let in_group = |site: &usize| {
                file.groups
                    .get(site)
                    .is_some_and(|groups| groups.contains(&index))
            };
            let of_change = file.changes.iter().filter(|change| in_group(&change.site));
            changed.extend(of_change.map(|change| change.from.clone()));
            let is_done =
                |reason| matches!(reason, Reason::AlreadyEcr | Reason::KustomizePlaceholder);
            let skips = file
                .skips
                .iter()
                .filter(|skip| in_group(&skip.site) && !is_done(skip.reason));
            stays.extend(skips.map(|skip| format!("{}: {}", skip.reason, skip.detail)));
            let assumed = file
                .undecided
                .iter()
                .filter(|assumed| in_group(&assumed.site));
            stays.extend(assumed.map(|assumed| assumed.from.clone()));
        }
        let is_whole = changed.is_empty() || stays.is_empty();
        hold("a group changes as a whole or not at all", is_whole, || {
            format!("{}: {changed:?} change, {stays:?} stay", group.label)
        })?;
    }
    Ok(())
}

/// What is rendered is as it was, or in ECR as a whole.
pub(crate) fn renderings_are_right(
    property: &'static str,
    before: &Renderings,
    after: &Renderings,
    (plan, registry): (&Plan, usize),
) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    // An entry that somebody left behind when its image moved names it again: what it says counts again.
    let heals = plan.changes().any(|(_, change)| change.heals);
    let is_healed = |old: &str| heals && old.contains(".dkr.ecr.");
    for (name, images) in before {
        let Some(images) = images else { continue };
        let Some(rendered) = after.get(name).and_then(Option::as_ref) else {
            return hold(property, false, || {
                format!("{name} cannot be rendered any more")
            })
            .map(|()| seen);
        };
        let pairs = images.iter().zip(rendered);
        let is_right = |(old, new): (&String, &String)| {
            // A tag that a block scalar ends with a line end keeps it, and what a template puts behind.
            let [whole, moved] = [old, new].map(|text| text.trim_end());
            old == new || expected(whole, registry).as_deref() == Some(moved) || is_healed(old)
        };
        let all_right = images.len() == rendered.len() && pairs.clone().all(is_right);
        hold(property, all_right, || {
            format!("{name}: {images:?} becomes {rendered:?}")
        })?;
        seen.rendered += images.len();
        seen.moved += pairs.filter(|(old, new)| old != new).count();
    }
    Ok(seen)
}

/// Every property of a repository: those of its files, and that what it deploys is right, whichever file
/// cannot be written.
pub(crate) fn check_repository(case: &Case) -> Result<Seen, Fault> {
    let seen = check(case)?;
    let with = rules(case.registry, default_rules());
    let mut plan = plan_of(&case.files, &with);
    let before = renderings::of(&case.files);
    let after = renderings::of(&files_after(&case.files, &plan));
    let property = "what is deployed is as it was, or in ECR";
    let seen = seen.and(renderings_are_right(
        property,
        &before,
        &after,
        (&plan, case.registry),
    )?);
    let changed = (0..plan.files.len()).filter(|file| plan.files[*file].after.is_some());
    let changed: Vec<usize> = changed.collect();
    if changed.is_empty() {
        return Ok(seen);
    }
    let left = changed[case.size() % changed.len()];
    plan.withdraw(left, "it cannot be written");
    groups_are_whole(&plan)?;
    no_defect(&plan)?;
    let after = renderings::of(&files_after(&case.files, &plan));
    let property = "what is deployed is right when a file cannot be written";
    renderings_are_right(property, &before, &after, (&plan, case.registry))?;
    Ok(seen)
}

fn the_diff_is_what_is_written(case: &Case, plan: &Plan, after: &[File]) -> Result<(), Fault> {
    let findings = findings::find(plan, &Levels::default());
    let report = Report {
        plan,
        findings: &findings,
        failures: &[],
        mode: Mode::DryRun,
        home: Home {
            current: Path::new(HOME),
            root: Path::new(HOME),
        },
    };
    let mut out = Vec::new();
    let diff = FORMATS.iter().find(|format| format.word == "diff").unwrap();
    diff.render(&report, Color::Off, &mut out).unwrap();
    let diff = String::from_utf8(out).unwrap();
    for (before, after) in case.files.iter().zip(after) {
        let applied = patch::applied(&diff, &before.path, &before.text);
        hold(
            "the printed diff, applied, is what is written",
            applied.as_ref() == Some(&after.text),
            || format!("{diff}\ngives {applied:?}"),
        )?;
    }
    Ok(())
}
