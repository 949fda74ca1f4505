//! One value into one column: the design's table of values and types.

use crate::column::{ColumnType, Slots};
use crate::json::{Stop, compact};
use crate::value::{Misfit, Number, TimeFormat, parse_boolean, time};

use super::Shredder;
use super::plan::Target;

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

enum Refusal {
    Misfit(Misfit),
    Kind(&'static str),
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
}

impl Shredder {
    /// Puts a scalar into the column of one of a node's targets.
    #[inline]
    pub(super) fn put(&mut self, node: u32, target: usize, token: Token<'_>, at: usize) -> Result<(), Stop> {
        let target = &self.plan.nodes[node as usize].targets[target];
        let column = &mut self.batch.tables[target.table].columns[target.column];
        let put = match (column.slots(), token) {
            (Slots::String(mut slots), Token::Text(text)) => {
                slots.push(text);
                return Ok(());
            }
            (Slots::Json(_), Token::Number(number, text)) => match number.kind(text) {
                Ok(_) => return Ok(()),
                // The text could be kept, but no reader of it could be sure of such a number.
                Err(misfit) => Err(misfit.into()),
            },
            (Slots::Json(_), _) => return Ok(()),
            (Slots::Double(mut slots), Token::Number(number, text)) => match number.as_f64(text) {
                Ok(value) => {
                    slots.push(value);
                    return Ok(());
                }
                Err(misfit) => Err(misfit.into()),
            },
            (Slots::Bigint(mut slots), Token::Number(number, text)) => match number.as_i64(text) {
                Ok(value) => {
                    slots.push(value);
                    return Ok(());
                }
                Err(misfit) => Err(misfit.into()),
            },
            (slots, token) => put_other(slots, target, token),
        };
        put.map_err(|refusal| self.refused(node, &refusal, at))
    }

    /// Puts a value's compact source text into the JSON columns of a node.
    pub(super) fn put_json(&mut self, node: u32, raw: &[u8]) {
        for target in &self.plan.nodes[node as usize].targets {
            let column = &mut self.batch.tables[target.table].columns[target.column];
            if let Slots::Json(mut slots) = column.slots() {
                slots.push_with(|out| compact(raw, out));
            }
        }
    }

    #[cold]
    fn refused(&self, node: u32, refusal: &Refusal, at: usize) -> Stop {
        match refusal {
            Refusal::Misfit(misfit) => self.reject(misfit.code(), format!("the value {misfit}"), node, at),
            Refusal::Kind(found) => {
                let wanted = self.plan.nodes[node as usize]
                    .targets
                    .first()
                    .map_or(String::new(), |t| t.ty.to_string());
                let message = format!("the value is {found}, but the column is {wanted}");
                self.reject("type_mismatch", message, node, at)
            }
        }
    }
}

fn put_other(slots: Slots<'_>, target: &Target, token: Token<'_>) -> Result<(), Refusal> {
    match (slots, token) {
        (Slots::String(mut slots), Token::Number(number, text)) => {
            number.kind(text)?;
            slots.push(text);
        }
        (Slots::String(mut slots), Token::Boolean(value)) => {
            slots.push(if value { b"true" } else { b"false" });
        }
        (Slots::Boolean(mut slots), Token::Boolean(value)) => slots.push(value.into()),
        (Slots::Boolean(mut slots), Token::Text(text)) if target.cast => {
            slots.push(parse_boolean(text)?.into());
        }
        (Slots::Bigint(mut slots), Token::Text(text)) if target.cast => {
            slots.push(Number::field(text, b'.')?.as_i64(text)?);
        }
        (Slots::Double(mut slots), Token::Text(text)) if target.cast => {
            slots.push(Number::field(text, b'.')?.as_f64(text)?);
        }
        (Slots::Decimal { precision, scale, mut slots }, Token::Number(number, text)) => {
            slots.push(number.as_decimal(text, precision, scale)?);
        }
        (Slots::Decimal { precision, scale, mut slots }, Token::Text(text)) => {
            slots.push(Number::field(text, b'.')?.as_decimal(text, precision, scale)?);
        }
        (Slots::Date(mut slots), Token::Text(text)) => slots.push(date(text, target.format.as_ref())?),
        (Slots::Timestamp(mut slots), Token::Text(text)) => {
            slots.push(timestamp(text, target.format.as_ref(), target.tz_offset_ms)?);
        }
        (_, Token::Text(_)) => return Err(Refusal::Kind("a text")),
        (_, Token::Number(..)) => return Err(Refusal::Kind("a number")),
        (_, Token::Boolean(_)) => return Err(Refusal::Kind("a boolean")),
    }
    Ok(())
}

/// A text as a date, by the spec's form or ISO 8601.
pub(super) fn date(text: &[u8], format: Option<&TimeFormat>) -> Result<i32, Misfit> {
    match format {
        Some(format) => format.date(text).ok_or(Misfit::BadFormat),
        None => time::parse_iso_date(text).ok_or(Misfit::NotADate),
    }
}

/// A text as a timestamp, by the spec's form or ISO 8601.
pub(super) fn timestamp(text: &[u8], format: Option<&TimeFormat>, tz_offset_ms: i64) -> Result<i64, Misfit> {
    match format {
        Some(format) => format.timestamp(text, tz_offset_ms).ok_or(Misfit::BadFormat),
        None => time::parse_iso_timestamp(text, tz_offset_ms).ok_or(Misfit::NotATimestamp),
    }
}
