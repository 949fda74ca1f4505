//! What goes wrong is logged once, whoever it is handed to; and lines about an object have the id of its run.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::client::Aws;
use crate::deployed::{Home, Share};
use crate::observe::log::tests::said;
use crate::s3::suite::peers::{Peer, runtime};
use lakegate_config::{Config, Location, Origin};
use lakegate_lake::{Lake, RunId};
use lakegate_sandbox::Transform;

fn request() -> Request {
    Request {
        id: "r-1".into(),
        begun: Instant::now(),
        deadline: None,
        again: false,
        execution: None,
        share: Share::WHOLE,
    }
}

/// An endpoint that denies everything.
fn denying() -> String {
    const BODY: &str = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _request = stream.read(&mut [0; 8192]);
            let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n";
            let _gone = write!(stream, "{head}Content-Length: {}\r\n\r\n{BODY}", BODY.len());
        }
    });
    endpoint
}

/// A configuration whose pipeline writes to folders, as none that is deployed may: only its source is in the bucket.
fn in_folders(text: &str, folder: &Path) -> Config {
    let mut config = Config::parse(text, &Origin::File(folder.join("lakegate.toml"))).unwrap();
    for pipeline in config.pipelines.values_mut() {
        pipeline.lake = Location::Local(folder.join("lake"));
        if let Some(lineage) = &mut pipeline.lineage {
            lineage.write_to = Location::Local(folder.join("events"));
        }
    }
    config
}

/// Lines of `warn` and worse that an event of one object comes to, and what its sender is told.
fn lines_of(pipeline: &str) -> (Vec<Value>, Refusal) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), &denying());
    let text = format!(
        "[pipeline.orders]\nsource = 's3://raw/in/'\nlake = 's3://lake/'\ntable = 'orders'\n{pipeline}"
    );
    let config = in_folders(&text, folder.path());
    let deployed = Deployed::start(aws, config, Home::Command).unwrap();
    let request = request();
    let mut refused = None;
    let lines = said(LevelFilter::WARN, || {
        let event = json!({"bucket": "raw", "key": "in/x.json"});
        refused = deployed.event(&event, &request).err();
    });
    (lines, refused.expect("it is delivered again"))
}

#[test]
fn a_denied_call_is_logged_once_with_what_to_do_about_it() {
    if Transform::shipped_digest().is_none() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    let (lines, refusal) = lines_of("contract = 'learn'\n");
    assert_eq!(refusal.name(), "Lakegate.OwnFault");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let told = ["level", "requestId", "pipeline", "object", "stage", "kind", "code"].map(|name| &line[name]);
    assert_eq!(told, ["ERROR", "r-1", "orders", "s3://raw/in/x.json", "failed", "own", "access_denied"]);
    assert!(line["hint"].as_str().unwrap().starts_with("allow s3:GetObject on arn:aws:s3:::raw/in/x.json"));
}

#[test]
fn a_pipeline_that_cannot_be_set_up_is_logged_once_for_each_object() {
    let (lines, refusal) = lines_of("spec = 'missing.toml'\n");
    assert_eq!(refusal.name(), "Lakegate.OwnFault");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (&line["stage"], &line["kind"], &line["code"]),
        (&json!("failed"), &json!("own"), &json!("pipeline_refused"))
    );
}

/// An object in a bucket through a pipeline whose lake and lineage are folders.
struct Scene {
    folder: tempfile::TempDir,
    aws: Aws,
    deployed: Deployed,
    peer: Peer,
}

