//! From a commit record to its done mark: publish, take the old generation away, tell, mark.
//!
//! Not for making records: see [`run`](super::run). How it stays right whoever does it, and how often:
//!
//! * Every step is idempotent, so that any number of processes may complete the same record at once.
//! * The next generation is only committed once this one has its mark. A slow process may publish what was replaced
//!   meanwhile: on every way out after publishing, errors included, it looks whether the generation still counts, and
//!   takes back what it should not have brought.
//! * The mark decides. A generation that cannot be completed any more gets one that says [`Void`]; whoever comes
//!   later to mark it as done finds that, and takes its files back.

use crate::keys::{commit_key, failure_key, lost_key, object_prefix, resubmitted_key, schema_key, spec_key};
use crate::lake::{Lake, Load, Void, check_growth, sha256, to_json};
use crate::record::{CommitRecord, CommitState, FailedRecord, SourceRecord};
use crate::run::stage::{Names, Staging};
use crate::run::{Plan, crash, learn};
use crate::source::{Source, now_ms};
use crate::storage::{Published, Staged};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_sandbox::{JobOptions, SourceFacts, TableContract, Transform};

/// What is needed to make vanished files again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Means<'a> {
    pub(crate) transform: Option<&'a Transform>,
    pub(crate) source: Option<&'a Source>,
    /// Calls of the lake's storage before the run that made the commit, where it is that run.
    pub(crate) requests: Option<u64>,
    /// Earlier generations that were read already.
    pub(crate) states: &'a [CommitState],
}

/// What completing a commit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completed {
    /// Its mark says that it is done.
    Done,
    /// It counts for nothing: it was given up.
    GivenUp,
}

/// Completes a commit, whoever made it.
pub(crate) fn complete(lake: &Lake, key: &str, record: &CommitRecord, means: Means<'_>) -> Result<Completed> {
    if record.is_void() {
        return Ok(Completed::GivenUp);
    }
    // An earlier generation may be completed on the way to the next one.
    let (id, source) = (record.run_id(), &record.source.uri);
    let _entered = tracing::error_span!("generation", %id, source).entered();
    let completed = bring(lake, key, record, means);
    if completed.is_err()
        && let Err(error) = take_back(&lake.cleaning_up(), record)
    {
        tracing::warn!(code = error.code().name(), "replaced files may be left: {error}");
    }
    completed
}

/// What is seen after publishing: of the object, and of the contracts of its tables.
struct After {
    /// Whether there is a later generation.
    next: bool,
    /// Whether the live contracts still hold what the files hold. Asked after the commit, since a type may be changed
    /// until then; whoever changes one looks for commits after that, so that one of both sees the other.
    fits: bool,
}

/// Looks, and tells the catalog at the same time: both wait for answers, and neither needs the other's. What the
/// catalog said matters only where the commit counts still: it may refuse the types of one that is to be given up.
fn look_and_register(lake: &Lake, record: &CommitRecord) -> Result<(After, Result<serde_json::Value>)> {
    let Some(surroundings) = lake.surroundings() else {
        return Ok((look_after(lake, record)?, Ok(serde_json::Value::Null)));
    };
    let span = tracing::Span::current();
    let (looked, registered) = std::thread::scope(|scope| {
        let registered = scope.spawn(|| span.in_scope(|| surroundings.register(lake, record)));
        (look_after(lake, record), registered.join())
    });
    let panicked = |_| Err(Error::new(Code::Panic, "registering a commit panicked"));
    Ok((looked?, registered.unwrap_or_else(panicked)))
}

