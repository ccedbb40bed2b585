//! The documents: every console block runs as it is shown, every command in a shell block is one that the
//! program takes, and every link leads somewhere.
//!
//! A page is one session, from its first block to its last, in a checkout of its own that holds `testdata/demo`
//! and `testdata/rules` alone. `$ cd FOLDER` moves; a command that fails has to be followed by
//! `$ echo $?`. `ECR_REWRITE_BLESS=1` writes what commands print into the blocks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout)] // skips are for who runs it

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use common::tools::{HELM, KUSTOMIZE};
use common::{contents, copy, current, program};
use regex::Regex;

/// Programs that a page needs besides the usual ones, by a word of its commands.
const NEEDS: &[(&str, &[&str])] = &[("prove", &["helm", "kustomize"]), ("jq", &["jq"])];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents for users, relative to the checkout.
fn pages() -> Vec<String> {
    let docs = contents(&root().join("docs")).into_keys();
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let pages = pages.map(|path| format!("docs/{}", path.display()));
    std::iter::once("README.md".to_string())
        .chain(pages)
        .collect()
}

/// A fenced block of a page.
struct Block {
    /// The lines of its text, as a range of the lines of the page.
    lines: std::ops::Range<usize>,
    /// What stands behind the fence.
    info: String,
}

/// The fenced blocks of a page, in their order.
fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for (index, line) in page.lines().enumerate() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        open = match open {
            None => Some((index + 1, info.trim().to_string())),
            Some((start, info)) => {
                blocks.push(Block {
                    lines: start..index,
                    info,
                });
                None
            }
        };
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// A page being run.
struct Session {
    folder: tempfile::TempDir,
    /// Where it stands.
    at: PathBuf,
    /// The exit code of the last command.
    exit: i32,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("ecr-rewrite");
        for part in ["testdata/demo", "testdata/rules"] {
            copy(&root().join(part), &at.join(part));
        }
        fs::create_dir(at.join(".git")).unwrap();
        Self {
            folder,
            at,
            exit: 0,
        }
    }

    /// What a command prints, on both streams.
    fn run(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.at = self.at.join(folder.trim()).canonicalize().unwrap();
            assert!(
                self.at
                    .starts_with(self.folder.path().canonicalize().unwrap())
            );
            return String::new();
        }
        if command.trim() == "echo $?" {
            return format!("{}\n", std::mem::take(&mut self.exit));
        }
        assert_eq!(
            self.exit, 0,
            "the command before `{command}` failed and nothing says so"
        );
        let ours = program(&self.at);
        let folder = Path::new(ours.get_program()).parent().unwrap().to_owned();
        let paths = std::iter::once(&folder).chain(&*FOLDERS);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{command}"));
        shell.current_dir(&self.at);
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        for name in [
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCOUNT_ID",
            "AWS_PROFILE",
        ] {
            shell.env_remove(name);
        }
        shell.env("PATH", std::env::join_paths(paths).unwrap());
        let output = shell.output().unwrap();
        self.exit = output.status.code().unwrap_or(-1);
        let text = String::from_utf8(output.stdout).unwrap();
        // Times differ from run to run.
        let times = Regex::new(r"(\bin |\[)\d+(\.\d+)?( ?)(s|ms)\b").unwrap();
        times.replace_all(&text, "${1}0.1${3}s").into_owned()
    }
}

/// Where the pages' commands are looked for: the path, and where tests put other people's programs.
static FOLDERS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let path = std::env::var_os("PATH").unwrap();
    let tools = [HELM, KUSTOMIZE].map(|tool| tool.find().ok());
    let tools = tools.into_iter().flatten();
    let tools = tools.filter_map(|tool| Some(tool.parent()?.to_path_buf()));
    // What is on the path already has no folder.
    let tools = tools.filter(|folder| !folder.as_os_str().is_empty());
    std::env::split_paths(&path).chain(tools).collect()
});

/// Whether everything that the page's commands need is there; says so when it is not.
fn can_run(path: &str, commands: &str) -> bool {
    let words: BTreeSet<&str> = commands.split_whitespace().collect();
    let needed = NEEDS.iter().filter(|(word, _)| words.contains(word));
    let there = |name: &&&str| FOLDERS.iter().any(|folder| folder.join(name).is_file());
    let missing: Vec<&&str> = needed
        .flat_map(|(_, names)| *names)
        .filter(|name| !there(name))
        .collect();
    let can = missing.is_empty();
    if !can {
        let missing: Vec<&str> = missing.iter().map(|name| **name).collect();
        println!("SKIPPED: {path} needs {}", missing.join(" and "));
    }
    can
}

