//! A contract's text as people read it: columns, where they come from, what changed between two.
//!
//! For: `contract`, `preview` and the types in a printed query. Not for: reading the text, which
//! [`lakegate_model::contract`] does. Unknown keys pass there, so that what a newer component adds to a contract
//! does not keep an older command from showing it.

use crate::show::render::{Cell, Grid, Screen, Tone, count, sql_text, visible};
use lakegate_base::{Code, Error};
use lakegate_model::{ColumnType, Contract, ContractColumn, PartitionColumn};

/// A table's contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractView {
    /// Table name.
    pub table: String,
    /// JSON pointer of the array that is exploded.
    pub rows: Option<String>,
    /// Columns of the part files, in order.
    pub columns: Vec<Entry>,
    /// Names of paths only ever seen as null: not yet columns.
    pub nulls: Vec<String>,
    /// Columns that live in the path.
    pub partition_by: Vec<Entry>,
}

/// One column of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Column name.
    pub name: String,
    /// Type, as Athena names it (and `json`).
    pub ty: ColumnType,
    /// Read, usable in expressions, and in no file.
    pub hidden: bool,
    from: String,
}

/// One difference between two contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `added`, `removed`, `type`, `source` or `rows`.
    pub what: &'static str,
    /// Column, or the empty text for the table as a whole.
    pub column: String,
    /// How it was.
    pub before: Option<String>,
    /// How it is.
    pub after: Option<String>,
}

impl Entry {
    /// The pointer, the SQL, or the transform that adds it.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The type to declare in Athena or Glue.
    pub fn athena(&self) -> String {
        self.ty.athena()
    }

    /// How Parquet stores the type.
    pub fn parquet(&self) -> String {
        self.ty.parquet()
    }

    fn duckdb(&self) -> &'static str {
        match self.ty {
            ColumnType::Bigint => "BIGINT",
            ColumnType::Boolean => "BOOLEAN",
            ColumnType::Date => "DATE",
            _ => "VARCHAR",
        }
    }
}

impl From<Contract> for ContractView {
    fn from(contract: Contract) -> Self {
        let column = |c: ContractColumn| Entry {
            from: c.origin.text().to_owned(),
            name: c.name,
            ty: c.ty,
            hidden: c.hidden,
        };
        let partition = |p: PartitionColumn| Entry { name: p.name, ty: p.ty, from: p.sql, hidden: false };
        Self {
            table: contract.table,
            rows: contract.rows,
            columns: contract.columns.into_iter().map(column).collect(),
            nulls: contract.nulls.into_iter().map(|(name, _)| name).collect(),
            partition_by: contract.partition_by.into_iter().map(partition).collect(),
        }
    }
}

impl ContractView {
    /// Reads a contract's text.
    ///
    /// # Errors
    /// The text is no contract: what is stored was changed by hand.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Contract::parse(text).map(Self::from).map_err(|failure| {
            Error::new(Code::BrokenContract, format!("the stored contract cannot be read: {failure}"))
                .with_hint(failure.hint.unwrap_or_else(|| "contracts are stored by their digest and never edited; restore the file, then run `lakegate fsck`".into()))
        })
    }

    /// What changed from `before` to `self`, in this contract's column order; removals last.
    pub fn changes(&self, before: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.rows != before.rows {
            changes.push(Change {
                what: "rows",
                column: String::new(),
                before: before.rows.clone(),
                after: self.rows.clone(),
            });
        }
        for (now, then) in [(&self.columns, &before.columns), (&self.partition_by, &before.partition_by)] {
            for entry in now {
                let change = |what, before: Option<&str>, after: &str| Change {
                    what,
                    column: entry.name.clone(),
                    before: before.map(str::to_owned),
                    after: Some(after.to_owned()),
                };
                match then.iter().find(|old| old.name == entry.name) {
                    None => changes.push(change("added", None, &entry.ty.to_string())),
                    Some(old) if old.ty != entry.ty => {
                        changes.push(change("type", Some(&old.ty.to_string()), &entry.ty.to_string()));
                    }
                    Some(old) if old.from() != entry.from() => {
                        changes.push(change("source", Some(old.from()), entry.from()));
                    }
                    Some(_) => {}
                }
            }
            for old in then.iter().filter(|old| now.iter().all(|entry| entry.name != old.name)) {
                changes.push(Change {
                    what: "removed",
                    column: old.name.clone(),
                    before: Some(old.ty.to_string()),
                    after: None,
                });
            }
        }
        changes
    }

    /// `12 columns`, or `12 columns and 2 in the path`.
    pub fn summary(&self) -> String {
        let in_files = self.columns.iter().filter(|column| self.in_files(column)).count();
        let hidden = self.hidden().count();
        let mut columns = count(in_files as u64, "column", "columns");
        if hidden > 0 {
            columns.push_str(&format!(" ({hidden} more not written)"));
        }
        match self.partition_by.len() {
            0 => columns,
            partitions => format!("{columns} and {partitions} in the path"),
        }
    }

    /// Whether part files have a column: it is written, and not in the path.
    pub fn in_files(&self, column: &Entry) -> bool {
        !column.hidden && !self.in_path(&column.name)
    }

    /// Columns that a reader of the table does not see.
    fn hidden(&self) -> impl Iterator<Item = &Entry> {
        self.columns.iter().filter(|entry| entry.hidden && !self.in_path(&entry.name))
    }

    fn in_path(&self, name: &str) -> bool {
        self.partition_by.iter().any(|entry| entry.name == name)
    }

    /// The columns as a table.
    pub fn render(&self, screen: Screen) -> String {
        let mut grid = Grid::new(&[">#", "column", "athena", "parquet", "from"]);
        for (index, entry) in self.columns.iter().filter(|entry| self.in_files(entry)).enumerate() {
            grid.row(vec![
                Cell::new(Tone::Dim, (index + 1).to_string()),
                Cell::new(Tone::Name, visible(&entry.name)),
                entry.athena().into(),
                Cell::new(Tone::Dim, entry.parquet()),
                Cell::new(Tone::Dim, visible(entry.from())),
            ]);
        }
        for entry in &self.partition_by {
            // A column that became a partition says where its values come from; the partition only repeats its name.
            let from = self.columns.iter().find(|column| column.name == entry.name).unwrap_or(entry);
            grid.row(vec![
                Cell::new(Tone::Dim, "p"),
                Cell::new(Tone::Name, visible(&entry.name)),
                entry.athena().into(),
                Cell::new(Tone::Dim, "in the path"),
                Cell::new(Tone::Dim, visible(from.from())),
            ]);
        }
        for entry in self.hidden() {
            grid.row(vec![
                Cell::new(Tone::Dim, "-"),
                Cell::new(Tone::Name, visible(&entry.name)),
                entry.athena().into(),
                Cell::new(Tone::Dim, "not written"),
                Cell::new(Tone::Dim, visible(entry.from())),
            ]);
        }
        let mut text = grid.render(screen);
        if !self.nulls.is_empty() {
            let names: Vec<String> = self.nulls.iter().map(|name| visible(name)).collect();
            text.push_str(&format!("  only null so far, no column yet: {}\n", names.join(", ")));
        }
        text
    }

    /// A DuckDB query over the table's part files in `folder` (its path as the person would write it).
    ///
    /// `union_by_name` because files from before a contract grew lack its newest columns; the types of
    /// partition columns because DuckDB would guess them from the values (`007` becomes 7). Only single quotes, so
    /// that it can stand between double ones in a shell.
    pub fn query(&self, folder: &str) -> String {
        let mut options = "hive_partitioning = true, union_by_name = true".to_owned();
        if !self.partition_by.is_empty() {
            let types: Vec<String> = self
                .partition_by
                .iter()
                .map(|entry| format!("{}: {}", sql_text(&entry.name), entry.duckdb()))
                .collect();
            options.push_str(&format!(", hive_types = {{{}}}", types.join(", ")));
        }
        format!(
            "SELECT * FROM read_parquet({}, {options}) LIMIT 10",
            sql_text(&format!("{}/**/*.parquet", glob(folder)))
        )
    }
}

