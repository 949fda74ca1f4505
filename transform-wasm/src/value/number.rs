//! Numbers from their source text, in one pass: grammar, mantissa and exponent together.
//!
//! For: JSON numbers (RFC 8259, section 6) and CSV fields. Not for: numbers made by expressions.
//! The decision to know: [`Number`] keeps up to 19 significant digits exactly, which covers nearly
//! every number there is; the few longer ones are read again from the text, so that an integer or a
//! decimal never passes through a float.

use super::Misfit;
use super::quotient::quotient;

/// 2^53: up to here every integer is a double of its own.
pub const EXACT_INTEGER: u64 = 1 << 53;

/// Digits of which every number of them fits a `u64`.
const EXACT_DIGITS: usize = 19;

/// Explicit exponents are cut here: far beyond what a record's length could shift back into range.
const EXPONENT_LIMIT: i32 = 1_000_000_000;

const POW10: [u64; 20] = {
    let mut table = [1; 20];
    let mut i = 1;
    while i < 20 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

pub(super) const POW10_WIDE: [u128; 39] = {
    let mut table = [1; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Powers of ten that a double holds exactly: the table of Clinger's fast path ("How to read
/// floating point numbers accurately", 1990). One rounding of two exact operands is correct.
const POW10_DOUBLE: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// A number as scanned: its value is `mantissa × 10^exponent`, negated if `negative`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Length of the number's text in bytes.
    pub len: usize,
    /// All digits without the point; only meaningful while `exact`.
    pub mantissa: u64,
    /// Power of ten, fraction digits taken off.
    pub exponent: i32,
    /// A minus sign stands before it.
    pub negative: bool,
    /// The mantissa holds every digit.
    pub exact: bool,
    /// Neither fraction nor exponent: an integer as written.
    pub is_integer_text: bool,
}

/// What a number can be learned as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberKind {
    /// An integer within 2^53, which a double holds too.
    Int53(i64),
    /// An integer within 64 bits.
    Int64(i64),
    /// An integer beyond 64 bits.
    BigInteger,
    /// A number with fraction or exponent.
    Double,
}

/// What breaks the grammar of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// No digit where the number should begin.
    NoDigit,
    /// A zero followed by more digits.
    LeadingZero,
    /// No digit after the point.
    NoFraction,
    /// No digit in the exponent.
    NoExponent,
}

/// Where and why a text is no number by RFC 8259.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberSyntax {
    /// Byte where it breaks, from the number's start. At the end of the bytes given, more of them
    /// may put it right.
    pub offset: usize,
    /// Why.
    pub fault: NumberFault,
}

impl NumberFault {
    /// What is wrong, for people.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NoDigit => "a number needs a digit here",
            Self::LeadingZero => "a number must not have leading zeros",
            Self::NoFraction => "a number needs a digit after its point",
            Self::NoExponent => "a number needs a digit in its exponent",
        }
    }
}

impl Number {
    /// Scans the JSON number that `text` begins with; what follows it is the caller's to judge.
    ///
    /// `text` should reach beyond the number, which is scanned eight bytes at a time. A number that
    /// ends with `text` may go on in bytes that are still to come.
    ///
    /// # Errors
    /// [`NumberSyntax`] where RFC 8259 is broken.
    #[inline]
    pub fn scan(text: &[u8]) -> Result<Self, NumberSyntax> {
        scan::<false>(text, b'.')
    }

    /// Reads a whole CSV field as a number: JSON's grammar, a `+` and a bare `.5` besides, and
    /// `decimal` (`.` or `,`) as the point. Digit grouping is never guessed.
    ///
    /// # Errors
    /// [`Misfit::LeadingZero`] and [`Misfit::NotANumber`].
    #[inline]
    pub fn field(text: &[u8], decimal: u8) -> Result<Self, Misfit> {
        match scan::<true>(text, decimal) {
            Ok(number) if number.len == text.len() => Ok(number),
            Err(NumberSyntax { fault: NumberFault::LeadingZero, .. }) => Err(leading_zero(text, decimal)),
            _ => Err(Misfit::NotANumber),
        }
    }

    /// The whole number that this is; `text` is what it was scanned from. `3.0` is 3, `1e3` is 1000.
    ///
    /// # Errors
    /// [`Misfit::Fraction`] and [`Misfit::OutOfRange`].
    #[inline]
    pub fn as_i64(&self, text: &[u8]) -> Result<i64, Misfit> {
        if self.exact && self.exponent == 0 {
            return self.signed(self.mantissa);
        }
        self.as_i64_wide(text)
    }

