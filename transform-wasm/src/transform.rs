//! What a component is made of: [`Transform`], which `component!` exports.
//!
//! For: crates that are a transform of their own. Not for: hosts, which meet a component through the WIT.

use std::marker::PhantomData;

use crate::error::Failure;
use crate::extension::Extension;
use crate::job::{Job, Options, Step};
use crate::limits::Limits;
use crate::spec::SPEC_VERSION;

/// What a transform tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Highest version of the spec's form that it reads.
    pub spec_version: u32,
    /// Its limits, a JSON object.
    pub limits: String,
}

/// The interface of `wit/transform.wit`, as Rust: one value is one job. Implement it for a whole pipeline of
/// one's own; [`Job`] is the one that ships, [`Extended`] the same with an extension.
pub trait Transform: Sized + 'static {
    /// What it tells of itself.
    fn describe() -> Description;

    /// Checks spec and contracts; reads nothing.
    ///
    /// # Errors
    /// The spec or a contract is wrong.
    fn open(options: Options) -> Result<Self, Failure>;

    /// Takes bytes of the source object, at most 1 MiB, split anywhere; does no work.
    fn push(&mut self, chunk: Vec<u8>);

    /// No more bytes will come.
    fn end(&mut self);

    /// Does a bounded amount of work: at most 1 MiB of decoded input or 8 MiB of output.
    ///
    /// # Errors
    /// The job failed and is over.
    fn step(&mut self) -> Result<Step, Failure>;

    /// Traces from here on: called right after `open`, or not at all. A transform need not trace.
    fn trace(&mut self) {}

    /// The trace of a part's next rows, as `trace.take` of the WIT has it; empty if nothing is traced.
    fn take_trace(&mut self, _part: u32) -> Vec<u8> {
        Vec::new()
    }
}

/// The pipeline that ships, with an extension between `derive` and `filter`.
pub struct Extended<E> {
    job: Job,
    extension: PhantomData<E>,
}

impl Transform for Job {
    fn describe() -> Description {
        describe("lakegate", env!("CARGO_PKG_VERSION"))
    }

    fn open(options: Options) -> Result<Self, Failure> {
        Self::open(options)
    }

    fn push(&mut self, chunk: Vec<u8>) {
        Self::push(self, chunk);
    }

    fn end(&mut self) {
        Self::end(self);
    }

    fn step(&mut self) -> Result<Step, Failure> {
        Self::step(self)
    }

    fn trace(&mut self) {
        Self::trace(self);
    }

    fn take_trace(&mut self, part: u32) -> Vec<u8> {
        Self::take_trace(self, part)
    }
}

impl<E: Extension + Default> Transform for Extended<E> {
    fn describe() -> Description {
        let extension = E::default();
        describe(extension.name(), extension.version())
    }

    fn open(options: Options) -> Result<Self, Failure> {
        Ok(Self { job: Job::open_with(options, E::default())?, extension: PhantomData })
    }

    fn push(&mut self, chunk: Vec<u8>) {
        self.job.push(chunk);
    }

    fn end(&mut self) {
        self.job.end();
    }

    fn step(&mut self) -> Result<Step, Failure> {
        self.job.step()
    }

    fn trace(&mut self) {
        self.job.trace();
    }

    fn take_trace(&mut self, part: u32) -> Vec<u8> {
        self.job.take_trace(part)
    }
}

/// A description with this crate's spec version and limits.
#[must_use]
pub fn describe(name: &str, version: &str) -> Description {
    let limits = Limits::default();
    Description {
        name: name.to_owned(),
        version: version.to_owned(),
        spec_version: SPEC_VERSION,
        limits: serde_json::json!({
            "record_bytes": limits.record_bytes,
            "depth": limits.depth,
            "columns": limits.columns,
            "partitions": limits.partitions,
        })
        .to_string(),
    }
}
