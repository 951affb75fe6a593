//! Tries libraries in a process of their own, each once.
//!
//! A library that is damaged inside can end the process that loads it; one that is loaded stays, and `ort` takes one a
//! process; and whether sessions run on it is known only when one has run. So a child does all that and tells what came of
//! it. The answer is kept until the file changes: a start costs no second process.

use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Device, Runtime,
    answers::Answers,
    library_file,
    probe::{self, Probed},
    underway::Process,
};

/// The time that a library may take to load and to run a session.
const PATIENCE: Duration = Duration::from_secs(60);

/// What begins the line that a child answers in: libraries may print lines of their own.
const ANSWER: &str = "recipe-render-library ";

/// Why a library does not serve, in words to stand after its path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refusal {
    /// It is not whole: another copy may serve.
    Damaged(String),
    /// It is what it is, and does not serve us.
    Unfit(String),
    /// It cannot be used now; what is about the file may be as it should be.
    Here(String),
}

impl Refusal {
    pub(super) fn reason(&self) -> &str {
        match self {
            Refusal::Damaged(reason) | Refusal::Unfit(reason) | Refusal::Here(reason) => reason,
        }
    }
}

/// How libraries are tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    /// Started as `PROGRAM runtime try PATH`, it answers with [`answer`]. Without one libraries are loaded in this process and
    /// no session is run on them.
    pub program: Option<PathBuf>,
    /// Where answers are kept, if they are.
    pub answers: Option<Answers>,
}

impl Trial {
    /// As this process does it.
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
            // There can be no child: better tried here than not at all.
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

/// What can be told without loading it.
fn look(path: &Path) -> Result<(), Refusal> {
    library_file::check(path).map_err(Refusal::Damaged)?;
    if library_file::lies_where_nothing_is_executed(path) {
        return Err(Refusal::Here(library_file::NOT_EXECUTED.to_owned()));
    }
    Ok(())
}

/// Whether an answer is about the file alone.
fn is_lasting(answer: &Result<String, Refusal>) -> bool {
    match answer {
        // Where memory is short, other things end the process.
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

/// Tries the library at a path in this process and says what came of it, in a line for the parent. The process may end here.
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

/// A library that crashes shall leave no file of the size of its memory.
fn without_core_dump() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        // Where it cannot be set there is a file, no more.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// A child's answer; none where there can be no child.
fn ask(program: &Path, path: &Path) -> Option<Result<String, Refusal>> {
    let mut command = Command::new(program);
    command.args(["runtime", "try"]).arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = Process::start(&mut command).ok()?;
    let mut output = child.output()?;
    let (said, hears) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || {
            let mut text = Vec::new();
            // More than any answer; the pipe ends with the child.
            let _ = output.by_ref().take(1 << 20).read_to_end(&mut text);
            let _ = said.send(String::from_utf8_lossy(&text).into_owned());
        })
        .ok()?;
    let deadline = Instant::now() + PATIENCE;
    let Ok(text) = hears.recv_timeout(PATIENCE) else {
        return Some(Err(Refusal::Here(format!("does not come to an end within {} seconds", PATIENCE.as_secs()))));
    };
    let answered = text.lines().rev().find_map(|line| serde_json::from_str(line.strip_prefix(ANSWER)?).ok());
    if answered.is_some() {
        // What its destructors do is no matter.
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

/// Whether a process has ended itself by what it did to its memory; others may be ended by somebody else.
fn crashed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        matches!(status.signal(), Some(libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP))
    }
    #[cfg(not(unix))]
    {
        // As Windows tells of exceptions.
        status.code().is_some_and(|code| code as u32 >= 0xC000_0000)
    }
}

/// This process's program, to be started again.
pub fn own_program() -> Option<PathBuf> {
    env::current_exe().ok().or_else(|| {
        // Without /proc only the first argument tells; a bare name was looked up in PATH.
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
