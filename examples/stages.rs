//! Shows a picture as a model sees it through each stage: `cargo run --release --example stages -- PICTURE SHEET.png`

use std::{env, error::Error, path::Path};

use recipe_render::chance::Draws;
use recipe_render::output::sheet::{Labels, Sheet};
use recipe_render::picture_file::{self, Behind};
use recipe_render::plan::{Size, Time};
use recipe_render::recipe::{self, Overrides};
use recipe_render::sampling::{Frame, Levels, Visible, Window, gather};

/// The side of the windows: that of the embedded model.
const SIDE: u32 = 160;

/// One pipeline for each tile. Values are fixed where that is possible, so that the label says what is seen.
pub const PIPELINES: &[&str] = &[
    "",
    "{ shift = [0.2, 0.2] }",
    "{ rotate = [20, 20] }",
    "{ shear = [20, 20] }",
    "{ stretch = 2 }",
    "{ crop = 0.5 }",
    "{ crop = 1.5 }, { edge = { fill = [0, 0, 0] } }",
    "{ crop = 3 }, { edge = \"wrap\" }",
    "{ perspective = [1, 1] }",
    "{ flip = \"horizontal\" }",
    "{ blur = [3, 3] }",
    "{ sharpen = [3, 3] }",
    "{ noise = [0.2, 0.2] }",
    "{ noise = [0.2, 0.2], spectrum = \"pink\" }",
    "{ noise = [0.2, 0.2], spectrum = \"brown\" }",
    "{ noise = [0.2, 0.2], spectrum = { coarse = 16 } }",
    "{ colour = [0.3, 0.3] }",
    "{ brightness = 0.5 }",
    "{ contrast = 2 }",
    "{ gamma = 0.5 }",
    "{ saturation = 0 }",
    "{ saturation = 2 }",
    "{ hue = [120, 120] }",
    "{ erase = [0.4, 0.4] }",
    "{ pixelate = 10 }",
    "{ quantise = 3 }",
    "{ edges = [1, 1] }",
    "{ clamp = [0.3, 0.7] }",
];

/// Returns what a composition with these stages sees of a picture, `[3, S, S]`.
pub fn seen(levels: &Levels, size: Size, stages: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let text = format!("[[composition]]\nprompts = [\"x\"]\nstages = [{stages}]\n");
    let compiled = recipe::compile(Path::new("stages.toml"), &text, &Overrides::default())
        .map_err(|invalid| recipe::render_diagnostics(&invalid.diagnostics))?;
    let target = &compiled.plan.targets[0];
    let frame = Frame::new(size, SIDE);
    let window = Window::draw(&frame, target.sight, &target.pipelines[0], Draws::new(3), &Time::new(0, 1, 0, 1));
    let mut values = vec![0.0; 3 * (SIDE * SIDE) as usize];
    gather(levels, &[window], SIDE, &mut values);
    Ok(values)
}

/// Makes the sheet of all stages.
pub fn run(picture: &Path, sheet: &Path) -> Result<(), Box<dyn Error>> {
    let picture = picture_file::open(picture, Behind::White)?.image.to_rgb8();
    let size = Size { width: picture.width(), height: picture.height() };
    let channel = |channel: usize| picture.pixels().map(move |pixel| f32::from(pixel[channel]) / 255.0);
    let pixels: Vec<f32> = (0..3).flat_map(channel).collect();
    let mut levels = Levels::new(size);
    levels.build(&pixels, &Visible::whole(size));

    let label = |stages: &str| if stages.is_empty() { "the picture".to_owned() } else { stages.to_owned() };
    let labels = Labels::Each(PIPELINES.iter().map(|stages| vec![label(stages)]).collect());
    let mut page = Sheet::new("What a window shows through each stage", &labels, Size { width: SIDE, height: SIDE });
    for (index, stages) in PIPELINES.iter().enumerate() {
        let values = seen(&levels, size, stages)?;
        let area = (SIDE * SIDE) as usize;
        let tile = image::RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let at = (y * SIDE + x) as usize;
            image::Rgb([0, 1, 2].map(|channel| (values[channel * area + at].clamp(0.0, 1.0) * 255.0).round() as u8))
        });
        page.put(index, &tile);
    }
    Ok(page.write(sheet)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let [picture, sheet] =
        env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "stages PICTURE SHEET.png")?;
    run(Path::new(&picture), Path::new(&sheet))
}
