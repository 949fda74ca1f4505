//! One value into one column: the design's table of values and types.

use crate::column::ColumnType;
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
        let refusal = match (target.ty, token) {
            (ColumnType::String, Token::Text(text)) => {
                column.push_bytes(text);
                return Ok(());
            }
            (ColumnType::Json, _) => return Ok(()),
            (ColumnType::Double, Token::Number(number, text)) => match number.as_f64(text) {
                Ok(value) => {
                    column.push_f64(value);
                    return Ok(());
                }
                Err(misfit) => misfit.into(),
            },
            (ColumnType::Bigint, Token::Number(number, text)) => match number.as_i64(text) {
                Ok(value) => {
                    column.push_i64(value);
                    return Ok(());
                }
                Err(misfit) => misfit.into(),
            },
            _ => match put_other(column, target, token) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            },
        };
        Err(self.refused(node, &refusal, at))
    }

    /// Puts a value's compact source text into the JSON columns of a node.
    pub(super) fn put_json(&mut self, node: u32, raw: &[u8]) {
        for target in self.plan.nodes[node as usize].targets.iter().filter(|t| t.is_json()) {
            self.batch.tables[target.table].columns[target.column].push_bytes_with(|out| compact(raw, out));
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

fn put_other(column: &mut crate::column::Column, target: &Target, token: Token<'_>) -> Result<(), Refusal> {
    match (target.ty, token) {
        (ColumnType::String, Token::Number(number, text)) => {
            number.kind(text)?;
            column.push_bytes(text);
        }
        (ColumnType::String, Token::Boolean(value)) => {
            column.push_bytes(if value { b"true" } else { b"false" })
        }
        (ColumnType::Boolean, Token::Boolean(value)) => column.push_bool(value),
        (ColumnType::Boolean, Token::Text(text)) if target.cast => column.push_bool(parse_boolean(text)?),
        (ColumnType::Bigint, Token::Text(text)) if target.cast => {
            column.push_i64(Number::field(text, b'.')?.as_i64(text)?);
        }
        (ColumnType::Double, Token::Text(text)) if target.cast => {
            column.push_f64(Number::field(text, b'.')?.as_f64(text)?);
        }
        (ColumnType::Decimal { precision, scale }, Token::Number(number, text)) => {
            column.push_i128(number.as_decimal(text, precision, scale)?);
        }
        (ColumnType::Decimal { precision, scale }, Token::Text(text)) => {
            column.push_i128(Number::field(text, b'.')?.as_decimal(text, precision, scale)?);
        }
        (ColumnType::Date, Token::Text(text)) => column.push_i32(date(text, target.format.as_ref())?),
        (ColumnType::Timestamp, Token::Text(text)) => {
            column.push_i64(timestamp(text, target.format.as_ref(), target.tz_offset_ms)?);
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
