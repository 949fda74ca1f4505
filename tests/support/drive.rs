//! Drives a job through its two passes, natively or in the sandbox, with the input cut at any size.
//!
//! For: every test that needs bytes out of bytes. Not for: commits, the lake (see the host). The
//! decision to know: the driver checks the protocol while it drives (parts open before their bytes,
//! digests and row counts are true, both ledgers balance), so each test checks it too.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a job is told, the same for both ways.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The spec's text; empty: learn everything.
    pub spec: String,
    /// Table name where the spec names none.
    pub table: Option<String>,
    /// Live contracts, table and text.
    pub contracts: Vec<(String, String)>,
}

/// One part file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Table name.
    pub table: String,
    /// Hive path, escaped, with a trailing slash, or empty.
    pub partition: String,
    /// Rows as told when it was closed.
    pub rows: u64,
    /// The Parquet file.
    pub bytes: Vec<u8>,
}

/// What an object came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Part files in the order in which they were opened.
    pub parts: Vec<Part>,
    /// Quarantine lines.
    pub quarantine: Vec<Value>,
    /// The report.
    pub report: Value,
    /// The contracts the parts were made with, table and text.
    pub contracts: Vec<(String, String)>,
    /// The spec proposed on the way, where the first pass widened.
    pub proposal: Option<String>,
    /// Warnings of that first pass: what the host adds to those of the report.
    pub first_warnings: Vec<Value>,
    /// 1 or 2.
    pub passes: u8,
}

/// A failure of the object, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// `input`, `spec`, `limit`, `internal`.
    pub fault: String,
    /// Stable name.
    pub code: String,
    /// The sentence with its place.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One step of a job, whichever way it runs.
#[derive(Debug)]
pub enum Step {
    /// Bytes are wanted.
    NeedInput,
    /// Call again.
    Working,
    /// Number, table, partition.
    Opened(u32, String, String),
    /// Number, bytes.
    Bytes(u32, Vec<u8>),
    /// Number, rows, bytes, and the digest if the host took one.
    Closed(u32, u64, u64, Option<String>),
    /// Quarantine lines.
    Quarantine(Vec<u8>),
    /// Contracts (table, text), the proposed spec, the report so far.
    Widen(Vec<(String, String)>, String, String),
    /// The report.
    Done(String),
}

/// A job, native or sandboxed.
pub trait Run {
    /// Hands bytes over.
    fn push(&mut self, chunk: &[u8]);
    /// No more bytes.
    fn end(&mut self);
    /// Works a little.
    ///
    /// # Errors
    /// The object failed.
    fn step(&mut self) -> Result<Step, Failed>;
}

/// A way to run jobs.
pub trait Way {
    /// Name for messages.
    fn name(&self) -> String;
    /// Opens a job; `last` is the second pass.
    ///
    /// # Errors
    /// The spec or a contract is wrong.
    fn open(&self, ask: &Ask, last: bool) -> Result<Box<dyn Run>, Failed>;
}

/// Runs an input through its one or two passes, in chunks of `chunk` bytes.
///
/// # Errors
/// The failure of the object. Panics where the job breaks the protocol: that is a failed test.
pub fn run(way: &dyn Way, ask: &Ask, input: &[u8], chunk: usize) -> Result<Made, Failed> {
    run_pieces(way, ask, &input.chunks(chunk).collect::<Vec<_>>())
}

/// Runs an input that comes in these pieces.
///
/// # Errors
/// As [`run`].
pub fn run_pieces(way: &dyn Way, ask: &Ask, pieces: &[&[u8]]) -> Result<Made, Failed> {
    match pass(way, ask, pieces, false)? {
        End::Done(made) => Ok(Made { contracts: ask.contracts.clone(), passes: 1, ..made }),
        End::Widened(contracts, proposal, first_warnings) => {
            let again = Ask { contracts: contracts.clone(), ..ask.clone() };
            match pass(way, &again, pieces, true)? {
                End::Done(made) => {
                    Ok(Made { contracts, proposal: Some(proposal), first_warnings, passes: 2, ..made })
                }
                End::Widened(..) => panic!("{}: the final pass widened", way.name()),
            }
        }
    }
}

enum End {
    Done(Made),
    Widened(Vec<(String, String)>, String, Vec<Value>),
}

struct Open {
    part: Part,
    closed: bool,
}

