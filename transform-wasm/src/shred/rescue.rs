//! Values that do not fit and stay beside their rows, where a table says `on_misfit = "rescue"`.
//!
//! The decision to know: a value that anything else depends on is no such value. Where a partition, an expression,
//! `drop_nulls` or a mask needs it, its record is rejected as ever.

use crate::contract::{Contract, Origin};
use crate::json::{Stop, compact};
use crate::spec::{DropNulls, Empty, OnMisfit, Table, reads};

use super::batch::{Level, Rescued};
use super::convert::Token;
use super::plan::Target;
use super::{Shredder, batch::TableBatch};

/// A value as it stands in its record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// JSON text.
    Json(&'a [u8]),
    /// Text without quotes: a CSV field, or what is in a string.
    Text(&'a [u8]),
}

impl<'a> From<Token<'a>> for Raw<'a> {
    fn from(token: Token<'a>) -> Self {
        match token {
            Token::Text(text) => Self::Text(text),
            other => Self::Json(other.text()),
        }
    }
}

/// Whether a misfit in a column of a table may stay beside its row.
pub(super) fn may_stay(table: &Table, contract: &Contract, name: &str) -> bool {
    if table.on_misfit == OnMisfit::Reject {
        return false;
    }
    let dropping = match &table.drop_nulls {
        Some(DropNulls::All(all)) => *all,
        Some(DropNulls::Columns(columns)) => columns.iter().any(|column| column == name),
        None => false,
    };
    let derived = contract.columns.iter().filter_map(|column| match &column.origin {
        Origin::Sql(sql) => Some(sql.as_str()),
        _ => None,
    });
    let told = table.derives.iter().map(|derive| derive.sql.as_str());
    let checked = table.checks.iter().map(|check| check.sql.as_str());
    let parted = contract.partition_by.iter().map(|partition| partition.sql.as_str());
    let parted = parted.chain(table.partition_by.iter().map(String::as_str));
    let mut all = derived.chain(told).chain(checked).chain(parted).chain(table.filter.as_deref());
    !dropping && !all.any(|sql| reads(sql, name))
}

impl Shredder {
    /// Keeps a value that does not fit one of a node's columns, if it may stay; else `stop` says why its record
    /// cannot be taken.
    #[cold]
    pub(super) fn rescue(
        &mut self,
        stop: Stop,
        node: u32,
        target: usize,
        value: Raw<'_>,
    ) -> Result<(), Stop> {
        let target = &self.plan.nodes[node as usize].targets[target];
        if !target.rescue || self.plan.is_masked(node) {
            return Err(stop);
        }
        let (table, level) = (target.table, self.plan.tables[target.table].levels[target.column]);
        self.keep(stop, node, &[(table, level)], value)
    }

    /// The same of a value whose kind fits none of the columns at a node or below.
    #[cold]
    pub(super) fn rescue_whole(&mut self, stop: Stop, node: u32, value: Raw<'_>) -> Result<(), Stop> {
        let mut targets: Vec<&Target> = Vec::new();
        let mut nodes = vec![node];
        while let Some(node) = nodes.pop() {
            let plan = &self.plan.nodes[node as usize];
            if let Some((tables, element)) = &plan.rows {
                if tables.iter().any(|&table| self.plan.tables[table].empty == Empty::Drop) {
                    // No row would be left to keep it.
                    return Err(stop);
                }
                nodes.push(*element);
            }
            targets.extend(plan.targets.iter().chain(&plan.rest));
            nodes.extend(plan.keys.iter().map(|(_, child)| child));
        }
        let may_stay = |target: &&Target| target.rescue && target.mask.is_none();
        if targets.is_empty() || self.plan.is_masked(node) || !targets.iter().all(may_stay) {
            return Err(stop);
        }
        let rows = &self.plan.nodes[node as usize].rows;
        let mut tables: Vec<(usize, Level)> = Vec::new();
        for target in targets {
            let own = rows.as_ref().is_some_and(|(tables, _)| tables.contains(&target.table));
            let level = self.plan.tables[target.table].levels[target.column];
            if !tables.iter().any(|(table, _)| *table == target.table) {
                tables.push((target.table, if own { Level::Record } else { level }));
            }
        }
        self.keep(stop, node, &tables, value)
    }

    fn keep(&mut self, stop: Stop, node: u32, tables: &[(usize, Level)], value: Raw<'_>) -> Result<(), Stop> {
        let Stop::Reject(reject) = &stop else { return Err(stop) };
        let code = reject.code;
        let at = reject.at.unwrap_or_default();
        let mut member = text_of(self.plan.pointer(node, self.element).as_bytes());
        member.push(b':');
        match value {
            Raw::Json(json) => compact(json, &mut member),
            Raw::Text(text) => member.extend(text_of(text)),
        }
        self.spread_by(member.len().saturating_mul(tables.len()), node, at)?;
        let records = self.batch.records;
        for &(table, level) in tables {
            let TableBatch { rows, rescued, .. } = &mut self.batch.tables[table];
            let at = if level == Level::Record { records } else { *rows };
            rescued.push(Rescued { level, at, code, member: member.as_slice().into() });
        }
        Ok(())
    }
}

/// A text as JSON has it.
fn text_of(text: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&String::from_utf8_lossy(text)).unwrap_or_default()
}
