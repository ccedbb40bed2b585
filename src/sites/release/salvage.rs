//! What can still be told of releases in a text that is no YAML before a template is rendered.

use super::{ANY_CHART, Base, Given, Release, Stage, told};

/// Words that together show that a text that is no YAML is about releases: those of any line.
const SALVAGED: &[&[&str]] = &[
    &["valueFiles:"],
    &["valuesFiles:"],
    &["kind: HelmRelease"],
    &["kind: Application", "helm:"],
    &["releases:", "chart:"],
];

/// What can still be told of a text that is no YAML before a template is rendered: the charts and the
/// files that it names. What else it says is not known.
pub(in super::super) fn salvage(text: &str) -> Option<Release> {
    let shows = |words: &&[&str]| words.iter().all(|word| text.contains(word));
    if !SALVAGED.iter().any(shows) {
        return None;
    }
    let mut release = Release {
        has_chart: true,
        ..Release::default()
    };
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ").trim();
        let value = ["path:", "chart:"]
            .iter()
            .find_map(|key| line.strip_prefix(key));
        if let Some(chart) = value {
            // One that is filled in as a whole tells nothing, and neither does the `/` of an ingress.
            let chart = told(unquoted(chart));
            let is_told = chart.contains(char::is_alphanumeric)
                && !(chart.starts_with("{{") && chart.ends_with("}}"));
            let is_release = line.starts_with("chart:") && text.contains("releases:");
            if is_told {
                release.charts.push(chart);
            } else if is_release && chart.starts_with("{{") {
                release.charts.push(ANY_CHART.to_string());
            }
        }
        let file = unquoted(line);
        if [".yaml", ".yml", ".gotmpl"]
            .iter()
            .any(|end| file.ends_with(end))
        {
            release.layers.push(Given::file(file, Base::Anywhere));
        }
    }
    if release.charts.is_empty() && release.layers.is_empty() {
        return None;
    }
    let why = "it is a template, of which only a part can be read";
    release.layers.push(Given::unknown(Stage::Parameters, why));
    Some(release)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_requests_are_no_charts() {
        let text = "releases:\n- name: x\n  chart: incubator/raw\n{{ if y }}\n  values:\n  - paths:\n    - path: /\n    - path: ./\n{{ end }}\n";
        let charts = salvage(text).map(|release| release.charts);
        assert_eq!(charts, Some(vec!["incubator/raw".to_string()]));
    }
}
