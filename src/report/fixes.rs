//! What a report offers to apply: the edits of the plan, cut into what makes sense on its own.
//!
//! A *move* is what has to be applied together: the changes of a group, those that share a scalar, and
//! those whose edits reach into the same lines, because services replace whole lines. Of each file that
//! a move touches, its *part* is one replacement, so that nobody can apply half of a change there.
//! All parts together give the text that a rewrite writes.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::places::Places;
use crate::edit::Edit;
use crate::plan::{Change, Plan};
use crate::source::Span;

/// The part of a move in one file.
#[derive(Debug)]
pub(super) struct Part<'p> {
    /// The file, by its place in the plan.
    pub(super) file: usize,
    /// From the first byte that changes to the last.
    pub(super) span: Span,
    /// What stands there afterwards.
    pub(super) text: String,
    /// The single replacements, in the order of the text.
    pub(super) edits: Vec<&'p Edit>,
    /// The first change.
    pub(super) first: &'p Change,
}

/// Everything that a report offers.
pub(super) struct Fixes<'p> {
    /// The moves, in the order of their first places, each with its parts in the order of the files.
    pub(super) moves: Vec<Vec<Part<'p>>>,
    /// The part that changes a site: the move, and the part of it.
    of_site: BTreeMap<(usize, usize), PartId>,
    /// The finding that carries a part: the first one of a site that the part changes.
    carriers: BTreeMap<PartId, usize>,
}

/// A part, by its move and its place among the parts of that.
pub(super) type PartId = (usize, usize);

impl<'p> Fixes<'p> {
    pub(super) fn of(report: &Report<'p>, places: &Places<'_>) -> Self {
        let mut fixes = Self {
            moves: Vec::new(),
            of_site: BTreeMap::new(),
            carriers: BTreeMap::new(),
        };
        let nodes = nodes(report.plan);
        for members in together(report.plan, &nodes, places) {
            fixes.add(report.plan, &members);
        }
        for (index, finding) in report.findings.list.iter().enumerate() {
            if let (Some(site), true) = (finding.site, finding.fix.is_some())
                && let Some(&part) = fixes.of_site.get(&site)
            {
                fixes.carriers.entry(part).or_insert(index);
            }
        }
        fixes
    }

    fn add(&mut self, plan: &'p Plan, members: &[Node<'p>]) {
        let number = self.moves.len();
        let mut of_file: BTreeMap<usize, Vec<&Node<'p>>> = BTreeMap::new();
        for node in members {
            of_file.entry(node.file).or_default().push(node);
        }
        let mut parts = Vec::new();
        for (file, nodes) in of_file {
            let changes: Vec<&Change> = nodes.iter().map(|node| node.change).collect();
            if let Some(part) = part(file, &plan.files[file].source.text, &changes) {
                let sites = changes.iter().map(|change| (file, change.site));
                self.of_site
                    .extend(sites.map(|site| (site, (number, parts.len()))));
                parts.push(part);
            }
        }
        self.moves.push(parts);
    }

    pub(super) fn part(&self, (number, part): PartId) -> &Part<'p> {
        &self.moves[number][part]
    }

    /// The part that puts right what a finding is about.
    pub(super) fn of_finding(&self, report: &Report<'_>, finding: usize) -> Option<PartId> {
        let finding = &report.findings.list[finding];
        let site = finding.site.filter(|_| finding.fix.is_some())?;
        self.of_site.get(&site).copied()
    }

    /// The finding that carries a part; none when what it puts right is not reported.
    pub(super) fn carrier(&self, part: PartId) -> Option<usize> {
        self.carriers.get(&part).copied()
    }

    /// All parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = PartId> {
        let moves = self.moves.iter().enumerate();
        moves.flat_map(|(number, parts)| (0..parts.len()).map(move |part| (number, part)))
    }
}

/// A change and the file it is in.
struct Node<'p> {
    file: usize,
    change: &'p Change,
}

