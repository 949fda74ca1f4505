//! Every event shape → source objects.
//!
//! For: S3 notifications, EventBridge, SQS, SNS (around either, inside SQS, raw), a Step Functions task (an object, or
//! an event beside its execution) and a batch of its Distributed Map; and a Glue crawler's end. Not for: routing an object to a pipeline, or fetching it.
//!
//! The decision to know: an event is looked at field by field and dispatched on who says it sent it
//! (`eventSource`, `source`, `Type`), then on its shape; never by trying one type after the other, since
//! an S3 event reads as an SQS event without complaint. Whatever is not needed may be missing, new or of
//! another type; what is needed and missing is an error of its own delivery and of no other.

mod answer;
mod field;
mod key;

use serde::Serialize;
use serde_json::Value;

pub use answer::{Answer, AnswerError, AnswerState, ItemFailure, ObjectAnswer, SqsAnswer};
use lakegate_base::time;
use lakegate_lake::Sequencer;

use field::{At, list, text};

/// Envelopes inside each other: SQS around SNS around EventBridge is three; more is no event of AWS.
const DEPTH: u32 = 6;

/// Who brought the event, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// S3 called directly.
    Notification,
    /// An EventBridge rule called.
    EventBridge,
    /// A batch of an SQS queue: the only one that wants an [`SqsAnswer`].
    Sqs,
    /// An SNS topic called.
    Sns,
    /// `{bucket, key}`: a Step Functions task, or a person.
    Request,
    /// `{event, execution}`: a Step Functions task that tells and crawls by itself; its event names one object.
    Task,
    /// A batch of a Distributed Map.
    Map,
    /// `s3:TestEvent`, sent once when a bucket's notification is set up.
    Test,
    /// None of these; its delivery has the error.
    Unknown,
}

/// An event, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The outermost shape.
    pub shape: Shape,
    /// One an SQS message; a single one for every other shape.
    pub deliveries: Vec<Delivery>,
    /// ARN of the state machine's execution whose task it is.
    pub execution: Option<String>,
}

/// What succeeds or fails as one, seen from who delivered it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// SQS's id of the message, for the list of those that failed.
    pub message_id: Option<String>,
    /// What it names, in its order.
    pub items: Vec<Item>,
    /// What could not be read. There may be items beside it: they are to be processed, and the delivery
    /// has failed all the same.
    pub error: Option<String>,
}

/// One thing that an event names.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An object to process.
    Object(ObjectRef),
    /// A run of the Glue crawler of this name has ended, well or not.
    CrawlerEnded(String),
    /// Nothing to do.
    Ignored {
        /// The reason, for the log.
        why: String,
        /// `s3://bucket/key`, where it was told.
        uri: Option<String>,
    },
}

/// A source object as an event names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Bucket.
    pub bucket: String,
    /// Key as S3 knows it, decoded.
    pub key: String,
    /// Version, where it pins one. The id `null` of a bucket without versions pins nothing and is `None`.
    pub version_id: Option<String>,
    /// Entity tag without its quotes.
    pub etag: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Order of the events of one key.
    pub sequencer: Option<Sequencer>,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub event_time: Option<i64>,
}

impl ObjectRef {
    /// The object of that name as it is now: nothing is said of its version.
    pub fn named(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.into(), key: key.into(), ..Self::default() }
    }

    /// The same by `s3://bucket/key`.
    pub(crate) fn of_uri(uri: Option<&str>) -> Self {
        let place = uri.and_then(|uri| uri.strip_prefix("s3://")?.split_once('/'));
        place.map(|(bucket, key)| Self::named(bucket, key)).unwrap_or_default()
    }

    /// `s3://bucket/key`.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Reads an event. Never fails: what cannot be read is the error of its delivery.
