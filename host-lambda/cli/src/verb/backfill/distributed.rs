//! `lakegate backfill --distributed`: what is missing, by many invocations of the deployed function.
//!
//! Not for what the state machine is (`lakegate-stack`). Decisions to know:
//!
//! * The command only writes a manifest, starts, and looks. Killed at any moment it leaves nothing half done: the
//!   execution goes on without it, and the same command finds it by a note in the lake.
//! * What became of the objects is asked of the lakes, and of nobody's counts: a batch that failed may have been taken for
//!   the most part, and is tried again only for what is still missing.

use super::estimate::{Estimate, Work, pace};
use super::execution::{Machine, Standing};
use super::looked::{Looked, look};
use super::manifest::{Item, Manifest, items};
use super::{listed, to_take};
use crate::context::Context;
use crate::place::bucket_and_key;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::progress::{Bar, Steps};
use crate::show::render::{Screen, Tone, count, number, size, visible};
use crate::verb::deployed::lakes_of;
use lakegate_aws::deployed::{Deployed, bare_lake};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_config::{Location, Pipeline, Stack};
use lakegate_lake::Lake;
use lakegate_lake::keys::{backfill_key, manifest_key, object_key};
use lakegate_lake::lake::to_json;
use lakegate_lake::source::now_ms;
use lakegate_stack::backfill_concurrency;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Between two looks at an execution: at first, and at most.
const LOOK: Duration = Duration::from_millis(500);
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// What a lake knows of the last backfill of a prefix.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    /// Version of this text: 1.
    version: u32,
    below: String,
    /// Key of the manifest in this lake.
    manifest: String,
    execution: String,
    /// RFC 3339.
    started: String,
}

/// A prefix with the lake that its manifests lie in.
struct Backfill<'a> {
    deployed: &'a Deployed,
    stack: &'a Stack,
    machine: Machine<'a>,
    lake: Lake,
    /// Bucket and prefix of the lake.
    place: (&'a str, &'a str),
    uri: &'a str,
    context: &'a Context,
}

/// Runs `backfill --distributed`.
pub(super) fn run(deployed: &Deployed, uri: &str, dry_run: bool, context: &Context) -> Outcome {
    let stack = deployed.config().stack.as_ref().ok_or_else(|| {
        Error::usage("the configuration has no [stack], whose function would take the objects")
            .with_hint("`lakegate stack init` and `stack render` make one; without --distributed this machine takes them")
    })?;
    let pipeline = home(deployed, uri)?;
    let Location::S3 { bucket, prefix } = &pipeline.lake else {
        return Err(Error::usage(format!(
            "the lake of {} is a folder, which no function reaches",
            pipeline.name
        )));
    };
    let backfill = Backfill {
        deployed,
        stack,
        machine: Machine::of(deployed.aws(), stack)?,
        lake: bare_lake(pipeline, deployed.aws())?,
        place: (bucket, prefix),
        uri,
        context,
    };
    backfill.run(dry_run)
}

/// The first pipeline that takes objects below a prefix.
fn home<'a>(deployed: &'a Deployed, uri: &str) -> Result<&'a Pipeline, Error> {
    let (bucket, below) = bucket_and_key(uri)?;
    let takes = |pipeline: &&Pipeline| match &pipeline.source.location {
        Location::S3 { bucket: of, prefix } => {
            of == bucket && (prefix.starts_with(below) || below.starts_with(prefix.as_str()))
        }
        Location::Local(_) => false,
    };
    deployed.config().pipelines.values().find(takes).ok_or_else(|| {
        Error::new(Code::NoPipeline, "no pipeline takes any object there")
            .with_hint("`lakegate config check` lists which prefixes and suffixes the pipelines take")
            .in_file(uri)
    })
}

