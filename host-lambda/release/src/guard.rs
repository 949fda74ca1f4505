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
/// Newest loads of the pipeline that are looked at, whatever made them. Failures count from the oldest of these on: else
/// all failures of weeks would stand against the objects of an hour.
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

/// What came of a canary in a pipeline since it began, as far back as the newest loads reach.
pub(super) fn counted(lake: &Lake, pipeline: &str, name: &str, canary: &Canary) -> Result<Counts> {
    let release = &canary.entry.release;
    let id = format!("{name}@{}", release.version);
    let newest = lake.newest_loads(Some(pipeline), COUNTED)?;
    let oldest = newest.iter().map(|load| load.committed.as_str()).min().filter(|_| newest.len() >= COUNTED);
    let since = canary.entry.since.as_str().max(oldest.unwrap_or_default());
    let mut counts = Counts::default();
    for load in &newest {
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
    use crate::channel::Entry;
    use crate::manifest::Pinned;
    use crate::share::Share;
    use lakegate_base::time::rfc3339;
    use lakegate_lake::keys::{failure_key, load_key};
    use lakegate_lake::lake::{Load, to_json};
    use lakegate_lake::record::{FailedRecord, ReleaseRecord};

    const BEGUN: i64 = 1_767_225_600_000;

    /// The moment of so many minutes after the canary began.
    fn minute(minutes: i64) -> String {
        rfc3339(BEGUN + minutes * 60_000)
    }

    fn load(lake: &Lake, minutes: i64, version: &str) {
        let (source, committed) = (format!("s3://raw/{minutes}"), minute(minutes));
        let key = load_key("p", &committed, &source, 1);
        let release = Some(format!("orders@{version}"));
        let load = Load { source, committed, release, records: 10, rejected: 1, ..Load::default() };
        lake.overwrite(&key, &to_json(&load).unwrap()).unwrap();
    }

    fn fail(lake: &Lake, pipeline: &str, minutes: i64, manifest: &str) {
        let key = failure_key(pipeline, &format!("s3://raw/{minutes}/{manifest}"));
        let release = Some(ReleaseRecord { manifest: manifest.into(), ..ReleaseRecord::default() });
        let failed = FailedRecord { at: minute(minutes), release, ..FailedRecord::default() };
        lake.overwrite(&key, &to_json(&failed).unwrap()).unwrap();
    }

    #[test]
    fn loads_and_failures_are_of_one_stretch_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(&folder.path().join("lake")).unwrap();
        let release = Pinned { version: "1.1.0".parse().unwrap(), manifest: "m".into() };
        let entry = Entry { release, since: minute(0) };
        let canary = Canary { entry, share: Share::default() };
        let counts = || counted(&lake, "p", "orders", &canary).unwrap();
        // Before it began, by another release, of another pipeline: not its.
        load(&lake, -1, "1.1.0");
        fail(&lake, "p", -1, "m");
        fail(&lake, "p", 2, "other");
        fail(&lake, "q", 2, "m");
        load(&lake, 1, "1.0.0");
        assert_eq!(counts(), Counts::default());
        (2..5).for_each(|minutes| fail(&lake, "p", minutes, "m"));
        (5..7).for_each(|minutes| load(&lake, minutes, "1.1.0"));
        assert_eq!(counts(), Counts { objects: 5, failed: 3, records: 20, rejected: 2 });
        // A long time goes by, most of it stable's: the failures of before stand against nothing that is looked at.
        (100..100 + COUNTED as i64 * 2).for_each(|minutes| {
            load(&lake, minutes, if minutes % 20 == 0 { "1.1.0" } else { "1.0.0" });
        });
        let now = counts();
        assert_eq!((now.failed, now.objects), (0, COUNTED as u64 / 20), "{now:?}");
        fail(&lake, "p", 499, "m");
        assert_eq!(counts().failed, 1);
    }

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
