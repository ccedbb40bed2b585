//! Helm and kustomize: found on the machine, and run so that nothing of a repository can reach anything.
//!
//! They get no network (proxies where nobody listens, no `git` and nothing else on the path), no
//! configuration, plugins or cluster of the user, a time and a size. What would fetch something is
//! refused before they run, too: see `closure`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{self, Cut};
pub use crate::process::{Limits, Stop};

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
/// What Helm takes as the name of a release.
const MAX_NAME: usize = 53;

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
        let find = |name: &str| process::find(name, path);
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
    fn finish(&self, command: Command, stop: &Stop<'_>) -> Result<String, Failed> {
        let ran = process::run(command, &self.engines.limits, stop)?;
        if ran.status.success() {
            return Ok(String::from_utf8_lossy(&ran.output).into_owned());
        }
        Err(Failed::Refused(self.without_home(ran.talk.trim())))
    }

    /// What a tool says, without the folder that it was given.
    fn without_home(&self, talk: &str) -> String {
        talk.replace(&*self.home.path().to_string_lossy(), "")
    }
}

impl From<Cut> for Failed {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Slow(time) => Self::Slow(time),
            Cut::Large(size) => Self::Large(size),
            Cut::Stopped => Self::Stopped,
            Cut::Broken(message) => Self::Broken(message),
        }
    }
}

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
