//! The channel document: which releases are stable, canary and shadow, and the changes that made it so.
//!
//! Not for where it lies or who signs it (`registry`). Decisions to know:
//!
//! * The sequence number only grows. Going back is a new document that names the older release, so that an
//!   old document shown again is recognised.
//! * Which release takes an object follows from its name, its pipeline and the share alone, so that a retry agrees with
//!   the first try, a new version of an object stays with its release, and a larger share keeps the objects of a
//!   smaller one.
//! * The history is kept whole: what a rollback goes back through, and what a lost document is written again from.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::damaged_channel;
use crate::manifest::Pinned;
use crate::share::{Share, WHOLE};
use lakegate_base::{Code, Error, Result};

/// What the text says that it is.
pub const KIND: &str = "lakegate.channel/1";

/// A release in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    #[serde(flatten)]
    pub release: Pinned,
    /// Since when, RFC 3339.
    pub since: String,
}

/// A release that takes a share of the objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Which, since when.
    #[serde(flatten)]
    pub entry: Entry,
    /// How much of all objects, and until when.
    #[serde(flatten)]
    pub share: Share,
}

impl Canary {
    /// Of a thousand objects, so many at this time (milliseconds since 1970).
    pub fn permille_at(&self, now_ms: i64) -> u16 {
        self.share.permille_at(&self.entry.since, now_ms)
    }
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A release became stable.
    Promote,
    /// A release began to take a share.
    Canary,
    /// A release began to run beside, without writing.
    Shadow,
    /// A release was taken back.
    Rollback,
    /// The canary takes no share any more; nothing is wrong with it.
    EndCanary,
    /// The shadow runs no more.
    EndShadow,
}

/// One change of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Number of the document that it made.
    pub sequence: u64,
    /// What it did.
    pub change: Change,
    /// The release that it promoted, ended or took back.
    pub release: Pinned,
    /// The stable release after it.
    pub stable: Pinned,
    /// When, RFC 3339.
    pub at: String,
    /// Names the change: whoever made it and got no answer finds out whether it was taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name of the key that signed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Who made it, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which releases are in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// [`KIND`].
    pub kind: String,
    /// Name of its releases.
    pub name: String,
    /// The registry that it is for: the URI of a bucket, or `folder`. What is in use in one is not in another, although
    /// the same keys may sign in both.
    #[serde(default)]
    pub registry: String,
    /// Number of this document; only grows.
    pub sequence: u64,
    /// Takes what the canary does not.
    pub stable: Entry,
    /// Takes a share.
    pub canary: Option<Canary>,
    /// Runs on the same input and writes nothing.
    pub shadow: Option<Entry>,
    /// Changes, the last one first.
    pub history: Vec<Past>,
}

/// As what a release is promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// For all objects.
    Stable,
    /// For a share of them.
    Canary(Share),
    /// For a look.
    Shadow,
}

/// What a rollback is to do, where it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// The release that must be the one withdrawn: a step that is tried again, or another operator who was quicker, then
    /// changes nothing twice.
    pub expect: Option<semver::Version>,
    /// The stable release to go back to, instead of the one before.
    pub to: Option<Pinned>,
}

impl Channel {
    /// The document after a promotion; `before` is the one that is there, if any.
    ///
    /// # Errors
    /// `channel_missing`: a canary or shadow needs a stable release beside it.
    pub fn promote(
        before: Option<&Self>,
        name: &str,
        release: Pinned,
        promotion: Promotion,
        at: &str,
    ) -> Result<Self> {
        let entry = Entry { release: release.clone(), since: at.into() };
        let Some(before) = before else {
            if promotion != Promotion::Stable {
                return Err(no_channel(name));
            }
            let first = Self {
                kind: KIND.into(),
                name: name.into(),
                registry: String::new(),
                sequence: 0,
                stable: entry,
                canary: None,
                shadow: None,
                history: Vec::new(),
            };
            return Ok(first.next(Change::Promote, release, at));
        };
        let mut next = before.clone();
        let other = |there: &Entry| there.release.version != release.version;
        let change = match promotion {
            Promotion::Stable => {
                // What is stable now has no further use as its own canary or shadow.
                next.canary = next.canary.filter(|canary| other(&canary.entry));
                next.shadow = next.shadow.filter(other);
                if other(&next.stable) {
                    next.stable = entry;
                }
                Change::Promote
            }
            Promotion::Canary(share) => {
                next.canary = Some(Canary { entry, share });
                Change::Canary
            }
            Promotion::Shadow => {
                next.shadow = Some(entry);
                Change::Shadow
            }
        };
        Ok(next.next(change, release, at))
    }

