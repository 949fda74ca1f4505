//! The releases in use, and how they come from a channel document: stable, and beside it what could be loaded.
//!
//! Not for when to look or swap. The decision to know: stable never depends on the others. A canary or shadow that
//! cannot be used here is left out and named; its objects are stable's.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel::{Canary, Channel, is_canary};
use crate::load::{Loader, Release};
use crate::manifest::Pinned;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::source::now_ms;

/// Releases that stay loaded: what is in use, and what a rollback or the next promotion wants.
const LOADED: usize = 8;

/// As what a release runs beside stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes a share.
    Canary,
    /// Writes nothing.
    Shadow,
}

/// A release of the document that cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// As what it was to run.
    pub role: Role,
    /// Which.
    pub version: String,
    /// Stable name of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// The releases in use, all of one channel document.
#[derive(Clone)]
pub struct Serving {
    /// Number of the document.
    pub sequence: u64,
    /// Takes what the canary does not.
    pub stable: Arc<Release>,
    /// Takes its share.
    pub canary: Option<(Arc<Release>, Canary)>,
    /// Runs beside, for a look.
    pub shadow: Option<Arc<Release>>,
    /// What the document names besides and cannot be used here.
    pub left_out: Vec<LeftOut>,
}

impl Serving {
    /// The release that takes an object: a function of its name, its pipeline (empty where there is none) and the
    /// document; where the canary's share grows by steps, of the time too.
    pub fn pick(&self, pipeline: &str, uri: &str) -> &Arc<Release> {
        match &self.canary {
            Some((release, canary))
                if is_canary(&self.stable.manifest.name, pipeline, uri, canary.permille_at(now_ms())) =>
            {
                release
            }
            _ => &self.stable,
        }
    }

    /// The releases that a document names, out of those that are loaded; none where one is neither loaded nor left out.
    pub(super) fn of(channel: &Channel, loaded: &Loaded) -> Option<Self> {
        let find =
            |pinned: &Pinned| loaded.releases.iter().find(|release| release.pinned == *pinned).cloned();
        let left = |role| loaded.left_out.iter().any(|left| left.role == role);
        let beside = |role, pinned: Option<&Pinned>| match pinned {
            None => Some(None),
            Some(pinned) => match find(pinned) {
                Some(release) => Some(Some(release)),
                None if left(role) => Some(None),
                None => None,
            },
        };
        let canary = channel.canary.as_ref();
        Some(Self {
            sequence: channel.sequence,
            stable: find(&channel.stable.release)?,
            canary: beside(Role::Canary, canary.map(|canary| &canary.entry.release))?.zip(canary.cloned()),
            shadow: beside(Role::Shadow, channel.shadow.as_ref().map(|entry| &entry.release))?,
            left_out: loaded.left_out.clone(),
        })
    }

    /// Whether nothing is different for an object.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let shape = |serving: &Self| {
            let canary = serving.canary.as_ref().map(|(_, canary)| canary.clone());
            let shadow = serving.shadow.as_ref().map(|shadow| shadow.pinned.clone());
            (serving.sequence, serving.stable.pinned.clone(), canary, shadow)
        };
        shape(self) == shape(other)
    }
}

/// Releases that are loaded, those used last at the end.
#[derive(Clone, Default)]
pub(super) struct Loaded {
    pub(super) releases: Vec<Arc<Release>>,
    /// Of the document that they were loaded for.
    pub(super) left_out: Vec<LeftOut>,
}

impl Loaded {
    /// What is loaded, for a document of which nothing was tried yet.
    pub(super) fn for_another(&self) -> Self {
        Self { releases: self.releases.clone(), left_out: Vec::new() }
    }

    /// Loads what a document names and is not loaded yet.
    ///
    /// # Errors
    /// Of its stable release.
    pub(super) fn with(&self, loader: &Loader, channel: &Channel) -> Result<Self> {
        let get = |pinned: &Pinned, writes: bool| match self
            .releases
            .iter()
            .find(|release| release.pinned == *pinned)
        {
            Some(release) => Ok(release.clone()),
            None => load(loader, &channel.name, pinned, writes).map(Arc::new),
        };
        let mut wanted: BTreeMap<&Pinned, Arc<Release>> = BTreeMap::new();
        let mut left_out = Vec::new();
        let stable = &channel.stable.release;
        wanted.insert(stable, get(stable, true)?);
        let canary = channel.canary.as_ref().map(|canary| (Role::Canary, &canary.entry.release));
        let shadow = channel.shadow.as_ref().map(|entry| (Role::Shadow, &entry.release));
        for (role, pinned) in canary.into_iter().chain(shadow) {
            if wanted.contains_key(pinned) {
                continue;
            }
            // What a shadow cannot take is what it is there to show.
            match get(pinned, role == Role::Canary) {
                Ok(release) => {
                    wanted.insert(pinned, release);
                }
                Err(error) => left_out.push(LeftOut {
                    role,
                    version: pinned.version.to_string(),
                    code: error.name().into(),
                    message: error.to_string(),
                }),
            }
        }
        let others = self.releases.iter().filter(|release| !wanted.contains_key(&release.pinned)).cloned();
        let mut releases: Vec<_> = others.chain(wanted.values().cloned()).collect();
        let surplus = releases.len().saturating_sub(LOADED);
        releases.drain(..surplus);
        Ok(Self { releases, left_out })
    }
}

/// Whatever a release does to the loader, the load ends.
fn load(loader: &Loader, name: &str, pinned: &Pinned, writes: bool) -> Result<Release> {
    let load = || loader.load_pinned(name, pinned, writes);
    std::panic::catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| {
        let what = format!("loading {name}@{} panicked; the log has where", pinned.version);
        Err(Error::new(Code::Invariant, what))
    })
}
