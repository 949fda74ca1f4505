//! A lake: where tables, contracts, commit records and quarantine lie in a storage.
//!
//! Not for making anything: see [`run`](mod@crate::run); nor for how keys are spelled: see [`keys`](crate::keys).
//!
//! Locally a pipeline is named by its first table, so that the same file may feed two tables by two commands and
//! each has its own generations.

mod by_id;
mod contracts;
mod failures;
mod layout;
mod loads;
mod page;
mod resubmissions;
mod standing;
mod texts;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use contracts::check_growth;
pub use contracts::{ContractVersion, LiveContract};

pub use lakegate_model::digest::{is_digest, sha256};
pub use loads::{Load, LoadedTable, Void};
pub use page::{Entry, History};
pub(crate) use resubmissions::record_number;
pub use standing::Standing;
pub use texts::Texts;

use crate::keys::{self, Named, contract_key, object_prefix, spec_key};
use crate::record::{CommitRecord, CommitState, FailedRecord, SourceRecord};
use crate::source::{Source, now_ms};
use crate::storage::{LocalFolder, Storage};
use lakegate_base::time::parse;
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::Transform;
use layout::Guarded;

/// What a deployed lake is connected to. A folder on a laptop is connected to nothing.
pub trait Surroundings: Send + Sync {
    /// All files of a commit are visible: the catalog. Idempotent: whoever completes a commit calls it, also where it
    /// finds out at the same time that the commit was replaced. What it came to goes on to [`Self::published`].
    ///
    /// # Errors
    /// What could not be registered; the commit stays undone and is completed by the next run.
    fn register(&self, _lake: &Lake, _record: &CommitRecord) -> Result<serde_json::Value> {
        Ok(serde_json::Value::Null)
    }

    /// All files of a commit are visible and registered, and it is about to be marked as done: notices, lineage.
    /// Idempotent, as above. What it came to is kept in the done mark.
    ///
    /// # Errors
    /// What could not be told; the commit stays undone and is completed by the next run.
    fn published(
        &self,
        lake: &Lake,
        record: &CommitRecord,
        registered: serde_json::Value,
    ) -> Result<serde_json::Value>;

    /// A generation that was committed is lost: its files were never visible, and cannot be made any more. Told at
    /// least once.
    ///
    /// # Errors
    /// What could not be told; it is tried again.
    fn lost(&self, _lost: &FailedRecord) -> Result<()> {
        Ok(())
    }

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
    storage: Arc<Guarded>,
    surroundings: Option<Arc<dyn Surroundings>>,
    texts: Option<Arc<Texts>>,
    /// How long a commit may be undone before it is given up for lost, in milliseconds.
    patience_ms: i64,
}

