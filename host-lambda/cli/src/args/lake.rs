//! The lake that a verb works on: a folder, a place in S3, or that of a pipeline.
//!
//! Not for registries and channels. Decisions to know:
//!
//! * A lake in S3 that pipelines of `lakegate.toml` write to is connected to what they are connected to, so that what a
//!   person changes shows in the catalog as what the function changes does.
//! * Where no lake is named, it is the folder `lake`; where there is none and a configuration is found, it is the lake
//!   of its pipelines.

use crate::cloud;
use crate::place::Place;
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::keys::{OWN, is_lake};
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::record::{CommitRecord, SourceRecord};
use lakegate_lake::source::Source;
use serde_json::Value;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the lake is when nothing is said.
pub const DEFAULT: &str = "lake";

/// The lake to work on.
#[derive(Args, Clone, Debug, Default)]
pub struct LakeArg {
    /// The lake: a folder, or s3://BUCKET/PREFIX/ [default: the folder lake; verbs that look take that of lakegate.toml where there is none]
    #[arg(long, value_name = "DIR | S3 URI")]
    pub lake: Option<Place>,
    #[command(flatten)]
    pub through: ThroughArg,
}

/// The pipelines that write to it.
#[derive(Args, Clone, Debug, Default)]
pub struct ThroughArg {
    /// The lake of this pipeline of lakegate.toml
    #[arg(long, value_name = "NAME", conflicts_with = "lake")]
    pub pipeline: Option<String>,
    /// Configuration of the pipelines [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A lake, and how a person calls it.
pub struct NamedLake {
    lake: Lake,
    /// The folder or URI, for messages and suggested commands.
    pub shown: PathBuf,
    /// Whether it is in S3 and no pipeline of a configuration writes to it: no catalog hears of what is written.
    pub alone: bool,
    /// Why nothing may be written there, if it may not.
    in_the_way: Option<String>,
}

impl Deref for NamedLake {
    type Target = Lake;

    fn deref(&self) -> &Lake {
        &self.lake
    }
}

impl NamedLake {
    /// Whether it is in a bucket.
    pub fn is_in_s3(&self) -> bool {
        self.root().starts_with("s3://")
    }

    /// The lake, unless what is written to it would be taken for something else.
    ///
    /// # Errors
    /// A pipeline reads there, or it lies inside of another lake.
    pub fn writable(self) -> Result<Self, Error> {
        match &self.in_the_way {
            None => Ok(self),
            Some(why) => Err(Error::usage(format!("{} {why}", self.shown.display()))
                .with_hint("name a lake outside of every pipeline's source and lake")),
        }
    }

    /// The lake itself.
    pub fn lake(&self) -> Lake {
        self.lake.clone()
    }
}

impl LakeArg {
    /// Opens the lake, which need not exist yet: without a name the folder `lake`.
    ///
    /// # Errors
    /// The folder cannot be used, or the configuration.
    pub fn open(&self) -> Result<NamedLake, Error> {
        match self.named()? {
            Some(place) => open_lake(&place, self.config())?.writable(),
            None => open_lake(&DEFAULT.into(), None),
        }
    }

    /// Opens a lake that must exist.
    ///
    /// # Errors
    /// There is no lake there.
    pub fn existing(&self) -> Result<NamedLake, Error> {
        existing_lake(&self.place()?, self.config())
    }

    /// The lake if it exists: for looking as if.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn if_there(&self) -> Result<Option<NamedLake>, Error> {
        lake_if_there(&self.place()?, self.config())
    }

    /// Whether nothing is named, there is no folder `lake`, and a configuration is found: its pipelines are meant.
    ///
    /// # Errors
    /// There is no current folder.
    pub fn is_of_pipelines(&self) -> Result<bool, Error> {
        let named = self.lake.is_some() || self.through.pipeline.is_some() || self.through.config.is_some();
        Ok(!named && !is_lake(Path::new(DEFAULT)) && cloud::found()?.is_some())
    }

