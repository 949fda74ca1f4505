//! AWS as the verbs need it: registries and lakes in buckets, and the pipelines of `lakegate.toml`.
//!
//! The only module beside the verbs of deployed pipelines that knows the AWS crate. A build without the feature `aws`
//! has `cloud_absent.rs` in its place, which says what is missing.

use crate::place::{Place, bucket_and_key};
use lakegate_aws::client::Aws;
use lakegate_aws::deployed::{
    Deployed, Home, bare_lake, connected_lake, named_lake, read_address, registry_at, trust_of,
    unknown_pipeline,
};
use lakegate_aws::s3::{S3Options, S3Storage};
use lakegate_base::{Error, Result};
use lakegate_config::{Address, Config, ContractWish, FILE_NAME, Location, Pipeline, Route, Told};
use lakegate_lake::Lake;
use lakegate_lake::record::SourceRecord;
use lakegate_lake::run::Plan;
use lakegate_lake::source::Source;
use lakegate_lake::storage::Storage;
use lakegate_release::{Loader, Registry, SigningKey, Trust};
use lakegate_sandbox::Transform;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Clients of this process.
pub struct Connection {
    aws: Aws,
}

impl Connection {
    /// Clients of this environment; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn open() -> Result<Self> {
        Ok(Self { aws: aws()? })
    }

    /// The clients.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// A storage over `s3://BUCKET/PREFIX/`.
    ///
    /// # Errors
    /// It names no bucket.
    pub fn storage(&self, uri: &str) -> Result<Arc<dyn Storage>> {
        let (bucket, prefix) = bucket_and_key(uri)?;
        Ok(Arc::new(S3Storage::new(self.aws.clone(), bucket, prefix, S3Options::default())))
    }
}

/// The clients that all of a process shares, and the threads of their requests, which end with it.
fn aws() -> Result<Aws> {
    static SHARED: Mutex<Option<Aws>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(aws) = &*shared {
        return Ok(aws.clone());
    }
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::io("threads", error))?;
    let aws = Aws::from_env(threads.handle().clone());
    // Whoever has a client may use it until the process ends.
    std::mem::forget(threads);
    *shared = Some(aws.clone());
    Ok(aws)
}

/// Pipelines of a configuration that follow one channel.
#[derive(Default)]
pub struct Followers {
    pipelines: Vec<Pipeline>,
}

/// What their configuration says of the channel.
#[derive(Default)]
pub struct Known {
    /// Where the releases are, if that was asked for.
    pub registry: Option<Registry>,
    /// Who is trusted.
    pub trust: Trust,
    /// The private key, if one is named.
    pub key: Option<SigningKey>,
}

impl Followers {
    /// Those of the channel `name`; none where there is no configuration.
    ///
    /// # Errors
    /// The configuration cannot be read or has mistakes.
    pub fn of(name: &str, config: Option<&Path>) -> Result<Self> {
        let mut all = Self::all(config)?;
        all.pipelines
            .retain(|pipeline| matches!(&pipeline.told, Told::Channel { channel, .. } if channel == name));
        Ok(all)
    }

    /// Those of any channel; none where there is no configuration.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn all(config: Option<&Path>) -> Result<Self> {
        if config.is_none() && found()?.is_none() {
            return Ok(Self::default());
        }
        let (_, config) = configuration(config)?;
        let follows = |pipeline: &Pipeline| matches!(pipeline.told, Told::Channel { .. });
        Ok(Self { pipelines: config.pipelines.into_values().filter(follows).collect() })
    }

    /// Their registries, each once.
    ///
    /// # Errors
    /// The place of one makes no sense.
    pub fn registries(&self, connection: &Connection) -> Result<Vec<Registry>> {
        let mut found: Vec<Registry> = Vec::new();
        for pipeline in &self.pipelines {
            let Told::Channel { registry, .. } = &pipeline.told else { continue };
            let registry = registry_at(pipeline, &connection.aws, registry)?;
            if found.iter().all(|known| known.uri() != registry.uri()) {
                found.push(registry);
            }
        }
        Ok(found)
    }

    /// Whether a pipeline of this name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.pipelines.iter().any(|pipeline| pipeline.name == name)
    }

    /// Whether one of them takes only releases whose spec declares every type.
    pub fn want_declared(&self) -> bool {
        self.pipelines.iter().any(|pipeline| pipeline.contract == ContractWish::Declared)
    }

    /// What the configuration says of the channel; the key only where `with_key`, the registry only where
    /// `with_registry`, so that nothing is read that the command line says already.
    ///
    /// # Errors
    /// A key cannot be read, or the registry's place makes no sense.
    pub fn known(&self, connection: &Connection, with_registry: bool, with_key: bool) -> Result<Known> {
        let Some(pipeline) = self.pipelines.first() else { return Ok(Known::default()) };
        let Told::Channel { registry, trust, key, .. } = &pipeline.told else { return Ok(Known::default()) };
        let aws = &connection.aws;
        let registry = if with_registry { Some(registry_at(pipeline, aws, registry)?) } else { None };
        let key = match key {
            Some(Address::Local(path)) if with_key => Some(SigningKey::read(path)?),
            Some(address) if with_key => {
                let text = read_address(aws, address)?;
                Some(SigningKey::parse(&text).map_err(|error| error.in_file(address.uri()))?)
            }
            _ => None,
        };
        Ok(Known { registry, trust: trust_of(aws, trust)?, key })
    }

    /// Their lakes by the pipelines' names, connected to nothing.
    ///
    /// # Errors
    /// A folder cannot be used.
    pub fn lakes(&self, connection: &Connection) -> Result<Vec<(String, Lake)>> {
        let lake = |pipeline: &Pipeline| Ok((pipeline.name.clone(), bare_lake(pipeline, &connection.aws)?));
        self.pipelines.iter().map(lake).collect()
    }

    /// The same, connected to their catalogs and sources; `loader` makes one that loads what made a commit.
    ///
    /// # Errors
    /// A folder cannot be used, or the loader's.
    pub fn connected_lakes(
        &self,
        connection: &Connection,
        loader: impl Fn() -> Result<Loader>,
    ) -> Result<Vec<(String, Lake)>> {
        let lake = |pipeline: &Pipeline| {
            Ok((pipeline.name.clone(), connected_lake(pipeline, &connection.aws, Some(loader()?))?))
        };
        self.pipelines.iter().map(lake).collect()
    }
}

