//! The spec text that pins contracts, commented, for `init`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lakegate_model::fix::quote;
use lakegate_model::tree;

use crate::contract::{Contract, Origin};
use crate::names::dotted;
use crate::report::Warning;
use crate::spec::{DeclaredColumn, Input, RowsPath, Spec, Table, positions};

use super::settings;

/// Writes a spec under which these contracts come out again; `input` is the spec's, with what was detected.
pub fn spec_text(spec: &Spec, input: &Input, contracts: &[Contract], warnings: &[Warning]) -> String {
    let mut out = String::from(
        "# transform.toml: what becomes of each source object. Proposed from samples; edit it freely.\n",
    );
    for warning in warnings {
        let _ = writeln!(out, "# Note: {}.", comment(&warning.message));
    }
    settings::push_input(&mut out, input);
    settings::push_output(&mut out, &spec.output);
    settings::push_limits(&mut out, &spec.limits);
    for (contract, table) in contracts.iter().zip(&spec.tables) {
        push_table(&mut out, contract, table);
    }
    out
}

fn push_table(out: &mut String, contract: &Contract, table: &Table) {
    let _ = writeln!(out, "\n[[table]]\nname = {}", quote(&contract.table));
    if let Some(rows) = &contract.rows {
        // Of several levels the contract has the first.
        let told = table.rows.clone().filter(|told| RowsPath::parse(told).is_reshaped());
        let rows = quote(&told.unwrap_or_else(|| dotted(rows)));
        let _ = writeln!(out, "rows = {rows}              # one row per element; parents repeat");
    }
    settings::push_table(out, table);
    if !table.partition_by.is_empty() {
        let by: Vec<String> = table.partition_by.iter().map(|p| quote(p)).collect();
        let _ = writeln!(out, "partition_by = [{}]", by.join(", "));
    } else {
        out.push_str("# partition_by = [\"a_date_column\"]\n");
    }
    let declared: BTreeMap<&str, &DeclaredColumn> =
        tree(table.columns.iter().map(|column| (column.name.as_str(), column)));
    for column in &contract.columns {
        match &column.origin {
            Origin::Pointer(pointer) => {
                let told = declared.get(column.name.as_str()).copied();
                let from = told_path(told, pointer, contract.rows.as_deref());
                let _ = writeln!(out, "\n[[table.column]]\nname = {}", quote(&column.name));
                if from != column.name {
                    let _ = writeln!(out, "from = {}", quote(&from));
                }
                let _ = writeln!(out, "type = \"{}\"", column.ty);
                match told {
                    Some(declared) => settings::push_declared(out, declared),
                    None if column.hidden => out.push_str(settings::NO_OUTPUT),
                    None => {}
                }
            }
            Origin::Rest(pointer) => {
                let (name, pointer) = (comment(&column.name), comment(pointer));
                let _ = writeln!(out, "\n# `{name}` (json) takes in what no other column has of {pointer}.");
            }
            // `on_misfit` says it.
            Origin::Rescued => {}
            Origin::Sql(sql) => {
                let _ = writeln!(
                    out,
                    "\n[[table.derive]]\nname = {}\nsql = {}\ntype = \"{}\"",
                    quote(&column.name),
                    quote(sql),
                    column.ty
                );
            }
            Origin::Transform(transform) => {
                let (name, transform) = (comment(&column.name), comment(transform));
                let _ = writeln!(out, "\n# `{name}` ({}) is added by the transform {transform}.", column.ty);
            }
        }
    }
    push_nulls(out, contract, &declared);
    settings::push_checks(out, table);
}

/// The paths that were only ever null.
fn push_nulls(out: &mut String, contract: &Contract, declared: &BTreeMap<&str, &DeclaredColumn>) {
    for (name, pointer) in &contract.nulls {
        let _ = match declared.get(name.as_str()) {
            Some(declared) => {
                let _ = writeln!(out, "\n[[table.column]]\nname = {}", quote(name));
                let _ = writeln!(
                    out,
                    "from = {}",
                    quote(&told_path(Some(declared), pointer, contract.rows.as_deref()))
                );
                settings::push_declared(out, declared);
                writeln!(out, "# type = \"string\"        # only ever null so far")
            }
            None => writeln!(
                out,
                "\n# `{name}` ({}) was only ever null: declare it with its type to have the column.",
                comment(pointer)
            ),
        };
    }
}

/// Text that stays within one comment, whatever keys the input had.
fn comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The same, of a column that a spec declares: one that reads an array by position says so.
fn told_path(declared: Option<&DeclaredColumn>, pointer: &str, rows: Option<&str>) -> String {
    let told = declared.map(DeclaredColumn::path).filter(|path| !positions(path).is_empty());
    told.map_or_else(|| path(pointer, rows), str::to_owned)
}

/// The path as a spec writes it: dotted where the keys are plain, else the pointer.
pub(super) fn path(pointer: &str, rows: Option<&str>) -> String {
    let Some(rest) = rows.and_then(|rows| pointer.strip_prefix(rows)) else { return dotted(pointer) };
    match (rest, rows) {
        ("/*", Some(rows)) => dotted(rows),
        (rest, Some(rows)) if rest.starts_with("/*/") => {
            let whole = format!("{rows}{}", &rest[2..]);
            let short = dotted(&whole);
            if short.starts_with('/') { pointer.to_owned() } else { short }
        }
        _ => dotted(pointer),
    }
}
