//! What holds for every basis.

use super::*;
use crate::plan::{Ground, Init};

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
                // Along the gradient itself, where the derivative is large, one random direction turned into it.
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

/// Steps towards a goal, |picture - goal|^2 / 2.
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
        // Without memory a step follows the last gradient alone, whatever was before.
        let adam = Adam { beta1: 0.0, beta2: 0.0, epsilon: 1e-12 };
        let mut canvas = canvas(basis, 16, 16, 0.0).with_adam(adam);
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
        // Coefficients of several ages.
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
fn a_state_that_does_not_fit_is_refused() {
    for basis in &BASES {
        let other = canvas(basis, 40, 33, 0.3);
        let refused = |change: &dyn Fn(&mut State<'_>)| {
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
