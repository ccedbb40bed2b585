//! Helm and kustomize: found on the machine, and run so that nothing of a repository can reach anything.
//!
//! They get no network (proxies where nobody listens, no `git` and nothing else on the path), no
//! configuration, plugins or cluster of the user, a time and a size. What would fetch something is
//! refused before they run, too: see `closure`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The version of Kubernetes that charts are rendered for: a Helm that was built from source claims an old
/// one, which many charts refuse.
pub const KUBE_VERSION: &str = "1.34.0";
/// Kinds that charts look for before they render objects of them.
const API_VERSIONS: &str = "monitoring.coreos.com/v1,monitoring.coreos.com/v1alpha1,cert-manager.io/v1,policy/v1,\
    autoscaling.k8s.io/v1,snapshot.storage.k8s.io/v1,gateway.networking.k8s.io/v1";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";
const PROXIES: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];
/// How often a running tool is looked at.
const NAP: Duration = Duration::from_millis(2);
/// How much of what a tool complains of is kept, in bytes.
const MAX_TALK: u64 = 1 << 20;
/// What Helm takes as the name of a release.
const MAX_NAME: usize = 53;

/// What one rendering may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long.
    pub time: Duration,
    /// How many bytes it may print.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            output: 64 << 20,
        }
    }
}

/// The tools that are there.
#[derive(Debug)]
pub struct Engines {
    helm: Option<PathBuf>,
    kustomize: Option<PathBuf>,
    limits: Limits,
}

/// The tools, with empty folders in place of the user's.
pub(super) struct Ready<'e> {
    engines: &'e Engines,
    home: TempDir,
}

/// Why nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The tool said no.
    Refused(String),
    /// It took longer than it may.
    Slow(Duration),
    /// It printed more than it may.
    Large(u64),
    /// The run was stopped.
    Stopped,
    /// It could not be run.
    Broken(String),
}

/// A rendering of a chart.
pub(super) struct Chart<'c> {
    /// The folder or package of the chart.
    pub(super) path: &'c Path,
    /// Whether its schemas are left out: they name others elsewhere, which Helm would fetch.
    pub(super) skips_schema: bool,
    /// The name of the release, when it is told.
    pub(super) name: Option<&'c str>,
    /// The namespace that it goes to.
    pub(super) namespace: Option<&'c str>,
    /// Files of values, the earliest first.
    pub(super) values: &'c [PathBuf],
}

impl Engines {
    /// Looks for the tools in these folders, as a `PATH` lists them. Folders that are not absolute are left
    /// out: what is looked at may have put programs there.
    pub fn find(path: &OsStr, limits: Limits) -> Self {
        let folders: Vec<PathBuf> = std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .collect();
        let find = |name: &str| {
            let mut places = folders.iter().map(|folder| folder.join(name));
            places.find(|place| is_program(place))
        };
        Self {
            helm: find("helm"),
            kustomize: find("kustomize"),
            limits,
        }
    }

    /// Whether Helm is there.
    pub fn has_helm(&self) -> bool {
        self.helm.is_some()
    }

    /// Whether kustomize is there.
    pub fn has_kustomize(&self) -> bool {
        self.kustomize.is_some()
    }

    /// Makes the folders.
    pub(super) fn ready(&self) -> io::Result<Ready<'_>> {
        let home = tempfile::Builder::new()
            .prefix("ecr-rewrite-prove.")
            .tempdir()?;
        fs::create_dir(home.path().join("empty"))?;
        Ok(Ready {
            engines: self,
            home,
        })
    }
}

