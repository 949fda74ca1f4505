//! Rejected records: listing them, and submitting them again once they are mended.
//!
//! Not for making quarantine lines: the transform does. The decision to know: records that are submitted again
//! are a source object of their own, kept in the lake, whose commit names the lines it resolves. So they are
//! committed exactly once like any other, and can be replayed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use toml::{Table, Value};

use crate::keys::{self, Named, resubmitted_key};
use crate::lake::{Lake, sha256, to_json};
use crate::operate::{masked, settled};
use crate::record::{CommitRecord, CommitState, Resolved};
use crate::run::commit::source_of;
use crate::run::{Cause, Outcome, Plan, Progress, run_because};
use crate::source::Source;
use lakegate_base::{Code, Error, Result};
use lakegate_model::QuarantineLine;
use lakegate_sandbox::Transform;

/// A rejected record of a generation that counts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Quarantined {
    /// Id of the run that rejected it.
    pub run_id: String,
    /// Key of the commit record.
    pub commit_key: String,
    /// Its pipeline.
    pub pipeline: String,
    /// URI of the source object.
    pub source: String,
    /// Generation of it.
    pub generation: u32,
    /// The line.
    pub line: QuarantineLine<'static>,
    /// Key of the commit that submitted it again.
    pub resolved_by: Option<String>,
}

/// What is submitted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// The records as they came: for a mended spec or contract.
    Raw,
    /// A file with the mended records, in the shape of the original source.
    File(PathBuf),
}

