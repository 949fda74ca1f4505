//! What was made of one or more source objects, as text and as JSON.
//!
//! For: `run`, `quarantine resubmit` and `contract change`. Not for: making it. The decision to know: sums
//! count what happened in this call; a source for which there was nothing to do is listed with the
//! report of its commit but adds nothing to the sums.

mod text;

use crate::show::alike::Alike;
use crate::show::contract_view::{Change, ContractView};
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::reasons::Reasons;
use crate::show::render::Screen;
use lakegate_base::Error;
use lakegate_lake::lake::Lake;
use lakegate_lake::record::ReleaseRecord;
use lakegate_lake::run;
use lakegate_lake::run::{Learned, State};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Sums of one table.
#[derive(Clone, Debug, Default)]
struct Table {
    /// Records that rows of it were made of.
    records: u64,
    rows_made: u64,
    rows_out: u64,
    filtered: u64,
    files: u64,
    bytes: u64,
}

/// What came of the sources so far.
pub struct Made {
    lake: PathBuf,
    before: BTreeMap<String, ContractView>,
    tables: BTreeMap<String, Table>,
    /// Met, accepted, rejected, rescued.
    records: [u64; 4],
    rejects: BTreeMap<String, u64>,
    /// Of sources that were taken.
    reasons: Reasons,
    /// Of sources that failed.
    failed_for: Reasons,
    /// By code and message.
    warnings: BTreeMap<(String, String), Noticed>,
    checks: BTreeMap<(String, String, String), u64>,
    specs: BTreeSet<String>,
    /// Which made how many sources: more than one where one took over meanwhile, or a canary has its share.
    releases: BTreeMap<String, u64>,
    sources: Vec<Value>,
    one: Option<One>,
    unchanged: usize,
    /// Records in quarantine of sources that were left alone.
    unchanged_rejected: u64,
    /// Tables that were learned from a folder, with what it is called.
    learned: Vec<(String, String, Learned)>,
    problems: Vec<(String, Error)>,
    alike: Alike,
}

/// How often something was noticed, and where.
#[derive(Clone, Debug, Default)]
struct Noticed {
    times: u64,
    sources: u64,
    first: String,
}

/// What only the summary of a lone source tells.
struct One {
    name: String,
    state: State,
    generation: u32,
    passes: u8,
    format: String,
    committed: String,
}

impl Made {
    /// Nothing yet, in the lake at `lake` with the contracts as they are `before`.
    pub fn new(lake: &Path, before: BTreeMap<String, ContractView>) -> Self {
        Self {
            lake: lake.to_owned(),
            before,
            tables: BTreeMap::new(),
            records: [0; 4],
            rejects: BTreeMap::new(),
            reasons: Reasons::default(),
            failed_for: Reasons::default(),
            warnings: BTreeMap::new(),
            checks: BTreeMap::new(),
            specs: BTreeSet::new(),
            releases: BTreeMap::new(),
            sources: Vec::new(),
            one: None,
            unchanged: 0,
            unchanged_rejected: 0,
            learned: Vec::new(),
            problems: Vec::new(),
            alike: Alike::default(),
        }
    }

    /// Adds what came of the source `name`.
    pub fn add(&mut self, name: &str, uri: &str, outcome: &run::Outcome) {
        let (commit, report) = (&outcome.commit, &outcome.report);
        self.sources.push(source_json(name, uri, outcome));
        self.one = Some(One {
            name: name.to_owned(),
            generation: commit.generation,
            passes: outcome.passes,
            format: match &*report.compression {
                "none" | "" => report.format.to_string(),
                compression => format!("{} in {compression}", report.format),
            },
            committed: commit.committed.clone(),
            state: outcome.state,
        });
        self.specs.insert(commit.spec.clone());
        for table in &report.tables {
            let sums = self.tables.entry(table.table.clone()).or_default();
            if matches!(self.one, Some(One { state: State::NothingToDo | State::Superseded, .. })) {
                continue;
            }
            sums.records += report.accepted;
            sums.rows_made += table.rows_made;
            sums.rows_out += table.rows_out;
            sums.filtered += table.filtered;
        }
        if matches!(self.one, Some(One { state: State::NothingToDo | State::Superseded, .. })) {
            self.unchanged += 1;
            self.unchanged_rejected += report.rejected;
            return;
        }
        if let Some(release) = &commit.release {
            *self.releases.entry(release.shown()).or_default() += 1;
        }
        for part in &commit.parts {
            let sums = self.tables.entry(part.table.clone()).or_default();
            sums.files += 1;
            sums.bytes += part.bytes;
        }
        let counts = [report.records, report.accepted, report.rejected, report.rescued];
        for (sum, more) in self.records.iter_mut().zip(counts) {
            *sum += more;
        }
        self.reasons.add(name, &outcome.rejected);
        for (code, records) in &report.rejects {
            let all = self.rejects.entry(code.to_string()).or_default();
            *all += records;
            // One that was completed for another has its counts alone.
            self.reasons.count(code, *all);
        }
        for warning in &report.warnings {
            self.notice(name, &warning.code, &warning.message, warning.count);
        }
        for warning in &outcome.warnings {
            self.notice(name, "host", warning, 1);
        }
        for check in &report.checks {
            let key = (check.table.clone(), check.check.clone(), check.on_fail.to_string());
            *self.checks.entry(key).or_default() += check.failed;
        }
    }

