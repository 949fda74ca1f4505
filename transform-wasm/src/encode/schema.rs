//! From a table's column types to a Parquet schema.
//!
//! Not for the types themselves, see [`ColumnType`]. The decision to know: every column is OPTIONAL,
//! and each logical type is written with the older converted type beside it where one exists, so
//! that readers of either generation agree.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type};

use crate::column::ColumnType;
use crate::error::{Code, Failure};

/// How values of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Int32,
    Int64,
    Double,
    /// FIXED_LEN_BYTE_ARRAY of so many bytes.
    Fixed(u8),
    Bytes,
}

/// One column.
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
}

/// The schema of a table's part files; built once a table, cheap to clone.
#[derive(Clone)]
pub struct PartSchema {
    pub(super) fields: Arc<[Field]>,
    pub(super) descriptor: SchemaDescPtr,
}

impl PartSchema {
    /// Columns in the order of the contract, partition columns left out.
    ///
    /// # Errors
    /// A decimal with more than 38 digits or a scale above its precision, or no column at all: the
    /// spec is at fault.
    pub fn new(columns: &[(String, ColumnType)]) -> Result<Self, Failure> {
        if columns.is_empty() {
            return Err(Failure::spec(
                Code::NoColumns,
                "a table needs a column that is not a partition column",
            ));
        }
        let mut fields = Vec::with_capacity(columns.len());
        let mut types = Vec::with_capacity(columns.len());
        for (name, ty) in columns {
            let (kind, parquet) = column(name, *ty).map_err(|error| {
                Failure::spec(Code::ColumnType, format!("column {name} cannot have type {ty}: {error}"))
            })?;
            fields.push(Field { name: name.clone(), kind });
            types.push(Arc::new(parquet));
        }
        let root = Type::group_type_builder("schema").with_fields(types).build();
        let root = root.map_err(|error| Failure::internal(format!("encode: {error}")))?;
        let descriptor = Arc::new(SchemaDescriptor::new(Arc::new(root)));
        Ok(Self { fields: fields.into(), descriptor })
    }
}

fn column(name: &str, ty: ColumnType) -> Result<(Kind, Type), ParquetError> {
    let kind = kind(ty);
    let (physical, length) = match kind {
        Kind::Boolean => (PhysicalType::BOOLEAN, -1),
        Kind::Int32 => (PhysicalType::INT32, -1),
        Kind::Int64 => (PhysicalType::INT64, -1),
        Kind::Double => (PhysicalType::DOUBLE, -1),
        Kind::Fixed(bytes) => (PhysicalType::FIXED_LEN_BYTE_ARRAY, i32::from(bytes)),
        Kind::Bytes => (PhysicalType::BYTE_ARRAY, -1),
    };
    let mut builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_length(length)
        .with_logical_type(logical(ty));
    if let ColumnType::Decimal { precision, scale } = ty {
        builder = builder.with_precision(i32::from(precision)).with_scale(i32::from(scale));
    }
    Ok((kind, builder.build()?))
}

fn kind(ty: ColumnType) -> Kind {
    match ty {
        ColumnType::Boolean => Kind::Boolean,
        ColumnType::Bigint | ColumnType::Timestamp | ColumnType::TimestampMicros => Kind::Int64,
        ColumnType::Double => Kind::Double,
        ColumnType::Decimal { precision: 0..=9, .. } => Kind::Int32,
        ColumnType::Decimal { precision: 10..=18, .. } => Kind::Int64,
        ColumnType::Decimal { precision, .. } => Kind::Fixed(decimal_bytes(precision)),
        ColumnType::String | ColumnType::Json => Kind::Bytes,
        ColumnType::Date => Kind::Int32,
    }
}

/// The smallest number of bytes whose signed range holds `precision` digits (at most 38: 16 bytes).
fn decimal_bytes(precision: u8) -> u8 {
    let largest = 10u128.checked_pow(u32::from(precision)).map_or(u128::MAX >> 1, |power| power - 1);
    let bits = u128::BITS - largest.leading_zeros() + 1;
    bits.div_ceil(8).min(16) as u8
}

/// The crate derives the converted type from it.
fn logical(ty: ColumnType) -> Option<LogicalType> {
    match ty {
        ColumnType::Boolean | ColumnType::Bigint | ColumnType::Double => None,
        ColumnType::Decimal { precision, scale } => {
            Some(LogicalType::decimal(i32::from(scale), i32::from(precision)))
        }
        ColumnType::String | ColumnType::Json => Some(LogicalType::String),
        ColumnType::Date => Some(LogicalType::Date),
        ColumnType::Timestamp => Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
        ColumnType::TimestampMicros => Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
    }
}
