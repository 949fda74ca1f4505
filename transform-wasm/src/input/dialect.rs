//! The dialect of a CSV, as the beginning of its text shows it.
//!
//! For: the delimiter, lines that are comments, names that stand in one of them, and what looks wrong about the
//! answer. Not for: what a spec says outright, which is taken as it is. The decision to know: what is certain from
//! the bytes is detected and said; else all stays as it was, and a note names the option to set. Both follow from
//! the text's first [`HEAD`] bytes alone, however the input was cut.

use crate::bytes::find_line_end;

use super::csv::{CsvOptions, Odd};

mod comments;
mod doubts;
mod evidence;
mod lines;
mod notes;

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;

pub use comments::fields_line;
pub use evidence::is_name;
use lines::{Lines, pick};
pub use notes::Note;

/// Bytes of text that are looked at.
pub const HEAD: usize = 64 << 10;

/// The beginning of a text.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The bytes.
    pub text: &'a [u8],
    /// They are all there is, or all that is waited for.
    pub whole: bool,
}

/// What is known before anything is read.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The delimiter.
    pub delimiter: Option<u8>,
    /// The quote.
    pub quote: u8,
    /// What the signs alone do not say.
    pub odd: Option<&'a Odd>,
    /// What begins a comment, empty where nothing does; to be detected when absent.
    pub comment: Option<&'a [u8]>,
    /// The first record names the columns.
    pub header: bool,
}

/// How the text is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The delimiter.
    pub delimiter: u8,
    /// What begins a comment; empty where nothing does.
    pub comment: Vec<u8>,
    /// Bytes of a first line that only says what the delimiter is.
    pub skip: usize,
    /// The columns' names where they stand in a comment: there is no header then.
    pub names: Vec<String>,
    /// What a person should know.
    pub notes: Vec<Note>,
}

impl Dialect {
    /// Whether the delimiter is one that another file of the kind might not show.
    #[must_use]
    pub fn is_unusual(&self) -> bool {
        self.notes.iter().any(|note| matches!(note, Note::DelimiterLine | Note::Delimiter(_) | Note::Fields))
    }
}

/// How the text is to be read that begins so. None: not a record of it is whole, and there is more.
#[must_use]
pub fn detect(head: Head<'_>, told: &Told<'_>) -> Option<Dialect> {
    let (skip, said) = delimiter_line(head.text, told);
    let lines = Lines { text: &head.text[skip..], whole: head.whole, quote: told.quote, odd: told.odd };
    let comment = told.comment.unwrap_or_default();
    let told = Told { delimiter: told.delimiter.or(said), ..*told };
    let mut picked = pick(&lines, told.delimiter, comment);
    if picked.records.is_empty() && !head.whole {
        return None;
    }
    let notes = if skip > 0 { vec![Note::DelimiterLine] } else { Vec::new() };
    let mut dialect =
        Dialect { delimiter: picked.delimiter, comment: comment.to_vec(), skip, names: Vec::new(), notes };
    let is_sign = told.quote == b'#' || told.delimiter == Some(b'#');
    if told.comment.is_none() && !is_sign && comments::may_be(lines.text) {
        let found = comments::sort(&lines, &told, picked);
        picked = found.picked;
        dialect.comment = found.comment;
        dialect.names = found.names;
        dialect.notes.extend(found.note);
    }
    if dialect.names.is_empty() {
        let (delimiter, before, doubts) = doubts::look(&lines, &told, &picked, &dialect.comment);
        dialect.skip += before;
        picked.delimiter = delimiter;
        dialect.notes.extend(doubts);
    }
    dialect.delimiter = picked.delimiter;
    Some(dialect)
}

/// Bytes of the line `sep=;` that the text may begin with, as spreadsheets write it, and the delimiter it names.
fn delimiter_line(text: &[u8], told: &Told<'_>) -> (usize, Option<u8>) {
    const NOTHING: (usize, Option<u8>) = (0, None);
    let Some(end) = find_line_end(&text[..text.len().min(16)]) else { return NOTHING };
    let line = &text[..end];
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let Some((word, &[sign])) = bare.split_at_checked(4) else { return NOTHING };
    let usable = CsvOptions::new(sign, told.quote).is_some();
    if !word.eq_ignore_ascii_case(b"sep=") || !usable || told.delimiter.is_some_and(|told| told != sign) {
        return NOTHING;
    }
    let line_end = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
    (end + line_end, Some(sign))
}
