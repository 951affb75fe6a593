//! Properties of every basis.

use super::*;
use crate::plan::{Ground, Init};
use crate::spans::{Rect, TILE};

pub(super) fn random(count: usize, seed: u64) -> Vec<f32> {
    (0..count as u64).map(|i| Draws::new(seed).unit(i) as f32).collect()
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

const BASES: [Basis; 4] = [
    Basis::Pixels,
    Basis::Pyramid { coarsest: 8 },
    Basis::Fourier { decay: 1.5, chroma: 0.6 },
    Basis::Fourier { decay: 0.7, chroma: 1.0 },
];
const SIZES: [(u32, u32); 5] = [(16, 16), (33, 24), (20, 47), (64, 17), (31, 31)];

fn plan(basis: &Basis, colour: [f64; 3], noise: f64) -> plan::Canvas {
    plan::Canvas { basis: basis.clone(), init: Init { ground: Ground::Colour(colour), noise } }
}

fn canvas(basis: &Basis, width: u32, height: u32, noise: f64) -> Canvas {
    Canvas::new(&plan(basis, [0.5, 0.4, 0.6], noise), Size { width, height }, 5).unwrap()
}

#[test]
fn backprop_is_the_derivative_of_decode() {
    for basis in &BASES {
        for (width, height) in SIZES {
            for finest in [None, Some(2.3), Some(5.0), Some(40.0)] {
                let noise = if *basis == Basis::Pixels { 0.1 } else { 0.5 };
                let mut canvas = canvas(basis, width, height, noise);
                let weights = random(3 * (width * height) as usize, 2);
                let weights: Vec<f32> = weights.iter().map(|x| x - 0.5).collect();
                canvas.decode(finest);
                canvas.backprop(&weights);
                // Along the gradient itself, where the derivative is large, combined with one random direction.
                let groups = canvas.store.parameters();
                let directions: Vec<Vec<f32>> =
                    groups.iter().zip(9..).map(|((p, _), seed)| random(p.len(), seed)).collect();
                let gradients: Vec<Vec<f32>> = groups.iter().map(|(_, gradient)| gradient.to_vec()).collect();
                let length = gradients.iter().map(|g| dot(g, g)).sum::<f64>().sqrt();
                let directions: Vec<Vec<f32>> = directions
                    .iter()
                    .zip(&gradients)
                    .map(|(d, g)| d.iter().zip(g).map(|(d, g)| (d - 0.5) * 0.5 + g / length as f32).collect())
                    .collect();
                let analytic: f64 = directions.iter().zip(&gradients).map(|(d, g)| dot(d, g)).sum();
                let h = 4e-3f32;
                let mut value = |by: f32| {
                    for ((parameters, _), direction) in canvas.store.parameters().into_iter().zip(&directions) {
                        parameters.iter_mut().zip(direction).for_each(|(p, d)| *p += by * d);
                    }
                    dot(canvas.decode(finest), &weights)
                };
                let numeric = (value(h) - value(-2.0 * h)) / (2.0 * f64::from(h));
                assert!(
                    (numeric - analytic).abs() < 4e-3 * length.max(analytic.abs()),
                    "{basis:?} {width}x{height} {finest:?}: {numeric} {analytic} {length}"
                );
            }
        }
    }
}

#[test]
fn starts_from_its_colour() {
    for basis in &BASES {
        for (width, height) in SIZES {
            let area = (width * height) as usize;
            let mut canvas = canvas(basis, width, height, 0.0);
            for finest in [None, Some(3.0)] {
                let picture = canvas.decode(finest);
                for (plane, colour) in picture.chunks_exact(area).zip([0.5, 0.4, 0.6]) {
                    assert!(plane.iter().all(|x| (x - colour).abs() < 1e-5), "{basis:?}");
                }
            }
        }
    }
}

#[test]
fn starts_from_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("start.png");
    let size = Size { width: 40, height: 27 };
    let at = |x: u32, y: u32| [(x * 6) as u8, (y * 9) as u8, ((x * y) % 200 + 20) as u8];
    image::RgbImage::from_fn(size.width, size.height, |x, y| image::Rgb(at(x, y))).save(&path).unwrap();
    for basis in &BASES {
        let init = Init { ground: Ground::Image(path.clone()), noise: 0.0 };
        let mut canvas = Canvas::new(&plan::Canvas { basis: basis.clone(), init }, size, 1).unwrap();
        let picture = canvas.decode(None);
        let (low, high) = if *basis == Basis::Pixels { (0.0, 1.0) } else { (0.02, 0.98) };
        for y in 0..size.height {
            for x in 0..size.width {
                for (channel, byte) in at(x, y).into_iter().enumerate() {
                    let value = picture[channel * size.area() + (y * size.width + x) as usize];
                    let expected = (f32::from(byte) / 255.0).clamp(low, high);
                    assert!((value - expected).abs() < 2e-3, "{basis:?} {value} {expected}");
                }
            }
        }
    }
}

