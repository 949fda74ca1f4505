//! Which commits submitted records of a source object again: an index by that object.
//!
//! Not for submitting them: see [`quarantine`](crate::operate::quarantine). The note is written before the commit record
//! that it names, so that it is never missing; one whose commit was never made counts for nothing. So a new
//! generation of an object reads what concerns the object, however much else the pipeline holds.

use std::collections::BTreeSet;

use crate::keys::{self, Named};
use crate::lake::Lake;
use crate::record::{CommitRecord, CommitState};
use lakegate_base::Result;

impl Lake {
    /// Notes of which source objects a commit that is about to be made submits records again.
    pub(crate) fn note_resubmissions(&self, record: &CommitRecord) -> Result<()> {
        let sources: BTreeSet<&str> =
            record.resolves.iter().map(|resolved| resolved.source.as_str()).collect();
        for source in sources {
            let (pipeline, uri) = (&record.pipeline, &record.source.uri);
            let key = keys::resubmission_key(pipeline, source, uri, record.generation);
            if self.storage().stat(&key)?.is_none() {
                self.storage().put_if_absent(&key, b"{\"version\":1}\n")?;
            }
        }
        Ok(())
    }

    /// Commits that count and submitted records of an object again.
    pub(crate) fn resubmissions_of(&self, pipeline: &str, uri: &str) -> Result<Vec<CommitState>> {
        let listed = self.storage().list(&keys::resubmissions_prefix(pipeline, uri))?;
        let named = listed.iter().filter_map(|facts| Named::of_resubmission(pipeline, &facts.key));
        let objects: BTreeSet<&str> = named.map(|named| named.object).collect();
        let mut found = Vec::new();
        for object in objects {
            for state in self.records_below(&keys::commits_prefix(pipeline, object))? {
                let concerns = state.record.resolves.iter().any(|resolved| resolved.source == uri);
                if state.current && concerns && !self.is_withdrawn(&state.record, &state.key)? {
                    found.push(state);
                }
            }
        }
        Ok(found)
    }

    /// Whether a later generation of an object whose records a commit submitted again has made that commit void.
    pub(crate) fn is_withdrawn(&self, record: &CommitRecord, key: &str) -> Result<bool> {
        let sources: BTreeSet<&str> =
            record.resolves.iter().map(|resolved| resolved.source.as_str()).collect();
        for source in sources {
            let states = self.records_below(&keys::object_prefix(&record.pipeline, source))?;
            if states.iter().any(|state| state.record.withdraws.iter().any(|withdrawn| withdrawn == key)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
