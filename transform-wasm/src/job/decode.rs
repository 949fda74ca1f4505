//! Records out of the buffer: NDJSON lines, documents, CSV.
//!
//! The decision to know: a syntax error costs NDJSON and CSV one record, but a JSON document whole,
//! since nothing after it can be trusted.

use crate::error::{Code, Failure, Place};
use crate::input::csv::{CsvOptions, CsvTokenizer, detect_delimiter};
use crate::input::detect::{Detected, detect_format};
use crate::json::reader::{DocumentReader, Next};
use crate::json::{Cursor, Reject, Skipper, Stop};
use crate::limits::{BATCH_BYTES, BATCH_RECORDS, BATCH_ROWS, Limits};
use crate::names::{path_to_pointer, pointer_keys};
use crate::report::{Report, Warning};
use crate::spec::{Format, Input};

use super::quarantine::Span;
use super::source::Source;
use super::{Job, Reader};

mod csv;

/// What stands between records.
enum Framing {
    /// Not known yet.
    Unknown,
    Lines,
    Document(Box<DocumentReader>),
    Csv(Box<csv::CsvFrame>),
    Empty,
}

/// Reads records.
pub struct Decoder {
    framing: Framing,
    /// The accepted records of the batch.
    pub spans: Vec<Span>,
    /// Where the batch begins in the buffer.
    pub batch_start: usize,
    not_objects: u64,
    limits: Limits,
    skipper: Skipper,
}

/// What a call of [`Job::decode`] came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decoded {
    pub batch_full: bool,
    pub finished: bool,
    pub new_path: bool,
}

/// What one record came to.
enum Record {
    Taken,
    Wait,
    End,
    NewPath,
}

impl Decoder {
    /// Reads as limits allow.
    pub fn new(limits: &Limits) -> Self {
        Self {
            framing: Framing::Unknown,
            spans: Vec::new(),
            batch_start: 0,
            not_objects: 0,
            limits: limits.clone(),
            skipper: Skipper::default(),
        }
    }

    /// Decides the framing; false while more bytes are needed.
    fn frame(&mut self, source: &Source, input: &Input, report: &mut Report) -> Result<bool, Failure> {
        let format = match input.format {
            Format::Json => Detected::Json,
            Format::Ndjson => Detected::Ndjson,
            Format::Csv => Detected::Csv,
            Format::Tsv => Detected::Tsv,
            Format::Auto if input.records.is_some() && first_is_object(source) => Detected::Json,
            Format::Auto => detect_format(source.rest(), source.finished),
        };
        let (framing, name) = match format {
            Detected::NeedMore => return Ok(false),
            Detected::Json => {
                let path =
                    input.records.as_deref().map(|p| pointer_keys(&path_to_pointer(p))).unwrap_or_default();
                (Framing::Document(Box::new(DocumentReader::new(path, self.limits.depth))), "json")
            }
            Detected::Ndjson => (Framing::Lines, "ndjson"),
            Detected::Csv | Detected::Tsv => {
                let delimiter = match (input.delimiter, format) {
                    (Some(delimiter), _) => delimiter as u8,
                    (None, Detected::Tsv) => b'\t',
                    (None, _) if source.rest().is_empty() && !source.finished => return Ok(false),
                    (None, _) => detect_delimiter(source.rest()),
                };
                let options = CsvOptions { delimiter, quote: input.quote as u8 };
                let name = if delimiter == b'\t' { "tsv" } else { "csv" };
                (Framing::Csv(Box::new(csv::CsvFrame::new(CsvTokenizer::new(options), input))), name)
            }
            Detected::Foreign(what) => {
                return Err(Failure::input(Code::UnsupportedFormat, format!("the input looks like {what}"))
                    .hint("JSON, NDJSON, CSV and TSV are read, plain or as gzip or zstd"));
            }
            Detected::Empty => (Framing::Empty, "empty"),
        };
        self.framing = framing;
        report.format = name.into();
        Ok(true)
    }

    /// What only the end of the input shows.
    ///
    /// # Errors
    /// Input without any object; a path to records that led nowhere.
    pub fn check_end(&self, report: &mut Report) -> Result<(), Failure> {
        if report.records > 0 && self.not_objects == report.records {
            return Err(Failure::input(
                Code::NotRecords,
                "the input holds values, but no objects: records must be objects",
            )
            .hint("wrap each value, for example {\"value\": 1}"));
        }
        if let Framing::Document(reader) = &self.framing
            && !reader.found
        {
            return Err(Failure::input(Code::RecordsNotFound, "the path of records is nowhere in the input")
                .hint("check records in [input]"));
        }
        if report.records == 0 {
            report.warn(Warning::new("no_records", "the input holds no records"));
        }
        Ok(())
    }
}

