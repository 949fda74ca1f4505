//! Places that a configuration names: a prefix of a bucket, or a local folder.
//!
//! Not for reading or writing there. The decision to know: a place is compared by its URI, which ends with
//! `/` for all but a source that was written with `*`; so `orders/` is never taken for a part of
//! `orders_old/`. Local places are made absolute, so the same file works on a laptop and in tests.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::mistake::Wrong;
use crate::names;
use crate::origin::Origin;

/// S3 takes keys of 1,024 bytes; this much of it may be the prefix, the rest is for partitions and file names.
const PREFIX_BYTES: usize = 512;

/// A place that holds objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// Everything in a bucket whose key starts so.
    S3 {
        /// Bucket.
        bucket: String,
        /// Empty, or ends with `/` (but see [`SourcePattern`](super::SourcePattern)).
        prefix: String,
    },
    /// A folder, absolute.
    Local(PathBuf),
}

impl Location {
    /// `s3://bucket/prefix/` or `/folder/`.
    pub fn uri(&self) -> String {
        match self {
            Self::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
            Self::Local(folder) if folder.parent().is_none() => folder.to_string_lossy().into_owned(),
            Self::Local(folder) => format!("{}/", folder.to_string_lossy()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

/// One object or file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// An object.
    S3 {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
    },
    /// A file, absolute.
    Local(PathBuf),
}

impl Address {
    /// `s3://bucket/key` or `/folder/file`.
    pub fn uri(&self) -> String {
        match self {
            Self::S3 { bucket, key } => format!("s3://{bucket}/{key}"),
            Self::Local(path) => path.to_string_lossy().into_owned(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

/// A prefix or folder. A missing `/` at the end is added.
pub(super) fn location(text: &str, origin: &Origin) -> Result<Location, Wrong> {
    Ok(match address(text, origin)? {
        Address::S3 { bucket, key } if key.is_empty() || key.ends_with('/') => {
            Location::S3 { bucket, prefix: key }
        }
        Address::S3 { bucket, key } => Location::S3 { bucket, prefix: format!("{key}/") },
        Address::Local(path) => Location::Local(path),
    })
}

/// Where source objects come from: a folder, or in S3 also `…*` for all keys that start so. A prefix that
/// ends in neither is refused: as S3 reads it, `orders` takes `orders_old/` too, and hardly anyone means that.
pub(super) fn source(text: &str, origin: &Origin) -> Result<Location, Wrong> {
    let (open, ended) = (text.strip_suffix('*'), text.ends_with('/'));
    match address(open.unwrap_or(text), origin)? {
        Address::S3 { key, .. } if key.contains('*') => {
            Err(Wrong::new("a `*` may stand at the end only").hint("use `suffix` for how keys end"))
        }
        Address::S3 { bucket, key } if key.is_empty() || ended || open.is_some() => {
            Ok(Location::S3 { bucket, prefix: key })
        }
        Address::S3 { key, .. } => Err(Wrong::new(format!("does `{key}` end here?"))
            .hint(format!("write \"{text}/\" for the folder, or \"{text}*\" for all keys that start so"))),
        Address::Local(_) if open.is_some() => Err(Wrong::new("a local source is a whole folder")
            .hint("end it with `/`, and use `suffix` for how names end")),
        Address::Local(path) => Ok(Location::Local(path)),
    }
}

/// An object or a file; also the first step to a prefix.
pub(super) fn address(text: &str, origin: &Origin) -> Result<Address, Wrong> {
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(Wrong::new("there are blanks around it, or control characters in it"));
    }
    let Some(rest) = text.strip_prefix("s3://") else {
        return no_uri(text).map_or_else(|| resolve(origin, text), Err);
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    names::bucket(bucket)?;
    self::key(key)?;
    Ok(Address::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
}

/// A relative path below the folder or prefix that the configuration is in; an absolute one as it is.
fn resolve(origin: &Origin, path: &str) -> Result<Address, Wrong> {
    let folder = match origin {
        Origin::Inline { folder, .. } => Some(folder.as_path()),
        Origin::File(file) => file.parent(),
        Origin::Object { .. } => None,
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    match (origin, Path::new(path).is_absolute()) {
        (Origin::Object { bucket, key }, false) => {
            let prefix = key.rfind('/').map_or("", |end| &key[..=end]);
            address(&format!("s3://{bucket}/{prefix}{path}"), origin)
        }
        _ => Ok(Address::Local(absolute(&folder.unwrap_or(Path::new("")).join(path)))),
    }
}

/// What is wrong with a text that looks like a URI and is none that Lakegate knows: taken for a path, `s3:/raw/` would
/// be a folder of that name, which nobody means. A path with a colon in its first part is written `./a:b`.
fn no_uri(text: &str) -> Option<Wrong> {
    let split = text.split_once(':').filter(|(scheme, rest)| is_scheme(scheme) || rest.starts_with("//"));
    let missed = split.is_none() && text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("s3//"));
    let (scheme, rest) = match split {
        Some(split) => split,
        None if missed => text.split_at(2),
        None => return None,
    };
    let path = rest.trim_start_matches('/');
    let hint = match scheme.to_ascii_lowercase().as_str() {
        "s3" | "s3a" | "s3n" => format!("write \"s3://{path}\""),
        "arn" if rest.starts_with("aws") && rest.contains(":s3:::") => {
            format!("write \"s3://{}\"", rest.rsplit(":::").next().unwrap_or_default())
        }
        "file" => format!("write the path alone: \"/{path}\""),
        _ => "write s3://BUCKET/PREFIX/ or a local path".to_owned(),
    };
    let colon = if missed { "" } else { ":" };
    let slashes = "/".repeat((rest.len() - path.len()).min(2));
    Some(Wrong::new(format!("`{scheme}{colon}{slashes}` is no place that Lakegate knows")).hint(hint))
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether a file that is named so lies beside or below the configuration: only such a one is in the zip beside it.
pub(super) fn comes_along(text: &str) -> bool {
    Path::new(text).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// What is legal in S3 but means something else to one of the tools that read it later.
fn key(key: &str) -> Result<(), Wrong> {
    if key.len() > PREFIX_BYTES {
        return Err(Wrong::new(format!(
            "a prefix of {} bytes is too long: at most {PREFIX_BYTES}",
            key.len()
        ))
        .hint("S3 takes keys of 1,024 bytes, and partitions and file names follow"));
    }
    if key.starts_with('/') || key.contains("//") {
        return Err(Wrong::new("there is an empty folder name in it")
            .hint("keys in S3 do not start with `/`; write each `/` once"));
    }
    if key.split('/').any(|part| part == "." || part == "..") {
        return Err(Wrong::new("`.` and `..` are ordinary names in S3, and many tools take them away")
            .hint("write the whole prefix"));
    }
    Ok(())
}

/// `path` without `.` and `..`, absolute. Links are not followed: the place need not exist yet.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
