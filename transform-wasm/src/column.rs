//! Typed columns as the job holds them between decode and encode.
//!
//! For: appending values while a record is shredded, rolling a rejected record back, copying rows
//! into partitions. Not for: expressions (those run over Arrow arrays, see [`Column::to_arrow`]).
//!
//! A column is slot-aligned (a null has a slot too), and a parent's value is stored once per record; how
//! many rows repeat it stands beside it (`repeats`), so that an exploded parent is hashed and encoded once
//! per record and not once per row. What a column holds follows from its type alone: [`Column::slots`] hands
//! out an appender of that type, so a value of another type has nowhere to go.

mod texts;

pub use lakegate_model::ColumnType;
pub use texts::Texts;

use std::ops::Range;

use crate::bytes;
use crate::error::Failure;

/// The values of a column, one a slot; a null slot holds the type's zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One byte a value, 0 or 1.
    Boolean(Vec<u8>),
    /// As they are.
    Bigint(Vec<i64>),
    /// Milliseconds since 1970-01-01 UTC.
    Timestamp(Vec<i64>),
    /// Microseconds since 1970-01-01 UTC.
    TimestampMicros(Vec<i64>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Finite.
    Double(Vec<f64>),
    /// Exact numbers, times `10^scale`.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
        /// The values.
        unscaled: Vec<i128>,
    },
    /// UTF-8 text.
    String(Texts),
    /// JSON text.
    Json(Texts),
}

/// One column of a batch or of an open part file.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// One byte a slot: 1 is a value, 0 is null.
    valid: Vec<u8>,
    /// The values, slot-aligned.
    values: Values,
}

/// Where a column's next values go, by its type.
#[derive(Debug)]
pub enum Slots<'a> {
    /// 0 or 1.
    Boolean(Fixed<'a, u8>),
    /// Any.
    Bigint(Fixed<'a, i64>),
    /// Milliseconds since 1970-01-01 UTC.
    Timestamp(Fixed<'a, i64>),
    /// Microseconds since 1970-01-01 UTC.
    TimestampMicros(Fixed<'a, i64>),
    /// Days since 1970-01-01.
    Date(Fixed<'a, i32>),
    /// Finite ones.
    Double(Fixed<'a, f64>),
    /// Unscaled, of at most `precision` digits.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
        /// The slots.
        slots: Fixed<'a, i128>,
    },
    /// UTF-8 text.
    String(TextSlots<'a>),
    /// JSON text.
    Json(TextSlots<'a>),
}

/// The slots of a column whose values have one size.
#[derive(Debug)]
pub struct Fixed<'a, T> {
    valid: &'a mut Vec<u8>,
    values: &'a mut Vec<T>,
}

/// The slots of a column of texts.
#[derive(Debug)]
pub struct TextSlots<'a> {
    valid: &'a mut Vec<u8>,
    texts: &'a mut Texts,
}

impl<T: Copy + Default> Fixed<'_, T> {
    /// Appends a value.
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        self.values.push(value);
        self.valid.push(1);
    }

    /// Appends so many slots, to be filled: zeros that are no nulls.
    #[inline(always)]
    pub fn more(&mut self, count: usize) -> impl Iterator<Item = (&mut T, &mut u8)> {
        let from = self.valid.len();
        self.values.resize(from + count, T::default());
        self.valid.resize(from + count, 1);
        self.values[from..].iter_mut().zip(&mut self.valid[from..])
    }
}

impl TextSlots<'_> {
    /// Appends text: UTF-8, as whoever read it has seen to.
    #[inline(always)]
    pub fn push(&mut self, text: &[u8]) {
        bytes::append(&mut self.texts.data, text);
        self.texts.end();
        self.valid.push(1);
    }

    /// As [`TextSlots::push`], of a part of the input: see [`bytes::append_part`].
    #[inline(always)]
    pub fn push_part(&mut self, input: &[u8], part: Range<usize>) {
        bytes::append_part(&mut self.texts.data, input, part);
        self.texts.end();
        self.valid.push(1);
    }

    /// Appends text that `write` appends to the column's own buffer.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.texts.data);
        self.texts.end();
        self.valid.push(1);
    }

    /// The same, and nothing is appended where writing fails.
    ///
    /// # Errors
    /// Those of `write`.
    #[inline]
    pub fn try_push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let before = self.texts.data.len();
        if let Err(error) = write(&mut self.texts.data) {
            self.texts.data.truncate(before);
            return Err(error);
        }
        self.texts.end();
        self.valid.push(1);
        Ok(())
    }

    /// Appends so many texts of `bytes` bytes together: `write` puts the next one at the front of the room that
    /// it is given, which has `surplus` bytes more than the texts to come, and says its length; none
    /// is a null.
    #[inline(always)]
    pub fn push_all(
        &mut self,
        count: usize,
        bytes: usize,
        surplus: usize,
        mut write: impl FnMut(usize, &mut [u8]) -> Option<usize>,
    ) {
        let Texts { data, ends } = &mut *self.texts;
        let (mut at, from) = (data.len(), ends.len());
        data.resize(at + bytes + surplus, 0);
        ends.resize(from + count, 0);
        self.valid.resize(from + count, 0);
        let slots = ends[from..].iter_mut().zip(&mut self.valid[from..]);
        for (number, (end, valid)) in slots.enumerate() {
            let length = write(number, &mut data[at..]);
            *valid = u8::from(length.is_some());
            at += length.unwrap_or(0);
            *end = at as u32;
        }
        data.truncate(at);
    }
}

