//! Writing: groups over several files, and everything that can go wrong in between.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::nobody::{as_nobody, nobody_can_run};
use common::{REGISTRY, contents, program, put, run, tree};
use ecr_rewrite::helm::NoCharts;
use ecr_rewrite::link::{Group, Links, SiteId, link};
use ecr_rewrite::plan::{Options, Plan, plan};
use ecr_rewrite::reason::Reason;
use ecr_rewrite::rules::{EcrHost, RuleSet, default_rules};
use ecr_rewrite::scan::{self, ScannedFile};
use ecr_rewrite::source;
use ecr_rewrite::walk::Role;
use ecr_rewrite::write::{Stop, Written, write};

const POD: &str =
    "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n  - image: redis:7\n";
const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];

fn scanned(folder: &Path, names: &[&str]) -> Vec<ScannedFile> {
    let real = folder.canonicalize().unwrap();
    let scan = |name: &&str| {
        let source = source::read(PathBuf::from(name), real.join(name), 1 << 20).unwrap();
        ScannedFile::new(source, Role::Selected, &scan::Options::default())
    };
    names.iter().map(scan).collect()
}

/// A plan of `files` in which the sites of each group hang together.
fn plan_with(mut files: Vec<ScannedFile>, groups: &[&[(usize, usize)]]) -> Plan {
    let group = |members: &&[(usize, usize)]| Group {
        label: "a group of the test".into(),
        members: members
            .iter()
            .map(|&(file, site)| SiteId { file, site })
            .collect(),
        blocked: None,
    };
    let links = groups
        .iter()
        .map(group)
        .fold(link(&mut files), Links::with_group);
    let rules = Arc::new(RuleSet::new(Some(EcrHost::parse(REGISTRY).unwrap()), default_rules()).0);
    plan(
        files,
        links,
        &|_| Arc::clone(&rules),
        &NoCharts,
        &Options::default(),
    )
}

fn count(text: &[u8]) -> usize {
    String::from_utf8_lossy(text).matches(REGISTRY).count()
}

/// How many images of each file are in ECR, by name.
fn rewritten(folder: &Path) -> Vec<(String, usize)> {
    let files = contents(folder).into_iter();
    files
        .map(|(path, bytes)| (path.to_string_lossy().into_owned(), count(&bytes)))
        .collect()
}

fn pairs(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected
        .iter()
        .map(|&(name, count)| (name.to_string(), count))
        .collect()
}

fn write_now(plan: &mut Plan) -> Written {
    write(plan, &Stop::default())
}

#[test]
fn files_that_share_a_group_are_one_lot() {
    let folder = tree(&[
        ("a.yaml", POD),
        ("b.yaml", POD),
        ("c.yaml", POD),
        ("d.yaml", POD),
        ("e.yaml", POD),
    ]);
    let files = scanned(
        folder.path(),
        &["a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml"],
    );
    let mut plan = plan_with(
        files,
        &[&[(0, 0), (1, 0)], &[(2, 0), (3, 0)], &[(1, 1), (3, 1)]],
    );
    assert_eq!(plan.lots(), [vec![0, 1, 2, 3], vec![4]]);
    let written = write_now(&mut plan);
    assert_eq!(
        (written.files, written.changes, written.failures.len()),
        (5, 10, 0)
    );
}

#[test]
fn a_group_with_a_member_that_stays_stays() {
    let kept = POD.replace("nginx:1", "mcr.microsoft.com/x:1");
    let folder = tree(&[("a.yaml", POD), ("b.yaml", &kept), ("c.yaml", POD)]);
    let files = scanned(folder.path(), &["a.yaml", "b.yaml", "c.yaml"]);
    // The second group falls because it shares a member with the first.
    let plan = plan_with(files, &[&[(0, 0), (1, 0)], &[(0, 0), (2, 0)]]);
    let skipped: Vec<_> = plan
        .skips()
        .filter(|(_, skip)| skip.reason == Reason::GroupIncomplete)
        .map(|(file, skip)| (file.source.path.to_str().unwrap(), skip.site))
        .collect();
    assert_eq!(skipped, [("a.yaml", 0), ("c.yaml", 0)]);
    assert!(plan.skips().any(
        |(_, skip)| skip.detail.contains("`mcr.microsoft.com/x:1` in b.yaml")
            && skip.detail.contains("unsupported-upstream")
    ));
    assert_eq!(plan.changes().count(), 3);
}

