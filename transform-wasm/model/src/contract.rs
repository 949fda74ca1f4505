//! The contract: a table's whole agreed plan.
//!
//! For: reading and writing its canonical JSON text, whose SHA-256 names it. Not for: deciding what a new
//! contract should be (`propose` of the transform). A contract only ever grows: new columns at the end,
//! `nulls` → a column. Unknown keys pass; another version does not, since it may mean anything.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::code::Code;
use crate::column_type::ColumnType;
use crate::failure::Failure;

/// Version of the text that is read and written here.
const VERSION: u64 = 1;

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A JSON pointer (RFC 6901) into the record; `*` stands for the element of the exploded array.
    Pointer(String),
    /// An SQL expression over the table's columns.
    Sql(String),
    /// An extension of the transform adds it; its name. Under a transform without it the column is null.
    Transform(String),
}

impl Origin {
    /// The pointer, where it is one.
    pub fn pointer(&self) -> Option<&str> {
        if let Self::Pointer(pointer) = self { Some(pointer) } else { None }
    }

    /// The expression, where it is one.
    pub fn sql(&self) -> Option<&str> {
        if let Self::Sql(sql) = self { Some(sql) } else { None }
    }

    /// As people read it: the pointer, the expression, or by which extension.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Pointer(text) | Self::Sql(text) => Cow::Borrowed(text),
            Self::Transform(name) => Cow::Owned(format!("by {name}")),
        }
    }

    /// The pointer, the expression, or the name of the extension.
    pub fn text(&self) -> &str {
        match self {
            Self::Pointer(text) | Self::Sql(text) | Self::Transform(text) => text,
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractColumn {
    /// Name in the table.
    pub name: String,
    /// Its type, for ever.
    pub ty: ColumnType,
    /// Where values come from.
    pub origin: Origin,
}

/// A partition column: in the path only, last in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionColumn {
    /// Name in the path.
    pub name: String,
    /// Its type: string, date, bigint or boolean.
    pub ty: ColumnType,
    /// The expression that makes it.
    pub sql: String,
}

/// The agreed plan of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Table name.
    pub table: String,
    /// JSON pointer of the array that is exploded.
    pub rows: Option<String>,
    /// Columns, in their order for ever.
    pub columns: Vec<ContractColumn>,
    /// Name and pointer of paths only ever seen as null: no column yet, but the name is held.
    pub nulls: Vec<(String, String)>,
    /// Partition columns.
    pub partition_by: Vec<PartitionColumn>,
}

impl Contract {
    /// The canonical text: one line of JSON, keys in a fixed order.
    pub fn to_text(&self) -> String {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|c| match &c.origin {
                Origin::Pointer(p) => json!({"name": c.name, "type": c.ty, "pointer": p}),
                Origin::Sql(sql) => json!({"name": c.name, "type": c.ty, "sql": sql}),
                Origin::Transform(name) => json!({"name": c.name, "type": c.ty, "transform": name}),
            })
            .collect();
        let nulls: Vec<Value> =
            self.nulls.iter().map(|(name, pointer)| json!({"name": name, "pointer": pointer})).collect();
        let partition_by: Vec<Value> =
            self.partition_by.iter().map(|p| json!({"name": p.name, "type": p.ty, "sql": p.sql})).collect();
        json!({
            "version": VERSION,
            "table": self.table,
            "rows": self.rows,
            "columns": columns,
            "nulls": nulls,
            "partition_by": partition_by,
        })
        .to_string()
    }

    /// Reads a contract text.
    ///
    /// # Errors
    /// Fault `spec`, code `contract_invalid`, naming what is wrong.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(text).map_err(|_| bad("not JSON"))?;
        if value["version"] != VERSION {
            return Err(bad("its version is not 1").hint("a newer lakegate wrote it: update this one"));
        }
        let list = |key: &str| value[key].as_array().ok_or_else(|| bad(key));
        Ok(Self {
            table: text_of(&value, "table")?,
            rows: value["rows"].as_str().map(str::to_owned),
            columns: list("columns")?.iter().map(column).collect::<Result<_, _>>()?,
            nulls: list("nulls")?
                .iter()
                .map(|null| Ok((text_of(null, "name")?, text_of(null, "pointer")?)))
                .collect::<Result<_, Failure>>()?,
            partition_by: list("partition_by")?.iter().map(partition).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a column or a remembered null holds `name`.
    pub fn holds_name(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.name == name) || self.nulls.iter().any(|(n, _)| n == name)
    }

    /// The column that reads `pointer`.
    pub fn by_pointer(&self, pointer: &str) -> Option<&ContractColumn> {
        self.columns.iter().find(|c| c.origin.pointer() == Some(pointer))
    }

    /// Whether a column lives in the path, and so in no part file.
    pub fn in_path(&self, name: &str) -> bool {
        self.partition_by.iter().any(|partition| partition.name == name)
    }

    /// The columns that part files have, in order.
    pub fn in_files(&self) -> impl Iterator<Item = &ContractColumn> {
        self.columns.iter().filter(|column| !self.in_path(&column.name))
    }

    /// Whether it holds all of an earlier one: rows path, partitions, and every column in its place.
    pub fn holds(&self, before: &Self) -> bool {
        self.columns.starts_with(&before.columns)
            && self.rows == before.rows
            && self.partition_by == before.partition_by
    }

    /// Gives a column, in the files or in the path, another type; false if there is none of that name.
    pub fn retype(&mut self, name: &str, ty: ColumnType) -> bool {
        let columns = self.columns.iter_mut().map(|column| (&column.name, &mut column.ty));
        let partitions = self.partition_by.iter_mut().map(|column| (&column.name, &mut column.ty));
        let found = columns.chain(partitions).filter(|(column, _)| *column == name);
        found.map(|(_, of)| *of = ty).count() > 0
    }
}

