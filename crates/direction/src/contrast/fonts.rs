//! The fonts that lettering is drawn in: the built-in one, those of the machine, or those of a folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::chance::Draws;
use crate::output::font::Font;

/// The maximum number of faces per family, so that a family of fifty weights does not dominate.
const MOST_OF_A_FAMILY: usize = 8;
/// The characters that a text font must have.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!.,";
/// Words in the names of fonts whose glyphs are not letters, whatever characters they claim to have.
const NO_LETTERS: [&str; 8] = ["symbol", "emoji", "dingbat", "icon", "braille", "barcode", "music", "math"];

/// One face of a font.
#[derive(Debug, Clone)]
pub(super) struct Face {
    /// Its PostScript name, such as `LiberationSerif-Italic`.
    name: String,
    bytes: Cow<'static, [u8]>,
    /// Its index in a font collection.
    index: u32,
}

impl Face {
    /// Returns the font for drawing. Falls back to the built-in one if the bytes are invalid, which [`Fonts`] has ruled out.
    pub fn font(&self) -> Font<'_> {
        match Font::nth(&self.bytes, self.index) {
            Some(font) => font,
            None => Font::own(),
        }
    }
}

/// Faces by family.
#[derive(Debug, Clone)]
pub struct Fonts {
    families: Vec<Vec<Face>>,
}

impl Fonts {
    /// Returns only the built-in font, which is the same everywhere.
    pub fn own() -> Fonts {
        Fonts { families: vec![vec![own()]] }
    }

    /// Returns the built-in font and those of the machine.
    pub fn of_system() -> Fonts {
        let mut database = fontdb::Database::new();
        database.load_system_fonts();
        let mut families = by_family(&database);
        families.entry(family("Noto Sans")).or_default().insert(0, own());
        Fonts { families: families.into_values().map(few).collect() }
    }

    /// Returns the fonts of a folder and its subfolders; `None` if no font there has all letters.
    pub fn of_folder(folder: &Path) -> Option<Fonts> {
        let mut database = fontdb::Database::new();
        database.load_fonts_dir(folder);
        let families: Vec<_> = by_family(&database).into_values().map(few).collect();
        (!families.is_empty()).then_some(Fonts { families })
    }

    /// Returns the faces' names, in order.
    pub fn names(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.families.iter().flatten().map(|face| face.name.as_str()).collect();
        names.into_iter().collect()
    }

    /// Draws a face: first a family, then one of its faces.
    pub(super) fn any(&self, draws: Draws) -> &Face {
        let pick = |index, count: usize| (draws.unit(index) * count as f64) as usize;
        // There is at least one family, and no family is empty.
        let family = &self.families[pick(0, self.families.len())];
        &family[pick(1, family.len())]
    }
}

fn own() -> Face {
    Face { name: "NotoSans-Regular".into(), bytes: Cow::Borrowed(Font::BYTES), index: 0 }
}

/// Returns the faces suitable for text, sorted. Of a family's faces that look alike (weight, style, width) only the first is
/// kept: its fonts for other scripts have the same Latin letters.
fn by_family(database: &fontdb::Database) -> BTreeMap<String, Vec<Face>> {
    let mut faces: Vec<_> = database.faces().collect();
    // The listing order of folders depends on the machine.
    let name = |face: &fontdb::FaceInfo| face.families.first().map_or(String::new(), |(name, _)| name.clone());
    faces.sort_by_cached_key(|face| (name(face).len(), name(face), face.post_script_name.clone(), face.index));
    let mut families: BTreeMap<String, Vec<Face>> = BTreeMap::new();
    let mut looks = BTreeSet::new();
    for face in faces {
        let (name, known) = (face.post_script_name.clone(), name(face));
        if NO_LETTERS.iter().any(|word| known.to_lowercase().contains(word) || name.to_lowercase().contains(word)) {
            continue;
        }
        let family = family(&known);
        let look = (family.clone(), face.weight, face.style as u8, face.stretch, face.monospaced);
        if looks.contains(&look) {
            continue;
        }
        let bytes = database.with_face_data(face.id, |bytes, index| {
            Font::nth(bytes, index).filter(|font| reads(font)).map(|_| bytes.to_vec())
        });
        if let Some(bytes) = bytes.flatten() {
            looks.insert(look);
            let face = Face { name, bytes: Cow::Owned(bytes), index: face.index };
            families.entry(family).or_default().push(face);
        }
    }
    families
}

/// Returns the first two words of a family's name, which related families share.
fn family(name: &str) -> String {
    name.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns some of a family's faces, spread from the first to the last.
fn few(faces: Vec<Face>) -> Vec<Face> {
    let count = faces.len();
    if count <= MOST_OF_A_FAMILY {
        return faces;
    }
    let kept: BTreeSet<usize> = (0..MOST_OF_A_FAMILY).map(|index| index * count / MOST_OF_A_FAMILY).collect();
    faces.into_iter().enumerate().filter(|(index, _)| kept.contains(index)).map(|(_, face)| face).collect()
}

/// Returns whether a font has the letters, and renders a few of them as distinct shapes with ink.
fn reads(font: &Font<'_>) -> bool {
    if !LETTERS.chars().all(|letter| font.has(letter)) {
        return false;
    }
    let seen: BTreeSet<Vec<(i64, i64, u8)>> = ["A", "g", "S", "8"]
        .iter()
        .map(|letter| {
            let mut dots = Vec::new();
            font.line(letter, 16.0).rasterise(0.0, 0.0, |column, row, coverage| dots.push((column, row, coverage)));
            dots
        })
        .filter(|dots| !dots.is_empty())
        .collect();
    seen.len() == 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_font_reads_and_is_always_among_the_systems() {
        assert!(reads(&Font::own()));
        assert_eq!(Fonts::own().names(), ["NotoSans-Regular"]);
        assert!(Fonts::of_system().names().contains(&"NotoSans-Regular"));
    }

    #[test]
    fn a_folders_fonts_are_found_once_and_other_files_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("note.ttf"), b"no font").unwrap();
        assert!(Fonts::of_folder(folder.path()).is_none());
        std::fs::write(folder.path().join("deep/a.ttf"), Font::BYTES).unwrap();
        std::fs::write(folder.path().join("b.ttf"), Font::BYTES).unwrap();
        let fonts = Fonts::of_folder(folder.path()).unwrap();
        assert_eq!((fonts.names().len(), fonts.families.len(), fonts.families[0].len()), (1, 1, 1));
    }

    #[test]
    fn a_large_family_is_thinned_evenly() {
        let face = |index: u32| Face { name: format!("f{index:02}"), index, ..own() };
        let kept: Vec<u32> = few((0..50).map(face).collect()).iter().map(|face| face.index).collect();
        assert_eq!(kept, [0, 6, 12, 18, 25, 31, 37, 43]);
        assert_eq!((family("Noto Sans Tamil UI"), family("Arial")), ("noto sans".into(), "arial".into()));
    }
}
