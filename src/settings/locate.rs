//! Which config a run reads, and reading it.

use std::path::{Path, PathBuf};

use super::{ConfigChoice, Resolved, SettingsError, Wanted};
use crate::config::{self, Config};
use crate::walk;

pub(super) fn config_path(wanted: &Wanted) -> Resolved<Option<PathBuf>> {
    match &wanted.config {
        ConfigChoice::None => Ok(None),
        ConfigChoice::File(path) => Ok(Some(path.clone())),
        ConfigChoice::Discover => {
            one_repository(&wanted.paths)?;
            let here = PathBuf::from(".");
            let first = wanted.paths.first().unwrap_or(&here);
            let config = |path: &PathBuf| {
                let folder = walk::home(path).ok()?;
                config::find(&folder)
            };
            let found = config(first);
            // Which one decides must not hang on the order of the paths.
            if let Some(other) = wanted
                .paths
                .iter()
                .map(config)
                .find(|other| *other != found)
            {
                let shown = |config: &Option<PathBuf>| match config {
                    Some(path) => format!("`{}`", path.display()),
                    None => "no config".to_string(),
                };
                return Err(SettingsError::Message(format!(
                    "the given paths have {} and {}; there is one for a run: put what differs into its `overrides`, or name one with `--config`",
                    shown(&found),
                    shown(&other)
                )));
            }
            found.map(inside).transpose()
        }
    }
}

/// Refuses a config that was found, not named, and is a link out of its repository: a repository
/// decides nothing by files that are not its own.
fn inside(config: PathBuf) -> Resolved<PathBuf> {
    let folder = config.parent().unwrap_or(Path::new("."));
    let root = walk::repository(folder).unwrap_or(folder);
    match config.canonicalize() {
        Ok(real) if !real.starts_with(root) => Err(SettingsError::Message(format!(
            "{}: is a link to {}, outside of the repository, and was not read; name that file with `--config` if it is meant, or give `--no-config`",
            walk::shown(&config, &current_folder()).display(),
            real.display()
        ))),
        _ => Ok(config),
    }
}

/// The current directory, where it can be told: it only makes paths shorter.
pub(super) fn current_folder() -> PathBuf {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .unwrap_or_default()
}

/// Refuses paths of more than one repository: a config speaks for one.
fn one_repository(paths: &[PathBuf]) -> Resolved<()> {
    let mut first: Option<(&PathBuf, Option<PathBuf>)> = None;
    for path in paths {
        let Ok(home) = walk::home(path) else { continue };
        let repository = walk::repository(&home).map(Path::to_path_buf);
        match &first {
            None => first = Some((path, repository)),
            Some((_, known)) if *known == repository => {}
            Some((other, _)) => {
                return Err(SettingsError::Message(format!(
                    "`{}` and `{}` lie in different repositories; run once for each, or use `overrides` for environments of one repository",
                    other.display(),
                    path.display()
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn read_config(path: &Path) -> Resolved<Config> {
    let shown = walk::shown(path, &current_folder());
    let text = std::fs::read_to_string(path).map_err(|error| {
        SettingsError::Message(format!(
            "config `{}` cannot be read: {error}",
            shown.display()
        ))
    })?;
    Config::parse(&shown, &text).map_err(SettingsError::Config)
}
