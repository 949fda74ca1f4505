//! The contract: a table's whole agreed plan.
//!
//! For: reading and writing its canonical JSON text, whose SHA-256 names it. Not for: deciding what a new
//! contract should be (`propose` of the transform). A contract only ever grows: new columns at the end,
//! `nulls` → a column. Unknown keys pass; another version does not, since it may mean anything.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::code::Code;
use crate::column_type::ColumnType;
use crate::failure::Failure;

/// Version of the text that is read and written here.
const VERSION: u64 = 1;

/// The column of values that did not fit; no other may have its name.
pub const RESCUED: &str = "_rescued";

/// Longest name of a column or table, as Athena and Glue want.
pub const NAME_BYTES: usize = 255;

/// Most columns that a contract can have, those in the path among them; `limits.columns` is at most this.
pub const MOST_COLUMNS: usize = 100_000;

/// Whether `name` is a legal name of a column or table: `[a-z0-9_]`, since Athena, Glue and Trino fold case.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A JSON pointer (RFC 6901) into the record; `*` stands for the element of the exploded array.
    Pointer(String),
    /// What of the object at a JSON pointer no other column has, as one JSON object.
    Rest(String),
    /// Values of the row that did not fit their columns, by JSON pointer.
    Rescued,
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
            Self::Rest(pointer) => Cow::Owned(format!("the rest of {pointer}")),
            Self::Rescued => Cow::Borrowed("values that did not fit"),
            Self::Transform(name) => Cow::Owned(format!("by {name}")),
        }
    }

    /// The pointer, the expression, or the name of the extension; nothing where there is but one of the kind.
    pub fn text(&self) -> &str {
        match self {
            Self::Pointer(text) | Self::Rest(text) | Self::Sql(text) | Self::Transform(text) => text,
            Self::Rescued => "",
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
    /// Read, and usable in expressions, but in no part file and no catalog.
    pub hidden: bool,
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
    /// JSON pointer, from the top of the input, of the array whose elements are the records: where it was found, and
    /// no spec tells it.
    pub records: Option<String>,
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
            .map(|c| {
                let mut column = match &c.origin {
                    Origin::Pointer(p) => json!({"name": c.name, "type": c.ty, "pointer": p}),
                    Origin::Rest(p) => json!({"name": c.name, "type": c.ty, "rest": p}),
                    Origin::Rescued => json!({"name": c.name, "type": c.ty, "rescued": true}),
                    Origin::Sql(sql) => json!({"name": c.name, "type": c.ty, "sql": sql}),
                    Origin::Transform(name) => json!({"name": c.name, "type": c.ty, "transform": name}),
                };
                // Only where it is so: the texts of all other contracts stay as they are.
                if c.hidden {
                    column["output"] = json!(false);
                }
                column
            })
            .collect();
        let nulls: Vec<Value> =
            self.nulls.iter().map(|(name, pointer)| json!({"name": name, "pointer": pointer})).collect();
        let partition_by: Vec<Value> =
            self.partition_by.iter().map(|p| json!({"name": p.name, "type": p.ty, "sql": p.sql})).collect();
        let mut text = json!({"version": VERSION, "table": self.table});
        if let Some(records) = &self.records {
            text["records"] = json!(records);
        }
        let rest = json!({
            "rows": self.rows,
            "columns": columns,
            "nulls": nulls,
            "partition_by": partition_by,
        });
        if let (Value::Object(text), Value::Object(rest)) = (&mut text, rest) {
            text.extend(rest);
        }
        text.to_string()
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
            records: value["records"].as_str().map(str::to_owned),
            rows: value["rows"].as_str().map(str::to_owned),
            columns: list("columns")?.iter().map(column).collect::<Result<_, _>>()?,
            nulls: list("nulls")?
                .iter()
                .map(|null| Ok((text_of(null, "name")?, text_of(null, "pointer")?)))
                .collect::<Result<_, Failure>>()?,
            partition_by: list("partition_by")?.iter().map(partition).collect::<Result<_, _>>()?,
        })
    }

    /// Checks what a query engine needs and a transform may get wrong: legal names, none of them twice
    /// whatever their case, types that a path can have, a number of columns that can be held. Types of
    /// columns were checked when it was read.
    ///
    /// For a contract that is proposed, and for one that a job is to work under. A host that only looks at a live one
    /// reads it as it is.
    ///
    /// # Errors
    /// Fault `spec`, code `contract_invalid`, naming the column.
    pub fn check(&self) -> Result<(), Failure> {
        let wrong = |what: String| {
            Failure::spec(
                Code::ContractInvalid,
                format!("the contract of `{}` cannot be taken: {what}", shorten(&self.table)),
            )
        };
        if !is_name(&self.table) {
            return Err(wrong("that is no table name".into()));
        }
        let columns = self.columns.len() + self.partition_by.len();
        if columns > MOST_COLUMNS {
            let last = self.columns.last().map_or("", |column| &column.name);
            let last = shorten(last);
            return Err(wrong(format!(
                "it has {columns} columns up to `{last}`, {MOST_COLUMNS} is the limit"
            )));
        }
        // A derived column may have the name of the hidden one that it replaces.
        let derived = |name: &str| self.columns.iter().any(|c| c.name == name && c.origin.sql().is_some());
        let named = self.columns.iter().filter(|c| !c.hidden || !derived(&c.name)).map(|c| c.name.as_str());
        distinct(named.chain(self.nulls.iter().map(|(name, _)| name.as_str()))).map_err(wrong)?;
        // A column may live in the path, and has its name there once more.
        distinct(self.partition_by.iter().map(|p| p.name.as_str())).map_err(wrong)?;
        let in_a_path = |ty| {
            matches!(ty, ColumnType::String | ColumnType::Date | ColumnType::Bigint | ColumnType::Boolean)
        };
        if let Some(p) = self.partition_by.iter().find(|p| !in_a_path(p.ty)) {
            return Err(wrong(format!("the partition column `{}` is {}", p.name, p.ty)));
        }
        for partition in &self.partition_by {
            let column = self.columns.iter().rfind(|column| column.name == partition.name);
            if let Some(column) = column.filter(|column| column.ty != partition.ty) {
                let (name, ty) = (&partition.name, partition.ty);
                return Err(wrong(format!("`{name}` is {} as a column and {ty} in the path", column.ty)));
            }
        }
        Ok(())
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
        self.columns.iter().filter(|column| !column.hidden && !self.in_path(&column.name))
    }

    /// The columns that a reader of the table sees, those in the path among them.
    pub fn visible(&self) -> impl Iterator<Item = &ContractColumn> {
        self.columns.iter().filter(|column| !column.hidden || self.in_path(&column.name))
    }

    /// Whether it holds all of an earlier one: rows path, partitions, and every column in its place.
    pub fn holds(&self, before: &Self) -> bool {
        self.columns.starts_with(&before.columns)
            && self.records == before.records
            && self.rows == before.rows
            && self.partition_by == before.partition_by
    }

    /// Gives a column, in the files or in the path, another type; false if there is none of that name.
    pub fn retype(&mut self, name: &str, ty: ColumnType) -> bool {
        // The last of the name: one that it replaces stands before it.
        let last = self.columns.iter_mut().rfind(|column| column.name == name);
        let columns = last.into_iter().map(|column| (&column.name, &mut column.ty));
        let partitions = self.partition_by.iter_mut().map(|column| (&column.name, &mut column.ty));
        let found = columns.chain(partitions).filter(|(column, _)| *column == name);
        found.map(|(_, of)| *of = ty).count() > 0
    }
}

