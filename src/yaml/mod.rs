//! YAML as positions: documents, nodes and scalars with the bytes they stand at.
//!
//! `parse` is the only module that names the parser engine; everything above works with the
//! [`Document`] made here. A template is parsed with its actions masked ([`Masked`]), and its documents
//! show the template's own bytes again. Nothing in the project serialises YAML.

mod actions;
mod document_path;
mod inside;
mod mask;
mod parse;
mod reading;
mod scalar;
mod stream;

pub use actions::{Actions, Around};
pub use document_path::{DocumentPath, MAX_DEPTH};
pub use inside::{Inside, Wrapping, ends_in_blanks};
pub use mask::{Branches, Masked, action_texts};
pub use parse::{
    Document, Documents, Entry, Kind, Node, NodeId, SEVERAL, Style, YamlError, comments, documents,
    documents_where, ends_within_line,
};
pub use reading::Reading;
pub use scalar::{Place, PlainType, Scalar, plain_type};
