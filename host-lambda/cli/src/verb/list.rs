//! `lakegate releases`: versions, what they are made of, and which of them is in use since when.
//!
//! The decision to know: everything shown was verified as a host would, by its signature and every digest; what a
//! host would refuse is shown with the reason. What hosts themselves said last is read from the lakes, as is what each
//! release wrote.

use crate::args::registry::{KeyArg, LakesArg, Opened, RegistryArg, check_name, open, registry_named};
use crate::cloud::Followers;
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, short, size, visible};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::keys::{HOSTS, shadows_prefix};
use lakegate_lake::lake::Lake;
use lakegate_lake::source::now_ms;
use lakegate_release::{Aborted, Change, Channel, Checked, Found, Manifest, aborted};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Arguments of `releases`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate releases                                    all names, by lakegate.toml
  lakegate releases orders
  lakegate releases orders --registry s3://acme-releases/ --trust release.key.pub --json")]
pub struct ReleasesArgs {
    /// Name of the releases [default: all names in the registry, or in those of lakegate.toml]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Runs `releases`.
pub fn run(args: &ReleasesArgs, context: &Context) -> Outcome {
    let Some(name) = &args.name else { return names(args, context) };
    check_name(name)?;
    let opened = open(name, &args.registry, &KeyArg::default(), &args.lakes)?;
    let versions = opened.registry.versions(name)?;
    let channel = opened.registry.channel(name, &opened.trust);
    let channel = match channel {
        Err(error) if error.code() == Code::ChannelMissing => Ok(None),
        other => other.map(Some),
    };
    let screen = context.out;
    let known = channel.as_ref().ok().and_then(Option::as_ref);
    let mut text = format!(
        "{} in {}: {}",
        screen.paint(Tone::Name, name),
        opened.registry.uri(),
        count(versions.len() as u64, "release", "releases")
    );
    let mut refused = 0u64;
    match &channel {
        Ok(Some(channel)) => text.push_str(&format!(", channel document {}\n", channel.sequence)),
        Ok(None) => text.push_str(", none promoted yet\n"),
        Err(problem) => {
            refused += 1;
            text.push_str(&format!("\n{}", problem::render(problem, screen)));
        }
    }
    let (table, listed, wrong) = table(&opened, name, &versions, known)?;
    if !table.is_empty() {
        text.push_str(&table.render(screen));
    }
    if let Some(channel) = known {
        text.push_str(&history(channel, screen));
    }
    // Reads every commit: only of a lake that is named.
    let written = match args.lakes.lake {
        Some(_) => written(&opened, name)?,
        None => BTreeMap::new(),
    };
    for (version, written) in &written {
        text.push_str(&format!("  {}\n", written.line(version)));
    }
    let (hosts, shadows, aborted) =
        (hosts(&opened, name)?, shadows(&opened, name)?, aborted_in(&opened, known)?);
    text.push_str(&lines_of(&aborted, name, screen));
    refused += wrong + aborted.len() as u64;
    refused += told(&mut text, &hosts, &shadows, known.map(|channel| channel.sequence), screen);
    let exit = if refused > 0 { Exit::Failed } else { Exit::Done };
    let shadows: Vec<Value> = shadows
        .iter()
        .map(|(version, (objects, differ))| json!({"version": version, "objects": objects, "differ": differ}))
        .collect();
    let json = json!({
        "name": name, "registry": opened.registry.uri(), "channel": known,
        "channel_refused": channel.as_ref().err().map(problem::json), "releases": listed, "hosts": hosts,
        "shadows": shadows, "written": written,
        "aborted": aborted.iter().map(|(lake, mark)| json!({"lake": lake, "canary": mark})).collect::<Vec<_>>(),
    });
    Ok(Answer { text, json, exit })
}

/// All versions, the newest first: as a table, as JSON, and how many are refused.
fn table(
    opened: &Opened,
    name: &str,
    versions: &[semver::Version],
    known: Option<&Channel>,
) -> Result<(Grid, Vec<Value>, u64), Error> {
    let mut refused = 0;
    let mut grid =
        Grid::new(&["version", "in use", "since", "component", ">size", "spec", "compiled for", "key", ""]);
    let (mut listed, mut checked) = (Vec::new(), Checked::default());
    for version in versions.iter().rev() {
        let uses = uses(known, version);
        let found = opened.registry.check_release(name, version, &opened.trust, &mut checked)?;
        let manifest = found.manifest.as_ref().map(|(manifest, _)| manifest);
        refused += u64::from(!found.wrong.is_empty());
        grid.row(row(version, &uses, &found));
        listed.push(json!({
            "version": version.to_string(), "in_use": uses.iter().map(|(role, _)| role).collect::<Vec<_>>(),
            "since": uses.first().map(|(_, since)| since), "published": manifest.map(|m| &m.published),
            "manifest": found.manifest.as_ref().map(|(_, pinned)| &pinned.manifest),
            "component": manifest.map(|m| &m.component), "spec": manifest.map(|m| &m.spec.digest),
            "samples": manifest.map(|m| m.samples.len()), "compiled_for": found.compiled, "keys": found.signers,
            "refused": found.wrong.first().map(problem::json),
            "wrong": found.wrong.iter().map(problem::json).collect::<Vec<_>>(),
        }));
    }
    Ok((grid.of(Holds::Names), listed, refused))
}

/// What the lakes say of each version: objects, rows, rejected records, failed objects.
fn written(opened: &Opened, name: &str) -> Result<BTreeMap<String, Written>, Error> {
    let mut found: BTreeMap<String, Written> = BTreeMap::new();
    for (_, lake) in opened.lakes()? {
        for state in lake.commits()?.iter().filter(|state| state.current) {
            let Some(by) = state.record.release.as_ref().filter(|by| by.name == name) else { continue };
            let written = found.entry(by.version.clone()).or_default();
            written.objects += 1;
            written.rows += state.record.parts.iter().map(|part| part.rows).sum::<u64>();
            written.rejected += state.record.report.rejected;
        }
        for failed in lake.failures()? {
            if let Some(by) = failed.release.filter(|by| by.name == name) {
                found.entry(by.version).or_default().failed += 1;
            }
        }
    }
    Ok(found)
}

/// What a release has in the lakes.
#[derive(Default, serde::Serialize)]
struct Written {
    objects: u64,
    rows: u64,
    rejected: u64,
    failed: u64,
}

impl Written {
    fn line(&self, version: &str) -> String {
        format!(
            "{version} has {} in the tables: {}, {} rejected; {} under it",
            count(self.objects, "object", "objects"),
            count(self.rows, "row", "rows"),
            number(self.rejected),
            count(self.failed, "object failed", "objects failed")
        )
    }
}

/// Changes that are shown where nobody asks for more.
const SHOWN: usize = 5;

/// The last changes of a channel, a line each.
fn history(channel: &Channel, screen: Screen) -> String {
    let mut text = String::new();
    for past in channel.history.iter().take(SHOWN) {
        let what = match past.change {
            Change::Promote => "is stable",
            Change::Canary => "is the canary",
            Change::Shadow => "is the shadow",
            Change::Rollback => "is taken back",
            Change::EndCanary => "is no canary any more",
            Change::EndShadow => "is no shadow any more",
        };
        let by = past.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        let reason = past.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let line = format!("{} {} {} {what}{by}{reason}", past.sequence, past.at, past.release.version);
        text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &visible(&line))));
    }
    let more = channel.history.len().saturating_sub(SHOWN);
    if more > 0 {
        let line = format!("{} before; --json has all", count(more as u64, "change", "changes"));
        text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &line)));
    }
    text
}