/// The process that made a commit publishes it within a second; one that is this slow may be taken for dead. Being
/// wrong costs nothing but the rows that would have been replaced.
const PATIENCE_MS: i64 = 60_000;

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
        Self {
            storage: Arc::new(Guarded::new(storage)),
            surroundings: None,
            texts: None,
            patience_ms: PATIENCE_MS,
        }
    }

    /// The same lake, which takes processes for dead at once: for tests whose processes are.
    #[must_use]
    pub fn impatient(self) -> Self {
        Self { patience_ms: 0, ..self }
    }

    /// Whether whoever made a commit has had time to complete it, and may have been taken for dead; `part` of that
    /// time, in hundredths.
    pub(crate) fn is_overdue(&self, record: &CommitRecord, part: i64) -> bool {
        let committed = parse(&record.committed).unwrap_or_default();
        now_ms() - committed >= self.patience_ms * part / 100
    }

    /// The same lake, connected.
    #[must_use]
    pub fn within(self, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { surroundings: Some(surroundings), ..self }
    }

    /// The same lake, with a memory for texts that never change, and for its layout being known.
    #[must_use]
    pub fn remembering(self, texts: Arc<Texts>) -> Self {
        Self { storage: Arc::new(self.storage.sharing(texts.layout())), texts: Some(texts), ..self }
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

    /// The same lake for what is left to do when time is up: throwing away, and taking back.
    pub(crate) fn cleaning_up(&self) -> Self {
        match self.storage.cleaning_up() {
            Some(storage) => Self { storage: Arc::new(storage), ..self.clone() },
            None => self.clone(),
        }
    }

    /// Calls of its storage so far; a page, a part or another try is not counted apart.
    pub(crate) fn requests(&self) -> u64 {
        self.storage.calls()
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

    /// All commit records, by pipeline, source and generation: reads every one of them.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn commits(&self) -> Result<Vec<CommitState>> {
        let mut found = self.records_below(keys::COMMITS)?;
        let listed = |prefix| -> Result<BTreeSet<String>> {
            Ok(self.storage.list(prefix)?.into_iter().map(|facts| facts.key).collect())
        };
        let (marks, void) = (listed(keys::LOADS)?, listed(keys::VOID)?);
        for state in &mut found {
            state.done |= marks.contains(&state.record.load_key());
            state.void |= void.contains(&state.record.void_key());
        }
        judge(&mut found);
        let withdrawn = listed(keys::WITHDRAWN)?;
        for state in &mut found {
            state.current &= !withdrawn.contains(&state.record.withdrawn_key());
        }
        Ok(found)
    }

    /// Generations of one source, by URI or path, in all pipelines: reads only those.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn commits_of_source(&self, uri_or_path: &str) -> Result<Vec<CommitState>> {
        let mut found = Vec::new();
        for pipeline in self.storage.folders(keys::COMMITS)? {
            for uri in uris_of(uri_or_path) {
                let states = self.generations(&pipeline, &uri)?;
                found.extend(states.into_iter().filter(|state| state.record.source.uri == uri));
            }
        }
        Ok(found)
    }

    /// The commit that made a part file; its key, or a path that ends in it. Reads every commit.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn commit_of_part(&self, part: &str) -> Result<Option<CommitState>> {
        if !part.ends_with(".parquet") {
            return Ok(None);
        }
        let same = |key: &str| part == key || part.ends_with(&format!("/{key}"));
        Ok(self.commits()?.into_iter().find(|state| state.record.parts.iter().any(|part| same(&part.key))))
    }

    /// Generations of one source object, the first one first. Only the last one may be undone: the next is never
    /// committed before, see [`roll_forward`](crate::run::commit::roll_forward).
    pub(crate) fn commits_below(&self, object_prefix: &str) -> Result<Vec<CommitState>> {
        let mut found = self.records_below(object_prefix)?;
        for state in &mut found {
            state.done = true;
        }
        if let Some(last) = found.last_mut().filter(|last| !last.record.is_void()) {
            let mark = self.load_of(&last.record)?;
            last.done = mark.is_some();
            last.void |= mark.is_some_and(|mark| mark.void.is_some());
        }
        judge(&mut found);
        for state in found.iter_mut().filter(|state| !state.record.resolves.is_empty()) {
            state.current = state.current && !self.is_withdrawn(&state.record)?;
        }
        Ok(found)
    }

    /// A generation's record, which is there.
    pub(crate) fn record_of(&self, pipeline: &str, uri: &str, generation: u32) -> Result<CommitRecord> {
        let key = keys::commit_key(pipeline, uri, generation);
        self.read_json(&key)?.ok_or_else(|| Error::new(Code::LakeDamaged, format!("{key} is missing")))
    }

    /// Whether a commit has its mark.
    pub(crate) fn is_done(&self, record: &CommitRecord) -> Result<bool> {
        Ok(self.storage.stat(&record.load_key())?.is_some())
    }

    /// Commit records with what they say of each other.
    fn records_below(&self, prefix: &str) -> Result<Vec<CommitState>> {
        let mut found: Vec<CommitState> = Vec::new();
        for facts in self.storage.list(prefix)? {
            if let Some(record) = self.read_json::<CommitRecord>(&facts.key)? {
                let void = record.is_void();
                found.push(CommitState { record, done: void, current: true, key: facts.key, void });
            }
        }
        let mut void: BTreeSet<String> = BTreeSet::new();
        for state in &found {
            let Some(named) = Named::of_commit(&state.key) else { continue };
            void.extend(
                state
                    .record
                    .voids
                    .iter()
                    .map(|generation| Named { generation: *generation, ..named }.commit_key()),
            );
        }
        for state in &mut found {
            state.void |= void.contains(&state.key);
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

    /// The mark of a commit that is done: its line in the load history. `None` while it is not.
    ///
    /// # Errors
    /// The storage's, or the mark cannot be read.
    pub fn load_of(&self, record: &CommitRecord) -> Result<Option<Load>> {
        self.read_json(&record.load_key())
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
        if self.texts.as_ref().is_some_and(|texts| texts.get(&key).is_some()) {
            return Ok(digest);
        }
        if self.storage.stat(&key)?.is_none() {
            self.storage.put_if_absent(&key, text)?;
        }
        if let (Some(texts), Ok(text)) = (&self.texts, std::str::from_utf8(text)) {
            texts.keep(&key, text);
        }
        Ok(digest)
    }
}

/// Which commits count, by what those that are not void say of each other.
fn judge(states: &mut [CommitState]) {
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for state in states.iter().filter(|state| !state.void) {
        gone.extend(state.record.withdraws.iter().cloned());
        let Some(named) = Named::of_commit(&state.key) else { continue };
        let earlier = state.record.replaces.iter().filter(|earlier| **earlier < named.generation);
        gone.extend(earlier.map(|earlier| Named { generation: *earlier, ..named }.commit_key()));
    }
    for state in states {
        state.current = !state.void && !gone.contains(&state.key);
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

/// What a person may mean by a name: it as it is, and the path that it is here.
fn uris_of(uri_or_path: &str) -> BTreeSet<String> {
    let full = std::fs::canonicalize(uri_or_path).or_else(|_| std::path::absolute(uri_or_path));
    let full = full.map_or_else(|_| uri_or_path.to_string(), |path| path.display().to_string());
    BTreeSet::from([uri_or_path.to_string(), full])
}
