//! The rewrite itself: in place, as a diff, or as a filter.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::super::args::Rewrite;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::context::{self, Scanned};
use super::wanted;
use crate::link::{self, FolderLinks};
use crate::plan::{self, Plan};
use crate::report::{Color, clean, diff, text};
use crate::rules::Targets;
use crate::scan::ScannedFile;
use crate::settings::{ConfigChoice, Rules, Settings};
use crate::source::{self, Failure, SourceFile};
use crate::walk::{self, Role, Switch, Walk};
use crate::write;

/// Stands for standard input among the paths.
const STDIN: &str = "-";

/// What is done with the plan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    DryRun,
    Filter,
}

pub(in super::super) fn rewrite(args: &Rewrite, talk: Talk) -> Result<Exit, Error> {
    let started = Instant::now();
    refuse_later(args)?;
    let current = current_folder()?;
    let stdin = args.paths.iter().any(|path| path == Path::new(STDIN));
    let paths = if stdin { Vec::new() } else { paths(args)? };
    let mode = mode(args, stdin)?;
    let rules = if mode == Mode::Write {
        Rules::Stated
    } else {
        Rules::OrBuiltIn
    };
    // The config of a filter is the one of the file it stands for.
    let from = match (&args.stdin_filename, stdin) {
        (Some(name), true) => vec![
            name.parent()
                .filter(|folder| folder.is_dir())
                .unwrap_or(Path::new("."))
                .to_path_buf(),
        ],
        _ => paths.clone(),
    };
    let wanted = wanted(&args.target, &args.rules, from.clone())?;
    let settings = Settings::resolve(&wanted, rules)?;
    let one_config = matches!(wanted.config, ConfigChoice::Discover);
    let options = walk::Options {
        context: if stdin && args.stdin_filename.is_some() {
            from
        } else {
            Vec::new()
        },
        paths,
        include: args.files.include.clone(),
        exclude: args.files.exclude.clone(),
        config_exclude: settings.exclude(),
        hidden: switch(args.files.hidden),
        no_ignore: switch(args.files.no_ignore),
        force_exclude: switch(args.files.force_exclude),
    };
    let walk = walk::walk(&options, &current).map_err(|error| Error::Message(error.to_string()))?;
    if one_config {
        check_configs(&walk, &settings, &current)?;
    }
    walk.notes.iter().for_each(|note| talk.note(&clean(note)));
    let Scanned {
        mut files,
        failures,
    } = context::scan(&walk, args.files.max_file_size, &current);
    let mut run = Run {
        talk,
        started,
        failures: [walk.failures, failures].concat(),
        folder_links: walk.folder_links,
        settings: &settings,
    };
    if mode == Mode::Filter || stdin {
        return run.filter(args, files, &current, mode);
    }
    if !files.iter().any(|file| file.role == Role::Selected) && run.failures.is_empty() {
        talk.note("no files to read: nothing with a matching name was found (see `--include`, `--hidden`, `--no-ignore`)");
    }
    // Standard error shows targets only where they matter: where something may change.
    files.sort_by(|a, b| a.source.path.cmp(&b.source.path));
    let mut plan = run.plan(files)?;
    match mode {
        Mode::DryRun => run.dry_run(args, &mut plan),
        _ => Ok(run.write(&mut plan)),
    }
}

/// What every mode shares once the settings stand.
struct Run<'s> {
    talk: Talk,
    started: Instant,
    failures: Vec<Failure>,
    folder_links: FolderLinks,
    settings: &'s Settings,
}

