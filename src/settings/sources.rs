//! Reading rules from files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::registry::{Hint, Said};
use super::{Resolved, SettingsError};
use crate::rules::Origin;
use crate::rules::import::{ImportError, Imported, Text, import, import_together};
use crate::source;
use crate::walk;

/// Larger sources are not read, in bytes: states of whole companies stay below it.
const MAX_SIZE: u64 = 64 << 20;
/// Stands for standard input.
pub const STDIN: &str = "-";
/// How standard input is called in messages and origins.
const STDIN_NAME: &str = "standard input";

/// A source that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// How it is called.
    pub name: PathBuf,
    /// The file that it is, resolved; none for standard input.
    pub real: Option<PathBuf>,
    /// What it says.
    pub imported: Imported,
}

/// Reads the source at `path`, `-` for standard input; it is called `shown` in messages.
pub fn load(path: &Path, shown: &Path) -> Resolved<Loaded> {
    let opened = Opened::of(path, shown)?;
    let origin = |line| Origin::Source(opened.name.clone(), line);
    opened.loaded(import(&opened.as_text(&origin)))
}

/// Reads several sources together: one may need what stands in another.
pub fn load_together(paths: &[PathBuf]) -> Vec<Resolved<Loaded>> {
    let mut opened = Vec::new();
    let mut results = Vec::new();
    for path in paths {
        match Opened::of(path, path) {
            Ok(source) => opened.push(source),
            Err(error) => results.push(Err(error)),
        }
    }
    let origins = opened.iter().map(|source| {
        let name = source.name.clone();
        move |line| Origin::Source(name.clone(), line)
    });
    let origins: Vec<_> = origins.collect();
    let texts = opened.iter().zip(&origins);
    let texts: Vec<Text<'_>> = texts
        .map(|(source, origin)| source.as_text(origin))
        .collect();
    let read = opened.iter().zip(import_together(&texts));
    results.extend(read.map(|(source, imported)| source.loaded(imported)));
    results
}

/// The text of a source.
struct Opened {
    name: PathBuf,
    real: Option<PathBuf>,
    text: String,
}

impl Opened {
    fn of(path: &Path, shown: &Path) -> Resolved<Self> {
        if path == Path::new(STDIN) {
            return Ok(Self {
                name: PathBuf::from(STDIN_NAME),
                real: None,
                text: read_stdin()?,
            });
        }
        let name = shown.to_path_buf();
        let failed = |why: String| SettingsError::Message(format!("{}: {why}", shown.display()));
        if path.is_dir() {
            return Err(failed(
                "is a folder; give a file: run `terraform show -json > rules.json` in it, say"
                    .into(),
            ));
        }
        Ok(Self {
            real: path.canonicalize().ok(),
            text: read(path).map_err(failed)?,
            name,
        })
    }

    fn as_text<'o>(&'o self, origin: &'o dyn Fn(u64) -> Origin) -> Text<'o> {
        Text {
            name: &self.name,
            text: &self.text,
            origin,
        }
    }

    fn loaded(&self, imported: Result<Imported, ImportError>) -> Resolved<Loaded> {
        Ok(Loaded {
            name: self.name.clone(),
            real: self.real.clone(),
            imported: imported.map_err(|error| SettingsError::Message(error.to_string()))?,
        })
    }
}

/// The text of a file that somebody named: links are followed, and what a shell puts in the place of a file
/// (`<(terraform show -json)`) is read, too.
fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    read_all(file)
}

fn read_stdin() -> Resolved<String> {
    let failed = |why: String| SettingsError::Message(format!("{STDIN_NAME}: {why}"));
    read_all(io::stdin().lock()).map_err(failed)
}

fn read_all(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_SIZE + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(format!("has more than {MAX_SIZE} bytes"));
    }
    source::decode(bytes).map_err(|error| {
        // Its advice is for the files of a run.
        let said = error.to_string();
        said.split(';').next().unwrap_or("").to_string()
    })
}

/// The source that a config names: relative to its folder, and within its repository.
pub(super) fn of_config(named: &Path, origin: &Origin, root: &Path) -> Resolved<Loaded> {
    let path = root.join(named);
    let shown = walk::shown(&path, &super::locate::current_folder());
    let home = walk::repository(root).unwrap_or(root);
    let real = path.canonicalize().map_err(|error| {
        SettingsError::Message(format!(
            "{origin}: `rulesFrom: {}` cannot be read: {error}; paths count from the folder of the config",
            named.display()
        ))
    })?;
    let home = home.canonicalize().unwrap_or_else(|_| home.to_path_buf());
    if !real.starts_with(&home) {
        return Err(SettingsError::Message(format!(
            "{origin}: `rulesFrom: {}` leads out of the repository, and was not read; give it with `--rules` if it is meant",
            named.display()
        )));
    }
    load(&real, &shown)
}

impl Loaded {
    /// The source, when every rule of it could be read; else what is wrong, line by line.
    pub fn whole(self) -> Resolved<Self> {
        if self.imported.problems.is_empty() {
            return Ok(self);
        }
        Err(SettingsError::Several(self.imported.problems))
    }

    /// What it says of the registry.
    pub(super) fn hint(&self) -> Hint {
        let found = &self.imported.found;
        let said = |one: Option<&str>, is_said: bool| match (one, found.first()) {
            (Some(one), Some(first)) => Said::One((one.to_string(), first.rule.origin().clone())),
            _ if is_said => Said::Several,
            _ => Said::Nothing,
        };
        Hint {
            account: said(
                self.imported.account(),
                found.iter().any(|found| found.account.is_some()),
            ),
            region: said(
                self.imported.region(),
                found.iter().any(|found| found.region.is_some()),
            ),
        }
    }
}
