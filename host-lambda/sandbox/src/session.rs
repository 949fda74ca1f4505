//! One source object's job inside a fresh store: the only place that calls into a guest.
//!
//! Not for what a job's steps mean to a lake: see `run`. The decision to know: a session dies with the first
//! error, and each step is checked by the [`Ledger`] before anybody else sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lakegate_model::last_words;
use wasmtime::component::ResourceAny;
use wasmtime::{ResourceLimiter, Store, Trap, WasmCoreDump};

use crate::apart::{Apart, spin_at};
use crate::bindings::{self, LakegateTransform, LakegateTransformPre};
use crate::engine::{Sandbox, Whose};
use crate::error::{SandboxError, first_line};
use crate::job::{Description, JobOptions, Step, failure, from_guest, to_guest};
use crate::ledger::Ledger;
use crate::limits::{CHUNK_BYTES, CORE_INSTANCES, LIFT_BYTES, Limits, TABLE_ELEMENTS, TICK};
use crate::memory::in_large_pages;
use crate::seats::Seat;
use lakegate_base::{Error, Result};

/// What a store holds for the host: the memory limit, whether it was hit, and what is told of a crash.
pub(super) struct State {
    memory_bytes: u64,
    hit: Option<(&'static str, u64)>,
    /// Whether what the guest says of its own panic is told.
    tells_panics: bool,
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

/// Time inside of calls into guests, by all who share it: neither reading nor staging is in it.
#[derive(Clone, Debug, Default)]
pub struct GuestTime(Arc<AtomicU64>);

impl GuestTime {
    /// So far.
    pub fn so_far(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// What a call comes to, with its time added, whatever it comes to.
    fn of<T>(&self, call: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = call();
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
        result
    }
}

/// An instance in its own store, with its deadline.
pub(super) struct Guest {
    home: Home,
    limits: Limits,
    ends: Option<Instant>,
    time: GuestTime,
    /// Behind the store: given back when that is gone.
    seat: Option<Seat>,
}

/// Where a guest's calls run.
enum Home {
    /// On the caller's thread: a deadline ends them.
    Here(Body),
    /// On a thread of its own, where nothing does: see [`apart`](crate::apart).
    Apart(Apart<Option<Body>>),
}

/// How a guest starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// Whether what it says of its own panic is told.
    pub(super) tells_panics: bool,
    /// Whether it will use much memory.
    pub(super) large: bool,
}

/// What a call needs.
struct Body {
    store: Store<State>,
    instance: LakegateTransform,
}

/// What a call has beyond its deadline to end by itself, where nothing else ends it: a step takes milliseconds.
const GRACE: Duration = Duration::from_secs(2);

/// Going to a guest on a thread of its own and back wakes two threads, which takes longer than most steps.
const STEPS_AT_ONCE: usize = 64;
/// Steps that have taken so long together are handed over, so that progress is told.
const TIME_AT_ONCE: Duration = Duration::from_millis(10);

/// Which of a call's deadlines is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nearest {
    Step,
    Object,
    Invocation,
}

impl Guest {
    pub(super) fn start(
        sandbox: &Sandbox,
        (linked, whose): (&LakegateTransformPre<State>, Whose),
        limits: Limits,
        Start { tells_panics, large }: Start,
        time: GuestTime,
    ) -> Result<Self> {
        if !sandbox.is_ticking() {
            return Err(SandboxError::Engine("the epoch does not move".into()).into());
        }
        let seat = sandbox.seat()?;
        let fuel = sandbox.counts_fuel().then_some(u64::MAX);
        let ends = (limits.object_seconds > 0)
            .then(|| Instant::now() + Duration::from_secs(u64::from(limits.object_seconds)));
        // Starting runs guest code too: data segments, a start function.
        let (left, nearest) = nearest(&limits, ends);
        if left.is_zero() {
            return Err(deadline(&limits, nearest));
        }
        let (linked, spent) = (linked.clone(), time.clone());
        let start = move || -> Result<Body> {
            let mut store = store(&linked, &limits, tells_panics, fuel)?;
            store.set_epoch_deadline(ticks(left));
            match in_large_pages(large, || spent.of(|| linked.instantiate(&mut store))) {
                Ok(instance) => Ok(Body { store, instance }),
                Err(error) => Err(explain("start", &error, &store, &limits, nearest)),
            }
        };
        let home = match whose {
            Whose::Anybodys => Home::Here(start()?),
            Whose::Ours => {
                let mut apart: Apart<Option<Body>> = Apart::start()?;
                let started = apart.within(left + GRACE, move |body| start().map(|made| *body = Some(made)));
                match started {
                    Some(started) => started?,
                    None => return Err(lost(&apart, seat.as_ref(), "start", &limits, nearest)),
                }
                Home::Apart(apart)
            }
        };
        Ok(Self { home, limits, ends, time, seat })
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

    /// Runs one call under the nearest of its deadlines.
    fn call<T: Send + 'static>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&LakegateTransform, &mut Store<State>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (left, nearest) = nearest(&self.limits, self.ends);
        if left.is_zero() {
            return Err(deadline(&self.limits, nearest));
        }
        let (limits, time) = (self.limits, self.time.clone());
        let call = move |Body { store, instance }: &mut Body| {
            store.set_epoch_deadline(ticks(left));
            time.of(|| body(instance, store)).map_err(|error| explain(name, &error, store, &limits, nearest))
        };
        match &mut self.home {
            Home::Here(body) => call(body),
            Home::Apart(apart) => {
                let called = apart.within(left + GRACE, move |body| {
                    spin_at(name);
                    body.as_mut().map(call)
                });
                match called.flatten() {
                    Some(result) => result,
                    None => Err(lost(apart, self.seat.as_ref(), name, &self.limits, nearest)),
                }
            }
        }
    }

