//! Agrees on contracts: at most two passes over the input, whatever other writers do meanwhile.
//!
//! Not for joining types: the transform does that. The decision to know: a merge that loses the
//! compare-and-swap asks the transform again, with the winner's contracts and what was learned; the
//! input itself is not read for it.

use std::collections::BTreeSet;

use lakegate_model::Contract;

use crate::lake::{Lake, LiveContract, check_growth};
use crate::run::pass::{End, Nowhere, Sink, pass};
use crate::run::{Plan, Progress};
use crate::source::Source;
use lakegate_base::{Code, Error, Result};
use lakegate_model::report::{Report, learned_from};
use lakegate_sandbox::{JobOptions, TableContract, Transform, Widened};

/// Lost swaps in a row after which something else must be wrong.
const ATTEMPTS: u32 = 100;

/// The contracts that outputs were made under, and the report.
pub(crate) struct Made {
    pub(crate) contracts: Vec<TableContract>,
    pub(crate) report: Report,
    pub(crate) passes: u8,
    /// The spec that pins the contracts, when they had to be learned.
    pub(crate) spec: Option<String>,
}

/// The contracts that a job starts from.
pub(crate) enum Live<'a> {
    /// Those of a lake; what is learned is merged into them, in turn where others do so at the same time.
    Lake(&'a Lake, Option<&'a dyn Fn()>),
    /// These, for a look only: what is learned goes nowhere.
    Fixed(Vec<TableContract>),
    /// These and no others: one pass under settled contracts.
    Settled(Vec<TableContract>),
}

/// What a job is told in every pass.
pub(crate) fn options(plan: &Plan, transform: &Transform, source: &Source) -> JobOptions {
    JobOptions {
        spec: plan.spec.clone(),
        table: plan.table.clone(),
        footer: vec![("lakegate.component".into(), transform.digest().into())],
        source: source.facts(),
        ..JobOptions::default()
    }
}

