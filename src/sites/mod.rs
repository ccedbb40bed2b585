//! Finders: where images are named, and what a file says about other files.
//!
//! A finder looks at one Kubernetes object at a time and adds [`Site`]s and facts. It says where an
//! image stands, never what becomes of it: verdicts are the plan's. To add a family of manifests,
//! write a file here, add a row to `FINDERS` and one to the catalogue.

mod argo;
mod bit;
mod catalogue;
mod chart;
mod chart_tests;
mod cluster_tests;
mod components;
mod embedded;
mod entry;
mod flux;
mod front;
mod generated;
mod injected;
mod known_by;
mod kustomize;
mod lines;
mod metadata;
mod object;
mod oci;
mod parts;
mod patches;
mod path;
mod policies;
mod purpose;
mod release;
mod release_patches;
mod resource;
mod salvage;
mod schemas;
mod templated;
mod texts;
mod values;
mod workload;

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

pub use bit::Bit;
pub use catalogue::{Place, catalogue};
pub use chart::{Chart, Dependency, is_chart_file, is_chart_name};
pub use chart_tests::{ASSERTION, GIVEN, PATTERN};
pub use components::is_joined;
pub use embedded::{Holds, Text};
pub use entry::{Entry, NEW_NAME, Pair, Room, split};
pub(crate) use front::words as key_words;
pub use generated::Generated as GeneratedFile;
pub use kustomize::{
    Acts, Copies, Kustomization, NameEntry, TakenAs, Taking, is_kustomization_name,
};
pub use lines::lines;
pub use metadata::LISTED;
pub use object::Object;
pub use oci::{CHART, CHART_FOLDER, ChartRefs, SCHEME as OCI, is_exact, of_range};
pub use parts::{DIGEST_GLUE, Names, Part, Parts, Step, Value, join};
pub use patches::{Aim, NAME as PATCH, Operation, PatchPiece, TEST as PATCH_TEST};
pub use path::KeyPath;
pub use policies::{Keyed, Matching};
pub use release::{
    Base, BlockId, ChartSource, ConfigMap, Deployed, From, Generated, Given, Release, Stage, Tool,
    place_of,
};
pub use release_patches::{PatchTarget, UnclearPatch};
pub use resource::{Field, FieldPath, NAME as OF_RESOURCES, Treated, treated, treatments};
pub use schemas::are_schemas;
pub use texts::NAME as TEXT;
pub use values::{
    Allowance, Loose, LooseFront, LoosePart, Template, is_image_map, is_values_name, without_proof,
};

use crate::image::{self, ImageRef};
use crate::reason::{Assumption, Reason};
use crate::rules::upstreams;
use crate::source::Span;
use crate::words::Words;
use crate::yaml::{Actions, Document, DocumentPath, Masked, Scalar};

/// A place that names an image.
#[derive(Clone, Debug)]
pub struct Site {
    /// The document: of the file's stream, or of a text in it.
    pub document: DocumentPath,
    /// The keys that lead to it.
    pub path: KeyPath,
    /// How the image is written.
    pub shape: Shape,
    /// Which finder found it.
    pub finder: &'static str,
    /// Why it cannot be changed, when its own file already shows that.
    pub hold: Option<(Reason, String)>,
    /// What a change of it rests on, when nothing proves that it names an image that is pulled, and
    /// what would settle it.
    pub assumption: Option<(Assumption, String)>,
}

impl Site {
    /// The text that names the image, as far as this file alone says.
    pub fn text(&self) -> &str {
        match &self.shape {
            Shape::Whole(scalar) => &scalar.value,
            Shape::Parts(parts) => &parts.display,
            Shape::Entry(entry) => entry.primary().text(),
            Shape::Within(bit) => bit.text(),
        }
    }

    /// The bytes to point at.
    pub fn span(&self) -> Span {
        let primary = match &self.shape {
            Shape::Whole(scalar) => Some(scalar),
            Shape::Parts(parts) => parts.primary(),
            Shape::Entry(entry) => return entry.primary().span(),
            Shape::Within(bit) => return bit.span(),
        };
        primary.map_or(Span::new(0, 0), |scalar| scalar.place.span())
    }

