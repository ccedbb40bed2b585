//! Parts of one image that several files hold.
//!
//! Two objects of one kind and name are one, as far as anybody can tell, and a patch is merged over
//! whatever it is for. Where they do not hold the same parts, nobody can tell here what they make
//! together.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;
use super::{Group, SiteId};
use crate::image::begins_with_host;
use crate::scan::ScannedFile;
use crate::sites::{Fact, KeyPath, OF_RESOURCES, PatchPiece, Shape, Site, TakenAs, WHOLE};
use crate::source::Span;

/// Parts of an image in one file.
struct Piece<'a> {
    file: usize,
    kind: Option<&'a str>,
    name: Option<&'a str>,
    /// The way to them within the object.
    path: &'a str,
    /// Their keys; none when it changes single ones.
    keys: Option<&'a [String]>,
    /// Whether it is merged over others.
    patches: bool,
    sites: Vec<SiteId>,
}

impl Piece<'_> {
    /// Whether it may be merged over `other`. What names objects anew keeps their names as a part.
    fn may_meet(&self, other: &Self) -> bool {
        let is_kind = self.kind.is_none() || other.kind.is_none() || self.kind == other.kind;
        let is_name = match (self.name, other.name) {
            (Some(own), Some(other)) => own.contains(other) || other.contains(own),
            _ => true,
        };
        is_kind && is_name
    }

    /// Whether both hold the same parts, so that one replaces the other as a whole.
    fn is_like(&self, other: &Self) -> bool {
        self.keys.is_some() && self.keys == other.keys
    }

    /// Whether it holds what may stand in front of names.
    fn has_front(&self) -> bool {
        let keys = self.keys.unwrap_or_default();
        keys.iter().any(|key| key != WHOLE && key != "name")
    }

    /// Whether it holds an image in full.
    fn is_whole(&self) -> bool {
        let keys = self.keys.unwrap_or_default();
        keys.iter().any(|key| key == WHOLE)
    }

    /// Whether both are of one object; each that gets its name when it is created is one of its own.
    fn is_of_object(&self, other: &Self) -> bool {
        self.name.is_some_and(|name| !name.is_empty())
            && (self.kind, self.name) == (other.kind, other.name)
    }
}

/// Pieces to which the same way leads within their objects.
#[derive(Default)]
struct Shelf<'a> {
    pieces: Vec<Piece<'a>>,
    /// Their numbers, by the kind and name of their object.
    by_object: BTreeMap<(Option<&'a str>, Option<&'a str>), Vec<usize>>,
    by_file: BTreeMap<usize, Vec<usize>>,
}

impl<'a> Shelf<'a> {
    fn add(&mut self, piece: Piece<'a>) {
        let number = self.pieces.len();
        let object = (piece.kind, piece.name);
        self.by_object.entry(object).or_default().push(number);
        self.by_file.entry(piece.file).or_default().push(number);
        self.pieces.push(piece);
    }

    fn numbered<'s>(
        &'s self,
        numbers: Option<&'s Vec<usize>>,
    ) -> impl Iterator<Item = &'s Piece<'a>> {
        let numbers = numbers.into_iter().flatten();
        numbers.map(|&number| &self.pieces[number])
    }
}

/// The pieces, by the way to them within their objects.
type ByPath<'a> = BTreeMap<&'a str, Shelf<'a>>;

/// Which files patches may act on, as far as it was asked.
struct Reach<'a> {
    files: &'a [ScannedFile],
    tree: &'a Tree<'a>,
    reached: BTreeMap<usize, BTreeSet<usize>>,
}

impl Reach<'_> {
    /// The pieces of a shelf that may become parts of one object with a piece: those of its own object for
    /// what is no patch, and what a patch may act on. Every workload of a repository has a piece: only
    /// those that may be met are looked at.
    fn met<'s, 'a>(&mut self, piece: &Piece<'a>, shelf: &'s Shelf<'a>) -> Vec<&'s Piece<'a>> {
        if !piece.patches {
            let same = shelf.by_object.get(&(piece.kind, piece.name));
            let same = shelf.numbered(same);
            let same = same.filter(|other| !other.patches && piece.is_of_object(other));
            return same.collect();
        }
        let (files, tree) = (self.files, self.tree);
        let reached = self.reached.entry(piece.file);
        let reached = reached.or_insert_with(|| tree.may_act_on(files, piece.file));
        let at_hand = reached.iter().map(|file| shelf.by_file.get(file));
        let at_hand = at_hand.flat_map(|numbers| shelf.numbered(numbers));
        at_hand.filter(|other| piece.may_meet(other)).collect()
    }
}

/// Blocked groups for the parts of which several files hold different ones.
pub(super) fn groups(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    let patches: BTreeSet<usize> = (0..files.len())
        .flat_map(|file| tree.taken(file))
        .filter(|taken| matches!(taken.role, TakenAs::Patch | TakenAs::Transformer))
        .map(|taken| taken.to)
        .collect();
    let mut by_path = ByPath::new();
    for (file, scanned) in files.iter().enumerate() {
        for piece in pieces(file, scanned, patches.contains(&file)) {
            by_path.entry(piece.path).or_default().add(piece);
        }
    }
    let mut reach = Reach {
        files,
        tree,
        reached: BTreeMap::new(),
    };
    let mut groups = Vec::new();
    for shelf in by_path.values().filter(|shelf| shelf.pieces.len() > 1) {
        for numbers in shelf.by_object.values().filter(|all| all.len() > 1) {
            groups.extend(of_object(
                &shelf.numbered(Some(numbers)).collect::<Vec<_>>(),
            ));
        }
        for piece in shelf.pieces.iter().filter(|piece| piece.patches) {
            let mut others = reach.met(piece, shelf);
            others.retain(|other| !std::ptr::eq(*other, piece) && !piece.is_like(other));
            groups.extend(group(piece, others));
        }
    }
    groups.extend(fronts(&by_path, &mut reach));
    groups
}

