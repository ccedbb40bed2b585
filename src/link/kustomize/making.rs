//! How the builds are found out, from what kustomizations, Flux and Argo CD say.
//!
//! Source: kustomize `api/internal/target`, `kusttarget.go` (the order: resources, components,
//! patches, images), Flux `pkg/kustomize` and Argo CD `util/kustomize` (what they name takes the place
//! of the entries of the same name).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::super::SiteId;
use super::super::deployers;
use super::super::placeholder::{self, Known};
use super::super::tree::{Taken, Tree, facts};
use super::builds::{Builder, Builds, End, EntryId, Named, Step};
use super::pattern::Pattern;
use crate::image;
use crate::scan::ScannedFile;
use crate::sites::{
    Acts, Depth, Fact, Kustomization, PATCH, PATCH_TEST, Site, TakenAs, Taking,
    is_kustomization_name,
};
use crate::source::{Lines, Span};

/// A kustomization by its file and its place among those of the file.
type Key = (usize, usize);

impl Builds {
    /// What the files build; and the entries of which nobody can tell what they act on.
    pub(in super::super) fn of(files: &[ScannedFile], tree: &Tree<'_>) -> (Self, BTreeSet<Key>) {
        let mut making = Making {
            files,
            tree,
            builds: Self::default(),
            by_key: BTreeMap::new(),
            by_file: HashMap::new(),
            transformers: BTreeSet::new(),
            loose: BTreeSet::new(),
        };
        making.make();
        let Making { builds, loose, .. } = making;
        (builds, loose)
    }
}

/// The work of finding out what is built.
struct Making<'a, 't> {
    files: &'a [ScannedFile],
    tree: &'t Tree<'a>,
    builds: Builds,
    by_key: BTreeMap<Key, usize>,
    /// The kustomizations of a file, components among them.
    by_file: HashMap<usize, Vec<usize>>,
    /// The transformers that name images and are listed by kustomizations.
    transformers: BTreeSet<Key>,
    loose: BTreeSet<Key>,
}

