//! Pipelines as they become ready: spec read, transform loaded, release followed; each by itself.
//!
//! Not for what a ready pipeline does. Decisions to know:
//!
//! * A pipeline that cannot be set up fails alone, by name: its objects are handed back, and it is tried again after a
//!   while, since what mends it (a rollback, a spec put in place) changes nothing here.
//! * A function makes all of them ready before its first event. A command makes ready what it needs: looking at a lake
//!   needs no release.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Aws;
use crate::deployed::choice::Does;
use crate::deployed::{Home, read_address};
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_config::{Config, ContractWish, Location, Pipeline, Told};
use lakegate_lake::keys::longest_part_key;
use lakegate_lake::lake::Texts;
use lakegate_lake::run::Plan;
use lakegate_sandbox::{Limits, Sandbox, Seats, Transform};

/// A pipeline that could not be set up is tried again after this time.
const RETRY: Duration = Duration::from_secs(10);

/// A pipeline, its spec read and its transform loaded.
pub struct Ready {
    /// As configured.
    pub pipeline: Arc<Pipeline>,
    pub(super) does: Does,
    pub(super) looked: Mutex<Option<(Instant, bool)>>,
    /// Contracts and specs of its lake.
    pub(super) texts: Arc<Texts>,
}

/// The pipelines of a configuration.
pub(super) struct Pipelines {
    slots: BTreeMap<String, Mutex<Slot>>,
    engines: Mutex<Engines>,
}

enum Slot {
    Untried,
    Ready(Arc<Ready>),
    Refused(Error, Instant),
}

impl Pipelines {
    /// All of a configuration; a function makes them ready now.
    ///
    /// # Errors
    /// None of them can be made ready.
    pub(super) fn new(aws: &Aws, config: &Config, home: Home) -> Result<Self> {
        let names = config.pipelines.keys();
        let slots = names.map(|name| (name.clone(), Mutex::new(Slot::Untried))).collect();
        let seats = seats(config, home);
        let engines = Mutex::new(Engines { home, seats, sandboxes: Vec::new(), shipped: Vec::new() });
        let pipelines = Self { slots, engines };
        if home == Home::Command {
            return Ok(pipelines);
        }
        let mut refused = None;
        let mut any = false;
        for pipeline in config.pipelines.values() {
            match pipelines.ready(aws, pipeline) {
                Ok(_) => any = true,
                Err(error) => {
                    let pipeline = pipeline.name.as_str();
                    tracing::error!(
                        stage = "pipeline_refused",
                        pipeline,
                        code = error.name(),
                        hint = error.hint(),
                        "{error}"
                    );
                    refused.get_or_insert(error);
                }
            }
        }
        match refused.filter(|_| !any) {
            Some(error) => Err(error),
            None => Ok(pipelines),
        }
    }

