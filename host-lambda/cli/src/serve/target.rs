//! What a request names: paths, file names, parameters, digests.
//!
//! Not for files themselves. The decision to know: a name is decoded once and is then exactly one path segment or
//! refused; nothing is ever made fit, since what was meant would be a guess.

use lakegate_base::{Code, Error};
use percent_encoding::percent_decode_str;

use lakegate_lake::lake::is_digest;

/// Longest name of an upload: leaves room for what a file system's 255 bytes must also hold.
const NAME_BYTES: usize = 200;

/// `%XX` undone, once.
///
/// # Errors
/// `path_refused`: a `%` begins no escape, or what comes out is not UTF-8.
pub fn decoded(text: &str) -> Result<String, Error> {
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let whole = text.split('%').skip(1).all(is_escape);
    let plain = percent_decode_str(text).decode_utf8().ok().filter(|_| whole);
    plain
        .map(Into::into)
        .ok_or_else(|| Error::new(Code::PathRefused, "the address is not percent-encoded UTF-8"))
}

/// The name of an upload from its segment of the address.
///
/// # Errors
/// `name_refused`.
pub fn upload_name(segment: &str) -> Result<String, Error> {
    let name = decoded(segment)?;
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES {
        "it has more than 200 bytes"
    } else if name.starts_with(['.', '_']) {
        "it starts with `.` or `_`, which readers of lakes skip"
    } else if name.contains(['/', '\\']) || name.contains(char::is_control) {
        "it has a slash, a backslash or a control character in it"
    } else {
        return Ok(name);
    };
    Err(Error::new(Code::NameRefused, format!("the file name cannot be used: {why}"))
        .with_hint("give the file another name"))
}

/// Parameters of an address; each is one of `known` and given once.
///
/// # Errors
/// `parameter_refused`.
pub fn parameters<const N: usize>(
    query: Option<&str>,
    known: [&str; N],
) -> Result<[Option<String>; N], Error> {
    let mut found = [const { None }; N];
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = known.iter().position(|known| *known == name);
        match place.map(|place| &mut found[place]) {
            Some(place @ None) => *place = Some(decoded(value)?),
            _ => {
                return Err(Error::new(Code::ParameterRefused, "a parameter is unknown or given twice")
                    .with_hint(format!(
                        "known here: {}",
                        if N == 0 { "none".into() } else { known.join(", ") }
                    )));
            }
        }
    }
    Ok(found)
}

/// A SHA-256 as lower-case hex.
///
/// # Errors
/// `digest_refused`.
pub fn digest(what: &str, text: Option<String>) -> Result<Option<String>, Error> {
    match text {
        Some(text) if !is_digest(&text) => {
            Err(Error::new(Code::DigestRefused, format!("`{what}` is no SHA-256 in lower-case hex")))
        }
        other => Ok(other),
    }
}

/// How many to list.
///
/// # Errors
/// `parameter_refused`.
pub fn limit(text: Option<String>, usual: usize) -> Result<usize, Error> {
    text.map_or(Ok(usual), |text| text.parse())
        .map_err(|_| Error::new(Code::ParameterRefused, "`limit` is no number of entries"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment_or_refused() {
        for (segment, name) in [
            ("orders.json", "orders.json"),
            ("a%20b%2Bc+d.csv", "a b+c+d.csv"),
            ("%C3%9Cbung.json", "Übung.json"),
            ("a..b", "a..b"),
            ("%2541", "%41"),
            // Nothing but raw files lies where they lie.
            ("schema.json", "schema.json"),
        ] {
            assert_eq!(upload_name(segment).unwrap(), name);
        }
        let long = "x".repeat(201);
        for segment in [
            "",
            "..",
            ".",
            "%2e%2e",
            "..%2fx",
            "%2Fetc%2Fpasswd",
            "a%2fb",
            "a/b",
            "a\\b",
            "a%5cb",
            "a%00",
            "a%0Ab",
            ".hidden",
            "_SUCCESS",
            "%5Fx",
            &long,
        ] {
            assert_eq!(upload_name(segment).unwrap_err().name(), "name_refused", "{segment}");
        }
        assert_eq!(upload_name(&"x".repeat(200)).unwrap().len(), 200);
        for segment in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(upload_name(segment).unwrap_err().name(), "path_refused", "{segment}");
        }
    }

    #[test]
    fn parameters_are_known_and_given_once() {
        let parse = |query| parameters(query, ["spec", "receipt"]);
        assert_eq!(parse(Some("receipt=a%20b")).unwrap(), [None, Some("a b".into())]);
        assert_eq!(parse(None).unwrap(), [None, None]);
        for query in ["spec=1&spec=2", "other=1", "=1"] {
            assert_eq!(parse(Some(query)).unwrap_err().name(), "parameter_refused");
        }
        assert!(digest("spec", Some("a".repeat(64))).is_ok());
        for text in ["A".repeat(64), "a".repeat(63), "../../../../etc/passwd".into(), String::new()] {
            assert_eq!(digest("spec", Some(text)).unwrap_err().name(), "digest_refused");
        }
        assert_eq!((limit(None, 7).unwrap(), limit(Some("0".into()), 7).unwrap()), (7, 0));
        assert!(limit(Some("-1".into()), 7).is_err());
    }
}
