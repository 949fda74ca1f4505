//! What a deployed lake is connected to: catalog, notices, lineage, and the bucket of its sources.
//!
//! The decision to know: all of it comes after the files are visible and before the commit is marked as
//! done, in this order, so that a notice never names rows that cannot be queried yet, and a process that
//! dies in between is made up for by whoever rolls the commit forward.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::catalog;
use crate::client::Aws;
use crate::config::Pipeline;
use crate::notify;
use crate::observe::lineage;
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use crate::observe::stage::{Counts, Stage};
use crate::s3::{S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::record::{CommitRecord, FailedRecord, SourceRecord};
use lakegate_lake::run::crash;
use lakegate_lake::source::{Source, now_ms};
use lakegate_release::{Loader, Pinned};
use lakegate_sandbox::Transform;

pub(super) struct Around {
    aws: Aws,
    pipeline: Arc<Pipeline>,
    /// What loads the releases of earlier commits, where the pipeline follows a channel.
    loader: Option<Loader>,
    /// Whether standard output is a function's log.
    metrics: bool,
}

impl Around {
    pub(super) fn new(pipeline: &Pipeline, aws: &Aws, loader: Option<Loader>, metrics: bool) -> Self {
        Self { aws: aws.clone(), pipeline: Arc::new(pipeline.clone()), loader, metrics }
    }

    /// The transform of the release that made a commit.
    pub(super) fn transform_of(loader: &Loader, record: &CommitRecord) -> Result<Option<Transform>> {
        let Some(release) = &record.release else { return Ok(None) };
        let Ok(version) = release.version.parse() else { return Ok(None) };
        let pinned = Pinned { version, manifest: release.manifest.clone() };
        let release = loader.load_pinned(&release.name, &pinned, false)?;
        Ok(Some(release.transform).filter(|transform| transform.digest() == record.component))
    }
}

impl Surroundings for Around {
    fn register(&self, lake: &Lake, record: &CommitRecord) -> Result<Value> {
        stage::reached(
            Stage::Published,
            &Counts { files: Some(record.parts.len() as u64), ..Counts::default() },
        );
        let catalog = catalog::register(&self.aws, &self.pipeline, lake, record)?;
        stage::reached(Stage::Catalogued, &Counts::default());
        crash::point("after-catalog");
        serde_json::to_value(catalog).map_err(|error| Error::new(Code::Json, error.to_string()))
    }

    fn published(&self, lake: &Lake, record: &CommitRecord, registered: Value) -> Result<Value> {
        let success = notify::success(&self.aws, &self.pipeline, record)?;
        let quarantine = notify::quarantine(&self.aws, &self.pipeline, record)?;
        stage::reached(Stage::Notified, &Counts::default());
        crash::point("after-notify");
        if let Some(place) = &self.pipeline.lineage {
            let storage = super::storage_at(&self.pipeline, &self.aws, &place.write_to)?;
            lineage::complete(&*storage, &self.pipeline, lake, record)?;
        }
        let notices: Vec<_> = success.into_iter().chain(quarantine).collect();
        Ok(json!({"catalog": registered, "notices": notices}))
    }

    fn lost(&self, lost: &FailedRecord) -> Result<()> {
        tracing::error!(code = lost.code, hint = lost.hint, "{}", lost.message);
        if self.metrics {
            let metrics = Metrics { lost_generations: Some(1), ..Metrics::default() };
            // A log that cannot be written is no reason to hold the next version up.
            let _lost = metrics.write(&mut std::io::stdout().lock(), &self.pipeline.name, now_ms());
        }
        notify::failure(&self.aws, &self.pipeline, lost).map(|_told| ())
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        source_of(&self.aws, record)
    }

    fn transform(&self, record: &CommitRecord) -> Result<Option<Transform>> {
        self.loader.as_ref().map_or(Ok(None), |loader| Self::transform_of(loader, record))
    }
}

/// A source object as its record pins it, in a bucket or in a folder.
///
/// # Errors
/// `source_gone`: it is not there any more, or was overwritten.
pub fn source_of(aws: &Aws, record: &SourceRecord) -> Result<Source> {
    let gone = |what: &str| Error::new(Code::SourceGone, format!("{} {what}", record.uri));
    let place = record.uri.strip_prefix("s3://").and_then(|place| place.split_once('/'));
    let Some((bucket, key)) = place else {
        let path = std::path::Path::new(&record.uri);
        let there = path.exists();
        return Source::file(path).map_err(|error| if there { error } else { gone("is not there any more") });
    };
    let storage = Arc::new(S3Storage::new(aws.clone(), bucket, "", S3Options::default()));
    let version = record.version.strip_prefix("v:");
    let facts = storage.stat_version(key, version)?.ok_or_else(|| gone("is not there any more"))?;
    let source = Source::object(storage, record.uri.clone(), facts)
        .arrived(record.event_time_ms, record.sequencer.clone());
    if source.version() == record.version { Ok(source) } else { Err(gone("was overwritten")) }
}
