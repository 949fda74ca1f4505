//! The events of a run, told when it ends.
//!
//! Not for what is in them. The decision to know: START is written together with the end, with the time the
//! run began. Only the end knows that there was a run: told at the arrival of an event, each duplicate would
//! leave a run that begins and never ends. Both calls may be made any number of times.

use crate::config::Pipeline;
use crate::observe::lineage::{Generation, namespace, write};
use lakegate_base::time::rfc3339;
use lakegate_base::{Error, Result};
use lakegate_lake::lake::Lake;
use lakegate_lake::record::{CommitRecord, ReleaseRecord};
use lakegate_lake::source::{Source, now_ms};
use lakegate_lake::storage::Storage;
use lakegate_sandbox::TableContract;

/// A commit's outputs are in the tables. `storage` is where the pipeline's lineage goes.
///
/// # Errors
/// The storage's; `contract_unreadable`: a contract of the commit is missing or no contract.
pub fn complete(
    storage: &dyn Storage,
    pipeline: &Pipeline,
    lake: &Lake,
    record: &CommitRecord,
) -> Result<()> {
    let (namespace, uri) = (namespace(pipeline), pipeline.lake.uri());
    let run = Generation {
        namespace: &namespace,
        pipeline: &pipeline.name,
        lake: &uri,
        source: &record.source.uri,
        version: record.source.version(),
        generation: record.generation,
    };
    let mut contracts = Vec::new();
    for (table, digest) in &record.contracts {
        if let Some(text) = lake.contract_text(digest)? {
            contracts.push(TableContract { table: table.clone(), text });
        }
    }
    let end = run.complete(record, &contracts)?;
    write(storage, "", &run.start(&record.started))?;
    write(storage, "", &end)?;
    Ok(())
}

/// An object failed for good: for bad input or a fault of our own. What passes is no end of a run.
///
/// # Errors
/// The storage's, or the lake's.
pub fn fail(
    storage: &dyn Storage,
    pipeline: &Pipeline,
    lake: &Lake,
    source: &Source,
    error: &Error,
    release: Option<&ReleaseRecord>,
) -> Result<()> {
    let (namespace, uri) = (namespace(pipeline), pipeline.lake.uri());
    let states = lake.generations(&pipeline.name, source.uri())?;
    let last = states.iter().map(|state| state.record.generation).max();
    let run = Generation {
        namespace: &namespace,
        pipeline: &pipeline.name,
        lake: &uri,
        source: source.uri(),
        version: source.version(),
        // The one that it would have become.
        generation: last.unwrap_or_default() + 1,
    };
    let at = rfc3339(now_ms());
    write(storage, "", &run.start(&at))?;
    write(storage, "", &run.fail(&at, error.name(), &error.to_string(), release))?;
    Ok(())
}

#[cfg(test)]
#[path = "hook_tests.rs"]
mod tests;
