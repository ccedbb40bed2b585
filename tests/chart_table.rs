//! The built-in table says what the real Helm renders: charts learned again give the same rows.

#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

use std::process::Command;

/// `CHART_DIRS` names chart directories, apart by spaces; `helm` is found in `PATH` or by `HELM`.
#[test]
#[ignore = "needs helm and chart directories"]
fn charts_learned_again_give_the_same_rows() {
    let Ok(dirs) = std::env::var("CHART_DIRS") else {
        println!("SKIPPED: CHART_DIRS names no chart directories");
        return;
    };
    let out = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "learn-charts", "--"])
        .args(dirs.split_whitespace())
        .output()
        .expect("the tool runs");
    let text = String::from_utf8(out.stdout).expect("the table is text");
    let known: Vec<&str> = include_str!("../src/helm/charts.txt")
        .split("\n\n")
        .map(str::trim)
        .collect();
    let rows: Vec<&str> = text
        .split("\n\n")
        .map(str::trim)
        .filter(|row| row.starts_with("chart "))
        .collect();
    assert!(!rows.is_empty(), "nothing was learned");
    for row in rows {
        assert!(
            known.contains(&row),
            "the table does not have this row:\n{row}"
        );
    }
}
