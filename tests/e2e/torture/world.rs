//! A lake in a simulated bucket, and what can be done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::operate::change::change_type;
use lakegate_lake::operate::fsck::fsck;
use lakegate_lake::operate::quarantine::{Fixed, resubmit};
use lakegate_lake::operate::retract;
use lakegate_lake::record::{CommitRecord, SourceRecord};
use lakegate_lake::run::{self, Plan};
use lakegate_lake::source::Source;
use lakegate_lake::storage::{LocalFolder, Storage};
use lakegate_lake::{Sequencer, keys};
use lakegate_sandbox::Transform;
use lakegate_tests::rows;
use lakegate_tests::simulated::{Bucket, Process};

use super::plain::mended_id;

const PIPELINE: &str = "p";
/// Takes the same objects into the same table.
const BESIDE: &str = "q";
pub const TABLE: &str = "t";

/// Something that is done to the lake by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// The event of a version of an object.
    Load { key: u8, version: u8 },
    /// The same event in another pipeline.
    Beside { key: u8, version: u8 },
    /// The bucket of raw files loses a version: it keeps one of a key.
    Overwrite { key: u8, version: u8 },
    /// A person makes a version again.
    Again { key: u8, version: u8 },
    /// An object is taken out of the tables.
    Retract { key: u8 },
    /// The type of column `n` is changed.
    Change,
    /// The rejected records of an object are submitted again, mended in the way of this number.
    Resubmit { key: u8, mended: u8 },
    /// The lake is looked through and mended.
    Fsck,
}

impl Op {
    /// Whether it is delivered until it succeeds; the others are given again by a person who was told no.
    pub fn is_event(self) -> bool {
        matches!(self, Self::Load { .. } | Self::Beside { .. })
    }
}

/// Where everything is. Copies share raw files and transform, and have buckets of their own.
pub struct World<'a> {
    pub transform: &'a Transform,
    pub bucket: Bucket,
    /// What is staged waits in memory, not in uploads.
    pub small: bool,
    /// The bucket of raw files keeps one version of a key: these are gone.
    overwritten: Arc<Mutex<BTreeSet<String>>>,
    plan: Plan,
    raw: Arc<tempfile::TempDir>,
}

/// A version's place among the raw files.
fn file(key: u8, version: u8) -> String {
    format!("{key}/{version}.json")
}

fn uri(key: u8) -> String {
    format!("s3://raw/{key}.json")
}

struct Raw {
    folder: PathBuf,
    overwritten: Arc<Mutex<BTreeSet<String>>>,
}

impl Raw {
    fn source(&self, key: u8, version: u8) -> Result<Source> {
        let name = file(key, version);
        let gone = || Error::new(Code::SourceGone, format!("{name} was overwritten"));
        if self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            return Err(gone());
        }
        let raw: Arc<dyn Storage> = Arc::new(LocalFolder::new(&self.folder)?);
        let facts = raw.stat(&name)?.ok_or_else(gone)?;
        Ok(Source::object(raw, uri(key), facts))
    }
}

impl Surroundings for Raw {
    fn published(
        &self,
        _lake: &Lake,
        _record: &CommitRecord,
        _registered: serde_json::Value,
    ) -> Result<serde_json::Value> {
        Ok(serde_json::Value::Null)
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        for (key, version) in (0..9u8).flat_map(|key| (0..9u8).map(move |version| (key, version))) {
            if let Ok(source) = Self::source(self, key, version)
                && source.uri() == record.uri
                && source.version() == record.version
            {
                return Ok(source);
            }
        }
        Err(Error::new(Code::SourceGone, format!("{} is gone", record.uri)))
    }
}

/// What a reader and an operator see of a lake, as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    rows: Vec<String>,
    /// Rejected records that are open.
    open: Vec<String>,
}

