//! The program over real repositories: nothing panics, nothing but the planned scalars changes, and
//! the printed diff is what is written.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use common::judge::{bytes_outside_are_equal, differences, planned_scalars, values};
use common::{REGISTRY, contents, copy, corpus, git_apply, run};
use ecr_rewrite::helm::NoCharts;
use ecr_rewrite::link::link;
use ecr_rewrite::plan::{Options, Plan, plan};
use ecr_rewrite::rules::{EcrHost, RuleSet, default_rules};
use ecr_rewrite::scan::{self, ScannedFile};
use ecr_rewrite::source;
use ecr_rewrite::walk::{self, walk};

const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];

/// A copy of the corpus in a folder of its own, which is a repository for git.
fn working_copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&corpus(), folder.path());
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

/// The plan that the program makes of `folder`.
fn planned(folder: &Path) -> Plan {
    let real = folder.canonicalize().unwrap();
    let options = walk::Options {
        paths: vec![real.clone()],
        ..walk::Options::default()
    };
    let walked = walk(&options, &real).unwrap().files;
    let mut scanned: Vec<ScannedFile> = walked
        .into_iter()
        .filter_map(|file| {
            let source = source::read(file.path, file.real, 10 << 20).ok()?;
            Some(ScannedFile::new(
                source,
                file.role,
                &scan::Options::default(),
            ))
        })
        .collect();
    let links = link(&mut scanned);
    let registry = EcrHost::parse(REGISTRY).unwrap();
    let rules = Arc::new(RuleSet::new(Some(registry), default_rules()).0);
    plan(
        scanned,
        links,
        &|_| Arc::clone(&rules),
        &NoCharts,
        &Options::default(),
    )
}

fn print_table(plan: &Plan, seconds: f64) {
    let changed = plan
        .files
        .iter()
        .filter(|file| file.after.is_some())
        .count();
    let sites: usize = plan.files.iter().map(|file| file.sites.len()).sum();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, skip) in plan.skips() {
        *reasons.entry(skip.reason.code()).or_default() += 1;
    }
    println!("| what | count |\n|---|---|");
    println!(
        "| files | {} |\n| documents parsed | {} |",
        plan.counts.files, plan.counts.documents
    );
    println!("| templates not read | {} |", plan.counts.unparsed);
    println!(
        "| sites | {sites} |\n| changes | {} in {changed} files |",
        plan.changes().count()
    );
    for (reason, count) in reasons {
        println!("| skipped: {reason} | {count} |");
    }
    let mut assumptions: BTreeMap<&str, usize> = BTreeMap::new();
    let mut in_parts = 0;
    for (_, assumed) in plan.undecided() {
        *assumptions.entry(assumed.assumption.code()).or_default() += 1;
    }
    for (file, change) in plan.changes() {
        in_parts += usize::from(file.sites[change.site].parts().is_some());
    }
    println!("| changes in Helm values | {in_parts} |");
    for (code, count) in assumptions {
        println!("| assumed: {code} | {count} |");
    }
    println!(
        "| failures | {} |\n| seconds | {seconds:.1} |",
        plan.failures.len()
    );
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_plan_changes_the_planned_scalars_and_nothing_else() {
    let folder = working_copy();
    let started = Instant::now();
    let plan = planned(folder.path());
    print_table(&plan, started.elapsed().as_secs_f64());
    assert!(
        plan.changes().count() > 200,
        "the corpus has lost its images"
    );
    for failure in &plan.failures {
        assert!(
            failure.message.contains("is not YAML"),
            "{}: {}",
            failure.path.display(),
            failure.message
        );
    }
    let (mut parsed, mut templates, mut unparsed) = (0, 0, 0);
    for file in &plan.files {
        let Some(after) = &file.after else { continue };
        assert!(
            bytes_outside_are_equal(file, after),
            "{}",
            file.source.path.display()
        );
        let wanted = planned_scalars(file);
        match (values(&file.source.text), values(after)) {
            (Some(before), Some(after)) => {
                let differences = differences(&before, &after)
                    .unwrap_or_else(|what| panic!("{}: {what}", file.source.path.display()));
                let differences = differences.into_iter();
                let differences = differences.map(|it| (it.before, it.after)).collect();
                let unexplained = unexplained(differences, wanted);
                assert_eq!(unexplained, [], "{}", file.source.path.display());
                parsed += 1;
            }
            (Some(_), None) => panic!("{} is not YAML any more", file.source.path.display()),
            // What these become is judged by Helm (tests/helm_render.rs).
            (None, _) if file.source.text.contains("{{") || file.source.text.contains("{%") => {
                templates += 1;
            }
            (None, _) => unparsed += 1,
        }
    }
    println!(
        "| changed files that serde_yaml compared | {parsed} |\n| … and could not read before | {unparsed} |\n| … and are templates | {templates} |"
    );
    assert!(parsed > 200 && unparsed < 5);
}

