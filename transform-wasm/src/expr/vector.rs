//! Values of an expression over a batch, and the loops that make them row by row.
//!
//! For: every operation in this module. Not for: what the operations mean. The decision to know: a
//! constant is an array of one value; whatever has only constant operands is computed once, and its
//! error, if any, is every row's.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, PrimitiveArray, StringArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType,
};

use super::error::{RowError, RowErrors};
use crate::column::ColumnType;
use crate::column_arrow::ArrowType as _;
use crate::limits::DERIVED_TEXT_BYTES;

/// Bytes that one text column of a batch may grow to: 32-bit offsets end at 2 GiB, and memory much
/// earlier. Only texts that an expression has multiplied come near it.
pub(super) const MAX_TEXT_BYTES: usize = DERIVED_TEXT_BYTES;

/// A column of results, or one value for all rows.
#[derive(Clone)]
pub(super) struct Value {
    pub array: ArrayRef,
    /// The array has one value, which is every row's.
    pub constant: bool,
}

impl Value {
    pub(super) fn constant(array: ArrayRef) -> Self {
        Self { array, constant: true }
    }

    fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(self.index(row))
    }

    pub(super) fn bits(&self) -> Bits<'_> {
        Bits { array: self.array.as_boolean(), constant: self.constant }
    }

    pub(super) fn numbers<T: ArrowPrimitiveType>(&self) -> Numbers<'_, T> {
        let array = self.array.as_primitive::<T>();
        Numbers { array, values: array.values(), nulls: array.nulls(), constant: self.constant }
    }

    pub(super) fn texts(&self) -> Texts<'_> {
        Texts { array: self.array.as_string(), constant: self.constant }
    }
}

pub(super) struct Bits<'a> {
    array: &'a BooleanArray,
    constant: bool,
}

impl Bits<'_> {
    pub(super) fn get(&self, row: usize) -> Option<bool> {
        let i = if self.constant { 0 } else { row };
        self.array.is_valid(i).then(|| self.array.value(i))
    }
}

pub(super) struct Numbers<'a, T: ArrowPrimitiveType> {
    pub array: &'a PrimitiveArray<T>,
    pub values: &'a [T::Native],
    nulls: Option<&'a NullBuffer>,
    pub constant: bool,
}

impl<T: ArrowPrimitiveType> Numbers<'_, T> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<T::Native> {
        let i = if self.constant { 0 } else { row };
        if self.nulls.is_some_and(|nulls| nulls.is_null(i)) { None } else { self.values.get(i).copied() }
    }
}

pub(super) struct Texts<'a> {
    array: &'a StringArray,
    pub constant: bool,
}

impl<'a> Texts<'a> {
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let i = if self.constant { 0 } else { row };
        self.array.is_valid(i).then(|| self.array.value(i))
    }
}

/// What one row comes to: a value, null, or an error.
pub(super) type Cell<T> = Result<Option<T>, RowError>;

/// How many values an operation has to make.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    rows: usize,
    pub constant: bool,
}

impl Shape {
    /// For an operation over `operands` in a batch of `rows`.
    pub(super) fn of(rows: usize, operands: &[&Value]) -> Self {
        Self { rows, constant: operands.iter().all(|value| value.constant) }
    }

    /// One value a row, whatever the operands.
    pub(super) fn every_row(rows: usize) -> Self {
        Self { rows, constant: false }
    }

    pub(super) fn len(self) -> usize {
        if self.constant { 1 } else { self.rows }
    }

    fn fail(self, row: usize, error: &RowError, errors: &mut RowErrors) {
        if self.constant {
            (0..self.rows).for_each(|row| errors.record(row, error.clone()));
        } else {
            errors.record(row, error.clone());
        }
    }

    pub(super) fn value(self, array: ArrayRef) -> Value {
        Value { array, constant: self.constant }
    }

