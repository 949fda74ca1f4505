//! Notify: notices to SNS, when an object is queryable, when it failed, when too much of it was rejected.
//!
//! Not for who is told how: subscriptions and their filters are the reader's. Decisions to know:
//!
//! * A notice is made apart from being sent: a state machine sends those of its executions itself ([`of_commit`]).
//! * At least once, like everything else here: whoever completes a commit tells. `noticeId` is the same each time, so a
//!   reader that minds keeps those it saw. `id` is the run's: what log, records, lineage and quarantine say as well.
//! * No value of the data, ever: names, counts, digests and places. A partition's path is a place.
//! * A notice fits: SNS takes 256 KiB, so long lists are cut and say how many they lack.

mod body;
mod subject;
pub mod topic;

use std::collections::BTreeMap;

use aws_sdk_sns::types::MessageAttributeValue;
use serde::{Deserialize, Serialize};

use crate::client::{Aws, AwsError, Fault};
use body::Body;
use lakegate_base::{Code, Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::record::{CommitRecord, FailedRecord};

/// SNS takes at most ten attributes with 256 KiB together with the body; a filter on tables needs the names only.
const MAX_TABLE_NAMES: usize = 100;
/// Of a notice in an answer: a state machine takes 256 KiB with two of them, escaped once more, and their attributes.
const MAX_IN_ANSWER: usize = 48 << 10;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// An object is queryable.
    Success,
    /// An object failed: nothing of it is in the tables.
    Failure,
    /// More of an object was rejected than the pipeline's `quarantine_above`.
    Quarantine,
}

impl Event {
    /// The word in the notice, in `event` and in the attribute to filter on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Quarantine => "quarantine",
        }
    }
}

/// A notice as SNS is to publish it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// ARN of the topic.
    pub topic_arn: String,
    /// At most 100 printable ASCII characters.
    pub subject: String,
    /// JSON.
    pub message: String,
    /// By name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// An attribute of a notice, as the API of SNS spells it, and so a state machine hands it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// `String` or `String.Array`.
    pub data_type: String,
    /// Its value.
    pub string_value: String,
}

/// A notice that SNS took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// What about.
    pub event: Event,
    /// The same whenever this is told.
    pub notice_id: String,
    /// SNS's id of this delivery.
    pub message_id: String,
}

/// Tells that a commit is queryable. `None` where the pipeline names no topic.
///
/// # Errors
/// Own: the topic is missing or may not be used. Passing: the service's trouble.
pub fn success(aws: &Aws, pipeline: &Pipeline, record: &CommitRecord) -> Result<Option<Told>> {
    tell(aws, pipeline, pipeline.notify.success.as_deref(), || {
        Body::of_commit(Event::Success, pipeline, record)
    })
}

/// Tells that an object failed. `None` where the pipeline names no topic.
///
/// # Errors
/// As [`success`].
pub fn failure(aws: &Aws, pipeline: &Pipeline, failed: &FailedRecord) -> Result<Option<Told>> {
    tell(aws, pipeline, pipeline.notify.failure.as_deref(), || Body::of_failure(pipeline, failed))
}

/// Tells that more of a commit was rejected than `quarantine_above`. `None` where it was not, or the pipeline
/// names no topic.
///
/// # Errors
/// As [`success`].
pub fn quarantine(aws: &Aws, pipeline: &Pipeline, record: &CommitRecord) -> Result<Option<Told>> {
    tell(aws, pipeline, quarantine_topic(pipeline, record), || {
        Body::of_commit(Event::Quarantine, pipeline, record)
    })
}

fn quarantine_topic<'p>(pipeline: &'p Pipeline, record: &CommitRecord) -> Option<&'p str> {
    let (above, report) = (pipeline.notify.quarantine_above, &record.report);
    pipeline.notify.quarantine.as_deref().filter(|_| above.passed(report.misfits(), report.records))
}