/// Steps towards a goal with the loss |picture - goal|^2 / 2.
fn approach(canvas: &mut Canvas, goal: &[f32], steps: usize, finest: Option<f64>) -> f64 {
    for _ in 0..steps {
        let gradient: Vec<f32> = canvas.decode(finest).iter().zip(goal).map(|(p, g)| (p - g) * 1e-3).collect();
        canvas.backprop(&gradient);
        canvas.step(0.03);
    }
    let picture = canvas.decode(finest);
    let square: f64 = picture.iter().zip(goal).map(|(p, g)| f64::from(p - g).powi(2)).sum();
    (square / goal.len() as f64).sqrt()
}

#[test]
fn learns_a_picture() {
    let (width, height) = (48, 32);
    let area = (width * height) as usize;
    let wave = |i: usize| {
        let (x, y) = ((i % area % width as usize) as f32 / 48.0, (i % area / width as usize) as f32 / 32.0);
        0.5 + 0.3 * (std::f32::consts::TAU * (x + (i / area) as f32 / 5.0)).sin() * (std::f32::consts::TAU * y).cos()
    };
    let goal: Vec<f32> = (0..3 * area).map(wave).collect();
    for basis in &BASES {
        let mut canvas = canvas(basis, width, height, 0.01);
        let start = approach(&mut canvas, &goal, 0, None);
        let coarse = approach(&mut canvas, &goal, 100, Some(4.0));
        let fine = approach(&mut canvas, &goal, 200, None);
        assert!(coarse < 0.7 * start && fine < 0.4 * start, "{basis:?}: {start} {coarse} {fine}");
    }
}

#[test]
fn the_optimiser_can_be_told_otherwise() {
    for basis in &BASES {
        // Without memory, a step follows only the last gradient.
        let mut canvas = canvas(basis, 16, 16, 0.0);
        canvas.follow(&Optimiser::Adam { beta1: 0.0, beta2: 0.0, epsilon: 1e-12 });
        for sign in [1.0, 1.0, -1.0] {
            canvas.decode(None);
            canvas.backprop(&vec![sign * 1e-3; 3 * 256]);
            canvas.step(0.01);
        }
        let mean = canvas.decode(None)[0];
        let mut once = self::canvas(basis, 16, 16, 0.0);
        once.decode(None);
        once.backprop(&vec![1e-3; 3 * 256]);
        once.step(0.01);
        assert!((mean - once.decode(None)[0]).abs() < 1e-3, "{basis:?}");
    }
}

#[test]
fn every_optimiser_learns_a_picture() {
    let goal: Vec<f32> = random(3 * 24 * 16, 2).iter().map(|x| 0.3 + 0.4 * x).collect();
    for basis in &BASES {
        for optimiser in every_optimiser() {
            let mut canvas = canvas(basis, 24, 16, 0.01);
            canvas.follow(&optimiser);
            let start = approach(&mut canvas, &goal, 0, None);
            for step in 0..300 {
                let gradient: Vec<f32> = canvas.decode(None).iter().zip(&goal).map(|(p, g)| p - g).collect();
                canvas.backprop(&gradient);
                let rate = if matches!(optimiser, Optimiser::Sgd { .. }) {
                    canvas.normalise_gradient();
                    0.01
                } else {
                    0.03
                };
                canvas.step(rate * (1.0 - f64::from(step) / 300.0));
            }
            let end = approach(&mut canvas, &goal, 0, None);
            assert!(end < 0.8 * start, "{basis:?} {optimiser:?}: {start} {end}");
        }
    }
}

