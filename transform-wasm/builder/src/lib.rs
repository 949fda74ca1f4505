//! A transform's crate → core module → component: the one way, for `lakegate build` and `cargo xtask component`.
//!
//! Nothing of the machine enters the bytes: paths are remapped, the hash seed is fixed, and `RUSTFLAGS` of the
//! caller are dropped, so that the same sources give the same digest everywhere.
//!
//! Encoding links wit-component, which takes longer to compile than all of `xtask`. So it is a feature, and a
//! small program (`lakegate-encode`) that is compiled from the same units as the command.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

#[cfg(feature = "encode")]
mod encode;
#[cfg(feature = "encode")]
pub use encode::{check, encode};

/// The only target a component is built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Relaxed SIMD may round differently on two machines.
const FEATURES: &str = "target-feature=+simd128,+bulk-memory,-relaxed-simd";

/// A crate to build.
#[derive(Clone, Copy, Debug)]
pub struct Crate<'a> {
    /// Its folder, absolute: cargo runs there.
    pub folder: &'a Path,
    /// Name of its package.
    pub package: &'a str,
    /// The checkout that holds `transform-wasm`, absolute.
    pub checkout: &'a Path,
    /// Cargo's target folder, absolute.
    pub target: &'a Path,
    /// More arguments of `cargo rustc`.
    pub arguments: &'a [&'a str],
}

/// The cargo that started this program, so that the toolchain is the same; else the one on the path.
#[must_use]
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Whether the toolchain of a folder has the Wasm target.
///
/// # Errors
/// There is no `rustc`.
pub fn has_target(folder: &Path) -> Result<bool> {
    Ok(sysroot(folder)?.join("lib").join("rustlib").join(TARGET).join("lib").is_dir())
}

/// Compiles the crate's library as a core module; cargo talks on standard error. The module's path.
///
/// # Errors
/// It does not compile.
pub fn compile(of: &Crate<'_>) -> Result<PathBuf> {
    // The same for every crate of a target folder, so that dependencies are compiled once.
    let mut flags = vec!["-C".to_owned(), FEATURES.to_owned()];
    flags.extend(remaps(of)?);
    let config = format!("target.{TARGET}.rustflags={}", serde_json::to_string(&flags)?);
    let mut command = cargo();
    command.args(["rustc", "--package", of.package, "--lib", "--target", TARGET]);
    command.args(["--profile", "component", "--crate-type", "cdylib", "--config", &config]);
    command.args(of.arguments);
    if !of.folder.starts_with(of.checkout) {
        command.args(["--", &remap(of.folder, "/transform")?]);
    }
    command.current_dir(of.folder).stdin(Stdio::null()).stdout(std::io::stderr());
    command.env("CARGO_TARGET_DIR", of.target);
    // ahash's const-random would make two clean builds differ.
    command.env("CONST_RANDOM_SEED", "lakegate");
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the crate {} does not compile as a component", of.package);
    }
    let file = format!("{}.wasm", of.package.replace('-', "_"));
    Ok(of.target.join(TARGET).join("component").join(file))
}

/// Paths of this machine and what stands for them in panic messages.
fn remaps(of: &Crate<'_>) -> Result<Vec<String>> {
    let home = std::env::home_dir().context("no home folder")?;
    let or_home =
        |name: &str, folder: &str| std::env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from);
    let version = rustc(of.folder, &["-vV"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    // rustc takes the last prefix that matches: the widest come first.
    [
        (or_home("CARGO_HOME", ".cargo"), "/cargo".to_owned()),
        (or_home("RUSTUP_HOME", ".rustup"), "/rustup".to_owned()),
        // Where rust-src is installed, std's paths point into it instead of the published prefix.
        (sysroot(of.folder)?.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
        (of.target.to_owned(), "/target".to_owned()),
        (of.checkout.to_owned(), "/lakegate".to_owned()),
    ]
    .iter()
    .map(|(from, to)| remap(from, to))
    .collect()
}

fn remap(from: &Path, to: &str) -> Result<String> {
    let from = from.to_str().with_context(|| format!("{} is not UTF-8", from.display()))?;
    Ok(format!("--remap-path-prefix={from}={to}"))
}

fn sysroot(folder: &Path) -> Result<PathBuf> {
    Ok(PathBuf::from(rustc(folder, &["--print", "sysroot"])?.trim()))
}

/// The answer of the compiler that cargo takes in a folder.
fn rustc(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new("rustc").args(arguments).current_dir(folder).output().context("cannot start rustc")?;
    if !output.status.success() {
        bail!("rustc failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("rustc did not answer in UTF-8")
}

/// Leaves the file alone when it holds these bytes already, so that cargo rebuilds nothing; false then.
///
/// # Errors
/// The file cannot be written.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
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
