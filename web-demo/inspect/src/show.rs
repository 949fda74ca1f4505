//! Values as text, by the column's type.
//!
//! Not for names of types (`types`). The one decision to know: numbers cross as text, because JavaScript's own
//! hold integers only up to 2^53 and no decimals.

use parquet::basic::{LogicalType, TimeUnit};
use parquet::schema::types::ColumnDescriptor;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// How the values of one column are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Plain,
    /// Text.
    Text,
    /// Bytes that are no text.
    Binary,
    /// Days since 1970-01-01.
    Date,
    /// So many ticks a millisecond, since 1970-01-01 UTC; below 1 for none.
    Time(i64),
    /// Digits after the point.
    Decimal(usize),
}

impl Kind {
    /// Of `column`.
    pub fn of(column: &ColumnDescriptor) -> Self {
        match column.logical_type_ref() {
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Timestamp(time)) => Self::Time(match time.unit {
                TimeUnit::MILLIS => 1,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1_000_000,
            }),
            Some(LogicalType::Decimal(decimal)) => Self::Decimal(usize::try_from(decimal.scale).unwrap_or(0)),
            Some(LogicalType::String | LogicalType::Json) => Self::Text,
            Some(_) => Self::Binary,
            None => Self::Plain,
        }
    }

    /// An integer that may be wider than 64 bits: a decimal.
    pub fn wide_integer(&self, value: i128) -> String {
        match self {
            Self::Decimal(scale) => decimal(value, *scale),
            _ => self.integer(i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })),
        }
    }

    /// An integer.
    pub fn integer(&self, value: i64) -> String {
        match self {
            Self::Date => date(value),
            Self::Time(ticks) => timestamp(value, *ticks),
            Self::Decimal(scale) => decimal(i128::from(value), *scale),
            _ => value.to_string(),
        }
    }

    /// Whether the values are decimals.
    pub fn is_decimal(&self) -> bool {
        matches!(self, Self::Decimal(_))
    }

    /// Bytes: a text, or a decimal (big-endian, two's complement).
    pub fn bytes(&self, value: &[u8]) -> String {
        match self {
            Self::Decimal(scale) => {
                unscaled(value).map_or_else(|| hex(value), |value| decimal(value, *scale))
            }
            Self::Binary => hex(value),
            _ => String::from_utf8_lossy(value).into_owned(),
        }
    }
}

/// A big-endian number in two's complement, of at most 16 bytes.
pub fn signed(value: &[u8]) -> i128 {
    let sign = if value.first().is_some_and(|first| first & 0x80 != 0) { -1_i128 } else { 0 };
    value.iter().fold(sign, |sum, byte| (sum << 8) | i128::from(*byte))
}

/// The value of a decimal's bytes; none if they are longer than any decimal's.
pub fn unscaled(bytes: &[u8]) -> Option<i128> {
    (bytes.len() <= 16).then(|| signed(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A double as `lakegate preview` shows it: with a point, so that it is told from an integer.
pub fn double(value: f64) -> String {
    format!("{value:?}")
}

fn decimal(value: i128, scale: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// With all digits of its unit: milliseconds three, microseconds six.
fn timestamp(value: i64, ticks: i64) -> String {
    let (millis, below) = (value.div_euclid(ticks), value.rem_euclid(ticks));
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let below = match ticks {
        1 => String::new(),
        1_000 => format!("{below:03}"),
        _ => format!("{below:06}"),
    };
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millis:03}{below}Z", date(days))
}

/// Civil date of a day number (Howard Hinnant's `civil_from_days`).
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates_are_civil() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Kind::Time(1).integer(millis), text);
            let micros = text.replace('Z', "007Z");
            assert_eq!(Kind::Time(1_000).integer(millis * 1_000 + 7), micros);
        }
        assert_eq!(Kind::Time(1_000_000).integer(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Kind::Date.integer(-719_162), "0001-01-01");
    }

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(Kind::Decimal(2).integer(-5), "-0.05");
        assert_eq!(Kind::Decimal(0).integer(12), "12");
        assert_eq!(Kind::Decimal(3).bytes(&[0xff, 0xfe]), "-0.002");
        assert_eq!(Kind::Decimal(3).bytes(&[0x01, 0x00]), "0.256");
    }

    #[test]
    fn doubles_are_told_from_integers() {
        assert_eq!([double(3.0), double(0.1), double(1e300)], ["3.0", "0.1", "1e300"]);
    }
}
