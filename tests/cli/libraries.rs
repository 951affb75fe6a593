//! Which onnxruntime is taken: libraries that cannot serve are passed over with a word.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;

use crate::bench::{Bench, Ran};

/// The library that other tests use.
fn real() -> PathBuf {
    let ran = Bench::new().done(&["runtime"]);
    let line = ran.out.lines().find_map(|line| line.strip_prefix("library")).unwrap();
    line.trim().into()
}

/// A virtual environment with this as its onnxruntime.
fn environment(bench: &Bench, name: &str, library: &[u8]) -> PathBuf {
    bench.write(&format!("{name}/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so.1.99.0"), library);
    bench.path(name)
}

/// `runtime` with an environment active and a cache of this test's own, in which the real library is installed.
fn with_environment(bench: &Bench, environment: &std::path::Path) -> Ran {
    let mut program = bench.program();
    program.arg("runtime").env("VIRTUAL_ENV", environment).env("LD_LIBRARY_PATH", real().parent().unwrap());
    program.env("RECIPE_RENDER_CACHE", bench.path("cache")).env_remove("ORT_DYLIB_PATH");
    program.output().unwrap().into()
}

/// A library with its body gone behind whole headers.
fn hollow(mut bytes: Vec<u8>) -> Vec<u8> {
    // The dynamic section, symbols and relocations are at the start; code and data follow.
    let (start, end) = (bytes.len() / 3, bytes.len() * 9 / 10);
    bytes[start..end].fill(0xCC);
    bytes
}

#[test]
fn libraries_that_cannot_serve_are_passed_over_with_a_word() {
    let bench = Bench::new();
    let whole = fs::read(real()).unwrap();
    let mut foreign = whole.clone();
    // e_machine: S390.
    foreign[18..20].copy_from_slice(&[22, 0]);
    for (name, bytes, reason) in [
        ("text", b"text".to_vec(), "is not a shared library"),
        ("empty", Vec::new(), "is empty"),
        ("foreign", foreign, "is for another processor"),
        ("short", whole[..whole.len() / 2].to_vec(), "is cut short"),
        ("hollow", hollow(whole.clone()), "ends the program that loads it"),
    ] {
        let environment = environment(&bench, name, &bytes);
        // The second time from what is remembered.
        for _ in 0..2 {
            let ran = with_environment(&bench, &environment).ended(0);
            let passed =
                ran.out.lines().find(|line| line.contains("Python environment") && line.contains(name)).unwrap();
            assert!(passed.contains(reason), "{name}: {passed}");
            assert!(ran.out.contains("from       system"), "{name}: {}", ran.out);
        }
        // Named explicitly it is an error, and not one that ends the program.
        let library = environment.join("lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so.1.99.0");
        let mut program = bench.program();
        program.args(["runtime", "--onnxruntime"]).arg(&library).env("RECIPE_RENDER_CACHE", bench.path("cache"));
        Ran::from(program.output().unwrap()).ended(1).says(reason).says("hint: ");
    }
}

#[test]
fn a_library_is_tried_by_a_child_once() {
    let bench = Bench::new();
    let library = bench.path("libonnxruntime.so");
    fs::copy(real(), &library).unwrap();
    let run = || {
        let mut program = bench.program();
        program.args(["runtime", "--onnxruntime"]).arg(&library).env("RECIPE_RENDER_CACHE", bench.path("cache"));
        Ran::from(program.output().unwrap()).ended(0);
        let files = fs::read_dir(bench.path("cache/tried")).unwrap().map(Result::unwrap);
        let answers = files.filter(|file| file.file_name() != "CACHEDIR.TAG");
        let mut times: Vec<_> = answers.map(|file| file.metadata().unwrap().modified().unwrap()).collect();
        assert_eq!(times.len(), 1);
        times.remove(0)
    };
    let first = run();
    assert_eq!(run(), first);
    // A changed file is tried again.
    fs::write(&library, fs::read(real()).unwrap()).unwrap();
    assert_ne!(run(), first);
}

/// pip's settings are of two kinds: how files are come by, and what is installed how.
#[test]
fn of_pip_s_settings_only_the_way_to_files_counts() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let listed = "global.constraint='/c.txt'\nglobal.index-url='https://mirror/simple'\ndownload.platform='win32'\n\
                  global.user='true'\n:env:.proxy='http://proxy:1'\n:env:.no-binary=':all:'\n";
    bench.write("listed", listed);
    bench.write(
        "bin/python3",
        "#!/bin/sh\ncase \"$*\" in *'config list'*) cat \"$SEEN/listed\"; exit;; esac\n\
         env | grep ^PIP_ | sort > \"$SEEN/seen\"; echo 'ERROR: no network' >&2; exit 1\n",
    );
    fs::set_permissions(bench.path("bin/python3"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut program = bench.program();
    program.args(["runtime", "install"]).env("RECIPE_RENDER_CACHE", bench.path("cache")).env("SEEN", bench.path(""));
    program.env("PATH", format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap()));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PIP_")) {
        program.env_remove(name);
    }
    for name in ["CONSTRAINT", "REQUIREMENT", "TARGET", "PREFIX", "USER", "NO_BINARY", "PYTHON", "DRY_RUN", "A_NEW_ONE"]
    {
        program.env(format!("PIP_{name}"), "1");
    }
    program.env("PIP_PROXY", "http://proxy:1");
    Ran::from(program.output().unwrap()).ended(1).says("no network");
    let seen = fs::read_to_string(bench.path("seen")).unwrap();
    let expected = ["PIP_CONFIG_FILE=/dev/null", "PIP_INDEX_URL=https://mirror/simple", "PIP_PROXY=http://proxy:1"];
    assert_eq!(seen.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_canvas_beyond_a_limit_of_memory_is_refused_beforehand() {
    let bench = Bench::small();
    let ran = bench.shell("ulimit -v 4000000; exec \"$PROGRAM\" small.toml --size 6000x6000").ended(1);
    ran.says("a canvas of 6000x6000 pixels needs").says("`ulimit -v` sets").says("hint: ").says("--size");
}
