//! Subjects, bodies and attributes of notices, without SNS.

use serde_json::Value;

use super::*;
use crate::catalog::fixture;
use lakegate_lake::record::{PartRecord, QuarantineRecord, SourceRecord};
use lakegate_model::report::Warning;

fn record() -> CommitRecord {
    let mut record =
        fixture::record("orders", "k1", &["day=2025-01-01/", "day=2025-01-02/", "day=2025-01-02/"]);
    record.contracts.insert("items".into(), "k2".into());
    record.report.records = 12;
    record.report.rejected = 2;
    record.report.rejects.insert("type_mismatch".into(), 2);
    record.report.warnings = vec![Warning {
        code: "sum_overcounts".into(),
        message: "secret 4711".into(),
        count: 1,
        fixes: Vec::new(),
    }];
    let key = "_lakegate/quarantine/orders/x.jsonl";
    record.quarantine = Some(QuarantineRecord { key: key.into(), records: 2, ..QuarantineRecord::default() });
    record
}

fn body(record: &CommitRecord) -> Body {
    Body::of_commit(Event::Success, &fixture::pipeline(""), record)
}

fn json(body: &Body) -> Value {
    serde_json::from_str(&body.to_text(body::MAX_BYTES)).unwrap()
}

#[test]
fn a_success_tells_counts_digests_and_places() {
    let told = json(&body(&record()));
    let counts = ["version", "records", "rejected", "rows", "files", "bytes", "generation"];
    assert_eq!(counts.map(|name| told[name].as_u64().unwrap()), [1, 12, 2, 30, 3, 3_000, 1]);
    assert_eq!(told["event"], "success");
    assert_eq!(told["pipeline"], "orders");
    assert_eq!(told["source"]["uri"], "s3://raw-data/orders/2025/first.json");
    assert_eq!(told["release"], serde_json::json!({"component": "c1", "spec": "s1"}));
    assert_eq!(told["rejects"], serde_json::json!({"type_mismatch": 2}));
    assert_eq!(told["warnings"], serde_json::json!({"sum_overcounts": 1}));
    assert_eq!(told["quarantine"], "s3://the-lake/sales/_lakegate/quarantine/orders/x.jsonl");
    assert_eq!(
        told["tables"][1],
        serde_json::json!({
            "table": "orders", "contract": "k1", "location": "s3://the-lake/sales/orders/", "rows": 30, "files": 3,
            "bytes": 3_000,
            "prefixes": ["s3://the-lake/sales/orders/day=2025-01-01/", "s3://the-lake/sales/orders/day=2025-01-02/"],
        })
    );
    assert!(!told.to_string().contains("4711"), "a warning's text may quote: its code is enough");
}

#[test]
fn the_notice_s_id_is_the_thing_s_not_the_sending_s() {
    let one = body(&record()).notice_id;
    let mut again = record();
    again.run = "another".into();
    again.committed = "2026".into();
    assert_eq!(body(&again).notice_id, one);
    again.generation = 2;
    assert_ne!(body(&again).notice_id, one);
    let quarantine = Body::of_commit(Event::Quarantine, &fixture::pipeline(""), &record());
    assert_ne!(quarantine.notice_id, one);
    assert_eq!(one.len(), 64);
}

#[test]
fn every_notice_has_the_run_s_id_in_body_and_attributes() {
    let (pipeline, record) = (fixture::pipeline(""), record());
    let id = record.run_id().to_string();
    let failed = FailedRecord { id: id.clone(), ..FailedRecord::default() };
    for body in [
        Body::of_commit(Event::Success, &pipeline, &record),
        Body::of_commit(Event::Quarantine, &pipeline, &record),
        Body::of_failure(&pipeline, &failed),
    ] {
        assert_eq!(json(&body)["id"], id.as_str());
        assert!(attributes(&body).contains(&("id", "String", id.clone())));
    }
    // SNS takes no empty attribute, and a record from before there were ids has none.
    let old = Body::of_failure(&pipeline, &FailedRecord::default());
    assert!(json(&old).get("id").is_none() && attributes(&old).iter().all(|(name, ..)| *name != "id"));
}

#[test]
fn a_huge_commit_still_fits_and_says_what_it_lacks() {
    let mut record = fixture::record("orders", "k1", &[]);
    for table in 0..2_000 {
        let name = format!("t{table:04}_{}", "n".repeat(240));
        record.contracts.insert(name.clone(), "d".repeat(64));
        for part in 0..3 {
            let partition = format!("day={part}/{}/", "\u{1}".repeat(300));
            record.parts.push(PartRecord {
                table: name.clone(),
                partition,
                rows: 1,
                ..PartRecord::default()
            });
        }
    }
    let body = body(&record);
    let text = body.to_text(body::MAX_BYTES);
    assert!(text.len() <= 200 << 10, "{}", text.len());
    let told: Value = serde_json::from_str(&text).unwrap();
    let tables = told["tables"].as_array().unwrap();
    assert!(!tables.is_empty());
    assert_eq!(tables.len() as u64 + told["tablesCut"].as_u64().unwrap(), 2_001);
    let last = tables.last().unwrap();
    assert_eq!(last["prefixes"].as_array().unwrap().len() as u64 + last["prefixesCut"].as_u64().unwrap(), 3);
    assert_eq!(told["rows"], 6_000);
    let attributes: usize =
        attributes(&body).iter().map(|(name, kind, value)| name.len() + kind.len() + value.len()).sum();
    assert!(text.len() + attributes < 256 << 10, "{attributes}");
}

