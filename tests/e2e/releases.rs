//! Releases as a person handles them: keys, publish, promote, run, roll back, replay, compare, prove.
//!
//! Not for what a host refuses one by one (beside the code of `release`). The decision to know: everything
//! goes through the command as a process, in the order in which somebody would try it.

use std::fs;
use std::path::Path;

use lakegate_skipped::skipped;
use lakegate_tests::command::{Ran, lakegate, with};
use lakegate_tests::{lake_rows, ways};
use serde_json::Value;
use tempfile::TempDir;

const FIRST: &str = "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
    [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
    [[table.column]]\nname = \"price\"\ntype = \"double\"\n\
    [[table.derive]]\nname = \"gross\"\nsql = \"price * 2\"\n";
const MORE: &str = "[[table.derive]]\nname = \"half\"\nsql = \"price / 2\"\n";

/// A folder with two published releases, 1.0.0 and 1.1.0; none where this build has no component.
fn published() -> Option<TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("first.toml", FIRST);
    write("second.toml", &format!("{}{MORE}", FIRST.replace("price * 2", "price * 3")));
    write("third.toml", &FIRST.replace("double", "decimal(10,2)"));
    write("sample.ndjson", "{\"id\":1,\"price\":2}\n");
    write("a.ndjson", "{\"id\":1,\"price\":2.5}\n{\"id\":2,\"price\":null}\n");
    write("b.ndjson", "{\"id\":3,\"price\":4}\n");
    ok(folder.path(), &["keygen", "--out", "release.key"]);
    for (version, spec) in [("1.0.0", "first.toml"), ("1.1.0", "second.toml")] {
        ok(folder.path(), &publish(version, spec));
    }
    Some(folder)
}

fn publish<'a>(version: &'a str, spec: &'a str) -> Vec<&'a str> {
    let mut args =
        vec!["publish", "orders", "--version", version, "--spec", spec, "--sample", "sample.ndjson"];
    args.push("--no-code");
    args.extend(SIGNED);
    args
}

const SIGNED: [&str; 6] = ["--registry", "releases", "--key", "release.key", "--trust", "release.key.pub"];
const TRUSTED: [&str; 4] = ["--registry", "releases", "--trust", "release.key.pub"];

fn call(folder: &Path, args: &[&str], more: &[&str]) -> Ran {
    lakegate(folder, &[args, more, &["--json"]].concat())
}

fn ok(folder: &Path, args: &[&str]) -> Value {
    let ran = call(folder, args, &[]);
    assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    ran.json()
}

fn refused(folder: &Path, args: &[&str], more: &[&str]) -> String {
    let ran = call(folder, args, more);
    assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
    ran.json()["error"]["code"].as_str().unwrap().to_string()
}

fn run(folder: &Path, file: &str) -> Value {
    ok(folder, &[&["run", file, "--transform", "orders"][..], &TRUSTED].concat())
}

