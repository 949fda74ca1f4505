//! The Hive partition paths of a batch's rows: `order_date=2025-01-01/`.
//!
//! The escaping and the limits are in [`lakegate_model::hive`], which hosts read the same paths with.
//! The decision to know: a path that is too long is never built, so that a long text on many rows costs nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};

use lakegate_model::hive::{DEFAULT_PARTITION, FOLDER_BYTES, escape, fits};

use crate::column::ColumnType;
use crate::value::time::format_iso_date;

/// The partition paths of a batch's rows. Most rows share theirs with others: a path is written once, and
/// what a row costs is a look at its value.
#[derive(Debug)]
pub struct Paths {
    /// For each row the number of its path, or [`TOO_LONG`].
    pub rows: Vec<u32>,
    /// The paths, each once, in order of first appearance.
    pub distinct: Vec<String>,
}

/// The number of a path that no file system takes.
pub const TOO_LONG: u32 = u32::MAX;

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
                _ if key.0 == TOO_LONG => TOO_LONG,
                _ => *numbers.entry(key).or_insert_with(|| {
                    let before = &before[key.0 as usize];
                    let Some(path) = extended(before, name, ty, key.1) else { return TOO_LONG };
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

/// The path with another folder; none where it would be too long.
fn extended(before: &str, name: &str, ty: ColumnType, value: Value<'_>) -> Option<String> {
    // Escaping only makes a text longer.
    if matches!(value, Value::Text(text) if text.len() > FOLDER_BYTES) {
        return None;
    }
    let mut path = format!("{before}{name}=");
    push_value(&mut path, ty, value);
    if !fits(before.len(), path.len() - before.len()) {
        return None;
    }
    path.push('/');
    Some(path)
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
    use lakegate_model::hive::{PATH_BYTES, is_path, partitions};
    use proptest::prelude::*;

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

    proptest! {
        /// Whatever the values are: a path that every home takes and reads back, or said to be too long.
        #[test]
        fn paths_are_legal_or_too_long(
            values in prop::collection::vec(prop::collection::vec(value_of_any_length(), 3), 1..20),
        ) {
            let column = |at: usize| -> ArrayRef {
                Arc::new(values.iter().map(|row| row[at].as_deref()).collect::<StringArray>())
            };
            let mut paths = Paths::new(values.len());
            for (at, name) in ["a", "b_2", "c"].into_iter().enumerate() {
                paths.append(name, ColumnType::String, &column(at));
            }
            for (row, values) in values.iter().enumerate() {
                let folder = |value: &Option<String>| match value.as_deref() {
                    None | Some("") => DEFAULT_PARTITION.len(),
                    Some(text) => escape(text).len(),
                };
                let lengths = [2 + folder(&values[0]), 4 + folder(&values[1]), 2 + folder(&values[2])];
                let short = lengths.iter().all(|&length| length <= FOLDER_BYTES)
                    && lengths.iter().sum::<usize>() + 3 <= PATH_BYTES;
                prop_assert_eq!(paths.rows[row] != TOO_LONG, short);
                if short {
                    let path = &paths.distinct[paths.rows[row] as usize];
                    prop_assert!(is_path(path), "{path}");
                    let read: Vec<_> = partitions(path).into_iter().map(|(_, value)| value).collect();
                    let told: Vec<_> = values.iter().map(|v| v.clone().filter(|v| !v.is_empty())).collect();
                    let null = |v: &Option<String>| v.as_deref() == Some(DEFAULT_PARTITION);
                    prop_assert!(read == told || values.iter().any(null));
                }
            }
        }
    }

    fn value_of_any_length() -> impl Strategy<Value = Option<String>> {
        let text = (".{0,6}", prop::sample::select(vec![0_usize, 1, 40, 84, 120, 160, 260]))
            .prop_map(|(text, times)| text.repeat(times.max(1)));
        prop::option::of(prop_oneof![
            text,
            prop::collection::vec(any::<char>(), 0..90).prop_map(String::from_iter)
        ])
    }
}
