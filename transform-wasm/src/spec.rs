//! The spec, `transform.toml`: what a transform is told to do for one pipeline.
//!
//! For: reading the text into a checked structure whose illegal values cannot be built. Not for:
//! agreeing types (see `contract`) or compiling SQL (see `expr`; it needs the contract's columns).
//! The decision to know: unknown keys are errors with line and column, since a misspelt key that is
//! ignored loses data silently.

use serde::Deserialize;

use crate::column::ColumnType;
use crate::error::{Failure, Place};
use crate::limits::Limits;
use crate::names::Naming;

mod check;

/// Highest spec version this code reads.
pub const SPEC_VERSION: u32 = 1;

/// A whole spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// Version of the spec's form; 1.
    pub version: Option<u32>,
    /// How the input is read.
    pub input: Input,
    /// How the output is made.
    pub output: Output,
    /// Limits that differ from the defaults.
    pub limits: Limits,
    /// The tables; none means one table with everything learned.
    #[serde(rename = "table")]
    pub tables: Vec<Table>,
}

/// Form of the input; `Auto` is detected from the bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Detected from the first bytes.
    #[default]
    Auto,
    /// One document, an array of records, or records one after the other.
    Json,
    /// One record a line.
    Ndjson,
    /// Comma (or another delimiter) separated.
    Csv,
    /// Tab separated.
    Tsv,
}

/// Compression of the input.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum InputCompression {
    /// Detected from the first bytes.
    #[default]
    Auto,
    /// Not compressed.
    None,
    /// Gzip, also of several members.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Character encoding of CSV input.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, the only one JSON has.
    #[default]
    #[serde(rename = "utf-8", alias = "utf8")]
    Utf8,
    /// ISO 8859-1.
    #[serde(rename = "latin1", alias = "iso-8859-1")]
    Latin1,
}

/// `[input]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// Form of the input.
    pub format: Format,
    /// Compression of the input.
    pub compression: InputCompression,
    /// Character encoding (CSV only).
    pub encoding: Encoding,
    /// Dotted path or JSON pointer of the array that holds the records.
    pub records: Option<String>,
    /// CSV delimiter, one ASCII character; detected when absent.
    pub delimiter: Option<char>,
    /// CSV quote, one ASCII character.
    pub quote: char,
    /// Whether the first CSV record names the columns.
    pub header: bool,
    /// Column names when there is no header.
    pub columns: Vec<String>,
    /// Decimal sign of CSV numbers, `.` or `,`.
    pub decimal: char,
    /// CSV texts that mean null, beside the empty field.
    pub null_values: Vec<String>,
    /// Offset of zone-less timestamps, `+02:00`; UTC when absent.
    pub timezone: Option<String>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            compression: InputCompression::Auto,
            encoding: Encoding::Utf8,
            records: None,
            delimiter: None,
            quote: '"',
            header: true,
            columns: Vec::new(),
            decimal: '.',
            null_values: Vec::new(),
            timezone: None,
        }
    }
}

/// Compression of part files.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PartCompression {
    /// Snappy: every reader has it and it is quick in a sandbox.
    #[default]
    Snappy,
    /// No compression.
    None,
}

/// What a new version of the same source object does to the rows of the old one; the host acts on it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnReupload {
    /// The new rows take the place of the old ones.
    #[default]
    Replace,
    /// The new rows are added.
    Append,
}

/// `[output]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// `"5%"` or a number of records: more rejected records fail the whole object.
    pub max_rejected: Option<MaxRejectedText>,
    /// What a re-upload does.
    pub on_reupload: OnReupload,
    /// Compression of part files.
    pub compression: PartCompression,
}

/// `max_rejected` as written: text or a plain number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum MaxRejectedText {
    /// A number of records.
    Count(u64),
    /// A text such as `"5%"` or `"100"`.
    Text(String),
}

/// How many rejected records an object may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRejected {
    /// At most this many.
    Count(u64),
    /// At most this share of the records, in percent.
    Percent(f64),
}

impl MaxRejected {
    /// Whether `rejected` of `records` is too many.
    pub fn passed(self, rejected: u64, records: u64) -> bool {
        match self {
            Self::Count(most) => rejected > most,
            Self::Percent(most) => rejected as f64 * 100.0 > most * records as f64,
        }
    }
}

/// What happens to a path that the contract does not know.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The contract grows.
    #[default]
    Evolve,
    /// The record is rejected.
    Freeze,
    /// The value is dropped and counted.
    Discard,
}

/// How numbers are learned.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// Integers as bigint, others as double.
    #[default]
    Exact,
    /// Every number as double, for feeds whose prices may come whole.
    Double,
}

