//! The examples, run.

use std::fs;
use std::path::Path;

#[allow(dead_code)]
#[path = "../examples/differentiate.rs"]
mod differentiate;
#[allow(dead_code)]
#[path = "../examples/each_step.rs"]
mod each_step;
#[allow(dead_code)]
#[path = "../examples/render.rs"]
mod render;
#[allow(dead_code)]
#[path = "../examples/stages.rs"]
mod stages;

const RECIPE: &str = "size = [48, 32]\n[[composition]]\nprompts = ['a castle']\nwindows = 1\n[render]\nsteps = 3\n";

/// The examples look for onnxruntime as every program does: where the tests' own is already, so that nothing is installed.
fn recipe(folder: &Path) -> std::path::PathBuf {
    recipe_render::runtime::Runtime::for_tests();
    let file = folder.join("castle.toml");
    fs::write(&file, RECIPE).unwrap();
    file
}

#[test]
fn a_recipe_becomes_a_picture_that_has_it_inside() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("castle.png");
    render::run(&recipe(folder.path()), &picture).unwrap();
    assert_eq!(recipe_render::output::recover(&picture).unwrap().recipe, RECIPE);
    assert_eq!(image::image_dimensions(&picture).unwrap(), (48, 32));
}

#[test]
fn a_render_is_followed_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let [first, last] = each_step::run(&recipe(folder.path()), 2).unwrap().map(Option::unwrap);
    assert_ne!(first, last);
    let [_, whole] = each_step::run(&recipe(folder.path()), 9).unwrap().map(Option::unwrap);
    assert_ne!(last, whole);
}

#[test]
fn a_network_is_differentiated() {
    recipe_render::runtime::Runtime::for_tests();
    let folder = tempfile::tempdir().unwrap();
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pocket/image.onnx");
    let length = differentiate::run(&network, &folder.path().join("gradient.onnx")).unwrap();
    assert!(length.is_finite() && length > 0.0, "{length}");
}

#[test]
fn every_stage_is_on_the_sheet() {
    use recipe_render::plan::{StageName, Word};
    let folder = tempfile::tempdir().unwrap();
    let (picture, sheet) = (folder.path().join("picture.png"), folder.path().join("sheet.png"));
    image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([6 * x as u8, 6 * y as u8, 90])).save(&picture).unwrap();
    stages::run(&picture, &sheet).unwrap();
    assert!(image::image_dimensions(&sheet).unwrap().0 > 600);
    for name in StageName::ALL.iter().map(|name| name.name()) {
        // Compositions have neither.
        let size = ["cover", "zoom"].contains(&name);
        assert!(size || stages::PIPELINES.iter().any(|stages| stages.contains(&format!("{name} = "))), "{name}");
    }
}
