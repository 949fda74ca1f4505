//! `lakegate build`: the crate of a transform of one's own → a component that a host takes.
//!
//! For: one command from source to a checked file. Not for: the shipped component (`cargo xtask component`, which
//! compiles crates in the same way, by `lakegate_builder`). The decision to know: the file is written only after
//! this host has loaded it, so that what lies there has passed every check.

use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone, size};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_builder::{self as component, Crate, TARGET};
use lakegate_sandbox::{Limits, Sandbox, Transform};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Arguments of `build`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate build                                     the crate in this folder: ./NAME.wasm
  lakegate build my-transform --out my.wasm
  lakegate preview sample.json --spec transform.toml --transform my.wasm")]
pub struct BuildArgs {
    /// Folder of the crate
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The component to write [default: NAME.wasm in the crate's folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What cargo knows of the crate.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    package: String,
    target: PathBuf,
    checkout: PathBuf,
}

/// Runs `build`.
pub fn run(args: &BuildArgs, context: &Context) -> Outcome {
    let shown = args.folder.display().to_string();
    let folder = args.folder.canonicalize().map_err(|error| Error::io(&shown, error))?;
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(Error::new(Code::NoCrate, "there is no Cargo.toml in this folder")
            .with_hint("`lakegate new NAME` makes a crate")
            .in_file(shown));
    }
    let failed =
        |error: anyhow::Error| Error::new(Code::BuildFailed, format!("{error:#}")).in_file(shown.clone());
    if !component::has_target(&folder).map_err(|error| {
        failed(error).with_hint("`cargo` and `rustc` must be on the path: https://rustup.rs installs them")
    })? {
        return Err(Error::new(Code::NoTarget, format!("the toolchain lacks {TARGET}"))
            .with_hint(format!("`rustup target add {TARGET}`, in the crate's folder")));
    }
    let facts = facts(&metadata(&folder).map_err(failed)?, &manifest)?;
    let of = Crate {
        folder: &folder,
        package: &facts.package,
        checkout: &facts.checkout,
        target: &facts.target,
        arguments: &[],
    };
    let core =
        component::compile(&of).map_err(|error| failed(error).with_hint("the compiler's words are above"))?;
    let bytes = component::encode(&core).map_err(|error| {
        failed(error)
            .with_hint("does src/lib.rs say `lakegate_transform::component!(Extended<YourType>);`, once?")
    })?;
    let out = args.out.clone().unwrap_or_else(|| args.folder.join(format!("{}.wasm", facts.package)));
    let sandbox = Sandbox::new(Limits::default())?;
    let name = out.display().to_string();
    let transform = Transform::from_bytes(&sandbox, &name, &bytes)?;
    component::write_if_changed(&out, &bytes).map_err(failed)?;
    answer(&transform, &out, context)
}

fn answer(transform: &Transform, out: &Path, context: &Context) -> Outcome {
    let description = transform.describe()?;
    let path = out.display().to_string();
    let screen = context.out;
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    let mut fact = |name: &str, value: Cell| grid.row(vec![Cell::new(Tone::Dim, name), value]);
    fact("file", path.clone().into());
    fact("size", size(transform.size()).into());
    fact("digest", format!("sha256 {}", transform.digest()).into());
    fact("interface", format!("lakegate:transform@{}", transform.wit_version()).into());
    fact("imports", Cell::new(Tone::Good, "none"));
    let text = format!(
        "{} {}\n{}",
        screen.paint(Tone::Name, &description.name),
        screen.paint(Tone::Bold, &description.version),
        grid.render(screen)
    );
    let json = json!({
        "name": description.name, "version": description.version, "path": path, "bytes": transform.size(),
        "digest": transform.digest(), "interface": format!("lakegate:transform@{}", transform.wit_version()),
        "spec_version": description.spec_version,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// `cargo metadata` with the dependencies: the library is one of them.
fn metadata(folder: &Path) -> anyhow::Result<Value> {
    let mut cargo = component::cargo();
    cargo.args(["metadata", "--format-version", "1", "--filter-platform", TARGET]).current_dir(folder);
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "cargo cannot read the crate");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn facts(metadata: &Value, manifest: &Path) -> Result<Facts, Error> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let path = |value: &Value| value.as_str().map(PathBuf::from).unwrap_or_default();
    let same =
        |package: &&Value| fs::canonicalize(path(&package["manifest_path"])).is_ok_and(|p| p == manifest);
    let package = packages.iter().find(same).and_then(|package| package["name"].as_str());
    let library = packages.iter().find(|package| package["name"] == "lakegate-transform");
    // `CHECKOUT/transform-wasm/Cargo.toml`
    let checkout =
        library.and_then(|library| Some(path(&library["manifest_path"]).parent()?.parent()?.to_owned()));
    match (package, checkout) {
        (Some(package), Some(checkout)) => {
            Ok(Facts { package: package.to_owned(), target: path(&metadata["target_directory"]), checkout })
        }
        (None, _) => Err(Error::new(Code::NoCrate, "this folder is a workspace, not a crate")
            .with_hint("name the folder of one crate")),
        (_, None) => Err(Error::new(Code::NoLibrary, "the crate does not use lakegate-transform")
            .with_hint("`lakegate new NAME` makes one that does")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_package_library_and_target_folder() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().canonicalize().unwrap().join("Cargo.toml");
        fs::write(&manifest, "").unwrap();
        let library =
            json!({"name": "lakegate-transform", "manifest_path": "/src/lakegate/transform-wasm/Cargo.toml"});
        let own = json!({"name": "mine", "manifest_path": manifest});
        let of =
            |packages: &[&Value]| facts(&json!({"packages": packages, "target_directory": "/t"}), &manifest);
        let wanted = Facts { package: "mine".into(), target: "/t".into(), checkout: "/src/lakegate".into() };
        assert_eq!(of(&[&library, &own]).unwrap(), wanted);
        assert_eq!(of(&[&own]).unwrap_err().name(), "no_library");
        assert_eq!(of(&[&library]).unwrap_err().name(), "no_crate");
    }

    #[test]
    fn a_folder_without_crate_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let args = BuildArgs { folder: folder.path().to_owned(), out: None };
        let problem = run(&args, &Context::default()).unwrap_err();
        assert_eq!(problem.name(), "no_crate");
        assert!(problem.hint().unwrap().contains("lakegate new"));
    }
}
