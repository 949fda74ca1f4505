//! The verbs of `lakegate`, one file each (most of those of deployed pipelines share one).
//!
//! Each takes its arguments and a `Context` and returns an `Outcome`; none writes to standard output itself.

#[cfg(not(feature = "aws"))]
pub mod absent;
#[cfg(feature = "aws")]
pub mod backfill;
pub mod build;
pub mod component;
#[cfg(feature = "aws")]
pub mod config;
pub mod contract;
#[cfg(feature = "aws")]
pub mod cost;
#[cfg(feature = "aws")]
pub mod deployed;
pub mod diff;
pub mod fsck;
pub mod init;
pub mod inspect;
pub mod keygen;
pub mod list;
pub mod maintain;
pub mod new;
pub mod preview;
pub mod promote;
pub mod publish;
pub mod quarantine;
#[cfg(feature = "aws")]
pub mod reconcile;
pub mod registry;
pub mod replay;
pub mod run;
pub mod serve;
#[cfg(feature = "aws")]
pub mod stack;
pub mod status;
pub mod verify;