fn bad(what: &str) -> Failure {
    Failure::spec(Code::ContractInvalid, format!("the contract is not readable: {what}"))
}

fn text_of(value: &Value, key: &str) -> Result<String, Failure> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| bad(key))
}

fn type_of(value: &Value, name: &str) -> Result<ColumnType, Failure> {
    let text = text_of(value, "type")?;
    ColumnType::parse(&text).ok_or_else(|| bad(&format!("column {name} has the type {text}")))
}

fn column(value: &Value) -> Result<ContractColumn, Failure> {
    let origin = match (value["sql"].as_str(), value["transform"].as_str()) {
        (Some(sql), _) => Origin::Sql(sql.to_owned()),
        (None, Some(name)) => Origin::Transform(name.to_owned()),
        (None, None) => Origin::Pointer(text_of(value, "pointer")?),
    };
    let name = text_of(value, "name")?;
    Ok(ContractColumn { ty: type_of(value, &name)?, name, origin })
}

fn partition(value: &Value) -> Result<PartitionColumn, Failure> {
    let name = text_of(value, "name")?;
    Ok(PartitionColumn { ty: type_of(value, &name)?, name, sql: text_of(value, "sql")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version":1,"table":"t","rows":"/items","columns":[{"name":"a","type":"bigint","pointer":"/a"},{"name":"b","type":"decimal(10,2)","sql":"a * 2"},{"name":"c","type":"json","transform":"mask"},{"name":"day","type":"date","pointer":"/day"}],"nulls":[{"name":"d","pointer":"/d"}],"partition_by":[{"name":"day","type":"date","sql":"day"}]}"#;

    #[test]
    fn a_contract_is_written_as_it_was_read() {
        let contract = Contract::parse(TEXT).unwrap();
        assert_eq!(contract.to_text(), TEXT);
        let files: Vec<&str> = contract.in_files().map(|column| column.name.as_str()).collect();
        assert_eq!(files, ["a", "b", "c"]);
        assert!(contract.holds_name("d") && contract.by_pointer("/a").is_some());
        let flat = TEXT.replace("\"/items\"", "null");
        assert_eq!(Contract::parse(&flat).unwrap().to_text(), flat);
        let newer = TEXT.replacen('{', r#"{"later":1,"#, 1);
        assert_eq!(Contract::parse(&newer).unwrap(), contract);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut cases = vec![("{".to_owned(), "not JSON"), ("{}".into(), "version")];
        for (from, to, told) in [
            ("\"version\":1", "\"version\":2", "version"),
            ("\"table\":\"t\"", "\"table\":1", "table"),
            ("decimal(10,2)", "interval", "column b has the type interval"),
            ("\"pointer\":\"/a\"", "\"pointers\":\"/a\"", "pointer"),
            ("\"nulls\"", "\"nothing\"", "nulls"),
            ("\"sql\":\"day\"", "\"x\":1", "sql"),
        ] {
            cases.push((TEXT.replacen(from, to, 1), told));
        }
        for (text, told) in cases {
            let failure = Contract::parse(&text).unwrap_err();
            assert_eq!(failure.code, "contract_invalid");
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }

    #[test]
    fn a_contract_only_grows() {
        let before = Contract::parse(TEXT).unwrap();
        let mut after = before.clone();
        after.nulls.clear();
        after.columns.push(ContractColumn {
            name: "d".into(),
            ty: ColumnType::String,
            origin: Origin::Pointer("/d".into()),
        });
        assert!(after.holds(&before) && before.holds(&before) && !before.holds(&after));
        let mut other = before.clone();
        assert!(other.retype("day", ColumnType::String) && !other.retype("none", ColumnType::String));
        assert_eq!(other.to_text(), TEXT.replace("\"date\"", "\"string\""));
        assert!(!other.holds(&before));
        assert!(!Contract { rows: None, ..before.clone() }.holds(&before));
    }
}
