//! The commands that know nothing of the command line, given their arguments, outputs and exit codes.

use super::compose::from_runtime;
use super::{Exit, Outcome, RuntimeArgs, RuntimeCommand, SchemaArgs, runtime, schema, voice};
use crate::runtime::Options;

/// `recipe-render schema [--reference]`
pub fn schema(args: &SchemaArgs) -> Outcome {
    let mut text = schema::text(args.reference);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

/// `recipe-render runtime [install [--cuda]]`
pub fn runtime(args: &RuntimeArgs, options: &Options) -> Outcome {
    let done = match &args.command {
        None => runtime::show(options),
        Some(RuntimeCommand::Install(install)) => runtime::install(options, install.cuda),
        Some(RuntimeCommand::Try(library)) => {
            runtime::try_library(&library.path);
            Ok(())
        }
    };
    done.map(|()| Exit::Done).map_err(from_runtime)
}
