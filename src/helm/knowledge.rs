//! Who is asked about a chart: the config. The chart's own files and the built-in table can tell, too
//! ([`local`](super::local), [`table`](super::table)); they are not asked yet.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::at_hand::AtHand;
use super::known::{Charts, Known, Wanted};
use super::package;

/// What a run knows of charts.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// What the config says, by the name of the chart.
    stated: BTreeMap<String, Arc<Known>>,
}

impl Knowledge {
    /// What the config says, by the name of the chart.
    pub fn new(stated: BTreeMap<String, Arc<Known>>) -> Self {
        Self { stated }
    }
}

impl Charts for Knowledge {
    fn in_folder(&self, _: &Path) -> Vec<Arc<Known>> {
        Vec::new()
    }

    fn at_hand(&self, folder: &Path, is_chart: &dyn Fn(&Path) -> bool) -> Option<AtHand> {
        AtHand::read(folder, is_chart)
    }

    fn text_of(&self, file: &Path) -> Option<String> {
        package::read_text(file).ok()
    }

    fn elsewhere(&self, wanted: &Wanted<'_>) -> Vec<Arc<Known>> {
        let name = wanted.chart.trim_end_matches('/');
        let name = name.rsplit('/').next().unwrap_or(name);
        self.stated.get(name).cloned().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_tells_of_a_chart_by_its_name() {
        let stated = Arc::new(Known {
            told_by: "the config".to_string(),
            ..Known::default()
        });
        let knowledge = Knowledge::new(BTreeMap::from([("grafana".to_string(), stated)]));
        let told = |chart: &str| {
            let wanted = Wanted {
                chart,
                ..Wanted::default()
            };
            knowledge.elsewhere(&wanted).len()
        };
        assert_eq!(told("grafana"), 1);
        assert_eq!(told("community/grafana"), 1);
        assert_eq!(told("other"), 0);
    }
}
