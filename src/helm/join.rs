//! How a chart makes the name of an image out of values.
//!
//! A [`Join`] is the part of a template that matters, as data: forms, of which the first that applies is
//! taken; a form's parts, one behind the other; and of each part the sources, of which the first that is
//! not empty is taken. What it makes is the name without the tag and digest that the chart adds itself.
//!
//! In text (the built-in table, messages, tests) a form is its parts with what ties them together:
//!
//! ```text
//! [global.imageRegistry|image.registry|"docker.io"]/?image.repository
//! ```
//!
//! `/` always stands there, `/?` only when the part before it is not empty, and `+` ties without a
//! slash. Forms are separated by `; `, and one that needs a value says so first: `image.repository ?
//! image.repository; image.registry/image.image`. A step `*` is any key and `**` any way from the root,
//! the same in every path of the join.

use std::fmt;

/// The step that is any key.
const ANY: &str = "*";
/// The first step that is any way from the root.
const ANY_WAY: &str = "**";

/// A place in the values of a chart: the keys from their root; `*` is any key, and `**` in front any
/// keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(pub Vec<String>);

/// Where the text of a part comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A value.
    Value(ValuePath),
    /// A text in the templates.
    Text(String),
}

/// What ties a part to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glue {
    /// A slash, also when the part is empty.
    Slash,
    /// A slash, unless the part is empty.
    SlashIfAny,
    /// Nothing.
    Nothing,
}

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The sources, of which the first that is not empty is taken.
    pub sources: Vec<Source>,
    /// What ties it to the next part; of the last part, nothing.
    pub glue: Glue,
}

/// A way to make the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// The value that must not be empty for this form to be taken.
    pub when: Option<ValuePath>,
    /// The parts.
    pub parts: Vec<Part>,
}

/// How a chart makes the name of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    /// The forms, of which the first that applies is taken.
    pub forms: Vec<Form>,
}

/// A piece of a name as some values make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'j> {
    /// The part of the form.
    pub part: &'j Part,
    /// The source that was taken; none when all are empty.
    pub source: Option<&'j Source>,
    /// Its text.
    pub text: String,
}

impl ValuePath {
    /// Reads the text of a path, as joins write it; nothing when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_fine = text.chars().all(is_of_path) && text.split('.').all(|key| !key.is_empty());
        is_fine.then(|| Self(text.split('.').map(str::to_string).collect()))
    }

    /// The path below `self`.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        Self(self.0.iter().cloned().chain([key.to_string()]).collect())
    }

    /// The path of another key of the same map.
    #[must_use]
    pub fn sibling(&self, key: &str) -> Self {
        let above = self.0.split_last().map_or(&[][..], |(_, above)| above);
        Self(above.to_vec()).child(key)
    }

    /// The path as a chart sees it that keeps these values under `key`; global values stay.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        if self.is_global() {
            return self.clone();
        }
        let keys = std::iter::once(key.to_string()).chain(self.0.iter().cloned());
        Self(keys.collect())
    }

    /// The key of the value.
    pub fn key(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Whether it counts for every chart of a release.
    pub fn is_global(&self) -> bool {
        self.0.first().is_some_and(|key| key == "global")
    }

    /// The path with its `*` and `**` filled in, in turn.
    #[must_use]
    pub fn bound(&self, ways: &[Vec<String>]) -> Self {
        let mut ways = ways.iter();
        let step = |step: &String| match step.as_str() {
            ANY | ANY_WAY => ways.next().cloned().unwrap_or_default(),
            _ => vec![step.clone()],
        };
        Self(self.0.iter().flat_map(step).collect())
    }

    /// Whether it has a `*` or `**`.
    pub fn is_open(&self) -> bool {
        self.0.iter().any(|step| step == ANY || step == ANY_WAY)
    }

    /// Whether it begins with, or has, a `**`: it is said of charts in general.
    pub fn is_general(&self) -> bool {
        self.0.iter().any(|step| step == ANY_WAY)
    }

    /// What stands for the `*` and `**` of `self` when it means `path`.
    pub fn matched(&self, path: &Self) -> Option<Vec<Vec<String>>> {
        let any_way = self.0.iter().position(|step| step == ANY_WAY);
        let Some(at) = any_way else {
            return matched(&self.0, &path.0);
        };
        let (front, back) = (&self.0[..at], &self.0[at + 1..]);
        let (first, rest) = path.0.split_at_checked(at)?;
        let (way, last) = rest.split_at_checked(rest.len().checked_sub(back.len())?)?;
        let mut ways = matched(front, first)?;
        ways.push(way.to_vec());
        ways.extend(matched(back, last)?);
        Some(ways)
    }
}

