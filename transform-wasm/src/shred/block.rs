//! A block of CSV records into columns, one column after the other.
//!
//! For: the loops in which a CSV file's time goes: no decision a field but what the field itself asks
//! for. Not for: saying what is wrong. The decision to know: a block is taken whole or not at all. A
//! field that does not fit takes the block back, and its records come again one by one
//! ([`Shredder::field`]), so that there is one place only that judges a record.

use crate::bytes::equal;
use crate::column::{Column, ColumnType, Values};
use crate::input::csv::{Block, Cells};
use crate::value::time::parse_iso_date;
use crate::value::{short_bigint, short_double};

use super::fields::put_field;
use super::plan::Target;
use super::{Level, Shredder};

/// Texts up to so long are copied whole by one move of fixed size.
const MOVE: usize = 16;

/// What a CSV spec says of every field.
#[derive(Clone, Copy, Debug)]
pub struct FieldRules<'a> {
    /// The decimal point.
    pub decimal: u8,
    /// Texts that are null, besides the empty one.
    pub nulls: &'a [Vec<u8>],
}

impl FieldRules<'_> {
    #[inline(always)]
    fn is_null(&self, text: &[u8]) -> bool {
        text.is_empty() || (!self.nulls.is_empty() && self.nulls.iter().any(|null| null == text))
    }
}

impl Shredder {
    /// Whether all records with these columns can come in blocks: every column is known, none is
    /// JSON, and a record is a row.
    pub fn takes_blocks(&self, nodes: &[u32]) -> bool {
        let known = |node: &u32| {
            let node = &self.plan.nodes[*node as usize];
            (node.known || !node.targets.is_empty()) && !node.targets.iter().any(Target::is_json)
        };
        self.plan.tables.iter().all(|table| table.rows.is_none()) && nodes.iter().all(known)
    }

    /// Takes all records of a block, or none: false.
    pub fn take_block(&mut self, nodes: &[u32], buf: &[u8], block: &Block, rules: FieldRules<'_>) -> bool {
        for (index, &node) in nodes.iter().enumerate() {
            for target in &self.plan.nodes[node as usize].targets {
                let column = &mut self.batch.tables[target.table].columns[target.column];
                if put_cells(column, target, block.column(buf, index), rules).is_none() {
                    self.begin();
                    self.rollback();
                    return false;
                }
            }
        }
        self.batch.records += block.records as u32;
        for table in &mut self.batch.tables {
            debug_assert!(table.levels.iter().all(|level| *level == Level::Row));
            table.rows += block.records as u32;
            let rows = table.rows as usize;
            // Columns of the contract that this file does not have.
            for column in table.columns.iter_mut().filter(|column| column.len() < rows) {
                (column.len()..rows).for_each(|_| column.push_null());
            }
        }
        true
    }
}

/// Appends a column's fields; none if one does not fit.
fn put_cells(column: &mut Column, target: &Target, cells: Cells<'_>, rules: FieldRules<'_>) -> Option<()> {
    let buf = cells.buf;
    match target.ty {
        ColumnType::String => {
            put_texts(column, cells, rules);
            Some(())
        }
        ColumnType::Bigint => put_each(column, target, cells, rules, |column, start, end| {
            short_bigint(buf, start, end).map(|value| column.push_i64(value)).is_some()
        }),
        ColumnType::Double => put_each(column, target, cells, rules, |column, start, end| {
            short_double(buf, start, end, rules.decimal).map(|value| column.push_f64(value)).is_some()
        }),
        ColumnType::Date if target.format.is_none() => {
            // Files are often in the order of their dates: the last one again costs a comparison.
            let mut last: (&[u8], i32) = (&[], 0);
            put_each(column, target, cells, rules, |column, start, end| {
                let text = &buf[start..end];
                if !equal(text, last.0) {
                    let Some(days) = parse_iso_date(text) else { return false };
                    last = (text, days);
                }
                column.push_i32(last.1);
                true
            })
        }
        _ => put_each(column, target, cells, rules, |_, _, _| false),
    }
}

/// Appends fields, each by `quick` if it can, else as a field that comes alone.
#[inline(always)]
fn put_each(
    column: &mut Column,
    target: &Target,
    cells: Cells<'_>,
    rules: FieldRules<'_>,
    mut quick: impl FnMut(&mut Column, usize, usize) -> bool,
) -> Option<()> {
    for record in 0..cells.records() {
        let (start, end) = cells.range(record);
        let text = &cells.buf[start..end];
        if rules.is_null(text) {
            column.push_null();
        } else if !quick(column, start, end) {
            put_field(column, target, text, rules.decimal).ok()?;
        }
    }
    Some(())
}

/// Appends texts: most are moved by one copy of fixed size, whose surplus the next one overwrites.
fn put_texts(column: &mut Column, cells: Cells<'_>, rules: FieldRules<'_>) {
    let Values::Bytes { data, ends } = &mut column.values else { return };
    let bytes: usize =
        (0..cells.records()).map(|record| cells.range(record)).map(|(start, end)| end - start).sum();
    let mut at = data.len();
    data.resize(at + bytes + MOVE, 0);
    ends.reserve(cells.records());
    column.valid.reserve(cells.records());
    for record in 0..cells.records() {
        let (start, end) = cells.range(record);
        let text = &cells.buf[start..end];
        let length = match cells.quote(start) {
            Some(quote) => put_quoted(text, quote, &mut data[at..]),
            None => {
                let from = cells.buf[start..].first_chunk::<MOVE>();
                match (from, data[at..].first_chunk_mut::<MOVE>()) {
                    (Some(from), Some(to)) if text.len() <= MOVE => *to = *from,
                    _ => data[at..at + text.len()].copy_from_slice(text),
                }
                text.len()
            }
        };
        let null = rules.is_null(&data[at..at + length]);
        column.valid.push(u8::from(!null));
        at += if null { 0 } else { length };
        ends.push(at as u32);
    }
    data.truncate(at);
}

/// Writes the text of a quoted field, each doubled quote as one; its length.
fn put_quoted(text: &[u8], quote: u8, out: &mut [u8]) -> usize {
    let (mut rest, mut at) = (text, 0);
    while let Some(found) = memchr::memchr(quote, rest) {
        out[at..=at + found].copy_from_slice(&rest[..=found]);
        at += found + 1;
        rest = &rest[found + 2..];
    }
    out[at..at + rest.len()].copy_from_slice(rest);
    at + rest.len()
}
