//! The hooks, run by the real pre-commit in repositories made for that: what is installed, which commits
//! fail, what they say, and what is left in the files.
//!
//! pre-commit is installed from PyPI, once and outside of this folder.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // skips are for who runs it

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{REGISTRY, put};

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1.27\n";
const CONFIG: &str = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\nexclude: [\"vendor/**\"]\n";
/// An overlay that names the image of a base which another overlay takes as it is: where the base
/// changes, its name has to.
const OVERLAY: &str = "resources: [../base]\nimages:\n- name: nginx\n  newTag: \"2\"\n";

/// Where pre-commit is: in the user's cache, put there with pip when it is not; or why there is none.
fn pre_commit() -> Result<PathBuf, String> {
    let package = common::tools::Package {
        name: "pre-commit",
        version: "4.7.0",
        command: "pre-commit",
    };
    package.find()
}

/// A repository with the hooks installed.
struct Repository {
    folder: tempfile::TempDir,
    /// Where pre-commit keeps what it clones and builds.
    home: tempfile::TempDir,
    /// Where it clones the hooks from.
    hooks: PathBuf,
    pre_commit: PathBuf,
}

/// The hooks alone, as a repository that pre-commit can clone.
fn hooks() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    fs::copy(
        ".pre-commit-hooks.yaml",
        folder.path().join(".pre-commit-hooks.yaml"),
    )
    .unwrap();
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "hooks"]);
    folder
}

/// Git, without the settings of whoever runs the test.
fn git_command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for person in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{person}_NAME"), "a");
        command.env(format!("GIT_{person}_EMAIL"), "a@example.com");
    }
    command
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = git_command(folder).args(arguments).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {talk}");
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

impl Repository {
    fn new(pre_commit: &Path, hooks: &Path, ids: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]);
        let revision = git(hooks, &["rev-parse", "HEAD"]);
        let ids = ids.iter().map(|id| format!("  - id: {id}\n"));
        let config = format!(
            "repos:\n- repo: {}\n  rev: {revision}\n  hooks:\n{}",
            hooks.display(),
            ids.collect::<String>()
        );
        put(folder.path(), ".pre-commit-config.yaml", config.as_bytes());
        put(folder.path(), ".ecr-rewrite.yaml", CONFIG.as_bytes());
        let repository = Self {
            folder,
            home: tempfile::tempdir().unwrap(),
            hooks: hooks.to_path_buf(),
            pre_commit: pre_commit.to_path_buf(),
        };
        assert!(repository.hooks.exists());
        let installed = repository.run(&["install"]);
        assert!(installed.0, "{}", installed.1);
        assert!(
            repository
                .folder
                .path()
                .join(".git/hooks/pre-commit")
                .exists()
        );
        git(repository.folder.path(), &["add", "."]);
        repository
    }

    /// The environment of a user with the program on the `PATH`.
    fn prepare(&self, command: &mut Command) {
        let program = Path::new(env!("CARGO_BIN_EXE_ecr-rewrite"))
            .parent()
            .unwrap();
        let own = self.pre_commit.parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let rest = std::env::split_paths(&path);
        let path = [program.to_path_buf(), own.to_path_buf()]
            .into_iter()
            .chain(rest);
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.env("PRE_COMMIT_HOME", self.home.path());
        for name in [
            "ECR_REWRITE_REGISTRY",
            "ECR_REWRITE_CONFIG",
            "GITHUB_ACTIONS",
            "SKIP",
        ] {
            command.env_remove(name);
        }
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(&self.pre_commit);
        command.current_dir(self.folder.path()).args(arguments);
        command.args(["--color=never"]);
        self.prepare(&mut command);
        told(&mut command)
    }

    fn put(&self, path: &str, text: &str) {
        put(self.folder.path(), path, text.as_bytes());
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    /// Commits these files and nothing else; whether that went well, and what was said.
    fn commit(&self, paths: &[&str]) -> (bool, String) {
        git(self.folder.path(), &[&["add", "--"], paths].concat());
        let mut command = git_command(self.folder.path());
        command.args(["commit", "-m", "change"]);
        self.prepare(&mut command);
        told(&mut command)
    }

    fn commits(&self) -> usize {
        let mut command = git_command(self.folder.path());
        let output = command
            .args(["rev-list", "--count", "--all"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }
}

fn told(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&output.stdout) + &text(&output.stderr);
    (output.status.success(), told)
}

fn in_ecr(text: &str) -> String {
    text.replace("nginx:", &format!("{REGISTRY}/docker-hub/library/nginx:"))
}

/// The line of the hook in what pre-commit says, and its verdict.
fn verdict<'t>(told: &'t str, name: &str) -> &'t str {
    let line = told.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("{name} was not run: {told}"));
    line.trim_start_matches(name).trim_start_matches('.')
}

