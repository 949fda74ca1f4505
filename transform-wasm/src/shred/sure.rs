//! What the columns at a node take for certain, judged by a value's kind alone.
//!
//! For: the learner, which has every value's kind at hand and only sends a record to its judge where one may not fit.
//! The decision to know: a set here may be too small, which costs a second walk of the record; it is never too large.

use crate::column::ColumnType;
use crate::json::NOWHERE;
use crate::learn::Kinds;
use crate::limits::RECORD_ROWS_BYTES;

use super::Shredder;
use super::plan::{Plan, Target};

impl Plan {
    /// The kinds of values that nothing at a node could refuse; `fields`: values are CSV fields.
    pub(super) fn sure(&self, node: u32, fields: bool) -> Kinds {
        let Some(plan) = self.nodes.get(node as usize).filter(|plan| plan.known) else { return Kinds::ALL };
        let mut kinds = if plan.targets.is_empty() && (plan.object || plan.rows.is_some()) {
            Kinds::NULL
        } else {
            plan.targets.iter().map(|target| target.sure(fields)).fold(Kinds::ALL, Kinds::common)
        };
        if plan.targets.is_empty() && plan.object {
            kinds = kinds.join(Kinds::OBJECT);
        }
        if plan.targets.is_empty() && plan.rows.is_some() {
            kinds = kinds.join(Kinds::OBJECT).join(Kinds::ARRAY).join(Kinds::ARRAY_OF_OBJECTS);
        }
        kinds
    }

    /// The node below a key, or below the declared key that it means.
    pub(super) fn node_below(&mut self, node: u32, key: &[u8]) -> u32 {
        let Some(plan) = self.nodes.get(node as usize) else { return NOWHERE };
        if let Some(child) = plan.keys.find(key) {
            return child;
        }
        match self.alike(node, key) {
            Some(position) => self.nodes[node as usize].keys.node(position),
            None => NOWHERE,
        }
    }

    /// The node of the elements of an array that makes rows.
    pub(super) fn element_of(&self, node: u32) -> u32 {
        let rows = self.nodes.get(node as usize).and_then(|plan| plan.rows.as_ref());
        rows.map_or(NOWHERE, |(_, element)| *element)
    }
}

impl Shredder {
    /// Whether the rows of a record of so many bytes could be too large: each byte an element, and each element with
    /// all text of the record.
    pub(super) fn may_be_too_large(&self, bytes: usize) -> bool {
        let row: usize = self.batch.tables.iter().map(|table| table.row_bytes).sum();
        bytes.saturating_mul(row.saturating_add(bytes)) > RECORD_ROWS_BYTES
    }
}

impl Target {
    fn sure(&self, fields: bool) -> Kinds {
        let null = Kinds::NULL;
        if self.clean.is_some() {
            // A field that is null elsewhere may be none here.
            return if fields { Kinds::default() } else { null };
        }
        match self.ty {
            ColumnType::String if fields => Kinds::ALL,
            ColumnType::String => Kinds::ALL.without(Kinds::NESTED),
            ColumnType::Json if fields => null,
            ColumnType::Json => Kinds::ALL,
            ColumnType::Boolean => null.join(Kinds::BOOLEAN),
            ColumnType::Bigint => null.join(Kinds::INT53).join(Kinds::INT64),
            ColumnType::Double => null.join(Kinds::INT53).join(Kinds::DOUBLE).join(Kinds::LONG),
            ColumnType::Date if self.format.is_none() => null.join(Kinds::DATE),
            // Near the year 10000, an offset decides.
            ColumnType::Timestamp | ColumnType::TimestampMicros
                if self.format.is_none() && self.tz_offset_ms == 0 =>
            {
                null.join(Kinds::TIMESTAMP).join(Kinds::FINE)
            }
            ColumnType::Date
            | ColumnType::Timestamp
            | ColumnType::TimestampMicros
            | ColumnType::Decimal { .. } => null,
        }
    }
}
