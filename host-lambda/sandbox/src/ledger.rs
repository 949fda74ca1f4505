//! The books on one job: what the guest did, against what it says it did.
//!
//! Not a judge of the data: rows are not looked into. The decision to know: bytes are counted and
//! hashed here and nowhere else: a digest in a commit record is the host's own finding, and hashing in a
//! sandbox, which has none of the processor's instructions for it, would cost a tenth of a run.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::error::SandboxError;
use crate::job::{JobOptions, Step};
use crate::limits::{LINE_BYTES, Limits, PIECE_BYTES};
use lakegate_base::Result;
use lakegate_model::report::Report;
use lakegate_model::{QuarantineLine, hive};

struct OpenPart {
    table: String,
    hash: Sha256,
    bytes: u64,
}

#[derive(Default)]
struct TableSums {
    rows: u64,
    parts: u64,
}

/// Counts of one job so far.
pub(super) struct Ledger {
    limits: Limits,
    /// Digest of the contract text of each table that this job was given.
    contracts: BTreeMap<String, String>,
    final_pass: bool,
    propose: bool,
    open: BTreeMap<u32, OpenPart>,
    next_id: u32,
    sums: BTreeMap<String, TableSums>,
    partitions: BTreeSet<(String, String)>,
    output: u64,
    quarantine: u64,
    quarantine_lines: u64,
    /// A line whose end has not come yet.
    half_line: Vec<u8>,
    idle: u32,
    ended: bool,
    over: bool,
}

impl Ledger {
    pub(super) fn new(limits: &Limits, options: &JobOptions) -> Self {
        let contracts = options.contracts.iter();
        Self {
            limits: *limits,
            contracts: contracts
                .map(|c| (c.table.clone(), hex::encode(Sha256::digest(c.text.as_bytes()))))
                .collect(),
            final_pass: options.final_pass,
            propose: options.propose,
            open: BTreeMap::new(),
            next_id: 0,
            sums: BTreeMap::new(),
            partitions: BTreeSet::new(),
            output: 0,
            quarantine: 0,
            quarantine_lines: 0,
            half_line: Vec::new(),
            idle: 0,
            ended: false,
            over: false,
        }
    }

    pub(super) fn pushed(&mut self) {
        self.idle = 0;
    }

    pub(super) fn ended(&mut self) {
        self.ended = true;
    }

    /// Books one step.
    pub(super) fn check(&mut self, step: &mut Step) -> Result<()> {
        if self.over {
            return lie("it went on after its end");
        }
        match step {
            Step::NeedInput | Step::Working => return self.idle(matches!(step, Step::NeedInput)),
            Step::PartOpened { id, table, partition } => self.opened(*id, table, partition)?,
            Step::PartBytes { id, bytes } => self.bytes(*id, bytes)?,
            Step::PartClosed { id, rows, bytes, digest } => *digest = self.closed(*id, *rows, *bytes)?,
            Step::Quarantine(bytes) => self.quarantined(bytes)?,
            Step::Widen(widened) => {
                self.over = true;
                if self.final_pass {
                    return lie("it widened the contract on the final pass");
                }
                for contract in &widened.contracts {
                    check_table(&contract.table)?;
                }
            }
            Step::Done(text) => {
                self.over = true;
                self.done(text)?;
            }
        }
        self.idle = 0;
        Ok(())
    }

    fn idle(&mut self, hungry: bool) -> Result<()> {
        if hungry && self.ended {
            return lie("it asked for input after the end");
        }
        self.idle += 1;
        if self.idle > self.limits.idle_steps {
            over("idle_steps", self.limits.idle_steps.into())
        } else {
            Ok(())
        }
    }

    fn opened(&mut self, id: u32, table: &str, partition: &str) -> Result<()> {
        if self.propose {
            return lie("it opened a part file although it was only to propose");
        }
        if id != self.next_id {
            return lie(&format!("part {id} was opened where {} was next", self.next_id));
        }
        self.next_id += 1;
        if self.next_id > self.limits.parts {
            return over("parts", self.limits.parts.into());
        }
        check_table(table)?;
        if !self.contracts.contains_key(table) {
            return lie("it opened a part file of a table that has no contract");
        }
        check_partition(partition)?;
        self.open.insert(id, OpenPart { table: table.into(), hash: Sha256::new(), bytes: 0 });
        if self.open.len() > self.limits.open_parts as usize {
            return over("open_parts", self.limits.open_parts.into());
        }
        self.partitions.insert((table.into(), partition.into()));
        Ok(())
    }

