//! What happened in a lake, or in a part of it, as sums.
//!
//! Not for one source object or part file. The decision to know: it reads the newest commits only, so that what it
//! costs does not grow with the lake, and says when there are more.

use crate::show::made::lake_flag;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, short, size, visible};
use crate::sums::{Rejected, sums};
use crate::verb::status::{LISTED, failed, failures_json};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::lake::{Entry, History, Lake, LoadedTable};
use serde_json::{Value, json};
use std::path::Path;

/// Which commits a summary is made of.
#[derive(Args, Clone, Debug)]
pub(super) struct Part {
    /// How many commits to read, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Go on where a summary before ended: what it calls `next`
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Read all commits
    #[arg(long, conflicts_with_all = ["limit", "after"])]
    all: bool,
}

/// What of a lake a summary is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Only what this pipeline made.
    pub(super) pipeline: Option<String>,
    /// Only source objects below this prefix.
    pub(super) below: Option<String>,
    /// Only this table.
    pub(super) table: Option<String>,
}

impl Wanted {
    fn holds(&self, pipeline: &str, source: &str, tables: &[LoadedTable]) -> bool {
        self.pipeline.as_ref().is_none_or(|wanted| wanted == pipeline)
            && self.below.as_ref().is_none_or(|prefix| source.starts_with(prefix))
            && self.table.as_ref().is_none_or(|wanted| tables.iter().any(|table| table.table == *wanted))
    }

    fn is_all(&self) -> bool {
        self.pipeline.is_none() && self.below.is_none() && self.table.is_none()
    }
}

impl Part {
    fn read(&self, lake: &Lake) -> Result<History, Error> {
        let limit = if self.all { usize::MAX } else { self.limit };
        lake.history(self.after.as_deref(), limit)
    }
}

/// Tables, commits, rejected records and failures of a lake, or of a part of it.
pub(super) fn summary(lake: &Lake, folder: &Path, part: &Part, wanted: &Wanted, screen: Screen) -> Outcome {
    let mut history = part.read(lake)?;
    let limit = if part.all { usize::MAX } else { part.limit };
    let (mut failures, more_failures) = lake.failures_page(None, limit)?;
    history
        .entries
        .retain(|entry| wanted.holds(&entry.load.pipeline, &entry.load.source, &entry.load.tables));
    failures.retain(|failure| {
        wanted.table.is_none() && wanted.holds(&failure.pipeline, &failure.source.uri, &[])
    });
    if wanted.below.is_some() && history.entries.is_empty() && failures.is_empty() && history.next.is_none() {
        return Err(Error::new(Code::UnknownSource, "this lake knows nothing below this prefix")
            .with_hint("`lakegate backfill PREFIX --dry-run` shows what is not in the tables")
            .in_file(wanted.below.as_deref().unwrap_or_default()));
    }
    let (grid, json_tables, rejected) = tables(lake, &history, wanted)?;
    let mut text = format!(
        "{}: {}, {}\n\n{}",
        screen.paint(Tone::Name, &folder.display().to_string()),
        count(json_tables.len() as u64, "table", "tables"),
        commits_of(&history),
        grid.render(screen)
    );
    if wanted.below.is_some() {
        text.push_str(&sources(&history, screen));
    }
    if let Some(next) = &history.next {
        text.push_str(&format!("\n  older commits are not counted: --all, or go on with --after {next}\n"));
    }
    if rejected.open() > 0 {
        let records = count(rejected.open(), "record", "records");
        text.push_str(&format!(
            "\n  {} in quarantine: `lakegate quarantine list TABLE{}` shows them\n",
            screen.paint(Tone::Warn, &records),
            lake_flag(folder)
        ));
    }
    if let Some(undone) = history.undone.filter(|undone| *undone > 0) {
        let commits = count(undone as u64, "commit", "commits");
        text.push_str(&format!(
            "\n  {} not yet done (running, or cut short): the next run or `lakegate fsck` completes it\n",
            screen.paint(Tone::Warn, &commits)
        ));
    }
    text.push_str(&failed(&failures, folder, screen));
    if more_failures.is_some() {
        text.push_str("  … and more (--limit N)\n");
    }
    let loads: Vec<Value> = history.entries.iter().map(entry_json).collect();
    let json = json!({
        "lake": folder.display().to_string(), "tables": json_tables, "commits": history.entries.len(),
        "not_done": history.undone, "rejected": rejected.all, "resolved": rejected.resolved,
        "open": rejected.open(), "failures": failures_json(&failures),
        "whole": history.is_whole(), "loads": loads, "next": history.next,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// The tables, as text and as JSON, and what was rejected.
fn tables(lake: &Lake, history: &History, wanted: &Wanted) -> Result<(Grid, Vec<Value>, Rejected), Error> {
    let (tables, rejected) = sums(lake, history)?;
    let mut json_tables = Vec::new();
    let mut grid = Grid::new(&["table", ">rows", ">files", ">bytes", ">sources", "contract", "last commit"]);
    for (name, sums) in tables.iter().filter(|(_, sums)| wanted.is_all() || !sums.latest.is_empty()) {
        let contract = lake.contract(name)?;
        let digest = contract.as_ref().map(|contract| contract.digest.as_str()).unwrap_or_default();
        grid.row(vec![
            Cell::new(Tone::Name, name.clone()),
            number(sums.rows).into(),
            number(sums.files).into(),
            size(sums.bytes).into(),
            number(sums.sources.len() as u64).into(),
            Cell::new(Tone::Dim, short(digest)),
            sums.latest.clone().into(),
        ]);
        json_tables.push(json!({
            "table": name, "rows": sums.rows, "files": sums.files, "bytes": sums.bytes,
            "sources": sums.sources.len(), "contract": digest, "last_commit": sums.latest,
        }));
    }
    Ok((grid, json_tables, rejected))
}

/// The source objects of a summary, the newest first.
fn sources(history: &History, screen: Screen) -> String {
    let mut grid = Grid::new(&["source", ">rows", ">rejected", "committed"]).of(Holds::Names);
    let current = || history.entries.iter().filter(|entry| entry.current);
    for Entry { load, .. } in current().take(LISTED) {
        grid.row(vec![
            Cell::new(Tone::Name, visible(&load.source)),
            number(load.tables.iter().map(|table| table.rows).sum()).into(),
            number(load.rejected).into(),
            Cell::new(Tone::Dim, load.committed.clone()),
        ]);
    }
    let mut text = format!("\n{}", grid.render(screen));
    let more = current().count().saturating_sub(LISTED);
    if more > 0 {
        text.push_str(&format!(
            "  … and {} (--json has them all)\n",
            count(more as u64, "more object", "more objects")
        ));
    }
    text
}

/// How many commits a summary is made of, and whether these are all.
fn commits_of(history: &History) -> String {
    let commits = count(history.entries.len() as u64, "commit", "commits");
    if history.is_whole() || history.entries.is_empty() { commits } else { format!("the newest {commits}") }
}

fn entry_json(entry: &Entry) -> Value {
    let mut object = serde_json::to_value(&entry.load).unwrap_or_default();
    if let Some(object) = object.as_object_mut() {
        object.insert("key".to_owned(), entry.key.clone().into());
        object.insert("is_done".to_owned(), entry.done.into());
        object.insert("current".to_owned(), entry.current.into());
    }
    object
}
