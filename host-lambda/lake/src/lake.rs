//! A lake: where tables, contracts, commit records and quarantine lie in a storage.
//!
//! Not for making anything: see [`run`](mod@crate::run). The layout:
//!
//! ```text
//! <table>/<partitions>/<stem>-<modified>-<digest>-<n>.parquet
//! _lakegate/<table>/schema.json                     names the live contract, and all before it
//! _lakegate/contracts/<digest>.json                 contract texts, never changed
//! _lakegate/specs/<digest>.toml                     spec texts, never changed
//! _lakegate/commits/<pipeline>/<object>/<generation>.json    and .done
//! _lakegate/quarantine/<pipeline>/<object>-<generation>-<run>.jsonl
//! _lakegate/failures/<pipeline>/<object>.json       the last failure of an object that is not committed
//! _lakegate/crawler/<crawler>-<digest>.again        whether a crawler is to run once more
//! _lakegate/paused/<pipeline>.json                  the pipeline is held while this is there
//! _lakegate/resubmitted/<digest>                    records that were submitted again
//! _lakegate/shadows/<release>/<version>/<object>-<generation>.json    what a shadow would have changed
//! _lakegate/hosts/<pipeline>.json                   which releases the last host to swap has in use
//! _lakegate/raw/<name>                              raw files that `lakegate serve` took
//! _lakegate/uploads/<id>.json and .raw              uploads that wait for their turn
//! _lakegate/staging/                                nothing in here is visible
//! ```
//!
//! The decision to know: locally a pipeline is named by its first table, so that the same file may feed
//! two tables by two commands and each has its own generations.

mod contracts;
mod texts;

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use contracts::check_growth;
pub use contracts::{ContractVersion, LiveContract};

pub use lakegate_model::digest::{is_digest, sha256};
pub use texts::Texts;

