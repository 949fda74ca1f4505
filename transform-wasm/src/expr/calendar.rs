//! Parts of dates and timestamps, cutting them to a unit, reading them from text.
//!
//! All in UTC. Weeks begin on Monday, as in ISO 8601. Not for: formats and the calendar itself, see
//! `value::time`. The decision to know: one function cuts, in milliseconds, for both types.

use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType};

use super::error::{RowError, RowErrors};
use super::tree::Unit;
use super::vector::{Shape, Value};
use crate::column::ColumnType;
use crate::value::TimeFormat;
use crate::value::time::{self, DAY_MS, MS_US, civil_from_days, days_from_civil};

/// Milliseconds since 1970 of each row: no unit is smaller than a second.
fn moments(ty: ColumnType, value: &Value) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    if ty == ColumnType::Date {
        let days = value.numbers::<Date32Type>();
        return Box::new(move |row| days.get(row).map(|day| i64::from(day) * DAY_MS));
    }
    if ty == ColumnType::TimestampMicros {
        let moments = value.numbers::<TimestampMicrosecondType>();
        return Box::new(move |row| moments.get(row).map(|moment| moment.div_euclid(MS_US)));
    }
    let moments = value.numbers::<TimestampMillisecondType>();
    Box::new(move |row| moments.get(row))
}

/// The day of a moment; any timestamp that `value::time` makes has one.
fn day_of(moment: i64) -> i32 {
    i32::try_from(moment.div_euclid(DAY_MS)).unwrap_or(0)
}

/// year, quarter, month, week (of ISO 8601), day, hour, minute, second.
pub(super) fn part(shape: Shape, unit: Unit, from: ColumnType, value: &Value) -> Value {
    let moments = moments(from, value);
    shape.numbers::<Int64Type>(ColumnType::Bigint, &mut RowErrors::new(), |row| {
        Ok(moments(row).map(|moment| part_of(moment, unit)))
    })
}

fn part_of(moment: i64, unit: Unit) -> i64 {
    let in_day = moment.rem_euclid(DAY_MS);
    let (year, month, day) = civil_from_days(day_of(moment));
    match unit {
        Unit::Second => in_day / 1_000 % 60,
        Unit::Minute => in_day / 60_000 % 60,
        Unit::Hour => in_day / 3_600_000,
        Unit::Day => day.into(),
        Unit::Week => week(day_of(moment)),
        Unit::Month => month.into(),
        Unit::Quarter => i64::from(month - 1) / 3 + 1,
        Unit::Year => year.into(),
    }
}

/// The week of ISO 8601: the one with the year's first Thursday is number 1.
fn week(day: i32) -> i64 {
    let thursday = monday(day) + 3;
    let (year, ..) = civil_from_days(thursday);
    i64::from((thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// The Monday of the day's week; 1970-01-01 was a Thursday.
fn monday(day: i32) -> i32 {
    day - (day + 3).rem_euclid(7)
}

pub(super) fn truncate(shape: Shape, unit: Unit, ty: ColumnType, value: &Value) -> Value {
    let moments = moments(ty, value);
    let errors = &mut RowErrors::new();
    if ty == ColumnType::Date {
        return shape.numbers::<Date32Type>(ty, errors, |row| Ok(moments(row).map(|m| day_of(cut(m, unit)))));
    }
    if ty == ColumnType::TimestampMicros {
        return shape.numbers::<TimestampMicrosecondType>(ty, errors, |row| {
            Ok(moments(row).map(|moment| cut(moment, unit) * MS_US))
        });
    }
    shape.numbers::<TimestampMillisecondType>(ty, errors, |row| {
        Ok(moments(row).map(|moment| cut(moment, unit)))
    })
}

fn cut(moment: i64, unit: Unit) -> i64 {
    let (year, month, _) = civil_from_days(day_of(moment));
    let day = match unit {
        Unit::Second => return moment - moment.rem_euclid(1_000),
        Unit::Minute => return moment - moment.rem_euclid(60_000),
        Unit::Hour => return moment - moment.rem_euclid(3_600_000),
        Unit::Day => day_of(moment),
        Unit::Week => monday(day_of(moment)),
        Unit::Month => days_from_civil(year, month, 1),
        Unit::Quarter => days_from_civil(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => days_from_civil(year, 1, 1),
    };
    i64::from(day) * DAY_MS
}

/// to_date and to_timestamp; without a format, ISO 8601.
pub(super) fn parse(
    shape: Shape,
    format: Option<&TimeFormat>,
    ty: ColumnType,
    value: &Value,
    tz_offset_ms: i64,
    errors: &mut RowErrors,
) -> Value {
    const NO_DATE: RowError = RowError::unread("to_date: the text is not a date in the format given");
    const NO_TIME: RowError =
        RowError::unread("to_timestamp: the text is not a timestamp in the format given");
    let texts = value.texts();
    if ty == ColumnType::Date {
        return shape.numbers::<Date32Type>(ty, errors, |row| {
            let Some(text) = texts.get(row).map(str::as_bytes) else { return Ok(None) };
            let date = format.map_or_else(|| time::parse_iso_date(text), |format| format.date(text, b'.'));
            date.map(Some).ok_or(NO_DATE)
        });
    }
    shape.numbers::<TimestampMillisecondType>(ty, errors, |row| {
        let Some(text) = texts.get(row).map(str::as_bytes) else { return Ok(None) };
        let moment = match format {
            Some(format) => format.moment(text, b'.', tz_offset_ms).map(|moment| moment.ms),
            None => time::parse_iso_timestamp(text, tz_offset_ms),
        };
        moment.map(Some).ok_or(NO_TIME)
    })
}
