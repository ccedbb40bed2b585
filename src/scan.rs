//! The first stage: one file becomes documents, sites and facts.
//!
//! Pure and on its own for every file, so that files can be scanned in parallel. A file without any
//! of the words that sites and facts need is not parsed at all.

mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use memchr::memmem;

use crate::ignores::{Gathering, Ignores, Waiting};
use crate::image;
use crate::sites::{self, BlockId, Fact, Found, GeneratedFile, KeyPath, Keyed, Loose, Site, Step};
use crate::source::SourceFile;
use crate::walk::Role;
use crate::yaml::{
    Actions, Document, DocumentPath, Inside, MAX_DEPTH, Masked, Scalar, YamlError, documents,
    documents_where,
};

/// A file and what it holds.
#[derive(Debug)]
pub struct ScannedFile {
    /// The file. Its text is empty when nothing later on could need it.
    pub source: SourceFile,
    /// Its path within its repository, by which it is known for what it is.
    pub below: PathBuf,
    /// Why it was read.
    pub role: Role,
    /// What it holds.
    pub scan: Held,
    /// Whether it need not be YAML.
    pub template: Template,
}

impl ScannedFile {
    /// Scans a file on its own: the whole path says what it is.
    pub fn new(source: SourceFile, role: Role, options: &Options) -> Self {
        let below = source.real.clone();
        Self::below(&below, source, role, options)
    }

    /// Scans a file whose path within its repository is `below`: where the repository lies says
    /// nothing. Its text is let go unless a site of it may change or a fact has to be pointed at, so
    /// that memory follows what is found and not the size of the tree.
    pub fn below(below: &Path, mut source: SourceFile, role: Role, options: &Options) -> Self {
        let name = known_as(&source).file_name().unwrap_or_default();
        let below = below.with_file_name(name);
        let scan = scan_text(&below, &source.text, options);
        let broken = scan.not_yaml;
        let template = if broken {
            template(&below, &source.text)
        } else {
            Template::No
        };
        let names_images = !scan.sites.is_empty() || !scan.unproven.is_empty();
        let is_reported =
            broken || names_images || !scan.unread.is_empty() || !scan.keyed.is_empty();
        let may_change = role == Role::Selected && is_reported;
        if !may_change && scan.facts.is_empty() {
            source.text = String::new();
        }
        Self {
            source,
            below,
            role,
            scan: scan.into(),
            template,
        }
    }

    /// A file of the context of which nothing is asked but where it stands.
    pub fn unasked(below: &Path, source: SourceFile) -> Self {
        let text = String::new();
        Self {
            below: below.to_path_buf(),
            source: SourceFile { text, ..source },
            role: Role::Context,
            scan: Held::default(),
            template: Template::No,
        }
    }

    /// A file of the context that others depend on and that could not be read.
    pub fn unread(path: PathBuf, real: PathBuf, links: Vec<PathBuf>) -> Self {
        let source = SourceFile {
            path,
            real,
            links,
            text: String::new(),
            identity: None,
        };
        Self {
            below: source.real.clone(),
            source,
            role: Role::Context,
            scan: Scan {
                facts: vec![Fact::Unread],
                ..Scan::default()
            }
            .into(),
            template: Template::No,
        }
    }
}

/// What a file holds, kept in little room: most files of a large repository hold nothing.
#[derive(Debug, Default)]
pub struct Held(Option<Box<Scan>>);

impl Held {
    /// The same by value.
    pub fn into_scan(self) -> Scan {
        self.0.map_or_else(Scan::default, |scan| *scan)
    }

    /// [`Scan::promote`], which leaves nothing of what holds nothing.
    pub fn promote(&mut self, promoted: Promoted) {
        if self.0.is_some() || promoted != Promoted::default() {
            self.deref_mut().promote(promoted);
        }
    }
}

impl From<Scan> for Held {
    fn from(scan: Scan) -> Self {
        Self((!scan.is_nothing()).then(|| Box::new(scan)))
    }
}

impl Deref for Held {
    type Target = Scan;