/// The blocked group of the pieces of one object, when not all hold the same parts.
fn of_object(pieces: &[&Piece<'_>]) -> Option<Group> {
    let own = pieces.iter().copied().filter(|piece| !piece.patches);
    let own: Vec<&Piece<'_>> = own.filter(|piece| piece.is_of_object(piece)).collect();
    let (first, others) = own.split_first()?;
    let differ = others.iter().any(|other| !first.is_like(other));
    differ.then(|| group(first, others.to_vec()))?
}

/// Blocked groups for images in full without a registry, where another file may put one in front of
/// all that stands below.
fn fronts(by_path: &ByPath<'_>, reach: &mut Reach<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut add = |piece: &Piece<'_>, front: &Piece<'_>| {
        let apart = front.file != piece.file || front.patches || piece.patches;
        if front.has_front() && piece.is_whole() && apart {
            groups.extend(group(piece, vec![front]));
        }
    };
    for (path, shelf) in by_path {
        let above = path.match_indices('.').map(|(at, _)| &path[..at]);
        for fronts in above.filter_map(|above| by_path.get(above)) {
            for front in fronts.pieces.iter().filter(|front| front.has_front()) {
                let met = reach.met(front, shelf).into_iter();
                met.for_each(|piece| add(piece, front));
            }
            let patches = shelf.pieces.iter().filter(|piece| piece.patches);
            for piece in patches.filter(|piece| piece.is_whole()) {
                let met = reach.met(piece, fronts).into_iter();
                met.for_each(|front| add(piece, front));
            }
        }
    }
    groups
}

fn group(piece: &Piece<'_>, others: Vec<&Piece<'_>>) -> Option<Group> {
    let first = others.first()?;
    let known = if piece.name.is_some() { piece } else { *first };
    let object = [known.kind, known.name].map(|text| text.unwrap_or("?"));
    let (object, path) = (object.join("/"), piece.path);
    let all = std::iter::once(piece).chain(others.into_iter().filter(|other| other.path == path));
    let members: Vec<SiteId> = all.flat_map(|piece| piece.sites.iter().copied()).collect();
    (!members.is_empty()).then(|| Group {
        label: format!("the parts of `{path}` in {object}"),
        members,
        blocked: Some(format!(
            "other files hold further parts of `{path}` in {object}, and what they make together is not known here; write all parts out in each of them"
        )),
    })
}

/// The pieces of a file. `is_patch`: something takes it in to act on others.
fn pieces<'a>(file: usize, scanned: &'a ScannedFile, is_patch: bool) -> Vec<Piece<'a>> {
    let sites = starts(file, scanned);
    let inside = |map: &Span, keys: Option<&[String]>| -> Vec<SiteId> {
        let has_whole = keys.is_some_and(|keys| keys.iter().any(|key| key == WHOLE));
        let sites = sites.range(map.start..map.end.max(map.start + 1));
        let sites = sites.flat_map(|(_, sites)| sites);
        let counts = |id: &&SiteId| has_whole || scanned.scan.sites[id.site].parts().is_some();
        sites.filter(counts).copied().collect()
    };
    let piece = |fact: &'a Fact| match fact {
        Fact::Piece {
            object,
            path,
            keys,
            map,
        } => {
            let (kind, name) = object.as_deref().and_then(|it| it.split_once('/')).unzip();
            // What does not say what it is counts as a patch alone.
            (object.is_some() || is_patch).then_some(Piece {
                file,
                // With a target, it does not matter what a patch says of itself.
                kind: kind.filter(|_| !is_patch),
                name: name.filter(|_| !is_patch),
                path: tail(path),
                keys: Some(keys),
                patches: is_patch,
                sites: inside(map, Some(keys)),
            })
        }
        Fact::PatchPiece(PatchPiece {
            kind,
            name,
            path,
            keys,
            map,
        }) => Some(Piece {
            file,
            kind: kind.as_deref(),
            name: name.as_deref(),
            path: tail(path),
            keys: keys.as_deref(),
            patches: true,
            sites: inside(map, keys.as_deref()),
        }),
        _ => None,
    };
    scanned.scan.facts.iter().filter_map(piece).collect()
}

/// The sites of a file that are parts of an image of a custom resource, or an image in full without its
/// registry, by where they begin.
fn starts(file: usize, scanned: &ScannedFile) -> BTreeMap<usize, Vec<SiteId>> {
    let mut starts: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
    for (site, found) in scanned.scan.sites.iter().enumerate() {
        if found.finder == OF_RESOURCES && (found.parts().is_some() || is_without_host(found)) {
            let id = SiteId { file, site };
            starts.entry(found.span().start).or_default().push(id);
        }
    }
    starts
}

fn is_without_host(site: &Site) -> bool {
    let text = site.text();
    matches!(site.shape, Shape::Whole(_)) && !(text.contains('/') && begins_with_host(text))
}

/// The path within the object: it may be an item of a list.
fn tail(path: &KeyPath) -> &str {
    let path = path.as_str();
    match path
        .strip_prefix("items[")
        .and_then(|rest| rest.split_once("]."))
    {
        Some((_, rest)) => rest,
        None => path,
    }
}
