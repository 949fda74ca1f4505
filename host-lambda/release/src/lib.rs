//! Releases: signed versions of a transform, and the channel that says which of them is in use.
//!
//! ```text
//! publish → registry → promote → channel → look (once a second) → load, verify, run its samples → swap
//! ```
//!
//! Not for running a source object ([`run`](mod@lakegate_lake::run)). Decisions to know:
//!
//! * Nothing in a registry is believed: a manifest or channel counts only with a signature of a trusted key,
//!   and a blob only with the digest that a signed text names. Who can write the bucket can withhold a
//!   release, and do nothing else.
//! * A release takes over only after it was loaded, checked and has made its own samples again to the
//!   byte. Until then, and whenever that fails, the one before stays.

mod beside;
mod channel;
mod check;
mod code;
pub mod compare;
mod error;
mod fit;
#[cfg(test)]
mod fixture;
mod follow;
mod guard;
mod key;
mod keys;
mod load;
mod manifest;
#[cfg(feature = "compile")]
mod publish;
mod registry;
mod replay;
mod share;
mod signatures;
mod upkeep;

pub use beside::{run_shadow, tell_host};
pub use channel::{Back, Canary, Change, Channel, Entry, Promotion};
pub use check::{Checked, Found};
pub use code::{CodeKey, CodeStatement};
pub use follow::{Event, Follow, Follower, LeftOut, Listener, News, Role, Serving, Trouble, What};
pub use guard::{Aborted, Counts, aborted};
pub use key::{Signature, SigningKey, Trust};
pub use load::{Loader, Release};
pub use manifest::{Blob, ComponentEntry, Manifest, Pinned, ReleaseLimits, Sample, is_name};
#[cfg(feature = "compile")]
pub use publish::{Draft, Published, precompile, publish};
pub use registry::{Registry, Signed};
pub use replay::{Replayed, Wanted, replay, seed, wanted};
pub use share::{Guard, Share, Steps};
pub use upkeep::{Pruned, Yank};