    /// How many steps are taken at once: one, where going to the guest and back costs nothing.
    fn steps_at_once(&self) -> usize {
        match &self.home {
            Home::Here(_) => 1,
            Home::Apart(_) => STEPS_AT_ONCE,
        }
    }

    /// Fuel that is left, where it is counted: never on a thread of its own.
    fn fuel(&self) -> Option<u64> {
        match &self.home {
            Home::Here(body) => body.store.get_fuel().ok(),
            Home::Apart(_) => None,
        }
    }
}

fn store(
    linked: &LakegateTransformPre<State>,
    limits: &Limits,
    tells_panics: bool,
    fuel: Option<u64>,
) -> Result<Store<State>> {
    let state = State { memory_bytes: limits.memory_bytes, hit: None, tells_panics };
    let mut store = Store::new(linked.engine(), state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(LIFT_BYTES);
    if let Some(fuel) = fuel {
        store.set_fuel(fuel).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
    }
    Ok(store)
}

/// A guest on a thread of its own that has no answer: it does not end, or its host code panicked.
fn lost<B: Default + 'static>(
    apart: &Apart<B>,
    seat: Option<&Seat>,
    call: &'static str,
    limits: &Limits,
    nearest: Nearest,
) -> Error {
    if apart.is_lost() {
        seat.into_iter().for_each(Seat::close);
        return deadline(limits, nearest);
    }
    SandboxError::Trap { call, reason: "its thread ended".into(), panic: None }.into()
}

/// Time for one more call, and what ends it.
fn nearest(limits: &Limits, ends: Option<Instant>) -> (Duration, Nearest) {
    let now = Instant::now();
    let step = (Duration::from_secs(u64::from(limits.step_seconds)), Nearest::Step);
    let object = ends.map(|ends| (ends.saturating_duration_since(now), Nearest::Object));
    let invocation = limits.until.map(|until| (until.saturating_duration_since(now), Nearest::Invocation));
    [object, invocation]
        .into_iter()
        .flatten()
        .fold(step, |least, other| if other.0 < least.0 { other } else { least })
}

/// Ticks that cover at least this long.
fn ticks(time: Duration) -> u64 {
    let ticks = time.as_millis() / TICK.as_millis().max(1);
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1)
}

fn deadline(limits: &Limits, nearest: Nearest) -> Error {
    match nearest {
        Nearest::Step => SandboxError::Deadline { seconds: limits.step_seconds, limit: "step_seconds" },
        Nearest::Object => SandboxError::Deadline { seconds: limits.object_seconds, limit: "object_seconds" },
        Nearest::Invocation => SandboxError::TimeUp,
    }
    .into()
}

fn explain(
    call: &'static str,
    error: &wasmtime::Error,
    store: &Store<State>,
    limits: &Limits,
    nearest: Nearest,
) -> Error {
    if let Some((limit, most)) = store.data().hit {
        return SandboxError::Limit { limit, most }.into();
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => return deadline(limits, nearest),
        Some(trap) => trap.to_string(),
        // Not the error's own text in full: what the guest returned may be quoted there.
        None => error.root_cause().to_string(),
    };
    SandboxError::Trap { call, reason: first_line(&reason), panic: last_words_of(error, store) }.into()
}

/// What a guest that crashed left of its panic.
fn last_words_of(error: &wasmtime::Error, store: &Store<State>) -> Option<String> {
    let memories = error.downcast_ref::<WasmCoreDump>().filter(|_| store.data().tells_panics)?.memories();
    memories.iter().find_map(|memory| last_words::find(memory.data(store)))
}

/// One job: push, end and step until it is over.
pub struct Session {
    guest: Guest,
    job: ResourceAny,
    ledger: Ledger,
    /// What was pushed last.
    piece: Vec<u8>,
    /// Steps that were taken and not said yet.
    taken: VecDeque<Taken>,
}

/// What a step came to, in the guest's words.
type Taken = std::result::Result<bindings::Step, bindings::Failure>;

