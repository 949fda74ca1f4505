//! `lakegate config`: is `lakegate.toml` right?
//!
//! For: every mistake before anything is deployed, each as `file:line:column: message`, in the
//! configuration and in the specs that lie beside it. Not for: asking AWS whether a bucket, topic or
//! crawler exists. The decision to know: a spec is judged by the transform itself, which opens a job with
//! it and reads nothing; the host knows no rule of specs.

use crate::args::place::Place;
use crate::args::plans::read_spec;
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count};
use clap::{Args, Subcommand};
use lakegate_aws::config::{
    Address, At, Catalog, Config, ContractWish, FILE_NAME, Location, Origin, Pipeline, PublicKey, Told,
};
use lakegate_base::{Code, Error, Fault, Result};
use lakegate_lake::run::Plan;
use lakegate_lake::storage::LocalFolder;
use lakegate_release::{Loader, Registry, Trust};
use lakegate_sandbox::{JobOptions, Limits, Sandbox, Step, Transform};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `config`.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Find every mistake in lakegate.toml and in the specs beside it
    ///
    /// Nothing is asked of AWS. Exit code 2 when there are mistakes.
    Check(CheckArgs),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate config check
  lakegate config check deploy/lakegate.toml
  lakegate config check --json | jq '.mistakes[]'")]
struct CheckArgs {
    /// The configuration [default: lakegate.toml here or in a folder above]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    transform: TransformArg,
}

/// Runs `config`.
pub fn run(args: &ConfigArgs, context: &Context) -> Outcome {
    match &args.action {
        Action::Check(args) => check(args, context),
    }
}

fn check(args: &CheckArgs, context: &Context) -> Outcome {
    let path = path(args)?;
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&name, error))?;
    let parsed = Config::parse(&text, &Origin::File(path));
    let config = match parsed {
        Ok(config) => config,
        Err(mistakes) => {
            let findings = mistakes.into_iter().map(|mistake| Finding {
                file: name.clone(),
                line: Some(mistake.line),
                column: Some(mistake.column),
                message: mistake.message,
                hint: mistake.hint,
            });
            return Ok(mistaken(&name, &findings.collect::<Vec<_>>(), context.out));
        }
    };
    let findings = specs(&config, &name, &args.transform)?;
    if !findings.is_empty() {
        return Ok(mistaken(&name, &findings, context.out));
    }
    Ok(right(&name, &config, context.out))
}

fn path(args: &CheckArgs) -> std::result::Result<PathBuf, Error> {
    if let Some(file) = &args.file {
        return Ok(if file.is_dir() { file.join(FILE_NAME) } else { file.clone() });
    }
    let here = std::env::current_dir().map_err(|error| Error::io("the current folder", error))?;
    let found = Config::find(&here).ok_or_else(|| {
        Error::usage(format!("there is no {FILE_NAME} here or in a folder above"))
            .with_hint("name the file: `lakegate config check FILE`")
    })?;
    // As a person would write it, where it is below.
    Ok(found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found))
}

/// A mistake in the configuration or in a spec.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    file: String,
    line: Option<u64>,
    column: Option<u64>,
    message: String,
    hint: Option<String>,
}

impl Finding {
    fn at(file: &str, at: At, message: impl Into<String>, hint: Option<String>) -> Self {
        let (line, column) = (Some(at.line), Some(at.column));
        Self { file: file.to_owned(), line, column, message: message.into(), hint }
    }

    fn place(&self) -> String {
        let numbers = [self.line, self.line.and(self.column)];
        let numbers = numbers.iter().flatten().map(|number| format!(":{number}"));
        format!("{}{}", self.file, numbers.collect::<String>())
    }
}

/// Judges the specs that can be read from here.
fn specs(config: &Config, name: &str, transform: &TransformArg) -> std::result::Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut loaded = None;
    for pipeline in config.pipelines.values() {
        if let Told::Channel { trust, .. } = &pipeline.told {
            let keys: Vec<_> = trust.iter().filter_map(|key| public_key(key, name, pipeline.at)).collect();
            // With a key that cannot be read, nothing that it signed could be either.
            let releases = if keys.is_empty() { channel(pipeline, name)? } else { None };
            findings.extend(keys.into_iter().chain(releases));
        }
        let Told::Spec { address: Address::Local(path), at } = &pipeline.told else { continue };
        let transform = match &mut loaded {
            Some(loaded) => loaded,
            none => none.insert(transform.load()?),
        };
        findings.extend(spec(transform, pipeline, path, name, *at)?);
    }
    Ok(findings)
}

/// What is wrong with a public key that can be read from here.
fn public_key(key: &PublicKey, name: &str, at: At) -> Option<Finding> {
    let (text, place) = match key {
        PublicKey::Inline(text) => (text.clone(), "a key in `trust`".to_owned()),
        PublicKey::File(Address::Local(path)) => match std::fs::read_to_string(path) {
            Ok(text) => (text, path.display().to_string()),
            Err(error) => {
                let hint = "`lakegate keygen` makes it, beside the private key";
                let message = format!("the public key {} cannot be read: {error}", path.display());
                return Some(Finding::at(name, at, message, Some(hint.into())));
            }
        },
        PublicKey::File(Address::S3 { .. }) => return None,
    };
    let error = Trust::parse([text.as_str()]).err()?;
    Some(Finding::at(name, at, format!("{place}: {error}"), error.hint().map(str::to_owned)))
}

