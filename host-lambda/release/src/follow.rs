//! Follows a channel: looks between objects, loads beside them, swaps when a release is ready.
//!
//! Not for what makes a release ready (`load`). Decisions to know:
//!
//! * A look is one conditional read, at most once a second. Releases that were loaded before are swapped to at
//!   once, so a rollback holds from the next object on; others load on a thread of their own while objects
//!   go on under the release before.
//! * A host that had nothing to do (Lambda stops the whole process between events) waits a moment for the
//!   release instead: nothing else would be held up, and its next object may be an hour away.
//! * A swap takes over all that the document names, or nothing. What went wrong is kept and told until a later
//!   look comes through.
//! * The sequence number never goes back in a process, nor below a floor that is configured: a cold host
//!   remembers nothing, and would take an old signed document for the newest.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, is_canary};
use crate::load::{Loader, Release};
use crate::manifest::Pinned;
use lakegate_base::{Code, Error, Result};

/// At most one look in this time.
const LOOK: Duration = Duration::from_secs(1);
/// A failed load is tried again after this time: its cause may be gone.
const RETRY: Duration = Duration::from_secs(30);
/// Without an object for so long, a host is idle.
const IDLE: Duration = Duration::from_secs(10);
/// How long an idle host's next object waits for a release that is being loaded.
const IDLE_WAIT: Duration = Duration::from_secs(2);
/// Releases that stay loaded: what is in use, and what a rollback or the next promotion wants.
const LOADED: usize = 8;

/// The releases in use, all of one channel document.
#[derive(Clone)]
pub struct Serving {
    /// Number of the document.
    pub sequence: u64,
    /// Takes what the canary does not.
    pub stable: Arc<Release>,
    /// Takes so many of a thousand objects.
    pub canary: Option<(Arc<Release>, u16)>,
    /// Runs beside, for a look.
    pub shadow: Option<Arc<Release>>,
}

impl Serving {
    /// The release that takes an object: a function of the object's version and the document alone.
    pub fn pick(&self, uri: &str, version: &str) -> &Arc<Release> {
        match &self.canary {
            Some((canary, permille)) if is_canary(&self.stable.manifest.name, uri, version, *permille) => {
                canary
            }
            _ => &self.stable,
        }
    }
}

/// Why the newest document is not in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Number of the document; 0 if it could not be read at all.
    pub sequence: u64,
    /// Stable name of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
}

/// What a host has in use, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Channel.
    pub channel: String,
    /// Number of the document in use.
    pub sequence: u64,
    /// Version of the stable release in use.
    pub stable: String,
    /// Why a newer document is not in use.
    pub trouble: Option<Trouble>,
}

/// Follows one channel.
pub struct Follower {
    inner: Arc<Inner>,
}

struct Inner {
    loader: Loader,
    name: String,
    floor: u64,
    look: Duration,
    state: Mutex<State>,
    /// A load has ended.
    ended: Condvar,
}

struct State {
    serving: Serving,
    /// Tag of the document that was read last.
    tag: String,
    /// The newest document that was accepted, in use or not.
    seen: u64,
    looked: Instant,
    used: Instant,
    loading: bool,
    failed: Option<(Instant, Channel)>,
    trouble: Option<Trouble>,
    swaps: u64,
    /// Loaded releases, those used last at the end.
    loaded: Vec<Arc<Release>>,
    told: u64,
    news: Option<News>,
}

