//! Lettering laid out on a flat sheet, before it is bent and coloured: words, lines, paragraphs, titles, scattered letters.

use super::fonts::Fonts;
use super::words;
use crate::chance::Draws;
use crate::output::font::Line;

/// A layout of lettering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One to three letters that fill the window or more.
    Glyphs,
    /// A word, about as wide as the window.
    Word,
    /// A few words in a row.
    Line,
    /// Many small lines.
    Paragraph,
    /// Lines of different sizes, one below the other, as on the cover of a book.
    Title,
    /// Letters here and there.
    Strewn,
}

impl Layout {
    pub fn any(draws: Draws) -> Layout {
        match draws.unit(0) {
            kind if kind < 0.06 => Layout::Glyphs,
            kind if kind < 0.32 => Layout::Word,
            kind if kind < 0.50 => Layout::Line,
            kind if kind < 0.72 => Layout::Paragraph,
            kind if kind < 0.95 => Layout::Title,
            _ => Layout::Strewn,
        }
    }
}

/// The ink coverage of each dot of a sheet.
pub(super) struct Block {
    /// The width in dots.
    pub width: usize,
    pub height: usize,
    /// Dots per window side.
    pub scale: f64,
    /// 0..1, rows of dots.
    pub cover: Vec<f32>,
    /// The side of the em square for most of the text, in window sides.
    pub em: f64,
}

/// A line and the start of its baseline, in window sides.
struct Placed<'a> {
    line: Line<'a>,
    x: f64,
    y: f64,
}

impl Block {
    /// Lays out text with em squares of at least `least` window sides, at `scale` dots per window side.
    pub fn draw(draws: Draws, layout: Layout, fonts: &Fonts, least: f64, scale: f64) -> Block {
        let face = fonts.any(draws.at(1));
        let font = face.font();
        let known = |letter| font.has(letter);
        let capitals = draws.unit(0) < 0.25;
        let at_size = |text: &str, em: f64| font.line(text, (em * scale) as f32);
        let wide = |line: &Line<'_>| f64::from(line.width) / scale;
        // Returns the em at which a text has a width.
        let em_for = |text: &str, width: f64| {
            let line = font.line(text, 100.0);
            width / (f64::from(line.width.max(1.0)) / 100.0)
        };
        let mut placed: Vec<Placed<'_>> = Vec::new();
        let em;
        match layout {
            Layout::Glyphs => {
                let text = words::glyphs(draws.at(2));
                em = draws.log_uniform(1, 0.5, 1.1);
                placed.push(Placed { line: at_size(&text, em), x: 0.0, y: em });
            }
            Layout::Word => {
                let text = words::word(draws.at(2), capitals, known);
                em = em_for(&text, draws.uniform(1, 0.55, 1.5)).clamp(least, 1.1);
                placed.push(Placed { line: at_size(&text, em), x: 0.0, y: em });
            }
            Layout::Line => {
                let count = 2 + (draws.unit(2) * 4.0) as usize;
                let text = words::words(draws.at(2), count, capitals, known).join(" ");
                em = draws.log_uniform(1, least, (2.5 * least).max(0.35));
                placed.push(Placed { line: at_size(&text, em), x: 0.0, y: em });
            }
            Layout::Paragraph => {
                em = draws.log_uniform(1, least, (1.6 * least).max(0.14));
                let (width, height) = (draws.uniform(2, 0.75, 1.6), draws.uniform(3, 0.6, 1.6));
                let (leading, centred) = (em * draws.uniform(4, 1.0, 1.6), draws.unit(5) < 0.25);
                let mut y = em;
                let mut row = 0;
                while y < height {
                    // Twelve words are wider than any window, even at the least em.
                    let mut line = String::new();
                    for word in words::words(draws.at(10 + row), 12, capitals, known) {
                        let longer = if line.is_empty() { word } else { format!("{line} {word}") };
                        if !line.is_empty() && wide(&at_size(&longer, em)) > width {
                            break;
                        }
                        line = longer;
                    }
                    let line = at_size(&line, em);
                    let x = if centred { (width - wide(&line)) / 2.0 } else { 0.0 };
                    placed.push(Placed { line, x, y });
                    y += leading;
                    row += 1;
                }
            }
            Layout::Title => {
                let count = 1 + (draws.unit(1) * 3.5) as u64;
                let (mut y, mut sum) = (0.0, 0.0);
                for row in 0..count {
                    let draws = draws.at(10 + row);
                    let words = 1 + (draws.unit(1) * 2.0) as usize;
                    let text = words::words(draws, words, capitals, known).join(" ");
                    let em = em_for(&text, draws.uniform(2, 0.5, 0.95)).clamp(least, 0.5);
                    y += em * draws.uniform(3, 0.85, 1.2);
                    sum += em;
                    let line = at_size(&text, em);
                    placed.push(Placed { x: -wide(&line) / 2.0, line, y });
                }
                em = sum / count as f64;
            }
            Layout::Strewn => {
                em = draws.log_uniform(1, 1.3 * least, (3.0 * least).max(0.5));
                let count = 3 + (draws.unit(2) * 6.0) as u64;
                for index in 0..count {
                    let draws = draws.at(10 + index);
                    let line = at_size(&words::glyphs(draws)[..1], em * draws.uniform(5, 0.8, 1.5));
                    placed.push(Placed { line, x: draws.uniform(6, 0.0, 0.9), y: draws.uniform(7, 0.2, 1.0) });
                }
            }
        }
        Block::of(&placed, scale, em)
    }

