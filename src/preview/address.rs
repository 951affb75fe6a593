//! The address at which the page is served.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An address to serve at; port 0 means any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl Default for Address {
    /// Returns the loopback interface with any free port.
    fn default() -> Self {
        Address(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0))
    }
}

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address like 8080, 127.0.0.1:8080 or [::1]:8080")]
pub struct WrongAddress(String);

impl FromStr for Address {
    type Err = WrongAddress;

    /// Parses a port, an IP address (or `localhost`), or both. Other names are rejected: they would need a lookup, and may have several
    /// addresses.
    fn from_str(text: &str) -> Result<Self, WrongAddress> {
        let wrong = || WrongAddress(text.to_owned());
        let whole = match text.strip_prefix("localhost") {
            Some(rest) if rest.is_empty() || rest.starts_with(':') => format!("{}{rest}", Ipv4Addr::LOCALHOST),
            _ => text.to_owned(),
        };
        // Many programs read `:8080` as "this port, everywhere"; here it would mean something more private, so it is rejected.
        if let Ok(port) = whole.parse::<u16>()
            && !text.starts_with('+')
        {
            return Ok(Address(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)));
        }
        if let Ok(address) = whole.parse::<SocketAddr>() {
            return Ok(Address(address));
        }
        let bare = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ip: IpAddr = match bare {
            Some(bare) => bare.parse::<Ipv6Addr>().map_err(|_| wrong())?.into(),
            None => whole.parse().map_err(|_| wrong())?,
        };
        Ok(Address(SocketAddr::new(ip, 0)))
    }
}

impl Address {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.0.ip().is_loopback()
    }

    /// Returns the same address. If any port would do, it gets one that depends only on `what`, so that a page finds its program again
    /// after a restart. The port is above the range from which systems assign ports.
    pub fn with_port_for(self, what: &[u8]) -> Self {
        const FIRST: u16 = 61_000;
        if self.0.port() != 0 {
            return self;
        }
        let hash = blake3::hash(what);
        let number = u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]);
        Address(SocketAddr::new(self.0.ip(), FIRST + number % (u16::MAX - FIRST)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_and_what_is_not() {
        for (text, address) in [
            ("8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("127.0.0.1", "127.0.0.1:0"),
            ("localhost", "127.0.0.1:0"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0:8080", "0.0.0.0:8080"),
            ("::1", "[::1]:0"),
            ("[::1]", "[::1]:0"),
            ("[::]:8080", "[::]:8080"),
            ("192.168.1.5", "192.168.1.5:0"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), address, "{text}");
        }
        for text in [
            "",
            ":8080",
            "65536",
            "+80",
            "a.toml",
            "localhost2",
            "example.com:80",
            "1.2.3",
            "[127.0.0.1]",
            "-1",
            "1.2.3.4:",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_recipe_has_its_port() {
        let port = |what: &str| Address::default().with_port_for(what.as_bytes()).0.port();
        assert_eq!(port("a"), port("a"));
        assert_ne!(port("a"), port("b"));
        assert!(port("a") >= 61_000);
        let asked: Address = "80".parse().unwrap();
        assert_eq!(asked.with_port_for(b"a"), asked);
    }
}
