//! The text of one file, and where its bytes lie for a person.
//!
//! Reading a file decides what may later be written: the text is kept exactly as it was read (byte
//! order mark, carriage returns and a missing final newline included), together with what is needed
//! to notice that somebody else changed the file in the meantime.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A range of bytes of a text: 0-based, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, and without, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The number of bytes.
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the range holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes of `text` in this range; nothing when it does not lie on character boundaries.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }
}

/// A place for people and editors: both numbers are 1-based, the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, 1-based; lines end at `\n`.
    pub line: usize,
    /// The column, 1-based, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the lines of a text begin. Built once per file that is reported on.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters begin before each block of the text, counted when first asked for: a line
    /// may be as long as the file, and hold thousands of places.
    characters: OnceLock<Vec<usize>>,
}

/// The bytes of a block for which characters are counted.
const BLOCK: usize = 512;

impl<'a> Lines<'a> {
    /// Indexes `text`.
    pub fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        Self {
            text,
            starts,
            characters: OnceLock::new(),
        }
    }

    /// The place of the byte at `offset`. A byte order mark is not a character of the first line.
    pub fn position(&self, offset: usize) -> Position {
        let index = self.starts.partition_point(|&start| start <= offset) - 1;
        let start = self.starts[index];
        let mark = usize::from(start < offset && self.text[start..].starts_with('\u{feff}'));
        Position {
            line: index + 1,
            column: self.characters_before(offset) - self.characters_before(start) - mark + 1,
        }
    }

    /// How many characters begin before the byte at `offset`.
    fn characters_before(&self, offset: usize) -> usize {
        let bytes = self.text.as_bytes();
        let blocks = self.characters.get_or_init(|| {
            let mut count = 0;
            let counted = bytes.chunks(BLOCK).map(|block| {
                let before = count;
                count += characters(block);
                before
            });
            counted.collect()
        });
        let block = offset / BLOCK;
        match blocks.get(block) {
            Some(before) => before + characters(&bytes[block * BLOCK..offset]),
            // The end of a text that fills its last block, or of an empty one.
            None => blocks.last().map_or(0, |before| {
                before + characters(&bytes[(blocks.len() - 1) * BLOCK..offset])
            }),
        }
    }

    /// The byte at which a line (1-based) begins.
    pub fn start(&self, number: usize) -> usize {
        self.starts[number - 1]
    }

    /// The line (1-based) without its line ending.
    pub fn line(&self, number: usize) -> &'a str {
        let start = self.starts[number - 1];
        let end = self
            .starts
            .get(number)
            .map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }
}

/// How many characters begin in these bytes of a text.
fn characters(bytes: &[u8]) -> usize {
    let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    bytes.len() - bytes.iter().filter(continues).count()
}

/// What tells a file apart from whatever may lie at the same path later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The device and inode, where the system has them.
    pub inode: Option<(u64, u64)>,
    /// How many names the file has on its file system.
    pub links: u64,
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as it is shown: relative to the current directory where it lies below it.
    pub path: PathBuf,
    /// The path that is read and written; links are resolved.
    pub real: PathBuf,
    /// Where links to the file stand: what a file is may follow from the name of a link.
    pub links: Vec<PathBuf>,
    /// The whole text, exactly as read.
    pub text: String,
    /// What the file was when it was read; `None` for standard input.
    pub identity: Option<Identity>,
}

impl SourceFile {
    /// Every path by which tools may find the file, the real one first.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.real)
            .chain(&self.links)
            .map(PathBuf::as_path)
    }
}

/// Why a file could not be read. It is left as it is.
#[derive(Debug)]
pub enum ReadError {
    /// The system refused.
    Io(io::Error),
    /// A directory, pipe, socket or device.
    NotAFile,
    /// More bytes than the limit allows: size and limit.
    TooLarge(u64, u64),
    /// A file in UTF-16 or UTF-32, or a binary one.
    NulBytes,
    /// Not UTF-8: the offset of the first wrong byte.
    NotUtf8(usize),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::NotAFile => f.write_str("is not a regular file; left alone"),
            Self::TooLarge(size, limit) => write!(
                f,
                "has {size} bytes, more than the limit of {limit}; raise it with `--max-file-size` or exclude the file"
            ),
            Self::NulBytes => f.write_str(
                "holds NUL bytes: it is UTF-16, UTF-32 or binary; convert it to UTF-8 or exclude it",
            ),
            Self::NotUtf8(at) => write!(
                f,
                "is not UTF-8 (first wrong byte at offset {at}); convert it to UTF-8 or exclude it"
            ),
        }
    }
}

