//! A lake that a person names, and all that its pipelines connect it to.
//!
//! For: commands that look into a lake, or change it, beside the pipelines. Not for objects that arrive
//! (`object`). The decision to know: pipelines may share a lake, and each commit is told to what its own pipeline is
//! connected to; a commit of no pipeline (a file taken by hand) is told to nobody, and its source is found all the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::client::Aws;
use crate::deployed::around::{Around, source_of};
use crate::deployed::{registry_at, storage_at, trust_of};
use crate::s3::{S3Options, S3Storage};
use lakegate_base::Result;
use lakegate_config::{ContractWish, Location, Pipeline, Told};
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::record::{CommitRecord, FailedRecord, SourceRecord};
use lakegate_lake::source::Source;
use lakegate_lake::storage::{LocalFolder, Storage};
use lakegate_release::Loader;
use lakegate_sandbox::{Sandbox, Transform};

/// The lake at a place, connected to what `pipelines`, those that write to it, are connected to.
///
/// # Errors
/// A folder cannot be used.
pub fn named_lake(aws: &Aws, place: &Location, pipelines: &[&Pipeline]) -> Result<Lake> {
    let storage: Arc<dyn Storage> = match (pipelines.first(), place) {
        (Some(pipeline), place) => storage_at(pipeline, aws, place)?,
        (None, Location::Local(folder)) => Arc::new(LocalFolder::new(folder)?),
        (None, Location::S3 { bucket, prefix }) => {
            Arc::new(S3Storage::new(aws.clone(), bucket, prefix, S3Options::default()))
        }
    };
    Ok(Lake::over(storage).within(Arc::new(Several::new(aws, pipelines))))
}

/// What several pipelines of one lake are connected to.
struct Several {
    aws: Aws,
    pipelines: BTreeMap<String, One>,
}

struct One {
    pipeline: Pipeline,
    around: Around,
    /// Loads the releases of its commits; made when one is asked for.
    loader: Mutex<Option<Loader>>,
}

impl Several {
    fn new(aws: &Aws, pipelines: &[&Pipeline]) -> Self {
        let one = |pipeline: &&Pipeline| {
            let around = Around::new(pipeline, aws, None, false, Instant::now());
            (pipeline.name.clone(), One { pipeline: (*pipeline).clone(), around, loader: Mutex::default() })
        };
        Self { aws: aws.clone(), pipelines: pipelines.iter().map(one).collect() }
    }

    fn around(&self, pipeline: &str) -> Option<&Around> {
        self.pipelines.get(pipeline).map(|one| &one.around)
    }
}

impl One {
    fn loader(&self, aws: &Aws) -> Result<Option<Loader>> {
        let Told::Channel { registry, trust, .. } = &self.pipeline.told else { return Ok(None) };
        let mut known = self.loader.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = Some(Loader {
                registry: registry_at(&self.pipeline, aws, registry)?,
                trust: trust_of(aws, trust)?,
                sandbox: Sandbox::new(self.pipeline.limits.sandbox(None))?,
                declared: self.pipeline.contract == ContractWish::Declared,
                lake: None,
            });
        }
        Ok(known.clone())
    }
}

impl Surroundings for Several {
    fn register(&self, lake: &Lake, record: &CommitRecord) -> Result<Value> {
        self.around(&record.pipeline).map_or(Ok(Value::Null), |around| around.register(lake, record))
    }

    fn published(&self, lake: &Lake, record: &CommitRecord, registered: Value) -> Result<Value> {
        match self.around(&record.pipeline) {
            Some(around) => around.published(lake, record, registered),
            None => Ok(Value::Null),
        }
    }

    fn lost(&self, lost: &FailedRecord) -> Result<()> {
        self.around(&lost.pipeline).map_or(Ok(()), |around| around.lost(lost))
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        source_of(&self.aws, record)
    }

    fn transform(&self, record: &CommitRecord) -> Result<Option<Transform>> {
        let Some(one) = self.pipelines.get(&record.pipeline) else { return Ok(None) };
        one.loader(&self.aws)?.map_or(Ok(None), |loader| Around::transform_of(&loader, record))
    }
}
