//! What is kept in a lake of a channel: what a shadow would have made of each object, and what a host has in use.
//!
//! Not for the objects' own rows. The decision to know: all of it is for people. It never fails an object, and whoever
//! runs objects, in a function or by hand, keeps it in the same words.

use serde_json::json;

use crate::compare::{Side, compare};
use crate::follow::{Follower, News};
use crate::load::Release;
use lakegate_base::Result;
use lakegate_base::time::rfc3339;
use lakegate_lake::keys::{host_key, shadow_key};
use lakegate_lake::lake::{Lake, to_json};
use lakegate_lake::record::CommitRecord;
use lakegate_lake::source::{Source, now_ms};

/// Runs a shadow on an object that was committed, and keeps what it would have changed; whether that is nothing. The
/// shadow works under the name of the pipeline that made the commit.
///
/// # Errors
/// The shadow's plan, or the storage's. What the shadow cannot take is a difference and no error.
pub fn run_shadow(
    lake: &Lake,
    committed: Side<'_>,
    shadow: &Release,
    source: &Source,
    record: &CommitRecord,
) -> Result<bool> {
    let plan = shadow.plan(None)?.deployed(&record.pipeline);
    let compared = compare(committed, Side { transform: &shadow.transform, plan: &plan }, source, Some(lake));
    let (same, found) = match compared {
        Ok(comparison) => (comparison.same(), json!({"comparison": comparison})),
        // What the shadow cannot take is the difference.
        Err(error) => (false, json!({"failed": {"code": error.name(), "message": error.to_string()}})),
    };
    let mut note = json!({
        "version": 1, "pipeline": record.pipeline, "source": source.uri(), "generation": record.generation,
        "stable": record.release, "shadow": shadow.id(), "same": same, "at": rfc3339(now_ms()),
    });
    if let (Some(note), Some(found)) = (note.as_object_mut(), found.as_object()) {
        note.extend(found.clone());
    }
    let (name, version) = (&shadow.manifest.name, shadow.manifest.version.to_string());
    let key = shadow_key(name, &version, source.uri(), record.generation);
    lake.overwrite(&key, &to_json(&note)?)?;
    Ok(same)
}

/// Keeps what a host has in use, if that changed since it was last asked; `host` is the name of a pipeline, or of a
/// command. What is in use now, if it was news.
///
/// # Errors
/// The storage's.
pub fn tell_host(lake: &Lake, host: &str, follower: &Follower) -> Result<Option<News>> {
    let Some(news) = follower.news() else { return Ok(None) };
    let note = json!({"version": 1, "pipeline": host, "at": rfc3339(now_ms()), "host": news});
    lake.overwrite(&host_key(host), &to_json(&note)?)?;
    Ok(Some(news))
}
