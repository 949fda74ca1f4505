//! What the digits of a number's text say beyond its value: whether a double keeps them, how many places a
//! decimal would need, and where they are no number but an identifier.
//!
//! Not for: values (see [`super::number`]). The decision to know: a double holds a text where it gives the
//! text's own digits back, rounded to as many; so `0.1` is held though no double equals it, and
//! `30000000000000.0012` is not.

use super::number::POW10_WIDE;
use super::{Number, NumberKind};

/// Any number of so many significant digits is held by a double of the usual size (`DBL_DIG` of C).
const ALWAYS_HELD: usize = 15;

const SHORT: u64 = 10_u64.pow(ALWAYS_HELD as u32);

/// No double has more significant digits than these, all of them written out.
const LONGEST: usize = 767;

/// Whether a double holds a number as written: with 15 significant digits or fewer always, with more where
/// the nearest double, rounded to as many digits, has the same ones. Zeros at either end are no digits.
///
/// `text` is what the number was scanned from; one that is not finite is not held.
#[inline]
#[must_use]
pub fn holds_text(number: &Number, text: &[u8]) -> bool {
    is_short(number) || number.as_f64_text(text).is_ok_and(|value| holds_as(number, text, value))
}

/// As [`holds_text`], where the nearest double is known already.
#[inline]
#[must_use]
pub fn holds_value(number: &Number, text: &[u8], value: f64) -> bool {
    is_short(number) || holds_as(number, text, value)
}

/// Digits before and after the point that a decimal needs to hold a number as written; zeros at either end
/// are no digits.
#[cold]
#[must_use]
pub fn digits(number: &Number, text: &[u8]) -> (u32, u32) {
    let Some(ends) = ends(number, text) else { return (0, 0) };
    let places = |power: i64| u32::try_from(power.max(0)).unwrap_or(u32::MAX);
    (places(ends.highest + 1), places(-ends.lowest))
}

/// Whether a decimal with so many digits before and after the point holds a number as written; where that is not
/// seen at a glance, it is said not to.
#[inline]
#[must_use]
pub fn has_no_more_digits(number: &Number, before: u8, after: u8) -> bool {
    let places = number.exponent.unsigned_abs();
    number.exact
        && number.exponent <= 0
        && places <= u32::from(after)
        && POW10_WIDE
            .get(usize::from(before) + places as usize)
            .is_some_and(|end| u128::from(number.mantissa) < *end)
}

/// What a CSV field is learned as, none for text. A `+` or leading zeros make text, and so does an `E`
/// between digits alone: `+4930123`, `007` and `47E5` are identifiers, which a number would spoil.
#[inline]
#[must_use]
pub fn learn_field(text: &[u8], decimal: u8) -> Option<(Number, NumberKind)> {
    match text.first() {
        Some(b'0'..=b'9' | b'-' | b'.' | b',') => {
            let number = Number::field(text, decimal).ok()?;
            if !number.is_integer_text && text.iter().all(u8::is_ascii_alphanumeric) {
                return None;
            }
            number.kind(text).ok().map(|kind| (number, kind))
        }
        _ => None,
    }
}

/// The powers of ten of the first and the last digit that is not zero, and the places of both among the digits.
struct Ends {
    highest: i64,
    lowest: i64,
    first: usize,
    last: usize,
}

#[inline(always)]
fn is_short(number: &Number) -> bool {
    number.exact && number.mantissa < SHORT && number.exponent.unsigned_abs() <= 22
}

fn ends(number: &Number, text: &[u8]) -> Option<Ends> {
    let mut ends: Option<(usize, usize)> = None;
    let mut count = 0_usize;
    for digit in number.digits(text) {
        if digit != 0 {
            ends = Some((ends.map_or(count, |(first, _)| first), count));
        }
        count += 1;
    }
    let (first, last) = ends?;
    let power = |place: usize| i64::from(number.exponent) + (count - 1 - place) as i64;
    Some(Ends { highest: power(first), lowest: power(last), first, last })
}

#[cold]
fn holds_as(number: &Number, text: &[u8], value: f64) -> bool {
    if let Some(held) = rounds_back(number, value) {
        return held;
    }
    let Some(ends) = ends(number, text) else { return true };
    let significant = ends.last - ends.first + 1;
    if significant <= ALWAYS_HELD && value.is_normal() {
        return true;
    }
    if significant > LONGEST || value == 0.0 {
        return false;
    }
    let own = number.digits(text).skip(ends.first).take(significant);
    let written = format!("{:.*e}", significant - 1, value.abs());
    let digits = written.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit);
    own.eq(digits.map(|byte| byte - b'0'))
}

/// The same for nearly all numbers that have 16 to 19 digits, without any text; none where this cannot tell.
///
/// With the number as `M / 10^k` and the double as `s / 2^t`, the double rounds back to the number's digits
/// while it is at most half a unit of their last place away: `|s × 10^k − M × 2^t| ≤ 2^t / 2`. Just between two
/// it is either: who writes doubles may round such a one up or to the even digit.
fn rounds_back(number: &Number, value: f64) -> Option<bool> {
    let (mut mantissa, mut places) = (number.mantissa, number.exponent.checked_neg()?);
    if !number.exact || mantissa == 0 || !value.is_normal() {
        return None;
    }
    while places > 0 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        places -= 1;
    }
    let bits = value.to_bits();
    let significand = (bits & ((1 << 52) - 1)) | (1 << 52);
    let halvings = u32::try_from(1075 - ((bits >> 52) & 0x7FF) as i32).ok()?;
    // As few of them as the value has.
    let spare = significand.trailing_zeros().min(halvings);
    let (significand, halvings) = (significand >> spare, halvings - spare);
    let power = POW10_WIDE.get(usize::try_from(places).ok()?)?;
    let exact = u128::from(significand).checked_mul(*power)?;
    // 64 bits of digits and 63 more.
    let written = (halvings < 64).then(|| u128::from(mantissa) << halvings)?;
    Some(exact.abs_diff(written) <= (1_u128 << halvings) / 2)
}
