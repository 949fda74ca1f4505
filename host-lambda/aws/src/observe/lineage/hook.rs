//! The events of a run, told when it ends.
//!
//! Not for what is in them. The decision to know: START is written together with the end, with the time the
//! run began. Only the end knows that there was a run: told at the arrival of an event, each duplicate would
//! leave a run that begins and never ends. Both calls may be made any number of times.

use crate::observe::lineage::{Generation, namespace, write};
use lakegate_base::{Code, Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::RunId;
use lakegate_lake::lake::Lake;
use lakegate_lake::record::{CommitRecord, FailedRecord};
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
/// The storage's; `lake_damaged`: the record does not say which run failed.
pub fn fail(storage: &dyn Storage, pipeline: &Pipeline, failed: &FailedRecord) -> Result<()> {
    let (namespace, uri) = (namespace(pipeline), pipeline.lake.uri());
    let id = RunId::parse(&failed.id).ok_or_else(|| {
        Error::new(Code::LakeDamaged, format!("the failure record of {} has no id", failed.source.uri))
    })?;
    let run = Generation {
        namespace: &namespace,
        pipeline: &pipeline.name,
        lake: &uri,
        source: &failed.source.uri,
        version: failed.source.version(),
        // The one that it would have become.
        generation: id.generation(),
    };
    write(storage, "", &run.start(&failed.at))?;
    write(storage, "", &run.fail(&failed.at, &failed.code, &failed.message, failed.release.as_ref()))?;
    Ok(())
}

#[cfg(test)]
#[path = "hook_tests.rs"]
mod tests;
