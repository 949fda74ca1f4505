//! One source object through the flow: the host's readable screen.
//!
//! ```text
//! identity → commit? ─ done: nothing to do
//!               │     ─ not done: roll forward
//!            make (at most two passes) → stage → commit → publish → done
//! ```
//!
//! Not for what a job does inside the sandbox. The decision to know: an attempt may lose its commit to a
//! concurrent run of the same object; it then has left no trace and the flow starts over, which finds the
//! winner's record.

pub mod commit;
pub mod crash;
pub(crate) mod learn;
mod lines;
mod pass;
mod plan;
mod preview;
mod rejected;
pub(crate) mod stage;
mod succession;
mod together;

use std::collections::BTreeSet;
use std::time::Instant;

use commit::{Completed, Means, Rolled, complete, record_failure, roll_forward, source_of, take_back};
use learn::{Live, Made};
use serde::{Deserialize, Serialize};
use stage::{Names, Staging, attempt_of};

pub use plan::Plan;
pub use preview::{Preview, PreviewPart, Proposal, preview, propose, remake};
pub use rejected::rejected_in;
pub use together::{Folder, Joined, Learned, Member, SAMPLE_BYTES, learn_together};

use crate::keys::{commit_key, spec_key};
use crate::lake::{Lake, Standing, sha256, to_json};
use crate::record::{CommitRecord, CommitState, Resolved};
use crate::run_id::RunId;
use crate::source::{Source, now_ms};
use lakegate_base::time::{parse, rfc3339};
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_model::Rejected;
use lakegate_model::report::Report;
use lakegate_sandbox::{TableContract, Transform};

/// Lost races for one object after which something else must be wrong.
pub(crate) const ATTEMPTS: u32 = 20;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A pass over the input begins.
    Pass {
        /// 1 or 2.
        number: u8,
        /// Bytes of the source object as stored.
        total_bytes: u64,
    },
    /// Bytes read in this pass so far.
    Read(u64),
    /// The contracts are those that its rows are made under, whatever comes.
    Settled,
    /// The transform is through; all it made is staged and durable, and invisible.
    Staged,
    /// The commit is won; files become visible.
    Publishing,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The object's first generation.
    Made,
    /// A further generation.
    Replaced,
    /// A commit that somebody left undone was completed; nothing was read.
    RolledForward,
    /// The object was done already.
    NothingToDo,
    /// A newer version of the object is in the tables: this one came late.
    Superseded,
}

/// A run that did not fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What it came to.
    pub state: State,
    /// The commit record that counts now.
    pub commit: CommitRecord,
    /// The transform's report.
    pub report: Report,
    /// Passes over the input; 0 if it was not read.
    pub passes: u8,
    /// Wall-clock time.
    pub milliseconds: u64,
    /// What a person should know beside the report's warnings.
    pub warnings: Vec<String>,
    /// Why records were rejected now, and where the first of them stand; empty where nothing was read.
    pub rejected: Rejected,
}

/// Why there is a new generation, where that is not plain from the records, and what may keep it from being made.
#[derive(Clone, Default)]
pub struct Cause<'a> {
    pub reason: Option<&'static str>,
    pub resolves: Vec<Resolved>,
    /// Contracts to work under instead of the live ones: they are about to take their place.
    pub contracts: Option<Vec<TableContract>>,
    /// What counts of the object, where it was looked up a moment ago.
    pub standing: Option<Standing>,
    /// Asked once it is known that the object is to be read, and before it is: whether there is room and time for it.
    pub admit: Option<&'a dyn Fn() -> Result<()>>,
    /// Where several objects are taken at once: returns when those before this one have settled their contracts, which
    /// [`Progress::Settled`] says, or are through. Contracts and files are then those of one object after the other.
    pub turn: Option<&'a dyn Fn()>,
}

