//! Commands that act through a deployed configuration: `run s3://…`, `backfill`, `pause`, `resume`, `retract`.
//!
//! Not for lakes in a folder. The decision to know: they do what the function does, by the same code and
//! from the same `lakegate.toml`, found upwards from where the command is run; so what works by hand works
//! deployed, and the other way round.

use crate::args::config::ConfigArg;
use crate::cloud;
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::render::{Screen, Tone, count, number, visible};
use clap::Args;
use lakegate_aws::config::Route;
use lakegate_aws::deployed::{Deployed, Request};
use lakegate_aws::event::{AnswerState, ObjectAnswer, ObjectRef};
use lakegate_aws::s3::{S3Options, S3Storage};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_lake::source::now_ms;
use lakegate_lake::storage::Storage;
use serde_json::json;

/// `s3://bucket/key` cut in two; the key may be empty.
fn bucket_and_key(uri: &str) -> Result<(&str, &str), Error> {
    let place = uri.strip_prefix("s3://").map(|place| place.split_once('/').unwrap_or((place, "")));
    place.filter(|(bucket, _)| !bucket.is_empty()).ok_or_else(|| {
        Error::usage(format!("{uri} is no s3://bucket/key"))
            .with_hint("for example s3://raw/orders/2025/x.json")
    })
}

/// Takes objects that a person names.
pub fn run(uris: &[String], config: &ConfigArg, again: bool, context: &Context) -> Outcome {
    let mut objects = Vec::new();
    for uri in uris {
        let (bucket, key) = bucket_and_key(uri)?;
        objects.push(ObjectRef { bucket: bucket.into(), key: key.into(), ..ObjectRef::default() });
    }
    take(&cloud::connect(config.config.as_deref())?.deployed, &objects, again, context)
}

/// Takes again the objects that failed in the pipelines of a configuration.
pub fn run_failed(config: &ConfigArg, context: &Context) -> Outcome {
    let connected = cloud::connect(config.config.as_deref())?;
    let mut objects = Vec::new();
    for lake in connected.lakes()? {
        for failed in lake.failures()? {
            if let Ok((bucket, key)) = bucket_and_key(&failed.source.uri) {
                objects.push(ObjectRef { bucket: bucket.into(), key: key.into(), ..ObjectRef::default() });
            }
        }
    }
    // Pipelines may share a lake.
    objects.sort_by_key(ObjectRef::uri);
    objects.dedup_by_key(|object| object.uri());
    if objects.is_empty() {
        let text = "no object has failed\n".to_owned();
        return Ok(Answer { text, json: json!({"objects": []}), ..Answer::default() });
    }
    let begun = rfc3339(now_ms());
    let answer = take(&connected.deployed, &objects, false, context)?;
    for lake in connected.lakes()? {
        // What failed once more has a record of now.
        for failed in lake.failures()?.into_iter().filter(|failed| failed.at < begun) {
            let Ok((bucket, key)) = bucket_and_key(&failed.source.uri) else { continue };
            let object = ObjectRef { bucket: bucket.into(), key: key.into(), ..ObjectRef::default() };
            // There was nothing to do: it is in the tables by another release than the one that it failed under.
            if connected.deployed.is_done(&object)? {
                lake.settle(&failed.pipeline, &failed.source)?;
            }
        }
    }
    Ok(answer)
}

/// Arguments of `backfill`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate backfill s3://raw/orders/ --dry-run          what is there and not yet in the tables
  lakegate backfill s3://raw/orders/2025/ --config deploy/lakegate.toml")]
