//! `cargo xtask build`: the component and the browser page, then the `lakegate` binary that carries both.
//!
//! Not for tests. The one decision to know: the last line on standard output is the path of the
//! binary and nothing else is written there, so that scripts can use it.

use std::path::PathBuf;

use anyhow::Result;

use crate::component::component;
use crate::web::carry;
use crate::workspace::{Workspace, run, step};

/// How the `lakegate` binary is compiled. The component is always built with its own profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Dev,
    /// As shipped.
    Release,
}

/// Builds everything, the browser page too, and returns the path of the `lakegate` binary.
pub fn build_all(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    step("component", || component(workspace))?;
    step("browser page", || carry(workspace))?;
    step("lakegate", || programs(workspace, profile))
}

/// Builds what needs no page and returns the path of the `lakegate` binary.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    step("component", || component(workspace))?;
    step("lakegate", || programs(workspace, profile))
}

/// Builds `lakegate`, whose path it returns, and `bootstrap` beside it.
pub fn programs(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--bin", "lakegate", "--bin", "bootstrap"]);
    let folder = match profile {
        // The same set of crates as `cargo test --workspace`: other features would compile all twice.
        Profile::Dev => {
            cargo.arg("--workspace");
            "debug"
        }
        Profile::Release => {
            cargo.args(["--release", "--package", "lakegate-cli", "--package", "lakegate-lambda"]);
            "release"
        }
    };
    run(&mut cargo)?;
    Ok(workspace.lakegate(folder))
}
