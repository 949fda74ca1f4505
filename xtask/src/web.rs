//! `cargo xtask web`: the browser preview, from the shipped component.
//!
//! Not for how its pieces are made: those are npm scripts of `web-demo`, which also run alone. The one decision to
//! know: packages are installed from the lock file only, and only when it changed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::component::{component, ensure_target};
use crate::workspace::{Workspace, run};

/// Builds the page; answers with the folder to serve.
pub fn web(workspace: &Workspace) -> Result<PathBuf> {
    let component = component(workspace)?;
    ensure_target(workspace)?;
    install(workspace)?;
    run(npm(workspace).args(["run", "--silent", "build"]).env("LAKEGATE_COMPONENT", component.path))?;
    Ok(folder(workspace).join("dist").join("site"))
}

/// Debian's browser, from its packages where this may install them; a hint where it may not.
pub fn ensure_browser() -> Result<()> {
    let named =
        std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    if named.is_file() {
        return Ok(());
    }
    let apt =
        |args: &[&str]| run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update", "--quiet"])
        .and_then(|()| apt(&["install", "--yes", "--quiet", "--no-install-recommends", "chromium"]))
        .context(
            "the page's tests need a browser: `apt-get install chromium`, or CHROMIUM with the path of one",
        )
}

/// The page's own tests; the last line begins with `page result:`.
pub fn tests(workspace: &Workspace) -> Command {
    let mut command = npm(workspace);
    command.args(["run", "--silent", "test"]);
    command
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("web-demo")
}

fn npm(workspace: &Workspace) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder(workspace)).env("CARGO_TARGET_DIR", &workspace.target);
    command
}

/// `npm ci`, unless the lock file is the one that was installed from.
fn install(workspace: &Workspace) -> Result<()> {
    let lock = fs::read(folder(workspace).join("package-lock.json")).context("web-demo has no lock file")?;
    let mark = folder(workspace).join("node_modules").join(".installed-lock.json");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(npm(workspace).args(["ci", "--no-audit", "--no-fund"]))
        .context("the page needs Node.js 20.19 or later with npm (Debian: `apt-get install nodejs npm`)")?;
    fs::write(&mark, lock).with_context(|| format!("cannot write {}", mark.display()))
}
