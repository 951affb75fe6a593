//! Ctrl-C, and the signals that ask a process to end.
//!
//! While something is under way that is worth finishing ([`graceful`]) the first signal is only remembered: the render
//! stops after its step and the picture so far is written. The second one, and any at another time, ends the process at
//! once, leaving neither a temporary file nor a child process behind.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cli::failure::{Exit, Failure};
use crate::cli::terminal::{Voice, voice};
use crate::output::pending;
use crate::runtime;

static SIGNALS: AtomicU32 = AtomicU32::new(0);
/// Guards that live.
static GRACEFUL: AtomicU32 = AtomicU32::new(0);
/// Called when a signal has come for [`requested`] to find.
static TOLD: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());

/// Takes the signals over. Once per process, before anything is done that should not be left half done.
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
    let _installation = runtime::abandon_installation();
    let _files = pending::abandon();
    // SAFETY: `_exit` takes any number, touches no memory of ours and does not return. `exit` will not do: it runs the
    // destructors of onnxruntime's statics while other threads are using them.
    unsafe { libc::_exit(Exit::Interrupted as i32) }
}

/// A signal has come.
pub(crate) fn requested() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// Has something done when a signal has come for [`requested`] to find, in a thread of its own: whoever waits for something
/// else need not look again and again.
pub(crate) fn on_request(told: impl Fn() + Send + 'static) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(told));
}

/// As long as the guard, or another one, lives, the first signal is for [`requested`] to find.
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
