//! What the worker between part files and the SQL engine calls: batches of a file, and the file of a result.
//!
//! Not for what they hold (`batches`, `result`). The one decision to know: a column crosses as its buffers, one copy
//! each way, so that no value becomes one of JavaScript's.

use js_sys::{Array, Function, Int32Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::layout::{Buffers, Layout};
use crate::{Page, batches, result};

/// A part file from its first row to its last, in the layout that the SQL engine takes.
#[wasm_bindgen]
pub struct Batches(batches::Batches<Page>, Vec<Buffers>);

#[wasm_bindgen]
impl Batches {
    /// Opens a file as `Part` does.
    ///
    /// # Errors
    /// It is no Parquet, `read` throws, or a column has a type that no transform writes.
    #[wasm_bindgen(constructor)]
    pub fn new(read: Function, length: f64) -> Result<Batches, JsError> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let page = Page { read, length: length as u64 };
        Ok(Self(batches::Batches::new(page)?, Vec::new()))
    }

    /// The layout of each column, see `Layout`.
    pub fn layouts(&self) -> Vec<String> {
        self.0.layouts().iter().map(|layout| layout.name()).collect()
    }

    /// Reads the next rows, at most `count`, and answers how many there are: none at the end.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn next(&mut self, count: u32) -> Result<u32, JsError> {
        self.1 = self.0.next(count as usize)?.unwrap_or_default();
        let rows = self.1.first().map_or(0, |column| column.rows);
        Ok(u32::try_from(rows)?)
    }

    /// A column of these rows: how many are null, which are not (a bit each), the values, where each ends.
    pub fn column(&self, index: usize) -> Option<Array> {
        let column = self.1.get(index)?;
        #[allow(clippy::cast_precision_loss)] // a count of rows
        let nulls = JsValue::from_f64(column.nulls as f64);
        let valid = Uint8Array::from(column.valid.as_slice());
        let values = Uint8Array::from(column.values.as_slice());
        let ends = Int32Array::from(column.ends.as_slice());
        Some(Array::of4(&nulls, &valid, &values, &ends))
    }
}

/// A query's result as a Parquet file.
#[wasm_bindgen]
pub struct ResultFile(result::ResultFile);

#[wasm_bindgen]
impl ResultFile {
    /// Of columns with these names and layouts, see `Layout`.
    ///
    /// # Errors
    /// There is no such layout.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::needless_pass_by_value)] // lists cross from JavaScript as they are
    pub fn new(names: Vec<String>, layouts: Vec<String>) -> Result<ResultFile, JsError> {
        let layouts = layouts.iter().map(|name| Layout::named(name).ok_or_else(|| JsError::new(name)));
        let columns: Vec<_> = names.into_iter().zip(layouts.collect::<Result<Vec<_>, _>>()?).collect();
        Ok(Self(result::ResultFile::new(&columns)?))
    }

    /// Adds values to a column of the next row group: how many, which are not null (a bit each; none: all of them), the
    /// values, 0 and where each ends.
    ///
    /// # Errors
    /// They are cut off.
    pub fn add(
        &mut self,
        column: usize,
        rows: usize,
        valid: Vec<u8>,
        values: Vec<u8>,
        ends: Vec<i32>,
    ) -> Result<(), JsError> {
        Ok(self.0.add(column, &Buffers { rows, nulls: 0, valid, values, ends })?)
    }

    /// Writes the row group, and answers with the file's next bytes.
    ///
    /// # Errors
    /// Its columns are of different lengths.
    pub fn write(&mut self) -> Result<Vec<u8>, JsError> {
        self.0.write()?;
        Ok(self.0.take())
    }

    /// Ends the file, and answers with its last bytes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> Result<Vec<u8>, JsError> {
        self.0.finish()?;
        Ok(self.0.take())
    }
}
