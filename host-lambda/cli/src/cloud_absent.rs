//! In place of `cloud.rs` in a build without the feature `aws`: folders work, and buckets are refused by name.

use crate::place::Place;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::Lake;
use lakegate_lake::record::SourceRecord;
use lakegate_lake::run::Plan;
use lakegate_lake::source::Source;
use lakegate_lake::storage::Storage;
use lakegate_release::{Loader, Registry, SigningKey, Trust};
use lakegate_sandbox::Transform;
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

    /// None.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn all(config: Option<&Path>) -> Result<Self> {
        Self::of("", config)
    }

    /// None.
    ///
    /// # Errors
    /// None.
    pub fn registries(&self, _: &Connection) -> Result<Vec<Registry>> {
        Ok(Vec::new())
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

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn lakes_of(config: Option<&Path>) -> Result<Vec<(String, Place)>> {
    let named = config.map(|path| path.display().to_string());
    Err(absent(named.as_deref().unwrap_or("a deployed pipeline")))
}

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn lake_of(pipeline: &str, _: Option<&Path>) -> Result<Place> {
    Err(absent(&format!("the pipeline {pipeline}")))
}

/// A lake in a bucket, which there is none of.
pub struct LakeAt {
    /// Never.
    pub lake: Lake,
    /// Never.
    pub connected: bool,
    /// Never.
    pub in_the_way: Option<String>,
}

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn lake_at(uri: &str, _: Option<&Path>) -> Result<LakeAt> {
    Err(absent(uri))
}

/// Nothing: there are no pipelines.
///
/// # Errors
/// `feature_missing` where one is named.
pub fn planned(_: &str, named: Option<&str>, _: Option<&Path>) -> Result<Option<(Transform, Plan, Place)>> {
    match named {
        Some(pipeline) => Err(absent(&format!("the pipeline {pipeline}"))),
        None => Ok(None),
    }
}

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn source_of(record: &SourceRecord) -> Result<Source> {
    Err(absent(&record.uri))
}

/// Refused.
///
/// # Errors
/// `feature_missing`.
pub fn bucket_of(uri: &str) -> Result<Arc<dyn Storage>> {
    Err(absent(uri))
}

/// No configuration is looked for.
///
/// # Errors
/// None.
pub fn found() -> Result<Option<PathBuf>> {
    Ok(None)
}
