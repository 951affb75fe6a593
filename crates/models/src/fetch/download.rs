//! The download of one file: resumed where it stopped, retried if the network fails, and checked as a whole.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::client::{Answer, Client, Trouble};
use super::partial_file::PartialFile;
use super::source::{Source, TOKEN_VARIABLE, shown};
use super::table::EntryFile;
use super::{Event, Watch};
use crate::{ModelsError, units};

/// The number of attempts in a row without progress before giving up.
const ATTEMPTS: u32 = 5;

/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

const AGAIN: &str = "run it again: it resumes where it stopped";

/// The expected properties of a file.
pub(super) struct Wanted<'a> {
    pub file: &'a EntryFile,
    /// The revision in the table, or the recorded one.
    pub revision: String,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
}

impl Wanted<'_> {
    /// Returns what is wrong with a file, if anything.
    pub(super) fn check(&self, bytes: u64, sha256: &str) -> Result<(), String> {
        match (self.bytes, &self.sha256) {
            (Some(wanted), _) if wanted != bytes => Err(format!("it has {bytes} bytes, not {wanted}")),
            (_, Some(wanted)) if wanted != sha256 => Err(format!("its SHA-256 is {sha256}, not {wanted}")),
            _ => Ok(()),
        }
    }
}

/// A finished download.
pub(super) struct Got {
    pub bytes: u64,
    pub sha256: String,
    /// The commit that the file is from, according to the hub.
    pub commit: Option<String>,
}

/// One download.
pub(super) struct Download<'a> {
    pub client: &'a Client,
    pub source: &'a Source,
    pub wanted: &'a Wanted<'a>,
    pub watch: &'a mut Watch<'a>,
}

/// The outcome of an attempt without trouble.
enum Attempt {
    /// The server has sent everything.
    Whole,
    /// The server has no such file at this address; the text says why.
    Absent(String),
}

