//! Reads the Parquet that the preview made, for the page: schema, statistics, metadata, rows; hashes; and what the SQL
//! engine takes and gives.
//!
//! Not for making a lake's Parquet (the component does). The one decision to know: what the page shows was read from the
//! file and is not remembered from making it. A file stays where the page keeps it, on disk if the browser so
//! decides, and is read through a callback: memory holds a footer and a page of each column.

mod batches;
mod compare;
mod engine;
mod footer;
mod histogram;
mod layout;
mod result;
mod rows;
mod show;
mod types;
mod values;

use std::collections::BTreeMap;
use std::io::{Cursor, Error, Read, Result as IoResult};

use bytes::Bytes;
use js_sys::{Function, Uint8Array};
use lakegate_model::digest::hex;
use lakegate_model::drift::Misfits;
use lakegate_model::output::{self, Head};
use lakegate_model::quarantine::Found;
use lakegate_model::{Contract, Fix, Receipt, report};
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
        hex(&self.0.clone().finalize())
    }
}

/// Digest of a receipt in JSON, whatever the order of its keys: what goes with an upload.
///
/// # Errors
/// It is no receipt.
#[wasm_bindgen(js_name = receiptDigest)]
pub fn receipt_digest(receipt: &str) -> Result<String, JsError> {
    Ok(serde_json::from_str::<Receipt>(receipt)?.digest())
}

/// Judges a report as `lakegate run` does, for transforms that do not: code, message and hint of the problem
/// under this spec, or nothing.
#[wasm_bindgen(js_name = tooManyRejected)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts, below 2^53
pub fn too_many_rejected(spec: &str, rejected: f64, records: f64) -> Option<Vec<String>> {
    // A spec that cannot be read is refused by the component, with line and column.
    let head: Head = output::parse(spec).ok()?;
    let failure = head.output.max_rejected.check(rejected as u64, records as u64).err()?;
    Some(vec![failure.code.into(), failure.message, failure.hint.unwrap_or_default()])
}

/// What is to be said of columns whose type a file has left, a sentence each, as `lakegate run` says it, and the change
/// of the spec that answers it. `reasons` is
/// JSON: why records were rejected at which path, and how many; `contracts` those that they were rejected under; `failed` says that nothing of the file is made.
///
/// # Errors
/// The reasons are none.
#[wasm_bindgen(js_name = driftOf)]
pub fn drift_of(spec: &str, contracts: Vec<String>, reasons: &str, failed: bool) -> Result<JsValue, JsError> {
    /// As `Drift` of the page's messages.
    #[derive(Serialize)]
    struct Said {
        said: String,
        fix: ShownFix,
    }
    #[derive(serde::Deserialize)]
    struct Reason {
        path: Option<String>,
        code: String,
        found: Option<Found>,
        records: u64,
    }
    let mut misfits = Misfits::default();
    for Reason { path, code, found, records } in serde_json::from_str::<Vec<Reason>>(reasons)? {
        misfits.count(path.as_deref().unwrap_or_default(), &code, found, records);
    }
    let contracts = contracts.into_iter().filter_map(|text| Contract::parse(&text).ok());
    let contracts: Vec<Contract> = contracts.collect();
    let drift = misfits.drift(&contracts, spec, failed);
    to_js(
        &drift
            .iter()
            .map(|drift| Said { said: drift.told(""), fix: ShownFix::of(&drift.fix()) })
            .collect::<Vec<_>>(),
    )
}

/// The spec with a fix in it, whose edits are JSON.
///
/// # Errors
/// In one sentence: the spec is no TOML, or has no place for it.
#[wasm_bindgen(js_name = editSpec)]
pub fn edit_spec(spec: &str, edits: &str) -> Result<String, JsError> {
    lakegate_edit::apply(spec, &serde_json::from_str(edits)?).map_err(|said| JsError::new(&said))
}

/// A fix as the page shows it, from the JSON of a report.
///
/// # Errors
/// It is none.
#[wasm_bindgen(js_name = fixOf)]
pub fn fix_of(fix: &str) -> Result<JsValue, JsError> {
    to_js(&ShownFix::of(&serde_json::from_str(fix)?))
}

/// As `Fix` of the page's messages.
#[derive(Serialize)]
struct ShownFix {
    label: String,
    shape: bool,
    edits: String,
}

impl ShownFix {
    fn of(fix: &Fix) -> Self {
        // A list of strings always has a JSON text.
        let edits = serde_json::to_string(fix).unwrap_or_default();
        Self { label: fix.label(), shape: fix.is_of_shape(), edits }
    }
}

