//! Looking into an event without believing in its shape.
//!
//! Not for deciding what a missing field means: the caller does. The decision to know: these are lookups
//! and not `Deserialize` types, because one optional field of an unexpected type would spoil a whole type,
//! and because two spellings of one name in an event would count as a duplicate.

use serde_json::Value;

use crate::event::ObjectRef;
use lakegate_lake::Sequencer;

/// The first of several names that holds a text that is not empty.
pub(super) fn text<'v>(event: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| event.get(name)?.as_str().filter(|text| !text.is_empty()))
}

/// A field that is a list.
pub(super) fn list<'v>(event: &'v Value, name: &str) -> Option<&'v [Value]> {
    Some(event.get(name)?.as_array()?.as_slice())
}

/// A place inside an event that may not be there.
pub(super) struct At<'v>(Option<&'v Value>);

impl<'v> At<'v> {
    pub(super) fn new(event: &'v Value, path: &[&str]) -> Self {
        Self(path.iter().try_fold(event, |value, name| value.get(name)))
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&'v str> {
        text(self.0?, names)
    }

    /// The facts beside a key, in the spellings of S3, EventBridge, Step Functions and the S3 API.
    pub(super) fn object(&self, bucket: &str, key: &str, event_time: Option<i64>) -> ObjectRef {
        let version = self.text(&["versionId", "version-id", "VersionId", "version_id"]);
        let etag = self.text(&["eTag", "etag", "ETag", "Etag"]).map(|etag| etag.trim_matches('"'));
        ObjectRef {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id: version.filter(|id| *id != "null").map(str::to_owned),
            etag: etag.filter(|etag| !etag.is_empty()).map(str::to_owned),
            size: self.number(&["size", "Size"]),
            sequencer: self.text(&["sequencer"]).and_then(Sequencer::parse),
            event_time,
        }
    }

    /// A whole number; state machines also write it as text or with a fraction of zero.
    fn number(&self, names: &[&str]) -> Option<u64> {
        let value = names.iter().find_map(|name| self.0?.get(name))?;
        let float =
            || value.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 9e15).map(|n| n as u64);
        value.as_u64().or_else(float).or_else(|| value.as_str()?.parse().ok())
    }
}