impl Follower {
    /// Reads the channel and loads what it names. A host that starts has no last known good release.
    ///
    /// # Errors
    /// Whatever is wrong with the channel or a release of it.
    pub fn start(loader: Loader, name: &str, floor: u64) -> Result<Self> {
        let found = loader.registry.channel_unless(name, "", &loader.trust)?;
        let (channel, tag) = found.ok_or_else(|| super::channel::no_channel(name))?;
        check_sequence(&channel, floor, 0)?;
        let loaded = load_all(&loader, &channel, &[])?;
        let serving = serving(&channel, &loaded)?;
        let (seen, now) = (channel.sequence, Instant::now());
        let state = State {
            serving,
            tag,
            seen,
            looked: now,
            used: now,
            loading: false,
            failed: None,
            trouble: None,
            swaps: 0,
            loaded,
            told: 0,
            news: None,
        };
        let (state, ended) = (Mutex::new(state), Condvar::new());
        let inner = Inner { loader, name: name.into(), floor, look: LOOK, state, ended };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same with another time between two looks.
    #[must_use]
    pub fn looking_every(mut self, look: Duration) -> Self {
        // Nobody else has it yet: it was made a moment ago.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.look = look;
        }
        self
    }

    /// The releases in use for the next object, after a look if it is time for one.
    pub fn serving(&self) -> Serving {
        let idle = {
            let mut state = self.inner.lock();
            let idle = state.used.elapsed() >= IDLE;
            state.used = Instant::now();
            idle
        };
        self.look();
        let mut state = self.inner.lock();
        let until = Instant::now() + IDLE_WAIT;
        while idle && state.loading {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.inner.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.serving.clone()
    }

    /// Looks at the channel if it is time for it, and begins to load what is new.
    fn look(&self) {
        let tag = {
            let mut state = self.inner.lock();
            if state.looked.elapsed() < self.inner.look || state.loading {
                return;
            }
            state.looked = Instant::now();
            state.tag.clone()
        };
        let loader = &self.inner.loader;
        let found = loader.registry.channel_unless(&self.inner.name, &tag, &loader.trust);
        let mut state = self.inner.lock();
        let channel = match found {
            Ok(None) => match state.failed.clone() {
                Some((at, channel)) if at.elapsed() >= RETRY => channel,
                // It could be read again, and is what is in use.
                None => return state.trouble = None,
                Some(_) => return,
            },
            Ok(Some((channel, tag))) => match check_sequence(&channel, self.inner.floor, state.seen) {
                Ok(()) => {
                    state.tag = tag;
                    state.seen = channel.sequence;
                    channel
                }
                Err(error) => return state.fail(channel.sequence, &error),
            },
            Err(error) => return state.fail(0, &error),
        };
        if let Ok(serving) = serving(&channel, &state.loaded) {
            return state.swap(serving);
        }
        state.loading = true;
        state.failed = None;
        let (inner, known) = (self.inner.clone(), state.loaded.clone());
        let spawned = thread::Builder::new().name("lakegate-release".into()).spawn({
            let channel = channel.clone();
            move || inner.load(&channel, &known)
        });
        if let Err(error) = spawned {
            state.loading = false;
            state.failed = Some((Instant::now(), channel));
            let error = Error::new(Code::NoThread, format!("no thread to load a release: {error}"));
            state.fail(0, &error);
        }
    }

    /// Why the newest document is not in use, if it is not.
    pub fn trouble(&self) -> Option<Trouble> {
        self.inner.lock().trouble.clone()
    }

    /// Swaps since this was last asked.
    pub fn swaps(&self) -> u64 {
        let mut state = self.inner.lock();
        let new = state.swaps - state.told;
        state.told = state.swaps;
        new
    }

    /// What is in use, if that changed since this was last asked.
    pub fn news(&self) -> Option<News> {
        let mut state = self.inner.lock();
        let now = News {
            channel: self.inner.name.clone(),
            sequence: state.serving.sequence,
            stable: state.serving.stable.manifest.version.to_string(),
            trouble: state.trouble.clone(),
        };
        if state.news.as_ref() == Some(&now) {
            return None;
        }
        state.news = Some(now.clone());
        Some(now)
    }

    /// What loads a release of this channel by version, for commits of the past.
    pub fn loader(&self) -> &Loader {
        &self.inner.loader
    }

    /// Name of the channel.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left whole values behind: they are replaced, never changed in place.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On a thread of its own: loads what is missing and swaps. Whatever a release does to the loader, the load ends.
    fn load(&self, channel: &Channel, known: &[Arc<Release>]) {
        let loaded = std::panic::catch_unwind(AssertUnwindSafe(|| load_all(&self.loader, channel, known)));
        let loaded = loaded.unwrap_or_else(|_| {
            Err(Error::new(Code::Invariant, "loading the release panicked; the log has where"))
        });
        let mut state = self.lock();
        state.loading = false;
        match loaded.and_then(|loaded| Ok((serving(channel, &loaded)?, loaded))) {
            Ok((serving, loaded)) => {
                state.loaded = loaded;
                state.swap(serving);
            }
            Err(error) => {
                state.failed = Some((Instant::now(), channel.clone()));
                state.fail(channel.sequence, &error);
            }
        }
        drop(state);
        self.ended.notify_all();
    }
}

impl State {
    fn swap(&mut self, serving: Serving) {
        tracing::info!(
            stage = "swapped",
            channel = serving.stable.manifest.name.as_str(),
            sequence = serving.sequence,
            from = self.serving.stable.id(),
            release = serving.stable.id(),
            canary = serving.canary.as_ref().map(|(canary, _)| canary.id()),
            "another release takes over"
        );
        self.serving = serving;
        self.swaps += 1;
        (self.failed, self.trouble) = (None, None);
    }

