//! Helm values: images in parts, full references under `image` and `*Image`, and registries that are
//! put in front of other names.
//!
//! Which files are values: those named so, those that another file names, and every document without
//! `apiVersion` and `kind` that holds a map shaped like an image. A `repository` counts only below a
//! key that says image or beside a `registry`, `tag`, `digest` or `pullPolicy`, because charts use
//! the same word for git repositories. The shapes and their frequency were counted over 296 values
//! files of public charts.

mod allowance;
mod shapes;
mod walk;
mod words;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::parts::Step;
use super::{BlockId, KeyPath, Shape, Site};
use crate::image::ImageRef;
use crate::reason::{Assumption, Reason};
use crate::yaml::{Document, DocumentPath, Kind, NodeId, Place, Scalar};
pub use allowance::Allowance;
use walk::Walk;
pub use words::is_image_map;
use words::{PIPELINES, SCHEMAS};
pub(super) use words::{has_image_word, is_full, is_image_name};
pub(super) use words::{has_known_host, is_image_key, is_picture, is_source};

pub(super) const NAME: &str = "values";
/// Full references of which only the word in their keys tells.
pub(super) const REFERENCE: &str = "values-reference";

/// Values that nothing but their chart shows to be parts of names.
pub(super) const SPARE: &str = "values-of-chart";

/// Whether a file of this name holds Helm values: `values.yaml`, `values-prod.yml`,
/// `prod-values.yaml`.
pub fn is_values_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| {
        name.strip_suffix(".yaml")
            .or_else(|| name.strip_suffix(".yml"))
    });
    stem.is_some_and(|stem| stem.to_ascii_lowercase().contains("values"))
}

/// What a document of Helm values says besides its images.
#[derive(Clone, Debug, Default)]
pub struct Loose {
    /// Parts of names that nothing in this file shows to be parts: another layer may.
    pub parts: Vec<LoosePart>,
    /// Texts that may stand in front of names, under keys of the chart's own, and empty places of some.
    pub fronts: Vec<LooseFront>,
    /// The ways to the maps of names without a registry that nothing shows to be images.
    pub ends: Vec<Vec<Step>>,
    /// The ways to maps and texts that a template fills in (`image: {{ .image }}`, which is YAML, too): what
    /// stands there may be anything.
    pub filled: Vec<Vec<Step>>,
    /// Whether Bitnami charts are allowed to use other registries
    /// (`global.security.allowInsecureImages`), with the way to the values of the charts it is said to.
    pub insecure: Vec<(Vec<Step>, bool)>,
    /// Where they can be allowed to.
    pub allowance: Option<Box<Allowance>>,
}

impl Loose {
    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
            && self.fronts.is_empty()
            && self.ends.is_empty()
            && self.filled.is_empty()
            && self.insecure.is_empty()
    }
}

/// A text that may stand in front of names, or the empty place of one.
#[derive(Clone, Debug)]
pub struct LooseFront {
    /// The way to its map.
    pub at: Vec<Step>,
    /// The text.
    pub text: String,
}

/// A key that holds a part of a name in other files.
#[derive(Clone, Debug)]
pub struct LoosePart {
    /// The document.
    pub document: DocumentPath,
    /// The way to its map.
    pub at: Vec<Step>,
    /// The key.
    pub key: String,
    /// Whether it takes back what an earlier layer says.
    pub empties: bool,
    /// Its text, when it is one.
    pub text: Option<String>,
}

/// What is found in a document that may be Helm values.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The sites, in no order.
    pub sites: Vec<Site>,
    /// What only a chart can show to be sites.
    pub spare: Vec<Site>,
    /// The rest.
    pub loose: Loose,
    /// Whether the file's name or the shape of a map in it shows that these are values; else
    /// another file has to.
    pub proven: bool,
}