/// The changes of files that have a new text.
fn nodes(plan: &Plan) -> Vec<Node<'_>> {
    let files = plan.files.iter().enumerate();
    let files = files.filter(|(_, file)| file.after.is_some());
    files
        .flat_map(|(index, file)| {
            let changes = file.changes.iter();
            changes.map(move |change| Node {
                file: index,
                change,
            })
        })
        .collect()
}

/// Sorts the changes into moves, each in the order of the plan.
fn together<'p>(plan: &Plan, nodes: &[Node<'p>], places: &Places<'_>) -> Vec<Vec<Node<'p>>> {
    let mut sets = Sets::new(nodes.len());
    let mut of_group = BTreeMap::new();
    let mut of_scalar = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for group in &node.change.groups {
            sets.join(*of_group.entry(group).or_insert(index), index);
        }
        let document = plan.files[node.file].sites[node.change.site].document;
        for scalar in &node.change.scalars {
            let place = (node.file, document, scalar.ordinal);
            sets.join(*of_scalar.entry(place).or_insert(index), index);
        }
    }
    while join_lines(nodes, places, &mut sets) {}
    let mut moves: BTreeMap<usize, Vec<Node<'p>>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let member = Node {
            file: node.file,
            change: node.change,
        };
        moves.entry(sets.of(index)).or_default().push(member);
    }
    moves.into_values().collect()
}

/// Joins what reaches into the same lines of a file; whether anything was joined.
fn join_lines(nodes: &[Node<'_>], places: &Places<'_>, sets: &mut Sets) -> bool {
    // The lines of each set in each file.
    let mut reach: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for edit in &node.change.edits {
            let first = places.position(node.file, edit.span.start).line;
            let last = places.position(node.file, edit.span.end).line;
            let lines = reach
                .entry((node.file, sets.of(index)))
                .or_insert((first, last));
            *lines = (lines.0.min(first), lines.1.max(last));
        }
    }
    let mut sorted: Vec<_> = reach
        .into_iter()
        .map(|((file, set), (first, last))| (file, first, last, set))
        .collect();
    sorted.sort_unstable();
    let mut joined = false;
    let mut before: Option<(usize, usize, usize)> = None;
    for (file, first, last, set) in sorted {
        before = match before {
            Some((same, end, other)) if same == file && first <= end => {
                joined |= sets.join(other, set);
                Some((file, end.max(last), set))
            }
            _ => Some((file, last, set)),
        };
    }
    joined
}

/// The part that these changes make in a file.
fn part<'p>(file: usize, text: &str, changes: &[&'p Change]) -> Option<Part<'p>> {
    let mut edits: Vec<&Edit> = changes.iter().flat_map(|change| &change.edits).collect();
    edits.sort_by_key(|edit| edit.span);
    let start = edits.first()?.span.start;
    let mut end = start;
    let mut new = String::new();
    for edit in &edits {
        new.push_str(text.get(end..edit.span.start)?);
        new.push_str(&edit.text);
        end = edit.span.end;
    }
    Some(Part {
        file,
        span: Span::new(start, end),
        text: new,
        edits,
        first: changes.first()?,
    })
}

/// Disjoint sets, each known by its smallest member.
struct Sets {
    above: Vec<usize>,
}

impl Sets {
    fn new(size: usize) -> Self {
        Self {
            above: (0..size).collect(),
        }
    }

    fn of(&mut self, mut member: usize) -> usize {
        while self.above[member] != member {
            self.above[member] = self.above[self.above[member]];
            member = self.above[member];
        }
        member
    }

    /// Makes one of two sets; whether they were two.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let sets = BTreeSet::from([self.of(one), self.of(other)]);
        if let (Some(&first), Some(&last)) = (sets.first(), sets.last()) {
            self.above[last] = first;
        }
        sets.len() == 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_joined_and_known_by_their_smallest_member() {
        let mut sets = Sets::new(6);
        assert!(sets.join(4, 5));
        assert!(sets.join(2, 4));
        assert!(!sets.join(5, 2));
        let of: Vec<usize> = (0..6).map(|member| sets.of(member)).collect();
        assert_eq!(of, [0, 1, 2, 3, 2, 2]);
    }
}
