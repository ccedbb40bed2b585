//! How far a long run is: one line of a terminal, written again and again, and taken away at the end.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::talk::Talk;

/// A run that takes longer says how far it is.
const QUIET: Duration = Duration::from_secs(1);
/// Goes to the beginning of the line and empties it.
const CLEAR: &str = "\r\x1b[K";
/// How often the line is written, at most.
const EVERY: Duration = Duration::from_millis(100);

/// The line; nothing where nobody would see it.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    /// When the line was written last, in milliseconds since the start; 0 when it was not.
    written: AtomicU64,
}

impl Progress {
    pub(super) fn new(talk: Talk) -> Self {
        Self {
            is_shown: io::stderr().is_terminal() && !talk.is_quiet(),
            started: Instant::now(),
            written: AtomicU64::new(0),
        }
    }

    /// Says how much is done, as in `3 of 20 rendered`. Many threads may say so at once.
    pub(super) fn at(&self, done: usize, all: usize, what: &str) {
        if self.is_shown && self.is_due(self.started.elapsed()) {
            // Nobody is left to tell when the terminal itself is gone.
            drop(write!(io::stderr().lock(), "{}", line(done, all, what)));
        }
    }

    /// Whether the line is to be written now, `elapsed` after the start; then nobody else writes it.
    fn is_due(&self, elapsed: Duration) -> bool {
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let last = self.written.load(Ordering::Relaxed);
        let every = u64::try_from(EVERY.as_millis()).unwrap_or(0);
        elapsed > QUIET
            && now >= last.saturating_add(every)
            && self
                .written
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Does the work, and says for how long it has been going on where nobody can tell how much is left.
    pub(super) fn during<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        if !self.is_shown {
            return work();
        }
        thread::scope(|scope| {
            let (done, wait) = mpsc::channel::<()>();
            scope.spawn(move || {
                let started = Instant::now();
                // The other end goes when the work is done.
                while wait.recv_timeout(QUIET) == Err(RecvTimeoutError::Timeout) {
                    let line = format!("{CLEAR}{what}, {} s", started.elapsed().as_secs());
                    drop(write!(io::stderr().lock(), "{line}"));
                }
                if started.elapsed() > QUIET {
                    drop(write!(io::stderr().lock(), "{CLEAR}"));
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.written.swap(0, Ordering::Relaxed) > 0 {
            drop(write!(io::stderr().lock(), "{CLEAR}"));
        }
    }
}

/// The line as it is written over the one before.
fn line(done: usize, all: usize, what: &str) -> String {
    format!("{CLEAR}{done} of {all} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_are_quiet_and_long_ones_speak_now_and_then() {
        let progress = Progress {
            is_shown: true,
            started: Instant::now(),
            written: AtomicU64::new(0),
        };
        let due: Vec<u64> = (0..1500)
            .filter(|&at| progress.is_due(Duration::from_millis(at)))
            .collect();
        assert_eq!(due, [1001, 1101, 1201, 1301, 1401]);
        assert_eq!(line(3, 20, "files read"), "\r\x1b[K3 of 20 files read");
        assert_eq!(progress.during("planning", || 7), 7);
    }
}
