//! The records a lake keeps: commits and failures.
//!
//! Not for reading or writing them: see [`Lake`](super::Lake). The decision to know: a commit record holds all
//! that is needed to complete it, or to make the same bytes again.

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use lakegate_model::receipt::{Output, Receipt};
use lakegate_model::{QuarantineLine, Rejected};
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::run_id::RunId;
use crate::sequencer::Sequencer;
use crate::storage::Staged;

/// The source object that a commit is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Canonical path, `stdin:<digest>` or `resubmit:<digest>`.
    pub uri: String,
    /// What names the version of an object in a bucket: `v:<version id>`, or `e:<etag>:<bytes>:<modified>`.
    /// Empty for files, which their digest names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Place among the events of its key, as S3 gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<Sequencer>,
    /// SHA-256 of the content; empty where it was never read to its end.
    pub digest: String,
    /// Bytes as stored.
    pub bytes: u64,
    /// Last change, RFC 3339.
    pub modified: String,
    /// The same in milliseconds since 1970-01-01 UTC: part file names hold it.
    pub modified_ms: i64,
    /// When its event says that it arrived, in milliseconds since 1970-01-01 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time_ms: Option<i64>,
    /// When it was taken, in milliseconds since 1970-01-01 UTC: fixed before its first pass, and the same
    /// whenever files of it are made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_ms: Option<i64>,
    /// File name without extensions, as used in part file names.
    pub stem: String,
    /// Digest of the receipt that a preview showed to whoever brought this version, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<String>,
}

impl SourceRecord {
    /// What names this version of the object; see [`Source::version`](crate::source::Source::version).
    pub fn version(&self) -> &str {
        if self.version.is_empty() { &self.digest } else { &self.version }
    }
}

/// One part file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Key in the lake.
    pub key: String,
    /// Table.
    pub table: String,
    /// Hive path with trailing slash, or empty.
    pub partition: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub digest: String,
    /// Where its bytes wait to be published.
    pub staged: Staged,
}

/// The rejected records of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRecord {
    /// Key in the lake.
    pub key: String,
    /// Lines.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub digest: String,
    /// Where its bytes wait to be published.
    pub staged: Staged,
}

/// A line of the quarantine as the lake keeps it: the transform's, and what the host knows of its object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptLine<'a> {
    /// What the transform says.
    #[serde(flatten)]
    pub line: QuarantineLine<'a>,
    /// Id of the run.
    pub id: Cow<'a, str>,
    /// URI of the source object.
    pub source: Cow<'a, str>,
    /// Generation that the run made, or would have made.
    pub generation: u32,
    /// When the object was taken, RFC 3339: a recorded time, so that lines made again are the same.
    pub time: Option<Cow<'a, str>>,
    /// Whether the object failed: none of its records is in the tables then.
    pub failed: bool,
}

/// Quarantined records that this commit submitted again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// URI of the source object they came from.
    pub source: String,
    /// Digest of its content: record numbers mean nothing in another.
    pub digest: String,
    /// Record numbers, ascending.
    pub records: Vec<u64>,
    /// The generation whose quarantine they were picked from.
    #[serde(default)]
    pub generation: u32,
}

/// The release that made a commit, as a channel or a person picked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// SHA-256 of its manifest.
    pub manifest: String,
    /// Number of the channel document that picked it; `None` if it was named by version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

impl ReleaseRecord {
    /// `orders@1.3.0`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// For people: `orders@1.3.0 (channel document 7)`.
    pub fn shown(&self) -> String {
        let picked = self.sequence.map(|sequence| format!(" (channel document {sequence})"));
        format!("{}{}", self.id(), picked.unwrap_or_default())
    }
}

/// One processing of a source object that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Version of this text: 1.
    pub version: u32,
    /// Id of the run, see [`CommitRecord::run_id`]; empty in records from before there were ids, whose quarantine
    /// has no facts of the host either.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Pipeline: locally the first table.
    pub pipeline: String,
    /// What was processed.
    pub source: SourceRecord,
    /// From 1.
    pub generation: u32,
    /// Names the attempt that made it.
    pub run: String,
    /// Why there is this generation: `new`, `content`, `spec`, `component`, `rerun`, `contract`, `resubmit`,
    /// `retract`; or `void`, which holds the place of a commit that must not be made any more.
    pub reason: String,
    /// The release, where one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseRecord>,
    /// Digest of the component.
    pub component: String,
    /// Digest of the spec.
    pub spec: String,
    /// Table that was named beside the spec.
    pub table: Option<String>,
    /// Digest of each table's contract.
    pub contracts: BTreeMap<String, String>,
    /// `replace` or `append`.
    pub on_reupload: String,
    /// Generations of the same object whose files go once these are published.
    pub replaces: Vec<u32>,
    /// Keys of other commits whose files go as well: resubmissions that this generation makes void.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdraws: Vec<String>,
    /// Earlier generations that count beside this one; `None` where whoever made the record did not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<Vec<u32>>,
    /// Earlier generations that were given up after their commit: what they say counts for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voids: Vec<u32>,
    /// Versions of the object that were taken out of the tables, by this generation or one before: an event of
    /// theirs comes late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracts: Vec<String>,
    /// Part files of all tables.
    pub parts: Vec<PartRecord>,
    /// Rejected records, if any.
    pub quarantine: Option<QuarantineRecord>,
    /// The transform's report.
    pub report: lakegate_model::report::Report,
    /// Quarantined records that this commit submitted again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolves: Vec<Resolved>,
    /// Start of the run, RFC 3339.
    pub started: String,
    /// Time of the commit, RFC 3339.
    pub committed: String,
}

