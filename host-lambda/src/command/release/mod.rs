//! Commands about releases: make keys, publish, list, promote, roll back, compare, replay, verify.
//!
//! Not for what a release is ([`release`](mod@crate::release)). The decision to know: where releases are, who is
//! trusted and which key signs come from the command line, else from the pipelines of `lakegate.toml` that
//! follow the channel; so in a folder with a configuration a rollback is one command of two words.

pub mod diff;
pub mod keygen;
pub mod list;
pub mod promote;
pub mod publish;
pub mod replay;
pub mod verify;

use crate::aws::Aws;
use crate::config::{Config, Pipeline, Told};
use crate::deployed::{bare_lake, read_address, registry_at, trust_of};
use crate::error::{Code, Error};
use crate::lake::Lake;
use crate::release::{Loader, Registry, SigningKey, Trust};
use crate::sandbox::{Limits, Sandbox};
use crate::storage::{LocalFolder, S3Options, S3Storage, Storage};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Environment variable that names the private key file.
const KEY_VARIABLE: &str = "LAKEGATE_KEY";
/// Environment variable that names public key files, `:` between them.
const TRUST_VARIABLE: &str = "LAKEGATE_TRUST";

/// Where releases are, and who is believed.
#[derive(Args, Clone, Debug, Default)]
pub struct RegistryArg {
    /// Where releases are: a folder, or s3://BUCKET/PREFIX/ [default: of lakegate.toml]
    #[arg(long, value_name = "DIR | S3 URI")]
    pub registry: Option<String>,
    /// Public key file of whoever publishes; may be repeated [default: of lakegate.toml, and $LAKEGATE_TRUST]
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
}

/// Which key signs.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyArg {
    /// Private key file that signs [default: $LAKEGATE_KEY, else of lakegate.toml]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// Which lakes a release is about.
#[derive(Args, Clone, Debug, Default)]
pub struct LakesArg {
    /// Configuration of the pipelines [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A lake in a folder that the releases write to, beside those of the configuration
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
}

/// Clients, and the threads that their requests run on.
pub struct Connection {
    pub aws: Aws,
    // Dropped last: the clients above run on it.
    _runtime: tokio::runtime::Runtime,
}

impl Connection {
    /// Clients of this environment; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn open() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Error::io("threads", error))?;
        Ok(Self { aws: Aws::from_env(runtime.handle().clone()), _runtime: runtime })
    }
}

/// A registry, who is trusted, and the pipelines that follow the channel.
pub struct Opened {
    pub registry: Registry,
    pub trust: Trust,
    pub pipelines: Vec<Pipeline>,
    /// The private key, if one was named.
    pub key: Option<SigningKey>,
    /// A lake that was named beside the pipelines.
    folder: Option<PathBuf>,
    pub connection: Connection,
}

/// Opens what a command about the releases of `name` needs.
///
/// # Errors
/// No registry is named, or a key cannot be read.
pub fn open(name: &str, at: &RegistryArg, key: &KeyArg, lakes: &LakesArg) -> Result<Opened, Error> {
    let connection = Connection::open()?;
    let pipelines = followers(name, lakes.config.as_deref())?;
    let told = pipelines.first().map(|pipeline| (pipeline, &pipeline.told));
    let (mut from_config, mut trust, mut signs) = (None, Trust::default(), None);
    if let Some((pipeline, Told::Channel { registry, trust: keys, key, .. })) = told {
        if at.registry.is_none() {
            from_config = Some(registry_at(pipeline, &connection.aws, registry)?);
        }
        trust = trust_of(&connection.aws, keys)?;
        signs = key.clone();
    }
    let registry = match (&at.registry, from_config) {
        (Some(place), _) => registry_named(place, &connection.aws)?,
        (None, Some(registry)) => registry,
        (None, None) => {
            return Err(Error::usage(format!(
                "no registry is named, and no pipeline follows the channel {name}"
            ))
            .with_hint(
                "name it with --registry DIR, or `channel` and `registry` of a pipeline in lakegate.toml",
            ));
        }
    };
    let key = match key.key.clone().or_else(|| std::env::var_os(KEY_VARIABLE).map(PathBuf::from)) {
        Some(path) => Some(read_key(&path)?),
        None => match signs {
            Some(address) => {
                let text = read_address(&connection.aws, &address)?;
                Some(SigningKey::parse(&text).map_err(|error| error.in_file(address.uri()))?)
            }
            None => None,
        },
    };
    let trust = trust.and(at.trusted()?);
    let trust = key.as_ref().map_or(trust.clone(), |key| trust.and(key.trust()));
    Ok(Opened { registry, trust, pipelines, key, folder: lakes.lake.clone(), connection })
}

