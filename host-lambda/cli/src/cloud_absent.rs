//! In place of `cloud.rs` in a build without the feature `aws`: folders work, and buckets are refused by name.

use lakegate_base::{Code, Error, Result};
use lakegate_lake::Lake;
use lakegate_lake::storage::Storage;
use lakegate_release::{Loader, Registry, SigningKey, Trust};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a build without AWS answers to everything that needs it.
pub fn absent(what: &str) -> Error {
    Error::new(
        Code::FeatureMissing,
        format!("{what} needs AWS, and this build of lakegate was made without it"),
    )
    .with_hint("build it with `cargo xtask build`, or with the feature `aws`")
}

/// A connection to nothing.
pub struct Connection;

impl Connection {
    /// Always there.
    ///
    /// # Errors
    /// None.
    pub fn open() -> Result<Self> {
        Ok(Self)
    }

    /// Refused.
    ///
    /// # Errors
    /// `feature_missing`.
    pub fn storage(&self, uri: &str) -> Result<Arc<dyn Storage>> {
        Err(absent(uri))
    }
}

/// Pipelines of a configuration: none.
#[derive(Default)]
pub struct Followers;

/// What their configuration says of a channel: nothing.
#[derive(Default)]
pub struct Known {
    /// None.
    pub registry: Option<Registry>,
    /// Nobody.
    pub trust: Trust,
    /// None.
    pub key: Option<SigningKey>,
}

impl Followers {
    /// None.
    ///
    /// # Errors
    /// `feature_missing` where a configuration is named.
    pub fn of(_: &str, config: Option<&Path>) -> Result<Self> {
        match config {
            Some(path) => Err(absent(&path.display().to_string())),
            None => Ok(Self),
        }
    }

    /// Never.
    pub fn has(&self, _: &str) -> bool {
        false
    }

    /// Never.
    pub fn want_declared(&self) -> bool {
        false
    }

    /// Nothing.
    ///
    /// # Errors
    /// None.
    pub fn known(&self, _: &Connection, _: bool, _: bool) -> Result<Known> {
        Ok(Known::default())
    }

    /// None.
    ///
    /// # Errors
    /// None.
    pub fn lakes(&self, _: &Connection) -> Result<Vec<(String, Lake)>> {
        Ok(Vec::new())
    }

    /// None.
    ///
    /// # Errors
    /// None.
    pub fn connected_lakes(
        &self,
        _: &Connection,
        _: impl Fn() -> Result<Loader>,
    ) -> Result<Vec<(String, Lake)>> {
        Ok(Vec::new())
    }
}

/// Pipelines that are ready: there are none.
pub struct Connected(Infallible);

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn connect(config: Option<&Path>) -> Result<Connected> {
    let named = config.map(|path| path.display().to_string());
    Err(absent(named.as_deref().unwrap_or("a deployed pipeline")))
}

impl Connected {
    /// None.
    ///
    /// # Errors
    /// None.
    pub fn lakes(&self) -> Result<Vec<Lake>> {
        match self.0 {}
    }
}

/// No configuration is looked for.
///
/// # Errors
/// None.
pub fn found() -> Result<Option<PathBuf>> {
    Ok(None)
}
