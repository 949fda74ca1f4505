//! AWS as the verbs need it: registries and lakes in buckets, and the pipelines of `lakegate.toml`.
//!
//! The only module beside the verbs of deployed pipelines that knows the AWS crate. A build without the feature `aws`
//! has `cloud_absent.rs` in its place, which says what is missing.

use lakegate_aws::client::Aws;
use lakegate_aws::config::{Address, Config, ContractWish, FILE_NAME, Origin, Pipeline, Told};
use lakegate_aws::deployed::{
    Deployed, Home, bare_lake, connected_lake, read_address, registry_at, trust_of,
};
use lakegate_aws::s3::{S3Options, S3Storage};
use lakegate_base::{Error, Result};
use lakegate_lake::Lake;
use lakegate_lake::storage::Storage;
use lakegate_release::{Loader, Registry, SigningKey, Trust};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Clients, and the threads that their requests run on.
pub struct Connection {
    aws: Aws,
    // Dropped last: the clients above run on it.
    _runtime: Runtime,
}

impl Connection {
    /// Clients of this environment; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn open() -> Result<Self> {
        let runtime = threads()?;
        Ok(Self { aws: Aws::from_env(runtime.handle().clone()), _runtime: runtime })
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
        let rest = uri.strip_prefix("s3://").unwrap_or(uri);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::usage(format!("{uri} is no s3://BUCKET/PREFIX/")));
        }
        Ok(Arc::new(S3Storage::new(self.aws.clone(), bucket, prefix, S3Options::default())))
    }
}

fn threads() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::io("threads", error))
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
        let path = match config {
            Some(path) => path.to_owned(),
            None => {
                let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
                let Some(found) = Config::find(&here) else { return Ok(Self::default()) };
                found
            }
        };
        let config = Config::open(&path).map_err(|error| error.in_file(path.display().to_string()))?;
        let follows =
            |pipeline: &Pipeline| matches!(&pipeline.told, Told::Channel { channel, .. } if channel == name);
        Ok(Self { pipelines: config.pipelines.into_values().filter(follows).collect() })
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

/// The pipelines of a configuration, ready, and the threads that their requests run on.
pub struct Connected {
    /// The pipelines.
    pub deployed: Deployed,
    // Dropped last: the clients above run on it.
    _runtime: Runtime,
}

/// Makes the pipelines of a configuration ready.
///
/// # Errors
/// There is no configuration, it has mistakes, or a pipeline is refused.
pub fn connect(config: Option<&Path>) -> Result<Connected> {
    let path = match config {
        Some(path) => path.to_owned(),
        None => found()?.ok_or_else(|| {
            Error::usage(format!("there is no {FILE_NAME} here or in a folder above"))
                .with_hint("name it with --config FILE")
        })?,
    };
    let runtime = threads()?;
    let name = path.display().to_string();
    let aws = Aws::from_env(runtime.handle().clone());
    let config = Deployed::configuration(&aws, &Origin::File(path))?;
    let deployed = Deployed::start(aws, config, Home::Command).map_err(|error| error.in_file(name))?;
    Ok(Connected { deployed, _runtime: runtime })
}

impl Connected {
    /// The lakes of all pipelines; pipelines may share one.
    ///
    /// # Errors
    /// A lake cannot be reached.
    pub fn lakes(&self) -> Result<Vec<Lake>> {
        let deployed = &self.deployed;
        let lake = |pipeline: &Pipeline| connected_lake(pipeline, deployed.aws(), None);
        deployed.config().pipelines.values().map(lake).collect()
    }
}

/// The configuration here or in a folder above.
///
/// # Errors
/// There is no current folder.
pub fn found() -> Result<Option<PathBuf>> {
    let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
    Ok(Config::find(&here))
}
