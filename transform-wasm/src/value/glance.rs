//! What the most common texts are, seen without reading their value.
//!
//! For: learning, which only wants to know what kind of value a text is. The decision to know: a glance says yes or
//! nothing at all; whoever got no answer reads the text in full, so that each rule stands in one place.

/// Digits that a double and 53 bits always hold.
const HELD: usize = 15;

/// Digits before and after the decimal sign of a plain number of at most 15 digits; a lone zero before the sign is
/// no digit. None where it is no such number, or has zeros in front.
#[inline]
#[must_use]
pub fn plain_number(text: &[u8], decimal: u8) -> Option<(u8, u8)> {
    let digits = match text {
        [b'-', digits @ ..] => digits,
        digits => digits,
    };
    if digits.len() > HELD + 1 {
        return None;
    }
    let mut sign = None;
    for (place, &byte) in digits.iter().enumerate() {
        if byte == decimal && sign.is_none() {
            sign = Some(place);
        } else if !byte.is_ascii_digit() {
            return None;
        }
    }
    let before = sign.unwrap_or(digits.len());
    let after = if sign.is_some() { digits.len() - before - 1 } else { 0 };
    let has_zeros = digits.first() == Some(&b'0') && before > 1;
    if before == 0 || (sign.is_some() && after == 0) || before + after > HELD || has_zeros {
        return None;
    }
    let before = if digits.first() == Some(&b'0') { 0 } else { before };
    Some((before as u8, after as u8))
}

/// Whether a text is a moment such as `2025-03-01T10:00:00Z`, with `T` or a blank, with or without `Z`, in the years
/// from 1000 on and on one of the first 28 days of a month.
#[inline]
#[must_use]
pub fn is_plain_moment(text: &[u8]) -> bool {
    let Some((date, rest)) = text.split_first_chunk::<8>() else { return false };
    let Some((clock, rest)) = rest.split_first_chunk::<8>() else { return false };
    let ([b':', tens, ones] | [b':', tens, ones, b'Z']) = rest else { return false };
    // Eight bytes at a time: what has to be a digit is one, and what stands between is what it has to be.
    let date = u64::from_le_bytes(date.map(|byte| byte ^ b'0'));
    let clock = u64::from_le_bytes(clock.map(|byte| byte ^ b'0'));
    const DASH: u64 = (b'-' ^ b'0') as u64;
    const COLON: u64 = (b':' ^ b'0') as u64;
    const DATE_SIGNS: u64 = 0xFF00_00FF_0000_0000;
    const CLOCK_SIGNS: u64 = 0x0000_FF00_00FF_0000;
    let joined = clock >> 16 & 0xFF;
    if date & DATE_SIGNS != DASH << 32 | DASH << 56
        || clock & 0x0000_FF00_0000_0000 != COLON << 40
        || (joined != u64::from(b'T' ^ b'0') && joined != u64::from(b' ' ^ b'0'))
        || !are_digits(date & !DATE_SIGNS)
        || !are_digits(clock & !CLOCK_SIGNS)
    {
        return false;
    }
    let two = |word: u64, at: u32| (word >> (8 * at) & 0xF) * 10 + (word >> (8 * at + 8) & 0xF);
    date & 0xFF != 0
        && (1..=12).contains(&two(date, 5))
        && (1..=28).contains(&two(clock, 0))
        && two(clock, 3) < 24
        && two(clock, 6) < 60
        && tens ^ b'0' < 6
        && ones ^ b'0' < 10
}

/// Whether each byte is below 10.
#[inline(always)]
fn are_digits(bytes: u64) -> bool {
    (bytes | bytes.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::time::parse_iso_moment;
    use crate::value::{Number, NumberKind, digits, learn_field};

    #[test]
    fn a_glance_knows_what_is_plain() {
        for (text, expected) in [
            ("0", Some((0, 0))),
            ("7", Some((1, 0))),
            ("-120", Some((3, 0))),
            ("0.05", Some((0, 2))),
            ("12.50", Some((2, 2))),
            ("123456789012345", Some((15, 0))),
            ("1234567890123456", None),
            ("007", None),
            ("00.5", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("1e5", None),
            ("+5", None),
            ("-", None),
            ("", None),
            ("5,5", None),
        ] {
            assert_eq!(plain_number(text.as_bytes(), b'.'), expected, "{text}");
        }
        assert_eq!(plain_number(b"5,5", b','), Some((1, 1)));
        for text in ["2025-03-01T10:00:00Z", "2025-12-28 23:59:59", "1000-01-01T00:00:00"] {
            assert!(is_plain_moment(text.as_bytes()), "{text}");
        }
        for text in
            ["2025-13-01T10:00:00Z", "2025-03-01T24:00:00Z", "2025-03-01T10:00:00.5Z", "2025-03-01", ""]
        {
            assert!(!is_plain_moment(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_number_is_what_a_full_look_makes_of_it(text in "-?[0-9]{0,17}([.,][0-9]{0,9})?", decimal in prop_oneof![Just(b'.'), Just(b',')]) {
            if let Some((before, after)) = plain_number(text.as_bytes(), decimal) {
                let (_, kind) = learn_field(text.as_bytes(), decimal).unwrap();
                prop_assert_eq!(matches!(kind, NumberKind::Double), after > 0);
                prop_assert!(matches!(kind, NumberKind::Double | NumberKind::Int53(_)));
                let (whole, fraction) = digits(&Number::field(text.as_bytes(), decimal).unwrap(), text.as_bytes());
                prop_assert!(whole <= u32::from(before) && fraction <= u32::from(after));
            }
        }

        #[test]
        fn a_plain_moment_is_one(text in "[0-9]{4}[-/][01][0-9][-0][0-3][0-9][T :][0-2][0-9][:0][0-6][0-9][:5][0-6][0-9][Zz]?") {
            if is_plain_moment(text.as_bytes()) {
                prop_assert!(parse_iso_moment(text.as_bytes(), 0).is_some_and(|moment| !moment.millis().1));
            } else if parse_iso_moment(text.as_bytes(), 0).is_some() {
                // What it misses is at the edges.
                prop_assert!(text.ends_with('z') || text.starts_with('0') || &text[8..10] > "28", "{}", text);
            }
        }

        #[test]
        fn any_byte_elsewhere_makes_it_none(at in 0_usize..20, byte in any::<u8>()) {
            let mut text = *b"2025-11-21T12:34:56Z";
            text[at] = byte;
            prop_assert!(!is_plain_moment(&text) || parse_iso_moment(&text, 0).is_some());
        }
    }
}
