//! Examples from folders of pictures.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::args::direction::FitArgs;
use crate::cli::failure::Failure;
use crate::cli::terminal::Voice;
use crate::cli::terminal::bar::Bar;
use crate::clip::{Encoder, Photo};
use crate::direction::{self, Examples, FEWEST, Groups};

/// The extensions of picture files.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"];
/// The deepest level of nested folders; links can form cycles.
const DEEPEST: usize = 16;

/// A picture file, not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    path: PathBuf,
    /// Its path relative to the named folder, without the extension.
    name: PathBuf,
    /// An index into the classes.
    class: Option<usize>,
}

/// The classes, and the files of all folders.
pub(super) struct Folders {
    classes: Vec<String>,
    files: Vec<File>,
}

/// A property by which pictures are grouped: two with the same name or the same content are held out, or learned from, together.
/// The classes may differ.
enum Respect {
    Name(PathBuf),
    Content(blake3::Hash),
}

impl Folders {
    /// Looks for pictures in the folders that the command line names. Each folder must hold at least one.
    pub(super) fn find(args: &FitArgs, voice: &Voice) -> Result<Self, Failure> {
        let mut folders = Folders { classes: Vec::new(), files: Vec::new() };
        let mut of_class: Vec<(PathBuf, Option<usize>)> = Vec::new();
        match &args.classes {
            Some(classes) => {
                for folder in below(classes, voice)? {
                    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    of_class.push((folder, Some(folders.classes.len())));
                    folders.classes.push(name);
                }
            }
            None => {
                let default = || {
                    let folder = args.positive.first().cloned().unwrap_or_default();
                    // `.` and `..` take the name of the folder they lead to.
                    let folder = fs::canonicalize(&folder).unwrap_or(folder);
                    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
                };
                folders.classes.push(args.class.clone().unwrap_or_else(default));
                of_class.extend(args.positive.iter().map(|folder| (folder.clone(), Some(0))));
            }
        }
        of_class.extend(args.negative.iter().map(|folder| (folder.clone(), None)));
        for (folder, class) in of_class {
            let before = folders.files.len();
            folders.gather(&folder, &folder, class, 0)?;
            if folders.files.len() == before {
                return Err(Failure::wrong(format!("{}: there are no pictures in this folder", folder.display()))
                    .hint(format!("pictures are files whose names end in {}", ENDINGS.join(", "))));
            }
        }
        Ok(folders)
    }

    /// Adds the pictures in a folder and in its subfolders, sorted by name. Hidden files and folders are left out.
    fn gather(&mut self, folder: &Path, root: &Path, class: Option<usize>, depth: usize) -> Result<(), Failure> {
        for path in entries(folder)? {
            if path.is_dir() {
                if depth < DEEPEST {
                    self.gather(&path, root, class, depth + 1)?;
                }
            } else if is_picture(&path) {
                let name = path.strip_prefix(root).unwrap_or(&path).with_extension("");
                self.files.push(File { path, name, class });
            }
        }
        Ok(())
    }