/// What an empty, null or missing exploded array does.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// The parent stays as one row with nulls.
    #[default]
    Keep,
    /// The parent makes no row; counted as filtered.
    Drop,
}

/// `drop_nulls`: every column, or some.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum DropNulls {
    /// `true`: every column; `false`: none.
    All(bool),
    /// The named columns.
    Columns(Vec<String>),
}

/// `[[table]]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// Table name; may be absent when there is one table.
    pub name: Option<String>,
    /// Path of the array that makes one row per element.
    pub rows: Option<String>,
    /// What an empty array does.
    pub empty: Empty,
    /// What an unknown path does.
    pub mode: Mode,
    /// How learned columns are named.
    pub names: Naming,
    /// How numbers are learned.
    pub numbers: Numbers,
    /// Partition columns: names, or SQL `AS` name.
    pub partition_by: Vec<String>,
    /// Rows with a null in these columns are dropped.
    pub drop_nulls: Option<DropNulls>,
    /// SQL condition: rows for which it is not true are dropped.
    pub filter: Option<String>,
    /// Declared columns.
    #[serde(rename = "column")]
    pub columns: Vec<DeclaredColumn>,
    /// Derived columns.
    #[serde(rename = "derive")]
    pub derives: Vec<Derive>,
    /// Checks.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

/// `[[table.column]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredColumn {
    /// Name in the table.
    pub name: String,
    /// Dotted path or JSON pointer; the name when absent.
    pub from: Option<String>,
    /// Type; learned when absent.
    #[serde(default, rename = "type")]
    pub ty: Option<TypeName>,
    /// Form of dates and timestamps.
    pub format: Option<String>,
    /// Whether a text such as `"12"` is accepted for a number or boolean.
    #[serde(default)]
    pub cast: bool,
}

/// A column type as a spec writes it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct TypeName(pub ColumnType);

impl TryFrom<String> for TypeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ColumnType::parse(&text).map(TypeName).ok_or_else(|| {
            format!(
                "unknown type `{text}`, expected one of boolean, bigint, double, decimal(p,s), string, date, timestamp, json"
            )
        })
    }
}

/// `[[table.derive]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derive {
    /// Name of the new column.
    pub name: String,
    /// SQL expression over the table's columns.
    pub sql: String,
    /// Type, when it should not be the expression's own.
    #[serde(default, rename = "type")]
    pub ty: Option<TypeName>,
}

/// What a failed check does.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnFail {
    /// Counted and reported.
    Warn,
    /// The record is rejected.
    #[default]
    Reject,
    /// The source object fails.
    Fail,
}

impl OnFail {
    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Reject => "reject",
            Self::Fail => "fail",
        }
    }
}

/// `[[table.check]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Name, for reports.
    pub name: String,
    /// SQL condition; a row fails where it is false (null passes, as in SQL).
    pub sql: String,
    /// What a failure does.
    #[serde(default)]
    pub on_fail: OnFail,
}

impl Spec {
    /// Reads and checks a spec. The empty text is the spec that learns everything.
    ///
    /// # Errors
    /// [`Failure`] with fault `spec`, line and column.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let spec: Self = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        spec.check().map_err(|mistake| mistake.failure(text))?;
        spec.max_rejected()?;
        Ok(spec)
    }

    /// The bound on rejected records; 5 % unless the spec says otherwise.
    ///
    /// # Errors
    /// Fault `spec` when the text is neither a number nor a percentage.
    pub fn max_rejected(&self) -> Result<MaxRejected, Failure> {
        let text = match &self.output.max_rejected {
            None => return Ok(MaxRejected::Percent(5.0)),
            Some(MaxRejectedText::Count(count)) => return Ok(MaxRejected::Count(*count)),
            Some(MaxRejectedText::Text(text)) => text.trim(),
        };
        let parsed = match text.strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|p| (0.0..=100.0).contains(p))
                .map(MaxRejected::Percent),
            None => text.parse().ok().map(MaxRejected::Count),
        };
        parsed.ok_or_else(|| {
            Failure::spec(
                "spec_invalid",
                format!("max_rejected = \"{text}\" is neither a share nor a number"),
            )
            .hint("write \"5%\" or a number of records such as 100")
        })
    }
}

impl Table {
    /// Whether every column is declared with its type and nothing else can come: the contract then
    /// follows from the spec alone.
    pub fn is_closed(&self) -> bool {
        self.mode != Mode::Evolve && !self.columns.is_empty() && self.columns.iter().all(|c| c.ty.is_some())
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> Failure {
    let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    Failure::spec("spec_invalid", message).at(place)
}

/// Line and column of a byte of the spec's text.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Place {
        line: Some(before.matches('\n').count() as u64 + 1),
        column: Some(before[line_start..].chars().count() as u64 + 1),
        ..Place::default()
    }
}