/// Takes up to so many steps: to the first that wants something or ends the job, and to a piece of output.
fn take(most: usize, mut step: impl FnMut() -> wasmtime::Result<Taken>) -> wasmtime::Result<VecDeque<Taken>> {
    let (begun, mut bytes, mut taken) = (Instant::now(), 0, VecDeque::new());
    loop {
        let step = step()?;
        let waits = match &step {
            Ok(bindings::Step::Working | bindings::Step::PartOpened(_) | bindings::Step::PartClosed(_)) => {
                false
            }
            Ok(
                bindings::Step::PartBytes(bindings::PartBytes { bytes: more, .. })
                | bindings::Step::QuarantineBytes(more),
            ) => {
                bytes += more.len();
                false
            }
            Ok(bindings::Step::NeedInput | bindings::Step::Widen(_) | bindings::Step::Done(_)) | Err(_) => {
                true
            }
        };
        taken.push_back(step);
        if waits || taken.len() >= most || bytes >= CHUNK_BYTES || begun.elapsed() >= TIME_AT_ONCE {
            return Ok(taken);
        }
    }
}

impl Session {
    pub(super) fn open(mut guest: Guest, options: JobOptions) -> Result<Self> {
        let ledger = Ledger::new(&guest.limits, &options);
        let told = to_guest(options);
        let job = guest
            .call("open", move |guest, store| {
                guest.lakegate_transform_transform().job().call_open(store, &told)
            })?
            .map_err(failure)?;
        Ok(Self { guest, job, ledger, piece: Vec::new(), taken: VecDeque::new() })
    }

    /// Hands over bytes of the source object, split anywhere.
    ///
    /// # Errors
    /// The guest crashes or runs over a limit.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        for part in chunk.chunks(CHUNK_BYTES) {
            self.push_from(|piece| {
                piece.clear();
                piece.extend_from_slice(part);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Hands over what `read` puts in place of what it is given, at most 1 MiB, and says how much that was; nothing where it
    /// put nothing there.
    ///
    /// # Errors
    /// Those of `read`; the guest crashes or runs over a limit.
    pub fn push_from(&mut self, read: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<usize> {
        // Used again: new memory costs more than what is put there.
        let mut piece = std::mem::take(&mut self.piece);
        read(&mut piece)?;
        self.push_piece(piece)
    }

    /// Owns the piece, since the guest's thread may be left behind. Not generic: the copy into the guest's memory is to be
    /// compiled with this crate's optimisation.
    fn push_piece(&mut self, piece: Vec<u8>) -> Result<usize> {
        let (job, bytes) = (self.job, piece.len());
        if bytes == 0 {
            return Ok(0);
        }
        if bytes > CHUNK_BYTES {
            return Err(SandboxError::Engine(format!("{bytes} bytes were to be pushed at once")).into());
        }
        self.piece = self.guest.call("push", move |guest, store| {
            let pushed = guest.lakegate_transform_transform().job().call_push(store, job, &piece);
            pushed.map(|()| piece)
        })?;
        self.ledger.pushed();
        Ok(bytes)
    }

    /// Fuel that the guest has used, about one a Wasm instruction; `None` unless the sandbox counts it.
    pub fn fuel(&self) -> Option<u64> {
        self.guest.fuel().map(|left| u64::MAX - left)
    }

    /// No more bytes will come.
    ///
    /// # Errors
    /// The guest crashes or runs over a limit.
    pub fn end(&mut self) -> Result<()> {
        let job = self.job;
        self.ledger.ended();
        self.guest
            .call("end", move |guest, store| guest.lakegate_transform_transform().job().call_end(store, job))
    }

    /// Works for a bounded time and says what it came to.
    ///
    /// # Errors
    /// The guest's own failure; a crash; a passed limit; an account that does not add up.
    pub fn step(&mut self) -> Result<Step> {
        if self.taken.is_empty() {
            let (job, most) = (self.job, self.guest.steps_at_once());
            self.taken = self.guest.call("step", move |guest, store| {
                take(most, || guest.lakegate_transform_transform().job().call_step(&mut *store, job))
            })?;
        }
        let Some(step) = self.taken.pop_front() else {
            return Err(SandboxError::Engine("a call of step came to nothing".into()).into());
        };
        let mut step = from_guest(step.map_err(failure)?);
        self.ledger.check(&mut step)?;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::bindings::Step::{NeedInput, PartBytes, Working};
    use super::*;

    fn piece(bytes: usize) -> Taken {
        Ok(PartBytes(bindings::PartBytes { id: 0, bytes: vec![0; bytes] }))
    }

    #[test]
    fn steps_are_taken_up_to_the_first_that_somebody_waits_for() {
        for (steps, most, wanted) in [
            (vec![Ok(Working), piece(9), Ok(NeedInput), Ok(Working)], 9, 3),
            (vec![Ok(Working), Ok(Working), Ok(Working)], 2, 2),
            (vec![piece(CHUNK_BYTES - 1), piece(1), piece(1)], 9, 2),
            (vec![Ok(NeedInput), Ok(Working)], 1, 1),
        ] {
            let mut steps = steps.into_iter();
            let taken = take(most, || Ok(steps.next().expect("a step more than there are")));
            assert_eq!(taken.unwrap().len(), wanted);
        }
    }
}
