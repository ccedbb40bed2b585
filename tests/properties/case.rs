//! A generated case, and how a failing one is made small enough to look at.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The registries that cases rewrite to; the one with a placeholder needs quotes in some places.
pub(crate) const REGISTRIES: [&str; 2] = [
    super::common::REGISTRY,
    "${AWS_ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com",
];
/// How many smaller cases are tried at most.
const TRIES: usize = 800;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// Files, and the registry that they are rewritten to, by its place in [`REGISTRIES`].
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) files: Vec<File>,
    pub(crate) registry: usize,
}

impl Case {
    /// Its bytes: a number that is the same whenever the case is made.
    pub(crate) fn size(&self) -> usize {
        self.files.iter().map(|file| file.text.len()).sum()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "to {}", REGISTRIES[self.registry])?;
        for File { path, text } in &self.files {
            writeln!(f, "--- {path}: {}\n{text}", text.escape_debug())?;
        }
        Ok(())
    }
}

/// A property that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Which.
    pub(crate) property: &'static str,
    /// What was seen instead.
    pub(crate) what: String,
}

/// Fails with `property` unless `holds`.
pub(crate) fn hold(
    property: &'static str,
    holds: bool,
    what: impl FnOnce() -> String,
) -> Result<(), Fault> {
    if holds {
        return Ok(());
    }
    Err(Fault {
        property,
        what: what(),
    })
}

/// What `check` says of a case; a panic is a fault like any other.
pub(crate) fn outcome<T>(
    case: &Case,
    check: impl Fn(&Case) -> Result<T, Fault>,
) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(|| check(case))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(Fault {
            property: "nothing panics",
            what: text.unwrap_or_default(),
        })
    })
}

/// The smallest case found that fails as this one does, and how.
pub(crate) fn shrunk<T>(
    case: Case,
    fault: Fault,
    check: impl Fn(&Case) -> Result<T, Fault>,
) -> (Case, Fault) {
    let (mut case, mut fault) = (case, fault);
    let mut tries = 0;
    loop {
        let property = fault.property;
        let found = smaller(&case).take(TRIES - tries).find_map(|smaller| {
            tries += 1;
            let fault = outcome(&smaller, &check).err()?;
            (fault.property == property).then_some((smaller, fault))
        });
        match found {
            Some(found) => (case, fault) = found,
            None => return (case, fault),
        }
    }
}

/// Cases with less in them, those with the least first.
fn smaller(case: &Case) -> impl Iterator<Item = Case> + '_ {
    let without = (0..case.files.len()).filter(|_| case.files.len() > 1);
    let without = without.map(|file| {
        let mut case = case.clone();
        case.files.remove(file);
        case
    });
    let shorter = (0..case.files.len()).flat_map(move |file| {
        let text = &case.files[file].text;
        let lines = text.split_inclusive('\n').map(ToString::to_string);
        let characters = text.chars().map(|c| c.to_string());
        let is_short = text.len() < 600;
        let cuts = [
            lines.collect::<Vec<_>>(),
            characters.filter(|_| is_short).collect(),
        ];
        cuts.into_iter().flat_map(cut).map(move |text| {
            let mut case = case.clone();
            case.files[file].text = text;
            case
        })
    });
    without.chain(shorter)
}

/// What is left of the pieces without some that follow each other, many first.
fn cut(pieces: Vec<String>) -> impl Iterator<Item = String> {
    let sizes = std::iter::successors(Some(pieces.len() / 2), |size| Some(size / 2));
    let sizes = sizes.take_while(|size| *size > 0);
    sizes.flat_map(move |size| {
        let starts = (0..pieces.len()).step_by(size);
        let left = |start: usize| {
            let end = (start + size).min(pieces.len());
            pieces[..start].concat() + &pieces[end..].concat()
        };
        starts.map(left).collect::<Vec<_>>()
    })
}
