//! Commands that act through a deployed configuration: `run s3://…`, `pause`, `resume`, `retract`.
//!
//! Not for lakes in a folder, nor for finding what is missing (`backfill`). The decision to know: they do what the function does, by the same code and
//! from the same `lakegate.toml`, found upwards from where the command is run; so what works by hand works
//! deployed, and the other way round.

use crate::args::config::ConfigArg;
use crate::args::inputs::{below, is_prefix, no_object};
use crate::args::lake::ThroughArg;
use crate::cloud;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::alike::Alike;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::progress::{Bar, Steps};
use crate::show::render::{Screen, Tone, count, number, visible};
use clap::Args;
use lakegate_aws::deployed::{Deployed, Request, Share, bare_lake};
use lakegate_aws::event::{AnswerState, ObjectAnswer, ObjectRef};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_config::Route;
use lakegate_lake::Lake;
use lakegate_lake::record::FailedRecord;
use lakegate_lake::source::now_ms;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Takes objects that a person names: objects, and all below prefixes.
pub fn run(places: &[Place], through: &ThroughArg, again: bool, context: &Context) -> Outcome {
    let deployed = cloud::connect(through.config.as_deref())?;
    let (mut objects, mut left) = (Vec::new(), Left::default());
    for place in places {
        let Place::S3(uri) = place else { continue };
        let (bucket, key) = bucket_and_key(uri)?;
        if !is_prefix(key) {
            let object = ObjectRef::named(bucket, key);
            check_taken(&deployed, &object, through)?;
            objects.push(object);
            continue;
        }
        let found = below(&*cloud::bucket_of(uri)?, key)?;
        if found.is_empty() {
            return Err(nothing_below(uri));
        }
        for facts in found {
            let object = ObjectRef::named(bucket, &facts.key);
            match check_taken(&deployed, &object, through) {
                Ok(()) => objects.push(object),
                Err(_) => left.others += 1,
            }
        }
    }
    if objects.is_empty() {
        let names: Vec<String> = places.iter().map(Place::to_string).collect();
        return Err(Error::new(Code::NoPipeline, "no pipeline takes any object there")
            .with_hint("`lakegate config check` lists which prefixes and suffixes the pipelines take")
            .in_file(names.join(", ")));
    }
    take(&deployed, &objects, again, &left, context)
}

fn nothing_below(uri: &str) -> Error {
    Error::new(Code::NoInput, "there is no object below this prefix")
        .with_hint("`aws s3 ls` lists what there is; names that begin with `_` or `.` are left out")
        .in_file(uri)
}

/// That a pipeline takes this object, and the one that was named.
fn check_taken(deployed: &Deployed, object: &ObjectRef, through: &ThroughArg) -> Result<(), Error> {
    let refused = |what: String| Error::new(Code::NoPipeline, what).in_file(object.uri());
    match (deployed.config().route(&object.bucket, &object.key), &through.pipeline) {
        (Route::Pipeline(pipeline), Some(named)) if pipeline.name != *named => {
            deployed.named(named)?;
            Err(refused(format!("the pipeline {} takes it, and not {named}", pipeline.name)))
        }
        (Route::Pipeline(_), _) => Ok(()),
        (Route::Loop { pipeline, prefix }, _) => Err(refused(format!(
            "it lies below {prefix}, where {pipeline} writes: taking it would be a loop"
        ))),
        (Route::Unmatched, _) => Err(refused("no pipeline takes it".into()).with_hint(
            "`lakegate config check` lists what the pipelines take; --lake takes it into one that is named",
        )),
    }
}

