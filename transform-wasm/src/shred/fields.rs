//! CSV fields into columns: every field is text, parsed by its column's type.

use crate::column::Slots;
use crate::error::{Code, Failure};
use crate::json::skip::Care;
use crate::json::{Cursor, NOWHERE, Stop, compact};
use crate::limits::POINTER_BYTES;
use crate::spec::Mode;
use crate::value::{Misfit, Number, parse_boolean};

use super::plan::Target;
use super::{Shredder, convert};

impl Shredder {
    /// The nodes of CSV columns, by their names in the header; [`NOWHERE`] for one that has none. A declared column
    /// is the one of its name to the letter, else the first that the naming rule makes the same.
    ///
    /// # Errors
    /// Fault `limit`, code `path_too_long`, for a name that no column of a table that evolves can have.
    pub fn csv_columns(&mut self, names: &[Vec<u8>]) -> Result<Vec<u32>, Failure> {
        let stamp = self.stamp.wrapping_add(1);
        self.stamp = stamp;
        for name in names {
            let keys = &mut self.plan.nodes[0].keys;
            if let Some(position) = keys.position(name) {
                keys.mark(position, stamp);
            }
        }
        names.iter().map(|name| self.csv_column(name, stamp)).collect()
    }

    fn csv_column(&mut self, header: &[u8], stamp: u32) -> Result<u32, Failure> {
        let root = &self.plan.nodes[0];
        let mut position = root.keys.position(header);
        if position.is_none() {
            let alike = self.plan.alike(0, header);
            position = alike.filter(|&position| self.plan.nodes[0].keys.mark(position, stamp));
        }
        let root = &self.plan.nodes[0];
        if position.is_none() && root.mode == Mode::Evolve && !self.plan.takes(0, &[header]) {
            return Err(header_too_long());
        }
        let position = position.or_else(|| self.plan.add_unknown(0, header));
        Ok(position.map_or(NOWHERE, |position| {
            let keys = &mut self.plan.nodes[0].keys;
            keys.mark(position, stamp);
            keys.node(position)
        }))
    }

    /// Looks at one field that is not null, of a column that has no node.
    ///
    /// # Errors
    /// As [`Shredder::field`].
    pub fn lost_field(&mut self, header: &[u8], at: usize) -> Result<(), Stop> {
        self.unknown_below(0, at, || vec![header.to_vec()])
    }

    /// Shreds one field that is not null.
    ///
    /// # Errors
    /// `Reject` for a text that the column's type does not take; `NewPath` for a new column.
    pub fn field(&mut self, node: u32, text: &[u8], decimal_sign: u8, at: usize) -> Result<(), Stop> {
        let plan = &self.plan.nodes[node as usize];
        if plan.targets.is_empty() {
            return if plan.known { Ok(()) } else { self.unknown(node, at) };
        }
        let targets = plan.targets.len();
        if targets > 1 {
            self.spread_by((targets - 1).saturating_mul(text.len()), node, at)?;
        }
        for i in 0..targets {
            let target = &self.plan.nodes[node as usize].targets[i];
            let column = &mut self.batch.tables[target.table].columns[target.column];
            let put = match column.slots() {
                Slots::String(mut slots) => {
                    slots.push(text);
                    continue;
                }
                Slots::Json(mut slots) => {
                    let text = text.trim_ascii();
                    let cursor = Cursor { input: text, complete: true };
                    match self.skipper.skip(&cursor, 0, self.depth, Care::All) {
                        Ok(end) if end == text.len() => slots.push_with(|out| compact(text, out)),
                        Err(Stop::Reject(why)) => return Err(self.reject(why.code, why.message, node, at)),
                        _ => return Err(self.reject("not_json", "the value is no JSON text", node, at)),
                    }
                    continue;
                }
                Slots::Bigint(mut slots) => bigint(text, decimal_sign).map(|value| slots.push(value)),
                Slots::Double(mut slots) => double(text, decimal_sign).map(|value| slots.push(value)),
                Slots::Decimal { precision, scale, mut slots } => {
                    decimal(text, decimal_sign, precision, scale).map(|value| slots.push(value))
                }
                Slots::Boolean(mut slots) => boolean(text).map(|value| slots.push(value)),
                Slots::Date(mut slots) => date(text, target).map(|value| slots.push(value)),
                Slots::Timestamp(mut slots) => timestamp(text, target).map(|value| slots.push(value)),
            };
            if let Err(misfit) = put {
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

/// The failure for a name in a header that is longer than a path may be.
#[cold]
pub fn header_too_long() -> Failure {
    Failure::limit(Code::PathTooLong, format!("a name in the header is longer than {POINTER_BYTES} bytes"))
        .hint("is the first record no header? set header = false in [input], or mode = \"discard\"")
}

/// A field that is not null as a bigint.
pub(super) fn bigint(text: &[u8], decimal_sign: u8) -> Result<i64, Misfit> {
    let text = text.trim_ascii();
    Number::field(text, decimal_sign)?.as_i64(text)
}

/// As a double.
pub(super) fn double(text: &[u8], decimal_sign: u8) -> Result<f64, Misfit> {
    let text = text.trim_ascii();
    Number::field(text, decimal_sign)?.as_f64(text)
}

/// As a decimal, unscaled.
pub(super) fn decimal(text: &[u8], decimal_sign: u8, precision: u8, scale: u8) -> Result<i128, Misfit> {
    let text = text.trim_ascii();
    Number::field(text, decimal_sign)?.as_decimal(text, precision, scale)
}

/// As a boolean, 0 or 1.
pub(super) fn boolean(text: &[u8]) -> Result<u8, Misfit> {
    parse_boolean(text.trim_ascii()).map(u8::from)
}

/// As a date, by the spec's form or ISO 8601.
pub(super) fn date(text: &[u8], target: &Target) -> Result<i32, Misfit> {
    convert::date(text.trim_ascii(), target.format.as_ref())
}

/// As a timestamp, by the spec's form or ISO 8601.
pub(super) fn timestamp(text: &[u8], target: &Target) -> Result<i64, Misfit> {
    convert::timestamp(text.trim_ascii(), target.format.as_ref(), target.tz_offset_ms)
}
