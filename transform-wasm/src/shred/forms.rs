//! What single values are learned as: the forms of texts, the digits of numbers.

use crate::learn::{Digits, Kinds};
use crate::value::time::{parse_iso_date, parse_iso_moment};
use crate::value::{Number, digits, is_plain_moment};

/// Digits that a decimal needs for a number, or a few more.
pub(super) fn digits_of(number: &Number, text: &[u8]) -> Digits {
    let (before, after) = if number.exact {
        let all = number.mantissa.checked_ilog10().map_or(1, |log| log as i32 + 1);
        ((all.saturating_add(number.exponent)).max(0) as u32, number.exponent.min(0).unsigned_abs())
    } else {
        digits(number, text)
    };
    Digits(before.min(255) as u8, after.min(255) as u8)
}

/// The forms of text that people may mean something by.
pub(super) fn text_kinds(text: &[u8]) -> Kinds {
    if is_plain_moment(text) {
        return Kinds::TIMESTAMP;
    }
    match text {
        [_, _, _, _, b'-', _, _, b'-', _, _] if parse_iso_date(text).is_some() => Kinds::DATE,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', ..] => match parse_iso_moment(text, 0) {
            Some(moment) if moment.millis().1 => Kinds::TIMESTAMP.join(Kinds::FINE),
            Some(_) => Kinds::TIMESTAMP,
            None if is_day_month(text) => Kinds::DAY_MONTH,
            None => Kinds::STRING,
        },
        [b'0'..=b'9', ..] if is_day_month(text) => Kinds::DAY_MONTH,
        _ => Kinds::STRING,
    }
}

/// `01/02/2025`, `1.2.25`, `01-02-2025 10:00`: two small numbers and a year.
fn is_day_month(text: &[u8]) -> bool {
    let date = text.split(|&byte| byte == b' ' || byte == b'T').next().unwrap_or_default();
    let Some(&sign) = date.iter().find(|byte| !byte.is_ascii_digit()) else { return false };
    if !matches!(sign, b'/' | b'.' | b'-') || date.len() > 10 {
        return false;
    }
    let mut parts = date.split(|&byte| byte == sign);
    let number = |part: Option<&[u8]>| str::from_utf8(part?).ok()?.parse::<u16>().ok();
    let (first, second) = (number(parts.next()), number(parts.next()));
    let year = parts.next().filter(|year| matches!(year.len(), 2 | 4) && year.iter().all(u8::is_ascii_digit));
    let small = |number: Option<u16>| number.is_some_and(|number| (1..=31).contains(&number));
    small(first) && small(second) && year.is_some() && parts.next().is_none()
}
