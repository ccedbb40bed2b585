//! Learns a chart that is at hand, from its files: rendered in memory, by the templates that it has.

use serde_json::{Map, Value};

use super::at_hand::yaml_of;
use super::join::{Join, ValuePath};
use super::known::Known;
use super::learn::{ChartTexts, Rendered, Renderer, Subchart, learn};
use super::package::ChartFile;
use super::template::{Chart, Mode, Release};

/// A chart that another one depends on, as its `Chart.yaml` lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The key of its values: its alias, or its name.
    pub key: String,
    /// The repository, as written.
    pub repository: String,
    /// The version, or which ones will do.
    pub version: String,
    /// The values that switch it on.
    conditions: Vec<ValuePath>,
}

/// What a chart says that is at hand.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// How its images, and those of the charts in its `charts/`, get their names: those that refuse other
    /// images, and the others. None when it cannot be rendered.
    pub known: Vec<Known>,
    /// Whether its own templates say nothing of images: it only brings other charts.
    pub is_bare: bool,
    /// The charts that it depends on and that are not at hand.
    pub missing: Vec<Listed>,
}

/// Learns the chart that these files make: rendered with its own values, or where that fails (it requires
/// some) with the first of the `given` ones that it takes.
pub fn read(files: Vec<ChartFile>, given: &dyn Fn() -> Vec<Value>) -> Local {
    let texts = texts(&files);
    let listed = listed(&files);
    let is_there = |listed: &Listed| texts.subcharts.iter().any(|sub| sub.key == listed.key);
    let missing: Vec<Listed> = listed
        .into_iter()
        .filter(|listed| !is_there(listed))
        .collect();
    let told_by = format!("the chart {}", texts.name);
    let Ok(chart) = Chart::from_files(files) else {
        return Local {
            missing,
            ..Local::default()
        };
    };
    let chart = InMemory(chart);
    let nothing = Value::Object(Map::new());
    let takes = |values: &Value| chart.render(values).is_ok();
    let taken = if takes(&nothing) {
        Some(nothing)
    } else {
        given().into_iter().find(takes)
    };
    let learned = learn(&texts, &chart, &taken.unwrap_or_default());
    let may_refuse = |join: &Join| learned.refuses_others && refuses(&texts, join);
    let (refusing, taking): (Vec<Join>, Vec<Join>) =
        learned.joins.into_iter().partition(may_refuse);
    let known = [(refusing, true), (taking, false)].map(|(joins, refuses_others)| Known {
        is_complete: missing.is_empty(),
        joins,
        defaults: learned.defaults.clone(),
        refuses_others,
        prefix_in_registry: false,
        told_by: told_by.clone(),
    });
    let known = known.into_iter().filter(|known| !known.joins.is_empty());
    Local {
        known: known.collect(),
        is_bare: !texts
            .templates
            .iter()
            .any(|(_, text)| speaks_of_images(text)),
        missing,
    }
}

/// The charts that the one of these files lists and does not bring: Helm looks for their names in its `charts/`.
pub fn missing(files: &[ChartFile]) -> Vec<Listed> {
    let charts = folders(files);
    let brought = charts.iter().map(|files| yaml_of(files, "Chart.yaml"));
    let brought: Vec<Value> = brought.collect();
    let name = |chart: &Value| chart.get("name")?.as_str().map(str::to_string);
    let brought: Vec<String> = brought.iter().filter_map(name).collect();
    let mut missing = listed(files);
    missing.retain(|listed| !brought.contains(&listed.name));
    missing
}

/// What the templates of charts name that refuse other images: Bitnami's `common.errors.insecureImages`, or
/// the key that it asks for.
const REFUSES: &str = "nsecureImages";

/// Whether a template may make names of images, whatever choices it takes.
fn speaks_of_images(template: &str) -> bool {
    let text = template.to_ascii_lowercase();
    ["image", "registry"].iter().any(|word| text.contains(word))
}