#[test]
fn a_group_with_a_member_outside_the_given_paths_names_it() {
    let folder = tree(&[("a.yaml", POD), ("b.yaml", POD)]);
    let mut files = scanned(folder.path(), &["a.yaml", "b.yaml"]);
    files[1].role = Role::Context;
    let plan = plan_with(files, &[&[(0, 0), (1, 0)]]);
    let (_, skip) = plan.skips().next().unwrap();
    assert_eq!(skip.reason, Reason::GroupIncomplete);
    assert!(
        skip.detail.contains("in b.yaml") && skip.detail.contains("add that path"),
        "{}",
        skip.detail
    );
    assert_eq!(plan.changes().count(), 1);
}

#[test]
fn a_file_that_somebody_changed_keeps_its_text_and_takes_its_groups_along() {
    let folder = tree(&[("a.yaml", POD), ("b.yaml", POD), ("c.yaml", POD)]);
    let files = scanned(folder.path(), &["a.yaml", "b.yaml", "c.yaml"]);
    let mut plan = plan_with(files, &[&[(0, 0), (1, 0)]]);
    put(folder.path(), "a.yaml", b"changed by somebody\n");
    let written = write_now(&mut plan);
    assert_eq!(
        fs::read(folder.path().join("a.yaml")).unwrap(),
        b"changed by somebody\n"
    );
    // The other edit of b.yaml does not depend on the group, and was checked again without it.
    assert_eq!(
        rewritten(folder.path()),
        pairs(&[("a.yaml", 0), ("b.yaml", 1), ("c.yaml", 2)])
    );
    assert_eq!(written.failures.len(), 1);
    assert!(
        written.failures[0]
            .message
            .contains("was changed by somebody else")
    );
    assert_eq!(plan.changes().count(), 3);
}

#[test]
fn a_file_that_another_run_rewrote_is_done() {
    let folder = tree(&[("a.yaml", POD)]);
    let mut first = plan_with(scanned(folder.path(), &["a.yaml"]), &[]);
    let mut second = plan_with(scanned(folder.path(), &["a.yaml"]), &[]);
    assert!(write_now(&mut first).failures.is_empty());
    assert!(write_now(&mut second).failures.is_empty());
    assert_eq!(rewritten(folder.path()), pairs(&[("a.yaml", 2)]));
}

#[test]
fn a_signal_stops_between_two_lots() {
    let folder = tree(&[("a.yaml", POD)]);
    let mut plan = plan_with(scanned(folder.path(), &["a.yaml"]), &[]);
    let stop = Stop::default();
    stop.store(15, Ordering::SeqCst);
    let written = write(&mut plan, &stop);
    assert_eq!((written.interrupted, written.files), (Some(15), 0));
    assert_eq!(rewritten(folder.path()), pairs(&[("a.yaml", 0)]));
}

