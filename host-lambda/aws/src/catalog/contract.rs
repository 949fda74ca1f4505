//! A contract as a catalog sees it: columns and partition keys with Athena's types.
//!
//! Not for reading contracts ([`lakegate_model::contract`]) or merging them (the transform). A type that this host
//! does not know is an error rather than a string.

use lakegate_model::{ColumnType, Contract};

use lakegate_base::{Code, Error, Result};

/// Name and Athena's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) ty: String,
}

/// Columns of the part files, and those that live in the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) columns: Vec<Typed>,
    pub(super) keys: Vec<Typed>,
}

impl Columns {
    /// Of a contract's text.
    pub(super) fn parse(table: &str, text: &str) -> Result<Self> {
        let damaged = |why: String| {
            Error::new(Code::LakeDamaged, format!("the contract of {table} cannot be read: {why}"))
        };
        let contract = Contract::parse(text).map_err(|failure| damaged(failure.to_string()))?;
        let typed = |name: &String, ty: ColumnType| Typed { name: name.clone(), ty: ty.athena() };
        Ok(Self {
            columns: contract.visible().map(|column| typed(&column.name, column.ty)).collect(),
            keys: contract.partition_by.iter().map(|key| typed(&key.name, key.ty)).collect(),
        })
    }

    /// Type of a column.
    pub(super) fn type_of(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|column| column.name == name).map(|column| column.ty.as_str())
    }
}

/// Whether two type names mean the same; crawlers and DDL differ in blanks and case.
pub(super) fn same_type(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_athenas() {
        let text = r#"{"version":1,"table":"t","rows":null,"columns":[
            {"name":"id","type":"bigint","pointer":"/id"},{"name":"price","type":"decimal(10,2)","pointer":"/p"},
            {"name":"tags","type":"json","pointer":"/tags"},{"name":"at","type":"timestamp","pointer":"/at"},
            {"name":"total","type":"double","sql":"a * b"}],
            "nulls":[{"name":"x","pointer":"/x"}],"partition_by":[{"name":"day","type":"date","sql":"day"}]}"#;
        let columns = Columns::parse("t", text).unwrap();
        let flat = |typed: &[Typed]| typed.iter().map(|t| format!("{} {}", t.name, t.ty)).collect::<Vec<_>>();
        assert_eq!(
            flat(&columns.columns),
            ["id bigint", "price decimal(10,2)", "tags string", "at timestamp", "total double"]
        );
        assert_eq!(flat(&columns.keys), ["day date"]);
    }

    #[test]
    fn an_unknown_type_is_no_string() {
        let text = r#"{"version":1,"table":"t","rows":null,"columns":[{"name":"a","type":"interval","pointer":"/a"}],
            "nulls":[],"partition_by":[]}"#;
        let error = Columns::parse("t", text).unwrap_err();
        assert_eq!(error.name(), "lake_damaged");
        assert!(error.to_string().contains("column a has the type interval"), "{error}");
    }

    #[test]
    fn blanks_and_case_make_no_other_type() {
        assert!(same_type("DECIMAL(10, 2)", "decimal(10,2)"));
        assert!(!same_type("decimal(10,3)", "decimal(10,2)"));
        assert!(!same_type("int", "bigint"));
    }
}
