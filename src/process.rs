//! Other programs, run with bounds: a time, a size, and an end for whatever they start.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const NAP: Duration = Duration::from_millis(2);
/// How much of what a program complains of is kept, in bytes.
const MAX_TALK: u64 = 1 << 20;

/// What one run may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long.
    pub time: Duration,
    /// How many bytes it may print.
    pub output: u64,
}

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub output: Vec<u8>,
    /// What it complained of.
    pub talk: String,
}

/// Why a program did not get to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It took longer than it may.
    Slow(Duration),
    /// It printed more than it may.
    Large(u64),
    /// The run was stopped.
    Stopped,
    /// It could not be run.
    Broken(String),
}

/// Says when to give up.
pub type Stop<'s> = dyn Fn() -> bool + Sync + 's;

/// Looks for a program in these folders, as a `PATH` lists them. Folders that are not absolute are left
/// out: what is looked at may have put programs there.
pub fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| is_program(place))
}

/// Runs a program to its end, or until it has taken too much. Nothing is on its standard input.
pub fn run(mut command: Command, limits: &Limits, stop: &Stop<'_>) -> Result<Ran, Cut> {
    alone(&mut command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Cut::Broken(error.to_string()))?;
    let output = child.stdout.take().map(|from| reader(from, limits.output));
    let talk = child.stderr.take().map(|from| reader(from, MAX_TALK));
    let clock = Clock {
        started: Instant::now(),
        time: limits.time,
        stop,
    };
    let ended = clock.wait(|| child.try_wait());
    let status = ended.inspect_err(|_| end(&mut child))?;
    // What it has started may hold on to what it prints to.
    let read = |from: Option<Reader>| match from {
        Some(from) => clock.wait(|| from.next()),
        None => Ok(Vec::new()),
    };
    let read = read(output).and_then(|output| Ok((output, read(talk)?)));
    let (output, talk) = read.inspect_err(|_| end(&mut child))?;
    if output.len() as u64 > limits.output {
        return Err(Cut::Large(limits.output));
    }
    let talk = String::from_utf8_lossy(&talk).into_owned();
    Ok(Ran {
        status,
        output,
        talk,
    })
}

/// How long something is waited for.
struct Clock<'s> {
    started: Instant,
    time: Duration,
    stop: &'s Stop<'s>,
}

impl Clock<'_> {
    /// Waits for something until the time is over.
    fn wait<T>(&self, mut next: impl FnMut() -> io::Result<Option<T>>) -> Result<T, Cut> {
        loop {
            match next() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) if (self.stop)() => return Err(Cut::Stopped),
                Ok(None) if self.started.elapsed() < self.time => thread::sleep(NAP),
                Ok(None) => return Err(Cut::Slow(self.time)),
                Err(error) => return Err(Cut::Broken(error.to_string())),
            }
        }
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Gives a program a group of its own, so that what it starts ends with it: kustomize runs Helm.
#[cfg(unix)]
fn alone(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn alone(_: &mut Command) {}

/// Ends a program and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill());
    drop(child.wait());
}

/// What is read elsewhere, to its end.
struct Reader(Receiver<Vec<u8>>);

/// Reads to the end, and keeps one byte more than the limit at most: a program that prints on gets a closed
/// pipe.
fn reader(from: impl Read + Send + 'static, limit: u64) -> Reader {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read counts, and nobody may wait for it any more.
        drop(from.take(limit + 1).read_to_end(&mut bytes));
        drop(sender.send(bytes));
    });
    Reader(receiver)
}

impl Reader {
    /// What was read, when all of it was.
    fn next(&self) -> io::Result<Option<Vec<u8>>> {
        match self.0.try_recv() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(io::Error::other("its output cannot be read")),
        }
    }
}
