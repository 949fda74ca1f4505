//! Stand-ins for AWS on this machine, for the tests of storage, catalog and notices that want an endpoint.
//!
//! Not for the tests in `tests/e2e/aws.rs`, which start their own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Stand-ins that run; they stop when this is dropped, since they hang on a pipe that it holds open.
pub struct Peers {
    /// URL of MiniStack, which has S3, Glue, SNS and SQS.
    pub ministack: String,
    child: Child,
}

impl Peers {
    /// Starts them and waits until they answer.
    pub fn start(workspace: &Workspace, python: &Path) -> Result<Self> {
        let mut command = Command::new(python);
        command.arg(workspace.tests("python").join("aws_peers.py")).arg("--open");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the stand-ins for AWS")?;
        let mut line = String::new();
        let said = child.stdout.take().context("the stand-ins for AWS have no output")?;
        BufReader::new(said).read_line(&mut line).context("the stand-ins for AWS say nothing")?;
        let places: serde_json::Value = serde_json::from_str(&line)
            .context("the stand-ins for AWS do not start; their words are above")?;
        let ministack = places["ministack"].as_str().context("there is no MiniStack")?.to_owned();
        Ok(Self { ministack, child })
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}
