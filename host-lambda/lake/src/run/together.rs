//! A folder learned as one: what all of its files teach, joined into one contract before any of them is written.
//!
//! Not for writing the files: each runs for itself afterwards, under that contract. Decisions to know:
//!
//! * Each file is learned from alone, once, so that what it is like is known by itself, and one that cannot be read
//!   teaches nothing and fails in its own turn. A job without input joins what they taught.
//! * Files come in the order of their names, whatever order they were given in.
//! * The contract is swapped in like any other. Whoever is interrupted after that finds it live, and goes on.

mod kinds;
mod sample;

use std::collections::BTreeSet;

use lakegate_model::learned::Nodes;
use lakegate_model::report::{Report, Warning};

use crate::lake::{Lake, sha256};
use crate::run::learn::{merge, of_the_plan};
use crate::run::pass::{End, Nowhere, pass};
use crate::run::{Plan, Progress};
use crate::source::Source;
use kinds::Kinds;
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_sandbox::{JobOptions, TableContract, Transform, Widened};

/// Bytes of files, as they are stored, that a contract is learned from; of more there is a sample.
pub const SAMPLE_BYTES: u64 = 1 << 30;

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
    /// Files that taught something; that were looked at; that there are.
    pub files: [usize; 3],
    /// Bytes of those that were looked at, and of all.
    pub bytes: [u64; 2],
    /// Records that were read, and those of them that were rejected.
    pub records: [u64; 2],
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

/// What a folder taught, before it is agreed: nothing is changed yet.
pub struct Joined {
    learned: Learned,
    base: JobOptions,
    widened: Widened,
    name: String,
}

/// Learns from the files of a folder; `None` if no file teaches anything. Each file's progress begins anew, with its place
/// in the caller's list.
///
/// # Errors
/// `kinds_differ`. Those of the storage.
pub fn learn_together(
    transform: &Transform,
    plan: &Plan,
    folder: &Folder<'_>,
    progress: &mut dyn FnMut(usize, Progress),
) -> Result<Option<Joined>> {
    let mut members: Vec<&Member> = folder.members.iter().collect();
    members.sort();
    members.dedup_by(|a, b| a.name == b.name);
    let all = members.len();
    let bytes = |members: &[&Member]| members.iter().map(|member| member.bytes).sum();
    let of_all = bytes(&members);
    let members = sample::of(members, SAMPLE_BYTES);
    let mut learned =
        Learned { files: [0, members.len(), all], bytes: [bytes(&members), of_all], ..Learned::default() };
    let (mut kinds, mut texts) = (Kinds::default(), Texts::new(transform, plan));
    for member in members {
        let mut at = |step| progress(member.at, step);
        let taught = (folder.open)(member.at).and_then(|source| texts.alone(&source, &mut at));
        let taught = match taught {
            Ok(taught) => taught,
            Err(error) if error.kind() == Kind::Passing || error.is_of_set_up() => return Err(error),
            // What is wrong with a file is told when it is its turn.
            Err(_) => {
                learned.failed += 1;
                continue;
            }
        };
        let Some((text, report)) = taught else { continue };
        learned.files[0] += 1;
        learned.records[0] += report.records;
        learned.records[1] += report.rejected;
        kinds.add(&member.name, &Nodes::parse(&text)?);
        texts.join(&text).map_err(|error| error.in_file(&*member.name))?;
    }
    if !folder.any_kind {
        kinds.check(folder.name)?;
    }
    let Some(widened) = texts.joined()? else { return Ok(None) };
    of_the_plan(plan.tables(), &widened.contracts)?;
    learned.warnings = report_of(&widened.report)?.warnings;
    // The job that joins reads nothing, and says so.
    learned.warnings.retain(|warning| warning.code != "no_records");
    Ok(Some(Joined { learned, base: texts.base(), widened, name: folder.name.into() }))
}

impl Joined {
    /// Makes it the live contract, or a part of that where another writer was quicker.
    ///
    /// # Errors
    /// The storage's; `contract_contended`.
    pub fn agree(self, lake: &Lake, transform: &Transform) -> Result<Learned> {
        let Self { learned, base, widened, name } = self;
        let contracts = merge(lake, transform, &base, Vec::new(), widened, &name)?;
        Ok(Learned { contracts, ..learned })
    }
}

/// Bytes of texts after which they are joined: what is held in memory.
const HELD_BYTES: usize = 4 << 20;

/// What was taught so far, a text a line.
struct Texts<'a> {
    transform: &'a Transform,
    plan: &'a Plan,
    held: String,
    /// Digests of what files taught: the same once more changes nothing.
    known: BTreeSet<String>,
}

impl<'a> Texts<'a> {
    fn new(transform: &'a Transform, plan: &'a Plan) -> Self {
        Self { transform, plan, held: String::new(), known: BTreeSet::new() }
    }

    fn base(&self) -> JobOptions {
        JobOptions { spec: self.plan.spec.clone(), table: self.plan.table.clone(), ..JobOptions::default() }
    }

    /// What a file teaches by itself; `None` where it has no record.
    fn alone(&self, source: &Source, progress: &mut dyn FnMut(Progress)) -> Result<Option<(String, Report)>> {
        progress(Progress::Pass { number: 1, total_bytes: source.bytes() });
        let learned = self.learn(None, Some(source), progress)?;
        learned.map(|widened| Ok((widened.learned, report_of(&widened.report)?))).transpose()
    }

    /// Joins what a file taught.
    fn join(&mut self, text: &str) -> Result<()> {
        if !self.known.insert(sha256(text.as_bytes())) {
            return Ok(());
        }
        if !self.held.is_empty() {
            self.held.push('\n');
        }
        self.held.push_str(text);
        if self.held.len() > HELD_BYTES
            && let Some(widened) = self.joined()?
        {
            self.held = widened.learned;
        }
        Ok(())
    }

    /// The contracts of all that was taught: of a job without input, which says of no file what it noticed.
    fn joined(&self) -> Result<Option<Widened>> {
        if self.held.is_empty() {
            return Ok(None);
        }
        self.learn(Some(self.held.clone()), None, &mut |_| {})?.ok_or_else(proposed_nothing).map(Some)
    }

    fn learn(
        &self,
        learned: Option<String>,
        source: Option<&Source>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<Widened>> {
        let facts = source.map(Source::facts).unwrap_or_default();
        let session = self.transform.open(JobOptions { learned, source: facts, ..self.base() })?;
        Ok(match pass(session, source, &mut Nowhere, progress)? {
            End::Widen(widened) => Some(widened),
            End::Done(_) => None,
        })
    }
}

fn report_of(text: &str) -> Result<Report> {
    Report::parse(text).map_err(|error| {
        Error::new(Code::ReportUnreadable, format!("the report of what was learned: {error}"))
    })
}

fn proposed_nothing() -> Error {
    Error::new(Code::NoProposal, "the transform proposed nothing for what it learned")
}
