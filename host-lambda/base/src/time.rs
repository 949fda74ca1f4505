//! Times as text, in UTC: what records and names hold, and what events say.
//!
//! Not for the times in data: those are the transform's. The calendar is chrono's, which Arrow links already.

use chrono::{DateTime, SecondsFormat, Utc};

/// `2025-01-01T12:00:00.000Z` from milliseconds since 1970-01-01 UTC.
pub fn rfc3339(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `20250101T120000Z`, for names.
pub fn compact(ms: i64) -> String {
    moment(ms).format("%Y%m%dT%H%M%SZ").to_string()
}

/// `2025-01-01`, the UTC day.
pub fn day(ms: i64) -> String {
    moment(ms).format("%Y-%m-%d").to_string()
}

/// Milliseconds since 1970-01-01 UTC of an RFC 3339 time (RFC 3339 section 5.6, a blank for the `T` allowed); below
/// a millisecond is truncated. What is no time is `None` and never an error, since no object must be lost over the
/// stamp of its event.
pub fn parse(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// Milliseconds of a number of seconds, as the S3 API's times become inside a state machine.
pub fn of_seconds(seconds: f64) -> Option<i64> {
    // Beyond the year 5138 it was no number of seconds.
    (0.0..1e11).contains(&seconds).then_some((seconds * 1000.0) as i64)
}

/// Beyond the calendar's quarter of a million years there is no file to name.
fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_735_732_799_999), "2025-01-01T11:59:59.999Z");
        assert_eq!(compact(951_782_400_000), "20000229T000000Z");
        assert_eq!(day(951_782_399_999), "2000-02-28");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00.000Z");
    }

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
