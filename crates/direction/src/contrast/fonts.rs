//! The fonts that lettering is drawn in: our own, those of the machine, or those of a folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::chance::Draws;
use crate::output::font::Font;

/// The most faces of one family, so that a family of fifty weights is not most of what is drawn.
const MOST_OF_A_FAMILY: usize = 8;
/// What a font for reading has.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!.,";
/// Words in the names of fonts whose glyphs are no letters, whatever they stand for.
const NO_LETTERS: [&str; 8] = ["symbol", "emoji", "dingbat", "icon", "braille", "barcode", "music", "math"];

/// One face of a font.
#[derive(Debug, Clone)]
pub(super) struct Face {
    /// Its PostScript name, such as `LiberationSerif-Italic`.
    name: String,
    bytes: Cow<'static, [u8]>,
    /// Its place in a collection.
    index: u32,
}

impl Face {
    /// The font, to draw with; ours if the bytes were none, which [`Fonts`] has made sure of.
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
    /// The font that is part of the program alone: the same everywhere.
    pub fn own() -> Fonts {
        Fonts { families: vec![vec![own()]] }
    }

    /// Ours and those of the machine, wherever its system keeps them.
    pub fn of_system() -> Fonts {
        let mut database = fontdb::Database::new();
        database.load_system_fonts();
        let mut families = by_family(&database);
        families.entry(family("Noto Sans")).or_default().insert(0, own());
        Fonts { families: families.into_values().map(few).collect() }
    }

    /// Those of a folder and the folders in it; none if no font there has all letters.
    pub fn of_folder(folder: &Path) -> Option<Fonts> {
        let mut database = fontdb::Database::new();
        database.load_fonts_dir(folder);
        let families: Vec<_> = by_family(&database).into_values().map(few).collect();
        (!families.is_empty()).then_some(Fonts { families })
    }

    /// The faces' names, in order.
    pub fn names(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.families.iter().flatten().map(|face| face.name.as_str()).collect();
        names.into_iter().collect()
    }

    /// Any face: first a family, then one of its faces.
    pub(super) fn any(&self, draws: Draws) -> &Face {
        let pick = |index, count: usize| (draws.unit(index) * count as f64) as usize;
        // No family is empty, and there is one.
        let family = &self.families[pick(0, self.families.len())];
        &family[pick(1, family.len())]
    }
}

fn own() -> Face {
    Face { name: "NotoSans-Regular".into(), bytes: Cow::Borrowed(Font::BYTES), index: 0 }
}

/// The faces for reading, sorted; of those of a family that look alike (weight, style, width) the first one only: the many
/// fonts of a family for other scripts have the same Latin letters.
fn by_family(database: &fontdb::Database) -> BTreeMap<String, Vec<Face>> {
    let mut faces: Vec<_> = database.faces().collect();
    // The order in which folders list their files is the machine's.
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

/// The first two words of a family's name, which its relatives share.
fn family(name: &str) -> String {
    name.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Some of a family's faces, from its first to its last one.
fn few(faces: Vec<Face>) -> Vec<Face> {
    let count = faces.len();
    if count <= MOST_OF_A_FAMILY {
        return faces;
    }
    let kept: BTreeSet<usize> = (0..MOST_OF_A_FAMILY).map(|index| index * count / MOST_OF_A_FAMILY).collect();
    faces.into_iter().enumerate().filter(|(index, _)| kept.contains(index)).map(|(_, face)| face).collect()
}

/// Whether a font has the letters, and draws some of them: each with ink, no two alike.
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
