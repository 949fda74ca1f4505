//! `cargo xtask package`: the zip that AWS Lambda runs as `provided.al2023`.
//!
//! Not for deploying it. Decisions to know:
//!
//! * In it: `bootstrap`, the default release compiled ahead for the function's processor (`code/`), and, where
//!   they are named, `lakegate.toml` with the local specs that it names. Nothing else.
//! * The system there has glibc 2.34. Whatever linked the binary, the symbol versions that it needs are read
//!   from it and checked, so that a newer machine cannot slip a newer one in.
//! * The same inputs make the same zip, to the byte.

mod configuration;
mod elf;
mod zip;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::component::component;
use crate::programs::{self, COMMAND, LAMBDA, Profile};
use crate::setup::zig_tools;
use crate::workspace::{Workspace, human, run, stdout_of, step};

/// glibc of Amazon Linux 2023.
const GLIBC: (u32, u32) = (2, 34);

/// A processor that Lambda offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Processor {
    /// The one of this machine; x86_64 where Lambda has none like it.
    pub fn here() -> Self {
        if std::env::consts::ARCH == "aarch64" { Self::Arm64 } else { Self::X86_64 }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }

    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    fn is_here(self) -> bool {
        cfg!(target_os = "linux") && self.target().starts_with(std::env::consts::ARCH)
    }
}

/// What to package.
pub struct Wanted {
    /// For which processor.
    pub processor: Processor,
    /// The development profile: quick to build, for tests.
    pub dev: bool,
    /// `lakegate.toml`; its local specs come along.
    pub config: Option<PathBuf>,
}

impl Wanted {
    /// What is asked for; the processor is that of the stack, where the configuration has one.
    pub fn of(processor: Option<Processor>, dev: bool, config: Option<PathBuf>) -> Result<Self> {
        let stack = config.as_deref().map(configuration::stack).transpose()?.flatten();
        let processor = match (processor, stack) {
            (Some(processor), _) => processor,
            (None, Some(arm64)) if !dev => {
                if arm64 {
                    Processor::Arm64
                } else {
                    Processor::X86_64
                }
            }
            (None, _) => Processor::here(),
        };
        Ok(Self { processor, dev, config })
    }
}

/// A zip that was written.
pub struct Zip {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes, and for people.
    pub said: String,
}

/// Programs that were built.
struct Built {
    bootstrap: PathBuf,
    /// Runs here and carries the same component.
    lakegate: PathBuf,
}

impl Built {
    fn beside(lakegate: PathBuf) -> Self {
        Self { bootstrap: lakegate.with_file_name("bootstrap"), lakegate }
    }
}

/// Builds, checks and zips.
pub fn package(workspace: &Workspace, wanted: &Wanted) -> Result<Zip> {
    // Before the minutes of building: a wrong path is found at once.
    let configured = wanted.config.as_deref().map(configuration::files).transpose()?.unwrap_or_default();
    let profile = if wanted.dev { Profile::Dev } else { Profile::Release };
    step("component", || component(workspace, profile))?;
    let built = step("bootstrap", || build(workspace, wanted))?;
    let zip = zipped(workspace, wanted, &built, configured)?;
    match &wanted.config {
        Some(config) if configuration::stack(config)?.is_some() => beside(config, zip),
        _ => Ok(zip),
    }
}

/// Puts the zip where the rendered template of a configuration looks for it.
fn beside(config: &Path, zip: Zip) -> Result<Zip> {
    let folder = config.parent().unwrap_or(Path::new("")).join("stack");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("lakegate.zip");
    std::fs::copy(&zip.path, &path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Zip { path, ..zip })
}

/// Zips programs of the development profile that are built already: what `cargo xtask test` does.
pub fn package_built(workspace: &Workspace) -> Result<Zip> {
    let built = Built::beside(workspace.program("debug", "lakegate"));
    let wanted = Wanted { processor: Processor::here(), dev: true, config: None };
    zipped(workspace, &wanted, &built, Vec::new())
}

fn zipped(workspace: &Workspace, wanted: &Wanted, built: &Built, configured: Vec<zip::Entry>) -> Result<Zip> {
    let bootstrap = read(&built.bootstrap)?;
    check_glibc(&bootstrap).with_context(|| format!("{} would not start", built.bootstrap.display()))?;
    let mut entries = vec![zip::Entry::program("bootstrap", bootstrap)];
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    step("precompiled release", || precompile(wanted.processor, &built.lakegate, scratch.path()))?;
    for file in std::fs::read_dir(scratch.path())? {
        let file = file?;
        let name = file.file_name().into_string().ok().context("a name of compiled code is not UTF-8")?;
        entries.push(zip::Entry::file(format!("code/{name}"), read(&file.path())?));
    }
    entries.extend(configured);
    let bytes = zip::write(entries)?;
    let folder = workspace.target.join("package");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let ending = if wanted.dev { "-dev" } else { "" };
    let path = folder.join(format!("lakegate-{}{ending}.zip", wanted.processor.name()));
    std::fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    let said = format!("{} bytes ({})", bytes.len(), human(bytes.len() as u64));
    Ok(Zip { path, said })
}

