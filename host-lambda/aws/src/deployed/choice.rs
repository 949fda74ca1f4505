//! What a pipeline does with an object: what its spec says, or the release that its channel picks.
//!
//! Not for loading releases ([`release`](mod@lakegate_release)). The decision to know: the choice is made once for an
//! object, before anything of it is read, and its commit record names it; a swap meanwhile changes nothing.

use std::sync::Arc;

use serde_json::json;

use crate::client::Aws;
use crate::config::{ContractWish, Location, Pipeline, PublicKey, Told};
use crate::deployed::{Deployed, Ready, read_address, storage_at};
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use lakegate_base::Result;
use lakegate_base::time::rfc3339;
use lakegate_lake::keys::{host_key, shadow_key};
use lakegate_lake::lake::{Lake, to_json};
use lakegate_lake::record::CommitRecord;
use lakegate_lake::run::Plan;
use lakegate_lake::source::{Source, now_ms};
use lakegate_release::compare::{Side, compare};
use lakegate_release::{Follower, Loader, Registry, Release, Trust};
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
        let Told::Channel { channel, registry, trust, min_sequence, .. } = &pipeline.told else {
            return Ok(None);
        };
        let loader = Loader {
            registry: registry_at(pipeline, aws, registry)?,
            trust: trust_of(aws, trust)?,
            sandbox,
            declared: pipeline.contract == ContractWish::Declared,
        };
        Follower::start(loader, channel, *min_sequence).map(|follower| Some(Self::Channel(follower)))
    }
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
    /// What is done with an object of this version now.
    ///
    /// # Errors
    /// The release's plan.
    pub fn choose(&self, uri: &str, version: &str) -> Result<Choice> {
        let name = &self.pipeline.name;
        match &self.does {
            Does::Fixed(plan, transform) => {
                Ok(Choice { plan: Plan::clone(plan), transform: transform.clone(), shadow: None })
            }
            Does::Channel(follower) => {
                let serving = follower.serving();
                let release = serving.pick(uri, version);
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
        if swaps > 0 || trouble.is_some() {
            let refused = u64::from(trouble.is_some());
            let swaps = Some(swaps).filter(|swaps| *swaps > 0);
            let metrics = Metrics { swap_count: swaps, swap_failures: Some(refused), ..Metrics::default() };
            self.tell(&ready.pipeline.name, &metrics);
        }
        if let Some(news) = follower.news() {
            let note =
                json!({"version": 1, "pipeline": ready.pipeline.name, "at": rfc3339(now_ms()), "host": news});
            // For people: an object that is in the tables does not fail for it.
            let _lost =
                to_json(&note).and_then(|text| lake.overwrite(&host_key(&ready.pipeline.name), &text));
        }
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
        let told = self.shadow_differences(ready, choice, shadow, source, lake, record);
        match told {
            Ok(same) => stage::shadowed(&shadow.id(), same, None),
            Err(error) => stage::shadowed(&shadow.id(), false, Some(&error)),
        }
    }

    fn shadow_differences(
        &self,
        ready: &Ready,
        choice: &Choice,
        shadow: &Release,
        source: &Source,
        lake: &Lake,
        record: &CommitRecord,
    ) -> Result<bool> {
        let plan = shadow.plan(None)?.deployed(&ready.pipeline.name);
        let stable = Side { transform: &choice.transform, plan: &choice.plan };
        let compared =
            compare(stable, Side { transform: &shadow.transform, plan: &plan }, source, Some(lake));
        let (same, found) = match compared {
            Ok(comparison) => (comparison.same(), json!({"comparison": comparison})),
            // What the shadow cannot take is the difference.
            Err(error) => (false, json!({"failed": {"code": error.name(), "message": error.to_string()}})),
        };
        let mut note = json!({
            "version": 1, "pipeline": ready.pipeline.name, "source": source.uri(), "generation": record.generation,
            "stable": record.release, "shadow": shadow.id(), "same": same, "at": rfc3339(now_ms()),
        });
        if let (Some(note), Some(found)) = (note.as_object_mut(), found.as_object()) {
            note.extend(found.clone());
        }
        let (name, version) = (&shadow.manifest.name, shadow.manifest.version.to_string());
        let key = shadow_key(name, &version, source.uri(), record.generation);
        lake.overwrite(&key, &to_json(&note)?)?;
        self.tell(
            &ready.pipeline.name,
            &Metrics { shadow_differences: Some(u64::from(!same)), ..Metrics::default() },
        );
        Ok(same)
    }
}