impl Scene {
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        let (folder, peer) = (tempfile::tempdir().unwrap(), Peer::s3s_fs());
        let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
        let text = format!(
            "[pipeline.orders]\nsource = 's3://{}/in/'\nlake = 's3://elsewhere/'\ntable = 'orders'\ncontract = 'learn'\n\
             [pipeline.orders.lineage]\nwrite_to = 's3://events/'\n{more}",
            peer.bucket()
        );
        let config = in_folders(&text, folder.path());
        let deployed = Deployed::start(aws.clone(), config, Home::Command).unwrap();
        Self { folder, aws, deployed, peer }
    }

    fn bring(&self, key: &str, body: &'static str) {
        let put = self.aws.s3().put_object().bucket(self.peer.bucket()).key(key);
        let body = aws_sdk_s3::primitives::ByteStream::from_static(body.as_bytes());
        self.aws.wait(put.body(body).send()).unwrap();
    }

    /// Delivers the event of an object; its lines, and its answer.
    fn take(&self, key: &str) -> (Vec<Value>, Value) {
        let request = request();
        let mut answer = Value::Null;
        let lines = said(LevelFilter::INFO, || {
            let s3 = json!({"bucket": {"name": self.peer.bucket()}, "object": {"key": key}});
            let record = json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3});
            answer = match self.deployed.event(&json!({"Records": [record]}), &request) {
                Ok(Answered::Objects(told)) => serde_json::to_value(told).unwrap()["objects"][0].clone(),
                Ok(other) => panic!("{other:?}"),
                Err(refusal) => json!({"state": refusal.name()}),
            };
        });
        (lines, answer)
    }

    /// Takes it, and checks that all lines have the id once the generation is known.
    fn taken(&self, key: &str, state: &str, stages: &[&str]) -> RunId {
        let uri = format!("s3://{}/{key}", self.peer.bucket());
        let id = RunId::of("orders", &uri, 1);
        let (lines, answer) = self.take(key);
        assert_eq!(answer["state"], state, "{answer}\n{lines:?}");
        let found: Vec<&str> = lines.iter().map(|line| line["stage"].as_str().unwrap()).collect();
        assert_eq!(found, stages, "{lines:?}");
        for line in lines.iter().filter(|line| line["stage"] != "received") {
            assert_eq!((&line["id"], &line["source"]), (&json!(id.to_string()), &json!(uri)), "{line}");
        }
        let times: Vec<u64> = lines.iter().map(|line| line["milliseconds"].as_u64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        id
    }

    fn has_event(&self, id: RunId, name: &str) -> bool {
        self.folder.path().join("events/orders").join(id.to_string()).join(name).is_file()
    }
}

#[test]
fn one_id_leads_from_the_log_to_the_records_and_the_lineage() {
    if Transform::shipped_digest().is_none() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    let scene = Scene::new();
    let lake = Lake::local(&scene.folder.path().join("lake")).unwrap();
    // The catalog is told in another thread, whose lines this test does not hear.
    let stages = ["received", "fetched", "transformed", "committed", "notified", "done"];
    scene.bring("in/good.ndjson", "{\"id\":1}\n");
    let good = scene.taken("in/good.ndjson", "made", &stages);
    assert_eq!(lake.commit_of_id(good).unwrap().unwrap().record.id, good.to_string());
    assert!(scene.has_event(good, "start.json") && scene.has_event(good, "complete.json"));
    scene.taken("in/good.ndjson", "nothingToDo", &["received", "done"]);
    scene.bring("in/bad.json", "[{\"id\": 1, ");
    let bad = scene.taken("in/bad.json", "failed", &["received", "fetched", "failed"]);
    assert_eq!(lake.failure_of_id(bad).unwrap().unwrap().code, "syntax_error");
    assert!(scene.has_event(bad, "fail.json"));
    // Lineage that cannot be written hides nothing of that.
    std::fs::remove_dir_all(scene.folder.path().join("events")).unwrap();
    std::fs::write(scene.folder.path().join("events"), "in the way").unwrap();
    scene.bring("in/worse.json", "[{\"id\": 1, ");
    let stages = ["received", "fetched", "failed", "lineage_failed"];
    let (lines, answer) = scene.take("in/worse.json");
    assert_eq!((&answer["state"], &answer["error"]["code"]), (&json!("failed"), &json!("syntax_error")));
    assert_eq!(lines.iter().map(|line| &line["stage"]).collect::<Vec<_>>(), stages);
}

#[test]
fn what_fails_while_a_commit_is_completed_has_its_id() {
    if Transform::shipped_digest().is_none() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    // A topic that is not there: whoever completes the commit fails at the same place.
    let topic = "[pipeline.orders.notify]\nsuccess = 'arn:aws:sns:us-east-1:000000000000:gone'\n";
    let scene = Scene::with(topic);
    scene.bring("in/x.ndjson", "{\"id\":1}\n");
    let id = RunId::of("orders", &format!("s3://{}/in/x.ndjson", scene.peer.bucket()), 1);
    for delivery in ["first", "second"] {
        let (lines, answer) = scene.take("in/x.ndjson");
        assert_ne!(answer["state"], "made", "{delivery}: {lines:?}");
        let failed = lines.iter().find(|line| line["stage"] == "failed").unwrap();
        assert_eq!(failed["id"], id.to_string(), "{delivery}: {failed}");
    }
}

#[test]
fn a_source_that_was_deleted_is_one_line() {
    if Transform::shipped_digest().is_none() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    let (lines, answer) = Scene::new().take("in/gone.ndjson");
    let found: Vec<&Value> = lines.iter().map(|line| &line["stage"]).collect();
    assert_eq!((&answer["state"], found), (&json!("ignored"), vec![&json!("ignored")]), "{lines:?}");
    assert!(lines[0]["message"].as_str().unwrap().contains("not there any more"), "{lines:?}");
}
