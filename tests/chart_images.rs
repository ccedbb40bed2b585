//! The built-in table of charts against an independent reading of the same charts: each place of an image
//! that it lists is known, and a name without a host becomes there what that reading says.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout)] // figures are for who runs it

use std::fs;
use std::path::PathBuf;

use ecr_rewrite::helm::join::joined;
use ecr_rewrite::helm::table::{Published, Table};
use ecr_rewrite::helm::{Join, Known, ValuePath};
use serde_json::Value;

/// A name that says no registry.
const NAME: &str = "acme/zq";

/// Places that differ, with the reason.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "argo-cd",
        "redis-ha.exporter",
        "the chart that it is of is a stub in the package",
    ),
    (
        "argo-cd",
        "redis-ha.haproxy.image",
        "the chart that it is of is a stub in the package",
    ),
    (
        "argo-cd",
        "redis-ha.image",
        "the chart that it is of is a stub in the package",
    ),
    (
        "argo-workflows",
        "images",
        "a tag for several images; it names none",
    ),
    (
        "datadog",
        "operator.image",
        "a chart brings it whose templates put a registry of their own in front: the table says that it is not known",
    ),
    (
        "datadog",
        "otelAgentGateway.image",
        "not rendered when the row was learned: the table says so",
    ),
    (
        "gpu-operator",
        "draDriver",
        "not rendered when the row was learned: the table says so",
    ),
    (
        "grafana",
        "testFramework.image",
        "not rendered when the row was learned: the table says so",
    ),
    (
        "istiod",
        ".",
        "the default of its registry is not among the values: the table says that it is not known",
    ),
    (
        "istiod",
        "global",
        "a registry for several images; it names none",
    ),
    (
        "istiod",
        "global.proxy.image",
        "read by the injector at run time: the table says that it was not rendered",
    ),
    (
        "istiod",
        "global.proxy_init.image",
        "read by the injector at run time: the table says that it was not rendered",
    ),
    (
        "velero",
        "kubectl.image",
        "not rendered when the row was learned: the table says so",
    ),
];

/// One place of an image, as the other reading has it.
struct Place<'p> {
    chart: &'p str,
    path: &'p str,
    class: &'p str,
    image: &'p Value,
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_table_agrees_with_an_independent_reading() {
    let shared =
        PathBuf::from(std::env::var("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED is set"));
    let text = fs::read_to_string(shared.join("data/chart-images.json")).unwrap();
    let charts: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut places, mut libraries, mut joined, mut differ) = (0, 0, 0, Vec::new());
    for chart in &charts {
        let name = chart["name"].as_str().unwrap();
        let rows = Table::built_in().find_by_name(name);
        let version = chart["version"].as_str().unwrap();
        let row = rows.into_iter().find(|row| row.version == version);
        let is_library = chart["type"] == "library";
        for image in chart["images"].as_array().unwrap() {
            // A library has no row: it renders nothing by itself.
            if is_library {
                libraries += 1;
                continue;
            }
            places += 1;
            let place = Place {
                chart: chart["dir"].as_str().unwrap(),
                path: image["path"].as_str().unwrap(),
                class: image["class"].as_str().unwrap(),
                image,
            };
            match row.map_or(Err("no row".to_string()), |row| compare(row, &place)) {
                Ok(judged) => joined += usize::from(judged),
                Err(why) => differ.push((place.chart, place.path, why)),
            }
        }
    }
    println!(
        "{places} places and {libraries} of libraries, of {joined} the name was made; {} differ",
        differ.len()
    );
    let is_explained = |chart: &str, path: &str| {
        EXPLAINED
            .iter()
            .any(|(known, at, _)| (*known, *at) == (chart, path))
    };
    let unexplained = differ
        .iter()
        .filter(|(chart, path, _)| !is_explained(chart, path));
    let unexplained: Vec<String> = unexplained
        .map(|(chart, path, why)| format!("{chart} {path}: {why}"))
        .collect();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    assert!(joined > 200, "only {joined} names were made");
    assert_eq!(
        differ.len(),
        EXPLAINED.len(),
        "an explanation is of no use any more"
    );
}

/// Whether a name was made and compared; why the two readings differ.
fn compare(row: &Published, place: &Place<'_>) -> Result<bool, String> {
    // The reading knows lists of keys by other signs, and the root as a dot.
    let path = place
        .path
        .replace("(containers|initContainers)", "containers");
    let path = match path.trim_matches('.') {
        "" => ValuePath(Vec::new()),
        path => ValuePath::parse(path).ok_or("no path")?,
    };
    let is_there = |read: &&ValuePath| read.0.starts_with(&path.0) || read.matched(&path).is_some();
    let reads = |join: &&Join| join.reads().iter().any(is_there);
    let mut joins = row.joins.iter().filter(reads);
    let Some(join) = joins.next() else {
        return Err("nothing reads it".to_string());
    };
    let own = &row.known();
    let front = match place.class {
        "repository-only" => String::new(),
        "joins-registry-default" => match place.image["keys"]["registry"].as_str() {
            Some(registry) if !registry.is_empty() => format!("{registry}/"),
            _ => return Ok(false),
        },
        _ => return Ok(false),
    };
    let repository = path.child("repository");
    if !join.reads().contains(&&repository) {
        return Ok(false);
    }
    let made = made(join, own, &repository);
    let wanted = format!("{front}{NAME}");
    if made == wanted {
        Ok(true)
    } else {
        Err(format!("`{made}` instead of `{wanted}`"))
    }
}

/// What a join makes of the name, with the chart's other values.
fn made(join: &Join, known: &Known, repository: &ValuePath) -> String {
    let text = |path: &ValuePath| {
        let text = if path == repository {
            NAME
        } else {
            known.default_of(path)
        };
        text.to_string()
    };
    join.pieces(text)
        .map(|pieces| joined(&pieces))
        .unwrap_or_default()
}
