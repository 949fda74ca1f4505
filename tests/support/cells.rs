//! Cells as text: the one way values are written in expected files, by the reference and from Parquet.
//!
//! For: comparing rows as text. Not for: users. The decision to know: text is a JSON string, numbers
//! and times stand bare, so that the string `"3"` and the bigint `3` never look alike.

/// A string cell: a JSON string.
#[must_use]
pub fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A double cell: the shortest text that reads back to the same double, always with a point or exponent.
#[must_use]
pub fn double(value: f64) -> String {
    format!("{value:?}")
}

/// A decimal cell with all its digits after the point.
#[must_use]
pub fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A date cell from days since 1970-01-01.
#[must_use]
pub fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A timestamp cell from milliseconds since 1970-01-01 UTC.
#[must_use]
pub fn timestamp(millis: i64) -> String {
    let (day, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", date(day))
}

/// A timestamp(6) cell from microseconds since 1970-01-01 UTC.
#[must_use]
pub fn timestamp_micros(micros: i64) -> String {
    let millis = timestamp(micros.div_euclid(1000));
    format!("{}{:03}Z", millis.trim_end_matches('Z'), micros.rem_euclid(1000))
}

/// Year, month and day of a day count (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