/// What may follow a record on its line: nothing, or another record.
fn after_record(line: &Cursor<'_>, end: usize) -> Result<(), Stop> {
    let rest = line.input[end..].trim_ascii_start();
    match rest.first() {
        None | Some(b'{') => Ok(()),
        Some(_) => Err(Stop::Syntax {
            at: line.input.len() - rest.len(),
            message: "something after the end of the record",
            hint: Some("NDJSON has one record a line"),
        }),
    }
}

fn first_is_object(source: &Source) -> bool {
    source.rest().trim_ascii_start().first() == Some(&b'{')
}

impl Reader {
    fn begin(&mut self) {
        if let Self::Shred(shredder) = self {
            shredder.begin();
        }
    }

    fn walk(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        match self {
            Self::Shred(shredder) => shredder.walk(cursor, at),
            Self::Learn(learner) => learner.walk(cursor, at),
        }
    }

    fn commit(&mut self) {
        match self {
            Self::Shred(shredder) => shredder.commit(),
            Self::Learn(learner) => learner.commit(),
        }
    }

    fn rollback(&mut self) {
        match self {
            Self::Shred(shredder) => shredder.rollback(),
            Self::Learn(learner) => learner.rollback(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Shred(shredder) => shredder.batch.rows(),
            Self::Learn(_) => 0,
        }
    }
}

impl Job {
    /// Reads records until the batch is full or the buffer is used up.
    pub(super) fn decode(&mut self) -> Result<Decoded, Failure> {
        if matches!(self.decoder.framing, Framing::Unknown)
            && !self.decoder.frame(&self.source, &self.spec.input, &mut self.report)?
        {
            self.source.wait();
            return Ok(Decoded::default());
        }
        loop {
            let full = self.decoder.spans.len() >= BATCH_RECORDS
                || self.source.position() - self.decoder.batch_start >= BATCH_BYTES
                || self.reader.rows() >= BATCH_ROWS;
            if full {
                return Ok(Decoded { batch_full: true, ..Decoded::default() });
            }
            let record = match &self.decoder.framing {
                Framing::Lines => self.line(),
                Framing::Document(_) => self.element(),
                Framing::Csv(_) => self.csv_records(),
                Framing::Empty | Framing::Unknown => Ok(Record::End),
            };
            match record? {
                Record::Taken => {}
                Record::End => return Ok(Decoded { finished: true, ..Decoded::default() }),
                Record::NewPath => return Ok(Decoded { new_path: true, ..Decoded::default() }),
                Record::Wait => return self.wait(),
            }
        }
    }

    fn wait(&mut self) -> Result<Decoded, Failure> {
        if self.source.finished {
            return Err(Failure::internal("the reader waits for bytes after the end"));
        }
        if self.source.rest().len() > self.decoder.limits.record_bytes {
            return Err(self.too_large(self.source.position()));
        }
        self.source.wait();
        Ok(Decoded::default())
    }