/// The page with its console blocks as its commands print them now, and how many commands there are.
fn played(path: &str, page: &str) -> (String, usize) {
    let lines: Vec<&str> = page.lines().collect();
    let mut played = Vec::new();
    let (mut done, mut count) = (0, 0);
    let mut session = None;
    for block in blocks(page) {
        if block.info != "console" {
            continue;
        }
        played.extend(
            lines[done..block.lines.start]
                .iter()
                .map(ToString::to_string),
        );
        done = block.lines.end;
        let block = &lines[block.lines];
        assert!(
            block.first().is_some_and(|line| line.starts_with("$ ")),
            "{path}: a console block begins with `$ `"
        );
        for line in block.iter().filter(|line| line.starts_with("$ ")) {
            let session = session.get_or_insert_with(Session::new);
            let command = line[2..].split("   # ").next().unwrap();
            let output = session.run(command);
            played.push((*line).to_string());
            played.extend(output.lines().map(ToString::to_string));
            count += 1;
        }
    }
    let failed = session.map_or(0, |session| session.exit);
    assert_eq!(
        failed, 0,
        "{path}: the last command failed and nothing says so"
    );
    played.extend(lines[done..].iter().map(ToString::to_string));
    (played.join("\n") + "\n", count)
}

#[test]
fn every_console_block_prints_what_it_shows() {
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(root().join(&path)).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        let all = blocks(&page);
        let consoles = all.iter().filter(|block| block.info == "console");
        let commands: Vec<&str> = consoles
            .flat_map(|block| &lines[block.lines.clone()])
            .filter(|line| line.starts_with("$ "))
            .copied()
            .collect();
        if commands.is_empty() || !can_run(&path, &commands.join("\n")) {
            continue;
        }
        let (played, commands) = played(&path, &page);
        current::whole(&path, &played);
        count += commands;
    }
    assert!(count > 15, "only {count} commands were run");
}

/// The commands of ours in a line of a shell block: up to what the shell takes for itself.
fn ours(line: &str) -> Vec<String> {
    let line = line
        .split(" # ")
        .next()
        .unwrap()
        .split("   #")
        .next()
        .unwrap();
    let pieces = line.split(['|', ';', '&', '"', '(', ')']).map(str::trim);
    let ours = pieces.filter(|piece| piece.starts_with("ecr-rewrite "));
    let plain = |piece: &str| {
        piece
            .split([' '])
            .take_while(|word| !word.starts_with(['<', '>']) || word.contains("<r"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    ours.map(|piece| plain(piece.trim_end_matches('`')))
        .collect()
}

#[test]
fn every_command_in_a_shell_block_is_one_that_the_program_takes() {
    let folder = common::tree(&[]);
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(root().join(&path)).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        for block in blocks(&page) {
            if !matches!(block.info.as_str(), "sh" | "yaml" | "text" | "json") {
                continue;
            }
            for command in lines[block.lines].iter().flat_map(|line| ours(line)) {
                let words = command.split(' ').skip(1).filter(|word| *word != "--");
                let mut program = program(folder.path());
                let output = program.args(words).arg("--help").output().unwrap();
                let told = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{path}: `{command}`: {told}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} commands were found");
}

/// The names by which GitHub finds the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let blocks = blocks(page);
    let in_block = |index: &usize| blocks.iter().any(|block| block.lines.contains(index));
    let lines = page.lines().enumerate();
    let headings = lines.filter(|(index, line)| line.starts_with('#') && !in_block(index));
    let anchor = |(_, line): (usize, &str)| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        text.chars()
            .filter(kept)
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut pages = pages();
    pages.extend(["CONTRIBUTING.md", "CHANGELOG.md", "benches/README.md"].map(String::from));
    let mut count = 0;
    for path in pages {
        let page = fs::read_to_string(root().join(&path)).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        let blocks = blocks(&page);
        let in_block = |index: &usize| blocks.iter().any(|block| block.lines.contains(index));
        let lines = lines
            .iter()
            .enumerate()
            .filter(|(index, _)| !in_block(index));
        for (number, line) in lines {
            for found in link.captures_iter(line) {
                let target = &found[1];
                if target.contains("://") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let folder = Path::new(&path).parent().unwrap();
                let file = match file {
                    "" => root().join(&path),
                    file => root().join(folder).join(file),
                };
                let at = format!("{path}:{}: `{target}`", number + 1);
                assert!(file.exists(), "{at} does not exist");
                if !anchor.is_empty() {
                    let page = fs::read_to_string(&file).unwrap();
                    assert!(anchors(&page).contains(anchor), "{at}: no such heading");
                }
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
}
