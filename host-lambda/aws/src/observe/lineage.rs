//! OpenLineage run events: which object became which tables, column by column.
//!
//! Not for running anything, and not for sending: events are objects below a prefix, to be read by whoever
//! collects lineage. What the events consist of is in `event`, what a contract says of columns in `columns`,
//! when they are told in `hook`.
//!
//! Decisions to know:
//!
//! * *A run is one generation of one source object*, and its id is that of everywhere ([`RunId`]): a retry tells of the
//!   same run, and [`write`] keeps the first of each event. Two lakes may have one id for the same object; they are told
//!   apart by the job's namespace.
//! * *The id is a UUID of version 8*, not of version 5: that would bring SHA-1 into a project whose digests are all
//!   SHA-256, for the same promise. Collectors read any UUID.
//! * *Times come from the caller*, from the records: who completes a commit again writes the same bytes.
//! * A failed object that is mended and run again is the same generation: its run ends with FAIL first and
//!   with COMPLETE later, and the later one counts.
//! * *Lineage that cannot be written holds nothing up*: whoever tells it says so in the log and goes on.

mod columns;
mod event;
mod hook;

pub use event::{
    ColumnLineage, Dataset, DatasetFacets, ErrorMessage, EventType, Facet, FieldLineage, InputField, Job,
    JobFacets, JobType, OutputFacets, OutputStatistics, Run, RunEvent, RunFacets, Schema, SchemaField, Tag,
    Tags, Transformation, Version,
};
pub use hook::{complete, fail};

use columns::Plan;
use lakegate_base::{Code, Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::RunId;
use lakegate_lake::record::{CommitRecord, ReleaseRecord};
use lakegate_lake::storage::Storage;
use lakegate_sandbox::TableContract;

/// One generation of one source object: all that its events have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation<'a> {
    /// Namespace of the job; see [`namespace`].
    pub namespace: &'a str,
    /// Name of the pipeline: the job.
    pub pipeline: &'a str,
    /// URI of the lake, with or without a slash at its end.
    pub lake: &'a str,
    /// URI of the source object.
    pub source: &'a str,
    /// What pins the object, as [`SourceRecord::version`](lakegate_lake::record::SourceRecord::version) has it.
    pub version: &'a str,
    /// From 1.
    pub generation: u32,
}

/// The namespace of a pipeline's job: as configured, else the lake's URI, since two lakes may each have a
/// pipeline of one name.
pub fn namespace(pipeline: &Pipeline) -> String {
    let told = pipeline.lineage.as_ref().and_then(|lineage| lineage.namespace.clone());
    told.unwrap_or_else(|| pipeline.lake.uri().trim_end_matches('/').to_owned())
}

/// The release, and the channel document that picked it.
fn by_release(release: &ReleaseRecord) -> Facet<Tags> {
    let tag = |key: &str, value: String| Tag { key: key.into(), value, source: "LAKEGATE".into() };
    let document = release.sequence.map(|sequence| tag("lakegate.channel_document", sequence.to_string()));
    let tags = document.into_iter().chain([tag("lakegate.release", release.id())]).collect();
    Facet::new(Tags { tags })
}

