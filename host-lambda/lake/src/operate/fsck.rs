//! Finds and mends what a crash, or a hand in the lake, left.
//!
//! Not needed for correctness: the next run of an object completes what was begun. The decision to know: a
//! file that no commit names is reported and never removed, since it may be somebody's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::keys::{self, is_own};
use crate::lake::{Lake, check_growth};
use crate::record::{CommitRecord, CommitState, FailedRecord};
use crate::run::commit::{Means, complete, make_again, take_back};
use lakegate_base::Result;
use lakegate_sandbox::Transform;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `commit_undone`, `staging_left_over`, `file_missing`, `file_replaced`, `file_without_commit`, `contract_behind`.
    pub code: &'static str,
    /// One sentence, with the key.
    pub what: String,
    /// True if it is in order now.
    pub mended: bool,
}

/// Looks through a lake; with `mend`, puts in order what can be. `transform` is needed to make lost files again.
///
/// # Errors
/// The storage's. What cannot be mended is a finding and no error.
pub fn fsck(lake: &Lake, transform: Option<&Transform>, mend: bool) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let means = Means { transform, ..Means::default() };
    // Files first: whatever is there belongs to a commit that was made before, and is read after.
    let listed: BTreeMap<String, u64> =
        lake.storage().list("")?.into_iter().map(|facts| (facts.key, facts.bytes)).collect();
    let states = lake.commits()?;
    for state in states.iter().filter(|state| !state.done) {
        let what = format!("{} was committed but not completed", state.key);
        mended(&mut found, "commit_undone", what, mend, || {
            complete(lake, &state.key, &state.record, means).map(|_completed| ())
        });
    }
    left_overs(lake, &states, mend, &mut found)?;
    files(lake, &listed, &states, means, mend, &mut found)?;
    behind(lake, &states, &mut found)?;
    if mend {
        forget_failures(lake)?;
    }
    Ok(found)
}

/// Failures of objects that are in the tables since, and what was kept of them: nothing is wrong with them, they only
/// take up room.
fn forget_failures(lake: &Lake) -> Result<()> {
    for facts in lake.storage().list(keys::FAILURES)? {
        let Some(failed) = lake.read_json::<FailedRecord>(&facts.key)? else { continue };
        if lake.is_settled(&failed)? {
            if let Some(kept) = failed.quarantine {
                lake.storage().delete(&kept)?;
            }
            lake.storage().delete(&facts.key)?;
        }
    }
    Ok(())
}

fn mended(
    found: &mut Vec<Finding>,
    code: &'static str,
    what: String,
    mend: bool,
    action: impl FnOnce() -> Result<()>,
) {
    let finding = if mend {
        match action() {
            Ok(()) => Finding { code, what, mended: true },
            Err(error) => Finding { code, what: format!("{what}: {error}"), mended: false },
        }
    } else {
        Finding { code, what, mended: false }
    };
    found.push(finding);
}

fn left_overs(lake: &Lake, states: &[CommitState], mend: bool, found: &mut Vec<Finding>) -> Result<()> {
    // A commit record that is not done still needs what it staged: read anew, since some are done by now.
    let mut needed = BTreeSet::new();
    for state in states.iter().filter(|state| !state.done) {
        if !lake.is_done(&state.record)? {
            needed.extend(state.record.parts.iter().map(|part| part.staged.token.clone()));
            needed.extend(state.record.quarantine.iter().map(|kept| kept.staged.token.clone()));
        }
    }
    for left in lake.storage().left_overs()? {
        if needed.contains(&left.token) {
            continue;
        }
        if left.token.ends_with("/lock") {
            // A run's folder whose process is gone: taken away silently, it holds nothing.
            if mend {
                lake.storage().abort(&left.token)?;
            }
            continue;
        }
        let what = format!("{} was staged by a run that is gone", left.token);
        mended(found, "staging_left_over", what, mend, || Ok(lake.storage().abort(&left.token)?));
    }
    Ok(())
}

fn files(
    lake: &Lake,
    listed: &BTreeMap<String, u64>,
    states: &[CommitState],
    means: Means<'_>,
    mend: bool,
    found: &mut Vec<Finding>,
) -> Result<()> {
    let mut known = BTreeSet::new();
    for state in states {
        let record = &state.record;
        let mut missing = Vec::new();
        for (key, bytes) in files_of(record) {
            known.insert(key.clone());
            match listed.get(key) {
                None if state.current && state.done => missing.push(key.clone()),
                Some(there) if state.current && state.done && *there != bytes => missing.push(key.clone()),
                Some(_) if !state.current => {
                    let what = format!("{key} belongs to a generation that was replaced");
                    mended(found, "file_replaced", what, mend, || Ok(lake.storage().delete(key)?));
                }
                _ => {}
            }
        }
        // Runs go on meanwhile: what is missing now may never have been listed, or have been replaced since.
        if !missing.is_empty() && is_missing(lake, record, &missing)? {
            let what = format!("{} of {} are missing or damaged", missing.join(", "), record.source.uri);
            mended(found, "file_missing", what, mend, || {
                make_again(lake, record, &missing, means)?;
                take_back(lake, record).map(|_completed| ())
            });
        }
    }
    for key in listed.keys().filter(|key| key.ends_with(".parquet") && !is_own(key)) {
        if !known.contains(key) {
            let what = format!("{key} is named by no commit; it was left where it is");
            found.push(Finding { code: "file_without_commit", what, mended: false });
        }
    }
    Ok(())
}

/// Part files and quarantine of a commit, with their bytes.
fn files_of(record: &CommitRecord) -> impl Iterator<Item = (&String, u64)> {
    let parts = record.parts.iter().map(|part| (&part.key, part.bytes));
    parts.chain(record.quarantine.iter().map(|kept| (&kept.key, kept.bytes)))
}

/// Whether a commit still counts, and still lacks some of these files.
fn is_missing(lake: &Lake, record: &CommitRecord, keys: &[String]) -> Result<bool> {
    let states = lake.generations(&record.pipeline, &record.source.uri)?;
    let counts = |state: &CommitState| state.record.generation == record.generation && state.current;
    if !states.iter().any(counts) {
        return Ok(false);
    }
    for (key, bytes) in files_of(record).filter(|(key, _)| keys.contains(key)) {
        if lake.storage().stat(key)?.is_none_or(|facts| facts.bytes != bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn behind(lake: &Lake, states: &[CommitState], found: &mut Vec<Finding>) -> Result<()> {
    let mut live = BTreeMap::new();
    for table in lake.tables()? {
        if let Some(contract) = lake.contract(&table)? {
            live.insert(table, contract);
        }
    }
    for state in states.iter().filter(|state| state.current && !state.record.is_retraction()) {
        for (table, digest) in &state.record.contracts {
            let Some(live) = live.get(table).filter(|live| live.digest != *digest) else { continue };
            let Some(text) = lake.contract_text(digest)? else { continue };
            if check_growth(table, &text, &live.text).is_err() {
                let uri = &state.record.source.uri;
                let what = format!(
                    "{table} has other types now than the files of {uri}: run `contract change` again"
                );
                found.push(Finding { code: "contract_behind", what, mended: false });
            }
        }
    }
    Ok(())
}
