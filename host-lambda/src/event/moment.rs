//! Times of events, RFC 3339 → milliseconds.
//!
//! Not for the times in data: those are the transform's. The decision to know: what is no time is `None`
//! and never an error, since no object must be lost over the stamp of its event. The days-from-civil rule
//! is Howard Hinnant's.

/// Milliseconds since 1970-01-01 UTC of `2025-01-01T12:00:00.123Z` or with an offset; below a millisecond
/// is truncated.
pub(super) fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let separated = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")]
        .iter()
        .all(|(at, sign)| bytes.get(*at).is_some_and(|byte| sign.contains(byte)));
    if !text.is_ascii() || !separated || !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let [year, month, day] = [digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?];
    let [hour, minute, second] = [digits(&text[11..13])?, digits(&text[14..16])?, digits(text.get(17..19)?)?];
    let legal = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !legal {
        return None;
    }
    let (millis, zone) = fraction(&text[19..])?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    Some(seconds * 1000 + millis)
}

/// Milliseconds of a number of seconds, as the S3 API's times become inside a state machine.
pub(super) fn of_seconds(seconds: f64) -> Option<i64> {
    // Beyond the year 5138 it was no number of seconds.
    (0.0..1e11).contains(&seconds).then_some((seconds * 1000.0) as i64)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Milliseconds of `.123456` and what follows.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(rest) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let three: String = rest[..end].chars().chain("000".chars()).take(3).collect();
    (end > 0).then(|| Some((digits(&three)?, &rest[end..])))?
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(zone.get(1..3)?)?, digits(zone.get(4..)?)?);
    let legal = zone.len() == 6 && zone.as_bytes()[3] == b':' && hours < 24 && minutes < 60;
    legal.then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::time::rfc3339;

    #[test]
    fn times_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000Z", 0),
            ("2025-01-01T11:59:59.999Z", 1_735_732_799_999),
            ("2025-01-01T11:59:59.999999Z", 1_735_732_799_999),
            ("2025-01-01T11:59:59.9Z", 1_735_732_799_900),
            ("2000-02-29t00:00:00z", 951_782_400_000),
            ("2000-02-29 02:30:00+02:30", 951_782_400_000),
            ("2000-02-28T21:30:00-02:30", 951_782_400_000),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let cases = [
            "",
            "2025",
            "2025-01-01",
            "2025-01-01T00:00:00",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00+1:00",
            "2025-01-01T00:00:00+00:0é",
            "2025-01-01T00:00:00ZZ",
            "+025-01-01T00:00:00Z",
            "日本日本日本日本日本",
        ];
        for text in cases {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        // A prime step meets every month, leap days and all parts of a day.
        for at in (-62_135_596_800_000..253_402_300_799_999).step_by(7_919_777_777_777) {
            assert_eq!(parse(&rfc3339(at)), Some(at), "{}", rfc3339(at));
        }
    }
}
