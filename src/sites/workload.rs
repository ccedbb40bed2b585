//! Pod specs, by shape: every list named `containers`, `initContainers` or `ephemeralContainers`
//! inside an object, and the image volumes in every list named `volumes`.
//!
//! The shape covers Pod, Deployment, CronJob and the other workloads, `List` items, Argo Rollouts,
//! Knative and the many custom resources that embed a pod spec. Aliases and merge keys are
//! followed, each anchor once for each role it is used in; a value that is an image in one place
//! and something else in another is held as `shared-anchor`.

use std::collections::HashSet;

use super::{Fact, Found, Input, KeyPath, Shape, Site, flux, injected, object, rest_of_line};
use crate::reason::Reason;
use crate::yaml::{Document, Kind, NodeId, PlainType, Scalar, Style, plain_type};

pub(super) const NAME: &str = "workload";

/// The lists of containers in a pod spec.
const CONTAINER_LISTS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];
/// Keys beside an image that say when it is pulled, and what says that it never is.
pub(super) const PULL_POLICIES: &[&str] = &["imagePullPolicy", "pullPolicy"];
pub(super) const NEVER: &str = "Never";
/// Keys of an object below which nothing is deployed.
const NOT_DEPLOYED: &[&str] = &["status", "metadata"];

/// What a node is to the pod spec it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// The object itself.
    Root,
    /// Anything that may hold a pod spec further down.
    Any,
    /// The list under `containers`.
    Containers,
    /// An item of it.
    Container,
    /// The list under `volumes`.
    Volumes,
    /// An item of it.
    Volume,
    /// The `image` of a volume.
    VolumeImage,
    /// A value that names an image.
    Image,
}

impl Role {
    /// The role of the value under `key` of a mapping in this role.
    fn of_value(self, key: &str) -> Option<Self> {
        match (self, key) {
            (_, "<<") => Some(self),
            (Self::Root, key) if NOT_DEPLOYED.contains(&key) => None,
            (Self::Container, "image") | (Self::VolumeImage, "reference") => Some(Self::Image),
            (Self::Volume, "image") => Some(Self::VolumeImage),
            (Self::VolumeImage | Self::Image, _) => Some(Self::Any),
            (_, key) if CONTAINER_LISTS.contains(&key) => Some(Self::Containers),
            (_, "volumes") => Some(Self::Volumes),
            _ => Some(Self::Any),
        }
    }

    /// The role of an item of a sequence in this role.
    fn of_item(self) -> Self {
        match self {
            Self::Containers => Self::Container,
            Self::Volumes => Self::Volume,
            _ => Self::Any,
        }
    }
}

/// A walk through one object.
struct Walk<'d> {
    document: &'d Document<'d>,
    /// Aliases still to be followed: nodes and their roles. A list of its own instead of recursion,
    /// because a chain of aliases can be as long as the file.
    pending: Vec<(NodeId, Role)>,
    /// What was already followed: an alias bomb is walked once.
    followed: HashSet<(NodeId, Role)>,
    images: Vec<NodeId>,
}

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let document = input.document;
    for id in images(document, input.object.node, Role::Root) {
        let mut site = site(input.text, document, id);
        if let Some(site) = site.as_mut().filter(|_| is_never_pulled(document, id)) {
            let (reason, detail) = never_pulled();
            site.hold.get_or_insert((reason, detail));
        }
        found.sites.extend(site);
    }
}

/// Whether a container, or a volume, says that its image is never pulled.
fn is_never_pulled(document: &Document<'_>, image: NodeId) -> bool {
    let map = document.node(image).parent;
    let mut policies = PULL_POLICIES.iter();
    policies.any(|key| document.text_at(map, &[key]) == Some(NEVER))
}

/// Why an image stays that nobody pulls.
pub(super) fn never_pulled() -> (Reason, String) {
    let detail = "its pull policy is `Never`: it is put onto the nodes under this name";
    (Reason::BuildOutput, detail.to_string())
}

impl Walk<'_> {
    fn visit(&mut self, id: NodeId, role: Role) {
        match self.document.node(id).kind {
            // An object inside this one is looked at on its own.
            Kind::Mapping if role != Role::Root && object::starts_object(self.document, id) => {}
            Kind::Mapping | Kind::Sequence => {
                let document = self.document;
                children(document, id, role, &mut |child, role| {
                    self.visit(child, role);
                });
            }
            Kind::Alias(target) => {
                if self.followed.insert((target, role)) {
                    self.pending.push((target, role));
                }
            }
            Kind::Scalar { .. } if role == Role::Image => self.images.push(id),
            Kind::Scalar { .. } => {}
        }
    }
}

/// Calls `visit` for every value or item directly below `id`, with its role.
fn children(document: &Document<'_>, id: NodeId, role: Role, visit: &mut dyn FnMut(NodeId, Role)) {
    for item in document.items(id) {
        visit(item, role.of_item());
    }
    for entry in document.entries(id) {
        let is_list = matches!(document.node(entry.value).kind, Kind::Sequence);
        if entry.key == Some("<<") && is_list {
            // `<<: [*a, *b]` merges several maps, each in the role of this one.
            document
                .items(entry.value)
                .for_each(|item| visit(item, role));
        } else if let Some(role) = role.of_value(injected::added(entry.key.unwrap_or(""))) {
            visit(entry.value, role);
        }
    }
}