/// What stands for each `*` of `steps` when they mean `keys`.
fn matched(steps: &[String], keys: &[String]) -> Option<Vec<Vec<String>>> {
    let fits = |(step, key): (&String, &String)| step == ANY || step == key;
    let is_same = steps.len() == keys.len() && steps.iter().zip(keys).all(fits);
    let any = steps.iter().zip(keys).filter(|(step, _)| *step == ANY);
    is_same.then(|| any.map(|(_, key)| vec![key.clone()]).collect())
}

impl Part {
    fn piece(&self, read: impl Fn(&ValuePath) -> String) -> Piece<'_> {
        let texts = self.sources.iter().map(|source| match source {
            Source::Value(path) => (source, read(path)),
            Source::Text(text) => (source, text.clone()),
        });
        let mut filled = texts.filter(|(_, text)| !text.is_empty());
        let (source, text) = filled.next().unzip();
        Piece {
            part: self,
            source,
            text: text.unwrap_or_default(),
        }
    }
}

impl Join {
    /// Every value that it may read, each once, in order.
    pub fn reads(&self) -> Vec<&ValuePath> {
        let mut paths: Vec<&ValuePath> = Vec::new();
        for form in &self.forms {
            let sources = form.parts.iter().flat_map(|part| &part.sources);
            let values = sources.filter_map(|source| match source {
                Source::Value(path) => Some(path),
                Source::Text(_) => None,
            });
            for path in form.when.iter().chain(values) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }

    /// The pieces of the name under the values that `read` knows; an empty text is no value. Nothing
    /// when no form applies.
    pub fn pieces(&self, read: impl Fn(&ValuePath) -> String) -> Option<Vec<Piece<'_>>> {
        let applies = |form: &&Form| form.when.as_ref().is_none_or(|path| !read(path).is_empty());
        let form = self.forms.iter().find(applies)?;
        let pieces = form.parts.iter().map(|part| part.piece(&read));
        Some(pieces.collect())
    }

    /// The name under the values that `read` knows.
    pub fn name(&self, read: impl Fn(&ValuePath) -> String) -> Option<String> {
        self.pieces(read).map(|pieces| joined(&pieces))
    }

    /// The join with its `*` and `**` filled in, in turn; paths without any stay.
    #[must_use]
    pub fn bound(&self, ways: &[Vec<String>]) -> Self {
        self.mapped(|path| path.bound(ways))
    }

    /// The join as a chart sees it that keeps these values under `key`.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        self.mapped(|path| path.below(key))
    }

    fn mapped(&self, map: impl Fn(&ValuePath) -> ValuePath) -> Self {
        let source = |source: &Source| match source {
            Source::Value(path) => Source::Value(map(path)),
            Source::Text(text) => Source::Text(text.clone()),
        };
        let part = |part: &Part| Part {
            sources: part.sources.iter().map(source).collect(),
            glue: part.glue,
        };
        let form = |form: &Form| Form {
            when: form.when.as_ref().map(&map),
            parts: form.parts.iter().map(part).collect(),
        };
        Self {
            forms: self.forms.iter().map(form).collect(),
        }
    }

    /// Reads the text of a join; nothing when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let forms: Option<Vec<Form>> = text.split("; ").map(parse_form).collect();
        Some(Self { forms: forms? })
    }
}

/// The pieces, tied together.
pub fn joined(pieces: &[Piece<'_>]) -> String {
    let mut name = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        name.push_str(&piece.text);
        let is_last = index + 1 == pieces.len();
        let is_tied = match piece.part.glue {
            Glue::Slash => true,
            Glue::SlashIfAny => !piece.text.is_empty(),
            Glue::Nothing => false,
        };
        if is_tied && !is_last {
            name.push('/');
        }
    }
    name
}

fn parse_form(text: &str) -> Option<Form> {
    let (when, text) = match text.split_once(" ? ") {
        Some((when, rest)) => (Some(ValuePath::parse(when)?), rest),
        None => (None, text),
    };
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (sources, after) = parse_sources(rest)?;
        let (glue, after) = parse_glue(after)?;
        parts.push(Part { sources, glue });
        let Some(after) = after else { break };
        rest = after;
    }
    Some(Form { when, parts })
}

/// What ties a part to the rest, and the rest; at the end there is none.
fn parse_glue(text: &str) -> Option<(Glue, Option<&str>)> {
    const GLUES: [(&str, Glue); 3] = [
        ("/?", Glue::SlashIfAny),
        ("/", Glue::Slash),
        ("+", Glue::Nothing),
    ];
    if text.is_empty() {
        return Some((Glue::Nothing, None));
    }
    let mut glues = GLUES.iter();
    glues.find_map(|(mark, glue)| Some((*glue, Some(text.strip_prefix(mark)?))))
}

