//! CSV records: the header, then one record a line (or more, where fields are quoted).

use crate::bytes::find_line_end;
use crate::error::{Code, Failure, Place};
use crate::input::csv::{Block, CsvFault, CsvStep, CsvTokenizer, Room, SyntaxError};
use crate::input::dialect;
use crate::json::{NOWHERE, Reject, Stop};
use crate::limits::{BATCH_BYTES, BATCH_RECORDS, CSV_FIELDS};
use crate::report::{Report, Warning};
use crate::shred::{FieldRules, Shredder};
use crate::spec::{Format, Input, QuotedEmpty, Widths};

use super::super::ledger::{ENCODING_HINT, Ledger};
use super::super::quarantine::Span;
use super::super::reader::Reader;
use super::super::source::Source;
use super::widths::other_count;
use super::{Feed, Framing, Record};

mod aside;
mod beginning;
mod edges;
mod names;

use aside::Header;
use beginning::{NO_QUOTE, dialect_of, odd_of, tokenizer_of};
use edges::Footer;
pub use edges::Preamble;

/// Records that come one by one after one that no block could hold: odd ones often stand together.
const ONE_BY_ONE: usize = 64;

/// What is known of a CSV input.
pub struct CsvFrame {
    tokenizer: CsvTokenizer,
    delimiter: String,
    quote: u8,
    widths: Widths,
    footer: Footer,
    /// An empty field in quotes is a text.
    quoted_empty: bool,
    block: Block,
    /// So many records come one by one before a block is tried again.
    one_by_one: usize,
    header: bool,
    /// Names of the columns, once known.
    names: Option<Vec<Vec<u8>>>,
    /// What a record is not, though it has as many fields.
    again: Option<Header>,
    /// What begins a comment; empty where nothing does.
    comment: Vec<u8>,
    /// Nobody told so.
    detected_comment: bool,
    /// The first comment that names the columns of a log.
    named_by: Option<Vec<u8>>,
    /// Nodes of the columns in the reader's tree, once asked for.
    nodes: Vec<u32>,
    /// The same in the tree of who judges what a reader learns from.
    judged: Vec<u32>,
    nulls: Vec<Vec<u8>>,
    decimal: u8,
    /// Bytes of text before the first record, once known.
    lead: Option<u64>,
    counts: Counts,
}

/// What was left out, and how often.
#[derive(Debug, Default)]
struct Counts {
    comments: u64,
    headers: u64,
    blanks: u64,
}

