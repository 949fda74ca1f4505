//! What a run would make, without touching the lake; and the spec that samples propose.
//!
//! Not for anything that stays: part files lie in a temporary folder that goes with the [`Preview`]. The
//! decision to know: a preview takes the same passes as a run, so that its receipt is a promise.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::lake::{Lake, sha256};
use crate::record::{Output, Receipt};
use crate::run::learn::{Live, make};
use crate::run::pass::{End, Nowhere, Sink, pass};
use crate::run::rejected::{explained, told};
use crate::run::{Plan, Progress};
use crate::source::Source;
use lakegate_base::{Code, Error, Result};
use lakegate_model::report::Report;
use lakegate_model::{QuarantineLine, Rejected, Rejections};
use lakegate_sandbox::{JobOptions, TableContract, Transform};

/// Quarantine bytes that a preview keeps in memory to show; the report has the full count.
const QUARANTINE_SHOWN: usize = 4 << 20;

/// One part file of a preview.
#[derive(Clone, Debug)]
pub struct PreviewPart {
    /// Table.
    pub table: String,
    /// Hive path with trailing slash, or empty.
    pub partition: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub digest: String,
    /// A Parquet file that lives as long as the preview.
    pub file: PathBuf,
}

/// What a run would make.
pub struct Preview {
    /// The transform's report.
    pub report: Report,
    /// The contracts that it would be made under.
    pub contracts: Vec<TableContract>,
    /// The spec that pins them, if they had to be learned.
    pub spec: Option<String>,
    /// Part files.
    pub parts: Vec<PreviewPart>,
    /// Rejected records, as many as fit into 4 MiB.
    pub quarantine: Vec<QuarantineLine<'static>>,
    /// Why records were rejected, and where the first of them stand.
    pub rejected: Rejected,
    /// Digests that a run keeps.
    pub receipt: Receipt,
    /// Passes over the input.
    pub passes: u8,
    _folder: Option<TempDir>,
}

