//! The unified diff: what `git apply` and `patch` take, byte for byte.
//!
//! Lines end at `\n` and nowhere else, so that carriage returns stay part of their line. There is no
//! `diff --git` line: with one, `git apply` in a subfolder silently does nothing.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Component, Path};

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::{Color, Report, clean};
use crate::plan::FilePlan;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Writes the changes of every file.
pub(super) fn render(report: &Report<'_>, color: Color, out: &mut dyn Write) -> io::Result<()> {
    for file in &report.plan.files {
        if let Some(after) = &file.after {
            render_file(file, after, color, out)?;
        }
    }
    Ok(())
}

/// Writes the changes of one file, whose new text is `after`.
pub(super) fn render_file(
    file: &FilePlan,
    after: &str,
    color: Color,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut printer = Printer { color, out };
    printer.header("--- ", "a", &file.source.path)?;
    printer.header("+++ ", "b", &file.source.path)?;
    let old: Vec<&str> = file.source.text.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    for hunk in group_diff_ops(ops, CONTEXT) {
        printer.hunk(&hunk, &old, &new)?;
    }
    Ok(())
}

struct Printer<'o> {
    color: Color,
    out: &'o mut dyn Write,
}

/// Terminal colours by what is coloured.
mod style {
    pub(super) const BOLD: &str = "\u{1b}[1m";
    pub(super) const HUNK: &str = "\u{1b}[36m";
    pub(super) const REMOVED: &str = "\u{1b}[31m";
    pub(super) const ADDED: &str = "\u{1b}[32m";
    /// The changed part within a changed line.
    pub(super) const MARK: &str = "\u{1b}[7m";
    pub(super) const UNMARK: &str = "\u{1b}[27m";
    pub(super) const RESET: &str = "\u{1b}[0m";
}

impl Printer<'_> {
    fn header(&mut self, mark: &str, side: &str, path: &Path) -> io::Result<()> {
        let name = header_name(side, path);
        match self.color {
            Color::Off => {
                self.out.write_all(mark.as_bytes())?;
                self.out.write_all(&name)?;
                self.out.write_all(b"\n")
            }
            Color::On => {
                let name = String::from_utf8_lossy(&name);
                let name = clean(name.trim_end_matches('\t'));
                writeln!(self.out, "{}{mark}{name}{}", style::BOLD, style::RESET)
            }
        }
    }

    fn hunk(&mut self, ops: &[DiffOp], old: &[&str], new: &[&str]) -> io::Result<()> {
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else {
            return Ok(());
        };
        let title = format!(
            "@@ -{} +{} @@",
            range(&(first.old_range().start..last.old_range().end)),
            range(&(first.new_range().start..last.new_range().end))
        );
        match self.color {
            Color::Off => writeln!(self.out, "{title}")?,
            Color::On => writeln!(self.out, "{}{title}{}", style::HUNK, style::RESET)?,
        }
        for op in ops {
            let (removed, added) = (&old[op.old_range()], &new[op.new_range()]);
            if let DiffOp::Equal { .. } = op {
                removed
                    .iter()
                    .try_for_each(|line| self.line(' ', line, None))?;
                continue;
            }
            // Lines that pair up are compared with each other, for the highlight.
            let paired = removed.len() == added.len();
            let marks = |index: usize| {
                (paired && self.color == Color::On)
                    .then(|| changed_part(removed[index], added[index]))
            };
            let marks: Vec<_> = (0..removed.len().max(added.len())).map(marks).collect();
            for (line, mark) in removed.iter().zip(&marks) {
                self.line('-', line, mark.as_ref().map(|(old, _)| old))?;
            }
            for (line, mark) in added.iter().zip(&marks) {
                self.line('+', line, mark.as_ref().map(|(_, new)| new))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, sign: char, line: &str, mark: Option<&Range<usize>>) -> io::Result<()> {
        let (content, complete) = match line.strip_suffix('\n') {
            Some(content) => (content, true),
            None => (line, false),
        };
        match self.color {
            Color::Off => writeln!(self.out, "{sign}{content}")?,
            Color::On => writeln!(
                self.out,
                "{}",
                coloured(sign, content.trim_end_matches('\r'), mark)
            )?,
        }
        if complete {
            Ok(())
        } else {
            writeln!(self.out, "\\ No newline at end of file")
        }
    }
}

fn coloured(sign: char, content: &str, mark: Option<&Range<usize>>) -> String {
    let color = match sign {
        '-' => style::REMOVED,
        '+' => style::ADDED,
        _ => return format!(" {}", clean(content)),
    };
    let body = match mark {
        Some(mark) if !mark.is_empty() && mark.end <= content.len() => format!(
            "{}{}{}{}{}",
            clean(&content[..mark.start]),
            style::MARK,
            clean(&content[mark.clone()]),
            style::UNMARK,
            clean(&content[mark.end..])
        ),
        _ => clean(content).into_owned(),
    };
    format!("{color}{sign}{body}{}", style::RESET)
}

/// The bytes in which two lines differ, as one range of each.
fn changed_part(old: &str, new: &str) -> (Range<usize>, Range<usize>) {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    let ops = capture_diff_slices(Algorithm::Myers, &chars(old), &chars(new));
    let changed: Vec<&DiffOp> = ops
        .iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .collect();
    let (Some(first), Some(last)) = (changed.first(), changed.last()) else {
        return (0..0, 0..0);
    };
    let bytes = |text: &str, range: Range<usize>| {
        let at = |count: usize| text.chars().take(count).map(char::len_utf8).sum::<usize>();
        at(range.start)..at(range.end)
    };
    (
        bytes(old, first.old_range().start..last.old_range().end),
        bytes(new, first.new_range().start..last.new_range().end),
    )
}

/// A range of lines as hunk headers write it: 1-based, and the line before an empty range.
fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        length => format!("{},{length}", lines.start + 1),
    }
}

