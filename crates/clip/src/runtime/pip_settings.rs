//! Selects which of the user's pip settings apply.
//!
//! We ask pip for one file that we know by its hash. How it is fetched is up to the user: mirrors, proxies,
//! certificates. Settings about what is installed and how (constraints, requirements, formats, platforms, targets) do
//! not apply, and would make pip fail or fetch something else. Such settings come and go with pip's versions, so those
//! that apply are listed here and all others left out: pip is asked for its settings, then started without its
//! configuration files and with the applicable settings in its environment.

use std::{
    env,
    process::{Command, Stdio},
    time::Instant,
};

use super::pip::{self, PipCommand};
use crate::underway::{Process, Temporary};

/// The settings that determine how files are fetched.
const COUNT: &[&str] = &[
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "cert",
    "client-cert",
    "proxy",
    "keyring-provider",
    // Among others, how certificates are verified.
    "use-feature",
    "use-deprecated",
    "resume-retries",
];

/// The variable that names pip's configuration file.
const FILE: &str = "PIP_CONFIG_FILE";

/// Keeps only those of the user's settings that determine how files are fetched. If pip does not list its settings, its
/// configuration files stay in effect, and pip itself reports what is wrong.
pub(super) fn keep_the_way(command: &PipCommand, pip: &mut Command, deadline: Instant) {
    keep_the_environment_s(pip);
    match listed(command, deadline) {
        Some(listed) => {
            let nothing = if cfg!(windows) { "nul" } else { "/dev/null" };
            pip.env(FILE, nothing).envs(effective(&listed).map(|(key, value)| (variable(key), value)));
        }
        None => {
            pip.env("PIP_REQUIRE_VIRTUALENV", "0");
        }
    }
}

/// Removes all other settings that come from the environment.
fn keep_the_environment_s(pip: &mut Command) {
    let counts: Vec<String> = COUNT.iter().map(|key| variable(key)).collect();
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("PIP_") && text != FILE && !counts.contains(&text) {
            pip.env_remove(name);
        }
    }
}

/// Returns the environment variable for a setting.
fn variable(key: &str) -> String {
    format!("PIP_{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// Returns the output of `pip config list`.
fn listed(command: &PipCommand, deadline: Instant) -> Option<String> {
    let [program, first @ ..] = command.as_slice() else { return None };
    let output = Temporary::new(tempfile::NamedTempFile::new).ok()?;
    let mut pip = Command::new(program);
    keep_the_environment_s(&mut pip);
    pip.args(first)
        .args(["config", "list"])
        // In a configuration file these would silence it, or be taken for its options that select a single file.
        .envs(["QUIET", "VERBOSE", "USER", "GLOBAL", "SITE"].map(|name| (format!("PIP_{name}"), "0")))
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        // Values may be in any script.
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::null())
        .stdout(output.reopen().ok()?)
        .stderr(Stdio::null());
    let status = pip::wait(Process::start(&mut pip).ok()?, deadline).ok()??;
    status.success().then(|| pip::read_messages(output.path()))
}

/// Extracts the applicable settings from the output of `pip config list`, which has one setting per line:
/// `global.index-url='https://...'`. The environment (`:env:`) takes precedence over a command's section, which takes
/// precedence over `global`.
fn effective(listed: &str) -> impl Iterator<Item = (&'static str, String)> {
    let lines: Vec<(&str, &str, String)> = listed
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            let (section, key) = name.rsplit_once('.')?;
            Some((section, key, literal(value.trim())?))
        })
        .collect();
    COUNT.iter().filter_map(move |&wanted| {
        let of = |section: &str| {
            let line = lines.iter().find(|(its, key, value)| *its == section && *key == wanted && !value.is_empty());
            line.map(|(_, _, value)| value.clone())
        };
        Some((wanted, of(":env:").or_else(|| of("download")).or_else(|| of("global"))?))
    })
}

/// Parses a Python string literal: `'a\nb'`, `"it's"`.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        value.push(match rest.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            escape @ ('x' | 'u' | 'U') => {
                let length = match escape {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits: String = rest.by_ref().take(length).collect();
                if digits.len() < length {
                    return None;
                }
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            other => other,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_files_counts_and_what_is_installed_does_not() {
        let listed = r#"
global.constraint='/home/me/constraints.txt'
global.index-url='https://user:it\'s=a@mirror/simple'
global.extra-index-url='\nhttps://a/simple\nhttps://b/simple'
global.timeout='60'
global.cert=''
download.platform='win32'
download.proxy='http://proxy:3128'
install.no-index='true'
global.proxy='http://other:1'
:env:.index-url="https://it's/simple"
:env:.python='/usr/bin/python2'
:env:.require-virtualenv='1'
no line of ours
"#;
        let settings: Vec<(&str, String)> = effective(listed).collect();
        let expected = [
            ("index-url", "https://it's/simple"),
            ("extra-index-url", "\nhttps://a/simple\nhttps://b/simple"),
            ("proxy", "http://proxy:3128"),
        ];
        assert_eq!(settings, expected.map(|(key, value)| (key, value.to_owned())));
        assert_eq!(variable("extra-index-url"), "PIP_EXTRA_INDEX_URL");
    }

    #[test]
    fn literals_are_read_as_python_writes_them() {
        assert_eq!(literal(r"'a\\b\x41\u00e4\t'").as_deref(), Some("a\\bAä\t"));
        for wrong in ["", "'", "a", "'a", r"'\x4'", r"'\ud800'", r"'\"] {
            assert_eq!(literal(wrong), None, "{wrong}");
        }
    }
}
