//! Which texts a double holds, against the rule as it is written; and what a decimal needs.

use proptest::prelude::*;

use super::number_tests::number_text;
use super::{Number, digits, holds_text, holds_value, parse_decimal};

fn held(text: &str) -> bool {
    let number = Number::field(text.as_bytes(), b'.').unwrap();
    let held = holds_text(&number, text.as_bytes());
    if let Ok(value) = number.as_f64(text.as_bytes()) {
        assert_eq!(holds_value(&number, text.as_bytes(), value), held, "{text}");
    }
    held
}

fn needs(text: &str) -> (u32, u32) {
    digits(&Number::field(text.as_bytes(), b'.').unwrap(), text.as_bytes())
}

#[test]
fn a_double_holds_what_it_gives_back() {
    for (text, expected) in [
        ("0.1", true),
        ("1032869210986537.3", true),
        ("1032869210986537.2", true),
        ("0.000000029802322387695313", true),
        ("0.30000000000000004", true),
        ("19.990000000000000000000", true),
        ("123456789012345.0", true),
        ("9007199254740991.5", false),
        ("0.1234567890123456789", false),
        ("9999999999999999.99", false),
        ("123456789012345678901234567890.12345678", false),
        ("-122.41941550000001", true),
        ("-122.419415500000012", false),
        ("0.5000000000000000000000000000000000000001", false),
        ("4503599627370495.5", true),
        ("4503599627370496.5", false),
        ("1.7976931348623157e308", true),
        ("1e999", false),
        ("5e-324", true),
        ("4.9e-324", true),
        ("1.5e-324", false),
        ("1e-400", false),
        ("0e-400", true),
        ("0.00000000000000000000000000000000", true),
        ("6.02214076e23", true),
    ] {
        assert_eq!(held(text), expected, "{text}");
    }
    // All digits of a double written out are its own; one more is not.
    let whole = format!("{:.1074}", f64::from_bits(1));
    assert!(held(&whole));
    assert!(!held(&format!("{whole}1")));
}

#[test]
fn a_decimal_needs_the_digits_between_the_zeros() {
    for (text, expected) in [
        ("0", (0, 0)),
        ("0.000", (0, 0)),
        ("9999999999999999.99", (16, 2)),
        ("123456789012345678901234567890.12345678", (30, 8)),
        ("0.00000001", (0, 8)),
        ("-1.500", (1, 1)),
        ("120e3", (6, 0)),
        ("12e-5", (0, 5)),
        ("1e-4000000000", (0, 1_000_000_000)),
    ] {
        assert_eq!(needs(text), expected, "{text}");
    }
}

/// The rule as it is written, by core's own digits: what is just between two of them is either.
fn by_the_rule(text: &str) -> bool {
    let value: f64 = text.parse().unwrap();
    let digits = |text: &str| text.split(['e', 'E']).next().unwrap().replace(['.', '-'], "");
    let plain = digits(text);
    let own = plain.trim_matches('0');
    if own.is_empty() || (own.len() <= 15 && value.is_normal()) {
        return true;
    }
    if !value.is_finite() {
        return false;
    }
    let written = digits(&format!("{:.*e}", own.len() - 1, value.abs()));
    let all = digits(&format!("{:.1100e}", value.abs()));
    let (head, rest) = all.split_at(own.len());
    let between = rest.trim_end_matches('0') == "5";
    written == own || (between && own.len() <= 19 && (head == own || up(head) == own))
}

/// The next number of as many digits.
fn up(digits: &str) -> String {
    digits.parse::<u128>().map_or_else(|_| String::new(), |number| (number + 1).to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn holding_agrees_with_the_rule(text in prop_oneof![number_text(), "-?[1-9][0-9]{0,6}\\.[0-9]{8,18}", "[1-9][0-9]{14,15}\\.[0-9]{1,3}"]) {
        prop_assert_eq!(held(&text), by_the_rule(&text));
    }

    #[test]
    fn what_a_double_writes_it_holds(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        let (plain, short, long) = (format!("{value}"), format!("{value:e}"), format!("{value:.16e}"));
        prop_assert!(held(&plain) || value.abs() >= 9_007_199_254_740_992.0);
        prop_assert!(held(&short) && held(&long));
    }

    #[test]
    fn a_decimal_of_these_digits_holds_it_and_none_smaller(text in number_text()) {
        let (whole, fraction) = needs(&text);
        if let (Ok(precision), Ok(scale)) = (u8::try_from((whole + fraction).max(1)), u8::try_from(fraction))
            && precision <= 38
        {
            prop_assert!(parse_decimal(text.as_bytes(), precision, scale).is_ok());
            prop_assert!(scale == 0 || parse_decimal(text.as_bytes(), precision, scale - 1).is_err());
            prop_assert!(whole == 0 || precision == 1 || parse_decimal(text.as_bytes(), precision - 1, scale).is_err());
        }
    }
}
