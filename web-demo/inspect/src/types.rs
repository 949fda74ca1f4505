//! Names of a column's types: in Parquet, and in Athena and Glue.
//!
//! Not for values (`show`). The one decision to know: the wording is that of `lakegate inspect`.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::ColumnDescriptor;

/// Physical and logical type, for example `INT64 TIMESTAMP(millis, UTC)`.
pub fn parquet(column: &ColumnDescriptor) -> String {
    let physical = match column.physical_type() {
        Type::FIXED_LEN_BYTE_ARRAY => format!("FIXED_LEN_BYTE_ARRAY({})", column.type_length()),
        other => other.to_string(),
    };
    let logical = match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => format!("DECIMAL({},{})", decimal.precision, decimal.scale),
        Some(LogicalType::Timestamp(time)) => {
            let zone = if time.is_adjusted_to_u_t_c { "UTC" } else { "local" };
            let unit = match time.unit {
                TimeUnit::MILLIS => "millis",
                TimeUnit::MICROS => "micros",
                TimeUnit::NANOS => "nanos",
            };
            format!("TIMESTAMP({unit}, {zone})")
        }
        Some(LogicalType::String) => "STRING".to_owned(),
        Some(LogicalType::Json) => "JSON".to_owned(),
        Some(LogicalType::Date) => "DATE".to_owned(),
        Some(_) => "UNKNOWN".to_owned(),
        None => match column.converted_type() {
            ConvertedType::NONE => String::new(),
            other => other.to_string(),
        },
    };
    format!("{physical} {logical}").trim_end().to_owned()
}

/// The type to declare in Athena or Glue.
pub fn athena(column: &ColumnDescriptor) -> String {
    let name = match (column.physical_type(), column.logical_type_ref()) {
        (_, Some(LogicalType::Decimal(decimal))) => {
            return format!("decimal({},{})", decimal.precision, decimal.scale);
        }
        (_, Some(LogicalType::Date)) => "date",
        (_, Some(LogicalType::Timestamp(_))) => "timestamp",
        (Type::BOOLEAN, _) => "boolean",
        (Type::INT32, _) => "int",
        (Type::INT64, _) => "bigint",
        (Type::FLOAT, _) => "float",
        (Type::DOUBLE, _) => "double",
        (_, Some(LogicalType::String | LogicalType::Json)) => "string",
        _ => "binary",
    };
    name.to_owned()
}
