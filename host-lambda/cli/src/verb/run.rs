//! `lakegate run`: source objects into tables of a lake.
//!
//! For: taking many inputs, several at once, and the exit code. Not for: the flow of one source object
//! (`lakegate_lake::run`), or how its result reads (`made`). The decision to know: one input that fails does not
//! stop the others; each is complete or untouched by itself, and the exit code tells if any failed.

mod together;

use crate::args::inputs::{Input, by_argument};
use crate::args::lake::{LakeArg, NamedLake};
use crate::args::plans::Plans;
use crate::args::transform::{Chosen, TransformArg};
use crate::at_once::{Turns, cores, in_order};
use crate::context::Context;
use crate::failed;
use crate::place::Place;
use crate::show::made::Made;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::progress::telling;
use crate::show::render::Tone;
use crate::taking::{Taking, contracts};
#[cfg(feature = "aws")]
use crate::verb::deployed;
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::Lake;
use lakegate_lake::run::{self, Progress};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;
use together::Group;

/// Arguments of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate run orders.json                                   table `orders` in ./lake, types learned
  lakegate run orders.json --spec orders.toml                with a spec (see `lakegate init`)
  lakegate run exports/ --lake /data/lake                    a folder of files, learned together, into the table `exports`
  cat feed.ndjson | lakegate run - --table feed              standard input
  lakegate run exports/ --jobs 1                             one file after the other, in less memory
  lakegate run orders.json --json | jq .tables
  lakegate run s3://raw/orders/2025/x.json                   an object, as the function would: by lakegate.toml
  lakegate run s3://raw/orders/2025/ --lake s3://acme/lake/  all below a prefix, into a lake that is named
  lakegate run --failed --lake lake                          what failed there, once its cause is gone
  lakegate run x.json --registry releases --transform orders --trust release.key.pub   what the channel orders says now

A file that was run before with the same spec and component is left alone. With another spec, or changed content under the same path, its rows are replaced.")]
pub struct RunArgs {
    /// Files, folders (walked; hidden files and those that start with `_` are skipped), `-`, s3:// objects or prefixes
    #[arg(required_unless_present = "failed", value_name = "INPUT")]
    inputs: Vec<Place>,
    /// Take again what failed in this lake, or in those of --pipeline or --config
    #[arg(long, conflicts_with = "inputs")]
    failed: bool,
    /// With this version of the releases, whatever their channel says
    #[arg(long, value_name = "VERSION", requires = "transform", requires = "failed")]
    release: Option<String>,
    /// Spec to follow (transform.toml); without one, what `init` would propose
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    /// Table to write to, when the spec names none [default: the name of a folder, the stem of a file]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    lake: LakeArg,
    #[command(flatten)]
    transform: TransformArg,
    /// Run again even when nothing changed: makes the next generation
    #[arg(long)]
    again: bool,
    /// How many inputs are taken at once; tables and output are the same whatever it is [default: one a core; through a
    /// channel always one]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

impl RunArgs {
    /// How many inputs are taken at once. Which release a channel picks may hang on how those before fared: a canary
    /// that fails is to take no more of them than it must.
    fn at_once(&self, chosen: &Chosen) -> usize {
        if chosen.follower().is_some() { 1 } else { self.jobs.map_or_else(cores, usize::from) }
    }

    /// Whether the command line itself says what to do with each input, and where to.
    fn by_hand(&self) -> bool {
        let told = self.spec.is_some() || self.table.is_some() || self.transform.is_set();
        self.lake.lake.is_some() || told
    }

