//! The progress of counted work: a bar on a terminal, a plain line now and then elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Voice;
use super::progress::draws;
use super::voice::set_bar;

/// The time between two lines without a terminal.
const LINE: Duration = Duration::from_secs(10);

/// A display of how many items are done. Dropping it removes the bar. Several threads may report to it.
pub(crate) struct Bar {
    voice: Voice,
    what: &'static str,
    bar: Option<ProgressBar>,
    told: Mutex<Instant>,
}

impl Bar {
    /// Shows that `what` is being done, like `looking at pictures`, to `of` items.
    pub(crate) fn new(voice: &Voice, what: &'static str, of: usize) -> Self {
        let bar = (!voice.is_quiet() && draws()).then(|| {
            let bar = ProgressBar::new(of as u64).with_prefix(what);
            bar.set_style(style());
            set_bar(Some(bar.clone()));
            bar
        });
        Bar { voice: *voice, what, bar, told: Mutex::new(Instant::now()) }
    }

    /// Reports that `done` items are done.
    pub(crate) fn at(&self, done: usize, of: usize) {
        if let Some(bar) = &self.bar {
            // Threads may report in a different order than they counted.
            bar.set_position(bar.position().max(done as u64));
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if told.elapsed() >= LINE {
            *told = Instant::now();
            self.voice.note(&format!("{}: {done} of {of}", self.what));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            set_bar(None);
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {wide_bar:.cyan/dim} {pos}/{len}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸━")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::parse_from;

    #[test]
    fn the_bar_s_template_is_sound() {
        assert!(ProgressStyle::with_template("{prefix} {wide_bar:.cyan/dim} {pos}/{len}  {eta} left").is_ok());
        Bar::new(&Voice::of(&parse_from(["recipe-render", "--quiet", "a.toml"]).unwrap().common), "counting", 3)
            .at(2, 3);
    }
}
