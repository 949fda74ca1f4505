//! A source object: pinned to one version, readable twice.
//!
//! The decision to know: what names a version differs by place. A file is hashed before anything else
//! happens, so its version is its content digest. An object in a bucket is named by its version id, or by
//! ETag, size and time where the bucket keeps no versions; its content is hashed while it is read, since
//! reading it twice would cost more than all else. Either way each pass reads exactly that version.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use lakegate_model::SourceFacts;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::record::SourceRecord;
use crate::sequencer::Sequencer;
use crate::storage::{CHUNK_BYTES, Chunks, Facts, LocalFolder, Storage, StorageError};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_model::hive;

/// Longest stem in a part file's name: leaves room for the rest within 255 bytes.
const STEM_BYTES: usize = 100;

/// One raw file, pinned.
pub struct Source {
    uri: String,
    stem: String,
    /// What names this version where the content's digest does not.
    version: Option<String>,
    /// Of the content; known once it was read to its end.
    digest: Arc<OnceLock<String>>,
    modified_ms: i64,
    partitions: Vec<(String, String)>,
    /// When it arrived, in milliseconds since 1970-01-01 UTC, and its place among the events of its key.
    arrived: (Option<i64>, Option<Sequencer>),
    /// When it was taken, in milliseconds since 1970-01-01 UTC: one time for every pass.
    loaded_ms: Option<i64>,
    /// Digest of the receipt that a preview promised.
    promised: Option<String>,
    storage: Arc<dyn Storage>,
    facts: Facts,
    /// All of a small object, where whoever found it has read it already.
    whole: Option<Arc<[u8]>>,
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
        let full = fs::canonicalize(path).map_err(|error| Error::io(&shown.clone(), error))?;
        if full.is_dir() {
            return Err(Error::new(Code::SourceIsFolder, format!("{shown} is a folder, not a file")));
        }
        Self::pinned(&full, None)
    }

    /// Anything that can be read once, for example standard input: spooled to a temporary file.
    ///
    /// # Errors
    /// It cannot be read, or the disk is full.
    pub fn reader(mut input: impl Read, name: &str) -> Result<Self> {
        let fail = |error| Error::io(name, error);
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
        source.uri = format!("stdin:{}", source.digest());
        source.stem = sanitise(name);
        source.partitions.clear();
        Ok(source)
    }

    fn pinned(full: &Path, spool: Option<TempDir>) -> Result<Self> {
        let folder = full.parent().unwrap_or(Path::new("/"));
        let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let storage = LocalFolder::new(folder)?;
        let Some(facts) = storage.stat(&name)? else {
            return Err(Error::new(Code::SourceMissing, format!("{} is no file", full.display())));
        };
        let source = Self {
            uri: full.display().to_string(),
            stem: sanitise(&name),
            version: None,
            digest: Arc::default(),
            modified_ms: facts.modified_ms,
            partitions: partitions_of(&folder.to_string_lossy()),
            arrived: (None, None),
            loaded_ms: Some(now_ms()),
            promised: None,
            storage: Arc::new(storage),
            facts,
            whole: None,
            _spool: spool,
        };
        source.digested()
    }

    /// With its digest known: that of an object is only once it was read to its end.
    ///
    /// # Errors
    /// It cannot be read, or changes meanwhile.
    pub fn digested(self) -> Result<Self> {
        if self.digest.get().is_none() {
            let mut chunks = self.open()?;
            while !chunks.next()?.is_empty() {}
        }
        Ok(self)
    }

    /// An object of a storage, as `facts` pin it. It is not read here.
    pub fn object(storage: Arc<dyn Storage>, uri: String, facts: Facts) -> Self {
        let (folder, name) = uri.rsplit_once('/').unwrap_or(("", &uri));
        let version = version_of(&facts);
        Self {
            stem: sanitise(name),
            version: Some(version),
            digest: Arc::default(),
            modified_ms: facts.modified_ms,
            partitions: partitions_of(folder),
            arrived: (None, None),
            loaded_ms: Some(now_ms()),
            promised: facts.promised.clone(),
            storage,
            facts,
            whole: None,
            _spool: None,
            uri,
        }
    }

    /// With its bytes, which were read together with its facts.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Self {
        Self { whole: Some(bytes.into()), ..self }
    }

    /// With what its event said: when it arrived, and its place among the events of its key.
    #[must_use]
    pub fn arrived(self, event_time_ms: Option<i64>, sequencer: Option<Sequencer>) -> Self {
        Self { arrived: (event_time_ms, sequencer), ..self }
    }

    /// With the digest of the receipt that a preview showed of it; `None` where there was no preview.
    #[must_use]
    pub fn promised(self, receipt: Option<String>) -> Self {
        Self { promised: receipt, ..self }
    }

    /// The same bytes under another name: for records that are submitted again.
    pub fn renamed(mut self, uri: String, stem: &str) -> Self {
        self.uri = uri;
        self.stem = sanitise(stem);
        self.partitions.clear();
        self
    }

    /// The same content under the facts of an earlier run: made again, its files keep their names, and what
    /// a spec asks of event and load time.
    pub fn with_record(mut self, record: &SourceRecord) -> Self {
        self.stem.clone_from(&record.stem);
        self.modified_ms = record.modified_ms;
        self.arrived.0 = record.event_time_ms;
        self.loaded_ms = record.loaded_ms;
        self
    }

    /// Reads the pinned bytes from the start.
    pub fn open(&self) -> Result<Box<dyn Chunks>> {
        let chunks = match &self.whole {
            Some(bytes) => Box::new(Whole { bytes: bytes.clone(), at: 0 }) as Box<dyn Chunks>,
            None => self.storage.open(&self.facts)?,
        };
        if self.digest.get().is_some() {
            return Ok(chunks);
        }
        Ok(Box::new(Hashed { chunks, hash: Some(Sha256::new()), digest: self.digest.clone() }))
    }

    /// Canonical path, `s3://bucket/key`, or `stdin:<digest>`.
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

    /// SHA-256 of the content, lower-case hex; empty until an object was read to its end.
    pub fn digest(&self) -> &str {
        self.digest.get().map_or("", String::as_str)
    }

    /// What names this version of the object: a file's digest, an object's version id or ETag with size
    /// and time.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_else(|| self.digest())
    }

    /// When it arrived, in milliseconds since 1970-01-01 UTC, if an event said so.
    pub fn event_time_ms(&self) -> Option<i64> {
        self.arrived.0
    }

    /// What the transform is told of it.
    pub fn facts(&self) -> SourceFacts {
        SourceFacts {
            uri: self.uri.clone(),
            event_time_ms: self.arrived.0,
            partitions: self.partitions.clone(),
            loaded_ms: self.loaded_ms,
            bytes: Some(self.bytes()),
            name: self.uri.rsplit_once('/').map(|(_, name)| name.to_owned()),
        }
    }

    /// What a commit record says of it.
    pub fn record(&self) -> SourceRecord {
        SourceRecord {
            uri: self.uri.clone(),
            version: self.version.clone().unwrap_or_default(),
            sequencer: self.arrived.1.clone(),
            digest: self.digest().into(),
            bytes: self.bytes(),
            modified: rfc3339(self.modified_ms),
            modified_ms: self.modified_ms,
            event_time_ms: self.arrived.0,
            loaded_ms: self.loaded_ms,
            stem: self.stem.clone(),
            promised: self.promised.clone(),
        }
    }

    /// Whether `other`, a version that was taken already, is newer: S3's own order of events where both have one, else
    /// the time of the last change. That has whole seconds: of two versions of one second, the one that is there now
    /// is the newer. Files have no such order: what is there now counts.
    ///
    /// # Errors
    /// The storage's, where it has to be asked.
    pub fn is_older_than(&self, other: &SourceRecord) -> Result<bool> {
        if self.version.is_none() || other.version.is_empty() || self.version() == other.version {
            return Ok(false);
        }
        match (&self.arrived.1, &other.sequencer) {
            (Some(this), Some(that)) => Ok(this < that),
            _ if self.modified_ms == other.modified_ms => {
                let now = self.storage.stat(&self.facts.key)?;
                Ok(now.is_some_and(|now| version_of(&now) == other.version))
            }
            _ => Ok(self.modified_ms < other.modified_ms),
        }
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

/// What names a version of an object. An ETag is no digest and comes back when the same content does: size and time
/// tell the uploads apart.
pub fn version_of(facts: &Facts) -> String {
    match facts.version.strip_prefix("v:") {
        Some(_) => facts.version.clone(),
        None => format!("{}:{}:{}", facts.version, facts.bytes, facts.modified_ms),
    }
}

/// Bytes that are at hand.
struct Whole {
    bytes: Arc<[u8]>,
    /// Bytes that were handed out.
    at: usize,
}

impl Chunks for Whole {
    fn next(&mut self) -> std::result::Result<&[u8], StorageError> {
        let rest = &self.bytes[self.at..];
        let chunk = &rest[..rest.len().min(CHUNK_BYTES)];
        self.at += chunk.len();
        Ok(chunk)
    }
}

/// Hashes what is read from start to end.
struct Hashed {
    chunks: Box<dyn Chunks>,
    hash: Option<Sha256>,
    digest: Arc<OnceLock<String>>,
}

/// One more chunk; after the last one, which is empty, the digest is known.
fn update(hash: &mut Option<Sha256>, digest: &OnceLock<String>, chunk: &[u8]) {
    if !chunk.is_empty() {
        hash.iter_mut().for_each(|hash| hash.update(chunk));
    } else if let Some(hash) = hash.take() {
        // A second pass reads the same version: what was found first stands.
        let _same = digest.set(hex::encode(hash.finalize()));
    }
}

impl Chunks for Hashed {
    fn next(&mut self) -> std::result::Result<&[u8], StorageError> {
        let chunk = self.chunks.next()?;
        update(&mut self.hash, &self.digest, chunk);
        Ok(chunk)
    }

    fn next_into(&mut self, piece: &mut Vec<u8>) -> std::result::Result<(), StorageError> {
        self.chunks.next_into(piece)?;
        update(&mut self.hash, &self.digest, piece);
        Ok(())
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
    const EXTENSIONS: [&str; 12] =
        ["gz", "gzip", "zst", "zstd", "bz2", "bzip2", "zip", "json", "ndjson", "jsonl", "csv", "tsv"];
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

fn partitions_of(folder: &str) -> Vec<(String, String)> {
    let parts = folder.split('/');
    let pairs =
        parts.filter_map(|part| part.split_once('=').map(|(k, v)| (k.to_string(), hive::unescape(v))));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

/// Milliseconds since 1970-01-01 UTC, now.
pub fn now_ms() -> i64 {
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
            ("orders.csv.zip", "orders", "orders"),
            ("orders.json.bz2", "orders", "orders"),
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
        let folder = "/in/ingest_date=2025-01-01/h=12%3A30";
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
