//! ecr-rewrite
pub mod config;
pub mod edit;
pub mod globs;
pub mod image;
pub mod link;
pub mod plan;
pub mod reason;
pub mod report;
pub mod rules;
pub mod scan;
pub mod settings;
pub mod sites;
pub mod source;
pub mod verify;
pub mod walk;
pub mod write;
pub mod yaml;