/// Asks for both at once.
fn look_after(lake: &Lake, record: &CommitRecord) -> Result<After> {
    let tables: Vec<(&String, &String)> =
        record.contracts.iter().filter(|_| !record.parts.is_empty()).collect();
    let next = commit_key(&record.pipeline, &record.source.uri, record.generation + 1);
    let schemas = tables.iter().map(|(table, _)| schema_key(table));
    let keys: Vec<String> = [next].into_iter().chain(schemas).collect();
    let mut found = lake.storage().get_all(&keys)?.into_iter();
    let mut after = After { next: found.next().flatten().is_some(), fits: true };
    for ((table, digest), schema) in tables.into_iter().zip(found) {
        let Some(schema) = schema else { continue };
        let live = lake.live_contract(table, schema)?;
        if live.digest != *digest
            && let Some(text) = lake.contract_text(digest)?
        {
            after.fits &= check_growth(table, &text, &live.text).is_ok();
        }
    }
    Ok(after)
}

fn bring(lake: &Lake, key: &str, record: &CommitRecord, means: Means<'_>) -> Result<Completed> {
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
            // Somebody else completed it, and it may be replaced already.
            return take_back(lake, record);
        }
        make_again(lake, record, &vanished, means)?;
    }
    crash::point("after-publish");
    let (after, registered) = look_and_register(lake, record)?;
    if !after.fits && !after.next && give_up(lake, record, Void::Contract)? {
        return Ok(Completed::GivenUp);
    }
    // Nobody gives up what its maker completes in time. Whoever else completes it, or is late, looks whether somebody
    // has: the generations that it was to replace count still.
    let late = means.requests.is_none() || lake.is_overdue(record, 50);
    if late && lake.load_of(record)?.is_some_and(|mark| mark.void.is_some()) {
        return take_back(lake, record);
    }
    let mut touched: Vec<String> = staged(record).map(|staged| staged.key.clone()).collect();
    let replaced = old_ones(lake, record, means.states)?;
    for old in &replaced {
        touched.extend(remove_files(lake, old)?);
    }
    withdraw_all(lake, record, &replaced)?;
    let still = look_back(lake, key, record, after.next)?;
    storage.seal(&touched)?;
    let tables: Vec<&str> = record.contracts.keys().map(String::as_str).collect();
    let left = Names::left(&record.pipeline, &record.source, record.generation, &tables);
    if let Err(error) = storage.sweep(&[all, left].concat()) {
        // Invisible bytes of a run that was killed: no reason to leave this commit undone.
        tracing::warn!(code = error.code().name(), hint = error.hint(), "uploads may be left: {error}");
    }
    let told = match lake.surroundings().filter(|_| still) {
        Some(surroundings) => surroundings.published(lake, record, registered?)?,
        None => serde_json::Value::Null,
    };
    crash::point("before-done");
    let requests = means.requests.map(|before| lake.requests() - before);
    if !storage.put_if_absent(&record.load_key(), &to_json(&Load::now(record, requests, told))?)? {
        return take_back(lake, record);
    }
    crash::point("after-done");
    Ok(Completed::Done)
}

/// The generations whose files go, as far as they were not read before.
fn old_ones(lake: &Lake, record: &CommitRecord, known: &[CommitState]) -> Result<Vec<CommitRecord>> {
    let mut found = Vec::new();
    for generation in record.replaces.iter().chain(&record.voids) {
        match known.iter().find(|state| state.record.generation == *generation) {
            Some(state) => found.push(state.record.clone()),
            None => found.push(lake.record_of(&record.pipeline, &record.source.uri, *generation)?),
        }
    }
    Ok(found)
}

fn states_of(lake: &Lake, record: &CommitRecord) -> Result<Vec<CommitState>> {
    lake.commits_below(&object_prefix(&record.pipeline, &record.source.uri))
}

/// The look after publishing: false, with its files gone again, if the generation was replaced meanwhile, or
/// resubmits what has changed.
fn look_back(lake: &Lake, key: &str, record: &CommitRecord, next: bool) -> Result<bool> {
    for resolved in &record.resolves {
        if !lake.is_open(&record.pipeline, resolved)? {
            lake.withdraw(record)?;
        }
    }
    let gone = |state: &CommitState| state.key == key && !state.current;
    let replaced = next && states_of(lake, record)?.iter().any(gone);
    if replaced || lake.is_withdrawn(record)? {
        remove_files(lake, record)?;
        return Ok(false);
    }
    Ok(true)
}

