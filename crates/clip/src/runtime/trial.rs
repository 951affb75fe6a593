//! Tries each library once, in a separate process.
//!
//! A library that is damaged inside can end the process that loads it. A loaded library stays loaded, and `ort` takes
//! only one per process. And whether sessions run on it is known only when one has run. So a child process does all
//! that and reports the result. The answer is cached until the file changes, so a normal start needs no second process.

use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::underway::Process;

use super::{
    Device, Runtime,
    answers::Answers,
    library_file,
    probe::{self, Probed},
};

/// The time that a library may take to load and to run a session.
const PATIENCE: Duration = Duration::from_secs(60);

/// The prefix of the line with a child's answer, because libraries may print lines of their own.
const ANSWER: &str = "recipe-render-library ";

/// The reason why a library is not usable, in words to be printed after its path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refusal {
    /// It is damaged; another copy may be usable.
    Damaged(String),
    /// It is intact, but not suitable for us.
    Unfit(String),
    /// It cannot be used here and now, though the file itself may be fine.
    Here(String),
}

impl Refusal {
    pub(super) fn reason(&self) -> &str {
        match self {
            Refusal::Damaged(reason) | Refusal::Unfit(reason) | Refusal::Here(reason) => reason,
        }
    }
}

/// The way to try libraries.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    /// The program to try libraries with. Started as `PROGRAM runtime try PATH`, it prints the result of [`answer`].
    /// Without one, libraries are loaded in this process and no session is run on them.
    pub program: Option<PathBuf>,
    /// The cache of answers, if any.
    pub answers: Option<Answers>,
}

impl Trial {
    /// Returns the trial with this process's cache of answers.
    pub(super) fn of_process(program: Option<&Path>) -> Self {
        Trial { program: program.map(Path::to_owned), answers: Answers::of_process() }
    }

    /// Tries the library at a path.
    pub(super) fn of(&self, path: &Path) -> Result<Probed, Refusal> {
        // A bare file name would make the system's loader look elsewhere.
        let path = &std::path::absolute(path).map_err(|error| Refusal::Here(format!("cannot be read: {error}")))?;
        look(path)?;
        let Some(program) = &self.program else { return probe::probe(path) };
        let stamp = self.answers.as_ref().and_then(|answers| answers.stamp(path));
        if let (Some(answers), Some(stamp)) = (&self.answers, &stamp)
            && let Some(answer) = answers.get(stamp)
        {
            return answer.map(|version| Probed { path: path.clone(), version });
        }
        let answer = match ask(program, path) {
            Some(answer) => answer,
            // No child can be started: better tried here than not at all.
            None => return probe::probe(path),
        };
        if let (Some(answers), Some(stamp)) = (&self.answers, &stamp)
            && is_lasting(&answer)
        {
            answers.put(stamp, &answer);
        }
        answer.map(|version| Probed { path: path.clone(), version })
    }
}

/// Checks what can be checked without loading the library.
fn look(path: &Path) -> Result<(), Refusal> {
    library_file::check(path).map_err(Refusal::Damaged)?;
    if library_file::lies_where_nothing_is_executed(path) {
        return Err(Refusal::Here(library_file::NOT_EXECUTED.to_owned()));
    }
    Ok(())
}

/// Whether an answer depends on the file alone, so it can be cached.
fn is_lasting(answer: &Result<String, Refusal>) -> bool {
    match answer {
        // With little memory, the process may have ended for other reasons.
        Err(Refusal::Damaged(_)) => !has_little_memory(),
        Err(Refusal::Here(_)) => false,
        Ok(_) | Err(Refusal::Unfit(_)) => true,
    }
}

#[cfg(unix)]
fn has_little_memory() -> bool {
    use rustix::process::{Resource, getrlimit};
    [Resource::As, Resource::Data].into_iter().any(|resource| getrlimit(resource).current.is_some())
}

#[cfg(not(unix))]
fn has_little_memory() -> bool {
    false
}

/// Tries the library at a path in this process, and returns the result as a line for the parent. The process may end
/// here.
pub fn answer(path: &Path) -> String {
    without_core_dump();
    let answer = try_here(path).map(|probed| probed.version);
    format!("{ANSWER}{}", serde_json::to_string(&answer).unwrap_or_default())
}

/// Loads a library and runs a session on it.
fn try_here(path: &Path) -> Result<Probed, Refusal> {
    look(path)?;
    let probed = probe::probe(path)?;
    let version = probed.version.clone();
    let unfit = |reason: &str| Refusal::Unfit(format!("is onnxruntime {version}, but nothing runs on it: {reason}"));
    let runtime = Runtime::load_probed(probed.clone()).map_err(|error| unfit(&error.message()))?;
    runtime.try_device(Device::Cpu).map_err(|error| unfit(&error.message()))?;
    Ok(probed)
}

/// Disables core dumps, because a crashing library would leave a file of the size of its memory.
fn without_core_dump() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        // A failure only means that a file is left.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// Asks a child for its answer. Returns `None` if no child can be started.
fn ask(program: &Path, path: &Path) -> Option<Result<String, Refusal>> {
    let mut command = Command::new(program);
    command.args(["runtime", "try"]).arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = Process::start(&mut command).ok()?;
    let mut output = child.output()?;
    let (said, hears) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || {
            let mut text = Vec::new();
            // A limit that no answer reaches. The pipe ends with the child.
            let _ = output.by_ref().take(1 << 20).read_to_end(&mut text);
            let _ = said.send(String::from_utf8_lossy(&text).into_owned());
        })
        .ok()?;
    let deadline = Instant::now() + PATIENCE;
    let Ok(text) = hears.recv_timeout(PATIENCE) else {
        return Some(Err(Refusal::Here(format!("does not finish within {} seconds", PATIENCE.as_secs()))));
    };
    let answered = text.lines().rev().find_map(|line| serde_json::from_str(line.strip_prefix(ANSWER)?).ok());
    if answered.is_some() {
        // What its destructors do afterwards does not matter.
        return answered;
    }
    let status = loop {
        match child.ended().ok()? {
            Some(status) => break status,
            None if Instant::now() > deadline => return None,
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let reason = format!("ends the program that loads it ({status})");
    Some(Err(if crashed(status) { Refusal::Damaged(reason) } else { Refusal::Here(reason) }))
}

/// Whether a process ended by its own fault, such as an invalid memory access. Other signals may come from elsewhere.
fn crashed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        matches!(status.signal(), Some(libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP))
    }
    #[cfg(not(unix))]
    {
        // The exit codes with which Windows reports exceptions.
        status.code().is_some_and(|code| code as u32 >= 0xC000_0000)
    }
}

/// Returns the path of this process's program, to be started again.
pub fn own_program() -> Option<PathBuf> {
    env::current_exe().ok().or_else(|| {
        // Without /proc only the first argument names it; a bare name was looked up in PATH.
        let first = PathBuf::from(env::args_os().next()?);
        let beside = |folder: PathBuf| Some(folder.join(&first)).filter(|path| path.is_file());
        match first.components().count() {
            0 => None,
            1 if !first.is_absolute() => env::split_paths(&env::var_os("PATH")?).find_map(beside),
            _ => std::path::absolute(&first).ok(),
        }
    })
}

#[cfg(test)]
mod tests;
