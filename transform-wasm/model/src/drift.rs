//! Type drift: values that have left the type of their column, and the command that changes it.
//!
//! For: naming `lakegate contract change` with its arguments, the same in command, function and page. Not for: changing
//! anything. Decisions to know: it goes by the names of reasons and by what kind of value came, never by a message; and
//! where several kinds came to one column, the type that keeps numbers numbers is named first, since a text among them
//! more often stands for null than for another type.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::column_type::ColumnType;
use crate::contract::Contract;
use crate::fix::{Edit, Fix, quote};
use crate::output;
use crate::quarantine::{Found, QuarantineLine};

/// Columns that are told apart.
const COLUMNS: usize = 1_000;

/// What kind of value did not fit, as far as it decides what would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// A number with a fraction where whole ones are.
    Fraction,
    /// Something that only a text holds as it is.
    Text,
    /// An object or an array.
    Nested,
}

impl Came {
    /// `None`: another type of its column would not help the record.
    fn of(code: &str, found: Option<Found>) -> Option<Self> {
        Some(match (code, found) {
            ("fraction", _) => Self::Fraction,
            ("type_mismatch", Some(Found::Object | Found::Array)) => Self::Nested,
            (
                "type_mismatch" | "not_a_number" | "leading_zero" | "out_of_range" | "inexact"
                | "too_many_digits" | "not_finite" | "not_a_boolean" | "not_a_date" | "not_a_timestamp"
                | "bad_format" | "not_json",
                _,
            ) => Self::Text,
            _ => return None,
        })
    }

    /// The type that takes it beside what the column holds.
    fn wants(self, from: ColumnType, in_path: bool) -> Option<ColumnType> {
        let to = match self {
            Self::Fraction if from == ColumnType::Bigint && !in_path => ColumnType::Double,
            Self::Fraction | Self::Text => ColumnType::String,
            Self::Nested => ColumnType::Json,
        };
        let legal = !(in_path && to == ColumnType::Json);
        Some(to).filter(|to| legal && *to != from && !(from == ColumnType::Json && self != Self::Text))
    }
}

/// How many values of which kind did not fit at each path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misfits(BTreeMap<(String, Came), u64>);

impl Misfits {
    /// One more rejected record.
    pub fn add(&mut self, line: &QuarantineLine<'_>) {
        if let Some(path) = &line.path {
            self.count(path, &line.code, line.found, 1);
        }
    }

    /// So many records that were rejected for one reason at one path.
    pub fn count(&mut self, path: &str, code: &str, found: Option<Found>, records: u64) {
        let Some(came) = Came::of(code, found) else { return };
        let key = (starred(path), came);
        if self.0.len() < COLUMNS || self.0.contains_key(&key) {
            *self.0.entry(key).or_default() += records;
        }
    }

    /// The columns that they are of, in the order of tables and columns. `spec` tells which types are declared: there a
    /// value that does not fit is a mistake as long as the object was taken, and a type that was left once it `failed`.
    pub fn drift(&self, contracts: &[Contract], spec: &str, failed: bool) -> Vec<Drift> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let declared = declared(spec);
        let mut found = Vec::new();
        for contract in contracts {
            for column in &contract.columns {
                let Some(pointer) = column.origin.pointer().map(starred) else { continue };
                let here = [Came::Fraction, Came::Nested, Came::Text]
                    .into_iter()
                    .filter_map(|came| Some((came, *self.0.get(&(pointer.clone(), came))?)))
                    .filter_map(|(came, records)| {
                        Some((came.wants(column.ty, contract.in_path(&column.name))?, records))
                    });
                let here: Vec<(ColumnType, u64)> = here.collect();
                let Some(&(to, _)) = here.first() else { continue };
                // JSON text holds a text, too; a double does not.
                let taken = |wants: ColumnType| wants == to || to == ColumnType::Json;
                let sum = |of: bool| {
                    here.iter().filter(|(wants, _)| taken(*wants) == of).map(|(_, records)| records).sum()
                };
                let names = |table: Option<&String>| table.is_none_or(|table| *table == contract.table);
                let drift = Drift {
                    table: contract.table.clone(),
                    column: column.name.clone(),
                    from: column.ty.to_string(),
                    to: to.to_string(),
                    records: sum(true),
                    left: sum(false),
                    declared: declared
                        .iter()
                        .any(|(table, name)| *name == column.name && names(table.as_ref())),
                };
                found.extend(Some(drift).filter(|drift| failed || !drift.declared));
            }
        }
        found
    }
}