    /// The scalars that name it.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        let (whole, parts, entry) = match &self.shape {
            Shape::Whole(scalar) => (Some(scalar), None, None),
            Shape::Within(bit) => (Some(&bit.scalar), None, None),
            Shape::Parts(parts) => (None, Some(parts.scalars()), None),
            Shape::Entry(entry) => (None, None, Some(entry.scalars())),
        };
        let parts = parts.into_iter().flatten();
        whole
            .into_iter()
            .chain(parts)
            .chain(entry.into_iter().flatten())
    }

    /// The parts, when it is written in parts.
    pub fn parts(&self) -> Option<&Parts> {
        match &self.shape {
            Shape::Parts(parts) => Some(parts),
            Shape::Whole(_) | Shape::Within(_) | Shape::Entry(_) => None,
        }
    }

    /// The entry, when it is one of a list of images for kustomize.
    pub fn entry(&self) -> Option<&Entry> {
        match &self.shape {
            Shape::Entry(entry) => Some(entry),
            Shape::Whole(_) | Shape::Within(_) | Shape::Parts(_) => None,
        }
    }
}

/// How a site writes its image.
#[derive(Clone, Debug)]
pub enum Shape {
    /// One scalar holds the whole reference.
    Whole(Scalar),
    /// A piece of a scalar does: `--image=nginx:1`. Several pieces of one may.
    Within(Box<Bit>),
    /// The parts of the name stand under keys of their own.
    Parts(Box<Parts>),
    /// It is the name that an entry of a list of images for kustomize gives or keeps.
    Entry(Box<Entry>),
}

/// What a file says that other files depend on.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A kustomization, or something that acts like one.
    Kustomization(Kustomization),
    /// A chart.
    Chart(Chart),
    /// A use of a chart, with its values.
    Release(Release),
    /// Operations somewhere in the file change which chart a release is of.
    ChartsPatched,
    /// A place that charts come from, by the name under which releases know it.
    ChartHome {
        /// The kind of the object that says so; none in a list.
        kind: Option<String>,
        /// The name.
        name: String,
        /// Its URL.
        url: String,
        /// The version, where there is one chart only.
        version: Option<String>,
    },
    /// Files that become a config map or secret.
    Generated(Generated),
    /// Values in a config map or secret.
    ConfigMap(ConfigMap),
    /// A patch that may change releases, and is not followed.
    UnclearPatch(UnclearPatch),
    /// Charts that kustomize unpacks below this folder, relative to the file's.
    InflatedCharts {
        /// The folder.
        home: String,
        /// The charts' names.
        names: Vec<String>,
    },
    /// The file could not be read: it may say anything.
    Unread,
    /// Images in objects that are not deployed, which kustomize changes all the same.
    FixedImages(Vec<String>),
    /// Settings by which kustomize takes further fields for images.
    ImageFields,
    /// Parts of an image in an object: another file may hold further ones of the same object.
    Piece {
        /// The kind and name of the object; none when any may be meant.
        object: Option<String>,
        /// The way to the parts.
        path: KeyPath,
        /// Their keys, those of what may stand in front of names, and [`WHOLE`].
        keys: Vec<String>,
        /// The bytes of the map; none when it is not written out.
        map: Span,
    },
    /// The same in a patch: which object it meets is told by what applies it.
    PatchPiece(PatchPiece),
    /// An operation of a patch in a file of its own, whose target stands elsewhere.
    Operation(Operation),
    /// The texts that a patch tests for, but for those of containers' images: it fails where they are
    /// no longer the same.
    Tested(Vec<String>),
    /// A folder of the same repository that is deployed, whether or not a kustomization lies in it.
    Deploys {
        /// The folder, from the root of the repository.
        folder: String,
        /// Which of its files count when there is no kustomization.
        depth: Depth,
    },
}

/// Among the keys of parts of an image: an image in full, whatever its key is called.
pub const WHOLE: &str = "image";

/// How far below a folder files are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// The files directly in it.
    Folder,
    /// All files below it.
    Tree,
}

