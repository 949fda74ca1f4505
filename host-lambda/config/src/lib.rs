//! `lakegate.toml`: which pipelines there are, and which of them takes an object.
//!
//! For: reading the text into checked types, with every mistake told at once, each with its line; finding
//! the file; routing. Not for: what a transform is told to do (the spec), or asking AWS whether a bucket
//! or a topic exists.
//!
//! The decision to know: no pipeline may read where any pipeline writes. That is refused here, before
//! anything is deployed, and once more for each object ([`Route::Loop`]), since a bucket's notification
//! may cover more than its pipeline's source.

#![forbid(unsafe_code)]

mod catalog;
mod cross;
mod found;
mod keys;
mod limits;
mod location;
mod mistake;
mod names;
mod nearest;
mod origin;
mod pipeline;
mod read;
mod reference;
mod route;
mod section;
mod stack;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use catalog::{Catalog, CrawlerStart, IntervalUnit, Projection, QuarantineTable, Wait};
pub use limits::{PipelineLimits, SPILL_BYTES, STAGING_BYTES};
pub use location::{Address, Location};
pub use mistake::{At, Mistake};
pub use origin::Origin;
pub use pipeline::{
    Above, ContractWish, Encryption, HistoryTables, Lineage, Notify, Output, Pipeline, PublicKey,
    SourcePattern, Told,
};
pub use reference::{KeyLine, KeySection, reference};
pub use route::{Arrival, Route};
pub use stack::{Architecture, Athena, SourceAfter, Stack, Trigger, Vpc, spoken};

use lakegate_base::{Code, Error, Result};

/// Name of the file, wherever it is looked for.
pub const FILE_NAME: &str = "lakegate.toml";

/// Environment variable that says where the configuration is: a path, an `s3://` URI, or the text itself.
pub const ENVIRONMENT: &str = "LAKEGATE_CONFIG";

/// Highest version of the configuration's form that this code reads.
pub const CONFIG_VERSION: u64 = 1;

/// A whole configuration without mistakes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// By name.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// What is deployed around them, where that is said.
    pub stack: Option<Stack>,
}

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The pipelines that have all they need. Some may have mistakes all the same.
    pub config: Config,
    /// All mistakes, in the order of the text.
    pub mistakes: Vec<Mistake>,
}

impl Config {
    /// Reads and checks a configuration. Relative paths in it start at `origin`.
    ///
    /// # Errors
    /// All mistakes, in the order of the text.
    pub fn parse(text: &str, origin: &Origin) -> std::result::Result<Self, Vec<Mistake>> {
        let Reading { config, mistakes } = Self::read(text, origin);
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    /// Reads a configuration as far as it is right, for whoever judges what its pipelines name as well.
    pub fn read(text: &str, origin: &Origin) -> Reading {
        read::config(text, origin)
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or [`refused`] for its mistakes.
    pub fn open(path: &Path) -> Result<Self> {
        let origin = Origin::File(path.to_owned());
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(&origin.name(), error))?;
        Self::parse(&text, &origin).map_err(|mistakes| refused(&origin, &mistakes))
    }

    /// The nearest `lakegate.toml` in `start` or in a folder above it.
    pub fn find(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
    }

    /// Where a deployed host finds its configuration: as [`ENVIRONMENT`] says, else beside the binary.
    ///
    /// # Errors
    /// `config_missing`: neither is there.
    pub fn location() -> Result<Origin> {
        let folder = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
        found::deployed(std::env::var(ENVIRONMENT).ok().as_deref(), &folder.unwrap_or_default())
    }

    /// Which pipeline takes the object, if any.
    pub fn route(&self, bucket: &str, key: &str) -> Route<'_> {
        self.route_uri(&format!("s3://{bucket}/{key}"))
    }

    /// Why nothing may be written to a lake that a person names: a pipeline reads there, or its lake and this one lie one
    /// in the other. As a clause that follows the lake's name.
    pub fn in_the_way(&self, lake: &Location) -> Option<String> {
        cross::in_the_way(lake, self.pipelines.values())
    }

    /// Which pipeline takes the local file, if any.
    pub fn route_path(&self, path: &Path) -> Route<'_> {
        self.route_uri(&location::absolute(path).to_string_lossy())
    }
}

/// A configuration's mistakes as one error, for a host that cannot start with them.
pub fn refused(origin: &Origin, mistakes: &[Mistake]) -> Error {
    let lines: Vec<String> = mistakes.iter().map(|mistake| mistake.line_in(&origin.name())).collect();
    Error::new(Code::ConfigInvalid, lines.join("\n"))
        .with_hint("`lakegate config check` shows all of it before anything is deployed")
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod places_tests;
#[cfg(test)]
#[path = "route_tests.rs"]
mod route_tests;
#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
