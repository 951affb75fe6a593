//! `recipe-render models`: what models there are, and a model's gradient as a file of its own.

use super::compose::from_clip;
use super::job::failure;
use super::{Exit, Failure, GradientArgs, ModelsArgs, ModelsCommand, Outcome, Voice, voice};
use crate::clip;
use crate::output::{check_writable, write_whole};
use crate::runtime;

/// Lists models, or writes a gradient.
pub fn run(args: &ModelsArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        ModelsCommand::List => list(),
        ModelsCommand::Gradient(args) => gradient(args, options, voice),
    }
}

/// One model a line: its name, its hash, where it is.
fn list() -> Outcome {
    let models = clip::models();
    let width = models.iter().map(|model| model.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for model in &models {
        let hash = model.hash.get(..12).unwrap_or(&model.hash);
        text.push_str(&format!("{:width$}  {hash}  {}\n", model.name, model.path.display()));
    }
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

fn gradient(args: &GradientArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    if args.output.as_os_str() == std::ffi::OsStr::new(&args.model) {
        return Err(Failure::wrong(format!("--output {}: is the model itself", args.output.display())));
    }
    check_writable(&args.output).map_err(failure)?;
    let _ = options;
    let bytes = clip::gradient(&args.model, args.windows.get()).map_err(from_clip)?;
    write_whole(&args.output, |file| file.write_all(&bytes)).map_err(failure)?;
    voice.note(&format!("{}: {} windows, {:.1} MB", args.output.display(), args.windows, bytes.len() as f64 / 1e6));
    Ok(Exit::Done)
}