    /// The pipelines of `lakegate.toml` take objects in buckets, unless the command line says what to do with them.
    fn through_pipelines(&self) -> Result<bool, Error> {
        let named = self.lake.through.config.is_some() || self.lake.through.pipeline.is_some();
        if self.failed {
            return Ok(!self.by_hand() && (named || self.lake.is_of_pipelines()?));
        }
        let objects = self.inputs.iter().filter(|input| matches!(input, Place::S3(_))).count();
        if named && self.by_hand() {
            return Err(Error::usage("a pipeline says itself what to do with an object, and where to")
                .with_hint("leave --config and --pipeline away, or --spec, --table, --lake, --transform and --registry"));
        }
        if objects == self.inputs.len() {
            return Ok(!self.by_hand());
        }
        match self.inputs.iter().find(|input| matches!(input, Place::Local(_))) {
            Some(file) if named || (objects > 0 && !self.by_hand()) => {
                Err(Error::usage(format!("{file} is no s3:// object, and pipelines take only those"))
                    .with_hint("give files and objects in two commands; --lake takes both into one lake"))
            }
            _ => Ok(false),
        }
    }
}

/// Runs `run`.
pub fn run(args: &RunArgs, context: &Context) -> Outcome {
    if args.through_pipelines()? {
        return objects(args, context);
    }
    let begun = Instant::now();
    let plans = Plans::new(args.spec.as_ref(), args.table.as_deref(), args.again)?;
    let Gathered { inputs, own, groups, lake } = gather(args)?;
    if inputs.is_empty() {
        let text = "nothing failed in this lake that can be taken again\n".to_owned();
        return Ok(Answer {
            text,
            json: json!({"inputs": [], "rows": 0, "rejected": 0, "failed": 0}),
            ..Answer::default()
        });
    }
    let mut transform = args.transform.clone();
    if let (Some(named), Some(version)) = (&mut transform.transform, &args.release) {
        named.as_mut_os_string().push(format!("@{version}"));
    }
    let chosen = transform.choose(Some(&lake), Some(telling(context.err, context.json)))?;
    chosen.check_alone(args.spec.as_ref(), args.table.as_deref())?;
    let spec = args.spec.as_ref().map(Place::shown);
    let mut made = Made::new(&lake.shown, contracts(&lake)?);
    let taking = |number: usize| Taking {
        lake: &lake,
        folder: &lake.shown,
        chosen: &chosen,
        plans: own.get(&number).unwrap_or(&plans),
        spec: spec.as_deref(),
        again: args.again,
        host: "run",
    };
    together::learn(&groups, &inputs, &lake, &chosen, args.table.is_some(), context.err, &mut made)?;
    let earlier = earlier(&inputs);
    let taken = Taken { inputs: &inputs, earlier: &earlier, taking: &taking, table: args.table.as_deref() };
    let bar = taken.all(args.at_once(&chosen), context, &mut made)?;
    bar.say(&made.failed_alike(context.err));
    bar.say(&unheard(&lake, context));
    bar.finish();
    let stems = plans.by_stem() && inputs.len() > own.len() + 1;
    made.finish(&lake, &chosen.digest(), begun.elapsed(), stems, context.out)
}

/// The inputs of a run, and what is done with each.
struct Taken<'a, T> {
    inputs: &'a [Input],
    /// The one before it that is the same source object, where there is one.
    earlier: &'a [Option<usize>],
    taking: &'a T,
    /// What names the table of standard input.
    table: Option<&'a str>,
}

impl<'a, T: Fn(usize) -> Taking<'a> + Sync> Taken<'a, T> {
    /// Takes them, `jobs` at once, and adds what comes of each in their order.
    ///
    /// # Errors
    /// A lone input is the answer itself.
    fn all(&self, jobs: usize, context: &Context, made: &mut Made) -> Result<Bar, Error> {
        let inputs = self.inputs;
        let bar = Bar::new(context.err, inputs.iter().map(Input::bytes).sum(), inputs.len());
        let mut alone = None;
        in_order(
            inputs.len(),
            jobs,
            |number, turns| self.one(number, turns, &bar),
            |number, taken| {
                let (name, bytes) = (inputs[number].name(), inputs[number].bytes());
                match taken {
                    Ok((uri, outcome)) => made.add(&name, &uri, &outcome),
                    Err(problem) if inputs.len() == 1 => alone = Some(problem),
                    // Of several, the first failure of each kind is told as it happens.
                    Err(problem) => {
                        let told = problem::render(&problem, context.err);
                        if made.failed(&name, problem) {
                            bar.say(&told);
                        }
                    }
                }
                bar.done(&name, bytes);
            },
        );
        if alone.is_some() {
            bar.finish();
        }
        alone.map_or(Ok(bar), Err)
    }

    /// Takes one; its URI, and what it came to.
    fn one(&self, number: usize, turns: &Turns, bar: &Bar) -> Result<(String, run::Outcome), Error> {
        let input = &self.inputs[number];
        let name = input.name();
        if let Some(earlier) = self.earlier[number] {
            turns.wait_for(earlier);
        }
        bar.source(&name);
        let source = input.open(self.table)?;
        let progress = &mut |progress| {
            bar.update(&name, &progress);
            if progress == Progress::Settled {
                turns.pass(number);
            }
        };
        let wait = || turns.wait(number);
        let turn = (self.inputs.len() > 1).then_some(&wait as &dyn Fn());
        let outcome = (self.taking)(number).in_turn(&source, &name, turn, progress)?;
        Ok((source.uri().to_owned(), outcome))
    }
}

