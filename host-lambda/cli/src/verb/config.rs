//! `lakegate config`: is `lakegate.toml` right?
//!
//! For: every mistake before anything is deployed, each as `file:line:column: message`, in the
//! configuration and in the specs that lie beside it. Not for the rules, which are the AWS crate's.
//! The decision to know: standard output says all there is to mend, one line each, as compilers do.

use crate::args::inputs::is_prefix;
use crate::args::transform::TransformArg;
use crate::cloud::Connection;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count};
use clap::{Args, Subcommand};
use lakegate_aws::check;
use lakegate_aws::check::{Checked, Finding};
use lakegate_aws::client::Aws;
use lakegate_aws::deployed::read_address;
use lakegate_base::Error;
use lakegate_config::{Address, Catalog, Config, FILE_NAME, Origin, Pipeline, Told, reference};
use serde_json::{Value, json};
use std::path::Path;

/// Arguments of `config`.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Find every mistake in lakegate.toml, and in the specs and keys that it names
    ///
    /// Nothing is asked of AWS without --live. Exit code 2 when there are mistakes.
    Check(CheckArgs),
    /// List every key of lakegate.toml: what it may be, what holds without it, what it is for
    #[command(after_help = "Examples:
  lakegate config keys
  lakegate config keys --json | jq '.sections[].keys[].key'")]
    Keys,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate config check
  lakegate config check deploy/lakegate.toml
  lakegate config check --live                    asks AWS as well, and changes nothing
  lakegate config check --json | jq '.mistakes[]'")]
struct CheckArgs {
    /// The configuration [default: lakegate.toml here or in a folder above]; with --live also an s3:// URI
    #[arg(value_name = "FILE | S3 URI")]
    file: Option<Place>,
    /// Ask AWS for buckets, database, crawler and topics, and judge specs, keys and releases in S3: calls that only look
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    transform: TransformArg,
}

/// Runs `config`.
pub fn run(args: &ConfigArgs, context: &Context) -> Outcome {
    match &args.action {
        Action::Check(args) => check(args, context),
        Action::Keys => Ok(keys(context.out)),
    }
}

fn check(args: &CheckArgs, context: &Context) -> Outcome {
    let connection = if args.live { Some(Connection::open()?) } else { None };
    let aws = connection.as_ref().map(Connection::aws);
    let origin = origin(args)?;
    let name = origin.name();
    let text = text(&origin, aws)?;
    let checked = check::check(&text, &origin, &|| args.transform.load(), aws)?;
    if checked.findings.is_empty() {
        return Ok(right(&name, &checked, context.out));
    }
    Ok(mistaken(&name, &checked, context.out))
}

/// Where the configuration is.
fn origin(args: &CheckArgs) -> Result<Origin, Error> {
    let Some(file) = &args.file else {
        let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
        let found = Config::find(&here).ok_or_else(|| {
            Error::usage(format!("there is no {FILE_NAME} here or in a folder above"))
                .with_hint("name the file: `lakegate config check FILE`")
        })?;
        // As a person would write it, where it is below.
        return Ok(Origin::File(found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found)));
    };
    match file {
        Place::S3(uri) => {
            let (bucket, key) = bucket_and_key(uri)?;
            if is_prefix(key) {
                return Err(Error::usage(format!("{uri} names no object")).with_hint("write s3://BUCKET/KEY"));
            }
            Ok(Origin::Object { bucket: bucket.to_owned(), key: key.to_owned() })
        }
        Place::Local(file) => {
            Ok(Origin::File(if file.is_dir() { file.join(FILE_NAME) } else { file.clone() }))
        }
    }
}

fn text(origin: &Origin, aws: Option<&Aws>) -> Result<String, Error> {
    match (origin, aws) {
        (Origin::File(path), _) => {
            std::fs::read_to_string(path).map_err(|error| Error::io(&origin.name(), error))
        }
        (Origin::Object { bucket, key }, Some(aws)) => {
            read_address(aws, &Address::S3 { bucket: bucket.clone(), key: key.clone() })
        }
        (Origin::Object { .. }, None) => {
            Err(Error::usage(format!("{} is in S3", origin.name())).with_hint("--live reads it from there"))
        }
        (Origin::Inline { text, .. }, _) => Ok(text.clone()),
    }
}

/// Every key, section by section.
fn keys(screen: Screen) -> Answer {
    let sections = reference();
    let mut text = String::new();
    for section in &sections {
        let mut grid = Grid::new(&["key", "value", "when absent", ""]);
        for line in &section.keys {
            let cells = [line.key, &line.value, line.absent, line.meaning].map(|cell| cell.replace('`', ""));
            grid.row(cells.into_iter().map(Cell::from).collect());
        }
        text.push_str(&format!("{}\n{}\n", screen.paint(Tone::Name, section.section), grid.render(screen)));
    }
    Answer { text, json: json!({ "sections": sections }), ..Answer::default() }
}

