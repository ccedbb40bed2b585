//! Charts that kustomize inflates, and those that the Helm controller of k3s installs.

use super::super::kustomize::CHART_HOME;
use super::{
    ANY_CHART, Base, ChartSource, Deployed, From, Given, Reader, Release, Stage, Tool, items, texts,
};
use crate::yaml::NodeId;

impl Reader<'_, '_> {
    /// The releases of the charts that a kustomization inflates.
    pub(super) fn inflated(&mut self, kustomization: NodeId) -> Vec<Release> {
        let document = self.document;
        let home = document.text_at(kustomization, &["helmGlobals", "chartHome"]);
        let lists = ["helmCharts", "helmChartInflationGenerator"];
        let lists = lists
            .iter()
            .filter_map(|list| document.get(kustomization, list));
        let charts = lists.flat_map(|list| items(document, list));
        charts.map(|chart| self.kustomize(chart, home)).collect()
    }

    pub(super) fn kustomize(&mut self, chart: NodeId, home: Option<&str>) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(chart, &[key]).map(ToString::to_string);
        let file = text("valuesFile").or_else(|| text("values"));
        let file = file.map(|file| Given::file(&file, Base::Here));
        let inline = ["valuesInline", "valuesLocal"];
        let inline = inline.iter().find_map(|key| self.block(chart, key));
        let inline = inline.map(|given| match given.from {
            From::Block { empties: true, .. } => {
                Given::unknown(Stage::Values, "an empty value in it may or may not count")
            }
            _ => given,
        });
        let first: Vec<Given> = match text("valuesMerge").as_deref() {
            None | Some("override") => file.into_iter().chain(inline).collect(),
            Some("replace") => inline.into_iter().collect(),
            Some("merge") if file.is_some() => inline.into_iter().chain(file).collect(),
            Some(_) if inline.is_some() => {
                let why = "how its values are merged with the chart's is not followed";
                vec![Given::unknown(Stage::Values, why)]
            }
            Some(_) => file.into_iter().collect(),
        };
        let more = texts(document, chart, "additionalValuesFiles").into_iter();
        let more = more.map(|file| Given::file(file, Base::Here));
        let home = home.unwrap_or(CHART_HOME);
        let is_filled = |key: &str| {
            let value = document.get(chart, key);
            value.is_some_and(|value| document.is_hole(value))
        };
        let local = text("repo").is_none().then(|| text("name")).flatten();
        let any = (is_filled("name") || is_filled("repo")).then(|| ANY_CHART.to_string());
        Release {
            has_chart: true,
            deployed: Box::new(Deployed {
                name: text("releaseName"),
                namespace: text("namespace"),
                ..Deployed::default()
            }),
            span: self.span(chart, "name"),
            charts: local
                .map(|name| format!("{home}/{name}"))
                .or(any)
                .into_iter()
                .collect(),
            layers: first
                .into_iter()
                .chain(more)
                .chain(self.filled_layer(chart))
                .collect(),
            source: ChartSource {
                repository: text("repo"),
                kind: None,
                chart: text("name"),
                version: text("version"),
            },
            ..Release::default()
        }
    }

    /// A chart of k3s, or what is merged over its values.
    pub(super) fn k3s(&mut self, spec: NodeId, has_chart: bool) -> Release {
        let document = self.document;
        let text = |key: &str| document.text_at(spec, &[key]).map(ToString::to_string);
        let mut release = Release {
            tool: Tool::K3s,
            has_chart,
            deployed: Box::new(Deployed {
                namespace: text("targetNamespace"),
                ..Deployed::default()
            }),
            source: ChartSource {
                repository: text("repo"),
                kind: None,
                chart: text("chart"),
                version: text("version"),
            },
            ..Release::default()
        };
        release.layers.extend(self.block(spec, "valuesContent"));
        if document.get(spec, "valuesSecrets").is_some() {
            let why = "it takes values from secrets";
            release.layers.push(Given::unknown(Stage::Values, why));
        }
        if let Some(set) = document.get(spec, "set") {
            let entries = document.entries(set);
            let parameters = entries.map(|entry| (entry.key, Some(document.resolve(entry.value))));
            let parameters: Vec<_> = parameters.collect();
            release.layers.extend(self.parameters(set, &parameters));
        }
        release.layers.extend(self.filled_layer(spec));
        release
    }
}
