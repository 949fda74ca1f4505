//! Records out of the buffer: NDJSON lines, documents, CSV.
//!
//! The decision to know: a syntax error costs NDJSON and CSV one record, but a JSON document whole,
//! since nothing after it can be trusted.

use crate::error::{Code, Failure, Place};
use crate::input::detect::{Detected, detect_format};
use crate::input::encoding::Encoding;
use crate::json::reader::{Beside, DocumentReader, NamesAt};
use crate::json::{Skipper, Stop};
use crate::limits::{BATCH_BYTES, BATCH_RECORDS, Limits};
use crate::names::{path_to_pointer, pointer_keys};
use crate::report::{Report, Warning};
use crate::reshape::{self, Reshape};
use crate::spec::{Format, Input, texts};

use super::ledger::Ledger;
use super::quarantine::Span;
use super::reader::Reader;
use super::source::Source;

mod csv;
mod json;
mod sole;
mod widths;

use sole::{Sole, Sought};
use widths::OddWidths;

/// What is said of an input that is a CSV header and nothing else, and of one column.
const ONE_LINE: &str = "the input holds no records: its one line was taken as a CSV header of one column; if it is a record, set header = false in [input], or the format that it has";

/// What stands between records.
enum Framing {
    Lines,
    Document(Box<DocumentReader>),
    Sole(Box<Sole>),
    Csv(Box<csv::CsvFrame>),
    /// Nothing of what follows is looked at.
    Rest,
    Empty,
}

impl Framing {
    /// Of records that nobody has to look for: one a line, or wherever a document has them.
    fn plain(lines: bool, depth: usize) -> Self {
        if lines { Self::Lines } else { Self::Document(Box::new(DocumentReader::new(Vec::new(), depth))) }
    }
}

/// The input: its bytes, and what stands between its records.
pub struct Decoder {
    /// The bytes.
    pub feed: Feed,
    /// How it is read: as the spec says, and as was detected where that is certain and not what is usual.
    pub input: Input,
    /// A document may be the way to its records.
    finds_records: bool,
    /// Lines before a CSV that are still to be left out.
    preamble: csv::Preamble,
    /// None until enough of it is there.
    framing: Option<Framing>,
}

/// The bytes, and the batch of records that is being read from them.
pub struct Feed {
    /// The bytes.
    pub source: Source,
    /// The accepted records of the batch.
    spans: Vec<Span>,
    /// Where the batch begins in the buffer.
    batch_start: usize,
    /// Where the line that was read last ends, as its way in the text: many records may stand on
    /// it, and none of them looks for its end again.
    line_end: Option<u64>,
    not_objects: u64,
    limits: Limits,
    skipper: Skipper,
    /// How records are rewritten before they are read.
    reshape: Option<Box<Reshape>>,
    /// Names of the values of records that are arrays, where the spec tells them; raw, as between quotes.
    names: Vec<Vec<u8>>,
    /// Records that had more or fewer values than are named.
    odd_widths: OddWidths,
}

/// What a call of [`Decoder::decode`] came to.
#[derive(Clone, Copy, Debug)]
pub enum Decoded {
    /// More bytes are needed.
    Waits,
    /// The batch is to be passed on.
    BatchFull,
    /// A record has a path that no contract knows; it was not taken.
    NewPath,
    /// Nothing is left.
    Finished,
}

/// What one record came to.
enum Record {
    Taken,
    Wait,
    End,
    NewPath,
    /// Something stands beside the records.
    Beside(Beside),
    /// What follows is framed otherwise.
    Goes(Framing),
}

impl Decoder {
    /// Reads as `input` says and the limits allow, and rewrites records as `reshape` does; `finds_records`: also those
    /// below a path that nobody told.
    pub fn new(input: Input, limits: &Limits, finds_records: bool, reshape: Option<Reshape>) -> Self {
        let finds_records = finds_records && reshape.is_none();
        let feed = Feed {
            source: Source::new(&input),
            spans: Vec::new(),
            batch_start: 0,
            line_end: None,
            not_objects: 0,
            limits: limits.clone(),
            skipper: Skipper::default(),
            reshape: reshape.map(Box::new),
            names: input.columns.iter().map(|name| reshape::raw(name)).collect(),
            odd_widths: OddWidths::default(),
        };
        let preamble = csv::Preamble::new(&input);
        Self { feed, input, finds_records, preamble, framing: None }
    }

    /// The path below which records were found, unless something stands beside them.
    pub fn found(&self) -> Option<&[String]> {
        match &self.framing {
            Some(Framing::Sole(sole)) if sole.holds() => Some(&sole.path),
            _ => None,
        }
    }

    /// Another reader takes over.
    pub fn renew(&mut self) {
        if let Some(Framing::Csv(frame)) = &mut self.framing {
            frame.renew();
        }
    }

