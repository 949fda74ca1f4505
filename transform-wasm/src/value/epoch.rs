//! Moments as numbers: days, seconds, milliseconds, microseconds or nanoseconds since 1970-01-01 UTC.
//!
//! For: `format = "epoch_ms"` and its like. The decision to know: nothing passes through a float, and what is
//! below a microsecond is cut towards the past, so that before 1970 too a moment is never later than it was.

use super::Number;
use super::number::POW10_WIDE;
use super::time::Moment;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// Days.
    Days,
    /// Seconds.
    Seconds,
    /// Thousandths of them.
    Millis,
    /// Millionths.
    Micros,
    /// Billionths.
    Nanos,
}

impl Epoch {
    /// All of them, as a spec writes them.
    pub const NAMES: [(&str, Self); 5] = [
        ("epoch_d", Self::Days),
        ("epoch_s", Self::Seconds),
        ("epoch_ms", Self::Millis),
        ("epoch_us", Self::Micros),
        ("epoch_ns", Self::Nanos),
    ];

    /// By the name that a spec writes.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, epoch)| *epoch)
    }

    /// The moment that a number names, which may have a fraction; `text` is what it was scanned from. None
    /// outside the years 0001 to 9999.
    #[must_use]
    pub fn moment(self, number: &Number, text: &[u8]) -> Option<Moment> {
        let (mantissa, exponent) = match number.exact {
            true => (u128::from(number.mantissa), i64::from(number.exponent)),
            false => {
                let (mantissa, exponent) = number.wide(text);
                (mantissa?, exponent)
            }
        };
        let (factor, places) = self.micros();
        let mantissa = mantissa.checked_mul(factor)?;
        let shift = exponent + places;
        let power = |places: i64| usize::try_from(places).ok().and_then(|places| POW10_WIDE.get(places));
        let (magnitude, rest) = match (mantissa, power(shift), power(-shift)) {
            (0, ..) => (0, 0),
            (_, Some(up), _) => (mantissa.checked_mul(*up)?, 0),
            (_, None, Some(down)) => (mantissa / down, mantissa % down),
            _ if shift > 0 => return None,
            // All of it is below: no mantissa has more than 38 digits.
            _ => (0, 1),
        };
        let magnitude = i64::try_from(magnitude).ok()?;
        let finer = rest != 0;
        Moment::of_micros(if number.negative { -magnitude - i64::from(finer) } else { magnitude }, finer)
    }

    /// Microseconds in one: a factor, and a power of ten.
    fn micros(self) -> (u128, i64) {
        match self {
            Self::Days => (864, 8),
            Self::Seconds => (1, 6),
            Self::Millis => (1, 3),
            Self::Micros => (1, 0),
            Self::Nanos => (1, -3),
        }
    }
}
