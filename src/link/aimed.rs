//! Patches in files of their own: the kustomizations that take them in say what they are for.

use super::tree::{FolderLinks, Tree};
use crate::scan::ScannedFile;
use crate::sites::{Aim, Fact, Operation, TakenAs};

/// Judges what patches write by the targets that are given with them.
pub(super) fn judge(files: &mut [ScannedFile], folders: &FolderLinks) {
    if !files.iter().any(|file| operations(file).next().is_some()) {
        return;
    }
    let aims = aims(files, &Tree::of(files, folders));
    for (file, aims) in files.iter_mut().zip(aims) {
        let operations: Vec<Operation> = operations(file).cloned().collect();
        for site in &mut file.scan.sites {
            let operation = operations.iter().find(|operation| operation.holds(site));
            if let (Some(operation), Some(aims)) = (operation, &aims) {
                operation.judge(site, aims);
            }
        }
    }
}

fn operations(file: &ScannedFile) -> impl Iterator<Item = &Operation> {
    file.scan.facts.iter().filter_map(|fact| match fact {
        Fact::Operation(operation) => Some(operation),
        _ => None,
    })
}

/// For each file, what it is for in everything that takes it in; none when that is not said everywhere.
fn aims(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Option<Vec<Aim>>> {
    let mut aims: Vec<Option<Vec<Aim>>> = vec![Some(Vec::new()); files.len()];
    for taken in (0..files.len()).flat_map(|by| tree.taken(by)) {
        let aim = taken.aim.clone().filter(|_| taken.role == TakenAs::Patch);
        match (&mut aims[taken.to], aim) {
            (Some(known), Some(aim)) => known.push(aim),
            (known, _) => *known = None,
        }
    }
    aims
}