impl<'a> Making<'a, '_> {
    fn make(&mut self) {
        self.transformers = self.listed_transformers();
        let mut deployments = Vec::new();
        for (file, scanned) in self.files.iter().enumerate() {
            for (fact, kustomization) in facts(scanned).enumerate() {
                let key = (file, fact);
                match (&kustomization.folder, kustomization.acts) {
                    (_, Acts::Anywhere) => {
                        self.loose.insert(key);
                    }
                    (_, Acts::Last) => {}
                    (Some(_), _) => deployments.push((key, kustomization)),
                    (None, _) if scanned.source.places().any(is_kustomization_name) => {
                        let index = self.add(key, kustomization);
                        self.by_file.entry(file).or_default().push(index);
                    }
                    (None, _) if self.transformers.contains(&key) => {
                        self.add(key, kustomization);
                    }
                    (None, _) if kustomization.names.is_empty() => {}
                    (None, _) => {
                        self.loose.insert(key);
                    }
                }
            }
        }
        let keys: BTreeSet<Key> = self.by_key.keys().copied().collect();
        for key in keys {
            self.fill(key);
        }
        let mut built_by_deployments = BTreeMap::new();
        for (key, kustomization) in deployments {
            self.deploy(key, kustomization, &mut built_by_deployments);
        }
        self.find_roots(&built_by_deployments);
        self.loosen_filled();
        self.builds.sow();
        if !self.builds.named.is_empty() {
            self.builds.sow_dead(self.files);
        }
    }

    /// The transformers that kustomizations of the repository list, and that act on what kustomize
    /// takes for images: one with fields of its own may act on any text.
    fn listed_transformers(&self) -> BTreeSet<Key> {
        let files = 0..self.files.len();
        let taken = files.flat_map(|file| self.tree.taken(file));
        let listed = taken.filter(|taken| taken.role == TakenAs::Transformer);
        let reached: BTreeSet<usize> = listed
            .flat_map(|taken| self.tree.reached(taken.to))
            .collect();
        let facts = reached.iter().flat_map(|&file| {
            let facts = facts(&self.files[file]).enumerate();
            facts.map(move |(fact, found)| ((file, fact), found))
        });
        let is_one = |fact: &Kustomization| {
            let in_images = !fact.names.iter().any(|name| name.any_field);
            fact.acts == Acts::OnItsParents && fact.folder.is_none() && in_images
        };
        let named = facts.filter(|(_, fact)| is_one(fact) && !fact.names.is_empty());
        named.map(|(key, _)| key).collect()
    }

    /// The kustomizations of a file.
    fn fact(&self, key: Key) -> Option<&'a Kustomization> {
        facts(&self.files[key.0]).nth(key.1)
    }

    fn add(&mut self, key: Key, kustomization: &Kustomization) -> usize {
        let index = self.builds.builders.len();
        self.builds.builders.push(Builder {
            file: key.0,
            roots: [key.0].into(),
            steps: Vec::new(),
            end: match kustomization.acts {
                Acts::OnItsParents => End::Component,
                _ => End::Others,
            },
            opaque: kustomization.unclear.map(|why| {
                let file = self.files[key.0].source.path.display();
                format!("nobody can tell what the images that {file} lists become: {why}")
            }),
            is_open: kustomization.generates,
            generates: kustomization.generates,
            fixed: Vec::new(),
            elsewhere: Vec::new(),
        });
        self.by_key.insert(key, index);
        index
    }

    /// Says what the kustomization at `key` does.
    fn fill(&mut self, key: Key) {
        let Some(kustomization) = self.fact(key) else {
            return;
        };
        let index = self.by_key[&key];
        let mut steps = Vec::new();
        self.take_in(key, kustomization, index, &mut steps);
        let entries = self.entries(key, kustomization);
        steps.push(Step::Entries(entries));
        self.builds.builders[index].steps = in_order(steps);
    }

    /// Adds the steps for what a kustomization takes in and patches.
    fn take_in(&mut self, key: Key, fact: &Kustomization, index: usize, steps: &mut Vec<Step>) {
        for taking in &fact.takes_in {
            let paths = self.tree.paths(key.0, fact, taking);
            if paths.iter().any(|(_, path)| self.tree.at(path).is_empty()) {
                self.miss(index, taking.role, &taking.path);
            }
        }
        let taken = self.tree.taken(key.0).iter();
        let taken: Vec<Taken> = taken.filter(|taken| taken.fact == key.1).cloned().collect();
        for taken in taken {
            self.take(taken.to, taken.role, index, steps);
        }
        let is_inside = |spans: &[Span], start: usize| {
            let mut spans = spans.iter();
            spans.any(|span| span.start <= start && start < span.end)
        };
        let texts = [&*fact.inline_patches, &*fact.inline_transformers].concat();
        let unread = &self.files[key.0].scan.unread;
        if let Some(text) = unread
            .iter()
            .find(|text| is_inside(&texts, text.error.offset))
        {
            self.miss(index, TakenAs::Patch, text.path.as_str());
        }
        let inside = |spans: &[Span]| self.sites(key.0, |site| is_inside(spans, site.span().start));
        let (patches, late) = (
            inside(&fact.inline_patches),
            inside(&fact.inline_transformers),
        );
        self.patch(patches, steps);
        self.patch_late(late, steps);
        let is_last = |taken: &&Taken| {
            let fact = self.fact((key.0, taken.fact));
            fact.is_some_and(|fact| fact.acts == Acts::Last)
        };
        let last = self.tree.taken(key.0).iter().filter(is_last);
        for taken in last {
            self.patch_late(self.sites(taken.to, |site| !is_in_text(site)), steps);
        }
    }

    fn take(&mut self, file: usize, role: TakenAs, index: usize, steps: &mut Vec<Step>) {
        let scan = &self.files[file].scan;
        let is_unread = scan.facts.iter().any(|fact| matches!(fact, Fact::Unread));
        if is_unread || scan.not_yaml {
            let path = self.files[file].source.path.display().to_string();
            self.miss(index, role, &path);
        }
        let builders = self.by_file.get(&file).cloned().unwrap_or_default();
        match role {
            TakenAs::Resource if builders.is_empty() => {
                let fixed = scan.facts.iter().filter_map(|fact| match fact {
                    Fact::FixedImages(texts) => Some(texts.clone()),
                    _ => None,
                });
                self.builds.builders[index].fixed.extend(fixed.flatten());
                steps.push(Step::Sites(self.sites(file, |site| !is_in_text(site))));
            }
            TakenAs::Resource => steps.extend(builders.into_iter().map(Step::Build)),
            TakenAs::Component => {
                let components = builders.into_iter();
                let components =
                    components.filter(|&at| self.builds.builders[at].end == End::Component);
                steps.extend(components.map(Step::Component));
            }
            TakenAs::Patch => self.patch(self.sites(file, |site| !is_in_text(site)), steps),
            TakenAs::Settings => {
                let facts = &self.files[file].scan.facts;
                if facts.iter().any(|fact| matches!(fact, Fact::ImageFields)) {
                    self.builds.builders[index].is_open = true;
                }
            }
            TakenAs::Transformer => {
                for file in self.tree.reached(file) {
                    self.patch_late(self.sites(file, |_| true), steps);
                    let own = self.by_key.range((file, 0)..(file + 1, 0));
                    let own = own.filter(|(key, _)| self.transformers.contains(key));
                    steps.extend(own.map(|(_, &index)| Step::Transformer(index)));
                }
            }
            TakenAs::Generator | TakenAs::Copier => {}
        }
    }

    /// Whether a kustomization takes in a folder or file of the repository that is not there.
    fn misses(&self, file: usize, fact: &Kustomization, taking: &Taking) -> bool {
        let is_local = ["./", "../"]
            .iter()
            .any(|start| taking.path.starts_with(start));
        let is_there = |path: &PathBuf| !self.tree.at(path).is_empty();
        let paths = self.tree.paths(file, fact, taking);
        taking.role == TakenAs::Resource
            && is_local
            && !paths.iter().any(|(_, path)| is_there(path))
    }

    /// Whoever builds what a template fills in, or what is not there, may build anything of the repository.
    fn loosen_filled(&mut self) {
        let takes_filled = |file: &usize| {
            facts(&self.files[*file]).any(|fact| {
                let mut takings = fact.takes_in.iter();
                takings.any(|taking| {
                    image::is_filled(&taking.path) || self.misses(*file, fact, taking)
                })
            })
        };
        let mut pending: Vec<usize> = (0..self.files.len()).filter(takes_filled).collect();
        let mut seen: BTreeSet<usize> = pending.iter().copied().collect();
        while let Some(file) = pending.pop() {
            let kustomizations = facts(&self.files[file]).enumerate();
            self.loose
                .extend(kustomizations.map(|(fact, _)| (file, fact)));
            let takes_it =
                |other: &usize| self.tree.taken(*other).iter().any(|taken| taken.to == file);
            let above = (0..self.files.len()).filter(takes_it);
            pending.extend(above.filter(|&other| seen.insert(other)));
        }
    }

    /// Notes that nobody can see what is taken in.
    fn miss(&mut self, index: usize, role: TakenAs, path: &str) {
        let builder = &mut self.builds.builders[index];
        match role {
            TakenAs::Resource | TakenAs::Generator | TakenAs::Settings => builder.is_open = true,
            TakenAs::Component | TakenAs::Transformer | TakenAs::Patch | TakenAs::Copier => {
                let file = self.files[builder.file].source.path.display();
                builder.opaque.get_or_insert_with(|| {
                    format!(
                        "{file} takes in `{path}`, which cannot be read here and may change this image; put a copy into the repository or mend the path"
                    )
                });
            }
        }
    }

    /// The sites of a file that are images to kustomize.
    fn sites(&self, file: usize, counts: impl Fn(&Site) -> bool) -> Vec<SiteId> {
        let sites = self.files[file].scan.sites.iter().enumerate();
        sites
            .filter(|(_, site)| is_image_field(site) && counts(site))
            .map(|(site, _)| SiteId { file, site })
            .collect()
    }

    /// Transformers come last.
    fn patch_late(&self, sites: Vec<SiteId>, steps: &mut Vec<Step>) {
        let mut late = Vec::new();
        self.patch(sites, &mut late);
        if !late.is_empty() {
            steps.push(Step::Late(late));
        }
    }

    fn patch(&self, sites: Vec<SiteId>, steps: &mut Vec<Step>) {
        let is_test = |id: &SiteId| self.files[id.file].scan.sites[id.site].finder == PATCH_TEST;
        let (tests, patches): (Vec<_>, Vec<_>) = sites.into_iter().partition(is_test);
        // A test may be for what was there before, or for what another operation has written.
        let in_order = [
            Step::Tests(tests.clone()),
            Step::Patches(patches),
            Step::Tests(tests),
        ];
        steps.extend(in_order.into_iter().filter(|step| match step {
            Step::Tests(sites) | Step::Patches(sites) => !sites.is_empty(),
            _ => true,
        }));
    }

    fn entries(&mut self, key: Key, kustomization: &Kustomization) -> Vec<EntryId> {
        let scanned = &self.files[key.0];
        let lines = Lines::new(&scanned.source.text);
        let mut entries = Vec::new();
        for entry in &kustomization.names {
            if placeholder::known(&entry.pattern) != Known::Whole {
                continue;
            }
            let is_its =
                |site: &Site| site.entry().is_some() && Some(site.span().start) == entry.site;
            let site = scanned.scan.sites.iter().position(is_its);
            entries.push(self.builds.named.len());
            self.builds.named.push(Named {
                file: key.0,
                site: site.map(|site| SiteId { file: key.0, site }),
                pattern: Pattern::new(&entry.pattern),
                entry: entry.clone(),
                place: format!(
                    "{}:{}",
                    scanned.source.path.display(),
                    lines.position(entry.offset).line
                ),
            });
        }
        entries
    }

    /// What Flux or Argo CD build from a folder: what its kustomization builds, with their own words
    /// laid over it.
    fn deploy(&mut self, key: Key, fact: &'a Kustomization, built: &mut BTreeMap<usize, usize>) {
        let Some((folder, depth)) = &fact.folder else {
            return;
        };
        let folders = self.folders(key.0, folder);
        let bases = self.bases(&folders);
        // Argo CD does not ask kustomize about a folder without a kustomization.
        let is_kustomize = *depth == Depth::Tree || fact.names.is_empty();
        let plain: Vec<usize> = if bases.is_empty() && is_kustomize {
            let deployed = folders
                .iter()
                .flat_map(|folder| deployers::deployed(self.tree, folder, *depth));
            deployed.map(|(file, _)| file).collect()
        } else {
            Vec::new()
        };
        if bases.is_empty() && plain.is_empty() {
            self.loose.insert(key);
            return;
        }
        let index = self.add(key, fact);
        let mut steps = Vec::new();
        for &base in &bases {
            *built.entry(base).or_default() += 1;
            self.go_on(index, base, fact, &mut steps);
        }
        for file in plain {
            self.take(file, TakenAs::Resource, index, &mut steps);
        }
        self.take_in(key, fact, index, &mut steps);
        let own = self.entries(key, fact);
        self.builds.builders[index].elsewhere.clone_from(&own);
        self.lay_over(own, &mut steps);
        if fact.sorts {
            self.sort(&mut steps);
        }
        self.builds.builders[index].steps = in_order(steps);
    }

    /// The folders of the repository that `folder` may be for the places of a file.
    fn folders(&self, file: usize, folder: &str) -> BTreeSet<PathBuf> {
        let places = self.files[file].source.places();
        places
            .filter_map(|place| deployers::folder_of(self.tree, place, folder))
            .collect()
    }

    /// What kustomizations of these folders build, without components.
    fn bases(&self, folders: &BTreeSet<PathBuf>) -> Vec<usize> {
        folders
            .iter()
            .flat_map(|folder| self.tree.kustomizations_of(folder))
            .flat_map(|(file, _)| self.by_file.get(&file).cloned().unwrap_or_default())
            .filter(|&base| self.builds.builders[base].end != End::Component)
            .collect()
    }

    /// Lets a builder begin with the steps of a base.
    fn go_on(&mut self, index: usize, base: usize, fact: &Kustomization, steps: &mut Vec<Step>) {
        let builder = &self.builds.builders[base];
        let (is_open, opaque) = (builder.is_open, builder.opaque.clone());
        let fixed = builder.fixed.clone();
        if fact.unclear.is_some() {
            // What they keep of its entries changes with those.
            let unclear = self.builds.builders[index].opaque.clone();
            self.builds.builders[base].opaque = unclear;
        }
        let builder = &self.builds.builders[base];
        steps.extend(builder.steps.iter().cloned());
        let root = builder.file;
        let own = &mut self.builds.builders[index];
        own.roots.insert(root);
        own.is_open |= is_open;
        own.fixed.extend(fixed);
        own.opaque = own.opaque.take().or(opaque);
    }

    /// Puts entries in the place of those of the same name, and those without one behind all steps.
    fn lay_over(&self, own: Vec<EntryId>, steps: &mut Vec<Step>) {
        let named = |entries: &[EntryId], id: EntryId| {
            let pattern = |id: EntryId| &self.builds.named[id].entry.pattern;
            entries
                .iter()
                .copied()
                .find(|&other| pattern(other) == pattern(id))
        };
        let mut replaced = BTreeSet::new();
        for step in &mut *steps {
            let Step::Entries(entries) = step else {
                continue;
            };
            for entry in entries.iter_mut() {
                if let Some(own) = named(&own, *entry) {
                    replaced.insert(own);
                    *entry = own;
                }
            }
        }
        let added = own
            .into_iter()
            .filter(|id| !replaced.contains(id))
            .collect();
        steps.push(Step::Entries(added));
    }

    /// Makes one list of all entries, in the order of their names; of several for one name, the first
    /// one stays.
    fn sort(&self, steps: &mut Vec<Step>) {
        let mut all = Vec::new();
        steps.retain(|step| match step {
            Step::Entries(entries) => {
                all.extend(entries.iter().copied());
                false
            }
            _ => true,
        });
        let pattern = |id: EntryId| &self.builds.named[id].entry.pattern;
        all.sort_by_key(|&id| pattern(id));
        all.dedup_by_key(|id| pattern(*id));
        steps.push(Step::Entries(all));
    }

    /// A build counts by itself when nothing goes on from it, or when something deploys it as it is.
    fn find_roots(&mut self, built_by_deployments: &BTreeMap<usize, usize>) {
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for builder in &self.builds.builders {
            taken.extend(builder.goes_on_from());
        }
        let deployed = self.deployed();
        let mut unused = BTreeSet::new();
        for (index, builder) in self.builds.builders.iter_mut().enumerate() {
            let by_words = built_by_deployments.get(&index).copied().unwrap_or(0);
            let as_it_is = deployed.get(&index).copied().unwrap_or(0) > by_words;
            let is_taken = taken.contains(&index);
            match builder.end {
                End::Component if !is_taken => {
                    unused.insert(index);
                }
                End::Component => {}
                _ if as_it_is || by_words == 0 && !is_taken => builder.end = End::Itself,
                _ => {}
            }
        }
        // What a ring of kustomizations builds, nobody knows; each may be built.
        let mut reached = BTreeSet::new();
        let mut pending: Vec<usize> = (0..self.builds.builders.len())
            .filter(|&index| self.builds.builders[index].end == End::Itself)
            .collect();
        while let Some(index) = pending.pop() {
            if reached.insert(index) {
                pending.extend(self.builds.builders[index].goes_on_from());
            }
        }
        for (index, builder) in self.builds.builders.iter_mut().enumerate() {
            if builder.end == End::Others
                && !reached.contains(&index)
                && !built_by_deployments.contains_key(&index)
            {
                builder.end = End::Itself;
            }
        }
        // What an unused component acts on stands elsewhere.
        let loose = self
            .by_key
            .iter()
            .filter(|(_, index)| unused.contains(index));
        self.loose.extend(loose.map(|(key, _)| *key));
    }

    /// How often each kustomization is deployed, in whatever words.
    fn deployed(&self) -> BTreeMap<usize, usize> {
        let mut deployed = BTreeMap::new();
        for file in self.files {
            for fact in &file.scan.facts {
                let Fact::Deploys { folder, .. } = fact else {
                    continue;
                };
                let mut places = file.source.places();
                let folder =
                    places.find_map(|place| deployers::folder_of(self.tree, place, folder));
                let at = folder.into_iter().flat_map(|folder| {
                    let found: Vec<_> = self.tree.kustomizations_of(&folder).collect();
                    found
                });
                for (file, _) in at {
                    for builder in self.by_file.get(&file).into_iter().flatten() {
                        *deployed.entry(*builder).or_default() += 1;
                    }
                }
            }
        }
        deployed
    }
}

