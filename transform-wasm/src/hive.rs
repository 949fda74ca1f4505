//! The Hive partition paths of a batch's rows: `order_date=2025-01-01/`.
//!
//! The escaping is in [`lakegate_model::hive`], which hosts read the same paths with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};

use lakegate_model::hive::{DEFAULT_PARTITION, escape};

use crate::column::ColumnType;
use crate::value::time::format_iso_date;

/// The partition paths of a batch's rows. Most rows share theirs with others: a path is written once, and
/// what a row costs is a look at its value.
#[derive(Debug)]
pub struct Paths {
    /// For each row the number of its path.
    pub rows: Vec<u32>,
    /// The paths, each once, in order of first appearance.
    pub distinct: Vec<String>,
}

/// What tells values of a partition column apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Null,
    Number(i64),
    Text(&'a str),
}

impl Paths {
    /// An empty path for each of so many rows.
    pub fn new(rows: usize) -> Self {
        Self { rows: vec![0; rows], distinct: vec![String::new()] }
    }

    /// Appends `name=value/` to the path of every row.
    pub fn append(&mut self, name: &str, ty: ColumnType, array: &ArrayRef) {
        let mut numbers: BTreeMap<(u32, Value<'_>), u32> = BTreeMap::new();
        // Null and the empty text are two values with one path.
        let mut by_path: BTreeMap<String, u32> = BTreeMap::new();
        let before = std::mem::take(&mut self.distinct);
        let mut last = None;
        for (row, number) in self.rows.iter_mut().enumerate() {
            let key = (*number, value(ty, array, row));
            *number = match last {
                Some((known, number)) if known == key => number,
                _ => *numbers.entry(key).or_insert_with(|| {
                    let mut path = format!("{}{name}=", before[key.0 as usize]);
                    push_value(&mut path, ty, key.1);
                    path.push('/');
                    *by_path.entry(path).or_insert_with_key(|path| {
                        self.distinct.push(path.clone());
                        self.distinct.len() as u32 - 1
                    })
                }),
            };
            last = Some((key, *number));
        }
    }
}

#[inline]
fn value(ty: ColumnType, array: &ArrayRef, row: usize) -> Value<'_> {
    if array.is_null(row) {
        return Value::Null;
    }
    match ty {
        ColumnType::Date => Value::Number(array.as_primitive::<Date32Type>().value(row).into()),
        ColumnType::Boolean => Value::Number(array.as_boolean().value(row).into()),
        ColumnType::Bigint => Value::Number(array.as_primitive::<Int64Type>().value(row)),
        _ => Value::Text(array.as_string::<i32>().value(row)),
    }
}

fn push_value(path: &mut String, ty: ColumnType, value: Value<'_>) {
    match (ty, value) {
        (_, Value::Null | Value::Text("")) => path.push_str(DEFAULT_PARTITION),
        (_, Value::Text(text)) => path.push_str(&escape(text)),
        // A date array holds days of 32 bits.
        (ColumnType::Date, Value::Number(days)) => path.push_str(&format_iso_date(days as i32)),
        (ColumnType::Boolean, Value::Number(number)) => {
            path.push_str(if number == 1 { "true" } else { "false" })
        }
        (_, Value::Number(number)) => {
            let _ = write!(path, "{number}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, StringArray};

    use super::*;

    #[test]
    fn a_path_stands_once_for_all_rows_that_have_it() {
        let regions: ArrayRef =
            Arc::new(StringArray::from(vec![Some("eu"), None, Some(""), Some("a/b"), Some("eu")]));
        let days: ArrayRef = Arc::new(Date32Array::from(vec![0, 0, 0, 1, 1]));
        let mut paths = Paths::new(5);
        paths.append("region", ColumnType::String, &regions);
        paths.append("day", ColumnType::Date, &days);
        let of = |row: usize| paths.distinct[paths.rows[row] as usize].as_str();
        assert_eq!(of(0), "region=eu/day=1970-01-01/");
        assert_eq!(of(1), "region=__HIVE_DEFAULT_PARTITION__/day=1970-01-01/");
        assert_eq!(of(2), of(1));
        assert_eq!(of(3), "region=a%2Fb/day=1970-01-02/");
        assert_eq!(of(4), "region=eu/day=1970-01-02/");
        assert_eq!(paths.distinct.len(), 4);
    }
}
