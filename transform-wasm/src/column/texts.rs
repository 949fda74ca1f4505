//! Texts of a column, end to end.

use crate::bytes;
use crate::error::{Code, Failure};

/// Texts, end to end. Offsets have 31 bits: a batch with the largest record that a spec may allow stays below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    /// All texts.
    pub(super) data: Vec<u8>,
    /// End of each text in `data`, ascending.
    pub(super) ends: Vec<u32>,
}

impl Texts {
    /// All texts, end to end.
    #[inline]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// End of each text, ascending.
    #[inline]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// The text in a slot; empty where it is null.
    #[inline]
    pub fn get(&self, slot: usize) -> &[u8] {
        let start = if slot == 0 { 0 } else { self.ends[slot - 1] as usize };
        &self.data[start..self.ends[slot] as usize]
    }

    /// Appends a text.
    ///
    /// # Errors
    /// Fault `limit`: all together are longer than offsets reach.
    pub fn push(&mut self, text: &str) -> Result<(), Failure> {
        bytes::append(&mut self.data, text.as_bytes());
        self.ends.push(offset(self.data.len())?);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn end(&mut self) {
        self.ends.push(self.data.len() as u32);
    }

    /// # Errors
    /// Both together are longer than offsets reach.
    pub(super) fn append(&mut self, other: &Self) -> Result<(), Failure> {
        let base = offset(self.data.len() + other.data.len())? - other.data.len() as u32;
        self.data.extend_from_slice(&other.data);
        self.ends.extend(other.ends.iter().map(|end| base + end));
        Ok(())
    }

    /// # Errors
    /// Both together are longer than offsets reach: one long text on many rows.
    pub(super) fn append_slots(&mut self, other: &Self, slots: &[u32]) -> Result<(), Failure> {
        let more: usize = slots.iter().map(|&slot| other.get(slot as usize).len()).sum();
        offset(self.data.len().saturating_add(more))?;
        self.data.reserve(more);
        for &slot in slots {
            bytes::append(&mut self.data, other.get(slot as usize));
            self.end();
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.data.truncate(self.ends.last().map_or(0, |&end| end as usize));
    }
}

/// # Errors
/// Beyond 31 bits, which Arrow's offsets have.
#[inline(always)]
fn offset(at: usize) -> Result<u32, Failure> {
    if at > i32::MAX as usize { Err(too_long()) } else { Ok(at as u32) }
}

#[cold]
fn too_long() -> Failure {
    Failure::limit(
        Code::RecordTooLarge,
        "the texts of one column are longer than 2 GiB before they are written",
    )
    .hint("is one long text repeated on the rows of an array? leave it out of the table")
}