impl Seen {
    /// As the plain model says it.
    pub fn plainly(&self) -> (Vec<String>, usize) {
        let id = |row: &String| {
            let (_, rest) = row.split_once("id=\"").unwrap_or_else(|| panic!("{row} has no id"));
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let mut ids: Vec<String> = self.rows.iter().map(id).collect();
        ids.sort();
        (ids, self.open.len())
    }
}

impl<'a> World<'a> {
    pub fn new(transform: &'a Transform, small: bool, append: bool) -> Self {
        let on_reupload = if append { "append" } else { "replace" };
        let spec = format!(
            "[output]\non_reupload = \"{on_reupload}\"\n[[table]]\nname = \"{TABLE}\"\npartition_by = [\"day\"]\n\
             [[table.check]]\nname = \"small\"\nsql = \"n < 100\"\non_fail = \"reject\"\n"
        );
        let raw = tempfile::tempdir().unwrap();
        for (key, version) in [0u8, 1].into_iter().flat_map(|key| [1u8, 2, 3].map(|version| (key, version))) {
            let path = raw.path().join(file(key, version));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let id = |letter: char| format!("{key}-{version}-{letter}");
            let more = if version == 3 { ",\"more\":true" } else { "" };
            let record = |letter: char, n: u32, day: &str| {
                format!("{{\"id\":\"{}\",\"n\":{n},\"day\":\"{day}\"{more}}}", id(letter))
            };
            let text =
                format!("[{},{},{}]", record('a', 1, "x"), record('b', 2, "y"), record('c', 1000, "x"));
            fs::write(path, text).unwrap();
        }
        let plan = Plan::new(spec, None).unwrap().deployed(PIPELINE);
        let bucket = Bucket::default();
        Self { transform, bucket, small, overwritten: Arc::default(), plan, raw: Arc::new(raw) }
    }

    /// The same state in a bucket of its own.
    pub fn copied(&self) -> Self {
        let overwritten = self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            transform: self.transform,
            bucket: self.bucket.copied(),
            small: self.small,
            overwritten: Arc::new(Mutex::new(overwritten)),
            plan: self.plan.clone(),
            raw: self.raw.clone(),
        }
    }

