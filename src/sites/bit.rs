//! A piece of a scalar's text: a name in `name=reference`, a reference in `--image=reference`.

use std::ops::Range;

use crate::source::Span;
use crate::yaml::{Document, Inside, NodeId, Place, Scalar, Style, ends_in_blanks};

/// A piece of a scalar's text.
#[derive(Clone, Debug)]
pub struct Bit {
    /// The scalar.
    pub scalar: Scalar,
    /// The bytes of its value, 0-based.
    pub range: Range<usize>,
    /// Where they are in the file.
    pub place: Place,
}

impl Bit {
    /// All of a scalar.
    pub(super) fn whole(scalar: Scalar) -> Self {
        let range = 0..scalar.value.len();
        Self::of(scalar, range)
    }

    /// Bytes of a scalar that stands in the file as it is.
    pub(super) fn of(scalar: Scalar, range: Range<usize>) -> Self {
        let place = match scalar.place {
            Place::Exact(span) => {
                Place::Exact(Span::new(span.start + range.start, span.start + range.end))
            }
            Place::Spelled(span) => Place::Spelled(span),
        };
        Self {
            scalar,
            range,
            place,
        }
    }

    /// Bytes of the scalar `id`, which may have several lines: those of a block scalar stand in the
    /// file one by one. `None` when it is no scalar.
    pub(super) fn within(
        text: &str,
        document: &Document<'_>,
        id: NodeId,
        range: Range<usize>,
    ) -> Option<Self> {
        let scalar = Scalar::locate(text, document, id)?;
        let bit = Self::of(scalar, range);
        if let Place::Exact(span) = bit.scalar.place {
            let is_block = matches!(bit.scalar.style, Style::Literal | Style::Folded);
            let end = span.start + bit.scalar.value.trim_end().len();
            if is_block && ends_in_blanks(text, document, end) {
                let place = Place::Spelled(span);
                return Some(Self { place, ..bit });
            }
            return Some(bit);
        }
        let place = Inside::of(text, document, id).and_then(|inside| inside.place(&bit.range));
        let is_it = |span: &Span| span.of(text) == Some(bit.text());
        let place = place.filter(is_it).map_or(bit.place, Place::Exact);
        Some(Self { place, ..bit })
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.scalar.value.get(self.range.clone()).unwrap_or("")
    }

    /// The bytes of the file; those of the whole scalar when it is spelled in another way.
    pub fn span(&self) -> Span {
        self.place.span()
    }
}
