//! The channel's document under the same faults: each change is there once if it was heard of, and at most once if not.

use std::sync::Arc;

use lakegate_base::{Code, Result};
use lakegate_release::{Back, Change, Channel, Pinned, Promotion, Registry, SigningKey};
use lakegate_tests::simulated::{Bucket, Fault, Process, Schedule, Stall, Strike};

const NAME: &str = "orders";

fn pinned(version: &str) -> Pinned {
    Pinned { version: version.parse().unwrap(), manifest: format!("m{version}") }
}

struct Place {
    bucket: Bucket,
    key: SigningKey,
}

impl Place {
    /// A channel with so many releases promoted one after the other.
    fn new(releases: u32) -> Self {
        let key = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
        let place = Self { bucket: Bucket::default(), key };
        for number in 0..releases {
            place.promote(Process::new(&place.bucket, true), &format!("1.{number}.0")).unwrap();
        }
        place
    }

    fn promote(&self, process: Process, version: &str) -> Result<()> {
        self.change(process, |before| {
            Channel::promote(before, NAME, pinned(version), Promotion::Stable, "now")
                .map(|channel| (channel, ()))
        })
    }

    fn rollback(&self, process: Process) -> Result<()> {
        self.change(process, |before| {
            before.unwrap().rollback(&Back::default(), "now").map(|(channel, _)| (channel, ()))
        })
    }

    fn change(
        &self,
        process: Process,
        change: impl Fn(Option<&Channel>) -> Result<(Channel, ())>,
    ) -> Result<()> {
        let registry = Registry::over(Arc::new(process));
        registry.change_channel(NAME, &self.key, &self.key.trust(), change).map(|_| ())
    }

    fn channel(&self) -> Channel {
        let registry = Registry::over(Arc::new(Process::new(&self.bucket, true)));
        registry.channel(NAME, &self.key.trust()).unwrap()
    }
}

/// Two rollbacks and a promotion meet; what went wrong.
fn meet(seed: u64, stalls: &[Stall], strikes: &[(usize, Strike)]) -> Option<String> {
    let place = Place::new(6);
    let before = place.channel();
    let schedule = Arc::new(Schedule::new(3, seed, stalls.to_vec()));
    let process = |number: usize| {
        let strike = strikes.iter().find(|(process, _)| *process == number).map(|(_, strike)| *strike);
        Process::within(&place.bucket, true, number, Some(schedule.clone()), strike)
    };
    let heard: Vec<bool> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..3)
            .map(|number| {
                let (place, schedule, process) = (&place, schedule.clone(), process(number));
                scope.spawn(move || {
                    let _ended = super::Ended(number, schedule);
                    match number {
                        2 => place.promote(process, "2.0.0"),
                        _ => place.rollback(process),
                    }
                    .inspect_err(|error| assert_ne!(error.code(), Code::ChannelDamaged, "{error}"))
                    .is_ok()
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let after = place.channel();
    let made = |change: Change| {
        after
            .history
            .iter()
            .take_while(|past| past.sequence > before.sequence)
            .filter(|past| past.change == change)
            .count()
    };
    // Whoever lives is told what became of its change: told no, it would make it again.
    let killed = strikes.iter().any(|(_, strike)| strike.fault.kills());
    let right = |change: Change, by: &[bool]| {
        let sure = by.iter().filter(|heard| **heard).count();
        let most = if killed { by.len() } else { sure };
        (sure..=most).contains(&made(change))
    };
    let steps = after.sequence - before.sequence;
    let whole = steps as usize == made(Change::Rollback) + made(Change::Promote);
    let fine = right(Change::Rollback, &heard[..2]) && right(Change::Promote, &heard[2..]) && whole;
    (!fine).then(|| {
        format!(
            "seed {seed}, {stalls:?}, {strikes:?}: heard {heard:?}, history {:#?}\n{:#?}",
            after.history,
            schedule.log()
        )
    })
}

#[test]
fn a_change_of_a_channel_is_made_once() {
    for process in 0..3 {
        for fault in Fault::ALL {
            for call in 1..=8 {
                for seed in 0..6 {
                    let strike = (process, Strike { call, fault });
                    // Also with another writer between a change and the look for it.
                    let stalls = [vec![], vec![Stall { process, call: call + 1 }]];
                    for stalls in stalls {
                        let wrong = meet(seed, &stalls, &[strike]);
                        assert_eq!(wrong, None, "{}", wrong.as_deref().unwrap_or_default());
                    }
                }
            }
        }
    }
}
