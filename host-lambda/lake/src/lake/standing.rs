//! What counts of a source object, read at a cost that does not grow with its generations.
//!
//! Not for people, who want to see all of them: see [`Lake::generations`]. The last record says which generations count
//! beside it ([`CommitRecord::stands`]), so that only those are read: one request for an object that is new, three more
//! and one for each generation that counts where it is not.

use std::collections::BTreeSet;

use crate::keys::{Named, commit_key, object_prefix};
use crate::lake::Lake;
use crate::record::{CommitRecord, CommitState};
use lakegate_base::Result;

/// What counts of a source object now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Generations that count, and the last one in any case, which alone may be undone; the first one first.
    pub(crate) states: Vec<CommitState>,
    /// Number of the last generation; 0 if there is none.
    pub(crate) last: u32,
}

impl Standing {
    /// Whether there are generations that were not read, since they count no more.
    pub(crate) fn has_older(&self) -> bool {
        self.states.len() < self.last as usize
    }
}

impl Lake {
    /// What counts of a source object.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn standing(&self, pipeline: &str, uri: &str) -> Result<Standing> {
        let first = commit_key(pipeline, uri, 1);
        let Some(first) = self.read_json::<CommitRecord>(&first)? else { return Ok(Standing::default()) };
        let prefix = object_prefix(pipeline, uri);
        let listed = self.storage().list(&prefix)?;
        let last = listed.iter().filter_map(|facts| Some(Named::of_commit(&facts.key)?.generation)).max();
        let last = last.unwrap_or(1);
        let newest = if last == 1 { first } else { self.record_of(pipeline, uri, last)? };
        let Some(stands) = newest.stands.clone().filter(|_| !newest.is_void()) else {
            return Ok(Standing { states: self.commits_below(&prefix)?, last });
        };
        let mark = self.load_of(&newest)?;
        let void = mark.as_ref().is_some_and(|mark| mark.void.is_some());
        let mut counting: BTreeSet<u32> = stands.into_iter().collect();
        if void {
            counting.extend(&newest.replaces);
        }
        let mut states = Vec::new();
        for generation in counting {
            let record = self.record_of(pipeline, uri, generation)?;
            states.push(self.state_in(record, true, false)?);
        }
        states.push(self.state_in(newest, mark.is_some(), void)?);
        Ok(Standing { states, last })
    }

    fn state_in(&self, record: CommitRecord, done: bool, void: bool) -> Result<CommitState> {
        let current = !void && !self.is_withdrawn(&record)?;
        let key = commit_key(&record.pipeline, &record.source.uri, record.generation);
        Ok(CommitState { record, done, current, key, void })
    }
}
