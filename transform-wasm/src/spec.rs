//! The spec, `transform.toml`: what a transform is told to do for one pipeline.
//!
//! For: reading the text into a checked structure whose illegal values cannot be built. Not for:
//! agreeing types (see `contract`) or compiling SQL (see `expr`; it needs the contract's columns).
//! The decision to know: unknown keys are errors with line and column, since a misspelt key that is
//! ignored loses data silently.

use lakegate_model::output;
pub use lakegate_model::output::{OnReupload, Output, PartCompression};
use serde::Deserialize;

use crate::column::ColumnType;
use crate::error::Failure;
use crate::limits::Limits;
use crate::names::Naming;
pub use lakegate_model::MaxRejected;

mod check;
mod column;
mod rows;
mod widths;
mod words;

pub use rows::{RowsPath, positions, texts};
pub use widths::Widths;
pub use words::{Encoding, LongRows, NamedConvention, QuotedEmpty, ShortRows};

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
    /// bzip2.
    Bzip2,
    /// An archive whose files are read one after the other.
    Zip,
}

/// `[input]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// Form of the input.
    pub format: Format,
    /// Compression of the input.
    pub compression: InputCompression,
    /// How the text is encoded.
    pub encoding: Encoding,
    /// Path or JSON pointer of the array that holds the records; with a last `*`, of the object whose members they are.
    pub records: Option<String>,
    /// Column that the key of such a member makes; `key` when absent.
    pub key: Option<String>,
    /// Path of the names that arrays of values have, in the document that holds them.
    pub columns_at: Option<String>,
    /// Paths of texts that hold JSON.
    pub parse_json: Vec<String>,
    /// How the program that wrote the records writes what JSON lacks.
    pub conventions: Vec<NamedConvention>,
    /// CSV delimiter, one ASCII character or some; detected when absent.
    pub delimiter: Option<String>,
    /// CSV quote, one ASCII character; `none` where a quote is text.
    pub quote: String,
    /// What makes text of a quote, a delimiter or a line end behind it.
    pub escape: Option<char>,
    /// Lines before the header that are none of the table.
    pub skip_lines: usize,
    /// What the header begins with: lines before it are none of the table.
    pub header_at: Option<String>,
    /// The pattern that the header matches, instead.
    pub header_matches: Option<String>,
    /// Lines at the end that are none of the table.
    pub footer_lines: usize,
    /// What the first line begins with that is none of the table any more.
    pub footer_at: Option<String>,
    /// Whether an empty last field, that only the header or only the rows have, is none.
    pub trailing_delimiter: bool,
    /// What becomes of records with fewer fields than the header.
    pub short_rows: ShortRows,
    /// What becomes of records with more fields.
    pub long_rows: LongRows,
    /// What an empty field in quotes is.
    pub quoted_empty: QuotedEmpty,
    /// What begins a CSV line that is a comment; `none` where none is one; detected when absent.
    pub comment: Option<String>,
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
            encoding: Encoding::default(),
            records: None,
            key: None,
            columns_at: None,
            parse_json: Vec::new(),
            conventions: Vec::new(),
            delimiter: None,
            quote: "\"".into(),
            escape: None,
            skip_lines: 0,
            header_at: None,
            header_matches: None,
            footer_lines: 0,
            footer_at: None,
            trailing_delimiter: false,
            short_rows: ShortRows::Reject,
            long_rows: LongRows::Reject,
            quoted_empty: QuotedEmpty::Null,
            comment: None,
            header: true,
            columns: Vec::new(),
            decimal: '.',
            null_values: Vec::new(),
            timezone: None,
        }
    }
}

impl Input {
    /// What [`Input::comment`] and [`Input::quote`] say where there are none.
    pub const NOTHING: &str = "none";

    /// The quote; nothing where there is none.
    pub fn quote_sign(&self) -> Option<u8> {
        if self.quote == Self::NOTHING { None } else { self.quote.bytes().next() }
    }

    /// Whether what the text begins with is none of its table, which only a CSV has.
    pub fn has_preamble(&self) -> bool {
        self.skip_lines > 0 || self.header_at.is_some() || self.header_matches.is_some()
    }

    /// Whether records are the members of an object.
    pub fn has_keys(&self) -> bool {
        self.records
            .as_deref()
            .is_some_and(|path| path == "*" || path.ends_with(".*") || path.ends_with("/*"))
    }

    /// Whether something stands outside a record and belongs to it: its key, or names of its values.
    pub fn has_beside(&self) -> bool {
        self.has_keys() || self.columns_at.is_some() || !self.columns.is_empty()
    }

