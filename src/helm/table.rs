//! The built-in table of well-known charts: how they make the names of their images, learned with the
//! real Helm (`cargo run --example learn-charts`).
//!
//! `charts.txt` holds a row for each chart, rows apart by an empty line. The lines of a row:
//!
//! ```text
//! chart NAME VERSION SHA256       of what the package holds: see the tool
//! family NAME-OR-*                instead of `chart`: nothing in it was learned from this very chart
//! at ADDRESS                      a repository that publishes it
//! refuses-others                  other images only with `global.security.allowInsecureImages: true`
//! join JOIN                       a join; `&` in it stands for the place of an image:
//!   PLACE KEY=TEXT...             such a place (`.` is the root) and the defaults below it
//! default PATH=TEXT               the default of a value
//! literal IMAGE TEMPLATE          an image that no value changes
//! unknown PATH: WHY               a place of which nothing is known
//! ```
//!
//! A value that a row's joins read and that has no default there is empty.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use super::join::{Join, ValuePath};
use super::known::Known;

/// A row: what is known of a published chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Its name; `*` in a row for a whole repository.
    pub name: String,
    /// The version that was learned.
    pub version: String,
    /// The hash of what was learned: sha256, hexadecimal; empty in a row for a whole repository.
    pub hash: String,
    /// The repositories that publish it.
    pub repositories: Vec<String>,
    /// Whether it is the general form of a whole repository, not learned from this very chart.
    pub is_family: bool,
    /// How the names of its images are made.
    pub joins: Vec<Join>,
    /// The defaults of the values that the joins read; what is not here is empty.
    pub defaults: BTreeMap<ValuePath, String>,
    /// Whether it refuses other images unless `global.security.allowInsecureImages` is true.
    pub refuses_others: bool,
    /// Images that no value changes, each with its template.
    pub literal: Vec<(String, String)>,
    /// Places of which nothing is known, and why.
    pub unknown: Vec<(ValuePath, String)>,
}

/// A table of charts; rows are read when they are asked for.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    /// Comparable: without scheme and trailing slash.
    addresses: Vec<String>,
    text: &'static str,
    known: OnceLock<Published>,
}

/// The name in the row of a whole repository.
const ANY: &str = "*";

