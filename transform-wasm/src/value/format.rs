//! Dates and timestamps in a spelling that the spec gives: a subset of strftime, or what a number counts.
//!
//! For: `format = "%d-%m-%Y"` or `"epoch_ms"` on a column, and `to_date(text, format)` in SQL. Not for: printing,
//! and not for guessing. The decision to know: a format is checked as a whole when it is read (it
//! names a full date, nothing twice, no hour without AM/PM), so that only the text can be wrong later.

use super::directive::{misread, unknown};
use super::time::{
    self, Fraction, MS_US, Moment, clock_ms, day_of, days_from_civil, fraction, is_leap_year, offset_ms,
    valid_date,
};
use super::{Epoch, Number};

/// A parsed format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// What a text says: it matches from end to end; days, months and hours may have one digit where no
    /// other number follows directly; names are English, in any case, short or long.
    Text(TextFormat),
    /// What a number counts.
    Number(Epoch),
}

/// The items of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFormat {
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Literal(u8),
    /// A number of at most `width` digits; exactly that many if `full`.
    Number {
        field: Field,
        width: usize,
        full: bool,
    },
    /// `%e`: a day that may be padded with a space.
    SpacedDay,
    MonthName,
    WeekdayName,
    AmPm,
    /// `%f`: digits after a point that the format spells out.
    Fraction,
    /// `%.f`: a point and digits, or nothing.
    PointFraction,
    Zone,
    EpochSeconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    ShortYear,
    Month,
    Day,
    YearDay,
    Hour,
    Hour12,
    Minute,
    Second,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What a text said, before it is known to be in the calendar.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: i32,
    month: u32,
    day: u32,
    year_day: Option<u32>,
    weekday: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    fraction: Fraction,
    offset: Option<i64>,
    epoch: Option<i64>,
    /// The epoch has a minus sign: `-0.5` is before 1970 too.
    negative: bool,
}

impl TimeFormat {
    /// Reads a format: `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or the directives
    /// `%Y %y %m %d %e %H %I %M %S %f %.f %p %b %B %a %A %j %z %:z %T %F %s %%`.
    ///
    /// `%y` is 1969 to 2068, as POSIX has it. `%f` is a fraction of any length.
    ///
    /// # Errors
    /// A message naming what is unknown, missing or doubled.
    pub fn parse(format: &str) -> Result<Self, String> {
        if let Some(epoch) = Epoch::named(format) {
            return Ok(Self::Number(epoch));
        }
        let mut items = Vec::new();
        let mut rest = format;
        while let Some(first) = rest.bytes().next() {
            if first != b'%' {
                items.push(Item::Literal(first));
                // By bytes: whatever the literal's UTF-8 is, the text must have the same.
                let length = rest.chars().next().map_or(1, char::len_utf8);
                items.extend(rest.bytes().take(length).skip(1).map(Item::Literal));
                rest = &rest[length..];
                continue;
            }
            let length = 1 + usize::from(rest.starts_with("%.") || rest.starts_with("%:"));
            let length = length + rest[length..].chars().next().map_or(0, char::len_utf8);
            let (directive, after) = rest.split_at(length);
            directive_items(directive, &mut items).ok_or_else(|| unknown(format, rest))?;
            rest = after;
        }
        require_digits_between_numbers(&mut items);
        check(&items).map_err(|what| format!("format {format:?} {what}{}", misread(format)))?;
        Ok(Self::Text(TextFormat { items }))
    }

    /// Whether the format has a time of day (or seconds since 1970).
    #[must_use]
    pub fn has_time(&self) -> bool {
        let is_time = |item: &Item| {
            matches!(item, Item::EpochSeconds) || has(*item, Field::Hour) || has(*item, Field::Hour12)
        };
        match self {
            Self::Text(format) => format.items.iter().any(is_time),
            Self::Number(_) => true,
        }
    }

    /// The date a text names, in days since 1970-01-01; a time of day in the format is read and
    /// dropped.
    #[must_use]
    pub fn date(&self, text: &[u8], decimal: u8) -> Option<i32> {
        let Self::Text(format) = self else { return day_of(self.moment(text, decimal, 0)?.ms) };
        let parts = format.parts(text)?;
        match parts.epoch {
            Some(_) => day_of(parts.epoch_moment()?.ms),
            None => parts.time_ms().and_then(|_| parts.days()),
        }
    }

    /// The moment a text names; without a zone in the format it is taken as `tz_offset_ms` east of UTC,
    /// without a time of day as midnight. `decimal` is the point of a text that is a number.
    #[must_use]
    pub fn moment(&self, text: &[u8], decimal: u8, tz_offset_ms: i64) -> Option<Moment> {
        let format = match self {
            Self::Text(format) => format,
            Self::Number(epoch) => return epoch.moment(&Number::field(text, decimal).ok()?, text),
        };
        let parts = format.parts(text)?;
        if parts.epoch.is_some() {
            return parts.epoch_moment();
        }
        let offset = parts.offset.unwrap_or(tz_offset_ms);
        time::moment(parts.days()?, parts.time_ms()?, parts.fraction, offset)
    }

