//! Calendar, ISO 8601 and the formats of the spec.

use super::time::{
    DAY_MS, MAX_DAYS, MIN_DAYS, Moment, civil_from_days, days_from_civil, format_iso_date, format_iso_micros,
    format_iso_timestamp, is_day, is_moment, parse_iso_date, parse_iso_moment, parse_iso_timestamp,
    parse_timezone, valid_date,
};
use super::{Number, TimeFormat};
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn timestamp(text: &str) -> Option<i64> {
    parse_iso_timestamp(text.as_bytes(), 0)
}

fn by(format: &str, text: &str, tz_offset_ms: i64) -> Option<Moment> {
    TimeFormat::parse(format).unwrap().moment(text.as_bytes(), b'.', tz_offset_ms)
}

#[test]
fn the_calendar_counts_every_day_once() {
    assert_eq!(days_from_civil(1970, 1, 1), 0);
    assert_eq!((days_from_civil(1, 1, 1), days_from_civil(9999, 12, 31)), (MIN_DAYS, MAX_DAYS));
    let mut expected = MIN_DAYS;
    for year in 1..=9999 {
        for month in 1..=12 {
            for day in (1..=31).filter(|day| valid_date(year, month, *day)) {
                assert_eq!(days_from_civil(year, month, day), expected);
                assert_eq!(civil_from_days(expected), (year, month, day));
                expected += 1;
            }
        }
    }
    assert_eq!(expected, MAX_DAYS + 1);
}

