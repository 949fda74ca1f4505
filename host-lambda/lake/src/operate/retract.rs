//! Takes a source object out of the tables again.
//!
//! Not for deleting the source object. The decision to know: it is a generation like any other, with no files,
//! so that it is as safe from crashes, and leaves as much of a trace, as one that has some.

use crate::keys::{commit_key, object_prefix};
use crate::lake::{Lake, to_json};
use crate::record::{CommitRecord, CommitState};
use crate::run::commit::{Means, complete, roll_forward};
use crate::run::{ATTEMPTS, later_than, run_id};
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::report::Report;

/// Takes the rows of a source object out of the tables, and its quarantine: a generation without files.
/// `None` if nothing of it is there.
///
/// # Errors
/// The storage's; or the commit is made and the next run completes it.
pub fn retract(lake: &Lake, pipeline: &str, uri: &str) -> Result<Option<CommitRecord>> {
    let prefix = object_prefix(pipeline, uri);
    for _ in 0..ATTEMPTS {
        let states = lake.commits_below(&prefix)?;
        roll_forward(lake, &states, Means::default())?;
        let files = |state: &CommitState| !state.record.parts.is_empty() || state.record.quarantine.is_some();
        let Some(last) = states.last().filter(|_| states.iter().any(|state| state.current && files(state)))
        else {
            return Ok(None);
        };
        let gone = |state: &&CommitState| state.current;
        let withdrawn = lake.resubmissions_of(pipeline, uri)?;
        let before = states.iter().chain(&withdrawn).map(|state| state.record.committed.as_str());
        let now = later_than(before);
        let record = CommitRecord {
            generation: last.record.generation + 1,
            run: run_id(uri),
            reason: "retract".into(),
            replaces: states.iter().filter(gone).map(|state| state.record.generation).collect(),
            withdraws: withdrawn.iter().map(|state| state.key.clone()).collect(),
            parts: Vec::new(),
            quarantine: None,
            report: Report::default(),
            resolves: Vec::new(),
            started: now.clone(),
            committed: now,
            ..last.record.clone()
        };
        let key = commit_key(pipeline, uri, record.generation);
        if lake.storage().put_if_absent(&key, &to_json(&record)?)? {
            complete(lake, &key, &record, Means::default())?;
            return Ok(Some(record));
        }
    }
    Err(Error::new(Code::ObjectContended, format!("other runs of {uri} won over and over")))
}
