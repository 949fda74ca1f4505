//! Why records of an object were rejected, as it is told to people.
//!
//! Not for the records: they lie in quarantine. The decision to know: an object that fails says so in the failure itself,
//! in the record of it and in the answer alike, since nobody can look at its tables.

use lakegate_model::{Contract, Rejected, Rejections};

use crate::lake::Lake;
use crate::record::CommitRecord;
use crate::run::lines::Lines;
use crate::run::stage::Staging;
use crate::run::{Run, learn};
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::TableContract;

/// What is told of rejected records: reasons, and the columns whose type they have left under these contracts.
pub(crate) fn told(
    rejections: &Rejections,
    contracts: &[TableContract],
    spec: &str,
    failed: bool,
) -> Rejected {
    // A contract that cannot be read names no column: that is another's to tell.
    let contracts = contracts.iter().filter_map(|contract| Contract::parse(&contract.text).ok());
    let drift = rejections.misfits().drift(&contracts.collect::<Vec<_>>(), spec, failed);
    Rejected { reasons: rejections.reasons(), drift }
}

/// A failure with what was rejected until then. Where a type was left, what to do is to change it.
pub(crate) fn explained(error: Error, rejected: Rejected, lake: Option<&str>) -> Error {
    let place = lake.map(|lake| format!(" --lake {lake}")).unwrap_or_default();
    let first = rejected.drift.first().filter(|_| error.code() == Code::TooManyRejected);
    let error = match first {
        Some(drift) => error.with_hint(drift.told(&place)),
        None => error,
    };
    error.with_rejected(rejected)
}

/// Bytes of a quarantine that are read for its reasons: a look, and nobody counts by it.
const LOOKED_AT: usize = 8 << 20;

/// Why records of a commit were rejected, read from the beginning of its quarantine. Values are said not to fit the type
/// that the live contract has.
///
/// # Errors
/// The storage's. A quarantine that is gone tells nothing.
pub fn rejected_in(lake: &Lake, record: &CommitRecord) -> Result<Rejected> {
    let Some(quarantine) = &record.quarantine else { return Ok(Rejected::default()) };
    let Some(facts) = lake.storage().stat(&quarantine.key)? else { return Ok(Rejected::default()) };
    let mut chunks = lake.storage().open(&facts)?;
    let (mut lines, mut read, mut rejections) = (Lines::new(None), 0, Rejections::default());
    while read < LOOKED_AT {
        let chunk = chunks.next()?;
        if chunk.is_empty() {
            break;
        }
        read += chunk.len();
        rejections.add_lines(&lines.take(chunk)?);
    }
    let tables: Vec<String> = record.contracts.keys().cloned().collect();
    let live = learn::texts(&learn::live_contracts(lake, &tables)?);
    let spec = lake.spec_text(&record.spec)?.unwrap_or_default();
    Ok(told(&rejections, &live, &spec, false))
}

impl Run<'_> {
    /// A failure while it was made, with what was rejected.
    pub(super) fn explained(&self, error: Error, staging: &Staging<'_>) -> Error {
        let rejections = staging.rejections();
        if rejections.is_empty() {
            return error;
        }
        let known = || learn::known_contracts(self.lake, self.plan.tables()).unwrap_or_default();
        let contracts = self.cause.contracts.clone().unwrap_or_else(|| learn::texts(&known()));
        explained(error, told(rejections, &contracts, &self.plan.spec, true), Some(self.lake.root()))
    }
}
