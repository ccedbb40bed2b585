//! The reasons for leaving a site alone: one closed list, with the stable codes users meet.
//!
//! Everything that can stop a change (a verdict of the rules, a shape that cannot be edited, a
//! group that cannot move as one) names its reason from here, so that reports count the same
//! things under the same words.

use std::fmt;

/// Why a site is left as it is. The codes are stable: they stand in reports, configs and docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The image already comes from ECR.
    AlreadyEcr,
    /// The config allows the image where it is.
    Allowed,
    /// A comment in the file says to leave the image alone.
    Ignored,
    /// A rule could exist for the upstream, but none does.
    NoRule,
    /// Amazon ECR cannot cache this upstream, and no rule was stated for it all the same.
    UnsupportedUpstream,
    /// The value holds a template action (`{{ }}` or `{% %}`).
    Templated,
    /// The value holds a placeholder (`$X`, `${X}`, `<x>`, `__X__`).
    Variable,
    /// The value does not parse, whole, as an image reference.
    NotAnImage,
    /// The value is spelled so that its bytes are not its text (escapes, several lines).
    NotEditable,
    /// The value is shared by an anchor with something that is no image, or not the same image.
    SharedAnchor,
    /// Kustomize gives the image another name before it is deployed.
    KustomizePlaceholder,
    /// A site that hangs together with this one cannot be changed.
    GroupIncomplete,
    /// Several environments with different targets use it.
    SeveralTargets,
    /// Automation that keeps the line up to date would write the upstream back.
    AutomationReverts,
    /// The file belongs to a vendored chart, which the next dependency update overwrites.
    VendoredChart,
    /// The file has other names on the same disk blocks; replacing it would break the link.
    HardLinked,
    /// A build pushes the image to this name, or puts it onto the nodes.
    BuildOutput,
    /// The place repeats what is pulled elsewhere, for people and catalogues.
    Metadata,
    /// A test of a chart says what is rendered.
    TestAssertion,
    /// A template or document that could not be read.
    Unparsed,
}

impl Reason {
    /// Every reason, in the order of the product's documentation.
    pub const ALL: [Self; 20] = [
        Self::AlreadyEcr,
        Self::Allowed,
        Self::Ignored,
        Self::NoRule,
        Self::UnsupportedUpstream,
        Self::Templated,
        Self::Variable,
        Self::NotAnImage,
        Self::NotEditable,
        Self::SharedAnchor,
        Self::KustomizePlaceholder,
        Self::GroupIncomplete,
        Self::SeveralTargets,
        Self::AutomationReverts,
        Self::BuildOutput,
        Self::VendoredChart,
        Self::Metadata,
        Self::TestAssertion,
        Self::HardLinked,
        Self::Unparsed,
    ];

    /// The stable code, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyEcr => "already-ecr",
            Self::Allowed => "allowed",
            Self::Ignored => "ignored",
            Self::NoRule => "no-rule",
            Self::UnsupportedUpstream => "unsupported-upstream",
            Self::Templated => "templated",
            Self::Variable => "variable",
            Self::NotAnImage => "not-an-image",
            Self::NotEditable => "not-editable",
            Self::SharedAnchor => "shared-anchor",
            Self::KustomizePlaceholder => "kustomize-placeholder",
            Self::GroupIncomplete => "group-incomplete",
            Self::SeveralTargets => "several-targets",
            Self::AutomationReverts => "automation-reverts",
            Self::VendoredChart => "vendored-chart",
            Self::HardLinked => "hard-linked",
            Self::BuildOutput => "build-output",
            Self::Metadata => "metadata",
            Self::TestAssertion => "test-assertion",
            Self::Unparsed => "unparsed",
        }
    }

    /// Whether what stands there is not pulled at all, so that no rule is asked.
    pub fn is_no_pull(self) -> bool {
        matches!(
            self,
            Self::NotAnImage | Self::BuildOutput | Self::Metadata | Self::TestAssertion
        )
    }

    /// Whether what stands there repeats a name that is pulled elsewhere, and may follow it.
    pub fn repeats(self) -> bool {
        matches!(self, Self::Metadata | Self::TestAssertion)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What an assumed change rests on: something that the repository cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assumption {
    /// Which registry the chart puts in front of a repository that names none.
    ChartDefaultUnknown,
    /// That a name without registry and tag is an image at all.
    BareWord,
    /// That a reference inside a text is one of an image that is pulled.
    TextReference,
    /// That the values allow a chart that refuses other registries to use them.
    BitnamiInsecureImages,
}

impl Assumption {
    /// Every assumption.
    pub const ALL: [Self; 4] = [
        Self::ChartDefaultUnknown,
        Self::BareWord,
        Self::TextReference,
        Self::BitnamiInsecureImages,
    ];

    /// The stable code, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::ChartDefaultUnknown => "chart-default-unknown",
            Self::BareWord => "bare-word",
            Self::TextReference => "text-reference",
            Self::BitnamiInsecureImages => "bitnami-insecure-images",
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
