//! Dates and timestamps: ISO 8601 text, and the proleptic Gregorian calendar behind it.
//!
//! For: dates as days and timestamps as milliseconds or microseconds since 1970-01-01, UTC. Not for: other
//! spellings (see [`super::format`]). The decision to know: only what is in the calendar is taken, years
//! 0001 to 9999; no leap second, no 24:00; what is below the unit is cut off, and a [`Moment`] says so.

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// 0001-01-01 in days since 1970-01-01.
pub const MIN_DAYS: i32 = -719_162;

/// 9999-12-31 in days since 1970-01-01.
pub const MAX_DAYS: i32 = 2_932_896;

/// Microseconds of a millisecond.
pub const MS_US: i64 = 1_000;

/// A moment as a text or number names it, in the years 0001 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970-01-01 UTC, the last ones before it.
    pub ms: i64,
    /// Microseconds above these, 0 to 999.
    pub us: u16,
    /// There was more, below a microsecond.
    pub finer: bool,
}

/// A second's fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fraction {
    pub ms: i64,
    pub us: u16,
    pub finer: bool,
}

impl Moment {
    /// In milliseconds, and whether something was cut off.
    #[inline]
    #[must_use]
    pub fn millis(self) -> (i64, bool) {
        (self.ms, self.us != 0 || self.finer)
    }

    /// In microseconds, and whether something was cut off.
    #[inline]
    #[must_use]
    pub fn micros(self) -> (i64, bool) {
        // Years have four digits: there is room.
        (self.ms * MS_US + i64::from(self.us), self.finer)
    }

    /// Of microseconds since 1970-01-01 UTC; none outside the years 0001 to 9999.
    pub(super) fn of_micros(us: i64, finer: bool) -> Option<Self> {
        let (ms, us) = (us.div_euclid(MS_US), us.rem_euclid(MS_US) as u16);
        is_moment(ms).then_some(Self { ms, us, finer })
    }
}

/// Days since 1970-01-01 of a date, which must be in the calendar (see [`valid_date`]).
///
/// The method is Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": years begin in
/// March, so that the leap day is a year's last.
#[must_use]
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month as i32 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of days since 1970-01-01.
#[must_use]
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

