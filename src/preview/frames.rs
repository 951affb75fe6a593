//! Pictures for pages: taken from the canvas only on demand, and encoded in a separate thread.
//!
//! They are JPEGs without chroma subsampling, which preserves fine coloured detail, encoded with mozjpeg's fast settings.

use std::time::{Duration, Instant};

use serde::Serialize;

/// JPEG quality, 0 to 100.
const QUALITY: f32 = 88.0;
/// The maximum side of pictures in pixels while a render is running; larger ones are shrunk.
const LONGEST: u32 = 2048;

/// A picture waiting to be encoded.
#[derive(Debug, Clone)]
pub struct RawFrame {
    pub width: u32,
    pub height: u32,
    /// Interleaved 8-bit RGB rows.
    pub rgb: Vec<u8>,
    /// Whether all its pixels must be shown, however many there are.
    pub full: bool,
    /// The data sent with it, as one line of ASCII JSON.
    pub facts: String,
}

/// A picture ready to be sent.
#[derive(Debug)]
pub struct Encoded {
    /// The number of the picture, counted separately for each kind.
    pub number: u64,
    pub jpeg: Vec<u8>,
    /// As [`RawFrame::facts`].
    pub facts: String,
}

impl RawFrame {
    /// Creates a shot and serialises its facts.
    pub fn new(size: [u32; 2], rgb: Vec<u8>, full: bool, facts: &impl Serialize) -> Self {
        RawFrame { width: size[0], height: size[1], rgb, full, facts: ascii(facts) }
    }

    /// Encodes the picture as JPEG; `None` if that fails, which libjpeg reports by unwinding.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let longest = self.width.max(self.height);
        let factor = if self.full { 1 } else { longest.div_ceil(LONGEST) };
        // JPEG cannot represent larger sizes.
        let factor = factor.max(longest.div_ceil(65_000));
        if factor > 1 {
            let (width, height, rgb) = shrunk(self.width, self.height, &self.rgb, factor);
            return jpeg(width, height, &rgb);
        }
        jpeg(self.width, self.height, &self.rgb)
    }
}

/// Serialises to JSON with characters beyond ASCII escaped, so it can be sent in a header.
fn ascii(facts: &impl Serialize) -> String {
    let mut out = String::new();
    for c in serde_json::to_string(facts).unwrap_or_else(|_| "{}".into()).chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// Shrinks a picture to the means of `factor` x `factor` pixels; left-over pixels at the right and bottom are dropped.
pub(super) fn shrunk(width: u32, height: u32, rgb: &[u8], factor: u32) -> (u32, u32, Vec<u8>) {
    let (small_width, small_height) = ((width / factor).max(1), (height / factor).max(1));
    let (across, down) = (factor.min(width) as usize, factor.min(height) as usize);
    let mut out = Vec::with_capacity(small_width as usize * small_height as usize * 3);
    for y in 0..small_height as usize {
        for x in 0..small_width as usize {
            let mut sums = [0u32; 3];
            for row in 0..down {
                let start = ((y * down + row) * width as usize + x * across) * 3;
                for pixel in rgb[start..start + across * 3].chunks_exact(3) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*value);
                    }
                }
            }
            let count = (across * down) as u32;
            out.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    (small_width, small_height, out)
}

/// Resizes a square picture to another side by its nearest pixels.
pub(super) fn fitted(side: u32, rgb: &[u8], to: u32) -> Vec<u8> {
    let near = |i: u32| (i * side / to.max(1)) as usize;
    let pixel = |x: usize, y: usize| &rgb[(y * side as usize + x) * 3..][..3];
    (0..to).flat_map(|y| (0..to).map(move |x| (near(x), near(y)))).flat_map(|(x, y)| pixel(x, y)).copied().collect()
}