/// Takes the files of a commit away if it does not count any more, and says whether it was given up.
pub(crate) fn take_back(lake: &Lake, record: &CommitRecord) -> Result<Completed> {
    let states = states_of(lake, record)?;
    let Some(state) = states.iter().find(|state| state.record.generation == record.generation) else {
        return Ok(Completed::Done);
    };
    if !state.current {
        remove_files(lake, record)?;
    }
    let void = state.void || lake.load_of(record)?.is_some_and(|mark| mark.void.is_some());
    Ok(if void { Completed::GivenUp } else { Completed::Done })
}

/// Resubmissions that a generation makes void: those that its record names, and any that came in between.
fn withdraw_all(lake: &Lake, record: &CommitRecord, replaced: &[CommitRecord]) -> Result<()> {
    for withdrawn in &record.withdraws {
        if let Some(old) = lake.read_json::<CommitRecord>(withdrawn)? {
            lake.withdraw(&old)?;
            remove_files(lake, &old)?;
        }
    }
    if replaced.iter().all(|old| old.quarantine.is_none()) {
        return Ok(()); // nothing of it can have been submitted again
    }
    let uri = &record.source.uri;
    for other in lake.resubmissions_of(&record.pipeline, uri)? {
        let mut of_this = other.record.resolves.iter().filter(|resolved| resolved.source == *uri);
        let open = of_this.try_fold(true, |all, resolved| {
            lake.is_open(&record.pipeline, resolved).map(|open| all && open)
        })?;
        if !open {
            lake.withdraw(&other.record)?;
            remove_files(lake, &other.record)?;
        }
    }
    Ok(())
}

/// Gives a commit up, unless somebody has completed it: whether its mark says so now.
fn give_up(lake: &Lake, record: &CommitRecord, why: Void) -> Result<bool> {
    let line = to_json(&Load::given_up(record, why))?;
    let won = lake.storage().put_if_absent(&record.load_key(), &line)?;
    if !won && lake.load_of(record)?.is_none_or(|mark| mark.void.is_none()) {
        return Ok(false);
    }
    lake.storage().put_if_absent(&record.void_key(), b"{\"version\":1}\n")?;
    remove_files(lake, record)?;
    Ok(true)
}

/// Gives up a commit whose files are lost and cannot be made again, loudly, so that the object's next generation can
/// come. First the alarm, then the decision: it is told at least once.
pub(crate) fn lose(lake: &Lake, record: &CommitRecord, error: &Error) -> Result<()> {
    let SourceRecord { uri, .. } = &record.source;
    let lost = FailedRecord {
        version: 1,
        id: record.run_id().to_string(),
        pipeline: record.pipeline.clone(),
        source: record.source.clone(),
        component: record.component.clone(),
        spec: record.spec.clone(),
        release: record.release.clone(),
        code: Code::GenerationLost.name().into(),
        message: format!(
            "generation {} of {uri} was committed, and is given up: {} rows of that version never came into the \
             tables ({error})",
            record.generation,
            record.parts.iter().map(|part| part.rows).sum::<u64>()
        ),
        hint: Some("bring that version of the object again, if its rows are wanted".into()),
        records: record.report.records,
        rejected: record.report.rejected,
        at: rfc3339(now_ms()),
        ..FailedRecord::default()
    };
    let key = lost_key(&record.pipeline, uri, record.generation);
    lake.overwrite(&key, &to_json(&lost)?)?;
    if let Some(surroundings) = lake.surroundings() {
        surroundings.lost(&lost)?;
    }
    if !give_up(lake, record, Void::Lost)? {
        lake.storage().delete(&key)?; // somebody has completed it
    }
    Ok(())
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
            surroundings.transform(record).map_err(|error| lasting(error, |why| cannot(&why)))?
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
            opened = source_of(lake, record).map_err(|error| lasting(error, |why| cannot(&why)))?;
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
    // By the record's own facts: a file that was touched since keeps its name, and its times.
    let names = Names::of(record);
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
        surroundings.source(&record.source).map_err(|error| lasting(error, gone))?
    } else {
        Source::file(std::path::Path::new(uri)).map_err(|error| gone(error.to_string()))?
    };
    if source.version() != record.source.version() {
        return Err(gone("its content has changed".into()));
    }
    // The name holds the time of the first run: the same bytes touched later keep their file names.
    Ok(source.with_record(&record.source))
}

