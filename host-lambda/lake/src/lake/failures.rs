//! Source objects that failed: the last failure of each, as long as nothing settles it.
//!
//! Not for what a failure holds (`record`), nor for writing it (`run`). The decision to know: no commit takes a failure
//! away, since every object would have to ask; a look compares the times, and `fsck` removes what is settled.

use std::cmp::Reverse;

use crate::keys::{self, failure_key};
use crate::lake::{Lake, uris_of};
use crate::record::{FailedRecord, SourceRecord};
use lakegate_base::time::parse;
use lakegate_base::{Code, Error, Result};

impl Lake {
    /// Source objects that failed and are not committed.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn failures(&self) -> Result<Vec<FailedRecord>> {
        Ok(self.failures_page(None, usize::MAX)?.0)
    }

    /// The first `limit` of them after a cursor, in the order of their keys, and the next cursor.
    ///
    /// # Errors
    /// As [`Lake::failures`].
    pub fn failures_page(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<FailedRecord>, Option<String>)> {
        let after = after.map(|name| format!("{}{name}", keys::FAILURES));
        let page = self.storage().list_page(keys::FAILURES, after.as_deref(), limit)?;
        let mut found = Vec::new();
        for facts in &page.found {
            if let Some(failed) = self.read_json::<FailedRecord>(&facts.key)?
                && !self.is_settled(&failed)?
            {
                found.push(failed);
            }
        }
        let last = page.found.last().filter(|_| page.more);
        Ok((found, last.and_then(|facts| facts.key.strip_prefix(keys::FAILURES)).map(str::to_owned)))
    }

    /// What failed in a pipeline from a moment on (milliseconds since 1970), whether it was committed since or not: the
    /// newest `limit` of them.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn failures_since(&self, pipeline: &str, from_ms: i64, limit: usize) -> Result<Vec<FailedRecord>> {
        // Clocks of writer and storage differ: what the records say decides.
        let early = from_ms.saturating_sub(60_000);
        let mut listed = self.storage().list(&format!("{}{pipeline}/", keys::FAILURES))?;
        listed.sort_by_key(|facts| Reverse(facts.modified_ms));
        let recent = listed.into_iter().filter(|facts| facts.modified_ms >= early).map(|facts| facts.key);
        let mut found = Vec::new();
        for read in self.storage().get_all(&recent.take(limit).collect::<Vec<_>>())?.into_iter().flatten() {
            let failed: FailedRecord = serde_json::from_slice(&read.bytes).map_err(|error| {
                Error::new(Code::Json, format!("a failure record cannot be read: {error}"))
            })?;
            if parse(&failed.at).is_some_and(|at| at >= from_ms) {
                found.push(failed);
            }
        }
        Ok(found)
    }

    /// Takes the failure of a version away that turns out to be in the tables, or behind a newer one: it failed when it
    /// was to be made in another way, and nobody wants that any more.
    ///
    /// # Errors
    /// The storage's, or the record cannot be read.
    pub fn settle(&self, pipeline: &str, source: &SourceRecord) -> Result<()> {
        let key = failure_key(pipeline, &source.uri);
        let failed = self.read_json::<FailedRecord>(&key)?;
        let Some(failed) = failed.filter(|failed| failed.source.version() == source.version()) else {
            return Ok(());
        };
        if let Some(quarantine) = &failed.quarantine {
            self.storage().delete(quarantine)?;
        }
        Ok(self.storage().delete(&key)?)
    }

    /// The last failures of a source, by URI or path, in all pipelines.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn failures_of_source(&self, uri_or_path: &str) -> Result<Vec<FailedRecord>> {
        let mut found = Vec::new();
        for pipeline in self.storage().folders(keys::FAILURES)? {
            for uri in uris_of(uri_or_path) {
                found.extend(self.failure(&pipeline, &uri)?);
            }
        }
        Ok(found)
    }

    /// The last failure of a source object, if it is not committed since.
    ///
    /// # Errors
    /// The storage's, or the record cannot be read.
    pub fn failure(&self, pipeline: &str, uri: &str) -> Result<Option<FailedRecord>> {
        match self.read_json::<FailedRecord>(&failure_key(pipeline, uri))? {
            Some(failed) if !self.is_settled(&failed)? => Ok(Some(failed)),
            _ => Ok(None),
        }
    }

    /// Whether a commit of the object came after its failure: that is history then. It is found out here and not
    /// noted by the commit, since objects that failed are few, and every object would have to ask. A lost generation
    /// stays lost.
    pub(crate) fn is_settled(&self, failed: &FailedRecord) -> Result<bool> {
        if failed.code == Code::GenerationLost.name() {
            return Ok(false);
        }
        let standing = self.standing(&failed.pipeline, &failed.source.uri)?;
        Ok(standing
            .states
            .iter()
            .any(|state| state.done && !state.void && state.record.committed >= failed.at))
    }
}