/// Takes again the objects that failed in the pipelines of a configuration.
pub fn run_failed(through: &ThroughArg, again: bool, context: &Context) -> Outcome {
    let deployed = cloud::connect(through.config.as_deref())?;
    let lakes = lakes_of(&deployed, through.pipeline.as_deref())?;
    let mut objects = Vec::new();
    for lake in &lakes {
        for failed in lake.failures()?.iter().filter(|failed| is_wanted(failed, through)) {
            if let Ok((bucket, key)) = bucket_and_key(&failed.source.uri) {
                objects.push(ObjectRef::named(bucket, key));
            }
        }
    }
    // Pipelines may share a lake.
    objects.sort_by_key(ObjectRef::uri);
    objects.dedup_by_key(|object| object.uri());
    if objects.is_empty() {
        let text = "no object has failed\n".to_owned();
        return Ok(Answer {
            text,
            json: json!({"objects": [], "rows": 0, "rejected": 0, "failed": 0}),
            ..Answer::default()
        });
    }
    let begun = rfc3339(now_ms());
    let answer = take(&deployed, &objects, again, &Left::default(), context)?;
    for lake in &lakes {
        // What failed once more has a record of now.
        for failed in lake.failures()?.iter().filter(|failed| failed.at < begun && is_wanted(failed, through))
        {
            let Ok((bucket, key)) = bucket_and_key(&failed.source.uri) else { continue };
            let object = ObjectRef::named(bucket, key);
            // There was nothing to do: it is in the tables by another release than the one that it failed under.
            if deployed.is_done(&object)? {
                lake.settle(&failed.pipeline, &failed.source)?;
            }
        }
    }
    Ok(answer)
}

fn is_wanted(failed: &FailedRecord, through: &ThroughArg) -> bool {
    through.pipeline.as_ref().is_none_or(|pipeline| *pipeline == failed.pipeline)
}

/// The lakes of all pipelines, or of one; each once.
pub(super) fn lakes_of(deployed: &Deployed, pipeline: Option<&str>) -> Result<Vec<Lake>, Error> {
    let mut lakes: Vec<Lake> = Vec::new();
    if let Some(name) = pipeline {
        deployed.named(name)?;
    }
    for pipeline in
        deployed.config().pipelines.values().filter(|of| pipeline.is_none_or(|name| of.name == name))
    {
        let lake = bare_lake(pipeline, deployed.aws())?;
        if lakes.iter().all(|known| known.root() != lake.root()) {
            lakes.push(lake);
        }
    }
    Ok(lakes)
}

/// What was found and not taken.
#[derive(Default)]
pub(super) struct Left {
    pub(super) done: u64,
    /// Failed before, in the version that is there.
    pub(super) failed: u64,
    /// For no pipeline.
    pub(super) others: u64,
    /// Empty objects that stand for folders.
    pub(super) markers: u64,
}

impl Left {
    pub(super) fn text(&self) -> String {
        let mut parts = vec![format!("{} done already", number(self.done))];
        if self.failed > 0 {
            let how = "`lakegate run --failed --config FILE` takes those again";
            parts.push(format!("{} failed before ({how})", number(self.failed)));
        }
        parts.push(format!("{} not for any pipeline", number(self.others)));
        if self.markers > 0 {
            parts.push(count(self.markers, "folder marker", "folder markers"));
        }
        parts.join(", ")
    }
}

/// Takes objects one after the other and tells what each came to.
pub(super) fn take(
    deployed: &Deployed,
    objects: &[ObjectRef],
    again: bool,
    left: &Left,
    context: &Context,
) -> Outcome {
    let bar = Bar::new(context.err, 0, objects.len());
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    let mut alike = Alike::default();
    let mut failed = 0;
    for object in objects {
        bar.source(&object.uri());
        let request = Request {
            id: "command".into(),
            begun: std::time::Instant::now(),
            deadline: None,
            again,
            execution: None,
            share: Share::WHOLE,
        };
        match deployed.object(object, &request) {
            Ok(answer) => {
                let taken = was_taken(&answer);
                failed += u64::from(!taken);
                if answer.state == AnswerState::Ignored && objects.len() == 1 {
                    bar.finish();
                    return Err(no_object(&*cloud::bucket_of(&object.uri())?, &object.key, &object.uri()));
                }
                answers.push(answer);
            }
            // A lone object is the answer itself; of several, the first failure of each kind is told as it happens.
            Err(error) if objects.len() == 1 => {
                bar.finish();
                return Err(error.in_file(object.uri()));
            }
            Err(error) => {
                failed += 1;
                let error = error.in_file(object.uri());
                if alike.add(&object.uri(), error.name(), error.message(), error.hint()) {
                    bar.say(&problem::render(&error, context.err));
                }
                failures.push(problem::json(&error));
            }
        }
        bar.done(&object.uri(), 0);
    }
    bar.say(&alike.rest(context.err));
    bar.finish();
    let (text, json, rejected) = told(&answers, &failures, failed, left, context.out);
    let exit = match (failed, rejected) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Rejected,
        _ => Exit::Failed,
    };
    Ok(Answer { text, json, exit })
}

