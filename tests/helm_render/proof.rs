//! Renders each chart with its default values, with its other values files and with its parts switched
//! on, before and after the run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::charts::{other_values, switches};
use super::common::contents;
use super::common::ecr::{expected, has_host, is_well_formed};
use super::common::helm::Helm;
use super::common::rendered::{
    Difference, Rendering, Scalars, difference, is_image_key, last_key, references,
};
use super::left::Report;
use super::needed::{MORE, NEEDED};

/// What Bitnami's charts ask for.
const LEAVE: &str = "--set=global.security.allowInsecureImages=true";

/// What the renders of one chart show.
#[derive(Default)]
pub struct Tally {
    /// Renders, each before and after.
    pub renders: usize,
    /// Texts under image keys, before.
    pub references: usize,
    /// References that changed, as planned.
    pub changed: usize,
    /// Checksums that follow them.
    pub derived: usize,
    /// The ECR references that were seen.
    pub seen: BTreeSet<String>,
    /// Why its default values do not render before the run; nothing can be said of it then.
    pub unrendered: Option<String>,
    /// Other values that do not render before the run.
    pub failed_before: Vec<String>,
    /// Images that a rule maps and that are elsewhere after the run, with what keeps them.
    pub left: BTreeMap<String, Option<String>>,
    /// Names that are none, before and after.
    pub malformed: BTreeSet<String>,
    /// Differences that were not planned, each with the first place that shows it.
    pub wrong: BTreeMap<String, String>,
}

/// The charts of one tree.
pub struct Proof<'p> {
    pub helm: &'p Helm,
    pub before: &'p Path,
    pub after: &'p Path,
    pub report: &'p Report,
}

impl Proof<'_> {
    /// Renders one chart.
    pub fn chart(&self, chart: &str) -> Tally {
        let mut tally = Tally::default();
        let name = chart.rsplit('/').next().unwrap_or(chart);
        let needed = NEEDED.iter().filter(|(known, _)| *known == name);
        let needed = needed.flat_map(|(_, more)| *more);
        let base: Vec<String> = needed.map(ToString::to_string).collect();
        if !self.compare(chart, &base, &mut tally) {
            let why = tally.failed_before.pop();
            tally.unrendered = Some(self.why_unrendered(chart, &why.unwrap_or_default()));
            return tally;
        }
        let leave = chart.contains("bitnami").then(|| LEAVE.to_string());
        let base: Vec<String> = base.into_iter().chain(leave).collect();
        let with = |more: &[String]| [&base, more].concat();
        if base.iter().any(|flag| flag == LEAVE) {
            self.compare(chart, &base, &mut tally);
        }
        for values in other_values(&self.before.join(chart)) {
            self.compare(chart, &with(&[format!("--values={values}")]), &mut tally);
        }
        for (_, more) in MORE.iter().filter(|(known, _)| *known == name) {
            self.compare(chart, &with(&[format!("--set={more}")]), &mut tally);
        }
        let failed = std::mem::take(&mut tally.failed_before);
        let switches = switches(&self.before.join(chart));
        self.switched_on(chart, &base, &switches, &mut tally);
        // That some switches need more than themselves is no news.
        tally.failed_before = failed;
        tally
    }

    /// All switches at once; in halves where that does not render.
    fn switched_on(&self, chart: &str, base: &[String], switches: &[String], tally: &mut Tally) {
        if switches.is_empty() {
            return;
        }
        let set = switches.iter().map(|switch| format!("--set={switch}=true"));
        let arguments: Vec<String> = base.iter().cloned().chain(set).collect();
        if !self.compare(chart, &arguments, tally) && switches.len() > 1 {
            let (first, second) = switches.split_at(switches.len() / 2);
            self.switched_on(chart, base, first, tally);
            self.switched_on(chart, base, second, tally);
        }
    }

    /// Renders both trees; gives whether the first can be rendered.
    fn compare(&self, chart: &str, arguments: &[String], tally: &mut Tally) -> bool {
        let render = |tree: &Path| self.helm.template(&tree.join(chart), arguments, None);
        let what = format!("{chart} {}", arguments.join(" "));
        let before = match render(self.before) {
            Ok(before) => before,
            Err(talk) => {
                tally.failed_before.push(format!("{what}: {talk}"));
                return false;
            }
        };
        tally.renders += 1;
        let after = match render(self.after) {
            Ok(after) => after,
            Err(talk) => {
                let key = format!("{chart}: does not render any more: {talk}");
                tally.wrong.entry(key).or_insert(what);
                return true;
            }
        };
        let mut found = difference(&before.scalars, &after.scalars);
        if !found.other.is_empty() {
            let again = render(self.before).unwrap();
            found = found.without_made_up(&before.scalars, &again.scalars);
        }
        for told in found.told() {
            let key = format!("{chart}: {told}");
            tally.wrong.entry(key).or_insert_with(|| what.clone());
        }
        self.look_at_images(chart, &before, &after, tally);
        count(&before.scalars, found, tally);
        true
    }

    /// Where each image of a render comes from after the run.
    fn look_at_images(
        &self,
        chart: &str,
        before: &Rendering,
        after: &Rendering,
        tally: &mut Tally,
    ) {
        let is_object = |at: &&String| !at.starts_with("CustomResourceDefinition:");
        for at in after.scalars.keys().filter(is_object) {
            for image in references(at, &after.scalars) {
                let is_old = before.scalars.get(at) == after.scalars.get(at);
                if is_image_key(last_key(at)) && !is_well_formed(&image) && !image.is_empty() {
                    if is_old {
                        tally.malformed.insert(format!("{chart}: `{image}`"));
                    } else {
                        let key = format!("{chart}: `{image}` is no image");
                        tally.wrong.entry(key).or_insert_with(|| at.clone());
                    }
                }
                if !is_old || expected(&image).is_none() || !is_meant(at, &image) {
                    continue;
                }
                let key = format!("{chart}: {image}");
                let reason = || {
                    let template = after.template(at);
                    self.report.reason(self.before, chart, &image, template)
                };
                tally.left.entry(key).or_insert_with(reason);
            }
        }
    }

    /// Why a chart cannot be rendered.
    fn why_unrendered(&self, chart: &str, why: &str) -> String {
        let about = fs::read_to_string(self.before.join(chart).join("Chart.yaml"));
        let about = about.unwrap_or_default();
        let about: Value = serde_yaml::from_str(&about).unwrap_or_default();
        if about.get("type").and_then(Value::as_str) == Some("library") {
            return "a library, which renders nothing by itself".to_string();
        }
        if why.contains("missing in charts/") {
            return "its dependencies are not at hand".to_string();
        }
        let error = why.split_once("Error: ").map_or(why, |(_, error)| error);
        error.to_string()
    }
}

