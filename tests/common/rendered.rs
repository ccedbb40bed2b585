//! What Helm rendered, scalar by scalar, and how two renders may differ: in upstream references that
//! became what the rules say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize as _;
use serde_yaml::Value;

use super::ecr::{WORDS, expected, has_host, is_well_formed, planned_in_text};

/// Every scalar by its place: `Deployment:x:templates:web.yaml/spec/replicas`, by the template, since
/// names may be made up, and as Helm does not always print templates in one order.
pub type Scalars = BTreeMap<String, String>;

/// What Helm rendered.
#[derive(Clone, Debug, Default)]
pub struct Rendering {
    /// The scalars of all objects.
    pub scalars: Scalars,
    /// The template of each object, by the first step of its places.
    pub templates: BTreeMap<String, String>,
    /// Whether all of it could be read by Helm.
    pub is_whole: bool,
}

/// Keys of objects that begin the name of an image, and that end it.
const FRONTS: &[&str] = &["registry", "repository", "hub"];
const ENDS: &[&str] = &["repository", "image", "name"];

impl Rendering {
    /// Reads what Helm printed.
    pub fn read(text: &str) -> Self {
        let mut found = Self {
            is_whole: true,
            ..Self::default()
        };
        let (mut document, mut template) = (String::new(), "");
        let mut documents = Vec::new();
        for line in text.lines().chain(["---"]) {
            if line.trim_end() == "---" {
                documents.push((template, std::mem::take(&mut document)));
            } else {
                // Of several objects of a template, the first alone may name it.
                template = line.strip_prefix("# Source: ").unwrap_or(template);
                document.push_str(line);
                document.push('\n');
            }
        }
        // Helm prints the objects that a template makes in a loop in any order.
        documents.sort_by_cached_key(|(template, text)| (*template, name_of(text)));
        for (template, text) in documents {
            found.add(&text, template);
        }
        found
    }

    fn add(&mut self, text: &str, template: &str) {
        // Helm lets keys stand twice, which a strict parser does not: those are compared by lines.
        let Ok(object) = Value::deserialize(serde_yaml::Deserializer::from_str(text)) else {
            let key = self.key("lines", template);
            for (number, line) in text.lines().enumerate() {
                let (name, value) = line.trim().split_once(": ").unwrap_or(("", line.trim()));
                let value = value.trim_matches('"').to_string();
                self.scalars.insert(format!("{key}/{number}/{name}"), value);
            }
            return;
        };
        if object.is_null() {
            return;
        }
        let kind = object.get("kind").and_then(Value::as_str);
        let key = self.key(kind.unwrap_or(""), template);
        flatten(&object, &key, &mut self.scalars);
    }

    /// A key that no object has yet.
    fn key(&mut self, kind: &str, template: &str) -> String {
        let name = template.replace('/', ":");
        let numbered = (1..).map(|number| match number {
            1 => format!("{kind}:{name}"),
            _ => format!("{kind}:{name} {number}"),
        });
        let mut free = numbered.filter(|key| !self.templates.contains_key(key));
        let key = free.next().unwrap_or_default();
        self.templates.insert(key.clone(), template.to_string());
        key
    }

    /// The template that made what stands at a place.
    pub fn template(&self, at: &str) -> &str {
        let object = at.split('/').next().unwrap_or(at);
        self.templates.get(object).map_or("", String::as_str)
    }
}

/// The name of an object, as its text says it first.
fn name_of(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let name = lines.find_map(|line| line.strip_prefix("  name: "));
    name.map(Into::into)
}

