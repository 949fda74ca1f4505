//! Every operation against every fault and against every other operation: rows are exact, nothing is left.
//!
//! For: finding holes in the commit protocol, and keeping them closed. Not for: S3's own protocol
//! (`tests/python/aws_sweep.py` strikes each call of the real clients). How a finding is made:
//!
//! * A scenario is a lake that some operations made, and two or three operations that meet in it.
//! * What may come out is what comes out when they are done one after the other, in any order, by the same code
//!   without faults; and that is what a page of plain code (`plain`) says of the same order.
//! * Then each is struck at each of its calls by each [`Fault`], stalled before each of its calls until the others
//!   have ended, and all are interleaved at random with a fault or a stall or both. Whatever was begun is delivered
//!   again, as queues and people do. Rows and open rejected records must be what they may be, all commits
//!   done, no upload open, nothing stuck, and a look through the lake finds nothing to mend.
//!
//! `cargo xtask torture` asks for more time and shows the report.

mod channel;
mod plain;
mod scenarios;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lakegate_base::{Code, Error};
use lakegate_lake::source::Source;
use lakegate_lake::storage::Storage;
use lakegate_sandbox::{Limits, Sandbox, Transform};
use lakegate_tests::simulated::{Bucket, Chance, Fault, Process, Schedule, Stall, Strike};
use lakegate_tests::ways;

use plain::Plain;
use scenarios::{RETRACT, SCENARIOS, Scenario, load};
use world::{Op, Seen, World};

/// Random interleavings of each scenario where no time is asked for.
const ROUNDS: u64 = 8;

/// What was tried.
#[derive(Default)]
struct Tally {
    /// Calls that each fault struck, by operation.
    points: BTreeMap<&'static str, u64>,
    stalls: u64,
    interleavings: u64,
    switches: u64,
    kills: u64,
    found: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        let Self { points, stalls, interleavings, switches, kills, found } = other;
        for (operation, count) in points {
            *self.points.entry(operation).or_default() += count;
        }
        self.stalls += stalls;
        self.interleavings += interleavings;
        self.switches += switches;
        self.kills += kills;
        self.found.extend(found);
    }
}

fn operation(op: Op) -> &'static str {
    match op {
        Op::Load { .. } => "load",
        Op::Beside { .. } => "load by another pipeline",
        Op::Again { .. } => "again",
        Op::Overwrite { .. } => "overwrite",
        Op::Retract { .. } => "retract",
        Op::Change => "contract change",
        Op::Resubmit { .. } => "resubmit",
        Op::Fsck => "fsck",
    }
}

/// One scenario, its lake and what may come out of it.
struct Trial<'a> {
    scenario: &'static Scenario,
    start: World<'a>,
    /// By which operations were not heard of.
    allowed: BTreeMap<Vec<usize>, BTreeSet<Seen>>,
}

impl<'a> Trial<'a> {
    fn new(scenario: &'static Scenario, transform: &'a Transform, small: bool) -> Self {
        let start = World::new(transform, small, scenario.append);
        for op in scenario.before {
            let done = start.act(*op, Process::new(&start.bucket, small));
            done.unwrap_or_else(|error| panic!("{}: before, {op:?}: {error}", scenario.name));
        }
        Self { scenario, start, allowed: BTreeMap::new() }
    }

    fn calm(world: &World<'_>, op: Op) -> Result<(), Error> {
        world.act(op, Process::new(&world.bucket, world.small))
    }

    /// All that was begun comes again; what is stuck.
    fn deliver(&self, world: &World<'_>, unheard: &[usize]) -> Vec<String> {
        let mut stuck = Vec::new();
        for (index, op) in self.scenario.acts.iter().enumerate() {
            if !op.is_event() && !unheard.contains(&index) {
                continue;
            }
            if let Err(error) = Self::calm(world, *op)
                && (op.is_event() || error.code() != Code::NothingToResubmit)
            {
                stuck.push(format!("stuck: {op:?}: {}: {error}", error.name()));
            }
        }
        stuck
    }

    /// What comes out when the operations are done one after the other, those that were not heard of or not at all.
    fn may_be(&mut self, unheard: &[usize]) -> &BTreeSet<Seen> {
        if !self.allowed.contains_key(unheard) {
            let acts = self.scenario.acts;
            let mut outcomes = BTreeSet::new();
            for left in 0..1u32 << unheard.len() {
                let out = |index: &usize| {
                    unheard.iter().position(|one| one == index).is_none_or(|at| left & (1 << at) != 0)
                };
                let done: Vec<usize> = (0..acts.len()).filter(out).collect();
                for order in orders(&done) {
                    let world = self.start.copied();
                    for index in &order {
                        let _refused = Self::calm(&world, acts[*index]);
                    }
                    self.deliver(&world, unheard);
                    let seen = world.seen().unwrap();
                    let (name, plain) = (self.scenario.name, self.plainly(&order, unheard));
                    assert_eq!(seen.plainly(), plain, "{name}: {order:?}, one after the other");
                    outcomes.insert(seen);
                }
            }
            self.allowed.insert(unheard.to_vec(), outcomes);
        }
        &self.allowed[unheard]
    }