/// Builds with the machine's own linker where the processor is its own, and links again for the older glibc
/// where that came out too new: most often it does not, and all was compiled for other tasks already.
fn build(workspace: &Workspace, wanted: &Wanted) -> Result<Built> {
    if wanted.dev {
        if !wanted.processor.is_here() {
            bail!("--dev packages for this machine, which is not {}", wanted.processor.name());
        }
        return Ok(Built::beside(programs::programs(workspace, Profile::Dev)?));
    }
    let lakegate = if wanted.processor.is_here() {
        programs::binary(workspace, Profile::Release, &["lakegate"])?
    } else {
        cross_compiler(workspace)?
    };
    if wanted.processor.is_here() {
        let bootstrap = programs::bootstrap(workspace)?;
        match check_glibc(&read(&bootstrap)?) {
            Ok(()) => return Ok(Built { bootstrap, lakegate }),
            Err(error) => eprintln!("   {error:#}"),
        }
    }
    let bootstrap = link_for_older(workspace, wanted.processor.target(), "bootstrap")?;
    Ok(Built { bootstrap, lakegate })
}

/// Builds a program for a target with the symbol versions of [`GLIBC`]; its path.
pub fn link_for_older(workspace: &Workspace, target: &str, program: &str) -> Result<PathBuf> {
    ensure_target(target)?;
    let tools = zig_tools(workspace)?;
    let mut zigbuild = workspace.cargo();
    let versioned = format!("{target}.{}.{}", GLIBC.0, GLIBC.1);
    let package = if program == "bootstrap" { LAMBDA } else { COMMAND };
    zigbuild.args(["zigbuild", "--locked", "--release", "--package", package, "--bin", program]);
    zigbuild.args(["--target", &versioned]).env("PATH", path_with(&tools)?);
    run(&mut zigbuild)?;
    Ok(workspace.target.join(target).join("release").join(program))
}

/// A `lakegate` for this machine whose engine also compiles for other processors.
fn cross_compiler(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--package", COMMAND, "--bin", "lakegate"]);
    cargo.args(["--no-default-features", "--features", "cross"]);
    run(&mut cargo)?;
    Ok(workspace.program("debug", "lakegate"))
}

/// Compiles the release that `lakegate` carries into a folder.
fn precompile(processor: Processor, lakegate: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new(lakegate);
    command.args(["component", "--target", processor.target(), "--precompile"]).arg(folder);
    stdout_of(&mut command).map(|_said| ())
}

/// Adds a target to the pinned toolchain when it is missing.
fn ensure_target(target: &str) -> Result<()> {
    run(Command::new("rustup").args(["target", "add", target])).with_context(|| {
        format!("the toolchain lacks {target}; install it with `rustup target add {target}`")
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn path_with(folder: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).context("the search path cannot be written")
}

/// Fails with the versions of glibc that are too new, each with the library that has them.
fn check_glibc(program: &[u8]) -> Result<()> {
    let needed = elf::needed_versions(program)?;
    let too_new = |name: &str| match name.strip_prefix("GLIBC_") {
        // `GLIBC_ABI_DT_RELR` and its like are younger than 2.34.
        Some(rest) => elf::version(rest).is_none_or(|version| version > GLIBC),
        None => false,
    };
    let wrong: Vec<String> = needed
        .iter()
        .filter(|needed| too_new(&needed.name))
        .map(|needed| format!("{} of {}", needed.name, needed.library))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "provided.al2023 has glibc {}.{}, and the program needs {}\n  \
         hint: link it with cargo-zigbuild, or build on an older system",
        GLIBC.0,
        GLIBC.1,
        wrong.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{GLIBC, elf};

    #[test]
    fn versions_are_numbers_and_not_text() {
        assert_eq!(elf::version("2.34"), Some(GLIBC));
        assert!(elf::version("2.4") < Some(GLIBC));
        assert!(elf::version("2.2.5") < Some(GLIBC));
        assert!(elf::version("2.100") > Some(GLIBC));
        assert_eq!(elf::version("ABI_DT_RELR"), None);
    }
}
