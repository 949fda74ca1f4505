//! `lakegate status`: what happened to a lake, a source object or a part file.
//!
//! For: reading commit records as an audit trail. Not for: what is inside Parquet (`inspect`), or mending
//! (`fsck`). The decision to know: the answer comes from commit records and failed records alone; nothing
//! is opened or compared, so it is quick and safe beside a running `run`.

mod summary;

use crate::args::lake::{DEFAULT, NamedLake, ThroughArg, existing_lake, lake_if_there};
use crate::cloud;
use crate::context::Context;
use crate::place::Place;
use crate::show::alike::Alike;
use crate::show::flow::Flow;
use crate::show::made::lake_flag;
use crate::show::output::{Answer, Outcome};
use crate::show::reasons::Reasons;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, size, visible};
use clap::Args;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_lake::RunId;
use lakegate_lake::keys::is_lake;
use lakegate_lake::lake::{Lake, Load, Void};
use lakegate_lake::record::{CommitRecord, CommitState, FailedRecord};
use lakegate_lake::run::rejected_in;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use summary::{Part, Wanted, summary};

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
  lakegate status s3://acme-lake/sales/                  a lake in a bucket
  lakegate status                                        the lakes of lakegate.toml, here or in a folder above
  lakegate status s3://raw/orders/2025/x.json            an object, in those lakes
  lakegate status s3://raw/orders/2025/                  all objects below a prefix
  lakegate status 52797132-652b-85bc-9470-5a2b6c000003   a run, by the id that notice, log and lineage have
  lakegate status orders --config deploy/lakegate.toml   a pipeline or a table")]
pub struct StatusArgs {
    /// The lake: a folder, or s3://BUCKET/PREFIX/; or else, in the lakes of lakegate.toml: a pipeline, a table, a source
    /// object, a prefix, or a part file
    #[arg(value_name = "LAKE | SUBJECT")]
    lake: Option<Place>,
    /// A table, a source object (path or URI), a prefix that ends in `/`, or a part file
    #[arg(value_name = "SUBJECT")]
    subject: Option<Place>,
    #[command(flatten)]
    through: ThroughArg,
    #[command(flatten)]
    part: Part,
}

/// Runs `status`.
pub fn run(args: &StatusArgs, context: &Context) -> Outcome {
    let config = args.through.config.as_deref();
    let through = args.through.pipeline.is_some() || config.is_some();
    let given = args.lake.as_ref().map(Place::to_string);
    let subject = args.subject.as_ref().map(Place::to_string);
    if let (Some(place), Some(subject)) = (&args.lake, &subject) {
        return answer(&existing_lake(place, config)?, Some(subject), args, context.out);
    }
    if let Some(place) = &args.lake
        && !through
    {
        // What is said is the lake, where it is one; that of a part file is above it.
        if let Some(lake) = lake_if_there(place, config)? {
            return answer(&lake, None, args, context.out);
        }
        if let Some(lake) = lake_above(place, config)? {
            return answer(&lake, given.as_deref(), args, context.out);
        }
    }
    let default = is_lake(Path::new(DEFAULT));
    // Not a folder, where a typing error in a lake's name is likelier.
    let is_subject = match &args.lake {
        Some(Place::Local(path)) => !path.is_dir(),
        Some(Place::S3(_)) => true,
        None => !default,
    };
    if through || (is_subject && cloud::found()?.is_some()) {
        return deployed(args, given.as_deref(), context);
    }
    match &args.lake {
        Some(place) if !is_subject || !default => {
            existing_lake(place, config).and_then(|lake| answer(&lake, None, args, context.out))
        }
        _ => answer(&existing_lake(&DEFAULT.into(), config)?, given.as_deref(), args, context.out),
    }
}

