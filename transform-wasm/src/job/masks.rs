//! Masks of a spec against all that its tables read: what one column masks, no other may show.
//!
//! For: a spec or contract that would let a masked value through by another way. Not for masking (`shred`). The
//! decision to know: a path that comes out of the input is never named here. Below a masked path it may be as
//! telling as the value.

use crate::column::ColumnType;
use crate::contract::Contract;
use crate::error::{Code, Failure};
use crate::expr::Expr;
use crate::spec::{Mask, Table};

/// Refuses contracts of which a column reads what another one masks, or part of it, or what it is part of.
///
/// # Errors
/// Fault `spec`, naming both.
pub fn check(tables: &[Table], contracts: &[Contract]) -> Result<(), Failure> {
    for (table, contract) in tables.iter().zip(contracts) {
        for masked in table.columns.iter().filter(|column| column.mask.is_some()) {
            let Some(path) = path(contract, &masked.name) else { continue };
            for (other, read) in tables.iter().zip(contracts) {
                if let Some(name) = shows(other, read, path) {
                    return Err(refused(contract, &masked.name, read, name));
                }
            }
        }
    }
    Ok(())
}

/// The path that a column of this name reads, or is to read once it is not null.
fn path<'a>(contract: &'a Contract, name: &str) -> Option<&'a str> {
    let column = contract.columns.iter().find(|column| column.name == name);
    let null = contract.nulls.iter().find(|(null, _)| null == name);
    column.and_then(|column| column.origin.pointer()).or(null.map(|(_, pointer)| pointer.as_str()))
}

/// The column that shows what is at a path; an outer none if none does, an inner one if it has no name that the
/// spec gave it.
fn shows<'a>(table: &'a Table, contract: &Contract, path: &str) -> Option<Option<&'a str>> {
    let read = contract.columns.iter().filter_map(|column| Some((&column.name, column.origin.pointer()?)));
    let nulls = contract.nulls.iter().map(|(name, pointer)| (name, pointer.as_str()));
    let related = read.chain(nulls).filter(|(_, pointer)| is_related(path, pointer));
    for (name, _) in related {
        match table.columns.iter().find(|column| &column.name == name) {
            Some(declared) if declared.mask.is_some() => {}
            declared => return Some(declared.map(|declared| declared.name.as_str())),
        }
    }
    None
}

fn is_related(path: &str, other: &str) -> bool {
    let below = |path: &str, above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(path, other) || below(other, path)
}

#[cold]
fn refused(contract: &Contract, masked: &str, read: &Contract, name: Option<&str>) -> Failure {
    let column = match name {
        Some(name) => format!("the column `{name}` of table `{}`", read.table),
        None => format!("table `{}`", read.table),
    };
    let message =
        format!("{column} would show what the column `{masked}` of table `{}` masks", contract.table);
    Failure::spec(Code::SpecInvalid, message).hint(format!(
        "declare the same path in table `{}` with a mask, or name the paths that it reads and set mode = \"discard\"",
        read.table
    ))
}

/// Refuses an expression over `columns` that reads one which is dropped.
///
/// # Errors
/// Fault `spec`, naming the column.
pub fn check_expression(
    table: &Table,
    columns: &[(String, ColumnType)],
    what: &str,
    expression: &Expr,
) -> Result<(), Failure> {
    let read = expression.columns().iter().filter_map(|&column| columns.get(column));
    match read.map(|(name, _)| name.as_str()).find(|name| mask(table, name) == Some(Mask::Drop)) {
        Some(name) => {
            let message = format!("{what} reads the column `{name}`, which is dropped (mask = \"drop\")");
            Err(Failure::spec(Code::SpecInvalid, message)
                .hint("its values may be seen nowhere: leave it out, or mask it otherwise"))
        }
        None => Ok(()),
    }
}

/// The mask of a column, if it has one.
pub fn mask(table: &Table, name: &str) -> Option<Mask> {
    table.columns.iter().find(|column| column.name == name).and_then(|column| column.mask)
}
