//! The programs of the workspace, as cargo builds them: what every task that needs one shares.
//!
//! Cargo settles the features of dependencies over all packages that one call selects. So every call of a
//! task selects the same packages ([`Profile::selection`]) and names only the programs that it wants: another
//! selection would compile wasmtime and its like twice.

use std::path::PathBuf;

use anyhow::Result;

use crate::workspace::{Workspace, run};

/// How the `lakegate` binary is compiled. The component is always built with its own profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build, and no more than a lake in a folder needs: neither AWS nor the page.
    Demo,
    /// Quick to build.
    Dev,
    /// As shipped.
    Release,
}

impl Profile {
    /// The packages and features that cargo selects.
    fn selection(self) -> &'static [&'static str] {
        match self {
            Self::Demo => &[
                "--package",
                COMMAND,
                "--package",
                "lakegate-builder",
                "--no-default-features",
                "--features",
                "lakegate-builder/encode",
            ],
            // The same set of crates as `cargo test --workspace`.
            Self::Dev => &["--workspace"],
            Self::Release => &["--release", "--package", COMMAND, "--package", "lakegate-builder"],
        }
    }

    /// Cargo's folder below the target folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Demo | Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// The package of the `lakegate` binary.
pub const COMMAND: &str = "lakegate-cli";
/// The package of the `bootstrap` binary, which AWS Lambda starts.
pub const LAMBDA: &str = "lakegate-lambda";

/// Builds `lakegate`, whose path it returns; in the development profile `bootstrap` beside it.
pub fn programs(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let names: &[&str] = if profile == Profile::Dev { &["lakegate", "bootstrap"] } else { &["lakegate"] };
    binary(workspace, profile, names)
}

/// Builds `bootstrap` as shipped, by itself: selected together with the command, which compiles components, it
/// would link a compiler that it never uses.
pub fn bootstrap(workspace: &Workspace) -> Result<PathBuf> {
    run(workspace.cargo().args([
        "build",
        "--locked",
        "--release",
        "--package",
        LAMBDA,
        "--bin",
        "bootstrap",
    ]))?;
    Ok(workspace.program("release", "bootstrap"))
}

/// Builds programs and returns the path of the first.
pub fn binary(workspace: &Workspace, profile: Profile, names: &[&str]) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked"]).args(profile.selection());
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    run(&mut cargo)?;
    Ok(workspace.program(profile.folder(), names.first().copied().unwrap_or_default()))
}