impl Values {
    /// So many zeros.
    fn zeros(ty: ColumnType, len: usize) -> Self {
        match ty {
            ColumnType::Boolean => Self::Boolean(vec![0; len]),
            ColumnType::Bigint => Self::Bigint(vec![0; len]),
            ColumnType::Timestamp => Self::Timestamp(vec![0; len]),
            ColumnType::TimestampMicros => Self::TimestampMicros(vec![0; len]),
            ColumnType::Date => Self::Date(vec![0; len]),
            ColumnType::Double => Self::Double(vec![0.0; len]),
            ColumnType::Decimal { precision, scale } => {
                Self::Decimal { precision, scale, unscaled: vec![0; len] }
            }
            ColumnType::String => Self::String(Texts { data: Vec::new(), ends: vec![0; len] }),
            ColumnType::Json => Self::Json(Texts { data: Vec::new(), ends: vec![0; len] }),
        }
    }
}

impl Column {
    /// An empty column.
    pub fn new(ty: ColumnType) -> Self {
        Self::nulls(ty, 0)
    }

    /// So many nulls.
    pub fn nulls(ty: ColumnType, len: usize) -> Self {
        Self { valid: vec![0; len], values: Values::zeros(ty, len) }
    }

    /// A column of values with their validity; null slots hold the type's zero.
    ///
    /// # Errors
    /// Fault `internal` when there is not one byte of validity a value.
    pub(crate) fn from_values(valid: Vec<u8>, values: Values) -> Result<Self, Failure> {
        if values.len() != valid.len() {
            return Err(Failure::internal("a column's values are not those of its slots"));
        }
        Ok(Self { valid, values })
    }

    /// The type agreed in the contract.
    pub fn ty(&self) -> ColumnType {
        match self.values {
            Values::Boolean(_) => ColumnType::Boolean,
            Values::Bigint(_) => ColumnType::Bigint,
            Values::Timestamp(_) => ColumnType::Timestamp,
            Values::TimestampMicros(_) => ColumnType::TimestampMicros,
            Values::Date(_) => ColumnType::Date,
            Values::Double(_) => ColumnType::Double,
            Values::Decimal { precision, scale, .. } => ColumnType::Decimal { precision, scale },
            Values::String(_) => ColumnType::String,
            Values::Json(_) => ColumnType::Json,
        }
    }

    /// One byte a slot: 1 is a value, 0 is null.
    #[inline]
    pub fn valid(&self) -> &[u8] {
        &self.valid
    }

