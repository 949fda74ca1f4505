//! The page's Content Security Policy: read from its meta tag, and where it may upload besides.
//!
//! Not for answers that are no page. The decision to know: there is one policy, the one that the page's authors
//! wrote; it is sent as a header too because a meta tag binds no worker.

use hyper::header::HeaderValue;
use lakegate_base::{Code, Error};

/// The policy in a page's meta tag: where in the text it stands.
fn place(html: &str) -> Option<std::ops::Range<usize>> {
    let tags = html.match_indices("<meta").filter_map(|(start, _)| {
        let end = html[start..].find('>')?;
        Some((start, &html[start..start + end]))
    });
    for (start, tag) in tags {
        if !tag.to_ascii_lowercase().contains("http-equiv=\"content-security-policy\"") {
            continue;
        }
        let begin = tag.find("content=\"")? + "content=\"".len();
        let length = tag[begin..].find('"')?;
        return Some(start + begin..start + begin + length);
    }
    None
}

/// How the page knows that a lake is behind it: from a static host it asks for nothing.
const SERVED: &str = "<head>\n    <meta name=\"lakegate-serve\" content=\"1\" />";

/// The page as it is served, and its policy as a header: with `origins` added to where it may connect.
///
/// # Errors
/// The page has no policy: it is not the one that Lakegate makes.
pub fn allowing(html: &str, origins: &[String]) -> Result<(String, HeaderValue), Error> {
    let wrong = || {
        Error::new(Code::PageWithoutPolicy, "the page's index.html has no policy")
            .with_hint("`cargo xtask web` makes the page; --page names its folder")
    };
    let place = place(html).ok_or_else(wrong)?;
    let policy = with_connections(&html[place.clone()], origins);
    let header = HeaderValue::from_str(&policy).map_err(|_| wrong())?;
    let page = format!("{}{policy}{}", &html[..place.start], &html[place.end..]);
    let page = page.replacen("<head>", SERVED, 1);
    Ok((page, header))
}

fn with_connections(policy: &str, origins: &[String]) -> String {
    if origins.is_empty() {
        return policy.into();
    }
    let more = origins.join(" ");
    let mut directives: Vec<String> = policy.split(';').map(|part| part.trim().to_string()).collect();
    directives.retain(|directive| !directive.is_empty());
    match directives.iter_mut().find(|directive| directive.split(' ').next() == Some("connect-src")) {
        // `'none'` counts only where it stands alone.
        Some(directive) if directive == "connect-src 'none'" => *directive = format!("connect-src {more}"),
        Some(directive) => directive.extend([" ", &more]),
        None => directives.push(format!("connect-src {more}")),
    }
    directives.join("; ")
}

/// An origin that the page may upload to: https, and http on this machine for a stand-in of S3.
///
/// # Errors
/// It is no origin alone.
pub fn check_origin(text: &str) -> Result<String, Error> {
    let wrong = |why: &str| {
        Error::usage(format!("{text} is no origin to upload to: {why}"))
            .with_hint("scheme and host alone, for example https://bucket.s3.eu-central-1.amazonaws.com")
    };
    let Some((scheme, rest)) = text.split_once("://") else { return Err(wrong("it has no scheme")) };
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let letters =
        |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if host.is_empty() || !host.split('.').all(|part| !part.is_empty() && letters(part)) {
        return Err(wrong("the host is no plain lower-case name"));
    }
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |number| number.to_string() != port)) {
        return Err(wrong("the port is no number"));
    }
    match scheme {
        "https" => Ok(text.into()),
        "http" if matches!(host, "localhost" | "127.0.0.1") => Ok(text.into()),
        _ => Err(wrong("only https leaves this machine")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Fault;

    const PAGE: &str = "<meta charset=\"utf-8\" />\n<meta\n  http-equiv=\"Content-Security-Policy\"\n  \
        content=\"default-src 'none'; connect-src 'self'; img-src 'self' data:\"\n/>\n<title>x</title>";

    #[test]
    fn the_policy_is_that_of_the_page() {
        let (page, header) = allowing(PAGE, &[]).unwrap();
        assert_eq!(page, PAGE);
        let (page, _) = allowing(&format!("<head>{PAGE}"), &[]).unwrap();
        assert_eq!(page, format!("{SERVED}{PAGE}"));
        assert_eq!(header, "default-src 'none'; connect-src 'self'; img-src 'self' data:");
        let bucket = "https://b.s3.eu-central-1.amazonaws.com".to_string();
        let (page, header) = allowing(PAGE, std::slice::from_ref(&bucket)).unwrap();
        let policy = format!("default-src 'none'; connect-src 'self' {bucket}; img-src 'self' data:");
        assert_eq!(header, policy);
        assert_eq!(
            page,
            PAGE.replace("default-src 'none'; connect-src 'self'; img-src 'self' data:", &policy)
        );
        assert_eq!(allowing("<title>x</title>", &[]).unwrap_err().name(), "page_without_policy");
        let origins = ["https://a.example".to_string()];
        assert_eq!(
            ["connect-src 'none'", "img-src 'self';"].map(|policy| with_connections(policy, &origins)),
            ["connect-src https://a.example", "img-src 'self'; connect-src https://a.example"]
        );
    }

    #[test]
    fn an_origin_is_one_and_nothing_else() {
        for origin in
            ["https://bucket.s3.eu-central-1.amazonaws.com", "https://x:8443", "http://localhost:9000"]
        {
            assert_eq!(check_origin(origin).unwrap(), origin);
        }
        for text in [
            "bucket.s3.amazonaws.com",
            "https://",
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?x",
            "https://*.example",
            "https://a.example; script-src *",
            "https://a.example 'unsafe-eval'",
            "https://user@a.example",
            "https://a.example:port",
            "https://a.example:+1",
            "https://a..example",
            "https://A.example",
            "http://a.example",
            "data:",
            "\"https://a.example",
        ] {
            assert_eq!(check_origin(text).unwrap_err().fault(), Fault::Usage, "{text}");
        }
    }
}
