//! A Parquet file in a bucket, as its reader wants files.
//!
//! Not for reading rows in bulk. The decision to know: the end of the file is fetched once, since the footer is there;
//! only one that is longer costs a further request.

use bytes::{Buf, Bytes};
use lakegate_base::Error;
use lakegate_lake::storage::{Facts, Storage};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::sync::Arc;

/// What is fetched first: footers of wide files with statistics and page index fit.
const TAIL_BYTES: u64 = 256 << 10;

/// One pinned object.
pub struct RemoteFile {
    bucket: Arc<dyn Storage>,
    facts: Facts,
    tail: Bytes,
}

impl RemoteFile {
    /// Fetches the end of the object that `facts` pin.
    ///
    /// # Errors
    /// The storage's.
    pub fn open(bucket: Arc<dyn Storage>, facts: Facts) -> std::result::Result<Self, Error> {
        let bytes = facts.bytes.min(TAIL_BYTES);
        let tail = bucket.read_range(&facts, facts.bytes - bytes, bytes)?;
        Ok(Self { bucket, facts, tail: tail.into() })
    }
}

impl Length for RemoteFile {
    fn len(&self) -> u64 {
        self.facts.bytes
    }
}

impl ChunkReader for RemoteFile {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let rest = usize::try_from(self.facts.bytes.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(self.get_bytes(start, rest)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.facts.bytes {
            return Err(ParquetError::EOF(format!("{end} is behind the end of the file")));
        }
        let first = self.facts.bytes - self.tail.len() as u64;
        if let Some(from) = start.checked_sub(first).and_then(|from| usize::try_from(from).ok()) {
            return Ok(self.tail.slice(from..from + length));
        }
        let fetched = self.bucket.read_range(&self.facts, start, length as u64);
        fetched.map(Bytes::from).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_lake::storage::LocalFolder;

    #[test]
    fn what_is_asked_for_is_what_the_object_has_there() {
        let folder = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..TAIL_BYTES + 5_000).map(|n| (n % 251) as u8).collect();
        std::fs::write(folder.path().join("x.parquet"), &content).unwrap();
        let storage = Arc::new(LocalFolder::new(folder.path()).unwrap());
        let facts = storage.stat("x.parquet").unwrap().unwrap();
        let file = RemoteFile::open(storage, facts).unwrap();
        for (start, length) in [(0, 4), (4_990, 20), (5_000, 100), (content.len() - 8, 8), (3, 0)] {
            let found = file.get_bytes(start as u64, length).unwrap();
            assert_eq!(found, &content[start..start + length], "{start}, {length}");
        }
        assert!(file.get_bytes(content.len() as u64 - 3, 4).is_err());
    }
}
