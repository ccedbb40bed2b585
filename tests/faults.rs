//! Killed runs, full disks, files that others write meanwhile, and files that are no use: nothing is lost.
//!
//! The loops are short; `ECR_REWRITE_ROUNDS` says how many rounds they make (the long form: 500).
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use common::nobody::{as_nobody, nobody_can_run};
use common::numbers::{Numbers, rounds};
use common::{REGISTRY, contents, program, put, run, scratch};

const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];
const STRAY: &str = ".ecr-rewrite-tmp.";

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A repository of three kinds of files: single ones, kustomize groups (a base and two overlays, of which one
/// names its image) and layers of Helm values (a registry in one file, the repository in another).
fn repository(of_each: usize) -> Tree {
    let mut tree = Tree::new();
    let mut add = |path: String, text: String| tree.insert(PathBuf::from(path), text.into_bytes());
    for number in 0..of_each {
        add(
            format!("single/{number:04}.yaml"),
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n  - image: redis:7\n".to_string(),
        );
        let group = format!("group/{number:04}");
        let image = format!("ghcr.io/acme/app-{number}");
        add(
            format!("{group}/base/deploy.yaml"),
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n  - image: {image}:1\n"
            ),
        );
        add(
            format!("{group}/base/kustomization.yaml"),
            "resources: [deploy.yaml]\n".to_string(),
        );
        add(
            format!("{group}/prod/kustomization.yaml"),
            format!("resources: [../base]\nimages:\n- name: {image}\n  newTag: \"2\"\n"),
        );
        add(
            format!("{group}/dev/kustomization.yaml"),
            "resources: [../base]\n".to_string(),
        );
        let chart = format!("chart/{number:04}");
        add(
            format!("{chart}/Chart.yaml"),
            "apiVersion: v2\nname: a\nversion: 1.0.0\n".to_string(),
        );
        add(
            format!("{chart}/values.yaml"),
            "image:\n  registry: docker.io\n  repository: acme/app\n  tag: \"1\"\n".to_string(),
        );
        add(
            format!("{chart}/values-prod.yaml"),
            "image:\n  repository: acme/other\n".to_string(),
        );
        add(
            format!("{chart}/templates/pod.yaml"),
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: \"{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n".to_string(),
        );
    }
    tree
}

/// Makes the folder hold these files and no others; writes what differs.
fn reset(folder: &Path, tree: &Tree) {
    let found = contents(folder);
    for path in found.keys().filter(|path| !tree.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, bytes) in tree {
        if found.get(path) != Some(bytes) {
            put(folder, path.to_str().unwrap(), bytes);
        }
    }
}

fn is_stray(path: &Path) -> bool {
    path.file_name()
        .unwrap()
        .to_string_lossy()
        .starts_with(STRAY)
}