#[test]
fn memory_outlives_settings_but_not_the_kind() {
    let mean = |canvas: &mut Canvas| {
        let tensors = canvas.state().tensors;
        let means = tensors.iter().filter(|tensor| tensor.name.ends_with("mean"));
        means
            .flat_map(|tensor| match tensor.values {
                Values::F32(values) => values.to_vec(),
                _ => panic!("means are floats"),
            })
            .collect::<Vec<f32>>()
    };
    for basis in &BASES {
        let mut canvas = canvas(basis, 24, 16, 0.1);
        approach(&mut canvas, &random(3 * 24 * 16, 2), 3, None);
        let before = mean(&mut canvas);
        assert!(before.iter().any(|value| *value != 0.0));
        canvas.follow(&Optimiser::AdamW { beta1: 0.5, beta2: 0.9, epsilon: 1e-6, decay: 0.1 });
        assert!(mean(&mut canvas) == before, "{basis:?}");
        canvas.follow(&Optimiser::Sign { momentum: 0.5 });
        assert!(mean(&mut canvas).iter().all(|value| *value == 0.0), "{basis:?}");
        assert_eq!(canvas.state().optimiser, "sign");
        // An unchanged optimiser does not start anew.
        approach(&mut canvas, &random(3 * 24 * 16, 2), 1, None);
        let before = mean(&mut canvas);
        canvas.follow(&Optimiser::Sign { momentum: 0.5 });
        assert!(mean(&mut canvas) == before && before.iter().any(|value| *value != 0.0));
    }
}

#[test]
fn weight_decay_falls_back_to_the_colour_of_the_start() {
    let area = 24 * 16;
    for basis in &BASES {
        let mut canvas = canvas(basis, 24, 16, 0.3);
        approach(&mut canvas, &vec![0.9; 3 * area], 20, None);
        canvas.follow(&Optimiser::AdamW { beta1: 0.0, beta2: 0.99, epsilon: 1.0, decay: 5.0 });
        for _ in 0..200 {
            canvas.decode(None);
            canvas.backprop(&vec![0.0; 3 * area]);
            canvas.step(0.05);
        }
        let picture = canvas.decode(None);
        for (plane, colour) in picture.chunks_exact(area).zip([0.5, 0.4, 0.6]) {
            assert!(plane.iter().all(|value| (value - colour).abs() < 2e-3), "{basis:?}: {} {colour}", plane[0]);
        }
    }
}

/// Returns the norm of the gradient of the moved parameters.
fn norm(canvas: &Canvas) -> (f64, usize) {
    let (sum, count) = canvas.store.gradient_squares();
    (sum.sqrt(), count)
}

#[test]
fn gradients_are_brought_to_a_size() {
    for basis in &BASES {
        for (size, finest) in [((33, 24), None), ((33, 24), Some(4.0)), ((17, 12), None)] {
            let mut canvas = canvas(basis, 33, 24, 0.3);
            canvas.resize(Size { width: size.0, height: size.1 });
            let shown = canvas.size();
            let decode = |canvas: &mut Canvas| {
                canvas.decode(finest);
                canvas.backprop(&random(3 * shown.area(), 4));
            };
            decode(&mut canvas);
            let (before, count) = norm(&canvas);
            // `gradient_norm` agrees with the norm of the stored gradient; scaling the gradient scales the norm.
            assert_eq!(canvas.gradient_norm(&random(3 * shown.area(), 4)), before, "{basis:?}");
            let half: Vec<f32> = random(3 * shown.area(), 4).iter().map(|value| 0.5 * value).collect();
            assert!((canvas.gradient_norm(&half) / before - 0.5).abs() < 1e-5, "{basis:?}");
            decode(&mut canvas);
            canvas.clip_gradient(2.0 * before);
            assert_eq!(norm(&canvas).0, before, "{basis:?}: what is small enough is left alone");
            canvas.clip_gradient(0.5 * before);
            assert!((norm(&canvas).0 / before - 0.5).abs() < 1e-5, "{basis:?}");
            canvas.normalise_gradient();
            assert!((norm(&canvas).0 / (count as f64).sqrt() - 1.0).abs() < 1e-5, "{basis:?}");
            canvas.backprop(&vec![0.0; 3 * shown.area()]);
            canvas.normalise_gradient();
            assert_eq!(norm(&canvas).0, 0.0, "{basis:?}");
        }
    }
}

