//! The rewrite itself: in place, as a diff, or as a filter.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::super::args::Rewrite;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::context::{self, Scanned};
use super::wanted;
use crate::link::{self, FolderLinks};
use crate::plan::{self, Assume, Plan};
use crate::reason::Assumption;
use crate::report::{Color, clean, diff, text};
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
    let rules = if mode == Mode::DryRun {
        Rules::OrBuiltIn
    } else {
        Rules::Stated
    };
    let input = stdin.then(|| Input::new(args, &current));
    // The config and the repository of a filter are those of the file it stands for.
    let from = match &input {
        Some(input) => vec![input.folder()],
        None => paths.clone(),
    };
    let wanted = wanted(&args.target, &args.rules, from.clone())?;
    let settings = Settings::resolve(&wanted, rules)?;
    let one_config = matches!(wanted.config, ConfigChoice::Discover);
    let options = walk::Options {
        context: if args.stdin_filename.is_some() {
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
    let bad_glob = |error: globset::Error| Error::Message(error.to_string());
    if let Some(input) = &input
        && args.stdin_filename.is_some()
        && args.files.force_exclude
        && walk::is_excluded(&options, &current, &input.real).map_err(bad_glob)?
    {
        return pass_through(input, mode, talk);
    }
    let walk = walk::walk(&options, &current).map_err(bad_glob)?;
    if one_config {
        check_configs(&walk, &settings, &current)?;
    }
    walk.notes.iter().for_each(|note| talk.note(note));
    let plan_options = plan::Options {
        assume: assume(args)?,
        scan: settings.scan_options(),
    };
    let reader = context::Reader {
        limit: args.files.max_file_size,
        current: &current,
        options: &plan_options.scan,
    };
    let Scanned {
        mut files,
        failures,
    } = context::scan(&walk, &reader);
    let mut run = Run {
        talk,
        started,
        failures: [walk.failures, failures].concat(),
        roots: walk.roots,
        folder_links: walk.folder_links,
        current: &current,
        settings: &settings,
        options: plan_options.clone(),
    };
    if let Some(input) = input {
        return run.filter(args, files, input, mode);
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

/// The file that standard input stands for; it need not exist.
struct Input {
    name: PathBuf,
    real: PathBuf,
}

impl Input {
    fn new(args: &Rewrite, current: &Path) -> Self {
        let name = args.stdin_filename.clone();
        let name = name.unwrap_or_else(|| PathBuf::from("stdin.yaml"));
        let real = walk::resolve(&current.join(&name));
        Self { name, real }
    }

    /// The nearest folder above it that exists.
    fn folder(&self) -> PathBuf {
        let above = self.real.ancestors().skip(1);
        let mut folders = above.filter(|folder| folder.is_dir());
        folders.next().unwrap_or(Path::new(".")).to_path_buf()
    }
}

/// What every mode shares once the settings stand.
struct Run<'s> {
    talk: Talk,
    started: Instant,
    failures: Vec<Failure>,
    roots: Vec<PathBuf>,
    folder_links: FolderLinks,
    current: &'s Path,
    settings: &'s Settings,
    options: plan::Options,
}

impl Run<'_> {
    fn scan_source(&self, source: SourceFile, role: Role) -> ScannedFile {
        context::scanned(source, role, &self.roots, &self.options.scan)
    }

    fn plan(&mut self, mut files: Vec<ScannedFile>) -> Result<Plan, Error> {
        let links = link::link_in(&mut files, &self.folder_links);
        let is_concerned =
            |file: &ScannedFile| file.role == Role::Selected && !file.scan.sites.is_empty();
        let deciding = links.deciding(&files, is_concerned);
        let concerned = files.iter().filter(|file| is_concerned(file));
        let others = files.iter().map(|file| file.source.real.as_path());
        let (targets, notes) = self.settings.targets(
            concerned.map(|file| &file.source),
            others.chain(deciding.iter().map(PathBuf::as_path)),
        )?;
        notes.iter().for_each(|note| self.talk.note(note));
        let rules_for = |path: &Path| Arc::clone(targets.for_path(self.settings.relative(path)));
        let mut plan = plan::plan(files, links, &rules_for, &self.options);
        self.failures.append(&mut plan.failures);
        Ok(plan)
    }

    fn dry_run(&mut self, args: &Rewrite, plan: &mut Plan) -> Result<Exit, Error> {
        let from = diff_folder(plan, self.current);
        let shown = show_from(&from, plan);
        let rendered = self.render(args, plan);
        for (file, path) in plan.files.iter_mut().zip(shown) {
            file.source.path = path;
        }
        rendered?;
        if from != self.current {
            let from = walk::shown(&from, self.current);
            let from = from.display();
            self.talk.note(&format!(
                "the diff reaches beyond the current directory, so its paths start at `{from}`; apply it there: `git -C {from} apply < DIFF` or `patch -d {from} -p1 < DIFF`"
            ));
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

    fn render(&self, args: &Rewrite, plan: &Plan) -> Result<(), Error> {
        let to_bytes = || -> Result<Vec<u8>, Error> {
            let mut bytes = Vec::new();
            diff::render(plan, Color::Off, &mut bytes).map_err(Error::Output)?;
            Ok(bytes)
        };
        if let Some(path) = &args.diff.output_file {
            return fs::write(path, to_bytes()?).map_err(|error| {
                Error::Message(format!("{}: cannot be written: {error}", path.display()))
            });
        }
        let stdout = io::stdout();
        let color = self.talk.color(&stdout);
        let plain_terminal = color == Color::Off && stdout.is_terminal();
        let mut out = io::BufWriter::new(stdout.lock());
        let written = if plain_terminal {
            write_clean(&to_bytes()?, &mut out)
        } else {
            diff::render(plan, color, &mut out)
        };
        written.and_then(|()| out.flush()).map_err(Error::Output)
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
        input: Input,
        mode: Mode,
    ) -> Result<Exit, Error> {
        let Input { name, real } = input;
        let bytes = read_input()?;
        let text = match source::decode(bytes.clone()) {
            Ok(text) => text,
            Err(error) => {
                self.failures.push(Failure::of(&name, error));
                if mode == Mode::Filter {
                    write_output(&bytes)?;
                }
                return Ok(self.exit());
            }
        };
        drop(bytes);
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
        files.push(self.scan_source(source, Role::Selected));
        let mut plan = self.plan(files)?;
        if mode == Mode::DryRun {
            return self.dry_run(args, &mut plan);
        }
        let after = plan.files.first().and_then(|file| file.after.as_deref());
        write_output(after.unwrap_or(&text).as_bytes())?;
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

/// The assumptions that were agreed to.
fn assume(args: &Rewrite) -> Result<Assume, Error> {
    let codes = &args.judgement.assume;
    if codes.iter().any(String::is_empty) {
        return Ok(Assume::Everything);
    }
    let read = |code: &String| {
        let known = Assumption::ALL
            .into_iter()
            .find(|known| known.code() == code);
        known.ok_or_else(|| {
            let codes: Vec<&str> = Assumption::ALL.map(Assumption::code).to_vec();
            Error::Message(format!(
                "`--assume={code}` is no assumption; the codes are {}",
                codes.join(", ")
            ))
        })
    };
    let codes = codes.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(if codes.is_empty() {
        Assume::Nothing
    } else {
        Assume::Only(codes)
    })
}

/// The nearest folder, the current one or above it, below which all changes lie: `git apply` and
/// `patch` refuse paths with `..`.
fn diff_folder(plan: &Plan, current: &Path) -> PathBuf {
    let changed = || plan.files.iter().filter(|file| file.after.is_some());
    let mut above = current.ancestors();
    let holds_all = |folder: &&Path| changed().all(|file| file.source.real.starts_with(folder));
    above.find(holds_all).unwrap_or(current).to_path_buf()
}

/// Lets the files of the plan be shown as seen from `folder`; gives how they were shown before.
fn show_from(folder: &Path, plan: &mut Plan) -> Vec<PathBuf> {
    let files = plan.files.iter_mut().map(|file| &mut file.source);
    files
        .map(|source| mem::replace(&mut source.path, walk::relative(&source.real, folder)))
        .collect()
}

/// An excluded file that comes through standard input: it leaves as it came.
fn pass_through(input: &Input, mode: Mode, talk: Talk) -> Result<Exit, Error> {
    let bytes = read_input()?;
    if mode == Mode::Filter {
        write_output(&bytes)?;
    }
    let name = input.name.display();
    talk.note(&format!("{name}: is excluded; left as it is"));
    Ok(Exit::Done)
}

fn read_input() -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Error::Message(format!("standard input cannot be read: {error}")))?;
    Ok(bytes)
}

fn write_output(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).map_err(Error::Output)?;
    stdout.flush().map_err(Error::Output)
}

/// A terminal without colours is a terminal all the same: it gets no bytes that could fool it.
fn write_clean(diff: &[u8], out: &mut impl Write) -> io::Result<()> {
    let text = String::from_utf8_lossy(diff);
    text.lines()
        .try_for_each(|line| writeln!(out, "{}", clean(line)))
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
    if stdin && (args.paths.len() > 1 || args.files.files_from.is_some()) {
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
        .map(|path| format!("`{}`", path.display()))
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
