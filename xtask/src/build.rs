//! `cargo xtask build`: the component and the browser page, then the `lakegate` binary that carries both.
//!
//! Not for tests. The last line on standard output is the path of the binary and nothing else is written
//! there, so that scripts can use it.

use std::path::PathBuf;

use anyhow::Result;

use crate::component::component;
use crate::programs::{Profile, programs};
use crate::web::carry;
use crate::workspace::{Workspace, step};

/// Builds everything, the browser page too, and returns the path of the `lakegate` binary.
pub fn build_all(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    step("component", || component(workspace, profile))?;
    step("browser page", || carry(workspace, profile))?;
    step("lakegate", || programs(workspace, profile))
}