/// Everything found in a document.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The sites, in the order of the text.
    pub sites: Vec<Site>,
    /// The facts.
    pub facts: Vec<Fact>,
    /// Sites that count when another file says that this one holds Helm values.
    pub unproven: Vec<Site>,
    /// What is known of it as Helm values, when it may be some.
    pub loose: Option<Loose>,
    /// The same of values that are a part of it, by where they begin.
    pub blocks: Vec<(BlockId, Loose)>,
    /// The texts in it that hold documents, which are to be looked at with [`find_inside`].
    pub texts: Vec<Text>,
    /// What policies and automations know images by.
    pub keyed: Vec<Keyed>,
}

/// What a finder is given.
#[derive(Clone, Copy)]
pub struct Input<'d> {
    /// The file's text.
    pub text: &'d str,
    /// The document.
    pub document: &'d Document<'d>,
    /// The object to look at.
    pub object: &'d Object<'d>,
    /// The keys of Helm values that the config says name images together.
    pub templates: &'d [Template],
    /// The fields of objects that the config says name images.
    pub fields: &'d [Field],
}

/// What a run takes for sites beside what is known here: places that the config says name images, and
/// references to charts.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// The keys of Helm values that name images together.
    pub templates: Vec<Template>,
    /// The fields of objects.
    pub fields: Vec<Field>,
    /// What becomes of references to charts.
    pub charts: ChartRefs,
}

/// Adds what it finds in one object.
type Finder = fn(&Input<'_>, &mut Found);

/// The finders, by name: each looks at every object.
const FINDERS: &[(&str, Finder)] = &[
    (workload::NAME, workload::find),
    (kustomize::NAME, kustomize::find),
    (flux::NAME, flux::find),
    (argo::NAME, argo::find),
    (release::NAME, release::find),
    (release::NAME, release_patches::find),
    (resource::NAME, resource::find),
    // What others find is no mere text.
    (texts::NAME, texts::find),
    // Last: what nothing else takes for an image.
    (resource::NAME, resource::find_loose),
];

/// Words of which a file holds one where a finder goes by keys or kinds. What goes by the name or the
/// host beside it adds its own (see [`words`]), so that tables and words cannot disagree.
const WORDS: &[&str] = &[
    "image",
    "Image",
    "IMAGE",
    "repository",
    "registry",
    "Registry",
    "hub:",
    "\"hub\"",
    "helm:",
    "HelmRelease",
    "HelmChart",
    "HelmRepository",
    "OCIRepository",
    "/spec/chart",
    "/spec/source",
    "releases:",
    "values.yaml:",
    "kustomize.toolkit.fluxcd.io",
    "argoproj.io",
    "pkg.crossplane.io",
    "Transformer",
    "fieldPaths",
    "matchPackage",
    "matchDepNames",
    "allowedRepos",
    "repos:",
];

/// What operations begin with that change the chart of a release of Flux, or of Argo CD.
const CHART_POINTERS: &[&str] = &["/spec/chart", "/spec/source"];

/// Whether operations in a file change which chart a release is of.
pub fn charts_patched(text: &str) -> Option<Fact> {
    let mut pointers = CHART_POINTERS.iter();
    pointers
        .any(|pointer| text.contains(pointer))
        .then_some(Fact::ChartsPatched)
}

/// The words without which no finder finds anything in a file, so that it need not be parsed. Hosts
/// are among them: a text may be known by its host alone, and every change writes one, so that what
/// was found once is found again. Files that count by their name alone are not asked (see
/// [`counts_by_name`]).
fn words() -> impl Iterator<Item = &'static str> {
    let by_name = texts::telling_names();
    WORDS
        .iter()
        .copied()
        .chain(by_name)
        .chain(upstreams::marks())
}

/// Whether finders could find anything in a text that has none of the config's own keys.
pub fn may_name_images(text: &str) -> bool {
    static WANTED: LazyLock<Words> = LazyLock::new(|| Words::new(words()));
    WANTED.are_in(text) || front::may_stand_in(text)
}

/// Whether a file of this name tells facts whatever words it holds.
pub fn counts_by_name(path: &Path) -> bool {
    is_kustomization_name(path) || chart::is_chart_name(path)
}

