//! The command: exit codes, formats, and what it leaves behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::common::{REGISTRY, contents, program, tree};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: 'nginx:1'}, {name: y, image: 'gcr.io/a/b:1'}]}\n";
const FILES: &[(&str, &str)] = &[
    ("app/kustomization.yaml", "resources: [pod.yaml]\n"),
    ("app/pod.yaml", POD),
];

/// A kustomize that prints what lies in the folder, and what else the script says.
fn kustomize(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kustomize");
    let script = format!("#!/bin/sh\nfor last; do :; done\n/bin/cat \"$last\"/pod.yaml\n{more}\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn command(folder: &Path, tools: &Path, arguments: &[&str]) -> Command {
    let mut command = program(folder);
    command
        .env("PATH", tools)
        .args(["prove", "--registry", REGISTRY, "--rules", "default"])
        .args(arguments);
    command
}

fn run(folder: &Path, tools: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = command(folder, tools, arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn equal_is_0_and_nothing_is_written() {
    let folder = tree(FILES);
    let before = contents(folder.path());
    let tools = kustomize("");
    let (code, out, talk) = run(folder.path(), tools.path(), &[]);
    assert_eq!(code, 0, "{out}{talk}");
    assert!(
        out.contains("1 image changes in 1 rendering; nothing but images differs"),
        "{out}"
    );
    assert!(
        out.contains("gcr.io/a/b:1 [unsupported-upstream]  app/pod.yaml:4  in app"),
        "{out}"
    );
    assert!(talk.contains("`helm` is not on the PATH"), "{talk}");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_difference_is_1() {
    let folder = tree(FILES);
    // How long the file is: not an image, and another number afterwards.
    let tools = kustomize(
        "echo '---'; echo 'kind: X'; echo \"size: $(/usr/bin/wc -c < \"$last/pod.yaml\")\"",
    );
    let (code, out, _) = run(folder.path(), tools.path(), &[]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("1 rendering differs in more than images"),
        "{out}"
    );
    assert!(out.contains("X size: "), "{out}");
}

#[test]
fn no_tool_no_target_and_no_path_are_2() {
    let folder = tree(FILES);
    let empty = tempfile::tempdir().unwrap();
    let (code, out, talk) = run(folder.path(), empty.path(), &[]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        talk.contains("neither `helm` nor `kustomize` is on the PATH"),
        "{talk}"
    );
    let tools = kustomize("");
    assert_eq!(run(folder.path(), tools.path(), &["gone"]).0, 2);
    let output = program(folder.path())
        .env("PATH", tools.path())
        .arg("prove")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn every_format_says_it_and_a_file_takes_it() {
    let folder = tree(FILES);
    let tools = kustomize("");
    let json = run(folder.path(), tools.path(), &["--format", "json"]).1;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["summary"]["equal"], 1);
    assert_eq!(report["renders"][0]["outside"][0]["image"], "gcr.io/a/b:1");
    let markdown = run(folder.path(), tools.path(), &["--format", "markdown"]).1;
    assert!(markdown.starts_with("<!-- ecr-rewrite: prove -->\n**nothing but images differs**"));
    let away = tempfile::tempdir().unwrap();
    let file = away.path().join("proof.json");
    let arguments = ["--format", "json", "-o", file.to_str().unwrap()];
    let (code, out, _) = run(folder.path(), tools.path(), &arguments);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(file).unwrap(), json);
}

#[test]
fn a_report_is_not_written_over_what_it_is_about() {
    let folder = tree(FILES);
    let tools = kustomize("");
    let before = contents(folder.path());
    for path in ["app/pod.yaml", "./app/../app/kustomization.yaml"] {
        let (code, _, talk) = run(folder.path(), tools.path(), &["-o", path]);
        assert_eq!(code, 2, "{talk}");
        assert!(talk.contains("name another file"), "{talk}");
    }
    assert_eq!(contents(folder.path()), before);
    let (code, _, talk) = run(folder.path(), tools.path(), &["-o", "proof.txt"]);
    assert_eq!(code, 0, "{talk}");
}

#[test]
fn a_run_that_renders_nothing_shows_nothing() {
    let folder = tree(FILES);
    let tools = kustomize("exit 1");
    for format in ["text", "markdown"] {
        let (_, out, _) = run(folder.path(), tools.path(), &["--format", format]);
        assert!(
            out.contains("nothing could be rendered: nothing is shown"),
            "{out}"
        );
        assert!(!out.contains("nothing but images"), "{out}");
    }
}

#[test]
fn nothing_of_a_repository_fools_a_terminal() {
    let pod = POD.replace("gcr.io/a/b:1", "gcr.io/a/b:1\\u001b[31m");
    let pod = pod
        .replace("'gcr.io", "\"gcr.io")
        .replace("[31m'", "[31m\"");
    let folder = tree(&[
        FILES[0],
        ("app/pod.yaml", &pod),
        ("e\u{1b}[1m/kustomization.yaml", "resources: [gone.yaml]\n"),
    ]);
    let tools = kustomize(
        "echo '---'; echo 'kind: \"\\u001b[2m\"'; echo \"size: $(/usr/bin/wc -c < \"$last/pod.yaml\")\"",
    );
    for format in ["text", "markdown"] {
        let (_, out, talk) = run(folder.path(), tools.path(), &["-v", "--format", format]);
        assert!(
            !out.contains('\u{1b}') && !talk.contains('\u{1b}'),
            "{out}{talk}"
        );
        assert!(out.contains("\\u{1b}[1m"), "{out}");
    }
}

#[test]
fn an_interrupt_ends_the_tools_and_leaves_nothing() {
    let folder = tree(FILES);
    let tools = kustomize("/bin/sleep 30");
    let scratch = tempfile::tempdir().unwrap();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let started = Instant::now();
        let mut child = command(folder.path(), tools.path(), &[])
            .env("TMPDIR", scratch.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while fs::read_dir(scratch.path()).unwrap().count() < 2 {
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(20));
        }
        let kill = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(
            started.elapsed() < Duration::from_secs(25),
            "it was waited for"
        );
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
