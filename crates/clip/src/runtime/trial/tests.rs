//! Tests trials with shell scripts as programs.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Fixture { folder: tempfile::tempdir().unwrap() }
    }

    /// Returns a trial with a program that runs this script and counts its calls.
    fn trial(&self, script: &str) -> Trial {
        let program = self.folder.path().join("program");
        let text = format!("#!/bin/sh\necho \"$1 $2\" >> {}/calls\n{script}\n", self.folder.path().display());
        // Renamed into place, because a program must not be written while it runs.
        let new = self.folder.path().join("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, &program).unwrap();
        Trial { program: Some(program), answers: Some(Answers { folder: self.folder.path().join("tried") }) }
    }

    fn calls(&self) -> usize {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        assert!(calls.lines().all(|line| line == "runtime try"), "{calls}");
        calls.lines().count()
    }

    /// Returns a library with valid headers.
    fn library(&self) -> PathBuf {
        let path = self.folder.path().join("libonnxruntime.so");
        fs::copy(Runtime::for_tests().path(), &path).unwrap();
        path
    }
}

#[test]
fn a_library_is_tried_once_until_it_changes() {
    let fixture = Fixture::new();
    let library = fixture.library();
    let trial = fixture.trial("echo noise; echo 'recipe-render-library {\"Ok\":\"1.2.3\"}'; echo noise");
    for _ in 0..3 {
        assert_eq!(trial.of(&library), Ok(Probed { path: library.clone(), version: "1.2.3".to_owned() }));
    }
    assert_eq!(fixture.calls(), 1);
    fs::File::options().write(true).open(&library).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    trial.of(&library).unwrap();
    assert_eq!(fixture.calls(), 2);
}

#[test]
fn an_answer_about_the_file_is_kept_and_one_about_the_moment_is_not() {
    for (script, expected, calls) in [
        ("echo 'recipe-render-library {\"Err\":{\"unfit\":\"is old\"}}'", "is old", 1),
        ("kill -SEGV $$", "ends the program that loads it", if has_little_memory() { 3 } else { 1 }),
        ("kill -BUS $$", "ends the program that loads it", if has_little_memory() { 3 } else { 1 }),
        ("kill -TRAP $$", "ends the program that loads it", if has_little_memory() { 3 } else { 1 }),
        // SIGKILL is what the kernel sends when memory is short, SIGABRT what a program raises that then fails to
        // allocate.
        ("kill -KILL $$", "ends the program that loads it", 3),
        ("kill -ABRT $$", "ends the program that loads it", 3),
        ("exit 0", "ends the program that loads it", 3),
        ("echo 'recipe-render-library {\"Err\":'", "ends the program that loads it", 3),
        ("echo 'recipe-render-library {\"Err\":{\"here\":\"cannot be loaded\"}}'", "cannot be loaded", 3),
    ] {
        let fixture = Fixture::new();
        let library = fixture.library();
        let trial = fixture.trial(script);
        for _ in 0..3 {
            let refusal = trial.of(&library).unwrap_err();
            assert!(refusal.reason().contains(expected), "{script}: {refusal:?}");
        }
        assert_eq!(fixture.calls(), calls, "{script}");
    }
}

#[test]
fn what_its_headers_tell_needs_no_trial() {
    let fixture = Fixture::new();
    let trial = fixture.trial("exit 0");
    let text = fixture.folder.path().join("text.so");
    fs::write(&text, "text").unwrap();
    assert_eq!(trial.of(&text), Err(Refusal::Damaged("is not a shared library".to_owned())));
    assert_eq!(fixture.calls(), 0);
}

#[test]
fn without_a_program_or_a_place_for_answers_libraries_are_tried_all_the_same() {
    let fixture = Fixture::new();
    let library = Runtime::for_tests().path();
    let version = Runtime::for_tests().version();
    assert_eq!(Trial::default().of(library).unwrap().version, version);
    let missing = Trial { program: Some(fixture.folder.path().join("missing")), answers: None };
    assert_eq!(missing.of(library).unwrap().version, version);
    let scripted = fixture.trial("echo 'recipe-render-library {\"Ok\":\"1.2.3\"}'");
    fs::write(fixture.folder.path().join("tried"), "a file where the folder should be").unwrap();
    assert_eq!(scripted.of(library).unwrap().version, "1.2.3");
}
