//! One request: follows redirects, sends the token only where it belongs, and classifies errors.

use std::cell::OnceCell;
use std::io::{self, Read};
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, BodyReader, Error};

use super::proxy::Proxies;
use super::source::{Source, TOKEN_VARIABLE, shown};
use crate::ModelsError;

/// The timeout for connecting, longer than any connection that still succeeds.
const CONNECTING: Duration = Duration::from_secs(20);

/// The maximum number of redirects in a row; more are a loop.
const REDIRECTS: usize = 10;

/// Sends requests.
pub(super) struct Client {
    agent: Agent,
    /// A fallback for machines without certificates of their own.
    built_in: OnceCell<Agent>,
    proxies: Proxies,
    /// The token, and the only server that gets it: scheme, host and port.
    token: Option<((String, String, u16), String)>,
    patience: Duration,
}

/// The reason why there is no answer, or only a part of it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Trouble that may pass. `after`: how long to wait, if the server says so.
    Passing { message: String, after: Option<Duration> },
    /// The server cannot be reached.
    Unreached(String),
    /// Trouble that will not pass.
    Lasting(ModelsError),
}

impl Trouble {
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Trouble::Passing { message: message.into(), after: None }
    }
}

/// The part of a file to request.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    pub offset: u64,
    /// Only if the file still has this strong ETag; otherwise the whole file is sent.
    pub etag: Option<&'a str>,
}

/// A server's answer, with its body not yet read.
pub(super) struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    /// The commit that the file is from, according to the hub.
    pub commit: Option<String>,
    pub body: BodyReader<'static>,
}

impl Answer {
    /// Returns the length of the body, if the server gives it.
    pub(super) fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Returns the offset in the file of a partial body's first byte.
    pub(super) fn start(&self) -> Option<u64> {
        self.header("content-range")?.trim().strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
    }

    /// Returns the file's length, if a partial answer gives it.
    pub(super) fn total(&self) -> Option<u64> {
        self.header("content-range")?.rsplit_once('/')?.1.trim().parse().ok()
    }

    /// Returns a strong ETag: equal ETags mean equal bytes.
    pub(super) fn etag(&self) -> Option<String> {
        self.header("etag").filter(|etag| etag.starts_with('"')).map(str::to_owned)
    }

    /// Returns how long the server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    pub(super) fn is_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// Creates a client for a source. If a server sends nothing for `patience`, the request is given up.
    pub(super) fn new(source: &Source, patience: Duration) -> Result<Self, ModelsError> {
        let token = match source {
            Source::Hub { base, token: Some(token) } => {
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let message = format!("{TOKEN_VARIABLE}: a token consists of ASCII characters without blanks");
                    return Err(ModelsError::wrong(message));
                }
                base.parse().ok().and_then(|uri: Uri| origin(&uri)).map(|origin| (origin, token.clone()))
            }
            _ => None,
        };
        let proxies = Proxies::from_environment()?;
        let agent = agent(RootCerts::PlatformVerifier, patience);
        Ok(Client { agent, built_in: OnceCell::new(), proxies, token, patience })
    }

    /// Returns whether a token is sent with requests to the hub.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Returns how long a server may stay silent.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Requests a file, or a part of it. Any status counts as an answer; redirects are followed.
    pub(super) fn get(&self, address: &str, from: Option<From<'_>>) -> Result<Answer, Trouble> {
        let mut uri: Uri = address.parse().map_err(|error| lasting(format!("{}: {error}", shown(address))))?;
        let mut commit = None;
        for _ in 0..=REDIRECTS {
            let response = self.ask(&uri, from)?;
            let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
            commit = commit.or_else(|| header("x-repo-commit"));
            let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(location) = header("location").filter(|_| moved) else {
                let (parts, body) = response.into_parts();
                let body = body.into_with_config().limit(u64::MAX).reader();
                return Ok(Answer { status: parts.status, headers: parts.headers, commit, body });
            };
            let next = joined(&uri, &location);
            let next = next.ok_or_else(|| lasting(format!("{} redirects to {location}", shown(address))))?;
            if uri.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                let next = shown(&next.to_string());
                return Err(lasting(format!("{} redirects to {next}, which is not encrypted", shown(address))));
            }
            uri = next;
        }
        Err(lasting(format!("{} redirects endlessly", shown(address))))
    }

    fn ask(&self, uri: &Uri, from: Option<From<'_>>) -> Result<Response<Body>, Trouble> {
        let send = |agent: &Agent| {
            let mut request = agent.get(uri.clone()).config().proxy(self.proxies.for_address(uri)).build();
            if let Some((_, token)) = self.token.as_ref().filter(|(at, _)| Some(at) == origin(uri).as_ref()) {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            if let Some(from) = from {
                request = request.header("range", format!("bytes={}-", from.offset));
                if let Some(etag) = from.etag {
                    request = request.header("if-range", etag);
                }
            }
            request.call()
        };
        let result = match self.built_in.get() {
            Some(agent) => send(agent),
            None => send(&self.agent),
        };
        match result {
            Err(Error::Rustls(error)) if self.built_in.get().is_none() && error.to_string().contains("No CA cert") => {
                send(self.built_in.get_or_init(|| agent(RootCerts::WebPki, self.patience)))
            }
            result => result,
        }
        .map_err(|error| self.trouble(error, uri))
    }

    /// Reads more of the body. A server that stays silent too long or disconnects is passing trouble.
    pub(super) fn read(&self, answer: &mut Answer, buffer: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            match answer.body.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let silent = matches!(inner(&error), Some(Error::Timeout(_)));
                    let cut = error.kind() == io::ErrorKind::UnexpectedEof;
                    return Err(Trouble::passing(match (silent, cut) {
                        (true, _) => self.silence(),
                        (_, true) => "the connection was cut".to_owned(),
                        _ => format!("the connection broke: {error}"),
                    }));
                }
                Ok(count) => return Ok(count),
            }
        }
    }

    fn silence(&self) -> String {
        format!("nothing came for {} s", self.patience.as_secs_f64())
    }

    fn trouble(&self, error: Error, uri: &Uri) -> Trouble {
        let host = match uri.port_u16() {
            Some(port) => format!("{}:{port}", uri.host().unwrap_or_default()),
            None => uri.host().unwrap_or_default().to_owned(),
        };
        let through = self.proxies.variable(uri).map(|name| format!(", through the proxy of {name}"));
        let through = through.unwrap_or_default();
        let reach = |why: &str| Trouble::Unreached(format!("cannot reach {host}{through}: {why}"));
        match error {
            Error::HostNotFound => reach("no such host is known"),
            Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => reach("it does not answer"),
            Error::Timeout(_) => Trouble::passing(format!("{host}: {}", self.silence())),
            Error::ConnectionFailed => reach("no connection could be made"),
            Error::ConnectProxyFailed(why) => lasting_hinted(
                format!("{host}{through}: the proxy does not connect: {why}"),
                "check the proxy's address; NO_PROXY names hosts to be reached without one",
            ),
            Error::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => reach(&error.to_string()),
                // rustls reports untrusted certificates like this.
                io::ErrorKind::InvalidData => insecure(&host, &error.to_string()),
                io::ErrorKind::UnexpectedEof => Trouble::passing(format!("{host}: the connection was cut")),
                _ => Trouble::passing(format!("{host}: {error}")),
            },
            Error::Tls(why) => insecure(&host, why),
            Error::Rustls(error) => insecure(&host, &error.to_string()),
            Error::Pem(error) => insecure(&host, &error.to_string()),
            Error::Http(error) => lasting(format!("{host}: {error}")),
            Error::BadUri(error) => lasting(format!("{host}: {error}")),
            error => Trouble::passing(format!("{host}: {error}")),
        }
    }
}

