//! Makes again what is in a lake, with a release that is named: in place, or into a lake beside it.
//!
//! Not for changing a column's type (`lake::change`). Decisions to know:
//!
//! * History is what the commit records say: the source object in exactly its version, or an error, never
//!   what lies under its key today.
//! * Under the release that made a commit, its own contracts hold again, so the same bytes come out; that is
//!   checked and said for each object. Under another release the live contracts hold.

use crate::load::Release;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::keys::contract_key;
use lakegate_lake::lake::Lake;
use lakegate_lake::record::{CommitRecord, CommitState};
use lakegate_lake::run::commit::source_of;
use lakegate_lake::run::{Cause, Outcome, run_because};
use lakegate_sandbox::TableContract;

/// What to make again.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Source objects whose URI starts so; all if empty.
    pub from: String,
    /// Only what this version of the release wrote.
    pub written_by: Option<semver::Version>,
    /// Only this pipeline; a lake may have several.
    pub pipeline: Option<String>,
}

/// One object made again.
#[derive(Debug)]
pub struct Replayed {
    /// URI of the source object.
    pub source: String,
    /// What came of it.
    pub result: Result<Outcome>,
    /// Whether every part file has the bytes that it had before.
    pub same_bytes: bool,
}

/// Commits that a replay is about.
///
/// # Errors
/// The storage's.
pub fn wanted(lake: &Lake, wanted: &Wanted, release: &Release, in_place: bool) -> Result<Vec<CommitState>> {
    let name = release.manifest.name.as_str();
    let by = |record: &CommitRecord, version: &semver::Version| {
        record.release.as_ref().is_some_and(|by| by.name == name && by.version == version.to_string())
    };
    let mut found = lake.commits()?;
    found.retain(|state| {
        let record = &state.record;
        state.current
            && !record.is_retraction()
            && record.source.uri.starts_with(&wanted.from)
            && wanted.pipeline.as_ref().is_none_or(|pipeline| *pipeline == record.pipeline)
            && wanted.written_by.as_ref().is_none_or(|version| by(record, version))
            // In place, what the release made already stays.
            && !(in_place && by(record, &release.manifest.version))
    });
    Ok(found)
}

/// Makes one commit's object again: the next generation in its own lake, or a first one in `into`.
pub fn replay(lake: &Lake, into: Option<&Lake>, release: &Release, state: &CommitState) -> Replayed {
    let result = one(lake, into, release, &state.record);
    let files = |record: &CommitRecord| -> Vec<(String, String, String)> {
        let of = |part: &lakegate_lake::record::PartRecord| {
            (part.table.clone(), part.partition.clone(), part.digest.clone())
        };
        record.parts.iter().map(of).collect()
    };
    let same_bytes =
        result.as_ref().is_ok_and(|outcome: &Outcome| files(&outcome.commit) == files(&state.record));
    Replayed { source: state.record.source.uri.clone(), result, same_bytes }
}

fn one(lake: &Lake, into: Option<&Lake>, release: &Release, record: &CommitRecord) -> Result<Outcome> {
    let source = source_of(lake, record)?;
    let mut plan = release.plan(None)?.deployed(&record.pipeline);
    plan.rerun = true;
    let made_it = record.component == release.transform.digest() && record.spec == plan.spec_digest;
    let contracts = if made_it { Some(contracts_of(lake, record)?) } else { None };
    if let (Some(into), Some(contracts)) = (into, &contracts) {
        for contract in contracts {
            into.keep_text(contract_key, contract.text.as_bytes())?;
        }
    }
    let resolves = record.resolves.clone();
    let cause = Cause { reason: Some("replay"), resolves, contracts, ..Cause::default() };
    run_because(into.unwrap_or(lake), &release.transform, &source, &plan, &cause, &mut |_| {})
}

fn contracts_of(lake: &Lake, record: &CommitRecord) -> Result<Vec<TableContract>> {
    let mut contracts = Vec::new();
    for (table, digest) in &record.contracts {
        let text = lake.contract_text(digest)?.ok_or_else(|| {
            Error::new(
                Code::LakeDamaged,
                format!("the contract {digest} of {table} is missing in {}", lake.root()),
            )
        })?;
        contracts.push(TableContract { table: table.clone(), text });
    }
    Ok(contracts)
}

/// Gives a lake beside the live contracts of the one that is replayed into it.
///
/// # Errors
/// It has contracts of its own that conflict; the storage's.
pub fn seed(lake: &Lake, into: &Lake) -> Result<()> {
    for table in lake.tables()? {
        let Some(live) = lake.contract(&table)? else { continue };
        if into.contract(&table)?.is_none() {
            let contract = TableContract { table, text: live.text };
            into.swap_contract(None, &contract, "replay")?;
        }
    }
    Ok(())
}