#[test]
fn a_release_is_published_promoted_and_rolled_back() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    // Nobody uses a release before it is promoted.
    assert_eq!(refused(folder, &["run", "a.ndjson", "--transform", "orders"], &TRUSTED), "channel_missing");
    let promoted = ok(folder, &[&["promote", "orders", "1.0.0"][..], &SIGNED].concat());
    assert_eq!((&promoted["sequence"], &promoted["release"]), (&1.into(), &"orders@1.0.0".into()));
    run(folder, "a.ndjson");
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders"), ["id=1 price=2.5 gross=5.0", "id=2"]);

    ok(folder, &[&["promote", "orders", "1.1.0", "--lake", "lake"][..], &SIGNED].concat());
    run(folder, "b.ndjson");
    let taken = ["id=1 price=2.5 gross=5.0", "id=2", "id=3 price=4.0 gross=12.0 half=2.0"];
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders"), taken);
    let status = ok(folder, &["status", "lake", "b.ndjson"]);
    assert!(status.to_string().contains("\"version\":\"1.1.0\""), "{status}");
    let listed = ok(folder, &[&["releases", "orders"][..], &TRUSTED].concat());
    assert_eq!(listed["releases"][0]["version"], "1.1.0");
    assert_eq!(listed["releases"][0]["in_use"][0], "stable");
    assert!(listed["releases"][1]["in_use"].as_array().unwrap().is_empty());

    // A release by version, whatever the channel says.
    let by_version = ["preview", "b.ndjson", "--transform", "orders@1.0.0"];
    let preview = ok(folder, &[&by_version[..], &TRUSTED].concat());
    assert!(!preview["receipt"].is_null(), "{preview}");

    let back = ok(folder, &[&["rollback", "orders", "--lake", "lake"][..], &SIGNED].concat());
    assert_eq!((&back["stable"], &back["withdrawn"]), (&"1.0.0".into(), &"1.1.0".into()));
    assert_eq!(back["written"][0]["objects"], 1);
    // The command that is printed makes what the withdrawn release wrote again.
    let command = back["written"][0]["replay"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let replayed = ok(folder, &words);
    assert_eq!((&replayed["objects"], &replayed["failed"]), (&1.into(), &0.into()));
    assert_eq!(
        lake_rows::rows(&folder.join("lake"), "orders"),
        ["id=1 price=2.5 gross=5.0", "id=2", "id=3 price=4.0 gross=8.0 half=2.0"],
        "derived as the release before did; a column that the contract has stays"
    );
    assert_eq!(ok(folder, &words)["objects"], 0, "there is nothing left of it");
    assert_eq!(refused(folder, &["rollback", "orders"], &SIGNED), "release_missing");
}

#[test]
fn a_release_that_conflicts_with_the_tables_is_refused() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    ok(folder, &[&["promote", "orders", "1.0.0"][..], &SIGNED].concat());
    run(folder, "a.ndjson");
    ok(folder, &publish("2.0.0", "third.toml"));
    let promote = ["promote", "orders", "2.0.0", "--lake", "lake"];
    assert_eq!(refused(folder, &promote, &SIGNED), "release_conflicts");
    let canary = ["promote", "orders", "2.0.0", "--canary", "5%", "--lake", "lake"];
    assert_eq!(refused(folder, &canary, &SIGNED), "release_conflicts");
    // For a look it may differ.
    ok(folder, &[&["promote", "orders", "2.0.0", "--shadow", "--lake", "lake"][..], &SIGNED].concat());
    let listed = ok(folder, &[&["releases", "orders"][..], &TRUSTED].concat());
    assert_eq!(listed["releases"][0]["in_use"][0], "shadow");
    assert_eq!(refused(folder, &publish("2.0.0", "first.toml"), &[]), "release_exists");
    assert_eq!(refused(folder, &["promote", "orders", "3.0.0"], &SIGNED), "release_missing");
}

#[test]
fn a_private_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), &["keygen", "--out", "release.key"]);
    let key = folder.path().join("release.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&key).unwrap();
    assert_eq!(call(folder.path(), &["keygen", "--out", "release.key"], &[]).code, Some(2));
    assert_eq!(fs::read(&key).unwrap(), before, "a key that is there is never overwritten");
}

#[test]
fn only_trusted_keys_count() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    ok(folder, &[&["promote", "orders", "1.0.0"][..], &SIGNED].concat());
    ok(folder, &["keygen", "--out", "other.key"]);
    let other = ["--registry", "releases", "--trust", "other.key.pub"];
    let args = ["run", "a.ndjson", "--transform", "orders"];
    assert_eq!(refused(folder, &args, &other), "signature_unknown_key");
    assert!(!folder.join("lake").exists() || lake_rows::rows(&folder.join("lake"), "orders").is_empty());
    let forger = ["--registry", "releases", "--key", "other.key", "--trust", "other.key.pub"];
    assert_eq!(refused(folder, &["promote", "orders", "1.1.0"], &forger), "signature_unknown_key");
    // A key that is there is never overwritten.
    assert_eq!(call(folder, &["keygen", "--out", "other.key"], &[]).code, Some(2));
    let none = call(folder, &args, &["--registry", "releases"]);
    assert_eq!(none.code, Some(2), "{none:?}");
}

