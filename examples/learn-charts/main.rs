//! Writes the table of well-known charts: `cargo run --example learn-charts -- CHART_DIR... > src/helm/charts.txt`.
//!
//! Renders each chart with the real `helm` (found in `PATH`, or named by `HELM`), without a network.
//! What a directory does not say (where a chart is published, values without which it renders nothing)
//! stands in `sources.yaml` beside this file.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::use_debug,
    clippy::format_collect,
    unreachable_pub
)]

mod chart;
mod row;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chart::Source;

/// Charts rendered at the same time.
const WORKERS: usize = 6;

fn main() {
    let (flags, dirs): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|arg| arg.starts_with("--"));
    let mut dirs: Vec<PathBuf> = dirs.into_iter().map(PathBuf::from).collect();
    dirs.sort();
    let sources: Vec<Source> = chart::sources(include_str!("sources.yaml"));
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(dir) = dirs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match row::of(dir, &sources) {
                        Ok(row) => rows.lock().unwrap().push(row),
                        Err(why) => eprintln!("{}: {why}", dir.display()),
                    }
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| row.key.clone());
    if flags.iter().any(|flag| flag == "--report") {
        rows.iter().for_each(|row| println!("{}", row.report));
        return;
    }
    print!("{}", include_str!("head.txt"));
    let worth = rows.iter().filter(|row| row.says_something);
    worth.for_each(|row| print!("\n{}", row.text));
    print!("\n{}", include_str!("families.txt"));
}
