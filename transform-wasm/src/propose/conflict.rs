//! Whether a spec contradicts the live contract.
//!
//! The decision to know: only what the spec says counts; what it leaves out stays as the contract has it.

use std::collections::BTreeMap;

use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin};
use crate::error::{Code, Failure};
use crate::names::column_pointer;
use crate::spec::{DeclaredColumn, Mask, Table};

use super::declared::means;

/// Refuses a spec that contradicts the live contract.
///
/// # Errors
/// Fault `spec`, code `contract_conflict`, with both sides.
pub fn check_against_live(table: &Table, live: &Contract) -> Result<(), Failure> {
    let conflict =
        |what: String| Failure::spec(Code::ContractConflict, format!("table `{}`: {what}", live.table));
    let rows = table.rows_pointer();
    if rows.is_some() && rows != live.rows {
        let live = live.rows.as_deref().unwrap_or("no array");
        return Err(conflict(format!("the spec explodes {}, the contract {live}", rows.unwrap_or_default()))
            .hint("rows of a table never change: write to a new table"));
    }
    let columns: BTreeMap<&str, &ContractColumn> =
        tree(live.columns.iter().map(|column| (column.name.as_str(), column)));
    let mut first: BTreeMap<&str, &ContractColumn> = BTreeMap::new();
    for column in &live.columns {
        // One that a derived column replaces stands before it.
        first.entry(&column.name).or_insert(column);
    }
    for declared in &table.columns {
        let Some(column) = first.get(declared.name.as_str()) else { continue };
        let pointer = column_pointer(declared.path(), live.rows.as_deref());
        if !column.origin.pointer().is_some_and(|held| means(declared, &pointer, held)) {
            return Err(conflict(format!(
                "column `{}` comes from {pointer} in the spec, but not in the contract",
                declared.name
            ))
            .hint("a column's source never changes: declare a new column"));
        }
        let hidden = declared.is_hidden() || table.replaces(&declared.name);
        check_output(declared, hidden, column).map_err(|(what, hint)| conflict(what).hint(hint))?;
        if let Some(ty) = declared.ty.map(|t| t.0).filter(|ty| *ty != column.ty) {
            return Err(conflict(format!(
                "column `{}` is {ty} in the spec, {} in the contract",
                declared.name, column.ty
            ))
            .hint(format!(
                "to change it: lakegate contract change {} {} '{ty}'",
                live.table, declared.name
            )));
        }
    }
    for derive in &table.derives {
        let Some(column) = columns.get(derive.name.as_str()) else { continue };
        // How it is derived may change with the spec: the contract keeps its name and type.
        if !matches!(column.origin, Origin::Sql(_)) {
            return Err(conflict(format!("column `{}` is not derived in the contract", derive.name))
                .hint("derive it under a new name"));
        }
    }
    let by: Vec<&str> = table.partition_by.iter().map(String::as_str).collect();
    let same = by.len() == live.partition_by.len()
        && by.iter().zip(&live.partition_by).all(|(text, live)| {
            let (sql, alias) = split_alias(text);
            sql == live.sql && alias.unwrap_or(sql) == live.name
        });
    if !by.is_empty() && !same {
        let live: Vec<&str> = live.partition_by.iter().map(|p| p.sql.as_str()).collect();
        return Err(conflict(format!("the spec partitions by {by:?}, the contract by {live:?}"))
            .hint("partitions of a table never change: write to a new table"));
    }
    Ok(())
}

/// What is wrong, and what to do, where a column is written by one side only.
fn check_output(
    declared: &DeclaredColumn,
    hidden: bool,
    column: &ContractColumn,
) -> Result<(), (String, &'static str)> {
    if hidden == column.hidden {
        return Ok(());
    }
    let (spec, contract) = if column.hidden { ("written", "not") } else { ("not written", "written") };
    let what = format!("column `{}` is {spec} by the spec, and {contract} by the contract", declared.name);
    Err((
        what,
        match declared.mask {
            Some(Mask::Drop) => {
                "whether a column is written never changes: mask = \"null\" keeps it without its values"
            }
            _ => "whether a column is written never changes: declare another column of the same path",
        },
    ))
}

/// A derived column would come out with another type than it has.
pub fn derived_type_conflict(table: &str, column: &ContractColumn, ty: ColumnType) -> Failure {
    let what = format!(
        "table `{table}`: column `{}` is derived as {ty} by the spec, and is {} in the contract",
        column.name, column.ty
    );
    Failure::spec(Code::ContractConflict, what)
        .hint(format!("give the derive type = \"{}\", or derive it under a new name", column.ty))
}

/// A `partition_by` entry as its expression and the name after `AS`.
pub(super) fn split_alias(text: &str) -> (&str, Option<&str>) {
    match text.to_ascii_lowercase().rfind(" as ") {
        // `CAST(x AS date)` has no alias.
        Some(at) if !text[at..].contains(')') => (text[..at].trim(), Some(text[at + 4..].trim())),
        _ => (text.trim(), None),
    }
}