/// Runs one source object through the flow.
///
/// # Errors
/// Of kind input: the object failed, which is recorded in the lake; nothing of it is visible. Of the other
/// kinds: nothing is visible, or it is committed and the next run completes it.
pub fn run(
    lake: &Lake,
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome> {
    run_because(lake, transform, source, plan, &Cause::default(), progress)
}

pub fn run_because(
    lake: &Lake,
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    cause: &Cause<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome> {
    let (started, requests) = (Instant::now(), lake.requests());
    let stand = || lake.standing(plan.pipeline(), source.uri());
    let mut known = cause.standing.clone();
    for _ in 0..ATTEMPTS {
        let standing = known.take().map_or_else(stand, Ok)?;
        let run = Run { lake, transform, source, plan, cause, standing: &standing, requests };
        match run.once(started, progress) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            // Whoever completed a commit of this object meanwhile took away what this run was staging.
            Err(error) if error.code() == Code::UploadGone && stand()? != standing => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(Code::ObjectContended, format!("other runs of {} won over and over", source.uri())))
}

/// True if the run has nothing to add to this commit. An event asks for a version of an object, whatever
/// release took it, so that one delivered again after a promotion does nothing; a person asks for what a
/// spec and a component make of it.
fn is_same(state: &CommitState, transform: &Transform, source: &Source, plan: &Plan) -> bool {
    let record = &state.record;
    if !state.current || record.source.version() != source.version() {
        return false;
    }
    plan.by_version
        // A person who brings what was taken out wants it back.
        || (!record.is_retraction()
            && record.component == transform.digest()
            && record.spec == plan.spec_digest
            && record.table == plan.table)
}

/// A version that was taken out of the tables: its event comes late. A person who asks for it again gets it.
fn was_retracted<'a>(states: &'a [CommitState], source: &Source, plan: &Plan) -> Option<&'a CommitState> {
    let last = states.iter().rev().find(|state| !state.record.is_void())?;
    let named = last.record.retracts.iter().any(|version| version == source.version());
    Some(last).filter(|_| plan.by_version && named)
}

/// Generations that go on counting beside a new one that replaces some.
pub(crate) fn stands(states: &[CommitState], replaces: &[u32]) -> Vec<u32> {
    let current = states.iter().filter(|state| state.current).map(|state| state.record.generation);
    current.filter(|generation| !replaces.contains(generation)).collect()
}

/// Generations that were given up so far.
pub(crate) fn voids(states: &[CommitState]) -> Vec<u32> {
    let Some(last) = states.iter().rev().find(|state| !state.record.is_void()) else { return Vec::new() };
    let void = states.iter().filter(|state| state.void).map(|state| state.record.generation);
    let all: BTreeSet<u32> = last.record.voids.iter().copied().chain(void).collect();
    all.into_iter().collect()
}

/// Versions that were taken out of the tables so far.
pub(crate) fn retracts(states: &[CommitState]) -> Vec<String> {
    let last = states.iter().rev().find(|state| !state.record.is_void());
    last.map(|last| last.record.retracts.clone()).unwrap_or_default()
}

/// Names of 64 bits may meet; nobody's rows are to be taken for another's then.
fn same_name(source: &Source, other: &CommitState) -> Error {
    let what =
        format!("{} and {} have the same short name in the lake", source.uri(), other.record.source.uri);
    Error::new(Code::ObjectKeyTaken, what).with_hint("bring it under another name")
}

/// The commit of a newer version, which this one must not replace. Versions that are added to each other
/// may come in any order.
fn newer<'a>(states: &'a [CommitState], source: &Source, plan: &Plan) -> Result<Option<&'a CommitState>> {
    if !plan.by_version || plan.append {
        return Ok(None);
    }
    for state in states.iter().rev().filter(|state| state.current) {
        if source.is_older_than(&state.record.source)? {
            return Ok(Some(state));
        }
    }
    Ok(None)
}

/// Records that an object fails before any of it is read.
///
/// # Errors
/// The storage's.
pub fn refuse(lake: &Lake, transform: &Transform, source: &Source, plan: &Plan, error: &Error) -> Result<()> {
    let next = lake.standing(plan.pipeline(), source.uri())?.last + 1;
    let names = Names::new(plan.pipeline(), &source.record(), next, &attempt_of(source.uri()));
    record_failure(lake, plan, transform, source, error, &mut Staging::new(lake, names), 0)
}

pub(crate) fn outcome(state: State, commit: CommitRecord, passes: u8, started: Instant) -> Outcome {
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = commit.report.clone();
    let mut warnings = Vec::new();
    if passes > 0 && !commit.withdraws.is_empty() {
        let count = commit.withdraws.len();
        warnings.push(format!(
            "{count} resubmissions were taken back: this generation judges their records anew"
        ));
    }
    Outcome { state, commit, report, passes, milliseconds, warnings, rejected: Rejected::default() }
}

/// One attempt at one object's next generation.
pub(crate) struct Run<'a> {
    pub(crate) lake: &'a Lake,
    pub(crate) transform: &'a Transform,
    pub(crate) source: &'a Source,
    pub(crate) plan: &'a Plan,
    pub(crate) cause: &'a Cause<'a>,
    /// What counts of the object so far.
    pub(crate) standing: &'a Standing,
    /// Calls of the lake's storage before this run began.
    pub(crate) requests: u64,
}

