//! Searches for onnxruntime in a fixed order, and records every place it looks at.

use std::{
    env,
    ffi::OsStr,
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    RuntimeError,
    cache::libraries_folder,
    packages,
    probe::{self, Probed},
    python, system,
    trial::Trial,
};

/// The environment variable that names the library.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The sources of libraries, in the order of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `--onnxruntime PATH`.
    Option,
    /// `ORT_DYLIB_PATH`.
    Variable,
    /// Beside the executable.
    Executable,
    /// Our cache.
    Cache,
    /// The active Python environment.
    Python,
    /// The folders that the system's loader searches.
    System,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Option => "--onnxruntime",
            Source::Variable => LIBRARY_VARIABLE,
            Source::Executable => "beside the executable",
            Source::Cache => "cache",
            Source::Python => "Python environment",
            Source::System => "system",
        })
    }
}

/// A place that was searched, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub source: Source,
    /// A library, or a folder without one. Empty if there was nothing to look at.
    pub path: PathBuf,
    pub outcome: Outcome,
}

/// What was found at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A usable library, of this version.
    Serves { version: String },
    /// No library; the reason in words.
    Absent(String),
    /// An unusable library; the reason, to be printed after the path.
    Unusable(String),
}

impl fmt::Display for Candidate {
    /// `cache: /home/me/.cache/...: is empty`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        if !self.path.as_os_str().is_empty() {
            write!(f, "{}: ", self.path.display())?;
        }
        match &self.outcome {
            Outcome::Serves { version } => write!(f, "onnxruntime {version}"),
            Outcome::Absent(reason) | Outcome::Unusable(reason) => f.write_str(reason),
        }
    }
}

/// The kind of library that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Any; in our cache, the one for the CPU first.
    Cpu,
    /// Any; in our cache, the one for CUDA first.
    CudaIfAny,
    /// Only one with a CUDA provider.
    Cuda,
}

/// The input of a search. Everything that comes from the process's environment is here, so tests can set it.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    pub option: Option<PathBuf>,
    pub variable: Option<PathBuf>,
    pub executable_folder: Option<PathBuf>,
    pub libraries_folder: Option<PathBuf>,
    pub python_folders: Vec<PathBuf>,
    pub system_folders: Vec<PathBuf>,
    /// The way to try libraries.
    pub trial: Trial,
}

impl Surroundings {
    /// Returns the surroundings of this process.
    pub(super) fn of_process(option: Option<&Path>, trial: Trial) -> Self {
        let variable = env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let explicit = option.is_some() || variable.is_some();
        Surroundings {
            option: option.map(Path::to_owned),
            variable,
            executable_folder: env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned)),
            libraries_folder: libraries_folder().ok(),
            // Not searched with an explicit library, which makes them irrelevant.
            python_folders: if explicit { Vec::new() } else { python::library_folders() },
            system_folders: if explicit { Vec::new() } else { system::library_folders() },
            trial,
        }
    }
}

/// The result of a search: the usable library, if any, and every place looked at on the way.
#[derive(Debug)]
pub(super) struct Search {
    pub found: Option<(Source, Probed)>,
    pub places: Vec<Candidate>,
}

/// Searches for a usable library and stops at the first. An unusable library that was named explicitly is an error.
pub(super) fn search(surroundings: &Surroundings, want: Want) -> Result<Search, RuntimeError> {
    let mut search = Search { found: None, places: Vec::new() };
    for (source, path) in [(Source::Option, &surroundings.option), (Source::Variable, &surroundings.variable)] {
        let Some(path) = path else { continue };
        search.look(&surroundings.trial, source, path, want);
        if search.found.is_some() {
            return Ok(search);
        }
        return Err(explicit_error(source, &search.places));
    }
    let cached = surroundings.libraries_folder.iter().flat_map(|folder| cached_folders(folder, want));
    let folders = (surroundings.executable_folder.iter().cloned().map(|f| (Source::Executable, f)))
        .chain(cached.map(|f| (Source::Cache, f)))
        .chain(surroundings.python_folders.iter().cloned().map(|f| (Source::Python, f)))
        .chain(surroundings.system_folders.iter().cloned().map(|f| (Source::System, f)));
    for (source, folder) in folders {
        search.look(&surroundings.trial, source, &folder, want);
        if search.found.is_some() {
            return Ok(search);
        }
    }
    for (source, reason) in [
        (Source::Python, "no Python environment with onnxruntime is active"),
        (Source::System, "no onnxruntime is installed"),
    ] {
        if !search.places.iter().any(|place| place.source == source) {
            let outcome = Outcome::Absent(reason.to_owned());
            search.places.push(Candidate { source, path: PathBuf::new(), outcome });
        }
    }
    Ok(search)
}

