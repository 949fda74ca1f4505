//! Takes a source object out of the tables again.
//!
//! Not for deleting the source object. The decision to know: it is a generation like any other, with no files,
//! so that it is as safe from crashes, and leaves as much of a trace, as one that has some.

use crate::keys::{commit_key, object_prefix};
use crate::lake::{Lake, to_json};
use crate::record::{CommitRecord, CommitState, RETRACT};
use crate::run::commit::{Completed, Means, Rolled, complete, roll_forward};
use crate::run::stage::attempt_of;
use crate::run::{ATTEMPTS, later_than, retracts, voids};
use lakegate_base::{Code, Error, Result};
use lakegate_model::report::Report;

/// Takes the rows of a source object out of the tables, and its quarantine: a generation without files.
/// `None` if nothing of it is there.
///
/// # Errors
/// The storage's; or the commit is made and the next run completes it.
pub fn retract(lake: &Lake, pipeline: &str, uri: &str) -> Result<Option<CommitRecord>> {
    let prefix = object_prefix(pipeline, uri);
    for _ in 0..ATTEMPTS {
        let states = lake.commits_below(&prefix)?;
        // What cannot be made any more is to go anyway.
        if roll_forward(lake, &states, Means::default(), &|_| true)? == Rolled::GivenUp {
            continue;
        }
        let files = |state: &CommitState| !state.record.parts.is_empty() || state.record.quarantine.is_some();
        let last = states.iter().rev().find(|state| !state.record.is_void());
        let Some(last) = last.filter(|_| states.iter().any(|state| state.current && files(state))) else {
            return Ok(None);
        };
        let gone = |state: &&CommitState| state.current;
        let withdrawn = lake.resubmissions_of(pipeline, uri)?;
        let before = states.iter().chain(&withdrawn).map(|state| state.record.committed.as_str());
        let now = later_than(before);
        let record = CommitRecord {
            generation: states.last().map_or(1, |state| state.record.generation + 1),
            run: attempt_of(uri),
            reason: RETRACT.into(),
            replaces: states.iter().filter(gone).map(|state| state.record.generation).collect(),
            withdraws: withdrawn.iter().map(|state| state.key.clone()).collect(),
            stands: Some(Vec::new()),
            voids: voids(&states),
            retracts: all_retracted(&states),
            parts: Vec::new(),
            quarantine: None,
            report: Report::default(),
            resolves: Vec::new(),
            started: now.clone(),
            committed: now,
            ..last.record.clone()
        };
        let record = record.with_id();
        let key = commit_key(pipeline, uri, record.generation);
        if lake.storage().put_if_absent(&key, &to_json(&record)?)?
            && complete(lake, &key, &record, Means::default())? == Completed::Done
        {
            return Ok(Some(record));
        }
    }
    Err(Error::new(Code::ObjectContended, format!("other runs of {uri} won over and over")))
}

/// Every version that was taken out so far, with those that go now.
fn all_retracted(states: &[CommitState]) -> Vec<String> {
    let mut all = retracts(states);
    for state in states.iter().filter(|state| state.current || state.void) {
        let version = state.record.source.version();
        if !version.is_empty() && !all.iter().any(|known| known == version) {
            all.push(version.to_owned());
        }
    }
    all
}
