//! Reading rules from files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::registry::Hint;
use super::{Resolved, SettingsError};
use crate::rules::Origin;
use crate::rules::import::{Imported, import};
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
    /// What it says.
    pub imported: Imported,
}

/// Reads the source at `path`, `-` for standard input; it is called `shown` in messages.
pub fn load(path: &Path, shown: &Path) -> Resolved<Loaded> {
    let failed = |message: String| SettingsError::Message(message);
    let (name, text) = if path == Path::new(STDIN) {
        (PathBuf::from(STDIN_NAME), read_stdin()?)
    } else {
        let name = shown.to_path_buf();
        if path.is_dir() {
            return Err(failed(format!(
                "{}: is a folder; give a file: run `terraform show -json > rules.json` in it, say",
                name.display()
            )));
        }
        let text = read(path).map_err(|why| failed(format!("{}: {why}", name.display())))?;
        (name, text)
    };
    let origin = |line| Origin::Source(name.clone(), line);
    let imported = import(&name, &text, &origin).map_err(|error| failed(error.to_string()))?;
    Ok(Loaded { name, imported })
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
        let origin = self
            .imported
            .found
            .first()
            .map(|found| found.rule.origin().clone());
        let with = |text: Option<&str>| Some((text?.to_string(), origin.clone()?));
        Hint {
            account: with(self.imported.account()),
            region: with(self.imported.region()),
        }
    }
}
