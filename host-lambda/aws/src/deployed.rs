//! A deployed host: configuration, engine, specs and pipelines, ready before the first event comes.
//!
//! For: `bootstrap` in Lambda, and the commands that act through the same configuration. Not for a lake in
//! a folder named on the command line. Decisions to know:
//!
//! * Everything that can be wrong with a configuration is found at start, not at the thousandth object.
//! * Lakes and storages are made for each invocation: they are cheap, and each has its deadline.

mod around;
mod choice;
mod crawler;
mod object;
mod requests;
mod retract;
mod time;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use choice::Choice;
pub use choice::{registry_at, trust_of};
pub use object::Request;
pub use requests::{Answered, Refusal};

use around::Around;
use choice::Does;

use crate::client::Aws;
use crate::config::{Address, Config, ContractWish, Encryption as Wanted, Location, Origin, Pipeline, Told};
use crate::s3::{Encryption, S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::keys::{longest_part_key, pause_key};
use lakegate_lake::lake::{Lake, Texts};
use lakegate_lake::run::Plan;
use lakegate_lake::storage::{LocalFolder, Storage};
use lakegate_release::Loader;
use lakegate_sandbox::{Limits, Sandbox, Transform};

/// How long it is believed that a pipeline is not paused: one look a second costs a busy host nothing.
const PAUSE_LOOK: Duration = Duration::from_secs(1);

/// A configuration at work.
pub struct Deployed {
    aws: Aws,
    pipelines: BTreeMap<String, Ready>,
    config: Config,
    pace: time::Pace,
    metrics: bool,
}

/// Where a configuration is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// A function: nothing runs between its events, so it never compiles a release.
    Function {
        /// Its memory, where it is known.
        memory_bytes: Option<u64>,
    },
    /// A command on somebody's machine.
    Command,
}

impl Home {
    fn memory_bytes(self) -> Option<u64> {
        match self {
            Self::Function { memory_bytes } => memory_bytes,
            Self::Command => None,
        }
    }
}

/// A pipeline, its spec read and its transform loaded.
pub struct Ready {
    /// As configured.
    pub pipeline: Arc<Pipeline>,
    does: Does,
    looked: Mutex<Option<(Instant, bool)>>,
    /// Contracts and specs of its lake.
    texts: Arc<Texts>,
}

impl Deployed {
    /// Reads the configuration from where it is: a file, an object, the environment.
    ///
    /// # Errors
    /// It is not there, or has mistakes.
    pub fn configuration(aws: &Aws, origin: &Origin) -> Result<Config> {
        let text = match origin {
            Origin::File(path) => return Config::open(path),
            Origin::Inline { text, .. } => text.clone(),
            Origin::Object { bucket, key } => read_object(aws, bucket, key)?,
        };
        Config::parse(&text, origin).map_err(|mistakes| crate::config::refused(origin, &mistakes))
    }

    /// Makes every pipeline ready.
    ///
    /// # Errors
    /// A spec is missing, is wrong, or leaves types open that the pipeline does not want to learn.
    pub fn start(aws: Aws, config: Config, home: Home) -> Result<Self> {
        let mut pipelines = BTreeMap::new();
        let mut engines = Engines { home, sandboxes: Vec::new(), shipped: Vec::new() };
        for (name, pipeline) in &config.pipelines {
            let ready = Ready::new(&aws, pipeline, &mut engines).map_err(|error| {
                let hint = error.hint().unwrap_or("`lakegate config check` finds it before deployment");
                Error::new(Code::PipelineRefused, format!("pipeline {name}: {error}"))
                    .of_kind(error.kind())
                    .with_hint(hint)
            })?;
            pipelines.insert(name.clone(), ready);
        }
        Ok(Self { aws, pipelines, config, pace: time::Pace::default(), metrics: false })
    }

    /// Writes metrics to standard output, where a function's log is read.
    #[must_use]
    pub fn with_metrics(self) -> Self {
        Self { metrics: true, ..self }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A pipeline by name.
    ///
    /// # Errors
    /// `pipeline_unknown`, with the names there are.
    pub fn pipeline(&self, name: &str) -> Result<&Ready> {
        self.pipelines.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.pipelines.keys().map(String::as_str).collect();
            Error::new(Code::PipelineUnknown, format!("no pipeline is named {name}"))
                .with_hint(format!("there are: {}", names.join(", ")))
        })
    }

    /// Clients, for whoever acts beside the pipelines.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// A pipeline's lake with what it is connected to; its calls end before `aws`'s deadline.
    ///
    /// # Errors
    /// A local folder that cannot be used.
    pub fn lake(&self, ready: &Ready, aws: &Aws) -> Result<Lake> {
        let loader = ready.follower().map(|follower| follower.loader().clone());
        let around = Around::new(&ready.pipeline, aws, loader, self.metrics);
        Ok(bare_lake(&ready.pipeline, aws)?.within(Arc::new(around)).remembering(ready.texts.clone()))
    }

    /// Holds a pipeline, or lets it go on: its events are answered and nothing is done.
    ///
    /// # Errors
    /// The storage's.
    pub fn pause(&self, ready: &Ready, paused: bool) -> Result<()> {
        let lake = bare_lake(&ready.pipeline, &self.aws)?.remembering(ready.texts.clone());
        let key = pause_key(&ready.pipeline.name);
        if paused {
            lake.storage().put_if_absent(&key, b"{\"version\":1}\n")?;
        } else {
            lake.storage().delete(&key)?;
        }
        *ready.looked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Whether a pipeline is held, by its configuration or by [`Deployed::pause`].
    ///
    /// # Errors
    /// The storage's.
    pub fn is_paused(&self, ready: &Ready) -> Result<bool> {
        if ready.pipeline.paused {
            return Ok(true);
        }
        let mut looked = ready.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, paused)) = *looked
            && at.elapsed() < PAUSE_LOOK
        {
            return Ok(paused);
        }
        let lake = bare_lake(&ready.pipeline, &self.aws)?.remembering(ready.texts.clone());
        let paused = lake.storage().stat(&pause_key(&ready.pipeline.name))?.is_some();
        *looked = Some((Instant::now(), paused));
        Ok(paused)
    }
}

