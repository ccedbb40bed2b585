//! A chart in memory, and its rendering.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::eval::{Run, Template, Templates};
use super::ignored::Ignored;
use super::limits::{Fail, Res};
use super::parse::{self, Parsed};
use super::print;
use super::schema;
use super::value::{Dict, Object, Val};
use super::values::{self, Placed};
use super::versions;
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
    metadata: Value,
    schema: Option<Value>,
    templates: Vec<(String, Result<Parsed, Fail>)>,
    files: Vec<(String, String)>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What Helm renders.
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
        Self::nested(files, 0)
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

    fn nested(files: Vec<(String, String)>, depth: usize) -> Result<Self, String> {
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
            .map(|(folder, files)| {
                Self::nested(files, depth + 1).map_err(|error| format!("charts/{folder}: {error}"))
            })
            .collect();
        let parse = |(path, text): (String, String)| (path, parse::parse(&text));
        Ok(Self {
            name,
            version: text_at(&metadata, "version"),
            values,
            dependencies,
            subcharts: subcharts?,
            metadata,
            schema: sorted.schema.as_deref().map(schema_of),
            templates: sorted.templates.into_iter().map(parse).collect(),
            files: sorted.files,
        })
    }

    /// Renders the chart with these values over its defaults. A template that fails leaves the
    /// others; `NOTES.txt` is left out.
    pub fn render(&self, values: &Value, release: &Release, mode: Mode) -> Rendered {
        let render = || self.render_here(values, release, mode);
        let rendered = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, render);
            thread.ok().and_then(|thread| thread.join().ok())
        });
        rendered.unwrap_or_else(|| Rendered::refused(&self.name, "the render could not be run"))
    }

    fn render_here(&self, values: &Value, release: &Release, mode: Mode) -> Rendered {
        let (placed, values) = match values::place(self, values, mode == Mode::EveryBranch) {
            Ok(placed) => placed,
            Err(why) => return Rendered::refused(&self.name, &why),
        };
        let mut scene = Scene::new(release);
        let root = match Val::from_json(&values) {
            Val::Dict(root) => root,
            _ => Dict::new(),
        };
        scene.place(&placed, &placed.name.clone(), root, true);
        scene.render(mode)
    }

    fn is_library(&self) -> bool {
        self.metadata.get("type").and_then(Value::as_str) == Some("library")
    }

    /// `.Chart`, under the name the chart goes by here.
    fn structure(&self, name: &str, root: bool) -> Val {
        let text = |key: &str| Val::text(text_at(&self.metadata, key));
        let data = |key: &str| self.metadata.get(key).map_or(Val::Nil, Val::from_json);
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
                    Val::Bool(self.metadata.get("deprecated") == Some(&Value::Bool(true))),
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

impl Rendered {
    fn refused(name: &str, why: &str) -> Self {
        Self {
            manifests: Vec::new(),
            unread: vec![(name.to_owned(), why.to_owned())],
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

/// Everything a render needs, gathered from the chart and its subcharts.
struct Scene {
    release: Val,
    capabilities: Val,
    templates: Templates,
    /// What is rendered, in no order yet: path, template, what it sees, and its folder.
    files: Vec<(String, Template, Dict, String)>,
    /// Definitions, with the depth and path of the file they are in.
    definitions: Vec<(String, Arc<str>, Template)>,
    unread: Vec<(String, String)>,
}

impl Scene {
    fn new(release: &Release) -> Self {
        let fields = [
            ("Name", Val::text(release.name.as_str())),
            ("Namespace", Val::text(release.namespace.as_str())),
            ("IsInstall", Val::Bool(true)),
            ("IsUpgrade", Val::Bool(false)),
            ("Revision", Val::Int(1)),
            ("Service", Val::text("Helm")),
        ];
        let fields = fields
            .into_iter()
            .map(|(key, value)| (Arc::from(key), value))
            .collect();
        Self {
            release: Val::Dict(fields),
            capabilities: versions::capabilities(&release.kube_version, &release.api_versions),
            templates: HashMap::new(),
            files: Vec::new(),
            definitions: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Takes a chart and its subcharts in; gives what the chart's templates see.
    fn place(&mut self, placed: &Placed<'_>, path: &str, values: Dict, root: bool) -> Dict {
        let subcharts = Dict::new();
        let sees = Dict::new();
        for child in &placed.children {
            let inner = match values.get(&child.name) {
                Some(Val::Dict(inner)) => inner,
                _ => Dict::new(),
            };
            let inner = self.place(
                child,
                &format!("{path}/charts/{}", child.name),
                inner,
                false,
            );
            subcharts.set(child.name.as_str(), Val::Dict(inner));
        }
        sees.set("Chart", placed.chart.structure(&placed.name, root));
        sees.set("Values", Val::Dict(values));
        sees.set("Release", self.release.clone());
        sees.set("Capabilities", self.capabilities.clone());
        sees.set("Subcharts", Val::Dict(subcharts));
        let files = placed.chart.files.iter();
        let files = files.map(|(path, text)| (Arc::from(path.as_str()), Arc::from(text.as_str())));
        sees.set(
            "Files",
            Val::Object(Object::Files(Rc::new(files.collect()))),
        );
        self.take_templates(placed.chart, path, &sees);
        sees
    }

    fn take_templates(&mut self, chart: &Chart, path: &str, sees: &Dict) {
        for (name, parsed) in &chart.templates {
            let partial = name
                .rsplit('/')
                .next()
                .is_some_and(|name| name.starts_with('_'));
            if chart.is_library() && !partial {
                continue;
            }
            let full = format!("{path}/{name}");
            let file: Arc<str> = Arc::from(full.as_str());
            match parsed {
                Err(fail) => {
                    let at = fail.at.as_ref().map(|(_, line)| (Arc::clone(&file), *line));
                    self.unread.push((full, Fail { at, ..fail.clone() }.line()));
                }
                Ok(parsed) => {
                    let template = |body| Template {
                        file: Arc::clone(&file),
                        body: Arc::clone(body),
                    };
                    let own = (full.clone(), Arc::clone(&file), template(&parsed.body));
                    self.definitions.push(own);
                    for (name, body) in &parsed.defines {
                        self.definitions
                            .push((full.clone(), Arc::clone(name), template(body)));
                    }
                    if !partial {
                        let folder = format!("{path}/templates");
                        self.files
                            .push((full, template(&parsed.body), sees.clone(), folder));
                    }
                }
            }
        }
    }

    /// Renders the files, deepest first as Helm does; a definition nearer to the top replaces
    /// one of the same name further down.
    fn render(mut self, mode: Mode) -> Rendered {
        let rank = |path: &str| (path.matches('/').count(), path.to_owned());
        self.files
            .sort_by_cached_key(|(path, ..)| std::cmp::Reverse(rank(path)));
        self.definitions
            .sort_by_cached_key(|(path, ..)| std::cmp::Reverse(rank(path)));
        for (_, name, template) in self.definitions {
            // An empty body does not replace one that says something.
            let keeps = is_blank(&template) && self.templates.contains_key(&name);
            if !keeps {
                self.templates.insert(name, template);
            }
        }
        let mut run = Run::new(&self.templates, mode == Mode::EveryBranch);
        let mut rendered = Rendered {
            manifests: Vec::new(),
            unread: self.unread,
        };
        for (path, template, sees, folder) in self.files {
            let result = render_file(&mut run, &path, &template, &sees, &folder);
            match result {
                Err(fail) => rendered.unread.push((path, fail.line())),
                Ok(_) if path.ends_with("NOTES.txt") => {}
                Ok(text) => rendered.manifests.push((path, text)),
            }
        }
        rendered.manifests.sort();
        rendered
    }
}

fn render_file(
    run: &mut Run<'_>,
    path: &str,
    template: &Template,
    sees: &Dict,
    folder: &str,
) -> Res<String> {
    let fields = [("Name", Val::text(path)), ("BasePath", Val::text(folder))];
    let fields = fields
        .into_iter()
        .map(|(key, value)| (Arc::from(key), value))
        .collect();
    sees.set("Template", Val::Dict(fields));
    run.file(template, &Val::Dict(sees.clone()))
}

fn is_blank(template: &Template) -> bool {
    template.body.iter().all(|node| match node {
        parse::Node::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}
