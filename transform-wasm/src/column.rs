//! Typed columns as the job holds them between decode and encode.
//!
//! For: appending values while a record is shredded, rolling a rejected record back, copying rows
//! into partitions. Not for: expressions (those run over Arrow arrays, see [`Column::to_arrow`]).
//!
//! The decision to know: a column is slot-aligned (a null has a slot too), and a parent's value is
//! stored once per record; how many rows repeat it stands beside it (`repeats`), so that an
//! exploded parent is hashed and encoded once per record and not once per row.

pub use lakegate_model::ColumnType;

pub use crate::column_arrow::ArrowType;

use crate::bytes::append;

/// The values of a column, one a slot; a null slot holds the type's zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One byte a value, 0 or 1.
    Boolean(Vec<u8>),
    /// Bigint and timestamp.
    Int64(Vec<i64>),
    /// Date.
    Int32(Vec<i32>),
    /// Double.
    Double(Vec<f64>),
    /// Decimal, unscaled.
    Int128(Vec<i128>),
    /// String and JSON text: value `i` is `data[ends[i - 1]..ends[i]]`.
    Bytes {
        /// All values, end to end.
        data: Vec<u8>,
        /// End of each value in `data`.
        ends: Vec<u32>,
    },
}

/// One column of a batch or of an open part file.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The type agreed in the contract.
    pub ty: ColumnType,
    /// One byte a slot: 1 is a value, 0 is null.
    pub valid: Vec<u8>,
    /// The values, slot-aligned.
    pub values: Values,
}

impl Values {
    fn new(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Boolean => Self::Boolean(Vec::new()),
            ColumnType::Bigint | ColumnType::Timestamp => Self::Int64(Vec::new()),
            ColumnType::Double => Self::Double(Vec::new()),
            ColumnType::Decimal { .. } => Self::Int128(Vec::new()),
            ColumnType::String | ColumnType::Json => Self::Bytes { data: Vec::new(), ends: Vec::new() },
            ColumnType::Date => Self::Int32(Vec::new()),
        }
    }
}

impl Column {
    /// An empty column.
    pub fn new(ty: ColumnType) -> Self {
        Self { ty, valid: Vec::new(), values: Values::new(ty) }
    }

