//! `lakegate new`: the folder of a transform of one's own.
//!
//! For: a small crate that tests and builds as it is, wherever the command runs. Not for: building it (`build`).
//! The sources of the library travel in this command and are written into `vendor/`: no checkout is needed, no
//! place that they could be fetched from, and what is built is what was tested with this very command. Its lock
//! file and toolchain come along.

use crate::context::Context;
use crate::scaffold::{is_free, write};
use crate::show::output::{Answer, Outcome};
use crate::show::render::Tone;
use clap::Args;
use lakegate_base::{Code, Error};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

mod embedded;

/// Arguments of `new`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate new my-transform                          a crate in ./my-transform
  cd my-transform && cargo test && lakegate build    test it, make its component
  lakegate new my-transform --path work/transform --library ~/src/lakegate/transform-wasm")]
pub struct NewArgs {
    /// Name of the crate and of its component: lower-case letters, digits and `-`
    name: String,
    /// Folder to make [default: the name]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Folder of the library `lakegate-transform` [default: its sources as this command has them, in vendor/]
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
}

/// Longest name: it becomes file names and part of the footer of every part file.
const NAME_BYTES: usize = 64;

/// Where the library's sources go, as a checkout that has nothing else.
const VENDOR: &str = "vendor/lakegate";

/// The library in a checkout.
const LIBRARY: &str = "transform-wasm";

