//! YAML as positions: documents, nodes and scalars with the bytes they stand at.
//!
//! `parse` is the only module that names the parser engine; everything above works with the
//! [`Document`] made here. Nothing in the project serialises YAML.

mod document_path;
mod inside;
mod parse;
mod scalar;

pub use document_path::{DocumentPath, MAX_DEPTH};
pub use inside::{Inside, Wrapping};
pub use parse::{
    Document, Documents, Entry, Kind, Node, NodeId, Style, YamlError, comments, documents,
};
pub use scalar::{Place, PlainType, Scalar, plain_type};
