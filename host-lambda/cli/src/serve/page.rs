//! The page's files: those that this command carries, or those of a folder.
//!
//! Not for the policy's text (`policy`). Decisions to know: the carried files are a table, so that no path leads
//! out of it; a folder's paths are followed to their end, links too, before they are compared with it. Files are
//! carried compressed, and decompressed for the rare client that wants it so.

use lakegate_base::{Code, Error};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, VARY,
};

use crate::serve::answer;
use crate::serve::answer::Answered;
use crate::serve::policy;
use crate::serve::target::decoded;

/// The carried files: path and gzip, sorted; empty where this build has no page.
mod carried {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

const INDEX: &str = "index.html";

/// Where the page comes from.
pub enum Page {
    /// Nowhere: this build has none.
    None,
    /// The command itself.
    Carried {
        /// Its first page as it is served.
        index: String,
        /// Its policy.
        policy: HeaderValue,
    },
    /// A folder, read anew with each request.
    Folder {
        /// Followed to its end.
        root: PathBuf,
        /// Where the page may upload to.
        origins: Vec<String>,
    },
}

/// One file, ready to be sent.
struct File {
    bytes: Bytes,
    is_gzip: bool,
    policy: HeaderValue,
}

impl Page {
    /// The page of a folder, or that of this command, which may upload to `origins` as well.
    ///
    /// # Errors
    /// The folder has no page, or the page has no policy.
    pub fn new(folder: Option<&Path>, origins: Vec<String>) -> Result<Self, Error> {
        if let Some(folder) = folder {
            let name = folder.display().to_string();
            let root = folder.canonicalize().map_err(|error| Error::io(&name, error))?;
            let page = Self::Folder { root, origins };
            page.index().map_err(|problem| problem.in_file(name))?;
            return Ok(page);
        }
        let Some(bytes) = carried(INDEX) else { return Ok(Self::None) };
        let html = String::from_utf8_lossy(&unpacked(bytes)?).into_owned();
        let (index, policy) = policy::allowing(&html, &origins)?;
        Ok(Self::Carried { index, policy })
    }

    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// What to do where there is none.
    pub fn missing() -> Error {
        Error::new(Code::NoPage, "this build of lakegate carries no page; /api/… answers").with_hint(
            "`cargo xtask build` makes a lakegate with the page; --page DIR serves one from a folder",
        )
    }

    /// The file at a path of an address.
    ///
    /// # Errors
    /// There is none.
    pub fn answer(&self, path: &str, headers: &HeaderMap) -> Answered {
        let key = path.strip_prefix('/').filter(|key| !key.is_empty()).unwrap_or(INDEX);
        let file = match self {
            Self::None if key == INDEX => return Err(Self::missing()),
            Self::None => return Err(unknown()),
            Self::Carried { index, policy } if key == INDEX => {
                File { bytes: Bytes::from(index.clone()), is_gzip: false, policy: policy.clone() }
            }
            Self::Carried { policy, .. } => {
                let bytes = carried(key).ok_or_else(unknown)?;
                File { bytes: Bytes::from_static(bytes), is_gzip: true, policy: policy.clone() }
            }
            Self::Folder { root, .. } => {
                let (index, policy) = self.index()?;
                let bytes = if key == INDEX { index.into() } else { inside(root, key)? };
                File { bytes: Bytes::from(bytes), is_gzip: false, policy }
            }
        };
        file.sent(key, takes_gzip(headers))
    }

    /// A folder's first page as it is served, and its policy.
    fn index(&self) -> Result<(String, HeaderValue), Error> {
        let Self::Folder { root, origins } = self else { return Err(Self::missing()) };
        let bytes = inside(root, INDEX).map_err(|_| {
            let missing = Error::new(Code::UnknownPath, "there is no page here: no index.html");
            match ["site", "dist/site"].iter().find(|below| root.join(below).join(INDEX).is_file()) {
                Some(below) => missing.with_hint(format!("the page is in {}", root.join(below).display())),
                None => missing.with_hint("`cargo xtask web` makes the page; --page names its folder"),
            }
        })?;
        policy::allowing(&String::from_utf8_lossy(&bytes), origins)
    }
}

impl File {
    fn sent(self, key: &str, takes_gzip: bool) -> Answered {
        let bytes = match (self.is_gzip, takes_gzip) {
            (true, false) => unpacked(&self.bytes)?.into(),
            (false, true) => packed(&self.bytes)?.into(),
            (true, true) | (false, false) => self.bytes,
        };
        let mut sent = answer::of_bytes(StatusCode::OK, kind(key), bytes);
        let headers = sent.headers_mut();
        if takes_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy);
        // Names below assets/ have a digest in them: what is behind one never changes.
        let keep =
            if key.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        Ok(sent)
    }
}

fn carried(key: &str) -> Option<&'static [u8]> {
    let place = carried::FILES.binary_search_by(|(name, _)| (*name).cmp(key)).ok()?;
    carried::FILES.get(place).map(|(_, bytes)| *bytes)
}

/// A file of the folder: the path itself, and where its links lead to, both stay inside.
fn inside(root: &Path, key: &str) -> Result<Vec<u8>, Error> {
    let name = decoded(key)?;
    let legal = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0']);
    if !name.split('/').all(legal) {
        return Err(unknown());
    }
    let path = root.join(name).canonicalize().map_err(|_| unknown())?;
    if !path.starts_with(root) || !path.is_file() {
        return Err(unknown());
    }
    std::fs::read(&path).map_err(|_| unknown())
}

fn unknown() -> Error {
    Error::new(Code::UnknownPath, "there is nothing here")
}

/// `gzip` with any weight but zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f64>);
        is_gzip && weight.is_ok_and(|weight| weight > 0.0)
    })
}

fn unpacked(gzip: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzip)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(Code::PageDamaged, error.to_string()))?;
    Ok(bytes)
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Error::new(Code::PageDamaged, error.to_string()))
}

fn kind(key: &str) -> &'static str {
    match key.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "map" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        "toml" | "txt" | "ndjson" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
