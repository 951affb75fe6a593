//! Files under names that we choose: what somebody else has put there is not overwritten.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::whole::WriteError;

/// Every PNG of ours says in a text before its pixels which program it is from; so many bytes are looked at.
const HEAD: u64 = 1 << 16;
const NAME: &[u8] = b"recipe-render";

/// That a picture may be written at a path that nobody has named: nothing is there, or a PNG of ours, or an empty file, or what is no
/// ordinary file and is written into.
///
/// # Errors
/// [`WriteError::Foreign`].
pub fn check_own_picture(path: &Path) -> Result<(), WriteError> {
    check_own(path, |bytes| bytes.windows(NAME.len()).any(|window| window == NAME))
}

/// The same where `is_ours` tells by a file's first 64 KiB.
pub fn check_own(path: &Path, is_ours: impl FnOnce(&[u8]) -> bool) -> Result<(), WriteError> {
    let ordinary = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    let mut head = Vec::new();
    let mut read = || File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    // What cannot be read cannot be known as ours.
    if !ordinary || read().is_ok() && is_ours(&head) {
        return Ok(());
    }
    Err(WriteError::Foreign { path: path.display().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Bases, Facts, Origin, write_png};
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