    /// What begins a comment, empty where nothing does; none where it is to be detected.
    pub fn comment_prefix(&self) -> Option<&[u8]> {
        let text = self.comment.as_deref()?;
        Some(if text == Self::NOTHING { b"" } else { text.as_bytes() })
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

/// What happens to a value that does not fit its column.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnMisfit {
    /// The record is rejected.
    #[default]
    Reject,
    /// The row stays, with null there, and the value goes into `_rescued`.
    Rescue,
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
    /// What a value does that does not fit its column.
    pub on_misfit: OnMisfit,
    /// How learned columns are named.
    pub names: Naming,
    /// How numbers are learned.
    pub numbers: Numbers,
    /// Levels of objects that become columns, the record's own keys being the first; deeper objects are JSON.
    pub flatten_depth: Option<usize>,
    /// Columns that an object below the record may make before it is one JSON column instead.
    pub flatten_keys: Option<usize>,
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
    /// Texts that mean null in this column, instead of those of the input.
    pub null_values: Option<Vec<String>>,
    /// Texts that mean true.
    pub true_values: Option<Vec<String>>,
    /// Texts that mean false.
    pub false_values: Option<Vec<String>>,
    /// Whether blanks around a text are taken off.
    #[serde(default)]
    pub trim: bool,
    /// What stands between groups of three digits.
    pub thousands: Option<char>,
    /// Decimal sign of texts, instead of the input's.
    pub decimal: Option<char>,
    /// Texts that are taken off either end of a number.
    #[serde(default)]
    pub strip: Vec<String>,
    /// Whether a number in parentheses is negative.
    #[serde(default)]
    pub accounting: bool,
    /// What of its values may be seen.
    pub mask: Option<Mask>,
    /// Whether it is written; if not, expressions can use it all the same.
    #[serde(default = "yes")]
    pub output: bool,
}

const fn yes() -> bool {
    true
}

/// What of a column's values may be seen; nothing else of them goes anywhere.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Nothing: each is null.
    Null,
    /// The last four characters of a text.
    Last4,
    /// Not even that there is such a column: it is read, and not written.
    Drop,
}

impl Mask {
    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Last4 => "last4",
            Self::Drop => "drop",
        }
    }
}

/// Whether an expression has `name` as a word.
pub fn reads(sql: &str, name: &str) -> bool {
    sql.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
}

impl DeclaredColumn {
    /// Whether it is read and not written.
    pub fn is_hidden(&self) -> bool {
        !self.output || self.mask == Some(Mask::Drop)
    }

    /// The path that it reads, as the spec writes it.
    pub fn path(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// A column type as a spec writes it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct TypeName(pub ColumnType);

impl TryFrom<String> for TypeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ColumnType::parse(&text)
            .map(TypeName)
            .ok_or_else(|| format!("unknown type `{text}`, expected one of {}", ColumnType::NAMES))
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
        let spec: Self = output::parse(text)?;
        spec.check().map_err(|mistake| mistake.failure(text))?;
        Ok(spec)
    }

    /// Whether some column is masked: then no raw record is kept anywhere.
    pub fn has_masks(&self) -> bool {
        self.tables.iter().flat_map(|table| &table.columns).any(|column| column.mask.is_some())
    }

    /// The bound on rejected records.
    pub fn max_rejected(&self) -> MaxRejected {
        self.output.max_rejected.unwrap_or_default()
    }
}

/// Columns that an object makes at most, where a spec does not say: tables of people are narrower.
const FLATTEN_KEYS: usize = 64;

impl Table {
    /// JSON pointer of the array that makes rows: of the first, where there are several levels.
    pub fn rows_pointer(&self) -> Option<String> {
        self.rows.as_deref().map(|rows| RowsPath::parse(rows).pointer())
    }

    /// Whether a derived column replaces the one that it reads under the same name.
    pub fn replaces(&self, name: &str) -> bool {
        self.derives.iter().any(|derive| derive.name == name && reads(&derive.sql, name))
    }

    /// Columns that an object below the record may make.
    pub fn most_keys(&self) -> usize {
        self.flatten_keys.unwrap_or(FLATTEN_KEYS)
    }

    /// Whether every column is declared with its type and nothing else can come: the contract then
    /// follows from the spec alone.
    pub fn is_closed(&self) -> bool {
        self.mode != Mode::Evolve && !self.columns.is_empty() && self.columns.iter().all(|c| c.ty.is_some())
    }
}