    /// One NDJSON line, or one of several values on it.
    fn line(&mut self) -> Result<Record, Failure> {
        let buffer = self.source.buffer();
        let mut at = self.source.position();
        while matches!(buffer.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        if at == buffer.len() && self.source.finished {
            self.source.advance_to(at);
            return Ok(Record::End);
        }
        let eol = match memchr::memchr(b'\n', &buffer[at..]) {
            Some(n) => at + n,
            None if self.source.finished => buffer.len(),
            None => return Ok(Record::Wait),
        };
        let cursor = Cursor { input: &buffer[..eol], complete: true };
        self.reader.begin();
        let walked = self.reader.walk(&cursor, at).and_then(|end| after_record(&cursor, end).map(|()| end));
        let span = Span { start: at, end: eol, number: self.report.records + 1 };
        match walked {
            Ok(end) => self.accept(Span { end, ..span }),
            Err(stop) => {
                let (mut stop, end) = self.decoder.skipper.judge(&cursor, at, stop);
                if let (Some(end), Stop::Reject(_)) = (end, &stop) {
                    stop = after_record(&cursor, end).err().unwrap_or(stop);
                }
                match stop {
                    // A line is all there is of its record.
                    Stop::Syntax { at, message, .. } => {
                        let stop = self.line_syntax(at, message);
                        self.refuse(stop, span)
                    }
                    Stop::Incomplete => {
                        let stop = self.line_syntax(eol, "the line ends inside the record");
                        self.refuse(stop, span)
                    }
                    other => self.refuse(other, Span { end: end.unwrap_or(eol), ..span }),
                }
            }
        }
    }

    fn line_syntax(&self, at: usize, message: &str) -> Stop {
        let place = self.source.place(at);
        let message = match place.column {
            Some(column) => format!("{message}, at column {column}"),
            None => message.to_owned(),
        };
        Reject::at("syntax_error", message, at).into()
    }

    /// One record of a document.
    fn element(&mut self) -> Result<Record, Failure> {
        let Framing::Document(reader) = &mut self.decoder.framing else { return Ok(Record::End) };
        let cursor = Cursor { input: self.source.buffer(), complete: self.source.finished };
        let mut at = self.source.position();
        let next = reader.next(&cursor, &mut at);
        let start = at;
        let walked = match next.clone() {
            Ok(Next::End) => {
                self.source.advance_to(cursor.input.len());
                return Ok(Record::End);
            }
            Ok(Next::Record(at)) => {
                self.reader.begin();
                self.reader.walk(&cursor, at)
            }
            Err(stop) => Err(stop),
        };
        let number = self.report.records + 1;
        match walked {
            Ok(end) => {
                reader.done();
                self.accept(Span { start, end, number })
            }
            Err(stop @ Stop::Reject(_)) if next.is_ok() => {
                let (stop, end) = self.decoder.skipper.judge(&cursor, start, stop);
                if end.is_some() {
                    reader.done();
                }
                if stop == Stop::Incomplete {
                    self.reader.rollback();
                    self.source.advance_to(start);
                    return Ok(Record::Wait);
                }
                self.refuse(stop, Span { start, end: end.unwrap_or(start), number })
            }
            Err(stop) => {
                if matches!(stop, Stop::Incomplete | Stop::NewPath) {
                    // Punctuation before the record is done with; the record is read again.
                    self.reader.rollback();
                    self.source.advance_to(start);
                    return Ok(if stop == Stop::NewPath { Record::NewPath } else { Record::Wait });
                }
                self.refuse(stop, Span { start, end: start, number })
            }
        }
    }

    fn accept(&mut self, span: Span) -> Result<Record, Failure> {
        if span.end - span.start > self.decoder.limits.record_bytes {
            return Err(self.too_large(span.start));
        }
        self.reader.commit();
        self.report.records += 1;
        self.report.accepted += 1;
        self.decoder.spans.push(span);
        self.source.advance_to(span.end);
        Ok(Record::Taken)
    }

    fn too_large(&self, at: usize) -> Failure {
        let place = Place { record: Some(self.report.records + 1), ..self.source.place(at) };
        Failure::limit(Code::RecordTooLarge, "a record is larger than limits.record_bytes")
            .hint("is this one JSON document with its records below a path? set records in [input]")
            .at(place)
    }

    /// What a stop means for the record in `span`.
    fn refuse(&mut self, stop: Stop, span: Span) -> Result<Record, Failure> {
        self.reader.rollback();
        match stop {
            Stop::Incomplete => Ok(Record::Wait),
            Stop::NewPath => Ok(Record::NewPath),
            Stop::Fail(failure) => Err(match failure.place {
                Place { line: None, .. } if failure.fault != crate::error::Fault::Spec => {
                    let record = Some(span.number);
                    let place = Place { record, ..self.source.place(span.start) };
                    failure.at(place)
                }
                _ => *failure,
            }),
            Stop::Syntax { at, message, hint } => {
                let mut failure = Failure::input(Code::SyntaxError, message).at(self.source.place(at));
                failure.hint = hint.map(str::to_owned);
                Err(failure)
            }
            Stop::Reject(reject) => {
                self.report.records += 1;
                self.decoder.not_objects += u64::from(reject.code == "not_an_object");
                if let Reader::Shred(_) = self.reader {
                    let table = reject.table.map(|t| self.tables[t].clone());
                    self.quarantine.add(&self.source, span, table.as_deref(), &reject, &mut self.report)?;
                } else {
                    self.report.reject(reject.code);
                }
                self.source.advance_to(span.end);
                Ok(Record::Taken)
            }
        }
    }
}
