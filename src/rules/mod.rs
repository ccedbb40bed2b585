//! Rules: which upstream lives under which ECR prefix, and what that makes of an image.
//!
//! A [`RuleSet`] is everything that decides one image for one target: the registry, the rules, the
//! aliases of vendor hosts and the images that are allowed to stay. [`RuleSet::decide`] is a pure
//! function from a reference to a [`Verdict`]; it knows nothing of files.

mod beginning;
mod decide;
pub mod ecr_host;
pub mod export;
pub mod import;
mod inspect;
pub mod learn;
pub mod official;
mod revert;
mod rule;
mod set;
mod targets;
#[cfg(test)]
mod trial;
pub mod upstreams;

pub use decide::Verdict;
pub use ecr_host::EcrHost;
pub use inspect::{Cached, Place};
pub use revert::RevertError;
pub use rule::{Library, Origin, Rule, RuleError, azure_rule, default_rules};
pub use set::{Allow, RuleSet};
pub use targets::Targets;
pub(crate) use targets::matching;
