//! Trees of kustomizations, generated: what they are made of, and the files that they are. Nothing is
//! left to chance, so that a tree that fails can be looked at again; what is not crossed with
//! everything else (file names, ways of writing) turns with the number of the tree.

use std::collections::BTreeMap;

use super::common::REGISTRY;

/// Files by their path.
pub type Files = BTreeMap<String, String>;

/// The folder that the program sees.
pub const REPO: &str = "repo/";
/// What is on no disk.
pub const STUB: &str = "remote/";
/// Where kustomizations take a base from that is on no disk, and where it lies for kustomize.
pub const REMOTE: (&str, &str) = (
    "https://github.com/acme/platform//base0?ref=v1",
    "../../../remote/base0",
);

/// Marks everything that is crossed, for the tables.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($kind:ident $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($kind),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            pub fn text(self) -> &'static str {
                match self { $(Self::$kind => $text),+ }
            }
        }
    };
}

kinds!(
    /// How images and entries are spelled.
    Names {
        Bare "bare",
        Host "docker.io/library/",
        Library "library/",
        Two "two spellings",
        Pattern "a pattern",
        Class "a class of characters",
    }
);
kinds!(
    /// What the entries say.
    Entry {
        None "none",
        NewTag "newTag",
        NewName "newName",
        Both "newName+newTag",
        Digest "digest",
    }
);
kinds!(
    /// Which overlays have entries.
    On {
        Leaf "the last",
        All "all",
        OneSibling "one of two siblings",
        First "the first",
        BothSiblings "two siblings",
    }
);
kinds!(
    /// What the tree is about.
    Feature {
        Plain "plain",
        Remote "remote base",
        Neighbour "base outside of the repository",
        Component "component",
        MergeFile "strategic merge, file",
        MergeInline "strategic merge, inline",
        JsonFile "JSON6902 replace, file",
        JsonInline "JSON6902 replace, inline",
        JsonTest "JSON6902 test",
        JsonAdd "JSON6902 add",
        Configurations "configurations",
        Replacements "replacements",
    }
);

impl Feature {
    /// Those with images where the program does not look yet: operations on images, and names of what
    /// is in no file of the repository. Such an image may stay without a word; it may not change wrongly.
    const NOT_READ_YET: &[Self] = &[Self::Remote, Self::Neighbour];

    /// Whether images of such a tree may stay without a word.
    pub fn may_be_silent(self) -> bool {
        Self::NOT_READ_YET.contains(&self)
    }
}

impl Names {
    /// Two images without their tags.
    fn images(self) -> [&'static str; 2] {
        match self {
            Self::Bare | Self::Class => ["nginx"; 2],
            Self::Host => ["docker.io/library/nginx"; 2],
            Self::Library => ["library/nginx"; 2],
            Self::Two => ["nginx", "docker.io/library/nginx"],
            Self::Pattern => ["quay.io/acme/app", "quay.io/other/app"],
        }
    }

    /// The names that entries have; `more` where they may have several.
    fn entries(self, more: bool) -> Vec<&'static str> {
        match self {
            Self::Two if more => self.images().to_vec(),
            Self::Pattern => vec!["quay.io/.*/app"],
            Self::Class => vec!["ngin[x]"],
            _ => vec![self.images()[0]],
        }
    }
}

/// What one tree is made of.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub number: usize,
    pub bases: usize,
    pub depth: usize,
    pub names: Names,
    pub entry: Entry,
    pub on: On,
    pub feature: Feature,
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |feature, names, entry, on| {
        let number = cases.len();
        cases.push(Case {
            number,
            bases: 1 + number % 2,
            depth: 1 + (number / 2 + number / 7) % 3,
            names,
            entry,
            on,
            feature,
        });
    };
    for names in Names::ALL {
        for entry in Entry::ALL.iter().filter(|entry| **entry != Entry::None) {
            On::ALL
                .iter()
                .for_each(|on| add(Feature::Plain, *names, *entry, *on));
        }
        (0..3).for_each(|_| add(Feature::Plain, *names, Entry::None, On::Leaf));
    }
    let mut turn = Names::ALL.iter().cycle();
    let mut names = || *turn.next().unwrap_or(&Names::Bare);
    for feature in &Feature::ALL[1..] {
        for entry in Entry::ALL {
            let places = if *entry == Entry::None { 1 } else { 3 };
            for on in &On::ALL[..places] {
                (0..2).for_each(|_| add(*feature, names(), *entry, *on));
            }
            // Six forms in steps of two would meet the same places again and again.
            names();
        }
    }
    cases
}

