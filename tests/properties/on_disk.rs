//! Generated repositories, written: while others write, and where one file cannot be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecr_rewrite::plan::Plan;
use ecr_rewrite::rules::default_rules;
use ecr_rewrite::source;
use ecr_rewrite::write::{Stop, write};

use super::case::{Case, Fault, File, hold};
use super::common::{contents, put, scratch};
use super::properties::{Seen, nothing_changes, planned, renderings_are_right, rules};
use super::renderings;

/// What the program would read of the folder now.
fn plan_of(folder: &Path, case: &Case) -> Plan {
    let real = folder.canonicalize().unwrap();
    let sources = case.files.iter().map(|file| {
        let path = PathBuf::from(&file.path);
        let source = source::read(path.clone(), real.join(&path), 1 << 20).unwrap();
        (path, source)
    });
    planned(sources.collect(), &rules(case.registry, default_rules()))
}

fn files(folder: &Path) -> Vec<File> {
    let found = contents(folder).into_iter();
    found
        .map(|(path, bytes)| File::new(path.to_str().unwrap(), String::from_utf8(bytes).unwrap()))
        .collect()
}

/// Somebody changes a file between reading and writing: it stays with its groups, all else is written, and the
/// next run does the rest.
pub(crate) fn check(case: &Case) -> Result<Seen, Fault> {
    let folder = scratch();
    let folder = folder.path();
    for file in &case.files {
        put(folder, &file.path, file.text.as_bytes());
    }
    let before = renderings::of(&case.files);
    let mut plan = plan_of(folder, case);
    let wanted: BTreeMap<String, String> = plan
        .files
        .iter()
        .filter_map(|file| Some((file.source.path.to_str()?.to_string(), file.after.clone()?)))
        .collect();
    let Some(theirs) = wanted.keys().nth(case.size() % wanted.len().max(1)) else {
        return Ok(Seen::default());
    };
    let old = case.files.iter().find(|file| file.path == *theirs).unwrap();
    let touched = format!("{}\n# somebody was here\n", old.text);
    put(folder, theirs, touched.as_bytes());
    let written = write(&mut plan, &Stop::default());
    let after = files(folder);
    let is_theirs = after
        .iter()
        .any(|file| file.path == *theirs && file.text == touched);
    hold("what somebody changed stays", is_theirs, || theirs.clone())?;
    hold(
        "one file could not be written",
        written.failures.len() == 1,
        || format!("{:?}", written.failures),
    )?;
    let same = after.len() == case.files.len();
    hold("no temporary file stays", same, || {
        format!("{:?}", after.len())
    })?;
    for file in &after {
        let old = case.files.iter().find(|old| old.path == file.path).unwrap();
        let planned = plan
            .files
            .iter()
            .find(|planned| planned.source.path == Path::new(&file.path));
        let new = planned.and_then(|planned| planned.after.as_deref());
        let is_whole = file.path == *theirs || file.text == new.unwrap_or(&old.text);
        hold(
            "every file is as it was or as the plan says",
            is_whole,
            || file.path.clone(),
        )?;
    }
    // A block scalar may have ended with the file: then the comment is a part of it.
    let now: Vec<File> = after
        .iter()
        .map(|file| {
            if file.path == *theirs {
                old.clone()
            } else {
                file.clone()
            }
        })
        .collect();
    let property = "what is deployed is right when a file could not be written";
    let seen = renderings_are_right(
        property,
        &before,
        &renderings::of(&now),
        (&plan, case.registry),
    )?;
    put(folder, theirs, old.text.as_bytes());
    let mut next = plan_of(folder, case);
    let rest = write(&mut next, &Stop::default());
    hold(
        "the next run writes the rest",
        rest.failures.is_empty(),
        || format!("{:?}", rest.failures),
    )?;
    nothing_changes("afterwards nothing is left to do", &plan_of(folder, case))?;
    let last = renderings::of(&files(folder));
    let property = "what is deployed is right in the end";
    // The last run may have healed what the first one left behind.
    let heals = next.changes().any(|(_, change)| change.heals);
    let plan = if heals { &next } else { &plan };
    renderings_are_right(property, &before, &last, (plan, case.registry))?;
    Ok(Seen { changed: 1, ..seen })
}
