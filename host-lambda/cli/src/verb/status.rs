//! `lakegate status`: what happened to a lake, a source object or a part file.
//!
//! For: reading commit records as an audit trail. Not for: what is inside Parquet (`inspect`), or mending
//! (`fsck`). The decision to know: the answer comes from commit records and failed records alone; nothing
//! is opened or compared, so it is quick and safe beside a running `run`.

use crate::args::config::{ConfigArg, is_object};
use crate::args::lake::existing_lake;
use crate::cloud;
use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::reasons;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, short, size, visible};
use crate::sums::sums;
use clap::Args;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_lake::lake::{Entry, History, Lake, Load, Void};
use lakegate_lake::record::{CommitRecord, CommitState, FailedRecord};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Part files of a commit listed before the list is cut.
const LISTED: usize = 20;

/// Arguments of `status`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate status lake                                   tables, commits, rejects, failures
  lakegate status lake --limit 1000                      of the newest thousand commits
  lakegate status lake --all                             of every commit, however many there are
  lakegate status lake orders.json                       what became of a source object
  lakegate status lake lake/orders/orders-….parquet      where a part file comes from
  lakegate status lake orders.json --json | jq '.commits[-1]'
  lakegate status s3://raw/orders/2025/x.json            through lakegate.toml, here or in a folder above
  lakegate status orders --config deploy/lakegate.toml   the lakes of deployed pipelines")]
pub struct StatusArgs {
    /// Folder of the lake; with --config, or for s3:// URIs: a table, a source object or a part file
    #[arg(value_name = "LAKE", default_value = "lake")]
    lake: PathBuf,
    /// A source object (path or URI) or a part file
    #[arg(value_name = "SOURCE|PART FILE")]
    subject: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    part: Part,
}

