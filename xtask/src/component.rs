//! `cargo xtask component`: the transform crate, or another one, as a component without imports.
//!
//! Not for the `lakegate` binary (`build.rs`). The one decision to know: how a component is compiled stands in
//! a file of the host, which `lakegate build` uses too; only what is around it is here.

#[path = "../../host-lambda/cli/src/verb/build/component.rs"]
mod crates;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use wit_component::DecodedWasm;

use crate::workspace::{Workspace, human, run};

use self::crates::{Crate, TARGET};

/// The crate of the shipped component.
const SHIPPED: &str = "lakegate-transform";

/// An encoded component that was written to disk.
pub struct Component {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
}

/// The shipped component: as [`component_of`].
pub fn component(workspace: &Workspace) -> Result<Component> {
    component_of(workspace, SHIPPED)
}

/// Builds, encodes, checks and writes the component of a package of the workspace; prints its size and
/// digest on standard error.
pub fn component_of(workspace: &Workspace, package: &str) -> Result<Component> {
    ensure_target(workspace)?;
    let arguments: &[&str] =
        if package == SHIPPED { &["--locked", "--features", "component"] } else { &["--locked"] };
    let (root, target) = (&workspace.root, &workspace.target);
    let core = crates::compile(&Crate { folder: root, package, checkout: root, target, arguments })?;
    let bytes = crates::encode(&core)?;
    check_interface(&bytes)?;
    let path = workspace.component(if package == SHIPPED { "lakegate" } else { package });
    let changed = crates::write_if_changed(&path, &bytes)?;
    let digest = hex::encode(Sha256::digest(&bytes));
    eprintln!(
        "   component {}: {} ({} as gzip), no imports, sha256 {digest}{}",
        path.display(),
        human(bytes.len() as u64),
        human(gzip_size(&bytes)?),
        if changed { "" } else { ", unchanged" },
    );
    Ok(Component { path, digest })
}

/// Adds the Wasm target to the pinned toolchain when it is missing: with `RUSTUP_AUTO_INSTALL=0`
/// `rust-toolchain.toml` alone does not fetch it.
pub fn ensure_target(workspace: &Workspace) -> Result<()> {
    if crates::has_target(&workspace.root)? {
        return Ok(());
    }
    eprintln!("   adding the target {TARGET}");
    run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(&workspace.root)).with_context(
        || format!("the toolchain lacks {TARGET}; install it with `rustup target add {TARGET}`"),
    )
}

/// Fails when the component exports nothing, and with the list when it imports anything at all.
fn check_interface(bytes: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes)? else {
        bail!("the encoder did not make a component");
    };
    let world = &resolve.worlds[world];
    if world.exports.is_empty() {
        bail!(
            "the component exports nothing: the crate says `component!` nowhere, or lacks the feature `component`"
        );
    }
    if world.imports.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    bail!(
        "the component must import nothing, but imports: {}\n  \
         hint: a dependency brought them in (wasm-bindgen, WASI); look with `cargo tree --target {TARGET}`",
        names.join(", ")
    )
}

fn gzip_size(bytes: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len() as u64)
}