/// Returns the means over blocks of `by` x `by` pixels.
fn blocks(picture: &[f32], width: usize, by: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = picture.chunks_exact(width).collect();
    let block = |rows: &[&[f32]], x: usize| {
        rows.iter().flat_map(|row| &row[x * by..(x + 1) * by]).sum::<f32>() / (by * by) as f32
    };
    rows.chunks_exact(by).flat_map(|rows| (0..width / by).map(move |x| block(rows, x))).collect()
}

#[test]
fn a_smaller_size_shows_the_same_shapes_in_the_same_places() {
    for basis in &BASES {
        let mut canvas = canvas(basis, 96, 64, if *basis == Basis::Pixels { 0.2 } else { 1.0 });
        for finest in [None, Some(5.0)] {
            canvas.resize(Size { width: 96, height: 64 });
            let whole = canvas.picture(finest);
            canvas.resize(Size { width: 24, height: 16 });
            assert_eq!(canvas.size(), Size { width: 24, height: 16 });
            let small = canvas.decode(finest).to_vec();
            let seen = blocks(&whole, 96, 4);
            let differences = small.iter().zip(&seen).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let spread = seen.iter().map(|b| f64::from(b - 0.5).powi(2)).sum::<f64>();
            assert!(differences < 0.1 * spread, "{basis:?} {finest:?}: {differences} of {spread}");
            if *basis == Basis::Pixels {
                return;
            }
            // Hidden detail is kept.
            assert!(canvas.picture(finest) == whole, "{basis:?}");
        }
    }
}

#[test]
fn backprop_at_a_smaller_size_is_the_derivative_of_decode() {
    for basis in &BASES {
        for (shown, finest) in [((16, 16), None), ((31, 20), None), ((22, 47), Some(5.0)), ((29, 33), Some(2.0))] {
            let mut canvas = canvas(basis, 40, 47, if *basis == Basis::Pixels { 0.1 } else { 0.5 });
            canvas.resize(Size { width: shown.0, height: shown.1 });
            let size = canvas.size();
            let weights: Vec<f32> = random(3 * size.area(), 2).iter().map(|x| x - 0.5).collect();
            canvas.decode(finest);
            canvas.backprop(&weights);
            let gradients: Vec<Vec<f32>> = canvas.store.parameters().iter().map(|(_, g)| g.to_vec()).collect();
            let (length, _) = norm(&canvas);
            let h = 4e-3f32;
            // Hidden parameters keep a gradient of 0, or an old one that is ignored: here there is no old one.
            let mut value = |by: f32| {
                for ((parameters, _), gradient) in canvas.store.parameters().into_iter().zip(&gradients) {
                    parameters.iter_mut().zip(gradient).for_each(|(p, g)| *p += by * g / length as f32);
                }
                dot(canvas.decode(finest), &weights)
            };
            let numeric = (value(h) - value(-2.0 * h)) / (2.0 * f64::from(h));
            assert!((numeric - length).abs() < 4e-3 * length, "{basis:?} {shown:?} {finest:?}: {numeric} {length}");
        }
    }
}

#[test]
fn learning_goes_on_over_changes_of_the_size() {
    let (width, height) = (64usize, 48usize);
    let goal = |width: usize, height: usize| -> Vec<f32> {
        let tau = std::f32::consts::TAU;
        let wave = |i: usize| {
            let (x, y) = ((i % width) as f32 + 0.5, (i / width % height) as f32 + 0.5);
            0.5 + 0.3
                * (tau * (x / width as f32 + (i / width / height) as f32 / 5.0)).sin()
                * (tau * y / height as f32).cos()
        };
        (0..3 * width * height).map(wave).collect()
    };
    for basis in &BASES {
        let mut canvas = canvas(basis, width as u32, height as u32, 0.01);
        let start = approach(&mut canvas, &goal(width, height), 0, None);
        canvas.resize(Size { width: 16, height: 16 });
        approach(&mut canvas, &goal(16, 16), 500, None);
        // What was learned at the small size is there at the full size, before and after the change.
        let error = |picture: &[f32]| {
            let square: f64 = picture.iter().zip(&goal(width, height)).map(|(p, g)| f64::from(p - g).powi(2)).sum();
            (square / picture.len() as f64).sqrt()
        };
        let before = error(&canvas.picture(None));
        canvas.resize(Size { width: 40, height: 30 });
        canvas.resize(Size { width: width as u32, height: height as u32 });
        let after = error(canvas.decode(None));
        assert!(before < 0.5 * start && after < 0.5 * start, "{basis:?}: {start} {before} {after}");
        // The memory suits the new size: the next steps do not jump.
        let next = approach(&mut canvas, &goal(width, height), 3, None);
        assert!(next < after + 0.05, "{basis:?}: {after} {next}");
        let end = approach(&mut canvas, &goal(width, height), 60, None);
        assert!(end < 0.3 * start, "{basis:?}: {start} {end}");
    }
}

