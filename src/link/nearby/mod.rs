//! Which files of the context a run has to know: those that hang together with what was asked for.
//!
//! One file of a large repository is checked before every commit; reading all others as a whole would make
//! everybody wait for sites that are never asked for. So the context is looked at in two steps. First a
//! `glance` at the words of each file: one that may speak of others in a way that only reading it tells is
//! read at once; a plain one says by its words which files it names. Then [`Nearby`] follows what names what,
//! from the files that were asked for, and says which of the plain ones have to be read, too. What is never
//! reached is known to be there and holds nothing, as far as the run is concerned.
//!
//! What blocks an image may be seen in part; what moves together with it has to be seen as a whole. Where
//! that cannot be told from a part of the repository, everything is read.

mod glance;
mod places;
mod reach;
mod ties;

pub use glance::{Glance, glance};
pub use places::Places;
pub use reach::{Nearby, Wanted};