/// Everything staged and durable, nothing visible: dropped, it leaves no trace.
pub(crate) struct Ready<'a> {
    made: Made,
    rejected: Rejected,
    staging: Staging<'a>,
    pub(crate) record: CommitRecord,
    /// When the commits were made whose rows go with this one: it is later than each.
    before: Vec<String>,
}

impl<'a> Run<'a> {
    /// Completes what is undone, then makes what is missing; `None` if states changed: they are to be looked at again.
    fn once(&self, started: Instant, progress: &mut dyn FnMut(Progress)) -> Result<Option<Outcome>> {
        let Self { lake, transform, source, plan, standing, .. } = *self;
        let states = &standing.states;
        // What is done already has its own, and what came late that of the newer one.
        let id = RunId::of(plan.pipeline(), source.uri(), standing.last + 1);
        id.note(source.uri());
        if let Some(other) = states.iter().find(|state| state.record.source.uri != source.uri()) {
            return Err(same_name(source, other));
        }
        let means = Means { transform: Some(transform), source: Some(source), ..Means::default() };
        let replaced = |record: &CommitRecord| {
            // What is added to other versions is lost only if it cannot come again.
            let is_gone = |error: Error| error.code() == Code::SourceGone;
            let gone = || !plan.append || source_of(lake, record).err().is_some_and(is_gone);
            record.source.version() != source.version() && gone()
        };
        let rolled = match roll_forward(lake, states, means, &replaced)? {
            Rolled::Forward(count) => count,
            Rolled::GivenUp => return Ok(None),
        };
        id.note(source.uri());
        if let Some(newer) = newer(states, source, plan)? {
            self.take_back_old()?;
            newer.record.run_id().note(source.uri());
            return Ok(Some(outcome(State::Superseded, newer.record.clone(), 0, started)));
        }
        let same = states.iter().rev().find(|state| is_same(state, transform, source, plan));
        if let Some(state) = same.or_else(|| was_retracted(states, source, plan)).filter(|_| !plan.rerun) {
            self.take_back_old()?;
            state.record.run_id().note(source.uri());
            let state_now = if rolled > 0 { State::RolledForward } else { State::NothingToDo };
            return Ok(Some(outcome(state_now, state.record.clone(), 0, started)));
        }
        if plan.rerun {
            self.take_back_old()?;
        }
        let ready = self.stage(progress)?;
        let (passes, rejected) = (ready.made.passes, ready.rejected.clone());
        progress(Progress::Staged);
        crash::point("after-stage");
        Ok(self.commit(ready, progress)?.map(|record| {
            let state = if record.generation == 1 { State::Made } else { State::Replaced };
            Outcome { rejected, ..outcome(state, record, passes, started) }
        }))
    }

    /// An event that comes again may come from a process that was killed: while it staged what nobody will commit any
    /// more, or after it had published what was replaced before. Both go.
    fn take_back_old(&self) -> Result<()> {
        let (pipeline, source, last) = (self.plan.pipeline(), self.source.record(), self.standing.last);
        let tables: Vec<&str> = self.plan.tables().iter().map(String::as_str).collect();
        let left = Names::left(pipeline, &source, last + 1, &tables);
        if let Err(error) = self.lake.storage().sweep(&left) {
            tracing::warn!(code = error.code().name(), "uploads may be left: {error}");
        }
        let old = |state: &&CommitState| {
            !state.current
                && !state.record.is_void()
                && state.record.source.version() == self.source.version()
        };
        if !self.standing.has_older() {
            return Ok(());
        }
        for state in self.lake.generations(self.plan.pipeline(), self.source.uri())?.iter().filter(old) {
            take_back(self.lake, &state.record)?;
        }
        Ok(())
    }

