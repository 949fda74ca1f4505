//! A block of CSV records into columns, one column after the other.
//!
//! For: the loops in which a CSV file's time goes: no decision a field but what the field itself asks
//! for. Not for: saying what is wrong. The decision to know: a block is taken whole or not at all. A
//! field that does not fit takes the block back, and its records come again one by one
//! ([`Shredder::field`]), so that there is one place only that judges a record.

use crate::bytes::equal;
use crate::column::{Column, Fixed, Slots, TextSlots};
use crate::input::csv::{Block, Cells};
use crate::value::time::parse_iso_date;
use crate::value::{Misfit, short_bigint, short_double};

use super::Shredder;
use super::clean::{Clean, put_clean};
use super::convert::{self, Token};
use super::fields;
use super::losses::Losses;
use super::mask;
use super::plan::Target;

/// Columns that a field may go into: a block of them all is held before it is weighed.
const COPIES: usize = 4;

/// Texts up to so long are copied whole by one move of fixed size.
const MOVE: usize = 16;

/// What a CSV spec says of every field.
#[derive(Clone, Copy, Debug)]
pub struct FieldRules<'a> {
    /// The decimal point.
    pub decimal: u8,
    /// Texts that are null, besides the empty one.
    pub nulls: &'a [Vec<u8>],
    /// The empty one is a text here.
    pub empty_is_text: bool,
}

impl FieldRules<'_> {
    #[inline(always)]
    pub fn is_null(&self, text: &[u8]) -> bool {
        (text.is_empty() && !self.empty_is_text)
            || (!self.nulls.is_empty() && self.nulls.iter().any(|null| null == text))
    }
}

impl Shredder {
    /// Whether all records with these columns can come in blocks: every column is known, none is
    /// JSON, and a record is a row.
    pub fn takes_blocks(&self, nodes: &[u32]) -> bool {
        let known = |node: &u32| {
            let node = self.plan.nodes.get(*node as usize);
            node.is_some_and(|node| {
                node.is_known() && node.targets.len() <= COPIES && !node.targets.iter().any(Target::is_json)
            })
        };
        self.plan.tables.iter().all(|table| table.rows.is_none()) && nodes.iter().all(known)
    }

