//! Records through the transform and through the plain reference, both as text.
//!
//! For: generated records, and those that a fuzzer makes. The decision to know: rejected records are compared by
//! number and not by code, since a record may be wrong in two ways and either may be found first.

use serde_json::Value;

use crate::drive::{self, Ask, Made};
use crate::reference::names::Naming;
use crate::reference::{self, Outcome, Rows, Table, learn};
use crate::rows;
use crate::ways::Native;

/// The beginning of a spec under which no number of rejected records fails the object.
pub const ALL_MAY_FAIL: &str = "[output]\nmax_rejected = \"100%\"\n";

/// A table of the reference that declares nothing.
#[must_use]
pub fn table(name: &str, rows: Rows, naming: Naming) -> reference::Ask {
    reference::Ask {
        name: name.to_owned(),
        rows,
        keep_empty: true,
        naming,
        declared: Vec::new(),
        discard: false,
        doubles: false,
        drop_nulls: Vec::new(),
    }
}

/// Runs the records both ways, one a line and as an array.
///
/// # Errors
/// What differs, with the input.
pub fn check(records: &[String], spec: &str, asks: &[reference::Ask]) -> Result<(), String> {
    let expected = text_of_outcome(&reference::transform(records, asks));
    let ask = Ask { spec: spec.to_owned(), table: Some("t".to_owned()), contracts: Vec::new() };
    let forms = [records.join("\n"), format!("[{}]", records.join(",\n "))];
    for input in forms {
        let made = drive::run(&Native, &ask, input.as_bytes(), 1 << 20)
            .map_err(|failed| format!("{failed:?}\n{input}"))?;
        let found = text_of_made(&made);
        if found != expected {
            return Err(format!("the transform:\n{found}\nthe reference:\n{expected}\ninput:\n{input}"));
        }
    }
    Ok(())
}

/// Rejected records, contracts and rows of the transform.
///
/// # Panics
/// Where a contract or a part file cannot be read.
#[must_use]
pub fn text_of_made(made: &Made) -> String {
    let mut out = String::new();
    for line in &made.quarantine {
        out += &format!("rejected {}\n", line["record"]);
    }
    for (name, text) in &made.contracts {
        let contract: Value = serde_json::from_str(text).unwrap();
        let rows = contract["rows"].as_str().map(str::to_owned);
        let columns = contract["columns"].as_array().unwrap().iter().map(|column| {
            let text = |key: &str| column[key].as_str().unwrap_or("?").to_owned();
            (text("name"), text("type"), text("pointer"))
        });
        let parts = made.parts.iter().filter(|part| part.table == *name);
        let cells = parts.flat_map(|part| rows::read(&part.bytes).unwrap().rows);
        out += &table_text(name, rows, columns, cells);
    }
    out
}

/// The same of the reference.
#[must_use]
pub fn text_of_outcome(outcome: &Outcome) -> String {
    let mut out: String = outcome.rejected.iter().map(|(record, _)| format!("rejected {record}\n")).collect();
    for table in &outcome.tables {
        let columns = table
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty.clone(), learn::pointer(&column.path)));
        out += &table_text(&table.name, rows_pointer(table), columns, table.cells.iter().cloned());
    }
    out
}

fn rows_pointer(table: &Table) -> Option<String> {
    table.rows.as_deref().map(learn::pointer)
}

fn table_text(
    name: &str,
    rows: Option<String>,
    columns: impl Iterator<Item = (String, String, String)>,
    cells: impl Iterator<Item = Vec<String>>,
) -> String {
    let columns: String = columns.map(|(name, ty, pointer)| format!("  {name} {ty} {pointer}\n")).collect();
    let cells: String = cells.map(|row| format!("  {}\n", row.join(" | "))).collect();
    format!("table {name} {}\n{columns}{cells}", rows.unwrap_or_default())
}
