//! `lakegate promote` and `lakegate rollback`: which release is in use.
//!
//! The decision to know: a release is loaded, verified and tried here before the channel names it, and its types
//! are compared with the live contracts of every lake that is known; so that hosts meet no surprise.

use crate::args::registry::{KeyArg, LakesArg, Opened, RegistryArg, check_name, open, parse_version};
use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Tone, count};
use clap::Args;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error};
use lakegate_lake::lake::Lake;
use lakegate_lake::source::now_ms;
use lakegate_release::{Channel, Pinned, Promotion, check_fits};
use serde_json::json;

/// Arguments of `promote`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate promote orders 1.3.0 --registry releases --key release.key
  lakegate promote orders 1.3.0 --canary 5%      takes 5% of all objects, the same ones on every retry
  lakegate promote orders 1.3.0 --shadow         runs beside, writes nothing; `lakegate releases` tells what differs

Hosts take it over between two objects, within two seconds, without a redeployment. A release whose types conflict with the live contract of a table is refused.")]
pub struct PromoteArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Version that takes over
    #[arg(value_name = "VERSION")]
    version: String,
    /// Only for this share of the objects, from 0.1% to 99.9%
    #[arg(long, value_name = "SHARE", conflicts_with = "shadow")]
    canary: Option<String>,
    /// Only for a look: it runs on the same input and writes nothing to the tables
    #[arg(long)]
    shadow: bool,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Runs `promote`.
pub fn run(args: &PromoteArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let version = parse_version(&args.version)?;
    let promotion = match (&args.canary, args.shadow) {
        (Some(share), _) => Promotion::Canary(permille(share)?),
        (None, true) => Promotion::Shadow,
        (None, false) => Promotion::Stable,
    };
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    let signer = opened.signer()?;
    let release = opened.loader()?.load(&args.name, &version)?;
    let lakes = opened.lakes()?;
    if promotion != Promotion::Shadow {
        for (_, lake) in &lakes {
            check_fits(&release, lake)?;
        }
    }
    let at = rfc3339(now_ms());
    let change = |before: Option<&Channel>| {
        Channel::promote(before, &args.name, release.pinned.clone(), promotion, &at)
            .map(|channel| (channel, ()))
    };
    let changed = opened.registry.change_channel(&args.name, signer, &opened.trust, change);
    let (channel, ()) = changed?;
    let screen = context.out;
    let role = match promotion {
        Promotion::Stable => "stable".to_owned(),
        Promotion::Canary(permille) => {
            format!("the canary for {}% of all objects", f64::from(permille) / 10.0)
        }
        Promotion::Shadow => "the shadow: it runs beside and writes nothing".to_owned(),
    };
    let mut text = format!(
        "{} is {role} (channel document {})\n",
        screen.paint(Tone::Name, &release.id()),
        channel.sequence
    );
    if lakes.is_empty() {
        let note = "its types were not compared with any table: no pipeline follows the channel, and no --lake is named";
        text.push_str(&format!("  {}\n", screen.paint(Tone::Warn, note)));
    }
    if release.manifest.samples.is_empty() {
        let note = "it has no samples: hosts cannot try it before they swap";
        text.push_str(&format!("  {}\n", screen.paint(Tone::Warn, note)));
    }
    let json = json!({"release": release.id(), "sequence": channel.sequence, "channel": channel, "compared": lakes.len()});
    Ok(Answer { text, json, ..Answer::default() })
}

/// `5%` or `0.5%` as thousandths.
fn permille(text: &str) -> Result<u16, Error> {
    let wrong = || {
        Error::usage(format!("{text} is no share of the objects"))
            .with_hint("write --canary 5%; from 0.1% to 99.9%, in steps of a tenth")
    };
    let percent: f64 = text.trim().trim_end_matches('%').trim().parse().map_err(|_| wrong())?;
    let permille = (percent * 10.0).round();
    if !(1.0..=999.0).contains(&permille) || (permille - percent * 10.0).abs() > 1e-6 {
        return Err(wrong());
    }
    // In range: checked above.
    Ok(permille as u16)
}

/// Arguments of `rollback`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate rollback orders
  lakegate rollback orders --registry releases --key release.key --lake lake

Takes the canary back if there is one; else the stable release, for which the one before it comes back. What the withdrawn release wrote stays until it is replayed; the command for that is printed.")]
pub struct RollbackArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Runs `rollback`.
pub fn run_rollback(args: &RollbackArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    let signer = opened.signer()?;
    let at = rfc3339(now_ms());
    let change = |before: Option<&Channel>| match before {
        Some(before) => before.rollback(&at),
        None => Err(Error::new(
            Code::ChannelMissing,
            format!("the channel {} has no release to take back", args.name),
        )),
    };
    let changed = opened.registry.change_channel(&args.name, signer, &opened.trust, change);
    let (channel, withdrawn) = changed?;
    let screen = context.out;
    let stable = &channel.stable.release.version;
    let mut text = format!(
        "{} is taken back; {} is stable (channel document {})\n",
        screen.paint(Tone::Bad, &format!("{}@{}", args.name, withdrawn.version)),
        screen.paint(Tone::Name, &format!("{}@{stable}", args.name)),
        channel.sequence
    );
    let mut written = Vec::new();
    for (place, lake) in opened.lakes()? {
        let objects = written_by(&lake, &args.name, &withdrawn)?;
        text.push_str(&format!("  it wrote {} of {}\n", count(objects, "object", "objects"), lake.root()));
        let command = replay(args, &opened, &withdrawn, stable, &place);
        if objects > 0 {
            text.push_str(&format!("  {} makes them again\n", screen.paint(Tone::Bold, &command)));
        }
        written.push(json!({"lake": lake.root(), "objects": objects, "replay": command}));
    }
    let json = json!({
        "withdrawn": withdrawn.version.to_string(), "stable": stable.to_string(), "sequence": channel.sequence,
        "written": written,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

fn written_by(lake: &Lake, name: &str, withdrawn: &Pinned) -> Result<u64, Error> {
    let commits = lake.commits()?;
    let by = |state: &&lakegate_lake::record::CommitState| {
        let release = state.record.release.as_ref();
        state.current
            && state.record.reason != "retract"
            && release.is_some_and(|by| by.name == name && by.manifest == withdrawn.manifest)
    };
    Ok(commits.iter().filter(by).count() as u64)
}

/// The command that makes again what a withdrawn release wrote, with the one that is stable now.
fn replay(
    args: &RollbackArgs,
    opened: &Opened,
    withdrawn: &Pinned,
    stable: &semver::Version,
    place: &str,
) -> String {
    let mut command =
        format!("lakegate replay {} --written-by {} --release {stable}", args.name, withdrawn.version);
    if let Some(config) = &args.lakes.config {
        command.push_str(&format!(" --config {}", config.display()));
    }
    if !opened.followers.has(place) {
        command.push_str(&format!(" --lake {place}"));
    }
    if let Some(registry) = &args.registry.registry {
        command.push_str(&format!(" --registry {registry}"));
    }
    for key in &args.registry.trust {
        command.push_str(&format!(" --trust {}", key.display()));
    }
    if args.registry.trust.is_empty() {
        command.extend(args.key.key.iter().map(|key| format!(" --key {}", key.display())));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read() {
        assert_eq!(
            [permille("5%"), permille("0.1%"), permille("99.9"), permille(" 12.5 %")].map(Result::unwrap),
            [50, 1, 999, 125]
        );
        for wrong in ["", "0", "0%", "100%", "0.05%", "-1%", "five", "NaN"] {
            assert!(permille(wrong).is_err(), "{wrong}");
        }
    }
}
