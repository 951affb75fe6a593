//! The kitty graphics protocol: compressed pixels in base64, sent in pieces.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::RgbImage;

use super::Area;

/// The longest piece that the protocol allows, in characters.
const PIECE: usize = 4096;

/// Draws a picture over `area` without moving the cursor.
pub(super) fn draw(text: &mut String, picture: &RgbImage, area: Area) {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let bytes = zlib.write_all(picture).and_then(|()| zlib.finish()).unwrap_or_default();
    let encoded = STANDARD.encode(bytes);
    // Two programs in one window must not replace each other's pictures. 0 is not a valid number.
    let number = std::process::id().max(1);
    // Show at once (a=T) as placement 1 of the picture of this number, which replaces the earlier one; RGB (f=24),
    // compressed (o=z); neither move the cursor (C=1) nor answer (q=2).
    let (width, height) = picture.dimensions();
    let mut first =
        format!("a=T,f=24,o=z,q=2,C=1,i={number},p=1,s={width},v={height},c={},r={},", area.columns, area.rows);
    let mut rest = encoded.as_str();
    loop {
        // Base64 is ASCII.
        let (piece, later) = rest.split_at(PIECE.min(rest.len()));
        let _ = write!(text, "\x1b_G{first}m={};{piece}\x1b\\", u8::from(!later.is_empty()));
        first = "q=2,".to_owned();
        rest = later;
        if rest.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use image::Rgb;

    use super::*;

    #[test]
    fn pixels_come_back_from_the_pieces() {
        // Noise, so that there are several pieces.
        let picture = RgbImage::from_fn(80, 60, |x, y| {
            let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
            Rgb([(mixed >> 24) as u8, (mixed >> 16) as u8, (mixed >> 8) as u8])
        });
        let mut text = String::new();
        draw(&mut text, &picture, Area { columns: 20, rows: 8 });
        let commands: Vec<&str> = text.split("\x1b\\").filter(|command| !command.is_empty()).collect();
        assert!(commands.len() > 1);
        let mut encoded = String::new();
        for (index, command) in commands.iter().enumerate() {
            let (keys, piece) = command.strip_prefix("\x1b_G").unwrap().split_once(';').unwrap();
            assert!(piece.len() <= PIECE && keys.contains("q=2"));
            assert_eq!(keys.ends_with("m=1"), index + 1 < commands.len(), "{keys}");
            if index == 0 {
                assert!(keys.contains("s=80,v=60,c=20,r=8"), "{keys}");
            }
            encoded.push_str(piece);
        }
        let mut pixels = Vec::new();
        let bytes = STANDARD.decode(encoded).unwrap();
        flate2::read::ZlibDecoder::new(&bytes[..]).read_to_end(&mut pixels).unwrap();
        assert_eq!(pixels, picture.into_raw());
    }
}