pub fn parse(event: &Value) -> Parsed {
    if let (Some(event), Some(execution)) = (event.get("event"), event.get("execution")) {
        return task(event, execution);
    }
    if let Some(messages) = records(event).filter(|records| records.iter().any(is_message)) {
        let deliveries = messages.iter().map(message).collect();
        return Parsed { shape: Shape::Sqs, deliveries, execution: None };
    }
    let mut delivery = Delivery::default();
    let shape = delivery.payload(event, 0);
    Parsed { shape, deliveries: vec![delivery], execution: None }
}

/// A state machine's task: an event of one object, and the execution that asks.
fn task(event: &Value, execution: &Value) -> Parsed {
    let mut delivery = Delivery::default();
    delivery.payload(event, 1);
    delivery.only_one();
    let execution = execution.as_str().filter(|arn| !arn.is_empty()).map(str::to_owned);
    if execution.is_none() {
        delivery.items.clear();
        delivery.fail("a task whose `execution` is no text: hand over $$.Execution.Id");
    }
    Parsed { shape: Shape::Task, deliveries: vec![delivery], execution }
}

/// `Records`, or a bare list as EventBridge Pipes hand it over.
fn records(event: &Value) -> Option<&[Value]> {
    event.as_array().map(Vec::as_slice).or_else(|| list(event, "Records"))
}

/// One record of an SQS batch.
fn message(record: &Value) -> Delivery {
    let mut delivery =
        Delivery { message_id: text(record, &["messageId"]).map(str::to_owned), ..Delivery::default() };
    delivery.record(record, 0);
    delivery
}

fn is_message(record: &Value) -> bool {
    matches!(Sender::of(record), Some(Sender::Queue))
}

/// Who wrote a record.
enum Sender {
    Bucket,
    Queue,
    Topic,
    Other(String),
}

impl Sender {
    /// By what the record says, else by its shape. S3's peers write `minio:s3` and the like.
    fn of(record: &Value) -> Option<Self> {
        if let Some(source) = text(record, &["eventSource", "EventSource"]) {
            return Some(match source.rsplit(':').next() {
                Some("s3") => Self::Bucket,
                Some("sqs") => Self::Queue,
                Some("sns") => Self::Topic,
                _ => Self::Other(source.to_owned()),
            });
        }
        if record.get("s3").is_some() {
            Some(Self::Bucket)
        } else if record.get("Sns").is_some() {
            Some(Self::Topic)
        } else if record.get("messageId").is_some() && record.get("body").is_some() {
            Some(Self::Queue)
        } else {
            None
        }
    }
}

impl Delivery {
    /// One event or envelope at any depth; its shape.
    fn payload(&mut self, event: &Value, depth: u32) -> Shape {
        if depth > DEPTH {
            self.fail("more envelopes inside each other than any event has");
            return Shape::Unknown;
        }
        if let Value::String(text) = event {
            return self.text(text, depth);
        }
        if let Some(records) = records(event) {
            return self.records(records, depth);
        }
        if Sender::of(event).is_some() {
            return self.record(event, depth);
        }
        if text(event, &["Event"]) == Some("s3:TestEvent") {
            self.ignore("s3:TestEvent: S3 tries out a notification", None);
            return Shape::Test;
        }
        if let Some(kind) = text(event, &["detail-type"]) {
            self.bridge(event, kind);
            return Shape::EventBridge;
        }
        if let Some(kind) = text(event, &["Type"]) {
            self.topic_message(event, kind, depth);
            return Shape::Sns;
        }
        if let Some(items) = list(event, "Items") {
            self.batch(event, items, depth);
            return Shape::Map;
        }
        self.request(event, None)
    }

