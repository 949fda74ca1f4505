//! Records of JSON: one a line, or in a document.

use crate::error::Failure;
use crate::json::reader::{DocumentReader, Next};
use crate::json::{Cursor, Reject, Stop};
use crate::reshape::{Beside, Reshape, of_record};

use super::super::ledger::Ledger;
use super::super::quarantine::Span;
use super::super::reader::Reader;
use super::{Feed, Record};

impl Feed {
    /// One NDJSON line, or one of several values on it.
    pub(super) fn line(&mut self, reader: &mut Reader, ledger: &mut Ledger) -> Result<Record, Failure> {
        let buffer = self.source.buffer();
        let mut at = self.source.position();
        while matches!(buffer.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        if at == buffer.len() && self.source.finished {
            self.source.advance_to(at);
            return Ok(Record::End);
        }
        let from = self.source.way(at);
        let eol = match self.line_end.filter(|&end| end > from) {
            Some(end) => at + (end - from) as usize,
            None => match memchr::memchr(b'\n', &buffer[at..]) {
                Some(n) => at + n,
                None if self.source.finished => buffer.len(),
                None => return Ok(Record::Wait),
            },
        };
        self.line_end = Some(self.source.way(eol));
        let cursor = Cursor { input: &buffer[..eol], complete: true };
        reader.begin();
        let stands = Stands { start: at, value: at };
        let (reshape, depth) = (self.reshape.as_deref_mut(), self.limits.depth);
        let walked = walk(reader, reshape, &cursor, stands, depth, &self.names);
        let walked = walked.and_then(|end| after_record(&cursor, end).map(|()| end));
        let span = Span { start: at, end: eol, number: ledger.next_number() };
        match walked {
            Ok(end) => self.accept(reader, ledger, Span { end, ..span }),
            Err(stop) => {
                let (mut stop, end) = self.skipper.judge(&cursor, at, self.limits.depth, stop);
                if let (Some(end), Stop::Reject(_)) = (end, &stop) {
                    stop = after_record(&cursor, end).err().unwrap_or(stop);
                }
                match stop {
                    // A line is all there is of its record.
                    Stop::Syntax { at, message, .. } => {
                        let stop = self.line_syntax(at, message);
                        self.refuse(reader, ledger, stop, span)
                    }
                    Stop::Incomplete => {
                        let stop = self.line_syntax(eol, "the line ends inside the record");
                        self.refuse(reader, ledger, stop, span)
                    }
                    other => self.refuse(reader, ledger, other, Span { end: end.unwrap_or(eol), ..span }),
                }
            }
        }
    }

    fn line_syntax(&self, at: usize, message: &str) -> Stop {
        // A line has one syntax error at most: what follows it there is lost.
        let place = self.source.place(at);
        let message = match place.column {
            Some(column) => format!("{message}, at column {column}"),
            None => message.to_owned(),
        };
        Reject::at("syntax_error", message, at).into()
    }

    /// One record of a document.
    pub(super) fn element(
        &mut self,
        document: &mut DocumentReader,
        reader: &mut Reader,
        ledger: &mut Ledger,
    ) -> Result<Record, Failure> {
        let cursor = Cursor { input: self.source.buffer(), complete: self.source.finished };
        let mut at = self.source.position();
        let next = document.next(&cursor, &mut at);
        let start = at;
        let mut value = start;
        let walked = match next.clone() {
            Ok(Next::End) => {
                self.source.advance_to(cursor.input.len());
                return Ok(Record::End);
            }
            Ok(Next::Beside(what)) => {
                self.source.advance_to(at);
                return Ok(Record::Beside(what));
            }
            Ok(Next::Record(at)) => {
                value = at;
                reader.begin();
                let names = if document.names.is_empty() { &self.names } else { &document.names };
                let (reshape, depth) = (self.reshape.as_deref_mut(), self.limits.depth);
                walk(reader, reshape, &cursor, Stands { start, value }, depth, names)
            }
            Err(stop) => Err(stop),
        };
        let number = ledger.next_number();
        match walked {
            Ok(end) => {
                document.done();
                self.accept(reader, ledger, Span { start, end, number })
            }
            Err(stop @ Stop::Reject(_)) if next.is_ok() => {
                let (stop, end) = self.skipper.judge(&cursor, value, self.limits.depth, stop);
                if end.is_some() {
                    document.done();
                }
                if stop == Stop::Incomplete {
                    reader.rollback();
                    self.source.advance_to(start);
                    return Ok(Record::Wait);
                }
                self.refuse(reader, ledger, stop, Span { start, end: end.unwrap_or(start), number })
            }
            Err(stop) => {
                if matches!(stop, Stop::Incomplete | Stop::NewPath) {
                    // Punctuation before the record is done with; the record is read again.
                    reader.rollback();
                    self.source.advance_to(start);
                    return Ok(if stop == Stop::NewPath { Record::NewPath } else { Record::Wait });
                }
                self.refuse(reader, ledger, stop, Span { start, end: start, number })
            }
        }
    }
}

/// Where a record is.
#[derive(Clone, Copy)]
struct Stands {
    /// Its first byte; where it is the member of an object, that of its key.
    start: usize,
    /// That of its value.
    value: usize,
}

/// Reads a record, as it is rewritten where it is; where it ends.
fn walk(
    reader: &mut Reader,
    reshape: Option<&mut Reshape>,
    cursor: &Cursor<'_>,
    Stands { start, value }: Stands,
    depth: usize,
    names: &[Vec<u8>],
) -> Result<usize, Stop> {
    let Some(reshape) = reshape else { return reader.walk(cursor, value) };
    let key = if value > start { Some(cursor.string(start)?.0.raw) } else { None };
    let end = reshape.apply(cursor, value, depth, Beside { key, names })?;
    let rewritten = Cursor { input: reshape.text(), complete: true };
    reader.walk(&rewritten, 0).map_err(|stop| of_record(stop, value))?;
    Ok(end)
}

/// What may follow a record on its line: nothing, or another record; a number or a word ends before it.
fn after_record(line: &Cursor<'_>, end: usize) -> Result<(), Stop> {
    let (before, after) = line.input.split_at(end);
    let rest = after.trim_ascii_start();
    let runs_on = rest.len() == after.len() && before.last().is_some_and(u8::is_ascii_alphanumeric);
    match rest.first() {
        None => Ok(()),
        Some(b'{') if !runs_on => Ok(()),
        Some(_) => Err(Stop::Syntax {
            at: line.input.len() - rest.len(),
            message: "something after the end of the record",
            hint: Some("NDJSON has one record a line"),
        }),
    }
}
