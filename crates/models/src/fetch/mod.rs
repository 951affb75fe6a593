//! Fetches models: from a table of available models to files that are verified.

mod client;
mod download;
mod folders;
mod partial_file;
mod proxy;
mod recorded_hashes;
mod source;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use client::Client;
use download::{Download, Wanted};
use partial_file::refused;
pub(super) use partial_file::sha256_of;
use recorded_hashes::Record;

pub use folders::{Folders, Lock};
pub use source::{ENDPOINT_VARIABLE, Source, TOKEN_VARIABLE};
pub use table::{Entry, EntryFile, Role, Settings, TABLE_VARIABLE, Table};

use super::ModelsError;
use crate::{ours, units};

/// Options for fetching.
#[derive(Debug, Clone)]
pub struct Options {
    pub source: Source,
    /// Do not use the network.
    pub offline: bool,
    /// The timeout for a server that sends nothing.
    pub patience: Duration,
}

/// Events while a model is fetched.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The start of a file, the `index`th (from 1) of `count`.
    File { name: &'a str, index: usize, count: usize, bytes: Option<u64> },
    /// The bytes of the file so far, and the total if it is known.
    Progress { bytes: u64, of: Option<u64> },
    /// A message of one line.
    Note(&'a str),
}

/// A callback for events.
pub type Watch<'a> = dyn FnMut(Event<'_>) + 'a;

/// The verified files of a model: they match the table, or the record of their first fetch.
#[derive(Debug)]
pub struct Fetched<'a> {
    pub entry: &'a Entry,
    /// In the table's order. If the source is a folder, these are the user's own files.
    pub files: Vec<(Role, PathBuf)>,
    /// A short description of the source.
    pub source: String,
    /// Our own download folder.
    downloads: PathBuf,
}

impl Fetched<'_> {
    /// Returns the file of a role, if the model has one.
    pub fn file(&self, role: Role) -> Option<&PathBuf> {
        self.files.iter().find(|(other, _)| *other == role).map(|(_, path)| path)
    }

    /// Removes the downloads, and the folder if nothing else is in it. Returns what else is left, as [`ours::left_in`]
    /// describes it. Files that cannot be removed only take space.
    pub fn remove_downloads(self) -> Option<String> {
        for file in &self.entry.files {
            partial_file::remove_download(&self.downloads.join(file.name()));
        }
        ours::remove_empty(&self.downloads);
        ours::left_in(&self.downloads)
    }

    /// Returns the download folder.
    pub fn downloads(&self) -> &PathBuf {
        &self.downloads
    }
}

/// Fetches a model's missing files and verifies all of them. The caller must hold [`Folders::lock`].
pub fn fetch<'a>(
    entry: &'a Entry,
    options: &Options,
    folders: &Folders,
    watch: &mut Watch<'_>,
) -> Result<Fetched<'a>, ModelsError> {
    let downloads = folders.downloads(&entry.name);
    let mut files = Vec::new();
    let mut client = None;
    for (index, file) in entry.files.iter().enumerate() {
        let record = if file.sha256.is_none() { recorded_hashes::recall(folders.data(), &file.title())? } else { None };
        let record = record.as_ref();
        let wanted = Wanted {
            file,
            revision: record.and_then(|record| record.revision.clone()).unwrap_or_else(|| file.revision.clone()),
            bytes: file.bytes.or(record.map(|record| record.bytes)),
            sha256: file.sha256.clone().or(record.map(|record| record.sha256.clone())),
        };
        watch(Event::File { name: file.name(), index: index + 1, count: entry.files.len(), bytes: wanted.bytes });
        let found = match &options.source {
            Source::Folder(folder) => Some(in_folder(&wanted, folder)?),
            _ => here(&wanted, downloads.join(file.name()))?,
        };
        let (path, got) = match found {
            Some(found) => found,
            None if options.offline => return Err(offline(entry)),
            None => {
                fs::create_dir_all(&downloads).map_err(|error| refused(&downloads.join(file.name()), error))?;
                let client = match &mut client {
                    Some(client) => client,
                    empty => empty.insert(Client::new(&options.source, options.patience)?),
                };
                let path = downloads.join(file.name());
                partial_file::check_whole(&path)?;
                let watch = &mut *watch;
                let got = Download { client, source: &options.source, wanted: &wanted, watch }.run(&path)?;
                (path, Record { revision: got.commit, bytes: got.bytes, sha256: got.sha256 })
            }
        };
        if wanted.sha256.is_none() {
            watch(Event::Note(&format!(
                "{}: its SHA-256 was not known beforehand; trusted as it is, and recorded: {}",
                file.title(),
                got.sha256
            )));
            let _lock = folders.lock_records()?;
            recorded_hashes::record(folders.data(), &file.title(), got)?;
        }
        files.push((file.role, path));
    }
    Ok(Fetched { entry, files, source: options.source.title(), downloads })
}

/// Returns a file that was downloaded before. A file that does not match counts as missing.
fn here(wanted: &Wanted<'_>, path: PathBuf) -> Result<Option<(PathBuf, Record)>, ModelsError> {
    let Some(bytes) = fs::metadata(&path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len()) else {
        return Ok(None);
    };
    let sha256 = sha256_of(&path)?;
    let right = wanted.check(bytes, &sha256).is_ok();
    Ok(right.then_some((path, Record { revision: None, bytes, sha256 })))
}

/// Returns a file from a folder of the user's.
fn in_folder(wanted: &Wanted<'_>, folder: &std::path::Path) -> Result<(PathBuf, Record), ModelsError> {
    let mut places = Source::places(folder, wanted.file, &wanted.revision);
    places.dedup();
    let mut others = Vec::new();
    for path in places.iter().filter(|path| path.is_file()) {
        let bytes = fs::metadata(path).map_err(|error| ModelsError::file(path, error))?.len();
        // The length cheaply rules out most files with the same name.
        if let Some(expected) = wanted.bytes.filter(|expected| *expected != bytes) {
            others.push(format!("{}: it has {bytes} bytes, not {expected}", path.display()));
            continue;
        }
        let sha256 = sha256_of(path)?;
        match wanted.check(bytes, &sha256) {
            Ok(()) => return Ok((path.clone(), Record { revision: None, bytes, sha256 })),
            Err(reason) => others.push(format!("{}: {reason}", path.display())),
        }
    }
    others.dedup();
    let title = wanted.file.title();
    Err(if others.is_empty() {
        let name = wanted.file.name();
        ModelsError::wrong(format!("--from {}: there is no {name} in this folder", folder.display()))
            .hinted(format!("{name} is {title} at revision {}", wanted.revision))
    } else {
        let revision = &wanted.revision;
        ModelsError::wrong(format!("{title} is not the expected file\n  {}", others.join("\n  "))).hinted(format!(
            "download it again, at revision {revision}; for a model of your own there is `models import`"
        ))
    })
}

fn offline(entry: &Entry) -> ModelsError {
    let (bytes, exact) = entry.bytes();
    let about = if exact { "" } else { "about " };
    ModelsError::failed(format!("{}: --offline forbids downloading it ({about}{})", entry.name, units::bytes(bytes))).hinted(
        format!(
            "where there is a network, run `recipe-render models fetch {} --keep-downloads`, and bring its downloads here: \
             --from FOLDER",
            entry.name
        ),
    )
}
