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