    fn deref(&self) -> &Scan {
        static NOTHING: LazyLock<Scan> = LazyLock::new(Scan::default);
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Scan {
        self.0.get_or_insert_default()
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// How many documents of it were parsed: none when nothing made it worth that, and schemas never.
    pub documents: usize,
    /// The sites, in the order of the text.
    pub sites: Vec<Site>,
    /// What it says about other files.
    pub facts: Vec<Fact>,
    /// The documents that could not be read, not even as templates.
    pub broken: Vec<YamlError>,
    /// Whether any document is not YAML as it stands, even if it could be read as a template: what it
    /// says to other files is not known.
    pub not_yaml: bool,
    /// Where the scalars of sites stand when a template is read in its other ways.
    pub twins: Twins,
    /// The texts in documents that are not YAML, though they should be and may name images.
    pub unread: Vec<UnreadText>,
    /// Sites that count when another file says that this one holds Helm values.
    pub unproven: Vec<Site>,
    /// What is known of it as Helm values, when a document of it may be some.
    pub loose: Option<Loose>,
    /// The same of values that are a part of a document, by where they begin.
    pub blocks: BTreeMap<BlockId, Loose>,
    /// What another file said of them.
    pub promoted: Promoted,
    /// What policies and automations in it know images by, in the order of the text.
    pub keyed: Vec<Keyed>,
    /// What says that the file is generated, when it names images.
    pub generated: Option<GeneratedFile>,
    /// The comments that say which sites to leave alone.
    pub ignores: Ignores,
}

/// A scalar, by its document and how many scalars of that come before it.
pub type ScalarPlace = (DocumentPath, usize);

/// A scalar as another way of reading a template shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Where it stands there.
    pub place: ScalarPlace,
    /// What the parser makes of it there.
    pub parsed: String,
}

/// The scalars of sites in the other ways of reading a template.
pub type Twins = BTreeMap<ScalarPlace, Vec<Twin>>;

impl Twin {
    fn of(document: DocumentPath, scalar: &Scalar) -> Self {
        Self {
            place: (document, scalar.ordinal),
            parsed: scalar.as_parsed().to_string(),
        }
    }
}

/// The values of a file that another file says are some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promoted {
    /// Whether the file as a whole is.
    pub whole: bool,
    /// Parts of it that are.
    pub blocks: BTreeSet<BlockId>,
    /// Values that their chart makes names of.
    pub spare: BTreeSet<Spare>,
}

/// A value: where the values begin that it is one of, when they are not the whole file, the way to its
/// map, and its key.
pub type Spare = (Option<BlockId>, Vec<Step>, String);

/// A text inside a document that could not be read.
#[derive(Clone, Debug)]
pub struct UnreadText {
    /// The keys that lead to it.
    pub path: KeyPath,
    /// What the parser says. The place is one in the file, the document the one in its stream.
    pub error: YamlError,
}

impl Scan {
    /// Whether it is that of a file that holds nothing.
    fn is_nothing(&self) -> bool {
        let Self {
            documents,
            sites,
            facts,
            broken,
            not_yaml,
            twins,
            unread,
            unproven,
            loose,
            blocks,
            promoted,
            keyed,
            generated,
            ignores,
        } = self;
        *documents == 0
            && !not_yaml
            && sites.is_empty()
            && facts.is_empty()
            && broken.is_empty()
            && twins.is_empty()
            && unread.is_empty()
            && unproven.is_empty()
            && loose.is_none()
            && blocks.is_empty()
            && *promoted == Promoted::default()
            && keyed.is_empty()
            && generated.is_none()
            && ignores.is_empty()
    }