/// Rejected records of some source objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantinePage {
    /// In the order of their files, resolved ones too.
    pub records: Vec<Quarantined>,
    /// Where each of them is: what the page after it begins with.
    pub places: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Lake {
    /// Rejected records of a table (or of all tables of the pipeline that it names; of all tables where none is
    /// named), resolved ones too: looks into at most `objects` files of them. A page may be short, even empty, and
    /// still have a next one: files of other tables, and of objects that failed, are looked into as well.
    ///
    /// # Errors
    /// The cursor is none; the storage's; or a damaged lake.
    pub fn quarantine_page(
        &self,
        table: Option<&str>,
        after: Option<&str>,
        objects: usize,
    ) -> Result<QuarantinePage> {
        let mut page = QuarantinePage::default();
        let (start, number) = match after {
            None => (None, 0),
            Some(text) => {
                let place =
                    text.rsplit_once('/').and_then(|(file, number)| Some((file, number.parse().ok()?)));
                let (file, number): (&str, u64) =
                    place.filter(|(file, _)| file.contains('/')).ok_or_else(|| {
                        Error::new(Code::CursorUnknown, format!("`{text}` is no place in the quarantine"))
                            .with_hint("give what the page before says as `next`")
                    })?;
                // The name without its extension comes right before the name, so that the rest of it is read.
                let start = if number == u64::MAX { file } else { file.trim_end_matches(".jsonl") };
                (Some(format!("{}{start}", keys::QUARANTINE)), number)
            }
        };
        let listed = self.storage().list_page(keys::QUARANTINE, start.as_deref(), objects)?;
        for facts in &listed.found {
            let Some(inside) = facts.key.strip_prefix(keys::QUARANTINE) else { continue };
            let first = start.as_ref().is_some_and(|start| facts.key.starts_with(start.as_str()));
            for entry in self.quarantined_in(&facts.key, table)? {
                if !first || entry.line.record > number {
                    page.places.push(format!("{inside}/{}", entry.line.record));
                    page.records.push(entry);
                }
            }
        }
        let last = listed.found.last().filter(|_| listed.more);
        let last = last.and_then(|facts| facts.key.strip_prefix(keys::QUARANTINE));
        page.next = last.map(|inside| format!("{inside}/{}", u64::MAX));
        Ok(page)
    }

    /// The records in a file of a quarantine; none if it is a failure's, or was replaced.
    fn quarantined_in(&self, key: &str, table: Option<&str>) -> Result<Vec<Quarantined>> {
        let Some(named) = Named::of_quarantine(key) else { return Ok(Vec::new()) };
        let prefix = keys::commits_prefix(named.pipeline, named.object);
        let states = self.commits_below(&prefix)?;
        let holds = |state: &&CommitState| {
            state.current && state.record.quarantine.as_ref().is_some_and(|kept| kept.key == key)
        };
        let Some(state) = states.iter().find(holds) else { return Ok(Vec::new()) };
        let record = &state.record;
        let whole = table.is_none_or(|table| record.pipeline == table);
        let here = whole || table.is_some_and(|table| record.contracts.contains_key(table));
        if !here {
            return Ok(Vec::new());
        }
        let Some(text) = self.storage().get(key)? else { return Ok(Vec::new()) };
        let mended = self.resubmissions_of(&record.pipeline, &record.source.uri)?;
        let by = |line: u64| {
            let here = |resolved: &Resolved| {
                resolved.source == record.source.uri
                    && resolved.digest == record.source.digest
                    && resolved.records.binary_search(&line).is_ok()
            };
            let by = mended.iter().rev().find(|state| state.record.resolves.iter().any(here));
            by.map(|state| state.key.clone())
        };
        lines(state, key, &text.bytes, table.filter(|_| !whole), &by)
    }

    /// Rejected records of a table (or of all tables of the pipeline that it names), resolved ones too.
    ///
    /// # Errors
    /// The storage's, or a damaged lake.
    pub fn quarantine(&self, table: &str) -> Result<Vec<Quarantined>> {
        self.quarantine_of(&self.commits()?, table)
    }

    /// The same, of commits that were read already.
    fn quarantine_of(&self, states: &[CommitState], table: &str) -> Result<Vec<Quarantined>> {
        let mut resolved: BTreeMap<(&str, &str, u64), &str> = BTreeMap::new();
        for state in states.iter().filter(|state| state.current) {
            for mended in &state.record.resolves {
                for record in &mended.records {
                    resolved.insert((&mended.source, &mended.digest, *record), &state.key);
                }
            }
        }
        let mut found = Vec::new();
        for state in states.iter().filter(|state| state.current) {
            let record = &state.record;
            let whole = record.pipeline == table;
            let here = whole || record.contracts.contains_key(table);
            let Some(kept) = record.quarantine.as_ref().filter(|_| here) else { continue };
            let Some(text) = self.storage().get(&kept.key)? else {
                let what = format!("{} is missing", kept.key);
                return Err(
                    Error::new(Code::QuarantineMissing, what).with_hint("`lakegate fsck` makes it again")
                );
            };
            let by = |line: u64| {
                let source = (record.source.uri.as_str(), record.source.digest.as_str(), line);
                resolved.get(&source).map(|key| (*key).to_string())
            };
            found.extend(lines(state, &kept.key, &text.bytes, Some(table).filter(|_| !whole), &by)?);
        }
        Ok(found)
    }
}

/// The lines of a quarantine, of one table where one is named.
fn lines(
    state: &CommitState,
    key: &str,
    text: &[u8],
    table: Option<&str>,
    resolved_by: &dyn Fn(u64) -> Option<String>,
) -> Result<Vec<Quarantined>> {
    let mut found = Vec::new();
    for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let line: QuarantineLine<'static> = serde_json::from_slice(line)
            .map_err(|error| Error::new(Code::LakeDamaged, format!("{key} cannot be read: {error}")))?;
        if table.is_some() && line.table.is_some() && line.table.as_deref() != table {
            continue;
        }
        found.push(Quarantined {
            run_id: state.record.run_id().to_string(),
            commit_key: state.key.clone(),
            pipeline: state.record.pipeline.clone(),
            source: state.record.source.uri.clone(),
            generation: state.record.generation,
            resolved_by: resolved_by(line.record),
            line,
        });
    }
    Ok(found)
}

