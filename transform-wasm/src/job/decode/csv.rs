//! CSV records: the header, then one record a line (or more, where fields are quoted).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Code, Failure, Place};
use crate::input::csv::{Block, CsvFault, CsvStep, CsvTokenizer, Room};
use crate::json::{NOWHERE, Reject, Stop};
use crate::limits::{BATCH_BYTES, BATCH_RECORDS, CSV_FIELDS};
use crate::shred::{FieldRules, Shredder};
use crate::spec::Input;

use super::super::ledger::Ledger;
use super::super::quarantine::Span;
use super::super::reader::{Learning, Reader};
use super::{Feed, Record};

/// Records that come one by one after one that no block could hold: odd ones often stand together.
const ONE_BY_ONE: usize = 64;

/// What is known of a CSV input.
pub struct CsvFrame {
    tokenizer: CsvTokenizer,
    block: Block,
    /// So many records come one by one before a block is tried again.
    one_by_one: usize,
    header: bool,
    /// Names of the columns, once known.
    names: Option<Vec<Vec<u8>>>,
    /// Nodes of the columns in the reader's tree, once asked for.
    nodes: Vec<u32>,
    /// The same in the tree of who judges what a reader learns from.
    judged: Vec<u32>,
    nulls: Vec<Vec<u8>>,
    decimal: u8,
}

impl CsvFrame {
    /// Reads as the spec's `[input]` says.
    pub fn new(tokenizer: CsvTokenizer, input: &Input) -> Self {
        let names = (!input.header && !input.columns.is_empty())
            .then(|| input.columns.iter().map(|c| c.clone().into_bytes()).collect());
        Self {
            tokenizer,
            block: Block::default(),
            one_by_one: 0,
            header: input.header,
            names,
            nodes: Vec::new(),
            judged: Vec::new(),
            nulls: input.null_values.iter().map(|v| v.clone().into_bytes()).collect(),
            decimal: input.decimal as u8,
        }
    }

    /// Forgets the nodes: the reader's tree is another one.
    pub fn renew(&mut self) {
        self.nodes.clear();
        self.judged.clear();
    }

    fn is_null(&self, text: &[u8]) -> bool {
        text.is_empty() || self.nulls.iter().any(|null| null == text)
    }

    /// Names from the header (or numbers), a repeated one with its count.
    fn name_columns(&mut self, buffer: &[u8]) {
        let fields = self.tokenizer.fields().len();
        let mut names: Vec<Vec<u8>> = Vec::with_capacity(fields);
        let mut taken: BTreeSet<Vec<u8>> = BTreeSet::new();
        // How often a name came so far: no count below is free any more.
        let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for i in 0..fields {
            let text = self.tokenizer.text(buffer, i).trim_ascii();
            let plain = if self.header && !text.is_empty() {
                text.to_vec()
            } else {
                format!("column_{}", i + 1).into_bytes()
            };
            let mut name = plain.clone();
            if taken.contains(&name) {
                let count = counts.entry(plain.clone()).or_insert(1);
                while taken.contains(&name) {
                    *count += 1;
                    name = [plain.as_slice(), format!("_{count}").as_bytes()].concat();
                }
            }
            taken.insert(name.clone());
            names.push(name);
        }
        self.names = Some(names);
    }

    fn find_nodes(&mut self, reader: &mut Reader) -> Result<(), Failure> {
        let names = self.names.as_deref().unwrap_or_default();
        match reader {
            Reader::Shred(shredding) => self.nodes = shredding.shredder.csv_columns(names)?,
            Reader::Learn(learning) => {
                let Learning { learner, judge } = &mut **learning;
                self.nodes = names.iter().map(|name| learner.csv_column(name)).collect::<Result<_, _>>()?;
                if let Some(judge) = judge {
                    self.judged = judge.csv_columns(names)?;
                }
            }
        }
        Ok(())
    }

