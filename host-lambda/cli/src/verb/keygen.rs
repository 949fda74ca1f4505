//! `lakegate keygen`: a key pair that signs releases.

use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::render::Tone;
use clap::Args;
use lakegate_base::Error;
use lakegate_release::SigningKey;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Arguments of `keygen`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  lakegate keygen --out release.key     makes release.key and release.key.pub

Whoever has release.key decides what hosts run: keep it out of the repository. release.key.pub is what hosts trust (--trust, or `trust` in lakegate.toml). Both are PEM files, as OpenSSL writes and reads them for Ed25519.")]
pub struct KeygenArgs {
    /// Private key file to write; the public one gets `.pub` behind
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `keygen`.
pub fn run(args: &KeygenArgs, context: &Context) -> Outcome {
    let (private, public) = SigningKey::generate()?;
    let id = SigningKey::parse(&private)?.id();
    let mut beside = args.out.clone().into_os_string();
    beside.push(".pub");
    let beside = PathBuf::from(beside);
    if beside.exists() {
        return Err(taken(&beside));
    }
    write_new(&args.out, &private, 0o600)?;
    write_new(&beside, &public, 0o644)?;
    let (private, public) = (args.out.display().to_string(), beside.display().to_string());
    let screen = context.out;
    let text = format!(
        "key {}\n  {private}  signs releases; keep it secret\n  {public}  is what hosts trust\n",
        screen.paint(Tone::Name, &id)
    );
    Ok(Answer { text, json: json!({"key": id, "private": private, "public": public}), ..Answer::default() })
}

/// Never in place of a file that is there: an overwritten key is lost.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let name = path.display().to_string();
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => Error::io(&name, error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| Error::io(&name, error))
}

fn taken(path: &Path) -> Error {
    Error::usage("there is a file already, and a key that is overwritten is lost")
        .with_hint("name another file, or remove this one first")
        .in_file(path.display().to_string())
}
