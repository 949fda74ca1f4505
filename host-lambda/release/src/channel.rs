//! The channel document: which releases are stable, canary and shadow, and the changes that made it so.
//!
//! Not for where it lies or who signs it (`registry`). Decisions to know:
//!
//! * The sequence number only grows. Going back is a new document that names the older release, so that an
//!   old document shown again is recognised.
//! * Which release takes an object follows from the object's version and the share alone, so that a retry
//!   agrees with the first try, and a larger share keeps the objects of a smaller one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::damaged_channel;
use crate::manifest::Pinned;
use lakegate_base::{Code, Error, Result};

/// What the text says that it is.
pub const KIND: &str = "lakegate.channel/1";

/// Changes that a document remembers: what a rollback goes back through, and a person looks at.
const HISTORY: usize = 50;

/// A share of all objects is counted in thousandths.
pub const WHOLE: u16 = 1000;

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
    /// Of a thousand objects.
    pub permille: u16,
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
}

/// One change of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Number of the document that it made.
    pub sequence: u64,
    /// What it did.
    pub change: Change,
    /// The release that it promoted or took back.
    pub release: Pinned,
    /// The stable release after it.
    pub stable: Pinned,
    /// When, RFC 3339.
    pub at: String,
    /// Names the change: whoever made it and got no answer finds out whether it was taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// For all objects.
    Stable,
    /// For so many of a thousand.
    Canary(u16),
    /// For a look.
    Shadow,
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
            Promotion::Canary(permille) => {
                next.canary = Some(Canary { entry, permille });
                Change::Canary
            }
            Promotion::Shadow => {
                next.shadow = Some(entry);
                Change::Shadow
            }
        };
        Ok(next.next(change, release, at))
    }

    /// The document after a rollback, and the release that it withdraws: the canary if there is one, else the
    /// stable release, for which the one before it comes back.
    ///
    /// # Errors
    /// `release_missing`: there is none before it.
    pub fn rollback(&self, at: &str) -> Result<(Self, Pinned)> {
        let mut next = self.clone();
        let withdrawn = match next.canary.take() {
            Some(canary) => canary.entry.release,
            None => {
                let withdrawn = next.stable.release.clone();
                let back = self.earlier().ok_or_else(|| {
                    Error::new(
                        Code::ReleaseMissing,
                        format!("{} has no stable release before {}", self.name, withdrawn.version),
                    )
                    .with_hint("promote another version instead")
                })?;
                next.shadow = next.shadow.filter(|shadow| shadow.release.version != back.version);
                next.stable = Entry { release: back, since: at.into() };
                withdrawn
            }
        };
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
        let id = String::new();
        self.history.insert(0, Past { sequence, change, release, stable, at: at.into(), id });
        self.history.truncate(HISTORY);
        self
    }

    /// The document for a registry, with its last change named.
    pub(crate) fn named(mut self, registry: &str, id: &str) -> Self {
        self.registry = registry.into();
        if let Some(last) = self.history.first_mut() {
            last.id = id.into();
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
pub(super) fn is_canary(name: &str, uri: &str, version: &str, permille: u16) -> bool {
    let digest = Sha256::digest(format!("{name}\n{uri}\n{version}"));
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

    fn stable(channel: &Channel) -> String {
        channel.stable.release.version.to_string()
    }

    #[test]
    fn a_rollback_goes_back_through_what_was_not_taken_back() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        assert_eq!(first.rollback("now").unwrap_err().name(), "release_missing");
        let second = promoted(Some(&first), "1.1.0", Promotion::Stable);
        let third = promoted(Some(&second), "1.2.0", Promotion::Stable);
        let (back, withdrawn) = third.rollback("now").unwrap();
        assert_eq!((stable(&back), withdrawn.version.to_string()), ("1.1.0".into(), "1.2.0".into()));
        let (back, _) = back.rollback("now").unwrap();
        assert_eq!((stable(&back), back.sequence), ("1.0.0".into(), 5));
        assert_eq!(back.rollback("now").unwrap_err().name(), "release_missing");
        // Promoted again after it was taken back: the one that was stable before is what comes back.
        let again = promoted(Some(&back), "1.2.0", Promotion::Stable);
        assert_eq!(stable(&again.rollback("now").unwrap().0), "1.0.0");
    }

    #[test]
    fn a_rollback_takes_the_canary_first() {
        let first = promoted(None, "1.0.0", Promotion::Stable);
        let canary = promoted(Some(&first), "1.1.0", Promotion::Canary(50));
        assert_eq!(canary.releases().count(), 2);
        let (back, withdrawn) = canary.rollback("now").unwrap();
        assert_eq!((stable(&back), withdrawn.version.to_string()), ("1.0.0".into(), "1.1.0".into()));
        assert_eq!(back.canary, None);
        let whole = promoted(Some(&canary), "1.1.0", Promotion::Stable);
        assert_eq!((stable(&whole), whole.canary), ("1.1.0".into(), None));
    }

    #[test]
    fn a_canary_needs_a_stable_release() {
        for promotion in [Promotion::Canary(50), Promotion::Shadow] {
            let refused = Channel::promote(None, "orders", pinned("1.0.0"), promotion, "now");
            assert_eq!(refused.unwrap_err().name(), "channel_missing");
        }
    }

    #[test]
    fn a_share_is_about_what_it_says_and_only_grows() {
        let taken = |permille| -> Vec<u32> {
            (0..20_000).filter(|n| is_canary("orders", &format!("s3://raw/{n}"), "v", permille)).collect()
        };
        let (small, large) = (taken(50), taken(200));
        assert!((800..1200).contains(&small.len()), "{}", small.len());
        assert!(small.iter().all(|one| large.contains(one)));
        assert!(taken(0).is_empty() && taken(1000).len() == 20_000);
        assert_eq!(taken(50), small);
    }

    #[test]
    fn history_is_bounded() {
        let mut channel = promoted(None, "1.0.0", Promotion::Stable);
        for n in 0..200 {
            channel = promoted(Some(&channel), &format!("1.{n}.0"), Promotion::Stable);
        }
        assert_eq!((channel.history.len(), channel.sequence), (HISTORY, 201));
        assert_eq!(channel.history[0].sequence, 201);
    }
}
