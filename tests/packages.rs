//! What users install: the packed release and the script that takes it, the wheel, and what is printed for
//! packages.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed
#![allow(clippy::print_stderr)] // skips are for who runs it

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{commands, put, run, tree};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecr-rewrite");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name that a release has for this machine, where there is one.
fn machine() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-musl"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-musl"),
        ("macos", "aarch64") => Some("aarch64-apple-darwin"),
        ("macos", "x86_64") => Some("x86_64-apple-darwin"),
        _ => None,
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What stands for the program in a package: it runs the one that was built for tests, which is large.
fn stand_in() -> String {
    format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n")
}

/// A folder as a release has it: the packed program with its checksum.
fn release(target: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut pack = Command::new("bash");
    pack.arg(root().join("ci/release/package.sh"));
    let program = folder.path().join("built/ecr-rewrite");
    put(folder.path(), "built/ecr-rewrite", stand_in().as_bytes());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let packed = pack
        .arg(&program)
        .arg(target)
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", text(&packed.stderr));
    let sums = "sha256sum ./*.tar.gz 2>/dev/null || shasum -a 256 ./*.tar.gz";
    let sums = format!("({sums}) | sed 's| \\./| |' >SHA256SUMS");
    let mut sum = Command::new("sh");
    let summed = sum.args(["-c", &sums]).current_dir(folder.path()).status();
    assert!(summed.unwrap().success());
    folder
}

