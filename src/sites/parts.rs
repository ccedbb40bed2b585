//! An image that is written in parts: registry, repository and tag under keys of their own, possibly
//! in several files, of which a later one replaces single parts of an earlier one.

use std::fmt;

use super::{BlockId, KeyPath, Pair};
use crate::yaml::Scalar;

/// One step on the way from the root of the values to a map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// A position in a list, 0-based. Layers replace lists as a whole.
    Item(usize),
}

/// What stands under the key of a part.
#[derive(Clone, Debug)]
pub enum Value {
    /// The key is not there: an earlier layer decides.
    Missing,
    /// `""`, `~` or nothing: an earlier layer's text is taken back.
    Empty,
    /// A text.
    Text(Scalar),
}

impl Value {
    /// Whether its key is there.
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The scalar with its text.
    pub fn scalar(&self) -> Option<&Scalar> {
        match self {
            Self::Text(scalar) => Some(scalar),
            _ => None,
        }
    }
}

/// A part of an image's name.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its key.
    pub key: String,
    /// What stands there.
    pub value: Value,
}

/// What the parts name together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// One image.
    Image,
    /// One image, by what the config says of these keys: no registry means Docker Hub.
    StatedImage,
    /// The beginning of the names of several images (`hub: docker.io/istio`).
    Beginning,
    /// The same, by what is known of the keys of a custom resource: they are joined with `/`.
    StatedBeginning,
    /// The registry that a chart and its subcharts put in front of every image.
    Everything,
}

impl Names {
    /// Whether it is no image, but what stands in front of the names of some.
    pub fn is_beginning(self) -> bool {
        matches!(
            self,
            Self::Beginning | Self::StatedBeginning | Self::Everything
        )
    }
}

/// The parts of an image's name in one map of one file.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where the values begin that it is a part of, when they are not the whole file.
    pub block: Option<BlockId>,
    /// The way to the map, from the root of the values.
    pub at: Vec<Step>,
    /// Which keys of the map belong together: the same in every layer. Empty for `registry` and
    /// `repository`, else the key that the others are made of (`sidecarImage`, `hub`).
    pub family: String,
    /// What they name.
    pub names: Names,
    /// The parts of the name, in the order in which they are joined with `/`.
    pub parts: Vec<Part>,
    /// Whether a further key (`name`, `image`) may be joined behind the last part.
    pub may_go_on: bool,
    /// Whether a further key (`namespace`, `organization`) may be joined between the parts.
    pub between: bool,
    /// What follows the name when this file alone counts: `:1.27`, `@sha256:…`, both or nothing.
    pub suffix: String,
    /// The name and suffix as this file alone gives them.
    pub display: String,
    /// Where a further key can be added to the map, behind the primary part; or why nowhere.
    pub room: Result<Box<Pair>, String>,
}

impl Parts {
    /// The part to point at: the last one with a text.
    pub fn primary(&self) -> Option<&Scalar> {
        self.scalars().last()
    }

    /// The scalars of the parts that have a text.
    pub fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        self.parts.iter().filter_map(|part| part.value.scalar())
    }

    /// Whether a part of it takes an earlier layer's text back.
    pub fn has_empty(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part.value, Value::Empty))
    }

    /// Whether a part stands under this key.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.parts.iter().any(|part| part.key == key)
    }

    /// Whether a list stands on the way to the map.
    pub fn is_listed(&self) -> bool {
        self.at.iter().any(|step| matches!(step, Step::Item(_)))
    }

    /// The keys of the parts, for people: `image.registry` and `image.repository`. `root` leads to the
    /// values.
    pub fn path(&self, root: &KeyPath) -> KeyPath {
        let mut path = root.with_steps(&self.at);
        if !self.family.is_empty()
            && let Some(part) = self
                .parts
                .iter()
                .rfind(|part| part.value.scalar().is_some())
        {
            path.push_key(&part.key);
        }
        path
    }
}

/// What a repository ends in whose tag is the digest that follows: charts join `name@sha256`, `:` and the tag.
pub const DIGEST_GLUE: &str = "@sha256";

/// Joins the parts of a name; a part may end with the slash that joins it to the next.
pub fn join<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() && !name.ends_with('/') {
            name.push('/');
        }
        name.push_str(part);
    }
    name
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Item(index) => write!(f, "[{index}]"),
        }
    }
}
