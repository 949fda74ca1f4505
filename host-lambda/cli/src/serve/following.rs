//! What the page shows of the channel that this server follows: what is in use, what happened, and what ran beside.
//!
//! Not for the registry's releases (`releases`). The decision to know: what is in use here and what the channel's document
//! says are told apart, since a host may stay behind; to ask is to look, so that a page that is open sees a swap as
//! soon as an upload would.

use hyper::StatusCode;
use lakegate_base::Error;
use semver::Version;
use serde_json::{Value, json};

use crate::args::registry::{check_name, parse_version};
use crate::serve::Server;
use crate::serve::answer::{Answered, of_json};
use crate::serve::views::Paged;
use crate::show::problem;
use lakegate_lake::keys::{HOSTS, shadows_prefix};
use lakegate_lake::source::now_ms;
use lakegate_release::Follower;

/// `GET /api/following`.
pub fn following(server: &Server) -> Answered {
    let follower = server.chosen.follower();
    let serving = follower.map(|follower| serving(server, follower));
    let (mut document, mut refused) = (None, None);
    if let (Some(name), Some(loader)) = (name(server), server.chosen.loader()) {
        match loader.registry.channel(&name, &loader.trust) {
            Ok(channel) => document = Some(channel),
            Err(error) => refused = Some(problem::json(&error)),
        }
    }
    ok(&json!({
        "serving": serving, "document": document, "refused": refused, "events": server.events.told(),
        "hosts": hosts(server)?,
    }))
}

/// What this server has in use.
fn serving(server: &Server, follower: &Follower) -> Value {
    let serving = follower.serving();
    let canary = serving.canary.as_ref().map(|(release, canary)| {
        json!({"version": release.manifest.version.to_string(), "permille": canary.permille_at(now_ms())})
    });
    json!({
        "channel": follower.name(), "sequence": serving.sequence, "since": server.events.since(),
        "stable": serving.stable.manifest.version.to_string(), "canary": canary,
        "shadow": serving.shadow.as_ref().map(|shadow| shadow.manifest.version.to_string()),
        "left_out": serving.left_out, "trouble": follower.trouble(),
    })
}

/// What hosts that write to this lake said last, whatever channel they follow.
fn hosts(server: &Server) -> Result<Vec<Value>, Error> {
    let mut hosts = Vec::new();
    for facts in server.lake.storage().list(HOSTS)? {
        hosts.extend(server.lake.read_json::<Value>(&facts.key)?);
    }
    Ok(hosts)
}

/// `GET /api/shadows`: the releases that ran beside, the newest first.
pub fn shadows(server: &Server) -> Answered {
    let mut versions: Vec<Version> = Vec::new();
    let name = name(server);
    if let Some(name) = &name {
        let folders = server.lake.storage().folders(&shadows_prefix(name))?;
        versions.extend(folders.iter().filter_map(|folder| folder.parse::<Version>().ok()));
    }
    versions.sort();
    let shadows: Vec<Value> =
        versions.iter().rev().map(|version| json!({"name": name, "version": version.to_string()})).collect();
    ok(&json!({ "shadows": shadows }))
}

/// `GET /api/shadows/NAME/VERSION`: what it would have made of each object.
pub fn reports(server: &Server, name: &str, version: &str, page: &Paged) -> Answered {
    check_name(name)?;
    let prefix = format!("{}{}/", shadows_prefix(name), parse_version(version)?);
    let after = page.after.as_ref().map(|after| format!("{prefix}{after}"));
    let listed = server.lake.storage().list_page(&prefix, after.as_deref(), page.limit)?;
    let mut reports = Vec::new();
    for facts in &listed.found {
        reports.extend(server.lake.read_json::<Value>(&facts.key)?);
    }
    let last = listed.found.last().filter(|_| listed.more);
    let next = last.and_then(|facts| facts.key.strip_prefix(&prefix));
    ok(&json!({ "reports": reports, "next": next }))
}

/// Name of the releases that this server runs.
fn name(server: &Server) -> Option<String> {
    match server.chosen.follower() {
        Some(follower) => Some(follower.name().into()),
        None => server.chosen.releases().first().map(|release| release.manifest.name.clone()),
    }
}

fn ok(value: &Value) -> Answered {
    Ok(of_json(StatusCode::OK, value))
}
