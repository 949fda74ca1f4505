//! Several inputs at once, told one after the other.
//!
//! For: `run`, on all cores. Not for what is done with an input. The decision to know: inputs settle their contracts in
//! the order in which they were named (see [`Cause::turn`](lakegate_lake::run::Cause)), and results are told in that
//! order, so that neither tables nor output depend on how many are taken at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

/// Which inputs have settled their contracts, and which are over.
#[derive(Default)]
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// All before this one have settled.
    first: usize,
    /// So have these behind it.
    others: BTreeSet<usize>,
    over: BTreeSet<usize>,
}

impl Turns {
    /// Returns when all inputs before this one have settled.
    pub fn wait(&self, number: usize) {
        self.until(|state| state.first >= number);
    }

    /// Returns when an earlier input is over, well or not.
    pub fn wait_for(&self, earlier: usize) {
        self.until(|state| state.over.contains(&earlier));
    }

    fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut state = self.held();
        while !holds(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// This one has settled, or never will; said twice it counts once.
    pub fn pass(&self, number: usize) {
        let mut state = self.held();
        if number >= state.first {
            state.others.insert(number);
        }
        loop {
            let first = state.first;
            if !state.others.remove(&first) {
                break;
            }
            state.first += 1;
        }
        self.changed.notify_all();
    }

    fn end(&self, number: usize) {
        self.held().over.insert(number);
        self.pass(number);
    }

    /// Each change is whole when a thread lets go, also by a panic.
    fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets those behind go on, however the work on an input ends.
struct Ends<'a>(&'a Turns, usize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Does the work of `count` inputs, `jobs` of them at once, and hands on each result in order, in the caller's thread.
pub fn in_order<T: Send>(
    count: usize,
    jobs: usize,
    work: impl Fn(usize, &Turns) -> T + Sync,
    mut each: impl FnMut(usize, T),
) {
    let (turns, next) = (Turns::default(), AtomicUsize::new(0));
    let lane = |results: &mpsc::Sender<(usize, T)>| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let ends = Ends(&turns, number);
            let result = work(number, &turns);
            drop(ends);
            if results.send((number, result)).is_err() {
                return;
            }
        }
    };
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        let mut lanes = 0;
        for _ in 0..jobs.min(count) {
            let (lane, sender) = (&lane, sender.clone());
            // Fewer threads than wanted do the same work.
            let started = thread::Builder::new()
                .name("lakegate-input".into())
                .spawn_scoped(scope, move || lane(&sender));
            lanes += usize::from(started.is_ok());
        }
        if lanes == 0 {
            lane(&sender);
        }
        drop(sender);
        let (mut early, mut expected) = (BTreeMap::new(), 0);
        for (number, result) in results {
            early.insert(number, result);
            while let Some(result) = early.remove(&expected) {
                each(expected, result);
                expected += 1;
            }
        }
    });
}

/// As many as there are cores.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_order_and_turns_too() {
        for jobs in [1, 2, 3, 8, 100] {
            let (settled, mut told) = (Mutex::new(Vec::new()), Vec::new());
            let work = |number: usize, turns: &Turns| {
                // Later ones are quicker, and every seventh settles only by being over.
                thread::sleep(Duration::from_micros(400 - 20 * number as u64));
                turns.wait(number);
                settled.lock().unwrap().push(number);
                if !number.is_multiple_of(7) {
                    turns.pass(number);
                }
                number * 2
            };
            in_order(20, jobs, work, |number, result| told.push((number, result)));
            assert_eq!(settled.into_inner().unwrap(), (0..20).collect::<Vec<_>>(), "{jobs} at once");
            assert_eq!(
                told,
                (0..20).map(|number| (number, number * 2)).collect::<Vec<_>>(),
                "{jobs} at once"
            );
        }
    }

    #[test]
    fn one_may_wait_for_another_to_be_over() {
        let over = Mutex::new(Vec::new());
        let work = |number: usize, turns: &Turns| {
            match number {
                0 => thread::sleep(Duration::from_millis(20)),
                3 => turns.wait_for(0),
                _ => {}
            }
            over.lock().unwrap().push(number);
        };
        in_order(6, 4, work, |_, ()| {});
        let over = over.into_inner().unwrap();
        let at = |number| over.iter().position(|ended| *ended == number);
        assert!(at(0) < at(3) && over.len() == 6, "{over:?}");
    }

    #[test]
    fn nothing_to_do_ends_at_once() {
        in_order(0, 4, |number, _| number, |_, _| unreachable!("there is no input"));
    }
}
