//! The progress of a render: a bar on a terminal, a plain line every few seconds elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Voice;
use super::voice::set_bar;
use crate::preview::Speed;
use crate::render::Progress;

/// The time between two redraws of the bar.
const FRAME: Duration = Duration::from_millis(100);
/// The time between two lines without a terminal.
const LINE: Duration = Duration::from_secs(5);

/// A display of one render. Dropping it removes the bar.
pub(crate) struct Display {
    kind: Kind,
    voice: Voice,
    /// The recipe's name, which plain lines begin with.
    name: String,
    /// Whether the bar shows the name too.
    several: bool,
    pace: Pace,
    drawn: Option<Instant>,
}

enum Kind {
    Nothing,
    Bar(ProgressBar),
    Lines,
}

impl Display {
    /// Creates a display on stderr for a render of the recipe `name`. `several`: it may be one of several.
    pub(crate) fn new(voice: &Voice, name: &str, several: bool) -> Self {
        let kind = if voice.is_quiet() {
            Kind::Nothing
        } else if draws() {
            let bar = ProgressBar::new(0);
            bar.set_style(style());
            set_bar(Some(bar.clone()));
            Kind::Bar(bar)
        } else {
            Kind::Lines
        };
        Display { kind, voice: *voice, name: name.to_owned(), several, pace: Pace::default(), drawn: None }
    }

    /// Takes a step into account, and redraws if it is time to. `held` is how long the render has been paused so far.
    pub(crate) fn step(&mut self, progress: &Progress<'_>, held: Duration) {
        self.pace.add(progress.seconds - held.as_secs_f64(), progress.step, progress.views);
        let due = match self.kind {
            Kind::Nothing => return,
            Kind::Bar(_) => FRAME,
            Kind::Lines => LINE,
        };
        // The first line comes after some seconds, the first bar at once.
        let now = Instant::now();
        let first = matches!(self.kind, Kind::Bar(_)) && self.drawn.is_none();
        let last = *self.drawn.get_or_insert(now);
        if !first && now.duration_since(last) < due {
            return;
        }
        self.drawn = Some(now);
        let state = Readout::of(progress, &self.pace);
        match &self.kind {
            Kind::Nothing => {}
            Kind::Bar(bar) => {
                bar.set_length(state.steps);
                let name = self.several.then_some(self.name.as_str());
                bar.set_prefix(state.heading(name, width()));
                bar.set_message(state.similarities("   "));
                bar.set_position(state.step);
            }
            Kind::Lines => self.voice.note(&format!("{}: {}", self.name, state.sentence())),
        }
    }
}

impl Display {
    /// Returns the current speed.
    pub(crate) fn speed(&self, progress: &Progress<'_>) -> Speed {
        let state = Readout::of(progress, &self.pace);
        Speed { windows: state.windows, left: state.left }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Kind::Bar(bar) = &self.kind {
            set_bar(None);
            bar.finish_and_clear();
        }
    }
}

/// A message while there is nothing to do: on a terminal a line that disappears afterwards, elsewhere an ordinary line.
pub(crate) struct Rest(Option<ProgressBar>);

impl Rest {
    /// Shows the message until it is dropped.
    pub(crate) fn new(voice: &Voice, what: &str) -> Self {
        if voice.is_quiet() || !draws() {
            voice.note(what);
            return Rest(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{wide_msg:.dim}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(format!("{what} (Ctrl-C ends it)"));
        bar.tick();
        set_bar(Some(bar.clone()));
        Rest(Some(bar))
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            set_bar(None);
            bar.finish_and_clear();
        }
    }
}

/// Returns whether stderr is a terminal that can show a bar.
pub(crate) fn draws() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {wide_bar:.cyan/dim}\n{wide_msg:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸━")
}

/// Returns the terminal's width in columns.
fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// The pace over the last [`Pace::SPAN`] seconds, as phases differ in speed.
#[derive(Default)]
struct Pace {
    /// Seconds, steps and views done so far.
    marks: VecDeque<(f64, u64, u64)>,
}

impl Pace {
    const SPAN: f64 = 5.0;

    fn add(&mut self, seconds: f64, step: u64, views: u64) {
        self.marks.push_back((seconds, step, views));
        while self.marks.len() > 2 && self.marks.get(1).is_some_and(|mark| mark.0 < seconds - Self::SPAN) {
            self.marks.pop_front();
        }
    }

    /// Returns steps and views per second; none before the second step.
    fn rates(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.marks.front()?, self.marks.back()?);
        let seconds = last.0 - first.0;
        (seconds > 0.0).then(|| ((last.1 - first.1) as f64 / seconds, (last.2 - first.2) as f64 / seconds))
    }
}

