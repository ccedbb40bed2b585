//! A chart in memory, and its rendering.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::ignored::Ignored;
use super::limits::Fail;
use super::parse::{self, Parsed};
use super::print;
use super::scene::{Scene, Traced};
use super::schema;
use super::trace::{Setting, Watch};
use super::value::{Dict, Val};
use super::values::{self, Placed};
use super::yaml_read;

/// The stack a render runs on; what it may nest is bounded well below this.
const STACK: usize = 128 << 20;

/// A chart: its templates, its default values and its subcharts.
#[derive(Debug)]
pub struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) values: Value,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) subcharts: Vec<Chart>,
    /// What its templates see and do, but for values.
    pub(crate) content: Arc<Content>,
    schema: Option<Value>,
}

/// What a chart consists of, but for its values and subcharts.
#[derive(Debug)]
pub(crate) struct Content {
    metadata: Value,
    /// The texts of the templates.
    texts: Vec<(String, String)>,
    pub(crate) templates: Vec<(String, Result<Parsed, Fail>)>,
    pub(crate) files: Vec<(String, String)>,
}

/// An entry of `dependencies`.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) alias: Option<String>,
    pub(crate) condition: String,
    pub(crate) tags: Vec<String>,
    pub(crate) import_values: Vec<Value>,
}

/// What a chart is rendered as, and for which cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// `.Release.Name`.
    pub name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// `.Capabilities.KubeVersion`, with its `v`.
    pub kube_version: String,
    /// API versions beside those every cluster has.
    pub api_versions: Vec<String>,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            kube_version: "v1.34.0".to_owned(),
            api_versions: Vec::new(),
        }
    }
}

/// How much of the templates is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What Helm renders.
    #[default]
    Exact,
    /// Both sides of every choice between lines of a template file but those for a registry that is
    /// set, and every subchart; what
    /// cannot be read becomes [`MARK`](super::MARK).
    EveryBranch,
}

/// The templates of a chart and its subcharts, rendered.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Template path (`chart/templates/a.yaml`, `chart/charts/sub/templates/b.yaml`) and text.
    pub manifests: Vec<(String, String)>,
    /// Template path, and where and why it could not be rendered.
    pub unread: Vec<(String, String)>,
}

impl Chart {
    /// Reads a chart from its files, given by their paths below the chart's folder. Subcharts
    /// are read from `charts/<folder>/`; packed ones are added with
    /// [`with_subchart`](Self::with_subchart).
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self, String> {
        Self::from_files_like(files, None)
    }

    /// The same, where most of the files may be those of a chart that was read already.
    pub fn from_files_like(
        files: Vec<(String, String)>,
        like: Option<&Self>,
    ) -> Result<Self, String> {
        Self::nested(files, 0, like)
    }

    /// Adds a subchart that does not lie unpacked in `charts/`.
    #[must_use]
    pub fn with_subchart(mut self, subchart: Self) -> Self {
        self.subcharts.push(subchart);
        self
    }

    /// The chart's name, from `Chart.yaml`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The chart's version, from `Chart.yaml`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The chart's own default values, without those of its subcharts.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// The subcharts, by the names of their own `Chart.yaml`.
    pub fn subcharts(&self) -> &[Self] {
        &self.subcharts
    }

    /// The default values as the chart's templates see them: those of the subcharts that are
    /// turned on in their places.
    pub fn all_values(&self) -> Result<Value, String> {
        values::place(self, &Value::Null, false).map(|(_, values)| values)
    }

    /// Why the schemas of the chart and its subcharts may refuse these values where they differ from
    /// those before; nothing when they do not.
    pub fn refuses(&self, before: (&Self, &Value), after: &Value) -> Option<String> {
        let (_, old) = values::place(before.0, before.1, false).ok()?;
        let (placed, new) = values::place(self, after, false).ok()?;
        refused(&placed, &old, &new)
    }

