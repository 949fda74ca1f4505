//! One log line an object and stage: what happened, how much, how long.
//!
//! Not for the form of a line (`log`). Decisions to know:
//!
//! * Who and what (request, pipeline, object, release, the run's id) is said once, in spans, and so stands in every line
//!   below them; a stage only says counts. The spans are of level `error`: a line that is written must never lack them,
//!   however quiet the log is.
//! * `milliseconds` is the same in each line: how long after the object's turn began the stage was reached.
//! * What goes wrong is said once, by whoever has the object's span; whoever hands the error on says nothing.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Span, error, error_span, info, warn};

use lakegate_base::{Error, Kind};

/// Where an object has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An event names it and a pipeline takes it.
    Received,
    /// Its version is pinned and its first bytes are here.
    Fetched,
    /// The transform is through with it; the outputs are staged.
    Transformed,
    /// The commit record is won.
    Committed,
    /// Its files are visible.
    Published,
    /// The catalog knows them.
    Catalogued,
    /// Those who asked for it are told.
    Notified,
    /// The done mark is written.
    Done,
    /// See [`failed`].
    Failed,
    /// See [`ignored`].
    Ignored,
}

impl Stage {
    /// As in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Fetched => "fetched",
            Self::Transformed => "transformed",
            Self::Committed => "committed",
            Self::Published => "published",
            Self::Catalogued => "catalogued",
            Self::Notified => "notified",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
        }
    }
}

/// What a stage counted; what is `None` is not in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of the source object.
    pub bytes_in: Option<u64>,
    /// Records read.
    pub records: Option<u64>,
    /// Records in quarantine.
    pub rejected: Option<u64>,
    /// Rows in all tables.
    pub rows: Option<u64>,
    /// Part files.
    pub files: Option<u64>,
    /// Bytes of the part files.
    pub bytes_out: Option<u64>,
    /// Partitions in the catalog.
    pub partitions: Option<u64>,
    /// Passes over the input.
    pub passes: Option<u64>,
    /// Generation of the object.
    pub generation: Option<u64>,
    /// Whether it was done already.
    pub duplicate: Option<bool>,
}

/// The span of one invocation.
pub fn request(id: &str) -> Span {
    error_span!("request", requestId = id)
}

/// The span of one source object, inside the current one. `record("release", digest)` once it is known, and
/// `record("version", "orders@1.3.0")` where it is a published one. The flow records `id` and `source`, as the records
/// have them, as soon as it knows the generation.
pub fn object(pipeline: &str, uri: &str) -> Span {
    error_span!(
        "object",
        pipeline,
        object = uri,
        release = Empty,
        version = Empty,
        id = Empty,
        source = Empty
    )
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A stage that was passed, of an object whose turn began at a moment.
pub fn reached(stage: Stage, begun: Instant, counts: &Counts) {
    info!(
        stage = stage.name(),
        milliseconds = since(begun),
        bytesIn = counts.bytes_in,
        records = counts.records,
        rejected = counts.rejected,
        rows = counts.rows,
        files = counts.files,
        bytesOut = counts.bytes_out,
        partitions = counts.partitions,
        passes = counts.passes,
        generation = counts.generation,
        duplicate = counts.duplicate,
        "{}",
        stage.name()
    );
}

/// The object failed. Our own fault is an error; what AWS tries again, or a person mends, a warning.
pub fn failed(error: &Error, begun: Instant) {
    let (stage, milliseconds) = (Stage::Failed.name(), since(begun));
    let (kind, code, hint) = (error.kind().to_string(), error.name(), error.hint());
    let place = error.place().map(ToString::to_string);
    match error.kind() {
        Kind::Own => error!(stage, kind, code, hint, place, milliseconds, "{error}"),
        Kind::Input | Kind::Passing => warn!(stage, kind, code, hint, place, milliseconds, "{error}"),
    }
}

/// Lineage of what is in the tables, or failed, could not be written: what it is about stands all the same.
pub fn lineage_failed(error: &Error) {
    let (stage, kind) = ("lineage_failed", error.kind().to_string());
    let (code, hint) = (error.name(), error.hint());
    match error.kind() {
        Kind::Own => error!(stage, kind, code, hint, "lineage cannot be written: {error}"),
        Kind::Input | Kind::Passing => warn!(stage, kind, code, hint, "lineage cannot be written: {error}"),
    }
}

/// The source object is done, and lacks the tag that says so.
pub fn tagging_failed(error: &Error) {
    let (stage, kind) = (TAGGING_FAILED, error.kind().to_string());
    warn!(
        stage,
        kind,
        code = error.name(),
        hint = error.hint(),
        "the source object cannot be tagged: {error}"
    );
}

/// As [`tagging_failed`], because there is no room for a tag.
pub fn tags_full() {
    let hint = "take one of its tags away";
    warn!(
        stage = TAGGING_FAILED,
        hint, "the source object cannot be tagged: it has as many tags as S3 takes"
    );
}

/// An object of the source is not in the tables.
pub fn missing(why: &str, code: Option<&str>) {
    warn!(stage = "missing", why, code, "it is in the source and not in the tables: {why}");
}

const TAGGING_FAILED: &str = "tagging_failed";

/// A shadow ran beside, or could not be compared.
pub fn shadowed(shadow: &str, same: bool, error: Option<&Error>) {
    let stage = "shadowed";
    match error {
        None => {
            info!(stage, shadow, same, "the shadow made {}", if same { "the same" } else { "something else" })
        }
        Some(error) => warn!(stage, shadow, code = error.name(), "the shadow cannot be compared: {error}"),
    }
}

/// Nothing is done with what an event names, and why: no pipeline takes it, a delete, a test.
pub fn ignored(uri: Option<&str>, why: &str) {
    info!(stage = Stage::Ignored.name(), object = uri, why, "ignored: {why}");
}

#[cfg(test)]
#[path = "stage_tests.rs"]
mod tests;