    fn bytes(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        if bytes.len() > PIECE_BYTES {
            return over("piece_bytes", PIECE_BYTES as u64);
        }
        self.output = self.output.saturating_add(bytes.len() as u64);
        if self.output > self.limits.output_bytes {
            return over("output_bytes", self.limits.output_bytes);
        }
        let Some(part) = self.open.get_mut(&id) else {
            return lie(&format!("part {id} got bytes but is not open"));
        };
        part.hash.update(bytes);
        part.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Books the end of a part file; its digest.
    fn closed(&mut self, id: u32, rows: u64, bytes: u64) -> Result<String> {
        let Some(part) = self.open.remove(&id) else {
            return lie(&format!("part {id} was closed but is not open"));
        };
        if part.bytes != bytes {
            return lie(&format!("part {id} is said to have {bytes} bytes, it has {}", part.bytes));
        }
        if rows == 0 {
            return lie(&format!("part {id} has no rows"));
        }
        let sums = self.sums.entry(part.table).or_default();
        sums.rows = sums.rows.saturating_add(rows);
        sums.parts += 1;
        Ok(hex::encode(part.hash.finalize()))
    }

    fn quarantined(&mut self, bytes: &[u8]) -> Result<()> {
        self.quarantine = self.quarantine.saturating_add(bytes.len() as u64);
        if self.quarantine > self.limits.quarantine_bytes {
            return over("quarantine_bytes", self.limits.quarantine_bytes);
        }
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.half_line.extend_from_slice(piece);
            if self.half_line.len() > LINE_BYTES {
                return over("quarantine_line", LINE_BYTES as u64);
            }
            if piece.ends_with(b"\n") {
                self.line()?;
            }
        }
        Ok(())
    }

    /// One line as operators and the lake's own records read it: JSON that begins with the record's number. Lines come
    /// as rules are broken: what cannot be read comes before what fails a check.
    fn line(&mut self) -> Result<()> {
        let line: QuarantineLine<'_> = match serde_json::from_slice(&self.half_line) {
            Ok(line) => line,
            Err(error) => return lie(&format!("a line of its quarantine is no rejected record: {error}")),
        };
        if !self.half_line.starts_with(b"{\"record\":") || line.record == 0 {
            return lie("a line of its quarantine does not begin with the number of a record");
        }
        self.quarantine_lines += 1;
        self.half_line.clear();
        Ok(())
    }

    fn done(&self, text: &str) -> Result<()> {
        let report: Report = match serde_json::from_str(text) {
            Ok(report) => report,
            Err(error) => return lie(&format!("its report cannot be read: {error}")),
        };
        if !self.open.is_empty() {
            return lie(&format!("{} part files are still open at its end", self.open.len()));
        }
        if report.accepted.checked_add(report.rejected) != Some(report.records) {
            let Report { records, accepted, rejected, .. } = report;
            return lie(&format!("{records} records are not {accepted} accepted and {rejected} rejected"));
        }
        if !self.half_line.is_empty() || self.quarantine_lines != report.rejected {
            let lines = self.quarantine_lines;
            return lie(&format!("{} rejected records but {lines} lines in quarantine", report.rejected));
        }
        for table in &report.tables {
            let name = &table.table;
            if table.rows_out.checked_add(table.filtered) != Some(table.rows_made) {
                return lie(&format!("the rows of {name} are not those out and those filtered"));
            }
            let (rows, parts) = self.sums.get(name).map_or((0, 0), |sums| (sums.rows, sums.parts));
            if (rows, parts) != (table.rows_out, table.parts) {
                return lie(&format!(
                    "{name} is said to have {} rows in {} files, it has {rows} in {parts}",
                    table.rows_out, table.parts
                ));
            }
            if self.contracts.get(name) != Some(&table.contract) {
                return lie(&format!("{name} was made under another contract than the host gave"));
            }
        }
        match self.sums.keys().find(|name| !report.tables.iter().any(|table| &&table.table == name)) {
            Some(name) => lie(&format!("{name} has part files but is not in the report")),
            None => Ok(()),
        }
    }
}

fn lie<T>(what: &str) -> Result<T> {
    Err(SandboxError::Lie(what.into()).into())
}

fn over<T>(limit: &'static str, most: u64) -> Result<T> {
    Err(SandboxError::Limit { limit, most }.into())
}

/// `[a-z0-9][a-z0-9_]*`: a leading `_` would hide the table from Athena, or be the host's own folder.
fn check_table(name: &str) -> Result<()> {
    let legal = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if legal { Ok(()) } else { lie("it named a table that is no legal name") }
}

/// The guest escapes by the same list, in the crate that both know: what one writes the other takes.
fn check_partition(path: &str) -> Result<()> {
    if hive::is_path(path) { Ok(()) } else { lie("a partition path is no legal Hive path") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_paths_cannot_climb_or_hide() {
        for good in ["", "a=1/", "d=2025-01-01/h=%3A/", "n=Zürich 1/", "c=a\u{85}b\u{2028}/"] {
            assert!(check_partition(good).is_ok(), "{good}");
        }
        for bad in ["a", "/", "a=/", "=1/", "../", "a=1/../", "a=b=c/", "A=1/", "a=x\\y/", "a=1//", ".a=1/"] {
            assert!(check_partition(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn table_names_are_plain() {
        assert!(check_table("order_items2").is_ok());
        for bad in ["", "_lakegate", "../x", "Orders", "a.b", "a/b"] {
            assert!(check_table(bad).is_err(), "{bad}");
        }
    }
}