#[test]
fn mode_and_owner_stay() {
    let folder = tree(&[("a.yaml", POD)]);
    let path = folder.path().join("a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let owner = fs::metadata(&path)
        .map(|metadata| (metadata.uid(), metadata.gid()))
        .unwrap();
    run(folder.path(), &[&["a.yaml"], &TARGET[..]].concat());
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_eq!((metadata.uid(), metadata.gid()), owner);
    assert_eq!(rewritten(folder.path()), pairs(&[("a.yaml", 2)]));
}

#[test]
fn links_stay_links_and_their_targets_are_edited_once() {
    let folder = tree(&[("real/a.yaml", POD), ("outside.txt", "")]);
    let outside = tree(&[("b.yaml", POD)]);
    symlink("real/a.yaml", folder.path().join("link.yaml")).unwrap();
    symlink("link.yaml", folder.path().join("again.yaml")).unwrap();
    symlink(
        outside.path().join("b.yaml"),
        folder.path().join("out.yaml"),
    )
    .unwrap();
    symlink(outside.path(), folder.path().join("folder")).unwrap();
    symlink("gone.yaml", folder.path().join("dangling.yaml")).unwrap();
    symlink(".", folder.path().join("loop")).unwrap();
    let (exit, _, talk) = run(folder.path(), &[&["."], &TARGET[..]].concat());
    assert_eq!(exit, 0, "{talk}");
    assert!(
        talk.contains("out.yaml: is a link to") && talk.contains("not followed"),
        "{talk}"
    );
    assert!(
        talk.contains("dangling.yaml: is a link that leads nowhere"),
        "{talk}"
    );
    assert!(talk.contains("1 file scanned"), "{talk}");
    assert!(folder.path().join("link.yaml").is_symlink());
    assert_eq!(
        count(&fs::read(folder.path().join("real/a.yaml")).unwrap()),
        2
    );
    assert_eq!(count(&fs::read(outside.path().join("b.yaml")).unwrap()), 0);
}

#[test]
fn hard_links_are_left_alone_and_said() {
    let folder = tree(&[("a.yaml", POD), ("b.yaml", POD)]);
    fs::hard_link(
        folder.path().join("a.yaml"),
        folder.path().join("other.txt"),
    )
    .unwrap();
    let (exit, diff, talk) = run(folder.path(), &[&[".", "--dry-run"], &TARGET[..]].concat());
    assert_eq!(exit, 0, "{talk}");
    assert!(
        !diff.contains("a.yaml") && diff.contains("b.yaml"),
        "{diff}"
    );
    let (exit, _, talk) = run(folder.path(), &[&["."], &TARGET[..]].concat());
    assert_eq!(exit, 2, "{talk}");
    assert!(
        talk.contains("error: a.yaml: has another name (a hard link)"),
        "{talk}"
    );
    assert_eq!(
        rewritten(folder.path()),
        pairs(&[("a.yaml", 0), ("b.yaml", 2), ("other.txt", 0)])
    );
}

#[test]
fn strays_of_a_killed_run_are_named_and_not_read() {
    let folder = tree(&[("a.yaml", POD), (".ecr-rewrite-tmp.a.yaml.x1Y2z3W4", POD)]);
    let (exit, _, talk) = run(folder.path(), &[&[".", "--hidden"], &TARGET[..]].concat());
    assert_eq!(exit, 0, "{talk}");
    assert!(talk.contains(".ecr-rewrite-tmp.a.yaml.x1Y2z3W4: was left by a run that was killed while it wrote `a.yaml`"), "{talk}");
    assert!(talk.contains("1 file scanned"), "{talk}");
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let folder = tree(&[("a.yaml", POD)]);
    let fifo = folder.path().join("pipe.yaml");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let (exit, _, talk) = run(
        folder.path(),
        &[&["pipe.yaml", "a.yaml"], &TARGET[..]].concat(),
    );
    assert_eq!(exit, 2);
    assert!(talk.contains("pipe.yaml: is not a regular file"), "{talk}");
    assert_eq!(count(&fs::read(folder.path().join("a.yaml")).unwrap()), 2);
}

#[test]
fn output_that_nobody_takes_is_told_from_output_that_is_lost() {
    let folder = tree(&[
        ("a.yaml", POD),
        ("b.yaml", &format!("{POD}{}", "# padding\n".repeat(20_000))),
    ]);
    let arguments = [&[".", "--dry-run"], &TARGET[..]].concat();
    if Path::new("/dev/full").exists() {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = program(folder.path())
            .args(&arguments)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("the output could not be written")
        );
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program(folder.path())
        .args(&arguments)
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "a closed pipe ends quietly");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"));
}

#[test]
fn files_and_folders_without_rights_are_left_and_the_rest_is_done() {
    if !nobody_can_run() {
        return;
    }
    let folder = tree(&[
        ("a.yaml", POD),
        ("read-only.yaml", POD),
        ("secret.yaml", POD),
        ("locked/b.yaml", POD),
        ("z.yaml", POD),
    ]);
    let mode = |path: &str, mode| {
        fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    if fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0) {
        let status = Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(folder.path())
            .status();
        assert!(status.unwrap().success());
    }
    mode("", 0o755);
    mode("read-only.yaml", 0o444);
    mode("secret.yaml", 0o000);
    mode("locked", 0o555);
    let output = as_nobody(Path::new(env!("CARGO_BIN_EXE_ecr-rewrite")))
        .current_dir(folder.path())
        .arg(".")
        .args(TARGET)
        .output()
        .unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{talk}");
    assert!(
        talk.contains("error: read-only.yaml: cannot be written"),
        "{talk}"
    );
    assert!(
        talk.contains("error: secret.yaml: cannot be read"),
        "{talk}"
    );
    assert!(
        talk.contains("error: locked/b.yaml: its new text could not be written beside it"),
        "{talk}"
    );
    mode("locked", 0o755);
    mode("secret.yaml", 0o644);
    let wanted = [
        ("a.yaml", 2),
        ("locked/b.yaml", 0),
        ("read-only.yaml", 0),
        ("secret.yaml", 0),
        ("z.yaml", 2),
    ];
    assert_eq!(
        rewritten(folder.path()),
        pairs(&wanted),
        "and no temporary file is left"
    );
}

/// The folder that [`a_failed_rename_puts_the_old_texts_back`] gives to its other half.
const STICKY: &str = "ECR_REWRITE_TEST_STICKY";