/// The values to show.
struct Readout<'a> {
    step: u64,
    steps: u64,
    phase: &'a str,
    windows: Option<f64>,
    left: Option<f64>,
    targets: &'a [(String, f32)],
}

impl<'a> Readout<'a> {
    fn of(progress: &Progress<'a>, pace: &Pace) -> Self {
        let rates = pace.rates();
        let left = rates.filter(|(steps, _)| *steps > 0.0);
        Readout {
            step: progress.step,
            steps: progress.steps,
            phase: progress.phase_name,
            windows: rates.map(|(_, views)| views),
            left: left.map(|(steps, _)| progress.steps.saturating_sub(progress.step) as f64 / steps),
            targets: progress.similarities,
        }
    }

    /// Returns the words before the bar. A narrow terminal gets fewer, so that they stay on one line.
    fn heading(&self, name: Option<&str>, width: usize) -> String {
        let digits = self.steps.to_string().len();
        let count = format!("{:>digits$}/{}", self.step, self.steps);
        let phase: String = self.phase.chars().take(20).collect();
        let windows = self.windows.map(|windows| format!("{} windows/s", three_digits(windows)));
        let left = self.left.map(|left| format!("{} left", clock(left)));
        let name = name.map(str::to_owned);
        let join = |parts: [Option<&String>; 5]| parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("  ");
        let choices = [
            join([name.as_ref(), Some(&phase), Some(&count), windows.as_ref(), left.as_ref()]),
            join([name.as_ref(), Some(&phase), Some(&count), None, left.as_ref()]),
            join([name.as_ref(), None, Some(&count), None, left.as_ref()]),
            join([None, None, Some(&count), None, left.as_ref()]),
        ];
        // A bar of less than ten columns is useless.
        let fits = |text: &&String| text.chars().count() + 11 <= width;
        choices.iter().find(fits).cloned().unwrap_or(count)
    }

    fn similarities(&self, between: &str) -> String {
        let one = |(name, similarity): &(String, f32)| format!("{name} {similarity:.3}");
        self.targets.iter().map(one).collect::<Vec<_>>().join(between)
    }

    /// Returns everything in one line.
    fn sentence(&self) -> String {
        let percent = self.step * 100 / self.steps.max(1);
        let mut parts = vec![format!("step {}/{} ({percent}%)", self.step, self.steps), self.phase.to_owned()];
        parts.extend(self.windows.map(|windows| format!("{} windows/s", three_digits(windows))));
        parts.extend(Some(self.similarities(", ")).filter(|text| !text.is_empty()));
        parts.extend(self.left.map(|left| format!("{} left", clock(left))));
        parts.join(", ")
    }
}

/// Formats a rate with about three digits.
fn three_digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// Formats seconds as `0:07`, `1:02:03`.
fn clock(seconds: f64) -> String {
    // The cast saturates; a hundred days are as good as never.
    let seconds = (seconds.ceil() as u64).min(100 * 86_400);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_follows_the_last_seconds() {
        let mut pace = Pace::default();
        assert!(pace.rates().is_none());
        for step in 0..=100 {
            pace.add(step as f64 * 0.1, step, step * 12);
        }
        for step in 1..=100 {
            pace.add(10.0 + step as f64, 100 + step, 1200 + step * 20);
        }
        let (steps, views) = pace.rates().unwrap();
        assert!((steps - 1.0).abs() < 1e-9 && (views - 20.0).abs() < 1e-9, "{steps} {views}");
        assert!(pace.marks.len() < 10);
    }

    #[test]
    fn narrow_terminals_get_fewer_words() {
        let targets = [("composition 1".to_owned(), 0.3125f32)];
        let state = Readout {
            step: 7,
            steps: 500,
            phase: "compose",
            windows: Some(38.25),
            left: Some(61.5),
            targets: &targets,
        };
        assert_eq!(state.heading(None, 80), "compose    7/500  38.2 windows/s  1:02 left");
        assert_eq!(state.heading(Some("a.toml"), 80), "a.toml  compose    7/500  38.2 windows/s  1:02 left");
        assert_eq!(state.heading(None, 50), "compose    7/500  1:02 left");
        assert_eq!(state.heading(Some("a.toml"), 40), "a.toml    7/500  1:02 left");
        assert_eq!(state.heading(None, 30), "  7/500  1:02 left");
        assert_eq!(state.heading(None, 5), "  7/500");
        assert_eq!(state.sentence(), "step 7/500 (1%), compose, 38.2 windows/s, composition 1 0.312, 1:02 left");
    }

    #[test]
    fn times() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(59.2), "1:00");
        assert_eq!(clock(3723.0), "1:02:03");
        assert_eq!(clock(f64::INFINITY), "2400:00:00");
        assert_eq!(clock(f64::NAN), "0:00");
    }
}