    /// What operations in this order, delivered again, come to by the plain model.
    fn plainly(&self, order: &[usize], unheard: &[usize]) -> (Vec<String>, usize) {
        let Scenario { append, before, acts, .. } = *self.scenario;
        let mut plain = Plain::new(append);
        let again = |index: &usize| acts[*index].is_event() || unheard.contains(index);
        let delivered = (0..acts.len()).filter(again);
        let all = order.iter().copied().chain(delivered).map(|index| acts[index]);
        before.iter().copied().chain(all).for_each(|op| plain.act(op));
        plain.seen()
    }

    /// The operations at once, each by a process of its own; what each of them was told.
    fn meet(
        &self,
        world: &World<'_>,
        schedule: &Arc<Schedule>,
        strikes: &[(usize, Strike)],
    ) -> (Vec<Process>, Vec<Result<(), String>>) {
        let acts = self.scenario.acts;
        let strike =
            |index: usize| strikes.iter().find(|(process, _)| *process == index).map(|(_, strike)| *strike);
        let processes: Vec<Process> = (0..acts.len())
            .map(|index| {
                Process::within(&world.bucket, world.small, index, Some(schedule.clone()), strike(index))
            })
            .collect();
        let mut heard: Vec<Result<(), String>> = Vec::new();
        std::thread::scope(|scope| {
            let running: Vec<_> = acts
                .iter()
                .zip(&processes)
                .enumerate()
                .map(|(index, (op, process))| {
                    let (schedule, process) = (schedule.clone(), process.clone());
                    scope.spawn(move || {
                        let _ended = Ended(index, schedule);
                        world.act(*op, process).map_err(|error| format!("{}: {error}", error.name()))
                    })
                })
                .collect();
            for one in running {
                heard.push(one.join().unwrap_or_else(|_| Err("PANIC".into())));
            }
        });
        (processes, heard)
    }

    /// Lets the operations meet, delivers again, and says what is wrong.
    fn run(&mut self, seed: u64, stalls: &[Stall], strikes: &[(usize, Strike)], tally: &mut Tally) -> Met {
        let world = self.start.copied();
        let acts = self.scenario.acts;
        let schedule = Arc::new(Schedule::new(acts.len(), seed, stalls.to_vec()));
        let (processes, heard) = self.meet(&world, &schedule, strikes);
        let unheard: Vec<usize> = (0..acts.len()).filter(|index| heard[*index].is_err()).collect();
        let mut wrong: Vec<String> = Vec::new();
        wrong.extend(heard.iter().filter(|one| *one == &Err("PANIC".into())).map(|_| "a panic".to_owned()));
        wrong.extend(self.deliver(&world, &unheard));
        // A command that was killed right after it had published what was replaced meanwhile: events come again and
        // find that, a person who gives the command again may be told that nothing is left to do, and has `fsck`.
        let late = |(index, strike): &(usize, Strike)| {
            strike.fault == Fault::KilledAfter && !acts[*index].is_event() && processes[*index].is_dead()
        };
        if strikes.iter().any(late) {
            wrong.extend(Self::calm(&world, Op::Fsck).err().map(|error| format!("stuck: fsck: {error}")));
        }
        match world.seen() {
            Ok(seen) if !self.may_be(&unheard).contains(&seen) => {
                let may = &self.allowed[&unheard];
                wrong.push(format!("seen: {seen:#?}\nmay be: {may:#?}"));
            }
            Ok(_) => {}
            Err(error) => wrong.push(format!("unreadable: {error}")),
        }
        // What is staged in an upload outlives its process: what was committed can always be completed.
        let lost =
            world.lost().into_iter().filter(|code| !world.small && code == Code::GenerationLost.name());
        wrong.extend(lost.map(|code| format!("lost: {code}")));
        // A version that is gone comes no more: what a killed attempt at it has uploaded goes by its age, too.
        let gone = acts.iter().any(|act| matches!(act, Op::Overwrite { .. }));
        let uploads_by_age = gone || unheard.iter().any(|index| acts[*index] == Op::Change);
        let disorder = world.disorder(uploads_by_age);
        wrong.extend(disorder.unwrap_or_else(|error| vec![format!("unreadable: {error}")]));
        tally.interleavings += 1;
        tally.switches += schedule.switches();
        tally.kills += processes.iter().filter(|process| process.is_dead()).count() as u64;
        if !wrong.is_empty() {
            let mut said = format!(
                "{} ({}), seed {seed}, {stalls:?}, {strikes:?}\n  {}\n",
                self.scenario.name,
                if world.small { "in memory" } else { "as uploads" },
                wrong.join("\n  ")
            );
            let _written = writeln!(said, "heard: {heard:?}\ncalls:\n  {}", schedule.log().join("\n  "));
            tally.found.push(said);
        }
        Met {
            calls: processes.iter().map(Process::calls).collect(),
            struck: processes.iter().any(Process::was_struck),
        }
    }