impl CsvFrame {
    /// Reads as the spec's `[input]` says, and where it says nothing as the text's beginning shows; none while
    /// there is too little of that. What is certain and not what is usual is put into `input`.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn detect(
        source: &mut Source,
        input: &mut Input,
        ledger: &mut Ledger,
    ) -> Result<Option<Self>, Failure> {
        let told = match (input.format, &input.delimiter) {
            (Format::Tsv, None) => Some("\t".to_owned()),
            (_, told) => told.clone(),
        };
        let odd = odd_of(input, told.as_deref());
        let sign = told.as_ref().and_then(|told| told.bytes().next());
        let Some(dialect) = dialect_of(source, input, sign, odd.as_ref()) else { return Ok(None) };
        for note in &dialect.notes {
            let message = note.message();
            if note.explains_rejects() {
                ledger.advice.get_or_insert(message.clone());
            }
            ledger.report.warn(Warning { fixes: note.fixes(), ..Warning::new(note.code(), message) });
        }
        let detected_comment = input.comment.is_none() && !dialect.comment.is_empty();
        if detected_comment {
            input.comment = Some(String::from_utf8_lossy(&dialect.comment).into_owned());
        }
        if told.is_none() && dialect.is_unusual() {
            input.delimiter = Some(char::from(dialect.delimiter).into());
        }
        if !dialect.names.is_empty() {
            input.header = false;
            input.columns.clone_from(&dialect.names);
        }
        input.trailing_delimiter |= dialect.notes.iter().any(|note| note.is_trailing());
        input.skip_lines += dialect.notes.iter().map(|note| note.left_out()).sum::<usize>();
        source.advance_to(source.position() + dialect.skip);
        let quote = input.quote_sign().unwrap_or(NO_QUOTE);
        let delimiter = told.unwrap_or_else(|| char::from(dialect.delimiter).into());
        let tokenizer = tokenizer_of(dialect.delimiter, quote, odd, &delimiter)?;
        let names: Option<Vec<Vec<u8>>> = (!input.header && !input.columns.is_empty())
            .then(|| input.columns.iter().map(|name| name.clone().into_bytes()).collect());
        Ok(Some(Self {
            tokenizer,
            delimiter,
            quote,
            widths: Widths::new(input),
            footer: Footer::new(input),
            quoted_empty: input.quoted_empty == QuotedEmpty::Text,
            block: Block::default(),
            one_by_one: 0,
            header: input.header,
            again: names.clone().and_then(|names| Header::new(names, quote)),
            names,
            comment: dialect.comment,
            detected_comment,
            named_by: None,
            nodes: Vec::new(),
            judged: Vec::new(),
            nulls: input.null_values.iter().map(|v| v.clone().into_bytes()).collect(),
            decimal: input.decimal as u8,
            lead: None,
            counts: Counts::default(),
        }))
    }

    /// What the report calls it.
    pub fn format(&self) -> &'static str {
        if self.delimiter == "\t" { "tsv" } else { "csv" }
    }

    /// Whether all there is is a header of one column.
    pub fn is_one_name(&self) -> bool {
        self.header && self.names.as_ref().is_some_and(|names| names.len() == 1)
    }

    /// Says what was left out.
    pub fn report(&self, report: &mut Report) {
        report.lead = self.lead.unwrap_or(0);
        report.delimiter = Some(self.delimiter.clone());
        let Counts { comments, headers, blanks } = self.counts;
        let comment = if self.detected_comment { comments } else { 0 };
        for (count, code, message) in [
            (
                comment,
                "comments",
                "lines that begin with # and have other fields than the records were taken as comments: comment in [input] says so, and comment = \"none\" that there are none",
            ),
            (
                headers,
                "header_again",
                "records that repeat the names of the columns were left out: files were joined with their headers",
            ),
            (blanks, "blanks_around_quotes", "blanks around quoted fields were left out"),
        ] {
            if count > 0 {
                report.warn(Warning { count, ..Warning::new(code, message) });
            }
        }
    }

    /// Forgets the nodes: the reader's tree is another one.
    pub fn renew(&mut self) {
        self.nodes.clear();
        self.judged.clear();
    }

    /// What every field is held to; `quoted`: it stands in quotes.
    fn rules(&self, quoted: bool) -> FieldRules<'_> {
        FieldRules { decimal: self.decimal, nulls: &self.nulls, empty_is_text: self.quoted_empty && quoted }
    }

    /// The record just read is the first, and names the columns or shows how many there are.
    ///
    /// # Errors
    /// A header that cannot be one.
    fn take_header(&mut self, buffer: &[u8]) -> Result<(), Failure> {
        if self.tokenizer.count() > CSV_FIELDS {
            let message = format!("the header has more than {CSV_FIELDS} fields");
            return Err(Failure::limit(Code::TooManyColumns, message)
                .hint("is the delimiter another one? set it in [input]"));
        }
        let fields = || (0..self.tokenizer.fields().len()).map(|i| self.tokenizer.text(buffer, i));
        if self.header {
            if let Some(field) = self.tokenizer.invalid_field() {
                let message = format!("the name in field {} of the header is not valid UTF-8", field + 1);
                return Err(Failure::input(Code::SyntaxError, message).hint(ENCODING_HINT));
            }
            self.again = Header::new(fields().map(<[u8]>::to_vec).collect(), self.quote);
            self.counts.blanks += u64::from(self.tokenizer.trimmed());
        }
        let is_none = |text: Option<&[u8]>| text.is_some_and(<[u8]>::is_empty);
        let trailing =
            self.widths.trailing() && self.header && fields().len() > 1 && is_none(fields().next_back());
        let named = fields().len() - usize::from(trailing);
        self.names = Some(names::of_columns(fields().take(named), self.header));
        Ok(())
    }

    fn find_nodes(&mut self, reader: &mut Reader) -> Result<(), Failure> {
        let names = self.names.as_deref().unwrap_or_default();
        match reader {
            Reader::Shred(shredding) => self.nodes = shredding.shredder.csv_columns(names)?,
            Reader::Learn(learner) => {
                self.nodes = names.iter().map(|name| learner.csv_column(name)).collect::<Result<_, _>>()?;
                if let Some(judge) = learner.judge() {
                    self.judged = judge.csv_columns(names)?;
                }
            }
        }
        Ok(())
    }

    /// The record has fields that the header does not name, and they are to have columns.
    fn name_more(&mut self, reader: &mut Reader) -> Result<(), Failure> {
        let count = self.tokenizer.count().min(CSV_FIELDS);
        if self.widths.names_more() && count > self.nodes.len() {
            let names = self.names.get_or_insert_default();
            let more = count - names.len();
            names::extend(names, std::iter::repeat_n(&[][..], more), false);
            self.find_nodes(reader)?;
        }
        Ok(())
    }

    /// Puts the record's fields into the reader.
    fn read_fields(&self, reader: &mut Reader, buffer: &[u8], start: usize) -> Result<(), Stop> {
        let found = self.tokenizer.count();
        let last = self.tokenizer.fields().len().checked_sub(1);
        let ends_empty = last.is_some_and(|last| self.tokenizer.text(buffer, last).is_empty());
        let taken = self.widths.taken(found, self.nodes.len(), ends_empty).ok_or_else(|| {
            let hash = buffer.first() == Some(&b'#') && self.comment.is_empty();
            Stop::from(Reject::at("field_count", other_count(found, self.nodes.len(), hash), start))
        })?;
        if let Some(field) = self.tokenizer.invalid_field() {
            let message = format!("field {} is not valid UTF-8: {ENCODING_HINT}", field + 1);
            return Err(Reject::at("invalid_utf8", message, start).into());
        }
        for (i, &node) in self.nodes.iter().take(taken).enumerate() {
            let text = self.tokenizer.text(buffer, i);
            let rules = self.rules(self.tokenizer.fields()[i].quoted);
            let null = rules.is_null(text);
            match reader {
                Reader::Shred(shredding) if null && !shredding.shredder.has_own_nulls(node) => {}
                Reader::Learn(_) if node == NOWHERE => {}
                Reader::Shred(shredding) if node == NOWHERE => {
                    let name = self.names.as_ref().map_or(&[][..], |names| names[i].as_slice());
                    shredding.shredder.lost_field(name, start)?;
                }
                Reader::Shred(shredding) => shredding.shredder.field(node, text, rules, start)?,
                Reader::Learn(learner) => learner.field(node, text, null, self.decimal),
            }
        }
        if let Reader::Learn(learner) = reader
            && let Some(judge) = learner.judge_in_doubt()
        {
            judge.begin();
            let judged = self.judge(judge, buffer, taken, start);
            judge.rollback();
            judged?;
        }
        Ok(())
    }

    /// Whether the fields fit the columns whose types are known.
    fn judge(&self, judge: &mut Shredder, buffer: &[u8], taken: usize, start: usize) -> Result<(), Stop> {
        for (i, &node) in self.judged.iter().take(taken).enumerate() {
            let text = self.tokenizer.text(buffer, i);
            let rules = self.rules(self.tokenizer.fields()[i].quoted);
            if node != NOWHERE && (!rules.is_null(text) || judge.has_own_nulls(node)) {
                judge.field(node, text, rules, start)?;
            }
        }
        Ok(())
    }
}