/// Runs every finder over a document of the file at `path`, but not over the texts in it.
pub fn find(path: &Path, text: &str, document: &Document<'_>, stated: &Stated) -> Found {
    let templates = &stated.templates;
    let mut found = Found::default();
    if chart::is_chart_name(path) {
        chart::find(document, &mut found);
    }
    let objects = object::objects(document, is_kustomization_name(path));
    let hold = signed(document).or_else(|| of_any_kind(document));
    found.texts = embedded::texts(document, &objects, hold.as_ref());
    find_names(path, document, &objects, &mut found);
    kustomize::find_plain(document, &mut found);
    found.facts.extend(workload::fixed(document));
    patches::find(text, document, &Object::unknown(), &mut found);
    found.facts.extend(resource::pieces(text, document));
    argo::find_overrides(path, text, document, &mut found);
    found
        .facts
        .extend(release_patches::operations(text, document));
    find_objects(text, document, &objects, stated, &mut found);
    if let Some(values) = values::find(path, text, document, templates) {
        release::find_plain(path, text, document, templates, &mut found);
        found.loose = Some(values.loose);
        let mut sites = values.sites;
        let known: HashSet<Span> = found.sites.iter().flat_map(spans).collect();
        sites.retain(|site| !spans(site).any(|span| known.contains(&span)));
        let texts = texts::find_in_values(text, document, &found.texts);
        drop_references(&mut sites, &texts.iter().flat_map(spans).collect());
        let known: HashSet<usize> = sites
            .iter()
            .flat_map(spans)
            .map(|span| span.start)
            .collect();
        let texts = texts.into_iter();
        sites.extend(texts.filter(|site| !known.contains(&site.span().start)));
        if values.proven {
            found.sites.extend(sites);
        } else {
            found.unproven = sites;
        }
        found.unproven.extend(values.spare);
    }
    drop_doubles(&mut found);
    if stated.charts == ChartRefs::Sought {
        oci::find(path, text, document, &objects, &mut found);
    }
    metadata::find(path, text, document, &objects, &mut found);
    chart_tests::find(text, document, &mut found);
    policies::find(text, document, &objects, stated.charts, &mut found);
    hold_all(hold.as_ref(), &mut found);
    cluster_tests::hold(path, &mut found);
    found.sites.sort_by_key(Site::span);
    found
}

/// Whether, and where, the comments at the head of a file say that it is generated.
pub fn generated(text: &str) -> Option<GeneratedFile> {
    generated::find(text)
}

/// The bytes of the scalars of a site.
fn spans(site: &Site) -> impl Iterator<Item = Span> {
    site.scalars().map(|scalar| scalar.place.span())
}

/// Leaves out the references of which others, which stand in these bytes, tell more.
fn drop_references(sites: &mut Vec<Site>, others: &HashSet<Span>) {
    sites.retain(|site| {
        site.finder != values::REFERENCE || !spans(site).any(|span| others.contains(&span))
    });
}

/// A container in values is one wherever it stands: it is no layer of anything. Where something may be
/// put in front of names, one without a registry is assumed to be whole.
fn drop_doubles(found: &mut Found) {
    doubt_containers(found);
    let whole = found.sites.iter().filter(|site| site.parts().is_none());
    let whole: HashSet<Span> = whole.flat_map(spans).collect();
    let is_block = |site: &Site| site.parts().is_some_and(|parts| parts.block.is_some());
    found
        .sites
        .retain(|site| !is_block(site) || !spans(site).any(|span| whole.contains(&span)));
}

fn doubt_containers(found: &mut Found) {
    if !may_be_fronted(found) {
        return;
    }
    let in_values = |site: &&Site| site.parts().is_some_and(|parts| parts.block.is_some());
    let known: HashSet<Span> = found
        .sites
        .iter()
        .filter(in_values)
        .flat_map(spans)
        .collect();
    for site in &mut found.sites {
        let has_host = ImageRef::parse(site.text()).is_ok_and(|image| image.registry().is_some());
        let is_doubled = site.parts().is_none() && spans(site).any(|span| known.contains(&span));
        if is_doubled && !has_host {
            let detail =
                "the chart may put a registry of its values in front of it; write its registry out";
            let doubt = (Assumption::ChartDefaultUnknown, detail.to_string());
            site.assumption.get_or_insert(doubt);
        }
    }
}