    /// Whether a JSON number can name a moment.
    #[must_use]
    pub fn takes_numbers(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Text(format) => format.items.contains(&Item::EpochSeconds),
        }
    }

    /// The moment that a JSON number names, `text` its text.
    #[must_use]
    pub fn number(&self, number: &Number, text: &[u8]) -> Option<Moment> {
        match self {
            Self::Number(epoch) => epoch.moment(number, text),
            Self::Text(_) => self.moment(text, b'.', 0),
        }
    }
}

impl TextFormat {
    fn parts(&self, text: &[u8]) -> Option<Parts> {
        let mut parts = Parts::default();
        let mut rest = text;
        for item in &self.items {
            rest = parts.take(*item, rest)?;
        }
        rest.is_empty().then_some(parts)
    }
}

impl Parts {
    /// Reads one item from the front of `text` and returns what is left.
    fn take<'a>(&mut self, item: Item, text: &'a [u8]) -> Option<&'a [u8]> {
        match item {
            Item::Literal(byte) => text.strip_prefix(&[byte]),
            Item::Number { field, width, full } => {
                let (value, length) = number(text, width)?;
                if full && length < width {
                    return None;
                }
                self.set(field, value);
                Some(&text[length..])
            }
            Item::SpacedDay => {
                let text = text.strip_prefix(b" ").unwrap_or(text);
                self.take(Item::Number { field: Field::Day, width: 2, full: false }, text)
            }
            Item::MonthName => {
                let (index, rest) = name(text, &MONTHS)?;
                self.month = index + 1;
                Some(rest)
            }
            Item::WeekdayName => {
                let (index, rest) = name(text, &WEEKDAYS)?;
                self.weekday = Some(index);
                Some(rest)
            }
            Item::AmPm => {
                let (word, rest) = text.split_at_checked(2)?;
                self.afternoon = Some(word.eq_ignore_ascii_case(b"pm"));
                (word.eq_ignore_ascii_case(b"am") || word.eq_ignore_ascii_case(b"pm")).then_some(rest)
            }
            Item::PointFraction if text.first() != Some(&b'.') => Some(text),
            Item::PointFraction => self.take(Item::Fraction, &text[1..]),
            Item::Fraction => {
                let length;
                (self.fraction, length) = fraction(text)?;
                Some(&text[length..])
            }
            Item::Zone => {
                let (offset, rest) = zone(text)?;
                self.offset = Some(offset);
                Some(rest)
            }
            Item::EpochSeconds => {
                let negative = text.first() == Some(&b'-');
                let digits = &text[usize::from(negative)..];
                // 12 digits reach beyond the year 9999.
                let (value, length) = number(digits, 12)?;
                (self.epoch, self.negative) = (Some(value), negative);
                Some(&digits[length..])
            }
        }
    }

    fn set(&mut self, field: Field, value: i64) {
        // At most four digits: see `directive_items`.
        let small = value as u32;
        match field {
            Field::Year => self.year = small as i32,
            Field::ShortYear => self.year = if small < 69 { 2000 } else { 1900 } + small as i32,
            Field::Month => self.month = small,
            Field::Day => self.day = small,
            Field::YearDay => self.year_day = Some(small),
            Field::Hour | Field::Hour12 => self.hour = small,
            Field::Minute => self.minute = small,
            Field::Second => self.second = small,
        }
    }

    fn time_ms(&self) -> Option<i64> {
        let hour = match self.afternoon {
            Some(afternoon) if (1..=12).contains(&self.hour) => self.hour % 12 + u32::from(afternoon) * 12,
            Some(_) => return None,
            None => self.hour,
        };
        clock_ms(hour, self.minute, self.second)
    }

    /// Towards the past from 1970 with a minus sign, fraction and all.
    fn epoch_moment(&self) -> Option<Moment> {
        let Fraction { ms, us, finer } = self.fraction;
        let magnitude = self.epoch?.checked_mul(1_000 * MS_US)?.checked_add(ms * MS_US + i64::from(us))?;
        Moment::of_micros(if self.negative { -magnitude - i64::from(finer) } else { magnitude }, finer)
    }

    fn days(&self) -> Option<i32> {
        let days = match self.year_day {
            Some(day) => {
                let length = if is_leap_year(self.year) { 366 } else { 365 };
                let valid = valid_date(self.year, 1, 1) && (1..=length).contains(&day);
                valid.then(|| days_from_civil(self.year, 1, 1) + day as i32 - 1)?
            }
            None => valid_date(self.year, self.month, self.day)
                .then(|| days_from_civil(self.year, self.month, self.day))?,
        };
        // 1970-01-01 was a Thursday: 3, counted from Monday.
        let weekday = (days + 3).rem_euclid(7) as u32;
        self.weekday.is_none_or(|named| named == weekday).then_some(days)
    }
}

