//! A file that is a template and not YAML as it stands: what can be read once its actions are masked.
//!
//! It is read as it stands, with all branches, and, when that does not make YAML of it, once for each
//! branch. What several readings find is one site; every one of them has to agree on what stands at its
//! bytes, and every one of them is looked at again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Options, Scan, Scanner, Twin, as_it_stands};
use crate::reason::Reason;
use crate::sites::{self, Site};
use crate::source::Span;
use crate::yaml::{
    Actions, Branches, Document, Kind, Masked, NodeId, Place, SEVERAL, Scalar, YamlError, documents,
};

/// Names of a chart's files that are never manifests.
const NO_MANIFESTS: &[&str] = &["_helpers.tpl", "NOTES.txt"];
/// So many branches of one action are read, each on its own.
const MAX_BRANCHES: usize = 8;

/// What one way of reading gives.
struct Read<'d> {
    documents: Vec<Document<'d>>,
    /// Its sites, as they were found.
    sites: Vec<Site>,
    errors: Vec<YamlError>,
}

/// Reads a text with documents that are not YAML; `None` when it is no template, or none that holds
/// manifests.
pub(super) fn read(path: &Path, text: &str, options: &Options, actions: &Actions) -> Option<Scan> {
    let name = path.file_name().and_then(|name| name.to_str());
    if name.is_some_and(|name| NO_MANIFESTS.contains(&name)) {
        return None;
    }
    let whole = Masked::of(text, Branches::All)?;
    let single: Vec<(Branches, Masked)> = if whole.is_readable() {
        Vec::new()
    } else {
        each_branch(text, &whole)
    };
    let mut scanner = Scanner::new(path, text, options, whole.text());
    scanner.actions = Some(actions);
    scanner.several = true;
    let mut reads = vec![
        read_with(&mut scanner, None, as_it_stands(text, actions)),
        read_with(
            &mut scanner,
            Some(&whole),
            whole.documents(text, Branches::All),
        ),
    ];
    for (branches, masked) in &single {
        let documents = masked.documents(text, *branches);
        reads.push(read_with(&mut scanner, Some(masked), documents));
    }
    scanner.scan.broken = broken(&reads);
    let why = why_unread(&scanner.scan.broken);
    let lines = sites::lines(text, &whole, &spans_read(&reads), why);
    scanner.scan.sites.extend(lines);
    let mut scan = scanner.finish();
    hold_policies(&mut scan, &reads, actions);
    scan.documents = reads[0].documents.len() + reads[0].errors.len();
    // What nothing is believed of is verified like all that is YAML.
    reads[0].documents = documents(text).flatten().collect();
    let masks = std::iter::once((Branches::All, &whole));
    let masks = masks.chain(single.iter().map(|(branches, masked)| (*branches, masked)));
    for (read, (branches, masked)) in reads[1..].iter_mut().zip(masks) {
        read.documents = masked.yaml(text, branches).collect();
    }
    unite(&mut scan, text, &reads);
    Some(scan)
}

/// The text with the branches of every number there is.
fn each_branch(text: &str, whole: &Masked) -> Vec<(Branches, Masked)> {
    let count = whole.branches().min(MAX_BRANCHES);
    let numbers = (0..count).filter(|_| count > 1);
    let single = numbers.filter_map(|number| {
        let branches = Branches::Only(u8::try_from(number).ok()?);
        Some((branches, Masked::of(text, branches)?))
    });
    single.collect()
}

fn read_with<'d>(
    scanner: &mut Scanner<'d>,
    masked: Option<&'d Masked>,
    documents: impl Iterator<Item = Result<Document<'d>, YamlError>>,
) -> Read<'d> {
    let first = scanner.scan.sites.len();
    let mut kept = Vec::new();
    let errors = scanner.read(masked, documents, |document| kept.push(document));
    Read {
        documents: kept,
        sites: scanner.scan.sites[first..].to_vec(),
        errors,
    }
}