    /// Where it is, if the command line says.
    fn named(&self) -> Result<Option<Place>, Error> {
        match (&self.lake, &self.through.pipeline, &self.through.config) {
            (Some(place), _, _) => Ok(Some(place.clone())),
            (None, Some(pipeline), config) => cloud::lake_of(pipeline, config.as_deref()).map(Some),
            (None, None, Some(config)) => the_one(&cloud::lakes_of(Some(config))?).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    fn place(&self) -> Result<Place, Error> {
        if let Some(place) = self.named()? {
            return Ok(place);
        }
        if self.is_of_pipelines()? {
            return the_one(&cloud::lakes_of(None)?);
        }
        Ok(DEFAULT.into())
    }

    fn config(&self) -> Option<&Path> {
        self.through.config.as_deref()
    }
}

/// The one lake of a configuration; `lakes` are its pipelines' with their names.
fn the_one(lakes: &[(String, Place)]) -> Result<Place, Error> {
    match lakes {
        [] => Err(Error::usage("the configuration has no pipeline")),
        [(_, first), others @ ..] if others.iter().all(|(_, place)| place == first) => Ok(first.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            Err(Error::usage("the pipelines of the configuration have several lakes").with_hint(format!(
                "name one with --pipeline ({}), or with --lake s3://BUCKET/PREFIX/",
                names.join(", ")
            )))
        }
    }
}

/// Opens the lake at a place, which need not exist yet. `config` is where its pipelines are looked for, by default here
/// and in the folders above.
///
/// # Errors
/// It cannot be a lake, or the configuration has mistakes.
pub fn open_lake(place: &Place, config: Option<&Path>) -> Result<NamedLake, Error> {
    let shown = place.shown();
    match place {
        Place::S3(uri) => {
            let cloud::LakeAt { lake, connected, in_the_way } = cloud::lake_at(uri, config)?;
            Ok(NamedLake { lake, shown, alone: !connected, in_the_way })
        }
        Place::Local(folder) if folder.is_file() => {
            Err(Error::new(Code::NotAFolder, "a lake is a folder, and this is a file")
                .in_file(folder.display().to_string()))
        }
        Place::Local(folder) => {
            let lake = Lake::local(folder).map_err(|error| error.in_file(folder.display().to_string()))?;
            Ok(NamedLake { lake: lake.within(Arc::new(Anywhere)), shown, alone: false, in_the_way: None })
        }
    }
}

/// Opens the lake at a place, which must hold one: reading must not make an empty lake out of a typing error.
///
/// # Errors
/// There is none; as [`open_lake`].
pub fn existing_lake(place: &Place, config: Option<&Path>) -> Result<NamedLake, Error> {
    let none = |message: &str| {
        Error::new(Code::NoLake, message)
            .with_hint(
                "`lakegate run INPUT --lake DIR` makes one; another lake is named with its folder or S3 URI",
            )
            .in_file(place.to_string())
    };
    if let Place::Local(folder) = place
        && !is_lake(folder)
    {
        return Err(none(if folder.is_dir() {
            "this folder holds no lake"
        } else {
            "there is no lake here"
        }));
    }
    let lake = open_lake(place, config)?;
    if matches!(place, Place::S3(_)) && lake.storage().list_page(OWN, None, 1)?.found.is_empty() {
        return Err(none("there is no lake here"));
    }
    Ok(lake)
}

/// The lake at a place, if there is one.
///
/// # Errors
/// As [`open_lake`].
pub fn lake_if_there(place: &Place, config: Option<&Path>) -> Result<Option<NamedLake>, Error> {
    match existing_lake(place, config) {
        Err(error) if error.code() == Code::NoLake => Ok(None),
        other => other.map(Some),
    }
}

/// What a folder's lake is connected to: sources, wherever they are.
struct Anywhere;

impl Surroundings for Anywhere {
    fn published(&self, _: &Lake, _: &CommitRecord, _: Value) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn source(&self, record: &SourceRecord) -> Result<Source, Error> {
        if record.uri.starts_with("s3://") {
            return cloud::source_of(record);
        }
        Source::file(Path::new(&record.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_no_lake() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Local(folder.path().to_owned());
        let refused = existing_lake(&place, None).err().map(|error| error.code());
        assert_eq!(refused, Some(Code::NoLake));
    }

    #[test]
    fn several_pipelines_of_one_lake_mean_that_lake() {
        let of = |places: &[&str]| -> Vec<(String, Place)> {
            places.iter().enumerate().map(|(n, place)| (format!("p{n}"), (*place).into())).collect()
        };
        assert_eq!(the_one(&of(&["a", "a"])).unwrap(), "a".into());
        let refused = the_one(&of(&["a", "b"])).unwrap_err();
        assert!(refused.hint().unwrap().contains("p0, p1"), "{refused}");
        assert!(the_one(&[]).is_err());
    }
}