/// The lake that a part file lies in, where it is named with its whole path or URI.
fn lake_above(part: &Place, config: Option<&Path>) -> Result<Option<NamedLake>, Error> {
    let whole = part.to_string();
    if !whole.ends_with(".parquet") {
        return Ok(None);
    }
    let least = if matches!(part, Place::S3(_)) { "s3://".len() } else { 0 };
    for (at, _) in whole.rmatch_indices('/').filter(|(at, _)| *at > least) {
        let above = match part {
            Place::S3(_) => Place::S3(format!("{}/", &whole[..at])),
            Place::Local(_) => whole[..at].into(),
        };
        if let Some(lake) = lake_if_there(&above, config)? {
            return Ok(Some(lake));
        }
    }
    Ok(None)
}

/// What happened in one lake, or to a subject in it.
fn answer(lake: &NamedLake, subject: Option<&str>, args: &StatusArgs, screen: Screen) -> Outcome {
    let of = |wanted: Wanted| summary(lake, &lake.shown, &args.part, &wanted, screen);
    let Some(subject) = subject else { return of(Wanted::default()) };
    if subject.ends_with('/') {
        return of(Wanted { below: Some(prefix_of(subject)), ..Wanted::default() });
    }
    let found = about(lake, &lake.shown, subject, screen);
    let unknown = found.as_ref().is_err_and(|error| error.code() == Code::UnknownSource);
    if unknown && lake.tables()?.iter().any(|table| table == subject) {
        return of(Wanted { table: Some(subject.to_owned()), ..Wanted::default() });
    }
    found
}

