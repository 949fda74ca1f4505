//! One source object's job inside a fresh store: the only place that calls into a guest.
//!
//! Not for what a job's steps mean to a lake: see `run`. The decision to know: a session dies with the first
//! error, and each step is checked by the [`Ledger`] before anybody else sees it.

use std::time::{Duration, Instant};

use wasmtime::component::ResourceAny;
use wasmtime::{ResourceLimiter, Store, Trap};

use super::bindings::{self, LakegateTransform, LakegateTransformPre};
use super::component::{Description, first_line};
use super::engine::Sandbox;
use super::error::SandboxError;
use super::ledger::Ledger;
use super::limits::{CHUNK_BYTES, CORE_INSTANCES, LIFT_BYTES, Limits, TABLE_ELEMENTS, TICK};
use crate::error::{Error, Fault, Place, Result};

/// A contract text for one table, exactly the stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableContract {
    /// Table name.
    pub table: String,
    /// The contract as JSON.
    pub text: String,
}

/// Where the input came from; enters outputs only if the spec asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// URI of the source object.
    pub uri: String,
    /// Time of the event in milliseconds since 1970-01-01 UTC.
    pub event_time: Option<i64>,
    /// Hive partitions found in the path, name and value.
    pub partitions: Vec<(String, String)>,
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
    /// What an earlier job learned.
    pub learned: Option<String>,
    /// Key-value pairs for every footer.
    pub footer: Vec<(String, String)>,
    /// Where the input came from.
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

/// What a store holds for the host: the memory limit, and whether it was hit.
pub(super) struct State {
    memory_bytes: u64,
    hit: Option<(&'static str, u64)>,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _now: usize, wanted: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        if wanted as u64 > self.memory_bytes {
            self.hit = Some(("memory_bytes", self.memory_bytes));
            // A trap and not a refusal: a guest that can go on would only fail later and less clearly.
            return Err(wasmtime::Error::msg("memory limit"));
        }
        Ok(true)
    }

    fn table_growing(&mut self, _now: usize, wanted: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        if wanted > TABLE_ELEMENTS {
            self.hit = Some(("table_elements", TABLE_ELEMENTS as u64));
            return Err(wasmtime::Error::msg("table limit"));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        CORE_INSTANCES
    }

    fn memories(&self) -> usize {
        1
    }
}

/// An instance in its own store, with its deadline.
pub(super) struct Guest {
    store: Store<State>,
    instance: LakegateTransform,
    limits: Limits,
    ends: Option<Instant>,
}