    /// Puts the record's fields into the reader.
    fn read_fields(&self, reader: &mut Reader, buffer: &[u8], start: usize) -> Result<(), Stop> {
        let (found, wanted) = (self.tokenizer.count(), self.nodes.len());
        if found != wanted {
            let message = format!("the record has {found} fields, the header has {wanted}");
            return Err(Reject::at("field_count", message, start).into());
        }
        if let Some(field) = self.tokenizer.invalid_field() {
            return Err(
                Reject::at("invalid_utf8", format!("field {} is not valid UTF-8", field + 1), start).into()
            );
        }
        let rules = FieldRules { decimal: self.decimal, nulls: &self.nulls };
        if let Reader::Learn(learning) = reader
            && let Some(judge) = &mut learning.judge
        {
            judge.begin();
            let judged = self.judge(judge, buffer, rules, start);
            judge.rollback();
            judged?;
        }
        for (i, &node) in self.nodes.iter().enumerate() {
            let text = self.tokenizer.text(buffer, i);
            let null = self.is_null(text);
            match reader {
                Reader::Shred(shredding) if null && !shredding.shredder.has_own_nulls(node) => {}
                Reader::Learn(_) if node == NOWHERE => {}
                Reader::Shred(shredding) if node == NOWHERE => {
                    let name = self.names.as_ref().map_or(&[][..], |names| names[i].as_slice());
                    shredding.shredder.lost_field(name, start)?;
                }
                Reader::Shred(shredding) => shredding.shredder.field(node, text, rules, start)?,
                Reader::Learn(learning) => learning.learner.field(node, text, null, self.decimal),
            }
        }
        Ok(())
    }

    /// Whether the fields fit the columns whose types are known.
    fn judge(
        &self,
        judge: &mut Shredder,
        buffer: &[u8],
        rules: FieldRules<'_>,
        start: usize,
    ) -> Result<(), Stop> {
        for (i, &node) in self.judged.iter().enumerate() {
            let text = self.tokenizer.text(buffer, i);
            if node != NOWHERE && (!self.is_null(text) || judge.has_own_nulls(node)) {
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
        if self.nodes.is_empty() || !shredder.takes_blocks(&self.nodes) {
            return false;
        }
        self.tokenizer.block(buf, self.nodes.len(), room, &mut self.block);
        let rules = FieldRules { decimal: self.decimal, nulls: &self.nulls };
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
        if !frame.read_block(reader, self.source.rest(), room) {
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
        let rest = &self.source.buffer()[start..];
        let number = ledger.next_number();
        let step = match frame.tokenizer.read(rest, self.source.finished) {
            Ok(step) => step,
            Err(error) => {
                if frame.names.is_none() || error.fault == CsvFault::OpenQuote {
                    // An open quote swallows all that follows: there is no next record to go on with.
                    let failure = Failure::input(Code::SyntaxError, error.message());
                    let place = Place { record: Some(number), ..self.source.place(start + error.offset) };
                    return Err(failure.hint(error.hint()).at(place));
                }
                let message =
                    format!("{}, at line {}", error.message(), self.source.line(start + error.offset));
                let end = start + error.consumed;
                let stop = Reject::at("syntax_error", message, start).into();
                return self.refuse(reader, ledger, stop, Span { start, end, number });
            }
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
            if frame.tokenizer.count() > CSV_FIELDS {
                let failure = Failure::limit(
                    Code::TooManyColumns,
                    format!("the header has more than {CSV_FIELDS} fields"),
                );
                return Err(failure.hint("is the delimiter another one? set it in [input]"));
            }
            frame.name_columns(rest);
            if frame.header {
                self.source.advance_to(start + consumed);
                return Ok(Record::Taken);
            }
        }
        if frame.nodes.is_empty() {
            frame.find_nodes(reader)?;
        }
        reader.begin();
        let span = Span { start, end: start + consumed, number };
        match frame.read_fields(reader, rest, start) {
            Ok(()) => self.accept(reader, ledger, span),
            Err(stop) => self.refuse(reader, ledger, stop, span),
        }
    }
}
