//! Writes pictures while a render is running, in a separate thread so that the render need not wait.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::origin::{Facts, Origin};
use super::own::check_own_picture;
use super::png::write_png;
use super::whole::WriteError;
use crate::given::Bases;
use crate::picture::Picture;

/// Returns `NAME-000120.png` beside `NAME.png`.
pub fn step_path(output: &Path, step: u64) -> PathBuf {
    beside(output, &format!("{step:06}"))
}

/// Returns `NAME-phase-1-compose.png` beside `NAME.png`, or `NAME-phase-1.png` for an unnamed phase. `number` counts from 1.
pub fn phase_path(output: &Path, number: usize, name: &str) -> PathBuf {
    let suffix = if name == format!("phase {number}") || file_word(name).is_empty() {
        format!("phase-{number}")
    } else {
        format!("phase-{number}-{}", file_word(name))
    };
    beside(output, &suffix)
}

/// Returns `NAME-sheet.png` beside `NAME.png`, the path of the phases' contact sheet.
pub fn sheet_path(output: &Path) -> PathBuf {
    beside(output, "sheet")
}

/// Whether `path` is a name that [`step_path`], [`phase_path`] or [`sheet_path`] returns for `output`.
pub fn is_snapshot_of(output: &Path, path: &Path) -> bool {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (of, name) = (stem(output), stem(path));
    let Some(suffix) = name.strip_prefix(&of).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let step = suffix.len() >= 6 && suffix.bytes().all(|byte| byte.is_ascii_digit());
    path.parent() == output.parent() && (step || suffix == "sheet" || suffix.starts_with("phase-"))
}

fn beside(output: &Path, suffix: &str) -> PathBuf {
    let mut name = output.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("-{suffix}.png"));
    output.with_file_name(name)
}

/// Turns a name into part of a file name: letters and digits of any script, hyphens for everything else, and a length that file systems
/// accept.
fn file_word(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        let c = if c.is_alphanumeric() || c == '_' { c } else { '-' };
        if word.len() + c.len_utf8() > 60 {
            break;
        }
        if c != '-' || !(word.is_empty() || word.ends_with('-')) {
            word.push(c);
        }
    }
    word.trim_end_matches('-').to_owned()
}

/// One picture to write.
struct Task {
    path: PathBuf,
    picture: Picture,
    facts: Facts,
    /// Whether the user did not choose the path.
    unnamed: bool,
    /// Called when the picture has been written, or could not be.
    then: Option<Then>,
}

/// A callback for the outcome of a write.
type Then = Box<dyn FnOnce(&Path, Result<(), &WriteError>) + Send>;

/// Writes pictures of one recipe in the order given. At most one waits while another is written; the caller of a third waits, so memory
/// stays bounded and nothing is lost.
pub struct Writer {
    tasks: SyncSender<Task>,
    failures: Receiver<WriteError>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Creates a writer of pictures made from this recipe text and the recipes that it builds on.
    pub fn new(recipe: String, bases: Bases) -> Self {
        let (tasks, incoming) = sync_channel::<Task>(1);
        let (failed, failures) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            for task in incoming {
                let origin = Origin { recipe: recipe.clone(), bases: bases.clone(), facts: task.facts };
                let free = if task.unnamed { check_own_picture(&task.path) } else { Ok(()) };
                let written = free.and_then(|()| write_png(&task.path, &task.picture, &origin));
                if let Some(then) = task.then {
                    then(&task.path, written.as_ref().copied());
                }
                if let Err(error) = written {
                    // The receiver lives as long as the writer.
                    let _ = failed.send(error);
                }
            }
        });
        Writer { tasks, failures, thread }
    }

    /// Queues a picture under a name chosen by the program; a foreign file there is left alone.
    pub fn write(&self, path: PathBuf, picture: Picture, facts: Facts) {
        // The thread ends only after this sender.
        let _ = self.tasks.send(Task { path, picture, facts, unnamed: true, then: None });
    }

    /// Queues a picture and passes the outcome to `then` in the writer's thread.
    pub fn write_then(
        &self,
        path: PathBuf,
        picture: Picture,
        facts: Facts,
        then: impl FnOnce(&Path, Result<(), &WriteError>) + Send + 'static,
    ) {
        let _ = self.tasks.send(Task { path, picture, facts, unnamed: true, then: Some(Box::new(then)) });
    }

    /// Queues the render's own picture if the writer is not behind; otherwise drops it and returns false.
    pub fn offer(&self, path: PathBuf, picture: Picture, facts: Facts) -> bool {
        !matches!(
            self.tasks.try_send(Task { path, picture, facts, unnamed: false, then: None }),
            Err(TrySendError::Full(_))
        )
    }

    /// Returns the failures since the last call.
    pub fn failures(&self) -> Vec<WriteError> {
        self.failures.try_iter().collect()
    }

    /// Waits until everything is written and returns the remaining failures.
    pub fn finish(self) -> Vec<WriteError> {
        drop(self.tasks);
        // A panic in the thread has been printed by the panic handler; there is no picture to report on.
        let _ = self.thread.join();
        self.failures.try_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::recover;
    use crate::plan::Size;

    fn picture(value: f32) -> Picture {
        let size = Size { width: 16, height: 16 };
        Picture { size, pixels: vec![value; size.area() * 3] }
    }

    #[test]
    fn names() {
        let output = Path::new("out/malazan.v2.png");
        assert_eq!(step_path(output, 120), Path::new("out/malazan.v2-000120.png"));
        assert_eq!(step_path(output, 12_345_678), Path::new("out/malazan.v2-12345678.png"));
        assert_eq!(phase_path(output, 1, "compose"), Path::new("out/malazan.v2-phase-1-compose.png"));
        assert_eq!(phase_path(output, 2, "phase 2"), Path::new("out/malazan.v2-phase-2.png"));
        assert_eq!(phase_path(output, 3, "../ a/b: «ß» "), Path::new("out/malazan.v2-phase-3-a-b-ß.png"));
        assert_eq!(phase_path(output, 4, "///"), Path::new("out/malazan.v2-phase-4.png"));
        let long = phase_path(output, 5, &"野".repeat(300));
        assert!(long.file_name().unwrap().len() < 100, "{long:?}");
        assert_eq!(sheet_path(output), Path::new("out/malazan.v2-sheet.png"));
        let phases = [phase_path(output, 1, "compose"), phase_path(output, 2, "phase 2")];
        for own in phases.into_iter().chain([step_path(output, 120), sheet_path(output)]) {
            assert!(is_snapshot_of(output, &own));
        }
        for other in
            ["out/malazan.v2.png", "out/malazan.v2-photo.png", "out/malazan.v2-12.png", "malazan.v2-000120.png"]
        {
            assert!(!is_snapshot_of(output, Path::new(other)), "{other}");
        }
    }

    #[test]
    fn nothing_is_dropped_and_failures_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::new("a = 1".into(), Bases::default());
        for step in 1..=20 {
            let path = step_path(&folder.path().join("x.png"), step);
            writer.write(path, picture(step as f32 / 255.0), Facts { steps: step, ..Facts::default() });
        }
        writer.write(folder.path().join("missing/x.png"), picture(0.0), Facts::default());
        let failures = writer.finish();
        assert_eq!(failures.len(), 1, "{failures:?}");
        for step in 1..=20 {
            let path = step_path(&folder.path().join("x.png"), step);
            assert_eq!(recover(&path).unwrap().facts.steps, step);
            assert_eq!(image::open(&path).unwrap().to_rgb8().get_pixel(3, 3).0, [step as u8; 3]);
        }
    }
}