    /// A message's text. The place of a mistake is told, never the text.
    fn text(&mut self, text: &str, depth: u32) -> Shape {
        match serde_json::from_str::<Value>(text) {
            Ok(event) => self.payload(&event, depth + 1),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                self.fail(format!("the message is not JSON (line {line}, column {column})"));
                Shape::Unknown
            }
        }
    }

    fn records(&mut self, records: &[Value], depth: u32) -> Shape {
        if records.is_empty() {
            self.ignore("an event without records", None);
            return Shape::Notification;
        }
        let shapes: Vec<Shape> = records.iter().map(|record| self.record(record, depth)).collect();
        shapes[0]
    }

    fn record(&mut self, record: &Value, depth: u32) -> Shape {
        match Sender::of(record) {
            Some(Sender::Bucket) => {
                self.notification(record);
                Shape::Notification
            }
            Some(Sender::Queue) => {
                match record.get("body") {
                    Some(body) => _ = self.payload(body, depth + 1),
                    None => self.fail("an SQS message without `body`"),
                }
                Shape::Sqs
            }
            Some(Sender::Topic) => {
                match record.get("Sns") {
                    Some(envelope) => self.topic_message(envelope, "Notification", depth),
                    None => self.fail("an SNS record without `Sns`"),
                }
                Shape::Sns
            }
            Some(Sender::Other(source)) => {
                self.fail(format!("records of `{source}` are not understood: S3, SQS and SNS are"));
                Shape::Unknown
            }
            // Pipes and hand-made lists hold whole events.
            None => self.payload(record, depth + 1),
        }
    }

    /// A record of an S3 notification. Its `eventVersion` varies and is never looked at.
    fn notification(&mut self, record: &Value) {
        let object = At::new(record, &["s3", "object"]);
        let bucket = At::new(record, &["s3", "bucket"]).text(&["name"]);
        let (Some(bucket), Some(encoded)) = (bucket, object.text(&["key"])) else {
            return self.fail("an S3 record without `s3.bucket.name` or `s3.object.key`");
        };
        let Some(key) = key::decode(encoded) else {
            return self.fail("an S3 record whose key is not UTF-8 when decoded");
        };
        let object = object.object(bucket, &key, moment(record, &["eventTime"]));
        // S3's peers write `s3:ObjectCreated:Put`; a record without a name was made by hand.
        let name = text(record, &["eventName"]).unwrap_or("ObjectCreated");
        if name.strip_prefix("s3:").unwrap_or(name).starts_with("ObjectCreated") {
            self.take(object);
        } else {
            self.ignore(format!("{name}: only created objects are taken"), Some(object.uri()));
        }
    }

    /// An EventBridge event. Its keys are raw, whatever they look like.
    fn bridge(&mut self, event: &Value, kind: &str) {
        if kind == CRAWLER && text(event, &["source"]).is_none_or(|source| source == "aws.glue") {
            return self.crawler(event);
        }
        if text(event, &["source"]).is_some_and(|source| source != "aws.s3") || !kind.starts_with("Object ") {
            return self.fail(format!("the EventBridge event `{kind}` is none of S3's `Object Created`"));
        }
        let Some(object) = event.get("detail").and_then(|detail| detail_object(detail, event)) else {
            return self.fail("an EventBridge event without `detail.bucket.name` or `detail.object.key`");
        };
        if kind == "Object Created" {
            self.take(object);
        } else {
            self.ignore(format!("{kind}: only created objects are taken"), Some(object.uri()));
        }
    }

    /// What states there are beside the one that is no end, nobody promises.
    fn crawler(&mut self, event: &Value) {
        let detail = At::new(event, &["detail"]);
        match (detail.text(&["crawlerName"]), detail.text(&["state"])) {
            (Some(name), Some("Started")) => self.ignore(format!("the crawler {name} started"), None),
            (Some(name), _) => self.items.push(Item::CrawlerEnded(name.to_owned())),
            (None, _) => self.fail("a crawler's EventBridge event without `detail.crawlerName`"),
        }
    }

    /// SNS's envelope: in a record of its own, or as the body of an SQS message.
    fn topic_message(&mut self, envelope: &Value, kind: &str, depth: u32) {
        match (kind, envelope.get("Message")) {
            ("Notification", Some(message)) => _ = self.payload(message, depth + 1),
            ("Notification", None) => self.fail("an SNS notification without `Message`"),
            (other, _) => self.ignore(format!("{other}: SNS speaks of a subscription"), None),
        }
    }

    /// A batch of a Distributed Map. What all items share, such as the bucket, is in `BatchInput`.
    fn batch(&mut self, event: &Value, items: &[Value], depth: u32) {
        let shared = event.get("BatchInput");
        for item in items {
            if text(item, KEY).is_some() {
                self.request(item, shared);
            } else {
                self.payload(item, depth + 1);
            }
        }
    }

    /// `{bucket, key}` in any spelling; also the bare `detail` of an EventBridge event.
    fn request(&mut self, event: &Value, shared: Option<&Value>) -> Shape {
        if let Some(object) = detail_object(event, event) {
            self.take(object);
            return Shape::EventBridge;
        }
        let bucket = text(event, BUCKET).or_else(|| text(shared?, BUCKET));
        match (bucket, text(event, KEY)) {
            (Some(bucket), Some(key)) => {
                let time = moment(event, &["eventTime", "event_time", "LastModified", "time"]);
                self.take(At::new(event, &[]).object(bucket, key, time));
                Shape::Request
            }
            (None, Some(_)) => {
                self.fail("a key without its bucket: put `bucket` beside it, or into `BatchInput`");
                Shape::Request
            }
            _ => {
                self.fail("no event that is understood: S3, EventBridge, SQS, SNS or {bucket, key}");
                Shape::Unknown
            }
        }
    }

    /// Keeps the one object that is named, or the one that is passed over; nothing where there are others.
    fn only_one(&mut self) {
        let is_object = |item: &Item| matches!(item, Item::Object(_));
        let is_passed_over = |item: &Item| matches!(item, Item::Ignored { uri: Some(_), .. });
        let objects = self.items.iter().filter(|item| is_object(item)).count();
        let wanted: fn(&Item) -> bool = if objects > 0 { is_object } else { is_passed_over };
        self.items.retain(wanted);
        if self.error.is_none() && self.items.len() != 1 {
            let count = self.items.len();
            self.fail(format!("the event of a task names exactly one object, and this one names {count}"));
        }
        if self.error.is_some() {
            self.items.clear();
        }
    }

    fn take(&mut self, object: ObjectRef) {
        if object.bucket.is_empty() || object.key.is_empty() {
            self.fail("an object whose bucket or key is empty");
        } else if object.key.ends_with('/') && object.size.unwrap_or(0) == 0 {
            self.ignore("a folder marker: an empty object whose key ends with `/`", Some(object.uri()));
        } else {
            self.items.push(Item::Object(object));
        }
    }

    fn ignore(&mut self, why: impl Into<String>, uri: Option<String>) {
        self.items.push(Item::Ignored { why: why.into(), uri });
    }

    fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.error = Some(match self.error.take() {
            Some(before) if before.split("; ").any(|one| one == what) => before,
            Some(before) => format!("{before}; {what}"),
            None => what,
        });
    }
}

const CRAWLER: &str = "Glue Crawler State Change";
const BUCKET: &[&str] = &["bucket", "Bucket", "bucketName", "BucketName"];
const KEY: &[&str] = &["key", "Key"];

/// The object in the `detail` of an EventBridge event; the time stands beside it.
fn detail_object(detail: &Value, event: &Value) -> Option<ObjectRef> {
    let object = At::new(detail, &["object"]);
    let bucket = At::new(detail, &["bucket"]).text(&["name"])?;
    Some(object.object(bucket, object.text(&["key"])?, moment(event, &["time"])))
}

fn moment(event: &Value, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| match event.get(name)? {
        Value::String(text) => time::parse(text),
        // ListObjectsV2 through Step Functions tells seconds.
        Value::Number(seconds) => time::of_seconds(seconds.as_f64()?),
        _ => None,
    })
}

#[cfg(test)]
#[path = "event/law_tests.rs"]
mod law_tests;
#[cfg(test)]
#[path = "event/event_tests.rs"]
mod tests;
