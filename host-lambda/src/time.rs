//! Times as text, in UTC.
//!
//! Not a calendar library: two formats out, and the first of them in. The civil-from-days rule is Howard Hinnant's.

/// `2025-01-01T12:00:00.000Z` from milliseconds since 1970-01-01 UTC.
pub(crate) fn rfc3339(ms: i64) -> String {
    let ([y, mo, d], [h, mi, s]) = civil(ms);
    format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:03}Z", ms.rem_euclid(1000))
}

/// What [`rfc3339`] wrote.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some((days * 86_400 + seconds) * 1000 + number(20, 23)?)
}

/// `20250101T120000Z`, for names.
pub(crate) fn compact(ms: i64) -> String {
    let ([y, mo, d], [h, mi, s]) = civil(ms);
    format!("{y:04}{mo:02}{d:02}T{h:02}{mi:02}{s:02}Z")
}

fn civil(ms: i64) -> ([i64; 3], [i64; 3]) {
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    ([year, month, day], [second / 3600, second / 60 % 60, second % 60])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_735_732_799_999), "2025-01-01T11:59:59.999Z");
        assert_eq!(compact(951_782_400_000), "20000229T000000Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        for ms in [0, -1, 1_735_732_799_999, 951_782_400_123, 1_709_164_800_000, 4_102_444_799_999] {
            assert_eq!(parse(&rfc3339(ms)), Some(ms));
        }
        assert_eq!(parse("").or(parse("2025-01-01")), None);
    }
}