impl Case {
    /// Its name in messages.
    pub fn name(&self) -> String {
        let Self {
            number,
            bases,
            depth,
            names,
            entry,
            on,
            feature,
        } = self;
        format!(
            "tree {number}: {}; {bases} bases, {depth} overlays; {} entries, {}, on {}",
            feature.text(),
            entry.text(),
            names.text(),
            on.text()
        )
    }

    /// Whether its first base has an image beside those that entries name.
    pub fn has_more(&self) -> bool {
        self.turns(3)
    }

    /// Its files: those of the repository, and what is elsewhere.
    pub fn files(&self) -> Files {
        let mut tree = Tree {
            case: *self,
            files: Files::new(),
        };
        tree.bases();
        for level in 0..self.depth {
            tree.overlay(&format!("l{level}"), level, self.has_entries(level));
        }
        match self.on {
            On::OneSibling => tree.overlay("other", self.depth - 1, false),
            On::BothSiblings => tree.overlay("other", self.depth - 1, true),
            _ => {}
        }
        tree.files
    }

    fn turns(&self, every: usize) -> bool {
        self.number.is_multiple_of(every)
    }

    fn has_entries(&self, level: usize) -> bool {
        let last = level + 1 == self.depth;
        self.entry != Entry::None
            && match self.on {
                On::All => true,
                On::First => level == 0,
                On::Leaf | On::OneSibling | On::BothSiblings => last,
            }
    }

    fn new_name(&self, level: usize) -> String {
        match (self.number % 6, level) {
            (0, 0) => "mcr.microsoft.com/acme/web".into(),
            (1, 0) => "docker.io/library/nginx".into(),
            (2, 0) => format!("{REGISTRY}/docker-hub/library/nginx"),
            (_, 0) => "quay.io/acme/web".into(),
            (_, 1) => "ghcr.io/acme/web".into(),
            (_, _) => "httpd".into(),
        }
    }

    /// The names that the entries of a level have: what the level before has made of the image, or,
    /// now and then, what it was, which matches nothing any more.
    fn entry_names(&self, level: usize) -> Vec<String> {
        let renames = matches!(self.entry, Entry::NewName | Entry::Both);
        let renamed = renames && level > 0 && self.has_entries(level - 1);
        if renamed && !self.turns(5) {
            return vec![self.new_name(level - 1)];
        }
        let names = self.names.entries(self.turns(2));
        names.into_iter().map(Into::into).collect()
    }

    /// The `images` of an overlay.
    fn images(&self, level: usize, other: bool) -> String {
        let shift = if other { 5 } else { 0 };
        let (tag, digit) = (format!("1.{}", 30 + level + shift), level + shift);
        let entries = self.entry_names(level).into_iter().map(|name| {
            let mut pairs = vec![("name", quoted(&name))];
            let new_name = ("newName", self.new_name(level));
            let new_tag = ("newTag", quoted(&tag));
            match self.entry {
                Entry::None => {}
                Entry::NewTag => pairs.push(new_tag),
                Entry::NewName => pairs.push(new_name),
                Entry::Both => pairs.extend([new_name, new_tag]),
                Entry::Digest => {
                    pairs.push(("digest", format!("sha256:{}", digit.to_string().repeat(64))));
                }
            }
            if self.turns(4) {
                pairs.reverse();
            }
            self.entry_text(&pairs)
        });
        let entries: Vec<String> = entries.collect();
        match self.number % 3 {
            0 => format!("images:\n{}", entries.concat()),
            _ => format!("images: [{}]\n", entries.join(", ")),
        }
    }

    fn entry_text(&self, pairs: &[(&str, String)]) -> String {
        let written = |key: &str, value: &str| match self.number % 3 {
            2 => format!("\"{key}\": \"{}\"", value.trim_matches('"')),
            _ => format!("{key}: {value}"),
        };
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(key, value)| written(key, value))
            .collect();
        match self.number % 3 {
            0 => format!("- {}\n", pairs.join("\n  ")),
            _ => format!("{{{}}}", pairs.join(", ")),
        }
    }

    fn kustomization(&self) -> &'static str {
        match self.number % 5 {
            0 => "kustomization.yml",
            1 => "Kustomization",
            _ => "kustomization.yaml",
        }
    }
}