#[test]
fn what_another_release_would_change_is_shown() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    let same = ok(folder, &[&["diff", "orders", "1.0.0", "1.0.0", "a.ndjson"][..], &TRUSTED].concat());
    assert_eq!(same["same"], true);
    let args = [&["diff", "orders", "1.0.0", "1.1.0", "a.ndjson", "b.ndjson"][..], &TRUSTED].concat();
    let other = ok(folder, &args);
    assert_eq!(other["same"], false);
    let columns = other["samples"][0]["comparison"]["tables"][0]["columns"].as_array().unwrap();
    let added: Vec<&Value> = columns.iter().filter(|column| column["types"][0].is_null()).collect();
    assert_eq!((added.len(), &added[0]["column"]), (1, &"half".into()));
    let changed: Vec<&Value> = columns.iter().filter(|column| column["changed"] == 1).collect();
    assert_eq!((changed.len(), &changed[0]["column"]), (1, &"gross".into()));
    // A sample that one of them refuses is a line of its own, and what is no difference to live with an exit code.
    fs::write(folder.join("broken.json"), "[{").unwrap();
    let refused = [&args[..], &["broken.json", "--fail-on", "failed", "--fail-on", "rows"]].concat();
    let refused = ok(folder, &refused);
    assert_eq!((&refused["samples"][2]["same"], &refused["summary"]["differ"]), (&true.into(), &2.into()));
    let schema = call(folder, &args, &["--fail-on", "schema"]);
    assert_eq!((schema.code, &schema.json()["summary"]["schema"]), (Some(1), &2.into()));
    fs::write(folder.join("a.ndjson"), "{\"id\":1,\"price\":2.5}\n{\"id\":2,\"price\":null}\n").unwrap();
    let text = lakegate(folder, &args).out;
    for part in ["+ double", "2 columns are the same", "5.0", "7.5"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn history_comes_out_the_same_and_receipts_prove_it() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    ok(folder, &[&["promote", "orders", "1.1.0"][..], &SIGNED].concat());
    run(folder, "a.ndjson");
    run(folder, "b.ndjson");
    let beside = ["replay", "orders", "--release", "1.1.0", "--lake", "lake", "--into", "check"];
    let replayed = ok(folder, &[&beside[..], &TRUSTED].concat());
    assert_eq!((&replayed["objects"], &replayed["same_bytes"]), (&2.into(), &2.into()));
    let (lake, check) = (folder.join("lake"), folder.join("check"));
    assert_eq!(lake_rows::rows(&check, "orders"), lake_rows::rows(&lake, "orders"));

    let commits = folder.join("lake/_lakegate/commits");
    let records: Vec<_> = walkdir::WalkDir::new(&commits)
        .into_iter()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.ends_with(".json"))
        .collect();
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(ok(folder, &["verify", record, "--lake", "lake"])["same"], true);
    }
    // A promise of a preview, and what becomes of it when the input is another.
    let preview = ["preview", "a.ndjson", "--transform", "orders@1.1.0"];
    let promise = ok(folder, &[&preview[..], &TRUSTED, &["--lake", "none"]].concat());
    fs::write(folder.join("promise.json"), promise.to_string()).unwrap();
    let verify = ["verify", "promise.json", "--registry", "releases", "--input"];
    assert_eq!(ok(folder, &[&verify[..], &["a.ndjson"]].concat())["same"], true);
    assert_eq!(refused(folder, &verify, &["b.ndjson"]), "piece_differs");
    let mut lied = promise;
    lied["receipt"]["outputs"][0]["digest"] = "0".repeat(64).into();
    fs::write(folder.join("lie.json"), lied.to_string()).unwrap();
    let lie = ["verify", "lie.json", "--registry", "releases", "--input", "a.ndjson"];
    let ran = call(folder, &lie, &[]);
    assert_eq!((ran.code, ran.json()["same"].clone()), (Some(1), Value::Bool(false)));
}

