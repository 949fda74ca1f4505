//! One source object that an event or a person names, through its pipeline, to its answer.
//!
//! Not for the flow inside ([`run`](mod@lakegate_lake::run)). Decisions to know:
//!
//! * What is wrong with an object is an answer, recorded and told; only what may pass, and our own faults, are errors,
//!   because only those are worth another delivery.
//! * Whatever goes wrong is counted and logged here, once, where the log has pipeline, object and id; whoever hands an
//!   error on says nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Aws;
use crate::deployed::lanes::Share;
use crate::deployed::task::{self, Execution};
use crate::deployed::time::Time;
use crate::deployed::{Choice, Deployed, Ready, around, bare_lake};
use crate::event::{AnswerError, AnswerState, ObjectAnswer, ObjectRef};
use crate::notify;
use crate::observe;
use crate::observe::metrics::{Metrics, memory_high_water};
use crate::observe::stage;
use crate::observe::stage::{Counts, Stage};
use crate::s3::{S3Options, S3Storage};
use lakegate_base::{Code, Error, Kind, Result};
use lakegate_config::{Location, Pipeline, Route};
use lakegate_lake::lake::{Lake, Standing};
use lakegate_lake::record::FailedRecord;
use lakegate_lake::run;
use lakegate_lake::run::{Cause, Outcome, Progress};
use lakegate_lake::source::{Source, now_ms};
use lakegate_lake::storage::{Facts, Storage};
use lakegate_sandbox::GuestTime;

/// What an invocation allows.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its id, for the log.
    pub id: String,
    /// When it began: an object that comes later in a batch has less time than another delivery may give it.
    pub begun: Instant,
    /// When it ends.
    pub deadline: Option<Instant>,
    /// Even what is done already is made again, as the next generation: a person asked for it.
    pub again: bool,
    /// The state machine's execution whose task it is: it tells of its object, and has the crawler run, by itself.
    pub execution: Option<String>,
    /// The part of the host's memory that each of its objects may stage in.
    pub share: Share,
}

/// An object whose turn it is.
struct Taken {
    aws: Aws,
    lake: Lake,
    source: Source,
    /// What counts of it, where that could be looked up.
    standing: Option<Standing>,
}

impl Deployed {
    /// Takes one object through the pipeline that it belongs to.
    ///
    /// # Errors
    /// Passing trouble, or a fault of the host's own: the object should be delivered again.
    pub fn object(&self, object: &ObjectRef, request: &Request) -> Result<ObjectAnswer> {
        let begun = Instant::now();
        let mut answer = match self.config.route(&object.bucket, &object.key) {
            Route::Unmatched => ignored(object, "no pipeline takes it"),
            Route::Loop { pipeline, prefix } => ObjectAnswer {
                state: AnswerState::Refused,
                pipeline: Some(pipeline.to_string()),
                ..ignored(
                    object,
                    &format!("it lies below {prefix}, where that pipeline writes: taking it would be a loop"),
                )
            },
            Route::Pipeline(pipeline) => {
                let span = stage::object(&pipeline.name, &object.uri());
                let _entered = span.enter();
                let failed = |error: &Error| self.failed(&pipeline.name, error, begun, None);
                let ready = self.pipeline(&pipeline.name).inspect_err(failed)?;
                self.through(&ready, object, request, begun)?
            }
        };
        if let (Some(why), AnswerState::Ignored | AnswerState::Paused | AnswerState::Refused) =
            (&answer.error, answer.state)
        {
            stage::ignored(Some(&object.uri()), &why.message);
        }
        answer.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(answer)
    }

    /// Whether the current version of an object is in the tables, or was taken out of them on purpose.
    ///
    /// # Errors
    /// The storage's.
    pub fn is_done(&self, object: &ObjectRef) -> Result<bool> {
        let Route::Pipeline(pipeline) = self.config.route(&object.bucket, &object.key) else {
            return Ok(false);
        };
        let raw = Arc::new(S3Storage::new(self.aws.clone(), &object.bucket, "", S3Options::default()));
        let Some(facts) = raw.stat_version(&object.key, object.version_id.as_deref())? else {
            return Ok(true);
        };
        let source = Source::object(raw, object.uri(), facts);
        let lake = bare_lake(pipeline, &self.aws)?;
        let states = lake.generations(&pipeline.name, source.uri())?;
        Ok(states
            .iter()
            .any(|state| state.current && state.done && state.record.source.version() == source.version()))
    }

