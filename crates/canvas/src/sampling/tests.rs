//! Properties of windows as a whole.

use super::homography::Homography;
use super::*;
use crate::chance::Draws;
use crate::plan::{Axis, Edge, Fit, Pipeline, Range, Schedule, Sight, Size, Spectrum, Stage, StageKind, Time};

pub(super) fn random(count: usize, seed: u64) -> Vec<f32> {
    (0..count as u64).map(|i| Draws::new(seed).unit(i) as f32).collect()
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

const NOW: Time = Time { t: 0.3, whole: 0.2, step: 5 };

fn range(low: f64, high: f64) -> Range {
    Range { low: Schedule::Constant(low), high: Schedule::Constant(high) }
}

fn stage(kind: StageKind, key: u64) -> Stage {
    Stage { kind, chance: Schedule::Constant(1.0), key }
}

fn pipeline(kinds: impl IntoIterator<Item = StageKind>, edge: Edge) -> Pipeline {
    Pipeline { stages: kinds.into_iter().zip(1..).map(|(kind, key)| stage(kind, key)).collect(), edge }
}

fn shown(size: Size, picture: &[f32], windows: &[Window], side: u32) -> Vec<f32> {
    let mut levels = Levels::new(size);
    levels.build(picture, &Visible::whole(size));
    let mut out = vec![f32::NAN; windows.len() * 3 * (side * side) as usize];
    gather(&levels, windows, side, &mut out);
    out
}

/// Returns the gradient of the whole picture, through scratch of its own.
fn scattered(size: Size, windows: &[Window], side: u32, gradients: &[f32]) -> Vec<f32> {
    let mut pixel_gradient = vec![f32::NAN; 3 * size.area()];
    let (levels, visible) = (Levels::new(size), Visible::whole(size));
    scatter(&levels, windows, side, gradients, &mut ScatterScratch::new(size), &visible, &mut pixel_gradient);
    pixel_gradient
}

fn square(side: u32) -> Size {
    Size { width: side, height: side }
}

/// Returns a window on the whole canvas with these stages.
fn whole(side: u32, kinds: impl IntoIterator<Item = StageKind>) -> Window {
    let frame = Frame::new(square(side), side);
    let sight = Sight::Whole { fit: Fit::Stretch };
    Window::draw(&frame, sight, &pipeline(kinds, Edge::Mirror), Draws::new(3), &NOW)
}

fn assert_close(a: &[f32], b: &[f32], bound: f32) {
    assert_eq!(a.len(), b.len());
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= bound, "differs by {worst}");
}

/// Returns a picture with its pixels moved: `at(x, y)` is the source of each.
fn moved(picture: &[f32], side: usize, at: impl Fn(usize, usize) -> (usize, usize)) -> Vec<f32> {
    let mut out = Vec::new();
    for plane in picture.chunks_exact(side * side) {
        for y in 0..side {
            for x in 0..side {
                let (x, y) = at(x, y);
                out.push(plane[y * side + x]);
            }
        }
    }
    out
}

#[test]
fn life_size_returns_the_pixels() {
    let picture = random(3 * 32 * 32, 1);
    assert_close(&shown(square(32), &picture, &[whole(32, [])], 32), &picture, 0.0);
}

#[test]
fn quarter_turns_and_flips_move_pixels() {
    let side = 24;
    let n = side as usize - 1;
    let picture = random(3 * 24 * 24, 1);
    let see = |kinds: Vec<StageKind>| shown(square(side), &picture, &[whole(side, kinds)], side);
    // Counter-clockwise: the right side is now at the top.
    let turned = moved(&picture, 24, |x, y| (n - y, x));
    assert_close(&see(vec![StageKind::Rotate(range(90.0, 90.0))]), &turned, 1e-6);
    let left_right = moved(&picture, 24, |x, y| (n - x, y));
    assert_close(&see(vec![StageKind::Flip(Axis::Horizontal)]), &left_right, 1e-6);
    let up_down = moved(&picture, 24, |x, y| (x, n - y));
    assert_close(&see(vec![StageKind::Flip(Axis::Vertical)]), &up_down, 1e-6);
    // Written order: turned, then mirrored.
    let both = moved(&turned, 24, |x, y| (n - x, y));
    let kinds = vec![StageKind::Rotate(range(90.0, 90.0)), StageKind::Flip(Axis::Horizontal)];
    assert_close(&see(kinds), &both, 1e-6);
}

#[test]
fn shifts_meet_the_edge_rules() {
    let side = 16usize;
    let picture = random(3 * side * side, 1);
    let see = |edge| {
        let frame = Frame::new(square(16), 16);
        let map = Homography::translation(5.0, 0.0);
        let window = Window::new(map, frame.side, edge, Vec::new());
        shown(frame.size, &picture, &[window], frame.side)
    };
    assert_close(&see(Edge::Wrap), &moved(&picture, side, |x, y| ((x + 5) % 16, y)), 1e-6);
    assert_close(&see(Edge::Clamp), &moved(&picture, side, |x, y| ((x + 5).min(15), y)), 1e-6);
    let mirrored = |x: usize| if x + 5 < 16 { x + 5 } else { 31 - (x + 5) };
    assert_close(&see(Edge::Mirror), &moved(&picture, side, |x, y| (mirrored(x), y)), 1e-6);
    let filled = see(Edge::Fill([0.1, 0.2, 0.3]));
    assert_eq!([filled[15], filled[256 + 15], filled[512 + 15]], [0.1, 0.2, 0.3]);
}

