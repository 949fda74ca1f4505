//! `cargo xtask setup`: the Wasm target and a Python environment with DuckDB, pyarrow, pandas, Polars, and
//! local stand-ins for AWS.
//!
//! Not for anything `lakegate` needs at run time. The one decision to know: the environment lives in the
//! cache folder, keyed by the digest of `requirements.txt`, so that checkouts share it and a changed pin
//! makes a new one; a marker file written last says that it is complete.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::component::ensure_target;
use crate::workspace::{Workspace, cache_folder, output_of, run};

/// Oldest Python for which the pinned packages have wheels.
const PYTHON_MINOR_MIN: u32 = 11;

/// Makes sure of everything the other tasks need and returns the environment's Python.
pub fn setup(workspace: &Workspace) -> Result<PathBuf> {
    ensure_target(workspace)?;
    python_environment(workspace)
}

/// The folder with cargo-zigbuild and its linker, which are only wanted for packaging.
pub fn zig_tools(workspace: &Workspace) -> Result<PathBuf> {
    let python = python_environment(workspace)?;
    let folder = python.parent().context("the Python environment has no folder")?;
    if !folder.join("cargo-zigbuild").is_file() {
        install(&python, &workspace.tests("python").join("requirements-package.txt"))?;
    }
    Ok(folder.to_owned())
}

/// The environment's Python; makes the environment when it is missing or incomplete.
fn python_environment(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.tests("python").join("requirements.txt");
    let text =
        std::fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let key = hex::encode(Sha256::digest(&text));
    let folder = cache_folder()?.join(format!("venv-{}", &key[..12]));
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let complete = folder.join("complete");
    let cache = folder.parent().context("the cache folder has no parent")?;
    std::fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // Two tasks at once must not build into one folder; the lock ends with the process.
    let lock = std::fs::File::create(folder.with_extension("lock")).context("cannot make the lock file")?;
    lock.lock().context("cannot lock the Python environment")?;
    if !complete.is_file() || !works(&python) {
        make_environment(&folder, &python, &requirements)?;
        std::fs::write(&complete, &key).context("cannot mark the Python environment as complete")?;
    }
    Ok(python)
}

fn make_environment(folder: &Path, python: &Path, requirements: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    eprintln!("   making the Python environment {} (once, about a minute)", folder.display());
    let system = find_python()?;
    run(Command::new(system).args(["-m", "venv"]).arg(folder))
        .context("cannot make a Python environment; on Debian and Ubuntu install the package python3-venv")?;
    install(python, requirements)
}

fn install(python: &Path, requirements: &Path) -> Result<()> {
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

/// Whether the environment still starts (its base Python may have been removed).
fn works(python: &Path) -> bool {
    output_of(
        Command::new(python)
            .args(["-c", "import boto3, duckdb, microburst, ministack, moto, pandas, polars, pyarrow"]),
    )
    .is_ok_and(|output| output.status.success())
}