    fn through(
        &self,
        ready: &Ready,
        object: &ObjectRef,
        request: &Request,
        begun: Instant,
    ) -> Result<ObjectAnswer> {
        let name = &ready.pipeline.name;
        let named = |answer: ObjectAnswer| ObjectAnswer { pipeline: Some(name.clone()), ..answer };
        let failed = |error: &Error| self.failed(name, error, begun, None);
        let (choice, taken) = match self.turn(ready, object, request, begun).inspect_err(failed)? {
            Ok(turn) => turn,
            Err(answer) => return Ok(named(answer)),
        };
        let bytes_in = Some(taken.source.bytes());
        stage::reached(Stage::Received, begun, &Counts { bytes_in, ..Counts::default() });
        let (running, time) = (Instant::now(), GuestTime::default());
        let (result, Taken { aws, lake, source, .. }) =
            self.run(ready, &choice, taken, request, &mut |progress| logged(progress, begun), &time);
        match result {
            Ok(outcome) => {
                self.pace.seen(source.bytes(), running.elapsed());
                self.tell(name, &measured(&outcome, object.event_time, &time));
                stage::reached(Stage::Done, begun, &counts(&outcome));
                self.tag(&ready.pipeline, &source, &outcome, &aws);
                if outcome.passes > 0 && outcome.report.rejected > 0 {
                    judge(ready, &lake, &choice);
                }
                if outcome.passes > 0 && has_time(running.elapsed(), &aws) {
                    self.shadow(ready, &choice, &source, &lake, &outcome.commit);
                }
                let (around, asks) = ((&*ready.pipeline, &aws, &lake), request.execution.as_deref());
                let answer = task::answered(asks, around, &outcome, done(object, &outcome));
                answer.inspect_err(failed).map(named)
            }
            Err(error) => {
                self.failed(name, &error, begun, in_transform(&time));
                if error.kind() == Kind::Passing {
                    return Err(error);
                }
                let recorded = self.fail(ready, &lake, &source, &aws, &error).inspect_err(failed)?;
                judge(ready, &lake, &choice);
                // Not recorded as failed: its commit stands, and what came after it (catalog, notice) did not
                // work. Only another delivery completes that, so it must not pass for an answer.
                if error.kind() == Kind::Own || !recorded {
                    return Err(error);
                }
                let release = Some(choice.transform.digest().into());
                let state = AnswerState::Failed;
                Ok(named(ObjectAnswer { state, release, error: Some(told(&error)), ..answer(object) }))
            }
        }
    }

    /// What is done with an object now, and the object; or the answer where nothing is.
    fn turn(
        &self,
        ready: &Ready,
        object: &ObjectRef,
        request: &Request,
        begun: Instant,
    ) -> Result<std::result::Result<(Choice, Taken), ObjectAnswer>> {
        let name = &ready.pipeline.name;
        let asking = request.deadline.map_or_else(|| self.aws.clone(), |at| self.aws.with_deadline(at));
        if self.is_paused(ready, &asking)? {
            let why =
                format!("{name} is paused; `lakegate backfill` takes it after `lakegate resume {name}`");
            return Ok(Err(ObjectAnswer { state: AnswerState::Paused, ..ignored(object, &why) }));
        }
        let taken = match self.take(ready, object, (request, &asking), begun)? {
            Ok(taken) => taken,
            Err(answer) => return Ok(Err(answer)),
        };
        let mut choice = ready.choose(taken.source.uri())?;
        choice.plan.rerun = request.again;
        self.tell_swaps(ready, &taken.lake);
        let Choice { plan, transform, .. } = &choice;
        let span = tracing::Span::current();
        span.record("release", plan.release.as_ref().map_or(transform.digest(), |release| &release.manifest));
        if let Some(release) = &plan.release {
            span.record("version", release.id());
        }
        Ok(Ok((choice, taken)))
    }