/// What all came to, and how many records were rejected.
fn told(
    answers: &[ObjectAnswer],
    errors: &[Value],
    failed: u64,
    left: &Left,
    screen: Screen,
) -> (String, Value, u64) {
    let rejected: u64 = answers.iter().map(|answer| answer.rejected).sum();
    let mut text: String = answers.iter().map(|answer| line(answer, screen)).collect();
    if left.done + left.failed + left.others + left.markers > 0 {
        text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &left.text())));
    }
    let made = || answers.iter().filter(|answer| !answer.duplicate);
    let rows: u64 = made().map(|answer| answer.rows).sum();
    let json = json!({"objects": answers, "rows": rows, "rejected": rejected, "failed": failed, "errors": errors,
        "done": left.done + (answers.len() - made().count()) as u64, "failed_before": left.failed, "not_ours": left.others, "folder_markers": left.markers});
    (text, json, rejected)
}

/// Whether an object is in the tables now, or a newer version of it is.
fn was_taken(answer: &ObjectAnswer) -> bool {
    use AnswerState as State;
    let state = answer.state;
    matches!(
        state,
        State::Made | State::Replaced | State::RolledForward | State::NothingToDo | State::Superseded
    )
}

fn line(answer: &ObjectAnswer, screen: Screen) -> String {
    let uri = format!("s3://{}/{}", answer.bucket, answer.key);
    let made = format!(
        "{}, {}, {} rejected",
        count(answer.rows, "row", "rows"),
        count(answer.files, "file", "files"),
        number(answer.rejected)
    );
    let why = answer.error.as_ref().map_or("", |error| error.message.as_str());
    let (tone, told) = match answer.state {
        AnswerState::Made => (Tone::Good, made),
        AnswerState::Replaced => (Tone::Good, format!("{made}, replaces what was there")),
        AnswerState::RolledForward => (Tone::Good, format!("{made}, completed what was begun")),
        AnswerState::NothingToDo => (Tone::Dim, "done already".into()),
        AnswerState::Arrived => (Tone::Dim, "a part file: its crawler was started".into()),
        AnswerState::Superseded if why.is_empty() => (Tone::Dim, "a newer version is in the tables".into()),
        AnswerState::Ignored | AnswerState::Superseded | AnswerState::Paused => (Tone::Warn, why.into()),
        AnswerState::Refused | AnswerState::Failed => (Tone::Bad, why.into()),
    };
    format!("{}: {}\n", screen.paint(Tone::Name, &visible(&uri)), screen.paint(tone, &told))
}

/// Arguments of `pause` and `resume`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate pause orders
  lakegate resume orders && lakegate backfill s3://raw/orders/")]
