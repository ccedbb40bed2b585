//! A repository that is planned and proven through the library, so that the plan can be given faults.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecr_rewrite::helm::{HelmCache, Knowledge};
use ecr_rewrite::link;
use ecr_rewrite::plan::{self, Plan};
use ecr_rewrite::prove::{self, Engines, Limits, Notes, Proof, Remotes, Target};
use ecr_rewrite::rules::{EcrHost, RuleSet, default_rules};
use ecr_rewrite::scan::{self, ScannedFile};
use ecr_rewrite::source;
use ecr_rewrite::walk;

use super::common::REGISTRY;
use super::common::tools::{HELM, KUSTOMIZE};

/// Larger files are not read.
const LIMIT: u64 = 10 << 20;

/// The `PATH` on which the tools are; says loudly when there are none.
pub fn path() -> Option<OsString> {
    let mut folders = Vec::new();
    for tool in [HELM, KUSTOMIZE] {
        let found = tool.find().and_then(|program| absolute(&program));
        match found {
            Ok(program) => folders.push(program.parent().unwrap().to_path_buf()),
            Err(why) => {
                println!("\n!! SKIPPED: nothing is proven; {why}\n");
                return None;
            }
        }
    }
    Some(std::env::join_paths(folders).unwrap())
}

fn absolute(program: &Path) -> Result<PathBuf, String> {
    if program.is_absolute() {
        return Ok(program.to_path_buf());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = places.find(|place| place.is_file());
    found.ok_or_else(|| format!("{} is not on the PATH", program.display()))
}

/// A repository with its plan.
pub struct Bench {
    pub root: PathBuf,
    pub plan: Plan,
    pub targets: Vec<Target>,
    /// Where Helm keeps what it has fetched.
    pub cache: Option<HelmCache>,
}

impl Bench {
    /// Plans the repository in a folder.
    pub fn new(folder: &Path) -> Self {
        let root = folder.canonicalize().unwrap();
        let options = walk::Options {
            paths: vec![root.clone()],
            ..walk::Options::default()
        };
        let walk = walk::walk(&options, &root).unwrap();
        let scan = scan::Options::default();
        let read = |file: &walk::Walked| {
            let source = source::read(file.path.clone(), file.real.clone(), LIMIT).unwrap();
            let below = source.real.strip_prefix(&root).unwrap().to_path_buf();
            ScannedFile::below(&below, source, file.role, &scan)
        };
        let mut files: Vec<ScannedFile> = walk.files.iter().map(read).collect();
        let charts = Knowledge::default();
        let links = link::link_in(&mut files, &walk.folder_links, &charts);
        let registry = EcrHost::parse(REGISTRY).unwrap();
        let rules = Arc::new(RuleSet::new(Some(registry), default_rules()).0);
        let rules_for = |_: &Path| Arc::clone(&rules);
        let remotes = Remotes::of(std::slice::from_ref(&root));
        let targets = prove::targets(&files, &links, &remotes, &rules_for);
        let plan = plan::plan(files, links, &rules_for, &charts, &plan::Options::default());
        Self {
            root,
            plan,
            targets,
            cache: None,
        }
    }

    /// Puts a fault into the plan: the new text of a file is another one.
    pub fn spoil(&mut self, path: &str, spoil: impl Fn(&str) -> String) {
        let mut files = self.plan.files.iter_mut();
        let file = files.find(|file| file.source.path.ends_with(path)).unwrap();
        let text = file.after.as_ref().unwrap_or(&file.source.text);
        let spoiled = spoil(text);
        assert_ne!(*text, spoiled, "the fault is none");
        file.after = Some(spoiled);
    }

    /// Proves the plan as it stands.
    pub fn prove(&self, engines: &Engines) -> Proof {
        let options = prove::Options {
            engines,
            roots: std::slice::from_ref(&self.root),
            cache: self.cache.as_ref(),
            scan: &scan::Options::default(),
            stop: &|| false,
            progress: &|_, _| {},
            shown: &|path| path.strip_prefix(&self.root).unwrap_or(path).to_path_buf(),
        };
        let changes = prove::changes(&self.plan);
        prove::prove(&self.targets, &changes, &Notes::of(&self.plan), &options).unwrap()
    }
}

/// The real tools, where they are.
pub fn engines() -> Option<Engines> {
    Some(Engines::find(&path()?, Limits::default()))
}

/// A chart package from the folder of a chart.
pub fn package(chart: &Path, to: &Path) {
    let encoder =
        flate2::write::GzEncoder::new(fs::File::create(to).unwrap(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    let name = chart.file_name().unwrap();
    builder.append_dir_all(name, chart).unwrap();
    builder.into_inner().unwrap().finish().unwrap();
}
