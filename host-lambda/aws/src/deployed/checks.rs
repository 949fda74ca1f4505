//! What a schedule asks the function: what is missing, and how long ago something came.
//!
//! Not for source objects, and not for mending: a backfill takes what is missing. Decisions to know:
//!
//! * A check is asked directly, never through a queue: `{"lakegate": …}` has no envelope, and an answer that somebody waits
//!   for.
//! * A call looks at as many objects as fit well before its end, and says where the next one goes on. So a source of any
//!   size is walked by calls that each end in time, and a call that was cut off is made again from the same place.
//! * What came a moment ago is on its way and not missing. What failed is missing at once.
//! * Whoever asks wrongly made a fault of their own: no object is to blame, and asking again would not help.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::client::Aws;
use crate::deployed::object::Request;
use crate::deployed::reconcile::{Gone, Missing};
use crate::deployed::{Deployed, bare_lake};
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use lakegate_base::time::parse;
use lakegate_base::{Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::lake::{Lake, Load};
use lakegate_lake::source::now_ms;

/// The key whose value says what is asked.
const KEY: &str = "lakegate";
/// Objects of one page: what is looked at between two looks at the clock.
const PAGE: usize = 200;
/// Objects that an answer names: a state machine's answer has 256 KiB.
const EXAMPLES: usize = 20;
/// Missing objects that a call logs.
const LOGGED: usize = 100;
/// What is younger may be on its way: events wait in queues, and an invocation lasts 15 minutes.
const ON_ITS_WAY: Duration = Duration::from_secs(1_800);
/// Lines that a look for the newest load reads: first a few, then, where an operator's work hides what came, more.
const NEWEST: [usize; 2] = [8, 400];

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Checked {
    /// To `reconcile`.
    Reconcile(ReconcileAnswer),
    /// To `freshness`.
    Freshness(FreshnessAnswer),
}

/// What a call's part of a reconciliation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileAnswer {
    /// Pipeline.
    pub pipeline: String,
    /// Objects of the source whose current version is in the tables.
    pub in_tables: u64,
    /// Objects of the source that are not.
    pub missing: u64,
    /// Objects in the tables that are not in the source any more.
    pub gone: u64,
    /// What to give as `cursor` to the next call; null after the last one.
    pub next: Option<String>,
    /// Some of those that are missing or gone.
    pub examples: Vec<Example>,
}

/// An object that is missing or gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// URI.
    pub source: String,
    /// `new`, `changed`, `failed`, `undone` or `gone`.
    pub why: &'static str,
    /// Name of the failure, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// How fresh a pipeline's tables are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FreshnessAnswer {
    /// Pipeline.
    pub pipeline: String,
    /// Since the newest object was loaded; null where none was.
    pub seconds_since_last_load: Option<u64>,
    /// Whether one is overdue by `expect_every`.
    pub due: bool,
}

/// What is asked; texts as the event has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked<'e> {
    check: &'e str,
    pipeline: &'e str,
    cursor: Option<&'e str>,
    /// What is younger is on its way.
    grace: Duration,
}

/// Whether an event asks for a check, whatever else is wrong with it.
pub(super) fn is_check(event: &Value) -> bool {
    event.get(KEY).is_some()
}

impl<'e> Asked<'e> {
    fn read(event: &'e Value) -> Result<Self> {
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let wrong = |what: String| Error::usage(what).with_hint(FORM);
        let check = text(KEY).ok_or_else(|| wrong(format!("`{KEY}` is no text")))?;
        let pipeline = text("pipeline").ok_or_else(|| wrong("no `pipeline` is named".to_owned()))?;
        let cursor = match event.get("cursor") {
            None | Some(Value::Null) => None,
            Some(Value::String(cursor)) => Some(cursor.as_str()),
            Some(_) => return Err(wrong("`cursor` is neither null nor a text".to_owned())),
        };
        let grace = match event.get("graceSeconds") {
            None => ON_ITS_WAY,
            Some(seconds) => seconds
                .as_u64()
                .map(Duration::from_secs)
                .ok_or_else(|| wrong("`graceSeconds` is no whole number from 0".to_owned()))?,
        };
        Ok(Self { check, pipeline, cursor, grace })
    }
}

const FORM: &str = "send {\"lakegate\": \"reconcile\", \"pipeline\": NAME, \"cursor\": null} or {\"lakegate\": \"freshness\", \"pipeline\": NAME}";

