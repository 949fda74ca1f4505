//! The time that an invocation has for an object, and how long objects take.
//!
//! Not for the deadline of single calls: clients and sandbox keep that. What is decided here is whose fault it is when
//! time is up: an object that no invocation has time for fails by name, one that came too late in a batch is delivered
//! again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::client::Aws;
use crate::deployed::object::Request;
use crate::deployed::{Deployed, Ready};
use lakegate_base::{Code, Error, Result};
use lakegate_config::ContractWish;
use lakegate_lake::source::Source;

/// Bytes a second that objects have come to so far, to refuse what cannot end in time.
#[derive(Debug, Default)]
pub(super) struct Pace {
    bytes_per_second: AtomicU64,
}

/// Objects smaller than this say nothing about speed: their time is that of requests.
const PACE_BYTES: u64 = 16 << 20;
/// Nobody knows the speed yet: half of what the slowest function size was seen to do.
const PACE_UNKNOWN: u64 = 4 << 20;

impl Pace {
    pub(super) fn seen(&self, bytes: u64, time: Duration) {
        if bytes >= PACE_BYTES && !time.is_zero() {
            let pace = (bytes as f64 / time.as_secs_f64()) as u64;
            let before = self.bytes_per_second.load(Ordering::Relaxed);
            let mean = if before == 0 { pace } else { (before + pace) / 2 };
            self.bytes_per_second.store(mean.max(1), Ordering::Relaxed);
        }
    }

    /// Seconds that so many bytes will take; twice over where types are learned.
    fn seconds(&self, bytes: u64, passes: u64) -> u64 {
        let pace = match self.bytes_per_second.load(Ordering::Relaxed) {
            0 => PACE_UNKNOWN,
            pace => pace,
        };
        bytes.saturating_mul(passes) / pace
    }
}

impl Deployed {
    /// Asked before an object is read. One that is too large, or that no invocation has time for, fails by name:
    /// trying it three times would cost three times as much and end the same way. One that has only come too late in a
    /// batch is delivered again.
    pub(super) fn admit(&self, ready: &Ready, source: &Source, time: &Time, aws: &Aws) -> Result<()> {
        let bytes = source.bytes();
        if let Some(most) = ready.pipeline.limits.max_object_bytes
            && bytes > most
        {
            return Err(Error::new(
                Code::ObjectTooLarge,
                format!("{} has {bytes} bytes, more than limits.max_object_bytes = {most}", source.uri()),
            )
            .with_hint("split the object, or raise the limit"));
        }
        let Some(left) = aws.time_left() else { return Ok(()) };
        let passes = if ready.pipeline.contract == ContractWish::Learn { 2 } else { 1 };
        let needed = self.pace.seconds(bytes, passes);
        if needed <= left.as_secs() {
            return Ok(());
        }
        let what = format!(
            "{} has {bytes} bytes, which take about {needed} s; {} s are left of the invocation",
            source.uri(),
            left.as_secs()
        );
        let late = Error::new(Code::TimeUp, what);
        Err(if needed > time.whole.as_secs() { out_of_time(&late) } else { time.judge(late) })
    }
}

/// The time that an invocation gives an object.
pub(super) struct Time {
    /// An object that is the first of its invocation has about so much.
    whole: Duration,
    /// This one had so much when its turn came.
    had: Duration,
}

impl Time {
    pub(super) fn of(request: &Request, aws: &Aws) -> Self {
        let had = aws.time_left().unwrap_or(Duration::MAX);
        Self { whole: had.saturating_add(request.begun.elapsed()), had }
    }

    /// Whose fault it is that time is up: an object that had nearly all of an invocation will not end in another one.
    pub(super) fn judge(&self, error: Error) -> Error {
        if self.had < self.whole.mul_f64(0.8) {
            return error.with_hint("another delivery has more time for it; nothing of it was written");
        }
        out_of_time(&error)
    }
}

fn out_of_time(error: &Error) -> Error {
    Error::new(Code::ObjectOutOfTime, error.message())
        .with_hint("give the function more time or memory, split the object, or `lakegate run` it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Kind;

    #[test]
    fn only_an_object_that_had_an_invocation_to_itself_is_out_of_time() {
        let seconds = Duration::from_secs;
        let late = || Error::new(Code::TimeUp, "it takes too long");
        let second = Time { whole: seconds(100), had: seconds(50) }.judge(late());
        assert_eq!((second.code(), second.kind()), (Code::TimeUp, Kind::Passing));
        let first = Time { whole: seconds(100), had: seconds(99) }.judge(late());
        assert_eq!((first.code(), first.kind()), (Code::ObjectOutOfTime, Kind::Input));
        assert_eq!(first.message(), "it takes too long");
        // A command has all the time there is.
        let none = Time { whole: Duration::MAX, had: Duration::MAX }.judge(late());
        assert_eq!(none.code(), Code::ObjectOutOfTime);
    }
}
