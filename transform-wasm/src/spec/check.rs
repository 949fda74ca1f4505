//! What a spec may say, option by option, before anything else looks at it.
//!
//! For: values that TOML can write and the transform cannot hold, and options that contradict each other.
//! Not for: what needs a contract's columns (names and types in SQL), which is checked when a job opens.
//! Each mistake carries its key, from which its line and column follow.

use std::collections::BTreeSet;

use lakegate_model::contract::RESCUED;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Format, Input, SPEC_VERSION, Spec, Table};
use crate::error::{Code, Failure, Place};
use crate::expr::{Expr, ExprError};
use crate::limits::{Limits, POINTER_BYTES};
use crate::names;
use crate::value::time::parse_timezone;

/// What is wrong, and under which key.
pub(super) struct Mistake {
    /// As `table.0.column.2.name`; where there is no such key, what is above it.
    key: String,
    message: String,
    hint: Option<String>,
}

pub(super) type Checked = Result<(), Mistake>;

impl Mistake {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same below a key.
    fn below(self, key: &str) -> Self {
        Self { key: format!("{key}.{}", self.key), ..self }
    }

    /// As a failure, with its place in the text.
    pub(super) fn failure(self, text: &str) -> Failure {
        let place = DeTable::parse(text).map(|root| start(&root, &self.key)).map(|at| place(text, at));
        Failure { hint: self.hint, ..Failure::spec(Code::SpecInvalid, self.message) }
            .at(place.unwrap_or_else(|_| Place::default()))
    }
}

/// Line and column of a byte.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Place {
        line: Some(before.matches('\n').count() as u64 + 1),
        column: Some(before[line_start..].chars().count() as u64 + 1),
        ..Place::default()
    }
}

/// Byte at which the value of a key begins.
fn start(root: &Spanned<DeTable<'_>>, key: &str) -> usize {
    let mut at = root.span().start;
    let mut here: Option<&DeValue<'_>> = None;
    for word in key.split('.') {
        let found = match here {
            None => child(root.get_ref(), word),
            Some(DeValue::Table(table)) => child(table, word),
            Some(DeValue::Array(array)) => word.parse().ok().and_then(|index: usize| array.get(index)),
            Some(_) => None,
        };
        let Some(value) = found else { return at };
        at = value.span().start;
        here = Some(value.get_ref());
    }
    at
}

fn child<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
}

impl Spec {
    /// Everything that needs nothing but the spec.
    pub(super) fn check(&self) -> Checked {
        if self.version.is_some_and(|version| version != SPEC_VERSION) {
            return Err(Mistake::new("version", format!("spec version must be {SPEC_VERSION}")));
        }
        self.input.check().map_err(|mistake| mistake.below("input"))?;
        self.limits.check().map_err(|mistake| mistake.below("limits"))?;
        let mut seen = BTreeSet::new();
        for (number, table) in self.tables.iter().enumerate() {
            let below = |mistake: Mistake| mistake.below(&format!("table.{number}"));
            match &table.name {
                None if self.tables.len() > 1 => {
                    let message = "with several tables, each [[table]] needs a name";
                    return Err(below(Mistake::new("name", message)));
                }
                Some(name) if !seen.insert(name) => {
                    return Err(below(Mistake::new("name", format!("two tables are named `{name}`"))));
                }
                _ => table.check(self.limits.columns, self.input.decimal).map_err(below)?,
            }
        }
        Ok(())
    }
}

impl Input {
    fn check(&self) -> Checked {
        let (quote, decimal) = (self.quote, self.decimal);
        // NUL is what the tokenizer fills its last block with; CR and LF end records.
        let is_sign = |sign: char| sign.is_ascii() && !matches!(sign, '\0' | '\n' | '\r');
        if self.delimiter.is_some_and(|delimiter| !is_sign(delimiter)) {
            return Err(Mistake::new("delimiter", "input.delimiter must be one ASCII character")
                .hint("NUL and line ends cannot separate fields"));
        }
        if !is_sign(quote) || quote == '\t' {
            return Err(Mistake::new("quote", "input.quote must be one ASCII character")
                .hint("NUL, tab and line ends cannot stand around fields"));
        }
        let delimiter = self.delimiter.or_else(|| (self.format == Format::Tsv).then_some('\t'));
        if delimiter == Some(quote) {
            let key = if quote == '"' { "delimiter" } else { "quote" };
            return Err(Mistake::new(key, format!("input.{key}: delimiter and quote are both {quote:?}"))
                .hint("no reader could tell where a field ends"));
        }
        self.check_comment(delimiter)?;
        if !matches!(decimal, '.' | ',') {
            return Err(Mistake::new("decimal", "input.decimal must be \".\" or \",\""));
        }
        if self.header && !self.columns.is_empty() {
            return Err(Mistake::new("columns", "input.columns names columns that have no header")
                .hint("set header = false"));
        }
        let mut seen = BTreeSet::new();
        for (number, name) in self.columns.iter().enumerate() {
            if name.is_empty() || !seen.insert(name) {
                let why = if name.is_empty() { "is empty".into() } else { format!("`{name}` stands twice") };
                return Err(Mistake::new(
                    format!("columns.{number}"),
                    format!("input.columns: name {} {why}", number + 1),
                ));
            }
        }
        if let Some(zone) = &self.timezone {
            parse_timezone(zone).map_err(|why| Mistake::new("timezone", format!("input.timezone: {why}")))?;
        }
        self.records.as_deref().map_or(Ok(()), |path| check_path("records", path))
    }

