//! JSON as it is written anew.

use super::{Convention, Value};
use crate::value::Number;
use crate::value::time::civil_from_days;

/// Appends values to a record that is written anew, under a convention.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    convention: &'static Convention,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>, convention: &'static Convention) -> Self {
        Self { out, convention }
    }

    /// A value, as the convention reads it.
    pub fn value(&mut self, value: Value<'_>) {
        if value.is_object() || value.is_array() {
            if !(self.convention.value)(value, self) {
                self.within(value);
            }
        } else {
            self.raw(value.raw());
        }
    }

    /// The same where it is nothing of the convention itself; what is in it may be.
    pub fn within(&mut self, value: Value<'_>) {
        if value.is_object() {
            self.object(|members| members.all_of(value));
        } else {
            self.array(value.elements());
        }
    }

    /// An array of these, as the convention reads them.
    pub fn array<'v>(&mut self, elements: impl Iterator<Item = Value<'v>>) {
        self.array_of(elements, Self::value);
    }

    /// An array of these, each written so.
    pub fn array_of<'v>(
        &mut self,
        elements: impl Iterator<Item = Value<'v>>,
        write: impl Fn(&mut Self, Value<'v>),
    ) {
        self.out.push(b'[');
        for (number, element) in elements.enumerate() {
            if number > 0 {
                self.out.push(b',');
            }
            write(self, element);
        }
        self.out.push(b']');
    }

    /// An object.
    pub fn object(&mut self, write: impl FnOnce(&mut Members<'_, '_>)) {
        self.out.push(b'{');
        write(&mut Members {
            first: true,
            writer: &mut Writer { out: self.out, convention: self.convention },
        });
        self.out.push(b'}');
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    /// A number, where the text is one as JSON writes them; else the text.
    pub fn number_or_text(&mut self, text: Value<'_>) {
        let bare = text.quoted().unwrap_or(text.raw());
        self.raw(if is_number(bare) { bare } else { text.raw() });
    }

    /// A date, from days since 1970-01-01; the number where the calendar has none.
    pub fn date(&mut self, days: i64) {
        match calendar(days) {
            Some(date) => self.raw(format!("\"{date}\"").as_bytes()),
            None => self.raw(days.to_string().as_bytes()),
        }
    }

    /// A moment in UTC, from so many of `per_second` since 1970-01-01; the number where the calendar has none.
    pub fn moment(&mut self, count: i64, per_second: i64) {
        let (seconds, fraction) = (count.div_euclid(per_second), count.rem_euclid(per_second));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        match calendar(days) {
            Some(date) => {
                self.raw(format!("\"{date}T{}Z\"", time_of_day(second, fraction, per_second)).as_bytes());
            }
            None => self.raw(count.to_string().as_bytes()),
        }
    }

    /// A time of day, from so many of `per_second` since midnight; the number where there is none.
    pub fn time(&mut self, count: i64, per_second: i64) {
        let (second, fraction) = (count.div_euclid(per_second), count.rem_euclid(per_second));
        if (0..=86_400).contains(&second) {
            self.raw(format!("\"{}\"", time_of_day(second, fraction, per_second)).as_bytes());
        } else {
            self.raw(count.to_string().as_bytes());
        }
    }
}

/// The members of an object that is being written.
pub struct Members<'a, 'o> {
    first: bool,
    writer: &'a mut Writer<'o>,
}

impl<'o> Members<'_, 'o> {
    /// A member whose value is written next; `key` is raw, as between quotes.
    pub fn key(&mut self, key: &[u8]) -> &mut Writer<'o> {
        if !std::mem::take(&mut self.first) {
            self.writer.out.push(b',');
        }
        self.writer.out.push(b'"');
        self.writer.raw(key);
        self.writer.raw(b"\":");
        self.writer
    }

    /// All members of an object, as the convention reads their values.
    pub fn all_of(&mut self, object: Value<'_>) {
        for (key, value) in object.members() {
            self.key(key).value(value);
        }
    }
}

/// Whether a text is a number as JSON writes them (RFC 8259, section 6).
fn is_number(text: &[u8]) -> bool {
    Number::scan(text).is_ok_and(|number| number.len == text.len())
}

fn calendar(days: i64) -> Option<String> {
    let days = i32::try_from(days).ok()?;
    let (year, month, day) = civil_from_days(days);
    (1..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn time_of_day(second: i64, fraction: i64, per_second: i64) -> String {
    let digits = per_second.ilog10() as usize;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    match digits {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}.{fraction:0digits$}"),
    }
}