#[test]
fn halving_is_the_mean_of_four() {
    let picture = random(3 * 32 * 32, 1);
    let frame = Frame::new(square(32), 16);
    let sight = Sight::Whole { fit: Fit::Stretch };
    let window = Window::draw(&frame, sight, &pipeline([], Edge::Mirror), Draws::new(3), &NOW);
    let seen = shown(frame.size, &picture, &[window], 16);
    let mut expected = Vec::new();
    for plane in picture.chunks_exact(32 * 32) {
        for y in 0..16 {
            for x in 0..16 {
                let at = |dx: usize, dy: usize| plane[(2 * y + dy) * 32 + 2 * x + dx];
                expected.push(0.25 * (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)));
            }
        }
    }
    assert_close(&seen, &expected, 1e-6);
}

fn checkerboard(side: usize, field: usize) -> Vec<f32> {
    let plane = (0..side * side).map(|i| ((i / side / field + i % side / field) % 2) as f32);
    let plane: Vec<f32> = plane.collect();
    plane.repeat(3)
}

#[test]
fn a_shrunk_checkerboard_is_grey() {
    let picture = checkerboard(512, 1);
    let frame = Frame::new(square(512), 64);
    for angle in [0.0, 7.0, 45.0] {
        for cover in [0.7, 0.93, 1.0] {
            let kinds = [StageKind::Cover(range(cover, cover)), StageKind::Rotate(range(angle, angle))];
            let sight = Sight::Whole { fit: Fit::Stretch };
            let window = Window::draw(&frame, sight, &pipeline(kinds, Edge::Mirror), Draws::new(3), &NOW);
            let seen = shown(frame.size, &picture, &[window], 64);
            assert!(seen.iter().all(|x| (x - 0.5).abs() < 1e-5));
        }
    }
}

/// Returns the contrast (standard deviation) within bands of rows.
fn contrasts(seen: &[f32], side: usize, bands: usize) -> Vec<f64> {
    let of = |rows: &[f32]| {
        let mean = rows.iter().map(|&x| f64::from(x)).sum::<f64>() / rows.len() as f64;
        (rows.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / rows.len() as f64).sqrt()
    };
    seen[..side * side].chunks_exact(side * side / bands).map(of).collect()
}

#[test]
fn perspective_neither_aliases_nor_blurs() {
    // Squares of 4 pixels: the near edge magnifies them, the far edge shows several per pixel.
    let picture = checkerboard(512, 4);
    let size = square(512);
    let side = 64;
    // Depth 1 at the top edge to 0.16 at the bottom, where a window pixel is 5 canvas pixels wide and 31 long.
    let far = f64::from(side);
    let tilt = Homography([[0.8, 0.0, 0.0], [0.0, 0.8, 0.0], [0.0, -0.84 / far, 1.0]]);
    let map = Homography::translation(256.0, 20.0).after(&tilt).after(&Homography::translation(-0.5 * far, 0.0));
    let window = Window::new(map, side, Edge::Mirror, Vec::new());
    let seen = shown(size, &picture, &[window], side);
    let contrast = contrasts(&seen, side as usize, 8);
    // A checkerboard of 0 and 1 has contrast 0.5.
    assert!(contrast[0] > 0.4, "{contrast:?}");
    assert!(contrast[3] > 0.2, "{contrast:?}");
    // Along the view the far squares are smaller than a pixel: the remaining contrast is low, and no aliasing pattern appears.
    assert!(contrast[7] < 0.06, "{contrast:?}");
    assert!(contrast.windows(2).all(|pair| pair[1] < pair[0] + 0.02), "{contrast:?}");
}

#[test]
fn stretching_neither_aliases_nor_blurs() {
    // Eight canvas pixels per window pixel along x, one along y.
    let size = Size { width: 512, height: 64 };
    let frame = Frame::new(size, 64);
    let see = |value: fn(usize, usize) -> usize| {
        let plane: Vec<f32> = (0..size.area()).map(|i| (value(i % 512, i / 512) % 2) as f32).collect();
        let sight = Sight::Whole { fit: Fit::Stretch };
        let window = Window::draw(&frame, sight, &pipeline([], Edge::Mirror), Draws::new(3), &NOW);
        contrasts(&shown(size, &plane.repeat(3), &[window], 64), 64, 1)[0]
    };
    for stripes in [|x, _| x, |x, _| x / 2, |x, _| x / 4] {
        assert!(see(stripes) < 0.01, "{}", see(stripes));
    }
    assert!(see(|_, y| y / 4) > 0.35, "{}", see(|_, y| y / 4));
}