    /// Slots, nulls among them.
    #[inline]
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Whether there is no slot.
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// Appends a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.valid.push(0);
        match &mut self.values {
            Values::Boolean(v) => v.push(0),
            Values::Int64(v) => v.push(0),
            Values::Int32(v) => v.push(0),
            Values::Double(v) => v.push(0.0),
            Values::Int128(v) => v.push(0),
            Values::Bytes { data, ends } => ends.push(data.len() as u32),
        }
    }

    /// Appends a boolean; the column's type must be boolean (as with every `push_`).
    #[inline]
    pub fn push_bool(&mut self, value: bool) {
        if let Values::Boolean(v) = &mut self.values {
            v.push(u8::from(value));
            self.valid.push(1);
        }
    }

    /// Appends a bigint or timestamp.
    #[inline]
    pub fn push_i64(&mut self, value: i64) {
        if let Values::Int64(v) = &mut self.values {
            v.push(value);
            self.valid.push(1);
        }
    }

    /// Appends a date.
    #[inline]
    pub fn push_i32(&mut self, value: i32) {
        if let Values::Int32(v) = &mut self.values {
            v.push(value);
            self.valid.push(1);
        }
    }

    /// Appends a double.
    #[inline]
    pub fn push_f64(&mut self, value: f64) {
        if let Values::Double(v) = &mut self.values {
            v.push(value);
            self.valid.push(1);
        }
    }

    /// Appends an unscaled decimal.
    #[inline]
    pub fn push_i128(&mut self, value: i128) {
        if let Values::Int128(v) = &mut self.values {
            v.push(value);
            self.valid.push(1);
        }
    }

    /// Appends text.
    #[inline]
    pub fn push_bytes(&mut self, value: &[u8]) {
        if let Values::Bytes { data, ends } = &mut self.values {
            append(data, value);
            ends.push(data.len() as u32);
            self.valid.push(1);
        }
    }

    /// Appends text that `write` appends to the column's own buffer.
    #[inline]
    pub fn push_bytes_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Values::Bytes { data, ends } = &mut self.values {
            write(data);
            ends.push(data.len() as u32);
            self.valid.push(1);
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
            Values::Int64(v) => v.truncate(len),
            Values::Int32(v) => v.truncate(len),
            Values::Double(v) => v.truncate(len),
            Values::Int128(v) => v.truncate(len),
            Values::Bytes { data, ends } => {
                ends.truncate(len);
                data.truncate(ends.last().map_or(0, |&end| end as usize));
            }
        }
    }

    /// Empties the column and keeps its memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Appends all of `other`, which has the same type.
    pub fn append(&mut self, other: &Self) {
        self.valid.extend_from_slice(&other.valid);
        match (&mut self.values, &other.values) {
            (Values::Boolean(a), Values::Boolean(b)) => a.extend_from_slice(b),
            (Values::Int64(a), Values::Int64(b)) => a.extend_from_slice(b),
            (Values::Int32(a), Values::Int32(b)) => a.extend_from_slice(b),
            (Values::Double(a), Values::Double(b)) => a.extend_from_slice(b),
            (Values::Int128(a), Values::Int128(b)) => a.extend_from_slice(b),
            (Values::Bytes { data, ends }, Values::Bytes { data: other_data, ends: other_ends }) => {
                let base = data.len() as u32;
                data.extend_from_slice(other_data);
                ends.extend(other_ends.iter().map(|end| base + end));
            }
            _ => debug_assert!(false, "columns of two types"),
        }
    }

    /// Appends the slots of `other` that `slots` names, in that order.
    pub fn append_slots(&mut self, other: &Self, slots: &[u32]) {
        self.valid.extend(slots.iter().map(|&i| other.valid[i as usize]));
        match (&mut self.values, &other.values) {
            (Values::Boolean(a), Values::Boolean(b)) => a.extend(slots.iter().map(|&i| b[i as usize])),
            (Values::Int64(a), Values::Int64(b)) => a.extend(slots.iter().map(|&i| b[i as usize])),
            (Values::Int32(a), Values::Int32(b)) => a.extend(slots.iter().map(|&i| b[i as usize])),
            (Values::Double(a), Values::Double(b)) => a.extend(slots.iter().map(|&i| b[i as usize])),
            (Values::Int128(a), Values::Int128(b)) => a.extend(slots.iter().map(|&i| b[i as usize])),
            (Values::Bytes { data, ends }, Values::Bytes { .. }) => {
                for &slot in slots {
                    append(data, other.bytes(slot as usize));
                    ends.push(data.len() as u32);
                }
            }
            _ => debug_assert!(false, "columns of two types"),
        }
    }

    /// The text in a slot; empty where it is null or the column holds no text.
    #[inline]
    pub fn bytes(&self, slot: usize) -> &[u8] {
        let Values::Bytes { data, ends } = &self.values else { return &[] };
        let start = if slot == 0 { 0 } else { ends[slot - 1] as usize };
        &data[start..ends[slot] as usize]
    }

    /// Bytes held, as the encode budget counts them: logical, never the allocator's.
    pub fn stored_bytes(&self) -> usize {
        let text = if let Values::Bytes { data, .. } = &self.values { data.len() } else { 0 };
        self.len() * (self.ty.width() + 1) + text
    }

    /// Bytes of the values of all rows, where slot `i` stands for `repeats[i]` rows.
    pub fn raw_bytes(&self, repeats: Option<&[u32]>) -> usize {
        let Some(repeats) = repeats else {
            let text = if let Values::Bytes { data, .. } = &self.values { data.len() } else { 0 };
            return self.len() * self.ty.width() + text;
        };
        let rows: usize = repeats.iter().map(|&n| n as usize).sum();
        let text = match &self.values {
            Values::Bytes { ends, .. } => {
                let mut start = 0;
                let mut sum = 0;
                for (&end, &n) in ends.iter().zip(repeats) {
                    sum += (end - start) as usize * n as usize;
                    start = end;
                }
                sum
            }
            _ => 0,
        };
        rows * self.ty.width() + text
    }
}