    /// Takes all records of a block, or none: false. Their columns are such that
    /// [`Shredder::takes_blocks`], so every column has a slot a row.
    pub fn take_block(&mut self, nodes: &[u32], buf: &[u8], block: &Block, rules: FieldRules<'_>) -> bool {
        for (index, &node) in nodes.iter().enumerate() {
            for target in &self.plan.nodes[node as usize].targets {
                let column = &mut self.batch.tables[target.table].columns[target.column];
                let (cells, slot) = (block.column(buf, index), column.len());
                let put = match &target.clean {
                    None => put_cells(column, target, cells, rules, &mut self.losses),
                    Some(clean) => {
                        let mut cleaner = Cleaner { losses: &mut self.losses, scratch: &mut self.cleaned };
                        cleaner.put_cells(column, target, clean, cells, rules)
                    }
                };
                if let Some(mask) = target.mask {
                    mask::apply(mask, column, slot);
                }
                if put.is_none() {
                    self.begin();
                    self.rollback();
                    return false;
                }
            }
        }
        self.losses.settle();
        self.batch.records += block.records as u32;
        for table in &mut self.batch.tables {
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
fn put_cells(
    column: &mut Column,
    target: &Target,
    cells: Cells<'_>,
    rules: FieldRules<'_>,
    losses: &mut Losses,
) -> Option<()> {
    let decimal = rules.decimal;
    match column.slots() {
        Slots::String(slots) => {
            put_texts(slots, cells, rules);
            Some(())
        }
        Slots::Bigint(slots) => put_bigints(slots, cells, rules),
        Slots::Double(slots) => put_doubles(slots, cells, rules, target, losses),
        Slots::Date(slots) if target.format.is_none() => put_dates(slots, cells, rules, target),
        Slots::Date(slots) => {
            put_each(slots, cells, rules, never, |text| fields::date(text, decimal, target))
        }
        Slots::Timestamp(slots) => put_each(slots, cells, rules, never, |text| {
            fields::moment(text, decimal, target).map(|moment| convert::millis(moment, target, losses))
        }),
        Slots::TimestampMicros(slots) => put_each(slots, cells, rules, never, |text| {
            fields::moment(text, decimal, target).map(|moment| convert::micros(moment, target, losses))
        }),
        Slots::Boolean(slots) => put_each(slots, cells, rules, never, fields::boolean),
        Slots::Decimal { precision, scale, slots } => {
            put_each(slots, cells, rules, never, |text| fields::decimal(text, decimal, precision, scale))
        }
        Slots::Json(_) => None,
    }
}

/// A function of its own, as those below, so that the registers are for one loop.
#[inline(never)]
fn put_bigints(slots: Fixed<'_, i64>, cells: Cells<'_>, rules: FieldRules<'_>) -> Option<()> {
    let (buf, decimal) = (cells.buf, rules.decimal);
    put_each(
        slots,
        cells,
        rules,
        |start, end| short_bigint(buf, start, end),
        |text| fields::bigint(text, decimal),
    )
}

#[inline(never)]
fn put_doubles(
    slots: Fixed<'_, f64>,
    cells: Cells<'_>,
    rules: FieldRules<'_>,
    target: &Target,
    losses: &mut Losses,
) -> Option<()> {
    let (buf, decimal) = (cells.buf, rules.decimal);
    let quick = |start, end| short_double(buf, start, end, decimal);
    put_each(slots, cells, rules, quick, |text| fields::double(text, decimal, target, losses))
}

#[inline(never)]
fn put_dates(slots: Fixed<'_, i32>, cells: Cells<'_>, rules: FieldRules<'_>, target: &Target) -> Option<()> {
    // Files are often in the order of their dates: the last one again costs a comparison.
    let mut last: (&[u8], i32) = (&[], 0);
    let quick = |start, end| {
        let text = &cells.buf[start..end];
        if !equal(text, last.0) {
            last = (text, parse_iso_date(text)?);
        }
        Some(last.1)
    };
    put_each(slots, cells, rules, quick, |text| fields::date(text, rules.decimal, target))
}

fn never<T>(_: usize, _: usize) -> Option<T> {
    None
}

/// Appends fields, each by `quick` if it can, else as a field that comes alone.
#[inline(always)]
fn put_each<T: Copy + Default>(
    mut slots: Fixed<'_, T>,
    cells: Cells<'_>,
    rules: FieldRules<'_>,
    mut quick: impl FnMut(usize, usize) -> Option<T>,
    mut alone: impl FnMut(&[u8]) -> Result<T, Misfit>,
) -> Option<()> {
    for (record, (value, valid)) in slots.more(cells.records()).enumerate() {
        let (start, end) = cells.range(record);
        let text = &cells.buf[start..end];
        if rules.is_null(text) {
            *valid = 0;
        } else if let Some(quick) = quick(start, end) {
            *value = quick;
        } else {
            *value = alone(text.trim_ascii()).ok()?;
        }
    }
    Some(())
}

/// What a column with keys of its own needs beside its fields.
struct Cleaner<'a> {
    losses: &'a mut Losses,
    scratch: &'a mut Vec<u8>,
}

impl Cleaner<'_> {
    /// Appends a column's fields as its keys say they are written; none if one does not fit.
    #[cold]
    fn put_cells(
        &mut self,
        column: &mut Column,
        target: &Target,
        clean: &Clean,
        cells: Cells<'_>,
        rules: FieldRules<'_>,
    ) -> Option<()> {
        let mut unquoted = Vec::new();
        for record in 0..cells.records() {
            let (start, end) = cells.range(record);
            let mut text = &cells.buf[start..end];
            if let Some(quote) = cells.quote(start).filter(|quote| text.contains(quote)) {
                unquoted.resize(text.len(), 0);
                let length = put_quoted(text, quote, &mut unquoted);
                text = &unquoted[..length];
            }
            let token = Token::Text(text);
            match put_clean(column, target, clean, token, Some(rules), self.losses, self.scratch) {
                Ok(true) => {}
                Ok(false) => column.push_null(),
                Err(_) => return None,
            }
        }
        Some(())
    }
}

/// Appends texts.
fn put_texts(slots: TextSlots<'_>, cells: Cells<'_>, rules: FieldRules<'_>) {
    if cells.have_quotes() {
        put_quoted_texts(slots, cells, rules);
    } else {
        put_bare_texts(slots, cells, rules);
    }
}

#[inline(never)]
fn put_bare_texts(mut slots: TextSlots<'_>, cells: Cells<'_>, rules: FieldRules<'_>) {
    let cells = cells.without_quotes();
    slots.push_all(cells.records(), cells.bytes(), MOVE, |record, out| put_text(&cells, record, rules, out));
}

#[inline(never)]
fn put_quoted_texts(mut slots: TextSlots<'_>, cells: Cells<'_>, rules: FieldRules<'_>) {
    slots.push_all(cells.records(), cells.bytes(), MOVE, |record, out| put_text(&cells, record, rules, out));
}

/// Writes a field's text; its length, or none if it is null. Most are moved by one copy of fixed size, whose surplus the
/// next one overwrites.
#[inline(always)]
fn put_text(cells: &Cells<'_>, record: usize, rules: FieldRules<'_>, out: &mut [u8]) -> Option<usize> {
    let (start, end) = cells.range(record);
    let text = &cells.buf[start..end];
    let length = match cells.quote(start) {
        Some(quote) => put_quoted(text, quote, out),
        None => {
            let from = cells.buf[start..].first_chunk::<MOVE>();
            match (from, out.first_chunk_mut::<MOVE>()) {
                (Some(from), Some(to)) if text.len() <= MOVE => *to = *from,
                _ => out[..text.len()].copy_from_slice(text),
            }
            text.len()
        }
    };
    (!rules.is_null(&out[..length])).then_some(length)
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
