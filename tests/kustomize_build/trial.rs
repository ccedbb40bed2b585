//! A generated tree and what becomes of it: the whole of it rewritten, and again with one file held
//! back, in each of the ways in which a file can be out of reach.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::common::nobody::as_nobody;
use super::common::{contents, put, run};
use super::kustomize::Kustomize;
use super::matrix::{Files, REMOTE, REPO, STUB};
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
    files: Files,
    kustomizations: Kustomizations,
    before: Builds,
    view: TempDir,
    /// What a run on the whole of it says.
    report: Report,
}

/// What a run did.
struct Run {
    files: Files,
    exit: i32,
    talk: String,
}

impl<'k> Trial<'k> {
    pub fn new(kustomize: &'k Kustomize, name: String, files: Files) -> Self {
        let view = view(&files);
        let root = view.path().join(REPO);
        let kustomizations = Kustomizations::of(&root);
        let before = build(kustomize, &root, &kustomizations);
        let report = Report::of(&work(&files).path().join(REPO), &["."]);
        Self {
            kustomize,
            name,
            files,
            kustomizations,
            before,
            view,
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
        if run.exit != 0 && !(matches!(held, Held::ReadOnly) && refused) {
            faults.push(format!("exit {}", run.exit));
        }
        let is_silent = match held {
            Held::Excluded | Held::LeftOut => false,
            Held::Linked => true,
            Held::ReadOnly => !refused,
        };
        if !matches!(held, Held::ReadOnly) {
            faults.extend(self.moved_alone(member, &report));
        }
        let account = Account {
            report: &report,
            held: (!is_silent).then_some(Path::new(member)),
        };
        self.judge(run, &account, faults, &format!(" ({held:?}: {member})"))
    }

    /// What changes although it would, with the member at hand, have changed together with it.
    fn moved_alone(&self, member: &str, report: &Report) -> Vec<String> {
        let place = |path: &Path, at: &str| (path.to_path_buf(), at.to_string());
        let own = |path: &Path| path == Path::new(member);
        let its = self
            .report
            .sites
            .iter()
            .filter(|site| site.changes && own(&site.path));
        let groups: Vec<&String> = its.flat_map(|site| &site.groups).collect();
        let together = self
            .report
            .sites
            .iter()
            .filter(|site| groups.iter().any(|group| site.groups.contains(*group)));
        let together: Vec<(PathBuf, String)> =
            together.map(|site| place(&site.path, &site.at)).collect();
        let changed = report.sites.iter().filter(|site| site.changes);
        let alone = changed.filter(|site| together.contains(&place(&site.path, &site.at)));
        alone
            .map(|site| {
                format!(
                    "{} {} changes although its group is not complete",
                    site.path.display(),
                    site.at
                )
            })
            .collect()
    }

    fn judge(&self, mut run: Run, account: &Account, faults: Vec<String>, how: &str) -> Proof {
        let remote = self.files.iter().filter(|(path, _)| path.starts_with(STUB));
        run.files
            .extend(remote.map(|(path, text)| (path.clone(), text.clone())));
        let root = self.view.path().join(REPO);
        let mut proof = if run.files == self.files {
            Proof::of(
                &root,
                &self.kustomizations,
                (&self.before, &self.before),
                account,
            )
        } else {
            let view = view(&run.files);
            let after = build(
                self.kustomize,
                &view.path().join(REPO),
                &self.kustomizations,
            );
            Proof::of(&root, &self.kustomizations, (&self.before, &after), account)
        };
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
    files
        .iter()
        .map(|(path, text)| format!("# {path}\n{text}"))
        .collect()
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
