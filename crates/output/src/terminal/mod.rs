//! Pictures in a terminal: the kitty graphics protocol, iTerm2's inline images, sixels, and half blocks as the fallback. All of them are
//! printed text; the terminal is never queried.

mod blocks;
mod detect;
mod iterm;
mod kitty;
mod sixel;

use std::fmt::Write;

use image::RgbImage;
use image::imageops::{self, FilterType};

pub use detect::detect;

/// A way to show a picture in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The kitty graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
    /// DEC's sixels.
    Sixel,
    /// Two pixels per character: `▀` in one colour on another.
    Blocks(Colours),
}

/// The colours that a terminal supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// 24 bits.
    True,
    /// xterm's 256 colours.
    Indexed,
}

/// A terminal's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub columns: u16,
    pub rows: u16,
    /// Width and height of a character cell in pixels, if the terminal reports them.
    pub cell: Option<(u16, u16)>,
}

impl Window {
    /// The assumed cell size if the terminal reports none: rather too small, so that a picture does not exceed its rows.
    const CELL: (u16, u16) = (8, 16);

    fn cell(&self) -> (u32, u32) {
        let (width, height) = self.cell.filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(Self::CELL);
        (width.into(), height.into())
    }
}

/// The rows and columns that a picture takes in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub columns: u16,
    pub rows: u16,
}

impl Area {
    /// The maximum number of rows for a picture.
    const ROWS: u16 = 30;
    /// The number of rows left for other output.
    const OTHERS: u16 = 4;

    /// Returns the area of a picture of `width` by `height` pixels in its proportions; none if the window is too small.
    pub fn of(width: u32, height: u32, window: &Window) -> Option<Self> {
        let most_rows = window.rows.saturating_sub(Self::OTHERS).min(Self::ROWS);
        let most_columns = window.columns.saturating_sub(1);
        if most_rows < 2 || most_columns < 4 || width == 0 || height == 0 {
            return None;
        }
        let (cell_width, cell_height) = window.cell();
        // Columns per row in the picture's proportions.
        let ratio = f64::from(width) / f64::from(height) * f64::from(cell_height) / f64::from(cell_width);
        let rows = f64::from(most_rows).min(f64::from(most_columns) / ratio);
        let whole = |value: f64, most: u16| (value.round() as u16).clamp(1, most);
        Some(Area { columns: whole(rows * ratio, most_columns), rows: whole(rows, most_rows) })
    }
}

/// Returns the text that draws a picture. Print it with the cursor at the beginning of a line. The picture covers that line and those
/// below it, and the cursor ends at the beginning of the line after them. Printed again `area.rows` lines higher, it replaces the earlier
/// picture.
pub fn drawn(protocol: Protocol, picture: &RgbImage, area: Area, window: &Window) -> String {
    let (cell_width, cell_height) = window.cell();
    let most = (u32::from(area.columns) * cell_width, u32::from(area.rows) * cell_height);
    let scaled = |width: u32, height: u32| imageops::resize(picture, width, height, FilterType::Triangle);
    let mut text = String::new();
    // The lines must exist before a picture covers them: a line that scrolls moves the picture or cuts it.
    for _ in 0..area.rows {
        text.push('\n');
    }
    let _ = write!(text, "\x1b[{}A\r", area.rows);
    match protocol {
        Protocol::Blocks(colours) => {
            blocks::draw(&mut text, &scaled(area.columns.into(), u32::from(area.rows) * 2), colours);
            return text;
        }
        Protocol::Kitty => {
            let (width, height) = least(most, picture.dimensions());
            kitty::draw(&mut text, &scaled(width, height), area);
        }
        Protocol::Iterm => {
            let (width, height) = least(most, picture.dimensions());
            iterm::draw(&mut text, &scaled(width, height), area);
        }
        Protocol::Sixel => sixel::draw(&mut text, &scaled(most.0, most.1 / 6 * 6)),
    }
    let _ = write!(text, "\x1b[{}B\r", area.rows);
    text
}

/// Returns the size to send. The terminal enlarges a picture that is smaller than its place, and more pixels than it can show are
/// useless.
fn least(place: (u32, u32), picture: (u32, u32)) -> (u32, u32) {
    if place.0 <= picture.0 && place.1 <= picture.1 { place } else { picture }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { columns: 80, rows: 24, cell: None };

    #[test]
    fn areas_keep_proportions_and_leave_room() {
        let of = |width, height, window: &Window| Area::of(width, height, window).map(|area| (area.columns, area.rows));
        assert_eq!(of(512, 512, &WINDOW), Some((40, 20)));
        assert_eq!(of(1024, 512, &WINDOW), Some((79, 20)));
        assert_eq!(of(2048, 512, &WINDOW), Some((79, 10)));
        assert_eq!(of(16, 65536, &WINDOW), Some((1, 20)));
        assert_eq!(of(512, 512, &Window { rows: 100, columns: 200, cell: Some((10, 20)) }), Some((60, 30)));
        assert_eq!(of(512, 512, &Window { rows: 5, ..WINDOW }), None);
        assert_eq!(of(512, 512, &Window { columns: 3, ..WINDOW }), None);
    }

    /// Every protocol moves the cursor down by exactly the lines it reserved.
    #[test]
    fn pictures_take_exactly_their_rows() {
        let picture = RgbImage::new(64, 48);
        let area = Area::of(64, 48, &WINDOW).unwrap();
        for protocol in [Protocol::Kitty, Protocol::Iterm, Protocol::Sixel, Protocol::Blocks(Colours::True)] {
            let text = drawn(protocol, &picture, area, &WINDOW);
            let lines = text.matches('\n').count();
            let down = text.contains(&format!("\x1b[{}B\r", area.rows));
            assert!(text.starts_with(&"\n".repeat(20)) && text[20..].starts_with("\x1b[20A\r"), "{protocol:?}");
            assert_eq!((lines, down), if let Protocol::Blocks(_) = protocol { (40, false) } else { (20, true) });
        }
    }
}