#[test]
fn iso_dates_are_dates_of_the_calendar() {
    assert_eq!(parse_iso_date(b"2025-01-31"), Some(20_119));
    assert_eq!(parse_iso_date(b"2024-02-29"), Some(19_782));
    for text in [
        "2025-02-29",
        "1900-02-29",
        "2025-13-01",
        "2025-00-01",
        "2025-01-00",
        "2025-04-31",
        "0000-01-01",
        "2025-1-1",
        "20250101",
        "2025-01-01T00:00:00Z",
        "2025/01/01",
        " 2025-01-01",
        "2025-01-01 ",
        "",
    ] {
        assert_eq!(parse_iso_date(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn iso_timestamps_in_all_their_spellings() {
    let ten = 20_119 * DAY_MS + 10 * HOUR + 30 * 60_000;
    for (text, expected) in [
        ("2025-01-31T10:30:00Z", ten),
        ("2025-01-31t10:30:00z", ten),
        ("2025-01-31 10:30", ten),
        ("2025-01-31T10:30:00.1239", ten + 123),
        ("2025-01-31T10:30:00,5", ten + 500),
        ("2025-01-31T12:30:00+02:00", ten),
        ("2025-01-31T12:30:00+0200", ten),
        ("2025-01-31 05:30:00-05", ten),
        ("2025-01-31", 20_119 * DAY_MS),
    ] {
        assert_eq!(timestamp(text), Some(expected), "{text}");
    }
    for text in [
        "2025-01-31T24:00:00Z",
        "2025-01-31T10:60:00Z",
        "2025-01-31T10:30:60Z",
        "2025-01-31T10",
        "2025-01-31T",
        "2025-01-31T10:30:00.Z",
        "2025-01-31T10:30:00+2",
        "2025-01-31T10:30:00 UTC",
        "2025-01-31T10:30:00+24:00",
        "2025-02-30T10:30:00Z",
        "2025-01-31x10:30:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ] {
        assert_eq!(timestamp(text), None, "{text}");
    }
    assert_eq!(parse_iso_timestamp(b"2025-01-31T12:30:00", 2 * HOUR), Some(ten));
    assert_eq!(parse_iso_timestamp(b"2025-01-31T10:30:00Z", 2 * HOUR), Some(ten));
}

#[test]
fn timezones_are_offsets() {
    assert_eq!(parse_timezone("UTC"), Ok(0));
    assert_eq!(parse_timezone("Z"), Ok(0));
    assert_eq!(parse_timezone("+02:00"), Ok(2 * HOUR));
    assert_eq!(parse_timezone("-05:30"), Ok(-(5 * HOUR + HOUR / 2)));
    assert!(parse_timezone("Europe/Berlin").unwrap_err().contains("not supported"));
}

#[test]
fn formats_read_what_they_say() {
    let date = |format: &str, text: &str| TimeFormat::parse(format).unwrap().date(text.as_bytes(), b'.');
    let day = Some(20_119);
    for (format, text) in [
        ("%d-%m-%Y", "31-01-2025"),
        ("%d.%m.%y", "31.1.25"),
        ("%Y%m%d", "20250131"),
        ("%m/%e/%Y", "1/31/2025"),
        ("%e %b %Y", "31 Jan 2025"),
        ("%A, %B %d, %Y", "friday, JANUARY 31, 2025"),
        ("%a %F", "Fri 2025-01-31"),
        ("%Y-%j", "2025-031"),
        ("%Y年%m月%d日", "2025年1月31日"),
        ("%d%%%m%%%Y", "31%01%2025"),
        ("%F %T", "2025-01-31 23:59:59"),
        ("%s", "1738281600"),
    ] {
        assert_eq!(date(format, text), day, "{format} {text}");
    }
    assert_eq!(date("%e.%m.%Y", " 1.02.2025"), Some(20_120));
    assert_eq!(date("%d/%m/%y", "01/01/69"), Some(-365));
    for (format, text) in [
        ("%d-%m-%Y", "2025-01-31"),
        ("%d-%m-%Y", "31-02-2025"),
        ("%d-%m-%Y", "31-01-2025 "),
        ("%d-%m-%Y", "31-01-25"),
        ("%Y%m%d", "2025131"),
        ("%a %F", "Mon 2025-01-31"),
        ("%Y-%j", "2025-366"),
        ("%F %T", "2025-01-31 24:00:00"),
        ("%F", ""),
        ("%s", ""),
        ("%e %b %Y", "31 Foo 2025"),
    ] {
        assert_eq!(date(format, text), None, "{format} {text}");
    }
}

#[test]
fn formats_of_timestamps() {
    let at = |format: &str, text: &str| by(format, text, HOUR).map(|moment| moment.ms);
    let day = 20_119 * DAY_MS;
    for (format, text, expected) in [
        ("%d-%m-%Y", "31-01-2025", day - HOUR),
        ("%F %T", "2025-01-31 12:00:01", day + 11 * HOUR + 1000),
        ("%F %T%.f", "2025-01-31 12:00:01.5", day + 11 * HOUR + 1500),
        ("%F %T%.f", "2025-01-31 12:00:01", day + 11 * HOUR + 1000),
        ("%F %H:%M:%S.%f", "2025-01-31 12:00:01.123456", day + 11 * HOUR + 1123),
        ("%FT%T%z", "2025-01-31T12:00:00+0000", day + 12 * HOUR),
        ("%FT%T%:z", "2025-01-31T12:00:00+02:00", day + 10 * HOUR),
        ("%FT%T%z", "2025-01-31T12:00:00Z", day + 12 * HOUR),
        ("%m/%d/%Y %I:%M %p", "1/31/2025 12:05 am", day - HOUR + 5 * 60_000),
        ("%m/%d/%Y %I:%M %p", "01/31/2025 1:05 PM", day + 12 * HOUR + 5 * 60_000),
        ("%s", "1738281600", day),
        ("%s%.f", "1738281600.25", day + 250),
    ] {
        assert_eq!(at(format, text), Some(expected), "{format} {text}");
    }
    assert_eq!(at("%m/%d/%Y %I:%M %p", "01/31/2025 13:05 PM"), None);
}

#[test]
fn seconds_since_1970_end_with_the_year_9999_too() {
    let format = TimeFormat::parse("%s").unwrap();
    let (first, last) = ("-62135596800", "253402300799");
    assert_eq!(
        (format.date(first.as_bytes(), b'.'), format.date(last.as_bytes(), b'.')),
        (Some(MIN_DAYS), Some(MAX_DAYS))
    );
    for beyond in ["-62135596801", "253402300800", "999999999999", "-999999999999"] {
        let text = beyond.as_bytes();
        assert_eq!((format.date(text, b'.'), format.moment(text, b'.', 0)), (None, None), "{beyond}");
    }
}

/// Format, text, microseconds since 1970, whether there was more.
const FINE: [(&str, &str, i64, bool); 22] = [
    ("epoch_s", "1700000000", 1_700_000_000_000_000, false),
    ("epoch_s", "1700000000.123", 1_700_000_000_123_000, false),
    ("epoch_s", "1.7e9", 1_700_000_000_000_000, false),
    ("epoch_s", "-1", -1_000_000, false),
    ("epoch_s", "-0.5", -500_000, false),
    ("epoch_s", "-0.0000001", -1, true),
    ("epoch_s", "0.1234567", 123_456, true),
    ("epoch_s", "1e-50", 0, true),
    ("epoch_s", "0e50", 0, false),
    ("epoch_ms", "1700000000123", 1_700_000_000_123_000, false),
    ("epoch_ms", "-1000", -1_000_000, false),
    ("epoch_ms", "1700000000123.4567", 1_700_000_000_123_456, true),
    ("epoch_us", "1700000000123456", 1_700_000_000_123_456, false),
    ("epoch_ns", "1700000000123456789", 1_700_000_000_123_456, true),
    ("epoch_ns", "-1", -1, true),
    ("epoch_ns", "1700000000123456000.000000000000001", 1_700_000_000_123_456, true),
    ("%s%.f", "-1.5", -1_500_000, false),
    ("%s.%f", "-0.0000001", -1, true),
    ("%s.%f", "1.1234560", 1_123_456, false),
    ("%F %T%.f", "1970-01-01 00:00:00.123456", 123_456, false),
    ("%F %T%.f", "1970-01-01 00:00:00.1234560001", 123_456, true),
    ("%F %T%.f", "1969-12-31 23:59:59.9999999", -1, true),
];

#[test]
fn what_is_below_the_unit_is_cut_towards_the_past_and_told() {
    for (format, text, us, finer) in FINE {
        let moment = by(format, text, 0).unwrap_or_else(|| panic!("{format} {text}"));
        assert_eq!(moment.micros(), (us, finer), "{format} {text}");
        assert_eq!(moment.millis(), (us.div_euclid(1000), finer || us % 1000 != 0), "{format} {text}");
        let format = TimeFormat::parse(format).unwrap();
        if let Ok(number) = Number::scan(text.as_bytes()) {
            let own = format.takes_numbers().then(|| format.number(&number, text.as_bytes()));
            assert!(own.is_none_or(|own| own == Some(moment)), "{text}");
        }
    }
    let iso = |text: &str| parse_iso_moment(text.as_bytes(), 0).unwrap().micros();
    assert_eq!(iso("1970-01-01T00:00:00.000123Z"), (123, false));
    assert_eq!(iso("1970-01-01T00:00:00.0001230009+00:00"), (123, true));
    assert_eq!(iso("1970-01-01T00:00:00.1230000000"), (123_000, false));
}

#[test]
fn numbers_are_moments_of_the_years_1_to_9999() {
    for (format, first, last) in [
        ("epoch_s", "-62135596800", "253402300799.999999999"),
        ("epoch_ms", "-62135596800000", "253402300799999.999"),
        ("epoch_us", "-62135596800000000", "253402300799999999"),
        ("epoch_ns", "-62135596800000000000", "253402300799999999999"),
    ] {
        let date = |text: &str| TimeFormat::parse(format).unwrap().date(text.as_bytes(), b'.');
        assert_eq!((date(first), date(last)), (Some(MIN_DAYS), Some(MAX_DAYS)), "{format}");
        let before = format!("{first}.0000000001");
        let beyond = format!("{}1", last.replace('.', ""));
        for text in [before.as_str(), beyond.as_str(), "1e400", "-1e30", "2025-01-01", "", "007", "NaN"] {
            assert_eq!((by(format, text, 0), date(text)), (None, None), "{format} {text}");
        }
    }
    let comma = TimeFormat::parse("epoch_s").unwrap().moment(b"1,5", b',', 0);
    assert_eq!(comma.map(Moment::micros), Some((1_500_000, false)));
}

#[test]
fn what_was_meant_is_named() {
    for (format, near) in [
        ("%Y-%m-%D", "did you mean \"%m/%d/%y\"?"),
        ("%Y-%m-%-d", "\"%-d\", which is not supported: did you mean \"%d\"?"),
        ("%F %T.%3f", "did you mean \"%f\"?"),
        ("%F %T.%N", "did you mean \"%f\"?"),
        ("%F %T %Z", "did you mean \"%z\"?"),
        ("%F %t", "did you mean \"%T\"?"),
        ("%Y-%m-%", "did you mean \"%%\"?"),
        ("%Y-%m-%q", "there are %Y %y %m"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "did you mean \"%Y-%m-%d %H:%M:%S.%f\"?"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "did you mean \"%Y-%m-%dT%H:%M:%S%z\"?"),
        ("unix_ms", "epoch_s, epoch_ms, epoch_us, epoch_ns"),
        ("epoch", "epoch_s, epoch_ms, epoch_us, epoch_ns"),
    ] {
        let message = TimeFormat::parse(format).unwrap_err();
        assert!(message.contains(near), "{format}: {message}");
    }
}

#[test]
fn bad_formats_are_named() {
    for (format, part) in [
        ("%Y-%m-%q", "\"%q\""),
        ("%Y-%m-%", "\"%\""),
        ("%Y-%m", "full date"),
        ("%H:%M", "full date"),
        ("", "full date"),
        ("%d-%d-%Y %m", "twice"),
        ("%F %I:%M", "%I and %p"),
        ("%F %M", "without the larger"),
        ("%s %Y", "mixes"),
        ("%Y-%m-%é", "\"%é\""),
    ] {
        let message = TimeFormat::parse(format).unwrap_err();
        assert!(message.contains(part), "{format}: {message}");
    }
    assert!(TimeFormat::parse("%F %T").unwrap().has_time());
    assert!(!TimeFormat::parse("%F").unwrap().has_time());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dates_and_timestamps_survive_a_round_trip(days in MIN_DAYS..=MAX_DAYS, time in 0..DAY_MS) {
        prop_assert_eq!(parse_iso_date(format_iso_date(days).as_bytes()), Some(days));
        let ms = i64::from(days) * DAY_MS + time;
        prop_assert_eq!(timestamp(&format_iso_timestamp(ms)), Some(ms));
        let us = ms * 1000 + time % 1000;
        let read = parse_iso_moment(format_iso_micros(us).as_bytes(), 0).map(Moment::micros);
        prop_assert_eq!(read, Some((us, false)));
    }

    #[test]
    fn epochs_are_cut_as_whole_numbers_are(nanos in -62_135_596_800_000_000_000_i128..253_402_300_800_000_000_000) {
        for (format, places) in [("epoch_s", 9_usize), ("epoch_ms", 6), ("epoch_us", 3), ("epoch_ns", 0)] {
            let unit = 10_u128.pow(places as u32);
            let (sign, all) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
            let text = match places {
                0 => format!("{sign}{all}"),
                _ => format!("{sign}{}.{:0places$}", all / unit, all % unit),
            };
            let expected = (nanos.div_euclid(1000) as i64, nanos % 1000 != 0);
            prop_assert_eq!(by(format, &text, 0).map(Moment::micros), Some(expected), "{}", text);
        }
    }

    #[test]
    fn nothing_panics(format in "(%[YymdeHIMSfpbBaAjzTFs]|[-: .])*", text in "\\PC{0,20}", ms in any::<i64>(), days in any::<i32>()) {
        if let Ok(format) = TimeFormat::parse(&format) {
            let _ = (format.date(text.as_bytes(), b'.'), format.moment(text.as_bytes(), b',', 0));
        }
        if let Ok(format) = TimeFormat::parse("%s%.f") {
            let text = format!("{}", ms >> (days & 63));
            prop_assert!(format.date(text.as_bytes(), b'.').is_none_or(is_day));
            prop_assert!(format.moment(text.as_bytes(), b'.', 0).is_none_or(|moment| is_moment(moment.ms)));
        }
        let _ = (timestamp(&text), parse_timezone(&text), format_iso_timestamp(ms), format_iso_date(days));
    }
}
