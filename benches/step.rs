//! What a step does outside the encoder: decode, levels, gather, scatter, backprop, update.
//!
//! `cargo bench --bench step`; compare with RAYON_NUM_THREADS=1 and 2.

use criterion::{Criterion, criterion_group, criterion_main};
use recipe_render::canvas::Canvas;
use recipe_render::chance::Draws;
use recipe_render::plan::{
    self, Basis, Edge, Ground, Init, Pipeline, Range, Schedule, Sight, Size, Spectrum, Stage, StageKind, Time,
};
use recipe_render::sampling::{Frame, Levels, ScatterScratch, Visible, Window, gather, scatter};
use std::hint::black_box;

fn stage(kind: fn(Range) -> StageKind, low: f64, high: f64, key: u64) -> Stage {
    let range = Range { low: Schedule::Constant(low), high: Schedule::Constant(high) };
    Stage { kind: kind(range), chance: Schedule::Constant(1.0), key }
}

/// A size, a basis, windows, and everything to work with.
struct Bench {
    name: String,
    canvas: Canvas,
    finest: Option<f64>,
    frame: Frame,
    windows: Vec<Window>,
    visible: Visible,
    levels: Levels,
    scatter_scratch: ScatterScratch,
    seen: Vec<f32>,
    pixel_gradient: Vec<f32>,
}

impl Bench {
    fn new(name: &str, basis: Basis, side: u32, finest: Option<f64>, views: (u64, u32), stages: Vec<Stage>) -> Bench {
        let size = Size { width: side, height: side };
        let plan = plan::Canvas { basis, init: Init { ground: Ground::Colour([0.5; 3]), noise: 0.02 } };
        let frame = Frame::new(size, views.1);
        let time = Time::new(10, 100, 0, 100);
        let pipeline = Pipeline { stages, edge: Edge::Mirror };
        let draw = |i| Window::draw(&frame, Sight::Places, &pipeline, Draws::new(1).at(i), &time);
        let windows: Vec<Window> = (0..views.0).map(draw).collect();
        let canvas = Canvas::new(&plan, size, 1).expect("fits");
        let visible = if canvas.in_parts(finest) { Visible::of(size, &windows) } else { Visible::whole(size) };
        let pixel_gradient = vec![0.0; 3 * visible.canvas().area()];
        Bench {
            name: name.to_owned(),
            canvas,
            finest,
            frame,
            windows,
            visible,
            levels: Levels::new(size),
            scatter_scratch: ScatterScratch::new(size),
            seen: vec![0.0; (views.0 * 3) as usize * (views.1 * views.1) as usize],
            pixel_gradient,
        }
    }

    fn scatter(&mut self) {
        let Bench { levels, windows, seen, scatter_scratch, visible, pixel_gradient, .. } = self;
        scatter(levels, windows, self.frame.side, seen, scatter_scratch, visible, pixel_gradient);
    }

    fn run(mut self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group(self.name.clone());
        group.sample_size(20).warm_up_time(std::time::Duration::from_millis(500));
        group.measurement_time(std::time::Duration::from_secs(2));
        let side = self.frame.side;
        group.bench_function("decode", |b| b.iter(|| black_box(self.canvas.decode(self.finest)[0])));
        let picture = self.canvas.decode_part(self.finest, self.visible.canvas()).to_vec();
        group.bench_function("levels", |b| b.iter(|| self.levels.build(&picture, &self.visible)));
        group.bench_function("gather", |b| b.iter(|| gather(&self.levels, &self.windows, side, &mut self.seen)));
        group.bench_function("scatter", |b| {
            b.iter(|| self.scatter());
        });
        group.bench_function("backprop", |b| b.iter(|| self.canvas.backprop(&self.pixel_gradient)));
        group.bench_function("update", |b| b.iter(|| self.canvas.step(1e-6)));
        group.bench_function("all", |b| {
            b.iter(|| {
                self.levels.build(self.canvas.decode_part(self.finest, self.visible.canvas()), &self.visible);
                gather(&self.levels, &self.windows, side, &mut self.seen);
                self.scatter();
                self.canvas.backprop(&self.pixel_gradient);
                self.canvas.step(1e-6);
            });
        });
        group.finish();
    }
}

fn step(criterion: &mut Criterion) {
    let fourier = Basis::Fourier { decay: 1.5, chroma: 0.6 };
    let roam = || {
        vec![
            stage(StageKind::Cover, 0.25, 0.6, 1),
            stage(StageKind::Rotate, -15.0, 15.0, 2),
            stage(|range| StageKind::Noise(range, Spectrum::White), 0.0, 0.1, 3),
        ]
    };
    let slanted = || {
        let mut stages = roam();
        stages.push(stage(StageKind::Perspective, 0.0, 0.4, 4));
        stages
    };
    for finest in [24.0, 100.0] {
        let name = format!("fourier-512-finest-{finest}");
        Bench::new(&name, fourier.clone(), 512, Some(finest), (14, 64), roam()).run(criterion);
    }
    Bench::new("fourier-512-slanted", fourier, 512, None, (14, 64), slanted()).run(criterion);
    Bench::new("pyramid-512", Basis::Pyramid { coarsest: 8 }, 512, None, (14, 64), roam()).run(criterion);
    Bench::new("pixels-512-finest-24", Basis::Pixels, 512, Some(24.0), (14, 64), roam()).run(criterion);
    // The same windows, in pixels, on canvases of several sizes.
    for side in [1024, 4096, 8192] {
        let details = vec![stage(StageKind::Cover, 256.0 / f64::from(side), 512.0 / f64::from(side), 1)];
        Bench::new(&format!("pixels-{side}-details"), Basis::Pixels, side, None, (16, 224), details).run(criterion);
    }
    Bench::new("pixels-1024", Basis::Pixels, 1024, None, (16, 224), roam()).run(criterion);
    Bench::new("pixels-1024-slanted", Basis::Pixels, 1024, None, (16, 224), slanted()).run(criterion);
}

criterion_group!(benches, step);
criterion_main!(benches);
