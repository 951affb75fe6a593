//! A folder to work in, and the program started in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::program::{clean, program};
use crate::tiny;

/// Long enough for a machine under load; never waited for when all is well.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A recipe that renders in a moment: 64 x 48 pixels, one window a step, two phases of three steps.
pub const SMALL: &str = r#"
title = "Small"
size = [64, 48]
seed = 4

[[detail]]
prompts = ["sword", "castle"]
windows = 1

[[phase]]
name = "compose"
steps = 3

[[phase]]
steps = 3
"#;

/// The same with so many steps that it ends only when it is stopped.
pub fn endless() -> String {
    SMALL.replace("steps = 3", "steps = 5000000")
}

/// A folder of its own for one test. A small model has the place of `pocket`, unless a test wants that itself: most do not care what a
/// picture shows.
pub struct Bench {
    folder: tempfile::TempDir,
    /// For checkpoints. Nothing is kept unless a test says so: most want to see a render.
    store: tempfile::TempDir,
    keeps: bool,
    embedded: bool,
}

/// How a run ended.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        Ran { code: output.status.code(), stdout: output.stdout, out, err }
    }
}

impl Ran {
    /// The same, if it ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// The same, if stderr has these words.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in {}", self.err);
        self
    }
}

impl Bench {
    pub fn new() -> Self {
        Bench {
            folder: tempfile::tempdir().unwrap(),
            store: tempfile::tempdir().unwrap(),
            keeps: false,
            embedded: false,
        }
    }

    /// The same, with the embedded model as users have it. It takes some hundred times as long to look at a window.
    pub fn embedded(self) -> Self {
        Bench { embedded: true, ..self }
    }

    /// The same, with checkpoints kept as users have them.
    pub fn keeping(self) -> Self {
        Bench { keeps: true, ..self }
    }

    /// The files in the folder for checkpoints.
    pub fn checkpoints(&self) -> Vec<PathBuf> {
        let below = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        below(self.store.path().to_path_buf()).flat_map(below).flat_map(below).collect()
    }

    /// With the small recipe as `small.toml`.
    pub fn small() -> Self {
        let bench = Bench::new();
        bench.write("small.toml", SMALL);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names in the folder, sorted; hidden ones too.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The program, to be started in the folder.
    pub fn program(&self) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).env("RECIPE_RENDER_STORE", self.store.path());
        let data = if self.embedded {
            self.path("data")
        } else {
            tiny::folder();
            tiny::data()
        };
        command.env("XDG_DATA_HOME", data);
        if !self.keeps {
            command.env("RECIPE_RENDER_STORE_LIMIT", "0");
        }
        command
    }

    /// Runs the program with these arguments to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.program().args(arguments).output().unwrap().into()
    }

    /// Runs it and expects success.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> Ran {
        self.run(arguments).ended(0)
    }

    /// Another program, to be started in the folder with the environment of `program`, which it knows as `$PROGRAM`.
    pub fn around(&self, other: &str, program: &Command) -> Command {
        let mut command = Command::new(other);
        clean(&mut command);
        command.current_dir(self.folder.path()).env("PROGRAM", program.get_program());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// Runs a shell's command line in the folder; `$PROGRAM` is the program.
    #[cfg(unix)]
    pub fn shell(&self, line: &str) -> Ran {
        self.around("sh", &self.program()).args(["-c", line]).output().unwrap().into()
    }

    /// The recipe inside a picture, if there is one.
    pub fn recovered(&self, name: &str) -> Option<Vec<u8>> {
        let ran = self.run(&["recover", name]);
        (ran.code == Some(0)).then_some(ran.stdout)
    }
}

/// A picture's pixels, read by a library that knows nothing of us.
#[track_caller]
pub fn pixels(path: &Path) -> image::RgbImage {
    image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgb8()
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "it never came that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
