//! Somebody without rights, so that a test can run into their limits although root runs it.
#![allow(clippy::print_stderr)] // skips are for who runs it

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// A command that runs as somebody without rights, in a folder that this user may enter.
pub fn as_nobody(command: &Path) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        return Command::new(command);
    }
    let mut setpriv = Command::new("setpriv");
    setpriv
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(command);
    setpriv
}

/// Whether [`as_nobody`] works here; says so loudly when it does not.
pub fn nobody_can_run() -> bool {
    let works = as_nobody(Path::new(env!("CARGO_BIN_EXE_ecr-rewrite")))
        .arg("--version")
        .output();
    let works = works.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!(
            "SKIPPED: the program cannot be run as another user here (setpriv, or rights on its folder)"
        );
    }
    works
}