impl Deployed {
    /// Answers a check.
    ///
    /// # Errors
    /// It is none, or is asked wrongly; the pipeline is unknown, or its source is in a folder; the storages'.
    pub(super) fn check(&self, event: &Value, request: &Request) -> Result<Checked> {
        let asked = Asked::read(event)?;
        let known = ["reconcile", "freshness"];
        if !known.contains(&asked.check) {
            let what = format!("`{}` is no check that this function knows", asked.check);
            return Err(Error::usage(what).with_hint(FORM));
        }
        let pipeline = self.named(asked.pipeline)?;
        let aws = request.deadline.map_or_else(|| self.aws.clone(), |at| self.aws.with_deadline(at));
        if asked.check == "freshness" {
            return self.freshness(pipeline, &aws).map(Checked::Freshness);
        }
        self.reconcile_in_time(pipeline, &asked, &aws).map(Checked::Reconcile)
    }

    fn reconcile_in_time(
        &self,
        pipeline: &Pipeline,
        asked: &Asked<'_>,
        aws: &Aws,
    ) -> Result<ReconcileAnswer> {
        let grace = i64::try_from(asked.grace.as_millis()).unwrap_or(i64::MAX);
        let moment = now_ms().saturating_sub(grace);
        let mut answer = ReconcileAnswer { pipeline: pipeline.name.clone(), ..ReconcileAnswer::default() };
        let (mut cursor, mut slowest) = (asked.cursor.map(str::to_owned), Duration::ZERO);
        loop {
            let begun = Instant::now();
            let page = self.reconcile_before(pipeline, cursor.as_deref(), PAGE, moment, aws)?;
            log(pipeline, &page.missing, answer.missing);
            answer.in_tables += page.in_tables;
            answer.missing += page.missing.len() as u64;
            answer.gone += page.gone.len() as u64;
            let found = page.missing.into_iter().map(Example::from);
            let found = found.chain(page.gone.into_iter().map(Example::from));
            answer.examples.extend(found.take(EXAMPLES.saturating_sub(answer.examples.len())));
            cursor = page.next;
            slowest = slowest.max(begun.elapsed());
            if cursor.is_none() || !fits(slowest, aws.time_left()) {
                break;
            }
        }
        answer.next = cursor;
        let (missing_objects, gone_objects) = (Some(answer.missing), Some(answer.gone));
        self.tell(&pipeline.name, &Metrics { missing_objects, gone_objects, ..Metrics::default() });
        Ok(answer)
    }

    fn freshness(&self, pipeline: &Pipeline, aws: &Aws) -> Result<FreshnessAnswer> {
        let done = newest_done(&bare_lake(pipeline, aws)?, &pipeline.name)?;
        let seconds = done.map(|done| u64::try_from((now_ms() - done) / 1_000).unwrap_or_default());
        let metrics = Metrics { seconds_since_last_load: seconds, ..Metrics::default() };
        self.tell(&pipeline.name, &metrics);
        Ok(FreshnessAnswer {
            pipeline: pipeline.name.clone(),
            seconds_since_last_load: seconds,
            due: is_due(seconds, pipeline.expect_every),
        })
    }
}

/// Whether another page ends well before the time is up: the next one may be slower than all before.
fn fits(slowest: Duration, left: Option<Duration>) -> bool {
    const LEAST: Duration = Duration::from_secs(10);
    left.is_none_or(|left| left > LEAST.max(slowest.saturating_mul(3)))
}

/// Where nothing ever came, something is due.
fn is_due(seconds: Option<u64>, expect_every: Option<u64>) -> bool {
    expect_every.is_some_and(|most| seconds.is_none_or(|seconds| seconds > most))
}

/// When the newest load that brought an object was done, in milliseconds since 1970.
fn newest_done(lake: &Lake, pipeline: &str) -> Result<Option<i64>> {
    for lines in NEWEST {
        let newest = lake.newest_loads(Some(pipeline), lines)?;
        let done = newest.iter().filter(|load| brought(load)).filter_map(|load| parse(&load.done)).max();
        if done.is_some() || newest.len() < lines {
            return Ok(done);
        }
    }
    Ok(None)
}

/// What an operator makes again, submits again or takes away came before.
fn brought(load: &Load) -> bool {
    load.void.is_none() && matches!(load.reason.as_str(), "new" | "content")
}

/// A line for each object that is missing, as long as the call has not said too many; `before` were found already.
fn log(pipeline: &Pipeline, missing: &[Missing], before: u64) {
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    for one in missing.iter().take(LOGGED.saturating_sub(before)) {
        let span = stage::object(&pipeline.name, &one.source);
        let _entered = span.enter();
        stage::missing(one.why.name(), one.code.as_deref());
    }
    if before <= LOGGED && before + missing.len() > LOGGED {
        tracing::warn!(stage = "missing", pipeline = pipeline.name, "more are missing than are said here");
    }
}

