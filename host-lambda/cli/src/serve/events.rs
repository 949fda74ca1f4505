//! What happened to the channel since this server began, for the page.
//!
//! Not for the log, which hears the same. The decision to know: the newest are kept, in memory alone; each has a number,
//! so that a page that asks again tells which of them are new.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakegate_base::time::rfc3339;
use lakegate_lake::source::now_ms;
use lakegate_release::{Event, Listener, What};
use serde_json::{Value, json};

/// Events that are kept.
const KEPT: usize = 100;

/// Events of one server; a copy hears and tells the same.
#[derive(Clone)]
pub struct Events {
    /// When the server began, RFC 3339.
    begun: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// How many were heard.
    count: u64,
    /// The newest first.
    newest: VecDeque<Value>,
    /// When the document in use took over, if the server did not begin with it.
    swapped: Option<String>,
}

impl Events {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self { begun: rfc3339(now_ms()), kept: Arc::default() }
    }

    /// Hears events and hands them on.
    pub fn hearing(&self, then: Listener) -> Listener {
        let events = self.clone();
        Arc::new(move |event: &Event| {
            events.hear(event);
            then(event);
        })
    }

    /// The newest first.
    pub fn told(&self) -> Vec<Value> {
        self.lock().newest.iter().cloned().collect()
    }

    /// Since when the document in use is in use here, RFC 3339.
    pub fn since(&self) -> String {
        self.lock().swapped.clone().unwrap_or_else(|| self.begun.clone())
    }

    fn hear(&self, event: &Event) {
        let at = rfc3339(now_ms());
        let mut told = json!(event);
        let mut kept = self.lock();
        if event.what == What::Swapped {
            kept.swapped = Some(at.clone());
        }
        kept.count += 1;
        told["number"] = kept.count.into();
        told["at"] = at.into();
        kept.newest.push_front(told);
        kept.newest.truncate(KEPT);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whole events are put in; a thread that panicked has left none half told.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: What, sequence: u64) -> Event {
        let (channel, release) = ("orders".into(), "orders@1.0.0".into());
        Event { what, channel, sequence, release, code: String::new(), message: String::new(), hint: None }
    }

    #[test]
    fn the_newest_are_kept_and_counted() {
        let events = Events::new();
        let heard = events.hearing(Arc::new(|_: &Event| {}));
        assert_eq!((events.told(), events.since()), (Vec::new(), events.begun.clone()));
        for sequence in 1..=KEPT as u64 {
            heard(&event(What::Swapped, sequence));
        }
        heard(&event(What::Unreachable, 0));
        let told = events.told();
        assert_eq!((told.len(), &told[0]["what"]), (KEPT, &json!("unreachable")));
        let numbers: Vec<_> = told.iter().filter_map(|event| event["number"].as_u64()).collect();
        assert_eq!((numbers.first(), numbers.last()), (Some(&101), Some(&2)));
        assert_eq!(json!(events.since()), told[1]["at"]);
    }
}