/// Makes the pipelines of a configuration ready.
///
/// # Errors
/// There is no configuration, it has mistakes, or a pipeline is refused.
pub fn connect(config: Option<&Path>) -> Result<Deployed> {
    let (path, config) = configuration(config)?;
    Deployed::start(aws()?, config, Home::Command).map_err(|error| error.in_file(path.display().to_string()))
}

/// Where the configuration is that is named, else the one found.
///
/// # Errors
/// There is none.
pub fn configuration_path(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => found()?.ok_or_else(|| {
            Error::usage(format!("there is no {FILE_NAME} here or in a folder above"))
                .with_hint("name it with --config FILE")
        }),
    }
}

/// The configuration that is named, else the one found, and where it is.
fn configuration(named: Option<&Path>) -> Result<(PathBuf, Config)> {
    let path = configuration_path(named)?;
    let config = Config::open(&path).map_err(|error| error.in_file(path.display().to_string()))?;
    Ok((path, config))
}

/// The configuration here or in a folder above.
///
/// # Errors
/// There is no current folder.
pub fn found() -> Result<Option<PathBuf>> {
    let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
    Ok(Config::find(&here))
}

/// The lakes of a configuration's pipelines, with the pipelines' names.
///
/// # Errors
/// There is no configuration, or it has mistakes.
pub fn lakes_of(config: Option<&Path>) -> Result<Vec<(String, Place)>> {
    let (_, config) = configuration(config)?;
    let lake = |pipeline: &Pipeline| (pipeline.name.clone(), place_of(&pipeline.lake));
    Ok(config.pipelines.values().map(lake).collect())
}

fn place_of(location: &Location) -> Place {
    match location {
        Location::Local(folder) => Place::Local(folder.clone()),
        Location::S3 { .. } => Place::S3(location.uri()),
    }
}

/// The lake of a pipeline.
///
/// # Errors
/// `pipeline_unknown`; as [`lakes_of`].
pub fn lake_of(pipeline: &str, config: Option<&Path>) -> Result<Place> {
    let mut lakes = lakes_of(config)?;
    match lakes.iter().position(|(name, _)| name == pipeline) {
        Some(found) => Ok(lakes.swap_remove(found).1),
        None => Err(unknown_pipeline(pipeline, lakes.iter().map(|(name, _)| name.as_str()))),
    }
}

/// A lake in a bucket.
pub struct LakeAt {
    /// Connected to what the pipelines that write to it are connected to.
    pub lake: Lake,
    /// Whether there are any.
    pub connected: bool,
    /// Why nothing may be written there, if it may not.
    pub in_the_way: Option<String>,
}

/// The lake at an S3 URI.
///
/// # Errors
/// It names no bucket; the configuration has mistakes.
pub fn lake_at(uri: &str, config: Option<&Path>) -> Result<LakeAt> {
    let (bucket, prefix) = bucket_and_key(uri)?;
    let prefix = match prefix.trim_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let place = Location::S3 { bucket: bucket.to_owned(), prefix };
    let config =
        if config.is_some() || found()?.is_some() { configuration(config)?.1 } else { Config::default() };
    let writers: Vec<&Pipeline> = config.pipelines.values().filter(|of| of.lake == place).collect();
    Ok(LakeAt {
        lake: named_lake(&aws()?, &place, &writers)?,
        connected: !writers.is_empty(),
        in_the_way: config.in_the_way(&place),
    })
}

/// What the pipeline that takes an object does with it, and its lake; `None` where there is no configuration, or no
/// pipeline takes it.
///
/// # Errors
/// The configuration's, or its pipeline's; another pipeline is named than the one that takes it.
pub fn planned(
    uri: &str,
    named: Option<&str>,
    config: Option<&Path>,
) -> Result<Option<(Transform, Plan, Place)>> {
    if config.is_none() && found()?.is_none() {
        return Ok(None);
    }
    let deployed = connect(config)?;
    let (bucket, key) = bucket_and_key(uri)?;
    let Route::Pipeline(pipeline) = deployed.config().route(bucket, key) else { return Ok(None) };
    if named.is_some_and(|named| named != pipeline.name) {
        return Err(Error::usage(format!("the pipeline {} takes {uri}", pipeline.name)));
    }
    let choice = deployed.pipeline(&pipeline.name)?.choose(uri)?;
    Ok(Some((choice.transform, choice.plan, place_of(&pipeline.lake))))
}

/// A source object in a bucket, as its record pins it.
///
/// # Errors
/// `source_gone`.
pub fn source_of(record: &SourceRecord) -> Result<Source> {
    lakegate_aws::deployed::source_of(&aws()?, record)
}

/// All that a storage over a whole bucket needs to read an object of it.
///
/// # Errors
/// It names no bucket.
pub fn bucket_of(uri: &str) -> Result<Arc<dyn Storage>> {
    let (bucket, _) = bucket_and_key(uri)?;
    Ok(Arc::new(S3Storage::new(aws()?, bucket, "", S3Options::default())))
}
