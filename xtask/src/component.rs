//! `cargo xtask component`: the transform crate, or another one, as a component without imports.
//!
//! Not for the `lakegate` binary (`build.rs`). How a component is compiled stands in `lakegate-builder`, which
//! `lakegate build` uses too; it is encoded by a program of that crate, built together with what the task at
//! hand builds anyway.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use lakegate_builder::{self as builder, Crate, TARGET};
use sha2::{Digest, Sha256};

use crate::programs::{Profile, binary};
use crate::workspace::{Workspace, human, run, stdout_of};

/// The crate of the shipped component.
pub const SHIPPED: &str = "lakegate-transform";

/// An encoded component that was written to disk.
pub struct Component {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
}

/// The shipped component: as [`component_of`].
pub fn component(workspace: &Workspace, profile: Profile) -> Result<Component> {
    component_of(workspace, profile, SHIPPED)
}

/// Builds, encodes, checks and writes the component of a package of the workspace; prints its size and
/// digest on standard error. The profile is the encoder's: a component has a profile of its own.
pub fn component_of(workspace: &Workspace, profile: Profile, package: &str) -> Result<Component> {
    let encoder = encoder(workspace, profile)?;
    encoded(workspace, &encoder, package)
}

/// The program that encodes.
pub fn encoder(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    binary(workspace, profile, &["lakegate-encode"])
}

/// As [`component_of`], by an encoder that is built already.
pub fn encoded(workspace: &Workspace, encoder: &Path, package: &str) -> Result<Component> {
    ensure_target(workspace)?;
    let arguments: &[&str] =
        if package == SHIPPED { &["--locked", "--features", "component"] } else { &["--locked"] };
    let (root, target) = (&workspace.root, &workspace.target);
    let core = builder::compile(&Crate { folder: root, package, checkout: root, target, arguments })?;
    let path = workspace.component(if package == SHIPPED { "lakegate" } else { package });
    let said = stdout_of(Command::new(encoder).arg(&core).arg(&path))?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let digest = hex::encode(Sha256::digest(&bytes));
    eprintln!(
        "   component {}: {} ({} as gzip), no imports, sha256 {digest}, {}",
        path.display(),
        human(bytes.len() as u64),
        human(gzip_size(&bytes)?),
        said.trim(),
    );
    Ok(Component { path, digest })
}

/// Adds the Wasm target to the pinned toolchain when it is missing: with `RUSTUP_AUTO_INSTALL=0`
/// `rust-toolchain.toml` alone does not fetch it.
pub fn ensure_target(workspace: &Workspace) -> Result<()> {
    if builder::has_target(&workspace.root)? {
        return Ok(());
    }
    eprintln!("   adding the target {TARGET}");
    run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(&workspace.root)).with_context(
        || format!("the toolchain lacks {TARGET}; install it with `rustup target add {TARGET}`"),
    )
}

fn gzip_size(bytes: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len() as u64)
}