    /// The double nearest to this; `text` is what it was scanned from.
    ///
    /// # Errors
    /// [`Misfit::Inexact`] for an integer (as written) beyond 2^53, [`Misfit::NotFinite`].
    #[inline]
    pub fn as_f64(&self, text: &[u8]) -> Result<f64, Misfit> {
        if self.exact && self.mantissa <= EXACT_INTEGER && self.exponent.unsigned_abs() <= 22 {
            let power = POW10_DOUBLE[self.exponent.unsigned_abs() as usize];
            let mantissa = self.mantissa as f64;
            let value = if self.exponent < 0 { mantissa / power } else { mantissa * power };
            return Ok(if self.negative { -value } else { value });
        }
        if self.exact
            && (-22..0).contains(&self.exponent)
            && let Some(value) = quotient(self.mantissa, POW10_DOUBLE[self.exponent.unsigned_abs() as usize])
        {
            return Ok(if self.negative { -value } else { value });
        }
        if self.is_integer_text {
            return Err(Misfit::Inexact);
        }
        self.as_f64_text(text)
    }

    /// The unscaled value under `decimal(precision, scale)`, exactly; `text` is what it was scanned
    /// from. Zeros beyond the scale are no digits.
    ///
    /// # Errors
    /// [`Misfit::TooManyDigits`], before or after the point.
    #[inline]
    pub fn as_decimal(&self, text: &[u8], precision: u8, scale: u8) -> Result<i128, Misfit> {
        let shift = self.exponent.saturating_add(i32::from(scale));
        let (mantissa, shift) = if self.exact && (0..=EXACT_DIGITS as i32).contains(&shift) {
            (Some(u128::from(self.mantissa)), i64::from(shift))
        } else {
            let (mantissa, exponent) = self.wide(text);
            (mantissa, exponent + i64::from(scale))
        };
        let unscaled = match mantissa {
            Some(0) => 0,
            Some(mantissa) => usize::try_from(shift)
                .ok()
                .and_then(|shift| POW10_WIDE.get(shift))
                .and_then(|power| mantissa.checked_mul(*power))
                .ok_or(Misfit::TooManyDigits)?,
            None => return Err(Misfit::TooManyDigits),
        };
        if unscaled >= POW10_WIDE[usize::from(precision.min(38))] {
            return Err(Misfit::TooManyDigits);
        }
        Ok(if self.negative { -(unscaled as i128) } else { unscaled as i128 })
    }

    /// What this is learned as; `text` is what it was scanned from.
    ///
    /// # Errors
    /// [`Misfit::NotFinite`], integers included: no reader of JSON could be sure of such a number.
    #[inline]
    pub fn kind(&self, text: &[u8]) -> Result<NumberKind, Misfit> {
        if !self.is_integer_text {
            return self.check_finite(text).map(|()| NumberKind::Double);
        }
        match self.as_i64(text) {
            Ok(value) if value.unsigned_abs() <= EXACT_INTEGER => Ok(NumberKind::Int53(value)),
            Ok(value) => Ok(NumberKind::Int64(value)),
            Err(_) => self.as_f64_text(text).map(|_| NumberKind::BigInteger),
        }
    }

    /// Checks that a double can be near it, as every number of JSON text must have one that is kept as it is.
    ///
    /// # Errors
    /// [`Misfit::NotFinite`], integers included.
    #[inline]
    pub fn check_finite(&self, text: &[u8]) -> Result<(), Misfit> {
        // 19 digits before 10^288 stay below the largest double, 1.8 × 10^308.
        if self.exact && self.exponent <= 288 { Ok(()) } else { self.as_f64_text(text).map(|_| ()) }
    }

    #[inline]
    fn signed(&self, magnitude: u64) -> Result<i64, Misfit> {
        match (i64::try_from(magnitude), self.negative) {
            (Ok(value), false) => Ok(value),
            (Ok(value), true) => Ok(-value),
            (Err(_), true) if magnitude == i64::MIN.unsigned_abs() => Ok(i64::MIN),
            (Err(_), _) => Err(Misfit::OutOfRange),
        }
    }

    #[cold]
    fn as_i64_wide(&self, text: &[u8]) -> Result<i64, Misfit> {
        let (mantissa, exponent) = self.wide(text);
        if mantissa == Some(0) {
            return Ok(0);
        }
        let shift = usize::try_from(exponent).map_err(|_| Misfit::Fraction)?;
        let power = POW10_WIDE.get(shift).ok_or(Misfit::OutOfRange)?;
        let magnitude =
            mantissa.and_then(|mantissa| mantissa.checked_mul(*power)).ok_or(Misfit::OutOfRange)?;
        self.signed(u64::try_from(magnitude).map_err(|_| Misfit::OutOfRange)?)
    }

    #[cold]
    pub(super) fn as_f64_text(&self, text: &[u8]) -> Result<f64, Misfit> {
        let text = str::from_utf8(self.own(text)).map_err(|_| Misfit::NotANumber)?;
        // Core's parser rounds correctly, the same on every target; it only knows the point.
        let parsed = if text.contains(',') { text.replace(',', ".").parse() } else { text.parse::<f64>() };
        match parsed {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(Misfit::NotFinite),
            Err(_) => Err(Misfit::NotANumber),
        }
    }

