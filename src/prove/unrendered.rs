//! Why something is not rendered.

use std::fmt;

use super::engine::Failed;

/// Why something is not rendered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unrendered {
    /// One of a few reasons.
    pub why: Why,
    /// What it is about: a path, a chart, what the tool says.
    pub detail: String,
}

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A kustomization takes in something that lies elsewhere.
    RemoteBase,
    /// The chart lies elsewhere.
    ChartNotAtHand,
    /// A chart that the chart brings lies elsewhere.
    DependencyNotAtHand,
    /// Values of a release are not known.
    ValuesUnknown,
    /// Something is done to what the chart makes, which is not followed.
    Afterwards,
    /// The chart wants values that nobody gives here.
    NeedsValues,
    /// Built by what takes it in.
    Component,
    /// A chart that only others use.
    Library,
    /// A file is missing.
    MissingFile,
    /// A file lies outside of the repository, or of the kustomization's folder.
    OutsideFile,
    /// Something is not YAML.
    NotYaml,
    /// A program of its own would have to run.
    Plugin,
    /// The tool is not there.
    NoTool,
    /// It takes too long or makes too much.
    Limit,
    /// The run was stopped.
    Stopped,
    /// The tool says no.
    Refused,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::RemoteBase,
        Self::ChartNotAtHand,
        Self::DependencyNotAtHand,
        Self::ValuesUnknown,
        Self::Afterwards,
        Self::NeedsValues,
        Self::Component,
        Self::Library,
        Self::MissingFile,
        Self::OutsideFile,
        Self::NotYaml,
        Self::Plugin,
        Self::NoTool,
        Self::Limit,
        Self::Stopped,
        Self::Refused,
    ];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::RemoteBase => "remote-base",
            Self::ChartNotAtHand => "chart-not-at-hand",
            Self::DependencyNotAtHand => "dependency-not-at-hand",
            Self::ValuesUnknown => "values-unknown",
            Self::Afterwards => "afterwards",
            Self::NeedsValues => "needs-values",
            Self::Component => "component",
            Self::Library => "library",
            Self::MissingFile => "missing-file",
            Self::OutsideFile => "outside-file",
            Self::NotYaml => "not-yaml",
            Self::Plugin => "plugin",
            Self::NoTool => "no-tool",
            Self::Limit => "limit",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::RemoteBase => "takes in a remote base",
            Self::ChartNotAtHand => "its chart is not at hand",
            Self::DependencyNotAtHand => "a chart that it brings is not at hand",
            Self::ValuesUnknown => "not all of its values are known",
            Self::Afterwards => "something is done to its objects afterwards",
            Self::NeedsValues => "wants values that nothing here gives",
            Self::Component => "a component: built by what takes it in",
            Self::Library => "a library: rendered by the charts that use it",
            Self::MissingFile => "a file is missing",
            Self::OutsideFile => "a file lies outside of it",
            Self::NotYaml => "not YAML",
            Self::Plugin => "needs a plugin, which is never run",
            Self::NoTool => "the tool is not there",
            Self::Limit => "takes too long or makes too much",
            Self::Stopped => "the run was stopped",
            Self::Refused => "the tool refuses it",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What tools say, and what that means: the first row of which a word is said.
const SAID: &[(Why, &[&str])] = &[
    (
        Why::DependencyNotAtHand,
        &[
            "missing in charts/",
            "found in requirements.yaml, but missing",
        ],
    ),
    (Why::Library, &["library charts are not installable"]),
    (
        Why::OutsideFile,
        &[
            "security; file",
            "is not in or below",
            "must resolve to a file",
        ],
    ),
    (
        Why::Plugin,
        &[
            "--enable-alpha-plugins",
            "--enable-exec",
            "unable to load builtin",
            "external plugins",
        ],
    ),
    (
        Why::RemoteBase,
        &[
            "git fetch",
            "proxyconnect",
            "dial tcp",
            "git clone",
            "git init",
            "\"git\"",
        ],
    ),
    (Why::Component, &["expected kind != 'Component'"]),
    (Why::MissingFile, &["no such file", "unable to find one of"]),
    (
        Why::NeedsValues,
        &[
            "error calling fail",
            "error calling required",
            "values don't meet the specifications",
            "nil pointer evaluating",
            "execution error at",
        ],
    ),
    (
        Why::NotYaml,
        &[
            "yaml:",
            "YAML parse error",
            "json:",
            "invalid Kustomization",
            "MalformedYAML",
        ],
    ),
];

impl Unrendered {
    pub(super) fn new(why: Why, detail: &str) -> Self {
        Self {
            why,
            detail: detail.to_string(),
        }
    }

    /// What a tool that failed means.
    pub(super) fn of(failed: &Failed) -> Self {
        match failed {
            Failed::Refused(talk) => {
                let says = |words: &&[&str]| words.iter().any(|word| talk.contains(word));
                let why = SAID.iter().find(|(_, words)| says(words));
                let why = why.map_or(Why::Refused, |(why, _)| *why);
                Self::new(why, &told(talk))
            }
            Failed::Slow(time) => {
                let detail = format!("it took more than {} s", time.as_secs());
                Self::new(Why::Limit, &detail)
            }
            Failed::Large(bytes) => {
                let detail = format!("it made more than {bytes} bytes");
                Self::new(Why::Limit, &detail)
            }
            Failed::Stopped => Self::new(Why::Stopped, ""),
            Failed::Broken(why) => Self::new(Why::NoTool, why),
        }
    }
}

/// What a tool complains of, in one line.
fn told(talk: &str) -> String {
    let is_error = |line: &&str| line.starts_with("Error");
    let start = talk.lines().position(|line| is_error(&line));
    let lines = talk.lines().skip(start.unwrap_or(0));
    let lines: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Use --debug"))
        .collect();
    let told = lines.join(" ");
    super::compare::shortened(told.strip_prefix("Error: ").unwrap_or(&told))
}