impl Table {
    /// The built-in table.
    pub fn built_in() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self::of(include_str!("charts.txt")))
    }

    fn of(text: &'static str) -> Self {
        let rows = text.split("\n\n").filter_map(|text| {
            let mut lines = text.trim_start().lines();
            let name = lines
                .next()
                .and_then(|line| line.strip_prefix("chart ").or(line.strip_prefix("family ")))?;
            let addresses = lines
                .filter_map(|line| line.strip_prefix("at "))
                .map(comparable);
            Some(Row {
                name: name.split(' ').next()?,
                addresses: addresses.collect(),
                text: text.trim_start(),
                known: OnceLock::new(),
            })
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// The chart of that name in that repository: `https://host/path`, `oci://host/path` or
    /// `oci://host/path/chart`.
    pub fn find(&self, repository: &str, chart: &str) -> Option<&Published> {
        let mut there = self.there(repository, chart);
        there.find(|row| row.name == chart).map(Row::known)
    }

    /// The general form of the charts of the repository that the chart is in.
    pub fn family(&self, repository: &str, chart: &str) -> Option<&Published> {
        let mut there = self.there(repository, chart);
        there.find(|row| row.name == ANY).map(Row::known)
    }

    fn there(&self, repository: &str, chart: &str) -> impl Iterator<Item = &Row> {
        let address = comparable(repository);
        let above = address
            .strip_suffix(chart)
            .and_then(|above| above.strip_suffix('/'))
            .map(str::to_string);
        let is_there = move |row: &&Row| {
            row.addresses
                .iter()
                .any(|known| *known == address || Some(known) == above.as_ref())
        };
        self.rows.iter().filter(is_there)
    }

    /// Every chart of that name, whatever its repository.
    pub fn find_by_name(&self, chart: &str) -> Vec<&Published> {
        self.rows
            .iter()
            .filter(|row| row.name == chart)
            .map(Row::known)
            .collect()
    }

    /// Whether a join of any chart reads a value under `key` of a map under `above`. A `name` may be that
    /// of anything.
    pub fn reads(above: &str, key: &str) -> bool {
        static KEYS: OnceLock<HashSet<(String, String)>> = OnceLock::new();
        let keys = KEYS.get_or_init(|| {
            let joins = Self::built_in().all().flat_map(|row| &row.joins);
            let paths = joins.flat_map(Join::reads).map(|path| &path.0);
            let pairs = paths.filter_map(|keys| match keys.as_slice() {
                [.., above, key] if key != "name" => Some((above.clone(), key.clone())),
                _ => None,
            });
            pairs.collect()
        });
        keys.contains(&(above.to_string(), key.to_string()))
    }

    /// Every row.
    pub fn all(&self) -> impl Iterator<Item = &Published> {
        self.rows.iter().map(Row::known)
    }
}

impl Row {
    fn known(&self) -> &Published {
        self.known.get_or_init(|| read(self.text))
    }
}

impl Published {
    /// What it says of images.
    pub fn known(&self) -> Known {
        Known {
            joins: self.joins.clone(),
            defaults: self.defaults.clone(),
            refuses_others: self.refuses_others,
            // Of a whole repository, nobody knows which further images its charts have.
            is_complete: !self.is_family && self.unknown.is_empty(),
            prefix_in_registry: false,
            told_by: if self.is_family {
                "the general form of the charts of that repository".to_string()
            } else {
                format!("the chart {} ({})", self.name, self.version)
            },
        }
    }
}

/// An address as it is compared.
pub(super) fn comparable(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    address.trim_end_matches('/').to_ascii_lowercase()
}

/// Reads a row. A line that cannot be read is left out; a test sees to it that there is none.
fn read(text: &str) -> Published {
    let mut known = Published::default();
    let mut shape = "";
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "chart" | "family" => {
                let mut words = rest.split(' ').map(str::to_string);
                known.is_family = word == "family";
                known.name = words.next().unwrap_or_default();
                known.version = words.next().unwrap_or_default();
                known.hash = words.next().unwrap_or_default();
            }
            "at" => known.repositories.push(rest.to_string()),
            "refuses-others" => known.refuses_others = true,
            "join" => {
                shape = rest;
                if !shape.contains('&') {
                    known.joins.extend(Join::parse(shape));
                }
            }
            "" => read_place(&mut known, shape, rest.trim_start()),
            "default" => {
                if let Some((path, value)) = rest.split_once('=') {
                    known
                        .defaults
                        .extend(ValuePath::parse(path).map(|path| (path, value.to_string())));
                }
            }
            "literal" => known.literal.extend(
                rest.split_once(' ')
                    .map(|(image, at)| (image.to_string(), at.to_string())),
            ),
            "unknown" => {
                let place = rest
                    .split_once(": ")
                    .and_then(|(path, why)| Some((ValuePath::parse(path)?, why.to_string())));
                known.unknown.extend(place);
            }
            _ => {}
        }
    }
    known
}