/// The reason of a record that takes an object out of the tables.
pub(crate) const RETRACT: &str = "retract";
/// The reason of a record that only keeps another from being made.
const VOID: &str = "void";

impl CommitRecord {
    /// A record in the place of one that must not be made any more.
    pub(crate) fn void(pipeline: &str, uri: &str, generation: u32, at: String) -> Self {
        let source = SourceRecord { uri: uri.into(), ..SourceRecord::default() };
        let (pipeline, reason) = (pipeline.into(), VOID.into());
        let void = Self {
            version: 1,
            pipeline,
            source,
            generation,
            reason,
            started: at.clone(),
            committed: at,
            ..Self::default()
        };
        void.with_id()
    }

    /// The id of its run: it follows from pipeline, object and generation, and so every record has one.
    pub fn run_id(&self) -> RunId {
        RunId::of(&self.pipeline, &self.source.uri, self.generation)
    }

    /// The same record, which says its id.
    #[must_use]
    pub fn with_id(self) -> Self {
        Self { id: self.run_id().to_string(), ..self }
    }

    /// Whether it only keeps another from being made.
    pub fn is_void(&self) -> bool {
        self.reason == VOID
    }

    /// Whether it took its object out of the tables: there is nothing of it to be made again.
    pub fn is_retraction(&self) -> bool {
        self.reason == RETRACT
    }

    /// Key of what says that it was given up.
    pub(crate) fn void_key(&self) -> String {
        self.named(&keys::object_key(&self.source.uri)).void_key()
    }

    /// Key of what says that it was withdrawn.
    pub(crate) fn withdrawn_key(&self) -> String {
        self.named(&keys::object_key(&self.source.uri)).withdrawn_key()
    }

    fn named<'a>(&'a self, object: &'a str) -> keys::Named<'a> {
        keys::Named { pipeline: &self.pipeline, object, generation: self.generation }
    }

    /// Key of its done mark.
    pub(crate) fn load_key(&self) -> String {
        keys::load_key(&self.pipeline, &self.committed, &self.source.uri, self.generation)
    }

    /// The digests that a preview would have promised.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            input: self.source.digest.clone(),
            component: self.component.clone(),
            spec: self.spec.clone(),
            contracts: self.contracts.clone(),
            outputs: self
                .parts
                .iter()
                .map(|part| Output {
                    table: part.table.clone(),
                    partition: part.partition.clone(),
                    rows: part.rows,
                    bytes: part.bytes,
                    digest: part.digest.clone(),
                })
                .collect(),
            comparable: self.report.comparable,
        }
    }

    /// Whether it is what was promised to whoever brought the source object; `None` where nothing was.
    pub fn as_previewed(&self) -> Option<bool> {
        let promised = self.source.promised.as_ref()?;
        Some(*promised == self.receipt().digest())
    }
}

/// A commit record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitState {
    /// The record.
    pub record: CommitRecord,
    /// True once all is published and the old generation's files are gone.
    pub done: bool,
    /// True unless a later generation replaced it, or it is void or withdrawn.
    pub current: bool,
    /// Key of the record.
    pub key: String,
    /// True if it was committed, and is given up: its files are not there, and will not be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
}

/// A source object that failed: nothing of it is in the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRecord {
    /// Version of this text: 1.
    pub version: u32,
    /// Id of the run: of the generation that it would have become, or that is lost. Empty in records from before there
    /// were ids.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Pipeline.
    pub pipeline: String,
    /// What failed.
    pub source: SourceRecord,
    /// Digest of the component.
    pub component: String,
    /// Digest of the spec.
    pub spec: String,
    /// The release, where one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseRecord>,
    /// Stable name of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where, as text.
    pub place: Option<String>,
    /// What the transform said when it panicked; may hold values of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic: Option<String>,
    /// Records read, as far as known.
    pub records: u64,
    /// Records rejected, as far as known.
    pub rejected: u64,
    /// Key of the quarantine lines, kept for looking.
    pub quarantine: Option<String>,
    /// Why records were rejected, and where the first of them stand.
    #[serde(flatten)]
    pub told: Rejected,
    /// When, RFC 3339.
    pub at: String,
}
