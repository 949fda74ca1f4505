//! `cargo xtask component`: the transform crate → core module → component without imports.
//!
//! Not for the `lakegate` binary (`build.rs`). The one decision to know: nothing of the machine enters
//! the bytes. Paths of the checkout, cargo's home and the toolchain are remapped, the hash seed is
//! fixed in `.cargo/config.toml`, and `RUSTFLAGS` of the caller are dropped, so that the same sources
//! give the same digest everywhere (`reproduce.rs` proves it).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use wit_component::{ComponentEncoder, DecodedWasm};

use crate::workspace::{Workspace, human, run, stdout_of};

/// The only target a component is built for.
const TARGET: &str = "wasm32-unknown-unknown";

/// An encoded component that was written to disk.
pub struct Component {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
}

/// Builds, encodes, checks and writes the component; prints its size and digest on standard error.
pub fn component(workspace: &Workspace) -> Result<Component> {
    ensure_target()?;
    let core = build_core(workspace)?;
    let bytes = encode(&core)?;
    check_imports(&bytes)?;
    let path = workspace.component();
    let changed = write_if_changed(&path, &bytes)?;
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
pub fn ensure_target() -> Result<()> {
    let libraries = sysroot()?.join("lib").join("rustlib").join(TARGET).join("lib");
    if libraries.is_dir() {
        return Ok(());
    }
    eprintln!("   adding the target {TARGET}");
    run(Command::new("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("the toolchain lacks {TARGET}; install it with `rustup target add {TARGET}`")
    })
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(stdout_of(Command::new("rustc").args(["--print", "sysroot"]))?.trim()))
}

/// Compiles the transform crate as a cdylib and returns the core module's path.
fn build_core(workspace: &Workspace) -> Result<PathBuf> {
    let flags: Vec<String> =
        remaps(workspace)?.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
    let config = format!("target.{TARGET}.rustflags={}", serde_json::to_string(&flags)?);
    let mut cargo = workspace.cargo();
    // Given as configuration, the flags join those of `.cargo/config.toml`; as `RUSTFLAGS` they would replace them.
    cargo.args(["rustc", "--package", "lakegate-transform", "--lib", "--locked", "--target", TARGET]);
    cargo.args(["--profile", "component", "--crate-type", "cdylib", "--config", &config]);
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut cargo)?;
    Ok(workspace.target.join(TARGET).join("component").join("lakegate_transform.wasm"))
}

/// Paths of this machine and what stands for them in panic messages.
fn remaps(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let home = std::env::home_dir().context("no home folder")?;
    let or_home =
        |name: &str, folder: &str| std::env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from);
    let version = stdout_of(Command::new("rustc").arg("-vV"))?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    // rustc takes the last prefix that matches: the widest come first.
    let pairs = [
        (or_home("CARGO_HOME", ".cargo"), "/cargo".to_string()),
        (or_home("RUSTUP_HOME", ".rustup"), "/rustup".to_string()),
        // Where rust-src is installed, std's paths point into it instead of the published prefix.
        (sysroot()?.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
        (workspace.target.clone(), "/target".to_string()),
        (workspace.root.clone(), "/lakegate".to_string()),
    ];
    pairs
        .into_iter()
        .map(|(from, to)| {
            Ok((from.to_str().with_context(|| format!("{} is not UTF-8", from.display()))?.to_string(), to))
        })
        .collect()
}

/// Core module → component, validated.
fn encode(core: &Path) -> Result<Vec<u8>> {
    let module = std::fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .context("the core module has no usable component type section")?
        .encode()
        .context("the core module does not fit its WIT world")
}

/// Fails with the list when the component imports anything at all.
fn check_imports(bytes: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes)? else {
        bail!("the encoder did not make a component");
    };
    let world = &resolve.worlds[world];
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

/// Leaves the file alone when it holds these bytes already, so that cargo rebuilds nothing.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let folder = path.parent().context("the component's path has no folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Written beside and renamed: a build script that runs now sees the old file or the new one.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

fn gzip_size(bytes: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len() as u64)
}
