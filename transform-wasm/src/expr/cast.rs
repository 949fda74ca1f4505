//! CAST and TRY_CAST, and the conversions that `coerce` puts in.
//!
//! Strict, as in the rest of the transform: 3.0 is a bigint and 3.7 is not (say round or floor), a
//! text must be a number and nothing else. Only casts to decimal(p,s) round, half away from zero,
//! since nobody could bring a computed double to money otherwise. Not for: arrow's cast kernel, which
//! knows every pair of types and would be larger than all of this module.

use std::sync::Arc;

use arrow::compute::kernels::arity;
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType,
};

use super::arithmetic::{fits, rescale_down, rescale_up};
use super::coerce::digits;
use super::error::{RowError, RowErrors};
use super::rounding::POWERS_OF_TEN;
use super::tree::How;
use super::vector::{Cell, Shape, Value, null};
use crate::column::ColumnType;
use crate::value::{Misfit, parse_bigint, parse_boolean, parse_decimal, parse_double, time};

const FRACTION: Misfit = Misfit::Fraction;
/// Beyond this a double no longer tells whole numbers apart.
const MAX_EXACT: u64 = 1 << 53;
/// 2^63: the first double that is no bigint.
const BIGINT_END: f64 = 9_223_372_036_854_775_808.0;

pub(super) fn cast(
    shape: Shape,
    from: ColumnType,
    to: ColumnType,
    how: How,
    value: &Value,
    tz_offset_ms: i64,
    errors: &mut RowErrors,
) -> Value {
    let cast = Cast { shape, from, to, how, value };
    match to {
        ColumnType::Boolean => cast.boolean(errors),
        ColumnType::Bigint => cast.bigint(errors),
        ColumnType::Double => cast.double(errors),
        ColumnType::Decimal { precision, scale } => cast.decimal(precision, scale, errors),
        ColumnType::Date => cast.date(tz_offset_ms, errors),
        ColumnType::Timestamp => cast.timestamp(tz_offset_ms, errors),
        ColumnType::TimestampMicros => cast.timestamp_micros(tz_offset_ms, errors),
        ColumnType::String | ColumnType::Json => cast.string(errors),
    }
}

struct Cast<'a> {
    shape: Shape,
    from: ColumnType,
    to: ColumnType,
    how: How,
    value: &'a Value,
}

