//! `cargo xtask setup`: the Wasm target and a Python environment with DuckDB, pyarrow, pandas, Polars, and
//! local stand-ins for AWS.
//!
//! Not for anything `lakegate` needs at run time. An environment lives in the cache folder, keyed by the digest
//! of its requirements, so that checkouts share it and a changed pin makes a new one; a marker file written last
//! says that it is complete. The demo has a small one of its own, unless the whole one is there; the programs that
//! judge a rendered stack have two, since their pins clash with the tests' and with each other's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::component::ensure_target;
use crate::web;
use crate::workspace::{Workspace, cache_folder, output_of, run};

/// Oldest Python for which the pinned packages have wheels.
const PYTHON_MINOR_MIN: u32 = 11;

/// Makes sure of everything the other tasks need and returns the environment's Python.
pub fn setup(workspace: &Workspace) -> Result<PathBuf> {
    ensure_target(workspace)?;
    python_environment(workspace)
}

/// As [`setup`], for the demo: the Python returned has DuckDB and perhaps nothing else.
pub fn setup_demo(workspace: &Workspace) -> Result<PathBuf> {
    ensure_target(workspace)?;
    let whole = Environment::of(workspace, &WHOLE)?;
    if whole.is_complete() {
        return Ok(whole.python);
    }
    environment(workspace, &DEMO)
}

/// The folder with cargo-zigbuild and its linker, which are only wanted for packaging.
pub fn zig_tools(workspace: &Workspace) -> Result<PathBuf> {
    let python = python_environment(workspace)?;
    let folder = programs(&python)?;
    if !folder.join("cargo-zigbuild").is_file() {
        install(&python, &workspace.tests("python").join("requirements-package.txt"))?;
    }
    Ok(folder)
}

/// The folders with `cfn-lint` and `sam`, `checkov`, and `asl-validator`, which are only wanted for judging a
/// rendered stack: 630 MB, and two minutes where nothing is there yet.
pub fn stack_tools(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let templates = environment(workspace, &TEMPLATES)?;
    let policies = environment(workspace, &POLICIES)?;
    Ok(vec![programs(&templates)?, programs(&policies)?, web::programs(workspace)?])
}

/// Where an environment has its programs: beside its Python.
fn programs(python: &Path) -> Result<PathBuf> {
    Ok(python.parent().context("the Python environment has no folder")?.to_owned())
}

/// What an environment is made of.
struct Kind {
    /// A file of `tests/python`.
    requirements: &'static str,
    /// Modules that must be there.
    imports: &'static str,
}

const WHOLE: Kind = Kind {
    requirements: "requirements.txt",
    imports: "boto3, duckdb, microburst, ministack, moto, pandas, polars, pyarrow, samtranslator, sqlglot",
};
const DEMO: Kind = Kind { requirements: "requirements-demo.txt", imports: "duckdb" };
const TEMPLATES: Kind = Kind { requirements: "requirements-stack.txt", imports: "cfnlint, samcli" };
const POLICIES: Kind = Kind { requirements: "requirements-checkov.txt", imports: "checkov" };

/// Where an environment is, made or not.
struct Environment {
    requirements: PathBuf,
    folder: PathBuf,
    python: PathBuf,
    /// The marker.
    complete: PathBuf,
    imports: &'static str,
}

impl Environment {
    fn of(workspace: &Workspace, kind: &Kind) -> Result<Self> {
        let requirements = workspace.tests("python").join(kind.requirements);
        let text = std::fs::read(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let key = hex::encode(Sha256::digest(&text));
        let folder = cache_folder()?.join(format!("venv-{}", &key[..12]));
        let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        let complete = folder.join("complete");
        Ok(Self { requirements, folder, python, complete, imports: kind.imports })
    }

    /// Whether it was made to the end and still starts: its base Python may have been removed.
    fn is_complete(&self) -> bool {
        let asked =
            || output_of(Command::new(&self.python).args(["-c", &format!("import {}", self.imports)]));
        self.complete.is_file() && asked().is_ok_and(|output| output.status.success())
    }
}

fn python_environment(workspace: &Workspace) -> Result<PathBuf> {
    environment(workspace, &WHOLE)
}

/// The environment's Python; makes the environment when it is missing or incomplete.
fn environment(workspace: &Workspace, kind: &Kind) -> Result<PathBuf> {
    let environment = Environment::of(workspace, kind)?;
    let folder = &environment.folder;
    let cache = folder.parent().context("the cache folder has no parent")?;
    std::fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // Two tasks at once must not build into one folder; the lock ends with the process.
    let lock = std::fs::File::create(folder.with_extension("lock")).context("cannot make the lock file")?;
    lock.lock().context("cannot lock the Python environment")?;
    if !environment.is_complete() {
        make_environment(folder, &environment.python, &environment.requirements)?;
        std::fs::write(&environment.complete, "")
            .context("cannot mark the Python environment as complete")?;
    }
    Ok(environment.python)
}

fn make_environment(folder: &Path, python: &Path, requirements: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    eprintln!("   making the Python environment {} (once)", folder.display());
    let system = find_python()?;
    run(Command::new(system).args(["-m", "venv"]).arg(folder))
        .context("cannot make a Python environment; on Debian and Ubuntu install the package python3-venv")?;
    install(python, requirements)
}

pub fn install(python: &Path, requirements: &Path) -> Result<()> {
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
    run(Command::new(python).args(pip).args(["--quiet", "--requirement"]).arg(requirements))
        .context("cannot install the Python packages")
}

/// A Python on the search path that is new enough.
fn find_python() -> Result<&'static str> {
    for name in ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"] {
        let mut ask = Command::new(name);
        ask.args(["-c", &format!("import sys; sys.exit(sys.version_info < (3, {PYTHON_MINOR_MIN}))")]);
        if output_of(&mut ask).is_ok_and(|output| output.status.success()) {
            return Ok(name);
        }
    }
    bail!("no Python 3.{PYTHON_MINOR_MIN} or newer on the search path; install one and try again")
}

#[cfg(test)]
mod tests {
    /// A pin that stands twice says the same twice.
    #[test]
    fn the_demo_has_what_the_tests_have() {
        let whole = include_str!("../../tests/python/requirements.txt");
        let demo = include_str!("../../tests/python/requirements-demo.txt");
        for pin in demo.lines().filter(|line| !line.starts_with('#')) {
            assert!(whole.lines().any(|line| line == pin), "{pin}");
        }
    }
}
