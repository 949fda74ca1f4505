//! The job: one source object through the transform, in short steps.
//!
//! ```text
//! push ─ source ─ decode ─ batch ─ rows (derive, extend, filter, check, partition) ─ parts ─ steps
//!          │         │
//!          │         └─ rejected records ─ quarantine
//!          └─ decompress, place of a byte
//! ```
//!
//! A job either shreds (its contracts are known) or learns. It begins to learn when a contract is missing or
//! a path is new, and then ends with the contracts it proposes; what it had emitted until then is void. So no
//! value is ever cast to fit a guess.
//!
//! [`Job`] only sequences. What it was told is in [`terms`], the bytes and their framing in [`decode`], who
//! reads records in [`reader`], the account of them in [`ledger`]; each is handed the others that it needs.

mod agree;
mod decode;
mod extend;
mod ledger;
mod masks;
mod open;
mod parts;
mod quarantine;
mod reader;
mod replaced;
mod rescue;
mod rows;
mod source;
mod terms;
mod trace;

#[cfg(test)]
mod csv_kinds_tests;
#[cfg(test)]
mod csv_tests;
#[cfg(test)]
mod extend_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod masks_tests;
#[cfg(test)]
mod odd_input_tests;
#[cfg(test)]
mod odd_spec_tests;
#[cfg(test)]
mod rescue_tests;
#[cfg(test)]
mod reshape_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod trace_tests;
#[cfg(test)]
mod values_tests;

use std::collections::VecDeque;

pub use lakegate_model::SourceFacts;

use crate::error::Failure;

use decode::{Decoded, Decoder};
use ledger::Ledger;
use reader::Reader;
use terms::Terms;

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
    /// What earlier jobs learned, a line each.
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

/// One source object on its way through.
pub struct Job {
    terms: Terms,
    decoder: Decoder,
    reader: Reader,
    ledger: Ledger,
    queue: VecDeque<Step>,
    phase: Phase,
    /// Why it fails, once the lines of what was rejected before have gone out.
    failure: Option<Failure>,
}

/// How far a job is.
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
        self.decoder.feed.source.push(chunk);
    }

    /// No more bytes will come.
    pub fn end(&mut self) {
        self.decoder.feed.source.end();
    }

    /// Traces from here on; called right after the job was opened, or not at all.
    pub fn trace(&mut self) {
        if let Reader::Shred(shredding) = &mut self.reader {
            shredding.parts.trace();
        }
    }

    /// The trace of a part's next rows, as `trace.take` of the WIT has it.
    pub fn take_trace(&mut self, part: u32) -> Vec<u8> {
        match &mut self.reader {
            Reader::Shred(shredding) => shredding.parts.take_trace(part),
            Reader::Learn(_) => Vec::new(),
        }
    }

    /// Does a bounded amount of work.
    ///
    /// # Errors
    /// A [`Failure`]; the job is over then.
    pub fn step(&mut self) -> Result<Step, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.advance().or_else(|failure| {
            let reading = self.phase == Phase::Read;
            self.phase = Phase::Over;
            match self.ledger.quarantine.take(true) {
                Some(lines) if reading => {
                    self.failure = Some(failure);
                    Ok(Step::Quarantine(lines))
                }
                _ => Err(failure),
            }
        })
    }

    fn advance(&mut self) -> Result<Step, Failure> {
        if let Some(step) = self.queue.pop_front() {
            return Ok(step);
        }
        if let Some(lines) = self.ledger.quarantine.take(self.phase != Phase::Read) {
            return Ok(Step::Quarantine(lines));
        }
        match self.phase {
            Phase::Agree => self.widen(),
            Phase::Read => self.encode_or_read(),
            Phase::Drain => self.drain(),
            Phase::Over => Err(Failure::internal("the job is over")),
        }
    }

    /// A row group that is due goes first: rows wait until it is written.
    fn encode_or_read(&mut self) -> Result<Step, Failure> {
        if let Reader::Shred(shredding) = &mut self.reader
            && shredding.parts.encode(&mut self.queue)?
        {
            return Ok(self.queue.pop_front().unwrap_or(Step::Working));
        }
        self.read()
    }

    /// One step of reading: bytes in, records out, a batch passed on when it is full.
    fn read(&mut self) -> Result<Step, Failure> {
        if !self.decoder.feed.source.has_enough()? {
            return Ok(Step::NeedInput);
        }
        match self.decoder.decode(&mut self.reader, &mut self.ledger)? {
            Decoded::Waits => {}
            Decoded::BatchFull => self.pass_batch_on()?,
            Decoded::NewPath => self.begin_learning()?,
            Decoded::Finished => {
                self.pass_batch_on()?;
                return self.finish_reading();
            }
        }
        Ok(self.queue.pop_front().unwrap_or(Step::Working))
    }

    fn pass_batch_on(&mut self) -> Result<(), Failure> {
        let Self { decoder: Decoder { feed, .. }, reader, ledger, .. } = self;
        if let Reader::Shred(shredding) = reader {
            let numbers = feed.spans().iter().map(|span| span.number);
            for (record, reject) in shredding.pass_on(numbers, &mut ledger.report)? {
                ledger.reject(&feed.source, feed.spans()[record as usize], &reject)?;
            }
        }
        feed.forget_batch();
        Ok(())
    }

    /// A path is new: all that was made is void, and the rest of the input is only learned from.
    fn begin_learning(&mut self) -> Result<(), Failure> {
        self.reader = self.terms.learner()?;
        self.decoder.renew();
        self.queue.clear();
        self.ledger.forget_rejected();
        Ok(())
    }

    fn finish_reading(&mut self) -> Result<Step, Failure> {
        self.decoder.finish(&mut self.ledger.report)?;
        let Reader::Shred(shredding) = &mut self.reader else { return self.widen() };
        let report = &self.ledger.report;
        if !self.terms.max_rejected.allows(report.misfits(), report.records) {
            return Err(self.ledger.too_many_rejected());
        }
        shredding.parts.finish();
        self.phase = Phase::Drain;
        Ok(Step::Working)
    }

    /// Ends the job with the contracts it asks for.
    fn widen(&mut self) -> Result<Step, Failure> {
        let agreed_by_spec = self.phase == Phase::Agree;
        let Self { terms, decoder, reader, ledger, .. } = self;
        let step = agree::widen(terms, &decoder.input, reader, decoder.found(), ledger, agreed_by_spec)?;
        self.phase = Phase::Over;
        // The pass that is to come says it of the same records.
        self.ledger.quarantine.clear();
        Ok(step)
    }

    fn drain(&mut self) -> Result<Step, Failure> {
        if let Reader::Shred(shredding) = &mut self.reader {
            if shredding.parts.encode(&mut self.queue)? {
                return Ok(self.queue.pop_front().unwrap_or(Step::Working));
            }
            shredding.report(&mut self.ledger.report);
        }
        self.phase = Phase::Over;
        Ok(Step::Done(self.ledger.report.to_text()))
    }
}
