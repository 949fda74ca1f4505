//! The job: one source object through the transform, in short steps.
//!
//! ```text
//! push ─ source ─ decode ─ batch ─ rows (derive, extend, filter, check, partition) ─ parts ─ steps
//!          │         │
//!          │         └─ rejected records ─ quarantine
//!          └─ decompress, place of a byte
//! ```
//!
//! The decision to know: a job either shreds (its contracts are known) or learns. It begins to learn
//! when a contract is missing or a path is new, and then ends with the contracts it proposes; what it
//! had emitted until then is void. So no value is ever cast to fit a guess.

mod agree;
mod decode;
mod extend;
mod open;
mod parts;
mod quarantine;
mod rows;
mod source;
mod trace;

#[cfg(test)]
mod extend_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod trace_tests;

use std::collections::VecDeque;
use std::sync::Arc;

pub use lakegate_model::SourceFacts;

use crate::contract::Contract;
use crate::error::{Code, Failure};
use crate::extension::Extension;
use crate::report::{Report, Warning};
use crate::shred::{Learner, Shredder};
use crate::spec::{MaxRejected, Spec};

use decode::Decoder;
use parts::Parts;
use quarantine::Quarantine;
use rows::Rows;
use source::Source;

/// A contract's text and its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableContract {
    /// Table name.
    pub table: String,
    /// The contract as JSON, exactly the stored bytes.
    pub text: String,
}

/// Everything a job is told; see the WIT for each.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The spec; the empty text means: propose one.
    pub spec: String,
    /// Name of the table when the spec names none.
    pub table: Option<String>,
    /// Live contracts.
    pub contracts: Vec<TableContract>,
    /// What an earlier job learned.
    pub learned: Option<String>,
    /// Key-value pairs for every footer.
    pub footer: Vec<(String, String)>,
    /// Where the input came from; enters the output only if the spec asks for it.
    pub source: SourceFacts,
    /// Second pass: nothing widens.
    pub final_pass: bool,
    /// Learn only.
    pub propose: bool,
}

/// The contracts the input asks for.
#[derive(Clone, Debug)]
pub struct Widened {
    /// One a table of the job.
    pub contracts: Vec<TableContract>,
    /// A spec that pins them.
    pub spec: String,
    /// What was learned.
    pub learned: String,
    /// The report so far.
    pub report: String,
}

/// What one step came to.
#[derive(Clone, Debug)]
pub enum Step {
    /// Push or end, then step again.
    NeedInput,
    /// Step again.
    Working,
    /// A part file begins.
    PartOpened {
        /// Number of the part.
        id: u32,
        /// Table name.
        table: String,
        /// Escaped Hive path with a trailing slash, or empty.
        partition: String,
    },
    /// The next bytes of a part file.
    PartBytes {
        /// Number of the part.
        id: u32,
        /// At most [`crate::limits::PIECE_BYTES`].
        bytes: Vec<u8>,
    },
    /// A part file is complete.
    PartClosed {
        /// Number of the part.
        id: u32,
        /// Its rows.
        rows: u64,
        /// Its size.
        bytes: u64,
    },
    /// JSON lines of rejected records.
    Quarantine(Vec<u8>),
    /// The contract must grow first.
    Widen(Widened),
    /// The report as JSON.
    Done(String),
}

/// Who reads records.
enum Reader {
    Shred(Box<Shredder>),
    Learn(Box<Learner>),
}

/// One source object on its way through.
pub struct Job {
    spec: Spec,
    no_spec: bool,
    options: Options,
    extension: Option<Arc<dyn Extension>>,
    tables: Vec<String>,
    live: Vec<Option<Contract>>,
    max_rejected: MaxRejected,
    source: Source,
    decoder: Decoder,
    reader: Reader,
    rows: Option<Rows>,
    parts: Parts,
    quarantine: Quarantine,
    report: Report,
    queue: VecDeque<Step>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The contract follows from the spec: say so before any input.
    Agree,
    /// Reading.
    Read,
    /// Writing what the part buffers still hold.
    Drain,
    /// Over.
    Over,
}

impl Job {
    /// Hands over bytes of the source object, split anywhere.
    pub fn push(&mut self, chunk: impl Into<Vec<u8>>) {
        self.source.push(chunk);
    }

    /// No more bytes will come.
    pub fn end(&mut self) {
        self.source.end();
    }

    /// Traces from here on; called right after the job was opened, or not at all.
    pub fn trace(&mut self) {
        self.parts.trace();
    }

