//! CSV fields into columns: every field is text, parsed by its column's type.

use crate::column::ColumnType;
use crate::error::Failure;
use crate::json::skip::Care;
use crate::json::{Cursor, Stop};
use crate::value::{Misfit, Number, parse_boolean};

use super::Shredder;
use super::convert::{date, timestamp};

impl Shredder {
    /// The node of a CSV column, by its header.
    ///
    /// # Errors
    /// When there are too many.
    pub fn csv_column(&mut self, header: &[u8]) -> Result<u32, Failure> {
        let keys = &self.plan.nodes[0].keys;
        let position = match keys.position(header) {
            Some(position) => position,
            None => self.plan.add_unknown(0, header)?,
        };
        Ok(self.plan.nodes[0].keys.node(position))
    }

    /// Shreds one field that is not null.
    ///
    /// # Errors
    /// `Reject` for a text that the column's type does not take; `NewPath` for a new column.
    pub fn field(&mut self, node: u32, text: &[u8], decimal: u8, at: usize) -> Result<(), Stop> {
        let plan = &self.plan.nodes[node as usize];
        if plan.targets.is_empty() {
            return if plan.known { Ok(()) } else { self.unknown(node, at) };
        }
        for i in 0..plan.targets.len() {
            let target = &self.plan.nodes[node as usize].targets[i];
            let column = &mut self.batch.tables[target.table].columns[target.column];
            if target.ty == ColumnType::String {
                column.push_bytes(text);
                continue;
            }
            let text = text.trim_ascii();
            let done = match target.ty {
                ColumnType::String => Ok(()),
                ColumnType::Bigint => {
                    Number::field(text, decimal).and_then(|n| n.as_i64(text)).map(|v| column.push_i64(v))
                }
                ColumnType::Double => {
                    Number::field(text, decimal).and_then(|n| n.as_f64(text)).map(|v| column.push_f64(v))
                }
                ColumnType::Decimal { precision, scale } => Number::field(text, decimal)
                    .and_then(|n| n.as_decimal(text, precision, scale))
                    .map(|v| column.push_i128(v)),
                ColumnType::Boolean => parse_boolean(text).map(|v| column.push_bool(v)),
                ColumnType::Date => date(text, target.format.as_ref()).map(|v| column.push_i32(v)),
                ColumnType::Timestamp => {
                    timestamp(text, target.format.as_ref(), target.tz_offset_ms).map(|v| column.push_i64(v))
                }
                ColumnType::Json => {
                    let cursor = Cursor { input: text, complete: true };
                    match self.skipper.skip(&cursor, 0, self.depth, Care::All) {
                        Ok(end) if end == text.len() => {
                            self.put_json(node, text);
                            return Ok(());
                        }
                        _ => return Err(self.reject("not_json", "the value is no JSON text", node, at)),
                    }
                }
            };
            if let Err(misfit) = done {
                return Err(self.field_misfit(node, misfit, at));
            }
        }
        Ok(())
    }

    #[cold]
    fn field_misfit(&self, node: u32, misfit: Misfit, at: usize) -> Stop {
        self.reject(misfit.code(), format!("the value {misfit}"), node, at)
    }
}