/// Whether the proleptic Gregorian calendar has this date, years 0001 to 9999.
#[must_use]
pub fn valid_date(year: i32, month: u32, day: u32) -> bool {
    (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month)
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whether a year has 366 days.
#[must_use]
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `YYYY-MM-DD` to days since 1970-01-01; none if it is anything else, a time of day included.
#[inline]
#[must_use]
pub fn parse_iso_date(text: &[u8]) -> Option<i32> {
    if text.len() == 10 { leading_date(text) } else { None }
}

/// ISO 8601 (extended) or RFC 3339 to milliseconds since 1970-01-01 UTC, what is below cut off; see
/// [`parse_iso_moment`].
#[must_use]
pub fn parse_iso_timestamp(text: &[u8], tz_offset_ms: i64) -> Option<i64> {
    parse_iso_moment(text, tz_offset_ms).map(|moment| moment.ms)
}

/// ISO 8601 (extended) or RFC 3339.
///
/// Date and time are joined by `T` or a space; seconds, their fraction and the zone may be missing;
/// a date alone is its midnight. A text without zone is taken as `tz_offset_ms` east of UTC.
#[inline]
#[must_use]
pub fn parse_iso_moment(text: &[u8], tz_offset_ms: i64) -> Option<Moment> {
    let days = leading_date(text)?;
    let Some((separator, time)) = text[10..].split_first() else {
        return moment(days, 0, Fraction::default(), tz_offset_ms);
    };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let [h1, h2, b':', m1, m2, rest @ ..] = time else { return None };
    let mut ms = clock_ms(two(*h1, *h2)?, two(*m1, *m2)?, 0)?;
    let mut rest = rest;
    let mut below = Fraction::default();
    if let [b':', s1, s2, after @ ..] = rest {
        let second = two(*s1, *s2).filter(|second| *second < 60)?;
        ms += i64::from(second) * 1000;
        rest = after;
        if let [b'.' | b',', after @ ..] = rest {
            let length;
            (below, length) = fraction(after)?;
            rest = &after[length..];
        }
    }
    let offset = if rest.is_empty() { tz_offset_ms } else { offset_ms(rest)? };
    moment(days, ms, below, offset)
}

/// The offset of a zone from UTC in milliseconds, east positive: `UTC`, `Z`, `+02:00`.
///
/// # Errors
/// A message for anything else. Zone names such as `Europe/Berlin` would need a table of their
/// rules, which changes several times a year: the same input would then not make the same bytes.
pub fn parse_timezone(text: &str) -> Result<i64, String> {
    if text.eq_ignore_ascii_case("utc") {
        return Ok(0);
    }
    offset_ms(text.as_bytes()).ok_or_else(|| {
        format!("timezone {text:?} is not an offset: write \"UTC\" or an offset such as \"+02:00\"; names of zones are not supported")
    })
}

/// `YYYY-MM-DD`.
#[must_use]
pub fn format_iso_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// As [`format_iso_timestamp`], of microseconds, which are written where they are not zero.
#[must_use]
pub fn format_iso_micros(us: i64) -> String {
    let text = format_iso_timestamp(us.div_euclid(MS_US));
    match us.rem_euclid(MS_US) {
        0 => text,
        below if us.div_euclid(MS_US) % 1000 == 0 => text.replace('Z', &format!(".000{below:03}Z")),
        below => text.replace('Z', &format!("{below:03}Z")),
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, with milliseconds only where they are not zero.
#[must_use]
pub fn format_iso_timestamp(ms: i64) -> String {
    // A day number always fits: 64 bits of milliseconds are 2^63 / 86.4e6 days, cut at the ends.
    let days = ms.div_euclid(DAY_MS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let time = ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60);
    let date = format_iso_date(days);
    match time % 1000 {
        0 => format!("{date}T{hour:02}:{minute:02}:{second:02}Z"),
        fraction => format!("{date}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"),
    }
}

/// The date that `text` begins with.
#[inline]
fn leading_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ..] = text else { return None };
    let year = (two(*y1, *y2)? * 100 + two(*y3, *y4)?) as i32;
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    valid_date(year, month, day).then(|| days_from_civil(year, month, day))
}

/// Milliseconds since midnight, if there is such a time of day.
pub(super) fn clock_ms(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then(|| i64::from(hour) * 3_600_000 + i64::from(minute) * 60_000 + i64::from(second) * 1000)
}

/// Local date and time to UTC, none outside the years 0001 to 9999.
#[inline]
pub(super) fn moment(days: i32, time_ms: i64, below: Fraction, offset_ms: i64) -> Option<Moment> {
    // Days of the calendar, a time of day, an offset of less than a day: there is room.
    let ms = i64::from(days) * DAY_MS + time_ms + below.ms - offset_ms;
    is_moment(ms).then_some(Moment { ms, us: below.us, finer: below.finer })
}

/// The day of a moment, none outside the years 0001 to 9999.
#[must_use]
pub fn day_of(ms: i64) -> Option<i32> {
    let days = i32::try_from(ms.div_euclid(DAY_MS)).ok()?;
    is_day(days).then_some(days)
}

/// Whether a date is within the years 0001 to 9999: what no column holds else, whatever made it.
#[must_use]
pub fn is_day(days: i32) -> bool {
    (MIN_DAYS..=MAX_DAYS).contains(&days)
}

/// Whether a moment is within the years 0001 to 9999.
#[must_use]
pub fn is_moment(ms: i64) -> bool {
    day_of(ms).is_some()
}

/// The digits of a second's fraction, and how many there are.
#[inline]
pub(super) fn fraction(text: &[u8]) -> Option<(Fraction, usize)> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digit = |place: usize| if place < length { i64::from(text[place] - b'0') } else { 0 };
    let three = |from: usize| digit(from) * 100 + digit(from + 1) * 10 + digit(from + 2);
    let mut below = Fraction { ms: three(0), ..Fraction::default() };
    if length > 3 {
        below.us = three(3) as u16;
        below.finer = text[..length].iter().skip(6).any(|digit| *digit != b'0');
    }
    (length > 0).then_some((below, length))
}

/// A whole text as offset: `Z`, `+02:00`, `+0200`, `+02`.
pub(super) fn offset_ms(text: &[u8]) -> Option<i64> {
    let (hours, minutes, sign) = match text {
        b"Z" | b"z" => return Some(0),
        [sign, h1, h2] => (two(*h1, *h2)?, 0, sign),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?, sign),
        _ => return None,
    };
    let magnitude = clock_ms(hours, minutes, 0)?;
    match sign {
        b'+' => Some(magnitude),
        b'-' => Some(-magnitude),
        _ => None,
    }
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}