#[test]
fn killed_runs_lose_nothing_and_the_next_one_does_the_rest() {
    let folder = scratch();
    let folder = folder.path();
    // Thousands of files in the long form.
    let of_each = if rounds(6) >= 500 { 250 } else { 60 };
    let old = repository(of_each);
    reset(folder, &old);
    let arguments = [&["."], &TARGET[..]].concat();
    let started = Instant::now();
    let (exit, _, talk) = run(folder, &arguments);
    assert_eq!(exit, 0, "{talk}");
    let whole = started.elapsed();
    let new = contents(folder);
    let when = |path: &PathBuf| fs::metadata(folder.join(path)).unwrap().modified().unwrap();
    let written = old.keys().filter(|path| new[*path] != old[*path]);
    let mut written: Vec<_> = written.map(|path| (when(path), path)).collect();
    written.sort();
    let (began, first) = written[0];
    let writing = written[written.len() - 1].0.duration_since(began).unwrap();
    let changed = old
        .iter()
        .filter(|(path, bytes)| new[*path] != **bytes)
        .count();
    assert_eq!(
        changed,
        of_each * 5,
        "every file with an image is rewritten"
    );
    let mut numbers = Numbers::new(1);
    let (mut between, mut with_strays, mut halves) = (0, 0, 0);
    let rounds = rounds(6);
    for round in 0..rounds {
        reset(folder, &old);
        let (signal, sent) = [("KILL", Signal::KILL), ("TERM", Signal::TERM)][round % 2];
        let was = when(first);
        let mut child = program(folder)
            .args(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Nothing is written while files are read, so that most rounds wait for the first file.
        let mut wait = whole;
        if round % 8 < 6 {
            // A run that nobody stops takes as long as the first one did, or a little longer.
            let late = Instant::now() + whole * 5 + Duration::from_secs(5);
            while when(first) == was && Instant::now() < late {
                std::thread::sleep(Duration::from_micros(100));
            }
            wait = writing;
        }
        let wait = numbers.below(usize::try_from(wait.as_micros()).unwrap() + 1);
        std::thread::sleep(Duration::from_micros(wait as u64));
        // It is there until somebody waits for it, also when it has ended.
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(id, sent).unwrap();
        child.wait().unwrap();
        let found = contents(folder);
        let (strays, files): (Tree, Tree) = found.into_iter().partition(|(path, _)| is_stray(path));
        assert_eq!(files.len(), old.len(), "{signal}: a file is gone");
        for (path, bytes) in &files {
            let is_whole = *bytes == old[path] || *bytes == new[path];
            assert!(
                is_whole,
                "{signal}: {} is neither old nor new",
                path.display()
            );
        }
        let done = files
            .iter()
            .filter(|(path, bytes)| **bytes != old[*path])
            .count();
        between += usize::from(done > 0 && done < changed);
        with_strays += usize::from(!strays.is_empty());
        // The temporary files of one group: two here.
        let most = if signal == "KILL" { 2 } else { 0 };
        assert!(strays.len() <= most, "{signal}: {:?}", strays.keys());
        let (exit, _, talk) = run(folder, &arguments);
        let after = contents(folder);
        let left: Vec<&PathBuf> = new
            .keys()
            .filter(|path| after[*path] != new[*path])
            .collect();
        for stray in strays.keys() {
            let target = stray.file_name().unwrap().to_string_lossy();
            let target = target
                .trim_start_matches(STRAY)
                .rsplit_once('.')
                .unwrap()
                .0
                .to_string();
            assert!(talk.contains(&target), "{talk}");
        }
        // Layers of values of which one was written no longer tell that they were one: the stray tells it.
        halves += left.len();
        let is_told = |path: &&PathBuf| {
            let in_folder = |stray: &PathBuf| stray.parent() == path.parent();
            path.starts_with("chart") && strays.keys().any(in_folder)
        };
        assert!(
            left.iter().all(is_told),
            "{signal}, exit {exit}: {left:?}\n{talk}"
        );
        assert!(exit == 0 || !left.is_empty(), "{talk}");
    }
    // A few rounds may all come too late on a busy machine.
    assert!(
        rounds < 100 || between > 0,
        "no run was killed while it wrote"
    );
    println!(
        "{rounds} rounds: {between} kills while files were written, {with_strays} left temporary files, {halves} files of half-written values were left and told"
    );
}

/// Runs a script as root of a user namespace of its own, where that can be had.
fn in_namespace(script: &str) -> Option<std::process::Output> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c"]);
    let can = Command::new("unshare")
        .args([
            "--mount",
            "--map-root-user",
            "sh",
            "-c",
            "mount -t tmpfs none /mnt",
        ])
        .stderr(Stdio::null())
        .status();
    if !can.is_ok_and(|status| status.success()) {
        eprintln!(
            "!! SKIPPED: the full disk; `unshare --mount --map-root-user` and a tmpfs are not to be had"
        );
        return None;
    }
    Some(command.arg(script).output().unwrap())
}