impl Download<'_> {
    /// Downloads the file to `path`.
    pub(super) fn run(mut self, path: &Path) -> Result<Got, ModelsError> {
        let Wanted { file, revision, sha256, .. } = self.wanted;
        let title = format!("{}@{revision}/{} {}", file.repository, file.path, sha256.as_deref().unwrap_or("?"));
        let mut part = PartialFile::open(path.with_added_extension("part"), &title, sha256.is_some())?;
        let mut resumed = part.length() > 0;
        if resumed {
            self.note(&format!("{}: resuming after {}", file.name(), units::bytes(part.length())));
        }
        let mut commit = None;
        loop {
            if self.wanted.bytes != Some(part.length())
                && let Err(error) = self.fill(&mut part, &mut commit)
            {
                if part.length() == 0 {
                    part.discard();
                }
                return Err(error);
            }
            let (bytes, sha256) = (part.length(), part.sha256());
            match self.wanted.check(bytes, &sha256) {
                Ok(()) => {
                    part.finish(path)?;
                    return Ok(Got { bytes, sha256, commit });
                }
                Err(reason) if resumed => {
                    // The earlier part may be damaged, by the disk or a power failure.
                    self.note(&format!("{}: {reason}; starting over", file.name()));
                    part.clear()?;
                    resumed = false;
                }
                Err(reason) => {
                    part.discard();
                    return Err(self.other_file(&reason));
                }
            }
        }
    }

    /// Makes attempts until the server has sent everything.
    fn fill(&mut self, part: &mut PartialFile, commit: &mut Option<String>) -> Result<(), ModelsError> {
        let addresses = self.source.addresses(self.wanted.file, &self.wanted.revision);
        let mut addresses = addresses.iter().peekable();
        let mut absent = Vec::new();
        let (mut failures, mut most, mut reached) = (0, part.length(), false);
        while let Some(address) = addresses.peek().copied() {
            let last = addresses.len() == 1;
            let trouble = match self.attempt(address, last, part, commit) {
                Ok(Attempt::Whole) => return Ok(()),
                Ok(Attempt::Absent(why)) => {
                    absent.push(format!("{}: {why}", shown(address)));
                    addresses.next();
                    continue;
                }
                Err(trouble) => trouble,
            };
            let (message, after) = match trouble {
                Trouble::Lasting(error) => return Err(error),
                Trouble::Unreached(message) if !reached && part.length() <= most => {
                    return Err(self.unreached(&message));
                }
                Trouble::Unreached(message) => (message, None),
                Trouble::Passing { message, after } => {
                    reached = true;
                    (message, after)
                }
            };
            if part.length() > most {
                most = part.length();
                failures = 0;
            }
            failures += 1;
            let wait = after.unwrap_or(Duration::from_secs(1 << failures.min(4)).min(self.client.patience()));
            if failures >= ATTEMPTS || wait > LONGEST_WAIT {
                let here = if part.length() > 0 {
                    format!("; {} are kept", units::bytes(part.length()))
                } else {
                    String::new()
                };
                let tried = if failures > 1 { format!(" ({failures} attempts)") } else { String::new() };
                return Err(ModelsError::failed(format!("{}: {message}{tried}{here}", self.title())).hinted(AGAIN));
            }
            self.note(&format!("{}: {message}; trying again", self.wanted.file.name()));
            thread::sleep(wait);
        }
        Err(self.absent(&absent))
    }

    /// Makes one request and reads the answer. `last`: there is no other address to try.
    fn attempt(
        &mut self,
        address: &str,
        last: bool,
        part: &mut PartialFile,
        commit: &mut Option<String>,
    ) -> Result<Attempt, Trouble> {
        let mut answer = self.client.get(address, part.rest())?;
        *commit = answer.commit.take().or(commit.take());
        match answer.status.as_u16() {
            200 => part.clear().map_err(Trouble::Lasting)?,
            206 if answer.start() == Some(part.length()) => {}
            206 | 416 => {
                // Either everything is here already, or the file is a different one and is requested as a whole.
                if answer.total() == Some(part.length()) && self.wanted.sha256.is_some() {
                    return Ok(Attempt::Whole);
                }
                part.clear().map_err(Trouble::Lasting)?;
                return Err(Trouble::passing("the server has no such part"));
            }
            404 | 410 => return Ok(Attempt::Absent("not found".into())),
            // Some servers say this for everything that does not exist.
            403 if matches!(self.source, Source::Server { .. }) => return Ok(Attempt::Absent("forbidden".into())),
            status => return Err(self.refusal(status, &answer)),
        }
        if answer.is_page() && !self.wanted.file.path.ends_with(".html") {
            return Ok(Attempt::Absent("a web page in its place".into()));
        }
        let total = answer.total().or_else(|| Some(answer.length()? + part.length()));
        if let (Some(total), Some(wanted)) = (total, self.wanted.bytes)
            && total != wanted
        {
            let reason = format!("it has {total} bytes, not {wanted}");
            return if last { Err(Trouble::Lasting(self.other_file(&reason))) } else { Ok(Attempt::Absent(reason)) };
        }
        part.set_etag(answer.etag()).map_err(Trouble::Lasting)?;
        self.take(&mut answer, part, total)
    }

    /// Reads the body.
    fn take(&mut self, answer: &mut Answer, part: &mut PartialFile, total: Option<u64>) -> Result<Attempt, Trouble> {
        let most = self.wanted.bytes.or(total);
        let mut buffer = vec![0; 1 << 17];
        loop {
            (self.watch)(Event::Progress { bytes: part.length(), of: most });
            let count = self.client.read(answer, &mut buffer)?;
            if count == 0 {
                break;
            }
            part.add(&buffer[..count]).map_err(Trouble::Lasting)?;
            if most.is_some_and(|most| part.length() > most) {
                // The body may be endless; its length is enough to reject it.
                return Ok(Attempt::Whole);
            }
        }
        match most {
            Some(most) if part.length() < most && total.is_some() => Err(Trouble::passing("the connection was cut")),
            _ => Ok(Attempt::Whole),
        }
    }

    fn note(&mut self, line: &str) {
        (self.watch)(Event::Note(line));
    }

    fn title(&self) -> String {
        format!("{} from {}", self.wanted.file.title(), self.source.title())
    }

    fn unreached(&self, message: &str) -> ModelsError {
        ModelsError::failed(format!("{}: {message}", self.wanted.file.title())).hinted(
            "is there a network? HF_ENDPOINT names a mirror, HTTPS_PROXY a proxy; --from takes the files from another \
             server or from a folder",
        )
    }

    fn absent(&self, reasons: &[String]) -> ModelsError {
        let message =
            format!("{} is not at {}\n  {}", self.wanted.file.title(), self.source.title(), reasons.join("\n  "));
        let hint = match self.source {
            Source::Server { .. } => {
                "a server is laid out like the hub, or has the files side by side under the names in docs/models.md"
                    .to_owned()
            }
            _ => format!("look at {}; a mirror may lack it, and a newer recipe-render may know more", self.page()),
        };
        ModelsError::failed(message).hinted(hint)
    }

    /// Returns the error for a file with unexpected bytes.
    fn other_file(&self, reason: &str) -> ModelsError {
        let message = format!("{} is not the expected file: {reason}", self.title());
        let hint = if self.wanted.file.sha256.is_none() && self.wanted.sha256.is_some() {
            format!(
                "it has changed since it was first fetched; if that is intended, remove its entry from {}",
                super::recorded_hashes::FILE
            )
        } else {
            "try again; if this persists, the server has another file under this name: do not use it".to_owned()
        };
        ModelsError::failed(message).hinted(hint)
    }

    fn page(&self) -> String {
        self.source.page(self.wanted.file)
    }

    /// Converts an error status to an error with a hint for the user.
    fn refusal(&self, status: u16, answer: &Answer) -> Trouble {
        let title = self.title();
        let lasting = |message: &str, hint: String| {
            Trouble::Lasting(ModelsError::failed(format!("{title}: {message} ({status})")).hinted(hint))
        };
        let token = self.client.has_token();
        let hub = matches!(self.source, Source::Hub { .. });
        match status {
            401 if hub && token => {
                lasting("the token is not accepted", format!("{TOKEN_VARIABLE} is wrong or has expired"))
            }
            401 if hub => lasting(
                "the server requires a token",
                format!(
                    "the model may be gated, or gone: look at {}, accept its terms, and set {TOKEN_VARIABLE} to a token of \
                     yours that may read it",
                    self.page()
                ),
            ),
            403 if hub && token => lasting("your token may not read it", format!("ask for access at {}", self.page())),
            403 if hub => lasting(
                "access to it is restricted",
                format!("ask for access at {}, and set {TOKEN_VARIABLE} to a token of yours", self.page()),
            ),
            401 | 403 => lasting("the server refuses access", "give the files in a folder, with --from FOLDER".into()),
            407 => lasting("the proxy requires a login", "write it as http://NAME:PASSWORD@HOST:PORT".into()),
            429 => {
                let message = "the server receives too many requests".to_owned();
                Trouble::Passing { message, after: answer.retry_after() }
            }
            408 | 425 | 500..=599 => {
                let message = format!("the server reports an error ({status})");
                Trouble::Passing { message, after: answer.retry_after() }
            }
            _ => lasting("the server refuses access", format!("look at {}", self.page())),
        }
    }
}