#[test]
fn a_failed_rename_puts_the_old_texts_back() {
    if let Some(folder) = std::env::var_os(STICKY) {
        return write_in_sticky_folder(Path::new(&folder));
    }
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root || !nobody_can_run() {
        eprintln!(
            "SKIPPED: only root can make a file that lets itself be written and not replaced"
        );
        return;
    }
    // In a sticky folder, others may write to a file whose mode allows it, but not rename over it.
    let folder = tree(&[
        ("a.yaml", POD),
        ("b.yaml", POD),
        ("c.yaml", POD),
        ("sticky/d.yaml", POD),
    ]);
    let mode = |path: &str, mode| {
        fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    assert!(
        Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(folder.path())
            .status()
            .unwrap()
            .success()
    );
    assert!(
        Command::new("chown")
            .args(["-R", "0:0"])
            .arg(folder.path().join("sticky"))
            .status()
            .unwrap()
            .success()
    );
    mode("", 0o755);
    mode("sticky", 0o1777);
    mode("sticky/d.yaml", 0o666);
    let status = as_nobody(&std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_failed_rename_puts_the_old_texts_back",
            "--nocapture",
        ])
        .env(STICKY, folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let wanted = [
        ("a.yaml", 0),
        ("b.yaml", 0),
        ("c.yaml", 2),
        ("sticky/d.yaml", 0),
    ];
    assert_eq!(
        rewritten(folder.path()),
        pairs(&wanted),
        "and no temporary file is left"
    );
}

/// The half of the test that runs without rights: a, b and d hang together, c does not.
fn write_in_sticky_folder(folder: &Path) {
    let files = scanned(folder, &["a.yaml", "b.yaml", "c.yaml", "sticky/d.yaml"]);
    let mut plan = plan_with(files, &[&[(0, 0), (1, 0), (3, 0)]]);
    assert_eq!(plan.lots(), [vec![0, 1, 3], vec![2]]);
    let written = write_now(&mut plan);
    assert_eq!((written.files, written.failures.len()), (1, 1));
    assert!(
        written.failures[0]
            .message
            .contains("could not be replaced")
    );
    assert_eq!(plan.changes().count(), 2, "the plan says what was done");
}

#[test]
fn a_polite_kill_leaves_every_file_old_or_new() {
    use std::process::Stdio;
    use std::time::Duration;
    let names: Vec<String> = (0..400)
        .map(|number| format!("f{number:03}.yaml"))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), POD)).collect();
    let mut interrupted = 0;
    for (round, signal) in ["INT", "TERM", "KILL", "INT", "TERM", "KILL"]
        .iter()
        .enumerate()
    {
        let folder = tree(&files);
        let mut child = program(folder.path())
            .arg(".")
            .args(TARGET)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + 25 * round as u64));
        let sent = Command::new("kill")
            .args(["-s", signal])
            .arg(child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
        let code = child.wait().unwrap().code();
        interrupted += usize::from(matches!(code, Some(130 | 143)));
        let (mut old, mut strays) = (0, 0);
        for (path, bytes) in contents(folder.path()) {
            if path.to_string_lossy().starts_with(".ecr-rewrite-tmp.") {
                strays += 1;
                continue;
            }
            match count(&bytes) {
                0 => assert_eq!(bytes, POD.as_bytes()),
                images => assert_eq!(images, 2, "{}", path.display()),
            }
            old += usize::from(count(&bytes) == 0);
        }
        assert!(
            strays <= usize::from(*signal == "KILL"),
            "{signal}: {strays} temporary files are left"
        );
        let (exit, _, _) = run(folder.path(), &[&["."], &TARGET[..]].concat());
        assert_eq!(exit, 0, "the next run does the rest");
        let undone = contents(folder.path()).into_iter().filter(|(path, bytes)| {
            count(bytes) != 2 && !path.to_string_lossy().starts_with(".ecr-rewrite-tmp.")
        });
        assert_eq!(undone.count(), 0, "{old} were left to do");
    }
    println!("{interrupted} of 4 polite kills came while files were written");
}

#[test]
fn two_runs_at_once_end_well_and_give_the_result_of_one() {
    let names: Vec<String> = (0..100)
        .map(|number| format!("f{number:03}.yaml"))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), POD)).collect();
    let folder = tree(&files);
    let start = || {
        program(folder.path())
            .arg(".")
            .args(TARGET)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs = [start(), start()].map(|child| child.wait_with_output().unwrap());
    for output in runs {
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{talk}");
    }
    assert!(
        rewritten(folder.path())
            .iter()
            .all(|(_, count)| *count == 2)
    );
    assert_eq!(
        rewritten(folder.path()).len(),
        100,
        "a temporary file is left"
    );
}
