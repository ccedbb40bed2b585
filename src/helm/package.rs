//! The files of a chart: a directory, or a package (`.tgz`) that is read in memory and never unpacked.
//!
//! What is read is bounded in bytes and entries, whatever a package says of itself; links and paths that
//! lead out of the chart are left out.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

/// A file of a chart: its path below the chart's folder, with `/`, and its text.
pub type ChartFile = (String, String);

/// More bytes than the files of any chart have.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// More files than any chart has.
const MAX_ENTRIES: usize = 20_000;
/// Charts in charts in charts: deeper ones are left out.
const MAX_DEPTH: usize = 4;
/// How the names of packages end.
const PACKAGE: &str = ".tgz";
/// How templates read other files of their chart.
const FILES: &str = ".Files";
/// The folder in which a chart keeps the charts that it brings.
const CHARTS: &str = "charts/";

/// Reads the files of a package that make names of images: templates, values, and what says which charts
/// belong together.
///
/// # Errors
///
/// What is no package, or too much, as an [`io::Error`].
pub fn unpack(package: &[u8]) -> io::Result<Vec<ChartFile>> {
    let mut budget = Budget::default();
    let mut files = Vec::new();
    budget.unpack(package, "", 0, &mut files)?;
    Ok(files)
}

/// Reads the same from a directory, with the packages in its `charts/`. All files, when a template reads
/// others.
///
/// # Errors
///
/// What cannot be read, or is too much, as an [`io::Error`].
pub fn read_folder(folder: &Path) -> io::Result<Vec<ChartFile>> {
    let files = Budget::default().folder(folder)?;
    if !files.iter().any(|(_, text)| text.contains(FILES)) {
        return Ok(files);
    }
    let everything = Budget {
        takes_all: true,
        ..Budget::default()
    };
    everything.folder(folder)
}

/// Reads a text, such as values that a chart is rendered with.
///
/// # Errors
///
/// What cannot be read, is too much or no UTF-8, as an [`io::Error`].
pub fn read_text(file: &Path) -> io::Result<String> {
    let bytes = Budget::default().read(&mut fs::File::open(file)?)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// What is left of the bounds, and whether all files are taken.
struct Budget {
    takes_all: bool,
    bytes: u64,
    entries: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            takes_all: false,
            bytes: MAX_BYTES,
            entries: MAX_ENTRIES,
        }
    }
}

impl Budget {
    fn folder(mut self, folder: &Path) -> io::Result<Vec<ChartFile>> {
        let mut files = Vec::new();
        self.walk(folder, "", &mut files)?;
        Ok(files)
    }

    fn unpack(
        &mut self,
        package: &[u8],
        below: &str,
        depth: usize,
        files: &mut Vec<ChartFile>,
    ) -> io::Result<()> {
        let reader = GzDecoder::new(package).take(self.bytes + 1);
        for entry in Archive::new(reader).entries()? {
            let mut entry = entry?;
            self.count()?;
            if entry.header().entry_type() != EntryType::Regular {
                continue;
            }
            let Some(path) = inside(&entry.path()?) else {
                continue;
            };
            let path = format!("{below}{path}");
            if self.takes_all || is_wanted(&path) {
                let bytes = self.read(&mut entry)?;
                self.add(path, bytes, depth, files)?;
            }
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, below: &str, files: &mut Vec<ChartFile>) -> io::Result<()> {
        let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
        let mut entries = entries?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.count()?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            let path = format!("{below}{name}");
            // Not through links: they may lead anywhere.
            let kind = entry.file_type()?;
            if kind.is_dir() && (self.takes_all || may_hold_wanted(&path)) {
                self.walk(&entry.path(), &format!("{path}/"), files)?;
            } else if kind.is_file() && (self.takes_all || is_wanted(&path)) {
                let bytes = self.read(&mut fs::File::open(entry.path())?)?;
                self.add(path, bytes, 0, files)?;
            }
        }
        Ok(())
    }

    /// Adds a file, or the files of a package.
    fn add(
        &mut self,
        path: String,
        bytes: Vec<u8>,
        depth: usize,
        files: &mut Vec<ChartFile>,
    ) -> io::Result<()> {
        let Some(folder) = path.strip_suffix(PACKAGE) else {
            files.extend(String::from_utf8(bytes).ok().map(|text| (path, text)));
            return Ok(());
        };
        if depth < MAX_DEPTH {
            self.unpack(&bytes, &format!("{folder}/"), depth + 1, files)?;
        }
        Ok(())
    }