fn pass(way: &dyn Way, ask: &Ask, pieces: &[&[u8]], last: bool) -> Result<End, Failed> {
    let mut job = way.open(ask, last)?;
    let mut pieces = pieces.iter();
    let mut parts: BTreeMap<u32, Open> = BTreeMap::new();
    let mut quarantine = Vec::new();
    loop {
        match job.step()? {
            Step::NeedInput => match pieces.next() {
                Some(bytes) => job.push(bytes),
                None => job.end(),
            },
            Step::Working => {}
            Step::Opened(id, table, partition) => {
                let part = Part { table, partition, rows: 0, bytes: Vec::new() };
                let before = parts.insert(id, Open { part, closed: false });
                assert!(before.is_none(), "part {id} opened twice");
            }
            Step::Bytes(id, bytes) => {
                assert!(bytes.len() <= 8 << 20, "a piece of {} bytes", bytes.len());
                open_part(&mut parts, id).part.bytes.extend(bytes);
            }
            Step::Closed(id, rows, bytes, digest) => {
                close(open_part(&mut parts, id), rows, bytes, digest.as_deref());
            }
            Step::Quarantine(bytes) => {
                assert_eq!(bytes.last(), Some(&b'\n'), "quarantine comes in whole lines");
                quarantine.extend(bytes);
            }
            Step::Widen(contracts, proposal, report) => {
                let report: Value = serde_json::from_str(&report).expect("the report so far is JSON");
                let warnings = report["warnings"].as_array().cloned().unwrap_or_default();
                return Ok(End::Widened(contracts, proposal, warnings));
            }
            Step::Done(report) => return Ok(End::Done(finish(parts, &quarantine, &report))),
        }
    }
}

fn open_part(parts: &mut BTreeMap<u32, Open>, id: u32) -> &mut Open {
    let open = parts.get_mut(&id).unwrap_or_else(|| panic!("part {id} was never opened"));
    assert!(!open.closed, "part {id} is closed already");
    open
}

fn close(open: &mut Open, rows: u64, bytes: u64, digest: Option<&str>) {
    assert_eq!(open.part.bytes.len() as u64, bytes, "bytes told and bytes given");
    if let Some(digest) = digest {
        assert_eq!(hex::encode(Sha256::digest(&open.part.bytes)), digest, "digest told and made");
    }
    open.part.rows = rows;
    open.closed = true;
}

fn finish(parts: BTreeMap<u32, Open>, quarantine: &[u8], report: &str) -> Made {
    assert!(parts.values().all(|open| open.closed), "a part was left open");
    let parts: Vec<Part> = parts.into_values().map(|open| open.part).collect();
    let quarantine: Vec<Value> = quarantine
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a quarantine line is JSON"))
        .collect();
    let report: Value = serde_json::from_str(report).expect("the report is JSON");
    ledgers(&report, &parts, quarantine.len() as u64);
    Made {
        parts,
        quarantine,
        report,
        contracts: Vec::new(),
        proposal: None,
        first_warnings: Vec::new(),
        passes: 0,
    }
}

/// `records = accepted + rejected`; per table `rows_made = rows_out + filtered`; and the parts hold them.
fn ledgers(report: &Value, parts: &[Part], quarantined: u64) {
    let number = |value: &Value, key: &str| {
        value[key].as_u64().unwrap_or_else(|| panic!("report lacks {key}: {report}"))
    };
    assert_eq!(
        number(report, "records"),
        number(report, "accepted") + number(report, "rejected"),
        "{report}"
    );
    assert_eq!(number(report, "rejected"), quarantined, "rejected records and quarantine lines: {report}");
    let codes: u64 =
        report["rejects"].as_object().map_or(0, |map| map.values().filter_map(Value::as_u64).sum());
    assert_eq!(number(report, "rejected"), codes, "rejects by code: {report}");
    for table in report["tables"].as_array().expect("tables") {
        assert_eq!(
            number(table, "rows_made"),
            number(table, "rows_out") + number(table, "filtered"),
            "{report}"
        );
        let of_table = || parts.iter().filter(|part| table["table"] == part.table.as_str());
        assert_eq!(number(table, "rows_out"), of_table().map(|part| part.rows).sum::<u64>(), "{report}");
        assert_eq!(number(table, "parts"), of_table().count() as u64, "{report}");
    }
}
