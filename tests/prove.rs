//! `prove`: what the real tools render before and after a rewrite, and each kind of fault that it has to
//! find.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![allow(unreachable_pub)] // modules of one test

#[path = "prove/at_hand.rs"]
mod at_hand;
#[path = "prove/bench.rs"]
mod bench;
#[cfg(unix)]
#[path = "prove/command.rs"]
mod command;
mod common;
#[path = "prove/corpus.rs"]
mod corpus;
#[path = "prove/docs.rs"]
mod docs;
#[cfg(unix)]
#[path = "prove/engines.rs"]
mod engines;
#[path = "prove/faults.rs"]
mod faults;
#[path = "prove/releases.rs"]
mod releases;
#[path = "prove/report.rs"]
mod report;
