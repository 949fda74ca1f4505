//! Changes a column's type: replays what was written, which also judges anew what was rejected for it.
//!
//! Not for growing a contract: runs do that. The decision to know: everything is made and staged under the
//! new contract before anything is changed, so that a source that is gone, or values that do not fit, leave
//! the lake as it was. A crash after that point is mended by giving the command again.

use lakegate_model::{ColumnType, Contract};

use crate::lake::{Lake, LiveContract, Standing, check_growth, sha256};
use crate::operate::settled;
use crate::record::{CommitState, FailedRecord};
use crate::run::commit::{Means, Rolled, roll_forward, source_of};
use crate::run::{Cause, Outcome, Plan, Ready, Run, State, outcome};
use crate::source::Source;
use lakegate_base::{Code, Error, Fault, Kind, Result};
use lakegate_sandbox::{TableContract, Transform};

/// Looks for objects that others committed meanwhile after which something else must be wrong.
const ROUNDS: u32 = 20;

/// How far a change is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeProgress {
    /// Source object that is next.
    pub source: String,
    /// Source objects that are made.
    pub done: usize,
    /// Source objects in all.
    pub total: usize,
}

/// What a change came to.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Digest of the contract before.
    pub from: String,
    /// Digest of the contract now.
    pub to: String,
    /// The next generation of each source object that held the column.
    pub replayed: Vec<Outcome>,
    /// Records that were in quarantine and are in the table now.
    pub records_recovered: u64,
    /// Objects that failed as a whole before: run them again, they may pass now.
    pub failed_objects: Vec<FailedRecord>,
    /// Objects that were committed meanwhile under the old type and could not be made again, and why: their files
    /// are still of the old type.
    pub left: Vec<(String, Error)>,
}

/// Changes a column's type, under the specs that the sources were committed with or, where those declare the
/// old type, under `spec`.
///
/// # Errors
/// Table, column or type is unknown; a source object is gone or was changed; a value does not fit and
/// more records than `max_rejected` would be lost. Nothing was changed then.
pub fn change_type(
    lake: &Lake,
    transform: &Transform,
    table: &str,
    column: &str,
    new_type: &str,
    spec: Option<&str>,
    progress: &mut dyn FnMut(ChangeProgress),
) -> Result<Changed> {
    let live = lake.contract(table)?.ok_or_else(|| {
        let tables = lake.tables().unwrap_or_default().join(", ");
        Error::new(Code::TableUnknown, format!("{} has no table {table}; it has: {tables}", lake.root()))
    })?;
    let new = TableContract { table: table.into(), text: with_type(&live, column, new_type)? };
    settled(lake, transform, table)?;
    let first = jobs(lake, transform, &sources(lake, &new)?, &new, spec)?;
    let ready = stage_all(lake, transform, &first, progress).map_err(|error| explain(error, spec))?;
    if !lake.swap_contract(Some(&live), &new, &format!("contract change {column} {new_type}"))? {
        return Err(Error::new(
            Code::ContractContended,
            format!("{table} was changed by another writer meanwhile"),
        )
        .with_hint("give the command again"));
    }
    let mut changed = Changed {
        from: live.digest,
        to: sha256(new.text.as_bytes()),
        replayed: Vec::new(),
        records_recovered: 0,
        failed_objects: lake.failures()?.into_iter().filter(|failed| is_of(failed, table)).collect(),
        left: Vec::new(),
    };
    changed.commit(lake, transform, ready)?;
    for _ in 0..ROUNDS {
        changed.left.clear();
        let behind = sources(lake, &new)?;
        if behind.is_empty() {
            return Ok(changed);
        }
        for state in &behind {
            let one = jobs(lake, transform, std::slice::from_ref(state), &new, spec);
            let made = one.and_then(|jobs| {
                let ready = stage_all(lake, transform, &jobs, progress)?;
                changed.commit(lake, transform, ready)
            });
            if let Err(error) = made {
                if error.kind() == Kind::Passing {
                    return Err(error);
                }
                changed.left.push((state.record.source.uri.clone(), error));
            }
        }
        if changed.left.len() == behind.len() {
            break; // nobody else moves any of them
        }
    }
    Ok(changed)
}

/// Whether what failed was on its way into a table: a deployed pipeline may have another name than its tables.
fn is_of(failed: &FailedRecord, table: &str) -> bool {
    failed.pipeline == table || failed.told.drift.iter().any(|drift| drift.table == table)
}

