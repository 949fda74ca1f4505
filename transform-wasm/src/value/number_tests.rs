//! Numbers against core's float parser and a digit-by-digit reference.

use super::number::{Number, NumberFault, NumberKind, short_bigint, short_double};
use super::{Misfit, learn_field, parse_bigint, parse_boolean, parse_decimal, parse_double};
use proptest::prelude::*;

#[test]
fn json_numbers_are_scanned_to_their_end() {
    for (text, len, mantissa, exponent, negative) in [
        ("0", 1, 0, 0, false),
        ("-0,", 2, 0, 0, true),
        ("7}", 1, 7, 0, false),
        ("12345678", 8, 12_345_678, 0, false),
        ("123456789]", 9, 123_456_789, 0, false),
        ("19.99,\"next\":1", 5, 1999, -2, false),
        ("-1.5e3 ", 6, 15, 2, true),
        ("1E+2\n", 4, 1, 2, false),
        ("0.000000000000000000000001", 26, 1, -24, false),
        ("9999999999999999999", 19, 9_999_999_999_999_999_999, 0, false),
    ] {
        let number = Number::scan(text.as_bytes()).unwrap();
        let got = (number.len, number.mantissa, number.exponent, number.negative, number.exact);
        assert_eq!(got, (len, mantissa, exponent, negative, true), "{text}");
    }
}

#[test]
fn short_fields_are_read_at_once() {
    for (text, bigint, double) in [
        ("7", Some(7), Some(7.0)),
        ("12345678", Some(12_345_678), Some(12_345_678.0)),
        ("0", Some(0), Some(0.0)),
        ("007", None, None),
        ("19.99", None, Some(19.99)),
        ("0.5", None, Some(0.5)),
        ("00.5", None, None),
        ("1333.275", None, Some(1333.275)),
        (".5", None, None),
        ("5.", None, None),
        ("1.2.3", None, None),
        ("-1", None, None),
        ("123456789", None, None),
        ("", None, None),
    ] {
        let buf = format!("12345678{text}9");
        let (start, end) = (8, 8 + text.len());
        assert_eq!(short_bigint(buf.as_bytes(), start, end), bigint, "{text}");
        assert_eq!(short_double(buf.as_bytes(), start, end, b'.'), double, "{text}");
    }
    // Too near the buffer's start to be read at once.
    assert_eq!(short_bigint(b"1,2", 2, 3), None);
}

#[test]
fn broken_json_numbers_say_where() {
    for (text, offset, fault) in [
        ("", 0, NumberFault::NoDigit),
        ("-", 1, NumberFault::NoDigit),
        ("-x", 1, NumberFault::NoDigit),
        ("+1", 0, NumberFault::NoDigit),
        (".5", 0, NumberFault::NoDigit),
        ("007", 1, NumberFault::LeadingZero),
        ("-01.5", 2, NumberFault::LeadingZero),
        ("1.", 2, NumberFault::NoFraction),
        ("1.e3", 2, NumberFault::NoFraction),
        ("1e", 2, NumberFault::NoExponent),
        ("1e-,", 3, NumberFault::NoExponent),
    ] {
        let syntax = Number::scan(text.as_bytes()).unwrap_err();
        assert_eq!((syntax.offset, syntax.fault), (offset, fault), "{text}");
    }
}

