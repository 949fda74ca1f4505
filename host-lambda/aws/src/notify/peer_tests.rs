//! Notices as a subscribed queue gets them, from an AWS of the environment (`LAKEGATE_TEST_AWS`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::catalog::fixture;
use crate::client::Aws;
use lakegate_base::Kind;

/// SQS without its SDK: what the tests ask of it are three calls. Signed in form only.
struct Queue<'a> {
    aws: &'a Aws,
    url: String,
    arn: String,
}

impl<'a> Queue<'a> {
    fn make(aws: &'a Aws) -> Self {
        let made = ask(aws, "CreateQueue", &serde_json::json!({"QueueName": fixture::fresh("q")}));
        let url = made["QueueUrl"].as_str().unwrap_or_else(|| panic!("{made}")).to_string();
        let facts = ask(
            aws,
            "GetQueueAttributes",
            &serde_json::json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]}),
        );
        let arn = facts["Attributes"]["QueueArn"].as_str().unwrap_or_else(|| panic!("{facts}")).to_string();
        Self { aws, url, arn }
    }

    /// SNS's envelopes of all that comes within two seconds, in any order.
    fn all(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for _ in 0..10 {
            let wish = serde_json::json!({"QueueUrl": self.url, "MaxNumberOfMessages": 10});
            let got = ask(self.aws, "ReceiveMessage", &wish);
            for message in got["Messages"].as_array().into_iter().flatten() {
                found.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        found
    }
}

fn ask(aws: &Aws, call: &str, body: &Value) -> Value {
    let host = aws.config().endpoint_url().unwrap().trim_start_matches("http://").trim_end_matches('/');
    let body = body.to_string();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "POST / HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{call}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=x/20250101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn topic(aws: &Aws) -> String {
    aws.wait(aws.sns().create_topic().name(fixture::fresh("t")).send()).unwrap().topic_arn.unwrap()
}

fn subscribe(aws: &Aws, topic: &str, queue: &Queue<'_>, filter: &str) {
    let call = aws.sns().subscribe().topic_arn(topic).protocol("sqs").endpoint(&queue.arn);
    aws.wait(call.attributes("FilterPolicy", filter).send()).unwrap();
}

#[test]
fn notices_reach_the_queues_whose_filters_they_pass() {
    let Some(aws) = fixture::peer() else { return };
    let topic = topic(&aws);
    let (all, items, failures) = (Queue::make(&aws), Queue::make(&aws), Queue::make(&aws));
    subscribe(&aws, &topic, &all, r#"{"pipeline": ["orders"]}"#);
    subscribe(&aws, &topic, &items, r#"{"tables": ["items"]}"#);
    subscribe(&aws, &topic, &failures, r#"{"event": ["failure"]}"#);
    let section = format!(
        "[pipeline.orders.notify]\nsuccess = \"{topic}\"\nfailure = \"{topic}\"\nquarantine = \"{topic}\"\nquarantine_above = \"20%\"\n"
    );
    let pipeline = fixture::pipeline(&section);
    let mut record = fixture::record("orders", "k1", &["day=2025-01-01/"]);
    (record.report.records, record.report.rejected) = (10, 2);

    let first = success(&aws, &pipeline, &record).unwrap().unwrap();
    let second = success(&aws, &pipeline, &record).unwrap().unwrap();
    assert_eq!(first.notice_id, second.notice_id);
    assert_ne!(first.message_id, second.message_id);
    assert_eq!(quarantine(&aws, &pipeline, &record).unwrap(), None); // 20% are not more than 20%
    record.report.rejected = 3;
    quarantine(&aws, &pipeline, &record).unwrap().unwrap();
    let failed = FailedRecord { code: "syntax_error".into(), ..FailedRecord::default() };
    failure(&aws, &pipeline, &failed).unwrap().unwrap();

    let got = all.all();
    let mut events: Vec<String> = got
        .iter()
        .map(|envelope| serde_json::from_str::<Value>(envelope["Message"].as_str().unwrap()).unwrap())
        .map(|body| body["event"].as_str().unwrap().to_string())
        .collect();
    events.sort();
    assert_eq!(events, ["failure", "quarantine", "success", "success"]);
    let told = got.iter().find(|envelope| envelope["MessageId"] == first.message_id.as_str()).unwrap();
    assert_eq!(told["Subject"], "Lakegate orders: 10 rows in orders from first.json");
    assert_eq!(told["MessageAttributes"]["has_rejects"]["Value"], "true");
    assert_eq!(items.all(), [] as [Value; 0]);
    assert_eq!(failures.all().len(), 1);
}

#[test]
fn a_missing_topic_is_named() {
    let Some(aws) = fixture::peer() else { return };
    let topic = "arn:aws:sns:us-east-1:123456789012:nobody-made-it";
    let pipeline = fixture::pipeline(&format!("[pipeline.orders.notify]\nsuccess = \"{topic}\"\n"));
    let error = success(&aws, &pipeline, &fixture::record("orders", "k1", &[])).unwrap_err();
    assert_eq!((error.kind(), error.name()), (Kind::Own, "topic_missing"));
    assert!(error.to_string().starts_with(&format!("sns:Publish on {topic} failed")), "{error}");
    assert!(error.hint().unwrap().contains("`success` in [pipeline.orders.notify]"), "{error:?}");
}

#[test]
fn who_names_no_topic_is_told_nothing() {
    let Some(aws) = fixture::peer() else { return };
    let told = success(&aws, &fixture::pipeline(""), &fixture::record("orders", "k1", &[])).unwrap();
    assert_eq!((told, aws.calls().len()), (None, 0));
}
