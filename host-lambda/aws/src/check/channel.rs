//! A pipeline's channel: its keys, and the release that it picks.
//!
//! Not for judging releases, which is [`release`](mod@lakegate_release)'s. The decision to know: the channel is
//! followed as a start follows it, so that what a host would refuse is refused here; what lies in S3 only when AWS is
//! asked at all.

use std::sync::Arc;

use super::Judge;
use crate::deployed::{bare_lake, follow, read_address, registry_at};
use lakegate_base::{Error, Result};
use lakegate_config::{Address, Location, Pipeline, PublicKey, Told};
use lakegate_lake::Lake;
use lakegate_lake::storage::LocalFolder;
use lakegate_release::{Registry, Trust};
use lakegate_sandbox::Sandbox;

/// Judges a pipeline that follows a channel; the tables of its stable release, where that is known.
pub(super) fn judge(judge: &mut Judge<'_>, pipeline: &Pipeline) -> Result<Vec<String>> {
    let Told::Channel { channel, registry, trust, .. } = &pipeline.told else { return Ok(Vec::new()) };
    let (before, mut texts) = (judge.findings.len(), Vec::new());
    for key in trust {
        texts.push(public_key(judge, pipeline, key)?);
    }
    let known: Option<Vec<String>> = texts.into_iter().collect();
    // With a key that cannot be read, nothing that it signed could be either.
    let Some(texts) = known.filter(|_| judge.findings.len() == before) else { return Ok(Vec::new()) };
    let registry = match (registry, judge.aws) {
        (Location::Local(folder), _) => Registry::over(Arc::new(LocalFolder::new(folder)?)),
        (place, Some(aws)) => registry_at(pipeline, aws, place)?,
        (Location::S3 { .. }, None) => return Ok(Vec::new()),
    };
    let lake = match (&pipeline.lake, judge.aws) {
        (Location::Local(folder), _) => Some(Lake::over(Arc::new(LocalFolder::new(folder)?))),
        (Location::S3 { .. }, Some(aws)) => Some(bare_lake(pipeline, aws)?),
        (Location::S3 { .. }, None) => None,
    };
    let sandbox = Sandbox::new(pipeline.limits.sandbox(None))?;
    let trust = Trust::parse(texts.iter().map(String::as_str))?;
    let followed = follow(pipeline, registry, trust, sandbox, lake).and_then(|follower| match follower {
        Some(follower) => follower.serving().stable.plan(None).map(|plan| plan.tables().to_vec()),
        None => Ok(Vec::new()),
    });
    followed.or_else(|error| {
        let message = format!("the channel {channel} cannot be followed: {error}");
        let told = Error::new(error.code(), message).of_kind(error.kind());
        let told = error.hint().map(|hint| told.clone().with_hint(hint)).unwrap_or(told);
        judge.error(pipeline, "channel", &told).map(|()| Vec::new())
    })
}

/// The text of a public key, where it can be read and used.
fn public_key(judge: &mut Judge<'_>, pipeline: &Pipeline, key: &PublicKey) -> Result<Option<String>> {
    let (text, place) = match (key, judge.aws) {
        (PublicKey::Inline(text), _) => (Ok(text.clone()), "a key in `trust`".to_owned()),
        (PublicKey::File(Address::Local(path)), _) => {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                let told = Error::io(&place, error);
                Error::new(told.code(), format!("the public key {place} cannot be read: {}", told.message()))
                    .with_hint("`lakegate keygen` makes it, beside the private key")
            });
            (text, place)
        }
        (PublicKey::File(Address::S3 { .. }), None) => return Ok(None),
        (PublicKey::File(address), Some(aws)) => (read_address(aws, address), address.uri()),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => return judge.error(pipeline, "trust", &error).map(|()| None),
    };
    let Err(error) = Trust::parse([text.as_str()]) else { return Ok(Some(text)) };
    judge.at(pipeline, "trust", format!("{place}: {error}"), error.hint().map(str::to_owned));
    Ok(None)
}
