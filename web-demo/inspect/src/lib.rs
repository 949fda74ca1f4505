//! Reads the Parquet that the preview made, for the page: schema, statistics, metadata, rows; and hashes.
//!
//! Not for making Parquet (the component does). The one decision to know: what the page shows was read from the
//! file and is not remembered from making it. A file stays where the page keeps it, on disk if the browser so
//! decides, and is read through a callback: memory holds a footer and a page of each column.

mod footer;
mod histogram;
mod rows;
mod show;
mod types;

use std::io::{Cursor, Error, Read, Result as IoResult};

use bytes::Bytes;
use js_sys::{Function, Uint8Array};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, FileReader, Length};
use parquet::file::serialized_reader::SerializedFileReader;
use serde::Serialize;
use sha2::Digest;
use wasm_bindgen::prelude::*;

/// How many bytes a sequential reader asks of the page at once: a page header is far smaller, so that what is
/// read in vain stays below a data page.
const READ_AHEAD: u64 = 16 << 10;

/// SHA-256 over chunks, which the browser's own cannot.
#[wasm_bindgen]
#[derive(Default)]
pub struct Sha256(sha2::Sha256);

#[wasm_bindgen]
impl Sha256 {
    /// A digest of nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, chunk: &[u8]) {
        self.0.update(chunk);
    }

    /// The digest of all bytes so far, lower-case hex.
    pub fn hex(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One Parquet file.
#[wasm_bindgen]
pub struct Part {
    reader: SerializedFileReader<Page>,
}

#[wasm_bindgen]
impl Part {
    /// Opens a file of `length` bytes; `read(offset, length)` answers with a `Uint8Array`.
    ///
    /// # Errors
    /// It is no Parquet, or `read` throws.
    #[wasm_bindgen(constructor)]
    pub fn new(read: Function, length: f64) -> Result<Part, JsError> {
        // Lengths of files are whole and below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let page = Page { read, length: length as u64 };
        Ok(Self { reader: SerializedFileReader::new(page)? })
    }

    /// What its footer says, as `Footer` of the page's messages.
    ///
    /// # Errors
    /// It cannot cross to JavaScript.
    pub fn footer(&self) -> Result<JsValue, JsError> {
        to_js(&footer::of(&self.reader))
    }

    /// Rows from `offset` on, at most `count`: one array of texts (or null) a column.
    ///
    /// # Errors
    /// A page of it cannot be read.
    pub fn rows(&self, offset: f64, count: u32) -> Result<JsValue, JsError> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        to_js(&rows::read(&self.reader, offset as u64, count as usize)?)
    }
}

/// How a column's values are spread over the part files of a table.
#[wasm_bindgen]
pub struct Histogram(Option<histogram::Histogram>, u32);

#[wasm_bindgen]
impl Histogram {
    /// Of column number `column`, over at most `rows` rows.
    #[wasm_bindgen(constructor)]
    pub fn new(column: u32, rows: u32) -> Self {
        Self(Some(histogram::Histogram::new(column as usize, rows as usize)), column)
    }

    /// Adds a part file; true while there is room for more rows.
    ///
    /// # Errors
    /// A page of it cannot be read.
    pub fn add(&mut self, part: &Part) -> Result<bool, JsError> {
        Ok(self.0.as_mut().map(|histogram| histogram.add(&part.reader)).transpose()?.unwrap_or(false))
    }

    /// The picture, as `Picture` of the page's messages; `part` is one of those that were added. Null if it was
    /// asked for before.
    ///
    /// # Errors
    /// It cannot cross to JavaScript.
    pub fn picture(&mut self, part: &Part) -> Result<JsValue, JsError> {
        let descriptor = part.reader.metadata().file_metadata().schema_descr().column(self.1 as usize);
        to_js(&self.0.take().map(|histogram| histogram.picture(&descriptor)))
    }
}

/// Texts and numbers as JavaScript has them: no maps, and null where there is none.
fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsError> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| JsError::new(&error.to_string()))
}

/// A file that the page keeps.
struct Page {
    read: Function,
    length: u64,
}

impl Page {
    #[allow(clippy::cast_precision_loss)] // below 2^53, see `Part::new`
    fn bytes(&self, offset: u64, length: u64) -> ParquetResult<Bytes> {
        let (offset, length) = (JsValue::from_f64(offset as f64), JsValue::from_f64(length as f64));
        let answer = self.read.call2(&JsValue::NULL, &offset, &length);
        let answer = answer.map_err(|_| ParquetError::General("the page cannot read its file".into()))?;
        Ok(Uint8Array::new(&answer).to_vec().into())
    }
}

impl Length for Page {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Page {
    type T = Ahead;

    fn get_read(&self, start: u64) -> ParquetResult<Ahead> {
        let page = Page { read: self.read.clone(), length: self.length };
        Ok(Ahead { page, next: start, buffer: Cursor::default() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.bytes(start, length as u64)
    }
}

/// Reads on from an offset, a little ahead: headers are read byte by byte.
struct Ahead {
    page: Page,
    next: u64,
    buffer: Cursor<Bytes>,
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        let count = self.buffer.read(into)?;
        let wanted = READ_AHEAD.min(self.page.length.saturating_sub(self.next));
        if count > 0 || wanted == 0 || into.is_empty() {
            return Ok(count);
        }
        self.buffer = Cursor::new(self.page.bytes(self.next, wanted).map_err(Error::other)?);
        self.next += wanted;
        self.buffer.read(into)
    }
}