    /// The document without its canary.
    ///
    /// # Errors
    /// `release_missing`: there is none.
    pub fn end_canary(&self, at: &str) -> Result<(Self, Pinned)> {
        let mut next = self.clone();
        let ended = next.canary.take().ok_or_else(|| self.no("canary"))?.entry.release;
        Ok((next.next(Change::EndCanary, ended.clone(), at), ended))
    }

    /// The document without its shadow.
    ///
    /// # Errors
    /// `release_missing`: there is none.
    pub fn end_shadow(&self, at: &str) -> Result<(Self, Pinned)> {
        let mut next = self.clone();
        let ended = next.shadow.take().ok_or_else(|| self.no("shadow"))?.release;
        Ok((next.next(Change::EndShadow, ended.clone(), at), ended))
    }

    fn no(&self, role: &str) -> Error {
        Error::new(Code::ReleaseMissing, format!("the channel {} has no {role}", self.name))
            .with_hint(format!("`lakegate releases {}` shows what is in use", self.name))
    }

    /// The release that a rollback withdraws: the canary if there is one and no release is named to go back to, else the
    /// stable release.
    fn withdraws(&self, back: &Back) -> &Pinned {
        match &self.canary {
            Some(canary) if back.to.is_none() => &canary.entry.release,
            _ => &self.stable.release,
        }
    }

    /// The document after a rollback, and the release that it withdraws: the canary if there is one, else the
    /// stable release, for which the one before it comes back.
    ///
    /// # Errors
    /// `release_missing`: there is none before it. `release_expected`: it is not the one that is to be withdrawn.
    pub fn rollback(&self, back: &Back, at: &str) -> Result<(Self, Pinned)> {
        let mut next = self.clone();
        let withdrawn = self.withdraws(back).clone();
        if let Some(expected) = back.expect.as_ref().filter(|expected| **expected != withdrawn.version) {
            let what = format!(
                "{}@{} would be taken back, not {expected}: nothing was changed",
                self.name, withdrawn.version
            );
            return Err(Error::new(Code::ReleaseExpected, what)
                .with_hint(format!("`lakegate releases {}` shows what was done meanwhile", self.name)));
        }
        match next.canary.take().filter(|_| back.to.is_none()) {
            Some(_) => {}
            None => {
                let earlier = back.to.clone().or_else(|| self.earlier());
                let back = earlier.ok_or_else(|| {
                    Error::new(
                        Code::ReleaseMissing,
                        format!("{} has no stable release before {}", self.name, withdrawn.version),
                    )
                    .with_hint("promote another version instead")
                })?;
                next.shadow = next.shadow.filter(|shadow| shadow.release.version != back.version);
                next.stable = Entry { release: back, since: at.into() };
            }
        }
        Ok((next.next(Change::Rollback, withdrawn.clone(), at), withdrawn))
    }

    /// The stable release that a rollback brings back: the newest other one that was not itself taken back.
    fn earlier(&self) -> Option<Pinned> {
        let mut withdrawn = vec![self.stable.release.version.clone()];
        for past in &self.history {
            if past.change == Change::Rollback {
                withdrawn.push(past.release.version.clone());
            }
            if !withdrawn.contains(&past.stable.version) {
                return Some(past.stable.clone());
            }
        }
        None
    }

    fn next(mut self, change: Change, release: Pinned, at: &str) -> Self {
        self.sequence += 1;
        let (sequence, stable) = (self.sequence, self.stable.release.clone());
        let (id, key) = (String::new(), String::new());
        let (by, reason) = (None, None);
        self.history
            .insert(0, Past { sequence, change, release, stable, at: at.into(), id, key, by, reason });
        self
    }

    /// The document with what is said about its last change.
    #[must_use]
    pub fn because(mut self, by: Option<&str>, reason: Option<&str>) -> Self {
        if let Some(last) = self.history.first_mut() {
            (last.by, last.reason) = (by.map(str::to_owned), reason.map(str::to_owned));
        }
        self
    }