/// Objects that shadows ran on, and those that they made otherwise, by version.
type Shadows = BTreeMap<String, (u64, u64)>;

/// What hosts and shadows said last, as lines; how many hosts do not follow.
fn told(text: &mut String, hosts: &[Value], shadows: &Shadows, sequence: Option<u64>, screen: Screen) -> u64 {
    let mut behind = 0;
    for host in hosts {
        let who = host["pipeline"].as_str().unwrap_or_default();
        // Of an earlier document it is history.
        let now = host["host"]["sequence"].as_u64() == sequence;
        let left_out = host["host"]["left_out"].as_array().filter(|_| now);
        for left in left_out.into_iter().flatten() {
            let word = |key: &str| left[key].as_str().unwrap_or_default().to_owned();
            let line = format!(
                "{who}: goes on without the {} {}: {}",
                word("role"),
                word("version"),
                word("message")
            );
            text.push_str(&format!("  {} {}\n", screen.paint(Tone::Bad, "!"), visible(&line)));
            behind += 1;
        }
        let stays = host["host"]["stable"].as_str().unwrap_or_default();
        let since = host["at"].as_str().unwrap_or_default();
        let Some(why) = host["host"]["trouble"]["message"].as_str() else {
            text.push_str(&format!("  {who}: has {stays} in use, since {since}\n"));
            continue;
        };
        let line = format!("{who}: a host stays with {stays}, since {since}: {}", visible(why));
        text.push_str(&format!("  {} {line}\n", screen.paint(Tone::Bad, "!")));
        behind += 1;
    }
    for (version, (objects, differ)) in shadows {
        let of = count(*objects, "object", "objects");
        let line = format!("shadow {version}: {} of {of} would come out otherwise", number(*differ));
        let tone = if *differ > 0 { Tone::Warn } else { Tone::Good };
        text.push_str(&format!("  {}\n", screen.paint(tone, &line)));
    }
    behind
}

