//! Where releases are, who is trusted and which key signs, as verbs about releases are told.
//!
//! Not for what a release is ([`release`](mod@lakegate_release)). The decision to know: where releases are, who is
//! trusted and which key signs come from the command line, else from the pipelines of `lakegate.toml` that
//! follow the channel; so in a folder with a configuration a rollback is one command of two words.

use crate::args::lake::existing_lake;
use crate::cloud::{Connection, Followers};
use crate::place::Place;
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::Lake;
use lakegate_lake::storage::LocalFolder;
use lakegate_release::{Loader, Registry, Release, SigningKey, Trust};
use lakegate_sandbox::{Limits, Sandbox};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Environment variable that names the private key file, or holds its text.
const KEY_VARIABLE: &str = "LAKEGATE_KEY";
/// Environment variable that names public key files, `:` between them, or holds their texts.
const TRUST_VARIABLE: &str = "LAKEGATE_TRUST";

/// Where releases are, and who is believed.
#[derive(Args, Clone, Debug, Default)]
pub struct RegistryArg {
    /// Where releases are: a folder, or s3://BUCKET/PREFIX/ [default: of lakegate.toml]
    #[arg(long, value_name = "DIR | S3 URI")]
    pub registry: Option<Place>,
    /// Public key file of whoever publishes; may be repeated [default: $LAKEGATE_TRUST; those of lakegate.toml count besides]
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
}

/// Which key signs.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyArg {
    /// Private key file that signs [default: $LAKEGATE_KEY, a file or the key's text, else of lakegate.toml]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// Which lakes a release is about.
#[derive(Args, Clone, Debug, Default)]
pub struct LakesArg {
    /// Configuration of the pipelines [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A lake that the releases write to, beside those of the configuration
    #[arg(long, value_name = "DIR | S3 URI")]
    pub lake: Option<Place>,
}

/// A registry, who is trusted, and the pipelines that follow the channel.
pub struct Opened {
    pub registry: Registry,
    pub trust: Trust,
    pub followers: Followers,
    /// The private key, if one was named.
    pub key: Option<SigningKey>,
    /// A lake that was named beside the pipelines, and where the configuration is.
    named: Option<Place>,
    config: Option<PathBuf>,
    pub connection: Connection,
}

