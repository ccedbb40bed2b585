//! Images in documents that cannot be read, not even as templates: line by line, for the report only.
//!
//! Nothing shows what such a line belongs to, so that nothing is ever changed there.

use super::{KeyPath, Shape, Site};
use crate::image::ImageRef;
use crate::reason::Reason;
use crate::source::Span;
use crate::yaml::{DocumentPath, Masked, Place, Scalar, Style};

const NAME: &str = "lines";

/// The lines `key: reference` of `text` whose key is `image` or ends with `Image`, without those whose
/// reference holds an action of the template or was read: `read` are bytes in order, apart.
pub fn lines(text: &str, masked: &Masked, read: &[Span]) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        sites.extend(site(line, at).filter(|site| {
            let span = site.span();
            let next = read.partition_point(|read| read.end <= span.start);
            let is_read = read.get(next).is_some_and(|read| read.start < span.end);
            !masked.overlaps(span) && !is_read
        }));
        at += line.len();
    }
    sites
}

/// The image of a line that begins at `at`.
fn site(line: &str, at: usize) -> Option<Site> {
    let mut entry = line.trim_start();
    while let Some(item) = entry.strip_prefix("- ") {
        entry = item.trim_start();
    }
    let (key, value) = entry.split_once(':')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_key = (key == "image" || key.ends_with("Image")) && key.chars().all(is_name);
    if !is_key || !value.starts_with([' ', '\t']) {
        return None;
    }
    let value = value.split(" #").next()?.trim();
    let unquoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    let value = unquoted('"').or_else(|| unquoted('\'')).unwrap_or(value);
    let is_reference = value.contains([':', '/']) && ImageRef::parse(value).is_ok();
    if !is_reference {
        return None;
    }
    let start = at + line.rfind(value)?;
    let mut path = KeyPath::default();
    path.push_key(key);
    let detail = "the document around it cannot be read, so nobody knows what it belongs to; change it by hand";
    Some(Site {
        document: DocumentPath::default(),
        path,
        shape: Shape::Whole(Scalar {
            value: value.to_string(),
            style: Style::Plain,
            place: Place::Spelled(Span::new(start, start + value.len())),
            in_flow: false,
            free_quotes: None,
            ordinal: 0,
            parsed: None,
        }),
        finder: NAME,
        hold: Some((Reason::Unparsed, detail.to_string())),
        assumption: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Branches;

    #[test]
    fn only_whole_references_behind_keys_of_images_are_found() {
        let text = "image: a:1\n  - image: 'b/c' # d\r\n\tsideImage: \"e:1\"\nimage: f\nimage: {{ x }}/g:1\nimage: h:{{ x }}\n# image: i:1\nimages: j:1\nimagePullPolicy: k:1\nimage:l:1\nx: image: m:1\nimage: read:1\n";
        let masked = Masked::of(text, Branches::All).unwrap();
        let read = text.find("read").unwrap();
        let sites = lines(text, &masked, &[Span::new(read, text.len())]);
        let found: Vec<_> = sites.iter().map(|site| site.span().of(text)).collect();
        assert_eq!(found, [Some("a:1"), Some("b/c"), Some("e:1")]);
    }
}
