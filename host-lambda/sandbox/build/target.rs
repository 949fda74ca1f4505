//! Where `cargo xtask` puts what build scripts embed.

use std::path::{Path, PathBuf};

/// The target folder: OUT_DIR is `<target>/[<triple>/]<profile>/build/<crate>/out`.
pub fn target_folder(out: &Path) -> Option<PathBuf> {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"))?;
    let profile = build.parent()?;
    let target = profile.parent()?;
    // With `--target` there is one more folder; the target folder is the one that holds CACHEDIR.TAG.
    let root = if target.join("CACHEDIR.TAG").exists() { target } else { target.parent().unwrap_or(target) };
    let root = if root.join("CACHEDIR.TAG").exists() { root } else { target };
    Some(root.to_owned())
}
