//! Kustomizations, built by the real kustomize before and after a run: nothing differs but references,
//! each of which has become what the rules make of it, with its tag and its digest, and whatever stays
//! although a rule maps it is reported.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![allow(unreachable_pub)] // modules of one test

mod common;
#[path = "kustomize_build/judge.rs"]
mod judge;
#[path = "kustomize_build/kustomize.rs"]
mod kustomize;
#[path = "kustomize_build/matrix.rs"]
mod matrix;
#[path = "kustomize_build/proof.rs"]
mod proof;
#[path = "kustomize_build/report.rs"]
mod report;
#[path = "kustomize_build/taken.rs"]
mod taken;
#[path = "kustomize_build/trial.rs"]
mod trial;
#[path = "kustomize_build/wrong.rs"]
mod wrong;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::nobody::nobody_can_run;
use common::{contents, copy, run};
use kustomize::Kustomize;
use matrix::{Case, Entry, Feature, Names};
use proof::{Account, Proof};
use rayon::prelude::*;
use report::{Report, TARGET};
use taken::Kustomizations;
use trial::{HOLDS, Held, Trial};

/// Judges a rewrite of the whole of `folder`.
fn proof_of(kustomize: &Kustomize, folder: &Path) -> Proof {
    let work = tempfile::tempdir().unwrap();
    let (before, after) = (work.path().join("before"), work.path().join("after"));
    for copied in [&before, &after] {
        copy(folder, copied);
        fs::create_dir_all(copied.join(".git")).unwrap();
    }
    let kustomizations = Kustomizations::of(&before);
    if kustomizations.all.is_empty() {
        return Proof::default();
    }
    let report = Report::of(&before, &["."]);
    let (_, _, talk) = run(&after, &[&["."], TARGET].concat());
    let builds = (
        proof::build(kustomize, &before, &kustomizations),
        proof::build(kustomize, &after, &kustomizations),
    );
    let account = Account {
        report: &report,
        held: None,
        may_be_silent: false,
    };
    let mut proof = Proof::of(&after, &kustomizations, (&builds.0, &builds.1), &account);
    let (written, name) = (contents(&after), folder.display());
    run(&after, &[&["."], TARGET].concat());
    if contents(&after) != written {
        proof.faults.push("a second run changes something".into());
    }
    for fault in &mut proof.faults {
        *fault = format!("{name}: {fault}\n{talk}");
    }
    proof
}

/// Judges each of these folders, prints a table, and fails when anything is wrong.
fn judge_all(kustomize: &Kustomize, folders: &[PathBuf]) -> Proof {
    let mut all = Proof::default();
    let proofs: Vec<Proof> = folders
        .par_iter()
        .map(|folder| proof_of(kustomize, folder))
        .collect();
    proofs.into_iter().for_each(|proof| all.add(proof));
    println!("{}", all.table());
    let what = all.not_built.iter();
    for (reason, what) in what.filter(|(reason, _)| !EXPECTED.contains(reason)) {
        what.iter()
            .for_each(|what| println!("not built, {reason}: {what}"));
    }
    assert!(
        all.faults.is_empty(),
        "{} faults:\n{}",
        all.faults.len(),
        all.faults.join("\n")
    );
    all
}

/// Reasons for building nothing that need no look.
const EXPECTED: &[&str] = &["remote", "needs helm", "needs a plugin", "a component"];

fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn the_cases_of_testdata_build_the_same() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    let cases = folders_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"));
    let inputs = cases.iter().map(|case| case.join("in"));
    let inputs: Vec<PathBuf> = inputs.filter(|input| input.is_dir()).collect();
    let proof = judge_all(&kustomize, &inputs);
    assert!(
        proof.compared >= 5,
        "only {} kustomizations can be built",
        proof.compared
    );
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_corpus_builds_the_same() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    let proof = judge_all(&kustomize, &folders_of(&common::corpus()));
    assert!(
        proof.compared >= 150,
        "only {} kustomizations can be built",
        proof.compared
    );
}

/// How many trees of each kind of entry have to be rewritten whole: every image that a rule maps is
/// in ECR in everything that is deployed.
const MUST_CHANGE: &[(&str, usize)] = &[
    ("none", 30),
    ("newTag", 49),
    ("newName", 70),
    ("newName+newTag", 70),
    ("digest", 50),
];