/// Name below the new folder and text; `{name}` and `{library}` stand for what they say.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("new/crate.toml")),
    ("src/lib.rs", include_str!("new/lib.rs")),
    ("transform.toml", include_str!("new/transform.toml")),
    ("sample.json", include_str!("new/sample.json")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", "/target\n/*.wasm\n/lake\n"),
];

/// Taken from the library's checkout.
const BROUGHT: [&str; 2] = ["Cargo.lock", "rust-toolchain.toml"];

/// Runs `new`.
pub fn run(args: &NewArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let shown = folder.display().to_string();
    is_free(&folder)?;
    let named = args.library.as_deref().map(library).transpose()?;
    let (library, brought) = match &named {
        Some(library) => (library.clone(), brought_from(library)),
        None => (Path::new(VENDOR).join(LIBRARY), vendor(&folder)?),
    };
    // A JSON string is a TOML string too.
    let quoted = serde_json::Value::from(library.display().to_string()).to_string();
    let mut written = Vec::new();
    for (name, text) in FILES {
        let text = text.replace("{name}", &args.name).replace("{library}", &quoted);
        write(&folder.join(name), text.as_bytes())?;
        written.push(name);
    }
    for (name, bytes) in &brought {
        write(&folder.join(name), bytes)?;
        written.push(name);
    }
    let name = context.out.paint(Tone::Name, &args.name);
    let text = format!(
        "made {name} in {shown}\n\n  cd {shown}\n  cargo test\n  lakegate build\n  \
         lakegate preview sample.json --spec transform.toml --transform {}.wasm\n",
        args.name
    );
    let json = json!({
        "name": args.name, "path": shown, "library": library.display().to_string(), "files": written,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// A name that cargo takes and that is no other crate's of this build.
fn check_name(name: &str) -> Result<(), Error> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let dashes = name.ends_with('-') || name.contains("--");
    if !starts || !plain || dashes || name.len() > NAME_BYTES {
        return Err(Error::usage(format!("`{name}` cannot be the name of a transform"))
            .with_hint("a lower-case letter, then letters, digits and single dashes: `my-transform`"));
    }
    // The crate itself, those it is linked with, and words that no Rust crate may have.
    let taken =
        ["test", "core", "std", "alloc", "arrow", "crate", "self", "super", "type", "lakegate-transform"];
    if taken.contains(&name) {
        return Err(Error::usage(format!("the name `{name}` is taken")).with_hint("choose another one"));
    }
    Ok(())
}

/// The folder of a library that was named, absolute.
fn library(folder: &Path) -> Result<PathBuf, Error> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    match folder.canonicalize() {
        Ok(absolute) if manifest.contains("name = \"lakegate-transform\"") => Ok(absolute),
        _ => Err(Error::new(Code::NoLibrary, "the library lakegate-transform is not in this folder")
            .with_hint("name the folder transform-wasm of a checkout, or leave --library out")
            .in_file(folder.display().to_string())),
    }
}

/// The files of [`BROUGHT`] that the checkout of a library has.
fn brought_from(library: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let read = |name| Some((name, fs::read(library.parent()?.join(name)).ok()?));
    BROUGHT.into_iter().filter_map(read).collect()
}

/// Writes the library's sources into the new folder; the files of [`BROUGHT`] among them.
fn vendor(folder: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
    let files = embedded::files().map_err(|error| {
        Error::new(Code::NoLibrary, format!("this command carries no library: {error}"))
            .with_hint("name the folder transform-wasm of a checkout with --library")
    })?;
    let mut brought = Vec::new();
    for (name, bytes) in files {
        write(&folder.join(VENDOR).join(&name), &bytes)?;
        brought.extend(BROUGHT.into_iter().find(|wanted| *wanted == name).map(|name| (name, bytes)));
    }
    Ok(brought)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Fault;

    fn arguments(folder: &Path, name: &str) -> NewArgs {
        NewArgs { name: name.into(), path: Some(folder.join("made")), library: None }
    }

    #[test]
    fn a_crate_is_made_and_never_over_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let made = run(&arguments(folder.path(), "my-transform"), &Context::default()).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join("made").join(name)).unwrap();
        for name in made.json["files"].as_array().unwrap() {
            let text = read(name.as_str().unwrap());
            assert!(!text.contains("{name}") && !text.contains("{library}"), "{name}: {text}");
        }
        let manifest: toml::Value = toml::from_str(&read("Cargo.toml")).unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("my-transform"));
        let library = manifest["dependencies"]["lakegate-transform"]["path"].as_str().unwrap();
        assert!(Path::new(library).is_relative(), "{library}");
        let library = folder.path().join("made").join(library);
        assert!(library.join("src/extension.rs").is_file() && library.join("model/src/lib.rs").is_file());
        // A cut-down checkout: the workspace that the library's manifest looks for.
        let top: toml::Value = toml::from_str(&read("vendor/lakegate/Cargo.toml")).unwrap();
        for member in top["workspace"]["members"].as_array().unwrap() {
            let crate_folder = folder.path().join("made/vendor/lakegate").join(member.as_str().unwrap());
            assert!(crate_folder.join("Cargo.toml").is_file(), "{member:?}");
        }
        let again = run(&arguments(folder.path(), "my-transform"), &Context::default()).unwrap_err();
        assert_eq!(again.name(), "exists");
    }

    #[test]
    fn the_template_builds_as_the_shipped_component_does() {
        // By package the workspace only undoes what its release profile takes away, which a new crate's does not.
        let of = |text: &str| {
            let mut profile = toml::from_str::<toml::Value>(text).unwrap()["profile"]["component"].clone();
            profile.as_table_mut().unwrap().remove("package");
            profile
        };
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let template = FILES[0].1.replace("{library}", "''");
        assert_eq!(of(&template), of(&fs::read_to_string(workspace).unwrap()));
    }

    #[test]
    fn names_that_cargo_refuses_are_refused_first() {
        for name in ["", "My", "1st", "a_b", "a--b", "a-", "-a", "é", "a b", "../a", "arrow", "test"] {
            assert_eq!(check_name(name).unwrap_err().fault(), Fault::Usage, "{name:?}");
        }
        assert!(check_name("mask-score2").is_ok());
    }

    #[test]
    fn a_library_that_is_gone_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let args = NewArgs { library: Some(folder.path().to_owned()), ..arguments(folder.path(), "a") };
        let problem = run(&args, &Context::default()).unwrap_err();
        assert_eq!(problem.name(), "no_library");
        assert!(problem.hint().unwrap().contains("--library"));
        assert!(!folder.path().join("made").exists());
    }
}