impl Cast<'_> {
    /// The value, or what `how` says about one that does not fit.
    fn cell<T>(&self, result: Result<T, Misfit>) -> Cell<T> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.how == How::Null => Ok(None),
            Err(misfit) => Err(RowError::cast(format!(
                "the {} to be cast to {} {}",
                self.from,
                self.to,
                misfit.message()
            ))),
        }
    }

    /// From numbers of one Arrow type to those of another.
    fn numbers<A: ArrowPrimitiveType, B: ArrowPrimitiveType>(
        &self,
        errors: &mut RowErrors,
        convert: impl Fn(A::Native) -> Result<B::Native, Misfit>,
    ) -> Value {
        let values = self.value.numbers::<A>();
        self.made::<B>(errors, &mut |row| match values.get(row) {
            Some(value) => self.cell(convert(value)),
            None => Ok(None),
        })
    }

    /// One loop for each type that is made, whatever it is made from: a call a row costs little beside a cast.
    fn made<B: ArrowPrimitiveType>(
        &self,
        errors: &mut RowErrors,
        cell: &mut dyn FnMut(usize) -> Cell<B::Native>,
    ) -> Value {
        self.shape.numbers::<B>(self.to, errors, cell)
    }

    fn parsed<B: ArrowPrimitiveType>(
        &self,
        errors: &mut RowErrors,
        parse: impl Fn(&[u8]) -> Result<B::Native, Misfit>,
    ) -> Value {
        let values = self.value.texts();
        self.made::<B>(errors, &mut |row| match values.get(row) {
            Some(text) => self.cell(parse(text.as_bytes())),
            None => Ok(None),
        })
    }

    fn boolean(&self, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Bigint => {
                let values = self.value.numbers::<Int64Type>();
                self.shape.bits(errors, |row| Ok(values.get(row).map(|value| value != 0)))
            }
            _ => {
                let values = self.value.texts();
                self.shape.bits(errors, |row| match values.get(row) {
                    Some(text) => self.cell(parse_boolean(text.as_bytes())),
                    None => Ok(None),
                })
            }
        }
    }

    fn bigint(&self, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Boolean => {
                let values = self.value.bits();
                self.made::<Int64Type>(errors, &mut |row| Ok(values.get(row).map(i64::from)))
            }
            ColumnType::Double => self.numbers::<Float64Type, Int64Type>(errors, whole),
            ColumnType::Decimal { scale, .. } => self.numbers::<Decimal128Type, Int64Type>(errors, |value| {
                let unit = 10_i128.pow(u32::from(scale));
                if value % unit != 0 {
                    return Err(FRACTION);
                }
                i64::try_from(value / unit).map_err(|_| Misfit::OutOfRange)
            }),
            _ => self.parsed::<Int64Type>(errors, parse_bigint),
        }
    }

    fn double(&self, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Bigint if self.how == How::Promote => {
                let values = self.value.numbers::<Int64Type>();
                self.shape
                    .value(Arc::new(arity::unary::<_, _, Float64Type>(values.array, |value| value as f64)))
            }
            ColumnType::Bigint => self.numbers::<Int64Type, Float64Type>(errors, |value| {
                if value.unsigned_abs() <= MAX_EXACT { Ok(value as f64) } else { Err(Misfit::Inexact) }
            }),
            ColumnType::Decimal { scale, .. } => self
                .numbers::<Decimal128Type, Float64Type>(errors, |value| Ok(decimal_to_double(value, scale))),
            _ => self.parsed::<Float64Type>(errors, parse_double),
        }
    }

    fn decimal(&self, precision: u8, scale: u8, errors: &mut RowErrors) -> Value {
        let checked =
            |value: Option<i128>| value.filter(|value| fits(*value, precision)).ok_or(Misfit::TooManyDigits);
        match self.from {
            ColumnType::Bigint => self.numbers::<Int64Type, Decimal128Type>(errors, |value| {
                checked(rescale_up(value.into(), scale))
            }),
            ColumnType::Decimal { .. } => {
                let (_, from) = digits(self.from);
                self.numbers::<Decimal128Type, Decimal128Type>(errors, |value| {
                    checked(match scale.checked_sub(from) {
                        Some(up) => rescale_up(value, up),
                        None => Some(rescale_down(value, from - scale)),
                    })
                })
            }
            ColumnType::Double => self.numbers::<Float64Type, Decimal128Type>(errors, |value| {
                checked(double_to_decimal(value, scale))
            }),
            _ => self.parsed::<Decimal128Type>(errors, |text| parse_decimal(text, precision, scale)),
        }
    }

    fn date(&self, tz_offset_ms: i64, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Timestamp => self.numbers::<TimestampMillisecondType, Date32Type>(errors, |value| {
                time::day_of(value).ok_or(Misfit::NotADate)
            }),
            ColumnType::TimestampMicros => self
                .numbers::<TimestampMicrosecondType, Date32Type>(errors, |value| {
                    time::day_of(value.div_euclid(time::MS_US)).ok_or(Misfit::NotADate)
                }),
            // A timestamp's text is cut to its day, as a timestamp is: in UTC.
            _ => self.parsed::<Date32Type>(errors, |text| {
                let by_time = || time::parse_iso_timestamp(text, tz_offset_ms).and_then(time::day_of);
                time::parse_iso_date(text).or_else(by_time).ok_or(Misfit::NotADate)
            }),
        }
    }

    fn timestamp(&self, tz_offset_ms: i64, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Date => self.numbers::<Date32Type, TimestampMillisecondType>(errors, |value| {
                Ok(i64::from(value) * time::DAY_MS)
            }),
            // Cut, as a text is.
            ColumnType::TimestampMicros => self
                .numbers::<TimestampMicrosecondType, TimestampMillisecondType>(errors, |value| {
                    Ok(value.div_euclid(time::MS_US))
                }),
            _ => self.parsed::<TimestampMillisecondType>(errors, |text| {
                time::parse_iso_timestamp(text, tz_offset_ms).ok_or(Misfit::NotATimestamp)
            }),
        }
    }

    fn timestamp_micros(&self, tz_offset_ms: i64, errors: &mut RowErrors) -> Value {
        match self.from {
            ColumnType::Date => self.numbers::<Date32Type, TimestampMicrosecondType>(errors, |value| {
                Ok(i64::from(value) * time::DAY_MS * time::MS_US)
            }),
            ColumnType::Timestamp => self
                .numbers::<TimestampMillisecondType, TimestampMicrosecondType>(errors, |value| {
                    value.checked_mul(time::MS_US).ok_or(Misfit::NotATimestamp)
                }),
            _ => self.parsed::<TimestampMicrosecondType>(errors, |text| {
                let moment = time::parse_iso_moment(text, tz_offset_ms).ok_or(Misfit::NotATimestamp)?;
                Ok(moment.micros().0)
            }),
        }
    }

    fn written(&self, errors: &mut RowErrors, text: &dyn Fn(usize) -> Option<String>) -> Value {
        self.shape.texts(errors, |row, pen| match text(row) {
            Some(text) => pen.write(&text).map(Some),
            None => Ok(None),
        })
    }

    fn string(&self, errors: &mut RowErrors) -> Value {
        let value = self.value;
        macro_rules! write {
            ($cells:expr, $text:expr) => {{
                let cells = $cells;
                self.written(errors, &|row| cells.get(row).map($text))
            }};
        }
        match self.from {
            ColumnType::Boolean => write!(value.bits(), |value: bool| value.to_string()),
            ColumnType::Bigint => write!(value.numbers::<Int64Type>(), |value: i64| value.to_string()),
            // With its point, so that it reads back as a double: 3.0, 1e21.
            ColumnType::Double => write!(value.numbers::<Float64Type>(), |value: f64| format!("{value:?}")),
            ColumnType::Decimal { scale, .. } => {
                write!(value.numbers::<Decimal128Type>(), |value: i128| decimal_text(value, scale))
            }
            ColumnType::Date => write!(value.numbers::<Date32Type>(), time::format_iso_date),
            ColumnType::Timestamp => {
                write!(value.numbers::<TimestampMillisecondType>(), time::format_iso_timestamp)
            }
            ColumnType::TimestampMicros => {
                write!(value.numbers::<TimestampMicrosecondType>(), time::format_iso_micros)
            }
            ColumnType::String | ColumnType::Json => Value::constant(null(ColumnType::String)),
        }
    }
}

