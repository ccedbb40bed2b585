//! Overrides as releases write them, each in a folder of its own, and what the program makes of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use ecr_rewrite::helm::ValuePath;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::charts::{Chart, merged, set};
use super::common::{REGISTRY, contents, put, run, scratch};
use super::overrides::Override;

/// How a release writes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A Flux HelmRelease; an earlier layer is in a ConfigMap.
    Flux,
    /// An Argo CD Application; a later layer is in its parameters.
    Argo,
    /// A chart that depends on the chart by an alias; a later layer is in another values file.
    Umbrella,
}

impl Form {
    const ALL: [Self; 3] = [Self::Flux, Self::Argo, Self::Umbrella];

    fn name(self) -> &'static str {
        match self {
            Self::Flux => "flux",
            Self::Argo => "argo",
            Self::Umbrella => "umbrella",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The alias of umbrella charts.
const ALIAS: &str = "zqalias";

/// What the program says of an override.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// All of its parts change for certain.
    Certain,
    /// A part rests on an assumption.
    Assumed,
    /// A part is skipped, with the reason.
    Skipped(String),
    /// It sees no image in it.
    #[default]
    Nothing,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certain => "certain",
            Self::Assumed => "assumed",
            Self::Skipped(reason) => reason,
            Self::Nothing => "nothing seen",
        })
    }
}

/// What became of an override.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it was written.
    pub form: Form,
    /// The values after the run, all layers together.
    pub after: Value,
    /// What the program says.
    pub said: Said,
}

/// What became of all overrides.
pub struct Outcomes {
    /// Of each override, in each form.
    pub each: Vec<Vec<Outcome>>,
    /// What the program says of itself that must not be, and what a second run changes.
    pub stopped: Vec<String>,
}

/// Rewrites each override alone, in each form.
pub fn rewrite(chart: &Chart, overrides: &[Override]) -> Outcomes {
    let folder = scratch();
    for (number, one) in overrides.iter().enumerate() {
        for form in Form::ALL {
            for (path, text) in files(chart, number, form, one) {
                let path = format!("{number}/{}/{path}", form.name());
                put(folder.path(), &path, text.as_bytes());
            }
        }
    }
    let target = [".", "--registry", REGISTRY, "--rules", "default"];
    let (code, report, talk) = run(
        folder.path(),
        &[&target[..], &["--format", "json"]].concat(),
    );
    let mut stopped = errors(&talk, overrides);
    assert!(code == 0 || !stopped.is_empty(), "{}: {talk}", chart.name());
    let said = said(&report);
    let outcome = |number: usize, form: Form| Outcome {
        form,
        after: written(
            &folder.path().join(format!("{number}/{}", form.name())),
            form,
        ),
        said: said.get(&(number, form)).cloned().unwrap_or_default(),
    };
    let each =
        (0..overrides.len()).map(|number| Form::ALL.map(|form| outcome(number, form)).into());
    let each = each.collect();
    let first = contents(folder.path());
    run(folder.path(), &target);
    let second = contents(folder.path());
    let changed = second.iter().filter(|(path, text)| first[*path] != **text);
    stopped.extend(changed.map(|(path, _)| {
        let path = path.display().to_string();
        format!("{}: a second run changes {path}", told(&path, overrides))
    }));
    Outcomes { each, stopped }
}

/// The errors that the program reports, each with the values.
fn errors(talk: &str, overrides: &[Override]) -> Vec<String> {
    let lines = talk.lines().filter_map(|line| line.strip_prefix("error: "));
    lines
        .map(|line| format!("{}: {line}", told(line, overrides)))
        .collect()
}

/// The override whose folder a text begins with.
fn told(path: &str, overrides: &[Override]) -> String {
    let number = path
        .split('/')
        .next()
        .and_then(|number| number.parse().ok());
    let one = number.and_then(|number: usize| overrides.get(number));
    let told = one.map(|one| format!("{}: values {}", one.kind, one.text()));
    told.unwrap_or_default()
}

/// What the report says of the sites in each folder: an assumption first, then a reason.
fn said(report: &str) -> BTreeMap<(usize, Form), Said> {
    let report: Value = serde_json::from_str(report).unwrap();
    let mut said = BTreeMap::<(usize, Form), Said>::new();
    for site in report["sites"].as_array().unwrap() {
        let mut steps = site["path"].as_str().unwrap().split('/');
        let number = steps.find_map(|step| step.parse().ok()).unwrap();
        let form = steps.next().unwrap();
        let form = Form::ALL.into_iter().find(|known| known.name() == form);
        let one = of_site(site);
        let known = said.entry((number, form.unwrap())).or_default();
        if rank(&one) > rank(known) {
            *known = one;
        }
    }
    said
}

fn rank(said: &Said) -> usize {
    match said {
        Said::Nothing => 0,
        Said::Skipped(reason) if reason == "already-ecr" => 1,
        Said::Certain => 2,
        Said::Skipped(_) => 3,
        Said::Assumed => 4,
    }
}

fn of_site(site: &Value) -> Said {
    let text = |key: &str| site[key].as_str().unwrap_or_default();
    match text("verdict") {
        "change" if text("safety") == "certain" => Said::Certain,
        "change" | "undecided" => Said::Assumed,
        _ => Said::Skipped(text("reason").to_string()),
    }
}

/// The files of a release.
fn files(chart: &Chart, number: usize, form: Form, one: &Override) -> Vec<(&'static str, String)> {
    match form {
        Form::Flux => vec![("release.yaml", helm_release(chart, number, one))],
        Form::Argo => vec![("application.yaml", application(chart, number, one))],
        Form::Umbrella => {
            let names = ["values.yaml", "values-prod.yaml"];
            let layers = one.layers.iter().map(|layer| yaml(&nested(layer)));
            let values = names.into_iter().zip(layers);
            std::iter::once(("Chart.yaml", umbrella(chart)))
                .chain(values)
                .collect()
        }
    }
}

