//! Access control: who may see the page, and who may steer the render.
//!
//! A page of another site can make a browser send requests to us. By pointing its own name at our address (DNS rebinding) it could even
//! read the answers. So the `Host` must be one of our names, requests from other sites' pages are refused, and steering needs the page's
//! token and our own `Origin`. On interfaces other than loopback, seeing needs the token too.
//!
//! The port is not checked: where ports are mapped (`ssh -L 9000:localhost:8765`, `docker run -p 9000:8765`), the browser uses another
//! one than we do, and rebinding requires a foreign name anyway. `Origin` is compared with `Host`, port included.

use std::net::IpAddr;

use super::request::Request;
use super::token::Token;

/// The header that carries the token of control requests. It is non-standard, so pages of other sites cannot send it without our
/// permission.
pub(super) const TOKEN: &str = "recipe-render-token";

/// The server's names and its token, against which requests are checked.
pub(super) struct Guard {
    pub token: Token,
    /// Whether only this machine can reach us.
    pub loopback: bool,
    /// The machine's own names in lower case; unused on loopback.
    pub names: Vec<String>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// `Host` is not one of our names.
    Host,
    /// It comes from another site's page.
    Origin,
    /// The token is missing or wrong.
    Token,
}

impl Refused {
    /// Returns the message to the client.
    pub fn message(self) -> &'static str {
        match self {
            Refused::Host => "this is not the address the page is served at",
            Refused::Origin => "requests from other sites are refused",
            Refused::Token => "the token is missing or wrong: use the link that the program prints",
        }
    }
}

impl Guard {
    /// Whether a request may see the page and what belongs to it.
    pub fn may_see(&self, request: &Request) -> Result<(), Refused> {
        self.host(request)?;
        // Browsers report where a request comes from. A link to the page itself may be anywhere.
        let site = request.header("sec-fetch-site").unwrap_or("none");
        if request.path != "/" && !matches!(site, "same-origin" | "none") {
            return Err(Refused::Origin);
        }
        let shown = request.asked("token").is_some_and(|token| self.token.is(token));
        if self.loopback || shown { Ok(()) } else { Err(Refused::Token) }
    }

    /// Whether a request may steer the render.
    pub fn may_steer(&self, request: &Request) -> Result<(), Refused> {
        let host = self.host(request)?;
        let same = request.header("origin").is_some_and(|origin| origin.strip_prefix("http://") == Some(host));
        let site = request.header("sec-fetch-site").unwrap_or("same-origin");
        if !same || site != "same-origin" {
            return Err(Refused::Origin);
        }
        let shown = request.header(TOKEN).is_some_and(|token| self.token.is(token));
        if shown { Ok(()) } else { Err(Refused::Token) }
    }

    /// Returns the request's host with its port, if the name is one of ours; any port is accepted.
    fn host<'a>(&self, request: &'a Request) -> Result<&'a str, Refused> {
        let host = request.header("host").ok_or(Refused::Host)?;
        // An IPv6 address contains colons itself.
        let (name, port) = match host.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.ends_with(']')) {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        };
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        if port.is_none_or(is_port) && self.is_ours(name) { Ok(host) } else { Err(Refused::Host) }
    }

    fn is_ours(&self, name: &str) -> bool {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        match bare.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            // Nobody can redirect an IP address to another machine. When not on loopback, we may have any address.
            Ok(ip) => ip.is_loopback() || !self.loopback,
            Err(_) => {
                let name = name.to_ascii_lowercase();
                // Nobody can own a name under `localhost` (RFC 6761).
                let near = name == "localhost" || name.strip_suffix(".localhost").is_some_and(is_name);
                near || !self.loopback && self.names.contains(&name)
            }
        }
    }
}

