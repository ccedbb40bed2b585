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
/// `why` says why the others were not.
pub fn lines(text: &str, masked: &Masked, read: &[Span], why: &str) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let found = entries(line);
        let found = found.filter_map(|(start, entry)| site(entry, at + start, why));
        sites.extend(found.filter(|site| {
            let span = site.span();
            let next = read.partition_point(|read| read.end <= span.start);
            let is_read = read.get(next).is_some_and(|read| read.start < span.end);
            !masked.overlaps(span) && !is_read
        }));
        at += line.len();
    }
    sites
}

/// Where an entry may begin in a line, and its text: at the start, and behind the actions of a template. It
/// ends where a branch does.
fn entries(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let behind = ["}}", "%}"].into_iter();
    let behind = behind.flat_map(|end| line.match_indices(end).map(|(at, end)| at + end.len()));
    let starts = std::iter::once(0).chain(behind);
    starts.map(|start| {
        let rest = &line[start..];
        let opens = ["{{", "{%"].into_iter();
        let next = opens.filter_map(|open| rest.find(open)).min();
        let end = next.filter(|&next| {
            let word = rest[next + 2..].trim_start_matches(['-', ' ']);
            word.starts_with("el") || word.starts_with("end")
        });
        (start, &rest[..end.unwrap_or(rest.len())])
    })
}

/// The image of a line that begins at `at`.
fn site(line: &str, at: usize, why: &str) -> Option<Site> {
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
    let behind_key = line.len() - entry.len() + key.len() + 1;
    let start = at + behind_key + line[behind_key..].find(value)?;
    let mut path = KeyPath::default();
    path.push_key(key);
    let detail = format!("{why}; change it by hand");
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
        hold: Some((Reason::Unparsed, detail)),
        assumption: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Branches;

    #[test]
    fn only_whole_references_behind_keys_of_images_are_found() {
        let text = "image: a:1\n  - image: 'b/c' # b/c\r\n\tsideImage: \"e:1\"\nimage: f\nimage: {{ x }}/g:1\nimage: h:{{ x }}\n# image: i:1\nimages: j:1\nimagePullPolicy: k:1\nimage:l:1\nx: image: m:1\nimage: read:1\n{{ if x }}image: n:1{{ else }}image: o:1{{ end }}\n";
        let masked = Masked::of(text, Branches::All).unwrap();
        let read = text.find("read").unwrap();
        let read = Span::new(read, read + "read:1".len());
        let sites = lines(text, &masked, &[read], "it is so");
        let found: Vec<_> = sites.iter().map(|site| site.span().of(text)).collect();
        assert_eq!(found, ["a:1", "b/c", "e:1", "n:1", "o:1"].map(Some));
        let comment = text.find('#').unwrap();
        assert!(
            sites[1].span().end < comment,
            "the reference, not its comment"
        );
    }
}
