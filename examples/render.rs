//! Renders a recipe: `cargo run --release --example render -- recipes/three-lines.toml picture.png`

use std::{env, error::Error, fs, path::Path};

use recipe_render::output::{Facts, Origin, write_png};
use recipe_render::perceptor::{self, Engine, Perceptors};
use recipe_render::recipe::{self, Overrides};
use recipe_render::render::{Control, Progress, render};
use recipe_render::runtime::Options;

/// From the text of a recipe to a picture with the recipe inside.
pub fn run(file: &Path, picture: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let compiled = recipe::compile(file, &text, &Overrides::default())
        .map_err(|invalid| recipe::render_diagnostics(&invalid.diagnostics))?;

    // The models that the recipe names, each with its hash, and a engine to run them on.
    let models = perceptor::models(&compiled)?;
    let engine = Engine::open(&Options::default(), &mut |line| eprintln!("{line}"))?;
    let mut perceptors = Perceptors::default();
    let mut lenses = perceptors.lenses(&engine, &compiled.plan, &models)?;

    let rendered = render(&compiled.plan, &mut lenses, &mut |_: &mut Progress<'_>| Control::Continue)?;
    let origin = Origin { recipe: text, bases: Default::default(), facts: Facts::default() };
    Ok(write_png(picture, &rendered.picture(), &origin)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let [file, picture] =
        env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "render RECIPE.toml PICTURE.png")?;
    run(Path::new(&file), Path::new(&picture))
}