/// Whether the values in objects may hold something that is put in front of names, as far as the
/// document tells: what other layers say is not in it.
fn may_be_fronted(found: &Found) -> bool {
    let has_front = |site: &Site| {
        site.parts().is_some_and(|parts| {
            let is_registry = |part: &Part| part.value.scalar().is_some();
            parts.block.is_some()
                && (parts.names != Names::Image
                    || parts.parts.len() > 1 && parts.parts.first().is_some_and(is_registry))
        })
    };
    let has_layers = |fact: &Fact| match fact {
        Fact::Release(release) => {
            release.layers.len() > 1 || !release.charts.iter().all(|chart| is_name(chart))
        }
        _ => false,
    };
    found
        .blocks
        .iter()
        .any(|(_, loose)| !loose.fronts.is_empty())
        || found.sites.iter().any(has_front)
        || found.facts.iter().any(has_layers)
}

/// Whether a chart is named, and not the path of one that has values of its own in the repository.
fn is_name(chart: &str) -> bool {
    !chart.contains('/') && !chart.starts_with('.')
}

/// Runs the finders over a document of a text that [`find`], or this, found in another document.
/// `text` is the file's.
pub fn find_inside(text: &str, document: &Document<'_>, inside: &Text, stated: &Stated) -> Found {
    let templates = &stated.templates;
    let mut found = Found::default();
    let objects = match inside.holds {
        Holds::Objects | Holds::Patch => embedded::objects(document, inside),
        // Charts take whole objects among their values.
        Holds::Values => object::objects(document, false),
    };
    let signed = signed(document);
    let hold = inside.hold.as_ref().or(signed.as_ref());
    found.texts = embedded::texts(document, &objects, hold);
    find_names(Path::new(""), document, &objects, &mut found);
    match inside.holds {
        Holds::Objects if !object::starts_object(document, 0) => {
            let sites = texts::find_in_settings(text, document);
            found.sites.extend(sites);
            embedded::unproven_values(text, document, inside, templates, &mut found);
        }
        Holds::Objects => {}
        Holds::Patch => {
            let target = embedded::patched(document, inside);
            patches::find(text, document, &target, &mut found);
            let unknown = resource::of_unknown(text, document, &target);
            found.sites.extend(unknown);
            found.facts.extend(resource::pieces(text, document));
        }
        Holds::Values => {
            embedded::values(text, document, inside, templates, &mut found);
            // An object that stands where values should is looked at as one, with all its texts.
            if !object::starts_object(document, 0) {
                let sites = texts::find_in_values(text, document, &found.texts);
                drop_references(&mut found.sites, &sites.iter().flat_map(spans).collect());
                found.sites.extend(sites);
            }
        }
    }
    find_objects(text, document, &objects, stated, &mut found);
    drop_doubles(&mut found);
    if stated.charts == ChartRefs::Sought {
        oci::find(Path::new(""), text, document, &objects, &mut found);
    }
    embedded::drop_described(document, inside, &mut found);
    hold_all(hold, &mut found);
    embedded::fit(inside, &mut found);
    found.sites.sort_by_key(Site::span);
    found
}

/// Finds what can still be told of a text whose documents cannot all be read: of its lines, and of
/// those that are no part of a document that can.
pub fn find_in_unread(text: &str, document: &Document<'_>, inside: &Text) -> Found {
    let mut found = Found::default();
    if inside.holds == Holds::Objects {
        found.sites = texts::find_in_unread(text, document, inside.node);
    }
    for site in &mut found.sites {
        site.path = inside.path.clone();
    }
    hold_all(inside.hold.as_ref(), &mut found);
    found
}

/// The names in a document of which nobody can tell what they act on. Its texts that hold documents
/// are looked at for themselves.
fn find_names(path: &Path, document: &Document<'_>, objects: &[Object<'_>], found: &mut Found) {
    let tested = patches::tested(document, &found.texts);
    let listed = salvage::in_texts(document);
    let known_by = known_by::names(document, objects);
    let names = [listed, tested, argo::names(path, document), known_by].concat();
    if !names.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::Anywhere,
            names,
            ..Default::default()
        }));
    }
}

