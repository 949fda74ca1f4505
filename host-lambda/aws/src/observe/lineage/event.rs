//! The events of OpenLineage 2-0-2 as far as they are written here.
//!
//! Not a client of OpenLineage: facets that nobody fills are not here. The decision to know: names and
//! required fields are those of the published JSON schemas, each facet says which (`_schemaURL`); unknown
//! fields are ignored when an event is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use lakegate_base::{Code, Error, Result};

/// Who wrote an event. A package URL (purl): a URI, as the schema wants, that names the exact version and
/// promises no web page.
pub const PRODUCER: &str = concat!("pkg:generic/lakegate@", env!("CARGO_PKG_VERSION"));

/// Schema of an event.
pub const SCHEMA_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// It began.
    Start,
    /// It is in the tables.
    Complete,
    /// It failed.
    Fail,
}

impl EventType {
    /// As in the event.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Fail => "FAIL",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// Where the run is.
    pub event_type: EventType,
    /// When, RFC 3339.
    pub event_time: String,
    /// The run.
    pub run: Run,
    /// What runs.
    pub job: Job,
    /// What is read.
    pub inputs: Vec<Dataset>,
    /// What is written.
    pub outputs: Vec<Dataset>,
    /// Who wrote the event.
    pub producer: String,
    /// Schema of the event.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
}

impl RunEvent {
    /// As JSON on one line.
    ///
    /// # Errors
    /// None that can be brought about: there is no map whose key is not a text.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::new(Code::Json, format!("a lineage event cannot be written: {error}")))
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// A UUID.
    pub run_id: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "RunFacets::is_empty")]
    pub facets: RunFacets,
}

/// More about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFacets {
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Facet<ErrorMessage>>,
    /// Which release made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Facet<Tags>>,
}

impl RunFacets {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A job: a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// In which its name is unique.
    pub namespace: String,
    /// Name of the pipeline.
    pub name: String,
    /// More about it.
    pub facets: JobFacets,
}

/// More about a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobFacets {
    /// What kind of job.
    pub job_type: Facet<JobType>,
}

/// A dataset, in or out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// For example `s3://bucket`.
    pub namespace: String,
    /// For example a key.
    pub name: String,
    /// More about it.
    #[serde(default)]
    pub facets: DatasetFacets,
    /// What this run did to an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_facets: Option<OutputFacets>,
}

/// More about a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetFacets {
    /// Of an input: which version was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Facet<Version>>,
    /// Of an output: its columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Facet<Schema>>,
    /// Of an output: where its columns come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_lineage: Option<Facet<ColumnLineage>>,
}

/// What a run did to an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputFacets {
    /// How much it wrote.
    pub output_statistics: Facet<OutputStatistics>,
}

/// A facet: a body with its schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet<T> {
    /// Who wrote it.
    #[serde(rename = "_producer")]
    pub producer: String,
    /// Schema of the facet.
    #[serde(rename = "_schemaURL")]
    pub schema_url: String,
    /// What it says.
    #[serde(flatten)]
    pub body: T,
}

/// A body that a facet can have.
pub trait Body {
    /// Its schema: version and name.
    const SCHEMA: (&'static str, &'static str);
}

impl<T: Body> Facet<T> {
    /// The body with its schema.
    pub fn new(body: T) -> Self {
        let (version, name) = T::SCHEMA;
        let schema_url = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
        Self { producer: PRODUCER.into(), schema_url, body }
    }
}

macro_rules! body {
    ($type:ty, $version:literal, $name:literal) => {
        impl Body for $type {
            const SCHEMA: (&'static str, &'static str) = ($version, $name);
        }
    };
}

body!(ErrorMessage, "1-0-1", "ErrorMessageRunFacet");
body!(Tags, "2-0-3", "TagsRunFacet");
body!(JobType, "2-0-3", "JobTypeJobFacet");
body!(Version, "1-0-1", "DatasetVersionDatasetFacet");
body!(Schema, "1-1-1", "SchemaDatasetFacet");
body!(ColumnLineage, "1-2-0", "ColumnLineageDatasetFacet");
body!(OutputStatistics, "1-0-2", "OutputStatisticsOutputDatasetFacet");

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// `code: message`.
    pub message: String,
    /// Of the observed system.
    pub programming_language: String,
}

/// Facts about a run that have no facet of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// In order of their keys.
    pub tags: Vec<Tag>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// What it is about.
    pub key: String,
    /// What it says.
    pub value: String,
    /// Who says it.
    pub source: String,
}

/// What kind of job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `BATCH`: each object begins and ends.
    pub processing_type: String,
    /// Whose job.
    pub integration: String,
    /// `JOB`.
    pub job_type: String,
}

/// Which version of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Version id, ETag or digest.
    pub dataset_version: String,
}

/// The columns of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// In the catalog's order.
    pub fields: Vec<SchemaField>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaField {
    /// Its name.
    pub name: String,
    /// Its type, as in the contract.
    #[serde(rename = "type")]
    pub ty: String,
}

/// Where the columns of a table come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLineage {
    /// By column.
    pub fields: BTreeMap<String, FieldLineage>,
}

/// Where one column comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldLineage {
    /// What its values are made of; none for an expression that reads no column.
    pub input_fields: Vec<InputField>,
    /// The SQL of a derived column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_description: Option<String>,
    /// `IDENTITY` or `TRANSFORMATION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_type: Option<String>,
}

/// One field of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputField {
    /// The input's namespace.
    pub namespace: String,
    /// The input's name.
    pub name: String,
    /// JSON pointer in the record.
    pub field: String,
    /// What is done with it.
    pub transformations: Vec<Transformation>,
}

/// What is done with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformation {
    /// `DIRECT`: the value is made of it.
    #[serde(rename = "type")]
    pub ty: String,
    /// `IDENTITY` or `TRANSFORMATION`.
    pub subtype: String,
    /// The SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How much a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatistics {
    /// Rows.
    pub row_count: u64,
    /// Bytes of the part files.
    pub size: u64,
    /// Part files.
    pub file_count: u64,
}
