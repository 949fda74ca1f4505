//! A record's rows in one table: navigate, explode, convert, drop.
//!
//! For: the reference. The decision to know: a record is accepted or rejected as a whole, so the rows
//! of one record are made before any of them counts.

use super::convert;
use super::json::{Kind, Value};
use super::learn::{ELEMENT, Path};
use super::{Column, Table};

/// The record is rejected: a stable code.
pub type Rejected = &'static str;

/// What one record adds to a table.
#[derive(Debug, Default)]
pub struct Made {
    /// Rows that stay, cells in column order.
    pub rows: Vec<Vec<String>>,
    /// Rows taken away by `drop_nulls` or `empty = "drop"`.
    pub filtered: u64,
}

/// The rows of one record.
///
/// # Errors
/// A value does not fit its column, or an object stands where a scalar should or the other way round.
pub fn make(record: &Value, table: &Table) -> Result<Made, Rejected> {
    let mut made = Made::default();
    let elements = match &table.rows {
        None => vec![None],
        Some(path) => elements(record, path)?,
    };
    if elements.is_empty() && !table.keep_empty {
        check(record, None, table)?;
        made.filtered = 1;
        return Ok(made);
    }
    let elements = if elements.is_empty() { vec![None] } else { elements };
    for element in elements {
        let row = row(record, element, table)?;
        if dropped(&row, table) {
            made.filtered += 1;
        } else {
            made.rows.push(row);
        }
    }
    Ok(made)
}

fn row(record: &Value, element: Option<&Value>, table: &Table) -> Result<Vec<String>, Rejected> {
    for path in &table.objects {
        match find(record, element, table, path)?.map(|value| &value.kind) {
            None | Some(Kind::Null | Kind::Object(_)) => {}
            Some(_) => return Err("type_mismatch"),
        }
    }
    table.columns.iter().map(|column| cell(record, element, table, column)).collect()
}

/// A record all of whose rows are dropped must still fit.
fn check(record: &Value, element: Option<&Value>, table: &Table) -> Result<(), Rejected> {
    row(record, element, table).map(|_| ())
}

fn cell(record: &Value, element: Option<&Value>, table: &Table, column: &Column) -> Result<String, Rejected> {
    let found = find(record, element, table, &column.path)?;
    found.map_or(Ok("null".to_owned()), |value| convert::cell(&column.ty, value).map_err(|_| "type_mismatch"))
}

/// The value at a path of the record, or of the element where the path is below the exploded array.
fn find<'a>(
    record: &'a Value,
    element: Option<&'a Value>,
    table: &Table,
    path: &Path,
) -> Result<Option<&'a Value>, Rejected> {
    match table.rows.as_ref().and_then(|rows| below_element(path, rows)) {
        Some(rest) => element.map_or(Ok(None), |element| descend(element, rest)),
        None => descend(record, path),
    }
}

/// The part of `path` below the elements of `rows`, if it is there.
fn below_element<'a>(path: &'a Path, rows: &Path) -> Option<&'a [String]> {
    path.strip_prefix(rows.as_slice())?
        .split_first()
        .filter(|(first, _)| *first == ELEMENT)
        .map(|(_, rest)| rest)
}

/// The value at a path; nothing where it is missing or below null.
fn descend<'a>(value: &'a Value, path: &[String]) -> Result<Option<&'a Value>, Rejected> {
    let Some((key, rest)) = path.split_first() else { return Ok(Some(value)) };
    match &value.kind {
        Kind::Null => Ok(None),
        Kind::Object(members) => match members.iter().find(|(name, _)| name == key) {
            Some((_, member)) => descend(member, rest),
            None => Ok(None),
        },
        _ => Err("type_mismatch"),
    }
}

/// An object that stands where an array is exploded is its one element.
pub fn lone_element(record: &mut Value, path: &[String]) {
    let Some((key, rest)) = path.split_first() else {
        if matches!(record.kind, Kind::Object(_)) {
            let source = record.source.clone();
            record.kind =
                Kind::Array(vec![Value { kind: std::mem::replace(&mut record.kind, Kind::Null), source }]);
        }
        return;
    };
    if let Kind::Object(members) = &mut record.kind
        && let Some((_, member)) = members.iter_mut().find(|(name, _)| name == key)
    {
        lone_element(member, rest);
    }
}

/// The elements of the exploded array; a null element is a row without element values.
fn elements<'a>(record: &'a Value, path: &Path) -> Result<Vec<Option<&'a Value>>, Rejected> {
    let Some(array) = descend(record, path)? else { return Ok(Vec::new()) };
    match &array.kind {
        Kind::Null => Ok(Vec::new()),
        Kind::Array(items) => {
            Ok(items.iter().map(|item| (item.kind != Kind::Null).then_some(item)).collect())
        }
        _ => Err("type_mismatch"),
    }
}

fn dropped(row: &[String], table: &Table) -> bool {
    let names = table.columns.iter().map(|column| &column.name);
    names.zip(row).any(|(name, cell)| cell == "null" && table.drop_nulls.contains(name))
}