    /// Takes the sites that needed another file's word: those of the whole file, or of parts of it. Of
    /// the others, those stay that look like images wherever they stand.
    pub fn promote(&mut self, promoted: Promoted) {
        let counts = |site: &Site| match site.parts().and_then(|parts| parts.block) {
            _ if site.is_spare() => is_among(&promoted.spare, site),
            Some(block) => promoted.blocks.contains(&block),
            None => promoted.whole,
        };
        let proven = std::mem::take(&mut self.sites).into_iter().enumerate();
        let unproven = std::mem::take(&mut self.unproven).into_iter().enumerate();
        let unproven = unproven.map(|(index, site)| (unproven_number(index), site));
        let (counted, others): (Vec<_>, Vec<_>) = unproven.partition(|(_, site)| counts(site));
        let (spare, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, site)| site.is_spare());
        // What was a text by itself is a part of the values now.
        let taken = starts(&counted);
        let proven = proven
            .filter(|(_, site)| site.finder != sites::TEXT || !taken.contains(&site.span().start));
        let proven: Vec<_> = proven.collect();
        let known = starts(&proven);
        let others = others
            .into_iter()
            .filter_map(|(number, site)| Some((number, sites::without_proof(site)?)))
            .filter(|(_, site)| !known.contains(&site.span().start));
        let counted = counted
            .into_iter()
            .filter(|(_, site)| !site.is_spare() || !known.contains(&site.span().start));
        let all = proven.into_iter().chain(counted).chain(others);
        self.arrange_all(all.collect(), spare);
        self.promoted = promoted;
    }

    /// Puts the sites of texts, which come after all others of their document, where they stand.
    fn settle(&mut self) {
        if self.sites.iter().any(|site| site.document.is_inside()) {
            let sites = std::mem::take(&mut self.sites);
            self.arrange(sites.into_iter().enumerate().collect());
        }
    }

    /// Takes sites, each with the number by which comments know it, in the order of the text.
    fn arrange(&mut self, all: Vec<(usize, Site)>) {
        let unproven = std::mem::take(&mut self.unproven).into_iter().enumerate();
        let unproven = unproven.map(|(index, site)| (unproven_number(index), site));
        let unproven = unproven.collect();
        self.arrange_all(all, unproven);
    }

    /// The same, and those that still need another file's word.
    fn arrange_all(&mut self, mut all: Vec<(usize, Site)>, unproven: Vec<(usize, Site)>) {
        // Branches of a template may begin documents of their own: numbers say little there.
        let not_yaml = self.not_yaml;
        let stream = |site: &Site| if not_yaml { 0 } else { site.document.stream() };
        all.sort_by_key(|(_, site)| (stream(site), site.span()));
        let numbers = all.iter().enumerate().map(|(new, (old, _))| (*old, new));
        let waiting = unproven.iter().enumerate();
        let waiting = waiting.map(|(new, (old, _))| (*old, unproven_number(new)));
        self.ignores.renumber(&numbers.chain(waiting).collect());
        self.sites = all.into_iter().map(|(_, site)| site).collect();
        self.unproven = unproven.into_iter().map(|(_, site)| site).collect();
    }
}

/// Whether a site is one of these values.
fn is_among(spare: &BTreeSet<Spare>, site: &Site) -> bool {
    site.parts()
        .is_some_and(|parts| spare.contains(&(parts.block, parts.at.clone(), parts.family.clone())))
}

/// Where the scalars of sites begin.
fn starts(sites: &[(usize, Site)]) -> BTreeSet<usize> {
    let scalars = sites.iter().flat_map(|(_, site)| site.scalars());
    scalars.map(|scalar| scalar.place.span().start).collect()
}

/// By which number comments know a site that needs another file's word.
fn unproven_number(index: usize) -> usize {
    usize::MAX - index
}

/// What a scan goes by, besides the text.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The places that name images, as the config says.
    pub stated: sites::Stated,
}

/// Whether a file that is not YAML is a template, which need not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// It has a template's suffix, lies in a chart's `templates/`, or holds template actions.
    Yes,
    /// It should be YAML.
    No,
}

/// Suffixes of template files.
const TEMPLATE_SUFFIXES: &[&str] = &["tpl", "gotmpl", "tmpl", "j2"];

/// The path whose name says what the file is: the real one, unless a link to it has a name by which a
/// tool reads it as something of its own.
pub fn known_as(source: &SourceFile) -> &Path {
    let named = |is: fn(&Path) -> bool| source.places().find(|place| is(place));
    named(sites::is_kustomization_name)
        .or_else(|| named(sites::counts_by_name))
        .unwrap_or(&source.real)
}

