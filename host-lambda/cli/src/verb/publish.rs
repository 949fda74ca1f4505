//! `lakegate publish` and `lakegate precompile`: a signed release into a registry, and its compiled code.

use crate::args::plans::read_spec;
use crate::args::registry::{
    KeyArg, LakesArg, RegistryArg, check_name, name_and_version, open, parse_version,
};
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::Steps;
use crate::show::render::{Cell, Grid, Holds, Tone, number, short, size};
use clap::Args;
use lakegate_base::Error;
use lakegate_release::{CodeStatement, Draft, precompile, publish};
use lakegate_sandbox::{Limits, Sandbox, Transform, native_target};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `publish`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate publish orders --version 1.0.0 --spec orders.toml --sample orders.json --registry releases --key release.key --first
  lakegate publish orders --version 2.0.0 --spec orders.toml --transform my.wasm --registry s3://acme-releases/ --key release.key

Nobody uses a release before `lakegate promote`. Samples are what a host tries before it swaps: each must come out there as it did here, to the byte. Publishing the same again changes nothing; a version never changes.")]
pub struct PublishArgs {
    /// Name of the release, which is that of its channel
    #[arg(value_name = "NAME")]
    name: String,
    /// Semantic version, for example 1.3.0
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// Spec of the release (transform.toml)
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Place,
    /// Component of the release [default: the one that ships in this command]
    #[arg(long, value_name = "FILE.wasm")]
    transform: Option<PathBuf>,
    /// A small input that every host must make the same of before it swaps; may be repeated
    #[arg(long, value_name = "FILE")]
    sample: Vec<PathBuf>,
    /// Compile ahead for this target too; may be repeated [default: this machine's kind]
    #[arg(long, value_name = "TRIPLE")]
    target: Vec<String>,
    /// Begin an empty registry: the key that signs is trusted without being named with --trust
    #[arg(long)]
    first: bool,
    /// Publish no compiled code: hosts in Lambda cannot use the release until `lakegate precompile` made it
    #[arg(long, conflicts_with = "target")]
    no_code: bool,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    /// Configuration to take registry and key from [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs `publish`.
pub fn run(args: &PublishArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let version = parse_version(&args.version)?;
    let spec = read_spec(Some(&args.spec))?;
    let component = match &args.transform {
        Some(path) => read(path)?,
        None => Transform::shipped_bytes()?.to_vec(),
    };
    let mut samples = Vec::new();
    for path in &args.sample {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        samples.push((name, read(path)?));
    }
    let targets = match (&args.target[..], args.no_code) {
        (_, true) => Vec::new(),
        ([], false) => vec![native_target()],
        (named, false) => named.to_vec(),
    };
    let lakes = LakesArg { config: args.config.clone(), lake: None };
    let opened = open(&args.name, &args.registry, &args.key, &lakes)?;
    let signer = if args.first { opened.first_signer()? } else { opened.signer()? };
    let sandbox = Sandbox::new(Limits::default())?;
    let bytes = component.len() as u64;
    let draft = Draft { name: args.name.clone(), version, component, spec, samples, targets };
    let steps = Steps::new(context.err);
    steps.update("checking, running samples, compiling", 0, 1);
    let published = publish(&opened.registry, &sandbox, &draft, signer);
    steps.finish();
    let published =
        published.map_err(|error| problem::in_input_or_spec(error, "", Some(&args.spec.shown())))?;
    let (manifest, screen) = (&published.manifest, context.out);
    let state = if published.fresh { "published" } else { "was published already" };
    let mut text = format!("{} {state}\n", screen.paint(Tone::Name, &manifest.id()));
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    let mut fact = |name: &str, value: String| grid.row(vec![Cell::new(Tone::Dim, name), value.into()]);
    fact("registry", opened.registry.uri().into());
    fact("manifest", published.pinned.manifest.clone());
    let component = &manifest.component;
    let about =
        format!("{} ({} {}, {})", component.blob.digest, component.name, component.version, size(bytes));
    fact("component", about);
    fact("spec", manifest.spec.digest.clone());
    let made: u64 = manifest.samples.iter().map(|sample| sample.outputs.len() as u64).sum();
    fact(
        "samples",
        match manifest.samples.len() {
            0 => "none: give --sample, so that hosts try the release before they swap".into(),
            several => format!("{several}, which make {} part files", number(made)),
        },
    );
    for code in &published.code {
        fact("compiled", compiled(code));
    }
    fact("key", signer.id());
    text.push_str(&grid.render(screen));
    let next = format!("lakegate promote {} {}", manifest.name, manifest.version);
    text.push_str(&format!("  nobody uses it yet; {} makes it stable\n", screen.paint(Tone::Bold, &next)));
    let json = json!({
        "name": manifest.name, "version": manifest.version.to_string(), "fresh": published.fresh,
        "manifest": published.pinned.manifest, "component": component.blob.digest, "spec": manifest.spec.digest,
        "samples": manifest.samples.len(), "code": codes(&published.code), "key": signer.id(),
        "registry": opened.registry.uri(),
    });
    Ok(Answer { text, json, ..Answer::default() })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::io(&path.display().to_string(), error))
}

