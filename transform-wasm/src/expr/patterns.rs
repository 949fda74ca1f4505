//! `regexp_like`, `regexp_extract`, `regexp_replace`: regular expressions that are told in the spec.
//!
//! Not for: LIKE. The decisions to know: a pattern is a constant, so that a mistake in it is found before any input is
//! read; its engine takes time linear in the text whatever the pattern, which is why look-around and back-references are
//! refused; and classes such as `\d` are those of ASCII.

use regex_lite::{Regex, RegexBuilder};

use super::error::RowErrors;
use super::vector::{Cell, Shape, Value};

/// Bytes that a compiled pattern may take: a text costs time by its length and by this.
const PATTERN_BYTES: usize = 64 << 10;

/// A pattern, ready to match.
///
/// # Errors
/// What is wrong with it, and a hint.
pub fn pattern(text: &str) -> Result<Regex, (String, Option<&'static str>)> {
    RegexBuilder::new(text).size_limit(PATTERN_BYTES).build().map_err(|error| {
        let look = ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|sign| text.contains(sign));
        let back =
            text.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && matches!(pair[1], b'1'..=b'9' | b'k'));
        let hint = if look || back {
            Some("look-around and back-references are not read: their time grows beyond the text's length")
        } else {
            None
        };
        (format!("the pattern is wrong: {error}"), hint)
    })
}

/// `$1`, `${1}`, `${name}` as Trino has them; `\$` is a dollar sign.
///
/// # Errors
/// What is wrong with it.
pub(super) fn replacement(text: &str, pattern: &Regex) -> Result<Vec<Piece>, String> {
    let mut pieces = vec![Piece::Text(String::new())];
    let mut chars = text.chars().peekable();
    while let Some(sign) = chars.next() {
        let literal = match sign {
            '\\' => chars.next().ok_or("a backslash ends the replacement")?,
            '$' => {
                let braced = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(next) =
                    chars.next_if(
                        |next| if braced { *next != '}' } else { next.is_ascii_digit() && name.len() < 2 },
                    )
                {
                    name.push(next);
                }
                if braced && chars.next().is_none() {
                    return Err("${ is never closed in the replacement".into());
                }
                let number =
                    name.parse().ok().or_else(|| pattern.capture_names().position(|own| own == Some(&name)));
                match number.filter(|number| *number < pattern.captures_len()) {
                    Some(number) => pieces.extend([Piece::Group(number), Piece::Text(String::new())]),
                    None => return Err(format!("the pattern has no group {name:?}; \\$ is a dollar sign")),
                }
                continue;
            }
            sign => sign,
        };
        if let Some(Piece::Text(text)) = pieces.last_mut() {
            text.push(literal);
        }
    }
    Ok(pieces)
}

/// A part of what a match is replaced by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Group(usize),
}

pub(super) fn like(shape: Shape, pattern: &Regex, value: &Value, errors: &mut RowErrors) -> Value {
    let texts = value.texts();
    shape.bits(errors, |row| -> Cell<bool> { Ok(texts.get(row).map(|text| pattern.is_match(text))) })
}

/// The first match, or a group of it; null where there is none.
pub(super) fn extract(
    shape: Shape,
    pattern: &Regex,
    group: usize,
    value: &Value,
    errors: &mut RowErrors,
) -> Value {
    let texts = value.texts();
    shape.texts(errors, |row, pen| {
        let found = texts.get(row).and_then(|text| match group {
            0 => pattern.find(text).map(|found| found.as_str()),
            _ => pattern.captures(text).and_then(|captures| captures.get(group)).map(|found| found.as_str()),
        });
        found.map(|found| pen.write(found)).transpose()
    })
}

pub(super) fn replace(
    shape: Shape,
    pattern: &Regex,
    pieces: &[Piece],
    value: &Value,
    errors: &mut RowErrors,
) -> Value {
    let texts = value.texts();
    shape.texts(errors, |row, pen| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let mut end = 0;
        for captures in pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            pen.write(&text[end..whole.start()])?;
            for piece in pieces {
                match piece {
                    Piece::Text(text) => pen.write(text)?,
                    Piece::Group(group) => {
                        pen.write(captures.get(*group).map_or("", |found| found.as_str()))?
                    }
                }
            }
            end = whole.end();
        }
        pen.write(&text[end..]).map(Some)
    })
}
