//! `lakegate registry`: what is wrong in a registry and how it is mended; copies; removal; versions nobody may promote.
//!
//! The decision to know: each finding names the one command that helps, and a test runs that command.

use std::collections::BTreeSet;

use crate::args::registry::{
    KeyArg, LakesArg, Opened, RegistryArg, check_name, name_and_version, open, parse_version, registry_named,
};
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::render::{Screen, Tone, count, size, visible};
use clap::{Args, Subcommand};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_lake::source::now_ms;
use lakegate_release::{Channel, Checked, Found, Promotion, Registry, precompile};
use lakegate_sandbox::native_target;
use serde_json::{Value, json};

/// Arguments of `registry`.
#[derive(Args, Clone, Debug)]
pub struct RegistryArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    /// Find every kind of damage, and mend what can be
    Check(CheckArgs),
    /// Copy releases into another registry, with signatures and compiled code
    Copy(CopyArgs),
    /// Remove versions that no channel and no lake needs
    Prune(PruneArgs),
    /// Say that a version must not be promoted any more
    Yank(YankArgs),
}

/// Runs `registry`.
pub fn run(args: &RegistryArgs, context: &Context) -> Outcome {
    match &args.command {
        Command::Check(args) => check(args, context),
        Command::Copy(args) => copy(args, context),
        Command::Prune(args) => prune(args, context),
        Command::Yank(args) => yank(args, context),
    }
}

/// Arguments of `registry check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate registry check orders --registry releases
  lakegate registry check orders --repair --key release.key --lake lake     a lost channel from the lake's commits
  lakegate registry check orders --repair --key release.key --from backup   blobs from another registry

Looks at every signature and every byte. With --repair, compiled code is made again from its component, a blob comes from the registry --from, and a channel that cannot be read is written again from what the lake's newest commits were made by.")]
struct CheckArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Mend what can be
    #[arg(long)]
    repair: bool,
    /// A registry that has what is missing here
    #[arg(long, value_name = "DIR | S3 URI", requires = "repair")]
    from: Option<Place>,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Something wrong, and what became of it.
struct Damage {
    what: String,
    error: Error,
    mended: bool,
    /// The command that helps, where one does.
    command: Option<String>,
}

fn check(args: &CheckArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    let from = args.from.as_ref().map(|place| registry_named(place, &opened.connection)).transpose()?;
    if args.repair {
        opened.signer()?;
    }
    let versions = opened.registry.versions(&args.name)?;
    let (mut damages, mut checked) = (Vec::new(), Checked::default());
    for version in &versions {
        let look = |checked: &mut Checked| {
            opened.registry.check_release(&args.name, version, &opened.trust, checked)
        };
        let found = look(&mut checked)?;
        if found.wrong.is_empty() {
            continue;
        }
        let mended = args.repair && mend(&opened, &found, from.as_ref())?;
        let left = if mended { look(&mut Checked::default())?.wrong } else { found.wrong.clone() };
        let id = format!("{}@{version}", args.name);
        for error in found.wrong {
            let stays = left.iter().any(|other| other.to_string() == error.to_string());
            let command = command(args, &error, version);
            damages.push(Damage { what: id.clone(), error, mended: !stays, command });
        }
    }
    damages.extend(check_channel(args, &opened)?);
    let left = damages.iter().filter(|damage| !damage.mended).count() as u64;
    let mut text = format!(
        "{} in {}: {}, {} wrong\n",
        context.out.paint(Tone::Name, &args.name),
        opened.registry.uri(),
        count(versions.len() as u64, "release", "releases"),
        count(damages.len() as u64, "thing", "things"),
    );
    for damage in &damages {
        text.push_str(&line(damage, context.out));
    }
    let listed: Vec<Value> = damages
        .iter()
        .map(|damage| {
            let mut value = problem::json(&damage.error);
            value["what"] = damage.what.as_str().into();
            value["mended"] = damage.mended.into();
            value["command"] = damage.command.clone().into();
            value
        })
        .collect();
    let exit = if left > 0 { Exit::Failed } else { Exit::Done };
    let json = json!({"name": args.name, "registry": opened.registry.uri(), "damages": listed, "left": left});
    Ok(Answer { text, json, exit })
}

fn line(damage: &Damage, screen: Screen) -> String {
    let (mark, tone) = if damage.mended { ("mended", Tone::Good) } else { ("wrong", Tone::Bad) };
    let what = screen.paint(Tone::Name, &damage.what);
    let mut text = format!("  {} {what}: {}\n", screen.paint(tone, mark), visible(&damage.error.to_string()));
    if let Some(command) = damage.command.as_ref().filter(|_| !damage.mended) {
        text.push_str(&format!("    {}\n", screen.paint(Tone::Bold, command)));
    }
    text
}

