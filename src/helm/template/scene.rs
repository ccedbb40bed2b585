//! One render of a chart: what its templates see, and what comes out of them.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::chart::{Chart, Mode, Rendered};
use super::eval::{Run, Template, Templates};
use super::limits::{Fail, Res};
use super::parse;
use super::trace::{Notes, Setting, Watch};
use super::value::{Dict, Object, Val};
use super::values::Placed;
use super::versions;

/// A render that tells which of its files others may take over.
#[derive(Debug, Default)]
pub struct Traced {
    /// What came out.
    pub rendered: Rendered,
    pub(crate) mode: Mode,
    /// What each file asked for of what is watched.
    asked: HashMap<String, BTreeSet<usize>>,
    /// What it was rendered with; none when nothing of it can be taken over.
    setting: Option<Setting>,
    pub(crate) watch: Arc<Watch>,
}

/// Everything a render needs, gathered from the chart and its subcharts.
pub(crate) struct Scene {
    /// What the outermost chart sees.
    sees: Dict,
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
    pub(crate) fn new(placed: &Placed<'_>, setting: &Setting) -> Self {
        let release = &setting.release;
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
        let mut scene = Self {
            sees: Dict::new(),
            release: Val::Dict(fields),
            capabilities: versions::capabilities(&release.kube_version, &release.api_versions),
            templates: HashMap::new(),
            files: Vec::new(),
            definitions: Vec::new(),
            unread: Vec::new(),
        };
        let root = match Val::from_json(&setting.values) {
            Val::Dict(root) => root,
            _ => Dict::new(),
        };
        scene.sees = scene.place(placed, &placed.name, root, true);
        scene
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
        let files = placed.chart.content.files.iter();
        let files = files.map(|(path, text)| (Arc::from(path.as_str()), Arc::from(text.as_str())));
        sees.set(
            "Files",
            Val::Object(Object::Files(Rc::new(files.collect()))),
        );
        self.take_templates(placed.chart, path, &sees);
        sees
    }

    fn take_templates(&mut self, chart: &Chart, path: &str, sees: &Dict) {
        for (name, parsed) in &chart.content.templates {
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
    /// one of the same name further down. What files of `base` do not ask for need not be rendered.
    pub(crate) fn render(
        mut self,
        mode: Mode,
        setting: Setting,
        watch: Arc<Watch>,
        base: Option<&Traced>,
    ) -> Traced {
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
        let notes = Rc::new(Notes::default());
        let is_watched = !watch.is_empty() && watch.install(&self.sees, &notes);
        let known = base.and_then(|base| Some((base, base.differing(&setting)?)));
        let mut run = Run::new(&self.templates, mode == Mode::EveryBranch);
        let mut traced = Traced {
            rendered: Rendered {
                manifests: Vec::new(),
                unread: self.unread,
            },
            mode,
            asked: HashMap::new(),
            setting: None,
            watch,
        };
        let mut is_bounded = false;
        for (path, template, sees, folder) in self.files {
            let known = known.as_ref();
            if known.is_some_and(|(base, numbers)| traced.takes(base, &path, numbers)) {
                continue;
            }
            notes.take();
            let result = render_file(&mut run, &path, &template, &sees, &folder);
            traced.asked.insert(path.clone(), notes.take());
            match result {
                Err(fail) => {
                    is_bounded |= fail.fatal;
                    traced.rendered.unread.push((path, fail.line()));
                }
                Ok(_) if path.ends_with("NOTES.txt") => {}
                Ok(text) => traced.rendered.manifests.push((path, text)),
            }
        }
        traced.rendered.manifests.sort();
        if is_watched && !is_bounded && !notes.writes() {
            traced.setting = Some(setting);
        }
        traced
    }
}

impl Traced {
    pub(crate) fn refused(name: &str, why: &str, mode: Mode) -> Self {
        let rendered = Rendered {
            manifests: Vec::new(),
            unread: vec![(name.to_owned(), why.to_owned())],
        };
        Self {
            rendered,
            mode,
            ..Self::default()
        }
    }

    /// What each file asked for.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> impl Iterator<Item = &BTreeSet<usize>> {
        self.asked.values()
    }

    /// What differs in another setting, as far as files may have asked for it; nothing when that is not known.
    fn differing(&self, setting: &Setting) -> Option<BTreeSet<usize>> {
        self.watch.differing(self.setting.as_ref()?, setting)
    }

    /// The same in another setting, when no file asks for what differs there; or the setting.
    pub(crate) fn same_in(&self, setting: Setting) -> Result<Self, Setting> {
        let numbers = self.differing(&setting);
        let is_asked = |numbers: &BTreeSet<usize>| {
            let mut asked = self.asked.values();
            asked.any(|asked| !asked.is_disjoint(numbers))
        };
        if numbers.is_none_or(|numbers| is_asked(&numbers)) {
            return Err(setting);
        }
        Ok(Self {
            rendered: self.rendered.clone(),
            mode: self.mode,
            asked: self.asked.clone(),
            setting: Some(setting),
            watch: Arc::clone(&self.watch),
        })
    }

    /// Takes a file over that asked for nothing of this. Whether it did.
    fn takes(&mut self, base: &Self, path: &str, numbers: &BTreeSet<usize>) -> bool {
        let Some(asked) = base.asked.get(path) else {
            return false;
        };
        if !asked.is_disjoint(numbers) {
            return false;
        }
        self.asked.insert(path.to_owned(), asked.clone());
        let of = |all: &[(String, String)]| all.iter().find(|(known, _)| known == path).cloned();
        self.rendered.manifests.extend(of(&base.rendered.manifests));
        self.rendered.unread.extend(of(&base.rendered.unread));
        true
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
    sees.put("Template", Val::Dict(fields));
    run.file(template, &Val::Dict(sees.clone()))
}

fn is_blank(template: &Template) -> bool {
    template.body.iter().all(|node| match node {
        parse::Node::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}