pub struct PauseArgs {
    /// Name of the pipeline
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs `pause` (`paused`) and `resume`.
pub fn pause(args: &PauseArgs, paused: bool, context: &Context) -> Outcome {
    let deployed = &cloud::connect(args.config.config.as_deref())?;
    let pipeline = deployed.named(&args.pipeline)?;
    if pipeline.paused && !paused {
        return Err(Error::usage(format!("{} is paused by its configuration", args.pipeline))
            .with_hint("take `paused = true` out of lakegate.toml and deploy it"));
    }
    deployed.pause(pipeline, paused)?;
    let name = context.out.paint(Tone::Name, &args.pipeline);
    let source = pipeline.source.location.uri();
    let text = if paused {
        format!("{name}: paused; its events are answered and nothing is taken\n")
    } else {
        format!("{name}: goes on; `lakegate backfill {source}` takes what came meanwhile\n")
    };
    Ok(Answer { text, json: json!({"pipeline": args.pipeline, "paused": paused}), ..Answer::default() })
}

/// Arguments of `retract`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate retract s3://raw/orders/2025/wrong.json
  lakegate retract s3://raw/orders/2025/01/            every object of that prefix that is in the tables

Rows and quarantine go; events delivered again do not bring them back. A new version of an object does, and so does `lakegate run s3://… --again`.")]
pub struct RetractArgs {
    /// The source object, or a prefix that ends in `/`
    #[arg(value_name = "S3 URI")]
    object: Place,
    /// Say what would be taken out; take nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs `retract`.
pub fn retract(args: &RetractArgs, context: &Context) -> Outcome {
    let Place::S3(uri) = &args.object else {
        return Err(Error::usage(format!("{} is no s3://BUCKET/KEY", args.object)));
    };
    let (bucket, key) = bucket_and_key(uri)?;
    let deployed = &cloud::connect(args.config.config.as_deref())?;
    let wanted =
        if is_prefix(key) { in_tables(deployed, uri)? } else { vec![one(deployed, bucket, key, uri)?] };
    if wanted.is_empty() {
        return Err(Error::new(Code::NothingToRetract, "nothing below this prefix is in the tables")
            .with_hint("`lakegate status` shows what is")
            .in_file(uri));
    }
    let (mut text, mut retracted) = (String::new(), Vec::new());
    let bar = Steps::new(context.err);
    for (done, (pipeline, uri)) in wanted.iter().enumerate() {
        let name = context.out.paint(Tone::Name, &visible(uri));
        if args.dry_run {
            text.push_str(&format!("{name}: would be taken out of the tables of {pipeline}\n"));
            retracted.push(json!({"object": uri, "pipeline": pipeline, "dry_run": true}));
            continue;
        }
        bar.update(uri, done as u64, wanted.len() as u64);
        let record = deployed.retract(&*deployed.pipeline(pipeline)?, uri)?;
        let generation = record.generation;
        text.push_str(&format!("{name}: its rows are out of the tables (generation {generation})\n"));
        retracted.push(json!({"object": uri, "pipeline": pipeline, "generation": generation}));
    }
    bar.finish();
    let json = match (&retracted[..], is_prefix(key)) {
        ([one], false) => one.clone(),
        _ => json!({"below": uri, "dry_run": args.dry_run, "objects": retracted}),
    };
    Ok(Answer { text, json, ..Answer::default() })
}

/// An object with the pipeline that takes it.
fn one(deployed: &Deployed, bucket: &str, key: &str, uri: &str) -> Result<(String, String), Error> {
    match deployed.config().route(bucket, key) {
        Route::Pipeline(pipeline) => Ok((pipeline.name.clone(), uri.to_owned())),
        _ => Err(Error::new(Code::NoPipeline, format!("no pipeline takes {uri}"))),
    }
}

/// The objects below a prefix that the pipelines have in their tables, with the pipelines.
fn in_tables(deployed: &Deployed, prefix: &str) -> Result<Vec<(String, String)>, Error> {
    let mut found = BTreeSet::new();
    for lake in lakes_of(deployed, None)? {
        for state in lake.commits()? {
            let record = state.record;
            let counts = state.current && !record.is_retraction() && record.source.uri.starts_with(prefix);
            if counts && deployed.config().pipelines.contains_key(&record.pipeline) {
                found.insert((record.pipeline, record.source.uri));
            }
        }
    }
    Ok(found.into_iter().collect())
}
