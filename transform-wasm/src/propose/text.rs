//! The spec text that pins contracts, commented, for `init`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lakegate_model::tree;

use crate::contract::{Contract, Origin};
use crate::names::pointer_keys;
use crate::report::Warning;
use crate::spec::{DeclaredColumn, Input, Spec, Table};

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
        let _ = writeln!(
            out,
            "rows = {}              # one row per element; parents repeat",
            quote(&dotted(rows))
        );
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
                let from = path(pointer, contract.rows.as_deref());
                let _ = writeln!(out, "\n[[table.column]]\nname = {}", quote(&column.name));
                if from != column.name {
                    let _ = writeln!(out, "from = {}", quote(&from));
                }
                let _ = writeln!(out, "type = \"{}\"", column.ty);
                match declared.get(column.name.as_str()) {
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
                let _ = writeln!(out, "from = {}", quote(&path(pointer, contract.rows.as_deref())));
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

/// The path as a spec writes it: dotted where the keys are plain, else the pointer.
fn path(pointer: &str, rows: Option<&str>) -> String {
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

/// A pointer as a spec writes it: dotted where its keys are plain.
pub fn dotted(pointer: &str) -> String {
    let keys = pointer_keys(pointer);
    let plain = |key: &String| {
        !key.is_empty()
            && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '$' | '@'))
    };
    if keys.iter().all(plain) { keys.join(".") } else { pointer.to_owned() }
}

/// A TOML basic string.
pub(super) fn quote(text: &str) -> String {
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
