//! One pass of a job over its input: pumps bytes in, hands what comes out to a sink.
//!
//! Not for deciding what a pass is for. The decision to know: input is read only when the job asks for
//! it, so that at most one chunk is in the host's memory.

use crate::run::Progress;
use crate::source::Source;
use lakegate_base::{Code, Error, Result};
use lakegate_model::report::Report;
use lakegate_sandbox::{Session, Step, Widened};

/// Where a job's outputs go.
pub(crate) trait Sink {
    fn opened(&mut self, id: u32, table: String, partition: String) -> Result<()>;
    fn bytes(&mut self, id: u32, bytes: &[u8]) -> Result<()>;
    fn closed(&mut self, id: u32, rows: u64, bytes: u64, digest: String) -> Result<()>;
    fn quarantine(&mut self, lines: &[u8]) -> Result<()>;
    /// Throws away all that came so far: another pass begins.
    fn reset(&mut self);
}

/// How a job ended.
pub(crate) enum End {
    /// The contract must grow first.
    Widen(Widened),
    /// All is made.
    Done(Report),
}

/// Runs a job to its end. Without a source it has no input at all: to join what was learned.
pub(crate) fn pass(
    mut session: Session,
    source: Option<&Source>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<End> {
    let mut chunks = match source {
        Some(source) => Some(source.open()?),
        None => {
            session.end()?;
            None
        }
    };
    let mut read = 0u64;
    loop {
        match session.step()? {
            Step::NeedInput => {
                let Some(input) = &mut chunks else { continue };
                match session.push_from(|piece| Ok(input.next_into(piece)?))? {
                    0 => {
                        session.end()?;
                        chunks = None;
                    }
                    more => {
                        read += more as u64;
                        progress(Progress::Read(read));
                    }
                }
            }
            Step::Working => {}
            Step::PartOpened { id, table, partition } => sink.opened(id, table, partition)?,
            Step::PartBytes { id, bytes } => sink.bytes(id, &bytes)?,
            Step::PartClosed { id, rows, bytes, digest } => sink.closed(id, rows, bytes, digest)?,
            Step::Quarantine(lines) => sink.quarantine(&lines)?,
            Step::Widen(widened) => return Ok(End::Widen(widened)),
            Step::Done(text) => {
                let report = Report::parse(&text)
                    .map_err(|error| Error::new(Code::ReportUnreadable, format!("the report: {error}")))?;
                return Ok(End::Done(report));
            }
        }
    }
}

/// A sink for jobs that are only to propose: whatever comes out is void.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn opened(&mut self, _id: u32, _table: String, _partition: String) -> Result<()> {
        Ok(())
    }

    fn bytes(&mut self, _id: u32, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }

    fn closed(&mut self, _id: u32, _rows: u64, _bytes: u64, _digest: String) -> Result<()> {
        Ok(())
    }

    fn quarantine(&mut self, _lines: &[u8]) -> Result<()> {
        Ok(())
    }

    fn reset(&mut self) {}
}
