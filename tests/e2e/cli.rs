//! The command as scripts and people meet it: exit codes, `--json`, no colours where none are wanted.

use std::fs;
use std::path::Path;

use lakegate_tests::command::{lakegate, with};
use lakegate_tests::{lake_rows, ways};
use tempfile::TempDir;

const ORDERS: &str = r#"[
  {"order_id": 1, "customer": {"name": "Ann"}, "products": [{"name": "Mat", "price": 2.5}, {"name": "Pen", "price": 1.0}]},
  {"order_id": 2, "customer": {"name": "Bob"}, "products": []}
]"#;

/// A folder with files; none where this build has no component.
fn folder(files: &[(&str, &str)]) -> Option<TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Some(folder)
}

/// Every file of the lake with its bytes' length: what a second run must not change.
fn listing(lake: &Path) -> Vec<(String, u64)> {
    let files = walkdir::WalkDir::new(lake).sort_by_file_name().into_iter().map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().display().to_string(), entry.metadata().unwrap().len()))
        .collect()
}

#[test]
fn run_makes_a_table_and_a_second_run_does_nothing() {
    let Some(folder) = folder(&[("orders.json", ORDERS)]) else { return };
    let first = lakegate(folder.path(), &["run", "orders.json", "--json"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let json = first.json();
    assert_eq!(json["records"], 2);
    assert_eq!(json["accepted"], 2);
    assert_eq!(json["rejected"], 0);
    assert_eq!(json["tables"][0]["table"], "orders");
    assert_eq!(json["tables"][0]["rows_made"], 3);
    assert_eq!(json["tables"][0]["rows_out"], 3);
    assert_eq!(json["tables"][0]["filtered"], 0);
    assert_eq!(json["tables"][0]["files"], 1);
    for key in ["warnings", "milliseconds"] {
        assert!(!json[key].is_null(), "{key} is missing: {json}");
    }
    let lake = folder.path().join("lake");
    let rows = [
        "customer_name=\"Ann\" order_id=1 product_name=\"Mat\" product_price=2.5",
        "customer_name=\"Ann\" order_id=1 product_name=\"Pen\" product_price=1.0",
    ];
    let got = lake_rows::rows(&lake, "orders");
    assert_eq!(got.len(), 3, "{got:?} {rows:?}");
    let before = listing(&lake);
    let second = lakegate(folder.path(), &["run", "orders.json", "--json"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(second.json()["sources"][0]["state"], "nothing_to_do", "{second:?}");
    assert_eq!(listing(&lake), before, "a second run changes no file");
}

#[test]
fn changed_content_replaces_the_former_rows() {
    let Some(folder) = folder(&[("a.ndjson", "{\"id\":1}\n{\"id\":2}\n")]) else { return };
    assert_eq!(lakegate(folder.path(), &["run", "a.ndjson"]).code, Some(0));
    fs::write(folder.path().join("a.ndjson"), "{\"id\":3}\n").unwrap();
    let ran = lakegate(folder.path(), &["run", "a.ndjson", "--json"]);
    assert_eq!(ran.json()["sources"][0]["state"], "replaced", "{ran:?}");
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "a"), ["id=3"]);
}

#[test]
fn on_reupload_append_keeps_the_former_rows() {
    let spec = "[output]\non_reupload = \"append\"\n\n[[table]]\nname = \"a\"\n";
    let Some(folder) = folder(&[("a.ndjson", "{\"id\":1}\n"), ("a.toml", spec)]) else { return };
    let args = ["run", "a.ndjson", "--spec", "a.toml"];
    assert_eq!(lakegate(folder.path(), &args).code, Some(0));
    fs::write(folder.path().join("a.ndjson"), "{\"id\":2}\n").unwrap();
    assert_eq!(lakegate(folder.path(), &args).code, Some(0));
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "a"), ["id=1", "id=2"]);
}