/// The notices of a commit that is queryable, for whoever publishes them instead of this host.
///
/// # Errors
/// A topic is a name, and the account cannot be told.
pub fn of_commit(aws: &Aws, pipeline: &Pipeline, record: &CommitRecord) -> Result<Vec<Notice>> {
    let success = pipeline.notify.success.as_deref().map(|topic| (Event::Success, topic));
    let quarantine = quarantine_topic(pipeline, record).map(|topic| (Event::Quarantine, topic));
    let wanted = success.into_iter().chain(quarantine);
    wanted
        .map(|(event, topic)| {
            let topic = aws.wait(topic::arn(aws, topic))?;
            Ok(Notice::of(topic, &Body::of_commit(event, pipeline, record), MAX_IN_ANSWER))
        })
        .collect()
}

impl Notice {
    fn of(topic_arn: String, body: &Body, max_bytes: usize) -> Self {
        let attribute = |(name, kind, value): (&str, &str, String)| {
            (name.to_owned(), Attribute { data_type: kind.to_owned(), string_value: value })
        };
        let attributes = attributes(body).into_iter().map(attribute).collect();
        Self { topic_arn, subject: subject::of(body), message: body.to_text(max_bytes), attributes }
    }
}

fn tell(
    aws: &Aws,
    pipeline: &Pipeline,
    topic: Option<&str>,
    body: impl FnOnce() -> Body,
) -> Result<Option<Told>> {
    let Some(topic) = topic else { return Ok(None) };
    let body = body();
    let notice = Notice::of(aws.wait(topic::arn(aws, topic))?, &body, body::MAX_BYTES);
    let topic = &notice.topic_arn;
    let mut call = aws.sns().publish().topic_arn(topic).subject(notice.subject).message(notice.message);
    for (name, Attribute { data_type, string_value }) in notice.attributes {
        let value = MessageAttributeValue::builder().data_type(data_type).string_value(string_value).build();
        let value = value.map_err(|error| Error::new(Code::Notice, error.to_string()))?;
        call = call.message_attributes(name, value);
    }
    let call = call.customize().config_override(region_of(topic)).send();
    let answer = aws
        .wait(aws.ask("sns:Publish", topic, call))
        .map_err(|error| refused(pipeline, body.event, &error))?;
    let message_id = answer.message_id.unwrap_or_default();
    Ok(Some(Told { event: body.event, notice_id: body.notice_id, message_id }))
}

/// A topic is asked where it lives: SNS answers for no other region.
fn region_of(topic: &str) -> aws_sdk_sns::config::Builder {
    let region = topic.split(':').nth(3).map(|region| aws_sdk_sns::config::Region::new(region.to_string()));
    aws_sdk_sns::config::Builder::new().region(region)
}

/// To filter subscriptions on: name, type, value.
fn attributes(body: &Body) -> Vec<(&'static str, &'static str, String)> {
    let rejects = if body.rejected > 0 { "true" } else { "false" };
    let mut found = vec![
        ("pipeline", "String", body.pipeline.clone()),
        ("event", "String", body.event.name().into()),
        ("has_rejects", "String", rejects.into()),
    ];
    if !body.id.is_empty() {
        found.push(("id", "String", body.id.clone()));
    }
    let tables: Vec<&str> = body.table_names().take(MAX_TABLE_NAMES).collect();
    if !tables.is_empty() {
        // A filter on an array matches if any of its elements does.
        found.push(("tables", "String.Array", serde_json::json!(tables).to_string()));
    }
    found
}

fn refused(pipeline: &Pipeline, event: Event, error: &AwsError) -> Error {
    let at = format!("`{}` in [pipeline.{}.notify]", event.name(), pipeline.name);
    let (code, hint) = match error.fault {
        Fault::Missing => {
            (Code::TopicMissing, Some(format!("create the topic {}, or correct {at}", error.resource)))
        }
        Fault::KeyDenied => (
            error.code(),
            Some(format!(
                "allow kms:GenerateDataKey and kms:Decrypt on the KMS key of the topic {}",
                error.resource
            )),
        ),
        _ => (error.code(), error.hint().map(str::to_string)),
    };
    let made = Error::new(code, error.to_string()).of_kind(error.kind());
    match hint {
        Some(hint) => made.with_hint(hint),
        None => made,
    }
}

#[cfg(test)]
#[path = "notify/peer_tests.rs"]
mod peer_tests;
#[cfg(test)]
#[path = "notify/notify_tests.rs"]
mod tests;
