//! `lakegate quarantine`: rejected records, their reasons, and a second chance.
//!
//! For: seeing, mending and resubmitting. Not for: deciding what is rejected (the transform does). The decision
//! to know: a record is named by its commit and its number in the source (`3f2a1c-12`), because
//! numbers alone repeat from source to source; a resubmit makes a commit of its own that names what
//! it resolves, and never edits the quarantine.

use crate::args::lake::LakeArg;
use crate::args::plans::read_spec;
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::show::made::{Made, lake_flag};
use crate::show::output::{Answer, Outcome};
use crate::show::progress::Bar;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, short, visible};
use crate::taking::contracts;
use crate::verb::contract::no_table;
use clap::{Args, Subcommand};
use lakegate_base::{Code, Error};
use lakegate_lake::lake::Lake;
use lakegate_lake::operate::masked;
use lakegate_lake::operate::quarantine::{Fixed, Quarantined, resubmit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Source objects whose rejected records one list looks through: what it costs does not grow with the lake.
const OBJECTS: usize = 100;

/// Arguments of `quarantine`.
#[derive(Args, Clone, Debug)]
pub struct QuarantineArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// List the rejected records of a table with their reasons
    List(ListArgs),
    /// Show rejected records whole: reason, place and raw text
    Show(ShowArgs),
    /// Try rejected records again, as they are or fixed
    Resubmit(ResubmitArgs),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate quarantine list orders
  lakegate quarantine list orders --all --limit 1000     with what was resolved since
  lakegate quarantine list orders --lake s3://acme-lake/sales/
  lakegate quarantine list orders --json | jq '.records[].code'")]
struct ListArgs {
    /// Table name
    table: String,
    /// Also those that were resolved
    #[arg(long)]
    all: bool,
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Go on where a list before ended: what it calls `next`
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    #[command(flatten)]
    lake: LakeArg,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate quarantine show orders                         the first ones, whole
  lakegate quarantine show orders 3f2a1c-12               one record
  lakegate quarantine show orders --raw > fixed.ndjson    raw records to edit, then:
  lakegate quarantine resubmit orders --from fixed.ndjson")]
struct ShowArgs {
    /// Table name
    table: String,
    /// Records: ids from `list` [default: all open ones]
    #[arg(value_name = "RECORD")]
    records: Vec<String>,
    /// Only the raw records, one a line, to edit and resubmit
    #[arg(long)]
    raw: bool,
    /// How many to show when none is named
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    #[command(flatten)]
    lake: LakeArg,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate quarantine resubmit orders                              all open ones as they are, after a change of
                                                                   spec or contract
  lakegate quarantine resubmit orders 3f2a1c-12 --from fixed.ndjson
  lakegate quarantine resubmit orders --spec orders.toml           with another spec than the first time")]
struct ResubmitArgs {
    /// Table name
    table: String,
    /// Records: ids from `list` [default: all open ones]
    #[arg(value_name = "RECORD")]
    records: Vec<String>,
    /// File with the fixed records, one a line; without it the stored text is tried again
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Spec to follow [default: the one the records were rejected under]
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    #[command(flatten)]
    lake: LakeArg,
    #[command(flatten)]
    transform: TransformArg,
}

/// Runs `quarantine`.
pub fn run(args: &QuarantineArgs, context: &Context) -> Outcome {
    match &args.action {
        Action::List(args) => list(args, context),
        Action::Show(args) => show(args, context),
        Action::Resubmit(args) => again(args, context),
    }
}

fn list(args: &ListArgs, context: &Context) -> Outcome {
    let lake = args.lake.existing()?;
    let page = lake.quarantine_page(Some(&args.table), args.after.as_deref(), OBJECTS)?;
    known(&lake, &args.table, page.records.is_empty())?;
    let all = &page.records;
    let open = all.iter().filter(|entry| entry.resolved_by.is_none()).count();
    let placed = all.iter().zip(&page.places);
    let listed: Vec<(&Quarantined, &String)> =
        placed.filter(|(entry, _)| args.all || entry.resolved_by.is_none()).collect();
    let shown = || listed.iter().take(args.limit).map(|(entry, _)| *entry);
    let cut = listed.len() > args.limit;
    let last = listed.get(args.limit.wrapping_sub(1)).map(|(_, place)| (*place).clone());
    let next = if cut { last.or_else(|| args.after.clone()) } else { page.next.clone() };
    let screen = context.out;
    let mut text = format!(
        "{}: {}, {} resolved\n",
        screen.paint(Tone::Name, &args.table),
        screen.paint(
            if open > 0 { Tone::Warn } else { Tone::Good },
            &count(open as u64, "record in quarantine", "records in quarantine")
        ),
        number((all.len() - open) as u64)
    );
    let mut grid = Grid::new(&["record", "source", ">line", "where", "reason", "message", "resolved"]);
    for entry in shown() {
        grid.row(vec![
            Cell::new(Tone::Bold, id(entry)),
            visible(stem(&entry.source)).into(),
            entry.line.line.map(number).unwrap_or_default().into(),
            Cell::new(Tone::Name, entry.line.path.as_deref().map(visible).unwrap_or_default()),
            Cell::new(Tone::Warn, entry.line.code.clone()),
            visible(&entry.line.message).into(),
            Cell::new(
                Tone::Good,
                entry.resolved_by.as_deref().map(|by| visible(stem(by))).unwrap_or_default(),
            ),
        ]);
    }
    if !grid.is_empty() {
        text.push('\n');
        text.push_str(&grid.render(screen));
    }
    if cut {
        text.push_str(&format!("  … and {} (--limit N)\n", number((listed.len() - args.limit) as u64)));
    }
    if let Some(next) = &next {
        let of = if page.next.is_some() { "these are of the first objects only; " } else { "" };
        text.push_str(&format!("  {of}the next ones: --after {next}\n"));
    }
    if open > 0 {
        let lake = lake_flag(&lake.shown);
        text.push_str(&format!(
            "\n  fix them:  lakegate quarantine show {0} --raw{lake} > fixed.ndjson\n             \
             lakegate quarantine resubmit {0} --from fixed.ndjson{lake}\n",
            args.table
        ));
    }
    let json = json!({
        "table": args.table, "open": open, "resolved": all.len() - open,
        "records": shown().map(to_json).collect::<Vec<_>>(), "next": next,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

fn show(args: &ShowArgs, context: &Context) -> Outcome {
    let lake = args.lake.existing()?;
    let all = entries(&lake, &args.table)?;
    let wanted = Selection::of(&args.records, &all)?;
    let mut shown: Vec<&Quarantined> = all.iter().filter(|entry| wanted.holds(entry)).collect();
    let found = shown.len();
    if args.records.is_empty() && !args.raw {
        shown.truncate(args.limit);
    }
    let screen = context.out;
    let json = json!({ "table": args.table, "records": shown.iter().map(|entry| to_json(entry)).collect::<Vec<_>>() });
    if args.raw {
        let mut whole: Vec<Quarantined> = shown.into_iter().cloned().collect();
        masked::fill(&lake, &mut whole)?;
        let whole: Vec<&Quarantined> = whole.iter().collect();
        return Ok(Answer { text: raw(&whole)?, json, ..Answer::default() });
    }
    let mut text = String::new();
    for entry in &shown {
        text.push_str(&one(entry, screen));
    }
    if shown.is_empty() {
        text.push_str("nothing is waiting in quarantine\n");
    }
    if found > shown.len() {
        text.push_str(&format!("… and {} (--limit N)\n", number((found - shown.len()) as u64)));
    }
    Ok(Answer { text, json, ..Answer::default() })
}

/// Raw records, one a line: a record that spans lines is JSON and may be folded, since no string in valid
/// JSON holds a line break.
fn raw(entries: &[&Quarantined]) -> Result<String, Error> {
    if let Some(entry) = entries.iter().find(|entry| entry.line.truncated) {
        return Err(Error::new(
            Code::RawTruncated,
            format!("the record {} was too long to be kept whole", id(entry)),
        )
        .with_hint(format!(
            "take it from its source, {}, at byte {}",
            entry.source,
            entry.line.offset.unwrap_or(0)
        )));
    }
    let mut seen = BTreeSet::new();
    let once = entries.iter().filter(|entry| seen.insert((&entry.commit_key, entry.line.record)));
    Ok(once.map(|entry| format!("{}\n", entry.line.raw.trim().replace(['\r', '\n'], " "))).collect())
}

fn one(entry: &Quarantined, screen: Screen) -> String {
    let line = &entry.line;
    let mut text = format!("{}  {}\n", screen.paint(Tone::Bold, &id(entry)), visible(&line.message));
    let mut place = vec![format!("{} of {}", number(line.record), entry.source)];
    place.extend(line.line.map(|line| format!("line {}", number(line))));
    place.extend(line.offset.map(|offset| format!("byte {}", number(offset))));
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    grid.row(vec![Cell::new(Tone::Dim, "reason"), Cell::new(Tone::Warn, line.code.clone())]);
    if let Some(path) = &line.path {
        grid.row(vec![Cell::new(Tone::Dim, "where"), Cell::new(Tone::Name, visible(path))]);
    }
    grid.row(vec![Cell::new(Tone::Dim, "record"), visible(&place.join(", ")).into()]);
    grid.row(vec![Cell::new(Tone::Dim, "run"), entry.run_id.clone().into()]);
    if let Some(by) = &entry.resolved_by {
        grid.row(vec![Cell::new(Tone::Dim, "resolved"), Cell::new(Tone::Good, visible(by))]);
    }
    text.push_str(&grid.render(screen));
    for raw in line.raw.lines() {
        text.push_str(&format!("  {} {}\n", screen.paint(Tone::Dim, "|"), visible(raw)));
    }
    if line.masked {
        let told = "| nothing is kept of it, because columns are masked: --raw reads it from its source";
        text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, told)));
    } else if line.truncated {
        text.push_str(&format!(
            "  {}\n",
            screen.paint(Tone::Dim, "| … cut here: it was too long to be kept whole")
        ));
    }
    text.push('\n');
    text
}

fn again(args: &ResubmitArgs, context: &Context) -> Outcome {
    let begun = Instant::now();
    let lake = args.lake.existing()?;
    let all = entries(&lake, &args.table)?;
    let wanted = Selection::of(&args.records, &all)?;
    let chosen = all.iter().filter(|entry| wanted.holds(entry)).count();
    if chosen == 0 {
        let text = format!("{}: nothing is waiting in quarantine\n", args.table);
        let json =
            json!({ "table": args.table, "resubmitted": 0, "records": 0, "accepted": 0, "rejected": 0 });
        return Ok(Answer { text, json, ..Answer::default() });
    }
    let spec = match &args.spec {
        Some(path) => Some(read_spec(Some(path))?),
        None => None,
    };
    let fixed = match &args.from {
        Some(path) => {
            std::fs::metadata(path).map_err(|error| Error::io(&path.display().to_string(), error))?;
            Fixed::File(path.clone())
        }
        None => Fixed::Raw,
    };
    let transform = args.transform.load()?;
    let mut made = Made::new(&lake.shown, contracts(&lake)?);
    let bar = Bar::new(context.err, 0, 1);
    let name = match &args.from {
        Some(path) => path.display().to_string(),
        None => count(chosen as u64, "quarantined record", "quarantined records"),
    };
    let select = |entry: &Quarantined| wanted.holds(entry);
    let outcome = resubmit(&lake, &transform, &args.table, spec.as_deref(), &select, fixed, &mut |step| {
        bar.update(&name, &step);
    });
    bar.finish();
    let outcome = outcome?;
    made.add(&name, &outcome.commit.source.uri, &outcome);
    let mut answer = made.finish(&lake, transform.digest(), begun.elapsed(), false, context.out)?;
    let open = entries(&lake, &args.table)?.iter().filter(|entry| entry.resolved_by.is_none()).count();
    answer.text.push_str(&format!("\n{} left in quarantine\n", count(open as u64, "record", "records")));
    if let Some(object) = answer.json.as_object_mut() {
        object.insert("resubmitted".to_owned(), chosen.into());
        object.insert("open".to_owned(), open.into());
    }
    Ok(answer)
}

fn entries(lake: &Lake, table: &str) -> Result<Vec<Quarantined>, Error> {
    let found = lake.quarantine(table)?;
    known(lake, table, found.is_empty())?;
    Ok(found)
}

/// Where nothing is found, the table must at least be one.
fn known(lake: &Lake, table: &str, nothing: bool) -> Result<(), Error> {
    if nothing && lake.contract(table)?.is_none() {
        return Err(no_table(lake, table));
    }
    Ok(())
}

/// Which records a command line means.
struct Selection {
    ids: BTreeSet<String>,
}

impl Selection {
    /// Those with the ids `named`, or every open one when none is named.
    fn of(named: &[String], all: &[Quarantined]) -> Result<Self, Error> {
        if named.is_empty() {
            let open = all.iter().filter(|entry| entry.resolved_by.is_none());
            return Ok(Self { ids: open.map(id).collect() });
        }
        // The id of a run means all that it rejected.
        let mut ids = BTreeSet::new();
        let mut unknown = None;
        for name in named {
            let before = ids.len();
            ids.extend(all.iter().filter(|entry| id(entry) == *name || entry.run_id == *name).map(id));
            if ids.len() == before && !ids.contains(name) {
                unknown.get_or_insert(name);
            }
        }
        match unknown {
            Some(name) => Err(Error::usage(format!("there is no record `{name}` in quarantine"))
                .with_hint("`lakegate quarantine list TABLE --all` shows the records with their ids")),
            None => Ok(Self { ids }),
        }
    }

    fn holds(&self, entry: &Quarantined) -> bool {
        self.ids.contains(&id(entry))
    }
}

/// `3f2a1c-12`: six digits for the commit, then the record's number in its source.
fn id(entry: &Quarantined) -> String {
    let digest = hex::encode(Sha256::digest(entry.commit_key.as_bytes()));
    format!("{}-{}", &short(&digest)[..6], entry.line.record)
}

/// The last step of a path or URI.
fn stem(uri: &str) -> &str {
    Path::new(uri).file_name().and_then(|name| name.to_str()).unwrap_or(uri)
}

fn to_json(entry: &Quarantined) -> Value {
    let mut object = serde_json::to_value(&entry.line).unwrap_or_default();
    if let Some(object) = object.as_object_mut() {
        object.insert("id".to_owned(), id(entry).into());
        object.insert("run".to_owned(), entry.run_id.clone().into());
        object.insert("source".to_owned(), entry.source.clone().into());
        object.insert("generation".to_owned(), entry.generation.into());
        object.insert("commit".to_owned(), entry.commit_key.clone().into());
        object.insert("resolved_by".to_owned(), entry.resolved_by.clone().into());
    }
    object
}

#[cfg(test)]
#[path = "quarantine_tests.rs"]
mod tests;
