//! Rewrites the container image references of a GitOps repository to Amazon ECR pull-through-cache
//! paths, changes nothing else in any file, and gives a reason for every image it leaves alone.
//!
//! The modules, in the order in which data flows through them. Each imports only modules above it
//! in this list:
//!
//! * the ground: [`reason`] (why something stays), [`source`] (a file and its bytes), [`edit`]
//!   (replacements), [`globs`], [`image`] (references), [`yaml`] (documents as positions),
//!   [`process`] (other programs), [`rules`] (what becomes of an image), [`walk`] (which files), [`verify`] (the second opinion)
//! * [`sites`]: finders, which say where images are named; [`ignores`]: comments that say which to
//!   leave alone
//! * [`scan`]: a file becomes documents, sites and facts
//! * [`link`]: the facts of all files become groups and constraints
//! * [`plan`]: sites, rules and groups become changes and skips, verified
//! * [`findings`]: what a check has to say of the plan; [`inventory`]: its images, each once
//! * [`prove`]: the real Helm and kustomize show what the plan does
//! * [`report`] and [`write`](mod@write): the plan is printed or carried out, group by group
//! * [`config`], [`settings`] and [`cli`]: what the user wants
//!
//! As a library, [`plan::plan_text`] plans one text, and [`rules::RuleSet::decide`] one reference;
//! neither touches a file, the environment or a thread.

pub mod cli;
pub mod config;
pub mod edit;
pub mod findings;
pub mod globs;
pub mod helm;
pub mod ignores;
pub mod image;
pub mod inventory;
pub mod link;
pub mod plan;
pub mod process;
pub mod prove;
pub mod reason;
pub mod report;
pub mod rules;
pub mod scan;
pub mod settings;
pub mod sites;
pub mod source;
pub mod verify;
pub mod walk;
pub mod words;
pub mod write;
pub mod yaml;
