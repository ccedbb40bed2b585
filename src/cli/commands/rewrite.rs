//! The rewrite itself: in place, as a diff, as a check, or as a filter.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::super::args::Rewrite;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::reporting::{self, Sink};
use super::wanted;
use crate::findings::{self, Findings};
use crate::link;
use crate::plan::{self, Plan};
use crate::report::{Format, clean, json, text};
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::settings::{ConfigChoice, Rules, Settings};
use crate::source::{self, Failure, SourceFile};
use crate::walk::{self, Role, Switch, Walk, Walked};
use crate::write;

/// Stands for standard input among the paths.
const STDIN: &str = "-";

/// What is done with the plan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    DryRun,
    Check,
    Filter,
}

pub(in super::super) fn rewrite(args: &Rewrite, talk: Talk) -> Result<Exit, Error> {
    let started = Instant::now();
    refuse_later(args)?;
    let current = current_folder()?;
    let stdin = args.paths.iter().any(|path| path == Path::new(STDIN));
    let paths = if stdin { Vec::new() } else { paths(args)? };
    let mode = mode(args, stdin)?;
    if mode == Mode::Filter && args.report.format.is_some() {
        return Err(Error::Message(
            "`-` prints the new text; `--format` goes with it only beside `--dry-run` or `--check`"
                .into(),
        ));
    }
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
    let mut settings = Settings::resolve(&wanted, rules)?;
    if mode == Mode::Check {
        settings = settings.without_target();
    }
    let sink = Sink::new(&args.report, mode.default_format(), talk)?;
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
    let mut run = Run {
        talk,
        started,
        failures: walk.failures,
        settings: &settings,
        base: None,
        sink,
    };
    let mut files = run.scan(walk.files, args.files.max_file_size);
    if mode == Mode::Filter || stdin {
        return run.filter(args, files, &current, mode);
    }
    if !files.iter().any(|file| file.role == Role::Selected) && run.failures.is_empty() {
        talk.note("no files to read: nothing with a matching name was found (see `--include`, `--hidden`, `--no-ignore`)");
    }
    // Standard error shows targets only where they matter: where something may change.
    files.sort_by(|a, b| a.source.path.cmp(&b.source.path));
    let mut plan = run.plan(files)?;
    let findings = findings::find(&plan, settings.levels());
    run.say_unused(&plan, &findings, is_whole(args, &settings));
    match mode {
        Mode::Check => run.check(&plan, &findings),
        Mode::DryRun => run.dry_run(args, &plan, &findings),
        _ => run.write(&mut plan, findings),
    }
}

impl Mode {
    fn default_format(self) -> Option<Format> {
        match self {
            Self::Check => Some(Format::Text),
            Self::DryRun => Some(Format::Diff),
            Self::Write | Self::Filter => None,
        }
    }
}

/// What every mode shares once the settings stand.
pub(super) struct Run<'s> {
    pub(super) talk: Talk,
    pub(super) started: Instant,
    pub(super) failures: Vec<Failure>,
    pub(super) settings: &'s Settings,
    /// What decides files without overrides, once that is known.
    pub(super) base: Option<Arc<RuleSet>>,
    /// Where a report goes.
    pub(super) sink: Sink<'s>,
}

