//! The contract: a table's whole agreed plan.
//!
//! For: reading and writing its canonical JSON text, whose SHA-256 names it, and checking a spec
//! against a live one. Not for: deciding what a new contract should be (see `propose`).
//! The decision to know: a contract only ever grows: new columns at the end, `nulls` → a column.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::column::ColumnType;
use crate::error::Failure;

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
                Origin::Pointer(p) => json!({"name": c.name, "type": c.ty.to_string(), "pointer": p}),
                Origin::Sql(sql) => json!({"name": c.name, "type": c.ty.to_string(), "sql": sql}),
                Origin::Transform(name) => {
                    json!({"name": c.name, "type": c.ty.to_string(), "transform": name})
                }
            })
            .collect();
        let nulls: Vec<Value> =
            self.nulls.iter().map(|(name, pointer)| json!({"name": name, "pointer": pointer})).collect();
        let partition_by: Vec<Value> = self
            .partition_by
            .iter()
            .map(|p| json!({"name": p.name, "type": p.ty.to_string(), "sql": p.sql}))
            .collect();
        json!({
            "version": 1,
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
        let bad =
            |what: &str| Failure::spec("contract_invalid", format!("the contract is not readable: {what}"));
        let value: Value = serde_json::from_str(text).map_err(|_| bad("not JSON"))?;
        if value["version"] != 1 {
            return Err(bad("its version is not 1").hint("a newer lakegate wrote it: update this one"));
        }
        let text_of = |v: &Value, key: &str| v[key].as_str().map(str::to_owned).ok_or_else(|| bad(key));
        let type_of =
            |v: &Value| v["type"].as_str().and_then(ColumnType::parse).ok_or_else(|| bad("a column's type"));
        let list = |key: &str| value[key].as_array().cloned().ok_or_else(|| bad(key));
        let columns = list("columns")?
            .iter()
            .map(|c| {
                let origin = match (c["sql"].as_str(), c["transform"].as_str()) {
                    (Some(sql), _) => Origin::Sql(sql.to_owned()),
                    (None, Some(name)) => Origin::Transform(name.to_owned()),
                    (None, None) => Origin::Pointer(text_of(c, "pointer")?),
                };
                Ok(ContractColumn { name: text_of(c, "name")?, ty: type_of(c)?, origin })
            })
            .collect::<Result<_, Failure>>()?;
        let nulls = list("nulls")?
            .iter()
            .map(|n| Ok((text_of(n, "name")?, text_of(n, "pointer")?)))
            .collect::<Result<_, Failure>>()?;
        let partition_by = list("partition_by")?
            .iter()
            .map(|p| {
                Ok(PartitionColumn { name: text_of(p, "name")?, ty: type_of(p)?, sql: text_of(p, "sql")? })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            table: text_of(&value, "table")?,
            rows: value["rows"].as_str().map(str::to_owned),
            columns,
            nulls,
            partition_by,
        })
    }

    /// Whether a column or a remembered null holds `name`.
    pub fn holds_name(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.name == name) || self.nulls.iter().any(|(n, _)| n == name)
    }

    /// The column that reads `pointer`.
    pub fn by_pointer(&self, pointer: &str) -> Option<&ContractColumn> {
        self.columns.iter().find(|c| matches!(&c.origin, Origin::Pointer(p) if p == pointer))
    }
}

/// SHA-256 of a text, lower-case hex.
pub fn digest(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