fn quoted(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(['*', '[']) {
        return format!("\"{text}\"");
    }
    text.to_string()
}

fn workload(kind: &str, name: &str, containers: &[(&str, String)]) -> String {
    let group = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    let mut text = format!("apiVersion: {group}\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n");
    if kind == "Deployment" {
        text.push_str("  replicas: 1\n");
    }
    text.push_str("  template:\n    spec:\n      containers:\n");
    for (name, image) in containers {
        text.push_str(&format!(
            "      - name: {name}\n        image: {image} # as it is\n"
        ));
    }
    text
}

/// A text below a key, one level deeper.
fn block(key: &str, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    format!("  {key}: |-\n    {}\n", lines.join("\n    "))
}

/// A tree that grows.
struct Tree {
    case: Case,
    files: Files,
}

impl Tree {
    fn put(&mut self, path: &str, text: impl Into<String>) {
        self.files.insert(path.to_string(), text.into());
    }

    fn image(&self, index: usize, tag: &str) -> String {
        format!("{}:{tag}", self.case.names.images()[index])
    }

    fn bases(&mut self) {
        let Case { feature, bases, .. } = self.case;
        let home = match feature {
            Feature::Remote => STUB,
            Feature::Neighbour => "neighbour/",
            _ => REPO,
        };
        let mut containers = vec![("main", self.image(0, "1.27"))];
        if self.case.has_more() {
            containers.push(("side", "quay.io/acme/side:2".into()));
        }
        if bases == 1 {
            containers.push(("second", self.image(1, "1.27")));
        }
        let mut resources = vec!["app.yaml"];
        let folder = format!("{home}base0");
        self.put(
            &format!("{folder}/app.yaml"),
            workload("Deployment", "app0", &containers),
        );
        if feature == Feature::Replacements {
            resources.push("job.yaml");
            let copy = [("main", self.image(0, "1.20"))];
            self.put(
                &format!("{folder}/job.yaml"),
                workload("Job", "copy", &copy),
            );
        }
        if feature == Feature::Configurations {
            resources.push("runner.yaml");
            let (key, image) = (self.declared(), self.image(0, "1.27"));
            let runner = format!(
                "apiVersion: example.com/v1\nkind: Runner\nmetadata:\n  name: runner\nspec:\n  {key}: {image}\n"
            );
            self.put(&format!("{folder}/runner.yaml"), runner);
            self.put(
                "repo/config/images.yaml",
                format!("images:\n- path: spec/{key}\n  kind: Runner\n"),
            );
        }
        let list = resources.join(", ");
        self.put(
            &format!("{folder}/{}", self.case.kustomization()),
            format!("resources: [{list}]\n"),
        );
        if bases == 2 {
            let containers = [("main", self.image(1, "1.27"))];
            self.put(
                "repo/base1/app.yaml",
                workload("Deployment", "app1", &containers),
            );
            self.put("repo/base1/kustomization.yaml", "resources:\n- app.yaml\n");
        }
    }