    /// A pipeline of the configuration, ready.
    ///
    /// # Errors
    /// `pipeline_refused`: it cannot be set up, of kind own: no object is to blame.
    pub(super) fn ready(&self, aws: &Aws, pipeline: &Pipeline) -> Result<Arc<Ready>> {
        let name = &pipeline.name;
        let Some(slot) = self.slots.get(name) else {
            return Err(Error::new(Code::PipelineUnknown, format!("no pipeline is named {name}")));
        };
        let mut slot = held(slot);
        match &*slot {
            Slot::Ready(ready) => return Ok(ready.clone()),
            Slot::Refused(error, at) if at.elapsed() < RETRY => return Err(error.clone()),
            Slot::Refused(..) | Slot::Untried => {}
        }
        match Ready::new(aws, pipeline, &mut held(&self.engines)) {
            Ok(ready) => {
                let ready = Arc::new(ready);
                *slot = Slot::Ready(ready.clone());
                Ok(ready)
            }
            Err(error) => {
                let hint = error.hint().unwrap_or("`lakegate config check` finds it before deployment");
                let kind = if error.kind() == Kind::Passing { Kind::Passing } else { Kind::Own };
                let error = Error::new(Code::PipelineRefused, format!("pipeline {name}: {error}"))
                    .of_kind(kind)
                    .with_hint(hint);
                *slot = Slot::Refused(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    /// A pipeline, if it was made ready.
    pub(super) fn known(&self, name: &str) -> Option<Arc<Ready>> {
        match &*held(self.slots.get(name)?) {
            Slot::Ready(ready) => Some(ready.clone()),
            Slot::Untried | Slot::Refused(..) => None,
        }
    }
}

/// What a thread that panicked held is whole: it is replaced, never changed in place.
fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ready {
    fn new(aws: &Aws, pipeline: &Pipeline, engines: &mut Engines) -> Result<Self> {
        let limits = pipeline.limits.sandbox(engines.home.memory_bytes());
        let sandbox = engines.sandbox(limits)?;
        let does = match Does::follow(aws, pipeline, sandbox)? {
            Some(channel) => channel,
            None => Does::Fixed(Box::new(fixed_plan(aws, pipeline)?), engines.shipped(limits)?),
        };
        if let Does::Fixed(plan, transform) = &does {
            check_plan(pipeline, plan, transform)?;
        }
        Ok(Self {
            pipeline: Arc::new(pipeline.clone()),
            does,
            looked: Mutex::new(None),
            texts: Arc::default(),
        })
    }
}

/// What a start asks of a pipeline that is told by a spec, and `lakegate config check` before it: that every key fits,
/// and that the spec declares all types where the pipeline does not say that they are learned.
///
/// # Errors
/// `storage_key`, `types_open`; the transform refuses the spec.
pub fn check_plan(pipeline: &Pipeline, plan: &Plan, transform: &Transform) -> Result<()> {
    check_keys(pipeline, plan)?;
    if pipeline.contract == ContractWish::Learn || plan.is_declared(transform)? {
        return Ok(());
    }
    let hint = "declare every column and `mode = \"freeze\"` or \"discard\" in the spec, or say \
                `contract = \"learn\"` for the pipeline";
    Err(Error::new(Code::TypesOpen, "its spec leaves types to be learned").with_hint(hint))
}

/// S3's longest key.
const KEY_BYTES: usize = 1024;

/// That every key of a pipeline fits: found at the start, not by an object whose commit can then never be published.
///
/// # Errors
/// `storage_key`.
pub fn check_keys(pipeline: &Pipeline, plan: &Plan) -> Result<()> {
    let Location::S3 { prefix, .. } = &pipeline.lake else { return Ok(()) };
    let prefix = prefix.trim_matches('/');
    match plan.tables().iter().find(|table| longest_part_key(prefix, table) > KEY_BYTES) {
        None => Ok(()),
        Some(table) => {
            let over = longest_part_key(prefix, table) - KEY_BYTES;
            let what = format!("keys of the table {table} could have {over} bytes more than S3 takes");
            Err(Error::new(Code::StorageKey, what)
                .with_hint("shorten the prefix of the lake, or the table's name"))
        }
    }
}

fn fixed_plan(aws: &Aws, pipeline: &Pipeline) -> Result<Plan> {
    let spec = match &pipeline.told {
        Told::Spec { address, .. } => read_address(aws, address)?,
        Told::Channel { .. } | Told::Nothing => String::new(),
    };
    Ok(Plan::new(spec, pipeline.table.clone())?.deployed(&pipeline.name))
}

/// As many guests as the memory of a function has room for beside the host, and no more than it has cores.
fn seats(config: &Config, home: Home) -> Option<Arc<Seats>> {
    let Home::Function { memory_bytes } = home else { return None };
    let all = config.pipelines.values();
    let room = all.map(|pipeline| pipeline.limits.guests(memory_bytes)).min().unwrap_or(1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Some(Seats::new(room.min(cores)))
}

/// Engines and the shipped transform in them: pipelines of the same limits share both.
struct Engines {
    home: Home,
    /// A function has room for so many guests; a command takes one object after the other.
    seats: Option<Arc<Seats>>,
    sandboxes: Vec<Sandbox>,
    shipped: Vec<(Limits, Transform)>,
}

impl Engines {
    fn sandbox(&mut self, limits: Limits) -> Result<Sandbox> {
        if let Some(sandbox) = self.sandboxes.iter().find(|sandbox| *sandbox.limits() == limits) {
            return Ok(sandbox.clone());
        }
        let sandbox = match self.home {
            Home::Function { .. } => Sandbox::that_never_compiles(limits)?,
            Home::Command => Sandbox::new(limits)?,
        };
        let sandbox = match &self.seats {
            Some(seats) => sandbox.seated(seats.clone()),
            None => sandbox,
        }
        .trusting_ours()?;
        self.sandboxes.push(sandbox.clone());
        Ok(sandbox)
    }

    fn shipped(&mut self, limits: Limits) -> Result<Transform> {
        if let Some((_, transform)) = self.shipped.iter().find(|(known, _)| *known == limits) {
            return Ok(transform.clone());
        }
        let transform = Transform::shipped(&self.sandbox(limits)?)?;
        self.shipped.push((limits, transform.clone()));
        Ok(transform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lake_whose_keys_would_not_fit_is_refused_at_the_start() {
        let pipeline = |prefix: &str| Pipeline {
            lake: Location::S3 { bucket: "lake".into(), prefix: prefix.into() },
            ..crate::catalog::fixture::pipeline("")
        };
        let plan = Plan::new("", Some("orders".into())).unwrap();
        assert!(check_keys(&pipeline("a/b"), &plan).is_ok());
        let error = check_keys(&pipeline(&"x".repeat(400)), &plan).unwrap_err();
        assert_eq!((error.code(), error.hint().is_some()), (Code::StorageKey, true), "{error}");
    }
}
