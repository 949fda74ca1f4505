//! `cargo xtask bench`: builds what is measured, then lets `tests/python/bench.py` measure it.
//!
//! Not part of `cargo xtask test`. The one decision to know: the results of a full run replace what
//! stands between two markers in `BENCH.md`; a quick or partial run is only shown.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::component::component;
use crate::programs::{COMMAND, Profile};
use crate::setup::{install, setup};
use crate::workspace::{Workspace, cache_folder, stdout_of, step};

const BEGIN: &str = "<!-- results: begin -->";
const END: &str = "<!-- results: end -->";

/// Measures everything, or with names only those inputs.
pub fn bench(workspace: &Workspace, quick: bool, only: &[String], clickhouse: bool) -> Result<()> {
    let python = step("set-up", || setup(workspace))?;
    if clickhouse {
        step("ClickHouse", || {
            install(&python, &workspace.tests("python").join("requirements-clickhouse.txt"))
        })?;
    }
    step("component", || component(workspace, Profile::Dev))?;
    let native = step("native bench", || native_program(workspace, "whole"))?;
    let steps = step("steps bench", || native_program(workspace, "steps"))?;
    let encoder = step("encoder bench", || native_program(workspace, "encoder"))?;
    let sandbox = step("lakegate, sandbox bench", || {
        build_program(workspace, &["--release", "--package", COMMAND, "--bin", "lakegate"], "sandbox")
    })?;
    let lakegate = workspace.program("release", "lakegate");
    let mut command = Command::new(python);
    command.arg(workspace.tests("python").join("bench.py"));
    let paths = [
        ("--lakegate", &lakegate),
        ("--native", &native),
        ("--steps", &steps),
        ("--encoder", &encoder),
        ("--sandbox", &sandbox),
    ];
    for (name, path) in paths {
        command.arg(name).arg(path);
    }
    command.arg("--data").arg(cache_folder()?.join("bench"));
    if quick {
        command.arg("--quick");
    }
    if !only.is_empty() {
        command.arg("--only").args(only);
    }
    if clickhouse {
        command.args(["--with", "clickhouse"]);
    }
    let results = step("measuring", || stdout_of(&mut command))?;
    println!("{results}");
    if quick || !only.is_empty() {
        return Ok(());
    }
    write_results(&workspace.root.join("BENCH.md"), &results)
}

/// The transform as a native program, optimised as the component is, which the host's own profile is not.
fn native_program(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    build_program(workspace, &["--profile", "bench", "--package", "lakegate-transform"], name)
}

/// Compiles a bench program and returns its path, which cargo alone knows.
///
/// Binaries that are measured beside it are selected in the same call: tests' dependencies change features,
/// and two calls would compile wasmtime twice.
fn build_program(workspace: &Workspace, selection: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked"]).args(selection).args(["--bench", name]);
    let text = stdout_of(cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit()))?;
    let mut programs = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        if message["target"]["name"] != name {
            return None;
        }
        message["executable"].as_str().map(PathBuf::from)
    });
    programs.next_back().with_context(|| format!("cargo built no program for the bench {name}"))
}

/// Puts the results between the markers.
fn write_results(path: &Path, results: &str) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(((head, _), (_, tail))) = text.split_once(BEGIN).zip(text.split_once(END)) else {
        bail!("{} lacks its markers {BEGIN} and {END}", path.display());
    };
    std::fs::write(path, format!("{head}{BEGIN}\n{}\n{END}{tail}", results.trim()))
        .with_context(|| format!("cannot write {}", path.display()))
}
