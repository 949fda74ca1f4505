//! Lines as a reader of the log gets them.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::json;
use tracing::{debug, error, error_span, info, info_span, warn};

use super::*;

/// Every call of `write`, apart.
#[derive(Clone, Default)]
pub(crate) struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writes {
    /// The lines; fails unless each is one write, ended by its only line feed.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let writes = self.0.lock().unwrap();
        let line = |bytes: &Vec<u8>| {
            let (end, text) = bytes.split_last().unwrap();
            assert!(*end == b'\n' && !text.contains(&b'\n'), "{}", String::from_utf8_lossy(bytes));
            serde_json::from_slice(text).unwrap()
        };
        writes.iter().map(line).collect()
    }
}

/// Never heard, always there: where a process has one subscriber alone, an event that is first met on a thread without
/// any is taken for unwanted everywhere.
static OTHER: LazyLock<tracing::Dispatch> =
    LazyLock::new(|| tracing::Dispatch::new(subscriber(io::sink(), LevelFilter::TRACE)));

/// What `run` says, at a fixed time.
pub(crate) fn said(level: LevelFilter, run: impl FnOnce()) -> Vec<Value> {
    LazyLock::force(&OTHER);
    let out = Writes::default();
    let mut layer = JsonLines::new(out.clone(), level);
    layer.clock = || 1_735_732_799_999;
    tracing::subscriber::with_default(Registry::default().with(layer), run);
    out.lines()
}

#[test]
fn a_line_is_flat_and_in_order() {
    let lines = said(LevelFilter::INFO, || {
        let request = error_span!("request", requestId = "r-1", release = tracing::field::Empty);
        let _inside = request.enter();
        let _object = info_span!("object", pipeline = "orders", object = "s3://raw/a.json").entered();
        request.record("release", "sha256:ab");
        info!(stage = "done", rows = 3_u64, share = 0.5, delta = -1, good = true, "it is {}", "done");
    });
    assert_eq!(
        lines[0].to_string(),
        json!({
            "timestamp": "2025-01-01T11:59:59.999Z", "level": "INFO", "requestId": "r-1", "release": "sha256:ab",
            "pipeline": "orders", "object": "s3://raw/a.json", "message": "it is done", "stage": "done", "rows": 3,
            "share": 0.5, "delta": -1, "good": true,
        })
        .to_string()
    );
    assert_eq!(lines.len(), 1);
}

#[test]
fn the_inner_field_wins_and_no_field_takes_a_place_of_the_line() {
    let lines = said(LevelFilter::INFO, || {
        let _outer = error_span!("outer", object = "outer", level = "mine").entered();
        info!(object = "inner", timestamp = "mine", target = "mine", "x");
    });
    assert_eq!(lines[0]["object"], "inner");
    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(lines[0]["_level"], "mine");
    assert_eq!(lines[0]["timestamp"], "2025-01-01T11:59:59.999Z");
    assert_eq!(lines[0]["_target"], "mine");
}

#[test]
fn a_line_stays_one_line_and_of_bounded_length() {
    let long = "ä".repeat(TEXT_BYTES);
    let lines = said(LevelFilter::INFO, || info!(name = "a\nb\r\n{\"level\":\"FATAL\"}", long, "x\ny"));
    assert_eq!(lines[0]["name"], "a\nb\r\n{\"level\":\"FATAL\"}");
    assert_eq!(lines[0]["message"], "x\ny");
    let cut = lines[0]["long"].as_str().unwrap();
    assert!(cut.ends_with("ä…") && cut.len() == TEXT_BYTES + '…'.len_utf8());
}

#[test]
fn numbers_that_are_none_and_errors_can_be_written() {
    let lines = said(LevelFilter::INFO, || {
        let wrong = io::Error::other("disk gone");
        info!(share = f64::NAN, error = &wrong as &(dyn std::error::Error + 'static), huge = u128::MAX, "x");
    });
    assert!(lines[0]["share"].is_null());
    assert_eq!(lines[0]["error"], "disk gone");
    assert_eq!(lines[0]["huge"], u128::MAX.to_string());
}

#[test]
fn the_level_is_kept_and_libraries_speak_from_warn_on() {
    let all = || {
        error!("e");
        warn!("w");
        info!("i");
        debug!("d");
        tracing::info!(target: "aws_smithy_runtime::client", "a body");
        tracing::warn!(target: "aws_smithy_runtime::client", "throttled");
        tracing::error!(target: "lambda_runtime::layers::panic", "e, again");
        tracing::info!(target: "bootstrap", "own");
    };
    let messages = |level| -> Vec<String> {
        said(level, all).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(LevelFilter::WARN), ["e", "w", "throttled"]);
    assert_eq!(messages(LevelFilter::INFO), ["e", "w", "i", "throttled", "own"]);
    assert_eq!(messages(LevelFilter::TRACE), ["e", "w", "i", "d", "throttled", "own"]);
    assert!(messages(LevelFilter::OFF).is_empty());
    let targets: Vec<Value> =
        said(LevelFilter::INFO, all).iter().map(|line| line["target"].clone()).collect();
    assert_eq!(targets[2..], [Value::Null, "aws_smithy_runtime::client".into(), Value::Null]);
}

#[test]
fn the_environment_names_the_level() {
    assert_eq!(level_of(None, None), LevelFilter::INFO);
    assert_eq!(level_of(None, Some("DEBUG")), LevelFilter::DEBUG);
    assert_eq!(level_of(Some("warn"), Some("DEBUG")), LevelFilter::WARN);
    assert_eq!(level_of(Some(""), Some("FATAL")), LevelFilter::ERROR);
    assert_eq!(level_of(Some("off"), None), LevelFilter::OFF);
    assert_eq!(level_of(Some("loud"), Some("TRACE")), LevelFilter::TRACE);
    assert_eq!(level_of(Some("loud"), Some("louder")), LevelFilter::INFO);
}

#[test]
fn lines_of_many_threads_never_interleave() {
    let out = Writes::default();
    let dispatch = tracing::Dispatch::new(subscriber(out.clone(), LevelFilter::INFO));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _span = error_span!("request", requestId = thread).entered();
                    (0..200).for_each(|count| info!(count, thread, "x"));
                });
            });
        }
    });
    let lines = out.lines();
    assert_eq!(lines.len(), 800);
    assert!(lines.iter().all(|line| line["requestId"] == line["thread"]));
}

#[test]
fn there_is_one_log_a_process() {
    assert!(install(io::sink(), LevelFilter::OFF).is_ok());
    assert_eq!(install(io::sink(), LevelFilter::OFF).unwrap_err().name(), "log_installed");
}