/// Opens what a command about the releases of `name` needs.
///
/// # Errors
/// No registry is named, or a key cannot be read.
pub fn open(name: &str, at: &RegistryArg, key: &KeyArg, lakes: &LakesArg) -> Result<Opened, Error> {
    let connection = Connection::open()?;
    let followers = Followers::of(name, lakes.config.as_deref())?;
    let key = private_key(key.key.as_deref())?;
    let known = followers.known(&connection, at.registry.is_none(), key.is_none())?;
    let registry = match (&at.registry, known.registry) {
        (Some(place), _) => registry_named(place, &connection)?,
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
    let key = key.or(known.key);
    let trust = known.trust.and(at.trusted()?);
    Ok(Opened {
        registry,
        trust,
        followers,
        key,
        named: lakes.lake.clone(),
        config: lakes.config.clone(),
        connection,
    })
}

impl Opened {
    /// The private key, which must be one that is trusted: what it signs would be refused by every host else.
    ///
    /// # Errors
    /// None was named. `signer_untrusted`: nothing is written then.
    pub fn signer(&self) -> Result<&SigningKey, Error> {
        let key = self.any_signer()?;
        if self.trust.ids().contains(&key.id()) {
            return Ok(key);
        }
        let known = if self.trust.is_empty() { "none".into() } else { self.trust.ids().join(", ") };
        let what = format!(
            "the key {} is not among those that are trusted here (trusted: {known}): hosts would refuse what it signs",
            key.id()
        );
        Err(Error::new(Code::SignerUntrusted, what).with_hint(format!(
            "name its public half too: --trust FILE.pub, ${TRUST_VARIABLE}, or `trust` in lakegate.toml; \
             `lakegate publish --first` begins an empty registry without"
        )))
    }

    /// The private key that begins an empty registry, and is trusted with that.
    ///
    /// # Errors
    /// None was named. `registry_not_empty`: others may be trusted there already.
    pub fn first_signer(&self) -> Result<&SigningKey, Error> {
        let key = self.any_signer()?;
        if self.registry.names()?.is_empty() {
            return Ok(key);
        }
        let what = format!("{} has releases already: --first is for an empty registry", self.registry.uri());
        Err(Error::new(Code::RegistryNotEmpty, what).with_hint(format!(
            "leave it away, and say whom hosts trust: --trust FILE.pub or ${TRUST_VARIABLE}"
        )))
    }

    /// The private key, whoever trusts it.
    ///
    /// # Errors
    /// None was named.
    pub fn any_signer(&self) -> Result<&SigningKey, Error> {
        self.key.as_ref().ok_or_else(|| {
            Error::usage("no private key is named").with_hint(format!(
                "give --key FILE, ${KEY_VARIABLE}, or `key` in lakegate.toml; `lakegate keygen --out FILE` makes one"
            ))
        })
    }

    /// Loads a release as the hosts that follow the channel would: those of the configuration may want every type
    /// declared, and the tables of their lakes judge one that is to write.
    ///
    /// # Errors
    /// As [`Loader::load`]; `release_conflicts`.
    pub fn judged(&self, name: &str, version: &semver::Version, writes: bool) -> Result<Release, Error> {
        let loader = Loader { declared: self.followers.want_declared(), ..self.loader()? };
        let release = loader.load(name, version)?;
        if let Some(yank) = self.registry.yanked(name, &release.pinned, &self.trust)? {
            let why = yank.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let what = format!("{} must not be promoted any more{why}", release.id());
            return Err(Error::new(Code::ReleaseYanked, what)
                .with_hint(format!("`lakegate registry yank {} --undo` takes that back", release.id())));
        }
        if writes {
            for (_, lake) in self.lakes()? {
                release.check_fits(&lake)?;
            }
        }
        Ok(release)
    }

    /// The stable release that the lakes' newest commits under a document were made by.
    ///
    /// # Errors
    /// A lake cannot be read.
    pub fn last_release(&self, name: &str, document: u64) -> Result<Option<String>, Error> {
        for (place, lake) in self.lakes()? {
            let pipeline = Some(&*place).filter(|place| self.followers.has(place));
            if let Some(version) = lake.release_under(pipeline, name, document)? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The highest document of a channel that the lakes' newest commits were made under.
    ///
    /// # Errors
    /// A lake cannot be read.
    pub fn seen(&self, name: &str) -> Result<u64, Error> {
        let mut seen = 0;
        for (place, lake) in self.lakes()? {
            let pipeline = Some(&*place).filter(|place| self.followers.has(place));
            seen = seen.max(lake.seen_document(pipeline, name)?);
        }
        Ok(seen)
    }

    /// What loads releases here.
    ///
    /// # Errors
    /// The sandbox cannot be set up.
    pub fn loader(&self) -> Result<Loader, Error> {
        let sandbox = Sandbox::new(Limits::default())?;
        let (registry, trust) = (self.registry.clone(), self.trust.clone());
        Ok(Loader { registry, trust, sandbox, declared: false, lake: None })
    }

    /// The lakes that the releases write to: name of the pipeline, and lake.
    ///
    /// # Errors
    /// One cannot be used.
    pub fn lakes(&self) -> Result<Vec<(String, Lake)>, Error> {
        let mut lakes = self.followers.lakes(&self.connection)?;
        if let Some(place) = &self.named {
            let lake = existing_lake(place, self.config.as_deref())?;
            let root = |lake: &Lake| lake.root().trim_end_matches('/').to_owned();
            if lakes.iter().all(|(_, known)| root(known) != root(&lake)) {
                lakes.push((place.to_string(), lake.lake()));
            }
        }
        Ok(lakes)
    }
}

impl RegistryArg {
    /// The keys that the command line trusts, or where it names none the environment.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn trusted(&self) -> Result<Trust, Error> {
        let variable = std::env::var_os(TRUST_VARIABLE).unwrap_or_default();
        if let Some(text) = variable.to_str().filter(|text| self.trust.is_empty() && is_pem(text)) {
            return Trust::parse([text]);
        }
        let of_variable = std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty());
        let paths = if self.trust.is_empty() { of_variable.collect() } else { self.trust.clone() };
        let mut trust = Trust::default();
        for path in paths {
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
pub fn registry_named(place: &Place, connection: &Connection) -> Result<Registry, Error> {
    let folder = match place {
        Place::S3(uri) => return Ok(Registry::over(connection.storage(uri)?)),
        Place::Local(folder) => folder,
    };
    if folder.is_file() {
        return Err(Error::new(Code::NotAFolder, "a registry is a folder, and this is a file")
            .in_file(place.to_string()));
    }
    Ok(Registry::over(Arc::new(LocalFolder::new(folder)?)))
}

/// The key of a file that is named, else of the environment.
fn private_key(named: Option<&Path>) -> Result<Option<SigningKey>, Error> {
    if let Some(path) = named {
        return SigningKey::read(path).map(Some);
    }
    match std::env::var_os(KEY_VARIABLE) {
        None => Ok(None),
        Some(text) => match text.to_str().filter(|text| is_pem(text)) {
            // Never shown: a key that cannot be read is only said to be one.
            Some(text) => SigningKey::parse(text).map(Some).map_err(|error| error.in_file(KEY_VARIABLE)),
            None if Path::new(&text).is_file() => SigningKey::read(Path::new(&text)).map(Some),
            None => Err(Error::new(Code::KeyUnreadable, "it is neither a key in PEM nor the path of a file")
                .with_hint("`lakegate keygen --out release.key` makes one")
                .in_file(format!("${KEY_VARIABLE}"))),
        },
    }
}

fn is_pem(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN ")
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
    if lakegate_release::is_name(name) {
        return Ok(());
    }
    Err(Error::usage(format!("{name} can name no release"))
        .with_hint("a-z first, then a-z, 0-9, - and _, at most 64 characters"))
}
