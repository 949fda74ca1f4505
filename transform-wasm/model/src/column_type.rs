//! The types that a column can have, under the names that specs and contracts write.

use std::fmt;

use serde::{Serialize, Serializer};

/// The types a column can have; the names are those of Athena and Glue, but for `json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `true` or `false`.
    Boolean,
    /// 64-bit signed integer (Parquet INT64).
    Bigint,
    /// 64-bit float (Parquet DOUBLE); never NaN or infinite.
    Double,
    /// Exact number: `precision` digits in all (1 to 38), `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// UTF-8 text.
    String,
    /// Days since 1970-01-01 (Parquet INT32 DATE).
    Date,
    /// Milliseconds since 1970-01-01 UTC (Parquet INT64 TIMESTAMP_MILLIS); `timestamp`, or `timestamp(3)`.
    Timestamp,
    /// Microseconds since 1970-01-01 UTC (Parquet INT64 TIMESTAMP_MICROS); `timestamp(6)`.
    TimestampMicros,
    /// JSON text (Parquet BYTE_ARRAY STRING; `string` in Athena).
    Json,
}

impl ColumnType {
    /// All of them as people are told what they can write.
    pub const NAMES: &str =
        "boolean, bigint, double, decimal(p,s), string, date, timestamp, timestamp(6), json";

    /// Reads a type's name as specs and contracts write it, for example `decimal(10,2)`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "boolean" => Self::Boolean,
            "bigint" => Self::Bigint,
            "double" => Self::Double,
            "string" => Self::String,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "json" => Self::Json,
            other if other.starts_with("timestamp") => {
                let digits = other["timestamp".len()..].strip_prefix('(')?.strip_suffix(')')?;
                match digits.trim() {
                    "3" => Self::Timestamp,
                    "6" => Self::TimestampMicros,
                    _ => return None,
                }
            }
            other => {
                let (precision, scale) =
                    other.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                if !(1..=38).contains(&precision) || scale > precision {
                    return None;
                }
                Self::Decimal { precision, scale }
            }
        })
    }

    /// The type to declare in Athena or Glue.
    pub fn athena(self) -> String {
        match self {
            Self::Json => "string".into(),
            // A catalog's timestamp says nothing of its digits: each engine has its own.
            Self::TimestampMicros => "timestamp".into(),
            other => other.to_string(),
        }
    }

    /// How Parquet stores it: physical and logical type.
    pub fn parquet(self) -> String {
        match self {
            Self::Boolean => "BOOLEAN".into(),
            Self::Bigint => "INT64".into(),
            Self::Double => "DOUBLE".into(),
            Self::Date => "INT32 DATE".into(),
            Self::Timestamp => "INT64 TIMESTAMP(millis, UTC)".into(),
            Self::TimestampMicros => "INT64 TIMESTAMP(micros, UTC)".into(),
            Self::String | Self::Json => "BYTE_ARRAY STRING".into(),
            Self::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        }
    }

    /// Bytes of one value as the row-group and budget rules count them; text adds its length.
    pub fn width(self) -> usize {
        match self {
            Self::Boolean => 1,
            Self::Date | Self::String | Self::Json => 4,
            Self::Bigint | Self::Double | Self::Timestamp | Self::TimestampMicros => 8,
            Self::Decimal { .. } => 16,
        }
    }

    /// Whether values are stored as bytes.
    pub fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Json)
    }

    /// Whether values are moments, of whatever unit.
    pub fn is_timestamp(self) -> bool {
        matches!(self, Self::Timestamp | Self::TimestampMicros)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Bigint => f.write_str("bigint"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampMicros => f.write_str("timestamp(6)"),
            Self::Json => f.write_str("json"),
        }
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in [
            "boolean",
            "bigint",
            "double",
            "string",
            "date",
            "timestamp",
            "timestamp(6)",
            "json",
            "decimal(38,0)",
            "decimal(1,1)",
        ] {
            assert_eq!(ColumnType::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(ColumnType::parse(" decimal( 10 , 2 ) ").unwrap().to_string(), "decimal(10,2)");
        assert_eq!(ColumnType::parse("timestamp( 3 )").unwrap().to_string(), "timestamp");
        assert_eq!(ColumnType::parse("timestamp(6)").unwrap().athena(), "timestamp");
        for wrong in ["timestamp(9)", "timestamp()", "timestamp(6", "timestamps", "timestamp(3,6)"] {
            assert_eq!(ColumnType::parse(wrong), None, "{wrong}");
        }
        for wrong in ["int", "decimal(39,1)", "decimal(0,0)", "decimal(2,3)", "decimal", "BIGINT", ""] {
            assert_eq!(ColumnType::parse(wrong), None, "{wrong}");
        }
    }
}
