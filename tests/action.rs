//! The action for GitHub and the template for GitLab: their structure, and their scripts with other
//! programs played by stubs.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stderr)] // skips are for who runs it
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{REGISTRY, put, tree};
use serde_yaml::Value;

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1.27\n";
const CONFIG: &str = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\n";
const WORKFLOW: &str = ".github/workflows/ci.yml";
const RELEASE: &str = ".github/workflows/release.yml";

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every text in a document, with the keys that lead to it.
fn texts(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((at.to_string(), text.clone())),
        Value::Sequence(list) => list
            .iter()
            .for_each(|item| texts(item, &format!("{at}[]"), found)),
        Value::Mapping(map) => map.iter().for_each(|(key, value)| {
            texts(
                value,
                &format!("{at}.{}", key.as_str().unwrap_or("on")),
                found,
            );
        }),
        _ => {}
    }
}

/// A template in a script is filled in before the shell reads it, so that a title of a pull request can
/// be a command.
#[test]
fn templates_stand_in_the_environment_alone() {
    for (path, fine) in [
        (
            "action.yml",
            &[".runs.steps[].env.", ".inputs.token.default", ".outputs."][..],
        ),
        (WORKFLOW, &[".jobs.action.steps[].env."]),
        (
            RELEASE,
            &[".env.", ".jobs.build.env.", ".jobs.build.runs-on"],
        ),
    ] {
        let mut found = Vec::new();
        texts(&yaml(path), "", &mut found);
        let templates = found.iter().filter(|(_, text)| text.contains("${{"));
        for (at, text) in templates.clone() {
            assert!(
                fine.iter().any(|place| at.starts_with(place)),
                "{path}: {at}: {text}"
            );
        }
        assert!(templates.count() > 0, "the test has lost sight of {path}");
        for (at, text) in found
            .iter()
            .filter(|(at, _)| at.rsplit('.').next() == Some("uses"))
        {
            let is_pinned =
                |rest: &str| rest.len() == 40 && rest.bytes().all(|b| b.is_ascii_hexdigit());
            let pinned = text
                .split_once('@')
                .is_some_and(|(_, rest)| is_pinned(rest));
            assert!(text == "./" || pinned, "{path}: {at}: {text} is not pinned");
        }
    }
}

#[test]
fn every_step_runs_a_script_that_is_there() {
    let action = yaml("action.yml");
    let inputs = action["inputs"].as_mapping().unwrap();
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let mut used = String::new();
    for step in steps {
        assert_eq!(step["shell"], "bash");
        let script = step["run"].as_str().unwrap();
        let script = script.strip_prefix("bash \"$GITHUB_ACTION_PATH/").unwrap();
        let script = Path::new(script.strip_suffix('"').unwrap());
        let mode = fs::metadata(script).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "{} cannot be run", script.display());
        used.push_str(&serde_yaml::to_string(step).unwrap());
        let text = fs::read_to_string(script).unwrap();
        let names = step["env"].as_mapping().unwrap().keys();
        for name in names.map(|name| name.as_str().unwrap()) {
            let shared = fs::read_to_string("ci/action/common.sh").unwrap();
            let reads = text.contains(name) || shared.contains(name);
            let is_token = ["GH_TOKEN", "REVIEWDOG_GITHUB_API_TOKEN"].contains(&name);
            assert!(reads || is_token, "nothing reads {name}");
        }
    }
    for input in inputs.keys().map(|input| input.as_str().unwrap()) {
        let is_used = used.contains(&format!("inputs.{input} "))
            || used.contains(&format!("inputs.{input}\n"));
        assert!(is_used, "the input `{input}` does nothing");
    }
    let guide = fs::read_to_string("docs/ci.md").unwrap();
    for input in inputs.keys().map(|input| input.as_str().unwrap()) {
        assert!(
            guide.contains(&format!("| `{input}` |")),
            "docs/ci.md does not tell of `{input}`"
        );
    }
}