/// A place of the shape before it, with the defaults below it.
fn read_place(known: &mut Published, shape: &str, line: &str) {
    let mut words = line.split(' ');
    let place = words.next().unwrap_or_default();
    let below = |key: &str| match (place, key) {
        (".", key) => key.to_string(),
        (place, "") => place.to_string(),
        (place, key) => format!("{place}.{key}"),
    };
    let filled = match place {
        "." => shape.replace("&.", ""),
        place => shape.replace('&', place),
    };
    known.joins.extend(Join::parse(&filled));
    for (key, value) in words.filter_map(|word| word.split_once('=')) {
        known
            .defaults
            .extend(ValuePath::parse(&below(key)).map(|path| (path, value.to_string())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let words = [
            "chart",
            "family",
            "at",
            "refuses-others",
            "join",
            "default",
            "literal",
            "unknown",
            "",
            "#",
        ];
        let text = include_str!("charts.txt");
        for line in text.lines().filter(|line| !line.is_empty()) {
            let word = line.split(' ').next().unwrap();
            assert!(words.contains(&word), "{line}");
            if let Some(shape) = line.strip_prefix("join ") {
                assert!(Join::parse(&shape.replace('&', "x")).is_some(), "{line}");
            }
        }
        let table = Table::built_in();
        let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
        assert_eq!(table.all().count(), count("chart ") + count("family "));
        let places = count("  ")
            + text
                .lines()
                .filter(|line| line.starts_with("join ") && !line.contains('&'))
                .count();
        assert_eq!(
            table.all().map(|known| known.joins.len()).sum::<usize>(),
            places
        );
        assert!(text.len() < 60_000, "{}", text.len());
    }

    #[test]
    fn defaults_are_of_values_that_joins_read() {
        for known in Table::built_in().all() {
            for path in known.defaults.keys() {
                let is_read = known.joins.iter().any(|join| join.reads().contains(&path));
                assert!(is_read, "{}: {path}", known.name);
            }
            assert!(
                !known.repositories.is_empty() || !known.is_family,
                "{}",
                known.name
            );
            assert!(known.is_family || known.hash.len() == 64, "{}", known.name);
        }
    }

    #[test]
    fn every_join_names_something_when_its_values_are_set() {
        for known in Table::built_in().all() {
            for join in &known.joins {
                let name = join.name(|_| "x".to_string()).unwrap();
                assert!(
                    name.split('/').all(|part| !part.is_empty()),
                    "{}: {join}: {name}",
                    known.name
                );
            }
        }
    }

    #[test]
    fn keys_that_some_chart_reads_are_known() {
        for (above, key, is_read) in [
            ("image", "override", true),
            ("image", "fullImageName", true),
            ("image", "name", false),
            ("metadata", "override", false),
        ] {
            assert_eq!(Table::reads(above, key), is_read, "{above}.{key}");
        }
    }

    #[test]
    fn charts_are_found_by_repository_and_name() {
        let table = Table::of(
            "# a table\n\nchart a 1.0 00\nat https://example.com/charts\nat oci://registry.example.com/charts\n\
             join &.r/?&.n\n  image n=x r=quay.io\n  . n=y\ndefault image.n=z\n\n\
             chart a 2.0 00\nat https://other.example.com\n\n\
             family *\nat https://example.com/charts\njoin *.image.repository\ndefault *.image.repository=q",
        );
        for (repository, chart, version) in [
            ("https://example.com/charts", "a", Some("1.0")),
            ("http://Example.com/charts/", "a", Some("1.0")),
            ("oci://registry.example.com/charts", "a", Some("1.0")),
            ("registry.example.com/charts/a", "a", Some("1.0")),
            ("https://other.example.com/", "a", Some("2.0")),
            ("https://example.com/charts", "b", None),
            ("https://other.example.com/", "b", None),
            ("https://example.org", "a", None),
        ] {
            let known = table
                .find(repository, chart)
                .map(|known| known.version.as_str());
            assert_eq!(known, version, "{repository} {chart}");
        }
        assert_eq!(table.find_by_name("a").len(), 2);
        let known = table.find("https://example.com/charts", "a").unwrap();
        let joins: Vec<String> = known.joins.iter().map(ToString::to_string).collect();
        assert_eq!(joins, ["image.r/?image.n", "r/?n"]);
        let known = known.known();
        assert_eq!(known.default_of(&ValuePath::parse("n").unwrap()), "y");
        assert_eq!(known.default_of(&ValuePath::parse("image.n").unwrap()), "z");
        let family = table.family("https://example.com/charts", "b").unwrap();
        assert_eq!(
            family
                .known()
                .default_of(&ValuePath::parse("web.image.repository").unwrap()),
            "q"
        );
    }
}