    /// Creates the smallest sheet that holds all lines, plus a margin for outlines and shadows.
    fn of(placed: &[Placed<'_>], scale: f64, em: f64) -> Block {
        let margin = (0.25 * em * scale).ceil() as i64 + 2;
        let mut dots = Vec::new();
        for one in placed {
            let (x, y) = (one.x * scale, one.y * scale);
            one.line.rasterise(x as f32, y as f32, |column, row, coverage| dots.push((column, row, coverage)));
        }
        let bounds = |of: fn(&(i64, i64, u8)) -> i64| {
            let (least, most) = (dots.iter().map(of).min().unwrap_or(0), dots.iter().map(of).max().unwrap_or(0));
            (least - margin, (most - least + 1 + 2 * margin) as usize)
        };
        let ((left, width), (top, height)) = (bounds(|dot| dot.0), bounds(|dot| dot.1));
        let mut cover = vec![0.0f32; width * height];
        for (column, row, coverage) in dots {
            let at = &mut cover[(row - top) as usize * width + (column - left) as usize];
            *at = at.max(f32::from(coverage) / 255.0);
        }
        Block { width, height, scale, cover, em }
    }

    /// Returns the distance from every dot to the nearest one that is mostly ink, in window sides; 0 on ink.
    ///
    /// Exact, column by column and then row by row (Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions",
    /// 2012).
    pub fn distances(&self) -> Vec<f32> {
        let (width, height) = (self.width, self.height);
        let far = ((width + height) as f64).powi(2);
        let mut squares: Vec<f64> = self.cover.iter().map(|cover| if *cover >= 0.5 { 0.0 } else { far }).collect();
        for column in 0..width {
            let line: Vec<f64> = (0..height).map(|row| squares[row * width + column]).collect();
            for (row, square) in lower_envelope(&line).into_iter().enumerate() {
                squares[row * width + column] = square;
            }
        }
        for row in squares.chunks_exact_mut(width) {
            let line = lower_envelope(row);
            row.copy_from_slice(&line);
        }
        squares.into_iter().map(|square| (square.sqrt() / self.scale) as f32).collect()
    }

    /// Interpolates a value of the sheet between its dots, or returns `beyond` outside its borders; `x` and `y` in dots.
    pub fn between(&self, values: &[f32], x: f64, y: f64, beyond: f32) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        if !(x > -1.0 && y > -1.0 && x < self.width as f64 && y < self.height as f64) {
            return beyond;
        }
        let (column, row) = (x.floor(), y.floor());
        let (u, v) = ((x - column) as f32, (y - row) as f32);
        let value = |dx: isize, dy: isize| {
            let (column, row) = (column as isize + dx, row as isize + dy);
            let inside = column >= 0 && row >= 0 && column < self.width as isize && row < self.height as isize;
            if inside { values[row as usize * self.width + column as usize] } else { beyond }
        };
        let along = |dy| value(0, dy) + (value(1, dy) - value(0, dy)) * u;
        along(0) + (along(1) - along(0)) * v
    }
}