/// Whether a text is there to be pulled: under the key of an image, or with a host and a tag.
fn is_meant(at: &str, image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    is_image_key(last_key(at)) || (has_host(image) && name.contains([':', '@']))
}

fn count(before: &Scalars, found: Difference, tally: &mut Tally) {
    let images = before.keys().filter(|at| is_image_key(last_key(at)));
    tally.references += images.count();
    let planned: Vec<(String, String)> = found.planned.into_values().flatten().collect();
    tally.changed += planned.len();
    tally.derived += found.derived;
    tally.seen.extend(planned.into_iter().map(|(_, new)| new));
}

/// The new texts of changed values that are, or end, a name, by file.
pub fn changed_values(before: &Path, after: &Path) -> Vec<(String, String)> {
    let new = contents(after);
    let mut found = Vec::new();
    for (path, old) in contents(before) {
        if new[&path] == old {
            continue;
        }
        let read = |bytes: &[u8]| Rendering::read(std::str::from_utf8(bytes).unwrap()).scalars;
        let (old, new) = (read(&old), read(&new[&path]));
        for (at, value) in &new {
            let key = last_key(at).to_ascii_lowercase();
            if old.get(at) != Some(value) && !key.ends_with("registry") {
                found.push((path.to_string_lossy().into_owned(), value.clone()));
            }
        }
    }
    found
}

/// Prints the figures of all charts of a tree.
pub fn print(what: &str, tallies: &[(String, Tally)]) {
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(|(_, tally)| of(tally)).sum::<usize>();
    let rendered = tallies.iter().filter(|(_, tally)| tally.renders > 0);
    println!("| {what} | count |\n|---|---|");
    for (what, count) in [
        ("charts", tallies.len()),
        ("… rendered", rendered.count()),
        ("renders, each before and after", sum(|tally| tally.renders)),
        ("texts under image keys", sum(|tally| tally.references)),
        ("references changed, as planned", sum(|tally| tally.changed)),
        ("checksums that follow them", sum(|tally| tally.derived)),
        ("images left elsewhere", sum(|tally| tally.left.len())),
        (
            "names that are none, before and after",
            sum(|tally| tally.malformed.len()),
        ),
        (
            "differences that were not planned",
            sum(|tally| tally.wrong.len()),
        ),
    ] {
        println!("| {what} | {count} |");
    }
    let reasons = tallies
        .iter()
        .filter_map(|(chart, tally)| Some((tally.unrendered.clone()?, chart)));
    print_groups("cannot be rendered", reasons);
    let left = tallies.iter().flat_map(|(_, tally)| &tally.left);
    let unknown = || "NOTHING SAYS WHY".to_string();
    print_groups(
        "left elsewhere",
        left.map(|(image, reason)| (reason.clone().unwrap_or_else(unknown), image)),
    );
    for failure in tallies.iter().flat_map(|(_, tally)| &tally.failed_before) {
        println!("fails before: {failure}");
    }
    for name in tallies.iter().flat_map(|(_, tally)| &tally.malformed) {
        println!("is none before either: {name}");
    }
}

/// Prints things by their reason, the most frequent first.
fn print_groups<'s>(what: &str, reasons: impl Iterator<Item = (String, &'s String)>) {
    let mut groups = BTreeMap::<String, Vec<&String>>::new();
    for (reason, one) in reasons {
        groups.entry(reason).or_default().push(one);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    for (reason, all) in groups {
        let all: Vec<&str> = all.into_iter().map(String::as_str).collect();
        println!("{what}: {reason}: {} ({})", all.len(), all.join(", "));
    }
}
