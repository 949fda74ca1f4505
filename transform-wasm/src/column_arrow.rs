//! Columns to Arrow arrays and back: for expressions, and for transforms of one's own.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType,
};

use crate::column::{Column, ColumnType, Texts, Values};
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
            Self::TimestampMicros => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    fn of_arrow(ty: &DataType) -> Option<Self> {
        let decimal = match ty {
            DataType::Decimal128(precision, scale) => {
                Some(Self::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? })
            }
            _ => None,
        };
        [
            Self::Boolean,
            Self::Bigint,
            Self::Double,
            Self::String,
            Self::Date,
            Self::Timestamp,
            Self::TimestampMicros,
        ]
        .into_iter()
        .chain(decimal)
        .find(|known| known.arrow_type() == *ty)
    }
}

impl Column {
    /// The column as an Arrow array: slot by slot, or the slots that `slots` names.
    ///
    /// # Errors
    /// Fault `limit` when the texts of the slots are too long together.
    pub fn to_arrow(&self, slots: Option<&[u32]>) -> Result<ArrayRef, Failure> {
        let picked;
        let column = match slots {
            None => self,
            Some(slots) => {
                let mut copy = Self::new(self.ty());
                copy.append_slots(self, slots)?;
                picked = copy;
                &picked
            }
        };
        let valid = column.valid();
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(valid.len(), |i| valid[i] != 0));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(match column.values() {
            Values::Boolean(v) => {
                Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(v.len(), |i| v[i] != 0), nulls))
            }
            Values::Timestamp(v) => {
                Arc::new(TimestampMillisecondArray::new(ScalarBuffer::from(v.clone()), nulls))
            }
            Values::TimestampMicros(v) => {
                Arc::new(TimestampMicrosecondArray::new(ScalarBuffer::from(v.clone()), nulls))
            }
            Values::Bigint(v) => Arc::new(Int64Array::new(ScalarBuffer::from(v.clone()), nulls)),
            Values::Date(v) => Arc::new(Date32Array::new(ScalarBuffer::from(v.clone()), nulls)),
            Values::Double(v) => Arc::new(Float64Array::new(ScalarBuffer::from(v.clone()), nulls)),
            Values::Decimal { precision, scale, unscaled } => {
                let array = Decimal128Array::new(ScalarBuffer::from(unscaled.clone()), nulls);
                let array = array.with_precision_and_scale(*precision, *scale as i8);
                Arc::new(array.map_err(|error| Failure::internal(error.to_string()))?)
            }
            Values::String(texts) | Values::Json(texts) => Arc::new(strings(texts, nulls)?),
        })
    }

    /// A column of an Arrow array of the type's own kind.
    ///
    /// # Errors
    /// Fault `internal` when the array is of another kind.
    pub fn from_arrow(ty: ColumnType, array: &ArrayRef) -> Result<Self, Failure> {
        let wrong = || Failure::internal(format!("an array of {} is no {ty} column", array.data_type()));
        let valid: Vec<u8> = (0..array.len()).map(|i| u8::from(array.is_valid(i))).collect();
        let values = match ty {
            ColumnType::Boolean => {
                let array = array.as_boolean_opt().ok_or_else(wrong)?;
                Values::Boolean(
                    (0..array.len()).map(|i| u8::from(array.is_valid(i) && array.value(i))).collect(),
                )
            }
            ColumnType::Timestamp => {
                Values::Timestamp(numbers::<TimestampMillisecondType>(array, &valid).ok_or_else(wrong)?)
            }
            ColumnType::TimestampMicros => {
                Values::TimestampMicros(numbers::<TimestampMicrosecondType>(array, &valid).ok_or_else(wrong)?)
            }
            ColumnType::Bigint => Values::Bigint(numbers::<Int64Type>(array, &valid).ok_or_else(wrong)?),
            ColumnType::Date => Values::Date(numbers::<Date32Type>(array, &valid).ok_or_else(wrong)?),
            ColumnType::Double => Values::Double(numbers::<Float64Type>(array, &valid).ok_or_else(wrong)?),
            ColumnType::Decimal { precision, scale } => {
                let unscaled = numbers::<Decimal128Type>(array, &valid).ok_or_else(wrong)?;
                Values::Decimal { precision, scale, unscaled }
            }
            ColumnType::String => Values::String(texts(array.as_string_opt().ok_or_else(wrong)?)?),
            ColumnType::Json => Values::Json(texts(array.as_string_opt().ok_or_else(wrong)?)?),
        };
        Self::from_values(valid, values)
    }
}

/// Arrow checks here that the texts are UTF-8: no promise of a reader far away has to be believed.
fn strings(texts: &Texts, nulls: Option<NullBuffer>) -> Result<StringArray, Failure> {
    let offsets: Vec<i32> = std::iter::once(0).chain(texts.ends().iter().map(|&end| end as i32)).collect();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    StringArray::try_new(offsets, Buffer::from_slice_ref(texts.data()), nulls)
        .map_err(|_| Failure::internal("a column of text holds what is no UTF-8"))
}

/// The values of an array; null slots hold zero, whatever the array held there: bytes must not depend on it.
fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef, valid: &[u8]) -> Option<Vec<T::Native>> {
    let mut values = array.as_primitive_opt::<T>()?.values().to_vec();
    for (value, _) in values.iter_mut().zip(valid).filter(|(_, valid)| **valid == 0) {
        *value = T::Native::default();
    }
    Some(values)
}

/// The texts of an array; null slots hold the empty text.
fn texts(array: &StringArray) -> Result<Texts, Failure> {
    let mut texts = Texts::default();
    for i in 0..array.len() {
        texts.push(if array.is_valid(i) { array.value(i) } else { "" })?;
    }
    Ok(texts)
}