/// `a/path` as `git` writes it: quoted like a C string when bytes in it would confuse a reader, with
/// a tab after a name with spaces. Absolute paths start at the side's letter, as if the diff were
/// taken at `/`.
fn header_name(side: &str, path: &Path) -> Vec<u8> {
    let mut raw = side.as_bytes().to_vec();
    for part in path.components() {
        if let Component::Normal(_) | Component::ParentDir = part {
            raw.push(b'/');
            raw.extend_from_slice(part.as_os_str().as_encoded_bytes());
        }
    }
    let valid = std::str::from_utf8(&raw).is_ok();
    let odd = |&byte: &u8| {
        byte < b' ' || byte == 0x7f || byte == b'"' || byte == b'\\' || (byte >= 0x80 && !valid)
    };
    if raw.iter().any(odd) {
        return quoted(&raw);
    }
    if raw.contains(&b' ') {
        raw.push(b'\t');
    }
    raw
}

fn quoted(raw: &[u8]) -> Vec<u8> {
    let mut text = String::from("\"");
    for &byte in raw {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' => text.push(char::from(byte)),
            // Writing into a string cannot fail.
            _ => drop(write!(text, "\\{byte:03o}")),
        }
    }
    text.push('"');
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_git_does() {
        let name = |path: &str| String::from_utf8(header_name("a", Path::new(path))).unwrap();
        assert_eq!(name("x/y.yaml"), "a/x/y.yaml");
        assert_eq!(name("./x y.yaml"), "a/x y.yaml\t");
        assert_eq!(name("/tmp/x.yaml"), "a/tmp/x.yaml");
        assert_eq!(name("ü.yaml"), "a/ü.yaml");
        assert_eq!(name("a\"b\n\u{1b}.yaml"), "\"a/a\\\"b\\n\\033.yaml\"");
    }

    #[test]
    fn the_changed_part_of_a_line_is_found() {
        let (old, new) = changed_part("image: é/nginx:1\n", "image: é/R/nginx:1\n");
        assert_eq!((old, new), (10..10, 10..12));
    }

    #[test]
    fn colours_never_let_the_text_speak_to_the_terminal() {
        assert_eq!(coloured(' ', "a\u{1b}[2J", None), " a\\u{1b}[2J");
        assert_eq!(
            coloured('+', "abc", Some(&(1..2))),
            "\u{1b}[32m+a\u{1b}[7mb\u{1b}[27mc\u{1b}[0m"
        );
    }
}