    /// A version is gone from the bucket of raw files, which keeps one of a key.
    pub fn overwrite(&self, key: u8, version: u8) {
        self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).insert(file(key, version));
    }

    fn raw(&self) -> Raw {
        Raw { folder: self.raw.path().to_owned(), overwritten: self.overwritten.clone() }
    }

    pub fn lake(&self, storage: Process) -> Lake {
        Lake::over(Arc::new(storage)).within(Arc::new(self.raw())).impatient()
    }

    /// Does one thing as one process.
    pub fn act(&self, op: Op, storage: Process) -> Result<()> {
        let lake = self.lake(storage);
        match op {
            Op::Load { key, version } | Op::Beside { key, version } => {
                // An event whose version is gone is answered without a look at the lake.
                let Ok(source) = self.raw().source(key, version) else { return Ok(()) };
                let source = source.arrived(Some(0), Sequencer::parse(&format!("{version:04X}")));
                let pipeline = if matches!(op, Op::Load { .. }) { PIPELINE } else { BESIDE };
                let plan = self.plan.clone().deployed(pipeline);
                run::run(&lake, self.transform, &source, &plan, &mut |_| {}).map(|_| ())
            }
            Op::Overwrite { key, version } => {
                // Takes its turn as all others do.
                lake.storage().stat("raw")?;
                self.overwrite(key, version);
                Ok(())
            }
            Op::Again { key, version } => {
                let source = self.raw().source(key, version)?;
                let source = source.arrived(Some(0), Sequencer::parse(&format!("{version:04X}")));
                let mut plan = self.plan.clone();
                plan.rerun = true;
                run::run(&lake, self.transform, &source, &plan, &mut |_| {}).map(|_| ())
            }
            Op::Retract { key } => retract(&lake, PIPELINE, &uri(key)).map(|_| ()),
            Op::Change => {
                change_type(&lake, self.transform, TABLE, "n", "double", None, &mut |_| {}).map(|_| ())
            }
            Op::Resubmit { key, mended } => {
                let path = self.raw.path().join(format!("mended-{key}-{mended}.json"));
                // Nobody but a resubmission of this key and number writes it, and always the same.
                let id = mended_id(key, mended);
                fs::write(&path, format!("[{{\"id\":\"{id}\",\"n\":3,\"day\":\"z\"}}]\n"))
                    .map_err(|error| Error::io("a mended file", error))?;
                let from = uri(key);
                let select = |entry: &lakegate_lake::operate::quarantine::Quarantined| entry.source == from;
                let fixed = Fixed::File(path);
                resubmit(&lake, self.transform, TABLE, None, &select, fixed, &mut |_| {}).map(|_| ())
            }
            Op::Fsck => fsck(&lake, Some(self.transform), true).map(|_| ()),
        }
    }

    /// What is there to be seen.
    pub fn seen(&self) -> Result<Seen> {
        let mut rows = Vec::new();
        for (key, bytes) in self.bucket.objects() {
            if keys::is_own(&key) || !key.ends_with(".parquet") {
                continue;
            }
            let part = rows::read(&bytes)
                .map_err(|error| Error::new(Code::LakeDamaged, format!("{key}: {error:#}")))?;
            let named: Vec<&String> = part.schema.iter().map(|(name, _)| name).collect();
            let partition = key.rsplit_once('/').map_or("", |(folder, _)| folder);
            for row in &part.rows {
                let cells = named.iter().zip(row).filter(|(_, cell)| *cell != "null");
                let cells: Vec<String> = cells.map(|(name, cell)| format!("{name}={cell}")).collect();
                rows.push(format!("{partition} {}", cells.join(" ")));
            }
        }
        rows.sort();
        let lake = self.lake(Process::new(&self.bucket, self.small));
        let quarantined = lake.quarantine(TABLE)?;
        let open = quarantined.iter().filter(|entry| entry.resolved_by.is_none());
        let mut open: Vec<String> =
            open.map(|entry| format!("{} {}", entry.source, entry.line.record)).collect();
        open.sort();
        Ok(Seen { rows, open })
    }

    /// Names of the failures on record.
    pub fn lost(&self) -> Vec<String> {
        let failures = self.lake(Process::new(&self.bucket, self.small)).failures().unwrap();
        failures.into_iter().map(|failed| failed.code).collect()
    }

    /// What is not in order, whatever was done: nothing is to be left. `uploads_by_age`: a contract change failed,
    /// whose staged replays may be of versions that nobody makes again; their uploads go by their age.
    pub fn disorder(&self, uploads_by_age: bool) -> Result<Vec<String>> {
        let lake = self.lake(Process::new(&self.bucket, self.small));
        let found = fsck(&lake, Some(self.transform), false)?;
        // What is staged is told by key below.
        let wrong = found.iter().filter(|finding| finding.code != "staging_left_over");
        let mut said: Vec<String> =
            wrong.map(|finding| format!("{}: {}", finding.code, finding.what)).collect();
        // A person who is told that nothing is left to resubmit gives the command no more: its uploads go by their age.
        let resubmitted: Vec<String> =
            self.bucket.open_uploads().into_iter().filter(|key| key.contains("resubmitted")).collect();
        let objects = lake.commits()?.into_iter().map(|state| keys::object_key(&state.record.source.uri));
        let objects: BTreeSet<String> = objects.collect();
        let of_object = |key: &String| objects.iter().any(|object| key.contains(object.as_str()));
        let open = self.bucket.open_uploads().into_iter();
        let open = open.filter(|_| !uploads_by_age);
        let open = open.filter(|key| !resubmitted.contains(key) && (!keys::is_own(key) || of_object(key)));
        said.extend(open.map(|key| format!("open upload: {key}")));
        let mut generations: BTreeMap<(String, String), Vec<u32>> = BTreeMap::new();
        let append = self.plan.append;
        for state in lake.commits()?.into_iter().filter(|state| state.current && !append) {
            let (pipeline, uri) = (state.record.pipeline.clone(), state.record.source.uri.clone());
            generations.entry((pipeline, uri)).or_default().push(state.record.generation);
        }
        let several = generations.into_iter().filter(|(_, all)| all.len() > 1);
        said.extend(
            several.map(|((_, uri), all)| format!("{uri} has several generations that count: {all:?}")),
        );
        Ok(said)
    }
}
