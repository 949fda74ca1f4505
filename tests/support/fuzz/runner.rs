//! Runs a target for some seconds on mutants of its corpus, and says what broke it.
//!
//! The decision to know: the input is written to a file before it runs, so that it is there even where the
//! process dies of it; and it runs in a thread of its own, so that one that never ends is found.

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Target;
use super::mutate::Random;
use crate::simulated::Chance;

/// Inputs that led somewhere new, beside those of the corpus.
const POOL: usize = 512;
/// An execution takes a thousandth of this; the machine may be busy with other tests.
const HANGS: Duration = Duration::from_secs(30);

/// What the environment asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Time a target, beside one run of its corpus: `LAKEGATE_FUZZ_SECONDS`.
    pub time: Duration,
    /// Where the mutator begins: `LAKEGATE_FUZZ_SEED`.
    pub seed: u64,
    /// The one target to run: `LAKEGATE_FUZZ_ONLY`.
    pub only: Option<String>,
}

impl Asked {
    /// Two seconds, seed 1 and all targets, unless the environment says otherwise.
    ///
    /// # Panics
    /// Where it says something else than a number.
    #[must_use]
    pub fn from_environment() -> Self {
        let number = |name: &str, default: u64| match std::env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
            Err(_) => default,
        };
        Self {
            time: Duration::from_secs(number("LAKEGATE_FUZZ_SECONDS", 2)),
            seed: number("LAKEGATE_FUZZ_SEED", 1),
            only: std::env::var("LAKEGATE_FUZZ_ONLY").ok(),
        }
    }
}

/// What was run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Executions, those of the corpus included.
    pub executions: u64,
    /// Different things that inputs came to.
    pub outcomes: usize,
    /// The longest execution.
    pub slowest: Duration,
}

/// What runs now, for who watches.
type Watched = Arc<Mutex<Option<Instant>>>;

/// Runs a target on its corpus and then on mutants of it.
///
/// # Panics
/// Where an input breaks it, with the input and the file that holds it.
#[must_use]
pub fn fuzz(target: &'static Target, corpus: &Path, broken: &Path, asked: &Asked) -> Count {
    let inputs = read(corpus);
    assert!(!inputs.is_empty(), "{}: no corpus", corpus.display());
    fs::create_dir_all(broken).unwrap();
    let file = broken.join(target.name);
    let watched = Watched::default();
    let kept = fs::File::create(&file).unwrap();
    let mut run = Run { target, file: kept, watched: Arc::clone(&watched), count: Count::default() };
    let asked = asked.clone();
    let worker = std::thread::Builder::new().name(format!("fuzz::{}", target.name));
    let worker = worker.spawn(move || run.all(inputs, &asked)).unwrap();
    while !worker.is_finished() {
        std::thread::sleep(Duration::from_millis(20));
        let since = *watched.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| since.elapsed() > HANGS) {
            // The thread is left behind: nothing can stop it.
            panic!("{}: no end after {HANGS:?}; the input is in {}", target.name, file.display());
        }
    }
    match worker.join().expect("the runner itself does not panic") {
        Ok(count) => {
            fs::remove_file(&file).unwrap();
            count
        }
        Err(found) => panic!("{}: {found}\nthe input is in {}", target.name, file.display()),
    }
}

fn read(corpus: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(corpus).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

struct Run {
    target: &'static Target,
    /// Stays open: to close a file that was just cut waits for the disk.
    file: fs::File,
    watched: Watched,
    count: Count,
}

impl Run {
    fn all(&mut self, mut pool: Vec<Vec<u8>>, asked: &Asked) -> Result<Count, String> {
        let mut seen = HashSet::new();
        for input in &pool {
            seen.insert(self.one(input)?);
        }
        let (begun, room) = (Instant::now(), pool.len() + POOL);
        let mut random = Random(Chance(asked.seed));
        while begun.elapsed() < asked.time {
            let input = random.mutant(&pool, self.target.words, self.target.most);
            if seen.insert(self.one(&input)?) && pool.len() < room {
                pool.push(input);
            }
        }
        Ok(Count { outcomes: seen.len(), ..self.count })
    }

    fn one(&mut self, input: &[u8]) -> Result<String, String> {
        self.file.rewind().and_then(|()| self.file.write_all(input)).unwrap();
        self.file.set_len(input.len() as u64).unwrap();
        let begun = Instant::now();
        let set = |since| *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = since;
        set(Some(begun));
        let ran = catch_unwind(AssertUnwindSafe(|| self.target.run(input)));
        set(None);
        self.count.executions += 1;
        self.count.slowest = self.count.slowest.max(begun.elapsed());
        ran.map_err(|panic| {
            let shown = input.escape_ascii().to_string();
            let shown: String = shown.chars().take(600).collect();
            format!("execution {}: {}\ninput: {shown}", self.count.executions, said(&*panic))
        })
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}