/// Whether these are valid labels separated by dots.
fn is_name(name: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(loopback: bool) -> Guard {
        Guard { token: Token::new().unwrap(), loopback, names: vec!["studio".into(), "studio.local".into()] }
    }

    fn see(guard: &Guard, host: &str) -> Result<(), Refused> {
        guard.may_see(&Request::of(&format!("GET /?token={} HTTP/1.1\nHost: {host}", guard.token.reveal())))
    }

    #[test]
    fn the_host_must_be_ours() {
        let (near, far) = (guard(true), guard(false));
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"] {
            assert_eq!((see(&near, host), see(&far, host)), (Ok(()), Ok(())), "{host}");
        }
        for host in ["192.168.1.5:8080", "Studio.local:8080", "[fe80::1]:8080", "0.0.0.0:8080", "[::]:8080"] {
            assert_eq!((see(&near, host), see(&far, host)), (Err(Refused::Host), Ok(())), "{host}");
        }
        for host in [
            "evil.example:8080",
            "evil.example",
            "127.0.0.1.evil.example:8080",
            "localhost.evil.example:8080",
            "evil-localhost:8080",
            ".localhost:8080",
            "a..localhost:8080",
            "a@evil.example#.localhost:8080",
            "a@localhost:8080",
            "2130706433:8080",
            "127.1:8080",
            "",
            ":8080",
            "localhost:",
            "localhost:+80",
            "localhost:65536",
            "localhost:8080:8080",
            "127.0.0.1:8080.evil.example",
            "[::1",
            "127.0.0.1:+8080x",
        ] {
            assert_eq!((see(&near, host), see(&far, host)), (Err(Refused::Host), Err(Refused::Host)), "{host}");
        }
        assert_eq!(near.may_see(&Request::of("GET / HTTP/1.1")), Err(Refused::Host));
        let twice = Request::of("GET / HTTP/1.1\nHost: localhost:8080\nHost: localhost:8080");
        assert_eq!(near.may_see(&twice), Err(Refused::Host));
    }

    #[test]
    fn a_mapped_port_changes_nothing() {
        let (near, far) = (guard(true), guard(false));
        for host in [
            "localhost:9000",
            "localhost",
            "render.localhost:9000",
            "a.b.localhost",
            "127.0.0.1:1",
            "127.8.9.10:9000",
            "127.0.0.1",
            "[::1]:9000",
            "[::1]",
            "[::ffff:127.0.0.1]:9000",
        ] {
            assert_eq!((see(&near, host), see(&far, host)), (Ok(()), Ok(())), "{host}");
            let steer = |guard: &Guard, origin: &str| {
                let head =
                    format!("POST /pause HTTP/1.1\nHost: {host}\nOrigin: {origin}\n{TOKEN}: {}", guard.token.reveal());
                guard.may_steer(&Request::of(&head))
            };
            let own = format!("http://{host}");
            assert_eq!((steer(&near, &own), steer(&far, &own)), (Ok(()), Ok(())), "{host}");
            // The page of another program on the same machine is foreign, too.
            for other in ["http://localhost:3000", "http://127.0.0.1:3000", "http://evil.example", "null"] {
                assert_eq!(steer(&near, other), Err(Refused::Origin), "{host} from {other}");
            }
        }
        for host in ["10.0.0.7:9000", "studio:9000", "studio.local"] {
            assert_eq!((see(&near, host), see(&far, host)), (Err(Refused::Host), Ok(())), "{host}");
        }
    }

    #[test]
    fn from_afar_the_token_is_needed_to_see() {
        let far = guard(false);
        let ask = |query: &str| far.may_see(&Request::of(&format!("GET /events{query} HTTP/1.1\nHost: 10.0.0.7:8080")));
        assert_eq!(ask(""), Err(Refused::Token));
        assert_eq!(ask("?token=0123"), Err(Refused::Token));
        assert_eq!(ask(&format!("?token={}", far.token.reveal())), Ok(()));
        assert_eq!(guard(true).may_see(&Request::of("GET /events HTTP/1.1\nHost: localhost:8080")), Ok(()));
    }

    #[test]
    fn other_sites_may_link_to_the_page_and_no_more() {
        let near = guard(true);
        let ask = |path: &str, site: &str| {
            near.may_see(&Request::of(&format!("GET {path} HTTP/1.1\nHost: localhost:8080\nSec-Fetch-Site: {site}")))
        };
        assert_eq!(ask("/", "cross-site"), Ok(()));
        assert_eq!((ask("/frame", "same-origin"), ask("/frame", "none")), (Ok(()), Ok(())));
        assert_eq!(
            (ask("/frame", "cross-site"), ask("/frame", "same-site")),
            (Err(Refused::Origin), Err(Refused::Origin))
        );
    }

    #[test]
    fn to_steer_takes_origin_and_token() {
        let near = guard(true);
        let token = near.token.reveal().to_owned();
        let steer = |headers: &str| {
            near.may_steer(&Request::of(&format!("POST /pause HTTP/1.1\nHost: localhost:8080\n{headers}")))
        };
        let right = format!("{TOKEN}: {token}");
        assert_eq!(steer(&format!("Origin: http://localhost:8080\n{right}")), Ok(()));
        assert_eq!(steer(&right), Err(Refused::Origin));
        for origin in
            ["null", "http://evil.example", "https://localhost:8080", "http://127.0.0.1:8080", "http://localhost:8081"]
        {
            assert_eq!(steer(&format!("Origin: {origin}\n{right}")), Err(Refused::Origin), "{origin}");
        }
        let sent = "Origin: http://localhost:8080\nSec-Fetch-Site: cross-site";
        assert_eq!(steer(&format!("{sent}\n{right}")), Err(Refused::Origin));
        assert_eq!(steer("Origin: http://localhost:8080"), Err(Refused::Token));
        assert_eq!(steer(&format!("Origin: http://localhost:8080\n{TOKEN}: {}", &token[1..])), Err(Refused::Token));
        // The token in the link only permits seeing.
        let linked = Request::of(&format!(
            "POST /pause?token={token} HTTP/1.1\nHost: localhost:8080\nOrigin: http://localhost:8080"
        ));
        assert_eq!(near.may_steer(&linked), Err(Refused::Token));
    }
}