/// What a host would refuse of a pipeline's channel, where that and the keys lie in folders.
fn channel(pipeline: &Pipeline, name: &str) -> Result<Option<Finding>> {
    let Told::Channel { channel, registry: Location::Local(folder), trust, .. } = &pipeline.told else {
        return Ok(None);
    };
    let mut texts = Vec::new();
    for key in trust {
        texts.push(match key {
            PublicKey::Inline(text) => text.clone(),
            PublicKey::File(Address::Local(path)) => std::fs::read_to_string(path)
                .map_err(|error| Error::io(&path.display().to_string(), error))?,
            PublicKey::File(Address::S3 { .. }) => return Ok(None),
        });
    }
    let loader = Loader {
        registry: Registry::over(Arc::new(LocalFolder::new(folder)?)),
        trust: Trust::parse(texts.iter().map(String::as_str))?,
        sandbox: Sandbox::new(Limits::default())?,
        declared: pipeline.contract == ContractWish::Declared,
        lake: None,
    };
    let document = loader.registry.channel(channel, &loader.trust);
    let loaded = document.and_then(|document| loader.load_pinned(channel, &document.stable.release, true));
    let finding = |error: Error| {
        let message = format!("the channel {channel} cannot be followed: {error}");
        Finding::at(name, pipeline.at, message, error.hint().map(str::to_owned))
    };
    Ok(loaded.err().map(finding))
}

/// What is wrong with one spec; an error when it cannot be judged.
fn spec(
    transform: &Transform,
    pipeline: &Pipeline,
    path: &Path,
    name: &str,
    at: At,
) -> std::result::Result<Option<Finding>, Error> {
    let text = match read_spec(Some(&Place::Local(path.to_owned()))) {
        Ok(text) => text,
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            return Ok(Some(Finding::at(name, at, error.message().to_owned(), hint)));
        }
    };
    let plan = Plan::new(text, pipeline.table.clone());
    let Err(error) = plan.and_then(|plan| open(transform, &plan)) else { return Ok(None) };
    // These two are about the configuration and the spec together; their own hints speak of `--table`.
    let name_of = &pipeline.name;
    let hint = match error.code() {
        Code::TableMissing => {
            format!("add table = \"NAME\" to [pipeline.{name_of}], or a name to the spec's table")
        }
        Code::TableAmbiguous => {
            format!("take `table` out of [pipeline.{name_of}]: the spec names its tables")
        }
        _ => {
            let file = path.display().to_string();
            if error.fault() != Fault::Spec {
                return Err(error.in_file(file));
            }
            let place = error.place().cloned().unwrap_or_default();
            let (message, hint) = (error.message().to_owned(), error.hint().map(str::to_owned));
            return Ok(Some(Finding { file, line: place.line, column: place.column, message, hint }));
        }
    };
    Ok(Some(Finding::at(name, at, error.to_string(), Some(hint))))
}

/// Opens a job and reads nothing. A spec that declares everything agrees at once; only then can its
/// expressions be judged, for they may name columns that are still to be learned.
fn open(transform: &Transform, plan: &Plan) -> Result<()> {
    let options = JobOptions { spec: plan.spec.clone(), table: plan.table.clone(), ..JobOptions::default() };
    let mut session = transform.open(options.clone())?;
    loop {
        match session.step()? {
            Step::Working => {}
            Step::Widen(widened) => {
                let options = JobOptions { contracts: widened.contracts, final_pass: true, ..options };
                return transform.open(options).map(drop);
            }
            _ => return Ok::<(), Error>(()),
        }
    }
}

fn mistaken(name: &str, findings: &[Finding], screen: Screen) -> Answer {
    let mut text = String::new();
    for finding in findings {
        let place = screen.paint(Tone::Name, &finding.place());
        text.push_str(&format!("{place}: {}\n", finding.message));
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("  {} {hint}\n", screen.paint(Tone::Good, "hint:")));
        }
    }
    let found = count(findings.len() as u64, "mistake", "mistakes");
    text.push_str(&format!("{}\n", screen.paint(Tone::Bad, &found)));
    let json = json!({ "file": name, "valid": false, "mistakes": findings, "pipelines": [] });
    Answer { text, json, exit: Exit::Usage }
}

fn right(name: &str, config: &Config, screen: Screen) -> Answer {
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
    let elsewhere = config.pipelines.values().filter(|pipeline| {
        let told = &pipeline.told;
        matches!(
            told,
            Told::Spec { address: Address::S3 { .. }, .. }
                | Told::Channel { registry: Location::S3 { .. }, .. }
        )
    });
    let names: Vec<&str> = elsewhere.map(|pipeline| pipeline.name.as_str()).collect();
    if !names.is_empty() {
        let note =
            format!("not looked into, since it is in S3: the spec or the releases of {}", names.join(", "));
        text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &note)));
    }
    let pipelines: Vec<Value> = config.pipelines.values().map(pipeline_json).collect();
    let json = json!({ "file": name, "valid": true, "mistakes": [], "pipelines": pipelines });
    Answer { text, json, exit: Exit::Done }
}

fn told(pipeline: &Pipeline) -> String {
    match &pipeline.told {
        Told::Spec { address, .. } => address.uri(),
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
        Told::Spec { address, .. } => (Some(address.uri()), None, None),
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