    /// Adds what a folder taught before its files were taken.
    pub fn learned(&mut self, table: &str, folder: &str, learned: Learned) {
        for warning in &learned.warnings {
            self.notice(folder, &warning.code, &warning.message, warning.count);
        }
        self.learned.push((table.to_owned(), folder.to_owned(), learned));
    }

    fn notice(&mut self, source: &str, code: &str, message: &str, times: u64) {
        let noticed = self.warnings.entry((code.to_owned(), message.to_owned())).or_default();
        noticed.times += times;
        noticed.sources += 1;
        if noticed.first.is_empty() {
            source.clone_into(&mut noticed.first);
        }
    }

    /// Adds a source that failed; whether none failed alike before.
    pub fn failed(&mut self, name: &str, problem: Error) -> bool {
        let first = self.alike.add(name, problem.name(), problem.message(), problem.hint());
        if let Some(rejected) = problem.rejected() {
            self.failed_for.add(name, rejected);
        }
        self.sources.push(json!({ "name": name, "state": "failed", "error": problem::json(&problem) }));
        self.problems.push((name.to_owned(), problem));
        first
    }

    /// How many failed like one that was told as it happened.
    pub fn failed_alike(&self, screen: Screen) -> String {
        self.alike.rest(screen)
    }

    /// The answer. `stems` says that each file's stem named its table.
    ///
    /// # Errors
    /// The contracts cannot be read back.
    pub fn finish(
        self,
        lake: &Lake,
        component: &str,
        took: Duration,
        stems: bool,
        screen: Screen,
    ) -> Outcome {
        let mut live = BTreeMap::new();
        for table in self.tables.keys() {
            if let Some(contract) = lake.contract(table)? {
                let view = ContractView::parse(&contract.text)?;
                let changes = self.before.get(table).map(|before| view.changes(before));
                live.insert(table.clone(), Live { digest: contract.digest, view, changes });
            }
        }
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let exit = match () {
            () if !self.problems.is_empty() => Exit::Failed,
            () if self.records[2] + self.unchanged_rejected > 0 => Exit::Rejected,
            () => Exit::Done,
        };
        let mut drift = self.reasons.clone();
        drift.join(&self.failed_for);
        drift.known_in(lake);
        let flag = lake_flag(&self.lake);
        let text = self.text(&live, milliseconds, stems, &drift.drift(&flag, screen), screen);
        let drift = drift.drift_json(&flag);
        Ok(Answer { text, json: self.json(&live, component, milliseconds, &drift), exit })
    }

