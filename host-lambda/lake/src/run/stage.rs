//! Stages a job's outputs in the lake: invisible until a commit record names them.
//!
//! Not for publishing. The decision to know: dropped without [`Staging::keep`], everything staged is aborted,
//! so that every way out of a failure cleans up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::keys::quarantine_key;
use crate::lake::{Lake, record_number, sha256, short};
use crate::record::{CommitRecord, PartRecord, QuarantineRecord, SourceRecord};
use crate::run::crash;
use crate::run::lines::{Facts, Lines, of_failed};
use crate::run::pass::Sink;
use crate::storage::{Stage, Staged};
use lakegate_base::time::compact;
use lakegate_base::{Code, Error, Result};
use lakegate_model::Rejections;

/// Names of a run's outputs.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// `<stem>-<modified>-<digest>` of every part file.
    part: String,
    /// Key of the quarantine lines.
    pub(crate) quarantine: String,
    /// The same if the object fails.
    failed: String,
    /// What the host says in each line; `None` where the lines of a record from before are made again.
    facts: Option<Facts>,
}

impl Names {
    /// Two pipelines may write one object into one table: each has names of its own.
    pub(crate) fn new(pipeline: &str, source: &SourceRecord, generation: u32, run: &str) -> Self {
        let (uri, version) = (&source.uri, source.version());
        let identity = sha256(format!("{pipeline}\0{uri}\0{version}\0{generation}").as_bytes());
        let (stem, modified, run) = (&source.stem, compact(source.modified_ms), short(run, 8));
        Self {
            part: format!("{stem}-{modified}-{}", short(&identity, 12)),
            quarantine: quarantine_key(pipeline, uri, generation, run),
            failed: quarantine_key(pipeline, uri, generation, &format!("{run}-failed")),
            facts: Some(Facts::new(pipeline, source, generation)),
        }
    }

    /// Those of a commit that is made again.
    pub(crate) fn of(record: &CommitRecord) -> Self {
        let names = Self::new(&record.pipeline, &record.source, record.generation, &record.run);
        Self { facts: names.facts.filter(|_| !record.id.is_empty()), ..names }
    }

    /// What runs that were killed may have left staged of a version of an object, up to a generation: one name of each
    /// table, and the quarantine's, as large as the object.
    pub(crate) fn left(pipeline: &str, source: &SourceRecord, last: u32, tables: &[&str]) -> Vec<Staged> {
        let mut left = Vec::new();
        for generation in 1..=last {
            let names = Self::new(pipeline, source, generation, "");
            let parts = tables.iter().map(|table| format!("{table}/{}-0.parquet", names.part));
            let keys = parts.chain([names.quarantine.clone()]);
            left.extend(keys.map(|key| Staged { key, bytes: source.bytes, ..Staged::default() }));
        }
        left
    }
}

struct Open {
    record: PartRecord,
    stage: Box<dyn Stage>,
}

struct Quarantine {
    stage: Box<dyn Stage>,
    lines: Lines,
    hash: Sha256,
    records: u64,
    bytes: u64,
}

/// A sink that stages.
pub(crate) struct Staging<'a> {
    lake: &'a Lake,
    names: Names,
    open: BTreeMap<u32, Open>,
    closed: BTreeMap<u32, PartRecord>,
    quarantine: Option<Quarantine>,
    finished_quarantine: Option<QuarantineRecord>,
    /// Numbers of the rejected records.
    rejected: BTreeSet<u64>,
    /// Why, in few words.
    rejections: Rejections,
}

impl<'a> Staging<'a> {
    pub(crate) fn new(lake: &'a Lake, names: Names) -> Self {
        Self {
            lake,
            names,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            quarantine: None,
            finished_quarantine: None,
            rejected: BTreeSet::new(),
            rejections: Rejections::default(),
        }
    }

    /// Ends the quarantine; the part files in order. They stay this staging's until `keep`.
    pub(crate) fn finish(&mut self) -> Result<(Vec<PartRecord>, Option<QuarantineRecord>)> {
        if let Some(quarantine) = self.quarantine.take() {
            self.rejections = quarantine.lines.rejections().clone();
            let staged = quarantine.stage.finish()?;
            self.finished_quarantine = Some(QuarantineRecord {
                key: staged.key.clone(),
                records: quarantine.records,
                bytes: quarantine.bytes,
                digest: hex::encode(quarantine.hash.finalize()),
                staged,
            });
        }
        Ok((self.closed.values().cloned().collect(), self.finished_quarantine.clone()))
    }