#[test]
fn scripts_are_clean() {
    let of = |folder: &str| fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let scripts = of("ci/action").chain(of("ci/release"));
    let scripts: Vec<PathBuf> = scripts.chain([PathBuf::from("install.sh")]).collect();
    assert!(scripts.len() > 7);
    for script in &scripts {
        let text = fs::read_to_string(script).unwrap();
        assert!(
            !text.contains("eval ") && !text.contains("${{"),
            "{}",
            script.display()
        );
    }
    let checked = Command::new("shellcheck").arg("-x").args(&scripts).output();
    let Ok(checked) = checked else {
        return eprintln!("SKIPPED: there is no shellcheck");
    };
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

/// A repository with the stubs of programs beside it.
struct Scene {
    folder: tempfile::TempDir,
    beside: tempfile::TempDir,
}

/// Plays `gh`: answers with the comments of a file, and notes what it is asked for.
const GH: &str = r#"#!/bin/sh
printf '%s\n' "$*" >>"$BESIDE/asked"
for argument in "$@"; do
    case $argument in body=@*) cp "${argument#body=@}" "$BESIDE/body" ;; esac
done
case $* in
    *--paginate*)
        expression=
        for argument in "$@"; do
            [ "$expression" = next ] && expression=$argument
            [ "$argument" = --jq ] && expression=next
        done
        jq -r "$expression" "$BESIDE/comments" ;;
    *) exit "${GH_STATUS:-0}" ;;
