//! `cargo xtask torture`: the schedules of `tests/e2e/torture.rs` for longer, with their report.
//!
//! The same runs in every test, for as long as each fault point takes and a few rounds at random.

use anyhow::{Context, Result, ensure};

use crate::component::{SHIPPED, component_of};
use crate::programs::Profile;
use crate::workspace::{Workspace, step};

/// Every fault point, then at random for so many minutes.
pub fn torture(workspace: &Workspace, minutes: u64, seed: u64, only: Option<&str>) -> Result<()> {
    step("component", || component_of(workspace, Profile::Dev, SHIPPED))?;
    let mut cargo = workspace.cargo();
    // The workspace as a whole, as `cargo xtask test` selects it: nothing is compiled twice.
    cargo.args(["test", "--workspace", "--locked", "--test", "e2e", "--", "--nocapture", "torture::"]);
    cargo.env("LAKEGATE_NEEDS_COMPONENT", "1");
    cargo.env("LAKEGATE_TORTURE_MINUTES", minutes.to_string());
    cargo.env("LAKEGATE_TORTURE_SEED", seed.to_string());
    if let Some(only) = only {
        cargo.env("LAKEGATE_TORTURE_ONLY", only);
    }
    let status = cargo.status().context("cannot start the tests")?;
    ensure!(status.success(), "something was lost, doubled or stuck: see above");
    Ok(())
}
