//! What several tests need: the program, and trees of files in temporary folders.
#![allow(dead_code, unreachable_pub)] // each test uses a part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

pub mod current;
pub mod ecr;
pub mod helm;
pub mod judge;
#[cfg(unix)]
pub mod nobody;
pub mod numbers;
pub mod patch;
pub mod rendered;
pub mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use walkdir::WalkDir;

/// The target that the tests rewrite to.
pub const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The program in `folder`, with an environment that says nothing.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecr-rewrite"));
    command.current_dir(folder);
    for name in [
        "ECR_REWRITE_REGISTRY",
        "ECR_REWRITE_CONFIG",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "TF_BUILD",
    ] {
        command.env_remove(name);
    }
    // What the user's Helm has fetched says nothing here.
    command.env("HELM_REPOSITORY_CACHE", "nowhere");
    command
}

/// Runs the program on `folder` and gives exit code, standard output and standard error.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    result(&program(folder).args(arguments).output().unwrap())
}

/// The commands that the helps name, each with the words that lead to it: `rules show`.
pub fn commands() -> Vec<String> {
    let named = |command: &str| -> Vec<String> {
        let words = command.split_whitespace().chain(["--help"]);
        let (_, help, _) = run(Path::new("."), &words.collect::<Vec<_>>());
        let (_, list) = help.split_once("\nCommands:\n").unwrap_or_default();
        let lines = list.lines().take_while(|line| !line.is_empty());
        let words = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let words = words.filter(|word| !matches!(*word, "" | "help"));
        words
            .map(|word| format!("{command} {word}").trim().to_string())
            .collect()
    };
    let first = named("");
    assert!(first.len() > 1, "the help has lost its commands");
    let below = first.iter().flat_map(|command| named(command)).collect();
    [first, below].concat()
}

/// Runs the program with `input` on its standard input.
pub fn run_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = program(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    result(&child.wait_with_output().unwrap())
}

fn result(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A temporary folder with these files; a `.git` makes it a repository.
pub fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        put(folder.path(), path, text.as_bytes());
    }
    folder
}

/// A pod with a container for each image.
pub fn pod(images: &[&str]) -> String {
    let images = images.iter().map(|image| format!("  - image: {image}\n"));
    format!(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{}",
        images.collect::<String>()
    )
}

/// An empty repository in memory where that can be had: the program waits for the disk with each file.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

/// Writes a file and the folders it lies in.
pub fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Every file below `folder` but those of `.git`, with its bytes.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let visible = |entry: &walkdir::DirEntry| entry.file_name() != ".git";
    let entries = WalkDir::new(folder)
        .into_iter()
        .filter_entry(visible)
        .map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_path_buf();
            (path, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Copies a tree.
pub fn copy(from: &Path, to: &Path) {
    for (path, bytes) in contents(from) {
        let target = to.join(&path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(&target, bytes).unwrap();
        fs::set_permissions(
            &target,
            fs::metadata(from.join(&path)).unwrap().permissions(),
        )
        .unwrap();
    }
}

/// Applies a patch with git, outside of any repository's index.
pub fn git_apply(folder: &Path, patch: &str) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), patch).unwrap();
    Command::new("git")
        .current_dir(folder)
        .args(["apply", "--whitespace=nowarn"])
        .arg(file.path())
        .output()
        .unwrap()
}

/// The corpus, unpacked once below `target/`.
pub fn corpus() -> PathBuf {
    static CORPUS: LazyLock<PathBuf> = LazyLock::new(|| unpacked("corpus", "corpus/dev.tar.gz"));
    CORPUS.clone()
}

/// Chart packages, unpacked once below `target/`.
pub fn charts() -> PathBuf {
    static CHARTS: LazyLock<PathBuf> = LazyLock::new(|| unpacked("charts", "corpus/charts.tar.gz"));
    // The package has no scripts, and the chart cannot do without any.
    let script = CHARTS.join("jupyterhub/files/hub/z.py");
    if !script.exists() {
        put(&CHARTS, "jupyterhub/files/hub/z.py", b"x = 1\n");
    }
    CHARTS.clone()
}

/// An archive of the shared folder, unpacked: into a folder of its own that gets its name when it is
/// complete, since tests run at the same time and the next run finds what is there.
fn unpacked(name: &str, archive: &str) -> PathBuf {
    let shared = std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED");
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = below.join(name);
    if !folder.exists() {
        let unpacked = tempfile::tempdir_in(below).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("xzf")
            .arg(Path::new(&shared).join(archive))
            .arg("-C")
            .arg(unpacked.path());
        assert!(tar.status().unwrap().success());
        fs::rename(unpacked.keep(), &folder).unwrap();
    }
    folder
}