    /// Counts and logs what went wrong with an object: to be called once for each error.
    fn failed(&self, pipeline: &str, error: &Error, begun: Instant, transform_ms: Option<u64>) {
        self.tell(pipeline, &Metrics { transform_ms, ..Metrics::failed(error.kind()) });
        stage::failed(error, begun);
    }

    /// The object as it is now, with what counts of it in the lake; or the answer where there is nothing to take.
    fn take(
        &self,
        ready: &Ready,
        object: &ObjectRef,
        (request, aws): (&Request, &Aws),
        begun: Instant,
    ) -> Result<std::result::Result<Taken, ObjectAnswer>> {
        let raw = Arc::new(S3Storage::new(aws.clone(), &object.bucket, "", S3Options::default()));
        let lake = self.lake_since(ready, aws, begun, request.share)?;
        // Both are asked for at once: an object that is new is what comes most.
        let here = tracing::Span::current();
        let look = || here.in_scope(|| lake.standing(&ready.pipeline.name, &object.uri()));
        let (looked, found) = std::thread::scope(|scope| {
            let looked = scope.spawn(look);
            let found = find(&raw, object);
            (looked.join(), found)
        });
        let Some(Found { facts, bytes }) = found? else {
            return Ok(Err(ignored(object, "it is not there any more")));
        };
        if is_overwritten(object, &facts) {
            let why = "it was overwritten since; the newer version has an event of its own";
            return Ok(Err(ObjectAnswer { state: AnswerState::Superseded, ..ignored(object, why) }));
        }
        let source = Source::object(raw, object.uri(), facts);
        let source = match bytes {
            Some(bytes) => source.with_bytes(&bytes),
            None => source,
        };
        let source = source.arrived(object.event_time, object.sequencer.clone());
        let lake = match request.execution.clone() {
            None => lake,
            Some(arn) => {
                let execution = Execution { arn, version: source.version().into() };
                lake.within(Arc::new(self.around(ready, aws, begun).left_to(execution)))
            }
        };
        // A look that failed is made again, and says why.
        let standing = looked.ok().and_then(Result::ok);
        Ok(Ok(Taken { aws: aws.clone(), lake, source, standing }))
    }

    /// Runs the flow within the time of the invocation. Where that is up, the rest of the way is cleaning up.
    fn run(
        &self,
        ready: &Ready,
        choice: &Choice,
        taken: Taken,
        request: &Request,
        progress: &mut dyn FnMut(Progress),
        spent: &GuestTime,
    ) -> (Result<Outcome>, Taken) {
        let Choice { plan, transform, .. } = choice;
        let Taken { aws, lake, source, standing } = &taken;
        let time = Time::of(request, aws);
        let admit = || self.admit(ready, source, &time, aws);
        let cause = Cause { admit: Some(&admit), standing: standing.clone(), ..Cause::default() };
        let bounded = transform.clone().until(aws.ends()).timed(spent);
        let error = match run::run_because(lake, &bounded, source, plan, &cause, progress) {
            Err(error) if error.code() == Code::TimeUp => time.judge(error),
            result => return (result, taken),
        };
        let aws = aws.cleaning_up();
        let recorded = self.lake(ready, &aws).and_then(|lake| {
            if error.kind() == Kind::Input {
                run::refuse(&lake, transform, source, plan, &error)?;
            }
            Ok(lake)
        });
        match recorded {
            Ok(lake) => (Err(error), Taken { aws, lake, ..taken }),
            Err(trouble) => (Err(trouble), taken),
        }
    }

    /// Metrics go to standard output, which only the function's log reads.
    pub(super) fn tell(&self, pipeline: &str, metrics: &Metrics) {
        if self.metrics {
            // A log that cannot be written is no reason to fail an object that is in the tables.
            let _lost = metrics.write(&mut std::io::stdout().lock(), pipeline, now_ms());
        }
    }