impl Guest {
    pub(super) fn start(
        sandbox: &Sandbox,
        linked: &LakegateTransformPre<State>,
        limits: Limits,
    ) -> Result<Self> {
        if !sandbox.is_ticking() {
            return Err(SandboxError::Engine("the epoch does not move".into()).into());
        }
        let state = State { memory_bytes: limits.memory_bytes, hit: None };
        let mut store = Store::new(sandbox.engine(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(LIFT_BYTES);
        let ends = (limits.object_seconds > 0)
            .then(|| Instant::now() + Duration::from_secs(u64::from(limits.object_seconds)));
        // Starting runs guest code too: data segments, a start function.
        store.set_epoch_deadline(ticks(Duration::from_secs(u64::from(limits.step_seconds))));
        match linked.instantiate(&mut store) {
            Ok(instance) => Ok(Self { store, instance, limits, ends }),
            Err(error) => Err(explain("start", &error, store.data(), &limits, false)),
        }
    }

    pub(super) fn describe(&mut self) -> Result<Description> {
        let said =
            self.call("describe", |guest, store| guest.lakegate_transform_transform().call_describe(store))?;
        Ok(Description {
            name: said.name,
            version: said.version,
            spec_version: said.spec_version,
            limits: said.limits,
        })
    }

    /// Runs one call under the nearer of its two deadlines.
    fn call<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&LakegateTransform, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T> {
        let step = Duration::from_secs(u64::from(self.limits.step_seconds));
        let left = self.ends.map_or(step, |ends| ends.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(deadline(&self.limits, true));
        }
        self.store.set_epoch_deadline(ticks(step.min(left)));
        body(&self.instance, &mut self.store)
            .map_err(|error| explain(name, &error, self.store.data(), &self.limits, left < step))
    }
}

/// Ticks that cover at least this long.
fn ticks(time: Duration) -> u64 {
    let ticks = time.as_millis() / TICK.as_millis().max(1);
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1)
}

fn deadline(limits: &Limits, whole_object: bool) -> Error {
    let (seconds, limit) = if whole_object {
        (limits.object_seconds, "object_seconds")
    } else {
        (limits.step_seconds, "step_seconds")
    };
    SandboxError::Deadline { seconds, limit }.into()
}

fn explain(
    call: &'static str,
    error: &wasmtime::Error,
    state: &State,
    limits: &Limits,
    whole_object: bool,
) -> Error {
    if let Some((limit, most)) = state.hit {
        return SandboxError::Limit { limit, most }.into();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => deadline(limits, whole_object),
        Some(trap) => SandboxError::Trap { call, reason: first_line(&trap.to_string()) }.into(),
        // Not the error's own text in full: what the guest returned may be quoted there.
        None => SandboxError::Trap { call, reason: first_line(&error.root_cause().to_string()) }.into(),
    }
}

/// One job: push, end and step until it is over.
pub struct Session {
    guest: Guest,
    job: ResourceAny,
    ledger: Ledger,
}

impl Session {
    pub(super) fn open(mut guest: Guest, options: JobOptions) -> Result<Self> {
        let ledger = Ledger::new(&guest.limits, &options);
        let told = to_guest(options);
        let job = guest
            .call("open", |guest, store| guest.lakegate_transform_transform().job().call_open(store, &told))?
            .map_err(failure)?;
        Ok(Self { guest, job, ledger })
    }

    /// Hands over bytes of the source object, at most 1 MiB, split anywhere.
    ///
    /// # Errors
    /// The guest crashes or runs over a limit.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        for piece in chunk.chunks(CHUNK_BYTES) {
            let job = self.job;
            self.guest.call("push", |guest, store| {
                guest.lakegate_transform_transform().job().call_push(store, job, piece)
            })?;
        }
        self.ledger.pushed();
        Ok(())
    }

    /// No more bytes will come.
    ///
    /// # Errors
    /// The guest crashes or runs over a limit.
    pub fn end(&mut self) -> Result<()> {
        let job = self.job;
        self.ledger.ended();
        self.guest.call("end", |guest, store| guest.lakegate_transform_transform().job().call_end(store, job))
    }

    /// Works for a bounded time and says what it came to.
    ///
    /// # Errors
    /// The guest's own failure; a crash; a passed limit; an account that does not add up.
    pub fn step(&mut self) -> Result<Step> {
        let job = self.job;
        let step = self
            .guest
            .call("step", |guest, store| guest.lakegate_transform_transform().job().call_step(store, job))?
            .map_err(failure)?;
        let mut step = from_guest(step);
        self.ledger.check(&mut step)?;
        Ok(step)
    }
}

fn to_guest(options: JobOptions) -> bindings::Options {
    let contracts = options.contracts.into_iter();
    bindings::Options {
        spec: options.spec,
        table: options.table,
        contracts: contracts
            .map(|contract| bindings::TableContract { table: contract.table, text: contract.text })
            .collect(),
        learned: options.learned,
        footer: options.footer,
        source: bindings::SourceFacts {
            uri: options.source.uri,
            event_time: options.source.event_time,
            partitions: options.source.partitions,
        },
        final_: options.final_pass,
        propose: options.propose,
    }
}

fn from_guest(step: bindings::Step) -> Step {
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

fn failure(said: bindings::Failure) -> Error {
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
