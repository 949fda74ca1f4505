//! `lakegate contract`: a table's agreed plan, its history, and a change of a type.
//!
//! For: seeing what was agreed and changing what a contract never changes by itself. Not for: editing
//! contracts by hand: they are named by their digest. The decision to know: `change` is not a rename in
//! a file; it replays every source object of the table, so it may take as long as all runs did.

mod change;

use crate::args::lake::LakeArg;
use crate::context::Context;
use crate::show::contract_view::{ContractView, Entry, render_changes};
use crate::show::made::changes_json;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Cell, Grid, Screen, Tone, count, short, visible};
use clap::{Args, Subcommand};
use lakegate_base::{Code, Error};
use lakegate_lake::lake::{Lake, LiveContract};
use serde_json::{Value, json};

/// Arguments of `contract`.
#[derive(Args, Clone, Debug)]
pub struct ContractArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Show a table's columns, where they come from, and the contract's history
    Show(ShowArgs),
    /// Show what changed between two contracts of a table
    Diff(DiffArgs),
    /// Change the type of a column: replays what was written, then resubmits what was quarantined for it
    Change(change::ChangeArgs),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate contract show orders
  lakegate contract show orders --digest 3f2a          an earlier one, by the start of its digest
  lakegate contract show orders --lake s3://acme-lake/sales/
  lakegate contract show orders --json | jq .columns")]
struct ShowArgs {
    /// Table name
    table: String,
    /// Start of a digest from the history [default: the live contract]
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    #[command(flatten)]
    lake: LakeArg,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate contract diff orders                  what the last change was
  lakegate contract diff orders 3f2a             from an earlier contract to the live one
  lakegate contract diff orders 3f2a 90bd        between two")]
struct DiffArgs {
    /// Table name
    table: String,
    /// Start of the digest to compare from [default: the one before the live contract]
    from: Option<String>,
    /// Start of the digest to compare to [default: the live contract]
    to: Option<String>,
    #[command(flatten)]
    lake: LakeArg,
}

/// Runs `contract`.
pub fn run(args: &ContractArgs, context: &Context) -> Outcome {
    match &args.action {
        Action::Show(args) => show(args, context),
        Action::Diff(args) => diff(args, context),
        Action::Change(args) => change::run(args, context),
    }
}

fn show(args: &ShowArgs, context: &Context) -> Outcome {
    let lake = args.lake.existing()?;
    let live = live(&lake, &args.table)?;
    let digest = match &args.digest {
        Some(start) => resolve(&live, start)?,
        None => live.digest.clone(),
    };
    let view = stored(&lake, &live, &digest)?;
    let is_live = digest == live.digest;
    let screen = context.out;
    let mut text = format!(
        "{}: {}{}\n",
        screen.paint(Tone::Name, &args.table),
        view.summary(),
        if is_live { "" } else { " (not the live contract)" }
    );
    let exploded = match &view.rows {
        Some(rows) => format!("one row per element of {rows}"),
        None => "one row per record".to_owned(),
    };
    text.push_str(&format!("  {exploded}\n  {}\n\n", screen.paint(Tone::Dim, &format!("sha256 {digest}"))));
    text.push_str(&view.render(screen));
    text.push_str(&history(&live, screen));
    let columns = |entries: &[Entry]| -> Value {
        entries
            .iter()
            .map(|entry| {
                let mut column = json!({"name": entry.name, "type": entry.ty, "athena": entry.athena(),
                       "parquet": entry.parquet(), "from": entry.from()});
                if entry.hidden {
                    column["output"] = json!(false);
                }
                column
            })
            .collect()
    };
    let json = json!({
        "table": args.table, "digest": digest, "live": is_live, "rows_path": view.rows,
        "columns": columns(&view.columns), "partition_by": columns(&view.partition_by),
        "only_null": view.nulls,
        "history": live.history.iter().map(|version| {
            json!({"digest": version.digest, "at": version.at, "why": version.why})
        }).collect::<Vec<_>>(),
    });
    Ok(Answer { text, json, ..Answer::default() })
}

fn history(live: &LiveContract, screen: Screen) -> String {
    let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "History"));
    let mut grid = Grid::new(&["contract", "since", "why"]);
    for version in &live.history {
        let tone = if version.digest == live.digest { Tone::Good } else { Tone::Dim };
        grid.row(vec![
            Cell::new(tone, short(&version.digest)),
            version.at.clone().into(),
            visible(&version.why).into(),
        ]);
    }
    text.push_str(&grid.render(screen));
    text
}

