//! iTerm2's inline images: a whole picture file in base64.

use std::fmt::Write;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};

use super::Area;

/// Draws a picture over `area`. The cursor is restored explicitly, because not all terminals leave it in place when asked to.
pub(super) fn draw(text: &mut String, picture: &RgbImage, area: Area) {
    let mut file = Cursor::new(Vec::new());
    if picture.write_to(&mut file, ImageFormat::Png).is_err() {
        return;
    }
    let bytes = file.into_inner();
    let _ = write!(
        text,
        "\x1b7\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=0;doNotMoveCursor=1:{}\x07\x1b8",
        bytes.len(),
        area.columns,
        area.rows,
        STANDARD.encode(&bytes)
    );
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_picture_comes_back_from_the_text() {
        let picture = RgbImage::from_fn(30, 20, |x, y| Rgb([x as u8, y as u8, 9]));
        let mut text = String::new();
        draw(&mut text, &picture, Area { columns: 15, rows: 5 });
        let (head, rest) = text.split_once(':').unwrap();
        assert!(head.starts_with("\x1b7\x1b]1337;File=inline=1;") && head.contains("width=15;height=5;"), "{head}");
        let encoded = rest.strip_suffix("\x07\x1b8").unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        assert!(head.contains(&format!("size={};", bytes.len())));
        assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8(), picture);
    }
}