/// Whether the chart that an image is one of, which may be a chart below, refuses other images.
fn refuses(chart: &ChartTexts, join: &Join) -> bool {
    let reads = join.reads();
    let mut keys = reads.last().map_or(&[][..], |path| &path.0[..]);
    let mut chart = chart;
    while let Some((key, rest)) = keys.split_first()
        && let Some(inner) = chart.subcharts.iter().find(|inner| inner.key == *key)
    {
        (chart, keys) = (&inner.chart, rest);
    }
    chart
        .templates
        .iter()
        .any(|(_, text)| text.contains(REFUSES))
}

/// A chart whose templates are rendered here.
struct InMemory(Chart);

impl Renderer for InMemory {
    /// One template that cannot be rendered may hold an image that would be missed: all or nothing.
    fn render(&self, values: &Value) -> Result<Rendered, String> {
        let rendered = self.0.render(values, &Release::default(), Mode::Exact);
        if let Some((_, why)) = rendered.unread.into_iter().next() {
            return Err(why);
        }
        Ok(Rendered {
            manifests: rendered.manifests,
            unread: Vec::new(),
        })
    }
}

fn text_of<'f>(files: &'f [ChartFile], path: &str) -> Option<&'f str> {
    let found = files.iter().find(|(known, _)| known == path);
    found.map(|(_, text)| text.as_str())
}

/// The charts that `Chart.yaml`, or the older `requirements.yaml`, lists, at the versions that their locks
/// say.
fn listed(files: &[ChartFile]) -> Vec<Listed> {
    let read = |paths: [&str; 2]| -> Vec<Listed> {
        let lists = paths.map(|path| yaml_of(files, path));
        let items = lists
            .iter()
            .filter_map(|list| list.get("dependencies")?.as_array());
        items.flatten().filter_map(dependency).collect()
    };
    let locked = read(["Chart.lock", "requirements.lock"]);
    let mut listed = read(["Chart.yaml", "requirements.yaml"]);
    for one in &mut listed {
        let is_same = |lock: &&Listed| lock.name == one.name && lock.repository == one.repository;
        let mut versions = locked.iter().filter(is_same).map(|lock| &lock.version);
        // Several of one name cannot be told apart.
        if let (Some(version), None) = (versions.next(), versions.next()) {
            one.version.clone_from(version);
        }
    }
    listed
}

fn dependency(item: &Value) -> Option<Listed> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_string);
    let name = text("name")?;
    let conditions = text("condition").unwrap_or_default();
    let path = |path: &str| ValuePath(path.trim().split('.').map(str::to_string).collect());
    Some(Listed {
        key: text("alias").unwrap_or_else(|| name.clone()),
        repository: text("repository").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        conditions: conditions
            .split(',')
            .filter(|path| !path.is_empty())
            .map(path)
            .collect(),
        name,
    })
}

fn texts(files: &[ChartFile]) -> ChartTexts {
    let about = yaml_of(files, "Chart.yaml");
    let text = |key: &str| {
        about
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_string()
    };
    let templates = files
        .iter()
        .filter(|(path, _)| path.starts_with("templates/"));
    let listed = listed(files);
    let mut subcharts: Vec<Subchart> = folders(files)
        .into_iter()
        .flat_map(|files| subcharts_of(&listed, &files))
        .collect();
    subcharts.sort_by(|one, other| one.key.cmp(&other.key));
    ChartTexts {
        name: text("name"),
        version: text("version"),
        templates: templates.cloned().collect(),
        values: yaml_of(files, "values.yaml"),
        subcharts,
    }
}

/// A chart in `charts/`, once for each key under which it is listed.
fn subcharts_of(listed: &[Listed], files: &[ChartFile]) -> Vec<Subchart> {
    let chart = texts(files);
    let own: Vec<&Listed> = listed
        .iter()
        .filter(|listed| listed.name == chart.name)
        .collect();
    let subchart = |key: &str, conditions: &[ValuePath]| Subchart {
        key: key.to_string(),
        conditions: conditions.to_vec(),
        chart: chart.clone(),
    };
    if own.is_empty() {
        return vec![subchart(&chart.name, &[])];
    }
    let own = own.iter();
    own.map(|listed| subchart(&listed.key, &listed.conditions))
        .collect()
}