    fn fail(&mut self, sequence: u64, error: &Error) {
        let trouble = Trouble { sequence, code: error.name().into(), message: error.to_string() };
        // Told once for each reason, not with every look.
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(
                stage = "swap_refused",
                code = error.name(),
                hint = error.hint(),
                sequence,
                release = self.serving.stable.id(),
                "the release before stays in use: {error}"
            );
        }
        self.trouble = Some(trouble);
    }
}

/// A document that was seen before may be read again; an older one is a replay.
fn check_sequence(channel: &Channel, floor: u64, seen: u64) -> Result<()> {
    let least = floor.max(seen);
    if channel.sequence >= least {
        return Ok(());
    }
    let what = format!(
        "the channel {} shows its document {}, but {least} {}",
        channel.name,
        channel.sequence,
        if floor > seen { "is the least that this host accepts" } else { "was in use already" }
    );
    Err(Error::new(Code::ChannelReplayed, what)
        .with_hint("sequence numbers never go back; `lakegate rollback` writes a new document"))
}

/// Loads what is not loaded yet; the releases of the document at the end.
fn load_all(loader: &Loader, channel: &Channel, known: &[Arc<Release>]) -> Result<Vec<Arc<Release>>> {
    let mut wanted: BTreeMap<&Pinned, Arc<Release>> = BTreeMap::new();
    for pinned in channel.releases() {
        let release = match known.iter().find(|release| release.pinned == *pinned) {
            Some(release) => release.clone(),
            None => Arc::new(loader.load_pinned(&channel.name, pinned)?),
        };
        wanted.insert(pinned, release);
    }
    let others = known.iter().filter(|release| !wanted.contains_key(&release.pinned)).cloned();
    let mut loaded: Vec<_> = others.chain(wanted.values().cloned()).collect();
    let surplus = loaded.len().saturating_sub(LOADED);
    loaded.drain(..surplus);
    Ok(loaded)
}

/// The releases that a document names, out of those that are loaded.
fn serving(channel: &Channel, loaded: &[Arc<Release>]) -> Result<Serving> {
    let find = |pinned: &Pinned| {
        let found = loaded.iter().find(|release| release.pinned == *pinned).cloned();
        found.ok_or_else(|| Error::new(Code::ReleaseNotLoaded, format!("{} is not loaded", pinned.version)))
    };
    let canary = channel.canary.as_ref();
    Ok(Serving {
        sequence: channel.sequence,
        stable: find(&channel.stable.release)?,
        canary: canary.map(|c| Ok::<_, Error>((find(&c.entry.release)?, c.permille))).transpose()?,
        shadow: channel.shadow.as_ref().map(|entry| find(&entry.release)).transpose()?,
    })
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
