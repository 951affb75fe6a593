//! The program as a user starts it, with nothing of the tester's own settings.

use std::process::Command;

/// Variables that a program needs to start, and pip to reach the user's registries.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    // Windows
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
    "TEMP",
    "TMP",
];
const KEPT_PREFIXES: &[&str] = &["PIP_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The program, with a clean environment and a cache that belongs to these tests.
pub fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("recipe-render"));
    clean(&mut command);
    command
}

/// Leaves a command nothing of the tester's environment but what it cannot do without, and gives it the tests' cache.
pub fn clean(command: &mut Command) {
    command.env_clear();
    for (name, value) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if KEPT.contains(&upper.as_str()) || KEPT_PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) {
            command.env(name, value);
        }
    }
    command.env("RECIPE_RENDER_CACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
}