/// One column whose type the data has left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Drift {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// The type that it has.
    pub from: String,
    /// The type that takes what came.
    pub to: String,
    /// Records that it takes.
    pub records: u64,
    /// Records with a value in this column that stays out all the same.
    pub left: u64,
    /// Whether the spec declares the type: it says the new one first.
    pub declared: bool,
}

impl Drift {
    /// Whether both are of one column, as it is.
    pub fn is_of(&self, other: &Self) -> bool {
        (&self.table, &self.column, &self.from) == (&other.table, &other.column, &other.from)
    }

    /// Adds what another object says of the same columns.
    pub fn join(all: &mut Vec<Self>, more: &[Self]) {
        // A number among texts stays a number; JSON text holds a text, too.
        let rank = |to: &str| ["double", "json"].iter().position(|first| *first == to).unwrap_or(2);
        for other in more {
            let Some(known) = all.iter_mut().find(|known| known.is_of(other)) else {
                all.push(other.clone());
                continue;
            };
            known.declared |= other.declared;
            let (first, second) = if rank(&other.to) < rank(&known.to) {
                (other.clone(), known.clone())
            } else {
                (known.clone(), other.clone())
            };
            let taken = first.to == second.to || (first.to == "json" && second.to == "string");
            *known = Self { declared: known.declared, left: first.left + second.left, ..first };
            *(if taken { &mut known.records } else { &mut known.left }) += second.records;
        }
    }

    /// The command that changes the type.
    pub fn command(&self) -> String {
        let Self { table, column, to, declared, .. } = self;
        let spec = if *declared { " --spec FILE" } else { "" };
        format!("lakegate contract change {table} {column} {to}{spec}")
    }

    /// What a spec says instead, where no table holds the type yet.
    pub fn fix(&self) -> Fix {
        Fix(vec![Edit::column(&self.table, &self.column, None, "type", quote(&self.to))])
    }

    /// What is the matter and what to do, in one sentence; `more` stands behind the command.
    pub fn told(&self, more: &str) -> String {
        let Self { table, column, from, to, records, left, declared } = self;
        let (values, fit) = if *records == 1 { ("value", "does") } else { ("values", "do") };
        let first = if *declared { format!("say type = \"{to}\" in the spec, then ") } else { String::new() };
        let mut text = format!(
            "{records} {values} of `{column}` in {table} {fit} not fit its type {from}: {first}`{}{more}` makes it {to} \
             and takes them",
            self.command()
        );
        if *left > 0 {
            let stay = if *left == 1 { "1 more value stays" } else { &format!("{left} more values stay") };
            text.push_str(&format!("; {stay} rejected, where null_values does not make it null"));
        } else if to == "string" {
            text.push_str("; where they stand for null, name them in null_values instead");
        }
        text
    }
}

