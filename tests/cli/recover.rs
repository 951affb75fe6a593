//! The recipe comes back out of the picture, byte for byte.

use crate::bench::{Bench, SMALL};

#[test]
fn odd_texts_come_back_byte_for_byte() {
    let texts = [
        SMALL.replace('\n', "\r\n"),
        SMALL.trim().to_owned(),
        format!("#\n#\n# \t trailing blanks  \n\n\n{SMALL}\n\n#"),
        format!("# naïve café, 野兎 🐇, \u{2028} and e\u{301}\n{SMALL}"),
        SMALL.replace("Small", "Dürer's \\\"hare\\\" 野兎"),
        format!("#{}\n{SMALL}", " a long comment".repeat(20_000)),
    ];
    let bench = Bench::new();
    for text in texts {
        bench.write("odd.toml", &text);
        bench.done(&["odd.toml", "--steps", "2"]);
        let ran = bench.done(&["recover", "odd.png"]);
        assert_eq!(ran.stdout, text.as_bytes());
    }
}

#[test]
fn overrides_are_told_so_that_the_picture_can_be_made_again() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--size", "32x32", "--steps", "2", "--seed", "9"]);
    let ran = bench.done(&["recover", "small.png"]).says("--size 32x32 --steps 2 --seed 9");
    assert_eq!(ran.stdout, SMALL.as_bytes());
    let first = bench.read("small.png");
    bench.write("small.toml", ran.stdout);
    bench.done(&["small.toml", "--size", "32x32", "--steps", "2", "--seed", "9"]);
    assert_eq!(bench.read("small.png"), first);
    bench.done(&["small.toml"]);
    assert_eq!(bench.done(&["recover", "small.png"]).err, "");
}

#[test]
fn other_files_are_told_apart() {
    let bench = Bench::small();
    bench.done(&["small.toml"]);
    let picture = bench.read("small.png");
    bench.write("cut.png", &picture[..60]);
    let mut damaged = picture.clone();
    damaged[200] ^= 1;
    bench.write("damaged.png", damaged);
    image::RgbImage::new(4, 4).save(bench.path("foreign.png")).unwrap();
    bench.write("empty.png", "");
    for (name, words) in [
        ("cut.png", "is cut off"),
        ("damaged.png", "is damaged"),
        ("foreign.png", "has no recipe inside"),
        ("empty.png", "is not a PNG"),
        ("small.toml", "is not a PNG"),
        ("missing.png", "missing.png: "),
        (".", "folder"),
    ] {
        let ran = bench.run(&["recover", name]).ended(1).says(words);
        assert!(ran.stdout.is_empty(), "{name}");
    }
}