/// What is left of the differences once those are taken out that the plan wants, and of what it wants: a
/// text may differ in several pieces.
fn unexplained(
    differences: Vec<(String, String)>,
    mut wanted: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let mut left = Vec::new();
    for difference in differences {
        match wanted.iter().position(|wanted| *wanted == difference) {
            Some(at) => drop(wanted.remove(at)),
            None => left.push(difference),
        }
    }
    left.retain(|(before, after)| {
        let (mut text, mut rest) = (String::new(), before.as_str());
        wanted.retain(|(from, to)| {
            let Some(at) = rest.find(from) else {
                return true;
            };
            let next = format!("{text}{}{to}", &rest[..at]);
            let fits = after.starts_with(&next);
            if fits {
                (text, rest) = (next, &rest[at + from.len()..]);
            }
            !fits
        });
        text + rest != *after
    });
    left.extend(wanted);
    left
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_diff_is_what_is_written_and_a_second_run_finds_nothing() {
    let (patched, written) = (working_copy(), working_copy());
    let before = contents(patched.path());
    let modes = modes(written.path());

    let dry: Vec<&str> = [".", "--dry-run"].iter().chain(&TARGET).copied().collect();
    let (code, diff, _) = run(patched.path(), &dry);
    assert_eq!(code, 2, "the corpus has a file that is not YAML");
    assert_eq!(
        contents(patched.path()),
        before,
        "--dry-run wrote something"
    );
    let applied = git_apply(patched.path(), &diff);
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );

    let write: Vec<&str> = ["."].iter().chain(&TARGET).copied().collect();
    let (code, output, talk) = run(written.path(), &write);
    assert_eq!((code, output.as_str()), (2, ""), "{talk}");
    println!("{talk}");
    let after = contents(written.path());
    let patched = contents(patched.path());
    let differing: Vec<&PathBuf> = after
        .keys()
        .chain(patched.keys())
        .filter(|path| after.get(*path) != patched.get(*path))
        .collect();
    assert!(
        differing.is_empty(),
        "the applied diff differs from what was written: {differing:?}"
    );
    assert!(after != before);
    assert_eq!(self::modes(written.path()), modes, "permissions changed");

    let (_, again, _) = run(written.path(), &dry);
    assert_eq!(again, "", "a second run finds something to do");
    run(written.path(), &write);
    assert!(
        contents(written.path()) == after,
        "a second run changed something"
    );
}

#[cfg(unix)]
fn modes(folder: &Path) -> BTreeMap<PathBuf, u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &PathBuf| {
        fs::metadata(folder.join(path))
            .unwrap()
            .permissions()
            .mode()
    };
    contents(folder)
        .into_keys()
        .map(|path| (path.clone(), mode(&path)))
        .collect()
}

#[cfg(not(unix))]
fn modes(_folder: &Path) -> BTreeMap<PathBuf, u32> {
    BTreeMap::new()
}
