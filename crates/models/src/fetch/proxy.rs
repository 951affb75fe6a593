//! Chooses the proxy for a request: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl interprets them.

use ureq::Proxy;
use ureq::http::Uri;

use crate::ModelsError;

/// The proxies that the environment names.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    /// Hosts that are reached without a proxy.
    direct: Vec<String>,
}

#[derive(Debug, Clone)]
struct Named {
    /// The environment variable.
    variable: String,
    proxy: Proxy,
}

impl Proxies {
    pub(super) fn from_environment() -> Result<Self, ModelsError> {
        Proxies::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ModelsError> {
        let first = |names: &[&str]| {
            let set = |name: &&str| Some((*name).to_owned()).zip(variable(name).filter(|text| !text.trim().is_empty()));
            names.iter().find_map(set)
        };
        let named = |names: &[&str]| -> Result<Option<Named>, ModelsError> {
            let Some((variable, text)) = first(names) else { return Ok(None) };
            match Proxy::new(text.trim()) {
                Ok(proxy) => Ok(Some(Named { variable, proxy })),
                // The text is not shown, as it may hold a password.
                Err(_) => Err(ModelsError::wrong(format!("{variable}: does not name a proxy"))
                    .hinted("a proxy looks like http://proxy.example.org:3128")),
            }
        };
        let direct = first(&["no_proxy", "NO_PROXY"]).map(|(_, text)| text).unwrap_or_default();
        Ok(Proxies {
            http: named(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: named(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            direct: direct.split([',', ' ']).filter(|entry| !entry.is_empty()).map(str::to_ascii_lowercase).collect(),
        })
    }

    /// Returns the proxy for an address.
    pub(super) fn for_address(&self, uri: &Uri) -> Option<Proxy> {
        self.named(uri).map(|named| named.proxy.clone())
    }

    /// Returns the environment variable that names the proxy.
    pub(super) fn variable(&self, uri: &Uri) -> Option<&str> {
        self.named(uri).map(|named| named.variable.as_str())
    }

    fn named(&self, uri: &Uri) -> Option<&Named> {
        let named = if uri.scheme_str() == Some("http") { &self.http } else { &self.https };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16().map(|port| port.to_string());
        let direct = self.direct.iter().any(|entry| reaches(entry, &host, port.as_deref()));
        named.as_ref().filter(|_| !direct)
    }
}

/// Returns whether an entry of `NO_PROXY` covers this host: `*` covers any, `example.org` and `.example.org` also cover hosts
/// below it; an entry with a port covers only that port.
fn reaches(entry: &str, host: &str, port: Option<&str>) -> bool {
    if entry == "*" {
        return true;
    }
    // An IPv6 address contains colons, and is in brackets if a port follows.
    let (name, wanted) = match entry.rsplit_once(':') {
        Some((name, wanted)) if !name.contains(':') || name.ends_with(']') => (name, Some(wanted)),
        _ => (entry, None),
    };
    if wanted.is_some() && wanted != port {
        return false;
    }
    let name = name.trim_start_matches("*.").trim_start_matches('.').trim_matches(['[', ']']);
    let host = host.trim_matches(['[', ']']);
    host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(settings: &[(&str, &str)], address: &str) -> Option<String> {
        let value = |name: &str| settings.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let proxies = Proxies::read(value).unwrap();
        let proxy = proxies.for_address(&address.parse().unwrap())?;
        Some(proxy.host().to_owned())
    }

    #[test]
    fn the_scheme_chooses_and_hosts_can_be_left_out() {
        let both = [("http_proxy", "http://a:1"), ("HTTPS_PROXY", "b:2"), ("NO_PROXY", "x.org, .y.org,z:8")];
        assert_eq!(chosen(&both, "http://h/").as_deref(), Some("a"));
        assert_eq!(chosen(&both, "https://h/").as_deref(), Some("b"));
        for direct in ["https://x.org/", "https://sub.x.org/", "https://Y.org/", "http://z:8/"] {
            assert_eq!(chosen(&both, direct), None, "{direct}");
        }
        for not in ["https://ax.org/", "http://z/", "http://z:80/"] {
            assert!(chosen(&both, not).is_some(), "{not}");
        }
        assert_eq!(chosen(&[("ALL_PROXY", "http://c")], "https://h/").as_deref(), Some("c"));
        assert_eq!(chosen(&[("ALL_PROXY", "http://c"), ("no_proxy", "*")], "https://h/"), None);
        assert_eq!(chosen(&[("ALL_PROXY", " "), ("HTTPS_PROXY", "")], "https://h/"), None);
        assert_eq!(chosen(&[("ALL_PROXY", "c"), ("no_proxy", "::1,[fe80::1]:8")], "http://[::1]:9/"), None);
    }

    #[test]
    fn a_proxy_that_is_none_is_told_without_its_password() {
        let wrong = |name: &str| (name == "https_proxy").then(|| "gopher://user:secret@host".to_owned());
        let error = Proxies::read(wrong).unwrap_err().to_string();
        assert!(error.contains("https_proxy") && !error.contains("secret"), "{error}");
    }
}
