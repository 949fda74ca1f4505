//! Whose turn it is: one process at a time, in an order that a seed repeats.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// splitmix64: a seed makes the same numbers anywhere.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// A number from 0 to `end`, exclusively.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// A process that waits before one of its calls until all others have ended: it was slow just there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Which process, from 0.
    pub process: usize,
    /// Before which of its calls, from 1.
    pub call: u64,
}

#[derive(Debug)]
struct Turns {
    chance: Chance,
    stalls: Vec<Stall>,
    calls: Vec<u64>,
    /// Processes that have not ended.
    live: BTreeSet<usize>,
    /// Those of them that want to make a call.
    waiting: BTreeSet<usize>,
    /// Who may go on, and who has not asked again since.
    running: Option<usize>,
    switches: u64,
    last: Option<usize>,
    log: Vec<String>,
}

/// The order in which processes make their calls.
#[derive(Debug)]
pub struct Schedule {
    turns: Mutex<Turns>,
    turn: Condvar,
}

impl Schedule {
    /// For so many processes, numbered from 0. Nobody makes a call before all of them want to.
    #[must_use]
    pub fn new(processes: usize, seed: u64, stalls: Vec<Stall>) -> Self {
        let turns = Turns {
            chance: Chance(seed),
            stalls,
            calls: vec![0; processes],
            live: (0..processes).collect(),
            waiting: BTreeSet::new(),
            running: None,
            switches: 0,
            last: None,
            log: Vec::new(),
        };
        Self { turns: Mutex::new(turns), turn: Condvar::new() }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a process's turn to make a call.
    pub(super) fn enter(&self, process: usize, call: impl FnOnce() -> String) {
        let mut turns = self.turns();
        turns.calls[process] += 1;
        turns.waiting.insert(process);
        if turns.running == Some(process) {
            turns.running = None;
        }
        self.pick(&mut turns);
        while turns.running != Some(process) {
            turns = self.turn.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        let said = format!("{process}: {}", call());
        turns.log.push(said);
    }

    /// A process has ended, in whatever way.
    pub fn ended(&self, process: usize) {
        let mut turns = self.turns();
        turns.live.remove(&process);
        turns.waiting.remove(&process);
        if turns.running == Some(process) {
            turns.running = None;
        }
        self.pick(&mut turns);
    }

    /// Gives the turn away once all who live want it.
    fn pick(&self, turns: &mut Turns) {
        if turns.running.is_some() || turns.waiting.is_empty() || turns.waiting.len() < turns.live.len() {
            return;
        }
        let stalled = |process: &usize| {
            turns.stalls.iter().any(|stall| stall.process == *process && stall.call == turns.calls[*process])
        };
        let free: Vec<usize> = turns.waiting.iter().copied().filter(|process| !stalled(process)).collect();
        // When only stalled ones are left, the first of them goes on.
        let next = match free.as_slice() {
            [] => turns.waiting.first().copied(),
            [one] => Some(*one),
            // Runs of calls by one process reach further than a change at each call.
            several => match turns.last.filter(|last| several.contains(last) && turns.chance.below(3) > 0) {
                Some(last) => Some(last),
                None => Some(several[turns.chance.below(several.len() as u64) as usize]),
            },
        };
        let Some(next) = next else { return };
        if turns.last.is_some_and(|last| last != next) {
            turns.switches += 1;
        }
        turns.waiting.remove(&next);
        turns.running = Some(next);
        turns.last = Some(next);
        self.turn.notify_all();
    }

    /// The calls in their order, for a person who looks for what went wrong.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.turns().log.clone()
    }

    /// How often another process went on.
    #[must_use]
    pub fn switches(&self) -> u64 {
        self.turns().switches
    }
}