/// The files of each chart in `charts/`, with their paths below it.
fn folders(files: &[ChartFile]) -> Vec<Vec<ChartFile>> {
    let mut folders: Vec<(&str, Vec<ChartFile>)> = Vec::new();
    for (path, text) in files {
        let inside = path.strip_prefix("charts/");
        let Some((folder, path)) = inside.and_then(|path| path.split_once('/')) else {
            continue;
        };
        let file = (path.to_string(), text.clone());
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, files)) => files.push(file),
            None => folders.push((folder, vec![file])),
        }
    }
    let charts = folders.into_iter().map(|(_, files)| files);
    charts
        .filter(|files| text_of(files, "Chart.yaml").is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<ChartFile> {
        let files = files.iter();
        files
            .map(|(path, text)| ((*path).to_string(), (*text).to_string()))
            .collect()
    }

    fn read_alone(files: Vec<ChartFile>) -> Local {
        read(files, &Vec::new)
    }

    fn joins(known: &Known) -> Vec<String> {
        known.joins.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_chart_at_hand_is_learned_from_its_templates() {
        let local = read_alone(files(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: cache, version: 1.x, repository: 'https://example.com', alias: store}\n- {name: sub, version: 1.0.0}\n",
            ),
            (
                "values.yaml",
                "image: {registry: quay.io, repository: a/b, tag: v1}\nside: {image: 'acme/side:1'}\n",
            ),
            (
                "templates/pod.yaml",
                "kind: Pod\nspec:\n  containers:\n  - image: \"{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n  - image: \"harbor.corp.io/{{ .Values.side.image }}\"\n",
            ),
            (
                "charts/sub/Chart.yaml",
                "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
            ),
            ("charts/sub/values.yaml", "image: {repository: c/d}\n"),
            (
                "charts/sub/templates/pod.yaml",
                "kind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image.repository }}\n",
            ),
        ]));
        let [known] = local.known.as_slice() else {
            panic!("one chart that refuses nothing")
        };
        assert_eq!(
            joins(known),
            [
                "[global.imageRegistry|image.registry]/image.repository",
                "\"harbor.corp.io\"/?side.image",
                "sub.image.repository",
            ]
        );
        assert!(!known.is_complete, "a chart is missing");
        let missing: Vec<&str> = local.missing.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(missing, ["store"]);
    }

    #[test]
    fn a_chart_that_is_not_brought_is_missing() {
        let chart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
        let list = "dependencies:\n- {name: redis, version: 1.x, repository: 'https://example.com'}\n- {name: db, version: 1.0.0}\n";
        let all = |folder: &str, name: &str| {
            let files = files(&[
                ("Chart.yaml", &(chart("web") + list)),
                (&format!("charts/{folder}/Chart.yaml"), &chart(name)),
            ]);
            let missing = missing(&files).into_iter().map(|listed| listed.name);
            missing.collect::<Vec<_>>()
        };
        assert_eq!(all("redis-cluster", "redis-cluster"), ["redis", "db"]);
        assert_eq!(all("redis-1.0.0", "redis"), ["db"]);
    }

    #[test]
    fn a_chart_that_requires_values_is_learned_with_those_of_a_use() {
        let chart = files(&[
            ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            (
                "values.yaml",
                "image: {registry: quay.io, repository: a/b}\n",
            ),
            (
                "templates/pod.yaml",
                "kind: Pod\nhost: {{ required \"a host\" .Values.host }}\nimage: {{ .Values.image.registry }}/{{ .Values.image.repository }}\n",
            ),
        ]);
        let none = read_alone(chart.clone());
        assert!(none.known.is_empty());
        let given = || {
            vec![
                serde_json::json!({"x": 1}),
                serde_json::json!({"host": "a"}),
            ]
        };
        let local = read(chart, &given);
        assert_eq!(joins(&local.known[0]), ["image.registry/image.repository"]);
    }

    #[test]
    fn a_chart_that_cannot_be_rendered_teaches_nothing() {
        let local = read_alone(files(&[
            ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            ("values.yaml", "image: {repository: a/b}\n"),
            (
                "templates/pod.yaml",
                "image: {{ include \"nowhere\" . }}{{ .Values.image.repository }}\n",
            ),
        ]));
        assert!(local.known.is_empty());
    }
}