/// Scans `text`, the file at `path` (the name decides what some files are; nothing is read).
pub fn scan_text(path: &Path, text: &str, options: &Options) -> Scan {
    let mut scanner = Scanner::new(path, text, options, text);
    let has_ignores = scanner.ignores.as_ref().is_some_and(Gathering::has_any);
    let may_name = |text: &str| may_name_images(text, options);
    if !has_ignores && !sites::counts_by_name(path) && sites::are_schemas(text, may_name) {
        return scanner.scan;
    }
    if !has_ignores && !is_worth_parsing(path, text, options) {
        scanner.scan.not_yaml = may_write_anything(text);
        // What stands under a key that is filled in, or is itself, may be a map with an image.
        let is_filled = || sites::is_values_name(path) && image::is_filled(text);
        if scanner.scan.not_yaml || !is_filled() {
            return scanner.scan;
        }
    }
    // A document without a word about images is read all the same: that it is broken has to be told.
    let wants_all = has_ignores || sites::counts_by_name(path);
    let wants = |document: &str| wants_all || !sites::are_schemas(document, |_| true);
    let mut scan = parsed(scanner, path, text, options, &wants);
    scan.facts.extend(sites::charts_patched(text));
    scan.facts.shrink_to_fit();
    scan
}

/// What the documents of a text hold that are wanted, as it stands; or all, read as a template.
fn parsed(
    scanner: Scanner<'_>,
    path: &Path,
    text: &str,
    options: &Options,
    wants: &dyn Fn(&str) -> bool,
) -> Scan {
    let actions = Actions::of(text);
    // From here on no longer than the actions.
    let mut scanner = scanner;
    scanner.actions = actions.as_ref();
    let errors = match &actions {
        Some(actions) => scanner.read(None, as_it_stands(text, actions), drop),
        None => scanner.read(None, documents_where(text, wants), drop),
    };
    if errors.is_empty() {
        return scanner.finish();
    }
    let template = actions.as_ref();
    let template = template.and_then(|actions| templates::read(path, text, options, actions));
    let mut scan = template.unwrap_or_else(|| {
        let mut scan = scanner.finish();
        scan.broken = errors;
        scan
    });
    scan.facts.extend(sites::salvage(path, text));
    scan
}

/// The documents of a text as it stands.
fn as_it_stands<'t>(
    text: &'t str,
    actions: &'t Actions,
) -> impl Iterator<Item = Result<Document<'t>, YamlError>> + 't {
    documents(text).map(move |document| document?.as_it_stands(text, actions))
}

/// Whether a text without any word about images is a template and no YAML: it may name some once it is
/// filled in.
fn may_write_anything(text: &str) -> bool {
    let Some(actions) = Actions::of(text) else {
        return false;
    };
    let mut read = as_it_stands(text, &actions);
    read.any(|read| read.map_or(true, |document| document.holds_filled(text, &actions)))
}

/// A file while its documents, and those in its texts, go by.
struct Scanner<'t> {
    path: &'t Path,
    text: &'t str,
    stated: &'t sites::Stated,
    /// The mask with which it is read just now.
    masked: Option<&'t Masked>,
    /// The actions of the text, if it holds any.
    actions: Option<&'t Actions>,
    /// Whether it is read in several ways, so that one of them may read what another cannot.
    several: bool,
    ignores: Option<Gathering>,
    scan: Scan,
}

impl<'t> Scanner<'t> {
    /// A scanner of `text`, whose comments are read in `parsed`: that text, or the same masked.
    fn new(path: &'t Path, text: &'t str, options: &'t Options, parsed: &str) -> Self {
        Self {
            path,
            text,
            stated: &options.stated,
            masked: None,
            actions: None,
            several: false,
            ignores: Gathering::of(text, parsed),
            scan: Scan::default(),
        }
    }

