//! Properties of every plan, over generated YAML streams and generated repositories.
//!
//! `ECR_REWRITE_ROUNDS` says how many cases each test makes (the long form: 100000);
//! `ECR_REWRITE_CASE` makes one alone, by its number. A case that fails is made smaller first, and
//! printed together with its number.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures are for who runs it

#[path = "properties/case.rs"]
mod case;
mod common;
#[path = "properties/on_disk.rs"]
mod on_disk;
#[path = "properties/properties.rs"]
mod properties;
#[path = "properties/references.rs"]
mod references;
#[path = "properties/renderings.rs"]
mod renderings;
#[path = "properties/repositories.rs"]
mod repositories;
#[path = "properties/streams.rs"]
mod streams;

use case::{Case, Fault, outcome, shrunk};
use common::numbers::{Numbers, rounds};
use properties::{Seen, check, check_repository};
use rayon::prelude::*;

/// Makes cases and checks each; what was seen of all of them.
fn hunt(
    usual: usize,
    case: impl Fn(&mut Numbers) -> Case + Sync,
    check: impl Fn(&Case) -> Result<Seen, Fault> + Sync,
) -> (usize, Seen) {
    let alone = std::env::var("ECR_REWRITE_CASE").ok();
    let alone = alone.map(|number| number.parse::<usize>().expect("ECR_REWRITE_CASE: a number"));
    let rounds = rounds(usual);
    let all = alone.map_or(0..rounds, |number| number..number + 1);
    let failed = all.clone().into_par_iter().map(|number| {
        let case = case(&mut Numbers::new(number as u64));
        outcome(&case, &check).map_err(|fault| (number, case, fault))
    });
    let seen = failed.try_reduce(Seen::default, |one, other| Ok(one.and(other)));
    match seen {
        Ok(seen) => (all.len(), seen),
        Err((number, case, fault)) => {
            let (small, smaller) = shrunk(case.clone(), fault.clone(), &check);
            panic!(
                "case {number}: {} does not hold: {}\n{small}\n(ECR_REWRITE_CASE={number}; whole: {}\n{case})",
                fault.property, smaller.what, fault.what
            );
        }
    }
}

#[test]
fn streams_keep_every_promise() {
    let (cases, seen) = hunt(1_500, streams::stream, check);
    println!("{cases} streams: {seen:?}");
    if cases > 1_000 {
        assert!(seen.changed * 2 > cases, "most streams should change");
        assert!(seen.compared * 3 > cases && seen.images > cases);
    }
}

#[test]
fn repositories_keep_every_promise() {
    let (cases, seen) = hunt(600, repositories::repository, check_repository);
    println!("{cases} repositories: {seen:?}");
    if cases > 500 {
        assert!(seen.changed * 2 > cases && seen.grouped * 2 > cases);
        assert!(
            seen.moved * 3 > seen.rendered,
            "a third of the images should move"
        );
    }
}

#[test]
fn groups_are_written_whole_or_not_at_all() {
    let (cases, seen) = hunt(60, repositories::repository, on_disk::check);
    println!("{cases} repositories on disk: {seen:?}");
    if cases > 50 {
        assert!(seen.changed * 2 > cases && seen.moved > cases);
    }
}

#[test]
fn what_is_converted_can_be_reverted() {
    let (cases, seen) = hunt(3_000, references::references, references::check);
    println!("{cases} sets of rules: {seen:?}");
    if cases > 1_000 {
        assert!(seen.moved > cases, "most references should have a rule");
    }
}