#[test]
fn bigint_takes_whole_numbers_only() {
    for (text, expected) in [
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("+5", Ok(5)),
        ("3.0", Ok(3)),
        ("3.000000000000000000000000000000000000000000000", Ok(3)),
        ("3.7", Err(Misfit::Fraction)),
        ("1e3", Ok(1000)),
        ("1200e-2", Ok(12)),
        ("1e-400", Err(Misfit::Fraction)),
        ("0e99999999999", Ok(0)),
        ("1e99999999999", Err(Misfit::OutOfRange)),
        ("9223372036854775807", Ok(i64::MAX)),
        ("9223372036854775808", Err(Misfit::OutOfRange)),
        ("-9223372036854775808", Ok(i64::MIN)),
        ("-9223372036854775809", Err(Misfit::OutOfRange)),
        ("92233720368547758070e-1", Ok(i64::MAX)),
        ("123456789012345678901234567890123456789012345", Err(Misfit::OutOfRange)),
        ("007", Err(Misfit::LeadingZero)),
        ("-00", Err(Misfit::LeadingZero)),
        ("00.5", Err(Misfit::LeadingZero)),
        ("00:30", Err(Misfit::NotANumber)),
        ("00-5", Err(Misfit::NotANumber)),
        ("1.234,5", Err(Misfit::NotANumber)),
        ("1_000", Err(Misfit::NotANumber)),
        ("12 ", Err(Misfit::NotANumber)),
        ("", Err(Misfit::NotANumber)),
        ("--1", Err(Misfit::NotANumber)),
        ("+-1", Err(Misfit::NotANumber)),
        ("NaN", Err(Misfit::NotANumber)),
    ] {
        assert_eq!(parse_bigint(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn doubles_are_exact_or_refused() {
    for (text, expected) in [
        ("0.1", Ok(0.1)),
        (".5", Ok(0.5)),
        ("1e22", Ok(1e22)),
        ("1e23", Ok(1e23)),
        ("9007199254740992", Ok(9_007_199_254_740_992.0)),
        ("9007199254740993", Err(Misfit::Inexact)),
        ("-9007199254740993", Err(Misfit::Inexact)),
        ("9007199254740993.0", Ok(9_007_199_254_740_992.0)),
        ("1e999", Err(Misfit::NotFinite)),
        ("1e-999", Ok(0.0)),
        ("inf", Err(Misfit::NotANumber)),
        ("5.", Err(Misfit::NotANumber)),
    ] {
        assert_eq!(parse_double(text.as_bytes()), expected, "{text}");
    }
    let comma = |text: &[u8]| Number::field(text, b',').and_then(|number| number.as_f64(text));
    assert_eq!(comma(b"1234,5"), Ok(1234.5));
    assert_eq!(comma(b"0,12345678901234567890123"), Ok(0.123_456_789_012_345_68));
    assert_eq!(comma(b"1.234,5"), Err(Misfit::NotANumber));
    assert_eq!(comma(b"1.5"), Err(Misfit::NotANumber));
}

#[test]
fn decimals_never_lose_a_digit() {
    for (text, precision, scale, expected) in [
        ("12.34", 10, 2, Ok(1234)),
        ("12.3400", 4, 2, Ok(1234)),
        ("12.345", 10, 2, Err(Misfit::TooManyDigits)),
        ("-1.5e1", 10, 2, Ok(-1500)),
        ("99.99", 4, 2, Ok(9999)),
        ("100", 4, 2, Err(Misfit::TooManyDigits)),
        ("1e2", 5, 2, Ok(10_000)),
        ("0.00000", 2, 1, Ok(0)),
        ("0e-99999999999", 2, 1, Ok(0)),
        ("99999999999999999999999999999999999999", 38, 0, Ok(10_i128.pow(38) - 1)),
        (
            "0.12345678901234567890123456789012345678",
            38,
            38,
            Ok(12_345_678_901_234_567_890_123_456_789_012_345_678),
        ),
        ("1e38", 38, 0, Err(Misfit::TooManyDigits)),
        ("1e37", 38, 0, Ok(10_i128.pow(37))),
        ("10000000000000000000000000000000000000000000e-20", 38, 0, Ok(10_i128.pow(23))),
    ] {
        assert_eq!(parse_decimal(text.as_bytes(), precision, scale), expected, "{text}");
    }
}

#[test]
fn fields_are_learned_as_the_narrowest_kind() {
    for (text, expected) in [
        ("12", Some(NumberKind::Int53(12))),
        ("-9007199254740992", Some(NumberKind::Int53(-9_007_199_254_740_992))),
        ("9007199254740993", Some(NumberKind::Int64(9_007_199_254_740_993))),
        ("18446744073709551616", Some(NumberKind::BigInteger)),
        ("1.5", Some(NumberKind::Double)),
        ("1.0e300", Some(NumberKind::Double)),
        ("1.0e309", None),
        ("0.1234567890123456789012345", Some(NumberKind::Double)),
        ("007", None),
        ("+49", None),
        ("47E5", None),
        ("12e3", None),
        ("0e0", None),
        ("1.5E5", Some(NumberKind::Double)),
        ("1E+5", Some(NumberKind::Double)),
        ("1e-5", Some(NumberKind::Double)),
        ("-1E5", Some(NumberKind::Double)),
        ("2025-01-01", None),
        ("", None),
    ] {
        let learned = learn_field(text.as_bytes(), b'.').map(|(_, kind)| kind);
        assert_eq!(learned, expected, "{text}");
    }
    let huge = format!("1{}", "0".repeat(400));
    assert_eq!(Number::scan(huge.as_bytes()).unwrap().kind(huge.as_bytes()), Err(Misfit::NotFinite));
}

#[test]
fn booleans_in_any_case() {
    assert_eq!(parse_boolean(b"TRUE"), Ok(true));
    assert_eq!(parse_boolean(b"False"), Ok(false));
    assert_eq!(parse_boolean(b"1"), Err(Misfit::NotABoolean));
}

/// Text of a JSON number, often long, sometimes with zeros where they hurt.
pub(super) fn number_text() -> impl Strategy<Value = String> {
    let digits = prop_oneof!["[0-9]{1,25}", "[1-9][0-9]{0,8}0{0,30}", "0{0,30}[0-9]{1,12}"];
    let fraction = prop_oneof![Just(String::new()), "\\.[0-9]{1,30}", "\\.0{0,25}[0-9]{1,5}0{0,20}"];
    let exponent = prop_oneof![Just(String::new()), "[eE][+-]?[0-9]{1,3}"];
    ("-?", digits, fraction, exponent).prop_map(|(sign, digits, fraction, exponent)| {
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        format!("{sign}{digits}{fraction}{exponent}")
    })
}

/// The number times 10^scale as whole decimal digits, by moving the point in the text.
fn shifted(text: &str, scale: i64) -> Option<String> {
    let (body, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().unwrap()),
        None => (text, 0),
    };
    let body = body.trim_start_matches('-');
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 + exponent + scale;
    let digits = digits.trim_end_matches('0');
    if digits.trim_start_matches('0').is_empty() {
        return Some("0".into());
    }
    if (digits.len() as i64) > point {
        return None;
    }
    let padded = format!("{digits}{}", "0".repeat((point - digits.len() as i64) as usize));
    Some(padded.trim_start_matches('0').to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn short_fields_are_read_as_all_fields_are(before in "[0-9a,.]{8}", text in "[+-]?[0-9]{0,5}[.,e]?[0-9 ]{0,6}", after in "[0-9,.]{0,3}") {
        let buf = format!("{before}{text}{after}");
        let (start, end) = (before.len(), before.len() + text.len());
        for decimal in *b".," {
            let whole = Number::field(text.as_bytes(), decimal);
            if let Some(value) = short_bigint(buf.as_bytes(), start, end) {
                prop_assert_eq!(whole.and_then(|number| number.as_i64(text.as_bytes())), Ok(value));
            }
            if let Some(value) = short_double(buf.as_bytes(), start, end, decimal) {
                prop_assert_eq!(whole.and_then(|number| number.as_f64(text.as_bytes())), Ok(value));
            }
        }
    }

    #[test]
    fn scanning_agrees_with_core_and_with_digits(text in number_text(), tail in "[,}\\] \n]?[0-9]{0,9}") {
        let tail = if tail.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { tail };
        let padded = format!("{text}{tail}");
        let number = Number::scan(padded.as_bytes()).unwrap();
        prop_assert_eq!(number.len, text.len());

        let core: f64 = text.parse().unwrap();
        match number.as_f64(padded.as_bytes()) {
            Ok(value) => prop_assert_eq!(value.to_bits(), core.to_bits()),
            Err(Misfit::Inexact) => prop_assert!(number.is_integer_text && core.abs() >= 9_007_199_254_740_992.0),
            Err(misfit) => prop_assert!(misfit == Misfit::NotFinite && core.is_infinite()),
        }

        let negative = text.starts_with('-');
        let whole = shifted(&text, 0);
        let expected = whole.as_ref().and_then(|digits| format!("{}{digits}", if negative { "-" } else { "" }).parse::<i64>().ok());
        prop_assert_eq!(number.as_i64(padded.as_bytes()).ok(), expected);
        if whole.is_none() {
            prop_assert!(matches!(number.as_i64(padded.as_bytes()), Err(Misfit::Fraction)));
        }
    }

    #[test]
    fn decimals_agree_with_digits(text in number_text(), precision in 1_u8..=38, scale in 0_u8..=38) {
        let scale = scale.min(precision);
        let digits = shifted(&text, i64::from(scale)).filter(|digits| digits.len() <= usize::from(precision));
        let expected = digits.map(|digits| digits.parse::<i128>().unwrap() * if text.starts_with('-') { -1 } else { 1 });
        prop_assert_eq!(parse_decimal(text.as_bytes(), precision, scale).ok(), expected);
    }

    #[test]
    fn json_grammar_agrees_with_serde(text in "[-+0-9.eE]{1,8}") {
        let ours = Number::scan(text.as_bytes()).is_ok_and(|number| number.len == text.len());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // Its range check comes before its check for trailing bytes: no verdict on the grammar.
        prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range")));
        prop_assert_eq!(ours, theirs.is_ok());
    }

    #[test]
    fn kinds_agree_with_values(text in number_text()) {
        let number = Number::scan(text.as_bytes()).unwrap();
        let core: f64 = text.parse().unwrap();
        match number.kind(text.as_bytes()) {
            Ok(NumberKind::Int53(value)) => prop_assert!(Ok(value) == text.parse() && value.unsigned_abs() <= 1 << 53),
            Ok(NumberKind::Int64(value)) => prop_assert!(Ok(value) == text.parse() && value.unsigned_abs() > 1 << 53),
            Ok(NumberKind::BigInteger) => prop_assert!(text.parse::<i64>().is_err() && number.is_integer_text),
            Ok(NumberKind::Double) => prop_assert!(!number.is_integer_text && core.is_finite()),
            Err(misfit) => prop_assert!(misfit == Misfit::NotFinite && core.is_infinite()),
        }
    }
}