    /// The document with a number above one that hosts have seen: the registry may have been restored.
    #[must_use]
    pub fn above(mut self, seen: u64) -> Self {
        self.sequence = self.sequence.max(seen + 1);
        let sequence = self.sequence;
        if let Some(last) = self.history.first_mut() {
            last.sequence = sequence;
        }
        self
    }

    /// The document for a registry, with its last change named.
    pub(crate) fn named(mut self, registry: &str, id: &str, key: &str) -> Self {
        self.registry = registry.into();
        if let Some(last) = self.history.first_mut() {
            (last.id, last.key) = (id.into(), key.into());
        }
        self
    }

    /// Whether a change of this name is among those that it remembers.
    pub(crate) fn has_change(&self, id: &str) -> bool {
        self.history.iter().any(|past| past.id == id)
    }

    /// All releases that it names: stable, canary, shadow.
    pub fn releases(&self) -> impl Iterator<Item = &Pinned> {
        let canary = self.canary.iter().map(|canary| &canary.entry);
        [&self.stable].into_iter().chain(canary).chain(&self.shadow).map(|entry| &entry.release)
    }

    /// Reads a verified payload. `key` is for messages.
    ///
    /// # Errors
    /// `channel_damaged`.
    pub fn parse(key: &str, bytes: &[u8]) -> Result<Self> {
        let channel: Self = serde_json::from_slice(bytes).map_err(|error| damaged_channel(key, error))?;
        if channel.kind != KIND {
            return Err(damaged_channel(key, format!("its kind is {}, not {KIND}", channel.kind)));
        }
        Ok(channel)
    }
}

/// Whether a canary of this share takes an object. Uniform over objects, and a function of these three alone.
pub(super) fn is_canary(name: &str, pipeline: &str, uri: &str, permille: u16) -> bool {
    let digest = Sha256::digest(format!("{name}\n{pipeline}\n{uri}"));
    let (first, _) = digest.split_at(8);
    let number = first.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    number % u64::from(WHOLE) < u64::from(permille)
}