/// The sources of a part, and what comes after it.
fn parse_sources(text: &str) -> Option<(Vec<Source>, &str)> {
    let Some(inner) = text.strip_prefix('[') else {
        let (source, rest) = parse_source(text)?;
        return Some((vec![source], rest));
    };
    let (mut sources, mut rest) = (Vec::new(), inner);
    loop {
        let (source, after) = parse_source(rest)?;
        sources.push(source);
        match after.split_at_checked(1)? {
            ("|", more) => rest = more,
            ("]", more) => return Some((sources, more)),
            _ => return None,
        }
    }
}

fn parse_source(text: &str) -> Option<(Source, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (text, rest) = quoted.split_once('"')?;
        return Some((Source::Text(text.to_string()), rest));
    }
    let end = text.find(|c| !is_of_path(c)).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    Some((Source::Value(ValuePath::parse(path)?), rest))
}

/// Whether a character may stand in a path; keys with others have no text, and joins that read them
/// are not kept.
fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '*')
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(path) => path.fmt(f),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [source] = self.sources.as_slice() {
            return source.fmt(f);
        }
        let sources: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        write!(f, "[{}]", sources.join("|"))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(when) = &self.when {
            write!(f, "{when} ? ")?;
        }
        for (index, part) in self.parts.iter().enumerate() {
            part.fmt(f)?;
            let glue = match part.glue {
                _ if index + 1 == self.parts.len() => "",
                Glue::Slash => "/",
                Glue::SlashIfAny => "/?",
                Glue::Nothing => "+",
            };
            f.write_str(glue)?;
        }
        Ok(())
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms: Vec<String> = self.forms.iter().map(ToString::to_string).collect();
        f.write_str(&forms.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that a join makes of values given as `path=text`.
    fn name(join: &str, values: &[&str]) -> Option<String> {
        let join = Join::parse(join).unwrap();
        join.name(|path| {
            let mut values = values.iter().filter_map(|value| value.split_once('='));
            let found = values.find(|(known, _)| *known == path.to_string());
            found.map_or(String::new(), |(_, text)| text.to_string())
        })
    }

    #[test]
    fn joins_are_read_and_printed() {
        for text in [
            "image",
            "image.registry/image.repository",
            "[global.imageRegistry|image.registry|\"docker.io\"]/?image.repository",
            "containerRegistry+image.repository",
            "image.repository ? image.repository; [image.registry|global.image.registry]/image.image",
            "controllers.*.image.repository",
            "\"quay.io/acme\"/app.name",
        ] {
            assert_eq!(Join::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", "a..b", "a b", "[a", "[a|", "a/", "\"a", "a?b", "a;b", "{a}",
        ] {
            assert_eq!(Join::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_source_that_is_not_empty_is_taken() {
        let join = "[global.imageRegistry|image.registry|\"docker.io\"]/?image.repository";
        for (values, wanted) in [
            (&["image.repository=a/b"][..], "docker.io/a/b"),
            (
                &["image.repository=a/b", "image.registry=quay.io"],
                "quay.io/a/b",
            ),
            (
                &[
                    "image.repository=b",
                    "image.registry=x",
                    "global.imageRegistry=y",
                ],
                "y/b",
            ),
        ] {
            assert_eq!(name(join, values).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn parts_are_tied_as_the_chart_ties_them() {
        let values = &["r=/x", "n=a"];
        for (join, wanted) in [
            ("e/?n", "a"),
            ("e/n", "/a"),
            ("r+n", "/xa"),
            ("n/?r", "a//x"),
            ("e ? e; n", "a"),
            ("n ? r; e", "/x"),
        ] {
            assert_eq!(name(join, values).as_deref(), Some(wanted), "{join}");
        }
        assert_eq!(name("e ? n", values), None);
    }

    #[test]
    fn any_key_is_the_same_one_everywhere() {
        let join = Join::parse("apps.*.registry/?apps.*.repository").unwrap();
        let path = ValuePath::parse("apps.web.repository").unwrap();
        let keys = join.reads()[1].matched(&path).unwrap();
        let bound = join.bound(&keys).to_string();
        assert_eq!(bound, "apps.web.registry/?apps.web.repository");
        assert_eq!(
            join.reads()[1].matched(&ValuePath::parse("apps.web.x").unwrap()),
            None
        );
    }

    #[test]
    fn any_way_is_the_same_one_everywhere() {
        let join = Join::parse("[**.registry|\"docker.io\"]/?**.repository").unwrap();
        for (path, wanted) in [
            (
                "a.b.repository",
                "[a.b.registry|\"docker.io\"]/?a.b.repository",
            ),
            ("repository", "[registry|\"docker.io\"]/?repository"),
        ] {
            let path = ValuePath::parse(path).unwrap();
            let ways = join.reads()[1].matched(&path).unwrap();
            assert_eq!(join.bound(&ways).to_string(), wanted);
        }
    }
}
