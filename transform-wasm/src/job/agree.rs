//! Agreeing contracts: what a job that learned, or whose spec says it all, proposes at its end.

use lakegate_model::fix::quote;

use crate::contract::Contract;
use crate::error::{Code, Failure};
use crate::learn::{Kinds, Learned};
use crate::names::{dotted, pointer_keys, pointer_push};
use crate::propose;
use crate::report::{Edit, Report, Warning};
use crate::spec::{Input, Mode};

use super::ledger::Ledger;
use super::reader::Reader;
use super::terms::Terms;
use super::{Step, TableContract, Widened};

/// The last step of a job that asks for contracts; `input` is how it was read; `agreed_by_spec`: before any
/// input, because the spec says all of them.
///
/// # Errors
/// No contract can be agreed: the spec's fault, the input's, or a limit.
pub fn widen(
    terms: &Terms,
    input: &Input,
    reader: &Reader,
    records: Option<&[String]>,
    ledger: &mut Ledger,
    agreed_by_spec: bool,
) -> Result<Step, Failure> {
    let mut learned = match reader {
        Reader::Learn(learner) => learner.learned.clone(),
        Reader::Shred(_) => terms.nothing_learned(),
    };
    learned.records = records.map(<[String]>::to_vec).or_else(|| terms.records().map(pointer_keys));
    for before in terms.options.learned.iter().flat_map(|texts| texts.lines()) {
        learned.join_text(before)?;
    }
    let learned = &learned;
    let nothing_read = ledger.report.records == 0 && !agreed_by_spec;
    let known = terms.live.iter().all(Option::is_some);
    if nothing_read && (terms.options.learned.is_none() && !terms.options.propose) {
        return Ok(Step::Done(ledger.report.to_text()));
    }
    let contracts = terms.contracts_for(Some(learned), &mut ledger.report)?;
    if ledger.report.records > 0 {
        check_columns(terms, ledger, &contracts)?;
        hint_at_records(terms, learned, &mut ledger.report);
        hint_at_forms(terms, learned, &mut ledger.report);
    }
    let live: Vec<Contract> = terms.live.iter().flatten().cloned().collect();
    if nothing_read && known && live == contracts && !terms.options.propose {
        return Ok(Step::Done(ledger.report.to_text()));
    }
    let mut input = input.clone();
    if let Some(records) = contracts.iter().find_map(|contract| contract.records.clone()) {
        input.records = Some(dotted(&records));
    }
    let spec = propose::spec_text(&terms.spec, &input, &contracts, &ledger.report.warnings);
    Ok(Step::Widen(Widened {
        contracts: contracts
            .iter()
            .map(|c| TableContract { table: c.table.clone(), text: c.to_text() })
            .collect(),
        spec,
        learned: learned.to_text(),
        report: ledger.report.to_text(),
    }))
}

/// A table needs a column.
fn check_columns(terms: &Terms, ledger: &Ledger, contracts: &[Contract]) -> Result<(), Failure> {
    for (contract, table) in contracts.iter().zip(&terms.spec.tables) {
        if !contract.columns.is_empty() {
            continue;
        }
        let name = &contract.table;
        if table.mode != Mode::Evolve {
            return Err(Failure::spec(
                Code::NoColumns,
                format!("table `{name}` takes no new paths, but no column is declared"),
            )
            .hint("declare its columns, for example with lakegate init, or let it evolve"));
        }
        if ledger.report.rejected == ledger.report.records {
            return Err(ledger.too_many_rejected());
        }
        return Err(Failure::input(
            Code::NoColumns,
            format!("no record has a value, so table `{name}` has no columns"),
        )
        .hint("null and empty objects make no columns"));
    }
    Ok(())
}

/// Forms that a spec would name, unless a table says already what it takes.
fn hint_at_forms(terms: &Terms, learned: &Learned, report: &mut Report) {
    let all_learned = terms.spec.tables.iter().any(|table| table.mode == Mode::Evolve);
    if all_learned && terms.live.iter().all(Option::is_none) {
        let forms = propose::forms::of_records(&terms.spec.input, learned, report.records);
        if !forms.is_empty() {
            // An array that could make rows will be at another path, or none.
            let of_rows = |warning: &&mut Warning| matches!(&*warning.code, "array_kept" | "several_arrays");
            report.warnings.iter_mut().filter(of_rows).for_each(|warning| warning.fixes.clear());
        }
        report.warn_all(forms);
    }
}

/// One record that is only a wrapper around an array: its elements may be the records.
fn hint_at_records(terms: &Terms, learned: &Learned, report: &mut Report) {
    // Where no table takes new paths, what was learned is not all that the record has.
    let all_learned = terms.spec.tables.iter().any(|table| table.mode == Mode::Evolve);
    let is_wrapper = report.records == 1 && all_learned && learned.children(0).len() == 1;
    if !is_wrapper || terms.spec.input.records.is_some() || learned.records.is_some() {
        return;
    }
    let Some((key, node)) = learned.children(0).into_iter().next() else { return };
    if learned.nodes[node as usize].kinds.any(Kinds::ARRAY_OF_OBJECTS) {
        let mut pointer = String::new();
        pointer_push(&mut pointer, &String::from_utf8_lossy(key));
        if terms.spec.tables.iter().any(|table| table.rows_pointer().as_ref() == Some(&pointer)) {
            return;
        }
        let records = quote(&dotted(&pointer));
        let warning = Warning::new(
            "records_below_path",
            format!(
                "the input is one record with the one array {pointer}: to read its elements as records, set records = {records} in [input]"
            ),
        );
        report.warn(warning.fixed_by([Edit::input("records", records)]));
    }
}
