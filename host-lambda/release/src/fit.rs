//! Whether a release can go on with the tables that are there.
//!
//! The decision to know: the transform itself judges, as it would for the next object: it is opened with the
//! release's spec and the live contracts, and what it then wants may only grow them.

use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{Lake, check_growth};
use lakegate_lake::run::Plan;
use lakegate_sandbox::{JobOptions, Step, TableContract, Transform};

/// Refuses a transform, told so, whose types conflict with the live contracts of a lake, or whose job cannot be opened at
/// all. `id` is for messages.
///
/// # Errors
/// `release_conflicts`, with what conflicts; the storage's.
pub(crate) fn check_fits(id: &str, transform: &Transform, plan: &Plan, lake: &Lake) -> Result<()> {
    let mut live = Vec::new();
    for table in plan.tables() {
        live.extend(lake.contract(table)?.map(|live| TableContract { table: live.table, text: live.text }));
    }
    let conflicts = |error: Error| {
        Error::new(
            Code::ReleaseConflicts,
            format!("{id} conflicts with the tables of {}: {error}", lake.root()),
        )
        .with_hint("a type already written never changes by itself: `lakegate contract change` does that")
    };
    let options = JobOptions { spec: plan.spec.clone(), contracts: live.clone(), ..JobOptions::default() };
    let step = transform.open(options).and_then(|mut session| session.step()).map_err(conflicts)?;
    let Step::Widen(widened) = step else { return Ok(()) };
    for wanted in &widened.contracts {
        if let Some(before) = live.iter().find(|live| live.table == wanted.table) {
            check_growth(&wanted.table, &before.text, &wanted.text).map_err(conflicts)?;
        }
    }
    Ok(())
}
