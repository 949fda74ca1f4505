//! Every key that a lake uses for itself: what lies below `_lakegate/`, and how it is spelled.
//!
//! Not for what lies there. Nothing else in the project spells such a key. The rules:
//!
//! * A name that somebody chose (table, pipeline, release, raw file) stands below a folder that holds such names
//!   only, so that no name can meet one of the lake's own. Tables live at the lake's root beside `_lakegate/`, and
//!   no table's name begins with `_`.
//! * A key follows from what a commit record says; nothing has to be listed to find it.
//! * Names of loads sort newest first within their day, since object storage lists in one direction only and the
//!   newest are what people look at.
//!
//! ```text
//! <table>/<partitions>/<stem>-<modified>-<digest>-<n>.parquet
//! _lakegate/lake.json                                            the layout: what is below is spelled as here
//! _lakegate/tables/<table>/schema.json                           names the live contract, and all before it
//! _lakegate/contracts/<digest>.json                              contract texts, never changed
//! _lakegate/specs/<digest>.toml                                  spec texts, never changed
//! _lakegate/commits/<pipeline>/<object>/<generation>.json        commit records, never changed
//! _lakegate/loads/pipeline=<pipeline>/day=<day>/<left>-<committed>-<object>-<generation>.json
//!                                                                commits that are done: marks and history in one
//! _lakegate/history/pipeline=<pipeline>/day=<day>/loads.parquet    copies of a closed day's loads in one file, for SQL
//! _lakegate/resubmissions/<pipeline>/<object>/<number>.json      claims: which records of an object which commit resubmits
//! _lakegate/withdrawn/<pipeline>/<object>-<generation>.json      resubmissions that do not count any more
//! _lakegate/void/<pipeline>/<object>-<generation>.json           generations that were given up after their commit
//! _lakegate/resubmitted/<digest>                                 records that were submitted again
//! _lakegate/quarantine/<pipeline>/<object>-<generation>-<run>.jsonl      and -<run>-failed.jsonl, if the object failed
//! _lakegate/failures/<pipeline>/<object>.json                    the last failure of an object that is not committed
//! _lakegate/failures/<pipeline>/<object>-<generation>.json       a generation that was committed and is lost
//! _lakegate/crawler/<crawler>-<digest>.again                     whether a crawler is to run once more
//! _lakegate/paused/<pipeline>.json                               the pipeline is held while this is there
//! _lakegate/shadows/<release>/<version>/<object>-<generation>.json    what a shadow would have changed
//! _lakegate/backfills/<prefix>.json                              the last distributed backfill of a source prefix
//! _lakegate/backfills/<prefix>-<digest>.jsonl                    what such a backfill takes: a batch a line
//! _lakegate/hosts/<pipeline>.json                                which releases the last host to swap has in use
//! _lakegate/raw/<name>                                           raw files that `lakegate serve` took
//! _lakegate/uploads/<id>.json and .raw                           uploads that wait for their turn
//! _lakegate/staging/                                             nothing in here is visible
//! ```

use std::path::Path;

use lakegate_model::hive;
use sha2::{Digest, Sha256};

/// The layout that this file spells.
pub const LAYOUT: u64 = 2;
/// All that is the lake's own, with a trailing slash.
pub const OWN: &str = "_lakegate/";
/// Says which layout the lake has.
pub const LAKE: &str = "_lakegate/lake.json";
/// Commit records, a folder a pipeline.
pub const COMMITS: &str = "_lakegate/commits/";
/// Done marks: the load history, a folder a pipeline and day.
pub const LOADS: &str = "_lakegate/loads/";
/// Closed days of the load history, a file each, a folder a pipeline and day.
pub const HISTORY: &str = "_lakegate/history/";
/// Last failures, a folder a pipeline.
pub const FAILURES: &str = "_lakegate/failures/";
/// Rejected records, a folder a pipeline.
pub const QUARANTINE: &str = "_lakegate/quarantine/";
/// Resubmissions that do not count any more, a folder a pipeline.
pub const WITHDRAWN: &str = "_lakegate/withdrawn/";
/// Generations that were given up after their commit, a folder a pipeline.
pub const VOID: &str = "_lakegate/void/";
/// Live contracts, a folder a table.
pub const TABLES: &str = "_lakegate/tables/";
/// What distributed backfills take.
pub const BACKFILLS: &str = "_lakegate/backfills/";
/// What hosts have in use.
pub const HOSTS: &str = "_lakegate/hosts/";
/// Uploads that wait for their turn.
pub const UPLOADS: &str = "_lakegate/uploads/";
/// What is staged in a folder, without a trailing slash.
pub const STAGING: &str = "_lakegate/staging";

