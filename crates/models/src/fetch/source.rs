//! Sources of a model's files.

use std::path::{Path, PathBuf};

use ureq::http::Uri;

use super::table::EntryFile;
use crate::ModelsError;

/// The environment variable that names another hub.
pub const ENDPOINT_VARIABLE: &str = "HF_ENDPOINT";

/// The environment variable with the user's token for the hub.
pub const TOKEN_VARIABLE: &str = "HF_TOKEN";

/// The hub that the table's repositories are on.
const HUB: &str = "https://huggingface.co";

/// A source of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The hub, or what [`ENDPOINT_VARIABLE`] names: `BASE/REPOSITORY/resolve/REVISION/PATH`.
    Hub { base: String, token: Option<String> },
    /// A server: laid out like the hub, or as a folder of files by their names.
    Server { base: String },
    /// A folder on this machine.
    Folder(PathBuf),
}

impl Source {
    /// Returns the source that `--from` names; without it, the hub that the environment names.
    pub fn choose(from: Option<&str>) -> Result<Self, ModelsError> {
        let variable = |name| std::env::var(name).ok().map(|text: String| text.trim().to_owned());
        Source::of(from, variable(ENDPOINT_VARIABLE), variable(TOKEN_VARIABLE))
    }

    fn of(from: Option<&str>, endpoint: Option<String>, token: Option<String>) -> Result<Self, ModelsError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match from {
            None => {
                let base = base(&given(&endpoint).unwrap_or_else(|| HUB.to_owned()));
                let base = base.map_err(|error| error.before(ENDPOINT_VARIABLE))?;
                Ok(Source::Hub { base, token: given(&token) })
            }
            Some(from) => {
                if let Some(path) = from.strip_prefix("file://") {
                    return Source::folder(path);
                }
                if from.contains("://") {
                    return Ok(Source::Server { base: base(from).map_err(|error| error.before("--from"))? });
                }
                Source::folder(from)
            }
        }
    }

    fn folder(path: &str) -> Result<Self, ModelsError> {
        let folder = PathBuf::from(path);
        if !folder.is_dir() {
            let what = if folder.exists() { "is not a folder" } else { "does not exist" };
            return Err(ModelsError::wrong(format!("--from {path}: {what}"))
                .hinted("give a folder with the model's files, or an address that begins with https:// or http://"));
        }
        Ok(Source::Folder(folder))
    }

    /// Returns the addresses to try for a file at this revision, in order. Empty for a folder.
    pub(super) fn addresses(&self, file: &EntryFile, revision: &str) -> Vec<String> {
        let on_hub = |base: &str| {
            let parts = [&escaped(&file.repository), "resolve", &escaped(revision), &escaped(&file.path)];
            format!("{base}/{}", parts.join("/"))
        };
        match self {
            Source::Hub { base, .. } => vec![on_hub(base)],
            Source::Server { base } => vec![on_hub(base), format!("{base}/{}", escaped(file.name()))],
            Source::Folder(_) => Vec::new(),
        }
    }

    /// Returns the places in a folder where a file may be at this revision, in order: as on the hub, as in the hub's own cache,
    /// as in its unpacked repository, and by its name.
    pub(super) fn places(folder: &Path, file: &EntryFile, revision: &str) -> Vec<PathBuf> {
        let (repository, path) = (&file.repository, &file.path);
        let title = repository.rsplit('/').next().unwrap_or(repository);
        let cached = format!("models--{}/snapshots/{revision}/{path}", repository.replace('/', "--"));
        let names = [
            format!("{repository}/resolve/{revision}/{path}"),
            cached,
            format!("{repository}/{path}"),
            format!("{title}/{path}"),
            file.name().to_owned(),
            path.clone(),
            path.rsplit('/').next().unwrap_or(path).to_owned(),
        ];
        names.iter().map(|name| folder.join(name)).collect()
    }

    /// Returns the address of the model's page, for people.
    pub(super) fn page(&self, file: &EntryFile) -> String {
        match self {
            Source::Hub { base, .. } => format!("{}/{}", shown(base), file.repository),
            _ => format!("{HUB}/{}", file.repository),
        }
    }

    /// Returns a short description of the source.
    pub fn title(&self) -> String {
        match self {
            Source::Hub { base, .. } | Source::Server { base } => shown(base),
            Source::Folder(folder) => folder.display().to_string(),
        }
    }
}

/// An error in an address, without the place where it was written.
struct Wrong(String);

impl Wrong {
    fn before(self, place: &str) -> ModelsError {
        ModelsError::wrong(format!("{place}: {}", self.0)).hinted("an address looks like https://example.org/models")
    }
}

/// Checks an address, and removes its trailing slash.
fn base(address: &str) -> Result<String, Wrong> {
    let uri: Uri = address.parse().map_err(|error| Wrong(format!("{address}: {error}")))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(Wrong(format!("{address}: expected an address that begins with https:// or http://")));
    }
    if uri.query().is_some() {
        return Err(Wrong(format!("{address}: files are looked for below it, so it cannot have a `?`")));
    }
    Ok(address.trim_end_matches('/').to_owned())
}

/// Formats an address for people: without a password, and without a query, which may be a signature.
pub(super) fn shown(address: &str) -> String {
    let address = address.split('?').next().unwrap_or(address);
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// Returns a path with all characters that have a meaning in addresses written as `%XX` (RFC 3986, section 2).
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: Option<&str>, endpoint: &str) -> Result<Source, String> {
        Source::of(from, Some(endpoint.to_owned()), None).map_err(|error| error.to_string())
    }

    #[test]
    fn the_hub_is_the_default_and_others_are_named() {
        let hub = |base: &str| Ok(Source::Hub { base: base.to_owned(), token: None });
        assert_eq!(of(None, ""), hub(HUB));
        assert_eq!(of(None, "http://mirror:8080/hf/"), hub("http://mirror:8080/hf"));
        assert_eq!(of(Some("https://x.y/z/"), ""), Ok(Source::Server { base: "https://x.y/z".into() }));
        assert_eq!(of(Some("/"), ""), Ok(Source::Folder("/".into())));
        assert_eq!(of(Some("file:///"), ""), Ok(Source::Folder("/".into())));
        for (from, endpoint, said) in [
            (None, "mirror", "HF_ENDPOINT: mirror: expected"),
            (None, "ftp://mirror", "HF_ENDPOINT: ftp://mirror: expected"),
            (None, "https://", "HF_ENDPOINT: https://: "),
            (None, "https://a b/", "HF_ENDPOINT: "),
            (Some("https://a/?b"), "", "--from: https://a/?b: "),
            (Some("ftp://a"), "", "--from: ftp://a: expected"),
            (Some("no/such/folder"), "", "does not exist"),
            (Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), "", "is not a folder"),
        ] {
            let message = of(from, endpoint).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn addresses_are_escaped_and_shown_without_secrets() {
        assert_eq!(escaped("a/b c%d?e#f+ü"), "a/b%20c%25d%3Fe%23f%2B%C3%BC");
        assert_eq!(shown("https://user:secret@host:1/a/b?signature=1"), "https://host:1/a/b");
        assert_eq!(shown("http://host"), "http://host");
    }
}