/// Submits rejected records again: those that `select` picks and that are not resolved yet.
///
/// # Errors
/// Nothing is picked; records were cut short and no file is given; or as [`run`](crate::run::run()), and then the
/// records stay open.
pub fn resubmit(
    lake: &Lake,
    transform: &Transform,
    table: &str,
    spec: Option<&str>,
    select: &dyn Fn(&Quarantined) -> bool,
    fixed: Fixed,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome> {
    let mut picked = lake.quarantine_of(&settled(lake, transform, table)?, table)?;
    picked.retain(|entry| entry.resolved_by.is_none() && select(entry));
    if picked.is_empty() {
        return Err(Error::new(Code::NothingToResubmit, format!("no open record of {table} is picked")));
    }
    if fixed == Fixed::Raw {
        masked::fill(lake, &mut picked)?;
    }
    let mut commits: BTreeMap<&str, CommitRecord> = BTreeMap::new();
    for entry in &picked {
        if !commits.contains_key(entry.commit_key.as_str()) {
            let record = lake.read_json(&entry.commit_key)?;
            let missing = || Error::new(Code::LakeDamaged, format!("{} is missing", entry.commit_key));
            commits.insert(&entry.commit_key, record.ok_or_else(missing)?);
        }
    }
    let Some(first) = commits.values().next() else {
        return Err(Error::new(Code::NoCommit, "no commit is named"));
    };
    let alike = |record: &CommitRecord| {
        record.pipeline == first.pipeline
            && record.table == first.table
            && (spec.is_some() || record.spec == first.spec)
            && record.report.format == first.report.format
    };
    if !commits.values().all(alike) {
        return Err(Error::new(Code::ResubmitMixed, "the records come from objects with different specs")
            .with_hint("pick those of one source at a time, or name one spec for all"));
    }
    let spec = match spec {
        Some(spec) => spec.to_string(),
        None => lake
            .spec_text(&first.spec)?
            .ok_or_else(|| Error::new(Code::LakeDamaged, format!("the spec {} is missing", first.spec)))?,
    };
    let bytes = match fixed {
        Fixed::File(path) => {
            fs::read(&path).map_err(|error| Error::io(&path.display().to_string(), error))?
        }
        Fixed::Raw => raw(lake, &picked, first, &spec)?,
    };
    let resolves = resolves(&picked, &commits);
    // The same text may mend records of two objects: what it resolves tells them apart.
    let identity = sha256(&[sha256(&bytes).into_bytes(), to_json(&resolves)?].concat());
    lake.storage().put_if_absent(&resubmitted_key(&identity), &bytes)?;
    let stem = format!("{}-resubmitted", first.source.stem);
    let source = Source::reader(&bytes[..], &stem)?.renamed(format!("resubmit:{identity}"), &stem);
    let plan = Plan::new(spec, first.table.clone())?.in_pipeline_of(first)?;
    let cause = Cause { reason: Some("resubmit"), resolves, ..Cause::default() };
    run_because(lake, transform, &source, &plan, &cause, progress)
}

fn resolves(picked: &[Quarantined], commits: &BTreeMap<&str, CommitRecord>) -> Vec<Resolved> {
    let mut by_source: BTreeMap<(&str, &str, u32), Vec<u64>> = BTreeMap::new();
    for entry in picked {
        let Some(record) = commits.get(entry.commit_key.as_str()) else { continue };
        let key = (entry.source.as_str(), record.source.digest.as_str(), entry.generation);
        by_source.entry(key).or_default().push(entry.line.record);
    }
    let sorted = |mut records: Vec<u64>| {
        records.sort_unstable();
        records.dedup();
        records
    };
    let each = by_source.into_iter();
    each.map(|((source, digest, generation), records)| Resolved {
        source: source.into(),
        digest: digest.into(),
        records: sorted(records),
        generation,
    })
    .collect()
}

/// Byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The records as they came, put together in the shape that the spec reads.
fn raw(lake: &Lake, picked: &[Quarantined], commit: &CommitRecord, spec: &str) -> Result<Vec<u8>> {
    if let Some(cut) = picked.iter().find(|entry| entry.line.truncated) {
        let what =
            format!("record {} of {} is too long to be kept in quarantine", cut.line.record, cut.source);
        return Err(Error::new(Code::RecordTruncated, what).with_hint("give the mended records as a file"));
    }
    let parsed: Table = spec.parse().unwrap_or_default();
    let input = |key: &str| parsed.get("input").and_then(|input| input.get(key));
    let lines: Vec<&str> = picked.iter().map(|entry| entry.line.raw.trim_end_matches(['\r', '\n'])).collect();
    let mut text = String::new();
    if matches!(&*commit.report.format, "csv" | "tsv") {
        if input("header").and_then(Value::as_bool) != Some(false) {
            text = lead(lake, commit)?;
            text.push('\n');
        }
    } else if input("columns_at").is_some() && lines.iter().any(|line| line.trim_start().starts_with('[')) {
        let what =
            "the records are arrays, and the names of their values stand in the document that they came from";
        return Err(Error::new(Code::HeaderUnknown, what)
            .with_hint("give the mended records as a file, with the names"));
    } else if let Some(path) = input("records").and_then(Value::as_str) {
        return Ok(below(path, &lines).into_bytes());
    }
    text.push_str(&lines.join("\n"));
    text.push('\n');
    Ok(text.into_bytes())
}

/// Records at a path, dotted or a JSON pointer: in an array; or where the path ends with `*`, as the members of an
/// object, which they were kept as.
fn below(path: &str, records: &[&str]) -> String {
    let keys: Vec<String> = match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    let (keys, [first, last]) = match keys.split_last() {
        Some((last, way)) if last == "*" => (way, ["{", "}"]),
        _ => (&keys[..], ["[", "]"]),
    };
    let open: String =
        keys.iter().map(|key| format!("{{{}:", serde_json::Value::from(key.as_str()))).collect();
    format!("{open}{first}{}{last}{}", records.join(",\n"), "}".repeat(keys.len()))
}

/// What stands before the records of the original CSV, its header at least: without it the columns have no names.
fn lead(lake: &Lake, commit: &CommitRecord) -> Result<String> {
    let unknown = |why: String| {
        Error::new(Code::HeaderUnknown, format!("the header of {} cannot be read: {why}", commit.source.uri))
            .with_hint("give the mended records as a file, with the header")
    };
    if !matches!(&*commit.report.compression, "none" | "") {
        return Err(unknown("it is compressed".into()));
    }
    let source = source_of(lake, commit).map_err(|error| unknown(error.to_string()))?;
    let mut chunks = source.open()?;
    let mut read = Vec::new();
    let text = loop {
        let chunk = chunks.next()?;
        let over = chunk.is_empty();
        read.extend_from_slice(chunk);
        let text = read.strip_prefix(MARK).unwrap_or(&read);
        // Commits of before do not say how much it is: the first line.
        let end = match usize::try_from(commit.report.lead) {
            Ok(0) => text.iter().position(|&byte| byte == b'\n'),
            Ok(lead) => Some(lead).filter(|lead| *lead <= text.len()),
            Err(_) => None,
        };
        if end.is_some() || over {
            break text[..end.unwrap_or(text.len())].to_vec();
        }
    };
    let text = String::from_utf8(text).map_err(|_| unknown("it is not UTF-8".into()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_string())
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn records_go_back_below_their_path_however_it_is_written() {
        let text = r#"{"data":{"orders":[{"a":1},
{"a":2}]}}"#;
        for path in ["data.orders", "/data/orders"] {
            assert_eq!(below(path, &[r#"{"a":1}"#, r#"{"a":2}"#]), text);
        }
        assert_eq!(below("/a~1b/c~0d", &["{}"]), r#"{"a/b":{"c~d":[{}]}}"#);
        let members = [r#""x":{"a":1}"#, r#""y": 2"#];
        assert_eq!(below("*", &members), "{\"x\":{\"a\":1},\n\"y\": 2}");
        assert_eq!(below("users.*", &members[..1]), r#"{"users":{"x":{"a":1}}}"#);
    }
}
