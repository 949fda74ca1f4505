//! What can go wrong: an expression that is no good ([`ExprError`], found before any input is read)
//! and rows that an expression cannot compute ([`RowErrors`]).
//!
//! Not for: failing a job, or quarantine lines; the caller turns these into both. The decision to
//! know: no message holds a value of the input (the text of the expression itself may be quoted).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Why an expression of the spec was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct ExprError {
    /// One sentence.
    pub message: String,
    /// What to do about it, for example the nearest name.
    pub hint: Option<String>,
    /// Line inside the expression's text, from 1.
    pub line: u32,
    /// Column in characters inside that line, from 1.
    pub column: u32,
}

/// An [`ExprError`] before its byte offset has been turned into line and column.
#[derive(Debug)]
pub(super) struct Refusal {
    pub at: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Finds line and column of the byte offset in `sql`.
    pub(super) fn locate(self, sql: &str) -> ExprError {
        let before = sql.get(..self.at).unwrap_or(sql);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX - 1).saturating_add(1);
        ExprError {
            message: self.message,
            hint: self.hint,
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        }
    }
}

/// Why one row has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Stable name: `cast_failed`, `numeric_overflow`, `date_out_of_range` or `text_too_long`.
    pub code: &'static str,
    /// One sentence, without values.
    pub message: Cow<'static, str>,
}

impl RowError {
    pub(super) const fn overflow(message: &'static str) -> Self {
        Self { code: "numeric_overflow", message: Cow::Borrowed(message) }
    }

    pub(super) const fn date_range(message: &'static str) -> Self {
        Self { code: "date_out_of_range", message: Cow::Borrowed(message) }
    }

    pub(super) const fn too_long(message: &'static str) -> Self {
        Self { code: "text_too_long", message: Cow::Borrowed(message) }
    }

    pub(super) const fn unread(message: &'static str) -> Self {
        Self { code: "cast_failed", message: Cow::Borrowed(message) }
    }

    pub(super) fn cast(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "cast_failed", message: message.into() }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The rows of a batch that an expression could not compute, each with its first error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowErrors {
    rows: BTreeMap<usize, RowError>,
}

impl RowErrors {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `row` (from 0 within its batch) failed; a row keeps its first error.
    pub fn record(&mut self, row: usize, error: RowError) {
        self.rows.entry(row).or_insert(error);
    }

    /// The error of `row`.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&RowError> {
        self.rows.get(&row)
    }

    /// All of them, by row.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &RowError)> {
        self.rows.iter().map(|(row, error)| (*row, error))
    }

    /// Whether every row has a result.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes over those of `other` whose row `keep` says counts: a branch that a row did not take
    /// cannot reject it.
    pub(super) fn absorb(&mut self, other: Self, mut keep: impl FnMut(usize) -> bool) {
        for (row, error) in other.rows {
            if keep(row) {
                self.record(row, error);
            }
        }
    }
}

/// The name nearest to `wanted`, if one is near enough to be what was meant.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let reach = (wanted.chars().count() / 3).max(1);
    let length = wanted.chars().count();
    names
        // A name so much longer or shorter is not near; and only this keeps the table of edits small.
        .filter(|name| name.chars().count().abs_diff(length) <= reach)
        .map(|name| (distance(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut older, mut old) = (vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<usize>>());
    for i in 0..a.len() {
        let mut new = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            new[j + 1] = (old[j] + usize::from(a[i] != b[j])).min(old[j + 1] + 1).min(new[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                new[j + 1] = new[j + 1].min(older[j - 1] + 1);
            }
        }
        older = std::mem::replace(&mut old, new);
    }
    old[b.len()]
}
