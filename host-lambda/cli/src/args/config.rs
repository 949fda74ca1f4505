//! The configuration of deployed pipelines, as a file on the command line.

use clap::Args;
use std::path::PathBuf;

/// The configuration to act through.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArg {
    /// Configuration of the pipelines [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