/// Mends what a release needs and can have; whether anything was tried.
fn mend(opened: &Opened, found: &Found, from: Option<&Registry>) -> Result<bool, Error> {
    let Some((manifest, _)) = &found.manifest else { return Ok(false) };
    let mut tried = false;
    if let Some(from) = from {
        tried |= opened.registry.mend_blobs(manifest, from)? > 0;
    }
    let what = format!("the component of {}", manifest.id());
    let Ok(component) = opened.registry.blob(&manifest.component.blob, &what) else { return Ok(tried) };
    if found.wrong.iter().any(is_of_code) {
        for target in targets(&found.compiled) {
            precompile(&opened.registry, manifest, &component, &target, opened.signer()?)?;
            tried = true;
        }
    }
    Ok(tried)
}

fn is_of_code(error: &Error) -> bool {
    error.code() == Code::CodeMismatch
}

/// Targets of the statements about compiled code: `48.0.8-x86_64-unknown-linux-gnu-…`.
fn targets(places: &[String]) -> BTreeSet<String> {
    let known = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"].map(str::to_owned);
    let named = |target: &String| places.iter().any(|place| place.contains(target.as_str()));
    known.into_iter().chain([native_target()]).filter(named).collect()
}

/// The command that helps with something wrong with a release.
fn command(args: &CheckArgs, error: &Error, version: &semver::Version) -> Option<String> {
    let id = format!("{}@{version}", args.name);
    let place =
        args.registry.registry.as_ref().map(|place| format!(" --registry {place}")).unwrap_or_default();
    if is_of_code(error) {
        return Some(format!("lakegate precompile {id}{place}"));
    }
    Some(match error.code() {
        Code::BlobMissing | Code::BlobDamaged => {
            format!("lakegate registry check {}{place} --repair --from REGISTRY", args.name)
        }
        Code::SignatureUnknownKey => format!("lakegate sign {id}{place}"),
        Code::ReleaseUnsigned | Code::SignatureWrong | Code::ManifestDamaged => {
            format!("lakegate registry copy {id} --from REGISTRY{place}")
        }
        _ => return None,
    })
}

/// The channel, and what it names.
fn check_channel(args: &CheckArgs, opened: &Opened) -> Result<Option<Damage>, Error> {
    let seen = opened.seen(&args.name)?;
    let channel = opened.registry.channel(&args.name, &opened.trust);
    let error = match channel {
        Ok(channel) if channel.sequence >= seen => return Ok(None),
        Ok(channel) => Error::new(
            Code::ChannelReplayed,
            format!("its channel document is {}, and the lakes' commits name {seen}", channel.sequence),
        ),
        // Nothing was promoted, as far as anybody knows.
        Err(error) if error.code() == Code::ChannelMissing && seen == 0 => return Ok(None),
        Err(error) if error.kind() == lakegate_base::Kind::Input => error,
        Err(error) => return Err(error),
    };
    let lake = match &args.lakes.lake {
        Some(place) => format!(" --lake {place}"),
        None if opened.lakes()?.is_empty() => " --lake LAKE".to_owned(),
        // The configuration names them.
        None => String::new(),
    };
    let mut damage = Damage {
        what: format!("channel {}", args.name),
        command: Some(format!("lakegate registry check {} --repair{lake}", args.name)),
        error,
        mended: false,
    };
    if args.repair && seen > 0 {
        damage.mended = restore(args, opened, seen)?;
    }
    Ok(Some(damage))
}

/// Writes the channel again: stable is what the newest commits were made by.
fn restore(args: &CheckArgs, opened: &Opened, seen: u64) -> Result<bool, Error> {
    let at = rfc3339(now_ms());
    let said = |channel: Channel| channel.above(seen).because(None, Some("written again by registry check"));
    if let Ok(before) = opened.registry.channel(&args.name, &opened.trust) {
        let stable = before.stable.release.clone();
        let next = Channel::promote(Some(&before), &args.name, stable, Promotion::Stable, &at)?;
        opened.registry.restore_channel(&said(next), opened.signer()?)?;
        return Ok(true);
    }
    let Some(version) = opened.last_release(&args.name, seen)? else { return Ok(false) };
    let release = opened.judged(&args.name, &parse_version(&version)?, true)?;
    let next = Channel::promote(None, &args.name, release.pinned, Promotion::Stable, &at)?;
    opened.registry.restore_channel(&said(next), opened.signer()?)?;
    Ok(true)
}

/// Arguments of `registry copy`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate registry copy orders --from releases --registry s3://acme-releases/
  lakegate registry copy orders@1.3.0 --from staging --registry production --trust release.key.pub

Channels are not copied: what is in use in one registry is not in another. What is not whole is refused.")]
struct CopyArgs {
    /// A release, or a name for all releases of it
    #[arg(value_name = "NAME[@VERSION]")]
    release: String,
    /// Where they are
    #[arg(long, value_name = "DIR | S3 URI")]
    from: Place,
    #[command(flatten)]
    registry: RegistryArg,
}