impl Run<'_> {
    /// Reads and scans files in parallel; the order stays. A file of the context that cannot be read
    /// is not the user's concern today.
    pub(super) fn scan(&mut self, files: Vec<Walked>, limit: u64) -> Vec<ScannedFile> {
        let results: Vec<Result<ScannedFile, Option<Failure>>> = files
            .into_par_iter()
            .map(
                |Walked { path, real, role }| match source::read(path.clone(), real, limit) {
                    Ok(source) => Ok(ScannedFile::new(source, role)),
                    Err(error) => Err((role == Role::Selected).then(|| Failure::of(&path, error))),
                },
            )
            .collect();
        let mut scanned = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(file) => scanned.push(file),
                Err(failure) => self.failures.extend(failure),
            }
        }
        scanned
    }

    pub(super) fn plan(&mut self, files: Vec<ScannedFile>) -> Result<Plan, Error> {
        let selected = files.iter().filter(|file| file.role == Role::Selected);
        let paths: Vec<PathBuf> = selected.map(|file| file.source.real.clone()).collect();
        let (targets, notes) = self.settings.targets(paths.iter().map(PathBuf::as_path))?;
        notes.iter().for_each(|note| self.talk.note(note));
        self.base = Some(Arc::clone(targets.base()));
        let links = link::link(&files);
        let rules_for =
            |file: &SourceFile| Arc::clone(targets.for_path(self.settings.relative(&file.real)));
        let mut plan = plan::plan(files, links, &rules_for, &plan::Options::default());
        self.failures.append(&mut plan.failures);
        Ok(plan)
    }

    fn check(&mut self, plan: &Plan, findings: &Findings) -> Result<Exit, Error> {
        if self.sink.format == Some(Format::Diff)
            && plan.changes().any(|(file, _)| file.after.is_none())
        {
            return Err(Error::Message(
                "a diff needs a target; give `--registry`, or `registry:` in the config".into(),
            ));
        }
        self.sink
            .render(plan, findings, &self.failures, json::Mode::Check)?;
        self.explain(plan, text::Tense::Would);
        self.talk.note(&text::findings(findings));
        let exit = self.exit();
        Ok(if exit == Exit::Done && findings.fail() {
            Exit::Found
        } else {
            exit
        })
    }

    fn dry_run(&mut self, args: &Rewrite, plan: &Plan, findings: &Findings) -> Result<Exit, Error> {
        self.sink
            .render(plan, findings, &self.failures, json::Mode::DryRun)?;
        self.explain(plan, text::Tense::Would);
        let exit = self.exit();
        let found = args.report.exit_code && plan.changes().next().is_some();
        Ok(if exit == Exit::Done && found {
            Exit::Found
        } else {
            exit
        })
    }

    fn write(&mut self, plan: &mut Plan, mut findings: Findings) -> Result<Exit, Error> {
        let stop = stop_on_signals();
        let written = write::write(plan, &stop);
        self.failures.extend(written.failures);
        // What was changed comes from ECR now; the rest of what was found stands.
        findings.list.retain(|finding| finding.fix.is_none());
        self.sink
            .render(plan, &findings, &self.failures, json::Mode::Write)?;
        self.explain(plan, text::Tense::Did);
        Ok(match written.interrupted {
            Some(signal) => {
                self.talk.error(
                    "interrupted; the files that were not reached are as they were, run again",
                );
                Exit::Interrupted(u8::try_from(signal).unwrap_or(0))
            }
            None => self.exit(),
        })
    }

    /// Says which comments and entries of the config met nothing.
    fn say_unused(&self, plan: &Plan, findings: &Findings, whole: bool) {
        findings
            .notes
            .iter()
            .for_each(|note| self.talk.note(&clean(note)));
        if let (Some(base), true) = (&self.base, whole) {
            let unused = findings::unused(plan, base);
            reporting::unused(&unused, self.talk);
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
        files.retain(|file| file.source.real != real);
        let source = SourceFile {
            path: name,
            real,
            text: text.clone(),
            identity: None,
        };
        files.push(ScannedFile::new(source, Role::Selected));
        let plan = self.plan(files)?;
        let findings = findings::find(&plan, self.settings.levels());
        self.say_unused(&plan, &findings, false);
        match mode {
            Mode::DryRun => return self.dry_run(args, &plan, &findings),
            Mode::Check => return self.check(&plan, &findings),
            _ => {}
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
            text::undecided(plan)
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
    pub(super) fn exit(&self) -> Exit {
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

pub(super) fn current_folder() -> Result<PathBuf, Error> {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .map_err(|error| Error::Message(format!("the current directory cannot be read: {error}")))
}

fn refuse_later(args: &Rewrite) -> Result<(), Error> {
    match args.later.given() {
        Some(option) => Err(Error::Message(format!("`{option}` is not supported yet"))),
        None => Ok(()),
    }
}

/// Whether the whole repository of the config is looked at, so that what its config names and
/// nobody met is of no use.
fn is_whole(args: &Rewrite, settings: &Settings) -> bool {
    let Some(root) = &settings.root else {
        return false;
    };
    let given = args.paths.iter().map(PathBuf::as_path);
    let mut given: Vec<&Path> = given.collect();
    if given.is_empty() && args.files.files_from.is_none() {
        given.push(Path::new("."));
    }
    let is_root = |path: &&Path| path.canonicalize().is_ok_and(|path| path == *root);
    args.files.exclude.is_empty() && given.iter().any(is_root)
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
    Ok(match (args.dry_run, args.check, stdin) {
        (true, _, _) => Mode::DryRun,
        (false, true, _) => Mode::Check,
        (false, false, true) => Mode::Filter,
        (false, false, false) => Mode::Write,
    })
}

/// The given paths, those of `--files-from` with them. Every one of them has to exist before
/// anything is read: a mistyped path must not lead to half of the work being done.
fn paths(args: &Rewrite) -> Result<Vec<PathBuf>, Error> {
    let mut paths = args.paths.clone();
    if let Some(list) = &args.files.files_from {
        paths.extend(read_list(list, args.files.null)?);
    } else if paths.is_empty() {
        if !args.dry_run && !args.check {
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
