//! The rewrite itself: in place, as a diff, as a check, or as a filter.

use std::fs;
use std::io::{self, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::super::args::{FileArgs, JudgementArgs, Rewrite};
use super::super::progress::Progress;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::context::{self, Scanned};
use super::reporting::{self, Sink};
use super::{one_input, wanted};
use crate::findings::{self, Findings};
use crate::link::{self, FolderLinks, Links};
use crate::plan::{self, Assume, Plan, Repeats, RulesFor};
use crate::reason::Assumption;
use crate::report::{self, Home, Kind, Report, clean, text};
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::settings::{ConfigChoice, Rules, Settings, Wanted};
use crate::sites::ChartRefs;
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
    Check,
    Filter,
}

pub(in super::super) fn rewrite(args: &Rewrite, talk: Talk) -> Result<Exit, Error> {
    let started = Instant::now();
    refuse_together(args)?;
    let current = current_folder()?;
    let stdin = args.paths.iter().any(|path| path == Path::new(STDIN));
    one_input(&args.rules, stdin || lists_stdin(&args.files))?;
    let paths = if stdin { Vec::new() } else { paths(args)? };
    let mode = mode(args, stdin)?;
    if mode == Mode::Filter && args.report.format.is_some() {
        return Err(Error::Message(
            "`-` prints the new text; `--format` goes with it only beside `--dry-run` or `--check`"
                .into(),
        ));
    }
    let rules = match mode {
        Mode::DryRun | Mode::Check => Rules::OrBuiltIn,
        Mode::Write | Mode::Filter => Rules::Stated,
    };
    let input = stdin.then(|| Input::new(args, &current));
    // The config and the repository of a filter are those of the file it stands for.
    let from = match &input {
        Some(input) => vec![input.folder()],
        None => paths.clone(),
    };
    let wanted = wanted(&args.target, &args.rules, from.clone())?;
    let mut settings = Settings::resolve(&wanted, rules)?;
    if mode == Mode::Check {
        settings = settings.without_target();
    }
    let sink = Sink::new(&args.report, mode.default_format(), talk)?;
    let mut options = walk_options(&args.files, &settings, paths);
    if args.stdin_filename.is_some() {
        options.context = from;
    }
    if let Some(input) = &input
        && args.stdin_filename.is_some()
        && args.files.force_exclude
        && walk::is_excluded(&options, &current, &input.real).map_err(bad_glob)?
    {
        return pass_through(input, mode, talk);
    }
    let walk = self::walk(&options, &settings, &wanted, &current)?;
    let mut run = Run::new(&settings, &current, sink, talk);
    run.started = started;
    run.judge(&args.judgement);
    let mut files = run.read(walk, args.files.max_file_size);
    if let Some(input) = input {
        return run.filter(args, files, input, mode);
    }
    if !files.iter().any(|file| file.role == Role::Selected) && run.failures.is_empty() {
        talk.note("no files to read: nothing with a matching name was found (see `--include`, `--hidden`, `--no-ignore`)");
    }
    // Standard error shows targets only where they matter: where something may change.
    files.sort_by(|a, b| a.source.path.cmp(&b.source.path));
    let whole = is_whole(args, &settings);
    if whole {
        reporting::unmet_kinds(&run.options.scan.stated.fields, &files, talk);
    }
    let mut plan = run.plan(files)?;
    let findings = findings::find(&plan, settings.levels());
    run.say_unused(&plan, &findings, whole);
    match mode {
        Mode::Check => run.check(&plan, &findings),
        Mode::DryRun => run.dry_run(args, &mut plan, &findings),
        _ => run.write(&mut plan, findings),
    }
}

impl Mode {
    /// The word of the format that is printed when none was asked for.
    fn default_format(self) -> Option<&'static str> {
        match self {
            Self::Check if reporting::under_actions() => Some("github"),
            Self::Check => Some("text"),
            Self::DryRun => Some("diff"),
            Self::Write | Self::Filter => None,
        }
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
pub(super) struct Run<'s> {
    pub(super) talk: Talk,
    pub(super) started: Instant,
    pub(super) failures: Vec<Failure>,
    /// The folders beyond which nothing is read.
    pub(super) roots: Vec<PathBuf>,
    /// Links to folders inside of them.
    pub(super) folder_links: FolderLinks,
    /// Configs below the given paths.
    pub(super) configs: Vec<PathBuf>,
    pub(super) current: &'s Path,
    pub(super) settings: &'s Settings,
    pub(super) options: plan::Options,
    /// What decides files without overrides, once that is known.
    pub(super) base: Option<Arc<RuleSet>>,
    /// Where a report goes.
    pub(super) sink: Sink<'s>,
}