/// Returns min over q of (p - q)^2 + f(q), for every p.
fn lower_envelope(f: &[f64]) -> Vec<f64> {
    let count = f.len();
    // The parabolas of the envelope, and where each starts to be the lowest.
    let (mut apexes, mut starts) = (vec![0usize], vec![f64::NEG_INFINITY]);
    for q in 1..count {
        let crossing = |p: usize| ((f[q] + (q * q) as f64) - (f[p] + (p * p) as f64)) / (2.0 * (q as f64 - p as f64));
        let mut start = crossing(apexes[apexes.len() - 1]);
        while apexes.len() > 1 && start <= starts[starts.len() - 1] {
            apexes.pop();
            starts.pop();
            start = crossing(apexes[apexes.len() - 1]);
        }
        apexes.push(q);
        starts.push(start);
    }
    let mut at = 0;
    (0..count)
        .map(|p| {
            while at + 1 < starts.len() && starts[at + 1] < p as f64 {
                at += 1;
            }
            (p as f64 - apexes[at] as f64).powi(2) + f[apexes[at]]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_ink_within_its_sheet() {
        let fonts = Fonts::own();
        for layout in [Layout::Glyphs, Layout::Word, Layout::Line, Layout::Paragraph, Layout::Title, Layout::Strewn] {
            for seed in 0..12 {
                let block = Block::draw(Draws::new(seed), layout, &fonts, 0.15, 100.0);
                assert_eq!(block.cover.len(), block.width * block.height);
                assert!(block.cover.iter().sum::<f32>() > 20.0, "{layout:?} {seed}");
                assert!(block.cover[..block.width].iter().all(|cover| *cover == 0.0));
                assert!(block.em >= 0.149, "{layout:?} {}", block.em);
            }
        }
    }

    #[test]
    fn distances_are_those_to_the_nearest_ink() {
        let (width, height) = (23, 17);
        let draws = Draws::new(9);
        let ink = |index: usize| if draws.unit(index as u64) < 0.03 { 1.0 } else { 0.0 };
        let cover: Vec<f32> = (0..width * height).map(ink).collect();
        let block = Block { width, height, scale: 1.0, cover: cover.clone(), em: 1.0 };
        let inked: Vec<usize> = (0..cover.len()).filter(|index| cover[*index] > 0.5).collect();
        assert!(!inked.is_empty());
        for (index, distance) in block.distances().into_iter().enumerate() {
            let to = |other: &usize| {
                let apart = |a: usize, b: usize| (a as f64 - b as f64).powi(2);
                (apart(index % width, other % width) + apart(index / width, other / width)).sqrt()
            };
            let nearest = inked.iter().map(to).fold(f64::INFINITY, f64::min);
            assert!((f64::from(distance) - nearest).abs() < 1e-4);
        }
    }

    #[test]
    fn values_between_dots_are_linear() {
        let block = Block { width: 2, height: 1, scale: 1.0, cover: vec![1.0, 0.0], em: 1.0 };
        let at = |x: f64| block.between(&block.cover, x, 0.5, 0.0);
        assert_eq!([at(0.5), at(1.0), at(1.5), at(-3.0), at(0.0)], [1.0, 0.5, 0.0, 0.0, 0.5]);
    }
}
