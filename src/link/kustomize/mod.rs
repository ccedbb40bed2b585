//! Kustomize: what is built from what, and which images are named on the way.

mod builds;
mod copied;
mod flow;
mod making;
mod names;
mod pattern;

pub use builds::{Builder, Builds, End, EntryId, Named};
pub(super) use copied::copied_fields;
pub use flow::{Built, Flow, Given, Provider, Run, Segment};
pub(super) use making::is_image_field;
pub(super) use names::NameSet;
pub use pattern::Pattern;
