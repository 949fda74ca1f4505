//! abs, round, floor, ceil.
//!
//! A number keeps its kind: doubles stay doubles, decimals lose the digits that were rounded away.
//! Half is rounded away from zero. The decision to know: powers of ten come from a table, because
//! the platform's `powi` may differ in the last bit.

use std::sync::Arc;

use arrow::compute::kernels::arity;
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};

use super::arithmetic::{BIGINT_OVERFLOW, DECIMAL_OVERFLOW, fits, rescale_down, rescale_up};
use super::coerce::digits;
use super::error::{RowError, RowErrors};
use super::tree::Function;
use super::vector::{Shape, Value};
use crate::column::ColumnType;

/// 10^0 to 10^38, each the nearest double.
pub(super) const POWERS_OF_TEN: [f64; 39] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35,
    1e36, 1e37, 1e38,
];

pub(super) fn rounding(
    shape: Shape,
    function: &Function,
    from: ColumnType,
    ty: ColumnType,
    value: &Value,
    errors: &mut RowErrors,
) -> Value {
    match from {
        ColumnType::Double => {
            let values = value.numbers::<Float64Type>();
            let array = match function {
                Function::Abs => arity::unary::<_, _, Float64Type>(values.array, f64::abs),
                Function::Floor => arity::unary(values.array, f64::floor),
                Function::Ceil => arity::unary(values.array, f64::ceil),
                Function::Round(places) => arity::unary(values.array, |value| round_double(value, *places)),
                _ => values.array.clone(),
            };
            shape.value(Arc::new(array))
        }
        ColumnType::Decimal { scale, .. } => {
            let values = value.numbers::<Decimal128Type>();
            let (precision, kept) = digits(ty);
            shape.numbers::<Decimal128Type>(ty, errors, |row| {
                let Some(value) = values.get(row) else { return Ok(None) };
                let result = round_decimal(value, function, scale, kept);
                result.filter(|value| fits(*value, precision)).map(Some).ok_or(DECIMAL_OVERFLOW)
            })
        }
        _ => {
            let values = value.numbers::<Int64Type>();
            shape.numbers::<Int64Type>(ty, errors, |row| match values.get(row) {
                Some(value) => round_bigint(value, function).map(Some),
                None => Ok(None),
            })
        }
    }
}

fn round_double(value: f64, places: i32) -> f64 {
    let unit = usize::try_from(places.unsigned_abs())
        .ok()
        .and_then(|i| POWERS_OF_TEN.get(i))
        .copied()
        .unwrap_or(1.0);
    let rounded = if places < 0 { (value / unit).round() * unit } else { (value * unit).round() / unit };
    // Too large to have such digits at all.
    if rounded.is_finite() { rounded } else { value }
}

fn round_bigint(value: i64, function: &Function) -> Result<i64, RowError> {
    match function {
        Function::Abs => value.checked_abs().ok_or(BIGINT_OVERFLOW),
        Function::Round(places) if *places < 0 => {
            let by = u8::try_from(places.unsigned_abs()).unwrap_or(u8::MAX);
            let result = rescale_up(rescale_down(value.into(), by), by);
            result.and_then(|result| i64::try_from(result).ok()).ok_or(BIGINT_OVERFLOW)
        }
        _ => Ok(value),
    }
}

/// From `scale` digits after the point to `kept`.
fn round_decimal(value: i128, function: &Function, scale: u8, kept: u8) -> Option<i128> {
    let unit = 10_i128.checked_pow(u32::from(scale))?;
    match function {
        Function::Floor => Some(value.div_euclid(unit)),
        Function::Ceil => Some(-(-value).div_euclid(unit)),
        Function::Round(places) if *places < i32::from(scale) => {
            let dropped = u8::try_from(i32::from(scale) - places).ok()?;
            let back = u8::try_from(i32::from(kept) - places).ok()?;
            let rounded = rescale_down(value, dropped);
            if rounded == 0 { Some(0) } else { rescale_up(rounded, back) }
        }
        Function::Abs => Some(value.abs()),
        _ => Some(value),
    }
}
