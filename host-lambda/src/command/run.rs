//! `lakegate run`: source objects into tables of a lake.
//!
//! For: taking many inputs one after the other, and the exit code. Not for: the flow of one source object
//! (`crate::run`), or how its result reads (`made`). The decision to know: one input that fails does not
//! stop the others; each is complete or untouched by itself, and the exit code tells if any failed.

use super::Context;
use super::bridge::{Chosen, Input, LakeArg, Plans, TransformArg, inputs, open_lake};
use super::contract_view::ContractView;
use super::deployed::{self, ConfigArg};
use super::made::Made;
use super::output::Outcome;
use super::problem;
use super::progress::Bar;
use crate::error::{Code, Error};
use crate::lake::Lake;
use crate::run::{self, Progress};
use crate::source::Source;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
  lakegate run x.json --registry releases --transform orders --trust release.key.pub   what the channel orders says now

A file that was run before with the same spec and component is left alone. With another spec, or changed content under the same path, its rows are replaced.")]
pub struct RunArgs {
    /// Files, folders (walked; hidden files and those that start with `_` are skipped), `-`, or s3:// objects
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
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
    let uris: Vec<String> = args.inputs.iter().map(|input| input.display().to_string()).collect();
    if uris.iter().any(|uri| deployed::is_object(uri)) || args.config.is_some() {
        if let Some(file) = uris.iter().find(|uri| !deployed::is_object(uri)) {
            return Err(Error::usage(format!("{file} is no s3:// object, and --config is for those")));
        }
        return deployed::run(&uris, &ConfigArg { config: args.config.clone() }, args.again, context);
    }
    let begun = Instant::now();
    let plans = Plans::new(args.spec.as_deref(), args.table.as_deref(), args.again)?;
    let inputs = inputs(&args.inputs, Some(&args.lake.lake))?;
    let lake = open_lake(&args.lake.lake)?;
    let chosen = args.transform.choose()?;
    chosen.check_alone(args.spec.as_deref(), args.table.as_deref())?;
    let mut made = Made::new(&args.lake.lake, contracts(&lake)?);
    let taking = Taking {
        lake: &lake,
        folder: &args.lake.lake,
        chosen: &chosen,
        plans: &plans,
        spec: args.spec.as_deref(),
        again: args.again,
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

/// What the inputs of one call share.
pub struct Taking<'a> {
    /// Where to.
    pub lake: &'a Lake,
    /// Its folder as the person named it, for messages.
    pub folder: &'a Path,
    /// With what.
    pub chosen: &'a Chosen,
    /// Told what, where no release says it.
    pub plans: &'a Plans,
    /// File of the spec, for messages.
    pub spec: Option<&'a Path>,
    /// Also where nothing changed.
    pub again: bool,
}

impl Taking<'_> {
    /// Takes one source, which messages call `name`.
    ///
    /// # Errors
    /// As [`run::run`], and those of a release's plan.
    pub fn one(
        &self,
        source: &Source,
        name: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<run::Outcome, Error> {
        let (transform, plan) = self.chosen.of(source, self.again)?;
        let plan = match plan {
            Some(plan) => plan,
            None => self.plans.of(source)?,
        };
        run::run(self.lake, &transform, source, &plan, progress).map_err(|error| {
            let problem = problem::in_input_or_spec(error, name, self.spec);
            if problem.code() != Code::TooManyRejected {
                return problem;
            }
            let lake = self.folder.display();
            problem.with_hint(format!(
                "`lakegate status {lake} {}` shows the reasons; if so many are expected, raise max_rejected in \
                 [output] of the spec",
                if source.uri().starts_with("stdin:") { source.uri() } else { name }
            ))
        })
    }
}

/// The live contracts of all tables, to tell afterwards what changed.
pub fn contracts(lake: &Lake) -> Result<BTreeMap<String, ContractView>, Error> {
    let mut contracts = BTreeMap::new();
    for table in lake.tables()? {
        if let Some(live) = lake.contract(&table)? {
            contracts.insert(table, ContractView::parse(&live.text)?);
        }
    }
    Ok(contracts)
}

/// The folder of `table` as the person would write it: `lake/orders`.
pub fn table_folder(lake: &Path, table: &str) -> String {
    let lake = lake.strip_prefix(".").unwrap_or(lake);
    lake.join(table).display().to_string()
}
