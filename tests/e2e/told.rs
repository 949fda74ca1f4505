//! What a person is told of records and rows: every number in the headline, why records were rejected, the command that
//! changes a type that no longer fits.

use std::fs;

use lakegate_tests::command::{Ran, lakegate};
use lakegate_tests::{lake_rows, ways};
use serde_json::Value;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> Option<TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Some(folder)
}

fn first(ran: &Ran) -> &str {
    ran.out.lines().next().unwrap_or_default()
}

#[test]
fn the_headline_has_every_number() {
    let input: String = (1..=10).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let spec = "[[table]]\nname = \"t\"\nfilter = \"n > 3\"\n";
    let Some(folder) = folder(&[("in.ndjson", &input), ("t.toml", spec)]) else { return };
    let ran = lakegate(folder.path(), &["run", "in.ndjson", "--spec", "t.toml"]);
    let expected = "in.ndjson: 10 records → 0 rejected → 3 filtered → 7 rows (";
    assert!(first(&ran).starts_with(expected), "{ran:?}");
    let seen = lakegate(folder.path(), &["preview", "in.ndjson", "--spec", "t.toml"]);
    assert_eq!(first(&seen), expected.trim_end_matches(" ("), "{seen:?}");
    assert!(seen.out.contains("Table t: 7 rows (10 made, 3 filtered)"), "{seen:?}");
    let status = lakegate(folder.path(), &["status", "lake", "in.ndjson"]);
    assert!(status.out.contains("10 records → 0 rejected → 3 filtered → 7 rows\n"), "{status:?}");
}

#[test]
fn rows_per_element_are_always_said() {
    let input = r#"[{"id":1,"items":[{"a":1},{"a":2}]},{"id":2,"items":[{"a":3},{"a":4},{"a":5}]},{"id":3,"items":[{"a":6}]}]"#;
    let spec = "[[table]]\nname = \"t\"\nrows = \"items\"\nfilter = \"a > 1\"\n";
    let spec = format!("{spec}[[table.column]]\nname = \"a\"\nfrom = \"items.a\"\n");
    let Some(folder) = folder(&[("t.json", input), ("t.toml", &spec)]) else { return };
    for command in ["preview", "run"] {
        let plain = lakegate(folder.path(), &[command, "t.json"]);
        assert!(plain.out.contains("t: 3 records → 6 rows, one per element of /items\n"), "{plain:?}");
        let told = lakegate(folder.path(), &[command, "t.json", "--spec", "t.toml", "--lake", "other"]);
        let expected = "t: 3 records → 6 rows, one per element of /items → 1 filtered → 5 rows\n";
        assert!(told.out.contains(expected), "{told:?}");
    }
}

/// Reasons as JSON has them: code, records, and the records that are shown.
fn reasons(json: &Value) -> Vec<(&str, u64, Vec<u64>)> {
    let of = |reason: &'_ Value| -> Vec<u64> {
        reason["samples"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sample| sample["record"].as_u64().unwrap())
            .collect()
    };
    let all = json["reasons"].as_array().unwrap_or_else(|| panic!("no reasons: {json}")).iter();
    all.map(|r| (r["code"].as_str().unwrap(), r["records"].as_u64().unwrap(), of(r))).collect()
}

#[test]
fn reasons_come_with_their_first_records_whether_the_object_fails_or_not() {
    let bad = "{\"id\":\"x\"}\n{\"id\":1,\"id\":2}\n".repeat(4);
    let few = "{\"id\":7}\n".repeat(9) + &bad;
    let spec = "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
    let Some(folder) = folder(&[("bad.ndjson", &bad), ("few.ndjson", &few), ("t.toml", spec)]) else {
        return;
    };
    let run = |args: &[&str]| lakegate(folder.path(), &[args, &["--spec", "t.toml"]].concat());
    for (name, from, code) in [("few.ndjson", 10, Some(3)), ("bad.ndjson", 1, Some(1))] {
        let expected = [
            ("duplicate_key", 4, vec![from + 1, from + 3, from + 5]),
            ("type_mismatch", 4, vec![from, from + 2, from + 4]),
        ];
        for command in ["preview", "run"] {
            let told = run(&[command, name, "--json"]);
            assert_eq!(told.code, code, "{told:?}");
            let json = told.json();
            assert_eq!(
                reasons(if code == Some(1) { &json["error"] } else { &json }),
                expected,
                "{command} {name}"
            );
            let told = run(&[command, name, "--again"][..if command == "run" { 3 } else { 2 }]);
            let text = told.out + &told.err;
            assert!(text.contains("  records  reason         record  line  where  message\n"), "{text}");
            assert!(
                text.contains("4  type_mismatch") && text.contains("/id    the value is a text"),
                "{text}"
            );
        }
        let status = lakegate(folder.path(), &["status", "lake", name]);
        assert!(status.out.contains("        4  type_mismatch  "), "{status:?}");
        let json = lakegate(folder.path(), &["status", "lake", name, "--json"]).json();
        let of = if code == Some(1) {
            &json["failures"][0]
        } else {
            json["commits"].as_array().unwrap().last().unwrap()
        };
        assert_eq!(reasons(of), expected, "status {name}");
        assert!(!json.to_string().contains("\"x\""), "no values: {json}");
    }
}

