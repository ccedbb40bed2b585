//! One file on its own: the run reads only what hangs together with it, and says what it would have said of
//! it after reading everything.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{REGISTRY, copy, corpus, put, run};
use walkdir::WalkDir;

/// A file whose name nobody can tell from the words of others: with it in the repository, everything is
/// read.
const READ_ALL: &str = "zz all of it.yaml";
const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];

/// The files of a folder that may name images, as paths below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let all = WalkDir::new(folder).sort_by_file_name().into_iter();
    let all = all
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let below = all.map(|entry| entry.path().strip_prefix(folder).unwrap().to_path_buf());
    below
        .filter(|path| !path.starts_with(".git") && path.extension().is_some())
        .collect()
}

/// What the program says of a file, and the exit code.
fn said(folder: &Path, file: &Path, target: &[&str]) -> (i32, String) {
    let arguments = ["--check", "--format", "json", "--with-tests"];
    let file = ["--", file.to_str().unwrap()];
    let (exit, report, errors) = run(folder, &[&arguments, target, &file].concat());
    // The summary ends with the time it took.
    let talk = errors
        .lines()
        .map(|line| line.rsplit_once(" [").map_or(line, |(said, _)| said));
    (
        exit,
        format!("{report}\n{}", talk.collect::<Vec<_>>().join("\n")),
    )
}

/// Asks of every `step`th file of a repository what is said of it with all others read, and without.
fn compare(repository: &Path, config: Option<&[u8]>, step: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    copy(repository, folder.path());
    let target: &[&str] = match config {
        Some(config) => {
            put(folder.path(), ".ecr-rewrite.yaml", config);
            &[]
        }
        None => &TARGET,
    };
    fs::create_dir_all(folder.path().join(".git")).unwrap();
    let files: Vec<PathBuf> = files(folder.path()).into_iter().step_by(step).collect();
    let part: Vec<_> = files
        .iter()
        .map(|file| said(folder.path(), file, target))
        .collect();
    put(folder.path(), READ_ALL, b"");
    for (file, part) in files.iter().zip(part) {
        let whole = said(folder.path(), file, target);
        assert!(
            part == whole,
            "{}/{}:\n--- with what hangs together with it\n{}\n--- with everything\n{}",
            repository.display(),
            file.display(),
            part.1,
            whole.1
        );
    }
    files.len()
}

#[test]
fn one_file_is_judged_as_if_everything_was_read() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut asked = 0;
    for case in fs::read_dir(cases).unwrap().map(Result::unwrap) {
        let input = case.path().join("in");
        if input.is_dir() {
            let config = fs::read(case.path().join(".ecr-rewrite.yaml")).ok();
            asked += compare(&input, config.as_deref(), 2);
        }
    }
    assert!(asked > 300, "{asked}");
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn real_files_are_judged_as_if_everything_was_read() {
    let step = std::env::var("ECR_REWRITE_EVERY").ok();
    let step = step.map_or(40, |step| step.parse().unwrap());
    let mut asked = 0;
    for repository in fs::read_dir(corpus()).unwrap().map(Result::unwrap) {
        if repository.path().is_dir() {
            let here = compare(&repository.path(), None, step);
            println!("{}: {here} files", repository.path().display());
            asked += here;
        }
    }
    assert!(asked > 100, "{asked}");
}
