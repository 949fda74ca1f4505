//! Which types go together, and how a node gets the type its operator wants.
//!
//! Numbers are promoted bigint → decimal → double, dates become timestamps, milliseconds microseconds, and literals adapt: a
//! fraction is a double, but exact beside a decimal; a text beside a date is that date. Nothing else
//! is converted without a CAST. Not for: the conversion of values, see `cast`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};

use super::error::Refusal;
use super::tree::{How, Node, Op};
use super::vector::null;
use crate::column::ColumnType;
use crate::column_arrow::ArrowType as _;
use crate::value::{parse_decimal, parse_double, time};

/// Digits of the largest decimal.
pub(super) const MAX_DIGITS: u8 = 38;

/// Digits that every bigint fits in.
const BIGINT_DIGITS: u8 = 19;

pub(super) fn is_number(ty: ColumnType) -> bool {
    matches!(ty, ColumnType::Bigint | ColumnType::Double | ColumnType::Decimal { .. })
}

pub(super) fn is_time(ty: ColumnType) -> bool {
    ty == ColumnType::Date || ty.is_timestamp()
}

/// Precision and scale of a number that is no double; a bigint has no fraction.
pub(super) fn digits(ty: ColumnType) -> (u8, u8) {
    match ty {
        ColumnType::Decimal { precision, scale } => (precision, scale),
        _ => (BIGINT_DIGITS, 0),
    }
}

/// The decimal with so many digits before and after the point, at most [`MAX_DIGITS`] in all: those
/// before the point give way, and a value that needs them fails its row.
pub(super) fn decimal(whole: u8, scale: u8) -> ColumnType {
    ColumnType::Decimal { precision: whole.saturating_add(scale).clamp(1, MAX_DIGITS), scale }
}

/// The type that holds both, if there is one.
pub(super) fn unify(a: ColumnType, b: ColumnType) -> Option<ColumnType> {
    match (a, b) {
        _ if a == b => Some(a),
        (ColumnType::Double, _) | (_, ColumnType::Double) if is_number(a) && is_number(b) => {
            Some(ColumnType::Double)
        }
        _ if is_number(a) && is_number(b) => {
            let ((p1, s1), (p2, s2)) = (digits(a), digits(b));
            Some(decimal((p1 - s1).max(p2 - s2), s1.max(s2)))
        }
        // The finer unit holds the other's values, and each day's midnight.
        _ if is_time(a) && is_time(b) => {
            let micros = [a, b].contains(&ColumnType::TimestampMicros);
            Some(if micros { ColumnType::TimestampMicros } else { ColumnType::Timestamp })
        }
        _ => None,
    }
}

/// The type for all of `nodes`; none if all are NULL. Literals are asked last, so that they adapt.
/// On failure, the two types that do not go together and where the second stands.
pub(super) fn common(nodes: &[&Node]) -> Result<Option<ColumnType>, (ColumnType, ColumnType, usize)> {
    let typed = || nodes.iter().filter(|node| !node.is_null());
    let firm = typed().filter(|node| node.literal().is_none());
    let mut ty: Option<ColumnType> = None;
    for node in firm.chain(typed().filter(|node| node.literal().is_some())) {
        let own = adapted(node, ty);
        ty = match ty {
            None => Some(own),
            Some(ty) => Some(unify(ty, own).ok_or((ty, own, node.at))?),
        };
    }
    Ok(ty)
}

/// The type that a literal takes beside `other`; any other node's own.
fn adapted(node: &Node, other: Option<ColumnType>) -> ColumnType {
    match (node.literal(), other) {
        (Some(text), Some(ColumnType::Decimal { .. })) => literal_decimal(text).unwrap_or(node.ty),
        (Some(_), Some(time)) if is_time(time) && node.ty == ColumnType::String => time,
        _ => node.ty,
    }
}

/// The smallest decimal that holds a number's text; none with an exponent or too many digits.
pub(super) fn literal_decimal(text: &str) -> Option<ColumnType> {
    let (whole, fraction) =
        text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (whole, scale) = (whole.trim_start_matches('0').len(), fraction.len());
    let precision = u8::try_from((whole + scale).max(1)).ok()?;
    let scale = u8::try_from(scale).ok()?;
    (precision <= MAX_DIGITS).then_some(ColumnType::Decimal { precision, scale })
}

/// Gives `node` the type `ty`, which [`common`] or an operator's rule has chosen.
pub(super) fn coerce(node: Node, ty: ColumnType, tz_offset_ms: i64) -> Result<Node, Refusal> {
    if node.is_null() {
        return Ok(Node::new(node.at, ty, Op::Constant(null(ty), None)));
    }
    if node.ty == ty {
        return Ok(node);
    }
    if let Some(text) = node.literal() {
        let array = literal(text, ty, tz_offset_ms);
        return match array {
            Some(array) => Ok(Node::new(node.at, ty, Op::Constant(array, None))),
            None => Err(Refusal::new(node.at, format!("this literal is no {ty}")).hint(match ty {
                ColumnType::Date => "write a date as '2025-01-31'",
                ty if ty.is_timestamp() => "write a timestamp as '2025-01-31T23:59:00Z'",
                ColumnType::Double => "a double holds whole numbers up to 2^53 exactly",
                _ => "write it with digits only",
            })),
        };
    }
    let how = if ty == ColumnType::Double { How::Promote } else { How::Reject };
    Ok(Node::new(node.at, ty, Op::Cast(Box::new(node), how)))
}

/// One value of type `ty` from a literal's text.
pub(super) fn literal(text: &str, ty: ColumnType, tz_offset_ms: i64) -> Option<ArrayRef> {
    let bytes = text.as_bytes();
    Some(match ty {
        ColumnType::Double => Arc::new(Float64Array::from(vec![parse_double(bytes).ok()?])),
        ColumnType::Decimal { precision, scale } => {
            let value = parse_decimal(bytes, precision, scale).ok()?;
            Arc::new(Decimal128Array::from(vec![value]).with_data_type(ty.arrow_type()))
        }
        ColumnType::Date => Arc::new(Date32Array::from(vec![time::parse_iso_date(bytes)?])),
        ColumnType::Timestamp => {
            Arc::new(TimestampMillisecondArray::from(vec![time::parse_iso_timestamp(bytes, tz_offset_ms)?]))
        }
        ColumnType::TimestampMicros => {
            let (micros, _) = time::parse_iso_moment(bytes, tz_offset_ms)?.micros();
            Arc::new(TimestampMicrosecondArray::from(vec![micros]))
        }
        _ => return None,
    })
}