pub(super) fn no_channel(name: &str) -> Error {
    Error::new(Code::ChannelMissing, format!("the channel {name} has no stable release yet"))
        .with_hint(format!("`lakegate promote {name} VERSION` makes one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(version: &str) -> Pinned {
        Pinned { version: version.parse().unwrap(), manifest: format!("m{version}") }
    }

    fn promoted(before: Option<&Channel>, version: &str, promotion: Promotion) -> Channel {
        Channel::promote(before, "orders", pinned(version), promotion, "now").unwrap()
    }

    fn share(permille: u16) -> Share {
        Share { permille, ..Share::default() }
    }

    fn stable(channel: &Channel) -> String {
        channel.stable.release.version.to_string()
    }

    #[test]
    fn a_rollback_goes_back_through_what_was_not_taken_back() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        assert_eq!(first.rollback(&Back::default(), "now").unwrap_err().name(), "release_missing");
        let second = promoted(Some(&first), "1.1.0", Promotion::Stable);
        let third = promoted(Some(&second), "1.2.0", Promotion::Stable);
        let (back, withdrawn) = third.rollback(&Back::default(), "now").unwrap();
        assert_eq!((stable(&back), withdrawn.version.to_string()), ("1.1.0".into(), "1.2.0".into()));
        let (back, _) = back.rollback(&Back::default(), "now").unwrap();
        assert_eq!((stable(&back), back.sequence), ("1.0.0".into(), 5));
        assert_eq!(back.rollback(&Back::default(), "now").unwrap_err().name(), "release_missing");
        // Promoted again after it was taken back: the one that was stable before is what comes back.
        let again = promoted(Some(&back), "1.2.0", Promotion::Stable);
        assert_eq!(stable(&again.rollback(&Back::default(), "now").unwrap().0), "1.0.0");
    }

    #[test]
    fn a_rollback_takes_the_canary_first() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        let canary = promoted(Some(&first), "1.1.0", Promotion::Canary(share(50)));
        assert_eq!(canary.releases().count(), 2);
        let (back, withdrawn) = canary.rollback(&Back::default(), "now").unwrap();
        assert_eq!((stable(&back), withdrawn.version.to_string()), ("1.0.0".into(), "1.1.0".into()));
        assert_eq!(back.canary, None);
        let whole = promoted(Some(&canary), "1.1.0", Promotion::Stable);
        assert_eq!((stable(&whole), whole.canary), ("1.1.0".into(), None));
    }

    #[test]
    fn a_canary_needs_a_stable_release() {
        for promotion in [Promotion::Canary(share(50)), Promotion::Shadow] {
            let refused = Channel::promote(None, "orders", pinned("1.0.0"), promotion, "now");
            assert_eq!(refused.unwrap_err().name(), "channel_missing");
        }
    }

    #[test]
    fn a_share_is_about_what_it_says_and_only_grows() {
        let taken = |permille| -> Vec<u32> {
            (0..20_000).filter(|n| is_canary("orders", "p", &format!("s3://raw/{n}"), permille)).collect()
        };
        let (small, large) = (taken(50), taken(200));
        assert!((800..1200).contains(&small.len()), "{}", small.len());
        assert!(small.iter().all(|one| large.contains(one)));
        assert!(taken(0).is_empty() && taken(1000).len() == 20_000);
        assert_eq!(taken(50), small);
    }

    #[test]
    fn no_change_makes_an_earlier_stable_release_forgotten() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        let mut channel = promoted(Some(&first), "1.1.0", Promotion::Stable);
        for n in 0..200 {
            channel = promoted(Some(&channel), &format!("2.{n}.0"), Promotion::Canary(share(5)));
        }
        channel = channel.end_canary("now").unwrap().0;
        assert_eq!((channel.history.len(), channel.sequence), (203, 203));
        assert_eq!(stable(&channel.rollback(&Back::default(), "now").unwrap().0), "1.0.0");
    }

    #[test]
    fn canary_and_shadow_end_by_themselves() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        assert_eq!(first.end_canary("now").unwrap_err().name(), "release_missing");
        assert_eq!(first.end_shadow("now").unwrap_err().name(), "release_missing");
        let both = promoted(Some(&first), "1.1.0", Promotion::Canary(share(50)));
        let both = promoted(Some(&both), "1.2.0", Promotion::Shadow);
        let (next, ended) = both.end_canary("now").unwrap();
        assert_eq!((ended.version.to_string(), next.releases().count()), ("1.1.0".into(), 2));
        let (next, ended) = next.end_shadow("now").unwrap();
        assert_eq!((ended.version.to_string(), next.releases().count()), ("1.2.0".into(), 1));
        // What only ended may become stable, and is what a rollback then withdraws.
        let stable_now = promoted(Some(&next), "1.1.0", Promotion::Stable);
        assert_eq!(stable(&stable_now), "1.1.0");
    }

    #[test]
    fn a_rollback_may_say_what_it_expects_and_where_to() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        let second = promoted(Some(&first), "1.1.0", Promotion::Stable);
        let third = promoted(Some(&second), "1.2.0", Promotion::Stable);
        let expect = |version: &str| Back { expect: Some(version.parse().unwrap()), to: None };
        let (back, _) = third.rollback(&expect("1.2.0"), "now").unwrap();
        assert_eq!(stable(&back), "1.1.0");
        // The same step again, or somebody else's.
        assert_eq!(back.rollback(&expect("1.2.0"), "now").unwrap_err().name(), "release_expected");
        let to = Back { expect: None, to: Some(pinned("1.0.0")) };
        assert_eq!(stable(&third.rollback(&to, "now").unwrap().0), "1.0.0");
        // With a canary: it goes, unless a stable release is named to go back to.
        let canary = promoted(Some(&third), "1.3.0", Promotion::Canary(share(50)));
        let (back, withdrawn) = canary.rollback(&to, "now").unwrap();
        assert_eq!((stable(&back), withdrawn.version.to_string()), ("1.0.0".into(), "1.2.0".into()));
        assert!(back.canary.is_none());
    }

    #[test]
    fn a_number_goes_on_above_what_was_seen() {
        let first = promoted(None, "1.0.0", Promotion::Stable).above(7);
        assert_eq!((first.sequence, first.history[0].sequence), (8, 8));
        assert_eq!(promoted(Some(&first), "1.1.0", Promotion::Stable).above(3).sequence, 9);
    }
}
