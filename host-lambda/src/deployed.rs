//! A deployed host: configuration, engine, specs and pipelines, ready before the first event comes.
//!
//! For: `bootstrap` in Lambda, and the commands that act through the same configuration. Not for a lake in
//! a folder named on the command line. Decisions to know:
//!
//! * Everything that can be wrong with a configuration is found at start, not at the thousandth object.
//! * Lakes and storages are made for each invocation: they are cheap, and each has its deadline.

mod around;
mod crawler;
mod object;
mod requests;
mod retract;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use object::Request;
pub use requests::{Answered, Refusal};

use around::Around;

use crate::aws::Aws;
use crate::config::{Address, Config, ContractWish, Encryption as Wanted, Location, Origin, Pipeline, Told};
use crate::error::{Error, Result};
use crate::lake::{Lake, Texts};
use crate::run::Plan;
use crate::sandbox::{JobOptions, Limits, Sandbox, Step, Transform};
use crate::storage::{Encryption, LocalFolder, S3Options, S3Storage, Storage};

/// How long it is believed that a pipeline is not paused: one look a second costs a busy host nothing.
const PAUSE_LOOK: Duration = Duration::from_secs(1);

/// A configuration at work.
pub struct Deployed {
    aws: Aws,
    pipelines: BTreeMap<String, Ready>,
    config: Config,
    pace: object::Pace,
    metrics: bool,
}

/// A pipeline, its spec read and its transform loaded.
pub struct Ready {
    /// As configured.
    pub pipeline: Arc<Pipeline>,
    /// What it does with each object.
    pub plan: Plan,
    /// What does it.
    pub transform: Transform,
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
    pub fn start(aws: Aws, config: Config) -> Result<Self> {
        let mut pipelines = BTreeMap::new();
        let mut loaded = Vec::new();
        for (name, pipeline) in &config.pipelines {
            let ready = transform_within(pipeline.limits.sandbox(), &mut loaded);
            let ready =
                ready.and_then(|transform| Ready::new(&aws, pipeline, transform)).map_err(|error| {
                    let hint = error.hint().unwrap_or("`lakegate config check` finds it before deployment");
                    Error::of_kind(error.kind(), "pipeline_refused", format!("pipeline {name}: {error}"))
                        .with_hint(hint)
                })?;
            pipelines.insert(name.clone(), ready);
        }
        Ok(Self { aws, pipelines, config, pace: object::Pace::default(), metrics: false })
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
            Error::input("pipeline_unknown", format!("no pipeline is named {name}"))
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
        let around = Around { aws: aws.clone(), pipeline: ready.pipeline.clone() };
        Ok(bare_lake(&ready.pipeline, aws)?.within(Arc::new(around)).remembering(ready.texts.clone()))
    }

    /// Holds a pipeline, or lets it go on: its events are answered and nothing is done.
    ///
    /// # Errors
    /// The storage's.
    pub fn pause(&self, ready: &Ready, paused: bool) -> Result<()> {
        let lake = bare_lake(&ready.pipeline, &self.aws)?;
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
        let lake = bare_lake(&ready.pipeline, &self.aws)?;
        let paused = lake.storage().stat(&pause_key(&ready.pipeline.name))?.is_some();
        *looked = Some((Instant::now(), paused));
        Ok(paused)
    }
}

impl Ready {
    fn new(aws: &Aws, pipeline: &Pipeline, transform: Transform) -> Result<Self> {
        let spec = match &pipeline.told {
            Told::Spec { address: Address::S3 { bucket, key }, .. } => read_object(aws, bucket, key)?,
            Told::Spec { address: Address::Local(path), .. } => std::fs::read_to_string(path)
                .map_err(|error| Error::read("read", path.display().to_string(), error))?,
            Told::Channel { channel, .. } => {
                return Err(Error::input(
                    "channel_unsupported",
                    format!("it names the channel {channel}, which this host cannot follow yet"),
                )
                .with_hint("name a spec instead"));
            }
            Told::Nothing => String::new(),
        };
        let plan = Plan::new(spec, pipeline.table.clone())?.deployed(&pipeline.name);
        if pipeline.contract == ContractWish::Declared && !declares(&transform, &plan)? {
            let hint = "declare every column and `mode = \"freeze\"` or \"discard\" in the spec, or say \
                        `contract = \"learn\"` for the pipeline";
            return Err(Error::input("types_open", "its spec leaves types to be learned").with_hint(hint));
        }
        Ok(Self {
            pipeline: Arc::new(pipeline.clone()),
            plan,
            transform,
            looked: Mutex::new(None),
            texts: Arc::default(),
        })
    }
}

/// The shipped transform under these limits. Pipelines of the same limits share one engine and its code.
fn transform_within(limits: Limits, loaded: &mut Vec<(Limits, Transform)>) -> Result<Transform> {
    if let Some((_, transform)) = loaded.iter().find(|(known, _)| *known == limits) {
        return Ok(transform.clone());
    }
    let transform = Transform::shipped(&Sandbox::new(limits)?)?;
    loaded.push((limits, transform.clone()));
    Ok(transform)
}

/// Whether a spec settles its contract: the transform then agrees it before it asks for any input. A wrong
/// spec fails here, with line and column.
fn declares(transform: &Transform, plan: &Plan) -> Result<bool> {
    let options = JobOptions { spec: plan.spec.clone(), table: plan.table.clone(), ..JobOptions::default() };
    Ok(matches!(transform.open(options)?.step()?, Step::Widen(_)))
}

/// A pipeline's lake, connected to nothing.
fn bare_lake(pipeline: &Pipeline, aws: &Aws) -> Result<Lake> {
    Ok(Lake::over(storage_at(pipeline, aws, &pipeline.lake)?))
}

/// A place that a pipeline writes to.
fn storage_at(pipeline: &Pipeline, aws: &Aws, place: &Location) -> Result<Arc<dyn Storage>> {
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

fn read_object(aws: &Aws, bucket: &str, key: &str) -> Result<String> {
    let uri = format!("s3://{bucket}/{key}");
    let storage = S3Storage::new(aws.clone(), bucket, "", S3Options::default());
    let found =
        storage.get(key)?.ok_or_else(|| Error::input("object_missing", format!("{uri} is not there")))?;
    String::from_utf8(found.bytes).map_err(|_| Error::input("not_utf8", format!("{uri} is not UTF-8 text")))
}

fn pause_key(pipeline: &str) -> String {
    format!("_lakegate/paused/{pipeline}.json")
}