fn flatten(value: &Value, at: &str, found: &mut Scalars) {
    match value {
        Value::Mapping(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(value, &format!("{at}/{}", text_of(key)), found);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Tagged(tagged) => flatten(&tagged.value, at, found),
        scalar => drop(found.insert(at.to_string(), text_of(scalar))),
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| format!("{value:?}"), Into::into)
}

/// The last step of a place.
pub fn last_key(at: &str) -> &str {
    at.rsplit('/').next().unwrap_or("")
}

/// Whether a key holds an image.
pub fn is_image_key(key: &str) -> bool {
    key == "image" || key.ends_with("Image")
}

/// The references that stand at a place: the whole text under the key of an image, together with what
/// begins it beside; the words with a registry in any other text.
pub fn references(at: &str, scalars: &Scalars) -> Vec<String> {
    let Some(text) = scalars.get(at) else {
        return Vec::new();
    };
    let key = last_key(at);
    let fronts = fronts(at, scalars);
    if is_image_key(key) || (key == "name" && !fronts.is_empty() && is_marked(text)) {
        return vec![
            fronts
                .iter()
                .chain([&text.as_str()])
                .fold(String::new(), |name, part| {
                    if name.is_empty() {
                        (*part).to_string()
                    } else {
                        format!("{name}/{part}")
                    }
                }),
        ];
    }
    let words = WORDS.find_iter(text).map(|word| word.as_str());
    let named = words.filter(|word| has_host(word) || is_marked(word));
    named.map(str::to_string).collect()
}

/// How two renders differ.
#[derive(Debug, Default)]
pub struct Difference {
    /// References that became what they had to, before and after, by their places.
    pub planned: BTreeMap<String, Vec<(String, String)>>,
    /// Checksums of texts that hold references.
    pub derived: usize,
    /// Anything else: place, before, after.
    pub other: Vec<(String, String, String)>,
}

impl Difference {
    /// Takes out what one and the same render gives differently each time: passwords, certificates.
    pub fn without_made_up(mut self, before: &Scalars, again: &Scalars) -> Self {
        self.other
            .retain(|(at, ..)| before.get(at) == again.get(at));
        self
    }

    /// What is not planned, in the lines that differ.
    pub fn told(&self) -> Vec<String> {
        self.told_where(|_| true)
    }

    /// The same at some of the places.
    pub fn told_where(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        let other = self.other.iter().filter(|(at, ..)| is_meant(at));
        let told = other.map(|(at, old, new)| {
            let (old, new) = lines_that_differ(old, new);
            format!("{at}: `{old:.300}` became `{new:.300}`")
        });
        told.collect()
    }
}

/// Compares what was rendered before and after.
pub fn difference(before: &Scalars, after: &Scalars) -> Difference {
    let mut found = Difference::default();
    let mut checksums = Vec::new();
    for (at, old) in before {
        let Some(new) = after.get(at) else {
            found
                .other
                .push((at.clone(), old.clone(), "nothing".into()));
            continue;
        };
        if new == old || is_time(old) && is_time(new) {
            continue;
        }
        // `checksum/config` holds a slash itself.
        let is_derived = at.contains("checksum") || at.contains("hash");
        if let Some(planned) = planned(at, before, after) {
            found.planned.insert(at.clone(), planned);
        } else if is_derived && is_checksum(old) && is_checksum(new) || is_named_by_hash(old, new) {
            checksums.push((at.clone(), old.clone(), new.clone()));
        } else {
            found.other.push((at.clone(), old.clone(), new.clone()));
        }
    }
    for (at, new) in after.iter().filter(|(at, _)| !before.contains_key(*at)) {
        found
            .other
            .push((at.clone(), "nothing".into(), new.clone()));
    }
    if found.planned.is_empty() {
        found.other.append(&mut checksums);
    }
    found.derived = checksums.len();
    found
}

/// The references by which two texts of one place differ; none when that is not all.
fn planned(at: &str, before: &Scalars, after: &Scalars) -> Option<Vec<(String, String)>> {
    let (old, new) = (&before[at], &after[at]);
    let whole = is_variable(at, before) || (is_image(at) && fronts(at, before).is_empty());
    if whole && is_planned(old, new) {
        return Some(vec![(old.clone(), new.clone())]);
    }
    let is_named = |word: &str| has_host(word) || (is_marked(word) && !at.contains("/metadata/"));
    in_parts(at, before, after)
        .or_else(|| planned_in_flag(old, new))
        .or_else(|| planned_in_text(old, new, is_named))
        .or_else(|| planned_in_document(old, new))
        .or_else(|| {
            let (old, new) = (decoded(old)?, decoded(new)?);
            let planned = planned_in_text(&old, &new, is_named);
            let planned = planned.or_else(|| planned_in_document(&old, &new));
            planned.filter(|_| at.starts_with("Secret:"))
        })
}

/// Whether a place is the value of an environment variable for an image.
fn is_variable(at: &str, scalars: &Scalars) -> bool {
    let name = scalars.get(&sibling(at, "name"));
    last_key(at) == "value" && name.is_some_and(|name| name.ends_with("IMAGE"))
}

/// Whether an image stands at a place: under its key, or under a key of a map of that name.
fn is_image(at: &str) -> bool {
    let (above, key) = at.rsplit_once('/').unwrap_or(("", at));
    is_image_key(key) || (ENDS.contains(&key) && is_image_key(last_key(above)))
}

/// The reference that a flag for an image has: `--solver-image=acme/solver`.
fn planned_in_flag(old: &str, new: &str) -> Option<Vec<(String, String)>> {
    let ((flag, old), (same, new)) = (old.split_once('=')?, new.split_once('=')?);
    let is_flag = flag == same && flag.starts_with('-') && flag.ends_with("image");
    (is_flag && is_planned(old, new)).then(|| vec![(old.to_string(), new.to_string())])
}

/// The references by which two texts differ that are documents themselves.
fn planned_in_document(old: &str, new: &str) -> Option<Vec<(String, String)>> {
    let is_document = |text: &str| text.contains('\n') && text.contains(": ");
    if !is_document(old) || !is_document(new) {
        return None;
    }
    let [old, new] = [old, new].map(|text| Rendering::read(text).scalars);
    let mut found = difference(&old, &new);
    // Objects in it may be named by what is in them.
    found
        .other
        .retain(|(_, old, new)| !is_checksum(old) || !is_checksum(new));
    let is_all = found.other.is_empty() && !found.planned.is_empty();
    is_all.then(|| found.planned.into_values().flatten().collect())
}

/// Whether a word has the mark that tests put into names of their own.
fn is_marked(word: &str) -> bool {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"zq\d+q").unwrap());
    MARK.is_match(word)
}