#[test]
fn places_stay_near_the_canvas_and_reach_its_borders() {
    let frame = Frame::new(Size { width: 300, height: 200 }, 64);
    let roam = pipeline([StageKind::Cover(range(0.25, 0.5))], Edge::Mirror);
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    for place in 0..4000 {
        let draws = Draws::new(1).at(place);
        let corners = Window::draw(&frame, Sight::Places, &roam, draws, &NOW).corners();
        let side = corners[1][0] - corners[0][0];
        assert!((0.25 * 200.0..0.5 * 200.0).contains(&side));
        assert!(corners[0][0] >= -side / 8.0 - 1e-9 && corners[2][1] <= 200.0 + side / 8.0 + 1e-9);
        left = left.min(corners[0][0] / side);
        right = right.max((corners[2][0] - 300.0) / side);
    }
    assert!(left < -0.11 && right > 0.11, "{left} {right}");
    // Without a size: life size. Larger than the canvas: centred on it.
    let corners = Window::draw(&frame, Sight::Places, &pipeline([], Edge::Mirror), Draws::new(1), &NOW).corners();
    assert!((corners[1][0] - corners[0][0] - 64.0).abs() < 1e-9);
    let large = pipeline([StageKind::Zoom(range(0.2, 0.2))], Edge::Mirror);
    let corners = Window::draw(&frame, Sight::Places, &large, Draws::new(1), &NOW).corners();
    assert!((corners[0][1] + corners[2][1] - 200.0).abs() < 1e-9);
    assert!((corners[1][0] - corners[0][0] - 320.0).abs() < 1e-9);
}

#[test]
fn compositions_fit() {
    let frame = Frame::new(Size { width: 300, height: 200 }, 64);
    let corners = |fit, seed| {
        Window::draw(&frame, Sight::Whole { fit }, &pipeline([], Edge::Mirror), Draws::new(seed), &NOW).corners()
    };
    let near = |a: [[f64; 2]; 4], b: [[f64; 2]; 2]| {
        (0..2).all(|i| (a[0][i] - b[0][i]).abs() < 1e-9 && (a[2][i] - b[1][i]).abs() < 1e-9)
    };
    assert!(near(corners(Fit::Stretch, 1), [[0.0, 0.0], [300.0, 200.0]]));
    assert!(near(corners(Fit::Contain, 1), [[0.0, -50.0], [300.0, 250.0]]));
    let starts: Vec<f64> = (0..50).map(|seed| corners(Fit::Slide, seed)[0][0]).collect();
    assert!(starts.iter().all(|x| (0.0..=100.0).contains(x)));
    assert!(starts.iter().any(|x| *x < 20.0) && starts.iter().any(|x| *x > 80.0));
    assert!((0..9).all(|seed| near(
        corners(Fit::Slide, seed),
        [[starts[seed as usize], 0.0], [starts[seed as usize] + 200.0, 200.0]]
    )));
}

#[test]
fn perspective_shows_twice_as_much_at_its_far_edge() {
    for seed in 0..200 {
        let frame = Frame::new(square(256), 64);
        let kinds = [StageKind::Cover(range(0.5, 0.5)), StageKind::Perspective(range(1.0, 1.0))];
        let window = Window::draw(&frame, Sight::Places, &pipeline(kinds, Edge::Mirror), Draws::new(seed), &NOW);
        let m = window.map.0;
        // The direction in which depth falls, and the points half a side away along it.
        let length = m[2][0].hypot(m[2][1]);
        let d = [-m[2][0] / length, -m[2][1] / length];
        let depth = |s: f64| window.map.depth([32.0 + 32.0 * s * d[0], 32.0 + 32.0 * s * d[1]]);
        assert!((depth(-1.0) / depth(1.0) - 2.0).abs() < 1e-9, "{}", depth(-1.0) / depth(1.0));
    }
}

#[test]
fn no_tilt_leads_behind_the_horizon() {
    let frame = Frame::new(square(64), 16);
    for seed in 0..500 {
        let tilt = || StageKind::Perspective(range(1.0, 1.0));
        let kinds = [tilt(), StageKind::Shift(range(-2.0, 2.0)), tilt(), tilt(), StageKind::Rotate(range(-90.0, 90.0))];
        let window = Window::draw(&frame, Sight::Places, &pipeline(kinds, Edge::Mirror), Draws::new(seed), &NOW);
        for corner in [[0.0, 0.0], [16.0, 0.0], [16.0, 16.0], [0.0, 16.0]] {
            assert!(window.map.depth(corner) > 0.0);
        }
        assert!(window.corners().as_flattened().iter().all(|x| x.abs() < 1e4));
    }
}