    /// Numbers, dates or timestamps of type `ty`; a null or failed slot holds zero.
    pub(super) fn numbers<T: ArrowPrimitiveType>(
        self,
        ty: ColumnType,
        errors: &mut RowErrors,
        mut cell: impl FnMut(usize) -> Cell<T::Native>,
    ) -> Value {
        let mut values = Vec::with_capacity(self.len());
        let mut valid = BooleanBufferBuilder::new(self.len());
        for row in 0..self.len() {
            let value = cell(row).unwrap_or_else(|error| {
                self.fail(row, &error, errors);
                None
            });
            valid.append(value.is_some());
            values.push(value.unwrap_or_default());
        }
        let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls(valid));
        self.value(Arc::new(array.with_data_type(ty.arrow_type())))
    }

    pub(super) fn bits(self, errors: &mut RowErrors, mut cell: impl FnMut(usize) -> Cell<bool>) -> Value {
        let mut values = BooleanBufferBuilder::new(self.len());
        let mut valid = BooleanBufferBuilder::new(self.len());
        for row in 0..self.len() {
            let value = cell(row).unwrap_or_else(|error| {
                self.fail(row, &error, errors);
                None
            });
            valid.append(value.is_some());
            values.append(value.unwrap_or_default());
        }
        self.value(Arc::new(BooleanArray::new(values.finish(), nulls(valid))))
    }

    /// Texts: `cell` appends to what it is given; `None` is null, and what it appended then is dropped.
    /// It must stop when [`Pen::write`] refuses.
    pub(super) fn texts(
        self,
        errors: &mut RowErrors,
        mut cell: impl FnMut(usize, &mut Pen) -> Cell<()>,
    ) -> Value {
        let mut pen = Pen { bytes: Vec::new() };
        let mut ends = Vec::with_capacity(self.len() + 1);
        ends.push(0_i32);
        let mut valid = BooleanBufferBuilder::new(self.len());
        let mut end = 0;
        for row in 0..self.len() {
            let value = cell(row, &mut pen).unwrap_or_else(|error| {
                self.fail(row, &error, errors);
                None
            });
            if value.is_some() {
                end = pen.bytes.len();
            } else {
                pen.bytes.truncate(end);
            }
            valid.append(value.is_some());
            ends.push(i32::try_from(end).unwrap_or(i32::MAX));
        }
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        self.value(Arc::new(StringArray::new(ends, Buffer::from_vec(pen.bytes), nulls(valid))))
    }
}

fn nulls(mut valid: BooleanBufferBuilder) -> Option<NullBuffer> {
    Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0)
}

/// Appends text to a column that is being made, up to [`MAX_TEXT_BYTES`].
pub(super) struct Pen {
    bytes: Vec<u8>,
}

impl Pen {
    pub(super) fn write(&mut self, text: &str) -> Result<(), RowError> {
        if text.len() > MAX_TEXT_BYTES - self.bytes.len() {
            return Err(RowError::too_long("the text made here is too long for one batch"));
        }
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// One null of type `ty`. Not arrow's `new_null_array`, which brings every type there is along.
pub(super) fn null(ty: ColumnType) -> ArrayRef {
    match ty {
        ColumnType::Boolean => Arc::new(BooleanArray::new_null(1)),
        ColumnType::Bigint => Arc::new(PrimitiveArray::<Int64Type>::new_null(1)),
        ColumnType::Double => Arc::new(PrimitiveArray::<Float64Type>::new_null(1)),
        ColumnType::Decimal { .. } => {
            Arc::new(PrimitiveArray::<Decimal128Type>::new_null(1).with_data_type(ty.arrow_type()))
        }
        ColumnType::Date => Arc::new(PrimitiveArray::<Date32Type>::new_null(1)),
        ColumnType::Timestamp => Arc::new(PrimitiveArray::<TimestampMillisecondType>::new_null(1)),
        ColumnType::TimestampMicros => Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new_null(1)),
        ColumnType::String | ColumnType::Json => Arc::new(StringArray::new_null(1)),
    }
}