esac
"#;
/// Plays `reviewdog`.
const REVIEWDOG: &str =
    "#!/bin/sh\nprintf '%s\\n' \"$*\" >\"$BESIDE/asked\"\ncat >\"$BESIDE/body\"\n";

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self {
            folder: tree(files),
            beside: tempfile::tempdir().unwrap(),
        };
        for (name, text) in [("gh", GH), ("reviewdog", REVIEWDOG)] {
            put(scene.beside.path(), &format!("bin/{name}"), text.as_bytes());
            let path = scene.beside.path().join("bin").join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        put(scene.beside.path(), "comments", b"[]");
        scene
    }

    /// Runs a script as a step does; gives its exit code and all that it says.
    fn step(&self, script: &str, environment: &[(&str, &str)]) -> (i32, String) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR"));
        let beside = self.beside.path();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(beside.join("bin")).chain(std::env::split_paths(&path));
        let mut command = Command::new("bash");
        command
            .arg(scripts.join("ci/action").join(script))
            .current_dir(self.folder.path())
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("BESIDE", beside)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_ACTION_PATH", scripts)
            .env("GITHUB_ENV", beside.join("env"))
            .env("GITHUB_OUTPUT", beside.join("output"))
            .env("GITHUB_STEP_SUMMARY", beside.join("summary"))
            .env("GITHUB_REPOSITORY", "acme/gitops")
            .env("RUNNER_TEMP", beside)
            .env("ECR_REWRITE_PROGRAM", env!("CARGO_BIN_EXE_ecr-rewrite"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs(environment.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = text(&output.stdout) + &text(&output.stderr);
        (output.status.code().unwrap(), told)
    }

    fn beside(&self, name: &str) -> String {
        fs::read_to_string(self.beside.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn the_program_is_told_to_the_later_steps() {
    let scene = Scene::new(&[]);
    let program = env!("CARGO_BIN_EXE_ecr-rewrite");
    let (exit, told) = scene.step("install.sh", &[("PROGRAM", program)]);
    assert_eq!(exit, 0, "{told}");
    assert_eq!(
        scene.beside("env"),
        format!("ECR_REWRITE_PROGRAM={program}\n")
    );
}

#[test]
fn the_gate_annotates_and_fails() {
    let scene = Scene::new(&[("a b.yaml", POD), (".ecr-rewrite.yaml", CONFIG)]);
    let paths = [("PATHS", "a b.yaml\n\n"), ("ARGUMENTS", "--no-config\n")];
    let (exit, told) = scene.step("check.sh", &paths);
    assert_eq!(exit, 1, "{told}");
    assert!(told.contains("::error file=a b.yaml,line=5,"), "{told}");
    assert!(told.contains("<registry>"), "the arguments count: {told}");
    assert!(scene.beside("summary").starts_with("<!-- ecr-rewrite -->"));
    let (exit, _) = scene.step("check.sh", &[("PATHS", "$(touch pwned)\n; touch pwned")]);
    assert_eq!(exit, 2, "no such file, and no command");
    assert!(!scene.folder.path().join("pwned").exists());
}

#[test]
fn there_is_one_comment_and_it_is_kept_up_to_date() {
    let scene = Scene::new(&[("a.yaml", POD), (".ecr-rewrite.yaml", CONFIG)]);
    let pull = [("PULL_REQUEST", "7")];
    let comment = |comments: &str| {
        put(scene.beside.path(), "comments", comments.as_bytes());
        put(scene.beside.path(), "asked", b"");
        let (exit, told) = scene.step("comment.sh", &pull);
        assert_eq!(exit, 0, "{told}");
        let asked = scene.beside("asked");
        let last = asked.lines().last().unwrap().to_string();
        assert!(
            asked.contains("repos/acme/gitops/issues/7/comments"),
            "{asked}"
        );
        (asked.lines().count(), last)
    };
    let person =
        r#"{"id": 1, "user": {"type": "User"}, "body": "<!-- ecr-rewrite --> I am the bot"}"#;
    let other = r#"{"id": 2, "user": {"type": "Bot"}, "body": "about <!-- ecr-rewrite -->"}"#;
    let own = r#"{"id": 3, "user": {"type": "Bot"}, "body": "<!-- ecr-rewrite -->\nold"}"#;
    let (_, made) = comment(&format!("[{person}, {other}]"));
    assert!(
        made.contains("--method POST repos/acme/gitops/issues/7/comments"),
        "{made}"
    );
    assert!(
        scene
            .beside("body")
            .starts_with("<!-- ecr-rewrite -->\n**1 image")
    );
    let (_, changed) = comment(&format!("[{person}, {own}, {other}]"));
    assert!(
        changed.contains("--method PATCH repos/acme/gitops/issues/comments/3 "),
        "{changed}"
    );
    // A fork's token cannot write, and that fails nothing.
    let (exit, told) = scene.step("comment.sh", &[("PULL_REQUEST", "7"), ("GH_STATUS", "1")]);
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("pull-requests: write"), "{told}");
    put(
        scene.folder.path(),
        "a.yaml",
        POD.replace("nginx", &format!("{REGISTRY}/docker-hub/library/nginx"))
            .as_bytes(),
    );
    let (asked, _) = comment("[]");
    assert_eq!(asked, 1, "there is nothing to say");
    let (_, done) = comment(&format!("[{own}]"));
    assert!(
        done.contains("--method PATCH"),
        "what was said is put right: {done}"
    );
    assert!(
        scene
            .beside("body")
            .contains("No image is pulled past Amazon ECR.")
    );
    let (exit, told) = scene.step("comment.sh", &[]);
    assert_eq!(exit, 0, "{told}");
}

#[test]
fn suggestions_go_to_reviewdog() {
    let scene = Scene::new(&[("a.yaml", POD), (".ecr-rewrite.yaml", CONFIG)]);
    let (exit, told) = scene.step("suggest.sh", &[("PULL_REQUEST", "7")]);
    assert_eq!(exit, 0, "{told}");
    assert!(
        scene.beside("asked").contains("-f=rdjson")
            && scene.beside("asked").contains("-reporter=github-pr-review")
    );
    let report: serde_json::Value = serde_json::from_str(&scene.beside("body")).unwrap();
    let text = &report["diagnostics"][0]["suggestions"][0]["text"];
    assert!(text.as_str().unwrap().starts_with(REGISTRY), "{report}");
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
    let output = command
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {talk}");
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

#[test]
fn what_a_rewrite_changes_is_committed_to_the_branch() {
    let scene = Scene::new(&[("a.yaml", POD), (".ecr-rewrite.yaml", CONFIG)]);
    let (folder, remote) = (scene.folder.path(), tempfile::tempdir().unwrap());
    git(remote.path(), &["init", "--quiet", "--bare"]);
    fs::remove_dir(folder.join(".git")).unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=change"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "-m", "a"]);
    git(
        folder,
        &["remote", "add", "origin", remote.path().to_str().unwrap()],
    );
    git(folder, &["push", "--quiet", "origin", "change"]);
    let head = git(folder, &["rev-parse", "HEAD"]);
    let pull = |repository: &str, sha: &str| {
        let environment = [
            ("GITHUB_HEAD_REF", "change"),
            ("HEAD_REPOSITORY", repository),
            ("HEAD_SHA", sha),
        ];
        put(scene.beside.path(), "output", b"");
        let (exit, told) = scene.step("commit.sh", &environment);
        (exit, told, scene.beside("output"))
    };
    let pushed = || git(remote.path(), &["rev-parse", "change"]);
    let (exit, told, output) = pull("stranger/gitops", &head);
    assert_eq!((exit, output.as_str()), (0, "committed=false\n"), "{told}");
    let (exit, told, output) = pull("acme/gitops", "0123456789012345678901234567890123456789");
    assert_eq!((exit, output.as_str()), (2, "committed=false\n"), "{told}");
    put(folder, "a.yaml", b"a: 1\n");
    let (exit, told, _) = pull("acme/gitops", &head);
    assert!(exit == 2 && told.contains("changes already"), "{told}");
    put(folder, "a.yaml", POD.as_bytes());
    assert_eq!(pushed(), head, "nothing was pushed yet");
    let (exit, told, output) = pull("acme/gitops", &head);
    assert_eq!((exit, output.as_str()), (0, "committed=true\n"), "{told}");
    assert!(pushed() != head);
    let shown = git(remote.path(), &["show", "change:a.yaml"]);
    assert!(shown.contains(REGISTRY), "{shown}");
    let files = git(
        remote.path(),
        &["show", "--name-only", "--format=%an", "change"],
    );
    assert_eq!(files, "github-actions[bot]\n\na.yaml");
    let (exit, told, output) = pull("acme/gitops", &pushed());
    assert_eq!((exit, output.as_str()), (0, "committed=false\n"), "{told}");
}

/// The scripts of the job for GitLab, one after the other, as a runner runs them.
#[test]
fn the_job_for_gitlab_reports_and_fails() {
    let template = yaml("ci/gitlab.yml");
    let job = &template["ecr-rewrite"];
    let report = job["artifacts"]["reports"]["codequality"].as_str().unwrap();
    let lines = |key: &str| {
        let list = job[key].as_sequence().unwrap().iter();
        list.map(|line| line.as_str().unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let script = format!("set -e\n{}\n{}\n", lines("before_script"), lines("script"));
    let run = |text: &str| {
        let folder = tree(&[("a.yaml", text), (".ecr-rewrite.yaml", CONFIG)]);
        let program = Path::new(env!("CARGO_BIN_EXE_ecr-rewrite"))
            .parent()
            .unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(program.to_path_buf()).chain(std::env::split_paths(&path));
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path());
        command.env_remove("GITHUB_ACTIONS");
        let output = command
            .env("PATH", std::env::join_paths(path).unwrap())
            .output()
            .unwrap();
        let written = fs::read(folder.path().join(report)).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        (output.status.code(), written.as_array().unwrap().len())
    };
    assert_eq!(run(POD), (Some(1), 1));
    assert_eq!(run("a: 1\n"), (Some(0), 0));
    let variables = template["variables"].as_mapping().unwrap();
    for name in variables.keys().map(|name| name.as_str().unwrap()) {
        let text = fs::read_to_string("ci/gitlab.yml").unwrap();
        assert!(
            text.matches(&format!("${{{name}")).count() + text.matches(&format!("${name}")).count()
                > 0,
            "{name}"
        );
    }
}
