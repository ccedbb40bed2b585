//! The changes of a file become its new text, which has to pass every check before anyone sees it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Change, FilePlan, rescan};
use crate::edit::{Edit, EditSet, Overlap};
use crate::sites::{Bit, Site};
use crate::source::Span;
use crate::verify::{self, Planned, VerifyError};
use crate::yaml::DocumentPath;

/// Why a new text was refused.
#[derive(Debug)]
pub(super) enum ComposeError {
    Overlap(Overlap),
    Spans,
    Verify(VerifyError),
    /// A second run would not agree with the first: what it says.
    NotSettled(String),
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap(overlap) => write!(f, "{overlap}"),
            Self::Spans => f.write_str("an edit lies outside of the text"),
            Self::Verify(error) => write!(f, "{error}"),
            Self::NotSettled(what) => write!(f, "a second run would change it again: {what}"),
        }
    }
}

/// The verified new text; `None` when the file has no changes, or when no registry is known: then
/// the changes are only for showing, and no text holds them.
pub(super) fn compose(file: &FilePlan) -> Result<Option<String>, ComposeError> {
    if file.changes.is_empty() || file.rules.registry().is_none() {
        return Ok(None);
    }
    let edits = file
        .changes
        .iter()
        .flat_map(|change| change.edits.iter().cloned());
    let edits = EditSet::new(edits).map_err(ComposeError::Overlap)?;
    let after = edits.apply(&file.source.text).ok_or(ComposeError::Spans)?;
    verify::verify(&file.source.text, &after, &edits, &planned(file)?)
        .map_err(ComposeError::Verify)?;
    check_settled(file, &after)?;
    Ok(Some(after))
}

fn planned(file: &FilePlan) -> Result<Vec<Planned>, ComposeError> {
    let mut planned: BTreeMap<(DocumentPath, usize), Planned> = BTreeMap::new();
    // Several sites may be pieces of one scalar.
    let mut pieces: BTreeMap<(DocumentPath, usize), Vec<(usize, Edit)>> = BTreeMap::new();
    for change in &file.changes {
        let document = file.sites[change.site].document;
        for scalar in &change.scalars {
            if let Some(start) = scalar.piece {
                let piece = Edit {
                    span: Span::new(start, start + scalar.from.len()),
                    text: scalar.to.clone(),
                };
                let place = (document, scalar.ordinal);
                pieces.entry(place).or_default().push((change.site, piece));
                continue;
            }
            planned.insert(
                (document, scalar.ordinal),
                Planned {
                    document,
                    ordinal: scalar.ordinal,
                    from: scalar.from.clone(),
                    to: scalar.to.clone(),
                    inserted: None,
                },
            );
        }
        if let (Some(inserted), Some(entry)) = (&change.inserted, file.sites[change.site].entry()) {
            let name = &entry.name.scalar.value;
            let place = (document, inserted.after);
            let behind = planned.entry(place).or_insert_with(|| Planned {
                document,
                ordinal: inserted.after,
                from: name.clone(),
                to: name.clone(),
                inserted: None,
            });
            behind.inserted = Some((inserted.key.clone(), inserted.value.clone()));
        }
    }
    for ((document, ordinal), pieces) in pieces {
        let from = file.sites[pieces[0].0].scalars().next();
        let from = from.map_or(String::new(), |scalar| scalar.value.clone());
        let edits = EditSet::new(pieces.into_iter().map(|(_, piece)| piece));
        let to = edits.map_err(ComposeError::Overlap)?.apply(&from);
        let scalar = Planned {
            document,
            ordinal,
            to: to.ok_or(ComposeError::Spans)?,
            from,
            inserted: None,
        };
        planned.insert((document, ordinal), scalar);
    }
    Ok(planned.into_values().collect())
}

/// Finds the sites of the new text again: the same ones, the changed ones in ECR, the others as they
/// were.
fn check_settled(file: &FilePlan, after: &str) -> Result<(), ComposeError> {
    let again = rescan(file, after);
    if again.len() != file.sites.len() {
        let what = format!("{} sites become {}", file.sites.len(), again.len());
        return Err(ComposeError::NotSettled(what));
    }
    let mut changes = file.changes.iter().peekable();
    for (index, (before, after)) in file.sites.iter().zip(&again).enumerate() {
        let change = changes.next_if(|change| change.site == index);
        let settled = match change {
            None => after.text() == before.text() && after.path == before.path,
            Some(change) => is_settled(file, before, after, change),
        };
        if !settled {
            return Err(ComposeError::NotSettled(format!(
                "`{}` at {}",
                change.map_or(before.text(), |change| &change.to),
                before.path
            )));
        }
    }
    Ok(())
}

/// Whether a changed site is found again as it was meant, in ECR.
fn is_settled(file: &FilePlan, before: &Site, after: &Site, change: &Change) -> bool {
    if let (Some(entry), Some(names)) = (after.entry(), &change.names) {
        let new_name = entry.new_name.as_ref().map(Bit::text);
        let wanted = |name: Option<&String>, found: Option<&str>| {
            name.is_none_or(|name| Some(name.as_str()) == found && file.rules.text_is_ecr(name))
        };
        return wanted(names.name.as_ref(), Some(entry.name.text()))
            && wanted(names.new_name.as_ref(), new_name);
    }
    // Parts were decided again together with their other layers.
    after.text() == change.to
        && after.path == before.path
        && (after.parts().is_some() || file.rules.text_is_ecr(after.text()))
}
