//! Values that did not fit their columns and stay beside their rows, as one JSON object a row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::contract::RESCUED;

use crate::column::{Column, ColumnType, Slots};
use crate::error::Failure;
use crate::report::{Report, Warning};
use crate::shred::{Batch, Level, TableBatch};

/// The column of a batch's rows; null where everything fitted.
///
/// # Errors
/// None that a user can cause.
pub fn column(batch: &TableBatch, row_records: &[u32]) -> Result<Column, Failure> {
    let mut column = Column::new(ColumnType::Json);
    let mut of_records: BTreeMap<u32, Vec<&[u8]>> = BTreeMap::new();
    let mut of_rows: BTreeMap<u32, Vec<&[u8]>> = BTreeMap::new();
    for rescued in &batch.rescued {
        let of = if rescued.level == Level::Record { &mut of_records } else { &mut of_rows };
        of.entry(rescued.at).or_default().push(&rescued.member);
    }
    let none = Vec::new();
    for (row, record) in row_records.iter().enumerate() {
        let (of_record, of_row) = (of_records.get(record), of_rows.get(&(row as u32)));
        let Slots::Json(mut slots) = column.slots() else {
            return Err(Failure::internal("a column of JSON is none"));
        };
        if of_record.is_none() && of_row.is_none() {
            column.push_null();
            continue;
        }
        let members = of_record.unwrap_or(&none).iter().chain(of_row.unwrap_or(&none));
        slots.push_with(|out| {
            for (number, member) in members.enumerate() {
                out.push(if number == 0 { b'{' } else { b',' });
                out.extend_from_slice(member);
            }
            out.push(b'}');
        });
    }
    Ok(column)
}

/// Counts the records that keep such values, those that are `gone` left out.
pub fn count(batch: &Batch, gone: &BTreeSet<u32>, report: &mut Report) {
    let mut records = BTreeSet::new();
    for table in batch.tables.iter().filter(|table| !table.rescued.is_empty()) {
        let row_records = table.row_records(batch.records);
        for rescued in &table.rescued {
            let record = match rescued.level {
                Level::Record => rescued.at,
                Level::Row => row_records.get(rescued.at as usize).copied().unwrap_or(rescued.at),
            };
            if !gone.contains(&record) {
                records.insert(record);
                *report.rescues.entry(Cow::Borrowed(rescued.code)).or_default() += 1;
            }
        }
    }
    report.rescued += records.len() as u64;
}

/// What a person should know of the values that are kept so.
pub fn warning(report: &Report) -> Warning {
    let codes: Vec<&str> = report.rescues.keys().map(Cow::as_ref).collect();
    let message = format!(
        "values that did not fit their columns stand in `{RESCUED}` ({}): a change of the column's type to one that \
         takes them (lakegate contract change) fills it",
        codes.join(", ")
    );
    Warning { count: report.rescues.values().sum(), ..Warning::new("rescued", message) }
}