use crate::record::{CommitRecord, CommitState, DoneMark, FailedRecord, SourceRecord};
use crate::source::Source;
use crate::storage::{LocalFolder, Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::Transform;

pub(crate) const COMMITS: &str = "_lakegate/commits/";
pub const SHADOWS: &str = "_lakegate/shadows/";
pub(crate) const HOSTS: &str = "_lakegate/hosts/";
/// Raw files that were uploaded, by name.
pub const RAW: &str = "_lakegate/raw/";
/// Uploads that wait for their turn.
pub const UPLOADS: &str = "_lakegate/uploads/";

/// What a deployed lake is connected to. A folder on a laptop is connected to nothing.
pub trait Surroundings: Send + Sync {
    /// All files of a commit are visible, and it is about to be marked as done: catalog, notices, lineage.
    /// Idempotent: whoever completes a commit calls it. What it came to is kept in the done mark.
    ///
    /// # Errors
    /// What could not be told; the commit stays undone and is completed by the next run.
    fn published(&self, lake: &Lake, record: &CommitRecord) -> Result<serde_json::Value>;

    /// A source object that lies elsewhere, as its record pins it.
    ///
    /// # Errors
    /// It is gone or cannot be read.
    fn source(&self, record: &SourceRecord) -> Result<Source>;

    /// The transform that made a commit, where it is not the one in use; `None` where it cannot be had.
    ///
    /// # Errors
    /// Its release cannot be loaded.
    fn transform(&self, _record: &CommitRecord) -> Result<Option<Transform>> {
        Ok(None)
    }
}

/// A lake over a storage; clones share it.
#[derive(Clone)]
pub struct Lake {
    storage: Arc<dyn Storage>,
    surroundings: Option<Arc<dyn Surroundings>>,
    texts: Option<Arc<Texts>>,
}

impl Lake {
    /// A lake in a folder, which need not exist yet.
    ///
    /// # Errors
    /// The path cannot be made absolute.
    pub fn local(path: &Path) -> Result<Self> {
        Ok(Self::over(Arc::new(LocalFolder::new(path)?)))
    }

    /// A lake over any storage.
    pub fn over(storage: Arc<dyn Storage>) -> Self {
        Self { storage, surroundings: None, texts: None }
    }

    /// The same lake, connected.
    #[must_use]
    pub fn within(self, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { surroundings: Some(surroundings), ..self }
    }

    /// The same lake, with a memory for texts that never change.
    #[must_use]
    pub fn remembering(self, texts: Arc<Texts>) -> Self {
        Self { texts: Some(texts), ..self }
    }

    pub(crate) fn surroundings(&self) -> Option<&dyn Surroundings> {
        self.surroundings.as_deref()
    }

    /// Where it is.
    pub fn root(&self) -> &str {
        self.storage.uri()
    }

    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Text of a contract by digest.
    ///
    /// # Errors
    /// The storage's, or the text is not what its digest says.
    pub fn contract_text(&self, digest: &str) -> Result<Option<String>> {
        self.text_of(&contract_key(digest), digest)
    }

    /// Text of a spec by digest.
    ///
    /// # Errors
    /// The storage's, or the text is not what its digest says.
    pub fn spec_text(&self, digest: &str) -> Result<Option<String>> {
        self.text_of(&spec_key(digest), digest)
    }

    fn text_of(&self, key: &str, digest: &str) -> Result<Option<String>> {
        if let Some(text) = self.texts.as_ref().and_then(|texts| texts.get(key)) {
            return Ok(Some(text));
        }
        let Some(found) = self.storage.get(key)? else { return Ok(None) };
        if sha256(&found.bytes) != digest {
            return Err(Error::new(
                Code::LakeDamaged,
                format!("{key} does not have the digest that names it"),
            ));
        }
        let text = String::from_utf8(found.bytes)
            .map_err(|_| Error::new(Code::LakeDamaged, format!("{key} is not UTF-8")))?;
        if let Some(texts) = &self.texts {
            texts.keep(key, &text);
        }
        Ok(Some(text))
    }

    /// All commit records, by pipeline, source and generation.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn commits(&self) -> Result<Vec<CommitState>> {
        self.commits_below(COMMITS)
    }

    /// Generations of one source, by URI or path.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn commits_of_source(&self, uri_or_path: &str) -> Result<Vec<CommitState>> {
        let full = std::fs::canonicalize(uri_or_path).or_else(|_| std::path::absolute(uri_or_path));
        let full = full.map_or_else(|_| uri_or_path.to_string(), |path| path.display().to_string());
        let mut found = self.commits()?;
        found.retain(|state| state.record.source.uri == uri_or_path || state.record.source.uri == full);
        Ok(found)
    }

    /// The commit that made a part file; its key, or a path that ends in it.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn commit_of_part(&self, part: &str) -> Result<Option<CommitState>> {
        let same = |key: &str| part == key || part.ends_with(&format!("/{key}"));
        Ok(self.commits()?.into_iter().find(|state| state.record.parts.iter().any(|part| same(&part.key))))
    }

    pub fn commits_below(&self, prefix: &str) -> Result<Vec<CommitState>> {
        let listed = self.storage.list(prefix)?;
        let mut found: Vec<CommitState> = Vec::new();
        for facts in &listed {
            let Some(base) = facts.key.strip_suffix(".json") else { continue };
            let done_key = format!("{base}.done");
            let done = listed.binary_search_by(|other| other.key.as_str().cmp(&done_key)).is_ok();
            let Some(record) = self.read_json::<CommitRecord>(&facts.key)? else { continue };
            found.push(CommitState { record, done, current: true, key: facts.key.clone() });
        }
        for index in 0..found.len() {
            let (object, replaces) = (object_of(&found[index].key), found[index].record.replaces.clone());
            let object = object.to_string();
            for earlier in &mut found[..index] {
                if object_of(&earlier.key) == object && replaces.contains(&earlier.record.generation) {
                    earlier.current = false;
                }
            }
        }
        let withdrawn: Vec<String> =
            found.iter().flat_map(|state| state.record.withdraws.iter().cloned()).collect();
        for state in &mut found {
            state.current &= !withdrawn.contains(&state.key);
        }
        Ok(found)
    }

    /// Source objects that failed and are not committed.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn failures(&self) -> Result<Vec<FailedRecord>> {
        let mut found = Vec::new();
        for facts in self.storage.list("_lakegate/failures/")? {
            found.extend(self.read_json(&facts.key)?);
        }
        Ok(found)
    }

    /// Generations of one source object in one pipeline, the first one first.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn generations(&self, pipeline: &str, uri: &str) -> Result<Vec<CommitState>> {
        self.commits_below(&object_prefix(pipeline, uri))
    }

    /// The mark of a commit that is done: when, and what was told to whom. `None` while it is not.
    ///
    /// # Errors
    /// The storage's, or the mark cannot be read.
    pub fn done_mark(&self, state: &CommitState) -> Result<Option<DoneMark>> {
        self.read_json(&done_key(&state.key))
    }

    /// The last failure of a source object, if it is not committed since.
    ///
    /// # Errors
    /// The storage's, or the record cannot be read.
    pub fn failure(&self, pipeline: &str, uri: &str) -> Result<Option<FailedRecord>> {
        self.read_json(&failure_key(pipeline, uri))
    }

    pub fn read_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(found) = self.storage.get(key)? else { return Ok(None) };
        serde_json::from_slice(&found.bytes)
            .map(Some)
            .map_err(|error| Error::new(Code::LakeDamaged, format!("{key} cannot be read: {error}")))
    }

    /// Writes a small object whatever was there; for notes that nobody races for.
    pub fn overwrite(&self, key: &str, bytes: &[u8]) -> Result<()> {
        loop {
            let tag = self.storage.get(key)?.map(|found| found.tag);
            if self.storage.replace_if_unchanged(key, bytes, tag.as_deref())? {
                return Ok(());
            }
        }
    }

    /// Stores a text under its digest, once; returns the digest.
    pub fn keep_text(&self, key: impl Fn(&str) -> String, text: &[u8]) -> Result<String> {
        let digest = sha256(text);
        let key = key(&digest);
        if self.storage.stat(&key)?.is_none() {
            self.storage.put_if_absent(&key, text)?;
        }
        Ok(digest)
    }
}

