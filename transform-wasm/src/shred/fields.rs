//! CSV fields into columns: every field is text, parsed by its column's type.

use crate::column::{Slots, TextSlots};
use crate::error::{Code, Failure};
use crate::json::skip::Care;
use crate::json::{Cursor, NOWHERE, Skipper, Stop, compact};
use crate::limits::POINTER_BYTES;
use crate::spec::Mode;
use crate::value::time::{self, Moment};
use crate::value::{Misfit, Number, holds_value, parse_boolean};

use super::block::FieldRules;
use super::clean::put_clean;
use super::convert::{Refusal, Token};
use super::losses::Losses;
use super::plan::Target;
use super::rescue::Raw;
use super::{Shredder, convert, mask};

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

    /// Whether a column has null texts of its own, so that the input's say nothing about its fields.
    pub fn has_own_nulls(&self, node: u32) -> bool {
        self.plan.nodes.get(node as usize).is_some_and(|node| node.cleaned)
    }

    /// Shreds one field; one that is null for its column puts nothing there.
    ///
    /// # Errors
    /// `Reject` for a text that the column's type does not take; `NewPath` for a new column.
    pub fn field(&mut self, node: u32, text: &[u8], rules: FieldRules<'_>, at: usize) -> Result<(), Stop> {
        let plan = &self.plan.nodes[node as usize];
        if plan.targets.is_empty() {
            return if plan.known { Ok(()) } else { self.unknown(node, at) };
        }
        let targets = plan.targets.len();
        let null = plan.cleaned && rules.is_null(text);
        if targets > 1 {
            self.spread_by((targets - 1).saturating_mul(text.len()), node, at)?;
        }
        for i in 0..targets {
            let target = &self.plan.nodes[node as usize].targets[i];
            let column = &mut self.batch.tables[target.table].columns[target.column];
            let slot = column.len();
            let put = match (&target.clean, column.slots()) {
                (None, _) if null => continue,
                (None, Slots::String(mut slots)) => {
                    slots.push(text);
                    Ok(())
                }
                (Some(clean), Slots::Json(_)) if clean.drops_field(text, rules) => continue,
                (_, Slots::Json(slots)) => json_field(slots, text, &mut self.skipper, self.depth),
                (None, slots) => {
                    let text = text.trim_ascii();
                    put(slots, target, text, rules.decimal, &mut self.losses).map_err(Refusal::from)
                }
                (Some(clean), _) => {
                    let token = Token::Text(text);
                    put_clean(column, target, clean, token, Some(rules), &mut self.losses, &mut self.cleaned)
                        .map(drop)
                }
            };
            if let Some(mask) = target.mask {
                mask::apply(mask, column, slot);
            }
            if let Err(refusal) = put {
                let wanted = target.ty;
                let stop = self.refused(node, wanted, &refusal, at);
                self.rescue(stop, node, i, Raw::Text(text))?;
            }
        }
        Ok(())
    }
}

/// Puts a field that must be JSON into its column.
fn json_field(
    mut slots: TextSlots<'_>,
    text: &[u8],
    skipper: &mut Skipper,
    depth: usize,
) -> Result<(), Refusal> {
    let text = text.trim_ascii();
    let cursor = Cursor { input: text, complete: true };
    match skipper.skip(&cursor, 0, depth, Care::All) {
        Ok(end) if end == text.len() => {
            slots.push_with(|out| compact(text, out));
            Ok(())
        }
        Err(Stop::Reject(why)) => Err(Refusal::Rule(why.code, why.message)),
        _ => Err(Refusal::Rule("not_json", "the value is no JSON text".to_owned())),
    }
}

/// The failure for a name in a header that is longer than a path may be.
#[cold]
pub fn header_too_long() -> Failure {
    Failure::limit(Code::PathTooLong, format!("a name in the header is longer than {POINTER_BYTES} bytes"))
        .hint("is the first record no header? set header = false in [input], or mode = \"discard\"")
}

/// Puts a text that is not null into a column of any type but string and json, by which it is read.
pub(super) fn put(
    slots: Slots<'_>,
    target: &Target,
    text: &[u8],
    decimal_sign: u8,
    losses: &mut Losses,
) -> Result<(), Misfit> {
    match slots {
        Slots::Boolean(mut slots) => slots.push(boolean(text)?),
        Slots::Bigint(mut slots) => slots.push(bigint(text, decimal_sign)?),
        Slots::Double(mut slots) => slots.push(double(text, decimal_sign, target, losses)?),
        Slots::Decimal { precision, scale, mut slots } => {
            slots.push(decimal(text, decimal_sign, precision, scale)?);
        }
        Slots::Date(mut slots) => slots.push(date(text, decimal_sign, target)?),
        Slots::Timestamp(mut slots) => {
            slots.push(convert::millis(moment(text, decimal_sign, target)?, target, losses));
        }
        Slots::TimestampMicros(mut slots) => {
            slots.push(convert::micros(moment(text, decimal_sign, target)?, target, losses));
        }
        Slots::String(mut slots) | Slots::Json(mut slots) => slots.push(text),
    }
    Ok(())
}

/// A text as a bigint.
pub(super) fn bigint(text: &[u8], decimal_sign: u8) -> Result<i64, Misfit> {
    Number::field(text, decimal_sign)?.as_i64(text)
}

/// As a double; one that does not hold it is counted.
pub(super) fn double(
    text: &[u8],
    decimal_sign: u8,
    target: &Target,
    losses: &mut Losses,
) -> Result<f64, Misfit> {
    let number = Number::field(text, decimal_sign)?;
    let value = number.as_f64(text)?;
    if !holds_value(&number, text, value) {
        losses.unheld(target, &number, text);
    }
    Ok(value)
}

/// As a decimal, unscaled.
pub(super) fn decimal(text: &[u8], decimal_sign: u8, precision: u8, scale: u8) -> Result<i128, Misfit> {
    Number::field(text, decimal_sign)?.as_decimal(text, precision, scale)
}

/// As a boolean, 0 or 1.
pub(super) fn boolean(text: &[u8]) -> Result<u8, Misfit> {
    parse_boolean(text).map(u8::from)
}

/// As a date, by the spec's form or ISO 8601.
pub(super) fn date(text: &[u8], decimal_sign: u8, target: &Target) -> Result<i32, Misfit> {
    match &target.format {
        Some(format) => format.date(text, decimal_sign).ok_or(Misfit::BadFormat),
        None => time::parse_iso_date(text).ok_or(Misfit::NotADate),
    }
}

/// As a moment, by the spec's form or ISO 8601.
#[inline]
pub(super) fn moment(text: &[u8], decimal_sign: u8, target: &Target) -> Result<Moment, Misfit> {
    match &target.format {
        Some(format) => format.moment(text, decimal_sign, target.tz_offset_ms).ok_or(Misfit::BadFormat),
        None => time::parse_iso_moment(text, target.tz_offset_ms).ok_or(Misfit::NotATimestamp),
    }
}