    /// Digits without the zeros around them and the power of ten that goes with these; no digits
    /// when there are more than 38.
    #[cold]
    pub(super) fn wide(&self, text: &[u8]) -> (Option<u128>, i64) {
        let mut mantissa = Some(0_u128);
        let mut zeros = 0_usize;
        let mut significant = 0_usize;
        for digit in self.digits(text) {
            if digit == 0 {
                zeros += usize::from(significant > 0);
                continue;
            }
            // Zeros count once a digit follows them; until then they may be trailing ones.
            significant += zeros + 1;
            mantissa = match mantissa {
                Some(value) if significant <= 38 => Some(value * POW10_WIDE[zeros + 1] + u128::from(digit)),
                _ => None,
            };
            zeros = 0;
        }
        (mantissa, i64::from(self.exponent) + zeros as i64)
    }

    /// The digits before the exponent, first to last.
    pub(super) fn digits<'a>(&self, text: &'a [u8]) -> impl Iterator<Item = u8> + use<'a> {
        self.own(text)
            .iter()
            .take_while(|byte| !matches!(byte, b'e' | b'E'))
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| byte - b'0')
    }

    fn own<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(..self.len).unwrap_or(text)
    }
}

/// A whole number from a JSON number's text or a CSV field.
///
/// # Errors
/// See [`Number::field`] and [`Number::as_i64`].
pub fn parse_bigint(text: &[u8]) -> Result<i64, Misfit> {
    Number::field(text, b'.')?.as_i64(text)
}

/// A double from a JSON number's text or a CSV field, correctly rounded.
///
/// # Errors
/// See [`Number::field`] and [`Number::as_f64`].
pub fn parse_double(text: &[u8]) -> Result<f64, Misfit> {
    Number::field(text, b'.')?.as_f64(text)
}

/// An unscaled decimal from a JSON number's text or a CSV field, exactly.
///
/// # Errors
/// See [`Number::field`] and [`Number::as_decimal`].
pub fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Result<i128, Misfit> {
    Number::field(text, b'.')?.as_decimal(text, precision, scale)
}

/// Bytes that [`short_bigint`] and [`short_double`] read.
const SHORT: usize = 8;

/// The field `buf[start..end]` if it is a plain whole number of at most eight digits; else it is for
/// [`Number::field`] to say what it is. One load, no loop: most numbers in files are this short.
#[inline(always)]
#[must_use]
pub fn short_bigint(buf: &[u8], start: usize, end: usize) -> Option<i64> {
    let (block, length) = short_digits(buf, start, end)?;
    if length > 1 && superfluous_zero(block, length) {
        return None;
    }
    only_digits(block).then(|| eight_digits(block) as i64)
}

/// The field `buf[start..end]` if it is a plain number of at most eight characters, one of which may
/// be the point `decimal` between digits; else it is for [`Number::field`] to say what it is.
#[inline(always)]
#[must_use]
pub fn short_double(buf: &[u8], start: usize, end: usize, decimal: u8) -> Option<f64> {
    let (block, length) = short_digits(buf, start, end)?;
    // The point as `short_digits` leaves it: other bytes, those before the field too, are digits.
    let other = block ^ (u64::from(decimal ^ b'0') * 0x0101_0101_0101_0101);
    let points = (other.wrapping_sub(0x0101_0101_0101_0101) & !other) & 0x8080_8080_8080_8080;
    if points == 0 {
        return short_bigint(buf, start, end).map(|value| value as f64);
    }
    let point = (points.trailing_zeros() / 8) as usize;
    let before = point - (SHORT - length);
    if before == 0 || point == SHORT - 1 || (before > 1 && superfluous_zero(block, length)) {
        return None;
    }
    // What stands before the point moves up into its place.
    let below = (1 << (8 * point)) - 1;
    let digits = ((block & below) << 8) | (block & !((below << 8) | 0xff));
    only_digits(digits).then(|| eight_digits(digits) as f64 / POW10_DOUBLE[SHORT - 1 - point])
}

/// A field's characters less `0`, its last in the highest byte, zeros before its first; its length.
#[inline(always)]
fn short_digits(buf: &[u8], start: usize, end: usize) -> Option<(u64, usize)> {
    let length = end - start;
    if length == 0 || length > SHORT {
        return None;
    }
    let block = u64::from_le_bytes(*buf.get(end.checked_sub(SHORT)?..end)?.first_chunk()?);
    let shift = 8 * (SHORT - length);
    Some(((block ^ 0x3030_3030_3030_3030) >> shift << shift, length))
}

#[inline(always)]
fn superfluous_zero(block: u64, length: usize) -> bool {
    (block >> (8 * (SHORT - length))) & 0xff == 0
}

