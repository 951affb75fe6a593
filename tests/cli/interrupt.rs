//! Ctrl-C and termination.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};

use crate::bench::{Bench, Ran, SMALL, endless, pixels, until};

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Starts a render that would not end, and waits until it is under way.
fn under_way(bench: &Bench, arguments: &[&str]) -> Child {
    bench.write("endless.toml", endless());
    let mut program = bench.program();
    program.args(["endless.toml", "--every", "3"]).args(arguments);
    let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("a snapshot is there", || bench.path("endless-000003.png").exists());
    child
}

#[test]
fn the_first_signal_finishes_the_step_and_writes_the_picture() {
    for name in ["-INT", "-TERM"] {
        let bench = Bench::new();
        let child = under_way(&bench, &["-o", "endless.png"]);
        signal(&child, name);
        let ran = Ran::from(child.wait_with_output().unwrap()).ended(130).says("stopped after");
        assert!(ran.out.contains("sword  : "), "{}", ran.out);
        assert_eq!(pixels(&bench.path("endless.png")).dimensions(), (64, 48));
        let recovered = bench.done(&["recover", "endless.png"]).says("of 10000000");
        assert_eq!(recovered.stdout, endless().as_bytes());
        assert!(bench.names().iter().all(|name| !name.ends_with(".tmp")), "{:?}", bench.names());
    }
}

#[test]
fn recipes_that_have_not_begun_stay_unrendered() {
    let bench = Bench::new();
    bench.write("later.toml", SMALL);
    let child = under_way(&bench, &["later.toml"]);
    signal(&child, "-INT");
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    assert!(bench.path("endless.png").exists() && !bench.path("later.png").exists());
}

#[test]
fn impatience_is_obeyed_and_leaves_no_debris() {
    let bench = Bench::new();
    let child = under_way(&bench, &[]);
    // Whichever of the two comes when, the process ends, with this code.
    signal(&child, "-INT");
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    for name in bench.names() {
        assert!(!name.ends_with(".tmp"), "{name}");
        if name.ends_with(".png") {
            pixels(&bench.path(&name));
        }
    }
}

/// Whatever is going on when the signal comes (the command line is read, onnxruntime starts, the picture is made): the
/// process ends in order.
#[test]
fn a_signal_at_any_time_crashes_nothing() {
    use std::os::unix::process::ExitStatusExt;
    let bench = Bench::small();
    for wait in (0..20).map(|step| std::time::Duration::from_millis(step * 20)) {
        let mut program = bench.program();
        let mut child = program.arg("small.toml").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(wait);
        signal(&child, "-INT");
        let status = child.wait().unwrap();
        // Before `main` the signal is the system's to answer.
        let in_order = matches!(status.code(), Some(0 | 130)) || status.signal() == Some(2);
        assert!(in_order, "after {wait:?}: {status}");
        assert!(bench.names().iter().all(|name| !name.ends_with(".tmp")), "{:?}", bench.names());
    }
}

/// A pip that never ends stands for a slow network.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_installation_stops_pip_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.write(
        "bin/python3",
        "#!/bin/sh\necho $$ > \"$STAND_IN_ID.new\"; mv \"$STAND_IN_ID.new\" \"$STAND_IN_ID\"; exec sleep 600\n",
    );
    std::fs::set_permissions(bench.path("bin/python3"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut program = bench.program();
    program.args(["runtime", "install"]).env("RECIPE_RENDER_CACHE", bench.path("cache"));
    program.env("STAND_IN_ID", bench.path("id")).env("TMPDIR", bench.path("bin"));
    program.env("PATH", format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap()));
    let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("pip has started", || bench.path("id").exists());
    signal(&child, "-INT");
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    let id = String::from_utf8(bench.read("id")).unwrap();
    assert!(!std::path::Path::new("/proc").join(id.trim()).exists(), "pip goes on");
    let names = |folder: &str| -> Vec<_> {
        let entries = std::fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name != "CACHEDIR.TAG").collect()
    };
    assert_eq!(names("cache/onnxruntime"), [".lock"]);
    assert_eq!(names("bin"), ["python3"]);
}
