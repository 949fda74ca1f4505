//! Whether the first of some records names the columns of the others, by what is in them.
//!
//! For: a hint where nothing else decides. Not for: types, which are learned. The decision to know: a name over
//! numbers is a header, a number over numbers is data, and all else says nothing.

use super::lines::{Lines, Seen};

/// What the first record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// In some column it has a text where the others have numbers.
    Header,
    /// In some column it has a number where the others have numbers, and nowhere a text over them.
    Data,
    /// Neither.
    None,
}

/// Records that are looked at below the first.
const ENOUGH: usize = 20;

/// Judges the first record by the others that have as many fields, or alone where there are no others.
pub fn evidence(lines: &Lines<'_>, delimiter: u8, records: &[Seen]) -> Evidence {
    let Some((first, rest)) = records.split_first() else { return Evidence::None };
    let Some(mut tokenizer) = lines.tokenizer(delimiter) else { return Evidence::None };
    let mut cells = |seen: &Seen| -> Vec<Cell> {
        let text = &lines.text[seen.start..seen.end];
        match tokenizer.read(text, true) {
            Ok(_) => (0..tokenizer.fields().len()).map(|i| Cell::of(tokenizer.text(text, i))).collect(),
            Err(_) => Vec::new(),
        }
    };
    let head = cells(first);
    let mut below = vec![(false, false); head.len()];
    for seen in rest.iter().filter(|seen| seen.fields == head.len()).take(ENOUGH) {
        for (all, cell) in below.iter_mut().zip(cells(seen)) {
            all.0 |= matches!(cell, Cell::Number | Cell::Year);
            all.1 |= cell == Cell::Text;
        }
    }
    let mut found = Evidence::None;
    for (cell, (number, text)) in head.iter().zip(below) {
        match cell {
            Cell::Text if number && !text => return Evidence::Header,
            Cell::Number if !text && (number || rest.is_empty()) => found = Evidence::Data,
            _ => {}
        }
    }
    found
}

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Empty,
    /// Digits and signs: a number, a date, a time.
    Number,
    /// Four digits that may be the name of a column as well.
    Year,
    Text,
}

impl Cell {
    fn of(text: &[u8]) -> Self {
        match text.trim_ascii() {
            [] | b"-" => Self::Empty,
            [b'1', b'9', rest @ ..] | [b'2', b'0', rest @ ..]
                if rest.len() == 2 && rest.iter().all(u8::is_ascii_digit) =>
            {
                Self::Year
            }
            text => {
                let sign = |byte: &u8| !byte.is_ascii_alphabetic() && byte.is_ascii();
                match text.iter().all(sign) && text.iter().any(u8::is_ascii_digit) {
                    true => Self::Number,
                    false => Self::Text,
                }
            }
        }
    }
}

/// Whether a field could be a column's name: not empty, and no number.
pub fn is_name(text: &[u8]) -> bool {
    Cell::of(text) == Cell::Text
}
