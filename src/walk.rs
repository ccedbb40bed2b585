//! Which files a run looks at.
//!
//! The user's paths select files that may be changed; everything else of the repository that has the
//! right name is read for context, because sites hang together across files. Links are resolved
//! here, once: everything later works with real paths, each file once, in a fixed order. A link adds
//! no file that the walk of its repository would leave out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::globs::{file_globs, path_globs};
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
/// The way to the folder above.
const UP: &str = "../";
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
    /// Globs of further files, relative to the current directory and to the given folders.
    pub include: Vec<String>,
    /// Globs of files to leave out, relative to the current directory and to the given folders.
    pub exclude: Vec<String>,
    /// Globs relative to a folder (the config's) of files to leave out.
    pub config_exclude: Option<(PathBuf, Vec<String>)>,
    /// Select hidden files, too.
    pub hidden: Switch,
    /// Do not look at `.gitignore` and the like.
    pub no_ignore: Switch,
    /// Let excludes bind the given files, too, and what a walk leaves out by itself.
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
    /// The repositories of the given paths, and given folders outside of any.
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

/// The real path of a file that need not exist, from an absolute one: links are resolved as far as
/// the path exists, and the rest is put together as text.
pub fn resolve(path: &Path) -> PathBuf {
    let Some(parent) = path.parent() else {
        return path.to_path_buf();
    };
    path.canonicalize().unwrap_or_else(|_| {
        let mut real = resolve(parent);
        match path.file_name() {
            Some(name) => real.push(name),
            // The path ends in `..`.
            None => drop(real.pop()),
        }
        real
    })
}

/// The path to show for a real one: relative to the current directory, unless the two share no
/// folder at all.
pub fn shown(real: &Path, current: &Path) -> PathBuf {
    let mut shared = shared(real, current);
    if real == current || !shared.any(|part| matches!(part, Component::Normal(_))) {
        return real.to_path_buf();
    }
    relative(real, current)
}

/// `path` as seen from `folder`, both real.
pub fn relative(path: &Path, folder: &Path) -> PathBuf {
    let shared = shared(path, folder).count();
    let up = folder.components().skip(shared);
    up.map(|_| Component::ParentDir)
        .chain(path.components().skip(shared))
        .collect()
}

/// What two paths begin with.
fn shared<'p>(one: &'p Path, other: &'p Path) -> impl Iterator<Item = Component<'p>> {
    let pairs = one.components().zip(other.components());
    pairs
        .take_while(|(one, other)| one == other)
        .map(|(part, _)| part)
}

/// Walks the given paths and, around them, the repository. `current` is the current directory,
/// resolved. Errors are globs that do not compile.
pub fn walk(options: &Options, current: &Path) -> Result<Walk, globset::Error> {
    let mut walker = Walker {
        filter: Filter::new(options, current, places(&options.paths))?,
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
        current,
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
    walker.follow();
    Ok(walker.finish())
}

/// Whether the excludes of `options` fit the file at `real`, which need not exist.
pub fn is_excluded(options: &Options, current: &Path, real: &Path) -> Result<bool, globset::Error> {
    let home = real.parent().map(Path::to_path_buf);
    Ok(Filter::new(options, current, home.into_iter().collect())?.excludes(real))
}

/// The folders that globs count from, besides the current directory: those that were given, or that
/// hold what was given.
fn places(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    paths.iter().filter_map(|path| home(path).ok()).collect()
}

/// The files by which a folder is a kustomization.
pub const KUSTOMIZATIONS: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The repositories of the given paths: beyond them nothing is read or written. Outside of any
/// repository, a folder stands for itself; where it is a kustomization or a file, which others may take
/// in, the current directory does, unless it is somebody's home or holds everything.
fn roots<'p>(
    folders: &[PathBuf],
    files: impl Iterator<Item = &'p Path>,
    context: &[PathBuf],
    current: &Path,
) -> Vec<PathBuf> {
    let is_home = std::env::var_os("HOME").is_some_and(|home| Path::new(&home) == current);
    let is_whole = !is_home && current.parent().is_some();
    let whole = |folder: &Path| {
        let here = || Some(current).filter(|_| is_whole && folder.starts_with(current));
        repository(folder).or_else(here).map(Path::to_path_buf)
    };
    let of_folders = folders.iter().map(|folder| {
        let is_part = || KUSTOMIZATIONS.iter().any(|name| folder.join(name).exists());
        let root = repository(folder).map(Path::to_path_buf);
        root.or_else(|| whole(folder).filter(|_| is_part()))
            .unwrap_or_else(|| folder.clone())
    });
    let homes = files
        .filter_map(|path| home(path).ok())
        .chain(context.iter().cloned());
    let around = homes.filter_map(|home| whole(&home));
    let mut roots: Vec<PathBuf> = of_folders.chain(around).collect();
    roots.sort();
    roots.dedup();
    roots
}

