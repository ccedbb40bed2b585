//! Where findings stand, in the units that formats count in.

use std::collections::BTreeMap;
use std::path::Path;

use super::Report;
use crate::findings::Finding;
use crate::source::{Lines, Position, Span};

/// A place as line and byte of the line, both counted from 1; a byte order mark counts as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BytePosition {
    pub(super) line: usize,
    pub(super) byte: usize,
}

/// The lines of the files of a plan.
pub(super) struct Places<'r> {
    lines: Vec<Lines<'r>>,
    by_path: BTreeMap<&'r Path, usize>,
}

impl<'r> Places<'r> {
    pub(super) fn of(report: &Report<'r>) -> Self {
        let files = report.plan.files.iter();
        let by_path = files.clone().enumerate();
        Self {
            lines: files.map(|file| Lines::new(&file.source.text)).collect(),
            by_path: by_path
                .map(|(index, file)| (file.source.path.as_path(), index))
                .collect(),
        }
    }

    /// The file of a finding in the plan; none for one that has no images.
    fn file(&self, finding: &Finding) -> Option<usize> {
        let known = finding.site.map(|(file, _)| file);
        known.or_else(|| self.by_path.get(finding.path.as_path()).copied())
    }

    /// Where a finding ends; where it begins, when its file is not at hand.
    pub(super) fn end(&self, finding: &Finding) -> Position {
        let file = self.file(finding);
        file.map_or(finding.at, |file| self.position(file, finding.span.end))
    }

    /// The beginning and end of a finding in bytes; none when its file is not at hand.
    pub(super) fn bytes_of(&self, finding: &Finding) -> Option<(BytePosition, BytePosition)> {
        self.file(finding)
            .map(|file| self.bytes(file, finding.span))
    }

    /// The place of a byte of a file.
    pub(super) fn position(&self, file: usize, offset: usize) -> Position {
        self.lines[file].position(offset)
    }

    /// The beginning and end of a range of a file in bytes.
    pub(super) fn bytes(&self, file: usize, span: Span) -> (BytePosition, BytePosition) {
        let at = |offset: usize| {
            let line = self.position(file, offset).line;
            let byte = offset - self.lines[file].start(line) + 1;
            BytePosition { line, byte }
        };
        (at(span.start), at(span.end))
    }
}
