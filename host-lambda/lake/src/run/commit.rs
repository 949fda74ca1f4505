//! From a commit record to its done mark: publish, take the old generation away, tell, mark.
//!
//! Not for making records: see [`run`](super::run). Decisions to know: every step is idempotent, so that any
//! number of processes may complete the same record at once; and the next generation is only committed
//! once this one is done, so that a slow process never brings back what was replaced (it looks once more
//! after publishing, and takes away what it should not have brought).

use crate::keys::{failure_key, object_prefix, resubmitted_key};
use crate::lake::{Lake, Load, sha256, to_json};
use crate::record::{CommitRecord, CommitState, FailedRecord, SourceRecord};
use crate::run::stage::{Names, Staging};
use crate::run::{Plan, crash, learn};
use crate::source::{Source, now_ms};
use crate::storage::{Published, Staged};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::{JobOptions, SourceFacts, TableContract, Transform};

/// What is needed to make vanished files again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Means<'a> {
    pub(crate) transform: Option<&'a Transform>,
    pub(crate) source: Option<&'a Source>,
    /// Calls of the lake's storage before the run that made the commit, where it is that run.
    pub(crate) requests: Option<u64>,
}

/// Completes a commit, whoever made it.
pub(crate) fn complete(lake: &Lake, key: &str, record: &CommitRecord, means: Means<'_>) -> Result<()> {
    let storage = lake.storage();
    let all: Vec<Staged> = staged(record).cloned().collect();
    // The first one alone, so that a kill between files can be tested.
    let (first, rest) = all.split_at(all.len().min(1));
    let mut published = storage.publish_all(first)?;
    crash::point("mid-publish");
    published.extend(storage.publish_all(rest)?);
    let gone = all.iter().zip(published).filter(|(_, published)| *published == Published::Vanished);
    let vanished: Vec<String> = gone.map(|(staged, _)| staged.key.clone()).collect();
    if !vanished.is_empty() {
        if lake.is_done(record)? {
            return Ok(()); // somebody else completed it, and it may be replaced already
        }
        make_again(lake, record, &vanished, means)?;
    }
    crash::point("after-publish");
    let prefix = object_prefix(&record.pipeline, &record.source.uri);
    let states = lake.records_below(&prefix)?;
    let mut touched: Vec<String> = staged(record).map(|staged| staged.key.clone()).collect();
    for old in states.iter().filter(|state| record.replaces.contains(&state.record.generation)) {
        touched.extend(remove_files(lake, &old.record)?);
    }
    for withdrawn in &record.withdraws {
        if let Some(old) = lake.read_json::<CommitRecord>(withdrawn)? {
            touched.extend(remove_files(lake, &old)?);
        }
    }
    let replaced = states.iter().any(|state| state.key == key && !state.current);
    if replaced || lake.is_withdrawn(record, key)? {
        remove_files(lake, record)?;
    }
    storage.seal(&touched)?;
    if let Err(error) = storage.sweep(&all) {
        // Invisible bytes of a run that was killed: no reason to leave this commit undone.
        tracing::warn!(code = error.code().name(), hint = error.hint(), "uploads may be left: {error}");
    }
    let told = match lake.surroundings() {
        Some(surroundings) => surroundings.published(lake, record)?,
        None => serde_json::Value::Null,
    };
    crash::point("before-done");
    let requests = means.requests.map(|before| lake.requests() - before);
    storage.put_if_absent(&record.load_key(), &to_json(&Load::now(record, requests, told))?)?;
    crash::point("after-done");
    forget_failure(lake, &failure_key(&record.pipeline, &record.source.uri))
}

/// The object is in the tables now: its last failure and what was kept of it are history.
fn forget_failure(lake: &Lake, key: &str) -> Result<()> {
    let Some(failed) = lake.read_json::<FailedRecord>(key)? else { return Ok(()) };
    if let Some(kept) = failed.quarantine {
        lake.storage().delete(&kept)?;
    }
    Ok(lake.storage().delete(key)?)
}

fn staged(record: &CommitRecord) -> impl Iterator<Item = &Staged> {
    record.parts.iter().map(|part| &part.staged).chain(record.quarantine.iter().map(|kept| &kept.staged))
}

fn remove_files(lake: &Lake, record: &CommitRecord) -> Result<Vec<String>> {
    let keys: Vec<String> = staged(record).map(|staged| staged.key.clone()).collect();
    for key in &keys {
        lake.storage().delete(key)?;
    }
    Ok(keys)
}

