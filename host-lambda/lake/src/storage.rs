//! What the flow needs of a place that keeps objects: one trait, shaped so that S3 can answer it.
//!
//! Not for lakes: keys have no meaning here. Three promises carry the whole commit protocol, and each
//! backend keeps them in its own way:
//!
//! * *Nothing staged is visible.* [`Storage::stage`] takes bytes, [`Storage::publish`] makes them an object
//!   at once (S3: an uncompleted multipart upload; a folder: a file in a folder of its own, renamed).
//! * *Put if absent* is won by exactly one caller (S3: `If-None-Match: *`; a folder: a hard link).
//! * *Replace if unchanged* compares a tag (S3: `If-Match`; a folder: under a lock file).
//!
//! Paths of a failure abort what they staged; what a killed process left is found by [`Storage::sweep`]
//! when another completes the object, else by [`Storage::left_overs`].

#![warn(missing_docs)]

#[cfg(test)]
pub(crate) mod counting;
mod error;
#[cfg(any(test, feature = "laws"))]
pub mod laws;
mod local;

use serde::{Deserialize, Serialize};

pub use error::StorageError;
pub use local::LocalFolder;

/// Result of a backend.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// An object as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Key, `/` between folders.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// Last change in milliseconds since 1970-01-01 UTC.
    pub modified_ms: i64,
    /// Pins this state of the object: a version id, an ETag, or device, inode and change time.
    pub version: String,
    /// Digest of the receipt that whoever uploaded it saw in a preview; only a look at one object tells it.
    pub promised: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, sorted by key.
    pub found: Vec<Facts>,
    /// Whether there are more after the last of them.
    pub more: bool,
}

/// Bytes with the tag that [`Storage::replace_if_unchanged`] compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The whole object.
    pub bytes: Vec<u8>,
    /// Tag of this content.
    pub tag: String,
}

/// What a read found that was to be skipped if nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// It has the tag that is known already.
    Unchanged,
    /// It is not there.
    Gone,
    /// Its content now.
    Changed(Tagged),
}

/// Something staged: enough to publish or abort it from another process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Key it will have.
    pub key: String,
    /// Upload id, or path of the staged file.
    pub token: String,
    /// Tags of the uploaded pieces, in order; none in a folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<String>,
    /// Bytes in all.
    pub bytes: u64,
    /// By what the published object is recognised where its name and size are not enough; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// What publishing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The object is there, now or already.
    There,
    /// Neither the staged bytes nor the object are there: they must be made again.
    Vanished,
}

/// Something staged whose process is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// As in [`Staged::token`].
    pub token: String,
    /// Bytes it takes up.
    pub bytes: u64,
}

/// Bytes that are read at once: what a guest takes in one call.
pub use lakegate_sandbox::CHUNK_BYTES;

/// Reads one pinned version.
pub trait Chunks {
    /// The next bytes, at most [`CHUNK_BYTES`]; empty at the end. The slice lives until the next call.
    ///
    /// # Errors
    /// The object changed, vanished or cannot be read.
    fn next(&mut self) -> Result<&[u8]>;

    /// The same, in place of what `piece` holds: without a copy where the backend can.
    ///
    /// # Errors
    /// As [`Chunks::next`].
    fn next_into(&mut self, piece: &mut Vec<u8>) -> Result<()> {
        piece.clear();
        piece.extend_from_slice(self.next()?);
        Ok(())
    }
}

/// Takes the bytes of one object; dropped without `finish`, it leaves nothing.
pub trait Stage: Send {
    /// More bytes.
    ///
    /// # Errors
    /// The backend does not take them.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// All bytes are written; the object stays invisible.
    ///
    /// # Errors
    /// The backend does not take them.
    fn finish(self: Box<Self>) -> Result<Staged>;
}

/// A place that keeps objects.
pub trait Storage: Send + Sync {
    /// Where it is, for messages and commit records.
    fn uri(&self) -> &str;

    /// All objects below a prefix (a folder: `orders/`, or empty), sorted by key.
    ///
    /// # Errors
    /// The backend's.
    fn list(&self, prefix: &str) -> Result<Vec<Facts>>;