const SCHEMA: &str = "/schema.json";
const PIPELINE: &str = "pipeline=";
pub(crate) const DAY: &str = "day=";
/// Milliseconds of a day, less one.
const LAST_OF_DAY: u32 = 86_399_999;

/// Whether a folder holds a lake.
pub fn is_lake(folder: &Path) -> bool {
    folder.join(OWN).is_dir()
}

/// Whether a key is none of a table's.
pub fn is_own(key: &str) -> bool {
    key.starts_with(OWN)
}

/// The longest key that part files of a table may come to below a prefix: partitions and file names are bounded, so that
/// it is known before anything is loaded.
pub fn longest_part_key(prefix: &str, table: &str) -> usize {
    /// Stem, time, digest, number and extension.
    const FILE: usize = 160;
    let slash = usize::from(!prefix.is_empty());
    prefix.len() + slash + table.len() + 1 + hive::PATH_BYTES + FILE
}

/// The live contract of a table.
pub fn schema_key(table: &str) -> String {
    format!("{TABLES}{table}{SCHEMA}")
}

/// The table of a [`schema_key`].
pub fn table_of_schema(key: &str) -> Option<&str> {
    key.strip_prefix(TABLES)?.strip_suffix(SCHEMA).filter(|table| !table.contains('/'))
}

/// A contract's text, by its digest.
pub fn contract_key(digest: &str) -> String {
    format!("{OWN}contracts/{digest}.json")
}

/// A spec's text, by its digest.
pub fn spec_key(digest: &str) -> String {
    format!("{OWN}specs/{digest}.toml")
}

/// What stands for a source object in keys: 16 hex digits of its URI's SHA-256.
pub fn object_key(uri: &str) -> String {
    hex::encode(&Sha256::digest(uri.as_bytes())[..8])
}

/// Folder of a source object's commit records, with a trailing slash.
pub fn object_prefix(pipeline: &str, uri: &str) -> String {
    commits_prefix(pipeline, &object_key(uri))
}

/// The same for what stands for the object.
pub fn commits_prefix(pipeline: &str, object: &str) -> String {
    format!("{COMMITS}{pipeline}/{object}/")
}

/// A commit record.
pub fn commit_key(pipeline: &str, uri: &str, generation: u32) -> String {
    Named { pipeline, object: &object_key(uri), generation }.commit_key()
}

/// Folder of the load history's days of a pipeline, with a trailing slash.
pub fn days_prefix(pipeline: &str) -> String {
    format!("{LOADS}{PIPELINE}{pipeline}/")
}

/// The pipeline of a folder below [`LOADS`].
pub fn pipeline_of_loads(folder: &str) -> Option<&str> {
    folder.strip_prefix(PIPELINE)
}

/// The day of a folder below [`days_prefix`].
pub fn day_of_loads(folder: &str) -> Option<&str> {
    folder.strip_prefix(DAY)
}

/// One day of a pipeline's load history, with a trailing slash.
pub fn day_prefix(pipeline: &str, day: &str) -> String {
    format!("{}{DAY}{day}/", days_prefix(pipeline))
}

