//! The progress of a download: a bar on a terminal, a plain line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Voice;
use super::progress::draws;
use super::voice::set_bar;
use crate::models::fetch::Event;
use crate::units;

/// The time between two lines without a terminal.
const LINE: Duration = Duration::from_secs(30);

/// A display of the download of one model's files. Dropping it removes the bar.
pub(crate) struct Transfer {
    voice: Voice,
    bar: Option<ProgressBar>,
    /// The file being downloaded, like `image.onnx (1 of 3)`.
    title: String,
    told: Instant,
    /// Whether the bar has been set to the position where the download resumed. Only bytes after it count for the pace.
    begun: bool,
}

impl Transfer {
    pub(crate) fn new(voice: &Voice) -> Self {
        let bar = (!voice.is_quiet() && draws()).then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(style());
            set_bar(Some(bar.clone()));
            bar
        });
        Transfer { voice: *voice, bar, title: String::new(), told: Instant::now(), begun: false }
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Note(line) => self.voice.note(line),
            Event::File { name, index, count, bytes } => {
                self.title = format!("{name} ({index} of {count})");
                self.begun = false;
                self.told = Instant::now();
                self.voice.detail(&match bytes {
                    Some(bytes) => format!("{}, {}", self.title, units::bytes(bytes)),
                    None => self.title.clone(),
                });
                if let Some(bar) = &self.bar {
                    bar.set_prefix(self.title.clone());
                    bar.set_length(bytes.unwrap_or(0));
                    bar.set_position(0);
                }
            }
            Event::Progress { bytes, of } => match &self.bar {
                Some(bar) => {
                    bar.set_length(of.unwrap_or(bytes));
                    bar.set_position(bytes);
                    if !self.begun {
                        bar.reset_eta();
                        self.begun = true;
                    }
                }
                None if self.told.elapsed() >= LINE => {
                    self.told = Instant::now();
                    self.voice.note(&format!("{}: {}", self.title, so_far(bytes, of)));
                }
                None => {}
            },
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            set_bar(None);
            bar.finish_and_clear();
        }
    }
}

fn so_far(bytes: u64, of: Option<u64>) -> String {
    match of {
        Some(of) if of > 0 => {
            let percent = (bytes as f64 / of as f64 * 100.0) as u64;
            format!("{} of {} ({percent}%)", units::bytes(bytes), units::bytes(of))
        }
        _ => units::bytes(bytes),
    }
}

fn style() -> ProgressStyle {
    let template =
        "{prefix} {wide_bar:.cyan/dim} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸━")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_far_it_is() {
        assert_eq!(so_far(1_500_000, Some(6_000_000)), "1.5 MB of 6.0 MB (25%)");
        assert_eq!(so_far(1_500, None), "1.5 kB");
        assert_eq!(so_far(7, Some(0)), "7 bytes");
    }

    #[test]
    fn the_bar_s_template_is_sound() {
        assert!(ProgressStyle::with_template("{prefix} {decimal_bytes_per_sec} {eta}").is_ok());
        style();
    }
}