    /// Each operation struck at each call by each fault, and stalled before each call.
    fn each_point(&mut self, tally: &mut Tally) {
        let acts = self.scenario.acts;
        for index in 0..acts.len() {
            // The others come after, so that what was struck is met.
            let later: Vec<Stall> = (0..acts.len())
                .filter(|other| *other != index)
                .map(|process| Stall { process, call: 1 })
                .collect();
            for fault in Fault::ALL {
                for call in 1.. {
                    let strike = Strike { call, fault };
                    if !self.run(0, &later, &[(index, strike)], tally).struck {
                        break;
                    }
                    *tally.points.entry(operation(acts[index])).or_default() += 1;
                }
            }
            for call in 1.. {
                let stall = Stall { process: index, call };
                let met = self.run(0, &[stall], &[], tally);
                tally.stalls += 1;
                if met.calls[index] < call {
                    break;
                }
                // Slow, and then no more heard of: at the very call, and at the one after.
                for late in [call, call + 1] {
                    let strike = Strike { call: late, fault: Fault::KilledAfter };
                    self.run(0, &[stall], &[(index, strike)], tally);
                }
            }
        }
    }

    fn at_random(&mut self, seed: u64, tally: &mut Tally) {
        let mut chance = Chance(seed);
        let acts = self.scenario.acts.len() as u64;
        let process = |chance: &mut Chance| chance.below(acts) as usize;
        let stalls: Vec<Stall> = (0..chance.below(3))
            .map(|_| Stall { process: process(&mut chance), call: 1 + chance.below(24) })
            .collect();
        let strikes: Vec<(usize, Strike)> = (0..chance.below(3))
            .map(|_| {
                let fault = Fault::ALL[chance.below(4) as usize];
                (process(&mut chance), Strike { call: 1 + chance.below(24), fault })
            })
            .collect();
        self.run(seed, &stalls, &strikes, tally);
    }
}

/// How a meeting went.
struct Met {
    calls: Vec<u64>,
    struck: bool,
}

/// Gives the turn away however a process ends.
struct Ended(usize, Arc<Schedule>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.1.ended(self.0);
    }
}