fn is_planned(old: &str, new: &str) -> bool {
    expected(old).as_deref() == Some(new) && (is_well_formed(new) || !is_well_formed(old))
}

fn sibling(at: &str, key: &str) -> String {
    let above = at.rsplit_once('/').map_or("", |(above, _)| above);
    format!("{above}/{key}")
}

/// What stands beside a place and begins a name.
fn fronts<'s>(at: &str, scalars: &'s Scalars) -> Vec<&'s str> {
    let others = FRONTS.iter().filter(|key| **key != last_key(at));
    let texts = others.filter_map(|key| scalars.get(&sibling(at, key)));
    texts
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect()
}

/// The reference of which a place says the front or the end, as objects do that an operator reads, when
/// both together became what they had to.
fn in_parts(at: &str, before: &Scalars, after: &Scalars) -> Option<Vec<(String, String)>> {
    let key = last_key(at);
    let pairs = FRONTS
        .iter()
        .flat_map(|front| ENDS.iter().map(move |end| (front, end)));
    let mut pairs = pairs.filter(|(front, end)| front != end && (key == **front || key == **end));
    pairs.find_map(|(front, end)| {
        let joined = |scalars: &Scalars| {
            let front = scalars.get(&sibling(at, front))?;
            Some(format!("{front}/{}", scalars.get(&sibling(at, end))?))
        };
        let (old, new) = (joined(before)?, joined(after)?);
        is_planned(&old, &new).then(|| vec![(old, new)])
    })
}

fn is_checksum(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether texts are the same but for a hash of something (`profile-56e7c7cd`): tags and digests do not
/// change.
fn is_named_by_hash(old: &str, new: &str) -> bool {
    static HASH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{8,}\b").unwrap());
    let is_one = old.len() == new.len() && HASH.is_match(old) && !old.contains('\n');
    is_one && HASH.replace_all(old, "") == HASH.replace_all(new, "")
}

/// Whether a text is a time in seconds, as charts make of `now`.
fn is_time(text: &str) -> bool {
    text.len() == 10 && text.starts_with('1') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two texts without the lines that they share, when they have as many.
fn lines_that_differ(old: &str, new: &str) -> (String, String) {
    if old.lines().count() != new.lines().count() {
        return (old.into(), new.into());
    }
    let differing = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    let (old, new): (Vec<&str>, Vec<&str>) = differing.unzip();
    (old.join("\n"), new.join("\n"))
}

/// Base64, as the data of a Secret is.
pub fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}