    /// Makes the record, the point of no return, and completes it; `None` if another run won the commit, or it had to
    /// be given up.
    pub fn commit(
        &self,
        ready: Ready<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<CommitRecord>> {
        let Ready { mut staging, mut record, before, .. } = ready;
        let key = commit_key(&record.pipeline, &record.source.uri, record.generation);
        record.committed = later_than(before.iter().map(String::as_str));
        self.lake.claim(&record)?;
        crash::point("before-commit");
        match self.lake.storage().put_if_absent(&key, &to_json(&record)?) {
            Ok(true) => staging.keep(),
            Ok(false) => return Ok(None),
            Err(error) => {
                // The record may be there, or come yet, and names what is staged: a sweep throws it away if not.
                staging.keep();
                return Err(error.into());
            }
        }
        crash::point("after-commit");
        progress(Progress::Publishing);
        let (requests, states) = (Some(self.requests), self.standing.states.as_slice());
        let means = Means { transform: Some(self.transform), source: Some(self.source), requests, states };
        let completed = complete(self.lake, &key, &record, means)?;
        Ok((completed == Completed::Done).then_some(record))
    }

    /// Runs the sandbox; everything that a commit record needs, staged and durable.
    pub(crate) fn stage(&self, progress: &mut dyn FnMut(Progress)) -> Result<Ready<'a>> {
        let started = rfc3339(now_ms());
        let Self { lake, transform, source, plan, .. } = *self;
        let generation = self.standing.last + 1;
        let run = attempt_of(source.uri());
        let names = Names::new(plan.pipeline(), &source.record(), generation, &run);
        let mut staging = Staging::new(lake, names);
        let from = match &self.cause.contracts {
            Some(settled) => Live::Settled(settled.clone()),
            None => Live::Lake(lake, self.cause.turn),
        };
        let admitted = self.cause.admit.map_or(Ok(()), |admit| admit());
        let made = admitted.and_then(|()| learn::make(from, transform, source, plan, &mut staging, progress));
        let records = made.as_ref().map_or(0, |made| made.report.records);
        let made = match made.and_then(|made| plan.check_rejected(&made.report).map(|()| made)) {
            Ok(made) => made,
            Err(error) => {
                let error = self.explained(error, &staging);
                // Passing trouble is tried again, and so is what a set-up forbids; what is wrong with the object
                // is noted.
                if self.cause.contracts.is_none() && error.kind() != Kind::Passing && !of_set_up(&error) {
                    record_failure(lake, plan, transform, source, &error, &mut staging, records)?;
                }
                return Err(error);
            }
        };
        let (parts, quarantine) = staging.finish()?;
        let staged: Vec<_> = parts.iter().map(|part| part.staged.clone()).collect();
        let kept: Vec<_> = quarantine.iter().map(|quarantine| quarantine.staged.clone()).collect();
        lake.storage().settle(&[staged, kept].concat())?;
        let spec = lake.keep_text(spec_key, plan.spec.as_bytes())?;
        let withdrawn = self.withdraws(staging.rejected())?;
        let gone = self.standing.states.iter().chain(&withdrawn);
        let before = gone.map(|state| state.record.committed.clone()).collect();
        let record = CommitRecord {
            version: 1,
            id: staging.id(),
            pipeline: plan.pipeline().into(),
            source: source.record(),
            generation,
            run,
            reason: self.reason().into(),
            release: plan.release.clone(),
            component: transform.digest().into(),
            spec,
            table: plan.table.clone(),
            contracts: digests(&made.contracts),
            on_reupload: if plan.append { "append" } else { "replace" }.into(),
            replaces: self.replaces(),
            withdraws: withdrawn.into_iter().map(|state| state.key).collect(),
            stands: Some(stands(&self.standing.states, &self.replaces())),
            voids: voids(&self.standing.states),
            retracts: retracts(&self.standing.states),
            parts,
            quarantine,
            report: made.report.clone(),
            resolves: self.cause.resolves.clone(),
            started,
            committed: String::new(),
        };
        let rejected = rejected::told(staging.rejections(), &made.contracts, &plan.spec, false);
        Ok(Ready { made, rejected, staging, record, before })
    }
}

/// Tables, and the digests of their contracts.
fn digests<C: FromIterator<(String, String)>>(contracts: &[TableContract]) -> C {
    contracts.iter().map(|contract| (contract.table.clone(), sha256(contract.text.as_bytes()))).collect()
}

/// The time of a commit: now, but later than those before it even where another clock made them, since the load
/// history is ordered by it.
pub(crate) fn later_than<'a>(before: impl Iterator<Item = &'a str>) -> String {
    let last = before.filter_map(parse).max();
    rfc3339(last.map_or_else(now_ms, |last| now_ms().max(last + 1)))
}

/// Denied, or missing in the configuration: once that is mended, the object has failed at nothing.
fn of_set_up(error: &Error) -> bool {
    error.is_of_set_up()
}

#[cfg(test)]
mod id_tests;
#[cfg(test)]
mod mark_tests;