impl CsvFrame {
    /// Puts the records that `buf` begins with into the reader, as many as are plain; they are in
    /// [`CsvFrame::block`]. None come if the next one is not plain, or one of them does not fit.
    fn read_block(&mut self, reader: &mut Reader, buf: &[u8], room: Room) -> bool {
        let Reader::Shred(shredding) = reader else { return false };
        let shredder = &mut shredding.shredder;
        if self.one_by_one > 0 {
            self.one_by_one -= 1;
            return false;
        }
        if self.nodes.is_empty() || !self.tokenizer.cuts_blocks() || !shredder.takes_blocks(&self.nodes) {
            return false;
        }
        self.tokenizer.block(buf, self.nodes.len(), room, &mut self.block);
        if self.quoted_empty && self.block.has_quotes() {
            self.one_by_one = self.block.cut.max(ONE_BY_ONE);
            return false;
        }
        let asides = [self.comment.as_slice(), &self.footer.at];
        if let Some(aside) = aside::first_in(&self.block, buf, self.again.as_ref(), asides) {
            self.block.keep(aside);
            self.one_by_one = self.block.cut - aside;
        }
        let rules = FieldRules { decimal: self.decimal, nulls: &self.nulls, empty_is_text: false };
        if self.block.records > 0 && shredder.take_block(&self.nodes, buf, &self.block, rules) {
            return true;
        }
        if self.block.cut > 0 || self.block.odd {
            // This one is the first of them.
            self.one_by_one = self.block.cut.max(ONE_BY_ONE) - 1;
        }
        false
    }
}

impl Feed {
    /// The plain records that come next, or the one record.
    pub(super) fn csv_records(
        &mut self,
        frame: &mut CsvFrame,
        reader: &mut Reader,
        ledger: &mut Ledger,
    ) -> Result<Record, Failure> {
        let start = self.source.position();
        let room = Room {
            records: (BATCH_RECORDS - self.spans.len()).min(reader.room()),
            bytes: BATCH_BYTES - (start - self.batch_start),
            record_bytes: self.limits.record_bytes,
        };
        let table = frame.footer.before(self.source.rest(), self.source.finished);
        if !frame.read_block(reader, table, room) {
            return self.csv_record(frame, reader, ledger);
        }
        let block = &frame.block;
        for record in 0..block.records {
            ledger.report.records += 1;
            let (from, to) = (start + block.start(record), start + block.start(record + 1));
            self.spans.push(Span { start: from, end: to, number: ledger.report.records });
        }
        ledger.report.accepted += block.records as u64;
        self.source.advance_to(start + block.bytes);
        Ok(Record::Taken)
    }

