//! The images of every build, as kustomize makes them: what each text becomes on its way, and which
//! entries matched it.
//!
//! The same run is made over the texts as they are and as they would be, so that a plan can be held
//! against it. Source: kustomize `api/filters/imagetag/updater.go`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::builds::{Builds, End, EntryId, Named, Step};
use super::pattern::Pattern;
use crate::link::SiteId;
use crate::scan::ScannedFile;
use crate::sites::split;

/// No more images than this are followed in one build; chains that multiply them are no repository's.
const MAX_FLOWS: usize = 200_000;

/// What gives an image its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// A site.
    Site(SiteId),
    /// The `newName` of an entry.
    NewName(EntryId),
    /// Something that cannot be seen here.
    Outside(usize),
}

/// The part of an image's way on which it has one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What gave the name.
    pub provider: Provider,
    /// The entries that matched it, in order.
    pub names: Vec<EntryId>,
    /// Whether the last of them gave another name.
    pub is_captured: bool,
}

/// An image of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What it is in the end.
    pub text: String,
    /// Its way.
    pub segments: Vec<Segment>,
}

/// The images of one build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The builder.
    pub builder: usize,
    /// Its images: the same ones in the same order whatever the texts are.
    pub flows: Rc<Vec<Rc<Flow>>>,
}

/// Texts that take the place of those in the files.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Those of sites.
    pub sites: HashMap<SiteId, String>,
    /// The names and new names of entries.
    pub names: HashMap<EntryId, (Pattern, String)>,
}

/// A run over all builds.
#[derive(Debug, Default)]
pub struct Run {
    /// What is built, but for components.
    pub built: Vec<Built>,
    /// Which tests are for which image.
    pub tested: BTreeSet<(Provider, SiteId)>,
    /// Whether there was too much to follow.
    pub is_cut: bool,
}

impl Built {
    /// The ways of its images, part by part.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.flows.iter().flat_map(|flow| &flow.segments)
    }
}

impl Run {
    /// The same of everything that is built.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.built.iter().flat_map(Built::segments)
    }
}

impl Builds {
    /// Builds everything, with `given` in place of what the files say.
    pub fn run(&self, files: &[ScannedFile], given: &Given) -> Run {
        let mut seeds: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, seed) in self.seeds.iter().enumerate() {
            seeds.entry(seed.builder).or_default().push(number);
        }
        let mut running = Running {
            builds: self,
            seeds,
            files,
            given,
            known: BTreeMap::new(),
            stack: Vec::new(),
            rings: 0,
            run: Run::default(),
        };
        for (index, builder) in self.builders.iter().enumerate() {
            if builder.end != End::Component {
                let flows = running.build(index);
                running.run.built.push(Built {
                    builder: index,
                    flows,
                });
            }
        }
        running.run
    }
}

struct Running<'a> {
    builds: &'a Builds,
    /// The seeds of each builder that has any.
    seeds: HashMap<usize, Vec<usize>>,
    files: &'a [ScannedFile],
    given: &'a Given,
    known: BTreeMap<usize, Rc<Vec<Rc<Flow>>>>,
    stack: Vec<usize>,
    /// How often a build led back to itself.
    rings: usize,
    run: Run,
}

impl Running<'_> {
    /// What one builds. Inside of a ring it is only a part, and not remembered.
    fn build(&mut self, index: usize) -> Rc<Vec<Rc<Flow>>> {
        if let Some(flows) = self.known.get(&index) {
            return Rc::clone(flows);
        }
        let rings = self.rings;
        let mut flows = Vec::new();
        self.steps(index, &mut flows);
        let flows = Rc::new(flows);
        if self.rings == rings || self.stack.is_empty() {
            self.known.insert(index, Rc::clone(&flows));
        }
        flows
    }

    fn steps(&mut self, index: usize, flows: &mut Vec<Rc<Flow>>) {
        if self.stack.contains(&index) {
            self.rings += 1;
            return;
        }
        self.stack.push(index);
        let builds = self.builds;
        for &seed in self.seeds.get(&index).into_iter().flatten() {
            let text = builds.seeds[seed].text.clone();
            flows.push(start(Provider::Outside(seed), text));
        }
        for step in &builds.builders[index].steps {
            self.step(step, flows);
        }
        if flows.len() > MAX_FLOWS {
            self.run.is_cut = true;
            flows.clear();
        }
        self.stack.pop();
    }

    fn step(&mut self, step: &Step, flows: &mut Vec<Rc<Flow>>) {
        match step {
            Step::Sites(sites) | Step::Patches(sites) => {
                for &site in sites {
                    let text = self.text(site).to_string();
                    flows.push(start(Provider::Site(site), text));
                }
            }
            Step::Build(base) => {
                let built = self.build(*base);
                flows.extend(built.iter().cloned());
            }
            Step::Component(at) | Step::Transformer(at) => self.steps(*at, flows),
            Step::Tests(tests) => {
                for &test in tests {
                    let text = self.text(test);
                    let same = flows.iter().filter(|flow| flow.text == text);
                    let tested = same.filter_map(|flow| flow.segments.last());
                    let tested: Vec<_> = tested.map(|last| (last.provider, test)).collect();
                    self.run.tested.extend(tested);
                }
            }
            Step::Entries(entries) => {
                for &entry in entries {
                    flows.iter_mut().for_each(|flow| self.name(entry, flow));
                }
            }
            Step::Late(steps) => steps.iter().for_each(|step| self.step(step, flows)),
        }
    }

    fn text(&self, site: SiteId) -> &str {
        let known = self.given.sites.get(&site);
        known.map_or_else(
            || self.files[site.file].scan.sites[site.site].text(),
            String::as_str,
        )
    }

    /// Lets an entry act on an image.
    fn name(&self, id: EntryId, flow: &mut Rc<Flow>) {
        let named = &self.builds.named[id];
        let (pattern, new_name) = match self.given.names.get(&id) {
            Some((pattern, new_name)) => (pattern, new_name.as_str()),
            None => (&named.pattern, named.entry.new_name.as_str()),
        };
        if !pattern.matches(&flow.text) {
            return;
        }
        let flow = Rc::make_mut(flow);
        flow.text = renamed(named, new_name, &flow.text);
        let Some(last) = flow.segments.last_mut() else {
            return;
        };
        last.names.push(id);
        // By what the file says, so that a way stays the same when a new name is written.
        if !named.entry.new_name.is_empty() {
            last.is_captured = true;
            flow.segments.push(Segment {
                provider: Provider::NewName(id),
                names: Vec::new(),
                is_captured: false,
            });
        }
    }
}

fn start(provider: Provider, text: String) -> Rc<Flow> {
    Rc::new(Flow {
        text,
        segments: vec![Segment {
            provider,
            names: Vec::new(),
            is_captured: false,
        }],
    })
}

/// What an entry makes of a reference that it matches.
fn renamed(named: &Named, new_name: &str, text: &str) -> String {
    let (name, tag, digest) = split(text);
    let name = if new_name.is_empty() { name } else { new_name };
    let entry = &named.entry;
    let (tag, digest) = match (entry.new_tag.as_str(), entry.digest.as_str()) {
        ("", "") => (tag, digest),
        (tag, digest) => (tag, digest),
    };
    let mut result = name.to_string();
    for (sign, part) in [(':', tag), ('@', digest)] {
        if !part.is_empty() {
            result.push(sign);
            result.push_str(part);
        }
    }
    result
}