    fn read(&mut self, reader: &mut dyn Read) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = reader.take(self.bytes + 1).read_to_end(&mut bytes)?;
        let left = self.bytes.checked_sub(read as u64);
        self.bytes = left.ok_or_else(|| too_much("bytes"))?;
        Ok(bytes)
    }

    fn count(&mut self) -> io::Result<()> {
        let left = self.entries.checked_sub(1);
        self.entries = left.ok_or_else(|| too_much("files"))?;
        Ok(())
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::other(format!("the chart has more {what} than are read"))
}

/// A path of a package without the folder that all of its files lie in; none when it leads out of it.
fn inside(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.get(1..)?.join("/")).filter(|path| !path.is_empty())
}

/// Whether a file says how images are named.
fn is_wanted(path: &str) -> bool {
    let own = own_part(path);
    matches!(
        own,
        "Chart.yaml"
            | "values.yaml"
            | "values.schema.json"
            | "requirements.yaml"
            | "Chart.lock"
            | "requirements.lock"
    ) || own.starts_with("templates/")
        || own.strip_suffix(PACKAGE).is_some()
            && own
                .strip_prefix(CHARTS)
                .is_some_and(|name| !name.contains('/'))
}

/// Whether files that say so may lie in a folder.
fn may_hold_wanted(folder: &str) -> bool {
    let own = own_part(folder);
    own == "charts" || own == "templates" || own.starts_with("templates/") || {
        let chart = own.strip_prefix(CHARTS);
        chart.is_some_and(|name| !name.contains('/'))
    }
}

/// The path in the innermost chart: `charts/a/charts/b/templates/x` is `templates/x` of `b`.
fn own_part(path: &str) -> &str {
    let mut own = path;
    while let Some(rest) = own.strip_prefix(CHARTS) {
        match rest.split_once('/') {
            Some((_, below)) => own = below,
            None => break,
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
        let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            // The name goes in as it is: the library refuses paths that lead out.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn paths(files: &[ChartFile]) -> Vec<&str> {
        files.iter().map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn packages_in_packages_are_read_and_the_rest_is_left() {
        let inner = package(&[
            ("sub/Chart.yaml", b"name: sub"),
            ("sub/templates/a.yaml", b"x"),
        ]);
        let outer = package(&[
            ("top/Chart.yaml", b"name: top"),
            ("top/values.yaml", b""),
            ("top/README.md", b"no"),
            ("top/charts/sub-1.0.0.tgz", &inner),
            ("top/charts/dir/templates/b.tpl", b"y"),
            ("top/charts/dir/files/c.txt", b"no"),
            ("top/../../etc/templates/evil", b"no"),
            ("/etc/values.yaml", b"no"),
        ]);
        let files = unpack(&outer).unwrap();
        let wanted = [
            "Chart.yaml",
            "values.yaml",
            "charts/sub-1.0.0/Chart.yaml",
            "charts/sub-1.0.0/templates/a.yaml",
            "charts/dir/templates/b.tpl",
        ];
        assert_eq!(paths(&files), wanted);
        assert!(unpack(b"no package").is_err());
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let package = package(&[("a/values.yaml", b"12345")]);
        let mut small = Budget {
            bytes: 4,
            entries: 9,
            ..Budget::default()
        };
        assert!(small.unpack(&package, "", 0, &mut Vec::new()).is_err());
        let mut few = Budget {
            bytes: 9_000,
            entries: 0,
            ..Budget::default()
        };
        assert!(few.unpack(&package, "", 0, &mut Vec::new()).is_err());
    }

    #[test]
    fn folders_are_read_like_packages() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("templates/more")).unwrap();
        fs::create_dir_all(root.join("charts")).unwrap();
        fs::create_dir_all(root.join("ci")).unwrap();
        fs::write(root.join("Chart.yaml"), "name: a").unwrap();
        fs::write(root.join("templates/more/x.yaml"), "x").unwrap();
        fs::write(root.join("ci/values.yaml"), "no").unwrap();
        let inner = package(&[("sub/values.yaml", b"a: 1")]);
        fs::write(root.join("charts/sub-1.tgz"), inner).unwrap();
        let files = read_folder(root).unwrap();
        let wanted = [
            "Chart.yaml",
            "charts/sub-1/values.yaml",
            "templates/more/x.yaml",
        ];
        assert_eq!(paths(&files), wanted);
    }
}
