//! A generated tree and what becomes of it: the whole of it rewritten, and again with one file held
//! back, in each of the ways in which a file can be out of reach.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::common::nobody::as_nobody;
use super::common::{contents, put, run};
use super::kustomize::Kustomize;
use super::matrix::{Case, Files, REMOTE, REPO, STUB};
use super::proof::{Account, Builds, Proof, build, unified};
use super::report::{Report, TARGET};
use super::taken::Kustomizations;

/// How a file is out of reach.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    /// `--exclude`.
    Excluded,
    /// All other files are given.
    LeftOut,
    /// It has another name on the disk.
    Linked,
    /// It may not be written.
    ReadOnly,
}

/// The other name of a linked file, outside of the repository.
const ANOTHER_NAME: &str = "another-name";
/// Each of them.
pub const HOLDS: &[Held] = &[Held::Excluded, Held::LeftOut, Held::Linked, Held::ReadOnly];

/// A tree, and what is built of it before.
pub struct Trial<'k> {
    kustomize: &'k Kustomize,
    name: String,
    may_be_silent: bool,
    /// Everything that there is before.
    pub files: Files,
    kustomizations: Kustomizations,
    before: Builds,
    /// What a run on the whole of it says.
    pub report: Report,
}

/// What a run did.
struct Run {
    files: Files,
    exit: i32,
    talk: String,
}

impl<'k> Trial<'k> {
    pub fn new(kustomize: &'k Kustomize, case: &Case) -> Self {
        let (name, files) = (case.name(), case.files());
        let view = view(&files);
        let root = view.path().join(REPO);
        let kustomizations = Kustomizations::of(&root);
        let before = build(kustomize, &root, &kustomizations);
        let report = Report::of(&work(&files).path().join(REPO), &["."]);
        Self {
            kustomize,
            name,
            may_be_silent: case.feature.may_be_silent(),
            files,
            kustomizations,
            before,
            report,
        }
    }

    /// The whole tree is rewritten.
    pub fn whole(&self) -> Proof {
        let work = work(&self.files);
        let first = rewrite(work.path(), &["."]);
        let account = Account {
            report: &self.report,
            held: None,
            may_be_silent: self.may_be_silent,
        };
        let mut faults = Vec::new();
        if first.exit != 0 {
            faults.push(format!("exit {}", first.exit));
        }
        let second = rewrite(work.path(), &["."]);
        if second.files != first.files {
            let again = difference(&first.files, &second.files);
            faults.push(format!("a second run changes something:\n{again}"));
        }
        let proof = self.judge(first, &account, faults, "");
        for (reason, what) in &proof.not_built {
            assert!(*reason == "a component", "{}: {what:?}", self.name);
        }
        proof
    }

    /// Only these paths are rewritten, which is nothing, and `missing` is what is said to be missing.
    pub fn given(&self, paths: &[&str], missing: &str) -> Proof {
        let work = work(&self.files);
        let report = Report::of(&work.path().join(REPO), paths);
        let run = rewrite(work.path(), paths);
        let mut faults = Vec::new();
        if run.files != self.files {
            faults.push("something changes".to_string());
        }
        if !run.talk.contains(missing) {
            faults.push(format!("{missing} is not named"));
        }
        let account = Account {
            report: &report,
            held: None,
            may_be_silent: false,
        };
        self.judge(run, &account, faults, &format!(" (given: {paths:?})"))
    }

    /// What the judge has to say if these were the files afterwards, and this the report.
    pub fn if_it_were(&self, files: Files, report: &Report) -> Proof {
        let account = Account {
            report,
            held: None,
            may_be_silent: false,
        };
        let run = Run {
            files,
            exit: 0,
            talk: String::new(),
        };
        self.judge(run, &account, Vec::new(), "")
    }

    /// The files that can be held back.
    pub fn members(&self) -> Vec<&str> {
        let paths = self.files.keys();
        paths.filter_map(|path| path.strip_prefix(REPO)).collect()
    }

    /// The tree is rewritten but for one file, which may be out of reach: what hangs together with it
    /// stays, and everything is built as before.
    pub fn without(&self, member: &str, held: Held) -> Proof {
        let work = work(&self.files);
        let repo = work.path().join(REPO);
        let exclude = format!("/{member}");
        let arguments: Vec<&str> = match held {
            Held::Excluded => vec![".", "--exclude", &exclude],
            Held::LeftOut => self
                .members()
                .into_iter()
                .filter(|path| *path != member)
                .collect(),
            Held::Linked | Held::ReadOnly => vec!["."],
        };
        if matches!(held, Held::Linked) {
            fs::hard_link(repo.join(member), work.path().join(ANOTHER_NAME)).unwrap();
        }
        let report = Report::of(&repo, &arguments);
        let run = match held {
            Held::ReadOnly => rewrite_read_only(work.path(), member),
            _ => rewrite(work.path(), &arguments),
        };
        let mut faults = Vec::new();
        let place = format!("{REPO}{member}");
        if run.files[&place] != self.files[&place] {
            faults.push(format!("{member} changed"));
        }
        let refused = run.exit == 2 && run.talk.contains(member);
        if run.exit != 0 && !(matches!(held, Held::ReadOnly | Held::Linked) && refused) {
            faults.push(format!("exit {}", run.exit));
        }
        let is_silent = match held {
            Held::Excluded | Held::LeftOut => false,
            Held::Linked => true,
            Held::ReadOnly => !refused,
        };
        if !matches!(held, Held::ReadOnly) {
            faults.extend(report.moves_alone(&self.report, Path::new(member)));
        }
        let account = Account {
            report: &report,
            held: (!is_silent).then_some(Path::new(member)),
            // That a file cannot be written shows only in the writing.
            may_be_silent: self.may_be_silent || matches!(held, Held::ReadOnly),
        };
        self.judge(run, &account, faults, &format!(" ({held:?}: {member})"))
    }

