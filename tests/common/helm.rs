//! The real Helm, with nothing of the user's, and the charts at hand.
#![allow(clippy::print_stdout)] // skips are for who runs it

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::rendered::Rendering;
use super::tools::HELM;

/// Charts state the versions of Kubernetes they take; a Helm built from source claims an old one.
const KUBE_VERSION: &str = "1.34.0";
/// The kinds that charts look for before they render objects of them.
const APIS: &str = "monitoring.coreos.com/v1,monitoring.coreos.com/v1alpha1,cert-manager.io/v1,policy/v1,\
    autoscaling.k8s.io/v1,snapshot.storage.k8s.io/v1,gateway.networking.k8s.io/v1,security.openshift.io/v1";

/// The keys of values that switch a part of a chart on.
pub const SWITCHES: &[&str] = &["enabled", "create", "install", "deploy"];

/// Helm.
pub struct Helm {
    program: PathBuf,
    /// Its own folders.
    home: tempfile::TempDir,
}

impl Helm {
    /// Helm, where there is one and charts are; says loudly when not.
    pub fn find() -> Option<Self> {
        if std::env::var_os("ECR_REWRITE_SHARED").is_none() {
            println!("\n!! SKIPPED: ECR_REWRITE_SHARED names no folder with charts\n");
            return None;
        }
        Self::find_alone()
    }

    /// Helm, where there is one; says loudly when not.
    pub fn find_alone() -> Option<Self> {
        match HELM.find() {
            Ok(program) => Some(Self {
                program,
                home: tempfile::tempdir().unwrap(),
            }),
            Err(why) => {
                println!("\n!! SKIPPED: charts are not rendered; {why}\n");
                None
            }
        }
    }

    /// Renders the chart in a folder; flags as on the command line, values over all of them.
    pub fn template(
        &self,
        chart: &Path,
        flags: &[String],
        values: Option<&Value>,
    ) -> Result<Rendering, String> {
        let mut helm = Command::new(&self.program);
        helm.args(["template", "x", ".", "--debug"])
            .args(["--kube-version", KUBE_VERSION, "--api-versions", APIS])
            .args(flags)
            .current_dir(chart)
            // It lives for the blink of an eye: no garbage need be collected.
            .env("GOGC", "off")
            .env("HOME", self.home.path())
            .env("HELM_CACHE_HOME", self.home.path())
            .env("HELM_CONFIG_HOME", self.home.path())
            .env("HELM_DATA_HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if values.is_some() {
            helm.args(["--values", "-"]);
        }
        let mut child = helm.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        if let Some(values) = values {
            // Helm may refuse the chart before it reads the values.
            let _ = input.write_all(values.to_string().as_bytes());
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        // A package without some of its files: for `--debug` Helm prints what it made all the same.
        let is_made = talk.contains("YAML parse error") && !output.stdout.is_empty();
        if output.status.success() || is_made {
            let read = Rendering::read(&String::from_utf8_lossy(&output.stdout));
            return Ok(Rendering {
                is_whole: output.status.success(),
                ..read
            });
        }
        Err(error(&talk))
    }
}

/// What Helm complains of, in a line.
fn error(talk: &str) -> String {
    let mut lines = talk.lines().skip_while(|line| !line.starts_with("Error"));
    let mut error = lines.next().unwrap_or(talk).trim().to_string();
    for line in lines.take_while(|line| !line.is_empty() && !line.starts_with("helm.go")) {
        let _ = write!(error, " {}", line.trim());
    }
    error
}

/// Helm over one chart, which remembers what it has rendered.
pub struct Renders<'h> {
    helm: &'h Helm,
    flags: Vec<String>,
    seen: Mutex<HashMap<(PathBuf, String), Rendered>>,
}

/// A render, or why there is none.
pub type Rendered = Result<Arc<Rendering>, String>;

impl<'h> Renders<'h> {
    /// Renders with these flags.
    pub fn new(helm: &'h Helm, flags: &[&str]) -> Self {
        Self {
            helm,
            flags: flags.iter().map(ToString::to_string).collect(),
            seen: Mutex::default(),
        }
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// What the chart in a folder renders with these values.
    pub fn render(&self, chart: &Path, values: &Value) -> Rendered {
        let key = (chart.to_path_buf(), values.to_string());
        if let Some(known) = self.seen.lock().unwrap().get(&key) {
            return known.clone();
        }
        let rendered = self.again(chart, values);
        self.seen.lock().unwrap().insert(key, rendered.clone());
        rendered
    }

    /// The same without a look at what is remembered: made up passwords differ then.
    pub fn again(&self, chart: &Path, values: &Value) -> Rendered {
        let rendered = self.helm.template(chart, &self.flags, Some(values));
        rendered.map(Arc::new)
    }
}