/// Makes everything under the new contract and stages it; nothing is changed yet.
fn stage_all<'a>(
    lake: &'a Lake,
    transform: &'a Transform,
    jobs: &'a [Job],
    progress: &mut dyn FnMut(ChangeProgress),
) -> Result<Vec<(&'a Job, Ready<'a>)>> {
    let mut ready: Vec<(&Job, Ready<'_>)> = Vec::new();
    let mut withdrawn: Vec<String> = Vec::new();
    for (done, job) in jobs.iter().enumerate() {
        progress(ChangeProgress { source: job.source.uri().into(), done, total: jobs.len() });
        if withdrawn.contains(&job.key) {
            continue;
        }
        let made = job.run(lake, transform).stage(&mut |_| {})?;
        withdrawn.extend(made.record.withdraws.iter().cloned());
        ready.push((job, made));
    }
    Ok(ready)
}

impl Changed {
    /// Commits what is staged. What another run of the same object was quicker with is looked for again.
    fn commit(&mut self, lake: &Lake, transform: &Transform, ready: Vec<(&Job, Ready<'_>)>) -> Result<()> {
        for (job, made) in ready {
            let started = std::time::Instant::now();
            match job.run(lake, transform).commit(made, &mut |_| {}) {
                Ok(Some(record)) => {
                    self.records_recovered += job.rejected.saturating_sub(record.report.rejected);
                    self.replayed.push(outcome(State::Replaced, record, 1, started));
                }
                Ok(None) => {}
                Err(error) if matches!(error.code(), Code::RecordsTaken | Code::UploadGone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// One source object to be made again.
struct Job {
    key: String,
    source: Source,
    plan: Plan,
    cause: Cause<'static>,
    standing: Standing,
    rejected: u64,
}

impl Job {
    fn run<'a>(&'a self, lake: &'a Lake, transform: &'a Transform) -> Run<'a> {
        let Self { source, plan, cause, standing, .. } = self;
        let requests = lake.requests();
        Run { lake, transform, source, plan, cause, standing, requests }
    }
}

/// Generations that count and whose files do not fit the new contract; resubmissions last, since a
/// replayed original may make one void.
fn sources(lake: &Lake, new: &TableContract) -> Result<Vec<CommitState>> {
    let mut found = Vec::new();
    let counts = |state: &CommitState| state.current && !state.record.is_retraction();
    for state in lake.commits()?.into_iter().filter(counts) {
        let Some(digest) = state.record.contracts.get(&new.table) else { continue };
        let text = lake.contract_text(digest)?.unwrap_or_default();
        if check_growth(&new.table, &text, &new.text).is_err() {
            found.push(state);
        }
    }
    found.sort_by_key(|state| !state.record.resolves.is_empty());
    Ok(found)
}

fn jobs(
    lake: &Lake,
    transform: &Transform,
    sources: &[CommitState],
    new: &TableContract,
    spec: Option<&str>,
) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for state in sources {
        let record = &state.record;
        let source = source_of(lake, record)?;
        let means = Means { transform: Some(transform), source: Some(&source), ..Means::default() };
        // Until none is undone: what another process began meanwhile as well.
        let mut standing = lake.standing(&record.pipeline, &record.source.uri)?;
        while roll_forward(lake, &standing.states, means, &|_| false)? != Rolled::Forward(0) {
            standing = lake.standing(&record.pipeline, &record.source.uri)?;
        }
        let spec = match spec {
            Some(spec) => spec.to_string(),
            None => lake.spec_text(&record.spec)?.ok_or_else(|| {
                Error::new(Code::LakeDamaged, format!("the spec {} is missing", record.spec))
            })?,
        };
        let mut contracts = vec![new.clone()];
        for table in record.contracts.keys().filter(|table| **table != new.table) {
            let live = lake.contract(table)?;
            contracts.extend(live.map(|live| TableContract { table: live.table, text: live.text }));
        }
        let cause = Cause {
            reason: Some("contract"),
            resolves: record.resolves.clone(),
            contracts: Some(contracts),
            ..Cause::default()
        };
        jobs.push(Job {
            key: state.key.clone(),
            plan: Plan::new(spec, record.table.clone())?.in_pipeline_of(record)?,
            source,
            cause,
            standing,
            rejected: record.report.rejected,
        });
    }
    Ok(jobs)
}

/// The live contract with one type changed; all else stays as it stands.
fn with_type(live: &LiveContract, column: &str, new_type: &str) -> Result<String> {
    let Some(ty) = ColumnType::parse(new_type) else {
        return Err(
            Error::new(Code::TypeUnknown, format!("{new_type} is no type")).with_hint(ColumnType::NAMES)
        );
    };
    let mut contract = Contract::parse(&live.text).map_err(|failure| {
        Error::new(Code::LakeDamaged, format!("the contract {}: {failure}", live.digest))
    })?;
    if !contract.retype(column, ty) {
        let names = contract.columns.iter().map(|column| column.name.as_str());
        let names: Vec<&str> = names.chain(contract.partition_by.iter().map(|p| p.name.as_str())).collect();
        let what = format!("{} has no column {column}; it has: {}", live.table, names.join(", "));
        return Err(Error::new(Code::ColumnUnknown, what));
    }
    Ok(contract.to_text())
}

/// A spec that declares the old type refuses the new contract: says what to do about it.
fn explain(error: Error, spec: Option<&str>) -> Error {
    if error.fault() == Fault::Spec && spec.is_none() {
        return error.with_hint(
            "change the type in the spec too, and give that spec with --spec; nothing was changed",
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_type_changes_and_nothing_else() {
        let text = r#"{"version":1,"table":"t","rows":null,"columns":[{"name":"a","type":"bigint","pointer":"/a"},{"name":"b","type":"double","pointer":"/b"}],"nulls":[],"partition_by":[]}"#;
        let live = LiveContract {
            table: "t".into(),
            digest: String::new(),
            text: text.into(),
            history: Vec::new(),
            tag: String::new(),
        };
        let changed = with_type(&live, "b", "decimal(10,2)").unwrap();
        assert_eq!(changed, text.replace("double", "decimal(10,2)"));
        assert_eq!(with_type(&live, "c", "string").unwrap_err().name(), "column_unknown");
        for wrong in ["int", "decimal(39,1)", "decimal(2,3)", "decimal", ""] {
            assert_eq!(with_type(&live, "a", wrong).unwrap_err().name(), "type_unknown", "{wrong}");
        }
    }
}
