//! One value into one column: the design's table of values and types.

use std::ops::Range;

use crate::column::{ColumnType, Slots};
use crate::json::{Spot, Stop, compact};
use crate::value::time::{self, Moment};
use crate::value::{Misfit, Number, TimeFormat, holds_value};

use super::clean::put_clean;
use super::losses::Losses;
use super::plan::Target;
use super::{Shredder, fields, mask};

/// A scalar as it stands in a record.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// A string, unescaped.
    Text(&'a [u8]),
    /// A number and its source text.
    Number(Number, &'a [u8]),
    /// `true` or `false`.
    Boolean(bool),
}

impl<'a> Token<'a> {
    /// Its text: of a string what is in it, else as it stands in the record.
    pub(super) fn text(self) -> &'a [u8] {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::Boolean(true) => b"true",
            Self::Boolean(false) => b"false",
        }
    }
}

/// Why a value does not fit its column.
pub(super) enum Refusal {
    Misfit(Misfit),
    Kind(&'static str),
    /// Another rule's code, and what it says.
    Rule(&'static str, String),
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl Target {
    /// Whether the column takes JSON text.
    pub fn is_json(&self) -> bool {
        self.ty == ColumnType::Json
    }

    /// Whether a text or number goes into the column as it is.
    pub fn is_plain(&self) -> bool {
        !self.is_json() && self.clean.is_none() && self.mask.is_none()
    }

    /// Whether a JSON number can be the column's date or moment.
    fn takes_numbers(&self) -> bool {
        self.format.as_ref().is_some_and(TimeFormat::takes_numbers)
    }
}

impl Shredder {
    /// Puts a scalar into the column of the one target of its node; inlined, so that each kind of token meets only the
    /// columns that take it.
    #[inline(always)]
    pub(super) fn put(&mut self, spot: &Spot, token: Token<'_>) -> Result<(), Stop> {
        let own = &self.plan.nodes[spot.node as usize].targets[0];
        let column = &mut self.batch.tables[own.table].columns[own.column];
        match put_scalar(column.slots(), own, token, b'.', &mut self.losses) {
            Ok(()) => Ok(()),
            Err(refusal) => self.refuse(spot, 0, &refusal, token),
        }
    }

    /// As [`Shredder::put`], of the text that is a part of the input.
    #[inline(always)]
    pub(super) fn put_text(&mut self, spot: &Spot, input: &[u8], part: Range<usize>) -> Result<(), Stop> {
        let own = &self.plan.nodes[spot.node as usize].targets[0];
        let column = &mut self.batch.tables[own.table].columns[own.column];
        if let Slots::String(mut slots) = column.slots() {
            slots.push_part(input, part);
            return Ok(());
        }
        self.put(spot, Token::Text(&input[part]))
    }

    /// Puts a scalar into the column of one of its node's targets, whatever keys the column has.
    pub(super) fn put_any(&mut self, spot: &Spot, target: usize, token: Token<'_>) -> Result<(), Stop> {
        let own = &self.plan.nodes[spot.node as usize].targets[target];
        let column = &mut self.batch.tables[own.table].columns[own.column];
        let slot = column.len();
        let put = match &own.clean {
            None => put_scalar(column.slots(), own, token, b'.', &mut self.losses),
            Some(clean) => {
                put_clean(column, own, clean, token, None, &mut self.losses, &mut self.cleaned).map(drop)
            }
        };
        if let Some(mask) = own.mask {
            mask::apply(mask, column, slot);
        }
        match put {
            Ok(()) => Ok(()),
            Err(refusal) => self.refuse(spot, target, &refusal, token),
        }
    }

    /// The value does not fit the column of one of its node's targets.
    #[cold]
    #[inline(never)]
    fn refuse(
        &mut self,
        spot: &Spot,
        target: usize,
        refusal: &Refusal,
        token: Token<'_>,
    ) -> Result<(), Stop> {
        let wanted = self.plan.nodes[spot.node as usize].targets[target].ty;
        let stop = self.refused(spot.node, wanted, refusal, spot.at);
        self.rescue(stop, spot.node, target, token.into())
    }

    /// Puts a value's compact source text into the JSON columns of a node; `token` is the value where it is a
    /// scalar.
    pub(super) fn put_json(&mut self, node: u32, token: Option<Token<'_>>, raw: &[u8]) {
        for target in &self.plan.nodes[node as usize].targets {
            let column = &mut self.batch.tables[target.table].columns[target.column];
            if let Slots::Json(mut slots) = column.slots()
                && !target.clean.as_ref().zip(token).is_some_and(|(clean, token)| clean.drops(token))
            {
                slots.push_with(|out| compact(raw, out));
                if let Some(mask) = target.mask {
                    mask::apply(mask, column, column.len() - 1);
                }
            }
        }
    }

    #[cold]
    pub(super) fn refused(&self, node: u32, wanted: ColumnType, refusal: &Refusal, at: usize) -> Stop {
        match refusal {
            Refusal::Misfit(misfit) => self.reject(misfit.code(), format!("the value {misfit}"), node, at),
            Refusal::Kind(found) => {
                let message = format!("the value is {found}, but the column is {wanted}");
                self.reject("type_mismatch", message, node, at)
            }
            Refusal::Rule(code, message) => self.reject(code, message.clone(), node, at),
        }
    }
}

/// Puts a scalar into the slots of its column; `decimal` is the point of texts. A column of JSON text only looks
/// at it.
#[inline(always)]
pub(super) fn put_scalar(
    slots: Slots<'_>,
    target: &Target,
    token: Token<'_>,
    decimal: u8,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    match (slots, token) {
        (Slots::String(mut slots), Token::Text(text)) => slots.push(text),
        (Slots::Json(_), Token::Number(number, text)) => {
            // The text could be kept, but no reader of it could be sure of such a number.
            number.kind(text)?;
        }
        (Slots::Json(_), _) => {}
        (Slots::Double(mut slots), Token::Number(number, text)) => {
            let value = number.as_f64(text)?;
            slots.push(value);
            if !holds_value(&number, text, value) {
                losses.unheld(target, &number, text);
            }
        }
        (Slots::Bigint(mut slots), Token::Number(number, text)) => slots.push(number.as_i64(text)?),
        (Slots::Boolean(mut slots), Token::Boolean(value)) => slots.push(value.into()),
        (slots @ (Slots::Date(_) | Slots::Timestamp(_)), Token::Text(text)) => {
            fields::put(slots, target, text, decimal, losses)?;
        }
        (slots, token) => put_other(slots, target, token, decimal, losses)?,
    }
    Ok(())
}

fn put_other(
    slots: Slots<'_>,
    target: &Target,
    token: Token<'_>,
    decimal: u8,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    match (slots, token) {
        (Slots::String(mut slots), Token::Number(number, text)) => {
            number.kind(text)?;
            slots.push(text);
        }
        (Slots::String(mut slots), Token::Boolean(value)) => {
            slots.push(if value { b"true" } else { b"false" });
        }
        (Slots::Decimal { precision, scale, mut slots }, Token::Number(number, text)) => {
            slots.push(number.as_decimal(text, precision, scale)?);
        }
        (Slots::Date(mut slots), Token::Number(number, text)) if target.takes_numbers() => {
            let moment = number_moment(target, &number, text)?;
            slots.push(time::day_of(moment.ms).ok_or(Misfit::BadFormat)?);
        }
        (Slots::Timestamp(mut slots), Token::Number(number, text)) if target.takes_numbers() => {
            slots.push(millis(number_moment(target, &number, text)?, target, losses));
        }
        (Slots::TimestampMicros(mut slots), Token::Number(number, text)) if target.takes_numbers() => {
            slots.push(micros(number_moment(target, &number, text)?, target, losses));
        }
        (slots @ (Slots::Boolean(_) | Slots::Bigint(_) | Slots::Double(_)), Token::Text(text))
            if target.cast =>
        {
            fields::put(slots, target, text, decimal, losses)?;
        }
        (
            slots
            @ (Slots::Decimal { .. } | Slots::Date(_) | Slots::Timestamp(_) | Slots::TimestampMicros(_)),
            Token::Text(text),
        ) => {
            fields::put(slots, target, text, decimal, losses)?;
        }
        (_, Token::Text(_)) => return Err(Refusal::Kind("a text")),
        (_, Token::Number(..)) => return Err(Refusal::Kind("a number")),
        (_, Token::Boolean(_)) => return Err(Refusal::Kind("a boolean")),
    }
    Ok(())
}

fn number_moment(target: &Target, number: &Number, text: &[u8]) -> Result<Moment, Misfit> {
    target.format.as_ref().and_then(|format| format.number(number, text)).ok_or(Misfit::BadFormat)
}

/// A moment in milliseconds; what is cut off is counted.
#[inline]
pub(super) fn millis(moment: Moment, target: &Target, losses: &mut Losses) -> i64 {
    let (value, cut) = moment.millis();
    if cut {
        losses.cut(target);
    }
    value
}

/// The same in microseconds.
pub(super) fn micros(moment: Moment, target: &Target, losses: &mut Losses) -> i64 {
    let (value, cut) = moment.micros();
    if cut {
        losses.cut(target);
    }
    value
}