    /// What a failure asks for beside its record: a notice, and a copy of the object where one is wanted.
    /// False where there is no such record, because the object's commit is won.
    fn fail(&self, ready: &Ready, lake: &Lake, source: &Source, aws: &Aws, error: &Error) -> Result<bool> {
        let name = &ready.pipeline.name;
        let Some(record) = failure_of(lake, name, source, error)? else { return Ok(false) };
        let write = |storage: &dyn Storage| observe::lineage::fail(storage, &ready.pipeline, &record);
        if around::lineage(aws, &ready.pipeline, write).is_err() {
            self.tell(name, &Metrics { lineage_failures: Some(1), ..Metrics::default() });
        }
        if let Some(copy_to) = &ready.pipeline.failed_copy {
            copy(&ready.pipeline, aws, source, copy_to)?;
        }
        notify::failure(aws, &ready.pipeline, &record).map(|_told| true)
    }
}

/// Judges the canary that an object was given to. Never fails the object.
fn judge(ready: &Ready, lake: &Lake, choice: &Choice) {
    if let Some(follower) = ready.follower() {
        let judged = follower.judge(lake, &ready.pipeline.name, choice.plan.release.as_ref());
        if let Err(error) = judged {
            tracing::warn!(stage = "canary_not_judged", code = error.name(), "{error}");
        }
    }
}

/// Whether there is time to run an object twice more, as a comparison does.
fn has_time(took: Duration, aws: &Aws) -> bool {
    aws.time_left().is_none_or(|left| took.saturating_mul(4) < left)
}

/// The record of this failure of this version: an earlier version may have left one of its own.
fn failure_of(lake: &Lake, pipeline: &str, source: &Source, error: &Error) -> Result<Option<FailedRecord>> {
    let this =
        |failed: &FailedRecord| failed.code == error.name() && failed.source.version() == source.version();
    Ok(lake.failure(pipeline, source.uri())?.filter(this))
}

/// What a run says while it goes on, as log lines.
fn logged(progress: Progress, begun: Instant) {
    let (stage, bytes_in) = match progress {
        Progress::Pass { number: 1, total_bytes } => (Stage::Fetched, Some(total_bytes)),
        Progress::Staged => (Stage::Transformed, None),
        Progress::Publishing => (Stage::Committed, None),
        Progress::Pass { .. } | Progress::Read(_) | Progress::Settled => return,
    };
    stage::reached(stage, begun, &Counts { bytes_in, ..Counts::default() });
}

/// Milliseconds inside of the transform; `None` where it was not called.
fn in_transform(time: &GuestTime) -> Option<u64> {
    let spent = Some(time.so_far()).filter(|spent| !spent.is_zero())?;
    u64::try_from(spent.as_millis()).ok()
}

fn measured(outcome: &Outcome, event_time_ms: Option<i64>, time: &GuestTime) -> Metrics {
    let high_water = Metrics { memory_high_water_bytes: memory_high_water(), ..Metrics::default() };
    if outcome.passes == 0 {
        return Metrics { duplicates: Some(1), ..high_water };
    }
    Metrics {
        objects: Some(1),
        rows: Some(outcome.report.tables.iter().map(|table| table.rows_out).sum()),
        bytes_in: Some(outcome.commit.source.bytes),
        bytes_out: Some(outcome.commit.parts.iter().map(|part| part.bytes).sum()),
        records: Some(outcome.report.records),
        rejected: Some(outcome.report.misfits()),
        transform_ms: in_transform(time),
        queue_to_queryable_ms: event_time_ms.and_then(|at| u64::try_from(now_ms() - at).ok()),
        ..high_water
    }
}

fn counts(outcome: &Outcome) -> Counts {
    Counts {
        bytes_in: Some(outcome.commit.source.bytes),
        records: Some(outcome.report.records),
        rejected: Some(outcome.report.rejected),
        rows: Some(outcome.report.tables.iter().map(|table| table.rows_out).sum()),
        files: Some(outcome.commit.parts.len() as u64),
        bytes_out: Some(outcome.commit.parts.iter().map(|part| part.bytes).sum()),
        passes: Some(outcome.passes.into()),
        generation: Some(outcome.commit.generation.into()),
        duplicate: Some(outcome.passes == 0),
        ..Counts::default()
    }
}

