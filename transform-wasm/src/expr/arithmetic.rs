//! `+ - * / %` and the sign.
//!
//! Division by zero is null. `/` of two bigints is a double, so that `quantity / 2` does not lose
//! its half. Decimals are exact, a quotient is rounded half away from zero. Results that do not fit
//! fail their row. The decision to know: doubles run through arrow's kernels without checks, and
//! only a batch in which something is not finite is done again row by row.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::compute::kernels::arity;
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type, i256};

use super::coerce::digits;
use super::error::{RowError, RowErrors};
use super::syntax::Arithmetic;
use super::vector::{Cell, Numbers, Shape, Value};
use crate::column::ColumnType;
use crate::value::time::{MAX_DAYS, MIN_DAYS};

pub(super) const BIGINT_OVERFLOW: RowError = RowError::overflow("the result is beyond 64 bits");
pub(super) const DECIMAL_OVERFLOW: RowError =
    RowError::overflow("the result has more digits than its decimal type");
pub(super) const NOT_FINITE: RowError = RowError::overflow("the result is no finite double");
const DATE_RANGE: RowError = RowError::date_range("the result is beyond the years 1 to 9999");

/// An operand with its type.
type Operand<'a> = (ColumnType, &'a Value);

pub(super) fn arithmetic(
    shape: Shape,
    op: Arithmetic,
    (left_ty, left): Operand<'_>,
    (right_ty, right): Operand<'_>,
    ty: ColumnType,
    errors: &mut RowErrors,
) -> Value {
    match (left_ty, right_ty) {
        (ColumnType::Date, _) | (_, ColumnType::Date) => {
            dates(shape, op, (left_ty, left), (right_ty, right), errors)
        }
        (ColumnType::Double, _) => doubles(shape, op, left, right, errors),
        (ColumnType::Decimal { .. }, _) => {
            decimals(shape, op, (left_ty, left), (right_ty, right), ty, errors)
        }
        _ => bigints(shape, op, left, right, errors),
    }
}

/// Calls `f` where both are there.
fn both<A, B, T>(a: Option<A>, b: Option<B>, f: impl FnOnce(A, B) -> Cell<T>) -> Cell<T> {
    match (a, b) {
        (Some(a), Some(b)) => f(a, b),
        _ => Ok(None),
    }
}

fn bigints(shape: Shape, op: Arithmetic, left: &Value, right: &Value, errors: &mut RowErrors) -> Value {
    let (l, r) = (left.numbers::<Int64Type>(), right.numbers::<Int64Type>());
    let mut run = |f: fn(i64, i64) -> Option<i64>| {
        shape.numbers::<Int64Type>(ColumnType::Bigint, errors, |row| {
            both(l.get(row), r.get(row), |a, b| f(a, b).map(Some).ok_or(BIGINT_OVERFLOW))
        })
    };
    match op {
        Arithmetic::Add => run(i64::checked_add),
        Arithmetic::Subtract => run(i64::checked_sub),
        Arithmetic::Multiply => run(i64::checked_mul),
        // The remainder of the least bigint by -1 is 0, which checked_rem calls an overflow. The
        // quotient of bigints is made of doubles.
        Arithmetic::Remainder | Arithmetic::Divide => {
            shape.numbers::<Int64Type>(ColumnType::Bigint, errors, |row| {
                both(l.get(row), r.get(row), |a, b| Ok((b != 0).then(|| a.wrapping_rem(b))))
            })
        }
    }
}

fn doubles(shape: Shape, op: Arithmetic, left: &Value, right: &Value, errors: &mut RowErrors) -> Value {
    let f: fn(f64, f64) -> f64 = match op {
        Arithmetic::Add => |a, b| a + b,
        Arithmetic::Subtract => |a, b| a - b,
        Arithmetic::Multiply => |a, b| a * b,
        Arithmetic::Divide => |a, b| a / b,
        Arithmetic::Remainder => |a, b| a % b,
    };
    let (l, r) = (left.numbers::<Float64Type>(), right.numbers::<Float64Type>());
    let fast = match op {
        Arithmetic::Add => columnar(&l, &r, |a, b| a + b),
        Arithmetic::Subtract => columnar(&l, &r, |a, b| a - b),
        Arithmetic::Multiply => columnar(&l, &r, |a, b| a * b),
        Arithmetic::Divide => columnar(&l, &r, |a, b| a / b),
        // A remainder is a call for each value: nothing to gain.
        Arithmetic::Remainder => None,
    };
    // Folded without a branch, so that it is vectorised. 0 × x is 0 where x is finite, else NaN.
    if let Some(array) = fast
        && array.values().iter().fold(0.0, |sum, value| sum + value * 0.0) == 0.0
    {
        return shape.value(Arc::new(array));
    }
    let divides = matches!(op, Arithmetic::Divide | Arithmetic::Remainder);
    shape.numbers::<Float64Type>(ColumnType::Double, errors, |row| {
        both(l.get(row), r.get(row), |a, b| if divides && b == 0.0 { Ok(None) } else { finite(f(a, b)) })
    })
}

/// A double that a column may hold.
pub(super) fn finite(value: f64) -> Cell<f64> {
    if value.is_finite() { Ok(Some(value)) } else { Err(NOT_FINITE) }
}

/// Through arrow's kernels; none where a constant is null or both are constant.
fn columnar(
    l: &Numbers<'_, Float64Type>,
    r: &Numbers<'_, Float64Type>,
    f: impl Fn(f64, f64) -> f64,
) -> Option<Float64Array> {
    match (l.constant, r.constant) {
        (false, false) => arity::binary(l.array, r.array, f).ok(),
        (false, true) => r.get(0).map(|b| arity::unary(l.array, |a| f(a, b))),
        (true, false) => l.get(0).map(|a| arity::unary(r.array, |b| f(a, b))),
        (true, true) => None,
    }
}

