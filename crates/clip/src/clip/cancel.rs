//! A wish that an encoder should stop, told from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ClipError;

/// Shared by those who may wish it and the encoders that look at it between two batches of windows.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Whatever is under way is no longer wanted.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// What comes now is wanted.
    pub fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// As an error, for `?`.
    pub(super) fn check(&self) -> Result<(), ClipError> {
        if self.is_cancelled() { Err(ClipError::Cancelled) } else { Ok(()) }
    }
}
