//! How the program talks: results on stdout, everything else on stderr, in colour where the terminal wants it.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard};

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;

use crate::cli::args::CommonArgs;
use crate::cli::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const DETAIL: Style = Style::new().dimmed();

/// The bar on the terminal, if one is drawn: lines are printed above it, not into it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);
/// The picture above the bar, if there is one: lines are printed above it, too.
static PICTURE: Mutex<Option<Pinned>> = Mutex::new(None);

/// A picture that keeps its place above the bar.
struct Pinned {
    /// Draws it, from the beginning of a line on, and ends at the beginning of the line below.
    text: String,
    rows: u16,
    /// The terminal's columns when it was drawn. Where they have changed, its lines are no longer where they were.
    columns: u16,
}

impl Pinned {
    /// The way back up to its first line.
    fn up(&self) -> String {
        format!("\x1b[{}A\r", self.rows)
    }
}

/// How much the user wants to hear.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    quiet: bool,
    verbose: bool,
}

impl Voice {
    /// As the command line wants it: `--quiet` drops notes and progress, `--verbose` adds details.
    pub fn of(args: &CommonArgs) -> Self {
        Voice { quiet: args.quiet, verbose: args.verbose }
    }

    /// Neither notes nor progress are wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Details are wanted.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// `error: message`, and the hint on a line of its own.
    pub fn failure(&self, failure: &Failure) {
        if failure.rendered {
            line(failure.message.trim_end());
        } else {
            line(&format!("{ERROR}error{ERROR:#}: {}", failure.message));
        }
        if let Some(hint) = &failure.hint {
            line(&format!("  {HINT}hint{HINT:#}: {hint}"));
        }
    }

    /// Something that does not stop the work but that the user should know.
    pub fn warning(&self, message: &str) {
        line(&format!("{WARNING}warning{WARNING:#}: {message}"));
    }

    /// Finished text (rendered warnings of a recipe), printed as it is.
    pub fn rendered(&self, text: &str) {
        if !text.trim().is_empty() {
            line(text.trim_end());
        }
    }

    /// A line for everybody who did not ask for quiet.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            line(message);
        }
    }

    /// A line for those who asked for more.
    pub fn detail(&self, message: &str) {
        if self.verbose {
            line(&format!("{DETAIL}{message}{DETAIL:#}"));
        }
    }
}

/// Prints one line (or several) on stderr, above the bar if there is one. A closed stderr is nobody's business.
fn line(text: &str) {
    above_the_picture(|| {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    });
}

/// Prints where the picture stands, if there is one, and draws it anew below.
fn above_the_picture(print: impl FnOnce()) {
    beside_the_bar(|| {
        let pinned = lock(&PICTURE);
        if let Some(picture) = &*pinned {
            let _ = write!(io::stderr(), "{}\x1b[J", picture.up());
        }
        print();
        if let Some(picture) = &*pinned {
            let _ = io::stderr().write_all(picture.text.as_bytes());
        }
    });
}

/// Puts a picture of so many rows above the bar, in the place of an earlier one. `text` draws it from the beginning of a line
/// on and ends at the beginning of the line below it; `columns` are the terminal's.
pub(crate) fn pin(text: String, rows: u16, columns: u16) {
    beside_the_bar(|| {
        let mut pinned = lock(&PICTURE);
        // Drawn as a whole where the terminal can (mode 2026), so that nothing flickers.
        let mut drawing = String::from("\x1b[?2026h");
        if let Some(earlier) = pinned.as_ref().filter(|earlier| earlier.columns == columns) {
            drawing += &earlier.up();
            if earlier.rows != rows {
                drawing += "\x1b[J";
            }
        }
        drawing += &text;
        drawing += "\x1b[?2026l";
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(drawing.as_bytes()).and_then(|()| stderr.flush());
        *pinned = Some(Pinned { text, rows, columns });
    });
}

/// Leaves the picture to itself: it stays where it is, and what is printed now comes below it.
pub(crate) fn unpin() {
    *lock(&PICTURE) = None;
}

/// Prints while the bar, if there is one, is out of the way.
fn beside_the_bar(print: impl FnOnce()) {
    let bar = lock(&BAR).clone();
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The process is being left at once: what comes after it begins a line of its own.
pub(crate) fn leave() {
    if let Ok(bar) = BAR.try_lock()
        && bar.is_some()
    {
        let _ = io::stderr().write_all(b"\n");
    }
}

/// Tells the voice of the bar on the terminal, or that it is gone.
pub(crate) fn set_bar(bar: Option<ProgressBar>) {
    *lock(&BAR) = bar;
}

/// Writes a result to stdout, byte for byte. A reader that has gone away (`| head`) is no failure.
pub(crate) fn result(bytes: &[u8]) -> Result<(), Failure> {
    let mut written = Ok(());
    let mut write = || {
        let mut stdout = io::stdout().lock();
        written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    };
    match io::stdout().is_terminal() {
        true => above_the_picture(write),
        false => write(),
    }
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