fn dates(
    shape: Shape,
    op: Arithmetic,
    (left_ty, left): Operand<'_>,
    (right_ty, right): Operand<'_>,
    errors: &mut RowErrors,
) -> Value {
    if (left_ty, right_ty) == (ColumnType::Date, ColumnType::Date) {
        let (l, r) = (left.numbers::<Date32Type>(), right.numbers::<Date32Type>());
        return shape.numbers::<Int64Type>(ColumnType::Bigint, errors, |row| {
            both(l.get(row), r.get(row), |a, b| Ok(Some(i64::from(a) - i64::from(b))))
        });
    }
    let (date, days) = if left_ty == ColumnType::Date { (left, right) } else { (right, left) };
    let (date, days) = (date.numbers::<Date32Type>(), days.numbers::<Int64Type>());
    shape.numbers::<Date32Type>(ColumnType::Date, errors, |row| {
        both(date.get(row), days.get(row), |date, days| {
            let date = i64::from(date);
            let moved = if op == Arithmetic::Add { date.checked_add(days) } else { date.checked_sub(days) };
            let moved = moved.and_then(|moved| i32::try_from(moved).ok());
            moved.filter(|moved| (MIN_DAYS..=MAX_DAYS).contains(moved)).map(Some).ok_or(DATE_RANGE)
        })
    })
}

fn decimals(
    shape: Shape,
    op: Arithmetic,
    (left_ty, left): Operand<'_>,
    (right_ty, right): Operand<'_>,
    ty: ColumnType,
    errors: &mut RowErrors,
) -> Value {
    let (precision, scale) = digits(ty);
    let (scale1, scale2) = (digits(left_ty).1, digits(right_ty).1);
    let (l, r) = (left.numbers::<Decimal128Type>(), right.numbers::<Decimal128Type>());
    let (up1, up2) = (scale.saturating_sub(scale1), scale.saturating_sub(scale2));
    let aligned = |a, b| Some((rescale_up(a, up1)?, rescale_up(b, up2)?));
    shape.numbers::<Decimal128Type>(ty, errors, |row| {
        both(l.get(row), r.get(row), |a, b| {
            let result = match op {
                Arithmetic::Add => aligned(a, b).and_then(|(a, b)| a.checked_add(b)),
                Arithmetic::Subtract => aligned(a, b).and_then(|(a, b)| a.checked_sub(b)),
                Arithmetic::Multiply => a.checked_mul(b),
                Arithmetic::Divide | Arithmetic::Remainder if b == 0 => return Ok(None),
                Arithmetic::Divide => quotient(a, b, scale + scale2 - scale1),
                Arithmetic::Remainder => remainder(a, b, up1, up2),
            };
            result.filter(|result| fits(*result, precision)).map(Some).ok_or(DECIMAL_OVERFLOW)
        })
    })
}

/// Whether an unscaled value has at most `precision` digits.
pub(super) fn fits(value: i128, precision: u8) -> bool {
    value.unsigned_abs() < 10_u128.pow(u32::from(precision.min(38)))
}

/// Times ten to the `by`.
pub(super) fn rescale_up(value: i128, by: u8) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(u32::from(by))?)
}

/// Divided by ten to the `by`, rounded half away from zero.
pub(super) fn rescale_down(value: i128, by: u8) -> i128 {
    match 10_i128.checked_pow(u32::from(by)) {
        Some(unit) => {
            let (whole, rest) = (value / unit, value % unit);
            whole + if rest.unsigned_abs() * 2 >= unit.unsigned_abs() { value.signum() } else { 0 }
        }
        None => 0,
    }
}

/// `a × 10^shift ÷ b`, rounded half away from zero. The product may need 256 bits.
fn quotient(a: i128, b: i128, shift: u8) -> Option<i128> {
    let (numerator, b) = (power_of_ten(shift).checked_mul(i256::from_i128(a))?, i256::from_i128(b));
    let (whole, rest) = (numerator.checked_div(b)?, numerator.checked_rem(b)?);
    let doubled = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let whole = whole.to_i128()?;
    if doubled < b.wrapping_abs() {
        return Some(whole);
    }
    let is_negative = numerator.is_negative() != b.is_negative();
    whole.checked_add(if is_negative { -1 } else { 1 })
}

/// The remainder with the sign of `a`, of values brought to one scale.
fn remainder(a: i128, b: i128, up_a: u8, up_b: u8) -> Option<i128> {
    let a = power_of_ten(up_a).checked_mul(i256::from_i128(a))?;
    let b = power_of_ten(up_b).checked_mul(i256::from_i128(b))?;
    a.checked_rem(b)?.to_i128()
}

fn power_of_ten(by: u8) -> i256 {
    i256::from_i128(10).checked_pow(u32::from(by)).unwrap_or(i256::MAX)
}

pub(super) fn negate(shape: Shape, ty: ColumnType, value: &Value, errors: &mut RowErrors) -> Value {
    match ty {
        ColumnType::Double => {
            let value = value.numbers::<Float64Type>();
            shape.value(Arc::new(arity::unary::<_, _, Float64Type>(value.array, |value| -value)))
        }
        ColumnType::Decimal { .. } => {
            let value = value.numbers::<Decimal128Type>();
            shape.numbers::<Decimal128Type>(ty, errors, |row| Ok(value.get(row).map(|value| -value)))
        }
        _ => {
            let value = value.numbers::<Int64Type>();
            shape.numbers::<Int64Type>(ty, errors, |row| match value.get(row) {
                Some(value) => value.checked_neg().map(Some).ok_or(BIGINT_OVERFLOW),
                None => Ok(None),
            })
        }
    }
}