/// The sites of a document that may be Helm values; `None` when it cannot be.
pub(super) fn find(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    templates: &[Template],
) -> Option<Values> {
    let named = is_values_name(path);
    if !may_hold_values(path, document, named) {
        return None;
    }
    let mut walk = Walk::new(text, document, 0, stated_keys(templates));
    walk.all(templates);
    let Walk {
        mut sites,
        mut loose,
        shaped,
        ..
    } = walk;
    if let Some(wrapper) = wrapper(document) {
        for site in &mut sites {
            let detail = format!(
                "{wrapper} uses it in ways that are not followed; set it in the values of a release"
            );
            site.hold.get_or_insert((Reason::GroupIncomplete, detail));
        }
    }
    let (spare, sites): (Vec<_>, Vec<_>) = sites.into_iter().partition(Site::is_spare);
    let proven = named || shaped && !is_half_object(document);
    if !proven {
        // Nothing shows that they are images, but where a file beside it is merged with this one,
        // they are parts of what that says.
        loose.parts.extend(sites.iter().flat_map(as_loose));
    }
    Some(Values {
        sites,
        spare,
        loose,
        proven,
    })
}

/// What is found in values that are a part of a document.
#[derive(Debug)]
pub(super) struct Inside {
    /// The sites, in no order.
    pub sites: Vec<Site>,
    /// What only a chart can show to be sites.
    pub spare: Vec<Site>,
    /// The rest.
    pub loose: Loose,
}

impl Inside {
    fn of(walk: Walk<'_>) -> Self {
        let (spare, sites) = walk.sites.into_iter().partition(Site::is_spare);
        Self {
            sites,
            spare,
            loose: walk.loose,
        }
    }
}

impl Site {
    /// Whether only its chart can show that it is a site.
    pub fn is_spare(&self) -> bool {
        self.finder == SPARE
    }
}

/// A site of a document that nothing shows to be values: an image if it is written out, with a
/// registry that is known and a tag or digest or a key that says image, and then by assumption.
pub fn without_proof(site: Site) -> Option<Site> {
    if site.is_spare() {
        return None;
    }
    let (scalar, is_named) = match &site.shape {
        Shape::Parts(parts) => {
            let last = parts.parts.last();
            let is_named = last.is_some_and(|part| words::is_image_key(&part.key));
            (parts.primary()?, is_named)
        }
        Shape::Within(bit) if bit.text() == bit.scalar.value => (&bit.scalar, false),
        Shape::Within(_) | Shape::Whole(_) | Shape::Entry(_) => return None,
    };
    let image = ImageRef::parse(&scalar.value).ok()?;
    let is_pinned = image.name_len() < scalar.value.len();
    let is_full = (is_pinned || is_named) && words::has_known_host(&scalar.value);
    if !is_full || site.scalars().count() > 1 {
        return site.document.is_inside().then(|| shown(site)).flatten();
    }
    let detail = "nothing shows what reads this file; agree with `--assume=text-reference`, or name the file after the values that it holds";
    Some(Site {
        shape: Shape::Whole(scalar.clone()),
        assumption: Some((Assumption::TextReference, detail.to_string())),
        ..site
    })
}

/// An image in parts in a text of an object that nobody is seen to read, if it names a registry that is known:
/// which layers are merged with it, so that its parts could be changed, is not known either.
fn shown(site: Site) -> Option<Site> {
    let text = site.text().to_string();
    let primary = site.parts()?.primary()?;
    let image = ImageRef::parse(&text).ok()?;
    if image.name_len() == text.len() || !words::has_known_host(&text) {
        return None;
    }
    let shape = Shape::Whole(Scalar {
        place: Place::Spelled(primary.place.span()),
        value: text,
        ..primary.clone()
    });
    let detail = "nothing shows what reads the values in this text, and which others it merges with them; change it by hand, together with those";
    let hold = (Reason::GroupIncomplete, detail.to_string());
    Some(Site {
        shape,
        hold: Some(site.hold.unwrap_or(hold)),
        ..site
    })
}

/// The values that `root` of a document is, known by `block`.
pub(super) fn inside(
    text: &str,
    document: &Document<'_>,
    root: NodeId,
    block: BlockId,
    templates: &[Template],
) -> Inside {
    let mut walk = Walk::new(text, document, root, stated_keys(templates));
    walk.block = Some(block);
    walk.prefix = KeyPath::of(document, root);
    walk.all(templates);
    walk.hold_shared();
    Inside::of(walk)
}

/// A single value, set by the path of its keys.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    /// The keys.
    pub keys: Vec<String>,
    /// The node of the value.
    pub node: NodeId,
}