#[test]
fn a_state_of_a_smaller_size_goes_on_bit_by_bit() {
    let small = Size { width: 20, height: 17 };
    let goal = random(3 * small.area(), 8);
    for basis in &BASES {
        for optimiser in every_optimiser() {
            let mut first = canvas(basis, 40, 33, 0.3);
            first.follow(&optimiser);
            first.resize(small);
            approach(&mut first, &goal, 3, Some(4.0));
            let mut second = canvas(basis, 40, 33, 0.0);
            second.restore(&first.state()).unwrap();
            second.follow(&optimiser);
            second.resize(small);
            for canvas in [&mut first, &mut second] {
                approach(canvas, &goal, 2, None);
                canvas.resize(Size { width: 40, height: 33 });
                approach(canvas, &random(3 * 40 * 33, 9), 2, None);
            }
            assert!(first.decode(None) == second.decode(None), "{basis:?} {optimiser:?}");
            assert!(first.state() == second.state(), "{basis:?} {optimiser:?}");
        }
    }
}

#[test]
fn a_pyramid_is_never_smaller_than_its_coarsest_level() {
    let mut canvas = canvas(&Basis::Pyramid { coarsest: 30 }, 96, 64, 0.1);
    canvas.resize(Size { width: 16, height: 16 });
    let size = canvas.size();
    assert!(size.width > 40 && size.height > 28, "{size:?}");
    assert_eq!(canvas.decode(None).len(), 3 * size.area());
}

#[test]
fn a_pixel_at_the_end_of_its_range_comes_back() {
    let mut canvas = canvas(&Basis::Pixels, 16, 16, 0.0);
    let push = |canvas: &mut Canvas, direction: f32, steps: usize| {
        for _ in 0..steps {
            canvas.decode(None);
            canvas.backprop(&vec![direction; 3 * 256]);
            canvas.step(0.1);
        }
        canvas.decode(None)[0]
    };
    assert_eq!(push(&mut canvas, -1.0, 20), 1.0);
    assert!(push(&mut canvas, 1.0, 30) < 0.5);
}

#[test]
fn a_low_pass_leaves_no_fine_detail() {
    for basis in &BASES {
        let (width, height) = (64, 48);
        let mut canvas = canvas(basis, width, height, if *basis == Basis::Pixels { 0.2 } else { 1.0 });
        let roughness = |picture: &[f32]| {
            let differences = picture
                .chunks_exact(width as usize)
                .flat_map(|row| row.windows(2).map(|w| f64::from(w[1] - w[0]).powi(2)));
            (differences.sum::<f64>() / picture.len() as f64).sqrt()
        };
        let all = roughness(canvas.decode(None));
        let some = roughness(canvas.decode(Some(6.0)));
        let few = roughness(canvas.decode(Some(3.0)));
        assert!(some < 0.7 * all && few < some, "{basis:?} {all} {some} {few}");
        assert!(canvas.decode(Some(3.0)).iter().all(|x| (-1e-6..=1.000_001).contains(x)));
    }
}

#[test]
fn larger_canvases_show_the_same() {
    // The same noise, twice the pixels: the large shapes agree.
    let basis = Basis::Fourier { decay: 1.5, chroma: 0.6 };
    let (mut small, mut large) = (canvas(&basis, 32, 32, 1.0), canvas(&basis, 64, 64, 1.0));
    let (small, large) = (small.decode(Some(6.0)), large.decode(Some(6.0)));
    for y in 0..32 {
        for x in 0..32 {
            // The large canvas's pixel centres lie around the small one's.
            let at = |dx: usize, dy: usize| large[(2 * y + dy) * 64 + 2 * x + dx];
            let mean = 0.25 * (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1));
            assert!((mean - small[y * 32 + x]).abs() < 0.15, "{mean} {}", small[y * 32 + x]);
        }
    }
}

