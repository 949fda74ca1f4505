//! Tables that are called like something of the lake's own: every command works for them as for any other.

use std::fs;

use lakegate_tests::command::lakegate;
use lakegate_tests::{lake_rows, ways};

/// Folders of the lake's own, now and before, and words of keys.
const NAMES: [&str; 10] = [
    "commits",
    "failures",
    "tables",
    "loads",
    "contracts",
    "specs",
    "quarantine",
    "staging",
    "raw",
    "schema",
];

#[test]
fn a_table_may_be_called_like_anything_of_the_lakes_own() {
    if ways::component().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("x.ndjson"), "{\"id\":1}\n{\"id\":2}\n7\n").unwrap();
    fs::write(here.join("bad.ndjson"), "[{\"id\":1}, oops").unwrap();
    let ok = |args: &[&str]| {
        let ran = lakegate(here, args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran
    };
    for name in NAMES {
        let spec = format!("[output]\nmax_rejected = \"50%\"\n\n[[table]]\nname = \"{name}\"\n");
        fs::write(here.join("t.toml"), spec).unwrap();
        let ran = lakegate(here, &["run", "x.ndjson", "--spec", "t.toml"]);
        assert!(matches!(ran.code, Some(0 | 3)), "{name}: {ran:?}");
        assert_ne!(lakegate(here, &["run", "bad.ndjson", "--spec", "t.toml"]).code, Some(0));
        assert_eq!(lake_rows::rows(&here.join("lake"), name), ["id=1", "id=2"]);
        let json = ok(&["status", "lake", "x.ndjson", "--json"]).json();
        assert!(
            json["commits"].as_array().unwrap().iter().any(|commit| commit["pipeline"] == name),
            "{json}"
        );
        let list = ok(&["quarantine", "list", name, "--json"]).json();
        assert_eq!((&list["open"], &list["next"]), (&1.into(), &serde_json::Value::Null), "{name}: {list}");
        assert!(ok(&["contract", "show", name]).out.contains("id"), "{name}");
    }
    let status = ok(&["status", "lake", "--json"]).json();
    let mut tables: Vec<&str> =
        status["tables"].as_array().unwrap().iter().map(|table| table["table"].as_str().unwrap()).collect();
    tables.sort_unstable();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(tables, names);
    assert_eq!(
        (&status["commits"], &status["not_done"], &status["whole"]),
        (&10.into(), &0.into(), &true.into())
    );
    assert_eq!(status["failures"].as_array().unwrap().len(), NAMES.len());
    ok(&["fsck", "lake"]);
    let refused = lakegate(here, &["run", "x.ndjson", "--table", "_lakegate"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.err.contains("_lakegate"), "{refused:?}");
}

#[test]
fn lists_come_in_pages() {
    if ways::component().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("t.toml"), "[output]\nmax_rejected = \"50%\"\n\n[[table]]\nname = \"t\"\n").unwrap();
    for number in 0..5 {
        fs::write(
            here.join(format!("{number}.ndjson")),
            format!("{{\"id\":{number}}}\n7\n8\n{{\"id\":9}}\n"),
        )
        .unwrap();
    }
    let ran = lakegate(
        here,
        &["run", "0.ndjson", "1.ndjson", "2.ndjson", "3.ndjson", "4.ndjson", "--spec", "t.toml"],
    );
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let pages = |command: &[&str], list: &str| {
        let (mut sizes, mut after) = (Vec::new(), None::<String>);
        loop {
            let more = after.as_ref().map_or_else(Vec::new, |after| vec!["--after", after.as_str()]);
            let json = lakegate(here, &[command, &["--json"], &more[..]].concat()).json();
            sizes.push(json[list].as_array().unwrap().len());
            match json["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return sizes,
            }
        }
    };
    assert_eq!(pages(&["status", "lake", "--limit", "2"], "loads"), [2, 2, 1]);
    assert_eq!(pages(&["status", "lake"], "loads"), [5]);
    assert_eq!(pages(&["status", "lake", "--all"], "loads"), [5]);
    assert_eq!(pages(&["quarantine", "list", "t", "--limit", "4"], "records"), [4, 4, 2]);
    let all = lakegate(here, &["quarantine", "list", "t"]);
    assert!(all.out.contains("10 records in quarantine"), "{all:?}");
}