    fn check_comment(&self, delimiter: Option<char>) -> Checked {
        let Some(comment) = self.comment.as_deref().filter(|comment| *comment != Self::NO_COMMENT) else {
            return Ok(());
        };
        let wrong = |why: &str| Mistake::new("comment", format!("input.comment {why}"));
        match comment.chars().next() {
            None => Err(wrong("is empty").hint("write \"none\" where no line is a comment")),
            Some(_) if comment.contains(['\0', '\n', '\r']) => Err(wrong("holds NUL or a line end")),
            Some(first) if first == self.quote || Some(first) == delimiter => {
                Err(wrong("begins as a field does").hint("delimiter and quote begin records, not comments"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Limits {
    fn check(&self) -> Checked {
        for (key, value, most) in [
            ("record_bytes", self.record_bytes, Self::RECORD_BYTES_CEILING),
            ("depth", self.depth, Self::DEPTH_CEILING),
            ("columns", self.columns, Self::COUNT_CEILING),
            ("partitions", self.partitions, Self::COUNT_CEILING),
        ] {
            if value == 0 {
                return Err(Mistake::new(key, format!("limits.{key} = 0 would take nothing")));
            }
            if value > most {
                return Err(Mistake::new(key, format!("limits.{key} is at most {most}")));
            }
        }
        Ok(())
    }
}

impl Table {
    fn check(&self, most: usize, decimal: char) -> Checked {
        if let Some(name) = &self.name {
            check_name("table", name)?;
        }
        // One without a type may stay null, and is no column then.
        let typed = self.columns.iter().filter(|column| column.ty.is_some()).count();
        let columns = typed + self.derives.len();
        if columns > most {
            let key = if self.columns.is_empty() { "derive" } else { "column" };
            let message = format!("{columns} columns are declared and derived, limits.columns is {most}");
            return Err(Mistake::new(key, message).hint("raise limits.columns if this is meant to be"));
        }
        if let Some(rows) = &self.rows {
            check_path("rows", rows)?;
        }
        for (key, value) in [("flatten_depth", self.flatten_depth), ("flatten_keys", self.flatten_keys)] {
            if value == Some(0) {
                return Err(Mistake::new(key, format!("{key} = 0 would leave no column")));
            }
        }
        let mut seen = BTreeSet::new();
        let mut twice = |name: &str| match seen.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(Mistake::new("name", format!("two columns are named `{name}`"))),
        };
        for (number, column) in self.columns.iter().enumerate() {
            let checked = twice(&column.name).and_then(|()| column.check(decimal));
            checked.map_err(|mistake| mistake.below(&format!("column.{number}")))?;
        }
        for (number, derive) in self.derives.iter().enumerate() {
            let replaced = self.columns.iter().any(|column| column.name == derive.name);
            let unique = if replaced && self.replaces(&derive.name) { Ok(()) } else { twice(&derive.name) };
            unique
                .and_then(|()| check_name("column", &derive.name))
                .and_then(|()| check_sql("sql", &format!("column `{}`", derive.name), &derive.sql))
                .map_err(|mistake| mistake.below(&format!("derive.{number}")))?;
        }
        for (number, check) in self.checks.iter().enumerate() {
            let named = if check.name.is_empty() {
                Err(Mistake::new("name", "a check needs a name"))
            } else {
                check_sql("sql", &format!("check `{}`", check.name), &check.sql)
            };
            named.map_err(|mistake| mistake.below(&format!("check.{number}")))?;
        }
        if let Some(filter) = &self.filter {
            check_sql("filter", "filter", filter)?;
        }
        let mut seen = BTreeSet::new();
        for (number, text) in self.partition_by.iter().enumerate() {
            let key = format!("partition_by.{number}");
            if !seen.insert(text) {
                return Err(Mistake::new(key, format!("partition_by has \"{text}\" twice")));
            }
            Expr::check_aliased(text).map_err(|error| in_sql(&key, "partition_by", text, &error))?;
        }
        Ok(())
    }
}

pub(super) fn check_name(what: &str, name: &str) -> Checked {
    if name == RESCUED {
        return Err(Mistake::new("name", format!("`{name}` is the column of values that do not fit"))
            .hint("on_misfit = \"rescue\" makes it; give this one another name"));
    }
    if names::is_valid(name) {
        return Ok(());
    }
    let message =
        format!("`{name}` is no {what} name: lower-case letters, digits and _ only, at most 255 bytes");
    let better = names::snake_case(name).unwrap_or_else(|| "a_name".into());
    Err(Mistake::new("name", message).hint(format!("write `{better}`")))
}

/// A dotted path has no empty key; in a pointer (RFC 6901) `~` begins an escape.
pub(super) fn check_path(key: &str, path: &str) -> Checked {
    let wrong = |why: &str| Mistake::new(key, format!("{key} = \"{path}\": {why}"));
    if path.len() > POINTER_BYTES {
        return Err(Mistake::new(key, format!("{key} is longer than {POINTER_BYTES} bytes")));
    }
    if let Some(pointer) = path.strip_prefix('/') {
        let is_escape = |rest: &str| rest.starts_with(['0', '1']);
        return match pointer.split('~').skip(1).all(is_escape) {
            true => Ok(()),
            false => Err(wrong("in a JSON pointer ~ is written ~0, and / inside a key ~1")),
        };
    }
    if path.split('.').any(str::is_empty) {
        return Err(wrong("the path has an empty key").hint("write a JSON pointer if a key really is empty"));
    }
    Ok(())
}

fn check_sql(key: &str, what: &str, sql: &str) -> Checked {
    Expr::check(sql).map_err(|error| in_sql(key, what, sql, &error))
}

fn in_sql(key: &str, what: &str, sql: &str, error: &ExprError) -> Mistake {
    let hint = error.hint.clone();
    Mistake { hint, ..Mistake::new(key, format!("{what}: {error} of \"{sql}\"")) }
}
