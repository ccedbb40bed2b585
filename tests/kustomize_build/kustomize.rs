//! The real kustomize: what it builds of a folder, or why it builds nothing. It has no network, none
//! of the user's configuration, and half a minute.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_yaml::Value;

use super::common::tools::KUSTOMIZE;

/// Long for one build, and no build takes it.
const TIMEOUT: Duration = Duration::from_secs(30);
const NAP: Duration = Duration::from_millis(1);
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Why a kustomization cannot be built: words of what kustomize says, the first that fit.
const REASONS: &[(&str, &[&str])] = &[
    ("needs helm", &["--enable-helm", "helm"]),
    (
        "needs a plugin",
        &["--enable-alpha-plugins", "plugin", "exec"],
    ),
    (
        "remote",
        &[
            "git fetch",
            "proxyconnect",
            "dial tcp",
            "git clone",
            "git init",
        ],
    ),
    (
        "missing file",
        &[
            "no such file",
            "must resolve to a file",
            "unable to find one of",
        ],
    ),
    ("a component", &["expected kind != 'Component'"]),
    (
        "not YAML",
        &["yaml:", "invalid Kustomization", "unmarshal", "json:"],
    ),
    (
        "a field it does not take",
        &[
            "unknown field",
            "unable to find patch target",
            "no matches for",
        ],
    ),
    ("took too long", &["killed after"]),
];

/// Why nothing was built.
#[derive(Clone, Debug)]
pub struct Unbuildable {
    /// One of a few.
    pub reason: &'static str,
    /// What kustomize said.
    pub talk: String,
}

/// What kustomize makes.
#[derive(Clone, Debug)]
pub struct Build {
    /// As it prints it.
    pub text: String,
    /// What that says.
    pub objects: Vec<Value>,
}

/// Kustomize and a home for it.
pub struct Kustomize {
    program: PathBuf,
    home: tempfile::TempDir,
}

impl Kustomize {
    /// Finds or installs it; `None`, and a loud word, when there is none.
    pub fn find() -> Option<Self> {
        match KUSTOMIZE.find() {
            Ok(program) => Some(Self {
                program,
                home: tempfile::tempdir().unwrap(),
            }),
            Err(why) => {
                println!("\n!! SKIPPED: kustomizations are not built; {why}\n");
                None
            }
        }
    }

    /// The objects that the kustomization in `folder` makes.
    pub fn build(&self, folder: &Path) -> Result<Build, Unbuildable> {
        let mut command = Command::new(&self.program);
        command
            .args(["build", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path());
        for proxy in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
        ] {
            command.env(proxy, NOWHERE);
        }
        command
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        let (success, output, talk) = finish(command);
        if !success {
            return Err(unbuildable(&talk));
        }
        match documents(&output) {
            Ok(objects) => Ok(Build {
                text: output,
                objects,
            }),
            Err(error) => Err(unbuildable(&format!("yaml: {error}"))),
        }
    }
}

/// The documents of a stream.
pub fn documents(text: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(Value::deserialize).collect()
}

fn unbuildable(talk: &str) -> Unbuildable {
    let says = |words: &[&str]| words.iter().any(|word| talk.contains(word));
    let reason = REASONS.iter().find(|(_, words)| says(words));
    Unbuildable {
        reason: reason.map_or("something else", |(reason, _)| reason),
        talk: talk.trim().to_string(),
    }
}

/// Runs a command to its end, or until its time is over.
fn finish(mut command: Command) -> (bool, String, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = reader(child.stdout.take().unwrap());
    let talk = reader(child.stderr.take().unwrap());
    let success = wait(&mut child);
    let (output, mut talk) = (output.join().unwrap(), talk.join().unwrap());
    if success.is_none() {
        talk.push_str("killed after its time was over");
    }
    (success == Some(true), output, talk)
}

fn wait(child: &mut Child) -> Option<bool> {
    let started = Instant::now();
    while started.elapsed() < TIMEOUT {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.success());
        }
        thread::sleep(NAP);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
