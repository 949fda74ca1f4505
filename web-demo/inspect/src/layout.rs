//! How a column's values lie in memory, as Arrow has it: what the SQL engine takes, and what it gives.
//!
//! Not for reading or writing them (`batches`, `result`). The one decision to know: only the names and widths of
//! Arrow are here, not its crates: the page has Arrow in JavaScript for the engine anyway, and waits for every byte of
//! this crate.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A bit a value.
    Boolean,
    /// So many bits a value, and whether they have a sign.
    Integer(u8, bool),
    /// 32 bits.
    Float,
    /// 64 bits.
    Double,
    /// Days since 1970-01-01.
    Date,
    /// Ticks since 1970-01-01; so many digits of a second.
    Timestamp(u8),
    /// Microseconds since 1970-01-01 UTC.
    Instant,
    /// Microseconds since midnight.
    Time,
    /// Digits, and how many of them are behind the point: 128 bits.
    Decimal(u8, u8),
    /// Bytes of UTF-8, and where each value ends.
    Text,
    /// Bytes, and where each value ends.
    Binary,
}

impl Layout {
    /// Of a column of a file; none for what no transform writes.
    pub fn of(column: &ColumnDescriptor) -> Option<Self> {
        Some(match (column.physical_type(), column.logical_type_ref()) {
            (Type::INT96, _) => return None,
            // Those of any length, or of more than 128 bits.
            (Type::BYTE_ARRAY, Some(LogicalType::Decimal(_))) => return None,
            (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Decimal(_))) if column.type_length() > 16 => {
                return None;
            }
            (_, Some(LogicalType::Decimal(decimal))) => {
                Self::Decimal(u8::try_from(decimal.precision).ok()?, u8::try_from(decimal.scale).ok()?)
            }
            (_, Some(LogicalType::Date)) => Self::Date,
            (_, Some(LogicalType::Timestamp(time))) => Self::Timestamp(match time.unit {
                TimeUnit::MILLIS => 3,
                TimeUnit::MICROS => 6,
                TimeUnit::NANOS => 9,
            }),
            (Type::BOOLEAN, _) => Self::Boolean,
            (Type::INT32, _) => Self::Integer(32, true),
            (Type::INT64, _) => Self::Integer(64, true),
            (Type::FLOAT, _) => Self::Float,
            (Type::DOUBLE, _) => Self::Double,
            (_, Some(LogicalType::String | LogicalType::Json)) => Self::Text,
            (_, None) if column.converted_type() == ConvertedType::UTF8 => Self::Text,
            _ => Self::Binary,
        })
    }

    /// As the page names it, for example `integer(64,1)` or `decimal(20,2)`.
    pub fn name(self) -> String {
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Integer(bits, signed) => format!("integer({bits},{})", u8::from(signed)),
            Self::Float => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp(digits) => format!("timestamp({digits})"),
            Self::Instant => "instant".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Text => "text".to_owned(),
            Self::Binary => "binary".to_owned(),
        }
    }

    /// What `name` names.
    pub fn named(name: &str) -> Option<Self> {
        let (word, rest) = name.split_once('(').unwrap_or((name, ")"));
        let numbers: Vec<u8> =
            rest.strip_suffix(')')?.split(',').filter_map(|part| part.parse().ok()).collect();
        Some(match (word, numbers.as_slice()) {
            ("boolean", []) => Self::Boolean,
            ("integer", &[bits @ (8 | 16 | 32 | 64), signed]) => Self::Integer(bits, signed != 0),
            ("float", []) => Self::Float,
            ("double", []) => Self::Double,
            ("date", []) => Self::Date,
            ("timestamp", &[digits @ (3 | 6 | 9)]) => Self::Timestamp(digits),
            ("instant", []) => Self::Instant,
            ("time", []) => Self::Time,
            ("decimal", &[precision @ 1..=38, scale]) if scale <= precision => {
                Self::Decimal(precision, scale)
            }
            ("text", []) => Self::Text,
            ("binary", []) => Self::Binary,
            _ => return None,
        })
    }

    /// Bytes of a value; none for bits and for values of any length.
    pub fn width(self) -> Option<usize> {
        Some(match self {
            Self::Boolean | Self::Text | Self::Binary => return None,
            Self::Integer(bits, _) => usize::from(bits / 8),
            Self::Float | Self::Date => 4,
            Self::Double | Self::Timestamp(_) | Self::Instant | Self::Time => 8,
            Self::Decimal(..) => 16,
        })
    }
}

/// Some values of one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// How many.
    pub rows: usize,
    /// A bit a value, 1 unless it is null; empty where none is.
    pub valid: Vec<u8>,
    /// How many are null.
    pub nulls: usize,
    /// The values; zeros for null.
    pub values: Vec<u8>,
    /// 0, then where each value ends; empty for fixed widths.
    pub ends: Vec<i32>,
}

impl Buffers {
    /// Room for `rows` values.
    pub fn new(layout: Layout, rows: usize) -> Self {
        let values = Vec::with_capacity(layout.width().map_or(rows / 8 + 1, |width| rows * width));
        let ends = if matches!(layout, Layout::Text | Layout::Binary) { vec![0] } else { Vec::new() };
        Self { values, ends, ..Self::default() }
    }

    /// Whether a value is there.
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.is_empty() || bit(&self.valid, row)
    }

    /// Counts the next value.
    pub fn count(&mut self, present: bool) {
        if present && self.valid.is_empty() {
            self.rows += 1;
            return;
        }
        if self.valid.is_empty() {
            // The first null: all before it are values.
            self.valid = vec![0xff; self.rows / 8];
            self.valid.push((1 << (self.rows % 8)) - 1);
        }
        if present {
            set(&mut self.valid, self.rows);
        } else {
            self.valid.resize(self.valid.len().max(self.rows / 8 + 1), 0);
            self.nulls += 1;
        }
        self.rows += 1;
    }
}

/// Adds values to others of their layout.
///
/// # Errors
/// They are fewer than they are said to be.
pub fn append(layout: Layout, into: &mut Buffers, more: &Buffers) -> Result<()> {
    let cut = || ParquetError::EOF("values that are cut off".into());
    for row in 0..more.rows {
        if layout == Layout::Boolean && bit(&more.values, row) {
            set(&mut into.values, into.rows);
        }
        into.count(more.is_valid(row));
    }
    let (from, to) = match (layout.width(), layout) {
        (Some(width), _) => (0, more.rows * width),
        (None, Layout::Boolean) => return Ok(()),
        _ => {
            let ends = more.ends.get(..=more.rows).ok_or_else(cut)?;
            let (first, last) = (ends.first().copied().unwrap_or(0), ends.last().copied().unwrap_or(0));
            let start = i32::try_from(into.values.len()).map_err(|_| cut())?;
            into.ends.extend(ends.iter().skip(1).map(|end| start.wrapping_add(end.wrapping_sub(first))));
            (usize::try_from(first).map_err(|_| cut())?, usize::try_from(last).map_err(|_| cut())?)
        }
    };
    into.values.extend_from_slice(more.values.get(from..to).ok_or_else(cut)?);
    Ok(())
}

/// The bit of that number; 0 beyond the end.
pub fn bit(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Sets a bit, and makes room for it.
pub fn set(bits: &mut Vec<u8>, index: usize) {
    if bits.len() <= index / 8 {
        bits.resize(index / 8 + 1, 0);
    }
    bits[index / 8] |= 1 << (index % 8);
}
