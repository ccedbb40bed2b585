//! How an entry of a list of images for kustomize takes a new name.

use super::decide::{Why, edits};
use super::{Inserted, Rewritten};
use crate::edit::Edit;
use crate::reason::Reason;
use crate::sites::{Entry, NEW_NAME, Room};
use crate::yaml::Scalar;

/// What an entry says after a change, as far as it says something else than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewNames {
    /// The name that it matches.
    pub name: Option<String>,
    /// The name that it gives.
    pub new_name: Option<String>,
}

/// A change as edits.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) edits: Vec<Edit>,
    pub(super) scalars: Vec<Rewritten>,
    pub(super) inserted: Option<Inserted>,
}

/// Carries out new names; or why their bytes cannot be written.
pub(super) fn carry_out(entry: &Entry, names: &NewNames) -> Result<Carried, Why> {
    let is_text = entry.new_name.as_ref().map_or_else(
        || entry.room == Ok(Room::Behind),
        |new_name| new_name.scalar.ordinal == entry.name.scalar.ordinal,
    );
    if is_text {
        return in_one(entry, names);
    }
    let mut carried = Carried::default();
    if let Some(name) = &names.name {
        carried.rewrite(&entry.name.scalar, name)?;
    }
    match (&names.new_name, &entry.new_name) {
        (Some(new), Some(old)) => carried.rewrite(&old.scalar, new)?,
        (Some(new), None) => carried.insert(entry, new)?,
        (None, _) => {}
    }
    Ok(carried)
}

/// `[name=]reference`, all in one scalar.
fn in_one(entry: &Entry, names: &NewNames) -> Result<Carried, Why> {
    let scalar = &entry.name.scalar;
    let old = &scalar.value;
    let name = names.name.as_deref().unwrap_or(entry.name.text());
    let new_name = names.new_name.as_deref();
    let to = match &entry.new_name {
        Some(given) => {
            let between = &old[entry.name.range.end..given.range.start];
            let new_name = new_name.unwrap_or(given.text());
            format!("{name}{between}{new_name}{}", &old[given.range.end..])
        }
        None => {
            let rest = &old[entry.name.range.end..];
            let behind = new_name.map_or(String::new(), |new_name| format!("={new_name}"));
            format!("{name}{behind}{rest}")
        }
    };
    let mut carried = Carried::default();
    carried.rewrite(scalar, &to)?;
    Ok(carried)
}

impl Carried {
    fn rewrite(&mut self, scalar: &Scalar, to: &str) -> Result<(), Why> {
        self.edits.extend(edits(scalar, &scalar.value, to)?);
        self.scalars.push(Rewritten {
            ordinal: scalar.ordinal,
            piece: None,
            from: scalar.value.clone(),
            to: to.to_string(),
        });
        Ok(())
    }

    fn insert(&mut self, entry: &Entry, new_name: &str) -> Result<(), Why> {
        let room = entry.room.as_ref();
        let Room::Pair(pair) = room.map_err(|why| (Reason::NotEditable, why.clone()))? else {
            return Ok(());
        };
        self.edits.push(pair.edit(NEW_NAME, new_name));
        self.inserted = Some(Inserted {
            after: entry.name.scalar.ordinal,
            key: NEW_NAME.to_string(),
            value: new_name.to_string(),
        });
        Ok(())
    }
}