#[test]
fn the_notices_of_a_commit_are_there_for_who_publishes_them() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9");
    let topics = "[pipeline.orders.notify]\nsuccess = \"arn:aws:sns:us-east-1:111122223333:done\"\n\
                  quarantine = \"arn:aws:sns:us-east-1:111122223333:bad\"\n";
    let (pipeline, mut record) = (fixture::pipeline(topics), record());
    let notices = of_commit(&aws, &pipeline, &record).unwrap();
    let [success, quarantine] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(success.topic_arn, "arn:aws:sns:us-east-1:111122223333:done");
    assert_eq!(success.subject, subject::of(&body(&record)));
    assert_eq!(serde_json::from_str::<Value>(&success.message).unwrap(), json(&body(&record)));
    let tables = &success.attributes["tables"];
    assert_eq!(
        (tables.data_type.as_str(), tables.string_value.as_str()),
        ("String.Array", r#"["items","orders"]"#)
    );
    assert_eq!(quarantine.attributes["event"].string_value, "quarantine");
    record.report.rejected = 0;
    assert_eq!(of_commit(&aws, &pipeline, &record).unwrap().len(), 1, "nothing was rejected");
    assert_eq!(of_commit(&aws, &fixture::pipeline(""), &record).unwrap(), []);
    assert_eq!(aws.calls().len(), 0, "nobody is told here");
}

#[test]
fn two_notices_fit_into_a_state_machine_s_state() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9");
    let mut record = fixture::record("orders", "k1", &[]);
    (record.report.records, record.report.rejected) = (9, 9);
    for table in 0..2_000 {
        let name = format!("t{table:04}_{}", "n".repeat(240));
        let partition = format!("day={table}/{}/", "\"\\".repeat(150));
        record.contracts.insert(name.clone(), "d".repeat(64));
        record.parts.push(PartRecord { table: name, partition, rows: 1, ..PartRecord::default() });
    }
    let arn = format!("arn:aws:sns:us-east-1:111122223333:{}", "t".repeat(200));
    let pipeline = fixture::pipeline(&format!(
        "[pipeline.orders.notify]\nsuccess = \"{arn}\"\nquarantine = \"{arn}\"\n"
    ));
    let notices = serde_json::to_string(&of_commit(&aws, &pipeline, &record).unwrap()).unwrap();
    assert!(notices.len() < 230 << 10, "{}", notices.len());
}

#[test]
fn a_failure_names_its_reason() {
    let failed = FailedRecord {
        source: SourceRecord { uri: "s3://raw-data/orders/x.json".into(), ..SourceRecord::default() },
        code: "syntax_error".into(),
        message: "m".repeat(10_000),
        hint: Some("close the array".into()),
        place: Some("line 3".into()),
        records: 5,
        quarantine: Some("_lakegate/q".into()),
        ..FailedRecord::default()
    };
    let body = Body::of_failure(&fixture::pipeline(""), &failed);
    assert_eq!(subject::of(&body), "Lakegate orders: FAILED x.json (syntax_error)");
    let told = json(&body);
    assert_eq!(told["code"], "syntax_error");
    assert_eq!(told["place"], "line 3");
    assert_eq!(told["message"].as_str().unwrap().len(), 4_003);
    assert_eq!(told["quarantine"], "s3://the-lake/sales/_lakegate/q");
    assert_eq!(
        attributes(&body).iter().map(|(name, ..)| *name).collect::<Vec<_>>(),
        ["pipeline", "event", "has_rejects"]
    );
}

#[test]
fn subjects_are_short_and_ascii() {
    let mut record = record();
    assert_eq!(subject::of(&body(&record)), "Lakegate orders: 30 rows in 2 tables from first.json");
    record.contracts.remove("items");
    record.parts[0].rows = 1_234_567;
    assert_eq!(subject::of(&body(&record)), "Lakegate orders: 1,234,587 rows in orders from first.json");
    let quarantine = Body::of_commit(Event::Quarantine, &fixture::pipeline(""), &record);
    assert_eq!(subject::of(&quarantine), "Lakegate orders: 2 of 12 records rejected in first.json");
    record.source.uri = format!("s3://raw-data/orders/früh\n{}-end.json.gz", "x".repeat(900));
    let subject = subject::of(&body(&record));
    assert_eq!(subject.len(), 100);
    assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{subject}");
    assert!(subject.contains("fr?h?xx") && subject.ends_with("-end.json.gz"), "{subject}");
}

#[test]
fn subscriptions_filter_on_attributes() {
    let found = attributes(&body(&record()));
    let id = record().run_id().to_string();
    let expected = [
        ("pipeline", "String", "orders"),
        ("event", "String", "success"),
        ("has_rejects", "String", "true"),
        ("id", "String", id.as_str()),
        ("tables", "String.Array", r#"["items","orders"]"#),
    ];
    assert_eq!(found, expected.map(|(name, kind, value)| (name, kind, value.to_string())));
}
