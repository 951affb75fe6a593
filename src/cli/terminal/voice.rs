//! The program's output: results on stdout, everything else on stderr, in colour where the terminal supports it.

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
    /// Draws the picture from the start of a line, and ends at the start of the line below.
    text: String,
    rows: u16,
    /// The terminal's columns when it was drawn. If they have changed, its lines have moved.
    columns: u16,
}

impl Pinned {
    /// Returns the escape sequence that moves back up to its first line.
    fn up(&self) -> String {
        format!("\x1b[{}A\r", self.rows)
    }
}

/// How much the user wants to be told.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    quiet: bool,
    verbose: bool,
}

impl Voice {
    /// Creates a voice for the command line: `--quiet` drops notes and progress, `--verbose` adds details.
    pub fn of(args: &CommonArgs) -> Self {
        Voice { quiet: args.quiet, verbose: args.verbose }
    }

    /// Returns whether notes and progress are dropped.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns whether details are printed.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Prints `error: message`, and the hint on a line of its own.
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

    /// Prints something that does not stop the work but that the user should know.
    pub fn warning(&self, message: &str) {
        line(&format!("{WARNING}warning{WARNING:#}: {message}"));
    }

    /// Prints finished text (rendered warnings of a recipe) verbatim.
    pub fn rendered(&self, text: &str) {
        if !text.trim().is_empty() {
            line(text.trim_end());
        }
    }

    /// Prints a line unless `--quiet` is given.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            line(message);
        }
    }

    /// Prints a line if `--verbose` is given.
    pub fn detail(&self, message: &str) {
        if self.verbose {
            line(&format!("{DETAIL}{message}{DETAIL:#}"));
        }
    }
}

/// Prints one or more lines on stderr, above the bar if there is one. Ignores a closed stderr.
fn line(text: &str) {
    above_the_picture(|| {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    });
}

/// Prints in the place of the pinned picture, if there is one, and draws the picture anew below.
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

/// Puts a picture of `rows` rows above the bar, in place of an earlier one. `text` draws it from the start of a line and ends at
/// the start of the line below it; `columns` are the terminal's.
pub(crate) fn pin(text: String, rows: u16, columns: u16) {
    beside_the_bar(|| {
        let mut pinned = lock(&PICTURE);
        // Terminals with mode 2026 draw it as a whole, which avoids flicker.
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

/// Unpins the picture: it stays where it is, and later lines are printed below it.
pub(crate) fn unpin() {
    *lock(&PICTURE) = None;
}

/// Prints while the bar, if there is one, is hidden.
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

/// Starts a new line after the bar, if there is one, before the process exits at once.
pub(crate) fn leave() {
    if let Ok(bar) = BAR.try_lock()
        && bar.is_some()
    {
        let _ = io::stderr().write_all(b"\n");
    }
}

/// Registers the bar on the terminal, or none when it is gone.
pub(crate) fn set_bar(bar: Option<ProgressBar>) {
    *lock(&BAR) = bar;
}

/// Writes a result to stdout, byte for byte. A reader that has closed the pipe (`| head`) is not a failure.
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
