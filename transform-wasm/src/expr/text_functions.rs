//! Functions over texts. Positions and lengths count characters (code points), not bytes.
//!
//! Not for: LIKE, see `like`. The decision to know: `substr` counts as Athena does: from 1, from the
//! end when negative, and position 0 gives the empty text.

use arrow::datatypes::Int64Type;

use lakegate_model::digest::sha256;

use super::error::{RowError, RowErrors};
use super::tree::Function;
use super::vector::{Cell, Pen, Shape, Value};
use crate::column::ColumnType;

/// `||` and concat: null when any part is.
pub(super) fn concat(shape: Shape, values: &[Value], errors: &mut RowErrors) -> Value {
    let columns: Vec<_> = values.iter().map(Value::texts).collect();
    shape.texts(errors, |row, pen| {
        for column in &columns {
            let Some(text) = column.get(row) else { return Ok(None) };
            pen.write(text)?;
        }
        Ok(Some(()))
    })
}

pub(super) fn call(shape: Shape, function: &Function, values: &[Value], errors: &mut RowErrors) -> Value {
    let [first, rest @ ..] = values else { return concat(shape, values, errors) };
    match function {
        Function::Lower => map(shape, first, errors, |text, pen| pen.write(&text.to_lowercase())),
        Function::Upper => map(shape, first, errors, |text, pen| pen.write(&text.to_uppercase())),
        Function::Trim(start, end) => map(shape, first, errors, |text, pen| {
            let text = if *start { text.trim_start() } else { text };
            pen.write(if *end { text.trim_end() } else { text })
        }),
        Function::Length => {
            let texts = first.texts();
            shape.numbers::<Int64Type>(ColumnType::Bigint, errors, |row| {
                Ok(texts.get(row).and_then(|text| i64::try_from(text.chars().count()).ok()))
            })
        }
        Function::Replace => replace(shape, first, rest, errors),
        Function::SplitPart => split_part(shape, first, rest, errors),
        Function::Sha256 => map(shape, first, errors, |text, pen| pen.write(&sha256(text.as_bytes()))),
        _ => substr(shape, first, rest, errors),
    }
}

fn map(
    shape: Shape,
    value: &Value,
    errors: &mut RowErrors,
    f: impl Fn(&str, &mut Pen) -> Result<(), RowError>,
) -> Value {
    let texts = value.texts();
    shape.texts(errors, |row, pen| match texts.get(row) {
        Some(text) => f(text, pen).map(Some),
        None => Ok(None),
    })
}

/// An empty `from` stands nowhere: the text stays as it is.
fn replace(shape: Shape, first: &Value, rest: &[Value], errors: &mut RowErrors) -> Value {
    let [from, to] = rest else { return first.clone() };
    let (texts, from, to) = (first.texts(), from.texts(), to.texts());
    shape.texts(errors, |row, pen| -> Cell<()> {
        let (Some(text), Some(from), Some(to)) = (texts.get(row), from.get(row), to.get(row)) else {
            return Ok(None);
        };
        if from.is_empty() {
            return pen.write(text).map(Some);
        }
        for (i, piece) in text.split(from).enumerate() {
            if i > 0 {
                pen.write(to)?;
            }
            pen.write(piece)?;
        }
        Ok(Some(()))
    })
}

/// The part of that number, from 1, between separators; null where there are fewer. Without a separator each
/// character is one.
fn split_part(shape: Shape, first: &Value, rest: &[Value], errors: &mut RowErrors) -> Value {
    let [separator, number] = rest else { return first.clone() };
    let (texts, separators, numbers) = (first.texts(), separator.texts(), number.numbers::<Int64Type>());
    shape.texts(errors, |row, pen| {
        let (Some(text), Some(separator), Some(number)) =
            (texts.get(row), separators.get(row), numbers.get(row))
        else {
            return Ok(None);
        };
        let Some(before) = number.checked_sub(1).and_then(|before| usize::try_from(before).ok()) else {
            return Err(RowError::cast("split_part counts from 1"));
        };
        let part = if separator.is_empty() {
            text.char_indices().nth(before).map(|(at, sign)| &text[at..at + sign.len_utf8()])
        } else {
            text.split(separator).nth(before)
        };
        part.map(|part| pen.write(part)).transpose()
    })
}

fn substr(shape: Shape, first: &Value, rest: &[Value], errors: &mut RowErrors) -> Value {
    let texts = first.texts();
    let numbers: Vec<_> = rest.iter().map(Value::numbers::<Int64Type>).collect();
    shape.texts(errors, |row, pen| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let mut bounds = [1, i64::MAX];
        for (bound, number) in bounds.iter_mut().zip(&numbers) {
            let Some(number) = number.get(row) else { return Ok(None) };
            *bound = number;
        }
        pen.write(slice(text, bounds[0], bounds[1])).map(Some)
    })
}

fn slice(text: &str, start: i64, length: i64) -> &str {
    let skip = match start {
        0 => return "",
        1.. => u64::try_from(start - 1).unwrap_or(0),
        _ => match (text.chars().count() as u64).checked_sub(start.unsigned_abs()) {
            Some(skip) => skip,
            None => return "",
        },
    };
    let Ok(length) = u64::try_from(length) else { return "" };
    let byte = |characters: u64, text: &str| {
        let nth = usize::try_from(characters).ok().and_then(|n| text.char_indices().nth(n));
        nth.map_or(text.len(), |(i, _)| i)
    };
    let tail = &text[byte(skip, text)..];
    &tail[..byte(length, tail)]
}
