//! `lakegate-encode CORE OUT`: a core module becomes a checked component in a file, which stays untouched where
//! it holds the same bytes already. Says `written` or `unchanged`. For `cargo xtask component`.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [core, out] = arguments.as_slice() else { bail!("usage: lakegate-encode CORE OUT") };
    let bytes = lakegate_builder::encode(core)?;
    lakegate_builder::check(&bytes)?;
    let written = lakegate_builder::write_if_changed(out, &bytes)?;
    println!("{}", if written { "written" } else { "unchanged" });
    Ok(())
}