#[test]
fn threads_change_nothing() {
    let run = |basis: &Basis, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut canvas = canvas(basis, 75, 50, 0.3);
            approach(&mut canvas, &random(3 * 75 * 50, 8), 3, Some(7.0));
            approach(&mut canvas, &random(3 * 75 * 50, 8), 3, None);
            canvas.decode(None).to_vec()
        })
    };
    for basis in &BASES {
        assert!(run(basis, 1) == run(basis, 3), "{basis:?}");
    }
}

#[test]
fn refuses_what_does_not_fit() {
    for basis in &BASES {
        let plan = plan(basis, [0.5; 3], 0.02);
        let size = Size { width: 65536, height: 65536 };
        let error = Canvas::new(&plan, size, 1).err().expect("no machine has that much").to_string();
        assert!(error.contains("65536x65536") && error.contains("GB"), "{error}");
        let error = Canvas::new(&plan, Size { width: 15, height: 64 }, 1).err().unwrap().to_string();
        assert!(error.contains("16 to 65536"), "{error}");
        assert!(Canvas::memory_needed(&plan, size) > 100 << 32);
    }
}

#[test]
fn a_state_put_back_goes_on_bit_by_bit() {
    let goal = random(3 * 40 * 33, 8);
    for basis in &BASES {
        let mut first = canvas(basis, 40, 33, 0.3);
        // Coefficients of different ages.
        approach(&mut first, &goal, 3, Some(4.0));
        approach(&mut first, &goal, 2, None);
        let mut second = canvas(basis, 40, 33, 0.0);
        second.restore(&first.state()).unwrap();
        assert!(first.state() == second.state(), "{basis:?}");
        for finest in [Some(9.0), None] {
            approach(&mut first, &goal, 3, finest);
            approach(&mut second, &goal, 3, finest);
            assert!(first.decode(finest) == second.decode(finest), "{basis:?}");
        }
        assert!(first.state() == second.state(), "{basis:?}");
    }
}

#[test]
fn no_gradient_and_the_smallest_epsilon_move_nothing() {
    let epsilon = 1e-60;
    for optimiser in
        [Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon }, Optimiser::Rmsprop { keep: 0.9, epsilon, momentum: 0.5 }]
    {
        let mut canvas = canvas(&Basis::Pixels, 24, 16, 0.1);
        canvas.follow(&optimiser);
        let before = canvas.decode(None).to_vec();
        canvas.backprop(&vec![0.0; before.len()]);
        canvas.step(0.1);
        assert!(canvas.decode(None) == before, "{optimiser:?}");
    }
}

#[test]
fn pixels_that_are_moved_later_are_the_same_to_the_bit() {
    let size = Size { width: 300, height: 200 };
    let (width, height) = (size.width as usize, size.height as usize);
    let bases = [Basis::Pixels, Basis::Pyramid { coarsest: 8 }];
    let cases = every_optimiser().into_iter().flat_map(|optimiser| bases.clone().map(|basis| (optimiser, basis)));
    for (optimiser, basis) in cases {
        let plan = plan(&basis, [0.5, 0.0, 1.0], 0.1);
        let finest = (basis != Basis::Pixels).then_some(40.0);
        let mut canvases = [0, 1].map(|_| Canvas::new(&plan, size, 5).unwrap());
        for step in 0..40u64 {
            let draws = Draws::new(9).at(step);
            // Tiles, sometimes all of them, sometimes none.
            let tiles = |x: u64, y: u64| draws.unit(1 + 16 * y + x) < [0.1, 0.4, 1.0, 0.0][(step % 7).min(3) as usize];
            let rects = (0..16).flat_map(|y| (0..16).map(move |x| (x, y))).filter(|&(x, y)| tiles(x, y));
            let rects: Vec<Rect> = rects
                .map(|(x, y)| (x as usize * TILE, y as usize * TILE))
                .filter(|&(x, y)| x < width && y < height)
                .map(|(x, y)| Rect { columns: x..(x + TILE).min(width), rows: y..(y + TILE).min(height) })
                .collect();
            let part = Spans::of(width, height, rects);
            let mut gradient = random(3 * size.area(), step);
            gradient.iter_mut().for_each(|value| *value = (*value - 0.5) * 1e-2);
            let mut inside = gradient.clone();
            for (at, value) in inside.iter_mut().enumerate() {
                if part.find(at % width, at / width % height).is_none() {
                    *value = 0.0;
                }
            }
            let (mut expected, mut own) = (Vec::new(), Vec::new());
            part.cut(canvases[0].decode(finest), &mut expected);
            part.cut(&gradient, &mut own);
            assert!(canvases[1].decode_part(finest, &part) == expected, "{optimiser:?} {basis:?} {step}");
            for (canvas, gradient) in canvases.iter_mut().zip([&inside, &own]) {
                canvas.backprop(gradient);
                match step % 3 {
                    0 => canvas.normalise_gradient(),
                    1 => canvas.clip_gradient(0.05),
                    _ => {}
                }
                canvas.step(0.05 / (1.0 + step as f64));
                if step == 5 {
                    canvas.follow(&optimiser);
                }
            }
        }
        let [whole, parts] = &mut canvases;
        assert!(whole.state() == parts.state(), "{optimiser:?} {basis:?}");
        assert!(whole.picture(Some(5.0)) == parts.picture(Some(5.0)), "{optimiser:?}");
    }
}

