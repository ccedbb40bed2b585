//! The changes of a file become its new text, which has to pass every check before anyone sees it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Change, FilePlan, Rewritten, rescan};
use crate::edit::{Edit, EditSet, Overlap};
use crate::rules::EcrHost;
use crate::rules::ecr_host::is_ecr_host;
use crate::scan::ScalarPlace;
use crate::sites::{Bit, Shape, Site};
use crate::source::Span;
use crate::verify::{self, Planned, VerifyError};
use crate::yaml::{Reading, Scalar};

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
    let filled = Filled::of(file);
    check_settled(file, &filled, &edits)?;
    Ok(Some(after))
}

/// Stands for a registry that is filled in later, account and region and all.
const STAND_IN: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";

/// How the new text is looked at again. Finders know many images by their hosts alone, and a placeholder for
/// all of one has not the form of any: for them, it is filled in.
struct Filled<'r> {
    /// The placeholder, when the registry is nothing else.
    placeholder: Option<&'r str>,
}

impl<'r> Filled<'r> {
    fn of(file: &'r FilePlan) -> Self {
        let registry = file.rules.registry().map(EcrHost::as_str);
        Self {
            placeholder: registry.filter(|registry| !is_ecr_host(registry)),
        }
    }

    /// A text that is written into the file, as it is looked at.
    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.placeholder {
            Some(placeholder) => text.replacen(placeholder, STAND_IN, 1).into(),
            None => text.into(),
        }
    }

    /// The edits, as they are looked at.
    fn edits(&self, edits: &EditSet) -> Result<EditSet, ComposeError> {
        let edits = edits.iter().map(|edit| Edit {
            span: edit.span,
            text: self.text(&edit.text).into_owned(),
        });
        EditSet::new(edits).map_err(ComposeError::Overlap)
    }
}

fn planned(file: &FilePlan) -> Result<Vec<Planned>, ComposeError> {
    let mut planned: BTreeMap<ScalarPlace, Planned> = BTreeMap::new();
    // Several sites may be pieces of one scalar.
    let mut pieces: BTreeMap<ScalarPlace, (&Scalar, Vec<Edit>)> = BTreeMap::new();
    for change in &file.changes {
        let site = &file.sites[change.site];
        let document = site.document;
        for scalar in &change.scalars {
            let place = (document, scalar.ordinal);
            let whole = match &site.shape {
                Shape::Whole(whole) => Some(whole),
                Shape::Within(bit) => Some(&bit.scalar),
                Shape::Parts(_) | Shape::Entry(_) => None,
            };
            if let Some(whole) = whole {
                let (_, edits) = pieces.entry(place).or_insert_with(|| (whole, Vec::new()));
                edits.push(piece(scalar));
            } else {
                for place in seen(file, place) {
                    let change = Planned::new(place, scalar.from.clone(), scalar.to.clone());
                    planned.insert(place, change);
                }
            }
        }
        if let Some(allowance) = &change.allowance {
            let (place, name) = ((allowance.document, allowance.before), &allowance.name);
            for place in seen(file, place) {
                let front = planned
                    .entry(place)
                    .or_insert_with(|| Planned::new(place, name.clone(), name.clone()));
                let keys = allowance.keys.iter().map(ToString::to_string);
                front.fronted = Some((keys.collect(), "true".to_string()));
            }
        }
        if let Some(inserted) = &change.inserted
            && let Some(name) = text_of(site, inserted.after)
        {
            for place in seen(file, (document, inserted.after)) {
                let behind = planned
                    .entry(place)
                    .or_insert_with(|| Planned::new(place, name.to_string(), name.to_string()));
                behind.inserted = Some((inserted.key.clone(), inserted.value.clone()));
            }
        }
    }
    for (place, (scalar, edits)) in pieces {
        let edits = EditSet::new(edits).map_err(ComposeError::Overlap)?;
        let twins = file.twins.get(&place).into_iter().flatten();
        let twins = twins.map(|twin| (twin.place, twin.parsed.as_str()));
        for (place, parsed) in std::iter::once((place, scalar.as_parsed())).chain(twins) {
            let to = rewritten(&scalar.value, parsed, &edits).ok_or(ComposeError::Spans)?;
            planned.insert(place, Planned::new(place, parsed.to_string(), to));
        }
    }
    Ok(planned.into_values().collect())
}

/// Where a scalar is in every way of reading its file.
fn seen(file: &FilePlan, place: ScalarPlace) -> impl Iterator<Item = ScalarPlace> {
    let twins = file.twins.get(&place).into_iter().flatten();
    std::iter::once(place).chain(twins.map(|twin| twin.place))
}

/// The text of a scalar of a site.
fn text_of(site: &Site, ordinal: usize) -> Option<&str> {
    let mut scalars = site.scalars();
    let found = scalars.find(|scalar| scalar.ordinal == ordinal);
    found.map(|scalar| scalar.value.as_str())
}

/// The bytes of a scalar's value that change: what follows the name may be a template's.
fn piece(scalar: &Rewritten) -> Edit {
    let (from, to) = (scalar.from.as_str(), scalar.to.as_str());
    let same = from.chars().rev().zip(to.chars().rev());
    let same = same.take_while(|(from, to)| from == to);
    let shared: usize = same.map(|(shared, _)| shared.len_utf8()).sum();
    let start = scalar.piece.unwrap_or(0);
    Edit {
        span: Span::new(start, start + from.len() - shared),
        text: to[..to.len() - shared].to_string(),
    }
}

