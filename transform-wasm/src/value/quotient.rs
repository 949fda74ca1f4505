//! Doubles of more digits than one holds: a quotient of whole numbers, to the last bit.
//!
//! For: what programs print of doubles that were computed: 16 or 17 digits and a point. The decision
//! to know: the quotient is made of two doubles (T. J. Dekker, "A floating-point technique for extending the available
//! precision", 1971), and where even these leave doubt how it is rounded, there is no answer.

/// `dividend / divisor`, rounded to the nearest double; `divisor` is a whole number below 2^75. None where that is in
/// doubt: close to halfway between two doubles, at powers of two, and beyond 63 bits.
pub(super) fn quotient(dividend: u64, divisor: f64) -> Option<f64> {
    let dividend = i64::try_from(dividend).ok()?;
    let high = dividend as f64;
    // Exact: below half a unit of `high`; 2^63 is the only `high` that is no i64, and then the difference wraps rightly.
    let low = dividend.wrapping_sub(high as u64 as i64) as f64;
    let first = high / divisor;
    let (product, error) = product(first, divisor);
    let rest = (high - product) - error;
    let second = (rest + low) / divisor;
    let sum = first + second;
    let left = (first - sum) + second;
    // Half the distance to the next double, and a little less for what `second` may be off by.
    let half = f64::from_bits(sum.to_bits() & EXPONENT) * (0.5 * f64::EPSILON);
    let is_power_of_two = sum.to_bits() & !EXPONENT == 0;
    (left.abs() < half * (1.0 - SURE) && !is_power_of_two).then_some(sum)
}

/// The bits of a double's exponent.
const EXPONENT: u64 = 0x7ff << 52;

/// Far more than the error of `second`, which is some 2^-50 of itself.
const SURE: f64 = 1.0 / (1_u64 << 40) as f64;

/// A product and what it was rounded by, exactly.
fn product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a, a_low), (b, b_low)) = (halves(a), halves(b));
    (product, ((a * b - product) + a * b_low + a_low * b) + a_low * b_low)
}

/// A double as the sum of two of 26 bits (G. W. Veltkamp, 1968).
fn halves(of: f64) -> (f64, f64) {
    let spread = of * ((1_u32 << 27) + 1) as f64;
    let high = spread - (spread - of);
    (high, of - high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::quotient;

    /// The same, read from a text.
    fn read(dividend: u64, digits: i32) -> f64 {
        format!("{dividend}e-{digits}").parse().unwrap()
    }

    #[test]
    fn what_is_printed_of_doubles_is_read_without_doubt() {
        let mut doubtful = 0;
        for number in 1..200_000_u64 {
            let double = number as f64 * 0.0137 + number as f64 / 7.0;
            let text = format!("{double:?}");
            let (whole, fraction) = text.split_once('.').unwrap();
            let dividend = format!("{whole}{fraction}").parse().unwrap();
            match quotient(dividend, 10_f64.powi(fraction.len() as i32)) {
                Some(value) => assert_eq!(value.to_bits(), double.to_bits(), "{text}"),
                None => doubtful += 1,
            }
        }
        assert!(doubtful < 200, "{doubtful}");
    }

    #[test]
    fn what_is_halfway_between_two_doubles_is_left_to_others() {
        // 2^53 + 1 halves and more, by ten, a hundred, a thousand.
        for odd in (1..20_000_u64).step_by(2) {
            for digits in 1..=3 {
                let ten = 10_u64.pow(digits);
                if let Some(dividend) = ((1_u64 << 53) + odd).checked_mul(ten) {
                    assert_eq!(quotient(dividend, ten as f64), None, "{dividend} / {ten}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_quotient_is_the_number_that_its_text_is(dividend in (1_u64 << 53)..u64::MAX, digits in 1..=22) {
            if let Some(value) = quotient(dividend, 10_f64.powi(digits)) {
                prop_assert_eq!(value.to_bits(), read(dividend, digits).to_bits());
            }
        }

        #[test]
        fn nor_is_one_wrong_beside_a_tie(odd in 0_u64..1 << 10, digits in 1..=3_u32, beside in -3_i64..=3) {
            let ten = 10_u64.pow(digits);
            let tie = ((1_u64 << 53) + 2 * odd + 1) * ten;
            let dividend = tie.saturating_add_signed(beside);
            if let Some(value) = quotient(dividend, ten as f64) {
                prop_assert_eq!(value.to_bits(), read(dividend, digits as i32).to_bits());
            }
        }
    }
}
