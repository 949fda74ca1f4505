//! What a job is told and what it answers, and how that crosses the interface.
//!
//! Not for calling a guest (`session`) or believing it (`ledger`).

use crate::bindings;
use lakegate_base::{Error, Fault, Place};
pub use lakegate_model::SourceFacts;

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name of the transform.
    pub name: String,
    /// Semantic version of its code.
    pub version: String,
    /// Highest spec version that it understands.
    pub spec_version: u32,
    /// Its own limits as JSON, name to number.
    pub limits: String,
}

/// A contract text for one table, exactly the stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableContract {
    /// Table name.
    pub table: String,
    /// The contract as JSON.
    pub text: String,
}

/// Everything a job is told when it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// The spec; the empty text means: propose one.
    pub spec: String,
    /// Name of the table when the spec names none.
    pub table: Option<String>,
    /// Live contracts, one a table.
    pub contracts: Vec<TableContract>,
    /// What earlier jobs learned, a line each.
    pub learned: Option<String>,
    /// Key-value pairs for every footer.
    pub footer: Vec<(String, String)>,
    /// Where the input came from; enters outputs only if the spec asks for it.
    pub source: SourceFacts,
    /// True on the second pass: nothing widens any more.
    pub final_pass: bool,
    /// True to learn only: makes no parts.
    pub propose: bool,
}

/// The contracts that the input asks for; everything the job emitted before is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widened {
    /// One contract for every table of the job.
    pub contracts: Vec<TableContract>,
    /// A spec that pins these contracts.
    pub spec: String,
    /// What was learned.
    pub learned: String,
    /// The report so far as JSON.
    pub report: String,
}

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Push or end, then step again.
    NeedInput,
    /// There is more to do: step again.
    Working,
    /// A part file begins.
    PartOpened {
        /// Number of the part in this job, from 0.
        id: u32,
        /// Table.
        table: String,
        /// Escaped Hive path with a trailing slash, or empty.
        partition: String,
    },
    /// The next bytes of a part file.
    PartBytes {
        /// Number of the part.
        id: u32,
        /// At most 8 MiB.
        bytes: Vec<u8>,
    },
    /// A part file is complete; its bytes were counted and hashed here.
    PartClosed {
        /// Number of the part.
        id: u32,
        /// Rows in it.
        rows: u64,
        /// Bytes of it.
        bytes: u64,
        /// SHA-256, lower-case hex.
        digest: String,
    },
    /// JSON lines of rejected records.
    Quarantine(Vec<u8>),
    /// The job is over: the contract must grow first.
    Widen(Widened),
    /// The job is over: the report as JSON, its sums checked.
    Done(String),
}

pub(crate) fn to_guest(options: JobOptions) -> bindings::Options {
    let contracts = options.contracts.into_iter();
    bindings::Options {
        spec: options.spec,
        table: options.table,
        contracts: contracts
            .map(|contract| bindings::TableContract { table: contract.table, text: contract.text })
            .collect(),
        learned: options.learned,
        footer: options.footer,
        source: options.source.to_text(),
        final_: options.final_pass,
        propose: options.propose,
    }
}

pub(crate) fn from_guest(step: bindings::Step) -> Step {
    match step {
        bindings::Step::NeedInput => Step::NeedInput,
        bindings::Step::Working => Step::Working,
        bindings::Step::PartOpened(part) => {
            Step::PartOpened { id: part.id, table: part.table, partition: part.partition }
        }
        bindings::Step::PartBytes(part) => Step::PartBytes { id: part.id, bytes: part.bytes },
        bindings::Step::PartClosed(part) => {
            // The digest is the ledger's finding.
            Step::PartClosed { id: part.id, rows: part.rows, bytes: part.bytes, digest: String::new() }
        }
        bindings::Step::QuarantineBytes(bytes) => Step::Quarantine(bytes),
        bindings::Step::Widen(said) => {
            let contracts = said.contracts.into_iter();
            Step::Widen(Widened {
                contracts: contracts.map(|c| TableContract { table: c.table, text: c.text }).collect(),
                spec: said.spec,
                learned: said.learned,
                report: said.report,
            })
        }
        bindings::Step::Done(report) => Step::Done(report),
    }
}

pub(crate) fn failure(said: bindings::Failure) -> Error {
    let fault = match said.fault {
        bindings::Fault::Input => Fault::Input,
        bindings::Fault::Spec => Fault::Spec,
        bindings::Fault::Limit => Fault::Limit,
        bindings::Fault::Internal => Fault::Transform,
    };
    let place = Place {
        line: said.place.line,
        column: said.place.column,
        offset: said.place.offset,
        record: said.place.record_number,
        path: said.place.path,
    };
    Error::told(fault, &said.code, said.message, said.hint, place)
}
