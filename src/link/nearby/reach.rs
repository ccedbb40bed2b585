//! From the files that were asked for to everything that hangs together with them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::glance::Glance;
use super::places::{Places, bytes, split};
use super::ties::{Reach, Ties};
use crate::link::filled::Pattern;
use crate::scan::ScannedFile;
use crate::sites::{is_chart_name, is_values_name};
use crate::walk::{Role, Walked};

/// What has to be read next.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// These files; none when nothing is missing any more.
    These(BTreeSet<usize>),
    /// Every file: what hangs together cannot be told from a part.
    All,
}

/// How much of a file matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Nothing, as far as is known.
    Nothing,
    /// What it says of itself.
    Seen,
    /// That, and all that it names.
    Followed,
    /// All that it names, and all that names it.
    Tied,
}

/// What is known of the files of a walk, while it grows.
pub struct Nearby<'w> {
    files: &'w [Walked],
    places: &'w Places<'w>,
    glances: Vec<Glance>,
    /// For each file, those that name it.
    named_by: Vec<Vec<usize>>,
    /// The files that hold an object of each name.
    by_object: HashMap<u64, Vec<usize>>,
    /// What the files that were read say.
    ties: HashMap<usize, Ties>,
    /// Of these, the files that are known by a name, and those that ask for it.
    is: HashMap<u64, Vec<usize>>,
    wants: HashMap<u64, Vec<usize>>,
    need: Vec<Need>,
    /// What is needed and was not followed yet.
    pending: Vec<usize>,
    /// The folders that hold something needed.
    folders: HashSet<&'w [u8]>,
    /// The charts of which everything is needed.
    charts: HashSet<&'w [u8]>,
    /// The folders of which all values are needed.
    values: HashSet<&'w [u8]>,
}