/// `lakegate.toml:3:14`, as compilers write it and editors read it.
fn place(finding: &Finding) -> String {
    let numbers = [finding.line, finding.line.and(finding.column)];
    let numbers = numbers.iter().flatten().map(|number| format!(":{number}"));
    format!("{}{}", finding.file, numbers.collect::<String>())
}

fn mistaken(name: &str, checked: &Checked, screen: Screen) -> Answer {
    let findings = &checked.findings;
    let mut text = String::new();
    for finding in findings {
        let place = screen.paint(Tone::Name, &place(finding));
        text.push_str(&format!("{place}: {}\n", finding.message));
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("  {} {hint}\n", screen.paint(Tone::Good, "hint:")));
        }
    }
    let found = count(findings.len() as u64, "mistake", "mistakes");
    text.push_str(&format!("{}\n", screen.paint(Tone::Bad, &found)));
    text.push_str(&notes(checked, screen));
    let json = json!({ "file": name, "valid": false, "mistakes": findings, "notes": checked.notes, "pipelines": [] });
    Answer { text, json, exit: Exit::Usage }
}

/// What was not looked into.
fn notes(checked: &Checked, screen: Screen) -> String {
    checked.notes.iter().map(|note| format!("  {}\n", screen.paint(Tone::Dim, note))).collect()
}

fn right(name: &str, checked: &Checked, screen: Screen) -> Answer {
    let config = &checked.config;
    let mut grid =
        Grid::new(&["pipeline", "source", "told by", "lake", "catalog", "notifies", ""]).of(Holds::Names);
    for pipeline in config.pipelines.values() {
        let suffixes = pipeline.source.suffixes.join(",");
        let paused = if pipeline.paused { Cell::new(Tone::Warn, "paused") } else { Cell::default() };
        grid.row(vec![
            Cell::new(Tone::Name, &*pipeline.name),
            format!("{}…{suffixes}", pipeline.source.location).into(),
            told(pipeline).into(),
            pipeline.lake.uri().into(),
            catalog(&pipeline.catalog).into(),
            topics(pipeline).join(", ").into(),
            paused,
        ]);
    }
    let found = count(config.pipelines.len() as u64, "pipeline", "pipelines");
    let mut text = format!("{}: {found}, no mistakes\n", screen.paint(Tone::Name, name));
    text.push_str(&grid.render(screen));
    text.push_str(&notes(checked, screen));
    let pipelines: Vec<Value> = config.pipelines.values().map(pipeline_json).collect();
    let json = json!({ "file": name, "valid": true, "mistakes": [], "notes": checked.notes, "pipelines": pipelines });
    Answer { text, json, exit: Exit::Done }
}

fn told(pipeline: &Pipeline) -> String {
    match &pipeline.told {
        Told::Spec { address } => address.uri(),
        Told::Channel { channel, registry, .. } => format!("channel {channel} of {registry}"),
        Told::Nothing => "no spec, learns".to_owned(),
    }
}

fn catalog(catalog: &Catalog) -> String {
    match catalog {
        Catalog::None => String::new(),
        Catalog::Glue { database, table_prefix, .. } => format!("glue {database}.{table_prefix}*"),
        Catalog::Crawler { crawler, .. } => format!("crawler {crawler}"),
    }
}

fn topics(pipeline: &Pipeline) -> Vec<&'static str> {
    let notify = &pipeline.notify;
    let all =
        [("success", &notify.success), ("failure", &notify.failure), ("quarantine", &notify.quarantine)];
    all.iter().filter(|(_, topic)| topic.is_some()).map(|(name, _)| *name).collect()
}

fn pipeline_json(pipeline: &Pipeline) -> Value {
    let (spec, channel, registry) = match &pipeline.told {
        Told::Spec { address } => (Some(address.uri()), None, None),
        Told::Channel { channel, registry, .. } => (None, Some(channel), Some(registry.uri())),
        Told::Nothing => (None, None, None),
    };
    let notify = &pipeline.notify;
    json!({
        "name": pipeline.name, "source": pipeline.source.location.uri(), "suffix": pipeline.source.suffixes,
        "spec": spec, "channel": channel, "registry": registry, "table": pipeline.table,
        "lake": pipeline.lake.uri(), "catalog": pipeline.catalog.kind(), "paused": pipeline.paused,
        "notify": {"success": notify.success, "failure": notify.failure, "quarantine": notify.quarantine},
    })
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