    /// One CSV record.
    fn csv_record(
        &mut self,
        frame: &mut CsvFrame,
        reader: &mut Reader,
        ledger: &mut Ledger,
    ) -> Result<Record, Failure> {
        let start = self.source.position();
        let rest = frame.footer.before(self.source.rest(), self.source.finished);
        if !frame.comment.is_empty() && rest.starts_with(&frame.comment) {
            return self.comment(frame);
        }
        if !frame.footer.at.is_empty() && rest.starts_with(&frame.footer.at) {
            return Ok(Record::Goes(Framing::Rest));
        }
        if !frame.header {
            frame.lead.get_or_insert(self.source.offset(start));
        }
        let number = ledger.next_number();
        let step = match frame.tokenizer.read(rest, self.source.finished) {
            Ok(step) => step,
            Err(error) => return self.broken(frame, reader, ledger, &error),
        };
        let consumed = match step {
            CsvStep::Incomplete => return Ok(Record::Wait),
            CsvStep::End if self.source.finished => return Ok(Record::End),
            CsvStep::End => return Ok(Record::Wait),
            CsvStep::Blank { consumed, .. } => {
                self.source.advance_to(start + consumed);
                return Ok(Record::Taken);
            }
            CsvStep::Record { consumed, .. } => consumed,
        };
        if frame.names.is_none() {
            frame.take_header(rest).map_err(|failure| failure.at(self.source.place(start)))?;
            if frame.header {
                frame.lead = Some(self.source.offset(start + consumed));
                self.source.advance_to(start + consumed);
                return Ok(Record::Taken);
            }
        } else if frame.again.as_ref().is_some_and(|header| header.is(&frame.tokenizer, rest)) {
            frame.counts.headers += 1;
            self.source.advance_to(start + consumed);
            return Ok(Record::Taken);
        }
        if frame.nodes.is_empty() {
            frame.find_nodes(reader)?;
        }
        frame.name_more(reader)?;
        reader.begin();
        let span = Span { start, end: start + consumed, number };
        let accepted = ledger.report.accepted;
        let came = match frame.read_fields(reader, rest, start) {
            Ok(()) => self.accept(reader, ledger, span),
            Err(stop) => self.refuse(reader, ledger, stop, span),
        };
        if let Ok(Record::Taken) = came {
            frame.counts.blanks += u64::from(frame.tokenizer.trimmed());
            if ledger.report.accepted > accepted {
                self.odd_widths.note(frame.tokenizer.count(), frame.nodes.len(), frame.widths);
            }
        }
        came
    }

    /// A record that is no CSV.
    #[cold]
    fn broken(
        &mut self,
        frame: &CsvFrame,
        reader: &mut Reader,
        ledger: &mut Ledger,
        error: &SyntaxError,
    ) -> Result<Record, Failure> {
        let (start, number) = (self.source.position(), ledger.next_number());
        if frame.names.is_none() || error.fault == CsvFault::OpenQuote {
            // An open quote swallows all that follows: there is no next record to go on with.
            let failure = Failure::input(Code::SyntaxError, error.message());
            let place = Place { record: Some(number), ..self.source.place(start + error.offset) };
            return Err(failure.hint(error.hint()).at(place));
        }
        let message = format!("{}, at line {}", error.message(), self.source.line(start + error.offset));
        let end = start + error.consumed;
        let stop = Reject::at("syntax_error", message, start).into();
        self.refuse(reader, ledger, stop, Span { start, end, number })
    }

    /// A line that is a comment; whether it is there as a whole.
    #[cold]
    fn comment(&mut self, frame: &mut CsvFrame) -> Result<Record, Failure> {
        let start = self.source.position();
        let rest = self.source.rest();
        let end = match find_line_end(rest) {
            Some(end) => end,
            None if self.source.finished => rest.len(),
            None => return Ok(Record::Wait),
        };
        if let Some(names) = dialect::fields_line(&rest[..end]).filter(|_| !frame.header) {
            match &frame.named_by {
                Some(before) if before != names => {
                    let message = "a comment names other columns than the one before it";
                    let failure = Failure::input(Code::SyntaxError, message).at(self.source.place(start));
                    return Err(failure.hint("take the log apart where its #Fields change"));
                }
                Some(_) => {}
                None => frame.named_by = Some(names.to_vec()),
            }
        }
        frame.counts.comments += 1;
        self.source.advance_to(start + end);
        Ok(Record::Taken)
    }
}