/// Folder of a pipeline's rolled days, with a trailing slash.
pub fn rolled_prefix(pipeline: &str) -> String {
    format!("{HISTORY}{PIPELINE}{pipeline}/")
}

/// All loads of a closed day, in one Parquet file.
pub fn rolled_key(pipeline: &str, day: &str) -> String {
    format!("{}{DAY}{day}/loads.parquet", rolled_prefix(pipeline))
}

/// The done mark of a commit, from what its record says: `committed` is RFC 3339 in UTC, to the millisecond.
pub fn load_key(pipeline: &str, committed: &str, uri: &str, generation: u32) -> String {
    // A record whose time was spoiled by hand still has one place for its mark: the oldest day.
    let (day, left) = moment(committed).unwrap_or(("0000-00-00", 0));
    let compact: String = committed.chars().filter(char::is_ascii_alphanumeric).collect();
    let object = object_key(uri);
    format!("{}{left:08}-{compact}-{object}-{generation:06}.json", day_prefix(pipeline, day))
}

/// The day, and the milliseconds that are left of it.
fn moment(rfc3339: &str) -> Option<(&str, u32)> {
    let day = rfc3339.get(..10)?;
    let plain = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let number = |from: usize, to: usize| rfc3339.get(from..to)?.parse::<u32>().ok();
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let left = LAST_OF_DAY.saturating_sub(seconds * 1000 + number(20, 23)?);
    plain.then_some((day, left))
}

/// Folder of the claims on rejected records of a source object, with a trailing slash.
pub fn resubmissions_prefix(pipeline: &str, uri: &str) -> String {
    format!("{OWN}resubmissions/{pipeline}/{}/", object_key(uri))
}

/// A claim: numbers of one object are given out one after the other, so that two never claim at once.
pub fn resubmission_key(pipeline: &str, source: &str, number: u32) -> String {
    format!("{}{number:06}.json", resubmissions_prefix(pipeline, source))
}

/// The number of a claim.
pub fn number_of_resubmission(key: &str) -> Option<u32> {
    key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// Records that were submitted again, by what stands for the resubmission.
pub fn resubmitted_key(digest: &str) -> String {
    format!("{OWN}resubmitted/{digest}")
}

/// Folder of a pipeline's quarantine, with a trailing slash.
pub fn quarantine_prefix(pipeline: &str) -> String {
    format!("{QUARANTINE}{pipeline}/")
}

/// Rejected records of one attempt at a generation.
pub fn quarantine_key(pipeline: &str, uri: &str, generation: u32, run: &str) -> String {
    let (folder, object) = (quarantine_prefix(pipeline), object_key(uri));
    format!("{folder}{object}-{generation:06}-{run}.jsonl")
}

/// Folder of a pipeline's failures, with a trailing slash.
pub fn failures_prefix(pipeline: &str) -> String {
    format!("{FAILURES}{pipeline}/")
}

/// The last failure of a source object.
pub fn failure_key(pipeline: &str, uri: &str) -> String {
    format!("{}{}.json", failures_prefix(pipeline), object_key(uri))
}

/// A generation of a source object that was committed and is lost.
pub fn lost_key(pipeline: &str, uri: &str, generation: u32) -> String {
    format!("{}{}-{generation:06}.json", failures_prefix(pipeline), object_key(uri))
}

/// The last distributed backfill of what lies below a source prefix.
pub fn backfill_key(below: &str) -> String {
    format!("{BACKFILLS}{}.json", object_key(below))
}

/// What a backfill takes, by its id.
pub fn manifest_key(id: &str) -> String {
    format!("{BACKFILLS}{id}.jsonl")
}

/// Which releases the last host to swap has in use.
pub fn host_key(pipeline: &str) -> String {
    format!("{HOSTS}{pipeline}.json")
}

/// Holds a pipeline while it is there.
pub fn pause_key(pipeline: &str) -> String {
    format!("{OWN}paused/{pipeline}.json")
}

/// Whether a crawler is to run once more. Its name may hold any character, a key better not.
pub fn crawler_key(crawler: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = crawler.chars().take(64).map(safe).collect();
    let digest = hex::encode(&Sha256::digest(crawler.as_bytes())[..4]);
    format!("{OWN}crawler/{name}-{digest}.again")
}

/// Folder of what a release's shadows would have changed, with a trailing slash.
pub fn shadows_prefix(release: &str) -> String {
    format!("{OWN}shadows/{release}/")
}

/// What a shadow would have changed in one generation.
pub fn shadow_key(release: &str, version: &str, uri: &str, generation: u32) -> String {
    format!("{}{version}/{}-{generation:06}.json", shadows_prefix(release), object_key(uri))
}

/// That hosts took a canary back by themselves: a release, as the canary that it was since a moment.
pub fn aborted_key(channel: &str, version: &str, since: &str) -> String {
    format!("{OWN}aborted/{channel}/{version}-{}.json", hex::encode(&Sha256::digest(since.as_bytes())[..4]))
}

/// The raw file of a name.
pub fn raw_key(name: &str) -> String {
    format!("{OWN}raw/{name}")
}

/// What came with an upload.
pub fn upload_key(id: &str) -> String {
    format!("{UPLOADS}{id}.json")
}

/// An upload's bytes until its turn comes.
pub fn upload_bytes_key(id: &str) -> String {
    format!("{UPLOADS}{id}.raw")
}

/// Which commit a key is about, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named<'a> {
    /// Pipeline.
    pub pipeline: &'a str,
    /// What stands for the source object.
    pub object: &'a str,
    /// Generation.
    pub generation: u32,
}

