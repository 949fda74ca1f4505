//! `cargo xtask test`: every test there is, with one closing line `N passed, N failed`.
//!
//! Not for fmt, clippy and `cargo deny`: those are in `.ci/run`, which calls this. The one decision to
//! know: totals are summed from the lines the test programs print, and a program that dies without its
//! line counts as one failure, so that nothing which never ran can look green.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::build::{Profile, build_all};
use crate::component::component_of;
use crate::demo::{self, Talk};
use crate::package::package_built;
use crate::setup::setup;
use crate::web;
use crate::workspace::{Workspace, step};

/// Sum over all test programs.
#[derive(Default, Clone, Copy)]
struct Totals {
    passed: u64,
    failed: u64,
}

/// Sets up, builds, runs everything; fails when a test failed.
pub fn test(workspace: &Workspace) -> Result<()> {
    let python = step("set-up", || setup(workspace))?;
    let lakegate = build_all(workspace, Profile::Dev)?;
    let own = step("example of a transform of one's own", || component_of(workspace, "mask-score"))?.path;
    let zip = step("package", || package_built(workspace))?.path;
    let mut totals = Totals::default();
    step("cargo test", || {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--workspace", "--no-fail-fast", "--locked"]);
        cargo
            .env("LAKEGATE_BIN", &lakegate)
            .env("LAKEGATE_PYTHON", &python)
            .env("LAKEGATE_ZIP", &zip)
            .env("LAKEGATE_MASK_SCORE", &own)
            .env("LAKEGATE_NEEDS_COMPONENT", "1");
        count(&mut cargo, "test result:", &mut totals)
    })?;
    step("example pipelines, read back by DuckDB and pyarrow", || {
        check_demo(workspace, &python, &lakegate, &mut totals)
    })?;
    step("browser preview", || {
        web::ensure_browser()?;
        let mut tests = web::tests(workspace);
        tests.env("LAKEGATE_COMMAND", &lakegate);
        tests.env("LAKEGATE_PYTHON", &python).env("LAKEGATE_MASK_SCORE", &own);
        count(&mut tests, "page result:", &mut totals)
    })?;
    println!("{} passed, {} failed", totals.passed, totals.failed);
    if totals.failed > 0 {
        bail!("{} tests failed", totals.failed);
    }
    Ok(())
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
        if let Some((passed, failed)) = line.trim_start().strip_prefix(mark).and_then(parse_counts) {
            totals.passed += passed;
            totals.failed += failed;
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

/// `" ok. 12 passed; 1 failed; …"` or `" 12 passed, 1 failed"` → (12, 1).
fn parse_counts(text: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = text.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
    let before = |name: &str| words.windows(2).find(|pair| pair[1] == name)?[0].parse().ok();
    Some((before("passed")?, before("failed")?))
}

#[cfg(test)]
mod tests {
    use super::parse_counts;

    #[test]
    fn counts_come_from_both_forms_of_closing_line() {
        assert_eq!(parse_counts(" ok. 12 passed; 1 failed; 0 ignored; 0 measured"), Some((12, 1)));
        assert_eq!(parse_counts(" 7 passed, 0 failed"), Some((7, 0)));
        assert_eq!(parse_counts(" nothing here"), None);
    }
}