impl Generation<'_> {
    /// The run's id.
    pub fn run_id(&self) -> String {
        RunId::of(self.pipeline, self.source, self.generation).to_string()
    }

    /// The run begins, at `at` (RFC 3339).
    pub fn start(&self, at: &str) -> RunEvent {
        self.event(EventType::Start, at)
    }

    /// The run's outputs are in the tables. `contracts` are those that the record names.
    ///
    /// # Errors
    /// `contract_unreadable`: a text is no contract of a version that this code reads, or is missing.
    pub fn complete(&self, record: &CommitRecord, contracts: &[TableContract]) -> Result<RunEvent> {
        let mut event = self.event(EventType::Complete, &record.committed);
        event.run.facets.tags = record.release.as_ref().map(by_release);
        for table in record.contracts.keys() {
            let contract = contracts.iter().find(|contract| contract.table == *table);
            let Some(contract) = contract else {
                return Err(Error::new(
                    Code::ContractUnreadable,
                    format!("the contract of {table} is missing"),
                ));
            };
            event.outputs.push(self.output(record, table, &Plan::parse(contract)?));
        }
        Ok(event)
    }

    /// The object failed: nothing of it is in the tables. The message is one of [`Error`]'s and so holds no value.
    pub fn fail(&self, at: &str, code: &str, message: &str, release: Option<&ReleaseRecord>) -> RunEvent {
        let mut event = self.event(EventType::Fail, at);
        event.run.facets.tags = release.map(by_release);
        event.run.facets.error_message = Some(Facet::new(ErrorMessage {
            message: format!("{code}: {message}"),
            programming_language: "RUST".into(),
        }));
        event
    }

    fn event(&self, event_type: EventType, at: &str) -> RunEvent {
        let job_type = JobType {
            processing_type: "BATCH".into(),
            integration: "LAKEGATE".into(),
            job_type: "JOB".into(),
        };
        RunEvent {
            event_type,
            event_time: at.into(),
            run: Run { run_id: self.run_id(), facets: RunFacets::default() },
            job: Job {
                namespace: self.namespace.into(),
                name: self.pipeline.into(),
                facets: JobFacets { job_type: Facet::new(job_type) },
            },
            inputs: vec![self.input()],
            outputs: Vec::new(),
            producer: event::PRODUCER.into(),
            schema_url: event::SCHEMA_URL.into(),
        }
    }

    fn input(&self) -> Dataset {
        let mut dataset = dataset(self.source);
        // What pins it says of which kind it is; readers of lineage know version ids as they are.
        let version = self.version.strip_prefix("v:").unwrap_or(self.version).to_owned();
        let version = Version { dataset_version: version };
        dataset.facets.version = Some(Facet::new(version));
        dataset
    }

    fn output(&self, record: &CommitRecord, table: &str, plan: &Plan) -> Dataset {
        let mut output = dataset(&format!("{}/{table}", self.lake.trim_end_matches('/')));
        let source = dataset(self.source);
        output.facets.schema = Some(Facet::new(plan.schema()));
        output.facets.column_lineage = Some(Facet::new(plan.lineage(&source.namespace, &source.name)));
        let parts = || record.parts.iter().filter(|part| part.table == table);
        output.output_facets = Some(OutputFacets {
            output_statistics: Facet::new(OutputStatistics {
                row_count: parts().map(|part| part.rows).sum(),
                size: parts().map(|part| part.bytes).sum(),
                file_count: parts().count() as u64,
            }),
        });
        output
    }
}

/// Puts an event at `<prefix>/<pipeline>/<run id>/<type>.json`, the type in lower case: true if this call did
/// it. An event that is there already stays: it tells of the same run.
///
/// # Errors
/// The storage's.
pub fn write(storage: &dyn Storage, prefix: &str, event: &RunEvent) -> Result<bool> {
    let prefix = prefix.trim_end_matches('/');
    let key =
        format!("{}/{}/{}.json", event.job.name, event.run.run_id, event.event_type.name().to_lowercase());
    let key = if prefix.is_empty() { key } else { format!("{prefix}/{key}") };
    let mut text = event.to_json()?;
    text.push('\n');
    Ok(storage.put_if_absent(&key, text.as_bytes())?)
}

/// A dataset by OpenLineage's naming: an object is its key in `s3://bucket`, a file its path in `file`; what is
/// neither (`stdin:…`, `resubmit:…`) keeps its scheme as namespace.
fn dataset(uri: &str) -> Dataset {
    let (namespace, name) = match uri.strip_prefix("s3://") {
        Some(rest) => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            (format!("s3://{bucket}"), key.to_owned())
        }
        None if uri.starts_with('/') => ("file".to_owned(), uri.to_owned()),
        None => {
            let (scheme, rest) = uri.split_once(':').unwrap_or(("file", uri));
            (scheme.to_owned(), rest.to_owned())
        }
    };
    Dataset { namespace, name, facets: DatasetFacets::default(), output_facets: None }
}

#[cfg(test)]
#[path = "lineage/lineage_tests.rs"]
mod tests;
