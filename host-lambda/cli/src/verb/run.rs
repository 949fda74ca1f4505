//! `lakegate run`: source objects into tables of a lake.
//!
//! For: taking many inputs one after the other, and the exit code. Not for: the flow of one source object
//! (`lakegate_lake::run`), or how its result reads (`made`). The decision to know: one input that fails does not
//! stop the others; each is complete or untouched by itself, and the exit code tells if any failed.

use crate::args::config::{ConfigArg, is_object};
use crate::args::inputs::{Input, inputs};
use crate::args::lake::{LakeArg, open_lake};
use crate::args::plans::Plans;
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::show::made::Made;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::progress::telling;
use crate::taking::{Taking, contracts};
#[cfg(feature = "aws")]
use crate::verb::deployed;
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::Lake;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate run orders.json                                   table `orders` in ./lake, types learned
  lakegate run orders.json --spec orders.toml                with a spec (see `lakegate init`)
  lakegate run exports/ --table orders --lake /data/lake     a folder of files into one table
  cat feed.ndjson | lakegate run - --table feed              standard input
  lakegate run orders.json --json | jq .tables
  lakegate run s3://raw/orders/2025/x.json --config lakegate.toml   an object, as the function would
  lakegate run --failed --lake lake                          what failed there, once its cause is gone
  lakegate run x.json --registry releases --transform orders --trust release.key.pub   what the channel orders says now

A file that was run before with the same spec and component is left alone. With another spec, or changed content under the same path, its rows are replaced.")]
pub struct RunArgs {
    /// Files, folders (walked; hidden files and those that start with `_` are skipped), `-`, or s3:// objects
    #[arg(required_unless_present = "failed", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Take again what failed in this lake, or in the lakes of --config
    #[arg(long, conflicts_with = "inputs")]
    failed: bool,
    /// With this version of the releases, whatever their channel says
    #[arg(long, value_name = "VERSION", requires = "transform", requires = "failed")]
    release: Option<String>,
    /// Spec to follow (transform.toml); without one, what `init` would propose
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Table to write to, when the spec names none [default: the stem of each file]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    lake: LakeArg,
    #[command(flatten)]
    transform: TransformArg,
    /// Run again even when nothing changed: makes the next generation
    #[arg(long)]
    again: bool,
    /// Objects in buckets go through the pipelines of this configuration [default: lakegate.toml here or above]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["spec", "table", "lake", "transform"])]
    config: Option<PathBuf>,
}

/// Runs `run`.
pub fn run(args: &RunArgs, context: &Context) -> Outcome {
    if args.failed && args.config.is_some() {
        return failed_objects(&ConfigArg { config: args.config.clone() }, context);
    }
    let uris: Vec<String> = args.inputs.iter().map(|input| input.display().to_string()).collect();
    if uris.iter().any(|uri| is_object(uri)) || args.config.is_some() {
        if let Some(file) = uris.iter().find(|uri| !is_object(uri)) {
            return Err(Error::usage(format!("{file} is no s3:// object, and --config is for those")));
        }
        return objects(&uris, &ConfigArg { config: args.config.clone() }, args.again, context);
    }
    let begun = Instant::now();
    let plans = Plans::new(args.spec.as_deref(), args.table.as_deref(), args.again)?;
    let (inputs, lake) = if args.failed {
        let lake = args.lake.existing()?;
        (failed_files(&lake)?, lake)
    } else {
        (inputs(&args.inputs, Some(&args.lake.lake))?, open_lake(&args.lake.lake)?)
    };
    if inputs.is_empty() {
        let text = "nothing failed in this lake that can be taken again\n".to_owned();
        return Ok(Answer { text, json: json!({"inputs": []}), ..Answer::default() });
    }
    let mut transform = args.transform.clone();
    if let (Some(named), Some(version)) = (&mut transform.transform, &args.release) {
        named.as_mut_os_string().push(format!("@{version}"));
    }
    let chosen = transform.choose(Some(&lake), Some(telling(context.err, context.json)))?;
    chosen.check_alone(args.spec.as_deref(), args.table.as_deref())?;
    let mut made = Made::new(&args.lake.lake, contracts(&lake)?);
    let taking = Taking {
        lake: &lake,
        folder: &args.lake.lake,
        chosen: &chosen,
        plans: &plans,
        spec: args.spec.as_deref(),
        again: args.again,
        host: "run",
    };
    let mut bar = Bar::new(context.err, inputs.iter().map(Input::bytes).sum(), inputs.len());
    for input in &inputs {
        let name = input.name();
        bar.source(&name);
        let taken = input.open(args.table.as_deref()).and_then(|source| {
            let outcome = taking.one(&source, &name, &mut |progress| bar.update(&name, &progress))?;
            Ok((source, outcome))
        });
        match taken {
            Ok((source, outcome)) => made.add(&name, source.uri(), &outcome),
            // A lone input is the answer itself; of several, each failure is told as it happens.
            Err(problem) if inputs.len() == 1 => {
                bar.finish();
                return Err(problem);
            }
            Err(problem) => {
                bar.say(&problem::render(&problem, context.err));
                made.failed(&name, problem);
            }
        }
        bar.done(input.bytes());
    }
    bar.finish();
    made.finish(&lake, &chosen.digest(), begun.elapsed(), plans.by_stem(), context.out)
}

/// Files that failed in a lake and are there still. What came from standard input cannot come again by itself.
fn failed_files(lake: &Lake) -> Result<Vec<Input>, Error> {
    let mut found = Vec::new();
    for failed in lake.failures()? {
        let path = PathBuf::from(failed.source.uri);
        if let Ok(facts) = std::fs::metadata(&path) {
            found.push(Input::File(path, facts.len()));
        }
    }
    Ok(found)
}

/// Objects that failed in the pipelines of a configuration.
#[cfg(feature = "aws")]
fn failed_objects(config: &ConfigArg, context: &Context) -> Outcome {
    deployed::run_failed(config, context)
}

#[cfg(not(feature = "aws"))]
fn failed_objects(_: &ConfigArg, _: &Context) -> Outcome {
    Err(crate::cloud::absent("a configuration"))
}

/// Objects in buckets, through the pipelines of a configuration.
#[cfg(feature = "aws")]
fn objects(uris: &[String], config: &ConfigArg, again: bool, context: &Context) -> Outcome {
    deployed::run(uris, config, again, context)
}

#[cfg(not(feature = "aws"))]
fn objects(uris: &[String], _: &ConfigArg, _: bool, _: &Context) -> Outcome {
    Err(crate::cloud::absent(uris.first().map_or("an object", String::as_str)))
}