    fn nested(
        files: Vec<(String, String)>,
        depth: usize,
        like: Option<&Self>,
    ) -> Result<Self, String> {
        if depth > 10 {
            return Err("subcharts nest too deep".to_owned());
        }
        let mut sorted = Sorted::default();
        // The rules of the outermost chart hold for the subcharts in its folder as well.
        let rules = files
            .iter()
            .find(|(path, _)| depth == 0 && path == ".helmignore");
        let ignored = Ignored::new(rules.map_or("", |(_, text)| text));
        let kept = files
            .into_iter()
            .filter(|(path, _)| path == "Chart.yaml" || !ignored.covers(path));
        kept.for_each(|(path, text)| sorted.take(path, text));
        let metadata = document(sorted.metadata.as_deref().ok_or("there is no Chart.yaml")?)
            .map_err(|error| format!("Chart.yaml: {error}"))?;
        let values = match &sorted.values {
            Some(text) => document(text).map_err(|error| format!("values.yaml: {error}"))?,
            None => Value::Object(serde_json::Map::new()),
        };
        let requirements = sorted.requirements.as_deref().map(document).transpose();
        let requirements = requirements.map_err(|error| format!("requirements.yaml: {error}"))?;
        let listed = [Some(&metadata), requirements.as_ref()];
        let dependencies = listed
            .into_iter()
            .flatten()
            .filter_map(|of| of.get("dependencies")?.as_array());
        let dependencies = dependencies.flatten().map(dependency).collect();
        let name = text_at(&metadata, "name");
        if name.is_empty() {
            return Err("Chart.yaml: there is no name".to_owned());
        }
        let subcharts: Result<Vec<Self>, String> = sorted
            .subcharts
            .into_iter()
            .filter(|(_, files)| files.iter().any(|(path, _)| path == "Chart.yaml"))
            .enumerate()
            .map(|(at, (folder, files))| {
                let like = like.and_then(|like| like.subcharts.get(at));
                Self::nested(files, depth + 1, like)
                    .map_err(|error| format!("charts/{folder}: {error}"))
            })
            .collect();
        let known = like.map(|like| &like.content);
        let content = Content::or_known(known, metadata, sorted.templates, sorted.files);
        Ok(Self {
            name,
            version: text_at(&content.metadata, "version"),
            values,
            dependencies,
            subcharts: subcharts?,
            content,
            schema: sorted.schema.as_deref().map(schema_of),
        })
    }

    /// Renders the chart with these values over its defaults. A template that fails leaves the
    /// others; `NOTES.txt` is left out.
    pub fn render(&self, values: &Value, release: &Release, mode: Mode) -> Rendered {
        self.trace(values, release, mode, &[]).rendered
    }

    /// The same, ready to tell what the others render: charts of the same templates, each with its values
    /// and release.
    pub fn trace(
        &self,
        values: &Value,
        release: &Release,
        mode: Mode,
        others: &[(&Self, &Value, &Release)],
    ) -> Traced {
        let setting = |(chart, values, release): &(&Self, &Value, &Release)| {
            let (_, setting) = chart.place(values, release, mode).ok()?;
            Some(setting)
        };
        let others: Vec<Setting> = others.iter().filter_map(setting).collect();
        let render = || match self.place(values, release, mode) {
            Ok((placed, setting)) => {
                let watch = Arc::new(Watch::of(&setting, &others));
                Scene::new(&placed, &setting).render(mode, setting, watch, None)
            }
            Err(why) => Traced::refused(&self.name, &why, mode),
        };
        self.on_stack(mode, render)
    }

    /// What a chart of the same templates renders with other values or for another release. What differs in
    /// nothing that a file asks for is taken over.
    pub fn trace_like(&self, base: &Traced, values: &Value, release: &Release) -> Traced {
        let render = || match self.place(values, release, base.mode) {
            Ok((placed, setting)) => match base.same_in(setting) {
                Ok(traced) => traced,
                Err(setting) => Scene::new(&placed, &setting).render(
                    base.mode,
                    setting,
                    Arc::clone(&base.watch),
                    Some(base),
                ),
            },
            Err(why) => Traced::refused(&self.name, &why, base.mode),
        };
        self.on_stack(base.mode, render)
    }

    fn place(
        &self,
        values: &Value,
        release: &Release,
        mode: Mode,
    ) -> Result<(Placed<'_>, Setting), String> {
        let (placed, values) = values::place(self, values, mode == Mode::EveryBranch)?;
        let setting = Setting::new(&placed, values, release);
        Ok((placed, setting))
    }