#[inline(always)]
fn only_digits(block: u64) -> bool {
    (block.wrapping_add(0x7676_7676_7676_7676) | block) & 0x8080_8080_8080_8080 == 0
}

/// The one scanner. `FIELD` adds what only CSV has: a plus sign and no digit before the point.
#[inline(always)]
fn scan<const FIELD: bool>(text: &[u8], decimal: u8) -> Result<Number, NumberSyntax> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative || (FIELD && text.first() == Some(&b'+')));
    let (mut mantissa, mut at) = digits(text, start, 0);
    if at == start && !(FIELD && text.get(at) == Some(&decimal)) {
        return Err(NumberSyntax { offset: at, fault: NumberFault::NoDigit });
    }
    if at > start + 1 && text[start] == b'0' {
        return Err(NumberSyntax { offset: start + 1, fault: NumberFault::LeadingZero });
    }
    let mut count = at - start;
    let mut exponent = 0_i32;
    let mut is_integer_text = true;
    if text.get(at) == Some(&decimal) {
        let point = at + 1;
        (mantissa, at) = digits(text, point, mantissa);
        if at == point {
            return Err(NumberSyntax { offset: at, fault: NumberFault::NoFraction });
        }
        count += at - point;
        exponent = -((at - point).min(EXPONENT_LIMIT as usize) as i32);
        is_integer_text = false;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let (power, end) = explicit_exponent(text, at + 1)?;
        exponent += power;
        at = end;
        is_integer_text = false;
    }
    let mut number = Number { len: at, mantissa, exponent, negative, exact: true, is_integer_text };
    if count > EXACT_DIGITS {
        number.exact = number.digits(text).skip_while(|digit| *digit == 0).count() <= EXACT_DIGITS;
    }
    Ok(number)
}

/// The exponent after its `e`, cut to ±[`EXPONENT_LIMIT`], and where it ends.
fn explicit_exponent(text: &[u8], at: usize) -> Result<(i32, usize), NumberSyntax> {
    let negative = text.get(at) == Some(&b'-');
    let start = at + usize::from(negative || text.get(at) == Some(&b'+'));
    let mut end = start;
    let mut power = 0_i32;
    while let Some(digit) = text.get(end).filter(|byte| byte.is_ascii_digit()) {
        power = power.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
        end += 1;
    }
    if end == start {
        return Err(NumberSyntax { offset: end, fault: NumberFault::NoExponent });
    }
    let power = power.min(EXPONENT_LIMIT);
    Ok((if negative { -power } else { power }, end))
}

/// Appends the digits at `at` to `mantissa` (wrapping) and says where they end.
///
/// Eight bytes at a time and without a branch a digit: the lengths of numbers in data are as good as
/// random, and a mispredicted branch costs more than the whole conversion.
#[inline(always)]
fn digits(text: &[u8], mut at: usize, mut mantissa: u64) -> (u64, usize) {
    while let Some(Ok(block)) = text.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let block = u64::from_le_bytes(block) ^ 0x3030_3030_3030_3030;
        // The high bit of each byte above 9; a carry can only spoil bytes after the first of these.
        let stop = (block.wrapping_add(0x7676_7676_7676_7676) | block) & 0x8080_8080_8080_8080;
        if stop == 0 {
            mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(eight_digits(block));
            at += 8;
            continue;
        }
        let count = (stop.trailing_zeros() / 8) as usize;
        if count > 0 {
            let digits = eight_digits(block << (64 - 8 * count));
            mantissa = mantissa.wrapping_mul(POW10[count]).wrapping_add(digits);
        }
        return (mantissa, at + count);
    }
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (mantissa, at)
}

/// Eight digits (0 to 9, first in the lowest byte) to their number: pairs, fours, eight.
#[inline(always)]
fn eight_digits(block: u64) -> u64 {
    const MASK: u64 = 0x0000_00FF_0000_00FF;
    let pairs = block.wrapping_mul(10).wrapping_add(block >> 8);
    let high = (pairs & MASK).wrapping_mul(0x000F_4240_0000_0064);
    let low = ((pairs >> 16) & MASK).wrapping_mul(0x0000_2710_0000_0001);
    high.wrapping_add(low) >> 32
}

/// A field that begins with a superfluous zero: still a number, or no number at all (`00:30`)?
#[cold]
fn leading_zero(text: &[u8], decimal: u8) -> Misfit {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let rest = &digits[zeros..];
    let is_number = match rest.first() {
        None => true,
        Some(first) if first.is_ascii_digit() || *first == decimal => {
            scan::<true>(rest, decimal).is_ok_and(|number| number.len == rest.len())
        }
        Some(_) => false,
    };
    if is_number { Misfit::LeadingZero } else { Misfit::NotANumber }
}
