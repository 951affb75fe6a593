//! Tests installing with a fake pip: a shell script that copies a small wheel.
#![cfg(unix)]

use std::{ffi::OsString, io::Write, sync::Mutex};

use super::*;

const VERSION: &str = "9.9.9";

/// The content of the small wheel's library.
const LIBRARY: &[u8] = b"a library";

fn library_name() -> String {
    if cfg!(target_vendor = "apple") {
        format!("libonnxruntime.{VERSION}.dylib")
    } else {
        format!("libonnxruntime.so.{VERSION}")
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    package: Package,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("a.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, contents) in [
            (format!("onnxruntime/capi/{}", library_name()), LIBRARY),
            ("onnxruntime/LICENSE".to_owned(), b"a licence"),
            ("onnxruntime/__init__.py".to_owned(), b"print()"),
        ] {
            archive.start_file(name, options).unwrap();
            archive.write_all(contents).unwrap();
        }
        archive.finish().unwrap();
        let wheel = Wheel {
            package: "onnxruntime",
            version: VERSION,
            platform: "any",
            sha256: recipe_render_core::sha256::of_file(&wheel).unwrap(),
            bytes: 1000,
        };
        let package = Package { version: VERSION, folder: format!("{VERSION}-cpu"), wheels: vec![wheel] };
        Fixture { folder, package }
    }

    /// Returns a pip that takes a while, counts its calls in the file `calls`, and copies the wheel into its last
    /// argument.
    fn pip(&self) -> PipCommand {
        let script = "case \"$*\" in *'config list'*) exit 1;; esac; sleep 0.3; echo call >> \"$0/calls\"; for last; do :; done; cp \"$0/a.whl\" \"$last\"";
        ["sh".into(), "-c".into(), script.into(), OsString::from(self.folder.path())].into()
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default().lines().count()
    }

    fn libraries(&self) -> PathBuf {
        self.folder.path().join("cache").join("onnxruntime")
    }

    fn installer(&self) -> Installer {
        let check = |path: &Path| match fs::read(path) {
            Ok(bytes) if bytes == LIBRARY => Ok(()),
            _ => Err("is cut short".to_owned()),
        };
        Installer { folder: self.libraries(), commands: vec![self.pip()], check, serves: Box::new(|_| Ok(())) }
    }

    /// Returns the names in the libraries folder, without the lock and the mark.
    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.libraries()).into_iter().flatten().flatten();
        let names = entries.map(|e| e.file_name().into_string().unwrap());
        names.filter(|name| ![".lock", "CACHEDIR.TAG"].contains(&name.as_str())).collect()
    }
}

#[test]
fn a_package_is_installed_once_with_its_licence() {
    let fixture = Fixture::new();
    let mut lines = Vec::new();
    let library = fixture.installer().install(&fixture.package, &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(fs::read(&library).unwrap(), LIBRARY);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("installing onnxruntime 9.9.9 (1.0 kB to download) into "), "{lines:?}");
    let folder = library.parent().unwrap();
    assert_eq!(fs::read(folder.join("licences/onnxruntime-LICENSE")).unwrap(), b"a licence");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
    assert_eq!(fixture.entries(), ["9.9.9-cpu"]);

    let again = fixture.installer().install(&fixture.package, &mut |line| panic!("{line}")).unwrap();
    assert_eq!(again, library);
    assert_eq!(fixture.calls(), 1);
}

#[test]
fn two_that_install_at_once_do_it_once() {
    let fixture = Fixture::new();
    let lines = Mutex::new(Vec::new());
    let install = || {
        fixture.installer().install(&fixture.package, &mut |line| lines.lock().unwrap().push(line.to_owned())).unwrap()
    };
    let libraries = std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(install)).collect();
        others.into_iter().map(|other| other.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(libraries.iter().all(|library| library == &libraries[0] && library.is_file()));
    assert_eq!(fixture.calls(), 1);
    let lines = lines.into_inner().unwrap();
    assert_eq!(lines.iter().filter(|line| line.starts_with("installing")).count(), 1, "{lines:?}");
    assert_eq!(fixture.entries(), ["9.9.9-cpu"]);
}

#[test]
fn a_wheel_with_another_hash_leaves_nothing_behind() {
    let mut fixture = Fixture::new();
    fixture.package.wheels[0].sha256 = "0".repeat(64);
    let error = fixture.installer().install(&fixture.package, &mut |_| {}).unwrap_err();
    assert!(error.message().contains("SHA-256"), "{error}");
    assert!(error.hint().is_some());
    assert!(fixture.entries().is_empty(), "{:?}", fixture.entries());
}

#[test]
fn a_failing_pip_is_reported_with_every_attempt_and_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let mut installer = fixture.installer();
    installer.commands =
        vec![vec!["no-such-pip".into()], vec!["sh".into(), "-c".into(), "echo 'ERROR: no network' >&2; exit 1".into()]];
    let error = installer.install(&fixture.package, &mut |_| {}).unwrap_err();
    assert!(error.message().contains("no-such-pip: not found"), "{error}");
    assert!(error.message().contains("no network"), "{error}");
    assert!(error.hint().unwrap().contains("pip download --no-deps"), "{error}");
    assert!(fixture.entries().is_empty(), "{:?}", fixture.entries());
}

#[test]
fn a_broken_installation_and_leftovers_are_replaced() {
    let fixture = Fixture::new();
    let target = fixture.libraries().join(&fixture.package.folder);
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join(library_name()), "a lib").unwrap();
    fs::create_dir_all(fixture.libraries().join(".installing-old/deep")).unwrap();
    ours::mark(&fixture.libraries().join(".installing-old")).unwrap();
    let library = fixture.installer().install(&fixture.package, &mut |_| {}).unwrap();
    assert_eq!(fs::read(library).unwrap(), LIBRARY);
    assert_eq!(fixture.entries(), ["9.9.9-cpu"]);
}

/// Folders with our names but without our mark are the user's, and so are other files among ours.
#[test]
fn what_is_not_ours_is_kept() {
    let fixture = Fixture::new();
    let target = fixture.libraries().join(&fixture.package.folder);
    let theirs = fixture.libraries().join(".installing-photos");
    fs::create_dir_all(&theirs).unwrap();
    fs::write(theirs.join("a"), "x").unwrap();
    fs::create_dir_all(target.join("photos")).unwrap();
    fs::write(target.join("photos/a"), "x").unwrap();
    fs::write(target.join(library_name()), "a lib").unwrap();
    let away = fixture.folder.path().join("away");
    fs::create_dir(&away).unwrap();
    ours::mark(&away).unwrap();
    std::os::unix::fs::symlink(&away, fixture.libraries().join(".installing-linked")).unwrap();
    let mut lines = Vec::new();
    let library = fixture.installer().install(&fixture.package, &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(fs::read(library).unwrap(), LIBRARY);
    assert_eq!(fs::read(theirs.join("a")).unwrap(), b"x");
    assert!(away.is_dir());
    let kept = fixture.libraries().join("9.9.9-cpu.kept-1");
    assert_eq!(fs::read(kept.join("photos/a")).unwrap(), b"x");
    assert!(lines.iter().any(|line| line.ends_with(&format!("are kept in {}", kept.display()))), "{lines:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_a_hint() {
    let fixture = Fixture::new();
    // A file where the folder should be.
    fs::write(fixture.folder.path().join("cache"), "").unwrap();
    let error = fixture.installer().install(&fixture.package, &mut |_| {}).unwrap_err();
    assert!(error.hint().unwrap().contains(CACHE_VARIABLE), "{error}");
}