/// Table and name of the columns whose type a spec declares; no table where the only one has no name.
fn declared(spec: &str) -> BTreeSet<(Option<String>, String)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec {
        table: Vec<Table>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Table {
        name: Option<String>,
        column: Vec<Column>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Column {
        name: String,
        r#type: Option<String>,
    }
    // One that cannot be read is refused by the transform, with line and column.
    let spec: Spec = output::parse(spec).unwrap_or_default();
    let columns = spec.table.into_iter().flat_map(|Table { name, column }| {
        column
            .into_iter()
            .filter(|column| column.r#type.is_some())
            .map(move |column| (name.clone(), column.name))
    });
    columns.collect()
}

/// A path with `*` for every place in an array, as contracts write it.
fn starred(path: &str) -> String {
    let place = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let steps: Vec<&str> = path.split('/').map(|step| if place(step) { "*" } else { step }).collect();
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(columns: &[(&str, &str, &str)]) -> Contract {
        let columns: Vec<serde_json::Value> = columns
            .iter()
            .map(|(name, ty, pointer)| serde_json::json!({"name": name, "type": ty, "pointer": pointer}))
            .collect();
        let partition_by = serde_json::json!([{"name": "day", "type": "bigint", "sql": "day"}]);
        let text = serde_json::json!({"version": 1, "table": "t", "rows": null, "columns": columns, "nulls": [],
            "partition_by": partition_by});
        Contract::parse(&text.to_string()).unwrap()
    }

    fn misfits(lines: &[(&str, &str, Option<Found>)]) -> Misfits {
        let mut misfits = Misfits::default();
        for (path, code, found) in lines {
            let (path, code) = (Some((*path).into()), (*code).into());
            misfits.add(&QuarantineLine { path, code, found: *found, ..QuarantineLine::default() });
        }
        misfits
    }

    #[test]
    fn each_kind_of_misfit_names_the_type_that_takes_it() {
        let (text, object, array) = (Some(Found::Text), Some(Found::Object), Some(Found::Array));
        for (from, came, expected) in [
            ("bigint", &[("fraction", None)][..], Some(("double", 1, 0))),
            ("bigint", &[("type_mismatch", text)], Some(("string", 1, 0))),
            (
                "bigint",
                &[("type_mismatch", text), ("fraction", None), ("fraction", None)],
                Some(("double", 2, 1)),
            ),
            ("bigint", &[("out_of_range", None), ("not_a_number", None)], Some(("string", 2, 0))),
            ("bigint", &[("type_mismatch", object), ("type_mismatch", text)], Some(("json", 2, 0))),
            ("double", &[("inexact", None)], Some(("string", 1, 0))),
            ("double", &[("type_mismatch", array)], Some(("json", 1, 0))),
            ("decimal(9,2)", &[("too_many_digits", None)], Some(("string", 1, 0))),
            ("boolean", &[("type_mismatch", Some(Found::Number))], Some(("string", 1, 0))),
            ("date", &[("not_a_date", None), ("bad_format", None)], Some(("string", 2, 0))),
            ("string", &[("type_mismatch", object)], Some(("json", 1, 0))),
            ("json", &[("not_json", None)], Some(("string", 1, 0))),
            ("string", &[("check_failed", None), ("duplicate_key", None)], None),
        ] {
            let lines: Vec<_> = came.iter().map(|(code, found)| ("/v", *code, *found)).collect();
            let found =
                misfits(&lines).drift(&[contract(&[("v", from, "/v"), ("w", "bigint", "/w")])], "", false);
            let told = found.first().map(|drift| (drift.to.as_str(), drift.records, drift.left));
            assert_eq!(told, expected, "{from} {came:?}");
            assert!(found.len() < 2 && found.iter().all(|d| d.from == from && !d.declared), "{found:?}");
        }
    }

    #[test]
    fn a_column_is_found_by_its_path_and_in_the_path_stays_what_a_path_takes() {
        let contracts =
            [contract(&[("product_price", "bigint", "/products/*/price"), ("day", "bigint", "/day")])];
        let came = [
            ("/products/0/price", "fraction", None),
            ("/products/17/price", "fraction", None),
            ("/day", "fraction", None),
            ("/elsewhere", "fraction", None),
        ];
        let spec = "[[table]]\n[[table.column]]\nname = 'day'\ntype = 'bigint'";
        let found = misfits(&came).drift(&contracts, spec, true);
        let told: Vec<String> = found.iter().map(Drift::command).collect();
        assert_eq!(
            told,
            [
                "lakegate contract change t product_price double",
                "lakegate contract change t day string --spec FILE"
            ]
        );
        assert_eq!(found[0].records, 2);
        assert_eq!(
            misfits(&came).drift(&contracts, spec, false),
            found[..1],
            "a mistake, as far as is known"
        );
        let nested = misfits(&[("/day", "type_mismatch", Some(Found::Object))]);
        assert_eq!(nested.drift(&contracts, "", true), []);
    }

    #[test]
    fn what_several_objects_say_of_a_column_is_one_command_in_any_order() {
        let drift = |to: &str, records, left| Drift {
            table: "t".into(),
            column: "v".into(),
            from: "bigint".into(),
            to: to.into(),
            records,
            left,
            declared: false,
        };
        for (a, b, expected) in [
            (drift("double", 2, 0), drift("string", 3, 0), drift("double", 2, 3)),
            (drift("double", 2, 1), drift("double", 3, 1), drift("double", 5, 2)),
            (drift("json", 1, 0), drift("string", 3, 0), drift("json", 4, 0)),
            (drift("double", 1, 1), drift("json", 2, 0), drift("double", 1, 3)),
        ] {
            for pair in [[a.clone(), b.clone()], [b, a]] {
                let mut all = Vec::new();
                Drift::join(&mut all, &pair[..1]);
                Drift::join(&mut all, &pair[1..]);
                assert_eq!(all, std::slice::from_ref(&expected), "{pair:?}");
            }
        }
        let mut all = vec![drift("double", 1, 0)];
        Drift::join(&mut all, &[Drift { column: "w".into(), ..drift("double", 1, 0) }]);
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn the_sentence_has_the_command_with_its_arguments() {
        let drift = Drift {
            table: "t".into(),
            column: "v".into(),
            from: "bigint".into(),
            to: "double".into(),
            records: 2,
            left: 1,
            declared: false,
        };
        assert_eq!(
            drift.told(" --lake x"),
            "2 values of `v` in t do not fit its type bigint: `lakegate contract change t v double --lake x` makes it \
             double and takes them; 1 more value stays rejected, where null_values does not make it null"
        );
    }
}