fn names(args: &ReleasesArgs, context: &Context) -> Outcome {
    let connection = crate::cloud::Connection::open()?;
    let registries = match &args.registry.registry {
        Some(place) => vec![registry_named(place, &connection)?],
        None => Followers::all(args.lakes.config.as_deref())?.registries(&connection)?,
    };
    if registries.is_empty() {
        return Err(Error::usage(
            "neither a name nor a registry is given, and no pipeline follows a channel",
        )
        .with_hint("`lakegate releases NAME`, or `lakegate releases --registry DIR` for all names"));
    }
    let (mut text, mut listed) = (String::new(), Vec::new());
    for registry in &registries {
        let names = registry.names()?;
        text.push_str(&format!(
            "{}: {}\n",
            context.out.paint(Tone::Name, registry.uri()),
            count(names.len() as u64, "name", "names")
        ));
        text.extend(names.iter().map(|name| format!("  {name}\n")));
        listed.push(json!({"registry": registry.uri(), "names": names}));
    }
    let json = match &listed[..] {
        [one] => one.clone(),
        _ => json!({"registries": listed}),
    };
    Ok(Answer { text, json, ..Answer::default() })
}

/// Roles of a version, each with its time.
fn uses(channel: Option<&Channel>, version: &semver::Version) -> Vec<(String, String)> {
    let Some(channel) = channel else { return Vec::new() };
    let mut uses = Vec::new();
    if channel.stable.release.version == *version {
        uses.push(("stable".into(), channel.stable.since.clone()));
    }
    if let Some(canary) = channel.canary.as_ref().filter(|canary| canary.entry.release.version == *version) {
        let share = f64::from(canary.permille_at(now_ms())) / 10.0;
        uses.push((format!("canary {share}%"), canary.entry.since.clone()));
    }
    if let Some(shadow) = channel.shadow.as_ref().filter(|shadow| shadow.release.version == *version) {
        uses.push(("shadow".into(), shadow.since.clone()));
    }
    uses
}

fn row(version: &semver::Version, uses: &[(String, String)], found: &Found) -> Vec<Cell> {
    let manifest = found.manifest.as_ref().map(|(manifest, _)| manifest);
    let roles: Vec<&str> = uses.iter().map(|(role, _)| role.as_str()).collect();
    let of = |text: fn(&Manifest) -> String| manifest.map(text).unwrap_or_default();
    vec![
        Cell::new(Tone::Name, version.to_string()),
        Cell::new(Tone::Good, roles.join(", ")),
        uses.first().map(|(_, since)| since.clone()).unwrap_or_default().into(),
        of(|m| short(&m.component.blob.digest).to_string()).into(),
        of(|m| size(m.component.blob.bytes)).into(),
        of(|m| short(&m.spec.digest).to_string()).into(),
        count(found.compiled.len() as u64, "engine", "engines").into(),
        found.signers.join(", ").into(),
        found.wrong.first().map_or_else(Cell::default, |wrong| {
            Cell::new(Tone::Bad, format!("refused: {}", visible(&wrong.to_string())))
        }),
    ]
}

/// What hosts that follow the channel said last: pipelines, and commands over a lake.
fn hosts(opened: &Opened, name: &str) -> Result<Vec<Value>, Error> {
    let mut found = BTreeMap::new();
    for (_, lake) in opened.lakes()? {
        for facts in lake.storage().list(HOSTS)? {
            let note = lake.read_json::<Value>(&facts.key)?;
            found.extend(note.map(|note| (format!("{} {}", lake.root(), facts.key), note)));
        }
    }
    Ok(found.into_values().filter(|note| note["host"]["channel"] == json!(name)).collect())
}

/// A line for each lake whose hosts took the canary back.
fn lines_of(aborted: &[(String, Aborted)], name: &str, screen: Screen) -> String {
    let line = |(lake, mark): &(String, Aborted)| {
        let line = format!(
            "{lake}: {} was aborted by its hosts at {}: {}; `lakegate rollback {name}` takes it back for good",
            mark.release, mark.at, mark.why
        );
        format!("  {} {}\n", screen.paint(Tone::Bad, "!"), visible(&line))
    };
    aborted.iter().map(line).collect()
}

/// Lakes whose hosts took the canary in use back by themselves.
fn aborted_in(opened: &Opened, channel: Option<&Channel>) -> Result<Vec<(String, Aborted)>, Error> {
    let Some((channel, canary)) = channel.and_then(|channel| Some((channel, channel.canary.as_ref()?)))
    else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for (_, lake) in opened.lakes()? {
        found.extend(aborted(&lake, &channel.name, canary)?.map(|mark| (lake.root().to_owned(), mark)));
    }
    Ok(found)
}

fn shadows(opened: &Opened, name: &str) -> Result<Shadows, Error> {
    let mut found = Shadows::new();
    for (_, lake) in opened.lakes()? {
        for note in notes(&lake, name)? {
            let shadow = note["shadow"].as_str().unwrap_or_default();
            let version = shadow.rsplit('@').next().unwrap_or_default();
            let (objects, differ) = found.entry(version.to_string()).or_default();
            *objects += 1;
            *differ += u64::from(note["same"] != json!(true));
        }
    }
    Ok(found)
}

fn notes(lake: &Lake, name: &str) -> Result<Vec<Value>, Error> {
    let prefix = shadows_prefix(name);
    let mut notes = Vec::new();
    for facts in lake.storage().list(&prefix)? {
        notes.extend(lake.read_json::<Value>(&facts.key)?);
    }
    Ok(notes)
}