/// Which commits a summary is made of.
#[derive(Args, Clone, Debug)]
struct Part {
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

impl Part {
    fn read(&self, lake: &Lake) -> Result<History, Error> {
        let limit = if self.all { usize::MAX } else { self.limit };
        lake.history(self.after.as_deref(), limit)
    }
}

/// Runs `status`.
pub fn run(args: &StatusArgs, context: &Context) -> Outcome {
    let named = args.lake.display().to_string();
    // Where there are pipelines and no lake, the pipelines' lakes are meant.
    let elsewhere = !args.lake.exists() && cloud::found()?.is_some();
    if args.config.config.is_some() || is_object(&named) || elsewhere {
        return deployed(args, &named, context);
    }
    let lake = existing_lake(&args.lake)?;
    match &args.subject {
        None => summary(&lake, &args.lake, &args.part, context.out),
        Some(subject) => about(&lake, &args.lake, subject, context.out),
    }
}

/// What happened in the lakes of a configuration's pipelines.
fn deployed(args: &StatusArgs, named: &str, context: &Context) -> Outcome {
    let connected = cloud::connect(args.config.config.as_deref())?;
    let subject = if named == "lake" { None } else { Some(named) };
    let (mut text, mut json) = (String::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for lake in connected.lakes()? {
        // Pipelines may share a lake.
        if !seen.insert(lake.root().to_owned()) {
            continue;
        }
        let folder = PathBuf::from(lake.root());
        let tables = lake.tables()?;
        let answer = match subject {
            None => summary(&lake, &folder, &args.part, context.out)?,
            Some(table) if tables.iter().any(|known| known == table) => {
                summary(&lake, &folder, &args.part, context.out)?
            }
            Some(subject) => match about(&lake, &folder, subject, context.out) {
                Ok(answer) => answer,
                Err(problem) if problem.code() == Code::UnknownSource => continue,
                Err(problem) => return Err(problem),
            },
        };
        text.push_str(&answer.text);
        json.push(answer.json);
    }
    if json.is_empty() {
        return Err(Error::new(Code::UnknownSource, "no pipeline's lake knows anything of it")
            .with_hint("`lakegate backfill s3://bucket/prefix --dry-run` shows what is not in the tables")
            .in_file(named));
    }
    Ok(Answer { text, json: json!({"lakes": json}), ..Answer::default() })
}

fn summary(lake: &Lake, folder: &Path, part: &Part, screen: Screen) -> Outcome {
    let history = part.read(lake)?;
    let limit = if part.all { usize::MAX } else { part.limit };
    let (failures, more_failures) = lake.failures_page(None, limit)?;
    let (tables, rejected) = sums(lake, &history)?;
    let mut json_tables = Vec::new();
    let mut grid = Grid::new(&["table", ">rows", ">files", ">bytes", ">sources", "contract", "last commit"]);
    for (name, sums) in &tables {
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
    let mut text = format!(
        "{}: {}, {}\n\n{}",
        screen.paint(Tone::Name, &folder.display().to_string()),
        count(tables.len() as u64, "table", "tables"),
        commits_of(&history),
        grid.render(screen)
    );
    if let Some(next) = &history.next {
        text.push_str(&format!("\n  older commits are not counted: --all, or go on with --after {next}\n"));
    }
    if rejected > 0 {
        let records = count(rejected, "record", "records");
        text.push_str(&format!(
            "\n  {} rejected: `lakegate quarantine list TABLE` shows them\n",
            screen.paint(Tone::Warn, &records)
        ));
    }
    if let Some(undone) = history.undone.filter(|undone| *undone > 0) {
        let commits = count(undone as u64, "commit", "commits");
        text.push_str(&format!(
            "\n  {} not yet done (running, or cut short): the next run or `lakegate fsck` completes it\n",
            screen.paint(Tone::Warn, &commits)
        ));
    }
    text.push_str(&failed(&failures, screen));
    if more_failures.is_some() {
        text.push_str("  … and more (--limit N)\n");
    }
    let loads: Vec<Value> = history.entries.iter().map(entry_json).collect();
    let json = json!({
        "lake": folder.display().to_string(), "tables": json_tables, "commits": history.entries.len(),
        "not_done": history.undone, "rejected": rejected, "failures": failures_json(&failures),
        "whole": history.is_whole(), "loads": loads, "next": history.next,
    });
    Ok(Answer { text, json, ..Answer::default() })
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

fn about(lake: &Lake, folder: &Path, subject: &str, screen: Screen) -> Outcome {
    let mut commits = lake.commits_of_source(subject)?;
    let part = if commits.is_empty() { lake.commit_of_part(subject)? } else { None };
    let is_part = part.is_some();
    commits.extend(part);
    let failures = failures_of(lake, &commits, subject)?;
    if commits.is_empty() && failures.is_empty() {
        return Err(Error::new(Code::UnknownSource, "this lake knows nothing of it")
            .with_hint(
                "a source is known by the path it was run from; `lakegate status LAKE` lists the tables",
            )
            .in_file(subject));
    }
    let what = if is_part { "part file" } else { "source object" };
    let mut text = format!("{} ({what})\n", screen.paint(Tone::Name, &visible(subject)));
    let mut commits_json = Vec::new();
    for commit in &commits {
        let mark = lake.load_of(&commit.record)?;
        text.push_str(&commit_text(commit, mark.as_ref(), is_part.then_some(subject), screen));
        commits_json.push(commit_json(commit, mark));
    }
    text.push_str(&failed(&failures, screen));
    for key in failures.iter().filter_map(|failure| failure.quarantine.as_ref()) {
        // A note for looking only: when it is gone the failure still stands.
        let lines = std::fs::read(folder.join(key)).map(|bytes| reasons::parse(&bytes)).unwrap_or_default();
        text.push_str(&reasons::table(&lines, screen));
    }
    let json = json!({
        "lake": folder.display().to_string(), "subject": subject, "is_part_file": is_part,
        "commits": commits_json, "failures": failures_json(&failures),
    });
    Ok(Answer { text, json, ..Answer::default() })
}

fn failures_of(lake: &Lake, commits: &[CommitState], subject: &str) -> Result<Vec<FailedRecord>, Error> {
    let mut names: BTreeSet<&str> = commits.iter().map(|commit| commit.record.source.uri.as_str()).collect();
    names.insert(subject);
    let mut failures: Vec<FailedRecord> = Vec::new();
    for name in names {
        for failure in lake.failures_of_source(name)? {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
    }
    Ok(failures)
}

fn commit_text(commit: &CommitState, mark: Option<&Load>, part: Option<&str>, screen: Screen) -> String {
    let record = &commit.record;
    let state = match (commit.current, commit.done) {
        _ if mark.is_some_and(|mark| mark.void == Some(Void::Lost)) => {
            screen.paint(Tone::Bad, "given up: its files were lost before they were visible")
        }
        _ if mark.is_some_and(|mark| mark.void.is_some()) => {
            screen.paint(Tone::Dim, "given up: a type was changed meanwhile")
        }
        (true, true) => screen.paint(Tone::Good, "current"),
        (true, false) => screen.paint(Tone::Warn, "committed, not yet done"),
        (false, _) => screen.paint(Tone::Dim, "replaced"),
    };
    let mut text = format!("\nGeneration {} of {}: {state}\n", record.generation, record.pipeline);
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            grid.row(vec![Cell::new(Tone::Dim, name), visible(&value).into()]);
        }
    };
    fact("source", record.source.uri.clone());
    fact("content", format!("{}, sha256 {}", size(record.source.bytes), record.source.digest));
    fact("committed", format!("{} (begun {})", record.committed, record.started));
    fact("reason", record.reason.clone());
    if let Some(release) = &record.release {
        fact("release", release.shown());
    }
    fact("component", record.component.clone());
    fact("spec", record.spec.clone());
    for (table, digest) in &record.contracts {
        fact("contract", format!("{digest} of {table}"));
    }
    fact(
        "records",
        format!(
            "{} read, {} accepted, {} rejected",
            number(record.report.records),
            number(record.report.accepted),
            number(record.report.rejected)
        ),
    );
    if let Some(same) = record.as_previewed() {
        fact("as previewed", if same { "yes" } else { "no, its preview showed something else" }.into());
    }
    if let Some(quarantine) = &record.quarantine {
        fact("quarantine", quarantine.key.clone());
    }
    if !record.resolves.is_empty() {
        fact("resolves", count(record.resolves.len() as u64, "quarantined record", "quarantined records"));
    }
    fact("commit", commit.key.clone());
    if let Some(at) = record.source.event_time_ms {
        fact("event", rfc3339(at));
    }
    for (name, value) in told(mark) {
        fact(name, value);
    }
    text.push_str(&grid.render(screen));
    text.push_str(&parts_text(record, part, screen));
    text
}

/// The part files of a commit; the one that was asked for stands out.
fn parts_text(record: &CommitRecord, part: Option<&str>, screen: Screen) -> String {
    let mut grid = Grid::new(&[">rows", ">bytes", "part file"]).of(Holds::Names);
    for part_record in record.parts.iter().take(LISTED) {
        let asked = part.is_some_and(|part| part.ends_with(&part_record.key));
        grid.row(vec![
            number(part_record.rows).into(),
            size(part_record.bytes).into(),
            Cell::new(if asked { Tone::Bold } else { Tone::Name }, part_record.key.clone()),
        ]);
    }
    let mut text = if grid.is_empty() { String::new() } else { grid.render(screen) };
    if record.parts.len() > LISTED {
        let more = count((record.parts.len() - LISTED) as u64, "more file", "more files");
        text.push_str(&format!("  … and {more} (--json has them all)\n"));
    }
    text
}

/// What the catalog and those who asked were told, a line each.
fn told(mark: Option<&Load>) -> Vec<(&'static str, String)> {
    let Some(mark) = mark else { return Vec::new() };
    let mut lines = vec![("done", mark.done.clone())];
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    for table in mark.told["catalog"]["tables"].as_array().into_iter().flatten() {
        let name = format!("{}.{}", text(table, "database"), text(table, "table"));
        let what = if table["created"] == true { ", made" } else { "" };
        lines.push(("catalog", format!("{name}, {} partitions{what}", table["partitions"])));
    }
    if let Some(crawler) = mark.told["catalog"]["crawler"].as_object() {
        lines.push(("catalog", format!("crawler {}", Value::Object(crawler.clone()))));
    }
    for notice in mark.told["notices"].as_array().into_iter().flatten() {
        lines.push(("notice", format!("{}, {}", text(notice, "event"), text(notice, "messageId"))));
    }
    lines
}

fn failed(failures: &[FailedRecord], screen: Screen) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "Failed, nothing of them was written"));
    let mut grid = Grid::new(&["source", "code", "message", "at"]);
    for failure in failures {
        grid.row(vec![
            Cell::new(Tone::Name, visible(&failure.source.uri)),
            Cell::new(Tone::Bad, failure.code.clone()),
            visible(&match &failure.panic {
                Some(said) => format!("{}; it said: {said}", failure.message),
                None => failure.message.clone(),
            })
            .into(),
            Cell::new(Tone::Dim, failure.at.clone()),
        ]);
    }
    text.push_str(&grid.render(screen));
    text
}

fn commit_json(commit: &CommitState, mark: Option<Load>) -> Value {
    let mut object = serde_json::to_value(&commit.record).unwrap_or_default();
    if let Some(object) = object.as_object_mut() {
        if let Some(mark) = mark {
            object.insert("told".to_owned(), mark.told);
        }
        object.insert("key".to_owned(), commit.key.clone().into());
        object.insert("done".to_owned(), commit.done.into());
        object.insert("current".to_owned(), commit.current.into());
        object.insert("as_previewed".to_owned(), commit.record.as_previewed().into());
    }
    object
}

fn failures_json(failures: &[FailedRecord]) -> Value {
    failures.iter().map(|failure| serde_json::to_value(failure).unwrap_or_default()).collect()
}
