//! Columns to Arrow arrays and back: for expressions, and for transforms of one's own.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMillisecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};

use crate::column::{Column, ColumnType, Values};
use crate::error::Failure;

/// Column types as Arrow has them.
pub trait ArrowType: Sized {
    /// The type that arrays of such a column have.
    #[must_use]
    fn arrow_type(self) -> DataType;

    /// The type whose arrays are of this one; text is string.
    fn of_arrow(ty: &DataType) -> Option<Self>;
}

impl ArrowType for ColumnType {
    fn arrow_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Bigint => DataType::Int64,
            Self::Double => DataType::Float64,
            // No scale is above 38.
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale as i8),
            Self::String | Self::Json => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }

    fn of_arrow(ty: &DataType) -> Option<Self> {
        let decimal = match ty {
            DataType::Decimal128(precision, scale) => {
                Some(Self::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? })
            }
            _ => None,
        };
        [Self::Boolean, Self::Bigint, Self::Double, Self::String, Self::Date, Self::Timestamp]
            .into_iter()
            .chain(decimal)
            .find(|known| known.arrow_type() == *ty)
    }
}

impl Column {
    /// So many nulls.
    pub(crate) fn nulls(ty: ColumnType, rows: usize) -> Self {
        let mut column = Self::new(ty);
        (0..rows).for_each(|_| column.push_null());
        column
    }

    /// The column as an Arrow array: slot by slot, or the slots that `slots` names.
    pub fn to_arrow(&self, slots: Option<&[u32]>) -> ArrayRef {
        let picked;
        let column = match slots {
            None => self,
            Some(slots) => {
                let mut copy = Self::new(self.ty);
                copy.append_slots(self, slots);
                picked = copy;
                &picked
            }
        };
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(column.len(), |i| column.valid[i] != 0));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        match (&column.values, column.ty) {
            (Values::Boolean(v), _) => {
                Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(v.len(), |i| v[i] != 0), nulls))
            }
            (Values::Int64(v), ColumnType::Timestamp) => {
                Arc::new(TimestampMillisecondArray::new(ScalarBuffer::from(v.clone()), nulls))
            }
            (Values::Int64(v), _) => Arc::new(Int64Array::new(ScalarBuffer::from(v.clone()), nulls)),
            (Values::Int32(v), _) => Arc::new(Date32Array::new(ScalarBuffer::from(v.clone()), nulls)),
            (Values::Double(v), _) => Arc::new(Float64Array::new(ScalarBuffer::from(v.clone()), nulls)),
            (Values::Int128(v), ty) => {
                let array = Decimal128Array::new(ScalarBuffer::from(v.clone()), nulls);
                let ColumnType::Decimal { precision, scale } = ty else { return Arc::new(array) };
                match array.clone().with_precision_and_scale(precision, scale as i8) {
                    Ok(array) => Arc::new(array),
                    Err(_) => Arc::new(array),
                }
            }
            (Values::Bytes { data, ends }, _) => {
                let offsets: Vec<i32> =
                    std::iter::once(0).chain(ends.iter().map(|&end| end as i32)).collect();
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                // SAFETY: every text was checked to be UTF-8 when it was read, and `ends` ascend within `data`.
                Arc::new(unsafe { StringArray::new_unchecked(offsets, Buffer::from_slice_ref(data), nulls) })
            }
        }
    }

    /// A column of an Arrow array of the type's own kind.
    ///
    /// # Errors
    /// Fault `internal` when the array is of another kind.
    pub fn from_arrow(ty: ColumnType, array: &ArrayRef) -> Result<Self, Failure> {
        let wrong = || Failure::internal(format!("an array of {} is no {ty} column", array.data_type()));
        let mut column = Self::new(ty);
        column.valid = (0..array.len()).map(|i| u8::from(array.is_valid(i))).collect();
        match &mut column.values {
            Values::Boolean(v) => {
                let array = array.as_boolean_opt().ok_or_else(wrong)?;
                v.extend((0..array.len()).map(|i| u8::from(array.is_valid(i) && array.value(i))));
            }
            Values::Int64(v) if ty == ColumnType::Timestamp => {
                *v =
                    array.as_primitive_opt::<TimestampMillisecondType>().ok_or_else(wrong)?.values().to_vec();
            }
            Values::Int64(v) => {
                *v = array.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?.values().to_vec()
            }
            Values::Int32(v) => {
                *v = array.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?.values().to_vec()
            }
            Values::Double(v) => {
                *v = array.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?.values().to_vec()
            }
            Values::Int128(v) => {
                *v = array.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong)?.values().to_vec()
            }
            Values::Bytes { data, ends } => {
                let array = array.as_string_opt::<i32>().ok_or_else(wrong)?;
                for i in 0..array.len() {
                    if array.is_valid(i) {
                        data.extend_from_slice(array.value(i).as_bytes());
                    }
                    ends.push(data.len() as u32);
                }
            }
        }
        column.zero_nulls();
        Ok(column)
    }

    /// Null slots hold zero, whatever the array held there: bytes must not depend on it.
    fn zero_nulls(&mut self) {
        let valid = &self.valid;
        match &mut self.values {
            Values::Boolean(v) => zero(v, valid),
            Values::Int64(v) => zero(v, valid),
            Values::Int32(v) => zero(v, valid),
            Values::Double(v) => zero(v, valid),
            Values::Int128(v) => zero(v, valid),
            Values::Bytes { .. } => {}
        }
    }
}

fn zero<T: Default>(values: &mut [T], valid: &[u8]) {
    for (value, valid) in values.iter_mut().zip(valid) {
        if *valid == 0 {
            *value = T::default();
        }
    }
}
