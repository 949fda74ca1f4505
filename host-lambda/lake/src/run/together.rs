//! A folder learned as one: what all of its files teach, joined into one contract before any of them is written.
//!
//! Not for writing the files: each runs for itself afterwards, under that contract. Decisions to know:
//!
//! * Each file is learned from alone, and what they taught is joined by a job without input. So what a file is like is
//!   known by itself, and a file that cannot be read teaches nothing and fails in its own turn.
//! * Files come in the order of their names, whatever order they were given in.
//! * The contract is swapped in like any other. Whoever is interrupted after that finds it live, and goes on.

mod kinds;
mod sample;

use lakegate_model::learned::Nodes;
use lakegate_model::report::{Report, Warning};

use crate::lake::Lake;
use crate::run::learn::{of_the_plan, merge};
use crate::run::pass::{End, Nowhere, pass};
use crate::run::{Plan, Progress};
use crate::source::Source;
use kinds::Kinds;
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_sandbox::{JobOptions, SourceFacts, TableContract, Transform, Widened};

/// Bytes of files, as they are stored, that a contract is learned from; of more there is a sample.
pub const SAMPLE_BYTES: u64 = 1 << 30;

/// Texts that are joined at once, and bytes of them: what is held in memory.
const JOINED_AT_ONCE: (usize, usize) = (64, 4 << 20);

/// A file of a folder, before it is opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// What it is called: files come in the order of their names.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its place in the caller's list.
    pub at: usize,
}

/// What a folder taught.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// The contracts, which are live now.
    pub contracts: Vec<TableContract>,
    /// The spec that pins them.
    pub spec: String,
    /// Files that were learned from, and all that there are.
    pub files: (usize, usize),
    /// Bytes of them.
    pub bytes: (u64, u64),
    /// Records that were read, and those of them that taught nothing.
    pub records: (u64, u64),
    /// Files that could not be learned from: each fails in its own turn.
    pub failed: usize,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// How a folder is learned.
pub struct Folder<'a> {
    /// What it is called, in the history of the contract.
    pub name: &'a str,
    /// Its files, in any order.
    pub members: &'a [Member],
    /// Pins the file at a place of the caller's list.
    pub open: &'a dyn Fn(usize) -> Result<Source>,
    /// Whether files of clearly different kinds are learned into one table all the same.
    pub any_kind: bool,
}

/// Learns from the files of a folder and makes what they taught the live contract; `None` if no file teaches anything.
/// Progress begins anew with each file, whose place in the caller's list is told.
///
/// # Errors
/// `kinds_differ`: nothing was changed. Those of the storage, and of the swap.
pub fn learn_together(
    lake: &Lake,
    transform: &Transform,
    plan: &Plan,
    folder: &Folder<'_>,
    progress: &mut dyn FnMut(usize, Progress),
) -> Result<Option<Learned>> {
    let mut members: Vec<&Member> = folder.members.iter().collect();
    members.sort();
    members.dedup_by(|a, b| a.name == b.name);
    let all = members.len();
    let bytes = |members: &[&Member]| members.iter().map(|member| member.bytes).sum();
    let of_all = bytes(&members);
    let members = sample::of(members, SAMPLE_BYTES);
    let mut learned =
        Learned { files: (0, all), bytes: (bytes(&members), of_all), ..Learned::default() };
    let (mut kinds, mut texts) = (Kinds::default(), Texts::new(transform, plan));
    for member in members {
        let mut at = |step| progress(member.at, step);
        let taught = match (folder.open)(member.at).and_then(|source| texts.of(&source, &mut at)) {
            Ok(taught) => taught,
            // What is wrong with a file is told when it is its turn.
            Err(error) if error.kind() == Kind::Input => {
                learned.failed += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some((text, report)) = taught else { continue };
        learned.files.0 += 1;
        learned.records.0 += report.records;
        learned.records.1 += report.rejected;
        kinds.add(&member.name, &Nodes::parse(&text)?);
        texts.push(text)?;
    }
    if !folder.any_kind {
        kinds.check(folder.name)?;
    }
    let Some(widened) = texts.joined()? else { return Ok(None) };
    of_the_plan(plan.tables(), &widened.contracts)?;
    let report = Report::parse(&widened.report)
        .map_err(|error| Error::new(Code::ReportUnreadable, format!("the report of the join: {error}")))?;
    learned.warnings = report.warnings;
    learned.spec.clone_from(&widened.spec);
    learned.contracts = merge(lake, transform, &texts.base(), Vec::new(), widened, folder.name)?;
    Ok(Some(learned))
}

/// What was taught so far, as texts that a job joins.
struct Texts<'a> {
    transform: &'a Transform,
    plan: &'a Plan,
    waiting: Vec<String>,
    /// What was joined before them.
    last: Option<Widened>,
}

impl<'a> Texts<'a> {
    fn new(transform: &'a Transform, plan: &'a Plan) -> Self {
        Self { transform, plan, waiting: Vec::new(), last: None }
    }

    fn base(&self) -> JobOptions {
        JobOptions {
            spec: self.plan.spec.clone(),
            table: self.plan.table.clone(),
            ..JobOptions::default()
        }
    }

    /// What one file teaches; `None` where it has no record.
    fn of(
        &self,
        source: &Source,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<(String, Report)>> {
        progress(Progress::Pass { number: 1, total_bytes: source.bytes() });
        let options = JobOptions { source: source.facts(), ..self.base() };
        match pass(self.transform.open(options)?, Some(source), &mut Nowhere, progress)? {
            End::Widen(widened) => {
                let report = Report::parse(&widened.report).map_err(|error| {
                    Error::new(Code::ReportUnreadable, format!("the report of what was learned: {error}"))
                })?;
                Ok(Some((widened.learned, report)))
            }
            End::Done(_) => Ok(None),
        }
    }

    fn push(&mut self, text: String) -> Result<()> {
        self.waiting.push(text);
        let bytes: usize = self.waiting.iter().map(String::len).sum();
        if self.waiting.len() >= JOINED_AT_ONCE.0 || bytes >= JOINED_AT_ONCE.1 {
            self.join()?;
        }
        Ok(())
    }

    /// Joins what waits with what was joined before: a job without input, whose last line is what the others taught.
    fn join(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let before = self.last.take().map(|last| last.learned);
        let lines: Vec<String> = before.into_iter().chain(self.waiting.drain(..)).collect();
        let options =
            JobOptions { learned: Some(lines.join("\n")), source: SourceFacts::default(), ..self.base() };
        match pass(self.transform.open(options)?, None, &mut Nowhere, &mut |_| {})? {
            End::Widen(widened) => self.last = Some(widened),
            End::Done(_) => {
                return Err(Error::new(Code::NoProposal, "the transform proposed nothing for what it learned"));
            }
        }
        Ok(())
    }

    fn joined(&mut self) -> Result<Option<Widened>> {
        self.join()?;
        Ok(self.last.clone())
    }
}