impl<'a> Named<'a> {
    /// From the key of a commit record.
    pub fn of_commit(key: &'a str) -> Option<Self> {
        let (pipeline, rest) = key.strip_prefix(COMMITS)?.split_once('/')?;
        let (object, name) = rest.split_once('/')?;
        Some(Self { pipeline, object, generation: name.strip_suffix(".json")?.parse().ok()? })
    }

    /// From the key of a done mark.
    pub fn of_load(key: &'a str) -> Option<Self> {
        let mut steps = key.strip_prefix(LOADS)?.split('/');
        let (pipeline, _day, name) = (pipeline_of_loads(steps.next()?)?, steps.next()?, steps.next()?);
        let mut words = name.strip_suffix(".json")?.rsplit('-');
        let (generation, object) = (words.next()?.parse().ok()?, words.next()?);
        Some(Self { pipeline, object, generation })
    }

    /// From the key of rejected records.
    pub fn of_quarantine(key: &'a str) -> Option<Self> {
        let (pipeline, name) = key.strip_prefix(QUARANTINE)?.split_once('/')?;
        let mut words = name.split('-');
        let (object, generation) = (words.next()?, words.next()?.parse().ok()?);
        Some(Self { pipeline, object, generation })
    }

    /// Key of the commit record.
    pub fn commit_key(&self) -> String {
        format!("{}{:06}.json", commits_prefix(self.pipeline, self.object), self.generation)
    }

    /// What may be noted of its failure: the object's last one, and that the generation is lost.
    pub fn failure_keys(&self) -> [String; 2] {
        [format!("{FAILURES}{}/{}.json", self.pipeline, self.object), self.below(FAILURES)]
    }

    /// Says, while it is there, that a commit of resubmitted records does not count any more.
    pub fn withdrawn_key(&self) -> String {
        self.below(WITHDRAWN)
    }

    /// Says, while it is there, that a generation was given up after its commit.
    pub fn void_key(&self) -> String {
        self.below(VOID)
    }

