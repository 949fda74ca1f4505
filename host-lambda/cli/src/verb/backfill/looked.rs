//! What lies below a prefix, and how each object stands.
//!
//! Not for a lake's own view of its source (`reconcile`). The decision to know: an object that failed in the version that
//! is there is not missing: taken again it would fail again.

use crate::cloud;
use crate::place::bucket_and_key;
use crate::verb::deployed::{Left, lakes_of};
use lakegate_aws::deployed::Deployed;
use lakegate_aws::event::ObjectRef;
use lakegate_base::Error;
use lakegate_config::Route;
use lakegate_lake::record::{FailedRecord, SourceRecord};
use lakegate_lake::storage::Facts;
use std::collections::BTreeMap;

/// An object that is not in the tables.
pub(super) struct Open {
    pub(super) object: ObjectRef,
    pub(super) bytes: u64,
}

/// All below a prefix.
#[derive(Default)]
pub(super) struct Looked {
    /// What is to be taken.
    pub(super) open: Vec<Open>,
    /// Codes of what failed, by URI.
    pub(super) failed: BTreeMap<String, String>,
    /// Everything else, and what failed, counted.
    pub(super) left: Left,
}

/// Looks at each object below a prefix.
///
/// # Errors
/// The storages', or a record cannot be read.
pub(super) fn look(deployed: &Deployed, uri: &str) -> Result<Looked, Error> {
    let (bucket, prefix) = bucket_and_key(uri)?;
    let known = known_failures(deployed)?;
    let mut looked = Looked::default();
    for facts in cloud::bucket_of(uri)?.list(prefix)? {
        if facts.key.ends_with('/') {
            looked.left.markers += 1;
            continue;
        }
        let object = ObjectRef::named(bucket, &facts.key);
        match deployed.config().route(&object.bucket, &object.key) {
            Route::Pipeline(_) if deployed.is_done(&object)? => looked.left.done += 1,
            Route::Pipeline(pipeline) => match known.get(&(pipeline.name.clone(), object.uri())) {
                Some(failed) if is_same(&failed.source, &facts) => {
                    looked.left.failed += 1;
                    looked.failed.insert(object.uri(), failed.code.clone());
                }
                _ => looked.open.push(Open { object, bytes: facts.bytes }),
            },
            Route::Loop { .. } | Route::Unmatched => looked.left.others += 1,
        }
    }
    Ok(looked)
}

/// Objects that failed in the pipelines.
fn known_failures(deployed: &Deployed) -> Result<BTreeMap<(String, String), FailedRecord>, Error> {
    let mut found = BTreeMap::new();
    for lake in lakes_of(deployed, None)? {
        let failures = lake.failures()?.into_iter();
        found.extend(failures.map(|failed| ((failed.pipeline.clone(), failed.source.uri.clone()), failed)));
    }
    Ok(found)
}

/// Whether a listing shows the version that failed. It may have milliseconds where the object itself tells whole
/// seconds, and it never has a version's id: two uploads of one second are told apart by length and ETag.
fn is_same(failed: &SourceRecord, listed: &Facts) -> bool {
    let tag = failed.version.starts_with("v:") || failed.version.starts_with(&format!("{}:", listed.version));
    tag && failed.bytes == listed.bytes && listed.modified_ms / 1000 <= failed.modified_ms / 1000
}
