//! One image as one merge of layers shows it.

use super::super::SiteId;
use super::super::charted::{self, Charted};
use crate::reason::Assumption;
use crate::sites::{Names, Step};

/// A part of a name after the merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Its key.
    pub key: String,
    /// Its text; empty when no layer has one.
    pub text: String,
    /// The site and the part of it that the text comes from.
    pub from: Option<(SiteId, usize)>,
}

/// A text that templates may put in front of names.
#[derive(Clone, Debug)]
pub struct Front {
    /// The text; never empty.
    pub text: String,
    /// The site it comes from: the last of its parts.
    pub site: SiteId,
}

/// One image as one merge of layers shows it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct View {
    /// The way to the map of its parts, as the chart sees it.
    pub at: Vec<Step>,
    /// What the parts name together.
    pub names: Names,
    /// The parts, in the order in which they are joined.
    pub parts: Vec<Merged>,
    /// The site in the last layer that says anything of it.
    pub own: SiteId,
    /// Whether a further key may be joined behind the last part.
    pub may_go_on: bool,
    /// Whether a tag or digest stands beside the parts in any layer.
    pub tagged: bool,
    /// Whether any merge of the same values path has a registry of its own.
    pub registry_elsewhere: bool,
    /// The values path, when everything that stands there in any merge moves together.
    pub together: Option<usize>,
    /// A registry or longer text that stands in scope, to be put in front of names.
    pub front: Option<Front>,
    /// Whether anything in reach may be put in front of names: a registry of another image, one
    /// that is not known, or the empty place of one.
    pub may_be_fronted: bool,
    /// A registry that stands beside it or around it, under a key of its own or as a part of another
    /// image.
    pub beside: Option<String>,
    /// The registry for every image of the chart.
    pub global: Option<Front>,
    /// Whether a layer allows Bitnami charts to use other registries.
    pub insecure_allowed: bool,
    /// Whether a layer says that they may not.
    pub insecure_refused: bool,
    /// Whether a further key may be joined between the parts.
    pub between: bool,
    /// Whether the chart's own values name the image without a registry, so that its templates may not
    /// read one.
    pub registry_unread: bool,
    /// The files whose paths decide the target: the last layer of each merge that shows the same.
    pub targets: Vec<usize>,
    /// Whether it is only the beginning of merges: it says what a layer means, and nothing is deployed
    /// that way.
    pub is_beginning: bool,
    /// Why nothing can be said of it.
    pub blocked: Option<String>,
    /// The value, by its dotted path, that automation would write the old name back to.
    pub written: Option<String>,
    /// What its own file says that a change rests on.
    pub assumption: Option<(Assumption, String)>,
    /// How its chart makes the name, when that is known: `parts` are the values that it reads then.
    pub charted: Option<Box<Charted>>,
    /// What would tell what its chart makes of it, when a release names a chart that is not known.
    pub chart_unknown: Option<String>,
}

impl View {
    /// Whether its first part is a registry of its own.
    pub(super) fn has_registry(&self) -> bool {
        self.charted.is_none()
            && self.names == Names::Image
            && self.parts.len() > 1
            && !self.parts[0].text.is_empty()
    }

    /// The first of the values at these paths that it is made of.
    pub(super) fn written_in(&self, paths: &[String]) -> Option<String> {
        if paths.is_empty() {
            return None;
        }
        let parts = self.parts.iter();
        let parts = parts.filter_map(|part| charted::value_path(&self.at, &part.key));
        let slots = self.charted.iter().flat_map(|image| &image.slots);
        let own = parts.chain(slots.map(|slot| slot.path.clone()));
        let mut own = own.map(|path| path.to_string());
        own.find(|own| paths.contains(own))
    }

    /// Takes in what another merge says of the same image. What is deployed counts for more than the
    /// beginning of a merge.
    pub(super) fn take_in(&mut self, other: Self) {
        self.may_be_fronted |= other.may_be_fronted;
        self.between |= other.between;
        self.beside = self.beside.take().or_else(|| other.beside.clone());
        self.written = self.written.take().or_else(|| other.written.clone());
        if !other.is_beginning && !self.is_beginning {
            // What one release allows, another one may not.
            self.insecure_allowed &= other.insecure_allowed;
            self.insecure_refused |= other.insecure_refused;
            self.assumption = self.assumption.take().or_else(|| other.assumption.clone());
        }
        if self.is_beginning && !other.is_beginning {
            *self = Self {
                may_be_fronted: self.may_be_fronted,
                beside: self.beside.take(),
                between: self.between,
                written: self.written.take(),
                ..other
            };
            return;
        }
        if other.is_beginning {
            return;
        }
        for file in other.targets {
            if !self.targets.contains(&file) {
                self.targets.push(file);
            }
        }
    }

    /// Whether the chart decides which registry the image comes from.
    pub(super) fn leaves_the_registry_open(&self) -> bool {
        match self.names {
            Names::StatedImage | Names::StatedBeginning => false,
            Names::Beginning | Names::Everything => true,
            Names::Image => {
                let first = self.parts.first().map_or("", |part| part.text.as_str());
                let is_host = |text: &str| {
                    text.split('/')
                        .next()
                        .is_some_and(|host| host.contains(['.', ':']))
                };
                !is_host(first)
                    || self.parts.len() > 1 && self.parts.iter().any(|part| part.text.is_empty())
            }
        }
    }
}