    /// Encodes all pictures. Those that cannot be read are reported, left out and returned.
    pub(super) fn examples(self, encoder: &mut Encoder, voice: &Voice) -> Result<(Examples, Vec<PathBuf>), Failure> {
        let Folders { classes, files } = self;
        // The hash of each picture's bytes, or why it cannot be read.
        let seen: Vec<OnceLock<Result<blake3::Hash, String>>> = files.iter().map(|_| OnceLock::new()).collect();
        let clear = AtomicUsize::new(0);
        let read = |path: &Path| -> Result<(blake3::Hash, Photo), String> {
            let bytes = fs::read(path).map_err(|error| error.to_string())?;
            Ok((blake3::hash(&bytes), Photo::decode(&bytes)?))
        };
        let picture = |index: usize| {
            let (hash, photo) = match read(&files[index].path) {
                Ok((hash, photo)) => {
                    clear.fetch_add(usize::from(photo.clear), Ordering::Relaxed);
                    (Ok(hash), Some(photo))
                }
                Err(message) => (Err(message), None),
            };
            let _ = seen[index].set(hash);
            photo
        };
        let bar = Bar::new(voice, "looking at pictures", files.len());
        let told = &mut |done| bar.at(done, files.len());
        let embeddings = direction::embed(encoder, files.len(), &picture, told)?;
        drop(bar);
        match clear.into_inner() {
            0 => {}
            1 => voice.warning("parts of 1 picture are transparent and are seen as white"),
            several => voice.warning(&format!("parts of {several} pictures are transparent and are seen as white")),
        }

        let mut examples = Examples::new(classes);
        let mut groups = Groups::new();
        let (mut skipped, mut kept) = (Vec::new(), Vec::new());
        let mut class_of: HashMap<blake3::Hash, &File> = HashMap::new();
        for ((file, seen), embedding) in files.iter().zip(&seen).zip(embeddings) {
            let (hash, embedding) = match (seen.get(), embedding) {
                (Some(Ok(hash)), Some(embedding)) => (*hash, embedding),
                (Some(Err(message)), _) => {
                    voice.warning(&format!("{}: {message}; it is left out", file.path.display()));
                    skipped.push(file.path.clone());
                    continue;
                }
                _ => continue,
            };
            groups.add([Respect::Name(file.name.clone()).key(), Respect::Content(hash).key()]);
            let first = class_of.entry(hash).or_insert(file);
            if first.class != file.class {
                let (one, other) = (first.path.display(), file.path.display());
                voice.warning(&format!("{one} and {other} are the same picture, in two classes"));
            }
            kept.push((hash, embedding, file.class));
        }
        let hashes: Vec<blake3::Hash> = kept.iter().map(|(hash, ..)| *hash).collect();
        for (index, (_, embedding, class)) in kept.into_iter().enumerate() {
            // Numbered by content, so that the same pictures in other folders are divided alike.
            let bytes = hashes[groups.of(index)];
            let number = bytes.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            examples.add(embedding, class, number);
        }
        Ok((examples, skipped))
    }

    /// Fails if a class, or everything outside it, has fewer than [`FEWEST`] pictures.
    pub(super) fn enough(&self) -> Result<(), Failure> {
        let all = self.files.len();
        for (class, name) in self.classes.iter().enumerate() {
            let found = self.files.iter().filter(|file| file.class == Some(class)).count();
            for (found, of) in [(found, format!("\"{name}\"")), (all - found, format!("not \"{name}\""))] {
                if found < FEWEST {
                    return Err(Failure::from(direction::DirectionError::TooFew { of, found }));
                }
            }
        }
        Ok(())
    }
}

impl Respect {
    fn key(self) -> Vec<u8> {
        match self {
            Respect::Name(name) => [b"n", name.as_os_str().as_encoded_bytes()].concat(),
            Respect::Content(hash) => [b"c", &hash.as_bytes()[..]].concat(),
        }
    }
}

pub(super) fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Lists the entries of a folder, sorted; hidden ones are left out.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error: std::io::Error| Failure::wrong(format!("cannot read {}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b".") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Lists the folders in a folder, one per class. Warns of pictures beside them, which belong to no class.
fn below(folder: &Path, voice: &Voice) -> Result<Vec<PathBuf>, Failure> {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries(folder)?.into_iter().partition(|path| path.is_dir());
    if folders.is_empty() {
        return Err(Failure::wrong(format!("{}: there are no folders in this folder", folder.display())).hint(
            "--classes names a folder with a folder of pictures for each class; see also --positive, --negative",
        ));
    }
    let loose = files.iter().filter(|file| is_picture(file)).count();
    if loose > 0 {
        let (pictures, are) = if loose == 1 { ("picture", "is") } else { ("pictures", "are") };
        voice.warning(&format!("{}: {loose} {pictures} outside the classes' folders {are} left out", folder.display()));
    }
    Ok(folders)
}
