//! `max_rejected`: what a preview lets pass, a run takes, and what it refuses, a run refuses by the same name.

use std::fmt::Write as _;
use std::path::Path;

use lakegate_lake::lake::Lake;
use lakegate_lake::run::{self, Plan};
use lakegate_lake::source::Source;
use lakegate_sandbox::{Limits, Sandbox, Transform};
use lakegate_tests::command::lakegate;
use lakegate_tests::ways;

/// A folder with `in.json`, so many records of which so many are rejected, and the spec of a rule.
fn given(rule: &str, rejected: u32, records: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut input = String::new();
    for n in 0..records {
        let _ =
            if n < records - rejected { writeln!(input, "{{\"n\":{n}}}") } else { writeln!(input, "{n}") };
    }
    std::fs::write(folder.path().join("in.json"), input).unwrap();
    std::fs::write(folder.path().join("spec.toml"), format!("[output]\nmax_rejected = {rule}\n")).unwrap();
    folder
}

/// `passed`, or the code of the failure.
fn came_to(folder: &Path, command: &str) -> String {
    let ran = lakegate(folder, &[command, "in.json", "--spec", "spec.toml", "--table", "t", "--json"]);
    match ran.code {
        Some(0 | 3) => "passed".into(),
        _ => ran.json()["error"]["code"].as_str().unwrap_or("no code").to_owned(),
    }
}

#[test]
fn preview_and_run_judge_a_share_alike() {
    for percent in [29, 57, 58, 69] {
        let folder = given(&format!("\"{percent}%\""), percent, 100);
        let seen = came_to(folder.path(), "preview");
        assert_eq!(came_to(folder.path(), "run"), seen, "{percent} of 100 at {percent} %");
        assert_eq!(seen, "passed", "{percent} of 100 is not more than {percent} %");
    }
}

/// Rule, rejected, records, and whether that passes.
const CASES: [(&str, u32, u32, bool); 19] = [
    ("\"5%\"", 0, 3, true),
    ("\"5%\"", 1, 2, true),
    ("\"5%\"", 1, 3, true),
    ("\"5%\"", 2, 3, false),
    ("\"5%\"", 10, 20, true),
    ("\"5%\"", 10, 19, false),
    ("\"5%\"", 11, 220, true),
    ("\"5%\"", 11, 219, false),
    ("\"29%\"", 29, 100, true),
    ("\"29%\"", 30, 100, false),
    ("\"80%\"", 4, 5, true),
    ("\"80%\"", 5, 6, false),
    ("\"100%\"", 3, 4, true),
    ("\"0%\"", 1, 40, false),
    ("{ share = \"5%\", floor = 0 }", 1, 19, false),
    ("{ floor = 2 }", 3, 59, false),
    ("{ share = \"0.0001%\", floor = 1 }", 1, 2, true),
    ("3", 3, 4, true),
    ("3", 4, 100, false),
];

#[test]
fn preview_and_run_refuse_the_same_counts() {
    if ways::component().is_none() {
        return;
    }
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let transform = Transform::shipped(&sandbox).unwrap();
    for (rule, rejected, records, passes) in CASES {
        let folder = given(rule, rejected, records);
        let spec = std::fs::read_to_string(folder.path().join("spec.toml")).unwrap();
        let plan = Plan::new(spec, Some("t".into())).unwrap();
        let source = Source::file(&folder.path().join("in.json")).unwrap();
        let lake = Lake::local(&folder.path().join("lake")).unwrap();
        let code = |error: lakegate_base::Error| error.name().to_owned();
        let seen = run::preview(&transform, &source, &plan, Some(&lake), &mut |_| {}).map(|_| ());
        let made = run::run(&lake, &transform, &source, &plan, &mut |_| {}).map(|_| ());
        let expected = if passes { Ok(()) } else { Err("too_many_rejected".to_owned()) };
        let what = format!("{rejected} of {records} under {rule}");
        assert_eq!(seen.map_err(code), expected, "preview: {what}");
        assert_eq!(made.map_err(code), expected, "run: {what}");
    }
}

#[test]
fn a_rule_that_makes_no_sense_is_refused_with_its_place() {
    for rule in ["\"101%\"", "{ part = 1 }", "0.05"] {
        let folder = given(rule, 0, 1);
        for command in ["preview", "run"] {
            let ran = lakegate(
                folder.path(),
                &[command, "in.json", "--spec", "spec.toml", "--table", "t", "--json"],
            );
            let error = &ran.json()["error"];
            assert_eq!(
                (&error["code"], &error["place"]["line"]),
                (&"spec_invalid".into(), &2.into()),
                "{ran:?}"
            );
        }
    }
}
