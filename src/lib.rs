//! Rewrites the container image references of a GitOps repository to Amazon ECR pull-through-cache
//! paths, changes nothing else in any file, and gives a reason for every image it leaves alone.
//!
//! The modules, in the order in which data flows through them. Each imports only modules above it
//! in this list:
//!
//! * the ground: [`reason`] (why something stays), [`source`] (a file and its bytes), [`globs`], [`image`]
//!   (references), [`process`] (other programs), [`words`] (a search for many at once, and the one that was
//!   meant)
//! * on it: [`edit`] (replacements), [`yaml`] (documents as positions), [`walk`] (which files)
//! * [`rules`]: what becomes of an image; [`verify`]: the second opinion; [`ignores`]: comments that say
//!   which sites to leave alone; [`helm`]: how charts make the names of their images
//! * [`sites`]: finders, which say where images are named
//! * [`scan`]: a file becomes documents, sites and facts
//! * [`link`]: the facts of all files become groups and constraints
//! * [`plan`]: sites, rules and groups become changes and skips, verified
//! * [`findings`]: what a check has to say of the plan; [`inventory`]: its images, each once
//! * [`prove`]: the real Helm and kustomize show what the plan does
//! * [`report`] and [`write`](mod@write): the plan is printed or carried out, group by group
//! * [`config`], [`settings`] and [`cli`]: what the user wants
//!
//! # As a library
//!
//! [`plan::plan_text`] plans one text, [`rules::RuleSet::decide`] decides one reference, and
//! [`image::ImageRef`] is what a reference says; [`rules::import`] reads rules from where they stand. None of
//! them touches a file, the environment or a thread, or knows of a command line. The binary is the stable
//! interface: what is public here may change with any version.
//!
//! ```
//! use ecr_rewrite::plan::plan_text;
//! use ecr_rewrite::rules::{EcrHost, Rule, RuleSet};
//!
//! let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?;
//! let (rules, _) = RuleSet::new(Some(registry), vec![Rule::parse_flag("quay.io=quay")?]);
//! let text = "\
//! apiVersion: v1
//! kind: Pod
//! spec:
//!   containers:
//!   - image: quay.io/acme/app:1   # ours
//!   - image: ghcr.io/acme/side:2
//! ";
//! let plan = plan_text("pod.yaml", text, rules);
//! let file = &plan.files[0];
//! assert_eq!(file.changes.len(), 1);
//! let after = file.after.as_deref().unwrap_or(text);
//! assert!(after.contains("amazonaws.com/quay/acme/app:1   # ours"));
//! // What stays has a reason.
//! assert_eq!(file.skips[0].reason.code(), "no-rule");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
