//! Follows a render step by step, takes a picture on the way, and ends it early:
//! `cargo run --release --example each_step -- recipes/three-lines.toml`

use std::{env, error::Error, fs, path::Path};

use recipe_render::perceptor::{self, Engine, Perceptors};
use recipe_render::picture::Picture;
use recipe_render::recipe::{self, Overrides};
use recipe_render::render::{Control, Progress, render};
use recipe_render::runtime::Options;

/// Renders at most `most` steps, and gives the pictures after the first and the last of them.
pub fn run(file: &Path, most: u64) -> Result<[Option<Picture>; 2], Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let compiled = recipe::compile(file, &text, &Overrides::default())
        .map_err(|invalid| recipe::render_diagnostics(&invalid.diagnostics))?;
    let models = perceptor::models(&compiled)?;
    let engine = Engine::open(&Options::default(), &mut |line| eprintln!("{line}"))?;
    let mut perceptors = Perceptors::default();
    let mut lenses = perceptors.lenses(&engine, &compiled.plan, &models)?;

    let mut first = None;
    // Any closure of this type is an observer. It is called after every step.
    let mut each_step = |progress: &mut Progress<'_>| {
        println!("step {} of {}, {} windows so far", progress.step, progress.steps, progress.views);
        if progress.done == 1 {
            first = Some(progress.picture());
        }
        if progress.done < most { Control::Continue } else { Control::Stop }
    };
    let rendered = render(&compiled.plan, &mut lenses, &mut each_step)?;
    Ok([first, Some(rendered.picture())])
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("each_step RECIPE.toml")?;
    let [first, last] = run(Path::new(&file), 20)?;
    let moved = first.zip(last).map(|(first, last)| {
        let far = first.pixels.iter().zip(&last.pixels).map(|(a, b)| (a - b).abs()).sum::<f32>();
        far / first.pixels.len() as f32
    });
    println!("a pixel has moved by {:.3} since the first step", moved.unwrap_or_default());
    Ok(())
}
