//! Which files a run looks at.
//!
//! The user's paths select files that may be changed; everything else of the repository that has the
//! right name is read for context, because sites hang together across files. Links are resolved
//! here, once: everything later works with real paths, each file once, in a fixed order.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::globs::path_globs;
use crate::source::Failure;

/// The name of the config file, which is never rewritten.
pub const CONFIG_NAME: &str = ".ecr-rewrite.yaml";
/// The start of the name of every temporary file; one that is met was left by a killed run.
pub const TEMP_PREFIX: &str = ".ecr-rewrite-tmp.";

/// Names of files that may hold images.
const NAMES: &[&str] = &[
    "*.yaml",
    "*.yml",
    "*.json",
    "*.tpl",
    "*.gotmpl",
    "*.tmpl",
    "*.j2",
    "Kustomization",
];
/// Names of files that become kustomizations: read for context, because of the images they name.
const CONTEXT_NAMES: &[&str] = &[
    "[Kk]ustomization.y*ml.*",
    "[Kk]ustomization.{envsubst,erb,in,jinja,jinja2,mustache,template}",
];
/// Names that are left out unless a path is given: files that other tools run, not the cluster, and
/// helpers of charts.
const LEFT_OUT: &[&str] = &[
    "docker-compose*.y*ml",
    "compose.y*ml",
    "compose.*.y*ml",
    ".gitlab-ci*.yml",
    "cloudbuild*.y*ml",
    "skaffold*.y*ml",
    "codefresh*.y*ml",
    "azure-pipelines*.y*ml",
    ".travis.yml",
    "appveyor.yml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    "buildspec*.y*ml",
    "devcontainer.json",
    ".devcontainer.json",
    "kind-config*.y*ml",
    "_helpers.tpl",
];
/// Folders in which nothing is selected unless a path inside is given.
const LEFT_OUT_FOLDERS: &[&str] = &[
    ".github",
    ".gitlab",
    ".circleci",
    ".buildkite",
    ".azure-pipelines",
    ".devcontainer",
];
/// Folders that are not even read for context.
const NEVER: &[&str] = &[".git", "node_modules", ".terraform"];

/// Why a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user asked for it: it may be changed.
    Selected,
    /// Others depend on what it says; it is not touched.
    Context,
}

/// Whether something is done or left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// Not asked for.
    #[default]
    Off,
    /// Asked for.
    On,
}

/// What to walk.
#[derive(Debug, Default)]
pub struct Options {
    /// The given files and folders.
    pub paths: Vec<PathBuf>,
    /// Folders whose repositories are read for context although no path in them was given.
    pub context: Vec<PathBuf>,
    /// Globs of further file names.
    pub include: Vec<String>,
    /// Globs relative to the current directory of files to leave out.
    pub exclude: Vec<String>,
    /// Globs relative to a folder (the config's) of files to leave out.
    pub config_exclude: Option<(PathBuf, Vec<String>)>,
    /// Select hidden files, too.
    pub hidden: Switch,
    /// Do not look at `.gitignore` and the like.
    pub no_ignore: Switch,
    /// Let excludes bind the given files, too.
    pub force_exclude: Switch,
}

/// A file of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The path to show, relative to the current directory where the file lies below it.
    pub path: PathBuf,
    /// The real path.
    pub real: PathBuf,
    /// The links by which it was met, too: where each stands, only its folder resolved. Sorted.
    pub links: Vec<PathBuf>,
    /// Whether it may be changed.
    pub role: Role,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files, sorted by the path that is shown.
    pub files: Vec<Walked>,
    /// Things worth saying.
    pub notes: Vec<String>,
    /// Folders and links that could not be read.
    pub failures: Vec<Failure>,
    /// Configs below the given folders.
    pub configs: Vec<PathBuf>,
    /// The folders beyond which nothing is read.
    pub roots: Vec<PathBuf>,
    /// Links to folders inside of them: where each stands, and the real folder.
    pub folder_links: BTreeMap<PathBuf, PathBuf>,
    /// Links to files outside of them, which are not followed. Sorted.
    pub outside: Vec<PathBuf>,
}

/// The folder that holds `.git`, above or at `folder`.
pub fn repository(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
}