    /// The key of the field that `configurations` declare to be an image.
    fn declared(&self) -> &'static str {
        if self.case.turns(2) {
            "image"
        } else {
            "runtime"
        }
    }

    fn overlay(&mut self, name: &str, level: usize, has_entries: bool) {
        let Case { feature, bases, .. } = self.case;
        let other = name == "other";
        let folder = format!("repo/overlays/{name}");
        let mut text = String::from("# An overlay.\nresources:\n");
        if level > 0 {
            text.push_str(&format!("- ../l{}\n", level - 1));
        } else {
            let base = match feature {
                Feature::Remote => REMOTE.0,
                Feature::Neighbour => "../../../neighbour/base0",
                _ => "../../base0",
            };
            text.push_str(&format!("- {base}\n"));
            if bases == 2 {
                text.push_str("- ../../base1\n");
            }
        }
        let mut images = if has_entries {
            self.case.images(level, other)
        } else {
            String::new()
        };
        if level == 0 && !other {
            text.push_str(&self.feature(&folder, &mut images));
        }
        if feature == Feature::Configurations {
            text.push_str("configurations: [../../config/images.yaml]\n");
        }
        text.push_str(&images);
        self.put(&format!("{folder}/{}", self.case.kustomization()), text);
    }

    /// What the first overlay has beside its entries.
    fn feature(&mut self, folder: &str, images: &mut String) -> String {
        match self.case.feature {
            Feature::Plain | Feature::Remote | Feature::Neighbour | Feature::Configurations => {
                String::new()
            }
            Feature::Component => self.component(images),
            Feature::MergeFile | Feature::MergeInline => self.merge(folder),
            Feature::JsonFile | Feature::JsonInline => {
                let image = self.patched();
                let path = "/spec/template/spec/containers/0/image";
                let text = format!("- op: replace\n  path: {path}\n  value: {image}\n");
                self.json(folder, &text, self.case.feature == Feature::JsonFile)
            }
            Feature::JsonTest => {
                let (before, after) = (self.image(0, "1.27"), self.patched());
                let path = "/spec/template/spec/containers/0/image";
                let more = if self.case.turns(3) {
                    format!("- op: replace\n  path: {path}\n  value: {after}\n")
                } else {
                    "- op: replace\n  path: /spec/replicas\n  value: 2\n".into()
                };
                let text = format!("- op: test\n  path: {path}\n  value: {before}\n{more}");
                self.json(folder, &text, self.case.turns(2))
            }
            Feature::JsonAdd => {
                let image = self.patched();
                let text = format!(
                    "[{{\"op\": \"add\", \"path\": \"/spec/template/spec/containers/-\", \"value\": {{\"name\": \"added\", \"image\": \"{image}\"}}}}]\n"
                );
                self.json(folder, &text, self.case.turns(2))
            }
            Feature::Replacements => self.replacements(folder),
        }
    }

    /// The image that a patch sets: another tag, another image, or the image of the entries' results.
    fn patched(&self) -> String {
        match self.case.number % 4 {
            0 => "quay.io/acme/patched:1.29".into(),
            1 => "nginx:1.29".into(),
            _ => self.image(0, "1.29"),
        }
    }

    fn component(&mut self, images: &mut String) -> String {
        let job = workload("Job", "extra", &[("main", self.image(0, "1.26"))]);
        self.put("repo/components/c/job.yaml", job);
        let mut text = String::from(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [job.yaml]\n",
        );
        let entries = std::mem::take(images);
        if entries.is_empty() && self.case.entry != Entry::None && self.case.turns(2) {
            text.push_str(&self.case.images(0, true));
        }
        text.push_str(&entries);
        self.put("repo/components/c/kustomization.yaml", text);
        "components:\n- ../../components/c\n".into()
    }

    fn merge(&mut self, folder: &str) -> String {
        let image = self.patched();
        let patch = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app0\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: {image}\n"
        );
        if self.case.feature == Feature::MergeInline {
            return format!(
                "patches:\n- target: {{kind: Deployment, name: app0}}\n{}",
                block("patch", &patch)
            );
        }
        self.put(&format!("{folder}/patch.yaml"), patch);
        if self.case.turns(3) {
            return "patchesStrategicMerge: [patch.yaml]\n".into();
        }
        "patches:\n- path: patch.yaml\n".into()
    }

    fn json(&mut self, folder: &str, text: &str, in_file: bool) -> String {
        let old = self.case.turns(3);
        let list = if old { "patchesJson6902" } else { "patches" };
        let version = if old {
            "group: apps, version: v1, "
        } else {
            ""
        };
        let head = format!("{list}:\n- target: {{{version}kind: Deployment, name: app0}}\n");
        if !in_file {
            return head + &block("patch", text);
        }
        self.put(&format!("{folder}/operations.yaml"), text);
        head + "  path: operations.yaml\n"
    }

    fn replacements(&mut self, folder: &str) -> String {
        let path = "spec.template.spec.containers.0.image";
        let options = match self.case.number % 3 {
            0 => "",
            1 => "\n    options: {delimiter: ':', index: 0}",
            _ => "\n    options: {delimiter: ':', index: 1}",
        };
        let text = format!(
            "- source:\n    kind: Deployment\n    name: app0\n    fieldPath: {path}{options}\n  targets:\n  - select: {{kind: Job, name: copy}}\n    fieldPaths: [{path}]{options}\n"
        );
        if self.case.turns(2) {
            self.put(&format!("{folder}/replacement.yaml"), text);
            return "replacements:\n- path: replacement.yaml\n".into();
        }
        format!("replacements:\n{text}")
    }
}
