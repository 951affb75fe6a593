//! Downloads wheels with pip, which knows the user's mirrors, proxies and certificates.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{packages::Wheel, pip_settings};
use crate::underway::{Process, Temporary};

/// A way to start pip: the program and its first arguments.
pub(super) type PipCommand = Vec<OsString>;

/// Returns the ways to start pip, in the order to try.
pub(super) fn usual_commands() -> Vec<PipCommand> {
    let commands: &[&[&str]] = if cfg!(windows) {
        &[&["python", "-m", "pip"], &["py", "-3", "-m", "pip"], &["python3", "-m", "pip"], &["pip"]]
    } else {
        &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"]]
    };
    commands.iter().map(|command| command.iter().map(OsString::from).collect()).collect()
}

/// The result of each way to start pip: `python3 -m pip: No module named pip`.
pub(super) type Attempts = Vec<String>;

/// Returns the arguments that name the wheel in full.
pub(super) fn download_arguments(wheel: &Wheel) -> Vec<String> {
    [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        "3.12",
        "--implementation",
        "cp",
        "--abi",
        "cp312",
        "--platform",
        wheel.platform,
        &format!("{}=={}", wheel.package, wheel.version),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Downloads the wheel into `folder`, which is empty, and returns its path. The error lists the attempts.
pub(super) fn download(
    commands: &[PipCommand],
    wheel: &Wheel,
    folder: &Path,
    deadline: Instant,
) -> Result<PathBuf, Attempts> {
    let mut attempts = Vec::new();
    for command in commands {
        let title = command.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ");
        match attempt(command, wheel, folder, deadline) {
            Ok(path) => return Ok(path),
            Err(Failure::NoPip(reason)) => attempts.push(format!("{title}: {reason}")),
            Err(Failure::Pip(reason)) => {
                // Another way to start pip would fail for the same reason.
                attempts.push(format!("{title}: {reason}"));
                break;
            }
        }
    }
    Err(attempts)
}

enum Failure {
    /// This command does not start a pip.
    NoPip(String),
    /// pip itself failed.
    Pip(String),
}

fn attempt(command: &PipCommand, wheel: &Wheel, folder: &Path, deadline: Instant) -> Result<PathBuf, Failure> {
    let broken = |error: io::Error| Failure::Pip(error.to_string());
    let [program, first @ ..] = command.as_slice() else { return Err(Failure::NoPip("no command".to_owned())) };
    // A file, because a pipe that nobody reads would block pip. Not in the folder, whose disk may be full.
    let messages = Temporary::new(tempfile::NamedTempFile::new).map_err(broken)?;
    let temporary = tempfile::tempdir_in(folder).map_err(broken)?;
    let download = tempfile::tempdir_in(folder).map_err(broken)?;
    let mut pip = Command::new(program);
    pip_settings::keep_the_way(command, &mut pip, deadline);
    pip.args(first)
        .args(download_arguments(wheel))
        .args(["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--progress-bar", "off"])
        .args(["--timeout", "30", "--retries", "2", "--dest"])
        .arg(download.path())
        // Not in /tmp, which may be too small for large files.
        .envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, temporary.path())))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(messages.reopen().map_err(broken)?);
    let child = Process::start(&mut pip).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::NoPip("not found".to_owned()),
        _ => Failure::NoPip(error.to_string()),
    })?;
    let status = wait(child, deadline).map_err(broken)?;
    let messages = read_messages(messages.path());
    match status {
        None => Err(Failure::Pip("took too long and was stopped".to_owned())),
        Some(status) if status.success() => {
            let downloaded = fs::read_dir(download.path())
                .map_err(broken)?
                .flatten()
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
                .ok_or_else(|| Failure::Pip("ended well, but left no wheel".to_owned()))?;
            let kept = folder.join(downloaded.file_name().unwrap_or_default());
            fs::rename(&downloaded, &kept).map_err(broken)?;
            Ok(kept)
        }
        Some(status) => {
            let reason = summary(&messages, status);
            let no_pip = messages.contains("No module named") || messages.contains("command not found");
            Err(if no_pip { Failure::NoPip(reason) } else { Failure::Pip(reason) })
        }
    }
}

/// Waits for a process until the deadline. Returns `None` if it was still running, and kills it.
pub(super) fn wait(child: Process, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.ended()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads what a process has written into a file.
pub(super) fn read_messages(path: &Path) -> String {
    use io::Read;
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // A limit that pip's messages never reach.
        let _ = file.take(1 << 20).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the part of pip's messages with the reason: its error lines, else its last line; then its last warning,
/// which is where network failures are reported.
fn summary(messages: &str, status: ExitStatus) -> String {
    let lines: Vec<&str> = messages.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let errors = lines.iter().filter_map(|line| line.strip_prefix("ERROR:")).map(str::trim);
    // `ERROR: Exception:` begins a traceback, whose last line says more.
    let errors: Vec<&str> = errors.filter(|error| *error != "Exception:").collect();
    let warning = lines.iter().rev().find_map(|line| line.strip_prefix("WARNING:")).map(str::trim);
    let text = match (errors.is_empty(), warning) {
        (true, _) => lines.last().copied().unwrap_or_default().to_owned(),
        (false, None) => errors.join("; "),
        (false, Some(warning)) => format!("{}; {warning}", errors.join("; ")),
    };
    if text.is_empty() { format!("failed ({status})") } else { text.chars().take(800).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_reason_is_taken_from_what_pip_says() {
        use std::os::unix::process::ExitStatusExt;
        let of = |messages| summary(messages, ExitStatus::from_raw(256));
        assert_eq!(
            of("ERROR: Exception:\nTraceback\nOSError: No space left on device\n"),
            "OSError: No space left on device"
        );
        assert_eq!(of("WARNING: Retrying\nERROR: none found\nERROR: no match\n"), "none found; no match; Retrying");
        assert_eq!(of("\n"), "failed (exit status: 1)");
    }

    #[test]
    #[cfg(unix)]
    fn a_pip_that_hangs_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = Wheel { package: "a", version: "1", platform: "any", sha256: String::new(), bytes: 0 };
        let hangs = vec![vec!["sh".into(), "-c".into(), "exec sleep 60".into()]];
        let start = Instant::now();
        let attempts = download(&hangs, &wheel, folder.path(), start + Duration::from_millis(100)).unwrap_err();
        assert!(attempts[0].contains("took too long"), "{attempts:?}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    #[cfg(unix)]
    fn the_next_way_is_tried_only_where_pip_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = Wheel { package: "a", version: "1", platform: "any", sha256: String::new(), bytes: 0 };
        let shell = |script: &str| vec!["sh".into(), "-c".into(), script.into()];
        let commands = vec![
            vec!["no-such-program-anywhere".into()],
            shell("echo 'python3: No module named pip' >&2; exit 1"),
            shell("echo 'WARNING: Retrying' >&2; echo 'ERROR: No matching distribution' >&2; exit 1"),
            shell("exit 0"),
        ];
        let attempts =
            download(&commands, &wheel, folder.path(), Instant::now() + Duration::from_secs(60)).unwrap_err();
        assert_eq!(attempts.len(), 3, "{attempts:?}");
        assert!(attempts[0].ends_with("not found"));
        assert!(attempts[1].ends_with("No module named pip"));
        assert!(attempts[2].ends_with(": No matching distribution; Retrying"), "{attempts:?}");
    }
}
