//! Files whose hash was not known beforehand: their hash is recorded when they are first fetched, and compared from then on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::partial_file::refused;
use crate::ModelsError;
use crate::output::write_whole;

/// The name of the records file, in the user's data folder.
pub(super) const FILE: &str = "fetched.toml";

const HEAD: &str =
    "# Files whose SHA-256 was not known beforehand, as they were when they were first fetched. A later fetch must give
# the same; remove an entry to accept another file.

";

/// The record of a file when it was first fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The commit that it was from, if the hub gave it.
    pub revision: Option<String>,
    pub bytes: u64,
    pub sha256: String,
}

/// The records, by repository and path.
type Records = BTreeMap<String, Record>;

/// Returns the record of a file, if there is one.
pub(super) fn recall(data: &Path, title: &str) -> Result<Option<Record>, ModelsError> {
    Ok(read(data)?.remove(title))
}

/// Records a file. Only one process at a time may call this.
pub(super) fn record(data: &Path, title: &str, record: Record) -> Result<(), ModelsError> {
    let mut records = read(data)?;
    records.insert(title.to_owned(), record);
    let text = toml::to_string(&records).map_err(ModelsError::failed)?;
    let path = data.join(FILE);
    write_whole(&path, |file| {
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())
    })
    .map_err(|error| ModelsError::failed(error).hinted("the file's hash could not be kept, so it is not used"))
}

fn read(data: &Path) -> Result<Records, ModelsError> {
    let path = data.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Records::new()),
        Err(error) => return Err(refused(&path, error)),
    };
    toml::from_str(&text).map_err(|error| {
        ModelsError::failed(format!("{}: {}", path.display(), error.to_string().trim_end()))
            .hinted("fix it, or remove it to trust what is fetched next")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(recall(folder.path(), "a/b/c").unwrap(), None);
        let one = Record { revision: Some("12".into()), bytes: 3, sha256: "ab".into() };
        record(folder.path(), "a/b/c", one.clone()).unwrap();
        record(folder.path(), "a/b/d", Record { revision: None, ..one.clone() }).unwrap();
        assert_eq!(recall(folder.path(), "a/b/c").unwrap(), Some(one));
        fs::write(folder.path().join(FILE), "a = 1").unwrap();
        assert!(recall(folder.path(), "a/b/c").unwrap_err().hint().unwrap().contains("remove it"));
    }
}