/// The values that parameters set, `list` being where they begin; a later one wins.
pub(super) fn parameters(
    text: &str,
    document: &Document<'_>,
    list: NodeId,
    templates: &[Template],
    parameters: &[Parameter],
) -> Inside {
    let mut walk = Walk::new(text, document, list, stated_keys(templates));
    walk.block = Some(BlockId::of(document, list));
    let mut maps: BTreeMap<Vec<Step>, Vec<&Parameter>> = BTreeMap::new();
    for parameter in parameters {
        let Some((_, way)) = parameter.keys.split_last() else {
            continue;
        };
        let at = way.iter().cloned().map(Step::Key).collect();
        maps.entry(at).or_default().push(parameter);
    }
    for (at, parameters) in maps {
        let entries = parameters.iter().filter_map(|parameter| {
            let key = parameter.keys.last()?;
            Some((key.as_str(), parameter.node))
        });
        walk.entries_at(&at, entries);
    }
    walk.name_by_place();
    walk.hold_shared();
    Inside::of(walk)
}

/// The keys that the config says are parts of names.
fn stated_keys(templates: &[Template]) -> HashSet<&str> {
    let keys = templates.iter().flatten().filter_map(|path| path.last());
    keys.map(String::as_str).collect()
}

fn as_loose(site: &Site) -> Vec<LoosePart> {
    let Some(parts) = site.parts() else {
        return Vec::new();
    };
    let filled = parts
        .parts
        .iter()
        .filter(|part| part.value.scalar().is_some());
    filled
        .map(|part| LoosePart {
            document: site.document,
            at: parts.at.clone(),
            key: part.key.clone(),
            empties: false,
            text: part.value.scalar().map(|scalar| scalar.value.clone()),
        })
        .collect()
}

/// The paths of the keys whose texts, joined with `/`, name an image: `{{ .proxy.hub }}/{{
/// .proxy.name }}` is `[[proxy, hub], [proxy, name]]`.
pub type Template = Vec<Vec<String>>;

/// Objects, pieces of templates, and tests of charts are no values.
fn may_hold_values(path: &Path, document: &Document<'_>, named: bool) -> bool {
    if !matches!(document.node(0).kind, Kind::Mapping) {
        return false;
    }
    let has = |key| document.get(0, key).is_some();
    let is_object = has("apiVersion") && (has("kind") || !named);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or("");
    let is_terraform = name.ends_with(".tfvars.json") || name.ends_with(".tf.json");
    let in_templates = path.parent().is_some_and(|folder| {
        let mut parts = folder.iter();
        parts.any(|part| part == "templates" || part == "crds")
    });
    let is_schema = SCHEMAS.iter().any(|key| has(key)) || has("properties") && has("type");
    let is_pipeline = !named && PIPELINES.iter().any(|key| has(key));
    let is_other = super::chart::is_chart_name(path) || super::is_kustomization_name(path);
    !(is_object
        || is_chart_test(document)
        || is_schema
        || is_pipeline
        || is_other
        || is_terraform
        || in_templates && !named)
}

/// Whether a document has a kind and no version: variables may be called so, and a piece of an object
/// is written so, too. Its shape alone does not prove that it is values.
fn is_half_object(document: &Document<'_>) -> bool {
    document.get(0, "kind").is_some()
}

/// A suite of helm-unittest: what it sets is asserted further down.
pub(super) fn is_chart_test(document: &Document<'_>) -> bool {
    let Some(tests) = document.get(0, "tests") else {
        return false;
    };
    let has = |key| document.get(0, key).is_some();
    let is_test = |item| {
        let test = document.resolve(item);
        ["it", "asserts", "set", "template"]
            .iter()
            .any(|key| document.get(test, key).is_some())
    };
    has("suite") || has("templates") || document.items(tests).any(is_test)
}

/// What the document is when values are only a part of it.
fn wrapper(document: &Document<'_>) -> Option<&'static str> {
    let releases = document.get(0, "releases");
    let is_release = |item| document.get(document.resolve(item), "chart").is_some();
    if releases.is_some_and(|releases| document.items(releases).any(is_release)) {
        return Some("a helmfile");
    }
    let helm = document.get(0, "helm")?;
    ["values", "valuesFiles", "chart", "parameters"]
        .iter()
        .any(|key| document.get(helm, key).is_some())
        .then_some("a Fleet bundle or Argo CD override")
}