/// Makes files of a commit again from its pinned inputs and publishes those that vanished: same bytes.
pub(crate) fn make_again(
    lake: &Lake,
    record: &CommitRecord,
    keys: &[String],
    means: Means<'_>,
) -> Result<()> {
    let what = format!("{} committed files of {} are lost", keys.len(), record.source.uri);
    let cannot =
        |why: &str| Error::new(Code::CannotMakeAgain, format!("{what} and cannot be made again: {why}"));
    let used = means.transform.filter(|transform| transform.digest() == record.component).cloned();
    let used = match (used, lake.surroundings()) {
        (None, Some(surroundings)) => {
            surroundings.transform(record).map_err(|error| cannot(&error.to_string()))?
        }
        (used, _) => used,
    };
    let Some(transform) = &used else {
        return Err(cannot(&format!("the component {} is not the one in use", record.component)));
    };
    let opened;
    let source = match means.source.filter(|source| source.version() == record.source.version()) {
        Some(source) => source,
        None => {
            opened = source_of(lake, record).map_err(|error| cannot(&error.to_string()))?;
            &opened
        }
    };
    let spec = lake.spec_text(&record.spec)?.ok_or_else(|| cannot("its spec is missing"))?;
    let mut contracts = Vec::new();
    for (table, digest) in &record.contracts {
        let text = lake.contract_text(digest)?.ok_or_else(|| cannot("a contract is missing"))?;
        contracts.push(TableContract { table: table.clone(), text });
    }
    let plan = Plan::new(spec, record.table.clone())?;
    let names = Names::new(&record.pipeline, source, record.generation, &record.run);
    let base = JobOptions { source: facts(source, record), ..learn::options(&plan, transform, source) };
    let mut sink = Staging::new(lake, names);
    learn::final_pass(transform, source, base, contracts, &mut sink, &mut |_| {})?;
    let (parts, quarantine) = sink.finish()?;
    let made: Vec<(&Staged, &str)> = parts
        .iter()
        .map(|part| (&part.staged, part.digest.as_str()))
        .chain(quarantine.iter().map(|kept| (&kept.staged, kept.digest.as_str())))
        .collect();
    let expected = |key: &str| {
        let part = record.parts.iter().find(|part| part.key == key).map(|part| part.digest.as_str());
        part.or(record.quarantine.as_ref().filter(|kept| kept.key == key).map(|kept| kept.digest.as_str()))
    };
    for key in keys {
        let found = made.iter().find(|(staged, _)| staged.key == *key);
        let Some((staged, digest)) = found else { return Err(cannot("another run makes other files")) };
        if Some(*digest) != expected(key) {
            return Err(cannot("another run makes other bytes"));
        }
        lake.storage().settle(std::slice::from_ref(*staged))?;
        lake.storage().publish(staged)?;
    }
    Ok(())
}

/// What the transform was told when it made a commit. Whoever completes it may have an event and a clock of
/// their own: the files hold those of the record.
fn facts(source: &Source, record: &CommitRecord) -> SourceFacts {
    let SourceRecord { event_time_ms, loaded_ms, .. } = record.source;
    SourceFacts { event_time_ms, loaded_ms, ..source.facts() }
}

/// The source object of a commit, if it still is what it was.
pub fn source_of(lake: &Lake, record: &CommitRecord) -> Result<Source> {
    let uri = &record.source.uri;
    let gone = |why: String| {
        Error::new(Code::SourceGone, format!("{uri}, generation {}: {why}", record.generation))
            .with_hint("bring the file back as it was, then try again; nothing was changed")
    };
    let source = if let Some(digest) = uri.strip_prefix("resubmit:") {
        let key = resubmitted_key(digest);
        let kept = lake.storage().get(&key)?.ok_or_else(|| gone(format!("{key} is missing")))?;
        Source::reader(&kept.bytes[..], &record.source.stem)?.renamed(uri.clone(), &record.source.stem)
    } else if uri.starts_with("stdin:") {
        return Err(gone("standard input cannot be read again".into()));
    } else if let Some(surroundings) = lake.surroundings() {
        surroundings.source(&record.source).map_err(|error| gone(error.to_string()))?
    } else {
        Source::file(std::path::Path::new(uri)).map_err(|error| gone(error.to_string()))?
    };
    if source.version() != record.source.version() {
        return Err(gone("its content has changed".into()));
    }
    // The name holds the time of the first run: the same bytes touched later keep their file names.
    Ok(source.with_record(&record.source))
}

/// Notes that an object failed; its quarantine, if any, is published for looking. `records` is 0 if unknown.
pub(crate) fn record_failure(
    lake: &Lake,
    plan: &Plan,
    transform: &Transform,
    source: &Source,
    error: &Error,
    staging: &mut Staging<'_>,
    records: u64,
) -> Result<()> {
    let mut failed = FailedRecord {
        version: 1,
        pipeline: plan.pipeline().into(),
        source: source.record(),
        component: transform.digest().into(),
        spec: sha256(plan.spec.as_bytes()),
        code: error.name().into(),
        message: error.to_string(),
        hint: error.hint().map(str::to_string),
        place: error.place().map(ToString::to_string),
        at: rfc3339(now_ms()),
        ..FailedRecord::default()
    };
    failed.records = records;
    failed.rejected = staging.rejected().len() as u64;
    if let (_, Some(kept)) = staging.finish()? {
        lake.storage().publish(&kept.staged)?;
        staging.keep_quarantine();
        failed.quarantine = Some(kept.key);
    }
    let key = failure_key(plan.pipeline(), source.uri());
    if let Some(before) = lake.read_json::<FailedRecord>(&key)?.and_then(|before| before.quarantine) {
        lake.storage().delete(&before)?;
    }
    lake.overwrite(&key, &to_json(&failed)?)
}

/// Rolls every commit of an object forward that is not done; how many there were. The next generation is only
/// committed after this, so that no commit but an object's last is ever undone.
pub(crate) fn roll_forward(lake: &Lake, states: &[CommitState], means: Means<'_>) -> Result<u32> {
    let mut count = 0;
    for state in states.iter().filter(|state| !state.done) {
        complete(lake, &state.key, &state.record, means)?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