/// The folder that a given path stands in: itself, or the one that holds it. The last component is
/// not followed: a link belongs to the place where it stands.
pub fn home(path: &Path) -> std::io::Result<PathBuf> {
    if path.is_dir() {
        return path.canonicalize();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.canonicalize(),
        _ => Path::new(".").canonicalize(),
    }
}

/// The path to show for a real one.
pub fn shown(real: &Path, current: &Path) -> PathBuf {
    match real.strip_prefix(current) {
        Ok(below) if !below.as_os_str().is_empty() => below.to_path_buf(),
        _ => real.to_path_buf(),
    }
}

/// Walks the given paths and, around them, the repository. `current` is the current directory,
/// resolved. Errors are globs that do not compile.
pub fn walk(options: &Options, current: &Path) -> Result<Walk, globset::Error> {
    let filter = Filter::new(options, current)?;
    let mut walker = Walker {
        filter,
        options,
        current,
        found: Found::default(),
        roots: Vec::new(),
    };
    let (folders, files): (Vec<_>, Vec<_>) = options.paths.iter().partition(|path| path.is_dir());
    let folders: Vec<PathBuf> = folders
        .into_iter()
        .filter_map(|path| walker.resolve(path))
        .collect();
    let files: Vec<(&PathBuf, PathBuf)> = files
        .into_iter()
        .filter_map(|path| Some((path, walker.resolve(path)?)))
        .collect();
    let context: Vec<PathBuf> = options
        .context
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    walker.roots = roots(
        &folders,
        files.iter().map(|(given, _)| given.as_path()),
        &context,
    );
    walker.folders(&folders, &folders);
    for (given, real) in &files {
        walker.file(given, real);
    }
    let around: Vec<PathBuf> = walker
        .roots
        .iter()
        .filter(|root| !folders.contains(root))
        .cloned()
        .collect();
    walker.folders(&around, &folders);
    Ok(walker.finish())
}

/// The repositories of the given paths: beyond them nothing is read or written. Outside of any
/// repository, a folder stands for itself.
fn roots<'p>(
    folders: &[PathBuf],
    files: impl Iterator<Item = &'p Path>,
    context: &[PathBuf],
) -> Vec<PathBuf> {
    let of_folders = folders
        .iter()
        .map(|folder| repository(folder).unwrap_or(folder).to_path_buf());
    let homes = files
        .filter_map(|path| home(path).ok())
        .chain(context.iter().cloned());
    let around = homes.filter_map(|home| Some(repository(&home)?.to_path_buf()));
    let mut roots: Vec<PathBuf> = of_folders.chain(around).collect();
    roots.sort();
    roots.dedup();
    roots
}

#[derive(Default)]
struct Found {
    files: BTreeMap<PathBuf, (Role, BTreeSet<PathBuf>)>,
    notes: Vec<String>,
    failures: Vec<Failure>,
    configs: Vec<PathBuf>,
    folder_links: BTreeMap<PathBuf, PathBuf>,
    outside: Vec<PathBuf>,
}

struct Walker<'o> {
    filter: Filter,
    options: &'o Options,
    current: &'o Path,
    found: Found,
    roots: Vec<PathBuf>,
}

