//! `cargo xtask reproduce`: proves that the component's bytes depend on the sources only.
//!
//! Not part of `cargo xtask test`: it compiles the component twice from nothing. The one decision to
//! know: two copies of the checkout in folders of different name and depth, each with its own target
//! folder, must give the same digest.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::component::{SHIPPED, encoded, encoder};
use crate::programs::Profile;
use crate::workspace::{Workspace, stdout_of, step};

/// Builds the component in two folders and compares the digests.
pub fn reproduce(workspace: &Workspace) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let encoder = encoder(workspace, Profile::Dev)?;
    let mut digests = Vec::new();
    for name in ["one", "another/place, with a longer name"] {
        let root = scratch.path().join(name);
        copy_checkout(workspace, &root)?;
        let copy = Workspace { target: scratch.path().join(format!("target {}", digests.len())), root };
        digests.push(
            step(&format!("component in {}", copy.root.display()), || encoded(&copy, &encoder, SHIPPED))?
                .digest,
        );
    }
    if digests[0] != digests[1] {
        bail!("the component differs between two folders: {} and {}", digests[0], digests[1]);
    }
    println!("reproducible: {}", digests[0]);
    Ok(())
}

/// Copies what git would put into a commit now: tracked and new files, but nothing ignored.
fn copy_checkout(workspace: &Workspace, to: &Path) -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&workspace.root);
    for name in stdout_of(&mut git)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (workspace.root.join(name), to.join(name));
        if !from.is_file() {
            continue; // deleted, but still in the index
        }
        let folder = to.parent().context("a file without a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