#[test]
fn nothing_a_recipe_could_say_panics() {
    let frame = Frame::new(Size { width: 16, height: 40 }, 11);
    let extremes = [0.0, -1.0, 1.0, 1e-300, 1e9, -1e300, f64::INFINITY, f64::NAN];
    let kinds: [fn(Range) -> StageKind; 23] = [
        StageKind::Cover,
        StageKind::Zoom,
        StageKind::Shift,
        StageKind::Rotate,
        StageKind::Perspective,
        StageKind::Blur,
        |range| StageKind::Noise(range, Spectrum::White),
        |range| StageKind::Noise(range.clone(), Spectrum::Coarse(range.high)),
        StageKind::Colour,
        StageKind::Brightness,
        StageKind::Contrast,
        StageKind::Saturation,
        StageKind::Hue,
        StageKind::Sharpen,
        StageKind::Erase,
        StageKind::Pixelate,
        StageKind::Quantise,
        StageKind::Gamma,
        StageKind::Edges,
        StageKind::Clamp,
        StageKind::Shear,
        StageKind::Stretch,
        StageKind::Crop,
    ];
    let gradients = random(3 * 121, 1);
    let mut scratch = ScatterScratch::new(frame.size);
    let mut pixel_gradient = vec![0.0; 3 * frame.size.area()];
    for (seed, kind) in (0..).zip(kinds) {
        for low in extremes {
            for high in extremes {
                let tilt = StageKind::Perspective(range(0.0, 1.0));
                let pipeline = pipeline([kind(range(low, high)), tilt], Edge::Wrap);
                let window = Window::draw(&frame, sight(seed), &pipeline, Draws::new(seed), &NOW);
                let picture = random(3 * frame.size.area(), 2);
                shown(frame.size, &picture, std::slice::from_ref(&window), 11);
                scattered(frame.size, std::slice::from_ref(&window), 11, &gradients);
                let visible = Visible::of(frame.size, [&window]);
                let mut part = Vec::new();
                visible.canvas().cut(&picture, &mut part);
                let mut levels = Levels::new(frame.size);
                levels.build(&part, &visible);
                pixel_gradient.resize(part.len(), 0.0);
                scatter(&levels, &[window], 11, &gradients, &mut scratch, &visible, &mut pixel_gradient);
            }
        }
    }
}

#[test]
fn stages_act_by_chance_and_hang_on_their_key() {
    let frame = Frame::new(square(128), 32);
    let mut turn = stage(StageKind::Rotate(range(-30.0, 30.0)), 77);
    turn.chance = Schedule::Constant(0.3);
    let cover = stage(StageKind::Cover(range(0.3, 0.6)), 5);
    let one = Pipeline { stages: vec![cover.clone(), turn.clone()], edge: Edge::Mirror };
    let other = Pipeline {
        stages: vec![stage(StageKind::Noise(range(0.0, 0.1), Spectrum::White), 9), cover, turn],
        edge: Edge::Mirror,
    };
    let mut turned = 0;
    for place in 0..2000 {
        let draw = |pipeline| Window::draw(&frame, Sight::Places, pipeline, Draws::new(2).at(place), &NOW);
        assert_eq!(draw(&one).corners(), draw(&other).corners());
        turned += usize::from(draw(&one).map.0[0][1] != 0.0);
    }
    assert!((500..700).contains(&turned), "{turned}");
}

/// Returns stages of every linear kind, each at random present or absent.
fn random_pipeline(seed: u64) -> Pipeline {
    let draws = Draws::new(seed);
    let kinds = [
        StageKind::Cover(range(0.2, 1.4)),
        StageKind::Shift(range(-0.2, 0.2)),
        StageKind::Rotate(range(-180.0, 180.0)),
        StageKind::Perspective(range(0.0, 1.0)),
        StageKind::Flip(Axis::Horizontal),
        StageKind::Zoom(range(0.5, 3.0)),
        StageKind::Perspective(range(0.0, 1.0)),
        StageKind::Blur(range(0.0, 2.0)),
        StageKind::Noise(range(0.0, 0.1), Spectrum::White),
        StageKind::Noise(range(0.0, 0.1), Spectrum::Pink),
        StageKind::Colour(range(0.0, 0.2)),
        StageKind::Brightness(range(0.5, 1.5)),
        StageKind::Contrast(range(0.0, 2.0)),
        StageKind::Saturation(range(0.0, 2.0)),
        StageKind::Hue(range(-180.0, 180.0)),
        StageKind::Sharpen(range(0.0, 2.0)),
        StageKind::Erase(range(0.0, 0.8)),
        StageKind::Pixelate(range(1.0, 5.0)),
        StageKind::Shear(range(-30.0, 30.0)),
        StageKind::Stretch(range(0.5, 2.0)),
        StageKind::Crop(range(0.5, 1.5)),
    ];
    let some = kinds.into_iter().enumerate().filter(|(i, _)| draws.unit(*i as u64) < 0.4).map(|(_, kind)| kind);
    let edge = [Edge::Mirror, Edge::Wrap, Edge::Clamp, Edge::Fill([0.2, 0.4, 0.6])][(draws.unit(99) * 4.0) as usize];
    pipeline(some, edge)
}

fn sight(seed: u64) -> Sight {
    match Draws::new(seed).bits(1234) % 5 {
        0 => Sight::Whole { fit: Fit::Stretch },
        1 => Sight::Whole { fit: Fit::Contain },
        2 => Sight::Whole { fit: Fit::Slide },
        _ => Sight::Places,
    }
}

fn random_windows(frame: &Frame, seed: u64, count: u64) -> Vec<Window> {
    let draw = |i| Window::draw(frame, sight(seed + i), &random_pipeline(seed + i), Draws::new(seed).at(i), &NOW);
    (0..count).map(draw).collect()
}

