//! What a pipeline does with an object: what its spec says, or the release that its channel picks.
//!
//! Not for loading releases ([`release`](mod@lakegate_release)). The decision to know: the choice is made once for an
//! object, before anything of it is read, and its commit record names it; a swap meanwhile changes nothing.

use std::sync::Arc;

use crate::client::Aws;
use crate::deployed::{Deployed, Ready, bare_lake, read_address, storage_at};
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use lakegate_base::Result;
use lakegate_config::{ContractWish, Location, Pipeline, PublicKey, Told};
use lakegate_lake::lake::Lake;
use lakegate_lake::record::CommitRecord;
use lakegate_lake::run::Plan;
use lakegate_lake::source::Source;
use lakegate_release::compare::Side;
use lakegate_release::{Follow, Follower, Loader, Registry, Release, Trust, run_shadow, tell_host};
use lakegate_sandbox::{Sandbox, Transform};

/// Where a pipeline's transform and plan come from.
pub(super) enum Does {
    /// The shipped transform and a spec.
    Fixed(Box<Plan>, Transform),
    /// Releases.
    Channel(Follower),
}

/// What is done with one object.
pub struct Choice {
    /// What it is told.
    pub plan: Plan,
    /// What runs.
    pub transform: Transform,
    /// Runs beside, for a look.
    pub(super) shadow: Option<Arc<Release>>,
}

impl Does {
    /// Follows the channel of a pipeline.
    pub(super) fn follow(aws: &Aws, pipeline: &Pipeline, sandbox: Sandbox) -> Result<Option<Self>> {
        let Told::Channel { registry, trust, .. } = &pipeline.told else { return Ok(None) };
        let lake = bare_lake(pipeline, aws)?;
        let (registry, trust) = (registry_at(pipeline, aws, registry)?, trust_of(aws, trust)?);
        Ok(follow(pipeline, registry, trust, sandbox, Some(lake))?.map(Self::Channel))
    }
}

/// What a start does with a pipeline that follows a channel, and `lakegate config check` before it. None where it
/// follows no channel; without its lake, what that has seen is not known.
///
/// # Errors
/// The channel or its stable release is refused; the storage's.
pub fn follow(
    pipeline: &Pipeline,
    registry: Registry,
    trust: Trust,
    sandbox: Sandbox,
    lake: Option<Lake>,
) -> Result<Option<Follower>> {
    let Told::Channel { channel, min_sequence, accept_sequence, .. } = &pipeline.told else {
        return Ok(None);
    };
    let seen = lake.as_ref().map_or(Ok(0), |lake| lake.seen_document(Some(&pipeline.name), channel))?;
    let follow = Follow {
        name: channel.clone(),
        floor: *min_sequence,
        seen: seen.min(accept_sequence.unwrap_or(u64::MAX)),
        listener: None,
    };
    let declared = pipeline.contract == ContractWish::Declared;
    Follower::start(Loader { registry, trust, sandbox, declared, lake }, follow).map(Some)
}

/// The registry of a pipeline.
pub fn registry_at(pipeline: &Pipeline, aws: &Aws, place: &Location) -> Result<Registry> {
    Ok(Registry::over(storage_at(pipeline, aws, place)?))
}

/// The keys that a configuration trusts.
pub fn trust_of(aws: &Aws, keys: &[PublicKey]) -> Result<Trust> {
    let mut texts = Vec::new();
    for key in keys {
        texts.push(match key {
            PublicKey::Inline(text) => text.clone(),
            PublicKey::File(address) => read_address(aws, address)?,
        });
    }
    Trust::parse(texts.iter().map(String::as_str))
}

impl Ready {
    /// What is done with an object now.
    ///
    /// # Errors
    /// The release's plan.
    pub fn choose(&self, uri: &str) -> Result<Choice> {
        let name = &self.pipeline.name;
        match &self.does {
            Does::Fixed(plan, transform) => {
                Ok(Choice { plan: Plan::clone(plan), transform: transform.clone(), shadow: None })
            }
            Does::Channel(follower) => {
                let serving = follower.serving();
                let release = serving.pick(name, uri);
                let plan = release.plan(Some(serving.sequence))?.deployed(name);
                let shadow = serving.shadow.clone().filter(|shadow| shadow.pinned != release.pinned);
                Ok(Choice { plan, transform: release.transform.clone(), shadow })
            }
        }
    }

    /// The follower of its channel, if it has one.
    pub fn follower(&self) -> Option<&Follower> {
        match &self.does {
            Does::Fixed(..) => None,
            Does::Channel(follower) => Some(follower),
        }
    }
}

impl Deployed {
    /// Tells swaps, and swaps that were refused: as metrics, and in the lake for `lakegate releases`.
    pub(super) fn tell_swaps(&self, ready: &Ready, lake: &Lake) {
        let Some(follower) = ready.follower() else { return };
        let trouble = follower.trouble();
        let swaps = follower.swaps();
        let refused = u64::from(trouble.is_some() || follower.leaves_out());
        if swaps > 0 || refused > 0 {
            let swaps = Some(swaps).filter(|swaps| *swaps > 0);
            let metrics = Metrics { swap_count: swaps, swap_failures: Some(refused), ..Metrics::default() };
            self.tell(&ready.pipeline.name, &metrics);
        }
        // For people: an object that is in the tables does not fail for it.
        let _lost = tell_host(lake, &ready.pipeline.name, follower);
    }

    /// Runs the shadow on the same input and keeps what it would have changed. Never fails the object.
    pub(super) fn shadow(
        &self,
        ready: &Ready,
        choice: &Choice,
        source: &Source,
        lake: &Lake,
        record: &CommitRecord,
    ) {
        let Some(shadow) = &choice.shadow else { return };
        let committed = Side { transform: &choice.transform, plan: &choice.plan };
        let told = run_shadow(lake, committed, shadow, source, record);
        match &told {
            Ok(same) => stage::shadowed(&shadow.id(), *same, None),
            Err(error) => stage::shadowed(&shadow.id(), false, Some(error)),
        }
        if let Ok(same) = told {
            let metrics = Metrics { shadow_differences: Some(u64::from(!same)), ..Metrics::default() };
            self.tell(&ready.pipeline.name, &metrics);
        }
    }
}
