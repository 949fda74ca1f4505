//! The rest of an object: its members that have no column of their own, as one JSON object.
//!
//! For: objects that were flattened before they had more keys than a table wants. The decision to know: such keys get
//! no node, so they cost nothing but the bytes of the record at hand, however many an input has.

use crate::column::Slots;
use crate::json::skip::Care;
use crate::json::{Cursor, Stop, compact};

use super::Shredder;

impl Shredder {
    /// Whether keys of an object that no column has go into one for the rest.
    pub(super) fn has_rest(&self, node: u32) -> bool {
        self.plan.nodes.get(node as usize).is_some_and(|node| !node.rest.is_empty())
    }

    /// Keeps the value at `at` of a key without a node, the last of [`crate::json::Lost::way`]; the position after it.
    pub(super) fn keep_rest(&mut self, cursor: &Cursor<'_>, at: usize, depth: usize) -> Result<usize, Stop> {
        let end = self.skipper.skip(cursor, at, depth, Care::All)?;
        let node = self.lost.base();
        let members = self.rest.entry(node).or_default();
        members.push(if members.is_empty() { b'{' } else { b',' });
        members.push(b'"');
        members.extend_from_slice(self.lost.last(cursor.input));
        members.extend_from_slice(b"\":");
        compact(&cursor.input[at..end], members);
        Ok(end)
    }

    /// The object is whole: what was kept of it goes into its column.
    pub(super) fn put_rest(&mut self, node: u32) {
        let Some(mut members) = self.rest.remove(&node) else { return };
        members.push(b'}');
        for target in &self.plan.nodes[node as usize].rest {
            let column = &mut self.batch.tables[target.table].columns[target.column];
            if let Slots::Json(mut slots) = column.slots() {
                slots.push(&members);
            }
        }
    }
}
