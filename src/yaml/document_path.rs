//! Where a document stands in a file: in its stream, or in a text of another document.
//!
//! A config map can hold a file that holds a list that holds another file. What is known of a scalar
//! is kept by its document and its place there, so a document needs a name that is its own however
//! deep it lies.

use super::reading::Reading;

/// Texts in texts are read so far: a patch in a transformer in a kustomization.
pub const MAX_DEPTH: usize = 3;

/// The way to a document of a file. The first scalars of two documents of one file are told apart by
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentPath {
    reading: Reading,
    stream: usize,
    steps: [Option<Step>; MAX_DEPTH],
}

/// One step into a text that holds documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Step {
    ordinal: usize,
    index: usize,
}

impl DocumentPath {
    /// The document `index` (0-based) of the file's own stream.
    pub fn of_stream(index: usize) -> Self {
        Self {
            stream: index,
            ..Self::default()
        }
    }

    /// The document `index` (0-based) of the text that the scalar `ordinal` of this document holds;
    /// `None` when that is too deep.
    pub fn inside(self, ordinal: usize, index: usize) -> Option<Self> {
        let mut inner = self;
        *inner.steps.iter_mut().find(|step| step.is_none())? = Some(Step { ordinal, index });
        Some(inner)
    }

    /// The same place in a file that is read in this way.
    #[must_use]
    pub fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// How the file is read.
    pub fn reading(self) -> Reading {
        self.reading
    }

    /// The document of the file's stream that it is or lies in, 0-based.
    pub fn stream(self) -> usize {
        self.stream
    }

    /// Whether it is the first one of the file's own stream.
    pub fn is_first(self) -> bool {
        self == Self::default().read_as(self.reading)
    }

    /// Whether it lies in a text of another document.
    pub fn is_inside(self) -> bool {
        self.steps[0].is_some()
    }

    /// The scalar (by its ordinal in the file's own document) and the document in its text through
    /// which the way leads, and the rest of the way, as seen from that text. `None` for a document
    /// of the stream itself.
    pub fn split(self) -> Option<(usize, Self)> {
        let first = self.steps[0]?;
        let mut rest = Self::of_stream(first.index).read_as(self.reading);
        for (to, from) in rest.steps.iter_mut().zip(&self.steps[1..]) {
            *to = *from;
        }
        Some((first.ordinal, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_in_is_split_as_it_was_made() {
        let outer = DocumentPath::of_stream(2);
        assert_eq!(
            (outer.stream(), outer.is_inside(), outer.split()),
            (2, false, None)
        );
        let inner = outer.inside(7, 1).unwrap().inside(3, 0).unwrap();
        assert_eq!((inner.stream(), inner.is_inside()), (2, true));
        let rest = DocumentPath::of_stream(1).inside(3, 0).unwrap();
        assert_eq!(inner.split(), Some((7, rest)));
        assert_eq!(rest.split(), Some((3, DocumentPath::of_stream(0))));
        assert!(outer < inner && inner < DocumentPath::of_stream(3));
    }

    #[test]
    fn too_deep_is_no_way() {
        let deep = DocumentPath::default()
            .inside(0, 0)
            .and_then(|path| path.inside(0, 0));
        let deepest = deep.and_then(|path| path.inside(0, 0)).unwrap();
        assert_eq!(deepest.inside(0, 0), None);
    }
}