#[test]
fn exit_codes_tell_done_failed_usage_and_rejected() {
    let many: String = (0..40).map(|id| format!("{{\"id\":{id}}}\n")).collect::<String>() + "7\n";
    let files = [("good.ndjson", "{\"id\":1}\n"), ("bad.json", "[{\"id\":1},"), ("some.ndjson", &many)];
    let Some(folder) = folder(&files) else { return };
    let code = |args: &[&str]| lakegate(folder.path(), args).code;
    assert_eq!(code(&["run", "good.ndjson"]), Some(0));
    assert_eq!(code(&["run", "bad.json"]), Some(1));
    assert_eq!(code(&["run", "missing.json"]), Some(1));
    assert_eq!(code(&["run"]), Some(2));
    assert_eq!(code(&["run", "good.ndjson", "--nonsense"]), Some(2));
    assert_eq!(code(&["run", "some.ndjson"]), Some(3));
    assert_eq!(code(&["run", "some.ndjson"]), Some(3), "nothing to do, but its rejects are still there");
}

#[test]
fn several_tables_with_a_table_name_is_a_usage_error() {
    let spec = "[[table]]\nname = \"a\"\n\n[[table]]\nname = \"b\"\n";
    let Some(folder) = folder(&[("x.json", "{\"id\":1}"), ("x.toml", spec)]) else { return };
    let ran = lakegate(folder.path(), &["run", "x.json", "--spec", "x.toml", "--table", "c"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn a_failure_is_one_json_object_and_leaves_nothing() {
    let Some(folder) = folder(&[("bad.json", "[{\"id\":1},\n{\"id\":}]")]) else { return };
    let ran = lakegate(folder.path(), &["run", "bad.json", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "syntax_error", "{ran:?}");
    assert_eq!(error["place"]["line"], 2, "{ran:?}");
    assert!(lake_rows::parts(&folder.path().join("lake"), "bad").is_empty());
}

#[test]
fn no_colour_escapes_reach_a_pipe() {
    let Some(folder) = folder(&[("orders.json", ORDERS)]) else { return };
    for environment in [&[][..], &[("NO_COLOR", "1")]] {
        let ran = with(folder.path(), &["preview", "orders.json"], environment);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:?}");
    }
}

#[test]
fn preview_writes_nothing_and_init_runs_as_proposed() {
    let Some(folder) = folder(&[("orders.json", ORDERS)]) else { return };
    let before = listing(folder.path());
    assert_eq!(lakegate(folder.path(), &["preview", "orders.json"]).code, Some(0));
    assert_eq!(listing(folder.path()), before);
    let init = lakegate(folder.path(), &["init", "orders.json"]);
    assert_eq!(init.code, Some(0), "{init:?}");
    fs::write(folder.path().join("orders.toml"), &init.out).unwrap();
    let with_spec = ["run", "orders.json", "--spec", "orders.toml", "--table", "orders", "--lake", "one"];
    let ran = lakegate(folder.path(), &with_spec);
    assert_eq!(ran.code, Some(0), "{ran:?}\n{}", init.out);
    assert_eq!(lakegate(folder.path(), &["run", "orders.json", "--lake", "two"]).code, Some(0));
    let rows = |lake: &str| lake_rows::rows(&folder.path().join(lake), "orders");
    assert_eq!(rows("one"), rows("two"), "the proposal does what no spec does");
}

#[test]
fn standard_input_is_a_source() {
    let Some(folder) = folder(&[]) else { return };
    let mut child = std::process::Command::new(lakegate_tests::command::binary())
        .args(["run", "-", "--table", "feed", "--json"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"{\"id\":1}\n{\"id\":2}\n").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "feed"), ["id=1", "id=2"]);
}

#[test]
fn every_command_answers_json() {
    let Some(folder) = folder(&[("orders.json", ORDERS)]) else { return };
    assert_eq!(lakegate(folder.path(), &["run", "orders.json"]).code, Some(0));
    let commands: [&[&str]; 9] = [
        &["preview", "orders.json"],
        &["init", "orders.json"],
        &["inspect", "lake/orders"],
        &["status", "lake", "orders.json"],
        &["contract", "show", "orders"],
        &["contract", "diff", "orders"],
        &["quarantine", "list", "orders"],
        &["fsck", "lake"],
        &["component"],
    ];
    for command in commands {
        let ran = lakegate(folder.path(), &[command, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{command:?}: {ran:?}");
        assert!(ran.json().is_object(), "{command:?}");
    }
}
