//! Carrying out a plan: every file old or new, whatever happens in between.
//!
//! A lot (files that share a group, or one file) is written like this: each new text goes, complete
//! and synced, into a temporary file beside its original; then every original is looked at again;
//! then the temporary files take the places of the originals (`swap`); then the folders are synced. When
//! one cannot, the files of the lot that were renamed already get their old text back. Files that
//! cannot be written are found before anything is renamed, and take their groups with them.

mod swap;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::NamedTempFile;

use crate::plan::{FilePlan, Plan};
use crate::reason::Reason;
use crate::source::{self, Failure, ReadError};
use crate::walk::TEMP_PREFIX;
use swap::{Refused, swap};

/// How much of a file's name goes into the name of its temporary file; names have 255 bytes at most.
const NAME_PART: usize = 180;

/// How often to look at a file that is replaced just then.
const LOOKS: usize = 5;

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Written {
    /// The files that have their new text.
    pub files: usize,
    /// The changes in them.
    pub changes: usize,
    /// The files that could not be written, and why.
    pub failures: Vec<Failure>,
    /// The signal that stopped the work, if one did.
    pub interrupted: Option<usize>,
}

/// A request to stop, by its signal number; 0 while there is none.
pub type Stop = Arc<AtomicUsize>;

/// Writes every file of `plan` that changes. Files that cannot be written lose their changes in
/// `plan`, and so do their groups. Between two lots `stop` is looked at.
pub fn write(plan: &mut Plan, stop: &Stop) -> Written {
    let mut written = Written::default();
    drop_unwritable(plan, &mut written.failures);
    for lot in plan.lots() {
        let signal = stop.load(Ordering::SeqCst);
        if signal != 0 {
            written.interrupted = Some(signal);
            break;
        }
        write_lot(plan, lot, &mut written);
    }
    written
}

/// Writes a lot. A file that cannot be staged leaves the lot with its groups, and the rest of the
/// lot, which may fall apart into smaller ones, is tried again.
fn write_lot(plan: &mut Plan, lot: Vec<usize>, written: &mut Written) {
    let mut pending = vec![lot];
    while let Some(lot) = pending.pop() {
        match stage(plan, &lot) {
            Ok(staged) => match commit(plan, staged) {
                Ok(()) => {
                    written.files += lot.len();
                    written.changes += lot
                        .iter()
                        .map(|&file| plan.files[file].changes.len())
                        .sum::<usize>();
                }
                Err(failures) => {
                    let why = "a file of its group could not be replaced";
                    lot.iter().for_each(|&file| drop(plan.withdraw(file, why)));
                    written.failures.extend(failures);
                }
            },
            Err((file, message)) => {
                written
                    .failures
                    .push(Failure::of(&plan.files[file].source.path, message));
                plan.withdraw(file, "its file could not be written");
                let members: BTreeSet<usize> = lot.into_iter().collect();
                let rest = plan
                    .lots()
                    .into_iter()
                    .filter(|lot| lot.iter().all(|file| members.contains(file)));
                pending.extend(rest);
            }
        }
    }
}

/// Takes the files out of the plan that clearly cannot be written, and says so.
fn drop_unwritable(plan: &mut Plan, failures: &mut Vec<Failure>) {
    let hard_linked = plan.files.iter().filter(|file| {
        file.skips
            .iter()
            .any(|skip| skip.reason == Reason::HardLinked)
    });
    failures.extend(hard_linked.map(|file| {
        Failure::of(&file.source.path, "has another name (a hard link) and was left alone; replace one of the two by a copy or a symbolic link")
    }));
    for index in 0..plan.files.len() {
        let file = &plan.files[index];
        if file.after.is_none() {
            continue;
        }
        if let Err(message) = check_writable(file) {
            failures.push(Failure::of(&file.source.path, message));
            plan.withdraw(index, "its file cannot be written");
        }
    }
}

/// Whether the file lets itself be written: a rename would silently replace a read-only one.
fn check_writable(file: &FilePlan) -> Result<(), String> {
    let real = &file.source.real;
    let explain = |error: io::Error| format!("cannot be written: {error}; left as it is");
    open_for_writing(real).map(drop).map_err(explain)?;
    look_again(file, real).map(drop)
}

#[cfg(unix)]
fn open_for_writing(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

#[cfg(not(unix))]
fn open_for_writing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// What lies at a file's path now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// What was read.
    AsRead,
    /// The new text: another run of the program was there first.
    AsPlanned,
}

/// Looks whether what lies at a path still is what was read of a file; an error says what else it is.
fn look_again(file: &FilePlan, at: &Path) -> Result<Current, String> {
    let after = file.after.as_deref().unwrap_or_default();
    let limit = file.source.text.len().max(after.len()) as u64;
    let mut looks = 0;
    loop {
        looks += 1;
        let (bytes, identity) = match source::read_bytes(at, limit) {
            Ok(read) => read,
            Err(ReadError::TooLarge(..)) => return Err(changed()),
            Err(error) => return Err(error.to_string()),
        };
        if bytes == after.as_bytes() {
            return Ok(Current::AsPlanned);
        }
        // A file without a name was replaced between opening and reading it.
        if identity.links == 0 && looks < LOOKS {
            continue;
        }
        let same_file = file
            .source
            .identity
            .is_none_or(|known| known.inode == identity.inode);
        let same = same_file && bytes == file.source.text.as_bytes();
        return if same {
            Ok(Current::AsRead)
        } else {
            Err(changed())
        };
    }
}

