//! What goes wrong is logged once, whoever it is handed to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::client::Aws;
use crate::config::{Config, Origin};
use crate::deployed::Home;
use crate::observe::log::tests::said;
use lakegate_sandbox::Transform;

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

/// Lines of `warn` and worse that an event of one object comes to, and what its sender is told.
fn lines_of(pipeline: &str) -> (Vec<Value>, Refusal) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), &denying());
    let text =
        format!("[pipeline.orders]\nsource = 's3://raw/in/'\nlake = 'lake/'\ntable = 'orders'\n{pipeline}");
    let config = Config::parse(&text, &Origin::File(folder.path().join("lakegate.toml"))).unwrap();
    let deployed = Deployed::start(aws, config, Home::Command).unwrap();
    let request = Request { id: "r-1".into(), begun: Instant::now(), deadline: None, again: false };
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