pub fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)
        .map_err(|error| Error::new(Code::Json, format!("cannot be written: {error}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// First characters of a digest, for names.
pub fn short(digest: &str, length: usize) -> &str {
    digest.get(..length).unwrap_or(digest)
}

pub fn contract_key(digest: &str) -> String {
    format!("_lakegate/contracts/{digest}.json")
}

pub fn spec_key(digest: &str) -> String {
    format!("_lakegate/specs/{digest}.toml")
}

/// What stands for a source object in keys.
pub fn object_key(uri: &str) -> String {
    short(&sha256(uri.as_bytes()), 16).to_string()
}

/// Folder of a pipeline's quarantine, with a trailing slash.
pub fn quarantine_prefix(pipeline: &str) -> String {
    format!("_lakegate/quarantine/{pipeline}/")
}

/// Folder of a source object's commit records, with a trailing slash.
pub fn object_prefix(pipeline: &str, uri: &str) -> String {
    format!("{COMMITS}{pipeline}/{}/", object_key(uri))
}

pub fn host_key(pipeline: &str) -> String {
    format!("{HOSTS}{pipeline}.json")
}

pub fn commit_key(pipeline: &str, uri: &str, generation: u32) -> String {
    format!("{}{generation:06}.json", object_prefix(pipeline, uri))
}

pub fn done_key(commit_key: &str) -> String {
    format!("{}.done", commit_key.trim_end_matches(".json"))
}

pub fn failure_key(pipeline: &str, uri: &str) -> String {
    format!("_lakegate/failures/{pipeline}/{}.json", short(&sha256(uri.as_bytes()), 16))
}

fn object_of(commit_key: &str) -> &str {
    commit_key.rsplit_once('/').map_or("", |(folder, _)| folder)
}
