//! Installs a pinned onnxruntime into our cache.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use recipe_render_core::sha256;

use crate::{ours, underway::Temporary, units};

use super::{
    Options, RuntimeError,
    cache::{CACHE_VARIABLE, libraries_folder},
    library_file, locate,
    packages::{self, Package, Platform, Wheel},
    pip::{self, PipCommand},
    trial::{Refusal, Trial},
    unpack::unpack,
};

/// The time that all downloads of a package may take, plus one second for each 200 kB.
const PATIENCE: Duration = Duration::from_secs(300);

/// The prefix of the names of an installation's work folders.
const WORK_PREFIX: &str = ".installing-";

/// Installs packages into a folder. The parts that tests replace are fields.
pub(super) struct Installer {
    /// Holds one folder for each package.
    pub folder: PathBuf,
    pub commands: Vec<PipCommand>,
    /// Checks that a library is complete; the error says why not.
    pub check: fn(&Path) -> Result<(), String>,
    /// Checks that a complete library is usable; the error says why not.
    pub serves: Serves,
}

type Serves = Box<dyn Fn(&Path) -> Result<(), Refusal>>;

/// Installs onnxruntime for this platform into our cache, unless it is there, and returns the library's path. Calls
/// `progress` with a line for each step.
pub fn install(options: &Options, cuda: bool, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, RuntimeError> {
    let package = package(cuda)?;
    let trial = Trial::of_process(options.trial.as_deref());
    Installer {
        folder: libraries_folder()?,
        commands: pip::usual_commands(),
        check: library_file::check,
        serves: Box::new(move |path| trial.of(path).map(|_| ())),
    }
    .install(&package, progress)
}

/// Returns the hint for a cache from which no library can be loaded.
pub(super) fn elsewhere() -> String {
    format!("set {CACHE_VARIABLE} to a folder on another file system, or name a library there with --onnxruntime PATH")
}

/// Returns the package for this platform.
fn package(cuda: bool) -> Result<Package, RuntimeError> {
    let own = "install onnxruntime in another way and name its library with --onnxruntime PATH or ORT_DYLIB_PATH";
    let platform = packages::this_platform().ok_or_else(|| {
        let known: Vec<_> = packages::PLATFORMS.iter().map(|p| p.title).collect();
        let message = format!(
            "no onnxruntime can be installed for {} {}, only for {}",
            std::env::consts::OS,
            std::env::consts::ARCH,
            known.join(", ")
        );
        RuntimeError::install(message, own)
    })?;
    if !cuda {
        return Ok(packages::cpu(platform));
    }
    packages::cuda(platform).ok_or_else(|| no_cuda(platform, own))
}

fn no_cuda(platform: &Platform, hint: &str) -> RuntimeError {
    let message = format!("onnxruntime for CUDA is installed on Linux x86_64 only, not on {}", platform.title);
    RuntimeError::install(message, hint)
}

impl Installer {
    /// Installs the package unless it is there, and returns its library's path. If two processes install at the same
    /// time, the second waits for the first and uses its result.
    pub(super) fn install(&self, package: &Package, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, RuntimeError> {
        if let Some(library) = self.installed(package)? {
            return Ok(library);
        }
        ours::make_cache(&self.folder).map_err(|error| self.cannot_write(&error))?;
        if library_file::lies_where_nothing_is_executed(&self.folder) {
            let message =
                format!("onnxruntime cannot be used from {}: it {}", self.folder.display(), library_file::NOT_EXECUTED);
            return Err(RuntimeError::install(message, elsewhere()));
        }
        let _lock = self.lock(progress)?;
        if let Some(library) = self.installed(package)? {
            return Ok(library);
        }
        self.remove_leftovers();
        let target = self.folder.join(&package.folder);
        progress(&format!(
            "installing {} ({} to download) into {}",
            package.title(),
            units::bytes(package.bytes()),
            target.display()
        ));
        let work = Temporary::new(|| tempfile::Builder::new().prefix(WORK_PREFIX).tempdir_in(&self.folder))
            .map_err(|error| self.cannot_write(&error))?;
        // If we are killed, the mark shows that the folder is ours.
        ours::mark(work.path()).map_err(|error| self.cannot_write(&error))?;
        let unpacked = work.path().join("unpacked");
        fs::create_dir(&unpacked).map_err(|error| self.cannot_write(&error))?;
        let deadline = Instant::now() + PATIENCE + Duration::from_secs(package.bytes() / 200_000);
        for wheel in &package.wheels {
            if package.wheels.len() > 1 {
                progress(&format!("  {} {} ({})", wheel.package, wheel.version, units::bytes(wheel.bytes)));
            }
            self.fetch(wheel, work.path(), &unpacked, deadline)?;
        }
        let library = locate::libraries_in(&unpacked)
            .into_iter()
            .next()
            .ok_or_else(|| self.unexpected(package, "it has no onnxruntime library"))?;
        (self.check)(&library).map_err(|reason| self.unexpected(package, &format!("its library {reason}")))?;
        let kept = self.put_in_place(&unpacked, &target, work.path()).map_err(|error| self.cannot_write(&error))?;
        if let Some(kept) = kept {
            progress(&format!("files in {} that are not ours are kept in {}", target.display(), kept.display()));
        }
        let library = target.join(library.file_name().unwrap_or_default());
        (self.serves)(&library).map_err(|refusal| self.unusable(package, &library, &refusal))?;
        Ok(library)
    }

    /// Returns the package's library if it is installed and complete. A complete library that is not usable is an
    /// error, because another copy would be the same.
    fn installed(&self, package: &Package) -> Result<Option<PathBuf>, RuntimeError> {
        let libraries = locate::libraries_in(&self.folder.join(&package.folder));
        for library in libraries.into_iter().filter(|library| (self.check)(library).is_ok()) {
            match (self.serves)(&library) {
                Ok(()) => return Ok(Some(library)),
                Err(Refusal::Damaged(_)) => {}
                Err(refusal) => return Err(self.unusable(package, &library, &refusal)),
            }
        }
        Ok(None)
    }

    fn unusable(&self, package: &Package, library: &Path, refusal: &Refusal) -> RuntimeError {
        let reason = refusal.reason();
        let message = format!("{} is installed, but {} {reason}", package.title(), library.display());
        let hint = if reason == library_file::NOT_EXECUTED {
            elsewhere()
        } else {
            let folder = self.folder.join(&package.folder);
            format!(
                "name another onnxruntime with --onnxruntime PATH; if the file is damaged, remove {} and it is \
                 installed again",
                folder.display()
            )
        };
        RuntimeError::install(message, hint)
    }

    /// Takes the lock that only one process at a time can hold. It is released when the file is closed.
    fn lock(&self, progress: &mut dyn FnMut(&str)) -> Result<Option<File>, RuntimeError> {
        let path = self.folder.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| self.cannot_write(&error))?;
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            // Some network file systems have no locks. Then the work may be done twice, which is harmless, because the
            // folder is put in place by a rename.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(self.cannot_write(&error)),
        }
        progress("waiting for another recipe-render that is installing onnxruntime");
        // The other process's downloads have a time limit, and its lock ends with it.
        file.lock().map_err(|error| self.cannot_write(&error))?;
        Ok(Some(file))
    }

    /// Removes the leftovers of killed installations. Must be called with the lock held.
    fn remove_leftovers(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let named = entry.file_name().to_string_lossy().starts_with(WORK_PREFIX);
            if named && ours::is_folder(&path) && ours::is_cache(&path) {
                // A folder that cannot be removed only takes space.
                let _ = fs::remove_dir_all(path);
            }
        }
    }

    /// Downloads one wheel, checks it and unpacks it.
    fn fetch(&self, wheel: &Wheel, work: &Path, into: &Path, deadline: Instant) -> Result<(), RuntimeError> {
        let folder = work.join(wheel.package);
        fs::create_dir(&folder).map_err(|error| self.cannot_write(&error))?;
        let path = pip::download(&self.commands, wheel, &folder, deadline).map_err(|attempts| {
            let message = format!(
                "{} {} could not be downloaded with pip\n{}",
                wheel.package,
                wheel.version,
                attempts.iter().map(|attempt| format!("  {attempt}")).collect::<Vec<_>>().join("\n")
            );
            let hint = if message.contains("No space left") {
                self.make_room()
            } else {
                format!(
                    "on a machine with pip and a network, run `python3 -m pip {} --dest FOLDER`, unzip the wheel and \
                     name the library in it with --onnxruntime PATH",
                    pip::download_arguments(wheel).join(" ")
                )
            };
            RuntimeError::install(message, hint)
        })?;
        let found = sha256::of_file(&path).map_err(|error| self.cannot_write(&error))?;
        if found != wheel.sha256 {
            return Err(RuntimeError::install(
                format!(
                    "the downloaded {} {} is not the expected file: its SHA-256 is {found}, not {}",
                    wheel.package, wheel.version, wheel.sha256
                ),
                "try again; if this persists, check which index pip uses: `python3 -m pip config list`",
            ));
        }
        unpack(&path, into, wheel.package).map_err(|error| self.cannot_write(&error))?;
        // Frees the space for the next wheel.
        fs::remove_dir_all(&folder).map_err(|error| self.cannot_write(&error))
    }

    /// Moves the finished folder into place with a rename. An existing folder with files that are not ours is kept, and
    /// its new path is returned.
    fn put_in_place(&self, unpacked: &Path, target: &Path, work: &Path) -> io::Result<Option<PathBuf>> {
        sync_folder(unpacked)?;
        let mut kept = None;
        if !ours::is_free(target) {
            // The existing folder was checked and found broken. If it is all ours, it is removed with the work folder.
            let old = if holds_only_ours(target, unpacked) { work.join("broken") } else { self.aside(target) };
            fs::rename(target, &old)?;
            kept = (!old.starts_with(work)).then_some(old);
        }
        fs::rename(unpacked, target)?;
        sync_folder(&self.folder)?;
        Ok(kept)
    }

    /// Returns a free path beside a package's folder.
    fn aside(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let free =
            (1..).map(|number| self.folder.join(format!("{name}.kept-{number}"))).find(|path| ours::is_free(path));
        free.unwrap_or_else(|| self.folder.join(format!("{name}.kept")))
    }

    fn cannot_write(&self, error: &io::Error) -> RuntimeError {
        RuntimeError::install(
            format!("onnxruntime cannot be installed in {}: {error}", self.folder.display()),
            self.make_room(),
        )
    }

    fn make_room(&self) -> String {
        format!("make room in {}, or set {CACHE_VARIABLE} to another folder", self.folder.display())
    }

    fn unexpected(&self, package: &Package, reason: &str) -> RuntimeError {
        RuntimeError::Install { message: format!("{} was downloaded, but {reason}", package.title()), hint: None }
    }
}

/// Whether a folder contains only files that the package also has: no other names, and no links.
fn holds_only_ours(folder: &Path, package: &Path) -> bool {
    ours::is_folder(folder)
        && fs::read_dir(folder).is_ok_and(|entries| {
            entries.flatten().all(|entry| {
                let (own, other) = (entry.path(), package.join(entry.file_name()));
                ours::is_file(&own) && ours::is_file(&other) || ours::is_folder(&other) && holds_only_ours(&own, &other)
            })
        })
}

/// Syncs a folder, so its entries survive a power failure.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such call for folders.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