#[derive(Default)]
struct Found {
    /// The files, each with the links to it.
    files: HashMap<PathBuf, (Role, BTreeSet<PathBuf>)>,
    /// Links to files, where they lead, and what their own place would make of the file.
    links: Vec<(PathBuf, PathBuf, Role)>,
    folder_links: BTreeMap<PathBuf, PathBuf>,
    outside: Vec<PathBuf>,
    notes: Vec<String>,
    failures: Vec<Failure>,
    configs: Vec<PathBuf>,
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
        let place = home(given).map(|home| home.join(given.file_name().unwrap_or_default()));
        let place = place.ok();
        let is_left = |path: &Path| !self.filter.selects(path, &self.roots);
        let is_left = is_left(real) || place.as_deref().is_some_and(is_left);
        if self.options.force_exclude == Switch::On && is_left {
            return;
        }
        let link = place.filter(|_| is_link);
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
        let path = entry.path();
        let is_given = selected.iter().any(|folder| path.starts_with(folder));
        if is_stray(entry.file_name()) {
            return is_given.then(|| Visit::Note(stray(&shown(path, self.current))));
        }
        if kind.is_symlink()
            && let Ok(real) = path.canonicalize()
            && real.is_dir()
        {
            let inside = self.is_inside(&real);
            return inside.then(|| Visit::FolderLink(entry.into_path(), real));
        }
        if entry.file_name() == CONFIG_NAME {
            let counts = is_given && !self.filter.excludes(path);
            return counts.then(|| Visit::Config(entry.into_path()));
        }
        let listed = self.filter.has_name(path);
        if !listed && !self.filter.context.is_match(Path::new(entry.file_name())) {
            return None;
        }
        let role = if listed && self.filter.selects(path, selected) {
            Role::Selected
        } else {
            Role::Context
        };
        if kind.is_symlink() {
            return self.link(path, role);
        }
        kind.is_file().then(|| Visit::File(entry.into_path(), role))
    }

    /// A link in the tree: its target is the file, if it lies inside the repository.
    fn link(&self, path: &Path, role: Role) -> Option<Visit> {
        match path.canonicalize() {
            Ok(real) if self.is_inside(&real) => Some(Visit::Link(path.to_path_buf(), real, role)),
            Ok(real) => Some(Visit::Outside(path.to_path_buf(), real, role)),
            Err(_) if role == Role::Context => None,
            Err(error) => Some(Visit::Note(format!(
                "{}: is a link that leads nowhere ({error}); remove or mend it",
                shown(path, self.current).display()
            ))),
        }
    }

    /// Notes by which links a file was met, and selects what links lead to: the files that walking
    /// their repository would select. Others are known, and stay as they are.
    fn follow(&mut self) {
        for (link, real, role) in std::mem::take(&mut self.found.links) {
            let walked = self.found.files.contains_key(&real);
            let selects = walked && self.filter.selects(&real, &self.roots);
            let selected = self.found.file(
                real.clone(),
                if selects { role } else { Role::Context },
                Some(link.clone()),
            );
            if role == Role::Selected && selected == Role::Context {
                self.found.notes.push(format!(
                    "{}: is a link to {}, which is left out of the repository's files; not followed, give its path to have it rewritten",
                    shown(&link, self.current).display(),
                    shown(&real, self.current).display()
                ));
            }
        }
    }

    fn finish(self) -> Walk {
        let Found {
            files,
            mut notes,
            mut failures,
            mut configs,
            folder_links,
            mut outside,
            ..
        } = self.found;
        outside.sort();
        outside.dedup();
        let walked = files.into_iter().map(|(real, (role, links))| Walked {
            path: shown(&real, self.current),
            real,
            links: links.into_iter().collect(),
            role,
        });
        let mut files: Vec<Walked> = walked.collect();
        files.sort_by_cached_key(|file| in_order(&file.path));
        // Given folders that lie inside each other are walked once each.
        notes.sort();
        notes.dedup();
        failures.sort_by(|a, b| (&a.path, &a.message).cmp(&(&b.path, &b.message)));
        failures.dedup_by(|a, b| (&a.path, &a.message) == (&b.path, &b.message));
        configs.sort();
        configs.dedup();
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

/// Bytes that are in order as the paths are, part by part, which is slow to compare.
fn in_order(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let parted = |&byte: &u8| if byte == b'/' { 0 } else { byte };
    bytes.map(parted).collect()
}

/// What an entry of a folder turned out to be.
enum Visit {
    File(PathBuf, Role),
    Link(PathBuf, PathBuf, Role),
    FolderLink(PathBuf, PathBuf),
    Outside(PathBuf, PathBuf, Role),
    Config(PathBuf),
    Note(String),
    Failed(Failure),
}

impl Found {
    /// A file, and the link by which it was met, if any. It is selected when any way to it is. Gives
    /// what it is now.
    fn file(&mut self, real: PathBuf, role: Role, link: Option<PathBuf>) -> Role {
        let (known, links) = self.files.entry(real).or_insert((role, BTreeSet::new()));
        if role == Role::Selected {
            *known = role;
        }
        links.extend(link);
        *known
    }

    fn add(&mut self, visit: Visit, current: &Path) {
        match visit {
            Visit::File(real, role) => drop(self.file(real, role, None)),
            Visit::Link(path, real, role) => self.links.push((path, real, role)),
            Visit::FolderLink(link, real) => drop(self.folder_links.insert(link, real)),
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

/// Globs over the paths below some folders.
struct Below {
    folders: BTreeSet<PathBuf>,
    globs: GlobSet,
}

impl Below {
    /// The globs of an option: they count from each of `folders`, but one that starts with `../` from
    /// the folder that it climbs to from the current one.
    fn of_option(
        globs: &[String],
        current: &Path,
        folders: BTreeSet<PathBuf>,
        compile: fn(&[String]) -> Result<GlobSet, globset::Error>,
    ) -> Result<Vec<Self>, globset::Error> {
        let climbs = |glob: &String| glob.starts_with(UP);
        let (climbing, plain): (Vec<String>, Vec<String>) = globs.iter().cloned().partition(climbs);
        let globs = compile(&plain)?;
        let mut all = vec![Self { folders, globs }];
        for glob in &climbing {
            let (mut folder, mut rest) = (current, glob.as_str());
            while let Some(glob) = rest.strip_prefix(UP) {
                (folder, rest) = (folder.parent().unwrap_or(folder), glob);
            }
            all.push(Self {
                folders: [folder.to_path_buf()].into(),
                globs: compile(&[format!("/{rest}")])?,
            });
        }
        Ok(all)
    }

    fn fits(&self, path: &Path) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        let folders = path.ancestors().skip(1);
        folders
            .filter(|folder| self.folders.contains(*folder))
            .filter_map(|folder| path.strip_prefix(folder).ok())
            .any(|below| self.globs.is_match(below))
    }
}

/// Names and globs, compiled.
struct Filter {
    names: GlobSet,
    context: GlobSet,
    include: Vec<Below>,
    left_out: GlobSet,
    exclude: Vec<Below>,
    hidden: Switch,
}

impl Filter {
    /// `places` are the folders that the globs of options count from, besides the current directory.
    fn new(
        options: &Options,
        current: &Path,
        mut places: BTreeSet<PathBuf>,
    ) -> Result<Self, globset::Error> {
        places.insert(current.to_path_buf());
        let include = Below::of_option(&options.include, current, places.clone(), file_globs)?;
        let mut exclude = Below::of_option(&options.exclude, current, places, path_globs)?;
        if let Some((folder, globs)) = &options.config_exclude {
            exclude.push(Below {
                folders: [folder.clone()].into(),
                globs: path_globs(globs)?,
            });
        }
        Ok(Self {
            names: names(NAMES)?,
            context: names(CONTEXT_NAMES)?,
            include,
            left_out: names(LEFT_OUT)?,
            exclude,
            hidden: options.hidden,
        })
    }

    fn has_name(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        self.names.is_match(Path::new(name)) || self.include.iter().any(|globs| globs.fits(path))
    }

    /// Whether a file may be changed because it lies below one of the `folders`.
    fn selects(&self, path: &Path, folders: &[PathBuf]) -> bool {
        let shows = |folder: &PathBuf| {
            path.strip_prefix(folder).is_ok_and(|below| {
                (self.hidden == Switch::On || !is_hidden(below)) && !self.is_left_out(below)
            })
        };
        folders.iter().any(shows) && !self.excludes(path)
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
        self.exclude.iter().any(|globs| globs.fits(path))
    }
}

fn names(globs: &[&str]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    set.build()
}

fn is_hidden(below: &Path) -> bool {
    below
        .components()
        .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_current_folder() {
        for (real, current, wanted) in [
            ("/a/b/c.yaml", "/a/b", "c.yaml"),
            ("/a/b/c.yaml", "/a/d/e", "../../b/c.yaml"),
            ("/a/b/c.yaml", "/", "/a/b/c.yaml"),
            ("/a/b/c.yaml", "/d", "/a/b/c.yaml"),
            ("/a/b", "/a/b", "/a/b"),
            ("/a", "/a/b", ".."),
            ("given.yaml", "/a", "given.yaml"),
        ] {
            let path = shown(Path::new(real), Path::new(current));
            assert_eq!(path, Path::new(wanted), "{real} from {current}");
        }
    }

    #[test]
    fn paths_of_files_to_come_are_resolved_as_far_as_they_exist() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("a")).unwrap();
        for path in ["a/../x/new.yaml", "a/no/../../x/new.yaml", "./x/./new.yaml"] {
            assert_eq!(
                resolve(&folder.join(path)),
                folder.join("x/new.yaml"),
                "{path}"
            );
        }
        assert_eq!(resolve(Path::new("/../..")), Path::new("/"));
    }
}
