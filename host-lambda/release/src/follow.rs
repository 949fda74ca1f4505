//! Follows a channel: looks between objects, loads beside them, swaps when a release is ready.
//!
//! Not for what makes a release ready (`load`). Decisions to know:
//!
//! * A look is one conditional read, at most once a second. Releases that were loaded before are swapped to at
//!   once, so a rollback holds from the next object on; others load on a thread of their own while objects
//!   go on under the release before.
//! * A host that had nothing to do (Lambda stops the whole process between events) waits a moment for the
//!   release instead: nothing else would be held up, and its next object may be an hour away.
//! * A swap takes over the document's stable release and what else of it can be used, or nothing: see [`Serving`]. What
//!   went wrong is kept and told until a later look comes through.
//! * The sequence number never goes back: not in a process, not below what the lake's newest commits were made under,
//!   nor below a floor that is configured.

mod abort;
mod event;
mod serving;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use event::{Event, Listener, What};
pub use serving::{LeftOut, Role, Serving};

use crate::channel::Channel;
use crate::load::Loader;
use abort::Watch;
use lakegate_base::{Code, Error, Kind, Result};
use serving::Loaded;

/// At most one look in this time.
const LOOK: Duration = Duration::from_secs(1);
/// A failed load is tried again after this time: its cause may be gone.
const RETRY: Duration = Duration::from_secs(30);
/// Without an object for so long, a host is idle.
const IDLE: Duration = Duration::from_secs(10);
/// How long an idle host's next object waits for a release that is being loaded.
const IDLE_WAIT: Duration = Duration::from_secs(2);

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
    /// What of the document in use cannot be used here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What a host follows, and what it accepts.
#[derive(Clone, Default)]
pub struct Follow {
    /// Name of the channel.
    pub name: String,
    /// The least document that is accepted.
    pub floor: u64,
    /// The newest document that was in use where the releases write to: a cold host remembers nothing by itself, and
    /// would take an old signed document for the newest.
    pub seen: u64,
    /// Hears what happens, beside the log.
    pub listener: Option<Listener>,
}

/// Follows one channel.
pub struct Follower {
    inner: Arc<Inner>,
}

struct Inner {
    loader: Loader,
    follow: Follow,
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
    /// The last look did not come through to the registry.
    unreachable: bool,
    swaps: u64,
    loaded: Loaded,
    told: u64,
    news: Option<News>,
    watch: Watch,
}

impl Follower {
    /// Reads the channel and loads what it names. A host that starts has no last known good release.
    ///
    /// # Errors
    /// Whatever is wrong with the channel or a release of it.
    pub fn start(loader: Loader, follow: Follow) -> Result<Self> {
        let found = loader.registry.channel_unless(&follow.name, "", &loader.trust)?;
        let (channel, tag) = found.ok_or_else(|| super::channel::no_channel(&follow.name))?;
        check_sequence(&channel, follow.floor, follow.seen)?;
        let loaded = Loaded::default().with(&loader, &channel)?;
        let serving = Serving::of(&channel, &loaded).ok_or_else(|| {
            Error::new(Code::ReleaseNotLoaded, format!("a release of {} is not loaded", channel.name))
        })?;
        let (seen, now) = (channel.sequence, Instant::now());
        // A cold host tries again, as a warm one does, what it had to leave out.
        let failed = (!serving.left_out.is_empty()).then_some((now, channel));
        tell_left_out(&follow, &serving, &[]);
        let state = State {
            serving,
            tag,
            seen,
            looked: now,
            used: now,
            loading: false,
            failed,
            trouble: None,
            unreachable: false,
            swaps: 0,
            loaded,
            told: 0,
            news: None,
            watch: Watch::default(),
        };
        let (state, ended) = (Mutex::new(state), Condvar::new());
        let inner = Inner { loader, follow, look: LOOK, state, ended };
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
        let serving = state.serving.clone();
        drop(state);
        self.without_aborted(serving)
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
        let follow = &self.inner.follow;
        let found = loader.registry.channel_unless(&follow.name, &tag, &loader.trust);
        let mut state = self.inner.lock();
        if found.is_ok() {
            state.reached(follow);
        }
        let channel = match found {
            Ok(None) => match state.failed.clone() {
                Some((at, channel)) if at.elapsed() >= RETRY => channel,
                // It could be read again, and is what is in use.
                None => return state.trouble = None,
                Some(_) => return,
            },
            Ok(Some((channel, tag))) => match check_sequence(&channel, follow.floor, state.seen) {
                Ok(()) => {
                    state.tag = tag;
                    state.seen = channel.sequence;
                    channel
                }
                Err(error) => return state.fail(follow, What::ChannelRefused, channel.sequence, &error),
            },
            Err(error) if error.kind() == Kind::Input => {
                return state.fail(follow, What::ChannelRefused, 0, &error);
            }
            Err(error) => return state.fail(follow, What::Unreachable, 0, &error),
        };
        let known = state.loaded.for_another();
        if let Some(serving) = Serving::of(&channel, &known) {
            state.failed = None;
            return state.swap(follow, serving);
        }
        if channel.sequence > state.serving.sequence
            && state.failed.as_ref().is_none_or(|(_, f)| f != &channel)
        {
            let release = format!("{}@{}", channel.name, channel.stable.release.version);
            follow.tell(&Event { release, ..follow.event(What::SwapBegun, channel.sequence, &state) });
        }
        state.loading = true;
        state.failed = None;
        let inner = self.inner.clone();
        let spawned = thread::Builder::new().name("lakegate-release".into()).spawn({
            // What is logged of it belongs to the object that began it, and its pipeline.
            let (channel, span) = (channel.clone(), tracing::Span::current());
            move || span.in_scope(|| inner.load(&channel, &known))
        });
        if let Err(error) = spawned {
            state.loading = false;
            state.failed = Some((Instant::now(), channel));
            let error = Error::new(Code::NoThread, format!("no thread to load a release: {error}"));
            state.fail(follow, What::SwapRefused, 0, &error);
        }
    }

