//! Whether a release can go on with the tables that are there.
//!
//! The decision to know: the transform itself judges, as it would for the next object: it is opened with the
//! release's spec and the live contracts, and what it then wants may only grow them.

use crate::load::Release;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{Lake, check_growth};
use lakegate_sandbox::{JobOptions, Step, TableContract};

/// Refuses a release whose types conflict with the live contracts of a lake.
///
/// # Errors
/// `release_conflicts`, with what conflicts; the storage's.
pub fn check_fits(release: &Release, lake: &Lake) -> Result<()> {
    let plan = release.plan(None)?;
    let mut live = Vec::new();
    for table in plan.tables() {
        live.extend(lake.contract(table)?.map(|live| TableContract { table: live.table, text: live.text }));
    }
    if live.is_empty() {
        return Ok(());
    }
    let conflicts = |error: Error| {
        Error::new(
            Code::ReleaseConflicts,
            format!("{} conflicts with the tables of {}: {error}", release.id(), lake.root()),
        )
        .with_hint("a type already written never changes by itself: `lakegate contract change` does that")
    };
    let options = JobOptions { spec: release.spec.clone(), contracts: live.clone(), ..JobOptions::default() };
    let step = release.transform.open(options).and_then(|mut session| session.step()).map_err(conflicts)?;
    let Step::Widen(widened) = step else { return Ok(()) };
    for wanted in &widened.contracts {
        if let Some(before) = live.iter().find(|live| live.table == wanted.table) {
            check_growth(&wanted.table, &before.text, &wanted.text).map_err(conflicts)?;
        }
    }
    Ok(())
}
