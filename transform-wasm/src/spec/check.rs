//! What a spec may say, option by option, before anything else looks at it.
//!
//! For: values that TOML can write and the transform cannot hold, and options that contradict each other.
//! Not for: what needs a contract's columns (names and types in SQL), which is checked when a job opens.
//! Each mistake carries its key, from which its line and column follow.

use std::collections::BTreeSet;

use lakegate_model::contract::RESCUED;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Empty, Format, Input, RowsPath, SPEC_VERSION, Spec, Table, positions};
use crate::error::{Code, Failure, Place};
use crate::expr::{self, Expr, ExprError};
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
    /// A mistake that shows only when the spec is put to use, with its place in the text.
    pub fn mistake(text: &str, key: String, message: String) -> Failure {
        Mistake::new(key, message).failure(text)
    }

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

/// Characters of the longest delimiter.
const DELIMITER: usize = 8;

/// Lines before or behind a table that are left out at most.
const EDGE_LINES: usize = 1000;

impl Input {
    fn check(&self) -> Checked {
        let decimal = self.decimal;
        // NUL is what the tokenizer fills its last block with; CR and LF end records.
        let is_sign = |sign: char| sign.is_ascii() && !matches!(sign, '\0' | '\n' | '\r');
        let told = self.delimiter.as_deref();
        if told.is_some_and(|told| !(1..=DELIMITER).contains(&told.len()) || !told.chars().all(is_sign)) {
            let message = format!("input.delimiter must be one ASCII character, or up to {DELIMITER}");
            return Err(Mistake::new("delimiter", message).hint("NUL and line ends cannot separate fields"));
        }
        let mut signs = self.quote.chars();
        let quote = match (signs.next(), signs.next()) {
            (Some(sign), None) if is_sign(sign) && sign != '\t' => Some(sign),
            _ if self.quote == Self::NOTHING => None,
            _ => {
                return Err(Mistake::new("quote", "input.quote must be one ASCII character, or \"none\"")
                    .hint("NUL, tab and line ends cannot stand around fields"));
            }
        };
        let first = told.and_then(|told| told.chars().next());
        let delimiter = first.or_else(|| (self.format == Format::Tsv).then_some('\t'));
        if quote.is_some() && delimiter == quote {
            let key = if quote == Some('"') { "delimiter" } else { "quote" };
            let sign = quote.unwrap_or_default();
            return Err(Mistake::new(key, format!("input.{key}: delimiter and quote are both {sign:?}"))
                .hint("no reader could tell where a field ends"));
        }
        if let Some(sign) = self.escape
            && (!is_sign(sign) || Some(sign) == delimiter)
        {
            return Err(Mistake::new(
                "escape",
                "input.escape must be one ASCII character, and not the delimiter",
            ));
        }
        self.check_comment(quote, delimiter)?;
        self.check_edges()?;
        if !matches!(decimal, '.' | ',') {
            return Err(Mistake::new("decimal", "input.decimal must be \".\" or \",\""));
        }
        let is_json = matches!(self.format, Format::Json | Format::Ndjson);
        if self.header && !self.columns.is_empty() && !is_json {
            return Err(Mistake::new("columns", "input.columns names columns that have no header")
                .hint("set header = false, or format = \"ndjson\" where each line is an array of values"));
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
        self.records.as_deref().map_or(Ok(()), |path| check_path("records", path))?;
        self.check_json()
    }

    /// What is said of JSON alone.
    fn check_json(&self) -> Checked {
        if matches!(self.format, Format::Csv | Format::Tsv) {
            let told = [
                ("parse_json", !self.parse_json.is_empty()),
                ("conventions", !self.conventions.is_empty()),
                ("columns_at", self.columns_at.is_some()),
                ("key", self.key.is_some()),
            ];
            if let Some((key, _)) = told.into_iter().find(|(_, told)| *told) {
                let message = format!("input.{key} is of JSON, and format says that the input is none");
                return Err(Mistake::new(key, message));
            }
        }
        for (number, path) in self.parse_json.iter().enumerate() {
            check_path("parse_json", path)
                .map_err(|mistake| Mistake { key: format!("parse_json.{number}"), ..mistake })?;
        }
        if let Some(path) = &self.columns_at {
            check_path("columns_at", path)?;
            if self.records.is_none() {
                let message =
                    "input.columns_at says where a document has the names, and nothing where its rows are";
                return Err(
                    Mistake::new("columns_at", message).hint("set records, such as records = \"rows\"")
                );
            }
        }
        if self.key.is_some() && !self.has_keys() {
            let message = "input.key names the key of each record, but records have none";
            return Err(Mistake::new("key", message).hint(
                "with records = \"*\", or a path that ends with .*, the members of an object are the records",
            ));
        }
        Ok(())
    }

    /// What stands before and behind the table.
    fn check_edges(&self) -> Checked {
        for (key, lines) in [("skip_lines", self.skip_lines), ("footer_lines", self.footer_lines)] {
            if lines > EDGE_LINES {
                return Err(Mistake::new(key, format!("input.{key} is at most {EDGE_LINES}")));
            }
        }
        for (key, text) in [("header_at", &self.header_at), ("footer_at", &self.footer_at)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.contains(['\n', '\r'])) {
                return Err(Mistake::new(
                    key,
                    format!("input.{key} is what a line begins with, and no line end"),
                ));
            }
        }
        for (key, told) in [("header_at", &self.header_at), ("header_matches", &self.header_matches)] {
            if told.is_some() && !self.header {
                return Err(Mistake::new(key, format!("input.{key} finds a header, but header = false")));
            }
        }
        if let Some(pattern) = &self.header_matches {
            if self.header_at.is_some() {
                let message = "header_at and header_matches both say how the header is found";
                return Err(Mistake::new("header_matches", message));
            }
            expr::pattern(pattern).map_err(|(why, hint)| Mistake {
                hint: hint.map(str::to_owned),
                ..Mistake::new("header_matches", format!("input.header_matches: {why}"))
            })?;
        }
        Ok(())
    }

    fn check_comment(&self, quote: Option<char>, delimiter: Option<char>) -> Checked {
        let Some(comment) = self.comment.as_deref().filter(|comment| *comment != Self::NOTHING) else {
            return Ok(());
        };
        let wrong = |why: &str| Mistake::new("comment", format!("input.comment {why}"));
        match comment.chars().next() {
            None => Err(wrong("is empty").hint("write \"none\" where no line is a comment")),
            Some(_) if comment.contains(['\0', '\n', '\r']) => Err(wrong("holds NUL or a line end")),
            Some(first) if Some(first) == quote || Some(first) == delimiter => {
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
            check_rows(rows, self.empty)?;
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

/// The way to the rows of a table.
fn check_rows(rows: &str, empty: Empty) -> Checked {
    check_path("rows", rows)?;
    let path = RowsPath::parse(rows);
    if path.0.iter().any(|level| level.keys.is_empty()) {
        let message = format!("rows = \"{rows}\": nothing stands between two levels of it");
        return Err(
            Mistake::new("rows", message).hint("write a[].b for the arrays b within the elements of a")
        );
    }
    if !positions(rows).is_empty() {
        let message = format!("rows = \"{rows}\": an element at a position makes no rows");
        return Err(
            Mistake::new("rows", message).hint("write [] behind an array whose elements all lead to rows")
        );
    }
    if path.is_reshaped() && empty == Empty::Drop {
        let message = "empty = \"drop\" is of one array, and rows goes through several levels or an object";
        return Err(Mistake::new("empty", message)
            .hint("say which rows are wanted in a filter, which counts the others"));
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