/// The worked example: its component takes over from the shipped one under the same spec, and gives way again.
#[test]
fn a_transform_of_ones_own_is_published_promoted_and_rolled_back() {
    let Some(folder) = published() else { return };
    let Some(component) = ways::mask_score() else { return skipped("there is no mask-score.wasm") };
    let (folder, component) = (folder.path(), component.display().to_string());
    let spec = "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
        [[table.column]]\nname = \"order_id\"\ntype = \"bigint\"\n\
        [[table.column]]\nname = \"email\"\ntype = \"string\"\n\
        [[table.column]]\nname = \"amount\"\ntype = \"double\"\n";
    fs::write(folder.join("masked.toml"), spec).unwrap();
    fs::write(
        folder.join("sample.ndjson"),
        "{\"order_id\":1,\"email\":\"ann@example.com\",\"amount\":250}\n",
    )
    .unwrap();
    ok(folder, &publish("3.0.0", "masked.toml"));
    ok(folder, &[&publish("3.1.0", "masked.toml")[..], &["--transform", &component]].concat());
    let rows = || lake_rows::rows(&folder.join("lake"), "orders");
    let take = |name: &str| {
        fs::copy(folder.join("sample.ndjson"), folder.join(name)).unwrap();
        run(folder, name);
    };
    ok(folder, &[&["promote", "orders", "3.0.0"][..], &SIGNED].concat());
    take("clear.ndjson");
    assert_eq!(rows(), ["order_id=1 email=\"ann@example.com\" amount=250.0"]);
    ok(folder, &[&["promote", "orders", "3.1.0", "--lake", "lake"][..], &SIGNED].concat());
    take("masked.ndjson");
    let masked: Vec<String> = rows().into_iter().filter(|row| !row.contains("ann@example.com")).collect();
    assert_eq!(masked.len(), 1, "{masked:?}");
    assert!(masked[0].contains("a***@example.com") && masked[0].contains("risk_score="), "{masked:?}");
    let listed = ok(folder, &[&["releases", "orders"][..], &TRUSTED].concat());
    assert_eq!(listed["releases"][0]["component"]["name"], "mask-score", "{listed}");
    let back = ok(folder, &[&["rollback", "orders", "--lake", "lake"][..], &SIGNED].concat());
    assert_eq!((&back["withdrawn"], &back["written"][0]["objects"]), (&"3.1.0".into(), &1.into()));
    take("after.ndjson");
    assert_eq!(rows().iter().filter(|row| row.contains("ann@example.com")).count(), 2);
}

#[test]
fn a_private_key_is_never_shown() {
    let Some(folder) = published() else { return };
    let folder = folder.path();
    let key = fs::read_to_string(folder.join("release.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    let public = fs::read_to_string(folder.join("release.key.pub")).unwrap();
    let of_text = [("LAKEGATE_KEY", key.as_str()), ("LAKEGATE_TRUST", public.as_str())];
    let mut told = String::new();
    let mut call = |args: &[&str], environment: &[(&str, &str)]| {
        let ran = with(folder, args, environment);
        told.push_str(&ran.out);
        told.push_str(&ran.err);
        ran.code
    };
    let promote = ["promote", "orders", "1.0.0", "--registry", "releases"];
    assert_eq!(call(&promote, &of_text), Some(0), "the texts themselves do");
    assert_eq!(call(&["releases", "orders", "--registry", "releases", "--json"], &of_text), Some(0));
    // Broken in every way that a text can be: it is said to be no key, and not what it is.
    let cut = key.replace("-----END", "-----");
    for broken in [cut.as_str(), &key[..key.len() / 2], &format!("{secret}x"), &key.replace('M', "!")] {
        assert_ne!(call(&promote, &[("LAKEGATE_KEY", broken), of_text[1]]), Some(0));
    }
    fs::write(folder.join("open.key"), &key).unwrap();
    let open = [&promote[..], &["--key", "open.key", "--json"]].concat();
    assert_eq!(call(&open, &of_text[1..]), Some(1), "others may read it");
    assert!(!told.contains(&secret[20..]), "{told}");
}
