//! A source object on a laptop: pinned, named by its content, readable twice.
//!
//! Not for objects in a bucket. The decision to know: identity is canonical path and content digest, so a file
//! is hashed before anything else happens; each pass then checks that the file is still that one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::lake::SourceRecord;
use crate::storage::{Chunks, Facts, LocalFolder, Storage};

/// Longest stem in a part file's name: leaves room for the rest within 255 bytes.
const STEM_BYTES: usize = 100;

/// One raw file, pinned.
pub struct Source {
    uri: String,
    stem: String,
    digest: String,
    modified_ms: i64,
    partitions: Vec<(String, String)>,
    storage: LocalFolder,
    facts: Facts,
    /// Where standard input was spooled to; goes with the source.
    _spool: Option<TempDir>,
}

impl Source {
    /// A file; reads it once for its digest.
    ///
    /// # Errors
    /// It is missing, no file, unreadable, or changes meanwhile.
    pub fn file(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let full = fs::canonicalize(path).map_err(|error| Error::read("read", shown.clone(), error))?;
        if full.is_dir() {
            return Err(Error::input("source_is_folder", format!("{shown} is a folder, not a file")));
        }
        Self::pinned(&full, None)
    }

    /// Anything that can be read once, for example standard input: spooled to a temporary file.
    ///
    /// # Errors
    /// It cannot be read, or the disk is full.
    pub fn reader(mut input: impl Read, name: &str) -> Result<Self> {
        let fail = |error| Error::read("spool", name, error);
        let folder = tempfile::Builder::new().prefix("lakegate-").tempdir().map_err(fail)?;
        let path = folder.path().join("input");
        let mut file = File::create(&path).map_err(fail)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => file.write_all(&buffer[..count]).map_err(fail)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fail(error)),
            }
        }
        drop(file);
        let mut source = Self::pinned(&path, Some(folder))?;
        source.uri = format!("stdin:{}", source.digest);
        source.stem = sanitise(name);
        source.partitions.clear();
        Ok(source)
    }

    fn pinned(full: &Path, spool: Option<TempDir>) -> Result<Self> {
        let folder = full.parent().unwrap_or(Path::new("/"));
        let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let storage = LocalFolder::new(folder)?;
        let Some(facts) = storage.stat(&name)? else {
            return Err(Error::input("source_missing", format!("{} is no file", full.display())));
        };
        let mut hash = Sha256::new();
        let mut chunks = storage.open(&facts)?;
        loop {
            let chunk = chunks.next()?;
            if chunk.is_empty() {
                break;
            }
            hash.update(chunk);
        }
        drop(chunks);
        Ok(Self {
            uri: full.display().to_string(),
            stem: sanitise(&name),
            digest: hex::encode(hash.finalize()),
            modified_ms: facts.modified_ms,
            partitions: partitions_of(folder),
            storage,
            facts,
            _spool: spool,
        })
    }

    /// The same bytes under another name: for records that are submitted again.
    pub(crate) fn renamed(mut self, uri: String, stem: &str) -> Self {
        self.uri = uri;
        self.stem = sanitise(stem);
        self.partitions.clear();
        self
    }

    /// The same content under the facts of an earlier run: made again, its files keep their names.
    pub(crate) fn with_record(mut self, record: &SourceRecord) -> Self {
        self.stem.clone_from(&record.stem);
        self.modified_ms = record.modified_ms;
        self
    }

    /// Reads the pinned bytes from the start.
    pub(crate) fn open(&self) -> Result<Box<dyn Chunks>> {
        Ok(self.storage.open(&self.facts)?)
    }

    /// Canonical path, or `stdin:<digest>`.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// File name without its extensions, fit for a part file's name.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Bytes as stored.
    pub fn bytes(&self) -> u64 {
        self.facts.bytes
    }

    /// SHA-256 of the content, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Last change in milliseconds since 1970-01-01 UTC.
    pub fn modified_ms(&self) -> i64 {
        self.modified_ms
    }

    /// Hive partitions found in the path, name and value.
    pub fn partitions(&self) -> &[(String, String)] {
        &self.partitions
    }
}

/// A legal table name from a file's stem: `Orders 2025` becomes `orders_2025`.
pub fn default_table(stem: &str) -> String {
    let mut name = String::new();
    for c in stem.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() { "records".into() } else { name.into() }
}

/// Drops the extensions that name format and compression; keeps `[A-Za-z0-9_.-]`, never `_` or `.` first.
fn sanitise(name: &str) -> String {
    const EXTENSIONS: [&str; 9] = ["gz", "gzip", "zst", "zstd", "json", "ndjson", "jsonl", "csv", "tsv"];
    let mut stem = name;
    while let Some((rest, extension)) = stem.rsplit_once('.') {
        if rest.is_empty() || !EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
            break;
        }
        stem = rest;
    }
    let kept = stem.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' });
    let kept: String = kept.collect();
    let kept = kept.trim_start_matches(['_', '.', '-']);
    let kept = kept.get(..STEM_BYTES).unwrap_or(kept);
    if kept.is_empty() { "input".into() } else { kept.into() }
}

fn partitions_of(folder: &Path) -> Vec<(String, String)> {
    let parts = folder.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let pairs = parts.filter_map(|part| part.split_once('=').map(|(k, v)| (k.to_string(), unescape(v))));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

/// Hive's `%XX`; anything else stays as it is.
fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match code.filter(|_| first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.into())
}

/// Milliseconds since 1970-01-01 UTC, now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_and_tables_come_from_file_names() {
        for (name, stem, table) in [
            ("orders.json", "orders", "orders"),
            ("Orders 2025.ndjson.gz", "Orders-2025", "orders_2025"),
            ("_hidden.csv", "hidden", "hidden"),
            (".json", "json", "json"),
            ("v1.2.csv", "v1.2", "v1_2"),
            ("Übung.json", "bung", "bung"),
            ("___", "input", "input"),
        ] {
            assert_eq!(sanitise(name), stem, "{name}");
            assert_eq!(default_table(&sanitise(name)), table, "{name}");
        }
    }

    #[test]
    fn hive_partitions_are_read_from_the_path() {
        let folder = Path::new("/in/ingest_date=2025-01-01/h=12%3A30");
        let expected = [("ingest_date", "2025-01-01"), ("h", "12:30")];
        assert_eq!(partitions_of(folder), expected.map(|(k, v)| (k.to_string(), v.to_string())));
    }

    #[test]
    fn a_reader_is_named_by_its_content() {
        let source = Source::reader(&b"{}"[..], "feed").unwrap();
        assert_eq!(source.uri(), format!("stdin:{}", source.digest()));
        assert_eq!((source.stem(), source.bytes()), ("feed", 2));
    }
}
