//! What a contract says of its columns, as lineage.
//!
//! Not for deciding anything: the transform alone gives a contract its meaning. The decision to know: which
//! columns an expression reads is found by its words, not by parsing it. A word that is also a column's name
//! counts even where it is a keyword; lineage may name a column too many, never one too few.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::Contract;

use crate::observe::lineage::event::{
    ColumnLineage, FieldLineage, InputField, Schema, SchemaField, Transformation,
};
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::TableContract;

const IDENTITY: &str = "IDENTITY";
const TRANSFORMATION: &str = "TRANSFORMATION";

/// A contract as lineage sees it.
pub(super) struct Plan {
    columns: Vec<Column>,
    partition_by: Vec<Column>,
}

struct Column {
    name: String,
    ty: String,
    pointer: Option<String>,
    sql: Option<String>,
    /// Read, and in no file.
    hidden: bool,
}

impl Plan {
    pub(super) fn parse(contract: &TableContract) -> Result<Self> {
        let table = &contract.table;
        let contract = Contract::parse(&contract.text).map_err(|failure| {
            let error = Error::new(Code::ContractUnreadable, format!("the contract of {table}: {failure}"));
            match failure.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })?;
        let read = contract.columns.into_iter().map(|column| Column {
            pointer: column.origin.pointer().map(str::to_owned),
            sql: column.origin.sql().map(str::to_owned),
            name: column.name,
            ty: column.ty.to_string(),
            hidden: column.hidden,
        });
        let in_path = contract.partition_by.into_iter().map(|column| Column {
            name: column.name,
            ty: column.ty.to_string(),
            pointer: None,
            sql: Some(column.sql),
            hidden: false,
        });
        Ok(Self { columns: read.collect(), partition_by: in_path.collect() })
    }

    /// All columns of the table: those of the part files, then those of the path.
    fn all(&self) -> impl Iterator<Item = &Column> {
        let in_path = |name: &str| self.partition_by.iter().any(|column| column.name == name);
        let in_files = self.columns.iter().filter(move |column| !column.hidden && !in_path(&column.name));
        in_files.chain(&self.partition_by)
    }

    pub(super) fn schema(&self) -> Schema {
        let field = |column: &Column| SchemaField { name: column.name.clone(), ty: column.ty.clone() };
        Schema { fields: self.all().map(field).collect() }
    }

    /// Every column with the pointers, into records of the source, that its values are made of.
    pub(super) fn lineage(&self, namespace: &str, name: &str) -> ColumnLineage {
        let field = |column: &Column| {
            let sql = self.expression(column);
            let kind = if sql.is_some() { TRANSFORMATION } else { IDENTITY };
            let mut pointers = BTreeSet::new();
            self.pointers(column, &mut BTreeSet::new(), &mut pointers);
            let input = |pointer: &str| InputField {
                namespace: namespace.into(),
                name: name.into(),
                field: pointer.into(),
                transformations: vec![Transformation {
                    ty: "DIRECT".into(),
                    subtype: kind.into(),
                    description: sql.map(str::to_owned),
                }],
            };
            FieldLineage {
                input_fields: pointers.into_iter().map(input).collect(),
                transformation_description: sql.map(str::to_owned),
                transformation_type: Some(kind.into()),
            }
        };
        let fields: BTreeMap<_, _> = self.all().map(|column| (column.name.clone(), field(column))).collect();
        ColumnLineage { fields }
    }

    /// The SQL that makes a column. `partition_by = ["day"]` only names another column: it is made as that one is.
    fn expression<'a>(&'a self, column: &'a Column) -> Option<&'a str> {
        let sql = column.sql.as_deref()?;
        match self.named(sql.trim()) {
            Some(other) if !std::ptr::eq(other, column) => other.sql.as_deref(),
            _ => Some(sql),
        }
    }

    /// The column of the part files, or beside them, that has a name in SQL, which knows no case.
    fn named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// `seen` ends a circle, which no spec can make but a file made by hand can.
    fn pointers<'a>(
        &'a self,
        column: &'a Column,
        seen: &mut BTreeSet<&'a str>,
        found: &mut BTreeSet<&'a str>,
    ) {
        found.extend(column.pointer.as_deref());
        let Some(sql) = &column.sql else { return };
        for word in words(sql) {
            let Some(read) = self.named(&word) else { continue };
            if !std::ptr::eq(read, column) && seen.insert(&read.name) {
                self.pointers(read, seen, found);
            }
        }
    }
}

/// Words and quoted names of an expression, but no literals, comments and functions.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c == '_' || c.is_alphanumeric();
        if first == '\'' || first == '"' || first == '`' {
            let (text, length) = quoted(rest, first);
            if first != '\'' {
                words.push(text);
            }
            rest = &rest[length..];
        } else if rest.starts_with("--") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if word(first) {
            let (text, after) = rest.split_at(rest.find(|c| !word(c)).unwrap_or(rest.len()));
            if !first.is_numeric() && !after.trim_start().starts_with('(') {
                words.push(text.to_owned());
            }
            rest = after;
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    words
}

/// What is in quotes, and its length with them; a doubled quote stands for itself.
fn quoted(rest: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return (text, at + 1);
        }
    }
    (text, rest.len())
}
