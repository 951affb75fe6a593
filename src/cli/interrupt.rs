//! Ctrl-C, and the signals that ask a process to end.
//!
//! While something is under way that is worth finishing ([`graceful`]) the first signal is only remembered: the render
//! stops after its step and the picture so far is written. The second one, and any at another time, ends the process at
//! once, leaving no temporary file behind.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{Exit, Failure, Voice};
use crate::output::pending;

static SIGNALS: AtomicU32 = AtomicU32::new(0);
static GRACEFUL: AtomicBool = AtomicBool::new(false);

/// Takes the signals over. Once per process.
pub(super) fn install(voice: Voice) -> Result<(), Failure> {
    ctrlc::set_handler(move || {
        let earlier = SIGNALS.fetch_add(1, Ordering::SeqCst);
        if earlier == 0 && GRACEFUL.load(Ordering::SeqCst) {
            voice.note("finishing the step, then writing the picture so far (Ctrl-C again stops at once)");
            return;
        }
        pending::abandon();
        std::process::exit(Exit::Interrupted as i32);
    })
    .map_err(|error| Failure::failed(format!("cannot listen for Ctrl-C: {error}")))
}

/// A signal has come.
pub(super) fn requested() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// As long as the guard lives, the first signal is for [`requested`] to find.
#[must_use]
pub(super) fn graceful() -> Guard {
    GRACEFUL.store(true, Ordering::SeqCst);
    Guard
}

/// See [`graceful`].
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        GRACEFUL.store(false, Ordering::SeqCst);
    }
}
