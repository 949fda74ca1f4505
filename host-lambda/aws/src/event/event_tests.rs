//! Every shape of event, as AWS sends it (`samples/`), and what is missing, new or broken in it.

use serde_json::json;

use super::*;

/// One line an item: what a table of expectations can hold.
fn told(delivery: &Delivery) -> Vec<String> {
    let mut lines: Vec<String> = delivery
        .items
        .iter()
        .map(|item| match item {
            Item::Object(object) => {
                let facts = [
                    ("v", object.version_id.clone()),
                    ("etag", object.etag.clone()),
                    ("size", object.size.map(|size| size.to_string())),
                    ("seq", object.sequencer.as_ref().map(|s| s.as_str().to_owned())),
                    ("at", object.event_time.map(|at| at.to_string())),
                ];
                let facts =
                    facts.iter().filter_map(|(name, fact)| Some(format!(" {name}={}", fact.as_ref()?)));
                format!("{}{}", object.uri(), facts.collect::<String>())
            }
            Item::CrawlerEnded(crawler) => format!("crawler {crawler}"),
            Item::Ignored { why, uri } => format!("ignored {}: {why}", uri.as_deref().unwrap_or("-")),
        })
        .collect();
    lines.extend(delivery.error.iter().map(|error| format!("error: {error}")));
    lines
}