#[test]
fn bands_are_the_rows_of_the_picture() {
    let (width, height) = (200, 300);
    for basis in &BASES {
        let mut one = canvas(basis, width, height, 0.3);
        for (shown, finest) in [((200, 300), None), ((200, 300), Some(20.0)), ((100, 150), None)] {
            one.resize(Size { width: shown.0, height: shown.1 });
            let picture = one.picture(finest);
            let mut rows = vec![Vec::<f32>::new(); 3];
            let all = one.bands(finest, |band| {
                assert!(band.len() % (3 * width as usize) == 0);
                rows.iter_mut().zip(band.chunks_exact(band.len() / 3)).for_each(|(plane, band)| plane.extend(band));
                Ok::<(), ()>(())
            });
            assert!(all.is_ok() && rows.concat() == picture, "{basis:?} {shown:?} {finest:?}");
            assert_eq!(one.bands(finest, |_| Err(7)), Err(7));
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    for basis in &BASES {
        let mut other = canvas(basis, 40, 33, 0.3);
        let mut refused = |change: &dyn Fn(&mut State<'_>)| {
            let mut state = other.state();
            change(&mut state);
            canvas(basis, 40, 33, 0.0).restore(&state).expect_err("a state that does not fit")
        };
        assert!(matches!(refused(&|state| state.basis = "spline".into()), StateError::Basis { .. }));
        assert!(matches!(refused(&|state| state.optimiser = "newton".into()), StateError::Optimiser(_)));
        assert!(matches!(refused(&|state| drop(state.tensors.remove(1))), StateError::Missing(_)));
        assert!(matches!(refused(&|state| state.tensors[0].name = "weights".into()), StateError::Unknown(_)));
        assert!(matches!(refused(&|state| state.tensors[0].shape[0] = 4), StateError::Shape { .. }));
        assert!(matches!(refused(&|state| state.tensors[0].values = Values::F32(&[0.5])), StateError::Shape { .. }));
        assert!(matches!(refused(&|state| state.tensors[0].values = Values::U64(&[1])), StateError::Type(_)));
        let error = canvas(basis, 40, 32, 0.0).restore(&other.state()).unwrap_err();
        assert!(matches!(error, StateError::Shape { .. }), "{error}");
    }
}

/// Returns optimisers of every kind, for tests.
pub(super) fn every_optimiser() -> [Optimiser; 7] {
    let (beta1, beta2, epsilon) = (0.9, 0.99, 1e-8);
    [
        Optimiser::ADAM,
        Optimiser::AdamW { beta1, beta2, epsilon, decay: 0.3 },
        Optimiser::Sgd { momentum: 0.0, nesterov: false },
        Optimiser::Sgd { momentum: 0.9, nesterov: true },
        Optimiser::Rmsprop { keep: 0.9, epsilon, momentum: 0.0 },
        Optimiser::Rmsprop { keep: 0.9, epsilon, momentum: 0.5 },
        Optimiser::Sign { momentum: 0.9 },
    ]
}
