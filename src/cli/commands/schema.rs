//! `recipe-render schema [--reference]`: prints the recipes' schema for editors, or their reference for people.

use crate::cli::args::SchemaArgs;
use crate::cli::failure::{Exit, Outcome};
use crate::cli::terminal::voice;
use crate::recipe;

/// Prints the JSON schema, or the reference page in Markdown.
pub fn run(args: &SchemaArgs) -> Outcome {
    let mut text = if args.reference { recipe::reference() } else { recipe::schema_text() };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}
