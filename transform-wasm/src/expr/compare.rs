//! `= <> < <= > >=` of two columns of one type; null where either is null.
//!
//! Texts are compared byte by byte, which for UTF-8 is the order of code points. Decimals may differ
//! in scale. Not for: AND and OR, see `eval`. The decision to know: the loops are our own, over
//! arrow's bit builder; arrow's comparison kernels bring every type there is into the component.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow::datatypes::{TimestampMicrosecondType, TimestampMillisecondType};

use super::arithmetic::rescale_up;
use super::syntax::Comparison;
use super::vector::{Shape, Value};
use crate::column::ColumnType;

pub(super) fn compare(shape: Shape, op: Comparison, ty: ColumnType, left: &Value, right: &Value) -> Value {
    // A constant on the left changes sides: half the loops.
    if left.constant && !right.constant {
        return compare(shape, op.swapped(), ty, right, left);
    }
    if right.constant && right.array.is_null(0) {
        let all =
            BooleanArray::new(BooleanBuffer::new_unset(shape.len()), Some(NullBuffer::new_null(shape.len())));
        return shape.value(Arc::new(all));
    }
    let step = usize::from(!right.constant);
    let (l, r) = (&left.array, &right.array);
    let bits = match ty {
        ColumnType::Boolean => {
            let (l, r) = (l.as_boolean(), r.as_boolean());
            by_order(shape.len(), op, |i| l.value(i).cmp(&r.value(i * step)))
        }
        ColumnType::Bigint => primitive(shape, op, of::<Int64Type>(l), of::<Int64Type>(r), step),
        ColumnType::Timestamp => {
            let (l, r) = (of::<TimestampMillisecondType>(l), of::<TimestampMillisecondType>(r));
            primitive(shape, op, l, r, step)
        }
        ColumnType::TimestampMicros => {
            let (l, r) = (of::<TimestampMicrosecondType>(l), of::<TimestampMicrosecondType>(r));
            primitive(shape, op, l, r, step)
        }
        ColumnType::Date => primitive(shape, op, of::<Date32Type>(l), of::<Date32Type>(r), step),
        ColumnType::Double => primitive(shape, op, of::<Float64Type>(l), of::<Float64Type>(r), step),
        ColumnType::Decimal { .. } => decimals(shape, op, l, r, step),
        ColumnType::String | ColumnType::Json => {
            let (l, r) = (l.as_string::<i32>(), r.as_string::<i32>());
            by_order(shape.len(), op, |i| l.value(i).cmp(r.value(i * step)))
        }
    };
    let nulls = if right.constant { l.nulls().cloned() } else { NullBuffer::union(l.nulls(), r.nulls()) };
    shape.value(Arc::new(BooleanArray::new(bits, nulls)))
}

fn of<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

/// Values of null slots are compared too: that costs less than a branch, and the result is null.
///
/// Loops are made for what numbers are in memory, not for each type of a column: three for two columns, since the
/// other comparisons are these with the sides changed, or their opposite.
fn primitive<T: PartialOrd + Copy>(
    shape: Shape,
    op: Comparison,
    l: &[T],
    r: &[T],
    step: usize,
) -> BooleanBuffer {
    let len = shape.len();
    let bits = if step == 0 {
        let r = r[0];
        match op {
            Comparison::Equal | Comparison::NotEqual => BooleanBuffer::collect_bool(len, |i| l[i] == r),
            Comparison::Less => BooleanBuffer::collect_bool(len, |i| l[i] < r),
            Comparison::LessOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] <= r),
            Comparison::Greater => BooleanBuffer::collect_bool(len, |i| l[i] > r),
            Comparison::GreaterOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] >= r),
        }
    } else {
        let changed = matches!(op, Comparison::Greater | Comparison::GreaterOrEqual);
        let (l, r) = if changed { (r, l) } else { (l, r) };
        match op {
            Comparison::Equal | Comparison::NotEqual => BooleanBuffer::collect_bool(len, |i| l[i] == r[i]),
            Comparison::Less | Comparison::Greater => BooleanBuffer::collect_bool(len, |i| l[i] < r[i]),
            Comparison::LessOrEqual | Comparison::GreaterOrEqual => {
                BooleanBuffer::collect_bool(len, |i| l[i] <= r[i])
            }
        }
    };
    if op == Comparison::NotEqual { !&bits } else { bits }
}

fn decimals(shape: Shape, op: Comparison, left: &ArrayRef, right: &ArrayRef, step: usize) -> BooleanBuffer {
    let (scale1, scale2) = (scale(left), scale(right));
    let (l, r) = (of::<Decimal128Type>(left), of::<Decimal128Type>(right));
    let (up1, up2) = (scale2.saturating_sub(scale1), scale1.saturating_sub(scale2));
    by_order(shape.len(), op, |i| {
        let (a, b) = (l[i], r[i * step]);
        // What overflows at the common scale is larger than any decimal, so its sign decides.
        match (rescale_up(a, up1), rescale_up(b, up2)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, _) => a.cmp(&0),
            (_, None) => 0.cmp(&b),
        }
    })
}

fn scale(array: &ArrayRef) -> u8 {
    match array.data_type() {
        DataType::Decimal128(_, scale) => u8::try_from(*scale).unwrap_or(0),
        _ => 0,
    }
}

fn by_order(len: usize, op: Comparison, order: impl Fn(usize) -> Ordering) -> BooleanBuffer {
    // What the comparison takes: bit 0 is less, 1 equal, 2 greater. One loop serves all six.
    let taken: u8 = match op {
        Comparison::Equal => 0b010,
        Comparison::NotEqual => 0b101,
        Comparison::Less => 0b001,
        Comparison::LessOrEqual => 0b011,
        Comparison::Greater => 0b100,
        Comparison::GreaterOrEqual => 0b110,
    };
    BooleanBuffer::collect_bool(len, |i| taken >> (order(i) as i8 + 1) & 1 == 1)
}
