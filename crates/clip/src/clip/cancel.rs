//! Cancelling an encoder from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ClipError;

/// A flag shared by those who may cancel and the encoders, which check it between two batches of windows.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels whatever is under way.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Resets the flag, so that later work runs.
    pub fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Returns whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns an error if cancelled, for use with `?`.
    pub(super) fn check(&self) -> Result<(), ClipError> {
        if self.is_cancelled() { Err(ClipError::Cancelled) } else { Ok(()) }
    }
}