    /// The first `limit` objects below a prefix whose keys come after `after`, sorted by key. What it costs
    /// depends on `limit` and never on how many there are (S3: `start-after`; a folder: opens only folders that
    /// hold some of them).
    ///
    /// # Errors
    /// The backend's.
    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let mut found = self.list(prefix)?;
        found.retain(|facts| after.is_none_or(|after| facts.key.as_str() > after));
        let more = found.len() > limit;
        found.truncate(limit);
        Ok(Page { found, more })
    }

    /// Names of the folders directly below a prefix, sorted, without looking into them (S3: a delimiter). In a
    /// folder one may be empty.
    ///
    /// # Errors
    /// The backend's.
    fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        let found = self.list(prefix)?;
        let name = |facts: &Facts| Some(facts.key.strip_prefix(prefix)?.split_once('/')?.0.to_owned());
        let mut names: Vec<String> = found.iter().filter_map(name).collect();
        names.dedup();
        Ok(names)
    }

    /// An object's facts; `None` if there is none.
    ///
    /// # Errors
    /// The backend's.
    fn stat(&self, key: &str) -> Result<Option<Facts>>;

    /// Reads exactly that version.
    ///
    /// # Errors
    /// It is gone or was changed.
    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>>;

    /// Some bytes of exactly that version, from `from` on (S3: a range).
    ///
    /// # Errors
    /// It is gone or was changed, or ends before.
    fn read_range(&self, object: &Facts, from: u64, bytes: u64) -> Result<Vec<u8>> {
        let mut chunks = self.open(object)?;
        let (mut at, end) = (0, from.saturating_add(bytes));
        let mut found = Vec::new();
        while at < end {
            let chunk = chunks.next()?;
            if chunk.is_empty() {
                return Err(StorageError::Changed { key: object.key.clone() });
            }
            let next = at + chunk.len() as u64;
            let (first, last) = (from.clamp(at, next) - at, end.clamp(at, next) - at);
            found.extend_from_slice(&chunk[first as usize..last as usize]);
            at = next;
        }
        Ok(found)
    }

    /// A small object as a whole; `None` if there is none.
    ///
    /// # Errors
    /// The backend's.
    fn get(&self, key: &str) -> Result<Option<Tagged>>;

    /// Several of them, at once where the backend can; the answers in their order.
    ///
    /// # Errors
    /// The backend's, the first of them.
    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Tagged>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// The same, unless its tag still is `tag`: then nothing is transferred (S3: `If-None-Match`).
    ///
    /// # Errors
    /// The backend's.
    fn get_unless(&self, key: &str, tag: &str) -> Result<Fresh> {
        Ok(match self.get(key)? {
            None => Fresh::Gone,
            Some(found) if found.tag == tag => Fresh::Unchanged,
            Some(found) => Fresh::Changed(found),
        })
    }

    /// Stores an object if its key is free: true if this call did it. Durable when it returns.
    ///
    /// # Errors
    /// The backend's; it is then unknown whether the object is there.
    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool>;

    /// Stores an object if its tag still is `tag` (`None`: if there is none): true if this call did it.
    ///
    /// # Errors
    /// The backend's; it is then unknown whether the object was replaced.
    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool>;

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// The backend's.
    fn delete(&self, key: &str) -> Result<()>;

    /// Begins an object that is not visible until it is published.
    ///
    /// # Errors
    /// The backend's.
    fn stage(&self, key: &str) -> Result<Box<dyn Stage>>;

    /// Makes staged objects durable, before a commit record may name them.
    ///
    /// # Errors
    /// The backend's.
    fn settle(&self, staged: &[Staged]) -> Result<()>;

    /// Makes a staged object visible. Idempotent.
    ///
    /// # Errors
    /// The backend's; try again.
    fn publish(&self, staged: &Staged) -> Result<Published>;

    /// Publishes several, at once where the backend can; the answers in their order.
    ///
    /// # Errors
    /// The backend's, the first of them; try again.
    fn publish_all(&self, staged: &[Staged]) -> Result<Vec<Published>> {
        staged.iter().map(|one| self.publish(one)).collect()
    }

    /// Makes publications and deletions durable, before a done mark may be written.
    ///
    /// # Errors
    /// The backend's.
    fn seal(&self, keys: &[String]) -> Result<()>;

    /// Throws something staged away; what is not there is no error.
    ///
    /// # Errors
    /// The backend's.
    fn abort(&self, token: &str) -> Result<()>;

    /// Throws away what other runs staged under the names of these objects, which a commit record names: such
    /// runs were killed, or have lost. A folder knows whose process is gone, and needs no sweep.
    ///
    /// # Errors
    /// The backend's; whatever stays is a left-over.
    fn sweep(&self, _staged: &[Staged]) -> Result<()> {
        Ok(())
    }

    /// The same place with the time that is kept for cleaning up, where calls end at a deadline: what is to be thrown
    /// away or taken back then still can be. `None` where there is none.
    fn cleaning_up(&self) -> Option<std::sync::Arc<dyn Storage>> {
        None
    }

    /// Everything staged by processes that are gone. What an undone commit record names must be kept.
    ///
    /// # Errors
    /// The backend's.
    fn left_overs(&self) -> Result<Vec<LeftOver>>;
}