    /// The trace of a part's next rows, as `trace.take` of the WIT has it.
    pub fn take_trace(&mut self, part: u32) -> Vec<u8> {
        self.parts.take_trace(part)
    }

    /// Does a bounded amount of work.
    ///
    /// # Errors
    /// A [`Failure`]; the job is over then.
    pub fn step(&mut self) -> Result<Step, Failure> {
        let step = self.advance();
        if step.is_err() {
            self.phase = Phase::Over;
        }
        step
    }

    fn advance(&mut self) -> Result<Step, Failure> {
        if let Some(step) = self.queue.pop_front() {
            return Ok(step);
        }
        if let Some(lines) = self.quarantine.take(self.phase != Phase::Read) {
            return Ok(Step::Quarantine(lines));
        }
        match self.phase {
            Phase::Agree => self.widen(),
            Phase::Read if self.parts.is_encoding() => self.encode(),
            Phase::Read => self.read(),
            Phase::Drain => self.drain(),
            Phase::Over => Err(Failure::internal("the job is over")),
        }
    }

    fn encode(&mut self) -> Result<Step, Failure> {
        self.parts.encode(&mut self.queue)?;
        Ok(self.queue.pop_front().unwrap_or(Step::Working))
    }

    /// One step of reading: bytes in, records out, a batch passed on when it is full.
    fn read(&mut self) -> Result<Step, Failure> {
        if self.source.wants_more() && !self.source.fill()? {
            return Ok(Step::NeedInput);
        }
        let read = self.decode()?;
        if read.new_path {
            self.begin_learning()?;
        } else if read.batch_full || read.finished {
            self.pass_batch_on()?;
        }
        if read.finished {
            return self.finish_reading();
        }
        Ok(self.queue.pop_front().unwrap_or(Step::Working))
    }

    fn pass_batch_on(&mut self) -> Result<(), Failure> {
        if let (Reader::Shred(shredder), Some(rows)) = (&mut self.reader, &mut self.rows) {
            self.parts.trace_batch(self.decoder.spans.iter().map(|span| span.number));
            let rejected = rows.take(&mut shredder.batch, &mut self.parts, &mut self.report)?;
            for (record, reject) in rejected {
                let span = self.decoder.spans[record as usize];
                let name = reject.table.map(|t| self.tables[t].as_str());
                self.quarantine.add(&self.source, span, name, &reject, &mut self.report)?;
            }
            shredder.batch.clear();
            self.parts.keep_budget()?;
        }
        self.decoder.spans.clear();
        self.source.forget();
        self.decoder.batch_start = self.source.position();
        Ok(())
    }

    fn finish_reading(&mut self) -> Result<Step, Failure> {
        self.decoder.check_end(&mut self.report)?;
        self.report.bytes = self.source.bytes_read();
        self.report.compression = self.source.compression().into();
        if matches!(self.reader, Reader::Learn(_)) {
            return self.widen();
        }
        if !self.max_rejected.allows(self.report.rejected, self.report.records) {
            // The quarantine goes out first: it says why.
            if let Some(lines) = self.quarantine.take(true) {
                return Ok(Step::Quarantine(lines));
            }
            return Err(self.too_many_rejected());
        }
        self.parts.finish();
        self.phase = Phase::Drain;
        Ok(Step::Working)
    }

    fn too_many_rejected(&self) -> Failure {
        let report = &self.report;
        let codes: Vec<String> = report.rejects.iter().map(|(code, n)| format!("{n} × {code}")).collect();
        Failure::input(
            Code::TooManyRejected,
            format!(
                "{} of {} records were rejected ({}), which is more than max_rejected allows",
                report.rejected,
                report.records,
                codes.join(", ")
            ),
        )
        .hint(MaxRejected::HINT)
    }

    fn drain(&mut self) -> Result<Step, Failure> {
        if self.parts.encode(&mut self.queue)? {
            return Ok(self.queue.pop_front().unwrap_or(Step::Working));
        }
        self.phase = Phase::Over;
        if let (Reader::Shred(shredder), Some(rows)) = (&self.reader, &self.rows) {
            rows.report(&mut self.report);
            if shredder.discarded > 0 {
                let mut warning =
                    Warning::new("discarded", "values of unknown paths were dropped (mode = \"discard\")");
                warning.count = shredder.discarded;
                self.report.warn(warning);
            }
        }
        for (table, parts) in self.report.tables.iter_mut().zip(self.parts.counts()) {
            table.parts = parts;
        }
        Ok(Step::Done(self.report.to_text()))
    }
}
