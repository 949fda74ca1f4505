//! What a deployed lake is connected to: catalog, notices, lineage, and the bucket of its sources.
//!
//! Decisions to know:
//!
//! * All of it comes after the files are visible and before the commit is marked as done, in this order, so that a
//!   notice never names rows that cannot be queried yet, and a process that dies in between is made up for by whoever
//!   rolls the commit forward.
//! * Lineage that cannot be written is said and counted, and no more: what is in the tables is done, and another
//!   delivery would meet the same denied call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::catalog;
use crate::client::Aws;
use crate::deployed::task::{EXECUTION, Execution};
use crate::notify;
use crate::observe;
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use crate::observe::stage::{Counts, Stage};
use crate::s3::{S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::record::{CommitRecord, FailedRecord, SourceRecord};
use lakegate_lake::run::crash;
use lakegate_lake::source::{Source, now_ms};
use lakegate_lake::storage::Storage;
use lakegate_release::{Loader, Pinned};
use lakegate_sandbox::Transform;

/// How long lineage may take, with the client's retries: time is left then to mark the commit as done.
const LINEAGE: Duration = Duration::from_secs(8);

pub(super) struct Around {
    aws: Aws,
    pipeline: Arc<Pipeline>,
    /// What loads the releases of earlier commits, where the pipeline follows a channel.
    loader: Option<Loader>,
    /// Whether standard output is a function's log.
    metrics: bool,
    /// When the object's turn began.
    begun: Instant,
    /// The execution that tells of its own object, and has its crawler run.
    execution: Option<Execution>,
}

impl Around {
    pub(super) fn new(
        pipeline: &Pipeline,
        aws: &Aws,
        loader: Option<Loader>,
        metrics: bool,
        begun: Instant,
    ) -> Self {
        Self {
            aws: aws.clone(),
            pipeline: Arc::new(pipeline.clone()),
            loader,
            metrics,
            begun,
            execution: None,
        }
    }

    /// The same for the task of a state machine.
    #[must_use]
    pub(super) fn left_to(self, execution: Execution) -> Self {
        Self { execution: Some(execution), ..self }
    }

    /// The execution that a commit is left to.
    fn execution_of(&self, record: &CommitRecord) -> Option<&Execution> {
        self.execution.as_ref().filter(|execution| execution.has(record))
    }

    /// Publishes the notices of a commit.
    fn notify(&self, record: &CommitRecord) -> Result<Vec<notify::Told>> {
        let success = notify::success(&self.aws, &self.pipeline, record)?;
        let quarantine = notify::quarantine(&self.aws, &self.pipeline, record)?;
        stage::reached(Stage::Notified, self.begun, &Counts::default());
        crash::point("after-notify");
        Ok(success.into_iter().chain(quarantine).collect())
    }

    /// The transform of the release that made a commit.
    pub(super) fn transform_of(loader: &Loader, record: &CommitRecord) -> Result<Option<Transform>> {
        let Some(release) = &record.release else { return Ok(None) };
        let Ok(version) = release.version.parse() else { return Ok(None) };
        let pinned = Pinned { version, manifest: release.manifest.clone() };
        let release = loader.load_pinned(&release.name, &pinned, false)?;
        Ok(Some(release.transform).filter(|transform| transform.digest() == record.component))
    }

    /// A log that cannot be written is no reason to hold an object up.
    fn tell(&self, metrics: &Metrics) {
        if self.metrics {
            let _lost = metrics.write(&mut std::io::stdout().lock(), &self.pipeline.name, now_ms());
        }
    }
}

/// Writes a pipeline's lineage, if that wants any. What goes wrong is said here, and is the caller's to count.
pub(super) fn lineage(
    aws: &Aws,
    pipeline: &Pipeline,
    write: impl FnOnce(&dyn Storage) -> Result<()>,
) -> Result<()> {
    let Some(place) = &pipeline.lineage else { return Ok(()) };
    super::storage_at(pipeline, &aws.within(LINEAGE), &place.write_to)
        .and_then(|storage| write(&*storage))
        .inspect_err(stage::lineage_failed)
}

impl Surroundings for Around {
    fn register(&self, lake: &Lake, record: &CommitRecord) -> Result<Value> {
        let files = Some(record.parts.len() as u64);
        stage::reached(Stage::Published, self.begun, &Counts { files, ..Counts::default() });
        let left = self.execution_of(record).and_then(|_| catalog::started_when_published(&self.pipeline));
        let catalog = match left {
            Some(crawler) => catalog::left(crawler),
            None => catalog::register(&self.aws, &self.pipeline, lake, record)?,
        };
        stage::reached(Stage::Catalogued, self.begun, &Counts::default());
        crash::point("after-catalog");
        serde_json::to_value(catalog).map_err(|error| Error::new(Code::Json, error.to_string()))
    }

    fn published(&self, lake: &Lake, record: &CommitRecord, registered: Value) -> Result<Value> {
        let execution = self.execution_of(record);
        let notices = if execution.is_some() { Vec::new() } else { self.notify(record)? };
        let mut told = json!({"catalog": registered, "notices": notices});
        if let Some(execution) = execution {
            told[EXECUTION] = execution.arn.as_str().into();
        }
        let written = lineage(&self.aws, &self.pipeline, |storage| {
            observe::lineage::complete(storage, &self.pipeline, lake, record)
        });
        if let Err(error) = written {
            self.tell(&Metrics { lineage_failures: Some(1), ..Metrics::default() });
            told["lineage"] = json!({"failed": error.name()});
        }
        Ok(told)
    }

    fn lost(&self, lost: &FailedRecord) -> Result<()> {
        tracing::error!(code = lost.code, hint = lost.hint, "{}", lost.message);
        self.tell(&Metrics { lost_generations: Some(1), ..Metrics::default() });
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

#[cfg(test)]
#[path = "around_tests.rs"]
mod tests;