fn diff(args: &DiffArgs, context: &Context) -> Outcome {
    let lake = args.lake.existing()?;
    let live = live(&lake, &args.table)?;
    let to = match &args.to {
        Some(start) => resolve(&live, start)?,
        None => live.digest.clone(),
    };
    let from = match &args.from {
        Some(start) => resolve(&live, start)?,
        None => match before(&live, &to) {
            Some(digest) => digest,
            None => {
                let text = format!("{}: this is its first contract, nothing to compare with\n", args.table);
                let json = json!({"table": args.table, "from": null, "to": to, "changes": []});
                return Ok(Answer { text, json, ..Answer::default() });
            }
        },
    };
    let changes = stored(&lake, &live, &to)?.changes(&stored(&lake, &live, &from)?);
    let screen = context.out;
    let mut text = format!(
        "{}: {} -> {}, {}\n",
        screen.paint(Tone::Name, &args.table),
        short(&from),
        short(&to),
        count(changes.len() as u64, "change", "changes")
    );
    text.push_str(&render_changes(&changes, screen));
    let json = json!({"table": args.table, "from": from, "to": to, "changes": changes_json(&changes)});
    Ok(Answer { text, json, ..Answer::default() })
}

/// The live contract of `table`.
fn live(lake: &Lake, table: &str) -> Result<LiveContract, Error> {
    match lake.contract(table)? {
        Some(live) => Ok(live),
        None => Err(no_table(lake, table)),
    }
}

/// There is no such table: says which there are.
pub fn no_table(lake: &Lake, table: &str) -> Error {
    let tables = lake.tables().unwrap_or_default();
    let problem = Error::new(Code::NoTable, format!("the lake has no table `{table}`"));
    match tables.as_slice() {
        [] => problem.with_hint("it has no table yet; `lakegate run` makes one"),
        tables => problem.with_hint(format!("its tables are {}", tables.join(", "))),
    }
}

/// The one digest of the history that begins with `start`.
fn resolve(live: &LiveContract, start: &str) -> Result<String, Error> {
    let mut found: Vec<&str> =
        live.history.iter().map(|version| version.digest.as_str()).chain([live.digest.as_str()]).collect();
    found.retain(|digest| digest.starts_with(start));
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(Error::usage(format!("no contract of {} begins with `{start}`", live.table))
            .with_hint(format!("`lakegate contract show {}` lists them", live.table))),
        _ => Err(Error::usage(format!(
            "several contracts of {} begin with `{start}`: give more digits",
            live.table
        ))),
    }
}

/// The contract that `digest` followed.
fn before(live: &LiveContract, digest: &str) -> Option<String> {
    let position = live.history.iter().rposition(|version| version.digest == digest)?;
    // The same contract may come again (changed there and back): the last one that differs is meant.
    live.history[..position].iter().rev().map(|version| version.digest.clone()).find(|other| other != digest)
}

fn stored(lake: &Lake, live: &LiveContract, digest: &str) -> Result<ContractView, Error> {
    if digest == live.digest {
        return ContractView::parse(&live.text);
    }
    match lake.contract_text(digest)? {
        Some(text) => ContractView::parse(&text),
        None => Err(Error::new(
            Code::ContractMissing,
            format!("the contract {} is no longer stored", short(digest)),
        )
        .with_hint("`lakegate fsck LAKE` tells what else is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Fault;
    use lakegate_lake::lake::ContractVersion;

    fn live_of(digests: &[&str]) -> LiveContract {
        let version = |digest: &&str| ContractVersion {
            digest: (*digest).to_owned(),
            at: "2025-01-01T00:00:00Z".to_owned(),
            why: "test".to_owned(),
        };
        LiveContract {
            table: "orders".to_owned(),
            digest: (*digests.last().unwrap()).to_owned(),
            text: String::new(),
            history: digests.iter().map(version).collect(),
            tag: String::new(),
        }
    }

    #[test]
    fn digests_are_named_by_their_start() {
        let live = live_of(&["aa11", "aa22", "bb33"]);
        assert_eq!(resolve(&live, "bb").unwrap(), "bb33");
        assert_eq!(resolve(&live, "aa2").unwrap(), "aa22");
        assert!(resolve(&live, "aa").unwrap_err().message().contains("several"));
        assert_eq!(resolve(&live, "zz").unwrap_err().fault(), Fault::Usage);
    }

    #[test]
    fn the_contract_before_is_one_that_differs() {
        let live = live_of(&["a", "b", "b"]);
        assert_eq!(before(&live, "b").as_deref(), Some("a"));
        assert_eq!(before(&live, "a"), None);
    }
}