/// The documents that no way of reading makes YAML of: those of the text with all branches, unless each
/// branch for itself can be read.
fn broken(reads: &[Read<'_>]) -> Vec<YamlError> {
    let (whole, single) = (&reads[1].errors, &reads[2..]);
    if single.iter().any(|read| read.errors.is_empty()) {
        let failed = single.iter().map(|read| &read.errors);
        let failed = failed.filter(|errors| !errors.is_empty());
        return failed
            .min_by_key(|errors| errors.len())
            .cloned()
            .unwrap_or_default();
    }
    whole.clone()
}

/// Why lines are in no document that could be read.
fn why_unread(broken: &[YamlError]) -> &'static str {
    if broken.is_empty() {
        "it stands in a branch of the template that is read with no other way through it"
    } else if broken.iter().all(|error| error.message == SEVERAL) {
        "several objects are read as one around it, of which the template makes one or another"
    } else {
        "the document around it cannot be read, so nobody knows what it belongs to"
    }
}

/// Holds what stands where another branch makes a policy of the document: which branches go together is
/// not known, and a pattern is no image. What stands in one branch with the kind of its object is its own.
fn hold_policies(scan: &mut Scan, reads: &[Read<'_>], actions: &Actions) {
    let regions: Vec<Span> = reads[2..].iter().flat_map(policies).collect();
    let is_own = |site: &Site| {
        let mut documents = reads.iter().flat_map(|read| &read.documents);
        let document = documents.find(|document| document.path == site.document);
        let kind = document.and_then(|document| Some(document.node(document.get(0, "kind")?)));
        kind.is_some_and(|kind| actions.in_one_branch(kind.span.start, site.span().start))
    };
    for site in &mut scan.sites {
        let at = site.span().start;
        let mut regions = regions.iter();
        if regions.any(|region| region.start <= at && at < region.end) && !is_own(site) {
            let detail = "a branch of the template makes a policy of its document, and nobody can tell which branches go together; change it by hand";
            site.hold
                .get_or_insert((Reason::GroupIncomplete, detail.to_string()));
        }
    }
}

/// From where to where the documents may reach in which one way of reading sees a policy: to the next that
/// it sees on either side.
fn policies(read: &Read<'_>) -> Vec<Span> {
    let first = |document: &Document<'_>| document.node(0).span.start;
    let last = |document: &Document<'_>| {
        let ends = document.nodes.iter().map(|node| node.span.end);
        ends.max().unwrap_or(0)
    };
    let holds = |(index, document): (usize, &Document<'_>)| {
        let before = index.checked_sub(1).and_then(|at| read.documents.get(at));
        let behind = read.documents.get(index + 1);
        sites::holds_policy(document).then(|| Span {
            start: before.map_or(0, last),
            end: behind.map_or(usize::MAX, first),
        })
    };
    let documents = read.documents.iter().enumerate();
    documents.filter_map(holds).collect()
}