impl Opened {
    /// The private key.
    ///
    /// # Errors
    /// None was named.
    pub fn signer(&self) -> Result<&SigningKey, Error> {
        self.key.as_ref().ok_or_else(|| {
            Error::usage("no private key is named").with_hint(format!(
                "give --key FILE, ${KEY_VARIABLE}, or `key` in lakegate.toml; `lakegate keygen --out FILE` makes one"
            ))
        })
    }

    /// What loads releases here.
    ///
    /// # Errors
    /// The sandbox cannot be set up.
    pub fn loader(&self) -> Result<Loader, Error> {
        let sandbox = Sandbox::new(Limits::default())?;
        let (registry, trust) = (self.registry.clone(), self.trust.clone());
        Ok(Loader { registry, trust, sandbox, strict: false, declared: false })
    }

    /// The lakes that the releases write to: name of the pipeline, and lake.
    ///
    /// # Errors
    /// A folder cannot be used.
    pub fn lakes(&self) -> Result<Vec<(String, Lake)>, Error> {
        let mut lakes = Vec::new();
        for pipeline in &self.pipelines {
            let lake = bare_lake(pipeline, &self.connection.aws)?;
            lakes.push((pipeline.name.clone(), lake));
        }
        if let Some(folder) = &self.folder {
            lakes.push((folder.display().to_string(), super::bridge::existing_lake(folder)?));
        }
        Ok(lakes)
    }
}

impl RegistryArg {
    /// The keys that the command line and the environment trust.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn trusted(&self) -> Result<Trust, Error> {
        let variable = std::env::var_os(TRUST_VARIABLE).unwrap_or_default();
        let more = std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty());
        let mut trust = Trust::default();
        for path in self.trust.iter().cloned().chain(more) {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&name, error))?;
            let key = Trust::parse([text.as_str()]).map_err(|error| error.in_file(name))?;
            trust = trust.and(key);
        }
        Ok(trust)
    }
}

/// The registry at a folder or an S3 URI.
///
/// # Errors
/// The place makes no sense.
pub fn registry_named(place: &str, aws: &Aws) -> Result<Registry, Error> {
    Ok(Registry::over(storage_named(place, aws)?))
}

/// A storage at a folder or an S3 URI.
///
/// # Errors
/// The place makes no sense.
pub fn storage_named(place: &str, aws: &Aws) -> Result<Arc<dyn Storage>, Error> {
    if let Some(rest) = place.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::usage(format!("{place} is no s3://BUCKET/PREFIX/")));
        }
        return Ok(Arc::new(S3Storage::new(aws.clone(), bucket, prefix, S3Options::default())));
    }
    let folder = Path::new(place);
    if folder.is_file() {
        return Err(Error::new(Code::NotAFolder, "a registry is a folder, and this is a file").in_file(place));
    }
    LocalFolder::new(folder)
        .map(|folder| Arc::new(folder) as Arc<dyn Storage>)
        .map_err(|error| Error::from(error))
}

fn read_key(path: &Path) -> Result<SigningKey, Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::io(&name, error).with_hint("`lakegate keygen --out release.key` makes one")
    })?;
    SigningKey::parse(&text).map_err(|error| error.in_file(name))
}

/// Pipelines of the configuration that follow a channel; none without a configuration.
fn followers(name: &str, config: Option<&Path>) -> Result<Vec<Pipeline>, Error> {
    let path = match config {
        Some(path) => path.to_owned(),
        None => {
            let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
            let Some(found) = Config::find(&here) else { return Ok(Vec::new()) };
            found
        }
    };
    let config = Config::open(&path).map_err(|error| error.in_file(path.display().to_string()))?;
    let follows =
        |pipeline: &Pipeline| matches!(&pipeline.told, Told::Channel { channel, .. } if channel == name);
    Ok(config.pipelines.into_values().filter(follows).collect())
}

/// `orders` or `orders@1.2.0`.
///
/// # Errors
/// It is neither.
pub fn name_and_version(text: &str) -> Result<(String, Option<semver::Version>), Error> {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(parse_version(version)?)),
        None => (text, None),
    };
    check_name(name)?;
    Ok((name.into(), version))
}

/// A semantic version.
///
/// # Errors
/// It is none.
pub fn parse_version(text: &str) -> Result<semver::Version, Error> {
    text.parse().map_err(|error| {
        Error::usage(format!("{text} is no version: {error}"))
            .with_hint("versions are like 1.3.0 (semver.org)")
    })
}

/// Refuses what can name no release.
///
/// # Errors
/// It cannot.
pub fn check_name(name: &str) -> Result<(), Error> {
    if crate::release::is_name(name) {
        return Ok(());
    }
    Err(Error::usage(format!("{name} can name no release"))
        .with_hint("a-z first, then a-z, 0-9, - and _, at most 64 characters"))
}