    /// Takes what is found in these documents, which were read with `masked`, and hands them on. Gives
    /// the errors of the others.
    fn read<'d>(
        &mut self,
        masked: Option<&'t Masked>,
        documents: impl Iterator<Item = Result<Document<'d>, YamlError>>,
        mut keep: impl FnMut(Document<'d>),
    ) -> Vec<YamlError> {
        self.masked = masked;
        let mut waiting = self.ignores.as_ref().map(Gathering::waiting);
        let mut errors = Vec::new();
        for document in documents {
            self.scan.documents += 1;
            match document {
                Ok(document) => {
                    if let (Some(ignores), Some(waiting)) = (&mut self.ignores, &mut waiting) {
                        ignores.meet(waiting, self.text, &document);
                    }
                    let mut found = sites::find(self.path, self.text, &document, self.stated);
                    if masked.is_none() && self.actions.is_some() {
                        found.sites.extend(sites::filled(self.text, &document));
                        found.sites.sort_by_key(Site::span);
                    }
                    self.take(&document, found);
                    keep(document);
                }
                Err(error) => errors.push(error),
            }
        }
        self.scan.not_yaml |= !errors.is_empty();
        errors
    }

    /// What was found.
    fn finish(self) -> Scan {
        let mut scan = self.scan;
        scan.ignores = self.ignores.map(Gathering::finish).unwrap_or_default();
        scan.settle();
        if !scan.sites.is_empty() || !scan.unproven.is_empty() {
            scan.generated = sites::generated(self.text);
        }
        scan
    }

    /// Takes what was found in a document, and looks into its texts.
    fn take(&mut self, document: &Document<'_>, mut found: Found) {
        if let Some(masked) = self.masked {
            sites::fit_template(&mut found, masked);
        } else if let Some(actions) = self.actions {
            sites::leave_actions(&mut found, self.text, actions);
        }
        let scan = &mut self.scan;
        if let Some(ignores) = &mut self.ignores {
            let proven = found.sites.iter().enumerate();
            let proven = proven.map(|(index, site)| (scan.sites.len() + index, site));
            let unproven = found.unproven.iter().enumerate();
            let unproven =
                unproven.map(|(index, site)| (unproven_number(scan.unproven.len() + index), site));
            for (number, site) in proven.chain(unproven) {
                let scalars = site.scalars().map(|scalar| scalar.place.span().start);
                ignores.note(number, document, scalars);
            }
        }
        scan.sites.extend(found.sites);
        scan.facts.extend(found.facts);
        scan.unproven.extend(found.unproven);
        scan.keyed.extend(found.keyed);
        scan.blocks.extend(found.blocks);
        if let Some(loose) = found.loose {
            let all = scan.loose.get_or_insert_default();
            all.parts.extend(loose.parts);
            all.fronts.extend(loose.fronts);
            all.ends.extend(loose.ends);
            all.filled.extend(loose.filled);
            all.insecure.extend(loose.insecure);
            // Only the first document is merged with others.
            let is_first = document.path.is_first();
            all.allowance = loose
                .allowance
                .filter(|_| is_first)
                .or(all.allowance.take());
        }
        for text in &found.texts {
            self.look_into(document, text);
        }
    }

    /// Looks at the documents of a text in `document`.
    fn look_into(&mut self, document: &Document<'_>, text: &sites::Text) {
        let Some(inside) = Inside::of(self.text, document, text.node) else {
            let offset = document.node(text.node).span.start;
            let message = format!(
                "texts in texts are read {MAX_DEPTH} deep, and template actions only in block scalars and on single lines"
            );
            self.leave(document, text, offset, message);
            return;
        };
        let mut waiting = match &mut self.ignores {
            Some(ignores) => ignores.read(self.text, &inside.comments()),
            None => Waiting::default(),
        };
        let mut is_read = true;
        for inner in inside.documents() {
            is_read &= inner.is_ok();
            match inner {
                Ok(inner) => {
                    if let Some(ignores) = &mut self.ignores {
                        ignores.meet(&mut waiting, self.text, &inner);
                    }
                    let found = sites::find_inside(self.text, &inner, text, self.stated);
                    self.take(&inner, found);
                }
                Err(error) => self.leave(document, text, error.offset, error.message),
            }
        }
        if !is_read && !self.several {
            self.take(document, sites::find_in_unread(self.text, document, text));
        }
    }