/// Runs every finder over every object.
fn find_objects(
    text: &str,
    document: &Document<'_>,
    objects: &[Object<'_>],
    stated: &Stated,
    found: &mut Found,
) {
    for object in objects {
        let input = Input {
            text,
            document,
            object,
            templates: &stated.templates,
            fields: &stated.fields,
        };
        for (_, finder) in FINDERS {
            finder(&input, found);
        }
    }
    injected::find(text, document, found);
    cluster_tests::hold_steps(document, objects, found);
    let others = found.sites.iter();
    let others = others.filter(|site| site.finder != values::REFERENCE);
    let others: HashSet<Span> = others.flat_map(spans).collect();
    drop_references(&mut found.sites, &others);
    resource::drop_known(found);
    workload::settle_anchors(document, found);
    texts::drop_known(found);
}

/// Leaves of what was found in a document, or in a text in it, what can be believed of it when it was
/// read with its template actions masked.
pub fn fit_template(found: &mut Found, masked: &Masked) {
    templated::fit(found, masked);
}

/// Leaves the bytes of actions alone in a document that was read as it stands.
pub fn leave_actions(found: &mut Found, text: &str, actions: &Actions) {
    templated::leave_actions(found, text, actions);
}

/// The images of a document, read as it stands, that a template fills in without quotes.
pub fn filled(text: &str, document: &Document<'_>) -> Vec<Site> {
    templated::holes(text, document)
}

/// What can still be told of a file at `path` with documents that are not YAML.
pub fn salvage(path: &Path, text: &str) -> Vec<Fact> {
    let names = salvage::names(path, text).map(Fact::Kustomization);
    let release = release::salvage(text).map(Fact::Release);
    names.into_iter().chain(release).collect()
}

/// Whether an object in a document, or what it may be once a template is filled in, is a policy.
pub fn holds_policy(document: &Document<'_>) -> bool {
    !object::policies(document).is_empty()
}

/// Whether a file of this name names images whatever it holds, so that nothing is known of them
/// when it cannot be read.
pub fn names_images(path: &Path) -> bool {
    is_kustomization_name(path) || argo::is_source_name(path)
}

/// Why nothing in a document can be changed that SOPS has encrypted in part: its message
/// authentication code covers the other values, too, and nothing could decrypt the file after an edit.
fn signed(document: &Document<'_>) -> Option<(Reason, String)> {
    document.at(0, &["sops", "mac"])?;
    let detail = "the file carries a SOPS signature over its values; change the image with `sops`";
    Some((Reason::NotEditable, detail.to_string()))
}

/// Why nothing in a document can be changed of which a template writes both the version and the kind: it may be
/// a policy.
fn of_any_kind(document: &Document<'_>) -> Option<(Reason, String)> {
    let is_filled = |key| document.text_at(0, &[key]).is_some_and(image::is_filled);
    if !(is_filled("apiVersion") && is_filled("kind")) {
        return None;
    }
    let detail =
        "a template fills in what kind of object it is, which may be a policy; change it by hand";
    Some((Reason::GroupIncomplete, detail.to_string()))
}

/// Holds all sites for the same reason.
fn hold_all(hold: Option<&(Reason, String)>, found: &mut Found) {
    let Some(hold) = hold else { return };
    for site in found.sites.iter_mut().chain(&mut found.unproven) {
        site.hold.get_or_insert_with(|| hold.clone());
    }
}

/// The rest of the physical line after `offset`, as far as a comment that is about the value there
/// reaches: a long line is not read to its end for every value in it.
fn rest_of_line(text: &str, offset: usize) -> &str {
    const REACH: usize = 512;
    let mut end = text.len().min(offset.saturating_add(REACH));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let rest = text.get(offset..end).unwrap_or("");
    rest.split('\n').next().unwrap_or("")
}

/// Whether `c` can belong to a key, so that a key does not begin or end beside it.
fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_tables_know_by_its_name_or_host_is_looked_at() {
        for word in texts::telling_names() {
            assert!(may_name_images(word), "{word}");
        }
        for host in [
            "docker.io",
            "registry-1.docker.io",
            "ecr-public.aws.com",
            "acme.azurecr.io",
            "eu.gcr.io",
            "europe-docker.pkg.dev",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr-ecr.eu-west-1.on.aws",
        ] {
            assert!(upstreams::is_known(upstreams::canonical_host(host)));
            assert!(may_name_images(host), "{host}");
        }
        assert!(!may_name_images("kind: Service\nports: [80]\n"));
    }
}