fn changed() -> String {
    "was changed by somebody else since it was read; left as it is now, run again".to_string()
}

/// A file's new text, waiting beside it.
struct Staged {
    file: usize,
    temp: NamedTempFile,
}

/// Puts the new text of every file of the lot beside it. On an error nothing stays behind.
fn stage(plan: &Plan, lot: &[usize]) -> Result<Vec<Staged>, (usize, String)> {
    let mut staged = Vec::with_capacity(lot.len());
    for &file in lot {
        let planned = &plan.files[file];
        let Some(after) = &planned.after else {
            continue;
        };
        let temp = temp_with(&planned.source.real, after).map_err(|error| {
            (
                file,
                format!("its new text could not be written beside it: {error}; left as it is"),
            )
        })?;
        staged.push(Staged { file, temp });
    }
    // Looked at as late as possible: whatever was changed while this lot was staged stays.
    let mut due = Vec::with_capacity(staged.len());
    for staged in staged {
        let planned = &plan.files[staged.file];
        match look_again(planned, &planned.source.real) {
            Ok(Current::AsRead) => due.push(staged),
            Ok(Current::AsPlanned) => {}
            Err(message) => return Err((staged.file, message)),
        }
    }
    Ok(due)
}

/// A complete, synced temporary file beside `real` with its mode and, where allowed, its owner.
fn temp_with(real: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = real.parent().unwrap_or(Path::new("."));
    let metadata = fs::metadata(real)?;
    let mut temp = tempfile::Builder::new()
        .prefix(&temp_prefix(real))
        .rand_bytes(8)
        .tempfile_in(folder)?;
    temp.write_all(text.as_bytes())?;
    copy_owner(&metadata, temp.as_file());
    temp.as_file().set_permissions(metadata.permissions())?;
    temp.as_file().sync_all()?;
    if temp.as_file().metadata()?.len() != text.len() as u64 {
        return Err(io::Error::other("it came out shorter than it should"));
    }
    Ok(temp)
}

/// The name says whose text it holds, for the case that it is left behind.
fn temp_prefix(real: &Path) -> std::ffi::OsString {
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let part: String = name
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= NAME_PART).then_some(c)
        })
        .collect();
    format!("{TEMP_PREFIX}{part}.").into()
}

#[cfg(unix)]
fn copy_owner(metadata: &fs::Metadata, temp: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(own) = temp.metadata() else { return };
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        // Only root may give files away; everybody else keeps what the system allows.
        if fchown(temp, Some(metadata.uid()), Some(metadata.gid())).is_err() {
            drop(fchown(temp, None, Some(metadata.gid())));
        }
    }
}

#[cfg(not(unix))]
fn copy_owner(_metadata: &fs::Metadata, _temp: &File) {}

/// Puts the staged files in the places of their originals. When that fails for one, those before it get their
/// old text back.
fn commit(plan: &Plan, staged: Vec<Staged>) -> Result<(), Vec<Failure>> {
    let mut renamed = Vec::with_capacity(staged.len());
    for Staged { file, temp } in staged {
        let planned = &plan.files[file];
        let source = &planned.source;
        let is_fine = |path: &Path| look_again(planned, path).is_ok();
        match swap(temp, &source.real, is_fine) {
            Ok(()) => renamed.push(file),
            Err(refused) => {
                let message = match refused {
                    Refused::Io(error) => format!("could not be replaced: {error}; left as it is"),
                    Refused::Other => changed(),
                };
                let mut failures = vec![Failure::of(&source.path, message)];
                failures.extend(
                    renamed
                        .iter()
                        .filter_map(|&file| restore(&plan.files[file])),
                );
                return Err(failures);
            }
        }
    }
    let folders: BTreeSet<&Path> = renamed
        .iter()
        .filter_map(|&file| plan.files[file].source.real.parent())
        .collect();
    folders.into_iter().for_each(sync_folder);
    Ok(())
}

/// Puts the old text back.
fn restore(file: &FilePlan) -> Option<Failure> {
    let result = temp_with(&file.source.real, &file.source.text)
        .and_then(|temp| temp.persist(&file.source.real).map_err(|error| error.error));
    let error = result.err()?;
    let message = format!(
        "has its new text although its group could not be written, and the old one could not be put back: {error}; restore it with git"
    );
    Some(Failure::of(&file.source.path, message))
}

/// Makes renames last through a power loss. A file system that cannot sync a folder is none of our
/// business: the rename itself was done.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        drop(folder.sync_all());
    }
}
