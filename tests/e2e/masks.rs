//! A masked value is in nothing that a run leaves or says; its records are read from their source again.

use std::fs;
use std::path::Path;

use lakegate_tests::command::{Ran, lakegate};
use lakegate_tests::{lake_rows, ways};

/// What must be seen nowhere.
const SECRET: &str = "Geheimnis";

const SPEC: &str = r#"
[output]
max_rejected = "100%"
compression = "none"

[[table]]
name = "people"

[[table.column]]
name = "id"
type = "bigint"

[[table.column]]
name = "ssn"
mask = "null"

[[table.column]]
name = "card"
type = "string"
mask = "last4"

[[table.column]]
name = "pin"
type = "bigint"
mask = "drop"

[[table.column]]
name = "note"
output = false

[[table.derive]]
name = "all_of_it"
sql = "coalesce(ssn, '-') || card || note"
"#;

const DATA: &str = r#"{"id":1,"ssn":"Geheimnis","card":"Geheimnis-1234","pin":7,"note":"a"}
{"id":"two","ssn":"Geheimnis","card":"Geheimnis-5678","pin":7,"note":"b"}
{"id":3,"ssn":"Geheimnis","pin":"Geheimnis","note":"c"}
{"id":4,"card":{"Geheimnis":"Geheimnis"},"note":"d"}
{"id":5,"ssn":"Geheimnis","card":"Geheimnis",
"#;

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

/// Looks through every file of a folder, names too.
fn search(folder: &Path) {
    let mut files = 0;
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
        assert!(!holds(entry.path().as_os_str().as_encoded_bytes()), "{}", entry.path().display());
        if entry.file_type().is_file() {
            files += 1;
            assert!(!holds(&fs::read(entry.path()).unwrap()), "{}", entry.path().display());
        }
    }
    assert!(files > 4, "{files} files");
}

fn told(ran: &Ran) -> &Ran {
    assert!(!holds(ran.out.as_bytes()) && !holds(ran.err.as_bytes()), "{ran:?}");
    ran
}

#[test]
fn nothing_that_a_run_leaves_or_says_holds_a_masked_value() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("people.ndjson"), DATA).unwrap();
    fs::write(at.join("people.toml"), SPEC).unwrap();
    let strict = SPEC.replace("\"100%\"", "0");
    fs::write(at.join("strict.toml"), strict).unwrap();
    for args in [
        &["preview", "people.ndjson", "--spec", "people.toml"][..],
        &["preview", "people.ndjson", "--spec", "people.toml", "--json"],
        &["init", "people.ndjson", "--spec", "people.toml"],
        &["run", "people.ndjson", "--spec", "strict.toml", "--lake", "failed"],
        &["status", "--lake", "failed", "--json"],
        &["run", "people.ndjson", "--spec", "people.toml", "--json"],
        &["status", "--json"],
        &["contract", "show", "people"],
        &["quarantine", "list", "people", "--json"],
        &["quarantine", "show", "people"],
        &["quarantine", "show", "people", "--json"],
    ] {
        told(&lakegate(at, args));
    }
    search(&at.join("lake"));
    search(&at.join("failed"));
    assert_eq!(
        lake_rows::rows(&at.join("lake"), "people"),
        ["id=1 card=\"****1234\" all_of_it=\"-****1234a\""]
    );
    let contract = lakegate(at, &["contract", "show", "people"]).out;
    assert!(contract.contains("2 more not written") && contract.contains("not written"), "{contract}");
}

#[test]
fn what_is_not_kept_is_read_from_its_source() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = format!("\u{feff}{DATA}");
    fs::write(at.join("people.ndjson"), &data).unwrap();
    fs::write(at.join("people.toml"), SPEC).unwrap();
    assert_eq!(lakegate(at, &["run", "people.ndjson", "--spec", "people.toml"]).code, Some(3));
    let raw = lakegate(at, &["quarantine", "show", "people", "--raw"]);
    let lines: Vec<&str> = DATA.lines().skip(1).collect();
    assert_eq!(raw.out.lines().collect::<Vec<_>>(), lines, "{raw:?}");
    // Changed, it is another object: a place in it says nothing any more.
    fs::write(at.join("people.ndjson"), data.replace("two", "2")).unwrap();
    let gone = lakegate(at, &["quarantine", "show", "people", "--raw"]);
    assert!(gone.code != Some(0) && gone.err.contains("because columns are masked"), "{gone:?}");
    assert!(gone.err.contains("take it from its source"), "{gone:?}");
    fs::write(at.join("people.ndjson"), &data).unwrap();
    let wider =
        SPEC.replace("name = \"id\"\ntype = \"bigint\"", "name = \"id\"\ntype = \"bigint\"\ncast = true");
    fs::write(at.join("wider.toml"), wider).unwrap();
    let again = lakegate(at, &["quarantine", "resubmit", "people", "--spec", "wider.toml"]);
    assert!(again.out.contains("4 records →"), "{again:?}");
}