/// Legal names, each once whatever its case; or what is wrong with which.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.len() > NAME_BYTES {
            let (bytes, name) = (name.len(), shorten(name));
            return Err(format!("the name `{name}` has {bytes} bytes, {NAME_BYTES} is the limit"));
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(format!("two columns are named `{name}`, whatever their case"));
        }
        if !is_name(name) {
            return Err(format!("`{name}` is no column name: lower-case letters, digits and _ only"));
        }
    }
    Ok(())
}

/// As much of a name as a message can hold.
fn shorten(name: &str) -> Cow<'_, str> {
    const SHOWN: usize = 64;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
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
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let made = text("sql").map(Origin::Sql).or_else(|| text("transform").map(Origin::Transform));
    let rescued = (value["rescued"] == true).then_some(Origin::Rescued);
    let origin = match made.or_else(|| text("rest").map(Origin::Rest)).or(rescued) {
        Some(origin) => origin,
        None => Origin::Pointer(text_of(value, "pointer")?),
    };
    let name = text_of(value, "name")?;
    Ok(ContractColumn { ty: type_of(value, &name)?, name, origin, hidden: value["output"] == false })
}

fn partition(value: &Value) -> Result<PartitionColumn, Failure> {
    let name = text_of(value, "name")?;
    Ok(PartitionColumn { ty: type_of(value, &name)?, name, sql: text_of(value, "sql")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version":1,"table":"t","rows":"/items","columns":[{"name":"a","type":"bigint","pointer":"/a"},{"name":"b","type":"decimal(10,2)","sql":"a * 2"},{"name":"c","type":"json","transform":"mask"},{"name":"day","type":"date","pointer":"/day"},{"name":"e_rest","type":"json","rest":"/e"},{"name":"_rescued","type":"json","rescued":true}],"nulls":[{"name":"d","pointer":"/d"}],"partition_by":[{"name":"day","type":"date","sql":"day"}]}"#;

    #[test]
    fn a_contract_is_written_as_it_was_read() {
        let contract = Contract::parse(TEXT).unwrap();
        assert_eq!(contract.to_text(), TEXT);
        let files: Vec<&str> = contract.in_files().map(|column| column.name.as_str()).collect();
        assert_eq!(files, ["a", "b", "c", "e_rest", "_rescued"]);
        let found = TEXT.replace(r#""rows""#, r#""records":"/data/items","rows""#);
        assert_eq!(Contract::parse(&found).unwrap().to_text(), found);
        assert!(contract.holds_name("d") && contract.by_pointer("/a").is_some());
        let flat = TEXT.replace("\"/items\"", "null");
        assert_eq!(Contract::parse(&flat).unwrap().to_text(), flat);
        let newer = TEXT.replacen('{', r#"{"later":1,"#, 1);
        assert_eq!(Contract::parse(&newer).unwrap(), contract);
    }

    #[test]
    fn a_column_that_is_not_written_says_so_and_no_other_does() {
        let hidden = TEXT.replace("\"pointer\":\"/a\"}", "\"pointer\":\"/a\",\"output\":false}");
        let contract = Contract::parse(&hidden).unwrap();
        assert_eq!(contract.to_text(), hidden);
        let names =
            |columns: Vec<&ContractColumn>| columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(contract.in_files().collect()), ["b", "c", "e_rest", "_rescued"]);
        assert_eq!(names(contract.visible().collect()), ["b", "c", "day", "e_rest", "_rescued"]);
        let plain = Contract::parse(TEXT).unwrap();
        assert!(!contract.holds(&plain) && !plain.holds(&contract) && contract.holds(&contract));
        let said = TEXT.replace("\"pointer\":\"/a\"}", "\"pointer\":\"/a\",\"output\":true}");
        assert_eq!(Contract::parse(&said).unwrap().to_text(), TEXT);
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
    fn a_proposed_contract_is_checked_and_the_column_named() {
        let good = Contract::parse(TEXT).unwrap();
        good.check().unwrap();
        let long = "n".repeat(256);
        let renamed = |from: &str, to: &str| {
            let from = format!("\"name\":\"{from}\"");
            Contract::parse(&TEXT.replacen(&from, &format!("\"name\":\"{to}\""), 1)).unwrap()
        };
        for (contract, told) in [
            (renamed("b", "a"), "two columns are named `a`"),
            (renamed("b", "A"), "two columns are named `A`"),
            (renamed("d", "c"), "two columns are named `c`"),
            (renamed("b", "B"), "`B` is no column name"),
            (renamed("b", ""), "`` is no column name"),
            (renamed("b", "x y"), "`x y` is no column name"),
            (renamed("b", &long), "has 256 bytes"),
            (Contract { table: "T".into(), ..good.clone() }, "no table name"),
        ] {
            let failure = contract.check().unwrap_err();
            assert_eq!(failure.code, "contract_invalid");
            assert!(failure.message.contains(told), "{} lacks {told}", failure.message);
        }
        let mut paths = good.clone();
        paths.partition_by[0].ty = ColumnType::Double;
        assert!(paths.check().unwrap_err().message.contains("`day` is double"));
        paths.partition_by[0].ty = ColumnType::String;
        let two = paths.check().unwrap_err().message;
        assert!(two.contains("`day` is date as a column and string in the path"), "{two}");
        paths.partition_by[0].ty = ColumnType::Date;
        paths.partition_by.push(paths.partition_by[0].clone());
        assert!(paths.check().unwrap_err().message.contains("`day`"));
        let mut wide = good;
        wide.columns = (0..MOST_COLUMNS)
            .map(|n| ContractColumn { name: format!("c{n}"), ..wide.columns[0].clone() })
            .collect();
        assert!(wide.check().unwrap_err().message.contains("`c99999`"));
        wide.partition_by.clear();
        wide.check().unwrap();
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
            hidden: false,
        });
        assert!(after.holds(&before) && before.holds(&before) && !before.holds(&after));
        let mut other = before.clone();
        assert!(other.retype("day", ColumnType::String) && !other.retype("none", ColumnType::String));
        assert_eq!(other.to_text(), TEXT.replace("\"date\"", "\"string\""));
        assert!(!other.holds(&before));
        assert!(!Contract { rows: None, ..before.clone() }.holds(&before));
    }
}