const CHECK: &str = "images come from Amazon ECR";
const REWRITE: &str = "rewrite images to Amazon ECR";

#[test]
#[ignore = "needs pre-commit from PyPI"]
fn pre_commit_checks_and_rewrites_commits() {
    let pre_commit = match pre_commit() {
        Ok(program) => program,
        Err(why) => return eprintln!("SKIPPED: the hooks in pre-commit: {why}"),
    };
    let hooks = hooks();
    a_commit_fails_until_it_is_fixed(&pre_commit, hooks.path());
    a_hook_rewrites_what_is_committed(&pre_commit, hooks.path());
    a_base_is_not_cut_off_from_its_overlay(&pre_commit, hooks.path());
    what_is_no_business_of_the_hook_passes(&pre_commit, hooks.path());
}

fn a_commit_fails_until_it_is_fixed(pre_commit: &Path, hooks: &Path) {
    let repository = Repository::new(pre_commit, hooks, &["ecr-rewrite-check-system"]);
    repository.put("web/pod with space.yaml", POD);
    let (done, told) = repository.commit(&["web"]);
    assert!(!done && repository.commits() == 0, "{told}");
    assert_eq!(verdict(&told, CHECK), "Failed", "{told}");
    for part in [
        "[web/pod with space.yaml:5:12]",
        &in_ecr("becomes `nginx:1.27`"),
        "see docs/findings/not-through-ecr.md",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(
        repository.text("web/pod with space.yaml"),
        POD,
        "a check writes nothing"
    );
    repository.put("web/pod with space.yaml", &in_ecr(POD));
    let (done, told) = repository.commit(&["web"]);
    assert!(done && repository.commits() == 1, "{told}");
    assert_eq!(verdict(&told, CHECK), "Passed", "{told}");
}

fn a_hook_rewrites_what_is_committed(pre_commit: &Path, hooks: &Path) {
    let ids = ["ecr-rewrite-system", "ecr-rewrite-check-system"];
    let repository = Repository::new(pre_commit, hooks, &ids);
    repository.put("web/pod.yaml", POD);
    repository.put("-dash.yaml", POD);
    repository.put("other.yaml", POD);
    let (done, told) = repository.commit(&["web", "./-dash.yaml"]);
    assert!(
        !done && told.contains("files were modified by this hook"),
        "{told}"
    );
    assert_eq!(verdict(&told, REWRITE), "Failed");
    assert_eq!(
        verdict(&told, CHECK),
        "Passed",
        "the check sees what was rewritten"
    );
    for path in ["web/pod.yaml", "-dash.yaml"] {
        assert_eq!(repository.text(path), in_ecr(POD), "{path}");
    }
    assert_eq!(repository.text("other.yaml"), POD, "it is not committed");
    let (done, told) = repository.commit(&["web", "./-dash.yaml"]);
    assert!(done, "{told}");
    let (done, told) = repository.run(&["run", "--all-files"]);
    assert!(done, "other.yaml is not known to git: {told}");
}

fn a_base_is_not_cut_off_from_its_overlay(pre_commit: &Path, hooks: &Path) {
    let ids = ["ecr-rewrite-system", "ecr-rewrite-check-system"];
    let repository = Repository::new(pre_commit, hooks, &ids);
    repository.put("base/kustomization.yaml", "resources: [pod.yaml]\n");
    repository.put("base/pod.yaml", POD);
    repository.put("plain/kustomization.yaml", "resources: [../base]\n");
    repository.put("over/kustomization.yaml", OVERLAY);
    let (done, told) = repository.commit(&["base", "plain"]);
    assert!(!done, "{told}");
    assert_eq!(
        verdict(&told, REWRITE),
        "Passed",
        "nothing can be done for the base alone"
    );
    assert_eq!(verdict(&told, CHECK), "Failed");
    assert!(
        told.contains("over/kustomization.yaml") && told.contains("add that path"),
        "{told}"
    );
    assert_eq!(repository.text("base/pod.yaml"), POD);
    assert_eq!(repository.text("over/kustomization.yaml"), OVERLAY);
    let (done, told) = repository.commit(&["base", "plain", "over"]);
    assert!(!done, "{told}");
    assert_eq!(verdict(&told, REWRITE), "Failed", "both are rewritten");
    let (done, told) = repository.commit(&["base", "plain", "over"]);
    assert!(done, "{told}");
    assert_eq!(repository.text("base/pod.yaml"), in_ecr(POD));
    let name = format!("name: {REGISTRY}/docker-hub/library/nginx\n");
    assert!(repository.text("over/kustomization.yaml").contains(&name));
}

fn what_is_no_business_of_the_hook_passes(pre_commit: &Path, hooks: &Path) {
    let ids = ["ecr-rewrite-system", "ecr-rewrite-check-system"];
    let repository = Repository::new(pre_commit, hooks, &ids);
    // The configs that are in the index already are hidden files.
    repository.put("README.md", "image: nginx\n");
    repository.put("run.sh", "docker run nginx\n");
    let (done, told) = repository.commit(&["README.md", "run.sh", ".pre-commit-config.yaml"]);
    assert!(done, "{told}");
    repository.put("README.md", "image: nginx:1\n");
    let (done, told) = repository.commit(&["README.md"]);
    assert!(done, "{told}");
    for name in [REWRITE, CHECK] {
        assert_eq!(verdict(&told, name), "(no files to check)Skipped");
    }
    let left = [
        ("vendor/pod.yaml", POD),
        ("docker-compose.yaml", "services: {web: {image: nginx}}\n"),
        (
            ".github/workflows/ci.yml",
            "jobs: {a: {container: {image: nginx:1}}}\n",
        ),
        (".argo/pod.yaml", POD),
    ];
    for (path, text) in left {
        repository.put(path, text);
    }
    let (done, told) = repository.commit(&left.map(|(path, _)| path));
    assert!(done, "{told}");
    assert_eq!(verdict(&told, CHECK), "Passed");
    for (path, text) in left {
        assert_eq!(repository.text(path), text, "{path}");
    }
    let named = [
        "chart/templates/a.tpl",
        "a.yml.j2",
        "k/Kustomization",
        "pod.json",
    ];
    repository.put(named[0], POD);
    repository.put(named[1], POD);
    repository.put(named[2], "images: [{name: x/nginx, newName: nginx}]\n");
    repository.put(named[3], "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"image\": \"nginx:1\"}]}}\n");
    let (done, told) = repository.commit(&named);
    assert!(!done, "{told}");
    for path in named {
        assert!(repository.text(path).contains(REGISTRY), "{path}: {told}");
    }
}

/// The variant that needs no program: pre-commit builds it. What is asked is whether it can, so that it is
/// built in the fastest way: minutes all the same, and on request only.
#[test]
#[ignore = "needs pre-commit from PyPI"]
fn pre_commit_builds_the_rust_hook() {
    let pre_commit = match pre_commit() {
        Ok(program) => program,
        Err(why) => return eprintln!("SKIPPED: the hook that pre-commit builds: {why}"),
    };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = Repository::new(&pre_commit, sources, &["ecr-rewrite-check"]);
    repository.put("pod.yaml", POD);
    git(repository.folder.path(), &["add", "pod.yaml"]);
    let mut command = Command::new(&repository.pre_commit);
    command.current_dir(repository.folder.path());
    command.args(["run", "--color=never"]);
    repository.prepare(&mut command);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hook");
    command.env("CARGO_TARGET_DIR", target);
    for (setting, value) in [("LTO", "off"), ("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "16")] {
        command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    let (done, told) = told(&mut command);
    assert!(!done, "{told}");
    assert_eq!(verdict(&told, CHECK), "Failed", "{told}");
    assert!(told.contains(&in_ecr("becomes `nginx:1.27`")), "{told}");
}