    fn below(&self, folder: &str) -> String {
        format!("{folder}{}/{}-{:06}.json", self.pipeline, self.object, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2025-01-01T11:59:59.999Z";

    #[test]
    fn a_done_mark_has_one_place_and_the_newest_comes_first() {
        let key = load_key("orders", AT, "/in/x.json", 3);
        let object = object_key("/in/x.json");
        assert_eq!(
            key,
            format!(
                "_lakegate/loads/pipeline=orders/day=2025-01-01/43200000-20250101T115959999Z-{object}-000003.json"
            )
        );
        assert!(load_key("orders", "2025-01-01T12:00:00.000Z", "/in/x.json", 3) < key, "newer");
        assert!(load_key("orders", "2025-01-01T00:00:00.000Z", "/in/x.json", 3) > key, "older");
        for spoiled in ["", "yesterday", "2025-01-01", "2025-01-01T12:00:00Z", "á025-01-01T11:59:59.999Z"] {
            assert!(load_key("p", spoiled, "u", 1).contains("/day=0000-00-00/00000000-"), "{spoiled}");
        }
    }

    #[test]
    fn names_say_which_commit_they_are_about() {
        let object = object_key("/in/x.json");
        let named = Named { pipeline: "p-1", object: &object, generation: 12 };
        let commit = commit_key("p-1", "/in/x.json", 12);
        assert_eq!(named.commit_key(), commit);
        assert_eq!(Named::of_commit(&commit), Some(named));
        assert_eq!(Named::of_load(&load_key("p-1", AT, "/in/x.json", 12)), Some(named));
        assert_eq!(Named::of_load(&load_key("p-1", "", "/in/x.json", 12)), Some(named));
        assert_eq!(Named::of_quarantine(&quarantine_key("p-1", "/in/x.json", 12, "cafe")), Some(named));
        let failures = [failure_key("p-1", "/in/x.json"), lost_key("p-1", "/in/x.json", 12)];
        assert_eq!(named.failure_keys(), failures);
        assert_eq!(number_of_resubmission(&resubmission_key("p-1", "/in/y.json", 12)), Some(12));
        for strange in ["", "_lakegate/commits/p/x.json", "_lakegate/loads/p/d/x.json", "t/x.parquet"] {
            assert_eq!(Named::of_commit(strange).or(Named::of_load(strange)), None, "{strange}");
        }
    }

    #[test]
    fn no_chosen_name_meets_one_of_the_lakes_own() {
        // Whatever a table or a pipeline is called, its keys are told apart from everything else's.
        for name in
            ["commits", "failures", "tables", "loads", "contracts", "lake", "staging", "schema", "raw"]
        {
            assert_eq!(table_of_schema(&schema_key(name)), Some(name));
            let keys = [
                schema_key(name),
                contract_key(name),
                spec_key(name),
                commit_key(name, "u", 1),
                load_key(name, AT, "u", 1),
                rolled_key(name, "2025-01-01"),
                resubmission_key(name, "u", 1),
                Named { pipeline: name, object: "o", generation: 1 }.withdrawn_key(),
                Named { pipeline: name, object: "o", generation: 1 }.void_key(),
                resubmitted_key(name),
                quarantine_key(name, "u", 1, "r"),
                failure_key(name, "u"),
                host_key(name),
                pause_key(name),
                backfill_key(name),
                crawler_key(name),
                shadow_key(name, name, "u", 1),
                raw_key(name),
                upload_key(name),
                upload_bytes_key(name),
                LAKE.to_owned(),
            ];
            let folders: std::collections::BTreeSet<&str> =
                keys.iter().filter_map(|key| key.split('/').nth(1)).collect();
            assert_eq!(folders.len(), keys.len() - 1, "a folder for each kind; uploads have two files");
            assert!(keys.iter().all(|key| is_own(key) && table_of_schema(key).is_none_or(|it| it == name)));
        }
        assert_eq!(table_of_schema("_lakegate/tables/a/b/schema.json"), None);
    }

    #[test]
    fn a_crawler_of_any_name_has_a_key() {
        assert!(crawler_key("sales crawler/1").starts_with("_lakegate/crawler/sales_crawler_1-"));
    }
}
