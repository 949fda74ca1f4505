//! `lakegate init --fix`: what a warning asks for comes to stand in the spec, and the spec does it.

use std::fs;

use lakegate_tests::command::lakegate;
use lakegate_tests::ways;
use serde_json::Value;

/// An input that is warned of, what comes to stand in the spec, and what the headline of a preview says under it.
const KINDS: [(&str, &str, &str, &str); 4] = [
    (
        "deep.json",
        r#"[{"id":1,"x":{"items":[{"n":1},{"n":2}]}},{"id":2,"x":{"items":[{"n":3}]}}]"#,
        "rows = \"x.items\"",
        "3 rows",
    ),
    ("one.csv", "a:b\n1:2\n3:4\n5:6\n", "delimiter = \":\"", "3 rows"),
    ("numbers.csv", "1,2\n3,4\n5,6\n", "header = false", "3 rows"),
    // Nothing is to be mended: a proposal declares such numbers.
    ("long.ndjson", "{\"n\":0.1234567890123456789012}\n{\"n\":1.5}\n", "", "2 rows"),
];

#[test]
fn a_warning_with_one_way_out_is_followed() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, input, written, headline) in KINDS {
        fs::write(at.join(name), input).unwrap();
        let plain = lakegate(at, &["init", name]);
        let fixed = lakegate(at, &["init", name, "--fix"]);
        assert!(
            !plain.out.lines().any(|line| line == written && !line.is_empty()),
            "{name}: nothing is to be mended\n{plain:?}"
        );
        assert!(fixed.out.contains(written), "{name}\n{fixed:?}");
        assert!(written.is_empty() || fixed.err.contains(&format!("+ {written}")), "{name}\n{fixed:?}");
        let json = lakegate(at, &["init", name, "--fix", "--json"]).json();
        assert_eq!(json["spec"].as_str(), Some(fixed.out.as_str()), "{name}");
        fs::write(at.join("spec.toml"), &fixed.out).unwrap();
        let seen = lakegate(at, &["preview", name, "--spec", "spec.toml"]);
        assert!(seen.out.contains(headline) && seen.code == Some(0), "{name}\n{seen:?}\n{}", fixed.out);
        // Nothing is left to follow.
        let again = lakegate(at, &["init", name, "--spec", "spec.toml", "--fix"]);
        assert_eq!(again.out, fixed.out, "{name}");
    }
}

#[test]
fn a_spec_that_is_there_keeps_its_comments() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("one.csv"), "a:b\n1:2\n3:4\n5:6\n").unwrap();
    let mine = "# mine\n[input]\nformat = 'csv'   # as they say\n\n[[table]]\nname = \"t\" # the one\n";
    fs::write(at.join("mine.toml"), mine).unwrap();
    let fixed = lakegate(at, &["init", "one.csv", "--spec", "mine.toml", "--fix"]);
    let expected = mine.replace("# as they say\n", "# as they say\ndelimiter = \":\"\n");
    assert_eq!(fixed.out, expected, "{fixed:?}");
    assert_eq!(fs::read_to_string(at.join("mine.toml")).unwrap(), mine, "nothing is written");
    fs::write(at.join("wrapped.json"), r#"{"Records":[{"a":1},{"a":2}]}"#).unwrap();
    fs::write(at.join("open.toml"), "# mine\n[[table]]\nname = \"t\"\n").unwrap();
    let fixed = lakegate(at, &["init", "wrapped.json", "--spec", "open.toml", "--fix"]);
    assert_eq!(fixed.out, "# mine\n[[table]]\nname = \"t\"\n\n[input]\nrecords = \"Records\"\n", "{fixed:?}");
    fs::write(at.join("broken.toml"), "[input").unwrap();
    let broken = lakegate(at, &["init", "one.csv", "--spec", "broken.toml", "--fix"]);
    assert!(broken.err.contains("broken.toml:1"), "{broken:?}");
}

#[test]
fn of_several_ways_a_person_chooses() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let several = r#"[{"id":1,"a":[{"n":1}],"b":[{"m":1},{"m":2}],"day":"01/02/2025"}]"#;
    fs::write(at.join("several.json"), several).unwrap();
    let plain = lakegate(at, &["init", "several.json"]);
    let fixed = lakegate(at, &["init", "several.json", "--fix"]);
    assert_eq!(fixed.out, plain.out);
    for choice in [
        "to choose from: rows = \"a\" | rows = \"b\"",
        "to choose from: type = \"date\", format = \"%d/%m/%Y\" for day | type = \"date\", format = \"%m/%d/%Y\" for day",
    ] {
        assert!(fixed.err.contains(choice), "{choice}\n{fixed:?}");
    }
    let json = lakegate(at, &["init", "several.json", "--fix", "--json"]).json();
    let choices = json["choices"].as_array().unwrap();
    assert_eq!((choices.len(), json["fixes"].as_array().map(Vec::len)), (2, Some(0)));
    assert_eq!(choices[0][1][0]["value"], Value::from("\"b\""));
}