impl Run<'_> {
    fn plan(&mut self, files: Vec<ScannedFile>) -> Result<Plan, Error> {
        let links = link::link_in(&files, &self.folder_links);
        let selected = files.iter().filter(|file| file.role == Role::Selected);
        let paths: Vec<&Path> = selected.map(|file| file.source.real.as_path()).collect();
        let deciding = links.deciding(&files, |file| file.role == Role::Selected);
        let (targets, notes) = self.targets(&paths, &deciding)?;
        notes.iter().for_each(|note| self.talk.note(note));
        let rules_for = |path: &Path| Arc::clone(targets.for_path(self.settings.relative(path)));
        let mut plan = plan::plan(files, links, &rules_for);
        self.failures.append(&mut plan.failures);
        Ok(plan)
    }

    /// The targets of the given files, and of what decides them as far as it has any.
    fn targets(
        &self,
        paths: &[&Path],
        deciding: &BTreeSet<PathBuf>,
    ) -> Result<(Targets, Vec<String>), Error> {
        let given = || paths.iter().copied();
        let further = deciding.iter().map(PathBuf::as_path);
        if let Ok(targets) = self.settings.targets(given().chain(further.clone())) {
            return Ok(targets);
        }
        self.settings.targets(given())?;
        let has_target = |path: &&Path| self.settings.targets(std::iter::once(*path)).is_ok();
        Ok(self
            .settings
            .targets(given().chain(further.filter(has_target)))?)
    }

    fn dry_run(&mut self, args: &Rewrite, plan: &mut Plan) -> Result<Exit, Error> {
        match &args.diff.output_file {
            Some(path) => {
                let mut bytes = Vec::new();
                diff::render(plan, Color::Off, &mut bytes).map_err(Error::Output)?;
                fs::write(path, bytes).map_err(|error| {
                    Error::Message(format!("{}: cannot be written: {error}", path.display()))
                })?;
            }
            None => {
                let stdout = io::stdout();
                let color = self.talk.color(&stdout);
                let mut out = io::BufWriter::new(stdout.lock());
                diff::render(plan, color, &mut out).map_err(Error::Output)?;
                out.flush().map_err(Error::Output)?;
            }
        }
        self.explain(plan, text::Tense::Would);
        let exit = self.exit();
        let found = args.diff.exit_code && plan.changes().next().is_some();
        Ok(if exit == Exit::Done && found {
            Exit::Found
        } else {
            exit
        })
    }

    fn write(&mut self, plan: &mut Plan) -> Exit {
        let stop = stop_on_signals();
        let written = write::write(plan, &stop);
        self.failures.extend(written.failures);
        self.explain(plan, text::Tense::Did);
        match written.interrupted {
            Some(signal) => {
                self.talk.error(
                    "interrupted; the files that were not reached are as they were, run again",
                );
                Exit::Interrupted(u8::try_from(signal).unwrap_or(0))
            }
            None => self.exit(),
        }
    }

    /// Standard input to standard output. What cannot be read comes out as it went in.
    fn filter(
        &mut self,
        args: &Rewrite,
        mut files: Vec<ScannedFile>,
        current: &Path,
        mode: Mode,
    ) -> Result<Exit, Error> {
        let name = args
            .stdin_filename
            .clone()
            .unwrap_or_else(|| PathBuf::from("stdin.yaml"));
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Error::Message(format!("standard input cannot be read: {error}")))?;
        let text = match source::decode(bytes.clone()) {
            Ok(text) => text,
            Err(error) => {
                self.failures.push(Failure::of(&name, error));
                if mode == Mode::Filter {
                    io::stdout()
                        .lock()
                        .write_all(&bytes)
                        .map_err(Error::Output)?;
                }
                return Ok(self.exit());
            }
        };
        drop(bytes);
        let real = current.join(&name);
        let real = real.canonicalize().unwrap_or(real);
        let links = files
            .extract_if(.., |file| file.source.real == real)
            .flat_map(|file| file.source.links)
            .collect();
        let source = SourceFile {
            path: name,
            real,
            links,
            text: text.clone(),
            identity: None,
        };
        files.push(ScannedFile::new(source, Role::Selected));
        let mut plan = self.plan(files)?;
        if mode == Mode::DryRun {
            return self.dry_run(args, &mut plan);
        }
        let after = plan.files.first().and_then(|file| file.after.as_deref());
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(after.unwrap_or(&text).as_bytes())
            .map_err(Error::Output)?;
        stdout.flush().map_err(Error::Output)?;
        self.explain(&plan, text::Tense::Did);
        Ok(self.exit())
    }

    fn explain(&self, plan: &Plan, tense: text::Tense) {
        if self.talk.is_verbose() {
            text::changes(plan)
                .iter()
                .for_each(|line| self.talk.detail(line));
            text::skips(plan)
                .iter()
                .for_each(|line| self.talk.detail(line));
        }
        self.talk
            .note(&text::summary(plan, tense, self.started.elapsed()));
        let stays = plan
            .skips()
            .any(|(_, skip)| skip.reason != crate::reason::Reason::AlreadyEcr);
        if stays && !self.talk.is_verbose() {
            self.talk
                .note("run with `-v` for the reason of every image that stays");
        }
    }

    /// Says what went wrong; errors win over everything else.
    fn exit(&self) -> Exit {
        self.failures
            .iter()
            .for_each(|failure| self.talk.error(&text::failure(failure)));
        if self.failures.is_empty() {
            Exit::Done
        } else {
            Exit::Broken
        }
    }
}

fn switch(given: bool) -> Switch {
    if given { Switch::On } else { Switch::Off }
}