impl Walker<'_> {
    fn resolve(&mut self, path: &Path) -> Option<PathBuf> {
        match path.canonicalize() {
            Ok(real) => Some(real),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.found.failures.push(Failure::of(path, message));
                None
            }
        }
    }

    /// A file that was given by name: it counts whatever it is called.
    fn file(&mut self, given: &Path, real: &Path) {
        let name = real.file_name().unwrap_or_default();
        if name == CONFIG_NAME || is_stray(name) {
            self.found
                .notes
                .push(format!("{}: is never rewritten; skipped", given.display()));
            return;
        }
        let is_link = given
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink());
        let beside = home(given).is_ok_and(|home| real.starts_with(home));
        if is_link && !beside && !self.is_inside(real) {
            self.found.notes.push(outside(given, real));
            return;
        }
        if self.options.force_exclude == Switch::On && self.filter.excludes(real) {
            return;
        }
        let link = home(given).ok().filter(|_| is_link);
        let link = link.zip(given.file_name());
        let link = link.map(|(home, name)| home.join(name));
        self.found.file(real.to_path_buf(), Role::Selected, link);
    }

    fn is_inside(&self, real: &Path) -> bool {
        self.roots.iter().any(|root| real.starts_with(root))
    }

    /// Walks `folders`. Files below one of `selected` may be changed, the others are context.
    fn folders(&mut self, folders: &[PathBuf], selected: &[PathBuf]) {
        let Some((first, rest)) = folders.split_first() else {
            return;
        };
        let mut builder = WalkBuilder::new(first);
        rest.iter().for_each(|folder| {
            builder.add(folder);
        });
        let ignore = self.options.no_ignore == Switch::Off;
        builder.hidden(false).ignore(ignore).parents(ignore);
        builder
            .git_ignore(ignore)
            .git_exclude(ignore)
            .git_global(ignore);
        // The folders walked already are not walked again as context.
        let walked: Vec<PathBuf> = if folders == selected {
            Vec::new()
        } else {
            selected.to_vec()
        };
        builder.filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let never = entry
                .file_name()
                .to_str()
                .is_some_and(|name| NEVER.contains(&name));
            !is_folder
                || entry.depth() == 0
                || !never && !walked.iter().any(|folder| folder == entry.path())
        });
        let found = Mutex::new(std::mem::take(&mut self.found));
        let this = &*self;
        builder.build_parallel().run(|| {
            Box::new(|entry| {
                if let Some(visit) = this.entry(entry, selected)
                    && let Ok(mut found) = found.lock()
                {
                    found.add(visit, this.current);
                }
                WalkState::Continue
            })
        });
        self.found = found.into_inner().unwrap_or_default();
    }

    fn entry(&self, entry: Result<DirEntry, ignore::Error>, selected: &[PathBuf]) -> Option<Visit> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(Visit::Failed(failure(&error, self.current))),
        };
        let kind = entry.file_type()?;
        if kind.is_dir() || is_stray(entry.file_name()) && selected.is_empty() {
            return None;
        }
        let given = selected
            .iter()
            .find(|folder| entry.path().starts_with(folder));
        if is_stray(entry.file_name()) {
            return given.map(|_| Visit::Note(stray(&shown(entry.path(), self.current))));
        }
        if kind.is_symlink()
            && let Ok(real) = entry.path().canonicalize()
            && real.is_dir()
        {
            return self
                .is_inside(&real)
                .then(|| Visit::FolderLink(entry.into_path(), real));
        }
        if entry.file_name() == CONFIG_NAME {
            let counts = given.is_some() && !self.filter.excludes(entry.path());
            return counts.then(|| Visit::Config(entry.into_path()));
        }
        let listed = self.filter.has_name(entry.file_name());
        if !listed && !self.filter.context.is_match(Path::new(entry.file_name())) {
            return None;
        }
        let role = match given {
            Some(folder) if listed && self.filter.selects(entry.path(), folder) => Role::Selected,
            _ => Role::Context,
        };
        if kind.is_symlink() {
            return self.link(entry.path(), role);
        }
        kind.is_file()
            .then(|| Visit::File(entry.into_path(), role, None))
    }

    /// A link in the tree: its target is the file, if it lies inside the repository.
    fn link(&self, path: &Path, role: Role) -> Option<Visit> {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(_) if role == Role::Context => return None,
            Err(error) => {
                let message = format!("is a link that leads nowhere ({error}); remove or mend it");
                return Some(Visit::Note(format!(
                    "{}: {message}",
                    shown(path, self.current).display()
                )));
            }
        };
        if self.is_inside(&real) {
            return Some(Visit::File(real, role, Some(path.to_path_buf())));
        }
        Some(Visit::Outside(path.to_path_buf(), real, role))
    }

    fn finish(self) -> Walk {
        let Found {
            files,
            mut notes,
            mut failures,
            mut configs,
            folder_links,
            mut outside,
        } = self.found;
        outside.sort();
        let walked = files.into_iter().map(|(real, (role, links))| Walked {
            path: shown(&real, self.current),
            real,
            links: links.into_iter().collect(),
            role,
        });
        let mut files: Vec<Walked> = walked.collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        notes.sort();
        failures.sort_by(|a, b| a.path.cmp(&b.path));
        configs.sort();
        Walk {
            files,
            notes,
            failures,
            configs,
            roots: self.roots,
            folder_links,
            outside,
        }
    }
}

