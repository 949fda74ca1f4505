//! A place on the command line: a path on this machine, or `s3://BUCKET/KEY`.
//!
//! For: lakes, source objects, specs and Parquet files, wherever they are. Not for: opening them. The decision to
//! know: what looks like a URI is one or is refused, and is never taken for a path, so that a typing error makes no
//! folder called `s3:`.

use clap::builder::{PathBufValueParser, TypedValueParser, ValueParser, ValueParserFactory};
use lakegate_base::{Code, Error};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// A path, or an object or prefix in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine; `-` where a verb reads standard input.
    Local(PathBuf),
    /// `s3://BUCKET/KEY`, as it was given; the key may be empty.
    S3(String),
}

impl Place {
    /// How messages and suggested commands call it.
    pub fn shown(&self) -> PathBuf {
        match self {
            Self::Local(path) => path.clone(),
            Self::S3(uri) => PathBuf::from(uri),
        }
    }

    fn of(path: &Path) -> Result<Self, String> {
        let Some(text) = path.to_str() else { return Ok(Self::Local(path.to_owned())) };
        let Some(scheme) = scheme(text) else { return Ok(Self::Local(path.to_owned())) };
        let rest = text.strip_prefix("s3://").unwrap_or_default();
        let bucket = rest.split_once('/').map_or(rest, |(bucket, _)| bucket);
        if !bucket.is_empty() {
            return Ok(Self::S3(text.to_owned()));
        }
        if scheme.eq_ignore_ascii_case("s3") {
            return Err("this is no s3://BUCKET/KEY; a path that begins so is written ./s3:…".to_owned());
        }
        Err(format!("{scheme}: cannot be read: name a path, or s3://BUCKET/KEY"))
    }
}

/// The scheme of what looks like a URI: RFC 3986, section 3.1, and a slash behind the colon.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let letters = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let legal = letters && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let meant = rest.starts_with('/') || scheme.eq_ignore_ascii_case("s3");
    (legal && meant).then_some(scheme)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().display().fmt(f)
    }
}

impl From<&str> for Place {
    fn from(path: &str) -> Self {
        Self::Local(path.into())
    }
}

impl ValueParserFactory for Place {
    type Parser = PlaceParser;

    fn value_parser() -> PlaceParser {
        PlaceParser
    }
}

/// How clap reads a [`Place`].
#[derive(Clone, Debug)]
pub struct PlaceParser;

impl TypedValueParser for PlaceParser {
    type Value = Place;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Place, clap::Error> {
        PathBufValueParser::new().try_map(|path| Place::of(&path)).parse_ref(command, argument, value)
    }
}

/// How clap reads a path that cannot be elsewhere.
pub fn path() -> ValueParser {
    ValueParser::new(PathBufValueParser::new().try_map(|path: PathBuf| match Place::of(&path)? {
        Place::Local(path) => Ok(path),
        Place::S3(_) => Err("this must be a path on this machine".to_owned()),
    }))
}

/// `s3://BUCKET/KEY` cut in two; the key may be empty.
///
/// # Errors
/// It is none.
pub fn bucket_and_key(uri: &str) -> Result<(&str, &str), Error> {
    let place = uri.strip_prefix("s3://").map(|place| place.split_once('/').unwrap_or((place, "")));
    place.filter(|(bucket, _)| !bucket.is_empty()).ok_or_else(|| {
        Error::new(Code::Usage, format!("{uri} is no s3://BUCKET/KEY"))
            .with_hint("for example s3://raw/orders/2025/x.json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_never_taken_for_a_path() {
        let of = |text: &str| Place::of(Path::new(text));
        for uri in ["s3://b", "s3://b/", "s3://b/a=1/x y.json"] {
            assert_eq!(of(uri), Ok(Place::S3(uri.into())));
        }
        for path in ["lake", "./s3:/x", "a:b.json", "/s3:/x", "-", "C/x:/y", "1:/x", "stdin:ab"] {
            assert_eq!(of(path), Ok(Place::Local(path.into())), "{path}");
        }
        for neither in
            ["s3:/b/x", "s3:b", "s3:", "s3://", "s3:///x", "S3://b/x", "s3a://b/x", "https://h/x", "file:/x"]
        {
            assert!(of(neither).is_err(), "{neither}");
        }
    }
}