/// What happened in the lakes of a configuration's pipelines.
fn deployed(args: &StatusArgs, subject: Option<&str>, context: &Context) -> Outcome {
    let config = args.through.config.as_deref();
    let all = cloud::lakes_of(config)?;
    if let Some(named) = &args.through.pipeline {
        cloud::lake_of(named, config)?;
    }
    let (mut text, mut json) = (String::new(), Vec::new());
    let (mut seen, mut nowhere) = (Vec::new(), None);
    for (pipeline, place) in &all {
        let named = args.through.pipeline.as_ref().is_some_and(|name| name == pipeline);
        let is_it = subject.is_some_and(|subject| subject == pipeline);
        if (args.through.pipeline.is_some() && !named) || seen.contains(&place) {
            continue;
        }
        let narrowed = named || is_it;
        if !narrowed {
            // Pipelines may share a lake; one that is named is looked at by itself.
            if subject.is_some_and(|subject| all.iter().any(|(name, _)| name == subject)) {
                continue;
            }
            seen.push(place);
        }
        let lake = match existing_lake(place, config) {
            Ok(lake) => lake,
            Err(error) if error.code() == Code::NoLake => {
                nowhere = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let subject = subject.filter(|_| !is_it);
        let answer = match subject {
            None => {
                let wanted = Wanted { pipeline: narrowed.then(|| pipeline.clone()), ..Wanted::default() };
                summary(&lake, &lake.shown, &args.part, &wanted, context.out)?
            }
            Some(subject) => match answer(&lake, Some(subject), args, context.out) {
                Ok(answer) => answer,
                Err(problem) if problem.code() == Code::UnknownSource => continue,
                Err(problem) => return Err(problem),
            },
        };
        text.push_str(&answer.text);
        json.push(answer.json);
    }
    if json.is_empty() {
        return Err(match (subject, nowhere) {
            (None, Some(error)) => error,
            _ => Error::new(Code::UnknownSource, "no pipeline's lake knows anything of it")
                .with_hint("`lakegate backfill s3://bucket/prefix --dry-run` shows what is not in the tables")
                .in_file(subject.unwrap_or_default()),
        });
    }
    Ok(Answer { text, json: json!({"lakes": json}), ..Answer::default() })
}

/// A prefix as commit records have it.
fn prefix_of(subject: &str) -> String {
    if subject.starts_with("s3://") {
        return subject.to_owned();
    }
    std::fs::canonicalize(subject).map_or_else(|_| subject.to_owned(), |path| format!("{}/", path.display()))
}

fn about(lake: &Lake, folder: &Path, subject: &str, screen: Screen) -> Outcome {
    let Known { what, commits, failures } = known(lake, subject)?;
    let is_part = what == PART;
    if commits.is_empty() && failures.is_empty() {
        return Err(Error::new(Code::UnknownSource, "this lake knows nothing of it")
            .with_hint(
                "a source is known by the path it was run from; `lakegate status LAKE` lists the tables",
            )
            .in_file(subject));
    }
    let mut text = format!("{} ({what})\n", screen.paint(Tone::Name, &visible(subject)));
    let mut commits_json = Vec::new();
    for commit in &commits {
        let mark = lake.load_of(&commit.record)?;
        text.push_str(&commit_text(commit, mark.as_ref(), is_part.then_some(subject), screen));
        let reasons = reasons_of(lake, commit)?;
        text.push_str(&reasons.table("Rejected, kept in quarantine", false, screen));
        text.push_str(&reasons.drift(&lake_flag(folder), screen));
        commits_json.push(commit_json(commit, mark, &reasons, &lake_flag(folder)));
    }
    text.push_str(&failed(&failures, folder, screen));
    let json = json!({
        "lake": folder.display().to_string(), "subject": subject, "is_part_file": is_part,
        "commits": commits_json, "failures": failures_json(&failures),
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// Why records of a commit that counts were rejected: places from its quarantine, as far as that is read, and the
/// counts of its report.
fn reasons_of(lake: &Lake, commit: &CommitState) -> Result<Reasons, Error> {
    if !commit.current || !commit.done {
        return Ok(Reasons::default());
    }
    let mut reasons = Reasons::of(&rejected_in(lake, &commit.record)?);
    for (code, records) in &commit.record.report.rejects {
        reasons.count(code, *records);
    }
    reasons.known_in(lake);
    Ok(reasons)
}

/// What a lake knows of a subject.
struct Known {
    what: &'static str,
    commits: Vec<CommitState>,
    failures: Vec<FailedRecord>,
}

const PART: &str = "part file";

/// What is known under the id of a run, the name of a source object, or that of a part file.
fn known(lake: &Lake, subject: &str) -> Result<Known, Error> {
    if let Some(id) = RunId::parse(subject) {
        let (commits, failures) = (lake.commit_of_id(id)?, lake.failure_of_id(id)?);
        return Ok(Known {
            what: "run",
            commits: commits.into_iter().collect(),
            failures: failures.into_iter().collect(),
        });
    }
    let mut commits = lake.commits_of_source(subject)?;
    let part = if commits.is_empty() { lake.commit_of_part(subject)? } else { None };
    let what = if part.is_some() { PART } else { "source object" };
    commits.extend(part);
    let failures = failures_of(lake, &commits, subject)?;
    Ok(Known { what, commits, failures })
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
    fact("id", record.run_id().to_string());
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
    fact("records", Flow::of(&record.report).line(Screen::default()));
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

fn failed(failures: &[FailedRecord], lake: &Path, screen: Screen) -> String {
    let (mut alike, mut reasons) = (Alike::default(), Reasons::default());
    for failure in failures {
        let message = match &failure.panic {
            Some(said) => format!("{}; it said: {said}", failure.message),
            None => failure.message.clone(),
        };
        // Where a type was left, its own line says what to do, in the words of this lake.
        let hint = failure.hint.as_deref().filter(|_| failure.told.drift.is_empty());
        alike.add(&failure.source.uri, &failure.code, &message, hint);
        reasons.add(&failure.source.uri, &failure.told);
    }
    let why = reasons.table("Rejected in what failed", failures.len() > 1, screen);
    format!("{}{why}{}", alike.table(true, screen), reasons.drift(&lake_flag(lake), screen))
}

fn commit_json(commit: &CommitState, mark: Option<Load>, reasons: &Reasons, lake: &str) -> Value {
    let mut object = serde_json::to_value(&commit.record).unwrap_or_default();
    if let Some(object) = object.as_object_mut() {
        object.insert("reasons".to_owned(), reasons.reasons_json());
        object.insert("drift".to_owned(), reasons.drift_json(lake));
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
