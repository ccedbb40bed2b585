//! Charts that are not in the repository: which releases are of the same one, and share values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::layers::{Combined, DEFAULTS, Layer, Placed, Root, folder_of};
use crate::scan::ScannedFile;
use crate::sites::ChartSource;

/// Charts that are not in the repository: releases of the same one that share a layer are told together.
#[derive(Default)]
pub(super) struct Away {
    /// The number of each layer of each chart.
    numbers: HashMap<(ChartSource, Option<usize>, Layer), usize>,
    /// What each number is the same as.
    same: Vec<usize>,
    /// How many there are.
    next: usize,
}

impl Away {
    pub(super) fn number(
        &mut self,
        source: &ChartSource,
        placed: &Placed,
        layers: &[Layer],
    ) -> Root {
        // Where nothing tells the chart, the object does.
        let own = (*source == ChartSource::default()).then_some(placed.file);
        let new = self.next;
        self.next += 1;
        self.same.push(new);
        for layer in layers {
            let key = (source.clone(), own, layer.clone());
            let known = *self.numbers.entry(key).or_insert(new);
            let (one, other) = (self.first(known), self.first(new));
            self.same[one.max(other)] = one.min(other);
        }
        Root::Away(new)
    }

    fn first(&self, mut number: usize) -> usize {
        while self.same[number] != number {
            number = self.same[number];
        }
        number
    }

    /// Gives merges that belong together the same root. Where the files of all of them lie in one folder
    /// with defaults, that folder is it.
    pub(super) fn settle(&self, combined: &mut [Combined], files: &[ScannedFile]) {
        let mut folders: BTreeMap<usize, BTreeSet<Option<&Path>>> = BTreeMap::new();
        let mut defaults: BTreeSet<usize> = BTreeSet::new();
        for combined in combined.iter() {
            let Root::Away(number) = combined.root else {
                continue;
            };
            for layer in &combined.layers {
                let file = &files[layer.file];
                let is_file = layer.block.is_none();
                let folder = is_file.then(|| folder_of(file));
                let first = self.first(number);
                folders.entry(first).or_default().insert(folder);
                if is_file && file.source.real.ends_with(DEFAULTS) {
                    defaults.insert(first);
                }
            }
        }
        for combined in combined {
            let Root::Away(number) = combined.root else {
                continue;
            };
            let first = self.first(number);
            let mut all = folders.get(&first).into_iter().flatten().flatten();
            combined.root = match (all.next(), all.next()) {
                (Some(folder), None) if defaults.contains(&first) => {
                    Root::Folder(folder.to_path_buf())
                }
                _ => Root::Away(first),
            };
        }
    }
}