/// The bytes of the scalars that could be read, in the order of the text, none touching another.
fn spans_read(reads: &[Read<'_>]) -> Vec<Span> {
    let documents = reads.iter().flat_map(|read| &read.documents);
    let nodes = documents.flat_map(|document| &document.nodes);
    let scalars = nodes.filter(|node| matches!(node.kind, Kind::Scalar { .. }));
    let mut spans: Vec<Span> = scalars.map(|node| node.span).collect();
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Makes one site of what several ways of reading found, and notes where it stands in each.
fn unite(scan: &mut Scan, text: &str, reads: &[Read<'_>]) {
    drop_doubles(scan);
    let reads: Vec<Index<'_>> = reads.iter().map(|read| Index::of(text, read)).collect();
    let Scan {
        sites,
        unproven,
        twins,
        ..
    } = scan;
    // What another file may show to be values is looked at like what is known to be.
    let sites = sites.iter_mut().chain(unproven);
    for site in sites.filter(|site| site.hold.is_none()) {
        let mut agreed = true;
        for scalar in site.scalars() {
            let here = (site.document, scalar.ordinal);
            let mut others = Vec::new();
            for read in &reads {
                match read.seen(site, scalar) {
                    Seen::Nothing => {}
                    Seen::Same(twin) => others.extend((twin.place != here).then_some(twin)),
                    Seen::Other => agreed = false,
                }
            }
            twins.insert(here, others);
        }
        if !agreed {
            let detail = "the branches of the template can be read in more than one way here; change it by hand";
            site.hold = Some((Reason::GroupIncomplete, detail.to_string()));
        }
    }
    twins.retain(|_, others| !others.is_empty());
}

/// Leaves the first of the sites, and of the texts that could not be read, at the same bytes.
fn drop_doubles(scan: &mut Scan) {
    let (mut exact, mut shown) = (BTreeSet::new(), BTreeSet::new());
    let mut is_new = |site: &Site| {
        let is_exact = site
            .scalars()
            .any(|scalar| matches!(scalar.place, Place::Exact(_)));
        // What is spelled in another way, or only shown, may share its bytes with others.
        let is_shown = shown.insert((site.span(), site.path.clone()));
        if is_exact {
            exact.insert(site.span())
        } else {
            is_shown
        }
    };
    let sites = std::mem::take(&mut scan.sites).into_iter().enumerate();
    let kept = sites.filter(|(_, site)| is_new(site)).collect();
    scan.arrange(kept);
    let mut seen = BTreeSet::new();
    scan.unread.retain(|text| seen.insert(text.error.offset));
}

/// What a way of reading sees at the bytes of a site.
enum Seen {
    /// A branch that is left out, or a document that cannot be read.
    Nothing,
    /// The same scalar.
    Same(Twin),
    /// Something else.
    Other,
}

/// The scalars of one way of reading, by their bytes.
struct Index<'r> {
    text: &'r str,
    documents: &'r [Document<'r>],
    sites: BTreeMap<Span, Vec<&'r Site>>,
    /// Their bytes, the document by its place in the list, and the node.
    scalars: Vec<(Span, usize, NodeId)>,
}

impl<'r> Index<'r> {
    fn of(text: &'r str, read: &'r Read<'r>) -> Self {
        let mut sites: BTreeMap<Span, Vec<&Site>> = BTreeMap::new();
        for site in &read.sites {
            sites.entry(site.span()).or_default().push(site);
        }
        let mut scalars = Vec::new();
        for (index, document) in read.documents.iter().enumerate() {
            for (id, node) in document.nodes.iter().enumerate() {
                if matches!(node.kind, Kind::Scalar { .. }) && node.span.start < node.span.end {
                    scalars.push((node.span, index, id));
                }
            }
        }
        scalars.sort_unstable();
        Self {
            text,
            documents: &read.documents,
            sites,
            scalars,
        }
    }

    fn seen(&self, site: &Site, scalar: &Scalar) -> Seen {
        let is_it = |found: &Scalar| found.place == scalar.place && found.value == scalar.value;
        for &found in self.sites.get(&site.span()).into_iter().flatten() {
            if let Some(same) = found.scalars().find(|found| is_it(found)) {
                return Seen::Same(Twin::of(found.document, same));
            }
        }
        let span = scalar.place.span();
        let next = self
            .scalars
            .partition_point(|(found, ..)| found.start < span.end);
        let Some(&(found, document, id)) = next.checked_sub(1).and_then(|at| self.scalars.get(at))
        else {
            return Seen::Nothing;
        };
        if found.end <= span.start {
            return Seen::Nothing;
        }
        let document = &self.documents[document];
        match Scalar::locate(self.text, document, id) {
            Some(found) if is_it(&found) => Seen::Same(Twin::of(document.path, &found)),
            _ => Seen::Other,
        }
    }
}
