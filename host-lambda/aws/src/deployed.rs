//! A deployed host: configuration, engine, specs and pipelines, ready before the first event comes.
//!
//! For: `bootstrap` in Lambda, and the commands that act through the same configuration. Not for a lake in
//! a folder named on the command line. Decisions to know:
//!
//! * Everything that can be wrong with a configuration is found at start, not at the thousandth object; what is wrong
//!   with one pipeline stops that one alone.
//! * Lakes and storages are made for each invocation: they are cheap, and each has its deadline.

mod around;
mod checks;
mod choice;
mod crawler;
mod inventory;
mod lanes;
mod named;
mod object;
mod ready;
mod reconcile;
mod requests;
mod retract;
mod tagging;
mod task;
mod time;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

pub use around::source_of;
pub use checks::{Checked, Example, FreshnessAnswer, ReconcileAnswer};
pub use choice::Choice;
pub use choice::{follow, registry_at, trust_of};
pub use inventory::Inventory;
pub use lanes::Share;
pub use named::named_lake;
pub use object::Request;
pub use ready::{Ready, check_keys, check_plan};
pub use reconcile::{Gone, Missing, Reconciled, Why};
pub use requests::{Answered, Refusal};

use around::Around;
use ready::Pipelines;

use crate::client::Aws;
use crate::s3::{Encryption, S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_config::{Address, Config, Encryption as Wanted, Location, Origin, Pipeline};
use lakegate_lake::keys::pause_key;
use lakegate_lake::lake::Lake;
use lakegate_lake::storage::{LocalFolder, Storage};
use lakegate_release::Loader;

/// How long it is believed that a pipeline is not paused: one look a second costs a busy host nothing.
const PAUSE_LOOK: Duration = Duration::from_secs(1);

/// A configuration at work.
pub struct Deployed {
    aws: Aws,
    pipelines: Pipelines,
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
        Config::parse(&text, origin).map_err(|mistakes| lakegate_config::refused(origin, &mistakes))
    }

    /// The pipelines of a configuration. A function makes them ready now, a command those that it needs.
    ///
    /// # Errors
    /// In a function: no pipeline can be made ready. A spec is missing, is wrong, or leaves types open that the pipeline
    /// does not want to learn; a channel or release is refused.
    pub fn start(aws: Aws, config: Config, home: Home) -> Result<Self> {
        let pipelines = Pipelines::new(&aws, &config, home)?;
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

    /// A pipeline's configuration by name.
    ///
    /// # Errors
    /// `pipeline_unknown`, with the names there are.
    pub fn named(&self, name: &str) -> Result<&Pipeline> {
        let names = || self.config.pipelines.keys().map(String::as_str);
        self.config.pipelines.get(name).ok_or_else(|| unknown_pipeline(name, names()))
    }

    /// A pipeline by name, ready.
    ///
    /// # Errors
    /// `pipeline_unknown`; `pipeline_refused`: it cannot be set up, which is no object's fault.
    pub fn pipeline(&self, name: &str) -> Result<Arc<Ready>> {
        self.pipelines.ready(&self.aws, self.named(name)?)
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
        self.lake_since(ready, aws, Instant::now(), Share::WHOLE)
    }

    /// The same for an object whose turn began at a moment, and that has a share of the memory.
    fn lake_since(&self, ready: &Ready, aws: &Aws, begun: Instant, share: Share) -> Result<Lake> {
        let around = self.around(ready, aws, begun);
        let pipeline = &ready.pipeline;
        Ok(Lake::over(storage_of(pipeline, aws, &pipeline.lake, share)?)
            .within(Arc::new(around))
            .remembering(ready.texts.clone()))
    }

    /// What the lake is connected to then.
    fn around(&self, ready: &Ready, aws: &Aws, begun: Instant) -> Around {
        let loader = ready.follower().map(|follower| follower.loader().clone());
        Around::new(&ready.pipeline, aws, loader, self.metrics, begun)
    }

    /// Holds a pipeline, or lets it go on: its events are answered and nothing is done.
    ///
    /// # Errors
    /// The storage's.
    pub fn pause(&self, pipeline: &Pipeline, paused: bool) -> Result<()> {
        let lake = bare_lake(pipeline, &self.aws)?;
        let key = pause_key(&pipeline.name);
        if paused {
            lake.storage().put_if_absent(&key, b"{\"version\":1}\n")?;
        } else {
            lake.storage().delete(&key)?;
        }
        if let Some(ready) = self.pipelines.known(&pipeline.name) {
            *ready.looked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }

    /// Whether a pipeline is held, by its configuration or by [`Deployed::pause`]; asked by `aws`, whose calls end in time.
    ///
    /// # Errors
    /// The storage's.
    pub fn is_paused(&self, ready: &Ready, aws: &Aws) -> Result<bool> {
        if ready.pipeline.paused {
            return Ok(true);
        }
        let mut looked = ready.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, paused)) = *looked
            && at.elapsed() < PAUSE_LOOK
        {
            return Ok(paused);
        }
        let lake = bare_lake(&ready.pipeline, aws)?.remembering(ready.texts.clone());
        let paused = lake.storage().stat(&pause_key(&ready.pipeline.name))?.is_some();
        *looked = Some((Instant::now(), paused));
        Ok(paused)
    }
}

/// No pipeline has this name; `names` are those that there are.
pub fn unknown_pipeline<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Error {
    Error::new(Code::PipelineUnknown, format!("no pipeline is named {name}"))
        .with_hint(format!("there are: {}", names.collect::<Vec<_>>().join(", ")))
}

/// A pipeline's lake, connected to catalog, notices and sources, for whoever acts beside the pipelines.
pub fn connected_lake(pipeline: &Pipeline, aws: &Aws, loader: Option<Loader>) -> Result<Lake> {
    let around = Around::new(pipeline, aws, loader, false, Instant::now());
    Ok(bare_lake(pipeline, aws)?.within(Arc::new(around)))
}

/// A pipeline's lake, connected to nothing.
pub fn bare_lake(pipeline: &Pipeline, aws: &Aws) -> Result<Lake> {
    Ok(Lake::over(storage_at(pipeline, aws, &pipeline.lake)?))
}

/// A place that a pipeline writes to.
pub(crate) fn storage_at(pipeline: &Pipeline, aws: &Aws, place: &Location) -> Result<Arc<dyn Storage>> {
    storage_of(pipeline, aws, place, Share::WHOLE)
}

/// The same with a share of the memory that it stages in.
fn storage_of(pipeline: &Pipeline, aws: &Aws, place: &Location, share: Share) -> Result<Arc<dyn Storage>> {
    Ok(match place {
        Location::Local(folder) => Arc::new(LocalFolder::new(folder)?),
        Location::S3 { bucket, prefix } => Arc::new(s3(pipeline, aws, (bucket, prefix), share)),
    })
}

/// A storage for what a pipeline writes.
fn s3(pipeline: &Pipeline, aws: &Aws, (bucket, prefix): (&str, &str), share: Share) -> S3Storage {
    let default = S3Options::default();
    let (output, limits) = (&pipeline.output, &pipeline.limits);
    let options = S3Options {
        encryption: match &output.encryption {
            None => Encryption::Bucket,
            Some(Wanted::S3) => Encryption::S3,
            Some(Wanted::Kms { key }) => Encryption::Kms(key.clone()),
        },
        storage_class: output.storage_class.clone(),
        staging_bytes: share.of_bytes(
            limits
                .staging_bytes
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(default.staging_bytes),
        ),
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