fn directive_items(directive: &str, items: &mut Vec<Item>) -> Option<()> {
    let number = |field, width| Item::Number { field, width, full: width > 2 || field == Field::ShortYear };
    match directive {
        "%Y" => items.push(number(Field::Year, 4)),
        "%y" => items.push(number(Field::ShortYear, 2)),
        "%m" => items.push(number(Field::Month, 2)),
        "%d" => items.push(number(Field::Day, 2)),
        "%e" => items.push(Item::SpacedDay),
        "%j" => items.push(number(Field::YearDay, 3)),
        "%H" => items.push(number(Field::Hour, 2)),
        "%I" => items.push(number(Field::Hour12, 2)),
        "%M" => items.push(number(Field::Minute, 2)),
        "%S" => items.push(number(Field::Second, 2)),
        "%f" => items.push(Item::Fraction),
        "%.f" => items.push(Item::PointFraction),
        "%p" => items.push(Item::AmPm),
        "%b" | "%B" => items.push(Item::MonthName),
        "%a" | "%A" => items.push(Item::WeekdayName),
        "%z" | "%:z" => items.push(Item::Zone),
        "%s" => items.push(Item::EpochSeconds),
        "%%" => items.push(Item::Literal(b'%')),
        "%F" => {
            for part in ["%Y", "-", "%m", "-", "%d"] {
                composite(part, items)?;
            }
        }
        "%T" => {
            for part in ["%H", ":", "%M", ":", "%S"] {
                composite(part, items)?;
            }
        }
        _ => return None,
    }
    Some(())
}

fn composite(part: &str, items: &mut Vec<Item>) -> Option<()> {
    match part.as_bytes() {
        [byte] => items.push(Item::Literal(*byte)),
        _ => directive_items(part, items)?,
    }
    Some(())
}

/// `%Y%m%d` has nothing to tell one number from the next but their length.
fn require_digits_between_numbers(items: &mut [Item]) {
    for index in 1..items.len() {
        let follows = match items[index] {
            Item::Literal(byte) => byte.is_ascii_digit(),
            Item::Number { .. } | Item::SpacedDay | Item::Fraction | Item::EpochSeconds => true,
            _ => false,
        };
        if let Item::Number { full, .. } = &mut items[index - 1] {
            *full |= follows;
        }
    }
}

fn check(items: &[Item]) -> Result<(), &'static str> {
    let count = |test: &dyn Fn(Item) -> bool| items.iter().filter(|item| test(**item)).count();
    let year = count(&|item| has(item, Field::Year) || has(item, Field::ShortYear));
    let month = count(&|item| has(item, Field::Month) || item == Item::MonthName);
    let day = count(&|item| has(item, Field::Day) || item == Item::SpacedDay);
    let year_day = count(&|item| has(item, Field::YearDay));
    let epoch = count(&|item| item == Item::EpochSeconds);
    let hour = count(&|item| has(item, Field::Hour));
    let hour12 = count(&|item| has(item, Field::Hour12));
    let am_pm = count(&|item| item == Item::AmPm);
    let minute = count(&|item| has(item, Field::Minute));
    let second = count(&|item| has(item, Field::Second));
    let fraction = count(&|item| matches!(item, Item::Fraction | Item::PointFraction));
    let zone = count(&|item| item == Item::Zone);
    let all = [year, month, day, year_day, epoch, hour + hour12, am_pm, minute, second, fraction, zone];
    if all.iter().any(|times| *times > 1) {
        return Err("names the same part twice");
    }
    if epoch == 1 {
        let others = all.iter().sum::<usize>() - epoch - fraction;
        return if others == 0 { Ok(()) } else { Err("mixes %s with other parts") };
    }
    if !(year == 1 && ((month == 1 && day == 1) || (year_day == 1 && month + day == 0))) {
        return Err("does not name one full date (year, month and day, or year and %j)");
    }
    if hour12 != am_pm {
        return Err("has only one of %I and %p; they belong together");
    }
    if (minute > hour + hour12) || second > minute || fraction > second {
        return Err("names a smaller part of the time without the larger one");
    }
    Ok(())
}

fn has(item: Item, wanted: Field) -> bool {
    matches!(item, Item::Number { field, .. } if field == wanted)
}

/// Up to `width` digits at the front.
fn number(text: &[u8], width: usize) -> Option<(i64, usize)> {
    let length = text.iter().take(width).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..length].iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    (length > 0).then_some((value, length))
}

/// A name at the front, long or its first three letters; its index and what is left.
fn name<'a>(text: &'a [u8], names: &[&str]) -> Option<(u32, &'a [u8])> {
    names.iter().zip(0_u32..).find_map(|(name, index)| {
        let name = name.as_bytes();
        let starts = |length| text.get(..length).is_some_and(|own| own.eq_ignore_ascii_case(&name[..length]));
        let length = if starts(name.len()) { name.len() } else { 3 };
        starts(length).then(|| (index, &text[length..]))
    })
}

/// An offset at the front: the longest that reads as one.
fn zone(text: &[u8]) -> Option<(i64, &[u8])> {
    [6, 5, 3, 1].into_iter().find_map(|length| {
        let (own, rest) = text.split_at_checked(length)?;
        Some((offset_ms(own)?, rest))
    })
}
