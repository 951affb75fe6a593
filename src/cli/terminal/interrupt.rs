//! Ctrl-C, and the signals that ask a process to end.
//!
//! While something worth finishing is under way ([`graceful`]), the first signal is only recorded: the render stops after its
//! step, and the picture so far is written. A second signal, or one at any other time, ends the process at once and leaves
//! neither a temporary file nor a child process behind.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cli::failure::{Exit, Failure};
use crate::cli::terminal::{Voice, voice};
use crate::underway;

static SIGNALS: AtomicU32 = AtomicU32::new(0);
/// The number of living guards.
static GRACEFUL: AtomicU32 = AtomicU32::new(0);
/// Called when a signal has been recorded for [`requested`].
static TOLD: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());

/// Installs the signal handlers. Call it once per process, before anything starts that should not be left half done.
pub fn install(voice: Voice) -> Result<(), Failure> {
    ctrlc::set_handler(move || {
        let earlier = SIGNALS.fetch_add(1, Ordering::SeqCst);
        if earlier == 0 && GRACEFUL.load(Ordering::SeqCst) > 0 {
            voice.note("finishing the step, then writing the picture so far (Ctrl-C again stops at once)");
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|told| told());
            return;
        }
        leave();
    })
    .map_err(|error| Failure::failed(format!("cannot listen for Ctrl-C: {error}")))
}

/// Ends the process at once.
fn leave() -> ! {
    voice::leave();
    // Held until the end, so that no other thread starts anything new.
    let _underway = underway::abandon();
    // SAFETY: `_exit` takes any number, touches no memory of ours and does not return. `exit` will not do: it runs the
    // destructors of onnxruntime's statics while other threads are using them.
    unsafe { libc::_exit(Exit::Interrupted as i32) }
}

/// Returns whether a signal has arrived.
pub(crate) fn requested() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// Registers a callback for a signal recorded for [`requested`]. It runs in the signal handler's thread, so that code that waits
/// for something else need not poll.
pub(crate) fn on_request(told: impl Fn() + Send + 'static) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(told));
}

/// Returns a guard. While any guard lives, the first signal is only recorded for [`requested`].
#[must_use]
pub(crate) fn graceful() -> Guard {
    GRACEFUL.fetch_add(1, Ordering::SeqCst);
    Guard
}

/// See [`graceful`].
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        GRACEFUL.fetch_sub(1, Ordering::SeqCst);
    }
}