#[test]
fn a_file_that_fails_keeps_its_rejected_records_for_looking() {
    let Some(folder) = folder(&[("t.ndjson", "{\"id\":\"x\"}\n{\"id\":\"y\"}\n")]) else { return };
    let spec =
        "[[table]]\nname = \"t\"\nmode = \"freeze\"\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
    fs::write(folder.path().join("t.toml"), spec).unwrap();
    let ran = lakegate(folder.path(), &["run", "t.ndjson", "--spec", "t.toml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let json = lakegate(folder.path(), &["status", "lake", "t.ndjson", "--json"]).json();
    let kept = folder.path().join("lake").join(json["failures"][0]["quarantine"].as_str().unwrap());
    assert_eq!(fs::read_to_string(kept).unwrap().lines().count(), 2);
}

/// The commands that a text names in backticks.
fn commands(text: &str) -> Vec<&str> {
    text.split('`').filter(|part| part.starts_with("lakegate contract change ")).collect()
}

const DRIFTING: [(&str, &str); 3] = [
    ("a.ndjson", "{\"id\":1,\"v\":10}\n{\"id\":2,\"v\":20}\n"),
    ("b.ndjson", "{\"id\":3,\"v\":10.5}\n{\"id\":4,\"v\":7}\n"),
    ("c.ndjson", "{\"id\":5,\"v\":\"n/a\"}\n{\"id\":6,\"v\":3}\n"),
];

#[test]
fn a_type_that_the_data_leaves_is_changed_by_the_command_that_is_named() {
    let Some(folder) = folder(&DRIFTING) else { return };
    let run = |name: &str| lakegate(folder.path(), &["run", name, "--table", "t"]);
    assert_eq!(run("a.ndjson").code, Some(0));
    let mut named = Vec::new();
    for name in ["b.ndjson", "c.ndjson"] {
        let ran = run(name);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let status = lakegate(folder.path(), &["status", "lake", name]);
        assert_eq!(commands(&ran.out), commands(&status.out), "{status:?}");
        named.extend(commands(&ran.out).into_iter().map(str::to_owned));
    }
    // One type for the table: a text among numbers more often stands for null than for another type.
    assert_eq!(named, ["lakegate contract change t v double"; 2]);
    let words: Vec<&str> = named[0].split(' ').skip(1).collect();
    let changed = lakegate(folder.path(), &words);
    assert_eq!(changed.code, Some(3), "the text is still rejected: {changed:?}");
    for name in ["b.ndjson", "c.ndjson"] {
        run(name);
    }
    let rows = lake_rows::rows(&folder.path().join("lake"), "t");
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert!(rows.iter().any(|row| row.contains("v=10.5")), "{rows:?}");
    let ran = run("c.ndjson");
    assert_eq!(ran.code, Some(3), "{ran:?}");
}

#[test]
fn what_failed_for_a_type_is_taken_by_the_command_that_changes_it() {
    let files =
        [DRIFTING[0], ("d.ndjson", "{\"id\":7,\"v\":1.5}\n{\"id\":8,\"v\":2.5}\n"), ("e.ndjson", "[{")];
    let Some(folder) = folder(&files) else { return };
    let run = |name: &str| lakegate(folder.path(), &["run", name, "--table", "t", "--lake", "my lake"]);
    assert_eq!(run("a.ndjson").code, Some(0));
    assert_eq!(run("e.ndjson").code, Some(1));
    let failed = run("d.ndjson");
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert_eq!(commands(&failed.err), ["lakegate contract change t v double --lake 'my lake'"]);
    let status = lakegate(folder.path(), &["status", "my lake"]);
    assert_eq!(commands(&status.out), commands(&failed.err), "{status:?}");
    let changed =
        lakegate(folder.path(), &["contract", "change", "t", "v", "double", "--lake", "my lake", "--json"]);
    let json = changed.json();
    assert_eq!(json["taken_again"][0]["accepted"], 2, "{json}");
    assert_eq!(
        json["failed"].as_array().map(Vec::len),
        Some(1),
        "what failed for another reason stays: {json}"
    );
    assert_eq!(lake_rows::rows(&folder.path().join("my lake"), "t").len(), 4);
}

#[test]
fn objects_and_arrays_name_the_type_that_holds_them() {
    let mixed = "{\"id\":1,\"v\":{\"x\":1}}\n{\"id\":2,\"v\":[1]}\n{\"id\":3,\"v\":5}\n{\"id\":4,\"v\":6}\n";
    let Some(folder) = folder(&[DRIFTING[0], ("m.ndjson", mixed)]) else { return };
    let run = |name: &str| lakegate(folder.path(), &["run", name, "--table", "t"]);
    assert_eq!(run("a.ndjson").code, Some(0));
    let ran = run("m.ndjson");
    assert_eq!(commands(&ran.out), ["lakegate contract change t v json"], "{ran:?}");
}

#[test]
fn failures_alike_are_told_once() {
    let Some(folder) = folder(&[]) else { return };
    let mut args = vec!["run".to_owned(), "--table".into(), "t".into(), "good.ndjson".into()];
    fs::write(folder.path().join("good.ndjson"), "{\"id\":1}\n").unwrap();
    for file in 0..12 {
        let name = format!("f{file:02}.json");
        fs::write(folder.path().join(&name), format!("{}[{{\"id\":}}]", "\n".repeat(file))).unwrap();
        args.push(name);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = lakegate(folder.path(), &args);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.err.matches("error in the input").count(), 1, "{}", ran.err);
    let rest = "11 more sources failed like f00.json (syntax_error): f01.json, f02.json and 9 more\n";
    assert!(ran.err.contains(rest), "{}", ran.err);
    assert!(ran.out.contains("f00.json, f01.json, f02.json and 9 more  syntax_error"), "{}", ran.out);
    let all = lakegate(folder.path(), &[&args[..], &["--json"]].concat()).json();
    let failed = all["sources"].as_array().unwrap().iter().filter(|source| source["state"] == "failed");
    assert_eq!(failed.count(), 12);
    let status = lakegate(folder.path(), &["status", "lake"]);
    assert_eq!(status.out.matches("syntax_error").count(), 1, "{}", status.out);
}

#[test]
fn records_that_a_check_rejects_after_they_were_learned_from_are_said() {
    let input: String = (1..=20).map(|n| format!("{{\"n\":{}}}\n", n - 3)).collect();
    let spec = "[[table]]\nname = \"t\"\n[[table.check]]\nname = \"positive\"\nsql = \"n > 0\"\non_fail = \"reject\"\n";
    let Some(folder) = folder(&[("in.ndjson", &input), ("t.toml", spec)]) else { return };
    let said = |ran: &Ran| -> Vec<String> {
        let warnings = ran.json()["warnings"].as_array().unwrap().clone();
        let learned = warnings.iter().filter(|warning| warning["code"] == "learned_from_rejected");
        learned.map(|warning| warning["message"].as_str().unwrap().to_owned()).collect()
    };
    let expected = "3 records that a check or an expression rejected were learned from: their values had a say in \
                    types and columns";
    for command in ["preview", "run"] {
        let ran = lakegate(folder.path(), &[command, "in.ndjson", "--spec", "t.toml", "--json"]);
        assert_eq!(said(&ran), [expected], "{ran:?}");
    }
    // The contract is live now: nothing is learned any more.
    let ran = lakegate(folder.path(), &["run", "in.ndjson", "--spec", "t.toml", "--again", "--json"]);
    assert_eq!(said(&ran), Vec::<String>::new(), "{ran:?}");
}