    /// Runs it on a stack of its own.
    fn on_stack(&self, mode: Mode, render: impl FnOnce() -> Traced + Send) -> Traced {
        let traced = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, render);
            thread.ok().and_then(|thread| thread.join().ok())
        });
        traced.unwrap_or_else(|| Traced::refused(&self.name, "the render could not be run", mode))
    }

    pub(crate) fn is_library(&self) -> bool {
        self.content.metadata.get("type").and_then(Value::as_str) == Some("library")
    }

    /// `.Chart`, under the name the chart goes by here.
    pub(crate) fn structure(&self, name: &str, root: bool) -> Val {
        let text = |key: &str| Val::text(text_at(&self.content.metadata, key));
        let data = |key: &str| {
            self.content
                .metadata
                .get(key)
                .map_or(Val::Nil, Val::from_json)
        };
        Val::structure(
            "chart.Metadata",
            None,
            vec![
                ("Name", Val::text(name)),
                ("Home", text("home")),
                ("Sources", data("sources")),
                ("Version", text("version")),
                ("Description", text("description")),
                ("Keywords", data("keywords")),
                ("Maintainers", data("maintainers")),
                ("Icon", text("icon")),
                ("APIVersion", text("apiVersion")),
                ("Condition", text("condition")),
                ("Tags", text("tags")),
                ("AppVersion", text("appVersion")),
                (
                    "Deprecated",
                    Val::Bool(self.content.metadata.get("deprecated") == Some(&Value::Bool(true))),
                ),
                (
                    "Annotations",
                    match data("annotations") {
                        Val::Nil => Val::Dict(Dict::new()),
                        annotations => annotations,
                    },
                ),
                ("KubeVersion", text("kubeVersion")),
                ("Dependencies", data("dependencies")),
                ("Type", text("type")),
                ("IsRoot", Val::Bool(root)),
            ],
        )
    }
}

impl Content {
    /// What is `known` when it consists of the same, so that nothing is parsed twice.
    fn or_known(
        known: Option<&Arc<Self>>,
        metadata: Value,
        texts: Vec<(String, String)>,
        files: Vec<(String, String)>,
    ) -> Arc<Self> {
        let is_same = |known: &&Arc<Self>| {
            known.metadata == metadata && known.texts == texts && known.files == files
        };
        match known.filter(is_same) {
            Some(known) => Arc::clone(known),
            None => Arc::new(Self::new(metadata, texts, files)),
        }
    }

    fn new(metadata: Value, texts: Vec<(String, String)>, files: Vec<(String, String)>) -> Self {
        let parse = |(path, text): &(String, String)| (path.clone(), parse::parse(text));
        Self {
            metadata,
            templates: texts.iter().map(parse).collect(),
            texts,
            files,
        }
    }
}

/// The first schema that may refuse values, of a chart or of one below it.
fn refused(placed: &Placed<'_>, before: &Value, after: &Value) -> Option<String> {
    let schema = placed.chart.schema.as_ref();
    let own = schema.and_then(|schema| schema::refused(schema, before, after));
    let own = own.map(|path| format!("its values.schema.json may not allow that of `{path}`"));
    let mut children = placed.children.iter();
    own.or_else(|| {
        children.find_map(|child| {
            let inner = |values: &'_ Value| values.get(&child.name).cloned().unwrap_or_default();
            refused(child, &inner(before), &inner(after))
        })
    })
}

/// A schema; one that cannot be read allows nothing.
fn schema_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Bool(false))
}

fn document(text: &str) -> Result<Value, String> {
    yaml_read::read(text)
}

/// A text of `Chart.yaml`, which may be written as a number there.
fn text_at(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => print::float(number.as_f64().unwrap_or_default()),
        },
        Some(Value::Bool(value)) => value.to_string(),
        _ => String::new(),
    }
}

fn dependency(entry: &Value) -> Dependency {
    let texts = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    Dependency {
        name: text_at(entry, "name"),
        version: text_at(entry, "version"),
        alias: Some(text_at(entry, "alias")).filter(|alias| !alias.is_empty()),
        condition: text_at(entry, "condition"),
        tags: texts("tags")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        import_values: texts("import-values"),
    }
}

/// A chart's files by what they are for.
#[derive(Default)]
struct Sorted {
    metadata: Option<String>,
    values: Option<String>,
    requirements: Option<String>,
    schema: Option<String>,
    templates: Vec<(String, String)>,
    files: Vec<(String, String)>,
    subcharts: BTreeMap<String, Vec<(String, String)>>,
}

impl Sorted {
    fn take(&mut self, path: String, text: String) {
        match path.as_str() {
            "Chart.yaml" => self.metadata = Some(text),
            "values.yaml" => self.values = Some(text),
            "requirements.yaml" => self.requirements = Some(text),
            "values.schema.json" => self.schema = Some(text),
            "Chart.lock" | "requirements.lock" => {}
            _ if path.starts_with("templates/") => self.templates.push((path, text)),
            _ => match path.strip_prefix("charts/") {
                None => self.files.push((path, text)),
                Some(inner) => {
                    if let Some((folder, inner)) = inner.split_once('/')
                        && !folder.starts_with(['_', '.'])
                    {
                        let files = self.subcharts.entry(folder.to_owned()).or_default();
                        files.push((inner.to_owned(), text));
                    }
                }
            },
        }
    }
}
