//! A cache of features on disk, so that nothing has to be encoded twice.

use std::path::{Path, PathBuf};

use super::ClipError;
use crate::ours::{self, Layout, is_hexadecimal};

/// The folder within the cache folder: `features/MODEL/ITEM`, both hashes.
const FOLDER: &str = "features";

/// The number of digits of a model's hash in the folder's name.
const MODEL_DIGITS: usize = 16;

/// Features of texts and images in [`features_folder`].
pub const FEATURES: Layout = Layout { folders: &[is_model], file: is_feature };

/// Returns the folder for features below the cache folder.
pub fn features_folder(cache: &Path) -> PathBuf {
    cache.join(FOLDER)
}

fn is_model(name: &str) -> bool {
    is_hexadecimal(name, MODEL_DIGITS)
}

fn is_feature(name: &str) -> bool {
    let is_hash = |name: &str| is_hexadecimal(name, 2 * blake3::OUT_LEN);
    is_hash(name) || ours::temporary_of(name).is_some_and(is_hash)
}

/// Returns the features of `items`, in order. Features found in `cache` (a folder) by the model's hash and the item's key are
/// read; the others are computed by `encode` and stored.
pub(super) fn remembered<T>(
    items: &[T],
    key: impl Fn(&T) -> blake3::Hash,
    model_hash: &str,
    cache: Option<PathBuf>,
    mut encode: impl FnMut(&T) -> Result<Vec<f32>, ClipError>,
) -> Result<Vec<Vec<f32>>, ClipError> {
    let cache = cache.map(|cache| {
        let folder = features_folder(&cache);
        (folder.join(&model_hash[..MODEL_DIGITS.min(model_hash.len())]), folder)
    });
    let feature = |item: &T| {
        let path = cache.as_ref().map(|(model, _)| model.join(key(item).to_hex().as_str()));
        if let Some(known) = path.as_deref().and_then(recall) {
            return Ok(known);
        }
        let fresh = encode(item)?;
        if let (Some(path), Some((_, folder))) = (path, &cache) {
            // A cache that cannot be written only costs time.
            let _ = ours::make_cache(folder).and_then(|()| keep(&path, &fresh));
        }
        Ok(fresh)
    };
    items.iter().map(feature).collect()
}

/// Reads a stored feature: f32 values, followed by the BLAKE3 hash of their bytes. Anything else counts as absent.
fn recall(path: &Path) -> Option<Vec<f32>> {
    let bytes = std::fs::read(path).ok()?;
    let (values, hash) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if values.is_empty() || blake3::hash(values).as_bytes() != hash {
        return None;
    }
    Some(values.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn keep(path: &Path, feature: &[f32]) -> std::io::Result<()> {
    let folder = path.parent().ok_or(std::io::ErrorKind::NotFound)?;
    std::fs::create_dir_all(folder)?;
    let mut values: Vec<u8> = feature.iter().flat_map(|v| v.to_le_bytes()).collect();
    let hash = blake3::hash(&values);
    values.extend(hash.as_bytes());
    ours::write_file(path, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_feature_comes_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("b");
        keep(&path, &[1.0, -2.5]).unwrap();
        assert_eq!(recall(&path), Some(vec![1.0, -2.5]));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[1] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(recall(&path), None);
    }

    #[test]
    fn features_are_known_by_their_names() {
        let hash = blake3::hash(b"a").to_hex();
        assert!(is_feature(&hash) && is_feature(&format!(".{hash}.aB3dE6.tmp")) && is_model("0123456789abcdef"));
        assert!(!is_feature(&hash[1..]) && !is_feature(&format!("{hash}.png")) && !is_model("photos"));
    }

    #[test]
    fn what_is_known_is_not_encoded_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = |items: &[&str], model: &str, mut count: usize| {
            let key = |item: &&str| blake3::hash(item.as_bytes());
            let features = remembered(items, key, model, Some(folder.path().into()), |item| {
                count += 1;
                Ok(vec![item.len() as f32])
            });
            (features.unwrap(), count)
        };
        assert_eq!(run(&["a", "bc"], "model", 0), (vec![vec![1.0], vec![2.0]], 2));
        assert_eq!(run(&["bc", "d"], "model", 0), (vec![vec![2.0], vec![1.0]], 1));
        assert_eq!(run(&["bc"], "other", 0).1, 1);
    }
}