/// A double that is a whole number of 64 bits.
fn whole(value: f64) -> Result<i64, Misfit> {
    if value.fract() != 0.0 {
        return Err(FRACTION);
    }
    if (-BIGINT_END..BIGINT_END).contains(&value) { Ok(value as i64) } else { Err(Misfit::OutOfRange) }
}

/// The nearest double: through text, since dividing by a power of ten would round twice.
fn decimal_to_double(value: i128, scale: u8) -> f64 {
    // Both are exact as doubles then, so that one division rounds once.
    if value.unsigned_abs() <= u128::from(MAX_EXACT)
        && scale <= 22
        && let Some(unit) = POWERS_OF_TEN.get(usize::from(scale))
    {
        return value as f64 / unit;
    }
    decimal_text(value, scale).parse().unwrap_or(0.0)
}

/// From the shortest text that reads back as this double, so that 0.1 is 0.1.
fn double_to_decimal(value: f64, scale: u8) -> Option<i128> {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = exponent - i32::try_from(fraction.len()).ok()? + i32::from(scale);
    if digits == 0 {
        return Some(0);
    }
    match u8::try_from(shift.unsigned_abs()) {
        Ok(by) if shift >= 0 => rescale_up(digits, by),
        Ok(by) => Some(rescale_down(digits, by)),
        Err(_) if shift < 0 => Some(0),
        Err(_) => None,
    }
}

/// All digits of the scale, as decimals are written everywhere.
fn decimal_text(value: i128, scale: u8) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let unit = 10_u128.pow(u32::from(scale));
    format!("{sign}{}.{:0width$}", digits / unit, digits % unit, width = usize::from(scale))
}