impl<'s> Run<'s> {
    pub(super) fn new(
        settings: &'s Settings,
        current: &'s Path,
        sink: Sink<'s>,
        talk: Talk,
    ) -> Self {
        Self {
            talk,
            started: Instant::now(),
            failures: Vec::new(),
            roots: Vec::new(),
            folder_links: FolderLinks::new(),
            configs: Vec::new(),
            current,
            settings,
            options: plan::Options {
                scan: settings.scan_options(),
                allows_insecure: settings.allows_insecure(),
                ..plan::Options::default()
            },
            base: None,
            sink,
        }
    }

    /// Takes over what is assumed and followed.
    pub(super) fn judge(&mut self, judgement: &JudgementArgs) {
        self.options.assume = assume(&judgement.assume);
        if judgement.with_tests {
            self.options.repeats = Repeats::Follow;
        }
        if judgement.charts {
            self.options.scan.stated.charts = ChartRefs::Sought;
        }
    }

    /// Reads and scans what was walked, and what that takes in. `limit` is in bytes.
    pub(super) fn read(&mut self, walk: Walk, limit: u64) -> Vec<ScannedFile> {
        walk.notes.iter().for_each(|note| self.talk.note(note));
        let progress = Progress::new(self.talk);
        let reader = context::Reader {
            limit,
            current: self.current,
            options: &self.options.scan,
            progress: &|done, all| progress.at(done, all, "files read"),
        };
        let Scanned {
            files,
            failures,
            own,
        } = context::scan(&walk, &reader);
        progress.end();
        for path in own {
            let path = path.display();
            self.talk
                .note(&format!("{path}: is a report of ecr-rewrite; left out"));
        }
        self.failures = [walk.failures, failures].concat();
        self.roots = walk.roots;
        self.folder_links = walk.folder_links;
        self.configs = walk.configs;
        files
    }

    pub(super) fn plan(&mut self, files: Vec<ScannedFile>) -> Result<Plan, Error> {
        let (plan, ()) = self.plan_and(files, |_, _, _| ())?;
        Ok(plan)
    }

