//! STAND-IN, dropped at merge: draws a gradient that depends on seed and step.

use std::time::{Duration, Instant};

use crate::clip::Encoder;
use crate::picture::Picture;
use crate::plan::Plan;

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("nothing to render")]
    Nothing,
}

impl RenderError {
    pub fn hint(&self) -> Option<&str> {
        None
    }
}

pub enum Control {
    Continue,
    Stop,
}

pub trait Observer {
    fn step(&mut self, progress: &Progress<'_>) -> Control;
}

pub struct Progress<'a> {
    pub step: u64,
    pub steps: u64,
    pub phase: usize,
    pub phase_name: &'a str,
    pub phase_step: u64,
    pub phase_steps: u64,
    pub views: u64,
    pub places: u64,
    pub similarities: &'a [(String, f32)],
    pub tally: &'a Tally,
    pub seconds: f64,
    plan: &'a Plan,
}

fn draw(plan: &Plan, step: u64) -> Picture {
    let (area, width) = (plan.size.area(), plan.size.width as usize);
    let pixels = (0..area * 3).map(|i| {
        let (x, y) = (i % area % width, i % area / width);
        ((x * 3 + y * 5 + i / area * 40 + step as usize + plan.seed as usize) % 256) as f32 / 255.0
    });
    Picture { size: plan.size, pixels: pixels.collect() }
}

impl Progress<'_> {
    pub fn picture(&self) -> Picture {
        draw(self.plan, self.step)
    }
}

pub struct Rendered {
    pub picture: Picture,
    pub tally: Tally,
    pub steps: u64,
    pub views: u64,
    pub stopped: bool,
    pub seconds: Seconds,
}

#[derive(Default)]
pub struct Seconds {
    pub look: f64,
    pub encode: f64,
    pub push: f64,
    pub optimize: f64,
}

#[derive(Default)]
pub struct Tally {
    pub entries: Vec<TallyEntry>,
}

pub struct TallyEntry {
    pub prompt: String,
    pub target: String,
    pub won: u64,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total: u64 = self.entries.iter().map(|entry| entry.won).sum::<u64>().max(1);
        let width = self.entries.iter().map(|entry| entry.prompt.chars().count()).max().unwrap_or(0);
        for entry in &self.entries {
            let percent = entry.won as f64 * 100.0 / total as f64;
            writeln!(f, "{:width$} : {} ({percent:.2}%)", entry.prompt, entry.won)?;
        }
        Ok(())
    }
}

pub fn render(plan: &Plan, encoder: &mut Encoder, observer: &mut dyn Observer) -> Result<Rendered, RenderError> {
    let start = Instant::now();
    let mut tally = Tally::default();
    for prompt in &encoder.prompts {
        tally.entries.push(TallyEntry { prompt: prompt.text.clone(), target: "detail 1".into(), won: 0 });
    }
    let mut seconds = Seconds::default();
    let (mut step, mut stopped) = (0, false);
    'all: for (phase, told) in plan.phases.iter().enumerate() {
        for phase_step in 1..=u64::from(told.steps) {
            let pause = match told.rate {
                crate::plan::Schedule::Constant(milliseconds) => milliseconds,
                _ => 0.0,
            };
            std::thread::sleep(Duration::from_millis(pause as u64));
            step += 1;
            seconds.encode += pause / 1000.0;
            let winner = (step as usize * 7) % tally.entries.len().max(1);
            tally.entries.get_mut(winner).ok_or(RenderError::Nothing)?.won += 12;
            let similarities = [("composition 1".to_owned(), 0.2 + step as f32 * 1e-4), ("detail 1".to_owned(), 0.15)];
            let progress = Progress {
                step,
                steps: plan.steps(),
                phase,
                phase_name: &told.name,
                phase_step,
                phase_steps: told.steps.into(),
                views: step * 12,
                places: step * 12,
                similarities: &similarities,
                tally: &tally,
                seconds: start.elapsed().as_secs_f64(),
                plan,
            };
            if let Control::Stop = observer.step(&progress) {
                stopped = step < plan.steps();
                break 'all;
            }
        }
    }
    Ok(Rendered { picture: draw(plan, step), tally, steps: step, views: step * 12, stopped, seconds })
}
