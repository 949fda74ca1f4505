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
        ColumnType::Bigint => primitive::<Int64Type>(shape, op, l, r, step),
        ColumnType::Timestamp => primitive::<TimestampMillisecondType>(shape, op, l, r, step),
        ColumnType::TimestampMicros => primitive::<TimestampMicrosecondType>(shape, op, l, r, step),
        ColumnType::Date => primitive::<Date32Type>(shape, op, l, r, step),
        ColumnType::Double => primitive::<Float64Type>(shape, op, l, r, step),
        ColumnType::Decimal { .. } => decimals(shape, op, l, r, step),
        ColumnType::String | ColumnType::Json => {
            let (l, r) = (l.as_string::<i32>(), r.as_string::<i32>());
            by_order(shape.len(), op, |i| l.value(i).cmp(r.value(i * step)))
        }
    };
    let nulls = if right.constant { l.nulls().cloned() } else { NullBuffer::union(l.nulls(), r.nulls()) };
    shape.value(Arc::new(BooleanArray::new(bits, nulls)))
}

/// Values of null slots are compared too: that costs less than a branch, and the result is null.
fn primitive<T: ArrowPrimitiveType>(
    shape: Shape,
    op: Comparison,
    left: &ArrayRef,
    right: &ArrayRef,
    step: usize,
) -> BooleanBuffer
where
    T::Native: PartialOrd,
{
    let (l, r) = (left.as_primitive::<T>().values(), right.as_primitive::<T>().values());
    let len = shape.len();
    if step == 0 {
        let r = r[0];
        return match op {
            Comparison::Equal => BooleanBuffer::collect_bool(len, |i| l[i] == r),
            Comparison::NotEqual => BooleanBuffer::collect_bool(len, |i| l[i] != r),
            Comparison::Less => BooleanBuffer::collect_bool(len, |i| l[i] < r),
            Comparison::LessOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] <= r),
            Comparison::Greater => BooleanBuffer::collect_bool(len, |i| l[i] > r),
            Comparison::GreaterOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] >= r),
        };
    }
    match op {
        Comparison::Equal => BooleanBuffer::collect_bool(len, |i| l[i] == r[i]),
        Comparison::NotEqual => BooleanBuffer::collect_bool(len, |i| l[i] != r[i]),
        Comparison::Less => BooleanBuffer::collect_bool(len, |i| l[i] < r[i]),
        Comparison::LessOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] <= r[i]),
        Comparison::Greater => BooleanBuffer::collect_bool(len, |i| l[i] > r[i]),
        Comparison::GreaterOrEqual => BooleanBuffer::collect_bool(len, |i| l[i] >= r[i]),
    }
}

fn decimals(shape: Shape, op: Comparison, left: &ArrayRef, right: &ArrayRef, step: usize) -> BooleanBuffer {
    let (scale1, scale2) = (scale(left), scale(right));
    let (l, r) =
        (left.as_primitive::<Decimal128Type>().values(), right.as_primitive::<Decimal128Type>().values());
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
    BooleanBuffer::collect_bool(len, |i| {
        let order = order(i);
        match op {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    })
}
