//! The first rows of part files as a table.
//!
//! For: `preview`. Not for: counting or summing rows (footers know that). The decision to know: values
//! of partition columns are in the path and not in the file, so they are put back from the path, and
//! a null is shown as such and never as an empty text.

use crate::show::footer::show;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, visible};
use arrow::record_batch::RecordBatch;
use lakegate_base::{Code, Error};
use lakegate_model::hive;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use serde_json::{Map, Value};

/// What a null looks like in a table.
const NULL: &str = "null";

/// Rows of one table, values as text.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    names: Vec<String>,
    /// Whether a column's values are numbers, aligned to the right.
    numeric: Vec<bool>,
    rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// Number of rows held.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Reads rows of `part` until `limit` rows are held. `partition` is the part's Hive path.
    ///
    /// # Errors
    /// The part is no Parquet: the transform is at fault.
    pub fn add<T: ChunkReader + 'static>(
        &mut self,
        part: T,
        partition: &str,
        limit: usize,
    ) -> Result<(), Error> {
        let missing = limit.saturating_sub(self.rows.len());
        if missing == 0 {
            return Ok(());
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(part)
            .and_then(|builder| builder.with_limit(missing).with_batch_size(missing.min(1024)).build())
            .map_err(|error| unreadable(&error.to_string()))?;
        let keys: Vec<(String, Option<String>)> = hive::partitions(partition);
        for batch in reader {
            let batch = batch.map_err(|error| unreadable(&error.to_string()))?;
            if self.names.is_empty() {
                self.head(&batch, &keys);
            }
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter().map(|column| show(column, row));
                self.rows.push(values.chain(keys.iter().map(|(_, value)| value.clone())).collect());
            }
        }
        Ok(())
    }

    fn head(&mut self, batch: &RecordBatch, keys: &[(String, Option<String>)]) {
        for field in batch.schema().fields() {
            self.names.push(field.name().clone());
            self.numeric.push(field.data_type().is_numeric());
        }
        for (name, _) in keys {
            self.names.push(name.clone());
            self.numeric.push(false);
        }
    }

    /// As a table, as wide as the screen allows.
    pub fn render(&self, screen: Screen) -> String {
        let titles: Vec<String> = self
            .names
            .iter()
            .zip(&self.numeric)
            .map(|(name, numeric)| format!("{}{}", if *numeric { ">" } else { "" }, visible(name)))
            .collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let mut grid = Grid::new(&titles).of(Holds::Values);
        for row in &self.rows {
            let cells = row.iter().map(|value| match value {
                Some(value) => visible(value).into(),
                None => Cell::new(Tone::Dim, NULL),
            });
            grid.row(cells.collect());
        }
        grid.render(screen)
    }

    /// As objects, values as text.
    pub fn json(&self) -> Value {
        let object = |row: &Vec<Option<String>>| {
            let pairs = self.names.iter().cloned().zip(row.iter().map(|value| Value::from(value.clone())));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }
}

fn unreadable(message: &str) -> Error {
    Error::new(Code::BadPart, format!("the transform made a part file that cannot be read: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_no_empty_texts() {
        let rows = Rows {
            names: vec!["name".into(), "price".into()],
            numeric: vec![false, true],
            rows: vec![vec![Some(String::new()), Some("1.5".into())], vec![Some("a".into()), None]],
        };
        assert_eq!(rows.render(Screen::default()), "  name  price\n          1.5\n  a      null\n");
        assert_eq!(rows.json()[1], serde_json::json!({"name": "a", "price": null}));
    }
}