impl From<Missing> for Example {
    fn from(missing: Missing) -> Self {
        Self { source: missing.source, why: missing.why.name(), code: missing.code }
    }
}

impl From<Gone> for Example {
    fn from(gone: Gone) -> Self {
        Self { source: gone.source, why: "gone", code: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed::reconcile::Why;
    use lakegate_lake::keys::load_key;
    use lakegate_lake::lake::to_json;
    use serde_json::json;

    #[test]
    fn what_is_asked_is_read_and_what_is_wrong_is_named() {
        let event = json!({"lakegate": "reconcile", "pipeline": "p", "cursor": null, "more": 1});
        assert!(is_check(&event) && !is_check(&json!({"bucket": "b", "key": "k"})) && !is_check(&json!([1])));
        let asked = Asked { check: "reconcile", pipeline: "p", cursor: None, grace: ON_ITS_WAY };
        assert_eq!(Asked::read(&event).unwrap(), asked);
        let event =
            json!({"lakegate": "reconcile", "pipeline": "p", "cursor": "source/a", "graceSeconds": 0});
        let asked = Asked { cursor: Some("source/a"), grace: Duration::ZERO, ..asked };
        assert_eq!(Asked::read(&event).unwrap(), asked);
        for (event, what) in [
            (json!({"lakegate": 1, "pipeline": "p"}), "`lakegate` is no text"),
            (json!({"lakegate": "reconcile"}), "no `pipeline` is named"),
            (json!({"lakegate": "reconcile", "pipeline": "p", "cursor": 1}), "`cursor` is neither"),
            (json!({"lakegate": "reconcile", "pipeline": "p", "graceSeconds": -1}), "`graceSeconds` is no"),
        ] {
            let error = Asked::read(&event).unwrap_err();
            assert!(error.message().starts_with(what) && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn answers_are_as_a_state_machine_reads_them() {
        let missing =
            Missing { source: "s3://r/x".into(), bytes: 1, why: Why::Failed, code: Some("c".into()) };
        let gone = Gone { source: "s3://r/y".into(), rows: 2, id: "i".into() };
        let answer = ReconcileAnswer {
            pipeline: "p".into(),
            in_tables: 3,
            missing: 1,
            gone: 1,
            next: None,
            examples: vec![missing.into(), gone.into()],
        };
        assert_eq!(
            serde_json::to_value(Checked::Reconcile(answer)).unwrap(),
            json!({"pipeline": "p", "inTables": 3, "missing": 1, "gone": 1, "next": null, "examples": [
                {"source": "s3://r/x", "why": "failed", "code": "c"}, {"source": "s3://r/y", "why": "gone"}]})
        );
        let answer = FreshnessAnswer { pipeline: "p".into(), seconds_since_last_load: None, due: true };
        assert_eq!(
            serde_json::to_value(Checked::Freshness(answer)).unwrap(),
            json!({"pipeline": "p", "secondsSinceLastLoad": null, "due": true})
        );
    }

    #[test]
    fn a_page_begins_only_where_it_ends_in_time() {
        let seconds = Duration::from_secs;
        assert!(fits(seconds(60), None), "nobody waits");
        assert!(fits(seconds(1), Some(seconds(11))) && !fits(seconds(1), Some(seconds(10))));
        assert!(fits(seconds(20), Some(seconds(61))) && !fits(seconds(20), Some(seconds(60))));
    }

    #[test]
    fn something_is_due_where_it_is_expected_and_does_not_come() {
        assert!(!is_due(None, None) && !is_due(Some(u64::MAX), None));
        assert!(is_due(None, Some(60)) && is_due(Some(61), Some(60)) && !is_due(Some(60), Some(60)));
    }

    #[test]
    fn the_newest_load_is_one_that_brought_an_object() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        let put = |at: &str, source: &str, reason: &str| {
            let load = Load {
                pipeline: "p".into(),
                source: source.into(),
                committed: at.into(),
                done: at.into(),
                reason: reason.into(),
                ..Load::default()
            };
            lake.overwrite(&load_key("p", at, source, 1), &to_json(&load).unwrap()).unwrap();
        };
        assert_eq!(newest_done(&lake, "p").unwrap(), None);
        put("2025-01-01T00:00:01.000Z", "a", "new");
        put("2025-01-01T00:00:02.000Z", "b", "content");
        for n in 0..20 {
            put(&format!("2025-01-02T00:00:{n:02}.000Z"), &format!("c{n}"), "retract");
        }
        assert_eq!(newest_done(&lake, "p").unwrap(), parse("2025-01-01T00:00:02.000Z"));
        assert_eq!(newest_done(&lake, "q").unwrap(), None);
    }
}