impl Search {
    /// Looks at one library, or at the libraries in one folder.
    fn look(&mut self, trial: &Trial, source: Source, path: &Path, want: Want) {
        let candidates = if path.is_dir() { libraries_in(path) } else { vec![path.to_owned()] };
        if candidates.is_empty() {
            let outcome = Outcome::Absent("has no onnxruntime library".to_owned());
            self.places.push(Candidate { source, path: path.to_owned(), outcome });
        }
        for path in candidates {
            let outcome = match trial.of(&path) {
                _ if !path.exists() => Outcome::Absent("does not exist".to_owned()),
                Ok(_) if want == Want::Cuda && !probe::has_cuda(&path) => {
                    Outcome::Unusable("is onnxruntime without its CUDA provider".to_owned())
                }
                Ok(probed) => {
                    let version = probed.version.clone();
                    self.found = Some((source, probed));
                    Outcome::Serves { version }
                }
                Err(refusal) => Outcome::Unusable(refusal.reason().to_owned()),
            };
            self.places.push(Candidate { source, path, outcome });
            if self.found.is_some() {
                return;
            }
        }
    }
}

fn explicit_error(source: Source, places: &[Candidate]) -> RuntimeError {
    let reasons: Vec<String> = places
        .iter()
        .map(|place| match &place.outcome {
            Outcome::Serves { version } => format!("{} is onnxruntime {version}", place.path.display()),
            Outcome::Absent(reason) | Outcome::Unusable(reason) => format!("{} {reason}", place.path.display()),
        })
        .collect();
    let hint = match source {
        Source::Variable => format!(
            "{LIBRARY_VARIABLE} names the library to load; unset it and recipe-render finds or installs one itself"
        ),
        _ => "give the path of onnxruntime's shared library, or leave the option out and recipe-render finds or \
              installs one itself"
            .to_owned(),
    };
    RuntimeError::library(format!("{source}: {}", reasons.join("; ")), hint)
}

/// Returns the folders in our cache to look at, in order. Only the versions that this program was made for are used,
/// because other versions would give other pictures.
fn cached_folders(libraries: &Path, want: Want) -> Vec<PathBuf> {
    let Some(platform) = packages::this_platform() else { return Vec::new() };
    let cpu = Some(packages::cpu(platform));
    let cuda = packages::cuda(platform);
    let packages = if want == Want::Cpu { [cpu, cuda] } else { [cuda, cpu] };
    let mut folders: Vec<PathBuf> =
        packages.into_iter().flatten().map(|package| libraries.join(package.folder)).filter(|f| f.is_dir()).collect();
    if folders.is_empty() {
        folders.push(libraries.to_owned());
    }
    folders
}

/// Returns the libraries in a folder that are named like onnxruntime's, the newest version first.
pub(super) fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((version_in_name(&entry.file_name())?, entry.path())))
        .filter(|(_, path)| path.is_file())
        .collect();
    // If two names lead to the same file (one links to the other), one is enough.
    found.sort_by(|a, b| b.cmp(a));
    let mut seen = Vec::new();
    found.retain(|(_, path)| {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    found.into_iter().map(|(_, path)| path).collect()
}

/// Returns the version in a file's name if that is a name of onnxruntime's library (`libonnxruntime.so.1.32.0`,
/// `libonnxruntime.1.32.0.dylib`, `onnxruntime.dll`). The version is empty if the name has none.
pub(super) fn version_in_name(name: &OsStr) -> Option<Vec<u32>> {
    let name = name.to_str()?;
    let version = if cfg!(windows) {
        (name.eq_ignore_ascii_case("onnxruntime.dll")).then_some("")
    } else if cfg!(target_vendor = "apple") {
        name.strip_prefix("libonnxruntime")?.strip_suffix("dylib")
    } else {
        name.strip_prefix("libonnxruntime.so")
    }?;
    version.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