fn one(event: &Value) -> (Shape, Vec<String>) {
    let parsed = parse(event);
    assert_eq!(parsed.deliveries.len(), 1, "{parsed:?}");
    assert_eq!(parsed.deliveries[0].message_id, None);
    (parsed.shape, told(&parsed.deliveries[0]))
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_notification_names_several_objects() {
    let (shape, items) = one(&sample(include_str!("samples/s3_notification.json")));
    assert_eq!(shape, Shape::Notification);
    assert_eq!(
        items,
        [
            "s3://raw/orders/order_date=2025-03-01/café 1+1.json v=096fKKXTRTtl3on89fVO.nfljtsv6qko \
             etag=d41d8cd98f00b204e9800998ecf8427e size=20480 seq=0055AED6DCD90281E5 at=1740824130123",
            "s3://raw/orders/big.ndjson.gz etag=9b2cf535f27731c974343645a3985328-640 size=5368709120 \
             seq=0065AED6DCD90281E5 at=1740824131000",
            "ignored s3://raw/orders/old file.json: ObjectRemoved:Delete: only created objects are taken",
            "ignored s3://raw/orders/2025/: a folder marker: an empty object whose key ends with `/`",
        ]
    );
}

#[test]
fn the_test_event_is_ignored() {
    let (shape, items) = one(&sample(include_str!("samples/s3_test.json")));
    assert_eq!(shape, Shape::Test);
    assert_eq!(items, ["ignored -: s3:TestEvent: S3 tries out a notification"]);
}

const BRIDGED: &str = "s3://raw/orders/order_date=2025-03-01/café 1+1 100%25.json \
                       v=IYV3p45BT0ac8hjHg1houSdS1a.Mro8e etag=b1946ac92492d2347c6235b4d2611184 size=5 \
                       seq=617F08299329D189 at=1740824130000";

#[test]
fn eventbridge_keys_are_raw() {
    let event = sample(include_str!("samples/eventbridge_created.json"));
    assert_eq!(one(&event), (Shape::EventBridge, vec![BRIDGED.to_owned()]));
    for reason in ["PutObject", "POST Object", "CopyObject", "a reason of next year"] {
        let mut other = event.clone();
        other["detail"]["reason"] = reason.into();
        assert_eq!(one(&other), one(&event), "{reason}");
    }
    // A state machine often hands on `$.detail` alone.
    let detail = one(&event["detail"]);
    assert_eq!(detail, (Shape::EventBridge, vec![BRIDGED.replace(" at=1740824130000", "")]));
}

#[test]
fn eventbridge_deletes_are_ignored() {
    let (shape, items) = one(&sample(include_str!("samples/eventbridge_deleted.json")));
    assert_eq!(shape, Shape::EventBridge);
    assert_eq!(
        items,
        ["ignored s3://raw/orders/old file.json: Object Deleted: only created objects are taken"]
    );
}

#[test]
fn a_crawler_that_ended_is_told_from_one_that_began() {
    let event = sample(include_str!("samples/eventbridge_crawler.json"));
    assert_eq!(one(&event), (Shape::EventBridge, vec!["crawler sales crawler".to_owned()]));
    for (state, told) in [
        (json!("Failed"), "crawler sales crawler"),
        (json!("Stopped"), "crawler sales crawler"),
        (json!(null), "crawler sales crawler"),
        (json!("Started"), "ignored -: the crawler sales crawler started"),
    ] {
        let mut other = event.clone();
        other["detail"]["state"] = state;
        assert_eq!(one(&other).1, [told]);
    }
    let queued =
        json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": event.to_string()}]});
    assert_eq!(told(&parse(&queued).deliveries[0]), ["crawler sales crawler"]);
    let bare =
        json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change", "detail": {"state": 1}});
    assert_eq!(one(&bare).1, ["error: a crawler's EventBridge event without `detail.crawlerName`"]);
}

#[test]
fn sns_wraps_a_notification() {
    let (shape, items) = one(&sample(include_str!("samples/sns_notification.json")));
    assert_eq!(shape, Shape::Sns);
    assert_eq!(items, ["s3://raw/orders/a b.json etag=0c6f size=12 seq=00A1 at=1740824130000"]);
}

#[test]
fn one_unreadable_message_spoils_no_other() {
    let parsed = parse(&sample(include_str!("samples/sqs_batch.json")));
    assert_eq!(parsed.shape, Shape::Sqs);
    let ids: Vec<String> = (1..=8).map(|n| format!("059f36b4-87a3-44ab-83d2-66197568000{n}")).collect();
    let found: Vec<&str> = parsed.deliveries.iter().filter_map(|d| d.message_id.as_deref()).collect();
    assert_eq!(found, ids);
    let told: Vec<Vec<String>> = parsed.deliveries.iter().map(told).collect();
    let expected: [&[&str]; 8] = [
        &[
            "s3://raw/orders/one 1.json etag=aa size=1 seq=01 at=1740824130000",
            "s3://raw/orders/two.json size=2 at=1740824130000",
        ],
        &[BRIDGED],
        &["error: the message is not JSON (line 1, column 27)"],
        &["s3://raw/orders/c+d.json size=3 at=1740824130000"],
        &[BRIDGED],
        &["ignored -: s3:TestEvent: S3 tries out a notification"],
        &["error: the message is not JSON (line 1, column 1)"],
        &["ignored s3://raw/orders/gone.json: ObjectRemoved:DeleteMarkerCreated: only created objects are \
             taken"],
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_state_machine_names_one_object() {
    let cases = [
        (json!({"bucket": "raw", "key": "a b+c%20.json"}), "s3://raw/a b+c%20.json"),
        (json!({"bucket": "raw", "key": "a.json", "versionId": "v1"}), "s3://raw/a.json v=v1"),
        (json!({"Bucket": "raw", "Key": "a.json", "VersionId": "v1"}), "s3://raw/a.json v=v1"),
        (json!({"bucket": "raw", "key": "a.json", "versionId": null, "size": "x"}), "s3://raw/a.json"),
        (json!({"bucket": "raw", "key": "a.json", "Key": "b.json", "size": 7.0}), "s3://raw/a.json size=7"),
    ];
    for (event, expected) in cases {
        assert_eq!(one(&event), (Shape::Request, vec![expected.to_owned()]), "{event}");
    }
    let lone = json!({"Key": "a.json", "Size": 1});
    assert_eq!(
        one(&lone).1,
        ["error: a key without its bucket: put `bucket` beside it, or into `BatchInput`"]
    );
}

#[test]
fn a_task_is_an_event_of_one_object_and_its_execution() {
    let arn = "arn:aws:states:eu-central-1:111122223333:execution:orders:6f1c";
    let bridged = sample(include_str!("samples/eventbridge_created.json"));
    let asked = |event: &Value| {
        let parsed = parse(&json!({"event": event, "execution": arn}));
        assert_eq!((parsed.shape, parsed.execution.as_deref()), (Shape::Task, Some(arn)));
        assert_eq!(parsed.deliveries.len(), 1);
        told(&parsed.deliveries[0])
    };
    assert_eq!(asked(&bridged), [BRIDGED]);
    assert_eq!(asked(&json!({"bucket": "raw", "key": "a.json"})), ["s3://raw/a.json"]);
    let queued =
        json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": bridged.to_string()}]});
    assert_eq!(asked(&queued), [BRIDGED]);
    // The machine is told of a folder's marker that there is nothing to take, as everybody is.
    let marker = json!({"bucket": "raw", "key": "orders/", "size": 0});
    assert_eq!(
        asked(&marker),
        ["ignored s3://raw/orders/: a folder marker: an empty object whose key ends with `/`"]
    );
    let names = "error: the event of a task names exactly one object, and this one names";
    let two = json!({"Items": [{"bucket": "raw", "key": "a.json"}, {"bucket": "raw", "key": "b.json"}]});
    assert_eq!(asked(&two), [format!("{names} 2")]);
    for none in [json!({"Records": []}), sample(include_str!("samples/eventbridge_crawler.json"))] {
        assert_eq!(asked(&none), [format!("{names} 0")]);
    }
    let broken = json!([{"bucket": "raw", "key": "a.json"}, {"hello": "world"}]);
    assert_eq!(
        asked(&broken),
        ["error: no event that is understood: S3, EventBridge, SQS, SNS or {bucket, key}"]
    );
    for execution in [json!(null), json!(""), json!(7)] {
        let parsed = parse(&json!({"event": bridged, "execution": execution}));
        assert_eq!(
            told(&parsed.deliveries[0]),
            ["error: a task whose `execution` is no text: hand over $$.Execution.Id"]
        );
    }
    // A request may say more than is needed.
    assert_eq!(one(&json!({"bucket": "raw", "key": "a.json", "execution": arn})).0, Shape::Request);
}

#[test]
fn a_distributed_map_hands_over_a_batch() {
    let (shape, items) = one(&sample(include_str!("samples/map_batch.json")));
    assert_eq!(shape, Shape::Map);
    assert_eq!(
        items,
        [
            "s3://raw/orders/2024/x 1+1.json etag=a8b3 size=4096 at=1646875980000",
            "ignored s3://raw/orders/2024/: a folder marker: an empty object whose key ends with `/`",
            "s3://other/y.json v=v1 size=7",
            "s3://third/z.json",
        ]
    );
    let events = json!({"Items": [sample(include_str!("samples/eventbridge_created.json")), {"id": 1}]});
    assert_eq!(
        one(&events).1,
        [BRIDGED, "error: no event that is understood: S3, EventBridge, SQS, SNS or {bucket, key}"]
    );
}

#[test]
fn pipes_hand_over_a_bare_list() {
    let batch = sample(include_str!("samples/sqs_batch.json"));
    assert_eq!(parse(&batch["Records"]), parse(&batch));
    let event = sample(include_str!("samples/eventbridge_created.json"));
    assert_eq!(one(&json!([event])).1, [BRIDGED]);
}

#[test]
fn what_is_not_needed_may_be_missing_new_or_odd() {
    let bare = json!({"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "a.json"}}}]});
    assert_eq!(one(&bare), (Shape::Notification, vec!["s3://raw/a.json".to_owned()]));
    let odd = json!({"extra": [1], "Records": [{
        "eventSource": "aws:s3", "eventVersion": 9, "eventName": "ObjectCreated:Teleport", "eventTime": "soon",
        "s3": {"new": {}, "bucket": {"name": "raw", "arn": 1}, "object": {
            "key": "a.json", "size": -1, "eTag": 5, "versionId": "null", "sequencer": "not hex"}}}]});
    assert_eq!(one(&odd), (Shape::Notification, vec!["s3://raw/a.json".to_owned()]));
    let peer = json!({"Records": [{"eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put",
        "s3": {"bucket": {"name": "raw"}, "object": {"key": "a%20b.json", "eTag": "\"e1\""}}}]});
    assert_eq!(one(&peer).1, ["s3://raw/a b.json etag=e1"]);
}

#[test]
fn what_cannot_be_read_is_an_error_beside_what_can() {
    let good =
        json!({"eventSource": "aws:s3", "s3": {"bucket": {"name": "raw"}, "object": {"key": "a.json"}}});
    let cases = [
        (
            json!({"Records": [good, {"eventSource": "aws:s3", "s3": {"bucket": {"name": "raw"}}}]}),
            "error: an S3 record without `s3.bucket.name` or `s3.object.key`",
        ),
        (
            json!({"Records": [good, {"eventSource": "aws:kinesis", "data": "x"}]}),
            "error: records of `aws:kinesis` are not understood: S3, SQS and SNS are",
        ),
        (json!({"Records": [{"EventSource": "aws:sns"}, good]}), "error: an SNS record without `Sns`"),
        (
            json!([good, {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"}]),
            "error: the EventBridge event `EC2 Instance State-change Notification` is none of S3's `Object Created`",
        ),
        (
            json!([good, {"source": "aws.s3", "detail-type": "Object Created", "detail": {}}]),
            "error: an EventBridge event without `detail.bucket.name` or `detail.object.key`",
        ),
        (
            json!([good, {"eventSource": "aws:s3",
            "s3": {"bucket": {"name": "raw"}, "object": {"key": "%FF.json"}}}]),
            "error: an S3 record whose key is not UTF-8 when decoded",
        ),
        (
            json!([{"Type": "Notification", "Message": "{"}, good]),
            "error: the message is not JSON (line 1, column 1)",
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(one(&event).1, ["s3://raw/a.json", expected], "{event}");
    }
    for event in [json!(null), json!({}), json!(7), json!({"hello": "world"})] {
        assert_eq!(
            one(&event).1,
            ["error: no event that is understood: S3, EventBridge, SQS, SNS or {bucket, key}"]
        );
        assert_eq!(one(&event).0, Shape::Unknown);
    }
}

#[test]
fn nothing_to_do_is_no_error() {
    assert_eq!(one(&json!({"Records": []})).1, ["ignored -: an event without records"]);
    let subscription =
        json!({"Type": "SubscriptionConfirmation", "Token": "23", "Message": "You have chosen"});
    assert_eq!(one(&subscription).1, ["ignored -: SubscriptionConfirmation: SNS speaks of a subscription"]);
}

#[test]
fn envelopes_end_somewhere() {
    let mut event = json!({"bucket": "raw", "key": "a.json"});
    for _ in 0..20 {
        event = json!({"Type": "Notification", "Message": event.to_string()});
    }
    assert_eq!(one(&event).1, ["error: more envelopes inside each other than any event has"]);
}