impl Backfill<'_> {
    fn run(&self, dry_run: bool) -> Outcome {
        if let Some(note) = self.running()? {
            if dry_run {
                return Ok(self.runs_already(&note));
            }
            self.say(&format!("goes on with what was started at {}: {}", note.started, note.execution));
            let planned = self.planned(&note)?;
            return self.follow(&note, &planned, Value::Null, 0);
        }
        if !dry_run {
            self.machine.check()?;
        }
        let looked = look(self.deployed, self.uri)?;
        if looked.open.is_empty() {
            return Ok(to_take(self.uri, &looked, self.context.out));
        }
        let manifest = Manifest::of(self.stack, pace(self.stack)?, &looked.open);
        let (plan, text) = self.plan(&manifest)?;
        if dry_run {
            return Ok(self.planned_only(&looked, plan, &text));
        }
        self.say(&text);
        let note = self.start(&manifest)?;
        let planned = items(manifest.text.as_bytes(), &note.manifest)?;
        self.follow(&note, &planned, plan, manifest.later)
    }

    /// What is said on the way.
    fn say(&self, text: &str) {
        let name = self.context.err.paint(Tone::Name, self.uri);
        Bar::new(self.context.err, 0, 0).say(&format!("{name}: {text}\n"));
    }

    /// The note of a backfill of this prefix that runs now.
    fn running(&self) -> Result<Option<Note>, Error> {
        let Some(note) = self.lake.read_json::<Note>(&backfill_key(self.uri))? else { return Ok(None) };
        let standing = self.machine.look(&note.execution)?;
        Ok(standing.is_some_and(|standing| standing.runs).then_some(note))
    }

    fn runs_already(&self, note: &Note) -> Answer {
        let name = self.context.out.paint(Tone::Name, self.uri);
        let text = format!(
            "{name}: a backfill runs since {}: {}\n  without --dry-run this command shows how it goes on\n",
            note.started, note.execution
        );
        Answer { text, json: json!({"runs": note.execution, "started": note.started}), ..Answer::default() }
    }

    /// The objects of a backfill that somebody else began.
    fn planned(&self, note: &Note) -> Result<Vec<Item>, Error> {
        match self.lake.storage().get(&note.manifest)? {
            Some(found) => items(&found.bytes, &note.manifest),
            None => Err(Error::new(Code::LakeDamaged, format!("the manifest {} is gone", note.manifest))
                .with_hint(
                    "end the execution (aws stepfunctions stop-execution), and start the backfill once more",
                )),
        }
    }

    fn plan(&self, manifest: &Manifest) -> Result<(Value, String), Error> {
        let most = self.deployed.config().pipelines.values().filter(is_deployed);
        let at_once = backfill_concurrency(self.stack, most.map(|of| &of.max_concurrency));
        let Manifest { objects, bytes, batches, later, .. } = *manifest;
        let estimate = Estimate::of(self.stack, Work { objects, bytes, batches, at_once })?;
        let mut text = format!(
            "{} of {} in {}, {} at once: {}\n  assumed: {}",
            count(objects, "object", "objects"),
            size(bytes),
            count(batches, "batch", "batches"),
            number(u64::from(at_once)),
            estimate.text(),
            estimate.assumptions(),
        );
        if later > 0 {
            text.push_str(&format!("\n  {} more are for the next call", number(later)));
        }
        let plan = json!({
            "objects": objects, "bytes": bytes, "batches": batches, "at_once": at_once, "later": later,
            "estimate": estimate.json(),
        });
        Ok((plan, text))
    }

    fn planned_only(&self, looked: &Looked, plan: Value, text: &str) -> Answer {
        let mut answer = to_take(self.uri, looked, self.context.out);
        answer.text.push_str(&format!("  {text}\n"));
        answer.json["plan"] = plan;
        answer
    }

    /// Writes the manifest down, and a note where the next call looks; then starts.
    fn start(&self, manifest: &Manifest) -> Result<Note, Error> {
        let id = format!("{}-{}", object_key(self.uri), object_key(&manifest.text));
        let key = manifest_key(&id);
        self.lake.storage().put_if_absent(&key, manifest.text.as_bytes())?;
        let mut note = Note {
            version: 1,
            below: self.uri.to_owned(),
            manifest: key.clone(),
            execution: self.machine.named(&id),
            started: rfc3339(now_ms()),
        };
        self.lake.overwrite(&backfill_key(self.uri), &to_json(&note)?)?;
        let (bucket, prefix) = self.place;
        let input = json!({"bucket": bucket, "key": format!("{prefix}{key}")}).to_string();
        let execution = self.machine.start(&id, &input)?;
        if execution != note.execution {
            note.execution = execution;
            self.lake.overwrite(&backfill_key(self.uri), &to_json(&note)?)?;
        }
        Ok(note)
    }

    /// Shows how it goes on until it ends, and what came of it.
    fn follow(&self, note: &Note, planned: &[Item], plan: Value, later: u64) -> Outcome {
        let goes_on = |error: Error| {
            error.with_hint("the execution goes on by itself: the same command once more shows how")
        };
        let standing = self.ended(note).map_err(goes_on)?;
        let looked = look(self.deployed, self.uri)?;
        let (rows, rejected) = self.loaded(note, planned)?;
        let report = Report { note, standing, planned, looked, rows, rejected, later };
        let mut answer = report.answer(self.uri, self.context.out);
        answer.json["plan"] = plan;
        Ok(answer)
    }

    /// How it stood when it ended.
    fn ended(&self, note: &Note) -> Result<Standing, Error> {
        let steps = Steps::new(self.context.err);
        let mut pause = LOOK;
        loop {
            let standing = self.machine.look(&note.execution)?.ok_or_else(|| {
                Error::new(Code::ResourceMissing, format!("the execution {} is gone", note.execution))
            })?;
            if !standing.runs {
                steps.finish();
                return Ok(standing);
            }
            let counts = self.machine.counts(&note.execution)?;
            let failed =
                if counts.failed > 0 { format!(", {} failed", number(counts.failed)) } else { String::new() };
            steps.update(&format!("batches{failed}"), counts.taken + counts.failed, counts.all);
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// Rows and rejected records of the planned objects, by the load history since the start.
    fn loaded(&self, note: &Note, planned: &[Item]) -> Result<(u64, u64), Error> {
        let wanted: BTreeSet<String> = planned.iter().map(Item::uri).collect();
        let (mut rows, mut rejected) = (0, 0);
        for lake in lakes_of(self.deployed, None)? {
            for load in lake.newest_loads(None, wanted.len())? {
                if load.committed >= note.started && wanted.contains(&load.source) {
                    rows += load.rows;
                    rejected += load.rejected;
                }
            }
        }
        Ok((rows, rejected))
    }
}

/// Whether a stack's function takes a pipeline's objects.
fn is_deployed(pipeline: &&Pipeline) -> bool {
    matches!(pipeline.source.location, Location::S3 { .. })
}

/// What came of a backfill.
struct Report<'a> {
    note: &'a Note,
    standing: Standing,
    planned: &'a [Item],
    looked: Looked,
    rows: u64,
    rejected: u64,
    later: u64,
}