/// What an entry of a folder turned out to be.
enum Visit {
    File(PathBuf, Role, Option<PathBuf>),
    FolderLink(PathBuf, PathBuf),
    Outside(PathBuf, PathBuf, Role),
    Config(PathBuf),
    Note(String),
    Failed(Failure),
}

impl Found {
    /// A file, and the link by which it was met, if any. It is selected when any way to it is.
    fn file(&mut self, real: PathBuf, role: Role, link: Option<PathBuf>) {
        let (known, links) = self.files.entry(real).or_insert((role, BTreeSet::new()));
        if role == Role::Selected {
            *known = role;
        }
        links.extend(link);
    }

    fn add(&mut self, visit: Visit, current: &Path) {
        match visit {
            Visit::File(real, role, link) => self.file(real, role, link),
            Visit::FolderLink(link, real) => {
                self.folder_links.insert(link, real);
            }
            Visit::Outside(link, real, role) => {
                if role == Role::Selected {
                    self.notes.push(outside(&shown(&link, current), &real));
                }
                self.outside.push(link);
            }
            Visit::Config(path) => self.configs.push(path),
            Visit::Note(note) => self.notes.push(note),
            Visit::Failed(failure) => self.failures.push(failure),
        }
    }
}

/// Names and globs, compiled.
struct Filter {
    names: GlobSet,
    context: GlobSet,
    left_out: GlobSet,
    exclude: GlobSet,
    config_exclude: Option<(PathBuf, GlobSet)>,
    current: PathBuf,
    hidden: Switch,
}

impl Filter {
    fn new(options: &Options, current: &Path) -> Result<Self, globset::Error> {
        let config_exclude = match &options.config_exclude {
            Some((folder, globs)) => Some((folder.clone(), path_globs(globs)?)),
            None => None,
        };
        Ok(Self {
            names: names(
                NAMES
                    .iter()
                    .copied()
                    .chain(options.include.iter().map(String::as_str)),
            )?,
            context: names(CONTEXT_NAMES.iter().copied())?,
            left_out: names(LEFT_OUT.iter().copied())?,
            exclude: path_globs(&options.exclude)?,
            config_exclude,
            current: current.to_path_buf(),
            hidden: options.hidden,
        })
    }

    fn has_name(&self, name: &OsStr) -> bool {
        self.names.is_match(Path::new(name))
    }

    /// Whether a file below the given `folder` may be changed.
    fn selects(&self, path: &Path, folder: &Path) -> bool {
        let below = path.strip_prefix(folder).unwrap_or(path);
        let hidden = below
            .components()
            .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
        let shows = self.hidden == Switch::On || !hidden;
        shows && !self.is_left_out(below) && !self.excludes(path)
    }

    fn is_left_out(&self, below: &Path) -> bool {
        let name = below.file_name().unwrap_or_default();
        let in_folder = below.components().any(|part| {
            part.as_os_str()
                .to_str()
                .is_some_and(|part| LEFT_OUT_FOLDERS.contains(&part))
        });
        in_folder || self.left_out.is_match(Path::new(name))
    }

    fn excludes(&self, path: &Path) -> bool {
        let below = |folder: &Path| path.strip_prefix(folder).ok().map(Path::to_path_buf);
        let by_flag = below(&self.current).is_some_and(|path| self.exclude.is_match(path));
        let by_config = self
            .config_exclude
            .as_ref()
            .is_some_and(|(folder, globs)| below(folder).is_some_and(|path| globs.is_match(path)));
        by_flag || by_config
    }
}

fn names<'g>(globs: impl Iterator<Item = &'g str>) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    set.build()
}

fn is_stray(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes())
}

fn stray(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let target = name
        .strip_prefix(TEMP_PREFIX)
        .and_then(|rest| rest.rsplit_once('.'));
    let target = target.map_or("a file", |(target, _)| target);
    format!(
        "{}: was left by a run that was killed while it wrote `{target}`; check that file, then remove this one",
        path.display()
    )
}

fn outside(link: &Path, real: &Path) -> String {
    format!(
        "{}: is a link to {}, outside of the repository; not followed",
        link.display(),
        real.display()
    )
}

fn failure(error: &ignore::Error, current: &Path) -> Failure {
    let mut inner = error;
    let mut path = PathBuf::from(".");
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = shown(at, current);
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                inner = err;
            }
            other => return Failure::of(&path, format!("cannot be read: {other}")),
        }
    }
}