impl Ready<'_> {
    /// Renders a chart. `stop` says when to give up.
    pub(super) fn template(&self, chart: &Chart<'_>, stop: &Stop<'_>) -> Result<String, Failed> {
        let helm = self.engines.helm.as_ref().ok_or_else(|| missing("helm"))?;
        let mut command = self.command(helm);
        command
            .arg("template")
            .arg(format!("--kube-version={KUBE_VERSION}"))
            .arg(format!("--api-versions={API_VERSIONS}"))
            .arg("--include-crds")
            .arg(format!("--namespace={}", named(chart.namespace, "default")));
        for values in chart.values {
            command.arg(flag("--values=", Path::new(&quoted(values))));
        }
        if chart.skips_schema {
            command.arg("--skip-schema-validation");
        }
        // Nothing behind it is an option, whatever it is called.
        command
            .arg("--")
            .arg(named(chart.name, "release-name"))
            .arg(chart.path);
        self.finish(command, stop)
    }

    /// Builds the kustomization in a folder; with the charts that it names, when they are at hand.
    pub(super) fn build(
        &self,
        folder: &Path,
        has_charts: bool,
        stop: &Stop<'_>,
    ) -> Result<String, Failed> {
        let kustomize = self.engines.kustomize.as_ref();
        let kustomize = kustomize.ok_or_else(|| missing("kustomize"))?;
        let mut command = self.command(kustomize);
        command.arg("build");
        if has_charts {
            let helm = self.engines.helm.as_ref().ok_or_else(|| missing("helm"))?;
            command
                .arg("--enable-helm")
                .arg(flag("--helm-command=", helm))
                .arg(format!("--helm-kube-version={KUBE_VERSION}"));
        }
        command.arg("--").arg(folder);
        self.finish(command, stop)
    }

    /// A program with an environment that leads nowhere.
    fn command(&self, program: &Path) -> Command {
        let home = self.home.path();
        let empty = home.join("empty");
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(&empty)
            .env("PATH", &empty)
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("KUBECONFIG", empty.join("none"))
            .env("GIT_ALLOW_PROTOCOL", "none")
            // They live for the blink of an eye and run side by side.
            .env("GOGC", "400")
            .env("GOMEMLIMIT", "2GiB");
        let helm = ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME"];
        for name in helm {
            command.env(format!("HELM_{name}"), home);
            command.env(format!("XDG_{name}"), home);
        }
        command.env("HELM_PLUGINS", &empty);
        command.env("KUSTOMIZE_PLUGIN_HOME", &empty);
        for proxy in PROXIES {
            command.env(proxy, NOWHERE);
        }
        command
    }

    /// Runs a program to its end, or until it has taken too much.
    fn finish(&self, mut command: Command, stop: &Stop<'_>) -> Result<String, Failed> {
        alone(&mut command);
        let broken = |error: io::Error| Failed::Broken(error.to_string());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let limit = self.engines.limits.output;
        let output = child.stdout.take().map(|from| reader(from, limit));
        let talk = child.stderr.take().map(|from| reader(from, MAX_TALK));
        let started = Instant::now();
        let ended = self.wait(started, stop, || child.try_wait());
        let status = ended.inspect_err(|_| end(&mut child))?;
        // What it has started may hold on to what it prints to.
        let read = |from: Option<Reader>| match from {
            Some(from) => self.wait(started, stop, || from.next()),
            None => Ok(Vec::new()),
        };
        let read = read(output).and_then(|output| Ok((output, read(talk)?)));
        let (output, talk) = read.inspect_err(|_| end(&mut child))?;
        if output.len() as u64 > limit {
            return Err(Failed::Large(limit));
        }
        if status.success() {
            return Ok(String::from_utf8_lossy(&output).into_owned());
        }
        let talk = String::from_utf8_lossy(&talk);
        Err(Failed::Refused(self.without_home(talk.trim())))
    }

    /// Waits for something until the time is over.
    fn wait<T>(
        &self,
        started: Instant,
        stop: &Stop<'_>,
        mut next: impl FnMut() -> io::Result<Option<T>>,
    ) -> Result<T, Failed> {
        loop {
            match next() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) if stop() => return Err(Failed::Stopped),
                Ok(None) if started.elapsed() < self.engines.limits.time => thread::sleep(NAP),
                Ok(None) => return Err(Failed::Slow(self.engines.limits.time)),
                Err(error) => return Err(Failed::Broken(error.to_string())),
            }
        }
    }

    /// What a tool says, without the folder that it was given.
    fn without_home(&self, talk: &str) -> String {
        talk.replace(&*self.home.path().to_string_lossy(), "")
    }
}

/// Says when to give up.
pub type Stop<'s> = dyn Fn() -> bool + Sync + 's;

fn missing(tool: &str) -> Failed {
    Failed::Broken(format!("`{tool}` is not on the PATH"))
}

fn flag(name: &str, value: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(value);
    flag
}

/// A path as Helm's flags take lists: a comma in it begins no other one.
fn quoted(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        None => path.into(),
    }
}

/// A name that Helm takes, or one in its place: that of a release may be filled in later.
fn named<'n>(name: Option<&'n str>, otherwise: &'static str) -> &'n str {
    let name = name.unwrap_or(otherwise);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_end = |c: char| c != '-';
    let is_fine = name.chars().all(is_plain)
        && name.len() <= MAX_NAME
        && name.starts_with(is_end)
        && name.ends_with(is_end);
    if is_fine { name } else { otherwise }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Gives a program a group of its own, so that what it starts ends with it: kustomize runs Helm.
#[cfg(unix)]
fn alone(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn alone(_: &mut Command) {}

/// Ends a program and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill());
    drop(child.wait());
}

/// What is read elsewhere, to its end.
struct Reader(Receiver<Vec<u8>>);

/// Reads to the end, and keeps one byte more than the limit at most: a program that prints on gets a closed
/// pipe.
fn reader(from: impl Read + Send + 'static, limit: u64) -> Reader {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read counts, and nobody may wait for it any more.
        drop(from.take(limit + 1).read_to_end(&mut bytes));
        drop(sender.send(bytes));
    });
    Reader(receiver)
}

impl Reader {
    /// What was read, when all of it was.
    fn next(&self) -> io::Result<Option<Vec<u8>>> {
        match self.0.try_recv() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(io::Error::other("its output cannot be read")),
        }
    }
}