fn compiled(code: &CodeStatement) -> String {
    format!("{} for {}, {}", short(&code.code.digest), code.key, size(code.code.bytes))
}

fn codes(codes: &[CodeStatement]) -> Vec<Value> {
    codes
        .iter()
        .map(|code| json!({"digest": code.code.digest, "bytes": code.code.bytes, "for": code.key}))
        .collect()
}

/// Arguments of `precompile`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate precompile orders@1.3.0
  lakegate precompile orders --target x86_64-unknown-linux-gnu     all releases of the channel orders

A host in Lambda takes only signed code that was compiled by exactly its own version: run this with the new version of Lakegate before it is deployed.")]
pub struct PrecompileArgs {
    /// A release, or a name for all releases that its channel has in use
    #[arg(value_name = "NAME[@VERSION]")]
    release: String,
    /// Target to compile for; may be repeated [default: this machine's kind]
    #[arg(long, value_name = "TRIPLE")]
    target: Vec<String>,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    /// Configuration to take registry and key from [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs `precompile`.
pub fn run_precompile(args: &PrecompileArgs, context: &Context) -> Outcome {
    let (name, version) = name_and_version(&args.release)?;
    let lakes = LakesArg { config: args.config.clone(), lake: None };
    let opened = open(&name, &args.registry, &args.key, &lakes)?;
    let signer = opened.signer()?;
    let (registry, trust) = (&opened.registry, &opened.trust);
    let versions = match version {
        Some(version) => vec![version],
        None => {
            let channel = registry.channel(&name, trust)?;
            let mut all: Vec<_> = channel.releases().map(|release| release.version.clone()).collect();
            all.sort();
            all.dedup();
            all
        }
    };
    let targets = if args.target.is_empty() { vec![native_target()] } else { args.target.clone() };
    let (mut made, total) = (Vec::new(), versions.len() * targets.len());
    let steps = Steps::new(context.err);
    for version in &versions {
        let (manifest, _) = registry.manifest(&name, version, trust)?;
        let what = format!("the component of {}", manifest.id());
        let component = registry.blob(&manifest.component.blob, &what)?;
        for target in &targets {
            steps.update(&format!("{} for {target}", manifest.id()), made.len() as u64, total as u64);
            let code = precompile(registry, &manifest, &component, target, signer);
            made.push((manifest.id(), code?));
        }
    }
    steps.finish();
    let lines =
        made.iter().map(|(id, code)| format!("{}: {}\n", context.out.paint(Tone::Name, id), compiled(code)));
    let json =
        made.iter().map(|(id, code)| json!({"release": id, "code": codes(std::slice::from_ref(code))}));
    Ok(Answer {
        text: lines.collect(),
        json: json!({"compiled": json.collect::<Vec<_>>()}),
        ..Answer::default()
    })
}

/// Arguments of `sign`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate sign orders@1.3.0 --key new.key --trust release.key.pub     hosts may trust either key from now on
  lakegate sign orders --key new.key --trust release.key.pub           all releases of that name

Nobody's signature is taken away. A key is revoked by taking it out of what hosts trust.")]
pub struct SignArgs {
    /// A release, or a name for all releases of it
    #[arg(value_name = "NAME[@VERSION]")]
    release: String,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    /// Configuration to take registry and key from [default: lakegate.toml here or in a folder above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs `sign`.
pub fn run_sign(args: &SignArgs, context: &Context) -> Outcome {
    let (name, version) = name_and_version(&args.release)?;
    let lakes = LakesArg { config: args.config.clone(), lake: None };
    let opened = open(&name, &args.registry, &args.key, &lakes)?;
    let signer = opened.any_signer()?;
    let versions = match version {
        Some(version) => vec![version],
        None => opened.registry.versions(&name)?,
    };
    let (mut text, mut signed) = (String::new(), Vec::new());
    for version in &versions {
        let pinned = opened.registry.add_signature(&name, version, &opened.trust, signer)?;
        let signers = opened.registry.signers(&name, &pinned)?;
        let id = format!("{name}@{version}");
        text.push_str(&format!("{}: signed by {}\n", context.out.paint(Tone::Name, &id), signers.join(", ")));
        signed.push(json!({"release": id, "manifest": pinned.manifest, "signers": signers}));
    }
    Ok(Answer { text, json: json!({"key": signer.id(), "signed": signed}), ..Answer::default() })
}