/// Runs a job under the live contracts and, where they must grow, a second time under the merged ones.
/// What the first pass put into `sink` is thrown away then; after an error it holds what the last one did.
pub(crate) fn make(
    from: Live<'_>,
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<Made> {
    let base = options(plan, transform, source);
    let total_bytes = source.bytes();
    let first = |contracts: &[TableContract], sink: &mut dyn Sink, progress: &mut dyn FnMut(Progress)| {
        progress(Progress::Pass { number: 1, total_bytes });
        let session = transform.open(JobOptions { contracts: contracts.to_vec(), ..base.clone() })?;
        pass(session, Some(source), sink, progress)
    };
    let (lake, live, contracts, ended) = match from {
        Live::Lake(lake, turn) => {
            let (live, ended) =
                in_turn(lake, plan, turn, sink, &mut |contracts, sink| first(contracts, sink, progress))?;
            let contracts = texts(&live);
            (Some(lake), live, contracts, ended)
        }
        Live::Fixed(contracts) => {
            let ended = first(&contracts, sink, progress)?;
            (None, Vec::new(), contracts, ended)
        }
        Live::Settled(contracts) => {
            progress(Progress::Settled);
            progress(Progress::Pass { number: 1, total_bytes });
            let report = final_pass(transform, source, base, contracts.clone(), sink, progress)?;
            return Ok(Made { contracts, report, passes: 1, spec: None });
        }
    };
    let widened = match ended {
        End::Done(report) => {
            progress(Progress::Settled);
            return Ok(Made { contracts, report, passes: 1, spec: None });
        }
        End::Widen(widened) => widened,
    };
    sink.reset();
    of_the_plan(plan.tables(), &widened.contracts)?;
    let spec = Some(widened.spec.clone());
    let learned: Report = Report::parse(&widened.report).map_err(|error| {
        Error::new(Code::ReportUnreadable, format!("the report of the first pass: {error}"))
    })?;
    // A contract that follows from the spec alone is agreed before any input is read.
    let passes = if learned.records == 0 { 1 } else { 2 };
    let contracts = match lake {
        Some(lake) => merge(lake, transform, &base, live, widened, source.uri())?,
        None => widened.contracts,
    };
    progress(Progress::Settled);
    progress(Progress::Pass { number: passes, total_bytes });
    let mut report = final_pass(transform, source, base, contracts.clone(), sink, progress)?;
    carry_over(learned, &mut report);
    Ok(Made { contracts, report, passes, spec })
}

/// A first pass under some contracts, into a sink.
type First<'a> = &'a mut dyn FnMut(&[TableContract], &mut dyn Sink) -> Result<End>;

/// The first pass under the contracts as objects before this one leave them: what it made of earlier ones, ahead of its
/// turn, is thrown away where those have changed them since.
fn in_turn(
    lake: &Lake,
    plan: &Plan,
    turn: Option<&dyn Fn()>,
    sink: &mut dyn Sink,
    first: First<'_>,
) -> Result<(Vec<LiveContract>, End)> {
    let live = known_contracts(lake, plan.tables())?;
    let before = texts(&live);
    let ended = first(&before, sink);
    let Some(turn) = turn else { return Ok((live, ended?)) };
    turn();
    let now = live_contracts(lake, plan.tables())?;
    if texts(&now) == before {
        return Ok((now, ended?));
    }
    sink.reset();
    let ended = first(&texts(&now), sink)?;
    Ok((now, ended))
}

/// What was noticed while learning is worth knowing in the end too, and that records were learned from which were
/// rejected afterwards. The page does the same (`web-demo/src/worker/make.ts`).
fn carry_over(learned: Report, report: &mut Report) {
    for warning in learned.warnings {
        if !report.warnings.iter().any(|known| known.code == warning.code && known.message == warning.message)
        {
            report.warnings.push(warning);
        }
    }
    if learned.records > 0
        && let Some(warning) = learned_from(&report.rejects)
    {
        report.warn(warning);
    }
}

/// Reads the pinned input under contracts that are settled.
pub(crate) fn final_pass(
    transform: &Transform,
    source: &Source,
    base: JobOptions,
    contracts: Vec<TableContract>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let session = transform.open(JobOptions { contracts, final_pass: true, ..base })?;
    match pass(session, Some(source), sink, progress)? {
        End::Done(report) => Ok(report),
        // The ledger refuses this already.
        End::Widen(_) => Err(Error::new(Code::WidenOnFinal, "the contract widened on the final pass")),
    }
}

pub(crate) fn live_contracts(lake: &Lake, tables: &[String]) -> Result<Vec<LiveContract>> {
    let mut live = Vec::new();
    for table in tables {
        live.extend(lake.contract(table)?);
    }
    Ok(live)
}

/// As this process knows them: one that is out of date loses its swap, or is found after the commit.
pub(crate) fn known_contracts(lake: &Lake, tables: &[String]) -> Result<Vec<LiveContract>> {
    let mut live = Vec::new();
    for table in tables {
        live.extend(lake.known_contract(table)?);
    }
    Ok(live)
}

pub(crate) fn texts(live: &[LiveContract]) -> Vec<TableContract> {
    live.iter().map(|live| TableContract { table: live.table.clone(), text: live.text.clone() }).collect()
}

/// Makes what was learned part of the live contracts; the contracts of the second pass.
pub(crate) fn merge(
    lake: &Lake,
    transform: &Transform,
    base: &JobOptions,
    mut live: Vec<LiveContract>,
    mut widened: Widened,
    why: &str,
) -> Result<Vec<TableContract>> {
    for _ in 0..ATTEMPTS {
        if swap_all(lake, &live, &widened.contracts, why)? {
            return Ok(widened.contracts);
        }
        let tables: Vec<String> = widened.contracts.iter().map(|contract| contract.table.clone()).collect();
        live = live_contracts(lake, &tables)?;
        let joined =
            JobOptions { contracts: texts(&live), learned: Some(widened.learned.clone()), ..base.clone() };
        match pass(transform.open(joined)?, None, &mut Nowhere, &mut |_| {})? {
            End::Widen(next) => {
                of_the_plan(&tables, &next.contracts)?;
                widened = next;
            }
            End::Done(_) => return Ok(texts(&live)),
        }
    }
    Err(Error::new(Code::ContractContended, "other writers changed the contract over and over"))
}

/// A transform may widen the contracts of its own job and no others: those of another table would be handed to it, and
/// its rows would land there.
pub(crate) fn of_the_plan(tables: &[String], contracts: &[TableContract]) -> Result<()> {
    let fault = |what: String| {
        Error::new(Code::TransformAccount, what).with_hint(
            "nothing of this source object was written; this is a fault of the transform, please report it",
        )
    };
    let named: BTreeSet<&str> = contracts.iter().map(|contract| contract.table.as_str()).collect();
    if named.len() != contracts.len() || named != tables.iter().map(String::as_str).collect() {
        return Err(fault("the transform widened other tables than those of its spec".into()));
    }
    for contract in contracts {
        let checked = Contract::parse(&contract.text).and_then(|parsed| parsed.check().map(|()| parsed));
        let parsed = checked.map_err(|failure| {
            fault(format!("the contract that it proposes for {}: {failure}", contract.table))
        })?;
        if parsed.table != contract.table {
            return Err(fault(format!("the contract that it proposes for {} is another's", contract.table)));
        }
    }
    Ok(())
}

/// One swap a table. A swap that was made before another was lost stands: contracts only grow.
fn swap_all(lake: &Lake, live: &[LiveContract], wanted: &[TableContract], why: &str) -> Result<bool> {
    for contract in wanted {
        let before = live.iter().find(|live| live.table == contract.table);
        if let Some(before) = before {
            check_growth(&contract.table, &before.text, &contract.text)?;
        }
        if !lake.swap_contract(before, contract, why)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use lakegate_base::Kind;

    use super::*;

    #[test]
    fn a_table_that_the_plan_does_not_have_is_refused() {
        let text = |table: &str, column: &str| {
            format!(
                r#"{{"version":1,"table":"{table}","rows":null,"columns":[{{"name":"{column}","type":"bigint","pointer":"/{column}"}}],"nulls":[],"partition_by":[]}}"#
            )
        };
        let of = |contracts: &[(&str, String)]| {
            let named = contracts
                .iter()
                .map(|(table, text)| TableContract { table: (*table).into(), text: text.clone() });
            of_the_plan(&["orders".into(), "lines".into()], &named.collect::<Vec<_>>())
        };
        let (orders, lines) = (("orders", text("orders", "id")), ("lines", text("lines", "id")));
        of(&[lines.clone(), orders.clone()]).unwrap();
        for (contracts, expected) in [
            (vec![orders.clone(), lines.clone(), ("payroll", text("payroll", "id"))], "other tables"),
            (vec![orders.clone(), ("payroll", text("payroll", "id"))], "other tables"),
            (vec![orders.clone()], "other tables"),
            (vec![orders.clone(), lines.clone(), lines.clone()], "other tables"),
            (vec![orders.clone(), ("lines", text("payroll", "id"))], "is another's"),
            (vec![orders.clone(), ("lines", text("lines", ""))], "the contract that it proposes for lines"),
            (vec![orders.clone(), ("lines", "{}".into())], "the contract that it proposes for lines"),
        ] {
            let error = of(&contracts).unwrap_err();
            assert_eq!((error.name(), error.kind()), ("transform_account", Kind::Own), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
