//! Renders the templates of Helm charts in memory.
//!
//! A Go-template interpreter with the functions Helm gives its templates. It is exact where it
//! answers, and says so where it does not: an unknown function or a broken template leaves its
//! file in [`Rendered::unread`]. Nothing of a chart can make it hang or run out of stack: steps,
//! text and nesting are bounded.
//!
//! [`Mode::EveryBranch`] renders both sides of the choices of a template file, which brings out
//! what the given values leave out. Of `{{ if REGISTRY }}`, where one is set, only the side with it.

mod chart;
mod eval;
mod funcs;
mod ignored;
mod json;
mod lex;
mod limits;
mod objects;
mod parse;
mod print;
mod scalar;
mod scene;
mod schema;
mod semver;
mod trace;
mod value;
mod values;
mod versions;
mod yaml_read;
mod yaml_write;

pub use chart::{Chart, Mode, Release, Rendered};
pub(crate) use funcs::hashes::{base64, from_base64};
pub use scene::Traced;
pub use semver::newest;
pub use yaml_read::{read as read_yaml, read_nth as read_yaml_document};

/// What stands in the rendered text for an action that could not be read, when every branch is
/// rendered.
pub const MARK: &str = eval::MARK;
