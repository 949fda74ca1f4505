//! A registry that is damaged: every kind is found and named, and the command that is named mends it.
//!
//! Not for what a host does with a damaged release (`bad_releases.rs`). The decision to know: each damage is made by hand
//! on the files of a registry in a folder, and the command is taken from the finding as it is printed.

use std::fs;
use std::path::{Path, PathBuf};

use lakegate_tests::command::{Ran, lakegate};
use lakegate_tests::serving::Serving;
use lakegate_tests::ways;
use serde_json::{Value, json};
use tempfile::TempDir;

const SPEC: &str = "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
    [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
const SIGNED: [&str; 6] = ["--registry", "releases", "--key", "release.key", "--trust", "release.key.pub"];

/// What may happen to a file.
const HOW: [&str; 3] = ["missing", "flipped", "cut"];

/// A release with compiled code and a sample, in use in a lake, and a copy of its registry.
fn made() -> Option<TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("orders.toml"), SPEC).unwrap();
    fs::write(folder.path().join("sample.ndjson"), "{\"id\":1}\n").unwrap();
    ok(folder.path(), &["keygen", "--out", "release.key"]);
    let publish =
        ["publish", "orders", "--version", "1.0.0", "--spec", "orders.toml", "--sample", "sample.ndjson"];
    ok(folder.path(), &[&publish[..], &SIGNED].concat());
    ok(folder.path(), &[&["promote", "orders", "1.0.0"][..], &SIGNED].concat());
    let run = [
        "run",
        "sample.ndjson",
        "--transform",
        "orders",
        "--registry",
        "releases",
        "--trust",
        "release.key.pub",
    ];
    ok(folder.path(), &run);
    copied(&folder.path().join("releases"), &folder.path().join("backup"));
    Some(folder)
}

fn call(folder: &Path, args: &[&str]) -> Ran {
    lakegate(folder, &[args, &["--json"]].concat())
}

fn ok(folder: &Path, args: &[&str]) -> Value {
    let ran = call(folder, args);
    assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    ran.json()
}

fn copied(from: &Path, to: &Path) {
    let _before = fs::remove_dir_all(to);
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(place).unwrap();
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// The files of a registry that a release or channel is made of, by what they are.
fn pieces(registry: &Path) -> Vec<(&'static str, PathBuf)> {
    let release = registry.join("releases/orders");
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(release.join("1.0.0.json")).unwrap()).unwrap();
    let blob = |value: &Value| registry.join("blobs").join(value["digest"].as_str().unwrap());
    let only = |folder: &str| {
        let found = fs::read_dir(release.join("1.0.0").join(folder)).unwrap();
        let mut found = found.map(|entry| entry.unwrap().path());
        found.find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap()
    };
    let statement: Value = serde_json::from_str(&fs::read_to_string(only("code")).unwrap()).unwrap();
    let statement: Value = serde_json::from_str(statement["payload"].as_str().unwrap()).unwrap();
    vec![
        ("manifest", release.join("1.0.0.json")),
        ("signature", only("signatures")),
        ("component", blob(&manifest["component"])),
        ("spec", blob(&manifest["spec"])),
        ("sample", blob(&manifest["samples"][0]["input"])),
        ("code statement", only("code")),
        ("code", blob(&statement["code"])),
        ("channel", registry.join("channels/orders.json")),
    ]
}

fn damage(path: &Path, how: &str) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    match how {
        "missing" => return fs::remove_file(path).unwrap(),
        "flipped" => bytes[middle] ^= 1,
        _ => bytes.truncate(middle),
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_damage_is_found_and_mended_by_the_command_that_is_named() {
    let Some(folder) = made() else { return };
    let folder = folder.path();
    let check = [&["registry", "check", "orders", "--lake", "lake"][..], &SIGNED].concat();
    assert_eq!(ok(folder, &check)["damages"], json!([]), "whole");
    for (what, path) in pieces(&folder.join("releases")) {
        for how in HOW {
            // A release that has no compiled code, or is not there at all, is none that is damaged.
            if how == "missing" && matches!(what, "code statement" | "manifest") {
                continue;
            }
            damage(&path, how);
            let found = call(folder, &check);
            assert_eq!(found.code, Some(1), "{what} {how}: {found:?}");
            let damages = found.json()["damages"].clone();
            let command = damages[0]["command"].as_str().unwrap_or_else(|| panic!("{what} {how}: {damages}"));
            let words: Vec<&str> = command.split(' ').skip(1).collect();
            let words: Vec<&str> = words
                .into_iter()
                .map(|word| match word {
                    "REGISTRY" => "backup",
                    "LAKE" => "lake",
                    word => word,
                })
                .collect();
            let given: Vec<&str> =
                if words.contains(&"--registry") { SIGNED[2..].to_vec() } else { SIGNED.to_vec() };
            let given = if words[..2] == ["registry", "copy"] { given[2..].to_vec() } else { given };
            let mended = call(folder, &[&words[..], &given].concat());
            assert_eq!(mended.code, Some(0), "{what} {how}: {command}: {mended:?}");
            let after = call(folder, &check);
            assert_eq!(after.code, Some(0), "{what} {how}: after {command}: {after:?}");
            let run = ["run", "sample.ndjson", "--transform", "orders", "--registry", "releases"];
            ok(folder, &[&run[..], &["--trust", "release.key.pub"]].concat());
            copied(&folder.join("backup"), &folder.join("releases"));
        }
    }
}

const FOLLOWS: [&str; 6] = ["--transform", "orders", "--registry", "releases", "--trust", "release.key.pub"];

/// A host that starts now: it works, or says in its hint which command helps.
fn starts(folder: &Path, case: &str) {
    fs::write(folder.join("fresh.ndjson"), "{\"id\":2}\n").unwrap();
    let ran = call(folder, &[&["run", "fresh.ndjson", "--again"][..], &FOLLOWS].concat());
    if ran.code == Some(0) {
        let serving = Serving::start(folder, &[&["--lake", "lake"][..], &FOLLOWS].concat());
        assert_eq!(serving.upload("fresh.ndjson", b"{\"id\":3}\n")["state"], "done", "{case}");
        return;
    }
    let serve = call(folder, &[&["serve", "--lake", "lake"][..], &FOLLOWS].concat());
    for (host, ran) in [("run", ran), ("serve", serve)] {
        let error = ran.json()["error"].clone();
        assert_eq!(
            (ran.code, error["fault"].as_str()),
            (Some(1), Some("release")),
            "{case}, {host}: {error}"
        );
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("`lakegate "), "{case}, {host}: {error}");
    }
}