    /// Reads records until the batch is full or the buffer is used up.
    ///
    /// # Errors
    /// Input that cannot be read on; a limit.
    pub fn decode(&mut self, reader: &mut Reader, ledger: &mut Ledger) -> Result<Decoded, Failure> {
        let Self { feed, input, finds_records, preamble, framing } = self;
        let finds_records = *finds_records && matches!(reader, Reader::Learn(_));
        let framing = match framing {
            Some(framing) => framing,
            none => match frame(&mut feed.source, input, preamble, finds_records, feed.limits.depth, ledger)?
            {
                Some(framing) => none.insert(framing),
                None => {
                    feed.source.wait();
                    return Ok(Decoded::Waits);
                }
            },
        };
        loop {
            if feed.is_full() || reader.is_full() {
                return Ok(Decoded::BatchFull);
            }
            let record = match framing {
                Framing::Lines => feed.line(reader, ledger),
                Framing::Document(document) => feed.element(document, reader, ledger),
                Framing::Sole(sole) => feed.sole(sole, reader, ledger),
                Framing::Csv(frame) => feed.csv_records(frame, reader, ledger),
                Framing::Rest => Ok(feed.skip_rest()),
                Framing::Empty => Ok(Record::End),
            };
            match record? {
                Record::Taken => {}
                Record::End => return Ok(Decoded::Finished),
                Record::NewPath => return Ok(Decoded::NewPath),
                Record::Wait => return feed.wait(ledger),
                Record::Goes(other) => *framing = other,
                Record::Beside(_) => {
                    return Err(Failure::internal("something beside records that were told"));
                }
            }
        }
    }

    /// Reports what only the end of the input shows.
    ///
    /// # Errors
    /// Input without any object; a path to records that led nowhere.
    pub fn finish(&self, report: &mut Report) -> Result<(), Failure> {
        report.bytes = self.feed.source.bytes_read();
        report.compression = self.feed.source.compression().into();
        let encoding = self.feed.source.encoding();
        report.encoding = (encoding != Encoding::Utf8).then(|| encoding.name().into());
        if report.records > 0 && self.feed.not_objects == report.records {
            return Err(Failure::input(
                Code::NotRecords,
                "the input holds values, but no objects: records must be objects",
            )
            .hint("wrap each value, for example {\"value\": 1}"));
        }
        if let Some(Framing::Document(reader)) = &self.framing
            && !reader.found
        {
            return Err(Failure::input(Code::RecordsNotFound, "the path of records is nowhere in the input")
                .hint("check records in [input]"));
        }
        if let Some(Framing::Document(reader)) = &self.framing
            && reader.literal_ends > 0
        {
            let message =
                "documents are separated by a backslash and a letter (\\n), which was read as a line end";
            report.warn(Warning { count: reader.literal_ends, ..Warning::new("literal_line_ends", message) });
        }
        if let Some(Framing::Csv(frame)) = &self.framing {
            frame.report(report);
        }
        self.feed.odd_widths.report(report);
        if report.records == 0 {
            let one_line = matches!(&self.framing, Some(Framing::Csv(frame)) if frame.is_one_name());
            report.warn(Warning::new(
                "no_records",
                if one_line { ONE_LINE } else { "the input holds no records" },
            ));
        }
        Ok(())
    }
}

/// What stands between the records; none while more bytes are needed.
fn frame(
    source: &mut Source,
    input: &mut Input,
    preamble: &mut csv::Preamble,
    finds_records: bool,
    depth: usize,
    ledger: &mut Ledger,
) -> Result<Option<Framing>, Failure> {
    let format = match input.format {
        Format::Json => Detected::Json,
        Format::Ndjson => Detected::Ndjson,
        Format::Csv | Format::Tsv => Detected::Csv,
        Format::Auto if input.has_preamble() => Detected::Csv,
        Format::Auto if input.records.is_some() && begins_with(source, b'{') => Detected::Json,
        Format::Auto if !input.columns.is_empty() && begins_with(source, b'[') => arrays(source),
        Format::Auto => detect_format(source.rest(), source.finished),
    };
    let (framing, name) = match format {
        Detected::NeedMore => return Ok(None),
        Detected::Json | Detected::Ndjson if finds_records && may_be_sole(input) => {
            let lines = format == Detected::Ndjson;
            match sole::seek(source.rest(), source.finished, depth) {
                Sought::NeedMore => return Ok(None),
                Sought::Below(path) => (Framing::Sole(Box::new(Sole::new(path, depth, lines))), "json"),
                Sought::No => (Framing::plain(lines, depth), if lines { "ndjson" } else { "json" }),
            }
        }
        Detected::Json => {
            let path =
                input.records.as_deref().map(|p| pointer_keys(&path_to_pointer(p))).unwrap_or_default();
            let names_at = input.columns_at.as_deref().map(|path| {
                let (keys, key) = texts(path);
                NamesAt { keys, key }
            });
            (Framing::Document(Box::new(DocumentReader::new(path, depth).named(names_at))), "json")
        }
        Detected::Ndjson => (Framing::Lines, "ndjson"),
        Detected::Csv if !preamble.skip(source)? => return Ok(None),
        Detected::Csv => match csv::CsvFrame::detect(source, input, ledger)? {
            None => return Ok(None),
            Some(frame) => {
                let name = frame.format();
                (Framing::Csv(Box::new(frame)), name)
            }
        },
        Detected::Foreign(what) => {
            return Err(Failure::input(Code::UnsupportedFormat, format!("the input looks like {what}"))
                .hint("JSON, NDJSON, CSV and TSV are read, plain or as gzip or zstd"));
        }
        Detected::Nul(at) => return Err(has_nul().at(source.place(source.position() + at))),
        Detected::Empty => (Framing::Empty, "empty"),
    };
    ledger.report.format = name.into();
    Ok(Some(framing))
}