impl Ready {
    fn new(aws: &Aws, pipeline: &Pipeline, engines: &mut Engines) -> Result<Self> {
        let limits = pipeline.limits.sandbox(engines.home.memory_bytes());
        let sandbox = engines.sandbox(limits)?;
        let does = match Does::follow(aws, pipeline, sandbox)? {
            Some(channel) => channel,
            None => Does::Fixed(Box::new(fixed_plan(aws, pipeline)?), engines.shipped(limits)?),
        };
        if let Does::Fixed(plan, _) = &does {
            check_keys(pipeline, plan)?;
        }
        if let Does::Fixed(plan, transform) = &does
            && pipeline.contract == ContractWish::Declared
            && !plan.is_declared(transform)?
        {
            let hint = "declare every column and `mode = \"freeze\"` or \"discard\" in the spec, or say \
                        `contract = \"learn\"` for the pipeline";
            return Err(Error::new(Code::TypesOpen, "its spec leaves types to be learned").with_hint(hint));
        }
        Ok(Self {
            pipeline: Arc::new(pipeline.clone()),
            does,
            looked: Mutex::new(None),
            texts: Arc::default(),
        })
    }
}

/// S3's longest key.
const KEY_BYTES: usize = 1024;

/// That every key of a pipeline fits: found at the start, not by an object whose commit can then never be published.
fn check_keys(pipeline: &Pipeline, plan: &Plan) -> Result<()> {
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

/// Engines and the shipped transform in them: pipelines of the same limits share both.
struct Engines {
    home: Home,
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

/// A pipeline's lake, connected to catalog, notices and sources, for whoever acts beside the pipelines.
pub fn connected_lake(pipeline: &Pipeline, aws: &Aws, loader: Option<Loader>) -> Result<Lake> {
    let around = Around::new(pipeline, aws, loader, false);
    Ok(bare_lake(pipeline, aws)?.within(Arc::new(around)))
}

/// A pipeline's lake, connected to nothing.
pub fn bare_lake(pipeline: &Pipeline, aws: &Aws) -> Result<Lake> {
    Ok(Lake::over(storage_at(pipeline, aws, &pipeline.lake)?))
}

/// A place that a pipeline writes to.
pub(crate) fn storage_at(pipeline: &Pipeline, aws: &Aws, place: &Location) -> Result<Arc<dyn Storage>> {
    Ok(match place {
        Location::Local(folder) => Arc::new(LocalFolder::new(folder)?),
        Location::S3 { bucket, prefix } => Arc::new(s3(pipeline, aws, bucket, prefix)),
    })
}

/// A storage for what a pipeline writes.
fn s3(pipeline: &Pipeline, aws: &Aws, bucket: &str, prefix: &str) -> S3Storage {
    let default = S3Options::default();
    let (output, limits) = (&pipeline.output, &pipeline.limits);
    let options = S3Options {
        encryption: match &output.encryption {
            None => Encryption::Bucket,
            Some(Wanted::S3) => Encryption::S3,
            Some(Wanted::Kms { key }) => Encryption::Kms(key.clone()),
        },
        storage_class: output.storage_class.clone(),
        staging_bytes: limits
            .staging_bytes
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(default.staging_bytes),
        spill_bytes: limits.spill_bytes.unwrap_or(default.spill_bytes),
        ..default
    };
    S3Storage::new(aws.clone(), bucket, prefix, options)
}

pub fn read_address(aws: &Aws, address: &Address) -> Result<String> {
    match address {
        Address::S3 { bucket, key } => read_object(aws, bucket, key),
        Address::Local(path) => {
            std::fs::read_to_string(path).map_err(|error| Error::io(&path.display().to_string(), error))
        }
    }
}

fn read_object(aws: &Aws, bucket: &str, key: &str) -> Result<String> {
    let uri = format!("s3://{bucket}/{key}");
    let storage = S3Storage::new(aws.clone(), bucket, "", S3Options::default());
    let found =
        storage.get(key)?.ok_or_else(|| Error::new(Code::ObjectMissing, format!("{uri} is not there")))?;
    String::from_utf8(found.bytes).map_err(|_| Error::new(Code::NotUtf8, format!("{uri} is not UTF-8 text")))
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