#[test]
fn a_full_disk_leaves_every_file_whole() {
    let folder = scratch();
    let outside = tempfile::tempdir().unwrap();
    let old = repository(60);
    reset(folder.path(), &old);
    let (exit, _, talk) = run(folder.path(), &[&["."], &TARGET[..]].concat());
    assert_eq!(exit, 0, "{talk}");
    let new = contents(folder.path());
    let all = old.iter().filter(|(path, bytes)| new[*path] != **bytes);
    let all = all.count();
    reset(folder.path(), &old);
    // What is left on the disk is for a few files only: a page for each that grows, and the temporary ones.
    for pages in [0, 1, 3, 9] {
        let script = format!(
            "set -e
mount -t tmpfs -o size=4m none /mnt
cp -r {tree}/. /mnt/
cd /mnt
dd if=/dev/zero of=fill.bin bs=4096 2>/dev/null || true
truncate -s -$(({pages} * 4096)) fill.bin
set +e
{program} . {target} >{outside}/out 2>{outside}/err
echo $? >{outside}/exit
rm fill.bin
rm -rf {outside}/found
mkdir {outside}/found
cp -r /mnt/. {outside}/found/",
            tree = folder.path().display(),
            outside = outside.path().display(),
            program = env!("CARGO_BIN_EXE_ecr-rewrite"),
            target = TARGET.join(" "),
        );
        let Some(output) = in_namespace(&script) else {
            return;
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let read = |name: &str| fs::read_to_string(outside.path().join(name)).unwrap();
        let (exit, talk) = (read("exit"), read("err"));
        let found = contents(&outside.path().join("found"));
        assert!(!found.keys().any(|path| is_stray(path)), "{talk}");
        assert_eq!(found.len(), old.len());
        let is_new = |path: &Path| found[path] != old[path];
        for (path, bytes) in &found {
            let is_whole = *bytes == old[path] || *bytes == new[path];
            assert!(is_whole, "{} is neither old nor new", path.display());
        }
        let done = found.keys().filter(|path| is_new(path)).count();
        println!(
            "{pages} pages free: exit {}, {done} files rewritten",
            exit.trim()
        );
        if done < all {
            assert_eq!(exit.trim(), "2", "{talk}");
            assert!(talk.to_lowercase().contains("no space left"), "{talk}");
        }
        for number in 0..60 {
            let of = |path: String| is_new(Path::new(&path));
            let halves = [
                ("group", "base/deploy.yaml", "prod/kustomization.yaml"),
                ("chart", "values.yaml", "values-prod.yaml"),
            ];
            for (kind, one, other) in halves {
                let [one, other] =
                    [one, other].map(|name| of(format!("{kind}/{number:04}/{name}")));
                assert_eq!(one, other, "half a group: {kind}/{number:04}");
            }
        }
    }
}

#[test]
fn what_others_write_meanwhile_stays() {
    let folder = scratch();
    let folder = folder.path();
    let names: Vec<String> = (0..40).map(|number| format!("f{number:02}.yaml")).collect();
    let text = |version: usize| {
        format!(
            "# version {version}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n"
        )
    };
    let version = |bytes: &[u8]| -> usize {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().next().unwrap_or("");
        line.trim_start_matches("# version ")
            .parse()
            .unwrap_or_else(|_| panic!("{text}"))
    };
    let (mut kept, mut done) = (0, 0);
    let rounds = rounds(10);
    for round in 0..rounds {
        names
            .iter()
            .for_each(|name| put(folder, name, text(0).as_bytes()));
        let stops = AtomicBool::new(false);
        let last = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut last = vec![0; names.len()];
                let mut number = 0;
                let mut numbers = Numbers::new(round as u64);
                while !stops.load(Ordering::Relaxed) {
                    number += 1;
                    let at = numbers.below(names.len());
                    // As editors do: a new file takes the place of the old one.
                    let beside = folder.join("beside.txt");
                    fs::write(&beside, text(number)).unwrap();
                    fs::rename(&beside, folder.join(&names[at])).unwrap();
                    last[at] = number;
                    std::thread::sleep(Duration::from_micros(500));
                }
                last
            });
            let (exit, _, talk) = run(folder, &[&["."], &TARGET[..]].concat());
            assert!(matches!(exit, 0 | 2), "{talk}");
            kept += usize::from(exit == 2);
            stops.store(true, Ordering::Relaxed);
            writer.join().unwrap()
        });
        for (name, last) in names.iter().zip(last) {
            let bytes = fs::read(folder.join(name)).unwrap();
            assert_eq!(
                version(&bytes),
                last,
                "{name}: what was written meanwhile is lost"
            );
            done += usize::from(String::from_utf8_lossy(&bytes).contains(REGISTRY));
        }
        assert!(!contents(folder).keys().any(|path| is_stray(path)));
    }
    println!(
        "{rounds} rounds: {kept} runs left files that somebody changed, {done} files rewritten"
    );
}