fn copy(args: &CopyArgs, context: &Context) -> Outcome {
    let (name, version) = name_and_version(&args.release)?;
    let opened = open(&name, &args.registry, &KeyArg::default(), &LakesArg::default())?;
    let from = registry_named(&args.from, &opened.connection)?;
    let versions = version.map_or_else(|| from.versions(&name), |version| Ok(vec![version]))?;
    let (mut text, mut copied) = (String::new(), Vec::new());
    for version in &versions {
        let fresh = opened.registry.copy_release(&from, &name, version, &opened.trust)?;
        let id = format!("{name}@{version}");
        let told = if fresh { "copied" } else { "there already" };
        text.push_str(&format!("{}: {told}\n", context.out.paint(Tone::Name, &id)));
        copied.push(json!({"release": id, "fresh": fresh}));
    }
    let json = json!({"from": from.uri(), "registry": opened.registry.uri(), "releases": copied});
    Ok(Answer { text, json, ..Answer::default() })
}

/// Arguments of `registry prune`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate registry prune orders --lake lake              what would go
  lakegate registry prune orders --lake lake --yes        removes it

Kept are versions that the channel names now or in its last ten changes, versions that a commit of a lake was made by (a replay needs them), and the newest one.")]
struct PruneArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Remove them; else it is only said what would go
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Changes of a channel whose releases a rollback may want.
const KEPT_CHANGES: usize = 10;

fn prune(args: &PruneArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let opened = open(&args.name, &args.registry, &KeyArg::default(), &args.lakes)?;
    let lakes = opened.lakes()?;
    if lakes.is_empty() {
        return Err(Error::usage("no lake is named, and no pipeline follows the channel")
            .with_hint("name every lake that these releases wrote to: its commits tell which are needed"));
    }
    let versions = opened.registry.versions(&args.name)?;
    let mut needed: BTreeSet<semver::Version> = versions.last().cloned().into_iter().collect();
    match opened.registry.channel(&args.name, &opened.trust) {
        Ok(channel) => {
            needed.extend(channel.releases().map(|release| release.version.clone()));
            let past = channel.history.iter().take(KEPT_CHANGES);
            needed.extend(past.flat_map(|past| [past.release.version.clone(), past.stable.version.clone()]));
        }
        Err(error) if error.code() == Code::ChannelMissing => {}
        Err(error) => return Err(error),
    }
    for (_, lake) in &lakes {
        for state in lake.commits()? {
            let by = state.record.release.filter(|by| by.name == args.name);
            needed.extend(by.and_then(|by| by.version.parse().ok()));
        }
    }
    let goes: BTreeSet<_> = versions.iter().filter(|version| !needed.contains(version)).cloned().collect();
    let pruned = opened.registry.remove(&args.name, &goes, !args.yes)?;
    let named: Vec<String> = goes.iter().map(ToString::to_string).collect();
    let text = format!(
        "{}: {} {}{}, {} of {}; {} kept\n",
        context.out.paint(Tone::Name, &args.name),
        count(goes.len() as u64, "release", "releases"),
        if args.yes { "removed" } else { "would go (--yes removes them)" },
        if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) },
        count(pruned.blobs, "blob", "blobs"),
        size(pruned.bytes),
        versions.len() - goes.len(),
    );
    Ok(Answer {
        text,
        json: json!({"name": args.name, "removed": args.yes, "pruned": pruned}),
        ..Answer::default()
    })
}

/// Arguments of `registry yank`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate registry yank orders@1.3.0 --reason \"gross was wrong\" --key release.key
  lakegate registry yank orders@1.3.0 --undo

It can still be loaded: hosts that have it in use keep it, and a replay may name it. `promote` and `rollback` refuse it.")]
struct YankArgs {
    /// The release
    #[arg(value_name = "NAME@VERSION")]
    release: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take it back: it may be promoted again
    #[arg(long, conflicts_with = "reason")]
    undo: bool,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
}

fn yank(args: &YankArgs, context: &Context) -> Outcome {
    let (name, version) = name_and_version(&args.release)?;
    let version = version.ok_or_else(|| {
        Error::usage("no version is named").with_hint("name one: `lakegate registry yank orders@1.3.0`")
    })?;
    let opened = open(&name, &args.registry, &args.key, &LakesArg::default())?;
    let signer = opened.signer()?;
    if args.undo {
        opened.registry.manifest(&name, &version, &opened.trust)?;
        opened.registry.unyank(&name, &version)?;
    } else {
        let (reason, at) = (args.reason.as_deref(), rfc3339(now_ms()));
        opened.registry.yank(&name, &version, &opened.trust, signer, reason, &at)?;
    }
    let text = format!(
        "{} {}\n",
        context.out.paint(Tone::Name, &args.release),
        if args.undo { "may be promoted again" } else { "must not be promoted any more" }
    );
    Ok(Answer { text, json: json!({"release": args.release, "yanked": !args.undo}), ..Answer::default() })
}
