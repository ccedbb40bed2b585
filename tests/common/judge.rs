//! What an independent parser (`serde_yaml`, whose engine is libyaml's) sees of a change, for tests that
//! hold it against what was planned.

use std::collections::BTreeMap;

use ecr_rewrite::plan::FilePlan;
use serde::Deserialize;
use serde_yaml::Value;

/// Every document by an independent parser; `None` when it cannot read them all. A byte order mark is left
/// out: libyaml counts it as a column, and the first line is deeper than the others then.
pub fn values(text: &str) -> Option<Vec<Value>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|document| Value::deserialize(document).ok())
        .collect()
}

/// The documents of a text that holds some.
fn inside(text: &str) -> Option<Vec<Value>> {
    let holds = |value: &Value| value.is_mapping() || value.is_sequence() || value.is_null();
    values(text).filter(|values| values.iter().all(holds))
}

/// A text that is another one afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The keys that lead to it, in texts that hold documents, too; list positions as `[]`.
    pub path: String,
    pub before: String,
    pub after: String,
}

/// The texts that differ between two streams; an error says what else does.
pub fn differences(before: &[Value], after: &[Value]) -> Result<Vec<Difference>, String> {
    if before.len() != after.len() {
        let what = format!("{} documents become {}", before.len(), after.len());
        return Err(what);
    }
    let mut differences = Vec::new();
    for (before, after) in before.iter().zip(after) {
        differ("", before, after, &mut differences)?;
    }
    Ok(differences)
}

fn differ(
    path: &str,
    before: &Value,
    after: &Value,
    differences: &mut Vec<Difference>,
) -> Result<(), String> {
    let mut text = |before: &str, after: &str| {
        differences.push(Difference {
            path: path.to_string(),
            before: before.to_string(),
            after: after.to_string(),
        });
    };
    match (before, after) {
        (Value::Mapping(before), Value::Mapping(after)) => {
            let mut before = before.iter().peekable();
            for (key, after) in after {
                let path = format!("{path}.{}", key.as_str().unwrap_or("?"));
                match (before.next_if(|(old, _)| *old == key), after) {
                    (Some((_, before)), _) => differ(&path, before, after, differences)?,
                    (None, Value::String(added)) if key == "newName" => {
                        differences.push(Difference {
                            path,
                            before: String::new(),
                            after: added.clone(),
                        });
                    }
                    (None, _) => return Err(format!("{path} was added")),
                }
            }
            match before.next() {
                None => Ok(()),
                Some((key, _)) => Err(format!("{key:?} of {path} is gone")),
            }
        }
        (Value::Sequence(before), Value::Sequence(after)) if before.len() == after.len() => {
            let path = format!("{path}[]");
            let mut pairs = before.iter().zip(after);
            pairs.try_for_each(|(before, after)| differ(&path, before, after, differences))
        }
        (Value::String(before), Value::String(after)) if before != after => {
            match (inside(before), inside(after)) {
                (Some(before), Some(after)) if before.len() == after.len() => {
                    let path = format!("{path}|");
                    let mut pairs = before.iter().zip(&after);
                    pairs.try_for_each(|(before, after)| differ(&path, before, after, differences))
                }
                _ => {
                    text(before, after);
                    Ok(())
                }
            }
        }
        (Value::Tagged(before), Value::Tagged(after)) if before.tag == after.tag => {
            differ(path, &before.value, &after.value, differences)
        }
        _ if before == after => Ok(()),
        _ => Err(format!("{path}: {before:?} becomes {after:?}")),
    }
}

/// The scalars, or pieces of them, that the plan changes, before and after, and those that it adds. An
/// anchor that several images share is one of them.
pub fn planned_scalars(file: &FilePlan) -> Vec<(String, String)> {
    let mut scalars = BTreeMap::new();
    for change in &file.changes {
        let document = file.sites[change.site].document;
        for scalar in &change.scalars {
            let place = (
                document,
                scalar.ordinal,
                scalar.piece.map_or(0, |at| at + 2),
            );
            scalars.insert(place, (scalar.from.clone(), scalar.to.clone()));
        }
        if let Some(added) = &change.inserted {
            let place = (document, added.after, 1);
            scalars.insert(place, (String::new(), added.value.clone()));
        }
    }
    scalars.into_values().collect()
}

/// Whether the bytes between the edits are where they were, and the edits where they should be.
pub fn bytes_outside_are_equal(file: &FilePlan, after: &str) -> bool {
    let mut edits: Vec<_> = file
        .changes
        .iter()
        .flat_map(|change| &change.edits)
        .collect();
    edits.sort_by_key(|edit| edit.span);
    let (mut old, mut rest) = (0, after);
    for edit in edits {
        let kept = &file.source.text[old..edit.span.start];
        let Some(next) = rest.strip_prefix(kept) else {
            return false;
        };
        let Some(next) = next.strip_prefix(edit.text.as_str()) else {
            return false;
        };
        rest = next;
        old = edit.span.end;
    }
    rest == &file.source.text[old..]
}
