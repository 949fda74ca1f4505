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
use lakegate_lake::record::FailedRecord;
use lakegate_lake::source::now_ms;
use lakegate_release::{Back, Channel, Guard, Pinned, Promotion, Share, Steps};
use serde_json::json;
use std::path::Path;

/// Why a change is made, for the history.
#[derive(Args, Clone, Debug, Default)]
pub struct WhyArgs {
    /// Who makes it, for the history
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Check everything and say what would be done; write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `promote`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate promote orders 1.3.0 --registry releases --key release.key
  lakegate promote orders 1.3.0 --canary 5%      takes 5% of all objects, the same ones on every retry
  lakegate promote orders 1.3.0 --canary 5% --abort-above rejected=2%,failed=1%   hosts take it back by themselves
  lakegate promote orders 1.3.0 --steps 5%,25%,100% --every 15m   the share grows; `promote orders 1.3.0` ends it
  lakegate promote orders 1.3.0 --shadow         runs beside, writes nothing; `lakegate releases` tells what differs
  lakegate promote orders --end-canary           stable takes all objects again; --end-shadow ends the shadow

Hosts take it over between two objects, within two seconds, without a redeployment. A release whose types conflict with the live contract of a table is refused, as is one that a pipeline of the configuration would refuse.")]
pub struct PromoteArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Version that takes over
    #[arg(value_name = "VERSION", required_unless_present_any = ["end_canary", "end_shadow"])]
    version: Option<String>,
    /// Only for this share of the objects, from 0.1% to 99.9%
    #[arg(long, value_name = "SHARE", conflicts_with = "shadow")]
    canary: Option<String>,
    /// As --canary with a share that grows: ascending shares, of which the last one stays (100% too)
    #[arg(long, value_name = "SHARES", value_delimiter = ',', conflicts_with_all = ["canary", "shadow"], requires = "every")]
    steps: Vec<String>,
    /// How long each step lasts, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", requires = "steps")]
    every: Option<String>,
    /// Hosts take the canary back by themselves above one of these: `rejected=SHARE` of its records (and more than 10),
    /// `failed=SHARE` of its objects (and more than 2), or both with a comma
    #[arg(long, value_name = "LIMITS", value_delimiter = ',')]
    abort_above: Vec<String>,
    /// Only for a look: it runs on the same input and writes nothing to the tables
    #[arg(long)]
    shadow: bool,
    /// Take the canary away; nothing is said against it
    #[arg(long, conflicts_with_all = ["version", "canary", "shadow", "end_shadow"])]
    end_canary: bool,
    /// Take the shadow away
    #[arg(long, conflicts_with_all = ["version", "canary", "shadow"])]
    end_shadow: bool,
    #[command(flatten)]
    why: WhyArgs,
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
    let Some(version) = &args.version else { return end(args, context) };
    let version = parse_version(version)?;
    let promotion = match (share(args)?, args.shadow) {
        (Some(share), _) => Promotion::Canary(share),
        (None, true) => Promotion::Shadow,
        (None, false) => Promotion::Stable,
    };
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    opened.signer()?;
    let release = opened.judged(&args.name, &version, promotion != Promotion::Shadow)?;
    let (seen, at) = (opened.seen(&args.name)?, rfc3339(now_ms()));
    let change = |before: Option<&Channel>| {
        let next = Channel::promote(before, &args.name, release.pinned.clone(), promotion.clone(), &at)?;
        Ok((next.above(seen), ()))
    };
    let (channel, ()) = changed(&opened, &args.name, &args.why, change)?;
    let screen = context.out;
    let role = match &promotion {
        Promotion::Stable => "stable".to_owned(),
        Promotion::Canary(share) => format!("the canary for {}", said(share)),
        Promotion::Shadow => "the shadow: it runs beside and writes nothing".to_owned(),
    };
    let mut text = format!(
        "{} {} {role} (channel document {})\n",
        screen.paint(Tone::Name, &release.id()),
        args.why.is(),
        channel.sequence
    );
    let mut note = |note: &str| text.push_str(&format!("  {}\n", screen.paint(Tone::Warn, note)));
    let compared = opened.lakes()?.len();
    if compared == 0 {
        note(
            "its types were not compared with any table: no pipeline follows the channel, and no --lake is named",
        );
    }
    if release.manifest.samples.is_empty() {
        note("it has no samples: hosts cannot try it before they swap");
    }
    let json = json!({
        "release": release.id(), "sequence": channel.sequence, "channel": channel, "compared": compared,
        "dry_run": args.why.dry_run,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// Ends the canary or the shadow.
fn end(args: &PromoteArgs, context: &Context) -> Outcome {
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    opened.signer()?;
    let (seen, at) = (opened.seen(&args.name)?, rfc3339(now_ms()));
    let change = |before: Option<&Channel>| {
        let before = before.ok_or_else(|| no_release(&args.name))?;
        let (next, ended) = if args.end_canary { before.end_canary(&at) } else { before.end_shadow(&at) }?;
        Ok((next.above(seen), ended))
    };
    let (channel, ended) = changed(&opened, &args.name, &args.why, change)?;
    let role = if args.end_canary { "canary" } else { "shadow" };
    let text = format!(
        "{} {} no {role} any more; {}@{} is stable (channel document {})\n",
        context.out.paint(Tone::Name, &format!("{}@{}", args.name, ended.version)),
        args.why.is(),
        args.name,
        channel.stable.release.version,
        channel.sequence
    );
    let json = json!({
        "ended": ended.version.to_string(), "role": role, "sequence": channel.sequence, "channel": channel,
        "dry_run": args.why.dry_run,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

impl WhyArgs {
    fn is(&self) -> &'static str {
        if self.dry_run { "would be" } else { "is" }
    }
}

/// Makes a change of a channel, or only says what it would come to.
fn changed<T>(
    opened: &Opened,
    name: &str,
    why: &WhyArgs,
    change: impl Fn(Option<&Channel>) -> Result<(Channel, T), Error>,
) -> Result<(Channel, T), Error> {
    let said = |before: Option<&Channel>| {
        let (next, more) = change(before)?;
        Ok((next.because(why.by.as_deref(), why.reason.as_deref()), more))
    };
    if !why.dry_run {
        return opened.registry.change_channel(name, opened.signer()?, &opened.trust, said);
    }
    match opened.registry.channel(name, &opened.trust) {
        Ok(before) => said(Some(&before)),
        Err(error) if error.code() == Code::ChannelMissing => said(None),
        Err(error) => Err(error),
    }
}

fn no_release(name: &str) -> Error {
    Error::new(Code::ChannelMissing, format!("the channel {name} has no release to take back"))
}

/// The share of a canary, where one is promoted.
fn share(args: &PromoteArgs) -> Result<Option<Share>, Error> {
    let guard = guard(&args.abort_above)?;
    let (permille, steps) = match (&args.canary, args.every.as_deref()) {
        (Some(share), _) => (permille(share)?, None),
        (None, Some(every)) => {
            let steps = Steps { permille: ascending(&args.steps)?, seconds: seconds(every)? };
            (steps.permille.first().copied().unwrap_or(0), Some(steps))
        }
        (None, None) if guard.is_some() => {
            return Err(
                Error::usage("--abort-above is about a canary").with_hint("add --canary SHARE, or --steps")
            );
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(Share { permille, guard, steps }))
}

/// `rejected=2%`, `failed=1%`.
fn guard(limits: &[String]) -> Result<Option<Guard>, Error> {
    let mut guard = Guard::default();
    for limit in limits {
        let most = match limit.split_once('=') {
            Some(("rejected", share)) => guard.rejected.replace(permille(share)?),
            Some(("failed", share)) => guard.failed.replace(permille(share)?),
            _ => {
                return Err(Error::usage(format!("{limit} is no limit of a canary"))
                    .with_hint("write --abort-above rejected=2%,failed=1%"));
            }
        };
        if most.is_some() {
            return Err(Error::usage(format!("--abort-above names {limit} twice")));
        }
    }
    Ok(Some(guard).filter(|_| !limits.is_empty()))
}

/// Shares that grow; the last one may be the whole.
fn ascending(shares: &[String]) -> Result<Vec<u16>, Error> {
    let last = shares.len() - 1;
    let read = |(at, share): (usize, &String)| match share.trim() {
        "100%" | "100" if at == last => Ok(1000),
        share => permille(share),
    };
    let steps = shares.iter().enumerate().map(read).collect::<Result<Vec<_>, Error>>()?;
    if steps.is_sorted_by(|a, b| a < b) {
        return Ok(steps);
    }
    Err(Error::usage("the steps do not grow").with_hint("write --steps 5%,25%,100%"))
}

/// `90s`, `15m`, `2h` or `1d` as seconds.
fn seconds(text: &str) -> Result<u64, Error> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86400)];
    let read = units.iter().find_map(|(unit, seconds)| {
        text.trim().strip_suffix(*unit)?.parse::<u64>().ok()?.checked_mul(*seconds).filter(|all| *all > 0)
    });
    read.ok_or_else(|| {
        Error::usage(format!("{text} is no length of time")).with_hint("write --every 90s, 15m, 2h or 1d")
    })
}

/// A share in words.
fn said(share: &Share) -> String {
    let percent = |permille: u16| format!("{}%", f64::from(permille) / 10.0);
    let mut text = format!("{} of all objects", percent(share.permille));
    if let Some(steps) = &share.steps {
        let next: Vec<String> = steps.permille.iter().skip(1).map(|step| percent(*step)).collect();
        text.push_str(&format!(", then {} after {} s each", next.join(", "), steps.seconds));
    }
    if let Some(guard) = &share.guard {
        let limits = [("rejected", guard.rejected), ("failed", guard.failed)];
        let limits = limits.iter().filter_map(|(what, most)| Some(format!("{} {what}", percent((*most)?))));
        text.push_str(&format!("; hosts take it back above {}", limits.collect::<Vec<_>>().join(" or ")));
    }
    text
}

/// `5%` or `0.5%` as thousandths.
fn permille(text: &str) -> Result<u16, Error> {
    let wrong = || {
        Error::usage(format!("{text} is no share"))
            .with_hint("write for example --canary 5%; from 0.1% to 99.9%, in steps of a tenth")
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
  lakegate rollback orders --expect 1.3.0        only if 1.3.0 is what would be taken back: safe to repeat
  lakegate rollback orders --to 1.1.0            to this release instead of the one before
  lakegate rollback orders --registry releases --key release.key --lake lake

Takes the canary back if there is one; else, or with --to, the stable release, for which the one before it comes back. What comes back is verified first, as `promote` does. What the withdrawn release wrote stays until it is replayed; the command for that is printed.")]
pub struct RollbackArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Change nothing unless this version is the one that would be taken back
    #[arg(long, value_name = "VERSION")]
    expect: Option<String>,
    /// The version that is to be stable again
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    why: WhyArgs,
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
    opened.signer()?;
    let to = args.to.as_deref().map(parse_version).transpose()?;
    let to = to.map(|version| opened.registry.manifest(&args.name, &version, &opened.trust)).transpose()?;
    let back = Back {
        expect: args.expect.as_deref().map(parse_version).transpose()?,
        to: to.map(|(_, pinned)| pinned),
    };
    let (seen, at) = (opened.seen(&args.name)?, rfc3339(now_ms()));
    let change = |before: Option<&Channel>| {
        let before = before.ok_or_else(|| no_release(&args.name))?;
        let (next, withdrawn) = before.rollback(&back, &at)?;
        let stays = next.stable.release == before.stable.release;
        if !stays {
            check_back(&opened, &args.name, &next.stable.release)?;
        }
        Ok((next.above(seen), (withdrawn, stays)))
    };
    let (channel, (withdrawn, stays)) = changed(&opened, &args.name, &args.why, change)?;
    let screen = context.out;
    let stable = &channel.stable.release.version;
    let role = if stays { "the canary " } else { "" };
    let mut text = format!(
        "{role}{} {} taken back; {} {} stable (channel document {})\n",
        screen.paint(Tone::Bad, &format!("{}@{}", args.name, withdrawn.version)),
        args.why.is(),
        screen.paint(Tone::Name, &format!("{}@{stable}", args.name)),
        if stays { "stays" } else { args.why.is() },
        channel.sequence
    );
    let mut written = Vec::new();
    for (place, lake) in opened.lakes()? {
        let objects = written_by(&lake, &args.name, &withdrawn)?;
        let failed = failed_under(&lake, &args.name, &withdrawn)?;
        text.push_str(&format!("  it wrote {} of {}", count(objects, "object", "objects"), lake.root()));
        text.push_str(&format!(", {} under it\n", count(failed, "object failed", "objects failed")));
        let command = replay(args, &opened, &withdrawn, stable, &place);
        if objects > 0 {
            text.push_str(&format!("  {} makes them again\n", screen.paint(Tone::Bold, &command)));
        }
        let again = again(args, &opened, &place);
        if failed > 0 {
            text.push_str(&format!("  {} takes what failed again\n", screen.paint(Tone::Bold, &again)));
        }
        written.push(json!({
            "lake": lake.root(), "objects": objects, "replay": command, "failed": failed, "again": again,
        }));
    }
    let json = json!({
        "withdrawn": withdrawn.version.to_string(), "stable": stable.to_string(), "sequence": channel.sequence,
        "canary": stays, "written": written, "dry_run": args.why.dry_run,
    });
    Ok(Answer { text, json, ..Answer::default() })
}

/// The release that comes back, as hosts will load it: one that is gone or spoilt would leave them with the bad one.
fn check_back(opened: &Opened, name: &str, pinned: &Pinned) -> Result<(), Error> {
    let release = opened.judged(name, &pinned.version, true).map_err(|error| {
        let hint = format!(
            "`lakegate rollback {name} --to VERSION` goes back to another one; `lakegate releases {name}` shows which \
             are whole"
        );
        error.with_hint(hint)
    })?;
    if release.pinned == *pinned {
        return Ok(());
    }
    let what = format!("{name}@{} is not the release that was stable before", pinned.version);
    Err(Error::new(Code::ManifestDamaged, what)
        .with_hint("`lakegate rollback --to VERSION` names another one"))
}

fn failed_under(lake: &Lake, name: &str, withdrawn: &Pinned) -> Result<u64, Error> {
    let under = |failed: &FailedRecord| {
        failed.release.as_ref().is_some_and(|by| by.name == name && by.manifest == withdrawn.manifest)
    };
    Ok(lake.failures()?.iter().filter(|failed| under(failed)).count() as u64)
}

/// The command that takes again what failed.
fn again(args: &RollbackArgs, opened: &Opened, place: &str) -> String {
    if opened.followers.has(place) {
        let config = args.lakes.config.as_deref().unwrap_or(Path::new("lakegate.toml"));
        return format!("lakegate run --failed --config {}", config.display());
    }
    let mut command = format!("lakegate run --failed --lake {place} --transform {}", args.name);
    command.push_str(&registry_words(&args.registry));
    command
}

/// The registry and whom one trusts, as they were given.
fn registry_words(registry: &RegistryArg) -> String {
    let place = registry.registry.iter().map(|place| format!(" --registry {place}"));
    let trust = registry.trust.iter().map(|key| format!(" --trust {}", key.display()));
    place.chain(trust).collect()
}

fn written_by(lake: &Lake, name: &str, withdrawn: &Pinned) -> Result<u64, Error> {
    let commits = lake.commits()?;
    let by = |state: &&lakegate_lake::record::CommitState| {
        let release = state.record.release.as_ref();
        state.current
            && !state.record.is_retraction()
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
    command.push_str(&registry_words(&args.registry));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_steps_and_times_are_read() {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(guard(&[]).unwrap(), None);
        let both = Guard { rejected: Some(20), failed: Some(10) };
        assert_eq!(guard(&texts(&["failed=1%", "rejected=2%"])).unwrap(), Some(both));
        for wrong in [vec!["failed=1%", "failed=2%"], vec!["lost=1%"], vec!["failed"], vec!["failed=0%"]] {
            assert!(guard(&texts(&wrong)).is_err(), "{wrong:?}");
        }
        assert_eq!(ascending(&texts(&["5%", "25%", "100%"])).unwrap(), [50, 250, 1000]);
        for wrong in [vec!["5%", "5%"], vec!["25%", "5%"], vec!["100%", "100%"], vec![""]] {
            assert!(ascending(&texts(&wrong)).is_err(), "{wrong:?}");
        }
        assert_eq!(["90s", "15m", "2h", "1d"].map(|text| seconds(text).unwrap()), [90, 900, 7200, 86400]);
        for wrong in ["", "15", "0s", "-1m", "99999999999999999999d", "m"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

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
