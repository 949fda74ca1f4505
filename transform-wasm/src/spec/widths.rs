//! Records of another number of values than are named: fields of a CSV, elements of JSON arrays.

use std::cmp::Ordering;

use super::{Input, LongRows, ShortRows};

/// What a spec says of them.
#[derive(Clone, Copy, Debug)]
pub struct Widths {
    short: ShortRows,
    long: LongRows,
    /// An empty field too many at the end is none.
    trailing: bool,
}

impl Widths {
    /// As a spec says, or as was detected.
    #[must_use]
    pub fn new(input: &Input) -> Self {
        Self { short: input.short_rows, long: input.long_rows, trailing: input.trailing_delimiter }
    }

    /// How many of a record's `found` fields are taken where there are `wanted` columns, those that are missing being
    /// null; none where the record is rejected. `ends_empty`: its last field has no text.
    #[must_use]
    pub fn taken(self, found: usize, wanted: usize, ends_empty: bool) -> Option<usize> {
        match found.cmp(&wanted) {
            Ordering::Equal => Some(found),
            Ordering::Less => (self.short == ShortRows::Pad).then_some(found),
            Ordering::Greater if self.trailing && found == wanted + 1 && ends_empty => Some(wanted),
            Ordering::Greater => (self.long == LongRows::Cut).then_some(wanted),
        }
    }

    /// Whether an empty last name of the header is none.
    #[must_use]
    pub fn trailing(self) -> bool {
        self.trailing
    }

    /// Whether fields that are too much get columns.
    #[must_use]
    pub fn names_more(self) -> bool {
        self.long == LongRows::Name
    }

    /// The option that takes a record of so many fields.
    #[must_use]
    pub fn way(found: usize, wanted: usize) -> &'static str {
        if found < wanted { "short_rows = \"pad\"" } else { "long_rows = \"cut\" or \"name\"" }
    }

    /// Whether a record of so many fields loses some of them.
    #[must_use]
    pub fn loses(self, found: usize, wanted: usize) -> bool {
        found > wanted && self.long == LongRows::Cut
    }
}
