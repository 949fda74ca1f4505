//! A transform of one's own: an extension, which is a function over the rows of each table.
//!
//! It runs after the spec's derived columns are made and before its filters, checks and partitions, which can
//! all use the columns that are added here. It sees no clock, no files and no network.

use std::sync::Arc;

use lakegate_transform::arrow::array::{AsArray, Int64Array, RecordBatch};
use lakegate_transform::{Changes, ColumnType, Extended, Extension, Rejects};

// Makes the component: `lakegate build`.
lakegate_transform::component!(Extended<Rows>);

/// The extension. This one adds `name_length` to every table with a text column `name`: put yours in its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows;

impl Extension for Rows {
    fn name(&self) -> &'static str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Which columns of a table it adds and which it replaces; asked before any row is read.
    fn changes(&self, _table: &str, columns: &[(String, ColumnType)]) -> Result<Changes, String> {
        // A column whose values are changed is named too: `.replace("name")`.
        if columns.iter().any(|(name, ty)| name == "name" && *ty == ColumnType::String) {
            return Ok(Changes::default().add("name_length", ColumnType::Bigint));
        }
        Ok(Changes::default())
    }

    /// A batch of rows in, the columns that were added or replaced out: as many values as rows.
    fn apply(&self, _table: &str, rows: &RecordBatch, rejects: &mut Rejects) -> Result<RecordBatch, String> {
        let Some(names) = rows.column_by_name("name").and_then(|array| array.as_string_opt::<i32>()) else {
            return Ok(rows.clone());
        };
        let mut lengths = Vec::with_capacity(rows.num_rows());
        for (row, name) in names.iter().enumerate() {
            if name == Some("") {
                // The whole record goes into quarantine, with this reason; it must hold no value of the input.
                rejects.row(row, "the name is empty");
            }
            lengths.push(name.map(|name| name.chars().count() as i64));
        }
        RecordBatch::try_from_iter_with_nullable([(
            "name_length",
            Arc::new(Int64Array::from(lengths)) as _,
            true,
        )])
        .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;
    use lakegate_transform::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
    use lakegate_transform::arrow::datatypes::Int64Type;
    use lakegate_transform::try_on;
    use std::sync::Arc;

    #[test]
    fn names_are_measured_and_an_empty_one_is_rejected() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Ann"), None, Some("")]));
        let rows = RecordBatch::try_from_iter([("name", names)]).unwrap();
        // `try_on` makes the checks that a job makes.
        let (made, rejects) = try_on(&Rows, "people", &rows).unwrap();
        let lengths: Vec<Option<i64>> = made.column(0).as_primitive::<Int64Type>().iter().collect();
        assert_eq!(lengths, [Some(3), None, Some(0)]);
        assert_eq!(rejects.iter().collect::<Vec<_>>(), [(2, "the name is empty")]);
    }
}
