//! `max_rejected`: what a preview lets pass, a run takes, and what it refuses, a run refuses by the same name.

use std::fmt::Write as _;
use std::path::Path;

use lakegate_tests::command::lakegate;

/// A folder with `in.json`, so many records of which so many are rejected, and the spec of a rule.
fn given(rule: &str, rejected: u32, records: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut input = String::new();
    for n in 0..records {
        let _ = if n < records - rejected { writeln!(input, "{{\"n\":{n}}}") } else { writeln!(input, "{n}") };
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
    }
}