    /// Numbers of the records in quarantine so far.
    pub(crate) fn rejected(&self) -> &BTreeSet<u64> {
        &self.rejected
    }

    /// Why records were rejected so far.
    pub(crate) fn rejections(&self) -> &Rejections {
        self.quarantine.as_ref().map_or(&self.rejections, |quarantine| quarantine.lines.rejections())
    }

    /// A commit record names them now: they are no longer this staging's to abort.
    pub(crate) fn keep(&mut self) {
        self.closed.clear();
        self.finished_quarantine = None;
    }

    /// Publishes the quarantine of an object that failed, for looking at it; its key, if there is any.
    pub(crate) fn publish_failed(&mut self) -> Result<Option<String>> {
        let (_, Some(kept)) = self.finish()? else { return Ok(None) };
        let storage = self.lake.storage();
        storage.publish(&kept.staged)?;
        self.finished_quarantine = None;
        let said = of_failed(storage, &kept.key, &self.names.failed);
        let gone = self.lake.cleaning_up().storage().delete(&kept.key);
        said?;
        gone?;
        Ok(Some(self.names.failed.clone()))
    }

    /// The id of the run.
    pub(crate) fn id(&self) -> String {
        self.names.facts.as_ref().map(|facts| facts.id.clone()).unwrap_or_default()
    }
}

impl Sink for Staging<'_> {
    fn opened(&mut self, id: u32, table: String, partition: String) -> Result<()> {
        let key = format!("{table}/{partition}{}-{id}.parquet", self.names.part);
        let stage = self.lake.storage().stage(&key)?;
        let record = PartRecord { key, table, partition, ..PartRecord::default() };
        self.open.insert(id, Open { record, stage });
        Ok(())
    }

    fn bytes(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        let open = self.open.get_mut(&id).ok_or_else(|| not_open(id))?;
        open.stage.write(bytes)?;
        crash::point("mid-stage");
        Ok(())
    }

    fn closed(&mut self, id: u32, rows: u64, bytes: u64, digest: String) -> Result<()> {
        let Open { record, stage } = self.open.remove(&id).ok_or_else(|| not_open(id))?;
        let staged = stage.finish()?;
        self.closed.insert(id, PartRecord { rows, bytes, digest, staged, ..record });
        Ok(())
    }

    fn quarantine(&mut self, lines: &[u8]) -> Result<()> {
        let quarantine = match &mut self.quarantine {
            Some(quarantine) => quarantine,
            none => {
                let stage = self.lake.storage().stage(&self.names.quarantine)?;
                let lines = Lines::new(self.names.facts.clone());
                none.insert(Quarantine { stage, lines, hash: Sha256::new(), records: 0, bytes: 0 })
            }
        };
        let kept = quarantine.lines.take(lines)?;
        quarantine.stage.write(&kept)?;
        quarantine.hash.update(&kept);
        quarantine.records += kept.iter().filter(|&&byte| byte == b'\n').count() as u64;
        quarantine.bytes += kept.len() as u64;
        self.rejected.extend(kept.split(|&byte| byte == b'\n').filter_map(record_number));
        Ok(())
    }

    fn reset(&mut self) {
        self.open.clear();
        self.quarantine = None;
        self.rejected.clear();
        self.rejections = Rejections::default();
        let parts = std::mem::take(&mut self.closed).into_values().map(|part| part.staged);
        let quarantine = self.finished_quarantine.take().map(|quarantine| quarantine.staged);
        let tokens: Vec<String> = parts.chain(quarantine).map(|Staged { token, .. }| token).collect();
        if tokens.is_empty() {
            return;
        }
        // Time may be up for anything else.
        let lake = self.lake.cleaning_up();
        for token in tokens {
            // What cannot be removed now is found as a left-over later.
            let _gone = lake.storage().abort(&token);
        }
    }
}

/// The ledger refuses such a step before it comes here.
fn not_open(id: u32) -> Error {
    Error::new(Code::Invariant, format!("part {id} is not open"))
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        self.reset();
    }
}

/// Names an attempt: unique enough that two at one object at once never share one.
pub(crate) fn attempt_of(uri: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let text = format!("{uri} {} {count} {}", std::process::id(), clock.as_nanos());
    sha256(text.as_bytes())[..32].to_string()
}