/// The steps in the order in which kustomize takes them.
fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    steps.sort_by_key(|step| match step {
        Step::Sites(_) | Step::Build(_) => 0,
        Step::Component(_) => 1,
        Step::Patches(_) | Step::Tests(_) => 2,
        Step::Entries(_) => 3,
        // In the order in which they are listed.
        Step::Late(_) | Step::Transformer(_) => 4,
    });
    steps
}

fn is_in_text(site: &Site) -> bool {
    site.document.is_inside()
}

/// Whether kustomize takes the field for an image: `image` in the containers of any object but not in
/// ephemeral ones, and the image volumes of pods and of templates (kustomize
/// `api/internal/konfig/builtinpluginconsts/images.go`, `api/filters/imagetag/legacy.go`).
pub(in super::super) fn is_image_field(site: &Site) -> bool {
    if matches!(site.finder, PATCH_TEST | PATCH) {
        return true;
    }
    let mut path = site.path.as_str();
    while let Some((_, rest)) = path
        .strip_prefix("items[")
        .and_then(|rest| rest.split_once("]."))
    {
        path = rest;
    }
    let in_containers = || {
        let mut parts = path.rsplit('.');
        let last = parts.next();
        let list = parts.next().and_then(|part| part.split('[').next());
        last == Some("image") && matches!(list, Some("containers" | "initContainers"))
    };
    let in_volumes = || {
        let path = path.strip_suffix("].image.reference").unwrap_or("");
        let list = path.rsplit_once('[').map_or("", |(list, _)| list);
        matches!(list, "spec.volumes" | "spec.template.spec.volumes")
            || is_in_text(site) && list.ends_with("spec.volumes")
    };
    in_containers() || in_volumes()
}