fn orders(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<usize> = of.iter().copied().filter(|one| one != first).collect();
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Does that with all trials, as many at once as there are processors: none of them knows of another.
fn at_once(trials: &mut [Trial<'_>], tally: &mut Tally, act: impl Fn(&mut Trial<'_>, &mut Tally) + Sync) {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let waiting = Mutex::new(trials.iter_mut());
    std::thread::scope(|scope| {
        let work = || {
            let mut own = Tally::default();
            loop {
                let next = waiting.lock().unwrap().next();
                let Some(trial) = next else { return own };
                act(trial, &mut own);
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().for_each(|one| tally.add(one.join().unwrap()));
    });
}

#[test]
fn nothing_is_lost_doubled_or_stuck() {
    if ways::required().is_none() {
        return;
    }
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).unwrap();
    let seed = number("LAKEGATE_TORTURE_SEED").unwrap_or(1);
    let only = std::env::var("LAKEGATE_TORTURE_ONLY").unwrap_or_default();
    let mut tally = Tally::default();
    let chosen = SCENARIOS.iter().filter(|scenario| scenario.name.contains(&only));
    let mut trials: Vec<Trial<'_>> = chosen
        .flat_map(|scenario| [true, false].map(|small| Trial::new(scenario, &transform, small)))
        .collect();
    let minutes = number("LAKEGATE_TORTURE_MINUTES");
    at_once(&mut trials, &mut tally, |trial, tally| {
        trial.each_point(tally);
        if minutes.is_some() {
            let (name, found) = (trial.scenario.name, tally.found.len());
            eprintln!("{name}: {} interleavings so far, {found} findings", tally.interleavings);
        }
    });
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let mut rounds = 0;
    while until.map_or(rounds < ROUNDS, |until| Instant::now() < until) {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(rounds);
        at_once(&mut trials, &mut tally, |trial, tally| trial.at_random(seed, tally));
        rounds += 1;
    }
    report(&tally, trials.len(), rounds);
    let mut first: BTreeMap<String, &String> = BTreeMap::new();
    for found in &tally.found {
        first.entry(kind(found)).or_insert(found);
    }
    let first: Vec<&str> = first.values().take(12).map(|found| found.as_str()).collect();
    assert!(tally.found.is_empty(), "{} findings, for example\n{}", tally.found.len(), first.join("\n"));
}

/// A world in which a first version was committed, and its process killed before anything of it was visible.
fn committed_and_killed(transform: &Transform, append: bool) -> World<'_> {
    for call in 1.. {
        let world = World::new(transform, true, append);
        let strike = Strike { call, fault: Fault::KilledAfter };
        let process = Process::within(&world.bucket, true, 0, None, Some(strike));
        let _killed = world.act(load(0, 1), process);
        let is_commit = |key: &String| key.starts_with(lakegate_lake::keys::COMMITS);
        if world.bucket.objects().keys().any(is_commit) {
            return world;
        }
    }
    unreachable!("a load commits")
}

#[test]
fn a_key_is_not_stuck_when_what_was_committed_cannot_be_made_any_more() {
    if ways::required().is_none() {
        return;
    }
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).unwrap();
    for (append, retracted) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = committed_and_killed(&transform, append);
        world.overwrite(0, 1);
        if retracted {
            Trial::calm(&world, RETRACT).unwrap();
        }
        Trial::calm(&world, load(0, 2)).unwrap();
        let alone = World::new(&transform, true, append);
        Trial::calm(&alone, load(0, 2)).unwrap();
        assert_eq!(world.seen().unwrap(), alone.seen().unwrap(), "append {append}, retracted {retracted}");
        assert_eq!(world.lost(), ["generation_lost"], "it is said");
        assert!(world.disorder(false).unwrap().is_empty(), "{:?}", world.disorder(false));
    }
    // Where the source is there still, nothing is lost: the next version waits for the one before.
    let world = committed_and_killed(&transform, true);
    Trial::calm(&world, load(0, 2)).unwrap();
    let both = World::new(&transform, true, true);
    Trial::calm(&both, load(0, 1)).unwrap();
    Trial::calm(&both, load(0, 2)).unwrap();
    assert_eq!((world.seen().unwrap(), world.lost().len()), (both.seen().unwrap(), 0));
}

#[test]
fn of_two_versions_of_one_moment_the_one_that_is_there_is_the_newer() {
    let bucket = Bucket::default();
    let raw: Arc<dyn Storage> = Arc::new(Process::new(&bucket, true));
    let put = |text: &[u8]| {
        let tag = raw.get("x.json").unwrap().map(|found| found.tag);
        assert!(raw.replace_if_unchanged("x.json", text, tag.as_deref()).unwrap());
        Source::object(raw.clone(), "s3://raw/x.json".into(), raw.stat("x.json").unwrap().unwrap())
    };
    // Neither has a sequencer, and both were changed in the same second.
    let (first, second) = (put(b"{}"), put(b"[]"));
    assert!(first.is_older_than(&second.record()).unwrap());
    assert!(!second.is_older_than(&first.record()).unwrap());
    assert!(!second.is_older_than(&second.record()).unwrap(), "itself");
}

fn report(tally: &Tally, trials: usize, rounds: u64) {
    let mut text = String::from("operation × fault at each call: ");
    for (name, count) in &tally.points {
        let _written = write!(text, "{name} {count}, ");
    }
    let points: u64 = tally.points.values().sum();
    let _written = write!(
        text,
        "{points} in all, none skipped; {} stalls; {rounds} random rounds of {trials} scenarios;\n{} interleavings \
         with {} changes of turn; {} kills; {} findings",
        tally.stalls,
        tally.interleavings,
        tally.switches,
        tally.kills,
        tally.found.len()
    );
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for found in &tally.found {
        *kinds.entry(kind(found)).or_default() += 1;
    }
    for (kind, count) in kinds {
        let _written = write!(text, "\n  {count} × {kind}");
    }
    eprintln!("{text}");
}

/// A finding without what differs from one to the next.
fn kind(found: &str) -> String {
    let scenario = found.split(" (").next().unwrap_or_default();
    let what = found.lines().nth(1).unwrap_or_default().trim();
    let same = |word: &str| word.chars().filter(char::is_ascii_digit).count() < 2;
    let what: Vec<&str> = what.split(' ').filter(|word| same(word)).collect();
    format!("{scenario}: {}", what.join(" "))
}
