//! Other people's programs that judge ours: taken from the path, or installed with Go, once and
//! outside of this folder.
#![allow(clippy::print_stdout)] // an installation takes its time and is said

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A program that is written in Go.
pub struct Tool {
    /// The name of its command.
    pub name: &'static str,
    /// What it is installed from.
    pub package: &'static str,
    /// The version that is installed when there is none.
    pub version: &'static str,
    /// How the answer to `version` has to begin for one on the path to be taken.
    pub answer: &'static str,
}

/// Renders charts.
pub const HELM: Tool = Tool {
    name: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    version: "v3.22.0",
    answer: "",
};

/// Builds kustomizations.
pub const KUSTOMIZE: Tool = Tool {
    name: "kustomize",
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    version: "v5.8.1",
    answer: "v5.",
};

impl Tool {
    /// Where it is: on the path, in the user's cache, or put there with Go; or why there is none.
    pub fn find(&self) -> Result<PathBuf, String> {
        let Self {
            name,
            package,
            version,
            ..
        } = self;
        let on_path = PathBuf::from(name);
        if self.answers(&on_path) {
            return Ok(on_path);
        }
        let folder = cache()?.join(format!("{name}-{version}"));
        let cached = folder.join(name);
        if self.answers(&cached) {
            return Ok(cached);
        }
        println!(
            "installing {name} {version} into {} with go",
            folder.display()
        );
        let elsewhere = tempfile::tempdir().map_err(|error| error.to_string())?;
        let installed = Command::new("go")
            .args(["install", &format!("{package}@{version}")])
            .current_dir(elsewhere.path())
            .env("GOBIN", &folder)
            .output()
            .map_err(|error| {
                format!("there is no {name} on the PATH and no Go to install it: {error}")
            })?;
        if installed.status.success() && self.answers(&cached) {
            return Ok(cached);
        }
        let talk = String::from_utf8_lossy(&installed.stderr);
        Err(format!("{name} could not be installed: {}", talk.trim()))
    }

    fn answers(&self, program: &Path) -> bool {
        let version = Command::new(program).arg("version").output();
        version.is_ok_and(|output| {
            output.status.success() && output.stdout.starts_with(self.answer.as_bytes())
        })
    }
}

/// A program that comes from PyPI.
pub struct Package {
    /// The name of its package.
    pub name: &'static str,
    /// The version that is installed.
    pub version: &'static str,
    /// The command that it brings.
    pub command: &'static str,
}

impl Package {
    /// Where its command is: in the user's cache, put there with pip when it is not; or why there is none.
    pub fn find(&self) -> Result<PathBuf, String> {
        static ONE_BY_ONE: Mutex<()> = Mutex::new(());
        let _turn = ONE_BY_ONE.lock();
        let Self {
            name,
            version,
            command,
        } = self;
        let folder = cache()?.join(format!("{name}-{version}"));
        let program = folder.join("bin").join(command);
        let answers = || {
            let version = Command::new(&program).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        };
        if answers() {
            return Ok(program);
        }
        println!("installing {name} {version} into {}", folder.display());
        let did = |command: &mut Command| {
            let output = command.output().map_err(|error| error.to_string())?;
            let talk = String::from_utf8_lossy(&output.stderr).trim().to_string();
            output.status.success().then_some(()).ok_or(talk)
        };
        did(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let package = format!("{name}=={version}");
        did(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]))?;
        if answers() {
            Ok(program)
        } else {
            Err(format!("{name} was installed and does not answer"))
        }
    }
}

/// The folder in which such programs are kept.
pub fn cache() -> Result<PathBuf, String> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache
        .or(home)
        .ok_or("there is no HOME to keep programs in")?;
    Ok(cache.join("ecr-rewrite-tests"))
}

/// The folder of a Go module's sources, from the module cache or the proxy.
pub fn go_module(module: &str, version: &str) -> Result<PathBuf, String> {
    let elsewhere = tempfile::tempdir().map_err(|error| error.to_string())?;
    let downloaded = Command::new("go")
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .current_dir(elsewhere.path())
        .output()
        .map_err(|error| format!("there is no Go to download {module}: {error}"))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&downloaded.stdout).map_err(|error| error.to_string())?;
    let folder = answer["Dir"].as_str();
    folder
        .map(PathBuf::from)
        .ok_or_else(|| format!("{module} could not be downloaded: {}", answer["Error"]))
}

/// The folder of a crate's sources, from the cache of cargo or the registry.
pub fn crate_sources(name: &str, version: &str) -> Result<PathBuf, String> {
    if let Some(folder) = cached_crate(name, version) {
        return Ok(folder);
    }
    let elsewhere = tempfile::tempdir().map_err(|error| error.to_string())?;
    let manifest = format!(
        "[package]\nname = \"x\"\nedition = \"2024\"\n[lib]\npath = \"x.rs\"\n[dependencies]\n{name} = \"={version}\"\n"
    );
    let write = |file: &str, text: &str| std::fs::write(elsewhere.path().join(file), text);
    write("Cargo.toml", &manifest)
        .and_then(|()| write("x.rs", ""))
        .map_err(|error| error.to_string())?;
    let fetched = Command::new(env!("CARGO"))
        .args(["fetch", "--quiet"])
        .current_dir(elsewhere.path())
        .output()
        .map_err(|error| error.to_string())?;
    let talk = String::from_utf8_lossy(&fetched.stderr).into_owned();
    cached_crate(name, version)
        .ok_or_else(|| format!("{name} could not be fetched: {}", talk.trim()))
}

fn cached_crate(name: &str, version: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    registries
        .filter_map(Result::ok)
        .map(|registry| registry.path().join(format!("{name}-{version}")))
        .find(|folder| folder.is_dir())
}
