//! `recipe-render models import`: makes a model folder from a model in any supported form.

use crate::cli::args::models::ImportArgs;
use crate::cli::failure::{Exit, Outcome};
use crate::cli::terminal::Voice;
use crate::models::{self, Request, Settings};
use crate::runtime;

/// Imports a model.
pub(super) fn run(args: &ImportArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    let runtime = runtime::open(options, &mut |line| voice.note(line))?;
    let model = models::import(&request(args), &runtime, &mut |line| voice.note(line))?;
    let name = &model.description.name;
    let place = model.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
    voice.note(&format!("imported as `{name}`, in {place}"));
    voice.note(&format!("`recipe-render models check {name}` verifies its gradient and measures its speed"));
    Ok(Exit::Done)
}

fn request(args: &ImportArgs) -> Request {
    let said = &args.said;
    Request {
        source: args.source.clone(),
        image: args.image.clone(),
        text: args.text.clone(),
        tokenizer: args.tokenizer.clone(),
        labels: args.labels.clone(),
        name: args.name.clone(),
        settings: Settings {
            size: said.size,
            mean: said.mean,
            deviation: said.deviation,
            context: said.context,
            padding: said.padding,
            clean: None,
            resize: None,
            interpolation: None,
            image_input: said.image_input.clone(),
            image_output: said.image_output.clone(),
            text_ids: said.text_ids.clone(),
            text_mask: said.text_mask.clone(),
            text_output: said.text_output.clone(),
        },
        near: Vec::new(),
        activation: args.activation,
        force: args.force,
        card: models::Card::default(),
    }
}