    /// Notes a text that cannot be read, unless it says nothing of images.
    fn leave(
        &mut self,
        document: &Document<'_>,
        text: &sites::Text,
        offset: usize,
        message: String,
    ) {
        let value = document.text(text.node).unwrap_or("");
        if !value.contains("image") && !value.contains("Image") {
            return;
        }
        self.scan.unread.push(UnreadText {
            path: text.path.clone(),
            error: YamlError {
                document: document.path.stream(),
                offset,
                message,
            },
        });
    }
}

/// Whether the file at `path`, within its repository, with this text is a template.
pub fn template(path: &Path, text: &str) -> Template {
    let suffix = path.extension().and_then(|suffix| suffix.to_str());
    let in_templates = path.parent().is_some_and(|folder| {
        folder
            .components()
            .any(|part| part.as_os_str() == "templates")
    });
    let has_actions = || {
        ["{{", "{%", "%{"]
            .iter()
            .any(|action| memmem::find(text.as_bytes(), action.as_bytes()).is_some())
    };
    if suffix.is_some_and(|suffix| TEMPLATE_SUFFIXES.contains(&suffix))
        || in_templates
        || has_actions()
    {
        Template::Yes
    } else {
        Template::No
    }
}

/// Whether anything could be found in a text.
pub fn is_worth_parsing(path: &Path, text: &str, options: &Options) -> bool {
    sites::counts_by_name(path) || may_name_images(text, options)
}

