//! Every folder of `testdata/` with an `in/` is a case: see `testdata/README.md`.
//!
//! `ECR_REWRITE_BLESS=1` writes `out/` and `plan.json` anew; read the difference before it is
//! committed.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{contents, copy, git_apply, run};
use serde_json::{Value, json};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(testdata())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.join("in").is_dir()).collect();
    cases.sort();
    cases
}

/// A repository with the case's files and config.
fn repository(case: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    copy(&case.join("in"), folder.path());
    fs::copy(
        case.join(".ecr-rewrite.yaml"),
        folder.path().join(".ecr-rewrite.yaml"),
    )
    .unwrap();
    folder
}

/// The options of a case, beside those of the config.
fn options(case: &Path) -> Vec<String> {
    let options = fs::read_to_string(case.join("arguments")).unwrap_or_default();
    options.split_whitespace().map(String::from).collect()
}

/// The files of a repository without its config.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let config = Path::new(".ecr-rewrite.yaml");
    contents(folder)
        .into_iter()
        .filter(|(path, _)| path != config)
        .collect()
}

/// Reads the lines that `-v` prints: `path:line:col: `from` -> `to` (rule: …)` for a change and
/// `path:line:col: `text` code: reason` for a skip.
fn told(talk: &str) -> (Vec<Value>, Vec<Value>) {
    let (mut changes, mut skips) = (Vec::new(), Vec::new());
    for line in talk.lines() {
        let Some((place, rest)) = line.split_once(": `") else {
            continue;
        };
        let mut numbers = place.rsplitn(3, ':');
        let (Some(column), Some(row), Some(path)) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            continue;
        };
        let (Ok(column), Ok(row)) = (column.parse::<usize>(), row.parse::<usize>()) else {
            continue;
        };
        let at = format!("{path}:{row}:{column}");
        if let Some((from, to)) = rest.split_once("` -> `") {
            changes.push(json!({"at": at, "from": from, "to": to.split('`').next().unwrap()}));
        } else if let Some((text, code)) = rest.split_once("` ") {
            skips.push(json!({"at": at, "text": text, "code": code.split(':').next().unwrap()}));
        }
    }
    (changes, skips)
}

fn check(case: &Path, bless: bool) {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        case.join("README.md").is_file(),
        "{name} does not say why it exists"
    );
    let options = options(case);
    let run = |folder: &Path, arguments: &[&str]| {
        let options = options.iter().map(String::as_str);
        let all: Vec<&str> = arguments.iter().copied().chain(options).collect();
        run(folder, &all)
    };
    let before = repository(case);
    let unchanged = files(before.path());

    let (exit, diff, talk) = run(before.path(), &[".", "--dry-run", "-v"]);
    assert_eq!(
        files(before.path()),
        unchanged,
        "{name}: --dry-run wrote something"
    );
    let (changes, skips) = told(&talk);
    let written = repository(case);
    let (write_exit, output, write_talk) = run(written.path(), &["."]);
    assert_eq!(
        (write_exit, output.as_str()),
        (exit, ""),
        "{name}: {write_talk}"
    );
    let after = files(written.path());
    let gate = |folder: &Path| run(folder, &["--check"]).0;
    let check = json!({"before": gate(before.path()), "after": gate(written.path())});
    let plan = json!({"exit": exit, "check": check, "changes": changes, "skips": skips});

    if bless {
        let text = serde_json::to_string_pretty(&plan).unwrap() + "\n";
        fs::write(case.join("plan.json"), text).unwrap();
        drop(fs::remove_dir_all(case.join("out")));
        for (path, bytes) in &after {
            let path = case.join("out").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        return;
    }
    let wanted: Value = serde_json::from_slice(&fs::read(case.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan, wanted, "{name}: {talk}");
    let out = contents(&case.join("out")).into_iter().collect::<Vec<_>>();
    for ((path, got), (out_path, wanted)) in after.iter().zip(&out) {
        assert_eq!(path, out_path, "{name}");
        let (got, wanted) = (
            String::from_utf8_lossy(got),
            String::from_utf8_lossy(wanted),
        );
        assert_eq!(got, wanted, "{name}: {}", path.display());
    }
    assert_eq!(after.len(), out.len(), "{name}");

    assert_eq!(diff.is_empty(), changes_nothing(&plan), "{name}");
    if !diff.is_empty() {
        let applied = git_apply(before.path(), &diff);
        assert!(
            applied.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&applied.stderr)
        );
        assert!(
            files(before.path()) == after,
            "{name}: the applied diff differs from what was written"
        );
        check_patch(case, &name, &diff, &after);
    }
    let (again, output, _) = run(written.path(), &[".", "--dry-run"]);
    assert_eq!(
        (again, output.as_str()),
        (exit, ""),
        "{name}: a second run finds something to do"
    );
    run(written.path(), &["."]);
    assert!(
        files(written.path()) == after,
        "{name}: a second run changed something"
    );
}

/// GNU patch takes the diff, too. It refuses names with a line end, whoever made the diff.
fn check_patch(case: &Path, name: &str, diff: &str, after: &[(PathBuf, Vec<u8>)]) {
    let folder = repository(case);
    let odd = |path: &Path| path.to_string_lossy().contains('\n');
    if files(folder.path()).iter().any(|(path, _)| odd(path)) {
        eprintln!("SKIPPED: patch, for {name}");
        return;
    }
    let patch = tempfile::NamedTempFile::new().unwrap();
    fs::write(patch.path(), diff).unwrap();
    let output = Command::new("patch")
        .current_dir(folder.path())
        .args(["-p1", "--quiet", "--input"])
        .arg(patch.path())
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no patch program");
        return;
    };
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(
        files(folder.path()) == *after,
        "{name}: patch gives something else"
    );
}

fn changes_nothing(plan: &Value) -> bool {
    plan["changes"].as_array().unwrap().is_empty()
}

#[test]
fn every_case_comes_out_as_it_should() {
    let bless = std::env::var_os("ECR_REWRITE_BLESS").is_some();
    let cases = cases();
    cases.iter().for_each(|case| check(case, bless));
    assert!(cases.len() > 20, "the cases are not where they should be");
}