pub struct BackfillArgs {
    /// Where to look: s3://bucket/prefix
    #[arg(value_name = "S3 URI")]
    below: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Say what would be taken; take nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `backfill`.
pub fn backfill(args: &BackfillArgs, context: &Context) -> Outcome {
    let (bucket, prefix) = bucket_and_key(&args.below)?;
    let connected = cloud::connect(args.config.config.as_deref())?;
    let deployed = &connected.deployed;
    let storage = S3Storage::new(deployed.aws().clone(), bucket, "", S3Options::default());
    let there = storage.list(prefix)?;
    let mut open = Vec::new();
    let (mut done, mut others) = (0u64, 0u64);
    for facts in there {
        let object = ObjectRef { bucket: bucket.into(), key: facts.key, ..ObjectRef::default() };
        match deployed.config().route(&object.bucket, &object.key) {
            Route::Pipeline(_) if deployed.is_done(&object)? => done += 1,
            Route::Pipeline(_) => open.push(object),
            Route::Loop { .. } | Route::Unmatched => others += 1,
        }
    }
    if !args.dry_run {
        return take(deployed, &open, false, context);
    }
    let mut text = format!(
        "{}: {} to take, {} done already, {} not for any pipeline\n",
        context.out.paint(Tone::Name, &args.below),
        count(open.len() as u64, "object", "objects"),
        number(done),
        number(others)
    );
    for object in &open {
        text.push_str(&format!("  {}\n", visible(&object.uri())));
    }
    let uris: Vec<String> = open.iter().map(ObjectRef::uri).collect();
    Ok(Answer { text, json: json!({"to_take": uris, "done": done, "not_ours": others}), ..Answer::default() })
}

/// Takes objects one after the other and tells what each came to.
fn take(deployed: &Deployed, objects: &[ObjectRef], again: bool, context: &Context) -> Outcome {
    let mut bar = Bar::new(context.err, 0, objects.len());
    let mut answers = Vec::new();
    let mut failed = 0;
    for object in objects {
        bar.source(&object.uri());
        let request =
            Request { id: "command".into(), begun: std::time::Instant::now(), deadline: None, again };
        match deployed.object(object, &request) {
            Ok(answer) => {
                failed += u64::from(matches!(answer.state, AnswerState::Failed | AnswerState::Refused));
                answers.push(answer);
            }
            // A lone object is the answer itself; of several, each failure is told as it happens.
            Err(error) if objects.len() == 1 => {
                bar.finish();
                return Err(error.in_file(object.uri()));
            }
            Err(error) => {
                failed += 1;
                bar.say(&problem::render(&error.in_file(object.uri()), context.err));
            }
        }
        bar.done(0);
    }
    bar.finish();
    let rejected: u64 = answers.iter().map(|answer| answer.rejected).sum();
    let exit = match (failed, rejected) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Rejected,
        _ => Exit::Failed,
    };
    let text = answers.iter().map(|answer| line(answer, context.out)).collect();
    let rows: u64 = answers.iter().map(|answer| answer.rows).sum();
    let json = json!({"objects": answers, "rows": rows, "rejected": rejected, "failed": failed});
    Ok(Answer { text, json, exit })
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
    let connected = cloud::connect(args.config.config.as_deref())?;
    let deployed = &connected.deployed;
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
#[command(after_help = "Example:
  lakegate retract s3://raw/orders/2025/wrong.json

Its rows and its quarantine go; events delivered again do not bring them back. A new version of the object does, and so does `lakegate run s3://… --again`.")]
pub struct RetractArgs {
    /// The source object
    #[arg(value_name = "S3 URI")]
    object: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs `retract`.
pub fn retract(args: &RetractArgs, context: &Context) -> Outcome {
    let (bucket, key) = bucket_and_key(&args.object)?;
    let connected = cloud::connect(args.config.config.as_deref())?;
    let deployed = &connected.deployed;
    let Route::Pipeline(pipeline) = deployed.config().route(bucket, key) else {
        return Err(Error::new(Code::NoPipeline, format!("no pipeline takes {}", args.object)));
    };
    let ready = deployed.pipeline(&pipeline.name)?;
    let record = deployed.retract(&ready, &args.object)?;
    let text = format!(
        "{}: its rows are out of the tables (generation {})\n",
        context.out.paint(Tone::Name, &visible(&args.object)),
        record.generation
    );
    let json = json!({"object": args.object, "pipeline": pipeline.name, "generation": record.generation});
    Ok(Answer { text, json, ..Answer::default() })
}