#[test]
fn a_huge_file_with_holes_and_folders_that_hold_themselves_cost_nothing() {
    let folder = scratch();
    let folder = folder.path();
    put(
        folder,
        "a.yaml",
        b"apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}]}\n",
    );
    let huge = fs::File::create(folder.join("huge.yaml")).unwrap();
    huge.set_len(1 << 30).unwrap();
    fs::create_dir_all(folder.join("x/y")).unwrap();
    symlink("..", folder.join("x/y/up")).unwrap();
    symlink("loop", folder.join("loop")).unwrap();
    let (exit, _, talk) = run(folder, &[&["."], &TARGET[..]].concat());
    assert_eq!(exit, 2, "{talk}");
    assert!(talk.contains("huge.yaml"), "{talk}");
    assert!(
        fs::read_to_string(folder.join("a.yaml"))
            .unwrap()
            .contains(REGISTRY)
    );
    assert_eq!(
        fs::metadata(folder.join("huge.yaml")).unwrap().len(),
        1 << 30
    );
}

/// What a quota does, too: writing fails in the middle of a file.
#[test]
fn a_file_that_may_not_grow_stays_and_the_rest_is_done() {
    let folder = scratch();
    let folder = folder.path();
    let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}]}\n";
    let large = format!("{pod}{}", "# padding\n".repeat(20_000));
    put(folder, "small.yaml", pod.as_bytes());
    put(folder, "large.yaml", large.as_bytes());
    // In blocks of 512 bytes; the signal would end the program, the error is what is asked for.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} . {}",
        env!("CARGO_BIN_EXE_ecr-rewrite"),
        TARGET.join(" ")
    );
    let output = Command::new("sh")
        .current_dir(folder)
        .args(["-c", &script])
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{talk}");
    assert!(
        talk.contains("large.yaml: its new text could not be written"),
        "{talk}"
    );
    let found = contents(folder);
    assert_eq!(
        found.len(),
        2,
        "no temporary file is left: {:?}",
        found.keys()
    );
    assert!(found[Path::new("large.yaml")] == large.as_bytes());
    assert!(String::from_utf8_lossy(&found[Path::new("small.yaml")]).contains(REGISTRY));
}

#[test]
fn what_cannot_be_written_keeps_its_groups() {
    if !nobody_can_run() {
        return;
    }
    let groups = [
        ("group", "base/deploy.yaml", "prod/kustomization.yaml"),
        ("chart", "values.yaml", "values-prod.yaml"),
    ];
    // A file that is read-only, and a folder.
    for (mode, locked) in [(0o444, false), (0o555, true)] {
        let folder = scratch();
        let folder = folder.path();
        let old = repository(3);
        reset(folder, &old);
        let owner = Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(folder)
            .status();
        assert!(owner.unwrap().success() || !is_root());
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        for (kind, _, other) in groups {
            let path = folder.join(format!("{kind}/0001/{other}"));
            let path = if locked {
                path.parent().unwrap()
            } else {
                &path
            };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let output = as_nobody(Path::new(env!("CARGO_BIN_EXE_ecr-rewrite")))
            .current_dir(folder)
            .arg(".")
            .args(TARGET)
            .output()
            .unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{talk}");
        let found = contents(folder);
        assert_eq!(found.len(), old.len(), "no temporary file is left");
        for number in 0..3 {
            for (kind, one, other) in groups {
                let is_new = |name: &str| {
                    let path = PathBuf::from(format!("{kind}/{number:04}/{name}"));
                    found[&path] != old[&path]
                };
                let wanted = number != 1;
                assert_eq!(
                    (is_new(one), is_new(other)),
                    (wanted, wanted),
                    "{kind}/{number}: {talk}"
                );
            }
        }
        for (kind, _, other) in groups {
            let path = folder.join(format!("{kind}/0001/{other}"));
            fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
