//! Files under names that the program chooses: foreign files are never overwritten.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::whole::WriteError;

/// Each of our PNGs names this program in a text before its pixels; this many bytes are searched for it.
const HEAD: u64 = 1 << 16;
const NAME: &[u8] = b"recipe-render";

/// Checks that a picture may be written at a path that the user did not choose: nothing is there, or one of our PNGs, or an empty file,
/// or something that is not an ordinary file and is written into.
///
/// # Errors
/// [`WriteError::Foreign`].
pub fn check_own_picture(path: &Path) -> Result<(), WriteError> {
    check_own(path, |bytes| bytes.windows(NAME.len()).any(|window| window == NAME))
}

/// The same, with `is_ours` to recognise a file by its first 64 KiB.
pub fn check_own(path: &Path, is_ours: impl FnOnce(&[u8]) -> bool) -> Result<(), WriteError> {
    let ordinary = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    let mut head = Vec::new();
    let mut read = || File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    // A file that cannot be read cannot be recognised as ours.
    if !ordinary || read().is_ok() && is_ours(&head) {
        return Ok(());
    }
    Err(WriteError::Foreign { path: path.display().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::Bases;
    use crate::output::{Facts, Origin, write_png};
    use crate::picture::Picture;
    use crate::plan::Size;

    #[test]
    fn only_pictures_of_ours_are_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        check_own_picture(&path).unwrap();
        fs::write(&path, "").unwrap();
        check_own_picture(&path).unwrap();
        image::RgbImage::new(4, 4).save(&path).unwrap();
        let error = check_own_picture(&path).unwrap_err();
        assert!(error.to_string().contains("did not write it") && error.hint().is_some(), "{error}");
        let origin = Origin { recipe: String::new(), bases: Bases::default(), facts: Facts::default() };
        let size = Size { width: 16, height: 16 };
        write_png(&path, &Picture { size, pixels: vec![0.5; size.area() * 3] }, &origin).unwrap();
        check_own_picture(&path).unwrap();
        check_own_picture(folder.path()).unwrap();
    }
}
