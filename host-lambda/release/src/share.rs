//! A canary's share of the objects: so many of a thousand, which may grow with time, until hosts take the canary back.
//!
//! Not for which objects those are (`channel`).

use serde::{Deserialize, Serialize};

use lakegate_base::time::parse;

/// A share of all objects is counted in thousandths.
pub const WHOLE: u16 = 1000;

/// A canary's share, as it is promoted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Of a thousand objects; with steps the first of them.
    pub permille: u16,
    /// What it may come to before hosts take it back by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// By which the share grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Steps>,
}

/// A share that grows with time, in every host by its own clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// Of a thousand objects, ascending; the last one stays.
    pub permille: Vec<u16>,
    /// How long each of them lasts.
    pub seconds: u64,
}

/// What a canary may come to before hosts take it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Of a thousand records, so many may be rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<u16>,
    /// Of a thousand objects, so many may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u16>,
}

impl Share {
    /// Of a thousand objects, so many at this time (milliseconds since 1970); `since` is when it was promoted.
    pub(crate) fn permille_at(&self, since: &str, now_ms: i64) -> u16 {
        let Some(steps) = &self.steps else { return self.permille };
        let since = parse(since).unwrap_or(now_ms);
        let seconds = u64::try_from((now_ms - since) / 1000).unwrap_or(0);
        let step = usize::try_from(seconds / steps.seconds.max(1)).unwrap_or(usize::MAX);
        let reached = steps.permille.get(step).or(steps.permille.last());
        reached.copied().unwrap_or(self.permille)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_by_its_steps_and_then_stays() {
        let since = "2026-01-01T00:00:00.000Z";
        let steps = Steps { permille: vec![50, 250, 1000], seconds: 900 };
        let share = Share { permille: 50, steps: Some(steps), ..Share::default() };
        let at = |seconds: i64| share.permille_at(since, parse(since).unwrap() + seconds * 1000);
        assert_eq!([at(-60), at(0), at(899), at(900), at(1800), at(1 << 40)], [50, 50, 50, 250, 1000, 1000]);
        let plain = Share { permille: 7, ..Share::default() };
        assert_eq!(plain.permille_at(since, i64::MAX), 7);
        // Documents of before have neither steps nor guard, and are read and written as they were.
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!((text.as_str(), serde_json::from_str(&text).ok()), ("{\"permille\":7}", Some(plain)));
    }
}
