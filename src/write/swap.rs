//! A temporary file takes the place of its original, and nothing that somebody else has put there meanwhile is
//! lost.
//!
//! Between a last look at the original and a rename over it there is a moment. Where the system can exchange two
//! names (Linux's `renameat2` with `RENAME_EXCHANGE`, macOS's `renamex_np` with `RENAME_SWAP`), what stood there is
//! looked at afterwards, when nobody can write to its name any more, and is put back when it is something else.
//! Elsewhere, and on file systems that cannot do it, the file is renamed.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// How often to put back what others write without end.
const ROUNDS: usize = 1000;

/// Why a file is not in its place.
pub(super) enum Refused {
    /// It could not be renamed.
    Io(io::Error),
    /// Something else stands there, and goes on standing there.
    Other,
}

/// Puts `temp` in the place of `real`, when `is_fine` says so of what stood there: it is asked for the path
/// at which that is now.
pub(super) fn swap(
    temp: NamedTempFile,
    real: &Path,
    is_fine: impl Fn(&Path) -> bool,
) -> Result<(), Refused> {
    let own = inode(temp.path());
    match exchange(temp.path(), real) {
        Err(error) if cannot(&error) => rename(temp, real),
        Err(error) => Err(Refused::Io(error)),
        // What stood there goes with the name that it has now.
        Ok(()) if is_fine(temp.path()) => Ok(()),
        Ok(()) => {
            put_back(temp.path(), real, own).map_err(Refused::Io)?;
            Err(Refused::Other)
        }
    }
}

fn rename(temp: NamedTempFile, real: &Path) -> Result<(), Refused> {
    temp.persist(real)
        .map(drop)
        .map_err(|error| Refused::Io(error.error))
}

/// Exchanges the names until what comes out is what was put in the last time: what comes out otherwise is
/// newer, and somebody put it there in the meantime.
fn put_back(temp: &Path, real: &Path, mut put_in: Option<u64>) -> io::Result<()> {
    for _ in 0..ROUNDS {
        let goes_in = inode(temp);
        exchange(temp, real)?;
        if inode(temp) == put_in {
            return Ok(());
        }
        put_in = goes_in;
    }
    Ok(())
}

/// Which file has a name; nothing when none has.
#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::symlink_metadata(path).ok()?;
    Some(metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<u64> {
    None
}

/// Whether the system or the file system has no exchange.
fn cannot(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, InvalidInput, Unsupported};
    matches!(error.kind(), Unsupported | InvalidInput | CrossesDevices)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn temp(folder: &Path, text: &str) -> NamedTempFile {
        let mut temp = NamedTempFile::new_in(folder).unwrap();
        temp.write_all(text.as_bytes()).unwrap();
        temp
    }

    #[test]
    fn what_stood_there_goes_or_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("a");
        fs::write(&real, "old").unwrap();
        let is = |text: &'static str| move |path: &Path| fs::read(path).unwrap() == text.as_bytes();
        assert!(swap(temp(folder.path(), "new"), &real, is("old")).is_ok());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        let refused = swap(temp(folder.path(), "newer"), &real, is("old"));
        assert!(matches!(refused, Err(Refused::Other)));
        assert_eq!(fs::read(&real).unwrap(), b"new");
        // Somebody writes while it is looked at: twice, in place of the new text.
        let writes = |path: &Path| {
            for text in ["theirs", "theirs, too"] {
                temp(folder.path(), text).persist(&real).unwrap();
            }
            fs::read(path).unwrap() == b"old"
        };
        let refused = swap(temp(folder.path(), "newest"), &real, writes);
        assert!(matches!(refused, Err(Refused::Other)));
        assert_eq!(fs::read(&real).unwrap(), b"theirs, too");
        fs::remove_file(&real).unwrap();
        let refused = swap(temp(folder.path(), "new"), &real, is("old"));
        assert!(matches!(refused, Err(Refused::Io(_))));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "a file is left"
        );
    }
}
