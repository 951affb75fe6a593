//! Inverted bottlenecks of EfficientNet-lite2 at windows of 160 pixels, three at once, forward and backward.
//!
//! `cargo bench -p recipe-render-kernels`; the elements of the throughput are multiplications with additions, so
//! "Gelem/s" times two is GFLOP/s.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recipe_render_kernels::{Axis, Bottleneck, BottleneckGradient, Instructions, Layers, Shape};

const IMAGES: usize = 3;

/// The side of the input, channels of input and output, kernel, stride, expansion.
const STAGES: [(usize, usize, usize, usize, usize, usize); 6] = [
    (80, 32, 16, 3, 1, 1),
    (80, 16, 24, 3, 2, 6),
    (40, 24, 48, 5, 2, 6),
    (20, 48, 48, 5, 1, 6),
    (10, 120, 120, 5, 1, 6),
    (5, 208, 352, 3, 1, 6),
];

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5).collect()
}

fn bottlenecks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bottleneck");
    for (side, narrow, out, kernel, stride, expansion) in STAGES {
        let wide = narrow * expansion;
        let before = if stride == 1 { kernel / 2 } else { (kernel - 1) / 2 };
        let axis = Axis { kernel, stride, before, input: side, output: side / stride };
        let shape = Shape { channels: [narrow, wide, out], axes: [axis; 2] };
        let [inside, outside] = shape.pixels();
        let (expand, filter, project) = (values(narrow * wide), values(wide * kernel * kernel), values(wide * out));
        let (bias, last) = (values(wide), values(out));
        let layers = Layers {
            expand: (expansion > 1).then_some((expand.as_slice(), bias.as_slice())),
            filter: (&filter, &bias),
            project: (&project, &last),
        };
        let forward = Bottleneck::new(Instructions::best(), shape, [[0.0, 6.0]; 2], &layers).expect("sizes that fit");
        let gradient = BottleneckGradient::new(Instructions::best(), shape, &layers).expect("sizes that fit");
        let x = values(IMAGES * inside * narrow);
        let (mut z, mut dx) = (vec![0.0; IMAGES * outside * out], vec![0.0; x.len()]);
        let marked = if expansion > 1 { IMAGES * inside * wide } else { 0 };
        let (mut first, mut second) = (vec![0; marked], vec![0; IMAGES * outside * wide]);
        let mut scratch = Vec::new();
        let products = if expansion > 1 { inside * narrow * wide } else { 0 } + outside * wide * out;
        group.throughput(Throughput::Elements((IMAGES * (products + outside * wide * kernel * kernel)) as u64));
        let name = format!("{side}px {narrow}-{wide}-{out} {kernel}x{kernel}/{stride}");
        group.bench_function(BenchmarkId::new("forward", &name), |bencher| {
            bencher.iter(|| forward.run(black_box(&x), &mut z, [&mut first, &mut second], &mut scratch));
        });
        group.bench_function(BenchmarkId::new("gradient", &name), |bencher| {
            bencher.iter(|| gradient.run(black_box(&z), &mut dx, [&first, &second], &mut scratch));
        });
    }
    group.finish();
}

criterion_group!(benches, bottlenecks);
criterion_main!(benches);
