//! `cargo xtask web`: the browser preview, from the shipped component.
//!
//! Not for how its pieces are made: those are npm scripts of `web-demo`, which also run alone. Decisions to know:
//! packages are installed from the lock file only, and only when it changed; the files that `lakegate serve`
//! carries are written only where they changed, so that nothing is compiled again for nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::component::{component, ensure_target};
use crate::programs::Profile;
use crate::workspace::{Workspace, run};

/// Builds the page; answers with the folder to serve.
pub fn web(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let component = component(workspace, profile)?;
    ensure_target(workspace)?;
    install(workspace)?;
    run(npm(workspace).args(["run", "--silent", "build"]).env("LAKEGATE_COMPONENT", component.path))?;
    Ok(folder(workspace).join("dist").join("site"))
}

/// Builds the page and lays its files, compressed, where the build script of `lakegate` looks for them.
pub fn carry(workspace: &Workspace, profile: Profile) -> Result<()> {
    let site = web(workspace, profile)?;
    let files = workspace.target.join("page-files");
    compressed(&site, &files)
        .with_context(|| format!("cannot compress {} into {}", site.display(), files.display()))
}

/// Makes `to` the compressed likeness of `from`: `a/b.js` becomes `a/b.js.gz`, and nothing else stays there.
fn compressed(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut wanted = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let mut name = path.file_name().context("a file without a name")?.to_owned();
        if path.is_dir() {
            compressed(&path, &to.join(&name))?;
        } else {
            name.push(".gz");
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&fs::read(&path)?)?;
            write_changed(&to.join(&name), &encoder.finish()?)?;
        }
        wanted.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| wanted.contains(name)) {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Debian's browser, from its packages where this may install them; a hint where it may not.
pub fn ensure_browser() -> Result<()> {
    let named =
        std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    if named.is_file() {
        return Ok(());
    }
    let apt =
        |args: &[&str]| run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update", "--quiet"])
        .and_then(|()| apt(&["install", "--yes", "--quiet", "--no-install-recommends", "chromium"]))
        .context(
            "the page's tests need a browser: `apt-get install chromium`, or CHROMIUM with the path of one",
        )
}

/// The page's own tests; the last line begins with `page result:`.
pub fn tests(workspace: &Workspace) -> Command {
    let mut command = npm(workspace);
    command.args(["run", "--silent", "test"]);
    command
}

/// The folder with the programs of the npm packages, installed.
pub fn programs(workspace: &Workspace) -> Result<PathBuf> {
    install(workspace)?;
    Ok(folder(workspace).join("node_modules").join(".bin"))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("web-demo")
}

fn npm(workspace: &Workspace) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder(workspace)).env("CARGO_TARGET_DIR", &workspace.target);
    command
}

/// `npm ci`, unless the lock file is the one that was installed from.
fn install(workspace: &Workspace) -> Result<()> {
    let lock = fs::read(folder(workspace).join("package-lock.json")).context("web-demo has no lock file")?;
    let mark = folder(workspace).join("node_modules").join(".installed-lock.json");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(npm(workspace).args(["ci", "--no-audit", "--no-fund"]))
        .context("the page needs Node.js 20.19 or later with npm (Debian: `apt-get install nodejs npm`)")?;
    fs::write(&mark, lock).with_context(|| format!("cannot write {}", mark.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (site, files) = (folder.path().join("site"), folder.path().join("page-files"));
        fs::create_dir_all(site.join("assets")).unwrap();
        fs::write(site.join("index.html"), "<p>").unwrap();
        fs::write(site.join("assets/a.js"), "1").unwrap();
        fs::create_dir_all(files.join("old")).unwrap();
        fs::write(files.join("old/x.gz"), "").unwrap();
        compressed(&site, &files).unwrap();
        let names = || {
            let mut names: Vec<String> = [&files, &files.join("assets")]
                .iter()
                .flat_map(|folder| fs::read_dir(folder).unwrap())
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["a.js.gz", "assets", "index.html.gz"]);
        let changed = |name: &str| fs::metadata(files.join(name)).unwrap().modified().unwrap();
        let before = (changed("index.html.gz"), changed("assets/a.js.gz"), changed("assets"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(site.join("assets/a.js"), "2").unwrap();
        compressed(&site, &files).unwrap();
        let after = (changed("index.html.gz"), changed("assets/a.js.gz"), changed("assets"));
        assert_eq!((before.0, before.2), (after.0, after.2));
        assert_ne!(before.1, after.1);
        fs::remove_file(site.join("assets/a.js")).unwrap();
        compressed(&site, &files).unwrap();
        assert_eq!(names(), ["assets", "index.html.gz"]);
    }
}