#[test]
fn scatter_is_the_adjoint_of_gather() {
    let cases = [(64, 64, 16), (37, 91, 13), (200, 30, 24), (17, 16, 32), (16, 300, 9), (129, 128, 8)];
    for (case, (width, height, side)) in cases.into_iter().enumerate() {
        let frame = Frame::new(Size { width, height }, side);
        for seed in 0..12 {
            let seed = 1000 * case as u64 + 10 * seed;
            let windows = random_windows(&frame, seed, 5);
            let picture = random(3 * frame.size.area(), seed + 1);
            let gradients = random(windows.len() * 3 * (side * side) as usize, seed + 2);
            // Noise, offsets and fill colours are constants; the rest is linear.
            let seen = shown(frame.size, &picture, &windows, side);
            let black = shown(frame.size, &vec![0.0; picture.len()], &windows, side);
            let forward = dot(&seen, &gradients) - dot(&black, &gradients);
            let pixel_gradient = scattered(frame.size, &windows, side, &gradients);
            let backward = dot(&picture, &pixel_gradient);
            assert!((forward - backward).abs() <= 1e-5 * forward.abs(), "{frame:?} {seed}: {forward} {backward}");
        }
    }
}

#[test]
fn each_pixel_of_the_adjoint_is_right() {
    // A single window, every column of the matrix: no errors can cancel.
    let frame = Frame::new(Size { width: 19, height: 16 }, 6);
    for seed in [3, 8, 21] {
        let windows = random_windows(&frame, seed, 2);
        let gradients = random(2 * 3 * 36, 1);
        let pixel_gradient = scattered(frame.size, &windows, frame.side, &gradients);
        let mut picture = vec![0.0; pixel_gradient.len()];
        let black = dot(&shown(frame.size, &picture, &windows, frame.side), &gradients);
        for pixel in 0..picture.len() {
            picture[pixel] = 1.0;
            let forward = dot(&shown(frame.size, &picture, &windows, frame.side), &gradients) - black;
            picture[pixel] = 0.0;
            assert!((forward - f64::from(pixel_gradient[pixel])).abs() < 2e-5, "{seed} {pixel}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let frame = Frame::new(Size { width: 150, height: 211 }, 40);
    let windows = random_windows(&frame, 42, 9);
    let picture = random(3 * frame.size.area(), 1);
    let gradients = random(9 * 3 * 1600, 2);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let seen = shown(frame.size, &picture, &windows, frame.side);
            let pixel_gradient = scattered(frame.size, &windows, frame.side, &gradients);
            (seen, pixel_gradient)
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn scratch_can_be_used_again() {
    let frame = Frame::new(Size { width: 64, height: 48 }, 16);
    let mut scratch = ScatterScratch::new(frame.size);
    for seed in 0..6 {
        let windows = random_windows(&frame, 7 * seed, 3);
        let gradients = random(3 * 3 * 256, seed);
        let mut old = vec![f32::NAN; 3 * frame.size.area()];
        let (levels, visible) = (Levels::new(frame.size), Visible::whole(frame.size));
        scatter(&levels, &windows, 16, &gradients, &mut scratch, &visible, &mut old);
        assert_eq!(old, scattered(frame.size, &windows, 16, &gradients));
    }
    let mut none = vec![f32::NAN; 3 * frame.size.area()];
    scatter(&Levels::new(frame.size), &[], 16, &[], &mut scratch, &Visible::whole(frame.size), &mut none);
    assert!(none.iter().all(|x| *x == 0.0));
}

#[test]
fn small_windows_under_strong_tilts_are_sampled() {
    // In a window smaller than a run, the run extends beyond it, possibly behind the horizon under a strong tilt.
    let size = square(40);
    let picture = random(3 * size.area(), 1);
    for side in [1, 3, 5, 9] {
        let frame = Frame::new(size, side);
        let tilts = [StageKind::Perspective(range(1.0, 1.0)), StageKind::Perspective(range(1.0, 1.0))];
        let pipeline = pipeline(tilts, Edge::Mirror);
        let windows: Vec<Window> =
            (0..300).map(|place| Window::draw(&frame, Sight::Places, &pipeline, Draws::new(place), &NOW)).collect();
        let out = shown(size, &picture, &windows, side);
        assert!(out.iter().all(|v| (0.0..=1.0).contains(v)));
    }
}

/// A region on a canvas, from a rectangle in fractions.
fn rectangle(fractions: [f64; 4], size: Size) -> Region {
    Region::new(&crate::plan::Region::Rectangle { sides: fractions, feather: 0.0 }, size).unwrap()
}

#[test]
fn places_of_a_region_lie_in_it() {
    let frame = Frame::new(Size { width: 300, height: 200 }, 64);
    let region = rectangle([0.5, 0.25, 0.5, 0.75], frame.size);
    let roam = pipeline([StageKind::Cover(range(0.1, 0.4))], Edge::Mirror);
    let draw = |place: u64, sight, pipeline: &Pipeline| {
        Window::draw_within(&frame, Some(&region), sight, pipeline, (Draws::new(1).at(place), None), &NOW).corners()
    };
    let mut reached = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    for place in 0..2000 {
        let [from, _, to, _] = draw(place, Sight::Places, &roam);
        // Sizes are relative to the canvas, the border rule to the region.
        assert!((0.1 * 200.0 - 1e-9..0.4 * 200.0).contains(&(to[0] - from[0])));
        let beyond = (to[0] - from[0]) / 8.0 + 1e-9;
        assert!(from[0] >= 150.0 - beyond && from[1] >= 50.0 - beyond, "{from:?}");
        assert!(to[0] <= 300.0 + beyond && to[1] <= 200.0 + beyond, "{to:?}");
        for axis in 0..2 {
            reached[0][axis] = reached[0][axis].min(from[axis]);
            reached[1][axis] = reached[1][axis].max(to[axis]);
        }
    }
    assert!(reached[0][0] < 150.0 && reached[0][1] < 50.0 && reached[1][0] > 300.0 && reached[1][1] > 200.0);
    // A window larger than the region is centred on it.
    let [from, _, to, _] = draw(1, Sight::Places, &pipeline([StageKind::Cover(range(0.9, 0.9))], Edge::Mirror));
    assert!((from[0] + to[0] - 450.0).abs() < 1e-9 && (from[1] + to[1] - 250.0).abs() < 1e-9);
}

#[test]
fn compositions_fit_their_region() {
    let frame = Frame::new(Size { width: 300, height: 200 }, 64);
    let region = rectangle([0.2, 0.5, 0.4, 0.5], frame.size);
    let corners = |fit| {
        let sight = Sight::Whole { fit };
        let none = pipeline([], Edge::Mirror);
        let [from, _, to, _] =
            Window::draw_within(&frame, Some(&region), sight, &none, (Draws::new(1), None), &NOW).corners();
        [from, to].map(|corner| corner.map(|at| (at * 1e6).round() / 1e6))
    };
    assert_eq!(corners(Fit::Stretch), [[60.0, 100.0], [180.0, 200.0]]);
    assert_eq!(corners(Fit::Contain), [[60.0, 90.0], [180.0, 210.0]]);
    let [from, to] = corners(Fit::Slide);
    assert_eq!([from[1], to[1], to[0] - from[0]], [100.0, 200.0, 100.0]);
    assert!((60.0..=80.0).contains(&from[0]));
}

#[test]
fn the_gradient_of_a_region_is_the_adjoint_of_gathering_from_it_alone() {
    let frame = Frame::new(Size { width: 50, height: 36 }, 12);
    let region = rectangle([0.1, 0.3, 0.55, 0.6], frame.size);
    for seed in 0..6 {
        let draw = |i| {
            let pipeline = random_pipeline(seed + i);
            Window::draw_within(&frame, Some(&region), sight(seed + i), &pipeline, (Draws::new(seed).at(i), None), &NOW)
        };
        let windows: Vec<Window> = (0..4).map(draw).collect();
        let picture = random(3 * frame.size.area(), seed + 1);
        let gradients = random(windows.len() * 3 * 144, seed + 2);
        // Only the part in the region differs from black.
        let mut inside = vec![0.0; picture.len()];
        region.add(Visible::whole(frame.size).canvas(), &picture, &mut inside);
        let seen = shown(frame.size, &inside, &windows, 12);
        let black = shown(frame.size, &vec![0.0; picture.len()], &windows, 12);
        let forward = dot(&seen, &gradients) - dot(&black, &gradients);
        let whole = scattered(frame.size, &windows, 12, &gradients);
        let mut masked = vec![0.0; picture.len()];
        region.add(Visible::whole(frame.size).canvas(), &whole, &mut masked);
        let backward = dot(&picture, &masked);
        assert!((forward - backward).abs() <= 1e-5 * forward.abs().max(1.0), "{seed}: {forward} {backward}");
    }
}

#[test]
fn places_that_stay_keep_their_size_and_centre_and_lie_evenly() {
    let size = square(400);
    let frame = Frame::new(size, 16);
    let pipeline = pipeline([StageKind::Cover(range(0.2, 0.4)), StageKind::Shift(range(-0.01, 0.01))], Edge::Mirror);
    let middle = |corners: [[f64; 2]; 4]| [0, 1].map(|axis| (corners[0][axis] + corners[2][axis]) / 2.0);
    let view = |number: u64, step: u64| {
        let fixed = FixedPlace::new(number, Draws::new(9));
        Window::draw_within(&frame, None, Sight::Places, &pipeline, (Draws::new(step), Some(&fixed)), &NOW).corners()
    };
    let mut quarters = [0; 4];
    for number in 0..16 {
        let first = view(number, 0);
        for step in 1..20 {
            let again = view(number, step);
            let wide = |corners: [[f64; 2]; 4]| corners[1][0] - corners[0][0];
            assert!((wide(again) - wide(first)).abs() < 1e-9);
            let apart = [0, 1].map(|axis| (middle(again)[axis] - middle(first)[axis]).abs());
            // The distance that `shift` moves it, and nothing else: at most fractions of a window of 160 pixels.
            assert!(apart.iter().all(|apart| *apart <= 0.02 * 160.0 + 1e-9), "{apart:?}");
        }
        let [x, y] = middle(first);
        quarters[usize::from(x > 200.0) + 2 * usize::from(y > 200.0)] += 1;
    }
    assert!(quarters.iter().all(|count| (3..=5).contains(count)), "{quarters:?}");
    assert_ne!(view(0, 0), view(1, 0));
}

#[test]
fn a_part_of_the_canvas_gives_what_the_whole_gives() {
    let mut parts = 0;
    for (case, (width, height)) in [(512, 512), (517, 389), (300, 1000), (1023, 257)].into_iter().enumerate() {
        let size = Size { width, height };
        let frame = Frame::new(size, 20);
        // What stands in the levels and in the scratch from other steps must not matter.
        let before = random(4 * 1000, case as u64);
        let dirty = |levels: &mut Levels| {
            levels.clear(0, levels.last(), &Visible::whole(size));
            for level in &mut levels.levels {
                let values = before.chunks_exact(4).cycle();
                level.pixels.iter_mut().zip(values).for_each(|(pixel, v)| *pixel = [v[0], v[1], v[2], 0.0]);
            }
        };
        let cut = |visible: &Visible, planes: &[f32]| {
            let mut part = Vec::new();
            visible.canvas().cut(planes, &mut part);
            part
        };
        for seed in 0..20 {
            let draws = |i| Draws::new(seed).at(1000 * case as u64 + i);
            let window = |i| Window::draw(&frame, Sight::Places, &random_pipeline(7 * seed + i), draws(i), &NOW);
            let windows: Vec<Window> = (0..4).map(window).collect();
            let visible = Visible::of(size, &windows);
            parts += u32::from(!visible.canvas().is_whole());
            let picture = random(3 * size.area(), seed);
            let mut levels = Levels::new(size);
            dirty(&mut levels);
            levels.build(&cut(&visible, &picture), &visible);
            let mut seen = vec![f32::NAN; 4 * 3 * 400];
            gather(&levels, &windows, 20, &mut seen);
            assert!(seen == shown(size, &picture, &windows, 20), "{size:?} {seed}");
            assert_eq!(levels.rgb8().is_some(), visible.canvas().is_whole());

            let gradients = random(seen.len(), seed + 9);
            let whole = scattered(size, &windows, 20, &gradients);
            let mut scratch = ScatterScratch::new(size);
            dirty(scratch.levels());
            let mut part = vec![f32::NAN; 3 * visible.canvas().area()];
            scatter(&levels, &windows, 20, &gradients, &mut scratch, &visible, &mut part);
            assert!(part == cut(&visible, &whole), "{size:?} {seed}");
            let [inside, all] = [&part, &whole].map(|values| values.iter().filter(|value| **value != 0.0).count());
            assert_eq!(inside, all, "a gradient beyond the visible part: {size:?} {seed}");
        }
    }
    assert!(parts > 30, "only {parts} covers are parts");
}

/// Returns the gradient of a picture where the stages may be of any kind.
fn scattered_at(size: Size, picture: &[f32], windows: &[Window], side: u32, gradients: &[f32]) -> Vec<f32> {
    let (mut levels, visible) = (Levels::new(size), Visible::whole(size));
    levels.build(picture, &visible);
    let mut pixel_gradient = vec![f32::NAN; picture.len()];
    scatter(&levels, windows, side, gradients, &mut ScatterScratch::new(size), &visible, &mut pixel_gradient);
    pixel_gradient
}

#[test]
fn filters_that_are_not_linear_go_back_by_their_derivatives() {
    let frame = Frame::new(Size { width: 40, height: 31 }, 14);
    let noise = |spectrum| StageKind::Noise(range(0.05, 0.05), spectrum);
    let gamma = |exponent| StageKind::Gamma(range(exponent, exponent));
    let edges = |amount| StageKind::Edges(range(amount, amount));
    let pipelines = [
        vec![gamma(0.6)],
        vec![StageKind::Blur(range(1.0, 1.0)), gamma(2.2), StageKind::Colour(range(0.2, 0.2))],
        vec![edges(1.0)],
        vec![edges(0.4), gamma(1.4), StageKind::Rotate(range(20.0, 20.0))],
        vec![
            StageKind::Contrast(range(2.0, 2.0)),
            StageKind::Clamp(range(0.2, 0.8)),
            StageKind::Hue(range(50.0, 50.0)),
        ],
        vec![noise(Spectrum::Brown), gamma(0.8), StageKind::Sharpen(range(1.0, 1.0)), edges(0.7), gamma(1.5)],
    ];
    let norm = |values: &[f32]| dot(values, values).sqrt();
    for (case, kinds) in (0..).zip(pipelines) {
        let pipeline = pipeline(kinds, Edge::Mirror);
        let draw = |i| Window::draw(&frame, sight(case + i), &pipeline, Draws::new(case).at(i), &NOW);
        let windows: Vec<Window> = (0..3).map(draw).collect();
        let picture: Vec<f32> = random(3 * frame.size.area(), case + 1).iter().map(|x| 0.1 + 0.8 * x).collect();
        let gradients: Vec<f32> = random(windows.len() * 3 * 196, case + 2).iter().map(|x| x - 0.5).collect();
        let back = scattered_at(frame.size, &picture, &windows, 14, &gradients);
        // Along the gradient itself, and along a direction that has nothing to do with it.
        let steepest: Vec<f32> = back.iter().map(|x| x / norm(&back) as f32).collect();
        let other: Vec<f32> = random(picture.len(), case + 3).iter().map(|x| x - 0.5).collect();
        let other: Vec<f32> = other.iter().map(|x| x / norm(&other) as f32).collect();
        for direction in [steepest, other] {
            let at = |h: f32| {
                let moved: Vec<f32> = picture.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
                dot(&shown(frame.size, &moved, &windows, 14), &gradients)
            };
            const STEP: f32 = 0.01;
            let forward = (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP);
            let backward = dot(&direction, &back);
            assert!((forward - backward).abs() < 3e-3 * norm(&back), "{case}: {forward} {backward} of {}", norm(&back));
        }
    }
}

#[test]
fn rounding_passes_gradients_unchanged() {
    let frame = Frame::new(square(20), 20);
    let sight = Sight::Whole { fit: Fit::Stretch };
    let window =
        |kinds: Vec<StageKind>| Window::draw(&frame, sight, &pipeline(kinds, Edge::Mirror), Draws::new(3), &NOW);
    let (with, without) = (window(vec![StageKind::Quantise(range(3.0, 3.0))]), window(vec![]));
    let (picture, gradients) = (random(1200, 1), random(1200, 2));
    let seen = shown(frame.size, &picture, std::slice::from_ref(&with), 20);
    assert!(seen.iter().all(|x| [0.0, 0.5, 1.0].contains(x)));
    assert_eq!(scattered(frame.size, &[with], 20, &gradients), scattered(frame.size, &[without], 20, &gradients));
}

#[test]
fn crops_lie_within_the_window_or_around_it() {
    let size = Size { width: 300, height: 200 };
    let frame = Frame::new(size, 50);
    let sight = Sight::Whole { fit: Fit::Stretch };
    let mut least = [f64::INFINITY; 2];
    for seed in 0..300 {
        let corners = |side: f64| {
            let crop = pipeline([StageKind::Crop(range(side, side))], Edge::Mirror);
            Window::draw(&frame, sight, &crop, Draws::new(seed), &NOW).corners()
        };
        let [from, _, to, _] = corners(0.25);
        assert!((to[0] - from[0] - 75.0).abs() < 1e-9 && (to[1] - from[1] - 50.0).abs() < 1e-9);
        assert!(from[0] >= -1e-9 && from[1] >= -1e-9 && to[0] <= 300.0 + 1e-9 && to[1] <= 200.0 + 1e-9, "{from:?}");
        least = [0, 1].map(|axis| least[axis].min(from[axis]));
        // Larger than the window: all of it is in the crop.
        let [from, _, to, _] = corners(2.0);
        assert!((to[0] - from[0] - 600.0).abs() < 1e-9);
        assert!(from[0] <= 1e-9 && from[1] <= 1e-9 && to[0] >= 300.0 - 1e-9 && to[1] >= 200.0 - 1e-9, "{from:?}");
    }
    assert!(least[0] < 10.0 && least[1] < 10.0, "{least:?}");
}

#[test]
fn a_large_crop_of_a_wrapped_canvas_repeats_it() {
    let frame = Frame::new(square(16), 48);
    let sight = Sight::Whole { fit: Fit::Stretch };
    let tiles = pipeline([StageKind::Crop(range(3.0, 3.0))], Edge::Wrap);
    let window = Window::draw(&frame, sight, &tiles, Draws::new(8), &NOW);
    let seen = shown(frame.size, &random(768, 1), &[window], 48);
    for plane in seen.chunks_exact(48 * 48) {
        for (i, value) in plane.iter().enumerate().filter(|(i, _)| i % 48 < 32 && i / 48 < 32) {
            assert!((value - plane[i + 16]).abs() < 1e-5 && (value - plane[i + 16 * 48]).abs() < 1e-5, "{i}");
        }
    }
}

#[test]
fn shears_and_stretches_keep_the_area() {
    let frame = Frame::new(square(200), 50);
    let sides =
        |corners: [[f64; 2]; 4]| [1, 3].map(|other: usize| [0, 1].map(|axis| corners[other][axis] - corners[0][axis]));
    for seed in 0..50 {
        let view = |kind| {
            let pipeline = pipeline([StageKind::Cover(range(0.4, 0.4)), kind], Edge::Mirror);
            sides(Window::draw(&frame, Sight::Places, &pipeline, Draws::new(seed), &NOW).corners())
        };
        let area = |[right, down]: [[f64; 2]; 2]| right[0] * down[1] - right[1] * down[0];
        let sheared = view(StageKind::Shear(range(-60.0, 60.0)));
        assert!((area(sheared) - 6400.0).abs() < 1e-6 && sheared[1][0] != 0.0, "{sheared:?}");
        // Things twice as wide for their height: half as much is seen along x as along y.
        let [right, down] = view(StageKind::Stretch(range(2.0, 2.0)));
        assert!((area([right, down]) - 6400.0).abs() < 1e-6 && (down[1] / right[0] - 2.0).abs() < 1e-9);
    }
}

#[test]
fn many_changes_of_size_stay_within_bounds() {
    let frame = Frame::new(square(64), 16);
    let all: [fn() -> StageKind; 4] = [
        || StageKind::Crop(range(8.0, 8.0)),
        || StageKind::Crop(range(0.01, 0.01)),
        || StageKind::Stretch(range(8.0, 8.0)),
        || StageKind::Shear(range(75.0, 75.0)),
    ];
    for kind in all {
        let pipeline = pipeline((0..60).map(|_| kind()), Edge::Wrap);
        let window = Window::draw(&frame, Sight::Places, &pipeline, Draws::new(5), &NOW);
        assert!(window.corners().as_flattened().iter().all(|x| x.abs() < 1e6), "{:?}", window.corners());
        let seen = shown(frame.size, &random(3 * 4096, 1), &[window], 16);
        assert!(seen.iter().all(|x| (0.0..=1.0).contains(x)));
    }
}