/// What is gone, or cannot be made, is that for good; what is busy, denied or out of time says nothing about it.
fn lasting(error: Error, gone: impl FnOnce(String) -> Error) -> Error {
    if error.kind() == Kind::Passing || error.is_of_set_up() {
        return error;
    }
    let lost = gone(error.to_string());
    match (lost.hint(), error.hint()) {
        (None, Some(hint)) => lost.with_hint(hint),
        _ => lost,
    }
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
        id: staging.id(),
        pipeline: plan.pipeline().into(),
        source: source.record(),
        component: transform.digest().into(),
        spec: sha256(plan.spec.as_bytes()),
        release: plan.release.clone(),
        code: error.name().into(),
        message: error.to_string(),
        hint: error.hint().map(str::to_string),
        place: error.place().map(ToString::to_string),
        panic: error.panic().map(str::to_owned),
        at: rfc3339(now_ms()),
        told: error.rejected().cloned().unwrap_or_default(),
        ..FailedRecord::default()
    };
    failed.records = records;
    failed.rejected = staging.rejected().len() as u64;
    failed.quarantine = staging.publish_failed()?;
    if !failed.told.drift.is_empty() {
        // It is to be taken again once a type is changed, and that by the same spec.
        lake.keep_text(spec_key, plan.spec.as_bytes())?;
    }
    let key = failure_key(plan.pipeline(), source.uri());
    if let Some(before) = lake.read_json::<FailedRecord>(&key)?.and_then(|before| before.quarantine) {
        lake.storage().delete(&before)?;
    }
    lake.overwrite(&key, &to_json(&failed)?)
}

/// Its maker may be at it: what it has in its memory nobody else can publish.
fn unfinished(record: &CommitRecord, error: Error) -> Error {
    let what = format!("generation {} of {} is not completed yet", record.generation, record.source.uri);
    Error::new(Code::CommitUnfinished, what)
        .with_hint("try it again in a minute: if its process is gone it is given up then")
        .because(error)
}

/// What rolling an object forward came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rolled {
    /// So many commits were completed; the states that were looked at hold.
    Forward(u32),
    /// One was given up: look at the states again.
    GivenUp,
}

/// Rolls every commit of an object forward that is not done. The next generation is only committed after this, so that
/// no commit but an object's last is ever undone. One that cannot be made again is given up where `replaced` says that
/// the next generation takes its place.
pub(crate) fn roll_forward(
    lake: &Lake,
    states: &[CommitState],
    means: Means<'_>,
    replaced: &dyn Fn(&CommitRecord) -> bool,
) -> Result<Rolled> {
    let mut count = 0;
    for state in states.iter().filter(|state| !state.done) {
        // What goes wrong is logged as this one's.
        state.record.run_id().note(&state.record.source.uri);
        match complete(lake, &state.key, &state.record, means) {
            Ok(Completed::Done) => count += 1,
            Ok(Completed::GivenUp) => return Ok(Rolled::GivenUp),
            Err(error) if error.code() == Code::CannotMakeAgain && replaced(&state.record) => {
                if !lake.is_overdue(&state.record, 100) {
                    return Err(unfinished(&state.record, error));
                }
                lose(lake, &state.record, &error)?;
                return Ok(Rolled::GivenUp);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Rolled::Forward(count))
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