/// For each input the last one before it that is the same source object.
fn earlier(inputs: &[Input]) -> Vec<Option<usize>> {
    let mut last = BTreeMap::new();
    inputs.iter().enumerate().map(|(number, input)| last.insert(input.identity(), number)).collect()
}

/// What is to be taken, and where to.
struct Gathered {
    inputs: Vec<Input>,
    /// Plans of an input's own, by its number, where it has not those of the command line.
    own: BTreeMap<usize, Plans>,
    /// What is learned together.
    groups: Vec<Group>,
    lake: NamedLake,
}

fn gather(args: &RunArgs) -> Result<Gathered, Error> {
    if !args.failed {
        let lake = args.lake.open()?;
        let named = by_argument(&args.inputs, Some(&lake.shown))?;
        // A release and a spec say themselves what the table is.
        let told = args.spec.is_some() || args.transform.registry.registry.is_some();
        let groups = if told { Vec::new() } else { together::groups(&named, args.table.as_deref()) };
        let mut own = BTreeMap::new();
        for group in &groups {
            for member in &group.members {
                own.insert(member.at, Plans::of_text(String::new(), None, Some(&group.table), args.again)?);
            }
        }
        let inputs = named.into_iter().flat_map(|named| named.inputs).collect();
        return Ok(Gathered { inputs, own, groups, lake });
    }
    let lake = args.lake.existing()?;
    if lake.is_in_s3() && !lake.alone {
        let what = "pipelines of lakegate.toml write to this lake, and know what to do with its objects";
        return Err(Error::usage(what).with_hint(
            "leave --lake away: `lakegate run --failed --pipeline NAME`, or --config FILE for all",
        ));
    }
    let (inputs, own) = failed_inputs(&lake, args)?;
    let own = own.into_iter().enumerate().collect();
    Ok(Gathered { inputs, own, groups: Vec::new(), lake })
}

/// That no catalog hears of what was made, where one might be expected to.
fn unheard(lake: &NamedLake, context: &Context) -> String {
    if !lake.alone {
        return String::new();
    }
    let mark = context.err.paint(Tone::Warn, "!");
    format!("{mark} no pipeline of a lakegate.toml writes to this lake: no catalog was told of its tables\n")
}

/// Sources that failed in a lake and are there still, and the plan that each failed under, unless the command line says
/// another.
fn failed_inputs(lake: &Lake, args: &RunArgs) -> Result<(Vec<Input>, Vec<Plans>), Error> {
    let told = args.spec.is_some() || args.table.is_some() || args.transform.is_set();
    let (mut found, mut plans) = (Vec::new(), Vec::new());
    for (input, failed) in failed::there(lake.failures()?)? {
        found.push(input);
        if !told {
            plans.push(failed::plans_of(lake, &failed, None, args.again)?);
        }
    }
    Ok((found, plans))
}

/// Objects in buckets, through the pipelines of a configuration.
#[cfg(feature = "aws")]
fn objects(args: &RunArgs, context: &Context) -> Outcome {
    if args.failed {
        return deployed::run_failed(&args.lake.through, args.again, context);
    }
    deployed::run(&args.inputs, &args.lake.through, args.again, context)
}

#[cfg(not(feature = "aws"))]
fn objects(args: &RunArgs, _: &Context) -> Outcome {
    Err(crate::cloud::absent(&args.inputs.first().map_or("a configuration".into(), Place::to_string)))
}