fn current_folder() -> Result<PathBuf, Error> {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .map_err(|error| Error::Message(format!("the current directory cannot be read: {error}")))
}

fn refuse_later(args: &Rewrite) -> Result<(), Error> {
    let format = args
        .diff
        .format
        .as_deref()
        .filter(|format| *format != "diff");
    let later = match (args.later.given(), format) {
        (Some(option), _) => option.to_string(),
        (None, Some(format)) => format!("--format {format}"),
        (None, None) => return Ok(()),
    };
    Err(Error::Message(format!("`{later}` is not supported yet")))
}

fn mode(args: &Rewrite, stdin: bool) -> Result<Mode, Error> {
    if stdin && args.paths.len() > 1 {
        return Err(Error::Message(
            "`-` stands alone: standard input and files cannot be rewritten in one run".into(),
        ));
    }
    if args.stdin_filename.is_some() && !stdin {
        return Err(Error::Message("`--stdin-filename` goes with `-`".into()));
    }
    Ok(match (args.dry_run, stdin) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Filter,
        (false, false) => Mode::Write,
    })
}

/// The given paths, those of `--files-from` with them. Every one of them has to exist before
/// anything is read: a mistyped path must not lead to half of the work being done.
fn paths(args: &Rewrite) -> Result<Vec<PathBuf>, Error> {
    let mut paths = args.paths.clone();
    if let Some(list) = &args.files.files_from {
        paths.extend(read_list(list, args.files.null)?);
    } else if paths.is_empty() {
        if !args.dry_run {
            return Err(Error::Message(
                "writing needs a path; `.` is one, and `--dry-run` shows what would change".into(),
            ));
        }
        paths.push(PathBuf::from("."));
    }
    let missing = paths.iter().filter(|path| path.symlink_metadata().is_err());
    let missing: Vec<String> = missing
        .map(|path| format!("`{}`", clean(&path.to_string_lossy())))
        .collect();
    match missing.len() {
        0 => Ok(paths),
        1 => Err(Error::Message(format!(
            "{} does not exist; nothing was done",
            missing[0]
        ))),
        _ => Err(Error::Message(format!(
            "{} do not exist; nothing was done",
            missing.join(", ")
        ))),
    }
}

fn read_list(list: &Path, null: bool) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: io::Error| {
        Error::Message(format!(
            "`--files-from {}` cannot be read: {error}",
            list.display()
        ))
    };
    let bytes = if list == Path::new(STDIN) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        bytes
    } else {
        fs::read(list).map_err(failed)?
    };
    let end = if null { 0 } else { b'\n' };
    let entries = bytes
        .split(|&byte| byte == end)
        .map(|entry| if null { entry } else { entry.trim_ascii_end() });
    entries
        .filter(|entry| !entry.is_empty())
        .map(path_of)
        .collect()
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere, bytes may be no path")]
fn path_of(bytes: &[u8]) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStrExt;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<PathBuf, Error> {
    std::str::from_utf8(bytes)
        .map(PathBuf::from)
        .map_err(|_| Error::Message("`--files-from` holds a path that is not valid text".into()))
}

/// A second config below the given paths would make two policies of one run.
fn check_configs(walk: &Walk, settings: &Settings, current: &Path) -> Result<(), Error> {
    let own = settings
        .root
        .as_ref()
        .map(|root| root.join(walk::CONFIG_NAME));
    let Some(second) = walk
        .configs
        .iter()
        .find(|config| Some(*config) != own.as_ref())
    else {
        return Ok(());
    };
    let shown = walk::shown(second, current);
    let first = match &own {
        Some(own) => format!("beside {}", walk::shown(own, current).display()),
        None => "below the given path".to_string(),
    };
    Err(Error::Message(format!(
        "{}: a config {first}; there is one for a run: put what differs into its `overrides`, exclude that folder with its own run, or name one with `--config`",
        shown.display()
    )))
}

/// From here on, Ctrl-C and a polite kill are waited for: a lot that was begun is finished.
#[cfg(unix)]
fn stop_on_signals() -> write::Stop {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let stop = write::Stop::default();
    for signal in [SIGINT, SIGTERM] {
        let number = usize::try_from(signal).unwrap_or(0);
        // Without the handler the process ends at once, as before: temporary files may stay.
        drop(signal_hook::flag::register_usize(
            signal,
            Arc::clone(&stop),
            number,
        ));
    }
    stop
}

#[cfg(not(unix))]
fn stop_on_signals() -> write::Stop {
    write::Stop::default()
}