/// Whether a text has any word that finders, or the config, look for.
fn may_name_images(text: &str, options: &Options) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let sites::Stated {
        templates, fields, ..
    } = &options.stated;
    let mut templates = templates.iter().flatten().filter_map(|keys| keys.last());
    // A field under any key may stand in every object of its kind.
    let may_hold = |field: &sites::Field| has(&field.kind) && field.path.last_key().is_none_or(has);
    sites::may_name_images(text) || templates.any(|key| has(key)) || fields.iter().any(may_hold)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the sites, with the code of the hold where there is one.
    fn sites(text: &str) -> Vec<String> {
        let scan = scan_text(Path::new("a.yaml"), text, &Options::default());
        let show = |site: &Site| match &site.hold {
            Some((reason, _)) => format!("{} {reason}", site.text()),
            None => format!("{} {}", site.text(), site.path),
        };
        scan.sites.iter().map(show).collect()
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\n";

    #[test]
    fn pod_specs_are_found_by_shape() {
        let text = format!(
            "{POD}metadata:\n  containers: [{{image: no}}]\nspec:\n  initContainers:\n  - image: a:1\n  containers:\n  - name: x\n    image: 'b:2'\n  volumes:\n  - image: {{reference: c:3, pullPolicy: Always}}\n  - name: d\nstatus:\n  containers: [{{image: no}}]\n"
        );
        assert_eq!(
            sites(&text),
            [
                "a:1 spec.initContainers[0].image",
                "b:2 spec.containers[0].image",
                "c:3 spec.volumes[0].image.reference"
            ]
        );
    }

    #[test]
    fn nothing_is_found_outside_objects_and_in_schemas_and_policies() {
        assert!(sites("containers:\n- image: a:1\n").is_empty());
        for head in [
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition",
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy",
            "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sAllowedRepos",
            "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy",
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy",
        ] {
            let text = format!(
                "{head}\nspec:\n  containers:\n  - image: a:1\n  x:\n    apiVersion: v1\n    kind: Pod\n    spec: {{containers: [{{image: b:1}}]}}\n"
            );
            assert!(sites(&text).is_empty(), "{head}");
        }
    }

    #[test]
    fn lists_and_nested_objects_are_looked_at_each() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: {containers: [{image: a:1}]}\n- apiVersion: apiextensions.k8s.io/v1\n  kind: CustomResourceDefinition\n  spec: {containers: [{image: b:1}]}\n";
        assert_eq!(sites(text), ["a:1 items[0].spec.containers[0].image"]);
    }

    #[test]
    fn values_that_name_nothing_are_no_sites() {
        let text = format!(
            "{POD}spec:\n  containers:\n  - image:\n  - image: ~\n  - image: \"\"\n  - image: null\n  - image: 12\n  - image: !Ref x\n"
        );
        assert_eq!(sites(&text), ["12 not-an-image", "x not-an-image"]);
    }

    #[test]
    fn anchors_count_once_and_only_for_images() {
        let shared = format!("{POD}spec:\n  containers:\n  - image: &i a:1\n  - image: *i\n");
        assert_eq!(sites(&shared), ["a:1 spec.containers[0].image"]);
        let mixed =
            format!("{POD}spec:\n  containers:\n  - image: &i a:1\n    env: [{{value: *i}}]\n");
        assert_eq!(sites(&mixed), ["a:1 shared-anchor"]);
        let from_outside = format!(
            "{POD}metadata: {{labels: {{x: &i a:1}}}}\nspec:\n  containers:\n  - image: *i\n"
        );
        assert_eq!(sites(&from_outside), ["a:1 shared-anchor"]);
        let as_key = format!("{POD}spec:\n  containers:\n  - image: &i a:1\n  x:\n    *i : y\n");
        assert_eq!(sites(&as_key), ["a:1 shared-anchor"]);
        let merged = format!(
            "{POD}spec:\n  containers:\n  - &c\n    image: a:1\n  - <<: *c\n    name: x\n  - <<: [*c]\n"
        );
        assert_eq!(sites(&merged), ["a:1 spec.containers[0].image"]);
        let whole =
            format!("{POD}spec:\n  containers: &all\n  - image: a:1\n  initContainers: *all\n");
        assert_eq!(sites(&whole), ["a:1 spec.containers[0].image"]);
        let other = format!("{POD}spec:\n  containers: &all\n  - image: a:1\n  notes: *all\n");
        assert_eq!(sites(&other), ["a:1 shared-anchor"]);
    }

    #[test]
    fn a_long_chain_of_aliases_does_not_recurse() {
        use std::fmt::Write;
        let mut text = format!("{POD}a0: &a0 {{image: x:1}}\n");
        for index in 1..20_000 {
            writeln!(text, "a{index}: &a{index} {{<<: *a{}}}", index - 1).unwrap();
        }
        text.push_str("spec: {containers: [{<<: *a19999}]}\n");
        assert_eq!(sites(&text), ["x:1 shared-anchor"]);
    }

    #[test]
    fn a_broken_document_leaves_the_others() {
        let text = format!(
            "{POD}spec: {{containers: [{{image: a:1}}]}}\n---\nb: [1\n---\n{POD}spec: {{containers: [{{image: c:1}}]}}\n"
        );
        let scan = scan_text(Path::new("a.yaml"), &text, &Options::default());
        assert_eq!(
            (scan.documents, scan.sites.len(), scan.broken.len()),
            (3, 2, 1)
        );
    }

    #[test]
    fn files_without_the_words_are_not_parsed() {
        let documents =
            |path: &str, text| scan_text(Path::new(path), text, &Options::default()).documents;
        assert_eq!(documents("a.yaml", "a: [broken"), 0);
        assert_eq!(documents("kustomization.yaml", "a: b"), 1);
    }

    /// What a scan of a template finds.
    fn template_sites(text: &str) -> (Vec<String>, bool) {
        let scan = scan_text(Path::new("templates/a.yaml"), text, &Options::default());
        let show = |site: &Site| match &site.hold {
            Some((reason, _)) => format!("{} {reason}", site.text()),
            None => site.text().to_string(),
        };
        (scan.sites.iter().map(show).collect(), scan.not_yaml)
    }

    const SPEC: &str = "spec:\n  containers:\n  - name: a\n";

    #[test]
    fn actions_without_quotes_make_a_template_of_yaml() {
        let text = format!("apiVersion: {{{{ .v }}}}\nkind: Pod\n{SPEC}    image: a:1\n");
        assert_eq!(template_sites(&text), (vec!["a:1".to_string()], true));
        let text = format!("apiVersion: v1\nkind: {{{{ .k }}}}\n{SPEC}    image: a:1\n");
        assert_eq!(template_sites(&text), (vec!["a:1".to_string()], true));
        let quoted = format!("{POD}{SPEC}    image: a:1\n    args: [\"{{{{ x }}}}\"]\n");
        assert_eq!(template_sites(&quoted), (vec!["a:1".to_string()], false));
    }

    #[test]
    fn values_that_a_template_writes_are_no_yaml_without_any_word() {
        for (text, not_yaml) in [
            ("img: {{ toYaml .x }}\n", true),
            ("{% if x %}\na: b\n{% endif %}\n", true),
            ("a: '{{ x }}'\n", false),
            ("a: [b\n", false),
        ] {
            let scan = scan_text(Path::new("values.yaml"), text, &Options::default());
            assert_eq!(scan.not_yaml, not_yaml, "{text}");
        }
    }

    #[test]
    fn objects_that_are_read_as_one_are_read_by_their_branches_or_not_at_all() {
        let policy = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec:\n  containers:\n  - image: quay.io/a/pattern:1\n";
        let pod = format!("{POD}{SPEC}    image: quay.io/a/b:1\n");
        let branches = format!("{{{{- if .x }}}}\n{policy}{{{{- else }}}}\n{pod}{{{{- end }}}}\n");
        assert_eq!(template_sites(&branches).0, ["quay.io/a/b:1"]);
        let written = format!("{{{{ \"---\" }}}}\n{policy}{{{{ \"---\" }}}}\n{pod}");
        assert_eq!(
            template_sites(&written).0,
            ["quay.io/a/pattern:1 unparsed", "quay.io/a/b:1 unparsed"]
        );
    }

    #[test]
    fn what_stands_in_an_action_is_no_site_or_the_templates_own() {
        let comment = format!(
            "{POD}{SPEC}    # {{{{/*\n    image: a:1\n    # */}}}}\n    image: \"{{{{ .i }}}}\"\n"
        );
        assert!(
            !template_sites(&comment)
                .0
                .iter()
                .any(|site| site.starts_with("a:1"))
        );
        let document = format!(
            "{POD}{SPEC}    image: a:1\n{{{{- /*\n---\n{POD}{SPEC}    image: b:1\n---\n*/}}}}\n"
        );
        assert_eq!(template_sites(&document).0, ["a:1"]);
        let code = format!(
            "{POD}{SPEC}    image: c:1\n    args: ['--image={{{{ x | default \"quay.io/a/b:1\" }}}}']\n"
        );
        assert_eq!(template_sites(&code).0[0], "c:1");
        assert!(
            template_sites(&code).0[1..]
                .iter()
                .all(|site| site.ends_with(" templated"))
        );
    }

    #[test]
    fn comments_in_templates_stand_on_the_lines_of_the_file() {
        let text = format!(
            "{{{{- if .x }}}}\n{POD}{SPEC}    image: a:1 # ecr-rewrite: ignore\n  {{{{- if .y }}}}\n  # ecr-rewrite: ignore\n  - image: b:1\n  {{{{- end }}}}\n{{{{- end }}}}\n"
        );
        let scan = scan_text(Path::new("templates/a.yaml"), &text, &Options::default());
        let lines: Vec<_> = scan.ignores.list.iter().map(|ignore| ignore.line).collect();
        assert_eq!(lines, [7, 9]);
    }

    #[test]
    fn branches_before_a_key_do_not_hide_it() {
        for image in ["image: a:1", "image: \"a:1\""] {
            let text = format!("{POD}{SPEC}    {{{{ if .x }}}}{image}{{{{ end }}}}\n");
            let found = template_sites(&text).0;
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert!(
                found[0].starts_with("a:1") && !found[0].contains(' ')
                    || found[0].contains("{{ end"),
                "{found:?}"
            );
        }
        let written = format!("{POD}{SPEC}    {{{{ if .x }}}}my{{{{ end }}}}image: a:1\n");
        assert!(template_sites(&written).0.is_empty());
    }
}