    fn json(
        &self,
        live: &BTreeMap<String, Live>,
        component: &str,
        milliseconds: u64,
        drift: &Value,
    ) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|(name, sums)| {
                let live = live.get(name);
                json!({
                    "table": name, "rows_made": sums.rows_made, "rows_out": sums.rows_out,
                    "filtered": sums.filtered, "files": sums.files, "bytes": sums.bytes,
                    "contract": live.map(|live| &live.digest),
                    "contract_is_new": live.is_some_and(|live| live.changes.is_none()),
                    "contract_changes": live.and_then(|live| live.changes.as_ref()).map(|changes| changes_json(changes)),
                    "query": live.map(|live| live.view.query(&table_folder(&self.lake, name))),
                })
            })
            .collect();
        let warnings: Vec<Value> = self
            .warnings
            .iter()
            .map(|((code, message), noticed)| {
                json!({"code": code, "message": message, "count": noticed.times, "sources": noticed.sources})
            })
            .collect();
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|((table, check, on_fail), failed)| {
                json!({"table": table, "check": check, "on_fail": on_fail, "failed": failed})
            })
            .collect();
        let mut object = json!({
            "records": self.records[0], "accepted": self.records[1], "rejected": self.records[2],
            "rescued": self.records[3],
            "tables": tables, "rejects": self.rejects, "reasons": self.reasons.reasons_json(),
            "drift": drift, "warnings": warnings, "checks": checks,
            "unchanged": self.unchanged, "failed": self.problems.len(), "component": component,
            "specs": self.specs, "sources": self.sources, "milliseconds": milliseconds,
        });
        if let Some(object) = object.as_object_mut().filter(|_| !self.learned.is_empty()) {
            object.insert("learned_together".to_owned(), self.learned.iter().map(learned_json).collect());
        }
        if let (Some(object), Some((_, problem))) = (object.as_object_mut(), self.problems.first()) {
            object.insert("error".to_owned(), problem::json(problem));
        }
        object
    }
}

/// A table's contract after the run.
struct Live {
    digest: String,
    view: ContractView,
    /// `None`: there was none before.
    changes: Option<Vec<Change>>,
}

fn learned_json((table, folder, learned): &(String, String, Learned)) -> Value {
    let Learned { files, bytes, records, failed, .. } = learned;
    json!({
        "table": table, "folder": folder, "files": files[0], "looked_at": files[1], "of_files": files[2],
        "bytes": bytes[0], "of_bytes": bytes[1], "records": records[0], "rejected": records[1], "failed": failed,
        "sampled": files[1] < files[2],
    })
}

/// Changes as JSON.
pub fn changes_json(changes: &[Change]) -> Value {
    changes
        .iter()
        .map(|change| {
            json!({"what": change.what, "column": change.column, "before": change.before, "after": change.after})
        })
        .collect()
}

/// ` --lake DIR` for a command line that is proposed, empty for the default lake.
pub fn lake_flag(lake: &Path) -> String {
    if lake == Path::new("lake") {
        String::new()
    } else {
        format!(" --lake {}", quoted(&lake.display().to_string()))
    }
}

/// A word of a command line, in quotes where a shell would make several of it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:@%+=,-~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn source_json(name: &str, uri: &str, outcome: &run::Outcome) -> Value {
    let commit = &outcome.commit;
    let contracts: Map<String, Value> = commit
        .contracts
        .iter()
        .map(|(table, digest)| (table.clone(), Value::from(digest.as_str())))
        .collect();
    let parts: Vec<Value> = commit
        .parts
        .iter()
        .map(|part| json!({"key": part.key, "table": part.table, "rows": part.rows, "bytes": part.bytes, "digest": part.digest}))
        .collect();
    json!({
        "name": name, "uri": uri, "state": state_name(&outcome.state), "generation": commit.generation,
        "records": outcome.report.records, "accepted": outcome.report.accepted, "rejected": outcome.report.rejected,
        "input": commit.source.digest, "component": commit.component, "spec": commit.spec, "contracts": contracts,
        "release": commit.release.as_ref().map(ReleaseRecord::id),
        "document": commit.release.as_ref().and_then(|release| release.sequence),
        "parts": parts, "passes": outcome.passes, "comparable": outcome.report.comparable,
        "milliseconds": outcome.milliseconds, "reasons": outcome.rejected.reasons, "drift": outcome.rejected.drift,
    })
}

/// Name of a state in JSON.
pub fn state_name(state: &State) -> &'static str {
    match state {
        State::Made => "made",
        State::Replaced => "replaced",
        State::RolledForward => "rolled_forward",
        State::NothingToDo => "nothing_to_do",
        State::Superseded => "superseded",
    }
}

/// The folder of `table` as the person would write it: `lake/orders`.
pub fn table_folder(lake: &Path, table: &str) -> String {
    let lake = lake.strip_prefix(".").unwrap_or(lake);
    lake.join(table).display().to_string()
}

#[cfg(test)]
#[path = "made_tests.rs"]
mod tests;
