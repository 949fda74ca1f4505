//! One JSON value into one column's cell: the table "value → column" of the design, row by row.
//!
//! For: the reference. Not for: formats, expressions. The decision to know: a cell is text, as
//! [`crate::cells`] prints the cell that stands in the Parquet file, so that both compare as text;
//! every number goes through [`Decimal`], so no rule leans on float arithmetic.

use super::json::{Kind, Value};
use crate::cells;

/// Largest integer up to which every integer is a double.
const EXACT: i128 = 1 << 53;

/// The value does not fit the column: its record is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit;

/// The cell for `value` in a column of type `ty`; `"null"` for null.
///
/// # Errors
/// The value does not fit the type.
pub fn cell(ty: &str, value: &Value) -> Result<String, Misfit> {
    if value.kind == Kind::Null {
        return Ok("null".to_owned());
    }
    match ty {
        "boolean" => boolean(value),
        "bigint" => bigint(value),
        "double" => double(value),
        "string" => string(value),
        "json" => Ok(cells::text(&compact(value))),
        "date" => date(value),
        "timestamp" => timestamp(value),
        decimal => {
            let (precision, scale) = precision_and_scale(decimal).ok_or(Misfit)?;
            exact_decimal(value, precision, scale)
        }
    }
}

fn boolean(value: &Value) -> Result<String, Misfit> {
    match value.kind {
        Kind::Boolean(_) => Ok(value.source.clone()),
        _ => Err(Misfit),
    }
}

/// 3.0 and 3e0 are 3; 3.7 and what 64 bits cannot hold are misfits.
fn bigint(value: &Value) -> Result<String, Misfit> {
    let Kind::Number = value.kind else { return Err(Misfit) };
    let whole = Decimal::parse(&value.source).and_then(|number| number.scaled(0)).ok_or(Misfit)?;
    i64::try_from(whole).map(|whole| whole.to_string()).map_err(|_| Misfit)
}

/// An integer must be exact; a number with fraction or exponent is the nearest double.
fn double(value: &Value) -> Result<String, Misfit> {
    let Kind::Number = value.kind else { return Err(Misfit) };
    if is_integer_text(&value.source) {
        let whole = value.source.parse::<i128>().map_err(|_| Misfit)?;
        if whole.abs() > EXACT {
            return Err(Misfit);
        }
    }
    value.source.parse::<f64>().map(cells::double).map_err(|_| Misfit)
}

/// Numbers and booleans keep their source text; objects and arrays do not fit.
fn string(value: &Value) -> Result<String, Misfit> {
    match &value.kind {
        Kind::Text(text) => Ok(cells::text(text)),
        Kind::Number | Kind::Boolean(_) => Ok(cells::text(&value.source)),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => Err(Misfit),
    }
}

/// From text `2025-01-31`.
fn date(value: &Value) -> Result<String, Misfit> {
    let Kind::Text(text) = &value.kind else { return Err(Misfit) };
    is_date(text).then(|| text.clone()).ok_or(Misfit)
}

/// From text `2025-01-31T12:00:00[.fraction]Z`; the fraction is truncated to milliseconds.
fn timestamp(value: &Value) -> Result<String, Misfit> {
    let Kind::Text(text) = &value.kind else { return Err(Misfit) };
    let (day, time) = text.split_once('T').ok_or(Misfit)?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let parts: Vec<u32> = clock.split(':').map(|part| part.parse().unwrap_or(99)).collect();
    let [hour, minute, second] = parts[..] else { return Err(Misfit) };
    if !is_date(day) || hour > 23 || minute > 59 || second > 59 {
        return Err(Misfit);
    }
    let millis = format!("{fraction:0<3}");
    Ok(format!("{day}T{clock}.{}Z", &millis[..3]))
}

fn is_date(text: &str) -> bool {
    let shape = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if text.len() != 10 || !shape {
        return false;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(&text[..4]), number(&text[5..7]), number(&text[8..]));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

fn precision_and_scale(ty: &str) -> Option<(usize, usize)> {
    let (precision, scale) = ty.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
}

/// From the source text of a number or string, never through a float; `007` is an id, not a number.
fn exact_decimal(value: &Value, precision: usize, scale: usize) -> Result<String, Misfit> {
    let text = match &value.kind {
        Kind::Number => &value.source,
        Kind::Text(text) => text,
        _ => return Err(Misfit),
    };
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit) {
        return Err(Misfit);
    }
    let unscaled = Decimal::parse(text).and_then(|number| number.scaled(scale)).ok_or(Misfit)?;
    let digits = unscaled.unsigned_abs().to_string();
    if unscaled != 0 && digits.len() > precision {
        return Err(Misfit);
    }
    Ok(cells::decimal(unscaled, scale))
}

/// True for a JSON number without fraction and exponent.
#[must_use]
pub fn is_integer_text(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

/// True for an integer text that a double holds exactly, whatever follows it.
#[must_use]
pub fn is_exact_integer(text: &str) -> bool {
    text.parse::<i128>().is_ok_and(|whole| whole.abs() <= EXACT)
}

/// The value as JSON text without space between its parts, everything else as it came.
fn compact(value: &Value) -> String {
    match &value.kind {
        Kind::Array(_) | Kind::Object(_) => without_space(&value.source),
        _ => value.source.clone(),
    }
}

fn without_space(source: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in source.chars() {
        if quoted || !matches!(c, ' ' | '\t' | '\n' | '\r') {
            out.push(c);
        }
        if quoted && escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
    }
    out
}

/// A number as digits and a power of ten: `digits × 10^exponent`.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let exponent = exponent - i64::try_from(fraction.len()).ok()?;
        Some(Self { negative, digits, exponent })
    }

    /// The number times `10^scale`, if that is an integer that 38 digits hold.
    fn scaled(&self, scale: usize) -> Option<i128> {
        let digits = self.digits.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return Some(0);
        }
        let zeros =
            i64::try_from(digits.len() - kept.len()).ok()? + self.exponent + i64::try_from(scale).ok()?;
        let zeros = usize::try_from(zeros).ok()?;
        if kept.len() + zeros > 38 {
            return None;
        }
        let unscaled: i128 = format!("{kept}{}", "0".repeat(zeros)).parse().ok()?;
        Some(if self.negative { -unscaled } else { unscaled })
    }
}
