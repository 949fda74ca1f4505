//! The `lakegate` command as a process.
//!
//! For: tests of what a person at a terminal or a script sees. The decision to know: the binary is
//! `LAKEGATE_BIN` where set, else it is built by cargo beside the test executable, so no test runs an
//! old one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// What a run of the command came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code; none when killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

/// Path of the binary.
///
/// # Panics
/// Where it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("LAKEGATE_BIN").map_or_else(build, PathBuf::from))
}

/// Builds into the target folder that this test runs from (`TARGET/debug/deps/e2e-…`).
fn build() -> PathBuf {
    let exe = std::env::current_exe().expect("path of the test");
    let profile = exe.parent().and_then(Path::parent).expect("a target folder").to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "-p", "lakegate-cli", "--bin", "lakegate"])
        .args(if profile.ends_with("release") { &["--release"][..] } else { &[] })
        .env("CARGO_TARGET_DIR", profile.parent().expect("a target folder"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the lakegate binary does not build");
    profile.join("lakegate")
}

/// Runs the command in a folder.
///
/// # Panics
/// Where it cannot be started.
pub fn lakegate(folder: &Path, args: &[&str]) -> Ran {
    with(folder, args, &[])
}

/// Runs the command in a folder with environment variables.
///
/// # Panics
/// Where it cannot be started.
pub fn with(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(binary());
    command.args(args).current_dir(folder).envs(environment.iter().copied());
    ran(command.output().expect("lakegate starts"))
}

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command writes UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