/// `folder` with what a glob would read as a pattern made literal.
fn glob(folder: &str) -> String {
    let mut escaped = String::with_capacity(folder.len());
    for c in folder.chars() {
        match c {
            '*' | '?' | '[' => escaped.push_str(&format!("[{c}]")),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Changes as a table of their own.
pub fn render_changes(changes: &[Change], screen: Screen) -> String {
    let mut grid = Grid::new(&["", "", "", ""]);
    for change in changes {
        let (sign, tone) = match change.what {
            "added" => ("+", Tone::Good),
            "removed" => ("-", Tone::Bad),
            _ => ("~", Tone::Warn),
        };
        let shown = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("{before} -> {after}"),
            (None, Some(only)) | (Some(only), None) => only.clone(),
            (None, None) => String::new(),
        };
        let column = if change.column.is_empty() { "(rows)" } else { &change.column };
        grid.row(vec![
            Cell::new(tone, sign),
            Cell::new(Tone::Name, visible(column)),
            visible(&shown).into(),
            Cell::new(Tone::Dim, change.what),
        ]);
    }
    grid.render(screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"{"version":1,"table":"orders","rows":null,"columns":[
        {"name":"id","type":"bigint","pointer":"/id"},{"name":"gone","type":"string","pointer":"/gone"}],
        "nulls":[{"name":"coupon","pointer":"/coupon"}],"partition_by":[]}"#;
    const AFTER: &str = r#"{"version":1,"table":"orders","rows":"/products","columns":[
        {"name":"id","type":"string","pointer":"/id"},{"name":"total","type":"double","sql":"a * b"}],
        "nulls":[],"partition_by":[{"name":"order date","type":"date","sql":"d"}],"new_key":true}"#;

    #[test]
    fn changes_are_found_by_name() {
        let (before, after) = (ContractView::parse(BEFORE).unwrap(), ContractView::parse(AFTER).unwrap());
        let found: Vec<(&str, String)> =
            after.changes(&before).into_iter().map(|change| (change.what, change.column)).collect();
        assert_eq!(
            found,
            [
                ("rows", String::new()),
                ("type", "id".into()),
                ("added", "total".into()),
                ("removed", "gone".into()),
                ("added", "order date".into())
            ]
        );
        assert!(after.changes(&after).is_empty());
        let text = render_changes(&after.changes(&before), Screen::default());
        assert!(text.contains("~  id          bigint -> string"), "{text}");
    }

    #[test]
    fn the_query_is_quoted_and_typed() {
        let plan = ContractView::parse(AFTER).unwrap();
        assert_eq!(
            plan.query("bob's [lake]/orders"),
            "SELECT * FROM read_parquet('bob''s [[]lake]/orders/**/*.parquet', hive_partitioning = true, \
             union_by_name = true, hive_types = {'order date': DATE}) LIMIT 10"
        );
    }

    #[test]
    fn a_contract_is_shown_with_what_it_waits_for() {
        let text = ContractView::parse(BEFORE).unwrap().render(Screen::default());
        assert!(text.contains("1  id") && text.contains("INT64") && text.contains("coupon"), "{text}");
    }

    #[test]
    fn a_broken_contract_says_what_to_do() {
        assert!(ContractView::parse("{").unwrap_err().hint().unwrap().contains("fsck"));
    }
}
