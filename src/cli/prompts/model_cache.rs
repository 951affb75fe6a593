//! A cache of the models' hashes and of their tokenizers or labels, so that an edit does not have to wait for them.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use crate::cli::failure::Failure;
use crate::clip::{ModelFolder, Words};

/// The models seen so far.
#[derive(Default)]
pub(crate) struct KnownModels(Vec<Known>);

struct Known {
    /// The description and the metadata of the files. A model with the same stamp is unchanged.
    stamp: Stamp,
    hash: String,
    words: Option<Rc<Words>>,
}

type Stamp = (String, Vec<(PathBuf, Option<(u64, SystemTime)>)>);

/// The most models to remember, more than watched recipes are likely to use; beyond it the oldest is forgotten.
const MOST: usize = 16;

impl KnownModels {
    /// Returns the model's hash. Its files are read only if one of them has changed.
    pub fn hash(&mut self, model: &ModelFolder) -> Result<String, Failure> {
        let known = self.known(model)?;
        Ok(known.hash.clone())
    }

    /// Returns the model's tokenizer or labels.
    pub fn words(&mut self, model: &ModelFolder) -> Result<Rc<Words>, Failure> {
        let known = self.known(model)?;
        if let Some(words) = &known.words {
            return Ok(words.clone());
        }
        let words = open_words(model)?;
        known.words = Some(words.clone());
        Ok(words)
    }

    fn known(&mut self, model: &ModelFolder) -> Result<&mut Known, Failure> {
        let stamp = stamp(model);
        let at = match self.0.iter().position(|known| known.stamp == stamp) {
            Some(at) => at,
            None => {
                let hash = model.hash()?;
                if self.0.len() == MOST {
                    self.0.remove(0);
                }
                self.0.push(Known { stamp, hash, words: None });
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[at])
    }
}

fn stamp(model: &ModelFolder) -> Stamp {
    let of = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    let files = model.files().into_iter().map(|path| (path.clone(), of(&path))).collect();
    (format!("{:?} {:?}", model.folder(), model.description), files)
}

/// Opens a tokenizer or labels without caching them.
pub(crate) fn open_words(model: &ModelFolder) -> Result<Rc<Words>, Failure> {
    Words::open(model).map(Rc::new).map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_model_is_read_again_when_a_file_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let pocket = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/pocket"));
        for file in ModelFolder::open(pocket.to_path_buf()).unwrap().files() {
            let copy = folder.path().join(file.strip_prefix(pocket).unwrap());
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::copy(file, copy).unwrap();
        }
        let model = ModelFolder::open(folder.path().to_path_buf()).unwrap();
        let mut known = KnownModels::default();
        let (hash, words) = (known.hash(&model).unwrap(), known.words(&model).unwrap());
        assert_eq!(hash, model.hash().unwrap());
        assert!(Rc::ptr_eq(&words, &known.words(&model).unwrap()));
        let path = folder.path().join("tokenizer.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n")).unwrap();
        assert_ne!(known.hash(&model).unwrap(), hash);
        assert!(!Rc::ptr_eq(&words, &known.words(&model).unwrap()));
    }
}