/// What becomes of a value that the parser reads as `parsed`; `None` when it reads something else where
/// the edits are.
fn rewritten(value: &str, parsed: &str, edits: &EditSet) -> Option<String> {
    let is_same = |edit: &Edit| {
        let bytes = edit.span.of(parsed);
        bytes.is_some() && bytes == edit.span.of(value)
    };
    edits.iter().all(is_same).then(|| edits.apply(parsed))?
}

/// Finds the sites of the new text again: the same ones, the changed ones in ECR, the others as they
/// were. Of an image whose chart is known, a site may say only a part, and what is added beside it may
/// make other sites of it: what counts is that nothing else says something else.
fn check_settled(
    file: &FilePlan,
    filled: &Filled<'_>,
    edits: &EditSet,
) -> Result<(), ComposeError> {
    let edits = &filled.edits(edits)?;
    let after = edits.apply(&file.source.text).ok_or(ComposeError::Spans)?;
    let again = rescan(file, &after);
    let charted = file
        .changes
        .iter()
        .filter(|change| change.charted.is_some());
    let charted: BTreeSet<usize> = charted.map(|change| change.site).collect();
    // Most files have no image whose chart is known: nothing is left out there.
    let of_charts = (!charted.is_empty()).then(|| Places::of(file, &charted));
    let is_one = |site: &Site| of_charts.as_ref().is_some_and(|places| places.have(site));
    let is_made = |site: &Site| {
        let places = of_charts.as_ref();
        places.is_some_and(|places| places.made(site, edits))
    };
    let before = file.sites.iter().enumerate();
    let before: Vec<(usize, &Site)> = before.filter(|(_, site)| !is_one(site)).collect();
    let again: Vec<&Site> = again.iter().filter(|site| !is_made(site)).collect();
    if again.len() != before.len() {
        let what = format!("{} sites become {}", before.len(), again.len());
        return Err(ComposeError::NotSettled(what));
    }
    let mut changes = file.changes.iter().peekable();
    for (&(index, before), after) in before.iter().zip(again) {
        while changes.next_if(|change| change.site < index).is_some() {}
        let change = changes.next_if(|change| change.site == index);
        let settled = match change {
            // What was no YAML as it stands may be some with the quotes around a placeholder.
            None => {
                let reading = after.document.reading();
                after.text() == before.text()
                    && after.path == before.path
                    && (reading == Reading::Raw || reading == before.document.reading())
            }
            Some(change) => is_settled(file, filled, before, after, change),
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

/// Where the scalars of sites begin: of those that change and whose charts are known, and of the others.
struct Places {
    charted: BTreeSet<usize>,
    others: BTreeSet<usize>,
}

impl Places {
    fn of(file: &FilePlan, charted: &BTreeSet<usize>) -> Self {
        let sites = file.sites.iter().enumerate();
        let (own, others): (Vec<_>, Vec<_>) = sites.partition(|(index, _)| charted.contains(index));
        let starts = |sites: Vec<(usize, &Site)>| {
            let scalars = sites.into_iter().flat_map(|(_, site)| site.scalars());
            scalars.map(start).collect()
        };
        Self {
            charted: starts(own),
            others: starts(others),
        }
    }

    /// Whether a scalar of the site is one of a chart's image that changes.
    fn have(&self, site: &Site) -> bool {
        let mut scalars = site.scalars();
        scalars.any(|scalar| self.charted.contains(&start(scalar)))
    }

    /// Whether a site of the new text is made of such a scalar, or of added keys alone.
    fn made(&self, site: &Site, edits: &EditSet) -> bool {
        let is_added = |at: &usize| {
            let mut edits = edits.iter();
            !self.others.contains(at)
                && edits.any(|edit| edit.span.is_empty() && edit.span.start == *at)
        };
        let places: Vec<usize> = site.scalars().map(|it| edits.before(start(it))).collect();
        let is_all_added = !places.is_empty() && places.iter().all(is_added);
        is_all_added || places.iter().any(|at| self.charted.contains(at))
    }
}

/// Where the text of a scalar begins.
fn start(scalar: &Scalar) -> usize {
    scalar.place.span().start
}

/// Whether a changed site is found again as it was meant, in ECR.
fn is_settled(
    file: &FilePlan,
    filled: &Filled<'_>,
    before: &Site,
    after: &Site,
    change: &Change,
) -> bool {
    if let (Some(entry), Some(names)) = (after.entry(), &change.names) {
        let new_name = entry.new_name.as_ref().map(Bit::text);
        let wanted = |name: Option<&String>, found: Option<&str>| {
            let name = name.map(|name| filled.text(name));
            name.is_none_or(|name| Some(&*name) == found && file.rules.text_is_ecr(&name))
        };
        return wanted(names.name.as_ref(), Some(entry.name.text()))
            && wanted(names.new_name.as_ref(), new_name);
    }
    // Parts were decided again together with their other layers.
    after.text() == filled.text(&change.to)
        && after.path == before.path
        && (after.parts().is_some() || file.rules.text_is_ecr(after.text()))
}
