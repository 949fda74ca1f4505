//! Who may ask: a browser or a program of this machine that means this server.
//!
//! Not for logins: there are none. Decisions to know:
//!
//! * Any web page can make its visitor's browser ask 127.0.0.1, also under a name of its own that it lets point
//!   there (DNS rebinding). So the `Host` must be one of this machine's own names with this port.
//! * A foreign page may send a request without being able to read the answer. So whatever writes must come from
//!   this server's own page, or from a program that is no browser. No answer ever has a CORS header.

use hyper::header::{HOST, HeaderMap, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Uri};
use lakegate_base::{Code, Error};

/// How this machine calls itself.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses a request that does not mean this server, or writes from elsewhere.
///
/// # Errors
/// `host_foreign`, `origin_foreign`.
pub fn check(request: &Parts, port: u16) -> Result<(), Error> {
    let host = own_host(&request.uri, &request.headers, port).ok_or_else(|| {
        Error::new(Code::HostForeign, "the request is for another host").with_hint(format!(
            "this server answers as http://127.0.0.1:{port}/ and http://localhost:{port}/ only"
        ))
    })?;
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    if reads || is_own_page(&request.headers, &host) {
        return Ok(());
    }
    Err(Error::new(Code::OriginForeign, "another site's page may not write here")
        .with_hint("use the page that this server shows, or a program that is no browser"))
}

/// The host that is asked for, if it is this one: named once, and nowhere otherwise.
fn own_host(uri: &Uri, headers: &HeaderMap, port: u16) -> Option<String> {
    let mut named = headers.get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return None };
    let host = host.to_str().ok()?.to_ascii_lowercase();
    let is_own = |host: &str| {
        let (name, at) = match host.rsplit_once(':') {
            // The last colon of `[::1]` is part of the name.
            Some((name, at)) if !at.ends_with(']') => (name, at.parse().ok()),
            _ => (host, Some(80)),
        };
        NAMES.contains(&name) && at == Some(port)
    };
    let also = uri.authority().is_none_or(|authority| is_own(&authority.as_str().to_ascii_lowercase()));
    (also && is_own(&host)).then_some(host)
}

/// What browsers say of where a request comes from; programs say nothing.
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    let own = format!("http://{host}");
    let same = |origin: &HeaderValue| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes());
    let site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(ORIGIN).iter().all(same) && headers.get_all("sec-fetch-site").iter().all(site)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn code(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, 8420).err().map_or("ok".into(), |problem| problem.name().to_owned())
    }

    #[test]
    fn only_this_machines_names_are_answered() {
        for host in ["localhost:8420", "127.0.0.1:8420", "[::1]:8420", "LOCALHOST:8420"] {
            assert_eq!(code("GET", "/", &[("host", host)]), "ok", "{host}");
        }
        for host in [
            "evil.example:8420",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "localhost:84200",
            "localhost:842",
            "localhost.evil.example:8420",
            "evil.example#localhost:8420",
            "127.0.0.1:8420:8420",
            "127.0.0.2:8420",
            "0:8420",
            "",
        ] {
            assert_eq!(code("GET", "/", &[("host", host)]), "host_foreign", "{host}");
        }
        assert_eq!(code("GET", "/", &[]), "host_foreign");
        let twice = [("host", "localhost:8420"), ("host", "evil.example:8420")];
        assert_eq!(code("GET", "/", &twice), "host_foreign");
        let own = [("host", "localhost:8420")];
        assert_eq!(code("GET", "http://evil.example:8420/", &own), "host_foreign");
        assert_eq!(code("GET", "http://localhost:8420/", &own), "ok");
    }

    #[test]
    fn foreign_pages_may_not_write() {
        let host = ("host", "localhost:8420");
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:9000"),
            ("origin", "https://localhost:8420"),
            ("origin", "http://127.0.0.1:8420"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            for method in ["PUT", "POST", "DELETE", "OPTIONS"] {
                assert_eq!(code(method, "/api/specs", &[host, header]), "origin_foreign", "{header:?}");
            }
            assert_eq!(code("GET", "/api/about", &[host, header]), "ok");
        }
        let page = [host, ("origin", "http://localhost:8420"), ("sec-fetch-site", "same-origin")];
        assert_eq!(code("PUT", "/api/raw/a.json", &page), "ok");
        assert_eq!(code("PUT", "/api/raw/a.json", &[host]), "ok", "curl");
        let both = [host, ("origin", "http://localhost:8420"), ("origin", "https://evil.example")];
        assert_eq!(code("PUT", "/api/raw/a.json", &both), "origin_foreign");
    }
}