fn jpeg(width: u32, height: u32, rgb: &[u8]) -> Option<Vec<u8>> {
    let encode = || -> std::io::Result<Vec<u8>> {
        let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
        compress.set_size(width as usize, height as usize);
        compress.set_fastest_defaults();
        compress.set_quality(QUALITY);
        compress.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
        let mut started = compress.start_compress(Vec::with_capacity(rgb.len() / 8))?;
        started.write_scanlines(rgb)?;
        started.finish()
    };
    std::panic::catch_unwind(encode).ok()?.ok()
}

/// Limits the render time spent on pages to a small part.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// No picture is taken before this time.
    next: Option<Instant>,
}

impl Budget {
    /// Pictures may cost one part in this many of the time.
    const PARTS: u32 = 75;
    /// The minimum pause, as fast as anyone can see.
    const LEAST: Duration = Duration::from_millis(40);
    /// The maximum pause: however slow it is, something must be shown now and then.
    const MOST: Duration = Duration::from_secs(5);

    pub fn allows(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// Records that a picture was taken, at this cost to the render.
    pub fn spend(&mut self, now: Instant, cost: Duration) {
        let pause = (cost * Budget::PARTS).clamp(Budget::LEAST, Budget::MOST);
        self.next = Some(self.next.unwrap_or(now).max(now) + pause);
    }

    /// Allows the next picture at once.
    pub fn renew(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot(width: u32, height: u32, full: bool) -> RawFrame {
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 99])).collect();
        RawFrame::new([width, height], rgb, full, &serde_json::json!({ "step": 3 }))
    }

    #[test]
    fn a_square_takes_another_side() {
        let rgb = [[1; 3], [2; 3], [3; 3], [4; 3]].concat();
        let larger = fitted(2, &rgb, 4);
        assert_eq!((larger.len(), larger[0], larger[3 * 3], larger[3 * 12], larger[3 * 15]), (48, 1, 2, 3, 4));
        assert_eq!(fitted(4, &larger, 2), rgb);
        assert_eq!(fitted(1, &rgb[..3], 1), &rgb[..3]);
    }

    #[test]
    fn a_shot_becomes_a_jpeg_that_looks_alike() {
        let shot = shot(61, 47, false);
        let decoded = image::load_from_memory(&shot.encode().unwrap()).unwrap().to_rgb8();
        assert_eq!(decoded.dimensions(), (61, 47));
        let far = decoded.as_raw().iter().zip(&shot.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(far < 16, "{far}");
    }

    #[test]
    fn large_shots_are_shrunk_unless_all_is_wanted() {
        let size = |shot: RawFrame| image::load_from_memory(&shot.encode().unwrap()).unwrap().to_rgb8().dimensions();
        assert_eq!(size(shot(4097, 16, false)), (1365, 5));
        assert_eq!(size(shot(4097, 16, true)), (4097, 16));
    }

    #[test]
    fn shrinking_takes_means() {
        let (width, height, rgb) =
            shrunk(4, 2, &[0, 0, 9, 2, 0, 9, 4, 8, 9, 4, 8, 9, 2, 4, 9, 0, 0, 9, 4, 8, 9, 4, 8, 8], 2);
        assert_eq!((width, height), (2, 1));
        assert_eq!(rgb, [1, 1, 9, 4, 8, 9]);
    }

    #[test]
    fn facts_are_ascii() {
        let facts = ascii(&serde_json::json!(["ß 🐇\n"]));
        assert_eq!(facts, r#"["\u00df \ud83d\udc07\n"]"#);
    }

    #[test]
    fn the_budget_holds_back_in_proportion_to_the_cost() {
        let mut budget = Budget::default();
        let start = Instant::now();
        assert!(budget.allows(start));
        budget.spend(start, Duration::from_millis(4));
        assert!(!budget.allows(start + Duration::from_millis(299)));
        assert!(budget.allows(start + Duration::from_millis(300)));
        // The encoder's time is added.
        budget.spend(start, Duration::from_millis(2));
        assert!(!budget.allows(start + Duration::from_millis(449)));
        budget.renew();
        assert!(budget.allows(start));
        budget.spend(start, Duration::from_secs(60));
        assert!(budget.allows(start + Budget::MOST));
    }
}
