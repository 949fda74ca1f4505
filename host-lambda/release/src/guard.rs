//! The guard of a canary: hosts take it back by themselves when too many of its objects fail, or of its records are
//! rejected.
//!
//! Not for what an operator withdraws (`channel`). Decisions to know:
//!
//! * Hosts have no key, so none of them can write a channel document. The first one that finds the canary over its
//!   limits puts a mark into the lake, if absent; all hosts of that lake look for it while a guarded canary is in use.
//! * It is judged after an object that failed or had rejected records, by the lake's load history and failure records:
//!   all hosts count together, and a canary without a fault costs nothing more.
//! * Small numbers say nothing, as for the share of rejected records in one object.

use serde::{Deserialize, Serialize};

use crate::channel::Canary;
use crate::share::{Guard, WHOLE};
use lakegate_base::Result;
use lakegate_base::time::parse;
use lakegate_lake::keys::aborted_key;
use lakegate_lake::lake::Lake;

/// So many rejected records, or fewer, abort no canary.
const REJECTED_FLOOR: u64 = 10;
/// So many failed objects, or fewer, abort no canary.
const FAILED_FLOOR: u64 = 2;
/// Loads and failures that are looked at, the newest.
const COUNTED: usize = 200;

/// What came of a canary's objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Objects that it was given.
    pub objects: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Records of the others.
    pub records: u64,
    /// Those of them that were rejected.
    pub rejected: u64,
}

/// A canary that hosts took back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aborted {
    /// Version of this text: 1.
    pub version: u32,
    /// The release, `orders@1.3.0`.
    pub release: String,
    /// The pipeline whose host found it.
    pub pipeline: String,
    /// Which limit was passed, and by what.
    pub why: String,
    /// What was counted.
    pub counts: Counts,
    /// When, RFC 3339.
    pub at: String,
}

impl Guard {
    /// The limit that is passed, in a sentence.
    pub(super) fn passed(&self, counts: &Counts) -> Option<String> {
        let over = |most: Option<u16>, part: u64, whole: u64, floor: u64, what: &str| {
            let most = most?;
            let is_over = part > floor && part * u64::from(WHOLE) > whole * u64::from(most);
            is_over.then(|| format!("{part} of {whole} {what}, more than {}%", f64::from(most) / 10.0))
        };
        let failed = over(self.failed, counts.failed, counts.objects, FAILED_FLOOR, "objects failed");
        failed.or_else(|| {
            over(self.rejected, counts.rejected, counts.records, REJECTED_FLOOR, "records were rejected")
        })
    }
}

/// Key of a canary's mark in a lake. The same release as canary once more has another.
pub(super) fn mark_of(channel: &str, canary: &Canary) -> String {
    aborted_key(channel, &canary.entry.release.version.to_string(), &canary.entry.since)
}

/// What came of a canary in a pipeline since it began, over the newest of its objects.
pub(super) fn counted(lake: &Lake, pipeline: &str, name: &str, canary: &Canary) -> Result<Counts> {
    let (release, since) = (&canary.entry.release, canary.entry.since.as_str());
    let id = format!("{name}@{}", release.version);
    let mut counts = Counts::default();
    for load in lake.newest_loads(pipeline, COUNTED)? {
        if load.release.as_deref() == Some(&*id) && load.committed.as_str() >= since {
            counts.objects += 1;
            counts.records += load.records;
            counts.rejected += load.rejected;
        }
    }
    let from = parse(since).unwrap_or(0);
    for failed in lake.failures_since(pipeline, from, COUNTED)? {
        if failed.release.is_some_and(|by| by.manifest == release.manifest) {
            counts.objects += 1;
            counts.failed += 1;
        }
    }
    Ok(counts)
}

/// Whether hosts of a lake took a channel's canary back.
///
/// # Errors
/// The storage's.
pub fn aborted(lake: &Lake, channel: &str, canary: &Canary) -> Result<Option<Aborted>> {
    lake.read_json(&mark_of(channel, canary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_and_a_floor_are_both_passed() {
        let guard = Guard { rejected: Some(20), failed: Some(10) };
        for (objects, failed, records, rejected, passed) in [
            (3, 2, 0, 0, None),
            (3, 3, 0, 0, Some("3 of 3 objects failed, more than 1%")),
            (300, 3, 0, 0, None),
            (299, 3, 0, 0, Some("3 of 299 objects failed, more than 1%")),
            (9, 0, 10, 10, None),
            (9, 0, 11, 11, Some("11 of 11 records were rejected, more than 2%")),
            (9, 0, 550, 11, None),
            (9, 0, 549, 11, Some("11 of 549 records were rejected, more than 2%")),
        ] {
            let counts = Counts { objects, failed, records, rejected };
            assert_eq!(guard.passed(&counts).as_deref(), passed, "{counts:?}");
            assert_eq!(Guard::default().passed(&counts), None);
        }
    }
}
