//! ecr-rewrite
pub mod edit;
pub mod reason;
pub mod source;
pub mod yaml;