impl Report<'_> {
    fn answer(&self, uri: &str, screen: Screen) -> Answer {
        let planned: BTreeSet<String> = self.planned.iter().map(Item::uri).collect();
        let open = self.looked.open.iter().map(|open| open.object.uri());
        let missing: Vec<String> = open.filter(|uri| planned.contains(uri)).collect();
        let failed: Vec<(&String, &String)> =
            self.looked.failed.iter().filter(|(uri, _)| planned.contains(*uri)).collect();
        let taken = planned.len() - missing.len() - failed.len();
        let exit = match (missing.len() + failed.len(), self.rejected) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Rejected,
            _ => Exit::Failed,
        };
        let tone = if exit == Exit::Failed { Tone::Bad } else { Tone::Good };
        let mut text = format!(
            "{}: {}, {}\n",
            screen.paint(Tone::Name, uri),
            screen.paint(tone, &format!("{} taken", count(taken as u64, "object", "objects"))),
            format_args!(
                "{}, {} rejected; {} failed, {} still missing",
                count(self.rows, "row", "rows"),
                number(self.rejected),
                number(failed.len() as u64),
                number(missing.len() as u64)
            ),
        );
        if self.standing.status != "SUCCEEDED" {
            let why = self.standing.why.as_ref().map(|why| format!(": {}", visible(why))).unwrap_or_default();
            text.push_str(&format!("  the execution ended as {}{why}\n", self.standing.status));
        }
        let lines: Vec<String> = failed.iter().map(|(uri, code)| format!("{uri}: {code}")).collect();
        text.push_str(&listed(&lines));
        text.push_str(&listed(&missing));
        if !missing.is_empty() || self.later > 0 {
            text.push_str("  the same command once more takes what is still missing\n");
        }
        let failures: Vec<Value> =
            failed.iter().map(|(uri, code)| json!({"source": uri, "code": code})).collect();
        let left = &self.looked.left;
        let json = json!({
            "execution": self.note.execution, "manifest": self.note.manifest, "status": self.standing.status,
            "why": self.standing.why, "objects": planned.len(), "taken": taken, "rows": self.rows,
            "rejected": self.rejected, "failed": failures.len(), "failures": failures, "missing": missing,
            "later": self.later, "done": left.done, "not_ours": left.others, "folder_markers": left.markers,
        });
        Answer { text, json, exit }
    }
}
