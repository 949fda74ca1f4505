//! Every fuzz target for two seconds: the corpus, then mutants of it by a seed.
//!
//! `LAKEGATE_FUZZ_SECONDS`, `LAKEGATE_FUZZ_SEED` and `LAKEGATE_FUZZ_ONLY` ask for more, for others, for one. What
//! breaks a target lies in `tests/output/fuzz` afterwards; once mended, it belongs into the corpus.

use std::fs;
use std::io::Write;

use lakegate_tests::fuzz::{self, Asked, TARGETS, Target};

fn run(name: &str) {
    let asked = Asked::from_environment();
    if asked.only.as_ref().is_some_and(|only| only != name) {
        return;
    }
    let tests = crate::checkout().join("tests");
    let (corpus, broken) = (tests.join("fuzz/corpus").join(name), tests.join("output/fuzz"));
    let count = fuzz::fuzz(Target::named(name), &corpus, &broken, &asked);
    // Past the harness, which shows nothing of what passes.
    let _ = writeln!(
        std::io::stderr(),
        "fuzz {name}: {} executions in {} s, seed {}, {} outcomes, the slowest {} ms",
        count.executions,
        asked.time.as_secs(),
        asked.seed,
        count.outcomes,
        count.slowest.as_millis()
    );
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    json csv gzip zstd bzip2 zip spec sql contract event manifest channel configuration reference component
}

/// A target that only one of the runners knows would be believed to be run by the others.
#[test]
fn every_runner_knows_every_target() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED);
    let tests = crate::checkout().join("tests");
    let manifest: toml::Value =
        toml::from_str(&fs::read_to_string(tests.join("fuzz/Cargo.toml")).unwrap()).unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap());
    assert_eq!(names, programs.collect::<Vec<_>>(), "tests/fuzz/Cargo.toml");
    let nightly = fs::read_to_string(crate::checkout().join(".github/workflows/nightly.yml")).unwrap();
    let listed = format!("target: [{}]", names.join(", "));
    assert!(nightly.contains(&listed), "nightly.yml does not say {listed}");
    let mut folders: Vec<String> = fs::read_dir(tests.join("fuzz/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(folders, sorted, "tests/fuzz/corpus");
}

/// A corpus is read by people and cloned by everybody.
#[test]
fn the_corpus_stays_small() {
    let files = walkdir::WalkDir::new(crate::checkout().join("tests/fuzz/corpus"));
    let bytes: u64 = files.into_iter().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 200_000, "{bytes} bytes");
}
