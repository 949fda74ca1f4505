//! `cargo xtask dist`: what a release has, as far as this machine can make it, in `dist` of the target folder.
//!
//! Not for publishing it, and not for its provenance, which only a build service can attest. Each machine makes
//! the command for itself (or for one named target that its linker reaches); the machine without a named target
//! also makes the Lambda zips and the bill of materials. What was left out is said with its reason, and nothing
//! is listed in `SHA256SUMS` that is not there. The same sources and tools make the same archive, to the byte.

mod sbom;
mod tar;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::build::build_all;
use crate::component::component;
use crate::package::{self, Processor, Wanted};
use crate::programs::Profile;
use crate::web::carry;
use crate::workspace::{Workspace, human, stdout_of, step};

/// Beside the command in its archive.
const DOCUMENTS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// Makes everything that can be made and prints the folder.
pub fn dist(workspace: &Workspace, target: Option<&str>) -> Result<()> {
    let here = host()?;
    let triple = target.unwrap_or(&here);
    let version = version(workspace)?;
    let folder = workspace.target.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let command = command(workspace, &here, triple)?;
    let name = format!("lakegate-{version}-{triple}");
    write(&folder.join(format!("{name}.tar.gz")), &archive(workspace, &name, &command)?)?;
    let mut left_out =
        vec!["build provenance: only the service that builds a release can attest it".to_owned()];
    if target.is_none() {
        write(
            &folder.join("sbom.cdx.json"),
            &step("bill of materials", || sbom::sbom(workspace, &version))?,
        )?;
        left_out.extend(zips(workspace, &version, &folder));
        left_out.extend(other_machines(&here));
    } else {
        left_out.push("Lambda zips and bill of materials: made where no target is named".to_owned());
    }
    let sums = sums(&folder)?;
    write(&folder.join("SHA256SUMS"), sums.as_bytes())?;
    said(&folder, &left_out)?;
    println!("{}", folder.display());
    Ok(())
}

/// The command for a target, built with the page and the component in it.
fn command(workspace: &Workspace, here: &str, triple: &str) -> Result<PathBuf> {
    if triple == here {
        return build_all(workspace, Profile::Release);
    }
    if !triple.ends_with("-linux-gnu") {
        bail!("{triple} is built on a machine of its own: its linker and libraries are not here");
    }
    step("component", || component(workspace, Profile::Release))?;
    step("browser page", || carry(workspace, Profile::Release))?;
    step("lakegate", || package::link_for_older(workspace, triple, "lakegate"))
}

/// Both zips, each on its own: one that fails leaves the other. The reasons of what was left out.
fn zips(workspace: &Workspace, version: &str, folder: &Path) -> Vec<String> {
    let mut left_out = Vec::new();
    for processor in [Processor::X86_64, Processor::Arm64] {
        let name = format!("lakegate-lambda-{version}-{}.zip", processor.name());
        if !cfg!(target_os = "linux") {
            left_out.push(format!("{name}: made on Linux"));
            continue;
        }
        let wanted = Wanted { processor, dev: false, config: None };
        let made = package::package(workspace, &wanted).and_then(|zip| {
            fs::copy(&zip.path, folder.join(&name)).with_context(|| format!("cannot copy {name}"))
        });
        if let Err(error) = made {
            left_out.push(format!("{name}: {error:#}"));
        }
    }
    left_out
}

/// Commands of the release that other machines make.
fn other_machines(here: &str) -> Vec<String> {
    let all = [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ];
    let others = all.into_iter().filter(|triple| *triple != here);
    let how = |triple: &str| match (triple.contains("linux"), cfg!(target_os = "linux")) {
        (true, true) => format!("`cargo xtask dist --target {triple}` makes it"),
        (true, false) => "made on Linux".to_owned(),
        (false, _) => "made on macOS".to_owned(),
    };
    others.map(|triple| format!("command for {triple}: {}", how(triple))).collect()
}

/// The `.tar.gz` of a folder with the command and its documents.
fn archive(workspace: &Workspace, name: &str, command: &Path) -> Result<Vec<u8>> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let program = command.file_name().context("the command has no name")?.to_string_lossy().into_owned();
    let mut entries =
        vec![tar::Entry { name: format!("{name}/{program}"), program: true, bytes: read(command)? }];
    for document in DOCUMENTS {
        let bytes = read(&workspace.root.join(document))?;
        entries.push(tar::Entry { name: format!("{name}/{document}"), program: false, bytes });
    }
    tar::write_gz(&entries)
}

/// `<SHA-256>  <name>` a line, by name, as `sha256sum --check` reads it.
fn sums(folder: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        lines.push((name, hex::encode(Sha256::digest(&bytes))));
    }
    lines.sort();
    Ok(lines.into_iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect())
}

fn said(folder: &Path, left_out: &[String]) -> Result<()> {
    eprintln!("── made");
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        eprintln!("   {}: {}", entry.file_name().to_string_lossy(), human(entry.metadata()?.len()));
    }
    eprintln!("── left out");
    for what in left_out {
        eprintln!("   {what}");
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// This machine's target.
fn host() -> Result<String> {
    let text = stdout_of(Command::new("rustc").arg("-vV"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not say which machine this is")
}

/// The version that all crates of the workspace have.
fn version(workspace: &Workspace) -> Result<String> {
    let path = workspace.root.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: toml::Table = toml::from_str(&text).context("Cargo.toml is not TOML")?;
    let version = manifest["workspace"].get("package").and_then(|package| package.get("version")?.as_str());
    version.map(str::to_owned).context("Cargo.toml has no version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_by_name_and_of_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("b.zip"), b"b").unwrap();
        write(&folder.path().join("a.tar.gz"), b"").unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let lines = sums(folder.path()).unwrap();
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[0], format!("{empty}  a.tar.gz"));
        assert!(lines[1].ends_with("  b.zip") && lines.len() == 2);
    }

    #[test]
    fn every_machine_of_a_release_is_made_here_or_said_to_be_left_out() {
        let left_out = other_machines("x86_64-unknown-linux-gnu");
        assert_eq!(left_out.len(), 3);
        assert!(left_out.iter().all(|line| !line.contains("x86_64-unknown-linux-gnu")), "{left_out:?}");
        assert_eq!(other_machines("riscv64gc-unknown-linux-gnu").len(), 4);
    }
}
