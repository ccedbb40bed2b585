//! Rules from the real world: read from AWS and infrastructure code, shown, and written as code that the
//! tools of others take.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // skips are for who runs it

mod common;

#[path = "rules/aws.rs"]
mod aws;
#[path = "rules/code.rs"]
mod code;
#[path = "rules/docs.rs"]
mod docs;
#[path = "rules/house.rs"]
mod house;
#[path = "rules/import.rs"]
mod import;
#[path = "rules/stub.rs"]
mod stub;
#[path = "rules/used.rs"]
mod used;
