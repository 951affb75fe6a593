//! `recipe-render runtime [install [--cuda]]`: shows which onnxruntime is used, or installs one ahead of time.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::args::{RuntimeArgs, RuntimeCommand};
use crate::cli::failure::{Exit, Outcome as Ended};
use crate::runtime::{self, Options, Outcome, PLATFORMS, ProviderState, Report, RuntimeError};

/// Calls one of the three commands.
pub fn run(args: &RuntimeArgs, options: &Options) -> Ended {
    match &args.command {
        None => show(options)?,
        Some(RuntimeCommand::Install(args)) => install(options, args.cuda)?,
        Some(RuntimeCommand::Try(library)) => try_library(&library.path),
    }
    Ok(Exit::Done)
}

/// Prints the library's path, version and providers, every place searched, and the platforms onnxruntime can be installed on. A
/// missing library is an error, returned after the places are printed.
fn show(options: &Options) -> Result<(), RuntimeError> {
    let report = runtime::report(options);
    // A reader that closes the pipe early (`| head`) is not a failure.
    let _ = io::stdout().write_all(text(&report).as_bytes());
    report.library.map(|_| ())
}

/// Installs onnxruntime into our cache, unless it is already there, and prints its path.
fn install(options: &Options, cuda: bool) -> Result<(), RuntimeError> {
    if options.offline {
        return Err(RuntimeError::Install {
            message: "--offline forbids installing onnxruntime".to_owned(),
            hint: Some("leave --offline out".to_owned()),
        });
    }
    let path = runtime::install(options, cuda, &mut |line| eprintln!("{line}"))?;
    let _ = writeln!(io::stdout(), "{}", path.display());
    Ok(())
}

/// Tries a library in this process, which may crash, and prints the result for the parent process.
fn try_library(path: &Path) {
    let answer = runtime::try_library(path);
    // A closed stdout is not a failure. The answer starts a new line, as the library may have printed something.
    let _ = writeln!(io::stdout(), "\n{answer}");
}

fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Ok(library) = &report.library {
        lines.push(format!("library    {}", library.path.display()));
        lines.push(format!("version    {}", library.version));
        lines.push(format!("from       {}", library.source));
        for (index, (name, state)) in library.providers.iter().enumerate() {
            let title = if index == 0 { "providers" } else { "" };
            let state = match state {
                ProviderState::Registers => "registers".to_owned(),
                ProviderState::Fails(reason) => format!("fails: {}", reason.replace('\n', "; ")),
                ProviderState::Unused => "not used".to_owned(),
            };
            lines.push(format!("{title:<10} {name:<24} {state}"));
        }
        lines.push(String::new());
    }
    if !report.places.is_empty() {
        lines.push("places looked at, in order".to_owned());
        let width = report.places.iter().map(|place| place.source.to_string().len()).max().unwrap_or(0);
        for place in &report.places {
            let outcome = match &place.outcome {
                Outcome::Serves { version } => format!("onnxruntime {version}"),
                Outcome::Absent(reason) | Outcome::Unusable(reason) => reason.clone(),
            };
            let path = place.path.display().to_string();
            let source = place.source.to_string();
            let separator = if path.is_empty() { "" } else { "  " };
            lines.push(format!("  {source:<width$}  {path}{separator}{outcome}"));
        }
        lines.push(String::new());
    }
    lines.push("platforms it can be installed on".to_owned());
    let width = PLATFORMS.iter().map(|platform| platform.title.len()).max().unwrap_or(0);
    for platform in PLATFORMS {
        let tried = if platform.tried { "tried" } else { "not tried" };
        lines.push(format!("  {:<width$}  {tried}", platform.title));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Candidate, Library, Source};

    #[test]
    fn the_report_shows_library_providers_places_and_platforms() {
        let place = |source, path: &str, outcome| Candidate { source, path: path.into(), outcome };
        let report = Report {
            library: Ok(Library {
                source: Source::Cache,
                path: "/c/libonnxruntime.so".into(),
                version: "1.32.0".to_owned(),
                providers: vec![
                    ("CUDAExecutionProvider".to_owned(), ProviderState::Fails("no\ndriver".to_owned())),
                    ("CPUExecutionProvider".to_owned(), ProviderState::Registers),
                ],
            }),
            places: vec![
                place(Source::Executable, "/bin", Outcome::Absent("has no onnxruntime library".to_owned())),
                place(Source::Cache, "/c/libonnxruntime.so", Outcome::Serves { version: "1.32.0".to_owned() }),
            ],
        };
        let text = text(&report);
        let expected = "\
library    /c/libonnxruntime.so
version    1.32.0
from       cache
providers  CUDAExecutionProvider    fails: no; driver
           CPUExecutionProvider     registers

places looked at, in order
  beside the executable  /bin  has no onnxruntime library
  cache                  /c/libonnxruntime.so  onnxruntime 1.32.0

platforms it can be installed on
  Linux x86_64 (glibc 2.28 or newer)   tried
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.ends_with("not tried\n"), "{text}");
    }

    #[test]
    fn offline_forbids_installing() {
        let error = install(&Options { offline: true, ..Options::default() }, false).unwrap_err();
        assert!(error.message().contains("--offline"));
    }
}
