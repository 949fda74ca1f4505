//! CSV fields into columns: every field is text, parsed by its column's type.

use crate::column::{Column, ColumnType};
use crate::error::Failure;
use crate::json::skip::Care;
use crate::json::{Cursor, Stop};
use crate::value::{Misfit, Number, parse_boolean};

use super::Shredder;
use super::convert::{date, timestamp};
use super::plan::Target;

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
            if target.ty == ColumnType::Json {
                let text = text.trim_ascii();
                let cursor = Cursor { input: text, complete: true };
                return match self.skipper.skip(&cursor, 0, self.depth, Care::All) {
                    Ok(end) if end == text.len() => {
                        self.put_json(node, text);
                        Ok(())
                    }
                    _ => Err(self.reject("not_json", "the value is no JSON text", node, at)),
                };
            }
            if let Err(misfit) = put_field(column, target, text, decimal) {
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

/// Parses a field that is not null by its column's type, which is not JSON.
pub(super) fn put_field(
    column: &mut Column,
    target: &Target,
    text: &[u8],
    decimal: u8,
) -> Result<(), Misfit> {
    if target.ty == ColumnType::String {
        column.push_bytes(text);
        return Ok(());
    }
    let text = text.trim_ascii();
    match target.ty {
        ColumnType::String | ColumnType::Json => {}
        ColumnType::Bigint => column.push_i64(Number::field(text, decimal)?.as_i64(text)?),
        ColumnType::Double => column.push_f64(Number::field(text, decimal)?.as_f64(text)?),
        ColumnType::Decimal { precision, scale } => {
            column.push_i128(Number::field(text, decimal)?.as_decimal(text, precision, scale)?);
        }
        ColumnType::Boolean => column.push_bool(parse_boolean(text)?),
        ColumnType::Date => column.push_i32(date(text, target.format.as_ref())?),
        ColumnType::Timestamp => {
            column.push_i64(timestamp(text, target.format.as_ref(), target.tz_offset_ms)?);
        }
    }
    Ok(())
}
