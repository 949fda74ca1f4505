//! Stand-ins for AWS on this machine, and the Python cases that run against them.
//!
//! For: `tests/e2e/aws.rs`, and the documents. Not for the storage suite, which brings its own. The decision to know: the
//! stand-ins are started once a test binary and hang on a pipe that this process holds open, so that they go
//! when it goes, however that happens.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::command::binary;

/// Stand-ins that run, and what the cases need besides.
struct Peers {
    ministack: String,
    moto: String,
    python: PathBuf,
    /// Its standard input is the pipe.
    _child: Child,
}

/// Runs one case of `tests/python/aws_cases.py`; skipped where `cargo xtask test` has not prepared it.
///
/// # Panics
/// Where the case fails, with all that it said.
pub fn case(name: &str) {
    let Some(zip) = prepared("LAKEGATE_ZIP") else { return };
    let Some(peers) = peers() else { return };
    let mut command = Command::new(&peers.python);
    command.arg(script("aws_cases.py")).arg(name).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command.args(["--ministack", &peers.ministack, "--moto", &peers.moto]);
    command.arg("--zip").arg(zip).arg("--lakegate").arg(binary());
    let output = command.output().expect("Python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}\n{}{}", text(&output.stdout), text(&output.stderr));
    // What it counted, for who asks to see it.
    print!("{}", text(&output.stdout));
}

/// Names of all cases that there are; none where nothing is prepared.
///
/// # Panics
/// Where they cannot be listed.
pub fn cases() -> Option<Vec<String>> {
    let python = prepared("LAKEGATE_PYTHON")?;
    let mut command = Command::new(python);
    let output = command.arg(script("aws_cases.py")).arg("--list").output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Runs a program of `tests/python` that judges by itself; skipped where `cargo xtask test` has not prepared it.
///
/// # Panics
/// Where it fails, with all that it said.
pub fn judge(name: &str, arguments: &[&OsStr]) {
    let Some(python) = prepared("LAKEGATE_PYTHON") else { return };
    let mut command = Command::new(python);
    command.arg(script(name)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let output = command.output().expect("Python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}\n{}{}", text(&output.stdout), text(&output.stderr));
    print!("{}", text(&output.stdout));
}

/// What `lakegate` and `tests/python/aws_docs.py` need to speak to the stand-in, and the Python to run that with; none
/// where nothing is prepared.
#[must_use]
pub fn environment() -> Option<Vec<(String, String)>> {
    let peers = peers()?;
    let variables = [
        ("AWS_ENDPOINT_URL", peers.ministack.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("PYTHON", peers.python.to_str()?),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    Some(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}

fn peers() -> Option<&'static Peers> {
    static PEERS: OnceLock<Peers> = OnceLock::new();
    // Asked each time, so that each test that is skipped says so.
    let python = prepared("LAKEGATE_PYTHON")?;
    Some(PEERS.get_or_init(|| start(python)))
}

/// The value of a variable that `cargo xtask test` sets; the test is skipped where it is not set.
#[must_use]
pub fn prepared(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os(name).map(PathBuf::from);
    if path.is_none() {
        lakegate_skipped::skipped(&format!("{name} is not set; `cargo xtask test` prepares it"));
    }
    path
}

fn start(python: PathBuf) -> Peers {
    let mut command = Command::new(&python);
    command.arg(script("aws_peers.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python starts");
    let mut line = String::new();
    let said = child.stdout.take().expect("a pipe");
    BufReader::new(said).read_line(&mut line).expect("the stand-ins answer");
    let places: Value = serde_json::from_str(&line).expect("the stand-ins start; their own words are above");
    let place = |name: &str| places[name].as_str().expect("a URL").to_owned();
    Peers { ministack: place("ministack"), moto: place("moto"), python, _child: child }
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}