fn agent(roots: RootCerts, patience: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // Redirects are followed above, where it is known what may be sent along.
        .max_redirects(0)
        .user_agent(concat!("recipe-render/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .proxy(None)
        .timeout_connect(Some(CONNECTING))
        .timeout_per_read(Some(patience))
        .timeout_per_write(Some(patience))
        .build()
        .into()
}

/// Returns ureq's own error inside a read error.
fn inner(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn lasting(message: String) -> Trouble {
    Trouble::Lasting(ModelsError::failed(message))
}

fn lasting_hinted(message: String, hint: &str) -> Trouble {
    Trouble::Lasting(ModelsError::failed(message).hinted(hint))
}

fn insecure(host: &str, why: &str) -> Trouble {
    lasting_hinted(
        format!("{host}: no secure connection: {why}"),
        "is the clock right? A network that inspects connections has a certificate of its own, which this machine must \
         know; on Linux SSL_CERT_FILE can name it",
    )
}

/// Returns scheme, host and port.
fn origin(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

/// Returns the target of a redirect (RFC 3986, section 5.2, without `.` and `..`, which servers resolve).
fn joined(from: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next()?;
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let host = authority.as_str().rsplit('@').next()?;
    let whole = match location {
        text if text.contains("://") => text.to_owned(),
        text if text.starts_with("//") => format!("{scheme}:{text}"),
        text if text.starts_with('/') => format!("{scheme}://{host}{text}"),
        text if text.starts_with('?') => format!("{scheme}://{host}{}{text}", from.path()),
        text => format!("{scheme}://{host}{}/{text}", from.path().rsplit_once('/')?.0),
    };
    let uri: Uri = whole.parse().ok()?;
    (matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_relative_to_where_they_come_from() {
        let from: Uri = "https://u:p@a.org:8/b/c?d".parse().unwrap();
        for (location, expected) in [
            ("http://x/y", Some("http://x/y")),
            ("//x/y?z", Some("https://x/y?z")),
            ("/y#z", Some("https://a.org:8/y")),
            ("y", Some("https://a.org:8/b/y")),
            ("?y", Some("https://a.org:8/b/c?y")),
            ("ftp://x/y", None),
            ("/y z", None),
        ] {
            let joined = joined(&from, location).map(|uri| uri.to_string());
            assert_eq!(joined.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let of = |address: &str| origin(&address.parse().unwrap());
        assert_eq!(of("https://A.org/x"), of("https://a.org:443/y"));
        assert_ne!(of("https://a.org/"), of("http://a.org/"));
        assert_ne!(of("https://a.org/"), of("https://a.org:8/"));
        assert_ne!(of("https://a.org/"), of("https://a.org.evil/"));
    }
}
