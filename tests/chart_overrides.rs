//! Overrides of what learned charts have as images, each rewritten alone and rendered by the real Helm
//! before and after: what is changed renders as the rules say, and nothing else differs.
//!
//! What a reference has to become is said once more in `common/ecr.rs`, so that a mistake of the
//! program cannot prove itself right.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![allow(unreachable_pub)] // modules of one test

#[path = "chart_overrides/bases.rs"]
mod bases;
#[path = "chart_overrides/charts.rs"]
mod charts;
mod common;
#[path = "../examples/learn-charts/chart.rs"]
#[allow(dead_code, clippy::format_collect)] // the test has a Helm of its own
mod learn_charts;
#[path = "chart_overrides/overrides.rs"]
mod overrides;
#[path = "chart_overrides/own.rs"]
mod own;
#[path = "chart_overrides/places.rs"]
mod places;
#[path = "chart_overrides/proof.rs"]
mod proof;
#[path = "chart_overrides/releases.rs"]
mod releases;
#[path = "chart_overrides/tally.rs"]
mod tally;

use std::fs;
use std::path::{Path, PathBuf};

use charts::Chart;
use common::helm::Helm;
use proof::Proof;
use rayon::prelude::*;
use tally::Tally;

/// Percent of the overrides of each learned chart, in one layer, that change for certain, where a rule maps
/// their image.
const FLOOR: usize = 90;

/// Charts of every way to make names; `ECR_REWRITE_CHARTS=all` takes all, which takes an hour.
const SAMPLE: &str = "alertmanager,alloy,bitnami-cassandra,bitnami-postgresql,cert-manager,flux2,grafana,\
                      ingress-nginx,kube-state-metrics,metrics-server,nats,podinfo,velero";

#[test]
#[ignore = "needs ECR_REWRITE_SHARED and helm"]
fn overrides_of_learned_charts_render_as_the_rules_say() {
    let Some(helm) = Helm::find() else {
        return;
    };
    let charts = learned(&common::charts());
    assert!(!charts.is_empty(), "no chart at hand is in the table");
    let tallies: Vec<(String, Tally)> = charts
        .par_iter()
        .with_max_len(1)
        .map(|chart| {
            let tally = Proof::new(&helm, chart).tally();
            print!("{}", tally.faults(&chart.name()));
            (chart.name(), tally)
        })
        .collect();
    let all = print(&tallies);
    let is_low = |(_, tally): &&(String, Tally)| tally.share() < FLOOR;
    let low = tallies.iter().filter(is_low);
    let low = low.map(|(name, tally)| format!("{name}: {} %", tally.share()));
    let low: Vec<String> = low.collect();
    assert!(
        all.wrong.is_empty() && all.stopped.is_empty() && low.is_empty(),
        "{} certain changes render wrongly, {} were stopped by the program's own check or changed by a \
         second run (all told above), and fewer are certain than may be of: {}",
        all.wrong.len(),
        all.stopped.len(),
        low.join(", "),
    );
}

/// The learned charts that are at hand; `ECR_REWRITE_CHARTS=grafana,alloy` names the wanted ones.
fn learned(folder: &Path) -> Vec<Chart> {
    let sources = include_str!("../examples/learn-charts/sources.yaml");
    let sources = learn_charts::sources(sources);
    let only = std::env::var("ECR_REWRITE_CHARTS").unwrap_or_else(|_| SAMPLE.to_string());
    let is_wanted =
        |chart: &Chart| only == "all" || only.split(',').any(|name| name == chart.name());
    let entries = fs::read_dir(folder).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: &PathBuf| Chart::read(folder, &sources);
    let charts: Vec<Chart> = folders.par_iter().filter_map(read).collect();
    let has_places = |chart: &Chart| !chart.row.joins.is_empty();
    charts
        .into_iter()
        .filter(|chart| has_places(chart) && is_wanted(chart))
        .collect()
}

/// Prints the figures of each chart, and gives those of all.
fn print(tallies: &[(String, Tally)]) -> Tally {
    println!("{}", Tally::head());
    let mut all = Tally::default();
    for (name, tally) in tallies {
        println!("{}", tally.row(name));
        all.add(tally);
    }
    println!("{}", all.row(&format!("**{} charts**", tallies.len())));
    for (said, count) in &all.said {
        println!("the program says: {count} × {said}");
    }
    for (said, count) in &all.without_leave {
        println!("without leave: {count} × {said}");
    }
    println!("no render shows: {}", all.hidden.join(", "));
    println!("Helm rendered {} times", all.renders);
    all
}
