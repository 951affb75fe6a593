//! `--preview`: the growing picture in the terminal, above the progress bar.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use image::RgbImage;

use super::progress::draws;
use crate::cli::args::PreviewChoice;
use crate::cli::terminal::{Voice, voice};
use crate::picture::Picture;
use crate::terminal::{self, Area, Colours, Protocol, Window};

/// Rows kept free for the report of a mistake in a recipe that is being edited.
const MISTAKE: u16 = 8;
/// The minimum time between two pictures.
const PAUSE: Duration = Duration::from_millis(300);
/// Making and drawing pictures takes at most about one part in this many of the time.
const SHARE: u32 = 40;

impl PreviewChoice {
    fn protocol(self) -> Protocol {
        let environment = |name: &str| std::env::var(name).ok();
        match (self, terminal::detect(environment)) {
            (PreviewChoice::Kitty, _) => Protocol::Kitty,
            (PreviewChoice::Iterm, _) => Protocol::Iterm,
            (PreviewChoice::Sixel, _) => Protocol::Sixel,
            (PreviewChoice::Auto, detected) => detected,
            (PreviewChoice::Blocks, detected @ Protocol::Blocks(_)) => detected,
            // Terminals with a picture protocol have 24-bit colours.
            (PreviewChoice::Blocks, _) => Protocol::Blocks(Colours::True),
        }
    }
}

/// A thread that draws pictures. A picture that arrives while another waits to be drawn is dropped.
pub(crate) struct Preview {
    pictures: SyncSender<Picture>,
    thread: JoinHandle<()>,
    /// When the next picture is wanted.
    next: Instant,
    /// Milliseconds that the last drawing took.
    took: Arc<AtomicU64>,
}

impl Preview {
    /// Starts the thread; returns none if nobody would see the pictures. `again`: the recipe is being edited.
    pub(crate) fn new(choice: PreviewChoice, again: bool, voice: &Voice) -> Option<Self> {
        if voice.is_quiet() || !draws() {
            return None;
        }
        let protocol = choice.protocol();
        let spare = if again { MISTAKE } else { 0 };
        let (pictures, incoming) = sync_channel(1);
        let took = Arc::new(AtomicU64::new(0));
        let noted = took.clone();
        let thread = std::thread::spawn(move || {
            for picture in incoming {
                let clock = Instant::now();
                draw(protocol, &picture, spare);
                noted.store(u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Some(Preview { pictures, thread, next: Instant::now(), took })
    }

    /// Returns whether a picture is wanted now.
    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Passes on a picture unless another one is waiting. `cost` is the time that making it took the render.
    pub(crate) fn offer(&mut self, picture: Picture, cost: Duration) {
        if let Err(TrySendError::Full(_)) = self.pictures.try_send(picture) {
            return;
        }
        let drawing = Duration::from_millis(self.took.load(Ordering::Relaxed));
        self.next = Instant::now() + PAUSE.max((cost + drawing).saturating_mul(SHARE));
    }

    /// Draws the last picture.
    pub(crate) fn finish(self, picture: Picture) {
        let _ = self.pictures.send(picture);
        self.stop();
    }

    /// Ends the thread after the pictures it already has.
    pub(crate) fn stop(self) {
        drop(self.pictures);
        let _ = self.thread.join();
    }
}

fn draw(protocol: Protocol, picture: &Picture, spare: u16) {
    let Some(window) = window() else { return };
    let size = picture.size;
    let shorter = Window { rows: window.rows.saturating_sub(spare), ..window };
    let Some(area) = Area::of(size.width, size.height, &shorter) else { return };
    let Some(image) = RgbImage::from_raw(size.width, size.height, picture.to_rgb8()) else { return };
    let text = terminal::drawn(protocol, &image, area, &window);
    voice::pin(text, area.rows, window.columns);
}

/// The window that stderr is in.
#[cfg(unix)]
fn window() -> Option<Window> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    let known = size.ws_col > 0 && size.ws_row > 0;
    known.then(|| Window {
        columns: size.ws_col,
        rows: size.ws_row,
        cell: Some((size.ws_xpixel / size.ws_col, size.ws_ypixel / size.ws_row)),
    })
}

/// The window that stderr is in.
#[cfg(not(unix))]
fn window() -> Option<Window> {
    let (columns, rows) = terminal_size::terminal_size_of(std::io::stderr())?;
    Some(Window { columns: columns.0, rows: rows.0, cell: None })
}