#[test]
fn objects_go_on_whatever_is_damaged_or_the_start_says_what_to_do() {
    let Some(folder) = made() else { return };
    let folder = folder.path();
    let running = Serving::start(folder, &[&["--lake", "lake"][..], &FOLLOWS].concat());
    let mut number = 0;
    let mut goes_on = |case: &str| {
        number += 1;
        let told = running.upload(&format!("{number}.ndjson"), b"{\"id\":4}\n");
        assert_eq!(told["state"], "done", "{case}: {told}");
    };
    goes_on("whole");
    for (what, path) in pieces(&folder.join("releases")) {
        for how in HOW {
            let case = format!("{what} {how}");
            damage(&path, how);
            goes_on(&case);
            starts(folder, &case);
            copied(&folder.join("backup"), &folder.join("releases"));
        }
    }
    // An older document than the one that the lake's commits name.
    let channel = folder.join("releases/channels/orders.json");
    let older = fs::read(&channel).unwrap();
    ok(folder, &[&["promote", "orders", "1.0.0"][..], &SIGNED].concat());
    ok(folder, &[&["run", "sample.ndjson", "--again"][..], &FOLLOWS].concat());
    fs::write(&channel, older).unwrap();
    goes_on("channel older");
    let ran = call(folder, &[&["run", "sample.ndjson", "--again"][..], &FOLLOWS].concat());
    assert_eq!(ran.json()["error"]["code"], "channel_replayed", "{ran:?}");
    let least = ran.json()["error"]["hint"].as_str().unwrap().contains("--accept-sequence 1");
    assert!(least, "{ran:?}");
    ok(folder, &[&["run", "sample.ndjson", "--again", "--accept-sequence", "1"][..], &FOLLOWS].concat());
}

#[test]
fn releases_are_copied_yanked_and_pruned() {
    let Some(folder) = made() else { return };
    let folder = folder.path();
    let to = ["--registry", "copy", "--trust", "release.key.pub"];
    let copy = [&["registry", "copy", "orders", "--from", "releases"][..], &to].concat();
    assert_eq!(ok(folder, &copy)["releases"], json!([{"release": "orders@1.0.0", "fresh": true}]));
    assert_eq!(ok(folder, &copy)["releases"][0]["fresh"], false);
    assert_eq!(call(folder, &[&["registry", "check", "orders"][..], &to].concat()).code, Some(0));

    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        let spec = format!("{SPEC}[[table.derive]]\nname = \"made_by\"\nsql = \"'{version}'\"\n");
        fs::write(folder.join("next.toml"), spec).unwrap();
        let publish = ["publish", "orders", "--version", version, "--spec", "next.toml", "--no-code"];
        ok(folder, &[&publish[..], &SIGNED].concat());
    }
    ok(folder, &[&["registry", "yank", "orders@1.2.0", "--reason", "wrong"][..], &SIGNED].concat());
    let promote = [&["promote", "orders", "1.2.0"][..], &SIGNED].concat();
    let refused = call(folder, &promote);
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (Some(1), &json!("release_yanked")));
    ok(folder, &[&["registry", "yank", "orders@1.2.0", "--undo"][..], &SIGNED].concat());
    assert_eq!(ok(folder, &[&promote[..], &["--dry-run"]].concat())["dry_run"], true);

    // 1.0.0 is in use, and 1.3.0 the newest: the two between go, with what only they name.
    let prune = [
        "registry",
        "prune",
        "orders",
        "--lake",
        "lake",
        "--registry",
        "releases",
        "--trust",
        "release.key.pub",
    ];
    let dry = ok(folder, &prune);
    assert_eq!(dry["pruned"]["versions"], json!(["1.1.0", "1.2.0"]), "{dry}");
    assert_eq!((&dry["pruned"]["blobs"], &dry["removed"]), (&json!(2), &json!(false)), "their specs: {dry}");
    let versions = |folder: &Path| {
        let listed =
            ok(folder, &["releases", "orders", "--registry", "releases", "--trust", "release.key.pub"]);
        let releases = listed["releases"].as_array().unwrap().clone();
        releases.iter().map(|release| release["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(versions(folder).len(), 4);
    ok(folder, &[&prune[..], &["--yes"]].concat());
    assert_eq!(versions(folder), ["1.3.0", "1.0.0"]);
    assert_eq!(ok(folder, &prune)["pruned"]["versions"], json!([]));
}