    /// Why the newest document is not in use, if it is not.
    pub fn trouble(&self) -> Option<Trouble> {
        self.inner.lock().trouble.clone()
    }

    /// Whether a canary or shadow of the document in use cannot be used here, or was taken back by hosts.
    pub fn leaves_out(&self) -> bool {
        let state = self.inner.lock();
        !state.serving.left_out.is_empty() || state.has_aborted(self.name())
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
            channel: self.inner.follow.name.clone(),
            sequence: state.serving.sequence,
            stable: state.serving.stable.manifest.version.to_string(),
            trouble: state.trouble.clone(),
            left_out: state.serving.left_out.clone(),
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
        &self.inner.follow.name
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left whole values behind: they are replaced, never changed in place.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On a thread of its own: loads what is missing and swaps.
    fn load(&self, channel: &Channel, known: &Loaded) {
        let loaded = known.with(&self.loader, channel);
        let mut state = self.lock();
        state.loading = false;
        let missing = || Error::new(Code::ReleaseNotLoaded, "a release of the document is not loaded");
        match loaded.and_then(|loaded| Ok((Serving::of(channel, &loaded).ok_or_else(missing)?, loaded))) {
            Ok((serving, loaded)) => {
                state.failed = (!loaded.left_out.is_empty()).then(|| (Instant::now(), channel.clone()));
                state.loaded = loaded;
                state.swap(&self.follow, serving);
            }
            Err(error) => {
                state.failed = Some((Instant::now(), channel.clone()));
                state.fail(&self.follow, What::SwapRefused, channel.sequence, &error);
            }
        }
        drop(state);
        self.ended.notify_all();
    }
}

impl Follow {
    /// An event about the release in use.
    fn event(&self, what: What, sequence: u64, state: &State) -> Event {
        let release = state.serving.stable.id();
        let (channel, none) = (self.name.clone(), String::new());
        Event { what, channel, sequence, release, code: none.clone(), message: none, hint: None }
    }

    fn tell(&self, event: &Event) {
        event.log();
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

impl State {
    fn swap(&mut self, follow: &Follow, serving: Serving) {
        self.trouble = None;
        tell_left_out(follow, &serving, &self.serving.left_out);
        let same = self.serving.is_same(&serving);
        self.serving = serving;
        if !same {
            self.swaps += 1;
            follow.tell(&follow.event(What::Swapped, self.serving.sequence, self));
        }
    }

    fn fail(&mut self, follow: &Follow, what: What, sequence: u64, error: &Error) {
        let trouble = Trouble { sequence, code: error.name().into(), message: error.to_string() };
        // Told once for each reason, not with every look.
        if self.trouble.as_ref() != Some(&trouble) {
            follow.tell(&follow.event(what, sequence, self).because(error));
        }
        self.unreachable = what == What::Unreachable;
        self.trouble = Some(trouble);
    }

    /// The registry has answered.
    fn reached(&mut self, follow: &Follow) {
        if std::mem::take(&mut self.unreachable) {
            self.trouble = None;
            follow.tell(&follow.event(What::BackAgain, self.serving.sequence, self));
        }
    }
}

/// What a document goes on without, as far as that is new.
fn tell_left_out(follow: &Follow, serving: &Serving, known: &[LeftOut]) {
    for left in serving.left_out.iter().filter(|left| !known.contains(left)) {
        follow.tell(&Event {
            what: What::LeftOut,
            channel: follow.name.clone(),
            sequence: serving.sequence,
            release: format!("{}@{}", follow.name, left.version),
            code: left.code.clone(),
            message: left.message.clone(),
            hint: None,
        });
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
        .with_hint(format!(
            "sequence numbers never go back; if the registry was restored from a copy, `lakegate promote {} VERSION` goes on \
             above it (`--lake DIR` names a lake in a folder), or accept this document with --accept-sequence {} \
             (`accept_sequence` in lakegate.toml)",
            channel.name, channel.sequence
        )))
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