impl<'w> Nearby<'w> {
    /// Begins with the files that were asked for. `glances` are those of the files, in their order.
    pub fn new(files: &'w [Walked], places: &'w Places<'w>, glances: Vec<Glance>) -> Self {
        let mut named_by = vec![Vec::new(); files.len()];
        let mut by_object: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, glance) in glances.iter().enumerate() {
            glance.names.iter().for_each(|&to| named_by[to].push(index));
            for &object in &glance.objects {
                by_object.entry(object).or_default().push(index);
            }
        }
        let mut nearby = Self {
            files,
            places,
            glances,
            named_by,
            by_object,
            ties: HashMap::new(),
            is: HashMap::new(),
            wants: HashMap::new(),
            need: vec![Need::Nothing; files.len()],
            pending: Vec::new(),
            folders: HashSet::new(),
            charts: HashSet::new(),
            values: HashSet::new(),
        };
        for (index, file) in files.iter().enumerate() {
            if file.role == Role::Selected {
                nearby.need(index, Need::Tied);
            }
        }
        nearby
    }

    /// Takes the files that were read since the last time, each by its place in the walk, nothing where one
    /// could not be read, and says which to read next.
    pub fn after<'f>(
        &mut self,
        read: impl Iterator<Item = (usize, Option<&'f ScannedFile>)>,
    ) -> Wanted {
        let mut new = Vec::new();
        for (index, file) in read {
            let ties = file.map_or_else(Ties::default, |file| Ties::of(file, self.places));
            let is_loose = ties.is_part && self.named_by[index].is_empty();
            if ties.reach == Reach::Anywhere || is_loose {
                return Wanted::All;
            }
            if ties.reach == Reach::Built {
                self.need(index, Need::Tied);
            }
            for &to in &ties.taken {
                self.names(index, to);
            }
            for &name in &ties.is {
                self.is.entry(name).or_default().push(index);
            }
            for &name in &ties.wants {
                self.wants.entry(name).or_default().push(index);
            }
            self.ties.insert(index, ties);
            new.push(index);
        }
        // Those that are needed already go on with what they turned out to say.
        self.pending.extend(
            new.into_iter()
                .filter(|&index| self.need[index] >= Need::Followed),
        );
        self.follow_all();
        let is_missing =
            |index: &usize| self.need[*index] != Need::Nothing && !self.ties.contains_key(index);
        Wanted::These((0..self.files.len()).filter(is_missing).collect())
    }

    /// Notes that a file names another one, which its words alone may not have shown.
    fn names(&mut self, index: usize, to: usize) {
        if !self.glances[index].names.contains(&to) {
            self.glances[index].names.push(to);
            self.named_by[to].push(index);
            if self.need[to] == Need::Tied {
                self.need(index, Need::Tied);
            }
        }
    }

    fn need(&mut self, index: usize, need: Need) {
        if self.need[index] >= need {
            return;
        }
        self.need[index] = need;
        if need >= Need::Followed {
            self.pending.push(index);
        }
    }

    fn follow_all(&mut self) {
        loop {
            while let Some(index) = self.pending.pop() {
                self.follow(index);
            }
            let told: Vec<usize> = self.ties.keys().copied().collect();
            for index in told {
                if self.need[index] < Need::Followed && self.concerns(&self.ties[&index]) {
                    self.need(index, Need::Followed);
                }
            }
            if self.pending.is_empty() {
                return;
            }
        }
    }

    /// Whether what a file says concerns something that is needed.
    fn concerns(&self, ties: &Ties) -> bool {
        let is_needed = |index: &usize| self.need[*index] >= Need::Followed;
        let fits = |glob: &Pattern| {
            let needed = (0..self.files.len()).filter(is_needed);
            let mut needed = needed.map(|index| &self.files[index].real);
            needed.any(|path| glob.fits(path))
        };
        ties.files.iter().any(is_needed)
            || ties
                .folders
                .iter()
                .any(|folder| self.folders.contains(folder.as_bytes()))
            || ties.globs.iter().any(fits)
    }

    /// Needs everything that hangs together with a file.
    fn follow(&mut self, index: usize) {
        let files = self.files;
        let real = &files[index].real;
        let mut folder = folder_of(real);
        while !folder.is_empty() && self.folders.insert(folder) {
            (folder, _) = split(folder);
        }
        if let Some(chart) = self.places.chart_above(real)
            && self.charts.insert(chart)
        {
            self.need_below(chart);
        }
        if is_values_name(real) && self.values.insert(folder_of(real)) {
            // Values of one folder are merged with each other.
            for beside in self.places.in_folder(folder_of(real)).collect::<Vec<_>>() {
                self.need(beside, Need::Tied);
            }
        }
        if self.need[index] == Need::Tied {
            for by in self.named_by[index].clone() {
                self.need(by, Need::Tied);
            }
        }
        for to in self.glances[index].names.clone() {
            self.need(to, Need::Tied);
        }
        let Some(ties) = self.ties.remove(&index) else {
            return;
        };
        self.follow_ties(index, &ties);
        self.ties.insert(index, ties);
    }

    fn follow_ties(&mut self, index: usize, ties: &Ties) {
        for &to in &ties.files {
            self.need(to, Need::Tied);
        }
        for folder in &ties.folders {
            self.need_below(folder.as_bytes());
        }
        for glob in &ties.globs {
            for index in 0..self.files.len() {
                if self.need[index] < Need::Tied && glob.fits(&self.files[index].real) {
                    self.need(index, Need::Tied);
                }
            }
        }
        // What is known by one name may be merged, and what lists it says how.
        let asked = ties.wants.iter().filter_map(|name| self.is.get(name));
        let asking = ties.is.iter().filter_map(|name| self.wants.get(name));
        let others = asked.chain(asking).flatten().copied();
        for to in others.filter(|&to| to != index).collect::<Vec<_>>() {
            self.need(to, Need::Followed);
        }
        for by in self.named_by[index].clone() {
            self.need(by, Need::Seen);
        }
        let charts = ties.charts.iter();
        let charts = charts.filter_map(|name| self.by_object.get(name)).flatten();
        let charts = charts.filter(|&&file| is_chart_name(&self.files[file].real));
        for to in charts.copied().collect::<Vec<_>>() {
            self.need(to, Need::Tied);
        }
        let objects = ties
            .objects
            .iter()
            .filter_map(|name| self.by_object.get(name));
        for to in objects.flatten().copied().collect::<Vec<_>>() {
            self.need(to, Need::Seen);
        }
    }

    fn need_below(&mut self, folder: &[u8]) {
        for index in self.places.below(folder).collect::<Vec<_>>() {
            self.need(index, Need::Tied);
        }
    }
}

/// The folder of a file.
fn folder_of(real: &Path) -> &[u8] {
    split(bytes(real)).0
}
