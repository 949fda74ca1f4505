//! Where things are, and how other programs are started: what every task shares.
//!
//! Not for anything a single task needs. The target folder is asked from
//! cargo and then handed to every child as `CARGO_TARGET_DIR`, so that cargo, the host's build script
//! and these tasks always mean the same folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The checkout and the folder cargo builds into.
pub struct Workspace {
    /// Top of the checkout, absolute.
    pub root: PathBuf,
    /// Cargo's target folder, absolute.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo where the workspace and its target folder are.
    pub fn find() -> Result<Workspace> {
        // Set by `cargo run`; the compiled-in path could be that of another checkout with the same target folder.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("xtask has no parent folder")?;
        let mut command = Command::new(cargo_program());
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let text = stdout_of(&mut command)?;
        let metadata: serde_json::Value =
            serde_json::from_str(&text).context("`cargo metadata` did not answer with JSON")?;
        let folder = |key: &str| -> Result<PathBuf> {
            Ok(PathBuf::from(
                metadata[key].as_str().with_context(|| format!("`cargo metadata` lacks {key}"))?,
            ))
        };
        Ok(Workspace { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// A cargo command in this workspace.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).stdin(Stdio::null());
        command
    }

    /// Where an encoded component lies; the host's build script embeds `lakegate` from there.
    pub fn component(&self, name: &str) -> PathBuf {
        self.target.join("component").join(format!("{name}.wasm"))
    }

    /// A binary in a cargo profile folder (`debug` or `release`).
    pub fn program(&self, folder: &str, name: &str) -> PathBuf {
        self.target.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A file or folder below the checkout's `tests`.
    pub fn tests(&self, name: &str) -> PathBuf {
        self.root.join("tests").join(name)
    }
}

/// Where files live that outlast a checkout: `$XDG_CACHE_HOME/lakegate`, else `~/.cache/lakegate`.
pub fn cache_folder() -> Result<PathBuf> {
    if let Some(cache) = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(cache).join("lakegate"));
    }
    let home = std::env::home_dir().context("no home folder: set XDG_CACHE_HOME")?;
    Ok(home.join(".cache").join("lakegate"))
}

/// Runs a command with its output shown, and fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns its standard output as text; standard error is shown.
pub fn stdout_of(command: &mut Command) -> Result<String> {
    let output = output_of(command.stderr(Stdio::inherit()))?;
    if !output.status.success() {
        bail!("{} failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not answer in UTF-8", shown(command)))
}

/// Runs a command with its output caught, whatever its exit code.
pub fn output_of(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    child.wait_with_output().with_context(|| format!("cannot wait for {}", shown(command)))
}

/// Runs one named step and says on standard error how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("── {name}");
    let begun = Instant::now();
    let answer = work()?;
    eprintln!("   {name}: {:.1} s", begun.elapsed().as_secs_f64());
    Ok(answer)
}

/// Bytes for people: `3.9 MB`, `812 kB`.
pub fn human(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// The cargo that runs this task, so that the toolchain is the same.
fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(name).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}
