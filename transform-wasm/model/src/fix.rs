//! Changes of a spec that answer a warning: what a button of the page and `init --fix` do.
//!
//! Not for making them in the text (`lakegate-edit`). The decision to know: a value is TOML as it is written, so that
//! what a person reads on a button is what comes to stand in the spec.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// One key of a spec and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// The table that it is of; none: `[input]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The column of the table that it is of; none: the table itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Where the column comes from, as a spec writes paths, for a spec that does not declare it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The key.
    pub key: Cow<'static, str>,
    /// The value as TOML.
    pub value: String,
}

impl Edit {
    /// A key of `[input]`.
    pub fn input(key: &'static str, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), ..Self::default() }
    }

    /// A key of a table.
    pub fn table(table: &str, key: &'static str, value: impl Into<String>) -> Self {
        Self { table: Some(table.to_owned()), ..Self::input(key, value) }
    }

    /// A key of a column.
    pub fn column(
        table: &str,
        name: &str,
        from: Option<String>,
        key: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self { column: Some(name.to_owned()), from, ..Self::table(table, key, value) }
    }
}

/// Edits that answer a warning together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fix(pub Vec<Edit>);

impl Fix {
    /// True if it changes what a record or a row is, or how the input is read: what was proposed of columns before does
    /// not hold any more.
    pub fn is_of_shape(&self) -> bool {
        self.0.iter().any(|edit| edit.column.is_none())
    }

    /// As a button says it: `type = "date", format = "%d/%m/%Y"`, behind it the columns that it is of.
    pub fn label(&self) -> String {
        let mut label = String::new();
        for edit in &self.0 {
            let of = edit.column.as_ref().map(|column| format!(" for {column}")).unwrap_or_default();
            let one = format!("{} = {}", edit.key, edit.value);
            // Keys of one column stand together.
            if !of.is_empty() && label.ends_with(&of) {
                label.truncate(label.len() - of.len());
            }
            if !label.is_empty() {
                label.push_str(", ");
            }
            label.push_str(&one);
            label.push_str(&of);
        }
        label
    }
}

/// A TOML basic string.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_says_what_it_writes() {
        let date = |key, value| Edit::column("t", "day", None, key, value);
        let other = Edit::column("t", "at", Some("x.at".into()), "type", "\"timestamp\"");
        for (edits, label) in [
            (vec![Edit::input("records", "\"data.orders\"")], "records = \"data.orders\""),
            (vec![Edit::table("t", "rows", "\"items\"")], "rows = \"items\""),
            (
                vec![date("type", "\"date\""), date("format", "\"%d/%m/%Y\"")],
                "type = \"date\", format = \"%d/%m/%Y\" for day",
            ),
            (vec![date("type", "\"date\""), other], "type = \"date\" for day, type = \"timestamp\" for at"),
        ] {
            let shape = edits[0].column.is_none();
            let fix = Fix(edits);
            assert_eq!((fix.label().as_str(), fix.is_of_shape()), (label, shape));
            let text = serde_json::to_string(&fix).unwrap();
            assert_eq!(serde_json::from_str::<Fix>(&text).unwrap(), fix);
        }
    }
}