/// The spec whose filters reject, to see what they drop; `columns` are those of its tables by name, as JSON.
///
/// # Errors
/// The spec is no TOML.
#[wasm_bindgen(js_name = filtersAsChecks)]
pub fn filters_as_checks(spec: &str, columns: &str) -> Result<String, JsError> {
    let columns: BTreeMap<String, Vec<String>> = serde_json::from_str(columns)?;
    let of = |table: Option<&str>| match table {
        Some(table) => columns.get(table).cloned(),
        None => columns.values().next().cloned(),
    };
    lakegate_edit::as_checks(spec, |table| of(table).unwrap_or_default()).map_err(|said| JsError::new(&said))
}

/// What a spec says of the input, and nothing else, to see how a file is read.
///
/// # Errors
/// The spec is no TOML.
#[wasm_bindgen(js_name = inputAlone)]
pub fn input_alone(spec: &str) -> Result<String, JsError> {
    lakegate_edit::input_alone(spec).map_err(|said| JsError::new(&said))
}

/// What a person should know of records that were rejected after they were learned from: the sentence, or nothing.
/// `rejects` is JSON, a number for each reason.
///
/// # Errors
/// They are none.
#[wasm_bindgen(js_name = learnedFrom)]
pub fn learned_from(rejects: &str) -> Result<Option<Vec<String>>, JsError> {
    let warning = report::learned_from(&serde_json::from_str(rejects)?);
    Ok(warning.map(|warning| vec![warning.code.into_owned(), warning.message]))
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

/// The part files of a table on one side of a comparison.
#[wasm_bindgen]
pub struct Side(compare::Side<Page>);

#[wasm_bindgen]
impl Side {
    /// No rows yet.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)] // for JavaScript only
    pub fn new() -> Self {
        Self(compare::Side::new())
    }

    /// Adds a part file as `Part` takes it; `keys` and `values` are the columns of its path.
    ///
    /// # Errors
    /// It is no Parquet, or `read` throws.
    #[allow(clippy::needless_pass_by_value)] // lists cross from JavaScript as they are
    pub fn add(
        &mut self,
        read: Function,
        length: f64,
        keys: Vec<String>,
        values: Vec<JsValue>,
    ) -> Result<(), JsError> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let page = Page { read, length: length as u64 };
        let values = values.iter().map(JsValue::as_string);
        Ok(self.0.add(page, keys.into_iter().zip(values).collect())?)
    }

    /// How many row groups the part files have.
    pub fn groups(&self) -> usize {
        self.0.groups().len()
    }

    /// Compares a column with that of another side, row by row.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn column(&self, other: &Side, name: &str) -> Result<JsValue, JsError> {
        to_js(&compare::column(&self.0, &other.0, name)?)
    }
}

/// A hash of each row of a side, to find rows that only one side has.
#[wasm_bindgen]
pub struct Hashes(compare::Hashes);

#[wasm_bindgen]
impl Hashes {
    /// Over these columns; those of `texts` are compared as text, because their types differ.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::needless_pass_by_value)] // lists cross from JavaScript as they are
    pub fn new(columns: Vec<String>, texts: Vec<String>) -> Self {
        let columns = columns.into_iter().map(|name| (texts.contains(&name), name));
        Self(compare::Hashes::new(columns.map(|(as_text, name)| (name, as_text)).collect()))
    }

    /// Adds the row group of that number.
    ///
    /// # Errors
    /// A page cannot be read, or there is no such row group.
    pub fn add(&mut self, side: &Side, group: usize) -> Result<(), JsError> {
        let group = side.0.groups().get(group).copied().ok_or_else(|| JsError::new("no such row group"))?;
        Ok(self.0.add(&side.0, group)?)
    }

    /// For each column 1 if both sides hold the same values in whatever order.
    pub fn same(&self, other: &Hashes) -> Vec<u8> {
        self.0.same_columns(&other.0).into_iter().map(u8::from).collect()
    }

    /// Rows that only this side has, and rows that only the other has.
    ///
    /// # Errors
    /// They cannot cross to JavaScript.
    pub fn only(&self, other: &Hashes) -> Result<JsValue, JsError> {
        to_js(&self.0.only(&other.0))
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
#[derive(Clone)]
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
        Ok(Ahead { page: self.clone(), next: start, buffer: Cursor::default() })
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

#[cfg(test)]
mod tests {
    use super::too_many_rejected;

    #[test]
    fn a_report_is_judged_as_a_run_judges_it() {
        let spec = "[output]\nmax_rejected = { share = \"5%\", floor = 1 }\n";
        for (spec, rejected, records, refused) in
            [("", 1.0, 3.0, false), ("", 2.0, 3.0, true), (spec, 1.0, 2.0, false), (spec, 2.0, 39.0, true)]
        {
            let told = too_many_rejected(spec, rejected, records);
            assert_eq!(told.map(|told| told[0].clone()), refused.then(|| "too_many_rejected".to_owned()));
        }
        assert_eq!(too_many_rejected("[output", 3.0, 3.0), None);
    }
}