fn address(chart: &Chart) -> &str {
    chart.row.repositories.first().map_or("", String::as_str)
}

fn yaml(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap()
}

fn stream(objects: &[Value]) -> String {
    let texts: Vec<String> = objects.iter().map(yaml).collect();
    texts.join("---\n")
}

fn helm_release(chart: &Chart, number: usize, one: &Override) -> String {
    let about = |name: &str| json!({"name": format!("{name}{number}"), "namespace": "x"});
    let mut repository = json!({"url": address(chart)});
    if address(chart).starts_with("oci://") {
        repository["type"] = json!("oci");
    }
    let (last, earlier) = one.layers.split_last().unwrap();
    let mut spec = json!({
        "chart": {"spec": {
            "chart": chart.row.name,
            "version": chart.row.version,
            "sourceRef": {"kind": "HelmRepository", "name": format!("r{number}")},
        }},
        "values": last,
    });
    let mut objects = vec![json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": about("r"), "spec": repository,
    })];
    for layer in earlier {
        objects.push(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": about("v"), "data": {"values.yaml": yaml(layer)},
        }));
        spec["valuesFrom"] = json!([{"kind": "ConfigMap", "name": format!("v{number}")}]);
    }
    objects.push(json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": about("h"), "spec": spec,
    }));
    stream(&objects)
}

fn application(chart: &Chart, number: usize, one: &Override) -> String {
    let mut helm = json!({});
    // A text and an object by turns.
    if number.is_multiple_of(2) {
        helm["values"] = json!(yaml(&one.layers[0]));
    } else {
        helm["valuesObject"] = one.layers[0].clone();
    }
    let mut parameters = Vec::new();
    for layer in &one.layers[1..] {
        collect_parameters(layer, "", &mut parameters);
    }
    if !parameters.is_empty() {
        helm["parameters"] = Value::Array(parameters);
    }
    let repository = address(chart);
    stream(&[json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": format!("a{number}"), "namespace": "argocd"},
        "spec": {"source": {
            "repoURL": repository.strip_prefix("oci://").unwrap_or(repository),
            "chart": chart.row.name,
            "targetRevision": chart.row.version,
            "helm": helm,
        }},
    })])
}

fn collect_parameters(values: &Value, at: &str, found: &mut Vec<Value>) {
    match values {
        Value::Object(map) => {
            for (key, value) in map {
                collect_parameters(value, &format!("{at}.{}", key.replace('.', "\\.")), found);
            }
        }
        scalar => {
            let text = scalar
                .as_str()
                .map_or_else(|| scalar.to_string(), Into::into);
            found.push(json!({"name": at.trim_start_matches('.'), "value": text}));
        }
    }
}

fn umbrella(chart: &Chart) -> String {
    yaml(&json!({
        "apiVersion": "v2", "name": "all", "version": "0.1.0",
        "dependencies": [{
            "name": chart.row.name, "version": chart.row.version,
            "repository": address(chart), "alias": ALIAS,
        }],
    }))
}

/// Values as an umbrella chart has them.
fn nested(values: &Value) -> Value {
    let mut own = values.clone();
    let global = own.as_object_mut().and_then(|own| own.remove("global"));
    let mut all = json!({});
    for (key, values) in [(ALIAS, Some(own)), ("global", global)] {
        let values = values.filter(|values| values.as_object().is_some_and(|map| !map.is_empty()));
        if let Some(values) = values {
            all[key] = values;
        }
    }
    all
}

/// The values that a release's files have now, all layers together.
fn written(folder: &Path, form: Form) -> Value {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let layers = match form {
        Form::Flux => objects(&read("release.yaml"))
            .iter()
            .filter_map(|object| match object["kind"].as_str()? {
                "ConfigMap" => from_yaml(object["data"]["values.yaml"].as_str()?),
                "HelmRelease" => Some(object["spec"]["values"].clone()),
                _ => None,
            })
            .collect(),
        Form::Argo => {
            let helm = objects(&read("application.yaml"))[0]["spec"]["source"]["helm"].take();
            let mut parameters = json!({});
            for one in helm["parameters"].as_array().into_iter().flatten() {
                let path = steps(one["name"].as_str().unwrap());
                set(&mut parameters, &path, one["value"].clone());
            }
            let text = helm["values"].as_str().and_then(from_yaml);
            vec![
                text.unwrap_or_else(|| helm["valuesObject"].clone()),
                parameters,
            ]
        }
        Form::Umbrella => ["values.yaml", "values-prod.yaml"]
            .into_iter()
            .filter_map(|name| from_yaml(&read(name)))
            .map(|mut values| {
                let global = json!({"global": values["global"].take()});
                let mut own = values[ALIAS].take();
                if own.is_null() {
                    own = json!({});
                }
                merged([
                    &own,
                    if global["global"].is_null() {
                        &own
                    } else {
                        &global
                    },
                ])
            })
            .collect(),
    };
    merged(&layers)
}

/// The keys of a parameter's name; a dot that belongs to a key is escaped.
fn steps(name: &str) -> ValuePath {
    let name = name.replace("\\.", "\0");
    let steps = name.split('.').map(|step| step.replace('\0', "."));
    ValuePath(steps.collect())
}

fn objects(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|object| Value::deserialize(object).unwrap())
        .collect()
}

fn from_yaml(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok().filter(Value::is_object)
}