    /// The values, slot-aligned.
    #[inline]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Slots, nulls among them.
    #[inline]
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Whether there is no slot.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// Where its next values go.
    #[inline(always)]
    pub fn slots(&mut self) -> Slots<'_> {
        let valid = &mut self.valid;
        match &mut self.values {
            Values::Boolean(values) => Slots::Boolean(Fixed { valid, values }),
            Values::Bigint(values) => Slots::Bigint(Fixed { valid, values }),
            Values::Timestamp(values) => Slots::Timestamp(Fixed { valid, values }),
            Values::TimestampMicros(values) => Slots::TimestampMicros(Fixed { valid, values }),
            Values::Date(values) => Slots::Date(Fixed { valid, values }),
            Values::Double(values) => Slots::Double(Fixed { valid, values }),
            Values::Decimal { precision, scale, unscaled: values } => {
                Slots::Decimal { precision: *precision, scale: *scale, slots: Fixed { valid, values } }
            }
            Values::String(texts) => Slots::String(TextSlots { valid, texts }),
            Values::Json(texts) => Slots::Json(TextSlots { valid, texts }),
        }
    }

    /// Appends a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.valid.push(0);
        match &mut self.values {
            Values::Boolean(v) => v.push(0),
            Values::Bigint(v) | Values::Timestamp(v) | Values::TimestampMicros(v) => v.push(0),
            Values::Date(v) => v.push(0),
            Values::Double(v) => v.push(0.0),
            Values::Decimal { unscaled, .. } => unscaled.push(0),
            Values::String(texts) | Values::Json(texts) => texts.end(),
        }
    }

    /// Drops every slot from `len` on: how a rejected record is taken back.
    pub fn truncate(&mut self, len: usize) {
        if self.len() <= len {
            return;
        }
        self.valid.truncate(len);
        match &mut self.values {
            Values::Boolean(v) => v.truncate(len),
            Values::Bigint(v) | Values::Timestamp(v) | Values::TimestampMicros(v) => v.truncate(len),
            Values::Date(v) => v.truncate(len),
            Values::Double(v) => v.truncate(len),
            Values::Decimal { unscaled, .. } => unscaled.truncate(len),
            Values::String(texts) | Values::Json(texts) => texts.truncate(len),
        }
    }

    /// Empties the column and keeps its memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Takes memory for what `room` makes of the slots, and of the bytes of texts, that there are.
    pub fn reserve_for(&mut self, room: impl Fn(usize) -> usize) {
        fn reserve<T>(values: &mut Vec<T>, room: &impl Fn(usize) -> usize) {
            values.reserve_exact(room(values.len()).saturating_sub(values.len()));
        }
        reserve(&mut self.valid, &room);
        match &mut self.values {
            Values::Boolean(v) => reserve(v, &room),
            Values::Bigint(v) | Values::Timestamp(v) | Values::TimestampMicros(v) => reserve(v, &room),
            Values::Date(v) => reserve(v, &room),
            Values::Double(v) => reserve(v, &room),
            Values::Decimal { unscaled, .. } => reserve(unscaled, &room),
            Values::String(texts) | Values::Json(texts) => {
                reserve(&mut texts.ends, &room);
                reserve(&mut texts.data, &room);
            }
        }
    }

    /// Appends all of `other`, which has the same type.
    ///
    /// # Errors
    /// Fault `internal` for another type; fault `limit` for texts that are too long together.
    pub fn append(&mut self, other: &Self) -> Result<(), Failure> {
        match (&mut self.values, &other.values) {
            (Values::Boolean(a), Values::Boolean(b)) => a.extend_from_slice(b),
            (Values::Bigint(a), Values::Bigint(b))
            | (Values::Timestamp(a), Values::Timestamp(b))
            | (Values::TimestampMicros(a), Values::TimestampMicros(b)) => {
                a.extend_from_slice(b);
            }
            (Values::Date(a), Values::Date(b)) => a.extend_from_slice(b),
            (Values::Double(a), Values::Double(b)) => a.extend_from_slice(b),
            (Values::Decimal { unscaled: a, .. }, Values::Decimal { unscaled: b, .. }) => {
                a.extend_from_slice(b);
            }
            (Values::String(a), Values::String(b)) | (Values::Json(a), Values::Json(b)) => a.append(b)?,
            _ => return Err(two_types(self, other)),
        }
        self.valid.extend_from_slice(&other.valid);
        Ok(())
    }

    /// Appends the slots of `other` that `slots` names, in that order.
    ///
    /// # Errors
    /// As [`Column::append`].
    pub fn append_slots(&mut self, other: &Self, slots: &[u32]) -> Result<(), Failure> {
        match (&mut self.values, &other.values) {
            (Values::Boolean(a), Values::Boolean(b)) => pick(a, b, slots),
            (Values::Bigint(a), Values::Bigint(b))
            | (Values::Timestamp(a), Values::Timestamp(b))
            | (Values::TimestampMicros(a), Values::TimestampMicros(b)) => {
                pick(a, b, slots);
            }
            (Values::Date(a), Values::Date(b)) => pick(a, b, slots),
            (Values::Double(a), Values::Double(b)) => pick(a, b, slots),
            (Values::Decimal { unscaled: a, .. }, Values::Decimal { unscaled: b, .. }) => pick(a, b, slots),
            (Values::String(a), Values::String(b)) | (Values::Json(a), Values::Json(b)) => {
                a.append_slots(b, slots)?;
            }
            _ => return Err(two_types(self, other)),
        }
        pick(&mut self.valid, &other.valid, slots);
        Ok(())
    }

    /// Bytes of the text in a slot; 0 where there is none.
    pub fn text_bytes(&self, slot: usize) -> usize {
        match &self.values {
            Values::String(texts) | Values::Json(texts) if slot < self.len() => texts.get(slot).len(),
            _ => 0,
        }
    }

    /// Bytes held, as the encode budget counts them: logical, never the allocator's.
    pub fn stored_bytes(&self) -> usize {
        self.len() + self.raw_bytes()
    }

    /// Bytes of the values, one a slot.
    pub fn raw_bytes(&self) -> usize {
        let text = match &self.values {
            Values::String(texts) | Values::Json(texts) => texts.data.len(),
            _ => 0,
        };
        self.len() * self.ty().width() + text
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Boolean(v) => v.len(),
            Self::Bigint(v) | Self::Timestamp(v) | Self::TimestampMicros(v) => v.len(),
            Self::Date(v) => v.len(),
            Self::Double(v) => v.len(),
            Self::Decimal { unscaled, .. } => unscaled.len(),
            Self::String(texts) | Self::Json(texts) => texts.ends.len(),
        }
    }
}

fn pick<T: Copy>(to: &mut Vec<T>, from: &[T], slots: &[u32]) {
    to.extend(slots.iter().map(|&i| from[i as usize]));
}

#[cold]
fn two_types(a: &Column, b: &Column) -> Failure {
    Failure::internal(format!("a {} column was to take the values of a {} column", a.ty(), b.ty()))
}