/// Runs the script in an empty home; cargo is played by a stub that says so, and fails.
fn install(arguments: &[&str]) -> (Output, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    for (name, script) in [
        ("cargo", "#!/bin/sh\necho BUILDING >&2\nexit 1\n"),
        ("rustc", "#!/bin/sh\necho rustc 1.99.0\n"),
    ] {
        put(home.path(), &format!("stubs/{name}"), script.as_bytes());
        let path = home.path().join("stubs").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut script = Command::new("sh");
    script.arg(root().join("install.sh")).args(arguments);
    script.current_dir(home.path()).env_clear();
    let path = format!(
        "{}/stubs:/usr/local/bin:/usr/bin:/bin",
        home.path().display()
    );
    script.env("PATH", path).env("HOME", home.path());
    (script.output().unwrap(), home)
}

#[test]
fn the_script_installs_a_release_with_its_checksum_in_an_empty_home() {
    let Some(target) = machine() else {
        return eprintln!("SKIPPED: there is no release for this machine");
    };
    let release = release(target);
    let url = format!("file://{}", release.path().display());
    let (output, home) = install(&["--from", &url]);
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("whose checksum is right"), "{told}");
    assert!(text(&output.stdout).contains(&format!("ecr-rewrite {VERSION}")));
    let program = home.path().join(".local/bin/ecr-rewrite");
    assert_eq!(fs::read_to_string(program).unwrap(), stand_in());

    // What does not match is refused, and what was there stays.
    let sums = release.path().join("SHA256SUMS");
    let wrong = fs::read_to_string(&sums).unwrap();
    let (sum, rest) = wrong.split_at(64);
    let other = if sum.starts_with('0') { "1" } else { "0" };
    fs::write(&sums, format!("{other}{}{rest}", &sum[1..])).unwrap();
    let (output, home) = install(&["--from", &url]);
    let told = text(&output.stderr);
    assert!(
        !output.status.success() && told.contains("nothing was installed"),
        "{told}"
    );
    assert!(!told.contains("BUILDING"), "{told}");
    assert_eq!(
        fs::read_dir(home.path().join(".local/bin"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn the_script_builds_where_there_is_no_release() {
    let nothing = tempfile::tempdir().unwrap();
    let url = format!("file://{}", nothing.path().display());
    let (output, _home) = install(&["--from", &url]);
    let told = text(&output.stderr);
    assert!(
        !output.status.success() && told.contains("has no release"),
        "{told}"
    );
    for arguments in [&["--build"][..], &["--build", "--to", "bin"]] {
        let (output, _home) = install(arguments);
        let told = text(&output.stderr);
        assert!(
            told.contains("BUILDING") && told.contains("the build failed"),
            "{told}"
        );
    }
    // The package does not say where it is published, so there is nothing to ask.
    let cargo = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    if !cargo.contains("\nrepository = ") {
        let (output, _home) = install(&[]);
        assert!(text(&output.stderr).contains("BUILDING"));
    }
    let (output, _home) = install(&["--bild"]);
    assert!(text(&output.stderr).contains("`--bild` is unknown"));
}

/// Every file of a packed release.
#[test]
fn a_release_holds_what_a_package_needs() {
    let release = release("test-target");
    let name = format!("ecr-rewrite-{VERSION}-test-target");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(format!("{name}.tar.gz"));
    assert!(tar.current_dir(release.path()).status().unwrap().success());
    let files = common::contents(&release.path().join(&name));
    for path in [
        "ecr-rewrite",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "completions/ecr-rewrite.bash",
        "completions/_ecr-rewrite",
        "completions/ecr-rewrite.fish",
        "completions/_ecr-rewrite.ps1",
        "man/ecr-rewrite.1",
        "man/ecr-rewrite-rules.1",
        "schemas/config.schema.json",
    ] {
        let bytes = files.get(Path::new(path));
        assert!(bytes.is_some_and(|bytes| bytes.len() > 20), "{path}");
    }
}

#[test]
fn completions_and_man_pages_know_every_command_and_option() {
    let folder = tree(&[]);
    // Those with a man page of their own, and their words in completions.
    let first = commands()
        .into_iter()
        .filter(|command| !command.contains(' '));
    let commands: Vec<String> = first.collect();
    let printed = |arguments: &[&str]| {
        let (exit, output, talk) = run(folder.path(), &[&["generate"], arguments].concat());
        assert_eq!(exit, 0, "{arguments:?}: {talk}");
        output
    };
    let (_, help, _) = run(folder.path(), &["--help"]);
    let long = |line: &str| {
        let option = line
            .trim_start()
            .split(' ')
            .find(|word| word.starts_with("--"))?;
        let end = option.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        Some(option[..end.unwrap_or(option.len())].to_string())
    };
    let defined = |line: &&str| line.trim_start().starts_with('-');
    let options: Vec<String> = help.lines().filter(defined).filter_map(long).collect();
    assert!(options.len() > 20, "{options:?}");
    let page = printed(&["man"]);
    for option in &options {
        let escaped = option.replace('-', "\\-");
        assert!(page.contains(&escaped), "the man page lacks {option}");
    }
    assert!(
        page.contains("Exit codes") && page.contains("pull\\-through"),
        "{page}"
    );
    assert!(!page.contains("generate"), "it is for packages alone");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        let known = |word: &str| {
            script.contains(word.trim_start_matches(match shell {
                // fish names options without dashes.
                "fish" => "--",
                _ => "",
            }))
        };
        for word in commands.iter().chain(&options) {
            assert!(known(word), "{shell} does not know {word}");
        }
        let has_values = matches!(shell, "bash" | "zsh" | "fish");
        assert_eq!(script.contains("sarif"), has_values, "{shell}");
    }
    for command in &commands {
        let page = printed(&["man", command]);
        assert!(page.contains(&format!("ecr\\-rewrite {command}")), "{page}");
    }
    // The shell that is always there reads its script.
    let script = folder.path().join("completions.bash");
    fs::write(&script, printed(&["completions", "bash"])).unwrap();
    let read = Command::new("bash")
        .arg("-n")
        .arg(&script)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", text(&read.stderr));
    let complete = "source completions.bash; COMP_WORDS=(ecr-rewrite --che); COMP_CWORD=1; _ecr__rewrite ecr-rewrite --che ecr-rewrite; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let bash = bash.args(["-c", complete]).current_dir(folder.path());
    assert_eq!(text(&bash.output().unwrap().stdout), "--check\n");
    let words = fs::read_to_string(&script).unwrap();
    assert!(
        !words.contains("ecr__rewrite,help"),
        "there is no such command"
    );
}

#[test]
fn schemas_are_those_of_the_documents() {
    let folder = tree(&[]);
    for of in ["config", "report", "images", "prove", "rules"] {
        let (exit, output, _) = run(folder.path(), &["generate", "schema", of]);
        assert_eq!(exit, 0);
        let path = root().join(format!("docs/{of}.schema.json"));
        assert_eq!(output, fs::read_to_string(path).unwrap(), "{of}");
    }
}

/// The wheel, built with maturin without optimisation, installed into an environment of its own, and
/// run from there; and as the hook that the documents show.
#[test]
#[ignore = "needs maturin from PyPI"]
fn the_wheel_brings_the_program() {
    let package = common::tools::Package {
        name: "maturin",
        version: "1.16.0",
        command: "maturin",
    };
    let maturin: PathBuf = match package.find() {
        Ok(program) => program,
        Err(why) => return eprintln!("SKIPPED: the wheel: {why}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut build = Command::new(maturin);
    build.args(["build", "--profile", "dev", "--locked", "--out"]);
    build.arg(folder.path()).current_dir(root());
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    let entries = fs::read_dir(folder.path()).unwrap();
    let wheels: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let [wheel] = &wheels[..] else {
        panic!("{wheels:?}");
    };
    let name = wheel.file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        name.starts_with(&format!("ecr_rewrite-{VERSION}-py3-none-")),
        "{name}"
    );
    let home = tempfile::tempdir().unwrap();
    let run = |command: &mut Command| {
        let output = command.env("HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let own = home.path().join("own");
    run(Command::new("python3").args(["-m", "venv"]).arg(&own));
    run(Command::new(own.join("bin/pip"))
        .args(["install", "--no-index"])
        .arg(wheel));
    let version = run(Command::new(own.join("bin/ecr-rewrite")).arg("--version"));
    assert_eq!(version, format!("ecr-rewrite {VERSION}\n"));
}