    /// What is built of other files, of everything or only of what is deployed. Where nothing that goes
    /// into it is another, it is what it was.
    fn built(&self, files: &Files, deployed: bool) -> (TempDir, Builds) {
        let view = view(files);
        let root = view.path().join(REPO);
        let is_equal = |path: &PathBuf| {
            let path = format!("{REPO}{}", path.display());
            files.get(&path) == self.files.get(&path)
        };
        let all = self.kustomizations.all.iter();
        let wanted = all.filter(|(folder, _)| !deployed || self.kustomizations.is_root(folder));
        let builds = wanted.map(|(folder, taken)| {
            let built = if taken.files.iter().all(is_equal) {
                self.before[folder].clone()
            } else {
                self.kustomize.build(&root.join(folder))
            };
            (folder.clone(), built)
        });
        let builds = builds.collect();
        (view, builds)
    }

    fn judge(&self, mut run: Run, account: &Account, faults: Vec<String>, how: &str) -> Proof {
        let remote = self.files.iter().filter(|(path, _)| path.starts_with(STUB));
        run.files
            .extend(remote.map(|(path, text)| (path.clone(), text.clone())));
        let (view, builds) = self.built(&run.files, !how.is_empty());
        let root = view.path().join(REPO);
        let mut proof = Proof::of(
            &root,
            &self.kustomizations,
            (&self.before, &builds),
            account,
        );
        proof.faults.extend(faults);
        if !proof.faults.is_empty() {
            let faults = proof.faults.join("\n");
            let (tree, difference) = (print(&self.files), difference(&self.files, &run.files));
            proof.faults = vec![format!(
                "== {}{how}\n{faults}\n-- the tree\n{tree}-- the change\n{difference}\n{}",
                self.name, run.talk
            )];
        }
        proof
    }
}

/// The files as kustomize gets them: what is remote for the program lies beside the repository.
fn view(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(
            folder.path(),
            path,
            text.replace(REMOTE.0, REMOTE.1).as_bytes(),
        );
    }
    folder
}

/// The files as the program gets them.
fn work(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(REPO).join(".git")).unwrap();
    let seen = files.iter().filter(|(path, _)| !path.starts_with(STUB));
    seen.for_each(|(path, text)| put(folder.path(), path, text.as_bytes()));
    folder
}

fn rewrite(work: &Path, arguments: &[&str]) -> Run {
    let arguments = [arguments, &["-v"], TARGET].concat();
    let (exit, _, talk) = run(&work.join(REPO), &arguments);
    Run {
        files: read(work),
        exit,
        talk,
    }
}

/// Runs as somebody who may write everything but one file.
fn rewrite_read_only(work: &Path, member: &str) -> Run {
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for entry in walkdir::WalkDir::new(work).into_iter().map(Result::unwrap) {
        mode(
            entry.path(),
            if entry.file_type().is_dir() {
                0o777
            } else {
                0o666
            },
        );
    }
    mode(&work.join(REPO).join(member), 0o444);
    let output = as_nobody(Path::new(env!("CARGO_BIN_EXE_ecr-rewrite")))
        .args([&[".", "-v"], TARGET].concat())
        .current_dir(work.join(REPO))
        .output()
        .unwrap();
    Run {
        files: read(work),
        exit: output.status.code().unwrap_or(-1),
        talk: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn read(work: &Path) -> Files {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let files = contents(work).into_iter();
    let mut files: Files = files
        .map(|(path, bytes)| (path.to_str().unwrap().to_string(), text(bytes)))
        .collect();
    files.remove(ANOTHER_NAME);
    files
}

fn print(files: &Files) -> String {
    let files = files.iter().map(|(path, text)| format!("# {path}\n{text}"));
    files.collect::<Vec<_>>().concat()
}

/// The difference of two trees.
fn difference(before: &Files, after: &Files) -> String {
    let changed = before
        .iter()
        .filter(|(path, text)| after.get(*path) != Some(text));
    let shown = changed.map(|(path, text)| {
        let new = after.get(path).map_or("", String::as_str);
        unified(text, new, path, path)
    });
    shown.collect()
}