impl std::error::Error for ReadError {}

/// Something that went wrong with one file; the others are still handled.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The file, as it is shown.
    pub path: PathBuf,
    /// Where in it, when that is known.
    pub at: Option<Position>,
    /// What, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure of a whole file.
    pub fn of(path: &Path, message: impl fmt::Display) -> Self {
        Self {
            path: path.to_path_buf(),
            at: None,
            message: message.to_string(),
        }
    }
}

/// Reads the file at `real`, which must not be a symbolic link any more (links are resolved by the
/// walk; one that appears in between is not followed). `limit` is in bytes.
pub fn read(path: PathBuf, real: PathBuf, limit: u64) -> Result<SourceFile, ReadError> {
    let (bytes, identity) = read_bytes(&real, limit)?;
    let text = decode(bytes)?;
    Ok(SourceFile {
        path,
        real,
        links: Vec::new(),
        text,
        identity: Some(identity),
    })
}

/// The bytes of a file and its identity, both from one open handle.
pub fn read_bytes(real: &Path, limit: u64) -> Result<(Vec<u8>, Identity), ReadError> {
    let mut file = open_no_follow(real).map_err(ReadError::Io)?;
    let metadata = file.metadata().map_err(ReadError::Io)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge(metadata.len(), limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // The file may grow while it is read: one byte over the limit is enough to know.
    let read = file
        .by_ref()
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(ReadError::Io)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge(bytes.len() as u64, limit));
    }
    Ok((bytes, identity(&metadata)))
}

/// Checks that `bytes` are UTF-8 text without NUL and makes them a string, without copying.
pub fn decode(bytes: Vec<u8>) -> Result<String, ReadError> {
    if memchr::memchr(0, &bytes).is_some() {
        return Err(ReadError::NulBytes);
    }
    String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8(error.utf8_error().valid_up_to()))
}

#[cfg(unix)]
fn open_no_follow(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

#[cfg(not(unix))]
fn open_no_follow(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// The identity that `metadata` tells.
#[cfg(unix)]
pub fn identity(metadata: &std::fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity {
        inode: Some((metadata.dev(), metadata.ino())),
        links: metadata.nlink(),
    }
}

/// The identity that `metadata` tells.
#[cfg(not(unix))]
pub fn identity(_metadata: &std::fs::Metadata) -> Identity {
    Identity {
        inode: None,
        links: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::new("\u{feff}a: é\r\nb: ü x\n");
        assert_eq!(lines.position(3), Position { line: 1, column: 1 });
        assert_eq!(lines.position(6), Position { line: 1, column: 4 });
        assert_eq!(lines.position(16), Position { line: 2, column: 6 });
        assert_eq!(lines.line(1), "\u{feff}a: é");
        assert_eq!(lines.line(2), "b: ü x");
        assert_eq!(lines.line(3), "");
    }

    #[test]
    fn positions_in_long_lines_are_counted_in_blocks() {
        for text in [
            "é€x".repeat(700),
            format!("\u{feff}a\n{}\nb", "ü€".repeat(900)),
            "x".repeat(2 * BLOCK),
            String::new(),
        ] {
            let lines = Lines::new(&text);
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            for at in ends {
                let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
                let column = text[start..at]
                    .trim_start_matches('\u{feff}')
                    .chars()
                    .count()
                    + 1;
                assert_eq!(lines.position(at).column, column, "{at}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        assert!(matches!(decode(vec![b'a', 0]), Err(ReadError::NulBytes)));
        assert!(matches!(
            decode(vec![b'a', 0xe9]),
            Err(ReadError::NotUtf8(1))
        ));
        assert_eq!(decode("é".into()).unwrap(), "é");
    }
}