/// The images of policies that stay: kustomize does not tell those from others.
pub(super) fn fixed(document: &Document<'_>) -> Option<Fact> {
    let policies = object::policies(document);
    let injected = injected::nodes(document, &policies);
    let stays = |id: &NodeId| !injected.iter().any(|nodes| nodes.contains(id));
    let texts = policies
        .iter()
        .flat_map(|policy| images(document, policy.node, Role::Root))
        .filter(stays)
        .filter_map(|id| document.text(id));
    let texts: Vec<String> = texts.map(Into::into).collect();
    (!texts.is_empty()).then_some(Fact::FixedImages(texts))
}

/// The images at and below `value`, when it is the value of a patch for the field of an object that
/// the JSON pointer `path` leads to.
pub(super) fn images_at(document: &Document<'_>, value: NodeId, path: &str) -> Vec<NodeId> {
    let mut role = Role::Root;
    for part in path.split('/').skip(1) {
        let is_position = part == "-" || part.parse::<usize>().is_ok();
        let next = match role {
            Role::Containers | Role::Volumes if is_position => Some(role.of_item()),
            _ => role.of_value(&part.replace("~1", "/").replace("~0", "~")),
        };
        let Some(next) = next else { return Vec::new() };
        role = next;
    }
    images(document, value, role)
}

/// The images at and below a node in a role, in the order of the text.
fn images(document: &Document<'_>, node: NodeId, role: Role) -> Vec<NodeId> {
    let mut walk = Walk {
        document,
        pending: vec![(node, role)],
        followed: HashSet::new(),
        images: Vec::new(),
    };
    while let Some((node, role)) = walk.pending.pop() {
        walk.visit(node, role);
    }
    walk.images.sort_unstable();
    walk.images.dedup();
    walk.images
}

/// The site at a scalar in the role of an image; none where nothing is named.
pub(super) fn site(text: &str, document: &Document<'_>, id: NodeId) -> Option<Site> {
    let Kind::Scalar {
        value, style, tag, ..
    } = &document.node(id).kind
    else {
        return None;
    };
    let is_text = tag
        .as_deref()
        .is_some_and(|tag| matches!(tag, "!" | "!!str" | "tag:yaml.org,2002:str"));
    let kind = if *style == Style::Plain && !is_text {
        plain_type(value)
    } else {
        PlainType::Text
    };
    if kind == PlainType::Null || value.is_empty() {
        return None;
    }
    let scalar = Scalar::locate(text, document, id)?;
    let hold = match (kind, tag) {
        (PlainType::Other, _) => Some((
            Reason::NotAnImage,
            "is a number or truth value, not text".to_string(),
        )),
        (_, Some(tag)) if !is_text => Some((
            Reason::NotAnImage,
            format!("has the tag `{tag}`, which gives it another meaning"),
        )),
        _ => flux::marker_hold(rest_of_line(text, scalar.place.span().end)),
    };
    Some(Site {
        document: document.path,
        path: KeyPath::of(document, id),
        shape: Shape::Whole(scalar),
        finder: NAME,
        hold,
        assumption: None,
    })
}

/// Drops what was found twice through aliases, and holds images whose anchor is also used where
/// nothing says that an image is meant.
pub(super) fn settle_anchors(document: &Document<'_>, found: &mut Found) {
    if !document.has_aliases {
        return;
    }
    let mut seen = HashSet::new();
    // In a text that is spelled otherwise, all have one span.
    let place = |site: &Site| {
        (
            site.span(),
            site.scalars().next().map(|scalar| scalar.ordinal),
        )
    };
    found
        .sites
        .retain(|site| site.parts().is_some() || seen.insert(place(site)));
    let uses = Uses::of(document);
    for site in found.sites.iter_mut().filter(|site| site.finder == NAME) {
        let Shape::Whole(scalar) = &site.shape else {
            continue;
        };
        if uses.elsewhere.contains(&scalar.ordinal) && site.hold.is_none() {
            let detail = "its anchor is also used where no image is named; write the image out in both places";
            site.hold = Some((Reason::SharedAnchor, detail.to_string()));
        }
    }
}

/// The scalars of a document that are read in a role other than an image's.
struct Uses {
    /// Their ordinals, for those that are images elsewhere.
    elsewhere: HashSet<usize>,
}

impl Uses {
    fn of(document: &Document<'_>) -> Self {
        let mut survey = Survey {
            document,
            pending: vec![(0, Role::Any)],
            followed: HashSet::new(),
            other: HashSet::new(),
        };
        while let Some((node, role)) = survey.pending.pop() {
            survey.visit(node, role);
        }
        Self {
            elsewhere: survey.other,
        }
    }
}

/// A walk through the whole document that remembers every scalar value read as no image.
struct Survey<'d> {
    document: &'d Document<'d>,
    pending: Vec<(NodeId, Role)>,
    followed: HashSet<(NodeId, Role)>,
    other: HashSet<usize>,
}

impl Survey<'_> {
    fn visit(&mut self, id: NodeId, role: Role) {
        match &self.document.node(id).kind {
            Kind::Mapping | Kind::Sequence => {
                let document = self.document;
                children(document, id, role, &mut |child, role| {
                    self.visit(child, role);
                });
                // A key that is an alias reads its anchor as something else than an image.
                document
                    .entries(id)
                    .for_each(|entry| self.visit(entry.key_node, Role::Any));
            }
            Kind::Alias(target) => {
                if self.followed.insert((*target, role)) {
                    self.pending.push((*target, role));
                }
            }
            Kind::Scalar { ordinal, .. } if role != Role::Image => {
                self.other.insert(*ordinal);
            }
            Kind::Scalar { .. } => {}
        }
    }
}
