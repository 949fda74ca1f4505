//! `cargo xtask test`: every test there is, with one closing line `N passed, N failed, N skipped`.
//!
//! Not for fmt, clippy and `cargo deny`: those are in `.ci/run`, which calls this. Totals are summed from the
//! lines the test programs print, and a program that dies without its line counts as one failure, so that
//! nothing which never ran can look green. A test that cannot run here notes that in a file
//! (`tests/skipped`), since the harness would call it passed: it is counted as skipped, and its reason shown.

mod counts;
mod peers;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::build::build_all;
use crate::component::component_of;
use crate::demo::{self, Talk};
use crate::package::package_built;
use crate::programs::Profile;
use crate::setup::{setup, stack_tools};
use crate::web;
use crate::workspace::{Workspace, step};

use self::counts::Totals;
use self::peers::Peers;

/// Sets up, builds, runs everything; whether no test failed.
pub fn test(workspace: &Workspace) -> Result<bool> {
    let python = step("set-up", || setup(workspace))?;
    let lakegate = build_all(workspace, Profile::Dev)?;
    let own =
        step("example of a transform of one's own", || component_of(workspace, Profile::Dev, "mask-score"))?
            .path;
    let zip = step("package", || package_built(workspace))?.path;
    let judges = step("what judges a rendered stack", || stack_tools(workspace))?;
    let peers = step("stand-ins for AWS", || Peers::start(workspace, &python))?;
    let notes = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    let mut totals = Totals::default();
    step("cargo test", || {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--workspace", "--no-fail-fast", "--locked"]);
        cargo
            .env("LAKEGATE_BIN", &lakegate)
            .env("LAKEGATE_PYTHON", &python)
            .env("LAKEGATE_ZIP", &zip)
            .env("LAKEGATE_MASK_SCORE", &own)
            .env("LAKEGATE_STACK_TOOLS", std::env::join_paths(&judges)?)
            .env("LAKEGATE_TEST_AWS", &peers.ministack)
            .env("LAKEGATE_TEST_S3", &peers.ministack)
            .env("LAKEGATE_SKIPPED", notes.path())
            .env("LAKEGATE_NEEDS_COMPONENT", "1");
        count(&mut cargo, "test result:", &mut totals)
    })?;
    step("example pipelines, read back by DuckDB and pyarrow", || {
        check_demo(workspace, &python, &lakegate, &mut totals)
    })?;
    step("generated values, judged by Python", || {
        let mut check = Command::new(&python);
        check.arg(workspace.tests("python").join("oracles.py"));
        check.args([OsStr::new("--lakegate"), lakegate.as_os_str()]);
        count(&mut check, "check result:", &mut totals)
    })?;
    step("load history, read by DuckDB", || {
        let mut check = Command::new(&python);
        check.arg(workspace.tests("python").join("check_history.py"));
        check.args([OsStr::new("--lakegate"), lakegate.as_os_str()]);
        count(&mut check, "check result:", &mut totals)
    })?;
    step("browser preview", || {
        web::ensure_browser()?;
        let mut tests = web::tests(workspace);
        tests.env("LAKEGATE_COMMAND", &lakegate);
        tests.env("LAKEGATE_PYTHON", &python).env("LAKEGATE_MASK_SCORE", &own);
        count(&mut tests, "page result:", &mut totals)
    })?;
    let notes = std::fs::read_to_string(notes.path()).context("cannot read which tests were skipped")?;
    close(&mut totals, &notes);
    Ok(totals.failed == 0)
}

/// Says which tests were skipped and why, then the closing line, after which nothing may come.
fn close(totals: &mut Totals, notes: &str) {
    let skipped = counts::skipped(notes);
    totals.not_passed_but_skipped(skipped.len() as u64);
    for ((_program, test), why) in &skipped {
        println!("skipped: {test}: {why}");
    }
    println!("{totals}");
}

/// Runs the demo's pipelines quietly and lets independent readers judge what they wrote.
fn check_demo(workspace: &Workspace, python: &Path, lakegate: &Path, totals: &mut Totals) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    if let Err(error) = demo::run_pipelines(workspace, lakegate, python, scratch.path(), Talk::Quiet) {
        println!("the example pipelines failed: {error:#}");
        totals.failed += 1;
        return Ok(());
    }
    let mut check = Command::new(python);
    check.arg(workspace.tests("python").join("check_lake.py"));
    check.args([OsStr::new("--examples"), workspace.tests("examples").as_os_str()]);
    check.args([OsStr::new("--lakes"), scratch.path().as_os_str()]);
    count(&mut check, "check result:", totals)
}

/// Runs a test program, shows its output, and adds what the lines beginning with `mark` say.
fn count(command: &mut Command, mark: &str, totals: &mut Totals) -> Result<()> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start the tests")?;
    let output = child.stdout.take().context("the tests have no output")?;
    let before = totals.failed;
    let mut lines = 0;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the tests' output")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(counted) = line.trim_start().strip_prefix(mark).and_then(counts::parse) {
            totals.add(counted);
            lines += 1;
        }
    }
    let status = child.wait().context("cannot wait for the tests")?;
    // Did not compile, was killed, or died before its closing line.
    if (!status.success() && totals.failed == before) || lines == 0 {
        println!("a test program ended with {status} without a closing line: counted as one failure");
        totals.failed += 1;
    }
    Ok(())
}
