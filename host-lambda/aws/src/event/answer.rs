//! What the host answers to who sent the event.
//!
//! Not for what a run came to inside (`run`), or for logs. The decision to know: these are read by state
//! machines and scripts, so names and states are stable and in camelCase, as AWS's own are; no answer
//! holds a value from the input.

use serde::{Deserialize, Serialize};

use crate::notify::Notice;
use lakegate_lake::run::State;

/// The answer to every shape but SQS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// One an object that the event named, in its order.
    pub objects: Vec<ObjectAnswer>,
}

/// What happened to one source object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectAnswer {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Name of the pipeline; none matched when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// What it came to.
    pub state: AnswerState,
    /// Rows in all tables.
    pub rows: u64,
    /// Part files.
    pub files: u64,
    /// Bytes of the part files.
    pub bytes: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Whether an earlier delivery had done it already.
    pub duplicate: bool,
    /// Digest of the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// From the beginning of the object's turn to the end.
    pub milliseconds: u64,
    /// Why it failed, or why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AnswerError>,
    /// For a state machine's task, and only there: the notices that the machine is to publish, once the crawler is
    /// through where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<Vec<Notice>>,
    /// For a state machine's task: the crawler that the machine is to run for the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawler: Option<String>,
}

/// What an object came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AnswerState {
    /// The object's first generation.
    Made,
    /// A further generation.
    Replaced,
    /// A commit that somebody left undone was completed.
    RolledForward,
    /// It was done already.
    NothingToDo,
    /// A newer version of the object is in the tables, or will be by its own event.
    Superseded,
    /// No pipeline takes it, or there is nothing to take: a delete, a test.
    #[default]
    Ignored,
    /// Its pipeline is paused.
    Paused,
    /// It is a part file whose arrival starts a crawler: that was started, or runs once more when it is through.
    Arrived,
    /// It is an output of a pipeline: taking it would be a loop.
    Refused,
    /// Bad input: recorded, notified, not to be tried again.
    Failed,
}

impl From<State> for AnswerState {
    fn from(state: State) -> Self {
        match state {
            State::Made => Self::Made,
            State::Replaced => Self::Replaced,
            State::RolledForward => Self::RolledForward,
            State::NothingToDo => Self::NothingToDo,
            State::Superseded => Self::Superseded,
        }
    }
}

/// Why an object failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerError {
    /// Stable name.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The answer to an SQS batch: SQS delivers again exactly the messages that are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqsAnswer {
    /// The messages that failed; an empty list means that all succeeded.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// One message that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// SQS's id of the message.
    pub item_identifier: String,
}

impl SqsAnswer {
    /// Lists one message as failed.
    pub fn fail(&mut self, message_id: &str) {
        self.batch_item_failures.push(ItemFailure { item_identifier: message_id.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Attribute;
    use serde_json::json;

    #[test]
    fn answers_are_camel_case() {
        let done = ObjectAnswer {
            bucket: "raw".into(),
            key: "orders/a b.json".into(),
            pipeline: Some("orders".into()),
            state: State::RolledForward.into(),
            rows: 3,
            files: 1,
            bytes: 900,
            release: Some("5f".into()),
            milliseconds: 12,
            ..ObjectAnswer::default()
        };
        let failed = ObjectAnswer {
            state: AnswerState::Failed,
            error: Some(AnswerError {
                code: "syntax_error".into(),
                message: "a comma is missing".into(),
                hint: Some("add it".into()),
            }),
            ..ObjectAnswer::default()
        };
        assert_eq!(
            serde_json::to_value(Answer { objects: vec![done, failed] }).unwrap(),
            json!({"objects": [
                {"bucket": "raw", "key": "orders/a b.json", "pipeline": "orders", "state": "rolledForward",
                 "rows": 3, "files": 1, "bytes": 900, "rejected": 0, "duplicate": false, "release": "5f",
                 "milliseconds": 12},
                {"bucket": "", "key": "", "state": "failed", "rows": 0, "files": 0, "bytes": 0, "rejected": 0,
                 "duplicate": false, "milliseconds": 0,
                 "error": {"code": "syntax_error", "message": "a comma is missing", "hint": "add it"}},
            ]})
        );
    }

    #[test]
    fn a_state_machine_gets_what_sns_takes() {
        let attribute = Attribute { data_type: "String".into(), string_value: "orders".into() };
        let notice = Notice {
            topic_arn: "arn:aws:sns:us-east-1:111122223333:done".into(),
            subject: "Lakegate orders: 3 rows".into(),
            message: "{}".into(),
            attributes: [("pipeline".to_owned(), attribute)].into(),
        };
        let answer = ObjectAnswer {
            notices: Some(vec![notice]),
            crawler: Some("sales".into()),
            ..ObjectAnswer::default()
        };
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(
            answer["notices"],
            json!([{"topicArn": "arn:aws:sns:us-east-1:111122223333:done", "subject": "Lakegate orders: 3 rows",
                "message": "{}", "attributes": {"pipeline": {"DataType": "String", "StringValue": "orders"}}}])
        );
        assert_eq!(answer["crawler"], "sales");
    }

    #[test]
    fn sqs_is_told_what_failed_and_nothing_else() {
        let mut answer = SqsAnswer::default();
        // Without the list, or with null, SQS would take the whole batch as done.
        assert_eq!(serde_json::to_value(&answer).unwrap(), json!({"batchItemFailures": []}));
        answer.fail("059f36b4");
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            json!({"batchItemFailures": [{"itemIdentifier": "059f36b4"}]})
        );
    }
}
