//! What happens to a channel in a host, told once each: to the log, and to whoever asked to hear it.
//!
//! Not for what a look or a load does. The decision to know: an event has the same fields wherever it is read, on a
//! terminal, in a function's log or on the page.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use lakegate_base::Error;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A new document names releases that are not loaded yet: they load beside the objects.
    SwapBegun,
    /// The releases of a document are in use.
    Swapped,
    /// A document's stable release cannot be used: the releases before it stay.
    SwapRefused,
    /// What lies there is no document that this host may follow: the one before it stays.
    ChannelRefused,
    /// A canary or shadow cannot be used: the others of its document go on without it.
    LeftOut,
    /// A canary passed its limits: hosts took it back by themselves.
    CanaryAborted,
    /// The registry cannot be read.
    Unreachable,
    /// It can be read again.
    BackAgain,
}

/// Something that happened to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What.
    pub what: What,
    /// Name of the channel.
    pub channel: String,
    /// Number of the document that it is about; 0 where none could be read.
    pub sequence: u64,
    /// The release that it is about, `orders@1.3.0`; of a refusal the one that stays.
    pub release: String,
    /// Stable name of the reason, where something was refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The reason in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Hears events.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl Event {
    /// With the reason of an error.
    #[must_use]
    pub(super) fn because(self, error: &Error) -> Self {
        let (code, message) = (error.name().into(), error.to_string());
        Self { code, message, hint: error.hint().map(str::to_owned), ..self }
    }

    /// To the log.
    pub(super) fn log(&self) {
        let Self { what, channel, sequence, release, code, hint, .. } = self;
        let (stage, hint) = (what.name(), hint.as_deref());
        if what.is_trouble() {
            tracing::error!(stage, channel, sequence, release, code, hint, "{self}");
        } else {
            tracing::info!(stage, channel, sequence, release, "{self}");
        }
    }
}

impl What {
    /// Stable name, as the log has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SwapBegun => "swap_begun",
            Self::Swapped => "swapped",
            Self::SwapRefused => "swap_refused",
            Self::ChannelRefused => "channel_refused",
            Self::LeftOut => "left_out",
            Self::CanaryAborted => "canary_aborted",
            Self::Unreachable => "registry_unreachable",
            Self::BackAgain => "registry_back",
        }
    }

    /// Whether somebody has to do something about it.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::SwapBegun | Self::Swapped | Self::BackAgain)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, sequence, release, message, .. } = self;
        match self.what {
            What::SwapBegun => write!(f, "channel {channel}: document {sequence} is new, loading {release}"),
            What::Swapped => {
                write!(f, "channel {channel}: document {sequence} is in use, {release} is stable")
            }
            What::SwapRefused => {
                write!(f, "channel {channel}: document {sequence} is refused, {release} stays: {message}")
            }
            What::ChannelRefused => write!(f, "channel {channel}: refused, {release} stays: {message}"),
            What::LeftOut => {
                write!(f, "channel {channel}: document {sequence} goes on without {release}: {message}")
            }
            What::CanaryAborted => {
                write!(
                    f,
                    "channel {channel}: the canary {release} is aborted, stable takes all objects: {message}"
                )
            }
            What::Unreachable => {
                write!(f, "channel {channel}: the registry cannot be read, {release} stays: {message}")
            }
            What::BackAgain => write!(f, "channel {channel}: the registry can be read again"),
        }
    }
}