    /// Plans, and lets `look` see what the plan is made of.
    pub(super) fn plan_and<T>(
        &mut self,
        mut files: Vec<ScannedFile>,
        look: impl FnOnce(&[ScannedFile], &Links, RulesFor<'_>) -> T,
    ) -> Result<(Plan, T), Error> {
        let charts = self.settings.knowledge(self.options.scan.stated.charts);
        let progress = Progress::new(self.talk);
        let links = progress.during("finding what hangs together", || {
            link::link_in(&mut files, &self.folder_links, &charts)
        });
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
        self.base = Some(Arc::clone(targets.base()));
        let rules_for = |path: &Path| Arc::clone(targets.for_path(self.settings.relative(path)));
        let seen = look(&files, &links, &rules_for);
        let mut plan = progress.during("planning", || {
            plan::plan(files, links, &rules_for, &charts, &self.options)
        });
        self.failures.append(&mut plan.failures);
        Ok((plan, seen))
    }

    /// Prints the report, if one was asked for.
    fn render(&self, plan: &Plan, findings: &Findings, mode: report::Mode) -> Result<(), Error> {
        let around = walk::repository(self.current);
        let root = around.or_else(|| self.roots.first().map(PathBuf::as_path));
        let home = Home {
            current: self.current,
            root: root.unwrap_or(self.current),
        };
        self.sink.render(&Report {
            plan,
            findings,
            failures: &self.failures,
            mode,
            home,
        })
    }

    fn is_patch(&self) -> bool {
        let format = self.sink.format;
        format.is_some_and(|format| format.kind == Kind::Patch)
    }

    fn check(&mut self, plan: &Plan, findings: &Findings) -> Result<Exit, Error> {
        if self.is_patch() && plan.changes().any(|(file, _)| file.after.is_none()) {
            return Err(Error::Message(
                "a diff needs a target; give `--registry`, or `registry:` in the config".into(),
            ));
        }
        let rendered = self.render(plan, findings, report::Mode::Check);
        unless_closed(rendered)?;
        self.explain(plan, text::Tense::Would);
        self.talk.note(&text::findings(findings));
        let exit = self.exit();
        Ok(if exit == Exit::Done && findings.fail() {
            Exit::Found
        } else {
            exit
        })
    }

    fn dry_run(
        &mut self,
        args: &Rewrite,
        plan: &mut Plan,
        findings: &Findings,
    ) -> Result<Exit, Error> {
        let from = diff_folder(plan, self.current);
        let is_diff = self.is_patch();
        let shown = is_diff.then(|| show_from(&from, plan));
        let rendered = self.render(plan, findings, report::Mode::DryRun);
        for (file, path) in plan.files.iter_mut().zip(shown.into_iter().flatten()) {
            file.source.path = path;
        }
        unless_closed(rendered)?;
        if is_diff && from != self.current {
            let from = walk::shown(&from, self.current);
            let from = from.display();
            self.talk.note(&format!(
                "the diff reaches beyond the current directory, so its paths start at `{from}`; apply it there: `git -C {from} apply < DIFF` or `patch -d {from} -p1 < DIFF`"
            ));
        }
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
        let written = Progress::new(self.talk).during("writing", || write::write(plan, &stop));
        self.failures.extend(written.failures);
        // What was changed comes from ECR now; the rest of what was found stands.
        findings.list.retain(|finding| finding.fix.is_none());
        self.render(plan, &findings, report::Mode::Write)?;
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
        files.push(context::scanned(
            source,
            Role::Selected,
            &self.roots,
            &self.options.scan,
        ));
        let mut plan = self.plan(files)?;
        let findings = findings::find(&plan, self.settings.levels());
        self.say_unused(&plan, &findings, false);
        match mode {
            Mode::DryRun => return self.dry_run(args, &mut plan, &findings),
            Mode::Check => return self.check(&plan, &findings),
            _ => {}
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
            text::unread(plan)
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

/// How the given paths are walked.
pub(super) fn walk_options(
    files: &FileArgs,
    settings: &Settings,
    paths: Vec<PathBuf>,
) -> walk::Options {
    walk::Options {
        context: Vec::new(),
        paths,
        include: files.include.clone(),
        exclude: files.exclude.clone(),
        config_exclude: settings.exclude(),
        hidden: switch(files.hidden),
        no_ignore: switch(files.no_ignore),
        force_exclude: switch(files.force_exclude),
    }
}

/// Walks them; one config holds for all, unless another one is named.
pub(super) fn walk(
    options: &walk::Options,
    settings: &Settings,
    wanted: &Wanted,
    current: &Path,
) -> Result<Walk, Error> {
    let mut walk = walk::walk(options, current).map_err(bad_glob)?;
    let rules: Vec<&Path> = settings.rule_files().collect();
    walk.files
        .retain(|file| !rules.contains(&file.real.as_path()));
    if matches!(wanted.config, ConfigChoice::Discover) {
        check_configs(&walk, settings, current)?;
    }
    Ok(walk)
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it on")]
fn bad_glob(error: globset::Error) -> Error {
    Error::Message(error.to_string())
}

/// The assumptions that were agreed to; the command line knows no other codes.
fn assume(codes: &[String]) -> Assume {
    if codes.iter().any(String::is_empty) {
        return Assume::Everything;
    }
    let agreed = |assumption: &Assumption| codes.iter().any(|code| code == assumption.code());
    let agreed: Vec<Assumption> = Assumption::ALL.into_iter().filter(agreed).collect();
    if agreed.is_empty() {
        Assume::Nothing
    } else {
        Assume::Only(agreed)
    }
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

/// Nobody reads on: that is no error, and changes nothing of what was found.
pub(super) fn unless_closed(rendered: Result<(), Error>) -> Result<(), Error> {
    match rendered {
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
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

/// Refuses options that say nothing together.
fn refuse_together(args: &Rewrite) -> Result<(), Error> {
    if args.check && args.report.exit_code {
        let message = "`--exit-code` goes with `--dry-run`; `--check` has its own";
        return Err(Error::Message(message.into()));
    }
    Ok(())
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
    if stdin && (args.paths.len() > 1 || args.files.files_from.is_some()) {
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
    all_exist(&paths)?;
    Ok(paths)
}

/// Whether the paths come from standard input.
pub(super) fn lists_stdin(files: &FileArgs) -> bool {
    files.files_from.as_deref() == Some(Path::new(STDIN))
}

/// Refuses paths that do not exist.
pub(super) fn all_exist(paths: &[PathBuf]) -> Result<(), Error> {
    let missing = paths.iter().filter(|path| path.symlink_metadata().is_err());
    let missing: Vec<String> = missing
        .map(|path| format!("`{}`", path.display()))
        .collect();
    match missing.len() {
        0 => Ok(()),
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

pub(super) fn read_list(list: &Path, null: bool) -> Result<Vec<PathBuf>, Error> {
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
pub(super) fn stop_on_signals() -> write::Stop {
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
pub(super) fn stop_on_signals() -> write::Stop {
    write::Stop::default()
}