/// A text that is a CSV but for one byte.
#[cold]
fn has_nul() -> Failure {
    Failure::input(Code::UnsupportedFormat, "the text has a NUL byte, as no CSV has").hint(
        "take it out (`tr -d '\\0'`); or set format = \"csv\" in [input] to have it as a part of its value",
    )
}

/// Whether no spec says where the records are, or that each line is one.
fn may_be_sole(input: &Input) -> bool {
    input.records.is_none() && input.format != Format::Ndjson
}

fn begins_with(source: &Source, byte: u8) -> bool {
    source.rest().trim_ascii_start().first() == Some(&byte)
}

/// Arrays whose values are named: one a line, or in one.
fn arrays(source: &Source) -> Detected {
    match source.rest().trim_ascii_start()[1..].trim_ascii_start().first() {
        None if !source.finished => Detected::NeedMore,
        Some(b'[' | b'{') => Detected::Json,
        _ => Detected::Ndjson,
    }
}

impl Feed {
    /// The accepted records of the batch.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The batch is passed on: another begins.
    pub fn forget_batch(&mut self) {
        self.spans.clear();
        self.source.forget();
        self.batch_start = self.source.position();
    }

    fn is_full(&self) -> bool {
        self.spans.len() >= BATCH_RECORDS || self.source.position() - self.batch_start >= BATCH_BYTES
    }

    fn skip_rest(&mut self) -> Record {
        self.source.advance_to(self.source.buffer().len());
        if self.source.finished { Record::End } else { Record::Wait }
    }

    fn wait(&mut self, ledger: &Ledger) -> Result<Decoded, Failure> {
        if self.source.finished {
            return Err(Failure::internal("the reader waits for bytes after the end"));
        }
        if self.source.rest().len() > self.limits.record_bytes {
            return Err(self.too_large(self.source.position(), ledger));
        }
        self.source.wait();
        Ok(Decoded::Waits)
    }

    fn accept(&mut self, reader: &mut Reader, ledger: &mut Ledger, span: Span) -> Result<Record, Failure> {
        if span.end - span.start > self.limits.record_bytes {
            return Err(self.too_large(span.start, ledger));
        }
        if let Err(stop) = reader.weigh(span.start) {
            return self.refuse(reader, ledger, stop, span);
        }
        reader.commit();
        ledger.accept();
        if let Some(reshape) = &self.reshape
            && let Some((found, wanted)) = reshape.width()
        {
            self.odd_widths.note(found, wanted, reshape.widths());
        }
        self.spans.push(span);
        self.source.advance_to(span.end);
        Ok(Record::Taken)
    }

    fn too_large(&self, at: usize, ledger: &Ledger) -> Failure {
        let place = Place { record: Some(ledger.next_number()), ..self.source.place(at) };
        Failure::limit(Code::RecordTooLarge, "a record is larger than limits.record_bytes")
            .hint("is this one JSON document with its records below a path? set records in [input]")
            .at(place)
    }

    /// What a stop means for the record in `span`.
    fn refuse(
        &mut self,
        reader: &mut Reader,
        ledger: &mut Ledger,
        stop: Stop,
        span: Span,
    ) -> Result<Record, Failure> {
        reader.rollback();
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
                ledger.report.records += 1;
                self.not_objects += u64::from(reject.code == "not_an_object");
                if let Reader::Shred(shredding) = reader {
                    shredding.note_rejected(&reject);
                }
                ledger.reject(&self.source, span, &reject)?;
                self.source.advance_to(span.end);
                Ok(Record::Taken)
            }
        }
    }
}