/// How far trees were rewritten.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    whole: usize,
    partly: usize,
    not: usize,
}

impl Extent {
    fn count(&mut self, (changed, kept): (usize, usize)) {
        match (changed, kept) {
            (_, 0) => self.whole += 1,
            (0, _) => self.not += 1,
            _ => self.partly += 1,
        }
    }

    fn row(self, name: &str) -> String {
        let Self { whole, partly, not } = self;
        format!("| {name} | {whole} | {partly} | {not} |")
    }
}

/// Fails with a line for every tree that is wrong, and the first of them whole.
fn fail_if_any(faults: &[String]) {
    let heads = faults.iter().map(|fault| {
        let lines: Vec<&str> = fault.lines().take(2).collect();
        lines.join("\n    ")
    });
    let heads: Vec<String> = heads.collect();
    assert!(
        faults.is_empty(),
        "{} trees are wrong:\n{}\n\n{}",
        faults.len(),
        heads.join("\n"),
        faults[..faults.len().min(SHOWN)].join("\n")
    );
}

/// As many trees are printed whole.
const SHOWN: usize = 3;

#[test]
fn generated_trees_build_the_same() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    let nobody = nobody_can_run();
    let cases = matrix::cases();
    assert!(cases.len() >= 300, "{}", cases.len());
    let tried: Vec<Tried> = cases
        .par_iter()
        .map(|case| Tried::of(&kustomize, case, nobody))
        .collect();
    let (mut whole, mut held, mut count) = (Proof::default(), Proof::default(), 0);
    let mut extents: [BTreeMap<&str, Extent>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for (case, tried) in cases.iter().zip(tried) {
        for (extents, name) in extents
            .iter_mut()
            .zip([case.entry.text(), case.feature.text()])
        {
            extents.entry(name).or_default().count(tried.whole.roots);
        }
        whole.add(tried.whole);
        held.add(tried.held);
        count += tried.count;
    }
    println!("{} trees\n{}", cases.len(), whole.table());
    println!("{count} trees with a file out of reach\n{}", held.table());
    println!("| trees | whole | partly | not |\n|---|---|---|---|");
    for (name, extent) in extents.iter().flatten() {
        println!("{}", extent.row(name));
    }
    fail_if_any(&[whole.faults, held.faults].concat());
    for (entry, wanted) in MUST_CHANGE {
        let whole = extents[0][entry].whole;
        assert!(
            whole >= *wanted,
            "only {whole} trees with {entry} are rewritten whole"
        );
    }
}

/// What became of a tree.
struct Tried {
    whole: Proof,
    /// With a file out of reach, so many times.
    held: Proof,
    count: usize,
}

impl Tried {
    /// Every tree twice with a file out of reach, so that each kind of file meets each way.
    fn of(kustomize: &Kustomize, case: &Case, nobody: bool) -> Self {
        let trial = Trial::new(kustomize, case);
        let (mut held, mut count) = (Proof::default(), 0);
        let members = trial.members();
        for turn in [case.number, case.number + members.len() / 2] {
            let how = HOLDS[(turn / members.len() + turn) % HOLDS.len()];
            if nobody || !matches!(how, Held::ReadOnly) {
                held.add(trial.without(members[turn % members.len()], how));
                count += 1;
            }
        }
        Self {
            whole: trial.whole(),
            held,
            count,
        }
    }
}

#[test]
fn a_base_alone_stays_and_the_overlay_is_named() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    // One spelling, and nothing but the image that the overlays name.
    let simple = |case: &&Case| {
        let spelled = matches!(case.names, Names::Bare | Names::Host | Names::Library);
        case.feature == Feature::Plain && spelled && !case.has_more()
    };
    let named = |case: &&Case| matches!(case.entry, Entry::NewTag | Entry::Digest);
    let cases = matrix::cases();
    let cases: Vec<&Case> = cases.iter().filter(simple).filter(named).collect();
    assert!(cases.len() >= 10, "{}", cases.len());
    let mut proof = Proof::default();
    for case in cases {
        let trial = Trial::new(&kustomize, case);
        proof.add(trial.given(&["base0"], "overlays/l"));
    }
    fail_if_any(&proof.faults);
    assert_eq!(proof.changed, 0);
}