/// Copies a source object below a place, under its own key.
fn copy(pipeline: &Pipeline, aws: &Aws, source: &Source, to: &Location) -> Result<()> {
    let (_, key) = source.uri().trim_start_matches("s3://").split_once('/').unwrap_or_default();
    let storage = super::storage_at(pipeline, aws, to)?;
    let mut stage = storage.stage(key)?;
    let mut chunks = source.open()?;
    loop {
        let chunk = chunks.next()?;
        if chunk.is_empty() {
            break;
        }
        stage.write(chunk)?;
    }
    let staged = stage.finish()?;
    storage.settle(std::slice::from_ref(&staged))?;
    storage.publish(&staged)?;
    Ok(())
}

/// Below this an object is read at once, in the one request that also tells its facts.
const SMALL_BYTES: u64 = 1 << 20;

/// An object that is there.
struct Found {
    facts: Facts,
    /// All of it, where it is small.
    bytes: Option<bytes::Bytes>,
}

fn find(raw: &S3Storage, object: &ObjectRef) -> Result<Option<Found>> {
    let (key, version) = (&object.key, object.version_id.as_deref());
    if object.size.is_some_and(|bytes| bytes <= SMALL_BYTES) {
        let found = raw.read_version(key, version, SMALL_BYTES)?;
        return Ok(found.map(|(facts, bytes)| Found { facts, bytes }));
    }
    Ok(raw.stat_version(key, version)?.map(|facts| Found { facts, bytes: None }))
}

/// The event's version is not the one that is there. A version id pins by itself.
fn is_overwritten(object: &ObjectRef, facts: &Facts) -> bool {
    let (None, Some(etag)) = (&object.version_id, &object.etag) else { return false };
    let there = facts.version.trim_start_matches("e:").trim_matches('"');
    facts.version.starts_with("e:") && there != etag.trim_matches('"')
}

pub(super) fn answer(object: &ObjectRef) -> ObjectAnswer {
    ObjectAnswer { bucket: object.bucket.clone(), key: object.key.clone(), ..ObjectAnswer::default() }
}

pub(super) fn ignored(object: &ObjectRef, why: &str) -> ObjectAnswer {
    let error = Some(AnswerError { code: "ignored".into(), message: why.into(), hint: None });
    ObjectAnswer { state: AnswerState::Ignored, error, ..answer(object) }
}

fn told(error: &Error) -> AnswerError {
    AnswerError {
        code: error.name().into(),
        message: error.to_string(),
        hint: error.hint().map(str::to_string),
    }
}

fn done(object: &ObjectRef, outcome: &Outcome) -> ObjectAnswer {
    let (commit, report) = (&outcome.commit, &outcome.report);
    ObjectAnswer {
        state: outcome.state.into(),
        rows: report.tables.iter().map(|table| table.rows_out).sum(),
        files: commit.parts.len() as u64,
        bytes: commit.parts.iter().map(|part| part.bytes).sum(),
        rejected: report.rejected,
        duplicate: outcome.passes == 0,
        release: Some(commit.component.clone()),
        ..answer(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_lake::keys::failure_key;
    use lakegate_lake::lake::to_json;

    #[test]
    fn a_failure_of_an_earlier_version_is_none_of_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(&folder.path().join("lake")).unwrap();
        let version = |text: &str| {
            let path = folder.path().join("x.json");
            std::fs::write(&path, text).unwrap();
            Source::file(&path).unwrap()
        };
        let (first, error) = (version("{"), Error::new(Code::SyntaxError, "it ends too soon"));
        assert!(failure_of(&lake, "p", &first, &error).unwrap().is_none(), "there is none yet");
        let failed = FailedRecord {
            pipeline: "p".into(),
            source: first.record(),
            code: error.name().into(),
            ..FailedRecord::default()
        };
        lake.overwrite(&failure_key("p", first.uri()), &to_json(&failed).unwrap()).unwrap();
        assert_eq!(failure_of(&lake, "p", &first, &error).unwrap(), Some(failed));
        // Committed, and its catalog fails by the same name: that must not pass for a recorded failure.
        let second = version("{}");
        assert_eq!(second.uri(), first.uri());
        assert_eq!(failure_of(&lake, "p", &second, &error).unwrap(), None);
        let other = Error::new(Code::TooManyRejected, "all of them");
        assert_eq!(failure_of(&lake, "p", &first, &other).unwrap(), None, "another reason");
    }
}