/// Makes everything and keeps nothing. With a lake, its live contracts hold; they are not changed.
///
/// # Errors
/// As [`run`](super::run); nothing is recorded.
pub fn preview(
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    lake: Option<&Lake>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Preview> {
    let live = match lake {
        Some(lake) => learned_contracts(lake, plan)?,
        None => Vec::new(),
    };
    show(Live::Fixed(live), transform, source, plan, progress)
}

/// Makes everything again under the contracts that it was made under, and keeps nothing: one pass.
///
/// # Errors
/// As [`run`](super::run); nothing is recorded.
pub fn remake(
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    contracts: Vec<TableContract>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Preview> {
    show(Live::Settled(contracts), transform, source, plan, progress)
}

fn show(
    from: Live<'_>,
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Preview> {
    let mut files = Files::default();
    let known = match &from {
        Live::Fixed(contracts) | Live::Settled(contracts) => contracts.clone(),
        Live::Lake(..) => Vec::new(),
    };
    let made = make(from, transform, source, plan, &mut files, progress);
    let made = made.and_then(|made| plan.check_rejected(&made.report).map(|()| made)).map_err(|error| {
        let rejected = told(&files.rejections, &known, &plan.spec, true);
        explained(error, rejected, None)
    })?;
    let lines = files.lines()?;
    let rejected = told(&files.rejections, &made.contracts, &plan.spec, false);
    let contracts = made.contracts.iter();
    let receipt = Receipt {
        input: source.digest().into(),
        component: transform.digest().into(),
        spec: sha256(plan.spec.as_bytes()),
        contracts: contracts.map(|c| (c.table.clone(), sha256(c.text.as_bytes()))).collect(),
        outputs: files
            .parts
            .iter()
            .map(|part| Output {
                table: part.table.clone(),
                partition: part.partition.clone(),
                rows: part.rows,
                bytes: part.bytes,
                digest: part.digest.clone(),
            })
            .collect(),
        comparable: made.report.comparable,
    };
    Ok(Preview {
        report: made.report,
        contracts: made.contracts,
        spec: made.spec,
        parts: files.parts,
        quarantine: lines,
        rejected,
        receipt,
        passes: made.passes,
        _folder: files.folder,
    })
}

fn learned_contracts(lake: &Lake, plan: &Plan) -> Result<Vec<TableContract>> {
    let mut found = Vec::new();
    for table in plan.tables() {
        found.extend(lake.contract(table)?.map(|live| TableContract { table: live.table, text: live.text }));
    }
    Ok(found)
}

/// What samples propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// A commented spec.
    pub spec: String,
    /// The contracts it pins.
    pub contracts: Vec<TableContract>,
    /// One report a sample.
    pub reports: Vec<Report>,
}

/// Joins what each source teaches; the order of sources does not matter.
///
/// # Errors
/// A sample cannot be read at all, or there is none.
pub fn propose(
    transform: &Transform,
    sources: &[Source],
    spec: &str,
    table: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Proposal> {
    let mut learned = None;
    let mut last = None;
    let mut reports = Vec::new();
    for source in sources {
        progress(Progress::Pass { number: 1, total_bytes: source.bytes() });
        let session = transform.open(JobOptions {
            spec: spec.into(),
            table: table.map(str::to_string),
            learned: learned.take(),
            source: source.facts(),
            propose: true,
            ..JobOptions::default()
        })?;
        match pass(session, Some(source), &mut Nowhere, progress)? {
            End::Widen(widened) => {
                reports.push(Report::parse(&widened.report).unwrap_or_default());
                learned = Some(widened.learned.clone());
                last = Some(widened);
            }
            End::Done(_) => return Err(Error::new(Code::NoProposal, "the transform proposed nothing")),
        }
    }
    let Some(widened) = last else {
        return Err(
            Error::new(Code::NoSamples, "there is nothing to learn from").with_hint("name a file or folder")
        );
    };
    Ok(Proposal { spec: widened.spec, contracts: widened.contracts, reports })
}

/// A sink of temporary files.
#[derive(Default)]
struct Files {
    folder: Option<TempDir>,
    open: std::collections::BTreeMap<u32, (PreviewPart, File)>,
    parts: Vec<PreviewPart>,
    quarantine: Vec<u8>,
    rejections: Rejections,
}

impl Files {
    fn lines(&mut self) -> Result<Vec<QuarantineLine<'static>>> {
        let whole = self.quarantine.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let read = |line| {
            serde_json::from_slice(line).map_err(|error| {
                Error::new(Code::QuarantineUnreadable, format!("a quarantine line: {error}"))
            })
        };
        whole.map(read).collect()
    }
}

impl Sink for Files {
    fn opened(&mut self, id: u32, table: String, partition: String) -> Result<()> {
        let fail = |error| Error::io("a temporary file", error);
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => tempfile::Builder::new().prefix("lakegate-").tempdir().map_err(fail)?,
        };
        let file = folder.path().join(format!("{table}-{id}.parquet"));
        self.folder = Some(folder);
        let handle = File::create(&file).map_err(fail)?;
        let part = PreviewPart { table, partition, rows: 0, bytes: 0, digest: String::new(), file };
        self.open.insert(id, (part, handle));
        Ok(())
    }

    fn bytes(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        let Some((_, file)) = self.open.get_mut(&id) else { return Ok(()) };
        file.write_all(bytes).map_err(|error| Error::io("a temporary file", error))
    }

    fn closed(&mut self, id: u32, rows: u64, bytes: u64, digest: String) -> Result<()> {
        if let Some((part, _)) = self.open.remove(&id) {
            self.parts.push(PreviewPart { rows, bytes, digest, ..part });
        }
        Ok(())
    }

    fn quarantine(&mut self, lines: &[u8]) -> Result<()> {
        self.rejections.add_lines(lines);
        let room = QUARANTINE_SHOWN.saturating_sub(self.quarantine.len());
        if lines.len() <= room {
            self.quarantine.extend_from_slice(lines);
        } else if let Some(end) = lines[..room].iter().rposition(|&byte| byte == b'\n') {
            self.quarantine.extend_from_slice(&lines[..=end]);
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
