//! Features kept on disk, so that what was encoded once need not be again.

use std::path::{Path, PathBuf};

use super::ClipError;

/// The features of `items`, in order: those kept in `cache` (a folder) by the model's hash and the item's key; the others
/// made by `encode`, and kept.
pub(super) fn remembered<T>(
    items: &[T],
    key: impl Fn(&T) -> blake3::Hash,
    model_hash: &str,
    cache: Option<PathBuf>,
    mut encode: impl FnMut(&T) -> Result<Vec<f32>, ClipError>,
) -> Result<Vec<Vec<f32>>, ClipError> {
    let cache = cache.map(|folder| folder.join("features").join(&model_hash[..16.min(model_hash.len())]));
    let feature = |item: &T| {
        let path = cache.as_ref().map(|folder| folder.join(key(item).to_hex().as_str()));
        if let Some(known) = path.as_deref().and_then(recall) {
            return Ok(known);
        }
        let fresh = encode(item)?;
        if let Some(path) = path {
            // A cache that cannot be written costs time, not the picture.
            let _ = keep(&path, &fresh);
        }
        Ok(fresh)
    };
    items.iter().map(feature).collect()
}

/// A feature kept earlier: f32 values, then the BLAKE3 hash of their bytes. Anything else counts as absent.
fn recall(path: &Path) -> Option<Vec<f32>> {
    let bytes = std::fs::read(path).ok()?;
    let (values, hash) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if values.is_empty() || blake3::hash(values).as_bytes() != hash {
        return None;
    }
    Some(values.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn keep(path: &Path, feature: &[f32]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().ok_or(std::io::ErrorKind::NotFound)?;
    std::fs::create_dir_all(folder)?;
    let values: Vec<u8> = feature.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&values)?;
    file.write_all(blake3::hash(&values).as_bytes())?;
    file.persist(path)?;
    Ok(())
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
