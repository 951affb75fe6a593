//! What is kept and shown of a render's course: contact sheets, videos, the picture in the terminal.

use std::path::Path;
use std::process::{Command, Stdio};

use image::AnimationDecoder;
use image::codecs::{gif::GifDecoder, webp::WebPDecoder};

use crate::bench::{Bench, Ran, endless, pixels, until};

fn reader(path: &Path) -> std::io::BufReader<std::fs::File> {
    std::io::BufReader::new(std::fs::File::open(path).unwrap())
}

/// The mean difference of two pictures' bytes.
fn difference(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.as_raw().len() as f64
}

#[test]
fn a_sheet_shows_the_end_of_each_phase() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--sheet", "--phases"]);
    let names = ["small-phase-1-compose.png", "small-phase-2.png", "small-sheet.png", "small.png", "small.toml"];
    assert_eq!(bench.names(), names);
    let sheet = pixels(&bench.path("small-sheet.png"));
    // Pictures that fit are put in as they are.
    for name in ["small-phase-1-compose.png", "small-phase-2.png"] {
        let picture = pixels(&bench.path(name));
        let (width, height) = (sheet.width() - picture.width(), sheet.height() - picture.height());
        let mut places = (0..=height).flat_map(|y| (0..=width).map(move |x| (x, y)));
        let found = places.any(|(left, top)| {
            picture.enumerate_pixels().all(|(x, y, pixel)| sheet.get_pixel(left + x, top + y) == pixel)
        });
        assert!(found, "{name} is not on the sheet");
    }
    let first = bench.read("small-sheet.png");
    bench.done(&["small.toml", "--sheet"]);
    assert_eq!(bench.read("small-sheet.png"), first);
}

#[test]
fn videos_have_the_steps_and_end_with_the_picture() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--video", "v.gif"]);
    bench.done(&["small.toml", "--video", "v.webp", "--video-every", "4", "--fps", "2"]);
    assert_eq!(bench.names(), ["small.png", "small.toml", "v.gif", "v.webp"]);
    let picture = pixels(&bench.path("small.png"));
    let gif = GifDecoder::new(reader(&bench.path("v.gif"))).unwrap().into_frames().collect_frames().unwrap();
    // Steps 1, 4 and the last one, which is 6.
    let webp = WebPDecoder::new(reader(&bench.path("v.webp"))).unwrap().into_frames().collect_frames().unwrap();
    assert_eq!((gif.len(), webp.len()), (6, 3));
    for frames in [gif, webp] {
        let times: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        let (last, others) = times.split_last().unwrap();
        assert!(others.iter().all(|time| time == &times[0]) && *last == times[0] + 1500, "{times:?}");
        let of = |index: usize| image::DynamicImage::from(frames[index].buffer().clone()).to_rgb8();
        let (first, last) = (difference(&of(0), &picture), difference(&of(frames.len() - 1), &picture));
        assert!(last < 8.0 && last < first, "{first} {last}");
    }
}

#[test]
fn mp4_is_written_by_ffmpeg() {
    let bench = Bench::small();
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        super::skip::skipped("there is no ffmpeg here");
        return;
    }
    // An odd side, which MP4 does not take.
    bench.done(&["small.toml", "--size", "65x48", "--video", "v.mp4", "--fps", "10", "--video-every", "1"]);
    assert_eq!(bench.names(), ["small.png", "small.toml", "v.mp4"]);
    let line = "ffmpeg -v error -i v.mp4 frame-%02d.png";
    assert!(Command::new("sh").current_dir(bench.path("")).args(["-c", line]).status().unwrap().success());
    // Six steps, and a second and a half of the last.
    let frames = bench.names().iter().filter(|name| name.starts_with("frame-")).count();
    assert_eq!(frames, 6 + 15);
    let picture = image::imageops::resize(&pixels(&bench.path("small.png")), 64, 48, image::imageops::CatmullRom);
    let last = difference(&pixels(&bench.path("frame-21.png")), &picture);
    assert!(last < 8.0, "{last}");
}

#[test]
fn a_video_that_cannot_be_made_is_told_before_anything_is_rendered() {
    let bench = Bench::small();
    let mut program = bench.program();
    program.args(["small.toml", "--video", "v.mp4"]).env("PATH", bench.path(""));
    Ran::from(program.output().unwrap()).ended(1).says("ffmpeg").says(".gif or .webp");
    bench.run(&["small.toml", "--video", "v.avi"]).ended(2).says("not a video format").says(".mp4, .gif or .webp");
    bench.run(&["small.toml", "--video", "no/v.gif"]).ended(1).says("does not exist");
    assert_eq!(bench.names(), ["small.toml"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_render_still_has_its_video_and_its_sheet() {
    let bench = Bench::new();
    bench.write("endless.toml", endless());
    let mut program = bench.program();
    program.args(["endless.toml", "--every", "3", "--video", "v.gif", "--video-every", "1", "--sheet"]);
    let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("a snapshot is there", || bench.path("endless-000003.png").exists());
    assert!(!bench.path("v.gif").exists());
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    let frames = GifDecoder::new(reader(&bench.path("v.gif"))).unwrap().into_frames().collect_frames().unwrap();
    let last = image::DynamicImage::from(frames[frames.len() - 1].buffer().clone()).to_rgb8();
    assert!(frames.len() >= 3 && difference(&last, &pixels(&bench.path("endless.png"))) < 8.0);
    pixels(&bench.path("endless-sheet.png"));
    assert!(bench.names().iter().all(|name| !name.ends_with(".tmp")), "{:?}", bench.names());
}

#[test]
fn nothing_is_drawn_where_there_is_no_terminal() {
    let bench = Bench::small();
    let ran = bench.done(&["small.toml", "--preview=kitty"]);
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "{}", ran.err);
}

/// `script` gives the program a terminal.
#[cfg(target_os = "linux")]
#[test]
fn the_picture_grows_in_the_terminal() {
    let bench = Bench::small();
    if Command::new("script").arg("--version").output().is_err() {
        super::skip::skipped("there is no `script` here");
        return;
    }
    for (how, mark) in
        [("blocks", "▀"), ("kitty", "\u{1b}_Ga=T"), ("iterm", "\u{1b}]1337;File=inline=1"), ("sixel", "\u{1b}P0;1;0q")]
    {
        let line = format!("stty rows 24 cols 80; exec \"$PROGRAM\" small.toml --preview={how}");
        let mut script = bench.around("script", &bench.program());
        script.env("TERM", "xterm-256color").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        let ran = Ran::from(script.output().unwrap()).ended(0);
        assert!(ran.out.contains(mark), "{how}: {}", ran.out);
        // 64 x 48 pixels in 20 rows of cells twice as high as wide; the tally comes below.
        assert!(ran.out.contains("\u{1b}[20A\r"), "{how}: {}", ran.out);
        assert!(ran.out.find("sword  : ") > ran.out.rfind(mark), "{how}: {}", ran.out);
    }
}
